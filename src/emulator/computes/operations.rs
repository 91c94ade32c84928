//! Operations on computes: how they begin, what a poll shows, and what their end does.

use std::time::Duration;

use serde_json::{Value, json};

use crate::emulator::call::Call;
use crate::emulator::clusters::{Cluster, DEFAULT_KUBERNETES};
use crate::emulator::error::{ArmError, require};
use crate::emulator::faults::Kind;
use crate::emulator::http::Answer;
use crate::emulator::names;
use crate::emulator::routes::Reply;
use crate::emulator::state::{Config, State};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Attach,
    Update,
    Delete,
    Detach,
}

/// How an operation will end.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Succeeds,
    Fails {
        code: String,
        message: String,
        nested: bool,
    },
    IsCanceled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    InProgress,
    Succeeded,
    Failed,
    Canceled,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Canceled => "Canceled",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) verb: Verb,
    pub(crate) compute: String,
    pub(crate) started: Duration,
    /// `None`: never.
    pub(crate) due: Option<Duration>,
    pub(crate) ended: Option<Duration>,
    pub(crate) outcome: Outcome,
    pub(crate) status: Status,
    /// For an update, the document that it leads to.
    pub(crate) next: Option<Value>,
}

impl Operation {
    /// The error of a status answer, singly or doubly nested.
    pub(crate) fn error(&self) -> Option<Value> {
        match (&self.outcome, self.status) {
            (
                Outcome::Fails {
                    code,
                    message,
                    nested,
                },
                Status::Failed,
            ) => {
                // `statusCode` stands inside the error: it is where `azureml-core` looks.
                let error = json!({ "code": code, "statusCode": 400, "message": message });
                Some(if *nested {
                    json!({ "error": error })
                } else {
                    error
                })
            }
            (_, Status::Canceled) => Some(json!({
                "code": "OperationCanceled",
                "statusCode": 409,
                "message": "The operation was canceled.",
            })),
            _ => None,
        }
    }
}

/// How a PUT of a compute with this name ends, by its prefix.
pub(crate) fn outcome_by_name(name: &str) -> Outcome {
    let name = name.to_ascii_lowercase();
    let fails = |nested| Outcome::Fails {
        code: "ComputeProvisioningFailed".to_owned(),
        message: format!("Provisioning of compute '{name}' failed, as its name asks for."),
        nested,
    };
    if name.starts_with("fail") {
        fails(false)
    } else if name.starts_with("nested") {
        fails(true)
    } else if name.starts_with("cancel") {
        Outcome::IsCanceled
    } else {
        Outcome::Succeeds
    }
}

impl State {
    /// Ends every operation whose time has come.
    pub(crate) fn settle(&mut self, config: &Config) {
        self.settle_computes(config);
        self.settle_services(config);
    }

    /// In the order of their ends.
    fn settle_computes(&mut self, config: &Config) {
        let now = self.time.now();
        loop {
            let next = self
                .operations
                .iter()
                .filter(|(_, operation)| operation.status == Status::InProgress)
                .filter_map(|(id, operation)| Some((operation.due?, id)))
                .filter(|(due, _)| *due <= now)
                .min()
                .map(|(due, id)| (due, id.clone()));
            let Some((due, id)) = next else { return };
            self.end(config, &id, due);
        }
    }

    /// Makes the end of everything that has one come now.
    pub(crate) fn finish(&mut self, config: &Config) {
        let now = self.time.now();
        for operation in self.operations.values_mut() {
            operation.due = operation.due.map(|due| due.min(now));
        }
        self.settle_computes(config);
        self.finish_services(config);
    }

    fn end(&mut self, config: &Config, id: &str, at: Duration) {
        let Some(operation) = self.operations.get_mut(id) else {
            return;
        };
        operation.ended = Some(at);
        operation.status = match operation.outcome {
            Outcome::Succeeds => Status::Succeeded,
            Outcome::Fails { .. } => Status::Failed,
            Outcome::IsCanceled => Status::Canceled,
        };
        let operation = operation.clone();
        let stamp = self.time.stamp(at);
        let name = operation.compute.clone();
        if let Some(compute) = self.compute_mut(&name) {
            compute.operation = None;
            compute.document["properties"]["modifiedOn"] = json!(stamp);
        }
        match &operation.outcome {
            Outcome::Succeeds => self.succeed(config, &operation),
            Outcome::Fails { code, message, .. } => {
                if let Some(compute) = self.compute_mut(&name) {
                    compute.fail(code, message);
                }
            }
            Outcome::IsCanceled => {
                if let Some(compute) = self.compute_mut(&name) {
                    compute.set_state("Canceled");
                }
            }
        }
    }

