//! Findings before the first write: a configuration that is wrong in five ways, and one that is fine.
//!
//! ```text
//! cargo run --example preflight --features emulator
//! ```
//!
//! It runs on the emulator, in a subscription where a policy denies public addresses.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use azureml_aks::emulator::{Emulator, ExistingCluster};
use azureml_aks::error::Severity;
use azureml_aks::{AksCompute, ClusterRef, ComputeTarget, Preflight, VirtualNetwork, Workspace};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), azureml_aks::Error> {
    let emulator = Emulator::builder()
        .deny_public_addresses(true)
        .permissions(["*/read"], [])
        .build();
    let workspace = workspace(&emulator)?;
    let network = VirtualNetwork::new(emulator.resource_group(), "myvnet", "default")
        .service_cidr("10.224.0.0/16")
        .dns_service_ip("10.224.0.10")
        .docker_bridge_cidr("172.17.0.1/16");
    let config = AksCompute::provisioning_configuration()
        .vm_size("Standard_D99_v2")
        .agent_count(12)
        .virtual_network(network)
        .build()?;
    let report = config.preflight(&workspace).name("myaks").await?;
    println!("a create that is wrong in five ways:\n\n{report}\n");
    assert_eq!(report.of(Severity::Error).count(), 5);

    let emulator = Emulator::new();
    let workspace = self::workspace(&emulator)?;
    emulator.add_cluster(ExistingCluster::new("mygroup", "mycluster"));
    let cluster = ClusterRef::named("mygroup", "mycluster");
    let config = AksCompute::attach_configuration(cluster).build()?;
    let report = config.preflight(&workspace).name("myaks").await?;
    println!("an attach that is fine:\n\n{report}");
    assert!(!report.has_errors());
    ComputeTarget::attach(&workspace, "myaks", config)
        .preflight(Preflight::Refuse)
        .await?;
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
