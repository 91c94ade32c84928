//! Hides the secrets that a request carried in what a service says: services repeat what they were sent.

use super::convert::Cause;
use super::{Error, ResponseFacts, ServiceError};
use crate::facts::secrets::{ENVIRONMENT_VARIABLES, is_secret};
use azure_core::credentials::Secret;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
#[cfg(feature = "services")]
use std::sync::{Mutex, PoisonError};

const HIDDEN: &str = "[redacted]";

/// A shorter secret would be found in any text.
const SHORTEST: usize = 4;
/// Most variables of an environment are not secret; a shorter value would hide ordinary words.
const SHORTEST_VARIABLE: usize = 8;
/// A shorter line of a key would be found in any text.
const SHORTEST_LINE: usize = 16;

/// The secrets in the requests of an operation, in every spelling in which a service may repeat it.
///
/// A request knows its own secrets from its body, its answer takes them over, and the operation that it
/// begins takes them from there. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Hidden(Option<Arc<[Box<str>]>>);

impl Hidden {
    /// Returns the secrets in the body of a request.
    pub(crate) fn in_body(body: &Value) -> Self {
        let mut spellings = BTreeSet::new();
        collect("", "", body, &mut spellings);
        Self::of_spellings(spellings)
    }

    /// Collects these secrets.
    pub(crate) fn of<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let mut spellings = BTreeSet::new();
        for secret in secrets {
            spell(secret, &mut spellings);
        }
        Self::of_spellings(spellings)
    }

    /// Returns the secrets of both.
    pub(crate) fn and(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (None, _) => other.clone(),
            (_, None) => self.clone(),
            (Some(own), Some(others)) => {
                let both = own.iter().chain(others.iter());
                Self::of_spellings(both.map(ToString::to_string).collect())
            }
        }
    }

    fn of_spellings(spellings: BTreeSet<String>) -> Self {
        let mut all: Vec<Box<str>> = spellings.into_iter().map(Into::into).collect();
        // One may be a part of another.
        all.sort_by_key(|spelling| std::cmp::Reverse(spelling.len()));
        Self((!all.is_empty()).then(|| all.into()))
    }

    /// Returns the text without the secrets.
    pub(crate) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for spelling in self.0.iter().flat_map(|all| all.iter()) {
            if text.contains(&**spelling) {
                text = text.replace(&**spelling, HIDDEN).into();
            }
        }
        text
    }
}

/// [`Hidden`], for handles that learn of secrets through shared references; clones share what they learn.
#[cfg(feature = "services")]
#[derive(Clone, Default)]
pub(crate) struct SharedHidden(Arc<Mutex<Hidden>>);

#[cfg(feature = "services")]
impl SharedHidden {
    pub(crate) fn get(&self) -> Hidden {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn add(&self, secrets: &Hidden) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known = known.and(secrets);
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

/// A secret in what `Debug` prints: whether it is there, and no more.
pub(crate) struct Shown<'a>(pub(crate) &'a Option<Secret>);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Some(_) => "[hidden]",
            None => "None",
        })
    }
}

impl Error {
    /// Hides these secrets in any text that came from the service.
    pub(crate) fn hiding(mut self, hidden: &Hidden) -> Self {
        if hidden.0.is_none() {
            return self;
        }
        let inner = self.inner_mut();
        inner.message = hidden.text(&inner.message).into_owned();
        for finding in &mut inner.findings {
            finding.message = hidden.text(&finding.message).into_owned();
        }
        inner.response = inner
            .response
            .take()
            .map(|response| response.hiding(hidden));
        inner.logs = inner.logs.take().map(|logs| logs.hiding(hidden));
        if let Some(cause) = inner
            .source
            .as_deref()
            .and_then(|source| Cause::of(source, |text| hidden.text(text).into_owned()))
        {
            inner.source = Some(Arc::new(cause));
        }
        self
    }
}

impl ResponseFacts {
    /// Hides these secrets.
    pub(crate) fn hiding(self, hidden: &Hidden) -> Self {
        if hidden.0.is_none() {
            return self;
        }
        let text = |text: Option<String>| text.map(|text| hidden.text(&text).into_owned());
        Self {
            excerpt: text(self.excerpt),
            error: self.error.map(|error| error.hiding(hidden)),
            request_id: text(self.request_id),
            correlation_id: text(self.correlation_id),
            ..self
        }
    }
}

