//! A JSON Patch of a service: which paths there are, and what a change of each needs.

use serde_json::{Map, Value, json};

use super::document::{self, Wanted};
use super::schema;
use crate::emulator::error::ArmError;
use crate::emulator::members;
use crate::emulator::state::Config;

/// What a patch leads to.
#[derive(Debug)]
pub(crate) struct Patched {
    pub(crate) document: Value,
    /// Whether containers or authentication change, and not only what describes the service.
    pub(crate) redeploys: bool,
    /// Whether models, code or environment change.
    pub(crate) rebuilds: bool,
}

/// Members with members of their own that are patched one by one.
const NESTED: [&str; 4] = [
    "autoScaler",
    "containerResourceRequirements",
    "dataCollection",
    "livenessProbeRequirements",
];

const SCALARS: [&str; 9] = [
    "environmentImageRequest",
    "authEnabled",
    "aadAuthEnabled",
    "appInsightsEnabled",
    "scoringTimeoutMs",
    "maxConcurrentRequestsPerContainer",
    "maxQueueWaitMs",
    "numReplicas",
    "namespace",
];

/// Applies a patch to the settings of a service, all of it or nothing.
pub(crate) fn apply(config: &Config, settings: &Value, patch: &Value) -> Result<Patched, ArmError> {
    let steps = patch
        .as_array()
        .ok_or_else(|| ArmError::bad_request("The body is no JSON Patch: it must be a list."))?;
    if steps.is_empty() {
        return Err(ArmError::bad_request("The patch changes nothing."));
    }
    let mut document = settings.clone();
    let mut redeploys = false;
    let mut touched = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let step = step
            .as_object()
            .ok_or_else(|| ArmError::bad_request(format!("Operation {index} is no object.")))?;
        let path = one(&mut document, step)
            .map_err(|error| ArmError {
                message: format!("Operation {index} of the patch: {}", error.message),
                ..error
            })?
            .to_owned();
        redeploys |= !["/kvTags", "/properties", "/description"]
            .iter()
            .any(|metadata| path == *metadata || path.starts_with(&format!("{metadata}/")));
        touched.push(path);
    }
    let touched = |path: &str| touched.iter().any(|touched| touched == path);
    if touched("/autoScaler/autoscaleEnabled") && !touched("/numReplicas") {
        // Switched on, it decides; switched off, what there is stays.
        document["numReplicas"] = match document["autoScaler"]["autoscaleEnabled"].as_bool() {
            Some(false) => json!(document::replicas(&document)),
            _ => Value::Null,
        };
    }
    let document = Wanted::read(config, &document)?.document;
    Ok(Patched {
        document,
        redeploys,
        rebuilds: touched("/environmentImageRequest"),
    })
}

/// Applies one operation, and returns its path.
fn one<'step>(
    document: &mut Value,
    step: &'step Map<String, Value>,
) -> Result<&'step str, ArmError> {
    members::object("", step, schema::PATCH)?;
    let text = |key: &str| {
        step.get(key)
            .and_then(Value::as_str)
            .ok_or_else(|| ArmError::bad_request(format!("'{key}' is missing.")))
    };
    let (op, path) = (text("op")?, text("path")?);
    let value = match op {
        "add" | "replace" => Some(
            step.get("value")
                .filter(|value| !value.is_null())
                .ok_or_else(|| ArmError::bad_request(format!("'{op}' needs a 'value'.")))?
                .clone(),
        ),
        "remove" => None,
        _ => {
            return Err(ArmError::unsupported(format!(
                "The operation '{op}' is not supported."
            )));
        }
    };
    let segments = segments(path)?;
    let unknown = || ArmError::bad_request(format!("The path '{path}' cannot be patched."));
    match &segments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // Only for images, which are not served.
        ["imageId"] => Err(ArmError::unsupported(
            "The path '/imageId' is not supported.",
        )),
        ["properties", key] => gain(document, key, value),
        ["properties"] => Err(ArmError::bad_request(
            "Properties cannot be replaced or removed, only keys added.",
        )),
        ["kvTags"] if value.as_ref().is_some_and(|tags| !tags.is_object()) => {
            Err(ArmError::bad_request("The tags must be an object."))
        }
        ["kvTags"] | ["description"] => {
            document[&segments[0]] = value.unwrap_or_default();
            Ok(())
        }
        ["kvTags", key] => entry(document, "kvTags", key, op, value),
        [scalar] if SCALARS.contains(scalar) => {
            // Removed, it is what its default is.
            document[*scalar] = value.unwrap_or_default();
            Ok(())
        }
        [parent, key] if NESTED.contains(parent) => {
            document[*parent][*key] = value.unwrap_or_default();
            Ok(())
        }
        _ => Err(unknown()),
    }?;
    Ok(path)
}

/// Adds a property. One that is there already may be sent again as it is, as `azureml-core` does.
fn gain(document: &mut Value, key: &str, value: Option<Value>) -> Result<(), ArmError> {
    let Some(value) = value else {
        return Err(ArmError::bad_request(format!(
            "The property '{key}' cannot be removed."
        )));
    };
    let known = &mut document["properties"][key];
    if !known.is_null() && *known != value {
        return Err(ArmError::bad_request(format!(
            "The property '{key}' cannot be changed."
        )));
    }
    *known = value;
    Ok(())
}

fn entry(
    document: &mut Value,
    parent: &str,
    key: &str,
    op: &str,
    value: Option<Value>,
) -> Result<(), ArmError> {
    if op != "add" && document[parent][key].is_null() {
        return Err(ArmError::bad_request(format!(
            "There is no '/{parent}/{key}' to {op}."
        )));
    }
    match (value, document[parent].as_object_mut()) {
        (Some(value), _) => document[parent][key] = value,
        (None, Some(map)) => {
            map.remove(key);
        }
        (None, None) => {}
    }
    Ok(())
}

/// The segments of a JSON pointer.
fn segments(path: &str) -> Result<Vec<String>, ArmError> {
    let inner = path.strip_prefix('/').ok_or_else(|| {
        ArmError::bad_request(format!("The path '{path}' does not start with a slash."))
    })?;
    Ok(inner
        .split('/')
        .map(|segment| segment.replace("~1", "/").replace("~0", "~"))
        .collect())
}
