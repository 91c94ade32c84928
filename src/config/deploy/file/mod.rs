//! `deploymentconfig.json`: the file of `az ml model deploy --dc`, by its own keys.

mod reader;

use super::auth::Auth;
use super::builder::DeployConfigurationBuilder;
use super::probe::LivenessProbe;
use super::replicas::{AutoScale, Replicas};
use crate::error::{Error, Violation};
use crate::rules::{self, Findings};
use azure_core::credentials::Secret;
use reader::Section;
use std::path::Path;
use std::time::Duration;

/// What an error calls the file.
const WHAT: &str = "deployment configuration file";

pub(super) fn from_file(path: &Path) -> Result<DeployConfigurationBuilder, Error> {
    reader::text(path)
        .map_err(|violation| vec![violation])
        .and_then(|text| parse(&text))
        .map_err(|found| {
            Error::validation(WHAT, found).with_context(|| format!("read {}", path.display()))
        })
}

pub(super) fn from_json(text: &str) -> Result<DeployConfigurationBuilder, Error> {
    parse(text).map_err(|found| Error::validation(WHAT, found))
}

fn parse(text: &str) -> Result<DeployConfigurationBuilder, Vec<Violation>> {
    let value = reader::value(text).map_err(|violation| vec![violation])?;
    let mut findings = Findings::default();
    let mut root = Section::root(&value, &mut findings);
    let builder = if value.is_object() {
        read(&mut root, &mut findings)
    } else {
        DeployConfigurationBuilder::default()
    };
    let mut found = findings.into_violations();
    // Values that are out of bounds come with what is wrong in the file, under the file's own names.
    let mut findings = Findings::default();
    builder.check(&mut findings);
    found.extend(
        findings
            .into_violations()
            .into_iter()
            .map(|violation| Violation {
                path: path_in_file(&violation.path).to_owned(),
                ..violation
            }),
    );
    if found.is_empty() {
        Ok(builder)
    } else {
        Err(found)
    }
}

fn read(root: &mut Section<'_>, findings: &mut Findings) -> DeployConfigurationBuilder {
    let mut builder = DeployConfigurationBuilder::default();
    check_compute_type(root, findings);
    builder.compute_target_name = root.text("computeTargetName", findings).map(str::to_owned);
    let mut scaler = root.section("autoScaler", findings);
    builder.settings.replicas = read_replicas(root, &mut scaler, findings);
    let mut collection = root.section("dataCollection", findings);
    builder.settings.collect_model_data = collection.flag("storageEnabled", findings);
    builder.settings.auth = read_auth(root, findings);
    let mut resources = root.section("containerResourceRequirements", findings);
    read_resources(root, &mut resources, &mut builder, findings);
    read_requests(root, &mut builder, findings);
    let mut keys = root.section("keys", findings);
    builder.keys.primary = secret(keys.text("primaryKey", findings));
    builder.keys.secondary = secret(keys.text("secondaryKey", findings));
    let mut probe = root.section("livenessProbeRequirements", findings);
    builder.settings.liveness_probe = read_probe(&mut probe, findings);
    builder.settings.namespace = root.text("namespace", findings).map(str::to_owned);
    builder.unknown_keys = [&*root, &scaler, &collection, &resources, &keys, &probe]
        .into_iter()
        .flat_map(Section::unknown)
        .collect();
    builder
}

fn check_compute_type(root: &mut Section<'_>, findings: &mut Findings) {
    let key = "computeType";
    let said = root.text(key, findings);
    let message = match said {
        Some(kind) if kind.eq_ignore_ascii_case("aks") => return,
        Some(kind) => format!("the file is for compute of the kind {kind:?}"),
        None if root.holds(key) => return,
        None => "the file does not say what kind of compute it is for".to_owned(),
    };
    findings.refuse(
        rules::DEPLOY_FILE_COMPUTE_TYPE,
        key,
        said,
        message,
        "write \"computeType\": \"aks\", if the other members are meant for AKS",
    );
}

