//! The decision step: what an answer means, and what is asked next. No I/O, no clock.
//!
//! The rules are those of `docs/operations.md`. By concern: [`start`] begins, [`monitor`] reads a
//! status, [`rows`] takes what a list shows of it, [`trouble`] is for reads that fail, [`finish`] for
//! the end.

mod body;
mod finish;
mod monitor;
mod rows;
mod service;
mod start;
mod trouble;

use self::rows::Rows;
use self::service::OperationLog;
use super::schedule::Pace;
use super::status::Protocol;
use crate::error::{Error, ErrorKind, Hidden, ResponseFacts, is_passing, redact};
use crate::json::Row;
use crate::token::{FinalStateVia, HttpVerb, MonitorKind, TokenParts};
use crate::transport::limits::texts;
use crate::transport::{Answer, TrustedOrigins};
use serde_json::value::RawValue;
use std::time::Duration;
use url::Url;

/// An observation of an operation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Observation<'a> {
    /// The answer to the read that was asked for.
    Answer(&'a Answer),
    /// A list of all computes does not show the one that the operation is about.
    NoRow,
    /// The row of the operation in a list.
    Row(&'a Row<'a>),
    /// No answer came to the read that was asked for.
    Unanswered(&'a Error),
}

/// The next step of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It is over; see [`Machine::outcome`].
    Done,
    /// Read [`Machine::url`] after a pause.
    Read(Pace),
    /// The list showed nothing that asks for a read; see [`Machine::follows_rows`].
    Watch,
}

/// The end of the operation.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// With the resource or the result, where there is one: as the service wrote it.
    Succeeded(Option<Box<RawValue>>),
    /// The service failed or cancelled the operation.
    Failed {
        canceled: bool,
        facts: ResponseFacts,
    },
    /// The operation succeeded and its result cannot be read.
    Unfetched {
        url: Url,
        why: String,
        facts: ResponseFacts,
    },
    /// Its end is not known; it may still run.
    Lost {
        kind: ErrorKind,
        why: String,
        facts: ResponseFacts,
    },
}

impl Outcome {
    /// Returns whether nothing runs any more. A lost status does not tell, unless the service reported that
    /// the resource was deleted meanwhile.
    pub(crate) fn is_final(&self) -> bool {
        !matches!(self, Self::Lost { kind, .. } if *kind != ErrorKind::Service)
    }

    fn hide(&mut self, hidden: &Hidden) {
        let (why, facts) = match self {
            Self::Succeeded(_) => return,
            Self::Failed { facts, .. } => (None, facts),
            Self::Unfetched { why, facts, .. } | Self::Lost { why, facts, .. } => {
                (Some(why), facts)
            }
        };
        *facts = std::mem::take(facts).hiding(hidden);
        if let Some(why) = why {
            *why = hidden.text(why).into_owned();
        }
    }
}

/// The place where the status is read.
#[derive(Debug, Clone)]
enum Mode {
    Monitor { kind: MonitorKind, url: Url },
    Resource,
}

/// The current read, and its reason.
#[derive(Debug, Clone)]
enum Phase {
    /// The status, at the place that the mode says.
    Status,
    /// The first answer held a finished resource beside a monitor: one read of the monitor decides.
    Confirm {
        resource: Box<RawValue>,
    },
    /// The monitor cannot be read: the resource is read instead.
    Probe(Box<Why>),
    /// The operation succeeded; its result is read.
    Final {
        url: Url,
    },
    /// The operation failed without a reason; the resource may hold it.
    Reason {
        canceled: bool,
        facts: Box<ResponseFacts>,
    },
    // Boxed, as the others: most of ten thousand operations are in none of these.
    Done(Box<Outcome>),
}

/// The reason why the resource is probed.
#[derive(Debug, Clone)]
enum Why {
    /// The monitor is gone; `patient` while it may yet appear or come back.
    Gone { patient: bool },
    /// The monitor may not be read.
    Forbidden(ResponseFacts),
    /// The monitor answered, without a body.
    Empty(ResponseFacts),
}

