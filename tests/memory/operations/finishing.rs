//! Cases 37 and 38: the result, and the reason of a failure.

use super::support::*;
use azureml_aks::{ErrorKind, WaitOptions};

#[tokio::test(start_paused = true)]
async fn case_37_last_read_is_retried() {
    let replies = [
        status("Succeeded"),
        reply(503),
        not_found(),
        Reply::reset(),
        ready(),
    ];
    let run = create(created(), replies).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.lines()[2..], ["GET compute"; 4]);
}

#[tokio::test(start_paused = true)]
async fn case_37_unreadable_result_does_not_fail_the_operation() {
    for (last, status_code) in [
        (not_found(), Some(404)),
        (reply(403), Some(403)),
        (reply(503), Some(503)),
    ] {
        let stage = Stage::new();
        let mut compute = stage.create(created()).await.unwrap();
        stage.script.expect([status("Succeeded")]);
        stage.script.otherwise(move |_| last.clone());
        let error = compute
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResultUnavailable, "{error}");
        assert_eq!(error.http_status(), status_code);
        assert!(!error.is_operation_failure() && !error.may_still_run());
        assert_eq!((error.resume_token(), compute.resume_token()), (None, None));
        let reads = stage.lines().len() - 2;
        assert!(reads <= 11, "{reads} reads");

        // It is not remembered as the end: the next call reads again, and only the result.
        let before = stage.lines().len();
        stage.script.expect([ready()]);
        compute
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap();
        assert_eq!(stage.lines()[before..], ["GET compute"]);
    }
}

#[tokio::test(start_paused = true)]
async fn case_37_compute_that_is_not_ready_after_the_success_is_followed() {
    let creating = reply(200).json(&resource("Creating"));
    let run = create(created(), [status("Succeeded"), creating, ready()]).await;
    run.result.as_ref().unwrap();
    assert!(run.pauses()[2] >= 1.0);

    let run = create(
        created(),
        [status("Succeeded"), reply(200).json(&resource("Failed"))],
    )
    .await;
    assert_eq!(run.error().kind(), ErrorKind::OperationFailed);
}

#[tokio::test(start_paused = true)]
async fn case_37_place_that_the_monitor_names_wins() {
    let named = "https://management.azure.com/named?api-version=7";
    let done = json!({ "status": "Succeeded", "resourceLocation": named });
    let run = create(created(), [reply(200).json(&done), ready()]).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.sent[2].url, named);
}

#[tokio::test(start_paused = true)]
async fn case_38_code_and_message_are_found_wherever_they_are() {
    let inner = json!({ "code": "C", "message": "M" });
    for body in [
        json!({ "status": "Failed", "error": { "error": inner } }),
        json!({ "status": "Failed", "error": inner }),
        json!({ "status": "Failed", "code": "C", "message": "M" }),
    ] {
        let run = create(created(), [reply(200).json(&body)]).await;
        let error = run.error();
        assert_eq!(error.kind(), ErrorKind::OperationFailed, "{body}");
        assert_eq!(error.code(), Some("C"), "{body}");
        assert!(error.to_string().contains('M'), "{error}");
        assert_eq!(run.lines(), ["PUT compute", "GET monitor"]);
    }
    for (code, word) in [(400, "Failed"), (409, "Canceled"), (404, "Failed")] {
        let body = json!({ "status": word, "error": { "statusCode": code, "message": "M" } });
        let run = create(created(), [reply(200).json(&body)]).await;
        let error = run.error();
        let said = error.service_error().unwrap();
        assert_eq!(said.message.as_deref(), Some("M"));
        assert_eq!(said.status_code, Some(code));
        // The error is not the answer to a request: nobody should wait for a conflict to
        // pass, or take the compute for missing.
        assert_eq!(error.http_status(), None);
        assert!(!error.is_conflict() && !error.is_not_found(), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn case_38_failure_without_a_reason_is_looked_up_in_the_compute() {
    let with = |errors: Value| {
        let mut body = resource("Failed");
        body["properties"]["provisioningErrors"] = errors;
        reply(200).json(&body)
    };
    let known = with(json!([{ "error": { "code": "C", "message": "M" } }]));
    let run = create(created(), [status("Failed"), known]).await;
    assert_eq!(run.error().kind(), ErrorKind::OperationFailed);
    assert_eq!(run.error().code(), Some("C"));
    assert_eq!(run.lines(), ["PUT compute", "GET monitor", "GET compute"]);

    for unknown in [
        with(json!(null)),
        with(json!([null])),
        reply(403),
        reply(200),
        not_found(),
    ] {
        let run = create(created(), [status("Canceled"), unknown]).await;
        assert_eq!(run.error().kind(), ErrorKind::OperationCanceled);
        assert_eq!(run.error().code(), None);
        assert_eq!(run.token, None);
    }
}

#[tokio::test(start_paused = true)]
async fn end_is_returned_again_without_a_request() {
    let stage = Stage::new();
    let mut compute = stage.create(created()).await.unwrap();
    let failed = json!({ "status": "Failed", "error": { "code": "C" } });
    stage.script.expect([reply(200).json(&failed)]);
    for _ in 0..3 {
        let error = compute
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::OperationFailed, Some("C"))
        );
    }
    assert_eq!(stage.lines(), ["PUT compute", "GET monitor"]);

    let stage = Stage::new();
    let mut operation = stage.detach(reply(204)).await.unwrap();
    for _ in 0..3 {
        operation.wait(WaitOptions::new()).await.unwrap();
    }
    assert_eq!(stage.lines().len(), 1);
}
