//! Rules that are checked against Azure before a request is sent: what a subscription, a region or a moment decides.

use crate::error::{Finding, Severity};

/// A rule of the preflight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Check {
    pub(crate) id: &'static str,
    /// The severity of a breach. A check that could not be made is [`Severity::Unknown`] in its place.
    pub(crate) severity: Severity,
    /// The condition that must hold, in one sentence.
    pub(crate) expected: &'static str,
    /// The statements of the articles, and what else is known.
    pub(crate) source: &'static str,
}

impl Check {
    /// Returns a breach of this rule at `path`. Give no `value` that is secret.
    pub(crate) fn finding(
        self,
        path: impl Into<String>,
        value: Option<&str>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding::new(self.severity, self.id, path, value, message, remedy)
    }
}

/// Makes a constant of each row, and for tests the sections of the page.
macro_rules! checks {
    ($(section $title:literal $(needs $feature:literal)* {
        $($severity:ident $name:ident = $id:literal: $holds:literal,
            broken by $broken_by:literal,
            remedy $remedy:literal,
            source $source:literal;)*
    })*) => {
        $($(
            #[doc = $holds]
            pub(crate) const $name: Check = Check {
                id: $id,
                severity: Severity::$severity,
                expected: $holds,
                source: $source,
            };
        )*)*

        #[cfg(test)]
        pub(super) const SECTIONS: &[super::Section] = &[$(super::Section {
            title: $title,
            needs: &[$($feature),*],
            rules: &[$(super::Rule {
                id: $id,
                severity: Severity::$severity,
                holds: $holds,
                broken_by: $broken_by,
                remedy: $remedy,
                source: $source,
            }),*],
        }),*];
    };
}

