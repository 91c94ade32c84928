//! Computes: read one, list, keys, delete and detach. The PUT has its own file.

pub(crate) mod kubernetes;
pub(crate) mod operations;
pub(crate) mod put;
mod rules;
mod schema;

use serde_json::{Value, json};

use self::operations::Verb;
use super::call::Call;
use super::error::ArmError;
use super::faults::Kind;
use super::http::Answer;
use super::operations::Outcome;
use super::routes::Reply;

/// A compute: its document in full, and what the document does not say.
#[derive(Clone, Debug)]
pub(crate) struct Compute {
    pub(crate) name: String,
    /// Every key that any dialect shows, with `null` where there is nothing.
    pub(crate) document: Value,
    pub(crate) attached: bool,
    /// The operation that runs on it.
    pub(crate) operation: Option<String>,
}

impl Compute {
    pub(crate) fn resource_id(&self) -> Option<&str> {
        self.document["properties"]["resourceId"].as_str()
    }

    pub(crate) fn state(&self) -> &str {
        self.document["properties"]["provisioningState"]
            .as_str()
            .unwrap_or_default()
    }

    pub(crate) fn set_state(&mut self, state: &str) {
        self.document["properties"]["provisioningState"] = json!(state);
    }

    pub(crate) fn fail(&mut self, code: &str, message: &str) {
        self.set_state("Failed");
        self.document["properties"]["provisioningErrors"] =
            json!([{ "error": { "code": code, "message": message } }]);
    }
}

fn absent(name: &str) -> ArmError {
    ArmError::new(
        404,
        "NotFoundError",
        format!("Cannot find compute with name {name}"),
    )
}

pub(crate) fn get(mut call: Call<'_>) -> Reply {
    let name = call.name("compute");
    if let Some(compute) = call.state.compute(name) {
        let shown = schema::show(&compute.document, &call.api_version());
        return Ok(Answer::json(200, &shown));
    }
    let appears = |kind: &Kind| matches!(kind, Kind::ComputeAppears { .. });
    if call.state.fault(call.request, appears).is_some() {
        appear(&mut call, name);
    }
    match call.config.absent_without_body {
        true => Ok(Answer::empty(404)),
        false => Err(absent(name)),
    }
}

/// Another client creates a compute of that name between a GET and the PUT that follows it.
fn appear(call: &mut Call<'_>, name: &str) {
    let aks = json!({
        "agentCount": 1,
        "agentVmSize": "Standard_D2_v2",
        "clusterPurpose": "DevTest",
    });
    let document = put::new_document(call, name, &aks, "created by another client");
    call.state.computes.push(Compute {
        name: name.to_owned(),
        document,
        attached: false,
        operation: None,
    });
    call.state.provision(call.config, name);
}

pub(crate) fn list(call: Call<'_>) -> Reply {
    let version = call.api_version();
    // The parameter of the published description; its value is the emulator's own.
    call.listed(&call.state.computes, "$skiptoken", None, |compute| {
        schema::show(&compute.document, &version)
    })
}

pub(crate) fn list_keys(call: Call<'_>) -> Reply {
    let name = call.name("compute");
    let compute = call.state.compute(name).ok_or_else(|| absent(name))?;
    if kubernetes::is(&compute.document) {
        let message = format!("The compute '{name}' is of type Kubernetes, which has no keys.");
        return Err(ArmError::bad_request(message));
    }
    let cluster = compute.resource_id().and_then(|id| call.state.cluster(id));
    let cluster = cluster
        .filter(|_| !matches!(compute.state(), "Failed" | "Canceled"))
        .filter(|_| !call.state.is_being_made(compute))
        .ok_or_else(|| {
            ArmError::conflict(format!(
                "The compute '{name}' is in the state {} and has no credentials.",
                compute.state()
            ))
        })?;
    Ok(Answer::json(
        200,
        &json!({
            "computeType": "AKS",
            "userKubeConfig": cluster.kubeconfig("clusterUser"),
            "adminKubeConfig": cluster.kubeconfig("clusterAdmin"),
            "imagePullSecretName": "emulator-pull-secret",
        }),
    ))
}

pub(crate) fn delete(mut call: Call<'_>) -> Reply {
    let name = call.name("compute");
    let action = call
        .request
        .parameter("underlyingResourceAction")
        .unwrap_or_default();
    let verb = match action.to_ascii_lowercase().as_str() {
        "delete" => Verb::Delete,
        "detach" => Verb::Detach,
        "" => {
            return Err(ArmError::bad_request(
                "The query parameter underlyingResourceAction is required: Delete or Detach.",
            ));
        }
        _ => {
            return Err(ArmError::bad_request(format!(
                "underlyingResourceAction '{action}' is neither Delete nor Detach."
            )));
        }
    };
    let Some(compute) = call.state.compute(name) else {
        return Ok(Answer::empty(204));
    };
    busy(compute)?;
    if verb == Verb::Delete && compute.attached {
        return Err(ArmError::bad_request(format!(
            "The compute '{name}' was attached, so its cluster cannot be deleted here. Detach it: ask again with underlyingResourceAction=detach."
        )));
    }
    let took = if verb == Verb::Delete {
        call.config.delete
    } else {
        call.config.detach
    };
    // The prefixes of names do not count here: a compute that failed must be removable.
    let links = operations::start(&mut call, name, verb, took, Outcome::Succeeds, None);
    if let Some(compute) = call.state.compute_mut(name) {
        compute.set_state("Deleting");
    }
    Ok(links.on(Answer::empty(202)))
}

/// Refuses a write while an operation runs on the compute.
pub(crate) fn busy(compute: &Compute) -> Result<(), ArmError> {
    match &compute.operation {
        Some(_) => Err(ArmError::conflict(format!(
            "An operation is in progress on the compute '{}' (state {}). Try again when it ended.",
            compute.name,
            compute.state()
        ))),
        None => Ok(()),
    }
}
