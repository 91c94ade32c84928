//! Cases 22 and 23: 404 from the monitor.

use super::support::*;
use azureml_aks::{ErrorKind, WaitOptions};

#[tokio::test(start_paused = true)]
async fn case_22_monitor_may_appear_late_and_be_missing_for_a_moment() {
    let replies = [
        not_found(),
        not_found(),
        status("InProgress"),
        not_found(),
        status("Succeeded"),
        ready(),
    ];
    let run = create(created(), replies).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.sent.len(), 7);
}

#[tokio::test(start_paused = true)]
async fn case_22_monitor_has_a_minute_and_five_polls_to_appear() {
    // Every two seconds: the minute counts.
    let start = created().header("Retry-After", "2");
    let replies = (0..26)
        .map(|_| not_found())
        .chain([status("Succeeded"), ready()]);
    let run = create(start, replies).await;
    run.result.as_ref().unwrap();
    // Every minute: the polls count.
    let start = created().header("Retry-After", "60");
    let replies = (0..4)
        .map(|_| not_found())
        .chain([status("Succeeded"), ready()]);
    let run = create(start, replies).await;
    run.result.as_ref().unwrap();
}

#[tokio::test(start_paused = true)]
async fn case_22_three_404_in_a_row_are_tolerated_between_good_reads() {
    let lost = || (0..3).map(|_| not_found());
    let replies = std::iter::once(status("InProgress"))
        .chain(lost())
        .chain([status("InProgress")])
        .chain(lost())
        .chain([status("Succeeded"), ready()]);
    let run = create(created(), replies).await;
    run.result.as_ref().unwrap();
    assert_eq!(
        run.lines()
            .iter()
            .filter(|line| *line == "GET compute")
            .count(),
        1,
        "no probe"
    );
    let replies = std::iter::once(status("InProgress"))
        .chain(lost())
        .chain([not_found(), ready()]);
    let run = create(created(), replies).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.lines().last().unwrap(), "GET compute");
}

#[tokio::test(start_paused = true)]
async fn case_23_past_the_grace_the_compute_is_asked() {
    let start = || created().header("Retry-After", "30");
    let gone = || (0..5).map(|_| not_found());
    let run = create(start(), gone().chain([ready()])).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.lines()[5..], ["GET monitor", "GET compute"]);

    let creating = reply(200).json(&resource("Creating"));
    let run = create(start(), gone().chain([creating, ready()])).await;
    run.result.as_ref().unwrap();

    let run = create(start(), gone().chain([not_found()])).await;
    assert_eq!(run.error().kind(), ErrorKind::OperationStatusLost);
    assert!(run.error().may_still_run());
    assert_eq!(run.error().last_status(), Some("Creating"));
    assert!(run.error().resume_token().is_some() && run.token.is_some());
}

#[tokio::test(start_paused = true)]
async fn case_23_monitor_that_has_expired_is_not_asked_again() {
    let run = create(created(), [reply(410), ready()]).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.lines(), ["PUT compute", "GET monitor", "GET compute"]);
}

#[tokio::test(start_paused = true)]
async fn case_23_lost_status_may_be_waited_for_again_on_the_same_handle() {
    let stage = Stage::new();
    let mut compute = stage.create(created()).await.unwrap();
    stage.script.expect([reply(410), not_found()]);
    let error = compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OperationStatusLost);
    stage.script.expect([status("Succeeded"), ready()]);
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(compute.status(), Some("Succeeded"));
}