    fn succeed(&mut self, config: &Config, operation: &Operation) {
        let name = operation.compute.as_str();
        match operation.verb {
            Verb::Create => self.provision(config, name),
            Verb::Attach => {
                if let Some(compute) = self.compute_mut(name) {
                    compute.set_state("Succeeded");
                    let aks = &mut compute.document["properties"]["properties"];
                    aks["systemServices"] =
                        front_end(aks["loadBalancerType"].as_str().unwrap_or_default());
                }
                if !config.tolerate_second_attachment {
                    self.break_other_attachments(name);
                }
            }
            Verb::Update => {
                let Some(compute) = self.compute_mut(name) else {
                    return;
                };
                if let Some(next) = &operation.next {
                    let stamp = compute.document["properties"]["modifiedOn"].clone();
                    compute.document = next.clone();
                    compute.document["properties"]["modifiedOn"] = stamp;
                }
                compute.set_state("Succeeded");
                compute.document["properties"]["provisioningErrors"] = Value::Null;
                let aks = &compute.document["properties"]["properties"];
                let nodes = aks["agentCount"].as_u64();
                let services = front_end(aks["loadBalancerType"].as_str().unwrap_or_default());
                let id = compute.resource_id().map(str::to_owned);
                compute.document["properties"]["properties"]["systemServices"] = services;
                if let (Some(nodes), Some(id)) = (nodes, id)
                    && let Some(cluster) = self.clusters.iter_mut().find(|cluster| cluster.is(&id))
                {
                    cluster.nodes = nodes;
                }
            }
            Verb::Delete => {
                let cluster = self
                    .compute(name)
                    .and_then(|c| c.resource_id())
                    .map(str::to_owned);
                if let Some(id) = cluster {
                    self.break_other_attachments(name);
                    self.clusters.retain(|cluster| !cluster.is(&id));
                }
                self.computes
                    .retain(|compute| !compute.name.eq_ignore_ascii_case(name));
            }
            Verb::Detach => {
                self.computes
                    .retain(|compute| !compute.name.eq_ignore_ascii_case(name));
            }
        }
    }

    /// The end of a create: the cluster is there, beside the workspace.
    pub(crate) fn provision(&mut self, config: &Config, name: &str) {
        let suffix = self.six_characters();
        let Some(compute) = self.compute_mut(name) else {
            return;
        };
        let properties = &mut compute.document["properties"];
        let cluster_name = format!("{}{suffix}", name.to_ascii_lowercase());
        let group = config.resource_group.clone();
        let cluster = Cluster {
            id: Cluster::id(&config.subscription, &group, &cluster_name),
            group,
            name: cluster_name,
            location: properties["computeLocation"]
                .as_str()
                .unwrap_or(&config.location)
                .to_owned(),
            version: DEFAULT_KUBERNETES.to_owned(),
            vm_size: properties["properties"]["agentVmSize"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            nodes: properties["properties"]["agentCount"]
                .as_u64()
                .unwrap_or_default(),
            network: Some(properties["properties"]["aksNetworkingConfiguration"].clone())
                .filter(Value::is_object),
        };
        properties["resourceId"] = json!(cluster.id);
        properties["properties"]["clusterFqdn"] = json!(cluster.fqdn());
        let balancer = properties["properties"]["loadBalancerType"]
            .as_str()
            .unwrap_or_default();
        properties["properties"]["systemServices"] = front_end(balancer);
        compute.set_state("Succeeded");
        self.clusters.push(cluster);
    }

    /// Attaching a cluster again breaks what was attached before (the articles warn of it); so
    /// does deleting it under another attachment.
    pub(crate) fn break_other_attachments(&mut self, name: &str) {
        let Some(id) = self
            .compute(name)
            .and_then(|c| c.resource_id())
            .map(str::to_owned)
        else {
            return;
        };
        for other in &mut self.computes {
            let same = other
                .resource_id()
                .is_some_and(|other| other.eq_ignore_ascii_case(&id));
            if same && !other.name.eq_ignore_ascii_case(name) {
                other.fail(
                    "ComputeNotAccessible",
                    &format!("The cluster was taken over by the compute '{name}' or deleted."),
                );
            }
        }
    }
}

/// The scoring front end, with an address of the ranges kept for documentation, or an inner one.
fn front_end(load_balancer: &str) -> Value {
    let internal = load_balancer == "InternalLoadBalancer";
    let address = if internal {
        "10.240.0.100"
    } else {
        "203.0.113.10"
    };
    json!([{
        "systemServiceType": "ScoringFrontEnd",
        "version": "1.0.0",
        "publicIpAddress": address,
    }])
}

/// Where to follow an operation.
pub(crate) struct Links {
    status: String,
    result: String,
    hint: Option<Duration>,
}

impl Links {
    pub(crate) fn on(self, answer: Answer) -> Answer {
        retry_after(answer.with("Azure-AsyncOperation", self.status), self.hint)
    }

