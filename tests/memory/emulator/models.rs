//! Assets and models.

use std::time::Duration;

use azure_core::http::{Method, Request, Url};
use azureml_aks::emulator::{Clock, Emulator, Fault};
use serde_json::{Value, json};

use super::artifacts::{plane, upload};
use crate::support::raw::*;

fn management(emulator: &Emulator, rest: &str) -> String {
    plane(emulator, "modelmanagement/v1.0", rest)
}

async fn post(emulator: &Emulator, rest: &str, body: &Value) -> Reply {
    send(
        emulator,
        Method::Post,
        &management(emulator, rest),
        Some(body),
    )
    .await
}

async fn see(emulator: &Emulator, rest: &str) -> Reply {
    read(emulator, &management(emulator, rest)).await
}

/// An asset of what is there under a prefix.
async fn asset(emulator: &Emulator, prefix: &str) -> String {
    let body = json!({ "name": "asset", "artifacts": [{ "prefix": prefix }] });
    let reply = post(emulator, "assets", &body).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    reply.body["id"].as_str().unwrap().to_owned()
}

/// Uploads a file, makes an asset of it and returns the model's URL.
async fn stored(emulator: &Emulator) -> String {
    let container = format!("c{}", emulator.journal().len());
    let prefix = upload(emulator, &container, "model.pkl", b"content").await;
    format!("aml://asset/{}", asset(emulator, &prefix).await)
}

async fn register(emulator: &Emulator, name: &str, more: Value) -> Reply {
    let url = stored(emulator).await;
    let mut body = json!({ "name": name, "mimeType": "application/json", "url": url });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    post(emulator, "models", &body).await
}

