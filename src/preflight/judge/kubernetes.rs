//! The rules about a compute of kind Kubernetes and the extension of its cluster.

use super::cluster::{is, region, state};
use super::naming::{is_of, is_own, other_cluster};
use super::nodes::{node_count, serving};
use crate::cluster::{ClusterId, ClusterResource, total};
use crate::compute::is_managed;
use crate::extension::Connected;
use crate::facts::arm::{COMPUTE_TYPE_AKS, COMPUTE_TYPE_KUBERNETES, ROUTER_NODES};
use crate::preflight::gather::Facts;
use crate::preflight::plan::{ExtensionPlan, KubernetesPlan, Plan};
use crate::preflight::report::Findings;
use crate::rules;

const CLUSTER: &str = "cluster";
const EXTENSION: &str = "extension";
const NAMESPACE: &str = "namespace";

/// Judges an attach.
pub(super) fn attach(plan: &Plan, facts: &Facts, findings: &mut Findings) {
    let (Some(compute), Some(id)) = (&plan.kubernetes, plan.cluster_id.as_deref()) else {
        return;
    };
    subscription(compute, id, findings);
    cluster(plan, facts, findings);
    access(facts, findings);
    region(facts, findings);
    installed(facts, findings);
    beside(plan, compute, id, facts, findings);
    let checked = [rules::PREFLIGHT_V1_LEGACY];
    if findings.known(&checked, "workspace", &facts.kubernetes.v1_legacy) == Some(&true) {
        findings.broken(
            rules::PREFLIGHT_V1_LEGACY,
            "workspace",
            None,
            "the workspace is in v1 legacy mode: it refuses requests of the v2 API, so that the compute can have no online endpoints",
            "turn `v1LegacyMode` of the workspace off before you create online endpoints",
        );
    }
}

/// Judges an install of the extension.
pub(super) fn extension(plan: &Plan, facts: &Facts, findings: &mut Findings) {
    let Some(extension) = &plan.extension else {
        return;
    };
    cluster(plan, facts, findings);
    other(extension, facts, findings);
    nodes(extension, facts, findings);
    legacy_router(plan, extension, facts, findings);
}

fn subscription(compute: &KubernetesPlan, cluster: &str, findings: &mut Findings) {
    if !is_managed(cluster) {
        return;
    }
    findings.checked(rules::PREFLIGHT_SUBSCRIPTION);
    let own = ClusterId::of_resource(cluster).subscription;
    let workspace = compute.workspace.subscription();
    if !own.eq_ignore_ascii_case(workspace) {
        findings.broken(
            rules::PREFLIGHT_SUBSCRIPTION,
            CLUSTER,
            Some(cluster),
            format!("the cluster is in the subscription {own}, and that of the workspace, {workspace}, is expected"),
            "use a workspace in the subscription of the cluster",
        );
    }
}

/// Judges the cluster (an AKS cluster or an Arc-connected one) and the provider of its extensions.
fn cluster(plan: &Plan, facts: &Facts, findings: &mut Findings) {
    let kubernetes = &facts.kubernetes;
    let checked = [
        rules::PREFLIGHT_CLUSTER_EXISTS,
        rules::PREFLIGHT_CLUSTER_RUNNING,
        rules::PREFLIGHT_CLUSTER_STATE,
        rules::PREFLIGHT_MANAGED_IDENTITY,
    ];
    match findings.known(&checked, CLUSTER, &facts.cluster) {
        Some(Some(cluster)) => {
            state(cluster, findings);
            identity(cluster, findings);
        }
        Some(None) => missing(
            plan,
            "give the id that `az aks show --query id` prints",
            findings,
        ),
        None => {}
    }
    let checked = [rules::PREFLIGHT_CLUSTER_EXISTS, rules::PREFLIGHT_CONNECTED];
    match findings.known(&checked, CLUSTER, &kubernetes.connected) {
        Some(Some(cluster)) => connected(cluster, findings),
        Some(None) => missing(
            plan,
            "give the id that `az connectedk8s show --query id` prints",
            findings,
        ),
        None => {}
    }
    let checked = [rules::PREFLIGHT_PROVIDER];
    if findings.known(&checked, CLUSTER, &kubernetes.provider) == Some(&false) {
        findings.broken(
            rules::PREFLIGHT_PROVIDER,
            CLUSTER,
            None,
            "the subscription of the cluster has not registered the resource provider `Microsoft.KubernetesConfiguration`",
            "register it: `az provider register -n Microsoft.KubernetesConfiguration`",
        );
    }
}

