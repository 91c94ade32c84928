//! The observers of a wait: a callback, and lines on standard error.

use super::progress::Progress;
use crate::error::{Error, ErrorKind};
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

pub(super) type Callback = Arc<dyn Fn(&Progress) + Send + Sync>;

/// Reports the progress to the observers of a wait.
pub(crate) struct Observer {
    display: Option<Display>,
    callback: Option<Callback>,
}

impl Observer {
    pub(super) fn new(show_output: bool, callback: Option<Callback>) -> Self {
        let display = show_output.then(|| Display {
            live: std::io::stderr().is_terminal() && !is_dumb(),
            shown: None,
        });
        Self { display, callback }
    }

    /// Reports the progress of one operation before a pause.
    pub(crate) fn progress(&mut self, progress: &Progress) {
        if let Some(display) = &mut self.display {
            display.log(&progress.log);
            display.show(state(progress), progress.elapsed);
        }
        self.call(progress);
    }

    /// Reports the end of one operation.
    pub(crate) fn end(&mut self, progress: &Progress, error: Option<&Error>) {
        if let Some(display) = &mut self.display {
            display.log(&progress.log);
            display.end(&end(progress, error));
        }
    }

    /// Returns whether there is a callback, which is called for each of many operations.
    pub(super) fn calls(&self) -> bool {
        self.callback.is_some()
    }

    /// Calls the callback for one of many operations, which has no line of its own, before a pause and at its end.
    pub(super) fn call(&self, progress: &Progress) {
        let Some(callback) = &self.callback else {
            return;
        };
        // It may write to the terminal, too.
        if let Some(display) = &self.display {
            display.hide();
        }
        callback(progress);
        self.redraw();
    }

    /// Prints a line for one of many operations that has not succeeded.
    pub(super) fn failure(&mut self, progress: &Progress, error: &Error) {
        if let Some(display) = &mut self.display {
            display.hide();
            // The same name may stand in several workspaces.
            let place = progress
                .workspace
                .as_deref()
                .map_or_else(String::new, |workspace| {
                    format!("{}: ", printable(workspace))
                });
            display.write(&format!("{place}{}\n", end(progress, Some(error))));
            display.redraw();
        }
    }

    /// Shows how many operations have ended, and how.
    pub(super) fn tally(&mut self, tally: &Tally) {
        if tally.all > 0
            && let Some(display) = &mut self.display
        {
            display.show(tally.to_string(), tally.began.elapsed());
        }
    }

    /// Reports the end of many operations.
    pub(super) fn end_of_all(&mut self, tally: &Tally) {
        if tally.all > 0
            && let Some(display) = &mut self.display
        {
            let left = match tally.left() {
                0 => "",
                _ => ": the deadline has passed, and they may still run",
            };
            display.end(&format!("{tally}{left} ({})", clock(tally.began.elapsed())));
        }
    }

    /// Returns whether there is a line whose time is updated between two reads.
    pub(super) fn is_live(&self) -> bool {
        self.display.as_ref().is_some_and(|display| display.live)
    }

    pub(super) fn redraw(&self) {
        if let Some(display) = &self.display {
            display.redraw();
        }
    }
}

/// The interval at which a live line is redrawn.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// The number of operations by how they ended.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub(super) all: usize,
    pub(super) done: usize,
    pub(super) failed: usize,
    /// The end of these is not known; they may still run.
    pub(super) lost: usize,
    /// The reason why the state of some of them is not known for now.
    pub(super) trouble: Option<String>,
    pub(super) began: Instant,
}

