//! The end that a handle waits for, and its progress.

use super::{Scene, plain};
use azure_core::http::Method;
use azureml_aks::emulator::Fault;
use azureml_aks::{
    AksWebservice, ErrorKind, ServiceUpdate, Verb, WaitOptions, models::ServiceState,
};
use futures::StreamExt;
use std::time::Duration;

fn small() -> ServiceUpdate {
    ServiceUpdate::builder().cpu_cores(0.2).build().unwrap()
}

async fn read(scene: &Scene) -> AksWebservice {
    AksWebservice::get(&scene.workspace, "s-1").await.unwrap()
}

/// State, readiness, failure, and whether there is an error.
fn told(service: &AksWebservice) -> (Option<ServiceState>, bool, bool, bool) {
    (
        service.state(),
        service.is_ready(),
        service.is_failed(),
        service.error().is_some(),
    )
}

const TRANSITIONING: (Option<ServiceState>, bool, bool, bool) =
    (Some(ServiceState::Transitioning), false, false, false);
const HEALTHY: (Option<ServiceState>, bool, bool, bool) =
    (Some(ServiceState::Healthy), true, false, false);
const FAILED: (Option<ServiceState>, bool, bool, bool) =
    (Some(ServiceState::Failed), false, true, true);

#[tokio::test(start_paused = true)]
async fn update_is_pending_on_the_handle_until_it_was_waited_for() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    assert_eq!(told(&service), HEALTHY);
    let () = service.update(small()).await.unwrap();
    assert_eq!(told(&service), TRANSITIONING);
    let token = service.resume_token().unwrap().clone();
    assert_eq!(token.verb(), Verb::Update);
    // Another handle on the same operation.
    let mut clone = service.clone();
    assert_eq!(clone.resume_token(), Some(&token));
    for service in [&mut service, &mut clone] {
        assert_eq!(told(service), TRANSITIONING);
        service
            .wait_for_deployment(WaitOptions::new())
            .await
            .unwrap();
        assert_eq!(told(service), HEALTHY);
        assert!(service.resume_token().is_none());
        let container = service.resource().container_resource_requirements.as_ref();
        assert_eq!(container.unwrap().cpu, Some(0.2));
    }
}

#[tokio::test(start_paused = true)]
async fn deletion_is_waited_for_by_the_handle_and_by_its_operation() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    let mut operation = service.delete().await.unwrap();
    assert_eq!(told(&service), TRANSITIONING);
    assert_eq!(service.resume_token(), operation.resume_token());
    let mut clone = service.clone();
    scene.emulator.clear_journal();
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    assert!(scene.count("GET", "/operations/") > 0);
    assert!(scene.emulator.service("s-1").is_none());
    // It is gone, whatever was read of it before.
    assert_eq!(told(&service), TRANSITIONING);
    assert!(service.resume_token().is_none());
    scene.emulator.clear_journal();
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    assert!(scene.requests().is_empty(), "{:#?}", scene.requests());
    operation.wait(WaitOptions::new()).await.unwrap();
    operation.await.unwrap();
    clone.wait_for_deployment(WaitOptions::new()).await.unwrap();
    // A read tells what the service itself has to say.
    assert!(service.refresh_state().await.unwrap_err().is_not_found());
}

#[tokio::test(start_paused = true)]
async fn deletion_is_waited_for_until_a_read_finds_another_service() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    service.delete().await.unwrap().await.unwrap();
    scene.deployed("s-1", plain()).await;
    for _ in 0..2 {
        service
            .wait_for_deployment(WaitOptions::new())
            .await
            .unwrap();
        assert!(!service.is_ready());
    }
    service.refresh_state().await.unwrap();
    assert_eq!(told(&service), HEALTHY);
}

