//! The documents of clusters and node pools, with what the service fills in.

use serde_json::{Map, Value, json};

use super::{Cluster, Site};
use crate::emulator::kubernetes::minor_of;
use crate::emulator::names::region;
use crate::facts::arm;

/// The tenant of every identity, and the principal of one that is made here.
const TENANT: &str = "00000000-0000-0000-0000-0000000000ff";
const PRINCIPAL: &str = "00000000-0000-0000-0000-0000000000aa";

/// The node image.
const NODE_IMAGE: &str = "AKSUbuntu-2204gen2containerd-202606.19.0";

type Body = Map<String, Value>;

/// A cluster with one node pool, as one that exists or is created with a compute.
pub(super) fn ready(
    place: &Site<'_>,
    location: &str,
    version: &str,
    vm_size: &str,
    nodes: u64,
    network: Option<&Body>,
) -> Value {
    let given = |key: &str| network.and_then(|network| network.get(key)).cloned();
    let mut pool =
        json!({ "name": "agentpool", "count": nodes, "vmSize": vm_size, "mode": "System" });
    if let Some(subnet) = given("subnetId") {
        pool["vnetSubnetID"] = subnet;
    }
    let mut profile = json!({ "networkPlugin": "azure", "loadBalancerSku": "Standard" });
    for key in ["serviceCidr", "dnsServiceIP"] {
        if let Some(value) = given(key) {
            profile[key] = value;
        }
    }
    let prefix = format!("{}-dns", place.name.to_ascii_lowercase());
    let body = json!({
        "location": location,
        "identity": { "type": "SystemAssigned" },
        "properties": {
            "dnsPrefix": prefix,
            "kubernetesVersion": minor_of(version),
            "networkProfile": profile,
        },
    });
    let mut document = cluster(
        place,
        body.as_object().unwrap_or(&Body::new()),
        version,
        &prefix,
    );
    let pool = pool.as_object().cloned().unwrap_or_default();
    document["properties"]["agentPoolProfiles"] = json!([new_pool(pool, version, version)]);
    document
}

/// A cluster that is being created, without its pools; `label` begins its host names.
pub(super) fn cluster(place: &Site<'_>, given: &Body, version: &str, label: &str) -> Value {
    let location = given.get("location").and_then(Value::as_str);
    let location = location.unwrap_or_default();
    let region = region(location);
    let node_group = format!("MC_{}_{}_{region}", place.group, place.name);
    let mut document = json!({
        "id": Cluster::id(place.subscription, place.group, place.name)
            .replace("/resourceGroups/", "/resourcegroups/"),
        "name": place.name,
        "type": format!("{}/ManagedClusters", arm::AKS_PROVIDER),
        "location": location,
        "kind": "Base",
        "sku": { "name": "Base", "tier": "Free" },
        "properties": {
            "provisioningState": "Creating",
            "powerState": { "code": "Running" },
            "kubernetesVersion": minor_of(version),
            "currentKubernetesVersion": version,
            "fqdn": format!("{label}.hcp.{region}.azmk8s.io"),
            "azurePortalFQDN": format!("{label}.portal.hcp.{region}.azmk8s.io"),
            "nodeResourceGroup": node_group,
            "enableRBAC": true,
            "supportPlan": "KubernetesOfficial",
            "networkProfile": {
                "networkPlugin": "azure",
                "networkDataplane": "azure",
                "loadBalancerSku": "standard",
                "serviceCidr": "10.0.0.0/16",
                "dnsServiceIP": "10.0.0.10",
                "outboundType": "loadBalancer",
                "ipFamilies": ["IPv4"],
            },
            "maxAgentPools": 100,
            "disableLocalAccounts": false,
            "securityProfile": {},
            "storageProfile": {
                "diskCSIDriver": { "enabled": true },
                "fileCSIDriver": { "enabled": true },
                "snapshotController": { "enabled": true },
            },
            "oidcIssuerProfile": { "enabled": false },
            "workloadAutoScalerProfile": {},
        },
    });
    merge(&mut document, given);
    let properties = &mut document["properties"];
    let network = &mut properties["networkProfile"];
    network["serviceCidrs"] = json!([network["serviceCidr"]]);
    if network["outboundType"] == "loadBalancer" && network["loadBalancerProfile"].is_null() {
        network["loadBalancerProfile"] = json!({ "managedOutboundIPs": { "count": 1 } });
    }
    if properties["apiServerAccessProfile"]["enablePrivateCluster"] == true {
        let zone = format!("{TENANT}.privatelink.{region}.azmk8s.io");
        properties["privateFQDN"] = json!(format!("{label}.{zone}"));
        let access = &mut properties["apiServerAccessProfile"];
        for (key, value) in [
            ("privateDNSZone", json!("system")),
            ("enablePrivateClusterPublicFQDN", json!(true)),
        ] {
            if access[key].is_null() {
                access[key] = value;
            }
        }
        if access["enablePrivateClusterPublicFQDN"] == false
            && let Some(properties) = properties.as_object_mut()
        {
            properties.remove("fqdn");
        }
    }
    document
}

