use super::*;
use crate::ErrorKind;
use crate::error::Finding;
use crate::names::ServiceName;
use crate::webservice::settings::DeployConfiguration;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Path and rule of all that is wrong with a file of these members.
fn broken(mut members: Value) -> Vec<(String, &'static str)> {
    if members.get("computeType").is_none() {
        members["computeType"] = "aks".into();
    }
    let error = from_json(&members.to_string()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    let found = error.findings().iter();
    found
        .map(|found| (found.path.clone(), found.rule))
        .collect()
}

fn config(mut members: Value) -> DeployConfiguration {
    members["computeType"] = "AKS".into();
    from_json(&members.to_string()).unwrap().build().unwrap()
}

/// What a file of these members says, as the service will read it.
fn body(members: Value) -> Value {
    let name = ServiceName::new("myservice").unwrap();
    let mut body = config(members).create_body(&name, "eastus", None, Value::Null, false);
    for always in ["name", "location", "computeType", "environmentImageRequest"] {
        body.as_object_mut().unwrap().remove(always);
    }
    body
}

/// The only thing to say about the file with everything: it has keys and turns tokens on.
fn keys_unused() -> Finding {
    let builder = DeployConfiguration::builder().auth(Auth::Token);
    let config = builder.primary_key("x").build().unwrap();
    config.warnings()[0].clone()
}

fn at(paths: &[&str], rule: &'static str) -> Vec<(String, &'static str)> {
    paths
        .iter()
        .map(|path| ((*path).to_owned(), rule))
        .collect()
}

#[test]
fn every_documented_key_becomes_the_member_of_the_service() {
    let file = json!({
        "computeTargetName": "myaks",
        "autoScaler": {
            "autoscaleEnabled": true, "minReplicas": 1, "maxReplicas": 3,
            "refreshPeriodInSeconds": 1, "targetUtilization": 70,
        },
        "dataCollection": { "storageEnabled": true },
        "authEnabled": false,
        "tokenAuthEnabled": true,
        "containerResourceRequirements": {
            "cpu": 0.5, "memoryInGB": 1, "cpuLimit": 1.5, "memoryInGBLimit": 2.0,
        },
        "gpuCores": 1.0,
        "appInsightsEnabled": true,
        "scoringTimeoutMs": 60000,
        "maxConcurrentRequestsPerContainer": 1,
        "maxQueueWaitMs": 500,
        "keys": { "primaryKey": "first", "secondaryKey": "second" },
        "livenessProbeRequirements": {
            "periodSeconds": 10, "initialDelaySeconds": 310, "timeoutSeconds": 2,
            "successThreshold": 1, "failureThreshold": 3,
        },
        "namespace": "scoring",
    });
    assert_eq!(
        body(file.clone()),
        json!({
            "computeName": "myaks",
            "autoScaler": {
                "autoscaleEnabled": true, "minReplicas": 1, "maxReplicas": 3,
                "refreshPeriodInSeconds": 1, "targetUtilization": 70,
            },
            "dataCollection": { "storageEnabled": true, "eventHubEnabled": false },
            "authEnabled": false,
            "aadAuthEnabled": true,
            "containerResourceRequirements": {
                "cpu": 0.5, "memoryInGB": 1.0, "cpuLimit": 1.5, "memoryInGBLimit": 2.0, "gpu": 1,
            },
            "appInsightsEnabled": true,
            "scoringTimeoutMs": 60000,
            "maxConcurrentRequestsPerContainer": 1,
            "maxQueueWaitMs": 500,
            "keys": { "primaryKey": "first", "secondaryKey": "second" },
            "livenessProbeRequirements": {
                "periodSeconds": 10, "initialDelaySeconds": 310, "timeoutSeconds": 2,
                "successThreshold": 1, "failureThreshold": 3,
            },
            "namespace": "scoring",
        })
    );
    assert_eq!(config(file).warnings(), [keys_unused()]);
}

#[test]
fn a_file_that_says_nothing_sends_nothing() {
    assert_eq!(body(json!({})), json!({}));
    let nulls = json!({
        "computeTargetName": null, "autoScaler": null, "dataCollection": null, "authEnabled": null,
        "tokenAuthEnabled": null, "containerResourceRequirements": { "cpu": null }, "gpuCores": null,
        "appInsightsEnabled": null, "scoringTimeoutMs": null, "keys": { "primaryKey": null },
        "numReplicas": null, "livenessProbeRequirements": null, "namespace": null,
        "maxConcurrentRequestsPerContainer": null, "maxQueueWaitMs": null,
    });
    assert_eq!(body(nulls), json!({}));
}

#[test]
fn the_two_switches_of_authentication_become_one() {
    for (keys, tokens, expected) in [
        (None, None, None),
        (Some(true), None, Some(Auth::Key)),
        (Some(true), Some(false), Some(Auth::Key)),
        (None, Some(false), Some(Auth::Key)),
        (None, Some(true), Some(Auth::Token)),
        (Some(false), Some(true), Some(Auth::Token)),
        (Some(false), None, Some(Auth::Disabled)),
        (Some(false), Some(false), Some(Auth::Disabled)),
    ] {
        let file = json!({ "authEnabled": keys, "tokenAuthEnabled": tokens });
        assert_eq!(config(file).auth(), expected, "{keys:?} {tokens:?}");
    }
    assert_eq!(
        broken(json!({ "authEnabled": true, "tokenAuthEnabled": true })),
        at(&["tokenAuthEnabled"], "deploy_file.auth")
    );
}

#[test]
fn a_file_asks_for_a_number_of_replicas_or_for_autoscaling() {
    const RULE: &str = "deploy_file.replicas";
    for (file, expected) in [
        (json!({ "numReplicas": 2 }), Some(Replicas::Fixed(2))),
        (
            json!({ "numReplicas": 2, "autoScaler": { "autoscaleEnabled": false } }),
            Some(Replicas::Fixed(2)),
        ),
        (
            json!({ "autoScaler": { "autoscaleEnabled": true } }),
            Some(AutoScale::new().into()),
        ),
        (json!({ "autoScaler": {} }), None),
    ] {
        assert_eq!(config(file.clone()).replicas().copied(), expected, "{file}");
    }
    for (file, paths) in [
        (
            json!({ "numReplicas": 2, "autoScaler": { "autoscaleEnabled": true } }),
            vec!["numReplicas"],
        ),
        (
            json!({ "autoScaler": { "autoscaleEnabled": false } }),
            vec!["autoScaler.autoscaleEnabled"],
        ),
        (
            json!({ "autoScaler": { "minReplicas": 1, "maxReplicas": 3 } }),
            vec!["autoScaler.minReplicas", "autoScaler.maxReplicas"],
        ),
        (
            json!({ "numReplicas": 2, "autoScaler": { "targetUtilization": 70, "refreshPeriodInSeconds": 1 } }),
            vec![
                "autoScaler.targetUtilization",
                "autoScaler.refreshPeriodInSeconds",
            ],
        ),
    ] {
        assert_eq!(broken(file.clone()), at(&paths, RULE), "{file}");
    }
}

#[test]
fn a_switch_of_the_wrong_type_is_not_taken_for_one_that_is_off() {
    let file = json!({ "autoScaler": { "autoscaleEnabled": "yes", "minReplicas": 1 } });
    assert_eq!(
        broken(file),
        at(&["autoScaler.autoscaleEnabled"], "deploy_file.type")
    );
    let file = json!({ "numReplicas": "2", "autoScaler": { "autoscaleEnabled": false } });
    assert_eq!(broken(file), at(&["numReplicas"], "deploy_file.type"));
}

#[test]
fn every_wrong_type_is_named_by_its_path_at_once() {
    let text = json!("text");
    let file = json!({
        "computeTargetName": 1,
        "autoScaler": {
            "autoscaleEnabled": text, "minReplicas": text, "maxReplicas": 1.5,
            "refreshPeriodInSeconds": -1, "targetUtilization": true,
        },
        "numReplicas": 3_000_000_000u32,
        "dataCollection": [],
        "authEnabled": text,
        "tokenAuthEnabled": 1,
        "containerResourceRequirements": {
            "cpu": "0.5", "memoryInGB": text, "cpuLimit": [], "memoryInGBLimit": {},
        },
        "gpuCores": text,
        "appInsightsEnabled": text,
        "scoringTimeoutMs": text,
        "maxConcurrentRequestsPerContainer": text,
        "maxQueueWaitMs": text,
        "keys": { "primaryKey": 12345, "secondaryKey": ["CANARY"] },
        "livenessProbeRequirements": {
            "periodSeconds": text, "initialDelaySeconds": text, "timeoutSeconds": text,
            "successThreshold": text, "failureThreshold": text,
        },
        "namespace": {},
    });
    let mut found = broken(file.clone());
    found.sort();
    let mut expected = at(
        &[
            "computeTargetName",
            "autoScaler.autoscaleEnabled",
            "autoScaler.minReplicas",
            "autoScaler.maxReplicas",
            "autoScaler.refreshPeriodInSeconds",
            "autoScaler.targetUtilization",
            "numReplicas",
            "dataCollection",
            "authEnabled",
            "tokenAuthEnabled",
            "containerResourceRequirements.cpu",
            "containerResourceRequirements.memoryInGB",
            "containerResourceRequirements.cpuLimit",
            "containerResourceRequirements.memoryInGBLimit",
            "gpuCores",
            "appInsightsEnabled",
            "scoringTimeoutMs",
            "maxConcurrentRequestsPerContainer",
            "maxQueueWaitMs",
            "keys.primaryKey",
            "keys.secondaryKey",
            "livenessProbeRequirements.periodSeconds",
            "livenessProbeRequirements.initialDelaySeconds",
            "livenessProbeRequirements.timeoutSeconds",
            "livenessProbeRequirements.successThreshold",
            "livenessProbeRequirements.failureThreshold",
            "namespace",
        ],
        "deploy_file.type",
    );
    expected.sort();
    assert_eq!(found, expected);

    let mut file = file;
    file["computeType"] = "aks".into();
    let text = from_json(&file.to_string()).unwrap_err().to_string();
    assert!(
        !text.contains("12345") && !text.contains("CANARY"),
        "{text}"
    );
}

#[test]
fn every_value_out_of_bounds_is_named_by_its_path_in_the_file() {
    let numbers = json!({
        "computeTargetName": "a/b",
        "numReplicas": 0,
        "containerResourceRequirements": {
            "cpu": 0, "memoryInGB": -1, "cpuLimit": 0.0, "memoryInGBLimit": 0,
        },
        "scoringTimeoutMs": 300_001,
        "maxConcurrentRequestsPerContainer": 0,
        "maxQueueWaitMs": 0,
        "keys": { "primaryKey": "", "secondaryKey": " " },
        "livenessProbeRequirements": {
            "periodSeconds": 0, "initialDelaySeconds": 0, "timeoutSeconds": 0,
            "successThreshold": 0, "failureThreshold": 0,
        },
        "namespace": "-",
    });
    let scaler = json!({ "autoScaler": {
        "autoscaleEnabled": true, "minReplicas": 0, "maxReplicas": 0, "targetUtilization": 101,
        "refreshPeriodInSeconds": 0,
    } });
    let mut found: Vec<String> = [broken(numbers), broken(scaler)]
        .concat()
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    found.sort();
    let mut expected: Vec<_> = NAMES
        .iter()
        .map(|(_, path)| *path)
        .filter(|path| *path != "gpuCores")
        .chain(["namespace"])
        .collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn wrong_types_and_values_out_of_bounds_come_together() {
    let file = json!({
        "gpuCores": "two", "namespace": "A", "autoScaler": { "maxReplicas": 3 },
    });
    assert_eq!(
        broken(file),
        [
            at(&["autoScaler.maxReplicas"], "deploy_file.replicas"),
            at(&["gpuCores"], "deploy_file.type"),
            at(&["namespace"], "namespace.syntax"),
        ]
        .concat()
    );
}

#[test]
fn the_kind_of_compute_is_required_and_compared_without_case() {
    for kind in ["aks", "AKS", "Aks"] {
        assert!(from_json(&json!({ "computeType": kind }).to_string()).is_ok());
    }
    for kind in ["aci", "aksendpoint", "local", ""] {
        let error = from_json(&json!({ "computeType": kind }).to_string()).unwrap_err();
        let found = &error.findings()[0];
        assert_eq!(found.rule, "deploy_file.compute_type");
        assert!(found.message.contains(&format!("{kind:?}")), "{found}");
    }
    for file in ["{}", r#"{ "computeType": null }"#] {
        let error = from_json(file).unwrap_err();
        assert_eq!(error.findings().len(), 1);
        assert_eq!(error.findings()[0].rule, "deploy_file.compute_type");
    }
    assert_eq!(
        broken(json!({ "computeType": 1 })),
        at(&["computeType"], "deploy_file.type")
    );
}

#[test]
fn keys_that_nobody_reads_are_warnings_or_refused() {
    let file = json!({
        "computeType": "aks", "sslEnabled": true, "autoScaler": { "autoscaleEnable": true },
        "keys": { "primary": "CANARY" }, "description": "x",
    });
    let builder = from_json(&file.to_string()).unwrap();
    let paths = [
        "description",
        "sslEnabled",
        "autoScaler.autoscaleEnable",
        "keys.primary",
    ];
    let config = builder.clone().build().unwrap();
    let mut seen: Vec<_> = config
        .warnings()
        .iter()
        .map(|warning| (warning.path.clone(), warning.rule))
        .collect();
    seen.sort();
    let mut expected = at(&paths, "deploy_file.unknown_key");
    expected.sort();
    assert_eq!(seen, expected);

    let error = builder.strict(true).build().unwrap_err();
    let found = error.findings().iter();
    let mut found: Vec<_> = found
        .map(|found| (found.path.clone(), found.rule))
        .collect();
    found.sort();
    let mut expected = at(&paths, "deploy_file.strict");
    expected.sort();
    assert_eq!(found, expected);
    assert!(!format!("{error}{config:?}").contains("CANARY"));
}

#[test]
fn more_can_be_said_after_the_file() {
    let text = r#"{ "computeType": "aks", "numReplicas": 2, "gpuCores": 1 }"#;
    let config = from_json(text)
        .unwrap()
        .replicas(5)
        .description("x")
        .build();
    let config = config.unwrap();
    assert_eq!(config.replicas(), Some(&Replicas::Fixed(5)));
    assert_eq!(config.gpu_cores(), Some(1));
    assert_eq!(config.description(), Some("x"));
}

/// A file of its own for each test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!(
            "azureml-aks-deploy-{name}-{}.json",
            std::process::id()
        ));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn a_file_is_read_with_or_without_a_byte_order_mark() {
    let text = r#"{ "computeType": "AKS", "gpuCores": 2 }"#;
    for (name, text) in [
        ("plain", text.to_owned()),
        ("bom", format!("\u{feff}{text}")),
    ] {
        let file = Scratch::new(name, text.as_bytes());
        let builder = DeployConfiguration::builder_from_file(&file.0).unwrap();
        assert_eq!(builder.build().unwrap().gpu_cores(), Some(2), "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_refused_by_its_name() {
    let broken = |path: &Path| {
        let error = from_file(path).unwrap_err();
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
        assert_eq!(error.findings().len(), 1);
        error.findings()[0].clone()
    };
    for path in [Path::new("does/not/exist.json"), &std::env::temp_dir()] {
        assert_eq!(broken(path).rule, "deploy_file.unreadable");
    }
    let latin = Scratch::new("latin", b"{ \"computeType\": \"\xe4\" }");
    let found = broken(&latin.0);
    assert_eq!(found.rule, "deploy_file.unreadable");
    assert!(found.message.contains("UTF-8"), "{found}");

    let large = Scratch::new("large", &vec![b' '; 1024 * 1024 + 1]);
    let found = broken(&large.0);
    assert_eq!(found.rule, "deploy_file.unreadable");
    assert!(found.message.contains("larger"), "{found}");

    for (name, text) in [
        ("empty", ""),
        ("yaml", "computeType: aks\n"),
        ("comma", r#"{ "computeType": "aks", }"#),
        ("huge", r#"{ "computeType": "aks", "gpuCores": 1e999 }"#),
        ("deep", &"[".repeat(100_000)),
    ] {
        let file = Scratch::new(name, text.as_bytes());
        assert_eq!(broken(&file.0).rule, "deploy_file.syntax", "{name}");
    }
    for (name, text) in [("list", "[]"), ("text", "\"aks\""), ("null", "null")] {
        let file = Scratch::new(name, text.as_bytes());
        let found = broken(&file.0);
        assert_eq!(
            (found.path.as_str(), found.rule),
            ("$", "deploy_file.type"),
            "{name}"
        );
    }
}
