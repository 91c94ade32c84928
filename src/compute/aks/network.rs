//! The virtual network of a new cluster.

use crate::names::resource_id::{self, ResourceType};
use crate::names::{WorkspaceId, segment};
use crate::rules::{self, Findings, Refusal};
use ipnet::Ipv4Net;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::str::FromStr;

/// An existing virtual network in the subscription of the workspace, and the ranges of the cluster.
///
/// All three ranges are required. The network has to be in the region of the cluster, and the ranges
/// must not overlap any subnet that the cluster can reach; neither can be checked without the service.
///
/// # Examples
///
/// ```
/// use azureml_aks::{ProvisioningConfiguration, VirtualNetwork};
///
/// let network = VirtualNetwork::new("mygroup", "mynetwork", "default")
///     .service_cidr("10.0.0.0/16")
///     .dns_service_ip("10.0.0.10")
///     .docker_bridge_cidr("172.17.0.1/16");
/// ProvisioningConfiguration::builder().virtual_network(network.clone()).build()?;
///
/// let outside = network.dns_service_ip("10.1.0.10");
/// let error = ProvisioningConfiguration::builder().virtual_network(outside).build().unwrap_err();
/// assert_eq!(error.findings()[0].path, "virtual_network.dns_service_ip");
/// assert_eq!(error.findings()[0].rule, "network.dns_ip.outside_service_cidr");
/// # Ok::<(), azureml_aks::Error>(())
/// ```
#[must_use = "a network does nothing until a configuration is made with it"]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct VirtualNetwork {
    /// The resource group of the network.
    pub resource_group: String,
    /// The name of the network.
    pub network: String,
    /// The name of the subnet for the nodes.
    pub subnet: String,
    /// The range for the addresses of Kubernetes services.
    pub service_cidr: Option<String>,
    /// The address of the Kubernetes DNS service.
    pub dns_service_ip: Option<String>,
    /// The address and range of the Docker bridge.
    pub docker_bridge_cidr: Option<String>,
}

impl VirtualNetwork {
    /// Names the network and its subnet.
    ///
    /// # Arguments
    ///
    /// * `resource_group` - the resource group of the network
    /// * `network` - the name of the network
    /// * `subnet` - the name of the subnet for the nodes
    pub fn new(
        resource_group: impl AsRef<str>,
        network: impl AsRef<str>,
        subnet: impl AsRef<str>,
    ) -> Self {
        Self {
            resource_group: resource_group.as_ref().to_owned(),
            network: network.as_ref().to_owned(),
            subnet: subnet.as_ref().to_owned(),
            service_cidr: None,
            dns_service_ip: None,
            docker_bridge_cidr: None,
        }
    }
}

/// A subnet by its id, which may be of another subscription, and the ranges of the cluster.
///
/// The ranges mean the same as those of [`VirtualNetwork`].
///
/// # Examples
///
/// ```
/// use azureml_aks::{ProvisioningConfiguration, Subnet};
///
/// let network = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v";
/// let subnet = Subnet::new(format!("{network}/subnets/default"))
///     .service_cidr("10.0.0.0/16")
///     .dns_service_ip("10.0.0.10");
/// let error = ProvisioningConfiguration::builder().virtual_network(subnet).build().unwrap_err();
/// assert_eq!(error.findings()[0].path, "virtual_network.docker_bridge_cidr");
/// assert_eq!(error.findings()[0].rule, "network.range_missing");
/// ```
#[must_use = "a subnet does nothing until a configuration is made with it"]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Subnet {
    /// The full resource id of the subnet. It is sent as it is given.
    pub id: String,
    /// The range for the addresses of Kubernetes services.
    pub service_cidr: Option<String>,
    /// The address of the Kubernetes DNS service.
    pub dns_service_ip: Option<String>,
    /// The address and range of the Docker bridge.
    pub docker_bridge_cidr: Option<String>,
}

impl Subnet {
    /// Names the subnet by its full resource id.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            service_cidr: None,
            dns_service_ip: None,
            docker_bridge_cidr: None,
        }
    }
}

