//! A node pool of a cluster, as the service gives it.

use crate::json::lenient::{Object, object, or_default};
use crate::json::{Document, kept, twin};
use serde::de::MapAccess;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

twin! {
    NodePoolMembers reads
    /// A node pool, read by itself.
    ///
    /// The whole document is kept as the service wrote it, and `Serialize` writes it, as it does for a
    /// [`ComputeResource`](crate::models::ComputeResource). `Deserialize` reads JSON only.
    #[derive(Debug, Clone, PartialEq, Default)]
    #[non_exhaustive]
    pub struct NodePoolResource {
        /// The ARM id, in the service's spelling.
        #[serde(deserialize_with = "or_default")]
        pub id: Option<String>,
        /// The name in the cluster.
        // Not lenient: without a readable name, one pool cannot be distinguished from another.
        pub name: String,
        /// The properties of the pool, also with its name.
        #[serde(deserialize_with = "or_default")]
        pub properties: NodePool,
        #[serde(skip)]
        document: Document,
    }
}

impl NodePoolResource {
    /// Returns the whole document, as `Serialize` writes it.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.document.to_value()
    }

    fn read(text: &str) -> serde_json::Result<Self> {
        let document = Document::read(text)?;
        let Object(read) = serde_json::from_str::<Object<NodePoolMembers>>(document.text())?;
        let mut pool = Self {
            document,
            ..read.into()
        };
        pool.properties.name.clone_from(&pool.name);
        Ok(pool)
    }
}

kept!(NodePoolResource);

/// A node pool of a cluster.
///
/// Read leniently: a member of another type than here counts as absent. What is not here is in the document of the
/// cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct NodePool {
    /// The name in the cluster.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// `VirtualMachineScaleSets`, `VirtualMachines` or `AvailabilitySet`: an open set.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub pool_type: Option<String>,
    /// `System` or `User`: an open set.
    #[serde(deserialize_with = "or_default")]
    pub mode: Option<String>,
    /// The number of nodes; a pool of the type `VirtualMachines` has none: see
    /// [`node_count`](Self::node_count).
    #[serde(deserialize_with = "or_default")]
    pub count: Option<u32>,
    /// Whether the autoscaler decides how many nodes there are.
    #[serde(deserialize_with = "or_default")]
    pub enable_auto_scaling: Option<bool>,
    /// The fewest nodes that the autoscaler leaves.
    #[serde(deserialize_with = "or_default")]
    pub min_count: Option<u32>,
    /// The most nodes that the autoscaler makes. `count` may lie outside the two for a while.
    #[serde(deserialize_with = "or_default")]
    pub max_count: Option<u32>,
    /// The size of the nodes, in the casing of whoever made the pool; empty in a pool of the type
    /// `VirtualMachines`: see [`vm_sizes`](Self::vm_sizes).
    #[serde(deserialize_with = "or_default")]
    pub vm_size: Option<String>,
    /// The sizes of a pool of the type `VirtualMachines`.
    #[serde(deserialize_with = "or_default")]
    pub virtual_machines_profile: VirtualMachinesProfile,
    /// The nodes that a pool of the type `VirtualMachines` has.
    #[serde(deserialize_with = "or_default")]
    pub virtual_machine_nodes_status: Vec<NodesOfSize>,
    /// The version of Kubernetes that was asked for.
    #[serde(deserialize_with = "or_default")]
    pub orchestrator_version: Option<String>,
    /// The version that the nodes have.
    #[serde(deserialize_with = "or_default")]
    pub current_orchestrator_version: Option<String>,
    /// `Succeeded`, `Scaling`, `Updating`, …: an open set.
    #[serde(deserialize_with = "or_default")]
    pub provisioning_state: Option<String>,
    /// Whether the nodes run.
    #[serde(deserialize_with = "or_default")]
    pub power_state: PowerState,
    /// `Linux` or `Windows`.
    #[serde(deserialize_with = "or_default")]
    pub os_type: Option<String>,
    /// `Ubuntu`, `AzureLinux`, …: an open set.
    #[serde(rename = "osSKU", deserialize_with = "or_default")]
    pub os_sku: Option<String>,
    /// Taints, which keep pods away that do not tolerate them, for example `CriticalAddonsOnly=true:NoSchedule`.
    #[serde(deserialize_with = "or_default")]
    pub node_taints: Vec<String>,
    /// The labels of the nodes.
    #[serde(deserialize_with = "or_default")]
    pub node_labels: BTreeMap<String, String>,
    /// The availability zones.
    #[serde(deserialize_with = "or_default")]
    pub availability_zones: Vec<String>,
    /// The most pods on a node.
    #[serde(deserialize_with = "or_default")]
    pub max_pods: Option<u32>,
    /// `Regular` or `Spot`.
    #[serde(deserialize_with = "or_default")]
    pub scale_set_priority: Option<String>,
    /// The ARM id of the subnet of the nodes.
    #[serde(rename = "vnetSubnetID", deserialize_with = "or_default")]
    pub vnet_subnet_id: Option<String>,
}

/// Whether a cluster or a pool runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PowerState {
    /// `Running` or `Stopped`.
    #[serde(deserialize_with = "or_default")]
    pub code: Option<String>,
}

