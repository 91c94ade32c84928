//! Long-running operations: a pure decision step, a schedule, and a small async shell around them.
//!
//! Four outcomes, never mixed: the service says *succeeded*; the service says *failed* or
//! *cancelled*; the status is *lost*; a local *deadline* or drop. The last two carry a resume token.

mod begin;
mod display;
mod driver;
mod fleet;
mod follow;
mod handle;
mod prepare;
mod progress;
mod record;
pub(crate) mod request;
mod schedule;
mod status;
mod step;
#[cfg(test)]
pub(crate) mod tests;
mod wait;
pub(crate) mod waitable;

#[cfg(feature = "services")]
pub(crate) use begin::begin_service;
pub(crate) use begin::{begin, done, watch};
#[cfg(feature = "services")]
pub(crate) use driver::chance;
pub(crate) use driver::{Driver, Settled, Subject};
pub(crate) use follow::{decode, events, result, wait};
pub use handle::Operation;
pub use prepare::Prepared;
pub(crate) use prepare::Ticket;
#[cfg(feature = "services")]
pub(crate) use prepare::accepted;
#[cfg(feature = "services")]
pub(crate) use prepare::write_secret;
pub(crate) use prepare::{prepare_and_send, write};
pub use progress::{Event, Progress};
pub use record::TokenStore;
#[cfg(feature = "internals")]
pub(crate) use schedule::Pace;
pub use status::StatusClass;
pub(crate) use status::{Protocol, is_deleting};
#[cfg(feature = "internals")]
pub(crate) use step::Observation;
pub(crate) use step::{Machine, Step};
pub use wait::WaitOptions;
pub use waitable::{Waitable, wait_all};
