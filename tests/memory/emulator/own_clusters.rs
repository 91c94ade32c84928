//! Clusters and node pools that are created, changed and removed by themselves.

use azure_core::http::Method;
use azureml_aks::emulator::{Clock, Emulator, ExistingCluster, Fault};
use serde_json::{Value, json};
use std::time::Duration;

use crate::support::raw::*;

const ARM: &str = "https://management.azure.com";

fn manual() -> Emulator {
    Emulator::builder().clock(Clock::Manual).build()
}

/// The URL of a cluster in the group of the workspace, or of what is below it.
fn url(emulator: &Emulator, path: &str) -> String {
    format!(
        "{ARM}/subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/{path}\
         ?api-version={TODAY}",
        emulator.subscription(),
        emulator.resource_group()
    )
}

fn id(emulator: &Emulator, name: &str) -> String {
    let url = url(emulator, name);
    let path = url.strip_prefix(ARM).unwrap();
    path.split('?').next().unwrap().to_owned()
}

/// The body of `az aks create`, with these properties and these members of its pool besides.
fn body(properties: Value, pool: Value) -> Value {
    let mut body = json!({
        "location": "eastus",
        "sku": { "name": "Base", "tier": "Free" },
        "identity": { "type": "SystemAssigned" },
        "properties": {
            "kubernetesVersion": "",
            "dnsPrefix": "my-prefix",
            "disableLocalAccounts": false,
            "enableRBAC": true,
            "addonProfiles": {},
            "storageProfile": {},
            "bootstrapProfile": { "artifactSource": "Direct" },
            "networkProfile": { "loadBalancerSku": "standard", "outboundType": "loadBalancer" },
            "agentPoolProfiles": [{
                "name": "nodepool1", "mode": "System", "type": "VirtualMachineScaleSets", "osType": "Linux",
                "count": 3, "vmSize": "", "orchestratorVersion": "", "enableAutoScaling": false,
                "enableNodePublicIP": false, "scaleSetPriority": "Regular", "nodeTaints": [],
                "upgradeSettings": {}, "enableEncryptionAtHost": false, "enableUltraSSD": false,
                "enableFIPS": false,
            }],
        },
    });
    extend(&mut body["properties"], properties);
    extend(&mut body["properties"]["agentPoolProfiles"][0], pool);
    body
}

fn extend(there: &mut Value, more: Value) {
    for (key, value) in more.as_object().unwrap() {
        match (there[key].is_object(), value.is_object()) {
            (true, true) => extend(&mut there[key], value.clone()),
            _ => there[key] = value.clone(),
        }
    }
}

async fn put_at(emulator: &Emulator, path: &str, body: &Value) -> Reply {
    send(emulator, Method::Put, &url(emulator, path), Some(body)).await
}

async fn get_at(emulator: &Emulator, path: &str) -> Reply {
    read(emulator, &url(emulator, path)).await
}

async fn delete_at(emulator: &Emulator, path: &str) -> Reply {
    send(emulator, Method::Delete, &url(emulator, path), None).await
}

/// The URL that tells how an operation on a cluster goes.
fn status_url(reply: &Reply) -> String {
    reply.header("azure-asyncoperation").unwrap().to_owned()
}

fn state(reply: &Reply) -> &str {
    reply.body["properties"]["provisioningState"]
        .as_str()
        .unwrap_or_default()
}

/// The state of the only pool in the document of a cluster.
fn pool_state(reply: &Reply) -> &str {
    let pools = reply.body["properties"]["agentPoolProfiles"].as_array();
    pools.unwrap()[0]["provisioningState"].as_str().unwrap()
}

/// A cluster that is ready.
async fn create_cluster(emulator: &Emulator, name: &str) {
    let reply = put_at(emulator, name, &body(json!({}), json!({}))).await;
    assert_eq!(reply.status, 201, "{}", reply.message());
    emulator.finish_operations();
}

