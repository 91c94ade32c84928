//! Keys and tokens.

use super::{begins, operation, refusal, with_service};
use crate::support::plane::{self, MODELS, header_names, models, only};
use crate::support::redirect::Reply;
use azure_core::credentials::Secret;
use azureml_aks::{ErrorKind, KeyName};
use serde_json::json;
use std::time::{Duration, SystemTime};

fn at(verb: &str) -> String {
    models(&format!("/services/s-1/{verb}"))
}

#[tokio::test]
async fn keys_and_tokens_are_posts_without_a_body() {
    let (mut service, handle) = with_service("Healthy").await;
    let keys = json!({ "primaryKey": "s3cr3t-1", "secondaryKey": "s3cr3t-2" });
    let token = json!({ "accessToken": "s3cr3t-3", "tokenType": "Bearer",
        "refreshAfter": 1_600_000_000, "expiryOn": 1_600_003_600 });
    service
        .on("POST", &at("listkeys"), Reply::json(200, &keys))
        .await
        // So the description has it.
        .on("POST", &at("token"), Reply::json(201, &token))
        .await;
    let keys = handle.keys().await.unwrap();
    assert_eq!(keys.primary_key.as_ref().unwrap().secret(), "s3cr3t-1");
    assert_eq!(keys.secondary_key.as_ref().unwrap().secret(), "s3cr3t-2");
    let token = handle.token().await.unwrap();
    assert_eq!(token.access_token.secret(), "s3cr3t-3");
    assert_eq!(token.token_type.as_deref(), Some("Bearer"));
    let at_seconds = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
    assert_eq!(token.refresh_after(), at_seconds(1_600_000_000));
    assert_eq!(token.expires_on(), at_seconds(1_600_003_600));
    assert!(!format!("{keys:?} {token:?}").contains("s3cr3t"));

    for verb in ["listkeys", "token"] {
        let seen = only(&service, "POST", &at(verb));
        assert_eq!(seen.host, MODELS);
        assert!(seen.body.is_empty());
        // Some gateways refuse a POST without a length (411).
        assert_eq!(
            header_names(&seen),
            [
                "accept",
                "authorization",
                "content-length",
                "host",
                "user-agent",
                "x-ms-client-request-id"
            ]
        );
        assert_eq!(seen.headers["content-length"], "0");
        assert_eq!(seen.headers["authorization"], "Bearer CANARY-token-2");
    }
}

#[tokio::test]
async fn missing_keys_are_none_and_odd_answers_are_errors() {
    for body in [
        "{}",
        "{\"primaryKey\":null,\"secondaryKey\":null,\"other\":1}",
    ] {
        let (mut service, handle) = with_service("Healthy").await;
        service
            .on("POST", &at("listkeys"), Reply::new(200, body))
            .await;
        let keys = handle.keys().await.unwrap();
        assert!(keys.primary_key.is_none() && keys.secondary_key.is_none());
    }
    for body in [
        "",
        "null",
        "[]",
        "7",
        "<html>s3cr3t",
        "{\"primaryKey\":\"s3cr3t",
        "{\"primaryKey\":7}",
    ] {
        for verb in ["listkeys", "token"] {
            let (mut service, handle) = with_service("Healthy").await;
            service.on("POST", &at(verb), Reply::new(200, body)).await;
            let error = match verb {
                "listkeys" => handle.keys().await.unwrap_err(),
                _ => handle.token().await.unwrap_err(),
            };
            assert_eq!(error.kind(), ErrorKind::Protocol, "{verb} {body}: {error}");
            assert!(error.to_string().contains("service \"s-1\""), "{error}");
            assert!(
                !format!("{error} {error:?}").contains("s3cr3t"),
                "{error:?}"
            );
        }
    }
}

#[tokio::test]
async fn empty_or_missing_token_is_an_error() {
    for body in ["{}", "{\"accessToken\":\"\"}", "{\"accessToken\":null}"] {
        let (mut service, handle) = with_service("Healthy").await;
        service
            .on("POST", &at("token"), Reply::new(201, body))
            .await;
        let error = handle.token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{body}: {error}");
    }
}

#[tokio::test]
async fn expiry_times_of_tokens_may_be_missing_or_out_of_range() {
    for (body, refresh, end) in [
        (json!({ "accessToken": "t" }), None, None),
        (
            json!({ "accessToken": "t", "refreshAfter": null, "expiryOn": null }),
            None,
            None,
        ),
        (
            json!({ "accessToken": "t", "refreshAfter": 0, "expiryOn": u64::MAX }),
            Some(0),
            Some(253_402_300_799),
        ),
    ] {
        let (mut service, handle) = with_service("Healthy").await;
        service
            .on("POST", &at("token"), Reply::json(200, &body))
            .await;
        let token = handle.token().await.unwrap();
        let moment = |seconds: Option<u64>| {
            seconds.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        };
        assert_eq!(token.refresh_after(), moment(refresh));
        assert_eq!(token.expires_on(), moment(end));
    }
}

