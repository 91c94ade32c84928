//! Environments: registering, reading by version or label, listing.

use serde_json::{Map, Value, json};

use crate::emulator::call::{Call, check_name};
use crate::emulator::environment_store::Version;
use crate::emulator::error::ArmError;
use crate::emulator::http::Answer;
use crate::emulator::members::{self, Kind, Member};
use crate::emulator::routes::{Reply, get_only, not_allowed, unsupported_route};

/// The keys of the top begin with a capital or not: `azureml-core` sends both kinds.
const ENVIRONMENT: &[Member] = &[
    ("name", Kind::Text),
    ("version", Kind::Text),
    ("environmentVariables", Kind::Tags),
    (
        "python",
        Kind::Object(&[
            ("interpreterPath", Kind::Text),
            ("userManagedDependencies", Kind::Flag),
            ("condaDependencies", Kind::AnyObject),
            ("condaDependenciesFile", Kind::Text),
            ("baseCondaEnvironment", Kind::Text),
        ]),
    ),
    (
        "docker",
        Kind::Object(&[
            ("enabled", Kind::Flag),
            ("baseImage", Kind::Text),
            ("baseDockerfile", Kind::Text),
            ("buildContext", Kind::AnyObject),
            ("sharedVolumes", Kind::Flag),
            ("gpuSupport", Kind::Flag),
            ("shmSize", Kind::Text),
            ("arguments", Kind::Texts),
            (
                "baseImageRegistry",
                Kind::Object(&[
                    ("address", Kind::Text),
                    ("username", Kind::Text),
                    ("password", Kind::Text),
                    ("registryIdentity", Kind::AnyObject),
                ]),
            ),
            (
                "platform",
                Kind::Object(&[("os", Kind::Text), ("architecture", Kind::Text)]),
            ),
        ]),
    ),
    (
        "spark",
        Kind::Object(&[
            ("repositories", Kind::Texts),
            (
                "packages",
                Kind::Objects(&[
                    ("group", Kind::Text),
                    ("artifact", Kind::Text),
                    ("version", Kind::Text),
                ]),
            ),
            ("precachePackages", Kind::Flag),
        ]),
    ),
    ("inferencingStackVersion", Kind::Text),
    ("r", Kind::AnyObject),
];

/// Beginnings of names that are the service's own (the command line's reference).
const RESERVED: [&str; 2] = ["Microsoft", "AzureML"];

const LABELS: &[Member] = &[("Labels", Kind::Texts)];

/// What `azureml-core` sends to get the next page of a list.
const TOKEN: &str = "continuation";

/// The label that is always there.
const LATEST: &str = "latest";

pub(crate) fn serve(call: Call<'_>, names: &[String]) -> Reply {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let method = call.request.method.as_str();
    if names != [""] && !names.is_empty() {
        call.only_parameters(&[])?;
    }
    match (method, &names[..]) {
        (_, [] | [""]) => {
            get_only(call.request)?;
            list(&call)
        }
        ("PUT", [name]) => register(call, name, None),
        ("PUT", [name, "versions", version]) => register(call, name, Some(version)),
        ("PUT", [name, "versions", version, "metadata"]) => label(call, name, version),
        ("GET", [name]) => {
            let found = call.state.store.environments.latest(name);
            show(found, name, "any version")
        }
        ("GET", [name, "versions", version]) => {
            let found = call.state.store.environments.version(name, version);
            show(found, name, &format!("version '{version}'"))
        }
        ("GET", [name, "labels", label]) => {
            let environments = &call.state.store.environments;
            let found = match environments.labelled(name, label) {
                None if label.eq_ignore_ascii_case(LATEST) => environments.latest(name),
                found => found,
            };
            show(found, name, &format!("label '{label}'"))
        }
        (_, [_] | [_, "versions", _] | [_, "versions", _, "metadata"] | [_, "labels", _]) => {
            Err(not_allowed(call.request))
        }
        _ => Err(unsupported_route(call.request)),
    }
}

fn show(found: Option<&Version>, name: &str, which: &str) -> Reply {
    match found {
        Some(version) => Ok(Answer::json(200, &version.document)),
        None => Err(ArmError::new(
            404,
            "EnvironmentNotFound",
            format!("There is no environment '{name}' with {which}."),
        )),
    }
}

