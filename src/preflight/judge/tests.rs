//! Each rule fires, is silent, and says that it cannot tell.

use super::*;
use crate::cluster::{
    ClusterResource, ManagedClusterConfiguration, ManagedClusterConfigurationBuilder, VmSize,
    VmSizes,
};
use crate::compute::{
    AksCompute, ClusterPurpose, ClusterRef, ComputeResource, KubernetesAttachConfiguration,
    KubernetesClusterRef, VirtualNetwork,
};
use crate::error::Severity;
use crate::extension::{
    Connected, ConnectedProperties, ExtensionConfiguration, ExtensionConfigurationBuilder,
};
use crate::names::WorkspaceId;
use crate::preflight::azure::{Permissions, ServiceTags, Subnet, VirtualNetwork as Found};
use crate::preflight::gather::Right;
use crate::preflight::kubernetes::{Installed, KubernetesFacts};

use crate::preflight::report::PreflightReport;
use crate::rules::{self, Check};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const CLUSTER: &str =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c";
const LOST: &str = "403 AuthorizationFailed";

fn lost<T>() -> Option<Result<T, String>> {
    Some(Err(LOST.to_owned()))
}

fn known<T>(value: T) -> Option<Result<T, String>> {
    Some(Ok(value))
}

fn size(name: &str, family: &str, capabilities: &[(&str, &str)]) -> VmSize {
    let pairs = capabilities
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()));
    VmSize {
        name: name.to_owned(),
        family: Some(family.to_owned()),
        capabilities: pairs.collect(),
        ..VmSize::default()
    }
}

fn sizes() -> Vec<VmSize> {
    vec![
        size(
            "Standard_D3_v2",
            "standardDv2Family",
            &[("vCPUs", "4"), ("MemoryGB", "14")],
        ),
        size(
            "Standard_D1_v2",
            "standardDv2Family",
            &[("vCPUs", "1"), ("MemoryGB", "3.5")],
        ),
        size(
            "Standard_NC6",
            "standardNCFamily",
            &[("vCPUs", "6"), ("MemoryGB", "56"), ("GPUs", "1")],
        ),
    ]
}

fn compute(name: &str, cluster: &str, extra: Value) -> ComputeResource {
    let mut document = json!({
        "id": format!("/w/computes/{name}"),
        "name": name,
        "properties": { "computeType": "AKS", "provisioningState": "Succeeded", "resourceId": cluster },
    });
    if let (Value::Object(properties), Value::Object(extra)) = (&mut document["properties"], extra)
    {
        properties.extend(extra);
    }
    serde_json::from_value(document).unwrap()
}

fn cluster(change: impl FnOnce(&mut Value)) -> ClusterResource {
    let mut document = json!({
        "id": CLUSTER,
        "name": "c",
        "location": "westus",
        "identity": { "type": "SystemAssigned" },
        "properties": {
            "provisioningState": "Succeeded",
            "powerState": { "code": "Running" },
            "currentKubernetesVersion": "1.29.7",
            "networkProfile": { "loadBalancerSku": "standard" },
            "apiServerAccessProfile": { "authorizedIPRanges": ["10.1.0.0/16", "20.2.0.0/24"] },
            "agentPoolProfiles": [
                { "name": "agentpool", "mode": "System", "count": 3, "vmSize": "Standard_D3_v2", "osType": "Linux" },
            ],
        },
    });
    change(&mut document);
    serde_json::from_value(document).unwrap()
}

/// A plan and everything that is known, in which no rule is broken that can be kept.
struct World {
    plan: Plan,
    facts: Facts,
}

fn workspace() -> WorkspaceId {
    WorkspaceId::new("s", "g", "w").unwrap()
}

