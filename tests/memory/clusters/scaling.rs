//! Scaling node pools, on a scripted transport.

use super::{ARM, workspace};
use crate::operations::script::{Reply, Script, reply};
use azureml_aks::models::NodePoolResource;
use azureml_aks::{
    AksCompute, ClusterRef, ErrorKind, ManagedCluster, Operation, ResumeToken, Resumed, Verb,
    WaitOptions, wait_all,
};
use serde_json::{Value, json};
use std::sync::Arc;

const CLUSTER: &str =
    "/subscriptions/s/resourcegroups/g/providers/Microsoft.ContainerService/managedClusters/c";

fn pool(name: &str, properties: Value) -> Value {
    let mut own = json!({ "count": 3, "mode": "User", "type": "VirtualMachineScaleSets", "enableAutoScaling": false,
        "vmSize": "Standard_D3_v2", "nodeImageVersion": "n", "provisioningState": "Succeeded",
        "currentOrchestratorVersion": "1.34.2", "orchestratorVersion": "1.34", "later": { "a": [1] } });
    own.as_object_mut()
        .unwrap()
        .extend(properties.as_object().unwrap().clone());
    json!({ "id": format!("{CLUSTER}/agentPools/{name}"), "name": name, "properties": own })
}

fn cluster(pools: &[&str]) -> Value {
    let pools: Vec<Value> = pools
        .iter()
        .map(|name| json!({ "name": name, "count": 3 }))
        .collect();
    json!({ "id": CLUSTER, "name": "c", "properties": { "provisioningState": "Succeeded",
        "agentPoolProfiles": pools } })
}

fn operation(status: &str) -> Value {
    json!({ "name": "o", "status": status })
}

fn monitor(reply: Reply) -> Reply {
    let url = format!(
        "{ARM}/subscriptions/s/providers/Microsoft.ContainerService/locations/westus/operations/o?api-version=2016-03-30"
    );
    reply.header("Azure-AsyncOperation", &url)
}

async fn handle(script: &Arc<Script>) -> ManagedCluster {
    script.expect([reply(200).json(&cluster(&["p"]))]);
    let named = ClusterRef::named("g", "c");
    ManagedCluster::get(&workspace(script), &named)
        .await
        .unwrap()
}

/// Method and path of what was sent after this many requests.
fn sent(script: &Script, after: usize) -> Vec<String> {
    let all = script.sent().into_iter().skip(after);
    let shown = all.map(|sent| {
        let path = sent.url.split('?').next().unwrap();
        format!("{} {}", sent.method, path.rsplit('/').next().unwrap())
    });
    shown.collect()
}

#[tokio::test(start_paused = true)]
async fn only_pool_of_a_cluster_is_read_changed_and_waited_for() {
    let script = Script::new();
    let handle = handle(&script).await;
    script.expect([
        reply(200).json(&cluster(&["p"])),
        reply(200).json(&pool("p", json!({}))),
        monitor(reply(200)).json(&pool(
            "p",
            json!({ "count": 5, "provisioningState": "Scaling" }),
        )),
    ]);
    let scaling = handle.scale(5).await.unwrap();
    assert_eq!(sent(&script, 1), ["GET c", "GET p", "PUT p"]);
    let put = script.sent().pop().unwrap();
    assert!(
        put.url
            .ends_with("/managedClusters/c/agentPools/p?api-version=2026-05-01"),
        "{}",
        put.url
    );
    let mut expected = pool("p", json!({ "count": 5 }))["properties"].take();
    for read_only in ["provisioningState", "currentOrchestratorVersion"] {
        expected.as_object_mut().unwrap().remove(read_only);
    }
    assert_eq!(put.body, Some(json!({ "properties": expected })));
    assert_eq!(
        (scaling.verb(), scaling.target()),
        (Some(Verb::Scale), "c/p")
    );
    let token = scaling.resume_token().unwrap();
    assert_eq!(
        (token.resource().to_string().as_str(), token.target()),
        ("aks/pool", "c/p")
    );
    // An operation whose error says "in progress" ends well (recorded).
    let mut odd = operation("InProgress");
    odd["error"] =
        json!({ "code": "NotLatestOperation", "message": "another operation is in progress" });
    let mut good = odd.clone();
    good["status"] = json!("Succeeded");
    script.expect([
        reply(200).json(&odd),
        reply(200).json(&good),
        reply(200).json(&pool("p", json!({ "count": 5 }))),
    ]);
    let done = scaling.await.unwrap();
    assert_eq!(done.properties.node_count(), Some(5));
    assert_eq!(script.unused(), 0);
}

