//! The async shell around the decision step: pauses, sends, and asks the step what follows.

use super::display::{Observer, TICK};
use super::prepare::Ticket;
use super::progress::Progress;
use super::record::Record;
use super::schedule::Schedule;
use super::status::StatusClass;
use super::step::{Machine, Observation, Outcome, Step};
use super::wait::WaitOptions;
use crate::error::{
    Error, ErrorKind, Hidden, OperationFacts, ResponseFacts, in_runtime, is_passing,
};
use crate::facts::arm::COMPUTE_TYPE_KUBERNETES;
use crate::facts::codes;
use crate::json::Row;
use crate::token::{ResumeToken, TokenResource, Verb};
use crate::transport::limits::polls::LAST_READ;
use crate::transport::{HttpRequest, Limit, Sending, ServiceClient};
use serde_json::value::RawValue;
use std::hash::{BuildHasher, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// The words for a sort of resource, and the list that shows it.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) noun: &'static str,
    /// The last segment of the URL of that list; `None` if no list shows the state of an operation.
    pub(crate) collection: Option<&'static str>,
    /// The remedy if the resource could not be made.
    pub(crate) remains: &'static str,
}

/// An operation that is being waited for.
///
/// Its state changes only after an answer was received completely: a future of this type can be
/// dropped at any await point, and the next call continues where the last one stopped.
#[derive(Debug, Clone)]
pub(crate) struct Driver {
    client: Arc<ServiceClient>,
    machine: Machine,
    schedule: Schedule,
    /// `None` where nothing was requested: a wait on a resource that was only read.
    token: Option<ResumeToken>,
    /// The stored record of the token.
    record: Option<Arc<Record>>,
    subject: &'static Subject,
    target: String,
    /// `true` if another operation follows the success of this one: then the token is still needed.
    followed: bool,
    started: Instant,
    polls: u32,
    next: Option<Next>,
    /// `true` if the next pause was reported.
    announced: bool,
    /// `true` if the end was reported.
    reported: bool,
}

#[derive(Debug, Clone, Copy)]
struct Next {
    due: Instant,
    delay: Duration,
    throttled: bool,
}

/// The resource or the result with which an operation succeeded, where there is one.
pub(crate) type Settled = Option<Box<RawValue>>;

/// A wait in progress: its deadline, and its observers.
pub(crate) struct Wait {
    deadline: Option<Instant>,
    observer: Observer,
}

/// The outcome of a read, independent of the status of the operation.
#[derive(Debug)]
pub(super) enum Reading {
    Good,
    /// No answer, or one that may be better the next time.
    Failed(Box<ResponseFacts>),
}

/// One turn of the wait.
#[derive(Debug)]
pub(crate) enum Turn {
    /// A pause follows.
    Progress(Progress),
    /// It is over.
    Done(Result<Settled, Error>),
}

impl Driver {
    /// Returns the wait for an operation that was requested; its ticket knows what it is about.
    pub(crate) fn of(
        client: Arc<ServiceClient>,
        subject: &'static Subject,
        ticket: Ticket,
        begun: (Machine, Step),
    ) -> Self {
        let target = ticket.token.target().to_owned();
        Self::new(client, (subject, target), Some(ticket), begun)
    }

