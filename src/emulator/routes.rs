//! From a path to what serves it.
//!
//! Routing is done by hand, because ARM compares every part of a path without case.

use serde_json::json;

use super::computes::{self, status as operations};
use super::error::ArmError;
use super::faults::Kind;
use super::http::{Answer, Incoming, Manner, is_scoring_path};
use super::journal::{JournalEntry, Ticket};
use super::services::scoring;
use super::state::{Config, Shared, State};
use super::versions::{self, Dialect};
use super::{admin, call as model_store, container_service, workspace};

pub(crate) type Reply = Result<Answer, ArmError>;

/// Serves one request, from the journal entry to the last header.
pub(crate) async fn serve(shared: &Shared, request: &Incoming) -> Answer {
    match begin(shared, request) {
        Begun::Answered(answer) => answer,
        // Outside the lock: what scores may take its time, or ask the emulator itself.
        Begun::Scores(ticket, call) => {
            let answer = call.answer().await;
            finish(&mut shared.state(), request, ticket, answer)
        }
    }
}

/// What of a request is done under one lock.
enum Begun {
    Answered(Answer),
    Scores(Ticket, scoring::Call),
}

fn begin(shared: &Shared, request: &Incoming) -> Begun {
    let mut state = shared.state();
    let config = &shared.config;
    let segments = request.segments();
    if segments
        .as_deref()
        .and_then(<[String]>::first)
        .is_some_and(|first| first == "_emulator")
    {
        // Neither journalled nor subject to faults: it is not part of the service.
        let segments = segments.unwrap_or_default();
        let answer = admin::serve(config, &mut state, request, &segments);
        return Begun::Answered(answer.unwrap_or_else(Into::into));
    }
    let ticket = state.journal.push(JournalEntry::of(request));
    let plane = Plane::of(&request.path);
    let answer = match state.fault(request, Kind::acts_before) {
        Some(fault) => fault.answer(|error| plane.refusal(&mut state, request, &error)),
        None if plane == Plane::Scoring => {
            match scoring::begin(&state, request, segments.as_deref().unwrap_or_default()) {
                Ok(scoring::Begun::Answered(answer)) => answer,
                Ok(scoring::Begun::Calls(call)) => return Begun::Scores(ticket, call),
                Err(error) => plane.refusal(&mut state, request, &error),
            }
        }
        None => route(config, &mut state, request, segments.as_deref())
            .unwrap_or_else(|error| plane.refusal(&mut state, request, &error)),
    };
    Begun::Answered(finish(&mut state, request, ticket, answer))
}

/// What every answer goes through: faults that act after, request ids, the journal.
fn finish(state: &mut State, request: &Incoming, ticket: Ticket, mut answer: Answer) -> Answer {
    match state.fault(request, Kind::acts_after) {
        Some(Kind::ResponseLost) => answer.manner = Manner::Severed,
        Some(_) if answer.manner == Manner::Whole => answer.manner = Manner::Truncated,
        _ => {}
    }
    for header in ["x-ms-request-id", "x-ms-correlation-request-id"] {
        let id = state.uuid();
        if !answer.has(header) {
            answer = answer.with(header, id);
        }
    }
    tracing::debug!(
        method = %request.method, path = %request.path, status = answer.status, "emulator answered"
    );
    let status = (answer.manner != Manner::Severed).then_some(answer.status);
    state.journal.answered(ticket, status);
    answer
}

/// Who speaks: each says errors in a shape of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Plane {
    Arm,
    ModelManagement,
    Scoring,
}

impl Plane {
    fn of(path: &str) -> Self {
        let first = path.split('/').nth(1).unwrap_or_default();
        if first.eq_ignore_ascii_case("modelmanagement") {
            Self::ModelManagement
        } else if is_scoring_path(path) {
            Self::Scoring
        } else {
            Self::Arm
        }
    }

    fn refusal(self, state: &mut State, request: &Incoming, error: &ArmError) -> Answer {
        match self {
            Self::Arm => Answer::json(error.status, &error.body()),
            // The status is in the body too, where `azureml-core` looks for it.
            Self::ModelManagement => {
                let id = match request.header("x-ms-client-request-id") {
                    Some(id) => id.to_owned(),
                    None => state.uuid(),
                };
                Answer::json(error.status, &error.model_management(&id))
            }
            // The router before the containers speaks plain text.
            Self::Scoring => Answer::raw(
                error.status,
                "text/plain; charset=utf-8",
                error.message.clone(),
            ),
        }
    }
}

/// What a route works with.
pub(crate) struct Context<'call> {
    pub(crate) config: &'call Config,
    pub(crate) state: &'call mut State,
    pub(crate) request: &'call Incoming,
    pub(crate) dialect: Dialect,
}

impl Context<'_> {
    pub(crate) fn api_version(&self) -> String {
        self.request
            .parameter("api-version")
            .unwrap_or_default()
            .trim()
            .to_owned()
    }

    /// Refuses query parameters that the route does not know.
    pub(crate) fn only_parameters(&self, known: &[&str]) -> Result<(), ArmError> {
        only_parameters(self.request, known)
    }
}

