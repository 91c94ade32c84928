use super::*;
use crate::environment::EnvironmentRef;
use crate::package::script::Script;
use crate::webservice::EnvironmentSource;
use proptest::prelude::*;
use serde_json::json;
use std::fs;
use tempfile::TempDir;

/// A folder with an `inferenceconfig.json` and other files.
fn folder(config: &str, files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("inferenceconfig.json"), config).unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn read_in(folder: &TempDir, strict: bool) -> Result<InferenceConfiguration, Error> {
    from_file(&folder.path().join("inferenceconfig.json"))?
        .strict(strict)
        .build()
}

fn good(config: &Value) -> InferenceConfiguration {
    read_in(&folder(&config.to_string(), &[]), false).unwrap()
}

fn broken(config: &str) -> Vec<(&'static str, String)> {
    let error = read_in(&folder(config, &[]), false).unwrap_err();
    let found = error.findings().iter();
    found.map(|v| (v.rule, v.path.clone())).collect()
}

fn advice(config: &InferenceConfiguration) -> Vec<(&'static str, &str)> {
    let warnings = config.warnings().iter();
    warnings.map(|w| (w.rule, w.path.as_str())).collect()
}

fn environment(config: &InferenceConfiguration) -> Value {
    match config.environment() {
        Some(EnvironmentSource::Definition(environment)) => environment.value("myservice"),
        other => panic!("{other:?} is no definition"),
    }
}

const CONDA: &str = "dependencies:\n- python=3.10\n- pip:\n  - azureml-defaults\n";

#[test]
fn the_flat_form_of_2019_becomes_an_environment_named_after_the_service() {
    let config = json!({
        "entryScript": "app/score.py",
        "runtime": "python",
        "condaFile": "env.yml",
        "extraDockerfileSteps": "steps",
        "sourceDirectory": "src",
        "enableGpu": true,
        "baseImage": "r.azurecr.io/gpu:1",
        "baseImageRegistry": { "address": "r.azurecr.io", "username": "me", "password": "CANARY" },
        "cudaVersion": "10.0",
        "description": "for people",
    });
    let files = [
        ("src/env.yml", CONDA),
        ("src/steps", "RUN apt-get update\n"),
    ];
    let folder = folder(&config.to_string(), &files);
    let config = read_in(&folder, true).unwrap();
    assert_eq!(
        environment(&config),
        json!({
            "name": "myservice-env",
            "python": {
                "condaDependencies": {
                    "dependencies": ["python=3.10", { "pip": ["azureml-defaults"] }],
                },
            },
            "docker": {
                "baseDockerfile": "FROM r.azurecr.io/gpu:1\nRUN apt-get update\n",
                "gpuSupport": true,
                "baseImageRegistry": {
                    "address": "r.azurecr.io", "username": "me", "password": "CANARY",
                },
            },
            "inferencingStackVersion": "latest",
        })
    );
    assert_eq!(
        advice(&config),
        [("inference_file.cuda_unused", "cudaVersion")]
    );
    assert_eq!(
        config.script(),
        &Script::Inside {
            directory: folder.path().join("src"),
            path: "app/score.py".into(),
        }
    );
    assert!(!format!("{config:?}").contains("CANARY"));
}

#[test]
fn paths_are_relative_to_the_folder_of_the_file() {
    let config = json!({ "entryScript": "score.py", "runtime": "Python", "condaFile": "env.yml" });
    let folder = folder(&config.to_string(), &[("env.yml", CONDA)]);
    let config = read_in(&folder, true).unwrap();
    assert_eq!(
        config.entry_script(),
        Some(&*folder.path().join("score.py"))
    );
    assert!(advice(&config).is_empty());
    // The file of another folder is not in the way of absolute paths.
    let elsewhere = json!({
        "entryScript": "/somewhere/score.py", "condaFile": folder.path().join("env.yml"),
    });
    let config = good(&elsewhere);
    assert_eq!(
        config.entry_script(),
        Some(Path::new("/somewhere/score.py"))
    );
}

#[test]
fn a_file_with_a_script_alone_has_no_environment() {
    let config =
        good(&json!({ "entryScript": "score.py", "environment": null, "enableGpu": null }));
    assert!(config.environment().is_none() && config.warnings().is_empty());
    // A runtime alone is the environment that the Python SDK makes of it.
    let config = good(&json!({ "entryScript": "score.py", "runtime": "python" }));
    assert_eq!(
        environment(&config),
        json!({
            "name": "myservice-env",
            "python": {
                "condaDependencies": { "dependencies": [{ "pip": ["azureml-defaults"] }] },
            },
        })
    );
    let config = good(&json!({ "entryScript": "score.py", "baseImage": "i", "enableGpu": false }));
    assert_eq!(
        environment(&config)["docker"],
        json!({ "baseImage": "i", "gpuSupport": false })
    );
    assert_eq!(environment(&config)["inferencingStackVersion"], "latest");
}

