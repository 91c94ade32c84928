//! Registering: what is announced, uploaded and made, and in which order.

use super::{described, newest, on_newest, signed};
use crate::support::plane::{
    self, HISTORY, MODELS, STORE, artifacts, header_names, models, only, sent,
};
use crate::support::redirect::{Reply, Service, TOKEN};
use azureml_aks::{Model, ResourceNeeds, RunOutput};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// The name of the container of [`folder`]: of names and contents, so that any process finds what
/// another one has uploaded.
pub(crate) const CONTAINER: &str = "6999a0fc59252d702e45861509a0501f";

/// `my model/a b.bin` and `my model/sub/größe.txt`.
pub(crate) fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("my model");
    fs::create_dir_all(model.join("sub")).unwrap();
    fs::write(model.join("a b.bin"), [0, 255, 7]).unwrap();
    fs::write(model.join("sub/größe.txt"), "text").unwrap();
    (folder, model)
}

pub(crate) fn announcement() -> String {
    artifacts(&format!("/batch/metadata/LocalUpload/{CONTAINER}"))
}

/// Announced, with a signed URL each.
pub(crate) fn announced() -> Value {
    let content = |blob: &str| json!({ "contentUri": signed(blob), "origin": "LocalUpload" });
    json!({
        "artifacts": {}, "errors": {},
        "artifactContentInformation": {
            "my model/a b.bin": content("/c/a%20b.bin"),
            "my model/sub/größe.txt": content("/c/sub/gr%C3%B6%C3%9Fe.txt"),
        },
    })
}

pub(crate) const BLOBS: [&str; 2] = [
    "/c/a%20b.bin?sv=2021-08-06&sr=b&sig=a%2Bb%3D",
    "/c/sub/gr%C3%B6%C3%9Fe.txt?sv=2021-08-06&sr=b&sig=a%2Bb%3D",
];

/// A mock for all of a registration.
async fn start() -> Service {
    let mut service = plane::start().await;
    service
        .on("POST", &announcement(), Reply::json(200, &announced()))
        .await;
    for blob in BLOBS {
        service.on("PUT", blob, Reply::empty(201)).await;
    }
    on_newest(&mut service, "mymodel", json!([])).await;
    let asset = json!({ "id": "a1", "name": "mymodel" });
    service
        .on("POST", &models("/assets"), Reply::json(200, &asset))
        .await
        .on("POST", &models("/models"), Reply::json(200, &described(1)))
        .await;
    service
}

#[tokio::test]
async fn folder_is_registered_by_these_very_requests() {
    let service = start().await;
    let (_folder, path) = folder();
    let model = Model::register(&plane::workspace(&service), "mymodel", &path)
        .await
        .unwrap();
    assert_eq!(model.id(), "mymodel:1");

    let mut lines = plane::lines(&service);
    // The two files go side by side.
    lines[2..4].sort();
    assert_eq!(
        lines,
        [
            format!("GET {MODELS} {}", newest("mymodel")),
            format!("POST {HISTORY} {}", announcement()),
            format!("PUT {STORE} {}", BLOBS[0]),
            format!("PUT {STORE} {}", BLOBS[1]),
            format!("GET {MODELS} {}", newest("mymodel")),
            format!("POST {MODELS} {}", models("/assets")),
            format!("POST {MODELS} {}", models("/models")),
        ]
    );
    assert_eq!(
        only(&service, "POST", &announcement()).text(),
        r#"{"paths":[{"path":"my model/a b.bin"},{"path":"my model/sub/größe.txt"}]}"#
    );
    assert_eq!(only(&service, "PUT", BLOBS[0]).body, [0, 255, 7]);
    assert_eq!(only(&service, "PUT", BLOBS[1]).text(), "text");
    assert_eq!(
        only(&service, "POST", &models("/assets")).text(),
        format!(
            r#"{{"artifacts":[{{"prefix":"LocalUpload/{CONTAINER}/my model"}}],"name":"mymodel"}}"#
        )
    );
    assert_eq!(
        only(&service, "POST", &models("/models")).text(),
        r#"{"mimeType":"application/json","name":"mymodel","unpack":false,"url":"aml://asset/a1"}"#
    );
}

