//! The decision step: what an answer means, and what is asked next. No I/O, no clock.
//!
//! The rules and the edge cases that they come from are those of `docs/design.md`, "Operations".

use super::schedule::Pace;
use super::status::{
    StatusClass, is_operation_shaped, monitor_status, percent, provisioning_state,
};
use crate::error::{Error, ErrorKind, ResponseFacts, ServiceError};
use crate::token::{FinalStateVia, HttpVerb, MonitorKind, TokenParts};
use crate::transport::{Answer, TrustedOrigins};
use serde_json::Value;
use std::time::Duration;
use url::Url;

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
/// Tries of the final read.
const MAX_FINAL: u32 = 8;

/// What the machine wants next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Read this URL after a pause.
    Read { url: Url, pace: Pace },
    /// It is over; see [`Machine::outcome`].
    Done,
}

/// How it ended.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// With the resource or the result, where there is one.
    Succeeded(Option<Value>),
    /// The service failed or cancelled the operation.
    Failed {
        canceled: bool,
        facts: ResponseFacts,
    },
    /// The operation succeeded and its result cannot be read.
    Unfetched { why: String, facts: ResponseFacts },
    /// Nobody knows; it may still run.
    Lost {
        kind: ErrorKind,
        why: String,
        facts: ResponseFacts,
    },
}

/// Where the status is read.
#[derive(Debug, Clone)]
enum Mode {
    Monitor { kind: MonitorKind, url: Url },
    Resource,
}

/// What is being read, and why.
#[derive(Debug, Clone)]
enum Phase {
    /// The status, at the place that the mode says.
    Status,
    /// The first answer held a finished resource beside a monitor: one read of the monitor decides.
    Confirm {
        resource: Value,
    },
    /// The monitor cannot be read: the resource is asked.
    Probe(Why),
    /// The operation succeeded; its result is read.
    Final {
        url: Url,
    },
    /// The operation failed without a reason; the resource may hold it.
    Reason {
        canceled: bool,
        facts: ResponseFacts,
    },
    Done(Outcome),
}

/// Why the resource is probed.
#[derive(Debug, Clone)]
enum Why {
    /// The monitor is gone.
    Gone,
    /// The monitor may not be read.
    Forbidden(ResponseFacts),
    /// The monitor answered, without a body.
    Empty(ResponseFacts),
}

/// One long-running operation.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    verb: HttpVerb,
    /// Sent with every request of the operation, so that support can find them all.
    request_id: String,
    /// Where the resource is read: the first URL with nothing but the API version in its query.
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
    seen_status: bool,
    seen_running: bool,
    mute: u32,
    not_found: u32,
    failures: u32,
    failing_since: Option<Duration>,
    final_reads: u32,
}

/// Beginnings.
impl Machine {
    /// From the service's answer to the first request.
    ///
    /// # Errors
    ///
    /// The answer is a refusal, or accepts a POST without saying where its status is: then there is
    /// no operation to wait for.
    pub(crate) fn start(
        verb: HttpVerb,
        url: &Url,
        request_id: &str,
        api_version: &str,
        origins: &TrustedOrigins,
        final_via: Option<FinalStateVia>,
        answer: &Answer,
    ) -> Result<(Self, Step), Error> {
        if !matches!(answer.status, 200 | 201 | 202 | 204) {
            return Err(answer.refusal(request_id));
        }
        let mut machine = Self::new(verb, url, request_id, api_version, origins, final_via);
        let body = Body::read(answer);
        let resource = body.json().filter(|body| body.is_object());
        let state = resource.and_then(provisioning_state);
        machine.note(state, resource);
        let class = state.map(StatusClass::of);
        let hint = answer.retry_after();
        let regular = Pace::Regular { hint };

        let monitor = match machine.find_monitor(url, answer) {
            Ok(monitor) => monitor,
            // What is finished is finished, whatever the header says.
            Err(_) if class == Some(StatusClass::Succeeded) => None,
            Err(error) => {
                let step = machine.lost(ErrorKind::UntrustedUrl, error.message(), answer);
                return Ok((machine, step));
            }
        };
        if let Some((kind, url)) = monitor {
            // PATCH answers 200 when the change is made, header or not (E3).
            let by_body = verb == HttpVerb::Patch
                && answer.status == 200
                && class.is_none_or(StatusClass::is_terminal);
            if by_body {
                let step = machine.end_with_resource(resource.cloned(), answer);
                return Ok((machine, step));
            }
            machine.mode = Mode::Monitor { kind, url };
            if let Some(resource) = resource
                && class.is_some_and(StatusClass::is_terminal)
            {
                machine.phase = Phase::Confirm {
                    resource: resource.clone(),
                };
                let step = machine.read(Pace::Now);
                return Ok((machine, step));
            }
            let step = machine.read(regular);
            return Ok((machine, step));
        }
        use HttpVerb::{Delete, Patch, Post, Put};
        let step = match (answer.status, verb) {
            (202, Post) => {
                return Err(Error::new(
                    ErrorKind::Protocol,
                    "the service accepted the request without saying where its status is",
                )
                .with_response(answer.facts(request_id)));
            }
            (202, _) => machine.read(regular),
            (_, Delete) => machine.succeed(None),
            (_, Post) => machine.succeed(resource.cloned()),
            (204, Put | Patch) => machine.fetch(machine.resource.clone()),
            (201, Put | Patch) if class.is_none() => machine.read(regular),
            (_, Put | Patch) => match class {
                Some(StatusClass::InProgress) => machine.read(regular),
                _ if resource.is_some() => machine.end_with_resource(resource.cloned(), answer),
                _ => machine.fetch(machine.resource.clone()),
            },
        };
        Ok((machine, step))
    }

