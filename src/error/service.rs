//! The service's own error bodies, in all the forms that were seen.

use super::{Hidden, redact};
use crate::facts::codes;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// An error as the service described it.
///
/// Read leniently: ARM's `{"error":{…}}`, the doubly nested form that the machine learning service
/// used before 2019-06-01 (and `azureml-core` 1.61 still unwraps), a bare `code`/`message` at the
/// top, and `statusCode` in place of a code. JSON inside a message is kept as it is, and looked
/// into for the innermost message.
///
/// `Serialize` gives ARM's form, `{"code":…,"message":…,"target":…,"statusCode":…,"details":[…]}`,
/// without what is absent; reading that again gives the same error.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ServiceError {
    /// The machine-readable code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The subject of the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The HTTP status that the error carries in its own body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_code: Option<u16>,
    /// More specific errors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Self>,
}

/// The greatest depth of nested errors; the rest is ignored.
const MAX_DEPTH: usize = 16;

impl ServiceError {
    /// Reads an error from a body that may hold one: an operation's status, a resource, an answer.
    ///
    /// Secrets that are known are hidden before others are guessed at, for a guess may take only a part of
    /// one.
    pub(crate) fn find(body: &Value, hidden: &Hidden) -> Option<Self> {
        if let Some(error) = body.get("error")
            && let Some(found) = Self::parse(error, MAX_DEPTH, hidden)
        {
            return Some(found);
        }
        // A status document has its own `code`-less shape: only take what names an error.
        let named = body.get("code").is_some() || body.get("statusCode").is_some();
        let has_message = body.get("message").is_some_and(Value::is_string);
        if named || (has_message && body.get("status").is_none()) {
            return Self::parse(body, MAX_DEPTH, hidden);
        }
        None
    }

    /// Reads `properties.provisioningErrors[]` of a compute, `properties.status.provisioningError` of an AKS cluster, or
    /// `properties.errorInfo` and the errors in `properties.statuses[]` of an extension.
    pub(crate) fn of_provisioning(resource: &Value, hidden: &Hidden) -> Option<Self> {
        let properties = resource.get("properties")?;
        if let Some(error) = properties.pointer("/status/provisioningError") {
            return Self::parse(error, MAX_DEPTH, hidden);
        }
        let list = |name: &str| properties.get(name).and_then(Value::as_array);
        let is_error = |status: &&Value| {
            let level = status.get("level").and_then(Value::as_str);
            level.is_some_and(|level| level.eq_ignore_ascii_case("Error"))
        };
        let statuses = list("statuses").into_iter().flatten().filter(is_error);
        let errors = list("provisioningErrors").into_iter().flatten();
        let mut errors: Vec<Self> = errors
            .chain(properties.get("errorInfo"))
            .chain(statuses)
            .filter_map(|item| Self::parse(item, MAX_DEPTH, hidden))
            .collect();
        match errors.len() {
            0 => None,
            1 => errors.pop(),
            _ => Some(Self {
                code: errors[0].code.clone(),
                message: errors[0].message.clone(),
                details: errors,
                ..Self::default()
            }),
        }
    }

    fn parse(value: &Value, depth: usize, hidden: &Hidden) -> Option<Self> {
        if depth == 0 {
            return None;
        }
        let shown = |text: &str| redact(&hidden.text(text));
        if let Some(text) = value.as_str() {
            return (!text.trim().is_empty()).then(|| Self {
                message: Some(shown(text)),
                ..Self::default()
            });
        }
        let object = value.as_object()?;
        if let Some(inner @ Value::Object(_)) = object.get("error")
            && let Some(found) = Self::parse(inner, depth - 1, hidden)
        {
            return Some(found);
        }
        let text = |key: &str| match object.get(key) {
            Some(Value::String(text)) if !text.trim().is_empty() => Some(shown(text)),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let mut details: Vec<Self> = object
            .get("details")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|item| Self::parse(item, depth - 1, hidden))
            .collect();
        let inner = object
            .get("innererror")
            .or_else(|| object.get("innerError"));
        let additional = object.get("additionalInfo").and_then(Value::as_array);
        let additional = additional
            .into_iter()
            .flatten()
            .filter(|info| info.get("type").and_then(Value::as_str) == Some("InnerError"))
            .filter_map(|info| info.pointer("/info/value"));
        let inner = inner.into_iter().chain(additional);
        details.extend(inner.filter_map(|inner| Self::parse(inner, depth - 1, hidden)));
        let error = Self {
            code: text("code"),
            message: text("message"),
            target: text("target"),
            status_code: object
                .get("statusCode")
                .and_then(Value::as_u64)
                .and_then(|status| u16::try_from(status).ok()),
            details,
        };
        (error != Self::default()).then_some(error)
    }