/// One long-running operation.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    verb: HttpVerb,
    protocol: Protocol,
    /// Sent with every request of the operation, so that support can find them all.
    request_id: String,
    /// The URL of the resource: the first URL with nothing but the API version in its query.
    resource: Url,
    api_version: String,
    origins: TrustedOrigins,
    final_via: Option<FinalStateVia>,
    mode: Mode,
    phase: Phase,
    /// The latest `Location`, where a POST may leave its result.
    location: Option<Url>,
    status: Option<String>,
    percent: Option<f64>,
    last_error: Option<String>,
    /// `true` if the status was ever read, apart from the first answer.
    seen_status: bool,
    /// `true` if the resource itself was seen in a state that is not final.
    seen_running: bool,
    mute: u32,
    not_found: u32,
    failures: u32,
    failing_since: Option<Duration>,
    final_reads: u32,
    rows: Rows,
    /// `true` if nothing was begun and the first read decides.
    judges: bool,
    /// The secrets in the request: no text of the service may show them.
    hidden: Hidden,
    /// `createdOn` of the resource, as it was first seen.
    created: Option<Box<str>>,
    /// The log of the service while it runs; `None` if it wrote none.
    log: Option<Box<OperationLog>>,
}

/// Accessors for the rest of the crate.
impl Machine {
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        match &self.phase {
            Phase::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Returns the status as the service spelled it.
    pub(crate) fn status(&self) -> Option<&str> {
        self.status.as_deref()
    }

    pub(crate) fn percent(&self) -> Option<f64> {
        self.percent
    }

    /// Returns why the last read failed, until a read succeeds.
    pub(crate) fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    pub(crate) fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Returns the secrets that no text of the service may show.
    pub(crate) fn hidden(&self) -> &Hidden {
        &self.hidden
    }

    /// Hides these secrets, too.
    #[must_use]
    pub(crate) fn hiding(mut self, hidden: &Hidden) -> Self {
        self.hide(hidden);
        self
    }

    /// Hides these secrets, too; also in an end that was seen before.
    pub(crate) fn hide(&mut self, hidden: &Hidden) {
        self.hidden = self.hidden.and(hidden);
        let log = self.log.iter_mut().flat_map(|log| log.lines.iter_mut());
        let texts = [self.status.as_mut(), self.last_error.as_mut()];
        for text in texts.into_iter().flatten().chain(log) {
            *text = self.hidden.text(text).into_owned();
        }
        if let Phase::Done(outcome) = &mut self.phase {
            outcome.hide(&self.hidden);
        }
    }

    /// Returns the URL of the next read.
    pub(crate) fn url(&self) -> &Url {
        match (&self.phase, &self.mode) {
            (Phase::Final { url }, _)
            | (Phase::Status | Phase::Confirm { .. }, Mode::Monitor { url, .. }) => url,
            _ => &self.resource,
        }
    }

    /// Returns the URL of the resource that the operation is about.
    pub(crate) fn resource(&self) -> &Url {
        &self.resource
    }

    /// Returns whether nothing was begun, and the first read of the resource decides.
    pub(crate) fn judges(&self) -> bool {
        self.judges
    }

    /// Writes down where the status is read.
    pub(crate) fn write(&self, token: &mut TokenParts) {
        token.accepted = true;
        let (monitor, next) = match &self.mode {
            // How much of the log was shown matters to this process alone.
            Mode::Monitor { kind, url } if *kind == MonitorKind::ServiceOperation => {
                (Some(*kind), url.as_str().split('?').next())
            }
            Mode::Monitor { kind, url } => (Some(*kind), Some(url.as_str())),
            Mode::Resource => (None, None),
        };
        token.monitor = monitor;
        set(&mut token.next_request_uri, next);
        set(&mut token.last_status, self.status.as_deref());
        let location = self.location.as_ref().map(Url::as_str);
        set(&mut token.last_known_location, location);
        set(&mut token.created_on, self.created.as_deref());
    }
}

/// The step.
impl Machine {
    /// Begins again if the end is not known, or if the result could not be read.
    ///
    /// `None` after the other ends, which are final.
    pub(crate) fn again(&mut self) -> Option<Step> {
        self.phase = match self.outcome()? {
            outcome @ Outcome::Lost { .. } if !outcome.is_final() => Phase::Status,
            Outcome::Unfetched { url, .. } => Phase::Final { url: url.clone() },
            _ => return None,
        };
        self.recovered();
        self.mute = 0;
        self.not_found = 0;
        self.final_reads = 0;
        Some(Step::Read(Pace::Now))
    }

