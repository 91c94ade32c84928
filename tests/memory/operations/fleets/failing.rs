//! Lists that fail, lie, are throttled or are not answered.

use super::*;

#[tokio::test(start_paused = true)]
async fn list_that_cannot_be_understood_settles_nothing_and_loses_nothing() {
    let huge = format!("{{\"value\":[\"{}\"]}}", "x".repeat(33 << 20));
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "{\"value\":7}",
        "{\"value\":{}}",
        "{\"value\":[{\"name\":7},null,[],\"x\",{}],\"nextLink\":7}",
        "{\"value\":[],\"nextLink\":\"https://evil.example/next\"}",
        "{\"value\":[],\"nextLink\":\"nonsense\"}",
        "{\"value\":[{\"name\":\"aks-a\",\"properties\":{\"provisioningState\":\"Succ",
        "<html>CANARY</html>",
        &*huge,
    ] {
        let stage = Stage::new();
        let all = made_in(&NAMES, 400.0);
        serve(&stage, &all, 10);
        let mut computes = create(&stage, &NAMES).await;
        let zero = stage.script.sent().last().unwrap().at;
        let compute = Compute::made_in(400.0);
        let garbage = body.to_owned();
        stage.script.otherwise(move |sent| {
            let at = (sent.at - zero).as_secs_f64();
            let path = sent.url.split('?').next().unwrap();
            if path == BASE {
                return reply(200).text(garbage.clone());
            }
            if path.starts_with(STATUS) {
                return status(compute.status(at));
            }
            let name = path.rsplit('/').next().unwrap();
            reply(200).json(&document(name, &compute, compute.row(at).unwrap()))
        });
        let before = stage.script.sent().len();
        let begun = tokio::time::Instant::now();
        let results = wait_all(&mut computes, WaitOptions::new()).await;
        let short = &body[..body.len().min(60)];
        assert!(results.iter().all(Result::is_ok), "{short}: {results:?}");
        assert!(
            begun.elapsed() >= secs(400.0),
            "{short}: {:?}",
            begun.elapsed()
        );
        let sent = &stage.script.sent()[before..];
        assert!(
            sent.iter()
                .all(|sent| sent.url.starts_with("https://management.azure.com/"))
        );
        assert!(sent.len() < 150, "{short}: {} requests", sent.len());
    }
}

