//! Resuming from tokens.

use super::*;
use crate::support::resealed::resealed;
use azureml_aks::{
    ClusterRef, ErrorKind, ExtensionUpdateConfiguration, ManagedCluster, ResumeToken, Resumed, Verb,
};

fn at(state: &str, created: &str, modified: &str) -> Value {
    let mut extension = extension(state);
    extension["systemData"] = json!({ "createdAt": created, "lastModifiedAt": modified });
    extension
}

const OLD: &str = "2020-01-01T00:00:00.0000000+00:00";
const NEW: &str = "2999-01-01T00:00:00.0000000+00:00";

#[tokio::test(start_paused = true)]
async fn prepared_install_is_resumed_only_with_an_extension_that_is_not_older() {
    let script = Script::new();
    let workspace = workspace(&script);
    let config = inference().build().unwrap();
    let install = Extension::install(&workspace, managed(), "azureml", config);
    let token = install.prepare().unwrap().token().expose();
    let token = ResumeToken::parse(&token).unwrap();
    assert_eq!(token.resource().to_string(), "kubernetes/extension");
    assert_eq!((token.verb(), token.target()), (Verb::Install, "c/azureml"));
    for (answer, ours) in [
        (absent(), false),
        (reply(200).json(&at("Succeeded", OLD, NEW)), false),
        // It does not show when it was installed.
        (reply(200).json(&extension("Creating")), false),
        (reply(200).json(&at("Creating", "x", "x")), false),
        (reply(200).json(&at("Pending", NEW, NEW)), true),
        (reply(200).json(&at("Succeeded", NEW, NEW)), true),
    ] {
        script.expect([answer]);
        match (workspace.resume(&token).await.unwrap(), ours) {
            (Resumed::Extension(installing), true) => {
                assert_eq!(installing.target(), "c/azureml");
                script.expect([reply(200).json(&extension("Succeeded"))]);
                assert!(installing.await.unwrap().is_healthy());
            }
            (
                Resumed::NotStarted {
                    verb: Verb::Install,
                    name,
                    ..
                },
                false,
            ) => {
                assert_eq!(name, "c/azureml");
            }
            (other, _) => panic!("{other:?}"),
        }
    }
    script.expect([no_cluster()]);
    assert!(workspace.resume(&token).await.unwrap_err().is_not_found());
}

#[tokio::test(start_paused = true)]
async fn accepted_install_is_resumed_at_its_monitor_without_a_read() {
    let script = Script::new();
    let workspace = workspace(&script);
    script.expect([
        absent(),
        cluster(3),
        monitor(reply(201)).json(&extension("Creating")),
    ]);
    let config = inference().build().unwrap();
    let installing = Extension::install(&workspace, managed(), "azureml", config)
        .await
        .unwrap();
    let token = installing.resume_token().unwrap().clone();
    let before = script.sent().len();
    let mut resumed = workspace.resume(&token).await.unwrap();
    assert_eq!(script.sent().len(), before);
    assert_eq!(resumed.verb(), Some(Verb::Install));
    script.expect([ended("Succeeded"), reply(200).json(&extension("Succeeded"))]);
    let all = azureml_aks::wait_all(std::slice::from_mut(&mut resumed), Default::default()).await;
    assert!(all.into_iter().all(|result| result.is_ok()));
    assert_eq!(script.sent()[before].url, operation());
}

