//! `services`: checks, create, read, change, remove, keys, tokens, logs. Lists have their own file.

use serde_json::{Value, json};

use super::document::Wanted;
use super::lifecycle::Task;
use super::patch::{self, Patched};
use super::resources::misfit;
use super::rules::name as check_name;
use super::sources::check as check_sources;
use super::{Service, schema};
use crate::emulator::call::Call;
use crate::emulator::computes::kubernetes;
use crate::emulator::error::ArmError;
use crate::emulator::faults::Kind;
use crate::emulator::http::Answer;
use crate::emulator::members;
use crate::emulator::routes::Reply;
use crate::emulator::state::State;

impl Call<'_> {
    fn service(&self, name: &str) -> Result<&Service, ArmError> {
        self.state.services.get(name).ok_or_else(|| {
            ArmError::new(
                404,
                "ServiceNotFound",
                format!("The service '{name}' was not found."),
            )
        })
    }

    pub(crate) fn show(&self, service: &Service, expand: bool) -> Value {
        let workspace = self.config.workspace_path();
        service.show(self.state, &self.request.origin, &workspace, expand)
    }

    /// Starts an operation on a service, and returns the URL of its status.
    fn start(&mut self, name: &str, task: Task) -> Answer {
        let id = self
            .state
            .start_on_service(self.config, self.request, name, task);
        let url = format!(
            "{}/modelmanagement/v1.0{}/operations/{id}",
            self.request.origin,
            self.config.workspace_path()
        );
        let foreign = |kind: &Kind| matches!(kind, Kind::ForeignPollingUrl { .. });
        let url = match self.state.service_fault(self.request, name, foreign) {
            Some(Kind::ForeignPollingUrl { url }) => url,
            _ => url,
        };
        Answer::empty(202).with("Operation-Location", url)
    }
}

/// The answer of a check: 200 either way, with an error when something is wrong.
fn verdict(result: Result<(), ArmError>) -> Reply {
    match result {
        Ok(()) => Ok(Answer::json(200, &json!({}))),
        // The emulator does not judge what it does not know.
        Err(error) if error.code == "UnsupportedByEmulator" => Err(error),
        Err(error) => Ok(Answer::json(
            200,
            &json!({ "error": {
                "code": error.code,
                "statusCode": error.status,
                "message": error.message,
                "details": [],
            } }),
        )),
    }
}

pub(crate) fn validate_name(call: Call<'_>) -> Reply {
    let name = call.name("service");
    call.no_body()?;
    verdict(check_name(name).and_then(|()| free(call.state, name)))
}

fn free(state: &State, name: &str) -> Result<(), ArmError> {
    match state.services.get(name) {
        Some(_) => Err(ArmError::new(
            409,
            "ServiceAlreadyExists",
            format!("A service with the name '{name}' already exists."),
        )),
        None => Ok(()),
    }
}

pub(crate) fn validate(call: Call<'_>) -> Reply {
    let map = members::check(&call.request.body, schema::VALIDATE)?;
    let get = |key: &str| map.get(key).unwrap_or(&Value::Null);
    let name = get("serviceName")
        .as_str()
        .ok_or_else(|| ArmError::bad_request("'serviceName' is missing."))?;
    match get("type").as_str() {
        Some("Create") => {
            let request = get("createRequest");
            verdict(if request["name"] == name {
                wanted(&call, request).map(drop)
            } else if request.is_null() {
                Err(ArmError::bad_request("The request is empty."))
            } else {
                Err(ArmError::bad_request(
                    "'serviceName' and 'createRequest.name' differ.",
                ))
            })
        }
        Some("Update") => verdict(patched(&call, name, get("updateRequest")).map(drop)),
        Some("Delete") => verdict(call.state.services.get(name).map_or(Ok(()), idle)),
        _ => Err(ArmError::bad_request(
            "'type' must be Create, Update or Delete.",
        )),
    }
}

