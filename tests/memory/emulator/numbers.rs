//! Numbers that nobody means, wherever a request may have one: each is answered, and the emulator goes on.

use std::time::Duration;

use azure_core::http::{Method, Request, Url};
use azureml_aks::emulator::{Clock, Emulator, EmulatorBuilder};
use serde_json::{Value, json};

use super::artifacts::plane;
use crate::support::raw::*;
use crate::support::raw_services::*;

/// As JSON has them, or as a careless client writes them.
const NUMBERS: [&str; 22] = [
    "-1",
    "0",
    "-0.0",
    "0.5",
    "1e-320",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "1e19",
    "1e308",
    "-1e308",
    "1e999",
    "NaN",
    "-Infinity",
];

/// Texts of `document` in each of which one number is another.
fn variants(document: &Value) -> Vec<String> {
    fn replace(value: &mut Value, nth: &mut usize) -> bool {
        match value {
            Value::Number(_) if *nth == 0 => {
                *value = json!("<number>");
                true
            }
            Value::Number(_) => {
                *nth -= 1;
                false
            }
            Value::Array(items) => items.iter_mut().any(|item| replace(item, nth)),
            Value::Object(members) => members.values_mut().any(|member| replace(member, nth)),
            _ => false,
        }
    }
    let mut variants = Vec::new();
    for place in 0.. {
        let (mut changed, mut nth) = (document.clone(), place);
        if !replace(&mut changed, &mut nth) {
            break;
        }
        let text = changed.to_string();
        let with = |number: &&str| text.replace("\"<number>\"", number);
        variants.extend(NUMBERS.iter().map(with));
    }
    assert!(!variants.is_empty(), "{document} has no number");
    variants
}

/// Sends a text, and gives the status; a panic of the emulator fails the test.
async fn status(emulator: &Emulator, method: Method, url: &str, header: &str, body: String) -> u16 {
    let mut request = Request::new(Url::parse(url).unwrap(), method);
    request.insert_header("authorization", "Bearer t");
    let kind = match method {
        Method::Patch => "application/json-patch+json",
        _ => "application/json",
    };
    request.insert_header("content-type", kind);
    if !header.is_empty() {
        request.insert_header("x-ms-range", header.to_owned());
    }
    request.set_body(body.into_bytes());
    let answer = emulator.http_client().execute_request(&request).await;
    let status = u16::from(answer.unwrap().status());
    assert!(status < 500, "{method} {url}: {status}");
    status
}

/// Shows everything that a number could have spoilt.
async fn goes_on(emulator: &Emulator) {
    emulator.finish_operations();
    for target in ["/services", "/models", "/assets"] {
        assert_eq!(
            call(emulator, Method::Get, target, None).await.status,
            200,
            "{target}"
        );
    }
    let target = format!("{}/computes?api-version={TODAY}", workspace_url(emulator));
    assert_eq!(read(emulator, &target).await.status, 200);
}

fn service() -> Value {
    no_code_with(
        "numbered",
        &json!({
            "overwrite": true,
            "containerResourceRequirements": {
                "cpu": 0.1, "memoryInGB": 0.5, "gpu": 0, "fpga": 0, "cpuLimit": 1, "memoryInGBLimit": 1,
            },
            "autoScaler": {
                "autoscaleEnabled": true, "minReplicas": 1, "maxReplicas": 2,
                "targetUtilization": 70, "refreshPeriodInSeconds": 1,
            },
            "maxConcurrentRequestsPerContainer": 1,
            "maxQueueWaitMs": 500,
            "scoringTimeoutMs": 60_000,
            "livenessProbeRequirements": {
                "periodSeconds": 10, "initialDelaySeconds": 310, "timeoutSeconds": 1,
                "successThreshold": 1, "failureThreshold": 3,
            },
            "dataCollection": { "storageEnabled": false },
        }),
    )
}

#[tokio::test(start_paused = true)]
async fn numbers_in_documents_are_taken_or_refused() {
    let emulator = with_compute(manual()).await;
    let compute = create_body(json!({ "agentCount": 3, "agentVmSize": "Standard_D3_v2" }));
    let mut single = service();
    single.as_object_mut().unwrap().remove("autoScaler");
    single["numReplicas"] = json!(1);
    let model = json!({
        "name": "numbered", "mimeType": "application/json", "framework": "Custom",
        "url": "aml://asset/none", "resourceRequirements": { "cpu": 1, "memoryInGB": 0.5, "gpu": 0 },
    });
    let environment = json!({
        "python": { "userManagedDependencies": false, "condaDependencies": { "dependencies": [1.5] } },
        "docker": { "shmSize": 2, "gpuSupport": 1 }, "spark": { "precachePackages": 1 },
    });
    let patch = json!([
        { "op": "replace", "path": "/numReplicas", "value": 1 },
        { "op": "replace", "path": "/containerResourceRequirements", "value": { "cpu": 1, "memoryInGB": 1 } },
        { "op": "replace", "path": "/autoScaler", "value": { "minReplicas": 1, "maxReplicas": 3 } },
        { "op": "replace", "path": "/scoringTimeoutMs", "value": 1 },
    ]);
    assert_eq!(post(&emulator, "/services", service()).await.status, 202);
    emulator.finish_operations();
    let environments = plane(&emulator, "environment/v1.0", "environments/numbered");
    let mut accepted = 0;
    for (method, target, document) in [
        (Method::Put, compute_url(&emulator, "numbered"), &compute),
        (Method::Patch, compute_url(&emulator, "myaks"), &compute),
        (Method::Post, url(&emulator, "/services"), &service()),
        (Method::Post, url(&emulator, "/services"), &single),
        (
            Method::Post,
            url(&emulator, "/services/validate"),
            &service(),
        ),
        (
            Method::Post,
            url(&emulator, "/services/validate/resource"),
            &service(),
        ),
        (Method::Patch, url(&emulator, "/services/numbered"), &patch),
        (Method::Post, url(&emulator, "/models"), &model),
        (Method::Put, environments, &environment),
    ] {
        for text in variants(document) {
            let answered = status(&emulator, method, &target, "", text).await;
            accepted += usize::from(answered < 300);
            goes_on(&emulator).await;
        }
    }
    assert!(accepted > 100, "{accepted}");
}

