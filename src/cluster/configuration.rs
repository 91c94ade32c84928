//! The configuration of a cluster of your own.

use super::scale::Scale;
use crate::compute::{ClusterRef, Network};
use crate::error::{Error, Finding};
use crate::names::resource_id::{self, ResourceType};
use crate::names::tags::{self, Tags};
use crate::names::{Region, WorkspaceId};
use crate::rules::{self, Findings};
use ipnet::IpNet;
use serde_json::{Map, Value, json};
use std::net::IpAddr;
use std::ops::RangeInclusive;

/// The valid configuration of an AKS cluster beside the workspace.
///
/// Made by [`builder`](Self::builder). What AKS asks for is always sent: the region, a DNS prefix, an identity, the
/// load balancer, and one system pool of Linux nodes with its number of nodes. Everything else is sent only where it
/// was given, and AKS applies its own default.
#[must_use = "a configuration does nothing until a cluster is created with it"]
#[derive(Debug, Clone, PartialEq)]
pub struct ManagedClusterConfiguration {
    given: ManagedClusterConfigurationBuilder,
    warnings: Vec<Finding>,
}

/// The way of a cluster's outbound traffic.
///
/// Known words are recognised in any letter case, and one that this crate does not know is passed through.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutboundType {
    /// Through the load balancer and its public address. The default of AKS.
    LoadBalancer,
    /// As the routes of the subnet say, for example through a firewall. Needs a subnet of your own.
    UserDefinedRouting,
    /// Through a NAT gateway that AKS makes.
    ManagedNatGateway,
    /// Through a NAT gateway of your own. Needs a subnet of your own.
    UserAssignedNatGateway,
    /// Not at all.
    None,
    /// A type that this crate does not know.
    UnknownValue(String),
}

impl OutboundType {
    const KNOWN: [Self; 5] = [
        Self::LoadBalancer,
        Self::UserDefinedRouting,
        Self::ManagedNatGateway,
        Self::UserAssignedNatGateway,
        Self::None,
    ];

    /// Returns the word of AKS.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::LoadBalancer => "loadBalancer",
            Self::UserDefinedRouting => "userDefinedRouting",
            Self::ManagedNatGateway => "managedNATGateway",
            Self::UserAssignedNatGateway => "userAssignedNATGateway",
            Self::None => "none",
            Self::UnknownValue(word) => word,
        }
    }
}

impl From<&str> for OutboundType {
    fn from(word: &str) -> Self {
        Self::KNOWN
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(word))
            .unwrap_or_else(|| Self::UnknownValue(word.to_owned()))
    }
}

/// Whether the Kubernetes API is private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Private {
    public_fqdn: bool,
}

impl ManagedClusterConfiguration {
    /// Starts the configuration of a cluster with three nodes, in the region of the workspace.
    ///
    /// # Arguments
    ///
    /// * `resource_group` - a resource group that exists, in the subscription of the workspace.
    /// * `name` - the name of the cluster.
    ///
    /// # Examples
    ///
    /// ```
    /// use azureml_aks::{ManagedClusterConfiguration, OutboundType, Subnet};
    ///
    /// let subnet = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/aks";
    /// let config = ManagedClusterConfiguration::builder("mygroup", "mycluster")
    ///     .kubernetes_version("1.34")
    ///     .vm_size("Standard_D4s_v5")
    ///     .node_count(3)
    ///     .private_cluster()
    ///     .outbound_type(OutboundType::UserDefinedRouting)
    ///     .virtual_network(Subnet::new(subnet).service_cidr("10.0.0.0/16").dns_service_ip("10.0.0.10"))
    ///     .build()?;
    /// assert!(config.warnings().is_empty());
    ///
    /// let error = ManagedClusterConfiguration::builder("mygroup", "mycluster")
    ///     .outbound_type(OutboundType::UserDefinedRouting)
    ///     .autoscaler(3..=2000)
    ///     .build()
    ///     .unwrap_err();
    /// let rules: Vec<_> = error.findings().iter().map(|found| found.rule).collect();
    /// assert_eq!(rules, ["pool.bounds", "cluster.outbound_needs_subnet"]);
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn builder(
        resource_group: impl AsRef<str>,
        name: impl AsRef<str>,
    ) -> ManagedClusterConfigurationBuilder {
        ManagedClusterConfigurationBuilder {
            cluster: ClusterRef::named(resource_group, name),
            location: None,
            kubernetes_version: None,
            vm_size: None,
            node_count: None,
            autoscaler: None,
            system_pool: "nodepool1".to_owned(),
            load_balancer_sku: "standard".to_owned(),
            private: None,
            authorized_ip_ranges: Vec::new(),
            outbound_type: None,
            network_plugin: None,
            virtual_network: None,
            identity: None,
            tier: None,
            local_accounts: None,
            tags: Tags::new(),
        }
    }

