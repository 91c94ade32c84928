//! Artifacts, in the spelling of `azureml-core` (`artifacts/{what}/{origin}/{container}/{path}`) and
//! in that of the published description (`artifacts/{origin}/{container}/{what}?path=`).

pub(crate) mod blob_store;
pub(crate) mod blobs;
pub(crate) mod sas;
pub(crate) mod store;

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::emulator::artifacts::store::Place;
use crate::emulator::call::Call;
use crate::emulator::error::ArmError;
use crate::emulator::http::{Answer, BLOB_CONTAINER, percent_encode_path};
use crate::emulator::members::{self, Kind, Member};
use crate::emulator::routes::{Reply, get_only, not_allowed, unsupported_route};

/// The most paths that one request may ask for (`azureml-core` sends at most so many).
const MOST_PATHS: usize = 50;

/// Origins, as the description lists them.
const ORIGINS: [&str; 7] = [
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

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Names for blobs that are to be written.
    BatchMetadata,
    Metadata,
    ContentInfo,
    Write,
    PrefixContentInfo,
    List,
}

impl What {
    fn of(words: &[&str]) -> Option<Self> {
        match words {
            ["batch", "metadata"] => Some(Self::BatchMetadata),
            ["metadata"] => Some(Self::Metadata),
            ["contentinfo"] => Some(Self::ContentInfo),
            ["write"] => Some(Self::Write),
            ["prefix", "contentinfo"] => Some(Self::PrefixContentInfo),
            [] => Some(Self::List),
            _ => None,
        }
    }
}

pub(crate) fn serve(call: Call<'_>, names: &[String]) -> Reply {
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    let is_origin = |word: &&str| ORIGINS.contains(word);
    let Some(at) = words.iter().take(3).position(is_origin) else {
        return Err(unsupported_route(call.request));
    };
    let (before, rest) = words.split_at(at);
    let [origin, container, rest @ ..] = rest else {
        return Err(unsupported_route(call.request));
    };
    // Words before the origin: the path follows. Words after the container, and none before: the
    // description's spelling, unless they are a path to list.
    let described = before.is_empty().then(|| What::of(rest)).flatten();
    let (what, path) = match described {
        Some(what) => (what, call.request.parameter("path").unwrap_or_default()),
        None => match What::of(before) {
            Some(what) => (what, rest.join("/")),
            None => return Err(unsupported_route(call.request)),
        },
    };
    let path_parameter = if described.is_some() { "path" } else { TOKEN };
    let place = Place::new(origin, container, &path);
    match what {
        What::BatchMetadata => {
            call.only_parameters(&[])?;
            if call.request.method != "POST" {
                return Err(not_allowed(call.request));
            }
            create_empty(call, &place)
        }
        What::PrefixContentInfo | What::List => {
            get_only(call.request)?;
            call.only_parameters(&[TOKEN, path_parameter])?;
            list(&call, what, &place)
        }
        What::Metadata | What::ContentInfo | What::Write => {
            get_only(call.request)?;
            call.only_parameters(&[path_parameter])?;
            one(&call, what, &place)
        }
    }
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

/// Makes artifacts without content, and says where the content of each is to be written.
fn create_empty(call: Call<'_>, container: &Place) -> Reply {
    let body = members::check(&call.request.body, PATHS)?;
    let paths: Vec<&str> = body
        .get("paths")
        .and_then(Value::as_array)
        .map(|paths| paths.iter().map(|path| path["path"].as_str()).collect())
        .and_then(|paths: Option<Vec<&str>>| paths)
        .ok_or_else(|| ArmError::bad_request("'paths' must be a list of objects with 'path'."))?;
    if paths.is_empty() || paths.len() > MOST_PATHS {
        return Err(ArmError::bad_request(format!(
            "'paths' must have 1 to {MOST_PATHS} entries, not {}.",
            paths.len()
        )));
    }
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
                artifacts.insert(path.to_owned(), metadata(&call, &place));
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

fn one(call: &Call<'_>, what: What, place: &Place) -> Reply {
    if call.state.store.artifacts.created(place).is_none() {
        return Err(ArmError::new(
            404,
            "UserError",
            format!("The artifact {} was not found.", place.id()),
        ));
    }
    let shown = match what {
        What::ContentInfo => content(call, place, "r"),
        What::Write => content(call, place, "rw"),
        _ => metadata(call, place),
    };
    Ok(Answer::json(200, &shown))
}

fn list(call: &Call<'_>, what: What, place: &Place) -> Reply {
    // `azureml-core` ends the prefix of a folder with one slash or with two.
    let bare = place.path.trim_end_matches('/');
    let prefix = if bare.len() < place.path.len() && !bare.is_empty() {
        format!("{bare}/")
    } else {
        bare.to_owned()
    };
    let found = call
        .state
        .store
        .artifacts
        .under(&place.origin, &place.container, &prefix);
    let (page, next) = call.page(found, TOKEN, None)?;
    let value: Vec<Value> = page
        .into_iter()
        .map(|place| match what {
            What::List => metadata(call, place),
            _ => content(call, place, "r"),
        })
        .collect();
    let mut body = json!({ "value": value });
    if let Some(next) = next {
        body["nextLink"] = json!(call.next_link(TOKEN, &next));
        body[TOKEN] = json!(next);
    }
    Ok(Answer::json(200, &body))
}

fn metadata(call: &Call<'_>, place: &Place) -> Value {
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