    pub(crate) fn new(
        client: Arc<ServiceClient>,
        (subject, target): (&'static Subject, String),
        ticket: Option<Ticket>,
        (machine, step): (Machine, Step),
    ) -> Self {
        let (token, record) = match ticket {
            Some(ticket) => (Some(ticket.token), ticket.record),
            None => (None, None),
        };
        let mut driver = Self {
            client,
            machine,
            schedule: Schedule::new(),
            token,
            record,
            subject,
            target,
            followed: false,
            started: Instant::now(),
            polls: 0,
            next: None,
            announced: false,
            reported: false,
        };
        driver.plan(step, false);
        if let Some(record) = &driver.record {
            record.note(driver.token());
        }
        driver
    }

    /// Returns the token that resumes the wait elsewhere; `None` once it is over.
    pub(crate) fn token(&self) -> Option<&ResumeToken> {
        if self.needs_no_token() {
            return None;
        }
        self.token.as_ref()
    }

    /// Returns the same wait for an operation that is followed by another one, if it succeeds.
    pub(crate) fn followed(mut self) -> Self {
        self.followed = true;
        self
    }

    /// Returns whether nothing is left for which somebody would resume.
    fn needs_no_token(&self) -> bool {
        let failed = matches!(
            self.machine.outcome(),
            Some(Outcome::Failed { .. } | Outcome::Lost { .. })
        );
        self.is_over() && (failed || !self.followed)
    }

    /// Returns whether the service has reported the end.
    pub(crate) fn is_over(&self) -> bool {
        self.machine.outcome().is_some_and(Outcome::is_final)
    }

    /// Hides these secrets, too, in every text of the service.
    pub(crate) fn hide(&mut self, hidden: &Hidden) {
        self.machine.hide(hidden);
    }

    pub(crate) fn verb(&self) -> Option<Verb> {
        self.token.as_ref().map(ResumeToken::verb)
    }

    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    pub(crate) fn status(&self) -> Option<&str> {
        self.machine.status()
    }

    /// Waits to the end.
    pub(crate) async fn run(&mut self, options: &WaitOptions) -> Result<Settled, Error> {
        let mut wait = self.wait(options);
        loop {
            if let Turn::Done(ended) = self.next(&mut wait).await? {
                return ended;
            }
        }
    }

    /// Removes the record of an operation that has ended for good.
    pub(crate) async fn close_record(&mut self) {
        if self.needs_no_token()
            && let Some(record) = &self.record
        {
            record.remove().await;
            self.record = None;
        }
    }

    /// Begins a wait that is followed turn by turn: [`next`](Self::next) until it is over.
    pub(crate) fn wait(&mut self, options: &WaitOptions) -> Wait {
        self.begin(options);
        self.announced = false;
        Wait {
            deadline: deadline(options),
            observer: options.observer(),
        }
    }

    /// Takes the next turn, and reports it to the observers.
    ///
    /// # Errors
    ///
    /// The deadline has passed.
    pub(crate) async fn next(&mut self, wait: &mut Wait) -> Result<Turn, Error> {
        in_runtime()?;
        let turn = {
            let turn = std::pin::pin!(self.turn(wait.deadline));
            watched(turn, &wait.observer).await
        };
        match turn {
            Ok(Some(progress)) => {
                wait.observer.progress(&progress);
                self.machine.forget_log();
                Ok(Turn::Progress(progress))
            }
            Ok(None) => {
                self.close_record().await;
                let ended = self.report();
                wait.observer.end(&self.progress(), ended.as_ref().err());
                self.machine.forget_log();
                Ok(Turn::Done(ended))
            }
            Err(error) => {
                wait.observer.end(&self.progress(), Some(&error));
                Err(error)
            }
        }
    }

    /// Reports the pause that follows, or makes it and reads once; `None` when it is over.
    async fn turn(&mut self, deadline: Option<Instant>) -> Result<Option<Progress>, Error> {
        loop {
            let Some(next) = self.next else {
                return Ok(None);
            };
            if !self.announced {
                self.announced = true;
                if !next.delay.is_zero() {
                    return Ok(Some(self.progress()));
                }
            }
            let due = match deadline.filter(|deadline| next.due >= *deadline) {
                Some(deadline) => {
                    tokio::time::sleep_until(deadline).await;
                    // A service that throttles is not read earlier, even at the end.
                    if next.throttled {
                        return Err(self.deadline_exceeded());
                    }
                    deadline
                }
                None => {
                    tokio::time::sleep_until(next.due).await;
                    next.due
                }
            };
            self.read(due, deadline).await;
            let Some(next) = &self.next else {
                return Ok(None);
            };
            self.announced = false;
            if let Some(deadline) = deadline {
                let now = Instant::now();
                // The last read may be followed by what belongs to it, such as the read of the
                // result; by no further one.
                let belongs = next.delay.is_zero() && now < deadline + LAST_READ;
                if now >= deadline && !belongs {
                    return Err(self.deadline_exceeded());
                }
            }
        }
    }

    /// Resumes a wait whose reported end was not final: a lost status, or a result that could not be read.
    pub(crate) fn again(&mut self) {
        if std::mem::take(&mut self.reported)
            && let Some(step) = self.machine.again()
        {
            self.plan(step, false);
        }
    }

    /// Reads what the machine asks for, once.
    pub(super) async fn read(&mut self, due: Instant, deadline: Option<Instant>) -> Reading {
        let request = HttpRequest::get(self.machine.url().clone())
            .hiding(self.machine.hidden())
            .request_id(Some(self.machine.request_id().to_owned()));
        let timeout = deadline.map(|deadline| {
            let left = (deadline + LAST_READ).saturating_duration_since(Instant::now());
            self.client.timeout().min(left)
        });
        tell_lag(due);
        let answer = self
            .client
            .send(&request, Sending::Once, Limit::RESOURCE, timeout)
            .await;
        self.polls = self.polls.saturating_add(1);
        let throttled = match &answer {
            Ok(answer) => matches!(answer.status, 429 | 503),
            Err(error) => error.is_throttled(),
        };
        let observed = match &answer {
            Ok(answer) => Observation::Answer(answer),
            Err(error) => Observation::Unanswered(error),
        };
        let step = self.machine.observe(observed, self.started.elapsed());
        self.plan(step, throttled);
        // Never a URL: monitors may be signed for the caller.
        tracing::debug!(
            target = self.target,
            status = self.machine.status(),
            polls = self.polls,
            next = ?self.next.as_ref().map(|next| next.delay),
            failed = self.machine.last_error(),
            "read the status of an operation"
        );
        match &answer {
            Ok(answer) if !is_passing(answer.status) => Reading::Good,
            Ok(answer) => Reading::Failed(Box::new(answer.facts(self.machine.request_id()))),
            Err(error) => Reading::Failed(Box::new(error.response().cloned().unwrap_or_default())),
        }
    }

    fn plan(&mut self, step: Step, throttled: bool) {
        if let Some(token) = &mut self.token {
            self.machine.write(token.parts_mut());
        }
        self.next = match step {
            Step::Done => None,
            Step::Watch => self.next,
            Step::Read(pace) => {
                let delay = self.schedule.delay(pace, chance());
                let due = Instant::now() + delay;
                Some(Next {
                    due,
                    delay,
                    throttled,
                })
            }
        };
    }

    /// Begins a wait, by itself or among others.
    pub(super) fn begin(&mut self, options: &WaitOptions) {
        self.schedule.set_floor(options.floor());
        self.again();
    }

    pub(super) fn progress(&self) -> Progress {
        let status = self.machine.status();
        let class = match self.machine.outcome() {
            Some(Outcome::Succeeded(_) | Outcome::Unfetched { .. }) => StatusClass::Succeeded,
            Some(Outcome::Failed { canceled: true, .. }) => StatusClass::Canceled,
            Some(Outcome::Failed { .. }) => StatusClass::Failed,
            Some(Outcome::Lost { .. }) | None => StatusClass::InProgress,
        };
        Progress {
            verb: self.verb(),
            workspace: workspace_of(self.machine.resource()),
            target: self.target.clone(),
            status: status.map(str::to_owned),
            class,
            percent: self.machine.percent(),
            polls: self.polls,
            elapsed: self.started.elapsed(),
            next_delay: self.next.map_or(Duration::ZERO, |next| next.delay),
            last_error: self.machine.last_error().map(str::to_owned),
            log: self.machine.log().to_vec(),
        }
    }

    /// Returns the end to the caller, whose wait is over.
    pub(crate) fn report(&mut self) -> Result<Settled, Error> {
        self.reported = true;
        self.result()
    }

    /// Returns the end, on each call; no I/O.
    fn result(&self) -> Result<Settled, Error> {
        if let Some(Outcome::Succeeded(result)) = self.machine.outcome() {
            return Ok(result.clone());
        }
        Err(self.failure().unwrap_or_else(|| self.deadline_exceeded()))
    }

    /// Returns why it ended, unless it succeeded or still runs. The result of a success is not read.
    pub(super) fn failure(&self) -> Option<Error> {
        let (error, token) = match self.machine.outcome()? {
            Outcome::Succeeded(_) => return None,
            Outcome::Failed { canceled, facts } => {
                let kind = if *canceled {
                    ErrorKind::OperationCanceled
                } else {
                    ErrorKind::OperationFailed
                };
                let error = Error::of_response(kind, facts.clone());
                let makes = matches!(
                    self.verb(),
                    Some(Verb::Attach | Verb::Create | Verb::Deploy | Verb::Install)
                );
                match makes && error.remedy().is_none() {
                    true if self.attaches_kubernetes() && is_internal(&error) => {
                        (error.with_remedy(codes::KUBERNETES_ATTACH_INTERNAL), None)
                    }
                    true => (error.with_remedy(self.subject.remains), None),
                    false => (error, None),
                }
            }
            Outcome::Unfetched { why, facts, .. } => {
                let error = Error::new(ErrorKind::ResultUnavailable, why.clone());
                (error.with_response(facts.clone()), None)
            }
            Outcome::Lost { kind, why, facts } => {
                let excerpt = facts.excerpt.as_deref().or_else(|| {
                    facts
                        .error
                        .as_ref()
                        .and_then(|error| error.message.as_deref())
                });
                let text = match excerpt {
                    Some(excerpt) => format!("{why}: {excerpt}"),
                    None => why.clone(),
                };
                (
                    Error::new(*kind, text).with_response(facts.clone()),
                    self.token().cloned(),
                )
            }
        };
        Some(self.describe(error, token))
    }

    fn attaches_kubernetes(&self) -> bool {
        let resource = self.token.as_ref().map(ResumeToken::resource);
        self.verb() == Some(Verb::Attach)
            && matches!(resource, Some(TokenResource::Compute(kind)) if kind == COMPUTE_TYPE_KUBERNETES)
    }

    fn deadline_exceeded(&self) -> Error {
        let error = Error::new(
            ErrorKind::DeadlineExceeded,
            "the deadline of the wait has passed; the operation may still run",
        );
        self.describe(error, self.token.clone())
    }

    fn describe(&self, error: Error, token: Option<ResumeToken>) -> Error {
        error
            .with_operation(OperationFacts {
                last_status: self.machine.status().map(str::to_owned),
                elapsed: self.started.elapsed(),
                polls: self.polls,
                token,
            })
            .with_context(|| match self.verb() {
                Some(verb) => format!("{verb} {} {:?}", self.subject.noun, self.target),
                None => format!("wait for {} {:?}", self.subject.noun, self.target),
            })
    }
}

fn is_internal(error: &Error) -> bool {
    let error = error.service_error();
    error.is_some_and(|error| error.any(codes::says_internal))
}

/// Keeps a live line going while something is waited for.
async fn watched<T>(mut work: Pin<&mut impl Future<Output = T>>, observer: &Observer) -> T {
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::time::sleep(TICK), if observer.is_live() => observer.redraw(),
        }
    }
}

