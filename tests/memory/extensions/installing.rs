//! Installing and deleting.

use super::*;
use azureml_aks::{ErrorKind, ExtensionRelay, Operation, Verb, WaitOptions};
use std::time::Duration;

fn install(workspace: &Workspace) -> azureml_aks::models::InstallExtension {
    Extension::install(
        workspace,
        managed(),
        "azureml",
        inference().build().unwrap(),
    )
}

async fn installing(script: &Arc<Script>) -> Operation<Extension> {
    script.expect([
        absent(),
        cluster(3),
        monitor(reply(201)).json(&extension("Creating")),
    ]);
    install(&workspace(script)).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn extension_is_installed_with_settings_of_the_cluster_and_waited_for() {
    let script = Script::new();
    let installing = installing(&script).await;
    let sent = script.sent();
    let urls: Vec<String> = sent
        .iter()
        .map(|sent| format!("{} {}", sent.method, sent.url.strip_prefix(ARM).unwrap()))
        .collect();
    assert_eq!(
        urls,
        [
            format!("GET {EXTENSION}?{VERSION}"),
            format!("GET {CLUSTER}?api-version=2026-05-01"),
            format!("PUT {EXTENSION}?{VERSION}"),
        ]
    );
    let body = sent[2].body.clone().unwrap();
    let settings = &body["properties"]["configurationSettings"];
    assert_eq!(settings["domain"], "westeurope.cloudapp.azure.com");
    assert_eq!(settings["clusterId"], CLUSTER);
    assert_eq!(settings["inferenceRouterHA"], Value::Null);
    assert_eq!(
        (installing.verb(), installing.target()),
        (Some(Verb::Install), "c/azureml")
    );
    // The monitor says that it is done while the cluster still works at it, for minutes.
    let told = json!({ "currentVersion": "1.1.61", "aksAssignedIdentity": { "principalId": "p" } });
    script.expect([
        ended("Creating"),
        ended("Succeeded"),
        reply(200).json(&extension("Creating")),
        reply(200).json(&extension("Pending")),
        reply(200).json(&extension("Pending")),
        reply(200).json(&with("Succeeded", told)),
    ]);
    let extension = installing.await.unwrap();
    assert!(extension.is_healthy() && extension.is_machine_learning());
    let own = &extension.resource().properties;
    assert_eq!(own.current_version.as_deref(), Some("1.1.61"));
    let identity = own.aks_assigned_identity.as_ref().unwrap();
    assert_eq!(identity.principal_id.as_deref(), Some("p"));
    let polled = script.sent();
    assert_eq!(polled[3].url, operation());
    assert_eq!(script.unused(), 0);
}

#[tokio::test(start_paused = true)]
async fn given_region_saves_the_read_of_the_cluster() {
    let script = Script::new();
    script.expect([absent(), reply(200).json(&extension("Succeeded"))]);
    let config = inference().cluster_location("North Europe").build();
    let request = Extension::install(&workspace(&script), managed(), "azureml", config.unwrap());
    request.await.unwrap().await.unwrap();
    let body = script.sent().pop().unwrap().body.unwrap();
    let settings = &body["properties"]["configurationSettings"];
    assert_eq!(settings["location"], "northeurope");
}

#[tokio::test(start_paused = true)]
async fn connected_cluster_is_read_with_its_own_version() {
    let id = "/subscriptions/other/resourcegroups/g/providers/microsoft.kubernetes/ConnectedClusters/edge";
    let relay = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Relay/namespaces/n/hybridConnections/edge";
    let config = || {
        ExtensionConfiguration::builder()
            .training(true)
            .relay(ExtensionRelay::new(relay, "Endpoint=sb://n/"))
            .build()
            .unwrap()
    };
    let script = Script::new();
    let edge = json!({ "location": "westeurope", "properties": { "totalNodeCount": 1, "distribution": "OpenShift" } });
    let failed = json!({ "error": { "code": "BadRequest", "message": "m" } });
    script.expect([absent(), reply(200).json(&edge), reply(400).json(&failed)]);
    let cluster = KubernetesClusterRef::id(id);
    let request = Extension::install(&workspace(&script), cluster, "azureml", config());
    let error = request.await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Service, Some("BadRequest"))
    );
    let sent = script.sent();
    let own = "/subscriptions/other/resourceGroups/g/providers/Microsoft.Kubernetes/connectedClusters/edge";
    assert_eq!(sent[1].url, format!("{ARM}{own}?api-version=2021-10-01"));
    let body = sent[2].body.clone().unwrap();
    let settings = &body["properties"]["configurationSettings"];
    for (name, expected) in [
        ("cluster_name", own),
        ("openshift", "true"),
        ("inferenceRouterHA", "false"),
        ("relayserver.enabled", "true"),
    ] {
        assert_eq!(settings[name], expected, "{name}");
    }
    // A document with nothing in it: no guess, and the way out.
    for odd in [json!({}), json!({ "location": null, "properties": null })] {
        script.expect([absent(), reply(200).json(&odd)]);
        let cluster = KubernetesClusterRef::id(id);
        let request = Extension::install(&workspace(&script), cluster, "azureml", config());
        let error = request.await.unwrap_err();
        assert!(
            error.remedy().unwrap().contains("cluster_location"),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn contradictions_with_the_cluster_are_found_before_the_put() {
    let script = Script::new();
    let workspace = workspace(&script);
    let edge = || KubernetesClusterRef::connected("g", "edge");
    let prepare = |cluster, name: &str, builder: ExtensionConfigurationBuilder| {
        let config = builder.build().unwrap();
        Extension::install(&workspace, cluster, name, config)
            .prepare()
            .unwrap_err()
    };
    let rules = |error: &azureml_aks::Error| -> Vec<&str> {
        error
            .findings()
            .iter()
            .map(|finding| finding.rule)
            .collect()
    };
    let internal = inference().internal_load_balancer();
    let error = prepare(edge(), "azureml", internal);
    assert_eq!(
        rules(&error),
        ["extension.internal_load_balancer", "extension.relay"]
    );
    assert_eq!(
        rules(&prepare(managed(), "a/b", inference())),
        ["segment.characters"]
    );
    let pool = KubernetesClusterRef::id(format!("{CLUSTER}/agentPools/p"));
    assert_eq!(
        rules(&prepare(pool, "azureml", inference())),
        ["resource_id.type"]
    );
    assert!(script.sent().is_empty());

    script.expect([absent(), cluster(2)]);
    let config = inference().high_availability(true).build().unwrap();
    let request = Extension::install(&workspace, managed(), "azureml", config);
    let error = request.await.unwrap_err();
    assert_eq!(rules(&error), ["extension.high_availability"]);
    assert!(script.sent().iter().all(|sent| sent.method == "GET"));
}

#[tokio::test(start_paused = true)]
async fn existing_extension_is_refused_with_a_remedy_or_taken() {
    let script = Script::new();
    let workspace = workspace(&script);
    for (state, remedy) in [
        ("Succeeded", "or_get"),
        ("Pending", "or_get"),
        ("Failed", "delete that extension"),
    ] {
        script.expect([reply(200).json(&extension(state))]);
        let error = install(&workspace).await.unwrap_err();
        assert!(
            error.is_already_exists() && error.to_string().contains(state),
            "{error}"
        );
        assert!(error.remedy().unwrap().contains(remedy), "{error}");
    }
    let other = with("Succeeded", json!({ "extensionType": "microsoft.dapr" }));
    for taken in [false, true] {
        script.expect([reply(200).json(&other)]);
        let request = install(&workspace);
        let request = if taken { request.or_get() } else { request };
        let error = request.await.unwrap_err();
        let expected = if taken {
            ErrorKind::Refused
        } else {
            ErrorKind::AlreadyExists
        };
        assert_eq!(error.kind(), expected);
        assert!(error.remedy().unwrap().contains("another type"), "{error}");
    }
    script.expect([reply(200).json(&extension("Deleting"))]);
    let error = install(&workspace).or_get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    script.expect([
        reply(200).json(&extension("Pending")),
        reply(200).json(&extension("Pending")),
        reply(200).json(&extension("Succeeded")),
    ]);
    let taken = install(&workspace).or_get().await.unwrap();
    assert!(taken.await.unwrap().is_healthy());
    // Another request was faster.
    script.expect([
        absent(),
        cluster(3),
        reply(409).json(&json!({ "error": { "code": "Conflict", "message": "m" } })),
        reply(200).json(&extension("Creating")),
    ]);
    assert!(install(&workspace).await.unwrap_err().is_already_exists());
    script.expect([no_cluster()]);
    assert!(install(&workspace).await.unwrap_err().is_not_found());
    assert_eq!(script.unused(), 0);
}

#[tokio::test(start_paused = true)]
async fn failed_install_reports_reason_and_remedy() {
    let helm = "The extension operation failed with the following error:  Error: [ InnerError: [Helm installation failed : \
                InnerError [release azureml failed, and has been uninstalled due to atomic being set: failed pre-install: \
                pod healthcheck failed]]] occurred while doing the operation : [Create] on the config";
    let health = "ErrorCode: E40002 ErrorMessage: INSUFFICIENT_NODE";
    for (message, remedy) in [
        (helm, "arcml-healthcheck"),
        (health, "three nodes"),
        ("cannot re-use a name that is still in use", "an hour"),
        ("something else", "delete it before the next try"),
    ] {
        let script = Script::new();
        let installing = installing(&script).await;
        let error = json!({ "code": "ExtensionOperationFailed", "message": message });
        script.expect([reply(200).json(&json!({ "status": "Failed", "error": error }))]);
        let error = installing.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OperationFailed);
        assert_eq!(error.code(), Some("ExtensionOperationFailed"));
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.remedy().unwrap().contains(remedy), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn reason_is_read_from_the_extension_where_the_operation_has_none() {
    for (told, code, remedy) in [
        (
            json!({ "errorInfo": { "code": "Helm", "message": "E45002 PROMETHEUS_CONFLICT" } }),
            Some("Helm"),
            "installPromOp",
        ),
        (
            json!({ "statuses": [null, { "code": "E45003", "level": "Error", "message": "m" }] }),
            Some("E45003"),
            "firewall",
        ),
        (json!({ "statuses": null }), None, "delete it before"),
    ] {
        let script = Script::new();
        let installing = installing(&script).await;
        script.expect([ended("Failed"), reply(200).json(&with("Failed", told))]);
        let error = installing.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OperationFailed, "{error}");
        if code.is_some() {
            assert_eq!(error.code(), code, "{error}");
        }
        assert!(error.remedy().unwrap().contains(remedy), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn cancelled_install_without_an_error_is_reported_as_cancelled() {
    for status in ["Canceled", "cancelled"] {
        let script = Script::new();
        let installing = installing(&script).await;
        let odd = json!({ "name": "azureml", "properties": null });
        script.expect([ended(status), reply(200).json(&odd)]);
        let error = installing.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OperationCanceled, "{error}");
        assert!(
            error.to_string().to_lowercase().contains("cancel"),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn pending_extension_ends_the_wait_at_the_deadline_and_keeps_the_install() {
    let script = Script::new();
    let mut installing = installing(&script).await;
    script.expect([ended("Succeeded")]);
    script.otherwise(|_| reply(200).json(&extension("Pending")));
    let wait = WaitOptions::new().deadline(Duration::from_secs(600));
    let error = installing.wait(wait.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(error.last_status(), Some("Pending"));
    assert!(error.to_string().contains("may still run"), "{error}");
    assert!(error.resume_token().is_some());
    script.otherwise(|_| reply(200).json(&extension("Succeeded")));
    assert!(installing.wait(wait).await.unwrap().is_healthy());
}

#[tokio::test(start_paused = true)]
async fn install_whose_answer_is_lost_carries_its_token() {
    let script = Script::new();
    script.expect([absent(), cluster(3), Reply::reset()]);
    let error = install(&workspace(&script)).await.unwrap_err();
    assert!(
        error.resume_token().is_some() && error.may_still_run(),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn extension_is_deleted_with_and_without_force() {
    let script = Script::new();
    let own = installed(&script).await;
    script.expect([monitor(reply(202)), ended("InProgress"), ended("Succeeded")]);
    own.delete().await.unwrap().await.unwrap();
    assert_eq!(
        script.sent_from_write()[0].url,
        format!("{ARM}{EXTENSION}?{VERSION}")
    );
    // Gone already, with and without a body, and answered at once.
    for gone in [absent(), reply(204), reply(200)] {
        script.expect([gone]);
        own.delete().force().await.unwrap().await.unwrap();
        let last = script.sent().pop().unwrap();
        assert_eq!(
            last.url,
            format!("{ARM}{EXTENSION}?{VERSION}&forceDelete=true")
        );
    }
    script.expect([no_cluster()]);
    assert!(own.delete().await.unwrap_err().is_not_found());
    // The extension of somebody else.
    let other = with("Succeeded", json!({ "extensionType": null }));
    script.expect([reply(200).json(&other)]);
    let other = Extension::get(&workspace(&script), managed(), "azureml")
        .await
        .unwrap();
    let error = other.delete().prepare().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(script.unused(), 0);
}

#[tokio::test(start_paused = true)]
async fn cluster_with_an_impossible_number_of_nodes_does_not_break_the_install() {
    let script = Script::new();
    let pools = json!([{ "name": "one", "count": u32::MAX }, { "name": "two", "count": 1 }]);
    let properties = json!({ "agentPoolProfiles": pools });
    let cluster = json!({ "id": CLUSTER, "location": "westeurope", "properties": properties });
    script.expect([
        absent(),
        reply(200).json(&cluster),
        monitor(reply(201)).json(&extension("Creating")),
    ]);
    let config = inference().high_availability(true).build().unwrap();
    let installing = Extension::install(&workspace(&script), managed(), "azureml", config).await;
    assert_eq!(installing.unwrap().target(), "c/azureml");
}
