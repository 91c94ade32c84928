//! The cluster that is to be attached.

use crate::cluster::ClusterResource;
use crate::names::Region;
use crate::preflight::gather::Facts;
use crate::preflight::plan::Plan;
use crate::preflight::report::Findings;
use crate::rules;
use ipnet::IpNet;

const CLUSTER: &str = "cluster";
const RANGES: &str = "cluster.authorized_ip_ranges";

/// Judges the cluster, if there is one.
pub(super) fn exists(plan: &Plan, facts: &Facts, findings: &mut Findings) {
    let checked = [
        rules::PREFLIGHT_CLUSTER_EXISTS,
        rules::PREFLIGHT_CLUSTER_RUNNING,
        rules::PREFLIGHT_CLUSTER_STATE,
        rules::PREFLIGHT_CLUSTER_IDENTITY,
        rules::PREFLIGHT_CLUSTER_ACCOUNTS,
        rules::PREFLIGHT_LOAD_BALANCER,
        rules::PREFLIGHT_RANGES_LOAD_BALANCER,
        rules::PREFLIGHT_POOLS,
        rules::PREFLIGHT_VERSION,
        rules::PREFLIGHT_PREVIEW,
        rules::PREFLIGHT_REGION,
        rules::PREFLIGHT_RANGES,
    ];
    let Some(found) = findings.known(&checked, CLUSTER, &facts.cluster) else {
        return;
    };
    let Some(cluster) = found else {
        findings.broken(
            rules::PREFLIGHT_CLUSTER_EXISTS,
            CLUSTER,
            plan.cluster_id.as_deref(),
            "there is no such cluster",
            "give the id that `az aks show --query id` prints; to create the cluster, run the preflight of its \
             configuration instead",
        );
        return;
    };
    let access = &cluster.properties.api_server_access_profile;
    state(cluster, findings);
    identity(cluster, findings);
    version(
        Some(cluster.kubernetes_version().unwrap_or_default()),
        "upgrade the cluster: `az aks upgrade`",
        facts,
        findings,
    );
    region(facts, findings);
    balancer(cluster, findings);
    ranges(&access.authorized_ip_ranges, facts, findings);
    private(cluster, findings);
    pools(cluster, findings);
}

pub(super) fn is(word: Option<&str>, expected: &str) -> bool {
    word.is_some_and(|word| word.eq_ignore_ascii_case(expected))
}

pub(super) fn state(cluster: &ClusterResource, findings: &mut Findings) {
    let power = cluster.properties.power_state.code.as_deref();
    if power.is_some_and(|power| !is(Some(power), "Running")) {
        findings.broken(
            rules::PREFLIGHT_CLUSTER_RUNNING,
            CLUSTER,
            power,
            "the cluster does not run",
            "start it: `az aks start`",
        );
    }
    let state = cluster.properties.provisioning_state.as_deref();
    if is(state, "Failed")
        || is(state, "Canceled")
        || is(state, "Deleting")
        || is(state, "Creating")
    {
        findings.broken(
            rules::PREFLIGHT_CLUSTER_STATE,
            CLUSTER,
            state,
            "the cluster is in a state in which it cannot be attached",
            "wait until its operation has ended; repair a failed cluster with `az aks update`",
        );
    }
}

fn identity(cluster: &ClusterResource, findings: &mut Findings) {
    if !cluster.has_managed_identity() {
        findings.broken(
            rules::PREFLIGHT_CLUSTER_IDENTITY,
            CLUSTER,
            None,
            "the cluster has a service principal and no managed identity",
            "renew the secret of its service principal before it expires",
        );
    }
    if cluster.properties.disable_local_accounts == Some(true) {
        findings.broken(
            rules::PREFLIGHT_CLUSTER_ACCOUNTS,
            CLUSTER,
            None,
            "the local accounts of the cluster are disabled, and Azure Machine Learning reads the kubeconfig of its \
             administrator",
            "enable them: `az aks update --enable-local-accounts`",
        );
    }
}

/// Judges a version of Kubernetes. Without one AKS takes its default, which needs no judgement.
/// Judges a version. `remedy` is for one that is not supported.
pub(super) fn version(version: Option<&str>, remedy: &str, facts: &Facts, findings: &mut Findings) {
    let Some(version) = version else { return };
    let checked = [rules::PREFLIGHT_VERSION, rules::PREFLIGHT_PREVIEW];
    let Some(versions) = findings.known(&checked, "cluster.version", &facts.versions) else {
        return;
    };
    if version.is_empty() {
        for rule in checked {
            findings.cannot_tell(
                rule,
                "cluster.version",
                "the cluster does not say its version",
            );
        }
        return;
    }
    match versions.release_of(version) {
        None => {
            let all: Vec<&str> = versions
                .patches()
                .map(|patch| patch.version.as_str())
                .collect();
            findings.broken(
                rules::PREFLIGHT_VERSION,
                "cluster.version",
                Some(version),
                format!(
                    "AKS does not support this version in the region; it supports {}",
                    all.join(", ")
                ),
                remedy,
            );
        }
        Some(release) if release.is_preview => findings.broken(
            rules::PREFLIGHT_PREVIEW,
            "cluster.version",
            Some(version),
            "this version of Kubernetes is a preview, without a service-level agreement",
            "do not use it for production",
        ),
        Some(_) => {}
    }
}