#[tokio::test]
async fn requests_carry_a_token_and_these_headers_and_blobs_carry_none() {
    let service = start().await;
    let (_folder, path) = folder();
    Model::register(&plane::workspace(&service), "mymodel", &path)
        .await
        .unwrap();
    for seen in sent(&service) {
        if seen.host == STORE {
            let expected = [
                "accept",
                "content-length",
                "content-type",
                "host",
                "user-agent",
                "x-ms-blob-type",
                "x-ms-client-request-id",
                "x-ms-version",
            ];
            assert_eq!(header_names(&seen), expected);
            assert_eq!(seen.headers["x-ms-blob-type"], "BlockBlob");
            continue;
        }
        let body: &[&str] = match seen.method.as_str() {
            "POST" => &["content-length", "content-type"],
            _ => &[],
        };
        let (first, last) = (
            ["accept", "authorization"],
            ["host", "user-agent", "x-ms-client-request-id"],
        );
        assert_eq!(header_names(&seen), [&first, body, &last].concat());
        assert_eq!(seen.headers["accept"], "application/json");
        // One token for ARM, one for the hosts of the workspace, and that one for all of them.
        let token = TOKEN.replace('1', "2");
        assert_eq!(seen.headers["authorization"], format!("Bearer {token}"));
        assert!(azure_core::Uuid::parse_str(seen.request_id()).is_ok());
        let agent = &seen.headers["user-agent"];
        assert!(agent.starts_with("azsdk-rust-azureml-aks/"), "{agent}");
        if !body.is_empty() {
            assert_eq!(seen.headers["content-type"], "application/json");
            assert_eq!(seen.headers["content-length"], seen.body.len().to_string());
        }
    }
    let mut ids: Vec<String> = sent(&service)
        .iter()
        .map(|seen| seen.request_id().to_owned())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 7, "every call has an id of its own");
    assert_eq!(
        service.token.asked(),
        [
            "https://management.azure.com/.default",
            "https://ml.azure.com/.default"
        ]
    );
}

#[tokio::test]
async fn model_is_described_by_what_was_given_and_nothing_else() {
    let service = start().await;
    let (_folder, path) = folder();
    Model::register(&plane::workspace(&service), "mymodel", &path)
        .description("for \"digits\" — größer")
        .tag("b", "2")
        .tag("a", "")
        .property("p", "q")
        .framework("ScikitLearn")
        .framework_version("0.22")
        .resource_needs(ResourceNeeds::new().cpu(0.5).memory_gb(1.0).gpu(2))
        .await
        .unwrap();
    let expected = json!({
        "name": "mymodel", "mimeType": "application/json", "url": "aml://asset/a1", "unpack": false,
        "description": "for \"digits\" — größer", "kvTags": { "a": "", "b": "2" },
        "properties": { "p": "q" }, "framework": "ScikitLearn", "frameworkVersion": "0.22",
        "resourceRequirements": { "cpu": 0.5, "memoryInGB": 1.0, "gpu": 2 },
    });
    let sent = only(&service, "POST", &models("/models"));
    assert_eq!(sent.text(), expected.to_string());
}

#[tokio::test]
async fn outputs_of_a_run_are_looked_for_and_named_and_nothing_is_uploaded() {
    let mut service = plane::start().await;
    let below = artifacts("/prefix/contentinfo/ExperimentRun/dcid.e_1/outputs/a%20b.pkl");
    let found = json!({ "value": [{ "contentUri": signed("/c/x"), "path": "outputs/a b.pkl" }] });
    service.on("GET", &below, Reply::json(200, &found)).await;
    on_newest(&mut service, "mymodel", json!([])).await;
    let asset = json!({ "id": "a1" });
    service
        .on("POST", &models("/assets"), Reply::json(200, &asset))
        .await
        .on("POST", &models("/models"), Reply::json(200, &described(1)))
        .await;
    let output = RunOutput::new("e", "e_1", "./outputs/a b.pkl");
    Model::register_from_run(&plane::workspace(&service), "mymodel", output)
        .await
        .unwrap();
    assert_eq!(
        plane::lines(&service),
        [
            format!("GET {MODELS} {}", newest("mymodel")),
            format!("GET {HISTORY} {below}"),
            format!("POST {MODELS} {}", models("/assets")),
            format!("POST {MODELS} {}", models("/models")),
        ]
    );
    assert_eq!(
        only(&service, "POST", &models("/assets")).text(),
        r#"{"artifacts":[{"prefix":"ExperimentRun/dcid.e_1/outputs/a b.pkl"}],"name":"mymodel","runid":"e_1"}"#
    );
    let expected = json!({
        "name": "mymodel", "mimeType": "application/json", "url": "aml://asset/a1", "unpack": false,
        "experimentName": "e", "runId": "e_1",
    });
    assert_eq!(
        only(&service, "POST", &models("/models")).text(),
        expected.to_string()
    );
}

