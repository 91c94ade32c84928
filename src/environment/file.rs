//! The environment of an `inferenceconfig.json`, in the form of 2020 and in that of 2019.

use super::builder::{Arguments, EnvironmentBuilder, Variables, is_reserved};
use super::registry::Place;
use super::{CondaDependencies, ContainerRegistry, Dockerfile, SparkSettings, spark};
use crate::json::file::{Members, Text};
use crate::rules;
use std::collections::BTreeMap;

/// The keys of 2019, which `environment` takes the place of.
pub(crate) const FLAT_KEYS: [&str; 8] = [
    "runtime",
    "condaFile",
    "extraDockerFileSteps",
    "extraDockerfileSteps",
    "enableGpu",
    "baseImage",
    "baseImageRegistry",
    "cudaVersion",
];

impl EnvironmentBuilder {
    /// Reads the member `environment` as a whole document.
    pub(crate) fn of_document(file: &mut Members) -> Self {
        let name = file.text("environment.name", "name");
        let curated = name.as_deref().is_some_and(is_reserved);
        if curated {
            let message =
                "the whole document of a curated environment is sent, not a reference to it";
            let remedy = "leave all but name and version out, or choose a name of your own";
            file.note([rules::INFERENCE_FILE_CURATED.finding("environment.name", message, remedy)]);
        }
        // Written by Microsoft's client into each document, and of no effect on a service.
        file.skip(&[
            "environment.assetId",
            "environment.databricks",
            "environment.docker.platform",
        ]);
        Self {
            name,
            curated,
            version: file.text("environment.version", "version"),
            variables: variables(file),
            conda: conda_of_document(file),
            user_managed: file.take("environment.python.userManagedDependencies", ""),
            interpreter_path: file.text("environment.python.interpreterPath", "interpreter_path"),
            base_conda_environment: file.text("environment.python.baseCondaEnvironment", ""),
            docker_enabled: file.take("environment.docker.enabled", ""),
            base_image: file
                .text("environment.docker.baseImage", "base_image")
                .map(Place),
            base_dockerfile: file
                .text("environment.docker.baseDockerfile", "base_dockerfile")
                .map(Dockerfile::from),
            base_image_registry: registry(file, "environment.docker.baseImageRegistry"),
            shared_volumes: file.take("environment.docker.sharedVolumes", ""),
            enable_gpu: file.take("environment.docker.gpuSupport", "enable_gpu"),
            shm_size: file.text("environment.docker.shmSize", "shm_size"),
            docker_arguments: Arguments(texts(file, "environment.docker.arguments", "")),
            spark: spark_settings(file),
            inferencing_stack_version: file.text(
                "environment.inferencingStackVersion",
                "inferencing_stack_version",
            ),
        }
    }

    /// Reads the flat keys of 2019, of which `azureml-core` makes an environment.
    pub(crate) fn of_flat_keys(file: &mut Members) -> Self {
        let runtime = file.text("runtime", "");
        if let Some(runtime) = runtime.filter(|runtime| !runtime.eq_ignore_ascii_case("python")) {
            let message = "an environment can be made for the runtime python only";
            let remedy = "write python, or describe the environment under environment";
            let rule = rules::INFERENCE_FILE_RUNTIME;
            file.note([rule.finding("runtime", Some(&runtime), message, remedy)]);
        }
        let conda = match file.text("condaFile", "conda_dependencies") {
            Some(path) => conda_file(file, "condaFile", &path),
            None => Some(CondaDependencies::new().pip_package("azureml-defaults")),
        };
        let base_image_registry = registry(file, "baseImageRegistry");
        let image = file.text("baseImage", "base_image");
        let [capital, small] = ["extraDockerFileSteps", "extraDockerfileSteps"]
            .map(|key| file.text(key, "").map(|path| (key, path)));
        let steps = capital.or(small);
        let base_dockerfile = steps
            .as_ref()
            .and_then(|(key, path)| docker_steps(file, key, path, image.as_deref()));
        let gpu = file.take("enableGpu", "enable_gpu");
        let cuda = file.text("cudaVersion", "");
        if let Some(version) = &cuda {
            check_cuda(version, file);
        }
        Self {
            conda,
            base_image_registry,
            // As azureml-core does: without it an image of one's own gets no server.
            inferencing_stack_version: image.is_some().then(|| "latest".to_owned()),
            base_image: image.filter(|_| steps.is_none()).map(Place),
            base_dockerfile,
            enable_gpu: gpu.or(cuda.map(|_| true)),
            ..Self::default()
        }
    }
}

