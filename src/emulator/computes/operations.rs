//! Operations on computes: how they begin, what a poll shows, and what their end does.

use std::time::Duration;

use azure_core::base64;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Compute;
use crate::emulator::call::Call;
use crate::emulator::clusters::Cluster;
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
    /// `None`: never.
    pub(crate) due: Option<Duration>,
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
    /// Whether a compute is being created or attached.
    pub(crate) fn is_being_made(&self, compute: &Compute) -> bool {
        let operation = compute.operation.as_ref();
        operation
            .and_then(|id| self.operations.get(id))
            .is_some_and(|operation| matches!(operation.verb, Verb::Create | Verb::Attach))
    }

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
            version: config.kubernetes.default_patch().to_owned(),
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

/// The URL at which to follow an operation, the only one that a client gets: no `Location`, and no
/// `Retry-After` unless the builder says so.
pub(crate) struct Links {
    url: String,
    hint: Option<Duration>,
}

impl Links {
    pub(crate) fn on(self, answer: Answer) -> Answer {
        retry_after(answer.with("Azure-AsyncOperation", self.url), self.hint)
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
        due: Some(now.saturating_add(takes)),
        outcome,
        status: Status::InProgress,
        next,
    };
    let quota = |kind: &Kind| verb == Verb::Create && matches!(kind, Kind::QuotaExceeded { .. });
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
        .fault(request, |kind| {
            matches!(kind, Kind::NeverEndingOperation { .. })
        })
        .is_some()
    {
        operation.due = None;
    }
    let id = state.uuid();
    state.operations.insert(id.clone(), operation);
    if let Some(compute) = state.compute_mut(name) {
        compute.operation = Some(id.clone());
    }
    let mut url = format!(
        "{}/subscriptions/{}/providers/Microsoft.MachineLearningServices/locations/{}/\
         computeOperationsStatus/{id}?api-version={}&service=new",
        request.origin,
        call.config.subscription,
        names::region(&call.config.location),
        request.parameter("api-version").unwrap_or_default(),
    );
    if call.config.signed_polling_urls {
        for (key, value) in signature(&id) {
            url.push_str(&format!("&{key}={value}"));
        }
    }
    let foreign = |kind: &Kind| matches!(kind, Kind::ForeignPollingUrl { .. });
    if let Some(Kind::ForeignPollingUrl { url: foreign }) = state.fault(request, foreign) {
        url = foreign;
    }
    let hint = call.config.retry_after;
    Links { url, hint }
}

/// What Resource Manager appends to a polling URL since 2023: a time, a certificate, a signature and
/// a hash, of the lengths that were seen. They sign nothing, but must come back as they were.
fn signature(id: &str) -> [(&'static str, String); 4] {
    let filler = |name: &str, length: usize| -> String {
        let blocks = (0..).map(|block| Sha256::digest(format!("{id} {name} {block}")));
        let text = blocks.map(|digest| {
            base64::encode_url_safe(digest)
                .trim_end_matches('=')
                .to_owned()
        });
        text.take(length / 43 + 1).collect::<String>()[..length].to_owned()
    };
    let digits: String = id
        .bytes()
        .map(|byte| char::from(b'0' + byte % 10))
        .take(18)
        .collect();
    [
        ("t", digits),
        ("c", filler("c", 2575)),
        ("s", filler("s", 342)),
        ("h", filler("h", 43)),
    ]
}

/// The query parameters of a polling URL. Clients repeat that of the request that they follow.
pub(crate) const PARAMETERS: &[&str] = &["service", "underlyingResourceAction", "t", "c", "s", "h"];

/// How an operation goes. Its URL must come back as it was handed out.
pub(crate) fn status(call: Call<'_>) -> Reply {
    let (id, request) = (call.name("operation"), call.request);
    let operation = call.state.operations.get(id).ok_or_else(|| {
        let message = format!("Cannot find the operation {id}");
        ArmError::new(404, "NotFoundError", message)
    })?;
    let is = |key: &str, value: &str| request.parameter(key).as_deref() == Some(value);
    let signed =
        !call.config.signed_polling_urls || signature(id).iter().all(|(key, value)| is(key, value));
    require(
        is("service", "new") && signed,
        "The URL of an operation came back without service=new or without its signature.",
    )?;
    let mut body = json!({ "status": operation.status.as_str() });
    if operation.status == Status::InProgress {
        return Ok(retry_after(
            Answer::json(200, &body),
            call.config.retry_after,
        ));
    }
    body["percentComplete"] = json!(100.0);
    if let Some(error) = operation.error() {
        body["error"] = error;
    }
    Ok(Answer::json(200, &body))
}

fn retry_after(answer: Answer, hint: Option<Duration>) -> Answer {
    match hint {
        Some(hint) => answer.with("Retry-After", hint.as_millis().div_ceil(1000).to_string()),
        None => answer,
    }
}