#[tokio::test]
async fn same_output_of_another_run_or_experiment_is_another_version() {
    for (experiment, run, same) in [("e", "e_1", true), ("e", "e_2", false), ("f", "e_1", false)] {
        let mut service = plane::start().await;
        let below = artifacts("/prefix/contentinfo/ExperimentRun/shared/m.pkl");
        let found = json!({ "value": [{ "contentUri": signed("/c/x"), "path": "m.pkl" }] });
        service.on("GET", &below, Reply::json(200, &found)).await;
        on_newest(&mut service, "mymodel", json!([described(1)])).await;
        let asset =
            json!({ "id": "a1", "artifacts": [{ "prefix": "ExperimentRun/shared/m.pkl" }] });
        service
            .on("GET", &models("/assets/a1"), Reply::json(200, &asset))
            .await
            .on("POST", &models("/assets"), Reply::json(200, &asset))
            .await
            .on("POST", &models("/models"), Reply::json(200, &described(2)))
            .await;
        let output = RunOutput::new(experiment, run, "m.pkl").container("shared");
        let model = Model::register_from_run(&plane::workspace(&service), "mymodel", output);
        let expected = if same { 1 } else { 2 };
        assert_eq!(model.await.unwrap().version(), Some(expected), "{run}");
        // Its run tells: the asset of another one is not even asked for.
        let rest = match same {
            true => vec![format!("GET {MODELS} {}", models("/assets/a1"))],
            false => vec![
                format!("GET {HISTORY} {below}"),
                format!("POST {MODELS} {}", models("/assets")),
                format!("POST {MODELS} {}", models("/models")),
            ],
        };
        let lines = plane::lines(&service);
        assert_eq!(lines[0], format!("GET {MODELS} {}", newest("mymodel")));
        assert_eq!(lines[1..], rest, "{experiment} {run}");
    }
}

#[tokio::test]
async fn artifacts_that_exist_already_are_written_by_urls_of_their_own() {
    let mut service = plane::start().await;
    // One is there, said in the words of the description; the other is answered without a URL.
    let answer = json!({
        "artifactContentInformation": {},
        "errors": { "my model/a b.bin": { "error": { "code": "UserError",
            "message": "Conflict: resource already exists" } } },
    });
    service
        .on("POST", &announcement(), Reply::json(200, &answer))
        .await;
    for (name, blob) in [
        ("a%20b.bin", "/c/one"),
        ("sub/gr%C3%B6%C3%9Fe.txt", "/c/two"),
    ] {
        let write = artifacts(&format!("/write/LocalUpload/{CONTAINER}/my%20model/{name}"));
        let found = json!({ "contentUri": signed(blob) });
        let blob = format!("{blob}?sv=2021-08-06&sr=b&sig=a%2Bb%3D");
        service
            .on("GET", &write, Reply::json(200, &found))
            .await
            .on("PUT", &blob, Reply::empty(201))
            .await;
    }
    // Another process makes the version while this one uploads.
    on_newest(&mut service, "mymodel", json!([])).await;
    on_newest(&mut service, "mymodel", json!([described(1)])).await;
    let asset = json!({ "id": "a1", "artifacts": [
        { "id": null, "prefix": format!("LocalUpload/{CONTAINER}/my model") },
    ] });
    service
        .on("GET", &models("/assets/a1"), Reply::json(200, &asset))
        .await;
    let (_folder, path) = folder();
    let model = Model::register(&plane::workspace(&service), "mymodel", &path)
        .await
        .unwrap();
    // The latest version is the same: no other is made.
    assert_eq!(model.id(), "mymodel:1");
    let mut lines = plane::lines(&service);
    // The two files go side by side.
    lines[2..6].sort();
    let write = artifacts(&format!("/write/LocalUpload/{CONTAINER}/my%20model"));
    assert_eq!(
        lines,
        [
            format!("GET {MODELS} {}", newest("mymodel")),
            format!("POST {HISTORY} {}", announcement()),
            format!("GET {HISTORY} {write}/a%20b.bin"),
            format!("GET {HISTORY} {write}/sub/gr%C3%B6%C3%9Fe.txt"),
            format!("PUT {STORE} /c/one?sv=2021-08-06&sr=b&sig=a%2Bb%3D"),
            format!("PUT {STORE} /c/two?sv=2021-08-06&sr=b&sig=a%2Bb%3D"),
            format!("GET {MODELS} {}", newest("mymodel")),
            format!("GET {MODELS} {}", models("/assets/a1")),
        ]
    );
}