fn missing(plan: &Plan, remedy: &str, findings: &mut Findings) {
    let id = plan.cluster_id.as_deref();
    let message = "there is no such cluster";
    findings.broken(
        rules::PREFLIGHT_CLUSTER_EXISTS,
        CLUSTER,
        id,
        message,
        remedy,
    );
}

fn identity(cluster: &ClusterResource, findings: &mut Findings) {
    if !cluster.has_managed_identity() {
        findings.broken(
            rules::PREFLIGHT_MANAGED_IDENTITY,
            CLUSTER,
            None,
            "the cluster has a service principal, and a managed identity is expected",
            "give it one: `az aks update --enable-managed-identity`",
        );
    }
}

fn connected(cluster: &Connected, findings: &mut Findings) {
    let status = cluster.properties.connectivity_status.as_deref();
    if status.is_some() && !is(status, "Connected") {
        findings.broken(
            rules::PREFLIGHT_CONNECTED,
            CLUSTER,
            status,
            "the cluster has no connection to Azure Arc",
            "check the agents of Azure Arc in the cluster: `kubectl get pods -n azure-arc`",
        );
    }
}

/// Judges whether Azure Machine Learning has access to an AKS cluster.
fn access(facts: &Facts, findings: &mut Findings) {
    let checked = [rules::PREFLIGHT_ACCESS];
    // A cluster that is missing has a finding of its own.
    let Some(Some(cluster)) = findings.known(&checked, CLUSTER, &facts.cluster) else {
        return;
    };
    if cluster.properties.disable_local_accounts == Some(true)
        && findings.known(&checked, CLUSTER, &facts.kubernetes.trusted) == Some(&false)
    {
        findings.broken(
            rules::PREFLIGHT_ACCESS,
            CLUSTER,
            None,
            "the local accounts of the cluster are disabled, and no Trusted Access role binding names the workspace",
            "enable the accounts, or bind the role `Microsoft.MachineLearningServices/workspaces/mlworkload` to the \
             workspace: `az aks trustedaccess rolebinding create`",
        );
    }
}

/// Judges whether the extension is installed and healthy.
fn installed(facts: &Facts, findings: &mut Findings) {
    let checked = [rules::PREFLIGHT_EXTENSION_READY];
    let Some(installed) = findings.known(&checked, EXTENSION, &facts.kubernetes.extensions) else {
        return;
    };
    let Some(extension) = installed.first() else {
        return findings.broken(
            rules::PREFLIGHT_EXTENSION_READY,
            EXTENSION,
            None,
            "the cluster does not have the extension `microsoft.azureml.kubernetes`",
            "install the extension first, and wait until it has succeeded",
        );
    };
    if !extension.is_healthy {
        findings.broken(
            rules::PREFLIGHT_EXTENSION_READY,
            EXTENSION,
            Some(&extension.name),
            format!(
                "the extension of this name is not healthy: its state is {}",
                extension.state
            ),
            extension
                .remedy
                .unwrap_or("wait until its state is Succeeded; if it is Failed, read its statuses"),
        );
    }
}

