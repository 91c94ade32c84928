//! Reads the facts for the checks of computes of kind Kubernetes and of their extension.

use super::azure::{read, texts, unsaid, url_of};
use super::gather::{Facts, all, cluster, computes_of, lacks_group, rights, when};
use super::plan::{Action, Plan};
use super::report::Fact;
use crate::cluster::{ClusterId, ClusterResource};
use crate::compute::{ClusterRef, Found, KubernetesClusterRef, is_managed};
use crate::error::Error;
use crate::extension::{ClusterAddress, Connected, Extension};
use crate::facts::arm::{
    AKS_API_VERSION, KUBERNETES_CONFIGURATION_PROVIDER, PROVIDERS_API_VERSION,
};
use crate::json::Item;
use crate::names::resource_id;
use crate::transport::{HttpRequest, Limit, pages};
use crate::workspace::Workspace;
use futures::future::{join, join4, join5};
use serde::Deserialize;
use serde_json::Value;

/// The facts that only computes of kind Kubernetes and their extension need.
#[derive(Debug, Default)]
pub(super) struct KubernetesFacts {
    /// The cluster, if it is Arc-connected.
    pub(super) connected: Fact<Option<Connected>>,
    /// Whether the provider of extensions is registered in the subscription of the cluster.
    pub(super) provider: Fact<bool>,
    /// Whether a Trusted Access role binding gives the workspace access to the cluster.
    pub(super) trusted: Fact<bool>,
    pub(super) extensions: Fact<Vec<Installed>>,
    /// Whether the workspace is in v1 legacy mode.
    pub(super) v1_legacy: Fact<bool>,
}

/// The role of a Trusted Access binding for Azure Machine Learning.
const TRUSTED_ROLE: &str = "Microsoft.MachineLearningServices/workspaces/mlworkload";

/// Reads everything that the plan needs.
pub(super) async fn gather(workspace: &Workspace, plan: &Plan) -> Facts {
    let own = workspace.id().to_string();
    let id = plan.cluster_id.as_deref().unwrap_or_default();
    let attaches = plan.action == Action::AttachKubernetes;
    let is_managed = is_managed(id);
    let named = ClusterRef::id(id);
    let of_cluster = join5(
        when(is_managed, cluster(workspace, &named)),
        when(!is_managed, connected(workspace, id)),
        when(true, extensions(workspace, id)),
        when(attaches && is_managed, trusted(workspace, id, &own)),
        when(true, registered(workspace, id)),
    );
    let home = async { workspace.location().await.map(str::to_owned) };
    let of_workspace = join4(
        when(true, computes_of(workspace, &own)),
        when(attaches, v1_legacy(workspace, &own)),
        when(attaches, home),
        rights(workspace, plan),
    );
    let (of_cluster, (computes, v1_legacy, home, rights)) = join(of_cluster, of_workspace).await;
    let (cluster, connected, extensions, trusted, provider) = of_cluster;
    Facts {
        home,
        region: region(&cluster, &connected),
        computes,
        cluster,
        rights,
        kubernetes: KubernetesFacts {
            connected,
            provider,
            trusted,
            extensions,
            v1_legacy,
        },
        ..Facts::default()
    }
}

fn region(
    cluster: &Fact<Option<ClusterResource>>,
    connected: &Fact<Option<Connected>>,
) -> Fact<String> {
    let managed = found(cluster).and_then(|cluster| cluster.location.clone());
    let connected = || found(connected)?.location.clone();
    managed.or_else(connected).map(Ok)
}

/// Returns the resource, if it was read and exists.
fn found<T>(fact: &Fact<Option<T>>) -> Option<&T> {
    fact.as_ref()?.as_ref().ok()?.as_ref()
}

async fn document(workspace: &Workspace, id: &str, version: &str) -> Result<Value, Error> {
    let request = HttpRequest::get(url_of(workspace, id, &[], version));
    read(workspace, &request, Limit::RESOURCE).await
}

async fn connected(workspace: &Workspace, id: &str) -> Result<Option<Connected>, Error> {
    let address = ClusterAddress::of(workspace, &KubernetesClusterRef::id(id))?;
    match address.connected(workspace).await {
        Ok(Found::Resource(cluster)) => Ok(Some(*cluster)),
        Ok(Found::Nothing(_)) => Ok(None),
        Err(error) if lacks_group(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A Trusted Access role binding of a cluster.
#[derive(Deserialize)]
struct Binding {
    #[serde(default)]
    properties: Value,
}

impl Item for Binding {}

/// Reads whether a role binding of the cluster is for Azure Machine Learning and this workspace.
async fn trusted(workspace: &Workspace, cluster: &str, own: &str) -> Result<bool, Error> {
    let url = url_of(
        workspace,
        cluster,
        &["trustedAccessRoleBindings"],
        AKS_API_VERSION,
    );
    let bindings: Vec<Binding> = all(pages(workspace.client().clone(), url)).await?;
    Ok(bindings.iter().any(|Binding { properties }| {
        let source = properties["sourceResourceId"].as_str().unwrap_or_default();
        let mut roles = texts(properties, &["roles"]).into_iter();
        resource_id::same(source, own) && roles.any(|role| role.eq_ignore_ascii_case(TRUSTED_ROLE))
    }))
}

/// Reads whether the subscription of the cluster has registered the provider of extensions.
async fn registered(workspace: &Workspace, cluster: &str) -> Result<bool, Error> {
    let subscription = ClusterId::of_resource(cluster).subscription;
    let id = format!("/subscriptions/{subscription}/providers/{KUBERNETES_CONFIGURATION_PROVIDER}");
    let document = document(workspace, &id, PROVIDERS_API_VERSION).await?;
    let state = document["registrationState"].as_str();
    let state = state.ok_or_else(|| unsaid("whether the provider is registered"))?;
    Ok(state.eq_ignore_ascii_case("Registered"))
}

async fn v1_legacy(workspace: &Workspace, own: &str) -> Result<bool, Error> {
    let document = document(workspace, own, workspace.api_version()).await?;
    Ok(document["properties"]["v1LegacyMode"] == true)
}

/// An extension of the type `microsoft.azureml.kubernetes`.
#[derive(Debug, Clone)]
pub(super) struct Installed {
    pub(super) name: String,
    pub(super) state: String,
    pub(super) is_healthy: bool,
    /// The remedy of the first well-known error that it reports.
    pub(super) remedy: Option<&'static str>,
}

async fn extensions(workspace: &Workspace, id: &str) -> Result<Vec<Installed>, Error> {
    let found = all(Extension::list(workspace, KubernetesClusterRef::id(id))?).await?;
    let found = found.iter().filter(|found| found.is_machine_learning());
    let installed = |found: &Extension| Installed {
        name: found.name().to_owned(),
        state: found.status().unwrap_or("unknown").to_owned(),
        is_healthy: found.is_healthy(),
        remedy: found.resource().remedy(),
    };
    Ok(found.map(installed).collect())
}
