//! `deploymentconfig.json`: the file of `az ml model deploy --dc`, by its own keys.

use super::auth::Auth;
use super::builder::DeployConfigurationBuilder;
use super::probe::LivenessProbe;
use super::replicas::{AutoScale, Replicas};
use crate::error::{Error, Finding};
use crate::json::object::{Object, Reading, kind};
use crate::json::text_file;
use crate::rules::{self, Findings, Refusal};
use azure_core::credentials::Secret;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// What an error calls the file.
const WHAT: &str = "deployment configuration file";

pub(super) fn from_file(path: &Path) -> Result<DeployConfigurationBuilder, Error> {
    let read = || {
        let text = text_file::read(path).map_err(|why| {
            refuse(
                rules::DEPLOY_FILE_UNREADABLE,
                Some(&path.to_string_lossy()),
                why,
                "give the path of a JSON file that this program may read",
            )
        })?;
        parse(&text)
    };
    read().map_err(|found| {
        Error::validation(WHAT, found).with_context(|| format!("read {}", path.display()))
    })
}

pub(super) fn from_json(text: &str) -> Result<DeployConfigurationBuilder, Error> {
    parse(text).map_err(|found| Error::validation(WHAT, found))
}

/// The one thing that is wrong, where nothing else is worth a look.
fn refuse(rule: Refusal, value: Option<&str>, why: String, remedy: &str) -> Vec<Finding> {
    vec![rule.finding("$", value, why, remedy)]
}

fn parse(text: &str) -> Result<DeployConfigurationBuilder, Vec<Finding>> {
    // Editors on Windows begin the file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value = serde_json::from_str(text).map_err(|error| {
        let remedy = "correct it; comments and trailing commas are no JSON";
        refuse(
            rules::DEPLOY_FILE_SYNTAX,
            None,
            format!("the file is no JSON: {error}"),
            remedy,
        )
    })?;
    let Value::Object(members) = value else {
        let why = format!("the file holds {}, not an object", kind(&value));
        let remedy = "write an object with the members that are documented";
        return Err(refuse(rules::DEPLOY_FILE_TYPE, None, why, remedy));
    };
    let mut reading = Reading::new(rules::DEPLOY_FILE_TYPE);
    let builder = read(Object::new(members, ""), &mut reading);
    let mut found = reading.findings.into_refusals();
    // Values that are out of bounds come with what is wrong in the file, under the file's own names.
    let mut findings = Findings::default();
    builder.check(&mut findings);
    found.extend(findings.into_refusals().into_iter().map(|finding| Finding {
        path: path_in_file(&finding.path).to_owned(),
        ..finding
    }));
    if found.is_empty() {
        Ok(builder)
    } else {
        Err(found)
    }
}

fn read(mut file: Object, reading: &mut Reading) -> DeployConfigurationBuilder {
    let root = &mut file;
    let mut builder = DeployConfigurationBuilder::default();
    check_compute_type(root, reading);
    builder.compute_target_name = root.text("computeTargetName", reading);
    let mut scaler = root.section("autoScaler", reading);
    builder.settings.replicas = read_replicas(root, &mut scaler, reading);
    let mut collection = root.section("dataCollection", reading);
    builder.settings.collect_model_data = collection.flag("storageEnabled", reading);
    builder.settings.auth = read_auth(root, reading);
    let mut resources = root.section("containerResourceRequirements", reading);
    read_resources(root, &mut resources, &mut builder, reading);
    read_requests(root, &mut builder, reading);
    let mut keys = root.section("keys", reading);
    builder.keys.primary = secret(keys.text("primaryKey", reading));
    builder.keys.secondary = secret(keys.text("secondaryKey", reading));
    let mut probe = root.section("livenessProbeRequirements", reading);
    builder.settings.liveness_probe = read_probe(&mut probe, reading);
    builder.settings.namespace = root.text("namespace", reading);
    for object in [scaler, collection, resources, keys, probe, file] {
        object.finish(reading);
    }
    let unknown = std::mem::take(&mut reading.unknown).into_iter();
    builder.unknown_keys = unknown.map(|key| key.place).collect();
    builder
}