#[tokio::test(start_paused = true)]
async fn numbers_of_admin_routes_are_taken_or_refused() {
    let emulator = with_compute(manual()).await;
    let admin = |route: &str| format!("http://127.0.0.1/_emulator/{route}");
    for document in [
        json!({ "kind": "throttled", "retry_after": 1, "times": 1, "after": 0 }),
        json!({ "kind": "server_error", "status": 400, "times": 1 }),
        json!({ "kind": "response_override", "status": 200, "times": 1, "body": 1 }),
    ] {
        for text in variants(&document) {
            status(&emulator, Method::Post, &admin("faults"), "", text).await;
            // May be what the fault says.
            let _ = try_send(
                &emulator,
                Method::Get,
                &url(&emulator, "/models"),
                Some("t"),
                None,
            )
            .await;
            emulator.clear_faults();
        }
    }
    // Last, as the clock does not come back.
    for text in variants(&json!({ "seconds": 1 })) {
        status(&emulator, Method::Post, &admin("advance"), "", text).await;
        assert_eq!(post(&emulator, "/services", service()).await.status, 202);
        goes_on(&emulator).await;
    }
}

#[tokio::test(start_paused = true)]
async fn numbers_in_queries_and_ranges_are_taken_or_refused() {
    let emulator = with_compute(manual()).await;
    let operation = deploy(&emulator, service()).await;
    let workspace = workspace_url(&emulator);
    let artifacts = |rest: &str| plane(&emulator, "artifact/v2.0", &format!("artifacts/{rest}"));
    let blob = artifacts("contentinfo/ExperimentRun/dcid.run/model.pkl");
    let blob = read(&emulator, &blob).await.body["contentUri"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut targets = vec![
        format!("{workspace}/computes?api-version={TODAY}&$skiptoken="),
        artifacts("prefix/contentinfo/ExperimentRun/dcid.run?continuationToken="),
        artifacts("ExperimentRun/dcid.run?continuationToken="),
        plane(&emulator, "environment/v1.0", "environments?continuation="),
        url(&emulator, "/services/numbered/logs?tail="),
        format!("{operation}?offset="),
        format!("{blob}&timeout="),
    ];
    for list in ["assets", "models", "services"] {
        targets.push(url(&emulator, &format!("/{list}?count=")));
        targets.push(url(&emulator, &format!("/{list}?$skipToken=")));
        targets.push(url(&emulator, &format!("/{list}?count=1&$skipToken=")));
    }
    for number in NUMBERS {
        for target in &targets {
            status(
                &emulator,
                Method::Get,
                &format!("{target}{number}"),
                "",
                String::new(),
            )
            .await;
        }
        for range in [
            "bytes=<n>-",
            "bytes=0-<n>",
            "bytes=<n>-<n>",
            "bytes=1-<n>",
            "bytes=-<n>",
        ] {
            let range = range.replace("<n>", number);
            status(&emulator, Method::Get, &blob, &range, String::new()).await;
        }
    }
    goes_on(&emulator).await;
}

/// Everything that has a duration, and then what tells the time.
async fn lives(builder: EmulatorBuilder, longest: Duration) {
    let emulator = with_compute(
        builder
            .create_duration(longest)
            .attach_duration(longest)
            .update_duration(longest)
            .delete_duration(longest)
            .detach_duration(longest)
            .deploy_duration(longest)
            .service_update_duration(longest)
            .service_delete_duration(longest)
            .regenerate_keys_duration(longest)
            .service_token_lifetime(longest, longest)
            .sas_duration(longest)
            .retry_after(Some(longest))
            .page_size(usize::MAX),
    )
    .await;
    for _ in 0..2 {
        let mut body = service();
        body["authEnabled"] = json!(false);
        body["aadAuthEnabled"] = json!(true);
        deploying(&emulator, body).await;
        goes_on(&emulator).await;
        post(&emulator, "/services/numbered/token", json!({})).await;
        let target = plane(
            &emulator,
            "artifact/v2.0",
            "artifacts/contentinfo/ExperimentRun/dcid.run/model.pkl",
        );
        assert_eq!(read(&emulator, &target).await.status, 200);
        emulator.advance(longest);
    }
}

#[tokio::test(start_paused = true)]
async fn durations_and_speeds_of_any_size_do_not_overflow() {
    for longest in [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::from_secs(1 << 40),
        Duration::MAX,
    ] {
        lives(manual(), longest).await;
        for speed in [0.0, -1.0, 1e-300, 1.0, f64::MAX, f64::INFINITY, f64::NAN] {
            lives(
                Emulator::builder().clock(Clock::Automatic { speed }),
                longest,
            )
            .await;
        }
    }
}
