//! The main job, from end to end: create a cluster, wait for it, attach another, list, detach.
//!
//! ```text
//! cargo run --example quickstart --features emulator
//! ```
//!
//! It runs against the embedded emulator. Only with `--azure` does it run against Azure: in the workspace of
//! `AZUREML_SUBSCRIPTION_ID`, `AZUREML_RESOURCE_GROUP` and `AZUREML_WORKSPACE_NAME`, or of the `config.json` whose
//! path follows the flag, and with the credential of the environment (for example `az login`). Then it creates
//! a real cluster, which costs money until it is deleted, and attaches the one that `AZUREML_ATTACH_CLUSTER`
//! names by its resource id, if that is set.
//!
//! ```text
//! cargo run --example quickstart -- --azure
//! cargo run --example quickstart -- --azure path/to/config.json
//! ```

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example shows what it does"
)]

use azureml_aks::{AksCompute, ClusterPurpose, ClusterRef, ComputeTarget, WaitOptions, Workspace};
use futures::TryStreamExt;
use std::process::ExitCode;

type Error = Box<dyn std::error::Error>;

/// The workspace of the example, and the cluster to attach.
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

async fn run() -> Result<(), Error> {
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

/// Azure if `--azure` is given, and the emulator otherwise: a configured workspace alone does not make
/// anybody pay for a cluster.
fn setting() -> Result<Setting, Error> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => emulated(),
        ["--azure"] => azure(Workspace::builder_from_env()?),
        ["--azure", path] => azure(Workspace::builder_from_config(path)?),
        _ => Err(
            "the arguments are: none, `--azure`, or `--azure` and the path of a config.json".into(),
        ),
    }
}

fn azure(builder: azureml_aks::WorkspaceBuilder) -> Result<Setting, Error> {
    let attach = std::env::var("AZUREML_ATTACH_CLUSTER")
        .ok()
        .map(ClusterRef::id);
    Ok(Setting {
        workspace: builder.default_credential()?.build()?,
        attach,
    })
}

#[cfg(feature = "emulator")]
fn emulated() -> Result<Setting, Error> {
    use azureml_aks::emulator::{Clock, Emulator, ExistingCluster};

    println!("using the embedded emulator, at 300 times the speed");
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
fn emulated() -> Result<Setting, Error> {
    Err("to use the emulator add `--features emulator`; to use Azure add `-- --azure`".into())
}
