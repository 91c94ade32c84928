//! `preflight`: checks before anything is changed.

use crate::computetarget::{Attach, Create};
use crate::connect::Session;
use crate::extension::Install;
use crate::failure::{Failure, Result, of_this_program};
use crate::kubernetes;
use crate::model::Deploy;
use crate::output::{Columns, Shown};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Checks what `computetarget create aks` would do.
    #[command(after_help = "Example:\n  azureml-aks preflight create -n myaks -a 3 -o table")]
    Create(Box<Create>),
    /// Checks what `computetarget attach aks` would do.
    #[command(after_help = "Example:\n  azureml-aks preflight attach -n myaks -i ID -o table")]
    Attach(Box<Attach>),
    /// Checks what `computetarget attach kubernetes` would do.
    #[command(
        after_help = "Example:\n  azureml-aks preflight attach-kubernetes -n kube -i ID -o table"
    )]
    AttachKubernetes(Box<kubernetes::Attach>),
    /// Checks what `extension install` would do.
    #[command(
        after_help = "Example:\n  azureml-aks preflight install -n azureml -c mycluster -g myresourcegroup \
        --config enableTraining=True -o table"
    )]
    Install(Box<Install>),
    /// Checks what `model deploy` would do.
    #[command(
        after_help = "Example:\n  azureml-aks preflight deploy --ct myaks -n myservice -m mymodel:1 --dc deploymentconfig.json"
    )]
    Deploy(Box<Deploy>),
}

const FINDING: Columns = &[
    ("Severity", "/severity"),
    ("Rule", "/rule"),
    ("Path", "/path"),
    ("Message", "/message"),
    ("Remedy", "/remedy"),
];

/// The flag says that a finding is an error.
pub(crate) async fn run(session: &Session, command: Command) -> Result<(Shown, bool)> {
    let workspace = async || session.workspace().await;
    let request = match command {
        Command::Create(create) => {
            let workspace = workspace().await?;
            let configuration = create.configuration(workspace.id().resource_group())?;
            configuration.preflight(&workspace).name(&create.named.name)
        }
        Command::Attach(attach) => attach
            .configuration()?
            .preflight(&workspace().await?)
            .name(&attach.named.name),
        Command::AttachKubernetes(attach) => {
            let (name, configuration) = attach.configuration()?;
            session.warn_of(configuration.warnings());
            configuration.preflight(&workspace().await?).name(name)
        }
        Command::Install(install) => {
            let (workspace, cluster, name, configuration) = install.request(session).await?;
            session.warn_of(configuration.warnings());
            configuration.preflight(&workspace, cluster, name)
        }
        Command::Deploy(deploy) => {
            let (target, configuration) = deploy.target(session, &workspace().await?).await?;
            configuration.preflight(&target)
        }
    };
    let report = session
        .unless_interrupted(None, request.into_future())
        .await?;
    let failed = report.has_errors();
    let mut value =
        serde_json::to_value(&report).map_err(|error| Failure::new(error.to_string()))?;
    for finding in value["findings"].as_array_mut().into_iter().flatten() {
        if let Some(remedy) = finding["remedy"].as_str() {
            finding["remedy"] = of_this_program(remedy).into();
        }
    }
    let mut shown = Shown::table(value, FINDING);
    shown.rows = Some(shown.value["findings"].clone());
    Ok((shown, failed))
}
