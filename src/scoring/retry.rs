//! When a scoring call is tried again.

use crate::transport::limits::scoring;
use std::time::Duration;

/// Tries a scoring call again where that is safe. Not done unless
/// [asked for](crate::ScoringClientBuilder::retry).
///
/// Safe are answers that the router gives before any code has seen the request, and requests that
/// never left:
///
/// - 503, no free replica, and 429;
/// - no connection came about.
///
/// Not tried again are 502 and 504, because the entry script has run and may have had effects, a
/// connection that broke after the request was sent, and the call's own deadline.
///
/// The pause before the first new try is at most half a second, and twice that before each further
/// one, drawn at random so that callers do not come back together. What the service asks for in
/// `Retry-After` is kept to. If it asks for a longer pause than
/// [`max_pause`](Self::max_pause), or one that ends after the call's deadline, the call fails at once
/// and [`Error::retry_after`](crate::Error::retry_after) tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoringRetry {
    retries: u32,
    max_pause: Duration,
}

impl ScoringRetry {
    /// Up to three more tries, with pauses of up to ten seconds.
    #[must_use]
    pub fn new() -> Self {
        Self {
            retries: scoring::RETRIES,
            max_pause: scoring::LONGEST_PAUSE,
        }
    }

    /// Sets the most tries after the first.
    #[must_use]
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// The longest pause between two tries.
    #[must_use]
    pub fn max_pause(mut self, pause: Duration) -> Self {
        self.max_pause = pause;
        self
    }

    /// The pause before the next try, if there is to be one.
    ///
    /// # Arguments
    ///
    /// * `status` - of the answer; `None` if the request never left.
    /// * `hint` - what the service asked for.
    /// * `done` - how many new tries there were.
    /// * `chance` - from 0 to 1.
    pub(super) fn pause(
        &self,
        status: Option<u16>,
        hint: Option<Duration>,
        done: u32,
        chance: f64,
    ) -> Option<Duration> {
        let is_safe = matches!(status, None | Some(429 | 503));
        if !is_safe || done >= self.retries {
            return None;
        }
        if let Some(hint) = hint {
            return (hint <= self.max_pause).then_some(hint);
        }
        let longest = scoring::FIRST_PAUSE
            .saturating_mul(2_u32.saturating_pow(done))
            .min(self.max_pause);
        Some(longest.mul_f64(chance.clamp(0.0, 1.0)))
    }
}

impl Default for ScoringRetry {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_no_code_has_seen_is_retried() {
        let retry = ScoringRetry::new();
        for status in [None, Some(429), Some(503)] {
            assert!(retry.pause(status, None, 0, 1.0).is_some(), "{status:?}");
        }
        for status in [200, 302, 400, 401, 403, 404, 408, 500, 502, 504] {
            assert_eq!(retry.pause(Some(status), None, 0, 1.0), None, "{status}");
        }
    }

    #[test]
    fn retry_after_is_honored_or_ends_the_call() {
        let retry = ScoringRetry::new().max_pause(Duration::from_secs(5));
        let hint = |seconds| retry.pause(Some(503), Some(Duration::from_secs(seconds)), 0, 0.0);
        assert_eq!(hint(5), Some(Duration::from_secs(5)));
        assert_eq!(hint(6), None);
    }

    proptest! {
        #[test]
        fn tries_and_pauses_are_bounded(
            retries in 0_u32..100, done in 0_u32..1_000, chance in -1.0..2.0_f64,
            max in 0_u64..100_000, hint in proptest::option::of(0_u64..1_000_000),
        ) {
            let max = Duration::from_millis(max);
            let retry = ScoringRetry::new().max_retries(retries).max_pause(max);
            let pause = retry.pause(Some(503), hint.map(Duration::from_millis), done, chance);
            prop_assert!(pause.is_none_or(|pause| pause <= max));
            prop_assert!(done < retries || pause.is_none());
        }
    }
}
