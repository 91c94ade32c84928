//! `inferenceconfig.json`, in its form of 2019 and in that of 2020.

mod document;

use super::configuration::{InferenceConfiguration, InferenceConfigurationBuilder, WHAT};
use crate::environment::CondaDependencies;
use crate::environment::{Dockerfile, Environment, EnvironmentBuilder};
use crate::error::{Error, Finding};
use crate::json::object::{Object, Reading, kind};
use crate::json::text_file;
use crate::rules::{self, Findings};
use serde_json::Value;
use std::path::{Path, PathBuf};

pub(super) fn from_file(path: &Path) -> Result<InferenceConfigurationBuilder, Error> {
    let shown = path.display().to_string();
    let read = || {
        let text = text_file::read(path).map_err(|why| {
            let remedy = "give the path of an inferenceconfig.json";
            vec![rules::INFERENCE_FILE_UNREADABLE.finding("file", Some(&shown), why, remedy)]
        })?;
        parse(&text, path.parent().unwrap_or(Path::new("")), Some(&shown))
    };
    read().map_err(|found| Error::validation(WHAT, found).with_context(|| shown.clone()))
}

pub(super) fn from_json(text: &str) -> Result<InferenceConfigurationBuilder, Error> {
    parse(text, Path::new(""), None).map_err(|found| Error::validation(WHAT, found))
}

/// Reads the text of the `file` in `folder`.
fn parse(
    text: &str,
    folder: &Path,
    file: Option<&str>,
) -> Result<InferenceConfigurationBuilder, Vec<Finding>> {
    let why = match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(members)) => return judge(Object::new(members, ""), folder),
        Ok(other) => format!("it is {}, not an object", kind(&other)),
        Err(error) => format!("it is no JSON: {error}"),
    };
    let remedy = "write a JSON object with the key entryScript";
    Err(vec![
        rules::INFERENCE_FILE_SYNTAX.finding("file", file, why, remedy),
    ])
}

fn judge(file: Object, folder: &Path) -> Result<InferenceConfigurationBuilder, Vec<Finding>> {
    let mut reading = Reading::new(rules::INFERENCE_FILE_TYPE);
    let builder = configuration(file, folder, &mut reading);
    let (mut found, warnings) = reading.findings.into_parts();
    // Values that are out of bounds come with what is wrong in the file, under the file's own names.
    let mut findings = Findings::default();
    builder.check(&mut findings);
    let values = findings.into_refusals();
    // A script that the file does not name can still be given to the builder.
    let may_become_whole = |value: &Finding| value.rule == rules::ENTRY_SCRIPT_MISSING.0;
    if found.is_empty() && values.iter().all(may_become_whole) {
        return Ok(builder.read(warnings, reading.unknown));
    }
    found.extend(values.into_iter().map(|mut value| {
        value.path = path_in_file(&value.path, NAMES);
        value
    }));
    Err(found)
}

fn configuration(
    mut file: Object,
    folder: &Path,
    reading: &mut Reading,
) -> InferenceConfigurationBuilder {
    let mut builder = InferenceConfiguration::builder();
    let source = file
        .text("sourceDirectory", reading)
        .map(|source| join(folder, &source));
    let base = source.clone().unwrap_or_else(|| folder.to_owned());
    if file.has("entryScript") {
        // Where its type is wrong, that is said already.
        let script = file.text("entryScript", reading);
        let script = script.unwrap_or_else(|| "unread.py".to_owned());
        builder = builder.entry_script(match &source {
            Some(_) => PathBuf::from(script),
            None => join(folder, &script),
        });
    }
    if let Some(source) = source {
        builder = builder.source_directory(source);
    }
    // Known, and of no effect: a request for a service has no place for it.
    let _ = file.text("description", reading);
    if file.has("environment") {
        for key in FLAT_KEYS {
            if file.take(key).is_some() {
                reading.findings.advise(
                    rules::INFERENCE_FILE_IGNORED_KEY,
                    key,
                    "this key is ignored beside environment",
                    "say it in environment, or leave it out",
                );
            }
        }
        if let Some(environment) = file.object("environment", reading) {
            builder = document::read(builder, environment, &base, reading);
        }
    } else if FLAT_KEYS.iter().any(|key| file.has(key)) {
        let environment = of_2019(&mut file, &base, reading);
        builder = with_definition(builder, environment, ("", NAMES_2019), reading);
    }
    file.finish(reading);
    builder
}

