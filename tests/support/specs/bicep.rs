//! The type lists of bicep: every field of today's API versions, in a form of their own.
//!
//! A list of types that name each other by index (`{"$ref": "#/12"}`). The lists describe
//! resources and functions (`listKeys`), not operations: status codes, query parameters and list
//! wrappers are not in them.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{
    Kind,
    schema::{self, Emitter, Member},
};

const REQUIRED: u64 = 1;
const READ_ONLY: u64 = 2;
const WRITE_ONLY: u64 = 4;
const DEPLOY_TIME: u64 = 8;

/// One file of types.
#[derive(Debug)]
pub(crate) struct Types {
    list: Vec<Value>,
    /// `provider/type@version` in lower case, to the index of the body.
    resources: HashMap<String, usize>,
    /// `provider/type/function@version` in lower case, to the index of the function.
    functions: HashMap<String, usize>,
}

/// A resource or function of one API version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Described<'a> {
    pub(crate) types: &'a Types,
    pub(crate) index: usize,
}

impl Types {
    pub(crate) fn new(list: Value) -> Result<Self, String> {
        let Value::Array(list) = list else {
            return Err("a bicep file is not a list".into());
        };
        let (mut resources, mut functions) = (HashMap::new(), HashMap::new());
        for (index, entry) in list.iter().enumerate() {
            let text = |key: &str| entry[key].as_str().unwrap_or_default();
            match text("$type") {
                "ResourceType" => {
                    let body = target(&entry["body"]).ok_or("a bicep resource without a body")?;
                    resources.insert(text("name").to_ascii_lowercase(), body);
                }
                "ResourceFunctionType" => {
                    let (of, name, version) =
                        (text("resourceType"), text("name"), text("apiVersion"));
                    let key = format!("{of}/{name}@{version}");
                    functions.insert(key.to_ascii_lowercase(), index);
                }
                _ => {}
            }
        }
        Ok(Self {
            list,
            resources,
            functions,
        })
    }

    pub(crate) fn resource(&self, kind: &str, version: &str) -> Option<Described<'_>> {
        let key = format!("{kind}@{version}").to_ascii_lowercase();
        self.resources
            .get(&key)
            .map(|&index| Described { types: self, index })
    }

    /// `kind` ends with the function's name.
    pub(crate) fn function(&self, kind: &str, version: &str) -> Option<Described<'_>> {
        let key = format!("{kind}@{version}").to_ascii_lowercase();
        self.functions
            .get(&key)
            .map(|&index| Described { types: self, index })
    }

    /// The newest version in which the resource or function is described.
    pub(crate) fn newest(&self, kind: &str) -> Option<&str> {
        let prefix = format!("{kind}@").to_ascii_lowercase();
        let keys = self.resources.keys().chain(self.functions.keys());
        keys.filter_map(|key| key.strip_prefix(&prefix)).max()
    }

    /// The error body that the version itself describes, where it does.
    pub(crate) fn error_body(&self) -> Option<Described<'_>> {
        let index = self.list.iter().position(|entry| {
            entry["name"] == "ErrorResponse" && entry["properties"].get("error").is_some()
        })?;
        Some(Described { types: self, index })
    }
}

