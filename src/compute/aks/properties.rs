//! The properties that only an AKS compute has, as the service gives them.

use crate::json::lenient::{Object, object, or_default};
use crate::json::twin;
use serde::de::MapAccess;
use serde::{Deserialize, Deserializer, Serialize};

twin! {
    AksMembers reads
    /// The properties that only an AKS compute has.
    ///
    /// Read leniently, as all of a compute: a member of another type than here counts as absent, for a
    /// compute must stay usable when the service writes one of them in a new way.
    #[derive(Debug, Clone, PartialEq, Default, Serialize)]
    #[serde(rename_all = "camelCase")]
    #[non_exhaustive]
    pub struct AksProperties {
        /// The cluster's host name.
        #[serde(deserialize_with = "or_default")]
        pub cluster_fqdn: Option<String>,
        /// The parts of the service that run in the cluster.
        #[serde(deserialize_with = "or_default")]
        pub system_services: Vec<SystemService>,
        /// The number of nodes.
        #[serde(deserialize_with = "or_default")]
        pub agent_count: Option<u32>,
        /// The size of the nodes.
        // The description of 2019-11-01 spells it with a capital M.
        #[serde(alias = "agentVMSize", deserialize_with = "or_default")]
        pub agent_vm_size: Option<String>,
        /// The purpose of the cluster.
        #[serde(deserialize_with = "or_default")]
        pub cluster_purpose: Option<String>,
        /// The TLS configuration of the scoring endpoint.
        #[serde(deserialize_with = "or_default")]
        pub ssl_configuration: Option<SslSettings>,
        /// The cluster's network.
        #[serde(deserialize_with = "or_default")]
        pub aks_networking_configuration: Option<AksNetworking>,
        /// `PublicIp` or `InternalLoadBalancer`.
        #[serde(deserialize_with = "or_default")]
        pub load_balancer_type: Option<String>,
        /// The subnet of the internal load balancer.
        #[serde(deserialize_with = "or_default")]
        pub load_balancer_subnet: Option<String>,
    }
}

/// A part of Azure Machine Learning that runs in the cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SystemService {
    /// The type of the part, for example `ScoringFrontEnd`.
    #[serde(deserialize_with = "or_default")]
    pub system_service_type: Option<String>,
    /// The address at which it listens.
    #[serde(deserialize_with = "or_default")]
    pub public_ip_address: Option<String>,
    /// Its version.
    #[serde(deserialize_with = "or_default")]
    pub version: Option<String>,
}

/// The TLS configuration of the scoring endpoint. Certificate and key are never kept, even if the service
/// were to send them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SslSettings {
    /// `Disabled`, `Enabled` (own certificate) or `Auto` (Microsoft's certificate).
    #[serde(deserialize_with = "or_default")]
    pub status: Option<String>,
    /// The host name of the scoring endpoint.
    #[serde(deserialize_with = "or_default")]
    pub cname: Option<String>,
    /// The leaf domain label, where Microsoft's certificate is used.
    #[serde(deserialize_with = "or_default")]
    pub leaf_domain_label: Option<String>,
    /// `true` if an existing domain may be overwritten.
    #[serde(deserialize_with = "or_default")]
    pub overwrite_existing_domain: Option<bool>,
}

/// The network of an AKS compute.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AksNetworking {
    /// The ARM id of the subnet.
    #[serde(deserialize_with = "or_default")]
    pub subnet_id: Option<String>,
    /// The range of Kubernetes services.
    #[serde(deserialize_with = "or_default")]
    pub service_cidr: Option<String>,
    /// The address of the cluster's DNS, in the range of services.
    #[serde(rename = "dnsServiceIP", deserialize_with = "or_default")]
    pub dns_service_ip: Option<String>,
    /// The range of the Docker bridge.
    #[serde(deserialize_with = "or_default")]
    pub docker_bridge_cidr: Option<String>,
}

/// By hand: a list in place of the properties is not their members in order.
impl<'de> Deserialize<'de> for AksProperties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Object::<AksMembers>::deserialize(deserializer)?.0.into())
    }
}

object!(AksProperties, SystemService, SslSettings, AksNetworking);
