//! Reading, listing, logs, keys, tokens, deleting.

use super::{Scene, plain};
use azure_core::credentials::Secret;
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{
    AksWebservice, Auth, ErrorKind, KeyName, LogOptions, ServiceQuery, models::ServiceState,
};
use futures::TryStreamExt;
use std::time::{Duration, SystemTime};

async fn names(scene: &Scene, query: ServiceQuery) -> Vec<String> {
    let services: Vec<AksWebservice> = AksWebservice::list(&scene.workspace, query)
        .try_collect()
        .await
        .unwrap();
    services
        .iter()
        .map(|service| service.name().to_string())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn services_are_read_listed_and_deleted() {
    let scene = Scene::on(Emulator::builder().page_size(2).build()).await;
    for name in ["a-1", "a-2", "a-3"] {
        scene
            .deployed(name, plain().tag("name", name).tag("all", ""))
            .await;
    }
    let all = names(&scene, ServiceQuery::new()).await;
    assert_eq!(all, ["a-3", "a-2", "a-1"]);
    assert_eq!(
        names(&scene, ServiceQuery::new().tag("name", "a-2")).await,
        ["a-2"]
    );
    assert_eq!(
        names(&scene, ServiceQuery::new().has_tag("all").page_size(1))
            .await
            .len(),
        3
    );
    assert_eq!(
        names(&scene, ServiceQuery::new().model_name("mymodel"))
            .await
            .len(),
        3
    );
    assert_eq!(
        names(&scene, ServiceQuery::new().model_id("mymodel:1"))
            .await
            .len(),
        3
    );
    assert!(
        names(&scene, ServiceQuery::new().model_name("other"))
            .await
            .is_empty()
    );

    let mut service = AksWebservice::get(&scene.workspace, "a-1").await.unwrap();
    assert_eq!(service.state(), Some(ServiceState::Healthy));
    service.refresh_state().await.unwrap();
    service.delete().await.unwrap().await.unwrap();
    service.delete().await.unwrap().await.unwrap();
    assert!(
        AksWebservice::get(&scene.workspace, "a-1")
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert!(
        AksWebservice::get_opt(&scene.workspace, "a-1")
            .await
            .unwrap()
            .is_none()
    );
    assert!(service.refresh_state().await.unwrap_err().is_not_found());
    assert_eq!(names(&scene, ServiceQuery::new()).await, ["a-3", "a-2"]);
}

#[tokio::test(start_paused = true)]
async fn logs_are_read_of_either_container() {
    let scene = Scene::new().await;
    let service = scene.deployed("s-1", plain()).await;
    let main = service.logs(LogOptions::new().tail(3)).await.unwrap();
    assert_eq!(main.lines().count(), 3, "{main}");
    let init = service.logs(LogOptions::new().init()).await.unwrap();
    assert_ne!(main, init);
    let journal = scene.emulator.journal();
    let asked: Vec<_> = journal
        .iter()
        .filter(|entry| entry.path.ends_with("/logs"))
        .map(|entry| {
            (
                entry.parameter("tail").unwrap(),
                entry.parameter("init").unwrap(),
            )
        })
        .collect();
    let expected = [("3", "false"), ("5000", "true")];
    assert_eq!(
        asked,
        expected.map(|(tail, init)| (tail.to_owned(), init.to_owned()))
    );
}

#[tokio::test(start_paused = true)]
async fn keys_are_read_and_made_anew_by_the_service_or_the_caller() {
    let scene = Scene::new().await;
    let config = plain().primary_key("first").secondary_key("second");
    let service = scene.deployed("s-1", config).await;
    let keys = service.keys().await.unwrap();
    assert_eq!(keys.primary_key.unwrap().secret(), "first");
    let given = Secret::new("third".to_owned());
    let keys = service
        .regenerate_key(KeyName::Secondary)
        .value(given)
        .await
        .unwrap();
    assert_eq!(keys.primary_key.as_ref().unwrap().secret(), "first");
    assert_eq!(keys.secondary_key.as_ref().unwrap().secret(), "third");
    assert!(!format!("{keys:?}").contains("third"));
    let keys = service.regenerate_key(KeyName::Primary).await.unwrap();
    assert_ne!(keys.primary_key.unwrap().secret(), "first");
    // What is empty is refused before anything is sent.
    scene.emulator.clear_journal();
    for empty in ["", " ", "\n"] {
        let request = || {
            service
                .regenerate_key(KeyName::Primary)
                .value(empty.to_owned())
        };
        for error in [
            request().await.unwrap_err(),
            request().prepare().await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::Validation);
            assert_eq!(error.findings().len(), 1);
        }
    }
    assert!(scene.requests().is_empty(), "{:#?}", scene.requests());
}

#[tokio::test(start_paused = true)]
async fn key_may_be_made_at_once() {
    let emulator = Emulator::builder().regenerate_keys_at_once(true).build();
    let scene = Scene::on(emulator).await;
    let service = scene.deployed("s-1", plain()).await;
    scene.emulator.clear_journal();
    let keys = service.regenerate_key(KeyName::Primary).await.unwrap();
    assert!(keys.primary_key.is_some());
    assert_eq!(scene.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn tokens_say_how_long_they_are_good_for() {
    let emulator = Emulator::builder()
        .service_token_lifetime(Duration::from_secs(7200), Duration::from_secs(3600))
        .build();
    let scene = Scene::on(emulator).await;
    let service = scene.deployed("s-1", plain().auth(Auth::Token)).await;
    let token = service.token().await.unwrap();
    let (refresh, end) = (token.refresh_after().unwrap(), token.expires_on().unwrap());
    assert_eq!(
        end.duration_since(refresh).unwrap(),
        Duration::from_secs(3600)
    );
    assert!(refresh > SystemTime::now());
    assert!(!format!("{token:?}").contains(token.access_token.secret()));

    let keyed = scene.deployed("s-2", plain()).await;
    let error = keyed.token().await.unwrap_err();
    assert!(error.remedy().unwrap().contains("Auth::Token"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn refusals_of_keys_and_tokens_quote_nothing() {
    let scene = Scene::new().await;
    let service = scene.deployed("s-1", plain()).await;
    let body = r#"{"code":"Odd","statusCode":400,"message":"primaryKey is s3cr3t"}"#;
    for path in ["listkeys", "regenerateKeys", "token"] {
        let odd = Fault::response_override(400, &[], body);
        scene.emulator.inject(odd.on(Method::Post, path).times(1));
    }
    let errors = [
        service.keys().await.unwrap_err(),
        service.regenerate_key(KeyName::Primary).await.unwrap_err(),
        service.token().await.unwrap_err(),
    ];
    for error in errors {
        assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error}");
        assert_eq!(error.code(), Some("Odd"));
    }
}

#[tokio::test(start_paused = true)]
async fn service_that_answers_with_garbage_gives_clear_errors() {
    let scene = Scene::new().await;
    let service = scene.deployed("s-1", plain()).await;
    for (method, path, body) in [
        (Method::Get, "/services/s-1", "[]"),
        (Method::Get, "/services/s-1", "<html>"),
        (Method::Post, "/listkeys", "7"),
        (Method::Post, "/token", r#"{"tokenType":"Bearer"}"#),
        (Method::Post, "/token", r#"{"accessToken":""}"#),
        (Method::Get, "/logs", r#"{"content":7}"#),
    ] {
        let odd = Fault::response_override(200, &[], body);
        scene.emulator.inject(odd.on(method, path).times(1));
        let error = match path {
            "/listkeys" => service.keys().await.unwrap_err(),
            "/token" => service.token().await.unwrap_err(),
            "/logs" => service.logs(LogOptions::new()).await.unwrap_err(),
            _ => service.clone().refresh_state().await.unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::Protocol, "{path} {body}: {error}");
        assert!(error.to_string().contains("service \"s-1\""), "{error}");
    }
    let other = Fault::response_override(200, &[], r#"{"name":"s-1","computeType":"ACI"}"#);
    scene
        .emulator
        .inject(other.on(Method::Get, "/services/s-1").times(1));
    let error = service.clone().refresh_state().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
}
