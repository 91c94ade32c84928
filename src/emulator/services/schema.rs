//! Which members a request for a service may carry, and of which type each is.
//!
//! Spelt out from the published description (2019-09-30) and from what `azureml-core` 1.61 sends
//! beyond it. A member that is not here is refused: a misspelt one must be seen.

use serde_json::{Map, Value};

use super::super::error::ArmError;

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Whole,
    Number,
    Flag,
    /// A map from strings to strings.
    Tags,
    Texts,
    Object(&'static [Field]),
    List(&'static [Field]),
    /// An object whose inside decides nothing here.
    AnyObject,
    /// Known to the service, not to the emulator.
    Unserved,
}

pub(super) type Field = (&'static str, Kind);

pub(super) const CREATE: &[Field] = &[
    ("name", Kind::Text),
    ("description", Kind::Text),
    ("kvTags", Kind::Tags),
    ("properties", Kind::Tags),
    ("keys", Kind::Object(KEYS)),
    ("computeType", Kind::Text),
    ("computeName", Kind::Text),
    ("location", Kind::Text),
    ("environmentImageRequest", Kind::Object(IMAGE)),
    ("numReplicas", Kind::Whole),
    ("autoScaler", Kind::Object(AUTO_SCALER)),
    ("containerResourceRequirements", Kind::Object(RESOURCES)),
    ("livenessProbeRequirements", Kind::Object(PROBE)),
    ("dataCollection", Kind::Object(DATA_COLLECTION)),
    ("appInsightsEnabled", Kind::Flag),
    ("authEnabled", Kind::Flag),
    ("aadAuthEnabled", Kind::Flag),
    ("maxConcurrentRequestsPerContainer", Kind::Whole),
    ("maxQueueWaitMs", Kind::Whole),
    ("scoringTimeoutMs", Kind::Whole),
    ("namespace", Kind::Text),
    // Not in the description; `azureml-core` sends them.
    ("storageInitEnabled", Kind::Flag),
    ("overwrite", Kind::Flag),
    // Images, and the variants of computes of type AKSENDPOINT.
    ("imageId", Kind::Unserved),
    ("isDefault", Kind::Unserved),
    ("trafficPercentile", Kind::Unserved),
    ("type", Kind::Unserved),
    ("deploymentType", Kind::Unserved),
];

const KEYS: &[Field] = &[("primaryKey", Kind::Text), ("secondaryKey", Kind::Text)];

const IMAGE: &[Field] = &[
    ("driverProgram", Kind::Text),
    ("assets", Kind::List(ASSET)),
    ("modelIds", Kind::Texts),
    ("environment", Kind::Object(ENVIRONMENT)),
];

const ASSET: &[Field] = &[
    ("id", Kind::Text),
    ("mimeType", Kind::Text),
    ("url", Kind::Text),
    ("unpack", Kind::Flag),
];

const ENVIRONMENT: &[Field] = &[
    ("name", Kind::Text),
    ("version", Kind::Text),
    ("python", Kind::AnyObject),
    ("environmentVariables", Kind::Tags),
    ("docker", Kind::Object(DOCKER)),
    ("spark", Kind::AnyObject),
    ("inferencingStackVersion", Kind::Text),
    // What `azureml-core` sends beyond the description.
    ("r", Kind::AnyObject),
    ("databricks", Kind::AnyObject),
    ("assetId", Kind::Text),
];

const DOCKER: &[Field] = &[
    ("baseImage", Kind::Text),
    ("baseDockerfile", Kind::Text),
    ("enabled", Kind::Flag),
    ("sharedVolumes", Kind::Flag),
    ("gpuSupport", Kind::Flag),
    ("shmSize", Kind::Text),
    ("arguments", Kind::Texts),
    ("baseImageRegistry", Kind::Object(REGISTRY)),
    ("platform", Kind::AnyObject),
    ("buildContext", Kind::AnyObject),
];

const REGISTRY: &[Field] = &[
    ("address", Kind::Text),
    ("username", Kind::Text),
    ("password", Kind::Text),
    ("registryIdentity", Kind::AnyObject),
];

const AUTO_SCALER: &[Field] = &[
    ("autoscaleEnabled", Kind::Flag),
    ("minReplicas", Kind::Whole),
    ("maxReplicas", Kind::Whole),
    ("targetUtilization", Kind::Whole),
    ("refreshPeriodInSeconds", Kind::Whole),
];

const RESOURCES: &[Field] = &[
    ("cpu", Kind::Number),
    ("memoryInGB", Kind::Number),
    ("gpu", Kind::Whole),
    ("fpga", Kind::Whole),
    // Not in the description; `azureml-core` sends them.
    ("cpuLimit", Kind::Number),
    ("memoryInGBLimit", Kind::Number),
];

const PROBE: &[Field] = &[
    ("periodSeconds", Kind::Whole),
    ("initialDelaySeconds", Kind::Whole),
    ("timeoutSeconds", Kind::Whole),
    ("successThreshold", Kind::Whole),
    ("failureThreshold", Kind::Whole),
];

const DATA_COLLECTION: &[Field] = &[
    ("storageEnabled", Kind::Flag),
    ("eventHubEnabled", Kind::Flag),
];

/// The body of `regenerateKeys`.
pub(super) const REGENERATE: &[Field] = &[("keyType", Kind::Text), ("keyValue", Kind::Text)];

/// The body of `validate`: the two requests are looked at on their own.
pub(super) const VALIDATE: &[&str] = &["type", "serviceName", "createRequest", "updateRequest"];

/// One operation of a JSON Patch.
pub(super) const PATCH: &[&str] = &["op", "path", "value", "from"];

pub(super) fn refuse(path: &str, what: &str) -> ArmError {
    ArmError::bad_request(format!("'{path}' {what}."))
}

/// Checks every member of a body, and drops those that are `null`: `azureml-core` sends every
/// member that was not given as `null`.
pub(super) fn check(body: &Value, fields: &[Field]) -> Result<Map<String, Value>, ArmError> {
    let body = body
        .as_object()
        .ok_or_else(|| ArmError::bad_request("The body is no JSON object."))?;
    object("", body, fields)
}

/// Refuses members of an object that are not among these.
pub(super) fn only(map: &Map<String, Value>, known: &[&str]) -> Result<(), ArmError> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(refuse(key, "is not a member that this request knows")),
        None => Ok(()),
    }
}

