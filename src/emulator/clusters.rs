//! AKS clusters: those that exist beside the workspace and those that a create makes.

use serde_json::{Value, json};

use crate::facts::arm;

use super::versions;

/// An AKS cluster that exists beside the workspace, so that it can be attached.
#[derive(Clone, Debug)]
#[must_use]
pub struct ExistingCluster {
    pub(crate) resource_group: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) vm_size: String,
    pub(crate) node_count: u32,
    pub(crate) location: Option<String>,
    pub(crate) subscription: Option<String>,
}

impl ExistingCluster {
    /// A cluster of three `Standard_D3_v2` nodes with the default version, in the workspace's
    /// subscription and region.
    pub fn new(resource_group: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            resource_group: resource_group.into(),
            name: name.into(),
            version: versions::DEFAULT_KUBERNETES.to_owned(),
            vm_size: "Standard_D3_v2".to_owned(),
            node_count: 3,
            location: None,
            subscription: None,
        }
    }

    /// Its Kubernetes version.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
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

    /// The managed cluster as a GET shows it: the fields that a preflight reads.
    pub(crate) fn document(&self) -> Value {
        let minor: Vec<&str> = self.version.split('.').take(2).collect();
        let network = self.network.clone().unwrap_or_else(|| json!({}));
        let given = |key: &str, default: &str| network[key].as_str().unwrap_or(default).to_owned();
        let mut pool = json!({
            "name": "agentpool",
            "count": self.nodes,
            "vmSize": self.vm_size,
            "osType": "Linux",
            "type": "VirtualMachineScaleSets",
            "mode": "System",
            "enableAutoScaling": false,
            "orchestratorVersion": self.version,
            "provisioningState": "Succeeded",
            "powerState": { "code": "Running" },
        });
        if let Some(subnet) = network["subnetId"].as_str() {
            pool["vnetSubnetID"] = json!(subnet);
        }
        json!({
            "id": self.id,
            "name": self.name,
            "type": format!("{}/{}", arm::AKS_PROVIDER, arm::MANAGED_CLUSTERS),
            "location": self.location,
            "tags": {},
            "sku": { "name": "Base", "tier": "Free" },
            "identity": { "type": "SystemAssigned" },
            "properties": {
                "provisioningState": "Succeeded",
                "powerState": { "code": "Running" },
                "kubernetesVersion": minor.join("."),
                "currentKubernetesVersion": self.version,
                "dnsPrefix": format!("{}-dns", self.name),
                "fqdn": self.fqdn(),
                "nodeResourceGroup": format!("MC_{}_{}_{}", self.group, self.name, self.location),
                "enableRBAC": true,
                "disableLocalAccounts": false,
                "apiServerAccessProfile": { "enablePrivateCluster": false },
                "networkProfile": {
                    "networkPlugin": "azure",
                    "loadBalancerSku": "standard",
                    "outboundType": "loadBalancer",
                    "serviceCidr": given("serviceCidr", "10.0.0.0/16"),
                    "dnsServiceIP": given("dnsServiceIP", "10.0.0.10"),
                },
                "agentPoolProfiles": [pool],
            },
        })
    }
}
