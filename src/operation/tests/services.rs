//! Case 40: operations of the model management service.

use super::script::*;
use super::tree;
use super::verbs::workspace;
use crate::models::Progress;
use crate::operation::{self as waiting, Driver, Machine, Protocol, Ticket, WaitOptions};
use crate::token::{FinalStateVia, HttpVerb, MonitorKind, ResumeToken, TokenResource, Verb};
use crate::transport::{HttpRequest, Limit, Sending};
use crate::webservice::SUBJECT;
use crate::{Error, ErrorKind};
use azure_core::http::Method;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use url::Url;

const SERVICE: &str = "https://management.azure.com/mms/services/s?expand=true";
const OPERATIONS: &str = "https://management.azure.com/mms/operations";
const OPERATION: &str = "https://management.azure.com/mms/operations/a1";

fn accepted() -> Reply {
    // On another host, which must not be asked.
    reply(202).header("operation-location", "https://other.example/x/a1?y=/z")
}

fn operation(state: &str, log: &str) -> Reply {
    reply(200).json(&json!({
        "state": state,
        "streamingOperationLog": log,
        // As a resource of ARM would say it: not here.
        "status": "Failed",
        "resourceLocation": "https://other.example/s",
    }))
}

fn service(state: &str) -> Reply {
    reply(200).json(&json!({
        "name": "s",
        "state": state,
        // Properties of a service are the user's own words.
        "properties": { "provisioningState": "Failed" },
    }))
}

async fn begin(
    script: &Arc<Script>,
    verb: HttpVerb,
    result: bool,
    first: Reply,
) -> Result<Driver, Error> {
    script.expect([first]);
    let client = workspace(script).client().clone();
    let method = match verb {
        HttpVerb::Delete => Method::Delete,
        HttpVerb::Patch => Method::Patch,
        _ => Method::Post,
    };
    let url = Url::parse(SERVICE).unwrap();
    let operations = Url::parse(OPERATIONS).unwrap();
    let request = HttpRequest::new(method, url.clone());
    let id = request.client_request_id.clone();
    let answer = client
        .send(&request, Sending::Once, Limit::RESOURCE, None)
        .await?;
    let origins = client.origins();
    let begun = Machine::start_service(verb, &url, &id, origins, &operations, result, &answer)?;
    let via = result.then_some(FinalStateVia::OriginalUri);
    let of = (Verb::Deploy, verb);
    let token = ResumeToken::of_request(TokenResource::Service, of, url.as_str(), via, &id);
    let ticket = Ticket::of(token);
    let target = (&SUBJECT, "s".into());
    Ok(Driver::new(client, target, Some(ticket), begun))
}

struct Run {
    result: Result<Option<Value>, Error>,
    urls: Vec<String>,
    log: Vec<String>,
}

async fn run(
    verb: HttpVerb,
    result: bool,
    first: Reply,
    replies: impl IntoIterator<Item = Reply>,
) -> Run {
    let script = Script::new();
    let log = Arc::new(Mutex::new(Vec::new()));
    let seen = log.clone();
    let options = WaitOptions::new().on_progress(move |progress: &Progress| {
        seen.lock().unwrap().extend(progress.log.iter().cloned());
    });
    let ended = match begin(&script, verb, result, first).await {
        Ok(mut driver) => {
            script.expect(replies);
            driver.run(&options).await
        }
        Err(error) => Err(error),
    };
    assert_eq!(script.unused(), 0, "answers left over after {ended:?}");
    let sent = script.sent();
    assert!(
        sent[1..].iter().all(|sent| sent.method == "GET"),
        "{sent:?}"
    );
    let log = log.lock().unwrap().clone();
    Run {
        result: ended.map(tree),
        urls: sent.into_iter().skip(1).map(|sent| sent.url).collect(),
        log,
    }
}

