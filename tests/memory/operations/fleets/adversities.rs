//! Services that lag, lie and break off while many operations are waited for. Each was found by trying to
//! break the wait.

use super::*;

fn path(sent: &Sent) -> String {
    sent.url.split('?').next().unwrap().to_owned()
}

/// Two failures of the monitor, 25 minutes apart, with hundreds of good rows in between.
#[tokio::test(start_paused = true)]
async fn failed_reads_far_apart_lose_nothing() {
    let late = Compute {
        monitor: vec![(0.0, "InProgress"), (1500.0, "Succeeded")],
        ..updated(vec![
            (0.0, Some(("Succeeded", "t0"))),
            (3.0, Some(("Updating", "t0"))),
            (1500.0, Some(("Succeeded", "t1"))),
        ])
    };
    let stage = Stage::new();
    let all = BTreeMap::from([("aks-a", late), ("aks-b", Compute::made_in(1800.0))]);
    let mut answers = service(all.clone(), 10);
    let mut polls = 0;
    let mut late_failed = false;
    stage.script.otherwise(move |sent| {
        let at = sent.at.as_secs_f64();
        if path(sent) == format!("{STATUS}/aks-a") {
            polls += 1;
            if polls > 1 && at < 100.0 {
                return Reply::reset();
            }
            if at > 1400.0 && !late_failed {
                late_failed = true;
                return reply(500);
            }
        }
        answers(sent)
    });
    let update = update(&stage, "aks-a").await;
    let made = create(&stage, &["aks-b"]).await.remove(0);
    let mut targets = [update, made];
    let results = wait_all(&mut targets, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

/// Patience that the service asks for does not count against the workspace.
#[tokio::test(start_paused = true)]
async fn throttling_and_one_failure_lose_nothing() {
    let names = crowd(20);
    let stage = Stage::new();
    serve(&stage, &made_in(&names, 2000.0), 1000);
    let mut computes = create(&stage, &names).await;
    let compute = Compute::made_in(2000.0);
    let zero = stage.script.sent().last().unwrap().at;
    let mut throttled = false;
    let mut broken = false;
    stage.script.otherwise(move |sent| {
        let at = (sent.at - zero).as_secs_f64();
        let path = path(sent);
        if path == BASE {
            return reply(403);
        }
        if path.starts_with(STATUS) {
            if !throttled {
                throttled = true;
                return reply(429).header("Retry-After", "400");
            }
            if !broken {
                broken = true;
                return Reply::reset();
            }
            return status(compute.status(at));
        }
        let name = path.rsplit('/').next().unwrap();
        reply(200).json(&document(name, &compute, compute.row(at).unwrap()))
    });
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    let lost = results.iter().filter(|r| r.is_err()).count();
    assert_eq!(lost, 0, "{:?}", results[0]);
}

/// The monitor says that it failed, the row stays in progress.
#[tokio::test(start_paused = true)]
async fn row_that_is_stuck_hides_an_end_for_a_while_only() {
    let stage = Stage::new();
    let stuck = Compute {
        rows: vec![(0.0, Some(("Creating", "t0")))],
        monitor: vec![(0.0, "InProgress"), (100.0, "Failed")],
        ..Compute::made_in(100.0)
    };
    serve(
        &stage,
        &BTreeMap::from([("aks-a", stuck.clone()), ("aks-b", stuck)]),
        10,
    );
    let mut computes = create(&stage, &["aks-a", "aks-b"]).await;
    let results = tokio::time::timeout(
        secs(40.0 * 60.0),
        wait_all(&mut computes, WaitOptions::new().no_deadline()),
    )
    .await;
    assert!(
        results.is_ok(),
        "still waiting 40 minutes after the failure"
    );
}

/// A list without an end.
#[tokio::test(start_paused = true)]
async fn endless_list_is_given_up() {
    let stage = Stage::new();
    let mut answers = service(made_in(&NAMES, 100.0), 10);
    let mut page = 0;
    stage.script.otherwise(move |sent| {
        if path(sent) == BASE {
            page += 1;
            return reply(200).json(&json!({"value": [], "nextLink": format!("{BASE}?api-version=2026-05-01&skip={page}")})).slow(secs(0.05));
        }
        answers(sent)
    });
    let mut computes = create(&stage, &NAMES).await;
    let before = stage.script.sent().len();
    let results = wait_all(&mut computes, WaitOptions::new().deadline(secs(300.0))).await;
    let asked = asked(&stage.script.sent()[before..]);
    assert!(results.iter().all(Result::is_ok), "{asked:?}");
}

/// The second page is refused once, as a link that went stale is.
#[tokio::test(start_paused = true)]
async fn refused_later_page_is_retried() {
    let stage = Stage::new();
    let mut answers = service(made_in(&NAMES, 1000.0), 2);
    let mut bad = true;
    stage.script.otherwise(move |sent| {
        if path(sent) == BASE && sent.url.contains("skip=") && bad {
            bad = false;
            return reply(400);
        }
        answers(sent)
    });
    let mut computes = create(&stage, &NAMES).await;
    let before = stage.script.sent().len();
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok));
    let asked = asked(&stage.script.sent()[before..]);
    assert!(asked.monitors < 20, "{asked:?}");
}