#[tokio::test(start_paused = true)]
async fn cluster_is_created_scaled_attached_and_deleted() {
    let emulator = manual();
    let created = put_at(
        &emulator,
        "mine",
        &body(json!({ "enableRBAC": false }), json!({})),
    )
    .await;
    assert_eq!(created.status, 201, "{}", created.message());
    assert_eq!(
        (state(&created), pool_state(&created)),
        ("Creating", "Creating")
    );
    let properties = &created.body["properties"];
    assert_eq!(properties["currentKubernetesVersion"], "1.34.3");
    assert_eq!(properties["kubernetesVersion"], "1.34");
    assert_eq!(properties["enableRBAC"], false);
    assert!(properties.get("addonProfiles").is_none());
    let fqdn = properties["fqdn"].as_str().unwrap();
    assert!(
        fqdn.starts_with("my-prefix-") && fqdn.ends_with(".hcp.eastus.azmk8s.io"),
        "{fqdn}"
    );
    let pool = &properties["agentPoolProfiles"][0];
    assert_eq!(
        (&pool["vmSize"], &pool["count"]),
        (&json!("Standard_D4ds_v5"), &json!(3))
    );
    assert!(pool.get("nodeTaints").is_none() && pool.get("scaleSetPriority").is_none());
    assert!(created.header("location").is_none() && created.header("retry-after").is_none());

    let outbound = |reply: &Reply| {
        let network = &reply.body["properties"]["networkProfile"];
        network["loadBalancerProfile"]["effectiveOutboundIPs"].is_array()
    };
    let kubelet = |reply: &Reply| {
        let identities = &reply.body["properties"]["identityProfile"];
        identities["kubeletidentity"]["resourceId"].is_string()
    };
    assert!(!outbound(&created) && !kubelet(&created));

    let operation = status_url(&created);
    let running = read(&emulator, &operation).await;
    assert_eq!(running.body["status"], "InProgress");
    assert!(running.body.get("endTime").is_none() && running.body.get("error").is_none());
    assert_eq!(state(&get_at(&emulator, "mine").await), "Creating");
    let early = put(
        &emulator,
        "myaks",
        &attach_body(&id(&emulator, "mine"), json!({})),
    )
    .await;
    assert_eq!(early.status, 400);
    assert!(
        early.message().contains("Provisioning state: Creating"),
        "{}",
        early.message()
    );
    emulator.advance(Duration::from_secs(10 * 60));
    let ended = read(&emulator, &operation).await;
    assert_eq!(ended.body["status"], "Succeeded");
    assert!(ended.body["endTime"].as_str().unwrap().ends_with('Z'));
    let ready = get_at(&emulator, "mine").await;
    assert_eq!(
        (state(&ready), pool_state(&ready)),
        ("Succeeded", "Succeeded")
    );

    assert!(outbound(&ready) && kubelet(&ready));

    // What was read can be sent back.
    let mut again = ready.body.clone();
    again["properties"]["agentPoolProfiles"][0]["count"] = json!(5);
    let scaled = put_at(&emulator, "mine", &again).await;
    assert_eq!(
        (scaled.status, state(&scaled), pool_state(&scaled)),
        (200, "Updating", "Updating")
    );
    emulator.finish_operations();
    let ready = get_at(&emulator, "mine").await;
    assert_eq!(ready.body["properties"]["agentPoolProfiles"][0]["count"], 5);
    assert_eq!(ready.body["properties"]["fqdn"], json!(fqdn));

    let attached = put(
        &emulator,
        "myaks",
        &attach_body(&id(&emulator, "mine"), json!({})),
    )
    .await;
    assert_eq!(attached.status, 201, "{}", attached.message());
    assert_eq!(attached.body["properties"]["properties"]["agentCount"], 5);
    assert_eq!(
        attached.body["properties"]["properties"]["clusterFqdn"],
        json!(fqdn)
    );
    emulator.finish_operations();

    let deleted = delete_at(&emulator, "mine").await;
    assert_eq!((deleted.status, &deleted.body), (202, &Value::Null));
    assert_eq!(state(&get_at(&emulator, "mine").await), "Deleting");
    let result = deleted.header("location").unwrap().to_owned();
    assert!(result.contains("/operationresults/"), "{result}");
    let waiting = read(&emulator, &result).await;
    assert_eq!(
        (waiting.status, waiting.header("location")),
        (202, Some(result.as_str()))
    );
    emulator.finish_operations();
    assert_eq!(
        read(&emulator, &status_url(&deleted)).await.body["status"],
        "Succeeded"
    );
    assert_eq!(read(&emulator, &result).await.status, 204);
    assert_eq!(get_at(&emulator, "mine").await.code(), "ResourceNotFound");
    assert_eq!(delete_at(&emulator, "mine").await.status, 204);
    assert!(!emulator.cluster_exists(&id(&emulator, "mine")));
    let broken = get(&emulator, "myaks").await;
    assert_eq!(broken.body["properties"]["provisioningState"], "Failed");
}