    pub(crate) fn on_delete(self, answer: Answer) -> Answer {
        let answer = answer.with("Location", self.result.clone());
        self.on(answer)
    }
}

/// Starts an operation on a compute that exists, unless a fault decides otherwise.
pub(crate) fn start(
    call: &mut Call<'_>,
    name: &str,
    verb: Verb,
    takes: Duration,
    outcome: Outcome,
    next: Option<Value>,
) -> Links {
    let request = call.request;
    let state = &mut *call.state;
    let now = state.time.now();
    let mut operation = Operation {
        verb,
        compute: name.to_owned(),
        started: now,
        due: Some(now.saturating_add(takes)),
        ended: None,
        outcome,
        status: Status::InProgress,
        next,
    };
    let quota = |kind: &Kind| verb == Verb::Create && matches!(kind, Kind::QuotaExceeded);
    match state.fault(request, |kind| {
        matches!(kind, Kind::OperationFails { .. }) || quota(kind)
    }) {
        Some(Kind::OperationFails { code, message }) => {
            operation.outcome = Outcome::Fails {
                code,
                message,
                nested: false,
            };
        }
        Some(_) => {
            operation.outcome = Outcome::Fails {
                code: "QuotaExceeded".to_owned(),
                message: "Operation could not be completed as it results in exceeding approved \
                          Total Regional Cores quota."
                    .to_owned(),
                nested: false,
            };
        }
        None => {}
    }
    if state
        .fault(request, |kind| matches!(kind, Kind::NeverEndingOperation))
        .is_some()
    {
        operation.due = None;
    }
    let id = state.uuid();
    state.operations.insert(id.clone(), operation);
    if let Some(compute) = state.compute_mut(name) {
        compute.operation = Some(id.clone());
    }
    let url = |kind: &str| {
        format!(
            "{}/subscriptions/{}/providers/Microsoft.MachineLearningServices/locations/{}/{kind}/\
             {id}?api-version={}&service=new",
            request.origin,
            call.config.subscription,
            names::region(&call.config.location),
            request.parameter("api-version").unwrap_or_default(),
        )
    };
    let (mut status, mut result) = (
        url("computeOperationsStatus"),
        url("computeOperationsResults"),
    );
    let foreign = |kind: &Kind| matches!(kind, Kind::ForeignPollingUrl(_));
    if let Some(Kind::ForeignPollingUrl(url)) = state.fault(request, foreign) {
        result.clone_from(&url);
        status = url;
    }
    Links {
        status,
        result,
        hint: call.config.retry_after,
    }
}

/// Finds the operation of a URL that was handed out. It must come back as it was: with
/// `service=new` and nothing added.
fn find<'state>(call: &'state Call<'_>) -> Result<&'state Operation, ArmError> {
    let id = call.name("operation");
    require(
        call.request.parameter("service").as_deref() == Some("new"),
        "The URL of an operation was handed out with service=new and came back without it.",
    )?;
    call.state
        .operations
        .get(id)
        .ok_or_else(|| ArmError::not_found(&format!("computeOperationsStatus/{id}")))
}

fn retry_after(answer: Answer, hint: Option<Duration>) -> Answer {
    match hint {
        Some(hint) => answer.with("Retry-After", hint.as_millis().div_ceil(1000).to_string()),
        None => answer,
    }
}

pub(crate) fn status(call: Call<'_>) -> Reply {
    let operation = find(&call)?;
    let time = &call.state.time;
    let mut body = json!({
        "id": call.request.path,
        "name": call.name("operation"),
        "status": operation.status.as_str(),
        "startTime": time.stamp(operation.started),
    });
    if let Some(ended) = operation.ended {
        body["endTime"] = json!(time.stamp(ended));
    }
    if let Some(error) = operation.error() {
        body["error"] = error;
    }
    let answer = Answer::json(200, &body);
    Ok(match operation.status {
        Status::InProgress => retry_after(answer, call.config.retry_after),
        _ => answer,
    })
}

/// The older way: 202 until it is done, then what the request itself would have said.
pub(crate) fn result(call: Call<'_>) -> Reply {
    let operation = find(&call)?;
    let request = call.request;
    match operation.status {
        Status::InProgress => {
            let query = request.query.as_deref().unwrap_or_default();
            let here = format!("{}{}?{query}", request.origin, request.path);
            Ok(retry_after(
                Answer::empty(202).with("Location", here),
                call.config.retry_after,
            ))
        }
        Status::Succeeded => Ok(Answer::empty(204)),
        Status::Failed | Status::Canceled => {
            let error = operation.error().unwrap_or_default();
            let error = error.get("error").cloned().unwrap_or(error);
            Ok(Answer::json(400, &json!({ "error": error })))
        }
    }
}
