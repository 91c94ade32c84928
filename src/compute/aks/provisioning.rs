//! The configuration of a new cluster.

use super::capacity;
use super::common::{Common, getters, setters};
use super::load_balancer::LoadBalancer;
use super::network::Network;
use super::purpose::ClusterPurpose;
use super::tls::{CheckedTls, Tls};
use crate::error::{Error, Finding};
use crate::names::WorkspaceId;
use crate::rules::{self, Findings};
use serde_json::{Map, Value};
use std::time::SystemTime;

/// The valid configuration of a new cluster.
///
/// Made by [`builder`](Self::builder). A setting that was not given is not sent, and the service applies its own
/// default.
///
/// # Design
///
/// There is **no Kubernetes version** here. The service chooses the version of a cluster that it
/// creates, and its request has no field for it. Where a certain version is needed, create the
/// cluster with the AKS tools and attach it.
#[must_use = "a configuration does nothing until a cluster is created with it"]
#[derive(Debug, Clone, PartialEq)]
pub struct ProvisioningConfiguration {
    given: ProvisioningConfigurationBuilder,
    tls: Option<CheckedTls>,
    warnings: Vec<Finding>,
}

impl ProvisioningConfiguration {
    /// Starts a configuration without any setting: production, three nodes of `Standard_D3_v2`
    /// (the documented defaults of the service).
    ///
    /// # Examples
    ///
    /// ```
    /// use azureml_aks::{ClusterPurpose, ProvisioningConfiguration};
    ///
    /// let config = ProvisioningConfiguration::builder()
    ///     .cluster_purpose(ClusterPurpose::DevTest)
    ///     .vm_size("Standard_D3_v2")
    ///     .agent_count(1)
    ///     .tag("team", "vision")
    ///     .build()?;
    /// assert_eq!(config.agent_count(), Some(1));
    /// assert!(config.warnings().is_empty());
    ///
    /// let error = ProvisioningConfiguration::builder()
    ///     .vm_size("Standard_D2_v2")
    ///     .agent_count(3)
    ///     .build()
    ///     .unwrap_err();
    /// assert_eq!(error.findings()[0].rule, "capacity.production_minimum");
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn builder() -> ProvisioningConfigurationBuilder {
        ProvisioningConfigurationBuilder::default()
    }

    getters!();

    /// Returns the size of the nodes, if one was given.
    #[must_use]
    pub fn vm_size(&self) -> Option<&str> {
        self.given.vm_size.as_deref()
    }

    /// Returns the number of nodes, if one was given.
    #[must_use]
    pub fn agent_count(&self) -> Option<u32> {
        self.given.agent_count
    }

    /// Returns the region of the cluster, if one was given.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.given.location.as_deref()
    }

    /// Returns the virtual network, if one was given.
    #[must_use]
    pub fn virtual_network(&self) -> Option<&Network> {
        self.given.virtual_network.as_ref()
    }

    /// Returns the body of the request. `location` is that of the workspace; the result may hold a private
    /// key in clear.
    pub(crate) fn body(&self, workspace: &WorkspaceId, location: &str) -> Value {
        let given = &self.given;
        let mut inner = Map::new();
        if let Some(size) = &given.vm_size {
            inner.insert("agentVmSize".into(), size.as_str().into());
        }
        if let Some(count) = given.agent_count {
            inner.insert("agentCount".into(), count.into());
        }
        if let Some(network) = &given.virtual_network {
            inner.insert(
                "aksNetworkingConfiguration".into(),
                network.value(workspace),
            );
        }
        let mut properties = Map::new();
        if let Some(location) = &given.location {
            properties.insert("computeLocation".into(), location.as_str().into());
        }
        let tls = self.tls.as_ref();
        given.common.body(tls, location, properties, inner)
    }
}

/// The builder of a [`ProvisioningConfiguration`].
///
/// Setters take the value as it is; [`build`](Self::build) checks all of them together.
#[must_use = "a builder does nothing until `build()`"]
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProvisioningConfigurationBuilder {
    common: Common,
    vm_size: Option<String>,
    agent_count: Option<u32>,
    location: Option<String>,
    virtual_network: Option<Network>,
}

impl ProvisioningConfigurationBuilder {
    setters! {
        ProvisioningConfiguration,
        purpose
        /// Sets the purpose of the cluster. The documented default is [`ClusterPurpose::FastProd`].
        ///
        /// [`ClusterPurpose::DevTest`] is not for production: it is slower and has no fault tolerance.
        tls
        /// Sets TLS of the scoring endpoint. By default there is none.
    }

    /// Sets the size of the nodes. The documented default is `Standard_D3_v2`.
    ///
    /// Any size is passed through; for a known one, a production cluster needs 12 vCPUs in total.
    pub fn vm_size(mut self, size: impl Into<String>) -> Self {
        self.vm_size = Some(size.into());
        self
    }

    /// Sets the number of nodes. The documented default is 3 for production and 1 for
    /// [`ClusterPurpose::DevTest`].
    pub fn agent_count(mut self, count: u32) -> Self {
        self.agent_count = Some(count);
        self
    }

    /// Sets the region of the cluster. The documented default is that of the workspace.
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// Sets an existing network for the nodes: a [`VirtualNetwork`](super::VirtualNetwork) or a
    /// [`Subnet`](super::Subnet). By default the service makes a network of its own.
    pub fn virtual_network(mut self, network: impl Into<Network>) -> Self {
        self.virtual_network = Some(network.into());
        self
    }

