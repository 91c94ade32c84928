//! When a request that can be repeated is sent again.

use super::limits::reads;
use async_trait::async_trait;
use azure_core::http::policies::{RetryHeaders, RetryPolicy};
use azure_core::http::{Context, RetryOptions, StatusCode};
use azure_core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Counts how often one call was sent, whatever the reasons. It travels in the context of the requests,
/// because neither a pipeline's retries nor what is repeated around the pipeline know of the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sends(Arc<AtomicU32>);

impl Sends {
    /// Returns the context for the requests that are to be counted.
    pub(crate) fn context(&self) -> Context<'static> {
        Context::new().with_value(self.clone())
    }

    /// Counts a request, if those of its context are counted.
    pub(crate) fn count(ctx: &Context) {
        if let Some(Self(sends)) = ctx.value() {
            sends.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns how many sends are left of `limit`.
    pub(crate) fn left(&self, limit: u32) -> u32 {
        limit.saturating_sub(self.0.load(Ordering::Relaxed))
    }
}

/// A bounded number of sends, with pauses that grow to [`reads::LONGEST_PAUSE`].
///
/// `azure_core`'s own policies sleep as long as the service says, an hour if need be, inside the
/// call. Here the pause is bounded; a longer wait is the caller's decision.
#[derive(Debug)]
pub(crate) struct BoundedRetry {
    retries: u32,
    first_pause: std::time::Duration,
}

impl BoundedRetry {
    /// Returns the options of a pipeline that sends a request at most `sends` times.
    pub(crate) fn options(sends: u32, first_pause: std::time::Duration) -> RetryOptions {
        RetryOptions::custom(Arc::new(Self {
            retries: sends.saturating_sub(1),
            first_pause,
        }))
    }
}

#[async_trait]
impl RetryPolicy for BoundedRetry {
    fn is_expired(&self, _since_start: Duration, retry_count: u32) -> bool {
        retry_count >= self.retries
    }

    fn retry_headers(&self) -> Option<&RetryHeaders> {
        None
    }

    fn retry_status_codes(&self) -> &[StatusCode] {
        &[]
    }

    fn sleep_duration(&self, retry_count: u32) -> Duration {
        let doublings = retry_count.saturating_sub(1).min(8);
        let pause = (self.first_pause * 2_u32.pow(doublings)).min(reads::LONGEST_PAUSE);
        Duration::try_from(pause).unwrap_or(Duration::ZERO)
    }
}
