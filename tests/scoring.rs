//! The scoring client over both senders: what it sends, and what it makes of the answers.
//!
//! How a fetched credential is held is tested inside `src/scoring`.
#![cfg(all(feature = "services", feature = "rustls"))]
// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used)]

#[path = "support/redirect.rs"]
mod redirect;
#[path = "scoring/support.rs"]
mod support;

#[path = "scoring/answers.rs"]
mod answers;
#[path = "scoring/building.rs"]
mod building;
#[path = "scoring/failures.rs"]
mod failures;
#[path = "scoring/requests.rs"]
mod requests;
#[path = "scoring/retrying.rs"]
mod retrying;
#[path = "scoring/tls.rs"]
mod tls;
