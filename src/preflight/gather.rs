//! Reading what the checks of a plan need, all at once.

use super::azure::{self, Permissions, ServiceTags, VirtualNetwork};
use super::kubernetes::{self, KubernetesFacts};
use super::plan::{Action, Plan};
use super::report::Fact;
use crate::cluster::{ClusterResource, KubernetesVersions, ManagedCluster, Quota, VmSizes};
#[cfg(feature = "services")]
use crate::compute::AnyCompute;
use crate::compute::{ClusterRef, ComputeResource};
use crate::error::Error;
use crate::facts::arm::ML_PROVIDER;
use crate::json::Item;
use crate::names::{Region, WorkspaceId, resource_id};
use crate::transport::limits::kept;
use crate::transport::{List, pages};
use crate::workspace::Workspace;
use futures::future::{BoxFuture, join, join_all, join5, ready};
use futures::{FutureExt, TryStreamExt};
use serde::Deserialize;
use std::sync::Arc;

/// The facts that were read.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The region of the workspace.
    pub(super) home: Fact<String>,
    /// The region of the cluster that is made, attached or deployed to.
    pub(super) region: Fact<String>,
    /// The computes of the workspace.
    pub(super) computes: Fact<Vec<ComputeResource>>,
    /// The computes of other workspaces, each with the id of its own.
    pub(super) elsewhere: Fact<Vec<ComputeResource>>,
    /// The target of a deployment.
    pub(super) target: Fact<Option<ComputeResource>>,
    /// The cluster to attach, or that of the target.
    pub(super) cluster: Fact<Option<ClusterResource>>,
    pub(super) versions: Fact<Arc<KubernetesVersions>>,
    pub(super) sizes: Fact<Arc<VmSizes>>,
    pub(super) quota: Fact<Arc<Quota>>,
    /// The ranges of Azure Machine Learning.
    pub(super) tags: Tags,
    /// The region that is paired with that of the workspace.
    pub(super) pair: Pair,
    /// The policies that deny public addresses.
    pub(super) denials: Fact<Arc<Vec<String>>>,
    pub(super) network: Fact<Option<VirtualNetwork>>,
    /// Whether the security group of the subnet lets scoring requests in.
    pub(super) inbound: Fact<bool>,
    pub(super) rights: Vec<Right>,
    /// The facts for computes of kind Kubernetes and their extension.
    pub(super) kubernetes: KubernetesFacts,
}

/// An action that the request needs.
#[derive(Debug)]
pub(super) struct Right {
    /// The ARM id at which it is needed.
    pub(super) scope: String,
    pub(super) action: &'static str,
    /// Whether the resource group of the scope does not exist.
    pub(super) lacks_group: bool,
    pub(super) permissions: Fact<Arc<Permissions>>,
}

const COMPUTE_WRITE: &str = "Microsoft.MachineLearningServices/workspaces/computes/write";
const CLUSTER_WRITE: &str = "Microsoft.ContainerService/managedClusters/write";
const EXTENSION_WRITE: &str = "Microsoft.KubernetesConfiguration/extensions/write";
const CLUSTER_ADMIN: &str =
    "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action";
const SUBNET_JOIN: &str = "Microsoft.Network/virtualNetworks/subnets/join/action";
#[cfg(feature = "services")]
const SERVICE_WRITE: &str = "Microsoft.MachineLearningServices/workspaces/services/aks/write";

/// Returns the result of a read as a fact. The reason is one line, for it stands in a table.
fn fact<T>(read: Result<T, Error>) -> Fact<T> {
    let reason = |error: Error| {
        let text = error.to_string();
        text.lines().next().unwrap_or_default().to_owned()
    };
    Some(read.map_err(reason))
}

/// Returns whether the error says that the resource group does not exist.
pub(super) fn lacks_group(error: &Error) -> bool {
    error.code() == Some("ResourceGroupNotFound")
}

