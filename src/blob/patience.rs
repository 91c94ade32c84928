//! How often and how long a request to the store is tried.

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};
use std::sync::Arc;

/// Ends a try that gets no answer, so that the next one can begin: a connection that is gone without a
/// word would hold its block forever.
#[derive(Debug)]
pub(super) struct TryLimit;

/// How long it may take to transfer so many bytes: a minute, and as long as they take at 10 kB/s.
pub(super) fn limit(bytes: u64) -> std::time::Duration {
    std::time::Duration::from_secs(60 + bytes / 10_000)
}

pub(super) fn unanswered(limit: std::time::Duration) -> Error {
    Error::with_message(
        ErrorKind::Io,
        format!("the store did not answer within {limit:.0?}"),
    )
}

#[async_trait]
impl Policy for TryLimit {
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let limit = limit(request.body().len().unwrap_or_default());
        match tokio::time::timeout(limit, next[0].send(ctx, request, &next[1..])).await {
            Ok(result) => result,
            Err(_) => Err(unanswered(limit)),
        }
    }
}

/// How often a body is read again that broke off: the pipeline's own tries end with the headers.
const BODIES: usize = 3;

/// Does it again if it ends with [`ErrorKind::Io`]. That the pipeline has given up cannot be told from a body
/// that broke off, so it may try three times as often as [`BoundedRetry`](crate::transport::BoundedRetry) says.
pub(super) async fn again<T, F>(mut attempt: impl FnMut() -> F + Send) -> azure_core::Result<T>
where
    F: Future<Output = azure_core::Result<T>> + Send,
{
    let mut tries = 1;
    loop {
        match attempt().await {
            Err(error) if matches!(error.kind(), ErrorKind::Io) && tries < BODIES => tries += 1,
            result => return result,
        }
    }
}
