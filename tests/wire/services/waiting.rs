//! Waiting: polls of an operation, its log, and how it ends.

use super::{at_service, begins, described, fast, operation, refusal, with_service};
use crate::support::plane::{self, MODELS, models, only};
use crate::support::redirect::{Reply, Service};
use azureml_aks::{AksWebservice, Error, ErrorKind, ServiceUpdate, models::Event};
use futures::StreamExt;
use futures::future::join_all;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

fn poll(rest: &str) -> String {
    models(&format!("/operations/op%201{rest}"))
}

/// `s-1` in the middle of an update.
async fn updating(begun: Reply) -> (Service, AksWebservice) {
    let (mut service, mut handle) = with_service("Healthy").await;
    service
        .on("POST", &models("/services/validate"), Reply::new(200, "{}"))
        .await
        .on("PATCH", &models("/services/s-1"), begun)
        .await;
    let update = ServiceUpdate::builder().cpu_cores(0.2).build().unwrap();
    handle.update(update).await.unwrap();
    (service, handle)
}

fn logging(state: &str, log: &str) -> Reply {
    let mut body = operation(state);
    body["streamingOperationLog"] = json!(log);
    Reply::json(200, &body)
}

#[tokio::test]
async fn operation_is_polled_at_the_own_host_with_the_offset_of_its_log() {
    let (mut service, mut handle) = updating(begins(202, "op%201")).await;
    service
        .on("GET", &poll(""), Reply::json(200, &operation("NotStarted")))
        .await
        .on(
            "GET",
            &poll(""),
            logging("Running", "20260101000000|größer#garbage#"),
        )
        .await
        .on(
            "GET",
            &poll("?offset=30"),
            logging("Running", "20260101000001|zwei"),
        )
        .await
        .on(
            "GET",
            &poll("?offset=49"),
            Reply::json(200, &operation("Succeeded")),
        )
        .await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = told.clone();
    let options = fast().on_progress(move |progress| {
        seen.lock().unwrap().extend(progress.log.iter().cloned());
    });
    let before = plane::lines(&service).len();
    handle.wait_for_deployment(options).await.unwrap();
    let lines = plane::lines(&service).split_off(before);
    let get = |target: String| format!("GET {MODELS} {target}");
    assert_eq!(
        lines,
        [
            get(poll("")),
            get(poll("")),
            get(poll("?offset=30")),
            get(poll("?offset=49")),
            get(at_service()),
        ]
    );
    assert_eq!(told.lock().unwrap()[..1], ["größer"]);
    // One id for the request and all polls of it.
    let seen = plane::sent(&service);
    let id = only(&service, "PATCH", &models("/services/s-1"));
    for poll in &seen[seen.len() - 5..seen.len() - 1] {
        assert_eq!(poll.request_id(), id.request_id());
        assert_eq!(poll.headers["authorization"], "Bearer CANARY-token-2");
        assert!(poll.body.is_empty());
    }
    assert_eq!(handle.state().unwrap().as_str(), "Healthy");
    assert!(handle.resume_token().is_none());
}

/// How an update ends whose polls are answered so.
async fn ended(polls: Vec<Reply>) -> Result<(), Error> {
    let (mut service, mut handle) = updating(begins(202, "op%201")).await;
    for reply in polls {
        let reply = reply.header("retry-after-ms", "1");
        service.on("GET", &poll(""), reply).await;
    }
    for init in ["false", "true"] {
        let logs = models(&format!("/services/s-1/logs?tail=100&init={init}"));
        let content = json!({ "content": format!("log of init={init}") });
        service.on("GET", &logs, Reply::json(200, &content)).await;
    }
    handle.wait_for_deployment(fast()).await
}

#[tokio::test]
async fn words_of_an_operation_are_read_in_any_case_and_unknown_ones_go_on() {
    // Side by side: the first pause is a second.
    let waits = [
        vec!["Succeeded"],
        vec!["succeeded"],
        vec!["Running", "SUCCEEDED "],
        vec!["NotStarted", "Running", "Unheard-of", "Succeeded"],
    ]
    .map(|states| {
        let poll = |state| Reply::json(200, &operation(state));
        ended(states.into_iter().map(poll).collect())
    });
    for result in join_all(waits).await {
        result.unwrap();
    }
}