#[tokio::test(start_paused = true)]
async fn node_pool_is_added_scaled_and_removed() {
    let emulator = manual();
    create_cluster(&emulator, "mine").await;
    let new = json!({ "properties": { "count": 1, "vmSize": "Standard_D3_v2", "mode": "User" } });
    let added = put_at(&emulator, "mine/agentPools/more", &new).await;
    assert_eq!(
        (added.status, state(&added)),
        (201, "Creating"),
        "{}",
        added.message()
    );
    assert_eq!(added.body["name"], "more");
    assert_eq!(
        added.body["properties"]["currentOrchestratorVersion"],
        "1.34.3"
    );
    assert!(added.body["properties"].get("name").is_none());
    assert_eq!(state(&get_at(&emulator, "mine").await), "Updating");
    emulator.finish_operations();
    assert_eq!(state(&get_at(&emulator, "mine").await), "Succeeded");
    let list = get_at(&emulator, "mine/agentPools").await;
    let names = list.body["value"].as_array().unwrap().iter();
    let names: Vec<&Value> = names.map(|pool| &pool["name"]).collect();
    assert_eq!(names, ["nodepool1", "more"]);

    let change = json!({ "properties": { "count": 4 } });
    let scaled = put_at(&emulator, "mine/agentPools/more", &change).await;
    assert_eq!((scaled.status, state(&scaled)), (200, "Scaling"));
    assert_eq!(scaled.body["properties"]["count"], 4);
    emulator.finish_operations();
    let same = put_at(&emulator, "mine/agentPools/more", &change).await;
    assert_eq!((same.status, state(&same)), (200, "Updating"));
    emulator.finish_operations();
    let auto = json!({ "properties": { "enableAutoScaling": true, "minCount": 2, "maxCount": 9 } });
    put_at(&emulator, "mine/agentPools/more", &auto).await;
    emulator.finish_operations();
    let pool = get_at(&emulator, "mine/agentPools/more").await.body["properties"].clone();
    assert_eq!(
        (&pool["minCount"], &pool["maxCount"], &pool["count"]),
        (&json!(2), &json!(9), &json!(4))
    );
    let off = json!({ "properties": { "enableAutoScaling": false } });
    let off = put_at(&emulator, "mine/agentPools/more", &off).await;
    for bound in ["minCount", "maxCount"] {
        assert!(off.body["properties"].get(bound).is_none(), "{bound}");
    }
    emulator.finish_operations();

    let removed = delete_at(&emulator, "mine/agentPools/more").await;
    assert_eq!(removed.status, 202);
    assert_eq!(
        state(&get_at(&emulator, "mine/agentPools/more").await),
        "Deleting"
    );
    emulator.finish_operations();
    assert_eq!(get_at(&emulator, "mine/agentPools/more").await.status, 404);
    assert_eq!(
        delete_at(&emulator, "mine/agentPools/more").await.status,
        204
    );
    let last = delete_at(&emulator, "mine/agentPools/nodepool1").await;
    assert_eq!((last.status, last.code()), (409, "OperationNotAllowed"));
    assert_eq!(last.message(), "There has to be at least one agent pool.");
}

#[tokio::test(start_paused = true)]
async fn operation_is_refused_while_another_one_runs() {
    let emulator = manual();
    put_at(&emulator, "mine", &body(json!({}), json!({}))).await;
    let pool = json!({ "properties": { "count": 4 } });
    let plain = body(json!({}), json!({}));
    let refused = |reply: &Reply, what: &str| {
        assert_eq!((reply.status, reply.code()), (409, "OperationNotAllowed"));
        assert_eq!(
            reply.message(),
            format!(
                "Operation is not allowed: Another {what} is in progress, please wait for it to finish \
                 before starting a new operation. See https://aka.ms/aks-pending-operation for more details"
            )
        );
        // The service has no envelope around its errors.
        assert!(reply.body.get("error").is_none());
        assert_eq!(reply.header("content-type"), Some("application/json"));
    };
    for reply in [
        put_at(&emulator, "mine", &plain).await,
        put_at(&emulator, "mine/agentPools/nodepool1", &pool).await,
        delete_at(&emulator, "mine/agentPools/nodepool1").await,
        delete_at(&emulator, "mine").await,
    ] {
        refused(&reply, "operation (Creating)");
    }
    emulator.finish_operations();
    put_at(&emulator, "mine/agentPools/nodepool1", &pool).await;
    refused(
        &put_at(&emulator, "mine", &plain).await,
        "agentpool operation (nodepool1 - Scaling)",
    );
    refused(
        &delete_at(&emulator, "mine").await,
        "agentpool operation (nodepool1 - Scaling)",
    );
    emulator.finish_operations();
    assert_eq!(delete_at(&emulator, "mine").await.status, 202);
}