#[tokio::test(start_paused = true)]
async fn same_count_sends_no_put() {
    let script = Script::new();
    let handle = handle(&script).await;
    for state in ["Succeeded", "Scaling"] {
        let at = pool("p", json!({ "provisioningState": state }));
        script.expect([reply(200).json(&at)]);
        let scaling = handle.scale(3).node_pool("p").await.unwrap();
        // One that somebody else scales is waited for.
        script.expect([reply(200).json(&at)]);
        if state == "Scaling" {
            script.expect([reply(200).json(&pool("p", json!({})))]);
        }
        assert_eq!(scaling.await.unwrap().properties.node_count(), Some(3));
    }
    assert!(script.sent().iter().all(|sent| sent.method == "GET"));
    assert_eq!(script.unused(), 0);
}

#[tokio::test(start_paused = true)]
async fn autoscaler_is_turned_on_changed_and_off() {
    let script = Script::new();
    let handle = handle(&script).await;
    let on = json!({ "enableAutoScaling": true, "minCount": 1, "maxCount": 5 });
    for (request, before, expected) in [
        (handle.autoscale(1..=5), json!({}), json!([true, 1, 5])),
        (handle.autoscale(2..=9), on.clone(), json!([true, 2, 9])),
        (
            handle.autoscale_off(),
            on.clone(),
            json!([false, null, null]),
        ),
    ] {
        script.expect([
            reply(200).json(&pool("p", before)),
            reply(200).json(&pool("p", json!({}))),
        ]);
        request.node_pool("p").await.unwrap().await.unwrap();
        let body = script.sent().pop().unwrap().body.unwrap();
        let own = &body["properties"];
        assert_eq!(
            json!([own["enableAutoScaling"], own["minCount"], own["maxCount"]]),
            expected
        );
        assert_eq!(own["count"], 3);
    }
    script.expect([reply(200).json(&pool("p", on))]);
    let error = handle.scale(4).node_pool("p").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("autoscaler"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn another_operation_that_runs_is_told_apart_from_other_conflicts() {
    let script = Script::new();
    let handle = handle(&script).await;
    let running = "Operation is not allowed: Another operation (Updating) is in progress, please wait for it to \
                   finish before starting a new operation. See https://aka.ms/aks-pending-operation for more details";
    for (message, busy) in [(running, true), ("The pool is stopped.", false)] {
        // The container service itself answers without `error` (recorded).
        let body = json!({ "code": "OperationNotAllowed", "message": message, "subcode": "" });
        script.expect([
            reply(200).json(&pool("p", json!({}))),
            reply(409).json(&body),
        ]);
        let error = handle.scale(4).node_pool("p").await.unwrap_err();
        assert_eq!(
            (error.kind(), error.is_conflict()),
            (ErrorKind::Service, true)
        );
        assert_eq!(error.code(), Some("OperationNotAllowed"));
        assert_eq!(error.is_busy(), busy, "{error}");
        assert_eq!(
            error
                .remedy()
                .is_some_and(|remedy| remedy.contains("has ended")),
            busy
        );
        assert!(error.resume_token().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn pool_that_is_not_there_or_not_named_is_told_with_the_names_of_the_others() {
    let script = Script::new();
    let handle = handle(&script).await;
    script.expect([reply(200).json(&cluster(&["p", "gpu"]))]);
    let error = handle.scale(4).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(
        error.to_string().contains("2 node pools (p, gpu)"),
        "{error}"
    );
    assert!(error.remedy().unwrap().contains("node_pool"));

    let refusal = json!({ "code": "NotFound", "message": "Could not find the agent pool" });
    script.expect([
        reply(404).json(&refusal),
        reply(200).json(&cluster(&["p", "gpu"])),
    ]);
    let error = handle.scale(4).node_pool("x").await.unwrap_err();
    assert!(
        error.is_not_found() && error.to_string().contains("(p, gpu)"),
        "{error}"
    );

    script.expect([reply(200).json(&cluster(&[]))]);
    let error = handle.scale(4).await.unwrap_err();
    assert!(error.to_string().contains("no node pool"), "{error}");

    let before = script.sent().len();
    for (request, rule) in [
        (handle.scale(1001), "pool.nodes"),
        (
            handle.autoscale(std::ops::RangeInclusive::new(5, 1)),
            "pool.bounds",
        ),
        (handle.scale(3).node_pool("a/b"), "segment.characters"),
    ] {
        let error = request.await.unwrap_err();
        assert_eq!(error.findings()[0].rule, rule);
    }
    assert_eq!(script.sent().len(), before);

    script.expect([reply(200).json(&pool("p", json!({ "mode": "System" })))]);
    let error = handle.scale(0).node_pool("p").await.unwrap_err();
    assert_eq!(error.findings()[0].rule, "pool.system_nodes");
}

#[tokio::test(start_paused = true)]
async fn cluster_behind_a_compute_is_scaled_wherever_it_is() {
    let script = Script::new();
    let workspace = workspace(&script);
    let elsewhere = CLUSTER.replace("/s/", "/other/");
    let compute = |id: Value| {
        json!({ "id": "i", "name": "myaks", "properties": { "computeType": "AKS", "resourceId": id,
            "provisioningState": "Succeeded" } })
    };
    script.expect([reply(200).json(&compute(json!(elsewhere)))]);
    let aks = AksCompute::get(&workspace, "myaks").await.unwrap();
    script.expect([
        reply(200).json(&cluster(&["p"])),
        reply(200).json(&pool("p", json!({}))),
        reply(200).json(&pool("p", json!({ "count": 5 }))),
    ]);
    let scaled = aks.scale(5).await.unwrap().await.unwrap();
    assert_eq!(scaled.properties.node_count(), Some(5));
    let put = script.sent().pop().unwrap();
    assert!(
        put.url
            .starts_with(&format!("{ARM}/subscriptions/other/resourceGroups/g/")),
        "{}",
        put.url
    );

    // Right after a create the id is not known yet.
    script.expect([reply(200).json(&compute(Value::Null))]);
    let aks = AksCompute::get(&workspace, "myaks").await.unwrap();
    script.expect([
        reply(200).json(&compute(json!(CLUSTER))),
        reply(200).json(&pool("p", json!({}))),
    ]);
    let scaling = aks.scale(3).node_pool("p").await.unwrap();
    assert_eq!(scaling.target(), "c/p");
    script.expect([reply(200).json(&compute(Value::Null))]);
    let error = aks.scale(3).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
}

fn pending(resumed: Resumed) -> Operation<NodePoolResource> {
    match resumed {
        Resumed::NodePool(operation) => operation,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn token_of_a_scaling_is_resumed_whenever_its_process_ended() {
    let script = Script::new();
    let handle = handle(&script).await;
    let prepared = handle.scale(5).node_pool("p").prepare().await.unwrap();
    let token = ResumeToken::parse(&prepared.token().expose()).unwrap();
    let workspace = workspace(&script);
    let missing = json!({ "code": "NotFound", "message": "m" });
    for (answer, started) in [
        (reply(404).json(&missing), false),
        (reply(200).json(&pool("p", json!({}))), false),
        (
            reply(200).json(&pool("p", json!({ "count": 5, "enableAutoScaling": true }))),
            false,
        ),
        (
            reply(200).json(&pool(
                "p",
                json!({ "count": 5, "provisioningState": "Scaling" }),
            )),
            true,
        ),
        (reply(200).json(&pool("p", json!({ "count": 5 }))), true),
    ] {
        script.expect([answer]);
        let resumed = workspace.resume(&token).await.unwrap();
        assert_eq!(resumed.name(), "c/p");
        if !started {
            assert!(
                matches!(
                    resumed,
                    Resumed::NotStarted {
                        verb: Verb::Scale,
                        ..
                    }
                ),
                "{resumed:?}"
            );
            continue;
        }
        script.expect([reply(200).json(&pool("p", json!({ "count": 5 })))]);
        let done = pending(resumed).await.unwrap();
        assert_eq!(done.properties.node_count(), Some(5));
    }

    // Once it is accepted, nothing is read before the wait.
    script.expect([
        reply(200).json(&pool("p", json!({}))),
        monitor(reply(200)).json(&pool(
            "p",
            json!({ "count": 5, "provisioningState": "Scaling" }),
        )),
    ]);
    let scaling = prepared.send().await.unwrap();
    let token = ResumeToken::parse(&scaling.resume_token().unwrap().expose()).unwrap();
    let before = script.sent().len();
    let resumed = workspace.resume(&token).await.unwrap();
    assert_eq!(script.sent().len(), before);
    script.expect([
        reply(200).json(&operation("Succeeded")),
        reply(200).json(&pool("p", json!({ "count": 5 }))),
    ]);
    let mut both = [resumed];
    let results = wait_all(&mut both, WaitOptions::new()).await;
    assert!(results[0].is_ok(), "{results:?}");
    assert_eq!(script.unused(), 0);
}

#[tokio::test(start_paused = true)]
async fn token_that_contradicts_itself_is_refused() {
    let script = Script::new();
    let handle = handle(&script).await;
    let token = handle
        .scale(5)
        .node_pool("p")
        .prepare()
        .await
        .unwrap()
        .token()
        .expose();
    let workspace = workspace(&script);
    let before = script.sent().len();
    for (from, to) in [
        ("\"c/p\"", "\"c/q\""),
        ("\"scale\"", "\"create\""),
        ("\"aks/pool\"", "\"aks/cluster\""),
        ("/managedClusters/c/", "/managedClusters/d/"),
        ("Microsoft.ContainerService", "Microsoft.Other"),
        ("https://management.azure.com", "https://example.com"),
        ("{\"nodes\":5}", "{\"other\":5}"),
        ("/workspaces/w\"", "/workspaces/x\""),
    ] {
        assert!(token.contains(from), "{from} {token}");
        let changed = crate::support::resealed::resealed(&token.replace(from, to));
        let changed = ResumeToken::parse(&changed).unwrap();
        let error = workspace.resume(&changed).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResumeToken, "{from} {error}");
    }
    assert_eq!(script.sent().len(), before);
}
