//! Cases 24 to 28: reads of the status that fail.

use super::support::*;
use azureml_aks::{AksCompute, ErrorKind, WaitOptions};

fn busy() -> Reply {
    reply(503)
}

fn times(count: usize, reply: Reply) -> impl Iterator<Item = Reply> {
    std::iter::repeat_n(reply, count)
}

#[tokio::test(start_paused = true)]
async fn case_24_a_429_is_waited_for_and_does_not_use_up_the_budget() {
    let throttled = reply(429).header("Retry-After", "17");
    let replies = times(15, throttled).chain([status("Succeeded"), ready()]);
    let run = create(created(), replies).await;
    run.result.as_ref().unwrap();
    let expected: Vec<f64> = [1.0].into_iter().chain([17.0; 15]).chain([0.0]).collect();
    assert_paced(&run.pauses(), &expected);
}

#[tokio::test(start_paused = true)]
async fn case_24_ten_failed_reads_in_a_row_are_tolerated_and_a_good_one_resets_the_count() {
    let replies = times(10, busy())
        .chain([status("InProgress")])
        .chain(times(10, busy()))
        .chain([status("Succeeded"), ready()]);
    let run = create(created(), replies).await;
    run.result.as_ref().unwrap();
    let pauses = &run.pauses()[1..11];
    assert!(
        pauses.iter().all(|pause| (1.0..=30.0).contains(pause)),
        "{pauses:?}"
    );

    let run = create(created(), times(11, busy())).await;
    assert_eq!(run.error().kind(), ErrorKind::OperationStatusLost);
    assert_eq!(run.error().http_status(), Some(503));
    assert_eq!(run.error().polls(), Some(11));
    assert!(run.error().resume_token().is_some() && run.token.is_some());
}

#[tokio::test(start_paused = true)]
async fn case_24_every_transient_status_is_tolerated() {
    for passing in [408, 429, 500, 502, 503, 504, 530] {
        let replies = [reply(passing), status("Succeeded"), ready()];
        let run = create(created(), replies).await;
        assert!(run.result.is_ok(), "{passing}: {:?}", run.result);
        let run = create(created(), times(11, reply(passing))).await;
        assert_eq!(
            run.error().kind(),
            ErrorKind::OperationStatusLost,
            "{passing}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn case_24_throttling_does_not_count_as_failure() {
    let later = reply(503).header("Retry-After", "900");
    let replies = times(3, later).chain([status("Succeeded"), ready()]);
    let run = create(created(), replies).await;
    run.result.as_ref().unwrap();
    assert_paced(&run.pauses()[1..4], &[900.0; 3]);
}

#[tokio::test(start_paused = true)]
async fn case_24_five_minutes_of_failures_are_enough() {
    let stage = Stage::new();
    let mut compute = stage.create(created()).await.unwrap();
    // Each takes its 100 seconds to fail.
    stage.script.otherwise(|_| Reply::silence());
    let error = compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OperationStatusLost);
    assert!(error.elapsed().unwrap() < secs(560.0), "{error}");
}

#[tokio::test(start_paused = true)]
async fn case_25_broken_connections_and_hanging_requests_are_tolerated() {
    let breaks = [
        Reply::reset(),
        status("Succeeded").truncated(),
        Reply::silence(),
    ];
    for (index, broken) in breaks.into_iter().enumerate() {
        let replies = [broken, status("InProgress"), status("Succeeded"), ready()];
        let run = create(created(), replies).await;
        assert!(run.result.is_ok(), "{index}: {:?}", run.result);
        assert_eq!(run.sent.len(), 5);
        let told = run
            .progress
            .iter()
            .filter(|seen| seen.last_error.is_some())
            .count();
        assert_eq!(
            told, 1,
            "{index}: told once, and made good by the next read"
        );
    }
}

fn unauthorized() -> Reply {
    let error = json!({ "error": { "code": "ExpiredAuthenticationToken", "message": "expired" } });
    reply(401).json(&error)
}

#[tokio::test(start_paused = true)]
async fn case_26_a_401_costs_one_new_token_and_one_more_request() {
    let stage = Stage::with(Lifetime::Long);
    let replies = [unauthorized(), status("Succeeded"), ready()];
    let run = create_on(stage, created(), replies, WaitOptions::new()).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.stage.credential.tokens(), 2);
    assert_eq!(
        run.lines(),
        ["PUT compute", "GET monitor", "GET monitor", "GET compute"]
    );
    assert_ne!(run.sent[1].authorization, run.sent[2].authorization);
}