#[tokio::test]
async fn failed_operation_is_reported_with_all_that_is_known_of_it() {
    let waits = [
        ("Failed", ErrorKind::OperationFailed),
        ("TimedOut", ErrorKind::OperationFailed),
        ("Cancelled", ErrorKind::OperationCanceled),
        ("Canceled", ErrorKind::OperationCanceled),
    ]
    .map(|(state, kind)| async move {
        let mut body = operation(state);
        body["error"] = refusal("ImageBuild", 400);
        let error = ended(vec![Reply::json(200, &body)]).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{state}: {error}");
        assert_eq!(error.code(), Some("Detail"), "{state}: {error}");
        let text = error.to_string();
        for part in ["service \"s-1\"", "not like this", "because of it"] {
            assert!(text.contains(part), "{state}: {text}");
        }
        let logs = error.container_logs().unwrap();
        assert_eq!(logs.main.as_deref(), Some("log of init=false"));
        assert_eq!(logs.init.as_deref(), Some("log of init=true"));
        assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
        // Without a word of the service the state itself is told.
        let silent = ended(vec![Reply::json(200, &json!({ "state": state }))]).await;
        let silent = silent.unwrap_err();
        assert_eq!(silent.kind(), kind);
        assert!(silent.to_string().contains(state), "{silent}");
    });
    join_all(waits).await;
}

#[tokio::test]
async fn polls_without_a_status_are_retried_and_then_given_up() {
    let done = || Reply::json(200, &operation("Succeeded"));
    let odd = [
        "{}",
        "null",
        "[]",
        "<html>",
        "{\"state\":7}",
        "{\"state\":\" \"}",
    ];
    let given_up = odd.map(|odd| async move {
        ended(vec![Reply::new(200, odd), done()]).await.unwrap();
        let error = ended(vec![Reply::new(200, odd)]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{odd}: {error}");
        assert!(error.to_string().contains("service \"s-1\""), "{error}");
    });
    let passing = [
        Reply::empty(500),
        Reply::empty(429),
        Reply::new(200, "{\"state\":").breaks_off(),
    ]
    .map(|passing| ended(vec![passing, done()]));
    let (_, passed) = futures::join!(join_all(given_up), join_all(passing));
    for result in passed {
        result.unwrap();
    }
}

#[tokio::test]
async fn refused_poll_is_a_lost_status_with_a_token() {
    let error = ended(vec![Reply::json(400, &refusal("Bad", 400))])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OperationStatusLost, "{error}");
    assert!(error.resume_token().is_some());
    assert!(error.may_still_run());
}

#[tokio::test]
async fn failure_reads_the_service_and_both_logs_and_tells_it_whatever_comes_of_them() {
    for logs in [true, false] {
        let (mut service, mut handle) = updating(begins(202, "op%201")).await;
        let mut failed = operation("Failed");
        failed["error"] = refusal("ImageBuild", 400);
        service
            .on("GET", &poll(""), Reply::json(200, &failed))
            .await;
        for init in ["false", "true"] {
            let target = models(&format!("/services/s-1/logs?tail=100&init={init}"));
            let reply = match logs {
                true => Reply::json(200, &json!({ "content": format!("init {init}\n") })),
                false => Reply::empty(404),
            };
            service.on("GET", &target, reply).await;
        }
        let before = plane::lines(&service).len();
        let error = handle.wait_for_deployment(fast()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OperationFailed);
        let mut lines = plane::lines(&service).split_off(before);
        lines[1..].sort();
        // The service once for its own words, and once for the handle.
        lines.dedup();
        assert_eq!(
            lines,
            [
                poll(""),
                models("/services/s-1/logs?tail=100&init=false"),
                models("/services/s-1/logs?tail=100&init=true"),
                at_service(),
            ]
            .map(|target| format!("GET {MODELS} {target}"))
        );
        let found = format!("{:?}", error.container_logs());
        assert_eq!(found.contains("init"), logs, "{found}");
    }
}