#[tokio::test(start_paused = true)]
async fn cluster_that_cannot_be_is_refused() {
    let emulator = manual();
    let subnet = |name: &str| {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/{name}",
            emulator.subscription(),
            emulator.resource_group()
        )
    };
    let (there, absent) = (
        subnet("myvnet/subnets/default"),
        subnet("myvnet/subnets/other"),
    );
    let routed = json!({ "networkProfile": { "outboundType": "userDefinedRouting" } });
    let balanced = json!({ "networkProfile": {
        "outboundType": "userDefinedRouting", "loadBalancerProfile": { "managedOutboundIPs": { "count": 1 } },
    } });
    let guarded = json!({
        "networkProfile": { "loadBalancerSku": "Basic" },
        "apiServerAccessProfile": { "authorizedIPRanges": ["203.0.113.1/32", "203.0.113.2/32"] },
    });
    let cases = [
        (
            json!({ "kubernetesVersion": "1.11.1" }),
            json!({}),
            "AgentPoolK8sVersionNotSupported",
            "Version 1.11.1 is not supported in this region.",
        ),
        (
            json!({}),
            json!({ "orchestratorVersion": "1.11.2" }),
            "AgentPoolK8sVersionNotSupported",
            "Version 1.11.2 is not supported",
        ),
        (
            json!({}),
            json!({ "vmSize": "Standard_NV6" }),
            "BadRequest",
            "The VM size of Standard_NV6 is not allowed in your subscription in location 'eastus'. The \
             available VM sizes are 'standard_a2_v2,",
        ),
        (
            json!({}),
            json!({ "vmSize": "Standard_Nothing" }),
            "BadRequest",
            "Standard_Nothing",
        ),
        (
            json!({}),
            json!({ "count": 0 }),
            "InvalidParameter",
            "agentPoolProfile.count was 0.",
        ),
        (
            json!({}),
            json!({ "count": 1001 }),
            "InvalidParameter",
            "maxCount:1000.",
        ),
        (
            json!({}),
            json!({ "enableAutoScaling": true, "maxCount": 3 }),
            "InvalidParameter",
            "Required parameter agentPoolProfile.minCount is missing (null).",
        ),
        (
            json!({}),
            json!({ "enableAutoScaling": true, "minCount": 0, "maxCount": 3 }),
            "InvalidParameter",
            "agentPoolProfile.minCount is invalid",
        ),
        (
            json!({}),
            json!({ "enableAutoScaling": true, "minCount": 4, "maxCount": 3 }),
            "InvalidParameter",
            "agentPoolProfile.maxCount is invalid",
        ),
        (
            json!({}),
            json!({ "count": 88 }),
            "ErrCode_InsufficientVCPUQuota",
            "Insufficient regional vcpu quota left for location eastus. left regional vcpu quota 350, \
             requested quota 352.",
        ),
        (
            json!({}),
            json!({ "vnetSubnetID": absent }),
            "SubnetNotFound",
            "Could not find subnet other in vnet myvnet from resource group emulator-group",
        ),
        (
            json!({}),
            json!({ "vnetSubnetID": subnet("none/subnets/default") }),
            "SubnetNotFound",
            "vnet none",
        ),
        (
            json!({}),
            json!({ "vnetSubnetID": "default" }),
            "LinkedInvalidPropertyId",
            "at path 'properties.agentPoolProfiles[0].vnetSubnetID'",
        ),
        (
            json!({ "networkProfile": { "serviceCidr": "10.224.7.0/24" } }),
            json!({ "vnetSubnetID": there }),
            "ServiceCidrOverlapExistingSubnetsCidr",
            "The specified service CIDR 10.224.7.0/24 is conflicted with an existing subnet CIDR \
             10.224.0.0/16",
        ),
        (
            json!({ "networkProfile": { "serviceCidr": "10.0.0.0" } }),
            json!({}),
            "CidrStringParseError",
            "Cidr",
        ),
        (
            routed,
            json!({}),
            "EmptySubnetError",
            "The input subnet is an empty string.",
        ),
        (
            balanced,
            json!({ "vnetSubnetID": there }),
            "InvalidUserDefinedRoutingWithLoadBalancerProfile",
            "mutually exclusive",
        ),
        (
            guarded,
            json!({}),
            "BadRequest",
            "Setting apiServerAuthorizedIPRanges [203.0.113.1/32 203.0.113.2/32] is not allowed with basic \
             load balancer.",
        ),
        (
            json!({ "dnsPrefix": "" }),
            json!({}),
            "InvalidParameter",
            "Required parameter dnsPrefix is missing (null).",
        ),
        (
            json!({ "agentPoolProfiles": [] }),
            json!({}),
            "InvalidParameter",
            "agentPoolProfiles is missing",
        ),
        (
            json!({}),
            json!({ "mode": "User" }),
            "InvalidParameter",
            "Must define at least one system pool.",
        ),
        (
            json!({}),
            json!({ "name": "My-Pool" }),
            "InvalidParameter",
            "agentPoolProfile.name is invalid",
        ),
        (
            json!({}),
            json!({ "vmsize": "x" }),
            "UnsupportedByEmulator",
            "agentPoolProfiles[0].vmsize",
        ),
        (
            json!({ "fqdnSubdomain": "x" }),
            json!({}),
            "UnsupportedByEmulator",
            "fqdnSubdomain",
        ),
    ];
    for (properties, pool, code, message) in cases {
        let no_pools = properties["agentPoolProfiles"].is_array();
        let mut sent = body(json!({}), pool);
        extend(&mut sent["properties"], properties);
        let reply = put_at(&emulator, "mine", &sent).await;
        let status = 400;
        assert_eq!(
            (reply.status, reply.code()),
            (status, code),
            "{no_pools} {sent}"
        );
        assert!(
            reply.message().contains(message),
            "{message}: {}",
            reply.message()
        );
        assert_eq!(get_at(&emulator, "mine").await.status, 404, "{sent}");
    }
    let reply = put_at(&emulator, "mine", &body(json!({}), json!({ "count": 0 }))).await;
    assert_eq!(reply.body["target"], "agentPoolProfile.count");
    let reply = put_at(&emulator, "mine-", &body(json!({}), json!({}))).await;
    assert_eq!(
        (reply.code(), &reply.body["target"]),
        ("InvalidParameter", &json!("name"))
    );
}

