//! Updates of services.

use super::{Scene, plain};
use azure_core::http::Method;
use azureml_aks::emulator::Fault;
use azureml_aks::{
    AksWebservice, Auth, AutoScale, ErrorKind, InferenceConfiguration, Model, ServiceUpdate,
    WaitOptions, models::ServiceState,
};
use serde_json::{Value, json};

fn patches(scene: &Scene) -> Vec<Value> {
    let journal = scene.emulator.journal();
    journal
        .iter()
        .filter(|entry| entry.method == "PATCH")
        .map(|entry| {
            assert_eq!(entry.headers["content-type"], "application/json-patch+json");
            entry.body.clone()
        })
        .collect()
}

async fn waited(service: &mut AksWebservice) {
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(service.state(), Some(ServiceState::Healthy));
}

#[tokio::test(start_paused = true)]
async fn only_given_values_change() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain().tag("a", "1")).await;
    let update = ServiceUpdate::builder()
        .auth(Auth::Token)
        .replicas(AutoScale::new().max_replicas(7))
        .build()
        .unwrap();
    service.update(update).await.unwrap();
    assert_eq!(service.state(), Some(ServiceState::Transitioning));
    waited(&mut service).await;
    let resource = service.resource();
    assert_eq!(resource.token_auth_enabled, Some(true));
    assert_eq!(resource.auth_enabled, Some(false));
    assert_eq!(resource.auto_scaler.as_ref().unwrap().max_replicas, Some(7));
    let changed: Vec<_> = patches(&scene)[0]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["path"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        changed,
        [
            "/autoScaler/autoscaleEnabled",
            "/autoScaler/maxReplicas",
            "/authEnabled",
            "/aadAuthEnabled"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn tags_properties_and_description_are_changed_at_once() {
    let scene = Scene::new().await;
    let mut service = scene
        .deployed(
            "s-1",
            plain().tag("a", "1").tag("b", "2").property("p", "1"),
        )
        .await;
    let update = ServiceUpdate::builder()
        .tag("c", "3")
        .remove_tag("a")
        .property("q/r", "2")
        .description("new")
        .build()
        .unwrap();
    service.update(update).await.unwrap();
    assert!(service.resume_token().is_none(), "nothing to wait for");
    let resource = service.resource();
    let tags: Vec<(&str, &str)> = resource
        .tags
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    assert_eq!(tags, [("b", "2"), ("c", "3")]);
    assert_eq!(resource.properties["q/r"], "2");
    assert_eq!(resource.description.as_deref(), Some("new"));
    assert_eq!(service.state(), Some(ServiceState::Healthy));

    let other = ServiceUpdate::builder().property("p", "9").build().unwrap();
    let error = service.update(other).await.unwrap_err();
    assert_eq!(error.findings()[0].rule, "service_update.property");
}

#[tokio::test(start_paused = true)]
async fn new_code_keeps_the_models_and_new_models_need_code() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    service.update_inference(scene.inference()).await.unwrap();
    waited(&mut service).await;
    assert_eq!(
        patches(&scene)[0][0]["value"]["modelIds"],
        json!(["mymodel:1"])
    );

    let path = scene.folder.path().join("model.pkl");
    std::fs::write(&path, "better").unwrap();
    let second = Model::register(&scene.workspace, "mymodel", &path)
        .framework("Custom")
        .await
        .unwrap();
    let error = service.update_models([&second]).await.unwrap_err();
    assert_eq!(error.findings()[0].rule, "service_update.models_alone");
    service
        .update_models([&second])
        .inference_configuration(scene.inference())
        .settings(ServiceUpdate::builder().cpu_cores(0.2).build().unwrap())
        .await
        .unwrap();
    waited(&mut service).await;
    assert_eq!(
        service.resource().models[0].id.as_deref(),
        Some("mymodel:2")
    );
    let last = patches(&scene).pop().unwrap();
    assert_eq!(last[0]["value"]["modelIds"], json!(["mymodel:2"]));
    assert_eq!(last[1]["path"], "/containerResourceRequirements/cpu");
    // One that needs no code may come alone.
    let config = plain().build().unwrap();
    let mut bare = scene
        .model
        .deploy_without_code("s-2", config, &scene.aks)
        .await
        .unwrap();
    waited(&mut bare).await;
    bare.update_models([&scene.model]).await.unwrap();
    waited(&mut bare).await;
}

#[tokio::test(start_paused = true)]
async fn operation_that_runs_is_distinguished() {
    let scene = Scene::new().await;
    scene.deployment("s-1", plain()).await.unwrap();
    let mut service = AksWebservice::get(&scene.workspace, "s-1").await.unwrap();
    let update = ServiceUpdate::builder().cpu_cores(0.2).build().unwrap();
    let error = service.update(update).despite_findings().await.unwrap_err();
    assert!(error.is_conflict(), "{error}");
    assert!(error.remedy().unwrap().contains("wait"), "{error}");
    assert!(service.delete().await.unwrap_err().is_conflict());
}

#[tokio::test(start_paused = true)]
async fn update_that_does_not_fit_is_refused_before_it_is_sent() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    let update = ServiceUpdate::builder()
        .replicas(AutoScale::new().min_replicas(11))
        .build()
        .unwrap();
    let error = service.update(update).await.unwrap_err();
    assert_eq!(error.findings()[0].rule, "service_update.current");
    assert!(patches(&scene).is_empty());
    let missing = InferenceConfiguration::builder()
        .entry_script("no/such.py")
        .build()
        .unwrap();
    let error = service.update_inference(missing).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
}

#[tokio::test(start_paused = true)]
async fn update_that_fails_reports_the_reason_with_logs() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    scene
        .emulator
        .inject(Fault::crash_loop().on(Method::Patch, "/services/s-1"));
    let update = ServiceUpdate::builder().cpu_cores(0.2).build().unwrap();
    service.update(update).await.unwrap();
    let error = service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OperationFailed);
    assert!(
        error.to_string().contains("update service \"s-1\""),
        "{error}"
    );
    assert!(error.container_logs().is_some());
}