fn facts() -> Facts {
    let versions = json!({ "values": [
        { "version": "1.29", "isDefault": true, "patchVersions": { "1.29.7": { "upgrades": [] } } },
        { "version": "1.30", "isPreview": true, "patchVersions": { "1.30.1": { "upgrades": [] } } },
    ] });
    let usage = |name: &str, used: u64, limit: u64| json!({ "name": { "value": name }, "currentValue": used, "limit": limit });
    let usages = json!([usage("cores", 10, 100), usage("standardDv2Family", 0, 100)]);
    let quota = crate::cluster::Quota {
        usages: serde_json::from_value(usages).unwrap(),
    };
    let right = |scope: &str, action| Right {
        scope: scope.to_owned(),
        action,
        lacks_group: false,
        permissions: known(Arc::new(Permissions::new(&[(&["*"], &[])]))),
    };
    Facts {
        home: known("westus".to_owned()),
        region: known("westus".to_owned()),
        computes: known(vec![compute("other", "/other", json!({}))]),
        elsewhere: known(Vec::new()),
        target: None,
        cluster: None,
        versions: known(Arc::new(serde_json::from_value(versions).unwrap())),
        sizes: known(Arc::new(VmSizes::new("westus", sizes()))),
        quota: known(Arc::new(quota)),
        tags: known(Arc::new(ServiceTags::new(&[
            ("AzureMachineLearning.westus", &["10.1.2.0/24"]),
            ("AzureMachineLearning.eastus", &["20.2.0.0/24", "fd00::/8"]),
            ("AzureMachineLearning.centralus", &["30.0.0.0/8"]),
        ]))),
        pair: known(Arc::new(Some("eastus".to_owned()))),
        denials: known(Arc::default()),
        network: None,
        inbound: None,
        rights: vec![right("/w", "x/write")],
        kubernetes: KubernetesFacts::default(),
    }
}

fn create(purpose: ClusterPurpose, size: &str, count: u32) -> World {
    let network = VirtualNetwork::new("g", "v", "default")
        .service_cidr("10.0.0.0/16")
        .dns_service_ip("10.0.0.10")
        .docker_bridge_cidr("172.17.0.1/16");
    let configuration = AksCompute::provisioning_configuration()
        .cluster_purpose(purpose)
        .vm_size(size)
        .agent_count(count)
        .virtual_network(network)
        .build()
        .unwrap();
    let subnet = Subnet {
        ranges: vec!["10.5.0.0/28".parse().unwrap()],
        used: 4,
        security_group: Some("/nsg".to_owned()),
    };
    let network = Found {
        region: "West US".to_owned(),
        subnets: vec![("default".to_owned(), subnet.ranges.clone())],
        subnet: Some(subnet),
    };
    World {
        plan: Plan {
            name: Some("myaks".to_owned()),
            ..Plan::create(&configuration, &workspace())
        },
        facts: Facts {
            network: known(Some(network)),
            inbound: known(true),
            ..facts()
        },
    }
}

fn production() -> World {
    create(ClusterPurpose::FastProd, "Standard_D3_v2", 3)
}

fn attach(purpose: Option<ClusterPurpose>, cluster: ClusterResource) -> World {
    let mut builder = AksCompute::attach_configuration(ClusterRef::id(CLUSTER));
    if let Some(purpose) = purpose {
        builder = builder.cluster_purpose(purpose);
    }
    let plan = Plan::attach(&builder.build().unwrap(), &workspace());
    World {
        plan: Plan {
            name: Some("myaks".to_owned()),
            elsewhere: true,
            ..plan
        },
        facts: Facts {
            cluster: known(Some(cluster)),
            ..facts()
        },
    }
}

fn attached(change: impl FnOnce(&mut Value)) -> World {
    attach(None, cluster(change))
}

fn own(
    name: Option<&str>,
    set: impl FnOnce(ManagedClusterConfigurationBuilder) -> ManagedClusterConfigurationBuilder,
) -> World {
    let builder = ManagedClusterConfiguration::builder("g", "c");
    let builder = builder.vm_size("Standard_D3_v2").node_count(3);
    let plan = Plan::cluster(&set(builder).build().unwrap(), &workspace());
    let attach = AksCompute::attach_configuration(ClusterRef::named("g", "c"))
        .build()
        .unwrap();
    World {
        plan: match name {
            Some(name) => plan.then_attach(&attach, name),
            None => plan,
        },
        facts: facts(),
    }
}

