//! The failures that are transient.

use super::{Error, ErrorKind};
use azure_core::error::ErrorKind as Core;

/// Returns whether a retry of a request with this status may succeed, whatever the request was.
///
/// The one table of such statuses: the wait for an operation, the fetch of a scoring credential and
/// [`Error::is_transient`] use it (`docs/operations.md` rule 7).
pub(crate) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504 | 530)
}

/// Returns whether a request may have had its effect although it was refused with this status.
pub(crate) fn may_have_worked(status: u16) -> bool {
    status == 408 || status >= 500
}

impl Error {
    /// Returns whether the request that ended with this error may have had its effect.
    #[cfg(feature = "services")]
    pub(crate) fn may_have_worked(&self) -> bool {
        match self.kind() {
            ErrorKind::Transport | ErrorKind::Timeout | ErrorKind::Protocol => true,
            ErrorKind::Service => self.http_status().is_some_and(may_have_worked),
            _ => false,
        }
    }

    /// Returns whether the same call may succeed if it is made again, without any change: the service was
    /// busy or in trouble (HTTP 408, 429, 500, 502, 503, 504 or 530), it was not reached, or a request
    /// took longer than its time limit.
    ///
    /// A credential's failure is transient where the request for the token failed in one of these
    /// ways. A conflict, a broken rule, a failed operation and the deadline of a wait are not
    /// transient, and neither is what the code of a web service does with a scoring request (502 and
    /// 504 of a scoring call).
    ///
    /// # Troubleshooting
    ///
    /// Pause before the next try, for [`retry_after`](Self::retry_after) where the service says so.
    /// Reads were tried again already. Where [`may_still_run`](Self::may_still_run) holds too, the
    /// request may have had its effect: resume with [`resume_token`](Self::resume_token) instead of
    /// sending it again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        // Without a wildcard, so that a new kind has to be placed here.
        match self.kind() {
            ErrorKind::Transport | ErrorKind::Timeout => true,
            ErrorKind::Service | ErrorKind::ScoringOverloaded => {
                self.http_status().is_some_and(is_passing)
            }
            ErrorKind::Credential | ErrorKind::ScoringCredentialUnavailable => {
                self.inner.cause_may_pass
            }
            ErrorKind::AlreadyExists
            | ErrorKind::Configuration
            | ErrorKind::DeadlineExceeded
            | ErrorKind::File
            | ErrorKind::NotStarted
            | ErrorKind::OperationCanceled
            | ErrorKind::OperationFailed
            | ErrorKind::OperationStatusLost
            | ErrorKind::Protocol
            | ErrorKind::Refused
            | ErrorKind::ResultUnavailable
            | ErrorKind::ResumeToken
            | ErrorKind::ScoringCodeFailed
            | ErrorKind::ScoringTimeout
            | ErrorKind::ScoringUnauthorized
            | ErrorKind::TokenStore
            | ErrorKind::UntrustedUrl
            | ErrorKind::Validation => false,
        }
    }
}

/// Returns whether one of the errors of `azure_core` in this chain is transient: a credential wraps the
/// failure of its own request.
pub(super) fn chain_may_pass(error: &azure_core::Error) -> bool {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source())
        .filter_map(|error| error.downcast_ref::<azure_core::Error>())
        .any(|error| {
            matches!(error.kind(), Core::Io | Core::Connection)
                || error
                    .http_status()
                    .is_some_and(|status| is_passing(status.into()))
        })
}
