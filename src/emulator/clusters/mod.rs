//! The clusters of the container service: those that exist beside the workspace, and those that are
//! created, by themselves or with a compute.

mod document;
pub(crate) mod operations;
pub(crate) mod pools;
pub(crate) mod put;
mod rules;
mod schema;
pub(crate) mod trusted;

use azure_core::base64;
use serde_json::{Map, Value, json};

use crate::facts::arm;

use super::call::Call;
use super::error::ArmError;
use super::http::Answer;
use super::routes::Reply;

/// An AKS cluster that exists beside the workspace, so that it can be attached.
#[derive(Clone, Debug)]
#[must_use]
pub struct ExistingCluster {
    pub(crate) resource_group: String,
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) vm_size: String,
    pub(crate) node_count: u32,
    pub(crate) location: Option<String>,
    pub(crate) subscription: Option<String>,
    pub(crate) extension: Option<String>,
    pub(crate) local_accounts: bool,
    pub(crate) trusted_access: bool,
}

impl ExistingCluster {
    /// A cluster of three `Standard_D3_v2` nodes with the default version of Kubernetes and without the Azure Machine
    /// Learning extension, in the workspace's subscription and region.
    pub fn new(resource_group: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            resource_group: resource_group.into(),
            name: name.into(),
            version: None,
            vm_size: "Standard_D3_v2".to_owned(),
            node_count: 3,
            location: None,
            subscription: None,
            extension: None,
            local_accounts: true,
            trusted_access: false,
        }
    }

    /// Its Kubernetes version.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// The VM size of its only node pool.
    pub fn vm_size(mut self, vm_size: impl Into<String>) -> Self {
        self.vm_size = vm_size.into();
        self
    }

    /// The number of nodes in its only node pool.
    pub fn node_count(mut self, nodes: u32) -> Self {
        self.node_count = nodes;
        self
    }

    /// Its region.
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// The subscription that it is in.
    pub fn subscription(mut self, subscription: impl Into<String>) -> Self {
        self.subscription = Some(subscription.into());
        self
    }

    /// Adds the Azure Machine Learning extension under this name, installed and ready, so that the cluster can be
    /// attached as a compute of kind Kubernetes.
    pub fn extension(mut self, name: impl Into<String>) -> Self {
        self.extension = Some(name.into());
        self
    }

    /// Sets whether it has local accounts, which is the default. The emulator reports it, and refuses nothing.
    pub fn local_accounts(mut self, enabled: bool) -> Self {
        self.local_accounts = enabled;
        self
    }

    /// Adds a Trusted Access role binding for the workspace. The emulator lists it, and does nothing else with it.
    pub fn trusted_access(mut self) -> Self {
        self.trusted_access = true;
        self
    }
}

/// Where a cluster is, and its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'place> {
    pub(crate) subscription: &'place str,
    pub(crate) group: &'place str,
    pub(crate) name: &'place str,
}

impl<'place> Site<'place> {
    /// The site that the path names.
    pub(crate) fn of(call: &Call<'place>) -> Self {
        Self {
            subscription: call.name("of"),
            group: call.name("in"),
            name: call.name("cluster"),
        }
    }
}

/// A cluster as the container service sees it.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(crate) id: String,
    pub(crate) group: String,
    pub(crate) name: String,
    /// The managed cluster as a GET shows it, with its node pools.
    pub(crate) document: Value,
    /// Whether a Trusted Access role binding lets the workspace in.
    pub(crate) trusted: bool,
    /// The operation that runs on it or on one of its pools.
    operation: Option<String>,
}

