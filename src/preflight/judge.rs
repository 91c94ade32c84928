//! The rules, each judged by what is known.

mod cluster;
mod creating;
#[cfg(feature = "services")]
mod deploying;
mod kubernetes;
mod naming;
mod nodes;
#[cfg(test)]
mod tests;

use super::gather::{Facts, Right};
use super::plan::{Action, Plan};
use super::report::{Findings, PreflightReport};
use crate::rules;

/// Judges a plan. No I/O.
pub(super) fn judge(plan: &Plan, facts: &Facts) -> PreflightReport {
    let mut findings = Findings::default();
    match plan.action {
        Action::Create => {
            nodes::of_plan(plan, facts, &mut findings);
            naming::name(plan, facts, &mut findings);
            creating::path(&mut findings);
            creating::policy(plan, facts, &mut findings);
            creating::network(plan, facts, &mut findings);
        }
        Action::Cluster => {
            nodes::of_plan(plan, facts, &mut findings);
            naming::name(plan, facts, &mut findings);
            let remedy = "name one of these versions, or leave the version out";
            cluster::version(plan.version.as_deref(), remedy, facts, &mut findings);
            cluster::ranges(&plan.ranges, facts, &mut findings);
            creating::policy(plan, facts, &mut findings);
            creating::network(plan, facts, &mut findings);
        }
        Action::Attach => {
            naming::name(plan, facts, &mut findings);
            naming::attachments(plan, facts, &mut findings);
            cluster::exists(plan, facts, &mut findings);
            nodes::of_cluster(plan, facts, &mut findings);
        }
        Action::AttachKubernetes => {
            naming::name(plan, facts, &mut findings);
            kubernetes::attach(plan, facts, &mut findings);
        }
        Action::Extension => kubernetes::extension(plan, facts, &mut findings),
        #[cfg(feature = "services")]
        Action::Deploy => deploying::judge(plan, facts, &mut findings),
    }
    rights(facts, &mut findings);
    findings.finish()
}

fn group(right: &Right, findings: &mut Findings) {
    if right.lacks_group {
        findings.broken(
            rules::PREFLIGHT_GROUP,
            "resource_group",
            Some(&right.scope),
            "there is no such resource group",
            "create it first, `az group create`, or name one that exists",
        );
    } else {
        findings.known(
            &[rules::PREFLIGHT_GROUP],
            "resource_group",
            &right.permissions,
        );
    }
}

fn rights(facts: &Facts, findings: &mut Findings) {
    for right in &facts.rights {
        // Only a create of a cluster needs a right at a resource group.
        if !right.scope.contains("/providers/") {
            group(right, findings);
        }
        if right.lacks_group {
            continue;
        }
        let known = findings.known(&[rules::PREFLIGHT_RIGHTS], &right.scope, &right.permissions);
        if known.is_some_and(|permissions| !permissions.allow(right.action)) {
            findings.broken(
                rules::PREFLIGHT_RIGHTS,
                &right.scope,
                Some(right.action),
                "no role of the caller allows this action",
                "have a role assigned that allows it at this scope",
            );
        }
    }
}
