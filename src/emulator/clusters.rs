//! The clusters of the container service: those that exist beside the workspace, and those that a
//! create makes.

use azure_core::base64;
use serde_json::{Value, json};

use crate::facts::arm;

use super::call::Call;
use super::error::ArmError;
use super::http::Answer;
use super::kubernetes::minor_of;
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
}

impl ExistingCluster {
    /// A cluster of three `Standard_D3_v2` nodes with the default version of Kubernetes, in the workspace's
    /// subscription and region.
    pub fn new(resource_group: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            resource_group: resource_group.into(),
            name: name.into(),
            version: None,
            vm_size: "Standard_D3_v2".to_owned(),
            node_count: 3,
            location: None,
            subscription: None,
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
}

/// A cluster as the container service sees it.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(crate) id: String,
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) location: String,
    pub(crate) version: String,
    pub(crate) vm_size: String,
    pub(crate) nodes: u64,
    /// `aksNetworkingConfiguration` of the create that made it.
    pub(crate) network: Option<Value>,
}

impl Cluster {
    pub(crate) fn id(subscription: &str, group: &str, name: &str) -> String {
        format!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/{}/{}/{name}",
            arm::AKS_PROVIDER,
            arm::MANAGED_CLUSTERS
        )
    }

    pub(crate) fn is(&self, id: &str) -> bool {
        self.id.eq_ignore_ascii_case(id)
    }

    pub(crate) fn fqdn(&self) -> String {
        let region = super::names::region(&self.location);
        format!(
            "{}-dns.hcp.{region}.azmk8s.io",
            self.name.to_ascii_lowercase()
        )
    }

    /// Whether it is in this subscription.
    pub(crate) fn is_of(&self, subscription: &str) -> bool {
        let own = self.id.split('/').nth(2);
        own.is_some_and(|own| own.eq_ignore_ascii_case(subscription))
    }

    fn is_in(&self, subscription: &str, group: &str) -> bool {
        self.is_of(subscription) && self.group.eq_ignore_ascii_case(group)
    }

    /// The id as the service shows it, whatever the case of the request.
    fn shown_id(&self) -> String {
        self.id.replace("/resourceGroups/", "/resourcegroups/")
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

    fn network(&self, key: &str) -> Option<&str> {
        self.network.as_ref()?[key].as_str()
    }

    /// Its only node pool.
    fn pool(&self) -> Value {
        let mut pool = json!({
            "name": "agentpool",
            "count": self.nodes,
            "vmSize": self.vm_size,
            "osType": "Linux",
            "type": "VirtualMachineScaleSets",
            "mode": "System",
            "enableAutoScaling": false,
            "orchestratorVersion": self.version,
            "currentOrchestratorVersion": self.version,
            "provisioningState": "Succeeded",
            "powerState": { "code": "Running" },
        });
        if let Some(subnet) = self.network("subnetId") {
            pool["vnetSubnetID"] = json!(subnet);
        }
        pool
    }

    /// The managed cluster as a GET shows it: the fields that a preflight reads.
    pub(crate) fn document(&self) -> Value {
        let given = |key: &str, default: &str| self.network(key).unwrap_or(default).to_owned();
        json!({
            "id": self.shown_id(),
            "name": self.name,
            "type": format!("{}/ManagedClusters", arm::AKS_PROVIDER),
            "location": self.location,
            "sku": { "name": "Base", "tier": "Free" },
            "identity": { "type": "SystemAssigned" },
            "properties": {
                "servicePrincipalProfile": { "clientId": "msi" },
                "provisioningState": "Succeeded",
                "powerState": { "code": "Running" },
                "kubernetesVersion": minor_of(&self.version),
                "currentKubernetesVersion": self.version,
                "dnsPrefix": format!("{}-dns", self.name),
                "fqdn": self.fqdn(),
                "nodeResourceGroup": format!("MC_{}_{}_{}", self.group, self.name, self.location),
                "enableRBAC": true,
                "disableLocalAccounts": false,
                "networkProfile": {
                    "networkPlugin": "azure",
                    "loadBalancerSku": "Standard",
                    "outboundType": "loadBalancer",
                    "serviceCidr": given("serviceCidr", "10.0.0.0/16"),
                    "dnsServiceIP": given("dnsServiceIP", "10.0.0.10"),
                },
                "agentPoolProfiles": [self.pool()],
            },
        })
    }
}

