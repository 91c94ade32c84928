//! Who watches a wait: a callback, and lines on standard error.

use super::progress::Progress;
use crate::error::Error;
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

pub(super) type Callback = Arc<dyn Fn(&Progress) + Send + Sync>;

/// Tells whoever watches.
pub(crate) struct Observer {
    display: Option<Display>,
    callback: Option<Callback>,
}

impl Observer {
    pub(super) fn new(show_output: bool, callback: Option<Callback>) -> Self {
        let display = show_output.then(|| Display {
            live: std::io::stderr().is_terminal(),
            shown: None,
        });
        Self { display, callback }
    }

    /// Before the pause of one operation.
    pub(crate) fn progress(&mut self, progress: &Progress) {
        if let Some(display) = &mut self.display {
            display.show(state(progress), progress.elapsed);
        }
        self.call(progress);
    }

    /// The end of one operation.
    pub(crate) fn end(&mut self, progress: &Progress, error: Option<&Error>) {
        if let Some(display) = &mut self.display {
            let how = match error {
                None => "done".to_owned(),
                Some(error) => format!("{:?}", error.kind()),
            };
            let subject = subject(progress);
            display.end(&format!("{subject}: {how} ({})", clock(progress.elapsed)));
        }
    }

    /// Whether somebody wants to know of each of many operations.
    pub(super) fn calls(&self) -> bool {
        self.callback.is_some()
    }

    /// Before the pause of one of many operations, which has no line of its own.
    pub(super) fn call(&self, progress: &Progress) {
        if let Some(callback) = &self.callback {
            callback(progress);
        }
    }

    /// How many operations stand.
    pub(super) fn tally(&mut self, tally: &Tally) {
        if let Some(display) = &mut self.display {
            display.show(tally.to_string(), tally.began.elapsed());
        }
    }

    /// The end of many operations.
    pub(super) fn end_of_all(&mut self, tally: &Tally) {
        if let Some(display) = &mut self.display {
            display.end(&format!("{tally} ({})", clock(tally.began.elapsed())));
        }
    }

    /// Whether there is a line whose time goes on between two reads.
    pub(super) fn is_live(&self) -> bool {
        self.display.as_ref().is_some_and(|display| display.live)
    }

    pub(super) fn redraw(&self) {
        if let Some(display) = &self.display {
            display.redraw();
        }
    }
}

/// How often a live line is drawn anew.
pub(super) const TICK: Duration = Duration::from_secs(1);

/// How many of many operations have ended.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub(super) all: usize,
    pub(super) done: usize,
    pub(super) failed: usize,
    pub(super) began: Instant,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            all, done, failed, ..
        } = self;
        write!(f, "wait for {all} operations: {done} done")?;
        if *failed > 0 {
            write!(f, ", {failed} failed")?;
        }
        match all - done - failed {
            0 => Ok(()),
            left => write!(f, ", {left} going on"),
        }
    }
}

/// Lines on standard error.
struct Display {
    live: bool,
    shown: Option<Shown>,
}

/// What was shown last: the line without its time, which goes on from here.
struct Shown {
    state: String,
    elapsed: Duration,
    at: Instant,
}

impl Display {
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
        if let Some(shown) = &self.shown {
            let elapsed = shown.elapsed + shown.at.elapsed();
            self.write(&live(&format!("{} ({})", shown.state, clock(elapsed))));
        }
    }

    fn end(&mut self, line: &str) {
        let line = if self.live {
            live(line)
        } else {
            line.to_owned()
        };
        self.write(&format!("{line}\n"));
        self.shown = None;
    }

    /// A closed standard error must not end the wait.
    fn write(&self, text: &str) {
        let mut stderr = std::io::stderr().lock();
        let _ = stderr
            .write_all(text.as_bytes())
            .and_then(|()| stderr.flush());
    }
}

/// Back to the start of the line, the text cut at the edge of the terminal (a line that wraps could not
/// be gone back over), and what is left of the old one cleared.
fn live(line: &str) -> String {
    format!("\r\x1b[?7l{line}\x1b[K\x1b[?7h")
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
            workspace: Some("w".into()),
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

    #[test]
    fn many_operations_have_one_line_with_how_they_stand() {
        let tally = |all, done, failed| {
            let began = Instant::now();
            Tally {
                all,
                done,
                failed,
                began,
            }
            .to_string()
        };
        assert_eq!(
            tally(30, 0, 0),
            "wait for 30 operations: 0 done, 30 going on"
        );
        assert_eq!(
            tally(30, 12, 2),
            "wait for 30 operations: 12 done, 2 failed, 16 going on"
        );
        assert_eq!(tally(30, 30, 0), "wait for 30 operations: 30 done");
    }

    #[test]
    fn a_live_line_is_cut_at_the_edge_and_leaves_nothing_of_the_old_one() {
        assert_eq!(live("x"), "\r\x1b[?7lx\x1b[K\x1b[?7h");
    }
}
