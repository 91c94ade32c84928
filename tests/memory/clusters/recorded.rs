//! Answers of the live service, through the library.

use super::workspace_in;
use crate::operations::script::{Reply, Script, reply};
use crate::support::recordings::{Exchange, cassettes};
use azureml_aks::models::KubernetesVersions;
use azureml_aks::{ClusterRef, ManagedCluster, Workspace};
use serde_json::{Value, json};
use std::sync::Arc;

/// The exchanges of the cassette whose name begins so; `None` where there are no recordings.
fn exchanges(number: &str) -> Option<Vec<Exchange>> {
    let all = cassettes()?;
    let cassette = all
        .iter()
        .find(|cassette| cassette.name.starts_with(number));
    Some(cassette.unwrap().exchanges())
}

fn recorded(exchange: &Exchange) -> Reply {
    let headers = exchange.headers.iter();
    headers.fold(
        reply(exchange.status).text(exchange.body()),
        |reply, (name, value)| reply.header(name, value),
    )
}

/// The segments of the path of a recorded URL.
fn segments(exchange: &Exchange) -> Vec<String> {
    let path = exchange.url.split(['?']).next().unwrap();
    path.split('/').skip(3).map(str::to_owned).collect()
}

/// A workspace whose one request is answered as recorded.
fn replay(exchange: &Exchange) -> (Workspace, Arc<Script>) {
    let script = Script::new();
    script.expect([recorded(exchange)]);
    (workspace_in(&script, &segments(exchange)[1]), script)
}

/// Asserts that the request went to the recorded path.
fn assert_path(script: &Script, exchange: &Exchange) {
    let path = |url: &str| url.split('?').next().unwrap().to_owned();
    assert_eq!(path(&script.sent()[0].url), path(&exchange.url));
}