#[tokio::test(start_paused = true)]
async fn case_40_operation_is_read_below_our_own_base_with_its_log() {
    let first = "20200101000000|a \u{e9}#bad#";
    let second = "20200101000001|b#";
    let run = run(
        HttpVerb::Post,
        true,
        accepted(),
        [
            operation("NotStarted", ""),
            operation("Running", first),
            operation("Running", second),
            operation("Succeeded", "garbage"),
            service("Healthy"),
        ],
    )
    .await;
    let (n, m) = (first.chars().count(), second.len());
    assert_eq!(
        run.urls,
        [
            OPERATION.to_owned(),
            OPERATION.to_owned(),
            format!("{OPERATION}?offset={n}"),
            format!("{OPERATION}?offset={}", n + m),
            SERVICE.to_owned(),
        ]
    );
    assert_eq!(run.result.unwrap().unwrap()["state"], "Healthy");
    assert_eq!(run.log, ["a \u{e9}", "b"]);
}

#[tokio::test(start_paused = true)]
async fn case_40_failed_cancelled_and_timed_out_are_failures_with_the_code() {
    let failure = |state: &str| {
        reply(200).json(&json!({
            "state": state,
            "error": { "code": "ServiceDeploymentFailed", "statusCode": 400, "message": "no" },
        }))
    };
    for (state, kind) in [
        ("Failed", ErrorKind::OperationFailed),
        ("TimedOut", ErrorKind::OperationFailed),
        ("Cancelled", ErrorKind::OperationCanceled),
    ] {
        let replies = [failure(state), service("Failed")];
        let error = run(HttpVerb::Post, true, accepted(), replies)
            .await
            .result
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{state}");
        assert_eq!(error.code(), Some("ServiceDeploymentFailed"), "{state}");
        assert_eq!(error.http_status(), None, "that was no answer of HTTP");
        assert!(error.resume_token().is_none());
        assert!(
            error.to_string().contains("deploy service \"s\""),
            "{error}"
        );
        assert!(error.remedy().is_some(), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn case_40_reason_is_the_services_unless_the_operation_has_details() {
    let reason = |code: &str| json!({ "code": code, "message": "x" });
    let with_details = json!({
        "code": "Outer", "message": "y",
        "details": [{ "code": "CrashLoopBackOff", "message": "z" }],
    });
    let unsaid = json!(null);
    for (operation, service, code) in [
        (
            reason("Operation"),
            reason("DeploymentTimedOut"),
            "DeploymentTimedOut",
        ),
        (reason("Operation"), unsaid.clone(), "Operation"),
        (with_details, reason("Old"), "CrashLoopBackOff"),
        (unsaid.clone(), unsaid, "TimedOut"),
    ] {
        let replies = [
            reply(200).json(&json!({ "state": "TimedOut", "error": operation })),
            reply(200).json(&json!({ "state": "Failed", "error": service })),
        ];
        let run = run(HttpVerb::Post, true, accepted(), replies).await;
        assert_eq!(run.urls, [OPERATION, SERVICE]);
        assert_eq!(run.result.unwrap_err().code(), Some(code));
    }
    // An update that failed, of a service that goes on with what it had.
    let replies = [
        reply(200).json(&json!({ "state": "Failed", "error": reason("Operation") })),
        reply(200).json(&json!({ "state": "Healthy", "error": reason("Old") })),
    ];
    let run = run(HttpVerb::Patch, true, accepted(), replies).await;
    assert_eq!(run.result.unwrap_err().code(), Some("Operation"));
}

#[tokio::test(start_paused = true)]
async fn case_40_state_of_the_service_decides_and_only_two_states_are_final() {
    let run_to = |states: &'static [&'static str]| {
        let replies = std::iter::once(operation("Succeeded", ""));
        run(
            HttpVerb::Patch,
            true,
            accepted(),
            replies.chain(states.iter().map(|state| service(state))),
        )
    };
    let ended = run_to(&[
        "Transitioning",
        "Unhealthy",
        "Unschedulable",
        "New",
        "Healthy",
    ])
    .await;
    assert_eq!(ended.result.unwrap().unwrap()["state"], "Healthy");
    assert_eq!(ended.urls[1..], [SERVICE; 5]);
    let ended = run_to(&["Unhealthy", "Failed"]).await;
    assert_eq!(ended.result.unwrap_err().kind(), ErrorKind::OperationFailed);
}

#[tokio::test(start_paused = true)]
async fn case_40_new_key_and_a_delete_have_no_result_to_read() {
    let ended = run(
        HttpVerb::Post,
        false,
        accepted(),
        [operation("Succeeded", "")],
    )
    .await;
    assert_eq!(ended.result.unwrap(), None);
    let gone = run(
        HttpVerb::Delete,
        false,
        accepted(),
        [operation("Running", ""), reply(404), reply(404)],
    )
    .await;
    assert_eq!(gone.result.unwrap(), None);
    assert_eq!(gone.urls, [OPERATION, OPERATION, SERVICE]);
    // Without an operation the service itself is watched until it is gone.
    let watched = run(
        HttpVerb::Delete,
        false,
        reply(202),
        [service("Healthy"), reply(404)],
    )
    .await;
    assert_eq!(watched.result.unwrap(), None);
    assert_eq!(watched.urls, [SERVICE, SERVICE]);
}

#[tokio::test(start_paused = true)]
async fn case_40_answer_at_once_is_an_end_and_one_without_an_operation_an_error() {
    for (verb, status) in [
        (HttpVerb::Delete, 200),
        (HttpVerb::Delete, 204),
        (HttpVerb::Post, 200),
    ] {
        let ended = run(verb, false, reply(status), []).await;
        assert_eq!(ended.result.unwrap(), None, "{verb:?} {status}");
    }
    for verb in [HttpVerb::Post, HttpVerb::Patch] {
        let error = run(verb, true, reply(202), []).await.result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        let error = run(verb, true, reply(409), []).await.result.unwrap_err();
        assert!(error.is_conflict());
    }
}

#[tokio::test(start_paused = true)]
async fn case_40_wait_that_passes_its_deadline_goes_on_from_its_token() {
    let script = Script::new();
    let mut driver = begin(&script, HttpVerb::Post, true, accepted())
        .await
        .unwrap();
    script.otherwise(|_| operation("Running", "20200101000000|a#"));
    let options = WaitOptions::new().deadline(Duration::from_secs(60));
    let error = driver.run(&options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);

    let token = ResumeToken::parse(&error.resume_token().unwrap().expose()).unwrap();
    assert_eq!(token.target(), "s");
    assert_eq!(token.parts().next_request_uri.as_deref(), Some(OPERATION));
    assert_eq!(token.parts().monitor, Some(MonitorKind::ServiceOperation));

    let script = Script::new();
    let client = workspace(&script).client().clone();
    let begun = Machine::resume(token.parts(), client.origins()).unwrap();
    let mut resumed = Driver::of(client, &SUBJECT, Ticket::of(token), begun);
    script.expect([operation("Succeeded", ""), service("Healthy")]);
    let result = resumed.run(&WaitOptions::new()).await.unwrap();
    assert_eq!(tree(result).unwrap()["state"], "Healthy");
    let urls: Vec<String> = script.sent().into_iter().map(|sent| sent.url).collect();
    assert_eq!(urls, [OPERATION, SERVICE]);
}

#[tokio::test(start_paused = true)]
async fn case_40_service_that_was_only_read_is_watched_to_a_final_state() {
    let script = Script::new();
    let client = workspace(&script).client().clone();
    let url = Url::parse(SERVICE).unwrap();
    let protocol = Protocol::ModelManagement;
    let begun = waiting::watch(&client, protocol, &url, "", None, Some("Transitioning"));
    let mut driver = Driver::new(client, (&SUBJECT, "s".into()), None, begun);
    script.expect([
        service("Transitioning"),
        service("Unhealthy"),
        service("Healthy"),
    ]);
    let result = driver.run(&WaitOptions::new()).await.unwrap();
    assert_eq!(tree(result).unwrap()["state"], "Healthy");
    assert!(script.sent().iter().all(|sent| sent.url == SERVICE));
}
