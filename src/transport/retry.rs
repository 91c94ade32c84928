//! When a request that can be repeated is tried again.

use async_trait::async_trait;
use azure_core::http::policies::{RetryHeaders, RetryPolicy};
use azure_core::http::{RetryOptions, StatusCode};
use azure_core::time::Duration;
use std::sync::Arc;

/// A few more tries, with pauses that grow to ten seconds.
///
/// `azure_core`'s own policies sleep as long as the service says, an hour if need be, inside the
/// call. Here the pause is bounded; a longer wait is the caller's.
#[derive(Debug)]
pub(crate) struct BoundedRetry {
    tries: u32,
    first_pause: Duration,
}

const LONGEST_PAUSE: Duration = Duration::seconds(10);

impl BoundedRetry {
    /// For reads, of which the throttle tells the caller: three more tries.
    pub(crate) fn of_reads() -> RetryOptions {
        Self::options(3, Duration::milliseconds(400))
    }

    /// For requests to a store: five more tries. Only what can be repeated is sent there, so any failure
    /// is worth another one; and what was sent is not sent again when the caller runs it anew.
    #[cfg(feature = "services")]
    pub(crate) fn of_blobs() -> RetryOptions {
        Self::options(5, Duration::milliseconds(500))
    }

    fn options(tries: u32, first_pause: Duration) -> RetryOptions {
        RetryOptions::custom(Arc::new(Self { tries, first_pause }))
    }
}

#[async_trait]
impl RetryPolicy for BoundedRetry {
    fn is_expired(&self, _since_start: Duration, retry_count: u32) -> bool {
        retry_count >= self.tries
    }

    fn retry_headers(&self) -> Option<&RetryHeaders> {
        None
    }

    fn retry_status_codes(&self) -> &[StatusCode] {
        &[]
    }

    fn sleep_duration(&self, retry_count: u32) -> Duration {
        (self.first_pause * 2_i32.saturating_pow(retry_count.saturating_sub(1).min(8)))
            .min(LONGEST_PAUSE)
    }
}
