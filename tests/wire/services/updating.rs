//! Updates: the patch, and what it is answered with.

use super::{at_service, begins, described, fast, operation, refusal, with_service};
use crate::support::plane::{self, MODELS, header_names, models, only};
use crate::support::redirect::{Reply, Service};
use azureml_aks::{
    AksWebservice, Auth, AutoScale, Error, ErrorKind, Model, ServiceUpdate, ServiceUpdateBuilder,
};
use serde_json::{Value, json};
use std::time::Duration;

fn path() -> String {
    models("/services/s-1")
}

fn cores() -> ServiceUpdateBuilder {
    ServiceUpdate::builder().cpu_cores(0.2)
}

/// `s-1`, healthy, whose next PATCH is answered so.
async fn answering(reply: Reply) -> (Service, AksWebservice) {
    let (mut service, handle) = with_service("Healthy").await;
    service
        .on("POST", &models("/services/validate"), Reply::new(200, "{}"))
        .await
        .on("PATCH", &path(), reply)
        .await;
    (service, handle)
}

async fn patched(update: ServiceUpdateBuilder) -> Value {
    let (service, mut handle) = answering(begins(202, "op")).await;
    handle.update(update.build().unwrap()).await.unwrap();
    serde_json::from_slice(&only(&service, "PATCH", &path()).body).unwrap()
}

#[tokio::test]
async fn update_reads_checks_and_patches() {
    let (service, mut handle) = answering(begins(202, "op")).await;
    handle.update(cores().build().unwrap()).await.unwrap();
    let read = format!("GET {MODELS} {}", at_service());
    assert_eq!(
        plane::lines(&service),
        [
            read.clone(),
            read,
            format!("POST {MODELS} {}", models("/services/validate")),
            format!("PATCH {MODELS} {}", path()),
        ]
    );
    let patch = r#"[{"op":"replace","path":"/containerResourceRequirements/cpu","value":0.2}]"#;
    let seen = only(&service, "PATCH", &path());
    assert_eq!(seen.text(), patch);
    assert_eq!(
        header_names(&seen),
        [
            "accept",
            "authorization",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "x-ms-client-request-id",
        ]
    );
    assert_eq!(seen.headers["content-type"], "application/json-patch+json");
    assert_eq!(seen.headers["authorization"], "Bearer CANARY-token-2");
    let check = only(&service, "POST", &models("/services/validate"));
    assert_eq!(check.headers["content-type"], "application/json");
    assert_eq!(
        check.text(),
        format!(
            r#"{{"createRequest":null,"serviceName":"s-1","type":"Update","updateRequest":{patch}}}"#
        )
    );
    assert_eq!(handle.state().unwrap().as_str(), "Transitioning");
    assert!(handle.resume_token().is_some());
}

#[tokio::test]
async fn patch_says_what_changes_in_the_order_of_the_service() {
    let all = ServiceUpdate::builder()
        .description("new")
        .property("more", "1")
        .tag("team", "speech")
        .auth(Auth::Token)
        .replicas(AutoScale::new().min_replicas(2).max_replicas(9))
        .cpu_cores(0.2)
        .memory_gb(1.5)
        .app_insights(false)
        .collect_model_data(true)
        .scoring_timeout(Duration::from_secs(2))
        .max_queue_wait(Duration::from_millis(7))
        .namespace("other");
    let replace =
        |path: &str, value: Value| json!({ "op": "replace", "path": path, "value": value });
    assert_eq!(
        patched(all).await,
        json!([
            replace("/autoScaler/autoscaleEnabled", json!(true)),
            replace("/autoScaler/minReplicas", json!(2)),
            replace("/autoScaler/maxReplicas", json!(9)),
            replace("/dataCollection/storageEnabled", json!(true)),
            replace("/authEnabled", json!(false)),
            replace("/aadAuthEnabled", json!(true)),
            replace("/containerResourceRequirements/cpu", json!(0.2)),
            replace("/containerResourceRequirements/memoryInGB", json!(1.5)),
            replace("/appInsightsEnabled", json!(false)),
            replace("/scoringTimeoutMs", json!(2000)),
            replace("/maxQueueWaitMs", json!(7)),
            replace("/namespace", json!("other")),
            replace("/kvTags", json!({ "team": "speech" })),
            json!({ "op": "add", "path": "/properties/more", "value": "1" }),
            replace("/description", json!("new")),
        ])
    );
}

