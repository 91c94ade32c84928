//! The workspace, as far as this library reads it.

use serde::Deserialize;
#[cfg(feature = "services")]
use {
    crate::json::lenient::{object, or_default},
    serde::de::MapAccess,
};

#[derive(Debug, Deserialize)]
pub(crate) struct WorkspaceResource {
    #[serde(default)]
    pub(crate) location: Option<String>,
    #[cfg(feature = "services")]
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) properties: WorkspaceProperties,
}

#[cfg(feature = "services")]
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct WorkspaceProperties {
    #[serde(deserialize_with = "or_default")]
    pub(crate) discovery_url: Option<String>,
}

#[cfg(feature = "services")]
object!(WorkspaceProperties);