    /// Returns the findings that do not make the configuration invalid: settings that are allowed but probably not
    /// meant.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// Returns the cluster, as the configuration of an attachment takes it.
    #[must_use]
    pub fn to_ref(&self) -> ClusterRef {
        self.given.cluster.clone()
    }

    pub(crate) fn location(&self) -> Option<&str> {
        self.given.location.as_deref()
    }

    /// Returns the size of the nodes, where it was given, and how many there are at first.
    pub(crate) fn nodes(&self) -> (Option<&str>, u32) {
        (self.given.vm_size.as_deref(), self.given.count())
    }

    pub(crate) fn kubernetes_version(&self) -> Option<&str> {
        self.given.kubernetes_version.as_deref()
    }

    pub(crate) fn virtual_network(&self) -> Option<&Network> {
        self.given.virtual_network.as_ref()
    }

    pub(crate) fn outbound_type(&self) -> Option<&OutboundType> {
        self.given.outbound_type.as_ref()
    }

    pub(crate) fn authorized_ip_ranges(&self) -> &[String] {
        &self.given.authorized_ip_ranges
    }

    /// Returns the body of the request. `location` is where the cluster is made.
    pub(super) fn body(&self, workspace: &WorkspaceId, location: &str, dns_prefix: &str) -> Value {
        let given = &self.given;
        let mut properties = Map::new();
        let mut pool = json!({
            "name": given.system_pool,
            "mode": "System",
            "type": "VirtualMachineScaleSets",
            "osType": "Linux",
            "count": given.count(),
        });
        properties.insert("dnsPrefix".into(), dns_prefix.into());
        if let Some(version) = &given.kubernetes_version {
            properties.insert("kubernetesVersion".into(), version.as_str().into());
            pool["orchestratorVersion"] = version.as_str().into();
        }
        if let Some(size) = &given.vm_size {
            pool["vmSize"] = size.as_str().into();
        }
        if let Some((min, max)) = given.autoscaler {
            pool["enableAutoScaling"] = true.into();
            pool["minCount"] = min.into();
            pool["maxCount"] = max.into();
        }
        let mut network = json!({ "loadBalancerSku": given.load_balancer_sku });
        let mut set = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                network[name] = value.into();
            }
        };
        set(
            "outboundType",
            given.outbound_type.as_ref().map(OutboundType::as_str),
        );
        set("networkPlugin", given.network_plugin.as_deref());
        if let Some(own) = &given.virtual_network {
            set("serviceCidr", own.service_cidr());
            set("dnsServiceIP", own.dns_service_ip());
            pool["vnetSubnetID"] = own.subnet_id(workspace).into();
        }
        properties.insert("networkProfile".into(), network);
        if let Some(access) = given.api_server_access() {
            properties.insert("apiServerAccessProfile".into(), access);
        }
        if let Some(local) = given.local_accounts {
            properties.insert("disableLocalAccounts".into(), (!local).into());
            if !local {
                // Local accounts can be off only where Microsoft Entra is used.
                properties.insert("aadProfile".into(), json!({ "managed": true }));
            }
        }
        properties.insert("agentPoolProfiles".into(), json!([pool]));
        let identity = match &given.identity {
            None => json!({ "type": "SystemAssigned" }),
            Some(id) => json!({
                "type": "UserAssigned",
                "userAssignedIdentities": { resource_id::unquoted(id): {} },
            }),
        };
        let mut body =
            json!({ "location": location, "identity": identity, "properties": properties });
        if let Some(tier) = &given.tier {
            body["sku"] = json!({ "name": "Base", "tier": tier });
        }
        if !given.tags.is_empty() {
            body["tags"] = tags::tags_value(&given.tags);
        }
        body
    }
}

