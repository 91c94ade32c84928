//! Whether the replicas of a service fit the nodes of its cluster.

use serde_json::Value;

use super::document::replicas;
use crate::emulator::clusters::Cluster;
use crate::emulator::state::{Config, State};

/// Why the replicas cannot be placed, in the scheduler's words; `None` when they can be, and when
/// the size of the nodes is not known.
///
/// Only this service is looked at, on nodes that are empty otherwise.
pub(crate) fn misfit(config: &Config, state: &State, document: &Value) -> Option<String> {
    let cluster = cluster(state, document)?;
    let nodes = cluster.nodes();
    let size = config.size(cluster.vm_size())?;
    let wanted = &document["containerResourceRequirements"];
    let mut room = u64::MAX;
    for (resource, key, has) in [
        ("cpu", "cpu", f64::from(size.cores)),
        ("memory", "memoryInGB", size.memory_gb),
        ("nvidia.com/gpu", "gpu", f64::from(size.gpus)),
    ] {
        let needs = wanted[key].as_f64().unwrap_or_default();
        if needs <= 0.0 {
            continue;
        }
        // A huge quotient becomes the largest number.
        let each = (has / needs) as u64;
        room = room.min(each);
        if nodes.saturating_mul(room) < replicas(document) {
            return Some(insufficient(nodes, resource));
        }
    }
    None
}

/// The cluster of the compute of a service, which may have been scaled by itself.
pub(crate) fn cluster<'s>(state: &'s State, document: &Value) -> Option<&'s Cluster> {
    let compute = state.compute(document["computeName"].as_str()?)?;
    state.cluster(compute.resource_id()?)
}

/// The message of Kubernetes when no node has enough of a resource.
pub(crate) fn insufficient(nodes: u64, resource: &str) -> String {
    format!("0/{nodes} nodes are available: {nodes} Insufficient {resource}.")
}
