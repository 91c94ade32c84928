//! How an operation on a service goes: its state, and its log from an offset on.

use serde_json::json;

use super::Task;
use crate::emulator::call::Call;
use crate::emulator::error::ArmError;
use crate::emulator::http::Answer;
use crate::emulator::routes::Reply;

pub(crate) fn status(call: Call<'_>) -> Reply {
    let (state, request, id) = (&*call.state, call.request, call.name("operation"));
    let offset = call.number("offset")?.unwrap_or(0);
    let operation = state.services.operations.get(id).ok_or_else(|| {
        ArmError::new(
            404,
            "OperationNotFound",
            format!("The operation '{id}' was not found."),
        )
    })?;
    let now = state.time.now();
    let name = &operation.service;
    let word = operation.state(now);
    let (part, part_state) = match operation.task {
        Task::Deploy | Task::Update { .. } if !operation.deploys(now) => ("BuildEnvironment", word),
        Task::Deploy | Task::Update { .. } => ("DeployService", word),
        Task::Delete => ("DeleteService", word),
        Task::Regenerate { .. } => ("RegenerateServiceKeys", word),
    };
    let path = call.config.workspace_path();
    let mut body = json!({
        "id": id,
        "operationType": "Service",
        "state": word,
        "createdTime": state.time.stamp(operation.started),
        "operationDetails": { "subOperationType": part, "subOperationState": part_state },
        "operationLog": format!(
            "{}/modelmanagement/v1.0{path}/operations/{id}?offset=0", request.origin
        ),
        "parentRequestId": operation.request,
    });
    if let Some(ended) = operation.ended {
        body["endTime"] = json!(state.time.stamp(ended));
        match &operation.trouble {
            Some(trouble) => body["error"] = trouble.error(name),
            // What is gone is nowhere.
            None if matches!(operation.task, Task::Delete) => {}
            None => {
                body["resourceLocation"] = json!(format!(
                    "{}/modelmanagement/v1.0{path}/services/{name}",
                    request.origin
                ));
            }
        }
    }
    let log: String = operation
        .log(now)
        .map(|(at, text)| format!("{}|{text}#", state.time.digits(at)))
        .collect();
    // In characters: `azureml-core` counts what it has read that way.
    let rest: String = log.chars().skip(offset).collect();
    body["streamingOperationLog"] = json!(rest);
    Ok(Answer::json(200, &body))
}
