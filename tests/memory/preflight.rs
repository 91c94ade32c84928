//! The preflight on the emulator: what it sends, what it finds, and what a request does with it.

use crate::support::fixture::{attached, builder, count, created, workspace};
use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request, Transport};
use azureml_aks::emulator::{ConnectedCluster, Emulator, ExistingCluster, Fault};
use azureml_aks::error::Severity;
use azureml_aks::models::PreflightReport;
use azureml_aks::{
    AksCompute, ClusterPurpose, ClusterRef, ComputeTarget, ErrorKind, Extension,
    ExtensionConfiguration, KubernetesClusterRef, KubernetesCompute, ManagedCluster,
    ManagedClusterConfiguration, Preflight, VirtualNetwork, WaitOptions,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

fn rules_of(report: &PreflightReport, severity: Severity) -> BTreeSet<&'static str> {
    report
        .of(severity)
        .map(|found| found.finding.rule)
        .collect()
}

fn network(service: &str, dns: &str) -> VirtualNetwork {
    VirtualNetwork::new("emulated-group", "myvnet", "default")
        .service_cidr(service)
        .dns_service_ip(dns)
        .docker_bridge_cidr("172.17.0.1/16")
}

#[tokio::test(start_paused = true)]
async fn create_that_is_fine_has_notes_alone() {
    let emulator = Emulator::builder().resource_group("emulated-group").build();
    let workspace = workspace(&emulator);
    let config = AksCompute::provisioning_configuration()
        .virtual_network(network("10.0.0.0/16", "10.0.0.10"))
        .build()
        .unwrap();
    let report = config.preflight(&workspace).name("myaks").await.unwrap();
    assert!(!report.has_errors(), "{report}");
    assert!(report.of(Severity::Warning).next().is_none(), "{report}");
    for rule in [
        "preflight.size.offered",
        "preflight.quota.family",
        "preflight.policy.public_address",
        "preflight.network.overlap",
        "preflight.rights",
        "preflight.name.free",
    ] {
        assert!(report.passed.contains(&rule), "{rule}: {report}");
    }
    assert_eq!(
        count(&emulator, "PUT", ""),
        0,
        "a preflight changes nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn create_that_is_wrong_in_several_ways_names_each() {
    let emulator = Emulator::builder()
        .resource_group("emulated-group")
        .deny_public_addresses(true)
        .permissions(["*/read"], [])
        .build();
    let workspace = workspace(&emulator);
    let config = AksCompute::provisioning_configuration()
        .vm_size("Standard_D99_v2")
        .agent_count(12)
        .virtual_network(network("10.224.0.0/16", "10.224.0.10"))
        .build()
        .unwrap();
    let report = config.preflight(&workspace).await.unwrap();
    let expected = BTreeSet::from([
        "preflight.network.overlap",
        "preflight.policy.public_address",
        "preflight.rights",
        "preflight.size.offered",
    ]);
    assert_eq!(rules_of(&report, Severity::Error), expected, "{report}");

    let refused = ComputeTarget::create(&workspace, "myaks", config.clone())
        .preflight(Preflight::Refuse)
        .await;
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    let found: BTreeSet<_> = error.findings().iter().map(|found| found.rule).collect();
    assert_eq!(found, expected);
    assert_eq!(count(&emulator, "PUT", ""), 0);
    // A report alone stops nothing: the service decides.
    let sent = ComputeTarget::create(&workspace, "myaks", config)
        .preflight(Preflight::Report)
        .await;
    assert_eq!(sent.unwrap_err().code(), Some("RequestDisallowedByPolicy"));
    assert_eq!(count(&emulator, "PUT", ""), 1);
}

#[tokio::test(start_paused = true)]
async fn missing_network_and_subnet_are_told_apart() {
    let emulator = Emulator::builder().resource_group("emulated-group").build();
    let workspace = workspace(&emulator);
    for (name, subnet, expected) in [
        ("other", "default", "there is no such virtual network"),
        ("myvnet", "other", "the virtual network has no such subnet"),
    ] {
        let network = VirtualNetwork::new("emulated-group", name, subnet)
            .service_cidr("10.0.0.0/16")
            .dns_service_ip("10.0.0.10")
            .docker_bridge_cidr("172.17.0.1/16");
        let config = AksCompute::provisioning_configuration()
            .virtual_network(network)
            .build()
            .unwrap();
        let report = config.preflight(&workspace).await.unwrap();
        let found = report.of(Severity::Error).next().unwrap();
        assert_eq!(found.finding.rule, "preflight.network.exists");
        assert_eq!(found.finding.message, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn attach_is_judged_by_the_cluster() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let small = ExistingCluster::new("g", "small")
        .node_count(2)
        .vm_size("Standard_D2_v2")
        .version("1.15.11");
    let small = emulator.add_cluster(small.location("northeurope"));
    let config = AksCompute::attach_configuration(ClusterRef::id(&small))
        .build()
        .unwrap();
    let report = config.preflight(&workspace).name("myaks").await.unwrap();
    let expected = BTreeSet::from(["preflight.capacity.vcpus", "preflight.version.supported"]);
    assert_eq!(rules_of(&report, Severity::Error), expected, "{report}");
    assert!(
        rules_of(&report, Severity::Warning).contains("preflight.capacity.nodes"),
        "{report}"
    );
    assert!(
        rules_of(&report, Severity::Note).contains("preflight.region.same"),
        "{report}"
    );

    let (_, taken) = attached(&emulator, &workspace, "first").await;
    let config = AksCompute::attach_configuration(ClusterRef::id(&taken))
        .build()
        .unwrap();
    let report = config
        .preflight(&workspace)
        .name("second")
        .other_workspaces()
        .await
        .unwrap();
    assert_eq!(
        rules_of(&report, Severity::Error),
        BTreeSet::from(["preflight.attachment.here"]),
        "{report}"
    );

    let missing = ClusterRef::named("g", "none");
    let config = AksCompute::attach_configuration(missing).build().unwrap();
    let report = config.preflight(&workspace).await.unwrap();
    assert_eq!(
        rules_of(&report, Severity::Error),
        BTreeSet::from(["preflight.cluster.exists"]),
        "{report}"
    );
}

#[tokio::test(start_paused = true)]
async fn own_cluster_is_judged_before_it_is_created_and_attached() {
    let emulator = Emulator::builder().deny_public_addresses(true).build();
    let workspace = workspace(&emulator);
    let place = ClusterRef::named(emulator.resource_group(), "own");
    let config = ManagedClusterConfiguration::builder(emulator.resource_group(), "own")
        .vm_size("Standard_D2_v2")
        .node_count(2)
        .kubernetes_version("1.15.11")
        .build()
        .unwrap();
    let report = config.preflight(&workspace).await.unwrap();
    let expected = BTreeSet::from([
        "preflight.policy.public_address",
        "preflight.version.supported",
    ]);
    assert_eq!(rules_of(&report, Severity::Error), expected, "{report}");
    // With a name the attach is judged, too, as that of a production cluster.
    let report = config.preflight(&workspace).name("myaks").await.unwrap();
    assert!(
        rules_of(&report, Severity::Error).contains("preflight.capacity.vcpus"),
        "{report}"
    );
    let attach = AksCompute::attach_configuration(place)
        .cluster_purpose(ClusterPurpose::DevTest)
        .build()
        .unwrap();
    let create =
        ManagedCluster::create(&workspace, config).then_attach(&workspace, "myaks", attach);
    let error = create.preflight(Preflight::Refuse).await.unwrap_err();
    let found: BTreeSet<_> = error.findings().iter().map(|found| found.rule).collect();
    assert_eq!(found, expected);
    assert_eq!(count(&emulator, "PUT", ""), 0);
}

#[tokio::test(start_paused = true)]
async fn missing_resource_group_is_an_error() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let own = ManagedClusterConfiguration::builder("nogroup", "mycluster").build();
    let own = own.unwrap();
    let report = own.preflight(&workspace).await.unwrap();
    let errors = BTreeSet::from(["preflight.group.exists"]);
    assert_eq!(rules_of(&report, Severity::Error), errors, "{report}");
    let unknown = rules_of(&report, Severity::Unknown);
    assert!(!unknown.contains("preflight.rights"), "{report}");

    let there =
        ManagedClusterConfiguration::builder(emulator.resource_group(), "mycluster").build();
    let report = there.unwrap().preflight(&workspace).await.unwrap();
    assert!(
        report.passed.contains(&"preflight.group.exists"),
        "{report}"
    );

    // A cluster in a group that does not exist does not exist either.
    let missing = BTreeSet::from(["preflight.cluster.exists"]);
    let attach = AksCompute::attach_configuration(own.to_ref()).build();
    let report = attach.unwrap().preflight(&workspace).await.unwrap();
    assert_eq!(rules_of(&report, Severity::Error), missing, "{report}");
    let kube = KubernetesCompute::attach_configuration(own.to_ref()).build();
    let report = kube.unwrap().preflight(&workspace).await.unwrap();
    assert_eq!(rules_of(&report, Severity::Error), missing, "{report}");
}

#[tokio::test(start_paused = true)]
async fn extension_that_lacks_a_relay_is_refused_by_its_preflight_too() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let id = emulator.add_connected_cluster(ConnectedCluster::new("g", "edge"));
    let config = ExtensionConfiguration::builder().training(true).build();
    let preflight = config.unwrap();
    let preflight = preflight.preflight(&workspace, KubernetesClusterRef::id(&id), "azureml");
    let error = preflight.await.unwrap_err();
    assert_eq!(error.findings()[0].rule, "extension.relay", "{error}");
    assert!(emulator.journal().is_empty(), "nothing is sent");
}

#[tokio::test(start_paused = true)]
async fn authorised_ranges_are_compared_with_those_of_the_service() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    for (name, ranges, expected) in [
        ("office", &["198.51.100.0/24"][..], true),
        ("both", &["198.51.100.0/24", "203.0.113.0/24"], false),
    ] {
        let config = ManagedClusterConfiguration::builder(emulator.resource_group(), name)
            .vm_size("Standard_D4s_v3")
            .node_count(3)
            .authorized_ip_ranges(ranges.iter().copied())
            .build()
            .unwrap();
        let report = config.preflight(&workspace).await.unwrap();
        assert_eq!(
            rules_of(&report, Severity::Error).contains("preflight.ranges.covered"),
            expected,
            "{report}"
        );
        let cluster = ManagedCluster::create(&workspace, config)
            .await
            .unwrap()
            .await
            .unwrap();
        let config = AksCompute::attach_configuration(cluster.to_ref())
            .build()
            .unwrap();
        let report = config.preflight(&workspace).name("myaks").await.unwrap();
        let found = report
            .findings
            .iter()
            .find(|found| found.finding.rule == "preflight.ranges.covered");
        assert_eq!(found.is_some(), expected, "{report}");
        if let Some(found) = found {
            assert!(
                found.finding.message.contains("203.0.113.32/28"),
                "{report}"
            );
        }
    }
}