#[tokio::test]
async fn key_is_named_by_a_word_and_its_value_is_sent_if_there_is_one() {
    let keys = json!({ "primaryKey": "one", "secondaryKey": "two" });
    for (key, value, body) in [
        (KeyName::Primary, None, r#"{"keyType":"Primary"}"#),
        (
            KeyName::Secondary,
            Some("n\"ew"),
            r#"{"keyType":"Secondary","keyValue":"n\"ew"}"#,
        ),
    ] {
        let (mut service, handle) = with_service("Healthy").await;
        service
            .on("POST", &at("regenerateKeys"), Reply::json(200, &keys))
            .await;
        let mut request = handle.regenerate_key(key);
        if let Some(value) = value {
            request = request.value(Secret::new(value.to_owned()));
        }
        let found = request.await.unwrap();
        assert_eq!(found.primary_key.unwrap().secret(), "one");
        let seen = only(&service, "POST", &at("regenerateKeys"));
        assert_eq!(seen.text(), body);
        assert_eq!(seen.headers["content-type"], "application/json");
        // Made at once: nothing else is asked.
        assert_eq!(plane::lines(&service).len(), 2);
    }
}

#[tokio::test]
async fn key_that_takes_a_while_is_waited_for_and_read() {
    let (mut service, handle) = with_service("Healthy").await;
    let keys = json!({ "primaryKey": "one", "secondaryKey": "two" });
    // Keys in the answer that accepts it are those of before.
    let old = json!({ "primaryKey": "old", "secondaryKey": "old" });
    let begun = Reply::json(202, &old)
        .header(
            "operation-location",
            "https://evil.example/operations/op%201",
        )
        .header("retry-after-ms", "1");
    service
        .on("POST", &at("regenerateKeys"), begun)
        .await
        .on(
            "GET",
            &models("/operations/op%201"),
            Reply::json(200, &operation("Succeeded")),
        )
        .await
        .on("POST", &at("listkeys"), Reply::json(200, &keys))
        .await;
    let found = handle.regenerate_key(KeyName::Primary).await.unwrap();
    assert_eq!(found.secondary_key.unwrap().secret(), "two");
    assert_eq!(
        plane::lines(&service)[1..],
        [
            format!("POST {MODELS} {}", at("regenerateKeys")),
            format!("GET {MODELS} {}", models("/operations/op%201")),
            format!("POST {MODELS} {}", at("listkeys")),
        ]
    );
}

#[tokio::test]
async fn key_without_keys_or_an_operation_in_its_answer_is_read() {
    let keys = json!({ "primaryKey": "one" });
    for reply in [Reply::empty(200), Reply::new(200, "{}"), Reply::empty(204)] {
        let (mut service, handle) = with_service("Healthy").await;
        service
            .on("POST", &at("regenerateKeys"), reply)
            .await
            .on("POST", &at("listkeys"), Reply::json(200, &keys))
            .await;
        let found = handle.regenerate_key(KeyName::Primary).await.unwrap();
        assert_eq!(found.primary_key.unwrap().secret(), "one");
    }
}

#[tokio::test]
async fn refusals_of_secrets_give_codes_and_no_texts() {
    let mut body = refusal("Odd", 400);
    body["message"] = json!("the key is s3cr3t");
    body["details"][0]["message"] = json!("s3cr3t");
    for verb in ["listkeys", "token", "regenerateKeys"] {
        for reply in [
            Reply::json(400, &body),
            Reply::json(409, &body),
            Reply::new(403, "<html>s3cr3t</html>"),
            Reply::json(500, &body),
        ] {
            let (mut service, handle) = with_service("Healthy").await;
            service.on("POST", &at(verb), reply).await;
            let value = Secret::new("s3cr3t".to_owned());
            let error = match verb {
                "listkeys" => handle.keys().await.unwrap_err(),
                "token" => handle.token().await.unwrap_err(),
                _ => handle
                    .regenerate_key(KeyName::Primary)
                    .value(value)
                    .await
                    .unwrap_err(),
            };
            let shown = format!("{error} {error:?} {:?}", error.service_error());
            assert!(!shown.contains("s3cr3t"), "{verb}: {shown}");
            assert_eq!(error.kind(), ErrorKind::Service);
        }
    }
}

#[tokio::test]
async fn new_key_that_fails_later_gives_codes_and_no_texts() {
    let mut failed = operation("Failed");
    failed["error"] = refusal("Odd", 400);
    failed["error"]["message"] = json!("it is s3cr3t");
    failed["error"]["details"][0]["message"] = json!("s3cr3t it is");
    let refused = failed["error"].clone();
    let waits = [
        (Reply::json(200, &failed), ErrorKind::OperationFailed),
        (Reply::json(400, &refused), ErrorKind::OperationStatusLost),
        (
            Reply::new(400, "<html>s3cr3t"),
            ErrorKind::OperationStatusLost,
        ),
    ]
    .map(|(reply, kind)| async move {
        let (mut service, handle) = with_service("Healthy").await;
        service
            .on("POST", &at("regenerateKeys"), begins(202, "op%201"))
            .await
            .on("GET", &models("/operations/op%201"), reply)
            .await;
        let error = handle.regenerate_key(KeyName::Primary).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let shown = format!("{error} {error:?} {:?}", error.service_error());
        assert!(!shown.contains("s3cr3t"), "{shown}");
        assert!(error.to_string().contains("service \"s-1\""), "{error}");
    });
    futures::future::join_all(waits).await;
}

#[tokio::test]
async fn accepted_key_without_an_operation_shows_no_text_either() {
    let (mut service, handle) = with_service("Healthy").await;
    let body = json!({ "error": { "code": "Odd", "message": "it is s3cr3t" } });
    service
        .on("POST", &at("regenerateKeys"), Reply::json(202, &body))
        .await;
    let error = handle.regenerate_key(KeyName::Primary).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    let shown = format!("{error} {error:?} {:?}", error.service_error());
    assert!(!shown.contains("s3cr3t"), "{shown}");
}
