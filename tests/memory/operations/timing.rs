//! Cases 29 to 33: when the status is read.

use super::support::*;
use azureml_aks::{ErrorKind, WaitOptions};

/// The pause after the second poll, which has these headers. Without a hint it is 7.5 seconds.
async fn pause_after(headers: &[(&str, &str)]) -> f64 {
    let polled = headers
        .iter()
        .fold(status("InProgress"), |reply, (name, value)| {
            reply.header(name, value)
        });
    let replies = [status("InProgress"), polled, status("Succeeded"), ready()];
    let run = create(created(), replies).await;
    run.result.as_ref().unwrap();
    run.pauses()[2]
}

#[tokio::test(start_paused = true)]
async fn case_29_hints_are_read_in_every_form() {
    let cases: [(&[(&str, &str)], f64); 7] = [
        (&[("Retry-After", "5")], 5.0),
        (&[("Retry-After", "5.0")], 5.0),
        (&[("retry-after", " 60 ")], 60.0),
        // Against the service's clock, which is years behind ours.
        (
            &[
                ("Date", "Wed, 01 Jan 2020 00:00:00 GMT"),
                ("Retry-After", "Wed, 01 Jan 2020 00:00:05 GMT"),
            ],
            5.0,
        ),
        (&[("retry-after-ms", "250")], 1.0),
        (&[("x-ms-retry-after-ms", "1500")], 1.5),
        (
            &[
                ("Retry-After", "9"),
                ("x-ms-retry-after-ms", "3000"),
                ("retry-after-ms", "2000"),
            ],
            2.0,
        ),
    ];
    for (headers, expected) in cases {
        assert_paced(&[pause_after(headers).await], &[expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn case_30_invalid_hint_is_ignored_and_a_huge_one_is_cut() {
    for value in [
        "0",
        "-3",
        "abc",
        "",
        "NaN",
        "/bar",
        "Wed, 01 Jan 2020 00:00:00 GMT",
    ] {
        assert_paced(&[pause_after(&[("Retry-After", value)]).await], &[7.5]);
    }
    for value in ["99999999999999999999", "1000000000000", "601", "1e400"] {
        assert_paced(&[pause_after(&[("Retry-After", value)]).await], &[600.0]);
    }
}

#[tokio::test(start_paused = true)]
async fn case_31_hint_that_came_once_is_kept() {
    let start = created().header("Retry-After", "13");
    let replies = [
        status("A"),
        status("B"),
        status("C"),
        status("Succeeded"),
        ready(),
    ];
    let run = create(start, replies).await;
    assert_paced(&run.pauses(), &[13.0, 13.0, 13.0, 13.0, 0.0]);
}

#[tokio::test(start_paused = true)]
async fn case_32_without_hints_the_pauses_grow_to_half_a_minute() {
    let stage = Stage::new();
    let mut compute = stage.create(created()).await.unwrap();
    stage
        .script
        .otherwise(|sent| match (sent.url.as_str(), sent.at < secs(3600.0)) {
            (MONITOR, true) => status("InProgress"),
            (MONITOR, false) => status("Succeeded"),
            _ => ready(),
        });
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    let sent = stage.script.sent_from_write();
    let pauses: Vec<f64> = sent
        .windows(2)
        .map(|pair| (pair[1].at - pair[0].at).as_secs_f64())
        .collect();
    let mut expected = vec![1.0, 5.0, 7.5, 11.25, 16.875, 25.3125];
    expected.resize(pauses.len() - 1, 30.0);
    expected.push(0.0);
    assert_paced(&pauses, &expected);
    assert!((110..=130).contains(&sent.len()), "{} requests", sent.len());
}

fn deadline(seconds: u64) -> WaitOptions {
    WaitOptions::new().deadline(Duration::from_secs(seconds))
}

#[tokio::test(start_paused = true)]
async fn case_33_at_the_deadline_the_status_is_read_once_more_and_then_never() {
    let start = created().header("Retry-After", "45");
    let replies = [status("InProgress"), status("Scaling")];
    let run = create_on(Stage::new(), start, replies, deadline(60)).await;
    assert_eq!(run.error().kind(), ErrorKind::DeadlineExceeded);
    assert!(run.error().is_timeout() && run.error().may_still_run());
    assert_eq!(run.error().last_status(), Some("Scaling"));
    assert!(run.error().resume_token().is_some() && run.token.is_some());
    assert_paced(&[run.sent[1].at.as_secs_f64()], &[45.0]);
    assert_eq!(run.sent[2].at.as_secs(), 60);
    assert_eq!(run.took.as_secs(), 60);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(run.stage.lines().len(), 3, "no request after the deadline");
}

#[tokio::test(start_paused = true)]
async fn case_33_success_that_shows_at_the_deadline_is_returned() {
    let start = created().header("Retry-After", "45");
    let replies = [status("InProgress"), status("Succeeded"), ready()];
    let run = create_on(Stage::new(), start, replies, deadline(60)).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.took.as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn case_33_throttling_service_is_not_read_at_the_deadline() {
    for status in [429, 503] {
        let start = created().header("Retry-After", "45");
        let busy = reply(status).header("Retry-After", "30");
        let run = create_on(Stage::new(), start, [busy], deadline(60)).await;
        assert_eq!(run.error().kind(), ErrorKind::DeadlineExceeded, "{status}");
        assert_eq!(run.took.as_secs(), 60);
        assert!(run.token.is_some());
    }
    // Other statuses are not throttling, whatever `Retry-After` they have.
    let start = created().header("Retry-After", "45");
    let broken = reply(500).header("Retry-After", "30");
    let replies = [broken, super::support::status("InProgress")];
    let run = create_on(Stage::new(), start, replies, deadline(60)).await;
    assert_eq!(run.error().kind(), ErrorKind::DeadlineExceeded);
}

#[tokio::test(start_paused = true)]
async fn case_33_hanging_request_is_not_the_deadline_and_does_not_outlive_it() {
    let replies = [Reply::silence(), status("Succeeded"), ready()];
    let run = create_on(Stage::new(), created(), replies, deadline(600)).await;
    run.result.as_ref().unwrap();
    assert!((101..105).contains(&run.took.as_secs()), "{:?}", run.took);

    let start = created().header("Retry-After", "45");
    let run = create_on(Stage::new(), start, [Reply::silence()], deadline(60)).await;
    assert_eq!(run.error().kind(), ErrorKind::DeadlineExceeded);
    assert!((60..=65).contains(&run.took.as_secs()), "{:?}", run.took);
    assert_eq!(run.sent.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn case_33_after_a_deadline_the_same_handle_goes_on() {
    let stage = Stage::new();
    let mut compute = stage
        .create(created().header("Retry-After", "45"))
        .await
        .unwrap();
    stage.script.expect([status("InProgress")]);
    let error = compute.wait_for_completion(deadline(10)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    stage.script.expect([status("Succeeded"), ready()]);
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(stage.script.unused(), 0);
}

#[tokio::test(start_paused = true)]
async fn extremes_of_every_duration_neither_panic_nor_make_a_hot_loop() {
    let extreme = WaitOptions::new()
        .deadline(Duration::MAX)
        .poll_floor(Duration::MAX);
    let replies = [status("InProgress"), status("Succeeded"), ready()];
    let run = create_on(Stage::new(), created(), replies, extreme).await;
    run.result.as_ref().unwrap();
    let zero = WaitOptions::new()
        .deadline(Duration::ZERO)
        .poll_floor(Duration::ZERO);
    let run = create_on(Stage::new(), created(), [status("InProgress")], zero).await;
    assert_eq!(run.error().kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(run.sent.len(), 2, "one look, and no more");
}
