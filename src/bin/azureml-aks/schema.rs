//! `schema`: what an editor needs to know of the configuration files.

use crate::output::Shown;
use clap::Subcommand;
use serde_json::Value;

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Command {
    /// The schema of a deployment configuration.
    #[command(
        after_help = "Example:\n  azureml-aks schema deploymentconfig >deploymentconfig.schema.json"
    )]
    Deploymentconfig,
    /// The schema of an inference configuration.
    #[command(
        after_help = "Example:\n  azureml-aks schema inferenceconfig >inferenceconfig.schema.json"
    )]
    Inferenceconfig,
}

pub(crate) const DEPLOYMENT: &str = include_str!("schema/deploymentconfig.json");
pub(crate) const INFERENCE: &str = include_str!("schema/inferenceconfig.json");

pub(crate) fn run(command: Command) -> Shown {
    let text = match command {
        Command::Deploymentconfig => DEPLOYMENT,
        Command::Inferenceconfig => INFERENCE,
    };
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    Shown {
        text: Some(text.to_owned()),
        ..Shown::new(value)
    }
}
