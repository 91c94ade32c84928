//! The name of a compute, and other attachments of a cluster.

use crate::compute::ComputeResource;
use crate::names::resource_id;
use crate::preflight::gather::Facts;
use crate::preflight::plan::Plan;
use crate::preflight::report::Findings;
use crate::rules;

const NAME: &str = "name";
const CLUSTER: &str = "cluster";

/// Judges the name. A report of a configuration alone has none.
pub(super) fn name(plan: &Plan, facts: &Facts, findings: &mut Findings) {
    let Some(name) = &plan.name else { return };
    let checked = [rules::PREFLIGHT_NAME];
    if let Some(computes) = findings.known(&checked, NAME, &facts.computes)
        && let Some(taken) = computes
            .iter()
            .find(|found| found.name.eq_ignore_ascii_case(name))
    {
        let properties = &taken.properties;
        let state = properties
            .provisioning_state
            .as_deref()
            .unwrap_or("unknown");
        findings.broken(
            rules::PREFLIGHT_NAME,
            NAME,
            Some(name),
            format!(
                "a compute of kind {} in the state {state} has this name",
                properties.compute_type
            ),
            match state.eq_ignore_ascii_case("Failed") {
                true => "delete or detach it first: a compute that failed keeps its name",
                false => "take another name, or the existing compute with `or_get()`",
            },
        );
    }
    findings.broken(
        rules::PREFLIGHT_NAME_REGION,
        NAME,
        None,
        "not checked: nothing lists the computes of other workspaces of the region",
        "if the service refuses the name, take another one",
    );
}

/// Judges other attachments of the cluster.
pub(super) fn attachments(plan: &Plan, facts: &Facts, findings: &mut Findings) {
    let Some(cluster) = plan.cluster_id.as_deref() else {
        return;
    };
    let checked = [
        rules::PREFLIGHT_ATTACHED_HERE,
        rules::PREFLIGHT_OTHER_CLUSTER,
    ];
    if let Some(computes) = findings.known(&checked, CLUSTER, &facts.computes) {
        let mut others = computes.iter().filter(|found| !is_own(plan, found));
        if let Some(other) = others.find(|found| is_of(found, cluster)) {
            findings.broken(
                rules::PREFLIGHT_ATTACHED_HERE,
                CLUSTER,
                Some(&other.name),
                "the cluster is attached already, as the compute of this name",
                "use that compute, or detach it first: a second attachment breaks the first",
            );
        }
        other_cluster(plan, cluster, computes, findings);
    }
    let checked = [rules::PREFLIGHT_ATTACHED_ELSEWHERE];
    if let Some(computes) = findings.known(&checked, CLUSTER, &facts.elsewhere)
        && let Some(other) = computes.iter().find(|found| is_of(found, cluster))
    {
        findings.broken(
            rules::PREFLIGHT_ATTACHED_ELSEWHERE,
            CLUSTER,
            other.id.as_deref(),
            "another workspace has attached the cluster",
            "detach it there first: a second attachment breaks the first",
        );
    }
}

/// Judges whether a compute that already has the name is that of the cluster.
pub(super) fn other_cluster(
    plan: &Plan,
    cluster: &str,
    computes: &[ComputeResource],
    findings: &mut Findings,
) {
    let own = computes.iter().find(|found| is_own(plan, found));
    let of_other = own.and_then(|own| own.properties.resource_id.as_deref());
    if let Some(other) = of_other.filter(|other| !resource_id::same(other, cluster)) {
        findings.broken(
            rules::PREFLIGHT_OTHER_CLUSTER,
            NAME,
            Some(other),
            "the compute of this name is attached to another cluster",
            "take another name, or detach that compute first",
        );
    }
}

/// Returns whether a compute has the name that is planned.
pub(super) fn is_own(plan: &Plan, found: &ComputeResource) -> bool {
    let name = plan.name.as_deref();
    name.is_some_and(|name| found.name.eq_ignore_ascii_case(name))
}

pub(super) fn is_of(compute: &ComputeResource, cluster: &str) -> bool {
    let own = compute.properties.resource_id.as_deref();
    own.is_some_and(|own| resource_id::same(own, cluster))
}