    /// For a resource that was only read and is not ready yet.
    pub(crate) fn watch(
        url: &Url,
        request_id: &str,
        api_version: &str,
        origins: &TrustedOrigins,
        state: Option<&str>,
    ) -> (Self, Step) {
        let mut machine = Self::new(HttpVerb::Put, url, request_id, api_version, origins, None);
        machine.note(state, None);
        let step = machine.read(Pace::Regular { hint: None });
        (machine, step)
    }

    /// From what another process wrote down.
    ///
    /// # Errors
    ///
    /// The token names a URL that is none, or that is not trusted.
    pub(crate) fn resume(
        token: &TokenParts,
        origins: &TrustedOrigins,
    ) -> Result<(Self, Step), Error> {
        let url = |text: &str| {
            let url = Url::parse(text).map_err(|_| {
                Error::new(ErrorKind::ResumeToken, "the token holds a URL that is none")
            })?;
            origins
                .check(&url)
                .map_err(|error| Error::new(ErrorKind::ResumeToken, error.message().to_owned()))?;
            Ok::<Url, Error>(url)
        };
        let initial = url(&token.initial_uri)?;
        let mut machine = Self::new(
            token.method,
            &initial,
            &token.client_request_id,
            &token.api_version,
            origins,
            token.final_state_via,
        );
        machine.status.clone_from(&token.last_status);
        machine.seen_status = token.last_status.is_some();
        machine.location = token.last_known_location.as_deref().map(url).transpose()?;
        if let Some(next) = &token.next_request_uri {
            let kind = token.monitor.unwrap_or(MonitorKind::AzureAsyncOperation);
            machine.mode = Mode::Monitor {
                kind,
                url: url(next)?,
            };
        }
        let step = machine.read(Pace::Now);
        Ok((machine, step))
    }

    /// Over before it began: what was to go is gone.
    pub(crate) fn gone(
        url: &Url,
        request_id: &str,
        api_version: &str,
        origins: &TrustedOrigins,
    ) -> (Self, Step) {
        let verb = HttpVerb::Delete;
        let mut machine = Self::new(verb, url, request_id, api_version, origins, None);
        let step = machine.succeed(None);
        (machine, step)
    }

    fn new(
        verb: HttpVerb,
        url: &Url,
        request_id: &str,
        api_version: &str,
        origins: &TrustedOrigins,
        final_via: Option<FinalStateVia>,
    ) -> Self {
        let mut resource = url.clone();
        // The first URL may carry more, such as `underlyingResourceAction` of a DELETE.
        resource.set_query(None);
        Self {
            verb,
            request_id: request_id.to_owned(),
            resource: with_api_version(resource, api_version),
            api_version: api_version.to_owned(),
            origins: origins.clone(),
            final_via,
            mode: Mode::Resource,
            phase: Phase::Status,
            location: None,
            status: None,
            percent: None,
            last_error: None,
            seen_status: false,
            seen_running: false,
            mute: 0,
            not_found: 0,
            failures: 0,
            failing_since: None,
            final_reads: 0,
        }
    }
}

