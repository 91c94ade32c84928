//! One throttle for a whole workspace: a refusal that one task gets slows all tasks.

use super::limits::throttle::{
    Budget, LONGEST, OF_A_CALLER, OF_ALL, OF_AN_HOUR, PATIENCE, RELEASE_GAP,
};
use super::retry::Sends;
use crate::error::{Hidden, ResponseFacts};
use crate::transport::exchange::{Answer, Limit};
use async_trait::async_trait;
use azure_core::http::headers::Headers;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Method, Request};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The time until which nothing is sent, and the gap between reads; shared by the pipelines of a workspace.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    hold: Option<Hold>,
    /// While a budget of reads is nearly spent, and while reads that waited for a refusal to end are sent.
    spacing: Option<Spacing>,
}

#[derive(Debug, Clone, Copy)]
struct Hold {
    until: Instant,
    /// The status of the answer that asked for it.
    status: u16,
}

#[derive(Debug, Clone, Copy)]
struct Spacing {
    gap: Duration,
    /// When the next read may be sent.
    next: Instant,
    /// Whether it ends when nobody waits any more.
    passes: bool,
}

impl Throttle {
    fn remaining(&self) -> Option<(Duration, u16)> {
        let mut held = self.held();
        let hold = held.hold?;
        let left = hold
            .until
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero());
        if left.is_none() {
            held.hold = None;
        }
        Some((left?, hold.status))
    }

    fn hold(&self, delay: Duration, status: u16) {
        let until = Instant::now() + delay.min(LONGEST);
        let mut held = self.held();
        if held.hold.is_none_or(|old| old.until < until) {
            held.hold = Some(Hold { until, status });
            // All that wait would else be sent in one instant, and be refused again.
            let gap = held
                .spacing
                .map_or(RELEASE_GAP, |spacing| spacing.gap.max(RELEASE_GAP));
            held.spacing = Some(Spacing {
                gap,
                next: until,
                passes: true,
            });
        }
    }

    /// Returns how long a read waits for its turn. A turn that is further off than a call may wait
    /// is not taken.
    fn turn(&self) -> Duration {
        let mut held = self.held();
        let Some(spacing) = &mut held.spacing else {
            return Duration::ZERO;
        };
        let now = Instant::now();
        if spacing.passes && now > spacing.next + spacing.gap {
            held.spacing = None;
            return Duration::ZERO;
        }
        let turn = spacing.next.max(now);
        let wait = turn - now;
        if wait <= PATIENCE {
            spacing.next = turn + spacing.gap;
        }
        wait
    }

    /// Spaces reads by the number that an answer of the service says are left.
    fn budget(&self, gap: Duration) {
        let mut held = self.held();
        held.spacing = match (gap, held.spacing) {
            // Those who wait keep their turns; the others need none.
            (Duration::ZERO, _) => None,
            (gap, spacing) => {
                let next = Instant::now() + gap;
                Some(Spacing {
                    gap,
                    // Turns that were given out stay given out.
                    next: spacing.map_or(next, |spacing| spacing.next.max(next)),
                    passes: false,
                })
            }
        };
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The per-try policy around a [`Throttle`].
#[derive(Debug)]
pub(crate) struct ThrottlePolicy {
    pub(crate) throttle: Arc<Throttle>,
    /// Whether an answer with a long `Retry-After` is an error at once. It is for reads, which
    /// would else be tried again, run into the throttle, and lose the message of the service.
    pub(crate) impatient: bool,
}

/// A request that was not sent, or refused, because the service asks for a longer pause than a call waits.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{why}; retry in {retry_after:.0?}, the request was not sent")]
pub(crate) struct Throttled {
    pub(crate) why: Why,
    pub(crate) retry_after: Duration,
    pub(crate) status: u16,
    /// The service's own answer, where one was just given. Otherwise nothing was sent.
    pub(crate) answered: Option<Box<ResponseFacts>>,
}

/// Why a request has to wait.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum Why {
    /// By the number of reads that are left.
    #[error("throttled: the subscription has hardly any reads left")]
    Scarce,
    /// By a refusal with this status.
    #[error("throttled ({0})")]
    Refused(u16),
}

#[async_trait]
impl Policy for ThrottlePolicy {
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        self.pass_hold().await?;
        let reads = request.method() == Method::Get;
        if reads {
            let turn = self.throttle.turn();
            if turn > PATIENCE {
                return Err(refusal(Throttled {
                    retry_after: turn,
                    status: 429,
                    why: Why::Scarce,
                    answered: None,
                }));
            }
            if !turn.is_zero() {
                tokio::time::sleep(turn).await;
                // Somebody may have been refused meanwhile.
                self.pass_hold().await?;
            }
        }
        Sends::count(ctx);
        let response = next[0].send(ctx, request, &next[1..]).await?;
        let status = u16::from(response.status());
        if reads && let Some(gap) = gap(response.headers()) {
            self.throttle.budget(gap);
        }
        if !matches!(status, 429 | 503) {
            return Ok(response);
        }
        let Some(delay) = super::exchange::retry_after(response.headers()) else {
            return Ok(response);
        };
        self.throttle.hold(delay, status);
        if !self.impatient || delay <= PATIENCE {
            return Ok(response);
        }
        let facts = match Answer::read(response, Limit::RESOURCE).await {
            // What is secret must be hidden before a text is cut.
            Ok(answer) => Answer {
                hidden: ctx.value::<Hidden>().cloned().unwrap_or_default(),
                ..answer
            }
            .facts(""),
            Err(_) => ResponseFacts {
                status: Some(status),
                retry_after: Some(delay),
                ..ResponseFacts::default()
            },
        };
        Err(refusal(Throttled {
            retry_after: delay,
            status,
            why: Why::Refused(status),
            answered: Some(Box::new(facts)),
        }))
    }
}

impl ThrottlePolicy {
    /// Sleeps while the service wants nothing to be sent; refuses where that is too long for a call.
    async fn pass_hold(&self) -> azure_core::Result<()> {
        while let Some((left, status)) = self.throttle.remaining() {
            if left > PATIENCE {
                return Err(refusal(Throttled {
                    retry_after: left,
                    status,
                    why: Why::Refused(status),
                    answered: None,
                }));
            }
            tokio::time::sleep(left).await;
        }
        Ok(())
    }
}

impl Budget {
    /// Returns the gap between reads while so many are left.
    fn gap(&self, left: u32) -> Duration {
        self.widest * self.scarce.saturating_sub(left) / self.scarce
    }
}

/// Returns the gap between reads, where the service says how many are left. A value that is not a number is ignored.
fn gap(headers: &Headers) -> Option<Duration> {
    let left = |name| -> Option<u32> { super::exchange::header(headers, name)?.parse().ok() };
    let own = left("x-ms-ratelimit-remaining-subscription-reads")?;
    // ARM counts in buckets where it tells this one, too.
    let all = left("x-ms-ratelimit-remaining-subscription-global-reads");
    Some(match all {
        Some(all) => OF_A_CALLER.gap(own).max(OF_ALL.gap(all)),
        None => OF_AN_HOUR.gap(own),
    })
}

/// An error of a kind that `azure_core` does not retry.
fn refusal(throttled: Throttled) -> azure_core::Error {
    azure_core::Error::with_error(azure_core::error::ErrorKind::Other, throttled, "throttled")
}
