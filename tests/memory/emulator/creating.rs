use std::time::Duration;

use azure_core::http::Method;
use azureml_aks::emulator::{Clock, Emulator};
use serde_json::{Value, json};

use crate::support::raw::*;

async fn refusal(aks: Value) -> (u16, String) {
    let emulator = Emulator::new();
    let reply = put(&emulator, "myaks", &create_body(aks)).await;
    assert!(
        emulator.compute("myaks").is_none(),
        "a refused create leaves nothing behind"
    );
    (reply.status, reply.message().to_owned())
}

#[tokio::test(start_paused = true)]
async fn create_runs_its_time_and_makes_a_cluster_beside_the_workspace() {
    let emulator = Emulator::builder()
        .create_duration(Duration::from_secs(600))
        .build();
    let body = json!({ "location": "eastus", "properties": { "computeType": "AKS" } });
    let reply = put(&emulator, "myaks", &body).await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.body["properties"]["provisioningState"], "Creating");
    assert!(reply.header("retry-after").is_none() && reply.header("location").is_none());
    let url = polling(&reply);
    assert!(url.starts_with(
        "https://management.azure.com/subscriptions/00000000-0000-0000-0000-000000000001/providers\
         /Microsoft.MachineLearningServices/locations/eastus/computeOperationsStatus/"
    ));
    assert!(
        url.contains("?api-version=2026-05-01&service=new&t="),
        "{url}"
    );

    let poll = read(&emulator, &url).await;
    assert_eq!(
        (poll.status, &poll.body["status"]),
        (200, &json!("InProgress"))
    );
    assert!(poll.header("retry-after").is_none());
    tokio::time::sleep(Duration::from_secs(599)).await;
    assert_eq!(read(&emulator, &url).await.body["status"], "InProgress");
    assert_eq!(
        get(&emulator, "myaks").await.body["properties"]["provisioningState"],
        "Creating"
    );
    tokio::time::sleep(Duration::from_secs(2)).await;
    let poll = read(&emulator, &url).await;
    assert_eq!(poll.body["status"], "Succeeded");

    let compute = get(&emulator, "myaks").await.body;
    let properties = &compute["properties"];
    assert_eq!(properties["provisioningState"], "Succeeded");
    assert_eq!(properties["isAttachedCompute"], false);
    assert_eq!(
        properties["properties"]["agentCount"], 3,
        "production has three machines by default"
    );
    assert_eq!(properties["properties"]["agentVmSize"], "Standard_D3_v2");
    assert_eq!(properties["properties"]["clusterPurpose"], "FastProd");
    assert_eq!(properties["properties"]["loadBalancerType"], "PublicIp");
    assert_eq!(
        properties["properties"]["sslConfiguration"]["status"],
        "Disabled"
    );
    let id = properties["resourceId"].as_str().unwrap();
    assert!(
        emulator.cluster_exists(&id.to_uppercase()),
        "ids are compared without case"
    );
    let cluster = read(
        &emulator,
        &format!("https://management.azure.com{id}?api-version=2026-05-01"),
    )
    .await;
    assert_eq!(cluster.status, 200);
    assert_eq!(
        cluster.body["properties"]["agentPoolProfiles"][0]["count"],
        3
    );
    assert_eq!(
        cluster.body["properties"]["agentPoolProfiles"][0]["vmSize"],
        "Standard_D3_v2"
    );
}