/// Methods for a wait for many operations.
impl Driver {
    pub(super) fn client(&self) -> &Arc<ServiceClient> {
        &self.client
    }

    /// Returns the list that shows the resource of the operation, and the word for the items of the list.
    pub(super) fn list(&self) -> Option<(Url, &'static str)> {
        let collection = self.subject.collection?;
        Some((list_of(self.machine.resource(), collection)?, collection))
    }

    pub(super) fn machine(&self) -> &Machine {
        &self.machine
    }

    pub(super) fn schedule(&mut self) -> &mut Schedule {
        &mut self.schedule
    }

    /// Returns when the next read of its own is due; `None` once it is over.
    pub(super) fn due(&self) -> Option<Instant> {
        self.next.map(|next| next.due)
    }

    /// Returns the pause that the service asked for.
    pub(super) fn hint(&self) -> Option<Duration> {
        self.schedule.hint()
    }

    /// Returns whether the next read repeats one that failed.
    pub(super) fn is_backing_off(&self) -> bool {
        self.machine.last_error().is_some()
    }

    /// Returns whether the last read was throttled.
    pub(super) fn is_throttled(&self) -> bool {
        self.next.is_some_and(|next| next.throttled)
    }

    /// Shows what a list has of the operation: a row, or none.
    pub(super) fn show(&mut self, row: Option<&Row<'_>>) -> Step {
        let observed = row.map_or(Observation::NoRow, Observation::Row);
        // A read of it, as valid as any other.
        self.polls = self.polls.saturating_add(1);
        let step = self.machine.observe(observed, self.started.elapsed());
        if let Some(token) = &mut self.token {
            self.machine.write(token.parts_mut());
        }
        if step == Step::Done {
            self.next = None;
        }
        step
    }

