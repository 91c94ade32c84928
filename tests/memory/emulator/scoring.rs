use std::time::Duration;

use azure_core::http::{Method, Request, Url};
use azureml_aks::emulator::{Emulator, Fault, ScoringResponse};
use serde_json::{Value, json};

use crate::support::raw::*;
use crate::support::raw_services::*;

async fn score(emulator: &Emulator, name: &str, credential: Option<&str>) -> Reply {
    let target = format!("http://203.0.113.10/api/v1/service/{name}/score");
    let body = json!({ "data": [1, 2] });
    try_send(emulator, Method::Post, &target, credential, Some(&body))
        .await
        .unwrap()
}

async fn keys(emulator: &Emulator, name: &str) -> (String, String) {
    let target = format!("/services/{name}/listkeys");
    let reply = call(emulator, Method::Post, &target, None).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    let key = |name: &str| reply.body[name].as_str().unwrap().to_owned();
    (key("primaryKey"), key("secondaryKey"))
}

#[tokio::test(start_paused = true)]
async fn healthy_service_echoes_for_either_of_its_keys_only() {
    let emulator = with_compute(manual()).await;
    deploy(&emulator, no_code("myservice")).await;
    let (primary, secondary) = keys(&emulator, "myservice").await;
    assert_ne!(primary, secondary);
    for key in [&primary, &secondary] {
        let reply = score(&emulator, "myservice", Some(key)).await;
        assert_eq!(
            (reply.status, &reply.body),
            (200, &json!({ "data": [1, 2] }))
        );
        assert_eq!(reply.header("content-type"), Some("application/json"));
    }
    for wrong in [None, Some("t"), Some("")] {
        let reply = score(&emulator, "myservice", wrong).await;
        assert_eq!(reply.status, 401, "{wrong:?}");
        assert!(reply.body.is_string(), "the router speaks plain text");
    }
    assert_eq!(score(&emulator, "absent", Some(&primary)).await.status, 404);
    let target = "http://203.0.113.10/api/v1/service/myservice/score";
    let reply = try_send(&emulator, Method::Get, target, Some(&primary), None)
        .await
        .unwrap();
    assert_eq!(reply.status, 405);
    let journal = emulator.journal();
    let entry = journal
        .iter()
        .find(|entry| entry.path.ends_with("/score"))
        .unwrap();
    assert_eq!(entry.status, Some(200));
    assert!(
        journal
            .iter()
            .all(|entry| !entry.headers.contains_key("authorization"))
    );
}

#[tokio::test(start_paused = true)]
async fn without_authentication_anyone_may_score() {
    let emulator = with_compute(manual()).await;
    deploy(
        &emulator,
        no_code_with("open", &json!({ "authEnabled": false })),
    )
    .await;
    assert_eq!(score(&emulator, "open", None).await.status, 200);
    let reply = call(&emulator, Method::Post, "/services/open/listkeys", None).await;
    assert_eq!(
        (reply.status, service_code(&reply)),
        (400, "KeyAuthNotEnabled")
    );
    let reply = call(&emulator, Method::Post, "/services/open/token", None).await;
    assert_eq!(
        (reply.status, service_code(&reply)),
        (400, "TokenAuthNotEnabled")
    );
    let body = json!({ "keyType": "Primary", "keyValue": null });
    let reply = post(&emulator, "/services/open/regenerateKeys", body).await;
    assert_eq!(reply.status, 400);
}

#[tokio::test(start_paused = true)]
async fn key_is_replaced_when_the_operation_ends() {
    let emulator = with_compute(manual()).await;
    deploy(&emulator, no_code("myservice")).await;
    let (old, other) = keys(&emulator, "myservice").await;
    let body = json!({ "keyType": "Primary", "keyValue": null });
    let reply = post(&emulator, "/services/myservice/regenerateKeys", body).await;
    assert_eq!((reply.status, &reply.body), (202, &Value::Null));
    assert_eq!(score(&emulator, "myservice", Some(&old)).await.status, 200);
    assert_eq!(service_state(&emulator, "myservice"), "Healthy");
    emulator.finish_operations();
    let poll = read(&emulator, &operation_of(&reply)).await.body;
    assert_eq!(poll["state"], "Succeeded");
    let (new, still) = keys(&emulator, "myservice").await;
    assert!(new != old && still == other);
    assert_eq!(score(&emulator, "myservice", Some(&old)).await.status, 401);
    assert_eq!(score(&emulator, "myservice", Some(&new)).await.status, 200);

    let body = json!({ "keyType": "Secondary", "keyValue": "chosen" });
    post(&emulator, "/services/myservice/regenerateKeys", body).await;
    emulator.finish_operations();
    assert_eq!(
        keys(&emulator, "myservice").await,
        (new, "chosen".to_owned())
    );
    for bad in [
        json!({}),
        json!({ "keyType": 0 }),
        json!({ "keyType": "Third" }),
        json!({ "keyType": "Primary", "keyValue": "" }),
        json!({ "keyType": "Primary", "value": "x" }),
    ] {
        let reply = post(&emulator, "/services/myservice/regenerateKeys", bad.clone()).await;
        assert_eq!(reply.status, 400, "{bad}");
    }
}

