//! The exchange that is checked, and the result of a check.

use std::fmt;

use serde_json::Value;
use url::Url;

/// One request and its answer, as they were on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) request_body: Option<Value>,
    pub(crate) status: u16,
    /// Names of the answer's headers; `None` if they were not recorded, and so are not checked.
    pub(crate) response_headers: Option<Vec<String>>,
    pub(crate) response_body: Option<Value>,
}

impl Exchange {
    /// An exchange without bodies, answered with 200. `target` is a URL, or its path and query.
    ///
    /// # Panics
    ///
    /// If `target` is neither.
    pub(crate) fn new(method: &str, target: &str) -> Self {
        let base = Url::parse("https://management.azure.com").expect("a constant URL");
        let url = base
            .join(target)
            .unwrap_or_else(|error| panic!("{target}: {error}"));
        Self {
            method: method.to_ascii_uppercase(),
            path: url.path().to_owned(),
            query: url.query_pairs().into_owned().collect(),
            request_body: None,
            status: 200,
            response_headers: None,
            response_body: None,
        }
    }

    pub(crate) fn sending(mut self, body: Value) -> Self {
        self.request_body = Some(body);
        self
    }

    pub(crate) fn answered(mut self, status: u16, body: Option<Value>) -> Self {
        self.status = status;
        self.response_body = body;
        self
    }

    pub(crate) fn with_headers(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.response_headers = Some(names.into_iter().collect());
        self
    }

    pub(crate) fn api_version(&self) -> Option<&str> {
        let is_version = |name: &str| name.eq_ignore_ascii_case("api-version");
        self.query
            .iter()
            .find(|(name, _)| is_version(name))
            .map(|(_, value)| value.as_str())
    }
}

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Direction {
    Request,
    Response,
}

/// In what way an exchange departs from the description.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Kind {
    /// The value belongs to the address (`name`, `apiVersion`), not into a body.
    AddressOnly,
    /// The API version of the request is in none of the descriptions of this route.
    ApiVersion,
    /// A length, range, format or another limit is broken.
    Limit,
    /// The description asks for a body, a header or a query parameter that is not there.
    Missing,
    /// The path is described, the method is not.
    Method,
    /// A value outside the listed ones, be the list open (`modelAsString`) or closed.
    NotListed,
    /// `null` where the description has no null.
    Null,
    Pattern,
    /// A read-only property in a request.
    ReadOnly,
    /// The description leads to a file or definition that is not there: a part went unchecked.
    Reference,
    /// The status code is not described.
    Status,
    /// A body, property or query parameter that the description does not know.
    Unknown,
    WrongType,
    /// A write-only property in a response.
    WriteOnly,
}

/// One departure from the description.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Deviation {
    /// Method and path template: `PUT /subscriptions/{subscriptionId}/...`.
    pub(crate) route: String,
    pub(crate) direction: Direction,
    /// A JSON pointer into the body, or `query:name`, `path:name`, `header:name`, `body`, `status`.
    pub(crate) json_pointer: String,
    pub(crate) kind: Kind,
    pub(crate) what: String,
    /// The offending value where it is a short scalar of a closed set, else empty. Never a secret.
    pub(crate) value: String,
}

impl fmt::Display for Deviation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            route,
            direction,
            json_pointer,
            kind,
            what,
            ..
        } = self;
        write!(
            out,
            "{route}: {direction:?} {json_pointer}: {kind:?}: {what}"
        )
    }
}

/// A route that no description has.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Undescribed {
    pub(crate) method: String,
    pub(crate) path: String,
}

/// The verdict on one exchange.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) deviations: Vec<Deviation>,
    pub(crate) undescribed: Option<Undescribed>,
    /// Which descriptions the bodies were checked against, for instance `bicep 2026-05-01`.
    pub(crate) held_against: String,
}

impl Report {
    pub(crate) fn is_clean(&self) -> bool {
        self.deviations.is_empty() && self.undescribed.is_none()
    }

    /// `(direction, pointer, kind)` of each deviation, sorted: what tests compare.
    pub(crate) fn facts(&self) -> Vec<(Direction, &str, Kind)> {
        let mut facts: Vec<_> = self
            .deviations
            .iter()
            .map(|found| (found.direction, found.json_pointer.as_str(), found.kind))
            .collect();
        facts.sort_unstable();
        facts
    }
}
