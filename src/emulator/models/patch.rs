//! What of JSON Patch (RFC 6902) changes a model: `add`, `replace` and `remove` of the description,
//! the tags, the properties, the sample data and the resource requirements.

use serde_json::{Map, Value, json};

use super::RESOURCES;
use crate::emulator::error::ArmError;
use crate::emulator::members::{self, Kind};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Op {
    Add,
    Replace,
    Remove,
}

/// Applies all of a patch, or refuses all of it.
pub(crate) fn apply(model: &mut Value, body: &[u8]) -> Result<(), ArmError> {
    let patch: Value = serde_json::from_slice(body)
        .map_err(|error| ArmError::bad_request(format!("The body is no JSON: {error}.")))?;
    let operations = patch
        .as_array()
        .filter(|operations| !operations.is_empty())
        .ok_or_else(|| ArmError::bad_request("A patch is a list of operations."))?;
    let mut changed = model.clone();
    for operation in operations {
        let operation = operation
            .as_object()
            .ok_or_else(|| ArmError::bad_request("An operation of a patch is an object."))?;
        step(&mut changed, operation)?;
    }
    *model = changed;
    Ok(())
}

fn step(model: &mut Value, operation: &Map<String, Value>) -> Result<(), ArmError> {
    if let Some(key) = operation
        .keys()
        .find(|key| !matches!(key.as_str(), "op" | "path" | "value"))
    {
        return Err(ArmError::unsupported(format!(
            "'{key}' is not a member of an operation that the emulator knows."
        )));
    }
    let text = |key: &str| operation.get(key).and_then(Value::as_str);
    let op = match text("op") {
        Some("add") => Op::Add,
        Some("replace") => Op::Replace,
        Some("remove") => Op::Remove,
        other => {
            return Err(ArmError::unsupported(format!(
                "The operation '{}' of a patch is not supported.",
                other.unwrap_or_default()
            )));
        }
    };
    let path = text("path").unwrap_or_default();
    let value = operation.get("value");
    if value.is_none() && op != Op::Remove {
        return Err(ArmError::bad_request(format!(
            "The operation at '{path}' has no 'value'."
        )));
    }
    let parts: Vec<String> = path
        .split('/')
        .skip(1)
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts[..] {
        ["description"] => whole(model, "description", value, Kind::Text),
        ["sampleInputData"] => whole(model, "sampleInputData", value, Kind::Text),
        ["sampleOutputData"] => whole(model, "sampleOutputData", value, Kind::Text),
        ["resourceRequirements"] => whole(
            model,
            "resourceRequirements",
            value,
            Kind::Object(RESOURCES),
        ),
        [map @ ("kvTags" | "properties")] => {
            let before = model[map].clone();
            whole(model, map, value, Kind::Tags)?;
            if model[map].is_null() {
                model[map] = json!({});
            }
            keep_properties(map, &before, &model[map])
        }
        [map @ ("kvTags" | "properties"), key] => {
            let before = model[map].clone();
            let entries = model[map]
                .as_object_mut()
                .ok_or_else(|| ArmError::bad_request(format!("'{map}' is no map.")))?;
            if op != Op::Add && !entries.contains_key(key) {
                return Err(ArmError::bad_request(format!(
                    "The path '{path}' of the patch does not exist."
                )));
            }
            match value {
                Some(value) if op != Op::Remove => {
                    let value = members::checked(path, value, Kind::Text)?;
                    entries.insert(key.to_owned(), value);
                }
                _ => {
                    entries.remove(key);
                }
            }
            keep_properties(map, &before, &model[map])
        }
        _ => Err(ArmError::bad_request(format!(
            "The path '{path}' of a model cannot be patched."
        ))),
    }
}

/// Sets a member, or takes it away with `remove` or `null`.
fn whole(model: &mut Value, key: &str, value: Option<&Value>, kind: Kind) -> Result<(), ArmError> {
    model[key] = match value {
        None | Some(Value::Null) => Value::Null,
        Some(value) => members::checked(key, value, kind)?,
    };
    Ok(())
}

/// Properties only gain keys (the description: "Properties are immutable").
fn keep_properties(map: &str, before: &Value, after: &Value) -> Result<(), ArmError> {
    if map != "properties" {
        return Ok(());
    }
    let changed = before
        .as_object()
        .into_iter()
        .flatten()
        .find(|(key, value)| after[key.as_str()] != **value);
    match changed {
        None => Ok(()),
        Some((key, _)) => Err(ArmError::bad_request(format!(
            "The property '{key}' cannot be changed or removed: properties are immutable."
        ))),
    }
}
