use crate::support::fixture::{self, created};
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{AksCompute, ComputeTarget, Error, ErrorKind, WaitOptions};
use std::time::Duration;

/// The error with which a create ends, at once or later.
async fn create(emulator: &Emulator) -> Error {
    let workspace = fixture::workspace(emulator);
    let config = AksCompute::provisioning_configuration().build().unwrap();
    match ComputeTarget::create(&workspace, "myaks", config).await {
        Err(error) => error,
        Ok(mut aks) => aks
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap_err(),
    }
}

#[tokio::test(start_paused = true)]
async fn well_known_refusals_come_with_a_remedy() {
    for (fault, words) in [
        (Fault::quota_exceeded(), "vCPUs"),
        (Fault::policy_denied(), "userDefinedRouting"),
        (Fault::path_retired(), "attach a cluster of your own"),
    ] {
        let emulator = Emulator::new();
        emulator.inject(fault);
        let error = create(&emulator).await;
        assert!(
            error.remedy().is_some_and(|remedy| remedy.contains(words)),
            "{error}"
        );
        assert!(error.to_string().contains(words));
        assert!(
            error.request_id().is_some() && error.correlation_id().is_some(),
            "{error:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn retired_path_is_a_predicate() {
    let emulator = Emulator::new();
    emulator.inject(Fault::path_retired());
    assert!(create(&emulator).await.is_path_retired());
    let emulator = Emulator::new();
    emulator.inject(Fault::quota_exceeded());
    assert!(!create(&emulator).await.is_path_retired());
}

#[tokio::test(start_paused = true)]
async fn html_page_is_reported_as_html() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    emulator.inject(Fault::html_error());
    let error = AksCompute::get(&workspace, "myaks").await.unwrap_err();
    assert!(error.to_string().len() < 1000, "{error}");
    assert!(error.http_status().is_some());
}

#[tokio::test(start_paused = true)]
async fn expired_token_is_asked_for_again_once() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    created(&workspace, "myaks").await;
    emulator.inject(Fault::expired_token().times(1));
    AksCompute::get(&workspace, "myaks").await.unwrap();
    emulator.inject(Fault::expired_token().times(2));
    let error = AksCompute::get(&workspace, "myaks").await.unwrap_err();
    assert!(error.is_unauthenticated());
    assert!(
        error
            .remedy()
            .is_some_and(|remedy| remedy.contains("sign in")),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn long_throttle_is_reported_and_holds_for_the_whole_workspace() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    created(&workspace, "myaks").await;
    emulator.inject(Fault::throttled(Duration::from_secs(300)).times(1));
    let error = AksCompute::get(&workspace, "myaks").await.unwrap_err();
    assert!(error.is_throttled(), "{error}");
    assert!(
        error.request_id().is_some(),
        "the answer that said so is known"
    );
    assert!(
        error
            .retry_after()
            .is_some_and(|after| after > Duration::from_secs(200)),
        "{error:?}"
    );
    emulator.clear_journal();
    let error = workspace.clone().location().await.err();
    let error = match error {
        Some(error) => error,
        None => AksCompute::get(&workspace, "myaks").await.unwrap_err(),
    };
    assert!(
        error.is_throttled() && emulator.journal().is_empty(),
        "nothing is sent meanwhile"
    );
    tokio::time::sleep(Duration::from_secs(301)).await;
    AksCompute::get(&workspace, "myaks").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn call_has_a_timeout_of_its_own() {
    let emulator = Emulator::new();
    let workspace = fixture::builder(&emulator)
        .transport(azure_core::http::Transport::new(std::sync::Arc::new(
            Silence,
        )))
        .timeout(Duration::from_secs(7))
        .build()
        .unwrap();
    let start = tokio::time::Instant::now();
    let error = AksCompute::get(&workspace, "myaks").await.unwrap_err();
    assert_eq!(
        (error.kind(), start.elapsed().as_secs()),
        (ErrorKind::Timeout, 7)
    );
    assert!(error.client_request_id().is_some());
}

/// A server that never answers.
#[derive(Debug)]
struct Silence;

#[async_trait::async_trait]
impl azure_core::http::HttpClient for Silence {
    async fn execute_request(
        &self,
        _: &azure_core::http::Request,
    ) -> azure_core::Result<azure_core::http::AsyncRawResponse> {
        std::future::pending().await
    }
}
