//! The parts of `tests/support` that this binary uses.

#[cfg(all(feature = "emulator", feature = "services"))]
#[path = "../support/alone.rs"]
pub(crate) mod alone;
#[cfg(feature = "emulator")]
#[path = "../support/emulated.rs"]
pub(crate) mod emulated;
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
#[path = "../support/recorder.rs"]
pub(crate) mod recorder;
#[path = "../support/resealed.rs"]
pub(crate) mod resealed;
