//! Answers of the emulator have the shape of the recorded answers of the live service.

use azure_core::http::Method;
use azureml_aks::emulator::{Clock, ConnectedCluster, Emulator};
use serde_json::{Value, json};
use std::collections::BTreeSet;

use crate::support::raw::*;
use crate::support::recordings::{Cassette, Exchange, cassettes};

/// Headers that clients act on.
const HEADERS: [&str; 11] = [
    "azure-asyncoperation",
    "content-type",
    "location",
    "retry-after",
    "x-ms-failure-cause",
    "x-ms-ratelimit-remaining-subscription-reads",
    "x-ms-ratelimit-remaining-subscription-global-reads",
    "x-ms-ratelimit-remaining-subscription-writes",
    "x-ms-ratelimit-remaining-subscription-global-writes",
    "x-ms-ratelimit-remaining-subscription-deletes",
    "x-ms-response-type",
];

/// The recorded exchange of this number in the file whose name begins so.
fn recorded(all: &[Cassette], name: &str, number: usize) -> Exchange {
    let cassette = all
        .iter()
        .find(|cassette| cassette.name.starts_with(&format!("{name}-")))
        .unwrap_or_else(|| panic!("there is no recording {name}"));
    cassette.exchanges().swap_remove(number)
}

fn body(exchange: &Exchange) -> Value {
    serde_json::from_slice(&exchange.body()).unwrap_or_default()
}

/// Checks status and headers: the same are there, and those that tell no time, length or place have
/// the same value.
fn check_head(answer: &Reply, recorded: &Exchange, but: &[&str]) {
    let url = &recorded.url[..recorded.url.len().min(300)];
    assert_eq!(answer.status, recorded.status, "{url}");
    for name in HEADERS.iter().filter(|name| !but.contains(name)) {
        let there = recorded.headers.iter();
        let there = there.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let there = there.map(|(_, value)| value.as_str()).next();
        let here = answer.header(name);
        match *name {
            "azure-asyncoperation" => assert_eq!(here.is_some(), there.is_some(), "{name} {url}"),
            _ => assert_eq!(here, there, "{name} {url}"),
        }
    }
}

