//! Many clusters in several workspaces, waited for together.
//!
//! ```text
//! cargo run --example fleet --features emulator
//! ```
//!
//! It runs against two emulated workspaces, at 100 times the speed. One create fails, because its name asks
//! the emulator to fail it.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use azureml_aks::emulator::{Clock, Emulator};
use azureml_aks::{
    AksCompute, ClusterPurpose, ComputeTarget, ResumeToken, WaitOptions, Workspace, wait_all,
};
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), azureml_aks::Error> {
    let emulators = ["team-a", "team-b"].map(|name| {
        Emulator::builder()
            .workspace(name)
            .page_size(100)
            .clock(Clock::Automatic { speed: 100.0 })
            .build()
    });
    let config = AksCompute::provisioning_configuration()
        .cluster_purpose(ClusterPurpose::DevTest)
        .build()?;

    let mut workspaces = Vec::new();
    let mut computes = Vec::new();
    for emulator in &emulators {
        let workspace = workspace(emulator)?;
        for number in 0..20 {
            let name = format!("scoring{number:02}");
            computes.push(ComputeTarget::create(&workspace, &name, config.clone()).await?);
        }
        workspaces.push(workspace);
    }
    computes.push(ComputeTarget::create(&workspaces[1], "failing", config).await?);

    // A deadline that is too short: what has not ended has a token.
    let soon = WaitOptions::new()
        .deadline(Duration::from_secs(2))
        .show_output(true);
    let results = wait_all(&mut computes, soon).await;
    let tokens: Vec<ResumeToken> = results
        .iter()
        .filter_map(|result| result.as_ref().err()?.resume_token().cloned())
        .collect();
    println!("{} still run; another process resumes them:", tokens.len());
    drop(computes);

    // Each workspace resumes its own tokens; then all are waited for together.
    let mut resumed = Vec::new();
    for workspace in &workspaces {
        let own = |token: &&ResumeToken| token.workspace() == workspace.id();
        for target in workspace.resume_all(tokens.iter().filter(own)).await {
            resumed.push(target?);
        }
    }
    let results = wait_all(&mut resumed, WaitOptions::new().show_output(true)).await;
    for (target, result) in resumed.iter().zip(&results) {
        if let Err(error) = result {
            println!("{}: {error}", target.name());
        }
    }
    Ok(())
}

fn workspace(emulator: &Emulator) -> Result<Workspace, azureml_aks::Error> {
    Workspace::builder(
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace(),
    )
    .credential(emulator.credential())
    .transport(emulator.transport())
    .build()
}
