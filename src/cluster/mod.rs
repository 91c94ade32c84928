//! AKS clusters beside the workspace, and what a region has for them: versions of Kubernetes, VM sizes, quota.

mod configuration;
mod create;
mod id;
mod kubeconfig;
mod orchestrators;
mod pool;
mod quota;
mod remove;
mod resource;
mod scale;
mod sizes;
mod verb;
mod version;
mod versions;

pub use configuration::{
    ManagedClusterConfiguration, ManagedClusterConfigurationBuilder, OutboundType,
};
pub use create::{CreateAndAttach, CreateCluster};
pub use kubeconfig::Kubeconfig;
pub use orchestrators::{Orchestrator, OrchestratorUpgrade, Orchestrators};
pub(crate) use pool::total;
pub use pool::{
    NodePool, NodePoolResource, NodesOfSize, PowerState, VirtualMachinesProfile,
    VirtualMachinesScale,
};
pub use quota::{Quota, QuotaUsage, UsageName};
pub use remove::DeleteCluster;
pub use resource::{
    ApiServerAccess, AssignedIdentity, ClusterProperties, ClusterResource, ClusterSku,
    EntraProfile, NetworkProfile, ServicePrincipal,
};
pub use scale::ScaleNodePool;
#[cfg(feature = "internals")]
pub(crate) use sizes::{Row as SizeRow, SizesPage};
pub use sizes::{SizeRestriction, VmSize, VmSizes};
pub use version::KubernetesVersion;
pub use versions::{KubernetesPatch, KubernetesRelease, KubernetesVersions};

use crate::compute::{ClusterRef, Found, find};
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::facts::arm::{AKS_API_VERSION, AKS_PROVIDER, MANAGED_CLUSTERS};
use crate::names::{Region, segment};
use crate::transport::{HttpRequest, List, pages};
use crate::workspace::Workspace;
pub(crate) use create::{creating, is_made_by, then_attach, watch};
pub(crate) use id::ClusterId;
pub(crate) use scale::{Scale, scaling, watch_pool};
use std::fmt;
use std::sync::Arc;
use url::Url;
pub(crate) use verb::CLUSTER;

/// The type of a node pool, below that of a cluster.
const AGENT_POOLS: &str = "agentPools";

/// An AKS cluster beside the workspace: a cheap handle with the cluster as it was last read.
///
/// It is read with the credential of the workspace, and may be in any subscription of its tenant.
#[derive(Clone)]
pub struct ManagedCluster {
    workspace: Workspace,
    id: ClusterId,
    resource: Arc<ClusterResource>,
}

