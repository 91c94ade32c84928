//! Reads that failed, and the way round a monitor that cannot be read.

use super::body::Body;
use super::{Machine, Mode, Outcome, Phase, Step, Why};
use crate::error::{Error, ErrorKind, ResponseFacts};
use crate::operation::schedule::Pace;
use crate::operation::status::{StatusClass, provisioning_state};
use crate::token::HttpVerb;
use crate::transport::Answer;
use serde_json::Value;
use std::time::Duration;

/// Reads of the status that say nothing, in a row, until the service counts as broken.
const MAX_MUTE: u32 = 3;
/// 404s in a row, after good reads, that are taken for a service that lost its way for a moment.
const MAX_NOT_FOUND: u32 = 3;
/// A new operation may take a while to appear at its monitor.
const GRACE: Duration = Duration::from_secs(60);
const GRACE_POLLS: u32 = 5;
/// Failed reads in a row, until the status counts as lost.
const MAX_FAILURES: u32 = 10;
const MAX_FAILING: Duration = Duration::from_secs(300);

impl Machine {
    /// 404 and 410.
    pub(super) fn missing(&mut self, answer: &Answer, elapsed: Duration) -> Step {
        self.not_found += 1;
        match (&self.mode, self.verb) {
            (Mode::Resource, HttpVerb::Delete) => return self.succeed(None),
            // Status reads of a delete go away with what is deleted (E22).
            (Mode::Monitor { .. }, HttpVerb::Delete) => return self.probe(Why::Gone),
            _ => {}
        }
        let patient = if self.seen_status {
            self.not_found <= MAX_NOT_FOUND
        } else {
            elapsed <= GRACE || self.not_found < GRACE_POLLS
        };
        if patient && answer.status == 404 {
            self.last_error = Some("the status is not there yet (404)".to_owned());
            return self.read(Pace::Regular {
                hint: answer.retry_after(),
            });
        }
        match self.mode {
            Mode::Monitor { .. } => self.probe(Why::Gone),
            Mode::Resource => self.lost(
                ErrorKind::OperationStatusLost,
                "the resource is not there",
                answer,
            ),
        }
    }

    pub(super) fn confirmed(
        &mut self,
        answer: &Answer,
        resource: Value,
        elapsed: Duration,
    ) -> Step {
        if matches!(answer.status, 404 | 410) {
            return self.end_with_resource(Some(resource), answer);
        }
        self.status_read(answer, elapsed)
    }

    pub(super) fn probed(&mut self, answer: &Answer, why: Why) -> Step {
        let deleting = self.verb == HttpVerb::Delete;
        let gone = matches!(why, Why::Gone);
        if answer.status == 404 && deleting {
            return self.succeed(None);
        }
        let body = Body::read(answer);
        let resource = match body.json() {
            Some(resource) if (200..300).contains(&answer.status) => resource,
            // Nothing to be read any more, neither monitor nor resource.
            _ if deleting && gone => return self.succeed(None),
            _ => {
                let (text, facts) = match why {
                    Why::Gone => (
                        "the status is gone, and so is the resource",
                        answer.facts(&self.request_id),
                    ),
                    Why::Forbidden(facts) => {
                        ("the status may not be read, nor the resource", facts)
                    }
                    Why::Empty(facts) => (
                        "the status is empty, and the resource cannot be read",
                        facts,
                    ),
                };
                return self.end(Outcome::Lost {
                    kind: ErrorKind::OperationStatusLost,
                    why: text.to_owned(),
                    facts,
                });
            }
        };
        self.recovered();
        let state = provisioning_state(resource);
        self.note(state, Some(resource));
        let class = state.map_or(StatusClass::Succeeded, StatusClass::of);
        match (class, self.verb) {
            (StatusClass::InProgress, HttpVerb::Put | HttpVerb::Patch | HttpVerb::Delete) => {
                self.seen_running = true;
                self.mode = Mode::Resource;
                self.read(Pace::Regular {
                    hint: answer.retry_after(),
                })
            }
            (_, HttpVerb::Put | HttpVerb::Patch) => {
                self.end_with_resource(Some(resource.clone()), answer)
            }
            // Still there and at rest: the delete has not begun, or was refused behind our back.
            (_, HttpVerb::Delete) if self.not_found <= MAX_NOT_FOUND => self.read(Pace::Regular {
                hint: answer.retry_after(),
            }),
            _ => self.lost(
                ErrorKind::OperationStatusLost,
                "the status is gone, and the resource does not show what became of the operation",
                answer,
            ),
        }
    }