#[tokio::test]
async fn service_without_an_operation_is_followed_by_its_own_state() {
    let mut service = plane::start().await;
    for body in [
        described("Transitioning"),
        described("Unhealthy"),
        described("unheard-of"),
        described("Healthy"),
    ] {
        let reply = Reply::json(200, &body).header("retry-after-ms", "1");
        service.on("GET", &at_service(), reply).await;
    }
    let workspace = plane::workspace(&service);
    let mut handle = AksWebservice::get(&workspace, "s-1").await.unwrap();
    handle.wait_for_deployment(fast()).await.unwrap();
    assert_eq!(handle.state().unwrap().as_str(), "Healthy");
    let expected = vec![format!("GET {MODELS} {}", at_service()); 4];
    assert_eq!(plane::lines(&service), expected);
}

#[tokio::test]
async fn service_that_failed_before_reports_the_reason() {
    let mut body = described("Failed");
    body["error"] = refusal("CrashLoop", 400);
    let mut service = plane::start().await;
    service
        .on("GET", &at_service(), Reply::json(200, &body))
        .await;
    let workspace = plane::workspace(&service);
    let mut handle = AksWebservice::get(&workspace, "s-1").await.unwrap();
    let error = handle.wait_for_deployment(fast()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OperationFailed);
    assert!(error.to_string().contains("not like this"), "{error}");
}

#[tokio::test]
async fn result_of_an_operation_that_is_no_service_is_reported() {
    let odd: [(Value, ErrorKind); 3] = [
        (json!({}), ErrorKind::Protocol),
        (json!({ "name": 7 }), ErrorKind::ResultUnavailable),
        (
            json!({ "name": "s-1", "computeType": "ACI" }),
            ErrorKind::Refused,
        ),
    ];
    let waits = odd.map(|(body, kind)| async move {
        let mut service = plane::start().await;
        service
            .on(
                "GET",
                &at_service(),
                Reply::json(200, &described("Healthy")),
            )
            .await
            .on(
                "GET",
                &at_service(),
                Reply::json(200, &described("Healthy")),
            )
            .await
            .on("GET", &at_service(), Reply::json(200, &body))
            .await
            .on("POST", &models("/services/validate"), Reply::new(200, "{}"))
            .await
            .on("PATCH", &models("/services/s-1"), begins(202, "op%201"))
            .await
            .on("GET", &poll(""), Reply::json(200, &operation("Succeeded")))
            .await;
        let workspace = plane::workspace(&service);
        let mut handle = AksWebservice::get(&workspace, "s-1").await.unwrap();
        let update = ServiceUpdate::builder().cpu_cores(0.2).build().unwrap();
        handle.update(update).await.unwrap();
        let error = handle.wait_for_deployment(fast()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{body}: {error}");
    });
    join_all(waits).await;
}

#[tokio::test]
async fn events_are_the_progress_and_the_end_and_a_dropped_stream_loses_nothing() {
    let (mut service, mut handle) = updating(begins(202, "op%201")).await;
    service
        .on("GET", &poll(""), Reply::json(200, &operation("Running")))
        .await
        .on("GET", &poll(""), Reply::json(200, &operation("Succeeded")))
        .await;
    {
        let mut events = Box::pin(handle.events(fast()));
        let first = events.next().await.unwrap().unwrap();
        assert!(matches!(first, Event::Progress(_)), "{first:?}");
    }
    let events: Vec<_> = handle.events(fast()).collect().await;
    let last = events.last().unwrap().as_ref().unwrap();
    assert!(matches!(last, Event::Done(())), "{events:?}");
    assert!(events.len() > 1, "{events:?}");
    let polls = plane::sent(&service);
    let polls = polls.iter().filter(|seen| seen.target == poll("")).count();
    assert_eq!(polls, 2);
    // Over, and nothing is pending: the service is read, once.
    let asked = plane::lines(&service).len();
    let events: Vec<_> = handle.events(fast()).collect().await;
    assert!(
        matches!(events.as_slice(), [Ok(Event::Done(()))]),
        "{events:?}"
    );
    let more = plane::lines(&service).split_off(asked);
    assert_eq!(more, [format!("GET {MODELS} {}", at_service())]);
}
