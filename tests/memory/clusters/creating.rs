//! Creating and deleting clusters, on a scripted transport.

use super::{ARM, workspace};
use crate::operations::script::{Reply, Script, reply};
use azureml_aks::{
    AksCompute, AttachConfigurationBuilder, ClusterPurpose, ClusterRef, ErrorKind, ManagedCluster,
    ManagedClusterConfiguration, ManagedClusterConfigurationBuilder, Operation, Pem, ResumeToken,
    Resumed, Tls, Verb,
};
use serde_json::{Value, json};
use std::sync::Arc;

const CLUSTER: &str =
    "/subscriptions/s/resourcegroups/g/providers/Microsoft.ContainerService/managedClusters/c";

fn config() -> ManagedClusterConfigurationBuilder {
    ManagedClusterConfiguration::builder("g", "c")
}

fn attach() -> AttachConfigurationBuilder {
    AksCompute::attach_configuration(ClusterRef::named("g", "c"))
}

fn cluster(state: &str, dns_prefix: &str) -> Value {
    json!({ "id": CLUSTER, "name": "c", "properties": { "provisioningState": state, "dnsPrefix": dns_prefix } })
}

fn absent() -> Reply {
    let message = "The Resource 'Microsoft.ContainerService/managedClusters/c' under resource group 'g' was not found.";
    let body = json!({ "error": { "code": "ResourceNotFound", "message": message } });
    reply(404)
        .header("x-ms-failure-cause", "gateway")
        .json(&body)
}

fn monitor(reply: Reply) -> Reply {
    let url = format!(
        "{ARM}/subscriptions/s/providers/Microsoft.ContainerService/locations/westus/operations/o?api-version=2016-03-30"
    );
    reply.header("Azure-AsyncOperation", &url)
}

fn ended(status: &str) -> Reply {
    reply(200).json(&json!({ "name": "o", "status": status }))
}

/// The DNS prefix of the last PUT.
fn prefix(script: &Script) -> String {
    let put = script.sent().into_iter().rfind(|sent| sent.method == "PUT");
    let body = put.unwrap().body.unwrap();
    body["properties"]["dnsPrefix"].as_str().unwrap().to_owned()
}