impl ServiceError {
    /// Hides these secrets.
    pub(crate) fn hiding(self, hidden: &Hidden) -> Self {
        let text = |text: Option<String>| text.map(|text| hidden.text(&text).into_owned());
        Self {
            code: text(self.code),
            message: text(self.message),
            target: text(self.target),
            status_code: self.status_code,
            details: self
                .details
                .into_iter()
                .map(|detail| detail.hiding(hidden))
                .collect(),
        }
    }
}

fn collect(parent: &str, name: &str, value: &Value, to: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let variable = parent.eq_ignore_ascii_case(ENVIRONMENT_VARIABLES)
                && text.chars().count() >= SHORTEST_VARIABLE;
            if variable || is_secret(parent, name) {
                spell(text, to);
            }
        }
        Value::Object(members) => {
            // A change of an RFC 6902 patch names its member in `path`.
            if let (Some(Value::String(path)), Some(value)) =
                (members.get("path"), members.get("value"))
            {
                let mut names = path.rsplit('/');
                let name = names.next().unwrap_or_default();
                collect(names.next().unwrap_or_default(), name, value, to);
                return;
            }
            for (member, value) in members {
                collect(name, member, value, to);
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect(parent, name, item, to)),
        _ => {}
    }
}

/// Adds every spelling of a secret.
fn spell(secret: &str, to: &mut BTreeSet<String>) {
    let whole = secret;
    let secret = secret.trim();
    if secret.chars().count() < SHORTEST {
        return;
    }
    // The end of base64 depends on what follows the secret, such as a line break.
    let groups = &secret.as_bytes()[..secret.len() / 3 * 3];
    if groups.len() >= SHORTEST_LINE {
        to.insert(azure_core::base64::encode(groups));
    }
    to.extend([
        secret.to_owned(),
        escaped(secret),
        escaped_more(secret),
        azure_core::base64::encode(secret),
        azure_core::base64::encode(whole),
        in_html(secret),
    ]);
    for encoded in [
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        utf8_percent_encode(secret, RESERVED).to_string(),
    ] {
        to.insert(in_lower_hex(&encoded));
        to.insert(encoded);
    }
    // The keys of a connection string are also found by themselves.
    let parts = secret.split(';').filter_map(|part| part.split_once('='));
    for (name, value) in parts {
        let name = name.trim().to_ascii_lowercase();
        let is_secret = ["key", "signature", "password", "token"]
            .iter()
            .any(|end| name.ends_with(end));
        if is_secret && value.len() >= SHORTEST_LINE {
            spell(value, to);
        }
    }
    // A key or certificate is also found without its armour: line by line, and in one piece.
    if secret.contains("-----BEGIN") {
        let lines = || {
            let lines = secret.lines().map(str::trim);
            lines.filter(|line| !line.starts_with("-----"))
        };
        let long = lines().filter(|line| line.len() >= SHORTEST_LINE);
        to.extend(long.map(str::to_owned));
        let body: String = lines().collect();
        if body.len() >= SHORTEST_LINE {
            to.insert(body);
        }
    }
}

/// What a URL encodes, by RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// As .NET encodes it: with the digits of escapes in lower case.
fn in_lower_hex(encoded: &str) -> String {
    let mut escapes = encoded.split('%');
    let mut lower = escapes.next().unwrap_or_default().to_owned();
    for piece in escapes {
        let (digits, rest) = piece.split_at(piece.len().min(2));
        lower = lower + "%" + &digits.to_ascii_lowercase() + rest;
    }
    lower
}

/// As it stands within a JSON text.
fn escaped(secret: &str) -> String {
    let text = Value::from(secret).to_string();
    text.trim_start_matches('"')
        .strip_suffix('"')
        .unwrap_or(&text)
        .to_owned()
}

/// As it stands in a page of HTML.
fn in_html(secret: &str) -> String {
    let marks = [
        ("&", "&amp;"),
        ("<", "&lt;"),
        (">", "&gt;"),
        ("\"", "&quot;"),
        ("'", "&#39;"),
    ];
    let text = secret.to_owned();
    marks
        .iter()
        .fold(text, |text, (plain, mark)| text.replace(plain, mark))
}

