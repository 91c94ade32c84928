//! A request as the routes see it and an answer as they give it, whatever way it came in.

use axum::body::Bytes;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::error::ArmError;

/// A request, read to its end.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// Scheme and authority of the listener it came in by; every URL handed out begins with it.
    pub(crate) origin: String,
    /// Scheme and authority of the blob store for this client.
    pub(crate) blobs: String,
    pub(crate) method: String,
    /// As it was sent, still percent-encoded.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Incoming {
    /// The decoded path segments; `None` when one is not valid UTF-8 or a `%` is not followed by
    /// two digits.
    pub(crate) fn segments(&self) -> Option<Vec<String>> {
        self.path.split('/').skip(1).map(percent_decode).collect()
    }

    /// The query parameter, whose name is compared without case as ARM does.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub(crate) fn parameters(&self) -> impl Iterator<Item = (String, String)> + '_ {
        url::form_urlencoded::parse(self.query.as_deref().unwrap_or_default().as_bytes())
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
    }

    /// The header as text; `None` when it is absent or not text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether a bearer token that is not empty came along. Which one is not looked at.
    pub(crate) fn authorized(&self) -> bool {
        self.headers
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .is_some_and(|(scheme, token)| {
                scheme.eq_ignore_ascii_case("Bearer") && !token.trim().is_empty()
            })
    }

    /// The body for the journal: JSON where it is JSON, else its text; of a blob only its length.
    pub(crate) fn body_value(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        // What a blob holds may be large and is nobody's business here; a list of blocks is not.
        if is_blob_path(&self.path) && self.parameter("comp").as_deref() != Some("blocklist") {
            return json!({ "bytes": self.body.len() });
        }
        serde_json::from_slice(&self.body).unwrap_or_else(|_| {
            if is_scoring_path(&self.path) {
                // Often large, and seldom text.
                json!({ "bytes": self.body.len() })
            } else {
                Value::String(String::from_utf8_lossy(&self.body).into_owned())
            }
        })
    }
}

/// The container of the storage account that holds artifacts. A blob is told by it, whatever the
/// host: on loopback all hosts are one.
pub(crate) const BLOB_CONTAINER: &str = "azureml";

pub(crate) fn is_blob_path(path: &str) -> bool {
    path.strip_prefix('/')
        .and_then(|path| path.strip_prefix(BLOB_CONTAINER))
        .is_some_and(|rest| rest.starts_with('/'))
}

/// Whether it is for the router before the services. Its address is the emulator's too.
pub(crate) fn is_scoring_path(path: &str) -> bool {
    const ROOT: &str = "/api/v1/service/";
    path.get(..ROOT.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(ROOT))
}

/// Encodes a path for a URL; slashes stay.
pub(crate) fn percent_encode_path(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn percent_decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// How the answer reaches the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Manner {
    #[default]
    Whole,
    /// Half of the body, then the connection breaks.
    Truncated,
    /// Not at all: the connection breaks before the first byte.
    Severed,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) manner: Manner,
}

impl Answer {
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            manner: Manner::Whole,
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::raw(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn raw(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            ..Self::empty(status)
        }
        .with("Content-Type", content_type)
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(header, _)| header.eq_ignore_ascii_case(name))
    }
}

impl From<ArmError> for Answer {
    fn from(error: ArmError) -> Self {
        Self::json(error.status, &error.body())
    }
}
