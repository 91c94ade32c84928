//! The kinds of compute, and which configuration makes which.

use crate::config::{AttachConfiguration, ProvisioningConfiguration};
use crate::error::Warning;
use crate::facts::arm::COMPUTE_TYPE_AKS;
use crate::names::WorkspaceId;
use crate::wire::{AksProperties, ComputeResource};
use serde_json::Value;

/// The rule that a finished compute breaks where it is not what was asked for.
const COMPUTE_DEVIATES: &str = "compute.deviates";

/// A kind of compute. Sealed: the service decides which there are.
pub trait Kind: sealed::Sealed + Send + Sync + 'static {
    /// The kind's name on the wire.
    const COMPUTE_TYPE: &'static str;

    /// Where the compute is not what the body of its create asked for.
    #[doc(hidden)]
    fn deviations(requested: &Value, resource: &ComputeResource) -> Vec<Warning>;
}

/// A configuration with which a compute can be created. Sealed.
pub trait CreateWith: sealed::Sealed + Send + Sync + 'static {
    /// The kind that it makes.
    type Kind: Kind;

    #[doc(hidden)]
    fn body(&self, workspace: &WorkspaceId, location: &str) -> Value;
}

/// A configuration with which an existing cluster can be attached. Sealed.
pub trait AttachWith: sealed::Sealed + Send + Sync + 'static {
    /// The kind that it makes.
    type Kind: Kind;

    #[doc(hidden)]
    fn body(&self, workspace: &WorkspaceId, location: &str) -> Value;
}

/// The kind of AKS clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aks {}

impl Kind for Aks {
    const COMPUTE_TYPE: &'static str = COMPUTE_TYPE_AKS;

    fn deviations(requested: &Value, resource: &ComputeResource) -> Vec<Warning> {
        let properties = &resource.properties;
        let aks = resource.kind_properties::<AksProperties>();
        let count = aks.agent_count.map(|count| count.to_string());
        let mut found: Vec<Warning> = [
            (
                "cluster",
                "/properties/resourceId",
                properties.resource_id.as_deref(),
            ),
            (
                "location",
                "/properties/computeLocation",
                properties.compute_location.as_deref(),
            ),
            (
                "cluster_purpose",
                "/properties/properties/clusterPurpose",
                aks.cluster_purpose.as_deref(),
            ),
            (
                "vm_size",
                "/properties/properties/agentVmSize",
                aks.agent_vm_size.as_deref(),
            ),
            (
                "agent_count",
                "/properties/properties/agentCount",
                count.as_deref(),
            ),
            (
                "load_balancer",
                "/properties/properties/loadBalancerType",
                aks.load_balancer_type.as_deref(),
            ),
            (
                "load_balancer.subnet",
                "/properties/properties/loadBalancerSubnet",
                aks.load_balancer_subnet.as_deref(),
            ),
        ]
        .into_iter()
        .filter_map(|(path, pointer, came)| {
            let asked = match requested.pointer(pointer)? {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let came = came?;
            (!asked.eq_ignore_ascii_case(came)).then(|| {
                deviation(
                    path,
                    format!("asked for {asked}, and the compute has {came}"),
                )
            })
        })
        .collect();
        let to_attach = requested.pointer("/properties/resourceId").is_some();
        if properties.is_attached_compute == Some(!to_attach) {
            let way = |attached| if attached { "attached" } else { "created" };
            found.push(deviation(
                "cluster",
                format!("was to be {}, and is {}", way(to_attach), way(!to_attach)),
            ));
        }
        found
    }
}

fn deviation(path: &str, message: String) -> Warning {
    Warning::new(
        COMPUTE_DEVIATES,
        path,
        message,
        "somebody else may have made it at the same moment: ask them before you change or delete it",
    )
}

impl CreateWith for ProvisioningConfiguration {
    type Kind = Aks;

    fn body(&self, workspace: &WorkspaceId, location: &str) -> Value {
        Self::body(self, workspace, location)
    }
}

impl AttachWith for AttachConfiguration {
    type Kind = Aks;

    fn body(&self, workspace: &WorkspaceId, location: &str) -> Value {
        Self::body(self, workspace, location)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Aks {}
    impl Sealed for super::ProvisioningConfiguration {}
    impl Sealed for super::AttachConfiguration {}
}
