//! Request values: the options of one call, what they show, and what resources serialise as.

use super::adversities::slow;
use super::{Scene, plain};
use crate::support::fixture;
use azure_core::http::Method;
use azureml_aks::emulator::Fault;
use azureml_aks::{
    AksCompute, AksWebservice, Auth, ComputeTarget, ContainerRegistry, Environment, ErrorKind,
    InferenceConfiguration, KeyName, Model, Pem, ServiceUpdate, Tls, UpdateConfiguration,
    WaitOptions,
};
use serde_json::Value;
use std::fmt::Debug;
use std::time::Duration;

fn small() -> ServiceUpdate {
    ServiceUpdate::builder().cpu_cores(0.2).build().unwrap()
}

/// The ids of the requests whose method and path are these, each once.
fn ids(scene: &Scene, method: &str, part: &str) -> Vec<String> {
    let journal = scene.emulator.journal();
    let mut ids: Vec<String> = journal
        .iter()
        .filter(|entry| entry.method == method && entry.path.ends_with(part))
        .map(|entry| entry.headers["x-ms-client-request-id"].clone())
        .collect();
    ids.dedup();
    ids
}

/// The ids of the polls of operations, each once.
fn polls(scene: &Scene) -> Vec<String> {
    let journal = scene.emulator.journal();
    let mut ids: Vec<String> = journal
        .iter()
        .filter(|entry| entry.method == "GET" && entry.path.contains("/operations/"))
        .map(|entry| entry.headers["x-ms-client-request-id"].clone())
        .collect();
    ids.dedup();
    ids
}

#[tokio::test(start_paused = true)]
async fn client_request_id_is_that_of_the_request_its_polls_and_its_token() {
    let scene = Scene::new().await;
    let prepared = scene
        .deployment("s-1", plain())
        .client_request_id("deploy-1")
        .prepare()
        .await
        .unwrap();
    assert_eq!(prepared.token().id(), "deploy-1");
    let mut service = prepared.send().await.unwrap();
    assert_eq!(service.resume_token().unwrap().id(), "deploy-1");
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(ids(&scene, "POST", "/services"), ["deploy-1"]);
    assert_eq!(polls(&scene), ["deploy-1"]);

    scene.emulator.clear_journal();
    service
        .update(small())
        .client_request_id("update-1")
        .await
        .unwrap();
    assert_eq!(service.resume_token().unwrap().id(), "update-1");
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(ids(&scene, "PATCH", "/services/s-1"), ["update-1"]);
    assert_eq!(polls(&scene), ["update-1"]);

    scene.emulator.clear_journal();
    let request = service.regenerate_key(KeyName::Primary);
    request.client_request_id("key-1").await.unwrap();
    assert_eq!(ids(&scene, "POST", "/regenerateKeys"), ["key-1"]);
    assert_eq!(polls(&scene), ["key-1"]);

    scene.emulator.clear_journal();
    let request = service.delete().client_request_id("delete-1");
    let operation = request.await.unwrap();
    assert_eq!(operation.resume_token().unwrap().id(), "delete-1");
    operation.await.unwrap();
    assert_eq!(ids(&scene, "DELETE", "/services/s-1"), ["delete-1"]);
    assert_eq!(polls(&scene), ["delete-1"]);
}

#[tokio::test(start_paused = true)]
async fn client_request_id_that_cannot_be_sent_is_refused_before_anything_changes() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    scene.emulator.clear_journal();
    for id in ["", "a b", "ä", "a\r\nb", &"x".repeat(129)] {
        let errors = [
            scene
                .deployment("s-2", plain())
                .client_request_id(id)
                .await
                .unwrap_err(),
            service
                .update(small())
                .client_request_id(id)
                .await
                .unwrap_err(),
            service.delete().client_request_id(id).await.unwrap_err(),
            service
                .regenerate_key(KeyName::Primary)
                .client_request_id(id)
                .await
                .unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Configuration, "{id:?}: {error}");
        }
    }
    assert!(scene.requests().is_empty(), "{:#?}", scene.requests());
}

