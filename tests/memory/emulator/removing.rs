use azure_core::http::Method;
use azureml_aks::emulator::Emulator;
use serde_json::json;

use crate::support::raw::*;

fn resource_id(emulator: &Emulator, name: &str) -> String {
    emulator.compute(name).unwrap()["properties"]["resourceId"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test(start_paused = true)]
async fn delete_takes_the_cluster_along() {
    let emulator = Emulator::new();
    create(&emulator, "myaks", json!({})).await;
    let id = resource_id(&emulator, "myaks");
    let reply = remove(&emulator, "myaks", "delete").await;
    assert_eq!(reply.status, 202);
    assert!(reply.header("retry-after").is_none() && reply.header("location").is_none());
    assert_eq!(state(&emulator, "myaks"), "Deleting");
    emulator.finish_operations();
    assert_eq!(
        read(&emulator, &polling(&reply)).await.body["status"],
        "Succeeded"
    );
    assert_eq!(get(&emulator, "myaks").await.status, 404);
    assert!(!emulator.cluster_exists(&id));
}

#[tokio::test(start_paused = true)]
async fn detach_leaves_the_cluster() {
    let emulator = Emulator::new();
    create(&emulator, "created", json!({})).await;
    let created = resource_id(&emulator, "created");
    let attached = emulator.add_cluster(cluster());
    attach(&emulator, "attached", &attached).await;
    for name in ["created", "attached"] {
        assert_eq!(remove(&emulator, name, "Detach").await.status, 202);
    }
    emulator.finish_operations();
    assert!(emulator.compute("created").is_none() && emulator.compute("attached").is_none());
    assert!(emulator.cluster_exists(&created) && emulator.cluster_exists(&attached));
}

#[tokio::test(start_paused = true)]
async fn attached_compute_cannot_be_deleted() {
    let emulator = Emulator::new();
    let id = emulator.add_cluster(cluster());
    attach(&emulator, "myaks", &id).await;
    let reply = remove(&emulator, "myaks", "Delete").await;
    assert!(
        reply.status == 400 && reply.message().contains("Detach"),
        "{reply:?}"
    );
    assert!(emulator.cluster_exists(&id) && emulator.compute("myaks").is_some());
}

#[tokio::test(start_paused = true)]
async fn action_is_required_and_known() {
    let emulator = Emulator::new();
    create(&emulator, "myaks", json!({})).await;
    let bare = compute_url(&emulator, "myaks");
    let reply = send(&emulator, Method::Delete, &bare, None).await;
    assert!(reply.status == 400 && reply.message().contains("underlyingResourceAction"));
    assert_eq!(remove(&emulator, "myaks", "Remove").await.status, 400);
    assert_eq!(state(&emulator, "myaks"), "Succeeded");
}

#[tokio::test(start_paused = true)]
async fn removing_what_is_not_there_is_204_without_an_operation() {
    let emulator = Emulator::new();
    let reply = remove(&emulator, "absent", "Detach").await;
    assert_eq!(reply.status, 204);
    assert!(reply.header("azure-asyncoperation").is_none() && reply.header("location").is_none());
}

#[tokio::test(start_paused = true)]
async fn deleting_a_cluster_breaks_what_else_is_attached_to_it() {
    let emulator = Emulator::builder().tolerate_second_attachment(true).build();
    create(&emulator, "created", json!({})).await;
    attach(&emulator, "attached", &resource_id(&emulator, "created")).await;
    remove(&emulator, "created", "Delete").await;
    emulator.finish_operations();
    assert_eq!(state(&emulator, "attached"), "Failed");
}
