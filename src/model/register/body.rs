//! The bodies of a registration: pure functions of the settings.

use super::RegisterModel;
use crate::model::ResourceNeeds;
use crate::model::resource::{INPUT_SAMPLE, OUTPUT_SAMPLE};
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl RegisterModel {
    pub(super) fn model_body(&self, asset: &str) -> Value {
        let mut body = json!({
            "name": self.name,
            "mimeType": "application/json",
            "url": format!("aml://asset/{asset}"),
            "unpack": false,
        });
        let (experiment, run) = self.run_of();
        let text = |value: &Option<String>| value.clone().map(Value::String);
        let pairs = |pairs: &BTreeMap<String, String>| (!pairs.is_empty()).then(|| json!(pairs));
        for (key, value) in [
            ("description", text(&self.description)),
            ("kvTags", pairs(&self.tags)),
            ("properties", pairs(&self.properties)),
            ("framework", text(&self.framework)),
            ("frameworkVersion", text(&self.framework_version)),
            ("experimentName", text(&experiment)),
            ("runId", text(&run)),
            ("resourceRequirements", self.needs.map(ResourceNeeds::body)),
            (INPUT_SAMPLE, text(&self.samples.input)),
            (OUTPUT_SAMPLE, text(&self.samples.output)),
        ] {
            if let Some(value) = value {
                body[key] = value;
            }
        }
        body
    }
}

pub(super) fn asset_body(name: &str, prefix: &str, run: Option<&str>) -> Value {
    let mut body = json!({ "name": name, "artifacts": [{ "prefix": prefix }] });
    if let Some(run) = run {
        // So spelled in the description of the service.
        body["runid"] = json!(run);
    }
    body
}
