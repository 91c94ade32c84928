//! The offer of a region: versions of Kubernetes, VM sizes, quota.

use super::{ARM, workspace};
use crate::operations::script::{Reply, Script, reply};
use azureml_aks::ErrorKind;
use serde_json::{Value, json};
use std::time::Duration;

fn sizes(names: &[&str], region: &str) -> Value {
    let rows = names.iter().map(
        |name| json!({ "resourceType": "virtualMachines", "name": name, "locations": [region] }),
    );
    json!({ "value": rows.collect::<Vec<_>>() })
}

#[tokio::test(start_paused = true)]
async fn region_is_the_one_that_is_named_or_that_of_the_workspace() {
    let script = Script::new();
    script.otherwise(|_| reply(200).json(&json!({ "values": [], "value": [] })));
    let workspace = workspace(&script);
    workspace.kubernetes_versions(None).await.unwrap();
    workspace
        .kubernetes_versions(Some("West Europe"))
        .await
        .unwrap();
    workspace.quota(None).await.unwrap();
    let urls: Vec<String> = script.sent().into_iter().map(|sent| sent.url).collect();
    let versions = "kubernetesVersions?api-version=2026-05-01";
    let providers = format!("{ARM}/subscriptions/s/providers");
    assert_eq!(
        urls,
        [
            format!("{providers}/Microsoft.ContainerService/locations/westus/{versions}"),
            format!("{providers}/Microsoft.ContainerService/locations/westeurope/{versions}"),
            format!("{providers}/Microsoft.Compute/locations/westus/usages?api-version=2024-11-01"),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn invalid_region_is_refused_before_anything_is_sent() {
    let script = Script::new();
    let workspace = workspace(&script);
    for region in ["", "west-europe", "westus' or '1' eq '1", "../x"] {
        for error in [
            workspace
                .kubernetes_versions(Some(region))
                .await
                .unwrap_err(),
            workspace.vm_sizes(Some(region)).await.unwrap_err(),
            workspace.quota(Some(region)).await.unwrap_err(),
        ] {
            assert_eq!(error.findings()[0].rule, "region.name", "{region}");
        }
    }
    assert!(script.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn region_that_the_service_does_not_know_is_reported_with_its_words() {
    let script = Script::new();
    let workspace = workspace(&script);
    let refusal = json!({ "error": { "code": "NoRegisteredProviderFound",
        "message": "No registered resource provider found for location 'nowhere'" } });
    script.otherwise(move |_| reply(400).json(&refusal));
    for error in [
        workspace
            .kubernetes_versions(Some("nowhere"))
            .await
            .unwrap_err(),
        workspace.vm_sizes(Some("nowhere")).await.unwrap_err(),
        workspace.quota(Some("nowhere")).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Service);
        assert_eq!(error.code(), Some("NoRegisteredProviderFound"));
        assert!(error.to_string().contains("nowhere"), "{error}");
    }
    // The list of sizes has a filter, and is empty for a region that there is not.
    script.expect([reply(200).json(&sizes(&["A"], "eastus"))]);
    let error = workspace.vm_sizes(Some("nowhere")).await.unwrap_err();
    assert_eq!(error.findings()[0].rule, "region.name");
}

#[tokio::test(start_paused = true)]
async fn sizes_are_asked_for_with_a_filter_and_followed_page_by_page() {
    let script = Script::new();
    let mut first = sizes(&["Standard_A", "Standard_B"], "WestUS");
    first["nextLink"] = json!(format!("{ARM}/subscriptions/s/next"));
    script.expect([
        reply(200).json(&first),
        reply(200).json(&sizes(&["Standard_C"], "West US")),
    ]);
    let sizes = workspace(&script).vm_sizes(None).await.unwrap();
    assert_eq!(sizes.region(), "westus");
    let names: Vec<&str> = sizes
        .as_slice()
        .iter()
        .map(|size| size.name.as_str())
        .collect();
    assert_eq!(names, ["Standard_A", "Standard_B", "Standard_C"]);
    assert_eq!(
        sizes.named("Standard_D").unwrap_err().findings()[0].rule,
        "region.vm_size"
    );
    let sent = script.sent();
    assert_eq!(
        sent[0].url,
        format!(
            "{ARM}/subscriptions/s/providers/Microsoft.Compute/skus\
             ?api-version=2021-07-01&%24filter=location+eq+%27westus%27"
        )
    );
    assert_eq!(sent[1].url, format!("{ARM}/subscriptions/s/next"));
    assert_eq!(sent[0].request_id, sent[1].request_id);
}

#[tokio::test(start_paused = true)]
async fn sizes_are_read_once_an_hour_for_each_workspace_and_region() {
    let script = Script::new();
    script.otherwise(|sent| {
        let region = if sent.url.contains("westus") {
            "westus"
        } else {
            "eastus"
        };
        reply(200).json(&sizes(&[region], region))
    });
    let workspace = workspace(&script);
    let clone = workspace.clone();
    let (first, second) = futures::join!(workspace.vm_sizes(None), clone.vm_sizes(Some("WestUS")));
    assert!(std::sync::Arc::ptr_eq(&first.unwrap(), &second.unwrap()));
    assert_eq!(script.sent().len(), 1);
    assert!(
        workspace
            .vm_sizes(Some("eastus"))
            .await
            .unwrap()
            .get("eastus")
            .is_some()
    );
    assert_eq!(script.sent().len(), 2);
    workspace.refresh_vm_sizes(None).await.unwrap();
    assert_eq!(script.sent().len(), 3);
    tokio::time::advance(Duration::from_secs(3599)).await;
    workspace.vm_sizes(None).await.unwrap();
    assert_eq!(script.sent().len(), 3);
    tokio::time::advance(Duration::from_secs(1)).await;
    workspace.vm_sizes(None).await.unwrap();
    assert_eq!(script.sent().len(), 4);
    super::workspace(&script).vm_sizes(None).await.unwrap();
    assert_eq!(script.sent().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn sizes_that_break_off_are_read_again_and_garbled_ones_are_an_error() {
    let script = Script::new();
    let workspace = workspace(&script);
    let good = || reply(200).json(&sizes(&["Standard_A"], "westus"));
    script.expect([good().truncated(), Reply::reset(), reply(503), good()]);
    assert_eq!(workspace.vm_sizes(None).await.unwrap().as_slice().len(), 1);
    assert_eq!(script.unused(), 0);
    for (text, why) in [
        (r#"{"value":[{"name":"c4n4ry","#, "is not valid JSON"),
        (r#"{"value":"c4n4ry"}"#, "has an unexpected shape"),
        ("[]", "has an unexpected shape"),
        ("<html>", "is not valid JSON"),
    ] {
        script.expect([reply(200).text(text)]);
        let error = workspace.refresh_vm_sizes(None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{text}");
        let shown = error.to_string();
        assert!(shown.contains(why) && !shown.contains("c4n4ry"), "{shown}");
    }
    // What was read before stays.
    assert_eq!(workspace.vm_sizes(None).await.unwrap().as_slice().len(), 1);
}
