//! The conformance suite of long-running operations, through the public verbs.
//!
//! Each name starts with the number of its case in `docs/operations.md`. The tests inside
//! `src/operation` cover what no public verb reaches (POST, PATCH).
// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used)]

#[path = "support/resealed.rs"]
mod resealed;
#[path = "operations/script.rs"]
mod script;
#[path = "operations/support.rs"]
mod support;

#[path = "operations/dropping.rs"]
mod dropping;
#[path = "operations/failing.rs"]
mod failing;
#[path = "operations/finishing.rs"]
mod finishing;
#[path = "operations/fleets.rs"]
mod fleets;
#[path = "operations/kinds.rs"]
mod kinds;
#[path = "operations/missing.rs"]
mod missing;
#[path = "operations/origins.rs"]
mod origins;
#[path = "operations/removing.rs"]
mod removing;
#[path = "operations/resuming.rs"]
mod resuming;
#[path = "operations/starting.rs"]
mod starting;
#[path = "operations/status.rs"]
mod status;
#[path = "operations/timing.rs"]
mod timing;
