//! A workspace on an emulator, and what tests need in it before they begin.

use azureml_aks::emulator::{Emulator, ExistingCluster};
use azureml_aks::{
    AksCompute, ClusterRef, ComputeTarget, WaitOptions, Workspace, WorkspaceBuilder,
};

/// The resource group of the clusters that [`attached`] attaches.
pub(crate) const GROUP: &str = "mygroup";

pub(crate) fn builder(emulator: &Emulator) -> WorkspaceBuilder {
    Workspace::builder(
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace(),
    )
    .credential(emulator.credential())
    .transport(emulator.transport())
}

pub(crate) fn workspace(emulator: &Emulator) -> Workspace {
    builder(emulator).build().unwrap()
}

/// Creates a compute with a cluster of its own, and waits for it.
pub(crate) async fn created(workspace: &Workspace, name: &str) -> AksCompute {
    let config = AksCompute::provisioning_configuration().build().unwrap();
    let mut aks = ComputeTarget::create(workspace, name, config)
        .await
        .unwrap();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    aks
}

/// Attaches a cluster that was there before, waits for the compute, and returns it with the cluster's id.
pub(crate) async fn attached(
    emulator: &Emulator,
    workspace: &Workspace,
    name: &str,
) -> (AksCompute, String) {
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

/// Counts the requests of this method to a path with this part.
pub(crate) fn count(emulator: &Emulator, method: &str, part: &str) -> usize {
    let journal = emulator.journal();
    journal
        .iter()
        .filter(|entry| entry.method == method && entry.path.contains(part))
        .count()
}
