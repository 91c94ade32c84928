//! The logs of containers from the time when a deployment failed.

use super::Hidden;
#[cfg(feature = "services")]
use super::redact;

/// The ends of the logs of a service's containers, at the time when its deployment failed: 128 KiB of each
/// at most. What looks like a secret is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContainerLogs {
    /// The log of the container that scores.
    pub main: Option<String>,
    /// The log of the container that prepares the models, which runs before it.
    pub init: Option<String>,
}

/// The most bytes of a log that are kept: an error must stay small, and a container may write megabytes.
#[cfg(feature = "services")]
const KEPT: usize = 128 << 10;

/// Returns the end of a log, from the start of a line: half a secret cannot be recognized.
#[cfg(feature = "services")]
fn end_of(log: &str) -> &str {
    let Some(cut) = log.len().checked_sub(KEPT) else {
        return log;
    };
    let cut = (cut..log.len()).find(|at| log.is_char_boundary(*at));
    let end = &log[cut.unwrap_or(log.len())..];
    end.split_once('\n').map_or("", |(_, lines)| lines)
}

/// Lines of each log that an error shows.
const LINES: usize = 10;
/// And characters of each line.
const WIDTH: usize = 300;

impl ContainerLogs {
    #[cfg(feature = "services")]
    pub(crate) fn new(main: Option<String>, init: Option<String>) -> Self {
        let without_secrets = |log: String| redact(end_of(&log));
        Self {
            main: main.map(without_secrets),
            init: init.map(without_secrets),
        }
    }

    /// Hides these secrets.
    pub(super) fn hiding(self, hidden: &Hidden) -> Self {
        let shown = |log: String| hidden.text(&log).into_owned();
        Self {
            main: self.main.map(shown),
            init: self.init.map(shown),
        }
    }

    #[cfg(feature = "services")]
    pub(crate) fn is_empty(&self) -> bool {
        self.main.is_none() && self.init.is_none()
    }

    /// Returns the last lines of each, with the container that they are of.
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

#[cfg(all(test, feature = "services"))]
mod tests {
    use super::*;

    #[test]
    fn end_of_a_log_begins_with_a_whole_line() {
        assert_eq!(end_of("a\nb"), "a\nb");
        let long = "\u{e9}".repeat(KEPT);
        assert_eq!(end_of(&long), "");
        assert_eq!(end_of(&format!("{long}\nb\nc")), "b\nc");
        // The name before the secret is cut off: so is the secret.
        let secret = "s3cr3t".repeat(KEPT);
        let logs = ContainerLogs::new(Some(format!("key={secret}\nend")), None);
        assert_eq!(logs.main.as_deref(), Some("end"));
    }
}
