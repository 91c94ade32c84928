//! The state of an operation as a list of all computes shows it.
//!
//! A row is weaker than a monitor. It may be older than the operation (a replica that lags, an update
//! that the compute does not show yet), and a missing one may be a page that shifted. So a row tells
//! by itself only that something still runs; if its state is final or it is missing, the monitor is read once,
//! and settles it.

use super::{Machine, Mode, Phase, Step};
use crate::json::Row;
use crate::operation::schedule::Pace;
use crate::operation::status::{StatusClass, is_deleting};
use crate::token::HttpVerb;
use crate::transport::limits::failures;
use serde_json::value::RawValue;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// The rows as last read.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// The operation makes the resource, so that every row is of its making.
    made_here: bool,
    /// A row, or the state at the start of the wait, showed the resource in a state that is not final.
    seen_running: bool,
    /// `modifiedOn` as it was first seen.
    modified: Option<Box<str>>,
    /// The time since which rows show a final state without a sign that they are newer than the operation.
    unproven_since: Option<Duration>,
    /// The row for which the monitor is being read.
    asked: Option<RowState>,
    /// The row for which the monitor reported that the operation still runs.
    refuted: Option<RowState>,
    /// The row in full, where it may serve as the final resource.
    resource: Option<Box<RawValue>>,
}

/// A row in a final state, or a missing one, without its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RowState(u64);

impl RowState {
    const MISSING: Self = Self(0);

    fn of(state: Option<&str>, modified: Option<&str>) -> Self {
        let mut hasher = DefaultHasher::new();
        (state, modified).hash(&mut hasher);
        Self(hasher.finish() | 1)
    }
}

impl Rows {
    pub(super) fn begin(&mut self, modified: Option<&str>) {
        self.modified = modified.map(Into::into);
    }

    pub(super) fn seen_running(&mut self) {
        self.seen_running = true;
    }

    /// Returns the resource as the list showed it, where that is newer than the operation.
    pub(super) fn take_resource(&mut self) -> Option<Box<RawValue>> {
        self.resource
            .take()
            .filter(|row| row.get().starts_with('{'))
    }
}

impl Machine {
    /// Says that the resource did not exist before the operation.
    #[must_use]
    pub(crate) fn made_here(mut self) -> Self {
        self.rows.made_here = true;
        self
    }

    /// Returns whether rows of a list show the state of the operation, so that nothing is read for it alone.
    ///
    /// Not while a read of its own is due (a probe, the result), and not while the list shows what the
    /// monitor contradicts.
    pub(crate) fn follows_rows(&self) -> bool {
        matches!(self.phase, Phase::Status)
            && self.rows.refuted.is_none()
            && self.verb != HttpVerb::Post
    }

    pub(super) fn row(&mut self, row: &Row<'_>, elapsed: Duration) -> Step {
        if !matches!(self.phase, Phase::Status) {
            return Step::Watch;
        }
        let (state, modified) = (row.state(), row.modified_on());
        let class = state.map_or(StatusClass::Succeeded, StatusClass::of);
        if class == StatusClass::InProgress {
            self.judges = false;
            self.note(state, None);
            // A successful read: earlier failures no longer count.
            self.recovered();
            self.mute = 0;
            // Of a removal only its own work counts: the list may still show what went before.
            self.seen_running |= self.verb != HttpVerb::Delete || state.is_some_and(is_deleting);
            self.rows = Rows {
                made_here: self.rows.made_here,
                seen_running: true,
                modified: self
                    .rows
                    .modified
                    .take()
                    .or_else(|| modified.map(Into::into)),
                ..Rows::default()
            };
            return Step::Watch;
        }
        let moved = match (&self.rows.modified, modified) {
            (Some(before), Some(now)) => **before != *now,
            (None, Some(now)) => {
                self.rows.modified = Some(now.into());
                false
            }
            (_, None) => false,
        };
        // A row without a state proves nothing; one whose `modifiedOn` is there and did not move may be that
        // of a replica that never saw the operation.
        let has_state = state.is_some();
        let dated = self.rows.modified.is_some() && modified.is_some();
        let newer = has_state && (moved || self.rows.seen_running);
        let serves =
            has_state && (self.rows.made_here || moved || (self.rows.seen_running && !dated));
        let makes = matches!(self.verb, HttpVerb::Put | HttpVerb::Patch);
        if matches!(self.mode, Mode::Resource) && makes {
            if newer {
                return self.end_with_row(row);
            }
            if self.judges {
                return self.ask(RowState::of(state, modified));
            }
            // It may be as it was before the operation: a while is given to show a sign. A compute that
            // is made here is asked at once: the list may still show the one before.
            let since = *self.rows.unproven_since.get_or_insert(elapsed);
            if !self.rows.made_here && elapsed.saturating_sub(since) <= failures::GRACE {
                return Step::Watch;
            }
        }
        let step = self.ask(RowState::of(state, modified));
        if step != Step::Watch && makes && serves {
            self.rows.resource = Some(row.raw.to_owned());
        }
        step
    }

    pub(super) fn no_row(&mut self) -> Step {
        match self.phase {
            Phase::Status => self.ask(RowState::MISSING),
            _ => Step::Watch,
        }
    }

    /// After the answer of a monitor: it contradicts the row for which it was asked if the operation
    /// still runs.
    pub(super) fn note_refuted_row(&mut self, step: Step) {
        if matches!(step, Step::Read(Pace::Regular { .. }))
            && let Some(asked) = self.rows.asked.take()
        {
            self.rows.refuted = Some(asked);
            self.rows.resource = None;
        }
    }

