//! The rules for a cluster that Azure Machine Learning is to create.

use crate::compute::overlap;
use crate::names::Region;
use crate::preflight::azure::{Subnet, VirtualNetwork};
use crate::preflight::gather::Facts;
use crate::preflight::plan::{NetworkPlan, Plan};
use crate::preflight::report::Findings;
use crate::rules;
use ipnet::IpNet;

const NETWORK: &str = "virtual_network";
const SUBNET: &str = "virtual_network.subnet";

/// Notes what every create should know.
pub(super) fn path(findings: &mut Findings) {
    findings.broken(
        rules::PREFLIGHT_RETIRED,
        "create",
        None,
        "creation of AKS clusters through Azure Machine Learning is reported refused since 2022",
        "create a cluster of your own and attach it",
    );
    findings.broken(
        rules::PREFLIGHT_CREATED_BALANCER,
        "create",
        None,
        "the cluster gets a basic load balancer, and can be neither private nor have authorised ranges",
        "if one of these is needed, create a cluster of your own and attach it",
    );
}

pub(super) fn policy(plan: &Plan, facts: &Facts, findings: &mut Findings) {
    let checked = [rules::PREFLIGHT_POLICY];
    let Some(denials) = findings.known(&checked, "policy", &facts.denials) else {
        return;
    };
    for assignment in denials.iter() {
        let scoring = match plan.internal {
            true => "; the internal load balancer does not help: it changes the scoring side alone",
            false => "",
        };
        findings.broken(
            rules::PREFLIGHT_POLICY,
            "policy",
            Some(assignment),
            format!("this policy assignment denies public addresses, and AKS needs one for outbound traffic{scoring}"),
            "have an exemption made, or create a cluster of your own with user-defined routing and attach it",
        );
    }
}

pub(super) fn network(plan: &Plan, facts: &Facts, findings: &mut Findings) {
    let Some(wanted) = &plan.network else { return };
    findings.broken(
        rules::PREFLIGHT_NETWORK_ROLE,
        NETWORK,
        None,
        "not checked: the identity of the cluster comes with the cluster, and needs the role Network Contributor on the \
         network's resource group",
        "assign the role once the identity exists",
    );
    let checked = [
        rules::PREFLIGHT_NETWORK_EXISTS,
        rules::PREFLIGHT_NETWORK_REGION,
        rules::PREFLIGHT_NETWORK_OVERLAP,
        rules::PREFLIGHT_NETWORK_ADDRESSES,
        rules::PREFLIGHT_NETWORK_INBOUND,
    ];
    let Some(found) = findings.known(&checked, NETWORK, &facts.network) else {
        return;
    };
    let Some(network) = found else {
        return missing(wanted, "there is no such virtual network", findings);
    };
    let Some(subnet) = &network.subnet else {
        return missing(wanted, "the virtual network has no such subnet", findings);
    };
    region(network, facts, findings);
    overlaps(wanted, network, findings);
    addresses(plan, subnet, findings);
    let checked = [rules::PREFLIGHT_NETWORK_INBOUND];
    if findings.known(&checked, SUBNET, &facts.inbound) == Some(&false) {
        findings.broken(
            rules::PREFLIGHT_NETWORK_INBOUND,
            SUBNET,
            subnet.security_group.as_deref(),
            "the network security group of the subnet has no inbound rule for port 80 or 443",
            "add an inbound rule for the scoring address and port, and keep the default outbound rules",
        );
    }
}

fn missing(wanted: &NetworkPlan, message: &str, findings: &mut Findings) {
    let id = Some(wanted.subnet_id.as_str());
    let remedy = "create the network first, or correct its name";
    findings.broken(
        rules::PREFLIGHT_NETWORK_EXISTS,
        NETWORK,
        id,
        message,
        remedy,
    );
}

fn region(network: &VirtualNetwork, facts: &Facts, findings: &mut Findings) {
    if let Some(Ok(region)) = &facts.region
        && Region::parse(region).is_ok_and(|region| !region.is(&network.region))
    {
        findings.broken(
            rules::PREFLIGHT_NETWORK_REGION,
            NETWORK,
            Some(&network.region),
            format!(
                "the network is in another region than the cluster, which is to be in {region}"
            ),
            "use a network of that region, or create the cluster in the region of the network",
        );
    }
}

fn overlaps(wanted: &NetworkPlan, network: &VirtualNetwork, findings: &mut Findings) {
    for (path, range) in &wanted.ranges {
        let meets = |other: &IpNet| matches!(other, IpNet::V4(other) if overlap(range, other));
        let hit = |found: &&(String, Vec<IpNet>)| found.1.iter().any(meets);
        if let Some((name, ranges)) = network.subnets.iter().find(hit) {
            let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
            findings.broken(
                rules::PREFLIGHT_NETWORK_OVERLAP,
                path,
                Some(&range.to_string()),
                format!(
                    "the range overlaps the subnet {name:?} ({})",
                    ranges.join(", ")
                ),
                "choose a range that no subnet uses",
            );
        }
    }
}

/// The addresses of each subnet that Azure keeps for itself.
const KEPT_BY_AZURE: u64 = 5;

fn addresses(plan: &Plan, subnet: &Subnet, findings: &mut Findings) {
    let Some(nodes) = &plan.nodes else { return };
    let v4 = subnet.ranges.iter().filter_map(|range| match range {
        IpNet::V4(range) => Some(1_u64 << (32 - u32::from(range.prefix_len()))),
        IpNet::V6(_) => None,
    });
    let all: u64 = v4.map(|size| size.saturating_sub(KEPT_BY_AZURE)).sum();
    let free = all.saturating_sub(subnet.used);
    if free < u64::from(nodes.count) {
        findings.broken(
            rules::PREFLIGHT_NETWORK_ADDRESSES,
            SUBNET,
            Some(&format!("{free} free addresses")),
            format!(
                "the subnet has fewer free addresses than the cluster has nodes ({})",
                nodes.count
            ),
            "use a larger subnet, or fewer nodes",
        );
    }
}
