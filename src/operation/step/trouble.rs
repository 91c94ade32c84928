//! Reads that failed, and the way round a monitor that cannot be read.

use super::body::{Body, resource_of};
use super::{Machine, Mode, Outcome, Phase, Step, Why};
use crate::error::{Error, ErrorKind, ResponseFacts};
use crate::operation::schedule::Pace;
use crate::operation::status::{StatusClass, is_deleting};
use crate::token::{FinalStateVia, HttpVerb};
use crate::transport::Answer;
use crate::transport::limits::{failures, throttle};
use serde_json::value::RawValue;
use std::time::Duration;

impl Machine {
    /// 404 and 410.
    pub(super) fn missing(&mut self, answer: &Answer, elapsed: Duration) -> Step {
        self.not_found += 1;
        if matches!(self.mode, Mode::Resource) && self.verb == HttpVerb::Delete {
            return self.succeed(None);
        }
        // Nothing was begun, and there is nothing to wait for.
        if self.judges {
            return self.lost(ErrorKind::Service, "the resource does not exist", answer);
        }
        // Somebody deletes what is being waited for, and now it is gone: nothing runs any more.
        let deleted = self.status().is_some_and(is_deleting);
        if matches!(self.mode, Mode::Resource) && deleted {
            return self.lost(ErrorKind::Service, "the resource was deleted", answer);
        }
        let patient = if self.seen_status {
            self.not_found <= failures::NOT_FOUND
        } else {
            elapsed <= failures::GRACE || self.not_found < failures::GRACE_POLLS
        };
        let patient = patient && answer.status == 404;
        // Status reads of a delete go away with what is deleted.
        let deleting = matches!(self.mode, Mode::Monitor { .. }) && self.verb == HttpVerb::Delete;
        if patient && !deleting {
            self.last_error = Some("the status is not there yet (404)".to_owned());
            return Step::Read(Pace::Regular {
                hint: answer.retry_after(),
            });
        }
        match self.mode {
            Mode::Monitor { .. } => self.probe(Why::Gone { patient }, answer),
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
        resource: Box<RawValue>,
        elapsed: Duration,
    ) -> Step {
        if matches!(answer.status, 404 | 410) {
            return self.end_with_resource(Some(resource), Some(answer));
        }
        self.status_read(answer, elapsed)
    }

    pub(super) fn probed(&mut self, answer: &Answer, why: Why) -> Step {
        let deleting = self.verb == HttpVerb::Delete;
        let gone = matches!(why, Why::Gone { .. });
        if answer.status == 404 && deleting {
            return self.succeed(None);
        }
        let body = Body::read(answer);
        let resource = match body.object() {
            Some(resource) if (200..300).contains(&answer.status) => resource,
            // Nothing to be read any more, neither monitor nor resource.
            _ if deleting && gone => return self.succeed(None),
            _ => {
                let (text, facts) = match why {
                    Why::Gone { .. } => (
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
        let protocol = self.protocol;
        let state = protocol.state(resource);
        self.note(state, None);
        let class = state.map_or(StatusClass::Succeeded, |state| protocol.class(state));
        let regular = Pace::Regular {
            hint: answer.retry_after(),
        };
        if class == StatusClass::InProgress {
            self.seen_running = true;
            self.mode = Mode::Resource;
            return Step::Read(regular);
        }
        if self.verb != HttpVerb::Delete {
            return self.end_with_resource(resource_of(answer), Some(answer));
        }
        // Still there in a final state: the delete has not begun, or was refused, which the monitor no longer tells.
        match why {
            Why::Gone { patient: true } => Step::Read(regular),
            Why::Gone { patient: false } => self.lost(
                ErrorKind::OperationStatusLost,
                "the status is gone, and the resource does not show what became of the operation",
                answer,
            ),
            Why::Forbidden(_) => {
                self.mode = Mode::Resource;
                Step::Read(regular)
            }
            Why::Empty(_) => self.mute(
                answer,
                "the status is empty, and the resource is still there",
            ),
        }
    }

    /// Asks the resource in place of a monitor that cannot be read.
    pub(super) fn probe(&mut self, why: Why, answer: &Answer) -> Step {
        // The URL of a POST does not name a resource, unless its result is read there.
        if self.verb == HttpVerb::Post && self.final_via != Some(FinalStateVia::OriginalUri) {
            return self.lost(
                ErrorKind::OperationStatusLost,
                "the status of the operation cannot be read",
                answer,
            );
        }
        self.phase = Phase::Probe(Box::new(why));
        Step::Read(Pace::Now)
    }

    /// Handles a monitor that answers without a body.
    pub(super) fn empty(&mut self, answer: &Answer) -> Step {
        if self.verb == HttpVerb::Post && self.final_via != Some(FinalStateVia::OriginalUri) {
            return self.mute(answer, "the answer is empty");
        }
        self.probe(Why::Empty(answer.facts(&self.request_id)), answer)
    }

    /// No answer at all.
    pub(super) fn unanswered(&mut self, error: &Error, elapsed: Duration) -> Step {
        let facts = error.response().cloned().unwrap_or_default();
        match error.kind() {
            // Our own rate limit: nothing was sent, and nothing counts.
            ErrorKind::Service if error.retry_after().is_some() => {
                self.last_error = Some(error.to_string());
                Step::Read(Pace::Throttled {
                    hint: error.retry_after(),
                })
            }
            ErrorKind::UntrustedUrl => {
                self.give_up(ErrorKind::UntrustedUrl, error.message(), facts)
            }
            ErrorKind::Protocol => {
                self.mute += 1;
                self.last_error = Some(error.to_string());
                if self.mute < failures::MUTE {
                    return Step::Read(Pace::Regular { hint: None });
                }
                self.give_up(ErrorKind::Protocol, error.message(), facts)
            }
            _ => {
                let pace = self.failed(error.to_string(), None, elapsed);
                match pace {
                    Some(pace) => Step::Read(pace),
                    None => self.give_up(ErrorKind::OperationStatusLost, error.message(), facts),
                }
            }
        }
    }

    /// Handles an answer that may be better the next time.
    pub(super) fn transient(&mut self, answer: &Answer, elapsed: Duration) -> Step {
        let hint = answer.retry_after();
        if answer.status == 429 && hint.is_some() {
            self.last_error = Some("the service throttles (429)".to_owned());
            return Step::Read(Pace::Throttled { hint });
        }
        let what = format!("the status cannot be read for now ({})", answer.status);
        match self.failed(what, hint, elapsed) {
            Some(Pace::Backoff {
                hint: Some(hint), ..
            }) if answer.status == 503 => Step::Read(Pace::Throttled { hint: Some(hint) }),
            Some(pace) => Step::Read(pace),
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
        let since = self.failing_since.get_or_insert(elapsed);
        let spent =
            self.failures > failures::IN_A_ROW || elapsed.saturating_sub(*since) > failures::FOR;
        // A pause that the service asks for does not count as silence, nor does our jitter on top.
        *since += hint.unwrap_or_default().min(throttle::LONGEST).mul_f64(1.1);
        (!spent).then_some(Pace::Backoff {
            failures: self.failures,
            hint,
        })
    }

    /// Redirects are not followed: a credential would go where nobody decided that it may.
    pub(super) fn redirected(&mut self, answer: &Answer) -> Step {
        if let Phase::Confirm { resource } = &self.phase {
            return self.end_with_resource(Some(resource.clone()), Some(answer));
        }
        let target = answer
            .header("location")
            .and_then(|to| self.origins.resolve(&self.resource, to));
        let facts = answer.facts(&self.request_id);
        match target {
            Some(Err(error)) => self.give_up(ErrorKind::UntrustedUrl, error.message(), facts),
            _ => self.give_up(
                ErrorKind::OperationStatusLost,
                "the service redirects the read, which this library does not follow",
                facts,
            ),
        }
    }

    /// Handles a 2xx without a usable body.
    pub(super) fn mute(&mut self, answer: &Answer, why: &str) -> Step {
        self.mute += 1;
        self.last_error = Some(why.to_owned());
        if self.mute < failures::MUTE {
            return Step::Read(Pace::Regular {
                hint: answer.retry_after(),
            });
        }
        let facts = answer.facts(&self.request_id);
        self.give_up(ErrorKind::Protocol, why, facts)
    }

    /// Gives up; the outcome depends on the read that failed.
    pub(super) fn give_up(&mut self, kind: ErrorKind, why: &str, facts: ResponseFacts) -> Step {
        let outcome = match &self.phase {
            Phase::Final { url } => Outcome::Unfetched {
                url: url.clone(),
                why: why.to_owned(),
                facts,
            },
            Phase::Reason { canceled, facts } => Outcome::Failed {
                canceled: *canceled,
                facts: (**facts).clone(),
            },
            Phase::Probe(why)
                if matches!(**why, Why::Gone { .. }) && self.verb == HttpVerb::Delete =>
            {
                Outcome::Succeeded(None)
            }
            _ => Outcome::Lost {
                kind,
                why: why.to_owned(),
                facts,
            },
        };
        self.end(outcome)
    }
}