async fn patch(emulator: &Emulator, id: &str, kind: &'static str, body: &Value) -> (u16, Value) {
    let url = management(emulator, &format!("models/{id}"));
    let mut request = Request::new(Url::parse(&url).unwrap(), Method::Patch);
    request.insert_header("authorization", "Bearer t");
    request.insert_header("content-type", kind);
    request.set_body(body.to_string().into_bytes());
    let answer = emulator
        .http_client()
        .execute_request(&request)
        .await
        .unwrap();
    let status = u16::from(answer.status());
    let (_, _, body) = answer.deconstruct();
    let body = body.collect().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

const JSON_PATCH: &str = "application/json-patch+json";

fn ids(reply: &Reply) -> Vec<&str> {
    let value = reply.body["value"].as_array().unwrap();
    value
        .iter()
        .map(|model| model["id"].as_str().unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn versions_count_up_for_each_name_and_what_was_given_comes_back() {
    let emulator = Emulator::new();
    let all = json!({
        "description": "a model", "framework": "ScikitLearn", "frameworkVersion": "0.22",
        "kvTags": { "team": "forecast" }, "properties": { "p": "1" }, "unpack": true,
        "experimentName": "exp", "runId": "unknown-run",
        "resourceRequirements": { "cpu": 1.0, "memoryInGB": 0.5 },
        "datasets": [{ "name": "training", "id": "d1" }],
    });
    let reply = register(&emulator, "my-model", all.clone()).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    assert_eq!(reply.body["id"], "my-model:1");
    assert_eq!(reply.body["version"], 1);
    assert!(reply.body["createdTime"].as_str().unwrap().contains('T'));
    for (key, value) in all.as_object().unwrap() {
        assert_eq!(&reply.body[key], value, "{key}");
    }
    let plain = register(&emulator, "my-model", json!({ "datasets": [] }))
        .await
        .body;
    assert_eq!(plain["id"], "my-model:2");
    assert_eq!(
        (&plain["kvTags"], &plain["properties"], &plain["unpack"]),
        (&json!({}), &json!({}), &json!(false))
    );
    assert!(
        plain.get("description").is_none(),
        "what was not said is absent: {plain}"
    );
    assert_eq!(
        register(&emulator, "other", json!({})).await.body["id"],
        "other:1"
    );
    for id in ["my-model:1", "my-model%3A1"] {
        assert_eq!(
            see(&emulator, &format!("models/{id}")).await.body,
            reply.body
        );
    }
    // Within a service every key is shown: `emulator.model` has them all.
    let document = emulator.model("my-model:2").unwrap();
    for key in [
        "id",
        "createdTime",
        "createdBy",
        "description",
        "mimeType",
        "name",
        "framework",
        "frameworkVersion",
        "properties",
        "unpack",
        "url",
        "version",
        "experimentName",
        "runId",
        "datasets",
    ] {
        assert!(document.get(key).is_some(), "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn refusal_has_its_status_in_the_body() {
    let emulator = Emulator::new();
    let reply = see(&emulator, "models/absent:1").await;
    assert_eq!(reply.status, 404);
    assert_eq!(reply.body["statusCode"], 404);
    assert_eq!(reply.body["code"], "ModelNotFound");
    assert!(reply.body["message"].as_str().unwrap().contains("absent:1"));
    assert!(reply.body["details"].is_array() && reply.body["correlation"].is_object());
    assert_eq!(see(&emulator, "models/absent").await.status, 404);
    assert_eq!(
        see(&emulator, "assets/absent").await.body["statusCode"],
        404
    );
    let url = management(&emulator, "models");
    let bare = try_send(&emulator, Method::Get, &url, None, None)
        .await
        .unwrap();
    assert_eq!((bare.status, &bare.body["statusCode"]), (401, &json!(401)));
    let put = send(&emulator, Method::Put, &url, None).await;
    assert_eq!(
        (put.status, &put.body["code"]),
        (405, &json!("UnsupportedByEmulator"))
    );
}

#[tokio::test(start_paused = true)]
async fn model_needs_a_good_name_and_files_that_are_there() {
    let emulator = Emulator::new();
    for name in ["", "-a", ".a", "a b", "a:1", "ä", &"a".repeat(256)] {
        assert_eq!(
            register(&emulator, name, json!({})).await.status,
            400,
            "{name}"
        );
    }
    assert_eq!(
        register(&emulator, &"a".repeat(255), json!({}))
            .await
            .status,
        200
    );
    for bad in [
        json!({ "version": 3 }),
        json!({ "tags": {} }),
        json!({ "kvTags": { "a": 1 } }),
        json!({ "kvTags": ["a"] }),
        json!({ "unpack": "no" }),
        json!({ "mimeType": null }),
        json!({ "datasets": [{ "surprise": "x" }] }),
        json!({ "resourceRequirements": { "cpu": "1" } }),
        json!({ "url": "https://elsewhere.example/model" }),
        json!({ "url": "aml://asset/absent" }),
    ] {
        let reply = register(&emulator, "model", bad.clone()).await;
        assert_eq!(reply.status, 400, "{bad}");
    }

    // A name for a blob is not a blob.
    let url = plane(
        &emulator,
        "artifact/v2.0",
        "artifacts/batch/metadata/LocalUpload/empty",
    );
    let paths = json!({ "paths": [{ "path": "folder/a" }] });
    send(&emulator, Method::Post, &url, Some(&paths)).await;
    for (prefix, text) in [
        ("LocalUpload/empty/folder", "never uploaded"),
        ("LocalUpload/absent/folder", "there is no artifact"),
    ] {
        let url = format!("aml://asset/{}", asset(&emulator, prefix).await);
        let reply = register(&emulator, "model", json!({ "url": url })).await;
        let message = reply.body["message"].as_str().unwrap();
        assert!(reply.status == 400 && message.contains(text), "{message}");
    }
    let none = post(&emulator, "assets", &json!({ "name": "asset" }))
        .await
        .body;
    let url = format!("aml://asset/{}", none["id"].as_str().unwrap());
    assert_eq!(
        register(&emulator, "model", json!({ "url": url }))
            .await
            .status,
        400
    );
    // None of it took a version.
    assert_eq!(
        register(&emulator, "model", json!({})).await.body["version"],
        1
    );
}

#[tokio::test(start_paused = true)]
async fn model_is_registered_from_the_outputs_of_a_run() {
    let emulator = Emulator::builder()
        .run_output("exp", "run-1", "outputs/model.pkl", "x")
        .build();
    let url = asset(&emulator, "ExperimentRun/dcid.run-1/outputs/model.pkl").await;
    let url = format!("aml://asset/{url}");
    let of_run =
        |experiment: &str| json!({ "url": url, "runId": "run-1", "experimentName": experiment });
    let reply = register(&emulator, "model", of_run("exp")).await;
    assert_eq!((reply.status, &reply.body["runId"]), (200, &json!("run-1")));
    let other = register(&emulator, "model", of_run("other")).await;
    assert_eq!(other.status, 400, "a run belongs to one experiment");
    assert_eq!(
        ids(&see(&emulator, "models?runId=run-1").await),
        ["model:1"]
    );
}

#[tokio::test(start_paused = true)]
async fn lists_are_filtered_ordered_and_paged() {
    let emulator = Emulator::builder().page_size(2).build();
    for (name, more) in [
        ("a", json!({ "kvTags": { "k": "1" }, "framework": "Onnx" })),
        (
            "b",
            json!({ "kvTags": { "k": "2", "l": "" }, "properties": { "p": "q" } }),
        ),
        ("a", json!({ "description": "second" })),
        (
            "a",
            json!({ "datasets": [{ "name": "training", "id": "d" }] }),
        ),
    ] {
        assert_eq!(register(&emulator, name, more).await.status, 200);
    }
    for (query, expected) in [
        ("?name=a", &["a:3", "a:2"][..]),
        ("?name=a&count=1", &["a:3"]),
        ("?name=a&count=255", &["a:3", "a:2"]),
        ("?orderBy=CreatedAtAsc", &["a:1", "b:1"]),
        ("?latestVersionOnly=true", &["a:3", "b:1"]),
        ("?latestVersionOnly=false&framework=Onnx", &["a:1"]),
        ("?description=second", &["a:2"]),
        ("?tags=k", &["b:1", "a:1"]),
        ("?tags=k,l", &["b:1"]),
        ("?tags=k=1", &["a:1"]),
        ("?tags=k=1,l", &[]),
        ("?properties=p=q", &["b:1"]),
        ("?datasetId=d", &["a:3"]),
        ("?name=A", &[]),
    ] {
        let reply = see(&emulator, &format!("models{query}")).await;
        assert_eq!(reply.status, 200, "{query}: {:?}", reply.body);
        assert_eq!(ids(&reply), expected, "{query}");
    }
    let changed = json!([{ "op": "add", "path": "/kvTags/x", "value": "y" }]);
    patch(&emulator, "b:1", JSON_PATCH, &changed).await;
    assert_eq!(
        ids(&see(&emulator, "models?orderBy=UpdatedAtDesc").await),
        ["b:1", "a:3"]
    );

    let first = see(&emulator, "models?name=a&count=2").await;
    let next = first.body["nextLink"].as_str().unwrap();
    assert!(
        next.starts_with("https://history.example/modelmanagement/"),
        "{next}"
    );
    assert!(next.contains("name=a") && next.contains("count=2") && next.contains("skipToken="));
    let second = read(&emulator, next).await;
    assert_eq!(ids(&second), ["a:1"]);
    assert!(second.body.get("nextLink").is_none(), "absent, not null");

    for query in [
        "?surprise=1",
        "?count=0",
        "?count=x",
        "?orderBy=Name",
        "?latestVersionOnly=yes",
        "?$skipToken=x",
        "?api-version=1",
    ] {
        assert_eq!(
            see(&emulator, &format!("models{query}")).await.status,
            400,
            "{query}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn patch_changes_tags_and_description_and_only_adds_properties() {
    let emulator = Emulator::builder().clock(Clock::Manual).build();
    let more = json!({ "kvTags": { "a": "1" }, "properties": { "p": "1" } });
    register(&emulator, "m", more).await;
    emulator.advance(Duration::from_secs(60));
    let change = async |body: Value| patch(&emulator, "m:1", JSON_PATCH, &body).await;
    let (status, model) = change(json!([
        { "op": "replace", "path": "/description", "value": "new" },
        { "op": "add", "path": "/kvTags/b~1c", "value": "2" },
        { "op": "add", "path": "/properties/q", "value": "2" },
        { "op": "replace", "path": "/resourceRequirements", "value": { "cpu": 2.0 } },
    ]))
    .await;
    assert_eq!(status, 200, "{model}");
    assert_eq!(model["description"], "new");
    assert_eq!(model["kvTags"], json!({ "a": "1", "b/c": "2" }));
    assert_eq!(model["properties"], json!({ "p": "1", "q": "2" }));
    assert_ne!(model["modifiedTime"], model["createdTime"]);
    let (_, model) =
        change(json!([{ "op": "replace", "path": "/kvTags", "value": { "z": "9" } }])).await;
    assert_eq!(model["kvTags"], json!({ "z": "9" }));
    // As `azureml-core` adds one: with all that were there.
    let merged =
        json!([{ "op": "add", "path": "/properties", "value": { "p": "1", "q": "2", "r": "3" } }]);
    assert_eq!(change(merged).await.0, 200);
    let (_, model) = change(json!([
        { "op": "remove", "path": "/description" }, { "op": "remove", "path": "/kvTags/z" },
    ]))
    .await;
    assert!(
        model.get("description").is_none() && model["kvTags"] == json!({}),
        "{model}"
    );

    let before = emulator.model("m:1").unwrap();
    for bad in [
        json!([]),
        json!({ "op": "add" }),
        json!([{ "op": "replace", "path": "/properties/p", "value": "2" }]),
        json!([{ "op": "remove", "path": "/properties/p" }]),
        json!([{ "op": "replace", "path": "/properties", "value": { "p": "1" } }]),
        json!([{ "op": "replace", "path": "/kvTags/absent", "value": "1" }]),
        json!([{ "op": "replace", "path": "/kvTags", "value": { "a": 1 } }]),
        json!([{ "op": "replace", "path": "/name", "value": "n" }]),
        json!([{ "op": "replace", "path": "/description" }]),
        json!([{ "op": "move", "path": "/description", "from": "/name" }]),
        // All or nothing.
        json!([{ "op": "add", "path": "/kvTags/x", "value": "1" }, { "op": "remove", "path": "/id" }]),
    ] {
        let (status, _) = change(bad.clone()).await;
        assert_eq!(status, 400, "{bad}");
    }
    assert_eq!(emulator.model("m:1").unwrap(), before);
    let fine = json!([{ "op": "add", "path": "/kvTags/x", "value": "1" }]);
    assert_eq!(
        patch(&emulator, "m:1", "application/json", &fine).await.0,
        415
    );
    assert_eq!(patch(&emulator, "m:9", JSON_PATCH, &fine).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn deleted_model_is_gone_and_its_version_does_not_come_back() {
    let emulator = Emulator::new();
    register(&emulator, "m", json!({})).await;
    let url = management(&emulator, "models/m%3A1");
    assert_eq!(
        send(&emulator, Method::Delete, &url, None).await.status,
        200
    );
    assert_eq!(
        send(&emulator, Method::Delete, &url, None).await.status,
        204
    );
    assert_eq!(see(&emulator, "models/m:1").await.status, 404);
    assert_eq!(register(&emulator, "m", json!({})).await.body["version"], 2);
    emulator.inject(
        Fault::server_error(500)
            .on(Method::Get, "/modelmanagement/")
            .times(1),
    );
    assert_eq!(see(&emulator, "models/m:2").await.status, 500);
}

#[tokio::test(start_paused = true)]
async fn assets_are_made_read_listed_and_removed() {
    let emulator = Emulator::new();
    let body = json!({
        "name": "one", "artifacts": [{ "id": "LocalUpload/c/m" }], "kvTags": { "a": "b" },
        "properties": { "p": "q" }, "runid": "r", "meta": { "x": "y" }, "description": "d",
    });
    let made = post(&emulator, "assets", &body).await.body;
    for (key, value) in body.as_object().unwrap() {
        assert_eq!(&made[key], value, "{key}");
    }
    let id = made["id"].as_str().unwrap();
    assert_eq!(see(&emulator, &format!("assets/{id}")).await.body, made);
    let second = asset(&emulator, "LocalUpload/c/n").await;
    for (query, expected) in [
        ("", &[second.as_str(), id][..]),
        ("?orderby=CreatedAtAsc", &[id, &second]),
        ("?name=one", &[id]),
        ("?runId=r", &[id]),
        ("?tags=a=b", &[id]),
        ("?properties=p", &[id]),
        ("?count=1", &[&second]),
    ] {
        assert_eq!(
            ids(&see(&emulator, &format!("assets{query}")).await),
            expected,
            "{query}"
        );
    }
    for bad in [
        json!({}),
        json!({ "name": "a", "artifacts": [{}] }),
        json!({ "name": "a", "artifacts": [{ "id": "a/b/c", "prefix": "a/b/c" }] }),
        json!({ "name": "a", "artifacts": [{ "prefix": "only-one-part" }] }),
        json!({ "name": "a", "runId": "r" }),
    ] {
        assert_eq!(post(&emulator, "assets", &bad).await.status, 400, "{bad}");
    }
    let url = management(&emulator, &format!("assets/{id}"));
    assert_eq!(
        send(&emulator, Method::Delete, &url, None).await.status,
        200
    );
    assert_eq!(
        send(&emulator, Method::Delete, &url, None).await.status,
        204
    );
    assert_eq!(read(&emulator, &url).await.status, 404);
}
