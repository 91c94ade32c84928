//! Listens to how late polls are sent.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};

/// The target of the library's events, and their field in µs.
const TARGET: &str = "azureml_aks::poll";
const FIELD: &str = "lag_us";

/// The lags of all polls of this process, since [`begin`](Self::begin).
pub(crate) struct Lags {
    begun: OnceLock<Instant>,
    seen: Mutex<Vec<u32>>,
}

impl Lags {
    /// Listens from now on, once in a process.
    ///
    /// # Arguments
    ///
    /// * `room` - how many polls are expected: their lags must not need memory while memory is
    ///   measured.
    pub(crate) fn listen(room: usize) -> Arc<Self> {
        let lags = Arc::new(Self {
            begun: OnceLock::new(),
            seen: Mutex::new(Vec::with_capacity(room)),
        });
        // Taken already only where somebody else listens.
        let _ = tracing::subscriber::set_global_default(lags.clone());
        lags
    }

    /// The wait begins. A poll that was due before could not be sent before, and its lag is counted
    /// from here.
    pub(crate) fn begin(&self) {
        let _ = self.begun.set(Instant::now());
    }

    /// All lags in ms.
    pub(crate) fn take(&self) -> Vec<f64> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *seen)
            .into_iter()
            .map(|lag| f64::from(lag) / 1e3)
            .collect()
    }
}

impl Subscriber for Lags {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        // Asked once for each place in the code, so that all other events cost what they cost when
        // nobody listens.
        if self.enabled(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }

    fn event(&self, event: &Event<'_>) {
        let Some(begun) = self.begun.get() else {
            return;
        };
        let mut lag = Lag(None);
        event.record(&mut lag);
        if let Some(lag) = lag.0 {
            let most = begun.elapsed().as_micros();
            let lag = u128::from(lag).min(most);
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.push(u32::try_from(lag).unwrap_or(u32::MAX));
        }
    }

    // The library has no spans of this target.
    fn new_span(&self, _span: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _span: &Id, _values: &Record<'_>) {}

    fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

    fn enter(&self, _span: &Id) {}

    fn exit(&self, _span: &Id) {}
}

struct Lag(Option<u64>);

impl Visit for Lag {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == FIELD {
            self.0 = Some(value);
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn fmt::Debug) {}
}
