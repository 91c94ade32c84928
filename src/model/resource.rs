//! A model and its asset, as the service gives them.

use crate::error::Finding;
use crate::json::lenient::{object, or_default};
use crate::json::{Document, Item, Names, kept, twin};
use crate::rules;
use serde::de::MapAccess;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;

twin! {
    ModelMembers reads
    /// A registered model.
    ///
    /// Read leniently: a member of another type than here counts as absent. Members that are not known are
    /// kept in [`other`](Self::other); `Debug` shows only their names.
    ///
    /// The whole document is kept as the service wrote it, without secret members, and `Serialize` writes it,
    /// as it does for a [`ComputeResource`](crate::models::ComputeResource). `Deserialize` reads JSON only.
    #[derive(Clone, PartialEq, Default)]
    #[non_exhaustive]
    pub struct ModelResource {
        /// `{name}:{version}`.
        #[serde(deserialize_with = "or_default")]
        pub id: Option<String>,
        /// The name, which all versions have in common.
        // Not lenient: without a readable name, one model cannot be distinguished from another.
        pub name: String,
        /// The version: 1 for the first model of a name, then counting up.
        #[serde(deserialize_with = "or_default")]
        pub version: Option<u64>,
        /// The framework, for example `ScikitLearn`: an open set.
        #[serde(deserialize_with = "or_default")]
        pub framework: Option<String>,
        /// The version of the framework.
        #[serde(deserialize_with = "or_default")]
        pub framework_version: Option<String>,
        /// Free text.
        #[serde(deserialize_with = "or_default")]
        pub description: Option<String>,
        /// Tags, which may change.
        #[serde(rename = "kvTags", deserialize_with = "or_default")]
        pub tags: BTreeMap<String, String>,
        /// Properties, which stay; new ones may be added.
        #[serde(deserialize_with = "or_default")]
        pub properties: BTreeMap<String, String>,
        /// The URL of the files: `aml://asset/{id}`.
        #[serde(deserialize_with = "or_default")]
        pub url: Option<String>,
        /// The media type of the content.
        #[serde(deserialize_with = "or_default")]
        pub mime_type: Option<String>,
        /// `true` if the content is an archive that a deployment unpacks.
        #[serde(deserialize_with = "or_default")]
        pub unpack: Option<bool>,
        /// The time at which the model was registered, as the service wrote it.
        #[serde(deserialize_with = "or_default")]
        pub created_time: Option<String>,
        /// The time of the last change, as the service wrote it.
        #[serde(deserialize_with = "or_default")]
        pub modified_time: Option<String>,
        /// The experiment that made the model.
        #[serde(deserialize_with = "or_default")]
        pub experiment_name: Option<String>,
        /// The run that made the model.
        #[serde(deserialize_with = "or_default")]
        pub run_id: Option<String>,
        /// The resources that a deployment without code needs.
        #[serde(deserialize_with = "or_default")]
        pub resource_requirements: Option<ResourceNeeds>,
        /// All other members, unknown to this crate.
        #[serde(flatten)]
        pub other: BTreeMap<String, Value>,
        #[serde(skip)]
        document: Document,
    }
}

impl ModelResource {
    pub(crate) fn read(text: &str) -> serde_json::Result<Self> {
        let document = Document::read(text)?;
        let read: ModelMembers = serde_json::from_str(document.text())?;
        Ok(Self {
            document,
            ..read.into()
        })
    }

    /// Returns the whole document, as `Serialize` writes it.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.document.to_value()
    }
}

kept!(ModelResource);

impl Item for ModelResource {}

/// The resources that a model needs to run, for deployments without code.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ResourceNeeds {
    /// CPU cores, with decimals.
    #[serde(deserialize_with = "or_default")]
    pub cpu: Option<f64>,
    /// Memory in GB, with decimals.
    #[serde(rename = "memoryInGB", deserialize_with = "or_default")]
    pub memory_gb: Option<f64>,
    /// GPUs.
    #[serde(deserialize_with = "or_default")]
    pub gpu: Option<u32>,
}

