//! PUT of a compute: create, attach or update, by what is there already and what the body says.

use serde_json::{Map, Value, json};

use super::operations::{Verb, outcome_by_name, start};
use super::{Compute, busy, rules, schema};
use crate::emulator::call::Call;
use crate::emulator::clusters;
use crate::emulator::error::ArmError;
use crate::emulator::faults::{self, Kind};
use crate::emulator::http::Answer;
use crate::emulator::names;
use crate::emulator::routes::Reply;

type Body = Map<String, Value>;

pub(crate) fn serve(mut call: Call<'_>) -> Reply {
    let name = call.name("compute");
    names::check_compute(name, &call.api_version())?;
    let body: Value = serde_json::from_slice(&call.request.body).map_err(|error| {
        ArmError::new(
            400,
            "InvalidRequestContent",
            format!("The body is no JSON: {error}."),
        )
    })?;
    let mut body = schema::check(&body, call.dialect())?;
    check_location(&call, &body)?;
    let mut properties = take(&mut body, "properties");
    match properties.get("computeType").and_then(Value::as_str) {
        Some("AKS") => {}
        Some(other) => {
            return Err(ArmError::unsupported(format!(
                "The emulator serves computes of type AKS, not '{other}'."
            )));
        }
        None => return Err(ArmError::bad_request("properties.computeType is required.")),
    }
    let mut aks = take(&mut properties, "properties");
    // The older description spells it differently; inside there is one spelling.
    if let Some(size) = aks.remove("agentVMSize") {
        aks.insert("agentVmSize".to_owned(), size);
    }
    let request = call.request;
    if call
        .state
        .fault(request, |kind| matches!(kind, Kind::PolicyDenied))
        .is_some()
    {
        return Err(faults::policy_denied(name));
    }
    match call.state.compute(name).cloned() {
        Some(compute) => update(&mut call, &compute, &body, &properties, &aks),
        None if properties.contains_key("resourceId") => {
            attach(&mut call, name, &body, &properties, &aks)
        }
        None => create(&mut call, name, &body, &properties, &aks),
    }
}

pub(crate) fn patch(_call: Call<'_>) -> Reply {
    Err(ArmError::new(
        405,
        "UnsupportedByEmulator",
        "PATCH changes the scale settings of computes of type AmlCompute only; send a PUT.",
    ))
}

fn take(body: &mut Body, key: &str) -> Body {
    match body.remove(key) {
        Some(Value::Object(map)) => map,
        _ => Body::new(),
    }
}

/// `location` is the workspace's: the region of the cluster is `computeLocation`.
fn check_location(call: &Call<'_>, body: &Body) -> Result<(), ArmError> {
    let Some(location) = body.get("location").and_then(Value::as_str) else {
        return Err(ArmError::new(
            400,
            "LocationRequired",
            "The location property is required.",
        ));
    };
    if names::region(location) == names::region(&call.config.location) {
        return Ok(());
    }
    Err(ArmError::bad_request(format!(
        "location '{location}' is not that of the workspace, {}. For the region of the cluster \
         use properties.computeLocation.",
        call.config.location
    )))
}

/// A document with every key, filled with what the service fills in. `aks` has the three values
/// that depend on each other.
pub(crate) fn new_document(call: &Call<'_>, name: &str, aks: &Value, description: &str) -> Value {
    let config = call.config;
    let now = call.state.time.stamp(call.state.time.now());
    json!({
        "id": format!("{}/computes/{name}", config.workspace_path()),
        "name": name,
        "type": "Microsoft.MachineLearningServices/workspaces/computes",
        "location": config.location,
        "tags": null,
        "properties": {
            "computeType": "AKS",
            "computeLocation": config.location,
            "description": description,
            "resourceId": null,
            "provisioningState": "Creating",
            "provisioningErrors": null,
            "createdOn": now,
            "modifiedOn": now,
            "isAttachedCompute": false,
            "properties": {
                "agentCount": aks["agentCount"],
                "agentVmSize": aks["agentVmSize"],
                "clusterPurpose": aks["clusterPurpose"],
                "clusterFqdn": null,
                "loadBalancerType": "PublicIp",
                "loadBalancerSubnet": null,
                "sslConfiguration": rules::no_ssl(),
                "aksNetworkingConfiguration": null,
                "systemServices": null,
            },
        },
    })
}

