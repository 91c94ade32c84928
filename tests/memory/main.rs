//! The library in memory: every verb and every case of `docs/operations.md`, and the emulator itself.
//!
//! Needs nothing but the process: requests go to a script or to the emulator without a socket, and the clock is
//! paused wherever a test waits. `docs/internals/architecture.md` compares this binary with the others.

// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod clusters;
#[cfg(feature = "emulator")]
mod emulator;
mod extensions;
#[cfg(feature = "internals")]
mod fuzz;
#[cfg(all(feature = "emulator", feature = "services"))]
mod model_adversities;
#[cfg(all(feature = "emulator", feature = "services"))]
mod models;
mod operations;
#[cfg(feature = "emulator")]
mod preflight;
mod secrecy;
#[cfg(all(feature = "emulator", feature = "services"))]
mod service_secrets;
#[cfg(all(feature = "emulator", feature = "services"))]
mod services;
#[cfg(feature = "emulator")]
mod soak;
mod support;
#[cfg(feature = "emulator")]
mod verbs;
#[cfg(feature = "emulator")]
mod with_the_emulator;
