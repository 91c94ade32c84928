//! The nodes: how many vCPUs they have, and whether the region gives them.

use crate::cluster::{ClusterResource, NodePool, VmSize, VmSizes};
use crate::facts::purposes::{DEV_TEST_VCPUS, PRODUCTION_NODES, PRODUCTION_VCPUS};
use crate::preflight::gather::Facts;
use crate::preflight::plan::{Action, Nodes, Plan};
use crate::preflight::report::Findings;
use crate::rules::{self, Check};

const SIZE: &str = "vm_size";
const COUNT: &str = "agent_count";
const POOLS: &str = "cluster.pools";

/// Judges the nodes of a cluster that is to be made.
pub(super) fn of_plan(plan: &Plan, facts: &Facts, findings: &mut Findings) {
    let Some(nodes) = &plan.nodes else { return };
    let checked = [
        rules::PREFLIGHT_SIZE_OFFERED,
        rules::PREFLIGHT_SIZE_ALLOWED,
        rules::PREFLIGHT_SIZE_ACCELERATOR,
    ];
    if let Some(sizes) = findings.known(&checked, SIZE, &facts.sizes) {
        match sizes.get(&nodes.size) {
            Some(size) => {
                of_size(size, findings);
                quota(nodes, size, facts, findings);
            }
            None => findings.broken(
                rules::PREFLIGHT_SIZE_OFFERED,
                SIZE,
                Some(&nodes.size),
                format!("the region {} does not offer this VM size", sizes.region()),
                "give a name that `az vm list-skus` lists for the region",
            ),
        }
    }
    if let Some(Err(reason)) = &facts.sizes {
        findings.cannot_tell(rules::PREFLIGHT_QUOTA_FAMILY, SIZE, reason);
        findings.cannot_tell(rules::PREFLIGHT_QUOTA_REGION, SIZE, reason);
    }
    // A cluster that is not attached yet has no purpose.
    if plan.action == Action::Cluster && plan.name.is_none() {
        return;
    }
    let counted = facts.sizes.as_ref().map(|sizes| match sizes {
        Ok(sizes) => counted(sizes, [(nodes.size.as_str(), nodes.count)]),
        Err(reason) => Err(reason.clone()),
    });
    capacity(plan, COUNT, &counted, findings);
}

/// Judges the nodes of a cluster that exists.
pub(super) fn of_cluster(plan: &Plan, facts: &Facts, findings: &mut Findings) {
    let cluster = match &facts.cluster {
        Some(Ok(Some(cluster))) => cluster,
        Some(Err(reason)) => return capacity(plan, POOLS, &Some(Err(reason.clone())), findings),
        // A cluster that is missing has a finding of its own.
        Some(Ok(None)) | None => return,
    };
    let counted = facts.sizes.as_ref().map(|sizes| match sizes {
        Ok(sizes) => of_pools(sizes, cluster),
        Err(reason) => Err(reason.clone()),
    });
    capacity(plan, POOLS, &counted, findings);
}

/// Nodes and vCPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) nodes: u64,
    pub(super) vcpus: u64,
}

fn counted<'s>(
    sizes: &VmSizes,
    nodes: impl IntoIterator<Item = (&'s str, u32)>,
) -> Result<Counted, String> {
    let mut all = Counted { nodes: 0, vcpus: 0 };
    for (name, count) in nodes {
        let of_one = sizes.get(name).and_then(VmSize::vcpus);
        let of_one = of_one.or_else(|| crate::facts::sizes::vcpus(name));
        let Some(of_one) = of_one else {
            return Err(format!("the vCPUs of {name:?} are not known"));
        };
        all.nodes += u64::from(count);
        all.vcpus += u64::from(of_one) * u64::from(count);
    }
    Ok(all)
}

/// Counts the nodes that take models; those that an autoscaler may add count.
fn of_pools(sizes: &VmSizes, cluster: &ClusterResource) -> Result<Counted, String> {
    let mut all = Vec::new();
    for pool in serving(cluster) {
        let name = &pool.name;
        let count = node_count(pool)
            .ok_or_else(|| format!("pool {name:?} does not say how many nodes it has"))?;
        match pool.vm_sizes()[..] {
            [size] => all.push((size, count)),
            _ if count == 0 => {}
            _ => return Err(format!("pool {name:?} has nodes of several sizes")),
        }
    }
    counted(sizes, all)
}

/// The number of nodes of a pool, with those that its autoscaler may add.
pub(super) fn node_count(pool: &NodePool) -> Option<u32> {
    let most = pool
        .max_count
        .filter(|_| pool.enable_auto_scaling == Some(true));
    pool.node_count().max(most)
}