/// Checks that every member of an answer is recorded too and has a value of the same type, where
/// neither is `null`; and, where `whole`, that no recorded member is missing.
fn check_shape(here: &Value, there: &Value, whole: bool, path: &str) {
    match (here, there) {
        // What is special to a kind of compute is not recorded for this one.
        _ if path.ends_with(".properties.properties") => {}
        (Value::Object(here), Value::Object(there)) => {
            let keys = |map: &serde_json::Map<String, Value>| -> BTreeSet<String> {
                map.keys().cloned().collect()
            };
            let (own, known) = (keys(here), keys(there));
            let more: Vec<_> = own.difference(&known).collect();
            assert!(more.is_empty(), "{path}: not recorded: {more:?}");
            let fewer: Vec<_> = known.difference(&own).collect();
            assert!(!whole || fewer.is_empty(), "{path}: missing: {fewer:?}");
            for (key, value) in here {
                check_shape(value, &there[key], whole, &format!("{path}.{key}"));
            }
        }
        (Value::Array(here), Value::Array(there)) => {
            for item in here.iter().filter(|item| item.is_object()) {
                // Of the recorded items those of its type, if they have one.
                let alike = there
                    .iter()
                    .filter(|known| known.get("type") == item.get("type"));
                let mut merged = json!({});
                for (key, value) in alike.filter_map(Value::as_object).flatten() {
                    merged[key] = value.clone();
                }
                check_shape(item, &merged, false, path);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (here, there) => {
            let kind = std::mem::discriminant;
            assert_eq!(kind(here), kind(there), "{path}: {here} and {there}");
            if let (Some(here), true) = (
                here.as_str(),
                path.ends_with("On") || path.ends_with("time"),
            ) {
                check_time(here, there.as_str().unwrap(), path);
            }
        }
    }
}

/// `2025-11-04T09:40:51.9013157+00:00`: 1 to 7 digits of a second, the last not zero, no `Z`.
fn check_time(here: &str, there: &str, path: &str) {
    for time in [here, there] {
        let time = time
            .strip_suffix("+00:00")
            .unwrap_or_else(|| panic!("{path}: {time}"));
        let (_, fraction) = time.split_once('.').unwrap();
        assert!((1..=7).contains(&fraction.len()), "{path}: {time}");
        assert!(!fraction.ends_with('0'), "{path}: {time}");
    }
}

/// The names in the query of a polling URL, and how long each value is.
fn query(url: &str) -> Vec<(String, usize)> {
    let (_, query) = url.split_once('?').unwrap();
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs
        .map(|(key, value)| (key.to_owned(), value.len()))
        .collect()
}

fn manual() -> Emulator {
    Emulator::builder().clock(Clock::Manual).build()
}

#[tokio::test(start_paused = true)]
async fn kubernetes_compute_is_attached_as_recorded() {
    let Some(all) = cassettes() else { return };
    // As it was in 2021.
    let emulator = Emulator::builder()
        .clock(Clock::Manual)
        .signed_polling_urls(false)
        .build();
    let url = compute_url(&emulator, "kube").replace(TODAY, "2021-10-01");
    let cluster =
        emulator.add_connected_cluster(ConnectedCluster::new("g", "c").extension("azureml"));
    let attach = json!({ "location": "eastus", "properties": {
        "computeType": "Kubernetes", "resourceId": cluster, "properties": { "namespace": "default" },
    } });
    let put = send(&emulator, Method::Put, &url, Some(&attach)).await;
    // The limits of requests are those of later years.
    let limits: Vec<&str> = HEADERS
        .into_iter()
        .filter(|name| name.contains("ratelimit"))
        .collect();
    let expected = recorded(&all, "10", 0);
    check_head(&put, &expected, &limits);
    // The body was cut after its first members.
    let there = body(&expected);
    for (name, value) in there.as_object().unwrap() {
        assert!(put.body[name].is_string(), "{name}: {value}");
    }
    assert_eq!(put.body["type"], there["type"]);
    let polling_url = polling(&put);
    assert_eq!(
        query(&polling_url),
        query(&expected.headers["Azure-AsyncOperation"])
    );
    let poll = read(&emulator, &polling_url).await;
    let expected = recorded(&all, "10", 1);
    check_head(&poll, &expected, &limits);
    assert_eq!(poll.body, body(&expected));
}

#[tokio::test(start_paused = true)]
async fn extension_lives_as_recorded() {
    let Some(all) = cassettes() else { return };
    // As it was in 2023. What stood in headers of limits was not recorded.
    let emulator = Emulator::builder()
        .clock(Clock::Manual)
        .signed_polling_urls(false)
        .build();
    let limits: Vec<&str> = HEADERS
        .into_iter()
        .filter(|name| name.contains("ratelimit") || *name == "location")
        .collect();
    let cluster = emulator.add_connected_cluster(ConnectedCluster::new("g", "c"));
    let url = extension_url(&cluster, "dapr");
    let expected = recorded(&all, "17", 1);
    let mut sent = sent_body(&expected);
    // Another type of extension; a test of its own has the rest.
    sent["properties"]["extensionType"] = json!("microsoft.azureml.kubernetes");
    let put = send(&emulator, Method::Put, &url, Some(&sent)).await;
    check_head(&put, &expected, &limits);
    check_shape(&put.body, &body(&expected), true, "extension");
    let without_names = |value: &Value| {
        let mut properties = value["properties"].clone();
        properties["extensionType"] = Value::Null;
        properties
    };
    assert_eq!(without_names(&put.body), without_names(&body(&expected)));
    // The URL of the operation, and where the extension is at a host of the provider's.
    let places = |headers: [&str; 2]| {
        headers.map(|url| {
            let url = azure_core::http::Url::parse(url).unwrap();
            let words = url.path().split('/').map(str::to_owned);
            let fixed: Vec<String> = words
                .skip(5)
                .step_by(1)
                .filter(|word| word.starts_with(char::is_uppercase) || word.ends_with('s'))
                .collect();
            let keys: Vec<String> = url.query_pairs().map(|(key, _)| key.into_owned()).collect();
            (url.host_str().unwrap().to_owned(), fixed, keys)
        })
    };
    let there = |name: &str| expected.headers[name].clone();
    assert_eq!(
        places([&polling(&put), put.header("location").unwrap()]),
        places([&there("azure-asyncoperation"), &there("location")])
    );

    let read_one = read(&emulator, &url).await;
    let expected = recorded(&all, "17", 3);
    check_head(&read_one, &expected, &limits);
    assert_eq!(
        without_names(&read_one.body),
        without_names(&body(&expected))
    );
    let list = read(&emulator, &url.replace("/dapr?", "?")).await;
    let expected = recorded(&all, "17", 2);
    check_head(&list, &expected, &limits);
    check_shape(&list.body, &body(&expected), true, "list");
    assert_eq!(list.body["nextLink"], Value::Null);

    let gone = send(
        &emulator,
        Method::Delete,
        &format!("{url}&forceDelete=true"),
        None,
    )
    .await;
    let expected = recorded(&all, "17", 5);
    check_head(&gone, &expected, &limits);
    assert_eq!(gone.body, body(&expected));
    let list = read(&emulator, &url.replace("/dapr?", "?")).await;
    assert_eq!(list.body, body(&recorded(&all, "17", 6)));
}

#[tokio::test(start_paused = true)]
async fn compute_lives_as_recorded() {
    let Some(all) = cassettes() else { return };
    let emulator = manual();
    let url = compute_url(&emulator, "myaks");

    let put = put(&emulator, "myaks", &create_body(json!({}))).await;
    let expected = recorded(&all, "01", 0);
    check_head(&put, &expected, &[]);
    check_shape(&put.body, &body(&expected), true, "PUT");
    assert_eq!(put.body["tags"], Value::Null);
    let polling_url = polling(&put);
    let signed = expected.headers["Azure-AsyncOperation"].clone();
    assert_eq!(query(&polling_url), query(&signed));

    let poll = read(&emulator, &polling_url).await;
    let expected = recorded(&all, "02", 7);
    assert_eq!(poll.body, body(&expected));
    emulator.finish_operations();
    let poll = read(&emulator, &polling_url).await;
    let expected = recorded(&all, "01", 1);
    check_head(&poll, &expected, &[]);
    assert_eq!(poll.body, body(&expected));
    let without = polling_url.split_once("&t=").unwrap().0;
    assert_eq!(read(&emulator, without).await.status, 400);

    let get = get(&emulator, "myaks").await;
    let expected = recorded(&all, "01", 2);
    check_head(&get, &expected, &[]);
    check_shape(&get.body, &body(&expected), true, "GET");
    assert_eq!(get.body["tags"], json!({}));

    // What was read can be sent back, and only the version of the recording differs.
    let over = send(&emulator, Method::Put, &url, Some(&get.body)).await;
    let expected = recorded(&all, "03", 5);
    assert_eq!(over.status, expected.status);
    let state = |value: &Value| value["properties"]["provisioningState"].clone();
    assert_eq!(state(&over.body), state(&body(&expected)));
    assert_eq!(
        over.body["properties"]["createdOn"],
        get.body["properties"]["createdOn"]
    );
    emulator.finish_operations();

    let change = json!({ "properties": { "properties": { "agentCount": 5 } } });
    let patch = send(&emulator, Method::Patch, &url, Some(&change)).await;
    let expected = recorded(&all, "01", 3);
    check_head(&patch, &expected, &[]);
    check_shape(&patch.body, &body(&expected), true, "PATCH");
    assert_eq!(state(&patch.body), state(&body(&expected)));
    emulator.finish_operations();
    let again = send(&emulator, Method::Patch, &url, Some(&change)).await;
    let expected = recorded(&all, "08", 0);
    assert_eq!(again.status, expected.status);
    assert!(again.header("azure-asyncoperation").is_none());

    let delete = remove(&emulator, "myaks", "Delete").await;
    let expected = recorded(&all, "01", 6);
    check_head(&delete, &expected, &[]);
    assert_eq!(
        (delete.body, delete.headers["content-length"].as_str()),
        (Value::Null, "0")
    );
}

#[tokio::test(start_paused = true)]
async fn list_is_as_recorded() {
    let Some(all) = cassettes() else { return };
    let emulator = manual();
    put(&emulator, "myaks", &create_body(json!({}))).await;
    emulator.finish_operations();
    let url = format!("{}/computes?api-version={TODAY}", workspace_url(&emulator));
    let list = read(&emulator, &url).await;
    check_shape(&list.body, &body(&recorded(&all, "05", 0)), true, "list");
}

#[tokio::test(start_paused = true)]
async fn refusals_are_as_recorded() {
    let Some(all) = cassettes() else { return };
    // Recordings of 2021 to 2023 have the limits of their time.
    let limits = &HEADERS[5..10];
    let emulator = manual();
    let absent = get(&emulator, "absent").await;
    let expected = recorded(&all, "07", 0);
    check_head(&absent, &expected, limits);
    check_shape(&absent.body, &body(&expected), true, "404");
    assert_eq!(
        absent.body["error"]["code"],
        body(&expected)["error"]["code"]
    );
    assert_eq!(
        absent.body["error"]["innerError"],
        body(&expected)["error"]["innerError"]
    );
    let url = compute_url(&emulator, "absent").replace("absent?", "absent/listKeys?");
    let keys = send(&emulator, Method::Post, &url, None).await;
    check_shape(
        &keys.body,
        &body(&recorded(&all, "06", 0)),
        true,
        "listKeys",
    );

    let emulator = Emulator::builder().absent_without_body(true).build();
    let absent = get(&emulator, "absent").await;
    let expected = recorded(&all, "07b", 0);
    check_head(&absent, &expected, limits);
    assert_eq!(absent.body, Value::Null);

    let emulator = Emulator::builder().front_end_refusals(true).build();
    let refused = put(&emulator, "1", &json!({})).await;
    let expected = recorded(&all, "22", 0);
    check_shape(&refused.body, &body(&expected), false, "front end");
    let types = |value: &Value| -> BTreeSet<String> {
        let more = value["error"]["additionalInfo"].as_array().unwrap().iter();
        more.map(|item| item["type"].to_string()).collect()
    };
    assert!(types(&refused.body).is_subset(&types(&body(&expected))));

    let elsewhere = workspace_url(&emulator) + "-not?api-version=2023-04-01-preview";
    let absent = read(&emulator, &elsewhere).await;
    let expected = recorded(&all, "11", 0);
    check_head(&absent, &expected, limits);
    let words = |value: &Value| -> String {
        let message = value["error"]["message"].as_str().unwrap();
        message.split('\'').step_by(2).collect()
    };
    assert_eq!(words(&absent.body), words(&body(&expected)));
}

#[tokio::test(start_paused = true)]
async fn workspace_and_discovery_are_as_recorded() {
    let Some(all) = cassettes() else { return };
    let emulator = manual();
    let url = format!("{}?api-version={TODAY}", workspace_url(&emulator));
    let workspace = read(&emulator, &url).await;
    let expected = body(&recorded(&all, "11", 1));
    check_shape(&workspace.body, &expected, false, "workspace");
    let path = |value: &Value| {
        let url = value["properties"]["discoveryUrl"].as_str().unwrap();
        azure_core::http::Url::parse(url).unwrap().path().to_owned()
    };
    assert_eq!(path(&workspace.body), path(&expected));
    let url = workspace.body["properties"]["discoveryUrl"]
        .as_str()
        .unwrap();
    let discovery = try_send(&emulator, Method::Get, url, None, None)
        .await
        .unwrap();
    check_shape(
        &discovery.body,
        &body(&recorded(&all, "11b", 0)),
        true,
        "discovery",
    );
}

#[tokio::test(start_paused = true)]
async fn clusters_versions_and_sizes_are_as_recorded() {
    let Some(all) = cassettes() else { return };
    let emulator = manual();
    let id = emulator.add_cluster(cluster());
    let url = format!("https://management.azure.com{id}?api-version=2023-10-01");
    let cluster = read(&emulator, &url).await;
    let mut known = json!({});
    for exchange in cassette(&all, "13") {
        merge(&mut known, body(&exchange));
    }
    check_shape(&cluster.body, &known, false, "cluster");
    assert_eq!(cluster.body["type"], known["type"]);
    assert!(
        cluster.body["id"]
            .as_str()
            .unwrap()
            .contains("/resourcegroups/")
    );
    assert_eq!(cluster.header("content-type"), Some("application/json"));

    let (subscription, number) = (emulator.subscription(), |n| recorded(&all, "15", n));
    let base = format!("https://management.azure.com/subscriptions/{subscription}/providers");
    let here = format!("{base}/Microsoft.ContainerService/locations/eastus");
    let versions = format!("{here}/kubernetesVersions?api-version=2023-10-01");
    let versions = read(&emulator, &versions).await.body;
    let rows = |value: &Value| value["values"].as_array().unwrap().clone();
    let mut known: Vec<Value> = (0..3).flat_map(|n| rows(&body(&number(n)))).collect();
    for row in rows(&versions).iter().chain(&known) {
        for flag in ["isDefault", "isPreview"] {
            assert!(row.get(flag).is_none_or(|value| value == true), "{row}");
        }
    }
    known
        .iter_mut()
        .for_each(|row| row["patchVersions"] = Value::Null);
    check_shape(&versions, &json!({ "values": known }), true, "versions");
    let old = format!("{here}/orchestrators?api-version=2019-04-01");
    let mut old = read(&emulator, &old).await.body;
    // No preview was on offer when it was recorded.
    let is_old = |row: &Value| row.get("isPreview").is_none();
    let rows = old["properties"]["orchestrators"].as_array_mut().unwrap();
    rows.retain(is_old);
    for row in rows {
        if let Some(upgrades) = row.get_mut("upgrades").and_then(Value::as_array_mut) {
            upgrades.retain(is_old);
        }
    }
    check_shape(&old, &body(&number(3)), true, "orchestrators");

    let sizes = format!("{base}/Microsoft.MachineLearningServices/locations/eastus/vmSizes");
    let sizes = read(&emulator, &format!("{sizes}?api-version={TODAY}")).await;
    let expected = recorded(&all, "12", 0);
    check_head(&sizes, &expected, &[]);
    check_shape(&sizes.body, &body(&expected), false, "sizes");
}

#[tokio::test(start_paused = true)]
async fn region_lists_and_a_missing_cluster_are_as_recorded() {
    let Some(all) = cassettes() else { return };
    // The recordings of these lists were stripped of all limits.
    let limits = &HEADERS[5..10];
    let emulator = manual();
    let base = format!(
        "https://management.azure.com/subscriptions/{}/providers/Microsoft.Compute",
        emulator.subscription()
    );
    let usages = format!("{base}/locations/westus/usages?api-version=2023-09-01");
    let usages = read(&emulator, &usages).await;
    let expected = recorded(&all, "16", 1);
    check_head(&usages, &expected, limits);
    check_shape(&usages.body, &body(&expected), true, "usages");
    let named = |value: &Value, name: &str| {
        let rows = value["value"].as_array().unwrap();
        let row = rows.iter().find(|row| row["name"]["value"] == name);
        row.unwrap()["name"].clone()
    };
    for name in [
        "cores",
        "virtualMachines",
        "lowPriorityCores",
        "standardNCSv2Family",
    ] {
        assert_eq!(named(&usages.body, name), named(&body(&expected), name));
    }

    let skus = read(&emulator, &format!("{base}/skus?api-version=2017-03-30")).await;
    let expected = recorded(&all, "16", 0);
    check_head(&skus, &expected, limits);
    // A row has restrictions in one recording, and none in the other.
    let (open, closed): (Vec<Value>, Vec<Value>) = skus.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .cloned()
        .partition(|row| row["restrictions"] == json!([]));
    check_shape(&json!({ "value": open }), &body(&expected), true, "skus");
    let restricted = body(&recorded(&all, "16b", 0))["value"][0].clone();
    assert!(!closed.is_empty());
    for row in &closed {
        check_shape(row, &restricted, true, "restricted");
    }
    let rows = |value: &Value| value["value"].as_array().unwrap().clone();
    let recorded_rows = rows(&body(&recorded(&all, "16", 0)));
    let capability = |row: &Value, name: &str| -> Value {
        let mut all = row["capabilities"].as_array().unwrap().iter();
        all.find(|one| one["name"] == name)
            .map_or(Value::Null, |one| one["value"].clone())
    };
    let mut compared = 0;
    for row in rows(&skus.body) {
        let same =
            |known: &&Value| known["name"] == row["name"] && known["locations"] == row["locations"];
        let Some(known) = recorded_rows.iter().find(same) else {
            continue;
        };
        for key in ["resourceType", "tier", "size", "family"] {
            assert_eq!(row[key], known[key], "{row}");
        }
        for name in ["vCPUs", "MemoryGB", "PremiumIO"] {
            assert_eq!(
                capability(&row, name),
                capability(known, name),
                "{name} {row}"
            );
        }
        compared += 1;
    }
    assert!(compared >= 3, "{compared}");
    let id = emulator.add_cluster(cluster()) + "-not";
    let absent = format!("https://management.azure.com{id}?api-version=2023-10-01");
    let absent = read(&emulator, &absent).await;
    let expected = recorded(&all, "22b", 0);
    check_head(&absent, &expected, limits);
    let words = |value: &Value| -> String {
        let message = value["error"]["message"].as_str().unwrap();
        message.split('\'').step_by(2).collect()
    };
    assert_eq!(words(&absent.body), words(&body(&expected)));

    let url = format!(
        "https://management.azure.com{}/agentPools/agentpool?api-version={TODAY}",
        id.trim_end_matches("-not")
    );
    let pool = read(&emulator, &url).await;
    let pools = all
        .iter()
        .find(|cassette| cassette.name.starts_with("14-"))
        .unwrap();
    let pools = pools.exchanges();
    let known = pools.iter().find(|exchange| {
        exchange.method == "GET" && exchange.url.contains("/agentPools/") && exchange.status == 200
    });
    let known = body(known.unwrap());
    check_shape(&pool.body, &known, false, "pool");
    assert_eq!(pool.body["type"], known["type"]);
}

/// The request of the client in a recording.
fn sent_body(exchange: &Exchange) -> Value {
    let body = exchange.request_body.as_ref().unwrap();
    serde_json::from_str(body.get()).unwrap()
}

/// The exchanges of the file whose name begins so.
fn cassette(all: &[Cassette], name: &str) -> Vec<Exchange> {
    let found = all
        .iter()
        .find(|cassette| cassette.name.starts_with(&format!("{name}-")));
    found.unwrap().exchanges()
}

#[tokio::test(start_paused = true)]
async fn node_pool_lives_as_recorded() {
    let Some(all) = cassettes() else { return };
    let recording = cassette(&all, "14");
    // Those of 2023 were stripped of most limits.
    let limits = &HEADERS[5..10];
    let emulator = manual();
    let id = emulator.add_cluster(cluster());
    let url =
        format!("https://management.azure.com{id}/agentPools/nodepool2?api-version=2023-10-01");
    let puts: Vec<&Exchange> = recording
        .iter()
        .filter(|exchange| exchange.method == "PUT")
        .collect();
    for (index, expected) in puts.iter().enumerate() {
        let mut sent = sent_body(expected);
        // Versions of 2023 are not on offer.
        sent["properties"]
            .as_object_mut()
            .unwrap()
            .remove("orchestratorVersion");
        let reply = send(&emulator, Method::Put, &url, Some(&sent)).await;
        check_head(&reply, expected, limits);
        let known = body(expected);
        check_shape(&reply.body, &known, true, "PUT");
        for key in [
            "provisioningState",
            "count",
            "mode",
            "osDiskSizeGB",
            "maxPods",
            "nodeLabels",
            "tags",
        ] {
            assert_eq!(
                reply.body["properties"][key], known["properties"][key],
                "{key} {index}"
            );
        }
        let operation = polling(&reply);
        let poll = read(&emulator, &operation).await;
        let polls = recording
            .iter()
            .filter(|exchange| exchange.url.contains("/operations/"));
        let is = |status: &str| {
            polls
                .clone()
                .find(|poll| body(poll)["status"] == status)
                .unwrap()
        };
        check_head(&poll, is("InProgress"), limits);
        check_shape(&poll.body, &body(is("InProgress")), true, "InProgress");
        emulator.finish_operations();
        let poll = read(&emulator, &operation).await;
        check_shape(&poll.body, &body(is("Succeeded")), true, "Succeeded");
        let get = read(&emulator, &url).await;
        let gets = recording.iter().filter(|exchange| exchange.method == "GET");
        let known = gets.clone().find(|get| {
            get.url.contains("/agentPools/nodepool2?")
                && body(get)["properties"]["tags"] == sent["properties"]["tags"]
        });
        check_head(&get, known.unwrap(), limits);
        check_shape(&get.body, &body(known.unwrap()), true, "GET");
    }
    let expected = recording
        .iter()
        .find(|exchange| exchange.method == "DELETE")
        .unwrap();
    let reply = send(&emulator, Method::Delete, &url, None).await;
    let but = [limits, &["location"]].concat();
    check_head(&reply, expected, &but);
    let path = |url: &str| -> Vec<String> {
        let path = url.split('?').next().unwrap().split('/').skip(5);
        path.map(str::to_owned).collect()
    };
    let recorded = expected.headers.get("location").unwrap();
    let (here, there) = (path(reply.header("location").unwrap()), path(recorded));
    assert_eq!((&here[..2], &here[4]), (&there[..2], &there[4]));
}

#[tokio::test(start_paused = true)]
async fn cluster_is_created_as_recorded() {
    let Some(all) = cassettes() else { return };
    let emulator = manual();
    let refused = cassette(&all, "22b")
        .into_iter()
        .find(|exchange| exchange.status == 500);
    let mut sent = sent_body(&refused.unwrap());
    let id = format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerService/managedClusters/mine",
        emulator.subscription(),
        emulator.resource_group()
    );
    let url = format!("https://management.azure.com{id}?api-version=2023-10-01");
    // Refused by the service itself, not by the front door.
    let mut none = sent.clone();
    none["properties"]["dnsPrefix"] = json!("");
    let mut refusal = send(&emulator, Method::Put, &url, Some(&none)).await.body;
    refusal.as_object_mut().unwrap().remove("target");
    let known = cassette(&all, "22b").into_iter();
    let mut known = known.map(|exchange| body(&exchange));
    let known = known.find(|body| body.get("subcode").is_some());
    check_shape(&refusal, &known.unwrap(), true, "refusal");
    // What was recorded is a refusal of the request, and answers to GETs of clusters that such requests made.
    sent["properties"]["networkProfile"]["networkPlugin"] = json!("azure");
    let reply = send(&emulator, Method::Put, &url, Some(&sent)).await;
    assert_eq!(reply.status, 201, "{}", reply.message());
    emulator.finish_operations();
    let cluster = read(&emulator, &url).await;
    let mut known = json!({});
    for exchange in cassette(&all, "13") {
        merge(&mut known, body(&exchange));
    }
    check_shape(&cluster.body, &known, false, "cluster");
    assert_eq!(cluster.header("content-type"), Some("application/json"));
    assert_eq!(cluster.body["properties"]["kubernetesVersion"], "1.34");
}

/// Puts the members of objects together.
fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into @ Value::Null, more) => *into = more,
        _ => {}
    }
}

