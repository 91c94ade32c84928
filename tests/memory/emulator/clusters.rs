//! Clusters beside the workspace, and what a region has for them.

use azure_core::base64;
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, ExistingCluster};
use serde_json::{Value, json};

use crate::support::raw::*;

const ARM: &str = "https://management.azure.com";

fn regional(emulator: &Emulator, path: &str) -> String {
    format!(
        "{ARM}/subscriptions/{}/providers/{path}",
        emulator.subscription()
    )
}

async fn rows(emulator: &Emulator, path: &str) -> Vec<Value> {
    let reply = read(emulator, &regional(emulator, path)).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.message());
    reply.body["value"].as_array().unwrap().clone()
}

fn row<'r>(rows: &'r [Value], name: &str) -> &'r Value {
    let mut found = rows
        .iter()
        .filter(|row| row["name"] == name || row["name"]["value"] == name);
    let row = found.next().unwrap();
    assert!(found.next().is_none(), "{name} twice");
    row
}

#[tokio::test(start_paused = true)]
async fn clusters_are_listed_by_subscription_and_by_group_page_by_page() {
    let emulator = Emulator::builder().page_size(2).build();
    for (group, name) in [("g", "a"), ("h", "b"), ("G", "c")] {
        emulator.add_cluster(ExistingCluster::new(group, name));
    }
    emulator.add_cluster(ExistingCluster::new("g", "d").subscription("other"));
    let names = async |mut url: String| {
        let mut names = Vec::new();
        loop {
            let body = read(&emulator, &url).await.body;
            let page = body["value"].as_array().unwrap();
            names.extend(
                page.iter()
                    .map(|cluster| cluster["name"].as_str().unwrap().to_owned()),
            );
            match body["nextLink"].as_str() {
                Some(next) => url = next.to_owned(),
                None => return names,
            }
        }
    };
    let path = format!("providers/Microsoft.ContainerService/managedClusters?api-version={TODAY}");
    let own = format!("{ARM}/subscriptions/{}", emulator.subscription());
    assert_eq!(names(format!("{own}/{path}")).await, ["a", "b", "c"]);
    assert_eq!(
        names(format!("{own}/resourceGroups/g/{path}")).await,
        ["a", "c"]
    );
    let empty = format!("{own}/resourceGroups/{}/{path}", emulator.resource_group());
    assert!(names(empty).await.is_empty());
    let other = format!("{ARM}/subscriptions/other");
    assert_eq!(names(format!("{other}/{path}")).await, ["d"]);
    for (url, code) in [
        (
            format!("{own}/resourceGroups/none/{path}"),
            "ResourceGroupNotFound",
        ),
        (
            format!("{other}/resourceGroups/h/{path}"),
            "ResourceGroupNotFound",
        ),
        (
            format!("{ARM}/subscriptions/none/{path}"),
            "SubscriptionNotFound",
        ),
    ] {
        let reply = read(&emulator, &url).await;
        assert_eq!((reply.status, reply.code()), (404, code), "{url}");
        assert_eq!(reply.header("x-ms-failure-cause"), Some("gateway"));
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_of_a_cluster_are_kubeconfigs_in_base64() {
    let emulator = Emulator::new();
    let id = emulator.add_cluster(ExistingCluster::new("g", "c"));
    for (action, user) in [
        ("listClusterUserCredential", "clusterUser"),
        ("listClusterAdminCredential", "clusterAdmin"),
    ] {
        let url = format!("{ARM}{id}/{action}?api-version={TODAY}");
        let reply = send(&emulator, Method::Post, &url, None).await;
        assert_eq!(reply.status, 200);
        let all = reply.body["kubeconfigs"].as_array().unwrap();
        assert_eq!((all.len(), &all[0]["name"]), (1, &json!(user)));
        let text = base64::decode(all[0]["value"].as_str().unwrap()).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(
            text.contains("kind: Config") && text.contains(user),
            "{text}"
        );
        let absent = url.replace("/c/", "/d/");
        let reply = send(&emulator, Method::Post, &absent, None).await;
        assert_eq!((reply.status, reply.code()), (404, "ResourceNotFound"));
        let reply = send(&emulator, Method::Post, &url, Some(&json!({ "a": 1 }))).await;
        assert_eq!((reply.status, reply.code()), (400, "UnsupportedByEmulator"));
        assert_eq!(read(&emulator, &url).await.status, 405);
    }
}

#[tokio::test(start_paused = true)]
async fn node_pool_is_read_by_its_name() {
    let emulator = Emulator::new();
    let id = emulator.add_cluster(ExistingCluster::new("g", "c").node_count(7));
    let url = format!("{ARM}{id}/agentPools/AgentPool?api-version={TODAY}");
    let pool = read(&emulator, &url).await;
    assert_eq!(
        (pool.status, &pool.body["name"]),
        (200, &json!("agentpool"))
    );
    assert_eq!(pool.body["properties"]["count"], 7);
    assert!(pool.body["properties"].get("name").is_none());
    let reply = read(&emulator, &url.replace("AgentPool", "other")).await;
    assert_eq!((reply.status, reply.code()), (404, "ResourceNotFound"));
    assert!(
        reply
            .message()
            .contains("managedClusters/c/agentPools/other")
    );
}

#[tokio::test(start_paused = true)]
async fn sizes_of_a_region_are_filtered_and_one_is_not_available() {
    let emulator = Emulator::builder().vm_size("Standard_New", 3, 1.5).build();
    let skus = "Microsoft.Compute/skus?api-version=2021-07-01";
    let here = rows(
        &emulator,
        &format!("{skus}&$filter=location eq 'West US 2'"),
    )
    .await;
    let capability = |row: &Value, name: &str| {
        row["capabilities"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["name"] == name)
            .map(|one| one["value"].as_str().unwrap().to_owned())
    };
    let d3 = row(&here, "Standard_D3_v2");
    assert_eq!(d3["locations"], json!(["westus2"]));
    assert_eq!(d3["restrictions"], json!([]));
    assert_eq!(d3["locationInfo"][0]["zones"], json!(["1", "2", "3"]));
    assert_eq!(capability(d3, "vCPUs").as_deref(), Some("4"));
    assert_eq!(capability(d3, "GPUs"), None);
    assert_eq!(
        capability(row(&here, "Standard_New"), "MemoryGB").as_deref(),
        Some("1.5")
    );
    let closed = row(&here, "Standard_ND96isr_H100_v5");
    assert_eq!(capability(closed, "GPUs").as_deref(), Some("8"));
    assert_eq!(
        closed["restrictions"],
        json!([{ "type": "Location", "values": ["westus2"],
            "reasonCode": "NotAvailableForSubscription",
            "restrictionInfo": { "locations": ["westus2"] } }])
    );
    let zoneless = rows(&emulator, &format!("{skus}&$filter=location eq 'westus'")).await;
    assert_eq!(
        row(&zoneless, "Standard_D3_v2")["locationInfo"][0]["zones"],
        json!([])
    );

    let all = rows(&emulator, skus).await;
    assert!(all.len() > 20 * here.len() && all.len() % here.len() == 0);
    assert!(here.iter().chain(&zoneless).all(|row| all.contains(row)));
    assert!(
        rows(&emulator, &format!("{skus}&$filter=location eq 'nowhere'"))
            .await
            .is_empty()
    );
    let other = regional(&emulator, &format!("{skus}&$filter=name eq 'x'"));
    let reply = read(&emulator, &other).await;
    assert_eq!((reply.status, reply.code()), (400, "UnsupportedByEmulator"));
}

#[tokio::test(start_paused = true)]
async fn usages_count_the_nodes_of_the_region() {
    let emulator = Emulator::new();
    emulator.add_cluster(
        ExistingCluster::new("g", "a")
            .location("West US")
            .node_count(5),
    );
    emulator.add_cluster(ExistingCluster::new("g", "b"));
    emulator.add_cluster(
        ExistingCluster::new("g", "c")
            .location("westus")
            .subscription("other"),
    );
    let usages = "Microsoft.Compute/locations/WestUS/usages?api-version=2024-11-01";
    let usages = rows(&emulator, usages).await;
    for (name, used, limit) in [
        ("cores", 20, 350),
        ("virtualMachines", 5, 25_000),
        ("standardDv2Family", 20, 350),
        ("standardDSv3Family", 0, 350),
        ("standardNDSH100v5Family", 0, 0),
    ] {
        let row = row(&usages, name);
        assert_eq!(
            (&row["currentValue"], &row["limit"]),
            (&json!(used), &json!(limit)),
            "{name}"
        );
    }
    let words = &row(&usages, "standardDSv3Family")["name"]["localizedValue"];
    assert_eq!(words, "Standard DSv3 Family vCPUs");
}

#[tokio::test(start_paused = true)]
async fn region_that_is_unknown_is_refused_and_that_of_the_workspace_is_known() {
    let emulator = Emulator::builder().location("My Own").build();
    for (path, kind) in [
        (
            "Microsoft.ContainerService/locations/{}/kubernetesVersions",
            "kubernetesVersions",
        ),
        (
            "Microsoft.ContainerService/locations/{}/orchestrators",
            "orchestrators",
        ),
        ("Microsoft.Compute/locations/{}/usages", "usages"),
    ] {
        let url = regional(&emulator, &format!("{path}?api-version={TODAY}"));
        let reply = read(&emulator, &url.replace("{}", "nowhere")).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "NoRegisteredProviderFound")
        );
        for part in [
            "'nowhere'",
            &format!("'locations/{kind}'"),
            "eastus2",
            "myown",
        ] {
            assert!(
                reply.message().contains(part),
                "{part}: {}",
                reply.message()
            );
        }
        assert_eq!(
            read(&emulator, &url.replace("{}", "myown")).await.status,
            200
        );
    }
}

