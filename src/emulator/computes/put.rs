//! PUT of a compute: create, attach or update, by what is there already and what the body says; and
//! PATCH.

use serde_json::{Map, Value, json};

use super::super::access;
use super::operations::{Verb, outcome_by_name, start};
use super::{Compute, absent, busy, kubernetes, rules, schema};
use crate::emulator::call::Call;
use crate::emulator::error::{ArmError, require};
use crate::emulator::faults::{self, Kind};
use crate::emulator::http::Answer;
use crate::emulator::names;
use crate::emulator::operations::Outcome;
use crate::emulator::routes::Reply;

type Body = Map<String, Value>;

/// The parts of a body: around, `properties`, and the `properties` in these.
struct Wanted {
    resource: Body,
    properties: Body,
    aks: Body,
}

impl Wanted {
    fn read(call: &Call<'_>, body: &Value) -> Result<Self, ArmError> {
        let mut resource = schema::check(body, call.dialect())?;
        let mut properties = take(&mut resource, "properties");
        let mut aks = take(&mut properties, "properties");
        // The older description spells it differently; inside there is one spelling.
        if let Some(size) = aks.remove("agentVMSize") {
            aks.insert("agentVmSize".to_owned(), size);
        }
        Ok(Self {
            resource,
            properties,
            aks,
        })
    }

    /// A text of the inner properties.
    fn text(&self, key: &str) -> Option<&str> {
        self.aks.get(key).and_then(Value::as_str)
    }

    fn agent_count(&self) -> Option<u64> {
        self.aks.get("agentCount").and_then(Value::as_u64)
    }

    fn network(&self) -> Result<Option<&Body>, ArmError> {
        let network = self.aks.get("aksNetworkingConfiguration");
        let network = network.and_then(Value::as_object);
        network.map_or(Ok(()), rules::check_network)?;
        Ok(network)
    }
}

pub(crate) fn serve(mut call: Call<'_>) -> Reply {
    let name = call.name("compute");
    names::check_compute(name, &call.api_version())?;
    let body = parse(&call)?;
    if kubernetes::is(&body) {
        return kubernetes::put(&mut call, name, &body);
    }
    let wanted = Wanted::read(&call, &body)?;
    check_location(&call, &wanted.resource)?;
    match wanted.properties.get("computeType").and_then(Value::as_str) {
        Some("AKS") => {}
        Some(other) => {
            return Err(ArmError::unsupported(format!(
                "The emulator serves computes of the types AKS and Kubernetes, not '{other}'."
            )));
        }
        None => return Err(ArmError::bad_request("properties.computeType is required.")),
    }
    call.denied(name)?;
    match call.state.compute(name).cloned() {
        Some(compute) => {
            let next = changed(&mut call, &compute, &wanted)?;
            let (name, outcome) = (compute.name.as_str(), outcome_by_name(&compute.name));
            Ok(update(&mut call, name, next, 201, "Creating", outcome))
        }
        None if wanted.properties.contains_key("resourceId") => attach(&mut call, name, &wanted),
        None => create(&mut call, name, &wanted),
    }
}

/// A PATCH changes what it names; one that changes nothing starts nothing.
pub(crate) fn patch(mut call: Call<'_>) -> Reply {
    let name = call.name("compute");
    let compute = call.state.compute(name).cloned();
    let compute = compute.ok_or_else(|| absent(name))?;
    let body = parse(&call)?;
    let is_kubernetes = kubernetes::is(&compute.document);
    let next = match is_kubernetes {
        true => kubernetes::patched(&mut call, &compute, &body)?,
        false => {
            let wanted = Wanted::read(&call, &body)?;
            changed(&mut call, &compute, &wanted)?
        }
    };
    if next == compute.document {
        let shown = schema::show(&next, &call.api_version());
        return Ok(Answer::json(200, &shown));
    }
    let name = compute.name.as_str();
    let outcome = match is_kubernetes {
        true => kubernetes::outcome(name),
        false => outcome_by_name(name),
    };
    Ok(update(&mut call, name, next, 202, "Updating", outcome))
}

fn parse(call: &Call<'_>) -> Result<Value, ArmError> {
    serde_json::from_slice(&call.request.body).map_err(|error| {
        let message = format!("The body is not valid JSON: {error}.");
        ArmError::new(400, "InvalidRequestContent", message)
    })
}

fn take(body: &mut Body, key: &str) -> Body {
    match body.remove(key) {
        Some(Value::Object(map)) => map,
        _ => Body::new(),
    }
}

