//! Keys and tokens that are fetched: by one task at a time, for all who wait.
//!
//! # Design
//!
//! The fetch is a task of its own, and not part of the call that needs it first. So a call that
//! is dropped strands nobody, and a credential that is about to run out is replaced while calls go
//! on with it.
//!
//! Times of the service are turned into spans of the local monotonic clock when the credential
//! comes, so a wall clock that is set later does no harm. A wall clock that is wrong from the start
//! does little: if it is late, the service's 401 ends the credential; if it is early, so that a new
//! credential seems to have run out, it is used for [`HELD`] all the same.

use super::failure;
use crate::error::{Error, ErrorKind};
use crate::transport::Bearer;
use crate::transport::limits::scoring::{EARLY, FETCH, HELD, LOST_FETCHES, REST, SHARED_FAILURE};
use async_trait::async_trait;
use azure_core::credentials::Secret;
use azure_core::time::OffsetDateTime;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tracing::Instrument;

/// A source of the key or token of a service.
#[async_trait]
pub(crate) trait CredentialSource: Send + Sync {
    /// Fetches it anew, past any cache.
    async fn fetch(&self) -> Result<ScoringCredential, Error>;
}

/// A key or token of a service.
#[derive(Debug)]
pub(crate) struct ScoringCredential {
    pub(crate) secret: Secret,
    /// When the service wants it to be replaced.
    pub(crate) refresh_after: Option<OffsetDateTime>,
    /// From when it is not taken any more.
    pub(crate) expires_on: Option<OffsetDateTime>,
    pub(crate) kind: CredentialKind,
}

/// A credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CredentialKind {
    Key,
    Token,
}

/// A credential that is held.
pub(super) struct Held {
    pub(super) bearer: Bearer,
    /// The number of the fetch that gave it.
    number: u64,
    /// Whether it was fetched because the service refused the one before it.
    after_refusal: bool,
    since: Instant,
    /// `None` for never.
    due: Option<Instant>,
    expiry: Option<Instant>,
}

impl Held {
    fn new(
        credential: &ScoringCredential,
        number: u64,
        after_refusal: bool,
    ) -> Result<Self, Error> {
        let bearer = Bearer::new(&credential.secret).ok_or_else(|| {
            let what = match credential.kind {
                CredentialKind::Key => "key",
                CredentialKind::Token => "token",
            };
            let why = format!("the {what} that the service returned is not a valid header value");
            Error::new(ErrorKind::Protocol, why)
        })?;
        let (now, wall) = (Instant::now(), OffsetDateTime::now_utc());
        // What has passed already is a negative span, and so none.
        let left = |at: OffsetDateTime| Duration::try_from(at - wall).unwrap_or_default();
        let expiry = credential.expires_on.map(left);
        let due = match (credential.refresh_after.map(left), expiry) {
            (Some(refresh), Some(expiry)) => Some(refresh.min(expiry)),
            (refresh, expiry) => refresh.or(expiry),
        };
        let due = due.map(|left| left - EARLY.min(left / 10));
        // Too far off for the clock is never.
        let at = |left: Option<Duration>| now.checked_add(left?.max(HELD));
        Ok(Self {
            bearer,
            number,
            after_refusal,
            since: now,
            due: at(due),
            expiry: at(expiry),
        })
    }

    fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| now >= due)
    }

    fn has_expired(&self, now: Instant) -> bool {
        self.expiry.is_some_and(|expiry| now >= expiry)
    }
}

/// Holds the credential of a client and of its clones.
pub(super) struct Cache(Arc<Core>);

struct Core {
    source: Arc<dyn CredentialSource>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Arc<Held>>,
    flight: Option<Flight>,
    flights: u64,
    failed: Option<Failed>,
}

struct Failed {
    error: Error,
    at: Instant,
}

/// A fetch on its way.
#[derive(Clone)]
struct Flight {
    number: u64,
    task: AbortHandle,
    landing: Shared<BoxFuture<'static, Landing>>,
}

#[derive(Clone)]
enum Landing {
    Held(Arc<Held>),
    Failed(Error),
    /// The runtime that the task was on is gone.
    Lost,
}

impl Cache {
    pub(super) fn new(source: Arc<dyn CredentialSource>) -> Self {
        Self(Arc::new(Core {
            source,
            state: Mutex::default(),
        }))
    }

    /// The credential, if a good one is held. Has it replaced if its time is near.
    pub(super) fn ready(&self) -> Option<Arc<Held>> {
        let now = Instant::now();
        let mut state = self.0.state();
        let held = state.good(now)?;
        if held.is_due(now) && !state.rests(now) {
            self.0.flight(&mut state, false);
        }
        Some(held)
    }

    /// The credential, once it is there.
    pub(super) async fn wait(&self) -> Result<Arc<Held>, Error> {
        self.land(false, |state, now| state.good(now).map(Ok)).await
    }

