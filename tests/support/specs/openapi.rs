//! OpenAPI 2 documents, as Azure writes them, turned into schemas that are closed.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{
    Kind,
    schema::{self, Emitter, Member},
};

const DEFINITIONS: &str = "#/definitions/";

/// One OpenAPI 2 document.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) version: String,
    /// Where it was read, to find its examples.
    pub(crate) folder: PathBuf,
    pub(crate) root: Value,
}

/// An object with everything that `allOf` gives it.
#[derive(Default)]
struct Flat<'a> {
    properties: Vec<(&'a str, &'a Value)>,
    required: Vec<&'a str>,
    additional: Option<&'a Value>,
    /// The property by which one of its bases tells its kinds apart.
    discriminator: Option<&'a str>,
}

impl Document {
    pub(crate) fn new(root: Value, folder: PathBuf) -> Result<Self, String> {
        if root["swagger"] != "2.0" {
            return Err(format!(
                "{} holds a file that is not OpenAPI 2",
                folder.display()
            ));
        }
        let version = root["info"]["version"]
            .as_str()
            .ok_or("an OpenAPI file without a version")?;
        Ok(Self {
            version: version.to_owned(),
            folder,
            root,
        })
    }

    /// The schema for `source`, whose named parts go to `out`.
    pub(crate) fn schema(&self, source: &Value, out: &mut Emitter) -> Value {
        if let Some(reference) = source["$ref"].as_str() {
            return self.reference(reference, out);
        }
        let schema = self.inline(source, None, out);
        match source["x-nullable"] == true {
            true => json!({ "anyOf": [{ "type": "null" }, schema] }),
            false => schema,
        }
    }

    fn definition(&self, reference: &str) -> Option<(&str, &Value)> {
        let name = reference.strip_prefix(DEFINITIONS)?;
        let (name, definition) = self.root["definitions"].as_object()?.get_key_value(name)?;
        Some((name, definition))
    }

    fn reference(&self, reference: &str, out: &mut Emitter) -> Value {
        let Some((name, definition)) = self.definition(reference) else {
            out.missing.insert(reference.to_owned());
            return json!(true);
        };
        out.define(name, |out| {
            let leaves = self.leaves(name);
            match definition["discriminator"].as_str() {
                Some(key) if !leaves.is_empty() => {
                    let leaf = |(value, leaf): (String, &str)| {
                        (value, self.reference(&format!("{DEFINITIONS}{leaf}"), out))
                    };
                    schema::by_discriminator(key, leaves.into_iter().map(leaf).collect())
                }
                _ => self.inline(definition, Some(name), out),
            }
        })
    }

    /// The kinds of `base`: the value of the discriminator, and the definition it stands for.
    fn leaves(&self, base: &str) -> Vec<(String, &str)> {
        let definitions = self.root["definitions"].as_object();
        definitions
            .into_iter()
            .flatten()
            .filter(|(name, definition)| *name != base && self.extends(definition, base))
            .filter_map(|(name, definition)| {
                let said = definition["x-ms-discriminator-value"].as_str();
                // Without a value of its own the name is the value; a base of others is not a leaf.
                let value = match said {
                    Some(value) => value,
                    None if self.leaves(name).is_empty() => name,
                    None => return None,
                };
                Some((value.to_owned(), name.as_str()))
            })
            .collect()
    }

    fn extends(&self, definition: &Value, base: &str) -> bool {
        let parts = definition["allOf"].as_array().into_iter().flatten();
        parts
            .filter_map(|part| self.definition(part["$ref"].as_str()?))
            .any(|(name, parent)| name == base || self.extends(parent, base))
    }

    fn inline(&self, source: &Value, name: Option<&str>, out: &mut Emitter) -> Value {
        let keyword = |keyword: &str| source.get(keyword).is_some();
        let described = ["properties", "allOf", "additionalProperties"]
            .into_iter()
            .any(keyword);
        if described {
            return self.object(source, name, out);
        }
        match source["type"].as_str() {
            // An object without a description may hold anything.
            Some("object") => json!({ "type": "object" }),
            Some("array") => {
                let mut schema = limits(source);
                schema.insert("type".into(), json!("array"));
                schema.insert("items".into(), self.schema(&source["items"], out));
                Value::Object(schema)
            }
            None | Some("file") => json!(true),
            Some(kind) => scalar(source, kind),
        }
    }

