//! A Kubernetes compute beside one of kind AKS: attached, listed with the other kind, changed and detached.
//!
//! ```text
//! cargo run --example kubernetes --features emulator
//! ```
//!
//! It runs on the embedded emulator, at 1000 times the speed.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use azureml_aks::emulator::{Clock, Emulator, ExistingCluster};
use azureml_aks::{
    AksCompute, ClusterRef, ComputeTarget, InstanceType, KubernetesCompute,
    KubernetesUpdateConfiguration, WaitOptions, Workspace,
};
use futures::TryStreamExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), azureml_aks::Error> {
    let emulator = Emulator::builder()
        .cluster(ExistingCluster::new("mygroup", "mycluster").extension("azureml"))
        .clock(Clock::Automatic { speed: 1000.0 })
        .build();
    let workspace = Workspace::builder(
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace(),
    )
    .credential(emulator.credential())
    .transport(emulator.transport())
    .build()?;
    let cluster = ClusterRef::named("mygroup", "mycluster");

    let config = AksCompute::attach_configuration(cluster.clone()).build()?;
    let mut aks = ComputeTarget::attach(&workspace, "legacy", config).await?;
    aks.wait_for_completion(WaitOptions::new()).await?;

    // The same cluster, for v2 tools. The namespace has to be there.
    let config = KubernetesCompute::attach_configuration(cluster)
        .namespace("scoring")
        .instance_type("small", InstanceType::new().limit("cpu", "500m"))
        .build()?;
    let mut kube = ComputeTarget::attach(&workspace, "kube", config).await?;
    kube.wait_for_completion(WaitOptions::new().show_output(true))
        .await?;

    let gpu = InstanceType::new()
        .node_label("agentpool", "gpupool")
        .limit("nvidia.com/gpu", "1");
    let change = KubernetesUpdateConfiguration::builder().instance_type("gpu", gpu);
    kube.update(change.build()?).await?;
    kube.wait_for_completion(WaitOptions::new()).await?;
    let types: Vec<&String> = kube.properties().instance_types.keys().collect();
    println!("instance types: {types:?}");

    let mut computes = workspace.computes();
    while let Some(compute) = computes.try_next().await? {
        println!("{}: {}", compute.name(), compute.compute_type());
    }

    // The cluster is not the workspace's to delete.
    if let Err(error) = kube.delete().await {
        println!("{error}");
    }
    kube.detach().await?.await?;
    aks.refresh_state().await?;
    println!("{}: {:?}", aks.name(), aks.state());
    Ok(())
}
