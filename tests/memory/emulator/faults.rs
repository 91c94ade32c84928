use std::time::Duration;

use azure_core::error::ErrorKind;
use azure_core::http::Method;
use azureml_aks::emulator::{Clock, Emulator, Fault};
use serde_json::json;

use crate::support::raw::*;

fn emulator() -> Emulator {
    Emulator::builder()
        .clock(Clock::Manual)
        .cluster(cluster())
        .build()
}

fn existing(emulator: &Emulator) -> String {
    format!(
        "/subscriptions/{}/resourceGroups/othergroup/providers/Microsoft.ContainerService/managedClusters/existing",
        emulator.subscription()
    )
}

#[tokio::test(start_paused = true)]
async fn quota_is_met_only_at_the_end_of_a_create() {
    let emulator = emulator();
    emulator.inject(Fault::quota_exceeded());
    let id = existing(&emulator);
    attach(&emulator, "attached", &id).await;
    assert_eq!(
        state(&emulator, "attached"),
        "Succeeded",
        "an attach makes no machines"
    );
    let reply = put(&emulator, "myaks", &create_body(json!({}))).await;
    assert_eq!(reply.status, 201);
    let url = polling(&reply);
    assert_eq!(read(&emulator, &url).await.body["status"], "InProgress");
    emulator.finish_operations();
    let status = read(&emulator, &url).await.body;
    assert_eq!(status["status"], "Failed");
    assert_eq!(status["error"]["code"], "QuotaExceeded");
    assert_eq!(state(&emulator, "myaks"), "Failed");
}

#[tokio::test(start_paused = true)]
async fn policy_refuses_a_put() {
    let emulator = emulator();
    emulator.inject(Fault::policy_denied().times(1));
    let reply = put(&emulator, "myaks", &create_body(json!({}))).await;
    assert_eq!(
        (reply.status, reply.code()),
        (403, "RequestDisallowedByPolicy")
    );
    assert!(
        reply
            .message()
            .contains("Load Balancers should not have public IPs")
    );
    assert_eq!(
        put(&emulator, "myaks", &create_body(json!({})))
            .await
            .status,
        201
    );
}

#[tokio::test(start_paused = true)]
async fn version_is_refused_with_the_list_of_supported_ones() {
    let emulator = emulator();
    emulator.inject(Fault::unsupported_version());
    let reply = put(
        &emulator,
        "myaks",
        &attach_body(&existing(&emulator), json!({})),
    )
    .await;
    assert_eq!(
        (reply.status, reply.code()),
        (400, "UnsupportedKubernetesVersion")
    );
    assert!(reply.message().contains("1.34.3") && reply.message().contains("1.33, 1.34, 1.35"));
    assert_eq!(
        put(&emulator, "myaks", &create_body(json!({})))
            .await
            .status,
        201
    );
}

#[tokio::test(start_paused = true)]
async fn second_attachment_breaks_the_first_at_once() {
    let emulator = Emulator::builder()
        .tolerate_second_attachment(true)
        .cluster(cluster())
        .build();
    let id = existing(&emulator);
    attach(&emulator, "first", &id).await;
    emulator.inject(Fault::second_attachment_breaks_first());
    assert_eq!(
        put(&emulator, "second", &attach_body(&id, json!({})))
            .await
            .status,
        201
    );
    assert_eq!(state(&emulator, "first"), "Failed");
}

#[tokio::test(start_paused = true)]
async fn retired_path_refuses_creates_only() {
    let emulator = emulator();
    emulator.inject(Fault::path_retired());
    let reply = put(&emulator, "myaks", &create_body(json!({}))).await;
    assert_eq!(reply.status, 400);
    assert!(reply.message().contains("no longer supported"));
    attach(&emulator, "attached", &existing(&emulator)).await;
}

#[tokio::test(start_paused = true)]
async fn throttling_says_when_to_come_back() {
    let emulator = emulator();
    emulator.inject(Fault::throttled(Duration::from_millis(16_500)).times(1));
    let reply = get(&emulator, "myaks").await;
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (429, Some("17"))
    );
    assert_eq!(get(&emulator, "myaks").await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn server_error_does_nothing() {
    let emulator = emulator();
    emulator.inject(Fault::server_error(503).on(Method::Put, "/COMPUTES/"));
    let reply = put(&emulator, "myaks", &create_body(json!({}))).await;
    assert_eq!((reply.status, reply.code()), (503, "ServiceUnavailable"));
    assert!(emulator.compute("myaks").is_none());
    assert_eq!(get(&emulator, "myaks").await.status, 404, "only the PUT");
}

#[tokio::test(start_paused = true)]
async fn dropped_connection_is_an_io_error_and_nothing_happened() {
    let emulator = emulator();
    emulator.inject(Fault::connection_dropped().times(1));
    let url = compute_url(&emulator, "myaks");
    let body = create_body(json!({}));
    let error = try_send(&emulator, Method::Put, &url, Some("t"), Some(&body))
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Io), "{error:?}");
    assert!(emulator.compute("myaks").is_none());
    assert_eq!(emulator.journal()[0].status, None);
}

#[tokio::test(start_paused = true)]
async fn lost_response_leaves_what_was_done() {
    let emulator = emulator();
    emulator.inject(Fault::response_lost().times(1));
    let url = compute_url(&emulator, "myaks");
    let body = create_body(json!({}));
    let error = try_send(&emulator, Method::Put, &url, Some("t"), Some(&body))
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Io));
    assert_eq!(state(&emulator, "myaks"), "Creating");
}

