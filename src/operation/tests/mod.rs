//! What no public verb reaches: POST, PATCH and `final-state-via`; and properties of the step.

mod properties;
// The tests of the public verbs use the rest of it.
#[allow(dead_code)]
#[path = "../../../tests/operations/script.rs"]
mod script;
#[cfg(feature = "services")]
mod services;
mod verbs;
