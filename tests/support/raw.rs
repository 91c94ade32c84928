//! Raw requests through the in-process transport.

use std::collections::HashMap;

use azure_core::http::{Method, Request, Url};
use azureml_aks::emulator::{Emulator, ExistingCluster};
use serde_json::{Value, json};

pub(crate) const TODAY: &str = "2026-05-01";
pub(crate) const PYTHON: &str = "2020-02-02";

/// An answer: status, headers in lower case, body as JSON (`Null` when empty).
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Value,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The error, which the container service sends without an envelope.
    fn error(&self) -> &Value {
        self.body.get("error").unwrap_or(&self.body)
    }

    /// The code that tells what is wrong: the inner one where the service of computes refuses, as its
    /// outer code tells only who is to blame.
    pub(crate) fn code(&self) -> &str {
        let error = self.error();
        let inner = error["innerError"]["code"].as_str();
        inner.or(error["code"].as_str()).unwrap_or_default()
    }

    pub(crate) fn message(&self) -> &str {
        self.error()["message"].as_str().unwrap_or_default()
    }
}

pub(crate) async fn try_send(
    emulator: &Emulator,
    method: Method,
    url: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> azure_core::Result<Reply> {
    let mut request = Request::new(Url::parse(url).unwrap(), method);
    if let Some(token) = token {
        request.insert_header("authorization", format!("Bearer {token}"));
    }
    if let Some(body) = body {
        let kind = if method == Method::Patch {
            "application/json-patch+json"
        } else {
            "application/json"
        };
        request.insert_header("content-type", kind);
        request.set_body(body.to_string().into_bytes());
    }
    let answer = emulator.http_client().execute_request(&request).await?;
    let (status, headers, body) = answer.deconstruct();
    let bytes = body.collect().await?;
    let body = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()))
    };
    Ok(Reply {
        status: u16::from(status),
        headers: headers
            .iter()
            .map(|(name, value)| (name.as_str().to_lowercase(), value.as_str().to_owned()))
            .collect(),
        body,
    })
}

pub(crate) async fn send(
    emulator: &Emulator,
    method: Method,
    url: &str,
    body: Option<&Value>,
) -> Reply {
    try_send(emulator, method, url, Some("t"), body)
        .await
        .unwrap()
}

pub(crate) fn workspace_url(emulator: &Emulator) -> String {
    format!(
        "https://management.azure.com/subscriptions/{}/resourceGroups/{}/providers/\
         Microsoft.MachineLearningServices/workspaces/{}",
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace()
    )
}

pub(crate) fn compute_url(emulator: &Emulator, name: &str) -> String {
    format!(
        "{}/computes/{name}?api-version={TODAY}",
        workspace_url(emulator)
    )
}

pub(crate) async fn put(emulator: &Emulator, name: &str, body: &Value) -> Reply {
    send(
        emulator,
        Method::Put,
        &compute_url(emulator, name),
        Some(body),
    )
    .await
}

pub(crate) async fn get(emulator: &Emulator, name: &str) -> Reply {
    send(emulator, Method::Get, &compute_url(emulator, name), None).await
}

pub(crate) async fn read(emulator: &Emulator, url: &str) -> Reply {
    send(emulator, Method::Get, url, None).await
}

pub(crate) async fn remove(emulator: &Emulator, name: &str, action: &str) -> Reply {
    let url = format!(
        "{}&underlyingResourceAction={action}",
        compute_url(emulator, name)
    );
    send(emulator, Method::Delete, &url, None).await
}

/// A create with these AKS properties.
pub(crate) fn create_body(aks: Value) -> Value {
    json!({ "location": "eastus", "properties": { "computeType": "AKS", "properties": aks } })
}

pub(crate) fn attach_body(resource_id: &str, aks: Value) -> Value {
    json!({ "location": "eastus", "properties": {
        "computeType": "AKS", "resourceId": resource_id, "properties": aks,
    } })
}

/// Creates and lets it be ready.
pub(crate) async fn create(emulator: &Emulator, name: &str, aks: Value) {
    let reply = put(emulator, name, &create_body(aks)).await;
    assert_eq!(reply.status, 201, "{:?}", reply.body);
    emulator.finish_operations();
}

pub(crate) async fn attach(emulator: &Emulator, name: &str, resource_id: &str) {
    let reply = put(emulator, name, &attach_body(resource_id, json!({}))).await;
    assert_eq!(reply.status, 201, "{:?}", reply.body);
    emulator.finish_operations();
}

pub(crate) fn state(emulator: &Emulator, name: &str) -> Value {
    emulator.compute(name).unwrap()["properties"]["provisioningState"].clone()
}

pub(crate) fn extension_url(cluster: &str, name: &str) -> String {
    format!(
        "https://management.azure.com{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/{name}\
         ?api-version=2023-05-01"
    )
}

/// The extension as `az k8s-extension create` sends it, with these settings.
pub(crate) fn extension_body(settings: Value) -> Value {
    json!({ "identity": { "type": "SystemAssigned" }, "properties": {
        "extensionType": "microsoft.azureml.kubernetes", "autoUpgradeMinorVersion": true, "releaseTrain": "stable",
        "scope": { "cluster": { "releaseNamespace": "azureml" } },
        "configurationSettings": settings, "configurationProtectedSettings": {},
    } })
}

/// Installs the extension on a cluster and lets it be ready.
pub(crate) async fn install(emulator: &Emulator, cluster: &str) {
    let body = extension_body(json!({ "enableTraining": "True" }));
    let url = extension_url(cluster, "azureml");
    let reply = send(emulator, Method::Put, &url, Some(&body)).await;
    assert_eq!(reply.status, 201, "{:?}", reply.body);
    emulator.finish_operations();
}

/// Read and drop: the status URL of an answer.
pub(crate) fn polling(reply: &Reply) -> String {
    reply
        .header("azure-asyncoperation")
        .expect("Azure-AsyncOperation")
        .to_owned()
}

pub(crate) fn cluster() -> ExistingCluster {
    ExistingCluster::new("othergroup", "existing")
}
