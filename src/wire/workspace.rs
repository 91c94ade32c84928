//! The workspace, as far as this library reads it.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(crate) struct WorkspaceResource {
    #[serde(default)]
    pub(crate) location: Option<String>,
}
