//! What runs in a deployed service: entry script, sources, environment.
//!
//! `configuration` holds what was given, valid; `file` reads it from an `inferenceconfig.json`.

mod configuration;
mod file;

pub use configuration::{EnvironmentSource, InferenceConfiguration, InferenceConfigurationBuilder};
