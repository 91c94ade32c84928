//! The way in without a socket.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::extract::ConnectInfo;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request, StatusCode};
use futures::{AsyncReadExt as _, TryStreamExt as _};
use tower_service::Service as _;

use super::router::Link;

/// Where blobs are: at the storage account that the workspace names.
const BLOB_ORIGIN: &str = "https://emulatorstorage.blob.core.windows.net";

/// Hands requests to the router. Nothing waits on anything but the router, so that a paused
/// `tokio` clock moves on as if the answer came at once.
pub(crate) struct InProcess {
    router: Router,
}

impl InProcess {
    pub(crate) fn new(router: Router) -> Self {
        Self { router }
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for InProcess {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let body = match request.body().clone() {
            Body::Bytes(bytes) => bytes,
            Body::SeekableStream(mut stream) => {
                stream.reset().await?;
                let mut bytes = Vec::new();
                stream.read_to_end(&mut bytes).await?;
                bytes.into()
            }
        };
        let url = request.url();
        let severed = Arc::new(AtomicBool::new(false));
        let port = url
            .port()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        let link = Link {
            scheme: if url.scheme() == "http" {
                "http"
            } else {
                "https"
            },
            authority: format!("{}{port}", url.host_str().unwrap_or_default()),
            // Any host reaches the emulator, so the blob store can have one as it has in Azure.
            blobs: Some(BLOB_ORIGIN.to_owned()),
            severed: Arc::clone(&severed),
        };
        let mut builder = axum::http::Request::builder()
            .method(request.method().as_ref())
            .uri(request.path_and_query())
            .extension(ConnectInfo(link));
        for (name, value) in request.headers().iter() {
            builder = builder.header(name.as_str(), value.as_str());
        }
        let request = builder
            .body(axum::body::Body::from(body))
            .map_err(|error| Error::with_error(ErrorKind::Other, error, "malformed request"))?;

        // A router is always ready, and its error is `Infallible`.
        let response = match self.router.clone().call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        if severed.load(Ordering::SeqCst) {
            return Err(Error::with_message(
                ErrorKind::Io,
                "connection closed before the response arrived",
            ));
        }
        let status = StatusCode::from(response.status().as_u16());
        let mut headers = Headers::new();
        for (name, value) in response.headers() {
            if let Ok(value) = value.to_str() {
                headers.insert(
                    HeaderName::from(name.as_str().to_owned()),
                    HeaderValue::from(value.to_owned()),
                );
            }
        }
        let body = response.into_body().into_data_stream().map_err(|error| {
            Error::with_error(ErrorKind::Io, error, "connection closed within the body")
        });
        Ok(AsyncRawResponse::new(status, headers, Box::pin(body)))
    }
}
