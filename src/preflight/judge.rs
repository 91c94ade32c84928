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

use super::gather::Facts;
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
            cluster::version(plan.version.as_deref(), facts, &mut findings);
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

fn rights(facts: &Facts, findings: &mut Findings) {
    for right in &facts.rights {
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
