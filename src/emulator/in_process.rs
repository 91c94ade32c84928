//! The way in without a socket.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request, StatusCode};
use futures::{AsyncReadExt as _, stream};
use hyper::body::Bytes;

use super::http::Incoming;
use super::routes;
use super::state::Shared;

/// Where blobs are: at the storage account that the workspace names. Any host reaches the emulator,
/// so the blob store can have one as it has in Azure.
const BLOB_ORIGIN: &str = "https://emulatorstorage.blob.core.windows.net";

/// Serves requests at once. Nothing waits on a socket, so that a paused `tokio` clock moves on as if
/// the answer came at once.
#[derive(Debug)]
pub(crate) struct InProcess(pub(crate) Arc<Shared>);

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
        let authority = url.authority();
        let scheme = if url.scheme() == "http" {
            "http"
        } else {
            "https"
        };
        let mut headers = hyper::HeaderMap::new();
        for (name, value) in request.headers().iter() {
            let name = hyper::header::HeaderName::try_from(name.as_str());
            let value = hyper::header::HeaderValue::try_from(value.as_str());
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(Error::with_message(ErrorKind::Other, "malformed header"));
            };
            headers.append(name, value);
        }
        let host = headers.get("host").and_then(|host| host.to_str().ok());
        let mut incoming = Incoming {
            origin: format!("{scheme}://{}", host.unwrap_or(authority)),
            blobs: BLOB_ORIGIN.to_owned(),
            method: request.method().to_string(),
            path: url.path().to_owned(),
            query: url.query().map(str::to_owned),
            headers,
            body: Bytes::new(),
            too_large: false,
            any_host: true,
        };
        match body.len() <= routes::limit(&self.0, &incoming) {
            true => incoming.body = body,
            false => incoming.too_large = true,
        }
        let answer = routes::serve(&self.0, &incoming).await;

        let broken = |error| Error::with_error(ErrorKind::Io, error, "the connection broke");
        let pieces = answer.pieces().map_err(broken)?.into_iter();
        let pieces: Vec<_> = pieces.map(|piece| piece.map_err(broken)).collect();
        let mut headers = Headers::new();
        for (name, value) in answer.headers {
            headers.insert(
                HeaderName::from(name.to_ascii_lowercase()),
                HeaderValue::from(value),
            );
        }
        let status = StatusCode::from(answer.status);
        Ok(AsyncRawResponse::new(
            status,
            headers,
            Box::pin(stream::iter(pieces)),
        ))
    }
}
