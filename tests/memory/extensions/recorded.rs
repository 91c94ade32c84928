//! Answers of the live service, through the library.

use super::*;
use crate::support::recordings::{Exchange, cassettes};
use futures::TryStreamExt;

/// The exchanges of the recording of an extension; `None` where there are no recordings.
fn exchanges() -> Option<Vec<Exchange>> {
    let all = cassettes()?;
    let cassette = all.iter().find(|cassette| cassette.name.starts_with("17-"));
    Some(cassette.unwrap().exchanges())
}

fn recorded(exchange: &Exchange) -> Reply {
    let headers = exchange.headers.iter();
    headers.fold(
        reply(exchange.status).text(exchange.body()),
        |reply, (name, value)| reply.header(name, value),
    )
}

/// The answer, as one about Azure Machine Learning's extension.
fn ours(exchange: &Exchange) -> Reply {
    let body = String::from_utf8(exchange.body()).unwrap();
    let body = body.replace("microsoft.dapr", "microsoft.azureml.kubernetes");
    let headers = exchange.headers.iter();
    headers.fold(reply(exchange.status).text(body), |reply, (name, value)| {
        reply.header(name, value)
    })
}

fn edge() -> KubernetesClusterRef {
    KubernetesClusterRef::connected("azurecli-tests", "arc-cluster")
}

#[tokio::test(start_paused = true)]
async fn recorded_extension_is_read_alone_and_in_a_list() {
    let Some(exchanges) = exchanges() else { return };
    let subscription = exchanges[1].url.split('/').nth(4).unwrap();
    let script = Script::new();
    let workspace = workspace_in(&script, subscription);
    script.expect([
        recorded(&exchanges[3]),
        recorded(&exchanges[2]),
        recorded(&exchanges[6]),
    ]);
    let one = Extension::get(&workspace, edge(), "dapr").await.unwrap();
    let document: Value = serde_json::from_slice(&exchanges[3].body()).unwrap();
    assert_eq!(serde_json::to_value(one.resource()).unwrap(), document);
    let own = &one.resource().properties;
    assert_eq!(own.extension_type.as_deref(), Some("microsoft.dapr"));
    assert_eq!(own.current_version.as_deref(), Some("1.6.0"));
    assert_eq!(own.auto_upgrade_minor_version, Some(false));
    assert_eq!(own.configuration_settings["skipExistingDaprCheck"], "true");
    assert!(own.aks_assigned_identity.is_none() && own.statuses.is_empty());
    assert!(!one.is_machine_learning() && !one.is_healthy());
    for expected in [1, 0] {
        let list = Extension::list(&workspace, edge()).unwrap();
        let all: Vec<Extension> = list.try_collect().await.unwrap();
        assert_eq!(all.len(), expected);
    }
    let urls: Vec<String> = script.sent().into_iter().map(|sent| sent.url).collect();
    let recorded = [&exchanges[3].url, &exchanges[2].url, &exchanges[6].url];
    assert_eq!(urls.iter().collect::<Vec<_>>(), recorded);
}

#[tokio::test(start_paused = true)]
async fn recorded_install_and_delete_are_followed_to_their_ends() {
    let Some(exchanges) = exchanges() else { return };
    let subscription = exchanges[1].url.split('/').nth(4).unwrap();
    let script = Script::new();
    let workspace = workspace_in(&script, subscription);
    let config = ExtensionConfiguration::builder()
        .training(true)
        .setting("relayserver.enabled", "false")
        .cluster_location("eastus")
        .build()
        .unwrap();
    let name = "dapr";
    script.expect([absent(), ours(&exchanges[1])]);
    let installing = Extension::install(&workspace, edge(), name, config)
        .await
        .unwrap();
    assert_eq!(installing.status(), Some("Creating"));
    // The polls, and the end, are not recorded.
    let ready = String::from_utf8(exchanges[4].body()).unwrap();
    let ready = ready
        .replace("microsoft.dapr", "microsoft.azureml.kubernetes")
        .replace("Creating", "Succeeded");
    script.expect([
        ended("Succeeded"),
        ours(&exchanges[3]),
        ours(&exchanges[4]),
        reply(200).text(ready),
    ]);
    let extension = installing.await.unwrap();
    assert!(extension.is_healthy());
    let sent = script.sent();
    assert_eq!(sent[1].url, exchanges[1].url);
    assert_eq!(sent[2].url, exchanges[1].headers["azure-asyncoperation"]);
    assert!(sent[3..].iter().all(|sent| sent.url == exchanges[3].url));

    // Answered 200, with an answer in the body.
    script.expect([recorded(&exchanges[5])]);
    extension.delete().force().await.unwrap().await.unwrap();
    assert_eq!(script.sent().pop().unwrap().url, exchanges[5].url);
    assert_eq!(script.unused(), 0);
}