#[tokio::test(start_paused = true)]
async fn key_can_be_replaced_at_once() {
    let emulator = with_compute(manual().regenerate_keys_at_once(true)).await;
    deploy(&emulator, no_code("myservice")).await;
    let (old, other) = keys(&emulator, "myservice").await;
    let body = json!({ "keyType": "Primary", "keyValue": "chosen" });
    let reply = post(&emulator, "/services/myservice/regenerateKeys", body).await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.body,
        json!({ "primaryKey": "chosen", "secondaryKey": other })
    );
    assert_eq!(score(&emulator, "myservice", Some(&old)).await.status, 401);
    assert_eq!(
        score(&emulator, "myservice", Some("chosen")).await.status,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn token_expires_by_the_clock_of_the_emulator() {
    let hour = Duration::from_secs(3600);
    let emulator = with_compute(manual().service_token_lifetime(2 * hour, hour)).await;
    deploy(
        &emulator,
        no_code_with("myservice", &json!({ "aadAuthEnabled": true })),
    )
    .await;
    let fetch = async || call(&emulator, Method::Post, "/services/myservice/token", None).await;
    let reply = fetch().await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.body["tokenType"], "Bearer");
    let seconds = |reply: &Reply, key: &str| reply.body[key].as_i64().unwrap();
    assert_eq!(
        seconds(&reply, "expiryOn") - seconds(&reply, "refreshAfter"),
        3600
    );
    let token = reply.body["accessToken"].as_str().unwrap().to_owned();
    let parts: Vec<Vec<u8>> = token
        .split('.')
        .map(|part| azure_core::base64::decode_url_safe(part).unwrap())
        .collect();
    let claims: Value = serde_json::from_slice(&parts[1]).unwrap();
    assert!(
        parts.len() == 3 && claims["exp"] == reply.body["expiryOn"],
        "{claims}"
    );
    assert_eq!(
        score(&emulator, "myservice", Some(&token)).await.status,
        200
    );
    assert_eq!(score(&emulator, "myservice", Some("t")).await.status, 401);
    emulator.advance(hour + hour / 2);
    let second = fetch().await;
    assert_eq!(
        seconds(&second, "expiryOn") - seconds(&reply, "expiryOn"),
        5400
    );
    assert_eq!(
        score(&emulator, "myservice", Some(&token)).await.status,
        200
    );
    emulator.advance(hour / 2);
    assert_eq!(
        score(&emulator, "myservice", Some(&token)).await.status,
        401
    );
    let token = second.body["accessToken"].as_str().unwrap();
    assert_eq!(score(&emulator, "myservice", Some(token)).await.status, 200);
    let reply = call(
        &emulator,
        Method::Post,
        "/services/myservice/listkeys",
        None,
    )
    .await;
    assert_eq!(reply.status, 400);
}