#[tokio::test(start_paused = true)]
async fn place_of_a_cluster_is_checked_by_the_front_door() {
    let emulator = manual();
    let plain = body(json!({}), json!({}));
    let at = |from: &str, to: &str| url(&emulator, "mine").replace(from, to);
    let mut nowhere = plain.clone();
    nowhere["location"] = json!("nowhere");
    let mut without = plain.clone();
    without.as_object_mut().unwrap().remove("location");
    for (url, body, status, code) in [
        (
            at("emulator-group", "none"),
            &plain,
            404,
            "ResourceGroupNotFound",
        ),
        (
            at(emulator.subscription(), "none"),
            &plain,
            404,
            "SubscriptionNotFound",
        ),
        (
            at("", ""),
            &nowhere,
            400,
            "LocationNotAvailableForResourceType",
        ),
        (at("", ""), &without, 400, "LocationRequired"),
    ] {
        let reply = send(&emulator, Method::Put, &url, Some(body)).await;
        assert_eq!((reply.status, reply.code()), (status, code), "{url}");
        assert_eq!(reply.header("x-ms-failure-cause"), Some("gateway"));
        assert!(reply.body.get("error").is_some());
    }
    create_cluster(&emulator, "mine").await;
    let mut elsewhere = plain.clone();
    elsewhere["location"] = json!("West US");
    let reply = put_at(&emulator, "mine", &elsewhere).await;
    assert_eq!(
        (reply.status, reply.code()),
        (409, "InvalidResourceLocation")
    );
    elsewhere["location"] = json!("East US");
    assert_eq!(put_at(&emulator, "mine", &elsewhere).await.status, 200);
    let pool = json!({ "properties": { "count": 1 } });
    let reply = put_at(&emulator, "other/agentPools/nodepool1", &pool).await;
    assert_eq!((reply.status, reply.code()), (404, "ResourceNotFound"));
    assert!(
        reply.message().contains("managedClusters/other'"),
        "{}",
        reply.message()
    );
}

