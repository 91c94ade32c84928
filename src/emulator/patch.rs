//! The operations of a JSON Patch (RFC 6902) that the service knows: `add`, `replace`, `remove`.

use serde_json::Value;

use super::error::{ArmError, require};
use super::members::{self, Kind, Member};

const OPERATION: &[Member] = &[
    ("op", Kind::Text),
    ("path", Kind::Text),
    ("value", Kind::Any),
    ("from", Kind::Unserved),
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Replace,
    Remove,
}

/// One operation.
pub(crate) struct Step {
    pub(crate) op: Op,
    pub(crate) path: String,
    /// The decoded parts of the path.
    pub(crate) parts: Vec<String>,
    /// `None` with [`Op::Remove`] alone.
    pub(crate) value: Option<Value>,
}

impl Step {
    fn read(step: &Value) -> Result<Self, ArmError> {
        let known = members::check_value(step, OPERATION)?;
        let text = |key: &str| {
            let text = known.get(key).and_then(Value::as_str);
            text.ok_or_else(|| ArmError::bad_request(format!("'{key}' is missing.")))
        };
        let (op, path) = (text("op")?, text("path")?);
        let value = step.get("value").cloned();
        let (op, value) = match op {
            "add" => (Op::Add, value),
            "replace" => (Op::Replace, value),
            "remove" => (Op::Remove, None),
            _ => {
                return Err(ArmError::unsupported(format!(
                    "The operation '{op}' is not supported."
                )));
            }
        };
        require(
            op == Op::Remove || value.is_some(),
            format!("The operation at '{path}' has no 'value'."),
        )?;
        let inner = path.strip_prefix('/').ok_or_else(|| {
            ArmError::bad_request(format!("The path '{path}' does not start with a slash."))
        })?;
        let parts = inner.split('/');
        Ok(Self {
            op,
            path: path.to_owned(),
            parts: parts
                .map(|part| part.replace("~1", "/").replace("~0", "~"))
                .collect(),
            value,
        })
    }
}

/// Applies each operation of a patch to a copy of a document, and returns the copy.
pub(crate) fn apply(
    document: &Value,
    patch: &Value,
    mut one: impl FnMut(&mut Value, &Step) -> Result<(), ArmError>,
) -> Result<Value, ArmError> {
    let steps = patch.as_array().filter(|steps| !steps.is_empty());
    let steps = steps.ok_or_else(|| {
        ArmError::bad_request("The body is not a JSON Patch: it must be a list of operations.")
    })?;
    let mut changed = document.clone();
    for (index, step) in steps.iter().enumerate() {
        let done = Step::read(step).and_then(|step| one(&mut changed, &step));
        done.map_err(|error| ArmError {
            message: format!("Operation {index} of the patch: {}", error.message),
            ..error
        })?;
    }
    Ok(changed)
}
