//! Which members the PUT and the PATCH of an extension may carry, by the published types and the newest client.

use serde_json::{Map, Value};

use crate::emulator::error::ArmError;
use crate::emulator::members::{self, Kind, Member};

const EXTENSION: &[Member] = &[
    ("id", Kind::Ignored),
    ("name", Kind::Ignored),
    ("type", Kind::Ignored),
    ("systemData", Kind::Ignored),
    ("managedBy", Kind::Unserved),
    ("identity", Kind::Object(IDENTITY)),
    ("plan", Kind::Unserved),
    ("properties", Kind::Object(PROPERTIES)),
];

const IDENTITY: &[Member] = &[
    ("type", Kind::OneOf(&["SystemAssigned"])),
    ("principalId", Kind::Ignored),
    ("tenantId", Kind::Ignored),
];

const PROPERTIES: &[Member] = &[
    ("extensionType", Kind::Text),
    ("autoUpgradeMinorVersion", Kind::Flag),
    ("releaseTrain", Kind::Text),
    ("version", Kind::Text),
    ("scope", Kind::Object(SCOPE)),
    ("configurationSettings", Kind::Tags),
    ("configurationProtectedSettings", Kind::Tags),
    ("currentVersion", Kind::Ignored),
    ("provisioningState", Kind::Ignored),
    ("statuses", Kind::Ignored),
    ("errorInfo", Kind::Ignored),
    ("customLocationSettings", Kind::Ignored),
    ("packageUri", Kind::Ignored),
    ("aksAssignedIdentity", Kind::Ignored),
    ("isSystemExtension", Kind::Ignored),
    // Those of the newer client.
    ("managementDetails", Kind::Ignored),
    ("additionalDetails", Kind::Ignored),
    ("extensionState", Kind::Ignored),
    ("autoUpgradeMode", Kind::Unserved),
];

const SCOPE: &[Member] = &[
    ("cluster", Kind::Object(&[("releaseNamespace", Kind::Text)])),
    (
        "namespace",
        Kind::Object(&[("targetNamespace", Kind::Text)]),
    ),
];

const PATCH: &[Member] = &[("properties", Kind::Object(PATCHED))];

const PATCHED: &[Member] = &[
    ("autoUpgradeMinorVersion", Kind::Flag),
    ("autoUpgradeMode", Kind::Unserved),
    ("releaseTrain", Kind::Text),
    ("version", Kind::Text),
    ("configurationSettings", Kind::Tags),
    ("configurationProtectedSettings", Kind::Tags),
];

/// The body of a PUT.
pub(super) fn extension(body: &[u8]) -> Result<Map<String, Value>, ArmError> {
    members::check(body, EXTENSION)
}

/// The properties of a PATCH.
pub(super) fn patch(body: &[u8]) -> Result<Map<String, Value>, ArmError> {
    let mut body = members::check(body, PATCH)?;
    Ok(match body.remove("properties") {
        Some(Value::Object(properties)) => properties,
        _ => Map::new(),
    })
}
