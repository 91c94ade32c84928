//! Which keys a PUT of a compute may carry, by API version, and of which type each is.
//!
//! Spelt out from the published descriptions (2019-11-01 OpenAPI, 2026-05-01 types) and, for the
//! version that `azureml-core` speaks, from what that client sends. A key that is not here is
//! refused: a misspelt one must be seen.

use serde_json::{Map, Value};

use crate::emulator::error::ArmError;
use crate::emulator::versions::Dialect;

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Whole,
    Flag,
    OneOf(&'static [&'static str]),
    Object(&'static [Field]),
    /// A map from strings to strings.
    Tags,
    /// Only ever read back, so that its shape does not matter.
    Anything,
}

struct Field {
    name: &'static str,
    kind: Kind,
    /// Bits of [`Dialect`].
    dialects: u8,
    /// Only read back. `azureml-core` puts back what it has read: from it, or from everyone, the
    /// key is accepted and ignored; else it is refused.
    ignored: Option<u8>,
}

const PYTHON: u8 = Dialect::Python as u8;
const OF_2019: u8 = Dialect::Of2019 as u8;
const CURRENT: u8 = Dialect::Current as u8;
const ALL: u8 = PYTHON | OF_2019 | Dialect::Of2020 as u8 | CURRENT;

const fn field(name: &'static str, kind: Kind, dialects: u8) -> Field {
    Field {
        name,
        kind,
        dialects,
        ignored: None,
    }
}

const fn read_only(name: &'static str) -> Field {
    Field {
        name,
        kind: Kind::Anything,
        dialects: ALL,
        ignored: Some(PYTHON),
    }
}

/// Writable by the types, though nothing is known of a service that changes it: a client that sends
/// back what it has read must not be refused.
const fn echoed(name: &'static str) -> Field {
    Field {
        ignored: Some(ALL),
        ..read_only(name)
    }
}

const RESOURCE: &[Field] = &[
    read_only("id"),
    read_only("name"),
    read_only("type"),
    read_only("systemData"),
    field("location", Kind::Text, ALL),
    field("tags", Kind::Tags, ALL),
    field("properties", Kind::Object(COMPUTE), ALL),
];

const COMPUTE: &[Field] = &[
    field("computeType", Kind::Text, ALL),
    field("computeLocation", Kind::Text, ALL),
    field("description", Kind::Text, ALL),
    field("resourceId", Kind::Text, ALL),
    field("disableLocalAuth", Kind::Flag, CURRENT),
    read_only("provisioningState"),
    read_only("provisioningErrors"),
    read_only("createdOn"),
    read_only("modifiedOn"),
    read_only("isAttachedCompute"),
    field("properties", Kind::Object(AKS), ALL),
];

const AKS: &[Field] = &[
    field("agentCount", Kind::Whole, ALL),
    field("agentVmSize", Kind::Text, ALL & !OF_2019),
    // The description of 2019-11-01 spells it with a capital M.
    field("agentVMSize", Kind::Text, OF_2019),
    field(
        "clusterPurpose",
        Kind::OneOf(&["FastProd", "DenseProd", "DevTest"]),
        PYTHON | CURRENT,
    ),
    field(
        "loadBalancerType",
        Kind::OneOf(&["PublicIp", "InternalLoadBalancer"]),
        PYTHON | CURRENT,
    ),
    field("loadBalancerSubnet", Kind::Text, PYTHON | CURRENT),
    field("sslConfiguration", Kind::Object(SSL), ALL),
    field("aksNetworkingConfiguration", Kind::Object(NETWORK), ALL),
    echoed("clusterFqdn"),
    read_only("systemServices"),
];

const SSL: &[Field] = &[
    field(
        "status",
        Kind::OneOf(&["Disabled", "Enabled", "Auto"]),
        PYTHON | CURRENT,
    ),
    field(
        "status",
        Kind::OneOf(&["Disabled", "Enabled"]),
        ALL & !(PYTHON | CURRENT),
    ),
    field("cert", Kind::Text, ALL),
    field("key", Kind::Text, ALL),
    field("cname", Kind::Text, ALL),
    field("leafDomainLabel", Kind::Text, PYTHON | CURRENT),
    field("overwriteExistingDomain", Kind::Flag, PYTHON | CURRENT),
    // In no published type; `azureml-core` sends it, and the documentation of renewal needs it.
    field("renew", Kind::Flag, PYTHON | CURRENT),
];