/// `location` is the workspace's: the region of the cluster is `computeLocation`.
pub(super) fn check_location(call: &Call<'_>, body: &Body) -> Result<(), ArmError> {
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
        "tags": {},
        "properties": {
            "computeType": "AKS",
            "disableLocalAuth": false,
            "computeLocation": config.location,
            "description": description,
            "resourceId": null,
            "provisioningState": "Creating",
            "provisioningErrors": null,
            "provisioningWarnings": {},
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

/// The part that create, attach and update have in common: what is given replaces the old value.
fn merge(call: &mut Call<'_>, document: &mut Value, wanted: &Wanted) -> Result<(), ArmError> {
    if let Some(tags) = wanted.resource.get("tags") {
        document["tags"] = tags.clone();
    }
    for key in ["description", "disableLocalAuth"] {
        if let Some(value) = wanted.properties.get(key) {
            document["properties"][key] = value.clone();
        }
    }
    let location = document["properties"]["computeLocation"].as_str();
    let location = location.unwrap_or_default().to_owned();
    let before = &mut document["properties"]["properties"];
    let (kind, subnet) = rules::load_balancer(before, &wanted.aks)?;
    let suffix = call.state.six_characters();
    let given = wanted
        .aks
        .get("sslConfiguration")
        .and_then(Value::as_object);
    let ssl = &before["sslConfiguration"];
    before["sslConfiguration"] = rules::ssl(ssl, given, &kind, &location, &suffix)?;
    before["loadBalancerType"] = kind;
    before["loadBalancerSubnet"] = subnet;
    Ok(())
}

fn create(call: &mut Call<'_>, name: &str, wanted: &Wanted) -> Reply {
    let retired = |kind: &Kind| matches!(kind, Kind::PathRetired { .. });
    if call.state.fault(call.request, retired).is_some() {
        return Err(faults::path_retired());
    }
    access::check_public_address(call, name)?;
    let purpose = wanted.text("clusterPurpose").unwrap_or("FastProd");
    let size = wanted.text("agentVmSize").unwrap_or("Standard_D3_v2");
    let default_count = if purpose == "DevTest" { 1 } else { 3 };
    let count = wanted.agent_count().unwrap_or(default_count);
    rules::check_cores(call.config, purpose, count, size)?;

    let filled = json!({ "agentCount": count, "agentVmSize": size, "clusterPurpose": purpose });
    let mut document = new_document(call, name, &filled, "");
    document["properties"]["description"] = Value::Null;
    if let Some(location) = wanted.properties.get("computeLocation") {
        document["properties"]["computeLocation"] = location.clone();
    }
    if let Some(network) = wanted.network()? {
        document["properties"]["properties"]["aksNetworkingConfiguration"] = json!(network);
    }
    merge(call, &mut document, wanted)?;
    let (tagged, outcome) = (wanted.resource.contains_key("tags"), outcome_by_name(name));
    Ok(accept_new(
        call,
        name,
        document,
        tagged,
        Verb::Create,
        outcome,
    ))
}

fn attach(call: &mut Call<'_>, name: &str, wanted: &Wanted) -> Reply {
    let id = wanted.properties.get("resourceId").and_then(Value::as_str);
    let id = id.unwrap_or_default().to_owned();
    if !names::is_cluster_id(&id) {
        let message = format!("resourceId '{id}' is not the id of a managed cluster.");
        return Err(ArmError::new(400, "InvalidResourceId", message));
    }
    for key in ["agentCount", "agentVmSize", "aksNetworkingConfiguration"] {
        require(
            !wanted.aks.contains_key(key),
            format!(
                "properties.properties.{key} belongs to a create; an attached cluster has its own."
            ),
        )?;
    }
    require(
        !wanted.properties.contains_key("computeLocation"),
        "properties.computeLocation belongs to a create; an attached cluster has its own.",
    )?;
    let cluster = call.state.cluster(&id).cloned().ok_or_else(|| {
        let message = format!(
            "The AKS cluster '{id}' does not exist. Give the id of a cluster that the emulator has."
        );
        ArmError::new(400, "ClusterNotFound", message)
    })?;
    let unsupported = |kind: &Kind| matches!(kind, Kind::UnsupportedVersion { .. });
    let by_fault = call.state.fault(call.request, unsupported).is_some();
    let offer = &call.config.kubernetes;
    if by_fault || !offer.attachable(cluster.version()) {
        return Err(faults::unsupported_version(cluster.version(), offer));
    }
    require(
        !matches!(cluster.state(), "Creating" | "Deleting" | "Failed"),
        format!(
            "The AKS cluster '{id}' is not in Succeeded state. Provisioning state: {}",
            cluster.state()
        ),
    )?;
    let purpose = wanted.text("clusterPurpose").unwrap_or("FastProd");
    rules::check_cores(call.config, purpose, cluster.nodes(), cluster.vm_size())?;

    let filled = json!({
        "agentCount": cluster.nodes(),
        "agentVmSize": cluster.vm_size(),
        "clusterPurpose": purpose,
    });
    let mut document = new_document(call, name, &filled, "");
    let attached = &mut document["properties"];
    attached["description"] = Value::Null;
    attached["resourceId"] = json!(id);
    attached["isAttachedCompute"] = json!(true);
    attached["computeLocation"] = json!(cluster.location());
    attached["properties"]["clusterFqdn"] = json!(cluster.fqdn());
    merge(call, &mut document, wanted)?;
    let (tagged, outcome) = (wanted.resource.contains_key("tags"), outcome_by_name(name));
    let answer = accept_new(call, name, document, tagged, Verb::Attach, outcome);
    let at_once = |kind: &Kind| matches!(kind, Kind::SecondAttachmentBreaksFirst { .. });
    if call.state.fault(call.request, at_once).is_some() {
        call.state.break_other_attachments(name);
    }
    Ok(answer)
}

/// Accepts a new compute; `tagged` is whether the request had tags.
pub(super) fn accept_new(
    call: &mut Call<'_>,
    name: &str,
    document: Value,
    tagged: bool,
    verb: Verb,
    outcome: Outcome,
) -> Answer {
    let mut shown = schema::show(&document, &call.api_version());
    // The answer to a PUT knows less than a GET a moment later.
    if let Some(properties) = shown["properties"].as_object_mut() {
        properties.remove("computeLocation");
        if let Some(warnings) = properties.get_mut("provisioningWarnings") {
            *warnings = Value::Null;
        }
    }
    if !tagged {
        shown["tags"] = Value::Null;
    }
    call.state.computes.push(Compute {
        name: name.to_owned(),
        document,
        attached: verb == Verb::Attach,
        operation: None,
    });
    let takes = match verb {
        Verb::Attach => call.config.attach,
        _ => call.config.create,
    };
    let links = start(call, name, verb, takes, outcome, None);
    links.on(Answer::json(201, &shown))
}

/// The document that a PUT or a PATCH of a compute that is there leads to: it changes what may change
/// and keeps the rest: what was not given and (assumed) size, purpose, network and region, which a
/// cluster cannot change.
fn changed(call: &mut Call<'_>, compute: &Compute, wanted: &Wanted) -> Result<Value, ArmError> {
    busy(compute)?;
    let name = compute.name.as_str();
    if kubernetes::is(&compute.document) {
        return Err(ArmError::conflict(format!(
            "The compute '{name}' exists with another computeType, which cannot be changed."
        )));
    }
    let id = wanted.properties.get("resourceId").and_then(Value::as_str);
    let same = |id: &str| {
        compute
            .resource_id()
            .is_some_and(|own| own.eq_ignore_ascii_case(id))
    };
    if id.is_some_and(|id| !same(id)) {
        return Err(ArmError::conflict(format!(
            "The compute '{name}' exists with another resourceId, which cannot be changed."
        )));
    }
    let cluster = compute.resource_id().and_then(|id| call.state.cluster(id));
    if cluster.is_none() {
        return Err(ArmError::conflict(format!(
            "The compute '{name}' is in the state {} and has no cluster. Remove it first.",
            compute.state()
        )));
    }
    let mut next = compute.document.clone();
    let before = &mut next["properties"]["properties"];
    let text = |key: &str| before[key].as_str().unwrap_or_default().to_owned();
    let (purpose, size) = (text("clusterPurpose"), text("agentVmSize"));
    let current = before["agentCount"].as_u64().unwrap_or_default();
    let count = wanted.agent_count().unwrap_or(current);
    require(
        !compute.attached || count == current,
        format!(
            "agentCount of the attached compute '{name}' cannot be changed here: scale the cluster."
        ),
    )?;
    rules::check_cores(call.config, &purpose, count, &size)?;
    wanted.network()?;
    before["agentCount"] = json!(count);
    merge(call, &mut next, wanted)?;
    Ok(next)
}

/// Accepts a change, and shows the compute as it is until the change is done.
pub(super) fn update(
    call: &mut Call<'_>,
    name: &str,
    next: Value,
    status: u16,
    state: &str,
    outcome: Outcome,
) -> Answer {
    let (takes, version, now) = (call.config.update, call.api_version(), call.now());
    let links = start(call, name, Verb::Update, takes, outcome, Some(next));
    let mut shown = Value::Null;
    if let Some(compute) = call.state.compute_mut(name) {
        compute.set_state(state);
        compute.document["properties"]["modifiedOn"] = json!(now);
        shown = schema::show(&compute.document, &version);
    }
    links.on(Answer::json(status, &shown))
}