#[tokio::test(start_paused = true)]
async fn networks_tags_and_regions_are_as_recorded() {
    let Some(all) = cassettes() else { return };
    let limits = &HEADERS[5..10];
    let emulator = manual();
    let recording = cassette(&all, "16");
    let subscription = format!(
        "https://management.azure.com/subscriptions/{}",
        emulator.subscription()
    );
    let find = |part: &str, status: u16| {
        let mut found = recording
            .iter()
            .filter(|known| known.url.contains(part) && known.status == status);
        found.next().unwrap()
    };
    let networks = format!(
        "{subscription}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks",
        emulator.resource_group()
    );
    let network = read(
        &emulator,
        &format!("{networks}/myvnet?api-version=2022-01-01"),
    )
    .await;
    let expected = find("/virtualNetworks/cli-lock", 200);
    check_head(&network, expected, limits);
    // The recorded one has no subnets.
    let mut shown = network.body.clone();
    shown["properties"]["subnets"] = json!([]);
    check_shape(&shown, &body(expected), true, "network");
    let subnet = format!("{networks}/myvnet/subnets/aks-subnet?api-version=2024-01-01");
    let subnet = read(&emulator, &subnet).await;
    check_shape(&subnet.body, &body(find("/subnets/", 200)), true, "subnet");
    assert_eq!(network.body["properties"]["subnets"][1], subnet.body);
    for path in ["vnet", "vnet/subnets/subnet"] {
        let absent = read(
            &emulator,
            &format!("{networks}/{path}?api-version=2024-03-01"),
        )
        .await;
        let expected = find(&format!("/{path}?"), 404);
        check_head(&absent, expected, limits);
        let message = body(expected)["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        let group = message.split('\'').nth(3).unwrap().to_owned();
        assert_eq!(
            absent.message(),
            message.replace(&group, emulator.resource_group())
        );
    }
    let tags =
        format!("{subscription}/providers/Microsoft.Network/locations/centralus/serviceTags");
    let tags = read(&emulator, &format!("{tags}?api-version=2022-01-01")).await;
    let expected = find("/serviceTags", 200);
    check_head(&tags, expected, limits);
    check_shape(&tags.body, &body(expected), true, "tags");

    let regions = read(
        &emulator,
        &format!("{subscription}/locations?api-version=2022-12-01"),
    )
    .await;
    let expected = find("/locations?", 200);
    check_head(&regions, expected, &HEADERS[5..]);
    check_shape(&regions.body, &body(expected), false, "regions");
    let rows = |value: &Value| value["value"].as_array().unwrap().clone();
    let known = rows(&body(expected));
    let mut compared = 0;
    for row in rows(&regions.body) {
        let Some(known) = known.iter().find(|known| known["name"] == row["name"]) else {
            continue;
        };
        let pair = |row: &Value| row["metadata"]["pairedRegion"][0]["name"].clone();
        assert_eq!(
            (&row["displayName"], pair(&row)),
            (&known["displayName"], pair(known))
        );
        for key in ["geography", "geographyGroup"] {
            assert_eq!(row["metadata"][key], known["metadata"][key], "{row}");
        }
        assert_eq!(row["regionalDisplayName"], known["regionalDisplayName"]);
        compared += 1;
    }
    assert!(compared >= 7, "{compared}");
}
