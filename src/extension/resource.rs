//! An extension of a cluster, as the service returns it.

use crate::error::{ServiceError, redact};
use crate::facts::arm::EXTENSION_TYPE;
use crate::facts::codes;
use crate::json::lenient::{Object, object, or_default};
use crate::json::{Document, Item, kept, twin};
use crate::operation::StatusClass;
use serde::de::MapAccess;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

twin! {
    ExtensionMembers reads
    /// An extension of a cluster.
    ///
    /// It is read leniently: a member of an unexpected type counts as absent.
    ///
    /// The whole document is kept as the service wrote it, without protected settings, and `Serialize` writes it, as it
    /// does for a [`ComputeResource`](crate::models::ComputeResource). `Deserialize` reads JSON only.
    #[derive(Clone, PartialEq, Default)]
    #[non_exhaustive]
    pub struct ExtensionResource {
        /// The ARM id, in the service's spelling.
        #[serde(deserialize_with = "or_default")]
        pub id: String,
        /// The name on the cluster.
        #[serde(deserialize_with = "or_default")]
        pub name: String,
        /// The identity of an extension of an Arc-connected cluster. That of an AKS cluster is in
        /// [`aks_assigned_identity`](ExtensionProperties::aks_assigned_identity).
        #[serde(deserialize_with = "or_default")]
        pub identity: Option<ExtensionIdentity>,
        /// The properties.
        #[serde(deserialize_with = "or_default")]
        pub properties: ExtensionProperties,
        #[serde(skip)]
        document: Document,
    }
}

/// The properties of an extension, as far as they are known here; the rest is in the document of the extension.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ExtensionProperties {
    /// The type, for example `microsoft.azureml.kubernetes`, in any letter case.
    #[serde(deserialize_with = "or_default")]
    pub extension_type: Option<String>,
    /// Whether minor versions are upgraded automatically.
    #[serde(deserialize_with = "or_default")]
    pub auto_upgrade_minor_version: Option<bool>,
    /// The release train, for example `stable`.
    #[serde(deserialize_with = "or_default")]
    pub release_train: Option<String>,
    /// The pinned version.
    #[serde(deserialize_with = "or_default")]
    pub version: Option<String>,
    /// The version that is installed.
    #[serde(deserialize_with = "or_default")]
    pub current_version: Option<String>,
    /// `Succeeded`, `Creating`, `Updating`, `Deleting`, `Failed`, `Canceled`, for the first minutes `Pending`, …: an open
    /// set.
    #[serde(deserialize_with = "or_default")]
    pub provisioning_state: Option<String>,
    /// The settings that have a text as their value.
    #[serde(deserialize_with = "or_default")]
    pub configuration_settings: BTreeMap<String, String>,
    /// The statuses that the extension reports.
    #[serde(deserialize_with = "or_default")]
    pub statuses: Vec<ExtensionStatus>,
    /// Why it could not be installed or changed, if the agent in the cluster reports it.
    #[serde(deserialize_with = "or_default")]
    pub error_info: Option<ServiceError>,
    /// The identity of an extension of an AKS cluster.
    #[serde(deserialize_with = "or_default")]
    pub aks_assigned_identity: Option<ExtensionIdentity>,
    /// Whether Azure installed it without a request.
    #[serde(deserialize_with = "or_default")]
    pub is_system_extension: Option<bool>,
}

/// A status of an extension.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ExtensionStatus {
    /// The code.
    #[serde(deserialize_with = "or_default")]
    pub code: Option<String>,
    /// The status in a few words.
    #[serde(deserialize_with = "or_default")]
    pub display_status: Option<String>,
    /// `Error`, `Warning` or `Information`: an open set.
    #[serde(deserialize_with = "or_default")]
    pub level: Option<String>,
    /// The message.
    #[serde(deserialize_with = "without_secrets")]
    pub message: Option<String>,
    /// The time of the status, as the service wrote it.
    #[serde(deserialize_with = "or_default")]
    pub time: Option<String>,
}

/// A managed identity of an extension.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ExtensionIdentity {
    /// The object id to which roles are assigned.
    #[serde(deserialize_with = "or_default")]
    pub principal_id: Option<String>,
    /// Its tenant.
    #[serde(deserialize_with = "or_default")]
    pub tenant_id: Option<String>,
    /// `SystemAssigned` or `UserAssigned`.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub kind: Option<String>,
}

object!(ExtensionProperties, ExtensionStatus, ExtensionIdentity);

/// Reads a message, in which the service may repeat what was sent to it.
fn without_secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let message: Option<String> = or_default(deserializer)?;
    Ok(message.map(|message| redact(&message)))
}

impl ExtensionStatus {
    /// Whether it reports an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        let level = self.level.as_deref().map(str::trim);
        level.is_some_and(|level| level.eq_ignore_ascii_case("Error"))
    }

    /// Returns the remedy that a person can apply, for well-known codes.
    #[must_use]
    pub fn remedy(&self) -> Option<&'static str> {
        codes::remedy(self.code.as_deref(), self.message.as_deref())
    }
}

