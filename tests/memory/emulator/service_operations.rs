use std::time::Duration;

use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, Fault};
use serde_json::{Value, json};

use crate::support::raw::*;
use crate::support::raw_services::*;

#[tokio::test(start_paused = true)]
async fn deployment_runs_its_time_and_tells_of_it() {
    let emulator =
        with_compute(Emulator::builder().deploy_duration(Duration::from_secs(600))).await;
    let operation = deploying(&emulator, no_code("myservice")).await;
    assert!(
        operation.starts_with(&url(&emulator, "/operations/")),
        "{operation}"
    );
    let poll = read(&emulator, &operation).await.body;
    assert_eq!(poll["state"], "NotStarted");
    assert_eq!(poll["operationType"], "Service");
    assert_eq!(poll["streamingOperationLog"], "");
    assert!(poll["createdTime"].is_string() && poll["parentRequestId"].is_string());
    assert_eq!(
        read_service(&emulator, "myservice").await.body["scoringUri"],
        Value::Null
    );

    tokio::time::sleep(Duration::from_secs(5)).await;
    let poll = read(&emulator, &operation).await.body;
    assert_eq!(poll["state"], "Running");
    assert_eq!(
        poll["operationDetails"]["subOperationType"],
        "BuildEnvironment"
    );
    assert_eq!(poll["operationDetails"]["subOperationState"], "Running");
    assert!(poll.get("endTime").is_none() && poll.get("resourceLocation").is_none());
    let mut heard = String::new();
    for (wait, part) in [
        (60, "BuildEnvironment"),
        (190, "DeployService"),
        (340, "DeployService"),
    ] {
        tokio::time::sleep(Duration::from_secs(wait)).await;
        let target = format!("{operation}?offset={}", heard.chars().count());
        let poll = read(&emulator, &target).await.body;
        assert_eq!(poll["operationDetails"]["subOperationType"], part);
        heard.push_str(poll["streamingOperationLog"].as_str().unwrap());
    }
    assert_eq!(service_state(&emulator, "myservice"), "Transitioning");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let poll = read(&emulator, &operation).await.body;
    assert_eq!(poll["state"], "Succeeded");
    assert!(poll["endTime"].is_string() && poll.get("error").is_none());
    assert_eq!(
        poll["resourceLocation"],
        url(&emulator, "/services/myservice")
    );
    let whole = poll["streamingOperationLog"].as_str().unwrap();
    assert!(whole.starts_with(&heard) && heard.len() < whole.len());
    let records: Vec<(&str, &str)> = whole
        .strip_suffix('#')
        .unwrap()
        .split('#')
        .map(|record| record.split_once('|').unwrap())
        .collect();
    assert_eq!(records.last().unwrap().1, "Succeeded");
    assert!(
        records
            .iter()
            .all(|(at, _)| at.len() == 14 && at.bytes().all(|b| b.is_ascii_digit()))
    );
    assert!(records.is_sorted_by_key(|(at, _)| *at));
    let rest = read(&emulator, &format!("{operation}?offset=100000"))
        .await
        .body;
    assert_eq!(rest["streamingOperationLog"], "");
    assert_eq!(service_state(&emulator, "myservice"), "Healthy");
}

