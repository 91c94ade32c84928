//! The load balancer through which scoring requests reach the cluster.

use crate::rules::{self, Findings};
use serde_json::{Map, Value};

/// The load balancer in front of the cluster's scoring router.
///
/// The service makes a public one if none is set (documented default: `PublicIp`).
///
/// It decides only at which address services are called. Azure Machine Learning does not talk to this address, but
/// to the control plane of AKS; and the cluster's outbound traffic goes its own way, over a public address unless the
/// cluster was made with another outbound type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoadBalancer {
    /// A public IP address.
    PublicIp,
    /// A private address of the cluster's virtual network. It cannot be used with
    /// [`Tls::leaf_domain`](super::Tls::leaf_domain), whose name is that of a public address.
    #[non_exhaustive]
    Internal {
        /// The name of the subnet. The documented default is `aks-subnet`.
        subnet: Option<String>,
    },
}

impl LoadBalancer {
    /// Returns an internal load balancer in the subnet that the service chooses.
    #[must_use]
    pub fn internal() -> Self {
        Self::Internal { subnet: None }
    }

    /// Returns an internal load balancer in a subnet of the cluster's virtual network.
    #[must_use]
    pub fn internal_in(subnet: impl AsRef<str>) -> Self {
        Self::Internal {
            subnet: Some(subnet.as_ref().to_owned()),
        }
    }

    pub(crate) fn is_internal(&self) -> bool {
        matches!(self, Self::Internal { .. })
    }

    pub(crate) fn check(&self, findings: &mut Findings) {
        if let Self::Internal {
            subnet: Some(subnet),
        } = self
            && subnet.trim().is_empty()
        {
            findings.refuse(
                rules::LOAD_BALANCER_SUBNET_EMPTY,
                "load_balancer.subnet",
                Some(subnet),
                "the subnet of the internal load balancer is empty",
                "name the subnet, or use `LoadBalancer::internal()` for the default one",
            );
        }
    }

    pub(crate) fn write(&self, properties: &mut Map<String, Value>) {
        let (kind, subnet) = match self {
            Self::PublicIp => (PUBLIC_IP, None),
            Self::Internal { subnet } => (INTERNAL, subnet.clone()),
        };
        properties.insert("loadBalancerType".into(), kind.into());
        if let Some(subnet) = subnet {
            properties.insert("loadBalancerSubnet".into(), subnet.into());
        }
    }
}

const PUBLIC_IP: &str = "PublicIp";
/// The service's word for an internal load balancer.
pub(crate) const INTERNAL: &str = "InternalLoadBalancer";
