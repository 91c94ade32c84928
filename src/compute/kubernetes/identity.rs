//! The managed identity of a compute.

use crate::facts::arm::{IDENTITY_PROVIDER, USER_ASSIGNED_IDENTITIES};
use crate::names::resource_id::{self, ResourceType};
use crate::rules::Findings;
use serde_json::{Map, Value, json};

const SYSTEM: &str = "SystemAssigned";
const USER: &str = "UserAssigned";

/// The managed identity of a compute of kind Kubernetes, with which its jobs and deployments reach other resources.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KubernetesIdentity {
    /// No identity. In an update it takes the present one away.
    None,
    /// An identity that the service makes, and removes with the compute.
    SystemAssigned,
    /// An identity that is there already, by its full resource id. It is one, because the service uses one only.
    UserAssigned(String),
}

impl KubernetesIdentity {
    /// Refers to an identity that is there already by its full resource id, as `az identity show --query id` prints it.
    #[must_use]
    pub fn user_assigned(id: impl Into<String>) -> Self {
        Self::UserAssigned(id.into())
    }

    pub(super) fn check(&self, findings: &mut Findings) {
        if let Self::UserAssigned(id) = self {
            let expected = ResourceType {
                provider: IDENTITY_PROVIDER,
                types: &[USER_ASSIGNED_IDENTITIES],
            };
            resource_id::check("identity.user_assigned", id, expected, findings);
        }
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Self::None => json!({ "type": "None" }),
            Self::SystemAssigned => json!({ "type": SYSTEM }),
            Self::UserAssigned(id) => json!({
                "type": USER,
                "userAssignedIdentities": { resource_id::unquoted(id): {} },
            }),
        }
    }
}

/// Returns an identity as it was read in the form in which it is sent back: without what only the service knows, and with
/// the types in the spelling of the description, because Microsoft's Python client stores `Systemassigned`.
pub(super) fn writable(mut identity: Map<String, Value>) -> Map<String, Value> {
    identity.retain(|key, value| !matches!(&**key, "principalId" | "tenantId") && !value.is_null());
    if let Some(Value::String(types)) = identity.get_mut("type") {
        let known = [SYSTEM, USER, "None"];
        let spelled = types.split(',').map(str::trim).map(|given| {
            let found = known.iter().find(|known| known.eq_ignore_ascii_case(given));
            found.map_or(given, |known| *known)
        });
        *types = spelled.collect::<Vec<_>>().join(",");
    }
    if let Some(Value::Object(assigned)) = identity.get_mut("userAssignedIdentities") {
        assigned.values_mut().for_each(|facts| *facts = json!({}));
    }
    identity
}
