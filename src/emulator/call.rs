//! The context of a route, and helpers that several routes need.

use serde_json::{Value, json};

use super::error::{ArmError, require};
use super::faults::{self, Kind};
use super::http::{Answer, Incoming};
use super::routes::{Names, Reply};
use super::state::{Config, State};
use super::versions::{self, Dialect};

/// The longest that a name of a model or an environment may be.
const LONGEST_NAME: usize = 255;

/// A request on its way through its route.
pub(crate) struct Call<'call> {
    pub(crate) config: &'call Config,
    pub(crate) state: &'call mut State,
    pub(crate) request: &'call Incoming,
    /// The segments of the path where the route has braces.
    pub(crate) names: &'call Names,
}

impl<'call> Call<'call> {
    /// The part of the path that the route gives this name; empty when it has none.
    pub(crate) fn name(&self, name: &str) -> &'call str {
        let mut named = self.names.iter().filter(|(known, _)| *known == name);
        named.next().map_or("", |(_, segment)| segment)
    }

    /// Refuses another subscription, group or workspace than the one that is emulated.
    pub(crate) fn check_scope(&self) -> Result<(), ArmError> {
        let config = self.config;
        let is = |name: &str, own: &str| {
            let given = self.name(name);
            given.is_empty() || given.eq_ignore_ascii_case(own)
        };
        if !is("subscription", &config.subscription) {
            return Err(ArmError::no_subscription(self.name("subscription")));
        }
        if !is("group", &config.resource_group) {
            return Err(ArmError::no_group(self.name("group")));
        }
        if !is("workspace", &config.workspace) {
            let given = self.name("workspace");
            let what = format!("Microsoft.MachineLearningServices/workspaces/{given}");
            return Err(ArmError::not_found(&what, &config.resource_group));
        }
        Ok(())
    }

    pub(crate) fn api_version(&self) -> String {
        let version = self.request.parameter("api-version").unwrap_or_default();
        version.trim().to_owned()
    }

    pub(crate) fn dialect(&self) -> Dialect {
        versions::dialect(&self.api_version())
    }

    pub(crate) fn body(&self) -> Result<Value, ArmError> {
        read_json(&self.request.body)
    }

    /// Refuses a body where there is none to send.
    pub(crate) fn no_body(&self) -> Result<(), ArmError> {
        match self.request.body_value() {
            Value::Null => Ok(()),
            Value::Object(map) if map.is_empty() => Ok(()),
            _ => Err(ArmError::unsupported("This request has no body.")),
        }
    }

    /// Refuses to write a resource of this name, by the fault of a policy.
    pub(crate) fn denied(&mut self, name: &str) -> Result<(), ArmError> {
        let denied = |kind: &Kind| matches!(kind, Kind::PolicyDenied { .. });
        match self.state.fault(self.request, denied) {
            Some(_) => Err(faults::policy_denied(name)),
            None => Ok(()),
        }
    }

    /// Refuses a patch that does not say that it is one.
    pub(crate) fn is_patch(&self) -> Result<(), ArmError> {
        let kind = self.request.header("content-type").unwrap_or_default();
        if kind.starts_with("application/json-patch+json") {
            return Ok(());
        }
        Err(ArmError::new(
            415,
            "UnsupportedMediaType",
            "A patch must be sent as application/json-patch+json.",
        ))
    }

    /// A whole number from the query.
    pub(crate) fn number(&self, name: &str) -> Result<Option<usize>, ArmError> {
        let Some(text) = self.request.parameter(name) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            ArmError::bad_request(format!(
                "The query parameter '{name}' is not a number: {text}."
            ))
        })
    }

    /// A yes or no from the query, as `azureml-core` sends it too, with a capital letter.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, ArmError> {
        let text = self.request.parameter(name).unwrap_or_default();
        match text.to_ascii_lowercase().as_str() {
            "" | "false" => Ok(false),
            "true" => Ok(true),
            _ => Err(ArmError::bad_request(format!(
                "'{name}' must be true or false, not '{text}'."
            ))),
        }
    }

    /// A page of a list: it begins where the parameter `token` says, and has at most `count` items
    /// and never more than the emulator's page size. With it the token of the next page.
    pub(crate) fn page<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        token: &str,
        count: Option<usize>,
    ) -> Result<(Vec<T>, Option<String>), ArmError> {
        require(count != Some(0), "'count' must be at least 1.")?;
        let size = self.config.page_size.min(count.unwrap_or(usize::MAX));
        let start = self.number(token)?.unwrap_or_default();
        let mut rest = items.into_iter().skip(start);
        let page: Vec<T> = rest.by_ref().take(size).collect();
        let next = rest.next().map(|_| (start + page.len()).to_string());
        Ok((page, next))
    }

    /// The answer with a page of a list, and the URL of the next one if there is one.
    pub(crate) fn listed<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        token: &str,
        count: Option<usize>,
        show: impl Fn(T) -> Value,
    ) -> Reply {
        let (page, next) = self.page(items, token, count)?;
        let mut body = json!({ "value": page.into_iter().map(show).collect::<Vec<_>>() });
        // Absent, not `null`, on the last page: `azureml-core` would request the null as a URL.
        if let Some(next) = next {
            body["nextLink"] = json!(self.next_link(token, &next));
        }
        Ok(Answer::json(200, &body))
    }

    /// The URL of this request with another token.
    pub(crate) fn next_link(&self, token: &str, next: &str) -> String {
        let kept = self.request.parameters().filter(|(key, _)| key != token);
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair(token, next)
            .finish();
        format!("{}{}?{query}", self.request.origin, self.request.path)
    }

    /// The time now, as the service writes it.
    pub(crate) fn now(&self) -> String {
        self.state.time.stamp(self.state.time.now())
    }
}

/// Puts items, which come in the order in which they were made, into the order that a query asks
/// for: the newest first, unless it says otherwise.
pub(crate) fn ordered<T, K: Ord>(
    mut items: Vec<T>,
    by: Option<&str>,
    updated: impl Fn(&T) -> K,
) -> Result<Vec<T>, ArmError> {
    let by = by.unwrap_or("CreatedAtDesc");
    match by {
        "CreatedAtAsc" | "CreatedAtDesc" => {}
        // Sorting keeps the order of what is equal.
        "UpdatedAtAsc" | "UpdatedAtDesc" => items.sort_by_key(updated),
        _ => return Err(ArmError::bad_request(format!("There is no order '{by}'."))),
    }
    if by.ends_with("Desc") {
        items.reverse();
    }
    Ok(items)
}

/// A body that must be JSON.
pub(crate) fn read_json(body: &[u8]) -> Result<Value, ArmError> {
    serde_json::from_slice(body)
        .map_err(|error| ArmError::bad_request(format!("The body is not valid JSON: {error}.")))
}

/// A name of a model, an asset or an environment: letters, digits, `-`, `_` and `.`, the first one a
/// letter or a digit.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), ArmError> {
    let fits = (1..=LONGEST_NAME).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    require(
        fits,
        format!(
            "The {what} name '{name}' is invalid: it must have 1 to {LONGEST_NAME} letters, digits, \
             dashes, underscores and dots, and begin with a letter or a digit."
        ),
    )
}
