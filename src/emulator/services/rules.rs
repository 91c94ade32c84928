//! The checks of a request beyond types.

use serde_json::{Map, Value};

use crate::emulator::error::ArmError;
use crate::emulator::names::region;
use crate::emulator::state::Config;

/// The longest scoring timeout (article on deploying to AKS).
const LONGEST_TIMEOUT_MS: u64 = 300_000;

/// The most models of one deployment (article of 2020).
const MOST_MODELS: usize = 1_000;

/// A service's name: 3 to 32 small letters, digits and hyphens, a letter first, no hyphen last.
pub(crate) fn name(name: &str) -> Result<(), ArmError> {
    let fits = (3..=32).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-');
    if fits {
        return Ok(());
    }
    Err(ArmError::new(
        400,
        "InvalidServiceName",
        format!(
            "The service name '{name}' is invalid: it must have 3 to 32 lower-case letters, digits \
             and hyphens, start with a letter and not end with a hyphen."
        ),
    ))
}

/// A key that a client chooses. Only that there is one is checked: no rule is published.
pub(crate) fn key(value: &str) -> Result<(), ArmError> {
    if value.trim().is_empty() {
        return Err(ArmError::bad_request("A key must not be empty."));
    }
    Ok(())
}

/// Checks the settings of a create, or of a document that was patched, before defaults.
pub(crate) fn check(config: &Config, given: &Map<String, Value>) -> Result<(), ArmError> {
    let text = |key: &str| given.get(key).and_then(Value::as_str);
    name(text("name").ok_or_else(|| ArmError::bad_request("'name' is required."))?)?;
    match text("computeType") {
        None => return Err(ArmError::bad_request("'computeType' is required.")),
        Some("AKS") => {}
        Some(other) => {
            return Err(ArmError::unsupported(format!(
                "Services of computeType '{other}' are not supported."
            )));
        }
    }
    if text("computeName").is_none() {
        return Err(ArmError::bad_request("'computeName' is required."));
    }
    if let Some(location) = text("location")
        && region(location) != region(&config.location)
    {
        return Err(ArmError::bad_request(format!(
            "The location '{location}' is not the workspace's, {}.",
            config.location
        )));
    }
    if let Some(namespace) = text("namespace") {
        check_namespace(namespace)?;
    }
    image(given.get("environmentImageRequest"))?;
    scaling(given)?;
    resources(&section(given, "containerResourceRequirements"))?;
    for (parent, key) in [
        ("livenessProbeRequirements", "periodSeconds"),
        ("livenessProbeRequirements", "initialDelaySeconds"),
        ("livenessProbeRequirements", "timeoutSeconds"),
        ("livenessProbeRequirements", "successThreshold"),
        ("livenessProbeRequirements", "failureThreshold"),
    ] {
        at_least_one(&section(given, parent)[key], &format!("{parent}.{key}"))?;
    }
    for key in [
        "maxConcurrentRequestsPerContainer",
        "maxQueueWaitMs",
        "scoringTimeoutMs",
        "numReplicas",
    ] {
        at_least_one(given.get(key).unwrap_or(&Value::Null), key)?;
    }
    let timeout = given.get("scoringTimeoutMs").and_then(Value::as_u64);
    if timeout.is_some_and(|timeout| timeout > LONGEST_TIMEOUT_MS) {
        return Err(ArmError::bad_request(format!(
            "'scoringTimeoutMs' must be at most {LONGEST_TIMEOUT_MS}."
        )));
    }
    let on = |key: &str| given.get(key) == Some(&Value::Bool(true));
    if on("authEnabled") && on("aadAuthEnabled") {
        return Err(ArmError::bad_request(
            "Authentication by key and by token cannot be enabled at once: 'authEnabled' and \
             'aadAuthEnabled' are both true.",
        ));
    }
    Ok(())
}

fn section(given: &Map<String, Value>, key: &str) -> Value {
    given.get(key).cloned().unwrap_or_default()
}

fn at_least_one(value: &Value, path: &str) -> Result<(), ArmError> {
    if value.as_u64() == Some(0) {
        return Err(ArmError::bad_request(format!("'{path}' must be above 0.")));
    }
    Ok(())
}

fn check_namespace(namespace: &str) -> Result<(), ArmError> {
    let fits = (1..=63).contains(&namespace.len())
        && namespace
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !namespace.starts_with('-')
        && !namespace.ends_with('-');
    if fits {
        return Ok(());
    }
    Err(ArmError::bad_request(format!(
        "The namespace '{namespace}' must have 1 to 63 lower-case letters, digits and hyphens, and \
         no hyphen at either end."
    )))
}