/// The common setters of both ways to name a subnet.
macro_rules! range_setters {
    ($($type:ty),*) => {$(
        impl $type {
            /// Sets the range for the addresses of Kubernetes services, for example `10.0.0.0/16`.
            /// Required.
            pub fn service_cidr(mut self, range: impl Into<String>) -> Self {
                self.service_cidr = Some(range.into());
                self
            }

            /// Sets the address of the Kubernetes DNS service, for example `10.0.0.10`: inside the
            /// service range, and not its first address. Required.
            pub fn dns_service_ip(mut self, address: impl Into<String>) -> Self {
                self.dns_service_ip = Some(address.into());
                self
            }

            /// Sets the address and range of the Docker bridge, for example `172.17.0.1/16`. It must
            /// not overlap the service range. Required.
            pub fn docker_bridge_cidr(mut self, range: impl Into<String>) -> Self {
                self.docker_bridge_cidr = Some(range.into());
                self
            }

            fn ranges(&self) -> Ranges<'_> {
                Ranges {
                    service_cidr: self.service_cidr.as_deref(),
                    dns_service_ip: self.dns_service_ip.as_deref(),
                    docker_bridge_cidr: self.docker_bridge_cidr.as_deref(),
                }
            }
        }
    )*};
}

range_setters!(VirtualNetwork, Subnet);

/// The subnet for the nodes of a new cluster: one of the two ways to name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Network {
    /// By names, in the subscription of the workspace.
    VirtualNetwork(VirtualNetwork),
    /// By the id of the subnet.
    Subnet(Subnet),
}

impl Network {
    /// Checks the network of a cluster that Azure Machine Learning creates: all three ranges are required.
    pub(crate) fn check(&self, findings: &mut Findings) {
        self.check_subnet(findings);
        self.ranges().check(findings, true);
    }

    /// Checks the network of a cluster that AKS creates: it chooses the ranges that are not given, and has no Docker
    /// bridge.
    pub(crate) fn check_for_cluster(&self, findings: &mut Findings) {
        self.check_subnet(findings);
        let ranges = self.ranges();
        ranges.check(findings, false);
        if ranges.docker_bridge_cidr.is_some() {
            findings.advise(
                rules::CLUSTER_DOCKER_BRIDGE,
                BRIDGE,
                "AKS has no setting for the Docker bridge, and this is not sent",
                "leave it out",
            );
        }
    }

    fn check_subnet(&self, findings: &mut Findings) {
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
    }

    /// Returns the ARM id of the subnet.
    pub(crate) fn subnet_id(&self, workspace: &WorkspaceId) -> String {
        match self {
            Self::VirtualNetwork(VirtualNetwork {
                resource_group,
                network,
                subnet,
                ..
            }) => format!(
                "/subscriptions/{}/resourceGroups/{resource_group}/providers/Microsoft.Network/virtualNetworks/{network}/subnets/{subnet}",
                workspace.subscription()
            ),
            Self::Subnet(subnet) => resource_id::unquoted(&subnet.id).to_owned(),
        }
    }

    /// Returns the ranges that the cluster takes for itself, each with the path of its setting.
    pub(crate) fn own_ranges(&self) -> Vec<(&'static str, Ipv4Net)> {
        let ranges = self.ranges();
        let both = [
            (SERVICE, ranges.service_cidr),
            (BRIDGE, ranges.docker_bridge_cidr),
        ];
        let read = |(path, range): (_, Option<&str>)| Some((path, range?.parse().ok()?));
        both.into_iter().filter_map(read).collect()
    }

    pub(crate) fn service_cidr(&self) -> Option<&str> {
        self.ranges().service_cidr
    }

    pub(crate) fn dns_service_ip(&self) -> Option<&str> {
        self.ranges().dns_service_ip
    }

    /// Returns the networking configuration as the service reads it.
    pub(crate) fn value(&self, workspace: &WorkspaceId) -> Value {
        let ranges = self.ranges();
        json!({
            "subnetId": self.subnet_id(workspace),
            "serviceCidr": ranges.service_cidr,
            "dnsServiceIP": ranges.dns_service_ip,
            "dockerBridgeCidr": ranges.docker_bridge_cidr,
        })
    }