/// Reading.
impl ManagedCluster {
    /// Reads a cluster.
    ///
    /// Sends: GET of the cluster.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for an id or a name that no cluster has; [`Error::is_not_found`] if there is no
    /// such cluster. A resource group that does not exist is one too: its [`Error::code`] is
    /// `ResourceGroupNotFound`.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{Workspace, emulator::{Emulator, ExistingCluster}};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # emulator.add_cluster(ExistingCluster::new("mygroup", "mycluster"));
    /// use azureml_aks::{ClusterRef, ManagedCluster};
    ///
    /// let cluster = ManagedCluster::get(&workspace, &ClusterRef::named("mygroup", "mycluster")).await?;
    /// for pool in cluster.node_pools() {
    ///     println!("{}: {:?} nodes of {:?}", pool.name, pool.node_count(), pool.vm_sizes());
    /// }
    /// assert!(cluster.resource().is_ready());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub async fn get(workspace: &Workspace, cluster: &ClusterRef) -> Result<Self, Error> {
        Self::read(workspace, ClusterId::of(workspace, cluster)?).await
    }

    async fn read(workspace: &Workspace, id: ClusterId) -> Result<Self, Error> {
        let resource = id.read(workspace).await.and_then(Found::or_refusal);
        let resource = resource.map_err(|error| error.with_context(|| format!("read {id}")))?;
        Ok(Self::found(workspace, id, resource))
    }

    /// Reads a cluster; `None` if there is none of that name.
    ///
    /// Sends: GET of the cluster.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), but not for a cluster that is not there. A resource group or a subscription that
    /// does not exist is an error.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn get_opt(
        workspace: &Workspace,
        cluster: &ClusterRef,
    ) -> Result<Option<Self>, Error> {
        let id = ClusterId::of(workspace, cluster)?;
        let found = id.read(workspace).await;
        match found.map_err(|error| error.with_context(|| format!("read {id}")))? {
            Found::Resource(resource) => Ok(Some(Self::found(workspace, id, *resource))),
            Found::Nothing(_) => Ok(None),
        }
    }

    /// Lists the clusters of the subscription of the workspace.
    ///
    /// A cluster that cannot be read is an error item, and the list goes on; an error of a page ends it.
    ///
    /// Sends: GETs of the list's pages, each when the one before is used up.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{Workspace, emulator::{Emulator, ExistingCluster}};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # emulator.add_cluster(ExistingCluster::new("mygroup", "mycluster"));
    /// use azureml_aks::ManagedCluster;
    /// use futures::TryStreamExt;
    ///
    /// let mut clusters = ManagedCluster::list(&workspace);
    /// while let Some(cluster) = clusters.try_next().await? {
    ///     println!("{}: {:?}", cluster.name(), cluster.resource().kubernetes_version());
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn list(workspace: &Workspace) -> List<Self> {
        let path = [AKS_PROVIDER, MANAGED_CLUSTERS];
        Self::list_at(workspace, provider_url(workspace, &path, AKS_API_VERSION))
    }

    /// Lists the clusters of a resource group in the subscription of the workspace.
    ///
    /// Sends: as [`list`](Self::list) does.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for a name that no resource group has. That the group does not exist is an error
    /// item of the list.
    pub fn list_in(workspace: &Workspace, resource_group: &str) -> Result<List<Self>, Error> {
        if let Some(finding) = segment("resource_group", resource_group) {
            return Err(Error::validation(
                "name of the resource group",
                vec![finding],
            ));
        }
        let subscription = workspace.id().subscription();
        let path = [
            "subscriptions",
            subscription,
            "resourceGroups",
            resource_group,
            "providers",
            AKS_PROVIDER,
            MANAGED_CLUSTERS,
        ];
        Ok(Self::list_at(
            workspace,
            workspace.arm_url(&path, AKS_API_VERSION),
        ))
    }

    fn list_at(workspace: &Workspace, url: Url) -> List<Self> {
        let clusters = pages::<ClusterResource>(workspace.client().clone(), url);
        let workspace = workspace.clone();
        clusters.convert(move |resource| {
            let resource = resource?;
            let id = ClusterId::of(&workspace, &ClusterRef::id(&resource.id))?;
            Ok(Self::found(&workspace, id, resource))
        })
    }

    /// Reads the cluster again.
    ///
    /// Sends: GET of the cluster.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get). What was read before stays.
    ///
    /// # Cancel safety
    ///
    /// Safe: the handle changes only once the answer was whole.
    pub async fn refresh(&mut self) -> Result<(), Error> {
        let resource = self
            .id
            .read(&self.workspace)
            .await
            .and_then(Found::or_refusal);
        let resource =
            resource.map_err(|error| error.with_context(|| format!("read {}", self.id)))?;
        self.resource = Arc::new(resource);
        Ok(())
    }

    /// Reads a node pool by itself.
    ///
    /// Sends: GET `…/agentPools/{name}` of the cluster.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for a name that no pool has; [`Error::is_not_found`] if there is no such pool.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn node_pool(&self, name: &str) -> Result<NodePoolResource, Error> {
        if let Some(finding) = segment("node_pool", name) {
            return Err(Error::validation("name of the node pool", vec![finding]));
        }
        let pool = self.id.read_pool(&self.workspace, name).await;
        pool.and_then(Found::or_refusal).map_err(|error| {
            error.with_context(|| format!("read node pool {name:?} of {}", self.id))
        })
    }

    fn found(workspace: &Workspace, id: ClusterId, resource: ClusterResource) -> Self {
        Self {
            workspace: workspace.clone(),
            id,
            resource: Arc::new(resource),
        }
    }
}

/// Accessors: no request is sent.
impl ManagedCluster {
    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.id.name
    }

    /// Returns the resource group.
    #[must_use]
    pub fn resource_group(&self) -> &str {
        &self.id.resource_group
    }

    /// Returns the subscription, which may be another one than that of the workspace.
    #[must_use]
    pub fn subscription(&self) -> &str {
        &self.id.subscription
    }

    /// Returns the workspace through which the cluster is read.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Returns the cluster as it was last read. It serialises whole, as the service wrote it.
    #[must_use]
    pub fn resource(&self) -> &ClusterResource {
        &self.resource
    }

    /// Returns the node pools as they were last read.
    #[must_use]
    pub fn node_pools(&self) -> &[NodePool] {
        &self.resource.properties.agent_pool_profiles
    }

    /// Returns the cluster as the configuration of an attach takes it.
    #[must_use]
    pub fn to_ref(&self) -> ClusterRef {
        ClusterRef::id(&self.resource.id)
    }
}

impl fmt::Debug for ManagedCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedCluster")
            .field("resource_group", &self.resource_group())
            .field("name", &self.name())
            .field("state", &self.resource.properties.provisioning_state)
            .finish_non_exhaustive()
    }
}

impl ClusterId {
    pub(crate) async fn read(
        &self,
        workspace: &Workspace,
    ) -> Result<Found<ClusterResource>, Error> {
        let request = HttpRequest::get(self.url(workspace, &[]));
        find(workspace, &request, MANAGED_CLUSTERS).await
    }
}

/// The region that a caller names, or that of the workspace.
async fn region_of(workspace: &Workspace, region: Option<&str>) -> Result<Region, Error> {
    match region {
        Some(region) => Region::parse(region),
        None => Region::parse(workspace.location().await?),
    }
}

/// Returns the URL of what a resource provider has for the subscription of the workspace.
fn provider_url(workspace: &Workspace, path: &[&str], api_version: &str) -> Url {
    let subscription = workspace.id().subscription();
    let above = ["subscriptions", subscription, "providers"];
    workspace.arm_url(&[&above, path].concat(), api_version)
}
