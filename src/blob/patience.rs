//! How often and how long a request to the store is tried.

use crate::transport::Sends;
use crate::transport::limits::blobs::{SENDS, time_for};
use crate::transport::limits::reads::BODIES;
use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};
use std::sync::Arc;

/// Counts each try, and ends one that gets no answer, so that the next one can begin.
#[derive(Debug)]
pub(super) struct TryLimit;

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
        let limit = time_for(request.body().len().unwrap_or_default());
        Sends::count(ctx);
        match tokio::time::timeout(limit, next[0].send(ctx, request, &next[1..])).await {
            Ok(result) => result,
            Err(_) => Err(unanswered(limit)),
        }
    }
}

/// Repeats a read that ends with [`ErrorKind::Io`] while sends are left: the pipeline's own repetitions end
/// with the headers, and a body can break off behind its back.
///
/// # Arguments
///
/// * `attempt` - is given how often it may send, and the context for what it sends.
pub(super) async fn again<T, F>(
    mut attempt: impl FnMut(u32, Context<'static>) -> F + Send,
) -> azure_core::Result<T>
where
    F: Future<Output = azure_core::Result<T>> + Send,
{
    let sends = Sends::default();
    let mut left = SENDS;
    let mut bodies = 1;
    loop {
        let result = attempt(left, sends.context()).await;
        left = sends.left(SENDS);
        match result {
            Err(error) if matches!(error.kind(), ErrorKind::Io) && bodies < BODIES && left > 0 => {
                bodies += 1;
            }
            result => return result,
        }
    }
}