#[tokio::test(start_paused = true)]
async fn change_of_what_is_fixed_is_refused() {
    let emulator = manual();
    create_cluster(&emulator, "mine").await;
    for (properties, pool, code, message) in [
        (
            json!({ "dnsPrefix": "other" }),
            json!({}),
            "PropertyChangeNotAllowed",
            "'dnsPrefix'",
        ),
        (
            json!({ "networkProfile": { "loadBalancerSku": "basic" } }),
            json!({}),
            "PropertyChangeNotAllowed",
            "'networkProfile.loadBalancerSku'",
        ),
        (
            json!({}),
            json!({ "vmSize": "Standard_D3_v2" }),
            "PropertyChangeNotAllowed",
            "Changing property 'agentPoolProfile.vmSize' is not allowed.",
        ),
        (
            json!({ "kubernetesVersion": "1.35.0" }),
            json!({}),
            "UnsupportedByEmulator",
            "upgrades",
        ),
        (
            json!({}),
            json!({ "orchestratorVersion": "1.35.0" }),
            "UnsupportedByEmulator",
            "upgrades",
        ),
        (
            json!({}),
            json!({ "name": "other" }),
            "BadRequest",
            "A new agent pool was introduced.",
        ),
        (
            json!({}),
            json!({ "count": 88 }),
            "ErrCode_InsufficientVCPUQuota",
            "left regional vcpu quota 338, requested quota 340.",
        ),
    ] {
        let reply = put_at(&emulator, "mine", &body(properties, pool)).await;
        assert_eq!((reply.status, reply.code()), (400, code));
        assert!(
            reply.message().contains(message),
            "{message}: {}",
            reply.message()
        );
    }
    let size = json!({ "properties": { "vmSize": "Standard_D3_v2" } });
    let reply = put_at(&emulator, "mine/agentPools/nodepool1", &size).await;
    assert_eq!(reply.body["target"], "properties.vmSize");
    // Values that differ only in case change nothing.
    let standard = json!({ "networkProfile": { "loadBalancerSku": "Standard" }, "kubernetesVersion": "1.34.3" });
    let same = put_at(
        &emulator,
        "mine",
        &body(standard, json!({ "vmSize": "standard_d4DS_v5" })),
    )
    .await;
    assert_eq!(same.status, 200, "{}", same.message());
    let pools = &same.body["properties"]["agentPoolProfiles"];
    assert_eq!(pools[0]["vmSize"], "Standard_D4ds_v5");
    assert_eq!(
        same.body["properties"]["networkProfile"]["loadBalancerProfile"]["managedOutboundIPs"]["count"],
        1
    );
}

