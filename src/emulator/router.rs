//! The axum router that both ways in go through.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use futures::{StreamExt as _, stream};

use super::artifacts::blobs;
use super::error::ArmError;
use super::http::{Answer, Incoming, Manner, is_blob_path, is_scoring_path};
use super::routes;
use super::state::Shared;

/// The largest body that is read.
const LIMIT: usize = 4 * 1024 * 1024;

/// The largest body that is read as a blob or a block of one.
const BLOB_LIMIT: usize = 100 * 1024 * 1024;

/// The largest body that is scored, as the service has it.
const SCORING_LIMIT: usize = 100 * 1024 * 1024;

/// The connection that a request came in by.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    /// Where URLs that are handed out begin, unless the request has a `Host`.
    pub(crate) scheme: &'static str,
    pub(crate) authority: String,
    /// Where URLs of blobs begin, when not where the others do.
    pub(crate) blobs: Option<String>,
    /// Set when a fault breaks the connection: nothing more is written to it.
    pub(crate) severed: Arc<AtomicBool>,
}

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(handle).with_state(shared)
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(link): ConnectInfo<Link>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let to_a_blob = is_blob_path(parts.uri.path());
    let to_a_service = is_scoring_path(parts.uri.path());
    let limit = match (to_a_blob, to_a_service) {
        (true, _) => BLOB_LIMIT,
        (_, true) => SCORING_LIMIT,
        _ => LIMIT,
    };
    let Ok(body) = axum::body::to_bytes(body, limit).await else {
        let refusal = if to_a_blob {
            blobs::too_large(BLOB_LIMIT)
        } else if to_a_service {
            Answer::raw(413, "text/plain", "The body is too large.")
        } else {
            ArmError::new(413, "RequestEntityTooLarge", "The body is too large.").into()
        };
        return respond(refusal, &link);
    };
    let host = parts
        .headers
        .get("host")
        .and_then(|host| host.to_str().ok());
    let origin = format!("{}://{}", link.scheme, host.unwrap_or(&link.authority));
    let incoming = Incoming {
        blobs: link.blobs.clone().unwrap_or_else(|| origin.clone()),
        origin,
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body,
    };
    respond(routes::serve(&shared, &incoming).await, &link)
}

fn respond(answer: Answer, link: &Link) -> Response {
    let length = answer.body.len();
    let body = match answer.manner {
        Manner::Whole => Body::from(answer.body),
        Manner::Truncated if length > 0 => {
            let half = Bytes::copy_from_slice(&answer.body[..length / 2]);
            let parts = stream::iter([Some(half), None]).then(async |part| match part {
                Some(half) => Ok(half),
                None => {
                    // The server sends what it has when nothing more is ready, and only then.
                    tokio::task::yield_now().await;
                    Err(std::io::Error::other("the emulator broke the connection"))
                }
            });
            Body::from_stream(parts)
        }
        // Without a body there is nothing to cut in half, so nothing arrives.
        Manner::Truncated | Manner::Severed => {
            link.severed.store(true, Ordering::SeqCst);
            Body::empty()
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        // A header of a `response_override` that HTTP does not allow cannot be sent.
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => {
                response.headers_mut().append(name, value);
            }
            _ => tracing::warn!("the emulator cannot send a header that HTTP does not allow"),
        }
    }
    if answer.manner == Manner::Truncated && length > 0 {
        response
            .headers_mut()
            .insert("content-length", HeaderValue::from(length));
    }
    response
}
