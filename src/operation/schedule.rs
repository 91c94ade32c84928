//! The time of the next read of the status. Pure: time and chance are arguments.

use crate::transport::limits::{polls, throttle};
use std::time::Duration;

/// The rule that gives the length of the pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// At once: a probe, or the final read.
    Now,
    /// At the pace of the operation; with the hint of the last answer.
    Regular { hint: Option<Duration> },
    /// The service throttles.
    Throttled { hint: Option<Duration> },
    /// The read failed for the `failures`th time in a row.
    Backoff {
        failures: u32,
        hint: Option<Duration>,
    },
}

/// The hints that the service gave, and the number of reads without one.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    floor: Duration,
    sticky: Option<Duration>,
    unhinted: u32,
    throttled: u32,
}

impl Schedule {
    pub(crate) fn new() -> Self {
        Self {
            floor: polls::FLOOR,
            sticky: None,
            unhinted: 0,
            throttled: 0,
        }
    }

    pub(crate) fn set_floor(&mut self, floor: Duration) {
        // Nobody waits longer than the service itself may ask; and sums must not overflow.
        self.floor = floor.min(throttle::LONGEST);
    }

    /// Returns the last hint that the service gave, within the accepted range.
    pub(crate) fn hint(&self) -> Option<Duration> {
        self.sticky
    }

    /// Continues from the state of another schedule, unless the service gave a hint here.
    pub(crate) fn go_on_from(&mut self, other: &Self) {
        self.sticky = self.sticky.or(other.sticky);
        self.unhinted = self.unhinted.max(other.unhinted);
    }

    /// Returns the pause that [`delay`](Self::delay) would give next without a new hint and without jitter.
    pub(crate) fn regular(&self) -> Duration {
        let mut next = self.clone();
        next.delay(Pace::Regular { hint: None }, 0.0)
    }

    /// Returns the pause before the next read. `chance` is from 0 to 1.
    ///
    /// Never earlier than a hint; jitter only adds, up to a tenth.
    pub(crate) fn delay(&mut self, pace: Pace, chance: f64) -> Duration {
        let chance = chance.clamp(0.0, 1.0);
        let jittered = |delay: Duration| delay.mul_f64(1.0 + 0.1 * chance);
        match pace {
            Pace::Now => Duration::ZERO,
            Pace::Regular { hint } => {
                self.throttled = 0;
                if let Some(hint) = hint {
                    self.sticky = Some(hint.min(polls::LONGEST_HINT));
                }
                let delay = match self.sticky {
                    Some(hint) => hint,
                    None => self.next_unhinted(),
                };
                jittered(delay.max(self.floor))
            }
            Pace::Throttled { hint: Some(hint) } => {
                jittered(hint.min(throttle::LONGEST).max(self.floor))
            }
            Pace::Throttled { hint: None } => {
                self.throttled += 1;
                jittered(backoff(self.throttled).max(self.floor))
            }
            Pace::Backoff { failures, hint } => match hint {
                Some(hint) => jittered(hint.min(polls::LONGEST_HINT).max(self.floor)),
                // Full jitter, but never a hot loop.
                None => backoff(failures).mul_f64(chance).max(self.floor),
            },
        }
    }

    fn next_unhinted(&mut self) -> Duration {
        let step = self.unhinted;
        self.unhinted = self.unhinted.saturating_add(1);
        match step {
            0 => polls::FIRST,
            // From the 6th on the pause is at its longest; the exponent must not overflow.
            step => polls::BASE
                .mul_f64(polls::GROWTH.powi(i32::try_from(step.min(8)).unwrap_or(8) - 1))
                .min(polls::LONGEST),
        }
    }
}

fn backoff(failures: u32) -> Duration {
    Duration::from_secs(1 << failures.saturating_sub(1).min(6)).min(polls::LONGEST_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_HINT: Pace = Pace::Regular { hint: None };

    fn secs(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn without_hints_the_pauses_grow_to_half_a_minute() {
        let mut schedule = Schedule::new();
        let pauses: Vec<f64> = (0..9)
            .map(|_| schedule.delay(NO_HINT, 0.0).as_secs_f64())
            .collect();
        assert_eq!(
            pauses,
            [1.0, 5.0, 7.5, 11.25, 16.875, 25.3125, 30.0, 30.0, 30.0]
        );
    }

    #[test]
    fn hint_stays_until_the_next_one_and_is_never_undercut() {
        let mut schedule = Schedule::new();
        let hint = |seconds| Pace::Regular {
            hint: Some(secs(seconds)),
        };
        assert_eq!(schedule.delay(hint(17.0), 0.0), secs(17.0));
        assert_eq!(schedule.delay(NO_HINT, 0.0), secs(17.0));
        assert_eq!(schedule.delay(NO_HINT, 1.0), secs(18.7));
        assert_eq!(schedule.delay(hint(3.0), 0.0), secs(3.0));
    }

    #[test]
    fn hints_are_kept_between_the_floor_and_ten_minutes() {
        let mut schedule = Schedule::new();
        let hint = |hint| Pace::Regular { hint: Some(hint) };
        assert_eq!(schedule.delay(hint(secs(0.25)), 0.0), secs(1.0));
        assert_eq!(schedule.delay(hint(Duration::MAX), 0.0), secs(600.0));
        let throttled = Pace::Throttled {
            hint: Some(Duration::MAX),
        };
        assert_eq!(schedule.delay(throttled, 0.0), secs(3600.0));
    }

    #[test]
    fn failed_reads_back_off_with_full_jitter_and_never_in_a_hot_loop() {
        let mut schedule = Schedule::new();
        for failures in 1..40 {
            let pace = Pace::Backoff {
                failures,
                hint: None,
            };
            assert!(schedule.delay(pace, 0.0) >= secs(1.0));
            assert!(schedule.delay(pace, 1.0) <= secs(30.0));
        }
        assert_eq!(
            schedule.delay(
                Pace::Backoff {
                    failures: 4,
                    hint: None
                },
                1.0
            ),
            secs(8.0)
        );
    }
}
