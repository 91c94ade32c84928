//! One scoring call, from credential to answer.

use super::credential::Held;
use super::{Authority, Inner, ScoringAnswer, ScoringClient, failure};
use crate::error::{Error, ErrorKind, in_runtime, redact_url};
use crate::operation::chance;
use crate::transport::{
    Bearer, DirectRequest, Reply, Undelivered, is_header_name, is_header_value,
};
use azure_core::Bytes;
use azure_core::http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use url::Url;

const JSON: &str = "application/json";

/// A call with options of its own. Made by [`ScoringClient::request`].
#[derive(Clone)]
#[must_use = "nothing is sent until it is run"]
pub struct ScoringRequest {
    client: ScoringClient,
    timeout: Option<Duration>,
    request_id: Option<String>,
    headers: Vec<(String, String)>,
}

/// The request and its address.
struct Call<'a> {
    method: Method,
    url: &'a Url,
    accept: &'static str,
    content_type: Option<&'a str>,
    body: Bytes,
}

impl ScoringRequest {
    pub(super) fn new(client: ScoringClient) -> Self {
        Self {
            client,
            timeout: None,
            request_id: None,
            headers: Vec::new(),
        }
    }

    /// Sets the time limit of this call: credential, all tries and the pauses between them.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The `x-ms-client-request-id`, to find the call in the service's logs; a new UUID by default.
    /// All tries of a call have the same.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// One more header, for example `traceparent`. A second value for a name replaces the first.
    ///
    /// A header that the call sets itself is refused when it is run: `Authorization`, `Content-Type`,
    /// `Accept`, `User-Agent`, `x-ms-client-request-id`, and what belongs to the connection.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        self.headers
            .retain(|(own, _)| !own.eq_ignore_ascii_case(&name));
        self.headers.push((name, value));
        self
    }

    /// [`ScoringClient::run`] with these options.
    ///
    /// # Errors
    ///
    /// As there; [`ErrorKind::Configuration`] too for a request id or a header that cannot be sent.
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn run<I, O>(self, input: &I) -> Result<O, Error>
    where
        I: Serialize + Sync + ?Sized,
        O: DeserializeOwned,
    {
        let body = serde_json::to_vec(input).map_err(|error| {
            Error::new(
                ErrorKind::Configuration,
                format!("the input cannot be written as JSON: {error}"),
            )
        })?;
        let call = Call {
            method: Method::Post,
            url: &self.client.inner.uri,
            accept: JSON,
            content_type: Some(JSON),
            body: body.into(),
        };
        let answer = self.send(call).await?;
        answer
            .json()
            .map_err(|error| error.with_context(|| self.context()))
    }

    /// [`ScoringClient::run_bytes`] with these options.
    ///
    /// # Errors
    ///
    /// As there; [`ErrorKind::Configuration`] too for a request id or a header that cannot be sent.
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn run_bytes(
        self,
        body: impl Into<Bytes> + Send,
        content_type: &str,
    ) -> Result<ScoringAnswer, Error> {
        if !is_header_value(content_type) {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!("the content type {content_type:?} is not a valid header value"),
            ));
        }
        let call = Call {
            method: Method::Post,
            url: &self.client.inner.uri,
            accept: "*/*",
            content_type: Some(content_type),
            body: body.into(),
        };
        self.send(call).await
    }

    /// [`ScoringClient::swagger`] with these options.
    ///
    /// # Errors
    ///
    /// As there; [`ErrorKind::Configuration`] too for a request id or a header that cannot be sent.
    ///
    /// # Cancel safety
    ///
    /// As there.
    pub async fn swagger(self) -> Result<Option<Value>, Error> {
        let call = Call {
            method: Method::Get,
            url: &self.client.inner.swagger,
            accept: JSON,
            content_type: None,
            body: Bytes::new(),
        };
        match self.send(call).await {
            Ok(answer) => answer.json().map(Some),
            Err(error) if error.is_not_found() && error.kind() == ErrorKind::Service => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn context(&self) -> String {
        format!("score at {}", redact_url(&self.client.inner.uri))
    }

    async fn send(&self, call: Call<'_>) -> Result<ScoringAnswer, Error> {
        in_runtime()?;
        self.check()?;
        let client_request_id = match &self.request_id {
            Some(id) => id.clone(),
            None => self.client.inner.ids.next(),
        };
        match self.exchange(call, &client_request_id).await {
            Ok(reply) => Ok(ScoringAnswer {
                reply,
                client_request_id,
            }),
            Err(error) => {
                // Of a fetch that failed it is the fetch's own.
                let mut facts = error.response().cloned().unwrap_or_default();
                facts.client_request_id.get_or_insert(client_request_id);
                Err(error
                    .with_foreign_response(facts)
                    .with_context(|| self.context()))
            }
        }
    }

    /// Whether what the caller gave can be sent.
    fn check(&self) -> Result<(), Error> {
        /// Headers that a call or its connection sets.
        const OWN: [&str; 12] = [
            "accept",
            "authorization",
            "connection",
            "content-length",
            "content-type",
            "expect",
            "host",
            "te",
            "transfer-encoding",
            "upgrade",
            "user-agent",
            "x-ms-client-request-id",
        ];
        let refuse = |why: String| Err(Error::new(ErrorKind::Configuration, why));
        if let Some(id) = &self.request_id
            && !is_header_value(id)
        {
            return refuse(format!("the request id {id:?} is not a valid header value"));
        }
        for (name, value) in &self.headers {
            if !is_header_name(name) {
                return refuse(format!("{name:?} is not a valid header name"));
            }
            if OWN.iter().any(|own| name.eq_ignore_ascii_case(own)) {
                return refuse(format!("the header {name} is set by the call itself"));
            }
            if !is_header_value(value) {
                // Not quoted: it may be secret.
                return refuse(format!("the value of the header {name} cannot be sent"));
            }
        }
        Ok(())
    }

    /// Sends until there is an answer, or no reason to go on.
    async fn exchange(&self, call: Call<'_>, client_request_id: &str) -> Result<Reply, Error> {
        let client = &*self.client.inner;
        let timeout = self.timeout.unwrap_or(client.timeout);
        let deadline = Deadline::after(timeout);
        let mut credential = client.credential(&deadline).await?;
        let mut renewed = false;
        let mut retries = 0;
        loop {
            let request = DirectRequest {
                method: call.method,
                url: call.url,
                bearer: credential.bearer(),
                accept: call.accept,
                content_type: call.content_type,
                client_request_id,
                headers: &self.headers,
                body: call.body.clone(),
            };
            let sent = {
                let sending = pin!(client.sender.send(request, client.answer_limit));
                deadline.keep("", sending).await?
            };
            let (status, error) = match sent {
                Ok(reply) if reply.is_success() => return Ok(reply),
                Ok(reply) => {
                    if reply.status == 401
                        && !renewed
                        && let Some(newer) = client.newer(&credential, &deadline).await?
                    {
                        tracing::debug!("the service refused the credential; a newer one is tried");
                        (credential, renewed) = (newer, true);
                        continue;
                    }
                    let secret = credential.bearer().map(Bearer::secret);
                    let status = reply.status;
                    let error = failure::of(reply, call.url, secret, client_request_id);
                    (Some(status), error)
                }
                Err(Undelivered { not_sent, error }) if not_sent => (None, error),
                Err(Undelivered { error, .. }) => return Err(error),
            };
            let pause = client
                .retry
                .as_ref()
                .and_then(|retry| retry.pause(status, error.retry_after(), retries, chance()));
            match pause {
                Some(pause) if deadline.is_after(pause) => {
                    retries += 1;
                    tracing::debug!(?status, ?pause, retries, "a scoring call is tried again");
                    tokio::time::sleep(pause).await;
                }
                _ => return Err(error),
            }
        }
    }
}

impl Inner {
    async fn credential(&self, deadline: &Deadline) -> Result<Current<'_>, Error> {
        match &self.authority {
            Authority::Anonymous => Ok(Current::None),
            Authority::Key(key) => Ok(Current::Given(key)),
            Authority::Source(cache) => match cache.ready() {
                Some(held) => Ok(Current::Held(held)),
                None => {
                    let waiting = pin!(cache.wait());
                    let held = deadline.keep(CREDENTIAL, waiting).await?;
                    held.map(Current::Held)
                }
            },
        }
    }

    /// Returns the credential to send instead of one that was refused.
    async fn newer(
        &self,
        refused: &Current<'_>,
        deadline: &Deadline,
    ) -> Result<Option<Current<'_>>, Error> {
        let (Authority::Source(cache), Current::Held(refused)) = (&self.authority, refused) else {
            return Ok(None);
        };
        let fetching = pin!(cache.newer(refused));
        let newer = deadline.keep(CREDENTIAL, fetching).await??;
        Ok(newer.map(Current::Held))
    }
}