fn check_compute_type(root: &mut Object, reading: &mut Reading) {
    let key = "computeType";
    let said = root.text(key, reading);
    let message = match said.as_deref() {
        Some(kind) if kind.eq_ignore_ascii_case("aks") => return,
        Some(kind) => format!("the file is for compute of the kind {kind:?}"),
        None if root.has(key) => return,
        None => "the file does not say what kind of compute it is for".to_owned(),
    };
    reading.findings.refuse(
        rules::DEPLOY_FILE_COMPUTE_TYPE,
        key,
        said.as_deref(),
        message,
        "write \"computeType\": \"aks\", if the other members are meant for AKS",
    );
}

fn read_replicas(
    root: &mut Object,
    scaler: &mut Object,
    reading: &mut Reading,
) -> Option<Replicas> {
    let enabled = scaler.flag("autoscaleEnabled", reading);
    let fixed = root.count("numReplicas", reading);
    let bounds = [
        ("minReplicas", scaler.count("minReplicas", reading)),
        ("maxReplicas", scaler.count("maxReplicas", reading)),
        (
            "targetUtilization",
            scaler.count("targetUtilization", reading),
        ),
        (
            "refreshPeriodInSeconds",
            scaler.count("refreshPeriodInSeconds", reading),
        ),
    ];
    let mut refuse = |path: &str, message: &str, remedy: &str| {
        reading
            .findings
            .refuse(rules::DEPLOY_FILE_REPLICAS, path, None, message, remedy);
    };
    if enabled == Some(true) {
        if root.has("numReplicas") {
            refuse(
                "numReplicas",
                "a number of replicas is given, and autoscaling is on",
                "remove numReplicas, or turn autoscaling off",
            );
        }
        let [(_, min), (_, max), (_, target), (_, refresh)] = bounds;
        let mut scale = AutoScale::new();
        if let Some(min) = min {
            scale = scale.min_replicas(min);
        }
        if let Some(max) = max {
            scale = scale.max_replicas(max);
        }
        if let Some(target) = target {
            scale = scale.target_utilization(target);
        }
        if let Some(refresh) = refresh {
            scale = scale.refresh_period(seconds(refresh));
        }
        return Some(scale.into());
    }
    // A switch of the wrong type is reported as that; what it switches cannot be judged then.
    if enabled.is_none() && scaler.has("autoscaleEnabled") {
        return None;
    }
    for (key, value) in bounds {
        if value.is_some() {
            refuse(
                &scaler.place(key),
                "this belongs to autoscaling, which is not turned on",
                "set autoScaler.autoscaleEnabled to true, or remove this",
            );
        }
    }
    if enabled == Some(false) && !root.has("numReplicas") {
        refuse(
            &scaler.place("autoscaleEnabled"),
            "autoscaling is off, and no number of replicas is given",
            "give numReplicas, or leave autoscaling on",
        );
    }
    fixed.map(Replicas::Fixed)
}

fn read_auth(root: &mut Object, reading: &mut Reading) -> Option<Auth> {
    let keys = root.flag("authEnabled", reading);
    let tokens = root.flag("tokenAuthEnabled", reading);
    match (keys, tokens) {
        (Some(true), Some(true)) => {
            reading.findings.refuse(
                rules::DEPLOY_FILE_AUTH,
                "tokenAuthEnabled",
                Some("true"),
                "keys and tokens are both turned on",
                "set authEnabled to false for tokens, or remove tokenAuthEnabled for keys",
            );
            None
        }
        (_, Some(true)) => Some(Auth::Token),
        (Some(false), _) => Some(Auth::Disabled),
        // Without tokens there are keys: that is the documented default of `authEnabled`.
        (Some(true), _) | (None, Some(false)) => Some(Auth::Key),
        (None, None) => None,
    }
}

