//! The scorer behind scoring requests: a closure, or an echo.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, ready};
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value;

/// A scoring request that has passed the door: the service exists, is healthy, and the credential
/// is right.
///
/// `Debug` shows neither headers nor body.
#[derive(Clone)]
#[non_exhaustive]
pub struct ScoringRequest {
    /// The name of the service.
    pub service: String,
    /// The query as it was sent, without the question mark.
    pub query: Option<String>,
    /// The headers with names in lower case. `authorization` is not among them.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl ScoringRequest {
    /// The content type of the body.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.headers.get("content-type").map(String::as_str)
    }

    /// The body as JSON.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}

impl fmt::Debug for ScoringRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScoringRequest")
            .field("service", &self.service)
            .field("content_type", &self.content_type())
            .finish_non_exhaustive()
    }
}

/// The answer to a scoring request.
///
/// `Debug` shows neither headers nor body.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct ScoringResponse {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl ScoringResponse {
    /// 200 with these bytes.
    pub fn new(content_type: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            content_type: content_type.into(),
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// 200 with JSON.
    pub fn json(value: &Value) -> Self {
        Self::new("application/json", value.to_string())
    }

    /// 502, as when `run()` of the entry script raises an exception with this text.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new("text/plain; charset=utf-8", message.into()).with_status(502)
    }

    /// The same with another status. One outside of 200 to 599 is sent as 500.
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = if (200..600).contains(&status) {
            status
        } else {
            500
        };
        self
    }

    /// The same with one more header, as an entry script or a model server adds it. One that HTTP
    /// does not allow is left out.
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

impl fmt::Debug for ScoringResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScoringResponse")
            .field("status", &self.status)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

/// The function that is called for each scoring request, outside of every lock.
#[derive(Clone)]
pub(crate) struct Scorer(
    Arc<dyn Fn(ScoringRequest) -> BoxFuture<'static, ScoringResponse> + Send + Sync>,
);

impl Scorer {
    pub(crate) fn new<F>(score: F) -> Self
    where
        F: Fn(ScoringRequest) -> ScoringResponse + Send + Sync + 'static,
    {
        Self::new_async(move |request| ready(score(request)))
    }

    pub(crate) fn new_async<F, A>(score: F) -> Self
    where
        F: Fn(ScoringRequest) -> A + Send + Sync + 'static,
        A: Future<Output = ScoringResponse> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(score(request))))
    }

    pub(crate) fn call(&self, request: ScoringRequest) -> BoxFuture<'static, ScoringResponse> {
        (self.0)(request)
    }
}

/// The body comes back as it was.
impl Default for Scorer {
    fn default() -> Self {
        Self::new(|request| {
            let content_type = request.content_type().unwrap_or("application/octet-stream");
            ScoringResponse::new(content_type.to_owned(), request.body)
        })
    }
}

impl fmt::Debug for Scorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scorer")
    }
}