#[tokio::test(start_paused = true)]
async fn deletion_that_fails_is_reported_once_and_the_service_is_as_it_was() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    scene
        .emulator
        .inject(Fault::operation_fails("Stuck", "no").on(Method::Delete, "/services/s-1"));
    let _operation = service.delete().await.unwrap();
    let ended = service.wait_for_deployment(WaitOptions::new()).await;
    assert_eq!(ended.unwrap_err().code(), Some("Stuck"));
    assert_eq!(told(&service), HEALTHY);
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn wait_with_nothing_pending_reads_a_healthy_service_once() {
    let scene = Scene::new().await;
    let mut waited = scene.deployed("s-1", plain()).await;
    let mut read = read(&scene).await;
    for service in [&mut waited, &mut read] {
        for _ in 0..2 {
            scene.emulator.clear_journal();
            service
                .wait_for_deployment(WaitOptions::new())
                .await
                .unwrap();
            assert_eq!(scene.requests().len(), 1, "{:#?}", scene.requests());
            assert_eq!(scene.count("GET", "/services/s-1"), 1);
            assert_eq!(told(service), HEALTHY);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn wait_with_nothing_pending_follows_a_service_in_transition() {
    let scene = Scene::new().await;
    scene.deployment("s-1", plain()).await.unwrap();
    let mut service = read(&scene).await;
    assert_eq!(told(&service), TRANSITIONING);
    assert!(service.resume_token().is_none(), "nothing was begun here");
    // Whose deployment it is cannot be told: a deadline has no token.
    let early = WaitOptions::new().deadline(Duration::from_secs(1));
    let error = service.wait_for_deployment(early).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert!(error.resume_token().is_none());
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(told(&service), HEALTHY);
    // What was read long ago does not count, either way.
    service.clone().update(small()).await.unwrap();
    assert_eq!(told(&service), HEALTHY);
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    let container = service.resource().container_resource_requirements.as_ref();
    assert_eq!(container.unwrap().cpu, Some(0.2));
}

#[tokio::test(start_paused = true)]
async fn wait_with_nothing_pending_reports_a_failed_service_each_time() {
    let scene = Scene::new().await;
    scene.emulator.inject(Fault::crash_loop());
    let mut deployed = scene.deployment("s-1", plain()).await.unwrap();
    let first = deployed.wait_for_deployment(WaitOptions::new()).await;
    let first = first.unwrap_err();
    assert_eq!(told(&deployed), FAILED);
    let mut read = read(&scene).await;
    assert_eq!(told(&read), FAILED);
    for service in [&mut deployed, &mut read] {
        for _ in 0..2 {
            scene.emulator.clear_journal();
            let ended = service.wait_for_deployment(WaitOptions::new()).await;
            let error = ended.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OperationFailed);
            assert_eq!(error.code(), first.code());
            assert!(error.container_logs().is_some());
            assert!(error.resume_token().is_none());
            // The read that judges, another one after the failure, and the logs of both containers.
            assert_eq!(scene.requests().len(), 4, "{:#?}", scene.requests());
            assert_eq!(told(service), FAILED);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn wait_with_nothing_pending_reports_a_missing_service_and_reads_anew_the_next_time() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    let mut events = service.clone();
    read(&scene).await.delete().await.unwrap().await.unwrap();
    for _ in 0..2 {
        scene.emulator.clear_journal();
        let ended = service.wait_for_deployment(WaitOptions::new()).await;
        let error = ended.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Service, "{error}");
        assert!(error.is_not_found(), "{error}");
        assert!(error.to_string().contains("service \"s-1\""), "{error}");
        assert_eq!(scene.requests().len(), 1, "{:#?}", scene.requests());
    }
    {
        let told: Vec<_> = events.events(WaitOptions::new()).collect().await;
        assert!(
            matches!(told.as_slice(), [Err(error)] if error.is_not_found()),
            "{told:?}"
        );
    }
    scene.deployed("s-1", plain()).await;
    for mut service in [service, events] {
        service
            .wait_for_deployment(WaitOptions::new())
            .await
            .unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn update_with_an_unknown_outcome_counts_until_a_wait_has_ended() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    // Accepted, and the answer never arrives.
    scene.emulator.inject(
        Fault::response_lost()
            .on(Method::Patch, "/services/s-1")
            .times(1),
    );
    let error = service.update(small()).await.unwrap_err();
    assert!(error.resume_token().is_some(), "{error}");
    assert_eq!(told(&service), TRANSITIONING);
    assert!(service.resume_token().is_none());
    assert_eq!(told(&service.clone()), TRANSITIONING);
    // A wait that reads nothing to the end knows no more.
    let early = WaitOptions::new().deadline(Duration::from_secs(1));
    let ended = service.wait_for_deployment(early).await;
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(told(&service), TRANSITIONING);
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(told(&service), HEALTHY);
    let container = service.resource().container_resource_requirements.as_ref();
    assert_eq!(container.unwrap().cpu, Some(0.2));
}

#[tokio::test(start_paused = true)]
async fn failure_is_known_where_the_service_cannot_be_read_after_it() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    scene
        .emulator
        .inject(Fault::operation_fails("NoRoom", "no").on(Method::Patch, "/services/s-1"));
    service.update(small()).await.unwrap();
    scene
        .emulator
        .inject(Fault::server_error(403).on(Method::Get, "/services/s-1"));
    let ended = service.wait_for_deployment(WaitOptions::new()).await;
    assert_eq!(ended.unwrap_err().code(), Some("NoRoom"));
    assert_eq!(told(&service), FAILED);
    assert_eq!(service.error().unwrap().code.as_deref(), Some("NoRoom"));
    assert_eq!(told(&service.clone()), FAILED);
    // The service goes on with what it had: a read says so.
    scene.emulator.clear_faults();
    let body = r#"{"name":"s-1","computeType":"AKS","state":"Healthy"}"#;
    let goes_on = Fault::response_override(200, &[], body).on(Method::Get, "/services/s-1");
    scene.emulator.inject(goes_on);
    service.refresh_state().await.unwrap();
    assert_eq!(told(&service), HEALTHY);
}