pub(crate) fn validate_resource(call: Call<'_>) -> Reply {
    let body = call.body()?;
    verdict(Wanted::read(call.config, &body).and_then(|wanted| {
        check_compute(call.state, &wanted.document)?;
        match misfit(call.config, call.state, &wanted.document) {
            Some(text) => Err(ArmError::new(400, "InsufficientResources", text)),
            None => Ok(()),
        }
    }))
}

/// Reads the request for a service, and checks it against what there is.
fn wanted(call: &Call<'_>, body: &Value) -> Result<(Wanted, Vec<Value>), ArmError> {
    let wanted = Wanted::read(call.config, body)?;
    let name = wanted.document["name"].as_str().unwrap_or_default();
    if let Some(service) = call.state.services.get(name) {
        idle(service)?;
        if !wanted.overwrite {
            free(call.state, name)?;
        }
    }
    check_compute(call.state, &wanted.document)?;
    let models = check_sources(call.state, &wanted.document)?;
    Ok((wanted, models))
}

/// Checks that the compute is there and ready.
fn check_compute(state: &State, document: &Value) -> Result<(), ArmError> {
    let name = document["computeName"].as_str().unwrap_or_default();
    let compute = state.compute(name).ok_or_else(|| {
        ArmError::new(
            400,
            "ComputeNotFound",
            format!("The compute '{name}' was not found in the workspace."),
        )
    })?;
    if kubernetes::is(&compute.document) {
        return Err(ArmError::bad_request(format!(
            "The compute '{name}' is of type Kubernetes, and web services run on computes of type AKS."
        )));
    }
    if compute.state() == "Succeeded" {
        return Ok(());
    }
    Err(ArmError::new(
        400,
        "ComputeNotReady",
        format!(
            "The compute '{name}' is in the state {} and takes no services.",
            compute.state()
        ),
    ))
}

/// Refuses a change while an operation runs on the service.
fn idle(service: &Service) -> Result<(), ArmError> {
    match &service.operation {
        Some(_) => Err(ArmError::conflict(format!(
            "An operation is in progress on the service '{}'. Try again when it ended.",
            service.name
        ))),
        None => Ok(()),
    }
}

pub(crate) fn create(mut call: Call<'_>) -> Reply {
    let body = call.body()?;
    let (wanted, models) = wanted(&call, &body)?;
    let state = &mut *call.state;
    let now = state.time.now();
    let name = wanted.document["name"].as_str().unwrap_or_default();
    // A service that is put in the place of another keeps its keys.
    let known = state.services.get(name).map(|service| {
        let keys = (service.primary.clone(), service.secondary.clone());
        (keys, service.created)
    });
    let (keys, created) = known.unzip();
    let (primary, secondary) = keys.unwrap_or_else(|| (state.service_key(), state.service_key()));
    let mut service = Service::new(
        &wanted,
        wanted.primary.clone().unwrap_or(primary),
        wanted.secondary.clone().unwrap_or(secondary),
        created.unwrap_or(now),
    );
    service.models = models;
    state.services.put(service);
    Ok(call.start(name, Task::Deploy))
}

pub(crate) fn get(call: Call<'_>) -> Reply {
    let name = call.name("service");
    let expand = call.flag("expand")?;
    Ok(Answer::json(200, &call.show(call.service(name)?, expand)))
}

/// Applies a patch to a service that exists and is idle, without keeping the result.
fn patched(call: &Call<'_>, name: &str, patch: &Value) -> Result<(Patched, Vec<Value>), ArmError> {
    let service = call.service(name)?;
    idle(service)?;
    let patched = patch::apply(call.config, &service.document, patch)?;
    if patched.redeploys {
        check_compute(call.state, &patched.document)?;
    }
    let models = if patched.rebuilds {
        check_sources(call.state, &patched.document)?
    } else {
        Vec::new()
    };
    Ok((patched, models))
}

