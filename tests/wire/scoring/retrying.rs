//! The requests that are tried again, and how often. Under a paused clock.

use super::support::{Script, Step};
use azureml_aks::{Error, ErrorKind, ScoringClient, ScoringRetry};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

async fn score(client: &ScoringClient) -> Result<u8, Error> {
    client.run(&()).await
}

#[tokio::test(start_paused = true)]
async fn nothing_is_retried_unless_asked_for() {
    for step in [
        Step::Answer(503, None),
        Step::Answer(429, None),
        Step::NoConnection,
    ] {
        let script = Script::new([step]);
        score(&script.builder().build().unwrap()).await.unwrap_err();
        assert_eq!(script.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn call_that_the_code_has_not_seen_is_retried_with_the_same_id() {
    let script = Script::new([
        Step::NoConnection,
        Step::Answer(503, None),
        Step::Answer(429, Some("3")),
        Step::Answer(200, None),
    ]);
    let client = script.builder().retry(ScoringRetry::new()).build().unwrap();
    assert_eq!(score(&client).await.unwrap(), 1);
    let pauses = script.pauses();
    assert_eq!(pauses.len(), 3);
    assert!(pauses[0] <= Duration::from_millis(501), "{pauses:?}");
    assert!(pauses[1] <= Duration::from_millis(1_001), "{pauses:?}");
    assert!(pauses[2] >= Duration::from_secs(3), "{pauses:?}");
    assert_eq!(script.ids().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn call_that_may_have_had_effects_is_not_retried() {
    for step in [
        Step::Answer(400, None),
        Step::Answer(401, None),
        Step::Answer(500, Some("1")),
        Step::Answer(502, Some("1")),
        Step::Answer(504, Some("1")),
        Step::BrokenConnection,
        Step::Silence,
    ] {
        let script = Script::new([step.clone()]);
        let client = script.builder().retry(ScoringRetry::new()).build().unwrap();
        score(&client).await.unwrap_err();
        assert_eq!(script.count(), 1, "{step:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn retries_end_and_the_last_answer_is_reported() {
    let script = Script::new((0..9).map(|_| Step::Answer(503, None)));
    let retry = ScoringRetry::new().max_retries(2);
    let client = script.builder().retry(retry).build().unwrap();
    assert!(score(&client).await.unwrap_err().is_overloaded());
    assert_eq!(script.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn pause_that_is_too_long_ends_the_call_at_once() {
    let begun = tokio::time::Instant::now();
    // Longer than the longest pause.
    let script = Script::new([Step::Answer(503, Some("11"))]);
    let client = script.builder().retry(ScoringRetry::new()).build().unwrap();
    let error = score(&client).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(11)));
    // Beyond the deadline.
    let script = Script::new([Step::Answer(503, Some("9"))]);
    let client = script.builder().retry(ScoringRetry::new()).build().unwrap();
    let call = client.request().timeout(Duration::from_secs(8));
    assert!(call.run::<_, u8>(&()).await.unwrap_err().is_overloaded());
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn all_tries_share_one_deadline() {
    let script = Script::new([Step::Answer(503, Some("5")), Step::Silence]);
    let client = script
        .builder()
        .retry(ScoringRetry::new())
        .timeout(Duration::from_secs(8))
        .build()
        .unwrap();
    let begun = tokio::time::Instant::now();
    let error = score(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(script.count(), 2);
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_secs(8) && took < Duration::from_millis(8_100),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn deadline_in_the_far_future_is_accepted() {
    let script = Script::new([Step::Answer(503, Some("5")), Step::Answer(200, None)]);
    let client = script
        .builder()
        .retry(ScoringRetry::new())
        .timeout(Duration::MAX)
        .build()
        .unwrap();
    assert_eq!(score(&client).await.unwrap(), 1);
}

#[tokio::test]
async fn service_that_comes_up_meanwhile_is_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let retry = ScoringRetry::new()
        .max_retries(u32::MAX)
        .max_pause(Duration::from_millis(20));
    let client = ScoringClient::builder(format!("http://{address}/score"))
        .anonymous()
        .retry(retry)
        .build()
        .unwrap();
    let service = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let listener = TcpListener::bind(address).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 1024]).await.unwrap();
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1";
        stream.write_all(answer).await.unwrap();
        stream
    };
    let (result, _stream) = tokio::join!(score(&client), service);
    assert_eq!(result.unwrap(), 1);
}
