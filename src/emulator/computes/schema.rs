//! Which keys a PUT of a compute may carry, by API version, and of which type each is.
//!
//! Spelt out from the published descriptions (2019-11-01 OpenAPI, 2026-05-01 types) and, for the
//! version that `azureml-core` speaks, from what that client sends. A key that is not here is
//! refused: a misspelt one must be seen.

use serde_json::{Map, Value};

use super::kubernetes;
use crate::emulator::error::ArmError;
use crate::emulator::members::{self, Kind, Member};
use crate::emulator::versions::{self, Dialect};

const PYTHON: u8 = Dialect::Python as u8;
const OF_2019: u8 = Dialect::Of2019 as u8;
const CURRENT: u8 = Dialect::Current as u8;
const ALL: u8 = PYTHON | OF_2019 | Dialect::Of2020 as u8 | CURRENT;

const RESOURCE: &[Member] = &[
    ("id", Kind::Ignored),
    ("name", Kind::Ignored),
    ("type", Kind::Ignored),
    ("systemData", Kind::Ignored),
    ("location", Kind::Text),
    ("tags", Kind::Tags),
    ("properties", Kind::Object(COMPUTE)),
];

const COMPUTE: &[Member] = &[
    ("computeType", Kind::Text),
    ("computeLocation", Kind::Text),
    ("description", Kind::Text),
    ("resourceId", Kind::Text),
    ("disableLocalAuth", Kind::In(CURRENT, &Kind::Flag)),
    ("provisioningState", Kind::Ignored),
    ("provisioningErrors", Kind::Ignored),
    ("provisioningWarnings", Kind::In(CURRENT, &Kind::Ignored)),
    ("createdOn", Kind::Ignored),
    ("modifiedOn", Kind::Ignored),
    ("isAttachedCompute", Kind::Ignored),
    ("properties", Kind::Object(AKS)),
];

const AKS: &[Member] = &[
    ("agentCount", Kind::Whole),
    ("agentVmSize", Kind::In(ALL & !OF_2019, &Kind::Text)),
    // The description of 2019-11-01 spells it with a capital M.
    ("agentVMSize", Kind::In(OF_2019, &Kind::Text)),
    (
        "clusterPurpose",
        Kind::In(
            PYTHON | CURRENT,
            &Kind::OneOf(&["FastProd", "DenseProd", "DevTest"]),
        ),
    ),
    (
        "loadBalancerType",
        Kind::In(
            PYTHON | CURRENT,
            &Kind::OneOf(&["PublicIp", "InternalLoadBalancer"]),
        ),
    ),
    (
        "loadBalancerSubnet",
        Kind::In(PYTHON | CURRENT, &Kind::Text),
    ),
    ("sslConfiguration", Kind::Object(SSL)),
    ("aksNetworkingConfiguration", Kind::Object(NETWORK)),
    ("clusterFqdn", Kind::Ignored),
    ("systemServices", Kind::Ignored),
];

const SSL: &[Member] = &[
    (
        "status",
        Kind::In(
            PYTHON | CURRENT,
            &Kind::OneOf(&["Disabled", "Enabled", "Auto"]),
        ),
    ),
    (
        "status",
        Kind::In(
            ALL & !(PYTHON | CURRENT),
            &Kind::OneOf(&["Disabled", "Enabled"]),
        ),
    ),
    ("cert", Kind::Text),
    ("key", Kind::Text),
    ("cname", Kind::Text),
    ("leafDomainLabel", Kind::In(PYTHON | CURRENT, &Kind::Text)),
    (
        "overwriteExistingDomain",
        Kind::In(PYTHON | CURRENT, &Kind::Flag),
    ),
    // In no published type; `azureml-core` sends it, and the documentation of renewal needs it.
    ("renew", Kind::In(PYTHON | CURRENT, &Kind::Flag)),
];

const NETWORK: &[Member] = &[
    ("subnetId", Kind::Text),
    ("serviceCidr", Kind::Text),
    ("dnsServiceIP", Kind::Text),
    ("dockerBridgeCidr", Kind::Text),
];

/// Checks every key of a body and drops what is read-only or `null`.
pub(crate) fn check(body: &Value, dialect: Dialect) -> Result<Map<String, Value>, ArmError> {
    let refuse = |error: ArmError| ArmError {
        code: "InvalidRequestContent".to_owned(),
        ..error
    };
    let body = body
        .as_object()
        .ok_or_else(|| refuse(ArmError::bad_request("The body is not a JSON object.")))?;
    members::object("", body, RESOURCE, dialect as u8).map_err(refuse)
}

/// The stored document as this API version shows it.
pub(crate) fn show(document: &Value, version: &str) -> Value {
    if kubernetes::is(document) {
        return kubernetes::show(document, version);
    }
    let dialect = versions::dialect(version);
    let mut shown = document.clone();
    let properties = &mut shown["properties"];
    if version < versions::WARNINGS_SINCE
        && let Some(properties) = properties.as_object_mut()
    {
        properties.remove("provisioningWarnings");
    }
    if dialect == Dialect::Of2019 {
        properties["properties"]["agentVMSize"] = properties["properties"]["agentVmSize"].clone();
    }
    for (path, fields) in [("/properties", COMPUTE), ("/properties/properties", AKS)] {
        if let Some(Value::Object(map)) = shown.pointer_mut(path) {
            retain(map, fields, dialect);
        }
    }
    if let Some(Value::Object(ssl)) = shown.pointer_mut("/properties/properties/sslConfiguration") {
        retain(ssl, SSL, dialect);
    }
    shown
}

fn retain(map: &mut Map<String, Value>, members: &[Member], dialect: Dialect) {
    let known = |(_, kind): &Member| kind.of(dialect as u8).is_some();
    map.retain(|key, _| {
        members
            .iter()
            .any(|member| member.0 == key && known(member))
    });
}
