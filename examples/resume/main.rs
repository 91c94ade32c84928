//! Resume in another process: the same command twice.
//!
//! ```text
//! cargo run --example resume --features emulator
//! cargo run --example resume --features emulator
//! ```
//!
//! The first run starts a create, leaves its resume token in a file that only its owner can read, and
//! ends. The second run finds the file, takes the wait up, prints the result and removes the file.
//! Kill either of them wherever you like: the next run finds out how far it came.
//!
//! The file is `target/resume/token`; another folder may be given as the argument. Without a workspace
//! it runs against an emulator, which the first run starts in the background (behind a proxy,
//! `NO_PROXY` has to name 127.0.0.1). With `AZUREML_SUBSCRIPTION_ID`, `AZUREML_RESOURCE_GROUP` and
//! `AZUREML_WORKSPACE_NAME` set it runs against Azure with the credential of the environment (for
//! example `az login`), and creates a real cluster, which costs money until it is deleted.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example shows what it does"
)]

mod background;
mod token_file;

use azureml_aks::{
    AksCompute, ClusterPurpose, ComputeTarget, Prepared, ResumeToken, Resumed, WaitOptions,
    Workspace,
};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use token_file::TokenFile;

type Error = Box<dyn std::error::Error>;

const NAME: &str = "resumed";

/// How long a request may be on its way to the service after the process that sent it has died.
const ON_ITS_WAY: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let is_background = arguments
        .first()
        .is_some_and(|first| first == background::FLAG);
    let folder = arguments
        .get(usize::from(is_background))
        .map_or_else(|| PathBuf::from("target/resume"), PathBuf::from);
    if is_background {
        return background::serve(&folder).await;
    }

    let file = TokenFile::within(&folder)?;
    let stored = file.read()?;
    let workspace = workspace(&folder, stored.is_some())?;
    let result = match stored {
        None => begin(&workspace, &file).await,
        Some(token) => take_up(&workspace, &file, token).await,
    };
    match (file.exists(), result.is_ok()) {
        (true, true) => println!("the token is in {file}: run the same command again"),
        (true, false) => println!("the token stays in {file}"),
        (false, _) => {
            println!("no token is left, for nothing is going on");
            background::release(&folder);
        }
    }
    result
}

/// The first run: it prepares, stores, and only then sends.
async fn begin(workspace: &Workspace, file: &TokenFile) -> Result<(), Error> {
    let prepared = prepare(workspace)?;
    file.create(prepared.token())?;
    println!("stored the token of the create of {NAME}, before anything is sent");
    send(prepared, file, None).await
}

/// No I/O yet, and there is a token.
fn prepare(workspace: &Workspace) -> Result<Prepared<AksCompute>, Error> {
    let config = AksCompute::provisioning_configuration()
        .cluster_purpose(ClusterPurpose::DevTest)
        .vm_size("Standard_D3_v2")
        .agent_count(1)
        .build()?;
    Ok(ComputeTarget::prepare_create(workspace, NAME, config)?)
}

/// `earlier` is the token of a request that may arrive after all.
async fn send(
    prepared: Prepared<AksCompute>,
    file: &TokenFile,
    earlier: Option<&ResumeToken>,
) -> Result<(), Error> {
    match prepared.send().await {
        Ok(aks) => {
            // The newer token knows where the service shows the status of the operation.
            file.keep(aks.resume_token())?;
            let state = aks.status().unwrap_or("accepted");
            println!("sent: {NAME} is {state}; stored the newer token");
            println!("this process ends here, and the create goes on");
            Ok(())
        }
        Err(error) => {
            // An error with a token: the request may have arrived. Without one it has begun nothing;
            // and if the name is taken now, it was the earlier one that arrived.
            let arrived = earlier.filter(|_| error.is_already_exists());
            file.keep(error.resume_token().or(arrived))?;
            Err(error.into())
        }
    }
}

/// A later run: it finds out what became of the create.
async fn take_up(workspace: &Workspace, file: &TokenFile, token: ResumeToken) -> Result<(), Error> {
    let age = token.started_at().elapsed().unwrap_or_default();
    let seconds = age.as_secs();
    println!("found the token of a {}, {seconds} s old", token.verb());
    let mut resumed = workspace.resume(&token).await?;
    if let (Resumed::NotStarted { .. }, Some(rest)) = (&resumed, ON_ITS_WAY.checked_sub(age)) {
        println!("not started, or still on its way: looking again in {rest:.0?}");
        tokio::time::sleep(rest).await;
        resumed = workspace.resume(&token).await?;
    }
    match resumed {
        // Running or done.
        Resumed::Compute(aks) => finish(aks, file).await,
        Resumed::NotStarted { .. } => {
            println!("not started: sending it again");
            let prepared = prepare(workspace)?;
            file.keep(Some(prepared.token()))?;
            send(prepared, file, Some(&token)).await
        }
        other => Err(format!("{file} is not of this example: it is for {other:?}").into()),
    }
}

async fn finish(mut aks: AksCompute, file: &TokenFile) -> Result<(), Error> {
    let options = WaitOptions::new().show_output(true);
    let result = aks.wait_for_completion(options).await;
    // There is a token as long as the create may run: after a deadline, or if its status was lost.
    file.keep(aks.resume_token())?;
    result?;
    let nodes = aks.properties();
    println!(
        "created {}: {}, {} x {}",
        aks.name(),
        aks.status().unwrap_or("unknown"),
        nodes.agent_count.unwrap_or_default(),
        nodes.agent_vm_size.as_deref().unwrap_or("unknown size"),
    );
    Ok(())
}

/// Azure where it is configured, the emulator where it is not.
fn workspace(folder: &Path, resuming: bool) -> Result<Workspace, Error> {
    if std::env::var_os("AZUREML_SUBSCRIPTION_ID").is_some() {
        return Ok(Workspace::builder_from_env()?
            .default_credential()?
            .build()?);
    }
    if !resuming {
        background::start(folder)?;
    }
    background::workspace(folder)
}
