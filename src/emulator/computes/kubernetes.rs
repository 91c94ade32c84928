//! Computes of type Kubernetes: clusters that are attached through the extension. What they share with the others
//! (lists, removals, operations) is beside this file.

use serde_json::{Map, Value, json};

use super::operations::{Verb, outcome_by_name};
use super::put::{accept_new, check_location, update};
use super::{Compute, busy};
use crate::emulator::call::Call;
use crate::emulator::error::{ArmError, require};
use crate::emulator::members::{self, EVERY_VERSION, Kind, Member};
use crate::emulator::names;
use crate::emulator::operations::Outcome;
use crate::emulator::routes::Reply;
use crate::emulator::state::{State, TENANT};
use crate::emulator::versions;

type Body = Map<String, Value>;

pub(crate) const TYPE: &str = "Kubernetes";

const EXTENSION_NOT_FOUND: &str = "ExtensionNotFound";

/// `KubernetesSchema` of the types of 2026-05-01, which is the same since 2021-07-01.
const RESOURCE: &[Member] = &[
    ("id", Kind::Ignored),
    ("name", Kind::Ignored),
    ("type", Kind::Ignored),
    ("systemData", Kind::Ignored),
    ("location", Kind::Text),
    ("tags", Kind::Tags),
    ("identity", Kind::Object(IDENTITY)),
    ("properties", Kind::Object(COMPUTE)),
];

const IDENTITY: &[Member] = &[
    ("type", Kind::Text),
    ("principalId", Kind::Ignored),
    ("tenantId", Kind::Ignored),
    ("userAssignedIdentities", Kind::AnyObject),
];

const COMPUTE: &[Member] = &[
    ("computeType", Kind::Text),
    ("computeLocation", Kind::Text),
    ("description", Kind::Text),
    ("resourceId", Kind::Text),
    ("disableLocalAuth", Kind::Flag),
    ("provisioningState", Kind::Ignored),
    ("provisioningErrors", Kind::Ignored),
    ("provisioningWarnings", Kind::Ignored),
    ("createdOn", Kind::Ignored),
    ("modifiedOn", Kind::Ignored),
    ("isAttachedCompute", Kind::Ignored),
    ("properties", Kind::Object(KUBERNETES)),
];

/// `azure-ai-ml` puts back the facts of the extension that a GET gave.
const KUBERNETES: &[Member] = &[
    ("namespace", Kind::Text),
    ("defaultInstanceType", Kind::Text),
    ("instanceTypes", Kind::AnyObject),
    ("vcName", Kind::Text),
    ("extensionPrincipalId", Kind::Ignored),
    ("extensionInstanceReleaseTrain", Kind::Ignored),
    ("relayConnectionString", Kind::Text),
    ("serviceBusConnectionString", Kind::Text),
];

const INSTANCE_TYPE: &[Member] = &[
    ("nodeSelector", Kind::AnyObject),
    (
        "resources",
        Kind::Object(&[("requests", Kind::AnyObject), ("limits", Kind::AnyObject)]),
    ),
];

/// Whether a body or a stored document is of this type.
pub(crate) fn is(document: &Value) -> bool {
    document["properties"]["computeType"] == TYPE
}

/// Attaches a cluster, or changes the compute that has the name.
pub(crate) fn put(call: &mut Call<'_>, name: &str, body: &Value) -> Reply {
    let wanted = read(body)?;
    check_location(call, &wanted)?;
    call.denied(name)?;
    match call.state.compute(name).cloned() {
        Some(compute) => {
            let next = changed(call, &compute, &wanted)?;
            let name = compute.name.as_str();
            Ok(update(call, name, next, 201, "Creating", outcome(name)))
        }
        None => attach(call, name, &wanted),
    }
}

/// The document that a PUT or a PATCH of a compute that is there leads to.
pub(crate) fn patched(
    call: &mut Call<'_>,
    compute: &Compute,
    body: &Value,
) -> Result<Value, ArmError> {
    let wanted = read(body)?;
    changed(call, compute, &wanted)
}

/// How an attach or an update of this name ends, by its prefix: with the error of a cluster without the extension.
pub(crate) fn outcome(name: &str) -> Outcome {
    match outcome_by_name(name) {
        Outcome::Fails { nested, .. } => Outcome::Fails {
            code: EXTENSION_NOT_FOUND.to_owned(),
            message: format!(
                "The Azure Machine Learning extension is not installed on the cluster of '{name}', as its name asks for."
            ),
            nested,
        },
        other => other,
    }
}

