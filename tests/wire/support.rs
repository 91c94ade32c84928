//! The parts of `tests/support` that this binary uses.

#[path = "../support/alone.rs"]
pub(crate) mod alone;
#[cfg(feature = "emulator")]
#[path = "../support/emulated.rs"]
pub(crate) mod emulated;
#[path = "../support/log.rs"]
pub(crate) mod log;
#[cfg(feature = "services")]
#[path = "../support/plane.rs"]
pub(crate) mod plane;
#[cfg(feature = "emulator")]
#[path = "../support/recorder.rs"]
pub(crate) mod recorder;
#[path = "../support/redirect.rs"]
pub(crate) mod redirect;
#[path = "../support/resealed.rs"]
pub(crate) mod resealed;
#[path = "../support/specs/mod.rs"]
pub(crate) mod specs;
