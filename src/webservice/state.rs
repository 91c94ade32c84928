//! The states of a web service.

use crate::names::open_words;
use std::convert::Infallible;
use std::str::FromStr;

/// The state of a web service.
///
/// An open set: the service adds words, and only [`Healthy`](Self::Healthy) and
/// [`Failed`](Self::Failed) are final.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServiceState {
    /// It could not be deployed. Final.
    Failed,
    /// It can be called. Final.
    Healthy,
    /// It is being deployed or updated.
    Transitioning,
    /// It is deployed but does not answer: not yet, or no longer.
    Unhealthy,
    /// The cluster has no room for it, for now.
    Unschedulable,
    /// A word that this crate does not know, kept as it is.
    UnknownValue(String),
}

open_words!(ServiceState: Failed, Healthy, Transitioning, Unhealthy, Unschedulable);

impl ServiceState {
    /// Returns whether the state is final: it does not change by itself.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Failed | Self::Healthy)
    }
}

impl From<&str> for ServiceState {
    /// Reads a word of the service, in any case and without the blanks around it.
    fn from(word: &str) -> Self {
        Self::read(word)
    }
}

impl From<String> for ServiceState {
    fn from(word: String) -> Self {
        Self::from(word.as_str())
    }
}

impl FromStr for ServiceState {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Infallible> {
        Ok(Self::from(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case_and_unknown_ones_are_kept() {
        for word in [
            "Failed",
            "Healthy",
            "Transitioning",
            "Unhealthy",
            "Unschedulable",
            "New",
        ] {
            let state = ServiceState::from(format!(" {word}"));
            assert_eq!(state.as_str(), word);
            assert_eq!(state.is_final(), ["Failed", "Healthy"].contains(&word));
            let same = word == "New" || word.to_uppercase().parse() == Ok(state);
            assert!(same, "{word}");
        }
        let unknown = ServiceState::UnknownValue("New".into());
        assert_eq!(ServiceState::from("New"), unknown);
    }
}