impl Described<'_> {
    /// The argument (`input`) or the result (`output`) of a function.
    pub(crate) fn side(&self, side: &str) -> Option<Self> {
        let index = target(&self.types.list[self.index][side])?;
        Some(Self {
            types: self.types,
            index,
        })
    }

    pub(crate) fn schema(&self, out: &mut Emitter) -> Value {
        self.at(self.index, out)
    }

    /// The rule for the last part of the address of a resource.
    pub(crate) fn name_schema(&self, out: &mut Emitter) -> Option<Value> {
        let name = &self.types.list[self.index]["properties"]["name"]["type"];
        Some(self.at(target(name)?, out))
    }

    fn at(&self, index: usize, out: &mut Emitter) -> Value {
        let entry = &self.types.list[index];
        match entry["$type"].as_str().unwrap_or_default() {
            "AnyType" => json!(true),
            "ArrayType" => {
                let items = self.follow(&entry["itemType"], out);
                let mut schema = Map::from_iter([("type".into(), json!("array"))]);
                schema.insert("items".into(), items);
                limits(
                    entry,
                    [("minLength", "minItems"), ("maxLength", "maxItems")],
                    &mut schema,
                );
                Value::Object(schema)
            }
            "BooleanType" => json!({ "type": "boolean" }),
            "DiscriminatedObjectType" => {
                out.define(&format!("bicep{index}"), |out| self.kinds(entry, out))
            }
            "IntegerType" => {
                let mut schema = Map::from_iter([("type".into(), json!("integer"))]);
                limits(
                    entry,
                    [("minValue", "minimum"), ("maxValue", "maximum")],
                    &mut schema,
                );
                Value::Object(schema)
            }
            "NullType" => json!({ "type": "null" }),
            "ObjectType" => out.define(&format!("bicep{index}"), |out| self.object(&[entry], out)),
            "StringLiteralType" => json!({ "const": entry["value"] }),
            "StringType" => {
                let mut schema = Map::from_iter([("type".into(), json!("string"))]);
                let same = ["minLength", "maxLength", "pattern"].map(|name| (name, name));
                limits(entry, same, &mut schema);
                Value::Object(schema)
            }
            "UnionType" => self.union(entry, out),
            other => panic!("entry {index} of a bicep list is of the unknown type {other:?}"),
        }
    }

    fn follow(&self, reference: &Value, out: &mut Emitter) -> Value {
        match target(reference).filter(|index| *index < self.types.list.len()) {
            Some(index) => self.at(index, out),
            None => {
                out.missing.insert(reference.to_string());
                json!(true)
            }
        }
    }

    fn kinds(&self, entry: &Value, out: &mut Emitter) -> Value {
        let key = entry["discriminator"]
            .as_str()
            .expect("a discriminated type has a discriminator");
        let kinds = entry["elements"].as_object().into_iter().flatten();
        let leaves = kinds.map(|(value, reference)| {
            let index = target(reference).expect("a kind is a reference");
            let leaf = &self.types.list[index];
            // The base's properties hang on the leaf: in another union it has another base.
            let base = json!({ "properties": entry["baseProperties"] });
            let part = format!(
                "bicep{index}of{}",
                entry["name"].as_str().unwrap_or_default()
            );
            (
                value.clone(),
                out.define(&part, |out| self.object(&[&base, leaf], out)),
            )
        });
        let leaves = leaves.collect();
        schema::by_discriminator(key, leaves)
    }

    fn object(&self, parts: &[&Value], out: &mut Emitter) -> Value {
        let properties = parts
            .iter()
            .flat_map(|part| part["properties"].as_object())
            .flatten();
        let members = properties
            .map(|(name, property)| {
                let flags = property["flags"].as_u64().unwrap_or_default();
                let is = |flag| flags & flag != 0;
                // `id`, `name`, `type`, `apiVersion` of a resource: in a template they are beside
                // the body; on the wire they are in the address, and all but the last come back.
                let address = is(DEPLOY_TIME);
                Member {
                    name: name.clone(),
                    schema: self.follow(&property["type"], out),
                    required: is(REQUIRED),
                    barred_in_request: match (is(READ_ONLY), address) {
                        (true, _) => Some(Kind::ReadOnly),
                        (false, true) => Some(Kind::AddressOnly),
                        (false, false) => None,
                    },
                    barred_in_response: match (is(WRITE_ONLY), address && name == "apiVersion") {
                        (true, _) => Some(Kind::WriteOnly),
                        (false, true) => Some(Kind::AddressOnly),
                        (false, false) => None,
                    },
                }
            })
            .collect();
        let additional = parts
            .iter()
            .find_map(|part| part.get("additionalProperties"));
        let additional = additional.map(|reference| self.follow(reference, out));
        out.object(members, additional)
    }

    /// Literals beside a plain string are a list to which the service may add.
    fn union(&self, entry: &Value, out: &mut Emitter) -> Value {
        let parts: Vec<_> = entry["elements"].as_array().into_iter().flatten().collect();
        let of = |kind: &str| {
            let is_kind = move |part: &&&Value| {
                target(part).is_some_and(|index| self.types.list[index]["$type"] == kind)
            };
            parts.iter().filter(is_kind).copied().collect::<Vec<_>>()
        };
        let (literals, strings) = (of("StringLiteralType"), of("StringType"));
        if !literals.is_empty() && literals.len() + strings.len() == parts.len() {
            let value = |part: &&Value| Some(self.types.list[target(part)?]["value"].clone());
            let values: Vec<_> = literals.iter().filter_map(value).collect();
            return schema::listed(&values, !strings.is_empty());
        }
        let parts: Vec<_> = parts
            .into_iter()
            .map(|part| self.follow(part, out))
            .collect();
        json!({ "anyOf": parts })
    }
}

fn target(reference: &Value) -> Option<usize> {
    reference["$ref"].as_str()?.strip_prefix("#/")?.parse().ok()
}

fn limits<const N: usize>(
    entry: &Value,
    names: [(&str, &str); N],
    schema: &mut Map<String, Value>,
) {
    for (theirs, ours) in names {
        if let Some(limit) = entry.get(theirs) {
            schema.insert(ours.to_owned(), limit.clone());
        }
    }
}