async fn created(script: &Arc<Script>) -> Operation<ManagedCluster> {
    script.expect([absent(), monitor(reply(201)).json(&cluster("Creating", ""))]);
    let request = ManagedCluster::create(&workspace(script), config().build().unwrap());
    request.client_request_id("first").await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn cluster_is_created_in_the_region_of_the_workspace_and_waited_for() {
    let script = Script::new();
    let creating = created(&script).await;
    let put = script.sent().pop().unwrap();
    assert!(put.url.ends_with("/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c?api-version=2026-05-01"), "{}", put.url);
    assert_eq!(put.body.unwrap()["location"], "West US");
    assert_eq!(
        (creating.verb(), creating.target()),
        (Some(Verb::Create), "c")
    );
    let prefix = prefix(&script);
    assert!(prefix.starts_with("c-") && prefix.len() == 10, "{prefix}");
    script.expect([
        ended("InProgress"),
        ended("Succeeded"),
        reply(200).json(&cluster("Succeeded", &prefix)),
    ]);
    let cluster = creating.await.unwrap();
    assert_eq!((cluster.name(), cluster.resource_group()), ("c", "g"));
    assert_eq!(script.unused(), 0);
}

#[tokio::test(start_paused = true)]
async fn existing_cluster_is_refused_with_what_to_do_or_taken() {
    let script = Script::new();
    let workspace = workspace(&script);
    let create = || ManagedCluster::create(&workspace, config().build().unwrap());
    for (state, remedy) in [
        ("Succeeded", "or_get"),
        ("Creating", "or_get"),
        ("Failed", "delete that cluster"),
    ] {
        script.expect([reply(200).json(&cluster(state, "x"))]);
        let error = create().await.unwrap_err();
        assert!(
            error.is_already_exists() && error.to_string().contains(state),
            "{error}"
        );
        assert!(error.remedy().unwrap().contains(remedy), "{error}");
    }
    // A half-made cluster whose creator died is waited for.
    for (state, end, good) in [
        ("Creating", "Succeeded", true),
        ("Creating", "Failed", false),
        ("Succeeded", "Succeeded", true),
    ] {
        script.expect([
            reply(200).json(&cluster(state, "x")),
            reply(200).json(&cluster(end, "x")),
        ]);
        let taken = create().or_get().await.unwrap();
        let result = taken.await;
        assert_eq!(result.is_ok(), good, "{state} {end}");
        if let Err(error) = result {
            assert!(error.is_operation_failure(), "{error}");
            assert!(error.remedy().unwrap().contains("delete it"), "{error}");
        }
    }
    let mut failed = cluster("Failed", "x");
    let why = json!({ "code": "SubnetIsFull", "message": "no addresses are left" });
    failed["properties"]["status"] = json!({ "provisioningError": why });
    script.expect([
        reply(200).json(&cluster("Creating", "x")),
        reply(200).json(&failed),
    ]);
    let error = create().or_get().await.unwrap().await.unwrap_err();
    assert_eq!(error.code(), Some("SubnetIsFull"), "{error}");
    script.expect([reply(200).json(&cluster("Deleting", "x"))]);
    let error = create().or_get().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    // Another request was faster.
    let taken = json!({ "code": "Conflict", "message": "m" });
    script.expect([
        absent(),
        reply(409).json(&taken),
        reply(200).json(&cluster("Creating", "x")),
    ]);
    assert!(create().await.unwrap_err().is_already_exists());
    assert!(script.sent().iter().all(|sent| sent.method != "DELETE"));
    assert_eq!(script.unused(), 0);
}

#[tokio::test(start_paused = true)]
async fn quota_that_is_refused_three_levels_deep_is_told_with_its_remedy() {
    let script = Script::new();
    let quota = "Operation could not be completed as it results in exceeding approved Total Regional Cores quota. \
                 Current Limit: 10, Current Usage: 0, Additional Required: 12.";
    let inner = json!({ "code": "QuotaExceeded", "message": quota });
    let middle = json!({ "code": "InvalidTemplateDeployment", "message": "m", "details": [inner] });
    let body = json!({ "error": { "code": "BadRequest", "message": "m", "details": [middle] } });
    script.expect([absent(), reply(400).json(&body)]);
    let request = ManagedCluster::create(&workspace(&script), config().build().unwrap());
    let error = request.await.unwrap_err();
    assert_eq!(error.code(), Some("QuotaExceeded"));
    assert!(
        error.to_string().contains("Additional Required: 12"),
        "{error}"
    );
    assert!(
        error.remedy().unwrap().contains("Microsoft.Compute"),
        "{error}"
    );
    assert!(error.resume_token().is_none());

    // The same, as the end of the operation.
    let creating = created(&script).await;
    let failed = json!({ "name": "o", "status": "Failed", "error": body["error"] });
    script.expect([reply(200).json(&failed)]);
    let error = creating.await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::OperationFailed, Some("QuotaExceeded"))
    );
}

#[tokio::test(start_paused = true)]
async fn prepared_create_is_resumed_only_with_the_cluster_that_it_made() {
    let script = Script::new();
    let _ = created(&script).await;
    let own = prefix(&script);
    let workspace = workspace(&script);
    let create = ManagedCluster::create(&workspace, config().build().unwrap());
    let prepared = create.client_request_id("first").prepare().unwrap();
    let token = ResumeToken::parse(&prepared.token().expose()).unwrap();
    assert_eq!(token.resource().to_string(), "aks/cluster");
    for (answer, ours) in [
        (absent(), false),
        (reply(200).json(&cluster("Creating", "c-another")), false),
        (reply(200).json(&json!({ "id": CLUSTER })), false),
        (reply(200).json(&cluster("Creating", &own)), true),
        (reply(200).json(&cluster("Succeeded", &own)), true),
    ] {
        script.expect([answer]);
        match (workspace.resume(&token).await.unwrap(), ours) {
            (Resumed::Cluster(creating), true) => {
                script.expect([reply(200).json(&cluster("Succeeded", &own))]);
                assert_eq!(creating.await.unwrap().name(), "c");
            }
            (
                Resumed::NotStarted {
                    verb: Verb::Create, ..
                },
                false,
            ) => {}
            (other, _) => panic!("{other:?}"),
        }
    }
    assert_eq!(script.unused(), 0);
}

