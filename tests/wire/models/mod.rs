//! Models on the wire: every request byte for byte, and every answer that is documented, or odd.

mod discovering;
mod downloading;
mod reading;
mod refusing;
mod registering;

use crate::support::plane::{STORE, models};
use crate::support::redirect::{Reply, Service};
use serde_json::{Value, json};

/// A model as the description has it and the service would fill it in.
fn described(version: u64) -> Value {
    json!({
        "id": format!("mymodel:{version}"), "name": "mymodel", "version": version,
        "framework": "ScikitLearn", "frameworkVersion": "0.22", "kvTags": { "area": "digits" },
        "properties": { "origin": "here" }, "datasets": [{ "name": "training", "id": "d" }],
        "url": "aml://asset/a1", "mimeType": "application/json", "description": "d",
        "createdTime": "2026-01-01T00:00:00Z", "modifiedTime": "2026-01-02T00:00:00Z",
        "unpack": false, "parentModelId": null, "runId": "e_1", "experimentName": "e",
        "sampleInputData": null, "resourceRequirements": { "cpu": 0.5, "memoryInGB": 1.0 },
    })
}

/// A URL of the store, signed.
fn signed(blob: &str) -> String {
    format!("https://{STORE}{blob}?sv=2021-08-06&sr=b&sig=a%2Bb%3D")
}

/// The question for the newest version.
fn newest(name: &str) -> String {
    models(&format!(
        "/models?name={name}&orderBy=CreatedAtDesc&latestVersionOnly=true"
    ))
}

/// Answers the question for the newest version, which a registration of files asks before the upload
/// and after it; the last answer repeats.
async fn on_newest(service: &mut Service, name: &str, models_there: Value) {
    let answer = Reply::json(200, &json!({ "value": models_there }));
    service.on("GET", &newest(name), answer).await;
}
