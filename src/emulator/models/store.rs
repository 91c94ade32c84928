//! Assets, which point to artifacts, and models, which point to assets.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Documents in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Assets {
    pub(crate) documents: Vec<Value>,
}

impl Assets {
    pub(crate) fn get(&self, id: &str) -> Option<&Value> {
        self.documents.iter().find(|asset| asset["id"] == id)
    }

    /// Whether there was one to remove.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let before = self.documents.len();
        self.documents.retain(|asset| asset["id"] != id);
        self.documents.len() < before
    }
}

/// A model with every key that it ever shows, `null` where there is nothing.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) document: Value,
    /// When it was changed last, as a number that grows: two changes may fall into one moment.
    pub(crate) touched: u64,
}

/// Models in the order in which they were registered.
#[derive(Debug, Default)]
pub(crate) struct Models {
    pub(crate) models: Vec<Model>,
    /// The last version given for a name. It is kept when the model is deleted, so that no version
    /// comes twice.
    versions: BTreeMap<String, u64>,
    touched: u64,
}

impl Models {
    pub(crate) fn get(&self, id: &str) -> Option<&Value> {
        self.models
            .iter()
            .map(|model| &model.document)
            .find(|document| document["id"] == id)
    }

    pub(crate) fn next_version(&mut self, name: &str) -> u64 {
        let version = self.versions.entry(name.to_owned()).or_default();
        *version += 1;
        *version
    }

    /// Whether no later version of its name is there.
    pub(crate) fn is_latest(&self, model: &Value) -> bool {
        !self.models.iter().any(|Model { document, .. }| {
            document["name"] == model["name"]
                && document["version"].as_u64() > model["version"].as_u64()
        })
    }

    pub(crate) fn add(&mut self, document: Value) {
        self.touched += 1;
        self.models.push(Model {
            document,
            touched: self.touched,
        });
    }

    /// Puts a changed document in the place of the one with its id.
    pub(crate) fn replace(&mut self, document: Value) {
        self.touched += 1;
        let touched = self.touched;
        if let Some(model) = self
            .models
            .iter_mut()
            .find(|model| model.document["id"] == document["id"])
        {
            *model = Model { document, touched };
        }
    }

    /// Whether there was one to remove.
    pub(crate) fn remove(&mut self, id: &str) -> bool {
        let before = self.models.len();
        self.models.retain(|model| model.document["id"] != id);
        self.models.len() < before
    }
}

/// Whether a map has what a query asks for: `key,key=value`, all of it.
pub(crate) fn has_all(map: &Value, query: &str) -> bool {
    query
        .split(',')
        .filter(|part| !part.is_empty())
        .all(|part| match part.split_once('=') {
            Some((key, value)) => map[key] == value,
            None => map.get(part).is_some(),
        })
}

/// The document without what is `null`, as the routes of models and assets show it.
pub(crate) fn shown(document: &Value) -> Value {
    let map: Map<String, Value> = document
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Value::Object(map)
}
