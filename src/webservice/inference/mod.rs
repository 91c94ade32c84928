//! The content of a deployed service: entry script, sources, environment.
//!
//! `configuration` holds the valid settings; `file` reads it from an `inferenceconfig.json`.

mod configuration;
mod file;

pub use configuration::{EnvironmentSource, InferenceConfiguration, InferenceConfigurationBuilder};