fn read_replicas(
    root: &mut Section<'_>,
    scaler: &mut Section<'_>,
    findings: &mut Findings,
) -> Option<Replicas> {
    let enabled = scaler.flag("autoscaleEnabled", findings);
    let fixed = root.count("numReplicas", findings);
    let bounds = [
        ("minReplicas", scaler.count("minReplicas", findings)),
        ("maxReplicas", scaler.count("maxReplicas", findings)),
        (
            "targetUtilization",
            scaler.count("targetUtilization", findings),
        ),
        (
            "refreshPeriodInSeconds",
            scaler.count("refreshPeriodInSeconds", findings),
        ),
    ];
    let mut refuse = |path: &str, message: &str, remedy: &str| {
        findings.refuse(rules::DEPLOY_FILE_REPLICAS, path, None, message, remedy);
    };
    if enabled == Some(true) {
        if root.holds("numReplicas") {
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
    if enabled.is_none() && scaler.holds("autoscaleEnabled") {
        return None;
    }
    for (key, value) in bounds {
        if value.is_some() {
            refuse(
                &scaler.path_of(key),
                "this belongs to autoscaling, which is not turned on",
                "set autoScaler.autoscaleEnabled to true, or remove this",
            );
        }
    }
    if enabled == Some(false) && !root.holds("numReplicas") {
        refuse(
            &scaler.path_of("autoscaleEnabled"),
            "autoscaling is off, and no number of replicas is given",
            "give numReplicas, or leave autoscaling on",
        );
    }
    fixed.map(Replicas::Fixed)
}

fn read_auth(root: &mut Section<'_>, findings: &mut Findings) -> Option<Auth> {
    let keys = root.flag("authEnabled", findings);
    let tokens = root.flag("tokenAuthEnabled", findings);
    match (keys, tokens) {
        (Some(true), Some(true)) => {
            findings.refuse(
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
    root: &mut Section<'_>,
    section: &mut Section<'_>,
    builder: &mut DeployConfigurationBuilder,
    findings: &mut Findings,
) {
    let resources = &mut builder.settings.resources;
    resources.cpu_cores = section.number("cpu", findings);
    resources.cpu_cores_limit = section.number("cpuLimit", findings);
    resources.memory_gb = section.number("memoryInGB", findings);
    resources.memory_gb_limit = section.number("memoryInGBLimit", findings);
    resources.gpu_cores = root.count("gpuCores", findings);
}

fn read_requests(
    root: &mut Section<'_>,
    builder: &mut DeployConfigurationBuilder,
    findings: &mut Findings,
) {
    let milliseconds = |count: u32| Duration::from_millis(count.into());
    let settings = &mut builder.settings;
    settings.app_insights = root.flag("appInsightsEnabled", findings);
    settings.scoring_timeout = root.count("scoringTimeoutMs", findings).map(milliseconds);
    settings.max_concurrent_requests = root.count("maxConcurrentRequestsPerContainer", findings);
    settings.max_queue_wait = root.count("maxQueueWaitMs", findings).map(milliseconds);
}

fn read_probe(section: &mut Section<'_>, findings: &mut Findings) -> Option<LivenessProbe> {
    let mut probe = LivenessProbe::new();
    if let Some(period) = section.count("periodSeconds", findings) {
        probe = probe.period(seconds(period));
    }
    if let Some(delay) = section.count("initialDelaySeconds", findings) {
        probe = probe.initial_delay(seconds(delay));
    }
    if let Some(timeout) = section.count("timeoutSeconds", findings) {
        probe = probe.timeout(seconds(timeout));
    }
    if let Some(probes) = section.count("successThreshold", findings) {
        probe = probe.success_threshold(probes);
    }
    if let Some(probes) = section.count("failureThreshold", findings) {
        probe = probe.failure_threshold(probes);
    }
    (probe != LivenessProbe::new()).then_some(probe)
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

fn secret(text: Option<&str>) -> Option<Secret> {
    text.map(|text| Secret::new(text.to_owned()))
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
