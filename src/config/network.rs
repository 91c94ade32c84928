//! The virtual network of a new cluster.

use super::resource_id::{self, ResourceType};
use crate::names::{WorkspaceId, segment};
use crate::rules::{self, Findings};
use ipnet::Ipv4Net;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// An existing virtual network of the workspace's subscription, and the ranges of the cluster.
///
/// All six fields belong together. The network has to be in the region of the cluster, and the
/// ranges apart from every subnet that the cluster can reach; that cannot be seen from here.
///
/// # Examples
///
/// ```
/// use azureml_aks::{ProvisioningConfiguration, VirtualNetwork};
///
/// let network = VirtualNetwork {
///     resource_group: "mygroup".into(),
///     network: "mynetwork".into(),
///     subnet: "default".into(),
///     service_cidr: "10.0.0.0/16".into(),
///     dns_service_ip: "10.0.0.10".into(),
///     docker_bridge_cidr: "172.17.0.1/16".into(),
/// };
/// ProvisioningConfiguration::builder().virtual_network(network.clone()).build()?;
///
/// let outside = VirtualNetwork { dns_service_ip: "10.1.0.10".into(), ..network };
/// let error = ProvisioningConfiguration::builder().virtual_network(outside).build().unwrap_err();
/// assert_eq!(error.findings()[0].path, "virtual_network.dns_service_ip");
/// assert_eq!(error.findings()[0].rule, "network.dns_ip.outside_service_cidr");
/// # Ok::<(), azureml_aks::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VirtualNetwork {
    /// The resource group of the network.
    pub resource_group: String,
    /// The name of the network.
    pub network: String,
    /// The name of the subnet for the nodes.
    pub subnet: String,
    /// The range for the addresses of Kubernetes services, for example `10.0.0.0/16`.
    pub service_cidr: String,
    /// The address of the Kubernetes DNS service: inside the service range, and not its first.
    pub dns_service_ip: String,
    /// The address and range of the Docker bridge, for example `172.17.0.1/16`: apart from the
    /// service range.
    pub docker_bridge_cidr: String,
}

/// A subnet by its id, which may be of another subscription, and the ranges of the cluster.
///
/// The fields mean the same as those of [`VirtualNetwork`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subnet {
    /// The full resource id of the subnet. It is sent as it is given.
    pub id: String,
    /// The range for the addresses of Kubernetes services, for example `10.0.0.0/16`.
    pub service_cidr: String,
    /// The address of the Kubernetes DNS service: inside the service range, and not its first.
    pub dns_service_ip: String,
    /// The address and range of the Docker bridge, for example `172.17.0.1/16`: apart from the
    /// service range.
    pub docker_bridge_cidr: String,
}

/// Where the nodes of a new cluster are put: one of the two ways to name a subnet.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Network {
    /// By names, in the subscription of the workspace.
    VirtualNetwork(VirtualNetwork),
    /// By the id of the subnet.
    Subnet(Subnet),
}

impl Network {
    pub(crate) fn check(&self, findings: &mut Findings) {
        match self {
            Self::VirtualNetwork(network) => {
                for (field, value) in [
                    ("virtual_network.resource_group", &network.resource_group),
                    ("virtual_network.network", &network.network),
                    ("virtual_network.subnet", &network.subnet),
                ] {
                    findings.extend(segment(field, value));
                }
            }
            Self::Subnet(subnet) => {
                let expected = ResourceType {
                    provider: "Microsoft.Network",
                    types: &["virtualNetworks", "subnets"],
                };
                resource_id::check("virtual_network.id", &subnet.id, expected, findings);
            }
        }
        self.ranges().check(findings);
    }

    /// The networking configuration as the service reads it.
    pub(crate) fn value(&self, workspace: &WorkspaceId) -> Value {
        let subnet_id = match self {
            Self::VirtualNetwork(VirtualNetwork {
                resource_group,
                network,
                subnet,
                ..
            }) => format!(
                "/subscriptions/{}/resourceGroups/{resource_group}/providers/Microsoft.Network/virtualNetworks/{network}/subnets/{subnet}",
                workspace.subscription()
            ),
            Self::Subnet(subnet) => subnet.id.clone(),
        };
        let ranges = self.ranges();
        json!({
            "subnetId": subnet_id,
            "serviceCidr": ranges.service_cidr,
            "dnsServiceIP": ranges.dns_service_ip,
            "dockerBridgeCidr": ranges.docker_bridge_cidr,
        })
    }

    fn ranges(&self) -> Ranges<'_> {
        match self {
            Self::VirtualNetwork(network) => Ranges {
                service_cidr: &network.service_cidr,
                dns_service_ip: &network.dns_service_ip,
                docker_bridge_cidr: &network.docker_bridge_cidr,
            },
            Self::Subnet(subnet) => Ranges {
                service_cidr: &subnet.service_cidr,
                dns_service_ip: &subnet.dns_service_ip,
                docker_bridge_cidr: &subnet.docker_bridge_cidr,
            },
        }
    }
}