/// The pools that take models: Linux nodes that run and keep nothing away.
pub(super) fn serving(cluster: &ClusterResource) -> impl Iterator<Item = &NodePool> {
    let pools = cluster.properties.agent_pool_profiles.iter();
    pools.filter(|pool| {
        let windows = pool
            .os_type
            .as_deref()
            .is_some_and(|os| os.eq_ignore_ascii_case("Windows"));
        !windows && pool.is_running() && pool.node_taints.is_empty()
    })
}

fn capacity(
    plan: &Plan,
    path: &str,
    counted: &Option<Result<Counted, String>>,
    findings: &mut Findings,
) {
    let checked: &[Check] = match plan.is_production() {
        true => &[rules::PREFLIGHT_VCPUS, rules::PREFLIGHT_NODES],
        false => &[rules::PREFLIGHT_DEV_TEST],
    };
    let Some(Counted { nodes, vcpus }) = findings.known(checked, path, counted).copied() else {
        return;
    };
    let value = format!("{nodes} nodes, {vcpus} vCPUs");
    let assumed = match &plan.purpose {
        None => " (no purpose is given, which counts as production)",
        Some(_) => "",
    };
    if plan.is_production() && vcpus < PRODUCTION_VCPUS {
        findings.broken(
            rules::PREFLIGHT_VCPUS,
            path,
            Some(&value),
            format!("a production cluster needs {PRODUCTION_VCPUS} vCPUs or more{assumed}"),
            "use more nodes or a larger size, or `ClusterPurpose::DevTest` if this is not for production",
        );
    }
    if plan.is_production() && nodes < u64::from(PRODUCTION_NODES) {
        findings.broken(
            rules::PREFLIGHT_NODES,
            path,
            Some(&value),
            format!("the documentation asks for {PRODUCTION_NODES} nodes for production{assumed}"),
            "use 3 nodes or more: the service may refuse fewer",
        );
    }
    if !plan.is_production() && vcpus < DEV_TEST_VCPUS {
        findings.broken(
            rules::PREFLIGHT_DEV_TEST,
            path,
            Some(&value),
            format!("{DEV_TEST_VCPUS} vCPUs or more are recommended for development"),
            "use a larger size or a second node",
        );
    }
}

fn of_size(size: &VmSize, findings: &mut Findings) {
    if let Some(refusal) = size.refusal() {
        findings.broken(
            rules::PREFLIGHT_SIZE_ALLOWED,
            SIZE,
            Some(&size.name),
            format!("{refusal} ({})", refusal.reason),
            "use another size or region, or ask Azure support to enable it",
        );
    }
    let gpus = size.gpus().filter(|gpus| *gpus > 0);
    let fpgas = size.fpgas().filter(|fpgas| *fpgas > 0);
    let has = [
        gpus.map(|count| format!("{count} GPUs")),
        fpgas.map(|count| format!("{count} FPGAs")),
    ];
    let has: Vec<String> = has.into_iter().flatten().collect();
    if !has.is_empty() {
        findings.broken(
            rules::PREFLIGHT_SIZE_ACCELERATOR,
            SIZE,
            Some(&size.name),
            format!(
                "each node has {}; models are not placed in a pool that is added later",
                has.join(" and ")
            ),
            "nothing to do if all models of the cluster are to run on such nodes",
        );
    }
}

fn quota(nodes: &Nodes, size: &VmSize, facts: &Facts, findings: &mut Findings) {
    let checked = [rules::PREFLIGHT_QUOTA_FAMILY, rules::PREFLIGHT_QUOTA_REGION];
    let Some(quota) = findings.known(&checked, SIZE, &facts.quota) else {
        return;
    };
    let Some(of_one) = size.vcpus() else { return };
    let wanted = u64::from(of_one) * u64::from(nodes.count);
    let of_family = size
        .family
        .as_deref()
        .and_then(|family| quota.of_family(family));
    for (rule, usage) in [
        (rules::PREFLIGHT_QUOTA_FAMILY, of_family),
        (rules::PREFLIGHT_QUOTA_REGION, quota.regional()),
    ] {
        let Some(usage) = usage else { continue };
        let Some(left) = usage.left().filter(|left| *left < wanted) else {
            continue;
        };
        let (used, limit) = (
            usage.current_value.unwrap_or_default(),
            usage.limit.unwrap_or_default(),
        );
        findings.broken(
            rule,
            SIZE,
            Some(&nodes.size),
            format!(
                "the nodes need {wanted} cores, and {left} of {limit} are left ({used} are in use)"
            ),
            "ask for more quota in the portal, or use fewer nodes or another size",
        );
    }
}
