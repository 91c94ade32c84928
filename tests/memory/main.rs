//! The library and the emulator in one process.

// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used)]

#[cfg(feature = "emulator")]
mod emulator;
#[cfg(all(feature = "emulator", feature = "services"))]
mod model_adversities;
#[cfg(all(feature = "emulator", feature = "services"))]
mod models;
mod operations;
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