/// What can be seen from outside.
impl Machine {
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        match &self.phase {
            Phase::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// The status as the service spelled it.
    pub(crate) fn status(&self) -> Option<&str> {
        self.status.as_deref()
    }

    pub(crate) fn percent(&self) -> Option<f64> {
        self.percent
    }

    /// Why the last read failed, while it is not made good.
    pub(crate) fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    pub(crate) fn request_id(&self) -> &str {
        &self.request_id
    }

    /// Writes down where the status is read.
    pub(crate) fn write(&self, token: &mut TokenParts) {
        token.accepted = true;
        token.last_status.clone_from(&self.status);
        token.last_known_location = self.location.as_ref().map(Url::to_string);
        (token.monitor, token.next_request_uri) = match &self.mode {
            Mode::Monitor { kind, url } => (Some(*kind), Some(url.to_string())),
            Mode::Resource => (None, None),
        };
    }
}

/// The step.
impl Machine {
    /// What follows from an answer, or from its absence. `elapsed` is since the operation began.
    pub(crate) fn observe(&mut self, observed: Result<&Answer, &Error>, elapsed: Duration) -> Step {
        if let Phase::Done(_) = self.phase {
            return Step::Done;
        }
        let answer = match observed {
            Ok(answer) => answer,
            Err(error) => return self.unanswered(error, elapsed),
        };
        match answer.status {
            429 | 408 | 500 | 502 | 503 | 504 | 530 => return self.transient(answer, elapsed),
            300..400 => return self.redirected(answer),
            _ => {}
        }
        match std::mem::replace(&mut self.phase, Phase::Status) {
            Phase::Status => self.status_read(answer, elapsed),
            Phase::Confirm { resource } => self.confirmed(answer, resource, elapsed),
            Phase::Probe(why) => self.probed(answer, why),
            Phase::Final { url } => self.final_read(answer, url),
            Phase::Reason { canceled, facts } => self.reason_read(answer, canceled, facts),
            Phase::Done(outcome) => self.end(outcome),
        }
    }

    fn status_read(&mut self, answer: &Answer, elapsed: Duration) -> Step {
        match (answer.status, &self.mode) {
            (200..300, _) => self.recovered(),
            (404 | 410, _) => return self.missing(answer, elapsed),
            (401, _) => {
                return self.lost(
                    ErrorKind::OperationStatusLost,
                    "the service does not accept the credential any more",
                    answer,
                );
            }
            (403, _) => {
                let facts = answer.facts(&self.request_id);
                return match self.mode {
                    Mode::Monitor { .. } => self.probe(Why::Forbidden(facts)),
                    Mode::Resource => self.lost(
                        ErrorKind::OperationStatusLost,
                        "the resource may not be read",
                        answer,
                    ),
                };
            }
            // "Exactly the response that a synchronous call would have had": the operation failed.
            (
                400..500,
                Mode::Monitor {
                    kind: MonitorKind::Location,
                    ..
                },
            ) => {
                let facts = answer.facts(&self.request_id);
                return self.end(Outcome::Failed {
                    canceled: false,
                    facts,
                });
            }
            _ => {
                return self.lost(
                    ErrorKind::OperationStatusLost,
                    "the status of the operation cannot be read",
                    answer,
                );
            }
        }
        if let Err(error) = self.adopt_monitor(answer) {
            return self.lost(ErrorKind::UntrustedUrl, error.message(), answer);
        }
        match self.mode {
            Mode::Monitor {
                kind: MonitorKind::Location,
                ..
            } => self.location_read(answer),
            Mode::Monitor { .. } => self.monitor_read(answer),
            Mode::Resource => self.resource_read(answer),
        }
    }

    fn monitor_read(&mut self, answer: &Answer) -> Step {
        let regular = Pace::Regular {
            hint: answer.retry_after(),
        };
        let body = Body::read(answer);
        match (answer.status, &body) {
            (204, _) => {
                return match self.verb {
                    HttpVerb::Delete | HttpVerb::Post => self.succeed(None),
                    _ => self.probe(Why::Empty(answer.facts(&self.request_id))),
                };
            }
            (202, Body::Empty) => return self.read(regular),
            (_, Body::Empty) => return self.probe(Why::Empty(answer.facts(&self.request_id))),
            (_, Body::Garbage) => return self.mute(answer, "the answer is no JSON"),
            (_, Body::Json(_)) => {}
        }
        let body = body.json().unwrap_or(&Value::Null);
        let Some(status) = monitor_status(body, self.resource.path()).map(str::to_owned) else {
            if answer.status == 202 {
                return self.read(regular);
            }
            return self.mute(answer, "the answer has no status");
        };
        self.mute = 0;
        self.note(Some(&status), Some(body));
        match StatusClass::of(&status) {
            StatusClass::InProgress => self.read(regular),
            StatusClass::Succeeded => self.finish(body),
            class => self.fail(class, body, answer),
        }
    }