/// The builder of a [`ManagedClusterConfiguration`].
///
/// Setters take the value as it is; [`build`](Self::build) checks all of them together.
#[must_use = "a builder does nothing until `build()`"]
#[derive(Debug, Clone, PartialEq)]
pub struct ManagedClusterConfigurationBuilder {
    cluster: ClusterRef,
    location: Option<String>,
    kubernetes_version: Option<String>,
    vm_size: Option<String>,
    node_count: Option<u32>,
    autoscaler: Option<(u32, u32)>,
    system_pool: String,
    load_balancer_sku: String,
    private: Option<Private>,
    authorized_ip_ranges: Vec<String>,
    outbound_type: Option<OutboundType>,
    network_plugin: Option<String>,
    virtual_network: Option<Network>,
    /// The id of a user-assigned identity; the system-assigned one where there is none.
    identity: Option<String>,
    tier: Option<String>,
    local_accounts: Option<bool>,
    tags: Tags,
}

impl ManagedClusterConfigurationBuilder {
    /// Sets the region. By default that of the workspace.
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// Sets the version of Kubernetes, for example `1.34` or `1.34.2`: see
    /// [`Workspace::kubernetes_versions`](crate::Workspace::kubernetes_versions). By default AKS chooses.
    pub fn kubernetes_version(mut self, version: impl Into<String>) -> Self {
        self.kubernetes_version = Some(version.into());
        self
    }

    /// Sets the size of the nodes: see [`Workspace::vm_sizes`](crate::Workspace::vm_sizes). By default AKS chooses. It
    /// cannot be changed later.
    pub fn vm_size(mut self, size: impl Into<String>) -> Self {
        self.vm_size = Some(size.into());
        self
    }

    /// Sets the number of nodes; with an [`autoscaler`](Self::autoscaler), the number at first. By default 3, as
    /// `az aks create` does; with an autoscaler, its lower bound.
    pub fn node_count(mut self, nodes: u32) -> Self {
        self.node_count = Some(nodes);
        self
    }

    /// Lets the autoscaler decide how many nodes there are, between these bounds.
    pub fn autoscaler(mut self, nodes: RangeInclusive<u32>) -> Self {
        self.autoscaler = Some((*nodes.start(), *nodes.end()));
        self
    }

    /// Sets the name of the system pool, which is the only one. By default `nodepool1`.
    pub fn system_pool(mut self, name: impl Into<String>) -> Self {
        self.system_pool = name.into();
        self
    }

    /// Sets the SKU of the load balancer. By default `standard`; `basic` is retired.
    pub fn load_balancer_sku(mut self, sku: impl Into<String>) -> Self {
        self.load_balancer_sku = sku.into();
        self
    }

    /// Makes the cluster private: its Kubernetes API is reached from its network alone, and has no public name. The
    /// workspace has to reach that network.
    pub fn private_cluster(mut self) -> Self {
        self.private = Some(Private { public_fqdn: false });
        self
    }

    /// Makes the cluster private, with a public name all the same.
    pub fn private_cluster_with_public_fqdn(mut self) -> Self {
        self.private = Some(Private { public_fqdn: true });
        self
    }

    /// Adds ranges of addresses that may reach the Kubernetes API. By default all may. Azure Machine Learning has to be
    /// among them: the addresses of the service tag `AzureMachineLearning`.
    pub fn authorized_ip_ranges<R: Into<String>>(
        mut self,
        ranges: impl IntoIterator<Item = R>,
    ) -> Self {
        self.authorized_ip_ranges
            .extend(ranges.into_iter().map(Into::into));
        self
    }

    /// Sets how outbound traffic leaves the cluster. By default through the load balancer.
    pub fn outbound_type(mut self, outbound_type: impl Into<OutboundType>) -> Self {
        self.outbound_type = Some(outbound_type.into());
        self
    }

    /// Sets the network plugin, for example `azure`. By default AKS chooses.
    pub fn network_plugin(mut self, plugin: impl Into<String>) -> Self {
        self.network_plugin = Some(plugin.into());
        self
    }

    /// Sets an existing network for the nodes: a [`VirtualNetwork`](crate::VirtualNetwork) or a
    /// [`Subnet`](crate::Subnet). Its ranges need not be set. By default AKS makes a network.
    pub fn virtual_network(mut self, network: impl Into<Network>) -> Self {
        self.virtual_network = Some(network.into());
        self
    }