#[tokio::test(start_paused = true)]
async fn silent_workspace_delays_no_other() {
    let mut computes = Vec::new();
    let mut stages = Vec::new();
    for workspace in 0..60 {
        let stage = Stage::new();
        let all = made_in(&NAMES, 300.0);
        serve(&stage, &all, 10);
        computes.extend(create(&stage, &NAMES).await);
        // Most of them are out of reach from here on: no answer ever comes.
        if workspace >= 5 {
            stage.script.otherwise(|_| Reply::silence());
        }
        stages.push(stage);
    }
    let ended = std::sync::Arc::new(std::sync::Mutex::new(Duration::ZERO));
    let last = ended.clone();
    let begun = tokio::time::Instant::now();
    let options = WaitOptions::new()
        .deadline(Duration::from_secs(7200))
        .on_progress(move |progress| {
            // Those of the good ones are told until they end.
            if progress.status.as_deref() == Some("Creating") && progress.last_error.is_none() {
                *last.lock().unwrap() = begun.elapsed();
            }
        });
    let results = wait_all(&mut computes, options).await;
    let (good, dead) = results.split_at(5 * NAMES.len());
    assert!(good.iter().all(Result::is_ok), "{good:?}");
    for result in dead {
        let error = result.as_ref().unwrap_err();
        assert!(
            error.may_still_run() && error.resume_token().is_some(),
            "{error:?}"
        );
    }
    assert!(begun.elapsed() <= secs(7206.0), "{:?}", begun.elapsed());
    // A dead list takes 100 seconds to say so: the first round of them delays the others once.
    for stage in &stages[..5] {
        let sent = stage.script.sent();
        let end = sent.last().unwrap().at;
        let lists: Vec<f64> = sent
            .iter()
            .filter(|sent| sent.url.starts_with(&format!("{BASE}?")))
            .map(|sent| sent.at.as_secs_f64())
            .collect();
        let longest = lists
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .fold(0.0, f64::max);
        assert!(longest < 450.0, "{longest}");
        assert!(end < secs(800.0), "{end:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn few_operations_in_a_large_workspace_are_read_one_by_one() {
    let stage = Stage::new();
    let mut all = made_in(&NAMES, 300.0);
    all.insert("aks-f", Compute::made_in(300.0));
    serve(&stage, &all, 2);
    let mut computes = create(&stage, &NAMES[..2]).await;
    let before = stage.script.sent().len();
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let asked = asked(&stage.script.sent()[before..]);
    // One list of three pages was enough to see that two monitors are cheaper.
    assert_eq!((asked.lists, asked.computes), (3, 2), "{asked:?}");
    assert!((20..40).contains(&asked.monitors), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn hint_of_a_monitor_is_kept_although_the_list_contradicts_it() {
    let stage = Stage::new();
    // The row never shows the update at work.
    let mute = updated(vec![(0.0, Some(("Succeeded", "t0")))]);
    let all = BTreeMap::from([("aks-a", mute), ("aks-b", Compute::made_in(3000.0))]);
    serve(&stage, &all, 10);
    let update = update(&stage, "aks-a").await;
    let create = create(&stage, &["aks-b"]).await.remove(0);
    let rows = [
        document("aks-a", &all["aks-a"], ("Succeeded", "t0")),
        document("aks-b", &all["aks-b"], ("Creating", "t0")),
    ];
    let zero = stage.script.sent().last().unwrap().at;
    stage.script.otherwise(move |sent| {
        if sent.url.starts_with(&format!("{BASE}?")) {
            return reply(200).json(&json!({ "value": rows }));
        }
        let at = (sent.at - zero).as_secs_f64();
        assert!(
            sent.url.starts_with(&format!("{STATUS}/aks-a")),
            "{}",
            sent.url
        );
        match at < 900.0 {
            true => status("InProgress").header("Retry-After", "120"),
            false => reply(200).json(&json!({ "status": "Failed", "error": { "code": "C" } })),
        }
    });
    let before = stage.script.sent().len();
    let mut targets = [update, create];
    let options = WaitOptions::new().deadline(Duration::from_secs(1200));
    let results = wait_all(&mut targets, options).await;
    assert!(results[0].as_ref().unwrap_err().is_operation_failure());
    let sent = &stage.script.sent()[before..];
    let polls: Vec<f64> = sent
        .iter()
        .filter(|sent| sent.url.starts_with(STATUS))
        .map(|sent| sent.at.as_secs_f64())
        .collect();
    // The first one confirms the answer to the PUT, the second one is asked for by the first list.
    for pair in polls[1..].windows(2) {
        assert!(pair[1] - pair[0] >= 120.0, "{polls:?}");
    }
    assert!(polls.len() >= 7, "{polls:?}");
    // The list goes on meanwhile, for the other one.
    assert!(asked(sent).lists > 30);
}

#[tokio::test(start_paused = true)]
async fn operations_that_end_at_the_same_moment_are_not_read_at_the_same_moment() {
    let names = crowd(40);
    let stage = Stage::new();
    let all = made_in(&names, 120.0);
    serve(&stage, &all, 1000);
    let mut computes = create(&stage, &names).await;
    let before = stage.script.sent().len();
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let polls: Vec<Duration> = stage.script.sent()[before..]
        .iter()
        .filter(|sent| sent.url.starts_with(STATUS))
        .map(|sent| sent.at)
        .collect();
    assert_eq!(polls.len(), 40);
    for pair in polls.windows(2) {
        assert!(pair[1] - pair[0] >= Duration::from_millis(9), "{polls:?}");
    }
    assert!(*polls.last().unwrap() - polls[0] < secs(1.0), "{polls:?}");
}

#[tokio::test(start_paused = true)]
async fn throttled_list_is_not_read_at_the_deadline() {
    for busy in [429, 503] {
        let stage = Stage::new();
        let all = made_in(&NAMES, 9000.0);
        serve(&stage, &all, 10);
        let mut computes = create(&stage, &NAMES).await;
        stage.script.otherwise(move |sent| {
            assert!(sent.url.starts_with(&format!("{BASE}?")), "{}", sent.url);
            reply(busy).header("Retry-After", "90")
        });
        let before = stage.script.sent().len();
        let options = WaitOptions::new().deadline(Duration::from_secs(1500));
        let begun = tokio::time::Instant::now();
        let results = wait_all(&mut computes, options).await;
        assert_eq!(begun.elapsed().as_secs(), 1500);
        let lists: Vec<f64> = stage.script.sent()[before..]
            .iter()
            .map(|sent| sent.at.as_secs_f64())
            .collect();
        for pair in lists.windows(2) {
            assert!(pair[1] - pair[0] >= 90.0, "{busy}: {lists:?}");
        }
        assert!((15..=17).contains(&lists.len()), "{busy}: {lists:?}");
        for result in results {
            let error = result.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
            assert!(error.resume_token().is_some());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn silent_workspace_is_given_up_as_a_whole_in_bounded_time() {
    let names = crowd(200);
    let stage = Stage::new();
    let all = made_in(&names, 120.0);
    serve(&stage, &all, 1000);
    let mut computes = create(&stage, &names).await;
    stage.script.otherwise(|_| Reply::silence());
    let begun = tokio::time::Instant::now();
    let results = wait_all(&mut computes, WaitOptions::new().no_deadline()).await;
    assert!(begun.elapsed() < secs(1500.0), "{:?}", begun.elapsed());
    for result in results {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OperationStatusLost, "{error}");
        assert!(error.resume_token().is_some());
    }
    // It was out of reach for a while: the same handles go on.
    stage.script.otherwise(|_| ready());
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn reason_why_a_list_cannot_be_read_is_reported_meanwhile() {
    let stage = Stage::new();
    serve(&stage, &made_in(&NAMES, 9000.0), 10);
    let mut computes = create(&stage, &NAMES).await;
    stage
        .script
        .otherwise(|_| reply(503).header("Retry-After", "60"));
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = seen.clone();
    let options = WaitOptions::new()
        .deadline(Duration::from_secs(300))
        .on_progress(move |progress| told.lock().unwrap().push(progress.clone()));
    let results = wait_all(&mut computes, options).await;
    assert!(results.iter().all(Result::is_err), "{results:?}");
    let seen = seen.lock().unwrap();
    let troubled: Vec<_> = seen
        .iter()
        .filter(|progress| {
            progress
                .last_error
                .as_deref()
                .is_some_and(|why| why.contains("503"))
        })
        .collect();
    assert!(troubled.len() >= 3 * NAMES.len(), "{}", troubled.len());
    assert!(
        troubled
            .iter()
            .all(|progress| progress.next_delay >= secs(59.0))
    );
}

/// An answer of a service that has lost its mind: to a list, or to anything else.
fn any_reply() -> impl Strategy<Value = (u8, u16, Option<u32>)> {
    let status = proptest::sample::select(vec![
        200u16, 200, 200, 200, 200, 202, 204, 302, 400, 401, 403, 404, 410, 429, 500, 503,
    ]);
    (
        any::<u8>(),
        status,
        proptest::option::weighted(0.2, 0u32..200),
    )
}

fn odd_reply(sent: &Sent, (what, status, hint): (u8, u16, Option<u32>)) -> Reply {
    const STATES: [&str; 7] = [
        "Creating",
        "Creating",
        "Updating",
        "Succeeded",
        "Failed",
        "Canceled",
        "",
    ];
    let state = STATES[usize::from(what) % STATES.len()];
    let compute = Compute::made_in(1.0);
    let modified = if what % 2 == 0 { "t0" } else { "t1" };
    let is_list = sent.url.starts_with(&format!("{BASE}?"));
    let body = match what % 11 {
        0 => String::new(),
        1 => "{\"value\":".to_owned(),
        2 if is_list => json!({ "value": [], "nextLink": sent.url }).to_string(),
        3 if is_list => json!({ "value": [], "nextLink": "https://evil.example/" }).to_string(),
        _ if is_list => {
            let rows: Vec<Value> = NAMES
                .iter()
                .enumerate()
                // Some are missing now and then.
                .filter(|(at, _)| (usize::from(what) + at) % 4 > 0)
                .map(|(_, name)| document(name, &compute, (state, modified)))
                .collect();
            json!({ "value": rows }).to_string()
        }
        _ if sent.url.starts_with(STATUS) => json!({ "status": state }).to_string(),
        _ => document("aks-a", &compute, (state, modified)).to_string(),
    };
    let answer = reply(status).text(body);
    match hint {
        Some(hint) => answer.header("Retry-After", &hint.to_string()),
        None => answer,
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever a service answers: the wait ends by its deadline, sends to its own origin and not too
    /// often, sends nothing afterwards, and gives a token wherever the end is none.
    #[test]
    fn a_fleet_ends_by_its_deadline_and_loses_no_token(
        replies in proptest::collection::vec(any_reply(), 1..40),
        limit in 0u64..1500,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async move {
            let stage = Stage::new();
            serve(&stage, &made_in(&NAMES, 100.0), 10);
            let mut computes = create(&stage, &NAMES).await;
            let before = stage.script.sent().len();
            let mut turn = 0;
            stage.script.otherwise(move |sent| {
                turn += 1;
                odd_reply(sent, replies[turn % replies.len()])
            });
            let begun = tokio::time::Instant::now();
            let deadline = Duration::from_secs(limit);
            let results = wait_all(&mut computes, WaitOptions::new().deadline(deadline)).await;
            prop_assert!(begun.elapsed() <= deadline + secs(6.0), "{:?}", begun.elapsed());
            let sent = stage.script.sent().len();
            for sent in &stage.script.sent()[before..] {
                prop_assert!(sent.url.starts_with("https://management.azure.com/"), "{}", sent.url);
            }
            // A poll a second for each, with its probe or repetition, is the most that there can be.
            prop_assert!((sent - before) as u64 <= 3 * 6 * limit + 80, "{} requests", sent - before);
            for (compute, result) in computes.iter().zip(&results) {
                let ended = match result {
                    Ok(()) => true,
                    Err(error) => matches!(
                        error.kind(),
                        ErrorKind::OperationFailed
                            | ErrorKind::OperationCanceled
                            | ErrorKind::ResultUnavailable
                    ),
                };
                prop_assert_eq!(compute.resume_token().is_none(), ended, "{:?}", result);
                if let Err(error) = result {
                    prop_assert_eq!(error.resume_token().is_none(), ended, "{:?}", error);
                }
            }
            tokio::time::sleep(Duration::from_secs(7200)).await;
            prop_assert_eq!(stage.script.sent().len(), sent, "a request after the end");
            Ok(())
        })?;
    }
}

#[tokio::test(start_paused = true)]
async fn two_handles_of_one_compute_and_names_in_another_case_find_their_row() {
    let stage = Stage::new();
    serve(&stage, &made_in(&NAMES[..2], 60.0), 10);
    let mut computes = create(&stage, &NAMES[..2]).await;
    computes.push(computes[0].clone());
    let zero = stage.script.sent().last().unwrap().at;
    let compute = Compute::made_in(60.0);
    stage.script.otherwise(move |sent| {
        let at = (sent.at - zero).as_secs_f64();
        if sent.url.starts_with(STATUS) {
            return status(compute.status(at));
        }
        assert!(sent.url.starts_with(&format!("{BASE}?")), "{}", sent.url);
        let row = |name| document(name, &compute, compute.row(at).unwrap());
        reply(200).json(&json!({ "value": [row("AKS-A"), row("aks-z"), row("Aks-B")] }))
    });
    let before = stage.script.sent().len();
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let asked = asked(&stage.script.sent()[before..]);
    assert_eq!((asked.monitors, asked.computes), (3, 0), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn hundreds_of_workspaces_are_waited_for_side_by_side() {
    let mut computes = Vec::new();
    let mut stages = Vec::new();
    for _ in 0..300 {
        let stage = Stage::new();
        serve(&stage, &made_in(&NAMES[..2], 600.0), 10);
        computes.extend(create(&stage, &NAMES[..2]).await);
        stages.push((stage.script.sent().len(), stage));
    }
    let begun = tokio::time::Instant::now();
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok));
    assert!(begun.elapsed() < secs(640.0), "{:?}", begun.elapsed());
    let mut first = Vec::new();
    for (before, stage) in &stages {
        let sent = stage.script.sent();
        let asked = asked(&sent[*before..]);
        assert_eq!((asked.monitors, asked.computes), (2, 0), "{asked:?}");
        assert!((20..=26).contains(&asked.lists), "{asked:?}");
        first.push(sent[*before].at.as_millis());
    }
    // Their first lists do not come at the same moment.
    first.sort_unstable();
    first.dedup();
    assert!(first.len() > 200, "{}", first.len());
}

#[tokio::test(start_paused = true)]
async fn long_throttle_delays_a_fleet_and_loses_nothing() {
    let stage = Stage::new();
    serve(&stage, &made_in(&NAMES, 100.0), 10);
    let mut computes = create(&stage, &NAMES).await;
    let zero = stage.script.sent().last().unwrap().at;
    let compute = Compute::made_in(100.0);
    let mut refused = false;
    stage.script.otherwise(move |sent| {
        let at = (sent.at - zero).as_secs_f64();
        if sent.url.starts_with(STATUS) {
            // The first monitor that is read holds everything up for ten minutes.
            return match std::mem::replace(&mut refused, true) {
                false => reply(429).header("Retry-After", "600"),
                true => status(compute.status(at)),
            };
        }
        let rows: Vec<Value> = NAMES
            .iter()
            .map(|name| document(name, &compute, compute.row(at).unwrap()))
            .collect();
        reply(200).json(&json!({ "value": rows }))
    });
    let before = stage.script.sent().len();
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let sent = &stage.script.sent()[before..];
    let refusal = sent
        .iter()
        .position(|sent| sent.url.starts_with(STATUS))
        .unwrap();
    let pause = sent[refusal + 1].at - sent[refusal].at;
    assert!(pause >= secs(600.0), "{pause:?}");
    assert!(asked(sent).monitors <= 12, "{:?}", asked(sent));
}
