//! The way in over loopback, for clients in other processes and languages.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, Limited, StreamBody};
use hyper::body::{Body, Bytes, Frame, Incoming as Received};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use url::Url;

use super::http::Incoming;
use super::routes;
use super::state::Shared;
use super::tls::Identity;

/// A client that does not finish its handshake must not be waited for.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The time for the headers of a request, also behind another one on its connection: connections that
/// send nothing do not stay.
const HEADERS: Duration = Duration::from_secs(30);

/// The time for the body of a request: that of 100 MiB over loopback is far shorter.
const BODY: Duration = Duration::from_secs(120);

/// How long [`Server::shutdown`] waits for requests that are being answered.
const GRACE: Duration = Duration::from_secs(2);

/// Where [`Emulator::serve`](super::Emulator::serve) listens.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ServeOptions {
    http: Option<SocketAddr>,
    https: Option<SocketAddr>,
    allow_non_loopback: bool,
}

impl ServeOptions {
    /// Nowhere yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Listens here with plain HTTP. Port 0 takes any that is free.
    pub fn http(mut self, address: SocketAddr) -> Self {
        self.http = Some(address);
        self
    }

    /// Listens here with TLS, with a certificate made at the start. Port 0 takes any that is free.
    pub fn https(mut self, address: SocketAddr) -> Self {
        self.https = Some(address);
        self
    }

    /// Allows addresses that other machines can reach. The emulator accepts any token, and its
    /// admin routes need none.
    pub fn allow_non_loopback(mut self, allow: bool) -> Self {
        self.allow_non_loopback = allow;
        self
    }

    fn check(&self) -> io::Result<()> {
        let addresses = || self.http.iter().chain(&self.https);
        let refuse = |what: String| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        if addresses().next().is_none() {
            return refuse("neither an address for HTTP nor one for HTTPS was given".to_owned());
        }
        match addresses().find(|address| !address.ip().is_loopback()) {
            Some(address) if !self.allow_non_loopback => {
                refuse(format!("{address} is not a loopback address"))
            }
            _ => Ok(()),
        }
    }
}

/// Listeners that run until this is dropped or shut down.
#[derive(Debug)]
#[must_use = "dropping it stops the listeners"]
pub struct Server {
    http_url: Option<Url>,
    https_url: Option<Url>,
    ca_pem: String,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Server {
    pub(crate) async fn start(shared: Arc<Shared>, options: ServeOptions) -> io::Result<Self> {
        options.check()?;
        let mut server = Self {
            http_url: None,
            https_url: None,
            ca_pem: String::new(),
            stop: watch::Sender::new(false),
            tasks: JoinSet::new(),
        };
        if let Some(address) = options.http {
            let listener = TcpListener::bind(address).await?;
            server.http_url = Some(url("http", listener.local_addr()?)?);
            server.listen(listener, None, &shared);
        }
        if let Some(address) = options.https {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            let identity = Identity::make(address)?;
            let https = url("https", address)?;
            shared.state().https = Some((https.to_string(), identity.ca_pem.clone()));
            server.https_url = Some(https);
            server.ca_pem = identity.ca_pem;
            server.listen(listener, Some(identity.acceptor), &shared);
        }
        Ok(server)
    }

    /// Accepts connections until it is stopped, and then waits for those that are open.
    fn listen(&mut self, listener: TcpListener, tls: Option<TlsAcceptor>, shared: &Arc<Shared>) {
        let (shared, mut stopped) = (Arc::clone(shared), self.stop.subscribe());
        // Other machines may know this one by any name.
        let any_host = listener
            .local_addr()
            .is_ok_and(|address| !address.ip().is_loopback());
        let way = move |scheme| Way { scheme, any_host };
        self.tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let stream = tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => stream,
                        Err(error) => {
                            tracing::warn!(%error, "the emulator could not accept a connection");
                            tokio::time::sleep(Duration::from_millis(100)).await;
                            continue;
                        }
                    },
                    () = told_to_stop(&mut stopped) => break,
                };
                while connections.try_join_next().is_some() {}
                let (shared, tls, stopped) = (Arc::clone(&shared), tls.clone(), stopped.clone());
                connections.spawn(async move {
                    let Some(tls) = tls else {
                        return connection(stream, way("http"), &shared, stopped).await;
                    };
                    match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                        Ok(Ok(stream)) => connection(stream, way("https"), &shared, stopped).await,
                        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                        Err(_) => tracing::debug!("TLS handshake timed out"),
                    }
                });
            }
            while connections.join_next().await.is_some() {}
        });
    }

    /// Where plain HTTP is served.
    #[must_use]
    pub fn http_url(&self) -> Option<Url> {
        self.http_url.clone()
    }

    /// Where HTTPS is served.
    #[must_use]
    pub fn https_url(&self) -> Option<Url> {
        self.https_url.clone()
    }

    /// The authority that signed the certificate for HTTPS, in PEM; empty without HTTPS.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Stops listening, and waits up to two seconds for requests that are being answered.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the listeners without waiting.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, all).await.is_err() {
            tracing::debug!("emulator connections were cut off");
        }
    }
}

fn url(scheme: &str, address: SocketAddr) -> io::Result<Url> {
    Url::parse(&format!("{scheme}://{address}")).map_err(io::Error::other)
}

/// Waits until the server is shut down or dropped.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    // An error means that it was dropped, which is as good.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// How a request came in.
#[derive(Clone, Copy)]
struct Way {
    scheme: &'static str,
    any_host: bool,
}

/// Serves a connection until it is closed or the server stops.
async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    way: Way,
    shared: &Shared,
    mut stopped: watch::Receiver<bool>,
) {
    let service = service_fn(|request| respond(shared, way, request));
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = told_to_stop(&mut stopped) => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the emulator broke");
    }
}

/// Answers a request. An error breaks the connection: nothing more is written to it.
async fn respond(
    shared: &Shared,
    way: Way,
    request: Request<Received>,
) -> io::Result<Response<impl Body<Data = Bytes, Error = io::Error> + use<>>> {
    let (parts, body) = request.into_parts();
    let host = parts
        .headers
        .get("host")
        .and_then(|host| host.to_str().ok());
    let origin = format!("{}://{}", way.scheme, host.unwrap_or("localhost"));
    let mut incoming = Incoming {
        blobs: origin.clone(),
        origin,
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        too_large: false,
        any_host: way.any_host,
        body: Bytes::new(),
    };
    let body = Limited::new(body, routes::limit(shared, &incoming)).collect();
    match tokio::time::timeout(BODY, body).await {
        Ok(Ok(body)) => incoming.body = body.to_bytes(),
        Ok(Err(_)) => incoming.too_large = true,
        Err(_) => return Err(io::ErrorKind::TimedOut.into()),
    }
    let answer = routes::serve(shared, &incoming).await;
    let pieces = stream::iter(answer.pieces()?).then(async |piece| {
        if piece.is_err() {
            // What was written is sent when nothing more is ready, and only then.
            tokio::task::yield_now().await;
        }
        piece.map(Frame::data)
    });
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        // A header of a `response_override` that HTTP does not allow cannot be sent.
        response = response.header(name, value);
    }
    response
        .body(StreamBody::new(pieces))
        .map_err(io::Error::other)
}
