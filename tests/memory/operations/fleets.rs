//! Many operations at once: one list in place of a poll for each.

#[path = "adversities.rs"]
mod adversities;

use super::dropping::until_pending;
use super::support::*;
use azureml_aks::{
    AksCompute, ComputeTarget, ErrorKind, Operation, ResumeToken, Resumed, WaitOptions, wait_all,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const BASE: &str = "https://management.azure.com/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes";
const STATUS: &str = "https://management.azure.com/subscriptions/s/providers/Microsoft.MachineLearningServices/locations/eastus/mlOperations";

/// A compute as the scripted service has it.
#[derive(Clone)]
struct Compute {
    /// By the service's clock: what its row shows from then on. `None` is no row.
    rows: Vec<(f64, Option<(&'static str, &'static str)>)>,
    /// What the monitor says from then on.
    monitor: Vec<(f64, &'static str)>,
    attached: bool,
    /// Whether the first answer names a monitor.
    monitored: bool,
}

impl Compute {
    /// Made within so many seconds.
    fn made_in(seconds: f64) -> Self {
        Self {
            rows: vec![
                (0.0, Some(("Creating", "t0"))),
                (seconds, Some(("Succeeded", "t1"))),
            ],
            monitor: vec![(0.0, "InProgress"), (seconds, "Succeeded")],
            attached: false,
            monitored: true,
        }
    }

    fn row(&self, at: f64) -> Option<(&'static str, &'static str)> {
        self.rows.iter().rev().find(|row| row.0 <= at)?.1
    }

    fn status(&self, at: f64) -> &'static str {
        self.monitor
            .iter()
            .rev()
            .find(|status| status.0 <= at)
            .unwrap()
            .1
    }
}

fn made_in(names: &[&'static str], seconds: f64) -> BTreeMap<&'static str, Compute> {
    let compute = Compute::made_in(seconds);
    names.iter().map(|name| (*name, compute.clone())).collect()
}

fn document(name: &str, compute: &Compute, (state, modified): (&str, &str)) -> Value {
    json!({
        "id": format!("{}/{name}", BASE.trim_start_matches("https://management.azure.com")),
        "name": name,
        "properties": {
            "computeType": "AKS",
            "isAttachedCompute": compute.attached,
            "provisioningState": state,
            "modifiedOn": modified,
        },
    })
}

/// A service with these computes, in pages of `page`. Its clock starts with the first write.
fn serve(stage: &Stage, computes: &BTreeMap<&'static str, Compute>, page: usize) {
    stage.script.otherwise(service(computes.clone(), page));
}

fn service(
    computes: BTreeMap<&'static str, Compute>,
    page: usize,
) -> impl FnMut(&Sent) -> Reply + Send {
    let mut written: BTreeMap<String, Duration> = BTreeMap::new();
    move |sent| {
        let path = sent.url.split('?').next().unwrap();
        let name = path.rsplit('/').next().unwrap().to_owned();
        let since = |name: &str| written.get(name).map(|at| (sent.at - *at).as_secs_f64());
        if path == BASE {
            let skip = sent
                .url
                .split("skip=")
                .nth(1)
                .map_or(0, |skip| skip.parse().unwrap());
            let rows: Vec<Value> = computes
                .iter()
                .filter_map(|(name, compute)| {
                    Some(document(
                        name,
                        compute,
                        compute.row(since(name).unwrap_or(0.0))?,
                    ))
                })
                .collect();
            let mut body =
                json!({ "value": rows[skip.min(rows.len())..(skip + page).min(rows.len())] });
            if skip + page < rows.len() {
                body["nextLink"] = json!(format!(
                    "{BASE}?api-version=2026-05-01&skip={}",
                    skip + page
                ));
            }
            return reply(200).json(&body);
        }
        if path.starts_with(STATUS) {
            return status(computes[name.as_str()].status(since(&name).unwrap()));
        }
        let compute = &computes[name.as_str()];
        match sent.method.as_str() {
            "GET" => match since(&name).map_or_else(
                || compute.attached.then_some(("Succeeded", "t0")),
                |at| compute.row(at),
            ) {
                Some(row) => reply(200).json(&document(&name, compute, row)),
                None => not_found(),
            },
            method => {
                let put = method == "PUT" && compute.monitored;
                let code = if put { 201 } else { 202 };
                let first = compute.row(0.0);
                written.insert(name.clone(), sent.at);
                let answer = reply(code);
                let answer = match compute.monitored {
                    true => answer.header(
                        "Azure-AsyncOperation",
                        &format!("{STATUS}/{name}?api-version=1"),
                    ),
                    false => answer,
                };
                match first.filter(|_| put) {
                    Some(row) => answer.json(&document(&name, compute, row)),
                    None => answer,
                }
            }
        }
    }
}

async fn create(stage: &Stage, names: &[&'static str]) -> Vec<AksCompute> {
    let mut computes = Vec::new();
    for name in names {
        let compute = ComputeTarget::create(&stage.workspace, name, configuration()).await;
        computes.push(compute.unwrap());
    }
    computes
}

/// What was asked for after the writes: lists, monitors, computes.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    lists: usize,
    monitors: usize,
    computes: usize,
}

fn asked(sent: &[Sent]) -> Asked {
    let count = |is: &dyn Fn(&str) -> bool| {
        sent.iter()
            .filter(|sent| sent.method == "GET" && is(sent.url.split('?').next().unwrap()))
            .count()
    };
    Asked {
        lists: count(&|path| path == BASE),
        monitors: count(&|path| path.starts_with(STATUS)),
        computes: count(&|path| path.starts_with(BASE) && path != BASE),
    }
}

const NAMES: [&str; 5] = ["aks-a", "aks-b", "aks-c", "aks-d", "aks-e"];

#[tokio::test(start_paused = true)]
async fn a_fleet_reads_its_list_once_per_interval_and_one_monitor_per_end() {
    let stage = Stage::new();
    let all = made_in(&NAMES, 600.0);
    serve(&stage, &all, 2);
    let mut computes = create(&stage, &NAMES).await;
    let before = stage.script.sent().len();
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    for compute in &computes {
        assert_eq!(compute.status(), Some("Succeeded"));
        assert_eq!(
            compute.resource().properties.modified_on.as_deref(),
            Some("t1")
        );
        assert_eq!(compute.resume_token(), None);
    }
    let sent = &stage.script.sent()[before..];
    let asked = asked(sent);
    // The row is the result: no compute is read.
    assert_eq!((asked.monitors, asked.computes), (5, 0), "{sent:?}");
    // 1, 5, 7.5, … 30 seconds: about 24 intervals in ten minutes, of three pages each.
    assert!((20 * 3..=26 * 3).contains(&asked.lists), "{asked:?}");
    let took = sent.last().unwrap().at;
    assert!(took < Duration::from_secs(600 + 40), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hint_beside_the_operations_is_the_pace_of_the_list() {
    let stage = Stage::new();
    let all = made_in(&NAMES, 100.0);
    let mut computes = Vec::new();
    for name in NAMES {
        stage.script.expect([
            not_found(),
            reply(201)
                .header(
                    "Azure-AsyncOperation",
                    &format!("{STATUS}/{name}?api-version=1"),
                )
                .header("Retry-After", "20")
                .json(&document(name, &all[name], ("Creating", "t0"))),
        ]);
        let compute = ComputeTarget::create(&stage.workspace, name, configuration()).await;
        computes.push(compute.unwrap());
    }
    let all2 = all.clone();
    stage.script.otherwise(move |sent| {
        let at = sent.at.as_secs_f64();
        let path = sent.url.split('?').next().unwrap();
        if path == BASE {
            let rows: Vec<Value> = all2
                .iter()
                .map(|(name, compute)| document(name, compute, compute.row(at).unwrap()))
                .collect();
            return reply(200).json(&json!({ "value": rows }));
        }
        status(all2["aks-a"].status(at))
    });
    let before = stage.script.sent().len();
    let results = wait_all(&mut computes, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let sent = &stage.script.sent()[before..];
    let lists: Vec<f64> = sent
        .iter()
        .filter(|sent| sent.url.starts_with(&format!("{BASE}?")))
        .map(|sent| sent.at.as_secs_f64())
        .collect();
    let pauses: Vec<f64> = std::iter::once(lists[0])
        .chain(lists.windows(2).map(|pair| pair[1] - pair[0]))
        .collect();
    assert_paced(&pauses, &vec![20.0; pauses.len()]);
}

/// A compute that is there, with an update that was begun through its handle.
async fn update(stage: &Stage, name: &str) -> AksCompute {
    let mut compute = AksCompute::get(&stage.workspace, name).await.unwrap();
    let change = azureml_aks::UpdateConfiguration::builder()
        .tls(azureml_aks::TlsUpdate::Disable)
        .build()
        .unwrap();
    compute.update(change).await.unwrap();
    compute
}

fn updated(rows: Vec<(f64, Option<(&'static str, &'static str)>)>) -> Compute {
    Compute {
        rows,
        attached: true,
        ..Compute::made_in(300.0)
    }
}

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

async fn detach(stage: &Stage, name: &str) -> Operation<()> {
    let mut compute = AksCompute::get(&stage.workspace, name).await.unwrap();
    compute.detach().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_missing_row_is_settled_by_the_monitor_which_may_say_that_the_detach_failed() {
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
async fn a_list_that_may_not_be_read_is_made_up_for_one_by_one() {
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
async fn a_fleet_that_is_dropped_at_any_moment_goes_on_where_it_stopped() {
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
async fn case_39_a_fleet_that_is_dropped_at_any_await_point_loses_nothing() {
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
async fn a_failure_is_told_with_its_reason_from_the_row() {
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
async fn progress_is_told_for_each_operation_after_each_list() {
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

#[tokio::test(start_paused = true)]
async fn a_list_that_cannot_be_understood_settles_nothing_and_loses_nothing() {
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
async fn a_workspace_that_says_nothing_holds_up_no_other() {
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
async fn a_few_operations_in_a_large_workspace_are_read_one_by_one() {
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

/// Names enough for a crowd; a test needs them for its whole life.
fn crowd(size: usize) -> Vec<&'static str> {
    (0..size)
        .map(|number| &*format!("aks-{number}x").leak())
        .collect()
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
async fn a_list_that_is_throttled_is_left_alone_also_at_the_deadline() {
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
async fn a_workspace_that_says_nothing_is_given_up_as_a_whole_and_in_bounded_time() {
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
async fn reason_why_a_list_cannot_be_read_is_told_meanwhile() {
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
async fn a_brake_that_holds_for_long_delays_a_fleet_and_loses_nothing() {
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
