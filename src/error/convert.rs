//! From the errors of `azure_core`, and back.

use super::{Error, ErrorKind, ResponseFacts, redact_cause, transient};
use crate::facts::codes;

impl From<azure_core::Error> for Error {
    /// `azure_core`'s `Display` may show only its outermost context; the text of ours is the
    /// innermost message of the chain.
    fn from(error: azure_core::Error) -> Self {
        use azure_core::error::ErrorKind as Core;
        let kind = match error.kind() {
            Core::Credential => ErrorKind::Credential,
            Core::Io | Core::Connection => ErrorKind::Transport,
            Core::DataConversion => ErrorKind::Protocol,
            Core::HttpResponse { .. } => ErrorKind::Service,
            _ => ErrorKind::Transport,
        };
        let status = error.http_status().map(u16::from);
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            message = inner.to_string();
            cause = inner.source();
        }
        let mut ours = Self::new(kind, redact_cause(&message));
        if status.is_some() {
            ours = ours.with_response(ResponseFacts {
                status,
                ..Default::default()
            });
        }
        if kind == ErrorKind::Credential {
            ours = ours.with_remedy(codes::SIGN_IN);
        }
        ours.inner_mut().cause_may_pass = transient::chain_may_pass(&error);
        match Cause::of(&error, redact_cause) {
            None => ours.with_source(error),
            Some(cause) => ours.with_source(cause),
        }
    }
}

/// A chain of causes without the secrets in their texts.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct Cause {
    text: String,
    source: Option<Box<Self>>,
}

impl Cause {
    /// `None` where the chain holds nothing to hide, and can be kept as it is.
    pub(super) fn of(
        error: &(dyn std::error::Error + 'static),
        shown: impl Fn(&str) -> String,
    ) -> Option<Self> {
        let chain: Vec<String> = std::iter::successors(Some(error), |error| error.source())
            .map(ToString::to_string)
            .collect();
        let hides = chain.iter().any(|text| shown(text) != *text);
        chain
            .iter()
            .rev()
            .fold(None, |source: Option<Self>, text| {
                Some(Self {
                    text: shown(text),
                    source: source.map(Box::new),
                })
            })
            .filter(|_| hides)
    }
}

impl From<Error> for azure_core::Error {
    fn from(error: Error) -> Self {
        use azure_core::error::ErrorKind as Core;
        let kind = match (error.kind(), error.http_status()) {
            (ErrorKind::Credential | ErrorKind::ScoringCredentialUnavailable, _) => {
                Core::Credential
            }
            (ErrorKind::Transport | ErrorKind::Timeout, _) => Core::Io,
            (ErrorKind::Protocol, _) => Core::DataConversion,
            (
                ErrorKind::Service
                | ErrorKind::ScoringCodeFailed
                | ErrorKind::ScoringOverloaded
                | ErrorKind::ScoringTimeout
                | ErrorKind::ScoringUnauthorized,
                Some(status),
            ) => Core::HttpResponse {
                status: status.into(),
                error_code: error.code().map(str::to_owned),
                raw_response: None,
            },
            _ => Core::Other,
        };
        let text = error.to_string();
        Self::with_error(kind, error, text)
    }
}
