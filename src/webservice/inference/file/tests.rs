use super::*;
use crate::package::script::Script;
use crate::webservice::InferenceConfiguration;
use proptest::prelude::*;
use serde_json::json;
use std::fs;
use tempfile::TempDir;

/// A folder with an `inferenceconfig.json`, a `score.py` and other files.
fn folder(config: &str, files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [("inferenceconfig.json", config), ("score.py", "")]
        .iter()
        .chain(files)
    {
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
        other => panic!("{other:?} is not a definition"),
    }
}

const CONDA: &str = "dependencies:\n- python=3.10\n- pip:\n  - azureml-defaults\n";

#[test]
fn flat_form_of_2019_becomes_an_environment_named_after_the_service() {
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
        ("src/app/score.py", ""),
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
    let script = folder.path().join("score.py");
    let config =
        good(&json!({ "entryScript": script, "condaFile": folder.path().join("env.yml") }));
    assert_eq!(config.entry_script(), Some(&*script));
}

#[test]
fn file_with_a_script_alone_has_no_environment() {
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
fn form_of_2020_is_a_whole_environment() {
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
            "baseImageRegistry": { "address": null, "username": null, "password": null, "registryIdentity": null },
            "platform": { "os": "Linux", "architecture": "amd64" },
            "buildContext": null,
        },
        "databricks": { "mavenLibraries": [] },
        "assetId": "azureml://x",
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
fn conda_file_of_an_environment_lies_in_the_source_directory() {
    let config = json!({
        "entryScript": "score.py",
        "sourceDirectory": "src",
        "environment": { "name": "e", "python": { "condaDependenciesFile": "env.yml" } },
    });
    let config = read_in(
        &folder(
            &config.to_string(),
            &[("src/env.yml", CONDA), ("src/score.py", "")],
        ),
        true,
    )
    .unwrap();
    assert_eq!(
        environment(&config)["python"]["condaDependencies"]["dependencies"][0],
        "python=3.10"
    );
}

#[test]
fn name_with_at_most_a_version_is_a_reference() {
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
            other => panic!("{other:?} is not a reference"),
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
            "condaFile": "env.yml",
            "docker": { "baseImage": "i", "baseImg": "j" },
        },
    });
    let folder = folder(&config.to_string(), &[]);
    let config = read_in(&folder, false).unwrap();
    assert_eq!(
        advice(&config),
        [
            ("inference_file.unknown_key", "entryscript"),
            ("inference_file.unknown_key", "environment.condaFile"),
            ("inference_file.unknown_key", "environment.docker.baseImg"),
        ]
    );
    assert_eq!(config.warnings()[2].remedy, "did you mean `baseImage`?");
    assert_eq!(config.warnings()[0].remedy, "did you mean `entryScript`?");
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
            ("inference_file.strict", "entryscript"),
            ("inference_file.strict", "environment.condaFile"),
            ("inference_file.strict", "environment.docker.baseImg"),
        ]
    );
}

