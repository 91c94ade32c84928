//! The document of a service: from a request, with every documented default, and as a read shows it.

use serde_json::{Map, Value, json};

use super::{rules, schema};
use crate::emulator::error::ArmError;
use crate::emulator::members;
use crate::emulator::state::Config;

/// The content of a request, checked as far as it can be by itself.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Every setting that a read shows and a patch changes; `null` where there is nothing.
    pub(crate) document: Value,
    pub(crate) primary: Option<String>,
    pub(crate) secondary: Option<String>,
    pub(crate) overwrite: bool,
}

impl Wanted {
    /// Reads the body of a create, or a document that was patched.
    pub(crate) fn read(config: &Config, body: &Value) -> Result<Self, ArmError> {
        let mut given = members::check_value(body, schema::CREATE)?;
        let keys = given.remove("keys").unwrap_or_default();
        let key = |name: &str| keys[name].as_str().map(str::to_owned);
        let (primary, secondary) = (key("primaryKey"), key("secondaryKey"));
        for value in [&primary, &secondary].into_iter().flatten() {
            rules::key(value)?;
        }
        let overwrite = given.remove("overwrite") == Some(json!(true));
        rules::check(config, &given)?;
        let document = filled(config, given);
        rules::bounds(&document["autoScaler"])?;
        Ok(Self {
            document,
            primary,
            secondary,
            overwrite,
        })
    }
}

/// Fills in what the documentation names as defaults.
fn filled(config: &Config, mut given: Map<String, Value>) -> Value {
    let replicas = given.remove("numReplicas").unwrap_or_default();
    let mut scaler = given.remove("autoScaler").unwrap_or_else(|| json!({}));
    let on = replicas.is_null();
    defaults(
        &mut scaler,
        &json!({
            "autoscaleEnabled": on, "minReplicas": 1, "maxReplicas": 10, "targetUtilization": 70,
            "refreshPeriodInSeconds": 1,
        }),
    );
    let tokens = given.get("aadAuthEnabled") == Some(&json!(true));
    let mut document = Value::Object(given);
    document["numReplicas"] = replicas;
    document["autoScaler"] = scaler;
    defaults(
        &mut document,
        &json!({
            "description": null,
            "kvTags": {},
            "properties": {},
            "location": config.location,
            "namespace": format!("azureml-{}", config.workspace.to_ascii_lowercase()),
            "containerResourceRequirements": {},
            "livenessProbeRequirements": {},
            "dataCollection": {},
            "appInsightsEnabled": false,
            // Both at once are not possible: tokens without a word on keys turn keys off.
            "authEnabled": !tokens,
            "aadAuthEnabled": false,
            "maxConcurrentRequestsPerContainer": 1,
            "maxQueueWaitMs": 500,
            "scoringTimeoutMs": 60_000,
            "storageInitEnabled": null,
        }),
    );
    defaults(
        &mut document["containerResourceRequirements"],
        &json!({ "cpu": 0.1, "cpuLimit": null, "memoryInGB": 0.5, "memoryInGBLimit": null, "gpu": 0 }),
    );
    defaults(
        &mut document["livenessProbeRequirements"],
        &json!({
            "initialDelaySeconds": 310, "periodSeconds": 10, "timeoutSeconds": 2,
            "successThreshold": 1, "failureThreshold": 3,
        }),
    );
    defaults(
        &mut document["dataCollection"],
        &json!({ "storageEnabled": false, "eventHubEnabled": false }),
    );
    document
}

fn defaults(object: &mut Value, defaults: &Value) {
    for (key, default) in defaults.as_object().into_iter().flatten() {
        if object[key].is_null() {
            object[key] = default.clone();
        }
    }
}

/// How many replicas it asks for: the number given, or the lowest of the autoscaler.
pub(crate) fn replicas(document: &Value) -> u64 {
    document["numReplicas"]
        .as_u64()
        .or_else(|| document["autoScaler"]["minReplicas"].as_u64())
        .unwrap_or(1)
}

/// The settings as a read shows them. The request for the image is part of an expanded read alone,
/// and the password of its registry of none.
pub(crate) fn shown(document: &Value, expand: bool) -> Value {
    let mut shown = document.clone();
    shown["numReplicas"] = json!(replicas(document));
    let Some(map) = shown.as_object_mut() else {
        return shown;
    };
    // Sent, and in no answer that is described.
    map.remove("storageInitEnabled");
    map.remove("location");
    let Some(mut image) = map.remove("environmentImageRequest") else {
        return shown;
    };
    if expand {
        if let Some(registry) = image
            .pointer_mut("/environment/docker/baseImageRegistry")
            .and_then(Value::as_object_mut)
            && registry.contains_key("password")
        {
            registry.insert("password".to_owned(), Value::Null);
        }
        if let Some(environment) = image.get("environment") {
            map.insert("environment".to_owned(), environment.clone());
        }
        map.insert("environmentImageRequest".to_owned(), image);
    }
    shown
}
