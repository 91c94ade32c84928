//! How often a list and its monitors are read.

use super::*;

#[tokio::test(start_paused = true)]
async fn fleet_reads_its_list_once_per_interval_and_one_monitor_per_end() {
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
async fn hint_beside_the_operations_is_the_pace_of_the_list() {
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
