//! `inferenceconfig.json`, in its form of 2019 and in that of 2020.

mod document;

use super::CondaDependencies;
use super::configuration::{InferenceConfiguration, InferenceConfigurationBuilder};
use super::environment::{Dockerfile, Environment, EnvironmentBuilder};
use crate::config::json_object::{Object, Reading, UnknownKey, kind};
use crate::config::text_file;
use crate::error::Error;
use crate::rules::{self, Findings};
use serde_json::Value;
use std::path::{Path, PathBuf};

pub(super) fn read(path: &Path, strict: bool) -> Result<InferenceConfiguration, Error> {
    let mut reading = Reading::new(rules::INFERENCE_FILE_TYPE);
    let builder = match load(path, &mut reading.findings) {
        Some(file) => configuration(file, path, &mut reading),
        // The one error says why; nothing else matters then.
        None => InferenceConfiguration::builder().entry_script("unread.py"),
    };
    judge_unknown(&mut reading, strict);
    let (errors, warnings) = reading.findings.into_parts();
    let mut findings = Findings::default();
    findings.extend(errors);
    builder
        .read(warnings)
        .build_with(findings)
        .map_err(|error| error.with_context(|| path.display().to_string()))
}

fn load(path: &Path, findings: &mut Findings) -> Option<Object> {
    let mut refuse = |rule: rules::Refusal, why: String, remedy: &str| {
        findings.refuse(rule, "file", Some(&path.display().to_string()), why, remedy);
    };
    let text = match text_file::read(path) {
        Ok(text) => text,
        Err(why) => {
            refuse(
                rules::INFERENCE_FILE_UNREADABLE,
                why,
                "give the path of an inferenceconfig.json",
            );
            return None;
        }
    };
    let why = match serde_json::from_str::<Value>(&text) {
        Ok(Value::Object(members)) => return Some(Object::new(members, "")),
        Ok(other) => format!("it is {}, not an object", kind(&other)),
        Err(error) => format!("it is no JSON: {error}"),
    };
    refuse(
        rules::INFERENCE_FILE_SYNTAX,
        why,
        "write a JSON object with the key entryScript",
    );
    None
}

fn configuration(
    mut file: Object,
    path: &Path,
    reading: &mut Reading,
) -> InferenceConfigurationBuilder {
    let folder = path.parent().unwrap_or(Path::new(""));
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
    if let Some(description) = file.text("description", reading) {
        builder = builder.description(description);
    }
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
        builder = with_definition(builder, environment, "", reading);
    }
    file.finish(reading);
    builder
}

/// What keys that mean nothing are worth.
fn judge_unknown(reading: &mut Reading, strict: bool) {
    let findings = &mut reading.findings;
    for UnknownKey { place, meant } in std::mem::take(&mut reading.unknown) {
        let remedy = match meant {
            Some(meant) => format!("write {meant}"),
            None => "correct the key, or leave it out".to_owned(),
        };
        let message = "this key is not known and means nothing";
        match strict {
            true => findings.refuse(rules::INFERENCE_FILE_STRICT, place, None, message, remedy),
            false => findings.advise(rules::INFERENCE_FILE_UNKNOWN_KEY, place, message, remedy),
        }
    }
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
    place: &str,
    reading: &mut Reading,
) -> InferenceConfigurationBuilder {
    match environment.build() {
        Ok(environment) => builder.environment(environment),
        Err(error) => {
            let mut found = error.findings().to_vec();
            for finding in &mut found {
                finding.path.insert_str(0, place);
            }
            reading.findings.extend(found);
            builder
        }
    }
}

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
