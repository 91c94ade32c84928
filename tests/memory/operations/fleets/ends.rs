//! The deadline, dropped waits, and the end of each target.

use super::*;

#[tokio::test(start_paused = true)]
async fn at_the_deadline_the_list_is_read_once_more_and_the_rest_has_tokens() {
    let stage = Stage::new();
    let mut all = made_in(&NAMES, 9000.0);
    // Between the last regular list and the deadline.
    all.insert("aks-b", Compute::made_in(599.0));
    serve(&stage, &all, 10);
    let mut computes = create(&stage, &NAMES).await;
    let options = WaitOptions::new().deadline(Duration::from_secs(600));
    let begun = tokio::time::Instant::now();
    let results = wait_all(&mut computes, options).await;
    assert_eq!(begun.elapsed().as_secs(), 600);
    for (name, result) in NAMES.iter().zip(&results) {
        if *name == "aks-b" {
            assert!(result.is_ok(), "{result:?}");
            continue;
        }
        let error = result.as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
        assert_eq!(error.last_status(), Some("Creating"));
        assert!(error.resume_token().is_some());
    }
    let before = stage.script.sent().len();
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(
        stage.script.sent().len(),
        before,
        "no request after the deadline"
    );

    // The same handles go on, and so do tokens elsewhere.
    let tokens: Vec<ResumeToken> = results
        .iter()
        .filter_map(|result| result.as_ref().err()?.resume_token().cloned())
        .collect();
    let mut resumed = Vec::new();
    for token in &tokens {
        resumed.push(stage.elsewhere().resume(token).await.unwrap());
    }
    for results in [
        wait_all(&mut computes, WaitOptions::new().no_deadline()).await,
        wait_all(&mut resumed, WaitOptions::new()).await,
    ] {
        assert!(results.iter().all(Result::is_ok), "{results:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn fleet_that_is_dropped_at_any_moment_goes_on_where_it_stopped() {
    let mut moments = 0;
    for stop in (1..400).step_by(7) {
        let stage = Stage::new();
        let all = made_in(&NAMES, 120.0);
        serve(&stage, &all, 2);
        let mut computes = create(&stage, &NAMES).await;
        let limit = Duration::from_millis(stop * 500);
        let wait = wait_all(&mut computes, WaitOptions::new());
        if tokio::time::timeout(limit, wait).await.is_err() {
            moments += 1;
            let before = stage.script.sent().len();
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert_eq!(
                stage.script.sent().len(),
                before,
                "a request after the drop"
            );
        }
        let results = wait_all(&mut computes, WaitOptions::new()).await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        let puts = stage
            .script
            .sent()
            .iter()
            .filter(|sent| sent.method == "PUT")
            .count();
        assert_eq!(puts, NAMES.len());
    }
    assert!(moments > 20, "{moments}");
}

#[tokio::test(start_paused = true)]
async fn case_39_fleet_that_is_dropped_at_any_await_point_loses_nothing() {
    let mut points = 0;
    loop {
        let stage = Stage::new();
        let mut answers = service(made_in(&NAMES[..3], 60.0), 2);
        // Every request and both halves of its body are points to be dropped at.
        stage
            .script
            .otherwise(move |sent| answers(sent).slow(Duration::from_millis(300)));
        let mut computes = create(&stage, &NAMES[..3]).await;
        let wait = wait_all(&mut computes, WaitOptions::new());
        if let Some(results) = until_pending(wait, points).await {
            assert!(results.iter().all(Result::is_ok), "{results:?}");
            break;
        }
        points += 1;
        let before = stage.script.sent().len();
        tokio::time::sleep(Duration::from_secs(7)).await;
        assert_eq!(
            stage.script.sent().len(),
            before,
            "a request after the drop"
        );
        let tokens: Vec<ResumeToken> = computes
            .iter()
            .filter_map(|compute| compute.resume_token())
            .map(|token| ResumeToken::parse(&token.expose()).unwrap())
            .collect();
        for results in [wait_all(&mut computes, WaitOptions::new()).await, {
            let resumed = stage.elsewhere().resume_all(&tokens).await;
            let resumed: Result<Vec<_>, _> = resumed.into_iter().collect();
            wait_all(&mut resumed.unwrap(), WaitOptions::new()).await
        }] {
            assert!(results.iter().all(Result::is_ok), "{results:?}");
        }
        let sent = stage.script.sent();
        assert_eq!(sent.iter().filter(|sent| sent.method == "PUT").count(), 3);
    }
    assert!(points > 20, "{points} points");
}

#[tokio::test(start_paused = true)]
async fn targets_that_were_never_started_or_are_ready_have_their_own_ends() {
    let stage = Stage::new();
    serve(
        &stage,
        &BTreeMap::from([
            ("aks-a", Compute::made_in(50.0)),
            ("aks-b", Compute::made_in(50.0)),
        ]),
        10,
    );
    let computes = create(&stage, &["aks-a", "aks-b"]).await;
    let mut targets: Vec<Resumed> = computes.into_iter().map(Resumed::from).collect();
    targets.push(Resumed::NotStarted {
        verb: azureml_aks::Verb::Create,
        resource: azureml_aks::models::TokenResource::Compute("AKS".to_owned()),
        name: "aks-c".to_owned(),
    });
    let results = wait_all(&mut targets, WaitOptions::new()).await;
    assert!(results[0].is_ok() && results[1].is_ok(), "{results:?}");
    assert_eq!(
        results[2].as_ref().unwrap_err().kind(),
        ErrorKind::NotStarted
    );
    // Again: nothing is pending, so one list is read, and the ends are the same.
    let before = stage.script.sent().len();
    let results = wait_all(&mut targets, WaitOptions::new()).await;
    assert!(results[0].is_ok() && results[1].is_ok() && results[2].is_err());
    let sent = &stage.script.sent()[before..];
    assert_eq!((sent.len(), asked(sent).lists), (1, 1), "{sent:?}");
    let nothing: Vec<Result<(), _>> =
        wait_all(&mut Vec::<AksCompute>::new(), WaitOptions::new()).await;
    assert!(nothing.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_operation_alone_is_read_at_its_monitor() {
    let stage = Stage::new();
    serve(
        &stage,
        &BTreeMap::from([("aks-a", Compute::made_in(50.0))]),
        10,
    );
    let mut computes = create(&stage, &["aks-a"]).await;
    let before = stage.script.sent().len();
    wait_all(&mut computes, WaitOptions::new())
        .await
        .remove(0)
        .unwrap();
    let asked = asked(&stage.script.sent()[before..]);
    assert_eq!((asked.lists, asked.computes), (0, 1), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn failure_is_reported_with_its_reason_from_the_row() {
    let stage = Stage::new();
    let failing = Compute {
        rows: vec![
            (0.0, Some(("Creating", "t0"))),
            (50.0, Some(("Failed", "t1"))),
        ],
        monitor: vec![(0.0, "InProgress"), (50.0, "Failed")],
        ..Compute::made_in(50.0)
    };
    serve(
        &stage,
        &BTreeMap::from([("aks-a", failing), ("aks-b", Compute::made_in(50.0))]),
        10,
    );
    let mut computes = create(&stage, &["aks-a", "aks-b"]).await;
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(results[0].as_ref().unwrap_err().is_operation_failure());
    assert!(results[1].is_ok());
    assert_eq!(computes[0].status(), Some("Failed"));
}

#[tokio::test(start_paused = true)]
async fn progress_is_reported_for_each_operation_after_each_list() {
    let stage = Stage::new();
    let all = made_in(&NAMES, 60.0);
    serve(&stage, &all, 10);
    let mut computes = create(&stage, &NAMES).await;
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = seen.clone();
    let options = WaitOptions::new().on_progress(move |progress| {
        told.lock().unwrap().push(progress.clone());
    });
    let results = wait_all(&mut computes, options).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let seen = seen.lock().unwrap();
    for name in NAMES {
        let of: Vec<_> = seen
            .iter()
            .filter(|progress| progress.target == name)
            .collect();
        assert!(of.len() >= 4, "{name}: {}", of.len());
        assert_eq!(of[1].status.as_deref(), Some("Creating"));
        assert_eq!(of[1].workspace.as_deref(), Some("w"));
        assert!(of[1].next_delay >= secs(5.0), "{:?}", of[1]);
        assert!(of[2].polls > of[1].polls, "a row is a look at it");
        // The end is told, too.
        let (last, before) = of.split_last().unwrap();
        assert_eq!(last.class, azureml_aks::models::StatusClass::Succeeded);
        assert!(before.iter().all(|progress| !progress.class.is_terminal()));
    }
}
