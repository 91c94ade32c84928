//! The states of a compute.

use crate::names::open_words;

/// The provisioning state of a compute.
///
/// An open set: a word that is not listed here becomes [`UnknownValue`](Self::UnknownValue).
///
/// ```
/// use azureml_aks::models::ComputeState;
///
/// assert_eq!(ComputeState::of("succeeded"), ComputeState::Succeeded);
/// assert!(ComputeState::of("Succeeded").is_ready());
/// assert!(!ComputeState::of("Resizing").is_final());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ComputeState {
    /// The compute is being created or attached.
    Creating,
    /// The compute is being changed.
    Updating,
    /// The compute is being deleted or detached.
    Deleting,
    /// The compute can be used. Final.
    Succeeded,
    /// The last operation failed. Final.
    Failed,
    /// The last operation was canceled. Final.
    Canceled,
    /// The service does not know the state; it writes `Unknown`.
    Unknown,
    /// Another word of the service.
    UnknownValue(String),
}

open_words!(ComputeState: Creating, Updating, Deleting, Succeeded, Failed, Canceled, Unknown);

impl ComputeState {
    /// Reads a word of the service, in any case.
    #[must_use]
    pub fn of(word: &str) -> Self {
        Self::read(word)
    }

    /// Returns whether the compute can be used.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Succeeded)
    }

    /// Returns whether the last operation ended without success: it failed or was canceled.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        matches!(self, Self::Failed | Self::Canceled)
    }

    /// Returns whether the compute stays in this state by itself.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.is_ready() || self.is_failed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case_and_unknown_ones_are_kept() {
        let states = [
            ("Creating", false, false),
            ("Updating", false, false),
            ("Deleting", false, false),
            ("Succeeded", true, false),
            ("Failed", false, true),
            ("Canceled", false, true),
            ("Unknown", false, false),
            ("New", false, false),
        ];
        for (word, ready, failed) in states {
            let state = ComputeState::of(&format!(" {word}"));
            assert_eq!(state.to_string(), word);
            assert_eq!(state.is_ready(), ready, "{word}");
            assert_eq!(state.is_failed(), failed, "{word}");
            assert_eq!(state.is_final(), ready || failed, "{word}");
            let same = word == "New" || ComputeState::of(&word.to_uppercase()) == state;
            assert!(same, "{word}");
            assert_eq!(
                matches!(state, ComputeState::UnknownValue(_)),
                word == "New"
            );
        }
    }
}
