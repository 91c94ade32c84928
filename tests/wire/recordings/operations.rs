//! Every recorded request that changes something, followed to the end of its operation.

use super::cassette;
use super::replay::Replay;
use crate::support::recordings::Exchange;
use azureml_aks::internals::carry_out;
use azureml_aks::{Error, ErrorKind, WaitOptions};
use serde_json::{Value, json};
use std::time::Duration;

/// How an operation ends.
pub(super) enum End {
    /// With the value at this place of the result.
    With(&'static str, &'static str),
    /// With success and no result.
    Empty,
    /// The service says that it failed: its code.
    Failed(&'static str),
    /// The recording breaks off while it runs: the last status.
    Runs(&'static str),
    Lost,
}

use End::{Empty, Failed, Lost, Runs, With};

const READY: End = With("/properties/provisioningState", "Succeeded");

/// The recording, the place of the exchange in it, the end, and how often its status is read.
pub(super) const ROWS: &[(&str, usize, End, usize)] = &[
    // Signed URLs of 3,226 characters; another kind of compute; odd casing of ids and sizes.
    ("01", 0, READY, 1),
    ("01", 3, READY, 1),
    ("01", 6, Empty, 2),
    // A PUT over an existing compute is answered 201 and `Creating`.
    ("02", 0, READY, 1),
    ("02", 3, READY, 1),
    ("02", 6, Empty, 2),
    ("03", 0, READY, 2),
    ("03", 5, READY, 2),
    ("03", 10, Runs("InProgress"), 0),
    ("04", 1, READY, 4),
    ("04", 7, With("/status", "Succeeded"), 3),
    ("04", 12, With("/status", "Succeeded"), 4),
    // A POST whose answer is its result.
    ("05", 2, With("/computeType", "AmlCompute"), 0),
    // A PATCH that changed nothing.
    ("08", 0, READY, 0),
    // Failed at the first read, in the same second.
    ("09b", 0, Failed("UserError"), 1),
    ("10", 0, Runs("InProgress"), 0),
    // Operations whose ids are not UUIDs, with a `Location` beside the monitor.
    ("11", 4, READY, 2),
    ("11", 10, READY, 2),
    ("11", 16, READY, 2),
    ("11", 22, READY, 2),
    ("11", 27, Runs("InProgress"), 0),
    // Pools of AKS: `2016-03-30` in the monitor's URL, `Scaling` at 200.
    ("14", 0, READY, 4),
    ("14", 7, READY, 4),
    ("14", 16, READY, 2),
    // A status that is never `InProgress`, and colons in the path.
    ("18", 0, READY, 4),
    ("18", 8, READY, 4),
    ("18", 14, Runs("Updating"), 0),
    // A POST with a `Location` only, which answers 404.
    ("19", 0, Lost, 0),
    ("20", 0, With("/primaryKey", "null"), 0),
    ("20", 1, With("/tokenType", "Bearer"), 0),
    ("21", 0, With("/name", "3"), 1),
];

/// Recordings that tests of their own replay.
pub(super) const ALONE: &[&str] = &["14b", "17"];

async fn follow(replay: &std::sync::Arc<Replay>, first: &Exchange) -> Result<Option<Value>, Error> {
    let workspace = replay.workspace(&first.url);
    let options = WaitOptions::new().deadline(Duration::from_secs(1200));
    let (method, url) = (first.method.parse().unwrap(), first.url.parse().unwrap());
    let result = carry_out(&workspace, method, url, options).await?;
    Ok(result.map(|text| serde_json::from_str(&text).unwrap()))
}

#[tokio::test(start_paused = true)]
async fn recorded_operations_end_as_they_did() {
    for (name, at, end, polls) in ROWS {
        let Some(cassette) = cassette(name) else {
            return;
        };
        let label = format!("{} {at}", cassette.name);
        let exchanges = cassette.exchanges();
        let first = exchanges[*at].clone();
        let replay = Replay::from(exchanges, *at);
        let result = follow(&replay, &first).await;
        assert_eq!(replay.unrecorded(), [""; 0], "{label}");
        match (end, &result) {
            (With(place, expected), Ok(Some(value))) => {
                let found = value.pointer(place).map(|value| match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                });
                assert_eq!(found.as_deref(), Some(*expected), "{label}");
            }
            (Empty, Ok(None)) => {}
            (Failed(code), Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::OperationFailed, "{label}");
                assert_eq!(error.code(), Some(*code), "{label}");
            }
            (Runs(status), Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "{label}");
                assert_eq!(error.last_status(), Some(*status), "{label}");
            }
            (Lost, Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::OperationStatusLost, "{label}");
            }
            _ => panic!("{label}: {result:?}"),
        }
        // The monitor is read at the URL that the service gave, byte for byte, and nowhere else.
        let monitor = first
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("azure-asyncoperation"));
        if let (Some((_, url)), true) = (monitor, *polls > 0) {
            let sent = replay.sent();
            let read = sent.iter().filter(|sent| sent.url == *url).count();
            assert_eq!(read, *polls, "{label}");
            let others = sent[1..].iter().filter(|sent| sent.url != *url);
            assert!(others.count() <= 1, "{label}: {sent:?}");
        }
    }
}

