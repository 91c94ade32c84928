//! Updating: only what changes is sent.

use super::*;
use azureml_aks::{
    Error, ErrorKind, ExtensionRelay, ExtensionTls, ExtensionUpdateConfiguration,
    ExtensionUpdateConfigurationBuilder, Verb,
};

fn change() -> ExtensionUpdateConfigurationBuilder {
    ExtensionUpdateConfiguration::builder()
}

fn current(settings: Value) -> Value {
    with(
        "Succeeded",
        json!({
            "configurationSettings": settings, "releaseTrain": "stable", "version": null,
            "autoUpgradeMinorVersion": true,
        }),
    )
}

/// Inference without TLS, as it is read back.
fn plain() -> Value {
    json!({
        "enableTraining": "False", "enableInference": "True", "inferenceRouterServiceType": "LoadBalancer",
        "allowInsecureConnections": "True", "relayserver.enabled": "false", "location": "westeurope",
    })
}

/// The body of the PATCH; `None` where none is sent.
async fn patched(
    now: &Value,
    change: ExtensionUpdateConfigurationBuilder,
) -> Result<Option<Value>, Error> {
    let script = Script::new();
    let own = installed(&script).await;
    script.expect([reply(200).json(now)]);
    script.otherwise(|_| reply(200).json(&extension("Succeeded")));
    let updating = own.update(change.build().unwrap()).await?;
    assert_eq!(updating.verb(), Some(Verb::Update));
    updating.await.unwrap();
    let patch = script
        .sent()
        .into_iter()
        .find(|sent| sent.method == "PATCH");
    Ok(patch.map(|patch| {
        assert_eq!(patch.url, format!("{ARM}{EXTENSION}?{VERSION}"));
        patch.body.unwrap()
    }))
}

fn rules(error: &Error) -> Vec<&str> {
    error
        .findings()
        .iter()
        .map(|finding| finding.rule)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn update_sends_only_values_that_differ() {
    let now = current(plain());
    let same = change()
        .inference(true)
        .training(true)
        .setting("location", "westeurope");
    assert_eq!(
        patched(&now, same).await.unwrap().unwrap(),
        json!({ "properties": { "configurationSettings": { "enableTraining": "True" } } })
    );
    let node_port = change().router_service_type(RouterServiceType::NodePort);
    assert_eq!(
        patched(&now, node_port).await.unwrap().unwrap(),
        json!({ "properties": { "configurationSettings": {
            "inferenceRouterServiceType": "NodePort", "scoringFe.serviceType.nodePort": "True",
        } } })
    );
    let rest = change()
        .release_train("preview")
        .version("1.1.61")
        .protected_setting("own", "secret");
    assert_eq!(
        patched(&now, rest).await.unwrap().unwrap(),
        json!({ "properties": {
            "releaseTrain": "preview", "version": "1.1.61", "autoUpgradeMinorVersion": false,
            "configurationProtectedSettings": { "own": "secret" },
        } })
    );
    let nothing = change()
        .inference(true)
        .release_train("stable")
        .auto_upgrade(true);
    assert_eq!(patched(&now, nothing.clone()).await.unwrap(), None);
    let mut failed = now;
    failed["properties"]["provisioningState"] = "Failed".into();
    let again = patched(&failed, nothing).await.unwrap().unwrap();
    assert_eq!(again["properties"]["releaseTrain"], "stable");
}

#[tokio::test(start_paused = true)]
async fn document_with_nulls_is_updated_all_the_same() {
    for settings in [Value::Null, json!({ "enableTraining": null }), json!([])] {
        let train = patched(
            &current(settings.clone()),
            change().release_train("preview"),
        )
        .await;
        assert_eq!(
            train.unwrap().unwrap(),
            json!({ "properties": { "releaseTrain": "preview" } })
        );
        let body = patched(&current(settings), change().training(true)).await;
        assert_eq!(
            body.unwrap().unwrap(),
            json!({ "properties": { "configurationSettings": { "enableTraining": "True" } } })
        );
    }
}

#[tokio::test(start_paused = true)]
async fn update_that_contradicts_the_present_settings_sends_no_patch() {
    let secure = json!({
        "enableInference": "True", "inferenceRouterServiceType": "LoadBalancer", "sslCname": "a.example.com",
        "relayserver.enabled": "false",
    });
    let training = json!({ "enableTraining": "True", "relayserver.enabled": "true" });
    let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Relay/namespaces/n/hybridConnections/edge";
    for (settings, builder, expected) in [
        (
            plain(),
            change().inference(false),
            &["extension.features"][..],
        ),
        (
            plain(),
            change().allow_insecure_connections(false),
            &["extension.tls"],
        ),
        (
            training.clone(),
            change().inference(true),
            &["extension.service_type", "extension.tls"],
        ),
        (
            plain(),
            change()
                .router_service_type(RouterServiceType::NodePort)
                .internal_load_balancer(),
            &["extension.node_port_internal"],
        ),
        (
            secure.clone(),
            change().protected_setting("own", "x"),
            &["extension.protected_replaced"],
        ),
        (
            training.clone(),
            change().protected_setting("own", "x"),
            &["extension.protected_replaced"],
        ),
    ] {
        let error = patched(&current(settings), builder).await.unwrap_err();
        assert_eq!(rules(&error), expected, "{error}");
    }
    for (settings, builder) in [
        (secure.clone(), change().training(true)),
        (
            secure,
            change()
                .protected_setting("own", "x")
                .tls(ExtensionTls::secret("a.example.com", "s")),
        ),
        (
            training,
            change().relay(ExtensionRelay::new(id, "Endpoint=sb://n/")),
        ),
    ] {
        assert!(
            patched(&current(settings), builder)
                .await
                .unwrap()
                .is_some()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn update_is_waited_for_by_its_monitor() {
    let script = Script::new();
    let own = installed(&script).await;
    script.expect([
        reply(200).json(&current(plain())),
        monitor(reply(202)).json(&extension("Updating")),
        ended("Updating"),
        ended("Succeeded"),
        reply(200).json(&extension("Succeeded")),
    ]);
    let updating = own
        .update(change().training(true).build().unwrap())
        .await
        .unwrap();
    assert!(updating.await.unwrap().is_healthy());
    script.expect([absent()]);
    let error = own
        .update(change().training(true).build().unwrap())
        .await
        .unwrap_err();
    assert!(error.is_not_found(), "{error}");
    let other = with("Succeeded", json!({ "extensionType": "microsoft.flux" }));
    script.expect([reply(200).json(&other)]);
    let other = Extension::get(&workspace(&script), managed(), "azureml")
        .await
        .unwrap();
    let error = other
        .update(change().training(true).build().unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert_eq!(script.unused(), 0);
}
