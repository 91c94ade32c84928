//! Artifacts, in the spelling of `azureml-core` (`artifacts/{what}/{origin}/{container}/{path}`) and
//! in that of the published description (`artifacts/{origin}/{container}/{what}?path=`).

pub(crate) mod blob_store;
pub(crate) mod blobs;
mod sas;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::call::Call;
use super::error::{ArmError, require};
use super::http::{Answer, BLOB_CONTAINER, percent_encode_path};
use super::members::{self, Kind, Member};
use super::routes::Reply;

/// The most paths that one request may ask for (`azureml-core` sends at most so many).
const MOST_PATHS: usize = 50;

/// Origins, as the description lists them.
pub(crate) const ORIGINS: [&str; 7] = [
    "ExperimentRun",
    "LocalUpload",
    "WebUpload",
    "Dataset",
    "ComputeRecord",
    "Metric",
    "Unknown",
];

const PATHS: &[Member] = &[("paths", Kind::Objects(&[("path", Kind::Text)]))];

/// The token of the next page.
const TOKEN: &str = "continuationToken";

/// The artifact, or the beginning of their paths, that a request names: the path is the rest of the
/// URL, or a parameter in the description's spelling.
fn place(call: &Call<'_>) -> Place {
    let path = call.request.parameter("path");
    let path = path.unwrap_or_else(|| call.name("*").to_owned());
    Place::new(call.name("origin"), call.name("container"), &path)
}

/// Why a path cannot be one of an artifact.
fn flaw(path: &str) -> Option<&'static str> {
    if path.is_empty() {
        Some("is empty")
    } else if path.starts_with('/') || path.ends_with('/') {
        Some("begins or ends with a slash")
    } else if path
        .split('/')
        .any(|part| part.is_empty() || part == "." || part == "..")
    {
        Some("has a part that is empty, '.' or '..'")
    } else {
        None
    }
}

/// Makes artifacts without content, and returns the URL at which to write the content of each.
pub(crate) fn create_empty(call: Call<'_>) -> Reply {
    let container = place(&call);
    let body = members::check(&call.request.body, PATHS)?;
    let paths: Vec<&str> = body
        .get("paths")
        .and_then(Value::as_array)
        .map(|paths| paths.iter().map(|path| path["path"].as_str()).collect())
        .and_then(|paths: Option<Vec<&str>>| paths)
        .ok_or_else(|| ArmError::bad_request("'paths' must be a list of objects with 'path'."))?;
    require(
        (1..=MOST_PATHS).contains(&paths.len()),
        format!(
            "'paths' must have 1 to {MOST_PATHS} entries, not {}.",
            paths.len()
        ),
    )?;
    let (mut artifacts, mut contents, mut errors) = (Map::new(), Map::new(), Map::new());
    let now = call.now();
    for path in paths {
        let place = Place {
            path: path.to_owned(),
            ..container.clone()
        };
        let refusal = match flaw(path) {
            Some(flaw) => Some(format!("The path '{path}' {flaw}.")),
            None if call
                .state
                .store
                .artifacts
                .create(place.clone(), now.clone()) =>
            {
                None
            }
            None => Some(format!(
                "Resource Conflict: ArtifactId {} already exists.",
                place.id()
            )),
        };
        match refusal {
            Some(message) => {
                let error = json!({ "error": { "code": "UserError", "message": message } });
                errors.insert(path.to_owned(), error);
            }
            None => {
                artifacts.insert(path.to_owned(), described(&call, &place));
                contents.insert(path.to_owned(), content(&call, &place, "rw"));
            }
        }
    }
    Ok(Answer::json(
        200,
        &json!({
            "artifacts": artifacts,
            "artifactContentInformation": contents,
            "errors": errors,
        }),
    ))
}

/// The artifact of a request, which must be there.
fn existing(call: &Call<'_>) -> Result<Place, ArmError> {
    let place = place(call);
    if call.state.store.artifacts.created(&place).is_some() {
        return Ok(place);
    }
    let message = format!("The artifact {} was not found.", place.id());
    Err(ArmError::new(404, "UserError", message))
}

pub(crate) fn metadata(call: Call<'_>) -> Reply {
    let place = existing(&call)?;
    Ok(Answer::json(200, &described(&call, &place)))
}

pub(crate) fn to_read(call: Call<'_>) -> Reply {
    let place = existing(&call)?;
    Ok(Answer::json(200, &content(&call, &place, "r")))
}

