//! Processes and sockets.

// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used)]

#[cfg(all(feature = "emulator", feature = "rustls"))]
mod default_client;
#[cfg(all(feature = "emulator", feature = "rustls"))]
mod killed;
#[cfg(all(feature = "emulator", feature = "rustls"))]
mod loopback;
mod support;
