//! The main job, from end to end: create a cluster, wait for it, attach another, list, detach.
//!
//! ```text
//! cargo run --example quickstart --features emulator
//! ```
//!
//! Without a workspace it runs against the embedded emulator. With `AZUREML_SUBSCRIPTION_ID`,
//! `AZUREML_RESOURCE_GROUP` and `AZUREML_WORKSPACE_NAME` set, or with the path of a `config.json` or
//! its folder as the first argument, it runs against Azure with the credential of the environment
//! (for example `az login`). Then it creates a real cluster, which costs money until it is deleted,
//! and attaches the one that `AZUREML_ATTACH_CLUSTER` names by its resource id, if that is set.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example shows what it does"
)]

use azureml_aks::{AksCompute, ClusterPurpose, ClusterRef, ComputeTarget, WaitOptions, Workspace};
use futures::TryStreamExt;
use std::process::ExitCode;

/// Where the example runs, and what there is to attach.
struct Setting {
    workspace: Workspace,
    attach: Option<ClusterRef>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> azureml_aks::Result<()> {
    let Setting { workspace, attach } = setting()?;
    println!(
        "workspace {} in {}",
        workspace.id().name(),
        workspace.location().await?
    );

    let config = AksCompute::provisioning_configuration()
        .cluster_purpose(ClusterPurpose::DevTest)
        .vm_size("Standard_D3_v2")
        .agent_count(1)
        .build()?;
    let mut created = ComputeTarget::create(&workspace, "quickstart", config).await?;
    created
        .wait_for_completion(WaitOptions::new().show_output(true))
        .await?;
    println!(
        "created {}: {}",
        created.name(),
        created.status().unwrap_or("unknown")
    );

    let mut attached = None;
    if let Some(cluster) = attach {
        let config = AksCompute::attach_configuration(cluster)
            .cluster_purpose(ClusterPurpose::DevTest)
            .build()?;
        let mut aks = ComputeTarget::attach(&workspace, "attached", config).await?;
        aks.wait_for_completion(WaitOptions::new().show_output(true))
            .await?;
        println!(
            "attached {}",
            aks.cluster_resource_id().unwrap_or("unknown")
        );
        attached = Some(aks);
    }

    println!("computes of the workspace:");
    let mut computes = workspace.computes();
    while let Some(compute) = computes.try_next().await? {
        let origin = match compute.is_attached() {
            Some(true) => "attached",
            _ => "created",
        };
        println!(
            "  {:<12} {:<4} {origin:<8} {}",
            compute.name().as_str(),
            compute.compute_type(),
            compute.status().unwrap_or("unknown")
        );
    }

    if let Some(mut aks) = attached {
        let mut removal = aks.detach().await?;
        removal.wait(WaitOptions::new().show_output(true)).await?;
        println!("detached {}; its cluster stays", aks.name());
    }
    println!(
        "{} goes on running: delete it with AksCompute::delete",
        created.name()
    );
    Ok(())
}

/// Azure where it is configured, the emulator where it is not.
fn setting() -> azureml_aks::Result<Setting> {
    if let Some(path) = std::env::args().nth(1) {
        return azure(Workspace::builder_from_config(path)?);
    }
    if std::env::var_os("AZUREML_SUBSCRIPTION_ID").is_some() {
        return azure(Workspace::builder_from_env()?);
    }
    emulated()
}

fn azure(builder: azureml_aks::WorkspaceBuilder) -> azureml_aks::Result<Setting> {
    let attach = std::env::var("AZUREML_ATTACH_CLUSTER")
        .ok()
        .map(ClusterRef::id);
    Ok(Setting {
        workspace: builder.default_credential()?.build()?,
        attach,
    })
}

#[cfg(feature = "emulator")]
fn emulated() -> azureml_aks::Result<Setting> {
    use azureml_aks::emulator::{Clock, Emulator, ExistingCluster};

    println!("no workspace is configured: using the embedded emulator, at 300 times the speed");
    let emulator = Emulator::builder()
        .cluster(ExistingCluster::new("myresourcegroup", "myexistingcluster"))
        .clock(Clock::Automatic { speed: 300.0 })
        .build();
    let workspace = Workspace::builder(
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace(),
    )
    .credential(emulator.credential())
    .transport(emulator.transport())
    .build()?;
    let attach = Some(ClusterRef::named("myresourcegroup", "myexistingcluster"));
    Ok(Setting { workspace, attach })
}

#[cfg(not(feature = "emulator"))]
fn emulated() -> azureml_aks::Result<Setting> {
    // The builder's own error says what is missing.
    azure(Workspace::builder_from_env()?)
}
