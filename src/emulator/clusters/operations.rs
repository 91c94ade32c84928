//! Operations on clusters and on their node pools.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Cluster, answer, empty};
use crate::emulator::call::Call;
use crate::emulator::error::{ArmError, require};
use crate::emulator::faults::Kind;
use crate::emulator::names::region;
use crate::emulator::operations::{Fate, Links, Outcome, Status, is_signed, retry_after};
use crate::emulator::routes::Reply;
use crate::emulator::state::State;
use crate::emulator::versions;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Create,
    Update,
    Delete,
}

/// An operation on a cluster, or on one of its pools.
#[derive(Clone, Debug)]
pub(crate) struct ClusterOperation {
    /// The id of the cluster.
    cluster: String,
    pub(super) pool: Option<String>,
    task: Task,
    began: Duration,
    ended: Option<Duration>,
    fate: Fate,
    /// An error that the status shows although all is well.
    aside: Option<Value>,
}

impl State {
    /// The operation that runs on a cluster or on one of its pools.
    pub(super) fn cluster_operation(&self, cluster: &Cluster) -> Option<&ClusterOperation> {
        self.cluster_operations.get(cluster.operation.as_ref()?)
    }

    /// Removes a cluster with what is on it.
    pub(crate) fn remove_cluster(&mut self, id: &str) {
        self.clusters.retain(|cluster| !cluster.is(id));
        self.forget_extensions(id);
    }

    /// Ends every operation on a cluster whose time has come, in the order of their ends.
    pub(crate) fn settle_clusters(&mut self) {
        let now = self.time.now();
        loop {
            let operations = self.cluster_operations.iter();
            let ended =
                operations.filter_map(|(id, operation)| Some((operation.fate.is_due(now)?, id)));
            let Some((due, id)) = ended.min() else { return };
            let id = id.clone();
            self.end_on_cluster(&id, due);
        }
    }

    /// Makes the end of everything that has one come now.
    pub(crate) fn finish_clusters(&mut self) {
        let now = self.time.now();
        for operation in self.cluster_operations.values_mut() {
            operation.fate.hasten(now);
        }
        self.settle_clusters();
    }

    fn end_on_cluster(&mut self, id: &str, at: Duration) {
        let Some(operation) = self.cluster_operations.get_mut(id) else {
            return;
        };
        operation.fate.status = operation.fate.outcome.status();
        operation.ended = Some(at);
        let operation = operation.clone();
        let Some(cluster) = self.cluster_mut(&operation.cluster) else {
            return;
        };
        cluster.operation = None;
        let status = operation.fate.status;
        match (&operation.pool, operation.task, status) {
            (None, Task::Delete, Status::Succeeded) => {
                self.remove_cluster(&operation.cluster);
                self.break_attachments(&operation.cluster, None, "The cluster was deleted.");
            }
            (Some(name), Task::Delete, Status::Succeeded) => {
                cluster.set_state("Succeeded");
                if let Some(pools) = cluster.pools_mut() {
                    pools.retain(|pool| !super::is_named(pool, name));
                }
            }
            (None, _, Status::Succeeded) => cluster.become_ready(),
            (None, _, status) => cluster.set_states(status.as_str()),
            (Some(name), _, status) => {
                cluster.set_state("Succeeded");
                if let Some(pool) = cluster.pool_mut(name) {
                    pool["provisioningState"] = json!(status.as_str());
                }
            }
        }
    }
}

/// Begins an operation on a cluster that exists, or on one of its pools.
pub(super) fn start(call: &mut Call<'_>, cluster: &str, pool: Option<&str>, task: Task) -> Links {
    let takes = match (task, pool) {
        (Task::Create, None) => call.config.create,
        (Task::Delete, _) => call.config.delete,
        _ => call.config.update,
    };
    let (state, request) = (&mut *call.state, call.request);
    let aside = |kind: &Kind| matches!(kind, Kind::ErrorBesideStatus { .. });
    let aside = match state.fault(request, aside) {
        Some(Kind::ErrorBesideStatus { code, message }) => {
            Some(json!({ "code": code, "message": message }))
        }
        _ => None,
    };
    let is_create = task == Task::Create;
    let operation = ClusterOperation {
        cluster: cluster.to_owned(),
        pool: pool.map(str::to_owned),
        task,
        began: state.time.now(),
        ended: None,
        fate: Fate::begin(state, request, takes, Outcome::Succeeds, is_create),
        aside,
    };
    let id = state.uuid();
    state.cluster_operations.insert(id.clone(), operation);
    let mut location = String::new();
    if let Some(cluster) = state.cluster_mut(cluster) {
        cluster.operation = Some(id.clone());
        location = region(cluster.location());
    }
    let path = |what: &str| {
        format!(
            "/subscriptions/{}/providers/Microsoft.ContainerService/locations/{location}/{what}/{id}\
             ?api-version={}",
            call.name("of"),
            versions::CLUSTER_OPERATIONS,
        )
    };
    let (status, result) = (path("operations"), path("operationresults"));
    let result = (task == Task::Delete).then_some(result.as_str());
    Links::new(call, &id, &status, result)
}

/// The operation that the URL names, which must come back as it was handed out.
fn named<'c>(call: &'c Call<'_>) -> Result<&'c ClusterOperation, ArmError> {
    let id = call.name("operation");
    let operation = call.state.cluster_operations.get(id).ok_or_else(|| {
        let message = format!("The operation {id} could not be found.");
        ArmError::new(404, "NotFound", message)
    })?;
    let signed = is_signed(call, id);
    require(
        signed,
        "The URL of an operation came back without its signature.",
    )?;
    Ok(operation)
}

/// How an operation goes.
pub(crate) fn status(call: Call<'_>) -> Reply {
    let operation = named(&call)?;
    let stamp = |at| call.state.time.stamp(at).replace("+00:00", "Z");
    let status = operation.fate.status;
    let mut body = json!({
        "name": call.name("operation"),
        "status": status.as_str(),
        "startTime": stamp(operation.began),
    });
    if let Some(ended) = operation.ended {
        body["endTime"] = json!(stamp(ended));
    }
    let error = match &operation.fate.outcome {
        Outcome::Fails { code, message, .. } if status == Status::Failed => {
            Some(json!({ "code": code, "message": message }))
        }
        _ => operation.aside.clone(),
    };
    if let Some(error) = error {
        body["error"] = error;
    }
    Ok(match status {
        Status::InProgress => retry_after(answer(&body), call.config.retry_after),
        _ => answer(&body),
    })
}

/// The result of a removal: nothing, once it is there.
pub(crate) fn result(call: Call<'_>) -> Reply {
    match named(&call)?.fate.status {
        Status::InProgress => {
            let request = call.request;
            let query = request.query.as_deref().unwrap_or_default();
            let here = format!("{}{}?{query}", request.origin, request.path);
            let answer = empty(202).with("Location", here);
            Ok(retry_after(answer, call.config.retry_after))
        }
        _ => Ok(empty(204)),
    }
}
