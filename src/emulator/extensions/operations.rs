//! Operations on extensions: how they begin, what a poll shows, and what their end does.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Host, answer};
use crate::emulator::call::Call;
use crate::emulator::error::{ArmError, require};
use crate::emulator::operations::{Fate, Links, Outcome, Status, is_signed, retry_after};
use crate::emulator::routes::Reply;
use crate::emulator::state::State;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Install,
    Update,
    Delete,
}

/// An operation on an extension.
#[derive(Clone, Debug)]
pub(crate) struct ExtensionOperation {
    cluster: String,
    extension: String,
    verb: Verb,
    fate: Fate,
}

impl State {
    /// Ends every operation on an extension whose time has come, in the order of their ends.
    pub(crate) fn settle_extensions(&mut self) {
        let now = self.time.now();
        loop {
            let operations = self.extension_operations.iter();
            let ended =
                operations.filter_map(|(id, operation)| Some((operation.fate.is_due(now)?, id)));
            let Some((_, id)) = ended.min() else { return };
            let id = id.clone();
            self.end_on_extension(&id);
        }
    }

    /// Makes the end of everything that has one come now.
    pub(crate) fn finish_extensions(&mut self) {
        let now = self.time.now();
        for operation in self.extension_operations.values_mut() {
            operation.fate.hasten(now);
        }
        self.settle_extensions();
    }

    fn end_on_extension(&mut self, id: &str) {
        let Some(operation) = self.extension_operations.get_mut(id) else {
            return;
        };
        operation.fate.status = operation.fate.outcome.status();
        let operation = operation.clone();
        let principal = self.uuid();
        // It may be gone: by force, or with its cluster. Another one of its name may be there.
        let extension = self.extension_mut(&operation.cluster, &operation.extension);
        let Some(extension) = extension.filter(|there| there.operation.as_deref() == Some(id))
        else {
            return;
        };
        extension.operation = None;
        match (operation.verb, &operation.fate.outcome) {
            (Verb::Delete, Outcome::Succeeds) => {
                let (cluster, name) = (&operation.cluster, &operation.extension);
                self.extensions.retain(|there| !there.is(cluster, name));
            }
            (_, Outcome::Succeeds) => extension.become_ready(principal),
            (Verb::Delete, Outcome::Fails { .. }) => extension.set_state("Failed"),
            (_, Outcome::Fails { message, .. }) => extension.fail(message),
            (_, Outcome::IsCanceled) => extension.set_state("Canceled"),
        }
    }
}

/// Starts an operation on an extension that exists, unless a fault decides otherwise.
pub(super) fn start(
    call: &mut Call<'_>,
    host: &Host,
    name: &str,
    verb: Verb,
    takes: Duration,
    outcome: Outcome,
) -> Links {
    let state = &mut *call.state;
    let operation = ExtensionOperation {
        cluster: host.id.clone(),
        extension: name.to_owned(),
        verb,
        fate: Fate::begin(state, call.request, takes, outcome, false),
    };
    let id = state.uuid();
    state.extension_operations.insert(id.clone(), operation);
    if let Some(extension) = state.extension_mut(&host.id, name) {
        extension.operation = Some(id.clone());
    }
    let path = format!(
        "{}/operations/{id}?api-Version={}",
        as_written(&host.extension_id(name)),
        call.api_version()
    );
    Links::new(call, &id, &path, None)
}

/// The id of an extension as the provider writes it in its headers.
pub(super) fn as_written(id: &str) -> String {
    id.replacen("/managedClusters/", "/ManagedClusters/", 1)
        .replacen("/connectedClusters/", "/ConnectedClusters/", 1)
}

/// How an operation goes. Its URL must come back as it was handed out.
pub(crate) fn status(call: Call<'_>) -> Reply {
    call.check_place()?;
    let id = call.name("operation");
    let operation = call.state.extension_operations.get(id).ok_or_else(|| {
        let message = format!("The operation {id} could not be found.");
        ArmError::new(404, "ResourceNotFound", message)
    })?;
    require(
        is_signed(&call, id),
        "The URL of an operation came back without its signature.",
    )?;
    let status = operation.fate.status;
    let error = match &operation.fate.outcome {
        Outcome::Fails { code, message, .. } if status == Status::Failed => {
            json!({ "code": code, "message": message })
        }
        _ => Value::Null,
    };
    let body = json!({
        "id": call.request.path,
        "name": id,
        "status": status.as_str(),
        "properties": {},
        "error": error,
    });
    Ok(match status {
        Status::InProgress => retry_after(answer(&call, 200, &body), call.config.retry_after),
        _ => answer(&call, 200, &body),
    })
}
