//! Models: a name with versions, and the metadata of each.

mod patch;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::artifacts::Place;
use super::call::{Call, check_name, ordered};
use super::error::ArmError;
use super::http::Answer;
use super::members::{self, Kind, Member};
use super::patch::apply;
use super::routes::Reply;

const RESOURCES: &[Member] = &[
    ("cpu", Kind::Number),
    ("memoryInGB", Kind::Number),
    ("gpu", Kind::Number),
];

const MODEL: &[Member] = &[
    ("name", Kind::Text),
    ("mimeType", Kind::Text),
    ("url", Kind::Text),
    ("unpack", Kind::Flag),
    ("description", Kind::Text),
    ("framework", Kind::Text),
    ("frameworkVersion", Kind::Text),
    ("kvTags", Kind::Tags),
    ("properties", Kind::Tags),
    ("experimentName", Kind::Text),
    ("runId", Kind::Text),
    ("parentModelId", Kind::Text),
    ("sampleInputData", Kind::Text),
    ("sampleOutputData", Kind::Text),
    ("resourceRequirements", Kind::Object(RESOURCES)),
    (
        "datasets",
        Kind::Objects(&[("name", Kind::Text), ("id", Kind::Text)]),
    ),
];

const ASSET_URL: &str = "aml://asset/";

const TOKEN: &str = "$skipToken";

pub(crate) const FILTERS: &[&str] = &[
    "name",
    "framework",
    "description",
    "count",
    TOKEN,
    "tags",
    "properties",
    "runId",
    "datasetId",
    "orderBy",
    "latestVersionOnly",
];

pub(crate) fn get(call: Call<'_>) -> Reply {
    Ok(Answer::json(200, &shown(find(&call)?)))
}

pub(crate) fn delete(call: Call<'_>) -> Reply {
    // Assumed: a service that uses it keeps what it was deployed with, and is not asked.
    let was_there = call.state.store.models.remove(call.name("model"));
    Ok(Answer::empty(if was_there { 200 } else { 204 }))
}

fn find<'call>(call: &'call Call<'_>) -> Result<&'call Value, ArmError> {
    let id = call.name("model");
    call.state.store.models.get(id).ok_or_else(|| {
        ArmError::new(
            404,
            "ModelNotFound",
            format!("The model with id {id} was not found."),
        )
    })
}

pub(crate) fn register(call: Call<'_>) -> Reply {
    let given = Value::Object(members::check(&call.request.body, MODEL)?);
    let text = |key: &str| {
        given[key]
            .as_str()
            .ok_or_else(|| ArmError::bad_request(format!("'{key}' is missing.")))
    };
    let (name, url) = (text("name")?, text("url")?);
    text("mimeType")?;
    check_name("model", name)?;
    check_uploaded(&call, url)?;
    check_run(&call, &given)?;

    let now = call.now();
    let version = call.state.store.models.next_version(name);
    // Every key: whoever shows a model within a service needs them all (wire.md §5).
    let mut model = json!({
        "id": format!("{name}:{version}"),
        "version": version,
        "createdTime": now,
        "modifiedTime": now,
        "createdBy": { "userName": "emulator" },
        "unpack": false,
        "kvTags": {},
        "properties": {},
        "datasets": [],
    });
    for (key, _) in MODEL {
        if !given[key].is_null() || model[key].is_null() {
            model[key] = given[key].clone();
        }
    }
    let answer = Answer::json(200, &shown(&model));
    call.state.store.models.add(model);
    Ok(answer)
}

/// Refuses a model whose files are not all there: nothing would be left to deploy.
fn check_uploaded(call: &Call<'_>, url: &str) -> Result<(), ArmError> {
    let id = url.strip_prefix(ASSET_URL).ok_or_else(|| {
        ArmError::unsupported(format!(
            "The emulator knows only models whose 'url' begins with {ASSET_URL}, not '{url}'."
        ))
    })?;
    let store = &call.state.store;
    let asset = store.assets.get(id).ok_or_else(|| {
        ArmError::bad_request(format!("The asset '{id}' of the model does not exist."))
    })?;
    let refuse = |what: String| {
        Err(ArmError::bad_request(format!(
            "The asset '{id}' of the model {what}."
        )))
    };
    let artifacts = asset["artifacts"].as_array().map(Vec::as_slice);
    let artifacts = artifacts.unwrap_or_default();
    if artifacts.is_empty() {
        return refuse("has no artifacts".to_owned());
    }
    for artifact in artifacts {
        let exact = artifact["id"].as_str();
        let named = exact.or(artifact["prefix"].as_str()).unwrap_or_default();
        let Some(place) = Place::of_id(named) else {
            continue;
        };
        let found: Vec<&Place> = store
            .artifacts
            .under(&place.origin, &place.container, &place.path)
            .filter(|found| exact.is_none() || **found == place)
            .collect();
        if found.is_empty() {
            return refuse(format!("names '{named}', where there is no artifact"));
        }
        if let Some(missing) = found
            .iter()
            .find(|place| store.blobs.get(&place.id()).is_none())
        {
            return refuse(format!(
                "has the artifact '{}', whose content was never uploaded",
                missing.id()
            ));
        }
    }
    Ok(())
}

