//! What a list of all computes shows of an operation.
//!
//! A row is weaker than a monitor. It may be older than the operation (a replica that lags, an update
//! that the compute does not show yet), and a missing one may be a page that shifted. So a row tells
//! by itself only that something still runs; where it is at rest or missing, the monitor is read once,
//! and settles it.

use super::trouble::GRACE;
use super::{Machine, Mode, Phase, Step};
use crate::operation::schedule::Pace;
use crate::operation::status::StatusClass;
use crate::token::HttpVerb;
use crate::wire::Row;
use serde_json::Value;
use serde_json::value::RawValue;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// What is remembered of rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    /// The operation makes the resource, so that every row is of its making.
    made_here: bool,
    /// A row, or what the wait began with, showed the resource at work.
    seen_running: bool,
    /// `modifiedOn` as it was first seen.
    modified: Option<Box<str>>,
    /// Since when rows are at rest without a sign that they are newer than the operation.
    unproven_since: Option<Duration>,
    /// The sight for which the monitor is being asked.
    asked: Option<Sight>,
    /// The sight of which the monitor said that the operation still runs.
    refuted: Option<Sight>,
    /// The row in full, where it may serve as the final resource.
    resource: Option<Box<RawValue>>,
}

/// A row at rest, or none, without its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sight(u64);

impl Sight {
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

    /// The resource as the list showed it, where that is newer than the operation.
    pub(super) fn take_resource(&mut self) -> Option<Value> {
        let row = self.resource.take()?;
        let row: Option<Value> = serde_json::from_str(row.get()).ok();
        row.filter(Value::is_object)
    }
}

impl Machine {
    /// Says that the resource did not exist before the operation.
    #[must_use]
    pub(crate) fn made_here(mut self) -> Self {
        self.rows.made_here = true;
        self
    }

    /// Whether rows of a list tell how the operation goes on, so that nothing is read for it alone.
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
            self.note(state, None);
            self.seen_running = true;
            self.rows = Rows {
                made_here: self.rows.made_here,
                seen_running: true,
                modified: self.rows.modified.take().or(modified.map(Into::into)),
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
        let proven = self.rows.made_here || self.rows.seen_running || moved;
        let makes = matches!(self.verb, HttpVerb::Put | HttpVerb::Patch);
        if matches!(self.mode, Mode::Resource) && makes {
            if proven {
                return self.end_with_row(row);
            }
            // It may be as it was before the operation: a while is given to show a sign.
            let since = *self.rows.unproven_since.get_or_insert(elapsed);
            if elapsed.saturating_sub(since) <= GRACE {
                return Step::Watch;
            }
        }
        let step = self.ask(Sight::of(state, modified));
        if step != Step::Watch && makes && proven {
            self.rows.resource = Some(row.raw.to_owned());
        }
        step
    }

    pub(super) fn no_row(&mut self) -> Step {
        match self.phase {
            Phase::Status => self.ask(Sight::MISSING),
            _ => Step::Watch,
        }
    }

    /// After the answer of a monitor: it contradicts the row for which it was asked if the operation
    /// still runs.
    pub(super) fn hold_against_row(&mut self, step: Step) {
        if matches!(step, Step::Read(Pace::Regular { .. }))
            && let Some(asked) = self.rows.asked.take()
        {
            self.rows.refuted = Some(asked);
            self.rows.resource = None;
        }
    }

    /// One read settles what the list shows, unless it did so before.
    fn ask(&mut self, sight: Sight) -> Step {
        if self.rows.refuted == Some(sight) {
            return Step::Watch;
        }
        self.rows.refuted = None;
        self.rows.resource = None;
        self.rows.asked = Some(sight);
        Step::Read(Pace::Now)
    }

    fn end_with_row(&mut self, row: &Row<'_>) -> Step {
        match serde_json::from_str::<Value>(row.raw.get()) {
            Ok(resource) => {
                self.note(row.state(), None);
                self.end_with_resource(Some(resource), None)
            }
            Err(_) => Step::Read(Pace::Now),
        }
    }
}