/// As .NET writes it there, which escapes more than it must.
fn escaped_more(secret: &str) -> String {
    let mut out = String::new();
    for unit in secret.encode_utf16() {
        match u8::try_from(unit).map(char::from) {
            Ok('\\') => out.push_str("\\\\"),
            Ok('\n') => out.push_str("\\n"),
            Ok('\r') => out.push_str("\\r"),
            Ok('\t') => out.push_str("\\t"),
            Ok(c)
                if c.is_ascii_graphic()
                    && !matches!(c, '"' | '\'' | '&' | '+' | '<' | '>' | '`') =>
            {
                out.push(c);
            }
            Ok(' ') => out.push(' '),
            _ => out.push_str(&format!("\\u{unit:04X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secret_is_hidden_in_every_spelling_of_it() {
        let hidden = Hidden::of(["a+b\"c/\u{e9}", "abcd"]);
        for text in [
            "a+b\"c/\u{e9}",
            "a+b&quot;c/\u{e9}",
            "a%2Bb%22c%2F%C3%A9",
            "a%2bb%22c%2f%c3%a9",
            "a+b\\\"c/\u{e9}",
            "a\\u002Bb\\u0022c/\\u00E9",
            &azure_core::base64::encode("a+b\"c/\u{e9}"),
        ] {
            let shown = format!("x {text} abcd y");
            assert_eq!(hidden.text(&shown), "x [redacted] [redacted] y", "{text}");
        }
    }

    #[test]
    fn space_of_a_secret_is_found_in_each_encoding() {
        let hidden = Hidden::of(["two words/more"]);
        for text in ["two+words%2Fmore", "two%20words%2Fmore", "two+words%2fmore"] {
            assert_eq!(hidden.text(text), "[redacted]");
        }
    }

    #[test]
    fn key_of_a_connection_string_is_found_by_itself() {
        let hidden = Hidden::of([
            "Endpoint=sb://names.example.net/;SharedAccessKeyName=listener;SharedAccessKey=c4n4ryc4n4ryc4n4ry=",
        ]);
        let shown = hidden.text("c4n4ryc4n4ryc4n4ry= of listener at sb://names.example.net/");
        assert_eq!(shown, "[redacted] of listener at sb://names.example.net/");
    }

    #[test]
    fn secrets_of_a_body_are_found_by_their_names() {
        let body = json!({
            "properties": {
                "sslConfiguration": { "key": "s3cr3t-key", "cname": "plain-name" },
                "key": "plain-key",
            },
            "keys": { "primaryKey": "s3cr3t-primary", "secondaryKey": "abc" },
            "environmentVariables": { "SOME": "s3cr3t-variable", "SHORT": "1234567" },
            "docker": { "baseImageRegistry": { "username": "plain-user", "password": "s3cr3t-pass" } },
            "patch": [
                { "op": "replace", "path": "/keys/secondaryKey", "value": "s3cr3t-patched" },
                { "op": "replace", "path": "/description", "value": "plain-text" },
                { "op": "add", "path": "/environmentVariables/X", "value": "s3cr3t-added" },
                { "op": "add", "path": "/image", "value": { "primaryKey": "s3cr3t-inner" } },
            ],
        });
        let hidden = Hidden::in_body(&body);
        let shown = hidden.text(&body.to_string()).into_owned();
        assert!(!shown.contains("s3cr3t"), "{shown}");
        for plain in [
            "plain-name",
            "plain-key",
            "plain-user",
            "plain-text",
            "abc",
            "1234567",
        ] {
            assert!(shown.contains(plain), "{plain}: {shown}");
        }
    }

    #[test]
    fn private_key_is_hidden_in_pieces() {
        let lines = [
            "MIGHAgEAMBMGByqGSM49",
            "AgEGCCqGSM49AwEHBG0wawIB",
            "short==",
        ];
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            lines.join("\n")
        );
        let body = json!({ "sslConfiguration": { "cert": "", "key": pem } });
        let hidden = Hidden::in_body(&body);
        for text in [
            pem.trim().to_owned(),
            lines[0].to_owned(),
            lines.join(""),
            json!(pem).to_string(),
            azure_core::base64::encode(pem.trim()),
        ] {
            let shown = hidden.text(&text);
            let leaks = lines[..2].iter().any(|line| shown.contains(line));
            assert!(!leaks && shown.contains(HIDDEN), "{text} became {shown}");
        }
        assert_eq!(hidden.text("short=="), "short==", "it may stand anywhere");
    }
}