#[tokio::test(start_paused = true)]
async fn prepared_update_and_delete_are_resumed_while_they_run() {
    let script = Script::new();
    let own = installed(&script).await;
    let workspace = workspace(&script);
    let change = ExtensionUpdateConfiguration::builder()
        .training(true)
        .build()
        .unwrap();
    let update = own.update(change).prepare().unwrap().token().clone();
    let delete = own.delete().force().prepare().unwrap().token().clone();
    for (token, answer, running) in [
        (&update, absent(), false),
        (&update, reply(200).json(&at("Updating", OLD, OLD)), false),
        (&update, reply(200).json(&at("Succeeded", OLD, NEW)), false),
        (&update, reply(200).json(&at("Updating", OLD, NEW)), true),
        (&delete, reply(200).json(&at("Updating", OLD, NEW)), false),
        (&delete, reply(200).json(&at("Deleting", OLD, NEW)), true),
        (&delete, absent(), true),
    ] {
        script.expect([answer]);
        let resumed = workspace.resume(token).await.unwrap();
        let is_running = matches!(resumed, Resumed::Extension(_) | Resumed::Removal(_));
        assert_eq!(is_running, running, "{resumed:?}");
        if let Resumed::Extension(updating) = resumed {
            script.expect([reply(200).json(&extension("Succeeded"))]);
            updating.await.unwrap();
        } else if let Resumed::Removal(removal) = resumed
            && removal.status().is_some()
        {
            script.expect([absent()]);
            removal.await.unwrap();
        }
    }
    assert_eq!(script.unused(), 0);
}

#[tokio::test(start_paused = true)]
async fn changed_token_is_refused_before_a_request() {
    let script = Script::new();
    let workspace = workspace(&script);
    let config = inference().build().unwrap();
    let install = Extension::install(&workspace, managed(), "azureml", config);
    let token = install.prepare().unwrap().token().expose();
    for (member, value) in [
        ("initialUri", json!(format!("{ARM}{CLUSTER}?{VERSION}"))),
        (
            "initialUri",
            json!(format!("https://example.com{EXTENSION}?{VERSION}")),
        ),
        (
            "initialUri",
            json!(format!("{ARM}{EXTENSION}%2F..%2F..?{VERSION}")),
        ),
        (
            "initialUri",
            json!(format!(
                "{ARM}{CLUSTER}/agentPools/p/providers/Microsoft.KubernetesConfiguration/extensions/azureml"
            )),
        ),
        ("target", json!("c/other")),
        ("method", json!("DELETE")),
        ("op", json!("scale")),
    ] {
        let mut parts: Value = serde_json::from_str(&token).unwrap();
        parts[member] = value;
        let token = ResumeToken::parse(&resealed(&parts.to_string())).unwrap();
        let error = workspace.resume(&token).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResumeToken, "{member}");
    }
    let other = Workspace::builder("s", "g", "other")
        .credential(Credential::new(Lifetime::Moment))
        .transport(Transport::new(script.clone()))
        .build()
        .unwrap();
    let error = other
        .resume(&ResumeToken::parse(&token).unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResumeToken);
    assert!(script.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn names_that_a_url_encodes_are_resumed() {
    let script = Script::new();
    let workspace = workspace(&script);
    let config = inference().build().unwrap();
    let cluster = KubernetesClusterRef::managed("größe", "c");
    let install = Extension::install(&workspace, cluster, "{ü}", config);
    let token = install.prepare().unwrap().token().clone();
    script.expect([absent()]);
    let resumed = workspace.resume(&token).await.unwrap();
    assert_eq!(resumed.name(), "c/{ü}");
    let [read] = &script.sent()[..] else {
        panic!("one read")
    };
    let path = "/resourceGroups/gr%C3%B6%C3%9Fe/providers/Microsoft.ContainerService/managedClusters/c/providers/\
                Microsoft.KubernetesConfiguration/extensions/%7B%C3%BC%7D?";
    assert!(read.url.contains(path), "{}", read.url);

    script.expect([super::cluster(3)]);
    let cluster = ClusterRef::named("größe", "c");
    let cluster = ManagedCluster::get(&workspace, &cluster).await.unwrap();
    let token = cluster.delete("c").prepare().unwrap().token().clone();
    script.expect([super::cluster(3)]);
    let resumed = workspace.resume(&token).await.unwrap();
    assert_eq!(resumed.name(), "c");
    let sent = script.sent();
    assert_eq!(sent[1].url, sent[2].url);
}
