//! A compute as plain derived structs: what somebody writes who needs one kind only.

use azureml_aks::{error::ServiceError, models::AksProperties};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A compute whose kind adds `K`.
#[derive(Deserialize)]
#[allow(dead_code, reason = "read to be measured")]
pub(crate) struct Plain<K = Box<AksProperties>> {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    #[serde(rename = "type")]
    pub(crate) resource_type: Option<String>,
    pub(crate) location: Option<String>,
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) properties: PlainProperties<K>,
}

impl Plain {
    /// Something that has to be read to be known, and that the server always says.
    #[allow(dead_code, reason = "each bench uses its part")]
    pub(crate) fn nodes(&self) -> Option<u32> {
        self.properties.properties.as_ref()?.agent_count
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "read to be measured")]
pub(crate) struct PlainProperties<K> {
    pub(crate) compute_type: String,
    pub(crate) compute_location: Option<String>,
    pub(crate) provisioning_state: Option<String>,
    pub(crate) provisioning_errors: Option<Vec<ServiceError>>,
    pub(crate) provisioning_warnings: Option<Vec<ServiceError>>,
    pub(crate) description: Option<String>,
    pub(crate) resource_id: Option<String>,
    pub(crate) is_attached_compute: Option<bool>,
    pub(crate) created_on: Option<String>,
    pub(crate) modified_on: Option<String>,
    pub(crate) disable_local_auth: Option<bool>,
    pub(crate) properties: Option<K>,
}