    /// With texts of bounded length, and as many details as one can read.
    pub(super) fn bounded(self) -> Self {
        /// A validation of ARM lists one detail for each member that is wrong.
        const MOST_DETAILS: usize = 50;
        let text = |text: Option<String>| text.map(super::bounded);
        Self {
            code: text(self.code),
            message: text(self.message),
            target: text(self.target),
            status_code: self.status_code,
            details: self
                .details
                .into_iter()
                .take(MOST_DETAILS)
                .map(Self::bounded)
                .collect(),
        }
    }

    /// Only codes and statuses, for answers whose texts may quote a secret in any form.
    pub(crate) fn without_texts(self) -> Self {
        // A code is an identifier: anything else may be a text in the wrong place.
        let is_code = |code: &String| {
            code.len() <= 100
                && code
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        Self {
            code: self.code.filter(is_code),
            message: self.message.map(|_| "[not shown]".to_owned()),
            target: None,
            status_code: self.status_code,
            details: self.details.into_iter().map(Self::without_texts).collect(),
        }
    }

    /// Returns the most specific code and message: the deepest ones of the first branch that has any. A code that says
    /// nothing, such as `Unspecified` or a sentence, gives way to every other.
    #[must_use]
    pub fn innermost(&self) -> (Option<&str>, Option<&str>) {
        let (mut code, mut message) = (None, None);
        for detail in &self.details {
            let (inner_code, inner_message) = detail.innermost();
            code = better(code, inner_code);
            message = message.or(inner_message);
        }
        (
            better(code, self.code.as_deref()),
            message.or(self.message.as_deref()),
        )
    }

    /// Returns whether this error or one below it satisfies `test`, given code and message.
    pub(crate) fn any(&self, test: fn(Option<&str>, Option<&str>) -> bool) -> bool {
        test(self.code.as_deref(), self.message.as_deref())
            || self.details.iter().any(|detail| detail.any(test))
    }

    /// Returns the resources that the scheduler says are insufficient: it writes `Insufficient` and the name.
    pub(crate) fn missing_resources(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.find_missing(&mut found);
        found
    }

    fn find_missing(&self, found: &mut Vec<String>) {
        const MARK: &str = "Insufficient ";
        for text in self
            .message
            .iter()
            .flat_map(|text| text.split(MARK).skip(1))
        {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/' | '-' | '_');
            let end = text.find(|c| !allowed(c)).unwrap_or(text.len());
            let name = text[..end].trim_end_matches('.');
            if !name.is_empty() && !found.iter().any(|known| known == name) {
                found.push(name.to_owned());
            }
        }
        for detail in &self.details {
            detail.find_missing(found);
        }
    }

    /// Returns the remedy for the most specific part of this error that has one.
    pub(crate) fn find_remedy(&self) -> Option<&'static str> {
        self.details
            .iter()
            .find_map(Self::find_remedy)
            .or_else(|| codes::remedy(self.code.as_deref(), self.message.as_deref()))
    }

    /// `Code: message`, the innermost ones; the outer message too where it differs.
    pub(crate) fn describe(&self) -> String {
        let (code, message) = self.innermost();
        let embedded = message.and_then(embedded_message);
        let message = embedded.as_deref().or(message);
        let mut text = match (code, message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => match self.status_code {
                Some(status) => format!("the service gave status {status} and no reason"),
                None => "the service gave no reason".to_owned(),
            },
        };
        if let Some(outer) = self.message.as_deref()
            && embedded.is_none()
            && Some(outer) != message
        {
            text = format!("{text} ({outer})");
        }
        text
    }
}

impl<'de> Deserialize<'de> for ServiceError {
    /// Never fails for well-formed JSON: errors come in too many shapes to insist on one.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Ok(Self::parse(&value, MAX_DEPTH, &Hidden::default()).unwrap_or_default())
    }
}

/// Returns the first of two codes, unless only the second says something.
fn better<'a>(first: Option<&'a str>, second: Option<&'a str>) -> Option<&'a str> {
    let says = |code: &&str| !code.eq_ignore_ascii_case("Unspecified") && !code.contains(' ');
    first
        .filter(says)
        .or(second.filter(says))
        .or(first)
        .or(second)
}

/// Returns the message of an error that is hidden as JSON inside a message.
fn embedded_message(message: &str) -> Option<String> {
    let start = message.find('{')?;
    let value: Value = serde_json::from_str(message[start..].trim_end()).ok()?;
    let error = ServiceError::find(&value, &Hidden::default())?;
    let (code, text) = error.innermost();
    match (code, text) {
        (Some(code), Some(text)) => Some(format!("{code}: {text}")),
        (_, text) => text.map(str::to_owned),
    }
}
