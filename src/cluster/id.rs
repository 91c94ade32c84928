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
pub(super) struct ClusterId {
    pub(super) subscription: String,
    pub(super) resource_group: String,
    pub(super) name: String,
}

impl ClusterId {
    /// Reads the id of a cluster, or its names in the subscription of the workspace.
    pub(super) fn of(workspace: &Workspace, cluster: &ClusterRef) -> Result<Self, Error> {
        let mut findings = Findings::default();
        cluster.check(&mut findings);
        findings.finish("name of the cluster")?;
        let id = cluster.resource_id(workspace.id());
        // Its shape was checked: /subscriptions/{}/resourceGroups/{}/providers/{}/managedClusters/{}.
        let part = |at| id.split('/').nth(at).unwrap_or_default().to_owned();
        Ok(Self {
            subscription: part(2),
            resource_group: part(4),
            name: part(8),
        })
    }

    /// Returns the URL of the cluster, or of what is below it.
    pub(super) fn url(&self, workspace: &Workspace, below: &[&str]) -> Url {
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
