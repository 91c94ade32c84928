//! What concerns a compute of kind Kubernetes and the extension in its cluster.

use super::cluster::{is, region, state};
use super::naming::{is_of, is_own, other_cluster};
use super::nodes::{node_count, serving};
use crate::cluster::{ClusterId, ClusterResource, total};
use crate::facts::arm::{COMPUTE_TYPE_AKS, COMPUTE_TYPE_KUBERNETES};
use crate::preflight::gather::Facts;
use crate::preflight::kubernetes::{Connected, is_managed};
use crate::preflight::plan::{ExtensionPlan, KubernetesPlan, Plan};
use crate::preflight::report::Findings;
use crate::rules;

const CLUSTER: &str = "cluster";
const EXTENSION: &str = "extension";
const NAMESPACE: &str = "namespace";

/// The nodes that a highly available router needs.
const NODES_OF_ROUTER: u32 = 3;

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
            "the workspace is in v1 legacy mode, which closes the v2 API: the compute could have no online endpoints",
            "switch `v1LegacyMode` of the workspace off",
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
    let checked = [rules::PREFLIGHT_SUBSCRIPTION];
    let own = Some(Ok(ClusterId::of_resource(cluster).subscription));
    let Some(own) = findings.known(&checked, CLUSTER, &own) else {
        return;
    };
    let workspace = compute.workspace.subscription();
    if !own.eq_ignore_ascii_case(workspace) {
        findings.broken(
            rules::PREFLIGHT_SUBSCRIPTION,
            CLUSTER,
            Some(cluster),
            format!("the cluster is not in the subscription of the workspace, {workspace}"),
            "use a workspace in the subscription of the cluster",
        );
    }
}

/// Judges the cluster, be it an AKS cluster or one that Azure Arc connects, and the provider of its extensions.
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
            "the cluster has a service principal and no managed identity",
            "give it one: `az aks update --enable-managed-identity`",
        );
    }
}

fn connected(cluster: &Connected, findings: &mut Findings) {
    let status = cluster.status.as_deref();
    if status.is_some() && !is(status, "Connected") {
        findings.broken(
            rules::PREFLIGHT_CONNECTED,
            CLUSTER,
            status,
            "Azure Arc has no connection with the cluster",
            "check the agents of Azure Arc in the cluster",
        );
    }
}

/// Judges whether Azure Machine Learning gets into an AKS cluster.
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

/// Judges whether the extension is there for an attach.
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
            "install it first, and wait until it has succeeded",
        );
    };
    if !extension.is_healthy {
        findings.broken(
            rules::PREFLIGHT_EXTENSION_READY,
            EXTENSION,
            Some(&extension.name),
            format!(
                "the extension of this name is not healthy; its state is {}",
                extension.state
            ),
            extension
                .remedy
                .unwrap_or("wait until it has succeeded; for one that failed, read its statuses"),
        );
    }
}

/// Judges the namespace, and what else uses the cluster.
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
        "neither the attach nor the service creates this namespace, and nothing outside of the cluster lists its namespaces",
        "if it is not there, create it first: `kubectl create namespace`",
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
            "the cluster is attached already, as the compute of this name",
            "nothing to do: several attachments of one cluster are allowed for this kind",
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
            "the services of the compute of kind AKS on this cluster are in this namespace",
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
            "the cluster has the extension already, under this name",
            "update the one that is there, or delete it first",
        );
    }
}

/// Judges whether a highly available router gets its nodes.
fn nodes(extension: &ExtensionPlan, facts: &Facts, findings: &mut Findings) {
    if !extension.highly_available {
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
    let connected = connected.map(|found| found.as_ref().map(|cluster| cluster.nodes));
    let Some(Some(nodes)) = managed.or(connected) else {
        return;
    };
    let Some(nodes) = nodes else {
        let reason = "the cluster does not say how many nodes it has";
        return findings.cannot_tell(rule, EXTENSION, reason);
    };
    if nodes < NODES_OF_ROUTER {
        findings.broken(
            rule,
            EXTENSION,
            Some(&nodes.to_string()),
            format!("the router is to be highly available, which takes {NODES_OF_ROUTER} nodes; the cluster has {nodes}"),
            "use 3 nodes or more, or switch high availability off",
        );
    }
}

/// Judges whether the router of a compute of kind AKS is in the way. One that a detach left behind cannot be seen.
fn legacy_router(plan: &Plan, extension: &ExtensionPlan, facts: &Facts, findings: &mut Findings) {
    let checked = [rules::PREFLIGHT_LEGACY_ROUTER];
    let Some(computes) = findings.known(&checked, CLUSTER, &facts.computes) else {
        return;
    };
    let cluster = plan.cluster_id.as_deref().unwrap_or_default();
    let legacy = computes
        .iter()
        .find(|found| found.properties.compute_type == COMPUTE_TYPE_AKS && is_of(found, cluster));
    if let Some(legacy) = legacy.filter(|_| !extension.takes_over) {
        findings.broken(
            rules::PREFLIGHT_LEGACY_ROUTER,
            CLUSTER,
            Some(&legacy.name),
            "this compute of kind AKS has its router `azureml-fe` in the cluster, and the two routers do not mix",
            "let the extension take it over: `kubectl annotate deployment azureml-fe azureml-fe-enable-upgrade=true`, \
             then install with the setting `scoringFe.enableUpgrade` as `true`",
        );
    }
}