fn read_resources(
    root: &mut Object,
    section: &mut Object,
    builder: &mut DeployConfigurationBuilder,
    reading: &mut Reading,
) {
    let resources = &mut builder.settings.resources;
    resources.cpu_cores = section.number("cpu", reading);
    resources.cpu_cores_limit = section.number("cpuLimit", reading);
    resources.memory_gb = section.number("memoryInGB", reading);
    resources.memory_gb_limit = section.number("memoryInGBLimit", reading);
    resources.gpu_cores = root.count("gpuCores", reading);
}

fn read_requests(
    root: &mut Object,
    builder: &mut DeployConfigurationBuilder,
    reading: &mut Reading,
) {
    let milliseconds = |count: u32| Duration::from_millis(count.into());
    let settings = &mut builder.settings;
    settings.app_insights = root.flag("appInsightsEnabled", reading);
    settings.scoring_timeout = root.count("scoringTimeoutMs", reading).map(milliseconds);
    settings.max_concurrent_requests = root.count("maxConcurrentRequestsPerContainer", reading);
    settings.max_queue_wait = root.count("maxQueueWaitMs", reading).map(milliseconds);
}

fn read_probe(section: &mut Object, reading: &mut Reading) -> Option<LivenessProbe> {
    let mut probe = LivenessProbe::new();
    if let Some(period) = section.count("periodSeconds", reading) {
        probe = probe.period(seconds(period));
    }
    if let Some(delay) = section.count("initialDelaySeconds", reading) {
        probe = probe.initial_delay(seconds(delay));
    }
    if let Some(timeout) = section.count("timeoutSeconds", reading) {
        probe = probe.timeout(seconds(timeout));
    }
    if let Some(probes) = section.count("successThreshold", reading) {
        probe = probe.success_threshold(probes);
    }
    if let Some(probes) = section.count("failureThreshold", reading) {
        probe = probe.failure_threshold(probes);
    }
    (probe != LivenessProbe::new()).then_some(probe)
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

fn secret(text: Option<String>) -> Option<Secret> {
    text.map(Secret::new)
}

/// Where the file has what the builder calls `path`.
fn path_in_file(path: &str) -> &str {
    NAMES
        .iter()
        .find(|(ours, _)| *ours == path)
        .map_or(path, |(_, theirs)| theirs)
}

/// Paths of the builder's checks, and the members of the file that they came from. Those that are
/// spelled alike are left out.
const NAMES: &[(&str, &str)] = &[
    ("compute_target_name", "computeTargetName"),
    ("replicas", "numReplicas"),
    ("replicas.min_replicas", "autoScaler.minReplicas"),
    ("replicas.max_replicas", "autoScaler.maxReplicas"),
    (
        "replicas.target_utilization",
        "autoScaler.targetUtilization",
    ),
    (
        "replicas.refresh_period",
        "autoScaler.refreshPeriodInSeconds",
    ),
    ("cpu_cores", "containerResourceRequirements.cpu"),
    ("cpu_cores_limit", "containerResourceRequirements.cpuLimit"),
    ("memory_gb", "containerResourceRequirements.memoryInGB"),
    (
        "memory_gb_limit",
        "containerResourceRequirements.memoryInGBLimit",
    ),
    ("gpu_cores", "gpuCores"),
    ("scoring_timeout", "scoringTimeoutMs"),
    (
        "max_concurrent_requests",
        "maxConcurrentRequestsPerContainer",
    ),
    ("max_queue_wait", "maxQueueWaitMs"),
    ("primary_key", "keys.primaryKey"),
    ("secondary_key", "keys.secondaryKey"),
    (
        "liveness_probe.period",
        "livenessProbeRequirements.periodSeconds",
    ),
    (
        "liveness_probe.initial_delay",
        "livenessProbeRequirements.initialDelaySeconds",
    ),
    (
        "liveness_probe.timeout",
        "livenessProbeRequirements.timeoutSeconds",
    ),
    (
        "liveness_probe.success_threshold",
        "livenessProbeRequirements.successThreshold",
    ),
    (
        "liveness_probe.failure_threshold",
        "livenessProbeRequirements.failureThreshold",
    ),
];

#[cfg(test)]
mod tests;
