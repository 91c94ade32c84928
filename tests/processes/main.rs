//! Processes and sockets: processes that are killed at each of their requests, the default HTTP client over
//! TLS, the emulator on loopback, and the first program of the README as pasted.
//!
//! Needs sockets on loopback, real time, and cargo.

// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used)]

#[cfg(all(feature = "emulator", feature = "rustls"))]
mod default_client;
#[cfg(all(feature = "emulator", feature = "rustls"))]
mod killed;
#[cfg(all(feature = "emulator", feature = "rustls"))]
mod loopback;
#[cfg(all(feature = "emulator", feature = "rustls"))]
mod readme;
mod support;