/// A run that the emulator knows belongs to one experiment.
fn check_run(call: &Call<'_>, given: &Value) -> Result<(), ArmError> {
    let known = given["runId"]
        .as_str()
        .and_then(|run| call.state.store.artifacts.experiment(run));
    match (known, given["experimentName"].as_str()) {
        (Some(known), Some(other)) if known != other => Err(ArmError::bad_request(format!(
            "The run {} belongs to the experiment '{known}', not '{other}'.",
            given["runId"]
        ))),
        _ => Ok(()),
    }
}

pub(crate) fn list(call: Call<'_>) -> Reply {
    let wanted = |name: &str| call.request.parameter(name);
    let exact: Vec<(&str, String)> = ["name", "framework", "description", "runId"]
        .into_iter()
        .filter_map(|key| Some((key, wanted(key)?)))
        .collect();
    let tags = wanted("tags").unwrap_or_default();
    let properties = wanted("properties").unwrap_or_default();
    let dataset = wanted("datasetId");
    let latest_only = call.flag("latestVersionOnly")?;
    let models = &call.state.store.models;
    let fits = |model: &Value| {
        exact.iter().all(|(key, value)| model[key] == **value)
            && has_all(&model["kvTags"], &tags)
            && has_all(&model["properties"], &properties)
            && dataset.as_ref().is_none_or(|id| {
                let datasets = model["datasets"].as_array();
                datasets.is_some_and(|all| all.iter().any(|dataset| dataset["id"] == **id))
            })
            && (!latest_only || models.is_latest(model))
    };
    let found = models.models.iter();
    let found = found.filter(|model| fits(&model.document)).collect();
    let found = ordered(found, wanted("orderBy").as_deref(), |model: &&Model| {
        model.touched
    })?;
    call.listed(found, TOKEN, call.number("count")?, |model| {
        shown(&model.document)
    })
}

pub(crate) fn change(call: Call<'_>) -> Reply {
    let model = find(&call)?;
    call.is_patch()?;
    let mut model = apply(model, &call.body()?, patch::step)?;
    model["modifiedTime"] = json!(call.now());
    let answer = Answer::json(200, &shown(&model));
    call.state.store.models.replace(model);
    Ok(answer)
}

/// A model with every key that it ever shows, `null` where there is nothing.
#[derive(Clone, Debug)]
struct Model {
    document: Value,
    /// When it was changed last, as a number that grows: two changes may fall into one moment.
    touched: u64,
}

/// Models in the order in which they were registered.
#[derive(Debug, Default)]
pub(crate) struct Models {
    models: Vec<Model>,
    /// The last version given for a name. It is kept when the model is deleted, so that no version
    /// comes twice.
    versions: BTreeMap<String, u64>,
    touched: u64,
}

impl Models {
    pub(crate) fn get(&self, id: &str) -> Option<&Value> {
        self.models
            .iter()
            .map(|model| &model.document)
            .find(|document| document["id"] == id)
    }

    fn next_version(&mut self, name: &str) -> u64 {
        let version = self.versions.entry(name.to_owned()).or_default();
        *version += 1;
        *version
    }

    /// Whether no later version of its name is there.
    fn is_latest(&self, model: &Value) -> bool {
        !self.models.iter().any(|Model { document, .. }| {
            document["name"] == model["name"]
                && document["version"].as_u64() > model["version"].as_u64()
        })
    }

    fn add(&mut self, document: Value) {
        self.touched += 1;
        self.models.push(Model {
            document,
            touched: self.touched,
        });
    }

    /// Puts a changed document in the place of the one with its id.
    fn replace(&mut self, document: Value) {
        self.touched += 1;
        let touched = self.touched;
        if let Some(model) = self
            .models
            .iter_mut()
            .find(|model| model.document["id"] == document["id"])
        {
            *model = Model { document, touched };
        }
    }

    /// Whether there was one to remove.
    fn remove(&mut self, id: &str) -> bool {
        let before = self.models.len();
        self.models.retain(|model| model.document["id"] != id);
        self.models.len() < before
    }
}

/// Whether a map has what a query asks for: `key,key=value`, all of it.
pub(crate) fn has_all(map: &Value, query: &str) -> bool {
    query
        .split(',')
        .filter(|part| !part.is_empty())
        .all(|part| match part.split_once('=') {
            Some((key, value)) => map[key] == value,
            None => map.get(part).is_some(),
        })
}

/// The document without what is `null`, as the routes of models and assets show it.
pub(crate) fn shown(document: &Value) -> Value {
    let map: Map<String, Value> = document
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    Value::Object(map)
}
