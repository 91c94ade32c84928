//! Deployments that end badly, and what their errors tell.

use super::{Scene, plain};
use azureml_aks::emulator::Fault;
use azureml_aks::{AksWebservice, Error, ErrorKind, WaitOptions, models::ServiceState};

async fn failure(scene: &Scene, name: &str) -> (AksWebservice, Error) {
    let mut service = scene.deployment(name, plain()).await.unwrap();
    let error = service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap_err();
    (service, error)
}

#[tokio::test(start_paused = true)]
async fn failed_deployment_reports_the_services_reason() {
    let scene = Scene::new().await;
    let (service, error) = failure(&scene, "failing").await;
    assert_eq!(error.kind(), ErrorKind::OperationFailed);
    assert_eq!(error.code(), Some("DeploymentFailed"));
    assert_eq!(service.state(), Some(ServiceState::Failed));
    assert_eq!(
        service.error().unwrap().code.as_deref(),
        Some("DeploymentFailed")
    );
    // Known without a request, and told again.
    let mut read = AksWebservice::get(&scene.workspace, "failing")
        .await
        .unwrap();
    let again = read
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap_err();
    assert_eq!(again.code(), Some("DeploymentFailed"));
}

#[tokio::test(start_paused = true)]
async fn container_that_crashes_is_reported_with_its_logs() {
    let scene = Scene::new().await;
    scene.emulator.inject(Fault::crash_loop());
    let (_, error) = failure(&scene, "s-1").await;
    let logs = error.container_logs().unwrap();
    assert!(logs.main.as_deref().unwrap().contains("init()"), "{logs:?}");
    assert!(logs.init.is_some());
    assert!(!error.service_error().unwrap().details.is_empty());
    // A person sees the end of them.
    let text = error.to_string();
    assert!(
        text.contains("\n  main: ") && text.contains("\n  init: "),
        "{text}"
    );
}

#[tokio::test(start_paused = true)]
async fn cluster_without_room_is_reported_with_what_it_lacks() {
    let scene = Scene::new().await;
    scene
        .emulator
        .inject(Fault::unschedulable("nvidia.com/gpu"));
    let (service, error) = failure(&scene, "s-1").await;
    assert_eq!(error.missing_resources(), ["nvidia.com/gpu"]);
    assert!(error.remedy().unwrap().contains("nodes"), "{error}");
    assert_eq!(service.state(), Some(ServiceState::Unschedulable));
}

#[tokio::test(start_paused = true)]
async fn deployment_that_timed_out_may_be_waited_for_again() {
    let scene = Scene::new().await;
    scene.emulator.inject(Fault::deployment_timed_out());
    let (mut service, error) = failure(&scene, "s-1").await;
    assert_eq!(error.kind(), ErrorKind::OperationFailed);
    assert_eq!(error.code(), Some("DeploymentTimedOut"));
    assert!(error.remedy().unwrap().contains("wait"), "{error}");
    assert_eq!(service.state(), Some(ServiceState::Unhealthy));
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(service.state(), Some(ServiceState::Healthy));
}

#[tokio::test(start_paused = true)]
async fn image_that_cannot_be_pulled_has_no_log() {
    let scene = Scene::new().await;
    scene.emulator.inject(Fault::image_pull_failure());
    let (_, error) = failure(&scene, "s-1").await;
    assert_eq!(error.kind(), ErrorKind::OperationFailed);
    assert!(
        error
            .container_logs()
            .is_none_or(|logs| logs.main.is_none())
    );
}

#[tokio::test(start_paused = true)]
async fn cancelled_deployment_is_distinguished() {
    let scene = Scene::new().await;
    let (_, error) = failure(&scene, "cancelled").await;
    assert_eq!(error.kind(), ErrorKind::OperationCanceled);
}