/// An attach as a compute of kind Kubernetes.
fn kubernetes(namespace: &str, cluster: ClusterResource) -> World {
    let configuration = KubernetesAttachConfiguration::builder(KubernetesClusterRef::id(CLUSTER))
        .namespace(namespace)
        .build()
        .unwrap();
    World {
        plan: Plan {
            name: Some("myk8s".to_owned()),
            ..Plan::attach_kubernetes(&configuration, &workspace())
        },
        facts: Facts {
            cluster: known(Some(cluster)),
            kubernetes: KubernetesFacts {
                connected: None,
                provider: known(true),
                trusted: known(false),
                extensions: known(vec![installed("azureml", "Succeeded")]),
                v1_legacy: known(false),
            },
            ..facts()
        },
    }
}

fn of_kubernetes(change: impl FnOnce(&mut Value)) -> World {
    kubernetes("default", cluster(change))
}

fn installed(name: &str, state: &str) -> Installed {
    Installed {
        name: name.to_owned(),
        state: state.to_owned(),
        is_healthy: state == "Succeeded",
        remedy: None,
    }
}

/// The same for an Arc-connected cluster.
fn edge(status: &str) -> World {
    let configuration =
        KubernetesAttachConfiguration::builder(KubernetesClusterRef::connected("g", "edge"))
            .build()
            .unwrap();
    let world = of_kubernetes(|_| {});
    World {
        plan: Plan::attach_kubernetes(&configuration, &workspace()),
        ..world
    }
    .with(|w| {
        w.facts.cluster = None;
        w.facts.kubernetes.trusted = None;
        w.facts.kubernetes.connected = known(Some(Connected {
            location: Some("westus".to_owned()),
            properties: ConnectedProperties {
                connectivity_status: Some(status.to_owned()),
                total_node_count: Some(2),
                ..ConnectedProperties::default()
            },
        }));
    })
}

/// An install of the extension.
fn extension(cluster: ClusterResource) -> World {
    extension_with(cluster, |settings| settings.high_availability(true))
}

fn extension_with(
    cluster: ClusterResource,
    set: impl FnOnce(ExtensionConfigurationBuilder) -> ExtensionConfigurationBuilder,
) -> World {
    let world = kubernetes("default", cluster);
    let builder = ExtensionConfiguration::builder().training(true);
    let configuration = set(builder).build().unwrap();
    let id = KubernetesClusterRef::id(CLUSTER);
    World {
        plan: Plan::extension(&configuration, &id, "azureml", &workspace()),
        ..world
    }
}

/// A compute of kind AKS of which this is the cluster.
fn legacy() -> Option<Result<Vec<ComputeResource>, String>> {
    known(vec![compute("old", CLUSTER, json!({}))])
}

#[cfg(feature = "services")]
fn deploy(builder: crate::webservice::DeployConfigurationBuilder) -> World {
    let plan = Plan::deploy(&builder.build().unwrap(), "myaks");
    let cluster = cluster(|_| {});
    let target = known(Some(compute("myaks", CLUSTER, json!({}))));
    World {
        plan,
        facts: Facts {
            cluster: known(Some(cluster)),
            target,
            ..facts()
        },
    }
}

impl World {
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn report(&self) -> PreflightReport {
        judge(&self.plan, &self.facts)
    }

    /// Everything that can be read is lost.
    fn lost(self) -> Self {
        self.with(|world| {
            let rights = std::mem::take(&mut world.facts.rights);
            let lose = |right: Right| Right {
                permissions: lost(),
                ..right
            };
            world.facts = Facts {
                home: lost(),
                region: lost(),
                computes: lost(),
                elsewhere: lost(),
                target: lost(),
                cluster: lost(),
                versions: lost(),
                sizes: lost(),
                quota: lost(),
                tags: lost(),
                pair: lost(),
                denials: lost(),
                network: lost(),
                inbound: lost(),
                rights: rights.into_iter().map(lose).collect(),
                kubernetes: KubernetesFacts {
                    connected: lost(),
                    provider: lost(),
                    trusted: lost(),
                    extensions: lost(),
                    v1_legacy: lost(),
                },
            };
        })
    }
}

