//! A transport that answers from a script, and a credential that lives by tokio's clock.
//!
//! Shared with the tests inside the crate, which drive what no public verb reaches.

use async_trait::async_trait;
use azure_core::Bytes;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request, StatusCode};
use azure_core::time::OffsetDateTime;
use futures::StreamExt;
use futures::stream;
use serde_json::Value;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// A request, as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) body: Option<Value>,
    /// By the virtual clock, since the script began.
    pub(crate) at: Duration,
    pub(crate) authorization: String,
    pub(crate) request_id: String,
}

/// How an answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    Reset,
    Truncated,
    Silent,
}

/// An answer of the script.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    end: End,
    pause: Duration,
}

pub(crate) fn reply(status: u16) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: Vec::new(),
        end: End::Whole,
        pause: Duration::ZERO,
    }
}

impl Reply {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.text(body.to_string())
    }

    pub(crate) fn text(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The connection breaks before an answer.
    pub(crate) fn reset() -> Self {
        Self {
            end: End::Reset,
            ..reply(0)
        }
    }

    /// The connection breaks within the body.
    pub(crate) fn truncated(self) -> Self {
        Self {
            end: End::Truncated,
            ..self
        }
    }

    /// No answer ever comes.
    pub(crate) fn silence() -> Self {
        Self {
            end: End::Silent,
            ..reply(0)
        }
    }

    /// Waits before the headers, and before each half of the body.
    pub(crate) fn slow(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }
}

type Answerer = Box<dyn FnMut(&Sent) -> Reply + Send>;

struct State {
    zero: Instant,
    queue: VecDeque<Reply>,
    otherwise: Option<Answerer>,
    sent: Vec<Sent>,
}

/// The transport. A request that the script does not foresee fails the test.
pub(crate) struct Script(Mutex<State>);

impl Script {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            zero: Instant::now(),
            queue: VecDeque::new(),
            otherwise: None,
            sent: Vec::new(),
        })))
    }

    /// These answers come next, one for each request.
    pub(crate) fn expect(&self, replies: impl IntoIterator<Item = Reply>) {
        self.0.lock().unwrap().queue.extend(replies);
    }

    /// Who answers when the queue is empty.
    pub(crate) fn otherwise(&self, answer: impl FnMut(&Sent) -> Reply + Send + 'static) {
        self.0.lock().unwrap().otherwise = Some(Box::new(answer));
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.0.lock().unwrap().sent.clone()
    }

    /// The requests from the first write on, with that moment as zero.
    pub(crate) fn sent_from_write(&self) -> Vec<Sent> {
        let sent = self.sent();
        let first = sent.iter().position(|sent| sent.method != "GET");
        let mut sent = sent[first.unwrap_or(sent.len())..].to_vec();
        let zero = sent.first().map_or(Duration::ZERO, |first| first.at);
        for sent in &mut sent {
            sent.at -= zero;
        }
        sent
    }

    /// Answers that were not asked for.
    pub(crate) fn unused(&self) -> usize {
        self.0.lock().unwrap().queue.len()
    }

    fn next(&self, request: &Request) -> Reply {
        let header = |name: &'static str| {
            let value = request.headers().get_optional_str(&name.into());
            value.unwrap_or_default().to_owned()
        };
        let body = match request.body() {
            Body::Bytes(bytes) => serde_json::from_slice(bytes).ok(),
            Body::SeekableStream(_) => None,
        };
        let mut state = self.0.lock().unwrap();
        let sent = Sent {
            method: request.method().to_string(),
            url: request.url().to_string(),
            body,
            at: state.zero.elapsed(),
            authorization: header("authorization"),
            request_id: header("x-ms-client-request-id"),
        };
        state.sent.push(sent.clone());
        // A loop that the virtual clock does not see would otherwise never end.
        let many = state.sent.len() > 5000;
        if many {
            drop(state);
            panic!("a hot loop of requests: {} {}", sent.method, sent.url);
        }
        if let Some(reply) = state.queue.pop_front() {
            return reply;
        }
        if let Some(otherwise) = &mut state.otherwise {
            return otherwise(&sent);
        }
        drop(state);
        panic!("not in the script: {} {}", sent.method, sent.url);
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Script")
    }
}

fn broken() -> Error {
    Error::with_message(ErrorKind::Io, "connection reset by peer")
}

#[async_trait]
impl HttpClient for Script {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let reply = self.next(request);
        if reply.end == End::Silent {
            std::future::pending::<()>().await;
        }
        pause(reply.pause).await;
        if reply.end == End::Reset {
            return Err(broken());
        }
        let mut headers = Headers::new();
        for (name, value) in reply.headers {
            headers.insert(name, value);
        }
        let (first, second) = reply.body.split_at(reply.body.len() / 2);
        let second = match reply.end {
            End::Truncated => Err(broken()),
            _ => Ok(Bytes::copy_from_slice(second)),
        };
        let pieces = [Ok(Bytes::copy_from_slice(first)), second];
        let wait = reply.pause;
        let body = stream::iter(pieces).then(move |piece| async move {
            pause(wait).await;
            piece
        });
        let status = StatusCode::from(reply.status);
        Ok(AsyncRawResponse::new(status, headers, Box::pin(body)))
    }
}

async fn pause(pause: Duration) {
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
}

/// How long a token lasts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lifetime {
    /// A new one for each request.
    Moment,
    /// Longer than any test, by the wall clock: the policy keeps it until a 401.
    Long,
    /// By tokio's clock; renewed five minutes before its end.
    Virtual(Duration),
}

/// The credential. A token says in clear which one it is, and until when it is good.
#[derive(Debug)]
pub(crate) struct Credential {
    lifetime: Lifetime,
    zero: Instant,
    /// The end of the token that is kept, and how many there were.
    state: Mutex<(Duration, usize)>,
}

pub(crate) const TOKEN: &str = "canary-token";

impl Credential {
    pub(crate) fn new(lifetime: Lifetime) -> Arc<Self> {
        Arc::new(Self {
            lifetime,
            zero: Instant::now(),
            state: Mutex::new((Duration::ZERO, 0)),
        })
    }

    /// How many tokens there were.
    pub(crate) fn tokens(&self) -> usize {
        self.state.lock().unwrap().1
    }

    /// Whether the token of a request has not run out by tokio's clock.
    pub(crate) fn is_good(&self, authorization: &str) -> bool {
        let end = authorization
            .rsplit('-')
            .next()
            .and_then(|end| end.parse().ok());
        end.is_some_and(|end| self.zero.elapsed() < Duration::from_secs(end))
    }
}

#[async_trait]
impl TokenCredential for Credential {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let mut state = self.state.lock().unwrap();
        let now = self.zero.elapsed();
        let lifetime = match self.lifetime {
            Lifetime::Virtual(lifetime) => lifetime,
            Lifetime::Moment | Lifetime::Long => Duration::ZERO,
        };
        if state.0 < now + Duration::from_secs(300) {
            *state = (now + lifetime, state.1 + 1);
        }
        let token = format!("{TOKEN}-{}-{}", state.1, state.0.as_secs());
        let expires = match self.lifetime {
            Lifetime::Long => OffsetDateTime::now_utc() + Duration::from_secs(86_400),
            // The policy judges by the wall clock: so it asks at each request.
            Lifetime::Moment | Lifetime::Virtual(_) => OffsetDateTime::now_utc(),
        };
        Ok(AccessToken::new(token, expires))
    }
}