#[test]
fn the_form_of_2020_is_a_whole_environment() {
    let document = json!({
        "name": "myenv",
        "version": "2",
        "environmentVariables": { "A": "1", "B": null },
        "python": {
            "userManagedDependencies": false,
            "interpreterPath": "python",
            "condaDependenciesFile": null,
            "condaDependencies": {
                "name": "project_environment",
                "channels": ["conda-forge"],
                "dependencies": ["python=3.8", { "pip": ["azureml-defaults"] }],
            },
            "baseCondaEnvironment": null,
        },
        "docker": {
            "enabled": true,
            "baseImage": "i:1",
            "baseDockerfile": null,
            "sharedVolumes": true,
            "gpuSupport": false,
            "shmSize": "2g",
            "arguments": ["--x"],
            "baseImageRegistry": { "address": null, "username": null, "password": null },
        },
        "spark": {
            "repositories": ["https://r.example.com"],
            "packages": [{ "group": "g", "artifact": "a", "version": "1" }],
            "precachePackages": true,
        },
        "r": null,
        "inferencingStackVersion": "latest",
    });
    let config = json!({ "entryScript": "score.py", "environment": document });
    let config = read_in(&folder(&config.to_string(), &[]), true).unwrap();
    assert!(advice(&config).is_empty(), "{:?}", config.warnings());
    assert_eq!(
        environment(&config),
        json!({
            "name": "myenv",
            "version": "2",
            "environmentVariables": { "A": "1" },
            "python": {
                "userManagedDependencies": false,
                "interpreterPath": "python",
                "condaDependencies": {
                    "name": "project_environment",
                    "channels": ["conda-forge"],
                    "dependencies": ["python=3.8", { "pip": ["azureml-defaults"] }],
                },
            },
            "docker": {
                "enabled": true,
                "baseImage": "i:1",
                "sharedVolumes": true,
                "gpuSupport": false,
                "shmSize": "2g",
                "arguments": ["--x"],
            },
            "spark": {
                "repositories": ["https://r.example.com"],
                "packages": [{ "group": "g", "artifact": "a", "version": "1" }],
                "precachePackages": true,
            },
            "inferencingStackVersion": "latest",
        })
    );
}

#[test]
fn a_conda_file_of_an_environment_lies_in_the_source_directory() {
    let config = json!({
        "entryScript": "score.py",
        "sourceDirectory": "src",
        "environment": { "name": "e", "python": { "condaDependenciesFile": "env.yml" } },
    });
    let config = read_in(
        &folder(&config.to_string(), &[("src/env.yml", CONDA)]),
        true,
    )
    .unwrap();
    assert_eq!(
        environment(&config)["python"]["condaDependencies"]["dependencies"][0],
        "python=3.10"
    );
}