/// The sizes of a pool of the type `VirtualMachines`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VirtualMachinesProfile {
    /// The wanted numbers of nodes by size.
    #[serde(deserialize_with = "or_default")]
    pub scale: VirtualMachinesScale,
}

/// The wanted numbers of nodes of a pool, by size.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VirtualMachinesScale {
    /// Numbers of nodes that were set.
    #[serde(deserialize_with = "or_default")]
    pub manual: Vec<NodesOfSize>,
    /// Bounds between which the autoscaler decides.
    #[serde(deserialize_with = "or_default")]
    pub autoscale: Vec<NodesOfSize>,
}

/// Nodes of one size.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct NodesOfSize {
    /// The size.
    #[serde(deserialize_with = "or_default")]
    pub size: Option<String>,
    /// Sizes of which the service takes one, in previews of the API.
    #[serde(deserialize_with = "or_default")]
    pub sizes: Vec<String>,
    /// The number of nodes.
    #[serde(deserialize_with = "or_default")]
    pub count: Option<u32>,
    /// The fewest nodes that the autoscaler leaves.
    #[serde(deserialize_with = "or_default")]
    pub min_count: Option<u32>,
    /// The most nodes that the autoscaler makes.
    #[serde(deserialize_with = "or_default")]
    pub max_count: Option<u32>,
}

object!(
    NodePool,
    PowerState,
    VirtualMachinesProfile,
    VirtualMachinesScale,
    NodesOfSize
);

impl NodePool {
    /// Returns the number of nodes, whatever the type of the pool; `None` where the service does not say it.
    #[must_use]
    pub fn node_count(&self) -> Option<u32> {
        let of_sizes = |nodes: &[NodesOfSize]| {
            let counts = nodes.iter().map(|nodes| nodes.count);
            (!nodes.is_empty()).then(|| total(counts))?
        };
        self.count
            .or_else(|| of_sizes(&self.virtual_machine_nodes_status))
            .or_else(|| of_sizes(&self.virtual_machines_profile.scale.manual))
    }

    /// Returns the sizes that the nodes have or may have, whatever the type of the pool.
    #[must_use]
    pub fn vm_sizes(&self) -> Vec<&str> {
        let VirtualMachinesScale { manual, autoscale } = &self.virtual_machines_profile.scale;
        let several = manual.iter().chain(autoscale);
        let several = several.flat_map(|nodes| nodes.size.iter().chain(&nodes.sizes));
        let all = self.vm_size.iter().chain(several).map(String::as_str);
        let mut sizes: Vec<&str> = Vec::new();
        for size in all.filter(|size| !size.is_empty()) {
            if !sizes.iter().any(|known| known.eq_ignore_ascii_case(size)) {
                sizes.push(size);
            }
        }
        sizes
    }

    /// Whether the nodes run: no pool is stopped that does not say so.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let code = self.power_state.code.as_deref();
        code.is_none_or(|code| code.eq_ignore_ascii_case("Running"))
    }
}

/// Returns the sum of numbers of nodes; `None` if one of them is not known. They come from a service, so that the sum may
/// be larger than any cluster.
pub(crate) fn total(mut counts: impl Iterator<Item = Option<u32>>) -> Option<u32> {
    counts.try_fold(0_u32, |all, count| Some(all.saturating_add(count?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> NodePool {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn nodes_and_sizes_are_found_in_every_type_of_pool() {
        for (text, count, sizes) in [
            (
                r#"{"count":3,"vmSize":"Standard_DS2_v2"}"#,
                Some(3),
                &["Standard_DS2_v2"][..],
            ),
            (
                r#"{"count":null,"vmSize":"","virtualMachinesProfile":{"scale":{"manual":[
                    {"sizes":["Standard_D4s_v3","Standard_D8s_v3"],"count":3},{"size":"standard_d4s_v3","count":1}]}}}"#,
                Some(4),
                &["Standard_D4s_v3", "Standard_D8s_v3"],
            ),
            (
                r#"{"vmSize":"","virtualMachinesProfile":{"scale":{"autoscale":[{"size":"A","minCount":1,"maxCount":9}]}},
                    "virtualMachineNodesStatus":[{"size":"A","count":2}]}"#,
                Some(2),
                &["A"],
            ),
            (r#"{"virtualMachineNodesStatus":[{"size":"A"}]}"#, None, &[]),
            (
                r#"{"virtualMachineNodesStatus":[{"count":4294967295},{"count":4294967295}]}"#,
                Some(u32::MAX),
                &[],
            ),
            ("{}", None, &[]),
        ] {
            let pool = read(text);
            assert_eq!(pool.node_count(), count, "{text}");
            assert_eq!(pool.vm_sizes(), sizes, "{text}");
        }
    }

    #[test]
    fn odd_member_does_not_make_a_pool_unusable() {
        for odd in ["null", "[]", "{}", "7", "\"x\"", "true"] {
            for member in [
                "count",
                "powerState",
                "virtualMachinesProfile",
                "nodeTaints",
                "nodeLabels",
            ] {
                let pool = read(&format!(r#"{{"{member}":{odd},"name":"n"}}"#));
                assert_eq!(pool.name, "n", "{member} {odd}");
            }
        }
        assert!(read("{}").is_running());
        assert!(!read(r#"{"powerState":{"code":"Stopped"}}"#).is_running());
    }
}