/// The worlds in which each rule is broken.
fn broken() -> Vec<(Check, World)> {
    use ClusterPurpose::{DevTest, FastProd};
    let network = |world: &mut World, change: &dyn Fn(&mut Found)| {
        if let Some(Ok(Some(network))) = &mut world.facts.network {
            change(network);
        }
    };
    let mut all = vec![
        (
            rules::PREFLIGHT_VCPUS,
            attached(|c| c["properties"]["agentPoolProfiles"][0]["count"] = 2.into()),
        ),
        (
            rules::PREFLIGHT_NODES,
            attached(|c| c["properties"]["agentPoolProfiles"][0]["count"] = 2.into()),
        ),
        (
            rules::PREFLIGHT_DEV_TEST,
            create(DevTest, "Standard_D1_v2", 1),
        ),
        (
            rules::PREFLIGHT_SIZE_OFFERED,
            create(FastProd, "Standard_D99_v2", 12),
        ),
        (
            rules::PREFLIGHT_SIZE_ALLOWED,
            production().with(|world| {
                let mut sizes = sizes();
                sizes[0].restrictions = vec![crate::cluster::SizeRestriction {
                    zones: Vec::new(),
                    reason: "NotAvailableForSubscription".to_owned(),
                }];
                world.facts.sizes = known(Arc::new(VmSizes::new("westus", sizes)));
            }),
        ),
        (
            rules::PREFLIGHT_SIZE_ACCELERATOR,
            create(FastProd, "Standard_NC6", 3),
        ),
        (
            rules::PREFLIGHT_QUOTA_FAMILY,
            create(FastProd, "Standard_D3_v2", 26),
        ),
        (
            rules::PREFLIGHT_QUOTA_REGION,
            create(FastProd, "Standard_D3_v2", 23),
        ),
        (
            rules::PREFLIGHT_NAME,
            production()
                .with(|w| w.facts.computes = known(vec![compute("MyAks", "/other", json!({}))])),
        ),
        (rules::PREFLIGHT_NAME_REGION, production()),
        (
            rules::PREFLIGHT_ATTACHED_HERE,
            attached(|_| {}).with(|w| {
                w.facts.computes =
                    known(vec![compute("first", &CLUSTER.to_uppercase(), json!({}))]);
            }),
        ),
        (
            rules::PREFLIGHT_ATTACHED_ELSEWHERE,
            attached(|_| {})
                .with(|w| w.facts.elsewhere = known(vec![compute("x", CLUSTER, json!({}))])),
        ),
        (
            rules::PREFLIGHT_OTHER_CLUSTER,
            attached(|_| {})
                .with(|w| w.facts.computes = known(vec![compute("myaks", "/other", json!({}))])),
        ),
        (
            rules::PREFLIGHT_CLUSTER_EXISTS,
            attached(|_| {}).with(|w| w.facts.cluster = known(None)),
        ),
        (
            rules::PREFLIGHT_CLUSTER_RUNNING,
            attached(|c| c["properties"]["powerState"]["code"] = "Stopped".into()),
        ),
        (
            rules::PREFLIGHT_CLUSTER_STATE,
            attached(|c| c["properties"]["provisioningState"] = "Failed".into()),
        ),
        (
            rules::PREFLIGHT_CLUSTER_IDENTITY,
            attached(|c| c["identity"] = Value::Null),
        ),
        (
            rules::PREFLIGHT_CLUSTER_ACCOUNTS,
            attached(|c| c["properties"]["disableLocalAccounts"] = true.into()),
        ),
        (
            rules::PREFLIGHT_VERSION,
            attached(|c| c["properties"]["currentKubernetesVersion"] = "1.15.11".into()),
        ),
        (
            rules::PREFLIGHT_PREVIEW,
            attached(|c| c["properties"]["currentKubernetesVersion"] = "1.30.1".into()),
        ),
        (
            rules::PREFLIGHT_REGION,
            attached(|_| {}).with(|w| w.facts.home = known("eastus".to_owned())),
        ),
        (
            rules::PREFLIGHT_LOAD_BALANCER,
            attached(|c| c["properties"]["networkProfile"]["loadBalancerSku"] = "Basic".into()),
        ),
        (
            rules::PREFLIGHT_RANGES_LOAD_BALANCER,
            attached(|c| c["properties"]["networkProfile"]["loadBalancerSku"] = "Basic".into()),
        ),
        (
            rules::PREFLIGHT_RANGES,
            attached(|c| {
                c["properties"]["apiServerAccessProfile"]["authorizedIPRanges"] =
                    json!(["10.1.2.0/24"])
            }),
        ),
        (
            rules::PREFLIGHT_PRIVATE,
            attached(|c| {
                c["properties"]["apiServerAccessProfile"]["enablePrivateCluster"] = true.into()
            }),
        ),
        (
            rules::PREFLIGHT_POOLS,
            attached(|c| {
                let pool = |name: &str| json!({ "name": name, "mode": "User", "count": 3, "vmSize": "Standard_D3_v2" });
                c["properties"]["agentPoolProfiles"] = json!([pool("a"), pool("b")]);
            }),
        ),
        (rules::PREFLIGHT_RETIRED, production()),
        (rules::PREFLIGHT_CREATED_BALANCER, production()),
        (
            rules::PREFLIGHT_POLICY,
            production()
                .with(|w| w.facts.denials = known(Arc::new(vec!["/assignment".to_owned()]))),
        ),
        (
            rules::PREFLIGHT_NETWORK_EXISTS,
            production().with(|w| w.facts.network = known(None)),
        ),
        (
            rules::PREFLIGHT_NETWORK_REGION,
            production().with(|w| network(w, &|found| found.region = "eastus".to_owned())),
        ),
        (
            rules::PREFLIGHT_NETWORK_OVERLAP,
            production().with(|w| {
                network(w, &|found| {
                    found
                        .subnets
                        .push(("x".to_owned(), vec!["10.0.1.0/24".parse().unwrap()]))
                });
            }),
        ),
        (
            rules::PREFLIGHT_NETWORK_ADDRESSES,
            production().with(|w| {
                network(w, &|found| {
                    if let Some(subnet) = &mut found.subnet {
                        subnet.used = 9;
                    }
                });
            }),
        ),
        (
            rules::PREFLIGHT_NETWORK_INBOUND,
            production().with(|w| w.facts.inbound = known(false)),
        ),
        (rules::PREFLIGHT_NETWORK_ROLE, production()),
        (
            rules::PREFLIGHT_RIGHTS,
            production().with(|w| {
                w.facts.rights[0].permissions =
                    known(Arc::new(Permissions::new(&[(&["*/read"], &[])])));
            }),
        ),
    ];
    all.extend([
        (
            rules::PREFLIGHT_GROUP,
            own(None, |own| own).with(|w| {
                w.facts.rights[0].scope = "/subscriptions/s/resourceGroups/g".to_owned();
                w.facts.rights[0].lacks_group = true;
            }),
        ),
        (
            rules::PREFLIGHT_VERSION,
            own(None, |own| own.kubernetes_version("1.15.11")),
        ),
        (
            rules::PREFLIGHT_PREVIEW,
            own(None, |own| own.kubernetes_version("1.30.1")),
        ),
        (
            rules::PREFLIGHT_RANGES,
            own(None, |own| own.authorized_ip_ranges(["10.1.2.0/24"])),
        ),
        (
            rules::PREFLIGHT_VCPUS,
            own(Some("myaks"), |own| own.node_count(2)),
        ),
        (
            rules::PREFLIGHT_QUOTA_REGION,
            own(None, |own| own.node_count(23)),
        ),
        (
            rules::PREFLIGHT_NAME,
            own(Some("myaks"), |own| own)
                .with(|w| w.facts.computes = known(vec![compute("myaks", "/other", json!({}))])),
        ),
        (
            rules::PREFLIGHT_POLICY,
            own(None, |own| own)
                .with(|w| w.facts.denials = known(Arc::new(vec!["/assignment".to_owned()]))),
        ),
    ]);
    all.extend(broken_by_kubernetes());
    #[cfg(feature = "services")]
    all.extend(broken_by_deployments());
    all
}

