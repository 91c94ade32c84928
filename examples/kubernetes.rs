//! A cluster of your own with Azure Machine Learning's extension, attached as a compute of kind Kubernetes beside one of kind
//! AKS: both are listed, and the first is changed and detached.
//!
//! ```text
//! cargo run --example kubernetes --features emulator
//! ```
//!
//! It runs on the embedded emulator, at 1000 times the speed.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use azureml_aks::emulator::{Clock, Emulator};
use azureml_aks::{
    AksCompute, ComputeTarget, Extension, ExtensionConfiguration, InstanceType, KubernetesCompute,
    KubernetesUpdateConfiguration, ManagedCluster, ManagedClusterConfiguration, Preflight,
    RouterServiceType, WaitOptions, Workspace,
};
use futures::TryStreamExt;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), azureml_aks::Error> {
    let emulator = Emulator::builder()
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
    let show = || WaitOptions::new().show_output(true);

    // A cluster of your own, attached as a compute of kind AKS for web services of v1.
    let group = workspace.id().resource_group();
    let config = ManagedClusterConfiguration::builder(group, "mycluster").build()?;
    let cluster = config.to_ref();
    let attach = AksCompute::attach_configuration(cluster.clone()).build()?;
    let mut creating = ManagedCluster::create(&workspace, config)
        .then_attach(&workspace, "legacy", attach)
        .await?;
    let mut aks = creating.wait(show()).await?;

    // The extension takes over the router of that compute.
    let config = ExtensionConfiguration::builder()
        .training(true)
        .inference(true)
        .router_service_type(RouterServiceType::LoadBalancer)
        .allow_insecure_connections(true)
        .take_over_legacy_router(true)
        .build()?;
    let mut installing = Extension::install(&workspace, cluster.clone(), "azureml", config)
        .preflight(Preflight::Refuse)
        .await?;
    let extension = installing.wait(show()).await?;
    println!("{}: {:?}", extension.name(), extension.status());

    // The same cluster as a compute of kind Kubernetes, for the tools of v2. The namespace must exist.
    let config = KubernetesCompute::attach_configuration(cluster)
        .namespace("scoring")
        .instance_type("small", InstanceType::new().limit("cpu", "500m"))
        .build()?;
    println!("{}", config.preflight(&workspace).name("kube").await?);
    let mut kube = ComputeTarget::attach(&workspace, "kube", config).await?;
    kube.wait_for_completion(show()).await?;

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
