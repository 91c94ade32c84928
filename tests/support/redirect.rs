//! Azure Resource Manager played by `mockito`, and what the library sent to it.
//!
//! `mockito` speaks plain HTTP, and `azure_core` sends no token over it. So the library talks to
//! `https://management.azure.com` as ever, and [`Redirect`], its last step, carries the finished
//! request to the mock. The library itself has no switch for this.

#![allow(clippy::unwrap_used)]

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request, Transport};
use azure_core::time::{Duration, OffsetDateTime};
use azureml_aks::{Workspace, WorkspaceBuilder};
use futures::stream;
use mockito::{Matcher, Mock, ServerGuard};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use url::{Position, Url};

/// Where the library believes to be.
pub(crate) const ARM: &str = "https://management.azure.com";

/// The workspace of these tests.
pub(crate) const WORKSPACE: &str = "/subscriptions/sub/resourceGroups/grp/providers/Microsoft.MachineLearningServices/workspaces/ws";

/// The version of every request that names no other.
pub(crate) const VERSION: &str = "api-version=2026-05-01";

/// The first token of [`Token`].
pub(crate) const TOKEN: &str = "CANARY-token-1";

/// `{WORKSPACE}{path}?api-version=…`.
pub(crate) fn at(path: &str) -> String {
    format!("{WORKSPACE}{path}?{VERSION}")
}

/// Carries requests for some origins to the mock, and refuses all others.
#[derive(Debug)]
pub(crate) struct Redirect {
    from: Vec<Url>,
    to: String,
    client: &'static reqwest::Client,
}

/// Tells the mock for which host a request was meant.
const MEANT: &str = "x-meant-for";

/// One client for all tests, for making one takes long. It keeps no connections, which would belong
/// to the runtime of a test that is over.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .build()
        .unwrap()
});

impl Redirect {
    pub(crate) fn new(from: &[&str], to: String) -> Self {
        Self {
            from: from.iter().map(|from| Url::parse(from).unwrap()).collect(),
            to,
            client: &CLIENT,
        }
    }
}

#[async_trait]
impl HttpClient for Redirect {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let url = request.url();
        let own = self.from.iter().any(|from| from.origin() == url.origin());
        assert!(
            own,
            "sent outside, to {}",
            url.origin().ascii_serialization()
        );
        let meant = url[Position::BeforeHost..Position::AfterPort].to_owned();
        // From the text, so that the mock sees every byte as it was.
        let url = format!("{}{}", self.to, &url[Position::BeforePath..]);
        let method = reqwest::Method::from_bytes(request.method().as_ref().as_bytes()).unwrap();
        let mut sent = self.client.request(method, url).header(MEANT, meant);
        for (name, value) in request.headers().iter() {
            sent = sent.header(name.as_str(), value.as_str());
        }
        let Body::Bytes(body) = request.body().clone() else {
            panic!("the library sends no streams");
        };
        let failed = |error| Error::with_error(ErrorKind::Io, error, "the mock did not answer");
        let response = sent.body(body).send().await.map_err(failed)?;
        let status = response.status().as_u16().into();
        let mut headers = Headers::new();
        for (name, value) in response.headers() {
            // As azure_core's own client does it.
            if let Ok(value) = value.to_str() {
                headers.insert(
                    HeaderName::from(name.as_str().to_owned()),
                    HeaderValue::from(value.to_owned()),
                );
            }
        }
        let pieces = stream::unfold(Some(response), move |response| async move {
            let mut response = response?;
            match response.chunk().await {
                Ok(piece) => Some((Ok(piece?), Some(response))),
                Err(error) => Some((Err(failed(error)), None)),
            }
        });
        Ok(AsyncRawResponse::new(status, headers, Box::pin(pieces)))
    }
}

/// Hands out `CANARY-token-1`, `CANARY-token-2`, …, and remembers for which scopes.
#[derive(Debug, Default)]
pub(crate) struct Token(Mutex<Vec<String>>);