fn broken_by_kubernetes() -> Vec<(Check, World)> {
    let accounts_disabled = |c: &mut Value| c["properties"]["disableLocalAccounts"] = true.into();
    let two_nodes = |c: &mut Value| c["properties"]["agentPoolProfiles"][0]["count"] = 2.into();
    vec![
        (
            rules::PREFLIGHT_SUBSCRIPTION,
            of_kubernetes(|_| {}).with(|w| {
                if let Some(kubernetes) = &mut w.plan.kubernetes {
                    kubernetes.workspace = WorkspaceId::new("t", "g", "w").unwrap();
                }
            }),
        ),
        (rules::PREFLIGHT_CONNECTED, edge("Offline")),
        (
            rules::PREFLIGHT_CLUSTER_EXISTS,
            edge("").with(|w| w.facts.kubernetes.connected = known(None)),
        ),
        (
            rules::PREFLIGHT_CLUSTER_EXISTS,
            extension(cluster(|_| {})).with(|w| w.facts.cluster = known(None)),
        ),
        (
            rules::PREFLIGHT_CLUSTER_RUNNING,
            of_kubernetes(|c| c["properties"]["powerState"]["code"] = "Stopped".into()),
        ),
        (
            rules::PREFLIGHT_NAME,
            of_kubernetes(|_| {})
                .with(|w| w.facts.computes = known(vec![compute("MyK8s", "/x", json!({}))])),
        ),
        (
            rules::PREFLIGHT_OTHER_CLUSTER,
            of_kubernetes(|_| {})
                .with(|w| w.facts.computes = known(vec![compute("myk8s", "/x", json!({}))])),
        ),
        (
            rules::PREFLIGHT_PROVIDER,
            extension(cluster(|_| {})).with(|w| w.facts.kubernetes.provider = known(false)),
        ),
        (
            rules::PREFLIGHT_MANAGED_IDENTITY,
            of_kubernetes(|c| c["identity"] = Value::Null),
        ),
        (rules::PREFLIGHT_ACCESS, of_kubernetes(accounts_disabled)),
        (
            rules::PREFLIGHT_EXTENSION_READY,
            of_kubernetes(|_| {}).with(|w| w.facts.kubernetes.extensions = known(Vec::new())),
        ),
        (
            rules::PREFLIGHT_EXTENSION_READY,
            of_kubernetes(|_| {}).with(|w| {
                w.facts.kubernetes.extensions = known(vec![installed("azureml", "Pending")]);
            }),
        ),
        (
            rules::PREFLIGHT_EXTENSION_OTHER,
            extension(cluster(|_| {})).with(|w| {
                w.facts.kubernetes.extensions = known(vec![installed("other", "Succeeded")]);
            }),
        ),
        (
            rules::PREFLIGHT_EXTENSION_NODES,
            extension(cluster(two_nodes)),
        ),
        (
            rules::PREFLIGHT_EXTENSION_NODES,
            extension(cluster(|_| {})).with(|w| {
                let edge = edge("Connected");
                w.facts.cluster = None;
                w.facts.kubernetes.connected = edge.facts.kubernetes.connected;
            }),
        ),
        (
            rules::PREFLIGHT_LEGACY_ROUTER,
            extension(cluster(|_| {})).with(|w| w.facts.computes = legacy()),
        ),
        (rules::PREFLIGHT_NAMESPACE, of_kubernetes(|_| {})),
        (
            rules::PREFLIGHT_NAMESPACE_SERVICES,
            kubernetes("azureml-w", cluster(|_| {})).with(|w| w.facts.computes = legacy()),
        ),
        (
            rules::PREFLIGHT_ATTACHED_AGAIN,
            of_kubernetes(|_| {}).with(|w| {
                let kind = json!({ "computeType": "Kubernetes" });
                w.facts.computes = known(vec![compute("first", CLUSTER, kind)]);
            }),
        ),
        (
            rules::PREFLIGHT_V1_LEGACY,
            of_kubernetes(|_| {}).with(|w| w.facts.kubernetes.v1_legacy = known(true)),
        ),
    ]
}

