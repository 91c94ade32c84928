//! Extensions of clusters: every request, byte for byte.

use super::*;
use crate::support::redirect::Seen;
use crate::support::specs::{Deviation, Direction, Exchange, Specs};
use azureml_aks::{
    Extension, ExtensionConfiguration, ExtensionRelay, ExtensionTls, ExtensionUpdateConfiguration,
    KubernetesClusterRef, RouterServiceType,
};

const AKS: &str =
    "/subscriptions/sub/resourceGroups/G/providers/Microsoft.ContainerService/managedClusters/c";
const ARC: &str =
    "/subscriptions/sub/resourceGroups/G/providers/Microsoft.Kubernetes/connectedClusters/c";
const EXTENSIONS: &str = "/providers/Microsoft.KubernetesConfiguration/extensions";

/// What departs from Microsoft's published types of extensions. A PATCH is checked as a PUT, because the types have no body
/// for it.
fn deviations(sent: &Seen) -> Option<Vec<String>> {
    let specs = Specs::of_extensions()?;
    let exchange = Exchange::new("PUT", &sent.target);
    let report = specs.check(&exchange.sending(serde_json::from_str(sent.text()).unwrap()));
    assert!(report.undescribed.is_none(), "{report:?}");
    assert_eq!(report.held_against, "bicep 2023-05-01");
    let sent = |deviation: &&Deviation| deviation.direction == Direction::Request;
    let found = report.deviations.iter().filter(sent);
    Some(found.map(ToString::to_string).collect())
}

fn extension() -> Value {
    json!({ "name": "azureml", "properties": {
        "extensionType": "microsoft.azureml.kubernetes", "provisioningState": "Succeeded",
        "configurationSettings": { "enableTraining": "True", "relayserver.enabled": "false" },
    } })
}

/// The body is as described, and one with a misspelt member is not.
fn assert_described(sent: &Seen) {
    let Some(found) = deviations(sent) else {
        return;
    };
    assert_eq!(found, [""; 0]);
    let misspelt = sent
        .text()
        .replace("\"configurationSettings\"", "\"configurationSetings\"");
    let wrong = Seen {
        body: misspelt.into(),
        ..sent.clone()
    };
    assert!(!deviations(&wrong).unwrap().is_empty());
}

#[tokio::test]
async fn install_on_aks_reads_the_cluster_and_derives_what_the_command_line_derives() {
    let mut service = Service::start().await;
    let target = format!("{AKS}{EXTENSIONS}/azureml?api-version=2023-05-01");
    let cluster = format!("{AKS}?{VERSION}");
    let nodes = json!({ "id": AKS, "location": "westeurope", "properties": { "agentPoolProfiles": [{ "count": 2 }] } });
    service.on("GET", &target, Reply::empty(404)).await;
    service.on("GET", &cluster, Reply::json(200, &nodes)).await;
    service
        .on("PUT", &target, Reply::json(200, &extension()))
        .await;
    let config = ExtensionConfiguration::builder()
        .inference(true)
        .router_service_type(RouterServiceType::NodePort)
        .tls(ExtensionTls::secret("scoring.example.com", "my-secret"))
        .node_label("agentpool", "gpu")
        .install_nvidia_device_plugin(true)
        .install_prometheus_operator(false)
        .install_volcano(false)
        .install_dcgm_exporter(true)
        .take_over_legacy_router(true)
        .protected_setting("own", "secret")
        .build()
        .unwrap();
    let aks = KubernetesClusterRef::managed("G", "c");
    let installing = Extension::install(&service.workspace(), aks, "azureml", config).await;
    installing.unwrap().wait(fast(5)).await.unwrap();
    assert_eq!(
        service.lines(),
        [
            format!("GET {target}"),
            format!("GET {cluster}"),
            format!("PUT {target}"),
        ]
    );
    let put = service.last();
    assert_described(&put);
    assert_eq!(put.headers["content-type"], "application/json");
    assert_eq!(
        put.text(),
        json!({
            "identity": { "type": "SystemAssigned" },
            "properties": {
                "extensionType": "microsoft.azureml.kubernetes",
                "autoUpgradeMinorVersion": true,
                "releaseTrain": "stable",
                "scope": { "cluster": { "releaseNamespace": "azureml" } },
                "configurationSettings": {
                    "clusterId": AKS,
                    "clusterPurpose": "DevTest",
                    "cluster_name": AKS,
                    "cluster_name_friendly": "c",
                    "domain": "westeurope.cloudapp.azure.com",
                    "enableInference": "True",
                    "enableTraining": "False",
                    "inferenceRouterHA": "false",
                    "inferenceRouterServiceType": "NodePort",
                    "installDcgmExporter": "True",
                    "installNvidiaDevicePlugin": "True",
                    "installPromOp": "False",
                    "installVolcano": "False",
                    "jobSchedulerLocation": "westeurope",
                    "location": "westeurope",
                    "nginxIngress.enabled": "true",
                    "nodeSelector.agentpool": "gpu",
                    "prometheus.prometheusSpec.externalLabels.cluster_name": AKS,
                    "relayserver.enabled": "false",
                    "scoringFe.enableUpgrade": "True",
                    "scoringFe.serviceType.nodePort": "True",
                    "scoringFe.sslSecret": "my-secret",
                    "servicebus.enabled": "false",
                    "sslCname": "scoring.example.com",
                    "sslSecret": "my-secret",
                },
                "configurationProtectedSettings": { "own": "secret" },
            },
        })
        .to_string()
    );
}

