//! Artifacts: what was uploaded, and where its content is.

use crate::json::Item;
use azure_core::credentials::Secret;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// The answer to the announcement of uploads.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ArtifactBatch {
    pub(crate) artifact_content_information: Option<BTreeMap<String, ContentInformation>>,
    /// By path; read as an error of the service.
    pub(crate) errors: Option<BTreeMap<String, serde_json::Value>>,
}

/// The location of the content of an artifact.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ContentInformation {
    /// A URL that is signed already: a secret.
    pub(crate) content_uri: Option<Secret>,
    pub(crate) path: Option<String>,
}

impl Item for ContentInformation {}

impl fmt::Debug for ContentInformation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentInformation")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