checks! {
    section "Preflight: capacity and sizes" {
        Error PREFLIGHT_VCPUS = "preflight.capacity.vcpus": "the nodes of a production cluster have 12 vCPUs or more",
            broken by "attaching a cluster of 3 nodes of `Standard_D2_v2` without a purpose",
            remedy "use more nodes or a larger size, or `ClusterPurpose::DevTest` if this is not for production",
            source "A1.23, A1.25, A1.26, A2.20, A2.28";
        Warning PREFLIGHT_NODES = "preflight.capacity.nodes": "a production cluster has 3 nodes or more",
            broken by "2 nodes of `Standard_D8s_v3`",
            remedy "use 3 nodes or more",
            source "later documentation, and refusals of the service (\"at least 3 machines\"); the articles ask for vCPUs alone";
        Warning PREFLIGHT_DEV_TEST = "preflight.capacity.dev_test": "the nodes of a cluster for development have 2 vCPUs or more",
            broken by "1 node of `Standard_D1_v2`",
            remedy "use a larger size or a second node",
            source "A1.27, A2.18, A2.29";
        Error PREFLIGHT_SIZE_OFFERED = "preflight.size.offered": "the region offers the VM size",
            broken by "`Standard_D99_v2`",
            remedy "give a name that `az vm list-skus` lists for the region",
            source "A1.20; `Microsoft.Compute/skus`";
        Error PREFLIGHT_SIZE_ALLOWED = "preflight.size.allowed": "the subscription may use the VM size in the region",
            broken by "a size with the restriction `NotAvailableForSubscription`",
            remedy "use another size or region, or ask Azure support to enable it",
            source "A1.20; restrictions of `Microsoft.Compute/skus`";
        Note PREFLIGHT_SIZE_ACCELERATOR = "preflight.size.accelerator": "a size with GPUs or FPGAs is chosen when the cluster is created",
            broken by "`Standard_NC6`",
            remedy "nothing to do if all models of the cluster are to run on such nodes: models are not placed in a pool that is added later",
            source "A1.20, A1.21, A2.2";
        Error PREFLIGHT_QUOTA_FAMILY = "preflight.quota.family": "the quota of the size's family has room for the nodes",
            broken by "12 cores where 10 are left",
            remedy "ask for more quota in the portal, or use fewer nodes or another family",
            source "`Microsoft.Compute` usages: clusters use the quota of the subscription, not that of Azure ML";
        Error PREFLIGHT_QUOTA_REGION = "preflight.quota.region": "the quota of the region has room for the nodes",
            broken by "12 cores where 10 are left",
            remedy "ask for more quota in the portal, or use fewer nodes or another region",
            source "`Microsoft.Compute` usages, `cores`";
    }

    section "Preflight: names and attachments" {
        Error PREFLIGHT_NAME = "preflight.name.free": "no compute of the workspace has the name",
            broken by "the name of a compute instance",
            remedy "take another name; for a compute that failed, delete or detach it first",
            source "A1.15";
        Unknown PREFLIGHT_NAME_REGION = "preflight.name.region": "no other compute of the region has the name",
            broken by "a name that another workspace of the region uses",
            remedy "if the service refuses the name, take another one",
            source "A1.19; nothing lists the computes of a region, and A1.15 asks for the workspace alone";
        Error PREFLIGHT_ATTACHED_HERE = "preflight.attachment.here": "the cluster is not attached to the workspace under another name",
            broken by "a second attachment of a cluster",
            remedy "use the compute that exists, or detach it first: a second attachment breaks the first",
            source "A1.65";
        Error PREFLIGHT_ATTACHED_ELSEWHERE = "preflight.attachment.elsewhere": "the cluster is not attached to another workspace of the subscription",
            broken by "a cluster that another workspace uses; checked where `other_workspaces()` asks for it",
            remedy "detach it there first: a second attachment breaks the first",
            source "A1.65; later documentation extends it to all workspaces";
        Error PREFLIGHT_OTHER_CLUSTER = "preflight.attachment.other_cluster": "a compute that already has the name is the cluster that is to be attached",
            broken by "`or_get()` with the name of another cluster's compute",
            remedy "take another name, or detach that compute first",
            source "A1.15, A1.65";
    }

    section "Preflight: the cluster to attach" {
        Error PREFLIGHT_CLUSTER_EXISTS = "preflight.cluster.exists": "the cluster exists",
            broken by "the id of a cluster that was deleted",
            remedy "give the id that `az aks show --query id` prints",
            source "A1.48, A1.63";
        Error PREFLIGHT_CLUSTER_RUNNING = "preflight.cluster.running": "the cluster runs",
            broken by "a cluster after `az aks stop`",
            remedy "start it: `az aks start`",
            source "`powerState` of the cluster";
        Error PREFLIGHT_CLUSTER_STATE = "preflight.cluster.state": "the cluster is made, and not being deleted",
            broken by "a cluster in the state `Failed` or `Deleting`",
            remedy "repair it with `az aks update`, or wait until its operation has ended",
            source "`provisioningState` of the cluster";
        Note PREFLIGHT_CLUSTER_IDENTITY = "preflight.cluster.identity": "the cluster has a managed identity",
            broken by "a cluster with a service principal",
            remedy "renew the secret of its service principal before it expires; computes of kind Kubernetes need a managed identity",
            source "Azure ML documentation on attaching clusters";
        Warning PREFLIGHT_CLUSTER_ACCOUNTS = "preflight.cluster.local_accounts": "the cluster has local accounts",
            broken by "`disableLocalAccounts: true`",
            remedy "enable them: `az aks update --enable-local-accounts`",
            source "Azure ML documentation: it reads the kubeconfig of the cluster's administrator";
        Error PREFLIGHT_VERSION = "preflight.version.supported": "AKS still supports the cluster's version of Kubernetes",
            broken by "1.15 where the region has 1.16 to 1.18",
            remedy "upgrade the cluster: `az aks upgrade`",
            source "A1.35, A1.36, A1.63, A2.25";
        Warning PREFLIGHT_PREVIEW = "preflight.version.preview": "the cluster's version of Kubernetes is not a preview",
            broken by "1.18.6 where it is a preview",
            remedy "do not use it for production: previews have no service-level agreement",
            source "A1.37";
        Note PREFLIGHT_REGION = "preflight.region.same": "the cluster is in the region of the workspace",
            broken by "a cluster in `eastus` and a workspace in `westus`",
            remedy "nothing to do: another region is allowed, and costs time",
            source "A1.64, A2.26, A2.60";
        Warning PREFLIGHT_LOAD_BALANCER = "preflight.load_balancer.standard": "the cluster has a standard load balancer",
            broken by "a cluster with a basic load balancer",
            remedy "upgrade it, or create a cluster with a standard one: AKS ended its support of basic ones in September 2025",
            source "A1.5";
        Error PREFLIGHT_RANGES_LOAD_BALANCER = "preflight.ranges.load_balancer": "a cluster with authorised ranges has a standard load balancer",
            broken by "authorised ranges on a basic load balancer",
            remedy "use a cluster with a standard load balancer",
            source "A1.13";
        Error PREFLIGHT_RANGES = "preflight.ranges.covered": "the authorised ranges let Azure Machine Learning reach the cluster, from both regions of the pair",
            broken by "authorised ranges of an office alone",
            remedy "add the ranges that the finding lists: `az aks update --api-server-authorized-ip-ranges`",
            source "A1.10, A1.11, A1.12";
        Unknown PREFLIGHT_PRIVATE = "preflight.private.reachable": "Azure Machine Learning reaches the private cluster",
            broken by "a private cluster in a network that the workspace does not reach",
            remedy "check the network and the private DNS zone of the cluster: nothing outside can test it",
            source "A1.14";
        Warning PREFLIGHT_POOLS = "preflight.pools.user": "the cluster has one pool for models",
            broken by "a cluster with two user pools",
            remedy "do not expect models in a pool that was added: Azure ML does not place them there",
            source "A1.21";
    }

    section "Preflight: clusters to create" {
        Note PREFLIGHT_RETIRED = "preflight.path.create": "Azure Machine Learning still creates AKS clusters",
            broken by "every create of a compute of kind AKS",
            remedy "create a cluster of your own (`ManagedCluster::create`) and attach it",
            source "A1.1; creation is reported refused since 2022, and the Python SDK v1 is out of support since June 2026";
        Note PREFLIGHT_CREATED_BALANCER = "preflight.load_balancer.created": "the cluster gets the load balancer that is wanted",
            broken by "every create: the cluster gets a basic load balancer",
            remedy "for a standard one, for authorised ranges or for a private cluster, create a cluster of your own and attach it",
            source "A1.5, A1.13, A1.14";
        Error PREFLIGHT_POLICY = "preflight.policy.public_address": "no policy denies public addresses in the subscription",
            broken by "an assignment that denies `Microsoft.Network/publicIPAddresses`",
            remedy "have an exemption made for the cluster, or create one of your own with user-defined routing; an internal load balancer changes the scoring side alone",
            source "A1.6, A1.7, A1.8, A1.9";
        Error PREFLIGHT_NETWORK_EXISTS = "preflight.network.exists": "the virtual network and its subnet exist",
            broken by "the name of a subnet that is not there",
            remedy "create the network first",
            source "A1.4, A1.54, A2.16";
        Error PREFLIGHT_NETWORK_REGION = "preflight.network.region": "the virtual network is in the region of the cluster",
            broken by "a network in `eastus` for a cluster in `westus`",
            remedy "use a network of the region, or create the cluster in the region of the network",
            source "Azure ML documentation on virtual networks";
        Error PREFLIGHT_NETWORK_OVERLAP = "preflight.network.overlap": "the ranges of the cluster overlap no subnet of the network",
            broken by "a service range of `10.0.0.0/16` beside a subnet of `10.0.1.0/24`",
            remedy "choose ranges that no subnet and no network behind it uses",
            source "Azure ML documentation on virtual networks: any subnet counts, not that of the nodes alone";
        Error PREFLIGHT_NETWORK_ADDRESSES = "preflight.network.addresses": "the subnet has a free address for each node",
            broken by "3 nodes in a subnet with 2 free addresses",
            remedy "use a larger subnet, or fewer nodes",
            source "Azure keeps 5 addresses of a subnet; the addresses of pods are not counted, for their number depends on the network plugin";
        Warning PREFLIGHT_NETWORK_INBOUND = "preflight.network.inbound": "the network security group of the subnet lets scoring requests in",
            broken by "a group without an inbound rule for port 80 or 443",
            remedy "add an inbound rule for the scoring address and port",
            source "Azure ML documentation on virtual networks";
        Unknown PREFLIGHT_NETWORK_ROLE = "preflight.network.role": "the identity of the cluster is a Network Contributor of the network's resource group",
            broken by "a network in a group on which the identity has no role",
            remedy "assign the role once the identity exists",
            source "Azure ML documentation on virtual networks; the identity comes with the cluster, so that this cannot be checked before";
    }

    section "Preflight: computes of kind Kubernetes, and their extension" {
        Error PREFLIGHT_SUBSCRIPTION = "preflight.cluster.subscription": "an AKS cluster is in the subscription of the workspace",
            broken by "an id with another subscription",
            remedy "use a workspace in the subscription of the cluster",
            source "Azure ML documentation on attaching Kubernetes clusters";
        Error PREFLIGHT_CONNECTED = "preflight.cluster.connected": "a connected cluster has a connection to Azure Arc",
            broken by "a connected cluster with the status `Offline`",
            remedy "check the agents of Azure Arc in the cluster: `kubectl get pods -n azure-arc`",
            source "`connectivityStatus` of the connected cluster";
        Error PREFLIGHT_PROVIDER = "preflight.provider.registered": "the subscription of the cluster has registered `Microsoft.KubernetesConfiguration`",
            broken by "a subscription whose clusters never had an extension",
            remedy "register it: `az provider register -n Microsoft.KubernetesConfiguration`",
            source "Azure ML documentation on the extension; reports of users";
        Error PREFLIGHT_MANAGED_IDENTITY = "preflight.cluster.managed_identity": "an AKS cluster for a compute of kind Kubernetes has a managed identity",
            broken by "a cluster with a service principal",
            remedy "give it one: `az aks update --enable-managed-identity`",
            source "Azure ML documentation on the extension";
        Error PREFLIGHT_ACCESS = "preflight.cluster.access": "an AKS cluster has local accounts, or a Trusted Access role binding for the workspace",
            broken by "`disableLocalAccounts: true` without a binding",
            remedy "enable the accounts, or bind the role `Microsoft.MachineLearningServices/workspaces/mlworkload` to the workspace: `az aks trustedaccess rolebinding create`",
            source "Azure ML documentation on attaching Kubernetes clusters; only the public cloud has Trusted Access";
        Error PREFLIGHT_EXTENSION_READY = "preflight.extension.ready": "the cluster has the extension `microsoft.azureml.kubernetes`, and it is healthy",
            broken by "a cluster without the extension",
            remedy "install the extension first, and wait until it has succeeded",
            source "Azure ML documentation on attaching Kubernetes clusters";
        Warning PREFLIGHT_EXTENSION_OTHER = "preflight.extension.other": "the extension is not installed under another name",
            broken by "an install under another name than that of the installed extension",
            remedy "update the installed extension, or delete it first",
            source "inference: an extension of this type owns objects in the whole cluster";
        Error PREFLIGHT_EXTENSION_NODES = "preflight.extension.nodes": "a cluster with a highly available router has 3 nodes or more",
            broken by "a cluster with 2 nodes, and `.high_availability(true)`",
            remedy "add nodes, or turn high availability off",
            source "Azure ML documentation on the extension: health code E40002";
        Warning PREFLIGHT_LEGACY_ROUTER = "preflight.extension.legacy_router": "the cluster has no router `azureml-fe` of a compute of kind AKS",
            broken by "an install on a cluster that the workspace has attached as a compute of kind AKS",
            remedy "let the extension take over the router: `kubectl annotate deployment azureml-fe azureml-fe-enable-upgrade=true`, then install with the setting `scoringFe.enableUpgrade=true`",
            source "health codes E45004 and E45005 of the extension; Microsoft's page on attaching beside a compute of kind AKS";
        Note PREFLIGHT_NAMESPACE = "preflight.namespace.exists": "the namespace of a compute of kind Kubernetes exists in the cluster",
            broken by "every attach, because namespaces cannot be listed from outside the cluster",
            remedy "create it first: `kubectl create namespace`; the attach does not create it",
            source "Azure ML documentation on attaching Kubernetes clusters";
        Warning PREFLIGHT_NAMESPACE_SERVICES = "preflight.namespace.services": "on a cluster with a compute of kind AKS, a compute of kind Kubernetes does not use the namespace of its services",
            broken by "the namespace `azureml-myworkspace` on a cluster with services of the workspace `myworkspace`",
            remedy "use another namespace",
            source "Microsoft's page on attaching beside a compute of kind AKS";
        Note PREFLIGHT_ATTACHED_AGAIN = "preflight.attachment.again": "no other compute of kind Kubernetes uses the cluster",
            broken by "a second attachment, for example for another namespace",
            remedy "none needed: this kind allows several attachments of one cluster",
            source "Azure ML documentation on attaching Kubernetes clusters";
        Warning PREFLIGHT_V1_LEGACY = "preflight.workspace.legacy_mode": "the workspace is not in v1 legacy mode",
            broken by "`v1LegacyMode: true`",
            remedy "turn `v1LegacyMode` of the workspace off before you create online endpoints",
            source "Azure ML documentation on network isolation with v2";
    }

    section "Preflight: rights" {
        Error PREFLIGHT_GROUP = "preflight.group.exists": "the resource group of a new cluster exists",
            broken by "a group that was deleted",
            remedy "create it first, `az group create`, or name one that exists",
            source "Resource Manager answers `ResourceGroupNotFound`";
        Error PREFLIGHT_RIGHTS = "preflight.rights": "the caller may do what the request needs",
            broken by "a Reader of the workspace",
            remedy "have a role assigned that allows the action at the scope",
            source "`Microsoft.Authorization/permissions`; roles in `docs/security.md`";
    }

    section "Preflight: deployments" needs "services" {
        Error PREFLIGHT_TARGET = "preflight.deploy.target": "the compute target is ready, and its cluster exists and runs",
            broken by "a target that was detached, failed, or whose cluster was deleted",
            remedy "attach or create it again, or wait for it",
            source "A1.48, A2.8";
        Error PREFLIGHT_ROOM = "preflight.deploy.room": "the nodes have room for the replicas",
            broken by "4 replicas of 4 cores on 3 nodes of 4 vCPUs",
            remedy "ask for less, or scale the cluster",
            source "A2.40";
        Warning PREFLIGHT_ROOM_MAXIMUM = "preflight.deploy.room_maximum": "the nodes have room for the largest number of replicas, with what each adds to its request",
            broken by "`max_replicas` above what fits",
            remedy "lower the largest number, or scale the cluster",
            source "A2.40; a replica was seen to take 0.1 cores and 0.6 GB more than it asks for (azure-sdk-for-python issue 14168)";
        Error PREFLIGHT_GPU = "preflight.deploy.gpu": "a service that asks for GPUs runs on nodes with GPUs",
            broken by "`gpu_cores(1)` on `Standard_D3_v2`",
            remedy "deploy to a cluster whose nodes have GPUs",
            source "A1.20, A2.2";
        Warning PREFLIGHT_DEV_TEST_TRAFFIC = "preflight.deploy.dev_test": "a service with autoscaling or several replicas runs on a production cluster",
            broken by "autoscaling on a cluster with the purpose `DevTest`",
            remedy "use a production cluster: one for development has no fault tolerance",
            source "A1.24, A2.18, A2.29";
        Warning PREFLIGHT_TOKEN_REGION = "preflight.region.tokens": "a service with tokens runs in the region of the workspace",
            broken by "`Auth::Token` on a cluster in another region",
            remedy "use a workspace in the region of the cluster, or keys: tokens come from the region of the workspace",
            source "A2.60, A2.61, A2.62";
    }
}