fn document(exchange: &Exchange) -> Value {
    serde_json::from_slice(&exchange.body()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_shape_of_a_cluster_is_read_and_written_as_it_came() {
    let Some(exchanges) = exchanges("13-") else {
        return;
    };
    let mut seen = Vec::new();
    for exchange in &exchanges {
        let parts = segments(exchange);
        let (workspace, script) = replay(exchange);
        let cluster = ClusterRef::named(&parts[3], &parts[7]);
        let cluster = ManagedCluster::get(&workspace, &cluster).await.unwrap();
        assert_path(&script, exchange);
        let resource = cluster.resource();
        assert_eq!(serde_json::to_value(resource).unwrap(), document(exchange));
        assert_eq!(resource.name, parts[7]);
        assert!(resource.kubernetes_version().unwrap().split('.').count() == 3);
        let [pool] = cluster.node_pools() else {
            panic!("{cluster:?}")
        };
        assert!(pool.is_running() && pool.os_type.as_deref() == Some("Linux"));
        assert!(!pool.vm_sizes().is_empty());
        let flags = [
            ("private", resource.is_private()),
            ("basic", !resource.has_standard_load_balancer()),
            ("principal", !resource.has_managed_identity()),
            ("ready", resource.is_ready()),
            (
                "no local accounts",
                resource.properties.disable_local_accounts == Some(true),
            ),
            (
                "ranges",
                !resource
                    .properties
                    .api_server_access_profile
                    .authorized_ip_ranges
                    .is_empty(),
            ),
            (
                "automatic",
                resource.sku.name.as_deref() == Some("Automatic"),
            ),
            ("autoscaled", pool.enable_auto_scaling == Some(true)),
            ("tainted", !pool.node_taints.is_empty()),
            ("virtual machines", pool.vm_size.as_deref() == Some("")),
        ];
        seen.extend(
            flags
                .into_iter()
                .filter(|(_, is)| *is)
                .map(|(flag, _)| flag),
        );
        seen.extend((pool.node_count() == Some(3)).then_some("three nodes"));
    }
    let count = |flag| seen.iter().filter(|one| **one == flag).count();
    assert_eq!(exchanges.len(), 16);
    for (flag, clusters) in [
        ("private", 2),
        ("basic", 2),
        ("principal", 3),
        ("ready", 15),
        ("no local accounts", 3),
        ("ranges", 1),
        ("automatic", 1),
        ("autoscaled", 1),
        ("tainted", 1),
        ("virtual machines", 1),
        ("three nodes", 7),
    ] {
        assert_eq!(count(flag), clusters, "{flag}");
    }
}

#[tokio::test(start_paused = true)]
async fn versions_of_three_regions_are_read_and_written_as_they_came() {
    let Some(exchanges) = exchanges("15-") else {
        return;
    };
    let regions = exchanges
        .iter()
        .filter(|exchange| exchange.url.contains("kubernetesVersions"));
    let mut defaults = Vec::new();
    for exchange in regions {
        let (workspace, script) = replay(exchange);
        let region = &segments(exchange)[5];
        let versions = workspace.kubernetes_versions(Some(region)).await.unwrap();
        assert_path(&script, exchange);
        assert_eq!(serde_json::to_value(&versions).unwrap(), document(exchange));
        let newest_first: Vec<_> = versions.patches().map(|patch| &patch.version).collect();
        assert!(
            newest_first.is_sorted_by(|one, other| one > other),
            "{newest_first:?}"
        );
        for patch in versions.patches() {
            assert!(
                patch
                    .upgrades
                    .iter()
                    .all(|upgrade| *upgrade > patch.version),
                "{patch:?}"
            );
        }
        let default = versions.default_release();
        defaults.push(default.map(|release| release.version.to_string()));
        let old = versions.orchestrators();
        assert_eq!(old.orchestrators.len(), versions.patches().count());
        let default = old.orchestrators.iter().find(|entry| entry.default);
        assert_eq!(
            default.map(|entry| entry.orchestrator_version.minor()),
            defaults.last().unwrap().as_deref()
        );
    }
    assert_eq!(defaults, [None, None, Some("1.29".to_owned())]);
}

/// The list of 2021, in today's form, becomes again what it was.
#[test]
fn list_of_2021_in_todays_form_is_converted_to_what_it_was() {
    let Some(exchanges) = exchanges("15-") else {
        return;
    };
    let exchange = exchanges
        .iter()
        .find(|exchange| exchange.url.contains("orchestrators"))
        .unwrap();
    let recorded = &document(exchange)["properties"]["orchestrators"];
    let version = |entry: &Value| entry["orchestratorVersion"].as_str().unwrap().to_owned();
    let upgrades = |entry: &Value| -> Vec<String> {
        entry["upgrades"]
            .as_array()
            .into_iter()
            .flatten()
            .map(version)
            .collect()
    };
    let mut minors = std::collections::BTreeMap::new();
    for entry in recorded.as_array().unwrap() {
        let minor = version(entry).rsplit_once('.').unwrap().0.to_owned();
        let release = minors
            .entry(minor.clone())
            .or_insert_with(|| json!({ "version": minor, "patchVersions": {} }));
        release["patchVersions"][version(entry)] = json!({ "upgrades": upgrades(entry) });
        if entry["default"] == true {
            release["isDefault"] = json!(true);
        }
    }
    let today = json!({ "values": minors.into_values().collect::<Vec<_>>() });
    let versions: KubernetesVersions = serde_json::from_value(today).unwrap();
    let converted = serde_json::to_value(versions.orchestrators()).unwrap();
    let facts = |list: &Value| -> Vec<(String, bool, bool, Vec<String>)> {
        let entries = list.as_array().unwrap().iter();
        let facts = entries.map(|entry| {
            let is_kubernetes = entry["orchestratorType"] == "Kubernetes";
            (
                version(entry),
                is_kubernetes,
                entry["default"] == true,
                upgrades(entry),
            )
        });
        facts.collect()
    };
    assert_eq!(facts(&converted["orchestrators"]), facts(recorded));
    assert!(facts(recorded).len() > 5);
}

#[tokio::test(start_paused = true)]
async fn sizes_are_read_from_both_lists() {
    let (Some(one), Some(many)) = (exchanges("16-"), exchanges("16b-")) else {
        return;
    };
    let skus = |exchange: &&Exchange| exchange.url.contains("/skus?");
    let exchange = one.iter().find(skus).unwrap();
    let (workspace, script) = replay(exchange);
    let sizes = workspace.vm_sizes(Some("East US")).await.unwrap();
    assert_path(&script, exchange);
    // All but the availability set.
    assert_eq!(sizes.as_slice().len(), 6);
    let size = sizes.named("standard_d3_v2").unwrap();
    assert_eq!(
        (size.vcpus(), size.memory_gb(), size.gpus()),
        (Some(4), Some(14.0), None)
    );
    assert_eq!(size.family.as_deref(), Some("standardDv2Family"));
    assert!(size.refusal().is_none());
    let refusal = sizes.named("Standard_NC6s_v2").unwrap().refusal().unwrap();
    assert_eq!(refusal.reason, "NotAvailableForSubscription");

    let exchange = many.iter().find(skus).unwrap();
    for (region, usable) in [
        ("southindia", false),
        ("SouthIndia", false),
        ("eastus", true),
    ] {
        let (workspace, _) = replay(exchange);
        let sizes = workspace.vm_sizes(Some(region)).await.unwrap();
        let [size] = sizes.as_slice() else {
            panic!("{sizes:?}")
        };
        assert_eq!(size.name, "Standard_D4s_v3");
        assert_eq!(size.refusal().is_none(), usable, "{region}");
    }
}

#[tokio::test(start_paused = true)]
async fn quota_is_read_by_family() {
    let Some(exchanges) = exchanges("16-") else {
        return;
    };
    let exchange = exchanges
        .iter()
        .find(|exchange| exchange.url.contains("/usages?"))
        .unwrap();
    let (workspace, script) = replay(exchange);
    let quota = workspace.quota(Some("westus")).await.unwrap();
    assert_path(&script, exchange);
    assert_eq!(json!({ "value": quota.usages }), document(exchange));
    let cores = quota.regional().unwrap();
    assert_eq!(
        (cores.current_value, cores.limit, cores.left()),
        (Some(25), Some(100), Some(75))
    );
    assert_eq!(
        quota.of_family("StandardNCSv2Family").unwrap().left(),
        Some(0)
    );
}

#[tokio::test(start_paused = true)]
async fn missing_clusters_are_none_in_both_forms_of_the_refusal() {
    let Some(exchanges) = exchanges("22b-") else {
        return;
    };
    let missing = exchanges
        .iter()
        .filter(|exchange| exchange.method == "GET" && exchange.status == 404);
    let mut forms = 0;
    for exchange in missing {
        let parts = segments(exchange);
        let (workspace, _) = replay(exchange);
        let cluster = ClusterRef::named(&parts[3], &parts[7]);
        let found = ManagedCluster::get_opt(&workspace, &cluster).await.unwrap();
        assert!(found.is_none());
        forms += 1;
    }
    assert_eq!(forms, 2);
}

#[tokio::test(start_paused = true)]
async fn node_pool_is_read_and_written_as_it_came() {
    let Some(exchanges) = exchanges("14-") else {
        return;
    };
    let pools = exchanges.iter().filter(|exchange| {
        exchange.method == "GET" && exchange.url.contains("/agentPools/nodepool2?")
    });
    let mut counts = Vec::new();
    for exchange in pools {
        let parts = segments(exchange);
        let script = Script::new();
        let id = format!("/{}", parts[..8].join("/"));
        script.expect([reply(200).json(&json!({ "id": id })), recorded(exchange)]);
        let workspace = workspace_in(&script, &parts[1]);
        let cluster = ManagedCluster::get(&workspace, &ClusterRef::id(id))
            .await
            .unwrap();
        let pool = cluster.node_pool(&parts[9]).await.unwrap();
        assert_eq!(
            script.sent()[1].url.split('?').next(),
            exchange.url.split('?').next()
        );
        assert_eq!(serde_json::to_value(&pool).unwrap(), document(exchange));
        assert_eq!(pool.properties.name, "nodepool2");
        counts.extend(pool.properties.node_count());
    }
    counts.dedup();
    assert_eq!(counts, [1, 3]);
}

/// Asserts that the body is the one that `az` sent in 2023, but for a member that it did not send back then, and does today.
#[tokio::test(start_paused = true)]
async fn scaling_is_sent_as_recorded_and_its_answers_are_followed_to_the_end() {
    let (Some(exchanges), Some(odd)) = (exchanges("14-"), exchanges("14b-")) else {
        return;
    };
    let put = exchanges
        .iter()
        .position(|exchange| exchange.method == "PUT" && exchange.status == 200)
        .unwrap();
    let parts = segments(&exchanges[put]);
    let id = format!("/{}", parts[..8].join("/"));
    let ended = |exchange: &&Exchange| exchange.url.contains("/operations/");
    let polls = exchanges[put..].iter().filter(ended).take(4);
    let read = exchanges[put..]
        .iter()
        .find(|exchange| exchange.method == "GET" && exchange.url.contains("/agentPools/"));
    // The other operation shows an error from beginning to end, and succeeds.
    for polls in [
        polls.collect::<Vec<_>>(),
        odd.iter().filter(ended).collect(),
    ] {
        let script = Script::new();
        script.expect([reply(200).json(&json!({ "id": id }))]);
        let workspace = workspace_in(&script, &parts[1]);
        let cluster = ManagedCluster::get(&workspace, &ClusterRef::id(&id))
            .await
            .unwrap();
        script.expect([recorded(&exchanges[put - 1]), recorded(&exchanges[put])]);
        let scaling = cluster.scale(3).node_pool(&parts[9]).await.unwrap();
        let sent = script.sent().pop().unwrap();
        assert_eq!(
            sent.url.split('?').next(),
            exchanges[put].url.split('?').next()
        );
        let mut body = sent.body.unwrap();
        body["properties"]
            .as_object_mut()
            .unwrap()
            .remove("nodeImageVersion");
        let recorded_body = exchanges[put].request_body.as_deref().unwrap().get();
        assert_eq!(body, serde_json::from_str::<Value>(recorded_body).unwrap());
        script.expect(polls.into_iter().map(recorded));
        script.expect([recorded(read.unwrap())]);
        let pool = scaling.await.unwrap();
        assert_eq!(pool.properties.node_count(), Some(3));
        assert_eq!(script.unused(), 0);
    }
}