#[tokio::test(start_paused = true)]
async fn private_cluster_and_subnet_are_shown() {
    let emulator = manual();
    let subnet = format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/myvnet/subnets/default",
        emulator.subscription(),
        emulator.resource_group()
    );
    let private = json!({
        "apiServerAccessProfile": {
            "authorizedIPRanges": [], "enablePrivateCluster": true, "enablePrivateClusterPublicFQDN": false,
        },
        "networkProfile": {
            "outboundType": "userDefinedRouting", "serviceCidr": "10.0.8.0/24", "dnsServiceIP": "10.0.8.10",
        },
        "disableLocalAccounts": true,
    });
    let sent = body(private, json!({ "vnetSubnetID": subnet }));
    let reply = put_at(&emulator, "mine", &sent).await;
    assert_eq!(reply.status, 201, "{}", reply.message());
    let properties = &reply.body["properties"];
    assert_eq!(
        properties["apiServerAccessProfile"],
        json!({ "enablePrivateCluster": true, "enablePrivateClusterPublicFQDN": false,
            "privateDNSZone": "system" })
    );
    assert!(properties.get("fqdn").is_none());
    let name = properties["privateFQDN"].as_str().unwrap();
    assert!(name.ends_with(".privatelink.eastus.azmk8s.io"), "{name}");
    assert_eq!(
        properties["agentPoolProfiles"][0]["vnetSubnetID"],
        json!(subnet)
    );
    emulator.finish_operations();
    let ready = get_at(&emulator, "mine").await.body;
    assert!(
        ready["properties"]["networkProfile"]
            .get("loadBalancerProfile")
            .is_none()
    );
    for action in ["listClusterUserCredential", "listClusterAdminCredential"] {
        let url = url(&emulator, &format!("mine/{action}"));
        let reply = send(&emulator, Method::Post, &url, None).await;
        assert_eq!((reply.status, reply.code()), (400, "BadRequest"));
        assert!(
            reply.message().contains("disable local accounts"),
            "{}",
            reply.message()
        );
    }
    // Ranges can be set and taken away again.
    let ranges = |ranges: Value| {
        let mut sent = sent.clone();
        sent["properties"]["apiServerAccessProfile"]["authorizedIPRanges"] = ranges;
        sent
    };
    let reply = put_at(&emulator, "mine", &ranges(json!(["203.0.113.1/32"]))).await;
    let access = &reply.body["properties"]["apiServerAccessProfile"];
    assert_eq!(
        access["authorizedIPRanges"],
        json!(["203.0.113.1/32"]),
        "{}",
        reply.message()
    );
    emulator.finish_operations();
    let reply = put_at(&emulator, "mine", &ranges(json!([]))).await;
    assert!(
        reply.body["properties"]["apiServerAccessProfile"]
            .get("authorizedIPRanges")
            .is_none()
    );
}