/// The pace after the list is given up late.
#[tokio::test(start_paused = true)]
async fn pace_of_the_list_goes_on_when_it_is_given_up() {
    let stage = Stage::new();
    let mut answers = service(made_in(&NAMES, 1500.0), 10);
    stage.script.otherwise(move |sent| {
        if path(sent) == BASE && sent.at > secs(600.0) {
            return reply(403);
        }
        answers(sent)
    });
    let mut computes = create(&stage, &NAMES).await;
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let polls: Vec<f64> = stage
        .script
        .sent()
        .iter()
        .filter(|s| path(s) == format!("{STATUS}/aks-a"))
        .map(|s| s.at.as_secs_f64())
        .collect();
    let gaps: Vec<f64> = polls.windows(2).map(|p| p[1] - p[0]).collect();
    assert!(gaps.iter().all(|g| *g >= 29.0), "{gaps:?}");
}

/// Resumed updates whose rows lag: how often each is read.
#[tokio::test(start_paused = true)]
async fn pace_of_the_list_is_that_of_what_it_contradicts() {
    let names = crowd(100);
    let stage = Stage::new();
    let mute = Compute {
        monitor: vec![(0.0, "InProgress"), (1500.0, "Succeeded")],
        ..updated(vec![
            (0.0, Some(("Updating", "t0"))),
            (600.0, Some(("Succeeded", "t0"))),
        ])
    };
    let all: BTreeMap<_, _> = names.iter().map(|n| (*n, mute.clone())).collect();
    serve(&stage, &all, 1000);
    let mut tokens = Vec::new();
    for name in &names {
        tokens.push(update(&stage, name).await.resume_token().unwrap().clone());
    }
    let resumed: Result<Vec<_>, _> = stage
        .elsewhere()
        .resume_all(&tokens)
        .await
        .into_iter()
        .collect();
    let results = wait_all(&mut resumed.unwrap(), WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok));
    let polls: Vec<f64> = stage
        .script
        .sent()
        .iter()
        .filter(|s| path(s) == format!("{STATUS}/{}", names[0]))
        .map(|s| s.at.as_secs_f64())
        .collect();
    let gaps: Vec<f64> = polls.windows(2).map(|p| p[1] - p[0]).collect();
    assert!(gaps.iter().all(|g| *g >= 4.9), "{polls:?}\n{gaps:?}");
    assert!(gaps[1..].iter().all(|g| *g >= 29.0), "{polls:?}\n{gaps:?}");
}

