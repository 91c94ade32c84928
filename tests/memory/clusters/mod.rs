//! Clusters beside the workspace, and what a region has for them.

mod attaching;
mod creating;
mod emulated;
mod reading;
mod recorded;
mod regions;
mod scaling;

use crate::operations::script::{Credential, Lifetime, Script};
use azure_core::http::Transport;
use azureml_aks::Workspace;
use std::sync::Arc;

const ARM: &str = "https://management.azure.com";

/// A workspace in West US, whose requests the script answers.
fn workspace(script: &Arc<Script>) -> Workspace {
    workspace_in(script, "s")
}

fn workspace_in(script: &Arc<Script>, subscription: &str) -> Workspace {
    Workspace::builder(subscription, "g", "w")
        .location("West US")
        .credential(Credential::new(Lifetime::Moment))
        .transport(Transport::new(script.clone()))
        .build()
        .unwrap()
}