/// Applies the end of a successful attach or update.
pub(crate) fn succeed(state: &mut State, name: &str) {
    let cluster = state.compute(name).and_then(Compute::resource_id);
    let extension = cluster.and_then(|id| state.ready_extension(id).ok());
    let extension =
        extension.map(|found| (found.principal().clone(), found.release_train().clone()));
    if let Some(compute) = state.compute_mut(name) {
        compute.set_state("Succeeded");
        compute.document["properties"]["provisioningErrors"] = Value::Null;
        let own = &mut compute.document["properties"]["properties"];
        if let Some((principal, train)) = extension {
            own["extensionPrincipalId"] = principal;
            own["extensionInstanceReleaseTrain"] = train;
        }
    }
}

/// The stored document as this API version shows it. Connection strings are never shown.
pub(crate) fn show(document: &Value, version: &str) -> Value {
    let mut shown = document.clone();
    if version < versions::WARNINGS_SINCE
        && let Some(properties) = shown["properties"].as_object_mut()
    {
        properties.remove("provisioningWarnings");
    }
    shown
}

fn read(body: &Value) -> Result<Body, ArmError> {
    let refuse = |error: ArmError| ArmError {
        code: "InvalidRequestContent".to_owned(),
        ..error
    };
    let object = body.as_object();
    let object =
        object.ok_or_else(|| refuse(ArmError::bad_request("The body is not a JSON object.")))?;
    let mut wanted = members::object("", object, RESOURCE, EVERY_VERSION).map_err(refuse)?;
    if let Some(types) = wanted
        .get_mut("properties")
        .and_then(|properties| properties.pointer_mut("/properties/instanceTypes"))
        .and_then(Value::as_object_mut)
    {
        // A type that is null is absent, as a member is.
        types.retain(|_, value| !value.is_null());
        for (name, value) in types {
            let at = format!("properties.properties.instanceTypes.{name}");
            let kind = Kind::Object(INSTANCE_TYPE);
            *value = members::checked(&at, value, kind, EVERY_VERSION).map_err(refuse)?;
            check_instance_type(name, value).map_err(refuse)?;
        }
    }
    Ok(wanted)
}

/// Labels and quantities are texts; a null is absent.
fn check_instance_type(name: &str, value: &mut Value) -> Result<(), ArmError> {
    for place in ["/nodeSelector", "/resources/requests", "/resources/limits"] {
        let Some(Value::Object(entries)) = value.pointer_mut(place) else {
            continue;
        };
        entries.retain(|_, value| !value.is_null());
        require(
            entries.values().all(Value::is_string),
            format!("instanceTypes.{name}{place} must be a map from strings to strings."),
        )?;
    }
    Ok(())
}

fn attach(call: &mut Call<'_>, name: &str, wanted: &Body) -> Reply {
    let given = wanted.get("properties").unwrap_or(&Value::Null);
    let id = given["resourceId"].as_str().unwrap_or_default();
    if !names::is_cluster_id(id) && !names::is_connected_cluster_id(id) {
        let message =
            format!("resourceId '{id}' is the id of neither a managed nor a connected cluster.");
        return Err(ArmError::new(400, "InvalidResourceId", message));
    }
    if names::is_connected_cluster_id(id) {
        call.state.connected_cluster(id).ok_or_else(|| {
            let message = format!("The connected cluster '{id}' does not exist. Give the id of a cluster that the emulator has.");
            ArmError::new(400, "ClusterNotFound", message)
        })?;
    } else {
        let cluster = call.state.cluster(id).ok_or_else(|| {
            let message = format!("The AKS cluster '{id}' does not exist. Give the id of a cluster that the emulator has.");
            ArmError::new(400, "ClusterNotFound", message)
        })?;
        require(
            !matches!(cluster.state(), "Creating" | "Deleting" | "Failed"),
            format!(
                "The AKS cluster '{id}' is not in Succeeded state. Provisioning state: {}",
                cluster.state()
            ),
        )?;
        let own = format!("/subscriptions/{}/", call.config.subscription);
        require(
            id.to_ascii_lowercase()
                .starts_with(&own.to_ascii_lowercase()),
            format!("The AKS cluster '{id}' is not in the subscription of the workspace."),
        )?;
    }
    let config = call.config;
    let location = given["computeLocation"]
        .as_str()
        .unwrap_or(&config.location);
    let now = call.now();
    let mut document = json!({
        "id": format!("{}/computes/{name}", config.workspace_path()),
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/computes",
        "location": config.location,
        "tags": {},
        "properties": {
            "computeType": TYPE,
            "disableLocalAuth": false,
            "computeLocation": location,
            "description": null,
            "resourceId": id,
            "provisioningState": "Creating",
            "provisioningErrors": null,
            "provisioningWarnings": {},
            "createdOn": now,
            "modifiedOn": now,
            "isAttachedCompute": true,
            "properties": {
                "namespace": "default",
                "defaultInstanceType": null,
                "instanceTypes": null,
                "vcName": null,
                "extensionPrincipalId": null,
                "extensionInstanceReleaseTrain": null,
            },
        },
    });
    merge(call, &mut document, wanted)?;
    let tagged = wanted.contains_key("tags");
    let outcome = match (outcome(name), call.state.ready_extension(id)) {
        (Outcome::Succeeds, Err(message)) => Outcome::Fails {
            code: EXTENSION_NOT_FOUND.to_owned(),
            message,
            nested: false,
        },
        (outcome, _) => outcome,
    };
    Ok(accept_new(
        call,
        name,
        document,
        tagged,
        Verb::Attach,
        outcome,
    ))
}