#[tokio::test(start_paused = true)]
async fn versions_of_kubernetes_are_those_that_were_set_and_new_clusters_have_the_default() {
    let versions = ["1.36.0(preview)", "1.10.1", "1.9.2", "1.9.11"];
    let emulator = Emulator::builder()
        .kubernetes_versions(versions, "1.9")
        .build();
    let url =
        "Microsoft.ContainerService/locations/eastus/kubernetesVersions?api-version=2026-05-01";
    let body = read(&emulator, &regional(&emulator, url)).await.body;
    let of = |version: &str, upgrades: Value| {
        json!({ "version": version,
        "capabilities": { "supportPlan": ["KubernetesOfficial"] }, "patchVersions": upgrades })
    };
    let mut expected = [
        of(
            "1.9",
            json!({ "1.9.2": { "upgrades": ["1.9.11", "1.10.1"] },
            "1.9.11": { "upgrades": ["1.10.1"] } }),
        ),
        of("1.10", json!({ "1.10.1": { "upgrades": ["1.36.0"] } })),
        of("1.36", json!({ "1.36.0": { "upgrades": [] } })),
    ];
    expected[0]["isDefault"] = json!(true);
    expected[2]["isPreview"] = json!(true);
    assert_eq!(body["values"], json!(expected));

    let id = emulator.add_cluster(ExistingCluster::new("g", "c"));
    let cluster = read(&emulator, &format!("{ARM}{id}?api-version={TODAY}"))
        .await
        .body;
    assert_eq!(cluster["properties"]["currentKubernetesVersion"], "1.9.11");
    emulator.add_cluster(ExistingCluster::new("g", "old").version("1.34.3"));
    let body = attach_body(&id.replace("/c", "/old"), json!({}));
    let reply = put(&emulator, "myaks", &body).await;
    assert_eq!(
        (reply.status, reply.code()),
        (400, "UnsupportedKubernetesVersion")
    );
    assert!(
        reply.message().contains("1.9, 1.10, 1.36"),
        "{}",
        reply.message()
    );
}