    fn location_read(&mut self, answer: &Answer) -> Step {
        if answer.status == 202 {
            return self.read(Pace::Regular {
                hint: answer.retry_after(),
            });
        }
        let body = Body::read(answer);
        match &body {
            Body::Json(json) if is_operation_shaped(json) => self.monitor_read(answer),
            Body::Json(json) => match self.verb {
                HttpVerb::Delete => self.succeed(None),
                _ => self.succeed(Some(json.clone())),
            },
            Body::Garbage => self.mute(answer, "the answer is no JSON"),
            Body::Empty => match self.verb {
                HttpVerb::Put | HttpVerb::Patch => self.fetch(self.resource.clone()),
                HttpVerb::Delete | HttpVerb::Post => self.succeed(None),
            },
        }
    }

    fn resource_read(&mut self, answer: &Answer) -> Step {
        let regular = Pace::Regular {
            hint: answer.retry_after(),
        };
        let body = Body::read(answer);
        let body = match (&body, self.verb) {
            (Body::Json(json), _) => json,
            (Body::Empty, HttpVerb::Delete) if answer.status == 204 => return self.succeed(None),
            _ => return self.mute(answer, "the answer is no JSON"),
        };
        self.mute = 0;
        let state = provisioning_state(body);
        self.note(state, Some(body));
        let class = state.map_or(StatusClass::Succeeded, StatusClass::of);
        self.seen_running |= class == StatusClass::InProgress;
        match (self.verb, class) {
            (_, StatusClass::InProgress) => self.read(regular),
            // The resource is as it was before the delete, until the service gets to it: also
            // `Failed` may be of old.
            (HttpVerb::Delete, StatusClass::Failed | StatusClass::Canceled)
                if self.seen_running =>
            {
                self.end_with_resource(Some(body.clone()), answer)
            }
            (HttpVerb::Delete, _) => self.read(regular),
            _ => self.end_with_resource(Some(body.clone()), answer),
        }
    }

