//! The way in over loopback, for clients in other processes and languages.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use super::router::Link;
use super::tls::Identity;

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
    pub(crate) async fn start(router: Router, options: ServeOptions) -> io::Result<Self> {
        options.check()?;
        let (stop, stopped) = watch::channel(false);
        let mut server = Self {
            http_url: None,
            https_url: None,
            ca_pem: String::new(),
            stop,
            tasks: JoinSet::new(),
        };
        if let Some(address) = options.http {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            server.http_url = Some(url("http", address)?);
            server.run(
                Severable {
                    listener,
                    scheme: "http",
                },
                router.clone(),
                stopped.clone(),
            );
        }
        if let Some(address) = options.https {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            let identity = Identity::make(address)?;
            server.https_url = Some(url("https", address)?);
            let listener = Severable {
                listener: identity.listen(listener)?,
                scheme: "https",
            };
            server.run(listener, router, stopped);
            server.ca_pem = identity.ca_pem;
        }
        Ok(server)
    }

    fn run<L>(&mut self, listener: Severable<L>, router: Router, mut stopped: watch::Receiver<bool>)
    where
        L: Listener<Addr = SocketAddr>,
    {
        let service = router.into_make_service_with_connect_info::<Link>();
        let signal = async move {
            // An error means that the server was dropped, which is as good.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        self.tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, service)
                .with_graceful_shutdown(signal)
                .await
            {
                tracing::warn!(%error, "an emulator listener ended");
            }
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

/// A listener whose connections a fault can break.
struct Severable<L> {
    listener: L,
    scheme: &'static str,
}

impl<L: Listener<Addr = SocketAddr>> Listener for Severable<L> {
    type Io = SeverableIo<L::Io>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        let (io, peer) = self.listener.accept().await;
        let authority = self
            .listener
            .local_addr()
            .map_or_else(|_| String::new(), |here| here.to_string());
        let severed = Arc::new(AtomicBool::new(false));
        (
            SeverableIo {
                io,
                link: Link {
                    scheme: self.scheme,
                    authority,
                    blobs: None,
                    severed,
                },
            },
            peer,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl<L: Listener<Addr = SocketAddr>> Connected<IncomingStream<'_, Severable<L>>> for Link {
    fn connect_info(stream: IncomingStream<'_, Severable<L>>) -> Self {
        stream.io().link.clone()
    }
}

/// A stream to which nothing is written once its link is severed.
struct SeverableIo<T> {
    io: T,
    link: Link,
}

impl<T> SeverableIo<T> {
    fn check(&self) -> io::Result<()> {
        if self.link.severed.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for SeverableIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for SeverableIo<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
