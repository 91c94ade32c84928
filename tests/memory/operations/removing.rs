//! Cases 7 to 12 and 21: what happens to a detach or delete.

use super::support::*;
use azureml_aks::ErrorKind;

const DETACH: &str = "DELETE https://management.azure.com/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes/myaks?api-version=2026-05-01&underlyingResourceAction=Detach";

fn deleting() -> Reply {
    reply(200).json(&resource("Deleting"))
}

#[tokio::test(start_paused = true)]
async fn case_07_detach_that_is_done_at_once_costs_one_request() {
    for status in [200, 204] {
        let run = detach(reply(status), []).await;
        run.result.as_ref().unwrap();
        assert_eq!(run.lines(), [DETACH], "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn case_08_detach_is_followed_at_its_monitor_and_never_at_its_location() {
    let replies = [
        status("Deleting"),
        status("InProgress"),
        status("Succeeded"),
    ];
    let run = detach(accepted(), replies).await;
    run.result.as_ref().unwrap();
    assert_eq!(
        run.lines(),
        [DETACH, "GET monitor", "GET monitor", "GET monitor"]
    );
    assert_eq!(run.token, None);
}

#[tokio::test(start_paused = true)]
async fn case_09_detach_without_a_monitor_ends_when_the_compute_is_gone() {
    let run = detach(reply(202), [deleting(), not_found()]).await;
    run.result.as_ref().unwrap();
    // The action of the DELETE is not part of a read.
    assert_eq!(run.lines(), [DETACH, "GET compute", "GET compute"]);
}

#[tokio::test(start_paused = true)]
async fn case_09_compute_as_it_was_before_does_not_end_a_detach() {
    let before = reply(200).json(&resource("Failed"));
    let run = detach(reply(202), [before, ready(), deleting(), not_found()]).await;
    run.result.as_ref().unwrap();

    let failed = reply(200).json(&resource("Failed"));
    let run = detach(reply(202), [deleting(), failed]).await;
    assert_eq!(run.error().kind(), ErrorKind::OperationFailed);
}

#[tokio::test(start_paused = true)]
async fn case_10_monitor_that_went_away_with_the_compute_is_a_success() {
    let run = detach(accepted(), [not_found(), not_found()]).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.lines(), [DETACH, "GET monitor", "GET compute"]);
    assert_eq!(run.sent[1].at, run.sent[2].at, "the probe is immediate");
}

#[tokio::test(start_paused = true)]
async fn case_11_compute_that_is_still_going_is_followed_in_place_of_its_monitor() {
    let replies = [not_found(), deleting(), deleting(), not_found()];
    let run = detach(accepted(), replies).await;
    run.result.as_ref().unwrap();
    assert_eq!(
        run.lines(),
        [
            DETACH,
            "GET monitor",
            "GET compute",
            "GET compute",
            "GET compute"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn case_11_compute_that_stays_after_its_monitor_went_is_a_lost_status() {
    let stage = Stage::new();
    let mut operation = stage.detach(accepted()).await.unwrap();
    stage.script.otherwise(|sent| match sent.url.as_str() {
        MONITOR => not_found(),
        _ => ready(),
    });
    let error = operation
        .wait(azureml_aks::WaitOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OperationStatusLost);
    assert!(error.resume_token().is_some() && operation.resume_token().is_some());
    let polls = stage
        .lines()
        .iter()
        .filter(|line| *line == "GET monitor")
        .count();
    assert!((5..=12).contains(&polls), "{polls} polls");
    assert!(error.elapsed().unwrap() >= secs(60.0), "a minute of grace");
}

#[tokio::test(start_paused = true)]
async fn case_12_detach_that_fails_is_a_failure_although_the_compute_is_still_there() {
    let failed = reply(200).json(&json!({
        "status": "Failed",
        "error": { "code": "DetachFailed", "message": "still in use" },
    }));
    let run = detach(accepted(), [status("InProgress"), failed]).await;
    assert_eq!(run.error().kind(), ErrorKind::OperationFailed);
    assert_eq!(run.error().code(), Some("DetachFailed"));
    assert_eq!(run.error().resume_token(), None);
    assert_eq!(run.token, None);
    assert_eq!(run.lines(), [DETACH, "GET monitor", "GET monitor"]);
}

#[tokio::test(start_paused = true)]
async fn case_21_a_204_from_the_monitor_ends_a_detach() {
    let run = detach(accepted(), [status("InProgress"), reply(204)]).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.lines(), [DETACH, "GET monitor", "GET monitor"]);
}

#[tokio::test(start_paused = true)]
async fn old_state_in_the_answer_to_a_detach_does_not_end_it() {
    let first = accepted().json(&resource("Succeeded"));
    let run = detach(first, [not_found(), deleting(), not_found()]).await;
    run.result.as_ref().unwrap();
    assert_eq!(
        run.lines(),
        [DETACH, "GET monitor", "GET compute", "GET compute"]
    );
}
