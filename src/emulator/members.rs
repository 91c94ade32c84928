//! Which members the body of a request may carry, and of which kind each is.
//!
//! A member that is not listed is refused: a misspelt one must be seen. `null` counts as absent, as
//! `azureml-core` sends it for what is not set.

use serde_json::{Map, Value};

use super::call::read_json;
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
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// Only read: in a request it is ignored, so that what a GET gave can be sent back.
    Ignored,
    /// Known to the service, not to the emulator.
    Unserved,
    /// Known to these API versions alone, as bits.
    In(u8, &'static Self),
}

/// The bits of every API version.
pub(crate) const EVERY_VERSION: u8 = u8::MAX;

impl Kind {
    /// Its name in an API version, if it is known there.
    pub(crate) fn of(self, version: u8) -> Option<Self> {
        match self {
            Self::In(versions, kind) => (versions & version != 0).then_some(*kind),
            kind => Some(kind),
        }
    }
}

/// A member by its name.
pub(crate) type Member = (&'static str, Kind);

/// Every member of a body that is an object, without those that are `null`.
pub(crate) fn check(body: &[u8], members: &[Member]) -> Result<Map<String, Value>, ArmError> {
    check_value(&read_json(body)?, members)
}

/// Like [`check`] for a body that is read already.
pub(crate) fn check_value(
    body: &Value,
    members: &[Member],
) -> Result<Map<String, Value>, ArmError> {
    let body = body
        .as_object()
        .ok_or_else(|| ArmError::bad_request("What was sent is not a JSON object."))?;
    object("", body, members, EVERY_VERSION)
}

/// Like [`check`] for a value within a body; `path` names it in refusals.
pub(crate) fn object(
    path: &str,
    map: &Map<String, Value>,
    members: &[Member],
    version: u8,
) -> Result<Map<String, Value>, ArmError> {
    let mut kept = Map::new();
    for (key, value) in map {
        let at = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        let known = members.iter().filter(|(name, _)| name == key);
        match known.filter_map(|(_, kind)| kind.of(version)).next() {
            None => {
                return Err(ArmError::unsupported(format!(
                    "'{at}' is not a member that the emulator knows."
                )));
            }
            Some(Kind::Ignored) => {}
            Some(_) if value.is_null() => {}
            Some(kind) => {
                kept.insert(key.clone(), checked(&at, value, kind, version)?);
            }
        }
    }
    Ok(kept)
}

/// One value of this kind.
pub(crate) fn checked(at: &str, value: &Value, kind: Kind, version: u8) -> Result<Value, ArmError> {
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
        Kind::OneOf(choices) => as_is(
            value.as_str().is_some_and(|value| choices.contains(&value)),
            &format!("one of {}", choices.join(", ")),
        ),
        Kind::Any | Kind::Ignored | Kind::In(..) => Ok(value.clone()),
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
            Some(map) => Ok(Value::Object(object(at, map, members, version)?)),
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
                        Some(map) => Ok(Value::Object(object(&at, map, members, version)?)),
                        None => Err(ArmError::bad_request(format!("'{at}' must be an object."))),
                    }
                })
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array)
        }
    }
}