/// The environment of the flat keys, as `azureml-core` makes one of them.
fn of_2019(file: &mut Object, base: &Path, reading: &mut Reading) -> EnvironmentBuilder {
    let mut environment = Environment::builder();
    let runtime = file.text("runtime", reading);
    if let Some(runtime) = runtime.filter(|runtime| !runtime.eq_ignore_ascii_case("python")) {
        reading.findings.refuse(
            rules::INFERENCE_FILE_RUNTIME,
            "runtime",
            Some(&runtime),
            "an environment can be made for the runtime python only",
            "write python, or describe the environment under environment",
        );
    }
    let conda = match file.text("condaFile", reading) {
        Some(path) => {
            CondaDependencies::read(&join(base, &path), "condaFile", &mut reading.findings)
        }
        None => Some(CondaDependencies::new().pip_package("azureml-defaults")),
    };
    if let Some(conda) = conda {
        environment = environment.conda_dependencies(conda);
    }
    if let Some(registry) = file.object("baseImageRegistry", reading) {
        environment = document::with_registry(environment, registry, reading);
    }
    let image = file.text("baseImage", reading);
    let steps = ["extraDockerFileSteps", "extraDockerfileSteps"]
        .into_iter()
        .filter_map(|key| Some((key, file.text(key, reading)?)))
        .collect::<Vec<_>>();
    if image.is_some() {
        // As azureml-core does: without it an image of one's own gets no server.
        environment = environment.inferencing_stack_version("latest");
    }
    environment = match (steps.into_iter().next(), image) {
        (None, None) => environment,
        (None, Some(image)) => environment.base_image(image),
        (Some((key, path)), image) => {
            let path = join(base, &path);
            let steps = Dockerfile::read(&path, key, &mut reading.findings);
            match (image, steps) {
                (Some(image), Some(steps)) => {
                    environment.base_dockerfile(format!("FROM {image}\n{}", steps.text()))
                }
                (Some(_), None) => environment,
                (None, _) => {
                    reading.findings.refuse(
                        rules::INFERENCE_FILE_DOCKER_STEPS,
                        key,
                        None,
                        "extra Docker steps need the image that they build on",
                        "name baseImage, or give docker.baseDockerfile under environment",
                    );
                    environment
                }
            }
        }
    };
    let gpu = file.flag("enableGpu", reading);
    let cuda = file.text("cudaVersion", reading);
    if let Some(cuda) = &cuda {
        check_cuda(cuda, reading);
    }
    match gpu.or(cuda.is_some().then_some(true)) {
        Some(gpu) => environment.enable_gpu(gpu),
        None => environment,
    }
}

fn check_cuda(version: &str, reading: &mut Reading) {
    if CUDA_VERSIONS.contains(&version) {
        reading.findings.advise(
            rules::INFERENCE_FILE_CUDA_UNUSED,
            "cudaVersion",
            "the version of CUDA is that of the base image, and is not sent",
            "name a base image with that version",
        );
    } else {
        reading.findings.refuse(
            rules::INFERENCE_FILE_CUDA_VERSION,
            "cudaVersion",
            Some(version),
            "this version of CUDA was never offered",
            "leave it out, and name a base image with that version",
        );
    }
}

fn with_definition(
    builder: InferenceConfigurationBuilder,
    environment: EnvironmentBuilder,
    (place, names): (&str, Names),
    reading: &mut Reading,
) -> InferenceConfigurationBuilder {
    match environment.build() {
        Ok(environment) => builder.environment(environment),
        Err(error) => {
            let mut found = error.findings().to_vec();
            for violation in &mut found {
                violation.path = format!("{place}{}", path_in_file(&violation.path, names));
            }
            reading.findings.extend(found);
            builder
        }
    }
}

/// Where the file has what a builder calls `path`.
fn path_in_file(path: &str, names: Names) -> String {
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (head, rest) = path.split_at(end);
    let theirs = names.iter().find(|(ours, _)| *ours == head);
    format!("{}{rest}", theirs.map_or(head, |(_, theirs)| theirs))
}

/// Fields of a builder, and the members of the file that they came from. Those that are spelled
/// alike are left out.
type Names = &'static [(&'static str, &'static str)];

const NAMES: Names = &[
    ("entry_script", "entryScript"),
    ("source_directory", "sourceDirectory"),
];

/// Fields of an environment in the form of 2019.
const NAMES_2019: Names = &[
    ("conda_dependencies", "condaFile"),
    ("base_image", "baseImage"),
    ("base_image_registry", "baseImageRegistry"),
    ("base_dockerfile", "extraDockerFileSteps"),
];

/// Fields of an environment in the form of 2020.
const NAMES_2020: Names = &[
    ("environment_variables", "environmentVariables"),
    ("interpreter_path", "python.interpreterPath"),
    ("conda_dependencies", "python.condaDependencies"),
    ("base_conda_environment", "python.baseCondaEnvironment"),
    ("base_image", "docker.baseImage"),
    ("base_image_registry", "docker.baseImageRegistry"),
    ("base_dockerfile", "docker.baseDockerfile"),
    ("shm_size", "docker.shmSize"),
    ("inferencing_stack_version", "inferencingStackVersion"),
];

/// A path of the file, relative to `folder`. An empty one stays empty, so that it is refused.
fn join(folder: &Path, path: &str) -> PathBuf {
    if path.is_empty() {
        PathBuf::new()
    } else {
        folder.join(path)
    }
}

/// The keys of 2019 that have a place in `environment` since 2020.
const FLAT_KEYS: [&str; 8] = [
    "runtime",
    "condaFile",
    "extraDockerFileSteps",
    "extraDockerfileSteps",
    "enableGpu",
    "baseImage",
    "baseImageRegistry",
    "cudaVersion",
];

const CUDA_VERSIONS: [&str; 3] = ["9.0", "9.1", "10.0"];

#[cfg(test)]
mod tests;
