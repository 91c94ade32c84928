//! A cluster of your own, created and then attached by one operation, whose token outlives the process.
//!
//! ```text
//! cargo run --example own_cluster --features emulator
//! ```
//!
//! It runs on the embedded emulator, at 1000 times the speed.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use azureml_aks::emulator::{Clock, Emulator};
use azureml_aks::{
    AksCompute, ClusterPurpose, ClusterRef, ManagedCluster, ManagedClusterConfiguration,
    OutboundType, ResumeToken, Resumed, Subnet, WaitOptions, Workspace,
};

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
    let group = emulator.resource_group();

    // All broken rules come at once, before anything is sent.
    let wrong = ManagedClusterConfiguration::builder(group, "mycluster")
        .outbound_type(OutboundType::UserDefinedRouting)
        .authorized_ip_ranges(["everybody"])
        .build();
    if let Err(error) = wrong {
        println!("{error}\n");
    }

    // What a cluster that Azure Machine Learning creates cannot have: a version, a private API, outbound traffic by routes.
    let subnet = format!(
        "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/myvnet/subnets/default",
        emulator.subscription()
    );
    let versions = workspace.kubernetes_versions(None).await?;
    let version = versions
        .default_release()
        .map_or("1.34", |release| release.version.as_str());
    let config = ManagedClusterConfiguration::builder(group, "mycluster")
        .kubernetes_version(version)
        .vm_size("Standard_D3_v2")
        .node_count(3)
        .private_cluster()
        .outbound_type(OutboundType::UserDefinedRouting)
        .virtual_network(
            Subnet::new(subnet)
                .service_cidr("10.1.0.0/16")
                .dns_service_ip("10.1.0.10"),
        )
        .network_plugin("azure")
        .tag("team", "vision")
        .build()?;
    let attach = AksCompute::attach_configuration(config.to_ref())
        .cluster_purpose(ClusterPurpose::FastProd)
        .build()?;

    let creating = ManagedCluster::create(&workspace, config)
        .then_attach(&workspace, "myaks", attach)
        .await?;
    // A real program stores this where only its owner can read it.
    let stored = creating.resume_token().map(ResumeToken::expose);
    drop(creating); // the process dies while the cluster is being created

    // Another process waits for the cluster, and attaches it.
    let token: ResumeToken = stored.unwrap_or_default().parse()?;
    let Resumed::Attachment(mut attaching) = workspace.resume(&token).await? else {
        println!("the create did not arrive: begin again");
        return Ok(());
    };
    let mut aks = attaching.wait(WaitOptions::new().show_output(true)).await?;
    println!("{} has {:?}", aks.name(), aks.cluster_resource_id());

    // Away again: first the compute, then the cluster, which would go on costing.
    aks.detach().await?.await?;
    let cluster = ManagedCluster::get(&workspace, &ClusterRef::named(group, "mycluster")).await?;
    cluster.delete("mycluster").await?.await?;
    println!("deleted");
    Ok(())
}
