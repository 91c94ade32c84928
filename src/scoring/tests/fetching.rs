//! Fetching: once, ahead of time, together.

use super::support::{Fetch, Service, Source, pass, refusal, score, silence};
use crate::error::{Error, ErrorKind};
use crate::scoring::ScoringClient;
use futures::future::join_all;
use std::time::Duration;

const QUICK: Duration = Duration::from_millis(5);
const SLOW: Duration = Duration::from_secs(5);

async fn together(client: &ScoringClient, calls: usize) -> Vec<Result<String, Error>> {
    join_all((0..calls).map(|_| score(client))).await
}

#[tokio::test(start_paused = true)]
async fn calls_that_come_together_share_one_fetch_and_later_ones_need_none() {
    let service = Service::taking(&["a"]);
    let source = Source::new(SLOW, [Fetch::Key("a")]);
    let client = service.client(&source);
    for result in together(&client, 50).await {
        assert_eq!(result.unwrap(), "a");
    }
    // A clone shares, and a key has no end.
    pass(1e7).await;
    assert_eq!(score(&client.clone()).await.unwrap(), "a");
    assert_eq!((source.begun(), service.seen()), (1, 51));
}

#[tokio::test(start_paused = true)]
async fn caller_that_is_dropped_in_the_fetch_strands_nobody() {
    let service = Service::taking(&["a"]);
    let source = Source::new(SLOW, [Fetch::Key("a")]);
    let client = service.client(&source);
    let dropped = tokio::time::timeout(Duration::from_secs(1), score(&client)).await;
    assert!(dropped.is_err());
    assert_eq!(score(&client).await.unwrap(), "a");
    assert_eq!(source.begun(), 1);

    // Also if nobody waits any more.
    let source = Source::new(SLOW, [Fetch::Key("a")]);
    let client = service.client(&source);
    let dropped = tokio::time::timeout(Duration::from_secs(1), score(&client)).await;
    assert!(dropped.is_err());
    pass(5.0).await;
    let at_once = tokio::time::timeout(Duration::from_secs(1), score(&client)).await;
    assert_eq!(at_once.unwrap().unwrap(), "a");
    assert_eq!(source.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn token_is_replaced_before_it_expires_while_calls_go_on() {
    let service = Service::taking(&["a", "b"]);
    let script = [Fetch::Token("a", 600, 720), Fetch::Token("b", 600, 720)];
    let source = Source::new(SLOW, script);
    let client = service.client(&source);
    score(&client).await.unwrap();
    pass(535.0).await;
    score(&client).await.unwrap();
    assert_eq!(source.begun(), 1, "not yet");
    pass(5.0).await;
    let begun = tokio::time::Instant::now();
    for result in together(&client, 20).await {
        assert_eq!(result.unwrap(), "a", "nobody waits");
    }
    assert!(begun.elapsed() < SLOW);
    pass(6.0).await;
    assert_eq!(score(&client).await.unwrap(), "b");
    assert_eq!(source.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn token_that_has_run_out_is_not_sent() {
    let service = Service::taking(&["a", "b"]);
    let script = [Fetch::Token("a", 600, 720), Fetch::Token("b", 600, 720)];
    let source = Source::new(SLOW, script);
    let client = service.client(&source);
    score(&client).await.unwrap();
    pass(730.0).await;
    for result in together(&client, 20).await {
        assert_eq!(result.unwrap(), "b");
    }
    assert_eq!(source.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn token_outlives_a_region_that_does_not_answer() {
    let service = Service::taking(&["a", "b"]);
    let script = [
        Fetch::Token("a", 600, 7200),
        silence(),
        Fetch::Token("b", 600, 7200),
    ];
    let source = Source::new(QUICK, script);
    let client = service.client(&source);
    score(&client).await.unwrap();
    pass(600.0).await;
    for _ in 0..20 {
        assert_eq!(score(&client).await.unwrap(), "a");
        pass(1.0).await;
    }
    assert_eq!(
        source.begun(),
        2,
        "a failed fetch is not tried again at once"
    );
    pass(11.0).await;
    assert_eq!(score(&client).await.unwrap(), "a");
    pass(1.0).await;
    assert_eq!(score(&client).await.unwrap(), "b");
    assert_eq!(source.begun(), 3);
}

#[tokio::test(start_paused = true)]
async fn failed_fetch_is_shared_and_soon_retried() {
    let service = Service::taking(&["a"]);
    let source = Source::new(SLOW, [silence(), Fetch::Key("a")]);
    let client = service.client(&source);
    for result in together(&client, 20).await {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ScoringCredentialUnavailable);
        assert!(error.is_scoring_credential_unavailable());
        assert!(error.remedy().is_some(), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("nobody there") && text.contains("score at https://"),
            "{text}"
        );
    }
    pass(0.9).await;
    score(&client).await.unwrap_err();
    assert_eq!((source.begun(), service.seen()), (1, 0));
    pass(0.2).await;
    assert_eq!(score(&client).await.unwrap(), "a");
    assert_eq!(source.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn throttled_fetch_is_repeated_after_the_time_that_the_service_gave() {
    let service = Service::taking(&["a"]);
    let source = Source::new(QUICK, [refusal(429, Some(20)), Fetch::Key("a")]);
    let client = service.client(&source);
    let error = score(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ScoringCredentialUnavailable);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(20)));
    pass(19.0).await;
    score(&client).await.unwrap_err();
    assert_eq!(source.begun(), 1);
    pass(1.0).await;
    assert_eq!(score(&client).await.unwrap(), "a");
}

#[tokio::test(start_paused = true)]
async fn region_that_refuses_is_distinguished_from_one_that_does_not_answer() {
    let service = Service::taking(&[]);
    for (fetch, kind) in [
        (refusal(500, None), ErrorKind::ScoringCredentialUnavailable),
        (refusal(503, None), ErrorKind::ScoringCredentialUnavailable),
        (refusal(403, None), ErrorKind::Service),
        (refusal(404, None), ErrorKind::Service),
        (
            Fetch::Fails(Error::new(ErrorKind::Timeout, "late")),
            ErrorKind::ScoringCredentialUnavailable,
        ),
        (
            Fetch::Fails(Error::new(ErrorKind::Credential, "no login")),
            ErrorKind::Credential,
        ),
        (Fetch::Key("a b"), ErrorKind::Protocol),
        (Fetch::Key(""), ErrorKind::Protocol),
    ] {
        let source = Source::new(QUICK, [fetch]);
        let error = score(&service.client(&source)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(!error.is_scoring_unauthorized(), "{error}");
    }
    assert_eq!(service.seen(), 0);
}

#[tokio::test(start_paused = true)]
async fn call_waits_for_the_credential_no_longer_than_its_deadline() {
    let service = Service::taking(&["a"]);
    let source = Source::new(SLOW, [Fetch::Hangs, Fetch::Key("a")]);
    let client = service.client(&source);
    let call = client.request().timeout(Duration::from_secs(2));
    let error = call.run::<_, String>(&()).await.unwrap_err();
    assert!(error.is_timeout());
    assert!(
        error.to_string().contains("for the key or token"),
        "{error}"
    );
    // The fetch itself has a limit too, so that the next one can begin.
    pass(130.0).await;
    assert_eq!(score(&client).await.unwrap(), "a");
    assert_eq!(source.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn fetch_that_panics_is_an_error_and_not_the_last() {
    let service = Service::taking(&["a"]);
    let source = Source::new(QUICK, [Fetch::Panics, Fetch::Key("a")]);
    let client = service.client(&source);
    let error = score(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ScoringCredentialUnavailable);
    assert_eq!(score(&client).await.unwrap(), "a");
}

#[test]
fn fetch_whose_runtime_is_gone_is_begun_again_on_another() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
    };
    let service = Service::taking(&["a"]);
    let source = Source::new(SLOW, [Fetch::Hangs, Fetch::Key("a")]);
    let client = service.client(&source);
    let first = runtime();
    first.block_on(async {
        let dropped = tokio::time::timeout(Duration::from_secs(1), score(&client)).await;
        assert!(dropped.is_err());
    });
    drop(first);
    assert_eq!(runtime().block_on(score(&client)).unwrap(), "a");
    assert_eq!(source.begun(), 2);
}
