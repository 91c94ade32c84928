//! A subscriber of `tracing` that keeps the events it gets.

use std::fmt::{Debug, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::{Metadata, span};

/// Records the events of `tracing`, at every level.
#[derive(Clone)]
pub(crate) struct Log {
    text: Arc<Mutex<String>>,
    spans: Arc<AtomicU64>,
    hears: fn(&str) -> bool,
}

impl Log {
    /// Listens to the whole process, to the targets that `hears` accepts. Works once for a process: see
    /// [`is_alone`](super::alone::is_alone).
    pub(crate) fn of_the_process(hears: fn(&str) -> bool) -> Self {
        let log = Self {
            text: Arc::default(),
            spans: Arc::default(),
            hears,
        };
        tracing::subscriber::set_global_default(log.clone()).unwrap();
        log
    }

    /// Listens to this thread, until the guard is dropped.
    #[allow(dead_code, reason = "the tests on the wire listen to the process")]
    pub(crate) fn of_this_thread(
        hears: fn(&str) -> bool,
    ) -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self {
            text: Arc::default(),
            spans: Arc::default(),
            hears,
        };
        let guard = tracing::subscriber::set_default(log.clone());
        (log, guard)
    }

    /// Returns the events so far.
    pub(crate) fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        writeln!(self.0, "  {field} = {value:?}").unwrap();
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        (self.hears)(metadata.target())
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut text = self.text.lock().unwrap();
        writeln!(text, "span {}", attributes.metadata().name()).unwrap();
        attributes.record(&mut Fields(&mut text));
        span::Id::from_u64(1 + self.spans.fetch_add(1, Ordering::SeqCst))
    }

    fn record(&self, _span: &span::Id, values: &span::Record<'_>) {
        values.record(&mut Fields(&mut self.text.lock().unwrap()));
    }

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = self.text.lock().unwrap();
        writeln!(text, "{}", event.metadata().target()).unwrap();
        event.record(&mut Fields(&mut text));
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}
