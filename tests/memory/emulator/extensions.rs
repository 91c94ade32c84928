use azure_core::http::Method;
use azureml_aks::emulator::{Clock, ConnectedCluster, Emulator, ExistingCluster, Fault};
use serde_json::{Value, json};

use crate::support::raw::*;

const NAME: &str = "azureml";

fn manual() -> Emulator {
    Emulator::builder().clock(Clock::Manual).build()
}

fn managed(emulator: &Emulator) -> String {
    emulator.add_cluster(ExistingCluster::new("g", "c"))
}

fn connected(emulator: &Emulator) -> String {
    emulator.add_connected_cluster(ConnectedCluster::new("g", "edge"))
}

async fn write(emulator: &Emulator, method: Method, url: &str, body: &Value) -> Reply {
    send(emulator, method, url, Some(body)).await
}

/// Installs with these settings, waits, and returns the answer with what a GET shows at the end.
async fn installed(emulator: &Emulator, url: &str, settings: Value) -> (Reply, Value) {
    let reply = write(emulator, Method::Put, url, &extension_body(settings)).await;
    assert_eq!(reply.status, 201, "{:?}", reply.body);
    emulator.finish_operations();
    (reply, read(emulator, url).await.body)
}

#[tokio::test(start_paused = true)]
async fn extension_lives_from_install_to_delete() {
    for connected in [false, true] {
        let emulator = manual();
        let cluster = match connected {
            true => self::connected(&emulator),
            false => managed(&emulator),
        };
        let url = extension_url(&cluster, NAME);
        assert_eq!(read(&emulator, &url).await.code(), "ResourceNotFound");

        let settings = json!({ "enableTraining": "True", "cluster_name": cluster });
        let mut sent = extension_body(settings.clone());
        sent["properties"]["configurationProtectedSettings"] =
            json!({ "scoringFe.sslKey": "s3cret" });
        let put = write(&emulator, Method::Put, &url, &sent).await;
        assert_eq!(put.status, 201, "{:?}", put.body);
        assert_eq!(put.body["properties"]["provisioningState"], "Creating");
        let operation = polling(&put);
        let kind = ["/ManagedClusters/", "/ConnectedClusters/"][usize::from(connected)];
        assert!(operation.contains(kind), "{operation}");
        assert!(operation.contains("?api-Version=2023-05-01"), "{operation}");
        let elsewhere = put.header("location").unwrap();
        assert!(
            elsewhere.starts_with("https://eastus.rp.kubernetesconfiguration.azure.com/sub"),
            "{elsewhere}"
        );
        let running = read(&emulator, &operation).await.body;
        assert_eq!(running["status"], "InProgress");
        let change = json!({ "properties": { "releaseTrain": "preview" } });
        for (method, body) in [
            (Method::Put, Some(&sent)),
            (Method::Patch, Some(&change)),
            (Method::Delete, None),
        ] {
            let refused = send(&emulator, method, &url, body).await;
            assert_eq!(refused.status, 409, "{method}: {:?}", refused.body);
        }
        emulator.finish_operations();

        let ended = read(&emulator, &operation).await.body;
        assert_eq!(ended["status"], "Succeeded");
        assert_eq!(ended["error"], Value::Null);
        assert!(operation.contains(ended["name"].as_str().unwrap()));
        let shown = read(&emulator, &url).await.body;
        let properties = &shown["properties"];
        assert_eq!(properties["provisioningState"], "Succeeded");
        assert_eq!(properties["configurationSettings"], settings);
        assert_eq!(properties["configurationProtectedSettings"], json!({}));
        assert!(properties["currentVersion"].is_string());
        // On AKS the identity is one of the cluster's.
        assert_eq!(shown["identity"].is_object(), connected);
        assert_eq!(properties["aksAssignedIdentity"].is_null(), connected);

        let change = json!({ "properties": { "configurationSettings": { "enableTraining": "False", "a": "b" } } });
        let patch = write(&emulator, Method::Patch, &url, &change).await;
        assert_eq!(patch.status, 202, "{:?}", patch.body);
        assert_eq!(patch.body["properties"]["provisioningState"], "Updating");
        emulator.finish_operations();
        let status = read(&emulator, &polling(&patch)).await.body;
        assert_eq!(status["status"], "Succeeded");
        let again = write(&emulator, Method::Patch, &url, &change).await;
        assert_eq!(again.status, 200, "it changes nothing");
        assert!(again.header("azure-asyncoperation").is_none());
        let mut merged = shown.clone();
        merged["properties"]["configurationSettings"] =
            json!({ "enableTraining": "False", "cluster_name": cluster, "a": "b" });
        merged["systemData"] = again.body["systemData"].clone();
        assert_eq!(again.body, merged);
        let secret =
            json!({ "properties": { "configurationProtectedSettings": { "k": "s3cret" } } });
        let patch = write(&emulator, Method::Patch, &url, &secret).await;
        assert_eq!(
            patch.status, 202,
            "nobody can see whether it changes something"
        );
        emulator.finish_operations();

        let list = read(&emulator, &url.replace(&format!("/{NAME}?"), "?"))
            .await
            .body;
        assert_eq!(list["value"].as_array().unwrap().len(), 1);
        for answer in [&put.body, &shown, &patch.body, &list] {
            assert!(!answer.to_string().contains("s3cret"), "{answer}");
        }

        let delete = send(&emulator, Method::Delete, &url, None).await;
        assert_eq!((delete.status, &delete.body), (202, &Value::Null));
        let leaving = read(&emulator, &url).await.body;
        assert_eq!(leaving["properties"]["provisioningState"], "Deleting");
        emulator.finish_operations();
        let status = read(&emulator, &polling(&delete)).await.body;
        assert_eq!(status["status"], "Succeeded");
        assert_eq!(read(&emulator, &url).await.status, 404);
        assert_eq!(
            send(&emulator, Method::Delete, &url, None).await.status,
            204
        );
    }
}

