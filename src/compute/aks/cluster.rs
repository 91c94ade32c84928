//! The cluster to attach.

use crate::facts::arm::{AKS_PROVIDER, MANAGED_CLUSTERS};
use crate::facts::names::CLUSTER_MAX;
use crate::names::resource_id::{self, ResourceType};
use crate::names::{WorkspaceId, segment};
use crate::rules::{self, Findings};

/// The AKS cluster to attach: by its id, or by names in the subscription of the workspace.
///
/// Made by [`id`](Self::id) or [`named`](Self::named).
///
/// # Examples
///
/// ```
/// use azureml_aks::{AttachConfiguration, ClusterRef};
///
/// AttachConfiguration::builder(ClusterRef::named("myresourcegroup", "myexistingcluster")).build()?;
///
/// let network = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v";
/// let error = AttachConfiguration::builder(ClusterRef::id(network)).build().unwrap_err();
/// assert_eq!(error.findings()[0].rule, "resource_id.type");
/// # Ok::<(), azureml_aks::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClusterRef {
    /// The full resource id, also of a cluster in another subscription. It is sent as it is given, but for
    /// quotation marks around it.
    Id(String),
    /// A cluster in the subscription of the workspace.
    #[non_exhaustive]
    Named {
        /// The resource group of the cluster.
        resource_group: String,
        /// The name of the cluster.
        name: String,
    },
}

impl ClusterRef {
    /// Refers to a cluster by its full resource id, as `az aks show --query id` prints it: with quotation marks or
    /// without.
    #[must_use]
    pub fn id(id: impl Into<String>) -> Self {
        Self::Id(id.into())
    }

    /// Refers to a cluster by resource group and name, in the subscription of the workspace.
    #[must_use]
    pub fn named(resource_group: impl AsRef<str>, name: impl AsRef<str>) -> Self {
        Self::Named {
            resource_group: resource_group.as_ref().to_owned(),
            name: name.as_ref().to_owned(),
        }
    }

    pub(crate) fn check(&self, findings: &mut Findings) {
        match self {
            Self::Id(id) => {
                let expected = ResourceType {
                    provider: AKS_PROVIDER,
                    types: &[MANAGED_CLUSTERS],
                };
                if let Some(name) = resource_id::check("cluster.id", id, expected, findings) {
                    check_name("cluster.id", name, findings);
                }
            }
            Self::Named {
                resource_group,
                name,
            } => {
                findings.extend(segment("cluster.resource_group", resource_group));
                match name.is_empty() {
                    true => findings.extend(segment("cluster.name", name)),
                    false => check_name("cluster.name", name, findings),
                }
            }
        }
    }

    /// Returns the resource id, with the spelling of Microsoft's Python client where it is made of names.
    pub(crate) fn resource_id(&self, workspace: &WorkspaceId) -> String {
        match self {
            Self::Id(id) => resource_id::unquoted(id).to_owned(),
            Self::Named {
                resource_group,
                name,
            } => format!(
                "/subscriptions/{}/resourcegroups/{resource_group}/providers/{AKS_PROVIDER}/{MANAGED_CLUSTERS}/{name}",
                workspace.subscription()
            ),
        }
    }
}

/// The rule of `resourceName` in the container service's description.
fn check_name(path: &str, name: &str, findings: &mut Findings) {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if name.len() > CLUSTER_MAX
        || !name.chars().all(inside)
        || !edge(name.chars().next())
        || !edge(name.chars().last())
    {
        findings.refuse(
            rules::CLUSTER_NAME,
            path,
            Some(name),
            format!(
                "an AKS cluster's name has 1 to {CLUSTER_MAX} letters, digits, hyphens and underscores, with a letter or digit at both ends"
            ),
            "give the name that `az aks list` shows; for a new cluster, choose a name of this form",
        );
    }
}
