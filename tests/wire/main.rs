//! The traffic on the wire: requests byte for byte and answers as the service documents them, through
//! `mockito`; the scoring client; and both sides against Microsoft's published descriptions (`specs`).
//!
//! Needs sockets on loopback; the descriptions in the folder that `AZURE_API_SPECS` names (default `../shared/specs`);
//! and the recordings of the live service in the folder that `AZURE_RECORDINGS` names (default
//! `../shared/recordings/cassettes`). Where they are absent, the tests that read them say so and pass, unless
//! `REQUIRE_SPECS` or `REQUIRE_RECORDINGS` is set.

// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[cfg(feature = "services")]
mod models;
#[cfg(all(feature = "internals", feature = "services"))]
mod recordings;
mod requests;
mod responses;
mod robustness;
#[cfg(all(feature = "services", feature = "rustls"))]
mod scoring;
#[cfg(all(feature = "services", feature = "rustls"))]
mod scoring_secrets;
mod secrets;
#[cfg(feature = "services")]
mod service_secrets;
#[cfg(feature = "services")]
mod services;
mod specs;
mod support;
