//! `deploymentconfig.json`: the file of `az ml model deploy --dc`, by its own keys.

use super::auth::{Auth, Keys};
use super::builder::DeployConfigurationBuilder;
use super::probe::LivenessProbe;
use super::replicas::{AutoScale, Replicas};
use super::resources::Resources;
use super::shared::Settings;
use crate::error::Error;
use crate::json::file::{Kind, Members};
use crate::rules;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

const KIND: Kind = Kind {
    what: "deployment configuration",
    unreadable: rules::DEPLOY_FILE_UNREADABLE,
    syntax: rules::DEPLOY_FILE_SYNTAX,
    wrong_type: rules::DEPLOY_FILE_TYPE,
    unknown_key: rules::DEPLOY_FILE_UNKNOWN_KEY,
};

pub(super) fn from_file(path: &Path) -> Result<DeployConfigurationBuilder, Error> {
    Ok(read(Members::of_file(KIND, path)?))
}

pub(super) fn from_text(text: &str) -> Result<DeployConfigurationBuilder, Error> {
    Ok(read(Members::of_text(KIND, text, Vec::new())?))
}

fn read(mut members: Members) -> DeployConfigurationBuilder {
    let file = &mut members;
    check_compute_type(file);
    let replicas = read_replicas(file);
    let milliseconds = |count: u32| Duration::from_millis(count.into());
    DeployConfigurationBuilder {
        compute_target_name: file.text("computeTargetName", "compute_target_name"),
        // A number is refused: as a text it may lose the zeros at its beginning.
        keys: Keys {
            primary: file.take("keys.primaryKey", "primary_key"),
            secondary: file.take("keys.secondaryKey", "secondary_key"),
        },
        settings: Settings {
            auth: read_auth(file),
            replicas,
            resources: read_resources(file),
            liveness_probe: read_probe(file),
            app_insights: file.take("appInsightsEnabled", ""),
            collect_model_data: file.take("dataCollection.storageEnabled", ""),
            scoring_timeout: file
                .count("scoringTimeoutMs", "scoring_timeout")
                .map(milliseconds),
            max_concurrent_requests: file.count(CONCURRENCY, "max_concurrent_requests"),
            max_queue_wait: file
                .count("maxQueueWaitMs", "max_queue_wait")
                .map(milliseconds),
            namespace: file.text("namespace", ""),
            description: None,
        },
        file: members.finish(),
        ..DeployConfigurationBuilder::default()
    }
}

const CONCURRENCY: &str = "maxConcurrentRequestsPerContainer";

fn check_compute_type(file: &mut Members) {
    let given = file.get("computeType").is_some();
    let compute_type = file.text("computeType", "");
    let message = match &compute_type {
        Some(kind) if kind.eq_ignore_ascii_case("aks") => return,
        Some(kind) => format!("the file is for compute of the kind {kind:?}"),
        // Of another type, which is noted.
        None if given => return,
        None => "the file does not say what kind of compute it is for".to_owned(),
    };
    let remedy = "write \"computeType\": \"aks\", if the other members are meant for AKS";
    let kind = compute_type.as_deref();
    file.note([rules::DEPLOY_FILE_COMPUTE_TYPE.finding("computeType", kind, message, remedy)]);
}

fn read_auth(file: &mut Members) -> Option<Auth> {
    let keys = file.take("authEnabled", "");
    let tokens = file.take("tokenAuthEnabled", "");
    match (keys, tokens) {
        (Some(true), Some(true)) => {
            let message = "keys and tokens are both turned on";
            let remedy = "set authEnabled to false for tokens, or remove tokenAuthEnabled for keys";
            let (rule, key) = (rules::DEPLOY_FILE_AUTH, "tokenAuthEnabled");
            file.note([rule.finding(key, Some("true"), message, remedy)]);
            None
        }
        (_, Some(true)) => Some(Auth::Token),
        (Some(false), _) => Some(Auth::Disabled),
        // Without tokens there are keys: that is the documented default of `authEnabled`.
        (Some(true), _) | (None, Some(false)) => Some(Auth::Key),
        (None, None) => None,
    }
}

/// Reads the number of replicas or their scaling, after a check for members that exclude one another.
fn read_replicas(file: &mut Members) -> Option<Replicas> {
    let refuse = |file: &mut Members, path: &str, message: &str, remedy: &str| {
        file.note([rules::DEPLOY_FILE_REPLICAS.finding(path, None, message, remedy)]);
    };
    let switch = "autoScaler.autoscaleEnabled";
    let fixed = file.get("numReplicas").is_some();
    match file.get(switch) {
        Some(Value::Bool(true)) if fixed => refuse(
            file,
            "numReplicas",
            "a number of replicas is given, and autoscaling is on",
            "remove numReplicas, or turn autoscaling off",
        ),
        Some(Value::Bool(false)) if !fixed => refuse(
            file,
            switch,
            "autoscaling is off, and no number of replicas is given",
            "give numReplicas, or leave autoscaling on",
        ),
        _ => {}
    }
    if matches!(file.get(switch), None | Some(Value::Bool(false))) {
        for path in [MIN, MAX, TARGET, REFRESH] {
            if file.get(path).is_some() {
                refuse(
                    file,
                    path,
                    "this belongs to autoscaling, which is not turned on",
                    "set autoScaler.autoscaleEnabled to true, or remove this",
                );
            }
        }
    }
    let enabled = file.take(switch, "");
    let scale = AutoScale {
        min_replicas: file.count(MIN, "replicas.min_replicas"),
        max_replicas: file.count(MAX, "replicas.max_replicas"),
        target_utilization: file.count(TARGET, "replicas.target_utilization"),
        refresh_period: file.count(REFRESH, "replicas.refresh_period").map(seconds),
    };
    let fixed = file.count("numReplicas", "replicas").map(Replicas::Fixed);
    if enabled == Some(true) {
        Some(scale.into())
    } else {
        fixed
    }
}

const MIN: &str = "autoScaler.minReplicas";
const MAX: &str = "autoScaler.maxReplicas";
const TARGET: &str = "autoScaler.targetUtilization";
const REFRESH: &str = "autoScaler.refreshPeriodInSeconds";

fn read_resources(file: &mut Members) -> Resources {
    let mut amount =
        |key: &str, code| file.take(&format!("containerResourceRequirements.{key}"), code);
    Resources {
        cpu_cores: amount("cpu", "cpu_cores"),
        cpu_cores_limit: amount("cpuLimit", "cpu_cores_limit"),
        memory_gb: amount("memoryInGB", "memory_gb"),
        memory_gb_limit: amount("memoryInGBLimit", "memory_gb_limit"),
        gpu_cores: file.count("gpuCores", "gpu_cores"),
        fpga_devices: None,
    }
}

fn read_probe(file: &mut Members) -> Option<LivenessProbe> {
    let mut count = |key: &str, code| file.count(&format!("livenessProbeRequirements.{key}"), code);
    let probe = LivenessProbe {
        period: count("periodSeconds", "liveness_probe.period").map(seconds),
        initial_delay: count("initialDelaySeconds", "liveness_probe.initial_delay").map(seconds),
        timeout: count("timeoutSeconds", "liveness_probe.timeout").map(seconds),
        success_threshold: count("successThreshold", "liveness_probe.success_threshold"),
        failure_threshold: count("failureThreshold", "liveness_probe.failure_threshold"),
    };
    (probe != LivenessProbe::new()).then_some(probe)
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(count.into())
}

#[cfg(test)]
mod tests;
