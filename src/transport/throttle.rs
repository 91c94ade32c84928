//! One brake for a whole workspace: what one task is told, all tasks heed.

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
    until: Mutex<Option<Instant>>,
}

impl Brake {
    fn remaining(&self) -> Option<Duration> {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let left = (*until)?
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero());
        if left.is_none() {
            *until = None;
        }
        left
    }

    fn hold(&self, delay: Duration) {
        let new = Instant::now() + delay.min(LONGEST);
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.is_none_or(|old| old < new) {
            *until = Some(new);
        }
    }
}

/// A server may ask for up to an hour (`operations.md` rule 14).
const LONGEST: Duration = Duration::from_secs(3600);

/// How long a call sleeps before the brake; beyond it the caller is told.
const PATIENCE: Duration = Duration::from_secs(30);

/// The per-try policy around a [`Brake`].
#[derive(Debug)]
pub(crate) struct ThrottlePolicy(pub(crate) Arc<Brake>);

/// The brake is on for longer than a call should sleep.
#[derive(Debug, Clone)]
pub(crate) struct Throttled {
    pub(crate) retry_after: Duration,
    /// The service's own answer, where one was just given: its request id. Otherwise nothing was
    /// sent.
    pub(crate) answered: Option<Option<String>>,
}

impl fmt::Display for Throttled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the service throttles this workspace for another {:.0?}",
            self.retry_after
        )?;
        match self.answered {
            Some(_) => Ok(()),
            None => f.write_str("; nothing was sent"),
        }
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
        while let Some(left) = self.0.remaining() {
            if left > PATIENCE {
                return Err(refusal(left, None));
            }
            tokio::time::sleep(left).await;
        }
        let response = next[0].send(ctx, request, &next[1..]).await?;
        let status = u16::from(response.status());
        if (status == 429 || status == 503)
            && let Some(delay) = super::exchange::retry_after(response.headers())
        {
            self.0.hold(delay);
            // Trying again would only run into the brake, and lose what the service said.
            if status == 429 && delay > PATIENCE {
                let id = super::exchange::header(response.headers(), "x-ms-request-id");
                return Err(refusal(delay, Some(id.map(str::to_owned))));
            }
        }
        Ok(response)
    }
}

/// Of a kind that `azure_core` does not try again.
fn refusal(retry_after: Duration, answered: Option<Option<String>>) -> azure_core::Error {
    let throttled = Throttled {
        retry_after,
        answered,
    };
    azure_core::Error::with_error(azure_core::error::ErrorKind::Other, throttled, "throttled")
}