    pub(super) fn lose(&mut self, why: &str, facts: ResponseFacts) {
        let step = self.machine.lose(why, facts);
        self.plan(step, false);
    }
}

/// Returns the list that shows a resource: `…/computes?api-version=…` for `…/computes/{name}?api-version=…`.
pub(super) fn list_of(resource: &Url, collection: &str) -> Option<Url> {
    let mut segments = resource.path_segments()?.rev();
    segments.next()?;
    if !segments.next()?.eq_ignore_ascii_case(collection) {
        return None;
    }
    let mut list = resource.clone();
    list.path_segments_mut().ok()?.pop();
    Some(list)
}

/// Returns the workspace of a resource.
fn workspace_of(resource: &Url) -> Option<String> {
    let mut segments = resource.path_segments()?;
    segments.find(|segment| segment.eq_ignore_ascii_case("workspaces"))?;
    segments.next().map(str::to_owned)
}

/// Returns when a wait that begins now ends; a deadline beyond the range of the clock counts as no deadline.
pub(super) fn deadline(options: &WaitOptions) -> Option<Instant> {
    let last = Instant::now().checked_add(options.limit()?.saturating_add(LAST_READ))?;
    last.checked_sub(LAST_READ)
}

/// Logs how much later than planned a read is sent: the first number to check in a process with very many waiters.
/// A target of its own, so that it can be had without the rest.
pub(super) fn tell_lag(due: Instant) {
    let lag = Instant::now().saturating_duration_since(due);
    tracing::trace!(
        target: "azureml_aks::poll",
        lag_us = u64::try_from(lag.as_micros()).unwrap_or(u64::MAX)
    );
}

/// Returns a number from 0 to 1 for jitter. The standard library's hasher is seeded at random, which is
/// chance enough to spread polls.
pub(crate) fn chance() -> f64 {
    let bits = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish()
        >> 32;
    // 32 bits fit a double exactly.
    bits as f64 / f64::from(u32::MAX)
}
