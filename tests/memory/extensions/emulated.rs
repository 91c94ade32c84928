//! The extension on the emulator, from the install to the delete, beside the computes that need it.

use crate::support::fixture::{count, workspace};
use azureml_aks::emulator::{ConnectedCluster, Emulator, ExistingCluster};
use azureml_aks::{
    ComputeTarget, Error, ErrorKind, Extension, ExtensionConfiguration, ExtensionTls,
    ExtensionUpdateConfiguration, KubernetesClusterRef, KubernetesCompute, RouterServiceType,
    WaitOptions, Workspace,
};
use futures::TryStreamExt;

fn inference() -> ExtensionConfiguration {
    let builder = ExtensionConfiguration::builder()
        .training(true)
        .inference(true)
        .router_service_type(RouterServiceType::LoadBalancer)
        .allow_insecure_connections(true);
    builder.build().unwrap()
}

async fn attach(workspace: &Workspace, id: &str, name: &str) -> Result<KubernetesCompute, Error> {
    let cluster = KubernetesClusterRef::id(id);
    let config = KubernetesCompute::attach_configuration(cluster).build()?;
    let mut compute = ComputeTarget::attach(workspace, name, config).await?;
    compute.wait_for_completion(WaitOptions::new()).await?;
    Ok(compute)
}

#[tokio::test(start_paused = true)]
async fn extension_is_installed_changed_and_deleted() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let id = emulator.add_cluster(ExistingCluster::new("g", "c"));
    let cluster = || KubernetesClusterRef::id(&id);

    let error = attach(&workspace, &id, "early").await.unwrap_err();
    assert_eq!(error.code(), Some("ExtensionNotFound"), "{error}");
    assert!(error.remedy().is_some(), "{error}");

    let installing = Extension::install(&workspace, cluster(), "azureml", inference()).await;
    let extension = installing.unwrap().await.unwrap();
    assert!(extension.is_healthy());
    let settings = &extension.resource().properties.configuration_settings;
    assert_eq!(settings["clusterId"], id.as_str());
    assert_eq!(settings["enableInference"], "True");
    attach(&workspace, &id, "kube").await.unwrap();

    let again = Extension::install(&workspace, cluster(), "azureml", inference());
    assert_eq!(again.await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    let same = Extension::install(&workspace, cluster(), "azureml", inference()).or_get();
    assert_eq!(same.await.unwrap().await.unwrap().name(), "azureml");

    let change = ExtensionUpdateConfiguration::builder().training(false);
    let change = change.build().unwrap();
    let extension = extension.update(change).await.unwrap().await.unwrap();
    let settings = &extension.resource().properties.configuration_settings;
    assert_eq!(settings["enableTraining"], "False");
    assert_eq!(settings["enableInference"], "True", "the others are kept");
    assert_eq!(count(&emulator, "PATCH", "/extensions/azureml"), 1);

    let all: Vec<Extension> = Extension::list(&workspace, cluster())
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(all.len(), 1);
    extension.delete().await.unwrap().await.unwrap();
    let gone = Extension::get_opt(&workspace, cluster(), "azureml").await;
    assert!(gone.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn failed_install_has_the_code_of_the_health_check_and_its_remedy() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let id = emulator.add_cluster(ExistingCluster::new("g", "c"));
    let cluster = KubernetesClusterRef::id(&id);
    let installing = Extension::install(&workspace, cluster, "failing", inference()).await;
    let error = installing.unwrap().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OperationFailed, "{error}");
    assert!(error.to_string().contains("E40001"), "{error}");
    assert!(error.remedy().is_some(), "{error}");
    assert!(error.resume_token().is_none());
}

#[tokio::test(start_paused = true)]
async fn connected_cluster_has_the_extension_too_and_protected_settings_never_come_back() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let id = emulator.add_connected_cluster(ConnectedCluster::new("g", "edge"));
    let config = ExtensionConfiguration::builder()
        .inference(true)
        .router_service_type(RouterServiceType::NodePort)
        .tls(ExtensionTls::secret("scoring.example.com", "certificate"))
        .setting("relayserver.enabled", "false")
        .protected_setting("mine", "s3cr3t")
        .build()
        .unwrap();
    let cluster = KubernetesClusterRef::id(&id);
    let prepared = Extension::install(&workspace, cluster, "azureml", config);
    let prepared = prepared.prepare().unwrap();
    let token = prepared.token().clone();
    drop(prepared.send().await.unwrap());
    assert!(!token.expose().contains("s3cr3t"));

    // As another process does it.
    let resumed = workspace.resume(&token).await.unwrap();
    let shown = format!("{resumed:?}");
    assert!(!shown.contains("s3cr3t"), "{shown}");
    attach_when_ready(&emulator, &workspace, &id).await;
}

async fn attach_when_ready(emulator: &Emulator, workspace: &Workspace, id: &str) {
    emulator.finish_operations();
    let cluster = KubernetesClusterRef::id(id);
    let extension = Extension::get(workspace, cluster, "azureml").await.unwrap();
    assert!(extension.is_healthy(), "{:?}", extension.resource());
    let shown = extension.resource().to_value().to_string();
    assert!(!shown.contains("s3cr3t"), "{shown}");
    let mut kube = attach(workspace, id, "kube").await.unwrap();
    kube.refresh_state().await.unwrap();
    assert!(kube.properties().extension_principal_id.is_some());
}
