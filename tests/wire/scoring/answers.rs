//! Good answers, and answers that only look good.

use super::support::{KEY, Rig, SCORE, builders};
use crate::support::redirect::{Reply, Service};
use azureml_aks::{ErrorKind, ScoringClient};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn byte_order_mark_is_skipped() {
    let mut rig = Rig::new().await;
    let clients = rig.answering(Reply::new(200, "\u{feff}[1]")).await;
    for client in &clients {
        assert_eq!(client.run::<_, Vec<u8>>(&()).await.unwrap(), [1]);
    }
}

#[tokio::test]
async fn answer_of_another_shape_is_named_and_not_quoted() {
    let mut rig = Rig::new().await;
    for (body, what) in [
        (&br#"{"name": "CANARY"}"#[..], "unexpected shape"),
        (b"<html>CANARY</html>", "not valid JSON"),
        (b"", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
    ] {
        let clients = rig.answering(Reply::new(200, body)).await;
        for client in &clients {
            let error = client.run::<_, Vec<f64>>(&()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert_eq!(error.http_status(), Some(200));
            assert!(error.client_request_id().is_some());
            let text = format!("{error} {error:?}");
            assert!(text.contains(what) && !text.contains("CANARY"), "{text}");
        }
    }
}

#[tokio::test]
async fn answer_that_does_not_decode_says_the_place_and_the_reason() {
    let mut rig = Rig::new().await;
    for (body, what, is_number) in [
        ("[1,\n \"x\"]", "unexpected shape at line 2 column", false),
        ("[1, NaN]", "not valid JSON at line 1 column 5", true),
        ("[1,\n-Infinity]", "not valid JSON at line 2 column", true),
        ("[Infinity]", "not valid JSON at line 1 column 2", true),
        ("[1, None]", "not valid JSON at line 1 column 5", false),
    ] {
        let clients = rig.answering(Reply::new(200, body)).await;
        for client in &clients {
            let error = client.run::<_, Vec<f64>>(&()).await.unwrap_err();
            assert!(error.to_string().contains(what), "{body}: {error}");
            let remedy = error.remedy().unwrap_or_default();
            assert_eq!(remedy.contains("NaN"), is_number, "{body}: {error}");
        }
    }
}

#[tokio::test]
async fn json_inside_a_json_string_is_explained() {
    let mut rig = Rig::new().await;
    let clients = rig.answering(Reply::json(200, &json!("[1, 2]"))).await;
    for client in &clients {
        let error = client.run::<_, Vec<f64>>(&()).await.unwrap_err();
        assert!(error.remedy().is_some(), "{error}");
    }
}

#[tokio::test]
async fn answer_above_the_limit_is_refused_and_one_at_it_is_not() {
    let mut service = Service::start().await;
    for _ in 0..4 {
        service
            .on("POST", SCORE, Reply::new(200, "1234567890"))
            .await;
    }
    for limit in [9, 10] {
        for builder in builders(&service) {
            let client = builder.key(KEY).answer_limit(limit).build().unwrap();
            let answer = client.run_bytes("x", "text/plain").await;
            match limit {
                9 => assert_eq!(answer.unwrap_err().kind(), ErrorKind::Protocol),
                _ => assert_eq!(answer.unwrap().into_body().len(), 10),
            }
        }
    }
}

#[tokio::test]
async fn answer_that_breaks_off_is_an_error() {
    let mut rig = Rig::new().await;
    let clients = rig.answering(Reply::new(200, "[1, ").breaks_off()).await;
    for client in &clients {
        let error = client.run::<_, Vec<u8>>(&()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
        assert!(error.client_request_id().is_some());
    }
}

#[tokio::test]
async fn service_that_is_silent_ends_with_the_calls_own_deadline() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}{SCORE}", listener.local_addr().unwrap());
    // Accepted by the system, and never answered.
    let client = ScoringClient::builder(uri).anonymous().build().unwrap();
    let call = client.request().timeout(Duration::from_millis(50));
    let error = call.run::<_, u8>(&()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_timeout() && !error.is_scoring_timeout());
    assert!(error.to_string().contains("50ms"), "{error}");
    drop(listener);
}