#[test]
fn wrong_types_are_named_by_their_paths_and_come_at_once() {
    let config = json!({
        "entryScript": [1],
        "sourceDirectory": [],
        "environment": {
            "name": {},
            "environmentVariables": { "A": ["CANARY"] },
            "python": {
                "userManagedDependencies": "yes",
                "condaDependencies": { "dependencies": [1] },
            },
            "docker": {
                "arguments": ["a", []],
                "enabled": "CANARY",
                "baseImageRegistry": { "address": "r", "username": "u", "password": ["CANARY"] },
            },
            "spark": { "packages": [{ "group": [] }], "precachePackages": "CANARY, expected x" },
            "inferencingStackVersion": [],
        },
    });
    let text = config.to_string();
    let mut found = broken(&text);
    found.sort();
    let types = [
        "entryScript",
        "environment.docker.arguments[1]",
        "environment.docker.baseImageRegistry.password",
        "environment.docker.enabled",
        "environment.environmentVariables.A",
        "environment.inferencingStackVersion",
        "environment.name",
        "environment.python.userManagedDependencies",
        "environment.spark.packages[0].group",
        "environment.spark.precachePackages",
        "sourceDirectory",
    ];
    let mut expected = vec![
        (
            "conda.shape",
            "environment.python.condaDependencies.dependencies[0]".to_owned(),
        ),
        (
            "environment.registry",
            "environment.docker.baseImageRegistry".to_owned(),
        ),
    ];
    expected.extend(types.map(|path| ("inference_file.type", path.to_owned())));
    assert_eq!(found, expected);
    let error = read_in(&folder(&text, &[]), false).unwrap_err().to_string();
    assert!(!error.contains("CANARY"), "{error}");
    assert_eq!(
        broken(r#"{"entryScript":"score.py","environment":"e"}"#),
        [("inference_file.type", "environment".into())]
    );
}

#[test]
fn scalars_are_read_as_the_texts_that_microsofts_client_sends() {
    let text = "
entryScript: score.py
environment:
  name: e
  version: 1
  environmentVariables: {WORKER_COUNT: 4, DEBUG: yes, QUOTED: 'yes', RATE: 0.5, EMPTY: '', NONE: , DAY: 2022-02-03}
  docker: {baseImage: i, shmSize: 64, baseImageRegistry: r.azurecr.io}
";
    let config = read_in(&folder(text, &[]), true).unwrap();
    let environment = environment(&config);
    assert_eq!(environment["version"], "1");
    assert_eq!(
        environment["environmentVariables"],
        json!({
            "WORKER_COUNT": "4", "DEBUG": "true", "QUOTED": "yes", "RATE": "0.5", "EMPTY": "", "DAY": "2022-02-03",
        })
    );
    let registry = &environment["docker"]["baseImageRegistry"];
    assert_eq!(*registry, json!({ "address": "r.azurecr.io" }));
    assert_eq!(environment["docker"]["shmSize"], "64");
}

#[test]
fn empty_text_counts_as_absent() {
    let text = "
entryScript: score.py
runtime: python
condaFile:
baseImage: ''
extraDockerfileSteps: ''
baseImageRegistry: ''
sourceDirectory: ''
description: ''
environment: ''
";
    let config = read_in(&folder(text, &[]), true).unwrap();
    assert!(
        config
            .warnings()
            .iter()
            .all(|found| !found.path.contains("docker"))
    );
    assert_eq!(config.source_directory(), None);
    assert!(environment(&config).get("docker").is_none());
}

#[test]
fn whole_document_of_a_curated_environment_is_sent_with_a_warning() {
    let text = r#"{"entryScript":"score.py","environment":{"name":"AzureML-x","docker":{"baseImage":"i"}}}"#;
    let config = read_in(&folder(text, &[]), true).unwrap();
    assert_eq!(environment(&config)["name"], "AzureML-x");
    assert_eq!(
        advice(&config),
        [("inference_file.curated_environment", "environment.name")]
    );
}

#[test]
fn misspelt_entry_script_is_pointed_at() {
    for key in ["EntryScript", "entry_script", "entryscript", "entryScrpt"] {
        let error = read_in(&folder(&format!("{key}: score.py\n"), &[]), false).unwrap_err();
        let [missing, unknown] = error.findings() else {
            panic!("{error}")
        };
        assert_eq!(
            (missing.rule, &*missing.path),
            ("entry_script.missing", "entryScript")
        );
        assert_eq!(
            (&*unknown.path, &*unknown.remedy),
            (key, "did you mean `entryScript`?")
        );
    }
}

#[test]
fn warning_about_an_environment_is_named_by_its_path_in_the_file() {
    let flat = json!({ "entryScript": "score.py", "condaFile": "env.yml", "enableGpu": true });
    let files = [("env.yml", "dependencies: [python=3.8]")];
    let config = read_in(&folder(&flat.to_string(), &files), false).unwrap();
    assert_eq!(
        advice(&config),
        [
            ("conda.server_missing", "condaFile.dependencies"),
            ("environment.gpu_image", "enableGpu"),
        ]
    );
    let document =
        json!({ "python": { "interpreterPath": "/opt/python" }, "docker": { "gpuSupport": true } });
    let config = good(&json!({ "entryScript": "score.py", "environment": document }));
    assert_eq!(
        advice(&config),
        [
            (
                "environment.interpreter_unused",
                "environment.python.interpreterPath"
            ),
            ("environment.gpu_image", "environment.docker.gpuSupport"),
        ]
    );
}

#[test]
fn paths_are_looked_for_beside_the_file_then_in_the_working_directory() {
    // The working directory of tests is the checkout.
    let config = read_in(
        &folder("entryScript: examples/model_server/source/score.py", &[]),
        true,
    );
    let checkout = Path::new("examples/model_server/source/score.py");
    assert_eq!(config.unwrap().entry_script(), Some(checkout));
    let beside = folder(
        "{entryScript: lib.py, sourceDirectory: src}",
        &[("src/lib.py", "")],
    );
    let config = read_in(&beside, true).unwrap();
    assert_eq!(config.source_directory(), Some(&*beside.path().join("src")));

    let alone = folder(
        "{entryScript: lib.py, sourceDirectory: absent, condaFile: env.yml}",
        &[],
    );
    let error = read_in(&alone, false).unwrap_err();
    let [found] = error.findings() else {
        panic!("{error}")
    };
    assert_eq!(
        (found.rule, &*found.path),
        ("source_directory.folder", "sourceDirectory")
    );
    let beside = alone.path().join("absent").display().to_string();
    assert!(
        found
            .message
            .ends_with(&format!("looked for `{beside}` and `absent`")),
        "{found}"
    );

    // Below a source directory nothing else counts.
    let text = "{entryScript: lib.py, sourceDirectory: src, condaFile: env.yml, runtime: python}";
    let folder = folder(text, &[("src/lib.py", ""), ("env.yml", CONDA)]);
    let error = read_in(&folder, false).unwrap_err();
    let [found] = error.findings() else {
        panic!("{error}")
    };
    assert_eq!((found.rule, &*found.path), ("conda.file", "condaFile"));
    let inside = folder.path().join("src/env.yml").display().to_string();
    assert!(
        found.message.ends_with(&format!("looked for `{inside}`")),
        "{found}"
    );
}

#[test]
fn key_that_is_there_twice_is_refused() {
    for text in [
        r#"{"entryScript":"a.py","entryScript":"score.py"}"#,
        "entryScript: score.py\nenvironment: {environmentVariables: {A: CANARY, A: CANARY}}\n",
    ] {
        let error = read_in(&folder(text, &[]), false).unwrap_err();
        assert_eq!(error.findings()[0].rule, "inference_file.syntax");
        let text = error.to_string();
        assert!(
            text.contains("occurs twice") && !text.contains("CANARY"),
            "{text}"
        );
    }
}

#[test]
fn flat_form_with_retired_members_is_refused() {
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
            ("inference_file.docker_steps", "extraDockerFileSteps".into()),
            ("inference_file.cuda_version", "cudaVersion".into()),
        ]
    );
    assert_eq!(
        broken(r#"{"entryScript":"score.py","extraDockerfileSteps":"absent","baseImage":"i"}"#),
        [("dockerfile.file", "extraDockerfileSteps".into())]
    );
}