#[cfg(feature = "services")]
fn broken_by_deployments() -> Vec<(Check, World)> {
    use crate::webservice::{AksWebservice, Auth, AutoScale};
    let small = || {
        AksWebservice::deploy_configuration()
            .cpu_cores(1.0)
            .memory_gb(1.0)
    };
    let auto = |most| small().replicas(AutoScale::new().min_replicas(1).max_replicas(most));
    vec![
        (
            rules::PREFLIGHT_TARGET,
            deploy(small()).with(|w| w.facts.target = known(None)),
        ),
        (
            rules::PREFLIGHT_TARGET,
            deploy(small()).with(|w| w.facts.cluster = known(None)),
        ),
        (
            rules::PREFLIGHT_TARGET,
            deploy(small()).with(|w| {
                let failed = json!({ "provisioningState": "Failed" });
                w.facts.target = known(Some(compute("myaks", CLUSTER, failed)));
            }),
        ),
        (
            rules::PREFLIGHT_ROOM,
            deploy(small().cpu_cores(4.0).replicas(4)),
        ),
        (rules::PREFLIGHT_ROOM, deploy(small().cpu_cores(4.5))),
        // 3 of 4 fit on each node with what a replica takes beside: 9 of 12.
        (rules::PREFLIGHT_ROOM_MAXIMUM, deploy(auto(10))),
        (rules::PREFLIGHT_GPU, deploy(small().gpu_cores(1))),
        (
            rules::PREFLIGHT_DEV_TEST_TRAFFIC,
            deploy(auto(3)).with(|w| {
                let purpose = json!({ "properties": { "clusterPurpose": "DevTest" } });
                w.facts.target = known(Some(compute("myaks", CLUSTER, purpose)));
            }),
        ),
        (
            rules::PREFLIGHT_TOKEN_REGION,
            deploy(small().auth(Auth::Token)).with(|w| w.facts.home = known("eastus".to_owned())),
        ),
    ]
}

