//! Scoring requests on the wire: the same by both senders.

use super::support::{KEY, Rig, SCORE, builders};
use crate::support::redirect::{Reply, Seen, Service};
use azureml_aks::ErrorKind;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The headers of a request without those of the connection.
fn own_headers(seen: &Seen) -> BTreeMap<&str, &str> {
    seen.headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| *name != "host")
        .collect()
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

#[tokio::test]
async fn json_goes_out_with_these_headers_and_no_others() {
    let mut rig = Rig::new().await;
    let clients = rig.answering(Reply::json(200, &json!([1.5, 2]))).await;
    let service = &rig.service;
    for client in &clients {
        let scores: Vec<f64> = client.run(&json!({"data": [[1, 2]]})).await.unwrap();
        assert_eq!(scores, [1.5, 2.0]);
        let seen = service.last();
        assert_eq!(seen.line(), format!("POST {SCORE}"));
        assert_eq!(seen.text(), r#"{"data":[[1,2]]}"#);
        let id = seen.request_id().to_owned();
        assert!(is_uuid(&id), "{id}");
        let agent = format!("azureml-aks/{}", env!("CARGO_PKG_VERSION"));
        let bearer = format!("Bearer {KEY}");
        let expected: BTreeMap<&str, &str> = [
            ("accept", "application/json"),
            ("authorization", &*bearer),
            ("content-length", "16"),
            ("content-type", "application/json"),
            ("user-agent", &*agent),
            ("x-ms-client-request-id", &*id),
        ]
        .into();
        assert_eq!(own_headers(&seen), expected);
    }
    assert_eq!(service.seen().len(), 2, "nothing beside the calls");
}

#[tokio::test]
async fn bytes_go_out_as_they_are_and_come_back_as_they_are() {
    let picture = [0xff, 0xd8, 0x00, 0x0a];
    let reply = Reply::new(200, picture)
        .header("content-type", "image/jpeg")
        .header("x-ms-request-id", "r-1")
        .header("x-own", "1");
    let mut rig = Rig::new().await;
    let clients = rig.answering(reply).await;
    let service = &rig.service;
    for client in &clients {
        let answer = client
            .run_bytes(picture.to_vec(), "application/octet-stream")
            .await
            .unwrap();
        let seen = service.last();
        assert_eq!(seen.body, picture);
        assert_eq!(seen.headers["content-type"], "application/octet-stream");
        assert_eq!(seen.headers["accept"], "*/*");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.content_type(), Some("image/jpeg"));
        assert_eq!(answer.request_id(), Some("r-1"));
        assert_eq!(answer.header("X-Own"), Some("1"));
        assert_eq!(answer.header("x-other"), None);
        assert_eq!(answer.client_request_id(), seen.request_id());
        assert_eq!(&answer.body()[..], picture);
        assert_eq!(&answer.into_body()[..], picture);
    }
}

#[tokio::test]
async fn empty_body_is_sent_as_one() {
    let mut rig = Rig::new().await;
    let clients = rig.answering(Reply::json(200, &Value::Null)).await;
    let service = &rig.service;
    for client in &clients {
        client.run_bytes("", "text/plain").await.unwrap();
        assert_eq!(service.last().headers["content-length"], "0");
    }
}

#[tokio::test]
async fn without_authentication_no_credential_is_sent() {
    let mut service = Service::start().await;
    for builder in builders(&service) {
        service.on("POST", SCORE, Reply::json(200, &json!(1))).await;
        let client = builder.anonymous().build().unwrap();
        assert_eq!(client.run::<_, u8>(&()).await.unwrap(), 1);
        assert!(!service.last().headers.contains_key("authorization"));
    }
}

#[tokio::test]
async fn call_may_bring_its_own_id_and_headers() {
    let mut rig = Rig::new().await;
    let clients = rig.answering(Reply::json(200, &json!(1))).await;
    let service = &rig.service;
    for client in &clients {
        let call = client
            .request()
            .request_id("order-4711")
            .header("traceparent", "00-1")
            .header("TraceParent", "00-2");
        call.run::<_, u8>(&()).await.unwrap();
        let seen = service.last();
        assert_eq!(seen.request_id(), "order-4711");
        assert_eq!(seen.headers["traceparent"], "00-2");
    }
}

#[tokio::test]
async fn unsendable_input_is_refused_before_anything_is_sent() {
    let rig = Rig::new().await;
    let (service, client) = (&rig.service, &rig.clients[0]);
    let call = || client.request();
    for (call, named) in [
        (call().request_id("a\r\nb: c"), "request id"),
        (call().request_id(""), "request id"),
        (call().header("a b", "1"), "a b"),
        (call().header("", "1"), "header"),
        (call().header("x-own", "CANARY\n"), "x-own"),
        (call().header("Authorization", "CANARY"), "Authorization"),
        (call().header("host", "CANARY"), "host"),
        (call().header("Content-Length", "1"), "Content-Length"),
    ] {
        let error = call.run::<_, u8>(&()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        let text = error.to_string();
        assert!(text.contains(named) && !text.contains("CANARY"), "{text}");
    }
    let error = client.run_bytes("x", "text/plain\n").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    let no_json = std::collections::BTreeMap::from([((1, 2), 3)]);
    let error = client.run::<_, u8>(&no_json).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn swagger_document_is_read_beside_the_scoring_uri_or_is_none() {
    const SWAGGER: &str = "/api/v1/service/s/swagger.json";
    let mut service = Service::start().await;
    for builder in builders(&service) {
        let document = json!({"swagger": "2.0"});
        service
            .on("GET", SWAGGER, Reply::json(200, &document))
            .await
            .on("GET", SWAGGER, Reply::empty(404))
            .await
            .on("GET", SWAGGER, Reply::empty(502))
            .await
            .on("GET", SWAGGER, Reply::new(200, "<html>"))
            .await;
        let client = builder.key(KEY).build().unwrap();
        assert_eq!(client.swagger().await.unwrap(), Some(document));
        let seen = service.last();
        assert_eq!(seen.headers["authorization"], format!("Bearer {KEY}"));
        assert!(!seen.headers.contains_key("content-type"));
        assert_eq!(client.swagger().await.unwrap(), None);
        let error = client.swagger().await.unwrap_err();
        assert_eq!(error.http_status(), Some(502));
        let error = client.swagger().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }
}