/// The container service names its kind of content without a character set.
pub(crate) fn answer(body: &Value) -> Answer {
    Answer::raw(200, "application/json", body.to_string()).with("Server", "nginx")
}

/// Refuses a subscription or a group that does not exist: there are those of the workspace and of the
/// clusters.
fn check_place(call: &Call<'_>) -> Result<(), ArmError> {
    let (config, clusters) = (call.config, &call.state.clusters);
    let (of, group) = (call.name("of"), call.name("in"));
    let own = config.subscription.eq_ignore_ascii_case(of);
    if !own && !clusters.iter().any(|cluster| cluster.is_of(of)) {
        return Err(ArmError::no_subscription(of));
    }
    let is_own = own && config.resource_group.eq_ignore_ascii_case(group);
    if group.is_empty() || is_own || clusters.iter().any(|cluster| cluster.is_in(of, group)) {
        return Ok(());
    }
    Err(ArmError::no_group(group))
}

fn find<'c>(call: &'c Call<'_>) -> Result<&'c Cluster, ArmError> {
    check_place(call)?;
    let (group, name) = (call.name("in"), call.name("cluster"));
    let id = Cluster::id(call.name("of"), group, name);
    call.state.cluster(&id).ok_or_else(|| {
        let what = format!("{}/{}/{name}", arm::AKS_PROVIDER, arm::MANAGED_CLUSTERS);
        ArmError::not_found(&what, group)
    })
}

pub(crate) fn get(call: Call<'_>) -> Reply {
    Ok(answer(&find(&call)?.document()))
}

/// The clusters of a subscription, or of one of its groups.
pub(crate) fn list(call: Call<'_>) -> Reply {
    check_place(&call)?;
    let (of, group) = (call.name("of"), call.name("in"));
    let clusters = call.state.clusters.iter();
    let listed = clusters.filter(|cluster| match group.is_empty() {
        true => cluster.is_of(of),
        false => cluster.is_in(of, group),
    });
    call.listed(listed, "$skiptoken", None, Cluster::document)
}

pub(crate) fn pool(call: Call<'_>) -> Reply {
    let (cluster, name) = (find(&call)?, call.name("pool"));
    let mut properties = cluster.pool();
    let own = properties["name"].take();
    if !own.as_str().unwrap_or_default().eq_ignore_ascii_case(name) {
        let what = format!(
            "{}/{}/{}/agentPools/{name}",
            arm::AKS_PROVIDER,
            arm::MANAGED_CLUSTERS,
            cluster.name
        );
        return Err(ArmError::not_found(&what, call.name("in")));
    }
    if let Some(properties) = properties.as_object_mut() {
        properties.remove("name");
    }
    Ok(answer(&json!({
        "id": format!("{}/agentPools/{}", cluster.shown_id(), own.as_str().unwrap_or_default()),
        "name": own,
        "type": format!("{}/managedClusters/agentPools", arm::AKS_PROVIDER),
        "properties": properties,
    })))
}

pub(crate) fn user_credential(call: Call<'_>) -> Reply {
    credential(&call, "clusterUser")
}

pub(crate) fn admin_credential(call: Call<'_>) -> Reply {
    credential(&call, "clusterAdmin")
}

fn credential(call: &Call<'_>, user: &str) -> Reply {
    call.no_body()?;
    let value = base64::encode(find(call)?.kubeconfig(user));
    Ok(answer(
        &json!({ "kubeconfigs": [{ "name": user, "value": value }] }),
    ))
}
