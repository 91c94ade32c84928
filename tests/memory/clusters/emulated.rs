//! The library on the emulator, which knows nothing of how it reads.

use azureml_aks::emulator::{Emulator, EmulatorBuilder, ExistingCluster};
use azureml_aks::{ClusterRef, ErrorKind, ManagedCluster, Workspace};
use futures::TryStreamExt;

fn emulated(builder: EmulatorBuilder) -> (Emulator, Workspace) {
    let emulator = builder.build();
    let workspace = Workspace::builder(
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace(),
    )
    .credential(emulator.credential())
    .transport(emulator.transport())
    .build()
    .unwrap();
    (emulator, workspace)
}

#[tokio::test(start_paused = true)]
async fn clusters_are_listed_and_read_with_pools_and_kubeconfigs() {
    let (emulator, workspace) = emulated(Emulator::builder().page_size(2));
    for (group, name) in [("g", "a"), ("h", "b"), ("g", "c")] {
        emulator.add_cluster(ExistingCluster::new(group, name));
    }
    let names = async |list: azureml_aks::List<ManagedCluster>| -> Vec<String> {
        let clusters = list.map_ok(|cluster| cluster.name().to_owned());
        clusters.try_collect().await.unwrap()
    };
    assert_eq!(
        names(ManagedCluster::list(&workspace)).await,
        ["a", "b", "c"]
    );
    let group = ManagedCluster::list_in(&workspace, "g").unwrap();
    assert_eq!(names(group).await, ["a", "c"]);
    let mut missing = ManagedCluster::list_in(&workspace, "none").unwrap();
    let error = missing.try_next().await.unwrap_err();
    assert_eq!(error.code(), Some("ResourceGroupNotFound"));

    let cluster = ManagedCluster::get(&workspace, &ClusterRef::named("g", "a"))
        .await
        .unwrap();
    let resource = cluster.resource();
    assert!(resource.is_ready() && resource.has_standard_load_balancer());
    let pool = cluster.node_pool("agentpool").await.unwrap();
    assert_eq!(pool.properties.node_count(), Some(3));
    assert!(cluster.node_pool("other").await.unwrap_err().is_not_found());
    for (kubeconfigs, name) in [
        (cluster.user_kubeconfigs().await.unwrap(), "clusterUser"),
        (cluster.admin_kubeconfigs().await.unwrap(), "clusterAdmin"),
    ] {
        assert_eq!((kubeconfigs.len(), kubeconfigs[0].name.as_str()), (1, name));
        assert!(kubeconfigs[0].content.secret().contains("kind: Config"));
    }
}

#[tokio::test(start_paused = true)]
async fn missing_cluster_is_none_and_its_missing_group_is_an_error() {
    let (emulator, workspace) = emulated(Emulator::builder());
    emulator.add_cluster(ExistingCluster::new("g", "a"));
    let missing = ManagedCluster::get_opt(&workspace, &ClusterRef::named("g", "b")).await;
    assert!(missing.unwrap().is_none());
    let error = ManagedCluster::get_opt(&workspace, &ClusterRef::named("none", "a")).await;
    assert_eq!(error.unwrap_err().code(), Some("ResourceGroupNotFound"));
}

#[tokio::test(start_paused = true)]
async fn sizes_and_quota_of_a_region_tell_what_the_subscription_may_use() {
    let (emulator, workspace) = emulated(Emulator::builder());
    emulator.add_cluster(ExistingCluster::new("g", "a").location("West US 2"));
    let sizes = workspace.vm_sizes(Some("West US 2")).await.unwrap();
    let size = sizes.named("standard_d3_v2").unwrap();
    assert_eq!(
        (size.vcpus(), size.memory_gb(), size.gpus()),
        (Some(4), Some(14.0), None)
    );
    assert_eq!(size.usable_zones().collect::<Vec<_>>(), ["1", "2", "3"]);
    let closed = sizes.named("Standard_ND96isr_H100_v5").unwrap();
    assert_eq!(
        closed.refusal().unwrap().reason,
        "NotAvailableForSubscription"
    );
    assert_eq!(closed.usable_zones().count(), 0);

    let quota = workspace.quota(Some("West US 2")).await.unwrap();
    assert_eq!(quota.regional().unwrap().left(), Some(350 - 3 * 4));
    for size in sizes.as_slice() {
        let family = quota.of_family(size.family.as_deref().unwrap());
        assert!(family.is_some(), "{}", size.name);
    }
    assert_eq!(workspace.vm_sizes(None).await.unwrap().region(), "eastus");
}

#[tokio::test(start_paused = true)]
async fn region_that_is_unknown_is_reported_with_the_words_of_the_service() {
    let (_emulator, workspace) = emulated(Emulator::builder());
    for error in [
        workspace
            .kubernetes_versions(Some("nowhere"))
            .await
            .unwrap_err(),
        workspace.quota(Some("nowhere")).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Service);
        assert_eq!(error.code(), Some("NoRegisteredProviderFound"));
        assert!(error.to_string().contains("'nowhere'"), "{error}");
    }
    let error = workspace.vm_sizes(Some("nowhere")).await.unwrap_err();
    assert_eq!(error.findings()[0].rule, "region.name");
}

/// The table of the article "How to deploy to AKS", of 2020.
const TABLE: &str = "\
KubernetesVersion    Upgrades
-------------------  ----------------------------------------
1.18.6(preview)      None available
1.18.4(preview)      1.18.6(preview)
1.17.9               1.18.4(preview), 1.18.6(preview)
1.17.7               1.17.9, 1.18.4(preview), 1.18.6(preview)
1.16.13              1.17.7, 1.17.9
1.16.10              1.16.13, 1.17.7, 1.17.9
1.15.12              1.16.10, 1.16.13
1.15.11              1.15.12, 1.16.10, 1.16.13
";

#[tokio::test(start_paused = true)]
async fn table_of_the_article_is_what_the_emulator_serves_and_the_library_prints() {
    let versions = TABLE.lines().skip(2);
    let versions = versions.map(|line| line.split_whitespace().next().unwrap());
    let (_emulator, workspace) =
        emulated(Emulator::builder().kubernetes_versions(versions, "1.16"));
    let versions = workspace.kubernetes_versions(Some("westus")).await.unwrap();
    assert_eq!(versions.orchestrators().to_string(), TABLE);
    let default = versions.default_release().unwrap();
    assert_eq!(default.patches[0].version.as_str(), "1.16.13");
}