#[tokio::test(start_paused = true)]
async fn automatic_clock_runs_at_its_speed() {
    let emulator = Emulator::builder()
        .clock(Clock::Automatic { speed: 60.0 })
        .build();
    put(&emulator, "myaks", &create_body(json!({}))).await;
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(state(&emulator, "myaks"), "Creating");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(state(&emulator, "myaks"), "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn manual_clock_advances_only_on_request() {
    let emulator = Emulator::builder().clock(Clock::Manual).build();
    put(&emulator, "one", &create_body(json!({}))).await;
    tokio::time::sleep(Duration::from_secs(100_000)).await;
    assert_eq!(state(&emulator, "one"), "Creating");
    emulator.advance(Duration::from_secs(599));
    assert_eq!(state(&emulator, "one"), "Creating");
    emulator.advance(Duration::from_secs(1));
    assert_eq!(state(&emulator, "one"), "Succeeded");
    put(&emulator, "two", &create_body(json!({}))).await;
    emulator.finish_operations();
    assert_eq!(state(&emulator, "two"), "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn dev_test_has_one_machine_by_default() {
    let emulator = Emulator::new();
    create(&emulator, "myaks", json!({ "clusterPurpose": "DevTest" })).await;
    assert_eq!(
        get(&emulator, "myaks").await.body["properties"]["properties"]["agentCount"],
        1
    );
}

#[tokio::test(start_paused = true)]
async fn production_needs_twelve_cores() {
    for purpose in ["FastProd", "DenseProd"] {
        let (status, message) = refusal(json!({
            "clusterPurpose": purpose, "agentCount": 3, "agentVmSize": "Standard_D2_v2",
        }))
        .await;
        assert_eq!(status, 400);
        assert!(message.contains("at least 12 cores"), "{message}");
    }
    let emulator = Emulator::new();
    let six = json!({ "agentCount": 6, "agentVmSize": "Standard_D2_v2" });
    assert_eq!(put(&emulator, "myaks", &create_body(six)).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn unknown_size_is_refused_unless_it_was_added() {
    let body = json!({ "agentVmSize": "Standard_New_v9" });
    let (status, message) = refusal(body.clone()).await;
    assert!(
        status == 400 && message.contains("Standard_New_v9"),
        "{message}"
    );
    let emulator = Emulator::builder()
        .vm_size("Standard_New_v9", 4, 16.0)
        .build();
    assert_eq!(
        put(&emulator, "myaks", &create_body(body)).await.status,
        201
    );
}

fn network() -> Value {
    json!({
        "subnetId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/default",
        "serviceCidr": "10.0.0.0/16",
        "dnsServiceIP": "10.0.0.10",
        "dockerBridgeCidr": "172.17.0.1/16",
    })
}

#[tokio::test(start_paused = true)]
async fn network_is_kept_and_shown() {
    let emulator = Emulator::new();
    create(
        &emulator,
        "myaks",
        json!({ "aksNetworkingConfiguration": network() }),
    )
    .await;
    let compute = get(&emulator, "myaks").await.body;
    assert_eq!(
        compute["properties"]["properties"]["aksNetworkingConfiguration"],
        network()
    );
    let id = compute["properties"]["resourceId"].as_str().unwrap();
    let cluster = read(
        &emulator,
        &format!("https://management.azure.com{id}?api-version=2026-05-01"),
    )
    .await;
    assert_eq!(
        cluster.body["properties"]["networkProfile"]["dnsServiceIP"],
        "10.0.0.10"
    );
    assert_eq!(
        cluster.body["properties"]["agentPoolProfiles"][0]["vnetSubnetID"],
        network()["subnetId"]
    );
}

#[tokio::test(start_paused = true)]
async fn network_that_contradicts_itself_is_refused() {
    let cases = [
        ("dnsServiceIP", json!("10.1.0.10"), "must lie within"),
        ("dnsServiceIP", json!("10.0.0.1"), "first address"),
        ("dnsServiceIP", json!("10.0.0"), "not an IPv4 address"),
        ("serviceCidr", json!("10.0.0.0"), "CIDR"),
        ("dockerBridgeCidr", json!("10.0.1.1/24"), "overlap"),
        (
            "dockerBridgeCidr",
            Value::Null,
            "dockerBridgeCidr is missing",
        ),
        ("subnetId", json!("default"), "not the id of a subnet"),
        (
            "subnetId",
            json!(
                "/subscriptions/s/resourceGroups/None/providers/Microsoft.Network/virtualNetworks/v/subnets/n"
            ),
            "not the id of a subnet",
        ),
    ];
    for (key, value, expected) in cases {
        let mut network = network();
        network[key] = value;
        let (status, message) = refusal(json!({ "aksNetworkingConfiguration": network })).await;
        assert!(
            status == 400 && message.contains(expected),
            "{key}: {message}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn internal_load_balancer_gets_the_default_subnet() {
    let emulator = Emulator::new();
    create(
        &emulator,
        "myaks",
        json!({ "loadBalancerType": "InternalLoadBalancer" }),
    )
    .await;
    let aks = get(&emulator, "myaks").await.body["properties"]["properties"].clone();
    assert_eq!(aks["loadBalancerSubnet"], "aks-subnet");
    assert_eq!(aks["systemServices"][0]["publicIpAddress"], "10.240.0.100");
    let (status, message) = refusal(json!({ "loadBalancerSubnet": "mysubnet" })).await;
    assert!(
        status == 400 && message.contains("loadBalancerSubnet"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn names_are_checked() {
    let emulator = Emulator::new();
    for bad in ["ab", "1aks", "my_aks", "aks-", "aks-1", &"a".repeat(25)] {
        let reply = put(&emulator, bad, &create_body(json!({}))).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "InvalidComputeName"),
            "{bad}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn key_that_the_version_does_not_know_is_refused_by_name() {
    let emulator = Emulator::new();
    let cases = [
        (
            "/agentcount",
            json!({ "location": "eastus", "properties": { "computeType": "AKS", "properties": { "agentcount": 3 } } }),
            "properties.properties.agentcount",
        ),
        (
            "top",
            json!({ "location": "eastus", "zones": [], "properties": { "computeType": "AKS" } }),
            "zones",
        ),
        (
            "misspelt",
            json!({ "location": "eastus", "properties": { "computeType": "AKS", "properties": { "sslConfiguration": { "status": "Auto", "leafDomainLabel": "a", "renewal": true } } } }),
            "properties.properties.sslConfiguration.renewal",
        ),
        (
            "type",
            json!({ "location": "eastus", "properties": { "computeType": "AKS", "properties": { "agentCount": "3" } } }),
            "properties.properties.agentCount",
        ),
        (
            "enum",
            json!({ "location": "eastus", "properties": { "computeType": "AKS", "properties": { "clusterPurpose": "FAST_PROD" } } }),
            "properties.properties.clusterPurpose",
        ),
        (
            "tags",
            json!({ "location": "eastus", "tags": { "a": 1 }, "properties": { "computeType": "AKS" } }),
            "tags",
        ),
    ];
    for (what, body, path) in cases {
        let reply = put(&emulator, "myaks", &body).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "InvalidRequestContent"),
            "{what}"
        );
        assert!(
            reply.message().contains(path),
            "{what}: {}",
            reply.message()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn location_and_compute_type_are_required() {
    let emulator = Emulator::new();
    let reply = put(
        &emulator,
        "myaks",
        &json!({ "properties": { "computeType": "AKS" } }),
    )
    .await;
    assert_eq!((reply.status, reply.code()), (400, "LocationRequired"));
    let reply = put(
        &emulator,
        "myaks",
        &json!({ "location": "East US", "properties": {} }),
    )
    .await;
    assert!(reply.status == 400 && reply.message().contains("computeType"));
    let elsewhere = json!({ "location": "westus", "properties": { "computeType": "AKS" } });
    let reply = put(&emulator, "myaks", &elsewhere).await;
    assert!(reply.status == 400 && reply.message().contains("computeLocation"));
    let other = json!({ "location": "eastus", "properties": { "computeType": "AmlCompute" } });
    let reply = put(&emulator, "myaks", &other).await;
    assert_eq!((reply.status, reply.code()), (400, "UnsupportedByEmulator"));
    let reply = put(&emulator, "myaks", &json!([])).await;
    assert_eq!(reply.status, 400);
}

#[tokio::test(start_paused = true)]
async fn prefix_of_a_name_decides_how_it_ends() {
    let emulator = Emulator::new();
    let mut urls = Vec::new();
    for name in ["fail1", "nested1", "cancel1"] {
        urls.push(polling(
            &put(&emulator, name, &create_body(json!({}))).await,
        ));
    }
    emulator.finish_operations();
    let failed = read(&emulator, &urls[0]).await;
    assert_eq!(
        (failed.status, &failed.body["status"]),
        (200, &json!("Failed"))
    );
    assert_eq!(failed.body["error"]["code"], "ComputeProvisioningFailed");
    assert_eq!(failed.body["error"]["statusCode"], 400);
    assert!(
        failed.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("fail1")
    );
    let nested = read(&emulator, &urls[1]).await;
    assert_eq!(nested.body["status"], "Failed");
    assert_eq!(
        nested.body["error"]["error"]["code"],
        "ComputeProvisioningFailed"
    );
    let canceled = read(&emulator, &urls[2]).await;
    assert_eq!(canceled.body["status"], "Canceled");
    assert_eq!(state(&emulator, "cancel1"), "Canceled");

    // A failed compute stays, says why, and can only be removed.
    let compute = get(&emulator, "fail1").await.body;
    assert_eq!(compute["properties"]["provisioningState"], "Failed");
    let errors = &compute["properties"]["provisioningErrors"];
    assert_eq!(errors[0]["error"]["code"], "ComputeProvisioningFailed");
    assert!(compute["properties"]["resourceId"].is_null());
    assert_eq!(
        put(&emulator, "fail1", &create_body(json!({})))
            .await
            .status,
        409
    );
    assert_eq!(remove(&emulator, "fail1", "Delete").await.status, 202);
    emulator.finish_operations();
    assert!(emulator.compute("fail1").is_none());
}

#[tokio::test(start_paused = true)]
async fn second_write_during_an_operation_conflicts() {
    let emulator = Emulator::new();
    put(&emulator, "myaks", &create_body(json!({}))).await;
    let reply = put(&emulator, "MYAKS", &create_body(json!({}))).await;
    assert_eq!((reply.status, reply.code()), (409, "Conflict"));
    assert_eq!(remove(&emulator, "myaks", "Delete").await.status, 409);
    assert_eq!(
        put(&emulator, "other", &create_body(json!({})))
            .await
            .status,
        201
    );
}

#[tokio::test(start_paused = true)]
async fn older_versions_have_their_own_keys() {
    let emulator = Emulator::new();
    let url = |version: &str| {
        format!(
            "{}/computes/myaks?api-version={version}",
            workspace_url(&emulator)
        )
    };
    let body = create_body(json!({ "agentVMSize": "Standard_D3_v2" }));
    assert_eq!(put(&emulator, "myaks", &body).await.status, 400);
    let reply = send(&emulator, Method::Put, &url("2019-11-01"), Some(&body)).await;
    assert_eq!(reply.status, 201, "{:?}", reply.body);
    emulator.finish_operations();
    let shown = read(&emulator, &url("2019-11-01")).await.body;
    let aks = shown["properties"]["properties"].as_object().unwrap();
    assert_eq!(aks["agentVMSize"], "Standard_D3_v2");
    assert!(!aks.contains_key("agentVmSize") && !aks.contains_key("loadBalancerType"));
    let shown = read(&emulator, &url("2020-08-01")).await.body;
    assert_eq!(
        shown["properties"]["properties"]["agentVmSize"],
        "Standard_D3_v2"
    );
    assert!(
        shown["properties"]["properties"]
            .get("clusterPurpose")
            .is_none()
    );
}

#[tokio::test(start_paused = true)]
async fn retry_after_and_short_polling_urls_can_be_asked_for() {
    let emulator = Emulator::builder()
        .retry_after(Some(Duration::from_secs(10)))
        .signed_polling_urls(false)
        .build();
    let reply = put(&emulator, "myaks", &create_body(json!({}))).await;
    assert_eq!(reply.header("retry-after"), Some("10"));
    let url = polling(&reply);
    assert!(
        url.ends_with("?api-version=2026-05-01&service=new"),
        "{url}"
    );
    // Clients repeat the query of a DELETE.
    let url = format!("{url}&underlyingResourceAction=Detach");
    assert_eq!(
        read(&emulator, &url).await.header("retry-after"),
        Some("10")
    );
    emulator.finish_operations();
    let ended = read(&emulator, &url).await;
    assert_eq!((ended.status, ended.header("retry-after")), (200, None));
}