impl Token {
    /// The scopes of every request for a token.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl TokenCredential for Token {
    async fn get_token(
        &self,
        scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let mut asked = self.0.lock().unwrap();
        asked.push(scopes.join(" "));
        Ok(AccessToken {
            token: Secret::new(format!("CANARY-token-{}", asked.len())),
            expires_on: OffsetDateTime::now_utc() + Duration::hours(1),
        })
    }
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// The host that it was meant for.
    pub(crate) host: String,
    pub(crate) method: String,
    /// Path and query, byte for byte.
    pub(crate) target: String,
    /// Values of the same name joined by a comma.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    fn of(request: &mockito::Request) -> Self {
        let mut headers = BTreeMap::<String, String>::new();
        for (name, value) in request.headers() {
            let value = String::from_utf8_lossy(value.as_bytes());
            headers
                .entry(name.as_str().to_owned())
                .and_modify(|all| *all = format!("{all},{value}"))
                .or_insert_with(|| value.into_owned());
        }
        Self {
            host: headers.remove(MEANT).unwrap_or_default(),
            method: request.method().to_owned(),
            target: request.path_and_query().to_owned(),
            headers,
            body: request.body().unwrap().clone(),
        }
    }

    /// `GET /path?query`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn request_id(&self) -> &str {
        &self.headers["x-ms-client-request-id"]
    }
}

/// The answers of the mock.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    breaks_off: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            breaks_off: false,
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, body.to_string()).header("content-type", "application/json")
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::new(status, "")
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The connection ends after the body that was given, in the middle of the answer.
    pub(crate) fn breaks_off(mut self) -> Self {
        self.breaks_off = true;
        self
    }
}

/// The mock. Every answer is given once, in the order in which it was added; the last one for a
/// target repeats. What nobody answers is a 501.
pub(crate) struct Service {
    server: ServerGuard,
    mocks: Vec<Mock>,
    seen: Arc<Mutex<Vec<Seen>>>,
    pub(crate) token: Arc<Token>,
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self {
            server: mockito::Server::new_async().await,
            mocks: Vec::new(),
            seen: Arc::default(),
            token: Arc::default(),
        }
    }

    /// Answers one request for exactly this path and query.
    pub(crate) async fn on(&mut self, method: &str, target: &str, reply: Reply) -> &mut Self {
        self.answer(method, Matcher::Exact(target.to_owned()), reply)
            .await
    }

    /// Answers one request for a path and query that fit this regular expression.
    pub(crate) async fn on_like(&mut self, method: &str, target: &str, reply: Reply) -> &mut Self {
        self.answer(method, Matcher::Regex(target.to_owned()), reply)
            .await
    }

    async fn answer(&mut self, method: &str, target: Matcher, reply: Reply) -> &mut Self {
        let seen = self.seen.clone();
        let status = usize::from(reply.status);
        let mut mock = self
            .server
            .mock(method, target)
            .with_status_code_from_request(move |request| {
                seen.lock().unwrap().push(Seen::of(request));
                status
            });
        for (name, value) in &reply.headers {
            mock = mock.with_header(name.as_str(), value);
        }
        mock = if reply.breaks_off {
            mock.with_chunked_body(move |writer| {
                writer.write_all(&reply.body)?;
                Err(std::io::ErrorKind::ConnectionReset.into())
            })
        } else {
            mock.with_body(reply.body)
        };
        self.mocks.push(mock.expect(1).create_async().await);
        self
    }

    /// Answers a GET of the compute `myaks`.
    pub(crate) async fn on_get(&mut self, reply: Reply) -> &mut Self {
        self.on("GET", &at("/computes/myaks"), reply).await
    }

    /// Answers a PUT of the compute `myaks`.
    pub(crate) async fn on_put(&mut self, reply: Reply) -> &mut Self {
        self.on("PUT", &at("/computes/myaks"), reply).await
    }

    /// Where the mock is, for a client that speaks plain HTTP.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// The transport that leads here from `origin`.
    pub(crate) fn transport(&self, origin: &str) -> Transport {
        self.transport_of(&[origin])
    }

    /// The transport that leads here from each of `origins`.
    pub(crate) fn transport_of(&self, origins: &[&str]) -> Transport {
        Transport::new(Arc::new(Redirect::new(origins, self.server.url())))
    }

    /// A workspace that leads here, and whose location is known.
    pub(crate) fn builder(&self) -> WorkspaceBuilder {
        Workspace::builder("sub", "grp", "ws")
            .credential(self.token.clone())
            .transport(self.transport(ARM))
            .location("westeurope")
    }

    pub(crate) fn workspace(&self) -> Workspace {
        self.builder().build().unwrap()
    }

    /// All requests so far that were answered, in order.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Their methods and targets.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen().iter().map(Seen::line).collect()
    }

    /// The last of them.
    pub(crate) fn last(&self) -> Seen {
        self.seen().pop().unwrap()
    }
}
