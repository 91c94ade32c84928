//! The cluster under a deployment: whether it is there, and has room.

use super::nodes;
use crate::cluster::{ClusterResource, VmSize, VmSizes};
use crate::compute::AksProperties;
use crate::facts::purposes::DEV_TEST;
use crate::names::Region;
use crate::preflight::gather::Facts;
use crate::preflight::plan::{Load, Plan};
use crate::preflight::report::Findings;
use crate::rules;

const TARGET: &str = "target";

pub(super) fn judge(plan: &Plan, facts: &Facts, findings: &mut Findings) {
    let Some(load) = &plan.load else { return };
    target(facts, findings);
    purpose(load, facts, findings);
    region(load, facts, findings);
    room(load, facts, findings);
}

fn target(facts: &Facts, findings: &mut Findings) {
    let checked = [rules::PREFLIGHT_TARGET];
    let Some(target) = findings.known(&checked, TARGET, &facts.target) else {
        return;
    };
    let mut broken = |value: Option<&str>, message: &str, remedy: &str| {
        findings.broken(rules::PREFLIGHT_TARGET, TARGET, value, message, remedy);
    };
    let Some(target) = target else {
        return broken(
            None,
            "there is no such compute: it was detached or deleted",
            "attach or create it first",
        );
    };
    let state = target.properties.provisioning_state.as_deref();
    match state.map(str::to_ascii_lowercase).as_deref() {
        None | Some("succeeded" | "updating") => {}
        Some("failed") => broken(
            state,
            "the compute target has failed",
            "delete or detach it, then create or attach it again",
        ),
        Some(_) => broken(
            state,
            "the compute target is not ready",
            "wait for it with wait_for_completion first",
        ),
    }
    match &facts.cluster {
        Some(Ok(None)) => broken(
            target.properties.resource_id.as_deref(),
            "the cluster behind the compute target does not exist",
            "detach the target, and create or attach another cluster",
        ),
        Some(Ok(Some(cluster))) => {
            let power = cluster.properties.power_state.code.as_deref();
            if power.is_some_and(|power| !power.eq_ignore_ascii_case("Running")) {
                broken(
                    power,
                    "the cluster behind the compute target does not run",
                    "start it: `az aks start`",
                );
            }
        }
        Some(Err(reason)) => {
            findings.cannot_tell(rules::PREFLIGHT_TARGET, "target.cluster", reason)
        }
        None => {}
    }
}

fn purpose(load: &Load, facts: &Facts, findings: &mut Findings) {
    let checked = [rules::PREFLIGHT_DEV_TEST_TRAFFIC];
    let Some(Some(target)) = findings.known(&checked, TARGET, &facts.target) else {
        return;
    };
    let purpose = target.kind_properties::<AksProperties>().cluster_purpose;
    let dev_test = purpose.is_some_and(|purpose| purpose.eq_ignore_ascii_case(DEV_TEST));
    if dev_test && (load.autoscales || load.least > 1) {
        findings.broken(
            rules::PREFLIGHT_DEV_TEST_TRAFFIC,
            "replicas",
            Some(DEV_TEST),
            "the cluster is for development, without fault tolerance, and the service is set up for production traffic",
            "use a production cluster",
        );
    }
}

fn region(load: &Load, facts: &Facts, findings: &mut Findings) {
    let checked = [rules::PREFLIGHT_TOKEN_REGION];
    if !load.tokens {
        return;
    }
    let Some(region) = findings.known(&checked, "auth", &facts.region) else {
        return;
    };
    let Some(home) = findings.known(&checked, "auth", &facts.home) else {
        return;
    };
    if Region::parse(home).is_ok_and(|home| !home.is(region)) {
        findings.broken(
            rules::PREFLIGHT_TOKEN_REGION,
            "auth",
            Some(region),
            format!("tokens come from the region of the workspace, {home}: while it is down, nobody gets one"),
            "use keys, or a workspace in the region of the cluster",
        );
    }
}

/// The overhead of a replica that was observed beside its request.
const CPU_BESIDE: f64 = 0.1;
const MEMORY_BESIDE: f64 = 0.6;

