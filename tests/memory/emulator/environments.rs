//! Environments.

use azure_core::http::Method;
use azureml_aks::emulator::Emulator;
use serde_json::{Value, json};

use super::artifacts::plane;
use crate::support::raw::*;

fn url(emulator: &Emulator, rest: &str) -> String {
    plane(
        emulator,
        "environment/v1.0",
        &format!("environments/{rest}"),
    )
}

async fn see(emulator: &Emulator, rest: &str) -> Reply {
    read(emulator, &url(emulator, rest)).await
}

async fn register(emulator: &Emulator, rest: &str, body: &Value) -> Reply {
    send(emulator, Method::Put, &url(emulator, rest), Some(body)).await
}

/// As `azureml-core` sends it: capitals and small letters side by side.
fn environment(package: &str) -> Value {
    json!({
        "Name": "my-env",
        "python": {
            "interpreterPath": "python", "userManagedDependencies": false,
            "condaDependencies": { "dependencies": ["python=3.8", { "pip": [package] }] },
        },
        "EnvironmentVariables": { "A": "b" },
        "Docker": {
            "enabled": true, "baseImage": "ubuntu", "baseDockerfile": null,
            "baseImageRegistry": { "address": "r.example", "username": "u", "password": "canary" },
        },
        "Spark": { "repositories": [], "packages": [], "precachePackages": true },
        "InferencingStackVersion": null,
        "r": null,
    })
}

#[tokio::test(start_paused = true)]
async fn versions_are_given_and_read_by_number_or_as_the_latest() {
    let emulator = Emulator::new();
    let first = register(&emulator, "my-env", &environment("one")).await;
    assert_eq!(first.status, 200, "{:?}", first.body);
    assert_eq!(
        (&first.body["name"], &first.body["version"]),
        (&json!("my-env"), &json!("1"))
    );
    assert_eq!(first.body["environmentVariables"], json!({ "A": "b" }));
    assert_eq!(first.body["docker"]["baseImage"], "ubuntu");
    assert_eq!(first.body["docker"]["baseImageRegistry"]["username"], "u");
    assert!(
        !first.body.to_string().contains("canary"),
        "no password is read back"
    );
    // The same content again makes no new version.
    assert_eq!(
        register(&emulator, "my-env", &environment("one"))
            .await
            .body["version"],
        "1"
    );
    assert_eq!(
        register(&emulator, "my-env", &environment("two"))
            .await
            .body["version"],
        "2"
    );
    let named = register(&emulator, "my-env/versions/7", &environment("seven")).await;
    assert_eq!((named.status, &named.body["version"]), (200, &json!("7")));
    assert_eq!(
        register(&emulator, "my-env", &environment("eight"))
            .await
            .body["version"],
        "8"
    );
    assert_eq!(see(&emulator, "my-env/versions/1").await.body, first.body);
    assert_eq!(see(&emulator, "my-env").await.body["version"], "8");
    assert_eq!(
        see(&emulator, "my-env/labels/latest").await.body["version"],
        "8"
    );

    let again = register(&emulator, "my-env/versions/7", &environment("seven")).await;
    assert_eq!((again.status, &again.body), (200, &named.body));
    let other = register(&emulator, "my-env/versions/7", &environment("other")).await;
    assert_eq!((other.status, other.code()), (409, "Conflict"));
    for rest in [
        "my-env/versions/9",
        "absent",
        "my-env/labels/mine",
        "absent/labels/latest",
    ] {
        let absent = see(&emulator, rest).await;
        assert_eq!(
            (absent.status, absent.code()),
            (404, "EnvironmentNotFound"),
            "{rest}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn label_is_at_one_version() {
    let emulator = Emulator::new();
    for package in ["one", "two"] {
        register(&emulator, "my-env", &environment(package)).await;
    }
    for version in ["1", "2"] {
        let labels = json!({ "Labels": ["prod"] });
        let put = register(
            &emulator,
            &format!("my-env/versions/{version}/metadata"),
            &labels,
        )
        .await;
        assert_eq!(put.status, 200);
        assert_eq!(
            see(&emulator, "my-env/labels/prod").await.body["version"],
            version
        );
    }
    let absent = register(
        &emulator,
        "my-env/versions/3/metadata",
        &json!({ "Labels": [] }),
    )
    .await;
    assert_eq!(absent.status, 404);
    let bad = register(
        &emulator,
        "my-env/versions/1/metadata",
        &json!({ "labels": [] }),
    )
    .await;
    assert_eq!(bad.status, 400);
}

#[tokio::test(start_paused = true)]
async fn curated_environments_exist_and_their_names_are_reserved() {
    let emulator = Emulator::builder().page_size(2).build();
    register(&emulator, "my-env", &environment("one")).await;
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let page = see(&emulator, &token).await.body;
        for environment in page["value"].as_array().unwrap() {
            names.push(environment["name"].as_str().unwrap().to_owned());
        }
        match page["continuationToken"].as_str() {
            Some(next) => token = format!("?continuation={next}"),
            None => break,
        }
    }
    assert_eq!(
        names,
        [
            "AzureML-Minimal",
            "AzureML-Scikit-learn-0.20.3",
            "AzureML-TensorFlow-2.2-CPU",
            "my-env"
        ]
    );
    let curated = see(&emulator, "AzureML-Minimal/versions/3").await.body;
    let packages = &curated["python"]["condaDependencies"]["dependencies"][1]["pip"];
    assert_eq!(packages, &json!(["azureml-defaults"]));
    for name in ["AzureML-mine", "azureml-mine", "Microsoft-mine"] {
        let mut body = environment("one");
        body["Name"] = json!(name);
        let refused = register(&emulator, name, &body).await;
        assert!(
            refused.status == 400 && refused.message().contains("reserved"),
            "{name}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn misspelt_or_contradictory_options_are_refused() {
    let emulator = Emulator::new();
    let with = |key: &str, value: Value| {
        let mut body = environment("one");
        body[key] = value;
        body
    };
    for body in [
        with("Name", json!("other")),
        with("name", json!("my-env")),
        with("version", json!("3")),
        with("Pyhton", json!({})),
        with("python", json!({ "condaDependency": {} })),
        with("python", json!([])),
        with("EnvironmentVariables", json!({ "A": 1 })),
        with("Docker", json!({ "arguments": "x" })),
        json!({ "Name": "my-env" }),
        json!([]),
    ] {
        let refused = register(&emulator, "my-env", &body).await;
        assert_eq!(refused.status, 400, "{body}");
    }
    for (method, rest, status) in [
        (Method::Delete, "my-env", 405),
        (Method::Get, "my-env/versions/1/image", 404),
        (Method::Get, "my-env?surprise=1", 400),
        (Method::Get, "?surprise=1", 400),
    ] {
        let refused = send(&emulator, method, &url(&emulator, rest), None).await;
        assert_eq!(
            (refused.status, refused.code()),
            (status, "UnsupportedByEmulator"),
            "{rest}"
        );
    }
    let bare = try_send(
        &emulator,
        Method::Get,
        &url(&emulator, "my-env"),
        None,
        None,
    )
    .await
    .unwrap();
    assert_eq!(bare.status, 401);
}
