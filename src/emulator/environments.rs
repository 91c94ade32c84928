//! Environments: registering, reading by version or label, listing.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::call::{Call, check_name, read_json};
use super::error::{ArmError, require};
use super::http::Answer;
use super::members::{self, Kind, Member};
use super::routes::Reply;

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

/// The parameter by which `azureml-core` gets the next page of a list.
const TOKEN: &str = "continuation";

/// The label that is always there.
const LATEST: &str = "latest";

pub(crate) fn latest(call: Call<'_>) -> Reply {
    let name = call.name("name");
    let found = call.state.store.environments.latest(name);
    show(found, name, "any version")
}

pub(crate) fn version(call: Call<'_>) -> Reply {
    let (name, version) = (call.name("name"), call.name("version"));
    let found = call.state.store.environments.version(name, version);
    show(found, name, &format!("version '{version}'"))
}

pub(crate) fn labelled(call: Call<'_>) -> Reply {
    let (name, label) = (call.name("name"), call.name("label"));
    let environments = &call.state.store.environments;
    let found = match environments.labelled(name, label) {
        None if label.eq_ignore_ascii_case(LATEST) => environments.latest(name),
        found => found,
    };
    show(found, name, &format!("label '{label}'"))
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

pub(crate) fn register(call: Call<'_>) -> Reply {
    let (name, version) = (call.name("name"), call.name("version"));
    let version = Some(version).filter(|version| !version.is_empty());
    check_name("environment", name)?;
    let begins_with = |reserved: &&str| {
        let start = name.get(..reserved.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(reserved))
    };
    require(
        !RESERVED.iter().any(begins_with),
        format!(
            "The environment name '{name}' is reserved: it must not begin with {}.",
            RESERVED.join(" or ")
        ),
    )?;
    if let Some(version) = version {
        check_name("environment version", version)?;
    }
    let mut given = document(&call.request.body)?;
    for (key, expected) in [("name", Some(name)), ("version", version)] {
        let removed = given.remove(key);
        require(
            removed.is_none_or(|removed| removed.as_str() == expected),
            format!("The {key} in the body is not the one in the path."),
        )?;
    }
    let sections = ["python", "docker", "spark"];
    require(
        sections.iter().any(|section| given.contains_key(*section)),
        "An environment needs a section: python, docker or spark.",
    )?;
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

/// The body with keys as the answer has them: a small letter first.
fn document(body: &[u8]) -> Result<Map<String, Value>, ArmError> {
    let body = read_json(body)?;
    let body = body
        .as_object()
        .ok_or_else(|| ArmError::bad_request("The body is not a JSON object."))?;
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
    members::object("", &small, ENVIRONMENT, members::EVERY_VERSION)
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

pub(crate) fn label(call: Call<'_>) -> Reply {
    let (name, version) = (call.name("name"), call.name("version"));
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

pub(crate) fn list(call: Call<'_>) -> Reply {
    let all = call.state.store.environments.all();
    let (page, next) = call.page(all, TOKEN, None)?;
    let value: Vec<&Value> = page.iter().map(|version| &version.document).collect();
    let mut body = json!({ "value": value });
    if let Some(next) = next {
        body["continuationToken"] = json!(next);
    }
    Ok(Answer::json(200, &body))
}

/// One version of an environment.
#[derive(Clone, Debug)]
struct Version {
    version: String,
    document: Value,
    labels: Vec<String>,
}

/// Every environment by its name, its versions in the order in which they were made.
#[derive(Debug)]
pub(crate) struct Environments {
    named: BTreeMap<String, Vec<Version>>,
}

impl Default for Environments {
    /// A few of those that the service curates, with little in them.
    fn default() -> Self {
        let mut environments = Self {
            named: BTreeMap::new(),
        };
        for (name, versions, packages) in [
            ("AzureML-Minimal", 3, &["azureml-defaults"][..]),
            (
                "AzureML-Scikit-learn-0.20.3",
                1,
                &["azureml-defaults", "scikit-learn==0.20.3"],
            ),
            (
                "AzureML-TensorFlow-2.2-CPU",
                1,
                &["azureml-defaults", "tensorflow==2.2"],
            ),
        ] {
            for version in 1..=versions {
                environments.add(name, &version.to_string(), curated(packages));
            }
        }
        environments
    }
}

fn curated(packages: &[&str]) -> Value {
    json!({
        "environmentVariables": { "EXAMPLE_ENV_VAR": "EXAMPLE_VALUE" },
        "python": {
            "interpreterPath": "python",
            "userManagedDependencies": false,
            "condaDependencies": {
                "name": "azureml_emulated",
                "channels": ["conda-forge"],
                "dependencies": ["python=3.8", { "pip": packages }],
            },
        },
        "docker": {
            "enabled": false,
            "baseImage": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04",
            "sharedVolumes": true,
            "arguments": [],
        },
        "spark": { "repositories": [], "packages": [], "precachePackages": true },
    })
}

impl Environments {
    fn versions(&self, name: &str) -> &[Version] {
        self.named.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    fn version(&self, name: &str, version: &str) -> Option<&Version> {
        self.versions(name).iter().find(|v| v.version == version)
    }

    /// The one that was made last.
    fn latest(&self, name: &str) -> Option<&Version> {
        self.versions(name).last()
    }

    fn labelled(&self, name: &str, label: &str) -> Option<&Version> {
        self.versions(name)
            .iter()
            .find(|version| version.labels.iter().any(|known| known == label))
    }

    /// The last version of each, by name.
    fn all(&self) -> impl Iterator<Item = &Version> {
        self.named.values().filter_map(|versions| versions.last())
    }

    /// The number after the largest that is a number.
    fn next_version(&self, name: &str) -> String {
        let largest = self
            .versions(name)
            .iter()
            .filter_map(|version| version.version.parse::<u64>().ok())
            .max();
        largest.unwrap_or_default().saturating_add(1).to_string()
    }

    fn add(&mut self, name: &str, version: &str, mut document: Value) {
        document["name"] = json!(name);
        document["version"] = json!(version);
        self.named
            .entry(name.to_owned())
            .or_default()
            .push(Version {
                version: version.to_owned(),
                document,
                labels: Vec::new(),
            });
    }

    /// Gives these labels to a version, and takes them from the others. False without it.
    fn label(&mut self, name: &str, version: &str, labels: &[String]) -> bool {
        if self.version(name, version).is_none() {
            return false;
        }
        for known in self.named.get_mut(name).into_iter().flatten() {
            if known.version == version {
                known.labels = labels.to_vec();
            } else {
                known.labels.retain(|label| !labels.contains(label));
            }
        }
        true
    }
}
