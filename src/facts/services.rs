//! Names in the container of a deployed service, as Microsoft's Python client writes them.

/// The variable that names the entry script.
pub(crate) const ENTRY_SCRIPT_VARIABLE: &str = "AZUREML_ENTRY_SCRIPT";
/// The variable that names the folder to which the sources are unpacked.
pub(crate) const SOURCE_DIRECTORY_VARIABLE: &str = "AZUREML_SOURCE_DIRECTORY";
