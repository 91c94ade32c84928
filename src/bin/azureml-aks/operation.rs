//! `operation`: what was started here and may still run.

use crate::connect::Session;
use crate::failure::{Failure, Result};
use crate::output::{Columns, Shown};
use crate::wait::Operations;
use azureml_aks::{ResumeToken, Resumed, wait_all};
use clap::Subcommand;
use serde_json::{Value, json};
use std::time::UNIX_EPOCH;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the operations whose end was not seen.
    #[command(after_help = "Example:\n  azureml-aks operation list -o table")]
    List,
    /// Shows what is known of an operation, without asking the service.
    #[command(after_help = "Example:\n  azureml-aks operation show ID")]
    Show {
        /// Its id.
        id: String,
    },
    /// Waits for an operation to end.
    #[command(after_help = "Example:\n  azureml-aks operation resume ID")]
    Resume {
        /// Its id.
        id: String,
    },
}

const OPERATION: Columns = &[
    ("Id", "/id"),
    ("Verb", "/verb"),
    ("Name", "/name"),
    ("Workspace", "/workspace"),
    ("ResourceGroup", "/resourceGroup"),
    ("Status", "/status"),
    ("StartedTime", "/startedTime"),
];

pub(crate) async fn run(session: &Session, command: Command) -> Result<Shown> {
    let operations = Operations::open()?;
    match command {
        Command::List => {
            let mut tokens = Vec::new();
            for id in operations.ids()? {
                match operations.read(&id) {
                    Ok(token) => tokens.push(token),
                    Err(failure) => session.warn(format!("{id}: {}", failure.text)),
                }
            }
            // Ids have no order that a person knows.
            tokens.sort_by_key(ResumeToken::started_at);
            let rows: Vec<Value> = tokens.iter().map(shape).collect();
            Ok(Shown::table(rows.into(), OPERATION))
        }
        Command::Show { id } => Ok(Shown::table(shape(&operations.read(&id)?), OPERATION)),
        Command::Resume { id } => {
            let token = operations.read(&id)?;
            let workspace = session.workspace_of(token.workspace()).await?;
            let mut resumed = session
                .unless_interrupted(Some(&id), workspace.resume(&token))
                .await?;
            if let Resumed::NotStarted { .. } = resumed {
                operations.forget(&id)?;
                let text = format!(
                    "the request ({} {:?}) never reached the service; nothing was started",
                    token.verb(),
                    token.target()
                );
                return Err(Failure::new(text));
            }
            let options = session.wait_options();
            let wait = async {
                let ends = wait_all([&mut resumed], options).await;
                ends.into_iter()
                    .collect::<std::result::Result<Vec<()>, _>>()
                    .inspect_err(|error| {
                        if !error.may_still_run() {
                            let _ = operations.forget(&id);
                        }
                    })
            };
            session.unless_interrupted(Some(&id), wait).await?;
            operations.forget(&id)?;
            let mut shown = shape(&token);
            shown["status"] = "Succeeded".into();
            Ok(Shown::table(shown, OPERATION))
        }
    }
}

/// Returns the members of a token that are not secret.
fn shape(token: &ResumeToken) -> Value {
    let workspace = token.workspace();
    let started = token
        .started_at()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let started = azureml_aks::azure_core::time::OffsetDateTime::from_unix_timestamp(
        started.try_into().unwrap_or_default(),
    );
    json!({
        "id": token.id(),
        "name": token.target(),
        "resourceGroup": workspace.resource_group(),
        "startedTime": started.ok().map(|time| azureml_aks::azure_core::time::to_rfc3339(&time)),
        "status": token.last_status(),
        "subscription": workspace.subscription(),
        "verb": token.verb().as_str(),
        "workspace": workspace.name(),
    })
}
