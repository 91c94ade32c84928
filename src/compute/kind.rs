//! The kinds of compute, and which configuration makes which.

use crate::config::{AttachConfiguration, ProvisioningConfiguration};
use crate::error::Warning;
use crate::facts::arm::COMPUTE_TYPE_AKS;
use crate::names::WorkspaceId;
use crate::wire::ComputeResource;
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
        let (Some(asked), Some(came)) = (
            requested.pointer("/properties/properties"),
            resource.properties.aks(),
        ) else {
            return Vec::new();
        };
        let count = came.agent_count.map(|count| count.to_string());
        [
            (
                "cluster_purpose",
                "clusterPurpose",
                came.cluster_purpose.as_deref(),
            ),
            ("vm_size", "agentVmSize", came.agent_vm_size.as_deref()),
            ("agent_count", "agentCount", count.as_deref()),
        ]
        .into_iter()
        .filter_map(|(path, key, came)| {
            let asked = match asked.get(key)? {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let came = came?;
            (!asked.eq_ignore_ascii_case(came)).then(|| {
                Warning::new(
                    COMPUTE_DEVIATES,
                    path,
                    format!("asked for {asked}, and the compute has {came}"),
                    "somebody else may have created it at the same moment: ask them before you \
                     change or delete it",
                )
            })
        })
        .collect()
    }
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
