//! Which members the body of a request to the data plane may carry, and of which kind each is.
//!
//! A member that is not listed is refused: a misspelt one must be seen. `null` counts as absent.

use serde_json::{Map, Value};

use super::error::ArmError;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Text,
    Number,
    /// A whole number of 32 bits, not below zero.
    Whole,
    Flag,
    Texts,
    /// A map from strings to strings.
    Tags,
    Object(&'static [Member]),
    Objects(&'static [Member]),
    /// An object whose shape does not matter to the emulator.
    AnyObject,
    /// Looked at elsewhere.
    Any,
    /// Known to the service, not to the emulator.
    Unserved,
}

/// A member by its name.
pub(crate) type Member = (&'static str, Kind);

/// Every member of a body that is an object, without those that are `null`.
pub(crate) fn check(body: &[u8], members: &[Member]) -> Result<Map<String, Value>, ArmError> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| ArmError::bad_request(format!("The body is no JSON: {error}.")))?;
    check_value(&body, members)
}

/// Like [`check`] for a body that is read already.
pub(crate) fn check_value(
    body: &Value,
    members: &[Member],
) -> Result<Map<String, Value>, ArmError> {
    let body = body
        .as_object()
        .ok_or_else(|| ArmError::bad_request("The body is no JSON object."))?;
    object("", body, members)
}

/// Like [`check`] for a value within a body; `path` names it in refusals.
pub(crate) fn object(
    path: &str,
    map: &Map<String, Value>,
    members: &[Member],
) -> Result<Map<String, Value>, ArmError> {
    let mut kept = Map::new();
    for (key, value) in map {
        let at = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        let Some((_, kind)) = members.iter().find(|(name, _)| name == key) else {
            return Err(ArmError::unsupported(format!(
                "'{at}' is not a member that the emulator knows."
            )));
        };
        if !value.is_null() {
            kept.insert(key.clone(), checked(&at, value, *kind)?);
        }
    }
    Ok(kept)
}

/// One value of this kind.
pub(crate) fn checked(at: &str, value: &Value, kind: Kind) -> Result<Value, ArmError> {
    let refuse = |what: &str| Err(ArmError::bad_request(format!("'{at}' must be {what}.")));
    let as_is = |fits: bool, what: &str| {
        if fits {
            Ok(value.clone())
        } else {
            refuse(what)
        }
    };
    match kind {
        Kind::Text => as_is(value.is_string(), "a string"),
        Kind::Number => as_is(value.is_number(), "a number"),
        Kind::Whole => as_is(
            value.as_u64().is_some_and(|n| i32::try_from(n).is_ok()),
            "a whole number, not below zero",
        ),
        Kind::Flag => as_is(value.is_boolean(), "true or false"),
        Kind::Any => Ok(value.clone()),
        Kind::Unserved => Err(ArmError::unsupported(format!(
            "The member '{at}' is not supported."
        ))),
        Kind::AnyObject => as_is(value.is_object(), "an object"),
        Kind::Texts => as_is(
            value
                .as_array()
                .is_some_and(|items| items.iter().all(Value::is_string)),
            "a list of strings",
        ),
        Kind::Tags => as_is(
            value
                .as_object()
                .is_some_and(|tags| tags.values().all(Value::is_string)),
            "a map from strings to strings",
        ),
        Kind::Object(members) => match value.as_object() {
            Some(map) => Ok(Value::Object(object(at, map, members)?)),
            None => refuse("an object"),
        },
        Kind::Objects(members) => {
            let Some(items) = value.as_array() else {
                return refuse("a list of objects");
            };
            items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    let at = format!("{at}[{index}]");
                    match item.as_object() {
                        Some(map) => Ok(Value::Object(object(&at, map, members)?)),
                        None => Err(ArmError::bad_request(format!("'{at}' must be an object."))),
                    }
                })
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array)
        }
    }
}