#[tokio::test(start_paused = true)]
async fn timeout_ends_the_call_with_a_token_and_not_what_it_began() {
    let scene = Scene::new().await;
    scene.deployed("s-1", plain()).await;
    // Each request takes 20 milliseconds there and back.
    let workspace = slow(&scene.emulator);
    let mut service = AksWebservice::get(&workspace, "s-1").await.unwrap();
    let model = Model::get(&workspace, "mymodel:1").await.unwrap();
    let aks = AksCompute::get(&workspace, "myaks").await.unwrap();
    let short = Duration::from_millis(5);
    let deployment = || {
        let config = plain().build().unwrap();
        Model::deploy(&workspace, "s-2", [&model], scene.inference(), config, &aks)
    };
    let errors = [
        deployment()
            .timeout(short)
            .client_request_id("id")
            .await
            .unwrap_err(),
        service
            .update(small())
            .timeout(short)
            .client_request_id("id")
            .await
            .unwrap_err(),
        service
            .delete()
            .timeout(short)
            .client_request_id("id")
            .await
            .unwrap_err(),
        service
            .regenerate_key(KeyName::Primary)
            .timeout(short)
            .client_request_id("id")
            .await
            .unwrap_err(),
    ];
    for (error, doing) in errors
        .iter()
        .zip(["deploy", "update", "delete", "regenerate"])
    {
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        assert!(error.to_string().starts_with(doing), "{error}");
        assert_eq!(error.resume_token().unwrap().id(), "id", "{error}");
        assert!(error.may_still_run(), "{error}");
    }
    scene.emulator.finish_operations();
    // One that is long enough changes nothing, and does not limit the wait.
    let long = Duration::from_secs(30);
    let mut second = deployment().timeout(long).await.unwrap();
    second
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    second.update(small()).timeout(long).await.unwrap();
    second
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    second.delete().timeout(long).await.unwrap().await.unwrap();
}

/// In every secret of these tests.
const CANARY: &str = "c4n4ry";

fn shows_nothing(value: &dyn Debug) {
    let shown = format!("{value:?} {value:#?}");
    assert!(!shown.contains(CANARY), "{shown}");
    // Something is shown all the same.
    assert!(shown.contains(char::is_alphabetic));
}

/// A certificate and a key, neither of which is one.
fn pair() -> Tls {
    let pem = |kind: &str| {
        Pem::text(format!(
            "-----BEGIN {kind}-----\n{CANARY}\n-----END {kind}-----\n"
        ))
    };
    Tls::certificate(
        "scoring.example.com",
        pem("CERTIFICATE"),
        pem("PRIVATE KEY"),
    )
}