impl From<VirtualNetwork> for Network {
    fn from(network: VirtualNetwork) -> Self {
        Self::VirtualNetwork(network)
    }
}

impl From<Subnet> for Network {
    fn from(subnet: Subnet) -> Self {
        Self::Subnet(subnet)
    }
}

#[derive(Clone, Copy)]
struct Ranges<'a> {
    service_cidr: &'a str,
    dns_service_ip: &'a str,
    docker_bridge_cidr: &'a str,
}

impl Ranges<'_> {
    fn check(self, findings: &mut Findings) {
        let service = self.check_service(findings);
        let dns = self.dns_service_ip.parse::<Ipv4Addr>().ok();
        if dns.is_none() {
            findings.refuse(
                rules::NETWORK_DNS_IP_SYNTAX,
                DNS,
                Some(self.dns_service_ip),
                "this is not an IPv4 address",
                "write four numbers from 0 to 255, for example 10.0.0.10",
            );
        }
        let bridge = self.docker_bridge_cidr.parse::<Ipv4Net>().ok();
        if bridge.is_none() {
            findings.refuse(
                rules::NETWORK_BRIDGE_CIDR_SYNTAX,
                BRIDGE,
                Some(self.docker_bridge_cidr),
                "this is not an IPv4 address with the length of its range",
                "write the bridge's address, a slash and the length, for example 172.17.0.1/16",
            );
        }

        if let (Some(service), Some(dns)) = (service, dns) {
            self.check_dns(service, dns, findings);
        }
        if let (Some(service), Some(bridge)) = (service, bridge)
            && overlap(&service, &bridge)
        {
            findings.refuse(
                rules::NETWORK_BRIDGE_CIDR_OVERLAP,
                BRIDGE,
                Some(self.docker_bridge_cidr),
                format!("the Docker bridge range overlaps the service range {}", service.trunc()),
                "choose a private range that no network of the cluster uses, for example 172.17.0.1/16",
            );
        }
    }

    fn check_service(self, findings: &mut Findings) -> Option<Ipv4Net> {
        let Ok(service) = self.service_cidr.parse::<Ipv4Net>() else {
            findings.refuse(
                rules::NETWORK_SERVICE_CIDR_SYNTAX,
                SERVICE,
                Some(self.service_cidr),
                "this is not an IPv4 range in CIDR notation",
                "write the first address, a slash and the length, for example 10.0.0.0/16",
            );
            return None;
        };
        if service.addr() != service.network() {
            findings.advise(
                rules::NETWORK_SERVICE_CIDR_HOST_BITS,
                SERVICE,
                format!("{service} is written with an address inside the range"),
                format!("write {}", service.trunc()),
            );
        }
        if service.prefix_len() <= LARGEST_SERVICE_PREFIX {
            findings.advise(
                rules::NETWORK_SERVICE_CIDR_SIZE,
                SERVICE,
                format!("AKS documents that the service range must be smaller than /{LARGEST_SERVICE_PREFIX}"),
                "choose a smaller range, for example a /16",
            );
        }
        if let Some(reserved) = reserved().find(|reserved| overlap(reserved, &service)) {
            findings.advise(
                rules::NETWORK_SERVICE_CIDR_RESERVED,
                SERVICE,
                format!("AKS documents that the service range must not be within {reserved}"),
                "choose another private range, for example 10.0.0.0/16",
            );
        }
        Some(service)
    }

    /// Kubernetes gives the first address after that of the range itself to the service
    /// `kubernetes.default.svc.cluster.local`, so DNS cannot have it; the AKS documentation says
    /// "the first address". The address of the range itself is no address of a service at all.
    fn check_dns(self, service: Ipv4Net, dns: Ipv4Addr, findings: &mut Findings) {
        if !service.contains(&dns) {
            findings.refuse(
                rules::NETWORK_DNS_IP_OUTSIDE_SERVICE_CIDR,
                DNS,
                Some(self.dns_service_ip),
                format!(
                    "the DNS address is outside the service range {}",
                    service.trunc()
                ),
                format!("choose an address inside it{}", example(service)),
            );
        } else if u32::from(dns) - u32::from(service.network()) <= 1 {
            findings.refuse(
                rules::NETWORK_DNS_IP_FIRST_ADDRESS,
                DNS,
                Some(self.dns_service_ip),
                format!(
                    "the first address of the service range {} is taken by the service `kubernetes`",
                    service.trunc()
                ),
                format!("choose a later one{}", example(service)),
            );
        }
    }
}

fn overlap(a: &Ipv4Net, b: &Ipv4Net) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

/// The tenth address of the range, which is what most clusters use, if there is one.
fn example(service: Ipv4Net) -> String {
    let tenth = u32::from(service.network())
        .checked_add(10)
        .map(Ipv4Addr::from);
    match tenth.filter(|address| service.contains(address)) {
        Some(address) => format!(", for example {address}"),
        None => String::new(),
    }
}