#[tokio::test(start_paused = true)]
async fn put_over_an_extension_replaces_its_settings() {
    let emulator = manual();
    let url = extension_url(&connected(&emulator), NAME);
    let (_, before) = installed(&emulator, &url, json!({ "enableTraining": "True" })).await;
    // What was read can be sent back, with a change.
    let mut next = before.clone();
    next["properties"]["configurationSettings"] = json!({ "openshift": "true" });
    next["properties"]["extensionType"] = json!("Microsoft.AzureML.Kubernetes");
    let reply = write(&emulator, Method::Put, &url, &next).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    assert_eq!(reply.body["properties"]["provisioningState"], "Updating");
    emulator.finish_operations();
    let mut after = read(&emulator, &url).await.body;
    assert_eq!(
        after["properties"]["configurationSettings"],
        json!({ "openshift": "true" })
    );
    after["properties"]["configurationSettings"] = json!({ "enableTraining": "True" });
    after["systemData"]["lastModifiedAt"] = before["systemData"]["lastModifiedAt"].clone();
    assert_eq!(after, before);

    next["properties"]["scope"] = json!({ "cluster": { "releaseNamespace": "other" } });
    let reply = write(&emulator, Method::Put, &url, &next).await;
    assert_eq!(reply.status, 409, "{:?}", reply.body);
    assert!(reply.message().contains("scope"), "{}", reply.message());
}

#[tokio::test(start_paused = true)]
async fn install_ends_as_the_prefix_of_its_name_says() {
    let emulator = manual();
    let cluster = connected(&emulator);
    let url = extension_url(&cluster, "fail-it");
    let (put, failed) = installed(&emulator, &url, json!({})).await;
    let status = read(&emulator, &polling(&put)).await.body;
    assert_eq!(status["status"], "Failed");
    assert_eq!(status["error"]["code"], "ExtensionOperationFailed");
    let message = status["error"]["message"].as_str().unwrap();
    assert!(message.contains("E40001"), "{message}");
    assert_eq!(failed["properties"]["provisioningState"], "Failed");
    assert_eq!(failed["properties"]["statuses"][0]["message"], message);
    // The name does not count for its removal.
    assert_eq!(
        send(&emulator, Method::Delete, &url, None).await.status,
        202
    );
    emulator.finish_operations();
    assert_eq!(read(&emulator, &url).await.status, 404);

    let url = extension_url(&cluster, "cancel-it");
    let (put, canceled) = installed(&emulator, &url, json!({})).await;
    assert_eq!(
        read(&emulator, &polling(&put)).await.body["status"],
        "Canceled"
    );
    assert_eq!(canceled["properties"]["provisioningState"], "Canceled");
}

