//! Operations on computes: how they begin, what a poll shows, and what their end does.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Compute, kubernetes};
use crate::emulator::call::Call;
use crate::emulator::clusters::{Cluster, Site};
use crate::emulator::error::{ArmError, require};
use crate::emulator::http::Answer;
use crate::emulator::names;
use crate::emulator::operations::{Fate, Links, Outcome, Status, is_signed, retry_after};
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

#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) verb: Verb,
    pub(crate) compute: String,
    pub(crate) fate: Fate,
    /// For an update, the document that it leads to.
    pub(crate) next: Option<Value>,
}

impl Operation {
    /// The error of a status answer, singly or doubly nested.
    pub(crate) fn error(&self) -> Option<Value> {
        match (&self.fate.outcome, self.fate.status) {
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
        self.settle_clusters();
        self.settle_extensions();
        self.settle_computes(config);
        self.settle_services(config);
    }

    /// In the order of their ends.
    fn settle_computes(&mut self, config: &Config) {
        let now = self.time.now();
        loop {
            let operations = self.operations.iter();
            let ended =
                operations.filter_map(|(id, operation)| Some((operation.fate.is_due(now)?, id)));
            let Some((due, id)) = ended.min() else { return };
            let id = id.clone();
            self.end(config, &id, due);
        }
    }

    /// Makes the end of everything that has one come now.
    pub(crate) fn finish(&mut self, config: &Config) {
        let now = self.time.now();
        for operation in self.operations.values_mut() {
            operation.fate.hasten(now);
        }
        self.finish_clusters();
        self.finish_extensions();
        self.settle_computes(config);
        self.finish_services(config);
    }

    fn end(&mut self, config: &Config, id: &str, at: Duration) {
        let Some(operation) = self.operations.get_mut(id) else {
            return;
        };
        operation.fate.status = operation.fate.outcome.status();
        let operation = operation.clone();
        let stamp = self.time.stamp(at);
        let name = operation.compute.clone();
        if let Some(compute) = self.compute_mut(&name) {
            compute.operation = None;
            compute.document["properties"]["modifiedOn"] = json!(stamp);
        }
        match &operation.fate.outcome {
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
        let is_kubernetes = self
            .compute(name)
            .is_some_and(|compute| kubernetes::is(&compute.document));
        match operation.verb {
            Verb::Attach if is_kubernetes => kubernetes::succeed(self, name),
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
                if is_kubernetes {
                    return kubernetes::succeed(self, name);
                }
                compute.set_state("Succeeded");
                compute.document["properties"]["provisioningErrors"] = Value::Null;
                let aks = &compute.document["properties"]["properties"];
                let nodes = aks["agentCount"].as_u64();
                let services = front_end(aks["loadBalancerType"].as_str().unwrap_or_default());
                let id = compute.resource_id().map(str::to_owned);
                compute.document["properties"]["properties"]["systemServices"] = services;
                if let (Some(nodes), Some(id)) = (nodes, id)
                    && let Some(cluster) = self.cluster_mut(&id)
                {
                    cluster.set_nodes(nodes);
                }
            }
            Verb::Delete => {
                let cluster = self
                    .compute(name)
                    .and_then(|c| c.resource_id())
                    .map(str::to_owned);
                if let Some(id) = cluster {
                    let why = format!("The cluster was deleted with the compute '{name}'.");
                    self.break_attachments(&id, Some(name), &why);
                    self.remove_cluster(&id);
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
        let location = properties["computeLocation"].as_str();
        let aks = &properties["properties"];
        let cluster = Cluster::ready(
            &Site {
                subscription: &config.subscription,
                group: &config.resource_group,
                name: &format!("{}{suffix}", name.to_ascii_lowercase()),
            },
            location.unwrap_or(&config.location),
            config.kubernetes.default_patch(),
            aks["agentVmSize"].as_str().unwrap_or_default(),
            aks["agentCount"].as_u64().unwrap_or_default(),
            aks["aksNetworkingConfiguration"].as_object(),
        );
        properties["resourceId"] = json!(cluster.id);
        properties["properties"]["clusterFqdn"] = json!(cluster.fqdn());
        let balancer = properties["properties"]["loadBalancerType"]
            .as_str()
            .unwrap_or_default();
        properties["properties"]["systemServices"] = front_end(balancer);
        compute.set_state("Succeeded");
        self.clusters.push(cluster);
    }

    /// Attaching a cluster again as type AKS breaks what was attached so before (the articles warn of it). Those of
    /// type Kubernetes go on.
    pub(crate) fn break_other_attachments(&mut self, name: &str) {
        let compute = self.compute(name);
        if let Some(id) = compute.and_then(Compute::resource_id).map(str::to_owned) {
            let why = format!("The cluster was taken over by the compute '{name}'.");
            self.fail_attachments(&id, Some(name), &why, |other| {
                !kubernetes::is(&other.document)
            });
        }
    }

    /// Breaks every attachment of a cluster but one.
    pub(crate) fn break_attachments(&mut self, cluster: &str, but: Option<&str>, why: &str) {
        self.fail_attachments(cluster, but, why, |_| true);
    }

    fn fail_attachments(
        &mut self,
        cluster: &str,
        but: Option<&str>,
        why: &str,
        breaks: impl Fn(&Compute) -> bool,
    ) {
        for other in self.computes.iter_mut().filter(|other| breaks(other)) {
            let id = other.resource_id();
            let same = id.is_some_and(|id| id.eq_ignore_ascii_case(cluster));
            if same && !but.is_some_and(|but| other.name.eq_ignore_ascii_case(but)) {
                other.fail("ComputeNotAccessible", why);
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

/// Starts an operation on a compute that exists, unless a fault decides otherwise.
pub(crate) fn start(
    call: &mut Call<'_>,
    name: &str,
    verb: Verb,
    takes: Duration,
    outcome: Outcome,
    next: Option<Value>,
) -> Links {
    let state = &mut *call.state;
    let is_create = verb == Verb::Create;
    let operation = Operation {
        verb,
        compute: name.to_owned(),
        fate: Fate::begin(state, call.request, takes, outcome, is_create),
        next,
    };
    let id = state.uuid();
    state.operations.insert(id.clone(), operation);
    if let Some(compute) = state.compute_mut(name) {
        compute.operation = Some(id.clone());
    }
    let path = format!(
        "/subscriptions/{}/providers/Microsoft.MachineLearningServices/locations/{}/\
         computeOperationsStatus/{id}?api-version={}&service=new",
        call.config.subscription,
        names::region(&call.config.location),
        call.request.parameter("api-version").unwrap_or_default(),
    );
    Links::new(call, &id, &path, None)
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
    require(
        request.parameter("service").as_deref() == Some("new") && is_signed(&call, id),
        "The URL of an operation came back without service=new or without its signature.",
    )?;
    let mut body = json!({ "status": operation.fate.status.as_str() });
    if operation.fate.status == Status::InProgress {
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