/// A detach without a monitor; a row still shows what went before.
#[tokio::test(start_paused = true)]
async fn old_running_row_does_not_end_a_removal() {
    // The resource itself: at rest until the service gets to it at 60, gone at 120.
    let c = |_: ()| Compute {
        monitored: false,
        attached: true,
        monitor: vec![(0.0, "InProgress")],
        rows: vec![
            (0.0, Some(("Succeeded", "t0"))),
            (60.0, Some(("Deleting", "t0"))),
            (120.0, None),
        ],
    };
    let stage = Stage::new();
    let all = BTreeMap::from([("aks-a", c(())), ("aks-b", c(()))]);
    let mut answers = service(all.clone(), 10);
    stage.script.otherwise(move |sent| {
        // The list lags: an update from before still shows at first.
        if path(sent) == BASE && sent.at < secs(4.0) {
            let rows: Vec<Value> = all
                .iter()
                .map(|(n, c)| document(n, c, ("Updating", "t0")))
                .collect();
            return reply(200).json(&json!({"value": rows}));
        }
        answers(sent)
    });
    let mut ops = vec![detach(&stage, "aks-a").await, detach(&stage, "aks-b").await];
    let results = wait_all(&mut ops, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

/// Made anew after a failed one was deleted: the list lags and shows the failed one. No monitor.
#[tokio::test(start_paused = true)]
async fn row_of_the_compute_before_does_not_end_a_create() {
    let c = Compute {
        monitored: false,
        ..Compute::made_in(100.0)
    };
    let stage = Stage::new();
    let all = BTreeMap::from([("aks-a", c.clone()), ("aks-b", c)]);
    let mut answers = service(all.clone(), 10);
    stage.script.otherwise(move |sent| {
        if path(sent) == BASE && sent.at < secs(4.0) {
            let rows: Vec<Value> = all
                .iter()
                .map(|(n, c)| document(n, c, ("Failed", "t-1")))
                .collect();
            return reply(200).json(&json!({"value": rows}));
        }
        if path(sent).starts_with(BASE) && sent.method == "PUT" {
            let _ = answers(sent);
            return reply(202);
        }
        answers(sent)
    });
    let mut computes = create(&stage, &["aks-a", "aks-b"]).await;
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

/// Replicas that lag: the old row after the update was seen at work, when the monitor has succeeded.
#[tokio::test(start_paused = true)]
async fn row_that_lags_is_not_the_result() {
    let c = updated(vec![
        (0.0, Some(("Succeeded", "t0"))),
        (3.0, Some(("Updating", "t0"))),
        (300.0, Some(("Succeeded", "t1"))),
    ]);
    let stage = Stage::new();
    let all = BTreeMap::from([("aks-a", c.clone()), ("aks-b", c)]);
    let mut answers = service(all.clone(), 10);
    stage.script.otherwise(move |sent| {
        // From 300 on another replica answers, which has not seen the update at all.
        if path(sent) == BASE && sent.at >= secs(300.0) {
            let rows: Vec<Value> = all
                .iter()
                .map(|(n, c)| document(n, c, ("Succeeded", "t0")))
                .collect();
            return reply(200).json(&json!({"value": rows}));
        }
        answers(sent)
    });
    let mut updates = vec![update(&stage, "aks-a").await, update(&stage, "aks-b").await];
    let results = wait_all(&mut updates, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    for compute in &updates {
        let modified = compute.resource().properties.modified_on.as_deref();
        assert_eq!(modified, Some("t1"));
    }
}

/// Rows without properties, and no monitor.
#[tokio::test(start_paused = true)]
async fn row_without_a_state_ends_nothing() {
    let c = Compute {
        monitored: false,
        ..Compute::made_in(100.0)
    };
    let stage = Stage::new();
    let all = BTreeMap::from([("aks-a", c.clone()), ("aks-b", c)]);
    let mut answers = service(all.clone(), 10);
    stage.script.otherwise(move |sent| {
        if path(sent) == BASE {
            return reply(200)
                .json(&json!({"value": [{"name": "aks-a"}, {"name": "aks-b", "properties": 7}]}));
        }
        if path(sent).starts_with(BASE) && sent.method == "PUT" {
            let _ = answers(sent);
            return reply(202);
        }
        answers(sent)
    });
    let mut computes = create(&stage, &["aks-a", "aks-b"]).await;
    let begun = tokio::time::Instant::now();
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(
        begun.elapsed() > secs(99.0),
        "{:?} {results:?} {:?}",
        begun.elapsed(),
        computes[0].resource()
    );
}

/// Rows without properties, with a monitor.
#[tokio::test(start_paused = true)]
async fn row_without_a_state_is_no_result() {
    let c = Compute::made_in(100.0);
    let stage = Stage::new();
    let all = BTreeMap::from([("aks-a", c.clone()), ("aks-b", c)]);
    let mut answers = service(all.clone(), 10);
    stage.script.otherwise(move |sent| {
        if path(sent) == BASE && sent.at > secs(100.0) {
            return reply(200).json(
                &json!({"value": [{"name": "aks-a"}, {"name": "aks-b", "properties": null}]}),
            );
        }
        answers(sent)
    });
    let mut computes = create(&stage, &["aks-a", "aks-b"]).await;
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(
        computes[0].resource().properties.modified_on.as_deref(),
        Some("t1")
    );
}

/// Deleted by somebody else while it is made.
#[tokio::test(start_paused = true)]
async fn deleted_resource_has_no_token() {
    let c = Compute {
        rows: vec![
            (0.0, Some(("Creating", "t0"))),
            (60.0, Some(("Deleting", "t0"))),
            (120.0, None),
        ],
        monitor: vec![(0.0, "InProgress")],
        monitored: false,
        attached: false,
    };
    let stage = Stage::new();
    let mut answers = service(BTreeMap::from([("aks-a", c)]), 10);
    stage.script.otherwise(move |sent| {
        if path(sent).starts_with(BASE) && sent.method == "PUT" {
            let _ = answers(sent);
            return reply(202);
        }
        answers(sent)
    });
    let mut computes = create(&stage, &["aks-a"]).await;
    let e = computes[0]
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    assert!(e.resume_token().is_none() && !e.may_still_run(), "{e:?}");
}

/// A failed read, and then rows that show that the operation goes on.
#[tokio::test(start_paused = true)]
async fn repaired_failure_is_not_reported_again() {
    let stage = Stage::new();
    let mut n = 0;
    let mut answers = service(made_in(&NAMES, 1000.0), 10);
    stage.script.otherwise(move |sent| {
        if path(sent) == BASE {
            n += 1;
            if n == 2 {
                let c = Compute::made_in(1.0);
                let rows: Vec<Value> = NAMES
                    .iter()
                    .map(|x| document(x, &c, ("Succeeded", "t0")))
                    .collect();
                return reply(200).json(&json!({"value": rows}));
            }
        }
        if path(sent).starts_with(STATUS) && sent.at < secs(500.0) {
            return reply(500);
        }
        answers(sent)
    });
    let mut computes = create(&stage, &NAMES).await;
    let bad = std::sync::Arc::new(std::sync::Mutex::new(0));
    let b = bad.clone();
    let results = wait_all(
        &mut computes,
        WaitOptions::new().on_progress(move |p| {
            if p.elapsed > secs(100.0) && p.elapsed < secs(900.0) && p.last_error.is_some() {
                *b.lock().unwrap() += 1;
            }
        }),
    )
    .await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(*bad.lock().unwrap(), 0);
}

/// The list shows another compute of the name, made after the one that is waited for was deleted.
#[tokio::test(start_paused = true)]
async fn row_of_a_compute_that_was_created_again_ends_its_create_with_an_error() {
    for monitored in [true, false] {
        let stage = Stage::new();
        let compute = Compute::made_in(100.0);
        let row = |name: &str, state: &str, modified: &str, created: &str| {
            let mut row = document(name, &compute, (state, modified));
            row["properties"]["createdOn"] = json!(created);
            row
        };
        let mut computes = Vec::new();
        for name in ["aks-a", "aks-b"] {
            let answer = reply(201).json(&row(name, "Creating", "t0", "2001-01-01T00:00:00.1Z"));
            let monitor = format!("{STATUS}/{name}?api-version=1");
            stage.script.expect([
                not_found(),
                match monitored {
                    true => answer.header("Azure-AsyncOperation", &monitor),
                    false => answer,
                },
            ]);
            let create = ComputeTarget::create(&stage.workspace, name, configuration());
            computes.push(create.await.unwrap());
        }
        let rows = [
            row("aks-a", "Succeeded", "t1", "2001-01-01T00:00:00.1Z"),
            row("aks-b", "Succeeded", "t1", "2001-01-01T00:00:00.2Z"),
        ];
        let before = stage.script.sent().len();
        stage
            .script
            .otherwise(move |sent| match path(sent) == BASE {
                true => reply(200).json(&json!({ "value": rows })),
                false => {
                    assert!(path(sent).starts_with(STATUS), "{}", sent.url);
                    status("Succeeded")
                }
            });
        let results = wait_all(&mut computes, WaitOptions::new()).await;
        assert!(results[0].is_ok(), "{results:?}");
        let error = results[1].as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Service);
        assert!(
            error.to_string().contains("another one of its name"),
            "{error}"
        );
        assert!(error.resume_token().is_none() && computes[1].resume_token().is_none());
        assert!(computes[0].is_ready() && !computes[1].is_ready());
        let asked = asked(&stage.script.sent()[before..]);
        assert_eq!((asked.lists, asked.computes), (1, 0), "{asked:?}");
    }
}
