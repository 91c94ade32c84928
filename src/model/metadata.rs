//! The file in which the command line of Azure writes down which model it has registered.

use super::Model;
use crate::error::{Error, ErrorKind};
use crate::workspace::Workspace;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// As `az ml model register --output-metadata-file` writes it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    model_id: String,
    #[serde(default)]
    resource_group_name: Option<String>,
    #[serde(default)]
    workspace_name: Option<String>,
}

impl Model {
    /// Writes which model this is to a file, as `az ml model register --output-metadata-file` does: the
    /// names of workspace and resource group, and `modelId`. A file that is there is replaced.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::File`] if it cannot be written.
    pub fn write_metadata(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let path = path.as_ref();
        let id = self.workspace.id();
        let metadata = Metadata {
            model_id: self.id.clone(),
            resource_group_name: Some(id.resource_group().to_owned()),
            workspace_name: Some(id.name().to_owned()),
        };
        let text = serde_json::to_string_pretty(&metadata).unwrap_or_default();
        std::fs::write(path, text + "\n").map_err(|error| {
            Error::new(
                ErrorKind::File,
                format!("{path:?} cannot be written: {error}"),
            )
            .with_source(error)
        })
    }

    /// Reads the model that such a file names.
    ///
    /// Sends: GET of the model.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::File`] if the path cannot be read or is not a file; [`ErrorKind::Configuration`] if it
    /// names another workspace; otherwise as for [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn from_metadata(
        workspace: &Workspace,
        path: impl AsRef<Path>,
    ) -> Result<Self, Error> {
        let path = path.as_ref();
        let refuse = |why: String| Error::new(ErrorKind::File, format!("{path:?} {why}"));
        let text = std::fs::read(path)
            .map_err(|error| refuse(format!("cannot be read: {error}")).with_source(error))?;
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&text);
        let metadata: Metadata = serde_json::from_slice(text)
            .map_err(|error| refuse(format!("is not a valid model metadata file: {error}")))?;
        let id = workspace.id();
        for (named, own, what) in [
            (&metadata.workspace_name, id.name(), "workspace"),
            (
                &metadata.resource_group_name,
                id.resource_group(),
                "resource group",
            ),
        ] {
            if let Some(named) = named
                && !named.eq_ignore_ascii_case(own)
            {
                return Err(Error::new(
                    ErrorKind::Configuration,
                    format!("{path:?} names a model of {what} {named:?}, not of {own:?}"),
                ));
            }
        }
        Self::get(workspace, &metadata.model_id).await
    }
}
