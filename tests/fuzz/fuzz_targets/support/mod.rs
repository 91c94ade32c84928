//! The parts of `tests/support` that the fuzz targets use.

#[allow(dead_code, reason = "each target uses its part")]
#[path = "../../../support/fuzz.rs"]
pub(crate) mod fuzz;
#[allow(dead_code, reason = "the target of the step does not need it")]
#[path = "../../../support/resealed.rs"]
pub(crate) mod resealed;
