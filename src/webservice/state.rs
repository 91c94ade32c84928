//! The states of a web service.

use std::fmt;

/// How a web service stands.
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
    /// It is deployed and does not answer, yet or any more.
    Unhealthy,
    /// The cluster has no room for it, for now.
    Unschedulable,
    /// Another word of the service.
    Other(String),
}

impl ServiceState {
    /// Reads a word of the service, in any case.
    #[must_use]
    pub fn of(word: &str) -> Self {
        let trimmed = word.trim();
        [
            Self::Failed,
            Self::Healthy,
            Self::Transitioning,
            Self::Unhealthy,
            Self::Unschedulable,
        ]
        .into_iter()
        .find(|state| state.as_str().eq_ignore_ascii_case(trimmed))
        .unwrap_or_else(|| Self::Other(trimmed.to_owned()))
    }

    /// The word of the service.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Failed => "Failed",
            Self::Healthy => "Healthy",
            Self::Transitioning => "Transitioning",
            Self::Unhealthy => "Unhealthy",
            Self::Unschedulable => "Unschedulable",
            Self::Other(word) => word,
        }
    }

    /// Whether it stays so by itself.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Failed | Self::Healthy)
    }
}

impl fmt::Display for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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
            let state = ServiceState::of(&format!(" {word}"));
            assert_eq!(state.as_str(), word);
            assert_eq!(state.is_final(), ["Failed", "Healthy"].contains(&word));
            let same = word == "New" || ServiceState::of(&word.to_uppercase()) == state;
            assert!(same, "{word}");
        }
        assert_eq!(ServiceState::of("New"), ServiceState::Other("New".into()));
    }
}
