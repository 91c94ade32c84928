//! The cluster to attach.

use crate::compute::ClusterRef;
use crate::facts::arm::{AKS_PROVIDER, ARC_PROVIDER, CONNECTED_CLUSTERS, MANAGED_CLUSTERS};
use crate::names::resource_id::{self, ResourceType};
use crate::names::{WorkspaceId, segment};
use crate::rules::Findings;

/// The cluster to attach as a compute of kind Kubernetes: an AKS cluster or an Arc-connected one; by its id, or by
/// names in the subscription of the workspace.
///
/// A [`ClusterRef`] converts into it.
///
/// ```
/// use azureml_aks::{KubernetesAttachConfiguration, KubernetesClusterRef};
///
/// let edge = KubernetesClusterRef::connected("myresourcegroup", "myedgecluster");
/// KubernetesAttachConfiguration::builder(edge).build()?;
///
/// let machine = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v";
/// let config = KubernetesAttachConfiguration::builder(KubernetesClusterRef::id(machine));
/// assert_eq!(config.build().unwrap_err().findings()[0].rule, "resource_id.type");
/// # Ok::<(), azureml_aks::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KubernetesClusterRef {
    /// The full resource id of a managed or connected cluster. It is sent as it is given, but for quotation marks around
    /// it.
    Id(String),
    /// An AKS cluster in the subscription of the workspace.
    #[non_exhaustive]
    Managed {
        /// The resource group of the cluster.
        resource_group: String,
        /// The name of the cluster.
        name: String,
    },
    /// An Arc-connected cluster, in the subscription of the workspace.
    #[non_exhaustive]
    Connected {
        /// The resource group of the cluster.
        resource_group: String,
        /// The name of the cluster.
        name: String,
    },
}

impl From<ClusterRef> for KubernetesClusterRef {
    fn from(cluster: ClusterRef) -> Self {
        match cluster {
            ClusterRef::Id(id) => Self::Id(id),
            ClusterRef::Named {
                resource_group,
                name,
            } => Self::Managed {
                resource_group,
                name,
            },
        }
    }
}

/// Returns whether an id is that of an AKS cluster, and not that of a connected one.
pub(crate) fn is_managed(cluster_id: &str) -> bool {
    let provider = cluster_id.trim_start_matches('/').split('/').nth(5);
    provider.is_some_and(|provider| provider.eq_ignore_ascii_case(AKS_PROVIDER))
}

impl KubernetesClusterRef {
    /// Refers to a cluster by its full resource id, as `az aks show --query id` and `az connectedk8s show --query id`
    /// print it: with quotation marks or without.
    #[must_use]
    pub fn id(id: impl Into<String>) -> Self {
        Self::Id(id.into())
    }

    /// Refers to an AKS cluster by resource group and name, in the subscription of the workspace.
    #[must_use]
    pub fn managed(resource_group: impl AsRef<str>, name: impl AsRef<str>) -> Self {
        ClusterRef::named(resource_group, name).into()
    }

    /// Refers to an Arc-connected cluster by resource group and name, in the subscription of the workspace.
    #[must_use]
    pub fn connected(resource_group: impl AsRef<str>, name: impl AsRef<str>) -> Self {
        Self::Connected {
            resource_group: resource_group.as_ref().to_owned(),
            name: name.as_ref().to_owned(),
        }
    }

    pub(crate) fn check(&self, findings: &mut Findings) {
        const TYPES: [ResourceType; 2] = [
            ResourceType {
                provider: AKS_PROVIDER,
                types: &[MANAGED_CLUSTERS],
            },
            ResourceType {
                provider: ARC_PROVIDER,
                types: &[CONNECTED_CLUSTERS],
            },
        ];
        match self {
            Self::Id(id) => {
                let found = resource_id::check_any("cluster.id", id, &TYPES, findings);
                if found.is_some_and(|(_, at)| at == 0) {
                    ClusterRef::id(id).check(findings);
                }
            }
            Self::Managed {
                resource_group,
                name,
            } => ClusterRef::named(resource_group, name).check(findings),
            Self::Connected {
                resource_group,
                name,
            } => {
                findings.extend(segment("cluster.resource_group", resource_group));
                findings.extend(segment("cluster.name", name));
            }
        }
    }

    /// Returns the resource id.
    pub(crate) fn resource_id(&self, workspace: &WorkspaceId) -> String {
        match self {
            Self::Id(id) => resource_id::unquoted(id).to_owned(),
            Self::Managed {
                resource_group,
                name,
            } => ClusterRef::named(resource_group, name).resource_id(workspace),
            Self::Connected {
                resource_group,
                name,
            } => format!(
                "/subscriptions/{}/resourceGroups/{resource_group}/providers/{ARC_PROVIDER}/{CONNECTED_CLUSTERS}/{name}",
                workspace.subscription()
            ),
        }
    }
}
