//! Computes of kind Kubernetes, with every verb.

use super::{count, requests};
use crate::support::fixture::{self, GROUP, attached};
use crate::support::raw::install;
use azure_core::http::Method;
use azureml_aks::emulator::{ConnectedCluster, Emulator, ExistingCluster, Fault};
use azureml_aks::models::ComputeResource;
use azureml_aks::{
    AksCompute, AnyCompute, ClusterRef, ComputeTarget, ErrorKind, InstanceType,
    KubernetesAttachConfiguration, KubernetesClusterRef, KubernetesCompute, KubernetesIdentity,
    KubernetesUpdateConfiguration, Resumed, WaitOptions, Workspace, wait_all,
};
use futures::TryStreamExt;
use serde_json::{Value, json};

const IDENTITY: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";

fn config(cluster: impl Into<KubernetesClusterRef>) -> KubernetesAttachConfiguration {
    KubernetesCompute::attach_configuration(cluster)
        .build()
        .unwrap()
}

fn cluster(emulator: &Emulator) -> String {
    emulator.add_cluster(ExistingCluster::new(GROUP, "mycluster").extension("azureml"))
}

async fn attach(workspace: &Workspace, name: &str, cluster: &str) -> KubernetesCompute {
    let config = config(KubernetesClusterRef::id(cluster));
    let mut compute = ComputeTarget::attach(workspace, name, config)
        .await
        .unwrap();
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    compute
}

#[tokio::test(start_paused = true)]
async fn managed_and_connected_clusters_are_attached_with_their_settings() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let id = cluster(&emulator);
    emulator.add_connected_cluster(ConnectedCluster::new("other", "edge").extension("azureml"));
    for (name, cluster) in [
        ("by-id", KubernetesClusterRef::id(&id)),
        ("by-name", ClusterRef::named(GROUP, "mycluster").into()),
        ("edge", KubernetesClusterRef::connected("other", "edge")),
    ] {
        let config = KubernetesCompute::attach_configuration(cluster)
            .namespace("scoring")
            .identity(KubernetesIdentity::SystemAssigned)
            .default_instance_type("gpu")
            .instance_type("gpu", InstanceType::new().limit("nvidia.com/gpu", "1"))
            .description("text")
            .tag("a", "1");
        let mut compute = ComputeTarget::attach(&workspace, name, config.build().unwrap())
            .await
            .unwrap();
        assert_eq!(compute.status(), Some("Creating"));
        compute
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap();
        assert!(compute.is_ready() && compute.is_attached() == Some(true));
        assert!(
            compute.deviations().is_empty(),
            "{:?}",
            compute.deviations()
        );
        let properties = compute.properties();
        assert_eq!(properties.namespace.as_deref(), Some("scoring"));
        assert_eq!(properties.default_instance_type.as_deref(), Some("gpu"));
        assert_eq!(
            properties.instance_types["gpu"].limits["nvidia.com/gpu"],
            "1"
        );
        assert!(properties.extension_principal_id.is_some());
        let resource = compute.resource();
        assert_eq!(
            resource.identity.as_ref().unwrap()["type"],
            "SystemAssigned"
        );
        assert_eq!(resource.tags["a"], "1");
        assert_eq!(resource.properties.description.as_deref(), Some("text"));
    }
}

#[tokio::test(start_paused = true)]
async fn second_attachment_of_a_cluster_is_noted_and_breaks_nothing() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let (mut aks, id) = attached(&emulator, &workspace, "legacy").await;
    install(&emulator, &id).await;
    let mut first = attach(&workspace, "first", &id).await;
    assert!(
        first.notes().is_empty(),
        "a compute of kind AKS is another matter"
    );
    let second = attach(&workspace, "second", &id.to_uppercase()).await;
    let note = &second.notes()[0];
    assert_eq!(note.rule, "cluster.attached_again");
    assert!(note.message.contains("\"first\""), "{note}");
    first.refresh_state().await.unwrap();
    aks.refresh_state().await.unwrap();
    assert!(first.is_ready() && aks.is_ready());

    // The list is read for the note alone: the attach does not need it.
    emulator.inject(
        Fault::server_error(500)
            .on(Method::Get, "/computes")
            .after(1)
            .times(20),
    );
    let third = ComputeTarget::attach(&workspace, "third", config(KubernetesClusterRef::id(&id)));
    assert!(third.await.unwrap().notes().is_empty());
    emulator.clear_faults();
    emulator.clear_journal();
    let quiet = ComputeTarget::attach(&workspace, "fourth", config(KubernetesClusterRef::id(&id)));
    assert!(
        quiet
            .ignore_other_attachments()
            .await
            .unwrap()
            .notes()
            .is_empty()
    );
    assert_eq!(requests(&emulator), ["GET fourth", "PUT fourth"]);

    // For kind AKS a compute of kind Kubernetes does not count.
    aks.detach().await.unwrap().await.unwrap();
    let again = AksCompute::attach_configuration(ClusterRef::id(&id)).build();
    let again = ComputeTarget::attach(&workspace, "legacy", again.unwrap()).await;
    again
        .unwrap()
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    first.refresh_state().await.unwrap();
    assert!(first.is_ready());
}