fn changed(call: &mut Call<'_>, compute: &Compute, wanted: &Body) -> Result<Value, ArmError> {
    busy(compute)?;
    let name = compute.name.as_str();
    let given = wanted.get("properties").unwrap_or(&Value::Null);
    let conflict = |what: &str| {
        ArmError::conflict(format!(
            "The compute '{name}' exists with another {what}, which cannot be changed."
        ))
    };
    if !is(&compute.document) {
        return Err(conflict("computeType"));
    }
    let id = given["resourceId"].as_str();
    if !id.is_none_or(|id| {
        compute
            .resource_id()
            .is_some_and(|own| own.eq_ignore_ascii_case(id))
    }) {
        return Err(conflict("resourceId"));
    }
    let namespace = &given["properties"]["namespace"];
    let own = &compute.document["properties"]["properties"]["namespace"];
    if !namespace.is_null() && namespace != own {
        return Err(conflict("namespace"));
    }
    let mut next = compute.document.clone();
    merge(call, &mut next, wanted)?;
    Ok(next)
}

/// The part that attach and update have in common: what is given replaces the old value.
fn merge(call: &mut Call<'_>, document: &mut Value, wanted: &Body) -> Result<(), ArmError> {
    if let Some(tags) = wanted.get("tags") {
        document["tags"] = tags.clone();
    }
    if let Some(identity) = wanted.get("identity") {
        match self::identity(call, &document["identity"], identity)? {
            Some(identity) => document["identity"] = identity,
            // Without one the member is left out: `azureml-core` fails on a null.
            None => {
                document
                    .as_object_mut()
                    .map(|document| document.remove("identity"));
            }
        }
    }
    let given = wanted.get("properties").unwrap_or(&Value::Null);
    for key in ["description", "disableLocalAuth"] {
        if let Some(value) = given.get(key) {
            document["properties"][key] = value.clone();
        }
    }
    for key in [
        "namespace",
        "defaultInstanceType",
        "instanceTypes",
        "vcName",
    ] {
        if let Some(value) = given["properties"].get(key) {
            document["properties"]["properties"][key] = value.clone();
        }
    }
    Ok(())
}

/// An identity as it is stored. The case of its types does not matter, as `azure-ai-ml` sends `Systemassigned`.
fn identity(call: &mut Call<'_>, before: &Value, given: &Value) -> Result<Option<Value>, ArmError> {
    let types = given["type"]
        .as_str()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let types: Vec<&str> = types.split(',').map(str::trim).collect();
    let (system, user) = match types.as_slice() {
        ["none"] => return Ok(None),
        ["systemassigned"] => (true, false),
        ["userassigned"] => (false, true),
        ["systemassigned", "userassigned"] | ["userassigned", "systemassigned"] => (true, true),
        _ => {
            return Err(ArmError::bad_request(
                "identity.type must be None, SystemAssigned, UserAssigned, or the last two with a comma between.",
            ));
        }
    };
    let assigned = given["userAssignedIdentities"].as_object();
    let assigned = assigned.filter(|assigned| !assigned.is_empty());
    require(
        user == assigned.is_some(),
        "identity.userAssignedIdentities belongs to the type UserAssigned, which needs one at least.",
    )?;
    let mut stored = json!({ "type": match (system, user) {
        (true, true) => "SystemAssigned,UserAssigned",
        (true, false) => "SystemAssigned",
        _ => "UserAssigned",
    } });
    if system {
        let kept = before["principalId"].as_str().map(str::to_owned);
        stored["principalId"] = json!(kept.unwrap_or_else(|| call.state.uuid()));
        stored["tenantId"] = json!(TENANT);
    }
    for id in assigned.into_iter().flat_map(Map::keys) {
        require(
            names::is_user_assigned_identity_id(id),
            format!("'{id}' is not the id of a user-assigned identity."),
        )?;
        let known = &before["userAssignedIdentities"][id];
        stored["userAssignedIdentities"][id] = match known.is_object() {
            true => known.clone(),
            false => json!({ "principalId": call.state.uuid(), "clientId": call.state.uuid() }),
        };
    }
    Ok(Some(stored))
}
