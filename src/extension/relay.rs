//! The Azure Relay of an Arc-connected cluster.

use super::settings::{RELAY_CHART_CONNECTION, RELAY_CONNECTION, RELAY_ID, RELAY_NAME, Settings};
use crate::error::redact;
use crate::facts::arm::RELAY_PROVIDER;
use crate::names::resource_id::{self, ResourceType};
use crate::rules::{self, Findings};
use azure_core::credentials::Secret;
use std::fmt;

/// The Azure Relay through which the workspace reaches an Arc-connected cluster.
///
/// `az k8s-extension create` creates one in the resource group of the cluster. This library does not: create a namespace
/// with a hybrid connection that requires authorization, and an authorization rule with the rights Manage, Send and Listen.
///
/// ```
/// use azureml_aks::{ExtensionConfiguration, ExtensionRelay};
///
/// let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Relay/namespaces/n/hybridConnections/edge";
/// let relay = ExtensionRelay::new(id, "Endpoint=sb://n.servicebus.windows.net/;SharedAccessKey=c2VjcmV0");
/// assert!(!format!("{relay:?}").contains("SharedAccessKey"));
/// ExtensionConfiguration::builder().training(true).relay(relay).build()?;
/// # Ok::<(), azureml_aks::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct ExtensionRelay {
    hybrid_connection: String,
    connection_string: Secret,
}

impl ExtensionRelay {
    /// Uses a hybrid connection of an Azure Relay.
    ///
    /// # Arguments
    ///
    /// * `hybrid_connection` - its full resource id
    /// * `connection_string` - the connection string of its authorization rule; it is sent as a protected setting
    #[must_use]
    pub fn new(hybrid_connection: impl Into<String>, connection_string: impl Into<Secret>) -> Self {
        Self {
            hybrid_connection: hybrid_connection.into(),
            connection_string: connection_string.into(),
        }
    }

    /// Checks id and connection string, and adds the settings to send.
    pub(super) fn resolve(&self, to: &mut Settings, findings: &mut Findings) {
        let expected = ResourceType {
            provider: RELAY_PROVIDER,
            types: &["namespaces", "hybridConnections"],
        };
        let id = &self.hybrid_connection;
        let name = resource_id::check("relay.hybrid_connection", id, expected, findings);
        if self.connection_string.secret().trim().is_empty() {
            findings.refuse(
                rules::EXTENSION_RELAY,
                "relay.connection_string",
                None,
                "the connection string is empty",
                "give the connection string of an authorization rule of the hybrid connection",
            );
        }
        let id = resource_id::unquoted(id).to_owned();
        to.open.insert(RELAY_ID.to_owned(), id);
        let name = name.unwrap_or_default().to_owned();
        to.open.insert(RELAY_NAME.to_owned(), name);
        for name in [RELAY_CONNECTION, RELAY_CHART_CONNECTION] {
            let value = self.connection_string.clone();
            to.protected.insert(name.to_owned(), value);
        }
    }
}

/// Without secrets also where the two texts were given in the wrong order.
impl fmt::Debug for ExtensionRelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtensionRelay")
            .field("hybrid_connection", &redact(&self.hybrid_connection))
            .finish_non_exhaustive()
    }
}
