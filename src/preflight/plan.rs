//! The plan of a request, as far as the checks need it.

use crate::cluster::ManagedClusterConfiguration;
use crate::compute::{
    AttachConfiguration, ClusterPurpose, KubernetesAttachConfiguration, KubernetesClusterRef,
    LoadBalancer, Network, ProvisioningConfiguration,
};
use crate::extension::ExtensionConfiguration;
use crate::facts::purposes::{DEFAULT_DEV_TEST_NODES, DEFAULT_PRODUCTION_NODES};
use crate::facts::sizes::DEFAULT_VM_SIZE;
use crate::names::WorkspaceId;
use ipnet::Ipv4Net;

/// The action of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Azure ML creates a cluster.
    Create,
    Attach,
    /// A cluster is attached as a compute of kind Kubernetes.
    AttachKubernetes,
    /// The extension is installed in a cluster.
    Extension,
    /// A cluster of one's own is created, and perhaps attached.
    Cluster,
    #[cfg(feature = "services")]
    Deploy,
}

impl Action {
    /// Returns whether nodes are made.
    pub(super) fn makes_cluster(self) -> bool {
        matches!(self, Self::Create | Self::Cluster)
    }

    /// Returns whether it is about a compute of kind Kubernetes or about the extension.
    pub(super) fn is_of_kubernetes(self) -> bool {
        matches!(self, Self::AttachKubernetes | Self::Extension)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) action: Action,
    /// The name of the compute, where it is known already.
    pub(super) name: Option<String>,
    pub(super) purpose: Option<ClusterPurpose>,
    /// The nodes that are made.
    pub(super) nodes: Option<Nodes>,
    /// The region of what is made, if it is not that of the workspace.
    pub(super) region: Option<String>,
    /// The ARM id of the cluster that is attached or made.
    pub(super) cluster_id: Option<String>,
    /// The version of Kubernetes that is asked for.
    pub(super) version: Option<String>,
    /// The ranges that may reach the Kubernetes API.
    pub(super) ranges: Vec<String>,
    pub(super) network: Option<NetworkPlan>,
    /// `false` if outbound traffic takes no public address of the cluster's own.
    pub(super) public_egress: bool,
    /// `true` if scoring is behind an internal load balancer.
    pub(super) internal: bool,
    /// `true` if the other workspaces of the subscription are searched, too.
    pub(super) elsewhere: bool,
    /// The compute of kind Kubernetes that is attached.
    pub(super) kubernetes: Option<KubernetesPlan>,
    /// The extension that is installed.
    pub(super) extension: Option<ExtensionPlan>,
    /// The name of the compute to deploy to.
    #[cfg(feature = "services")]
    pub(super) target: Option<String>,
    #[cfg(feature = "services")]
    pub(super) load: Option<Load>,
}

#[derive(Debug, Clone)]
pub(super) struct Nodes {
    pub(super) size: String,
    pub(super) count: u32,
}

/// A compute of kind Kubernetes that is to be attached.
#[derive(Debug, Clone)]
pub(super) struct KubernetesPlan {
    pub(super) namespace: String,
    pub(super) workspace: WorkspaceId,
}

/// An extension that is to be installed.
#[derive(Debug, Clone)]
pub(super) struct ExtensionPlan {
    pub(super) name: String,
    pub(super) configuration: ExtensionConfiguration,
}

/// The network of the nodes, and the ranges that the cluster takes for itself.
#[derive(Debug, Clone)]
pub(super) struct NetworkPlan {
    pub(super) subnet_id: String,
    /// With the path of the setting.
    pub(super) ranges: Vec<(&'static str, Ipv4Net)>,
}

impl NetworkPlan {
    fn of(network: &Network, workspace: &WorkspaceId) -> Self {
        Self {
            subnet_id: network.subnet_id(workspace),
            ranges: network.own_ranges(),
        }
    }
}

/// The demand of a service on the nodes.
#[cfg(feature = "services")]
#[derive(Debug, Clone, Default)]
pub(super) struct Load {
    pub(super) cpu: f64,
    pub(super) memory_gb: f64,
    pub(super) gpus: u32,
    pub(super) least: u32,
    pub(super) most: u32,
    pub(super) autoscales: bool,
    pub(super) tokens: bool,
}

impl Plan {
    fn new(action: Action) -> Self {
        Self {
            action,
            name: None,
            purpose: None,
            nodes: None,
            region: None,
            cluster_id: None,
            version: None,
            ranges: Vec::new(),
            network: None,
            public_egress: true,
            internal: false,
            elsewhere: false,
            kubernetes: None,
            extension: None,
            #[cfg(feature = "services")]
            target: None,
            #[cfg(feature = "services")]
            load: None,
        }
    }

