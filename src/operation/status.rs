//! The status words of operations and resources.

use crate::error::{Hidden, ServiceError};
use crate::json::StatusDocument;
use crate::token::TokenParts;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::fmt;

/// The meaning of a status for the wait.
///
/// `Display` and `Serialize` give the word of [`as_str`](Self::as_str).
///
/// ```
/// use azureml_aks::models::StatusClass;
///
/// assert_eq!(StatusClass::from("Cancelled").to_string(), "canceled");
/// assert_eq!(StatusClass::from("Creating").to_string(), "in_progress");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StatusClass {
    /// The operation was cancelled.
    Canceled,
    /// The operation failed.
    Failed,
    /// Every other status, known or not: only four words end an operation.
    InProgress,
    /// The operation succeeded.
    Succeeded,
}

impl StatusClass {
    /// Reads a status: trimmed, in any letter case.
    ///
    /// Unknown words count as in progress. An allow-list broke other clients when the
    /// service added a word, and "unknown means done" broke others.
    #[must_use]
    pub fn of(status: &str) -> Self {
        let status = status.trim();
        let is = |word: &str| status.eq_ignore_ascii_case(word);
        if is("succeeded") || is("completed") {
            Self::Succeeded
        } else if is("failed") {
            Self::Failed
        } else if is("canceled") || is("cancelled") {
            Self::Canceled
        } else {
            Self::InProgress
        }
    }

    /// Returns the class as a word: `canceled`, `failed`, `in_progress` or `succeeded`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Canceled => "canceled",
            Self::Failed => "failed",
            Self::InProgress => "in_progress",
            Self::Succeeded => "succeeded",
        }
    }

    /// Returns whether the operation has ended.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        self != Self::InProgress
    }
}

impl From<&str> for StatusClass {
    /// Reads a status, as [`of`](Self::of) does.
    fn from(status: &str) -> Self {
        Self::of(status)
    }
}

impl fmt::Display for StatusClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for StatusClass {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// `properties.provisioningState` of a resource; missing where it is empty or not text.
pub(crate) fn provisioning_state(resource: &Value) -> Option<&str> {
    let properties = resource.get("properties")?;
    let state = properties
        .get("provisioningState")
        .or_else(|| properties.get("ProvisioningState"))?
        .as_str()?;
    (!state.trim().is_empty()).then_some(state)
}

/// The service that a resource belongs to, and so how its documents are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Arm,
    ModelManagement,
}

impl Protocol {
    /// Returns the protocol of the resource of a token.
    pub(crate) fn of(token: &TokenParts) -> Self {
        match token.is_service() {
            true => Self::ModelManagement,
            false => Self::Arm,
        }
    }

    /// Returns the state that a resource gives; `None` if it is empty or not text.
    pub(crate) fn state(self, resource: &Value) -> Option<&str> {
        match self {
            Self::Arm => provisioning_state(resource),
            Self::ModelManagement => {
                let state = resource.get("state")?.as_str()?;
                (!state.trim().is_empty()).then_some(state)
            }
        }
    }

    /// Returns the meaning of such a state.
    pub(crate) fn class(self, state: &str) -> StatusClass {
        match self {
            Self::Arm => StatusClass::of(state),
            // `Unhealthy`, `Unschedulable` and words of another year may still become one of these.
            Self::ModelManagement if state.trim().eq_ignore_ascii_case("healthy") => {
                StatusClass::Succeeded
            }
            Self::ModelManagement if state.trim().eq_ignore_ascii_case("failed") => {
                StatusClass::Failed
            }
            Self::ModelManagement => StatusClass::InProgress,
        }
    }

    /// Returns why a resource failed, if the resource says so.
    pub(crate) fn reason(self, resource: &Value, hidden: &Hidden) -> Option<ServiceError> {
        match self {
            Self::Arm => ServiceError::of_provisioning(resource, hidden),
            Self::ModelManagement => {
                let error = serde_json::json!({ "error": resource.get("error")? });
                ServiceError::find(&error, hidden)
            }
        }
    }
}

/// Returns whether a provisioning state is that of a resource that is being deleted.
pub(crate) fn is_deleting(state: &str) -> bool {
    state.trim().eq_ignore_ascii_case("Deleting")
}

/// Returns the status in the answer of a status monitor.
///
/// `status`; else the provisioning state of a resource (some services answer with the resource);
/// else, if the body is the target itself, it has no state because it is ready.
pub(crate) fn monitor_status<'a>(
    document: &'a StatusDocument<'_>,
    target_path: &str,
) -> Option<&'a str> {
    if let Some(status) = document.status().or_else(|| document.provisioning_state()) {
        return Some(status);
    }
    let id = document.id.as_deref()?;
    let same = id
        .trim_matches('/')
        .eq_ignore_ascii_case(target_path.trim_matches('/'));
    same.then_some("Succeeded")
}

/// Returns whether the body of a `Location` read is an operation's status rather than a result.
pub(crate) fn is_operation_shaped(body: &Value) -> bool {
    body.get("status").is_some_and(Value::is_string)
        && (body.get("error").is_some() || body.get("startTime").is_some())
        && body.get("type").is_none()
}

/// `percentComplete`, where it is a number from 0 to 100.
pub(crate) fn percent(document: &StatusDocument<'_>) -> Option<f64> {
    document
        .percent_complete
        .filter(|percent| (0.0..=100.0).contains(percent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_the_terminal_words_end_an_operation() {
        for word in ["Succeeded", "SUCCEEDED", " succeeded ", "Completed"] {
            assert_eq!(StatusClass::of(word), StatusClass::Succeeded, "{word}");
        }
        for word in ["Canceled", "cancelled"] {
            assert_eq!(StatusClass::of(word), StatusClass::Canceled, "{word}");
        }
        assert_eq!(StatusClass::of("Failed"), StatusClass::Failed);
        for word in [
            "Creating",
            "ProvisionNetworkResources",
            "InProgress:{\"x\":1}",
            "",
            "Ready",
        ] {
            assert_eq!(StatusClass::of(word), StatusClass::InProgress, "{word}");
        }
    }

    #[test]
    fn class_has_one_word_for_display_and_serialisation() {
        for (class, word) in [
            (StatusClass::Canceled, "canceled"),
            (StatusClass::Failed, "failed"),
            (StatusClass::InProgress, "in_progress"),
            (StatusClass::Succeeded, "succeeded"),
        ] {
            assert_eq!(class.to_string(), word);
            assert_eq!(serde_json::to_value(class).unwrap(), word);
        }
    }

    #[test]
    fn status_that_is_no_text_is_missing() {
        for body in [
            json!({}),
            json!({"status": null}),
            json!({"status": ""}),
            json!({"status": 1}),
        ] {
            let document = StatusDocument::of(&body).unwrap();
            assert_eq!(monitor_status(&document, "/a"), None, "{body}");
        }
    }

    #[test]
    fn monitor_may_answer_with_the_resource() {
        for (body, expected) in [
            (
                json!({"properties": {"provisioningState": "Creating"}}),
                Some("Creating"),
            ),
            (json!({"id": "/A/"}), Some("Succeeded")),
            (json!({"id": "/b"}), None),
        ] {
            let document = StatusDocument::of(&body).unwrap();
            assert_eq!(monitor_status(&document, "/a"), expected, "{body}");
        }
    }

    #[test]
    fn list_is_refused_as_a_document() {
        let list = StatusDocument::read(br#"["/a", 50.0, null, "Succeeded"]"#);
        assert!(list.unwrap().is_none());
    }
}
