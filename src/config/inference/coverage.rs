//! Breaks every rule of this folder, for the check that no rule is dead.

use super::package;
use super::*;
use crate::error::{Error, Finding};
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Errors and warnings that together break all of them.
pub(in crate::config) fn breaches() -> (Vec<Error>, Vec<Finding>) {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    scripts(&mut errors, &mut warnings);
    environments(&mut errors, &mut warnings);
    files(&mut errors, &mut warnings);
    (errors, warnings)
}

fn scripts(errors: &mut Vec<Error>, warnings: &mut Vec<Finding>) {
    let builder = InferenceConfiguration::builder;
    errors.push(builder().build().unwrap_err());
    let outside = builder()
        .entry_script("../my-score.py")
        .source_directory("src");
    errors.push(outside.build().unwrap_err());

    let folder = tempfile::tempdir().unwrap();
    let src = folder.path().join("src");
    fs::create_dir_all(src.join(".git")).unwrap();
    fs::write(src.join(".amlignore"), "[z-a]\n").unwrap();
    fs::write(src.join("score.py"), "x = 1\n").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/", src.join("link")).unwrap();
    #[cfg(unix)]
    let _socket = std::os::unix::net::UnixListener::bind(src.join("socket")).unwrap();
    let make = |script: &str, directory: &Path| {
        let builder = builder().entry_script(script).source_directory(directory);
        package::make_now(builder.build().unwrap().script(), &AtomicBool::new(false))
    };
    warnings.extend(make("score.py", &src).unwrap().warnings);
    errors.push(make("absent.py", &src).unwrap_err());
    errors.push(make("score.py", &folder.path().join("absent")).unwrap_err());
    fs::write(src.join(".amlignore"), [0xff]).unwrap();
    errors.push(make("score.py", &src).unwrap_err());
    errors.push(sources::changed(Path::new("score.py")));
}

fn environments(errors: &mut Vec<Error>, warnings: &mut Vec<Finding>) {
    let builder = Environment::builder;
    errors.push(
        builder()
            .name("AzureML-x")
            .base_image("")
            .base_dockerfile("FROM a")
            .base_image_registry(ContainerRegistry::new("r").credentials("me", ""))
            .environment_variable("A=B", "")
            .shm_size("x")
            .build()
            .unwrap_err(),
    );
    for environment in [
        builder()
            .interpreter_path("/opt/python")
            .enable_gpu(true)
            .base_image_registry(ContainerRegistry::new("r"))
            .environment_variable("AZUREML_ENTRY_SCRIPT", "")
            .conda_dependencies(CondaDependencies::new()),
        builder()
            .user_managed_dependencies(true)
            .conda_dependencies(CondaDependencies::new()),
        builder().conda_dependencies(
            CondaDependencies::builder_from_yaml("dependancies: []")
                .unwrap()
                .build()
                .unwrap()
                .pip_package("azureml-defaults==1.0.1")
                .pip_package("-r requirements.txt"),
        ),
    ] {
        warnings.extend(environment.build().unwrap().warnings().iter().cloned());
    }
    let conda = CondaDependencies::builder_from_yaml;
    errors.push(conda("").unwrap_err());
    errors.push(conda("channels: 1").unwrap_err());
    errors.push(conda("x: 1").unwrap().strict(true).build().unwrap_err());
    errors.push(Dockerfile::from_file("does/not/exist").unwrap_err());
}

fn files(errors: &mut Vec<Error>, warnings: &mut Vec<Finding>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inferenceconfig.json");
    errors.push(InferenceConfiguration::builder_from_file(&path).unwrap_err());
    for text in [
        "[]",
        r#"{"entryScript":1}"#,
        r#"{"entryScript":"s.py","x":1}"#,
        r#"{"entryScript":"s.py","runtime":"spark-py","cudaVersion":"1","extraDockerFileSteps":"x"}"#,
    ] {
        fs::write(&path, text).unwrap();
        let read = InferenceConfiguration::builder_from_file(&path);
        let built = read.and_then(|builder| builder.strict(true).build());
        errors.push(built.unwrap_err());
    }
    for text in [
        r#"{"entryScript":"s.py","x":1,"environment":{"name":"e"},"condaFile":"x"}"#,
        r#"{"entryScript":"s.py","cudaVersion":"10.0"}"#,
    ] {
        fs::write(&path, text).unwrap();
        let config = InferenceConfiguration::builder_from_file(&path)
            .unwrap()
            .build()
            .unwrap();
        warnings.extend(config.warnings().iter().cloned());
    }
}