impl ExtensionResource {
    /// Returns the whole document, as `Serialize` writes it.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.document.to_value()
    }

    /// Whether it is Azure Machine Learning's extension, `microsoft.azureml.kubernetes`.
    #[must_use]
    pub fn is_machine_learning(&self) -> bool {
        let own = self.properties.extension_type.as_deref();
        own.is_some_and(|own| own.trim().eq_ignore_ascii_case(EXTENSION_TYPE))
    }

    /// Whether the extension is installed and reports no error: its state is `Succeeded`, no status has the level
    /// `Error`, and the agent in the cluster reports no error.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        let own = &self.properties;
        let state = own.provisioning_state.as_deref().map(StatusClass::of);
        state == Some(StatusClass::Succeeded)
            && own.error_info.is_none()
            && !own.statuses.iter().any(ExtensionStatus::is_error)
    }

    /// Returns the remedy that a person can apply, for the first well-known error that the extension reports.
    #[must_use]
    pub fn remedy(&self) -> Option<&'static str> {
        let own = &self.properties;
        let info = own.error_info.as_ref().and_then(ServiceError::find_remedy);
        let errors = own.statuses.iter().filter(|status| status.is_error());
        info.or_else(|| errors.into_iter().find_map(ExtensionStatus::remedy))
    }

    /// Returns a time of `systemData`, as the service wrote it.
    pub(crate) fn moment(&self, name: &str) -> Option<String> {
        let text = self.to_value()["systemData"][name].as_str()?.to_owned();
        Some(text)
    }

    pub(crate) fn read(text: &str) -> serde_json::Result<Self> {
        let document = Document::read(text)?;
        let Object(read) = serde_json::from_str::<Object<ExtensionMembers>>(document.text())?;
        Ok(Self {
            document,
            ..read.into()
        })
    }
}

kept!(ExtensionResource);

impl Item for ExtensionResource {}

impl fmt::Debug for ExtensionResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtensionResource")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("identity", &self.identity)
            .field("properties", &self.properties)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Hidden;
    use serde_json::json;

    fn read(value: &Value) -> ExtensionResource {
        serde_json::from_str(&value.to_string()).unwrap()
    }

    fn with(properties: &Value) -> ExtensionResource {
        read(&json!({ "id": "/i", "name": "azureml", "properties": properties }))
    }

    #[test]
    fn document_is_kept_without_protected_settings() {
        let resource = with(&json!({
            "configurationSettings": { "enableTraining": "True", "scoringFe.sslKey": "c4n4ry", "count": 3 },
            "configurationProtectedSettings": { "any": "c4n4ry" },
            "new": [1, null],
        }));
        let settings = &resource.properties.configuration_settings;
        assert_eq!(settings.len(), 1, "{settings:?}");
        let written = resource.to_value();
        assert_eq!(written["properties"]["new"], json!([1, null]));
        assert_eq!(written["properties"]["configurationSettings"]["count"], 3);
        let shown = format!("{resource:?} {written}");
        assert!(!shown.contains("c4n4ry"), "{shown}");
    }

    #[test]
    fn extension_is_healthy_once_it_has_succeeded_without_errors() {
        let good = json!({ "provisioningState": "succeeded", "statuses": [], "errorInfo": null });
        assert!(with(&good).is_healthy());
        let told = json!({ "level": "Information", "code": "InstallState", "message": "m" });
        let informed = json!({ "provisioningState": "Succeeded", "statuses": [null, told] });
        assert!(with(&informed).is_healthy());
        for bad in [
            json!(null),
            json!({}),
            json!({ "provisioningState": null }),
            json!({ "provisioningState": "Pending" }),
            json!({ "provisioningState": "Failed" }),
            json!({ "provisioningState": "Succeeded", "statuses": [{ "level": "error" }] }),
            json!({ "provisioningState": "Succeeded", "errorInfo": { "code": "x" } }),
        ] {
            assert!(!with(&bad).is_healthy(), "{bad}");
        }
    }

    #[test]
    fn health_code_has_a_remedy_in_every_place() {
        let message = "Status: Failed Name: inferencev1 ErrorCode: E45005 ErrorMessage: conflict";
        for properties in [
            json!({ "errorInfo": { "code": "Failed", "message": "m", "details": [{ "message": message }] } }),
            json!({ "statuses": [{ "level": "Information" }, { "level": "Error", "message": message }] }),
            json!({ "statuses": [{ "level": "Error", "code": "E45005" }] }),
        ] {
            let remedy = with(&properties).remedy();
            assert!(remedy.unwrap().contains("azureml-fe"), "{properties}");
        }
        let other = json!({ "statuses": [{ "level": "Warning", "code": "E45005" }] });
        assert_eq!(with(&other).remedy(), None, "a warning is not an error");
    }

    #[test]
    fn extension_with_unexpected_members_is_read() {
        for odd in [
            Value::Null,
            json!([]),
            json!(7),
            json!("x"),
            json!(true),
            json!({}),
        ] {
            for member in ["id", "name", "identity", "properties", "systemData"] {
                let resource = read(&json!({ member: odd }));
                assert!(!resource.is_healthy() && !resource.is_machine_learning());
                assert_eq!(resource.moment("createdAt"), None);
            }
            for member in [
                "extensionType",
                "version",
                "provisioningState",
                "configurationSettings",
                "statuses",
                "errorInfo",
                "aksAssignedIdentity",
                "autoUpgradeMinorVersion",
            ] {
                assert_eq!(with(&json!({ member: odd })).remedy(), None, "{member}");
            }
        }
    }

    #[test]
    fn known_secrets_are_hidden_in_statuses() {
        let status = json!([{ "level": "Error", "message": "got s3cr3t-value" }]);
        let shown = with(&json!({ "statuses": status })).hiding(&Hidden::of(["s3cr3t-value"]));
        let text = format!("{shown:?} {}", shown.to_value());
        assert!(
            !text.contains("s3cr3t") && text.contains("[redacted]"),
            "{text}"
        );
    }
}
