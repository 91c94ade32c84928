//! `folder`: the file that says which workspace a folder belongs to.

use crate::connect::Session;
use crate::defaults;
use crate::failure::{Failure, Result};
use crate::output::Shown;
use clap::Subcommand;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Writes .azureml/config.json, in which later commands find the workspace.
    #[command(
        after_help = "Example:\n  azureml-aks folder attach -w myworkspace -g myresourcegroup"
    )]
    Attach {
        /// Name of the experiment; of no use here, shown as the original does.
        #[arg(long, short)]
        experiment_name: Option<String>,
    },
}

pub(crate) fn run(session: &Session, command: Command) -> Result<Shown> {
    let Command::Attach { experiment_name } = command;
    let global = &session.global;
    let need = |value: Option<String>, what: &str| {
        value.ok_or_else(|| Failure::usage(format!("{what} is needed")))
    };
    let group = need(global.resource_group.clone(), "--resource-group/-g")?;
    let workspace = need(global.workspace_name.clone(), "--workspace-name/-w")?;
    let subscription = global
        .subscription
        .clone()
        .or_else(defaults::active_subscription);
    let subscription = need(
        subscription,
        "--subscription, or the subscription of `az account set`,",
    )?;
    let folder = std::path::absolute(&global.path)?;
    let file = folder.join(".azureml/config.json");
    std::fs::create_dir_all(folder.join(".azureml"))
        .map_err(|error| Failure::file(&file, error))?;
    let scope = format!(
        "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/workspaces/{workspace}"
    );
    let text = format!("{:#}\n", json!({ "Id": null, "Scope": scope }));
    std::fs::write(&file, text).map_err(|error| Failure::file(&file, error))?;
    let experiment = experiment_name.or_else(|| Some(folder.file_name()?.to_str()?.to_owned()));
    Ok(Shown::new(json!({
        "Experiment name": experiment,
        "Project path": folder.display().to_string(),
        "Resource group": group,
        "Subscription id": subscription,
        "Workspace name": workspace,
    })))
}
