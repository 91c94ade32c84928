//! The errors that refusals of the service become.

use super::support::{KEY, Rig, SCORE, builders};
use crate::support::redirect::{Reply, Service};
use azureml_aks::{Error, ErrorKind, ScoringClient};
use serde_json::json;
use std::time::Duration;

/// Both senders' errors for the same answer.
async fn errors(rig: &mut Rig, reply: Reply) -> [Error; 2] {
    let [first, second] = rig.answering(reply).await;
    let error = |client: ScoringClient| async move {
        client
            .run::<_, u8>(&"CANARY of the request")
            .await
            .unwrap_err()
    };
    [error(first).await, error(second).await]
}

#[tokio::test]
async fn each_failure_is_distinguished_and_has_a_remedy() {
    let mut rig = Rig::new().await;
    type Is = fn(&Error) -> bool;
    let predicates: [Is; 4] = [
        Error::is_scoring_unauthorized,
        Error::is_scoring_code_failure,
        Error::is_overloaded,
        Error::is_scoring_timeout,
    ];
    for (status, kind, predicate, remedy) in [
        (401, ErrorKind::ScoringUnauthorized, Some(0), "key"),
        (403, ErrorKind::ScoringUnauthorized, Some(0), "key"),
        (502, ErrorKind::ScoringCodeFailed, Some(1), "logs"),
        (503, ErrorKind::ScoringOverloaded, Some(2), "minimum"),
        (503, ErrorKind::ScoringOverloaded, Some(2), "maximum"),
        (
            503,
            ErrorKind::ScoringOverloaded,
            Some(2),
            "target utilisation",
        ),
        (504, ErrorKind::ScoringTimeout, Some(3), "scoring_timeout"),
        (404, ErrorKind::Service, None, "scoring URI"),
        (407, ErrorKind::Service, None, "proxy"),
        (400, ErrorKind::Service, None, ""),
        (413, ErrorKind::Service, None, ""),
        (429, ErrorKind::Service, None, ""),
        (500, ErrorKind::Service, None, ""),
    ] {
        let reply = Reply::new(status, "tensor has 3 dimensions")
            .header("x-ms-request-id", "r-1")
            .header("retry-after", "7");
        for error in errors(&mut rig, reply).await {
            assert_eq!(error.kind(), kind, "{status}");
            assert_eq!(error.http_status(), Some(status));
            for (place, is) in predicates.iter().enumerate() {
                assert_eq!(is(&error), predicate == Some(place), "{status}");
            }
            assert!(!error.is_scoring_credential_unavailable());
            assert!(!error.is_timeout());
            assert!(error.remedy().unwrap_or_default().contains(remedy));
            assert_eq!(error.request_id(), Some("r-1"));
            assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
            assert!(error.client_request_id().is_some());
            let text = error.to_string();
            assert!(text.contains("tensor has 3 dimensions"), "{text}");
            assert!(
                text.contains("score at http") && text.contains(SCORE),
                "{text}"
            );
            assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn body_that_repeats_the_key_is_shown_without_it() {
    let mut rig = Rig::new().await;
    // In JSON a plus may be written as an escape.
    let escaped = KEY.replace('+', "\\u002b").replace('/', "\\/");
    for body in [
        format!("I was called with {KEY} and {KEY}."),
        json!({"error": {"code": "Bad", "message": format!("called with {KEY}")}}).to_string(),
        format!(r#"{{"error": {{"code": "Bad", "message": "called with {escaped}"}}}}"#),
        format!("Authorization: Bearer {KEY}"),
        format!("called with {}", azure_core::base64::encode(KEY)),
        format!(
            "called with {}",
            KEY.replace('+', "%2B").replace('/', "%2F")
        ),
    ] {
        for status in [400, 401, 502] {
            for error in errors(&mut rig, Reply::new(status, body.clone())).await {
                let text = format!("{error} {error:?} {:?}", error.service_error());
                let base64 = azure_core::base64::encode(KEY);
                assert!(
                    !text.contains("CANARY") && !text.contains(&base64),
                    "{text}"
                );
                assert!(text.contains("redacted"), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn ids_that_repeat_the_key_are_shown_without_it() {
    let mut rig = Rig::new().await;
    for name in [
        "x-ms-request-id",
        "x-ms-correlation-request-id",
        "x-ms-error-code",
    ] {
        let reply = Reply::new(500, "").header(name, &format!("id-{KEY}"));
        for error in errors(&mut rig, reply).await {
            let text = format!("{error} {error:?} {:?}", error.service_error());
            assert!(
                !text.contains("CANARY") && text.contains("id-"),
                "{name}: {text}"
            );
        }
    }
}

#[tokio::test]
async fn of_a_long_failure_the_start_is_read() {
    let mut rig = Rig::new().await;
    let body = format!("Traceback: it is {}", "long ".repeat(1 << 16));
    for error in errors(&mut rig, Reply::new(502, body)).await {
        let text = error.to_string();
        assert!(text.contains("Traceback") && text.len() < 1_000, "{text}");
    }
}

#[tokio::test]
async fn failure_without_a_reason_is_still_told() {
    let mut rig = Rig::new().await;
    for error in errors(&mut rig, Reply::empty(502)).await {
        assert!(error.to_string().contains("no reason"), "{error}");
    }
}

#[tokio::test]
async fn refusal_of_a_call_without_a_key_asks_for_one() {
    let mut service = Service::start().await;
    for builder in builders(&service) {
        service.on("POST", SCORE, Reply::empty(401)).await;
        let client = builder.anonymous().build().unwrap();
        let error = client.run::<_, u8>(&()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ScoringUnauthorized);
        assert!(
            error.remedy().unwrap().contains("requires a key"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn key_of_the_callers_own_is_sent_once() {
    let mut rig = Rig::new().await;
    let [client, _] = rig.answering(Reply::empty(401)).await;
    client.run::<_, u8>(&()).await.unwrap_err();
    assert_eq!(rig.service.seen().len(), 1);
}

#[tokio::test]
async fn no_redirect_is_followed_and_only_its_origin_named() {
    let mut rig = Rig::new().await;
    let mut elsewhere = Service::start().await;
    elsewhere
        .on("POST", "/CANARY", Reply::json(200, &json!(1)))
        .await;
    for status in [301, 302, 303, 307, 308] {
        let target = format!("{}/CANARY?sig=CANARY", elsewhere.url());
        for error in errors(&mut rig, Reply::empty(status).header("location", &target)).await {
            assert_eq!(error.kind(), ErrorKind::UntrustedUrl, "{error}");
            let text = format!("{error} {error:?}");
            assert!(text.contains(&elsewhere.url()), "{text}");
            assert!(!text.contains("CANARY"), "{text}");
        }
    }
    for location in ["/elsewhere", "http://[", "mailto:a@b", ""] {
        for error in errors(&mut rig, Reply::empty(302).header("location", location)).await {
            assert_eq!(error.kind(), ErrorKind::UntrustedUrl, "{error}");
        }
    }
    assert!(elsewhere.seen().is_empty());
}