    fn object(&self, source: &Value, name: Option<&str>, out: &mut Emitter) -> Value {
        let mut flat = Flat::default();
        self.flatten(source, &mut flat, out);
        let value = source["x-ms-discriminator-value"].as_str().or(name);
        let members = flat
            .properties
            .iter()
            .map(|&(name, property)| {
                let is_kind = flat.discriminator == Some(name) && source.get("allOf").is_some();
                let schema = match value {
                    Some(value) if is_kind => json!({ "const": value }),
                    _ => self.schema(property, out),
                };
                Member {
                    name: name.to_owned(),
                    schema,
                    required: flat.required.contains(&name),
                    barred_in_request: read_only(property).then_some(Kind::ReadOnly),
                    barred_in_response: write_only(property).then_some(Kind::WriteOnly),
                }
            })
            .collect();
        let additional = match flat.additional {
            Some(Value::Bool(allowed)) => Some(json!(allowed)),
            Some(schema) => Some(self.schema(schema, out)),
            None => None,
        };
        out.object(members, additional)
    }

    fn flatten<'a>(&'a self, source: &'a Value, flat: &mut Flat<'a>, out: &mut Emitter) {
        if let Some(reference) = source["$ref"].as_str() {
            match self.definition(reference) {
                Some((_, definition)) => self.flatten(definition, flat, out),
                None => drop(out.missing.insert(reference.to_owned())),
            }
            return;
        }
        for part in source["allOf"].as_array().into_iter().flatten() {
            self.flatten(part, flat, out);
        }
        for (name, property) in source["properties"].as_object().into_iter().flatten() {
            // The description of a property in a kind replaces that of its base.
            flat.properties.retain(|(known, _)| known != name);
            flat.properties.push((name, property));
        }
        let required = source["required"].as_array().into_iter().flatten();
        flat.required.extend(required.filter_map(Value::as_str));
        flat.additional = source.get("additionalProperties").or(flat.additional);
        flat.discriminator = source["discriminator"].as_str().or(flat.discriminator);
    }
}

/// The schema of a parameter of the path or the query.
pub(crate) fn scalar(source: &Value, kind: &str) -> Value {
    let mut schema = limits(source);
    schema.insert("type".into(), json!(kind));
    if let Some(values) = source["enum"].as_array() {
        let open = source["x-ms-enum"]["modelAsString"] == true;
        let Value::Object(listed) = schema::listed(values, open) else {
            unreachable!()
        };
        schema.extend(listed);
    }
    match source["format"].as_str() {
        Some("int32") => {
            schema.entry("minimum").or_insert(json!(i32::MIN));
            schema.entry("maximum").or_insert(json!(i32::MAX));
        }
        Some("byte") => {
            schema.insert("contentEncoding".into(), json!("base64"));
            schema.insert("pattern".into(), json!("^[A-Za-z0-9+/]*={0,2}$"));
        }
        Some(format @ ("date-time" | "date" | "uuid" | "duration")) => {
            schema.insert("format".into(), json!(format));
        }
        _ => {}
    }
    Value::Object(schema)
}

fn limits(source: &Value) -> Map<String, Value> {
    const SAME: [&str; 9] = [
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "multipleOf",
        "minItems",
        "maxItems",
        "uniqueItems",
    ];
    SAME.iter()
        .filter_map(|&name| Some((name.to_owned(), source.get(name)?.clone())))
        .collect()
}

fn read_only(property: &Value) -> bool {
    property["readOnly"] == true || property["x-ms-mutability"] == json!(["read"])
}

fn write_only(property: &Value) -> bool {
    let uses = property["x-ms-mutability"].as_array();
    uses.is_some_and(|uses| !uses.contains(&json!("read")))
}