    /// Another credential than the one that the service refused. `None` if there is none: the
    /// source gives the same again.
    pub(super) async fn newer(&self, refused: &Held) -> Result<Option<Arc<Held>>, Error> {
        let known = |state: &State, now| {
            let held = state.held.as_ref()?;
            let is_newer = held.number != refused.number;
            // Fetched for a refusal just now, and refused: the next one would be too.
            let in_vain = refused.after_refusal && now < refused.since + REST;
            (is_newer || in_vain).then(|| Ok(held.clone()))
        };
        let held = self.land(true, known).await?;
        Ok((!held.bearer.is_same(&refused.bearer)).then_some(held))
    }

    /// Returns the `known` credential, that of the fetch under way, or that of a new fetch.
    async fn land(
        &self,
        after_refusal: bool,
        known: impl Fn(&State, Instant) -> Option<Result<Arc<Held>, Error>> + Send,
    ) -> Result<Arc<Held>, Error> {
        for _ in 0..LOST_FETCHES {
            let flight = {
                let now = Instant::now();
                let mut state = self.0.state();
                if let Some(known) = known(&state, now) {
                    return known;
                }
                if let Some(error) = state.failure(now) {
                    return Err(error);
                }
                self.0.flight(&mut state, after_refusal)
            };
            match flight.landing.await {
                Landing::Held(held) => return Ok(held),
                Landing::Failed(error) => return Err(error),
                Landing::Lost => {}
            }
        }
        Err(Error::new(
            ErrorKind::ScoringCredentialUnavailable,
            "the key or token of the service cannot be fetched: the runtime is shutting down",
        ))
    }
}

impl State {
    fn good(&self, now: Instant) -> Option<Arc<Held>> {
        self.held
            .as_ref()
            .filter(|held| !held.has_expired(now))
            .cloned()
    }

    fn rests(&self, now: Instant) -> bool {
        self.failed
            .as_ref()
            .is_some_and(|failed| now < failed.at + REST)
    }

    /// A failure that is too young for a new try.
    fn failure(&self, now: Instant) -> Option<Error> {
        let failed = self.failed.as_ref()?;
        let asked = failed.error.retry_after().unwrap_or_default();
        let pause = SHARED_FAILURE.max(asked).min(REST);
        (now < failed.at + pause).then(|| failed.error.clone())
    }
}

impl Core {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fetch that is under way, or a new one.
    fn flight(self: &Arc<Self>, state: &mut State, after_refusal: bool) -> Flight {
        // One whose task has ended, and which is still here, was lost.
        let under_way = state.flight.as_ref();
        if let Some(flight) = under_way.filter(|flight| !flight.task.is_finished()) {
            return flight.clone();
        }
        state.flights += 1;
        let number = state.flights;
        let core = self.clone();
        let fetch = async move {
            let fetched = tokio::time::timeout(FETCH, core.source.fetch())
                .await
                .unwrap_or_else(|_| {
                    Err(Error::new(
                        ErrorKind::Timeout,
                        format!("no answer within {FETCH:?}"),
                    ))
                });
            core.arrived(number, after_refusal, fetched)
        };
        let task = tokio::spawn(fetch.in_current_span());
        let flight = Flight {
            number,
            task: task.abort_handle(),
            landing: async move {
                match task.await {
                    Ok(landing) => landing,
                    Err(error) if error.is_panic() => Landing::Failed(Error::new(
                        ErrorKind::ScoringCredentialUnavailable,
                        "the key or token of the service cannot be fetched: the fetch panicked",
                    )),
                    Err(_) => Landing::Lost,
                }
            }
            .boxed()
            .shared(),
        };
        state.flight = Some(flight.clone());
        flight
    }

    fn arrived(
        &self,
        number: u64,
        after_refusal: bool,
        fetched: Result<ScoringCredential, Error>,
    ) -> Landing {
        let held = fetched.and_then(|credential| Held::new(&credential, number, after_refusal));
        let mut state = self.state();
        if (state.flight.as_ref()).is_some_and(|flight| flight.number == number) {
            state.flight = None;
        }
        match held {
            Ok(held) => {
                let held = Arc::new(held);
                state.held = Some(held.clone());
                state.failed = None;
                Landing::Held(held)
            }
            Err(error) => {
                let error = unavailable(error);
                tracing::warn!(%error, "the key or token of a service was not fetched");
                state.failed = Some(Failed {
                    error: error.clone(),
                    at: Instant::now(),
                });
                Landing::Failed(error)
            }
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

/// Tells a region that does not answer from one that says no.
fn unavailable(error: Error) -> Error {
    // A credential of the caller fails for reasons of its own, which say nothing about the region.
    if error.kind() == ErrorKind::Credential || !error.is_transient() {
        return error.with_context(|| "fetch the key or token of the service".to_owned());
    }
    let what = format!(
        "the key or token of the service is not available: {}",
        error.message()
    );
    error
        .recast(ErrorKind::ScoringCredentialUnavailable, what)
        .with_remedy(failure::REGION)
}
