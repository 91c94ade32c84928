//! The command line of `azureml-aks`: the jobs of `az ml` (v1) with computes of kind AKS, by the public items of the library.

mod aks;
mod args;
mod computetarget;
mod connect;
mod defaults;
mod deployment;
mod emulator;
mod extension;
mod failure;
mod folder;
mod foreign;
mod kubeconfig;
mod kubernetes;
mod log;
mod model;
mod operation;
mod output;
mod preflight;
mod query;
mod schema;
mod service;
#[cfg(test)]
mod tests;
mod wait;

use args::{Cli, Command};
use connect::Session;
use failure::{Failure, Result};
use output::{Format, Shown};
use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().collect();
    let cli = match args::parse(given.clone()) {
        Ok(cli) => cli,
        Err(error) => {
            // Help that was asked for is a result.
            let _ = match error.use_stderr() {
                false => output::print(&error.render().to_string()),
                true => {
                    output::say(args::complaint(&error, &given).trim_end());
                    Ok(())
                }
            };
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let verbose = cli.global.verbose || cli.global.debug;
    log::start(&cli.global);
    let begun = Instant::now();
    let done = run(cli);
    if verbose {
        let seconds = begun.elapsed().as_secs_f64();
        output::say(format_args!("INFO: Command ran in {seconds:.3} seconds."));
    }
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, text }) => {
            if !text.is_empty() {
                output::say(format_args!("ERROR: {text}"));
            }
            ExitCode::from(code)
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let Cli { global, command } = cli;
    let format = match global.output {
        Some(format) => Some(format),
        None => defaults::output()?,
    };
    let query = global.query.clone();
    let session = Session::new(global);
    if let Command::Completion { shell } = command {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut args::command(), "azureml-aks", &mut text);
        return Ok(output::print(&String::from_utf8_lossy(&text))?);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (shown, failed) = runtime.block_on(async {
        // Before a wait there is nothing to say: the process ends as one that was interrupted does.
        let shown = dispatch(&session, command).await?;
        Ok::<_, Failure>((shown.0, shown.1))
    })?;
    show(shown, format, query.as_ref())?;
    if failed {
        Err(Failure::reported())
    } else {
        Ok(())
    }
}

fn show(shown: Shown, format: Option<Format>, query: Option<&query::Query>) -> Result<()> {
    let text = shown.render(format, query).map_err(Failure::new)?;
    Ok(output::print(&text)?)
}

/// Runs a command. The flag says that its result is a failure, although there is one to show.
async fn dispatch(session: &Session, command: Command) -> Result<(Shown, bool)> {
    Ok(match command {
        Command::Aks(command) => (aks::run(session, command).await?, false),
        Command::Computetarget(command) => (computetarget::run(session, command).await?, false),
        Command::Extension(command) => (extension::run(session, command).await?, false),
        Command::Model(command) => (model::run(session, command).await?, false),
        Command::Service(command) => (service::run(session, command).await?, false),
        Command::Folder(command) => (folder::run(session, command)?, false),
        Command::Preflight(command) => preflight::run(session, command).await?,
        Command::Operation(command) => (operation::run(session, command).await?, false),
        Command::Emulator(emulate) => (emulator::run(session, *emulate).await?, false),
        Command::Schema(command) => (schema::run(command), false),
        Command::Completion { .. } => (Shown::nothing(), false),
    })
}
