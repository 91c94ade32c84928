//! Resume in another process: the same command twice.
//!
//! ```text
//! cargo run --example resume --features emulator
//! cargo run --example resume --features emulator
//! ```
//!
//! The first run starts a create and ends. `send_recording` keeps its resume token in a file that only its
//! owner can read. The second run finds the file, resumes the wait, prints the result and removes the file.
//! Kill either of them at any point: the next run finds out how far it came.
//!
//! The file is `target/resume/token`; another folder may be given as the argument. It runs against an
//! emulator, which the first run starts in the background (behind a proxy, `NO_PROXY` has to name
//! 127.0.0.1). Only with `--azure` as the first argument does it run against Azure: in the workspace of
//! `AZUREML_SUBSCRIPTION_ID`, `AZUREML_RESOURCE_GROUP` and `AZUREML_WORKSPACE_NAME`, with the credential of the
//! environment (for example `az login`). Then it creates a real cluster, which costs money until it is deleted.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example shows what it does"
)]

mod background;
mod token_file;

use azureml_aks::models::CreateCompute;
use azureml_aks::{
    Aks, AksCompute, AnyCompute, ClusterPurpose, ComputeTarget, ResumeToken, Resumed, TokenStore,
    WaitOptions, Workspace,
};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use token_file::TokenFile;

type Error = azureml_aks::error::BoxError;

const NAME: &str = "resumed";

/// The longest time that a request may be on its way to the service after the process that sent it has ended.
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
    let first_is = |flag: &str| arguments.first().is_some_and(|first| first == flag);
    let (is_background, is_azure) = (first_is(background::FLAG), first_is("--azure"));
    let folder = arguments
        .get(usize::from(is_background || is_azure))
        .map_or_else(|| PathBuf::from("target/resume"), PathBuf::from);
    if is_background {
        return background::serve(&folder).await;
    }

    let file = Arc::new(TokenFile::within(&folder)?);
    let stored = file.read()?;
    let workspace = match is_azure {
        true => Workspace::builder_from_env()?
            .default_credential()?
            .build()?,
        false => emulated(&folder, stored.is_some())?,
    };
    let result = match stored {
        None => begin(&workspace, &file).await,
        Some(token) => resume(&workspace, &file, token).await,
    };
    match (file.exists(), result.is_ok()) {
        (true, true) => println!("the token is in {file}: run the same command again"),
        (true, false) => println!("the token stays in {file}"),
        (false, _) => {
            println!("no token is left: nothing runs any more");
            background::release(&folder);
        }
    }
    result
}

/// The first run: it sends the create, and ends without waiting for it.
async fn begin(workspace: &Workspace, file: &Arc<TokenFile>) -> Result<(), Error> {
    let aks = send(create(workspace)?, file.clone()).await?;
    let state = aks.status().unwrap_or("accepted");
    println!("sent: {NAME} is {state}; its resume token is stored");
    println!("this process ends here, and the create goes on");
    Ok(())
}

/// A request; nothing is sent yet.
fn create(workspace: &Workspace) -> Result<CreateCompute<Aks>, Error> {
    let config = AksCompute::provisioning_configuration()
        .cluster_purpose(ClusterPurpose::DevTest)
        .vm_size("Standard_D3_v2")
        .agent_count(1)
        .build()?;
    Ok(ComputeTarget::create(workspace, NAME, config))
}

/// Stores the token, sends the request, and stores the token of the operation that began.
async fn send(create: CreateCompute<Aks>, store: Arc<TokenFile>) -> Result<AksCompute, Error> {
    let prepared = create.prepare()?;
    let aks = prepared.send_recording(store).await?;
    Ok(aks)
}

/// A later run: it finds out what became of the create.
async fn resume(
    workspace: &Workspace,
    file: &Arc<TokenFile>,
    token: ResumeToken,
) -> Result<(), Error> {
    let age = token.started_at().elapsed().unwrap_or_default();
    let seconds = age.as_secs();
    println!("found the token of a {}, {seconds} s old", token.verb());
    let mut resumed = workspace.resume(&token).await?;
    if let (Resumed::NotStarted { .. }, Some(rest)) = (&resumed, ON_ITS_WAY.checked_sub(age)) {
        println!("not started, or still on its way: reading again in {rest:.0?}");
        tokio::time::sleep(rest).await;
        resumed = workspace.resume(&token).await?;
    }
    match resumed {
        // Running or done.
        Resumed::Compute(compute) => finish(compute, file, &token).await,
        Resumed::NotStarted { .. } => {
            println!("not started: sending it again");
            send_again(workspace, file, &token).await
        }
        other => Err(format!("{file} is not of this example: it is for {other:?}").into()),
    }
}

async fn send_again(
    workspace: &Workspace,
    file: &Arc<TokenFile>,
    earlier: &ResumeToken,
) -> Result<(), Error> {
    // Under the same id the new token takes the place of the earlier one.
    let request = create(workspace)?.client_request_id(earlier.id());
    match send(request, file.clone()).await {
        Ok(aks) => finish(aks.into(), file, earlier).await,
        Err(error) => {
            // The name is taken now: the earlier request arrived after all.
            let error = error.downcast::<azureml_aks::Error>()?;
            if error.is_already_exists() {
                file.put(earlier).await?;
            }
            Err(error)
        }
    }
}

async fn finish(
    mut compute: AnyCompute,
    file: &TokenFile,
    token: &ResumeToken,
) -> Result<(), Error> {
    let options = WaitOptions::new().show_output(true);
    let result = compute.wait_for_completion(options).await;
    // There is a token as long as the create may run: after a deadline, or if its status was lost.
    match compute.resume_token() {
        Some(newer) => file.put(newer).await?,
        None => file.remove(token.id()).await?,
    }
    result?;
    let aks = AksCompute::try_from(compute)?;
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

/// The workspace of the emulator that the first run started.
fn emulated(folder: &Path, resuming: bool) -> Result<Workspace, Error> {
    if !resuming {
        background::start(folder)?;
    }
    background::workspace(folder)
}
