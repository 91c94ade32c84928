//! The environment of a service: Python packages, image, variables.

mod builder;
mod conda;
mod dockerfile;
mod file;
mod reference;
mod registry;
mod spark;

pub use builder::EnvironmentBuilder;
pub use conda::{CondaDependencies, CondaDependenciesBuilder};
pub use dockerfile::Dockerfile;
pub(crate) use file::FLAT_KEYS;
pub use reference::EnvironmentRef;
pub use registry::ContainerRegistry;
pub use spark::SparkSettings;

use crate::error::Finding;
use crate::rules::{self, Findings};
use serde_json::{Map, Value};

/// The definition of an environment, valid: what a service runs in.
///
/// Made by [`builder`](Self::builder). A setting that was not set is not sent, and the service takes its own
/// default. An environment that is registered already, or a curated one, is not defined but referred
/// to, with an [`EnvironmentRef`].
///
/// # Design
///
/// Microsoft's client fills an environment with a version of Python, a base image of its own day and
/// an example variable. Here the service decides about settings that were not set.
#[must_use = "an environment does nothing until a service is deployed with it"]
#[derive(Debug, Clone, PartialEq)]
pub struct Environment {
    given: EnvironmentBuilder,
    warnings: Vec<Finding>,
}

impl Environment {
    /// Starts a definition in which nothing is set.
    ///
    /// # Examples
    ///
    /// ```
    /// use azureml_aks::{CondaDependencies, Environment};
    ///
    /// let environment = Environment::builder()
    ///     .name("myenv")
    ///     .conda_dependencies(
    ///         CondaDependencies::new().python_version("3.10").pip_package("azureml-defaults"),
    ///     )
    ///     .environment_variable("LOG_LEVEL", "debug")
    ///     .build()?;
    /// assert_eq!(environment.name(), Some("myenv"));
    ///
    /// let error = Environment::builder()
    ///     .name("AzureML-mine")
    ///     .base_image("ubuntu:22.04")
    ///     .base_dockerfile("FROM ubuntu:22.04")
    ///     .build()
    ///     .unwrap_err();
    /// let rules: Vec<_> = error.findings().iter().map(|finding| finding.rule).collect();
    /// assert_eq!(rules, ["environment.name_reserved", "environment.image_and_dockerfile"]);
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn builder() -> EnvironmentBuilder {
        EnvironmentBuilder::default()
    }

    /// Returns the name, if one was given.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.given.name.as_deref()
    }

    /// Returns the version, if one was given.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.given.version.as_deref()
    }

    /// Returns the base image, if one was given.
    #[must_use]
    pub fn base_image(&self) -> Option<&str> {
        self.given.base_image.as_deref()
    }

    /// Returns what does not stand in the way: what is allowed but probably not meant
    /// ([`Warning`](crate::error::Severity::Warning)), and checks that could not be made
    /// ([`Unknown`](crate::error::Severity::Unknown)).
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// Moves the warnings out, for a caller who shows them under other names.
    pub(crate) fn take_warnings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.warnings)
    }

    /// Returns the environment as a request for an image holds it (`ModelEnvironmentDefinition` of the model
    /// management API, 2019-09-30). It may hold the password of a registry in clear.
    ///
    /// One without a name is called after the `service`, as `azureml-core` calls one that it makes
    /// of the parts of an inference configuration.
    pub(crate) fn value(&self, service: &str) -> Value {
        let given = &self.given;
        let mut value = Map::new();
        let name = match &given.name {
            Some(name) => name.clone(),
            None => format!("{service}-env"),
        };
        value.insert("name".into(), name.into());
        insert(&mut value, "version", given.version.as_deref());
        insert_part(&mut value, "python", self.python());
        if !given.variables.0.is_empty() {
            let variables = given.variables.0.iter();
            let variables: Map<String, Value> = variables
                .map(|(name, value)| (name.clone(), value.as_str().into()))
                .collect();
            value.insert("environmentVariables".into(), variables.into());
        }
        insert_part(&mut value, "docker", self.docker());
        if let Some(spark) = &given.spark {
            value.insert("spark".into(), spark.value());
        }
        let version = given.inferencing_stack_version.as_deref();
        insert(&mut value, "inferencingStackVersion", version);
        value.into()
    }

    fn python(&self) -> Map<String, Value> {
        let given = &self.given;
        let mut python = Map::new();
        insert(
            &mut python,
            "interpreterPath",
            given.interpreter_path.as_deref(),
        );
        insert(&mut python, "userManagedDependencies", given.user_managed);
        if let Some(conda) = &given.conda {
            python.insert("condaDependencies".into(), conda.value());
        }
        let base = given.base_conda_environment.as_deref();
        insert(&mut python, "baseCondaEnvironment", base);
        python
    }

    fn docker(&self) -> Map<String, Value> {
        let given = &self.given;
        let mut docker = Map::new();
        insert(&mut docker, "enabled", given.docker_enabled);
        insert(&mut docker, "baseImage", given.base_image.as_deref());
        if let Some(dockerfile) = &given.base_dockerfile {
            docker.insert("baseDockerfile".into(), dockerfile.text().into());
        }
        insert(&mut docker, "sharedVolumes", given.shared_volumes);
        insert(&mut docker, "gpuSupport", given.enable_gpu);
        insert(&mut docker, "shmSize", given.shm_size.as_deref());
        if !given.docker_arguments.0.is_empty() {
            let arguments = given.docker_arguments.0.clone();
            docker.insert("arguments".into(), arguments.into());
        }
        if let Some(registry) = &given.base_image_registry {
            docker.insert("baseImageRegistry".into(), registry.value());
        }
        docker
    }
}

