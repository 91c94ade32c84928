//! The parts of a service, and where they lie: models and uploaded files.

use serde_json::Value;

use crate::emulator::artifacts::{Place, URL};
use crate::emulator::error::ArmError;
use crate::emulator::state::State;

/// The frameworks whose models need no code (`azureml-core` 1.61).
const NO_CODE: [&str; 4] = ["Onnx", "ScikitLearn", "TensorFlow", "Multi"];

/// Checks that the models and the uploaded files of a request exist, and returns the documents of
/// the models.
pub(crate) fn check(state: &State, document: &Value) -> Result<Vec<Value>, ArmError> {
    let image = &document["environmentImageRequest"];
    let mut models = Vec::new();
    for id in image["modelIds"].as_array().into_iter().flatten() {
        let id = id.as_str().unwrap_or_default();
        let model = state.store.models.get(id).ok_or_else(|| {
            ArmError::new(
                400,
                "ModelNotFound",
                format!("The model '{id}' does not exist."),
            )
        })?;
        models.push(model.clone());
    }
    if image.get("environment").is_none()
        && let Some(model) = models.iter().find(|model| {
            !model["framework"]
                .as_str()
                .is_some_and(|framework| NO_CODE.contains(&framework))
        })
    {
        return Err(ArmError::bad_request(format!(
            "The model '{}' cannot be deployed without code: its framework must be one of {}.",
            model["id"].as_str().unwrap_or_default(),
            NO_CODE.join(", ")
        )));
    }
    for asset in image["assets"].as_array().into_iter().flatten() {
        let url = asset["url"].as_str().unwrap_or_default();
        if !is_uploaded(state, url) {
            return Err(ArmError::new(
                400,
                "AssetNotFound",
                format!("Nothing was uploaded to '{url}'."),
            ));
        }
    }
    Ok(models)
}

/// Whether something was uploaded to this place.
fn is_uploaded(state: &State, url: &str) -> bool {
    url.strip_prefix(URL)
        .and_then(Place::of_id)
        .is_some_and(|place| state.store.blobs.get(&place.id()).is_some())
}