    pub(crate) fn build_at(mut self, now: SystemTime) -> Result<ProvisioningConfiguration, Error> {
        let mut findings = Findings::default();
        self.common.check_purpose(&mut findings);
        let is_blank = |text: &String| text.trim().is_empty();
        if self.vm_size.as_ref().is_some_and(is_blank) {
            findings.refuse(
                rules::VM_SIZE_EMPTY,
                "vm_size",
                self.vm_size.as_deref(),
                "the virtual machine size is empty",
                "name a size, for example Standard_D3_v2, or leave it out",
            );
        }
        capacity::check(
            self.common.purpose.as_ref(),
            self.vm_size.as_deref(),
            self.agent_count,
            &mut findings,
        );
        if self.location.as_ref().is_some_and(is_blank) {
            findings.refuse(
                rules::LOCATION_EMPTY,
                "location",
                self.location.as_deref(),
                "the location is empty",
                "name a region, for example westeurope, or leave it out",
            );
        }
        if let Some(network) = &self.virtual_network {
            network.check(&mut findings);
        }
        let tls = self.common.check(now, &mut findings);
        let warnings = findings.finish("provisioning configuration")?;
        Ok(ProvisioningConfiguration {
            given: self,
            tls,
            warnings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VirtualNetwork;
    use serde_json::json;

    fn workspace() -> WorkspaceId {
        WorkspaceId::parse("s", "g", "w").unwrap()
    }

    fn network() -> VirtualNetwork {
        VirtualNetwork::new("mygroup", "mynetwork", "default")
            .service_cidr("10.0.0.0/16")
            .dns_service_ip("10.0.0.10")
            .docker_bridge_cidr("172.17.0.1/16")
    }

    #[test]
    fn unset_values_are_not_sent() {
        let config = ProvisioningConfiguration::builder().build().unwrap();
        assert_eq!(
            config.body(&workspace(), "eastus"),
            json!({ "location": "eastus", "properties": { "computeType": "AKS" } })
        );
    }

    #[test]
    fn every_given_value_is_sent_as_it_was_given() {
        let config = ProvisioningConfiguration::builder()
            .cluster_purpose(ClusterPurpose::UnknownValue("denseprod".into()))
            .vm_size("Standard_D4_v2")
            .agent_count(4)
            .location("westeurope")
            .virtual_network(network())
            .tls(Tls::leaf_domain("mylabel").overwrite_existing_domain(true))
            .load_balancer(LoadBalancer::PublicIp)
            .description("for scoring")
            .tag("a", "0")
            .tags([("a", "1"), ("b", "2")])
            .build()
            .unwrap();
        assert_eq!(
            config.body(&workspace(), "eastus"),
            json!({
                "location": "eastus",
                "tags": { "a": "1", "b": "2" },
                "properties": {
                    "computeType": "AKS",
                    "computeLocation": "westeurope",
                    "description": "for scoring",
                    "properties": {
                        "clusterPurpose": "DenseProd",
                        "agentVmSize": "Standard_D4_v2",
                        "agentCount": 4,
                        "aksNetworkingConfiguration": {
                            "subnetId": "/subscriptions/s/resourceGroups/mygroup/providers/Microsoft.Network/virtualNetworks/mynetwork/subnets/default",
                            "serviceCidr": "10.0.0.0/16",
                            "dnsServiceIP": "10.0.0.10",
                            "dockerBridgeCidr": "172.17.0.1/16",
                        },
                        "sslConfiguration": {
                            "status": "Auto",
                            "leafDomainLabel": "mylabel",
                            "overwriteExistingDomain": true,
                        },
                        "loadBalancerType": "PublicIp",
                    },
                },
            })
        );
    }

    #[test]
    fn internal_load_balancer_may_leave_its_subnet_to_the_service() {
        for (load_balancer, expected) in [
            (
                LoadBalancer::internal(),
                json!({ "loadBalancerType": "InternalLoadBalancer" }),
            ),
            (
                LoadBalancer::internal_in("inner"),
                json!({ "loadBalancerType": "InternalLoadBalancer", "loadBalancerSubnet": "inner" }),
            ),
        ] {
            let config = ProvisioningConfiguration::builder()
                .load_balancer(load_balancer)
                .build()
                .unwrap();
            assert_eq!(
                config.body(&workspace(), "eastus")["properties"]["properties"],
                expected
            );
        }
    }

    #[test]
    fn all_violations_are_reported_at_once() {
        let error = ProvisioningConfiguration::builder()
            .cluster_purpose(ClusterPurpose::from(" "))
            .vm_size("")
            .agent_count(0)
            .location("")
            .virtual_network(VirtualNetwork {
                subnet: String::new(),
                ..network().dns_service_ip("x")
            })
            .tls(Tls::leaf_domain("a.b"))
            .load_balancer(LoadBalancer::internal_in(""))
            .tag("", "")
            .build()
            .unwrap_err();
        let paths: Vec<_> = error.findings().iter().map(|v| v.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "cluster_purpose",
                "vm_size",
                "agent_count",
                "location",
                "virtual_network.subnet",
                "virtual_network.dns_service_ip",
                "load_balancer.subnet",
                "tls.leaf_domain_label",
                "tls",
                "tags",
            ]
        );
    }

    #[test]
    fn built_configuration_lists_its_warnings() {
        let config = ProvisioningConfiguration::builder()
            .vm_size("Standard_D4_v2")
            .agent_count(2)
            .build();
        assert_eq!(
            config.unwrap().warnings()[0].rule,
            "capacity.production_nodes"
        );
    }
}