    /// Sets a user-assigned identity of the cluster by its full resource id. By default AKS makes an identity.
    pub fn user_assigned_identity(mut self, id: impl Into<String>) -> Self {
        self.identity = Some(id.into());
        self
    }

    /// Sets the tier: `Free`, `Standard` or `Premium`. By default AKS chooses `Free`.
    pub fn tier(mut self, tier: impl Into<String>) -> Self {
        self.tier = Some(tier.into());
        self
    }

    /// Sets whether the cluster has accounts of its own beside those of Microsoft Entra. By default it has. Azure
    /// Machine Learning reaches the cluster with them.
    pub fn local_accounts(mut self, local: bool) -> Self {
        self.local_accounts = Some(local);
        self
    }

    tags::tag_setters!(tags);

    /// Checks everything together. No I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) with all broken rules at once.
    pub fn build(self) -> Result<ManagedClusterConfiguration, Error> {
        let mut findings = Findings::default();
        self.cluster.check(&mut findings);
        self.check_texts(&mut findings);
        self.check_pool(&mut findings);
        self.check_access(&mut findings);
        if let Some(network) = &self.virtual_network {
            network.check_for_cluster(&mut findings);
        }
        if let Some(id) = &self.identity {
            let expected = ResourceType {
                provider: "Microsoft.ManagedIdentity",
                types: &["userAssignedIdentities"],
            };
            resource_id::check("user_assigned_identity", id, expected, &mut findings);
        }
        if self.local_accounts == Some(false) {
            findings.advise(
                rules::CLUSTER_LOCAL_ACCOUNTS,
                "local_accounts",
                "Azure Machine Learning reaches a cluster with its local accounts, and this one has none",
                "leave local accounts on if the cluster is to be attached",
            );
        }
        tags::check_tags(&self.tags, &mut findings);
        let warnings = findings.finish("cluster configuration")?;
        Ok(ManagedClusterConfiguration {
            given: self,
            warnings,
        })
    }

    fn count(&self) -> u32 {
        let otherwise = self.autoscaler.map_or(3, |(min, _)| min);
        self.node_count.unwrap_or(otherwise)
    }

    fn api_server_access(&self) -> Option<Value> {
        let mut access = Map::new();
        if !self.authorized_ip_ranges.is_empty() {
            access.insert(
                "authorizedIPRanges".into(),
                json!(self.authorized_ip_ranges),
            );
        }
        if let Some(Private { public_fqdn }) = self.private {
            access.insert("enablePrivateCluster".into(), true.into());
            access.insert("enablePrivateClusterPublicFQDN".into(), public_fqdn.into());
        }
        (!access.is_empty()).then(|| access.into())
    }

    fn check_texts(&self, findings: &mut Findings) {
        let outbound = self.outbound_type.as_ref().map(OutboundType::as_str);
        for (path, text, rule) in [
            ("location", self.location.as_deref(), rules::LOCATION_EMPTY),
            ("vm_size", self.vm_size.as_deref(), rules::VM_SIZE_EMPTY),
            (
                "kubernetes_version",
                self.kubernetes_version.as_deref(),
                rules::CLUSTER_EMPTY,
            ),
            (
                "load_balancer_sku",
                Some(&*self.load_balancer_sku),
                rules::CLUSTER_EMPTY,
            ),
            ("outbound_type", outbound, rules::CLUSTER_EMPTY),
            (
                "network_plugin",
                self.network_plugin.as_deref(),
                rules::CLUSTER_EMPTY,
            ),
            ("tier", self.tier.as_deref(), rules::CLUSTER_EMPTY),
        ] {
            if text.is_some_and(|text| text.trim().is_empty()) {
                let remedy = "give a value, or leave the setting out";
                findings.refuse(rule, path, text, "the setting is empty", remedy);
            }
        }
        if let Some(location) = self.location.as_deref()
            && !location.trim().is_empty()
            && let Err(error) = Region::parse(location)
        {
            findings.extend(error.findings().iter().cloned().map(|found| Finding {
                path: "location".to_owned(),
                ..found
            }));
        }
    }