#[tokio::test(start_paused = true)]
async fn switching_from_keys_to_tokens_refuses_the_keys_from_then_on() {
    let emulator = with_compute(manual()).await;
    deploy(&emulator, no_code("myservice")).await;
    let (key, _) = keys(&emulator, "myservice").await;
    let steps = json!([
        { "op": "replace", "path": "/authEnabled", "value": false },
        { "op": "replace", "path": "/aadAuthEnabled", "value": true },
    ]);
    patch(&emulator, "myservice", steps).await;
    assert_eq!(
        score(&emulator, "myservice", Some(&key)).await.status,
        200,
        "the replicas of before answer while an update runs"
    );
    emulator.finish_operations();
    assert_eq!(score(&emulator, "myservice", Some(&key)).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn services_that_are_not_healthy_answer_503() {
    let emulator = with_compute(manual()).await;
    let open = |name: &str| no_code_with(name, &json!({ "authEnabled": false }));
    deploying(&emulator, open("young")).await;
    assert_eq!(score(&emulator, "young", None).await.status, 503);
    deploy(&emulator, open("failing")).await;
    assert_eq!(score(&emulator, "failing", None).await.status, 503);
    emulator.inject(Fault::deployment_timed_out().times(1));
    deploy(&emulator, open("slow-one")).await;
    assert_eq!(score(&emulator, "slow-one", None).await.status, 503);
    assert_eq!(score(&emulator, "young", None).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn closure_answers() {
    let builder = manual().score(|request| match request.json() {
        Ok(body) => ScoringResponse::json(&json!({
            "service": request.service, "sum": body["data"][0].as_i64(), "query": request.query,
        })),
        Err(error) => ScoringResponse::failed(error.to_string()),
    });
    let emulator = with_compute(builder).await;
    deploy(
        &emulator,
        no_code_with("open", &json!({ "authEnabled": false })),
    )
    .await;
    let target = "http://203.0.113.10/api/v1/service/open/score?verbose=1";
    let body = json!({ "data": [1] });
    let reply = try_send(&emulator, Method::Post, target, None, Some(&body))
        .await
        .unwrap();
    assert_eq!(
        reply.body,
        json!({ "service": "open", "sum": 1, "query": "verbose=1" })
    );
    let reply = try_send(&emulator, Method::Post, target, None, None)
        .await
        .unwrap();
    assert_eq!(reply.status, 502);
    emulator.on_score(|_| ScoringResponse::new("text/csv", "a,b").with_status(201));
    let reply = try_send(&emulator, Method::Post, target, None, None)
        .await
        .unwrap();
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (201, Some("text/csv"))
    );
    emulator.on_score(|_| ScoringResponse::new("text/plain", "").with_status(42));
    assert_eq!(score(&emulator, "open", None).await.status, 500);
    emulator.on_score(|_| {
        ScoringResponse::json(&json!(1))
            .with_header("x-ms-run-fn-exec-ms", "0.1")
            .with_header("no header", "x")
    });
    let reply = score(&emulator, "open", None).await;
    assert_eq!(
        (reply.status, reply.header("x-ms-run-fn-exec-ms")),
        (200, Some("0.1"))
    );
    assert_eq!(reply.header("content-type"), Some("application/json"));
}

#[tokio::test(start_paused = true)]
async fn scorer_may_take_time_and_ask_the_emulator_meanwhile() {
    let emulator = with_compute(manual()).await;
    let members = json!({ "authEnabled": false, "scoringTimeoutMs": 30_000 });
    deploy(&emulator, no_code_with("open", &members)).await;
    let inner = emulator.clone();
    emulator.on_score_async(move |request| {
        let inner = inner.clone();
        async move {
            let wait = request.json().unwrap()["data"][1].as_u64().unwrap();
            tokio::time::sleep(Duration::from_secs(wait * 10)).await;
            let state = inner.service(&request.service).unwrap()["state"].clone();
            ScoringResponse::json(&state)
        }
    });
    let (first, second) = tokio::join!(
        score(&emulator, "open", None),
        call(&emulator, Method::Get, "/services/open", None)
    );
    assert_eq!((first.status, first.body), (200, json!("Healthy")));
    assert_eq!(second.status, 200, "another request is answered meanwhile");
    emulator.on_score_async(|_| std::future::pending());
    let began = tokio::time::Instant::now();
    let reply = score(&emulator, "open", None).await;
    assert_eq!(reply.status, 504);
    assert_eq!(began.elapsed().as_secs(), 30);
    let last = emulator.journal().pop().unwrap();
    assert_eq!(last.status, Some(504));
}

#[tokio::test(start_paused = true)]
async fn journal_that_is_cleared_meanwhile_keeps_its_order() {
    let emulator = with_compute(manual()).await;
    deploy(
        &emulator,
        no_code_with("open", &json!({ "authEnabled": false })),
    )
    .await;
    let inner = emulator.clone();
    emulator.on_score(move |_| {
        inner.clear_journal();
        ScoringResponse::json(&Value::Null)
    });
    assert_eq!(score(&emulator, "open", None).await.status, 200);
    assert!(emulator.journal().is_empty());
    read_service(&emulator, "absent").await;
    assert_eq!(emulator.journal()[0].status, Some(404));
}

#[tokio::test(start_paused = true)]
async fn faults_act_on_the_scoring_of_one_service() {
    let emulator = with_compute(manual()).await;
    for name in ["one", "two"] {
        deploy(
            &emulator,
            no_code_with(name, &json!({ "authEnabled": false })),
        )
        .await;
    }
    for status in [500, 502, 503, 504] {
        emulator.inject(
            Fault::server_error(status)
                .on_path("/service/one/")
                .times(1),
        );
        assert_eq!(score(&emulator, "two", None).await.status, 200);
        let reply = score(&emulator, "one", None).await;
        assert_eq!(reply.status, status);
        assert!(reply.body.is_string(), "{:?}", reply.body);
    }
    let wait = Duration::from_secs(7);
    emulator.inject(Fault::throttled(wait).on_path("/service/one/").times(1));
    let reply = score(&emulator, "one", None).await;
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (429, Some("7"))
    );
    emulator.inject(Fault::response_lost().on_path("/service/one/").times(1));
    let target = "http://203.0.113.10/api/v1/service/one/score";
    let lost = try_send(&emulator, Method::Post, target, None, Some(&json!(1))).await;
    assert!(lost.is_err());
    assert_eq!(emulator.journal().pop().unwrap().status, None);
}

#[tokio::test(start_paused = true)]
async fn swagger_document_is_there_when_the_service_has_a_schema() {
    let emulator = with_compute(manual()).await;
    deploy(&emulator, no_code("myservice")).await;
    let (key, _) = keys(&emulator, "myservice").await;
    let target = "http://203.0.113.10/api/v1/service/myservice/swagger.json";
    let get = async |key: Option<&str>| {
        try_send(&emulator, Method::Get, target, key, None)
            .await
            .unwrap()
    };
    assert_eq!(get(Some(&key)).await.status, 404);
    let document = json!({ "swagger": "2.0" });
    emulator.set_swagger("myservice", document.clone());
    let reply = get(Some(&key)).await;
    assert_eq!((reply.status, reply.body), (200, document));
    assert_eq!(get(None).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn large_and_binary_bodies_are_scored_and_not_kept() {
    let emulator = with_compute(manual()).await;
    deploy(
        &emulator,
        no_code_with("open", &json!({ "authEnabled": false })),
    )
    .await;
    let seen = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let shown = seen.clone();
    emulator.on_score(move |request| {
        *shown.lock().unwrap() = format!("{request:?}");
        ScoringResponse::json(&json!(request.body.len()))
    });
    let target = Url::parse("http://203.0.113.10/api/v1/service/open/score").unwrap();
    let mut request = Request::new(target, Method::Post);
    request.insert_header("content-type", "application/octet-stream");
    request.set_body(b"canary".repeat(1024 * 1024));
    let answer = emulator
        .http_client()
        .execute_request(&request)
        .await
        .unwrap();
    let (status, _, body) = answer.deconstruct();
    assert_eq!(u16::from(status), 200);
    assert_eq!(body.collect().await.unwrap(), "6291456".as_bytes());
    let entry = emulator.journal().pop().unwrap();
    assert_eq!(entry.body, json!({ "bytes": 6_291_456 }));
    let seen = seen.lock().unwrap();
    assert!(
        seen.contains("octet-stream") && !seen.contains("canary"),
        "{seen}"
    );
    let answer = ScoringResponse::json(&json!("canary"));
    assert!(!format!("{answer:?}").contains("canary"));
}

#[tokio::test(start_paused = true)]
async fn times_beyond_the_calendar_are_its_last_moment() {
    let ages = Duration::from_secs(1 << 50);
    let emulator = with_compute(manual().service_token_lifetime(ages, ages)).await;
    let body = no_code_with("myservice", &json!({ "aadAuthEnabled": true }));
    let operation = deploy(&emulator, body).await;
    let reply = call(&emulator, Method::Post, "/services/myservice/token", None).await;
    assert_eq!(reply.body["expiryOn"], 253_402_300_799_i64);
    emulator.advance(ages * 2);
    let poll = read(&emulator, &operation).await;
    assert_eq!(poll.body["state"], "Succeeded");
    let token = reply.body["accessToken"].as_str().unwrap();
    assert_eq!(score(&emulator, "myservice", Some(token)).await.status, 401);
    let later = deploying(&emulator, no_code("later")).await;
    let poll = read(&emulator, &later).await;
    assert_eq!(poll.body["createdTime"], "9999-12-31T23:59:59+00:00");
}