const NETWORK: &[Field] = &[
    field("subnetId", Kind::Text, ALL),
    field("serviceCidr", Kind::Text, ALL),
    field("dnsServiceIP", Kind::Text, ALL),
    field("dockerBridgeCidr", Kind::Text, ALL),
];

fn refuse(path: &str, what: &str) -> ArmError {
    ArmError::new(400, "InvalidRequestContent", format!("'{path}' {what}"))
}

/// Checks every key of a body and drops what is read-only or `null`.
///
/// `null` counts as absent: `azureml-core` always attaches with `"loadBalancerSubnet":null`.
pub(crate) fn check(body: &Value, dialect: Dialect) -> Result<Map<String, Value>, ArmError> {
    let body = body.as_object().ok_or_else(|| {
        ArmError::new(400, "InvalidRequestContent", "The body is no JSON object.")
    })?;
    object("", body, RESOURCE, dialect)
}

fn object(
    parent: &str,
    map: &Map<String, Value>,
    fields: &[Field],
    dialect: Dialect,
) -> Result<Map<String, Value>, ArmError> {
    let mut kept = Map::new();
    for (key, value) in map {
        let path = if parent.is_empty() {
            key.clone()
        } else {
            format!("{parent}.{key}")
        };
        let field = fields
            .iter()
            .find(|field| field.name == key && field.dialects & dialect as u8 != 0)
            .ok_or_else(|| refuse(&path, "is not a member that this API version knows"))?;
        if let Some(dialects) = field.ignored {
            if dialects & dialect as u8 != 0 {
                continue;
            }
            return Err(refuse(&path, "is read-only and must not be sent"));
        }
        if !value.is_null() {
            kept.insert(key.clone(), checked(&path, value, field.kind, dialect)?);
        }
    }
    Ok(kept)
}

fn checked(path: &str, value: &Value, kind: Kind, dialect: Dialect) -> Result<Value, ArmError> {
    let fits = match kind {
        Kind::Text => value.is_string(),
        Kind::Whole => value.is_u64(),
        Kind::Flag => value.is_boolean(),
        Kind::OneOf(choices) => {
            if !value.as_str().is_some_and(|value| choices.contains(&value)) {
                return Err(refuse(
                    path,
                    &format!("must be one of {}", choices.join(", ")),
                ));
            }
            true
        }
        Kind::Tags => value
            .as_object()
            .is_some_and(|tags| tags.values().all(Value::is_string)),
        Kind::Object(fields) => {
            let map = value
                .as_object()
                .ok_or_else(|| refuse(path, "must be an object"))?;
            return Ok(Value::Object(object(path, map, fields, dialect)?));
        }
        Kind::Anything => true,
    };
    if fits {
        return Ok(value.clone());
    }
    Err(refuse(
        path,
        match kind {
            Kind::Whole => "must be a whole number, not below zero",
            Kind::Flag => "must be true or false",
            Kind::Tags => "must map strings to strings",
            _ => "must be a string",
        },
    ))
}

/// The stored document as this API version shows it.
pub(crate) fn show(document: &Value, dialect: Dialect) -> Value {
    if dialect == Dialect::Python {
        return document.clone();
    }
    let mut shown = without_nulls(document);
    if let Some(aks) = shown["properties"]["properties"].as_object_mut() {
        if dialect == Dialect::Of2019
            && let Some(size) = aks.remove("agentVmSize")
        {
            aks.insert("agentVMSize".to_owned(), size);
        }
        retain(aks, AKS, dialect);
        if let Some(ssl) = aks
            .get_mut("sslConfiguration")
            .and_then(Value::as_object_mut)
        {
            retain(ssl, SSL, dialect);
        }
    }
    shown
}

fn retain(map: &mut Map<String, Value>, fields: &[Field], dialect: Dialect) {
    map.retain(|key, _| {
        fields
            .iter()
            .any(|field| field.name == key && field.dialects & dialect as u8 != 0)
    });
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), without_nulls(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}
