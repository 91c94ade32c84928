//! The builder of an environment, and its checks.

use super::registry::Place;
use super::{Dockerfile, Environment, refuse_empty};
use crate::environment::{CondaDependencies, ContainerRegistry, SparkSettings};
use crate::error::Error;
use crate::names;
use crate::rules::{self, Findings};
use std::collections::BTreeMap;
use std::fmt;

/// A builder of an [`Environment`].
///
/// Setters take the value as it is; [`build`](Self::build) checks all of them together.
#[must_use = "a builder does nothing until `build()`"]
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EnvironmentBuilder {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) conda: Option<CondaDependencies>,
    pub(super) user_managed: Option<bool>,
    pub(super) interpreter_path: Option<String>,
    pub(super) base_conda_environment: Option<String>,
    pub(super) variables: Variables,
    pub(super) docker_enabled: Option<bool>,
    pub(super) base_image: Option<Place>,
    pub(super) base_dockerfile: Option<Dockerfile>,
    pub(super) base_image_registry: Option<ContainerRegistry>,
    pub(super) shared_volumes: Option<bool>,
    pub(super) enable_gpu: Option<bool>,
    pub(super) shm_size: Option<String>,
    pub(super) docker_arguments: Arguments,
    pub(super) spark: Option<SparkSettings>,
    pub(super) inferencing_stack_version: Option<String>,
    /// `true` if the name of a curated environment is allowed: its document was read from a file.
    pub(super) curated: bool,
}

/// Variables by name. Values are not shown: many hold a token.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Variables(pub(super) BTreeMap<String, String>);

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Arguments of `docker run`. They are only counted in what is shown: some set variables.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Arguments(pub(super) Vec<String>);

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} arguments", self.0.len())
    }
}

