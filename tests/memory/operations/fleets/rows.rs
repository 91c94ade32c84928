//! The meaning of a row, or of its absence, for an operation.

use super::*;

#[tokio::test(start_paused = true)]
async fn old_row_of_an_update_does_not_end_it() {
    // The row goes on showing the state from before, then the update, then its end.
    let late = updated(vec![
        (0.0, Some(("Succeeded", "t0"))),
        (60.0, Some(("Updating", "t0"))),
        (300.0, Some(("Succeeded", "t1"))),
    ]);
    // The row never shows the update at work.
    let silent = updated(vec![
        (0.0, Some(("Succeeded", "t0"))),
        (300.0, Some(("Succeeded", "t1"))),
    ]);
    // Nor when it changed.
    let mute = updated(vec![(0.0, Some(("Succeeded", "t0")))]);
    let stage = Stage::new();
    serve(
        &stage,
        &BTreeMap::from([("aks-a", late), ("aks-b", silent), ("aks-c", mute)]),
        10,
    );
    let mut computes = Vec::new();
    for name in ["aks-a", "aks-b", "aks-c"] {
        computes.push(update(&stage, name).await);
    }
    let begun = tokio::time::Instant::now();
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let modified = |compute: &AksCompute| {
        let modified = &compute.resource().properties.modified_on;
        modified.clone().unwrap()
    };
    assert_eq!(
        computes.iter().map(modified).collect::<Vec<_>>(),
        ["t1", "t1", "t0"]
    );
    assert!(begun.elapsed() >= secs(300.0), "{:?}", begun.elapsed());
    assert!(begun.elapsed() < secs(345.0), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn row_ends_an_update_without_a_monitor_only_if_it_shows_that_it_is_newer() {
    for rows in [
        // Seen at work first.
        vec![
            (0.0, Some(("Succeeded", "t0"))),
            (20.0, Some(("Updating", "t0"))),
            (100.0, Some(("Succeeded", "t0"))),
        ],
        // Changed since.
        vec![
            (0.0, Some(("Succeeded", "t0"))),
            (40.0, Some(("Succeeded", "t1"))),
        ],
    ] {
        let end = rows.last().unwrap().0;
        let compute = Compute {
            monitored: false,
            ..updated(rows)
        };
        let stage = Stage::new();
        let all = BTreeMap::from([("aks-a", compute.clone()), ("aks-b", compute)]);
        serve(&stage, &all, 10);
        let mut computes = vec![update(&stage, "aks-a").await, update(&stage, "aks-b").await];
        let begun = tokio::time::Instant::now();
        let before = stage.script.sent().len();
        let results = wait_all(&mut computes, WaitOptions::new()).await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert!(
            begun.elapsed() >= secs(end),
            "{:?} for {end}",
            begun.elapsed()
        );
        assert!(
            begun.elapsed() <= secs(end + 35.0),
            "{:?} for {end}",
            begun.elapsed()
        );
        let asked = asked(&stage.script.sent()[before..]);
        assert_eq!((asked.monitors, asked.computes), (0, 0), "{asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn missing_row_is_settled_by_the_monitor_which_may_say_that_the_detach_failed() {
    let gone = Compute {
        rows: vec![(0.0, Some(("Deleting", "t0"))), (60.0, None)],
        monitor: vec![(0.0, "InProgress"), (60.0, "Succeeded")],
        attached: true,
        monitored: true,
    };
    let failed = Compute {
        monitor: vec![(0.0, "InProgress"), (60.0, "Failed")],
        ..gone.clone()
    };
    // The row is missing for a while although the compute is still there.
    let hidden = Compute {
        rows: vec![
            (0.0, Some(("Deleting", "t0"))),
            (20.0, None),
            (70.0, Some(("Deleting", "t0"))),
            (120.0, None),
        ],
        monitor: vec![(0.0, "InProgress"), (120.0, "Succeeded")],
        ..gone.clone()
    };
    let silent = Compute {
        monitored: false,
        ..gone.clone()
    };
    let stage = Stage::new();
    let all = BTreeMap::from([
        ("aks-a", gone),
        ("aks-b", failed),
        ("aks-c", hidden),
        ("aks-d", silent),
    ]);
    serve(&stage, &all, 10);
    let mut operations = Vec::new();
    for name in ["aks-a", "aks-b", "aks-c", "aks-d"] {
        operations.push(detach(&stage, name).await);
    }
    let begun = tokio::time::Instant::now();
    let results = wait_all(&mut operations, WaitOptions::new()).await;
    let kinds: Vec<_> = results
        .iter()
        .map(|result| result.as_ref().err().map(|e| e.kind()))
        .collect();
    assert_eq!(kinds, [None, Some(ErrorKind::OperationFailed), None, None]);
    assert!(begun.elapsed() >= secs(120.0), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn forbidden_list_is_replaced_by_single_reads() {
    for refusal in [403, 404, 500] {
        let stage = Stage::new();
        let all = made_in(&NAMES, 900.0);
        serve(&stage, &all, 10);
        let mut computes = create(&stage, &NAMES).await;
        let monitor = Compute::made_in(900.0);
        let zero = stage.script.sent().last().unwrap().at;
        stage.script.otherwise(move |sent| {
            let at = (sent.at - zero).as_secs_f64();
            let path = sent.url.split('?').next().unwrap();
            match path {
                BASE => reply(refusal),
                _ if path.starts_with(STATUS) => status(monitor.status(at)),
                _ => {
                    let name = path.rsplit('/').next().unwrap();
                    reply(200).json(&document(name, &monitor, monitor.row(at).unwrap()))
                }
            }
        });
        let before = stage.script.sent().len();
        let results = wait_all(&mut computes, WaitOptions::new()).await;
        assert!(results.iter().all(Result::is_ok), "{refusal}: {results:?}");
        let asked = asked(&stage.script.sent()[before..]);
        let lists = if refusal == 500 { 2..=12 } else { 1..=1 };
        assert!(lists.contains(&asked.lists), "{refusal}: {asked:?}");
        assert_eq!(asked.computes, 5);
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_list_does_not_make_the_other_half_missing() {
    let stage = Stage::new();
    let all = made_in(&NAMES, 200.0);
    serve(&stage, &all, 2);
    let mut computes = create(&stage, &NAMES).await;
    let monitor = Compute::made_in(200.0);
    let zero = stage.script.sent().last().unwrap().at;
    let mut broken = 0;
    stage.script.otherwise(move |sent| {
        let at = (sent.at - zero).as_secs_f64();
        let path = sent.url.split('?').next().unwrap();
        if path.starts_with(STATUS) {
            return status(monitor.status(at));
        }
        if sent.url.contains("skip=") {
            broken += 1;
            // The second page breaks off now and then.
            if broken % 3 == 0 {
                return Reply::reset();
            }
            let rows: Vec<Value> = ["aks-c", "aks-d", "aks-e"]
                .iter()
                .map(|name| document(name, &monitor, monitor.row(at).unwrap()))
                .collect();
            return reply(200).json(&json!({ "value": rows }));
        }
        let rows: Vec<Value> = ["aks-a", "aks-b"]
            .iter()
            .map(|name| document(name, &monitor, monitor.row(at).unwrap()))
            .collect();
        reply(200).json(&json!({
            "value": rows,
            "nextLink": format!("{BASE}?api-version=2026-05-01&skip=2"),
        }))
    });
    let before = stage.script.sent().len();
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let asked = asked(&stage.script.sent()[before..]);
    assert_eq!((asked.monitors, asked.computes), (5, 0), "{asked:?}");
}