    pub(super) fn create(
        configuration: &ProvisioningConfiguration,
        workspace: &WorkspaceId,
    ) -> Self {
        let purpose = configuration.cluster_purpose().cloned();
        let count = configuration.agent_count().unwrap_or(match purpose {
            Some(ClusterPurpose::DevTest) => DEFAULT_DEV_TEST_NODES,
            _ => DEFAULT_PRODUCTION_NODES,
        });
        let size = configuration
            .vm_size()
            .unwrap_or(DEFAULT_VM_SIZE)
            .to_owned();
        let network = configuration.virtual_network();
        let network = network.map(|network| NetworkPlan::of(network, workspace));
        Self {
            purpose,
            nodes: Some(Nodes { size, count }),
            region: configuration.location().map(str::to_owned),
            network,
            internal: is_internal(configuration.load_balancer()),
            ..Self::new(Action::Create)
        }
    }

    pub(super) fn attach(configuration: &AttachConfiguration, workspace: &WorkspaceId) -> Self {
        Self {
            cluster_id: Some(configuration.cluster().resource_id(workspace)),
            purpose: configuration.cluster_purpose().cloned(),
            internal: is_internal(configuration.load_balancer()),
            ..Self::new(Action::Attach)
        }
    }

    pub(super) fn attach_kubernetes(
        configuration: &KubernetesAttachConfiguration,
        workspace: &WorkspaceId,
    ) -> Self {
        Self {
            cluster_id: Some(configuration.cluster().resource_id(workspace)),
            kubernetes: Some(KubernetesPlan {
                namespace: configuration.namespace().to_owned(),
                workspace: workspace.clone(),
            }),
            ..Self::new(Action::AttachKubernetes)
        }
    }

    pub(super) fn extension(
        configuration: &ExtensionConfiguration,
        cluster: &KubernetesClusterRef,
        name: &str,
        workspace: &WorkspaceId,
    ) -> Self {
        Self {
            cluster_id: Some(cluster.resource_id(workspace)),
            extension: Some(ExtensionPlan {
                name: name.to_owned(),
                configuration: configuration.clone(),
            }),
            ..Self::new(Action::Extension)
        }
    }

    pub(super) fn cluster(
        configuration: &ManagedClusterConfiguration,
        workspace: &WorkspaceId,
    ) -> Self {
        let (size, count) = configuration.nodes();
        let network = configuration.virtual_network();
        let egress = configuration.outbound_type();
        Self {
            // Which size AKS takes by itself is not known here.
            nodes: size.map(|size| Nodes {
                size: size.to_owned(),
                count,
            }),
            region: configuration.location().map(str::to_owned),
            cluster_id: Some(configuration.to_ref().resource_id(workspace)),
            version: configuration.kubernetes_version().map(str::to_owned),
            ranges: configuration.authorized_ip_ranges().to_vec(),
            network: network.map(|network| NetworkPlan::of(network, workspace)),
            public_egress: egress.is_none_or(|egress| {
                !matches!(egress.as_str(), "userDefinedRouting" | "none" | "block")
            }),
            ..Self::new(Action::Cluster)
        }
    }

    /// Returns the plan of a cluster that is attached under this name as soon as it is there.
    pub(super) fn then_attach(self, configuration: &AttachConfiguration, name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            purpose: configuration.cluster_purpose().cloned(),
            internal: is_internal(configuration.load_balancer()),
            ..self
        }
    }

    #[cfg(feature = "services")]
    pub(super) fn deploy(
        configuration: &crate::webservice::DeployConfiguration,
        target: &str,
    ) -> Self {
        use crate::webservice::Auth;
        let (least, most) = configuration.replica_bounds();
        Self {
            target: Some(target.to_owned()),
            load: Some(Load {
                cpu: configuration.cpu_cores().unwrap_or_default(),
                memory_gb: configuration.memory_gb().unwrap_or_default(),
                gpus: configuration.gpu_cores().unwrap_or_default(),
                least,
                most,
                autoscales: most > least,
                tokens: configuration.auth() == Some(Auth::Token),
            }),
            ..Self::new(Action::Deploy)
        }
    }

    /// Returns whether the cluster is for production: without a purpose, or with an unknown one, it counts so.
    pub(super) fn is_production(&self) -> bool {
        self.purpose != Some(ClusterPurpose::DevTest)
    }
}

fn is_internal(balancer: Option<&LoadBalancer>) -> bool {
    matches!(balancer, Some(LoadBalancer::Internal { .. }))
}
