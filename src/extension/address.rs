//! The addresses of a cluster and of its extensions.

use super::resource::ExtensionResource;
use super::settings::ClusterFacts;
use crate::cluster::{ClusterId, NodePool, total};
use crate::compute::{Found, KubernetesClusterRef, find, is_managed};
use crate::error::{Error, ErrorKind, Hidden};
use crate::facts::arm::{
    AKS_PROVIDER, ARC_API_VERSION, ARC_PROVIDER, CONNECTED_CLUSTERS, EXTENSIONS,
    EXTENSIONS_API_VERSION, KUBERNETES_CONFIGURATION_PROVIDER, MANAGED_CLUSTERS,
};
use crate::json::lenient::{object, or_default};
use crate::names::{plain, segment};
use crate::rules::Findings;
use crate::transport::HttpRequest;
use crate::workspace::Workspace;
use serde::Deserialize;
use serde::de::MapAccess;
use std::fmt;
use url::Url;

/// The coordinates of a cluster with extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterAddress {
    is_managed: bool,
    id: ClusterId,
}

/// The coordinates of an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExtensionId {
    pub(crate) cluster: ClusterAddress,
    pub(crate) name: String,
}

/// An Arc-connected cluster, as far as it is read here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Connected {
    #[serde(deserialize_with = "or_default")]
    pub(crate) location: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) properties: ConnectedProperties,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ConnectedProperties {
    #[serde(deserialize_with = "or_default")]
    pub(crate) connectivity_status: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) total_node_count: Option<u32>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) distribution: Option<String>,
}

object!(ConnectedProperties);

impl ClusterAddress {
    /// Reads the id of a cluster, or its names in the subscription of the workspace.
    pub(crate) fn of(workspace: &Workspace, cluster: &KubernetesClusterRef) -> Result<Self, Error> {
        let mut findings = Findings::default();
        cluster.check(&mut findings);
        findings.finish("name of the cluster")?;
        let id = cluster.resource_id(workspace.id());
        Ok(Self {
            is_managed: is_managed(&id),
            id: ClusterId::of_resource(&id),
        })
    }

    pub(crate) fn is_managed(&self) -> bool {
        self.is_managed
    }

    pub(crate) fn name(&self) -> &str {
        &self.id.name
    }

    fn segments(&self) -> [&str; 8] {
        let (provider, kind) = match self.is_managed {
            true => (AKS_PROVIDER, MANAGED_CLUSTERS),
            false => (ARC_PROVIDER, CONNECTED_CLUSTERS),
        };
        let id = &self.id;
        [
            "subscriptions",
            &id.subscription,
            "resourceGroups",
            &id.resource_group,
            "providers",
            provider,
            kind,
            &id.name,
        ]
    }

    /// Returns the ARM id.
    pub(crate) fn resource_id(&self) -> String {
        format!("/{}", self.segments().join("/"))
    }

    /// Returns the URL of the extensions of the cluster, or of what is below them.
    pub(crate) fn extensions_url(&self, workspace: &Workspace, below: &[&str]) -> Url {
        let all = ["providers", KUBERNETES_CONFIGURATION_PROVIDER, EXTENSIONS];
        let path = [&self.segments(), &all[..], below].concat();
        workspace.arm_url(&path, EXTENSIONS_API_VERSION)
    }

    /// Returns the facts on which settings depend. The cluster is read, unless its region is given.
    pub(crate) async fn facts(
        &self,
        workspace: &Workspace,
        location: Option<&str>,
    ) -> Result<ClusterFacts, Error> {
        let (location, nodes, distribution) = match location {
            Some(location) => (Some(location.to_owned()), None, None),
            None => self
                .read(workspace)
                .await
                .map_err(|error| error.with_context(|| format!("read {self}")))?,
        };
        let Some(location) = location.filter(|location| !location.trim().is_empty()) else {
            let why = format!("the service does not report the region of {self}");
            return Err(Error::new(ErrorKind::Protocol, why)
                .with_remedy("give the region by `cluster_location`"));
        };
        let openshift = |word: String| word.eq_ignore_ascii_case("openshift");
        Ok(ClusterFacts {
            id: self.resource_id(),
            name: self.id.name.clone(),
            is_managed: self.is_managed,
            location: plain(&location).collect(),
            nodes,
            is_openshift: distribution.is_some_and(openshift),
        })
    }

    /// Reads an Arc-connected cluster, which may not exist.
    pub(crate) async fn connected(&self, workspace: &Workspace) -> Result<Found<Connected>, Error> {
        let url = workspace.arm_url(&self.segments(), ARC_API_VERSION);
        find(workspace, &HttpRequest::get(url), CONNECTED_CLUSTERS).await
    }

    /// Reads the region, the number of nodes and the distribution.
    async fn read(
        &self,
        workspace: &Workspace,
    ) -> Result<(Option<String>, Option<u32>, Option<String>), Error> {
        if self.is_managed {
            let cluster = self.id.read(workspace).await?.or_refusal()?;
            let pools = &cluster.properties.agent_pool_profiles;
            let nodes = total(pools.iter().map(NodePool::node_count));
            let nodes = nodes.filter(|_| !pools.is_empty());
            return Ok((cluster.location, nodes, None));
        }
        let Connected {
            location,
            properties,
        } = self.connected(workspace).await?.or_refusal()?;
        Ok((
            location,
            properties.total_node_count,
            properties.distribution,
        ))
    }
}

impl ExtensionId {
    pub(crate) fn new(cluster: ClusterAddress, name: &str) -> Result<Self, Error> {
        if let Some(finding) = segment("extension.name", name) {
            return Err(Error::validation("name of the extension", vec![finding]));
        }
        let name = name.to_owned();
        Ok(Self { cluster, name })
    }

    pub(crate) fn of(
        workspace: &Workspace,
        cluster: &KubernetesClusterRef,
        name: &str,
    ) -> Result<Self, Error> {
        Self::new(ClusterAddress::of(workspace, cluster)?, name)
    }

    pub(crate) fn url(&self, workspace: &Workspace) -> Url {
        self.cluster.extensions_url(workspace, &[&self.name])
    }

    /// Returns the name of the target of a token.
    pub(crate) fn target(&self) -> String {
        format!("{}/{}", self.cluster.name(), self.name)
    }

    /// Reads the extension, which may not exist.
    pub(crate) async fn read(
        &self,
        workspace: &Workspace,
        hidden: &Hidden,
    ) -> Result<Found<ExtensionResource>, Error> {
        let request = HttpRequest::get(self.url(workspace)).hiding(hidden);
        find(workspace, &request, EXTENSIONS).await
    }
}

impl fmt::Display for ClusterAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

impl fmt::Display for ExtensionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "extension {:?} of {}", self.name, self.cluster)
    }
}
