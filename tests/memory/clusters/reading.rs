//! Reading clusters, lists of them and their kubeconfigs.

use super::{ARM, workspace};
use crate::operations::script::{Script, reply};
use azure_core::base64;
use azureml_aks::{ClusterRef, ErrorKind, ManagedCluster};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

const VERSION: &str = "api-version=2026-05-01";

fn named() -> ClusterRef {
    ClusterRef::named("mygroup", "mycluster")
}

/// The id, as the service spells it.
fn id(group: &str, name: &str) -> String {
    format!(
        "/subscriptions/s/resourcegroups/{group}/providers/Microsoft.ContainerService/managedClusters/{name}"
    )
}

fn cluster(name: &str) -> Value {
    let pool = json!({ "name": "agentpool", "count": 3, "vmSize": "Standard_D3_v2" });
    json!({
        "id": id("mygroup", name),
        "name": name,
        "type": "Microsoft.ContainerService/ManagedClusters",
        "properties": { "provisioningState": "Succeeded", "agentPoolProfiles": [pool] },
    })
}

async fn read(script: &std::sync::Arc<Script>) -> ManagedCluster {
    script.expect([reply(200).json(&cluster("mycluster"))]);
    ManagedCluster::get(&workspace(script), &named())
        .await
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn cluster_is_read_by_names_or_by_id_and_read_again() {
    let script = Script::new();
    let mut cluster_of_names = read(&script).await;
    assert_eq!(cluster_of_names.node_pools()[0].node_count(), Some(3));
    assert_eq!(
        cluster_of_names.to_ref(),
        ClusterRef::id(id("mygroup", "mycluster"))
    );

    let elsewhere = "/SUBSCRIPTIONS/other/resourcegroups/Their/providers/microsoft.containerservice/managedclusters/c";
    let mut changed = cluster("c");
    changed["properties"]["agentPoolProfiles"] = json!([]);
    script.expect([reply(200).json(&changed), reply(200).json(&changed)]);
    let other = ManagedCluster::get(&workspace(&script), &ClusterRef::id(elsewhere))
        .await
        .unwrap();
    assert_eq!(
        (other.subscription(), other.resource_group(), other.name()),
        ("other", "Their", "c")
    );
    cluster_of_names.refresh().await.unwrap();
    assert!(cluster_of_names.node_pools().is_empty());

    let path = "providers/Microsoft.ContainerService/managedClusters";
    let own = format!("{ARM}/subscriptions/s/resourceGroups/mygroup/{path}/mycluster?{VERSION}");
    let others = format!("{ARM}/subscriptions/other/resourceGroups/Their/{path}/c?{VERSION}");
    let urls: Vec<String> = script.sent().into_iter().map(|sent| sent.url).collect();
    assert_eq!(urls, [own.clone(), others, own]);
}

#[tokio::test(start_paused = true)]
async fn missing_cluster_is_none_and_a_missing_group_or_subscription_is_an_error() {
    let script = Script::new();
    let front_door = |code: &str| json!({ "error": { "code": code, "message": "m" } });
    let own = json!({ "code": "NotFound", "message": "m", "subcode": "GetManagedCluster_NotFound",
        "details": [{ "code": "Unspecified", "message": "rpc error" }] });
    for body in [front_door("ResourceNotFound"), own] {
        script.expect([reply(404).json(&body), reply(404).json(&body)]);
        let workspace = workspace(&script);
        assert!(
            ManagedCluster::get_opt(&workspace, &named())
                .await
                .unwrap()
                .is_none()
        );
        let error = ManagedCluster::get(&workspace, &named()).await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
        assert!(
            error
                .to_string()
                .contains(r#"cluster "mycluster" in resource group "mygroup""#),
            "{error}"
        );
    }
    for code in ["ResourceGroupNotFound", "SubscriptionNotFound"] {
        script.expect([reply(404).json(&front_door(code))]);
        let error = ManagedCluster::get_opt(&workspace(&script), &named())
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some(code));
        assert!(error.is_not_found());
    }
    script.expect([reply(404).text("<html>proxy</html>")]);
    assert!(
        ManagedCluster::get_opt(&workspace(&script), &named())
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn name_that_no_cluster_has_is_refused_before_anything_is_sent() {
    let script = Script::new();
    let workspace = workspace(&script);
    for cluster in [
        ClusterRef::named("mygroup", "-x"),
        ClusterRef::named("../other", "mycluster"),
        ClusterRef::named("", "mycluster"),
        ClusterRef::id("mycluster"),
        ClusterRef::id(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v",
        ),
    ] {
        let error = ManagedCluster::get(&workspace, &cluster).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation, "{cluster:?}");
    }
    for group in ["", "..", "a/b"] {
        let error = ManagedCluster::list_in(&workspace, group).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation, "{group:?}");
    }
    assert!(script.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn clusters_are_listed_by_subscription_and_by_group_and_odd_ones_are_error_items() {
    let script = Script::new();
    let workspace = workspace(&script);
    let next = format!("{ARM}/subscriptions/s/next?page=2");
    let foreign = json!({ "id": "/subscriptions/s/resourceGroups/g/providers/A/b/c", "name": "c" });
    script.expect([
        reply(200).json(&json!({ "value": [cluster("a"), {}, foreign], "nextLink": next })),
        reply(200).json(&json!({ "value": [cluster("b")] })),
        reply(200).json(&json!({ "value": [] })),
    ]);
    let all: Vec<_> = ManagedCluster::list(&workspace).collect().await;
    let names: Vec<_> = all
        .iter()
        .map(|item| item.as_ref().map(ManagedCluster::name).ok())
        .collect();
    assert_eq!(names, [Some("a"), None, None, Some("b")]);
    let group = ManagedCluster::list_in(&workspace, "mygroup").unwrap();
    assert!(group.try_collect::<Vec<_>>().await.unwrap().is_empty());

    let path = "providers/Microsoft.ContainerService/managedClusters";
    let urls: Vec<String> = script.sent().into_iter().map(|sent| sent.url).collect();
    assert_eq!(
        urls,
        [
            format!("{ARM}/subscriptions/s/{path}?{VERSION}"),
            next,
            format!("{ARM}/subscriptions/s/resourceGroups/mygroup/{path}?{VERSION}"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn kubeconfigs_are_decoded_and_never_shown() {
    const YAML: &str = "apiVersion: v1\nusers: [{user: {token: c4n4ry}}]\n";
    let script = Script::new();
    let cluster = read(&script).await;
    let answer = |name: &str| {
        let value = base64::encode(YAML);
        reply(200).json(&json!({ "kubeconfigs": [{ "name": name, "value": value }] }))
    };
    script.expect([answer("clusterUser"), answer("clusterAdmin")]);
    let user = cluster.user_kubeconfigs().await.unwrap();
    let admin = cluster.admin_kubeconfigs().await.unwrap();
    for (kubeconfigs, name) in [(user, "clusterUser"), (admin, "clusterAdmin")] {
        assert_eq!(kubeconfigs.len(), 1);
        assert_eq!(kubeconfigs[0].name, name);
        assert_eq!(kubeconfigs[0].content.secret(), YAML);
        let shown = format!("{kubeconfigs:?} {kubeconfigs:#?}");
        assert!(
            !shown.contains("c4n4ry") && !shown.contains(&base64::encode(YAML)),
            "{shown}"
        );
    }
    let sent = script.sent();
    let actions: Vec<_> = sent[1..]
        .iter()
        .map(|sent| (sent.method.as_str(), sent.url.as_str()))
        .collect();
    let own = sent[0].url.replace(&format!("?{VERSION}"), "");
    assert_eq!(
        actions,
        [
            (
                "POST",
                format!("{own}/listClusterUserCredential?{VERSION}").as_str()
            ),
            (
                "POST",
                format!("{own}/listClusterAdminCredential?{VERSION}").as_str()
            ),
        ]
    );
    assert!(sent[1].body.is_none());
}

#[tokio::test(start_paused = true)]
async fn refusal_or_odd_answer_of_kubeconfigs_shows_nothing_secret() {
    let script = Script::new();
    let cluster = read(&script).await;
    let value =
        |value: Value| json!({ "kubeconfigs": [{ "name": "clusterUser", "value": value }] });
    for (status, body, kind) in [
        (
            403,
            json!({ "error": { "code": "AuthorizationFailed", "message": "m" } }),
            ErrorKind::Service,
        ),
        (
            400,
            json!({ "code": "BadRequest", "message": "c4n4ry" }),
            ErrorKind::Service,
        ),
        (200, value(json!("c4n4ry!")), ErrorKind::Protocol),
        (
            200,
            value(json!(base64::encode([0xff, 0xfe]))),
            ErrorKind::Protocol,
        ),
        (200, value(json!(["c4n4ry"])), ErrorKind::Protocol),
        (200, json!({ "value": "c4n4ry" }), ErrorKind::Protocol),
    ] {
        script.expect([reply(status).json(&body)]);
        let error = cluster.user_kubeconfigs().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{body}");
        assert_eq!(error.is_forbidden(), status == 403);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("c4n4ry"), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn node_pool_that_is_not_there_is_not_found_and_a_name_that_none_has_is_refused() {
    let script = Script::new();
    let cluster = read(&script).await;
    let refusal = json!({ "error": { "code": "NotFound", "message": "m" } });
    script.expect([reply(404).json(&refusal)]);
    let error = cluster.node_pool("other").await.unwrap_err();
    assert!(
        error.is_not_found() && error.to_string().contains(r#"node pool "other""#),
        "{error}"
    );
    for name in ["", "a/b", ".."] {
        let error = cluster.node_pool(name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation);
    }
    assert_eq!(script.sent().len(), 2);
}
