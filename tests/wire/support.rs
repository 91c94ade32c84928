//! The parts of `tests/support` that this binary uses.

#[path = "../support/alone.rs"]
pub(crate) mod alone;
#[cfg(feature = "emulator")]
#[allow(dead_code, reason = "the tests in memory use the rest")]
#[path = "../support/fixture.rs"]
pub(crate) mod fixture;
#[path = "../support/log.rs"]
pub(crate) mod log;
#[cfg(feature = "services")]
#[path = "../support/plane.rs"]
pub(crate) mod plane;
#[cfg(feature = "emulator")]
#[path = "../support/recorder.rs"]
pub(crate) mod recorder;
#[allow(dead_code, reason = "the other tests that read them use the rest")]
#[path = "../support/recordings.rs"]
pub(crate) mod recordings;
#[cfg_attr(
    not(feature = "services"),
    allow(dead_code, reason = "the tests of models and services use the rest")
)]
#[path = "../support/redirect.rs"]
pub(crate) mod redirect;
#[path = "../support/resealed.rs"]
pub(crate) mod resealed;
#[cfg_attr(
    not(feature = "emulator"),
    allow(dead_code, reason = "the tests of the emulator use the rest")
)]
#[path = "../support/specs/mod.rs"]
pub(crate) mod specs;