    fn ranges(&self) -> Ranges<'_> {
        match self {
            Self::VirtualNetwork(network) => network.ranges(),
            Self::Subnet(subnet) => subnet.ranges(),
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
    service_cidr: Option<&'a str>,
    dns_service_ip: Option<&'a str>,
    docker_bridge_cidr: Option<&'a str>,
}

/// Reads a range or an address; `None` if it was refused, or is not there and not required.
fn read<T: FromStr>(
    path: &str,
    (value, required): (Option<&str>, bool),
    (rule, message, remedy): (Refusal, &str, &str),
    findings: &mut Findings,
) -> Option<T> {
    let Some(value) = value else {
        if !required {
            return None;
        }
        let message = "a virtual network requires this, and it is not set";
        findings.refuse(rules::NETWORK_RANGE_MISSING, path, None, message, remedy);
        return None;
    };
    let read = value.parse().ok();
    if read.is_none() {
        findings.refuse(rule, path, Some(value), message, remedy);
    }
    read
}

impl Ranges<'_> {
    fn check(self, findings: &mut Findings, required: bool) {
        let service = self.check_service(findings, required);
        let dns = read::<Ipv4Addr>(
            DNS,
            (self.dns_service_ip, required),
            (
                rules::NETWORK_DNS_IP_SYNTAX,
                "this is not an IPv4 address",
                "write four numbers from 0 to 255, for example 10.0.0.10",
            ),
            findings,
        );
        let bridge = read::<Ipv4Net>(
            BRIDGE,
            (self.docker_bridge_cidr, required),
            (
                rules::NETWORK_BRIDGE_CIDR_SYNTAX,
                "this is not an IPv4 address with the length of its range",
                "write the bridge's address, a slash and the length, for example 172.17.0.1/16",
            ),
            findings,
        );

        if let (Some(service), Some(dns)) = (service, dns) {
            self.check_dns(service, dns, findings);
        }
        if let (Some(service), Some(bridge)) = (service, bridge)
            && overlap(&service, &bridge)
        {
            findings.refuse(
                rules::NETWORK_BRIDGE_CIDR_OVERLAP,
                BRIDGE,
                self.docker_bridge_cidr,
                format!("the Docker bridge range overlaps the service range {}", service.trunc()),
                "choose a private range that no network of the cluster uses, for example 172.17.0.1/16",
            );
        }
    }

    fn check_service(self, findings: &mut Findings, required: bool) -> Option<Ipv4Net> {
        let service = read::<Ipv4Net>(
            SERVICE,
            (self.service_cidr, required),
            (
                rules::NETWORK_SERVICE_CIDR_SYNTAX,
                "this is not an IPv4 range in CIDR notation",
                "write the first address, a slash and the length, for example 10.0.0.0/16",
            ),
            findings,
        )?;
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
    /// "the first address". The address of the range itself is not the address of a service.
    fn check_dns(self, service: Ipv4Net, dns: Ipv4Addr, findings: &mut Findings) {
        if !service.contains(&dns) {
            findings.refuse(
                rules::NETWORK_DNS_IP_OUTSIDE_SERVICE_CIDR,
                DNS,
                self.dns_service_ip,
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
                self.dns_service_ip,
                format!(
                    "the first address of the service range {} is taken by the service `kubernetes`",
                    service.trunc()
                ),
                format!("choose a later one{}", example(service)),
            );
        }
    }
}

/// Returns whether two ranges have an address in common.
pub(crate) fn overlap(a: &Ipv4Net, b: &Ipv4Net) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

/// Returns the tenth address of the range, which is what most clusters use, if there is one.
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
            service_cidr: Some(service),
            dns_service_ip: Some(dns),
            docker_bridge_cidr: Some(bridge),
        }
        .check(&mut findings, true);
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
    fn ranges_of_the_article_are_accepted() {
        assert_eq!(
            outcome("10.0.0.0/16", "10.0.0.10", "172.17.0.1/16"),
            Ok(vec![])
        );
    }

    #[test]
    fn each_range_is_required_of_both_networks() {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n";
        let bare: [Network; 2] = [
            VirtualNetwork::new("g", "v", "n").into(),
            Subnet::new(id).into(),
        ];
        for network in bare {
            let mut findings = Findings::default();
            network.check(&mut findings);
            let found = findings.into_refusals();
            let found: Vec<_> = found.iter().map(|v| (v.rule, v.path.as_str())).collect();
            let missing = |path| ("network.range_missing", path);
            assert_eq!(found, [SERVICE, DNS, BRIDGE].map(missing));
        }
        let one = VirtualNetwork::new("g", "v", "n").service_cidr("10.0.0.0/16");
        let mut findings = Findings::default();
        Network::from(one).check(&mut findings);
        let found = findings.into_refusals();
        let paths: Vec<_> = found.iter().map(|found| found.path.as_str()).collect();
        assert_eq!(paths, [DNS, BRIDGE]);
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