    /// Returns the step that follows from an observation. `elapsed` is the time since the operation began.
    pub(crate) fn observe(&mut self, observed: Observation<'_>, elapsed: Duration) -> Step {
        if let Phase::Done(_) = self.phase {
            return Step::Done;
        }
        match observed {
            Observation::Answer(answer) => {
                let step = self.answered(answer, elapsed);
                self.note_refuted_row(step);
                step
            }
            Observation::NoRow => self.no_row(),
            Observation::Row(row) => self.row(row, elapsed),
            Observation::Unanswered(error) => self.unanswered(error, elapsed),
        }
    }

    /// Ends a wait that has no hope any more, although the operation may still run.
    pub(crate) fn lose(&mut self, why: &str, facts: ResponseFacts) -> Step {
        match self.phase {
            Phase::Done(_) => Step::Done,
            _ => self.give_up(ErrorKind::OperationStatusLost, why, facts),
        }
    }

    fn answered(&mut self, answer: &Answer, elapsed: Duration) -> Step {
        match answer.status {
            status if is_passing(status) => return self.transient(answer, elapsed),
            300..400 => return self.redirected(answer),
            _ => {}
        }
        match std::mem::replace(&mut self.phase, Phase::Status) {
            Phase::Status => self.status_read(answer, elapsed),
            Phase::Confirm { resource } => self.confirmed(answer, resource, elapsed),
            Phase::Probe(why) => self.probed(answer, *why),
            Phase::Final { url } => self.final_read(answer, url),
            Phase::Reason { canceled, facts } => self.reason_read(answer, canceled, *facts),
            Phase::Done(outcome) => self.end(*outcome),
        }
    }

    fn succeed(&mut self, result: Option<Box<RawValue>>) -> Step {
        self.end(Outcome::Succeeded(result))
    }

    fn lost(&mut self, kind: ErrorKind, why: &str, answer: &Answer) -> Step {
        let facts = answer.facts(&self.request_id);
        self.end(Outcome::Lost {
            kind,
            why: why.to_owned(),
            facts,
        })
    }

    fn end(&mut self, mut outcome: Outcome) -> Step {
        outcome.hide(&self.hidden);
        self.phase = Phase::Done(Box::new(outcome));
        Step::Done
    }

    fn recovered(&mut self) {
        self.failures = 0;
        self.failing_since = None;
        self.last_error = None;
    }

    fn note(&mut self, status: Option<&str>, percent: Option<f64>) {
        if let Some(status) = status {
            // The service may send anything; what is shown and stored stays short.
            let mut status = self.hidden.text(status);
            if !status.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                status = redact(&status).into();
            }
            let end = status.char_indices().nth(texts::STATUS).map(|(end, _)| end);
            set(
                &mut self.status,
                Some(&status[..end.unwrap_or(status.len())]),
            );
        }
        self.percent = percent.or(self.percent);
    }
}

/// Most reads find what the last one found: then nothing is copied.
fn set(slot: &mut Option<String>, value: Option<&str>) {
    if slot.as_deref() != value {
        *slot = value.map(str::to_owned);
    }
}
