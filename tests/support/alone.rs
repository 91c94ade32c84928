//! A process of its own for a test that changes what a process has once.
//!
//! `cargo test` runs the tests of a binary as threads of one process, and `tracing` has one global
//! subscriber for a process. A subscriber of the thread alone would miss what the library logs on threads
//! of its own, and would hear nothing from a callsite that another test reached first.

use std::env;
use std::process::Command;

const VARIABLE: &str = "AZUREML_AKS_TEST_ALONE";

/// Returns whether the test has this process for itself. Where it has not, the test has passed in a process
/// that this function started, and has nothing left to do.
///
/// `module` is `module_path!()`.
///
/// # Panics
///
/// If the test fails in its own process, or if there is no test of this name.
#[must_use]
pub(crate) fn is_alone(module: &str, test: &str) -> bool {
    let (_binary, module) = module.split_once("::").unwrap();
    let name = format!("{module}::{test}");
    if env::var_os(VARIABLE).is_some_and(|alone| *alone == *name) {
        return true;
    }
    let output = Command::new(env::current_exe().unwrap())
        .args([&name, "--exact", "--nocapture"])
        .env(VARIABLE, &name)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "in a process of its own: {text}"
    );
    false
}