fn register(call: Call<'_>, name: &str, version: Option<&str>) -> Reply {
    check_name("environment", name)?;
    if RESERVED
        .iter()
        .any(|reserved| starts_with_ignoring_case(name, reserved))
    {
        return Err(ArmError::bad_request(format!(
            "The environment name '{name}' is reserved: it must not begin with {}.",
            RESERVED.join(" or ")
        )));
    }
    if let Some(version) = version {
        check_name("environment version", version)?;
    }
    let mut given = document(&call.request.body)?;
    for (key, expected) in [("name", Some(name)), ("version", version)] {
        let said = given.remove(key);
        if said.as_ref().is_some_and(|said| said.as_str() != expected) {
            return Err(ArmError::bad_request(format!(
                "The {key} in the body is not the one in the path."
            )));
        }
    }
    if !["python", "docker", "spark"]
        .iter()
        .any(|section| given.contains_key(*section))
    {
        return Err(ArmError::bad_request(
            "An environment needs a section: python, docker or spark.",
        ));
    }
    let given = Value::Object(without_password(given));
    let environments = &mut call.state.store.environments;
    let before = match version {
        Some(version) => environments.version(name, version),
        None => environments.latest(name),
    };
    if let Some(before) = before {
        let mut same = given.clone();
        same["name"] = before.document["name"].clone();
        same["version"] = before.document["version"].clone();
        if same == before.document {
            return Ok(Answer::json(200, &before.document));
        }
        if let Some(version) = version {
            return Err(ArmError::conflict(format!(
                "Version '{version}' of the environment '{name}' exists already and is another."
            )));
        }
    }
    let version = version.map_or_else(|| environments.next_version(name), str::to_owned);
    environments.add(name, &version, given);
    show(environments.version(name, &version), name, &version)
}

fn starts_with_ignoring_case(name: &str, beginning: &str) -> bool {
    name.get(..beginning.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

/// The body with keys as the answer has them: a small letter first.
fn document(body: &[u8]) -> Result<Map<String, Value>, ArmError> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| ArmError::bad_request(format!("The body is no JSON: {error}.")))?;
    let body = body
        .as_object()
        .ok_or_else(|| ArmError::bad_request("The body is no JSON object."))?;
    let mut small = Map::new();
    for (key, value) in body {
        let mut letters = key.chars();
        let first = letters.next().map(|first| first.to_ascii_lowercase());
        let name: String = first.into_iter().chain(letters).collect();
        if small.insert(name, value.clone()).is_some() {
            return Err(ArmError::bad_request(format!(
                "'{key}' is there in two spellings."
            )));
        }
    }
    members::object("", &small, ENVIRONMENT)
}

/// The password of a registry is not kept, so that it cannot be read back.
fn without_password(mut document: Map<String, Value>) -> Map<String, Value> {
    if let Some(registry) = document
        .get_mut("docker")
        .and_then(|docker| docker.get_mut("baseImageRegistry"))
        .and_then(Value::as_object_mut)
    {
        registry.remove("password");
    }
    document
}

fn label(call: Call<'_>, name: &str, version: &str) -> Reply {
    let body = members::check(&call.request.body, LABELS)?;
    let labels: Vec<String> = body
        .get("Labels")
        .and_then(Value::as_array)
        .ok_or_else(|| ArmError::bad_request("'Labels' is missing."))?
        .iter()
        .filter_map(|label| label.as_str().map(str::to_owned))
        .collect();
    let environments = &mut call.state.store.environments;
    if environments.label(name, version, &labels) {
        Ok(Answer::empty(200))
    } else {
        show(None, name, &format!("version '{version}'"))
    }
}

fn list(call: &Call<'_>) -> Reply {
    call.only_parameters(&[TOKEN])?;
    let all = call.state.store.environments.all();
    let (page, next) = call.page(all, TOKEN, None)?;
    let value: Vec<&Value> = page.iter().map(|version| &version.document).collect();
    let mut body = json!({ "value": value });
    if let Some(next) = next {
        body["continuationToken"] = json!(next);
    }
    Ok(Answer::json(200, &body))
}
