use azure_core::http::Method;
use azureml_aks::emulator::Emulator;
use serde_json::{Value, json};

use crate::support::raw::*;

pub(crate) const CERT: &str = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
pub(crate) const KEY: &str = "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n";

fn ssl(emulator: &Emulator) -> Value {
    emulator.compute("myaks").unwrap()["properties"]["properties"]["sslConfiguration"].clone()
}

async fn update(emulator: &Emulator, version: &str, ssl: Value) -> Reply {
    let url = format!(
        "{}/computes/myaks?api-version={version}",
        workspace_url(emulator)
    );
    let body = create_body(json!({ "sslConfiguration": ssl }));
    let reply = send(emulator, Method::Put, &url, Some(&body)).await;
    emulator.finish_operations();
    reply
}

#[tokio::test(start_paused = true)]
async fn leaf_label_gives_a_name_in_the_region_of_the_cluster() {
    let emulator = Emulator::new();
    let mut body = create_body(json!({
        "sslConfiguration": { "status": "Auto", "leafDomainLabel": "contoso" },
    }));
    body["properties"]["computeLocation"] = json!("West US 2");
    assert_eq!(put(&emulator, "myaks", &body).await.status, 201);
    let cname = ssl(&emulator)["cname"].as_str().unwrap().to_owned();
    let suffix = cname
        .strip_prefix("contoso")
        .and_then(|rest| rest.strip_suffix(".westus2.cloudapp.azure.com"))
        .unwrap();
    assert!(
        suffix.len() == 6 && suffix.chars().all(|c| c.is_ascii_alphanumeric()),
        "{cname}"
    );
}

#[tokio::test(start_paused = true)]
async fn key_is_never_shown() {
    let emulator = Emulator::new();
    let own = json!({ "status": "Enabled", "cname": "www.contoso.com", "cert": CERT, "key": KEY });
    create(&emulator, "myaks", json!({ "sslConfiguration": own })).await;
    let shown = get(&emulator, "myaks").await.body;
    let shown = &shown["properties"]["properties"]["sslConfiguration"];
    assert_eq!(shown["cname"], "www.contoso.com");
    assert!(shown["cert"].is_null() && shown["key"].is_null());
    assert!(
        !emulator
            .compute("myaks")
            .unwrap()
            .to_string()
            .contains("canary")
    );
    assert!(!format!("{:?}", emulator.journal()).contains("canary"));
}

#[tokio::test(start_paused = true)]
async fn members_that_exclude_each_other_are_refused() {
    let emulator = Emulator::new();
    let cases = [
        json!({}),
        json!({ "status": "Auto" }),
        json!({ "status": "Auto", "leafDomainLabel": "Not_A_Label" }),
        json!({ "status": "Auto", "leafDomainLabel": "a", "cert": CERT }),
        json!({ "status": "Auto", "leafDomainLabel": "a", "cname": "www.contoso.com" }),
        json!({ "status": "Enabled", "cname": "www.contoso.com", "cert": CERT }),
        json!({ "status": "Enabled", "cname": "c", "cert": "nothing", "key": KEY }),
        json!({ "status": "Enabled", "cname": "c", "cert": CERT, "key": "nothing" }),
        json!({ "status": "Enabled", "cname": "c", "cert": CERT, "key": KEY, "leafDomainLabel": "a" }),
        json!({ "status": "Disabled", "cname": "www.contoso.com" }),
    ];
    for case in cases {
        let body = create_body(json!({ "sslConfiguration": case }));
        let reply = put(&emulator, "myaks", &body).await;
        assert!(reply.status == 400, "{case}: {:?}", reply.body);
        assert!(!reply.message().contains("canary"));
    }
    let internal = json!({
        "loadBalancerType": "InternalLoadBalancer",
        "sslConfiguration": { "status": "Auto", "leafDomainLabel": "contoso" },
    });
    let reply = put(&emulator, "myaks", &create_body(internal)).await;
    assert!(reply.status == 400 && reply.message().contains("internal load balancer"));
}

#[tokio::test(start_paused = true)]
async fn renewal_keeps_the_name_only_with_the_same_label_and_overwriting() {
    let emulator = Emulator::new();
    let leaf = |overwrite: bool, renew: bool| {
        json!({ "status": "Auto", "leafDomainLabel": "contoso",
                "overwriteExistingDomain": overwrite, "renew": renew })
    };
    create(&emulator, "myaks", json!({})).await;
    assert_eq!(
        update(&emulator, PYTHON, leaf(true, true)).await.status,
        400,
        "nothing to renew"
    );
    assert_eq!(
        update(&emulator, PYTHON, leaf(false, false)).await.status,
        201
    );
    let first = ssl(&emulator)["cname"].clone();
    assert_eq!(
        update(&emulator, PYTHON, leaf(true, true)).await.status,
        201
    );
    assert_eq!(ssl(&emulator)["cname"], first);
    assert_eq!(
        update(&emulator, PYTHON, leaf(false, true)).await.status,
        201
    );
    assert_ne!(ssl(&emulator)["cname"], first);
    assert_eq!(
        update(&emulator, TODAY, json!({ "status": "Disabled" }))
            .await
            .status,
        201
    );
    assert_eq!(ssl(&emulator)["status"], "Disabled");
    assert_eq!(ssl(&emulator)["cname"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn leaf_label_cannot_move_behind_an_internal_load_balancer() {
    let emulator = Emulator::new();
    let leaf = json!({ "sslConfiguration": { "status": "Auto", "leafDomainLabel": "contoso" } });
    create(&emulator, "myaks", leaf).await;
    let body = create_body(json!({ "loadBalancerType": "InternalLoadBalancer" }));
    assert_eq!(put(&emulator, "myaks", &body).await.status, 400);
}