/// Source: AKS documentation, "Configure Azure CNI networking".
fn reserved() -> impl Iterator<Item = Ipv4Net> {
    [
        ([169, 254, 0, 0], 16),
        ([172, 30, 0, 0], 16),
        ([172, 31, 0, 0], 16),
        ([192, 0, 2, 0], 24),
    ]
    .into_iter()
    .filter_map(|(address, length)| Ipv4Net::new(Ipv4Addr::from(address), length).ok())
}

/// Same source: "must be smaller than /12".
const LARGEST_SERVICE_PREFIX: u8 = 12;

const SERVICE: &str = "virtual_network.service_cidr";
const DNS: &str = "virtual_network.dns_service_ip";
const BRIDGE: &str = "virtual_network.docker_bridge_cidr";

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(
        service: &str,
        dns: &str,
        bridge: &str,
    ) -> Result<Vec<&'static str>, Vec<&'static str>> {
        let mut findings = Findings::default();
        Ranges {
            service_cidr: service,
            dns_service_ip: dns,
            docker_bridge_cidr: bridge,
        }
        .check(&mut findings);
        if findings.refused() {
            Err(findings.into_refusals().iter().map(|v| v.rule).collect())
        } else {
            Ok(findings
                .finish("x")
                .unwrap()
                .iter()
                .map(|w| w.rule)
                .collect())
        }
    }

    #[test]
    fn the_ranges_of_the_article_are_accepted() {
        assert_eq!(
            outcome("10.0.0.0/16", "10.0.0.10", "172.17.0.1/16"),
            Ok(vec![])
        );
    }

    #[test]
    fn ranges_that_contradict_each_other_are_refused() {
        for (service, dns, bridge, rule) in [
            (
                "10.0.0.0",
                "10.0.0.10",
                "172.17.0.1/16",
                "network.service_cidr.syntax",
            ),
            (
                "10.0.0.0/33",
                "10.0.0.10",
                "172.17.0.1/16",
                "network.service_cidr.syntax",
            ),
            (
                "10.0.0/16",
                "10.0.0.10",
                "172.17.0.1/16",
                "network.service_cidr.syntax",
            ),
            (
                "fd00::/108",
                "10.0.0.10",
                "172.17.0.1/16",
                "network.service_cidr.syntax",
            ),
            (
                "",
                "10.0.0.10",
                "172.17.0.1/16",
                "network.service_cidr.syntax",
            ),
            (
                "10.0.0.0/16",
                "10.0.0.256",
                "172.17.0.1/16",
                "network.dns_ip.syntax",
            ),
            (
                "10.0.0.0/16",
                "10.0.0.10/32",
                "172.17.0.1/16",
                "network.dns_ip.syntax",
            ),
            (
                "10.0.0.0/16",
                "10.1.0.10",
                "172.17.0.1/16",
                "network.dns_ip.outside_service_cidr",
            ),
            (
                "10.0.0.0/16",
                "10.0.0.0",
                "172.17.0.1/16",
                "network.dns_ip.first_address",
            ),
            (
                "10.0.0.0/16",
                "10.0.0.1",
                "172.17.0.1/16",
                "network.dns_ip.first_address",
            ),
            (
                "10.0.0.7/16",
                "10.0.0.1",
                "172.17.0.1/16",
                "network.dns_ip.first_address",
            ),
            (
                "255.255.255.255/32",
                "255.255.255.255",
                "172.17.0.1/16",
                "network.dns_ip.first_address",
            ),
            (
                "10.0.0.0/16",
                "10.0.0.10",
                "172.17.0.1",
                "network.bridge_cidr.syntax",
            ),
            (
                "10.0.0.0/16",
                "10.0.0.10",
                "10.0.3.1/24",
                "network.bridge_cidr.overlaps_service_cidr",
            ),
            (
                "10.0.0.0/16",
                "10.0.0.10",
                "10.9.9.9/8",
                "network.bridge_cidr.overlaps_service_cidr",
            ),
            (
                "0.0.0.0/0",
                "0.0.0.10",
                "172.17.0.1/16",
                "network.bridge_cidr.overlaps_service_cidr",
            ),
        ] {
            assert_eq!(
                outcome(service, dns, bridge),
                Err(vec![rule]),
                "{service} {dns} {bridge}"
            );
        }
    }

    #[test]
    fn neighbours_do_not_overlap() {
        assert_eq!(
            outcome("10.0.0.0/16", "10.0.0.2", "10.1.0.1/16"),
            Ok(vec![])
        );
        assert_eq!(
            outcome("10.1.0.0/16", "10.1.255.254", "10.0.0.1/16"),
            Ok(vec![])
        );
    }

    #[test]
    fn unusual_service_ranges_are_allowed_with_a_warning() {
        for (service, dns, rule) in [
            ("10.0.0.5/16", "10.0.0.10", "network.service_cidr.host_bits"),
            ("10.0.0.0/8", "10.0.0.10", "network.service_cidr.size"),
            (
                "172.30.4.0/24",
                "172.30.4.10",
                "network.service_cidr.reserved",
            ),
        ] {
            assert_eq!(
                outcome(service, dns, "192.168.0.1/24"),
                Ok(vec![rule]),
                "{service}"
            );
        }
    }
}