/// A certificate for a name and its key, the text of which is returned, too.
fn real_pair() -> (Tls, Vec<String>) {
    let made = rcgen::generate_simple_self_signed(vec!["scoring.example.com".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let lines = [&certificate, &key].map(|pem| pem.lines().nth(1).unwrap().to_owned());
    let tls = Tls::certificate(
        "scoring.example.com",
        Pem::text(certificate),
        Pem::text(key),
    );
    (tls, lines.to_vec())
}

#[tokio::test(start_paused = true)]
async fn request_of_a_compute_shows_neither_certificate_nor_key() {
    let scene = Scene::new().await;
    let workspace = &scene.workspace;
    let (tls, secrets) = real_pair();
    let hidden = |value: &dyn Debug| {
        let shown = format!("{value:?} {value:#?}");
        for secret in &secrets {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(
            shown.contains("myaks") || shown.contains("new-aks"),
            "{shown}"
        );
    };
    shows_nothing(&pair());
    let config = AksCompute::provisioning_configuration().tls(tls.clone());
    let create = ComputeTarget::create(workspace, "new-aks", config.build().unwrap());
    hidden(&create);
    hidden(&create.prepare().unwrap());
    let cluster = azureml_aks::ClusterRef::named("rg", "cluster");
    let config = AksCompute::attach_configuration(cluster).tls(tls.clone());
    let attach = ComputeTarget::attach(workspace, "new-aks", config.build().unwrap());
    hidden(&attach);
    hidden(&attach.prepare().unwrap());
    let mut compute = scene.aks.clone();
    let config = UpdateConfiguration::builder().tls(tls).build().unwrap();
    let update = compute.update(config);
    hidden(&update);
    hidden(&update.prepare().unwrap());
    hidden(&compute.detach());
    hidden(&compute.delete());
}

#[tokio::test(start_paused = true)]
async fn request_of_a_service_or_a_model_shows_neither_key_nor_password() {
    let scene = Scene::new().await;
    let registry = ContainerRegistry::new("r.example").credentials("me", CANARY.to_owned());
    let environment = Environment::builder()
        .base_image("i:1")
        .base_image_registry(registry)
        .environment_variable("TOKEN", CANARY)
        .build()
        .unwrap();
    let inference = InferenceConfiguration::builder()
        .entry_script(scene.script())
        .environment(environment)
        .build()
        .unwrap();
    let config = plain()
        .auth(Auth::Key)
        .primary_key(CANARY.to_owned())
        .secondary_key(CANARY.to_owned() + "2");
    let config = config.build().unwrap();
    let deploy = || {
        Model::deploy(
            &scene.workspace,
            "s-2",
            [&scene.model],
            inference.clone(),
            config.clone(),
            &scene.aks,
        )
    };
    shows_nothing(&deploy());
    shows_nothing(&deploy().prepare().await.unwrap());
    let bare = scene
        .model
        .deploy_without_code("s-2", config.clone(), &scene.aks);
    shows_nothing(&bare);

    let mut service = scene.deployed("s-1", plain()).await;
    shows_nothing(&service.update_inference(inference.clone()));
    let update = service.update_inference(inference.clone()).prepare().await;
    shows_nothing(&update.unwrap());
    shows_nothing(&service.delete());
    shows_nothing(&service.delete().prepare().await.unwrap());
    let key = || {
        service
            .regenerate_key(KeyName::Primary)
            .value(CANARY.to_owned())
    };
    shows_nothing(&key());
    shows_nothing(&key().prepare().await.unwrap());

    let path = scene.folder.path().join("model.pkl");
    shows_nothing(&Model::register(&scene.workspace, "m", path));
    let mut model = scene.model.clone();
    shows_nothing(&model.update().tag("a", "b"));
    shows_nothing(&model.download(scene.folder.path().join("out")));
}

#[tokio::test(start_paused = true)]
async fn resources_serialise_as_the_service_wrote_them() {
    let scene = Scene::new().await;
    let registry = ContainerRegistry::new("r.example").credentials("me", CANARY.to_owned());
    let environment = Environment::builder()
        .base_image("r.example/i:1")
        .base_image_registry(registry)
        .build()
        .unwrap();
    let inference = InferenceConfiguration::builder()
        .entry_script(scene.script())
        .environment(environment)
        .build()
        .unwrap();
    let config = plain()
        .auth(Auth::Key)
        .primary_key(CANARY.to_owned())
        .tag("größe", "1")
        .property("origin", "ci");
    let mut service = Model::deploy(
        &scene.workspace,
        "s-1",
        [&scene.model],
        inference,
        config.build().unwrap(),
        &scene.aks,
    )
    .await
    .unwrap();
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();

    let recorder = crate::support::recorder::Recorder::around(scene.emulator.http_client());
    let workspace = fixture::builder(&scene.emulator)
        .transport(recorder.transport())
        .build()
        .unwrap();
    let read = AksWebservice::get(&workspace, "s-1").await.unwrap();
    let model = Model::get(&workspace, "mymodel:1").await.unwrap();
    let answer = |part: &str| -> Value {
        let seen = recorder.seen();
        let found = seen.iter().find(|seen| seen.url.contains(part)).unwrap();
        serde_json::from_slice(&found.answer).unwrap()
    };
    let written = serde_json::to_value(read.resource()).unwrap();
    // The emulator keeps no password: it writes `null`, which hides nothing.
    let sent = answer("/services/s-1?");
    assert_eq!(written, sent);
    assert_eq!(written, read.resource().to_value());
    assert_eq!(written["kvTags"]["größe"], "1");
    assert!(written["models"][0]["id"].is_string(), "expanded");
    let text = serde_json::to_string(model.resource()).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        answer("/models/mymodel")
    );
    assert_eq!(model.resource().to_value(), answer("/models/mymodel"));
    assert!(!format!("{written} {text}").contains(CANARY));

    // A service that writes what it should not.
    let mut odd = sent.clone();
    odd["keys"] = serde_json::json!({ "primaryKey": CANARY, "secondaryKey": CANARY });
    odd["environmentImageRequest"]["environment"]["docker"]["baseImageRegistry"]["password"] =
        CANARY.into();
    scene.emulator.inject(
        Fault::response_override(200, &[], odd.to_string()).on(Method::Get, "/services/s-1"),
    );
    let read = AksWebservice::get(&workspace, "s-1").await.unwrap();
    let mut expected = sent;
    expected["keys"] = serde_json::json!({});
    let registry = expected
        .pointer_mut("/environmentImageRequest/environment/docker/baseImageRegistry")
        .unwrap();
    registry
        .as_object_mut()
        .unwrap()
        .remove("password")
        .unwrap();
    assert_eq!(serde_json::to_value(read.resource()).unwrap(), expected);
}
