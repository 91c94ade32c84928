//! A deployment whose entry script really runs: on the emulator, in Microsoft's model server.
//!
//! ```text
//! examples/model_server/setup.sh
//! cargo run --example model_server --features emulator
//! ```
//!
//! `setup.sh` makes a virtual environment with `azureml-inference-server-http`; it needs Python 3.9 or
//! newer and a package index. The environment is `target/model-server-venv`, or the folder that
//! `AZUREML_AKS_MODEL_SERVER` names, for both; or the one that is given as the argument.
//!
//! The library registers a model and deploys an entry script with its source directory. What it has
//! uploaded is unpacked as a container of the service has it, the model server is started on it, and
//! the emulator sends scoring requests there. It was tried on Linux only.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example shows what it does"
)]

mod container;
mod server;
mod tour;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let venv = std::env::args_os()
        .nth(1)
        .map_or_else(server::default_venv, PathBuf::from);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/model_server/source");
    // Whichever ends first, the other one is dropped, and the model server with it.
    let ended = tokio::select! {
        ended = tour::run(&venv, &source) => ended,
        _ = tokio::signal::ctrl_c() => Err("interrupted; the model server is stopped".into()),
    };
    match ended {
        Ok(seen) => {
            println!("{seen}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