fn only_parameters(request: &Incoming, known: &[&str]) -> Result<(), ArmError> {
    match request
        .parameters()
        .find(|(key, _)| !known.iter().any(|known| known.eq_ignore_ascii_case(key)))
    {
        Some((key, _)) => Err(ArmError::unsupported(format!(
            "The query parameter '{key}' is not supported."
        ))),
        None => Ok(()),
    }
}

pub(crate) fn unsupported_route(request: &Incoming) -> ArmError {
    ArmError::new(
        404,
        "UnsupportedByEmulator",
        format!(
            "The emulator does not serve {} {}.",
            request.method, request.path
        ),
    )
}

pub(crate) fn not_allowed(request: &Incoming) -> ArmError {
    ArmError::new(
        405,
        "UnsupportedByEmulator",
        format!(
            "The emulator does not serve the method {} on {}.",
            request.method, request.path
        ),
    )
}

fn route(
    config: &Config,
    state: &mut State,
    request: &Incoming,
    segments: Option<&[String]>,
) -> Reply {
    let segments = segments.ok_or_else(|| ArmError::bad_request("The path is not valid UTF-8."))?;
    let lower: Vec<String> = segments.iter().map(|s| s.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();

    // No token is sent for discovery (wire.md: Microsoft's client sends none).
    if let ["discovery", "workspaces", id] = lower[..] {
        return workspace::discovery(config, request, id);
    }
    // Artifacts, models and environments have prefixes of their own, and blobs a signature for a
    // token.
    if let Some(reply) = model_store::route(config, state, request, segments, &lower) {
        return reply;
    }
    if !matches!(lower[..], ["subscriptions" | "rp", ..]) {
        return Err(unsupported_route(request));
    }
    if !request.authorized() {
        return Err(ArmError::new(
            401,
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing or has no bearer token.",
        ));
    }
    // The service's own host serves reads of computes under a prefix, else like ARM.
    let (host, names, lower) = match lower[..] {
        ["rp", "workspaces", ..] => (Host::Service, &segments[2..], &lower[2..]),
        _ => (Host::Arm, segments, &lower[..]),
    };
    match *lower {
        [
            "subscriptions",
            subscription,
            "resourcegroups",
            group,
            "providers",
            "microsoft.machinelearningservices",
            "workspaces",
            name,
            ref rest @ ..,
        ] => {
            check_scope(config, subscription, Some(group))?;
            if !name.eq_ignore_ascii_case(&config.workspace) {
                return Err(ArmError::not_found(&format!(
                    "Microsoft.MachineLearningServices/workspaces/{name}"
                )));
            }
            let kind = if rest.is_empty() {
                "workspaces"
            } else {
                "workspaces/computes"
            };
            let dialect = versions::dialect(request.parameter("api-version").as_deref(), kind)?;
            let context = Context {
                config,
                state,
                request,
                dialect,
            };
            match rest {
                ["computes", ..] => computes::serve(context, host, &names[8..], rest),
                [] if host == Host::Arm => workspace::get(&context),
                _ => Err(unsupported_route(request)),
            }
        }
        [
            "subscriptions",
            subscription,
            "providers",
            "microsoft.machinelearningservices",
            "locations",
            _,
            ref rest @ ..,
        ] if host == Host::Arm => {
            check_scope(config, subscription, None)?;
            let dialect =
                versions::dialect(request.parameter("api-version").as_deref(), "locations")?;
            let context = Context {
                config,
                state,
                request,
                dialect,
            };
            match *rest {
                ["computeoperationsstatus", id] => operations::status(&context, id),
                ["computeoperationsresults", id] => operations::result(&context, id),
                ["vmsizes"] => workspace::vm_sizes(&context),
                _ => Err(unsupported_route(request)),
            }
        }
        [
            "subscriptions",
            _,
            "resourcegroups",
            _,
            "providers",
            "microsoft.containerservice",
            "managedclusters",
            _,
        ] if host == Host::Arm => container_service::cluster(state, request, names),
        [
            "subscriptions",
            subscription,
            "providers",
            "microsoft.containerservice",
            "locations",
            location,
            list @ ("kubernetesversions" | "orchestrators"),
        ] if host == Host::Arm => {
            check_scope(config, subscription, None)?;
            container_service::versions(request, subscription, location, list)
        }
        _ => Err(unsupported_route(request)),
    }
}

/// Which of the two hosts a path belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Host {
    Arm,
    Service,
}

pub(crate) fn check_scope(
    config: &Config,
    subscription: &str,
    group: Option<&str>,
) -> Result<(), ArmError> {
    if !subscription.eq_ignore_ascii_case(&config.subscription) {
        return Err(ArmError::new(
            404,
            "SubscriptionNotFound",
            format!("The subscription '{subscription}' could not be found."),
        ));
    }
    match group {
        Some(group) if !group.eq_ignore_ascii_case(&config.resource_group) => Err(ArmError::new(
            404,
            "ResourceGroupNotFound",
            format!("Resource group '{group}' could not be found."),
        )),
        _ => Ok(()),
    }
}

pub(crate) fn get_only(request: &Incoming) -> Result<(), ArmError> {
    if request.method == "GET" {
        Ok(())
    } else {
        Err(not_allowed(request))
    }
}

/// `{"value":[…]}`, or with another key.
pub(crate) fn listing(key: &str, items: serde_json::Value) -> Answer {
    Answer::json(200, &json!({ key: items }))
}