    /// One read settles what the list shows, unless it did so before.
    fn ask(&mut self, state: RowState) -> Step {
        if self.rows.refuted == Some(state) {
            return Step::Watch;
        }
        self.rows.refuted = None;
        self.rows.resource = None;
        self.rows.asked = Some(state);
        Step::Read(Pace::Now)
    }

    fn end_with_row(&mut self, row: &Row<'_>) -> Step {
        self.note(row.state(), None);
        self.end_with_resource(Some(row.raw.to_owned()), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::step::{Observation, Outcome};
    use crate::transport::{Answer, TrustedOrigins};
    use serde_json::Value;
    use serde_json::json;
    use url::Url;

    fn resource(state: &str, modified: &str) -> Value {
        json!({ "name": "a", "properties": { "provisioningState": state, "modifiedOn": modified } })
    }

    /// A PUT that was answered with this state; with a monitor or without.
    fn put(state: &str, monitored: bool) -> Machine {
        let url = Url::parse("https://management.azure.com/computes/a?api-version=1").unwrap();
        let origins = TrustedOrigins::new(url.clone());
        let headers: &[_] = match monitored {
            true => &[("azure-asyncoperation", "https://management.azure.com/op")],
            false => &[],
        };
        let first = match monitored {
            true => Answer::of(200, headers, resource(state, "t0").to_string().as_bytes()),
            false => Answer::of(202, headers, b""),
        };
        let verb = HttpVerb::Put;
        Machine::start(verb, &url, "id", "1", &origins, None, &first)
            .unwrap()
            .0
    }

    fn show(machine: &mut Machine, state: &str, modified: &str, elapsed: u64) -> Step {
        let raw = RawValue::from_string(resource(state, modified).to_string()).unwrap();
        let row = Row::read(&raw).unwrap();
        machine.observe(Observation::Row(&row), Duration::from_secs(elapsed))
    }

    fn hear(machine: &mut Machine, status: &str) -> Step {
        let body = json!({ "status": status }).to_string();
        let answer = Answer::of(200, &[], body.as_bytes());
        machine.observe(Observation::Answer(&answer), Duration::ZERO)
    }

    #[test]
    fn row_that_was_contradicted_is_not_asked_about_again_until_it_changes() {
        let mut machine = put("Updating", true);
        assert_eq!(
            show(&mut machine, "Succeeded", "t0", 1),
            Step::Read(Pace::Now)
        );
        assert!(matches!(
            hear(&mut machine, "InProgress"),
            Step::Read(Pace::Regular { .. })
        ));
        assert!(!machine.follows_rows());
        assert_eq!(show(&mut machine, "Succeeded", "t0", 2), Step::Watch);
        assert!(!machine.follows_rows());
        assert_eq!(
            machine.observe(Observation::NoRow, Duration::ZERO),
            Step::Read(Pace::Now)
        );
        assert!(matches!(
            hear(&mut machine, "InProgress"),
            Step::Read(Pace::Regular { .. })
        ));
        assert_eq!(
            machine.observe(Observation::NoRow, Duration::ZERO),
            Step::Watch
        );
        assert_eq!(show(&mut machine, "Updating", "t0", 3), Step::Watch);
        assert!(machine.follows_rows());
        assert_eq!(
            show(&mut machine, "Succeeded", "t0", 4),
            Step::Read(Pace::Now)
        );
    }

    #[test]
    fn row_is_the_result_only_if_it_is_newer_than_the_operation() {
        let ends = |machine: &mut Machine| match hear(machine, "Succeeded") {
            Step::Done => true,
            step => {
                assert_eq!(step, Step::Read(Pace::Now), "the compute is read");
                false
            }
        };
        // As it was before.
        let mut machine = put("Updating", true);
        show(&mut machine, "Succeeded", "t0", 1);
        assert!(!ends(&mut machine));
        // Changed since.
        let mut machine = put("Updating", true);
        show(&mut machine, "Succeeded", "t1", 1);
        assert!(ends(&mut machine));
        // Its state was not final before, and it has not changed: a replica that lags may show this.
        let mut machine = put("Updating", true);
        show(&mut machine, "Updating", "t0", 1);
        show(&mut machine, "Succeeded", "t0", 2);
        assert!(!ends(&mut machine));
        let mut machine = put("Updating", true);
        show(&mut machine, "Updating", "t0", 1);
        show(&mut machine, "Succeeded", "t1", 2);
        assert!(ends(&mut machine));
        // Of its own making.
        let mut machine = put("Creating", true).made_here();
        show(&mut machine, "Succeeded", "t0", 1);
        assert!(ends(&mut machine));
        let Some(Outcome::Succeeded(Some(result))) = machine.outcome() else {
            panic!("{:?}", machine.outcome());
        };
        assert!(result.get().contains("t0"));
        // Contradicted before: what the list shows later counts, and no older row.
        let mut machine = put("Creating", true).made_here();
        show(&mut machine, "Succeeded", "t0", 1);
        hear(&mut machine, "InProgress");
        assert!(!ends(&mut machine));
    }

    #[test]
    fn without_a_monitor_a_row_without_a_sign_is_believed_after_a_minute_by_a_read() {
        let mut machine = put("", false);
        assert_eq!(show(&mut machine, "Succeeded", "t0", 5), Step::Watch);
        assert_eq!(show(&mut machine, "Succeeded", "t0", 65), Step::Watch);
        assert_eq!(
            show(&mut machine, "Succeeded", "t0", 66),
            Step::Read(Pace::Now)
        );
        let mut machine = put("", false);
        assert_eq!(show(&mut machine, "Succeeded", "t0", 5), Step::Watch);
        assert_eq!(show(&mut machine, "Failed", "t1", 6), Step::Done);
        assert!(matches!(machine.outcome(), Some(Outcome::Failed { .. })));
    }
}