#[test]
fn a_name_with_at_most_a_version_is_a_reference() {
    for (document, expected) in [
        (
            json!({ "name": "AzureML-Minimal" }),
            EnvironmentRef::latest("AzureML-Minimal"),
        ),
        (
            json!({ "name": "e", "version": "3" }),
            EnvironmentRef::version("e", "3"),
        ),
        (
            json!({ "name": "e", "version": null, "r": null }),
            EnvironmentRef::latest("e"),
        ),
    ] {
        let config = good(&json!({ "entryScript": "score.py", "environment": document }));
        match config.environment() {
            Some(EnvironmentSource::Registered(reference)) => assert_eq!(reference, &expected),
            other => panic!("{other:?} is no reference"),
        }
    }
    assert_eq!(
        broken(r#"{"entryScript":"score.py","environment":{"name":"a/b"}}"#),
        [("segment.characters", "environment.name".into())]
    );
}

#[test]
fn flat_keys_beside_an_environment_are_ignored_with_a_warning() {
    let config = good(&json!({
        "entryScript": "score.py",
        "description": "d",
        "environment": { "name": "e" },
        "condaFile": "no/such/file",
        "enableGpu": "not looked at",
        "cudaVersion": null,
    }));
    assert_eq!(
        advice(&config),
        [
            ("inference_file.ignored_key", "condaFile"),
            ("inference_file.ignored_key", "enableGpu"),
        ]
    );
}

#[test]
fn unknown_keys_are_warnings_and_refused_in_strict_mode() {
    let config = json!({
        "entryScript": "score.py",
        "entryscript": "x.py",
        "nothing": null,
        "environment": {
            "name": "e",
            "databricks": {},
            "docker": { "baseImage": "i", "platform": { "os": "Linux" } },
        },
    });
    let folder = folder(&config.to_string(), &[]);
    let config = read_in(&folder, false).unwrap();
    assert_eq!(
        advice(&config),
        [
            ("inference_file.unknown_key", "environment.docker.platform"),
            ("inference_file.unknown_key", "environment.databricks"),
            ("inference_file.unknown_key", "entryscript"),
        ]
    );
    assert_eq!(config.warnings()[2].remedy, "write entryScript");
    // They stay when the configuration is changed, and come once.
    assert_eq!(config.into_builder().build().unwrap().warnings().len(), 3);

    let error = read_in(&folder, true).unwrap_err();
    let found: Vec<_> = error
        .findings()
        .iter()
        .map(|v| (v.rule, v.path.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("inference_file.strict", "environment.docker.platform"),
            ("inference_file.strict", "environment.databricks"),
            ("inference_file.strict", "entryscript"),
        ]
    );
}

#[test]
fn every_wrong_type_is_named_by_its_json_path_at_once() {
    let config = json!({
        "entryScript": 1,
        "sourceDirectory": [],
        "description": {},
        "environment": {
            "name": 1,
            "version": 2,
            "environmentVariables": { "A": 1 },
            "python": {
                "userManagedDependencies": "yes",
                "condaDependencies": { "dependencies": [1] },
            },
            "docker": {
                "arguments": ["a", 1],
                "enabled": 1,
                "baseImageRegistry": { "address": "r", "username": "u", "password": ["CANARY"] },
            },
            "spark": { "packages": [1, { "group": 1 }] },
            "inferencingStackVersion": 1.5,
        },
    });
    let text = config.to_string();
    let found = broken(&text);
    let types: Vec<&str> = found
        .iter()
        .filter(|(rule, _)| *rule == "inference_file.type")
        .map(|(_, path)| path.as_str())
        .collect();
    assert_eq!(
        types,
        [
            "sourceDirectory",
            "entryScript",
            "description",
            "environment.name",
            "environment.version",
            "environment.environmentVariables.A",
            "environment.python.userManagedDependencies",
            "environment.docker.enabled",
            "environment.docker.baseImageRegistry.password",
            "environment.docker.arguments[1]",
            "environment.spark.packages[0]",
            "environment.spark.packages[1].group",
            "environment.inferencingStackVersion",
        ]
    );
    let conda = (
        "conda.shape",
        "environment.python.condaDependencies.dependencies[0]".to_owned(),
    );
    assert!(found.contains(&conda), "{found:?}");
    assert!(
        !read_in(&folder(&text, &[]), false)
            .unwrap_err()
            .to_string()
            .contains("CANARY")
    );
    assert_eq!(
        broken(r#"{"entryScript":"score.py","environment":"e"}"#),
        [("inference_file.type", "environment".into())]
    );
}

#[test]
fn what_the_flat_form_cannot_say_any_more_is_refused() {
    assert_eq!(
        broken(
            r#"{"entryScript":"score.py","runtime":"spark-py","condaFile":"absent.yml",
                "extraDockerFileSteps":"absent","cudaVersion":"12.1",
                "baseImageRegistry":{"address":"r","username":"me"}}"#
        ),
        [
            ("inference_file.runtime", "runtime".into()),
            ("conda.file", "condaFile".into()),
            ("environment.registry", "baseImageRegistry".into()),
            ("dockerfile.file", "extraDockerFileSteps".into()),
            ("inference_file.docker_steps", "extraDockerFileSteps".into()),
            ("inference_file.cuda_version", "cudaVersion".into()),
        ]
    );
}

#[test]
fn a_broken_environment_is_told_with_the_rest() {
    assert_eq!(
        broken(r#"{"environment":{"name":"AzureML-x","docker":{"shmSize":"x"}}}"#),
        [
            ("environment.name_reserved", "environment.name".into()),
            ("environment.shm_size", "environment.docker.shmSize".into()),
            ("entry_script.missing", "entryScript".into()),
        ]
    );
}

#[test]
fn a_value_that_breaks_a_rule_is_named_as_the_file_names_it() {
    assert_eq!(
        broken(r#"{"entryScript":"../x.py","sourceDirectory":"a"}"#),
        [("entry_script.outside", "entryScript".into())]
    );
    assert_eq!(
        broken(r#"{"entryScript":"x.py","sourceDirectory":""}"#),
        [("source_directory.folder", "sourceDirectory".into())]
    );
    let docker = json!({
        "entryScript": "x.py",
        "environment": {
            "docker": { "baseImage": "i", "baseDockerfile": "FROM i" },
            "python": { "interpreterPath": " ", "condaDependencies": { "channels": [""] } },
        },
    });
    let paths: Vec<String> = broken(&docker.to_string())
        .into_iter()
        .map(|(_, path)| path)
        .collect();
    assert_eq!(
        paths,
        [
            "environment.python.interpreterPath",
            "environment.python.condaDependencies.channels[0]",
            "environment.docker.baseDockerfile",
        ]
    );
    assert_eq!(
        broken(r#"{"entryScript":"x.py","baseImage":" "}"#),
        [("environment.empty", "baseImage".into())]
    );
}

#[test]
fn a_file_without_a_script_is_whole_once_the_builder_gets_one() {
    let folder = folder(r#"{"environment":{"name":"e"},"x":1}"#, &[]);
    let path = folder.path().join("inferenceconfig.json");
    let builder = from_file(&path).unwrap();
    let error = builder.clone().build().unwrap_err();
    assert_eq!(error.findings()[0].rule, "entry_script.missing");
    let config = builder.clone().entry_script("score.py").build().unwrap();
    assert_eq!(advice(&config), [("inference_file.unknown_key", "x")]);
    // In strict mode the script is reported along with the key, which may be why it is missing.
    let error = builder.strict(true).build().unwrap_err();
    let found: Vec<_> = error.findings().iter().map(|v| v.rule).collect();
    assert_eq!(found, ["entry_script.missing", "inference_file.strict"]);
}

#[test]
fn a_text_is_read_as_a_file_of_the_current_folder() {
    let text = r#"{"entryScript":"score.py","sourceDirectory":"src","x":1}"#;
    let builder = InferenceConfiguration::builder_from_json(text).unwrap();
    let config = builder.clone().build().unwrap();
    assert_eq!(config.entry_script(), Some(Path::new("score.py")));
    assert_eq!(config.source_directory(), Some(Path::new("src")));
    assert_eq!(advice(&config), [("inference_file.unknown_key", "x")]);
    assert!(builder.strict(true).build().is_err());
    let error = InferenceConfiguration::builder_from_json("[]").unwrap_err();
    assert_eq!(error.findings()[0].rule, "inference_file.syntax");
    assert_eq!(error.findings()[0].value, None);
}

#[test]
fn what_is_no_json_object_is_refused_with_the_name_of_the_file() {
    for (text, expected) in [
        ("", "it is no JSON"),
        ("[]", "it is a list, not an object"),
        ("null", "it is null, not an object"),
        (
            "entryScript: score.py",
            "it is no JSON: expected value at line 1",
        ),
        (r#"{"entryScript":"score.py",}"#, "it is no JSON"),
    ] {
        let folder = folder(text, &[]);
        let error = read_in(&folder, false).unwrap_err();
        let found: Vec<_> = error.findings().iter().map(|v| v.rule).collect();
        assert_eq!(found, ["inference_file.syntax"], "{text}");
        let text = error.to_string();
        assert!(
            text.contains(expected) && text.contains("inferenceconfig.json"),
            "{text}"
        );
    }
    let error = from_file(Path::new("does/not/exist.json")).unwrap_err();
    assert_eq!(error.findings()[0].rule, "inference_file.unreadable");
    assert_eq!(error.findings().len(), 1);

    let bom = "\u{feff}{\"entryScript\":\"score.py\"}";
    assert!(read_in(&folder(bom, &[]), true).is_ok());
}

/// Any JSON, with keys that are known often enough to matter.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z/.]{0,5}".prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec![
        "environment",
        "name",
        "version",
        "python",
        "docker",
        "spark",
        "packages",
        "arguments",
        "condaDependencies",
        "dependencies",
        "pip",
        "baseImageRegistry",
        "address",
        "username",
        "entryScript",
        "sourceDirectory",
        "condaFile",
        "environmentVariables",
        "other",
    ]);
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(keys.clone(), inner, 0..6)
                .prop_map(|map| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_makes_the_reader_panic_and_every_refusal_has_a_path(config in any_json()) {
        let folder = folder(&config.to_string(), &[]);
        if let Err(error) = read_in(&folder, false) {
            prop_assert!(!error.findings().is_empty());
            for finding in error.findings() {
                prop_assert!(!finding.path.is_empty(), "{}", finding);
            }
        }
    }
}
