//! The repository: ranks of modules, pages against the code that they show, the public types, and the table of
//! cases.
//!
//! Needs the checkout alone.

// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used)]

mod architecture;
mod cases;
mod docs;
#[cfg(feature = "emulator")]
mod surface;
