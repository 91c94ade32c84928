//! The options of a wait: its deadline and the receiver of its progress.

use super::display::{Callback, Observer};
use super::progress::Progress;
use crate::transport::limits::polls;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The options of a wait for a long-running operation.
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
    /// The deadline if none is given: two hours.
    pub const DEFAULT_DEADLINE: Duration = polls::DEADLINE;

    /// Returns the default options.
    pub fn new() -> Self {
        Self {
            deadline: Some(Self::DEFAULT_DEADLINE),
            floor: polls::FLOOR,
            show_output: false,
            callback: None,
        }
    }

    /// Ends the wait after this time, with an error that carries a resume token. The operation
    /// itself continues. Each wait counts from its own start, independently of the timeout of a single request.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Removes the deadline: waits as long as it takes.
    pub fn no_deadline(mut self) -> Self {
        self.deadline = None;
        self
    }

    /// Sets the shortest pause between two reads of the status; one second by default.
    pub fn poll_floor(mut self, floor: Duration) -> Self {
        self.floor = floor;
        self
    }

    /// Shows the progress on standard error: one live line on a terminal, a plain line for each
    /// change elsewhere. Off by default: this library does not print.
    ///
    /// There is one such line: of several waits at once each would overwrite it. Use
    /// [`wait_all`](crate::wait_all) for these.
    pub fn show_output(mut self, show: bool) -> Self {
        self.show_output = show;
        self
    }

    /// Calls `callback` before each pause, in place of one that was set before. It should not block. It
    /// may write to the terminal beside [`show_output`](Self::show_output).
    pub fn on_progress(mut self, callback: impl Fn(&Progress) + Send + Sync + 'static) -> Self {
        self.callback = Some(Arc::new(callback));
        self
    }

    pub(crate) fn limit(&self) -> Option<Duration> {
        self.deadline
    }

    /// Returns the options of what is left of a wait after this time.
    pub(crate) fn after(&self, spent: Duration) -> Self {
        Self {
            deadline: self.deadline.map(|deadline| deadline.saturating_sub(spent)),
            ..self.clone()
        }
    }

    pub(crate) fn floor(&self) -> Duration {
        self.floor
    }

    pub(crate) fn observer(&self) -> Observer {
        Observer::new(self.show_output, self.callback.clone())
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
