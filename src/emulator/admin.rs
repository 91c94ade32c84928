//! `/_emulator/…`: what Rust does through methods, for clients in other languages.

use std::time::Duration;

use serde_json::{Value, json};

use super::call::Call;
use super::error::ArmError;
use super::faults::Fault;
use super::http::Answer;
use super::routes::Reply;

const DONE: u16 = 204;

pub(crate) fn health(call: Call<'_>) -> Reply {
    let config = call.config;
    // Neither is secret: a client that knows the plain address may find the encrypted one and trust it.
    let (https, ca) = call.state.https.clone().unzip();
    Ok(Answer::json(
        200,
        &json!({
            "status": "ok",
            "subscription": config.subscription,
            "resourceGroup": config.resource_group,
            "workspace": config.workspace,
            "location": config.location,
            "https": https,
            "ca": ca,
        }),
    ))
}

/// Injects one fault or a list of them: all are read before one is injected.
pub(crate) fn inject(call: Call<'_>) -> Reply {
    let faults = match call.body()? {
        Value::Array(faults) => faults,
        fault => vec![fault],
    };
    let faults = faults.into_iter().map(Fault::from_json);
    for fault in faults.collect::<Result<Vec<_>, _>>()? {
        call.state.faults.push(fault);
    }
    Ok(Answer::empty(DONE))
}

pub(crate) fn clear_faults(call: Call<'_>) -> Reply {
    call.state.faults.clear();
    Ok(Answer::empty(DONE))
}

pub(crate) fn journal(call: Call<'_>) -> Reply {
    let entries = call.state.journal.entries().iter();
    let entries = entries.map(|entry| entry.to_value()).collect();
    Ok(Answer::json(200, &Value::Array(entries)))
}

pub(crate) fn clear_journal(call: Call<'_>) -> Reply {
    call.state.journal.clear();
    Ok(Answer::empty(DONE))
}

pub(crate) fn advance(call: Call<'_>) -> Reply {
    let by = call.body()?["seconds"]
        .as_f64()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| {
            ArmError::bad_request("The body must be {\"seconds\": a number not below 0}.")
        })?;
    call.state.time.advance(by);
    call.state.settle(call.config);
    Ok(Answer::empty(DONE))
}

pub(crate) fn finish(call: Call<'_>) -> Reply {
    call.state.finish(call.config);
    Ok(Answer::empty(DONE))
}

pub(crate) fn set_swagger(call: Call<'_>) -> Reply {
    let (name, document) = (call.name("service").to_ascii_lowercase(), call.body()?);
    call.state.services.swagger.insert(name, document);
    Ok(Answer::empty(DONE))
}

pub(crate) fn set_log(call: Call<'_>) -> Reply {
    let name = call.name("service").to_ascii_lowercase();
    let text = String::from_utf8_lossy(&call.request.body).into_owned();
    call.state.services.logs.insert(name, text);
    Ok(Answer::empty(DONE))
}