#[tokio::test(start_paused = true)]
async fn case_26_second_401_loses_the_status() {
    let run = create(created(), [unauthorized(), unauthorized()]).await;
    assert_eq!(run.error().kind(), ErrorKind::OperationStatusLost);
    assert_eq!(run.error().http_status(), Some(401));
    assert!(run.error().is_unauthenticated());
    assert!(run.error().resume_token().is_some() && run.token.is_some());
}

#[tokio::test(start_paused = true)]
async fn case_26_hour_of_polling_never_shows_a_token_that_has_run_out() {
    let stage = Stage::with(Lifetime::Virtual(Duration::from_secs(600)));
    let mut compute = stage.create(created()).await.unwrap();
    let credential = stage.credential.clone();
    stage.script.otherwise(move |sent| {
        assert!(credential.is_good(&sent.authorization), "at {:?}", sent.at);
        match (sent.url.as_str(), sent.at < secs(3600.0)) {
            (MONITOR, true) => status("InProgress"),
            (MONITOR, false) => status("Succeeded"),
            _ => ready(),
        }
    });
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    assert!(stage.credential.tokens() >= 12);
}

#[tokio::test(start_paused = true)]
async fn case_27_forbidden_monitor_is_replaced_by_reads_of_the_compute() {
    let forbidden = || reply(403).json(&json!({ "error": { "code": "AuthorizationFailed" } }));
    let creating = reply(200).json(&resource("Creating"));
    let run = create(created(), [forbidden(), creating, ready()]).await;
    run.result.as_ref().unwrap();
    assert_eq!(
        run.lines(),
        ["PUT compute", "GET monitor", "GET compute", "GET compute"]
    );

    let run = create(created(), [forbidden(), forbidden()]).await;
    assert_eq!(run.error().kind(), ErrorKind::OperationStatusLost);
    assert!(run.error().is_forbidden());
    assert!(run.token.is_some());

    let going = [forbidden(), ready(), ready(), not_found()];
    let run = detach(accepted(), going).await;
    run.result.as_ref().unwrap();
}

#[tokio::test(start_paused = true)]
async fn case_28_a_400_from_the_monitor_ends_the_wait_and_is_shown() {
    let bad = reply(400).text("<<the backend choked>>");
    let run = create(created(), [bad]).await;
    assert_eq!(run.error().kind(), ErrorKind::OperationStatusLost);
    assert_eq!(run.error().http_status(), Some(400));
    assert!(
        run.error().to_string().contains("the backend choked"),
        "{}",
        run.error()
    );
    assert_eq!(run.lines(), ["PUT compute", "GET monitor"]);
    assert!(run.error().resume_token().is_some());
}

#[tokio::test(start_paused = true)]
async fn failure_with_a_transient_sounding_code_is_never_retried() {
    let failed = json!({ "status": "Failed", "error": { "code": "RetryableError" } });
    let run = create(created(), [reply(200).json(&failed)]).await;
    assert_eq!(run.error().kind(), ErrorKind::OperationFailed);
    assert_eq!(run.error().code(), Some("RetryableError"));
    assert_eq!(run.lines(), ["PUT compute", "GET monitor"]);
}

/// A monitor that says how many reads are left, and never ends.
fn counting(left: impl Fn(usize) -> u32 + Send + 'static) -> impl FnMut(&Sent) -> Reply + Send {
    let mut polls = 0;
    move |_| {
        polls += 1;
        status("InProgress").header(
            "x-ms-ratelimit-remaining-subscription-reads",
            &left(polls).to_string(),
        )
    }
}