/// Reads a cluster; `None` where it or its resource group does not exist.
pub(super) async fn cluster(
    workspace: &Workspace,
    cluster: &ClusterRef,
) -> Result<Option<ClusterResource>, Error> {
    match ManagedCluster::get_opt(workspace, cluster).await {
        Ok(found) => Ok(found.map(|found| found.resource().clone())),
        Err(error) if lacks_group(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads the fact if it is needed. Boxed, because many are read at once.
pub(super) fn when<'f, T: Send + 'f>(
    needed: bool,
    read: impl Future<Output = Result<T, Error>> + Send + 'f,
) -> BoxFuture<'f, Fact<T>> {
    match needed {
        true => read.map(fact).boxed(),
        false => ready(None).boxed(),
    }
}

/// Reads everything that the plan needs. A read that fails is a fact too, and disturbs no other.
pub(super) async fn gather(workspace: &Workspace, plan: &Plan) -> Facts {
    if plan.action.is_of_kubernetes() {
        return kubernetes::gather(workspace, plan).await;
    }
    let own = workspace.id();
    let attaches = plan.action == Action::Attach;
    let names = plan.name.is_some() && plan.action.makes_cluster();
    let place = place(workspace, plan).boxed();
    let id = own.to_string();
    let computes = join(
        when(names || attaches, computes_of(workspace, &id)),
        when(attaches && plan.elsewhere, elsewhere(workspace)),
    );
    let network = network(workspace, plan).boxed();
    let rights = rights(workspace, plan);
    let home = async { fact(workspace.location().await.map(str::to_owned)) };
    let (mut facts, (computes, elsewhere), (network, inbound), rights, home) =
        join5(place, computes, network, rights, home).await;
    facts.home = home;
    facts.computes = computes;
    facts.elsewhere = elsewhere;
    facts.network = network;
    facts.inbound = inbound;
    facts.rights = rights;
    facts
}

/// Reads the permissions of the caller at each scope that the plan needs.
pub(super) async fn rights(workspace: &Workspace, plan: &Plan) -> Vec<Right> {
    let needed = needed(plan, workspace.id()).into_iter();
    let rights = needed.map(async |(scope, action)| {
        let permissions = Permissions::read(workspace, &scope);
        let permissions = workspace
            .kept()
            .get(&scope, kept::MOMENT, permissions)
            .await;
        Right {
            scope,
            action,
            lacks_group: permissions.as_ref().is_err_and(lacks_group),
            permissions: fact(permissions),
        }
    });
    join_all(rights).await
}

/// Reads the cluster, and then what its region has.
async fn place(workspace: &Workspace, plan: &Plan) -> Facts {
    let mut facts = Facts::default();
    if plan.action.makes_cluster() {
        let region = async {
            let region = match &plan.region {
                Some(region) => region.as_str(),
                None => workspace.location().await?,
            };
            Ok(Region::parse(region)?.as_str().to_owned())
        };
        facts.region = fact(region.await);
    } else {
        #[cfg(feature = "services")]
        if let Some(name) = &plan.target {
            let found = AnyCompute::get_opt(workspace, name).await;
            facts.target = fact(found.map(|found| found.map(|found| found.resource().clone())));
        }
        let of_target = || {
            let target = facts.target.as_ref()?.as_ref().ok()?.as_ref()?;
            target.properties.resource_id.clone()
        };
        if let Some(id) = plan.cluster_id.clone().or_else(of_target) {
            facts.cluster = fact(cluster(workspace, &ClusterRef::Id(id)).await);
        }
        facts.region = facts.cluster.as_ref().and_then(|found| match found {
            Ok(found) => Some(Ok(found.as_ref()?.location.clone()?)),
            Err(reason) => Some(Err(reason.clone())),
        });
    }
    let region = match &facts.region {
        Some(Ok(region)) => region.clone(),
        Some(Err(reason)) => {
            return Facts {
                versions: Some(Err(reason.clone())),
                sizes: Some(Err(reason.clone())),
                ..facts
            };
        }
        None => return facts,
    };
    let region = region.as_str();
    let (creates, attaches) = (plan.action.makes_cluster(), plan.action == Action::Attach);
    let cluster = facts
        .cluster
        .as_ref()
        .and_then(|found| found.as_ref().ok()?.as_ref());
    let ranged = cluster.is_some_and(|cluster| {
        let access = &cluster.properties.api_server_access_profile;
        !access.authorized_ip_ranges.is_empty()
    });
    let kept = workspace.kept();
    let ranges = match (attaches && ranged) || !plan.ranges.is_empty() {
        true => own_ranges(workspace),
        false => ready((None, None)).boxed(),
    };
    let (sizes, versions, quota, denials, (tags, pair)) = join5(
        when(true, workspace.vm_sizes(Some(region))),
        when(
            attaches || plan.version.is_some(),
            kept.get(
                region,
                kept::SIZES,
                workspace.kubernetes_versions(Some(region)),
            ),
        ),
        when(
            creates,
            kept.get(region, kept::MOMENT, workspace.quota(Some(region))),
        ),
        when(
            creates && plan.public_egress,
            kept.get(
                region,
                kept::MOMENT,
                azure::denied_public_addresses(workspace, region),
            ),
        ),
        ranges,
    )
    .await;
    Facts {
        sizes,
        versions,
        quota,
        denials,
        tags,
        pair,
        ..facts
    }
}

type Tags = Fact<Arc<ServiceTags>>;
type Pair = Fact<Arc<Option<String>>>;

/// Reads the ranges of Azure Machine Learning, and the pair of the workspace's region: the control plane runs in both.
fn own_ranges(workspace: &Workspace) -> BoxFuture<'_, (Tags, Pair)> {
    async {
        let home = match workspace.location().await {
            Ok(home) => home,
            Err(error) => {
                let reason = error.to_string();
                return (Some(Err(reason.clone())), Some(Err(reason)));
            }
        };
        let kept = workspace.kept();
        let (tags, pair) = join(
            kept.get(home, kept::SIZES, ServiceTags::read(workspace, home)),
            kept.get(home, kept::SIZES, azure::paired_region(workspace, home)),
        )
        .await;
        (fact(tags), fact(pair))
    }
    .boxed()
}

/// Reads the network of the plan, and the security group of its subnet.
async fn network(workspace: &Workspace, plan: &Plan) -> (Fact<Option<VirtualNetwork>>, Fact<bool>) {
    let Some(network) = &plan.network else {
        return (None, None);
    };
    let network = fact(VirtualNetwork::read(workspace, &network.subnet_id).await);
    let subnet = network
        .as_ref()
        .and_then(|read| read.as_ref().ok()?.as_ref()?.subnet.as_ref());
    let inbound = match subnet.and_then(|subnet| subnet.security_group.as_deref()) {
        Some(group) => fact(azure::lets_scoring_in(workspace, group).await),
        None => None,
    };
    (network, inbound)
}

/// Collects a list. If a page or an item cannot be read, the list is not known.
pub(super) async fn all<T: 'static>(list: List<T>) -> Result<Vec<T>, Error> {
    let mut pages = list.into_pages();
    let mut all = Vec::new();
    while let Some(page) = pages.try_next().await? {
        // The item that cannot be read may be the one that a rule asks for.
        for item in page.items {
            all.push(item?);
        }
    }
    Ok(all)
}