#[tokio::test]
async fn version_that_differs_in_a_given_value_is_another_one() {
    type Change = fn(azureml_aks::models::RegisterModel) -> azureml_aks::models::RegisterModel;
    let changes: [(&str, Change, bool); 10] = [
        ("nothing", |one| one, true),
        (
            "the same",
            |one| one.tag("area", "digits").description("d"),
            true,
        ),
        ("description", |one| one.description("other"), false),
        ("tag", |one| one.tag("area", "letters"), false),
        ("property", |one| one.property("new", "1"), false),
        ("framework", |one| one.framework("Onnx"), false),
        (
            "version of the framework",
            |one| one.framework("ScikitLearn").framework_version("0.23"),
            false,
        ),
        (
            "needs",
            |one| one.resource_needs(ResourceNeeds::new().cpu(2.0)),
            false,
        ),
        ("sample", |one| one.sample_input_dataset("d1"), false),
        (
            "sample of answers",
            |one| one.sample_output_dataset("d2"),
            false,
        ),
    ];
    for (name, change, same) in changes {
        let mut service = plane::start().await;
        service
            .on("POST", &announcement(), Reply::json(200, &announced()))
            .await;
        for blob in BLOBS {
            service.on("PUT", blob, Reply::empty(201)).await;
        }
        on_newest(&mut service, "mymodel", json!([described(7)])).await;
        let asset = json!({ "id": "a1", "artifacts": [
            { "prefix": format!("LocalUpload/{CONTAINER}/my model/") },
        ] });
        service
            .on("GET", &models("/assets/a1"), Reply::json(200, &asset))
            .await
            .on("POST", &models("/assets"), Reply::json(200, &asset))
            .await
            .on("POST", &models("/models"), Reply::json(200, &described(8)))
            .await;
        let (_folder, path) = folder();
        let registration = Model::register(&plane::workspace(&service), "mymodel", &path);
        let model = change(registration).await.unwrap();
        assert_eq!(model.version(), Some(if same { 7 } else { 8 }), "{name}");
        if same {
            // It is known before anything is announced or uploaded.
            let found = [
                format!("GET {MODELS} {}", newest("mymodel")),
                format!("GET {MODELS} {}", models("/assets/a1")),
            ];
            assert_eq!(plane::lines(&service), found, "{name}");
        }
    }
}

#[tokio::test]
async fn always_new_version_is_made_without_a_search_for_an_existing_one() {
    let mut service = start().await;
    on_newest(&mut service, "mymodel", json!([described(7)])).await;
    let (_folder, path) = folder();
    Model::register(&plane::workspace(&service), "mymodel", &path)
        .always_new()
        .await
        .unwrap();
    let mut lines = plane::lines(&service);
    lines[1..3].sort();
    assert_eq!(
        lines,
        [
            format!("POST {HISTORY} {}", announcement()),
            format!("PUT {STORE} {}", BLOBS[0]),
            format!("PUT {STORE} {}", BLOBS[1]),
            format!("POST {MODELS} {}", models("/assets")),
            format!("POST {MODELS} {}", models("/models")),
        ]
    );
}

#[tokio::test]
async fn fifty_paths_are_announced_at_once_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("m");
    fs::create_dir(&model).unwrap();
    for number in 0..51 {
        fs::write(model.join(format!("f{number:02}")), "x").unwrap();
    }
    let mut service = plane::start().await;
    let target = artifacts("/batch/metadata/LocalUpload/ddc039938e963b190865de69c57b6d04");
    for range in [0..50, 50..51] {
        let content: serde_json::Map<String, Value> = range
            .map(|number| {
                let uri = signed(&format!("/c/f{number:02}"));
                (format!("m/f{number:02}"), json!({ "contentUri": uri }))
            })
            .collect();
        let answer = json!({ "artifactContentInformation": content });
        service.on("POST", &target, Reply::json(200, &answer)).await;
    }
    for number in 0..51 {
        let blob = format!("/c/f{number:02}?sv=2021-08-06&sr=b&sig=a%2Bb%3D");
        service.on("PUT", &blob, Reply::empty(201)).await;
    }
    on_newest(&mut service, "m", json!(null)).await;
    let asset = json!({ "id": "a1" });
    service
        .on("POST", &models("/assets"), Reply::json(200, &asset))
        .await
        .on("POST", &models("/models"), Reply::json(201, &described(1)))
        .await;
    Model::register(&plane::workspace(&service), "m", &model)
        .await
        .unwrap();
    let announcements: Vec<usize> = sent(&service)
        .iter()
        .filter(|seen| seen.target == target)
        .map(|seen| {
            let body: Value = serde_json::from_slice(&seen.body).unwrap();
            body["paths"].as_array().unwrap().len()
        })
        .collect();
    assert_eq!(announcements, [50, 1]);
    let puts = sent(&service)
        .iter()
        .filter(|seen| seen.method == "PUT")
        .count();
    assert_eq!(puts, 51);
}
