//! Changing what is noted of a model.

use super::resource::{INPUT_SAMPLE, OUTPUT_SAMPLE, Samples, dataset_url};
use super::{Model, model_url, read};
use crate::error::{Error, Finding};
use crate::model::{ModelResource, ResourceNeeds};
use crate::names::tags::{TagChanges, Tags, pointer_token, tags_value};
use crate::operation::request::{CallOptions, awaitable, call_options};
use crate::rules;
use crate::transport::{HttpRequest, Sending};
use azure_core::http::Method;
use futures::FutureExt;
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;

impl Model {
    /// Changes tags, properties, the description, the resource needs or the sample datasets of this version.
    ///
    /// Returns a request; `.await` sends it. See [`UpdateModel`] for what it sends.
    ///
    /// ```
    /// # async fn update(model: &mut azureml_aks::Model) -> Result<(), azureml_aks::Error> {
    /// model.update().tag("stage", "production").remove_tag("draft").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn update(&mut self) -> UpdateModel<'_> {
        UpdateModel {
            model: self,
            tags: TagChanges::default(),
            properties: Tags::new(),
            description: None,
            needs: None,
            samples: Samples::default(),
            options: CallOptions::default(),
        }
    }
}

/// A request to change a model: what [`Model::update`] returns. `.await` sends it, and the handle shows the
/// model as it is then. It has no resume token: to send it again is harmless.
///
/// Tags are one member of the model, so that a change of one sends all of them: of two changes at
/// the same moment one may undo the other.
///
/// Sends: GET of the model, PATCH of the model.
///
/// # Errors
///
/// [`ErrorKind::Validation`](crate::ErrorKind::Validation) if nothing changes, a property has
/// another value already, or a resource need is not above 0; [`ErrorKind::Service`](crate::ErrorKind::Service) with the service's
/// reason.
///
/// # Cancel safety
///
/// If it is dropped after the PATCH was sent, the change may be made all the same; sending it again is
/// harmless.
#[must_use = "a request sends nothing before it is awaited"]
pub struct UpdateModel<'m> {
    model: &'m mut Model,
    tags: TagChanges,
    properties: Tags,
    description: Option<String>,
    needs: Option<ResourceNeeds>,
    samples: Samples,
    options: CallOptions,
}

impl<'m> UpdateModel<'m> {
    /// Adds a tag, or replaces the tag of that name. The other tags stay.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.single.insert(name.into(), Some(value.into()));
        self
    }

    /// Removes a tag, if there is one of that name. The other tags stay.
    pub fn remove_tag(mut self, name: impl Into<String>) -> Self {
        self.tags.single.insert(name.into(), None);
        self
    }

    /// Adds a property. A property that the model has keeps its value: to add it with another one is
    /// refused.
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(name.into(), value.into());
        self
    }

    /// Sets the description, a free text.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the resources that a deployment without code needs, in place of all that were set.
    pub fn resource_needs(mut self, needs: ResourceNeeds) -> Self {
        self.needs = Some(needs);
        self
    }

    /// Names a registered dataset, by its id, as a sample of what the model takes.
    pub fn sample_input_dataset(mut self, id: impl AsRef<str>) -> Self {
        self.samples.input = Some(dataset_url(id.as_ref()));
        self
    }

    /// Names a registered dataset, by its id, as a sample of what the model returns.
    pub fn sample_output_dataset(mut self, id: impl AsRef<str>) -> Self {
        self.samples.output = Some(dataset_url(id.as_ref()));
        self
    }

    call_options!();

    async fn run(self) -> Result<(), Error> {
        let workspace = self.model.workspace.clone();
        let plane = workspace.data_plane().await?;
        let url = model_url(plane, &self.model.id);
        let current = read(plane, url.clone()).await?;
        let patch = self.patch(&current)?;
        let request = HttpRequest::new(Method::Patch, url)
            .json_patch(&patch)
            .request_id(Some(self.options.request_id()?));
        let changed: ModelResource = plane.client().decoded(&request, Sending::Once).await?;
        self.model.resource = Arc::new(changed);
        Ok(())
    }

    /// Returns the settings as changes of the model as it is.
    fn patch(&self, current: &ModelResource) -> Result<Value, Error> {
        let mut found: Vec<Finding> = Vec::new();
        let mut patch = Vec::new();
        let replace =
            |path: &str, value: Value| json!({ "op": "replace", "path": path, "value": value });
        if let Some(tags) = self.tags.apply(&current.tags)
            && tags != current.tags
        {
            patch.push(replace("/kvTags", tags_value(&tags)));
        }
        for (name, value) in &self.properties {
            match current.properties.get(name) {
                Some(now) if now == value => {}
                Some(now) => found.push(rules::MODEL_PROPERTY.finding(
                    format!("properties.{name}"),
                    Some(value),
                    format!("the model has this property already, with the value {now:?}"),
                    "choose another name for the property, or use a tag",
                )),
                None => patch.push(json!({
                    "op": "add", "path": format!("/properties/{}", pointer_token(name)),
                    "value": value,
                })),
            }
        }
        if let Some(description) = &self.description {
            patch.push(replace("/description", description.as_str().into()));
        }
        if let Some(needs) = self.needs {
            found.extend(needs.broken());
            patch.push(replace("/resourceRequirements", needs.body()));
        }
        for (key, url) in [
            (INPUT_SAMPLE, &self.samples.input),
            (OUTPUT_SAMPLE, &self.samples.output),
        ] {
            if let Some(url) = url {
                patch.push(replace(&format!("/{key}"), url.as_str().into()));
            }
        }
        if patch.is_empty() && found.is_empty() {
            found.push(rules::MODEL_UPDATE_NOTHING.finding(
                "update",
                None,
                "the update changes nothing",
                "set what should change",
            ));
        }
        match found.is_empty() {
            true => Ok(Value::Array(patch)),
            false => Err(Error::validation("model update", found)),
        }
    }
}

awaitable!(['m] UpdateModel<'m> => (), 'm, |request| {
    async move {
        let id = request.model.id.clone();
        let options = request.options.clone();
        let done = options.run(request.run()).await;
        done.map_err(|error| error.with_context(|| format!("update model {id:?}")))
    }
    .boxed()
});

impl fmt::Debug for UpdateModel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpdateModel")
            .field("model", &self.model.id)
            .field("tags", &self.tags)
            .field("properties", &self.properties)
            .finish_non_exhaustive()
    }
}