/// Answers GETs of this path with a document.
fn answered(emulator: &Emulator, path: &str, document: &Value) {
    let headers = [("content-type", "application/json")];
    let fault = Fault::response_override(200, &headers, document.to_string());
    emulator.inject(fault.on(Method::Get, path).times(9));
}

#[tokio::test(start_paused = true)]
async fn security_group_without_an_inbound_rule_is_a_warning() {
    for (port, expected) in [("22", true), ("400-500", false)] {
        let emulator = Emulator::builder().resource_group("emulated-group").build();
        let workspace = workspace(&emulator);
        let group = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/nsg";
        let subnet =
            json!({ "addressPrefix": "10.9.0.0/24", "networkSecurityGroup": { "id": group } });
        let subnets = json!([{ "name": "default", "properties": subnet }]);
        let network_document =
            json!({ "location": emulator.location(), "properties": { "subnets": subnets } });
        answered(&emulator, "/virtualNetworks/myvnet", &network_document);
        let rule =
            json!({ "direction": "Inbound", "access": "Allow", "destinationPortRange": port });
        let rules = json!({ "properties": { "securityRules": [{ "properties": rule }] } });
        answered(&emulator, "/networkSecurityGroups/nsg", &rules);
        let config = AksCompute::provisioning_configuration()
            .virtual_network(network("10.0.0.0/16", "10.0.0.10"))
            .build()
            .unwrap();
        let report = config.preflight(&workspace).await.unwrap();
        let warnings = rules_of(&report, Severity::Warning);
        assert_eq!(
            warnings.contains("preflight.network.inbound"),
            expected,
            "{report}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn attachment_in_another_workspace_is_found_where_it_is_asked_for() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let cluster = emulator.add_cluster(ExistingCluster::new("g", "c"));
    let of_subscription = format!("/subscriptions/{}", emulator.subscription());
    let other = format!(
        "{of_subscription}/resourceGroups/other/providers/Microsoft.MachineLearningServices/workspaces/team"
    );
    let own = workspace.id().to_string();
    let all = json!({ "value": [{ "id": own }, { "id": other }] });
    answered(
        &emulator,
        &format!("{of_subscription}/providers/Microsoft.MachineLearningServices/workspaces"),
        &all,
    );
    let properties = json!({ "computeType": "AKS", "resourceId": cluster });
    let computes = json!({ "value": [{ "id": format!("{other}/computes/theirs"), "name": "theirs", "properties": properties }] });
    answered(&emulator, &format!("{other}/computes"), &computes);
    let config = AksCompute::attach_configuration(ClusterRef::id(&cluster))
        .build()
        .unwrap();
    let report = config.preflight(&workspace).name("myaks").await.unwrap();
    assert!(!report.has_errors(), "{report}");
    let report = config
        .preflight(&workspace)
        .name("myaks")
        .other_workspaces()
        .await
        .unwrap();
    assert_eq!(
        rules_of(&report, Severity::Error),
        BTreeSet::from(["preflight.attachment.elsewhere"]),
        "{report}"
    );
}

#[tokio::test(start_paused = true)]
async fn list_with_a_page_that_cannot_be_read_settles_nothing() {
    let emulator = Emulator::builder().page_size(1).build();
    let workspace = workspace(&emulator);
    created(&workspace, "first").await;
    created(&workspace, "second").await;
    let garbage = Fault::response_override(200, &[("content-type", "application/json")], "{");
    emulator.inject(garbage.on(Method::Get, "/computes").after(1).times(9));
    let config = AksCompute::provisioning_configuration().build().unwrap();
    let report = config.preflight(&workspace).name("myaks").await.unwrap();
    assert!(
        rules_of(&report, Severity::Unknown).contains("preflight.name.free"),
        "{report}"
    );
}

/// Answers after a second.
#[derive(Debug)]
struct Slow(Arc<dyn HttpClient>);

#[async_trait]
impl HttpClient for Slow {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.0.execute_request(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn reads_go_out_together_and_a_second_preflight_takes_as_long_as_one_read() {
    let emulator = Emulator::builder().resource_group("emulated-group").build();
    let slow = Transport::new(Arc::new(Slow(emulator.http_client())));
    let workspace = builder(&emulator).transport(slow).build().unwrap();
    let config = AksCompute::provisioning_configuration()
        .virtual_network(network("10.0.0.0/16", "10.0.0.10"))
        .build()
        .unwrap();
    let mut took = Vec::new();
    for name in ["one", "two"] {
        let begun = Instant::now();
        config.preflight(&workspace).name(name).await.unwrap();
        took.push(begun.elapsed().as_secs());
    }
    // The region of the workspace comes first; the other seven reads go out together.
    assert_eq!(took, [2, 1]);
    assert!(emulator.journal().len() >= 8);
}

#[tokio::test(start_paused = true)]
async fn checks_that_may_not_read_are_unknown_and_disturb_no_other() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let denied = || {
        let body = r#"{"error":{"code":"AuthorizationFailed","message":"no"}}"#;
        Fault::response_override(403, &[("content-type", "application/json")], body)
    };
    for path in ["/skus", "/checkPolicyRestrictions", "/permissions"] {
        emulator.inject(denied().on_path(path).times(9));
    }
    let config = AksCompute::provisioning_configuration().build().unwrap();
    let report = config.preflight(&workspace).name("myaks").await.unwrap();
    assert!(!report.has_errors(), "{report}");
    let unknown = rules_of(&report, Severity::Unknown);
    for rule in [
        "preflight.size.offered",
        "preflight.policy.public_address",
        "preflight.rights",
    ] {
        assert!(unknown.contains(rule), "{rule}: {report}");
    }
    assert!(report.passed.contains(&"preflight.name.free"), "{report}");
    // Nothing is refused for what is not known.
    let config = AksCompute::provisioning_configuration().build().unwrap();
    ComputeTarget::create(&workspace, "myaks", config)
        .preflight(Preflight::Refuse)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn second_preflight_of_a_region_sends_what_is_specific_alone() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let config = AksCompute::provisioning_configuration().build().unwrap();
    config.preflight(&workspace).name("one").await.unwrap();
    emulator.clear_journal();
    config.preflight(&workspace).name("two").await.unwrap();
    let sent: Vec<String> = emulator
        .journal()
        .iter()
        .map(|entry| entry.path.clone())
        .collect();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].ends_with("/computes"), "{sent:?}");
    tokio::time::advance(Duration::from_secs(61)).await;
    emulator.clear_journal();
    config.preflight(&workspace).name("three").await.unwrap();
    let sent = emulator.journal().len();
    assert_eq!(
        sent, 4,
        "computes, quota, policies and permissions, and no sizes"
    );
}

#[tokio::test(start_paused = true)]
async fn default_sends_nothing_more() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    created(&workspace, "myaks").await;
    for part in ["skus", "usages", "permissions", "checkPolicyRestrictions"] {
        assert_eq!(
            count(&emulator, "GET", part) + count(&emulator, "POST", part),
            0,
            "{part}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn name_that_breaks_the_rules_is_an_error_before_anything_is_sent() {
    let emulator = Emulator::new();
    let workspace = builder(&emulator).build().unwrap();
    let config = AksCompute::provisioning_configuration().build().unwrap();
    let error = config.preflight(&workspace).name("1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    assert!(emulator.journal().is_empty());
}

#[cfg(feature = "services")]
#[tokio::test(start_paused = true)]
async fn deployment_is_judged_by_the_nodes_behind_its_target() {
    use azureml_aks::{AksWebservice, AutoScale};
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let (mut aks, cluster) = attached(&emulator, &workspace, "myaks").await;
    let config = |cpu: f64, most| {
        let replicas = AutoScale::new().min_replicas(1).max_replicas(most);
        AksWebservice::deploy_configuration()
            .cpu_cores(cpu)
            .memory_gb(1.0)
            .replicas(replicas)
            .build()
            .unwrap()
    };
    let report = config(1.0, 3).preflight(&aks).await.unwrap();
    assert!(report.passed.contains(&"preflight.deploy.room"), "{report}");
    assert!(!report.has_errors(), "{report}");
    let report = config(99.0, 3).preflight(&aks).await.unwrap();
    assert_eq!(
        rules_of(&report, Severity::Error),
        BTreeSet::from(["preflight.deploy.room"]),
        "{report}"
    );
    assert!(emulator.cluster_exists(&cluster));
    aks.detach()
        .await
        .unwrap()
        .wait(Default::default())
        .await
        .unwrap();
    let report = config(1.0, 3).preflight(&aks).await.unwrap();
    assert_eq!(
        rules_of(&report, Severity::Error),
        BTreeSet::from(["preflight.deploy.target"]),
        "{report}"
    );
}

#[tokio::test(start_paused = true)]
async fn kubernetes_attach_without_problems_has_only_the_namespace_note() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let managed = ExistingCluster::new("g", "c").extension("azureml");
    let connected = ConnectedCluster::new("g", "edge").extension("azureml");
    for id in [
        emulator.add_cluster(managed),
        emulator.add_connected_cluster(connected),
    ] {
        let config = KubernetesCompute::attach_configuration(KubernetesClusterRef::id(&id))
            .build()
            .unwrap();
        let report = config.preflight(&workspace).name("kube").await.unwrap();
        let reminders = BTreeSet::from(["preflight.namespace.exists"]);
        assert_eq!(rules_of(&report, Severity::Note), reminders, "{report}");
        let unknown = BTreeSet::from(["preflight.name.region"]);
        assert_eq!(rules_of(&report, Severity::Unknown), unknown, "{report}");
        assert_eq!(report.findings.len(), 2, "{report}");
        for rule in [
            "preflight.provider.registered",
            "preflight.extension.ready",
            "preflight.workspace.legacy_mode",
            "preflight.rights",
        ] {
            assert!(report.passed.contains(&rule), "{rule}: {report}");
        }
        assert_eq!(count(&emulator, "PUT", ""), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn kubernetes_attach_with_several_problems_reports_each() {
    let emulator = Emulator::builder()
        .unregistered_provider("Microsoft.KubernetesConfiguration")
        .v1_legacy_mode(true)
        .permissions(["*/read"], [])
        .build();
    let workspace = workspace(&emulator);
    let cluster = ExistingCluster::new("g", "c").local_accounts(false);
    let id = emulator.add_cluster(cluster.subscription("other"));
    let config = KubernetesCompute::attach_configuration(KubernetesClusterRef::id(&id))
        .build()
        .unwrap();
    let refused = ComputeTarget::attach(&workspace, "kube", config)
        .preflight(Preflight::Refuse)
        .await;
    let error = refused.unwrap_err();
    let found: BTreeSet<_> = error.findings().iter().map(|found| found.rule).collect();
    let expected = BTreeSet::from([
        "preflight.cluster.subscription",
        "preflight.cluster.access",
        "preflight.provider.registered",
        "preflight.extension.ready",
        "preflight.rights",
    ]);
    assert_eq!(found, expected, "{error}");
    assert_eq!(count(&emulator, "PUT", ""), 0);
}

#[tokio::test(start_paused = true)]
async fn trusted_access_replaces_local_accounts() {
    let emulator = Emulator::new();
    let workspace = workspace(&emulator);
    let cluster = ExistingCluster::new("g", "c").local_accounts(false);
    let id = emulator.add_cluster(cluster.trusted_access().extension("azureml"));
    let config = KubernetesCompute::attach_configuration(KubernetesClusterRef::id(&id))
        .build()
        .unwrap();
    let mut kube = ComputeTarget::attach(&workspace, "kube", config.clone())
        .preflight(Preflight::Refuse)
        .await
        .unwrap();
    kube.wait_for_completion(WaitOptions::new()).await.unwrap();
    // The same cluster again is allowed, and noted.
    let report = config.preflight(&workspace).name("again").await.unwrap();
    let notes = rules_of(&report, Severity::Note);
    assert!(notes.contains("preflight.attachment.again"), "{report}");
    assert!(!report.has_errors(), "{report}");
}

#[tokio::test(start_paused = true)]
async fn extension_is_checked_before_it_is_installed() {
    let emulator = Emulator::builder()
        .unregistered_provider("Microsoft.KubernetesConfiguration")
        .build();
    let workspace = workspace(&emulator);
    let (_, id) = attached(&emulator, &workspace, "legacy").await;
    let config = ExtensionConfiguration::builder().training(true).build();
    let config = config.unwrap();
    let cluster = || KubernetesClusterRef::id(&id);
    let report = config.preflight(&workspace, cluster(), "azureml").await;
    let report = report.unwrap();
    let errors = BTreeSet::from(["preflight.provider.registered"]);
    assert_eq!(rules_of(&report, Severity::Error), errors, "{report}");
    let warnings = BTreeSet::from(["preflight.extension.legacy_router"]);
    assert_eq!(rules_of(&report, Severity::Warning), warnings, "{report}");

    let puts = count(&emulator, "PUT", "");
    let install = || Extension::install(&workspace, cluster(), "azureml", config.clone());
    let refused = install().preflight(Preflight::Refuse).await;
    let error = refused.unwrap_err();
    assert_eq!(
        error.findings()[0].rule,
        "preflight.provider.registered",
        "{error}"
    );
    assert_eq!(count(&emulator, "PUT", ""), puts);
    // A report alone stops nothing: the service decides.
    let error = install().preflight(Preflight::Report).await.unwrap_err();
    assert_eq!(error.code(), Some("MissingSubscriptionRegistration"));
    assert!(error.remedy().is_some(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn answer_that_leaves_out_what_is_asked_for_is_no_error_finding() {
    let cluster = ExistingCluster::new("g", "c").extension("azureml");
    let emulator = Emulator::builder().build();
    let workspace = workspace(&emulator);
    let id = emulator.add_cluster(cluster);
    let config = KubernetesCompute::attach_configuration(KubernetesClusterRef::id(&id));
    let config = config.build().unwrap();
    let provider = format!(
        "/subscriptions/{}/providers/Microsoft.KubernetesConfiguration",
        emulator.subscription()
    );
    for (path, body, rule) in [
        (provider.as_str(), "{}", "preflight.provider.registered"),
        (
            "/extensions",
            r#"{"value":[{"properties":{"extensionType":"microsoft.azureml.kubernetes"}}]}"#,
            "preflight.extension.ready",
        ),
        ("/permissions", r#"{"value":null}"#, "preflight.rights"),
    ] {
        let json = [("content-type", "application/json")];
        let fault = Fault::response_override(200, &json, body);
        emulator.inject(fault.on_path(path).times(1));
        let report = config.preflight(&workspace).await.unwrap();
        assert!(!report.has_errors(), "{report}");
        let unknown = rules_of(&report, Severity::Unknown);
        assert!(unknown.contains(rule), "{report}");
        emulator.clear_faults();
        tokio::time::advance(Duration::from_secs(3600)).await;
    }
}
