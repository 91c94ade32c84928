//! A service that knows its credentials, and a source that hands them out.

use crate::error::{Error, ErrorKind, ResponseFacts};
use crate::scoring::{CredentialKind, CredentialSource, ScoringClient, ScoringCredential};
use async_trait::async_trait;
use azure_core::http::headers::{AUTHORIZATION, Headers};
use azure_core::http::{AsyncRawResponse, HttpClient, Request, StatusCode, Transport};
use azure_core::time::OffsetDateTime;
use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Answers with the secret that it was sent, or 401 if it does not know that secret.
#[derive(Debug, Default)]
pub(super) struct Service {
    valid: Mutex<BTreeSet<String>>,
    seen: AtomicUsize,
}

impl Service {
    pub(super) fn taking(secrets: &[&str]) -> Arc<Self> {
        let service = Self::default();
        service.take(secrets);
        Arc::new(service)
    }

    /// Takes these from now on, and no others.
    pub(super) fn take(&self, secrets: &[&str]) {
        *self.valid.lock().unwrap() = secrets.iter().map(ToString::to_string).collect();
    }

    /// How many requests there were.
    pub(super) fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    pub(super) fn client(self: &Arc<Self>, source: &Arc<Source>) -> ScoringClient {
        ScoringClient::builder("https://scoring.example/api/v1/service/s/score")
            .source(source.clone())
            .transport(Transport::new(self.clone()))
            .build()
            .unwrap()
    }
}

#[async_trait]
impl HttpClient for Service {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.seen.fetch_add(1, Ordering::SeqCst);
        // Long enough for calls that are made together to be under way together.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let sent = request.headers().get_optional_str(&AUTHORIZATION).unwrap();
        let secret = sent.strip_prefix("Bearer ").unwrap();
        let known = self.valid.lock().unwrap().contains(secret);
        let (status, body) = if known {
            (StatusCode::Ok, format!("{secret:?}"))
        } else {
            (StatusCode::Unauthorized, String::new())
        };
        Ok(AsyncRawResponse::from_bytes(status, Headers::new(), body))
    }
}

/// The result of a fetch.
pub(super) enum Fetch {
    Key(&'static str),
    /// With the seconds until it is to be replaced and until it has expired.
    Token(&'static str, i64, i64),
    Fails(Error),
    Panics,
    Hangs,
}

/// Fetches by a script; each fetch takes as long.
pub(super) struct Source {
    script: Mutex<VecDeque<Fetch>>,
    takes: Duration,
    begun: AtomicUsize,
}

impl Source {
    pub(super) fn new(takes: Duration, script: impl IntoIterator<Item = Fetch>) -> Arc<Self> {
        Arc::new(Self {
            script: Mutex::new(script.into_iter().collect()),
            takes,
            begun: AtomicUsize::new(0),
        })
    }

    /// How many fetches there were.
    pub(super) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl CredentialSource for Source {
    async fn fetch(&self) -> Result<ScoringCredential, Error> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let next = self.script.lock().unwrap().pop_front();
        tokio::time::sleep(self.takes).await;
        let at = |seconds| {
            Some(OffsetDateTime::now_utc() + azure_core::time::Duration::seconds(seconds))
        };
        match next.expect("the script has no further fetch") {
            Fetch::Key(key) => Ok(ScoringCredential {
                secret: key.into(),
                refresh_after: None,
                expires_on: None,
                kind: CredentialKind::Key,
            }),
            Fetch::Token(token, refresh, expiry) => Ok(ScoringCredential {
                secret: token.into(),
                refresh_after: at(refresh),
                expires_on: at(expiry),
                kind: CredentialKind::Token,
            }),
            Fetch::Fails(error) => Err(error),
            Fetch::Panics => panic!("as told"),
            Fetch::Hangs => std::future::pending().await,
        }
    }
}

/// A failure of the workspace's region.
pub(super) fn silence() -> Fetch {
    Fetch::Fails(Error::new(ErrorKind::Transport, "nobody there"))
}

/// A refusal by the workspace's region.
pub(super) fn refusal(status: u16, retry_after: Option<u64>) -> Fetch {
    Fetch::Fails(Error::service(ResponseFacts {
        status: Some(status),
        retry_after: retry_after.map(Duration::from_secs),
        ..ResponseFacts::default()
    }))
}

/// Scores once, and tells with which secret.
pub(super) async fn score(client: &ScoringClient) -> Result<String, Error> {
    client.run(&()).await
}

/// Moves the clock on, and lets what is due then run.
pub(super) async fn pass(seconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
}
