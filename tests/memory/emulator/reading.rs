#[cfg(feature = "services")]
use crate::support::log::Log;
use azure_core::http::{Method, Request, Url};
use azureml_aks::emulator::{Emulator, ExistingCluster};
use serde_json::{Value, json};

use crate::support::raw::*;

#[tokio::test(start_paused = true)]
async fn workspace_leads_to_the_service_host() {
    let emulator = Emulator::builder().location("westus2").build();
    let url = format!("{}?api-version=2022-05-01", workspace_url(&emulator));
    let workspace = read(&emulator, &url).await;
    assert_eq!(workspace.status, 200);
    assert_eq!(workspace.body["location"], "westus2");
    assert!(workspace.body["properties"]["workspaceId"].is_string());
    let discovery = workspace.body["properties"]["discoveryUrl"]
        .as_str()
        .unwrap();
    assert!(discovery.ends_with("/discovery"));
    // Microsoft's client sends no token there.
    let found = try_send(&emulator, Method::Get, discovery, None, None)
        .await
        .unwrap();
    for key in [
        "api",
        "experimentation",
        "history",
        "hyperdrive",
        "modelmanagement",
        "studio",
    ] {
        assert_eq!(found.body[key], "https://management.azure.com", "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn urls_handed_out_are_of_the_host_that_was_asked() {
    let emulator = Emulator::new();
    let url = format!("{}?api-version=2022-05-01", workspace_url(&emulator))
        .replace("management.azure.com", "example.test:8443");
    let body = read(&emulator, &url).await.body;
    let discovery = body["properties"]["discoveryUrl"].as_str().unwrap();
    assert!(
        discovery == "https://example.test:8443/discovery",
        "{discovery}"
    );
}

#[tokio::test(start_paused = true)]
async fn service_host_reads_computes_and_writes_none() {
    let emulator = Emulator::new();
    create(&emulator, "myaks", json!({})).await;
    let arm = workspace_url(&emulator);
    let base = arm.replace("azure.com/", "azure.com/rp/workspaces/");
    let one = format!("{base}/computes/myaks?api-version={PYTHON}");
    assert_eq!(read(&emulator, &one).await.body["name"], "myaks");
    let all = read(&emulator, &format!("{base}/computes?api-version={PYTHON}")).await;
    assert_eq!(all.body["value"][0]["name"], "myaks");
    let body = create_body(json!({}));
    let reply = send(&emulator, Method::Put, &one, Some(&body)).await;
    assert_eq!((reply.status, reply.code()), (405, "UnsupportedByEmulator"));
    let reply = read(&emulator, &format!("{base}?api-version={PYTHON}")).await;
    assert_eq!((reply.status, reply.code()), (404, "UnsupportedByEmulator"));
}

#[tokio::test(start_paused = true)]
async fn lists_come_in_pages_and_the_last_has_no_link() {
    let emulator = Emulator::builder().page_size(2).build();
    for name in ["aaa", "bbb", "ccc"] {
        create(&emulator, name, json!({})).await;
    }
    let mut url = format!("{}/computes?api-version={TODAY}", workspace_url(&emulator));
    let first = read(&emulator, &url).await.body;
    assert_eq!(first["value"].as_array().unwrap().len(), 2);
    url = first["nextLink"].as_str().unwrap().to_owned();
    assert!(url.starts_with("https://management.azure.com/subscriptions/"));
    let last = read(&emulator, &url).await.body;
    assert_eq!(last["value"][0]["name"], "ccc");
    assert!(last["value"][0]["id"].is_string());
    assert!(last.get("nextLink").is_none(), "absent, not null");
}

#[tokio::test(start_paused = true)]
async fn keys_are_those_of_the_cluster() {
    let emulator = Emulator::new();
    let url = compute_url(&emulator, "myaks").replace("myaks?", "myaks/listKeys?");
    assert_eq!(send(&emulator, Method::Post, &url, None).await.status, 404);
    put(&emulator, "myaks", &create_body(json!({}))).await;
    assert_eq!(
        send(&emulator, Method::Post, &url, None).await.status,
        409,
        "not yet"
    );
    emulator.finish_operations();
    let reply = send(&emulator, Method::Post, &url, None).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body["computeType"], "AKS");
    for key in ["userKubeConfig", "adminKubeConfig"] {
        let config = reply.body[key].as_str().unwrap();
        let lines = ["kind: Config", "clusters:", "contexts:", "users:"];
        for line in lines {
            assert!(config.lines().any(|found| found == line), "{key}: {line}");
        }
        assert!(config.contains("\ncurrent-context: "), "{key}");
    }
    assert!(reply.body["imagePullSecretName"].is_string());
    assert_eq!(read(&emulator, &url).await.status, 405);
}

#[tokio::test(start_paused = true)]
async fn paths_are_compared_without_case() {
    let emulator = Emulator::new();
    create(&emulator, "MyAks", json!({})).await;
    let url = format!(
        "https://management.azure.com/SUBSCRIPTIONS/{}/resourcegroups/{}/Providers/microsoft.machinelearningservices/WORKSPACES/{}/Computes/MYAKS?API-VERSION={TODAY}",
        emulator.subscription().to_uppercase(),
        emulator.resource_group().to_uppercase(),
        emulator.workspace().to_uppercase(),
    );
    let reply = read(&emulator, &url).await;
    assert_eq!((reply.status, &reply.body["name"]), (200, &json!("MyAks")));
}

#[tokio::test(start_paused = true)]
async fn token_is_required() {
    let emulator = Emulator::new();
    let url = compute_url(&emulator, "myaks");
    for token in [None, Some(""), Some("  ")] {
        let reply = try_send(&emulator, Method::Get, &url, token, None)
            .await
            .unwrap();
        assert_eq!(
            (reply.status, reply.code()),
            (401, "AuthenticationFailed"),
            "{token:?}"
        );
    }
    let rp = url.replace("azure.com/", "azure.com/rp/workspaces/");
    assert_eq!(
        try_send(&emulator, Method::Get, &rp, None, None)
            .await
            .unwrap()
            .status,
        401
    );
    let mut basic = Request::new(Url::parse(&url).unwrap(), Method::Get);
    basic.insert_header("authorization", "Basic abc");
    let reply = emulator
        .http_client()
        .execute_request(&basic)
        .await
        .unwrap();
    assert_eq!(u16::from(reply.status()), 401);
    assert!(emulator.journal().iter().all(|entry| !entry.authorized));
}

#[cfg(feature = "services")]
#[tokio::test(start_paused = true)]
async fn log_names_the_known_versions_where_a_newer_one_is_answered() {
    let emulator = Emulator::new();
    let base = format!("{}/computes/myaks", workspace_url(&emulator));
    let (log, _guard) = Log::of_this_thread(|target| target.starts_with("azureml_aks::emulator"));
    read(&emulator, &format!("{base}?api-version={TODAY}")).await;
    assert!(!log.text().contains("known = "), "{}", log.text());
    read(&emulator, &format!("{base}?api-version=2031-01-01")).await;
    let text = log.text();
    let line = text.lines().find(|line| line.contains("known = "));
    assert!(line.unwrap().contains(TODAY), "{text}");
    assert!(text.contains("2031-01-01"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn api_version_is_checked() {
    let emulator = Emulator::new();
    let base = format!("{}/computes/myaks", workspace_url(&emulator));
    let reply = read(&emulator, &base).await;
    assert_eq!(
        (reply.status, reply.code()),
        (400, "MissingApiVersionParameter")
    );
    for version in ["latest", "2026-05", "2026-05-01-beta", "2026-05-0a"] {
        let reply = read(&emulator, &format!("{base}?api-version={version}")).await;
        assert_eq!(
            (reply.status, reply.code()),
            (400, "NoRegisteredProviderFound"),
            "{version}"
        );
        assert!(reply.message().contains(version) && reply.message().contains(TODAY));
    }
    for version in [
        TODAY,
        PYTHON,
        "2019-11-01",
        "2020-08-01",
        "2021-07-01",
        "2025-12-01",
        // Not known, but dated.
        "2026-06-01",
        "2023-08-01-preview",
        "2022-02-01-preview",
        "2018-11-19",
    ] {
        let reply = read(&emulator, &format!("{base}?api-version={version}")).await;
        assert_eq!(
            (reply.status, reply.code()),
            (404, "NotFoundError"),
            "{version}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn missing_files_are_named() {
    let emulator = Emulator::new();
    let url = compute_url(&emulator, "myaks");
    let cases = [
        (
            url.replace(emulator.subscription(), "other"),
            "SubscriptionNotFound",
        ),
        (
            url.replace("emulator-group", "other"),
            "ResourceGroupNotFound",
        ),
        (
            url.replace("emulator-workspace", "other"),
            "ResourceNotFound",
        ),
        (
            url.replace("computes/myaks", "datastores"),
            "UnsupportedByEmulator",
        ),
        (
            url.replace("/computes/", "/computes/x/y/"),
            "UnsupportedByEmulator",
        ),
        (
            "https://management.azure.com/".to_owned(),
            "UnsupportedByEmulator",
        ),
        (
            format!(
                "https://management.azure.com/subscriptions/{}/providers/Microsoft.Compute/disks?api-version=2021-07-01",
                emulator.subscription()
            ),
            "UnsupportedByEmulator",
        ),
    ];
    for (url, code) in cases {
        let reply = read(&emulator, &url).await;
        assert_eq!((reply.status, reply.code()), (404, code), "{url}");
    }
    assert_eq!(
        emulator.journal().len(),
        7,
        "refused requests are in the journal too"
    );
    let reply = read(&emulator, &format!("{url}&$expand=all")).await;
    assert!(reply.status == 400 && reply.message().contains("$expand"));
}

#[tokio::test(start_paused = true)]
async fn url_of_an_operation_must_come_back_as_it_was() {
    let emulator = Emulator::new();
    let url = polling(&put(&emulator, "myaks", &create_body(json!({}))).await);
    assert_eq!(read(&emulator, &url).await.status, 200);
    assert_eq!(
        read(&emulator, &url.replace("&service=new", ""))
            .await
            .status,
        400
    );
    assert_eq!(read(&emulator, &format!("{url}&extra=1")).await.status, 400);
    let other = url.replace("computeOperationsStatus/", "computeOperationsStatus/0");
    assert_eq!(read(&emulator, &other).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn every_answer_has_request_ids() {
    let emulator = Emulator::new();
    let one = get(&emulator, "absent").await;
    let two = get(&emulator, "absent").await;
    for header in ["x-ms-request-id", "x-ms-correlation-request-id"] {
        assert!(one.header(header).unwrap().len() == 36);
        assert_ne!(one.header(header), two.header(header));
    }
}

#[tokio::test(start_paused = true)]
async fn versions_of_kubernetes_are_listed_in_both_ways() {
    let emulator = Emulator::new();
    let base = format!(
        "https://management.azure.com/subscriptions/{}/providers/Microsoft.ContainerService/locations/eastus",
        emulator.subscription()
    );
    let new = read(
        &emulator,
        &format!("{base}/kubernetesVersions?api-version={TODAY}"),
    )
    .await
    .body;
    let default: Vec<&Value> = new["values"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|v| v["isDefault"] == true)
        .collect();
    assert_eq!(default.len(), 1);
    assert_eq!(default[0]["version"], "1.34");
    assert_eq!(
        default[0]["patchVersions"]["1.34.1"]["upgrades"],
        json!(["1.34.3", "1.35.0"])
    );
    let old = format!("{base}/orchestrators?api-version=2019-08-01&resource-type=managedClusters");
    let old = read(&emulator, &old).await.body;
    let all = old["properties"]["orchestrators"].as_array().unwrap();
    let default: Vec<&Value> = all.iter().filter(|v| v["default"] == true).collect();
    assert_eq!(default.len(), 1);
    assert_eq!(default[0]["orchestratorVersion"], "1.34.3");
    assert_eq!(all.last().unwrap()["isPreview"], true);
    let reply = read(
        &emulator,
        &format!("{base}/kubernetesVersions?api-version=latest"),
    )
    .await;
    assert_eq!(
        (reply.status, reply.code()),
        (400, "NoRegisteredProviderFound")
    );
}

#[tokio::test(start_paused = true)]
async fn sizes_are_listed_under_the_key_of_the_version() {
    let emulator = Emulator::new();
    let base = format!(
        "https://management.azure.com/subscriptions/{}/providers/Microsoft.MachineLearningServices/locations/eastus/vmSizes",
        emulator.subscription()
    );
    for (version, key) in [("2019-11-01", "amlCompute"), (TODAY, "value")] {
        let body = read(&emulator, &format!("{base}?api-version={version}"))
            .await
            .body;
        let sizes = body[key].as_array().unwrap();
        let d3 = sizes
            .iter()
            .find(|size| size["name"] == "Standard_D3_v2")
            .unwrap();
        assert_eq!(d3["vCPUs"], 4);
        for name in [
            "Standard_PB6s",
            "Standard_D4s_v6",
            "Standard_NC40ads_H100_v5",
        ] {
            assert!(sizes.iter().any(|size| size["name"] == name), "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn cluster_that_exists_can_be_read() {
    let emulator = Emulator::new();
    let id = emulator.add_cluster(
        ExistingCluster::new("g", "c")
            .version("1.33.2")
            .node_count(7),
    );
    let url = format!("https://management.azure.com{id}?api-version=2026-05-01");
    let body = read(&emulator, &url).await.body;
    assert_eq!(body["properties"]["currentKubernetesVersion"], "1.33.2");
    assert_eq!(body["properties"]["agentPoolProfiles"][0]["count"], 7);
    let absent = url.replace("/c?", "/d?");
    assert_eq!(read(&emulator, &absent).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn journal_has_everything_but_the_token() {
    let emulator = Emulator::new();
    let body = create_body(json!({ "agentCount": 3 }));
    put(&emulator, "myaks", &body).await;
    let journal = emulator.journal();
    let entry = &journal[0];
    assert_eq!(entry.method, "PUT");
    assert!(entry.path.ends_with("/computes/myaks"));
    assert_eq!(entry.query.as_deref(), Some("api-version=2026-05-01"));
    assert_eq!(entry.parameter("API-version").as_deref(), Some(TODAY));
    assert_eq!(entry.headers["content-type"], "application/json");
    assert!(entry.authorized && !entry.headers.contains_key("authorization"));
    assert_eq!(entry.body, body);
    assert_eq!(entry.status, Some(201));
    emulator.clear_journal();
    assert!(emulator.journal().is_empty());
}

#[tokio::test(start_paused = true)]
async fn credential_gives_a_token_that_is_valid_for_a_while() {
    let credential = Emulator::new().credential();
    let token = credential
        .get_token(&["https://management.azure.com/.default"], None)
        .await;
    let token = token.unwrap();
    assert!(!token.token.secret().is_empty());
    let left = token.expires_on - azure_core::time::OffsetDateTime::now_utc();
    assert!(left.whole_minutes() >= 59);
    assert!(!format!("{credential:?}").contains(token.token.secret()));
}
