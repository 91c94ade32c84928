//! The properties that only a Kubernetes compute has, as the service gives them.

use super::InstanceType;
use crate::json::lenient::{Object, object, or_default};
use crate::json::twin;
use serde::de::MapAccess;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

twin! {
    KubernetesMembers reads
    /// The properties that only a Kubernetes compute has. Connection strings, which are secret, are never kept.
    ///
    /// Read leniently, as all of a compute: a member of another type than here counts as absent.
    #[derive(Debug, Clone, PartialEq, Default, Serialize)]
    #[serde(rename_all = "camelCase")]
    #[non_exhaustive]
    pub struct KubernetesProperties {
        /// The namespace of the cluster in which jobs and deployments run.
        #[serde(deserialize_with = "or_default")]
        pub namespace: Option<String>,
        /// The instance type of what names none.
        #[serde(deserialize_with = "or_default")]
        pub default_instance_type: Option<String>,
        /// The instance types, by name; those without a readable value are left out.
        #[serde(deserialize_with = "or_default")]
        pub instance_types: BTreeMap<String, InstanceType>,
        /// The name of the virtual cluster.
        #[serde(deserialize_with = "or_default")]
        pub vc_name: Option<String>,
        /// The principal of the extension in the cluster.
        #[serde(deserialize_with = "or_default")]
        pub extension_principal_id: Option<String>,
        /// The release train of the extension, for example `stable`.
        #[serde(deserialize_with = "or_default")]
        pub extension_instance_release_train: Option<String>,
    }
}

/// By hand: a list in place of the properties is not their members in order.
impl<'de> Deserialize<'de> for KubernetesProperties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Object::<KubernetesMembers>::deserialize(deserializer)?
            .0
            .into())
    }
}

object!(KubernetesProperties);
