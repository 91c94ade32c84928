//! Names of Azure Resource Manager and of the machine learning resource provider.

/// The newest stable API version whose type index carries computes of kind `AKS`
/// (bicep-types-az, `Microsoft.MachineLearningServices` 2026-05-01).
pub(crate) const DEFAULT_API_VERSION: &str = "2026-05-01";

/// The API version since which the ARM type has a pattern for the name of a compute: it refuses `-` and digits at the
/// end, which the documentation allows.
pub(crate) const COMPUTE_PATTERN_SINCE: &str = "2025-12-01";

/// The version of the blob service that `azure_storage_blob` 1.1 asks for.
#[cfg(feature = "services")]
pub(crate) const BLOB_API_VERSION: &str = "2026-04-06";

/// The version that Microsoft's Python client (`azureml-core` 1.61) sends for computes. It is in no published
/// type index.
#[cfg(feature = "emulator")]
pub(crate) const PYTHON_COMPUTE_API_VERSION: &str = "2020-02-02";

/// The version that `azureml-core` 1.61 sends for the workspace itself.
#[cfg(feature = "emulator")]
pub(crate) const PYTHON_WORKSPACE_API_VERSION: &str = "2022-05-01";

/// The version of the published OpenAPI description of workspaces and computes.
#[cfg(feature = "emulator")]
pub(crate) const PUBLISHED_API_VERSION: &str = "2019-11-01";

/// The version that `azure-mgmt-machinelearningservices` 1.0.1 sends, as seen on the wire.
#[cfg(feature = "emulator")]
pub(crate) const MGMT_CLIENT_API_VERSION: &str = "2020-08-01";

/// The resource provider of workspaces and computes.
pub(crate) const ML_PROVIDER: &str = "Microsoft.MachineLearningServices";

/// The resource provider of AKS clusters.
pub(crate) const AKS_PROVIDER: &str = "Microsoft.ContainerService";

/// The resource type of AKS clusters.
pub(crate) const MANAGED_CLUSTERS: &str = "managedClusters";

/// The discriminator of an AKS compute.
pub(crate) const COMPUTE_TYPE_AKS: &str = "AKS";

/// The discriminator of a Kubernetes compute.
pub(crate) const COMPUTE_TYPE_KUBERNETES: &str = "Kubernetes";

/// The resource provider of Arc-connected clusters.
pub(crate) const ARC_PROVIDER: &str = "Microsoft.Kubernetes";

/// The resource type of Arc-connected clusters.
pub(crate) const CONNECTED_CLUSTERS: &str = "connectedClusters";

/// The version of connected clusters that `az k8s-extension` sends.
pub(crate) const ARC_API_VERSION: &str = "2021-10-01";

/// The resource type of extensions of clusters.
pub(crate) const EXTENSIONS: &str = "extensions";

/// The version of extensions whose answers were recorded; the description of the same version is at hand. Microsoft's
/// newest client sends 2025-03-01, with the same bodies.
pub(crate) const EXTENSIONS_API_VERSION: &str = "2023-05-01";

/// The type of Azure Machine Learning's extension.
pub(crate) const EXTENSION_TYPE: &str = "microsoft.azureml.kubernetes";

/// The nodes of a cluster below which the router of that extension is not highly available (health code E40002).
pub(crate) const ROUTER_NODES: u32 = 3;

/// The resource provider of Azure Relay.
pub(crate) const RELAY_PROVIDER: &str = "Microsoft.Relay";

/// The resource provider of managed identities.
pub(crate) const IDENTITY_PROVIDER: &str = "Microsoft.ManagedIdentity";

/// The resource type of user-assigned identities.
pub(crate) const USER_ASSIGNED_IDENTITIES: &str = "userAssignedIdentities";

/// The newest stable version of clusters, node pools and Kubernetes versions in bicep-types-az.
pub(crate) const AKS_API_VERSION: &str = "2026-05-01";

/// The resource provider of virtual machines.
pub(crate) const COMPUTE_PROVIDER: &str = "Microsoft.Compute";

/// The version that the reference of `resource-skus/list` names: the newest version of that list.
pub(crate) const SKUS_API_VERSION: &str = "2021-07-01";

/// The version that `az vm list-usage` of azure-cli 2.91 sends.
pub(crate) const USAGES_API_VERSION: &str = "2024-11-01";

/// The resource provider of networks.
pub(crate) const NETWORK_PROVIDER: &str = "Microsoft.Network";

/// The version that the reference of `service-tags/list` names; networks have it, too.
pub(crate) const NETWORK_API_VERSION: &str = "2025-05-01";

/// The version that the reference of `subscriptions/list-locations` names.
pub(crate) const LOCATIONS_API_VERSION: &str = "2022-12-01";

/// The version that callers of `permissions` send.
pub(crate) const PERMISSIONS_API_VERSION: &str = "2022-04-01";

/// The version of `Microsoft.PolicyInsights/checkPolicyRestrictions` in Microsoft's clients of 2024.
pub(crate) const POLICY_API_VERSION: &str = "2024-10-01";

/// The version that the reference of `providers/get` names.
pub(crate) const PROVIDERS_API_VERSION: &str = "2021-04-01";

/// The resource provider of extensions of clusters.
pub(crate) const KUBERNETES_CONFIGURATION_PROVIDER: &str = "Microsoft.KubernetesConfiguration";
