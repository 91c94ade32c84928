//! A JSON Patch of a service: which paths there are, and what a change of each needs.

use serde_json::{Value, json};

use super::document::{self, Wanted};
use crate::emulator::error::{ArmError, require};
use crate::emulator::patch::{self as steps, Op, Step};
use crate::emulator::state::Config;

/// The effect of a patch.
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
    let mut redeploys = false;
    let mut touched = Vec::new();
    let mut document = steps::apply(settings, patch, |document, step| {
        one(document, step)?;
        let path = &step.path;
        redeploys |= !["/kvTags", "/properties", "/description"]
            .iter()
            .any(|metadata| path == metadata || path.starts_with(&format!("{metadata}/")));
        touched.push(path.clone());
        Ok(())
    })?;
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

/// Applies one operation.
fn one(document: &mut Value, step: &Step) -> Result<(), ArmError> {
    let value = step.value.clone();
    require(
        value != Some(Value::Null),
        format!("The operation at '{}' needs a 'value'.", step.path),
    )?;
    let parts: Vec<&str> = step.parts.iter().map(String::as_str).collect();
    match parts[..] {
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
            document[parts[0]] = value.unwrap_or_default();
            Ok(())
        }
        ["kvTags", key] => entry(document, key, step),
        [scalar] if SCALARS.contains(&scalar) => {
            // Removed, it is what its default is.
            document[scalar] = value.unwrap_or_default();
            Ok(())
        }
        [parent, key] if NESTED.contains(&parent) => {
            document[parent][key] = value.unwrap_or_default();
            Ok(())
        }
        _ => Err(ArmError::bad_request(format!(
            "The path '{}' cannot be patched.",
            step.path
        ))),
    }
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

fn entry(document: &mut Value, key: &str, step: &Step) -> Result<(), ArmError> {
    let tags = &mut document["kvTags"];
    require(
        step.op == Op::Add || !tags[key].is_null(),
        format!("The path '{}' of the patch does not exist.", step.path),
    )?;
    match (&step.value, tags.as_object_mut()) {
        (Some(value), _) => tags[key] = value.clone(),
        (None, Some(map)) => {
            map.remove(key);
        }
        (None, None) => {}
    }
    Ok(())
}