/// The request for an image: models with code and an environment, or one model alone.
fn image(image: Option<&Value>) -> Result<(), ArmError> {
    let image = image.filter(|image| image.as_object().is_some_and(|image| !image.is_empty()));
    let image = image.ok_or_else(|| {
        ArmError::bad_request("The request is empty: 'environmentImageRequest' says nothing.")
    })?;
    let models = image["modelIds"].as_array().map_or(0, Vec::len);
    if models > MOST_MODELS {
        return Err(ArmError::bad_request(format!(
            "A service can have at most {MOST_MODELS} models, not {models}."
        )));
    }
    let assets = image["assets"].as_array().map(Vec::as_slice);
    let driver = image["driverProgram"].as_str();
    let environment = image.get("environment");
    if (driver, environment, assets.unwrap_or_default().len()) == (None, None, 0) {
        return if models == 1 {
            Ok(())
        } else {
            Err(ArmError::bad_request(format!(
                "Without code and environment a service needs exactly one model, not {models}."
            )))
        };
    }
    let missing = |what: &str| {
        ArmError::bad_request(format!(
            "'environmentImageRequest.{what}' is required beside code."
        ))
    };
    environment.ok_or_else(|| missing("environment"))?;
    let driver = driver.ok_or_else(|| missing("driverProgram"))?;
    let assets = assets.ok_or_else(|| missing("assets"))?;
    for (index, asset) in assets.iter().enumerate() {
        for key in ["id", "mimeType", "url"] {
            if asset[key].as_str().is_none_or(str::is_empty) {
                return Err(missing(&format!("assets[{index}].{key}")));
            }
        }
    }
    if !assets.iter().any(|asset| asset["id"] == driver) {
        return Err(ArmError::bad_request(format!(
            "The driver program '{driver}' is not among the assets."
        )));
    }
    Ok(())
}

fn scaling(given: &Map<String, Value>) -> Result<(), ArmError> {
    let scaler = section(given, "autoScaler");
    let replicas = given.get("numReplicas").and_then(Value::as_u64);
    match (scaler["autoscaleEnabled"].as_bool(), replicas) {
        (Some(true), Some(_)) => {
            return Err(ArmError::bad_request(
                "'numReplicas' cannot be set while the autoscaler is on.",
            ));
        }
        (Some(false), None) => {
            return Err(ArmError::bad_request(
                "'numReplicas' is required when the autoscaler is off.",
            ));
        }
        _ => {}
    }
    for key in [
        "minReplicas",
        "maxReplicas",
        "targetUtilization",
        "refreshPeriodInSeconds",
    ] {
        at_least_one(&scaler[key], &format!("autoScaler.{key}"))?;
    }
    let target = scaler["targetUtilization"].as_u64();
    if target.is_some_and(|target| target > 100) {
        return Err(ArmError::bad_request(
            "'autoScaler.targetUtilization' is a percentage: 1 to 100.",
        ));
    }
    Ok(())
}

/// Checks the bounds of the autoscaler, of which one may be a default.
pub(crate) fn bounds(scaler: &Value) -> Result<(), ArmError> {
    let (least, most) = (
        scaler["minReplicas"].as_u64(),
        scaler["maxReplicas"].as_u64(),
    );
    if let (Some(least), Some(most)) = (least, most)
        && least > most
    {
        return Err(ArmError::bad_request(format!(
            "'autoScaler.minReplicas' ({least}) is above 'autoScaler.maxReplicas' ({most})."
        )));
    }
    Ok(())
}

fn resources(resources: &Value) -> Result<(), ArmError> {
    for (request, limit) in [("cpu", "cpuLimit"), ("memoryInGB", "memoryInGBLimit")] {
        let path = |key: &str| format!("containerResourceRequirements.{key}");
        for key in [request, limit] {
            if resources[key].as_f64().is_some_and(|number| number <= 0.0) {
                return Err(ArmError::bad_request(format!(
                    "'{}' must be above 0.",
                    path(key)
                )));
            }
        }
        if let (Some(least), Some(most)) = (resources[request].as_f64(), resources[limit].as_f64())
            && least > most
        {
            return Err(ArmError::bad_request(format!(
                "'{}' ({most}) is below '{}' ({least}).",
                path(limit),
                path(request)
            )));
        }
    }
    if resources["fpga"].as_u64().is_some_and(|fpga| fpga % 2 == 1) {
        return Err(ArmError::bad_request(
            "'containerResourceRequirements.fpga' must be a multiple of 2.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_follow_the_rule() {
        for good in ["abc", "my-service", "a23", &"a".repeat(32)] {
            assert!(super::name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ab",
            "Abc",
            "1abc",
            "abc-",
            "my_service",
            &"a".repeat(33),
        ] {
            assert!(super::name(bad).is_err(), "{bad}");
        }
    }
}
