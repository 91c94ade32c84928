use azure_core::http::Method;
use azureml_aks::emulator::{Clock, ConnectedCluster, Emulator, ExistingCluster};
use serde_json::{Value, json};

use crate::support::raw::*;

const CONNECTED: &str =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Kubernetes/connectedClusters/edge";
const IDENTITY: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";

fn body(resource_id: &str, inner: Value) -> Value {
    json!({ "location": "eastus", "properties": {
        "computeType": "Kubernetes", "resourceId": resource_id, "properties": inner,
    } })
}

fn manual() -> Emulator {
    let edge = ConnectedCluster::new("g", "edge").subscription("s");
    Emulator::builder()
        .clock(Clock::Manual)
        .connected_cluster(edge.extension("azureml"))
        .build()
}

async fn attached(emulator: &Emulator, name: &str) {
    let reply = put(
        emulator,
        name,
        &body(CONNECTED, json!({ "namespace": "scoring" })),
    )
    .await;
    assert_eq!(reply.status, 201, "{:?}", reply.body);
    emulator.finish_operations();
}

#[tokio::test(start_paused = true)]
async fn compute_lives_from_attach_to_detach() {
    let emulator = manual();
    // As `azure-ai-ml` sends it.
    let mut sent = body(CONNECTED, json!({ "namespace": "default" }));
    sent["properties"]["computeLocation"] = json!("eastus");
    sent["identity"] = json!({ "type": "Systemassigned" });
    let reply = put(&emulator, "kube", &sent).await;
    assert_eq!(reply.status, 201, "{:?}", reply.body);
    assert_eq!(reply.body["properties"]["provisioningState"], "Creating");
    let again = put(&emulator, "kube", &sent).await;
    assert_eq!(again.status, 409, "an operation runs");
    emulator.finish_operations();

    let read = get(&emulator, "kube").await.body;
    assert_eq!(read["identity"]["type"], "SystemAssigned");
    assert!(read["identity"]["principalId"].is_string());
    let properties = &read["properties"];
    assert_eq!(properties["provisioningState"], "Succeeded");
    assert_eq!(properties["isAttachedCompute"], true);
    assert_eq!(properties["resourceId"], CONNECTED);
    let inner = &properties["properties"];
    assert_eq!(inner["namespace"], "default");
    assert_eq!(inner["extensionInstanceReleaseTrain"], "stable");

    // A client that puts back what it read changes nothing but what it changed.
    let mut back = read.clone();
    back["properties"]["description"] = json!("text");
    back["properties"]["properties"]["instanceTypes"] = json!({
        "t": { "nodeSelector": null, "resources": { "requests": { "cpu": "1" }, "limits": { "nvidia.com/gpu": null } } },
    });
    let reply = put(&emulator, "kube", &back).await;
    assert_eq!(reply.status, 201, "{:?}", reply.body);
    emulator.finish_operations();
    let mut after = get(&emulator, "kube").await.body;
    assert_eq!(
        after["properties"]["properties"]["instanceTypes"],
        json!({ "t": { "resources": { "requests": { "cpu": "1" }, "limits": {} } } })
    );
    after["properties"]["properties"]["instanceTypes"] = Value::Null;
    after["properties"]["description"] = Value::Null;
    after["properties"]["modifiedOn"] = read["properties"]["modifiedOn"].clone();
    assert_eq!(after, read);

    let refused = remove(&emulator, "kube", "Delete").await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.message().contains("detach"),
        "{}",
        refused.message()
    );
    assert_eq!(remove(&emulator, "kube", "Detach").await.status, 202);
    emulator.finish_operations();
    assert_eq!(get(&emulator, "kube").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn patch_changes_what_it_names() {
    let emulator = manual();
    attached(&emulator, "kube").await;
    let url = compute_url(&emulator, "kube");
    let patch = |body: Value| {
        let (emulator, url) = (&emulator, url.clone());
        async move { send(emulator, Method::Patch, &url, Some(&body)).await }
    };
    let tags = json!({ "tags": { "a": "1" } });
    assert_eq!(patch(tags.clone()).await.status, 202);
    emulator.finish_operations();
    assert_eq!(
        get(&emulator, "kube").await.body["tags"],
        json!({ "a": "1" })
    );
    assert_eq!(patch(tags).await.status, 200, "nothing changes");
}

#[tokio::test(start_paused = true)]
async fn every_dated_version_is_answered() {
    let emulator = manual();
    for version in [
        "2020-02-02",
        "2021-10-01",
        "2023-08-01-preview",
        "2027-01-01",
    ] {
        let url = compute_url(&emulator, "kube").replace(TODAY, version);
        let put = send(
            &emulator,
            Method::Put,
            &url,
            Some(&body(CONNECTED, json!({}))),
        )
        .await;
        assert_eq!(put.status, 201, "{version} {:?}", put.body);
        emulator.finish_operations();
        let read = read(&emulator, &url).await;
        assert_eq!(
            read.body["properties"]["properties"]["namespace"], "default",
            "{version}"
        );
        let warns = read.body["properties"]
            .get("provisioningWarnings")
            .is_some();
        assert_eq!(warns, version >= "2024-04-01", "{version}");
        assert!(
            read.body.get("identity").is_none(),
            "a null fails azureml-core"
        );
        remove(&emulator, "kube", "detach").await;
        emulator.finish_operations();
    }
}

#[tokio::test(start_paused = true)]
async fn unsuitable_requests_are_refused() {
    let emulator = manual();
    attached(&emulator, "kube").await;
    let own = emulator.add_cluster(ExistingCluster::new("g", "c"));
    let foreign = emulator.add_cluster(ExistingCluster::new("g", "f").subscription("other"));
    let identity = |identity: Value| {
        let mut body = body(&own, json!({}));
        body["identity"] = identity;
        body
    };
    let unknown = json!({ "instanceTypes": { "t": { "nodeSelectors": {} } } });
    let number = json!({ "instanceTypes": { "t": { "resources": { "limits": { "cpu": 1 } } } } });
    let cases = [
        (
            "new",
            body(&own.replace("/c", "/absent"), json!({})),
            400,
            "does not exist",
        ),
        (
            "new",
            body(&CONNECTED.replace("/edge", "/absent"), json!({})),
            400,
            "does not exist",
        ),
        ("new", body("/subscriptions/s", json!({})), 400, "neither"),
        ("new", body(&foreign, json!({})), 400, "subscription"),
        (
            "new",
            body(&own, json!({ "nameSpace": "x" })),
            400,
            "nameSpace",
        ),
        ("new", body(&own, unknown), 400, "nodeSelectors"),
        ("new", body(&own, number), 400, "strings"),
        (
            "new",
            identity(json!({ "type": "Managed" })),
            400,
            "identity.type",
        ),
        (
            "new",
            identity(json!({ "type": "UserAssigned" })),
            400,
            "userAssignedIdentities",
        ),
        (
            "new",
            identity(json!({ "type": "UserAssigned", "userAssignedIdentities": { "i": {} } })),
            400,
            "user-assigned",
        ),
        ("kube", body(&own, json!({})), 409, "resourceId"),
        (
            "kube",
            body(CONNECTED, json!({ "namespace": "other" })),
            409,
            "namespace",
        ),
        ("kube", attach_body(&own, json!({})), 409, "computeType"),
    ];
    for (name, body, status, text) in cases {
        let reply = put(&emulator, name, &body).await;
        assert_eq!(reply.status, status, "{body} {:?}", reply.body);
        assert!(reply.message().contains(text), "{}", reply.message());
    }
    create(&emulator, "aks", json!({})).await;
    let reply = put(&emulator, "aks", &body(CONNECTED, json!({}))).await;
    assert_eq!(reply.status, 409, "{:?}", reply.body);
    let both = json!({ "type": "userassigned, SYSTEMASSIGNED", "userAssignedIdentities": { IDENTITY: null } });
    let reply = put(&emulator, "new", &identity(both)).await;
    assert_eq!(reply.status, 201, "{:?}", reply.body);
    assert_eq!(
        reply.body["identity"]["type"],
        "SystemAssigned,UserAssigned"
    );
    let keys = format!(
        "{}/computes/kube/listKeys?api-version={TODAY}",
        workspace_url(&emulator)
    );
    assert_eq!(send(&emulator, Method::Post, &keys, None).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn attachment_goes_on_beside_one_of_the_other_type_until_the_cluster_is_deleted() {
    let emulator = manual();
    create(&emulator, "aks", json!({})).await;
    let id = get(&emulator, "aks").await.body["properties"]["resourceId"].clone();
    install(&emulator, id.as_str().unwrap()).await;
    let reply = put(&emulator, "kube", &body(id.as_str().unwrap(), json!({}))).await;
    assert_eq!(reply.status, 201, "{:?}", reply.body);
    emulator.finish_operations();
    assert_eq!(state(&emulator, "aks"), "Succeeded");
    attach(&emulator, "aks2", id.as_str().unwrap()).await;
    assert_eq!(
        state(&emulator, "aks"),
        "Failed",
        "a second one of type AKS broke it"
    );
    assert_eq!(state(&emulator, "kube"), "Succeeded");
    assert_eq!(remove(&emulator, "aks", "Delete").await.status, 202);
    emulator.finish_operations();
    assert_eq!(state(&emulator, "kube"), "Failed");
}
