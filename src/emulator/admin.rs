//! `/_emulator/…`: what Rust does through methods, for clients in other languages.

use std::time::Duration;

use serde_json::{Value, json};

use crate::emulator::error::ArmError;
use crate::emulator::faults::Fault;
use crate::emulator::http::{Answer, Incoming};
use crate::emulator::routes::{Reply, not_allowed, unsupported_route};
use crate::emulator::state::{Config, State};

pub(crate) fn serve(
    config: &Config,
    state: &mut State,
    request: &Incoming,
    segments: &[String],
) -> Reply {
    let route: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    match (request.method.as_str(), &route[..]) {
        ("GET", ["health"]) => Ok(Answer::json(
            200,
            &json!({
                "status": "ok",
                "subscription": config.subscription,
                "resourceGroup": config.resource_group,
                "workspace": config.workspace,
                "location": config.location,
            }),
        )),
        ("POST", ["faults"]) => {
            // One fault or a list of them: all are read before one is injected.
            let faults = match body(request)? {
                Value::Array(faults) => faults
                    .iter()
                    .map(Fault::from_json)
                    .collect::<Result<Vec<_>, _>>()?,
                fault => vec![Fault::from_json(&fault)?],
            };
            faults
                .into_iter()
                .for_each(|fault| state.faults.push(fault));
            Ok(Answer::empty(204))
        }
        ("DELETE", ["faults"]) => {
            state.faults.clear();
            Ok(Answer::empty(204))
        }
        ("GET", ["journal"]) => {
            let entries = state.journal.entries().iter();
            let entries = entries.map(|entry| entry.to_value()).collect();
            Ok(Answer::json(200, &Value::Array(entries)))
        }
        ("DELETE", ["journal"]) => {
            state.journal.clear();
            Ok(Answer::empty(204))
        }
        ("POST", ["advance"]) => {
            let by = body(request)?["seconds"]
                .as_f64()
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .ok_or_else(|| {
                    ArmError::bad_request("the body must be {\"seconds\": a number not below 0}")
                })?;
            state.time.advance(by);
            state.settle(config);
            Ok(Answer::empty(204))
        }
        ("POST", ["finish"]) => {
            state.finish(config);
            Ok(Answer::empty(204))
        }
        ("PUT", ["swagger", service]) => {
            let name = service.to_ascii_lowercase();
            state.services.swagger.insert(name, body(request)?);
            Ok(Answer::empty(204))
        }
        ("PUT", ["log", service]) => {
            let text = String::from_utf8_lossy(&request.body).into_owned();
            let name = service.to_ascii_lowercase();
            state.services.logs.insert(name, text);
            Ok(Answer::empty(204))
        }
        (_, ["health" | "faults" | "journal" | "advance" | "finish"] | ["swagger" | "log", _]) => {
            Err(not_allowed(request))
        }
        _ => Err(unsupported_route(request)),
    }
}

fn body(request: &Incoming) -> Result<Value, ArmError> {
    serde_json::from_slice(&request.body)
        .map_err(|error| ArmError::bad_request(format!("the body is no JSON: {error}")))
}
