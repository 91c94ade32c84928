//! The parts of a JSON Patch that change a model: the description, the tags, the properties, the sample data
//! and the resource requirements.

use serde_json::{Value, json};

use super::RESOURCES;
use crate::emulator::error::{ArmError, require};
use crate::emulator::members::{self, Kind};
use crate::emulator::patch::{Op, Step};

pub(super) fn step(model: &mut Value, step: &Step) -> Result<(), ArmError> {
    let (op, path, value) = (step.op, step.path.as_str(), step.value.as_ref());
    let parts: Vec<&str> = step.parts.iter().map(String::as_str).collect();
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
                .ok_or_else(|| ArmError::bad_request(format!("'{map}' is not a map.")))?;
            require(
                op == Op::Add || entries.contains_key(key),
                format!("The path '{path}' of the patch does not exist."),
            )?;
            match value {
                Some(value) if op != Op::Remove => {
                    let value = members::checked(path, value, Kind::Text, members::EVERY_VERSION)?;
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
        Some(value) => members::checked(key, value, kind, members::EVERY_VERSION)?,
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