pub(crate) fn update(mut call: Call<'_>) -> Reply {
    let name = call.name("service");
    call.is_patch()?;
    call.service(name)?;
    let (patched, models) = patched(&call, name, &call.body()?)?;
    if patched.redeploys {
        let task = Task::Update {
            settings: patched.document,
            rebuilds: patched.rebuilds,
        };
        let answer = call.start(name, task);
        if let Some(service) = call.state.services.get_mut(name) {
            service.state = "Transitioning";
            service.models.extend(models);
        }
        return Ok(answer);
    }
    let now = call.state.time.now();
    if let Some(service) = call.state.services.get_mut(name) {
        service.document = patched.document;
        service.updated = Some(now);
    }
    Ok(Answer::json(200, &call.show(call.service(name)?, false)))
}

pub(crate) fn delete(mut call: Call<'_>) -> Reply {
    let name = call.name("service");
    let Some(service) = call.state.services.get(name) else {
        return Ok(Answer::empty(204));
    };
    idle(service)?;
    let answer = call.start(name, Task::Delete);
    if let Some(service) = call.state.services.get_mut(name) {
        service.state = "Transitioning";
    }
    Ok(answer)
}

fn with_keys<'call>(call: &'call Call<'_>, name: &str) -> Result<&'call Service, ArmError> {
    let service = call.service(name)?;
    if service.flag("authEnabled") {
        return Ok(service);
    }
    Err(ArmError::new(
        400,
        "KeyAuthNotEnabled",
        format!("Authentication by key is not enabled for the service '{name}'."),
    ))
}

fn keys(service: &Service) -> Answer {
    Answer::json(
        200,
        &json!({ "primaryKey": service.primary, "secondaryKey": service.secondary }),
    )
}

pub(crate) fn list_keys(call: Call<'_>) -> Reply {
    let name = call.name("service");
    call.no_body()?;
    Ok(keys(with_keys(&call, name)?))
}

pub(crate) fn regenerate(mut call: Call<'_>) -> Reply {
    let name = call.name("service");
    let body = members::check(&call.request.body, schema::REGENERATE)?;
    let secondary = match body.get("keyType").and_then(Value::as_str) {
        Some("Primary") => false,
        Some("Secondary") => true,
        _ => {
            return Err(ArmError::bad_request(
                "'keyType' must be Primary or Secondary.",
            ));
        }
    };
    idle(with_keys(&call, name)?)?;
    let key = match body.get("keyValue").and_then(Value::as_str) {
        Some(key) if key.trim().is_empty() => {
            return Err(ArmError::bad_request("'keyValue' must not be empty."));
        }
        Some(key) => key.to_owned(),
        None => call.state.service_key(),
    };
    if !call.config.services.regenerates_at_once {
        return Ok(call.start(name, Task::Regenerate { secondary, key }));
    }
    if let Some(service) = call.state.services.get_mut(name) {
        if secondary {
            service.secondary = key;
        } else {
            service.primary = key;
        }
    }
    Ok(keys(call.service(name)?))
}

pub(crate) fn token(call: Call<'_>) -> Reply {
    let name = call.name("service");
    call.no_body()?;
    if !call.service(name)?.flag("aadAuthEnabled") {
        return Err(ArmError::new(
            400,
            "TokenAuthNotEnabled",
            format!("Authentication by token is not enabled for the service '{name}'."),
        ));
    }
    Ok(Answer::json(
        201,
        &call.state.service_token(call.config, name),
    ))
}

pub(crate) fn logs(call: Call<'_>) -> Reply {
    let name = call.name("service");
    let tail = call.number("tail")?;
    let service = call.service(name)?;
    let log = call.state.services.log(service, call.flag("init")?);
    let skip = tail.map_or(0, |tail| log.lines().count().saturating_sub(tail));
    let content: String = log.split_inclusive('\n').skip(skip).collect();
    Ok(Answer::json(200, &json!({ "content": content })))
}
