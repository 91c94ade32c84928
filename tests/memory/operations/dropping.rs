//! Case 39: a wait that is dropped loses nothing, wherever it stood.

use super::support::*;
use azureml_aks::{
    AksCompute, ComputeTarget, ResumeToken, Resumed, WaitOptions, Workspace, models::Event,
};
use futures::{StreamExt, pin_mut};
use std::future::{Future, poll_fn};
use std::task::Poll;

const PAUSE: Duration = Duration::from_secs(2);

/// Drops the future when it is pending for the `stop`th time; then there is no output.
pub(crate) async fn until_pending<F: Future>(future: F, stop: usize) -> Option<F::Output> {
    pin_mut!(future);
    let mut pending = 0;
    poll_fn(move |context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if pending == stop => Poll::Ready(None),
        Poll::Pending => {
            pending += 1;
            Poll::Pending
        }
    })
    .await
}

/// A service where a compute exists once its PUT has arrived, and is ready half a minute later. A
/// detach takes as long.
fn serve(stage: &Stage) {
    let mut write: Option<(String, Duration)> = None;
    stage.script.otherwise(move |sent| {
        let done = write
            .as_ref()
            .is_some_and(|(_, at)| sent.at >= *at + secs(30.0));
        let deleted = write.as_ref().is_some_and(|(method, _)| method == "DELETE");
        let answer = match (sent.method.as_str(), sent.url.as_str()) {
            ("GET", MONITOR) if done => status("Succeeded"),
            ("GET", MONITOR) => status("InProgress"),
            ("GET", _) if write.is_none() => not_found(),
            ("GET", _) if deleted && done => not_found(),
            ("GET", _) if deleted => reply(200).json(&resource("Deleting")),
            ("GET", _) if done => ready(),
            ("GET", _) => reply(200).json(&resource("Creating")),
            (method, _) => {
                assert!(write.is_none(), "a second {method}");
                write = Some((method.to_owned(), sent.at));
                if method == "PUT" {
                    created()
                } else {
                    accepted()
                }
            }
        };
        answer.slow(PAUSE)
    });
}