/// The part that create, attach and update have in common: what is said replaces what was.
fn merge(
    call: &mut Call<'_>,
    document: &mut Value,
    body: &Body,
    properties: &Body,
    aks: &Body,
) -> Result<(), ArmError> {
    if let Some(tags) = body.get("tags") {
        document["tags"] = tags.clone();
    }
    for key in ["description", "disableLocalAuth"] {
        if let Some(value) = properties.get(key) {
            document["properties"][key] = value.clone();
        }
    }
    let location = document["properties"]["computeLocation"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let before = &mut document["properties"]["properties"];
    let (kind, subnet) = rules::load_balancer(before, aks)?;
    let suffix = call.state.six_characters();
    let given = aks.get("sslConfiguration").and_then(Value::as_object);
    let ssl = rules::ssl(
        &before["sslConfiguration"],
        given,
        &kind,
        &location,
        &suffix,
    )?;
    before["loadBalancerType"] = kind;
    before["loadBalancerSubnet"] = subnet;
    before["sslConfiguration"] = ssl;
    Ok(())
}

fn create(call: &mut Call<'_>, name: &str, body: &Body, properties: &Body, aks: &Body) -> Reply {
    let request = call.request;
    if call
        .state
        .fault(request, |kind| matches!(kind, Kind::PathRetired))
        .is_some()
    {
        return Err(faults::path_retired());
    }
    let text = |key: &str, default: &str| {
        aks.get(key)
            .and_then(Value::as_str)
            .unwrap_or(default)
            .to_owned()
    };
    let purpose = text("clusterPurpose", "FastProd");
    let size = text("agentVmSize", "Standard_D3_v2");
    let default_count = if purpose == "DevTest" { 1 } else { 3 };
    let count = aks
        .get("agentCount")
        .and_then(Value::as_u64)
        .unwrap_or(default_count);
    rules::check_cores(call.config, &purpose, count, &size)?;

    let filled = json!({ "agentCount": count, "agentVmSize": size, "clusterPurpose": purpose });
    let mut document = new_document(call, name, &filled, "");
    document["properties"]["description"] = Value::Null;
    if let Some(location) = properties.get("computeLocation") {
        document["properties"]["computeLocation"] = location.clone();
    }
    if let Some(network) = aks
        .get("aksNetworkingConfiguration")
        .and_then(Value::as_object)
    {
        rules::check_network(network)?;
        document["properties"]["properties"]["aksNetworkingConfiguration"] = json!(network);
    }
    merge(call, &mut document, body, properties, aks)?;
    accept_new(call, name, document, Verb::Create)
}

fn attach(call: &mut Call<'_>, name: &str, body: &Body, properties: &Body, aks: &Body) -> Reply {
    let id = properties
        .get("resourceId")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if !names::is_cluster_id(&id) {
        return Err(ArmError::new(
            400,
            "InvalidResourceId",
            format!("resourceId '{id}' is not the id of a managed cluster."),
        ));
    }
    for key in ["agentCount", "agentVmSize", "aksNetworkingConfiguration"] {
        if aks.contains_key(key) {
            return Err(ArmError::bad_request(format!(
                "properties.properties.{key} belongs to a create; an attached cluster has its own."
            )));
        }
    }
    if properties.contains_key("computeLocation") {
        return Err(ArmError::bad_request(
            "properties.computeLocation belongs to a create; an attached cluster has its own.",
        ));
    }
    let cluster = call.state.cluster(&id).cloned().ok_or_else(|| {
        ArmError::new(
            400,
            "ClusterNotFound",
            format!("The AKS cluster '{id}' does not exist."),
        )
    })?;
    let request = call.request;
    let by_fault = call
        .state
        .fault(request, |kind| matches!(kind, Kind::UnsupportedVersion))
        .is_some();
    if by_fault || !clusters::attachable(&cluster.version) {
        return Err(faults::unsupported_version(&cluster.version));
    }
    let purpose = aks
        .get("clusterPurpose")
        .and_then(Value::as_str)
        .unwrap_or("FastProd");
    rules::check_cores(call.config, purpose, cluster.nodes, &cluster.vm_size)?;

    let filled = json!({
        "agentCount": cluster.nodes,
        "agentVmSize": cluster.vm_size,
        "clusterPurpose": purpose,
    });
    let mut document = new_document(call, name, &filled, "");
    let attached = &mut document["properties"];
    attached["description"] = Value::Null;
    attached["resourceId"] = json!(id);
    attached["isAttachedCompute"] = json!(true);
    attached["computeLocation"] = json!(cluster.location);
    attached["properties"]["clusterFqdn"] = json!(cluster.fqdn());
    merge(call, &mut document, body, properties, aks)?;
    let answer = accept_new(call, name, document, Verb::Attach)?;
    let at_once = |kind: &Kind| matches!(kind, Kind::SecondAttachmentBreaksFirst);
    if call.state.fault(request, at_once).is_some() {
        call.state.break_other_attachments(name);
    }
    Ok(answer)
}

fn accept_new(call: &mut Call<'_>, name: &str, document: Value, verb: Verb) -> Reply {
    call.state.computes.push(Compute {
        name: name.to_owned(),
        document: document.clone(),
        attached: verb == Verb::Attach,
        operation: None,
    });
    let config = call.config;
    let takes = if verb == Verb::Attach {
        config.attach
    } else {
        config.create
    };
    let links = start(call, name, verb, takes, outcome_by_name(name), None);
    Ok(links.on(Answer::json(201, &schema::show(&document, call.dialect()))))
}

/// A PUT on a compute that is there changes what may change and keeps the rest: what was not said,
/// and (assumed) size, purpose, network and region, which a cluster cannot change.
fn update(
    call: &mut Call<'_>,
    compute: &Compute,
    body: &Body,
    properties: &Body,
    aks: &Body,
) -> Reply {
    busy(compute)?;
    let name = compute.name.as_str();
    if let Some(id) = properties.get("resourceId").and_then(Value::as_str)
        && !compute
            .resource_id()
            .is_some_and(|current| current.eq_ignore_ascii_case(id))
    {
        return Err(ArmError::conflict(format!(
            "The compute '{name}' exists with another resourceId, which cannot be changed."
        )));
    }
    if compute
        .resource_id()
        .and_then(|id| call.state.cluster(id))
        .is_none()
    {
        return Err(ArmError::conflict(format!(
            "The compute '{name}' is in the state {} and has no cluster. Remove it first.",
            compute.state()
        )));
    }
    let mut next = compute.document.clone();
    let before = &mut next["properties"]["properties"];
    let purpose = before["clusterPurpose"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let size = before["agentVmSize"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let current = before["agentCount"].as_u64().unwrap_or_default();
    let count = aks
        .get("agentCount")
        .and_then(Value::as_u64)
        .unwrap_or(current);
    if compute.attached && count != current {
        return Err(ArmError::bad_request(format!(
            "agentCount of the attached compute '{name}' cannot be changed here: scale the cluster."
        )));
    }
    rules::check_cores(call.config, &purpose, count, &size)?;
    if let Some(network) = aks
        .get("aksNetworkingConfiguration")
        .and_then(Value::as_object)
    {
        rules::check_network(network)?;
    }
    before["agentCount"] = json!(count);
    merge(call, &mut next, body, properties, aks)?;

    let takes = call.config.update;
    let links = start(
        call,
        name,
        Verb::Update,
        takes,
        outcome_by_name(name),
        Some(next),
    );
    let (mut shown, dialect) = (Value::Null, call.dialect());
    if let Some(compute) = call.state.compute_mut(name) {
        compute.set_state("Updating");
        shown = schema::show(&compute.document, dialect);
    }
    Ok(links.on(Answer::json(200, &shown)))
}
