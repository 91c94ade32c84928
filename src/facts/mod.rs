//! Plain data with its source: no behaviour, no dependency on the rest of the crate.
//!
//! The emulator may use this module, and nothing else of the library (`docs/internals/design.md`).

pub(crate) mod arm;
pub(crate) mod codes;
pub(crate) mod domains;
pub(crate) mod names;
pub(crate) mod purposes;
pub(crate) mod secrets;
#[cfg(feature = "services")]
pub(crate) mod services;
pub(crate) mod sizes;