pub(crate) fn to_write(call: Call<'_>) -> Reply {
    let place = existing(&call)?;
    Ok(Answer::json(200, &content(&call, &place, "rw")))
}

pub(crate) fn list(call: Call<'_>) -> Reply {
    listed(&call, |place| described(&call, place))
}

pub(crate) fn list_to_read(call: Call<'_>) -> Reply {
    listed(&call, |place| content(&call, place, "r"))
}

fn listed(call: &Call<'_>, show: impl Fn(&Place) -> Value) -> Reply {
    let place = place(call);
    // `azureml-core` ends the prefix of a folder with one slash or with two.
    let bare = place.path.trim_end_matches('/');
    let prefix = if bare.len() < place.path.len() && !bare.is_empty() {
        format!("{bare}/")
    } else {
        bare.to_owned()
    };
    let artifacts = &call.state.store.artifacts;
    let found = artifacts.under(&place.origin, &place.container, &prefix);
    let (page, next) = call.page(found, TOKEN, None)?;
    let mut body = json!({ "value": page.into_iter().map(show).collect::<Vec<_>>() });
    if let Some(next) = next {
        body["nextLink"] = json!(call.next_link(TOKEN, &next));
        body[TOKEN] = json!(next);
    }
    Ok(Answer::json(200, &body))
}

fn described(call: &Call<'_>, place: &Place) -> Value {
    let mut shown = json!({
        "artifactId": place.id(),
        "origin": place.origin,
        "container": place.container,
        "path": place.path,
        "createdTime": call.state.store.artifacts.created(place),
    });
    if let Some(blob) = call.state.store.blobs.get(&place.id()) {
        shown["etag"] = json!(blob.etag);
    }
    shown
}

/// Where the content is, with a signature that allows this.
fn content(call: &Call<'_>, place: &Place, permissions: &str) -> Value {
    let id = place.id();
    let lifetime: Duration = call.config.sas;
    let until = call.state.time.now().saturating_add(lifetime);
    let query = sas::query(
        &call.config.workspace_id,
        &id,
        permissions,
        call.state.time.date(until),
    );
    json!({
        "contentUri": format!(
            "{}/{BLOB_CONTAINER}/{}?{query}",
            call.request.blobs,
            percent_encode_path(&id)
        ),
        "origin": place.origin,
        "container": place.container,
        "path": place.path,
    })
}

/// The prefix of the id of an artifact in a URL.
pub(crate) const URL: &str = "aml://artifact/";

/// Where an artifact is: its id is these three, with slashes between.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) origin: String,
    pub(crate) container: String,
    pub(crate) path: String,
}

impl Place {
    pub(crate) fn new(origin: &str, container: &str, path: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            container: container.to_owned(),
            path: path.to_owned(),
        }
    }

    /// From `{origin}/{container}/{path}`.
    pub(crate) fn of_id(id: &str) -> Option<Self> {
        let mut parts = id.splitn(3, '/');
        let (origin, container, path) = (parts.next()?, parts.next()?, parts.next()?);
        (!origin.is_empty() && !container.is_empty() && !path.is_empty())
            .then(|| Self::new(origin, container, path))
    }

    /// Its id, which is the path of its blob too.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}/{}", self.origin, self.container, self.path)
    }
}

/// Every artifact with the time at which it was made, in the order of their ids.
#[derive(Debug, Default)]
pub(crate) struct Artifacts {
    known: BTreeMap<Place, String>,
    /// The experiment of each run whose outputs were put here.
    runs: BTreeMap<String, String>,
}

impl Artifacts {
    pub(crate) fn created(&self, place: &Place) -> Option<&str> {
        self.known.get(place).map(String::as_str)
    }

    /// Makes an artifact; false when it is there already.
    pub(crate) fn create(&mut self, place: Place, now: String) -> bool {
        if self.known.contains_key(&place) {
            return false;
        }
        self.known.insert(place, now);
        true
    }

    /// Those of a container whose path begins so.
    pub(crate) fn under(
        &self,
        origin: &str,
        container: &str,
        prefix: &str,
    ) -> impl Iterator<Item = &Place> {
        self.known.keys().filter(move |place| {
            place.origin == origin && place.container == container && place.path.starts_with(prefix)
        })
    }

    pub(crate) fn add_run(&mut self, run_id: &str, experiment: &str) {
        self.runs.insert(run_id.to_owned(), experiment.to_owned());
    }

    /// The experiment of a run, if it is known.
    pub(crate) fn experiment(&self, run_id: &str) -> Option<&str> {
        self.runs.get(run_id).map(String::as_str)
    }
}
