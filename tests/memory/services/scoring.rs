//! From a service to a client that calls it.

use super::{Scene, plain};
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, Fault, ScoringResponse};
use azureml_aks::{AksWebservice, Auth, ErrorKind, KeyName};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn service_is_called_with_its_key_which_is_fetched_once() {
    let scene = Scene::new().await;
    let service = scene.deployed("s-1", plain()).await;
    let client = service.scoring_client().await.unwrap();
    scene.emulator.clear_journal();
    for number in 0..5 {
        let answer: Value = client.run(&json!({ "data": [number] })).await.unwrap();
        assert_eq!(answer["data"][0], number);
    }
    assert_eq!(scene.count("POST", "/listkeys"), 1);
    assert_eq!(scene.count("POST", "/score"), 5);
    assert_eq!(scene.requests().len(), 6, "{:#?}", scene.requests());

    // A new key is fetched once the old one is refused.
    service.regenerate_key(KeyName::Primary).await.unwrap();
    scene.emulator.clear_journal();
    let _: Value = client.run(&json!(1)).await.unwrap();
    assert_eq!(scene.count("POST", "/score"), 2);
    assert_eq!(scene.count("POST", "/listkeys"), 1);
}

#[tokio::test(start_paused = true)]
async fn fresh_key_is_not_fetched_for_an_address_that_the_service_has_left() {
    let scene = Scene::new().await;
    let service = scene.deployed("s-1", plain()).await;
    let client = service.scoring_client().await.unwrap();
    let _: Value = client.run(&json!(1)).await.unwrap();
    service.regenerate_key(KeyName::Primary).await.unwrap();
    for elsewhere in [json!("https://new.example/score"), json!(null)] {
        let body = json!({ "name": "s-1", "computeType": "AKS", "state": "Healthy", "scoringUri": elsewhere });
        let moved = Fault::response_override(200, &[], body.to_string());
        scene
            .emulator
            .inject(moved.on(Method::Get, "/services/s-1").times(1));
        scene.emulator.clear_journal();
        let error = client.run::<_, Value>(&json!(1)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UntrustedUrl, "{error}");
        assert!(error.to_string().contains("another address"), "{error}");
        assert_eq!(scene.count("POST", "/score"), 1);
        assert_eq!(scene.count("POST", "/listkeys"), 0);
        // A failure is shared for a second.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    // Back at its address, the service is called with the fresh key.
    let _: Value = client.run(&json!(1)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn token_that_has_run_out_is_replaced_by_one_fetch() {
    let emulator = Emulator::builder()
        .service_token_lifetime(Duration::from_secs(3600), Duration::from_secs(1800))
        .build();
    let scene = Scene::on(emulator).await;
    let service = scene.deployed("s-1", plain().auth(Auth::Token)).await;
    let client = service.scoring_client().await.unwrap();
    let _: Value = client.run(&json!(1)).await.unwrap();
    // By the emulator's clock. That of this machine stands still: replacing a token ahead of its time
    // is proved beside the client.
    tokio::time::sleep(Duration::from_secs(3700)).await;
    scene.emulator.clear_journal();
    let calls = (0..8).map(|_| client.run::<_, Value>(&1));
    for answer in futures::future::join_all(calls).await {
        answer.unwrap();
    }
    assert_eq!(scene.count("POST", "/token"), 1);
    assert!(scene.count("POST", "/score") <= 16);
}

#[tokio::test(start_paused = true)]
async fn service_without_authentication_is_called_without() {
    let scene = Scene::new().await;
    let service = scene.deployed("s-1", plain().auth(Auth::Disabled)).await;
    let client = service.scoring_client().await.unwrap();
    scene.emulator.clear_journal();
    let _: Value = client.run(&json!(1)).await.unwrap();
    assert_eq!(scene.requests().len(), 1);
    assert!(!scene.emulator.journal()[0].authorized);
}

#[tokio::test(start_paused = true)]
async fn service_that_is_not_there_yet_cannot_be_called() {
    let scene = Scene::new().await;
    let service = scene.deployment("s-1", plain()).await.unwrap();
    let error = service.scoring_client().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("Transitioning"), "{error}");
    // A handle that was read before it was healthy is read again.
    let read = AksWebservice::get(&scene.workspace, "s-1").await.unwrap();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    read.scoring_client().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn code_that_fails_is_distinguished() {
    let emulator = Emulator::builder()
        .score(|_| ScoringResponse::failed("ValueError: no"))
        .build();
    let scene = Scene::on(emulator).await;
    let service = scene.deployed("s-1", plain()).await;
    let client = service.scoring_client().await.unwrap();
    let error = client.run::<_, Value>(&json!(1)).await.unwrap_err();
    assert!(error.is_scoring_code_failure(), "{error}");
    assert!(error.to_string().contains("ValueError"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn swagger_document_is_optional() {
    let scene = Scene::new().await;
    let service = scene.deployed("s-1", plain()).await;
    let client = service.scoring_client().await.unwrap();
    assert_eq!(client.swagger().await.unwrap(), None);
    scene
        .emulator
        .set_swagger("s-1", json!({ "swagger": "2.0" }));
    assert_eq!(client.swagger().await.unwrap().unwrap()["swagger"], "2.0");
}
