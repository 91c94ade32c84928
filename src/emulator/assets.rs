//! Assets: what a model's URL points to, and what points to artifacts.

use serde_json::{Value, json};

use super::artifacts::Place;
use super::call::{Call, check_name, ordered};
use super::error::{ArmError, require};
use super::http::Answer;
use super::members::{self, Kind, Member};
use super::models::{has_all, shown};
use super::routes::Reply;

const ASSET: &[Member] = &[
    ("name", Kind::Text),
    ("description", Kind::Text),
    (
        "artifacts",
        Kind::Objects(&[("id", Kind::Text), ("prefix", Kind::Text)]),
    ),
    ("kvTags", Kind::Tags),
    ("properties", Kind::Tags),
    ("runid", Kind::Text),
    ("meta", Kind::Tags),
];

const TOKEN: &str = "$skipToken";

pub(crate) const FILTERS: &[&str] = &[
    "runId",
    "name",
    "count",
    TOKEN,
    "tags",
    "properties",
    "orderby",
];

/// Documents in the order in which they were made.
#[derive(Debug, Default)]
pub(crate) struct Assets(Vec<Value>);

impl Assets {
    pub(crate) fn get(&self, id: &str) -> Option<&Value> {
        self.0.iter().find(|asset| asset["id"] == id)
    }
}

pub(crate) fn get(call: Call<'_>) -> Reply {
    let id = call.name("asset");
    let asset = call.state.store.assets.get(id).ok_or_else(|| {
        let message = format!("The asset with id {id} was not found.");
        ArmError::new(404, "AssetNotFound", message)
    })?;
    Ok(Answer::json(200, &shown(asset)))
}

pub(crate) fn delete(call: Call<'_>) -> Reply {
    let (id, assets) = (call.name("asset"), &mut call.state.store.assets.0);
    let before = assets.len();
    assets.retain(|asset| asset["id"] != id);
    Ok(Answer::empty(if assets.len() < before { 200 } else { 204 }))
}

pub(crate) fn create(call: Call<'_>) -> Reply {
    let mut asset = Value::Object(members::check(&call.request.body, ASSET)?);
    check_name("asset", asset["name"].as_str().unwrap_or_default())?;
    for artifact in asset["artifacts"].as_array().into_iter().flatten() {
        let id = match (&artifact["id"], &artifact["prefix"]) {
            (Value::String(id), Value::Null) | (Value::Null, Value::String(id)) => id,
            _ => {
                return Err(ArmError::bad_request(
                    "Each of 'artifacts' must have either 'id' or 'prefix'.",
                ));
            }
        };
        require(
            Place::of_id(id).is_some(),
            format!(
                "'{id}' does not name an artifact: it must be {{origin}}/{{container}}/{{path}}."
            ),
        )?;
    }
    asset["id"] = json!(call.state.uuid().replace('-', ""));
    asset["createdTime"] = json!(call.now());
    let answer = Answer::json(200, &shown(&asset));
    call.state.store.assets.0.push(asset);
    Ok(answer)
}

pub(crate) fn list(call: Call<'_>) -> Reply {
    let wanted = |name: &str| call.request.parameter(name);
    let (run, name) = (wanted("runId"), wanted("name"));
    let tags = wanted("tags").unwrap_or_default();
    let properties = wanted("properties").unwrap_or_default();
    let fits = |asset: &&Value| {
        run.as_ref().is_none_or(|run| asset["runid"] == **run)
            && name.as_ref().is_none_or(|name| asset["name"] == **name)
            && has_all(&asset["kvTags"], &tags)
            && has_all(&asset["properties"], &properties)
    };
    let found = call.state.store.assets.0.iter().filter(fits).collect();
    // An asset never changes.
    let found = ordered(found, wanted("orderby").as_deref(), |_| ())?;
    call.listed(found, TOKEN, call.number("count")?, shown)
}
