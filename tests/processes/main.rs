//! Processes and sockets: processes that are killed at each of their requests, the default HTTP client over
//! TLS, and the emulator on loopback.
//!
//! Needs sockets on loopback, and real time.

// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used)]

#[cfg(all(feature = "emulator", feature = "rustls"))]
mod default_client;
#[cfg(all(feature = "emulator", feature = "rustls"))]
mod killed;
#[cfg(all(feature = "emulator", feature = "rustls"))]
mod loopback;
mod support;
