//! The conformance suite of long-running operations, through the public verbs.
//!
//! Names of tests begin with their case in `docs/internals/conformance.md`. The tests inside
//! `src/operation` cover what no public verb reaches (POST, PATCH).

pub(crate) mod script;
pub(crate) mod support;

mod dropping;
mod failing;
mod finishing;
mod fleets;
mod kinds;
mod missing;
mod origins;
mod removing;
mod resuming;
mod starting;
mod status;
mod timing;