/// Puts what is given over what is there: objects member by member, all else as a whole. Pools and what is
/// of no account are left out.
pub(super) fn merge(document: &mut Value, given: &Body) {
    for (key, value) in given {
        match (key.as_str(), value) {
            // Compared with what the cluster has, and never shown.
            ("name" | "location", _) => {}
            ("identity", Value::Object(identity)) => document["identity"] = identified(identity),
            ("properties", Value::Object(given)) => merge_properties(document, given),
            (key, value) => document[key] = value.clone(),
        }
    }
    let has_identity = document["identity"]["type"].is_string();
    let properties = &mut document["properties"];
    if has_identity && properties["servicePrincipalProfile"].is_null() {
        properties["servicePrincipalProfile"] = json!({ "clientId": "msi" });
    }
}

fn merge_properties(document: &mut Value, given: &Body) {
    let properties = &mut document["properties"];
    for (key, value) in given {
        match (key.as_str(), value) {
            ("agentPoolProfiles", _) => {}
            ("kubernetesVersion" | "supportPlan", Value::String(text)) if text.is_empty() => {}
            ("servicePrincipalProfile", principal) => {
                properties[key] = json!({ "clientId": principal["clientId"] });
            }
            (_, Value::Object(new)) => {
                let mut there = properties[key].as_object().cloned().unwrap_or_default();
                there.extend(new.clone());
                // Empty members are not shown.
                if key == "apiServerAccessProfile" {
                    there.retain(|key, value| match value {
                        Value::Array(items) => !items.is_empty(),
                        value => key != "enablePrivateCluster" || *value == true,
                    });
                }
                match there.is_empty() && properties[key].is_null() {
                    true => {}
                    false => properties[key] = Value::Object(there),
                }
            }
            (_, value) => properties[key] = value.clone(),
        }
    }
}

/// An identity with its principals.
fn identified(given: &Body) -> Value {
    let mut identity = json!({ "type": given.get("type") });
    match given
        .get("userAssignedIdentities")
        .and_then(Value::as_object)
    {
        Some(users) => {
            let principal = json!({ "clientId": PRINCIPAL, "principalId": PRINCIPAL });
            let users = users.keys().map(|id| (id.clone(), principal.clone()));
            identity["userAssignedIdentities"] = Value::Object(users.collect());
        }
        None if given.get("type") == Some(&json!("SystemAssigned")) => {
            identity["principalId"] = json!(PRINCIPAL);
            identity["tenantId"] = json!(TENANT);
        }
        None => {}
    }
    identity
}

/// A node pool that is being created; `version` is with its patch, `wanted` as the pool shows it.
pub(super) fn new_pool(given: Body, version: &str, wanted: &str) -> Value {
    let mut pool = json!({
        "osDiskType": "Managed",
        "kubeletDiskType": "OS",
        "maxPods": 110,
        "type": "VirtualMachineScaleSets",
        "enableAutoScaling": false,
        "provisioningState": "Creating",
        "powerState": { "code": "Running" },
        "enableNodePublicIP": false,
        "mode": "User",
        "enableEncryptionAtHost": false,
        "enableUltraSSD": false,
        "osType": "Linux",
        "osSKU": "Ubuntu",
        "nodeImageVersion": NODE_IMAGE,
        "upgradeSettings": {},
        "enableFIPS": false,
    });
    change_pool(&mut pool, given);
    pool["orchestratorVersion"] = json!(wanted);
    pool["currentOrchestratorVersion"] = json!(version);
    pool
}

