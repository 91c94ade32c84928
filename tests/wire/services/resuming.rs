//! Waits that are resumed: what is asked, and what is never followed.

use super::{at_service, begins, described, fast, operation, with_service};
use crate::support::plane::{self, MODELS, models};
use crate::support::redirect::{Reply, Service};
use crate::support::resealed::resealed;
use azureml_aks::{ErrorKind, ResumeToken, Resumed, ServiceUpdate, Verb, models::TokenResource};
use serde_json::{Value, json};

/// The token of an update that was accepted.
async fn accepted() -> Value {
    let (mut service, mut handle) = with_service("Healthy").await;
    service
        .on("POST", &models("/services/validate"), Reply::new(200, "{}"))
        .await
        .on("PATCH", &models("/services/s-1"), begins(202, "op%201"))
        .await;
    let update = ServiceUpdate::builder().cpu_cores(0.2).build().unwrap();
    handle.update(update).await.unwrap();
    serde_json::from_str(&handle.resume_token().unwrap().expose()).unwrap()
}

async fn resume(service: &Service, token: &Value) -> Result<Resumed, azureml_aks::Error> {
    let token = ResumeToken::parse(&resealed(&token.to_string()))?;
    plane::workspace(service).resume(&token).await
}

#[tokio::test]
async fn token_holds_what_is_asked_next_and_no_secret() {
    let token = accepted().await;
    assert_eq!(
        token["nextRequestUri"],
        format!("https://{MODELS}{}", models("/operations/op%201"))
    );
    assert_eq!(token["endpoint"], format!("https://{MODELS}"));
    assert_eq!(
        token["initialUri"],
        format!("https://{MODELS}{}", at_service())
    );
    let text = token.to_string();
    for secret in ["CANARY", "Bearer", "evil.example"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn accepted_update_goes_on_with_its_operation() {
    let token = accepted().await;
    let mut service = plane::start().await;
    let target = models("/operations/op%201");
    service
        .on("GET", &target, Reply::json(200, &operation("Succeeded")))
        .await
        .on(
            "GET",
            &at_service(),
            Reply::json(200, &described("Healthy")),
        )
        .await;
    let Resumed::Service(mut handle) = resume(&service, &token).await.unwrap() else {
        panic!("an update is a service");
    };
    assert!(plane::lines(&service).is_empty(), "nothing is asked before");
    handle.wait_for_deployment(fast()).await.unwrap();
    assert_eq!(
        plane::lines(&service),
        [
            format!("GET {MODELS} {target}"),
            format!("GET {MODELS} {}", at_service())
        ]
    );
    let polled = &plane::sent(&service)[0];
    assert_eq!(polled.request_id(), token["clientRequestId"]);
}

#[tokio::test]
async fn token_that_leads_elsewhere_is_refused_and_nothing_is_sent_there() {
    let good = accepted().await;
    let elsewhere = |key: &str, value: &str| {
        let mut token = good.clone();
        token[key] = json!(value);
        token
    };
    let own = at_service();
    for token in [
        elsewhere("nextRequestUri", "https://evil.example/operations/op"),
        elsewhere("nextRequestUri", "http://models.example/operations/op"),
        elsewhere("nextRequestUri", "https://u:p@models.example/operations/op"),
        elsewhere("initialUri", &format!("https://evil.example{own}")),
        elsewhere("initialUri", &format!("http://models.example{own}")),
        elsewhere("initialUri", &format!("https://{MODELS}/services/s-1")),
        elsewhere(
            "initialUri",
            &format!("https://{MODELS}{}", models("/services/")),
        ),
        elsewhere(
            "initialUri",
            &format!("https://{MODELS}{}", own.replace("/ws/", "/other/")),
        ),
        elsewhere("endpoint", "https://evil.example"),
        elsewhere("method", "DELETE"),
    ] {
        let service = plane::start().await;
        let error = resume(&service, &token).await.unwrap_err();
        let kinds = [ErrorKind::ResumeToken, ErrorKind::UntrustedUrl];
        assert!(kinds.contains(&error.kind()), "{token}: {error}");
        assert!(plane::lines(&service).is_empty());
    }
}

#[tokio::test]
async fn update_that_was_never_accepted_is_looked_for_at_the_service() {
    let mut token = accepted().await;
    let members = token.as_object_mut().unwrap();
    members.insert("accepted".into(), json!(false));
    members.remove("monitor");
    members.remove("nextRequestUri");
    // Of the request itself: what was changed before it is not ours.
    let since = 1_767_268_800_000_u64; // 2026-01-01T12:00:00Z
    members.insert("startedAt".into(), json!(since));
    for (state, updated, ours) in [
        ("Transitioning", "2026-01-02T00:00:00Z", true),
        ("Transitioning", "2025-12-31T00:00:00Z", false),
        // Clocks may differ by five minutes.
        ("Transitioning", "2026-01-01T11:56:00Z", true),
        ("Transitioning", "2026-01-01T11:54:00Z", false),
        ("Healthy", "2026-01-02T00:00:00Z", false),
    ] {
        let mut service = plane::start().await;
        let mut body = described(state);
        body["updatedTime"] = json!(updated);
        service
            .on("GET", &at_service(), Reply::json(200, &body))
            .await;
        match resume(&service, &token).await.unwrap() {
            Resumed::Service(_) => assert!(ours, "{state} {updated}"),
            Resumed::NotStarted {
                verb,
                resource,
                name,
            } => {
                assert!(!ours, "{state} {updated}");
                assert_eq!((verb, name.as_str()), (Verb::Update, "s-1"));
                assert_eq!(resource, TokenResource::Service);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(
            plane::lines(&service),
            [format!("GET {MODELS} {}", at_service())]
        );
    }
}