#[tokio::test]
async fn tags_are_merged_with_those_that_the_service_has_now() {
    let replace = |tags: Value| json!([{ "op": "replace", "path": "/kvTags", "value": tags }]);
    let update = ServiceUpdate::builder();
    assert_eq!(
        patched(update.tag("a/b~c", "1")).await,
        replace(json!({ "a/b~c": "1", "team": "vision" }))
    );
    let update = ServiceUpdate::builder();
    assert_eq!(patched(update.remove_tag("team")).await, replace(json!({})));
    let update = ServiceUpdate::builder();
    assert_eq!(
        patched(update.replace_tags([("x", "y")])).await,
        replace(json!({ "x": "y" }))
    );
    // The names of properties stand in a pointer, with its escapes.
    assert_eq!(
        patched(ServiceUpdate::builder().property("a/b~c", "1")).await,
        json!([{ "op": "add", "path": "/properties/a~1b~0c", "value": "1" }])
    );
}

#[tokio::test]
async fn one_model_without_code_is_patched_as_an_image() {
    let (mut service, mut handle) = answering(begins(202, "op")).await;
    let model = json!({ "id": "mymodel:4", "name": "mymodel", "version": 4, "framework": "Onnx" });
    service
        .on(
            "GET",
            &models("/models/mymodel%3A4"),
            Reply::json(200, &model),
        )
        .await;
    let model = Model::get(handle.workspace(), "mymodel:4").await.unwrap();
    handle.update_models([&model]).await.unwrap();
    assert_eq!(
        only(&service, "PATCH", &path()).text(),
        r#"[{"op":"replace","path":"/environmentImageRequest","value":{"modelIds":["mymodel:4"]}}]"#
    );
}

#[tokio::test]
async fn patch_that_is_made_at_once_is_read_back_and_not_waited_for() {
    let mut last = described("Healthy");
    last["operationId"] = json!("old");
    for (reply, before) in [
        (Reply::empty(200), described("Healthy")),
        (
            Reply::json(200, &described("Healthy")),
            described("Healthy"),
        ),
        // The body names the operation before this one.
        (Reply::json(200, &last), last.clone()),
    ] {
        let mut service = plane::start().await;
        service
            .on("GET", &at_service(), Reply::json(200, &before))
            .await
            .on("POST", &models("/services/validate"), Reply::new(200, "{}"))
            .await
            .on("PATCH", &path(), reply)
            .await;
        let workspace = plane::workspace(&service);
        let mut handle = AksWebservice::get(&workspace, "s-1").await.unwrap();
        let tags = ServiceUpdate::builder().tag("a", "b").build().unwrap();
        handle.update(tags).await.unwrap();
        assert_eq!(
            plane::lines(&service).last(),
            Some(&format!("GET {MODELS} {}", at_service()))
        );
        assert!(handle.resume_token().is_none());
        handle.wait_for_deployment(fast()).await.unwrap();
        let asked = plane::lines(&service)
            .iter()
            .any(|line| line.contains("/operations/"));
        assert!(!asked);
    }
}

#[tokio::test]
async fn operation_that_the_body_names_is_followed() {
    let (mut service, mut handle) = answering(
        Reply::json(200, &json!({ "operationId": "op 1" })).header("retry-after-ms", "1"),
    )
    .await;
    let target = models("/operations/op%201");
    service
        .on("GET", &target, Reply::json(200, &operation("Succeeded")))
        .await;
    handle.update(cores().build().unwrap()).await.unwrap();
    handle.wait_for_deployment(fast()).await.unwrap();
    only(&service, "GET", &target);
    assert_eq!(handle.state().unwrap().as_str(), "Healthy");
}

#[tokio::test]
async fn refusals_of_a_patch_are_reported() {
    let refused = async |reply: Reply| -> (Error, AksWebservice) {
        let (_service, mut handle) = answering(reply).await;
        let update = cores().build().unwrap();
        (handle.update(update).await.unwrap_err(), handle)
    };
    let (error, handle) = refused(Reply::json(409, &refusal("Conflict", 409))).await;
    assert!(error.is_conflict(), "{error}");
    assert!(
        error.to_string().contains("update service \"s-1\""),
        "{error}"
    );
    assert!(error.remedy().is_some(), "{error}");
    assert!(handle.resume_token().is_none());
    let (error, _) = refused(Reply::json(400, &refusal("Bad", 400))).await;
    assert_eq!(error.code(), Some("Detail"));
    assert!(!error.may_still_run());
    let (error, _) = refused(Reply::empty(503)).await;
    assert!(
        error.may_still_run() && error.resume_token().is_some(),
        "{error}"
    );
    // Accepted, and nobody knows as what.
    let (error, _) = refused(Reply::empty(202)).await;
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(
        error.may_still_run() && error.resume_token().is_some(),
        "{error}"
    );
    let (error, _) = refused(Reply::new(200, "{").breaks_off()).await;
    assert!(error.may_still_run(), "{error}");
}

