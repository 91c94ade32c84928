//! When a read is tried again.

use async_trait::async_trait;
use azure_core::http::StatusCode;
use azure_core::http::policies::{RetryHeaders, RetryPolicy};
use azure_core::time::Duration;

/// Three more tries with growing pauses.
///
/// `azure_core`'s own policies sleep as long as the service says, an hour if need be, inside the
/// call. Here the pause is bounded; a longer wait is the throttle's, which tells the caller.
#[derive(Debug)]
pub(crate) struct ReadRetry;

const TRIES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::milliseconds(400);
const LONGEST_PAUSE: Duration = Duration::seconds(10);

#[async_trait]
impl RetryPolicy for ReadRetry {
    fn is_expired(&self, _since_start: Duration, retry_count: u32) -> bool {
        retry_count >= TRIES
    }

    fn retry_headers(&self) -> Option<&RetryHeaders> {
        None
    }

    fn retry_status_codes(&self) -> &[StatusCode] {
        &[]
    }

    fn sleep_duration(&self, retry_count: u32) -> Duration {
        (FIRST_PAUSE * 2_i32.saturating_pow(retry_count.saturating_sub(1).min(8)))
            .min(LONGEST_PAUSE)
    }
}
