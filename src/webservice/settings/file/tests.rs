use super::*;
use crate::ErrorKind;
use crate::names::ServiceName;
use crate::webservice::settings::DeployConfiguration;
use serde_json::{Value, json};
use std::path::PathBuf;

fn built(text: &str) -> Result<DeployConfiguration, Error> {
    from_text(text)?.build()
}

/// Path and rule of all that is wrong with a file of these members.
fn broken(mut members: Value) -> Vec<(String, &'static str)> {
    if members.get("computeType").is_none() {
        members["computeType"] = "aks".into();
    }
    let error = built(&members.to_string()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    let found = error.findings().iter();
    found
        .map(|found| (found.path.clone(), found.rule))
        .collect()
}

fn config(mut members: Value) -> DeployConfiguration {
    members["computeType"] = "AKS".into();
    built(&members.to_string()).unwrap()
}

/// Returns the settings of a file with these members, as the service will read them.
fn body(members: Value) -> Value {
    let name = ServiceName::new("myservice").unwrap();
    let mut body = config(members).create_body(&name, "eastus", None, Value::Null, false);
    for always in ["name", "location", "computeType", "environmentImageRequest"] {
        body.as_object_mut().unwrap().remove(always);
    }
    body
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
    // The only thing to say about it: it has keys and turns tokens on.
    let config = config(file);
    let [warning] = config.warnings() else {
        panic!("{config:?}")
    };
    assert_eq!(
        (&*warning.path, warning.rule),
        ("keys.primaryKey", "deploy.keys.unused")
    );
}

#[test]
fn empty_file_sends_nothing() {
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
fn two_switches_of_authentication_become_one() {
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
fn file_asks_for_a_number_of_replicas_or_for_autoscaling() {
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
fn switch_of_the_wrong_type_is_not_taken_for_one_that_is_off() {
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
        "computeTargetName": [1],
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
    let text = built(&file.to_string()).unwrap_err().to_string();
    assert!(
        !text.contains("12345") && !text.contains("CANARY"),
        "{text}"
    );
}

#[test]
fn value_out_of_bounds_is_named_by_its_path_in_the_file() {
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
        "dataCollection": {}, "gpuCores": 1,
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
    let mut expected = [
        "computeTargetName",
        "numReplicas",
        "containerResourceRequirements.cpu",
        "containerResourceRequirements.cpuLimit",
        "containerResourceRequirements.memoryInGB",
        "containerResourceRequirements.memoryInGBLimit",
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
        "autoScaler.minReplicas",
        "autoScaler.maxReplicas",
        "autoScaler.targetUtilization",
        "autoScaler.refreshPeriodInSeconds",
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn warning_is_named_by_its_path_in_the_file() {
    let file = json!({
        "maxConcurrentRequestsPerContainer": 2,
        "livenessProbeRequirements": { "successThreshold": 2 },
    });
    let config = config(file);
    let paths: Vec<_> = config
        .warnings()
        .iter()
        .map(|found| found.path.as_str())
        .collect();
    assert_eq!(
        paths,
        [
            "livenessProbeRequirements.successThreshold",
            "maxConcurrentRequestsPerContainer",
        ]
    );
}

#[test]
fn wrong_types_come_with_values_out_of_bounds_and_unknown_keys() {
    let file = json!({
        "gpuCores": "two", "namespace": "A", "autoScaler": { "maxReplicas": 3 }, "tokenAuthEnable": true,
    });
    assert_eq!(
        broken(file),
        [
            at(&["autoScaler.maxReplicas"], "deploy_file.replicas"),
            at(&["gpuCores"], "deploy_file.type"),
            at(&["namespace"], "namespace.syntax"),
            at(&["tokenAuthEnable"], "deploy_file.unknown_key"),
        ]
        .concat()
    );
}

#[test]
fn compute_type_is_required_and_compared_without_case() {
    for kind in ["aks", "AKS", "Aks"] {
        assert!(built(&json!({ "computeType": kind }).to_string()).is_ok());
    }
    for kind in ["aci", "aksendpoint", "local", " aks "] {
        let error = built(&json!({ "computeType": kind }).to_string()).unwrap_err();
        let found = &error.findings()[0];
        assert_eq!(found.rule, "deploy_file.compute_type");
        assert!(found.message.contains(&format!("{kind:?}")), "{found}");
    }
    for file in ["{}", r#"{ "computeType": null }"#, "computeType: ''"] {
        let error = built(file).unwrap_err();
        assert_eq!(error.findings().len(), 1);
        assert_eq!(error.findings()[0].rule, "deploy_file.compute_type");
    }
    assert_eq!(
        broken(json!({ "computeType": ["aks"] })),
        at(&["computeType"], "deploy_file.type")
    );
}

#[test]
fn misspelt_compute_type_is_pointed_at() {
    for key in ["computetype", "compute_type", "ComputeType", "computeTyp"] {
        let error = built(&format!("{key}: aks\n")).unwrap_err();
        let [missing, unknown] = error.findings() else {
            panic!("{error}")
        };
        assert_eq!(
            (missing.path.as_str(), unknown.path.as_str()),
            ("computeType", key)
        );
        assert_eq!(unknown.remedy, "did you mean `computeType`?");
    }
}

#[test]
fn keys_that_nobody_reads_are_warnings_or_refused() {
    let file = json!({
        "computeType": "aks", "sslEnabled": true, "autoScaler": { "autoscaleEnable": true },
        "keys": { "primary": "CANARY" }, "description": "x",
    });
    let builder = from_text(&file.to_string()).unwrap();
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
fn builder_adds_to_the_file() {
    let text = r#"{ "computeType": "aks", "numReplicas": 2, "gpuCores": 1 }"#;
    let config = from_text(text)
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
fn file_is_read_with_or_without_a_byte_order_mark() {
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
fn error_about_the_members_names_the_file() {
    let file = Scratch::new("range", b"computeType: aks\nnumReplicas: 0\n");
    let error = from_file(&file.0).unwrap().build().unwrap_err();
    assert_eq!(error.findings()[0].path, "numReplicas");
    assert!(
        error.to_string().contains(file.0.to_str().unwrap()),
        "{error}"
    );
}

#[test]
fn yaml_is_read_as_microsofts_client_reads_it() {
    let text = "
# for AKS
computeType: AKS
autoScaler: {autoscaleEnabled: True, minReplicas: 1, maxReplicas: 3,}
authEnabled: off
tokenAuthEnabled: yes
dataCollection:
    storageEnabled: on
appInsightsEnabled: 'no'
namespace: ''
keys:
    primaryKey:
";
    let found = built(text).unwrap_err();
    let found: Vec<_> = found
        .findings()
        .iter()
        .map(|found| found.path.as_str())
        .collect();
    assert_eq!(
        found,
        ["appInsightsEnabled"],
        "a text in quotation marks is not a boolean"
    );
    let config = built(&text.replace("'no'", "No")).unwrap();
    assert_eq!(config.auth(), Some(Auth::Token));
    assert_eq!(
        (config.collect_model_data(), config.app_insights()),
        (Some(true), Some(false))
    );
    assert_eq!(config.namespace(), None);
    assert!(config.warnings().is_empty());
}

#[test]
fn key_of_a_service_is_a_text() {
    assert_eq!(
        broken(json!({ "keys": { "primaryKey": 123_456, "secondaryKey": "" } })),
        [
            at(&["keys.primaryKey"], "deploy_file.type"),
            at(&["keys.secondaryKey"], "deploy.keys.empty"),
        ]
        .concat()
    );
}

#[test]
fn file_that_cannot_be_read_is_refused_by_its_name() {
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

    let large = Scratch::new("large", &vec![b' '; 1024 * 1024 + 1]);
    let found = broken(&large.0);
    assert_eq!(found.rule, "deploy_file.unreadable");

    for (name, text) in [
        ("empty", ""),
        ("slashes", "{ // aks\n \"computeType\": \"aks\" }"),
        ("list", "[]"),
        ("text", "aks"),
        ("null", "null"),
        ("infinite", "computeType: aks\ngpuCores: .inf\n"),
        ("twice", "computeType: aks\ncomputeType: aks\n"),
    ] {
        let file = Scratch::new(name, text.as_bytes());
        let found = broken(&file.0);
        let found = (found.path.as_str(), found.rule);
        assert_eq!(found, ("$", "deploy_file.syntax"), "{name}");
    }
}
