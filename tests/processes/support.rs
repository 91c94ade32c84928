//! The parts of `tests/support` that this binary uses.

#[cfg(all(feature = "emulator", feature = "rustls"))]
#[allow(dead_code, reason = "the tests in memory use the rest")]
#[path = "../support/raw.rs"]
pub(crate) mod raw;
#[cfg(all(feature = "emulator", feature = "rustls"))]
#[allow(dead_code, reason = "the tests in memory use the rest")]
#[path = "../support/raw_services.rs"]
pub(crate) mod raw_services;
#[cfg(all(feature = "emulator", feature = "rustls"))]
#[path = "../support/resealed.rs"]
pub(crate) mod resealed;