#[tokio::test(start_paused = true)]
async fn truncated_body_breaks_off_in_the_middle() {
    let emulator = emulator();
    create(&emulator, "myaks", json!({})).await;
    emulator.inject(Fault::truncated_body());
    let mut request = azure_core::http::Request::new(
        compute_url(&emulator, "myaks").parse().unwrap(),
        Method::Get,
    );
    request.insert_header("authorization", "Bearer t");
    let answer = emulator
        .http_client()
        .execute_request(&request)
        .await
        .unwrap();
    assert_eq!(u16::from(answer.status()), 200);
    let length: usize = answer
        .headers()
        .get_optional_str(&"content-length".into())
        .unwrap()
        .parse()
        .unwrap();
    let mut body = answer.into_body();
    let mut seen = 0;
    let end = loop {
        match futures::StreamExt::next(&mut body).await {
            Some(Ok(part)) => seen += part.len(),
            other => break other,
        }
    };
    assert!(matches!(end, Some(Err(_))), "{end:?}");
    assert!(seen > 0 && seen < length, "{seen}");
}

#[tokio::test(start_paused = true)]
async fn html_error_is_not_parsed_as_json() {
    let emulator = emulator();
    emulator.inject(Fault::html_error());
    let reply = get(&emulator, "myaks").await;
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (502, Some("text/html"))
    );
    assert!(reply.body.as_str().unwrap().starts_with("<html>"));
}

#[tokio::test(start_paused = true)]
async fn expired_token_is_401_with_a_challenge() {
    let emulator = emulator();
    emulator.inject(Fault::expired_token().times(1));
    let reply = get(&emulator, "myaks").await;
    assert_eq!(
        (reply.status, reply.code()),
        (401, "ExpiredAuthenticationToken")
    );
    assert!(
        reply
            .header("www-authenticate")
            .unwrap()
            .starts_with("Bearer")
    );
}

#[tokio::test(start_paused = true)]
async fn operation_that_never_ends_does_not_end() {
    let emulator = emulator();
    emulator.inject(Fault::never_ending_operation());
    let url = polling(&put(&emulator, "myaks", &create_body(json!({}))).await);
    emulator.advance(Duration::from_secs(1_000_000));
    emulator.finish_operations();
    assert_eq!(read(&emulator, &url).await.body["status"], "InProgress");
    assert_eq!(state(&emulator, "myaks"), "Creating");
}

#[tokio::test(start_paused = true)]
async fn foreign_polling_url_stands_in_the_header() {
    let emulator = emulator();
    create(&emulator, "myaks", json!({})).await;
    emulator.inject(Fault::foreign_polling_url("https://evil.example/x"));
    let reply = remove(&emulator, "myaks", "Delete").await;
    assert_eq!(
        reply.header("azure-asyncoperation"),
        Some("https://evil.example/x")
    );
}

#[tokio::test(start_paused = true)]
async fn compute_appears_between_a_get_and_a_put() {
    let emulator = emulator();
    emulator.inject(Fault::compute_appears().times(1));
    assert_eq!(get(&emulator, "myaks").await.status, 404);
    let reply = put(&emulator, "myaks", &create_body(json!({ "agentCount": 2 }))).await;
    assert_eq!(reply.status, 201);
    emulator.finish_operations();
    let compute = get(&emulator, "myaks").await.body;
    assert_eq!(
        compute["properties"]["properties"]["clusterPurpose"],
        "DevTest"
    );
    assert_eq!(
        compute["properties"]["properties"]["agentVmSize"],
        "Standard_D2_v2"
    );
    assert!(emulator.cluster_exists(compute["properties"]["resourceId"].as_str().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn operation_fails_with_the_error_that_was_asked_for() {
    let emulator = emulator();
    create(&emulator, "myaks", json!({})).await;
    emulator.inject(Fault::operation_fails("Boom", "it went").on(Method::Delete, "myaks"));
    let reply = remove(&emulator, "myaks", "Delete").await;
    emulator.finish_operations();
    let status = read(&emulator, &polling(&reply)).await.body;
    assert_eq!(status["status"], "Failed");
    assert_eq!(status["error"]["code"], "Boom");
    let compute = get(&emulator, "myaks").await.body;
    assert_eq!(
        compute["properties"]["provisioningErrors"][0]["error"]["message"],
        "it went"
    );
}

#[tokio::test(start_paused = true)]
async fn answer_can_be_replaced() {
    let emulator = emulator();
    emulator.inject(Fault::response_override(204, &[("X-Mine", "1")], ""));
    let reply = get(&emulator, "myaks").await;
    assert_eq!((reply.status, reply.header("x-mine")), (204, Some("1")));
    emulator.clear_faults();
    emulator.inject(Fault::response_override(200, &[], "{\"a\":1}"));
    assert_eq!(get(&emulator, "myaks").await.body, json!({ "a": 1 }));
}

#[tokio::test(start_paused = true)]
async fn faults_are_limited_by_number_and_order() {
    let emulator = emulator();
    emulator.inject(Fault::server_error(500).after(1).times(2));
    emulator.inject(Fault::server_error(503).times(1));
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(get(&emulator, "myaks").await.status);
    }
    assert_eq!(seen, [503, 500, 500, 404, 404]);
    emulator.inject(Fault::server_error(500));
    assert_eq!(get(&emulator, "myaks").await.status, 500);
    emulator.clear_faults();
    assert_eq!(get(&emulator, "myaks").await.status, 404);
}
