//! Computes: read one, list, keys, delete and detach. The PUT has its own file.

pub(crate) mod operations;
mod put;
pub(crate) mod rules;
pub(crate) mod schema;
pub(crate) mod status;

use std::time::Duration;

use serde_json::{Value, json};

use self::status::retry_after;
use crate::emulator::computes::operations::{Operation, Outcome, Status, Verb};
use crate::emulator::error::ArmError;
use crate::emulator::faults::Kind;
use crate::emulator::http::Answer;
use crate::emulator::names;
use crate::emulator::routes::{Context, Host, Reply, not_allowed, unsupported_route};
use crate::emulator::state::Compute;

pub(crate) fn serve(context: Context<'_>, host: Host, names: &[String], lower: &[&str]) -> Reply {
    let name = names.get(1).map(String::as_str).unwrap_or_default();
    match (host, context.request.method.as_str(), lower) {
        (_, "GET", ["computes"]) => list(&context),
        (_, "GET", ["computes", _]) => get(context, name),
        (Host::Arm, "PUT", ["computes", _]) => put::serve(context, name),
        (Host::Arm, "DELETE", ["computes", _]) => delete(context, name),
        (Host::Arm, "PATCH", ["computes", _]) => Err(ArmError::new(
            405,
            "UnsupportedByEmulator",
            "PATCH changes the scale settings of computes of type AmlCompute only; send a PUT.",
        )),
        (Host::Arm, "POST", ["computes", _, "listkeys"]) => list_keys(&context, name),
        (_, _, ["computes"] | ["computes", _]) | (Host::Arm, _, ["computes", _, "listkeys"]) => {
            Err(not_allowed(context.request))
        }
        _ => Err(unsupported_route(context.request)),
    }
}

fn absent(name: &str) -> ArmError {
    ArmError::not_found(&format!(
        "Microsoft.MachineLearningServices/workspaces/computes/{name}"
    ))
}

fn get(mut context: Context<'_>, name: &str) -> Reply {
    context.only_parameters(&["api-version"])?;
    if let Some(compute) = context.state.compute(name) {
        return Ok(Answer::json(
            200,
            &schema::show(&compute.document, context.dialect),
        ));
    }
    let request = context.request;
    if context
        .state
        .fault(request, |kind| matches!(kind, Kind::ComputeAppears))
        .is_some()
    {
        appear(&mut context, name);
    }
    Err(absent(name))
}

/// Another client creates a compute of that name between a GET and the PUT that follows it.
fn appear(context: &mut Context<'_>, name: &str) {
    let aks = json!({
        "agentCount": 1,
        "agentVmSize": "Standard_D2_v2",
        "clusterPurpose": "DevTest",
    });
    let document = put::new_document(context, name, &aks, "created by another client");
    context.state.computes.push(Compute {
        name: name.to_owned(),
        document,
        attached: false,
        operation: None,
    });
    context.state.provision(context.config, name);
}

fn list(context: &Context<'_>) -> Reply {
    // `$skiptoken` is the parameter of the published description; its value is the emulator's own.
    context.only_parameters(&["api-version", "$skiptoken"])?;
    let skip = match context.request.parameter("$skiptoken") {
        None => 0,
        Some(skip) => skip
            .parse::<usize>()
            .map_err(|_| ArmError::bad_request("$skiptoken must be what a nextLink gave."))?,
    };
    let all = &context.state.computes;
    let size = context.config.page_size;
    let value: Vec<Value> = all
        .iter()
        .skip(skip)
        .take(size)
        .map(|compute| schema::show(&compute.document, context.dialect))
        .collect();
    let mut body = json!({ "value": value });
    let next = skip.saturating_add(size);
    if next < all.len() {
        // Absent, not `null`, on the last page: `azureml-core` would request the null as a URL.
        body["nextLink"] = json!(format!(
            "{}{}?api-version={}&%24skiptoken={next}",
            context.request.origin,
            context.request.path,
            context.api_version()
        ));
    }
    Ok(Answer::json(200, &body))
}