#[tokio::test(start_paused = true)]
async fn name_that_is_taken_is_refused_or_taken_by_or_get() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let id = cluster(&emulator);
    attach(&workspace, "kube", &id).await;
    let again = || ComputeTarget::attach(&workspace, "kube", config(KubernetesClusterRef::id(&id)));
    assert_eq!(again().await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert!(again().or_get().await.unwrap().is_ready());
    let aks = AksCompute::attach_configuration(ClusterRef::id(&id))
        .build()
        .unwrap();
    let error = ComputeTarget::attach(&workspace, "kube", aks)
        .or_get()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert_eq!(count(&emulator, "PUT"), 1);
}

#[tokio::test(start_paused = true)]
async fn update_changes_what_it_names_and_keeps_the_rest() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let id = cluster(&emulator);
    let config = KubernetesCompute::attach_configuration(KubernetesClusterRef::id(&id))
        .namespace("scoring")
        .identity(KubernetesIdentity::SystemAssigned)
        .instance_type("small", InstanceType::new().request("cpu", "100m"))
        .instance_type("large", InstanceType::new().request("cpu", "4"));
    let mut compute = ComputeTarget::attach(&workspace, "kube", config.build().unwrap())
        .await
        .unwrap();
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    let extension = compute.properties().extension_principal_id.clone();
    emulator.clear_journal();

    let change = KubernetesUpdateConfiguration::builder()
        .instance_type("gpu", InstanceType::new().limit("nvidia.com/gpu", "2"))
        .remove_instance_type("small")
        .tag("a", "1");
    compute.update(change.build().unwrap()).await.unwrap();
    assert_eq!(compute.status(), Some("Updating"));
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    let properties = compute.properties();
    let types: Vec<&String> = properties.instance_types.keys().collect();
    assert_eq!(types, ["gpu", "large"]);
    assert_eq!(properties.namespace.as_deref(), Some("scoring"));
    assert_eq!(properties.extension_principal_id, extension);
    assert_eq!(
        compute.resource().identity.as_ref().unwrap()["type"],
        "SystemAssigned"
    );
    let sent = emulator.journal();
    let sent = sent.iter().find(|entry| entry.method == "PUT").unwrap();
    let sent = &sent.body;
    assert_eq!(sent["identity"], json!({ "type": "SystemAssigned" }));
    let inner = sent["properties"]["properties"].as_object().unwrap();
    assert_eq!(
        inner.keys().collect::<Vec<_>>(),
        ["instanceTypes", "namespace"]
    );

    for (identity, shown) in [
        (
            KubernetesIdentity::user_assigned(IDENTITY),
            Some("UserAssigned"),
        ),
        (KubernetesIdentity::None, None),
    ] {
        let change = KubernetesUpdateConfiguration::builder().identity(identity);
        compute.update(change.build().unwrap()).await.unwrap();
        compute
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap();
        let identity = compute.resource().identity.as_ref();
        assert_eq!(
            identity.and_then(|identity| identity["type"].as_str()),
            shown
        );
    }
}

#[tokio::test(start_paused = true)]
async fn compute_without_the_extension_fails_with_the_services_words() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let id = cluster(&emulator);
    let bare = emulator.add_cluster(ExistingCluster::new(GROUP, "bare"));
    for (name, cluster) in [("fail-kube", &id), ("nested-kube", &id), ("kube", &bare)] {
        let config = config(KubernetesClusterRef::id(cluster));
        let mut compute = ComputeTarget::attach(&workspace, name, config)
            .await
            .unwrap();
        let error = compute
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OperationFailed);
        assert_eq!(error.code(), Some("ExtensionNotFound"), "{error}");
        compute.refresh_state().await.unwrap();
        assert!(compute.is_failed());
        let message = compute.provisioning_errors()[0].message.as_deref();
        assert!(message.unwrap().contains("not installed"), "{message:?}");
        compute.detach().await.unwrap().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn compute_is_detached_and_its_cluster_is_never_deleted() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let id = cluster(&emulator);
    let mut compute = attach(&workspace, "kube", &id).await;
    // Even if the service says otherwise, through a handle of either kind.
    for attached in [Value::Null, json!(false), json!(true)] {
        let mut document = emulator.compute("kube").unwrap();
        document["properties"]["isAttachedCompute"] = attached;
        let document = document.to_string();
        for _ in 0..2 {
            let shown = Fault::response_override(200, &[], document.clone());
            emulator.inject(shown.on(Method::Get, "/computes/kube").times(1));
        }
        assert_eq!(
            compute.delete().await.unwrap_err().kind(),
            ErrorKind::Refused
        );
        let mut any = AnyCompute::from(compute.clone());
        assert_eq!(any.delete().await.unwrap_err().kind(), ErrorKind::Refused);
    }
    assert_eq!(count(&emulator, "DELETE"), 0);
    compute.detach().await.unwrap().await.unwrap();
    assert!(
        KubernetesCompute::get_opt(&workspace, "kube")
            .await
            .unwrap()
            .is_none()
    );
    assert!(emulator.cluster_exists(&id));
}