#[tokio::test(start_paused = true)]
async fn fewer_reads_are_left_the_further_apart_they_are_sent() {
    for (left, apart) in [(11_999, 0.0), (100, 0.0), (50, 0.5), (0, 1.0)] {
        let stage = Stage::new();
        stage.script.otherwise(counting(move |_| left));
        let get = || AksCompute::get(&stage.workspace, "myaks");
        // The first one learns how it stands; the others are asked for at the same moment.
        let _ = get().await;
        let _ = futures::join!(get(), get(), get());
        let at: Vec<f64> = stage
            .script
            .sent()
            .iter()
            .map(|sent| sent.at.as_secs_f64())
            .collect();
        for pair in at.windows(2) {
            let pause = pair[1] - pair[0];
            assert!((pause - apart).abs() < 0.01, "{left} left: {at:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn invalid_remaining_reads_are_ignored_and_a_full_budget_lifts_the_spacing() {
    let stage = Stage::new();
    let said = [
        "0",
        "",
        "-1",
        "many",
        "99999999999999999999",
        "12000",
        "12000",
    ];
    let mut said = said.into_iter();
    stage.script.otherwise(move |_| {
        ready().header(
            "x-ms-ratelimit-remaining-subscription-reads",
            said.next().unwrap(),
        )
    });
    let mut pauses = Vec::new();
    for _ in 0..7 {
        let begun = tokio::time::Instant::now();
        AksCompute::get(&stage.workspace, "myaks").await.unwrap();
        pauses.push(begun.elapsed().as_secs_f64());
    }
    // What cannot be read changes nothing: the spacing stays until the service says otherwise.
    assert_eq!(
        pauses.iter().map(|pause| pause.round()).collect::<Vec<_>>(),
        [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]
    );
}

#[tokio::test(start_paused = true)]
async fn turn_that_is_far_off_is_reported_and_loses_no_operation() {
    let stage = Stage::new();
    stage.script.otherwise(counting(|_| 0));
    let get = || AksCompute::get(&stage.workspace, "myaks");
    let _ = get().await;
    let results = futures::future::join_all((0..40).map(|_| get())).await;
    let refused: Vec<_> = results
        .iter()
        .filter_map(|result| result.as_ref().err())
        .filter(|error| error.is_throttled())
        .collect();
    assert!((5..15).contains(&refused.len()), "{}", refused.len());
    for error in &refused {
        assert!(error.to_string().contains("not sent"), "{error}");
        assert!(error.retry_after().unwrap() > secs(30.0));
    }
    assert_eq!(stage.script.sent().len(), 41 - refused.len());

    // Waits go on at the pace that is left, for as long as it takes.
    let mut computes = Vec::new();
    for _ in 0..60 {
        tokio::time::sleep(secs(40.0)).await;
        computes.push(stage.create(created()).await.unwrap());
    }
    let end = tokio::time::Instant::now() + secs(1800.0);
    stage.script.otherwise(move |sent| {
        let over = tokio::time::Instant::now() >= end;
        let answer = match (sent.url.as_str(), over) {
            (MONITOR, false) => status("InProgress"),
            (MONITOR, true) => status("Succeeded"),
            _ => ready(),
        };
        answer.header("x-ms-ratelimit-remaining-subscription-reads", "0")
    });
    let begun = stage.script.sent().len();
    let waits = computes
        .iter_mut()
        .map(|compute| compute.wait_for_completion(azureml_aks::WaitOptions::new()));
    let results = futures::future::join_all(waits).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let sent = &stage.script.sent()[begun..];
    let span = sent.last().unwrap().at - sent[0].at;
    let rate = sent.len() as f64 / span.as_secs_f64();
    assert!(rate < 1.05, "{rate} reads a second");
}

/// The answer of a region that counts reads in buckets, which are refilled by the second.
fn of_buckets(own: usize, all: usize) -> Reply {
    ready()
        .header(
            "x-ms-ratelimit-remaining-subscription-reads",
            &own.to_string(),
        )
        .header(
            "x-ms-ratelimit-remaining-subscription-global-reads",
            &all.to_string(),
        )
}

#[tokio::test(start_paused = true)]
async fn bucket_that_is_refilled_by_the_second_is_used_up_without_throttling() {
    let stage = Stage::new();
    let mut left = 250;
    stage.script.otherwise(move |_| {
        left -= 1;
        of_buckets(left, 3749)
    });
    let begun = tokio::time::Instant::now();
    for _ in 0..241 {
        AksCompute::get(&stage.workspace, "myaks").await.unwrap();
    }
    let took = begun.elapsed();
    assert!(took > secs(0.2) && took < secs(1.0), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn empty_bucket_spaces_reads_at_half_of_its_refill_whichever_it_is() {
    for (own, all, apart) in [
        (0, 3749, 0.08),
        (249, 0, 0.08),
        (249, 3749, 0.0),
        (25, 375, 0.0),
    ] {
        let stage = Stage::new();
        stage.script.otherwise(move |_| of_buckets(own, all));
        let get = || AksCompute::get(&stage.workspace, "myaks");
        let _ = get().await;
        let _ = futures::join!(get(), get(), get());
        let sent = stage.script.sent();
        for pair in sent.windows(2) {
            let pause = (pair[1].at - pair[0].at).as_secs_f64();
            assert!((pause - apart).abs() < 0.01, "{own} {all}: {pause}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn reads_that_waited_for_a_refusal_are_sent_one_after_the_other() {
    let stage = Stage::new();
    let mut asked = 0;
    stage.script.otherwise(move |_| {
        asked += 1;
        match asked {
            1 => reply(429).header("Retry-After", "20"),
            _ => ready(),
        }
    });
    let get = || AksCompute::get(&stage.workspace, "myaks");
    let results = futures::future::join_all((0..50).map(|_| async {
        // After the refusal.
        tokio::time::sleep(secs(1.0)).await;
        get().await
    }));
    let (first, results) = futures::join!(get(), results);
    first.unwrap();
    assert!(results.iter().all(Result::is_ok));
    let sent = stage.script.sent();
    let released = &sent[1..];
    assert_eq!(released.len(), 51);
    assert!(released[0].at - sent[0].at >= secs(20.0));
    for pair in released.windows(2) {
        let pause = pair[1].at - pair[0].at;
        assert!(pause >= secs(0.039) && pause < secs(0.05), "{pause:?}");
    }
    // Then nobody waits any more.
    tokio::time::sleep(secs(1.0)).await;
    let begun = tokio::time::Instant::now();
    get().await.unwrap();
    get().await.unwrap();
    assert!(begun.elapsed() < secs(0.01));
}

#[tokio::test(start_paused = true)]
async fn a_429_to_one_holds_back_all_waits_of_the_workspace() {
    let stage = Stage::new();
    let mut one = stage.create(created()).await.unwrap();
    let mut other = stage.create(created()).await.unwrap();
    let mut first = true;
    stage.script.otherwise(move |sent| match sent.url.as_str() {
        MONITOR if std::mem::take(&mut first) => reply(429).header("Retry-After", "25"),
        MONITOR => status("Succeeded"),
        _ => ready(),
    });
    let begun = stage.script.sent().len();
    let (one, other) = futures::join!(
        one.wait_for_completion(azureml_aks::WaitOptions::new()),
        other.wait_for_completion(azureml_aks::WaitOptions::new())
    );
    assert!(one.is_ok() && other.is_ok());
    let sent = &stage.script.sent()[begun..];
    let second = sent[1].at - sent[0].at;
    assert!(second >= secs(25.0), "{second:?}");
}

#[tokio::test(start_paused = true)]
async fn waiting_read_honors_a_refusal_that_arrives_meanwhile() {
    let stage = Stage::new();
    let mut asked = 0;
    stage.script.otherwise(move |_| {
        asked += 1;
        match asked {
            // The first one learns that nothing is left, the second one is refused.
            1 => ready().header("x-ms-ratelimit-remaining-subscription-reads", "0"),
            2 => reply(429).header("Retry-After", "20"),
            _ => ready(),
        }
    });
    let get = || AksCompute::get(&stage.workspace, "myaks");
    get().await.unwrap();
    let (one, other) = futures::join!(get(), get());
    one.unwrap();
    other.unwrap();
    let sent = stage.script.sent();
    for later in &sent[2..] {
        let pause = later.at - sent[1].at;
        assert!(pause >= secs(20.0), "{pause:?} after the refusal");
    }
}
