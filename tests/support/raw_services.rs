//! Raw requests for services.

use azure_core::http::Method;
use azureml_aks::emulator::{Clock, Emulator, EmulatorBuilder};
use serde_json::{Value, json};

use super::raw::*;

/// Where the files of the run lie.
pub(crate) const CODE: &str = "aml://artifact/ExperimentRun/dcid.run";

pub(crate) const HOST: &str = "https://management.azure.com";

/// An emulator with a manual clock.
pub(crate) fn manual() -> EmulatorBuilder {
    Emulator::builder().clock(Clock::Manual)
}

/// Builds it, with a compute `myaks` that is ready (three nodes of four cores, 14 GB, no GPU), the
/// models `mymodel:1`, `mymodel:2` and `other:1` that need no code, and two files of code.
pub(crate) async fn with_compute(builder: EmulatorBuilder) -> Emulator {
    let emulator = builder
        .run_output("experiment", "run", "model.pkl", "a model")
        .run_output("experiment", "run", "d.py", "the driver")
        .run_output("experiment", "run", "s.py", "the entry script")
        .build();
    create(&emulator, "myaks", json!({})).await;
    for name in ["mymodel", "mymodel", "other"] {
        register(&emulator, name, "ScikitLearn").await;
    }
    emulator
}

/// Registers a model of what a run left.
pub(crate) async fn register(emulator: &Emulator, name: &str, framework: &str) {
    let artifact = format!("{CODE}/model.pkl");
    let prefix = artifact.strip_prefix("aml://artifact/").unwrap();
    let body = json!({ "name": name, "artifacts": [{ "prefix": prefix }] });
    let asset = post(emulator, "/assets", body).await;
    assert_eq!(asset.status, 200, "{:?}", asset.body);
    let body = json!({
        "name": name, "mimeType": "application/json", "framework": framework,
        "url": format!("aml://asset/{}", asset.body["id"].as_str().unwrap()),
    });
    let model = post(emulator, "/models", body).await;
    assert_eq!(model.status, 200, "{:?}", model.body);
}

pub(crate) fn url(emulator: &Emulator, rest: &str) -> String {
    workspace_url(emulator).replacen(HOST, &format!("{HOST}/modelmanagement/v1.0"), 1) + rest
}

/// A request for one model without code.
pub(crate) fn no_code(name: &str) -> Value {
    json!({
        "name": name, "computeType": "AKS", "computeName": "myaks",
        "environmentImageRequest": { "modelIds": ["mymodel:1"] },
    })
}

/// The same with more members, or others.
pub(crate) fn no_code_with(name: &str, members: &Value) -> Value {
    let mut body = no_code(name);
    for (key, value) in members.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

pub(crate) async fn call(
    emulator: &Emulator,
    method: Method,
    rest: &str,
    body: Option<Value>,
) -> Reply {
    send(emulator, method, &url(emulator, rest), body.as_ref()).await
}

pub(crate) async fn post(emulator: &Emulator, rest: &str, body: Value) -> Reply {
    call(emulator, Method::Post, rest, Some(body)).await
}

pub(crate) async fn patch(emulator: &Emulator, name: &str, steps: Value) -> Reply {
    call(
        emulator,
        Method::Patch,
        &format!("/services/{name}"),
        Some(steps),
    )
    .await
}

pub(crate) fn replace(path: &str, value: Value) -> Value {
    json!([{ "op": "replace", "path": path, "value": value }])
}

pub(crate) async fn read_service(emulator: &Emulator, name: &str) -> Reply {
    call(
        emulator,
        Method::Get,
        &format!("/services/{name}?expand=true"),
        None,
    )
    .await
}

/// Sends a create that is accepted, and returns the URL of its operation.
pub(crate) async fn deploying(emulator: &Emulator, body: Value) -> String {
    let reply = post(emulator, "/services", body).await;
    assert_eq!(reply.status, 202, "{:?}", reply.body);
    operation_of(&reply)
}

/// Deploys, and lets it end.
pub(crate) async fn deploy(emulator: &Emulator, body: Value) -> String {
    let operation = deploying(emulator, body).await;
    emulator.finish_operations();
    operation
}

pub(crate) fn operation_of(reply: &Reply) -> String {
    reply
        .header("operation-location")
        .expect("Operation-Location")
        .to_owned()
}

pub(crate) fn message(reply: &Reply) -> &str {
    reply.body["message"].as_str().unwrap_or_default()
}

pub(crate) fn service_code(reply: &Reply) -> &str {
    reply.body["code"].as_str().unwrap_or_default()
}

pub(crate) fn service_state(emulator: &Emulator, name: &str) -> String {
    let service = emulator.service(name).unwrap();
    service["state"].as_str().unwrap().to_owned()
}