#[tokio::test(start_paused = true)]
async fn token_of_each_verb_is_resumed_as_a_compute_of_its_kind() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let id = cluster(&emulator);
    let config = config(KubernetesClusterRef::id(&id));
    let compute = ComputeTarget::attach(&workspace, "kube", config)
        .await
        .unwrap();
    let token = compute.resume_token().unwrap().clone();
    assert_eq!(token.resource().to_string(), "compute/Kubernetes");
    drop(compute);
    let Resumed::Compute(resumed) = workspace.resume(&token).await.unwrap() else {
        panic!("the token of an attach is resumed as a compute");
    };
    let mut compute: KubernetesCompute = resumed.try_into().unwrap();
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();

    let change = KubernetesUpdateConfiguration::builder()
        .tag("a", "1")
        .build();
    compute.update(change.unwrap()).await.unwrap();
    let token = compute.resume_token().unwrap().clone();
    let Resumed::Compute(mut resumed) = workspace.resume(&token).await.unwrap() else {
        panic!("the token of an update is resumed as a compute");
    };
    resumed
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(resumed.resource().tags["a"], "1");
    assert!(AksCompute::try_from(resumed).is_err());
}

#[tokio::test(start_paused = true)]
async fn both_kinds_are_listed_and_waited_for_together() {
    let emulator = Emulator::builder().page_size(1).build();
    let workspace = fixture::workspace(&emulator);
    let (_, id) = attached(&emulator, &workspace, "legacy").await;
    install(&emulator, &id).await;
    let config = config(KubernetesClusterRef::id(&id));
    let kube = ComputeTarget::attach(&workspace, "kube", config)
        .await
        .unwrap();
    let create = AksCompute::provisioning_configuration().build().unwrap();
    let created = ComputeTarget::create(&workspace, "created", create)
        .await
        .unwrap();
    let mut both: [AnyCompute; 2] = [kube.into(), created.into()];
    let ends = wait_all(&mut both, WaitOptions::new()).await;
    assert!(ends.iter().all(Result::is_ok), "{ends:?}");

    let any: Vec<AnyCompute> = workspace.computes().try_collect().await.unwrap();
    let kinds: Vec<&str> = any.iter().map(AnyCompute::compute_type).collect();
    assert_eq!(kinds, ["AKS", "Kubernetes", "AKS"]);
    let kube: Vec<KubernetesCompute> = KubernetesCompute::list(&workspace)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(kube.len(), 1);
    assert_eq!(kube[0].cluster_resource_id(), Some(id.as_str()));
    let aks: Vec<AksCompute> = AksCompute::list(&workspace).try_collect().await.unwrap();
    assert_eq!(aks.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn document_with_nulls_or_without_parts_is_a_compute_all_the_same() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let rows = json!([
        { "name": "a", "properties": { "computeType": "Kubernetes" } },
        { "name": "b", "identity": null, "tags": null, "location": null, "properties": {
            "computeType": "kubernetes", "properties": null, "provisioningErrors": null } },
        { "name": "c", "identity": [], "properties": { "computeType": "Kubernetes", "properties": {
            "namespace": null, "instanceTypes": { "x": null, "y": { "resources": null }, "z": 1 } } } },
    ]);
    let page = json!({ "value": rows }).to_string();
    emulator.inject(Fault::response_override(200, &[], page).on(Method::Get, "/computes"));
    let computes: Vec<KubernetesCompute> = KubernetesCompute::list(&workspace)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(computes.len(), 3);
    assert!(
        computes
            .iter()
            .all(|compute| compute.properties().namespace.is_none())
    );
    let types: Vec<&String> = computes[2].properties().instance_types.keys().collect();
    assert_eq!(types, ["y"]);
    let secret = r#"{"name":"k","properties":{"computeType":"Kubernetes","properties":{"relayConnectionString":"s3cret"}}}"#;
    let resource: ComputeResource = serde_json::from_str(secret).unwrap();
    let compute = KubernetesCompute::from_resource(&workspace, resource).unwrap();
    assert!(
        !serde_json::to_string(compute.resource())
            .unwrap()
            .contains("s3cret")
    );
}
