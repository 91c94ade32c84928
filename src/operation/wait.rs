//! How long to wait, and who watches.

use super::progress::Progress;
use crate::error::Error;
use std::fmt;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

type Callback = Arc<dyn Fn(&Progress) + Send + Sync>;

/// How to wait for a long-running operation.
///
/// The default waits for two hours at most, at the service's pace, and shows nothing. A create
/// takes 10 to 20 minutes and an attach about 5 by the service's documentation; attaches of more
/// than 100 minutes were reported.
///
/// ```
/// use azureml_aks::WaitOptions;
/// use std::time::Duration;
///
/// let options = WaitOptions::new()
///     .deadline(Duration::from_secs(45 * 60))
///     .on_progress(|progress| eprintln!("{:?} after {:?}", progress.status, progress.elapsed));
/// # let _ = options;
/// ```
#[derive(Clone)]
#[must_use]
pub struct WaitOptions {
    deadline: Option<Duration>,
    floor: Duration,
    show_output: bool,
    callback: Option<Callback>,
}

impl WaitOptions {
    /// The deadline where none is given: two hours.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(2 * 3600);

    /// The defaults.
    pub fn new() -> Self {
        Self {
            deadline: Some(Self::DEFAULT_DEADLINE),
            floor: Duration::from_secs(1),
            show_output: false,
            callback: None,
        }
    }

    /// Ends the wait after this time, with an error that carries a resume token. The operation
    /// itself goes on. Apart from the timeout of a single request.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Waits as long as it takes.
    pub fn no_deadline(mut self) -> Self {
        self.deadline = None;
        self
    }

    /// The shortest pause between two reads of the status; one second by default.
    pub fn poll_floor(mut self, floor: Duration) -> Self {
        self.floor = floor;
        self
    }

    /// Shows the progress on standard error: one live line on a terminal, a plain line for each
    /// change elsewhere. Off by default: this library does not print.
    pub fn show_output(mut self, show: bool) -> Self {
        self.show_output = show;
        self
    }

    /// Calls `callback` before each pause. It should not block.
    pub fn on_progress(mut self, callback: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.callback = Some(Arc::new(callback));
        self
    }

    pub(crate) fn limit(&self) -> Option<Duration> {
        self.deadline
    }

    pub(crate) fn floor(&self) -> Duration {
        self.floor
    }

    pub(crate) fn observer(&self) -> Observer {
        let display = self.show_output.then(|| Display {
            live: std::io::stderr().is_terminal(),
            shown: None,
        });
        Observer {
            display,
            callback: self.callback.clone(),
        }
    }
}

impl Default for WaitOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for WaitOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitOptions")
            .field("deadline", &self.deadline)
            .field("poll_floor", &self.floor)
            .field("show_output", &self.show_output)
            .field("on_progress", &self.callback.is_some())
            .finish()
    }
}

/// Tells whoever watches.
pub(crate) struct Observer {
    display: Option<Display>,
    callback: Option<Callback>,
}

impl Observer {
    pub(crate) fn progress(&mut self, progress: &Progress) {
        if let Some(display) = &mut self.display {
            display.progress(progress);
        }
        if let Some(callback) = &self.callback {
            callback(progress);
        }
    }

    pub(crate) fn end(&mut self, progress: &Progress, error: Option<&Error>) {
        if let Some(display) = &mut self.display {
            display.end(progress, error);
        }
    }
}

/// Lines on standard error.
struct Display {
    live: bool,
    /// What was shown last, without the time.
    shown: Option<String>,
}

impl Display {
    fn progress(&mut self, progress: &Progress) {
        let state = state(progress);
        let line = format!("{state} ({})", clock(progress.elapsed));
        if self.live {
            // Back to the start of the line, and clear what is left of the old one.
            self.write(&format!("\r{line}\x1b[K"));
        } else if self.shown.as_ref() != Some(&state) {
            self.write(&format!("{line}\n"));
        }
        self.shown = Some(state);
    }

    fn end(&mut self, progress: &Progress, error: Option<&Error>) {
        let how = match error {
            None => "done".to_owned(),
            Some(error) => format!("{:?}", error.kind()),
        };
        let subject = subject(progress);
        let line = format!("{subject}: {how} ({})", clock(progress.elapsed));
        if self.live {
            self.write(&format!("\r{line}\x1b[K\n"));
        } else {
            self.write(&format!("{line}\n"));
        }
    }

    /// A closed standard error must not end the wait.
    fn write(&self, text: &str) {
        let mut stderr = std::io::stderr().lock();
        let _ = stderr
            .write_all(text.as_bytes())
            .and_then(|()| stderr.flush());
    }
}

fn subject(progress: &Progress) -> String {
    match progress.verb {
        Some(verb) => format!("{verb} {}", progress.target),
        None => progress.target.clone(),
    }
}

fn state(progress: &Progress) -> String {
    let mut line = subject(progress);
    line.push_str(": ");
    // Control characters of the service must not reach the terminal.
    let status = progress.status.as_deref().unwrap_or("accepted");
    line.extend(status.chars().filter(|c| !c.is_control()));
    if let Some(percent) = progress.percent {
        line.push_str(&format!(", {percent:.0} %"));
    }
    if let Some(error) = &progress.last_error {
        line.push_str(", ");
        line.extend(error.chars().filter(|c| !c.is_control()));
    }
    line
}

fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::StatusClass;
    use crate::token::Verb;

    #[test]
    fn a_line_says_what_runs_how_it_stands_and_for_how_long() {
        let progress = Progress {
            verb: Some(Verb::Create),
            target: "myaks".into(),
            status: Some("Creating\x1b[31m".into()),
            class: StatusClass::InProgress,
            percent: Some(41.6),
            polls: 3,
            elapsed: Duration::from_secs(3725),
            next_delay: Duration::from_secs(5),
            last_error: Some("connection reset".into()),
        };
        assert_eq!(
            state(&progress),
            "create myaks: Creating[31m, 42 %, connection reset"
        );
        assert_eq!(clock(progress.elapsed), "1:02:05");
        assert_eq!(clock(Duration::from_secs(65)), "1:05");
    }
}