impl EnvironmentBuilder {
    /// Sets the name. It must not begin with `Microsoft` or `AzureML`, which are those of curated
    /// environments. Without a name the environment is called `{service}-env`.
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        self.name = Some(name.as_ref().to_owned());
        self
    }

    /// Sets the version. By default the service counts.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets the Python packages. They need the pip package `azureml-defaults`, or the container has no
    /// server.
    pub fn conda_dependencies(mut self, dependencies: CondaDependencies) -> Self {
        self.conda = Some(dependencies);
        self
    }

    /// Sets whether the image has all packages already, so that conda dependencies are ignored. The
    /// documented default is `false`.
    pub fn user_managed_dependencies(mut self, user_managed: bool) -> Self {
        self.user_managed = Some(user_managed);
        self
    }

    /// Sets the path of the Python interpreter in the image. It counts only where the user manages the
    /// dependencies; the documented default is `python`.
    pub fn interpreter_path(mut self, path: impl Into<String>) -> Self {
        self.interpreter_path = Some(path.into());
        self
    }

    /// Sets the conda environment in the image to which the packages are added.
    pub fn base_conda_environment(mut self, name: impl AsRef<str>) -> Self {
        self.base_conda_environment = Some(name.as_ref().to_owned());
        self
    }

    /// Adds an environment variable, or replaces the one of that name.
    ///
    /// `AZUREML_ENTRY_SCRIPT` and `AZUREML_SOURCE_DIRECTORY` are set by the deployment.
    pub fn environment_variable(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.variables.0.insert(name.into(), value.into());
        self
    }

    /// Adds environment variables, each replacing the one of its name.
    pub fn environment_variables<K: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let variables = variables.into_iter();
        self.variables
            .0
            .extend(variables.map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Sets whether Docker is used. A service always runs in a container; files of older clients have the
    /// setting, and it is sent as it was set.
    pub fn docker_enabled(mut self, enabled: bool) -> Self {
        self.docker_enabled = Some(enabled);
        self
    }

    /// Sets the base image, with its registry where that is not Docker Hub. By default the service
    /// chooses.
    pub fn base_image(mut self, image: impl Into<String>) -> Self {
        self.base_image = Some(Place(image.into()));
        self
    }

    /// Sets a Dockerfile in place of a base image, as text or as a [`Dockerfile`].
    pub fn base_dockerfile(mut self, dockerfile: impl Into<Dockerfile>) -> Self {
        self.base_dockerfile = Some(dockerfile.into());
        self
    }

    /// Sets the private registry of the base image.
    pub fn base_image_registry(mut self, registry: ContainerRegistry) -> Self {
        self.base_image_registry = Some(registry);
        self
    }

    /// Sets whether shared volumes are used. The documented default is `true`.
    pub fn shared_volumes(mut self, shared: bool) -> Self {
        self.shared_volumes = Some(shared);
        self
    }

    /// Sets whether the container may use GPUs: `enableGpu` of the configurations of 2019.
    ///
    /// On the wire it is `docker.gpuSupport` of the API of 2019-09-30. Later clients of Microsoft's
    /// no longer send it, since the service finds GPUs by itself, and choose a base image with CUDA
    /// instead. No source here says which image that is for a given day, so none is put in: name one
    /// with [`base_image`](Self::base_image), or a warning says that it is missing. GPUs of a
    /// service are asked for in the deployment configuration.
    pub fn enable_gpu(mut self, enable: bool) -> Self {
        self.enable_gpu = Some(enable);
        self
    }

    /// Sets the size of the shared memory of the container as Docker writes it, for example `2g`.
    pub fn shm_size(mut self, size: impl Into<String>) -> Self {
        self.shm_size = Some(size.into());
        self
    }

    /// Adds an argument for `docker run`.
    pub fn docker_argument(mut self, argument: impl Into<String>) -> Self {
        self.docker_arguments.0.push(argument.into());
        self
    }

    /// Adds arguments for `docker run`.
    pub fn docker_arguments<A: Into<String>>(
        mut self,
        arguments: impl IntoIterator<Item = A>,
    ) -> Self {
        self.docker_arguments
            .0
            .extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets the Spark part.
    pub fn spark(mut self, spark: SparkSettings) -> Self {
        self.spark = Some(spark);
        self
    }

    /// Sets the version of the inferencing stack that the service adds to an image of your own, for
    /// example `latest`. By default none is added.
    pub fn inferencing_stack_version(mut self, version: impl Into<String>) -> Self {
        self.inferencing_stack_version = Some(version.into());
        self
    }

    /// Checks everything together. Reads nothing.
    ///
    /// # Errors
    ///
    /// Gives all broken rules at once.
    pub fn build(self) -> Result<Environment, Error> {
        let mut findings = Findings::default();
        self.check(&mut findings);
        let warnings = findings.finish("environment")?;
        Ok(Environment {
            given: self,
            warnings,
        })
    }

    fn check(&self, findings: &mut Findings) {
        if let Some(name) = &self.name {
            findings.extend(names::segment("name", name));
            if !self.curated && is_reserved(name) {
                findings.refuse(
                    rules::ENVIRONMENT_NAME_RESERVED,
                    "name",
                    Some(name),
                    "names that begin with Microsoft or AzureML are those of curated environments",
                    "choose another name, or refer to the curated environment with EnvironmentRef",
                );
            }
        }
        if let Some(version) = &self.version {
            findings.extend(names::segment("version", version));
        }
        for (path, text) in [
            ("interpreter_path", self.interpreter_path.as_deref()),
            (
                "base_conda_environment",
                self.base_conda_environment.as_deref(),
            ),
            ("base_image", self.base_image.as_deref()),
            (
                "base_dockerfile",
                self.base_dockerfile.as_ref().map(Dockerfile::text),
            ),
            (
                "inferencing_stack_version",
                self.inferencing_stack_version.as_deref(),
            ),
        ] {
            if text.is_some_and(|text| text.trim().is_empty()) {
                refuse_empty(findings, path);
            }
        }
        self.check_python(findings);
        self.check_docker(findings);
        self.check_variables(findings);
        if let Some(spark) = &self.spark {
            spark.check(findings);
        }
    }

    fn check_python(&self, findings: &mut Findings) {
        let user_managed = self.user_managed == Some(true);
        // Files of older clients name the default, which means nothing.
        let named = self.interpreter_path.as_deref();
        if !user_managed && named.is_some_and(|path| path != DEFAULT_INTERPRETER) {
            findings.advise(
                rules::ENVIRONMENT_INTERPRETER_UNUSED,
                "interpreter_path",
                "the interpreter has an effect only where the user manages the dependencies",
                "set user_managed_dependencies(true), or leave it out",
            );
        }
        let Some(conda) = &self.conda else { return };
        if user_managed {
            findings.advise(
                rules::ENVIRONMENT_CONDA_UNUSED,
                "conda_dependencies",
                "the packages have no effect, because the user manages the dependencies",
                "leave one of the two out",
            );
        } else {
            conda.check("conda_dependencies", findings);
        }
    }

    fn check_docker(&self, findings: &mut Findings) {
        let image = self.base_image.is_some() || self.base_dockerfile.is_some();
        if self.base_image.is_some() && self.base_dockerfile.is_some() {
            findings.refuse(
                rules::ENVIRONMENT_IMAGE_AND_DOCKERFILE,
                "base_dockerfile",
                None,
                "a base image and a base Dockerfile exclude one another",
                "leave one out; the Dockerfile names its image after FROM",
            );
        }
        if let Some(registry) = &self.base_image_registry {
            registry.check(findings);
            if !image {
                findings.advise(
                    rules::ENVIRONMENT_REGISTRY_UNUSED,
                    "base_image_registry",
                    "the registry is for a base image, and none is named",
                    "name the base image with the address of the registry in front",
                );
            }
        }
        if self.enable_gpu == Some(true) && !image {
            findings.advise(
                rules::ENVIRONMENT_GPU_IMAGE,
                "enable_gpu",
                "GPU support alone puts no CUDA into the image",
                "name a base image with CUDA and the inference server",
            );
        }
        if let Some(size) = self.shm_size.as_deref().filter(|size| !is_size(size)) {
            findings.refuse(
                rules::ENVIRONMENT_SHM_SIZE,
                "shm_size",
                Some(size),
                "this is not a size of shared memory",
                "write a number and the unit b, k, m or g, for example 2g",
            );
        }
    }

    fn check_variables(&self, findings: &mut Findings) {
        for name in self.variables.0.keys() {
            if name.is_empty() || name.contains(['=', '\0']) {
                findings.refuse(
                    rules::ENVIRONMENT_VARIABLE_NAME,
                    "environment_variables",
                    // Behind `=` there is a value, which may be secret.
                    name.split('=').next(),
                    "an environment variable cannot have this name",
                    "choose a name of letters, digits and _",
                );
            }
            if SET_BY_DEPLOYMENT.contains(&name.as_str()) {
                findings.advise(
                    rules::ENVIRONMENT_VARIABLE_OVERWRITTEN,
                    format!("environment_variables.{name}"),
                    "the deployment sets this variable",
                    "leave it out",
                );
            }
        }
    }
}

/// Returns whether a name is reserved for curated environments.
pub(super) fn is_reserved(name: &str) -> bool {
    ["Microsoft", "AzureML"]
        .iter()
        .any(|reserved| name.starts_with(reserved))
}

/// A size as `docker run --shm-size` takes it.
fn is_size(size: &str) -> bool {
    let digits = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = size[digits.len()..].to_ascii_lowercase();
    let number: Option<u64> = digits.parse().ok();
    number.is_some_and(|number| number > 0)
        && digits.bytes().all(|b| b.is_ascii_digit())
        && matches!(
            unit.as_str(),
            "" | "b" | "k" | "kb" | "m" | "mb" | "g" | "gb"
        )
}

const DEFAULT_INTERPRETER: &str = "python";
const SET_BY_DEPLOYMENT: [&str; 2] = [
    crate::facts::services::ENTRY_SCRIPT_VARIABLE,
    crate::facts::services::SOURCE_DIRECTORY_VARIABLE,
];

#[cfg(test)]
mod tests;
