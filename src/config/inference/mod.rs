//! What runs in a deployed service: entry script, sources, environment.
//!
//! `configuration` and `environment` hold what was said, valid; `file` reads it from an
//! `inferenceconfig.json`. `package` makes of it what is uploaded: `sources` looks what is there,
//! `archive` packs it, `driver` writes the program that the service starts with.

mod archive;
mod conda;
mod configuration;
#[cfg(test)]
pub(in crate::config) mod coverage;
mod driver;
mod environment;
mod file;
mod package;
mod registry;
mod script;
mod sources;
mod spark;

pub use conda::{CondaDependencies, CondaDependenciesBuilder};
pub use configuration::{EnvironmentSource, InferenceConfiguration, InferenceConfigurationBuilder};
pub use environment::{Dockerfile, Environment, EnvironmentBuilder, EnvironmentRef};
pub(crate) use package::PackContent;
pub use registry::ContainerRegistry;
pub use spark::SparkSettings;

/// Where the container finds the entry script.
const ENTRY_SCRIPT_VARIABLE: &str = "AZUREML_ENTRY_SCRIPT";
/// The folder that the sources are unpacked to, in the container.
const SOURCE_DIRECTORY_VARIABLE: &str = "AZUREML_SOURCE_DIRECTORY";
