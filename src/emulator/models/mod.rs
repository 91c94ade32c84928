//! Models: a name with versions, and what is said of each.

mod patch;
pub(crate) mod store;

use serde_json::{Value, json};

use crate::emulator::artifacts::store::Place;
use crate::emulator::call::{Call, check_name, listed};
use crate::emulator::error::ArmError;
use crate::emulator::http::Answer;
use crate::emulator::members::{self, Kind, Member};
use crate::emulator::models::store::{Model, has_all, shown};
use crate::emulator::routes::{Reply, not_allowed, unsupported_route};

pub(crate) const RESOURCES: &[Member] = &[
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

pub(crate) fn serve(call: Call<'_>, names: &[String]) -> Reply {
    match (call.request.method.as_str(), names) {
        ("POST", []) => register(call),
        ("GET", []) => list(&call),
        ("GET", [id]) => {
            call.only_parameters(&[])?;
            Ok(Answer::json(200, &shown(find(&call, id)?)))
        }
        ("PATCH", [id]) => change(call, id),
        ("DELETE", [id]) => {
            call.only_parameters(&[])?;
            // Assumed: a service that uses it keeps what it was deployed with, and is not asked.
            let was_there = call.state.store.models.remove(id);
            Ok(Answer::empty(if was_there { 200 } else { 204 }))
        }
        (_, [] | [_]) => Err(not_allowed(call.request)),
        _ => Err(unsupported_route(call.request)),
    }
}

fn find<'call>(call: &'call Call<'_>, id: &str) -> Result<&'call Value, ArmError> {
    call.state.store.models.get(id).ok_or_else(|| {
        ArmError::new(
            404,
            "ModelNotFound",
            format!("The model with id {id} was not found."),
        )
    })
}

fn register(call: Call<'_>) -> Reply {
    call.only_parameters(&[])?;
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

fn list(call: &Call<'_>) -> Reply {
    call.only_parameters(&[
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
    ])?;
    let wanted = |name: &str| call.request.parameter(name);
    let exact: Vec<(&str, String)> = ["name", "framework", "description", "runId"]
        .into_iter()
        .filter_map(|key| Some((key, wanted(key)?)))
        .collect();
    let (tags, properties) = (wanted("tags"), wanted("properties"));
    let dataset = wanted("datasetId");
    let latest_only = match wanted("latestVersionOnly").as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            return Err(ArmError::bad_request(format!(
                "'latestVersionOnly' must be true or false, not '{other}'."
            )));
        }
    };
    let models = &call.state.store.models;
    let fits = |model: &Value| {
        exact.iter().all(|(key, value)| model[key] == **value)
            && tags
                .as_ref()
                .is_none_or(|tags| has_all(&model["kvTags"], tags))
            && properties
                .as_ref()
                .is_none_or(|properties| has_all(&model["properties"], properties))
            && dataset.as_ref().is_none_or(|id| {
                let datasets = model["datasets"].as_array();
                datasets.is_some_and(|all| all.iter().any(|dataset| dataset["id"] == **id))
            })
            && (!latest_only || models.is_latest(model))
    };
    let mut found: Vec<&Model> = models
        .models
        .iter()
        .filter(|model| fits(&model.document))
        .collect();
    // The description's default: the newest first, so that one of a name is its latest.
    match wanted("orderBy").as_deref().unwrap_or("CreatedAtDesc") {
        "CreatedAtDesc" => found.reverse(),
        "CreatedAtAsc" => {}
        "UpdatedAtAsc" => found.sort_by_key(|model| model.touched),
        "UpdatedAtDesc" => found.sort_by_key(|model| std::cmp::Reverse(model.touched)),
        other => {
            return Err(ArmError::bad_request(format!(
                "'orderBy' cannot be '{other}'."
            )));
        }
    }
    let (page, next) = call.page(found, TOKEN, call.number("count")?)?;
    let next = next.map(|next| call.next_link(TOKEN, &next));
    let value = page.into_iter().map(|model| shown(&model.document));
    Ok(listed(value.collect(), next))
}

fn change(call: Call<'_>, id: &str) -> Reply {
    call.only_parameters(&[])?;
    let mut model = find(&call, id)?.clone();
    call.is_patch()?;
    patch::apply(&mut model, &call.request.body)?;
    model["modifiedTime"] = json!(call.now());
    let answer = Answer::json(200, &shown(&model));
    call.state.store.models.replace(model);
    Ok(answer)
}
