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
    assert_eq!(reply.status, 201);
    assert_eq!(reply.body["properties"]["provisioningState"], "Creating");
    assert_eq!(
        reply.body["properties"]["properties"]["agentCount"], 3,
        "not yet"
    );
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
async fn update_is_checked_again() {
    let emulator = Emulator::new();
    create(&emulator, "myaks", json!({})).await;
    let reply = put(&emulator, "myaks", &create_body(json!({ "agentCount": 2 }))).await;
    assert!(reply.status == 400 && reply.message().contains("at least 12 cores"));
    assert_eq!(state(&emulator, "myaks"), "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn unset_members_are_kept() {
    let emulator = Emulator::new();
    let tls = json!({ "status": "Enabled", "cname": "www.contoso.com", "cert": super::tls::CERT,
                      "key": super::tls::KEY });
    let given = json!({ "sslConfiguration": tls, "loadBalancerType": "InternalLoadBalancer",
                        "loadBalancerSubnet": "mysubnet" });
    create(&emulator, "myaks", given).await;
    let before = aks(&emulator, "myaks");
    let body = json!({ "location": "eastus", "tags": { "a": "b" },
                       "properties": { "computeType": "AKS", "description": "mine" } });
    assert_eq!(put(&emulator, "myaks", &body).await.status, 201);
    emulator.finish_operations();
    assert_eq!(aks(&emulator, "myaks"), before);
    let compute = get(&emulator, "myaks").await.body;
    assert_eq!(compute["tags"], json!({ "a": "b" }));
    assert_eq!(compute["properties"]["description"], "mine");

    let body = create_body(json!({ "loadBalancerType": "PublicIp" }));
    assert_eq!(put(&emulator, "myaks", &body).await.status, 201);
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
        201
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
    assert_eq!(put(&emulator, "attached", &same).await.status, 201);
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
async fn version_of_azureml_core_takes_back_what_it_gave() {
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
    assert_eq!(reply.status, 201, "{:?}", reply.body);
}

#[tokio::test(start_paused = true)]
async fn document_that_was_read_can_be_sent_back_unchanged() {
    let emulator = Emulator::new();
    let tls = json!({ "status": "Enabled", "cname": "www.contoso.com", "cert": super::tls::CERT,
                      "key": super::tls::KEY });
    create(&emulator, "certified", json!({ "sslConfiguration": tls })).await;
    let tls = json!({ "status": "Auto", "leafDomainLabel": "mine" });
    create(&emulator, "labelled", json!({ "sslConfiguration": tls })).await;
    let id = emulator.add_cluster(cluster());
    attach(&emulator, "attached", &id).await;
    for name in ["certified", "labelled", "attached"] {
        let before = emulator.compute(name).unwrap();
        let read = get(&emulator, name).await.body;
        let reply = put(&emulator, name, &read).await;
        assert_eq!(reply.status, 201, "{:?}", reply.body);
        emulator.finish_operations();
        let mut after = emulator.compute(name).unwrap();
        after["properties"]["modifiedOn"] = before["properties"]["modifiedOn"].clone();
        assert_eq!(after, before);
    }
}

#[tokio::test(start_paused = true)]
async fn patch_changes_what_it_names() {
    let emulator = Emulator::new();
    create(&emulator, "myaks", json!({})).await;
    let url = compute_url(&emulator, "myaks");
    let patch = async |body: Value| send(&emulator, Method::Patch, &url, Some(&body)).await;
    let reply = patch(json!({ "properties": { "scaleSettings": null } })).await;
    assert_eq!((reply.status, reply.code()), (400, "InvalidRequestContent"));
    let reply = patch(json!({ "tags": { "a": "b" } })).await;
    assert_eq!(
        (reply.status, &reply.body["properties"]["provisioningState"]),
        (202, &json!("Updating"))
    );
    emulator.finish_operations();
    assert_eq!(emulator.compute("myaks").unwrap()["tags"]["a"], "b");
    let reply = patch(json!({ "tags": { "a": "b" } })).await;
    assert!(reply.status == 200 && reply.header("azure-asyncoperation").is_none());
    let absent = compute_url(&emulator, "absent");
    let reply = send(&emulator, Method::Patch, &absent, Some(&json!({}))).await;
    assert_eq!(reply.status, 404);
}