#[tokio::test]
async fn install_on_a_connected_cluster_sends_relay_and_certificate_protected() {
    let mut service = Service::start().await;
    let target = format!("{ARC}{EXTENSIONS}/azureml?api-version=2023-05-01");
    service.on("GET", &target, Reply::empty(404)).await;
    service
        .on("PUT", &target, Reply::json(200, &extension()))
        .await;
    let (certificate, key) = certificate();
    let relay = "/subscriptions/sub/resourceGroups/G/providers/Microsoft.Relay/namespaces/n/hybridConnections/h";
    let config = ExtensionConfiguration::builder()
        .training(true)
        .inference(true)
        .router_service_type(RouterServiceType::ClusterIp)
        .tls(ExtensionTls::certificate(
            "scoring.example.com",
            Pem::text(&certificate),
            Pem::text(&key),
        ))
        .relay(ExtensionRelay::new(relay, "Endpoint=sb://n/"))
        .high_availability(false)
        .release_train("preview")
        .version("1.1.61")
        .cluster_location("West Europe")
        .build()
        .unwrap();
    let arc = KubernetesClusterRef::connected("G", "c");
    let installing = Extension::install(&service.workspace(), arc, "azureml", config).await;
    installing.unwrap().wait(fast(5)).await.unwrap();
    assert_eq!(
        service.lines(),
        [format!("GET {target}"), format!("PUT {target}")]
    );
    assert_described(&service.last());
    assert_eq!(
        service.last().text(),
        json!({
            "identity": { "type": "SystemAssigned" },
            "properties": {
                "extensionType": "microsoft.azureml.kubernetes",
                "autoUpgradeMinorVersion": false,
                "releaseTrain": "preview",
                "scope": { "cluster": { "releaseNamespace": "azureml" } },
                "configurationSettings": {
                    "clusterId": ARC,
                    "cluster_name": ARC,
                    "cluster_name_friendly": "c",
                    "domain": "westeurope.cloudapp.azure.com",
                    "enableInference": "True",
                    "enableTraining": "True",
                    "inferenceRouterHA": "False",
                    "inferenceRouterServiceType": "ClusterIP",
                    "jobSchedulerLocation": "westeurope",
                    "location": "westeurope",
                    "nginxIngress.enabled": "false",
                    "prometheus.prometheusSpec.externalLabels.cluster_name": ARC,
                    "relayserver.enabled": "true",
                    "relayserver.hybridConnectionName": "h",
                    "relayserver.hybridConnectionResourceID": relay,
                    "servicebus.enabled": "false",
                    "sslCname": "scoring.example.com",
                },
                "configurationProtectedSettings": {
                    "relayServerConnectionString": "Endpoint=sb://n/",
                    "relayserver.relayConnectionString": "Endpoint=sb://n/",
                    "scoringFe.sslCert": azure_core::base64::encode(&certificate),
                    "scoringFe.sslKey": azure_core::base64::encode(&key),
                },
                "version": "1.1.61",
            },
        })
        .to_string()
    );
}

#[tokio::test]
async fn update_patches_the_change_and_delete_may_be_forced() {
    let mut service = Service::start().await;
    let target = format!("{AKS}{EXTENSIONS}/azureml?api-version=2023-05-01");
    let forced = format!("{target}&forceDelete=true");
    for _ in 0..2 {
        service
            .on("GET", &target, Reply::json(200, &extension()))
            .await;
    }
    service
        .on("PATCH", &target, Reply::json(200, &extension()))
        .await;
    service
        .on(
            "DELETE",
            &forced,
            Reply::json(200, &json!({ "statusCode": 200 })),
        )
        .await;
    let aks = KubernetesClusterRef::managed("G", "c");
    let own = Extension::get(&service.workspace(), aks, "azureml")
        .await
        .unwrap();
    let change = ExtensionUpdateConfiguration::builder()
        .training(true)
        .install_volcano(false)
        .build()
        .unwrap();
    own.update(change)
        .await
        .unwrap()
        .wait(fast(5))
        .await
        .unwrap();
    let patch = service.last();
    assert_described(&patch);
    assert_eq!(patch.headers["content-type"], "application/json");
    assert_eq!(
        patch.text(),
        r#"{"properties":{"configurationSettings":{"installVolcano":"False"}}}"#
    );
    own.delete()
        .force()
        .await
        .unwrap()
        .wait(fast(5))
        .await
        .unwrap();
    assert_eq!(
        service.lines(),
        [
            format!("GET {target}"),
            format!("GET {target}"),
            format!("PATCH {target}"),
            format!("DELETE {forced}"),
        ]
    );
    assert!(service.last().body.is_empty());
}
