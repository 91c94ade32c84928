//! Assets: what a model's URL points to, and what points to artifacts.

use serde_json::{Value, json};

use crate::emulator::artifacts::store::Place;
use crate::emulator::call::{Call, check_name, listed};
use crate::emulator::error::ArmError;
use crate::emulator::http::Answer;
use crate::emulator::members::{self, Kind, Member};
use crate::emulator::models::store::{has_all, shown};
use crate::emulator::routes::{Reply, not_allowed, unsupported_route};

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

pub(crate) fn serve(call: Call<'_>, names: &[String]) -> Reply {
    match (call.request.method.as_str(), names) {
        ("POST", []) => create(call),
        ("GET", []) => list(&call),
        ("GET", [id]) => {
            call.only_parameters(&[])?;
            match call.state.store.assets.get(id) {
                Some(asset) => Ok(Answer::json(200, &shown(asset))),
                None => Err(ArmError::new(
                    404,
                    "AssetNotFound",
                    format!("The asset with id {id} was not found."),
                )),
            }
        }
        ("DELETE", [id]) => {
            call.only_parameters(&[])?;
            let was_there = call.state.store.assets.remove(id);
            Ok(Answer::empty(if was_there { 200 } else { 204 }))
        }
        (_, [] | [_]) => Err(not_allowed(call.request)),
        _ => Err(unsupported_route(call.request)),
    }
}

fn create(call: Call<'_>) -> Reply {
    call.only_parameters(&[])?;
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
        if Place::of_id(id).is_none() {
            return Err(ArmError::bad_request(format!(
                "'{id}' does not name an artifact: it must be {{origin}}/{{container}}/{{path}}."
            )));
        }
    }
    asset["id"] = json!(call.state.uuid().replace('-', ""));
    asset["createdTime"] = json!(call.now());
    let answer = Answer::json(200, &shown(&asset));
    call.state.store.assets.documents.push(asset);
    Ok(answer)
}

fn list(call: &Call<'_>) -> Reply {
    call.only_parameters(&[
        "runId",
        "name",
        "count",
        TOKEN,
        "tags",
        "properties",
        "orderby",
    ])?;
    let wanted = |name: &str| call.request.parameter(name);
    let (run, name) = (wanted("runId"), wanted("name"));
    let (tags, properties) = (wanted("tags"), wanted("properties"));
    let fits = |asset: &&Value| {
        run.as_ref().is_none_or(|run| asset["runid"] == **run)
            && name.as_ref().is_none_or(|name| asset["name"] == **name)
            && tags
                .as_ref()
                .is_none_or(|tags| has_all(&asset["kvTags"], tags))
            && properties
                .as_ref()
                .is_none_or(|properties| has_all(&asset["properties"], properties))
    };
    let mut found: Vec<&Value> = call
        .state
        .store
        .assets
        .documents
        .iter()
        .filter(fits)
        .collect();
    match wanted("orderby").as_deref() {
        None | Some("CreatedAtDesc") => found.reverse(),
        Some("CreatedAtAsc") => {}
        Some(other) => {
            return Err(ArmError::unsupported(format!(
                "Assets cannot be ordered by '{other}'."
            )));
        }
    }
    let (page, next) = call.page(found, TOKEN, call.number("count")?)?;
    let next = next.map(|next| call.next_link(TOKEN, &next));
    Ok(listed(page.into_iter().map(shown).collect(), next))
}
