use azure_core::http::Method;
use azureml_aks::emulator::{Clock, Emulator};
use serde_json::{Value, json};

use crate::support::raw::*;

async fn admin(emulator: &Emulator, method: Method, route: &str, body: Option<Value>) -> Reply {
    let url = format!("http://127.0.0.1/_emulator/{route}");
    try_send(emulator, method, &url, None, body.as_ref())
        .await
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn faults_can_be_chosen_by_json() {
    let emulator = Emulator::builder().clock(Clock::Manual).build();
    let faults = json!([
        { "kind": "throttled", "retry_after": 3, "times": 1, "method": "get", "path": "/computes/" },
        { "kind": "response_override", "status": 418, "headers": { "x-a": "b" }, "body": { "a": 1 }, "times": 1 },
    ]);
    assert_eq!(
        admin(&emulator, Method::Post, "faults", Some(faults))
            .await
            .status,
        204
    );
    let reply = get(&emulator, "myaks").await;
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (429, Some("3"))
    );
    let reply = get(&emulator, "myaks").await;
    assert_eq!((reply.status, &reply.body), (418, &json!({ "a": 1 })));
    assert_eq!(reply.header("x-a"), Some("b"));
    let fault = json!({ "kind": "server_error" });
    admin(&emulator, Method::Post, "faults", Some(fault)).await;
    assert_eq!(get(&emulator, "myaks").await.status, 500);
    assert_eq!(
        admin(&emulator, Method::Delete, "faults", None)
            .await
            .status,
        204
    );
    assert_eq!(get(&emulator, "myaks").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_fault_has_a_name_in_json() {
    let emulator = Emulator::new();
    for kind in [
        "quota_exceeded",
        "policy_denied",
        "unsupported_version",
        "second_attachment_breaks_first",
        "path_retired",
        "throttled",
        "server_error",
        "connection_dropped",
        "response_lost",
        "truncated_body",
        "html_error",
        "expired_token",
        "never_ending_operation",
        "compute_appears",
        "response_override",
    ] {
        let reply = admin(
            &emulator,
            Method::Post,
            "faults",
            Some(json!({ "kind": kind })),
        )
        .await;
        assert_eq!(reply.status, 204, "{kind}: {:?}", reply.body);
    }
    for fault in [
        json!({ "kind": "foreign_polling_url", "url": "https://evil.example" }),
        json!({ "kind": "operation_fails", "code": "A", "message": "b" }),
    ] {
        assert_eq!(
            admin(&emulator, Method::Post, "faults", Some(fault))
                .await
                .status,
            204
        );
    }
}

#[tokio::test(start_paused = true)]
async fn fault_that_is_not_understood_is_refused_and_none_of_its_list_injected() {
    let emulator = Emulator::new();
    for bad in [
        json!({}),
        json!(1),
        json!({ "kind": "nothing" }),
        json!({ "kind": "throttled", "seconds": 3 }),
        json!({ "kind": "throttled", "times": "1" }),
        json!({ "kind": "server_error", "status": 99 }),
        json!({ "kind": "foreign_polling_url" }),
        json!([{ "kind": "html_error" }, { "kind": "nothing" }]),
    ] {
        let reply = admin(&emulator, Method::Post, "faults", Some(bad.clone())).await;
        assert_eq!(reply.status, 400, "{bad}");
    }
    assert_eq!(get(&emulator, "myaks").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn clock_journal_and_health_are_there_too() {
    let emulator = Emulator::builder().clock(Clock::Manual).build();
    let health = admin(&emulator, Method::Get, "health", None).await.body;
    assert_eq!(health["workspace"], emulator.workspace());
    put(&emulator, "one", &create_body(json!({}))).await;
    admin(
        &emulator,
        Method::Post,
        "advance",
        Some(json!({ "seconds": 600.0 })),
    )
    .await;
    assert_eq!(state(&emulator, "one"), "Succeeded");
    put(&emulator, "two", &create_body(json!({}))).await;
    admin(&emulator, Method::Post, "finish", None).await;
    assert_eq!(state(&emulator, "two"), "Succeeded");
    let journal = admin(&emulator, Method::Get, "journal", None).await.body;
    let journal = journal.as_array().unwrap();
    assert_eq!(journal.len(), 2, "admin requests are not part of it");
    assert_eq!(journal[0]["method"], "PUT");
    assert_eq!(journal[0]["status"], 201);
    assert_eq!(journal[0]["authorized"], true);
    admin(&emulator, Method::Delete, "journal", None).await;
    assert!(emulator.journal().is_empty());
    let document = json!({ "swagger": "2.0" });
    let reply = admin(&emulator, Method::Put, "swagger/myservice", Some(document)).await;
    assert_eq!(reply.status, 204);
    assert_eq!(
        admin(&emulator, Method::Get, "swagger/myservice", None)
            .await
            .status,
        405
    );
    for seconds in [json!(-1), json!("x"), Value::Null] {
        let body = json!({ "seconds": seconds });
        assert_eq!(
            admin(&emulator, Method::Post, "advance", Some(body))
                .await
                .status,
            400
        );
    }
    assert_eq!(
        admin(&emulator, Method::Put, "health", None).await.status,
        405
    );
    assert_eq!(
        admin(&emulator, Method::Get, "nothing", None).await.status,
        404
    );
}
