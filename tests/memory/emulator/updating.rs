use azure_core::http::Method;
use azureml_aks::emulator::Emulator;
use serde_json::{Value, json};

use crate::support::raw::*;

fn aks(emulator: &Emulator, name: &str) -> Value {
    emulator.compute(name).unwrap()["properties"]["properties"].clone()
}

#[tokio::test(start_paused = true)]
async fn scaling_reaches_the_cluster_when_the_operation_ends() {
    let emulator = Emulator::new();
    create(&emulator, "myaks", json!({})).await;
    let reply = put(&emulator, "myaks", &create_body(json!({ "agentCount": 5 }))).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body["properties"]["provisioningState"], "Updating");
    assert_eq!(
        reply.body["properties"]["properties"]["agentCount"], 3,
        "not yet"
    );
    assert_eq!(reply.header("retry-after"), Some("10"));
    emulator.finish_operations();
    assert_eq!(
        read(&emulator, &polling(&reply)).await.body["status"],
        "Succeeded"
    );
    assert_eq!(aks(&emulator, "myaks")["agentCount"], 5);
    let id = emulator.compute("myaks").unwrap()["properties"]["resourceId"].clone();
    let url = format!(
        "https://management.azure.com{}?api-version=2026-05-01",
        id.as_str().unwrap()
    );
    let cluster = read(&emulator, &url).await;
    assert_eq!(
        cluster.body["properties"]["agentPoolProfiles"][0]["count"],
        5
    );
}

#[tokio::test(start_paused = true)]
async fn an_update_is_checked_again() {
    let emulator = Emulator::new();
    create(&emulator, "myaks", json!({})).await;
    let reply = put(&emulator, "myaks", &create_body(json!({ "agentCount": 2 }))).await;
    assert!(reply.status == 400 && reply.message().contains("at least 12 cores"));
    assert_eq!(state(&emulator, "myaks"), "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_said_is_kept() {
    let emulator = Emulator::new();
    let tls = json!({ "status": "Enabled", "cname": "www.contoso.com", "cert": super::tls::CERT,
                      "key": super::tls::KEY });
    let given = json!({ "sslConfiguration": tls, "loadBalancerType": "InternalLoadBalancer",
                        "loadBalancerSubnet": "mysubnet" });
    create(&emulator, "myaks", given).await;
    let before = aks(&emulator, "myaks");
    let body = json!({ "location": "eastus", "tags": { "a": "b" },
                       "properties": { "computeType": "AKS", "description": "mine" } });
    assert_eq!(put(&emulator, "myaks", &body).await.status, 200);
    emulator.finish_operations();
    assert_eq!(aks(&emulator, "myaks"), before);
    let compute = get(&emulator, "myaks").await.body;
    assert_eq!(compute["tags"], json!({ "a": "b" }));
    assert_eq!(compute["properties"]["description"], "mine");

    let body = create_body(json!({ "loadBalancerType": "PublicIp" }));
    assert_eq!(put(&emulator, "myaks", &body).await.status, 200);
    emulator.finish_operations();
    assert_eq!(aks(&emulator, "myaks")["loadBalancerSubnet"], Value::Null);
    assert_eq!(
        aks(&emulator, "myaks")["sslConfiguration"],
        before["sslConfiguration"]
    );
}

#[tokio::test(start_paused = true)]
async fn size_purpose_and_network_of_a_cluster_stay() {
    let emulator = Emulator::new();
    create(&emulator, "myaks", json!({})).await;
    let body = json!({ "agentVmSize": "Standard_D4_v2", "clusterPurpose": "DevTest" });
    assert_eq!(
        put(&emulator, "myaks", &create_body(body)).await.status,
        200
    );
    emulator.finish_operations();
    assert_eq!(aks(&emulator, "myaks")["agentVmSize"], "Standard_D3_v2");
    assert_eq!(aks(&emulator, "myaks")["clusterPurpose"], "FastProd");
}

#[tokio::test(start_paused = true)]
async fn another_cluster_cannot_be_put_under_a_compute() {
    let emulator = Emulator::new();
    let id = emulator.add_cluster(cluster());
    create(&emulator, "created", json!({})).await;
    assert_eq!(
        put(&emulator, "created", &attach_body(&id, json!({})))
            .await
            .status,
        409
    );
    attach(&emulator, "attached", &id).await;
    let same = attach_body(&id.to_lowercase(), json!({}));
    assert_eq!(put(&emulator, "attached", &same).await.status, 200);
    emulator.finish_operations();
    let scaled = put(
        &emulator,
        "attached",
        &create_body(json!({ "agentCount": 9 })),
    )
    .await;
    assert_eq!(scaled.status, 400);
}

#[tokio::test(start_paused = true)]
async fn the_version_of_azureml_core_takes_back_what_it_gave() {
    let emulator = Emulator::new();
    create(&emulator, "myaks", json!({})).await;
    let url = format!(
        "{}/computes/myaks?api-version={PYTHON}",
        workspace_url(&emulator)
    );
    let read_back = read(&emulator, &url).await.body;
    for key in [
        "description",
        "provisioningErrors",
        "resourceId",
        "isAttachedCompute",
    ] {
        assert!(
            read_back["properties"].get(key).is_some(),
            "{key} must be there, even if null"
        );
    }
    for key in [
        "agentVmSize",
        "agentCount",
        "clusterPurpose",
        "clusterFqdn",
        "loadBalancerType",
        "loadBalancerSubnet",
        "systemServices",
        "sslConfiguration",
    ] {
        assert!(
            read_back["properties"]["properties"].get(key).is_some(),
            "{key}"
        );
    }
    let reply = send(&emulator, Method::Put, &url, Some(&read_back)).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    emulator.finish_operations();
    let today = get(&emulator, "myaks").await.body;
    assert!(
        today["properties"].get("provisioningErrors").is_none(),
        "no nulls today"
    );
    let reply = send(
        &emulator,
        Method::Put,
        &compute_url(&emulator, "myaks"),
        Some(&today),
    )
    .await;
    assert_eq!(
        reply.status, 400,
        "read-only keys are refused at today's version"
    );
}

#[tokio::test(start_paused = true)]
async fn patch_is_refused() {
    let emulator = Emulator::new();
    create(&emulator, "myaks", json!({})).await;
    let body = json!({ "properties": { "scaleSettings": null } });
    let reply = send(
        &emulator,
        Method::Patch,
        &compute_url(&emulator, "myaks"),
        Some(&body),
    )
    .await;
    assert_eq!((reply.status, reply.code()), (405, "UnsupportedByEmulator"));
}
