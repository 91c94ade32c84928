//! Every verb on the emulator, in process and under a paused clock: tier 3 of the proof.

mod attaching;
mod creating;
mod kinds;
mod options;
mod reading;
mod recording;
mod refusals;
mod removing;
mod resuming;
mod secrets;
mod updating;
mod waiting;

use azureml_aks::emulator::{Emulator, ExistingCluster};
use azureml_aks::{AksCompute, ClusterRef, ComputeTarget, WaitOptions, Workspace};

const GROUP: &str = "mygroup";

/// A finished compute with a cluster of its own.
async fn created(workspace: &Workspace, name: &str) -> AksCompute {
    let config = AksCompute::provisioning_configuration().build().unwrap();
    let mut aks = ComputeTarget::create(workspace, name, config)
        .await
        .unwrap();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    aks
}

/// A finished compute with a cluster that was there before; and the cluster's id.
async fn attached(emulator: &Emulator, workspace: &Workspace, name: &str) -> (AksCompute, String) {
    let cluster = emulator.add_cluster(ExistingCluster::new(GROUP, format!("cluster-{name}")));
    let config = AksCompute::attach_configuration(ClusterRef::id(&cluster))
        .build()
        .unwrap();
    let mut aks = ComputeTarget::attach(workspace, name, config)
        .await
        .unwrap();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    (aks, cluster)
}

/// `METHOD last-segment` of each request that the emulator saw.
fn requests(emulator: &Emulator) -> Vec<String> {
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    emulator
        .journal()
        .iter()
        .map(|entry| format!("{} {}", entry.method, last(&entry.path)))
        .collect()
}

/// How often a request of this method was sent.
fn count(emulator: &Emulator, method: &str) -> usize {
    emulator
        .journal()
        .iter()
        .filter(|entry| entry.method == method)
        .count()
}
