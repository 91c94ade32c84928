//! The part of the container service that attaching needs: clusters, those that exist beside the
//! workspace and those that a create makes, and Kubernetes versions.

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
            version: DEFAULT_KUBERNETES.to_owned(),
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
            "currentOrchestratorVersion": self.version,
            "provisioningState": "Succeeded",
            "powerState": { "code": "Running" },
        });
        if let Some(subnet) = network["subnetId"].as_str() {
            pool["vnetSubnetID"] = json!(subnet);
        }
        json!({
            // Whatever the case of the request.
            "id": self.id.replace("/resourceGroups/", "/resourcegroups/"),
            "name": self.name,
            "type": format!("{}/ManagedClusters", arm::AKS_PROVIDER),
            "location": self.location,
            "sku": { "name": "Base", "tier": "Free" },
            "identity": { "type": "SystemAssigned" },
            "properties": {
                "servicePrincipalProfile": { "clientId": "msi" },
                "provisioningState": "Succeeded",
                "powerState": { "code": "Running" },
                "kubernetesVersion": minor.join("."),
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
                "agentPoolProfiles": [pool],
            },
        })
    }
}

/// A Kubernetes version on offer, with its patches, oldest first.
#[derive(Debug)]
pub(crate) struct Kubernetes {
    pub(crate) minor: &'static str,
    pub(crate) patches: &'static [&'static str],
    pub(crate) default: bool,
    pub(crate) preview: bool,
}

/// What this emulator offers; the real list differs by region and by week.
pub(crate) const KUBERNETES: &[Kubernetes] = &[
    Kubernetes {
        minor: "1.33",
        patches: &["1.33.2", "1.33.5"],
        default: false,
        preview: false,
    },
    Kubernetes {
        minor: "1.34",
        patches: &["1.34.1", "1.34.3"],
        default: true,
        preview: false,
    },
    Kubernetes {
        minor: "1.35",
        patches: &["1.35.0"],
        default: false,
        preview: false,
    },
    Kubernetes {
        minor: "1.36",
        patches: &["1.36.0"],
        default: false,
        preview: true,
    },
];

/// The version that new clusters have.
pub(crate) const DEFAULT_KUBERNETES: &str = "1.34.3";

/// Whether attaching a cluster of this version is accepted: its minor is on offer, be it a preview.
pub(crate) fn attachable(version: &str) -> bool {
    let minor: Vec<&str> = version.split('.').take(2).collect();
    KUBERNETES
        .iter()
        .any(|known| known.minor == minor.join("."))
}

/// The versions that [`attachable`] accepts, as the service's refusal lists them.
pub(crate) fn attachable_list() -> String {
    let minors: Vec<&str> = KUBERNETES.iter().map(|known| known.minor).collect();
    minors.join(", ")
}

/// The container service names its kind of content without a character set.
fn answer(body: &Value) -> Answer {
    Answer::raw(200, "application/json", body.to_string()).with("Server", "nginx")
}

pub(crate) fn get(call: Call<'_>) -> Reply {
    let id = Cluster::id(call.name("of"), call.name("in"), call.name("cluster"));
    let cluster = call.state.cluster(&id);
    let cluster = cluster.ok_or_else(|| {
        let what = format!(
            "{}/{}/{}",
            arm::AKS_PROVIDER,
            arm::MANAGED_CLUSTERS,
            call.name("cluster")
        );
        ArmError::not_found(&what, call.name("in"))
    })?;
    Ok(answer(&cluster.document()))
}

/// The key is `values`, and there is no paging.
pub(crate) fn kubernetes_versions(_call: Call<'_>) -> Reply {
    let values: Vec<Value> = KUBERNETES.iter().map(minor).collect();
    Ok(answer(&json!({ "values": values })))
}

pub(crate) fn orchestrators(call: Call<'_>) -> Reply {
    let (subscription, location) = (call.name("subscription"), call.name("location"));
    let patches = all_patches();
    let orchestrators: Vec<Value> = patches
        .iter()
        .map(|&(patch, default, preview)| {
            let mut entry = json!({
                "orchestratorType": "Kubernetes",
                "orchestratorVersion": patch,
            });
            let upgrades = upgrades(patch).into_iter().map(|upgrade| {
                let mut to = json!({
                    "orchestratorType": "Kubernetes",
                    "orchestratorVersion": upgrade,
                });
                if patches.iter().any(|known| known.0 == upgrade && known.2) {
                    to["isPreview"] = json!(true);
                }
                to
            });
            let upgrades: Vec<Value> = upgrades.collect();
            // The newest has no such key.
            if !upgrades.is_empty() {
                entry["upgrades"] = json!(upgrades);
            }
            if default {
                entry["default"] = json!(true);
            }
            if preview {
                entry["isPreview"] = json!(true);
            }
            entry
        })
        .collect();
    Ok(answer(&json!({
        "id": format!(
            "/subscriptions/{subscription}/providers/Microsoft.ContainerService/locations/\
             {location}/orchestrators"
        ),
        "name": "default",
        "type": "Microsoft.ContainerService/locations/orchestrators",
        "properties": { "orchestrators": orchestrators },
    })))
}

fn minor(known: &Kubernetes) -> Value {
    let patches: Map<String, Value> = known
        .patches
        .iter()
        .map(|patch| ((*patch).to_owned(), json!({ "upgrades": upgrades(patch) })))
        .collect();
    let mut minor = json!({
        "version": known.minor,
        "capabilities": { "supportPlan": ["KubernetesOfficial"] },
        "patchVersions": patches,
    });
    // There only when they are true.
    for (key, holds) in [("isDefault", known.default), ("isPreview", known.preview)] {
        if holds {
            minor[key] = json!(true);
        }
    }
    minor
}

/// Every patch, oldest first, with whether it is the default and whether a preview. The newest
/// patch of the default minor is the default.
fn all_patches() -> Vec<(&'static str, bool, bool)> {
    KUBERNETES
        .iter()
        .flat_map(|known| {
            known.patches.iter().map(|patch| {
                (
                    *patch,
                    known.default && known.patches.last() == Some(patch),
                    known.preview,
                )
            })
        })
        .collect()
}

/// To a later patch of the same minor, or to any of the next one.
fn upgrades(patch: &str) -> Vec<&'static str> {
    let Some(index) = KUBERNETES
        .iter()
        .position(|known| known.patches.contains(&patch))
    else {
        return Vec::new();
    };
    let here = KUBERNETES[index]
        .patches
        .iter()
        .skip_while(|p| **p != patch)
        .skip(1);
    let next = KUBERNETES
        .get(index + 1)
        .map_or(&[][..], |next| next.patches);
    here.chain(next).copied().collect()
}
