//! Clients with either sender, and a service that is a script.

use crate::support::redirect::{Reply, Service};
use async_trait::async_trait;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, Transport};
use azureml_aks::{ScoringClient, ScoringClientBuilder};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// Where the service is, by the sender that is a transport.
pub(crate) const ORIGIN: &str = "https://scoring.example";
pub(crate) const SCORE: &str = "/api/v1/service/s/score";
pub(crate) const KEY: &str = "CANARY-key+/1";

/// Builders of clients that lead to the mock: through `reqwest`, and through a transport.
pub(crate) fn builders(service: &Service) -> [ScoringClientBuilder; 2] {
    [
        ScoringClient::builder(format!("{}{SCORE}", service.url())),
        ScoringClient::builder(format!("{ORIGIN}{SCORE}")).transport(service.transport(ORIGIN)),
    ]
}

/// Clients with a key, by either sender, in front of one mock. Making them takes long: once for a
/// test.
pub(crate) struct Rig {
    pub(crate) service: Service,
    pub(crate) clients: [ScoringClient; 2],
}

impl Rig {
    pub(crate) async fn new() -> Self {
        let service = Service::start().await;
        let clients = builders(&service).map(|builder| builder.key(KEY).build().unwrap());
        Self { service, clients }
    }

    /// The clients, each of which gets this answer next.
    pub(crate) async fn answering(&mut self, reply: Reply) -> [ScoringClient; 2] {
        self.service.on("POST", SCORE, reply.clone()).await;
        self.service.on("POST", SCORE, reply).await;
        self.clients.clone()
    }
}

/// One step of a script: an answer, or none.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Status, and a value of `Retry-After`.
    Answer(u16, Option<&'static str>),
    NoConnection,
    BrokenConnection,
    Silence,
}

/// Plays a script, and writes down when it was asked and with which request id.
#[derive(Debug, Default)]
pub(crate) struct Script {
    steps: Mutex<VecDeque<Step>>,
    seen: Mutex<Vec<(Instant, String)>>,
}

impl Script {
    pub(crate) fn new(steps: impl IntoIterator<Item = Step>) -> Arc<Self> {
        Arc::new(Self {
            steps: Mutex::new(steps.into_iter().collect()),
            seen: Mutex::default(),
        })
    }

    pub(crate) fn builder(self: &Arc<Self>) -> ScoringClientBuilder {
        ScoringClient::builder(format!("{ORIGIN}{SCORE}"))
            .anonymous()
            .transport(Transport::new(self.clone()))
    }

    /// How many requests there were.
    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// The pauses between the requests.
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        let seen = self.seen.lock().unwrap();
        seen.windows(2).map(|two| two[1].0 - two[0].0).collect()
    }

    /// The request ids, without repetitions in a row.
    pub(crate) fn ids(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let mut ids: Vec<String> = seen.iter().map(|(_, id)| id.clone()).collect();
        ids.dedup();
        ids
    }
}

#[async_trait]
impl HttpClient for Script {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        use azure_core::error::{Error, ErrorKind};
        let id = request
            .headers()
            .get_optional_str(&"x-ms-client-request-id".into());
        self.seen
            .lock()
            .unwrap()
            .push((Instant::now(), id.unwrap().to_owned()));
        let step = self.steps.lock().unwrap().pop_front().unwrap();
        match step {
            Step::Answer(status, retry_after) => {
                let mut headers = Headers::new();
                if let Some(value) = retry_after {
                    headers.insert("retry-after", value);
                }
                Ok(AsyncRawResponse::from_bytes(status.into(), headers, "1"))
            }
            Step::NoConnection => Err(Error::with_message(ErrorKind::Connection, "refused")),
            Step::BrokenConnection => Err(Error::with_message(ErrorKind::Io, "reset")),
            Step::Silence => std::future::pending().await,
        }
    }
}