impl Tally {
    fn left(&self) -> usize {
        self.all - self.done - self.failed - self.lost
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plural = if self.all == 1 { "" } else { "s" };
        write!(
            f,
            "wait for {} operation{plural}: {} done",
            self.all, self.done
        )?;
        for (count, what) in [
            (self.failed, "failed"),
            (self.lost, "lost"),
            (self.left(), "going on"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        match &self.trouble {
            Some(trouble) => write!(f, "; {trouble}"),
            None => Ok(()),
        }
    }
}

/// Returns whether the terminal supports plain text only.
fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// Lines on standard error.
struct Display {
    live: bool,
    shown: Option<Shown>,
}

/// The line as last shown, without its time, which is updated from here.
struct Shown {
    state: String,
    elapsed: Duration,
    at: Instant,
}

impl Display {
    /// Prints the log lines of the service: each line stays.
    fn log(&self, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        self.hide();
        for line in lines {
            self.write(&format!("  {}\n", printable(line)));
        }
    }

    fn show(&mut self, state: String, elapsed: Duration) {
        let known = self
            .shown
            .as_ref()
            .is_some_and(|shown| shown.state == state);
        if !self.live && !known {
            self.write(&format!("{state} ({})\n", clock(elapsed)));
        }
        self.shown = Some(Shown {
            state,
            elapsed,
            at: Instant::now(),
        });
        if self.live {
            self.redraw();
        }
    }

    fn redraw(&self) {
        if self.live
            && let Some(shown) = &self.shown
        {
            let elapsed = shown.elapsed + shown.at.elapsed();
            self.write(&live(&format!("{} ({})", shown.state, clock(elapsed))));
        }
    }

    /// Prints the last line, which stays, so it may wrap.
    fn end(&mut self, line: &str) {
        self.hide();
        self.write(&format!("{line}\n"));
        self.shown = None;
    }

    fn hide(&self) {
        if self.live {
            self.write("\r\x1b[K");
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

impl Drop for Display {
    /// A wait that is dropped leaves the next line to whoever writes next.
    fn drop(&mut self) {
        if self.live && self.shown.is_some() {
            self.write("\n");
        }
    }
}

/// Back to the start of the line, the text cut at the edge of the terminal (a line that wraps could not
/// be gone back over), and what is left of the old one cleared.
fn live(line: &str) -> String {
    format!("\r\x1b[?7l{line}\x1b[K\x1b[?7h")
}

/// Returns in words how it ended.
fn end(progress: &Progress, error: Option<&Error>) -> String {
    let how = match error {
        None => "done".to_owned(),
        Some(error) => {
            let how = match error.kind() {
                ErrorKind::OperationCanceled => "cancelled",
                ErrorKind::OperationFailed => "failed",
                ErrorKind::DeadlineExceeded => "the deadline has passed, and it may still run",
                ErrorKind::ResultUnavailable => "done, but its result cannot be read",
                _ if error.may_still_run() => "its status is lost, and it may still run",
                _ => "failed",
            };
            match error.code() {
                Some(code) => format!("{how}, {}", printable(code)),
                None => how.to_owned(),
            }
        }
    };
    format!("{}: {how} ({})", subject(progress), clock(progress.elapsed))
}

/// Control characters of the service must not reach the terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
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
    line.push_str(&printable(progress.status.as_deref().unwrap_or("accepted")));
    if let Some(percent) = progress.percent {
        line.push_str(&format!(", {percent:.0} %"));
    }
    if let Some(error) = &progress.last_error {
        line.push_str(", ");
        line.push_str(&printable(error));
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
    fn progress_line_shows_operation_state_and_duration() {
        let progress = Progress {
            verb: Some(Verb::Create),
            workspace: Some("w".into()),
            target: "myaks".into(),
            status: Some("Creating\x1b[31m".into()),
            class: StatusClass::InProgress,
            percent: Some(41.6),
            polls: 3,
            elapsed: Duration::from_secs(3725),
            next_delay: Duration::from_secs(5),
            last_error: Some("connection reset".into()),
            log: Vec::new(),
        };
        assert_eq!(
            state(&progress),
            "create myaks: Creating[31m, 42 %, connection reset"
        );
        assert_eq!(clock(progress.elapsed), "1:02:05");
        assert_eq!(clock(Duration::from_secs(65)), "1:05");
    }

    #[test]
    fn many_operations_have_one_line_with_how_they_stand() {
        let tally = |all, done, failed, lost| {
            let (trouble, began) = (None, Instant::now());
            let tally = Tally {
                all,
                done,
                failed,
                lost,
                trouble,
                began,
            };
            tally.to_string()
        };
        assert_eq!(
            tally(1, 0, 0, 0),
            "wait for 1 operation: 0 done, 1 going on"
        );
        assert_eq!(
            tally(30, 12, 2, 3),
            "wait for 30 operations: 12 done, 2 failed, 3 lost, 13 going on"
        );
        assert_eq!(tally(30, 30, 0, 0), "wait for 30 operations: 30 done");
    }

    #[test]
    fn live_line_is_cut_at_the_edge_and_leaves_nothing_of_the_old_one() {
        assert_eq!(live("x"), "\r\x1b[?7lx\x1b[K\x1b[?7h");
    }
}
