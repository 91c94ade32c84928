//! How an operation goes: `computeOperationsStatus` and, for a DELETE, `computeOperationsResults`.

use std::time::Duration;

use serde_json::json;

use crate::emulator::computes::operations::{Operation, Status};
use crate::emulator::error::ArmError;
use crate::emulator::http::Answer;
use crate::emulator::routes::{Context, Reply, get_only};

/// Finds the operation of a URL that was handed out. It must come back as it was: with
/// `service=new` and nothing added.
fn find<'state>(context: &'state Context<'_>, id: &str) -> Result<&'state Operation, ArmError> {
    get_only(context.request)?;
    context.only_parameters(&["api-version", "service"])?;
    if context.request.parameter("service").as_deref() != Some("new") {
        return Err(ArmError::bad_request(
            "The URL of an operation was handed out with service=new and came back without it.",
        ));
    }
    context
        .state
        .operations
        .get(id)
        .ok_or_else(|| ArmError::not_found(&format!("computeOperationsStatus/{id}")))
}

pub(crate) fn retry_after(answer: Answer, hint: Option<Duration>) -> Answer {
    match hint {
        Some(hint) => answer.with("Retry-After", hint.as_millis().div_ceil(1000).to_string()),
        None => answer,
    }
}

pub(crate) fn status(context: &Context<'_>, id: &str) -> Reply {
    let operation = find(context, id)?;
    let time = &context.state.time;
    let mut body = json!({
        "id": context.request.path,
        "name": id,
        "status": operation.status.as_str(),
        "startTime": time.stamp(operation.started),
    });
    if let Some(ended) = operation.ended {
        body["endTime"] = json!(time.stamp(ended));
    }
    if let Some(error) = operation.error() {
        body["error"] = error;
    }
    let answer = Answer::json(200, &body);
    Ok(match operation.status {
        Status::InProgress => retry_after(answer, context.config.retry_after),
        _ => answer,
    })
}

/// The older way: 202 until it is done, then what the request itself would have said.
pub(crate) fn result(context: &Context<'_>, id: &str) -> Reply {
    let operation = find(context, id)?;
    let request = context.request;
    match operation.status {
        Status::InProgress => {
            let query = request.query.as_deref().unwrap_or_default();
            let here = format!("{}{}?{query}", request.origin, request.path);
            Ok(retry_after(
                Answer::empty(202).with("Location", here),
                context.config.retry_after,
            ))
        }
        Status::Succeeded => Ok(Answer::empty(204)),
        Status::Failed | Status::Canceled => {
            let error = operation.error().unwrap_or_default();
            let error = error.get("error").cloned().unwrap_or(error);
            Ok(Answer::json(400, &json!({ "error": error })))
        }
    }
}