#[tokio::test(start_paused = true)]
async fn every_operation_has_a_duration_of_its_own() {
    let second = Duration::from_secs(1);
    let emulator = with_compute(
        manual()
            .deploy_duration(40 * second)
            .service_update_duration(30 * second)
            .regenerate_keys_duration(20 * second)
            .service_delete_duration(10 * second),
    )
    .await;
    let lasts = async |reply: Reply, seconds: u64| {
        let operation = operation_of(&reply);
        emulator.advance(Duration::from_secs(seconds - 1));
        assert_eq!(read(&emulator, &operation).await.body["state"], "Running");
        emulator.advance(Duration::from_secs(1));
        assert_eq!(read(&emulator, &operation).await.body["state"], "Succeeded");
    };
    lasts(post(&emulator, "/services", no_code("myservice")).await, 40).await;
    let steps = replace("/appInsightsEnabled", json!(true));
    lasts(patch(&emulator, "myservice", steps).await, 30).await;
    let body = json!({ "keyType": "Primary" });
    lasts(
        post(&emulator, "/services/myservice/regenerateKeys", body).await,
        20,
    )
    .await;
    lasts(
        call(&emulator, Method::Delete, "/services/myservice", None).await,
        10,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn only_what_changes_the_image_builds_one() {
    let emulator = with_compute(manual()).await;
    deploy(&emulator, no_code("myservice")).await;
    for (steps, part) in [
        (replace("/maxQueueWaitMs", json!(1)), "DeployService"),
        (
            replace(
                "/environmentImageRequest",
                json!({ "modelIds": ["mymodel:2"] }),
            ),
            "BuildEnvironment",
        ),
    ] {
        let operation = operation_of(&patch(&emulator, "myservice", steps).await);
        emulator.advance(Duration::from_secs(60));
        let poll = read(&emulator, &operation).await.body;
        assert_eq!(poll["operationDetails"]["subOperationType"], part);
        let log = poll["streamingOperationLog"].as_str().unwrap();
        assert_eq!(
            log.contains("Building"),
            part == "BuildEnvironment",
            "{log}"
        );
        emulator.finish_operations();
    }
}

#[tokio::test(start_paused = true)]
async fn operation_is_read_by_get_and_by_its_own_id() {
    let emulator = with_compute(manual()).await;
    let operation = deploying(&emulator, no_code("myservice")).await;
    assert_eq!(
        send(&emulator, Method::Post, &operation, None).await.status,
        405
    );
    assert_eq!(
        read(&emulator, &format!("{operation}?offset=-1"))
            .await
            .status,
        400
    );
    assert_eq!(
        read(&emulator, &format!("{operation}?since=1"))
            .await
            .status,
        400
    );
    let reply = read(&emulator, &url(&emulator, "/operations/absent")).await;
    assert_eq!(
        (reply.status, service_code(&reply)),
        (404, "OperationNotFound")
    );
}

#[tokio::test(start_paused = true)]
async fn name_that_begins_so_fails_or_is_canceled() {
    let emulator = with_compute(manual()).await;
    let operation = deploy(&emulator, no_code("failing")).await;
    let poll = read(&emulator, &operation).await.body;
    assert_eq!(poll["state"], "Failed");
    assert_eq!(poll["error"]["code"], "DeploymentFailed");
    assert_eq!(poll["error"]["statusCode"], 400);
    assert!(poll.get("resourceLocation").is_none());
    let service = read_service(&emulator, "failing").await.body;
    assert_eq!(service["state"], "Failed");
    assert_eq!(service["error"], poll["error"]);
    assert_eq!(service["deploymentStatus"]["availableReplicas"], 0);
    assert_eq!(service["scoringUri"], Value::Null);
    assert_eq!(
        call(&emulator, Method::Delete, "/services/failing", None)
            .await
            .status,
        202
    );

    let operation = deploy(&emulator, no_code("canceling")).await;
    assert_eq!(read(&emulator, &operation).await.body["state"], "Cancelled");
    assert_eq!(service_state(&emulator, "canceling"), "Failed");
}

async fn logs(emulator: &Emulator, name: &str, query: &str) -> String {
    let target = format!("/services/{name}/logs{query}");
    let reply = call(emulator, Method::Get, &target, None).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    reply.body["content"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn without_room_a_service_is_unschedulable_and_the_text_names_what_is_missing() {
    let emulator = with_compute(manual()).await;
    let text = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.";
    // By what it asks for, and by a fault.
    let gpu = json!({ "containerResourceRequirements": { "gpu": 1 } });
    emulator.inject(Fault::unschedulable("nvidia.com/gpu").on_path("/services/second"));
    for (name, members) in [("first", gpu), ("second", json!({}))] {
        let operation = deploying(&emulator, no_code_with(name, &members)).await;
        assert_eq!(service_state(&emulator, name), "Transitioning");
        emulator.advance(Duration::from_secs(400));
        assert_eq!(
            service_state(&emulator, name),
            "Unschedulable",
            "while it is tried"
        );
        emulator.advance(Duration::from_secs(200));
        let poll = read(&emulator, &operation).await.body;
        assert_eq!(poll["state"], "Failed");
        let error = &poll["error"];
        assert!(error["message"].as_str().unwrap().starts_with(
            "Couldn't Schedule because the kubernetes cluster didn't have available resources \
             after trying for 00:05:00"
        ));
        assert_eq!(error["details"][0]["message"], text);
        assert!(
            poll["streamingOperationLog"]
                .as_str()
                .unwrap()
                .contains(text)
        );
        let service = read_service(&emulator, name).await.body;
        assert_eq!(service["state"], "Unschedulable");
        assert_eq!(&service["deploymentStatus"]["error"], error);
        assert_eq!(logs(&emulator, name, "").await, "");
    }
    deploy(&emulator, no_code("third")).await;
    assert_eq!(
        service_state(&emulator, "third"),
        "Healthy",
        "the fault was for another"
    );
    // A smaller request mends it.
    let reply = patch(
        &emulator,
        "first",
        replace("/containerResourceRequirements/gpu", json!(0)),
    )
    .await;
    assert_eq!(reply.status, 202);
    emulator.finish_operations();
    assert_eq!(service_state(&emulator, "first"), "Healthy");
}

#[tokio::test(start_paused = true)]
async fn crash_loop_and_an_image_that_cannot_be_pulled_end_failed_with_their_logs() {
    let emulator = with_compute(manual()).await;
    emulator.inject(Fault::crash_loop().times(1));
    let operation = deploy(&emulator, no_code("crashing")).await;
    let poll = read(&emulator, &operation).await.body;
    assert_eq!(poll["state"], "Failed");
    assert_eq!(poll["error"]["details"][0]["code"], "CrashLoopBackOff");
    assert_eq!(
        poll["operationDetails"]["subOperationType"],
        "DeployService"
    );
    assert_eq!(service_state(&emulator, "crashing"), "Failed");
    assert!(
        logs(&emulator, "crashing", "")
            .await
            .contains("FileNotFoundError")
    );
    assert!(
        logs(&emulator, "crashing", "?init=True")
            .await
            .starts_with("fetching ")
    );

    emulator.set_log("Crashing", "one\ntwo\n");
    assert_eq!(logs(&emulator, "crashing", "").await, "one\ntwo\n");
    assert_eq!(logs(&emulator, "crashing", "?tail=1").await, "two\n");
    assert!(
        logs(&emulator, "crashing", "?init=True")
            .await
            .starts_with("fetching "),
        "the log of the main container is given, not this one"
    );
    let admin = "http://127.0.0.1/_emulator/log/CRASHING";
    let body = json!("three");
    let reply = try_send(&emulator, Method::Put, admin, None, Some(&body)).await;
    assert_eq!(reply.unwrap().status, 204);
    assert_eq!(logs(&emulator, "crashing", "").await, "three");
    let reply = try_send(&emulator, Method::Put, admin, None, Some(&json!(["four"]))).await;
    assert_eq!(reply.unwrap().status, 400);
    let reply = try_send(&emulator, Method::Get, admin, None, None).await;
    assert_eq!(reply.unwrap().status, 405);

    emulator.inject(Fault::image_pull_failure().times(1));
    let operation = deploy(&emulator, no_code("pulling")).await;
    let poll = read(&emulator, &operation).await.body;
    assert_eq!(poll["error"]["details"][0]["code"], "ImagePullBackOff");
    assert_eq!(service_state(&emulator, "pulling"), "Failed");
    assert_eq!(logs(&emulator, "pulling", "").await, "");
}

#[tokio::test(start_paused = true)]
async fn deployment_that_timed_out_is_healthy_later() {
    let emulator = with_compute(manual().deploy_duration(Duration::from_secs(60))).await;
    emulator.inject(Fault::deployment_timed_out());
    let operation = deploying(&emulator, no_code("slow-one")).await;
    emulator.advance(Duration::from_secs(60));
    let poll = read(&emulator, &operation).await.body;
    assert_eq!(poll["state"], "TimedOut");
    assert_eq!(poll["error"]["code"], "DeploymentTimedOut");
    assert_eq!(service_state(&emulator, "slow-one"), "Unhealthy");
    emulator.finish_operations();
    assert_eq!(
        service_state(&emulator, "slow-one"),
        "Unhealthy",
        "no operation is left"
    );
    emulator.advance(Duration::from_secs(60));
    let service = read_service(&emulator, "slow-one").await.body;
    assert_eq!(service["state"], "Healthy");
    assert!(service.get("error").is_none() && service["scoringUri"].is_string());
    assert_eq!(read(&emulator, &operation).await.body["state"], "TimedOut");
}

#[tokio::test(start_paused = true)]
async fn update_that_fails_keeps_the_settings_and_a_better_one_mends_it() {
    let emulator = with_compute(manual()).await;
    deploy(&emulator, no_code("myservice")).await;
    emulator.inject(
        Fault::crash_loop()
            .on(Method::Patch, "/services/myservice")
            .times(1),
    );
    let steps = replace("/scoringTimeoutMs", json!(1000));
    let reply = patch(&emulator, "myservice", steps.clone()).await;
    emulator.finish_operations();
    assert_eq!(
        read(&emulator, &operation_of(&reply)).await.body["state"],
        "Failed"
    );
    let service = emulator.service("myservice").unwrap();
    assert_eq!(
        (&service["state"], &service["scoringTimeoutMs"]),
        (&json!("Failed"), &json!(60_000))
    );
    patch(&emulator, "myservice", steps).await;
    emulator.finish_operations();
    let service = emulator.service("myservice").unwrap();
    assert_eq!(
        (&service["state"], &service["scoringTimeoutMs"]),
        (&json!("Healthy"), &json!(1000))
    );
}

#[tokio::test(start_paused = true)]
async fn general_faults_act_on_services_too() {
    let emulator = with_compute(manual()).await;
    emulator.inject(Fault::operation_fails("Odd", "Something odd.").times(1));
    let operation = deploy(&emulator, no_code("odd-one")).await;
    let poll = read(&emulator, &operation).await.body;
    assert_eq!(
        (&poll["state"], &poll["error"]["code"]),
        (&json!("Failed"), &json!("Odd"))
    );

    emulator.inject(Fault::never_ending_operation().times(1));
    let operation = deploying(&emulator, no_code("endless")).await;
    emulator.advance(Duration::from_secs(1_000_000));
    emulator.finish_operations();
    let poll = read(&emulator, &operation).await.body;
    assert_eq!(poll["state"], "Running");
    assert!(
        poll["streamingOperationLog"]
            .as_str()
            .unwrap()
            .ends_with("environment#")
    );

    emulator.inject(Fault::foreign_polling_url("https://evil.example/operations/1").times(1));
    let operation = deploying(&emulator, no_code("foreign")).await;
    assert_eq!(operation, "https://evil.example/operations/1");
}

#[tokio::test(start_paused = true)]
async fn faults_of_deployments_can_be_chosen_by_json() {
    let emulator = with_compute(manual()).await;
    for (fault, state) in [
        (
            json!({ "kind": "unschedulable", "resource": "cpu", "times": 1 }),
            "Unschedulable",
        ),
        (json!({ "kind": "crash_loop", "times": 1 }), "Failed"),
        (
            json!({ "kind": "image_pull_failure", "times": 1 }),
            "Failed",
        ),
        (
            json!({ "kind": "deployment_timed_out", "times": 1 }),
            "Unhealthy",
        ),
    ] {
        let reply = try_send(
            &emulator,
            Method::Post,
            "http://127.0.0.1/_emulator/faults",
            None,
            Some(&fault),
        )
        .await
        .unwrap();
        assert_eq!(reply.status, 204, "{:?}", reply.body);
        let body = no_code_with("myservice", &json!({ "overwrite": true }));
        deploy(&emulator, body).await;
        assert_eq!(service_state(&emulator, "myservice"), state);
    }
}

#[tokio::test(start_paused = true)]
async fn logs_have_a_tail() {
    let emulator = with_compute(manual()).await;
    deploying(&emulator, no_code("myservice")).await;
    assert_eq!(
        logs(&emulator, "myservice", "").await,
        "",
        "nothing runs yet"
    );
    emulator.finish_operations();
    let whole = logs(&emulator, "myservice", "?tail=5000&init=False").await;
    assert!(whole.lines().count() > 2, "{whole}");
    let last = logs(&emulator, "myservice", "?tail=1").await;
    assert!(last.lines().count() == 1 && whole.ends_with(&last));
    assert_ne!(logs(&emulator, "myservice", "?init=true").await, whole);
    for bad in ["?tail=x", "?init=maybe", "?follow=1"] {
        let target = format!("/services/myservice/logs{bad}");
        let reply = call(&emulator, Method::Get, &target, None).await;
        assert_eq!(reply.status, 400, "{bad}");
    }
    assert_eq!(
        call(&emulator, Method::Get, "/services/absent/logs", None)
            .await
            .status,
        404
    );
}