    pub(super) fn probe(&mut self, why: Why) -> Step {
        self.phase = Phase::Probe(why);
        self.read(Pace::Now)
    }

    /// No answer at all.
    pub(super) fn unanswered(&mut self, error: &Error, elapsed: Duration) -> Step {
        let facts = error.response().cloned().unwrap_or_default();
        match error.kind() {
            // Our own brake: nothing was sent, and nothing counts.
            ErrorKind::Service if error.is_throttled() => {
                self.last_error = Some(error.to_string());
                self.read(Pace::Throttled {
                    hint: error.retry_after(),
                })
            }
            ErrorKind::UntrustedUrl => self.end(Outcome::Lost {
                kind: ErrorKind::UntrustedUrl,
                why: error.message().to_owned(),
                facts,
            }),
            ErrorKind::Protocol => {
                self.mute += 1;
                self.last_error = Some(error.to_string());
                if self.mute < MAX_MUTE {
                    return self.read(Pace::Regular { hint: None });
                }
                self.give_up(ErrorKind::Protocol, error.message(), facts)
            }
            _ => {
                let pace = self.failed(error.to_string(), None, elapsed);
                match pace {
                    Some(pace) => self.read(pace),
                    None => self.give_up(ErrorKind::OperationStatusLost, error.message(), facts),
                }
            }
        }
    }

    /// An answer that may be better the next time.
    pub(super) fn transient(&mut self, answer: &Answer, elapsed: Duration) -> Step {
        let hint = answer.retry_after();
        if answer.status == 429 && hint.is_some() {
            self.last_error = Some("the service throttles (429)".to_owned());
            return self.read(Pace::Throttled { hint });
        }
        let what = format!("the status cannot be read for now ({})", answer.status);
        match self.failed(what, hint, elapsed) {
            Some(Pace::Backoff {
                hint: Some(hint), ..
            }) if answer.status == 503 => self.read(Pace::Throttled { hint: Some(hint) }),
            Some(pace) => self.read(pace),
            None => {
                let facts = answer.facts(&self.request_id);
                let why = "the status of the operation could not be read any more";
                self.give_up(ErrorKind::OperationStatusLost, why, facts)
            }
        }
    }

    /// Counts a failure; `None` when the budget is spent.
    pub(super) fn failed(
        &mut self,
        what: String,
        hint: Option<Duration>,
        elapsed: Duration,
    ) -> Option<Pace> {
        self.last_error = Some(what);
        self.failures += 1;
        let since = *self.failing_since.get_or_insert(elapsed);
        let spent = self.failures > MAX_FAILURES || elapsed.saturating_sub(since) > MAX_FAILING;
        (!spent).then_some(Pace::Backoff {
            failures: self.failures,
            hint,
        })
    }

    pub(super) fn redirected(&mut self, answer: &Answer) -> Step {
        let target = answer
            .header("location")
            .and_then(|to| self.origins.resolve(&self.resource, to));
        match target {
            Some(Err(error)) => self.lost(ErrorKind::UntrustedUrl, error.message(), answer),
            _ => self.lost(
                ErrorKind::OperationStatusLost,
                "the service redirects the status, which this library does not follow",
                answer,
            ),
        }
    }

    /// A 2xx that says nothing.
    pub(super) fn mute(&mut self, answer: &Answer, why: &str) -> Step {
        self.mute += 1;
        self.last_error = Some(why.to_owned());
        if self.mute < MAX_MUTE {
            return self.read(Pace::Regular {
                hint: answer.retry_after(),
            });
        }
        let facts = answer.facts(&self.request_id);
        self.give_up(ErrorKind::Protocol, why, facts)
    }

    /// What is given up depends on what was being read.
    pub(super) fn give_up(&mut self, kind: ErrorKind, why: &str, facts: ResponseFacts) -> Step {
        let outcome = match &self.phase {
            Phase::Final { .. } => Outcome::Unfetched {
                why: why.to_owned(),
                facts,
            },
            Phase::Reason { canceled, facts } => Outcome::Failed {
                canceled: *canceled,
                facts: facts.clone(),
            },
            Phase::Probe(Why::Gone) if self.verb == HttpVerb::Delete => Outcome::Succeeded(None),
            _ => Outcome::Lost {
                kind,
                why: why.to_owned(),
                facts,
            },
        };
        self.end(outcome)
    }
}
