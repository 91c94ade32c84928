//! What containers had logged when a deployment failed.

#[cfg(feature = "services")]
use super::redact;

/// The ends of the logs of a service's containers, at the time when its deployment failed. What looks
/// like a secret is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContainerLogs {
    /// Of the container that scores.
    pub main: Option<String>,
    /// Of the container that prepares the models, which runs before it.
    pub init: Option<String>,
}

/// Lines of each log that an error shows.
const LINES: usize = 10;
/// And characters of each line.
const WIDTH: usize = 300;

impl ContainerLogs {
    #[cfg(feature = "services")]
    pub(crate) fn new(main: Option<String>, init: Option<String>) -> Self {
        let without_secrets = |log: String| redact(&log);
        Self {
            main: main.map(without_secrets),
            init: init.map(without_secrets),
        }
    }

    #[cfg(feature = "services")]
    pub(crate) fn is_empty(&self) -> bool {
        self.main.is_none() && self.init.is_none()
    }

    /// The last lines of each, with the container that they are of.
    pub(super) fn last_lines(&self) -> impl Iterator<Item = (&'static str, String)> {
        let logs = [("init", &self.init), ("main", &self.main)];
        logs.into_iter().flat_map(|(container, log)| {
            let text = log.as_deref().unwrap_or_default();
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let mut last: Vec<&str> = lines.rev().take(LINES).collect();
            last.reverse();
            let shown = |line: &str| line.trim_end().chars().take(WIDTH).collect();
            let lines: Vec<(&str, String)> = last
                .into_iter()
                .map(|line| (container, shown(line)))
                .collect();
            lines
        })
    }
}