    fn check_pool(&self, findings: &mut Findings) {
        let name = self.system_pool.as_str();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins || name.len() > 12 || !name.chars().all(plain) {
            findings.refuse(
                rules::POOL_NAME,
                "system_pool",
                Some(name),
                "a node pool's name has 1 to 12 lower-case letters and digits, and begins with a letter",
                "choose another name, for example nodepool1",
            );
        }
        let scales = [
            ("node_count", self.node_count.map(Scale::Nodes)),
            (
                "autoscaler",
                self.autoscaler.map(|(min, max)| Scale::Between(min, max)),
            ),
        ];
        for (path, scale) in scales {
            if let Some(scale) = scale {
                scale.check(path, findings);
                scale.check_system(path, findings);
            }
        }
    }

    fn check_access(&self, findings: &mut Findings) {
        let is_basic = self.load_balancer_sku.eq_ignore_ascii_case("basic");
        if is_basic {
            findings.advise(
                rules::CLUSTER_BASIC_LOAD_BALANCER,
                "load_balancer_sku",
                "the basic load balancer is retired",
                "leave it out: the standard one is the default",
            );
        }
        if is_basic && !self.authorized_ip_ranges.is_empty() {
            findings.refuse(
                rules::CLUSTER_RANGES_LOAD_BALANCER,
                "authorized_ip_ranges",
                None,
                "authorised ranges need the standard load balancer, and this cluster has the basic one",
                "take the standard load balancer",
            );
        }
        for (at, range) in self.authorized_ip_ranges.iter().enumerate() {
            if range.parse::<IpNet>().is_err() && range.parse::<IpAddr>().is_err() {
                findings.refuse(
                    rules::CLUSTER_RANGES_SYNTAX,
                    format!("authorized_ip_ranges[{at}]"),
                    Some(range),
                    "this is not a range of addresses in CIDR notation",
                    "write the first address, a slash and the length, for example 203.0.113.0/24",
                );
            }
        }
        if self.private.is_some_and(|private| private.public_fqdn) {
            findings.advise(
                rules::CLUSTER_PRIVATE_PUBLIC_FQDN,
                "private_cluster_with_public_fqdn",
                "Azure Machine Learning does not support a private cluster with a public name",
                "call private_cluster() if the cluster is to be attached",
            );
        }
        let needs_subnet = matches!(
            self.outbound_type,
            Some(OutboundType::UserDefinedRouting | OutboundType::UserAssignedNatGateway)
        );
        if needs_subnet && self.virtual_network.is_none() {
            let outbound = self.outbound_type.as_ref().map(OutboundType::as_str);
            findings.refuse(
                rules::CLUSTER_OUTBOUND_SUBNET,
                "outbound_type",
                outbound,
                "this outbound type needs a subnet of your own, and none is given",
                "give the subnet with virtual_network(..)",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Subnet, VirtualNetwork};

    const IDENTITY: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";

    fn new() -> ManagedClusterConfigurationBuilder {
        ManagedClusterConfiguration::builder("g", "c")
    }

    fn body(builder: ManagedClusterConfigurationBuilder) -> Value {
        let workspace = WorkspaceId::parse("s", "wg", "w").unwrap();
        builder.build().unwrap().body(&workspace, "eastus", "c-1")
    }

    #[test]
    fn only_what_aks_asks_for_is_sent_unless_more_is_given() {
        assert_eq!(
            body(new()),
            json!({
                "location": "eastus",
                "identity": { "type": "SystemAssigned" },
                "properties": {
                    "dnsPrefix": "c-1",
                    "networkProfile": { "loadBalancerSku": "standard" },
                    "agentPoolProfiles": [{
                        "name": "nodepool1", "mode": "System", "type": "VirtualMachineScaleSets",
                        "osType": "Linux", "count": 3,
                    }],
                },
            })
        );
    }

    #[test]
    fn everything_that_is_given_is_sent() {
        let network = VirtualNetwork::new("ng", "n", "sub")
            .service_cidr("10.0.0.0/16")
            .dns_service_ip("10.0.0.10");
        let given = new()
            .kubernetes_version("1.34")
            .vm_size("Standard_D4s_v5")
            .node_count(4)
            .autoscaler(3..=10)
            .system_pool("sys")
            .authorized_ip_ranges(["203.0.113.0/24", "203.0.113.7"])
            .outbound_type("userdefinedrouting")
            .network_plugin("azure")
            .virtual_network(network)
            .user_assigned_identity(format!("{IDENTITY:?}\n"))
            .tier("Standard")
            .local_accounts(true)
            .tag("a", "1");
        let subnet = "/subscriptions/s/resourceGroups/ng/providers/Microsoft.Network/virtualNetworks/n/subnets/sub";
        assert_eq!(
            body(given),
            json!({
                "location": "eastus",
                "tags": { "a": "1" },
                "sku": { "name": "Base", "tier": "Standard" },
                "identity": { "type": "UserAssigned", "userAssignedIdentities": { IDENTITY: {} } },
                "properties": {
                    "dnsPrefix": "c-1",
                    "kubernetesVersion": "1.34",
                    "disableLocalAccounts": false,
                    "apiServerAccessProfile": { "authorizedIPRanges": ["203.0.113.0/24", "203.0.113.7"] },
                    "networkProfile": {
                        "loadBalancerSku": "standard", "outboundType": "userDefinedRouting",
                        "networkPlugin": "azure", "serviceCidr": "10.0.0.0/16", "dnsServiceIP": "10.0.0.10",
                    },
                    "agentPoolProfiles": [{
                        "name": "sys", "mode": "System", "type": "VirtualMachineScaleSets", "osType": "Linux",
                        "count": 4, "vmSize": "Standard_D4s_v5", "orchestratorVersion": "1.34",
                        "enableAutoScaling": true, "minCount": 3, "maxCount": 10, "vnetSubnetID": subnet,
                    }],
                },
            })
        );
    }

    #[test]
    fn private_cluster_has_a_public_name_only_if_asked_for() {
        for (builder, public) in [
            (new().private_cluster(), false),
            (new().private_cluster_with_public_fqdn(), true),
        ] {
            assert_eq!(
                body(builder)["properties"]["apiServerAccessProfile"],
                json!({ "enablePrivateCluster": true, "enablePrivateClusterPublicFQDN": public })
            );
        }
        let properties = &body(new().local_accounts(false))["properties"];
        assert_eq!(properties["aadProfile"], json!({ "managed": true }));
        assert_eq!(properties["disableLocalAccounts"], json!(true));
        let pool = &body(new().autoscaler(2..=5))["properties"]["agentPoolProfiles"][0];
        assert_eq!(pool["count"], 2);
    }

    #[test]
    fn all_violations_are_reported_at_once() {
        let error = ManagedClusterConfiguration::builder("", "-c")
            .location("a/b")
            .kubernetes_version(" ")
            .vm_size("")
            .node_count(0)
            .autoscaler(3..=2000)
            .system_pool("Pool")
            .load_balancer_sku("Basic")
            .authorized_ip_ranges(["203.0.113.0/24", "x"])
            .outbound_type(OutboundType::UserAssignedNatGateway)
            .user_assigned_identity("i")
            .tier("")
            .tag("", "")
            .build()
            .unwrap_err();
        let paths: Vec<_> = error.findings().iter().map(|v| v.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "cluster.resource_group",
                "cluster.name",
                "vm_size",
                "kubernetes_version",
                "tier",
                "location",
                "system_pool",
                "node_count",
                "autoscaler",
                "authorized_ip_ranges",
                "authorized_ip_ranges[1]",
                "outbound_type",
                "user_assigned_identity",
                "tags",
            ]
        );
    }

    #[test]
    fn network_of_a_cluster_needs_no_ranges_and_keeps_the_rules_of_those_it_has() {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n";
        let plain = new().virtual_network(Subnet::new(id)).build().unwrap();
        assert!(plain.warnings().is_empty());
        let outside = Subnet::new(id)
            .service_cidr("10.0.0.0/16")
            .dns_service_ip("10.1.0.10");
        let error = new().virtual_network(outside).build().unwrap_err();
        assert_eq!(
            error.findings()[0].rule,
            "network.dns_ip.outside_service_cidr"
        );
        let bridge = Subnet::new(id).docker_bridge_cidr("172.17.0.1/16");
        let warned = new().virtual_network(bridge).build().unwrap();
        assert_eq!(warned.warnings()[0].rule, "cluster.docker_bridge");
    }
}