#[tokio::test]
async fn check_ends_an_update_by_default() {
    let checks = json!({ "error": refusal("No", 400) });
    for despite in [false, true] {
        let (mut service, mut handle) = with_service("Healthy").await;
        service
            .on(
                "POST",
                &models("/services/validate"),
                Reply::json(200, &checks),
            )
            .await
            .on("PATCH", &path(), begins(202, "op"))
            .await;
        let update = cores().build().unwrap();
        let change = handle.update(update);
        let result = match despite {
            true => change.despite_findings().await,
            false => change.await,
        };
        let patches = plane::lines(&service)
            .iter()
            .filter(|line| line.starts_with("PATCH"))
            .count();
        assert_eq!(patches, usize::from(despite));
        match result {
            Ok(()) => assert_eq!(handle.warnings()[0].rule, "deployment.checked"),
            Err(error) => {
                assert!(!despite);
                assert_eq!(error.findings()[0].rule, "deployment.checked");
            }
        }
    }
}

/// A change that is made at once.
async fn tag(service: &mut Service, handle: &mut AksWebservice) {
    service.on("PATCH", &path(), Reply::empty(200)).await;
    let tags = ServiceUpdate::builder().tag("a", "b").build().unwrap();
    handle.update(tags).await.unwrap();
}

#[tokio::test]
async fn change_that_is_made_at_once_leaves_the_update_before_it_to_be_waited_for() {
    let mut failed = operation("Failed");
    failed["error"] = refusal("Bad", 400);
    for (end, code) in [(operation("Succeeded"), None), (failed, Some("Detail"))] {
        let (mut service, mut handle) = answering(begins(202, "op")).await;
        handle.update(cores().build().unwrap()).await.unwrap();
        let begun = handle.resume_token().cloned();
        assert!(begun.is_some());
        tag(&mut service, &mut handle).await;
        // The service may be healthy because of what it had before: only the operation tells.
        assert_eq!(handle.resource().state.as_deref(), Some("Healthy"));
        assert_eq!(handle.state().unwrap().as_str(), "Transitioning");
        assert_eq!(handle.resume_token(), begun.as_ref());
        service
            .on("GET", &models("/operations/op"), Reply::json(200, &end))
            .await;
        let ended = handle.wait_for_deployment(fast()).await;
        only(&service, "GET", &models("/operations/op"));
        let told = ended.as_ref().err().and_then(Error::code);
        assert_eq!(told, code, "{ended:?}");
        assert!(handle.resume_token().is_none());
        // Told once, it is over.
        handle.wait_for_deployment(fast()).await.unwrap();
        only(&service, "GET", &models("/operations/op"));
    }
}

#[tokio::test]
async fn change_that_is_made_at_once_ends_an_update_that_is_over() {
    let mut failed = operation("Failed");
    failed["error"] = refusal("Bad", 400);
    let logs = models("/services/s-1/logs?tail=100&init=false");
    let mut service = plane::start().await;
    service
        .on("POST", &models("/services/validate"), Reply::new(200, "{}"))
        .await
        .on("PATCH", &path(), begins(202, "op"))
        .await
        .on("GET", &models("/operations/op"), Reply::json(200, &failed))
        .await
        .on("GET", &logs, Reply::new(200, "text"))
        .await;
    // Read for the handle, the update and the end of the operation; then for the handle once more, which
    // takes its time.
    for status in [200, 200, 200, 503, 200] {
        let healthy = Reply::json(status, &described("Healthy"));
        service.on("GET", &at_service(), healthy).await;
    }
    let workspace = plane::patient(&service).build().unwrap();
    let mut handle = AksWebservice::get(&workspace, "s-1").await.unwrap();
    handle.update(cores().build().unwrap()).await.unwrap();
    // The logs are asked for once the failure is known, and not told yet.
    let logs_are_read = async {
        while !plane::sent(&service).iter().any(|seen| seen.target == logs) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        ended = handle.wait_for_deployment(fast()) => panic!("was to be dropped: {ended:?}"),
        () = logs_are_read => {}
    }
    only(&service, "GET", &logs);
    tag(&mut service, &mut handle).await;
    // What the service is after the change counts.
    handle.wait_for_deployment(fast()).await.unwrap();
    only(&service, "GET", &models("/operations/op"));
}
