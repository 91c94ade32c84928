//! Bodies and URLs, as far as the step reads them.

use crate::error::{Hidden, ResponseFacts, ServiceError};
use crate::json::StatusDocument;
use crate::transport::Answer;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use url::Url;

/// The body of an answer, read as far as the step needs it.
pub(super) enum Body<T = Value> {
    Empty,
    Garbage,
    Json(T),
}

impl<T> Body<T> {
    fn of<'a>(answer: &'a Answer, read: impl Fn(&'a [u8]) -> serde_json::Result<T>) -> Self {
        let body = answer.text();
        if body.iter().all(u8::is_ascii_whitespace) {
            return Self::Empty;
        }
        read(body).map_or(Self::Garbage, Self::Json)
    }
}

/// The whole.
impl Body {
    pub(super) fn read(answer: &Answer) -> Self {
        Self::of(answer, serde_json::from_slice)
    }

    /// A JSON object: a resource, or the document of a status.
    pub(super) fn into_object(self) -> Option<Value> {
        match self {
            Self::Json(json) if json.is_object() => Some(json),
            _ => None,
        }
    }

    pub(super) fn json(&self) -> Option<&Value> {
        match self {
            Self::Json(json) => Some(json),
            _ => None,
        }
    }

    /// A JSON object: a resource, or the document of a status.
    pub(super) fn object(&self) -> Option<&Value> {
        self.json().filter(|json| json.is_object())
    }
}

/// The members that the status of an operation needs, without a copy. `None` for JSON that is not an object.
impl<'a> Body<Option<StatusDocument<'a>>> {
    pub(super) fn status(answer: &'a Answer) -> Self {
        Self::of(answer, StatusDocument::read)
    }
}

/// The text, as the service wrote it.
impl Body<Box<RawValue>> {
    pub(super) fn text(answer: &Answer) -> Self {
        Self::of(answer, serde_json::from_slice)
    }
}

/// Returns the body of an answer as the service wrote it, where that is a JSON object.
pub(super) fn resource_of(answer: &Answer) -> Option<Box<RawValue>> {
    match Body::text(answer) {
        Body::Json(text) if text.get().starts_with('{') => Some(text),
        _ => None,
    }
}

/// Returns a part of a document, as text of its own.
pub(super) fn text_of(part: &Value) -> Option<Box<RawValue>> {
    // A tree has string keys only: writing it cannot fail.
    to_raw_value(part).ok()
}

/// Returns the facts of a failure. The read of the status went well, so its HTTP status says nothing; what the
/// error carries in its own body stays there, or a cancelled create would pass for a conflict.
pub(super) fn failure_facts(
    error: Option<ServiceError>,
    answer: Option<&Answer>,
    request_id: &str,
    hidden: &Hidden,
) -> ResponseFacts {
    let facts = match answer {
        Some(answer) => answer.facts(request_id),
        None => ResponseFacts {
            client_request_id: Some(request_id.to_owned()),
            ..ResponseFacts::default()
        },
    };
    ResponseFacts {
        status: None,
        error: error.map(|error| error.hiding(hidden)),
        ..facts
    }
}

/// Returns the result of a POST from the body of the monitor.
pub(super) fn result_of(body: &Value) -> Option<Box<RawValue>> {
    let named = ["properties", "result"]
        .iter()
        .find_map(|name| body.get(name).filter(|value| !value.is_null()));
    text_of(named.unwrap_or(body))
}

/// Appends the API version unless some parameter of that name is there, in any case. Nothing else
/// of the URL changes: services sign their queries.
pub(super) fn with_api_version(mut url: Url, api_version: &str) -> Url {
    let has = url
        .query_pairs()
        .any(|(name, _)| name.eq_ignore_ascii_case("api-version"));
    if !has {
        let query = match url.query().filter(|query| !query.is_empty()) {
            Some(query) => format!("{query}&api-version={api_version}"),
            None => format!("api-version={api_version}"),
        };
        url.set_query(Some(&query));
    }
    url
}
