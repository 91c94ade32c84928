//! The requests of the library: method, path, query, headers and body bytes of every request.
//!
//! The facts behind these goldens are in `docs/internals/wire.md`.

mod computes;
mod creating;
mod extensions;
mod headers;
mod lists;
mod polling;
mod updating;

use crate::support::redirect::{ARM, Reply, Service, TOKEN, VERSION, WORKSPACE, at};
use crate::support::resealed::resealed;
use azureml_aks::{
    AksCompute, AttachConfiguration, Cloud, ClusterPurpose, ClusterRef, ComputeTarget, ErrorKind,
    LoadBalancer, Pem, ProvisioningConfiguration, ProvisioningConfigurationBuilder, ResumeToken,
    Resumed, Subnet, Tls, TlsUpdate, UpdateConfiguration, UpdateConfigurationBuilder,
    VirtualNetwork, WaitOptions, Workspace,
};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use std::time::Duration;

const CLUSTER: &str =
    "/subscriptions/Other/resourceGroups/G/providers/microsoft.containerservice/managedclusters/c";

const MONITOR: &str = "/subscriptions/sub/providers/Microsoft.MachineLearningServices/locations/westeurope/computeOperationsStatus/0b2f";

fn aks() -> Value {
    json!({
        "name": "myaks",
        "properties": {
            "computeType": "AKS", "provisioningState": "Succeeded", "isAttachedCompute": false,
        },
    })
}

/// A certificate for `scoring.example.com` and its key, as PEM text.
fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["scoring.example.com".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

fn network() -> VirtualNetwork {
    VirtualNetwork::new("mygroup", "mynetwork", "default")
        .service_cidr("10.0.0.0/16")
        .dns_service_ip("10.0.0.10")
        .docker_bridge_cidr("172.17.0.1/16")
}

fn fast(deadline: u64) -> WaitOptions {
    WaitOptions::new()
        .poll_floor(Duration::ZERO)
        .deadline(Duration::from_secs(deadline))
}

async fn body_of_create(configuration: ProvisioningConfiguration) -> String {
    let mut service = Service::start().await;
    service.on_get(Reply::empty(404)).await;
    service.on_put(Reply::json(200, &aks())).await;
    let created = ComputeTarget::create(&service.workspace(), "myaks", configuration).await;
    created.unwrap();
    service.last().text().to_owned()
}

async fn body_of_attach(configuration: AttachConfiguration) -> String {
    let mut service = Service::start().await;
    service.on_get(Reply::empty(404)).await;
    let none = Reply::json(200, &json!({ "value": [] }));
    service.on("GET", &at("/computes"), none).await;
    service.on_put(Reply::json(200, &aks())).await;
    let attached = ComputeTarget::attach(&service.workspace(), "myaks", configuration).await;
    attached.unwrap();
    service.last().text().to_owned()
}

async fn body_of_update(current: &Value, change: UpdateConfigurationBuilder) -> String {
    let mut service = Service::start().await;
    service.on_get(Reply::json(200, current)).await;
    service.on_put(Reply::json(200, &aks())).await;
    let mut handle = AksCompute::get(&service.workspace(), "myaks")
        .await
        .unwrap();
    handle.update(change.build().unwrap()).await.unwrap();
    let lines = service.lines();
    let (get, put) = (
        format!("GET {}", at("/computes/myaks")),
        format!("PUT {}", at("/computes/myaks")),
    );
    assert_eq!(lines, [get.clone(), get, put]);
    service.last().text().to_owned()
}