fn object(
    parent: &str,
    map: &Map<String, Value>,
    fields: &[Field],
) -> Result<Map<String, Value>, ArmError> {
    let mut kept = Map::new();
    for (key, value) in map {
        let path = if parent.is_empty() {
            key.clone()
        } else {
            format!("{parent}.{key}")
        };
        let (_, kind) = fields
            .iter()
            .find(|(name, _)| name == key)
            .ok_or_else(|| refuse(&path, "is not a member that this request knows"))?;
        if !value.is_null() {
            kept.insert(key.clone(), checked(&path, value, *kind)?);
        }
    }
    Ok(kept)
}

fn checked(path: &str, value: &Value, kind: Kind) -> Result<Value, ArmError> {
    let (fits, what) = match kind {
        Kind::Text => (value.is_string(), "must be a string"),
        Kind::Whole => (
            value.as_u64().is_some_and(|n| i32::try_from(n).is_ok()),
            "must be a whole number, not below zero",
        ),
        Kind::Number => (value.is_number(), "must be a number"),
        Kind::Flag => (value.is_boolean(), "must be true or false"),
        Kind::Tags => (
            value
                .as_object()
                .is_some_and(|tags| tags.values().all(Value::is_string)),
            "must map strings to strings",
        ),
        Kind::Texts => (
            value
                .as_array()
                .is_some_and(|items| items.iter().all(Value::is_string)),
            "must be a list of strings",
        ),
        Kind::AnyObject => (value.is_object(), "must be an object"),
        Kind::Object(fields) => {
            let map = value
                .as_object()
                .ok_or_else(|| refuse(path, "must be an object"))?;
            return Ok(Value::Object(object(path, map, fields)?));
        }
        Kind::List(fields) => {
            let items = value
                .as_array()
                .ok_or_else(|| refuse(path, "must be a list of objects"))?;
            let items = items.iter().enumerate().map(|(index, item)| {
                let path = format!("{path}[{index}]");
                let map = item
                    .as_object()
                    .ok_or_else(|| refuse(&path, "must be an object"))?;
                Ok(Value::Object(object(&path, map, fields)?))
            });
            return Ok(Value::Array(items.collect::<Result<_, ArmError>>()?));
        }
        Kind::Unserved => {
            return Err(ArmError::unsupported(format!(
                "The member '{path}' is not supported."
            )));
        }
    };
    if fits {
        Ok(value.clone())
    } else {
        Err(refuse(path, what))
    }
}