impl Cluster {
    pub(crate) fn id(subscription: &str, group: &str, name: &str) -> String {
        format!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/{}/{}/{name}",
            arm::AKS_PROVIDER,
            arm::MANAGED_CLUSTERS
        )
    }

    /// A cluster with one node pool, which is ready; `network` is the `aksNetworkingConfiguration` of the
    /// create that made it.
    pub(crate) fn ready(
        place: &Site<'_>,
        location: &str,
        version: &str,
        vm_size: &str,
        nodes: u64,
        network: Option<&Map<String, Value>>,
    ) -> Self {
        let mut cluster = Self {
            id: Self::id(place.subscription, place.group, place.name),
            group: place.group.to_owned(),
            name: place.name.to_owned(),
            document: document::ready(place, location, version, vm_size, nodes, network),
            trusted: false,
            operation: None,
        };
        cluster.become_ready();
        cluster
    }

    pub(crate) fn is(&self, id: &str) -> bool {
        self.id.eq_ignore_ascii_case(id)
    }

    pub(crate) fn location(&self) -> &str {
        self.document["location"].as_str().unwrap_or_default()
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.document["properties"][key].as_str()
    }

    pub(crate) fn state(&self) -> &str {
        self.text("provisioningState").unwrap_or_default()
    }

    /// The version of Kubernetes that it runs, with its patch.
    pub(crate) fn version(&self) -> &str {
        self.text("currentKubernetesVersion").unwrap_or_default()
    }

    /// The host of its API server: a private cluster may have no public name.
    pub(crate) fn fqdn(&self) -> &str {
        let public = self.text("fqdn");
        public.or(self.text("privateFQDN")).unwrap_or_default()
    }

    pub(crate) fn pools(&self) -> &[Value] {
        let pools = self.document["properties"]["agentPoolProfiles"].as_array();
        pools.map_or(&[], Vec::as_slice)
    }

    fn pools_mut(&mut self) -> Option<&mut Vec<Value>> {
        self.document["properties"]["agentPoolProfiles"].as_array_mut()
    }

    fn pool(&self, name: &str) -> Option<&Value> {
        self.pools().iter().find(|pool| is_named(pool, name))
    }

    fn pool_mut(&mut self, name: &str) -> Option<&mut Value> {
        let pools = self.pools_mut()?;
        pools.iter_mut().find(|pool| is_named(pool, name))
    }

    /// The nodes of its first pool, which a compute describes.
    pub(crate) fn nodes(&self) -> u64 {
        self.pools().first().map_or(0, nodes_of)
    }

    /// The VM size of its first pool.
    pub(crate) fn vm_size(&self) -> &str {
        let pool = self.pools().first();
        pool.and_then(|pool| pool["vmSize"].as_str())
            .unwrap_or_default()
    }

    /// Scales its first pool.
    pub(crate) fn set_nodes(&mut self, nodes: u64) {
        if let Some(pool) = self.pools_mut().and_then(|pools| pools.first_mut()) {
            pool["count"] = json!(nodes);
        }
    }

    /// Whether it is in this subscription.
    pub(crate) fn is_of(&self, subscription: &str) -> bool {
        let own = self.id.split('/').nth(2);
        own.is_some_and(|own| own.eq_ignore_ascii_case(subscription))
    }

    fn is_in(&self, subscription: &str, group: &str) -> bool {
        self.is_of(subscription) && self.group.eq_ignore_ascii_case(group)
    }

    /// The YAML with which `user` reaches the cluster.
    pub(crate) fn kubeconfig(&self, user: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: {0}\n  cluster:\n    \
             server: https://{1}:443\ncontexts:\n- name: {0}\n  context:\n    cluster: {0}\n    \
             user: {user}\ncurrent-context: {0}\nusers:\n- name: {user}\n  user:\n    \
             token: emulated-{user}-token\n",
            self.name,
            self.fqdn()
        )
    }
}

fn is_named(pool: &Value, name: &str) -> bool {
    let own = pool["name"].as_str();
    own.is_some_and(|own| own.eq_ignore_ascii_case(name))
}

/// The number of nodes of a pool.
pub(crate) fn nodes_of(pool: &Value) -> u64 {
    pool["count"].as_u64().unwrap_or_default()
}

/// The container service names its kind of content without a character set.
pub(crate) fn answer(body: &Value) -> Answer {
    answer_with(200, body)
}

pub(crate) fn answer_with(status: u16, body: &Value) -> Answer {
    Answer::raw(status, "application/json", body.to_string()).with("Server", "nginx")
}

fn empty(status: u16) -> Answer {
    Answer::empty(status).with("Server", "nginx")
}

/// The cluster that the path names.
fn find<'c>(call: &'c Call<'_>) -> Result<&'c Cluster, ArmError> {
    call.check_place()?;
    let (group, name) = (call.name("in"), call.name("cluster"));
    let id = Cluster::id(call.name("of"), group, name);
    call.state.cluster(&id).ok_or_else(|| {
        let what = format!("{}/{}/{name}", arm::AKS_PROVIDER, arm::MANAGED_CLUSTERS);
        ArmError::not_found(&what, group)
    })
}

pub(crate) fn get(call: Call<'_>) -> Reply {
    Ok(answer(&find(&call)?.document))
}

/// The clusters of a subscription, or of one of its groups.
pub(crate) fn list(call: Call<'_>) -> Reply {
    call.check_place()?;
    let (of, group) = (call.name("of"), call.name("in"));
    let clusters = call.state.clusters.iter();
    let listed = clusters.filter(|cluster| match group.is_empty() {
        true => cluster.is_of(of),
        false => cluster.is_in(of, group),
    });
    call.listed(listed, "$skiptoken", None, |cluster| {
        cluster.document.clone()
    })
}

pub(crate) fn user_credential(call: Call<'_>) -> Reply {
    credential(&call, "clusterUser")
}

pub(crate) fn admin_credential(call: Call<'_>) -> Reply {
    credential(&call, "clusterAdmin")
}

fn credential(call: &Call<'_>, user: &str) -> Reply {
    call.no_body()?;
    let cluster = find(call)?;
    let properties = &cluster.document["properties"];
    // With Microsoft Entra ID a user has no static credential that could be forbidden.
    let is_static = user == "clusterAdmin" || properties["aadProfile"].is_null();
    if is_static && properties["disableLocalAccounts"] == true {
        return Err(ArmError::bad_request(
            "Getting static credential is not allowed because this cluster is set to disable local \
             accounts.",
        ));
    }
    let value = base64::encode(cluster.kubeconfig(user));
    Ok(answer(
        &json!({ "kubeconfigs": [{ "name": user, "value": value }] }),
    ))
}
