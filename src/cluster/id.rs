//! Where a cluster is.

use crate::compute::ClusterRef;
use crate::error::Error;
use crate::facts::arm::{AKS_API_VERSION, AKS_PROVIDER, MANAGED_CLUSTERS};
use crate::rules::Findings;
use crate::workspace::Workspace;
use std::fmt;
use url::Url;

/// The coordinates of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterId {
    pub(crate) subscription: String,
    pub(crate) resource_group: String,
    pub(crate) name: String,
}

impl ClusterId {
    /// Reads the id of a cluster, or its names in the subscription of the workspace.
    pub(crate) fn of(workspace: &Workspace, cluster: &ClusterRef) -> Result<Self, Error> {
        let mut findings = Findings::default();
        cluster.check(&mut findings);
        findings.finish("name of the cluster")?;
        Ok(Self::of_resource(&cluster.resource_id(workspace.id())))
    }

    /// Takes an id whose shape was checked: `/subscriptions/{}/resourceGroups/{}/providers/{}/managedClusters/{}`.
    pub(crate) fn of_resource(id: &str) -> Self {
        let part = |at| id.split('/').nth(at).unwrap_or_default().to_owned();
        Self {
            subscription: part(2),
            resource_group: part(4),
            name: part(8),
        }
    }

    /// Returns the URL of the cluster, or of what is below it.
    pub(crate) fn url(&self, workspace: &Workspace, below: &[&str]) -> Url {
        let own = [
            "subscriptions",
            &self.subscription,
            "resourceGroups",
            &self.resource_group,
            "providers",
            AKS_PROVIDER,
            MANAGED_CLUSTERS,
            &self.name,
        ];
        workspace.arm_url(&[&own, below].concat(), AKS_API_VERSION)
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cluster {:?} in resource group {:?}",
            self.name, self.resource_group
        )
    }
}