fn list_keys(context: &Context<'_>, name: &str) -> Reply {
    context.only_parameters(&["api-version"])?;
    let compute = context.state.compute(name).ok_or_else(|| absent(name))?;
    let cluster = compute
        .resource_id()
        .and_then(|id| context.state.cluster(id));
    let cluster = cluster
        .filter(|_| !matches!(compute.state(), "Creating" | "Failed" | "Canceled"))
        .ok_or_else(|| {
            ArmError::conflict(format!(
                "The compute '{name}' is in the state {} and has no credentials.",
                compute.state()
            ))
        })?;
    let config = |user: &str| {
        format!(
            "apiVersion: v1\nkind: Config\nclusters:\n- name: {0}\n  cluster:\n    \
             server: https://{1}:443\ncontexts:\n- name: {0}\n  context:\n    cluster: {0}\n    \
             user: {user}\ncurrent-context: {0}\nusers:\n- name: {user}\n  user:\n    \
             token: emulated-{user}-token\n",
            cluster.name,
            cluster.fqdn()
        )
    };
    Ok(Answer::json(
        200,
        &json!({
            "computeType": "AKS",
            "userKubeConfig": config("clusterUser"),
            "adminKubeConfig": config("clusterAdmin"),
            "imagePullSecretName": "emulator-pull-secret",
        }),
    ))
}

fn delete(mut context: Context<'_>, name: &str) -> Reply {
    context.only_parameters(&["api-version", "underlyingResourceAction"])?;
    let action = context
        .request
        .parameter("underlyingResourceAction")
        .unwrap_or_default();
    let verb = match action.to_ascii_lowercase().as_str() {
        "delete" => Verb::Delete,
        "detach" => Verb::Detach,
        "" => {
            return Err(ArmError::bad_request(
                "The query parameter underlyingResourceAction is required: Delete or Detach.",
            ));
        }
        _ => {
            return Err(ArmError::bad_request(format!(
                "underlyingResourceAction '{action}' is neither Delete nor Detach."
            )));
        }
    };
    let Some(compute) = context.state.compute(name) else {
        return Ok(Answer::empty(204));
    };
    busy(compute)?;
    if verb == Verb::Delete && compute.attached {
        return Err(ArmError::bad_request(format!(
            "The compute '{name}' was attached, so its cluster cannot be deleted here. Detach it."
        )));
    }
    let took = if verb == Verb::Delete {
        context.config.delete
    } else {
        context.config.detach
    };
    // The prefixes of names do not count here: a compute that failed must be removable.
    let links = start(&mut context, name, verb, took, Outcome::Succeeds, None);
    if let Some(compute) = context.state.compute_mut(name) {
        compute.set_state("Deleting");
    }
    Ok(links.on_delete(Answer::empty(202)))
}

/// Refuses a write while an operation runs on the compute.
pub(crate) fn busy(compute: &Compute) -> Result<(), ArmError> {
    match &compute.operation {
        Some(_) => Err(ArmError::conflict(format!(
            "An operation is in progress on the compute '{}' (state {}). Try again when it ended.",
            compute.name,
            compute.state()
        ))),
        None => Ok(()),
    }
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

    fn on_delete(self, answer: Answer) -> Answer {
        let answer = answer.with("Location", self.result.clone());
        self.on(answer)
    }
}

/// Starts an operation on a compute that exists, unless a fault decides otherwise.
pub(crate) fn start(
    context: &mut Context<'_>,
    name: &str,
    verb: Verb,
    takes: Duration,
    outcome: Outcome,
    next: Option<Value>,
) -> Links {
    let request = context.request;
    let state = &mut *context.state;
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
            context.config.subscription,
            names::region(&context.config.location),
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
        hint: context.config.retry_after,
    }
}