pub(super) fn made_up(
    method: &str,
    url: &str,
    status: u16,
    headers: Value,
    body: Value,
) -> Exchange {
    serde_json::from_value(json!({
        "method": method, "url": url, "request_body": null, "status": status, "headers": headers, "body": body,
    }))
    .unwrap()
}

#[tokio::test(start_paused = true)]
async fn error_beside_a_status_does_not_end_an_operation() {
    let Some(cassette) = cassette("14b") else {
        return;
    };
    let mut exchanges = cassette.exchanges();
    // The recording begins at the monitor.
    let monitor = exchanges[0].url.clone();
    let url = "https://management.azure.com/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c?api-version=2023-10-01";
    let headers = json!({ "azure-asyncoperation": monitor });
    let put = made_up(
        "PUT",
        url,
        200,
        headers,
        json!({ "properties": { "provisioningState": "Updating" } }),
    );
    let ready = json!({ "properties": { "provisioningState": "Succeeded" } });
    exchanges.insert(0, put.clone());
    exchanges.push(made_up("GET", url, 200, json!({}), ready.clone()));
    let replay = Replay::of(exchanges);
    assert_eq!(follow(&replay, &put).await.unwrap(), Some(ready));
    assert_eq!(replay.unrecorded(), [""; 0]);
    let polls = replay
        .sent()
        .iter()
        .filter(|sent| sent.url == monitor)
        .count();
    assert_eq!(polls, 4);
}

#[tokio::test(start_paused = true)]
async fn location_on_a_foreign_host_beside_a_good_monitor_is_left_alone() {
    let Some(cassette) = cassette("17") else {
        return;
    };
    let mut exchanges = cassette.exchanges();
    let first = exchanges[1].clone();
    // The polls are not recorded.
    let monitor = first.headers["azure-asyncoperation"].clone();
    assert!(monitor.contains("?api-Version="), "{monitor}");
    let status = json!({ "status": "Succeeded" });
    exchanges.insert(2, made_up("GET", &monitor, 200, json!({}), status));
    let replay = Replay::from(exchanges, 1);
    // The resource goes on in all reads that are recorded.
    let error = follow(&replay, &first).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(error.last_status(), Some("Creating"));
    assert_eq!(replay.unrecorded(), [""; 0]);
    let mut urls: Vec<String> = replay.sent().into_iter().map(|sent| sent.url).collect();
    urls.dedup();
    assert_eq!(urls, [first.url.as_str(), &monitor, &first.url]);

    // A DELETE that is answered 200 with a body of another sort.
    let cassette = super::cassette("17").unwrap().exchanges();
    let delete = cassette[5].clone();
    let replay = Replay::from(cassette, 5);
    assert_eq!(follow(&replay, &delete).await.unwrap(), None);
}
