//! The hosts of a workspace beside ARM, played by the mock of [`redirect`](super::redirect).

#![allow(clippy::unwrap_used)]

use super::redirect::{ARM, Reply, Seen, Service, WORKSPACE, at};
use azure_core::http::RetryOptions;
use azureml_aks::{Workspace, WorkspaceBuilder};
use serde_json::{Value, json};

pub(crate) const DISCOVERY: &str = "discovery.example";
pub(crate) const MODELS: &str = "models.example";
pub(crate) const HISTORY: &str = "history.example";
pub(crate) const EXPERIMENTS: &str = "experiments.example";
pub(crate) const STORE: &str = "store.blob.example";

/// Where the workspace says that its hosts are told.
pub(crate) const DISCOVERY_PATH: &str = "/discovery/workspaces/1?region=we%20st";

/// `{model management}{path}`.
pub(crate) fn models(path: &str) -> String {
    format!("/modelmanagement/v1.0{WORKSPACE}{path}")
}

/// `{artifact store}{path}`.
pub(crate) fn artifacts(path: &str) -> String {
    format!("/artifact/v2.0{WORKSPACE}/artifacts{path}")
}

/// `{environments}{path}`.
pub(crate) fn environments(path: &str) -> String {
    format!("/environment/v1.0{WORKSPACE}/environments{path}")
}

/// The document of a workspace.
pub(crate) fn workspace_document() -> Value {
    json!({ "location": "westeurope", "properties": {
        "discoveryUrl": format!("https://{DISCOVERY}{DISCOVERY_PATH}"),
    } })
}

/// The answer of the discovery URL.
pub(crate) fn hosts() -> Value {
    json!({
        "api": "https://api.example", "experimentation": format!("https://{EXPERIMENTS}"),
        "history": format!("https://{HISTORY}/"), "hyperdrive": "https://hyperdrive.example",
        "modelmanagement": format!("https://{MODELS}"), "studio": "https://studio.example",
    })
}

/// A mock that knows the workspace and its hosts, and nothing else.
pub(crate) async fn start() -> Service {
    let mut service = Service::start().await;
    service
        .on("GET", &at(""), Reply::json(200, &workspace_document()))
        .await
        .on("GET", DISCOVERY_PATH, Reply::json(200, &hosts()))
        .await;
    service
}

/// A workspace all of whose hosts are the mock, and that tries nothing again.
pub(crate) fn builder(service: &Service) -> WorkspaceBuilder {
    patient(service).retry(RetryOptions::none())
}

/// [`builder`], with the library's own tries.
pub(crate) fn patient(service: &Service) -> WorkspaceBuilder {
    let hosts = [DISCOVERY, MODELS, HISTORY, EXPERIMENTS, STORE];
    let origins = hosts.map(|host| format!("https://{host}"));
    let mut all: Vec<&str> = origins.iter().map(String::as_str).collect();
    all.push(ARM);
    Workspace::builder("sub", "grp", "ws")
        .credential(service.token.clone())
        .transport(service.transport_of(&all))
        .trusted_domain("example")
}

pub(crate) fn workspace(service: &Service) -> Workspace {
    builder(service).build().unwrap()
}

/// The requests, without the two that find the hosts.
pub(crate) fn sent(service: &Service) -> Vec<Seen> {
    let finding = |seen: &Seen| seen.host == DISCOVERY || seen.target == at("");
    service
        .seen()
        .into_iter()
        .filter(|seen| !finding(seen))
        .collect()
}

/// `{method} {host} {target}` of [`sent`].
pub(crate) fn lines(service: &Service) -> Vec<String> {
    let line = |seen: &Seen| format!("{} {} {}", seen.method, seen.host, seen.target);
    sent(service).iter().map(line).collect()
}

/// The only request of [`sent`] that has this method and this end of its path.
pub(crate) fn only(service: &Service, method: &str, target: &str) -> Seen {
    let mut found = sent(service);
    found.retain(|seen| seen.method == method && seen.target == target);
    assert_eq!(found.len(), 1, "{method} {target}: {:#?}", lines(service));
    found.remove(0)
}

/// The names of the headers, in order.
pub(crate) fn header_names(seen: &Seen) -> Vec<&str> {
    seen.headers.keys().map(String::as_str).collect()
}
