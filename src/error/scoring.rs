//! The accessors and the constructors of errors of scoring calls.

use super::{Error, ErrorKind, ResponseFacts};

/// Accessors for the failure of a scoring call.
impl Error {
    /// Returns whether the entry script of a web service failed on the request: `run()` raised, or the process
    /// ended (HTTP 502 of a scoring call).
    ///
    /// # Troubleshooting
    ///
    /// The service's logs hold the exception. Sending the same request again mostly fails again,
    /// and the code may have had effects.
    #[must_use]
    pub fn is_scoring_code_failure(&self) -> bool {
        self.kind() == ErrorKind::ScoringCodeFailed
    }

    /// Returns whether the web service has no free replica: the request waited as long as it may, or the largest
    /// number of replicas is busy (HTTP 503 of a scoring call).
    ///
    /// # Troubleshooting
    ///
    /// The levers are the minimum and the maximum of replicas, and the target utilisation: a lower
    /// target makes the service grow earlier, not faster. The code has not seen the request, so it
    /// may be sent again; see [`ScoringRetry`](crate::ScoringRetry).
    #[must_use]
    pub fn is_overloaded(&self) -> bool {
        self.kind() == ErrorKind::ScoringOverloaded
    }

    /// Returns whether the web service ended the request at its own scoring timeout, 60 seconds unless it was
    /// deployed with another (HTTP 504 of a scoring call).
    ///
    /// # Troubleshooting
    ///
    /// Make `run()` faster, or deploy with a longer scoring timeout; 300 seconds is the most. This is
    /// not [`is_timeout`](Self::is_timeout), which is about limits of this library.
    #[must_use]
    pub fn is_scoring_timeout(&self) -> bool {
        self.kind() == ErrorKind::ScoringTimeout
    }

    /// Returns whether the web service refused the key or token, or required one that was not sent (HTTP 401 or
    /// 403 of a scoring call).
    ///
    /// # Troubleshooting
    ///
    /// Keys change when they are regenerated, and a service that is switched between key and token
    /// takes only the new kind. A scoring client that fetches its credential by itself has then
    /// fetched once more already.
    #[must_use]
    pub fn is_scoring_unauthorized(&self) -> bool {
        self.kind() == ErrorKind::ScoringUnauthorized
    }

    /// Returns whether no key or token for the web service is available now, because the workspace's region does not
    /// answer. The service itself may be well.
    ///
    /// # Troubleshooting
    ///
    /// Keys and tokens come from the region of the workspace, not from the cluster: keep the two in
    /// one region. A client that is made with a key needs nothing of the workspace.
    #[must_use]
    pub fn is_scoring_credential_unavailable(&self) -> bool {
        self.kind() == ErrorKind::ScoringCredentialUnavailable
    }
}

/// Constructors for the rest of the crate.
impl Error {
    /// Returns the same facts under another kind and message, with the original as the cause.
    #[must_use]
    pub(crate) fn recast(self, kind: ErrorKind, message: impl Into<String>) -> Self {
        let mut error = Self::new(kind, message);
        let inner = error.inner_mut();
        inner.response = self.inner.response.clone();
        inner.cause_may_pass = self.is_transient();
        error.with_source(self)
    }

    /// Adds the details of the answer, without a remedy for it: those are for answers of ARM.
    #[must_use]
    pub(crate) fn with_foreign_response(mut self, response: ResponseFacts) -> Self {
        self.inner_mut().response = Some(response);
        self
    }
}
