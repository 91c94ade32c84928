//! The JSON Schema that both kinds of description are turned into, and its judgement.

use std::collections::BTreeSet;

use jsonschema::{
    Draft, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::{Map, Value, json};

use super::{Direction, Kind};

/// Said in `$comment` beside a list of values to which the service may add.
const OPEN_LIST: &str = "the service may add values to this list";

/// Collects the named parts of one schema, for one direction.
#[derive(Debug)]
pub(crate) struct Emitter {
    pub(crate) direction: Direction,
    definitions: Map<String, Value>,
    /// References that lead nowhere.
    pub(crate) missing: BTreeSet<String>,
}

/// A property of an object, and where it may not stand.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) schema: Value,
    pub(crate) required: bool,
    pub(crate) barred_in_request: Option<Kind>,
    pub(crate) barred_in_response: Option<Kind>,
}

impl Emitter {
    pub(crate) fn new(direction: Direction) -> Self {
        Self {
            direction,
            definitions: Map::new(),
            missing: BTreeSet::new(),
        }
    }

    /// A reference to the part `name`, which `make` gives the first time. Parts may be recursive.
    pub(crate) fn define(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Value) -> Value {
        let key = name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
        if !self.definitions.contains_key(&key) {
            self.definitions.insert(key.clone(), json!(true));
            let made = make(self);
            self.definitions.insert(key.clone(), made);
        }
        json!({ "$ref": format!("#/$defs/{key}") })
    }

    pub(crate) fn defined(&self, reference: &Value) -> Option<&Value> {
        self.definitions
            .get(reference["$ref"].as_str()?.strip_prefix("#/$defs/")?)
    }

    /// An object that has these members, and others only as `additional` says.
    pub(crate) fn object(&self, members: Vec<Member>, additional: Option<Value>) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for member in members {
            let barred = match self.direction {
                Direction::Request => member.barred_in_request,
                Direction::Response => member.barred_in_response,
            };
            let schema = match barred {
                // `false` would do, but says nothing about the reason.
                Some(kind) => json!({ "not": {}, "$comment": format!("{kind:?}") }),
                None => member.schema,
            };
            if member.required && barred.is_none() {
                required.push(member.name.clone());
            }
            properties.insert(member.name, schema);
        }
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": additional.unwrap_or(json!(false)),
        })
    }

    pub(crate) fn compile(self, root: Value) -> Compiled {
        let root = json!({ "allOf": [root], "$defs": self.definitions });
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(&root)
            .unwrap_or_else(|error| panic!("the converter made an invalid schema: {error}"));
        Compiled {
            root,
            validator,
            missing: self.missing,
        }
    }
}

/// One of the listed values; `open` if the service may add to them, which is held closed here too.
pub(crate) fn listed(values: &[Value], open: bool) -> Value {
    match open {
        true => json!({ "enum": values, "$comment": OPEN_LIST }),
        false => json!({ "enum": values }),
    }
}

/// The leaf that the value of `key` chooses. Written with `if`, not `oneOf`, so that a fault is
/// reported where it is and not as "no alternative fits".
pub(crate) fn by_discriminator(key: &str, leaves: Vec<(String, Value)>) -> Value {
    let names: Vec<_> = leaves.iter().map(|(name, _)| name).collect();
    let branches: Vec<_> = leaves
        .iter()
        .map(|(name, leaf)| {
            let chosen = json!({ "properties": { key: { "const": name } }, "required": [key] });
            json!({ "if": chosen, "then": leaf })
        })
        .collect();
    json!({
        "type": "object",
        "properties": { key: { "type": "string", "enum": names } },
        "required": [key],
        "allOf": branches,
    })
}

/// A schema that is ready to judge.
#[derive(Debug)]
pub(crate) struct Compiled {
    root: Value,
    validator: Validator,
    pub(crate) missing: BTreeSet<String>,
}

/// A departure inside one body.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Fault {
    pub(crate) pointer: String,
    pub(crate) kind: Kind,
    pub(crate) what: String,
    pub(crate) value: String,
}

impl Compiled {
    /// Every departure of `body`, sorted, each once.
    pub(crate) fn faults(&self, body: &Value) -> Vec<Fault> {
        let mut faults: Vec<_> = self
            .validator
            .iter_errors(body)
            .flat_map(|error| self.explain(&error))
            .collect();
        faults.sort_unstable();
        // A wrong discriminator or null is seen by the chooser and by the leaf.
        faults.dedup_by(|one, other| (&one.pointer, one.kind) == (&other.pointer, other.kind));
        faults
    }

    fn explain(&self, error: &ValidationError<'_>) -> Vec<Fault> {
        let at = error.instance_path().as_str();
        let fault = |pointer: String, kind, what: String, value: &Value| {
            let value = match kind {
                Kind::NotListed => value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned),
                _ => String::new(),
            };
            vec![Fault {
                pointer,
                kind,
                what,
                value,
            }]
        };
        let found = error.instance();
        let here = |kind, what: String| fault(at.to_owned(), kind, what, found);
        let below = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        let comment = self
            .beside(error)
            .and_then(|schema| schema["$comment"].as_str());
        match error.kind() {
            _ if found.is_null() && !matches!(error.kind(), ValidationErrorKind::Not { .. }) => {
                here(Kind::Null, "null is not described".into())
            }
            ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
                .iter()
                .flat_map(|name| {
                    fault(
                        below(name),
                        Kind::Unknown,
                        "the description has no such property".into(),
                        found,
                    )
                })
                .collect(),
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                fault(
                    below(name),
                    Kind::Missing,
                    "a required property is missing".into(),
                    found,
                )
            }
            ValidationErrorKind::Enum { options } => {
                let note = comment
                    .map(|comment| format!(" ({comment})"))
                    .unwrap_or_default();
                here(
                    Kind::NotListed,
                    format!("{found} is not one of {options}{note}"),
                )
            }
            ValidationErrorKind::Constant { expected_value } => {
                here(Kind::NotListed, format!("{found} is not {expected_value}"))
            }
            ValidationErrorKind::Not { .. } => match comment {
                Some("ReadOnly") => here(Kind::ReadOnly, "it is read-only".into()),
                Some("WriteOnly") => here(Kind::WriteOnly, "it is write-only".into()),
                _ => here(Kind::AddressOnly, "it belongs into the address".into()),
            },
            ValidationErrorKind::Type { kind } => {
                let expected = match kind {
                    TypeKind::Single(one) => one.to_string(),
                    TypeKind::Multiple(_) => "one of several types".into(),
                };
                here(Kind::WrongType, format!("it is not of type {expected}"))
            }
            ValidationErrorKind::Pattern { pattern } => {
                here(Kind::Pattern, format!("it does not match {pattern}"))
            }
            _ => here(Kind::Limit, error.masked().to_string()),
        }
    }

    /// The schema object whose keyword failed.
    fn beside(&self, error: &ValidationError<'_>) -> Option<&Value> {
        let path = error.schema_path().as_str();
        let (parent, _) = path.rsplit_once('/')?;
        let mut schema = &self.root;
        for token in parent.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            schema = match schema {
                Value::Array(items) => items.get(token.parse::<usize>().ok()?)?,
                object => object.get(&token)?,
            };
            // A path may run through `$ref`, whose value is where it goes on.
            if token == "$ref" {
                schema = self.root.pointer(schema.as_str()?.strip_prefix('#')?)?;
            }
        }
        Some(schema)
    }
}