#[tokio::test(start_paused = true)]
async fn attach_that_cannot_follow_is_refused_before_anything_is_sent() {
    let script = Script::new();
    let workspace = workspace(&script);
    let then = |name: &str,
                config: ManagedClusterConfigurationBuilder,
                attach: AttachConfigurationBuilder| {
        let create = ManagedCluster::create(&workspace, config.build().unwrap());
        create
            .then_attach(&workspace, name, attach.build().unwrap())
            .prepare()
    };
    let other = AksCompute::attach_configuration(ClusterRef::named("g", "other"));
    let error = then("myaks", config(), other).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    let error = then("-", config(), attach()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    let small = config().vm_size("Standard_D2_v2");
    let error = then("myaks", small.clone(), attach()).unwrap_err();
    assert_eq!(error.findings()[0].rule, "capacity.production_minimum");
    let _ = then(
        "myaks",
        small,
        attach().cluster_purpose(ClusterPurpose::DevTest),
    )
    .unwrap();

    let made = rcgen::generate_simple_self_signed(vec!["scoring.example.com".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let tls = Tls::certificate(
        "scoring.example.com",
        Pem::text(certificate),
        Pem::text(&key),
    );
    let error = then("myaks", config(), attach().tls(tls)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("certificate"), "{error}");
    // A label is not secret, and goes into the token.
    let prepared = then("myaks", config(), attach().tls(Tls::leaf_domain("mylabel"))).unwrap();
    assert!(prepared.token().expose().contains("mylabel"));
    assert!(script.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn cluster_is_deleted_only_under_its_own_name() {
    let script = Script::new();
    script.expect([reply(200).json(&cluster("Succeeded", "x"))]);
    let workspace = workspace(&script);
    let own = ManagedCluster::get(&workspace, &ClusterRef::named("g", "c"))
        .await
        .unwrap();
    for name in ["", "C", "d"] {
        let error = own.delete(name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{name}");
    }
    assert_eq!(script.sent().len(), 1);
    let prepared = own.delete("c").prepare().unwrap();
    let token = ResumeToken::parse(&prepared.token().expose()).unwrap();
    script.expect([reply(200).json(&cluster("Succeeded", "x"))]);
    let resumed = workspace.resume(&token).await.unwrap();
    assert!(
        matches!(
            resumed,
            Resumed::NotStarted {
                verb: Verb::Delete,
                ..
            }
        ),
        "{resumed:?}"
    );
    script.expect([monitor(reply(202)), ended("InProgress"), ended("Succeeded")]);
    prepared.send().await.unwrap().await.unwrap();
    let delete = script
        .sent()
        .into_iter()
        .find(|sent| sent.method == "DELETE")
        .unwrap();
    assert!(
        delete
            .url
            .ends_with("/managedClusters/c?api-version=2026-05-01"),
        "{}",
        delete.url
    );
    // Gone already, and being deleted by the request of the token.
    script.expect([absent()]);
    own.delete("c").await.unwrap().await.unwrap();
    for answer in [absent(), reply(200).json(&cluster("Deleting", "x"))] {
        script.expect([answer]);
        let Resumed::Removal(removal) = workspace.resume(&token).await.unwrap() else {
            panic!()
        };
        if script.unused() == 0 && removal.resume_token().is_some() {
            script.expect([absent()]);
        }
        removal.await.unwrap();
    }
    assert_eq!(script.unused(), 0);
}