/// The worlds in which nothing is broken that can be kept.
fn kept() -> Vec<World> {
    let mut all = vec![
        production(),
        create(ClusterPurpose::DevTest, "Standard_D3_v2", 1),
        attached(|_| {}),
        own(Some("myaks"), |own| own.kubernetes_version("1.29")),
        // Without an attach there is no purpose.
        own(None, |own| {
            own.node_count(1)
                .authorized_ip_ranges(["10.1.0.0/16", "20.2.0.0/24"])
        }),
        // The autoscaler may add what is missing.
        attached(|c| {
            c["properties"]["agentPoolProfiles"][0] = json!({
                "name": "a", "count": 1, "minCount": 1, "maxCount": 3, "enableAutoScaling": true, "vmSize": "standard_d3_V2",
            });
        }),
        // A tag in place of ranges.
        attached(|c| {
            c["properties"]["apiServerAccessProfile"]["authorizedIPRanges"] =
                json!(["AzureMachineLearning"])
        }),
    ];
    all.extend([
        of_kubernetes(|_| {}),
        // A role binding in place of the accounts.
        of_kubernetes(|c| c["properties"]["disableLocalAccounts"] = true.into())
            .with(|w| w.facts.kubernetes.trusted = known(true)),
        // A compute of kind AKS beside it, whose services are in another namespace.
        of_kubernetes(|_| {}).with(|w| w.facts.computes = legacy()),
        edge("Connected"),
        extension(cluster(|_| {})),
        extension_with(cluster(|_| {}), |settings| {
            settings
                .high_availability(true)
                .take_over_legacy_router(true)
        })
        .with(|w| w.facts.computes = legacy()),
        // Two nodes are enough for a router that is not highly available.
        extension_with(
            cluster(|c| c["properties"]["agentPoolProfiles"][0]["count"] = 2.into()),
            |settings| settings.high_availability(false),
        ),
    ]);
    #[cfg(feature = "services")]
    all.extend({
        use crate::webservice::{AksWebservice, Auth};
        let small = || {
            AksWebservice::deploy_configuration()
                .cpu_cores(1.0)
                .memory_gb(1.0)
        };
        [
            deploy(small()),
            deploy(small().replicas(9).auth(Auth::Token)),
        ]
    });
    all
}

