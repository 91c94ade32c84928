//! From an error of the storage client to ours, with the words of the store and without its URL.

use crate::error::{Error, ErrorKind, Hidden, ServiceError, redact, redact_cause};
use crate::transport::Answer;
use azure_core::error::ErrorKind as Core;
use azure_storage_blob::StorageError;

/// The remedy after a refusal.
pub(super) struct Remedies {
    sign_again: &'static str,
    run_again: &'static str,
}

pub(super) const UPLOAD: Remedies = Remedies {
    sign_again: "the signed URL has expired or does not allow this: run it again, which asks the service for a \
                 new one; what was sent is not sent again",
    run_again: "run it again: what was sent is not sent again",
};

pub(super) const DOWNLOAD: Remedies = Remedies {
    sign_again: "the signed URL has expired or does not allow this: run it again, which asks the service for a \
                 new one; allow to overwrite the files that are there already",
    run_again: "run it again, and allow to overwrite the files that are there already",
};

/// An error on its way to become [`Error`]: the client's, or ours already.
#[derive(Debug)]
pub(super) enum Refused {
    Client(azure_core::Error),
    Own(Error),
}

impl From<azure_core::Error> for Refused {
    fn from(error: azure_core::Error) -> Self {
        Self::Client(error)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

impl Refused {
    /// Whether the store answered so.
    pub(super) fn is(&self, status: u16, code: Option<&str>) -> bool {
        match self {
            Self::Client(error) => {
                let found = match error.kind() {
                    Core::HttpResponse { error_code, .. } => error_code.as_deref(),
                    _ => None,
                };
                error.http_status().map(u16::from) == Some(status)
                    && (code.is_none() || found == code)
            }
            Self::Own(_) => false,
        }
    }

    pub(super) fn into_error(self, remedies: &Remedies) -> Error {
        let error = match self {
            Self::Own(error) => return error,
            Self::Client(error) => error,
        };
        let Some(answer) = answer(&error) else {
            let ours = Error::from(error);
            return match ours.kind() {
                ErrorKind::Transport => ours.with_remedy(remedies.run_again),
                _ => ours,
            };
        };
        let id = answer.header("x-ms-client-request-id").unwrap_or_default();
        let mut facts = answer.facts(id);
        if id.is_empty() {
            facts.client_request_id = None;
        }
        if let Some(words) = own_words(error, &answer) {
            facts.error = Some(words);
            facts.excerpt = None;
        }
        let ours = Error::service(facts);
        match answer.status {
            401 | 403 => ours.with_remedy(remedies.sign_again),
            408 | 429 | 500.. => ours.with_remedy(remedies.run_again),
            _ => ours,
        }
    }
}

fn answer(error: &azure_core::Error) -> Option<Answer> {
    let Core::HttpResponse {
        raw_response: Some(raw),
        ..
    } = error.kind()
    else {
        return None;
    };
    Some(Answer {
        status: raw.status().into(),
        headers: raw.headers().clone(),
        body: raw.body().clone().into(),
        hidden: Hidden::default(),
    })
}

/// The store's own words: the first line of the message, without the ids and times behind it, and why a
/// signature was not accepted.
fn own_words(error: azure_core::Error, answer: &Answer) -> Option<ServiceError> {
    let code = answer.header("x-ms-error-code").map(redact);
    let text = StorageError::try_from(error).ok();
    let first_line = |text: Option<String>| {
        let text = text?;
        let line = text.lines().next()?.trim();
        (!line.is_empty()).then(|| redact_cause(line))
    };
    let (message, detail) = text.map_or((None, None), |text| {
        (
            first_line(text.message),
            first_line(text.authentication_error_detail),
        )
    });
    let message = match (message, detail) {
        (Some(message), Some(detail)) => Some(format!("{message} {detail}")),
        (message, detail) => message.or(detail),
    };
    message.is_some().then_some(ServiceError {
        code,
        message,
        ..ServiceError::default()
    })
}
