use super::requests;
use crate::support::fixture::{self, attached, created};
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{AksCompute, ComputeTarget, ErrorKind, WaitOptions, Workspace};
use futures::{StreamExt, TryStreamExt};

#[tokio::test(start_paused = true)]
async fn get_and_get_opt_tell_absent_from_unreadable() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    assert!(
        AksCompute::get(&workspace, "absent")
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert!(
        AksCompute::get_opt(&workspace, "absent")
            .await
            .unwrap()
            .is_none()
    );
    created(&workspace, "myaks").await;
    assert_eq!(
        AksCompute::get(&workspace, "myaks").await.unwrap().status(),
        Some("Succeeded")
    );
    assert!(
        AksCompute::get_opt(&workspace, "myaks")
            .await
            .unwrap()
            .is_some()
    );

    let elsewhere = Workspace::builder(emulator.subscription(), emulator.resource_group(), "other")
        .credential(emulator.credential())
        .transport(emulator.transport())
        .build()
        .unwrap();
    let error = AksCompute::get_opt(&elsewhere, "myaks").await.unwrap_err();
    assert!(
        error.is_not_found(),
        "a missing workspace is not a missing compute: {error}"
    );
}

#[tokio::test(start_paused = true)]
async fn compute_of_another_kind_is_refused_by_the_handle_and_listed_all_the_same() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let other = r#"{"name":"gpu","properties":{"computeType":"AmlCompute","provisioningState":"Succeeded","properties":{"vmSize":"x"}}}"#;
    emulator.inject(
        Fault::response_override(200, &[("content-type", "application/json")], other)
            .on(Method::Get, "/computes/gpu"),
    );
    let error = AksCompute::get(&workspace, "gpu").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("AmlCompute"), "{error}");

    let page = format!(
        r#"{{"value":[{other},{{"name":7}},{{"name":"x","properties":{{"computeType":"New","properties":[1]}}}}]}}"#
    );
    emulator.inject(
        Fault::response_override(200, &[("content-type", "application/json")], page)
            .on(Method::Get, "/computes")
            .times(1),
    );
    let items: Vec<_> = workspace.computes().collect().await;
    assert_eq!(items.len(), 3);
    assert_eq!(items[0].as_ref().unwrap().compute_type(), "AmlCompute");
    assert!(
        items[1].is_err(),
        "an item that cannot be read does not take the others with it"
    );
    assert_eq!(
        items[2].as_ref().unwrap().properties(),
        &serde_json::json!([1])
    );
}

#[tokio::test(start_paused = true)]
async fn pages_are_read_only_when_they_are_needed() {
    let emulator = Emulator::builder().page_size(2).build();
    let workspace = fixture::workspace(&emulator);
    for name in ["one", "two", "three"] {
        created(&workspace, name).await;
    }
    attached(&emulator, &workspace, "four").await;
    emulator.clear_journal();
    let mut computes = workspace.computes();
    assert!(
        emulator.journal().is_empty(),
        "nothing is sent before the first item is asked for"
    );
    computes.try_next().await.unwrap();
    computes.try_next().await.unwrap();
    assert_eq!(requests(&emulator), ["GET computes"]);
    let rest: Vec<_> = computes.try_collect().await.unwrap();
    assert_eq!(rest.len(), 2);
    let seen = emulator.journal().len();
    let handle = AksCompute::from_resource(&workspace, rest[0].resource().clone()).unwrap();
    assert_eq!(
        (handle.name(), emulator.journal().len()),
        (rest[0].name(), seen)
    );
    assert_eq!(requests(&emulator), ["GET computes", "GET computes"]);
    assert_eq!(
        rest.iter()
            .filter(|compute| compute.is_attached() == Some(true))
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn refresh_reads_again_and_keeps_what_it_had_when_it_cannot() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    aks.refresh_state().await.unwrap();
    emulator.inject(Fault::server_error(500).on(Method::Get, "/computes/myaks"));
    assert_eq!(
        aks.refresh_state().await.unwrap_err().http_status(),
        Some(500)
    );
    assert_eq!(aks.status(), Some("Succeeded"));
}

#[tokio::test(start_paused = true)]
async fn reads_are_retried_and_writes_are_not() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let aks = created(&workspace, "myaks").await;
    for fault in [
        Fault::server_error(503),
        Fault::connection_dropped(),
        Fault::truncated_body(),
    ] {
        emulator.clear_journal();
        emulator.inject(fault.on(Method::Get, "/computes/myaks").times(2));
        AksCompute::get(&workspace, "myaks").await.unwrap();
        assert_eq!(requests(&emulator).len(), 3);
    }
    emulator.clear_journal();
    emulator.inject(Fault::server_error(503).on(Method::Post, "/listKeys"));
    assert_eq!(
        aks.credentials().await.unwrap_err().http_status(),
        Some(503)
    );
    assert_eq!(requests(&emulator), ["POST listKeys"]);
}

#[tokio::test(start_paused = true)]
async fn status_is_what_was_last_read_or_how_the_operation_ended() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let config = || AksCompute::provisioning_configuration().build().unwrap();
    let mut aks = ComputeTarget::create(&workspace, "myaks", config())
        .await
        .unwrap();
    assert_eq!(aks.status(), Some("Creating"));
    emulator.finish_operations();
    aks.refresh_state().await.unwrap();
    let read = |aks: &AksCompute| aks.resource().properties.provisioning_state.clone();
    assert_eq!(read(&aks).as_deref(), Some("Succeeded"));
    // Who polls sees what was read; the token stays until a wait has seen the end.
    assert_eq!(aks.status(), Some("Succeeded"));
    assert!(aks.is_ready() && aks.resume_token().is_some());
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert_eq!(aks.status(), Some("Succeeded"));
    assert!(aks.is_ready() && aks.resume_token().is_none());

    let mut aks = ComputeTarget::create(&workspace, "fail-x", config())
        .await
        .unwrap();
    aks.wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    assert_eq!(
        read(&aks).as_deref(),
        Some("Creating"),
        "not read again by the wait"
    );
    assert_eq!(aks.status(), Some("Failed"));
    assert!(aks.is_failed() && !aks.provisioning_errors().is_empty());
    aks.refresh_state().await.unwrap();
    assert_eq!(aks.status(), Some("Failed"));
    assert!(aks.is_failed() && !aks.provisioning_errors().is_empty());
    assert!(
        aks.wait_for_completion(WaitOptions::new())
            .await
            .unwrap_err()
            .is_operation_failure()
    );
}

#[tokio::test(start_paused = true)]
async fn missing_workspace_is_distinguished_from_a_missing_compute_where_its_location_was_given() {
    let emulator = Emulator::new();
    let elsewhere = Workspace::builder(emulator.subscription(), emulator.resource_group(), "other")
        .credential(emulator.credential())
        .transport(emulator.transport())
        .location("eastus")
        .build()
        .unwrap();
    assert!(
        AksCompute::get_opt(&elsewhere, "myaks")
            .await
            .unwrap_err()
            .is_not_found()
    );
}

#[tokio::test(start_paused = true)]
async fn long_maintenance_keeps_the_words_of_the_service() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let body = r#"{"error":{"code":"Maintenance","message":"down until noon"}}"#;
    let headers = [("retry-after", "60"), ("content-type", "application/json")];
    emulator.inject(Fault::response_override(503, &headers, body).times(1));
    let error = AksCompute::get(&workspace, "myaks").await.unwrap_err();
    assert_eq!(
        (error.http_status(), error.code()),
        (Some(503), Some("Maintenance"))
    );
    assert!(error.to_string().contains("down until noon"), "{error}");
    assert!(error.retry_after().is_some());
}