/// Judges the namespace, and the other computes on the cluster.
fn beside(
    plan: &Plan,
    compute: &KubernetesPlan,
    cluster: &str,
    facts: &Facts,
    findings: &mut Findings,
) {
    let namespace = compute.namespace.as_str();
    findings.broken(
        rules::PREFLIGHT_NAMESPACE,
        NAMESPACE,
        Some(namespace),
        "the attach does not create this namespace, and whether it exists cannot be read from outside the cluster",
        "if it does not exist, create it first: `kubectl create namespace`",
    );
    let checked = [
        rules::PREFLIGHT_NAMESPACE_SERVICES,
        rules::PREFLIGHT_ATTACHED_AGAIN,
        rules::PREFLIGHT_OTHER_CLUSTER,
    ];
    let Some(computes) = findings.known(&checked, CLUSTER, &facts.computes) else {
        return;
    };
    other_cluster(plan, cluster, computes, findings);
    let mut here = computes
        .iter()
        .filter(|found| is_of(found, cluster) && !is_own(plan, found));
    if let Some(other) = here
        .clone()
        .find(|found| found.properties.compute_type == COMPUTE_TYPE_KUBERNETES)
    {
        findings.broken(
            rules::PREFLIGHT_ATTACHED_AGAIN,
            CLUSTER,
            Some(&other.name),
            "the cluster is already attached, as the compute of this name",
            "none needed: this kind allows several attachments of one cluster",
        );
    }
    let of_services = format!("azureml-{}", compute.workspace.name());
    if here.any(|found| found.properties.compute_type == COMPUTE_TYPE_AKS)
        && namespace.eq_ignore_ascii_case(&of_services)
    {
        findings.broken(
            rules::PREFLIGHT_NAMESPACE_SERVICES,
            NAMESPACE,
            Some(namespace),
            "this namespace holds the web services of the compute of kind AKS on this cluster",
            "use another namespace",
        );
    }
}

fn other(extension: &ExtensionPlan, facts: &Facts, findings: &mut Findings) {
    let checked = [rules::PREFLIGHT_EXTENSION_OTHER];
    let Some(installed) = findings.known(&checked, EXTENSION, &facts.kubernetes.extensions) else {
        return;
    };
    if let Some(other) = installed
        .iter()
        .find(|found| !found.name.eq_ignore_ascii_case(&extension.name))
    {
        findings.broken(
            rules::PREFLIGHT_EXTENSION_OTHER,
            EXTENSION,
            Some(&other.name),
            "the extension is already installed, under this name",
            "update the installed extension, or delete it first",
        );
    }
}

/// Judges whether the cluster has enough nodes for a highly available router.
fn nodes(extension: &ExtensionPlan, facts: &Facts, findings: &mut Findings) {
    if !extension.configuration.is_highly_available() {
        return;
    }
    let rule = rules::PREFLIGHT_EXTENSION_NODES;
    // A cluster that is missing has a finding of its own.
    let managed = findings.known(&[rule], EXTENSION, &facts.cluster);
    let managed = managed.map(|found| {
        let pools = found.iter().flat_map(serving);
        found.as_ref().map(|_| total(pools.map(node_count)))
    });
    let connected = findings.known(&[rule], EXTENSION, &facts.kubernetes.connected);
    let connected = connected.map(|found| {
        found
            .as_ref()
            .map(|cluster| cluster.properties.total_node_count)
    });
    let Some(Some(nodes)) = managed.or(connected) else {
        return;
    };
    let Some(nodes) = nodes else {
        let reason = "the cluster does not say how many nodes it has";
        return findings.cannot_tell(rule, EXTENSION, reason);
    };
    if nodes < ROUTER_NODES {
        findings.broken(
            rule,
            EXTENSION,
            Some(&nodes.to_string()),
            format!(
                "the cluster has {nodes} nodes, and a highly available router needs {ROUTER_NODES}"
            ),
            "add nodes, or turn high availability off",
        );
    }
}

/// Judges whether the cluster has the router of a compute of kind AKS. A router that a detach left behind cannot be seen.
fn legacy_router(plan: &Plan, extension: &ExtensionPlan, facts: &Facts, findings: &mut Findings) {
    let checked = [rules::PREFLIGHT_LEGACY_ROUTER];
    let Some(computes) = findings.known(&checked, CLUSTER, &facts.computes) else {
        return;
    };
    let cluster = plan.cluster_id.as_deref().unwrap_or_default();
    let legacy = computes
        .iter()
        .find(|found| found.properties.compute_type == COMPUTE_TYPE_AKS && is_of(found, cluster));
    if let Some(legacy) = legacy.filter(|_| !extension.configuration.takes_over()) {
        findings.broken(
            rules::PREFLIGHT_LEGACY_ROUTER,
            CLUSTER,
            Some(&legacy.name),
            "this compute of kind AKS has the router `azureml-fe` in the cluster, and the extension cannot install a second one",
            "let the extension take over the router: `kubectl annotate deployment azureml-fe azureml-fe-enable-upgrade=true`, \
             then install with the setting `scoringFe.enableUpgrade=true`",
        );
    }
}
