//! The program `azureml-aks` as a process, against the emulator on loopback: what each command prints and how it ends.
//!
//! `INSTA_UPDATE=always` renews the transcript. The recorded calls of the real `az` are in the file that `AZURE_CLI_GOLDEN` names
//! (default `../shared/cli-golden.jsonl`). Where it is absent, its test says so and passes, unless `REQUIRE_SPECS` is set.

// The allowance for tests in clippy.toml does not reach their helpers.
#![allow(clippy::unwrap_used)]
#![cfg(all(feature = "cli", unix))]

mod interrupted;
mod places;
mod recorded;
mod support;
mod transcript;