/// Rules that speak wherever their subject comes up, because nothing outside can check them.
const ALWAYS: [&str; 6] = [
    "preflight.namespace.exists",
    "preflight.name.region",
    "preflight.path.create",
    "preflight.load_balancer.created",
    "preflight.network.role",
    "preflight.private.reachable",
];

/// Rules that the configuration alone decides.
const READ_NOTHING: [&str; 1] = ["preflight.cluster.subscription"];

#[test]
fn each_rule_fires_with_its_severity_and_its_sentence() {
    let mut fired = BTreeSet::new();
    for (rule, world) in broken() {
        let report = world.report();
        let found = report
            .findings
            .iter()
            .find(|found| found.finding.rule == rule.id);
        let found = found.unwrap_or_else(|| panic!("{} is silent:\n{report}", rule.id));
        assert_eq!(found.finding.severity, rule.severity, "{report}");
        assert_eq!((found.expected, found.source), (rule.expected, rule.source));
        assert!(!report.passed.contains(&rule.id), "{report}");
        assert_eq!(report.clone().into_result().is_err(), report.has_errors());
        fired.insert(rule.id);
    }
    let all = rules::all().filter(|rule| rule.id.starts_with("preflight."));
    let mut all: BTreeSet<&str> = all.map(|rule| rule.id).collect();
    if !cfg!(feature = "services") {
        all.retain(|id| !id.starts_with("preflight.deploy.") && *id != "preflight.region.tokens");
    }
    assert_eq!(fired, all);
}

#[test]
fn each_rule_is_silent_where_it_holds() {
    let mut passed = BTreeSet::new();
    for world in kept() {
        let report = world.report();
        let loud = report
            .findings
            .iter()
            .find(|found| !ALWAYS.contains(&found.finding.rule));
        assert_eq!(loud, None, "{report}");
        passed.extend(report.passed);
    }
    let broken: BTreeSet<&str> = broken().iter().map(|(rule, _)| rule.id).collect();
    let missing: Vec<_> = broken
        .iter()
        .filter(|id| !passed.contains(**id) && !ALWAYS.contains(id))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn each_rule_says_that_it_cannot_tell_where_nothing_can_be_read() {
    let mut unknown: BTreeMap<&str, String> = BTreeMap::new();
    for world in kept() {
        let report = world.lost().report();
        for found in &report.findings {
            let always = ALWAYS.contains(&found.finding.rule);
            assert!(
                always || found.finding.severity == Severity::Unknown,
                "{report}"
            );
            unknown.insert(found.finding.rule, found.finding.message.clone());
        }
        let mut passed = report.passed.iter();
        assert!(passed.all(|id| READ_NOTHING.contains(id)), "{report}");
        assert!(!report.has_errors());
    }
    for (rule, _) in broken() {
        if !ALWAYS.contains(&rule.id) && !READ_NOTHING.contains(&rule.id) {
            let message = unknown
                .get(rule.id)
                .unwrap_or_else(|| panic!("{} says nothing", rule.id));
            assert!(message.contains(LOST), "{message}");
        }
    }
}

#[test]
fn report_is_a_table_for_people_and_members_for_programs() {
    let report = create(ClusterPurpose::FastProd, "Standard_D99_v2", 12).report();
    let text = report.to_string();
    let first = text.lines().nth(1).unwrap();
    assert!(
        first.starts_with("error    preflight.size.offered "),
        "{text}"
    );
    assert!(text.ends_with(" passed"), "{text}");
    let value = serde_json::to_value(&report).unwrap();
    assert_eq!(value["findings"][0]["severity"], "error");
    assert_eq!(
        value["findings"][0]["expected"],
        rules::PREFLIGHT_SIZE_OFFERED.expected
    );
    assert_eq!(
        value["passed"].as_array().unwrap().len(),
        report.passed.len()
    );
    let error = report.into_result().unwrap_err();
    assert_eq!(error.findings()[0].rule, "preflight.size.offered");
}
