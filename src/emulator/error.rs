//! Answers that refuse, in the shape of Azure Resource Manager.

use serde_json::{Value, json};

/// A refusal: `{"error":{"code":…,"message":…}}` with a status.
#[derive(Clone, Debug)]
pub(crate) struct ArmError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl ArmError {
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
        }
    }

    /// What the body or the query gets wrong.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// What the service may well know, and the emulator does not: loud, never approximated.
    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(400, "UnsupportedByEmulator", message)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(
            404,
            "ResourceNotFound",
            format!("The Resource '{what}' was not found."),
        )
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(409, "Conflict", message)
    }

    pub(crate) fn body(&self) -> Value {
        json!({ "error": { "code": self.code, "message": self.message } })
    }

    /// The same as model management says it, without an envelope.
    pub(crate) fn model_management(&self, request_id: &str) -> Value {
        json!({
            "code": self.code,
            "statusCode": self.status,
            "message": self.message,
            "details": [{ "code": self.code, "message": self.message }],
            "correlation": { "RequestId": request_id },
        })
    }
}

/// Refuses a request that does not fit, with 400.
pub(crate) fn require(fits: bool, message: impl Into<String>) -> Result<(), ArmError> {
    match fits {
        true => Ok(()),
        false => Err(ArmError::bad_request(message)),
    }
}
