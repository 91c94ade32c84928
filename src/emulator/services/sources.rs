//! What a service is made of, and where it lies: models and uploaded files.

use serde_json::{Value, json};

use super::super::error::ArmError;
use super::super::state::State;

/// Checks that the models and the uploaded files of a request exist.
pub(in crate::emulator) fn check(state: &State, document: &Value) -> Result<(), ArmError> {
    let image = &document["environmentImageRequest"];
    for id in image["modelIds"].as_array().into_iter().flatten() {
        let id = id.as_str().unwrap_or_default();
        model(state, id).ok_or_else(|| {
            ArmError::new(
                400,
                "ModelNotFound",
                format!("The model '{id}' does not exist."),
            )
        })?;
    }
    for asset in image["assets"].as_array().into_iter().flatten() {
        let url = asset["url"].as_str().unwrap_or_default();
        if !is_uploaded(state, url) {
            return Err(ArmError::new(
                400,
                "AssetNotFound",
                format!("There is nothing at '{url}'."),
            ));
        }
    }
    Ok(())
}

/// The document of a model, as a read of a service shows it.
// MERGE: `state.models` knows them; until then any id of the form `name:version` is a model.
pub(in crate::emulator) fn model(state: &State, id: &str) -> Option<Value> {
    let (name, version) = id.rsplit_once(':')?;
    let version: u64 = version.parse().ok()?;
    Some(json!({
        "id": id,
        "name": name,
        "version": version,
        "url": format!("aml://asset/{name}"),
        "mimeType": "application/json",
        "createdTime": state.time.stamp(std::time::Duration::ZERO),
        "createdBy": null,
        "description": null,
        "framework": null,
        "frameworkVersion": null,
        "kvTags": {},
        "properties": {},
        "unpack": false,
        "experimentName": null,
        "runId": null,
        "datasets": [],
    }))
}

/// Whether something was uploaded to this place.
// MERGE: the artifact store knows; until then every place of the store has something.
fn is_uploaded(_state: &State, url: &str) -> bool {
    url.starts_with("aml://artifact/")
}
