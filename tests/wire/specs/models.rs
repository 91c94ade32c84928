//! Answers of the emulator about artifacts, assets and models, checked against Microsoft's published
//! descriptions of the data plane.

use crate::support::specs::allowed::{Allowed, KnownRoute, verdict};
use crate::support::specs::{Direction, Exchange, Kind, Report, Specs};
use azure_core::http::{Method, Request, Url};
use azureml_aks::emulator::Emulator;
use serde_json::{Value, json};

/// Members that the emulator shows, and the descriptions do not know.
const ALLOWED: &[Allowed] = &[
    CREATED_BY,
    Allowed {
        id: "the creator of a listed model",
        pointer: "/value/*/createdBy",
        ..CREATED_BY
    },
    Allowed {
        id: "what a model needs to run, sent",
        source: "azureml-core 1.61, recorded: Model.register",
        pointer: "/resourceRequirements",
        direction: Direction::Request,
        ..CREATED_BY
    },
    Allowed {
        id: "what a model needs to run, read",
        source: "azureml-core 1.61: it reads back what it sent",
        pointer: "*/resourceRequirements",
        ..CREATED_BY
    },
    Allowed {
        id: "the value of a patch is whatever is replaced",
        source: "azureml-core 1.61, recorded; RFC 6902; the description says object",
        route: "PATCH */models/{id}",
        pointer: "/*/value",
        kind: Kind::WrongType,
        direction: Direction::Request,
        value: None,
    },
    Allowed {
        id: "correlation of a refusal",
        source: "azureml-core 1.61: it reads it beside code, statusCode, message and details",
        route: "GET */models/{id}",
        pointer: "/correlation",
        ..CREATED_BY
    },
];

const CREATED_BY: Allowed = Allowed {
    id: "the creator of a model",
    source: "azureml-core 1.61: its type of a model has it, and services show it",
    route: "* */models*",
    pointer: "/createdBy",
    kind: Kind::Unknown,
    direction: Direction::Response,
    value: None,
};

const ROUTES: &[KnownRoute] = &[KnownRoute {
    method: "GET",
    path: "/environment/v1.0/*",
    reason: "azureml-core 1.61 reads and registers environments there; published nowhere",
}];

/// Sends a request and returns it with its answer.
async fn exchange(
    emulator: &Emulator,
    method: Method,
    target: &str,
    body: Option<Value>,
) -> Exchange {
    let url = format!("https://history.example{target}");
    let mut request = Request::new(Url::parse(&url).unwrap(), method);
    request.insert_header("authorization", "Bearer t");
    if let Some(body) = &body {
        let kind = if method == Method::Patch {
            "application/json-patch+json"
        } else {
            "application/json"
        };
        request.insert_header("content-type", kind);
        request.set_body(body.to_string().into_bytes());
    }
    let answer = emulator
        .http_client()
        .execute_request(&request)
        .await
        .unwrap();
    let (status, headers, answered) = answer.deconstruct();
    let answered = answered.collect().await.unwrap();
    let answered = (!answered.is_empty()).then(|| serde_json::from_slice(&answered).unwrap());
    let names = headers.iter().map(|(name, _)| name.as_str().to_owned());
    let exchange = Exchange::new(method.as_ref(), target)
        .answered(u16::from(status), answered)
        .with_headers(names);
    match body {
        Some(body) => exchange.sending(body),
        None => exchange,
    }
}

/// Every route once, and the lists with more than one page.
async fn everything() -> Vec<Exchange> {
    let emulator = Emulator::builder()
        .page_size(1)
        .run_output("exp", "run-1", "outputs/a.pkl", "a")
        .run_output("exp", "run-1", "outputs/b.pkl", "b")
        .build();
    let workspace = format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.MachineLearningServices/workspaces/{}",
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace()
    );
    let artifacts = format!("/artifact/v2.0{workspace}/artifacts");
    let models = format!("/modelmanagement/v1.0{workspace}/models");
    let assets = format!("/modelmanagement/v1.0{workspace}/assets");
    let mut seen = Vec::new();
    for (method, target, body) in [
        (
            Method::Post,
            "LocalUpload/c/batch/metadata",
            Some(json!({ "paths": [{ "path": "m" }, { "path": "/bad" }] })),
        ),
        (Method::Get, "LocalUpload/c/metadata?path=m", None),
        (Method::Get, "LocalUpload/c/contentinfo?path=m", None),
        (Method::Get, "LocalUpload/c/contentinfo?path=absent", None),
        (Method::Get, "LocalUpload/c/write?path=m", None),
        (
            Method::Get,
            "ExperimentRun/dcid.run-1/prefix/contentinfo",
            None,
        ),
        (Method::Get, "ExperimentRun/dcid.run-1", None),
    ] {
        let target = format!("{artifacts}/{target}");
        seen.push(exchange(&emulator, method, &target, body).await);
    }
    let body =
        json!({ "name": "a", "artifacts": [{ "prefix": "ExperimentRun/dcid.run-1/outputs" }] });
    let made = exchange(&emulator, Method::Post, &assets, Some(body)).await;
    let id = made.response_body.as_ref().unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    seen.push(made);
    for version in 1..=2 {
        let body = json!({
            "name": "m", "mimeType": "application/json", "url": format!("aml://asset/{id}"),
            "kvTags": { "v": version.to_string() }, "properties": { "p": "q" },
            "description": "d", "framework": "Onnx", "frameworkVersion": "1", "unpack": false,
            "datasets": [{ "name": "training", "id": "d" }], "runId": "run-1",
            "experimentName": "exp", "resourceRequirements": { "cpu": 1.0, "memoryInGB": 0.5 },
        });
        seen.push(exchange(&emulator, Method::Post, &models, Some(body)).await);
    }
    let patch = json!([{ "op": "replace", "path": "/description", "value": "new" }]);
    for (method, target, body) in [
        (Method::Get, format!("{assets}/{id}"), None),
        (Method::Get, assets.clone(), None),
        (
            Method::Get,
            format!("{models}?name=m&count=1&orderBy=CreatedAtAsc"),
            None,
        ),
        (Method::Get, format!("{models}/m:1"), None),
        (Method::Get, format!("{models}/m:9"), None),
        (Method::Patch, format!("{models}/m:1"), Some(patch)),
        (Method::Delete, format!("{models}/m:1"), None),
        (Method::Delete, format!("{models}/m:1"), None),
        (Method::Delete, format!("{assets}/{id}"), None),
    ] {
        seen.push(exchange(&emulator, method, &target, body).await);
    }
    let environment = format!("/environment/v1.0{workspace}/environments/AzureML-Minimal");
    seen.push(exchange(&emulator, Method::Get, &environment, None).await);
    seen
}

#[tokio::test]
async fn every_answer_about_models_and_artifacts_is_as_described() {
    let Some(specs) = Specs::load() else { return };
    let seen = everything().await;
    let reports: Vec<Report> = seen.iter().map(|seen| specs.check(seen)).collect();
    if let Err(wrong) = verdict(&reports, ALLOWED, ROUTES) {
        panic!("{wrong}");
    }
}