/// The nodes of one size.
struct Group {
    nodes: u64,
    vcpus: f64,
    memory_gb: f64,
    gpus: f64,
}

fn room(load: &Load, facts: &Facts, findings: &mut Findings) {
    let cluster = match &facts.cluster {
        Some(Ok(Some(cluster))) => Ok(cluster),
        Some(Err(reason)) => Err(reason),
        Some(Ok(None)) | None => return,
    };
    let groups = facts.sizes.as_ref().map(|sizes| match (sizes, cluster) {
        (Ok(sizes), Ok(cluster)) => groups(sizes, cluster),
        (Err(reason), _) | (_, Err(reason)) => Err(reason.clone()),
    });
    let checked = [
        rules::PREFLIGHT_ROOM,
        rules::PREFLIGHT_ROOM_MAXIMUM,
        rules::PREFLIGHT_GPU,
    ];
    let Some(groups) = findings.known(&checked, "replicas", &groups) else {
        return;
    };
    if load.gpus > 0 && groups.iter().all(|group| group.gpus < f64::from(load.gpus)) {
        findings.broken(
            rules::PREFLIGHT_GPU,
            "gpu_cores",
            Some(&load.gpus.to_string()),
            "no node of the cluster has so many GPUs",
            "deploy to a cluster whose nodes have GPUs",
        );
        return;
    }
    let (least, most) = (u64::from(load.least), u64::from(load.most));
    let fit = fits(groups, load, (0.0, 0.0));
    let fit_with = fits(groups, load, (CPU_BESIDE, MEMORY_BESIDE));
    let asked = format!(
        "{} cores and {} GB for each replica",
        load.cpu, load.memory_gb
    );
    if fit < least {
        findings.broken(
            rules::PREFLIGHT_ROOM,
            "replicas",
            Some(&least.to_string()),
            format!("the nodes have room for {fit} replicas at most ({asked})"),
            "ask for less, or scale the cluster",
        );
    } else if fit_with < most {
        findings.broken(
            rules::PREFLIGHT_ROOM_MAXIMUM,
            "replicas",
            Some(&most.to_string()),
            format!("the nodes have room for about {fit_with} replicas ({asked}, and what each takes beside it)"),
            "lower the number of replicas, ask for less, or scale the cluster",
        );
    }
}

/// Returns how many replicas fit on the nodes, each on one node.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a quotient of finite numbers above zero"
)]
fn fits(groups: &[Group], load: &Load, beside: (f64, f64)) -> u64 {
    let of = |has: f64, asked: f64| match asked > 0.0 {
        true => (has / asked).floor(),
        false => f64::INFINITY,
    };
    let one = |group: &Group| {
        let by_cpu = of(group.vcpus, load.cpu + beside.0);
        let by_memory = of(group.memory_gb, load.memory_gb + beside.1);
        let by_gpu = of(group.gpus, f64::from(load.gpus));
        let of_node = by_cpu.min(by_memory).min(by_gpu) as u64;
        of_node.saturating_mul(group.nodes)
    };
    groups.iter().map(one).fold(0, u64::saturating_add)
}

fn groups(sizes: &VmSizes, cluster: &ClusterResource) -> Result<Vec<Group>, String> {
    let mut all = Vec::new();
    for pool in nodes::serving(cluster) {
        let name = &pool.name;
        let count = nodes::node_count(pool)
            .ok_or_else(|| format!("pool {name:?} does not say how many nodes it has"))?;
        let [size] = pool.vm_sizes()[..] else {
            return Err(format!("pool {name:?} has nodes of several sizes"));
        };
        let size = sizes
            .get(size)
            .ok_or_else(|| format!("the size {size:?} is not known in the region"))?;
        let unknown = || format!("the vCPUs or the memory of {:?} are not known", size.name);
        all.push(Group {
            nodes: u64::from(count),
            vcpus: f64::from(size.vcpus().ok_or_else(unknown)?),
            memory_gb: VmSize::memory_gb(size).ok_or_else(unknown)?,
            gpus: f64::from(size.gpus().unwrap_or_default()),
        });
    }
    Ok(all)
}
