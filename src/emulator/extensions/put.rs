//! PUT and PATCH of an extension.

use serde_json::{Map, Value, json};

use super::operations::{Verb, as_written, start};
use super::{Extension, Host, PROVIDER, absent, answer, busy, host, rules, schema};
use crate::emulator::call::Call;
use crate::emulator::error::{ArmError, require};
use crate::emulator::http::Answer;
use crate::emulator::names::region;
use crate::emulator::providers;
use crate::emulator::routes::Reply;
use crate::emulator::state::{State, TENANT};

pub(crate) fn serve(mut call: Call<'_>) -> Reply {
    providers::check(&call, PROVIDER)?;
    let host = host(&call)?;
    let name = call.name("extension");
    let given = Value::Object(schema::extension(&call.request.body)?);
    rules::check(&given["properties"])?;
    call.denied(name)?;
    require(
        !matches!(host.state.as_str(), "Creating" | "Deleting" | "Failed"),
        format!(
            "The cluster '{}' is not in Succeeded state. Provisioning state: {}",
            host.id, host.state
        ),
    )?;
    match call.state.extension(&host.id, name).cloned() {
        Some(extension) => replace(&mut call, &host, extension, &given),
        None => install(&mut call, &host, name, &given),
    }
}

/// The document of an extension that is to be installed.
pub(super) fn document(
    state: &mut State,
    host: &Host,
    name: &str,
    given: &Value,
    now: &str,
) -> Value {
    let properties = &given["properties"];
    let or = |key: &str, default: Value| match &properties[key] {
        Value::Null => default,
        value => value.clone(),
    };
    let mut document = json!({
        "id": host.extension_id(name),
        "name": name,
        "type": "Microsoft.KubernetesConfiguration/extensions",
        "properties": {
            "extensionType": properties["extensionType"],
            "autoUpgradeMinorVersion": or("autoUpgradeMinorVersion", json!(true)),
            "releaseTrain": or("releaseTrain", json!("Stable")),
            "version": properties["version"],
            "currentVersion": properties["version"],
            "scope": properties["scope"],
            "provisioningState": "Creating",
            "configurationSettings": or("configurationSettings", json!({})),
            "configurationProtectedSettings": {},
            "statuses": [],
            "aksAssignedIdentity": null,
            "isSystemExtension": false,
        },
        "systemData": {
            "createdBy": null,
            "createdByType": null,
            "createdAt": now,
            "lastModifiedBy": null,
            "lastModifiedByType": null,
            "lastModifiedAt": now,
        },
    });
    // On AKS it has an identity of the cluster's, once it is ready.
    if !host.is_managed() && given["identity"]["type"] == "SystemAssigned" {
        document["identity"] = json!({
            "type": "SystemAssigned",
            "principalId": state.uuid(),
            "tenantId": TENANT,
        });
    }
    document
}

fn install(call: &mut Call<'_>, host: &Host, name: &str, given: &Value) -> Reply {
    if call.state.has_extension(&host.id) {
        return Err(ArmError::unsupported(format!(
            "The cluster '{}' has an extension of this type under another name.",
            host.id
        )));
    }
    let now = call.now();
    let document = document(call.state, host, name, given, &now);
    let mut shown = document.clone();
    // The answer to a PUT knows less than a GET a moment later.
    shown["properties"]["currentVersion"] = Value::Null;
    let settings = &document["properties"]["configurationSettings"];
    let outcome = rules::outcome(host, name, settings, "Create");
    call.state.extensions.push(Extension {
        cluster: host.id.clone(),
        name: name.to_owned(),
        document,
        operation: None,
    });
    let takes = call.config.create;
    let links = start(call, host, name, Verb::Install, takes, outcome);
    Ok(links.on(located(answer(call, 201, &shown), host, name)))
}

/// The answer with the `Location` that stands beside the URL of an operation: the extension at the provider's
/// own host, which is not that of Resource Manager.
fn located(answer: Answer, host: &Host, name: &str) -> Answer {
    let url = format!(
        "https://{}.rp.kubernetesconfiguration.azure.com{}",
        region(&host.location),
        as_written(&host.extension_id(name))
    );
    answer.with("Location", url)
}

/// A PUT over an extension: what it does not name gets its default.
fn replace(call: &mut Call<'_>, host: &Host, there: Extension, given: &Value) -> Reply {
    busy(&there)?;
    let name = there.name.as_str();
    let own = &there.document["properties"];
    if own["scope"] != given["properties"]["scope"] {
        return Err(ArmError::conflict(format!(
            "The extension '{name}' exists with another scope, which cannot be changed."
        )));
    }
    let now = call.now();
    let mut next = document(call.state, host, name, given, &now);
    for kept in ["aksAssignedIdentity", "extensionType"] {
        next["properties"][kept] = own[kept].clone();
    }
    if next["properties"]["currentVersion"].is_null() {
        next["properties"]["currentVersion"] = own["currentVersion"].clone();
    }
    next["systemData"]["createdAt"] = there.document["systemData"]["createdAt"].clone();
    if next["identity"].is_object() && there.document["identity"].is_object() {
        next["identity"] = there.document["identity"].clone();
    }
    update(call, host, name, next, 200)
}

/// A PATCH changes what it names; one that changes nothing starts nothing.
pub(crate) fn patch(mut call: Call<'_>) -> Reply {
    let host = host(&call)?;
    let name = call.name("extension");
    let there = call.state.extension(&host.id, name).cloned();
    let there = there.ok_or_else(|| absent(&host, name))?;
    let given = schema::patch(&call.request.body)?;
    busy(&there)?;
    let mut next = there.document.clone();
    let properties = &mut next["properties"];
    for (key, value) in &given {
        match (key.as_str(), value) {
            // Nobody can see whether one of them is new, so each is a change.
            ("configurationProtectedSettings", _) => {}
            ("configurationSettings", Value::Object(settings)) => {
                for (setting, value) in settings {
                    properties["configurationSettings"][setting] = value.clone();
                }
            }
            _ => properties[key] = value.clone(),
        }
    }
    rules::check_version(properties)?;
    if properties["version"].is_string() {
        properties["currentVersion"] = properties["version"].clone();
    }
    let protected = given.get("configurationProtectedSettings");
    let protected = protected.and_then(Value::as_object);
    if next == there.document && protected.is_none_or(Map::is_empty) {
        return Ok(answer(&call, 200, &next));
    }
    next["systemData"]["lastModifiedAt"] = json!(call.now());
    update(&mut call, &host, &there.name, next, 202)
}

/// Accepts a change, which is shown at once.
fn update(call: &mut Call<'_>, host: &Host, name: &str, mut next: Value, status: u16) -> Reply {
    next["properties"]["provisioningState"] = json!("Updating");
    let settings = &next["properties"]["configurationSettings"];
    let outcome = rules::outcome(host, name, settings, "Update");
    if let Some(extension) = call.state.extension_mut(&host.id, name) {
        extension.document = next.clone();
    }
    let takes = call.config.update;
    let links = start(call, host, name, Verb::Update, takes, outcome);
    Ok(links.on(answer(call, status, &next)))
}
