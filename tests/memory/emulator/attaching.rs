use azureml_aks::emulator::{Emulator, ExistingCluster};
use serde_json::json;

use crate::support::raw::*;

#[tokio::test(start_paused = true)]
async fn attached_compute_shows_the_cluster_that_it_stands_for() {
    let emulator = Emulator::new();
    let id = emulator.add_cluster(
        cluster()
            .vm_size("Standard_D4_v2")
            .node_count(4)
            .location("westus")
            .version("1.33.5"),
    );
    let reply = put(&emulator, "myaks", &attach_body(&id, json!({}))).await;
    assert_eq!(reply.status, 201, "{:?}", reply.body);
    emulator.finish_operations();
    let properties = get(&emulator, "myaks").await.body["properties"].clone();
    assert_eq!(properties["provisioningState"], "Succeeded");
    assert_eq!(properties["isAttachedCompute"], true);
    assert_eq!(properties["resourceId"], id);
    assert_eq!(properties["computeLocation"], "westus");
    assert_eq!(properties["properties"]["agentCount"], 4);
    assert_eq!(properties["properties"]["agentVmSize"], "Standard_D4_v2");
    assert_eq!(properties["properties"]["clusterPurpose"], "FastProd");
}

#[tokio::test(start_paused = true)]
async fn unsuitable_cluster_is_not_attached() {
    let emulator = Emulator::builder()
        .cluster(cluster())
        .cluster(ExistingCluster::new("g", "small").node_count(1))
        .cluster(ExistingCluster::new("g", "old").version("1.16.15"))
        .cluster(ExistingCluster::new("g", "preview").version("1.36.0"))
        .build();
    let id = |group: &str, name: &str| {
        format!(
            "/subscriptions/{}/resourcegroups/{group}/providers/Microsoft.ContainerService/managedClusters/{name}",
            emulator.subscription()
        )
    };
    let cases = [
        (id("g", "absent"), json!({}), "ClusterNotFound", "absent"),
        (
            "/subscriptions/x".to_owned(),
            json!({}),
            "InvalidResourceId",
            "not the id",
        ),
        (
            id("g", "small"),
            json!({}),
            "BadRequest",
            "at least 12 cores",
        ),
        (
            id("g", "old"),
            json!({}),
            "UnsupportedKubernetesVersion",
            "1.33, 1.34, 1.35, 1.36",
        ),
        (
            id("othergroup", "existing"),
            json!({ "agentCount": 3 }),
            "BadRequest",
            "agentCount",
        ),
    ];
    for (id, aks, code, text) in cases {
        let reply = put(&emulator, "myaks", &attach_body(&id, aks)).await;
        assert_eq!((reply.status, reply.code()), (400, code), "{id}");
        assert!(reply.message().contains(text), "{}", reply.message());
    }
    // The article on attaching allows a version in preview.
    let preview = attach_body(&id("g", "preview"), json!({}));
    assert_eq!(put(&emulator, "preview", &preview).await.status, 201);
    let dev = json!({ "clusterPurpose": "DevTest" });
    assert_eq!(
        put(&emulator, "myaks", &attach_body(&id("g", "small"), dev))
            .await
            .status,
        201
    );
}

#[tokio::test(start_paused = true)]
async fn attaching_twice_breaks_the_first() {
    let emulator = Emulator::new();
    let id = emulator.add_cluster(cluster());
    attach(&emulator, "first", &id).await;
    let reply = put(
        &emulator,
        "second",
        &attach_body(&id.to_uppercase(), json!({})),
    )
    .await;
    assert_eq!(reply.status, 201);
    assert_eq!(
        state(&emulator, "first"),
        "Succeeded",
        "until the second is ready"
    );
    emulator.finish_operations();
    assert_eq!(state(&emulator, "second"), "Succeeded");
    let first = get(&emulator, "first").await.body;
    assert_eq!(first["properties"]["provisioningState"], "Failed");
    let error = &first["properties"]["provisioningErrors"][0]["error"];
    assert_eq!(error["code"], "ComputeNotAccessible");
    assert!(error["message"].as_str().unwrap().contains("second"));
}

#[tokio::test(start_paused = true)]
async fn second_attachment_can_be_tolerated() {
    let emulator = Emulator::builder().tolerate_second_attachment(true).build();
    let id = emulator.add_cluster(cluster());
    attach(&emulator, "first", &id).await;
    attach(&emulator, "second", &id).await;
    assert_eq!(state(&emulator, "first"), "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn cluster_of_another_subscription_can_be_attached() {
    let emulator = Emulator::new();
    let id = emulator.add_cluster(cluster().subscription("another"));
    assert!(id.starts_with("/subscriptions/another/resourceGroups/othergroup/"));
    attach(&emulator, "myaks", &id).await;
    assert_eq!(state(&emulator, "myaks"), "Succeeded");
}