/// Makes a Dockerfile of extra steps and the image that they build on.
fn docker_steps(
    file: &mut Members,
    key: &str,
    path: &str,
    image: Option<&str>,
) -> Option<Dockerfile> {
    let Some(image) = image else {
        let message = "extra Docker steps need the image that they build on; Microsoft's client leaves \
                       its choice to the older API for images, which takes no environment";
        let remedy = "name baseImage, or give docker.baseDockerfile under environment";
        file.note([rules::INFERENCE_FILE_DOCKER_STEPS.finding(key, None, message, remedy)]);
        return None;
    };
    let path = file.find(rules::DOCKERFILE_FILE, key, path)?;
    let steps = file.accept(Dockerfile::read(&path, key).map_err(|found| [found]))?;
    Some(format!("FROM {image}\n{}", steps.text()).into())
}

fn check_cuda(version: &str, file: &mut Members) {
    let key = "cudaVersion";
    file.note([if ["9.0", "9.1", "10.0"].contains(&version) {
        let message = "the version of CUDA is that of the base image, and is not sent";
        let remedy = "name a base image with that version";
        rules::INFERENCE_FILE_CUDA_UNUSED.finding(key, message, remedy)
    } else {
        let message = "this version of CUDA was never offered";
        let remedy = "leave it out, and name a base image with that version";
        rules::INFERENCE_FILE_CUDA_VERSION.finding(key, Some(version), message, remedy)
    }]);
}

fn conda_of_document(file: &mut Members) -> Option<CondaDependencies> {
    const INLINE: &str = "environment.python.condaDependencies";
    const FILE: &str = "environment.python.condaDependenciesFile";
    let inline = file.take(INLINE, "");
    let path = file.text(FILE, "");
    // The document of the environment itself is what the service would read.
    file.calls(
        if inline.is_some() { INLINE } else { FILE },
        "conda_dependencies",
    );
    match (inline, path) {
        (Some(inline), _) => file.accept(CondaDependencies::from_value(inline, INLINE)),
        (None, Some(path)) => conda_file(file, FILE, &path),
        (None, None) => None,
    }
}

fn conda_file(file: &mut Members, key: &str, path: &str) -> Option<CondaDependencies> {
    let path = file.find(rules::CONDA_FILE, key, path)?;
    file.accept(CondaDependencies::read(&path, key))
}

/// Reads a registry: a text, which is its address, or an object.
fn registry(file: &mut Members, path: &str) -> Option<ContainerRegistry> {
    if file.get(path).is_none_or(|found| !found.is_object()) {
        return file
            .text(path, "base_image_registry")
            .map(ContainerRegistry::new);
    }
    let mut part = |key| file.text(&format!("{path}.{key}"), "");
    match [part("address"), part("username"), part("password")] {
        // Documents that a client wrote have an empty registry.
        [None, None, None] => None,
        [Some(address), None, None] => Some(ContainerRegistry::new(address)),
        [Some(address), Some(username), Some(password)] => {
            Some(ContainerRegistry::new(address).credentials(username, password))
        }
        _ => {
            let message = "the registry is incomplete";
            let remedy = "give address, username and password, or the address alone";
            file.note([rules::ENVIRONMENT_REGISTRY.finding(path, None, message, remedy)]);
            None
        }
    }
}

fn spark_settings(file: &mut Members) -> Option<SparkSettings> {
    file.get("environment.spark")?;
    let packages: Option<Vec<BTreeMap<String, Text>>> =
        file.take("environment.spark.packages", "spark.packages");
    let packages = packages.unwrap_or_default().into_iter();
    let parts = |mut package: BTreeMap<String, Text>| {
        spark::PARTS.map(|part| package.remove(part).unwrap_or_default().0)
    };
    Some(SparkSettings {
        repositories: texts(file, "environment.spark.repositories", "spark.repositories"),
        packages: packages.map(parts).collect(),
        precache_packages: file.take("environment.spark.precachePackages", ""),
    })
}

fn texts(file: &mut Members, path: &str, code: &'static str) -> Vec<String> {
    let texts: Vec<Text> = file.take(path, code).unwrap_or_default();
    texts.into_iter().map(|text| text.0).collect()
}

/// Reads the variables that have a value.
fn variables(file: &mut Members) -> Variables {
    let path = "environment.environmentVariables";
    let given: BTreeMap<String, Option<Text>> =
        file.take(path, "environment_variables").unwrap_or_default();
    let given = given.into_iter();
    Variables(
        given
            .filter_map(|(name, text)| Some((name, text?.0)))
            .collect(),
    )
}
