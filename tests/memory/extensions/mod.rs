//! Extensions of clusters, on a scripted transport.

mod attaching;
mod dropped;
mod emulated;
mod installing;
mod reading;
mod recorded;
mod resuming;
mod secrecy;
mod updating;

use crate::operations::script::{Credential, Lifetime, Reply, Script, reply};
use azure_core::http::Transport;
use azureml_aks::{
    Extension, ExtensionConfiguration, ExtensionConfigurationBuilder, KubernetesClusterRef,
    RouterServiceType, Workspace,
};
use serde_json::{Value, json};
use std::sync::Arc;

const ARM: &str = "https://management.azure.com";
const CLUSTER: &str =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c";
const EXTENSION: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c/providers/Microsoft.KubernetesConfiguration/extensions/azureml";
const VERSION: &str = "api-version=2023-05-01";

fn workspace(script: &Arc<Script>) -> Workspace {
    workspace_in(script, "s")
}

fn workspace_in(script: &Arc<Script>, subscription: &str) -> Workspace {
    Workspace::builder(subscription, "g", "w")
        .location("West US")
        .credential(Credential::new(Lifetime::Moment))
        .transport(Transport::new(script.clone()))
        .build()
        .unwrap()
}

fn managed() -> KubernetesClusterRef {
    KubernetesClusterRef::managed("g", "c")
}

/// Inference without TLS.
fn inference() -> ExtensionConfigurationBuilder {
    ExtensionConfiguration::builder()
        .inference(true)
        .router_service_type(RouterServiceType::LoadBalancer)
        .allow_insecure_connections(true)
}

/// The extension with some properties.
fn with(state: &str, more: Value) -> Value {
    let mut properties = json!({
        "extensionType": "Microsoft.AzureML.Kubernetes",
        "provisioningState": state,
        "currentVersion": null,
        "statuses": [],
        "errorInfo": null,
        "aksAssignedIdentity": null,
    });
    let members = more.as_object().cloned().unwrap_or_default();
    properties.as_object_mut().unwrap().extend(members);
    json!({ "id": EXTENSION, "name": "azureml", "properties": properties })
}

fn extension(state: &str) -> Value {
    with(state, json!({}))
}

/// The cluster with this number of nodes.
fn cluster(nodes: u32) -> Reply {
    reply(200).json(
        &json!({ "id": CLUSTER, "name": "c", "location": "West Europe", "properties": {
        "agentPoolProfiles": [{ "name": "one", "count": nodes - 1 }, { "name": "two", "count": 1 }],
    } }),
    )
}

/// The service says nothing where an extension is missing; ARM answers where the cluster is.
fn absent() -> Reply {
    reply(404)
}

fn no_cluster() -> Reply {
    let message = "The Resource 'Microsoft.ContainerService/managedClusters/c' under resource group 'g' was not found.";
    let body = json!({ "error": { "code": "ResourceNotFound", "message": message } });
    reply(404)
        .header("x-ms-failure-cause", "gateway")
        .json(&body)
}

/// As it was recorded: the version with a capital letter, and a `Location` on a host of the service's own.
fn monitor(reply: Reply) -> Reply {
    let below = EXTENSION.replace("managedClusters", "ManagedClusters");
    let location = format!("https://eastus.rp.kubernetesconfiguration.azure.com{below}");
    reply
        .header("Azure-AsyncOperation", &operation())
        .header("Location", &location)
}

fn operation() -> String {
    let below = EXTENSION.replace("managedClusters", "ManagedClusters");
    format!("{ARM}{below}/operations/o?api-Version=2023-05-01")
}

fn ended(status: &str) -> Reply {
    reply(200).json(&json!({ "id": "/o", "name": "o", "status": status }))
}

async fn installed(script: &Arc<Script>) -> Extension {
    script.expect([reply(200).json(&extension("Succeeded"))]);
    Extension::get(&workspace(script), managed(), "azureml")
        .await
        .unwrap()
}
