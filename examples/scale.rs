//! How many nodes a cluster has: set, and left to the autoscaler.
//!
//! ```text
//! cargo run --example scale --features emulator
//! ```
//!
//! It runs on the embedded emulator, at 1000 times the speed.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use azureml_aks::emulator::{Clock, Emulator, ExistingCluster};
use azureml_aks::models::NodePoolResource;
use azureml_aks::{AksCompute, ClusterRef, ComputeTarget, ManagedCluster, WaitOptions, Workspace};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), azureml_aks::Error> {
    let emulator = Emulator::builder()
        .cluster(ExistingCluster::new("mygroup", "mycluster"))
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
    let named = ClusterRef::named("mygroup", "mycluster");
    let config = AksCompute::attach_configuration(named.clone()).build()?;
    let mut aks = ComputeTarget::attach(&workspace, "myaks", config).await?;
    aks.wait_for_completion(WaitOptions::new()).await?;

    // From the compute, in one call. The first `.await` sends, the second one waits.
    let mut scaling = aks.scale(5).await?;
    show(&scaling.wait(WaitOptions::new().show_output(true)).await?);
    // So many it has already: nothing is sent.
    aks.scale(5).await?.await?;

    // From the cluster, a node pool by its name.
    let cluster = ManagedCluster::get(&workspace, &named).await?;
    for pool in cluster.node_pools() {
        let autoscaled = cluster.autoscale(3..=10).node_pool(&pool.name);
        show(&autoscaled.await?.await?);
    }
    // The autoscaler decides now.
    if let Err(error) = aks.scale(4).await {
        println!("{error}");
    }
    show(&aks.autoscale_off().await?.await?);
    Ok(())
}

fn show(pool: &NodePoolResource) {
    let own = &pool.properties;
    let bounds = own.min_count.zip(own.max_count);
    println!(
        "{}: {:?} nodes of {:?}, autoscaler {bounds:?}",
        pool.name,
        own.node_count(),
        own.vm_sizes()
    );
}
