//! A transport that gives recorded answers.

use crate::support::recordings::Exchange;
use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, StatusCode, Transport};
use azure_core::time::{Duration, OffsetDateTime};
use azureml_aks::Workspace;
use std::sync::{Arc, Mutex};

#[derive(Debug)]
pub(crate) struct Replay {
    exchanges: Vec<Exchange>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The exchange after the one that was given last.
    next: usize,
    sent: Vec<Sent>,
    unrecorded: Vec<String>,
}

/// A request, as the library sent it.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) url: String,
    pub(crate) has_token: bool,
}

impl Replay {
    pub(crate) fn of(exchanges: Vec<Exchange>) -> Arc<Self> {
        Arc::new(Self {
            exchanges,
            state: Mutex::default(),
        })
    }

    /// Begins at an exchange that is not the first.
    pub(crate) fn from(exchanges: Vec<Exchange>, first: usize) -> Arc<Self> {
        let replay = Self::of(exchanges);
        replay.state.lock().unwrap().next = first;
        replay
    }

    /// The workspace of a recorded URL, at its API version.
    pub(crate) fn workspace(self: &Arc<Self>, url: &str) -> Workspace {
        let part = |name: &str| {
            let mut parts = url.split(['/', '?']);
            parts.find(|part| part.eq_ignore_ascii_case(name));
            parts.next().unwrap_or("none").to_owned()
        };
        let version = url.split("api-version=").nth(1).unwrap_or("2024-04-01");
        Workspace::builder(
            part("subscriptions"),
            part("resourceGroups"),
            part("workspaces"),
        )
        .api_version(version.split('&').next().unwrap())
        .credential(Arc::new(Token))
        .transport(Transport::new(self.clone()))
        .location("eastus")
        .build()
        .unwrap()
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.state.lock().unwrap().sent.clone()
    }

    pub(crate) fn unrecorded(&self) -> Vec<String> {
        self.state.lock().unwrap().unrecorded.clone()
    }
}

#[async_trait]
impl HttpClient for Replay {
    /// The next answer to this method and URL; the last one again when there are no more.
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let (method, url) = (request.method().to_string(), request.url().to_string());
        let mut state = self.state.lock().unwrap();
        let fits = |exchange: &Exchange| exchange.method == method && exchange.url == url;
        let next = (state.next..self.exchanges.len()).find(|at| fits(&self.exchanges[*at]));
        let last = || (0..state.next).rev().find(|at| fits(&self.exchanges[*at]));
        let found = next.or_else(last);
        state.sent.push(Sent {
            url: url.clone(),
            has_token: request
                .headers()
                .iter()
                .any(|(name, _)| name.as_str() == "authorization"),
        });
        let Some(at) = found else {
            state.unrecorded.push(format!("{method} {url}"));
            return Err(azure_core::Error::with_message(
                azure_core::error::ErrorKind::Other,
                "this request is not recorded",
            ));
        };
        state.next = state.next.max(at + 1);
        let exchange = &self.exchanges[at];
        let mut headers = Headers::new();
        for (name, value) in &exchange.headers {
            headers.insert(name.to_ascii_lowercase(), value.clone());
        }
        Ok(AsyncRawResponse::from_bytes(
            StatusCode::from(exchange.status),
            headers,
            exchange.body(),
        ))
    }
}

#[derive(Debug)]
struct Token;

#[async_trait]
impl TokenCredential for Token {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let expires = OffsetDateTime::now_utc() + Duration::hours(1);
        Ok(AccessToken::new("token".to_owned(), expires))
    }
}