pub(super) fn region(facts: &Facts, findings: &mut Findings) {
    let Some(Ok(region)) = &facts.region else {
        return;
    };
    let checked = [rules::PREFLIGHT_REGION];
    let Some(home) = findings.known(&checked, "cluster.region", &facts.home) else {
        return;
    };
    if Region::parse(home).is_ok_and(|home| !home.is(region)) {
        findings.broken(
            rules::PREFLIGHT_REGION,
            "cluster.region",
            Some(region),
            format!("the cluster is in another region than the workspace, which is in {home}"),
            "nothing to do: this is allowed, and a call between the regions takes longer",
        );
    }
}

fn balancer(cluster: &ClusterResource, findings: &mut Findings) {
    let sku = cluster
        .properties
        .network_profile
        .load_balancer_sku
        .as_deref();
    if !is(sku, "basic") {
        return;
    }
    findings.broken(
        rules::PREFLIGHT_LOAD_BALANCER,
        "cluster.load_balancer",
        sku,
        "the cluster has a basic load balancer, which AKS stopped supporting in September 2025",
        "upgrade it, or create a cluster with a standard one",
    );
    let access = &cluster.properties.api_server_access_profile;
    if !access.authorized_ip_ranges.is_empty() {
        findings.broken(
            rules::PREFLIGHT_RANGES_LOAD_BALANCER,
            RANGES,
            sku,
            "authorised ranges work with a standard load balancer alone",
            "use a cluster with a standard load balancer",
        );
    }
}

/// Judges the ranges that may reach the Kubernetes API.
pub(super) fn ranges(own: &[String], facts: &Facts, findings: &mut Findings) {
    let checked = [rules::PREFLIGHT_RANGES];
    // Without ranges everybody may reach it; and a range may be a service tag.
    if own.is_empty() {
        return;
    }
    if own
        .iter()
        .any(|range| range.starts_with("AzureMachineLearning"))
    {
        return;
    }
    let Some(tags) = findings.known(&checked, RANGES, &facts.tags) else {
        return;
    };
    let pair = match &facts.pair {
        Some(Ok(pair)) => pair.as_deref(),
        Some(Err(reason)) => return findings.cannot_tell(checked[0], RANGES, reason),
        None => None,
    };
    let Some(Ok(home)) = &facts.home else {
        return findings.cannot_tell(
            checked[0],
            RANGES,
            "the region of the workspace is not known",
        );
    };
    if tags.is_empty() {
        return findings.cannot_tell(
            checked[0],
            RANGES,
            "the service lists no ranges of Azure Machine Learning",
        );
    }
    let own: Vec<IpNet> = own.iter().filter_map(|range| parse(range)).collect();
    let regions = [Some(home.as_str()), pair];
    let wanted = regions
        .into_iter()
        .flatten()
        .flat_map(|region| tags.of_region(region));
    // Authorised ranges are IPv4 ranges.
    let wanted = wanted.filter(|range| matches!(range, IpNet::V4(_)));
    let mut missing: Vec<String> = wanted
        .filter(|range| !own.iter().any(|own| own.contains(*range)))
        .map(ToString::to_string)
        .collect();
    missing.sort_unstable();
    missing.dedup();
    if !missing.is_empty() {
        let regions: Vec<&str> = regions.into_iter().flatten().collect();
        findings.broken(
            rules::PREFLIGHT_RANGES,
            RANGES,
            None,
            format!(
                "the authorised ranges leave out ranges of Azure Machine Learning in {}: {}",
                regions.join(" and "),
                missing.join(", ")
            ),
            "add them: `az aks update --api-server-authorized-ip-ranges`",
        );
    }
}

/// Reads a range, or an address alone.
fn parse(range: &str) -> Option<IpNet> {
    let address = || {
        range
            .parse()
            .map(|address: std::net::IpAddr| IpNet::from(address))
    };
    range.parse().ok().or_else(|| address().ok())
}

fn private(cluster: &ClusterResource, findings: &mut Findings) {
    if cluster.is_private() {
        findings.broken(
            rules::PREFLIGHT_PRIVATE,
            "cluster.private",
            None,
            "not checked: the cluster is private, and nothing outside its network can test who reaches it",
            "check the network and the private DNS zone of the cluster",
        );
    }
}

fn pools(cluster: &ClusterResource, findings: &mut Findings) {
    let pools = cluster.properties.agent_pool_profiles.iter();
    let users: Vec<&str> = pools
        .filter(|pool| is(pool.mode.as_deref(), "User"))
        .map(|pool| pool.name.as_str())
        .collect();
    if users.len() > 1 {
        findings.broken(
            rules::PREFLIGHT_POOLS,
            "cluster.pools",
            Some(&users.join(", ")),
            "the cluster has several user pools, and Azure Machine Learning does not place models in one that was added",
            "do not expect models in a pool that was added",
        );
    }
}