#[tokio::test(start_paused = true)]
async fn faults_act_on_clusters_and_pools() {
    let emulator = manual();
    let plain = body(json!({}), json!({}));
    emulator.inject(Fault::policy_denied().on_path("/managedClusters/").times(1));
    let reply = put_at(&emulator, "mine", &plain).await;
    assert_eq!(
        (reply.status, reply.code()),
        (403, "RequestDisallowedByPolicy")
    );

    emulator.inject(Fault::quota_exceeded().times(1));
    let reply = put_at(&emulator, "mine", &plain).await;
    assert_eq!(reply.status, 201);
    emulator.finish_operations();
    let status = read(&emulator, &status_url(&reply)).await;
    assert_eq!(status.body["status"], "Failed");
    assert_eq!(status.body["error"]["code"], "QuotaExceeded");
    let failed = get_at(&emulator, "mine").await;
    assert_eq!((state(&failed), pool_state(&failed)), ("Failed", "Failed"));
    let refused = put(
        &emulator,
        "myaks",
        &attach_body(&id(&emulator, "mine"), json!({})),
    )
    .await;
    assert_eq!(refused.status, 400);
    // A cluster that failed can be reconciled.
    let reply = put_at(&emulator, "mine", &plain).await;
    assert_eq!(reply.status, 200);
    emulator.finish_operations();
    assert_eq!(state(&get_at(&emulator, "mine").await), "Succeeded");

    emulator.inject(
        Fault::operation_fails("NoRoom", "too small")
            .on(Method::Put, "/agentPools/")
            .times(1),
    );
    let change = json!({ "properties": { "count": 4 } });
    let reply = put_at(&emulator, "mine/agentPools/nodepool1", &change).await;
    emulator.finish_operations();
    let status = read(&emulator, &status_url(&reply)).await;
    assert_eq!(
        status.body["error"],
        json!({ "code": "NoRoom", "message": "too small" })
    );
    assert_eq!(
        state(&get_at(&emulator, "mine/agentPools/nodepool1").await),
        "Failed"
    );

    emulator.inject(Fault::error_beside_status("NotLatestOperation", "preempted").times(1));
    let reply = put_at(&emulator, "mine/agentPools/nodepool1", &change).await;
    let running = read(&emulator, &status_url(&reply)).await.body;
    emulator.finish_operations();
    let ended = read(&emulator, &status_url(&reply)).await.body;
    assert_eq!(
        (&running["status"], &ended["status"]),
        (&json!("InProgress"), &json!("Succeeded"))
    );
    for body in [running, ended] {
        assert_eq!(
            body["error"],
            json!({ "code": "NotLatestOperation", "message": "preempted" })
        );
    }

    emulator.inject(Fault::foreign_polling_url("https://elsewhere.example/x").times(1));
    let reply = delete_at(&emulator, "mine").await;
    assert_eq!(status_url(&reply), "https://elsewhere.example/x");
    assert_eq!(
        reply.header("location"),
        Some("https://elsewhere.example/x")
    );
    emulator.finish_operations();
    emulator.inject(Fault::never_ending_operation().times(1));
    let reply = put_at(&emulator, "mine", &plain).await;
    emulator.finish_operations();
    assert_eq!(
        read(&emulator, &status_url(&reply)).await.body["status"],
        "InProgress"
    );
    let unsigned = status_url(&reply);
    let unsigned = unsigned.split("&t=").next().unwrap();
    assert_eq!(read(&emulator, unsigned).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn quota_counts_every_pool_of_the_region() {
    let emulator = manual();
    emulator.add_cluster(ExistingCluster::new("g", "c").node_count(80));
    create_cluster(&emulator, "mine").await;
    // 350 - 80 * 4 - 3 * 4
    let pool = |count: u64| json!({ "properties": { "count": count, "vmSize": "Standard_D3_v2" } });
    let reply = put_at(&emulator, "mine/agentPools/more", &pool(5)).await;
    assert_eq!(
        (reply.status, reply.code()),
        (400, "ErrCode_InsufficientVCPUQuota")
    );
    assert!(
        reply
            .message()
            .contains("left regional vcpu quota 18, requested quota 20"),
        "{}",
        reply.message()
    );
    assert_eq!(
        put_at(&emulator, "mine/agentPools/more", &pool(4))
            .await
            .status,
        201
    );
    let other = body(json!({}), json!({ "vmSize": "Standard_D2_v2" }));
    assert_eq!(
        put_at(&emulator, "second", &other).await.code(),
        "ErrCode_InsufficientVCPUQuota"
    );
}

#[tokio::test(start_paused = true)]
async fn version_is_given_by_its_minor_its_patch_or_not_at_all() {
    let emulator = manual();
    for (name, wanted, shown, runs) in [
        ("none", "", "1.34", "1.34.3"),
        ("minor", "1.33", "1.33", "1.33.5"),
        ("patch", "1.33.2", "1.33.2", "1.33.2"),
    ] {
        let version = json!({ "kubernetesVersion": wanted });
        let sent = body(version, json!({ "orchestratorVersion": wanted }));
        let reply = put_at(&emulator, name, &sent).await;
        let properties = &reply.body["properties"];
        assert_eq!(
            properties["kubernetesVersion"],
            shown,
            "{}",
            reply.message()
        );
        assert_eq!(properties["currentKubernetesVersion"], runs);
        let pool = &properties["agentPoolProfiles"][0];
        assert_eq!(pool["orchestratorVersion"], shown);
        assert_eq!(pool["currentOrchestratorVersion"], runs);
    }
    let pool = json!({ "properties": {
        "count": 1, "vmSize": "Standard_D2_v2", "orchestratorVersion": "1.33",
    } });
    emulator.finish_operations();
    let reply = put_at(&emulator, "none/agentPools/older", &pool).await;
    let properties = &reply.body["properties"];
    assert_eq!(
        properties["currentOrchestratorVersion"],
        "1.33.5",
        "{}",
        reply.message()
    );
}

#[tokio::test(start_paused = true)]
async fn group_stays_when_its_last_cluster_goes() {
    let emulator = manual();
    let id = emulator.add_cluster(ExistingCluster::new("theirs", "c"));
    let cluster = format!("{ARM}{id}?api-version={TODAY}");
    assert_eq!(
        send(&emulator, Method::Delete, &cluster, None).await.status,
        202
    );
    emulator.finish_operations();
    let group = format!(
        "{ARM}/subscriptions/{}/resourcegroups/Theirs",
        emulator.subscription()
    );
    let reply = read(&emulator, &format!("{group}?api-version=2024-11-01")).await;
    assert_eq!((reply.status, &reply.body["name"]), (200, &json!("theirs")));
    let reply = send(
        &emulator,
        Method::Put,
        &cluster,
        Some(&body(json!({}), json!({}))),
    )
    .await;
    assert_eq!(reply.status, 201, "{}", reply.message());
}
