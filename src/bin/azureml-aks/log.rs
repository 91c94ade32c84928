//! Events of the library, on standard error.

use crate::args::Global;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// Starts to print events, if the options ask for them: those of this package, and for `--debug` those of the packages whose
/// events leave secrets out. Events of other packages are ignored.
pub(crate) fn start(global: &Global) {
    let targets = match (global.debug, global.verbose) {
        (true, _) => Targets::new()
            .with_target("azureml_aks", LevelFilter::TRACE)
            .with_target("azure_core", LevelFilter::DEBUG)
            .with_target("typespec_client_core", LevelFilter::DEBUG),
        (false, true) => Targets::new().with_target("azureml_aks", LevelFilter::DEBUG),
        (false, false) => return,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .without_time();
    tracing_subscriber::registry()
        .with(targets)
        .with(lines)
        .init();
}
