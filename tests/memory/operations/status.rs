//! Cases 13, 14 and 17 to 20: what answers mean.

use super::support::*;
use azureml_aks::{ErrorKind, models::StatusClass};

fn located() -> Reply {
    reply(202).header("Location", LOCATION)
}

#[tokio::test(start_paused = true)]
async fn case_13_location_is_followed_when_it_moves_and_its_body_is_the_result() {
    const MOVED: &str = "https://management.azure.com/subscriptions/s/moved?api-version=1";
    let replies = [reply(202), reply(202).header("location", MOVED), ready()];
    let run = create(located(), replies).await;
    run.result.as_ref().unwrap();
    assert_eq!(
        run.lines(),
        [
            "PUT compute",
            "GET location",
            "GET location",
            &format!("GET {MOVED}")
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn case_13_location_without_a_body_leaves_the_result_at_the_compute() {
    for empty in [reply(200), reply(204)] {
        let run = create(located(), [empty, ready()]).await;
        run.result.as_ref().unwrap();
        assert_eq!(run.lines(), ["PUT compute", "GET location", "GET compute"]);
    }
}

#[tokio::test(start_paused = true)]
async fn case_13_compute_at_its_location_that_is_still_being_made_is_followed() {
    let creating = reply(200).json(&resource("Creating"));
    let run = create(located(), [creating, ready()]).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.lines(), ["PUT compute", "GET location", "GET compute"]);

    let run = create(located(), [reply(200).json(&resource("Failed"))]).await;
    assert_eq!(run.error().kind(), ErrorKind::OperationFailed);
}

#[tokio::test(start_paused = true)]
async fn case_14_failure_at_a_location_is_a_failure() {
    let failed = reply(200).json(&json!({
        "status": "Failed",
        "startTime": "2026-01-01T00:00:00Z",
        "error": { "code": "C", "message": "M" },
    }));
    let run = create(located(), [failed]).await;
    assert_eq!(run.error().kind(), ErrorKind::OperationFailed);
    assert_eq!(run.error().code(), Some("C"));

    // Exactly what a synchronous call would have said.
    let refused = reply(409).json(&json!({ "error": { "code": "Conflict", "message": "M" } }));
    let run = create(located(), [refused]).await;
    assert_eq!(run.error().kind(), ErrorKind::OperationFailed);
    assert_eq!(run.error().code(), Some("Conflict"));
    assert!(run.error().is_conflict());
    assert_eq!(run.token, None);
}

#[tokio::test(start_paused = true)]
async fn case_17_status_words_in_any_case_end_the_operation() {
    for word in [
        "Succeeded",
        "succeeded",
        "SUCCEEDED",
        " Succeeded ",
        "Completed",
    ] {
        let run = create(created(), [status(word), ready()]).await;
        assert!(run.result.is_ok(), "{word}: {:?}", run.result);
    }
    let ends = [
        ("Cancelled", ErrorKind::OperationCanceled),
        ("canceled", ErrorKind::OperationCanceled),
        ("FAILED", ErrorKind::OperationFailed),
    ];
    for (word, kind) in ends {
        let error = json!({ "status": word, "error": { "code": "C" } });
        let run = create(created(), [reply(200).json(&error)]).await;
        assert_eq!(run.error().kind(), kind, "{word}");
        assert_eq!(run.error().code(), Some("C"));
        assert_eq!(run.token, None);
    }
}

#[tokio::test(start_paused = true)]
async fn case_18_unknown_states_mean_in_progress_and_are_shown_as_they_came() {
    let words = [
        "ProvisionNetworkResources",
        "InProgress:{\"x\":1}",
        "Accepted",
        "Created",
        "Active",
        "Accepted",
        "Unknown",
        "CancelInProgress",
    ];
    let replies = words.iter().map(|word| status(word));
    let run = create(created(), replies.chain([status("Succeeded"), ready()])).await;
    run.result.as_ref().unwrap();
    let seen = run.statuses();
    // Before the first read there is what the answer to the PUT said.
    assert_eq!(seen[0], "Creating");
    assert_eq!(seen[1..], words);
    let classes = run.progress.iter().map(|seen| seen.class);
    assert!(
        classes
            .into_iter()
            .all(|class| class == StatusClass::InProgress)
    );
}

#[tokio::test(start_paused = true)]
async fn case_19_monitor_without_a_status_is_tolerated_twice_in_a_row() {
    let mute = [
        json!({}),
        json!({ "status": null }),
        json!({ "status": "" }),
        json!({ "status": 7 }),
        json!([]),
        json!(null),
    ];
    for body in &mute {
        let mute = || reply(200).json(body);
        let replies = [
            mute(),
            mute(),
            status("InProgress"),
            mute(),
            mute(),
            status("Succeeded"),
            ready(),
        ];
        let run = create(created(), replies).await;
        assert!(run.result.is_ok(), "{body}: {:?}", run.result);

        let run = create(created(), [mute(), mute(), mute()]).await;
        assert_eq!(run.error().kind(), ErrorKind::Protocol, "{body}");
        assert!(run.error().resume_token().is_some() && run.token.is_some());
    }
    let html = || reply(200).text("<html>busy</html>");
    let run = create(created(), [html(), html(), status("Succeeded"), ready()]).await;
    run.result.as_ref().unwrap();
    let run = create(created(), [html(), html(), html()]).await;
    assert_eq!(run.error().kind(), ErrorKind::Protocol);
}

#[tokio::test(start_paused = true)]
async fn case_20_empty_answer_of_the_monitor_is_replaced_by_a_read_of_the_compute() {
    let creating = reply(200).json(&resource("Creating"));
    let run = create(created(), [reply(200), creating, ready()]).await;
    run.result.as_ref().unwrap();
    assert_eq!(
        run.lines(),
        ["PUT compute", "GET monitor", "GET compute", "GET compute"]
    );
    let run = create(created(), [reply(204), ready()]).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.lines(), ["PUT compute", "GET monitor", "GET compute"]);
    // An empty 202 only says: not yet.
    let run = create(created(), [reply(202), status("Succeeded"), ready()]).await;
    run.result.as_ref().unwrap();
    assert_eq!(
        run.lines(),
        ["PUT compute", "GET monitor", "GET monitor", "GET compute"]
    );
}

#[tokio::test(start_paused = true)]
async fn monitor_that_answers_with_the_compute_is_understood_and_so_is_a_byte_order_mark() {
    let creating = reply(200).json(&resource("Creating"));
    let run = create(created(), [creating, ready(), ready()]).await;
    run.result.as_ref().unwrap();
    let marked = reply(200).text(b"\xEF\xBB\xBF{\"status\":\"Succeeded\"}".as_slice());
    let run = create(created(), [marked, ready()]).await;
    run.result.as_ref().unwrap();
}

#[tokio::test(start_paused = true)]
async fn compute_that_answers_with_something_else_is_not_taken_for_ready() {
    for body in ["null", "[]", "\"x\"", ""] {
        let odd = || reply(200).text(body);
        let run = create(reply(202), [odd(), odd(), ready()]).await;
        assert!(run.result.is_ok(), "{body:?}: {:?}", run.result);
        let run = create(reply(202), [odd(), odd(), odd()]).await;
        assert_eq!(run.error().kind(), ErrorKind::Protocol, "{body:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn status_that_looks_like_a_secret_is_not_shown() {
    let word = || status("password=s3cr3t-Value1");
    let foreign = word().header("Azure-AsyncOperation", "https://evil.example/op");
    let run = create(created(), [word(), foreign]).await;
    let token = run.error().resume_token().unwrap().expose();
    let shown = format!(
        "{} {:?} {:?} {:?} {token}",
        run.error(),
        run.error(),
        run.error().last_status(),
        run.statuses()
    );
    assert!(!shown.contains("s3cr3t"), "{shown}");
    assert!(shown.contains("password="), "{shown}");
}