#[test]
fn broken_environment_is_reported_with_the_rest() {
    assert_eq!(
        broken(r#"{"environment":{"name":"a/b","docker":{"shmSize":"x"}}}"#),
        [
            ("segment.characters", "environment.name".into()),
            ("environment.shm_size", "environment.docker.shmSize".into()),
            ("entry_script.missing", "entryScript".into()),
        ]
    );
}

#[test]
fn value_that_breaks_a_rule_is_named_as_the_file_names_it() {
    // Beside it there is `score.py`, but not below it.
    let text = r#"{"entryScript":"../score.py","sourceDirectory":"a"}"#;
    let error = read_in(&folder(text, &[("a/b", "")]), false).unwrap_err();
    let [found] = error.findings() else {
        panic!("{error}")
    };
    assert_eq!(
        (found.rule, &*found.path),
        ("entry_script.outside", "entryScript")
    );
    let docker = json!({
        "entryScript": "score.py",
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
        broken(r#"{"entryScript":"score.py","baseImage":" "}"#),
        [("environment.empty", "baseImage".into())]
    );
}

#[test]
fn file_without_a_script_is_whole_once_the_builder_gets_one() {
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
fn text_is_read_as_a_file_of_its_base() {
    let folder = folder("", &[("src/score.py", "")]);
    let text = r#"{"entryScript":"score.py","sourceDirectory":"src","x":1}"#;
    let builder = InferenceConfiguration::builder_from_text(text, folder.path()).unwrap();
    let config = builder.clone().build().unwrap();
    assert_eq!(config.entry_script(), Some(Path::new("score.py")));
    assert_eq!(config.source_directory(), Some(&*folder.path().join("src")));
    assert_eq!(advice(&config), [("inference_file.unknown_key", "x")]);
    assert!(builder.strict(true).build().is_err());
    let elsewhere = InferenceConfiguration::builder_from_text(text, folder.path().join("src"));
    let error = elsewhere.unwrap().build().unwrap_err();
    assert_eq!(error.findings()[0].rule, "source_directory.folder");
}

#[test]
fn text_that_is_not_an_object_is_refused_with_the_name_of_the_file() {
    for (text, expected) in [
        ("", "the file is empty, and an object is expected"),
        ("[]", "an object is expected, and a list was found"),
        ("null", "the file is empty, and an object is expected"),
        ("score.py", "an object is expected, and a text was found"),
        (
            r#"{"entryScript" "score.py"}"#,
            "it is not valid YAML or JSON: did not find",
        ),
        (
            "password: !!int CANARY",
            "a value does not fit its tag at line 1",
        ),
        (
            "password: !secret CANARY",
            "a value does not fit its tag at line 1",
        ),
        ("a: &a {}\nb: {<<: *a}", "the merge key << is not supported"),
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
        assert!(!text.contains("CANARY"), "{text}");
    }
    let error = from_file(Path::new("does/not/exist.json")).unwrap_err();
    assert_eq!(error.findings()[0].rule, "inference_file.unreadable");
    assert_eq!(error.findings().len(), 1);

    let bom = "\u{feff}{\"entryScript\":\"score.py\"}";
    assert!(read_in(&folder(bom, &[]), true).is_ok());
    // What YAML does not read is read as JSON.
    let json = "\t{\"entryScript\":\"score.py\",\"description\":\"\\ud83d\\ude00\"}";
    assert!(read_in(&folder(json, &[]), true).is_ok());
}

#[test]
fn text_that_would_exhaust_memory_or_time_is_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let limit = 1024 * 1024;
    for (text, expected) in [
        (bomb, "repetition limit exceeded"),
        ("a: {".repeat(limit / 4), "more than 4096 opening brackets"),
        ("a: {".repeat(4096), "recursion limit exceeded"),
        ("- ".repeat(10_000), "recursion limit exceeded"),
    ] {
        let begun = std::time::Instant::now();
        let error = read_in(&folder(&text, &[]), false).unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert!(
            begun.elapsed().as_secs() < 20,
            "{expected}: {:?}",
            begun.elapsed()
        );
    }
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