/// The members of a model that name its sample datasets.
pub(super) const INPUT_SAMPLE: &str = "sampleInputData";
pub(super) const OUTPUT_SAMPLE: &str = "sampleOutputData";

/// The URLs of the datasets that show what a model takes and returns.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    pub(super) input: Option<String>,
    pub(super) output: Option<String>,
}

/// Returns how a member of a model names a dataset.
pub(super) fn dataset_url(id: &str) -> String {
    format!("aml://dataset/{id}")
}

impl ResourceNeeds {
    /// Returns the needs as a request has them.
    pub(super) fn body(self) -> Value {
        let mut body = Map::new();
        for (key, value) in [
            ("cpu", self.cpu.map(|value| json!(value))),
            ("memoryInGB", self.memory_gb.map(|value| json!(value))),
            ("gpu", self.gpu.map(|value| json!(value))),
        ] {
            body.extend(value.map(|value| (key.to_owned(), value)));
        }
        Value::Object(body)
    }

    /// Returns the rules that the needs break.
    pub(super) fn broken(&self) -> impl Iterator<Item = Finding> {
        [("cpu", self.cpu), ("memory_gb", self.memory_gb)]
            .into_iter()
            .filter_map(|(field, value)| {
                let value = value.filter(|value| !(value.is_finite() && *value > 0.0))?;
                Some(rules::MODEL_NEEDS_POSITIVE.finding(
                    format!("resource_needs.{field}"),
                    Some(&value.to_string()),
                    "a resource of a model must be above 0",
                    "give a number above 0, or leave it out",
                ))
            })
    }

    /// Returns needs in which nothing is set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the CPU cores, with decimals.
    #[must_use]
    pub fn cpu(self, cores: f64) -> Self {
        Self {
            cpu: Some(cores),
            ..self
        }
    }

    /// Sets the memory in GB, with decimals.
    #[must_use]
    pub fn memory_gb(self, memory_gb: f64) -> Self {
        Self {
            memory_gb: Some(memory_gb),
            ..self
        }
    }

    /// Sets the number of GPUs.
    #[must_use]
    pub fn gpu(self, gpus: u32) -> Self {
        Self {
            gpu: Some(gpus),
            ..self
        }
    }
}

impl fmt::Debug for ModelResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelResource")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("framework", &self.framework)
            .field("framework_version", &self.framework_version)
            .field("description", &self.description)
            .field("tags", &self.tags)
            .field("properties", &self.properties)
            .field("created_time", &self.created_time)
            .field("experiment_name", &self.experiment_name)
            .field("run_id", &self.run_id)
            .field("resource_requirements", &self.resource_requirements)
            .field("other", &Names(&self.other))
            .finish_non_exhaustive()
    }
}

/// The files of a model.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AssetResource {
    #[serde(deserialize_with = "or_default")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) artifacts: Vec<AssetArtifact>,
}

/// One artifact, or all below a prefix.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AssetArtifact {
    #[serde(deserialize_with = "or_default")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "or_default")]
    pub(crate) prefix: Option<String>,
}

object!(ResourceNeeds, AssetArtifact);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_another_type_and_unknown_ones_do_not_hide_a_model() {
        let model: ModelResource = serde_json::from_value(serde_json::json!({
            "name": "m", "version": "7", "kvTags": {"a": "b", "c": 1}, "properties": null,
            "resourceRequirements": {"cpu": 0.5, "memoryInGB": "x"}, "datasets": [{"s3cr3t": 1}],
        }))
        .unwrap();
        assert_eq!(model.version, None);
        assert_eq!(model.tags, BTreeMap::from([("a".into(), "b".into())]));
        assert_eq!(
            model.resource_requirements,
            Some(ResourceNeeds::new().cpu(0.5))
        );
        assert!(model.other.contains_key("datasets"));
        let shown = format!("{model:?}");
        assert!(
            shown.contains("datasets") && !shown.contains("s3cr3t"),
            "{shown}"
        );
    }
}