#[tokio::test(start_paused = true)]
async fn health_check_finds_settings_that_do_not_fit_the_cluster() {
    let emulator = manual();
    let small = emulator.add_cluster(ExistingCluster::new("g", "small").node_count(2));
    let edge = connected(&emulator);
    let large = managed(&emulator);
    let inference = |more: Value| {
        let mut settings =
            json!({ "enableInference": "True", "inferenceRouterServiceType": "LoadBalancer" });
        settings
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        settings
    };
    let internal = json!({ "internalLoadBalancerProvider": "azure" });
    for (cluster, settings, code) in [
        (&small, inference(json!({})), Some("E40002")),
        (
            &small,
            inference(json!({ "inferenceRouterHA": "False" })),
            None,
        ),
        (&small, json!({ "enableTraining": "True" }), None),
        (&large, inference(internal.clone()), None),
        (
            &large,
            inference(json!({ "internalLoadBalancerProvider": "other" })),
            Some("E40003"),
        ),
        (&edge, inference(internal), Some("E40003")),
        (&edge, inference(json!({})), None),
    ] {
        let url = extension_url(cluster, NAME);
        let (put, shown) = installed(&emulator, &url, settings.clone()).await;
        let error = read(&emulator, &polling(&put)).await.body["error"].clone();
        let message = error["message"].as_str();
        assert_eq!(
            message.is_some(),
            code.is_some(),
            "{cluster} {settings} {error}"
        );
        if let Some(code) = code {
            assert!(
                message.unwrap().contains(code),
                "{cluster} {settings} {error}"
            );
            assert_eq!(shown["properties"]["provisioningState"], "Failed");
        }
        let gone = send(
            &emulator,
            Method::Delete,
            &format!("{url}&forceDelete=true"),
            None,
        )
        .await;
        assert_eq!(gone.status, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn forced_delete_ends_at_once_and_an_earlier_operation_has_no_effect() {
    let emulator = manual();
    let url = extension_url(&connected(&emulator), NAME);
    let sent = extension_body(json!({}));
    write(&emulator, Method::Put, &url, &sent).await;
    let forced = format!("{url}&forceDelete=true");
    assert_eq!(
        send(&emulator, Method::Delete, &forced, None).await.status,
        200
    );
    assert_eq!(read(&emulator, &url).await.status, 404);
    emulator.inject(Fault::never_ending_operation().on(Method::Put, NAME));
    assert_eq!(write(&emulator, Method::Put, &url, &sent).await.status, 201);
    emulator.finish_operations();
    let second = read(&emulator, &url).await.body;
    assert_eq!(second["properties"]["provisioningState"], "Creating");
    assert_eq!(
        send(&emulator, Method::Delete, &forced, None).await.status,
        200
    );
    assert_eq!(
        send(&emulator, Method::Delete, &forced, None).await.status,
        204
    );
}

#[tokio::test(start_paused = true)]
async fn faults_act_on_extensions() {
    let emulator = manual();
    let url = extension_url(&managed(&emulator), NAME);
    let sent = extension_body(json!({}));
    emulator.inject(Fault::policy_denied().times(1));
    let denied = write(&emulator, Method::Put, &url, &sent).await;
    assert_eq!(
        (denied.status, denied.code()),
        (403, "RequestDisallowedByPolicy")
    );
    emulator.inject(Fault::foreign_polling_url("https://example.com/x").times(1));
    emulator.inject(Fault::operation_fails("Broken", "E45003").times(1));
    let put = write(&emulator, Method::Put, &url, &sent).await;
    assert_eq!(polling(&put), "https://example.com/x");
    emulator.finish_operations();
    let failed = read(&emulator, &url).await.body;
    assert_eq!(failed["properties"]["provisioningState"], "Failed");
    assert_eq!(failed["properties"]["statuses"][0]["message"], "E45003");
    // One that failed is installed again by another PUT.
    let put = write(&emulator, Method::Put, &url, &sent).await;
    assert_eq!(put.status, 200, "{:?}", put.body);
    emulator.finish_operations();
    emulator.inject(Fault::operation_fails("Stuck", "no").times(1));
    let delete = send(&emulator, Method::Delete, &url, None).await;
    emulator.finish_operations();
    let status = read(&emulator, &polling(&delete)).await.body;
    assert_eq!(status["error"]["code"], "Stuck");
    let there = read(&emulator, &url).await.body;
    assert_eq!(there["properties"]["provisioningState"], "Failed");
    emulator.inject(Fault::server_error(503).times(1));
    assert_eq!(read(&emulator, &url).await.status, 503);
}

#[tokio::test(start_paused = true)]
async fn unsuitable_requests_are_refused() {
    let emulator = manual();
    let cluster = connected(&emulator);
    let full = emulator.add_cluster(ExistingCluster::new("g", "full").extension("first"));
    let with = |pointer: &str, value: Value| {
        let mut body = extension_body(json!({}));
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[key] = value;
        body
    };
    let namespace = json!({ "cluster": {}, "namespace": { "targetNamespace": "n" } });
    let here = extension_url(&cluster, NAME);
    let good = extension_body(json!({}));
    for (url, body, status, text) in [
        (
            here.clone(),
            with("/properties/extensionType", Value::Null),
            400,
            "extensionType",
        ),
        (
            here.clone(),
            with("/properties/extensionType", json!("microsoft.dapr")),
            400,
            "dapr",
        ),
        (
            here.clone(),
            with("/properties/version", json!("1.1.61")),
            400,
            "autoUpgradeMinorVersion",
        ),
        (
            here.clone(),
            with("/properties/scope", namespace),
            400,
            "not both",
        ),
        (
            here.clone(),
            with("/properties/scope", Value::Null),
            400,
            "scope",
        ),
        (
            here.clone(),
            with("/properties/configurationSettings", json!({ "a": true })),
            400,
            "strings",
        ),
        (
            here.clone(),
            with("/properties/configurationSetting", json!({})),
            400,
            "configurationSetting",
        ),
        (
            here.clone(),
            with("/identity/type", json!("UserAssigned")),
            400,
            "SystemAssigned",
        ),
        (
            extension_url(&full, NAME),
            good.clone(),
            400,
            "another name",
        ),
        (
            here.replace("/edge/", "/absent/"),
            good.clone(),
            404,
            "connectedClusters/absent",
        ),
        (
            here.replace("Groups/g/", "Groups/none/"),
            good.clone(),
            404,
            "none",
        ),
        (
            here.replace("Microsoft.Kubernetes/", "Microsoft.Other/"),
            good,
            400,
            "Microsoft.Other",
        ),
    ] {
        let reply = write(&emulator, Method::Put, &url, &body).await;
        assert_eq!(reply.status, status, "{body} {:?}", reply.body);
        assert!(reply.body["error"].is_object(), "{:?}", reply.body);
        assert!(reply.message().contains(text), "{}", reply.message());
    }
    let absent = read(&emulator, &here.replace("/edge/", "/absent/")).await;
    assert_eq!(absent.header("x-ms-failure-cause"), Some("gateway"));
    let cluster = read(
        &emulator,
        &here
            .replace(
                "/providers/Microsoft.KubernetesConfiguration/extensions/azureml",
                "",
            )
            .replace("/edge", "/absent"),
    )
    .await;
    assert_eq!(cluster.code(), "ResourceNotFound");
    let patch = json!({ "properties": { "scope": {} } });
    let absent = write(&emulator, Method::Patch, &here, &patch).await;
    assert_eq!(absent.status, 404, "{:?}", absent.body);
    let full = extension_url(&full, "first");
    let refused = write(&emulator, Method::Patch, &full, &patch).await;
    assert_eq!(refused.code(), "UnsupportedByEmulator");
    let pinned = json!({ "properties": { "version": "1.1.61" } });
    assert_eq!(
        write(&emulator, Method::Patch, &full, &pinned).await.status,
        400
    );
    let pinned = json!({ "properties": { "version": "1.1.61", "autoUpgradeMinorVersion": false } });
    assert_eq!(
        write(&emulator, Method::Patch, &full, &pinned).await.status,
        202
    );
}

#[tokio::test(start_paused = true)]
async fn every_dated_version_is_answered_with_its_own_urls() {
    let emulator = manual();
    let url = extension_url(&connected(&emulator), NAME);
    for version in [
        "2021-09-01",
        "2023-05-01-preview",
        "2025-03-01",
        "2027-01-01",
    ] {
        let url = url.replace("2023-05-01", version);
        let (put, _) = installed(&emulator, &url, json!({})).await;
        assert!(polling(&put).contains(&format!("?api-Version={version}")));
        assert_eq!(put.header("api-supported-versions"), Some(version));
        send(&emulator, Method::Delete, &url, None).await;
        emulator.finish_operations();
    }
    let none = read(&emulator, url.split('?').next().unwrap()).await;
    assert_eq!(none.code(), "MissingApiVersionParameter");
}

#[tokio::test(start_paused = true)]
async fn connected_cluster_is_read() {
    let emulator = manual();
    let id = emulator.add_connected_cluster(
        ConnectedCluster::new("g", "edge")
            .subscription("s")
            .location("westeurope")
            .node_count(1),
    );
    let url = format!("https://management.azure.com{id}?api-version=2024-01-01");
    let cluster = read(&emulator, &url).await.body;
    assert_eq!(cluster["id"], id);
    assert_eq!(cluster["location"], "westeurope");
    assert_eq!(cluster["properties"]["totalNodeCount"], 1);
    assert_eq!(cluster["properties"]["connectivityStatus"], "Connected");
}

#[tokio::test(start_paused = true)]
async fn compute_needs_an_extension_that_is_ready() {
    let emulator = manual();
    let cluster = managed(&emulator);
    let body = json!({ "location": "eastus", "properties": {
        "computeType": "Kubernetes", "resourceId": cluster, "properties": { "namespace": "default" },
    } });
    let url = extension_url(&cluster, NAME);
    let attach = async |name: &str| {
        let reply = put(&emulator, name, &body).await;
        assert_eq!(reply.status, 201, "{:?}", reply.body);
        emulator.finish_operations();
        let shown = get(&emulator, name).await.body["properties"].clone();
        let error = shown["provisioningErrors"][0]["error"].clone();
        assert_eq!(
            error.is_null(),
            shown["provisioningState"] == "Succeeded",
            "{shown}"
        );
        (error, shown["properties"].clone())
    };
    let (error, _) = attach("before").await;
    assert_eq!(error["code"], "ExtensionNotFound");
    assert!(
        error["message"].as_str().unwrap().contains("not installed"),
        "{error}"
    );

    emulator.inject(
        Fault::operation_fails("Broken", "E45003")
            .on(Method::Put, NAME)
            .times(1),
    );
    write(&emulator, Method::Put, &url, &extension_body(json!({}))).await;
    emulator.finish_operations();
    let (error, _) = attach("broken").await;
    assert_eq!(error["code"], "ExtensionNotFound");
    assert!(
        error["message"].as_str().unwrap().contains("Failed"),
        "{error}"
    );

    write(&emulator, Method::Put, &url, &extension_body(json!({}))).await;
    emulator.finish_operations();
    let (error, facts) = attach("after").await;
    assert_eq!(error, Value::Null);
    let extension = read(&emulator, &url).await.body["properties"].clone();
    assert_eq!(
        facts["extensionPrincipalId"],
        extension["aksAssignedIdentity"]["principalId"]
    );
    assert_eq!(
        facts["extensionInstanceReleaseTrain"],
        extension["releaseTrain"]
    );

    // A cluster takes its extension with it.
    let version = "?api-version=2026-05-01";
    send(
        &emulator,
        Method::Delete,
        &format!("https://management.azure.com{cluster}{version}"),
        None,
    )
    .await;
    emulator.finish_operations();
    assert_eq!(managed(&emulator), cluster);
    assert_eq!(read(&emulator, &url).await.status, 404);
}
