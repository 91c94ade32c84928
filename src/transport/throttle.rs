//! One brake for a whole workspace: what one task is told, all tasks heed.

use crate::error::ResponseFacts;
use crate::transport::exchange::{Answer, Limit};
use async_trait::async_trait;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Until when nothing is sent, shared by the pipelines of a workspace.
#[derive(Debug, Default)]
pub(crate) struct Brake {
    held: Mutex<Option<Hold>>,
}

#[derive(Debug, Clone, Copy)]
struct Hold {
    until: Instant,
    /// Of the answer that asked for it.
    status: u16,
}

impl Brake {
    fn remaining(&self) -> Option<(Duration, u16)> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let hold = (*held)?;
        let left = hold
            .until
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero());
        if left.is_none() {
            *held = None;
        }
        Some((left?, hold.status))
    }

    fn hold(&self, delay: Duration, status: u16) {
        let until = Instant::now() + delay.min(LONGEST);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none_or(|old| old.until < until) {
            *held = Some(Hold { until, status });
        }
    }
}

/// A server may ask for up to an hour (`operations.md` rule 14).
const LONGEST: Duration = Duration::from_secs(3600);

/// How long a call sleeps before the brake; beyond it the caller is told.
const PATIENCE: Duration = Duration::from_secs(30);

/// The per-try policy around a [`Brake`].
#[derive(Debug)]
pub(crate) struct ThrottlePolicy {
    pub(crate) brake: Arc<Brake>,
    /// Whether an answer that asks for much patience is an error at once. So it is for reads, which
    /// would else be tried again, run into the brake, and lose what the service said.
    pub(crate) impatient: bool,
}

/// The service asks for more patience than a call has.
#[derive(Debug, Clone)]
pub(crate) struct Throttled {
    pub(crate) retry_after: Duration,
    pub(crate) status: u16,
    /// The service's own answer, where one was just given. Otherwise nothing was sent.
    pub(crate) answered: Option<Box<ResponseFacts>>,
}

impl fmt::Display for Throttled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the service asked for patience ({}) for another {:.0?}; nothing was sent",
            self.status, self.retry_after
        )
    }
}

impl std::error::Error for Throttled {}

#[async_trait]
impl Policy for ThrottlePolicy {
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        while let Some((left, status)) = self.brake.remaining() {
            if left > PATIENCE {
                return Err(refusal(Throttled {
                    retry_after: left,
                    status,
                    answered: None,
                }));
            }
            tokio::time::sleep(left).await;
        }
        let response = next[0].send(ctx, request, &next[1..]).await?;
        let status = u16::from(response.status());
        if !matches!(status, 429 | 503) {
            return Ok(response);
        }
        let Some(delay) = super::exchange::retry_after(response.headers()) else {
            return Ok(response);
        };
        self.brake.hold(delay, status);
        if !self.impatient || delay <= PATIENCE {
            return Ok(response);
        }
        let facts = match Answer::read(response, Limit::RESOURCE).await {
            Ok(answer) => answer.facts(""),
            Err(_) => ResponseFacts {
                status: Some(status),
                retry_after: Some(delay),
                ..ResponseFacts::default()
            },
        };
        Err(refusal(Throttled {
            retry_after: delay,
            status,
            answered: Some(Box::new(facts)),
        }))
    }
}

/// Of a kind that `azure_core` does not try again.
fn refusal(throttled: Throttled) -> azure_core::Error {
    azure_core::Error::with_error(azure_core::error::ErrorKind::Other, throttled, "throttled")
}
