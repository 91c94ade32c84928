//! Cases that no public verb reaches: POST, PATCH and `final-state-via`; and properties of the step.

mod properties;
// The tests of the public verbs use the rest of it.
#[allow(dead_code)]
#[path = "../../../tests/memory/operations/script.rs"]
pub(crate) mod script;
#[cfg(feature = "services")]
mod services;
mod verbs;

pub(crate) use verbs::workspace;

/// The result of an operation, as a tree.
fn tree(result: super::Settled) -> Option<serde_json::Value> {
    result.map(|text| serde_json::from_str(text.get()).expect("the service wrote JSON"))
}
