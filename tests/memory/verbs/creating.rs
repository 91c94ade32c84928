use super::{count, requests};
use crate::support::fixture::{self, created};
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{
    AksCompute, ClusterPurpose, ComputeTarget, ErrorKind, LoadBalancer, ProvisioningConfiguration,
    Tls, VirtualNetwork, WaitOptions,
};

fn dev_test() -> ProvisioningConfiguration {
    AksCompute::provisioning_configuration()
        .cluster_purpose(ClusterPurpose::DevTest)
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn name_that_only_later_api_versions_refuse_is_sent_with_a_warning() {
    let emulator = Emulator::new();
    for (version, allowed) in [("2025-09-01", true), ("2026-05-01", false)] {
        let workspace = fixture::builder(&emulator)
            .api_version(version)
            .build()
            .unwrap();
        let create = ComputeTarget::create(&workspace, "my-aks-01", dev_test());
        let warned: Vec<_> = create.warnings().iter().map(|found| found.rule).collect();
        assert_eq!(warned.len(), usize::from(allowed), "{version}");
        match create.prepare() {
            Ok(prepared) => {
                assert!(allowed, "{version}");
                assert_eq!(warned, ["name.ends_in_dash_digits"]);
                drop(prepared);
            }
            Err(error) => {
                assert!(!allowed, "{version}: {error}");
                assert_eq!(error.findings()[0].rule, "name.ends_in_dash_digits");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn create_reads_the_name_then_the_location_then_puts() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = ComputeTarget::create(&workspace, "myaks", dev_test())
        .await
        .unwrap();
    assert_eq!(
        requests(&emulator),
        ["GET myaks", "GET emulator-workspace", "PUT myaks"]
    );
    assert_eq!(aks.status(), Some("Creating"));
    assert!(aks.resume_token().is_some());

    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert_eq!(aks.status(), Some("Succeeded"));
    assert_eq!(aks.is_attached(), Some(false));
    assert!(aks.resume_token().is_none() && aks.deviations().is_empty());
    assert_eq!(aks.properties().cluster_purpose.as_deref(), Some("DevTest"));
    assert!(emulator.cluster_exists(aks.cluster_resource_id().unwrap()));

    emulator.clear_journal();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert_eq!(
        requests(&emulator),
        ["GET myaks"],
        "nothing is pending: one read decides"
    );

    created(&workspace, "second").await;
    assert!(
        !requests(&emulator).contains(&"GET emulator-workspace".to_owned()),
        "the location is read once"
    );
}

#[tokio::test(start_paused = true)]
async fn service_accepts_everything_that_a_configuration_can_say() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let network = || {
        VirtualNetwork::new("mygroup", "mynetwork", "default")
            .service_cidr("10.0.0.0/16")
            .dns_service_ip("10.0.0.10")
            .docker_bridge_cidr("172.17.0.1/16")
    };
    let config = AksCompute::provisioning_configuration()
        .cluster_purpose(ClusterPurpose::FastProd)
        .vm_size("Standard_D3_v2")
        .agent_count(4)
        .location("westus2")
        .virtual_network(network())
        .load_balancer(LoadBalancer::internal_in("mysubnet"))
        .description("for the tests")
        .tag("team", "forecast")
        .build()
        .unwrap();
    let mut aks = ComputeTarget::create(&workspace, "internal", config)
        .await
        .unwrap();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    let properties = aks.properties();
    assert_eq!(properties.agent_count, Some(4));
    assert_eq!(
        properties.load_balancer_type.as_deref(),
        Some("InternalLoadBalancer")
    );
    assert_eq!(properties.load_balancer_subnet.as_deref(), Some("mysubnet"));
    let seen = properties.aks_networking_configuration.as_ref().unwrap();
    assert_eq!(seen.dns_service_ip.as_deref(), Some("10.0.0.10"));
    assert!(
        seen.subnet_id
            .as_ref()
            .unwrap()
            .ends_with("/virtualNetworks/mynetwork/subnets/default")
    );
    let resource = aks.resource();
    assert_eq!(
        resource.properties.compute_location.as_deref(),
        Some("westus2")
    );
    assert_eq!(
        resource.properties.description.as_deref(),
        Some("for the tests")
    );
    assert_eq!(resource.tags["team"], "forecast");

    let config = AksCompute::provisioning_configuration()
        .tls(Tls::leaf_domain("mylabel").overwrite_existing_domain(true))
        .build()
        .unwrap();
    let mut aks = ComputeTarget::create(&workspace, "leaf", config)
        .await
        .unwrap();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    let tls = aks.properties().ssl_configuration.as_ref().unwrap();
    assert_eq!(tls.status.as_deref(), Some("Auto"));
    assert!(tls.cname.as_ref().unwrap().starts_with("mylabel"));
}

#[tokio::test(start_paused = true)]
async fn create_never_overwrites() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    created(&workspace, "myaks").await;
    let before = emulator.compute("myaks");
    let error = ComputeTarget::create(&workspace, "myaks", dev_test())
        .await
        .unwrap_err();
    assert!(error.is_already_exists());
    assert!(error.to_string().contains(".or_get()"), "{error}");
    assert_eq!(count(&emulator, "PUT"), 1);
    assert_eq!(emulator.compute("myaks"), before);
}

#[tokio::test(start_paused = true)]
async fn or_get_takes_what_is_there() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut first = ComputeTarget::create(&workspace, "myaks", dev_test())
        .or_get()
        .await
        .unwrap();
    // Found while it is being created: the wait follows the resource.
    let mut second = ComputeTarget::create(&workspace, "myaks", dev_test())
        .or_get()
        .await
        .unwrap();
    assert_eq!(count(&emulator, "PUT"), 1);
    assert!(first.resume_token().is_some() && second.resume_token().is_none());
    second
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(second.status(), Some("Succeeded"));
    first.wait_for_completion(WaitOptions::new()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn compute_that_appears_in_between_shows_as_a_deviation() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    emulator.inject(Fault::compute_appears().times(1));
    let config = AksCompute::provisioning_configuration()
        .vm_size("Standard_D4_v2")
        .agent_count(5)
        .build()
        .unwrap();
    match ComputeTarget::create(&workspace, "myaks", config).await {
        // Either the service refuses, or it takes the PUT as an update of what is there.
        Err(error) => assert!(error.is_conflict(), "{error}"),
        Ok(mut aks) => {
            aks.wait_for_completion(WaitOptions::new()).await.unwrap();
            let deviation = aks
                .deviations()
                .iter()
                .find(|found| found.path == "vm_size");
            let deviation = deviation.unwrap();
            assert_eq!(deviation.rule, "compute.deviates");
            assert!(deviation.message.contains("Standard_D4_v2"), "{deviation}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn failed_create_reports_the_reason_and_keeps_the_name() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    for (name, kind) in [
        ("fail-x", ErrorKind::OperationFailed),
        ("nested-x", ErrorKind::OperationFailed),
        ("cancel-x", ErrorKind::OperationCanceled),
    ] {
        let mut aks = ComputeTarget::create(&workspace, name, dev_test())
            .await
            .unwrap();
        let error = aks
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.is_operation_failure() && !error.may_still_run());
        assert!(error.resume_token().is_none());
        assert!(
            error
                .to_string()
                .contains(&format!("create compute {name:?}")),
            "{error}"
        );
        if kind == ErrorKind::OperationFailed {
            assert!(
                error.code().is_some() && error.service_error().is_some(),
                "{error:?}"
            );
        }
        // The same end again, without a request.
        let before = emulator.journal().len();
        let again = aks
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap_err();
        assert_eq!((again.kind(), emulator.journal().len()), (kind, before));

        let error = ComputeTarget::create(&workspace, name, dev_test())
            .await
            .unwrap_err();
        assert!(error.is_already_exists());
        let mut read = AksCompute::get(&workspace, name).await.unwrap();
        assert!(matches!(read.status(), Some("Failed" | "Canceled")));
        let error = read
            .clone()
            .wait_for_completion(WaitOptions::new())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "a handle that was read says so too");
        read.delete().await.unwrap().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn bad_names_and_bad_configurations_send_nothing() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    for name in [
        "",
        "a",
        "1abc",
        "a/../b",
        "aks-01",
        "local",
        "é".repeat(9).as_str(),
        "a b c",
    ] {
        let error = ComputeTarget::create(&workspace, name, dev_test())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation, "{name:?}");
        assert!(!error.findings().is_empty());
    }
    for name in ["", "a/../b", "a?b", "..", "a#b", "a%2fb"] {
        let error = AksCompute::get(&workspace, name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation, "{name:?}");
    }
    assert!(emulator.journal().is_empty());
}

#[tokio::test(start_paused = true)]
async fn compute_that_is_being_deleted_is_not_handed_out() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    let removal = aks.delete().await.unwrap();
    let error = ComputeTarget::create(&workspace, "myaks", dev_test())
        .or_get()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(
        error.remedy().is_some_and(|remedy| remedy.contains("gone")),
        "{error}"
    );

    let mut going = AksCompute::get(&workspace, "myaks").await.unwrap();
    let error = going
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    assert!(error.is_not_found() && !error.may_still_run(), "{error}");
    removal.await.unwrap();
}