/// The token survives being written down, and holds nothing that it must not hold.
#[track_caller]
fn stored(token: Option<&ResumeToken>) -> ResumeToken {
    let token = token.expect("an operation that has not ended has a token");
    let text = token.expose();
    for secret in [
        TOKEN,
        "Bearer",
        "authorization",
        "devTest",
        "DevTest",
        "computeType",
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let read = ResumeToken::parse(&text).unwrap();
    assert_eq!(&read, token);
    read
}

async fn follow(workspace: &Workspace, token: &ResumeToken) {
    match workspace.resume(token).await.unwrap() {
        Resumed::Compute(mut compute) => {
            compute
                .wait_for_completion(WaitOptions::new())
                .await
                .unwrap();
            assert_eq!(compute.status(), Some("Succeeded"));
        }
        Resumed::Removal(operation) => operation.await.unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Nothing goes on behind the caller's back.
async fn assert_still(stage: &Stage) {
    let before = stage.script.sent().len();
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert_eq!(
        stage.script.sent().len(),
        before,
        "a request after the drop"
    );
}

#[tokio::test(start_paused = true)]
async fn case_39_wait_that_is_dropped_at_any_point_can_be_taken_up() {
    let mut points = 0;
    loop {
        let stage = Stage::new();
        serve(&stage);
        let mut compute = ComputeTarget::create(&stage.workspace, "myaks", configuration())
            .await
            .unwrap();
        let wait = compute.wait_for_completion(WaitOptions::new());
        if let Some(result) = until_pending(wait, points).await {
            result.unwrap();
            break;
        }
        points += 1;
        let token = stored(compute.resume_token());
        assert_still(&stage).await;
        let mut same = compute.clone();
        same.wait_for_completion(WaitOptions::new()).await.unwrap();
        assert_eq!(same.status(), Some("Succeeded"));
        assert_eq!(same.resume_token(), None);
        assert_eq!(
            stage
                .lines()
                .iter()
                .filter(|line| line.starts_with("PUT"))
                .count(),
            1
        );

        follow(&stage.elsewhere(), &token).await;
    }
    // Pauses, requests, and both halves of their bodies.
    assert!(points > 12, "{points} points");
}

#[tokio::test(start_paused = true)]
async fn case_39_dropped_read_is_repeated_at_most_once() {
    let undisturbed = {
        let stage = Stage::new();
        serve(&stage);
        let mut compute = ComputeTarget::create(&stage.workspace, "myaks", configuration())
            .await
            .unwrap();
        compute
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap();
        stage.lines().len()
    };
    let mut points = 0;
    loop {
        let stage = Stage::new();
        serve(&stage);
        let mut compute = ComputeTarget::create(&stage.workspace, "myaks", configuration())
            .await
            .unwrap();
        let wait = compute.wait_for_completion(WaitOptions::new());
        if until_pending(wait, points).await.is_some() {
            break;
        }
        points += 1;
        compute
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap();
        let lines = stage.lines();
        // One more for the request that was dropped, one for the jitter of the pauses.
        assert!(lines.len() <= undisturbed + 2, "{lines:?}");
        assert_eq!(lines.last().unwrap(), "GET compute");
    }
}

#[tokio::test(start_paused = true)]
async fn case_39_wait_that_is_dropped_again_and_again_still_ends() {
    let stage = Stage::new();
    serve(&stage);
    let mut compute = ComputeTarget::create(&stage.workspace, "myaks", configuration())
        .await
        .unwrap();
    let mut rounds = 0;
    // Each round lives as long as one request takes.
    while tokio::time::timeout(PAUSE * 4, compute.wait_for_completion(WaitOptions::new()))
        .await
        .is_err()
    {
        rounds += 1;
        assert!(rounds < 50);
    }
    assert_eq!(compute.status(), Some("Succeeded"));
    assert!(rounds > 2);
}

#[tokio::test(start_paused = true)]
async fn case_39_stream_of_events_that_is_dropped_at_any_point_can_be_begun_again() {
    let mut points = 0;
    loop {
        let stage = Stage::new();
        stage.script.expect([ready().slow(PAUSE)]);
        serve(&stage);
        let mut compute = AksCompute::get(&stage.workspace, "myaks").await.unwrap();
        let mut operation = compute.detach().await.unwrap();
        let last = |events: Vec<Result<Event<()>, _>>| {
            assert!(
                matches!(events.last(), Some(Ok(Event::Done(())))),
                "{events:?}"
            );
        };
        if let Some(events) =
            until_pending(operation.events(WaitOptions::new()).collect(), points).await
        {
            last(events);
            break;
        }
        points += 1;
        let token = stored(operation.resume_token());
        assert_still(&stage).await;
        last(operation.events(WaitOptions::new()).collect().await);
        assert_eq!(operation.resume_token(), None);
        assert!(
            operation
                .events(WaitOptions::new())
                .collect::<Vec<_>>()
                .await
                .len()
                == 1
        );
        follow(&stage.elsewhere(), &token).await;
    }
    assert!(points > 9, "{points} points");
}

#[tokio::test(start_paused = true)]
async fn case_39_outcome_of_a_dropped_prepared_create_is_found() {
    let (mut points, mut absent, mut found) = (0, 0, 0);
    loop {
        let stage = Stage::new();
        serve(&stage);
        let create = ComputeTarget::create(&stage.workspace, "myaks", configuration());
        let prepared = create.prepare().unwrap();
        assert!(stage.script.sent().is_empty(), "preparing sends nothing");
        let token = stored(Some(prepared.token()));
        if until_pending(prepared.send(), points).await.is_some() {
            break;
        }
        points += 1;
        assert_still(&stage).await;
        let arrived = stage.script.sent().iter().any(|sent| sent.method == "PUT");
        let workspace = stage.elsewhere();
        match workspace.resume(&token).await.unwrap() {
            Resumed::NotStarted { name, .. } if !arrived => {
                assert_eq!(name, "myaks");
                absent += 1;
            }
            Resumed::Compute(mut compute) if arrived => {
                stored(compute.resume_token());
                compute
                    .wait_for_completion(WaitOptions::new())
                    .await
                    .unwrap();
                found += 1;
            }
            other => panic!("arrived: {arrived}, and found {other:?}"),
        }
    }
    assert!(
        absent > 2 && found > 2,
        "{absent} before the PUT, {found} after it"
    );
}
