//! The image of a service: the files that are uploaded for it, and the part of a request that names them.

use super::{EnvironmentSource, InferenceConfiguration};
use crate::blob::TransferProgress;
use crate::environment::EnvironmentRef;
use crate::error::{Error, ErrorKind, Finding};
use crate::model::{LOCAL_UPLOAD, Uploads};
use crate::transport::{HttpRequest, Sending};
use crate::workspace::{DataPlane, Workspace};
use serde_json::{Map, Value, json};

/// The part of a request, and the warnings about it.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) request: Value,
    pub(super) warnings: Vec<Finding>,
}

/// Makes the part without code: the service has an image for the model's framework.
pub(super) fn without_code(model: &str) -> Image {
    Image {
        request: json!({ "modelIds": [model] }),
        warnings: Vec::new(),
    }
}

/// Packs and uploads the files that the configuration names, and reads the environment that it refers to.
pub(super) async fn of(
    workspace: &Workspace,
    plane: &DataPlane,
    inference: &InferenceConfiguration,
    models: &[String],
    service: &str,
) -> Result<Image, Error> {
    // Both first, so that an error in either of them is found before anything is uploaded.
    let (package, environment) = futures::try_join!(
        inference.package(),
        environment(plane, inference.environment(), service)
    )?;
    // Of these files and no others: deployed again, they are there.
    let container = package.container();
    let urls: Vec<String> = package
        .files
        .iter()
        .map(|file| format!("aml://artifact/{LOCAL_UPLOAD}/{container}/{}", file.name))
        .collect();
    let files = package
        .files
        .iter()
        .map(|file| (file.name.clone(), file.content.clone()));
    let quiet = |_: TransferProgress| {};
    Uploads::new(workspace, plane, &container)
        .send(files.collect(), &quiet)
        .await?;
    Ok(Image {
        request: package.environment_image_request(&urls, models, environment),
        warnings: package.warnings,
    })
}

async fn environment(
    plane: &DataPlane,
    source: Option<&EnvironmentSource>,
    service: &str,
) -> Result<Option<Value>, Error> {
    match source {
        None => Ok(None),
        Some(EnvironmentSource::Definition(environment)) => Ok(Some(environment.value(service))),
        Some(EnvironmentSource::Registered(reference)) => registered(plane, reference)
            .await
            .map(Some)
            .map_err(|error| {
                error.with_context(|| format!("read environment {:?}", reference.name()))
            }),
    }
}

async fn registered(plane: &DataPlane, reference: &EnvironmentRef) -> Result<Value, Error> {
    let segments = reference.segments();
    // The first one is the collection, which stands in the base already.
    let url = plane.environments(segments.get(1..).unwrap_or_default());
    let request = HttpRequest::get(url);
    let document: Value = plane.client().decoded(&request, Sending::Retried).await?;
    let Value::Object(document) = document else {
        return Err(Error::new(
            ErrorKind::Protocol,
            "the answer is not an environment",
        ));
    };
    Ok(Value::Object(spelled(document, SECTIONS)))
}

/// The members of an environment whose own members are spelled in one way as well. Variables and
/// conda dependencies are the user's own words.
const SECTIONS: &[&str] = &["python", "docker", "spark", "baseImageRegistry"];

/// The environment service writes some of its keys with a capital (wire.md); a request for an image has
/// them in camel case. A `null` counts as not set.
fn spelled(document: Map<String, Value>, sections: &[&str]) -> Map<String, Value> {
    let members = document.into_iter().filter(|(_, value)| !value.is_null());
    members
        .map(|(key, value)| {
            let mut letters = key.chars();
            let key = letters.next().map_or_else(String::new, |first| {
                first.to_ascii_lowercase().to_string() + letters.as_str()
            });
            let value = match value {
                Value::Object(inner) if sections.contains(&key.as_str()) => {
                    Value::Object(spelled(inner, sections))
                }
                value => value,
            };
            (key, value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_registered_environment_are_spelled_as_a_request_has_them() {
        let document = json!({
            "Name": "e", "Version": "3", "R": null,
            "EnvironmentVariables": { "Upper": "1" },
            "python": { "UserManagedDependencies": false,
                        "condaDependencies": { "Name": "p", "dependencies": ["x"] } },
            "Docker": { "BaseImage": "i", "baseImageRegistry": { "Address": "a", "username": null } },
            "InferencingStackVersion": "latest",
        });
        let Value::Object(document) = document else {
            unreachable!()
        };
        assert_eq!(
            Value::Object(spelled(document, SECTIONS)),
            json!({
                "name": "e", "version": "3",
                "environmentVariables": { "Upper": "1" },
                "python": { "userManagedDependencies": false,
                            "condaDependencies": { "Name": "p", "dependencies": ["x"] } },
                "docker": { "baseImage": "i", "baseImageRegistry": { "address": "a" } },
                "inferencingStackVersion": "latest",
            })
        );
    }
}
