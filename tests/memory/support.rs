//! The parts of `tests/support` that this binary uses.

#[cfg(all(feature = "emulator", feature = "services"))]
#[path = "../support/alone.rs"]
pub(crate) mod alone;
#[cfg(feature = "emulator")]
#[path = "../support/fixture.rs"]
pub(crate) mod fixture;
#[cfg(feature = "internals")]
#[path = "../support/fuzz.rs"]
pub(crate) mod fuzz;
#[cfg(all(feature = "emulator", feature = "services"))]
#[path = "../support/log.rs"]
pub(crate) mod log;
#[cfg(feature = "emulator")]
#[path = "../support/raw.rs"]
pub(crate) mod raw;
#[cfg(feature = "emulator")]
#[path = "../support/raw_services.rs"]
pub(crate) mod raw_services;
#[cfg(all(feature = "emulator", feature = "services"))]
#[allow(dead_code, reason = "the tests on the wire use the rest")]
#[path = "../support/recorder.rs"]
pub(crate) mod recorder;
#[allow(dead_code, reason = "the tests on the wire use the rest")]
#[path = "../support/recordings.rs"]
pub(crate) mod recordings;
#[path = "../support/resealed.rs"]
pub(crate) mod resealed;