/// Reads the computes of the workspace with this id.
pub(super) async fn computes_of(
    workspace: &Workspace,
    id: &str,
) -> Result<Vec<ComputeResource>, Error> {
    let url = azure::url_of(workspace, id, &["computes"], workspace.api_version());
    all(pages(workspace.client().clone(), url)).await
}

/// A resource of which the id alone counts.
#[derive(Deserialize)]
struct AnyResource {
    #[serde(default)]
    id: String,
}

impl Item for AnyResource {}

/// Reads the computes of all other workspaces of the subscription.
async fn elsewhere(workspace: &Workspace) -> Result<Vec<ComputeResource>, Error> {
    let own = workspace.id().to_string();
    let subscription = azure::subscription_of(workspace.id());
    let below = ["providers", ML_PROVIDER, "workspaces"];
    let url = azure::url_of(workspace, &subscription, &below, workspace.api_version());
    let found: Vec<AnyResource> = all(pages(workspace.client().clone(), url)).await?;
    let mut computes = Vec::new();
    for other in found
        .iter()
        .filter(|other| !resource_id::same(&other.id, &own))
    {
        computes.extend(computes_of(workspace, &other.id).await?);
    }
    Ok(computes)
}

/// The scopes and actions that the plan needs.
fn needed(plan: &Plan, own: &WorkspaceId) -> Vec<(String, &'static str)> {
    let workspace = own.to_string();
    let mut all = match plan.action {
        Action::Create => vec![(workspace, COMPUTE_WRITE)],
        Action::Attach => {
            let cluster = plan
                .cluster_id
                .clone()
                .map(|cluster| (cluster, CLUSTER_ADMIN));
            [(workspace, COMPUTE_WRITE)]
                .into_iter()
                .chain(cluster)
                .collect()
        }
        Action::Cluster => {
            let cluster = plan.cluster_id.as_deref().unwrap_or_default();
            let group = cluster.split("/providers/").next().unwrap_or_default();
            let compute = plan.name.as_ref().map(|_| (workspace, COMPUTE_WRITE));
            let cluster = [(group.to_owned(), CLUSTER_WRITE)];
            cluster.into_iter().chain(compute).collect()
        }
        Action::AttachKubernetes => vec![(workspace, COMPUTE_WRITE)],
        Action::Extension => {
            let cluster = plan.cluster_id.clone();
            cluster
                .map(|cluster| (cluster, EXTENSION_WRITE))
                .into_iter()
                .collect()
        }
        #[cfg(feature = "services")]
        Action::Deploy => vec![(workspace, SERVICE_WRITE)],
    };
    let subnet = plan.network.as_ref();
    all.extend(subnet.map(|network| (network.subnet_id.clone(), SUBNET_JOIN)));
    all
}