    /// 404 and 410.
    fn missing(&mut self, answer: &Answer, elapsed: Duration) -> Step {
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

    fn confirmed(&mut self, answer: &Answer, resource: Value, elapsed: Duration) -> Step {
        if matches!(answer.status, 404 | 410) {
            return self.end_with_resource(Some(resource), answer);
        }
        self.status_read(answer, elapsed)
    }

    fn probed(&mut self, answer: &Answer, why: Why) -> Step {
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

    fn final_read(&mut self, answer: &Answer, url: Url) -> Step {
        let body = Body::read(answer);
        let fetched = matches!(answer.status, 200..300)
            .then(|| body.json())
            .flatten()
            .filter(|body| !body.is_null());
        let Some(result) = fetched else {
            // Right after the success a 404 may only be a slow replica.
            let passing = matches!(answer.status, 404 | 200..300);
            self.final_reads += 1;
            if passing && self.final_reads < MAX_FINAL {
                self.phase = Phase::Final { url };
                return self.read(Pace::Backoff {
                    failures: self.final_reads,
                    hint: answer.retry_after(),
                });
            }
            return self.end(Outcome::Unfetched {
                why: "the operation succeeded, and its result cannot be read".to_owned(),
                facts: answer.facts(&self.request_id),
            });
        };
        if self.verb == HttpVerb::Post {
            return self.succeed(Some(result.clone()));
        }
        // Services have said "succeeded" too early: the resource has the last word.
        let state = provisioning_state(result);
        match state.map_or(StatusClass::Succeeded, StatusClass::of) {
            StatusClass::InProgress => {
                self.note(state, Some(result));
                self.seen_running = true;
                self.mode = Mode::Resource;
                self.read(Pace::Regular {
                    hint: answer.retry_after(),
                })
            }
            _ => self.end_with_resource(Some(result.clone()), answer),
        }
    }

    fn reason_read(&mut self, answer: &Answer, canceled: bool, facts: ResponseFacts) -> Step {
        let body = Body::read(answer);
        let error = body.json().and_then(ServiceError::of_provisioning);
        self.end(Outcome::Failed {
            canceled,
            facts: ResponseFacts { error, ..facts },
        })
    }

    /// No answer at all.
    fn unanswered(&mut self, error: &Error, elapsed: Duration) -> Step {
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
    fn transient(&mut self, answer: &Answer, elapsed: Duration) -> Step {
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
    fn failed(&mut self, what: String, hint: Option<Duration>, elapsed: Duration) -> Option<Pace> {
        self.last_error = Some(what);
        self.failures += 1;
        let since = *self.failing_since.get_or_insert(elapsed);
        let spent = self.failures > MAX_FAILURES || elapsed.saturating_sub(since) > MAX_FAILING;
        (!spent).then_some(Pace::Backoff {
            failures: self.failures,
            hint,
        })
    }

    fn redirected(&mut self, answer: &Answer) -> Step {
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
    fn mute(&mut self, answer: &Answer, why: &str) -> Step {
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
    fn give_up(&mut self, kind: ErrorKind, why: &str, facts: ResponseFacts) -> Step {
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

/// Ends, and the ways there.
impl Machine {
    /// The monitor says that the operation succeeded.
    fn finish(&mut self, body: &Value) -> Step {
        use HttpVerb::{Delete, Patch, Post, Put};
        // The service may name the result; it wins over the first URL.
        let named = body.get("resourceLocation").and_then(Value::as_str);
        let named = named.and_then(|text| self.origins.resolve(&self.resource, text));
        let named = match named {
            Some(Err(error)) if self.verb != Delete => {
                return self.end(Outcome::Lost {
                    kind: ErrorKind::UntrustedUrl,
                    why: error.message().to_owned(),
                    facts: ResponseFacts::default(),
                });
            }
            Some(Ok(url)) => Some(with_api_version(url, &self.api_version)),
            _ => None,
        };
        match (self.verb, self.final_via) {
            (Delete, _) => self.succeed(None),
            (Put | Patch, _) => self.fetch(named.unwrap_or_else(|| self.resource.clone())),
            (Post, Some(FinalStateVia::OriginalUri)) => self.fetch(self.resource.clone()),
            (Post, Some(FinalStateVia::AzureAsyncOperation)) => self.succeed(Some(result_of(body))),
            (Post, Some(FinalStateVia::Location) | None) => match named.or(self.location.clone()) {
                Some(url) => self.fetch(url),
                None => self.succeed(Some(result_of(body))),
            },
        }
    }

    /// The monitor says that the operation failed or was cancelled.
    fn fail(&mut self, class: StatusClass, body: &Value, answer: &Answer) -> Step {
        let canceled = class == StatusClass::Canceled;
        let facts = failure_facts(ServiceError::find(body), answer, &self.request_id);
        if facts.error.is_none() && self.verb != HttpVerb::Post {
            self.phase = Phase::Reason { canceled, facts };
            return self.read(Pace::Now);
        }
        self.end(Outcome::Failed { canceled, facts })
    }

    /// The resource itself says how it ended.
    fn end_with_resource(&mut self, resource: Option<Value>, answer: &Answer) -> Step {
        let state = resource.as_ref().and_then(provisioning_state);
        let class = state.map_or(StatusClass::Succeeded, StatusClass::of);
        match class {
            StatusClass::Succeeded | StatusClass::InProgress => self.succeed(resource),
            StatusClass::Failed | StatusClass::Canceled => {
                let error = resource.as_ref().and_then(ServiceError::of_provisioning);
                let facts = failure_facts(error, answer, &self.request_id);
                self.end(Outcome::Failed {
                    canceled: class == StatusClass::Canceled,
                    facts,
                })
            }
        }
    }

    fn succeed(&mut self, result: Option<Value>) -> Step {
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

    fn end(&mut self, outcome: Outcome) -> Step {
        self.phase = Phase::Done(outcome);
        Step::Done
    }

    fn fetch(&mut self, url: Url) -> Step {
        self.phase = Phase::Final { url };
        self.read(Pace::Now)
    }

    fn probe(&mut self, why: Why) -> Step {
        self.phase = Phase::Probe(why);
        self.read(Pace::Now)
    }

    /// The next read, at the place that the phase says.
    fn read(&self, pace: Pace) -> Step {
        let url = match (&self.phase, &self.mode) {
            (Phase::Final { url }, _)
            | (Phase::Status | Phase::Confirm { .. }, Mode::Monitor { url, .. }) => url.clone(),
            _ => self.resource.clone(),
        };
        Step::Read { url, pace }
    }

    fn recovered(&mut self) {
        self.failures = 0;
        self.failing_since = None;
        self.last_error = None;
    }

    fn note(&mut self, status: Option<&str>, body: Option<&Value>) {
        if let Some(status) = status {
            // The service may send anything; what is shown and stored stays short.
            self.status = Some(status.chars().take(200).collect());
            self.seen_status = true;
            self.not_found = 0;
        }
        if let Some(percent) = body.and_then(percent) {
            self.percent = Some(percent);
        }
    }

    /// The best monitor that the headers name: the first one, in ARM's order, that is a URL.
    fn find_monitor(
        &mut self,
        base: &Url,
        answer: &Answer,
    ) -> Result<Option<(MonitorKind, Url)>, Error> {
        if let Some(Ok(location)) = self.header_url(MonitorKind::Location, base, answer) {
            self.location = Some(location);
        }
        for kind in [
            MonitorKind::AzureAsyncOperation,
            MonitorKind::OperationLocation,
            MonitorKind::Location,
        ] {
            if let Some(url) = self.header_url(kind, base, answer) {
                return Ok(Some((kind, url?)));
            }
        }
        Ok(None)
    }

    /// A poll may move the monitor; the header that named it is followed, no other.
    fn adopt_monitor(&mut self, answer: &Answer) -> Result<(), Error> {
        let Mode::Monitor { kind, url } = self.mode.clone() else {
            return Ok(());
        };
        if let Some(new) = self.header_url(kind, &url, answer) {
            self.mode = Mode::Monitor { kind, url: new? };
        }
        if kind != MonitorKind::Location
            && let Some(Ok(location)) = self.header_url(MonitorKind::Location, &url, answer)
        {
            self.location = Some(location);
        }
        Ok(())
    }

    fn header_url(
        &self,
        kind: MonitorKind,
        base: &Url,
        answer: &Answer,
    ) -> Option<Result<Url, Error>> {
        let name = match kind {
            MonitorKind::AzureAsyncOperation => "azure-asyncoperation",
            MonitorKind::OperationLocation => "operation-location",
            MonitorKind::Location => "location",
        };
        let url = self.origins.resolve(base, answer.header(name)?)?;
        Some(url.map(|url| with_api_version(url, &self.api_version)))
    }
}

/// The body of an answer, as far as it can be read.
enum Body {
    Empty,
    Garbage,
    Json(Value),
}

impl Body {
    fn read(answer: &Answer) -> Self {
        let body = answer.text();
        if body.iter().all(u8::is_ascii_whitespace) {
            return Self::Empty;
        }
        serde_json::from_slice(body).map_or(Self::Garbage, Self::Json)
    }

    fn json(&self) -> Option<&Value> {
        match self {
            Self::Json(json) => Some(json),
            _ => None,
        }
    }
}

/// The facts of a failure: the read of the status went well, so its HTTP status says nothing.
fn failure_facts(error: Option<ServiceError>, answer: &Answer, request_id: &str) -> ResponseFacts {
    ResponseFacts {
        status: error.as_ref().and_then(|error| error.status_code),
        error,
        ..answer.facts(request_id)
    }
}

/// Where the monitor itself carries the result of a POST.
fn result_of(body: &Value) -> Value {
    ["properties", "result"]
        .iter()
        .find_map(|name| body.get(name).filter(|value| !value.is_null()))
        .unwrap_or(body)
        .clone()
}

/// Appends the API version unless some parameter of that name is there, in any case. Nothing else
/// of the URL changes: services sign their queries.
fn with_api_version(mut url: Url, api_version: &str) -> Url {
    let has = url
        .query_pairs()
        .any(|(name, _)| name.eq_ignore_ascii_case("api-version"));
    if !has {
        let query = match url.query().filter(|query| !query.is_empty()) {
            Some(query) => format!("{query}&api-version={api_version}"),
            None => format!("api-version={api_version}"),
        };
        url.set_query(Some(&query));
    }
    url
}