/// Puts what is given over what a pool has.
pub(super) fn change_pool(pool: &mut Value, given: Body) {
    let is_spot = given.get("scaleSetPriority") == Some(&json!("Spot"));
    let Some(pool) = pool.as_object_mut() else {
        return;
    };
    for (key, value) in given {
        let of_spot = ["scaleSetPriority", "scaleSetEvictionPolicy", "spotMaxPrice"];
        let is_default = of_spot.contains(&key.as_str()) && !is_spot;
        if !is_default && key != "orchestratorVersion" {
            pool.insert(key, value);
        }
    }
    // 0 is the service's own choice.
    if pool
        .get("osDiskSizeGB")
        .and_then(Value::as_u64)
        .unwrap_or_default()
        == 0
    {
        pool.insert("osDiskSizeGB".to_owned(), json!(128));
    }
    for key in ["nodeTaints", "nodeLabels"] {
        let is_empty = pool.get(key).is_some_and(|value| match value {
            Value::Array(items) => items.is_empty(),
            Value::Object(items) => items.is_empty(),
            _ => false,
        });
        if is_empty {
            pool.remove(key);
        }
    }
    if pool.get("enableAutoScaling") != Some(&json!(true)) {
        pool.remove("minCount");
        pool.remove("maxCount");
    }
}

/// The node pool by itself, as it is shown beside its cluster.
pub(super) fn pool_resource(cluster: &Cluster, pool: &Value) -> Value {
    let mut properties = pool.clone();
    let name = properties["name"].take();
    if let Some(properties) = properties.as_object_mut() {
        properties.remove("name");
    }
    let id = cluster.document["id"].as_str().unwrap_or_default();
    json!({
        "id": format!("{id}/agentPools/{}", name.as_str().unwrap_or_default()),
        "name": name,
        "type": format!("{}/managedClusters/agentPools", arm::AKS_PROVIDER),
        "properties": properties,
    })
}

impl Cluster {
    /// Members of a cluster after its first successful operation.
    pub(super) fn become_ready(&mut self) {
        let subscription = self.id.split('/').nth(2).unwrap_or_default().to_owned();
        let name = self.name.clone();
        let properties = &mut self.document["properties"];
        let group = properties["nodeResourceGroup"].as_str().unwrap_or_default();
        let scope = format!("/subscriptions/{subscription}/resourceGroups/{group}/providers");
        let with_identity = properties["servicePrincipalProfile"]["clientId"] == "msi";
        // An index would add the member where it is absent.
        let balancer = properties.pointer_mut("/networkProfile/loadBalancerProfile");
        if let Some(balancer) = balancer.and_then(Value::as_object_mut) {
            let address = format!("{scope}/Microsoft.Network/publicIPAddresses/{name}-outbound");
            balancer.insert(
                "effectiveOutboundIPs".to_owned(),
                json!([{ "id": address }]),
            );
        }
        if with_identity {
            let scope = scope.replace("/resourceGroups/", "/resourcegroups/");
            properties["identityProfile"] = json!({ "kubeletidentity": {
                "resourceId": format!(
                    "{scope}/Microsoft.ManagedIdentity/userAssignedIdentities/{name}-agentpool"
                ),
                "clientId": PRINCIPAL,
                "objectId": PRINCIPAL,
            } });
        }
        self.set_states("Succeeded");
    }

    /// Sets the state of the cluster and of all its pools.
    pub(super) fn set_states(&mut self, state: &str) {
        self.set_state(state);
        for pool in self.pools_mut().into_iter().flatten() {
            pool["provisioningState"] = json!(state);
        }
    }

    pub(super) fn set_state(&mut self, state: &str) {
        self.document["properties"]["provisioningState"] = json!(state);
    }
}
