//! A workspace on an emulator of its own.

// Each integration test compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use azureml_aks::emulator::Emulator;
use azureml_aks::{Workspace, WorkspaceBuilder};

pub(crate) fn builder(emulator: &Emulator) -> WorkspaceBuilder {
    Workspace::builder(
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace(),
    )
    .credential(emulator.credential())
    .transport(emulator.transport())
}

pub(crate) fn workspace(emulator: &Emulator) -> Workspace {
    builder(emulator).build().unwrap()
}