fn insert(members: &mut Map<String, Value>, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        members.insert(key.to_owned(), value.into());
    }
}

fn insert_part(members: &mut Map<String, Value>, key: &str, part: Map<String, Value>) {
    if !part.is_empty() {
        members.insert(key.to_owned(), part.into());
    }
}

pub(super) fn refuse_empty(findings: &mut Findings, path: impl Into<String>) {
    findings.refuse(
        rules::ENVIRONMENT_EMPTY,
        path,
        None,
        "the text is empty",
        "give a text, or leave it out",
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::{CondaDependencies, ContainerRegistry, SparkSettings};
    use serde_json::json;

    #[test]
    fn only_the_name_is_sent_where_nothing_else_was_given() {
        let environment = Environment::builder().build().unwrap();
        assert_eq!(
            environment.value("myservice"),
            json!({ "name": "myservice-env" })
        );
        assert!(environment.warnings().is_empty());
    }

    #[test]
    fn every_given_value_is_sent_as_it_was_given() {
        let environment = Environment::builder()
            .name("myenv")
            .version("3")
            .conda_dependencies(CondaDependencies::new().pip_package("azureml-defaults"))
            .user_managed_dependencies(false)
            .interpreter_path("/opt/python")
            .base_conda_environment("base")
            .environment_variable("A", "0")
            .environment_variables([("A", "1"), ("B", "2")])
            .docker_enabled(true)
            .base_image("r.azurecr.io/scoring:1")
            .base_image_registry(ContainerRegistry::new("r.azurecr.io").credentials("me", "pw"))
            .shared_volumes(true)
            .enable_gpu(true)
            .shm_size("2g")
            .docker_argument("--cpus")
            .docker_arguments(["2"])
            .spark(SparkSettings::new().precache_packages(true))
            .inferencing_stack_version("latest")
            .build()
            .unwrap();
        assert_eq!(
            environment.value("ignored"),
            json!({
                "name": "myenv",
                "version": "3",
                "python": {
                    "interpreterPath": "/opt/python",
                    "userManagedDependencies": false,
                    "condaDependencies": { "dependencies": [{ "pip": ["azureml-defaults"] }] },
                    "baseCondaEnvironment": "base",
                },
                "environmentVariables": { "A": "1", "B": "2" },
                "docker": {
                    "enabled": true,
                    "baseImage": "r.azurecr.io/scoring:1",
                    "sharedVolumes": true,
                    "gpuSupport": true,
                    "shmSize": "2g",
                    "arguments": ["--cpus", "2"],
                    "baseImageRegistry": {
                        "address": "r.azurecr.io", "username": "me", "password": "pw",
                    },
                },
                "spark": { "precachePackages": true },
                "inferencingStackVersion": "latest",
            })
        );
        let dockerfile = Environment::builder()
            .base_dockerfile("FROM a\n")
            .build()
            .unwrap();
        assert_eq!(
            dockerfile.value("s")["docker"],
            json!({ "baseDockerfile": "FROM a\n" })
        );
    }

    #[test]
    fn members_that_may_be_secret_are_not_shown() {
        let builder = Environment::builder()
            .environment_variable("TOKEN", "CANARY-1")
            .docker_argument("--env=TOKEN=CANARY-4")
            .base_dockerfile("FROM a\nENV TOKEN=CANARY-2\n")
            .base_image_registry(ContainerRegistry::new("r").credentials("me", "CANARY-3"));
        let shown = format!("{builder:?}{:?}", builder.clone().build().unwrap());
        assert!(
            shown.contains("TOKEN") && !shown.contains("CANARY"),
            "{shown}"
        );
    }
}