/// The credential that is sent.
enum Current<'a> {
    None,
    Given(&'a Bearer),
    Held(Arc<Held>),
}

impl Current<'_> {
    fn bearer(&self) -> Option<&Bearer> {
        match self {
            Self::None => None,
            Self::Given(bearer) => Some(bearer),
            Self::Held(held) => Some(&held.bearer),
        }
    }
}

/// When a call ends.
struct Deadline {
    timeout: Duration,
    /// `None` for one that is too far off to come.
    at: Option<Instant>,
}

impl Deadline {
    fn after(timeout: Duration) -> Self {
        Self {
            timeout,
            at: Instant::now().checked_add(timeout),
        }
    }

    fn is_after(&self, pause: Duration) -> bool {
        match (self.at, Instant::now().checked_add(pause)) {
            (Some(at), Some(end)) => end < at,
            (at, _) => at.is_none(),
        }
    }

    /// Ends the work at the deadline.
    ///
    /// # Arguments
    ///
    /// * `what` - what is waited for, if it is not the answer.
    /// * `work` - pinned already, for it is large: moved from hand to hand it would be a third of
    ///   what a call costs beside `reqwest` (`docs/internals/performance.md`).
    async fn keep<T>(
        &self,
        what: &str,
        work: Pin<&mut (impl Future<Output = T> + Send)>,
    ) -> Result<T, Error> {
        let Some(at) = self.at else {
            return Ok(work.await);
        };
        timeout_at(at, work).await.map_err(|_| {
            let blank = if what.is_empty() { "" } else { " " };
            let timeout = self.timeout;
            Error::new(
                ErrorKind::Timeout,
                format!("no answer within the call's own timeout of {timeout:.0?}{blank}{what}"),
            )
        })
    }
}

const CREDENTIAL: &str = "for the key or token";

impl fmt::Debug for ScoringRequest {
    /// Headers by their names alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("ScoringRequest")
            .field("client", &self.client)
            .field("timeout", &self.timeout)
            .field("request_id", &self.request_id)
            .field("headers", &names)
            .finish()
    }
}
