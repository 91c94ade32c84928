use super::count;
use crate::support::fixture::{self, GROUP, attached};
use azureml_aks::emulator::{Emulator, ExistingCluster, Fault};
use azureml_aks::{
    AksCompute, ClusterPurpose, ClusterRef, ComputeTarget, ErrorKind, WaitOptions, error::Severity,
};

#[tokio::test(start_paused = true)]
async fn cluster_is_attached_by_id_and_by_name() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let id = emulator.add_cluster(ExistingCluster::new(GROUP, "one"));
    emulator.add_cluster(ExistingCluster::new(GROUP, "two"));
    for (name, cluster) in [
        (
            "by-id",
            ClusterRef::id(id.to_uppercase().replace("MICROSOFT.", "microsoft.")),
        ),
        ("by-name", ClusterRef::named(GROUP, "two")),
    ] {
        let config = AksCompute::attach_configuration(cluster)
            .cluster_purpose(ClusterPurpose::DevTest)
            .build()
            .unwrap();
        let mut aks = ComputeTarget::attach(&workspace, name, config)
            .await
            .unwrap();
        aks.wait_for_completion(WaitOptions::new()).await.unwrap();
        assert_eq!(
            (aks.status(), aks.is_attached()),
            (Some("Succeeded"), Some(true))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn cluster_that_is_not_there_cannot_be_attached() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let config = AksCompute::attach_configuration(ClusterRef::named(GROUP, "absent"))
        .build()
        .unwrap();
    let error = match ComputeTarget::attach(&workspace, "myaks", config).await {
        Err(error) => error,
        Ok(mut aks) => aks
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap_err(),
    };
    assert!(error.to_string().contains("absent"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn unsupported_version_names_the_supported_ones_and_the_remedy() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    emulator.add_cluster(ExistingCluster::new(GROUP, "old"));
    emulator.inject(Fault::unsupported_version());
    let config = AksCompute::attach_configuration(ClusterRef::named(GROUP, "old"))
        .build()
        .unwrap();
    let error = match ComputeTarget::attach(&workspace, "myaks", config).await {
        Err(error) => error,
        Ok(mut aks) => aks
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap_err(),
    };
    assert!(
        error
            .remedy()
            .is_some_and(|remedy| remedy.contains("upgrade")),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn attach_never_overwrites_unless_or_get_takes_what_is_there() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let (_, cluster) = attached(&emulator, &workspace, "myaks").await;
    let config = || {
        AksCompute::attach_configuration(ClusterRef::id(&cluster))
            .build()
            .unwrap()
    };
    let error = ComputeTarget::attach(&workspace, "myaks", config())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let taken = ComputeTarget::attach(&workspace, "myaks", config())
        .or_get()
        .await
        .unwrap();
    assert_eq!(taken.is_attached(), Some(true));
    assert_eq!(count(&emulator, "PUT"), 1);
}

#[tokio::test(start_paused = true)]
async fn attach_that_meets_another_cluster_is_reported() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mine = emulator.add_cluster(ExistingCluster::new(GROUP, "mine"));
    let other = emulator.add_cluster(ExistingCluster::new(GROUP, "other"));
    let config = AksCompute::attach_configuration(ClusterRef::id(&mine))
        .build()
        .unwrap();
    let mut aks = ComputeTarget::attach(&workspace, "myaks", config)
        .await
        .unwrap();
    // Somebody else's compute took its place while it was waited for.
    emulator.finish_operations();
    let mut document = emulator.compute("myaks").unwrap();
    document["properties"]["resourceId"] = other.clone().into();
    emulator.inject(
        Fault::response_override(
            200,
            &[("content-type", "application/json")],
            document.to_string(),
        )
        .on_path("/computes/myaks"),
    );
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    let deviation = &aks.deviations()[0];
    assert_eq!(
        (deviation.severity, deviation.rule, deviation.path.as_str()),
        (Severity::Warning, "compute.deviates", "cluster")
    );
    assert!(deviation.message.contains("other"), "{deviation}");
}

fn of(cluster: &str) -> azureml_aks::AttachConfiguration {
    AksCompute::attach_configuration(ClusterRef::id(cluster))
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn cluster_that_is_attached_under_another_name_is_refused() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let (_, cluster) = attached(&emulator, &workspace, "first").await;
    let puts = count(&emulator, "PUT");
    // Services change the case of ids.
    let other_case = cluster.replace("managedClusters", "managedclusters");
    let error = ComputeTarget::attach(&workspace, "second", of(&other_case))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("\"first\""), "{error}");
    let remedy = error.remedy().unwrap();
    assert!(remedy.contains("detach it first"), "{remedy}");
    assert!(!remedy.contains("another name"), "{remedy}");
    assert_eq!(count(&emulator, "PUT"), puts, "nothing was changed");

    let second = ComputeTarget::attach(&workspace, "second", of(&cluster))
        .ignore_other_attachments()
        .await;
    second.unwrap();
    assert_eq!(count(&emulator, "PUT"), puts + 1);
}

#[tokio::test(start_paused = true)]
async fn cluster_that_the_workspace_created_is_not_attached_again() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let created = fixture::created(&workspace, "own").await;
    let cluster = created.cluster_resource_id().unwrap();
    let error = ComputeTarget::attach(&workspace, "again", of(cluster))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
}

#[tokio::test(start_paused = true)]
async fn attach_without_the_list_of_computes_sends_nothing() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let cluster = emulator.add_cluster(ExistingCluster::new(GROUP, "mine"));
    let text = "<html>";
    emulator.inject(
        Fault::response_override(200, &[("content-type", "text/html")], text).on_path("/computes"),
    );
    let attach = ComputeTarget::attach(&workspace, "myaks", of(&cluster));
    let error = attach.await.unwrap_err();
    assert_eq!(count(&emulator, "PUT"), 0, "{error}");
}

#[tokio::test(start_paused = true)]
async fn or_get_refuses_a_compute_with_another_cluster() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    attached(&emulator, &workspace, "myaks").await;
    let other = emulator.add_cluster(ExistingCluster::new(GROUP, "other"));
    let error = ComputeTarget::attach(&workspace, "myaks", of(&other))
        .or_get()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("cluster-myaks"), "{error}");
    let error = ComputeTarget::attach(&workspace, "myaks", of(&other))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(
        error
            .remedy()
            .unwrap()
            .contains("detach that compute first")
    );
}

#[tokio::test(start_paused = true)]
async fn taken_name_of_the_same_cluster_is_not_answered_with_another_name() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let (_, cluster) = attached(&emulator, &workspace, "myaks").await;
    let error = ComputeTarget::attach(&workspace, "myaks", of(&cluster))
        .await
        .unwrap_err();
    let remedy = error.remedy().unwrap();
    assert!(remedy.contains("detach it first"), "{remedy}");
    assert!(!remedy.contains("another name"), "{remedy}");
}
