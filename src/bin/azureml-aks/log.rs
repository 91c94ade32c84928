//! Events of the library, on standard error.

use crate::args::Global;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// Prints events from now on, as far as the options ask for them: of this package, and for `--debug` of the packages whose
/// events leave secrets out. All others are not asked.
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
