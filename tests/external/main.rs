//! What others made.

// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

#[cfg(all(feature = "services", feature = "internals", feature = "rustls"))]
mod azurite;
#[cfg(all(feature = "emulator", feature = "services", unix))]
mod model_server;
#[cfg(feature = "emulator")]
mod python;
