//! The `environment` of the form of 2020: a whole document, or a reference.

use super::{NAMES_2020, join, with_definition};
use crate::environment::{CondaDependencies, ContainerRegistry, SparkSettings};
use crate::environment::{Environment, EnvironmentBuilder, EnvironmentRef};
use crate::json::object::{Object, Reading};
use crate::rules;
use crate::webservice::inference::InferenceConfigurationBuilder;
use serde_json::Value;
use std::path::Path;

/// A whole document, or a reference: a name and at most a version.
pub(super) fn read(
    builder: InferenceConfigurationBuilder,
    mut document: Object,
    base: &Path,
    reading: &mut Reading,
) -> InferenceConfigurationBuilder {
    let keys = document.keys();
    let is_reference =
        keys.contains(&"name") && keys.iter().all(|key| ["name", "version"].contains(key));
    let name = document.text("name", reading);
    let version = document.text("version", reading);
    if is_reference {
        return match (name, version) {
            (Some(name), Some(version)) => {
                builder.environment(EnvironmentRef::version(name, version))
            }
            (Some(name), None) => builder.environment(EnvironmentRef::latest(name)),
            (None, _) => builder,
        };
    }
    let mut environment = Environment::builder();
    if let Some(name) = name {
        environment = environment.name(name);
    }
    if let Some(version) = version {
        environment = environment.version(version);
    }
    if let Some(variables) = document.text_map("environmentVariables", reading) {
        environment = environment.environment_variables(variables);
    }
    if let Some(python) = document.object("python", reading) {
        environment = with_python(environment, python, base, reading);
    }
    if let Some(docker) = document.object("docker", reading) {
        environment = with_docker(environment, docker, reading);
    }
    if let Some(spark) = document.object("spark", reading) {
        environment = environment.spark(spark_settings(spark, reading));
    }
    if let Some(version) = document.text("inferencingStackVersion", reading) {
        environment = environment.inferencing_stack_version(version);
    }
    document.finish(reading);
    let names = ("environment.", NAMES_2020);
    with_definition(builder, environment, names, reading)
}

fn with_python(
    mut environment: EnvironmentBuilder,
    mut python: Object,
    base: &Path,
    reading: &mut Reading,
) -> EnvironmentBuilder {
    if let Some(path) = python.text("interpreterPath", reading) {
        environment = environment.interpreter_path(path);
    }
    if let Some(managed) = python.flag("userManagedDependencies", reading) {
        environment = environment.user_managed_dependencies(managed);
    }
    if let Some(name) = python.text("baseCondaEnvironment", reading) {
        environment = environment.base_conda_environment(name);
    }
    let place = python.place("condaDependencies");
    let inline = python.take("condaDependencies");
    let file_place = python.place("condaDependenciesFile");
    let file = python.text("condaDependenciesFile", reading);
    // The document of the environment itself is what the service would read.
    let conda = match (inline, file) {
        (Some(inline), _) => CondaDependencies::from_value(inline, &place, &mut reading.findings),
        (None, Some(file)) => {
            CondaDependencies::read(&join(base, &file), &file_place, &mut reading.findings)
        }
        (None, None) => None,
    };
    if let Some(conda) = conda {
        environment = environment.conda_dependencies(conda);
    }
    python.finish(reading);
    environment
}

fn with_docker(
    mut environment: EnvironmentBuilder,
    mut docker: Object,
    reading: &mut Reading,
) -> EnvironmentBuilder {
    if let Some(enabled) = docker.flag("enabled", reading) {
        environment = environment.docker_enabled(enabled);
    }
    if let Some(image) = docker.text("baseImage", reading) {
        environment = environment.base_image(image);
    }
    if let Some(dockerfile) = docker.text("baseDockerfile", reading) {
        environment = environment.base_dockerfile(dockerfile);
    }
    if let Some(registry) = docker.object("baseImageRegistry", reading) {
        environment = with_registry(environment, registry, reading);
    }
    if let Some(shared) = docker.flag("sharedVolumes", reading) {
        environment = environment.shared_volumes(shared);
    }
    if let Some(gpu) = docker.flag("gpuSupport", reading) {
        environment = environment.enable_gpu(gpu);
    }
    if let Some(size) = docker.text("shmSize", reading) {
        environment = environment.shm_size(size);
    }
    if let Some(arguments) = docker.texts("arguments", reading) {
        environment = environment.docker_arguments(arguments);
    }
    docker.finish(reading);
    environment
}

pub(super) fn with_registry(
    environment: EnvironmentBuilder,
    mut registry: Object,
    reading: &mut Reading,
) -> EnvironmentBuilder {
    let place = registry.place("address");
    let address = registry.text("address", reading);
    let username = registry.text("username", reading);
    let password = registry.text("password", reading);
    registry.finish(reading);
    let whole = match (address, username, password) {
        // Documents that a client wrote have an empty registry.
        (None, None, None) => return environment,
        (Some(address), None, None) => Some(ContainerRegistry::new(address)),
        (Some(address), Some(username), Some(password)) => {
            Some(ContainerRegistry::new(address).credentials(username, password))
        }
        _ => None,
    };
    let Some(registry) = whole else {
        let place = place.trim_end_matches(".address");
        reading.findings.refuse(
            rules::ENVIRONMENT_REGISTRY,
            place,
            None,
            "the registry is incomplete",
            "give address, username and password, or the address alone",
        );
        return environment;
    };
    environment.base_image_registry(registry)
}

fn spark_settings(mut document: Object, reading: &mut Reading) -> SparkSettings {
    let mut spark = SparkSettings::new();
    for url in document.texts("repositories", reading).unwrap_or_default() {
        spark = spark.repository(url);
    }
    let place = document.place("packages");
    let packages = document.list("packages", reading).unwrap_or_default();
    for (at, package) in packages.into_iter().enumerate() {
        let place = format!("{place}[{at}]");
        let Value::Object(members) = package else {
            reading.refuse::<()>(place, &package, "an object");
            continue;
        };
        let mut package = Object::new(members, place);
        let mut part = |key| package.text(key, reading).unwrap_or_default();
        let (group, artifact, version) = (part("group"), part("artifact"), part("version"));
        package.finish(reading);
        spark = spark.package(group, artifact, version);
    }
    if let Some(precache) = document.flag("precachePackages", reading) {
        spark = spark.precache_packages(precache);
    }
    document.finish(reading);
    spark
}
