use azure_core::http::{Method, Request, Url};
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

/// Sends bytes with these headers, and gives the status and the text of the answer.
async fn raw(
    emulator: &Emulator,
    method: Method,
    url: &str,
    headers: &[(&'static str, &str)],
    body: &[u8],
) -> (u16, String) {
    let mut request = Request::new(Url::parse(url).unwrap(), method);
    for (name, value) in headers {
        request.insert_header(*name, (*value).to_owned());
    }
    request.set_body(body.to_vec());
    let answer = emulator.http_client().execute_request(&request).await;
    let (status, _, body) = answer.unwrap().deconstruct();
    let body = body.collect().await.unwrap();
    (
        u16::from(status),
        String::from_utf8_lossy(&body).into_owned(),
    )
}

#[tokio::test(start_paused = true)]
async fn admin_requests_of_web_pages_are_refused_and_do_nothing() {
    let emulator = Emulator::builder().clock(Clock::Manual).build();
    put(&emulator, "myaks", &create_body(json!({}))).await;
    let routes: [(Method, &str, &[u8]); 10] = [
        (Method::Get, "health", b""),
        (Method::Post, "faults", br#"{"kind":"html_error"}"#),
        (Method::Delete, "faults", b""),
        (Method::Get, "journal", b""),
        (Method::Delete, "journal", b""),
        (Method::Post, "advance", br#"{"seconds":600}"#),
        (Method::Post, "finish", b""),
        (Method::Put, "swagger/a", b"{}"),
        (Method::Put, "log/a", br#""a""#),
        (Method::Get, "nothing", b""),
    ];
    for (method, route, body) in routes {
        let url = format!("http://127.0.0.1/_emulator/{route}");
        for origin in ["https://evil.example", "http://127.0.0.1", "null", ""] {
            let headers = [("origin", origin), ("content-type", "application/json")];
            let (status, text) = raw(&emulator, method, &url, &headers, body).await;
            assert_eq!(status, 403, "{method} {route} of {origin:?}: {text}");
            assert!(text.contains("Origin"), "{text}");
        }
    }
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/jsonx"),
        Some("text/plain; application/json"),
    ] {
        let headers: Vec<_> = kind
            .map(|kind| ("content-type", kind))
            .into_iter()
            .collect();
        for (method, route, body) in routes.iter().filter(|(_, _, body)| !body.is_empty()) {
            let url = format!("http://127.0.0.1/_emulator/{route}");
            let (status, text) = raw(&emulator, *method, &url, &headers, body).await;
            assert_eq!(status, 415, "{route} as {kind:?}: {text}");
        }
    }
    assert_eq!(emulator.journal().len(), 1);
    assert_eq!(state(&emulator, "myaks"), "Creating");
    assert_eq!(get(&emulator, "myaks").await.status, 200);

    let headers = [("content-type", "Application/JSON; charset=utf-8")];
    let url = "http://127.0.0.1/_emulator/advance";
    let (status, text) = raw(
        &emulator,
        Method::Post,
        url,
        &headers,
        br#"{"seconds":600}"#,
    )
    .await;
    assert_eq!(status, 204, "{text}");
}

#[tokio::test(start_paused = true)]
async fn journal_keeps_the_last_requests_and_tells_of_the_others() {
    const MOST: usize = 10_000;
    let emulator = Emulator::new();
    let url = |number: usize| format!("https://management.azure.com/n{number}");
    for number in 0..MOST + 7 {
        raw(&emulator, Method::Get, &url(number), &[], b"").await;
    }
    let journal = emulator.journal();
    assert_eq!((journal.len(), emulator.journal_dropped()), (MOST, 7));
    assert_eq!(journal[0].path, "/n7");
    // Also the entry of a request that is answered when others were dropped.
    assert!(journal.iter().all(|entry| entry.status == Some(404)));
    let health = admin(&emulator, Method::Get, "health", None).await.body;
    assert_eq!(health["journalDropped"], 7);
    emulator.clear_journal();
    assert_eq!(
        (emulator.journal().len(), emulator.journal_dropped()),
        (0, 0)
    );

    // 64 MiB, of which a request with such a header takes one.
    let header = "x".repeat(1 << 20);
    for number in 0..70 {
        let headers = [("x-long", header.as_str())];
        raw(&emulator, Method::Get, &url(number), &headers, b"").await;
    }
    let (kept, dropped) = (emulator.journal().len(), emulator.journal_dropped());
    assert_eq!((kept, kept + dropped), (63, 70));
}

#[tokio::test(start_paused = true)]
async fn journal_keeps_of_a_long_body_its_length() {
    let emulator = Emulator::new();
    let url = "https://management.azure.com/x";
    let json = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    for length in [64 << 10, (64 << 10) + 1] {
        raw(&emulator, Method::Put, url, &[], json(length).as_bytes()).await;
    }
    let journal = emulator.journal();
    assert!(journal[0].body.is_string());
    assert_eq!(journal[1].body, json!({ "bytes": 65_537 }));
}
