//! The repository itself.

// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used)]

mod architecture;
mod docs;
#[cfg(feature = "emulator")]
mod surface;
