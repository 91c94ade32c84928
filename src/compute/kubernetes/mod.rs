//! The kind of Kubernetes clusters that are attached through Azure Machine Learning's extension: AKS clusters, and
//! Arc-connected clusters. Nothing of this kind is created: there is only an attach.
//!
//! As for every kind, a configuration comes out of its builder's `build()` alone, with all broken rules at once. The
//! rules, with their ids, are in `docs/validation.md`.

mod attach;
mod cluster;
#[cfg(feature = "services")]
mod file;
mod identity;
mod instance_type;
mod properties;
mod update;

pub use attach::{KubernetesAttachConfiguration, KubernetesAttachConfigurationBuilder};
pub use cluster::KubernetesClusterRef;
pub(crate) use cluster::is_managed;
pub use identity::KubernetesIdentity;
pub use instance_type::InstanceType;
pub use properties::KubernetesProperties;
pub use update::{KubernetesUpdateConfiguration, KubernetesUpdateConfigurationBuilder};

use super::ComputeTarget;
use super::kind::{AttachWith, Kind, UpdateWith, kind, sealed};
use crate::error::Error;
use crate::facts::arm::COMPUTE_TYPE_KUBERNETES;
use crate::names::WorkspaceId;
use serde_json::Value;

/// A Kubernetes cluster as a compute target: one that runs Azure Machine Learning's extension
/// (`microsoft.azureml.kubernetes`).
///
/// It is attached, read, listed, updated, waited for and detached as an [`AksCompute`](crate::AksCompute) is. It is never
/// created, and [`delete`](Self::delete) is refused, because the cluster is not the workspace's.
///
/// ```
/// # #[cfg(feature = "emulator")]
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), azureml_aks::Error> {
/// # use azureml_aks::{Workspace, emulator::{Emulator, ExistingCluster}};
/// # let emulator = Emulator::new();
/// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
/// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
/// # emulator.add_cluster(ExistingCluster::new("mygroup", "mycluster").extension("azureml"));
/// use azureml_aks::{ComputeTarget, KubernetesClusterRef, KubernetesCompute, WaitOptions};
///
/// let cluster = KubernetesClusterRef::managed("mygroup", "mycluster");
/// let config = KubernetesCompute::attach_configuration(cluster).namespace("scoring").build()?;
/// let mut compute = ComputeTarget::attach(&workspace, "kube", config).await?;
/// compute.wait_for_completion(WaitOptions::new()).await?;
/// assert_eq!(compute.properties().namespace.as_deref(), Some("scoring"));
///
/// assert!(compute.delete().await.is_err(), "the cluster is not the workspace's to delete");
/// compute.detach().await?.await?;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "emulator"))]
/// # fn main() {}
/// ```
pub type KubernetesCompute = ComputeTarget<Kubernetes>;

/// The kind of Kubernetes clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kubernetes {}

kind!(Kubernetes);

impl Kind for Kubernetes {
    const COMPUTE_TYPE: &'static str = COMPUTE_TYPE_KUBERNETES;

    type Properties = KubernetesProperties;

    const COMPARED: &'static [(&'static str, &'static str)] = &[
        ("namespace", "/properties/properties/namespace"),
        (
            "default_instance_type",
            "/properties/properties/defaultInstanceType",
        ),
    ];

    const SHARES_CLUSTERS: bool = true;
}

impl sealed::Sealed for KubernetesAttachConfiguration {}

impl AttachWith for KubernetesAttachConfiguration {
    type Kind = Kubernetes;

    fn body(&self, workspace: &WorkspaceId, location: &str) -> Value {
        Self::body(self, workspace, location)
    }

    fn cluster_id(&self, workspace: &WorkspaceId) -> String {
        self.cluster().resource_id(workspace)
    }
}

impl sealed::Sealed for KubernetesUpdateConfiguration {}

impl UpdateWith for KubernetesUpdateConfiguration {
    type Kind = Kubernetes;

    fn apply(&self, current: Value) -> Result<Value, Error> {
        Self::apply(self, current)
    }
}

impl ComputeTarget<Kubernetes> {
    /// Begins the configuration that attaches a cluster; the same as [`KubernetesAttachConfiguration::builder`].
    pub fn attach_configuration(
        cluster: impl Into<KubernetesClusterRef>,
    ) -> KubernetesAttachConfigurationBuilder {
        KubernetesAttachConfiguration::builder(cluster)
    }

    /// Returns the ARM id of the cluster behind the compute, as it was last read.
    #[must_use]
    pub fn cluster_resource_id(&self) -> Option<&str> {
        self.resource.properties.resource_id.as_deref()
    }
}

const _: fn() = || {
    fn crosses_threads<T: Send + Sync + std::fmt::Debug>() {}
    crosses_threads::<KubernetesCompute>();
};
