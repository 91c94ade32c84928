//! The effects of a 401, and of wrong clocks.

use super::support::{Fetch, Service, Source, pass, score, silence};
use crate::error::ErrorKind;
use futures::future::join_all;
use proptest::prelude::*;
use std::time::Duration;

const QUICK: Duration = Duration::from_millis(5);

#[tokio::test(start_paused = true)]
async fn after_a_401_the_credential_is_fetched_once_for_all_and_each_call_repeated_once() {
    let service = Service::taking(&["a"]);
    let source = Source::new(QUICK, [Fetch::Key("a"), Fetch::Key("b")]);
    let client = service.client(&source);
    score(&client).await.unwrap();
    service.take(&["b"]);
    let results = join_all((0..20).map(|_| score(&client))).await;
    for result in results {
        assert_eq!(result.unwrap(), "b");
    }
    assert_eq!(source.begun(), 2);
    assert_eq!(service.seen(), 1 + 20 + 20);
}

#[tokio::test(start_paused = true)]
async fn call_that_was_refused_takes_what_another_has_fetched_meanwhile() {
    let service = Service::taking(&["a"]);
    let source = Source::new(QUICK, [Fetch::Key("a"), Fetch::Key("b")]);
    let client = service.client(&source);
    score(&client).await.unwrap();
    service.take(&["b"]);
    let late = async {
        pass(0.0005).await;
        score(&client).await
    };
    let (first, second) = tokio::join!(score(&client), late);
    assert_eq!((first.unwrap(), second.unwrap()), ("b".into(), "b".into()));
    assert_eq!(source.begun(), 2);
}

#[tokio::test(start_paused = true)]
async fn same_credential_is_not_sent_twice_and_not_fetched_for_every_call() {
    let service = Service::taking(&[]);
    let source = Source::new(QUICK, (0..9).map(|_| Fetch::Key("a")));
    let client = service.client(&source);
    let error = score(&client).await.unwrap_err();
    assert!(error.is_scoring_unauthorized() && error.is_unauthenticated());
    assert_eq!((source.begun(), service.seen()), (2, 1));
    for _ in 0..10 {
        score(&client).await.unwrap_err();
    }
    assert_eq!((source.begun(), service.seen()), (2, 11));
    pass(31.0).await;
    score(&client).await.unwrap_err();
    assert_eq!((source.begun(), service.seen()), (3, 12));
}

#[tokio::test(start_paused = true)]
async fn second_refusal_ends_the_call() {
    let service = Service::taking(&[]);
    let source = Source::new(QUICK, [Fetch::Key("a"), Fetch::Key("b")]);
    let client = service.client(&source);
    let error = score(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ScoringUnauthorized);
    assert_eq!((source.begun(), service.seen()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn fetch_that_fails_after_a_401_is_what_the_caller_is_reported() {
    let service = Service::taking(&["a"]);
    let source = Source::new(QUICK, [Fetch::Key("a"), silence(), Fetch::Key("b")]);
    let client = service.client(&source);
    score(&client).await.unwrap();
    service.take(&["b"]);
    let error = score(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ScoringCredentialUnavailable);
    pass(2.0).await;
    assert_eq!(score(&client).await.unwrap(), "b");
}

#[tokio::test(start_paused = true)]
async fn new_token_is_used_by_a_clock_that_is_early() {
    let service = Service::taking(&["a"]);
    let source = Source::new(QUICK, (0..9).map(|_| Fetch::Token("a", -7_200, -3_600)));
    let client = service.client(&source);
    for _ in 0..20 {
        assert_eq!(score(&client).await.unwrap(), "a");
        pass(1.0).await;
    }
    assert_eq!(source.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn token_is_replaced_after_a_401_by_a_clock_that_is_late() {
    let service = Service::taking(&["a"]);
    let script = [
        Fetch::Token("a", 7_200, 7_200),
        Fetch::Token("b", 7_200, 7_200),
    ];
    let source = Source::new(QUICK, script);
    let client = service.client(&source);
    score(&client).await.unwrap();
    pass(3_600.0).await;
    service.take(&["b"]);
    assert_eq!(score(&client).await.unwrap(), "b");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever times a service gives, a token is fetched at most every 30 seconds, and found.
    #[test]
    fn times_of_any_kind_do_no_harm(
        refresh in -100_000_000_000_i64..100_000_000_000, expiry in -100_000_000_000_i64..100_000_000_000,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let begun = runtime.block_on(async {
            let service = Service::taking(&["a"]);
            let source = Source::new(QUICK, (0..9).map(|_| Fetch::Token("a", refresh, expiry)));
            let client = service.client(&source);
            for _ in 0..10 {
                score(&client).await.unwrap();
                pass(10.0).await;
            }
            source.begun()
        });
        prop_assert!(begun <= 4, "{begun}");
    }
}
