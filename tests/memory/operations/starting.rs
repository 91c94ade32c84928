//! Cases 1 to 5 and 15: the answer to the first request.

use super::support::*;
use azureml_aks::{AksCompute, TlsUpdate, UpdateConfiguration, WaitOptions};

/// A member that a recorded answer to a PUT shows, and no read after it.
#[tokio::test(start_paused = true)]
async fn id_of_the_inside_in_the_answer_to_a_create_is_not_shown() {
    let stage = Stage::new();
    let mut answer = resource("Creating");
    answer["properties"]["resourceId"] = "/…/Microsoft.BatchAI/workspaces/w/clusters/c".into();
    let first = reply(201)
        .header("Azure-AsyncOperation", MONITOR)
        .json(&answer);
    let mut compute = stage.create(first).await.unwrap();
    assert_eq!(compute.cluster_resource_id(), None);
    assert!(
        !compute
            .resource()
            .to_value()
            .to_string()
            .contains("BatchAI")
    );
    assert_eq!(compute.status(), Some("Creating"));
    answer["properties"]["resourceId"] = "/real".into();
    answer["properties"]["provisioningState"] = "Succeeded".into();
    stage
        .script
        .expect([status("Succeeded"), reply(200).json(&answer)]);
    let options = azureml_aks::WaitOptions::new();
    compute.wait_for_completion(options).await.unwrap();
    assert_eq!(compute.cluster_resource_id(), Some("/real"));
}

#[tokio::test(start_paused = true)]
async fn case_01_create_is_followed_at_its_monitor_and_the_compute_is_read_at_the_end() {
    let run = create(
        created(),
        [status("InProgress"), status("Succeeded"), ready()],
    )
    .await;
    run.result.as_ref().unwrap();
    assert_eq!(
        run.lines(),
        ["PUT compute", "GET monitor", "GET monitor", "GET compute"]
    );
    assert!(run.sent[0].body.is_some());
    assert!(run.sent[1..].iter().all(|sent| sent.body.is_none()));
    let id = &run.sent[0].request_id;
    assert!(!id.is_empty() && run.sent.iter().all(|sent| sent.request_id == *id));
    assert_eq!(run.token, None, "a finished operation has no token");
}

#[tokio::test(start_paused = true)]
async fn case_02_create_that_is_finished_in_its_first_answer_costs_one_request() {
    let run = create(ready(), []).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.lines(), ["PUT compute"]);
}

#[tokio::test(start_paused = true)]
async fn case_03_a_200_without_a_state_is_a_success() {
    let run = create(reply(200).json(&json!({"name": "myaks"})), []).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.lines(), ["PUT compute"]);
}

#[tokio::test(start_paused = true)]
async fn case_04_a_201_that_says_nothing_is_followed_at_the_compute() {
    let creating = reply(200).json(&resource("Creating"));
    let run = create(reply(201), [creating, ready()]).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.lines(), ["PUT compute", "GET compute", "GET compute"]);
    assert_eq!(run.statuses(), ["Creating"]);
}

#[tokio::test(start_paused = true)]
async fn case_05_a_202_without_a_header_is_followed_at_the_compute() {
    let updating = reply(200).json(&resource("Updating"));
    let run = create(reply(202), [updating, ready()]).await;
    run.result.as_ref().unwrap();
    assert_eq!(run.lines(), ["PUT compute", "GET compute", "GET compute"]);
}

#[tokio::test(start_paused = true)]
async fn case_15_finished_body_beside_a_monitor_is_confirmed_at_once_at_the_monitor() {
    let first = || {
        reply(200)
            .header("Azure-AsyncOperation", MONITOR)
            .json(&resource("Succeeded"))
    };
    let run = create(
        first(),
        [status("InProgress"), status("Succeeded"), ready()],
    )
    .await;
    run.result.as_ref().unwrap();
    assert_eq!(
        run.lines(),
        ["PUT compute", "GET monitor", "GET monitor", "GET compute"]
    );
    assert_eq!(
        run.sent[1].at,
        Duration::ZERO,
        "the first read is immediate"
    );

    for gone in [
        not_found(),
        reply(410),
        reply(302).header("Location", "https://evil.example/"),
    ] {
        let run = create(first(), [gone]).await;
        run.result.as_ref().unwrap();
        assert_eq!(run.lines(), ["PUT compute", "GET monitor"]);
    }
}

#[tokio::test(start_paused = true)]
async fn case_15_finished_body_counts_although_the_monitor_is_foreign() {
    for (state, fails) in [("Succeeded", false), ("Failed", true)] {
        let first = reply(200)
            .header("Azure-AsyncOperation", "https://evil.example/op")
            .json(&resource(state));
        let run = create(first, []).await;
        assert_eq!(run.lines(), ["PUT compute"]);
        let failed = run.result.is_err_and(|error| error.is_operation_failure());
        assert_eq!(failed, fails, "{state}");
    }
}

#[tokio::test(start_paused = true)]
async fn update_with_a_monitor_is_polled_although_the_service_answered_200() {
    let stage = Stage::new();
    let current = reply(200).json(&json!({
        "name": "myaks",
        "location": "eastus",
        "properties": {
            "computeType": "AKS",
            "provisioningState": "Succeeded",
            "properties": { "agentCount": 3, "sslConfiguration": { "status": "Enabled" } },
        },
    }));
    let first = reply(200)
        .header("azure-asyncoperation", MONITOR)
        .json(&resource("Updating"));
    stage.script.expect([current.clone(), current, first]);
    let mut compute = AksCompute::get(&stage.workspace, "myaks").await.unwrap();
    let change = UpdateConfiguration::builder()
        .tls(TlsUpdate::Disable)
        .build()
        .unwrap();
    compute.update(change).await.unwrap();
    stage
        .script
        .expect([status("InProgress"), status("Succeeded"), ready()]);
    assert_eq!(compute.status(), Some("Updating"));
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(compute.status(), Some("Succeeded"));
    assert_eq!(
        stage.lines(),
        ["PUT compute", "GET monitor", "GET monitor", "GET compute"]
    );
}
