//! What goes over the wire.

// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

#[cfg(feature = "services")]
mod models;
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
