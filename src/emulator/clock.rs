//! The clock that operations advance by.

use std::time::{Duration, SystemTime};

use azure_core::time::{OffsetDateTime, to_rfc3339};

/// The clock of the emulator.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Clock {
    /// Time passes by itself, `speed` times as fast as `tokio`'s clock. Under a paused `tokio`
    /// clock it follows that one, so that waiting for an operation costs no real time.
    Automatic {
        /// How many seconds pass here for each second there. Not above zero means that time
        /// stands still until [`Emulator::advance`](super::Emulator::advance).
        speed: f64,
    },
    /// Time passes only on request: [`Emulator::advance`](super::Emulator::advance) and
    /// [`Emulator::finish_operations`](super::Emulator::finish_operations).
    Manual,
}

impl Clock {
    /// How long a span of this clock is on `tokio`'s, which clients wait by: a service that runs
    /// faster also wants to be asked sooner.
    pub(crate) fn real(self, span: Duration) -> Duration {
        match self {
            Self::Automatic { speed } if speed > 0.0 => {
                Duration::try_from_secs_f64(span.as_secs_f64() / speed).unwrap_or(span)
            }
            _ => span,
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::Automatic { speed: 1.0 }
    }
}

/// A clock that runs: where it began and what was added by hand.
#[derive(Debug)]
pub(crate) struct Time {
    clock: Clock,
    began: tokio::time::Instant,
    wall: SystemTime,
    added: Duration,
}

impl Time {
    pub(crate) fn start(clock: Clock) -> Self {
        Self {
            clock,
            began: tokio::time::Instant::now(),
            wall: SystemTime::now(),
            added: Duration::ZERO,
        }
    }

    /// The time since the emulator began.
    pub(crate) fn now(&self) -> Duration {
        let passed = match self.clock {
            Clock::Manual => Duration::ZERO,
            Clock::Automatic { speed } => {
                // Saturating: an emulator made outside a paused runtime and used inside one must
                // not panic.
                let real = tokio::time::Instant::now().saturating_duration_since(self.began);
                Duration::try_from_secs_f64(real.as_secs_f64() * speed).unwrap_or_default()
            }
        };
        passed.saturating_add(self.added)
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.added = self.added.saturating_add(by);
    }

    /// A moment of this clock as the service writes it: up to seven digits of a second, without
    /// zeros at their end, and `+00:00`.
    pub(crate) fn stamp(&self, at: Duration) -> String {
        let date = self.date(at);
        let whole = to_rfc3339(&date.replace_nanosecond(0).unwrap_or(date));
        let fraction = format!(".{:07}", date.nanosecond() / 100);
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        format!("{}{fraction}+00:00", whole.trim_end_matches('Z'))
    }

    /// A moment of this clock in seconds of the epoch.
    pub(crate) fn epoch_seconds(&self, at: Duration) -> i64 {
        self.date(at).unix_timestamp()
    }

    /// A moment of this clock as fourteen digits, as logs of operations write it.
    pub(crate) fn digits(&self, at: Duration) -> String {
        let moment = self.date(at);
        format!(
            "{:04}{:02}{:02}{:02}{:02}{:02}",
            moment.year(),
            u8::from(moment.month()),
            moment.day(),
            moment.hour(),
            moment.minute(),
            moment.second()
        )
    }

    /// A moment of this clock in the calendar.
    pub(crate) fn date(&self, at: Duration) -> OffsetDateTime {
        // The calendar ends, and a clock that is moved by hand may not.
        const LAST: Duration = Duration::from_secs(253_402_300_799);
        let wall = self.wall.checked_add(at).unwrap_or(self.wall);
        let moment = wall.min(SystemTime::UNIX_EPOCH + LAST);
        OffsetDateTime::from(moment)
    }
}
