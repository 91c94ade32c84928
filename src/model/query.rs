//! Finding models.

use super::Model;
use crate::error::Error;
use crate::model::ModelResource;
use crate::names::ModelName;
use crate::rules::{self, Findings};
use crate::transport::{List, own_pages, own_pages_of};
use crate::workspace::Workspace;
use futures::{StreamExt, TryStreamExt};
use std::collections::BTreeMap;

/// The filter of a list of models; by default all, newest first.
///
/// ```
/// use azureml_aks::ModelQuery;
///
/// let query = ModelQuery::new().framework("ScikitLearn").tag("area", "digits").latest_only();
/// # let _ = query;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct ModelQuery {
    name: Option<String>,
    framework: Option<String>,
    description: Option<String>,
    run_id: Option<String>,
    dataset_id: Option<String>,
    tags: BTreeMap<String, Option<String>>,
    properties: BTreeMap<String, Option<String>>,
    latest_only: bool,
    page_size: Option<u32>,
}

impl ModelQuery {
    /// Selects all models.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects versions of this name.
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        self.name = Some(name.as_ref().to_owned());
        self
    }

    /// Selects models of this framework.
    pub fn framework(mut self, framework: impl Into<String>) -> Self {
        self.framework = Some(framework.into());
        self
    }

    /// Selects models with this description.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Selects models that this run made.
    pub fn run_id(mut self, run_id: impl Into<String>) -> Self {
        self.run_id = Some(run_id.into());
        self
    }

    /// Selects models that name the dataset of this id.
    pub fn dataset_id(mut self, dataset_id: impl Into<String>) -> Self {
        self.dataset_id = Some(dataset_id.into());
        self
    }

    /// Selects models with a tag of this value. Further tags narrow it down.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), Some(value.into()));
        self
    }

    /// Selects models with a tag of this name, whatever its value.
    pub fn has_tag(mut self, name: impl Into<String>) -> Self {
        self.tags.insert(name.into(), None);
        self
    }

    /// Selects models with a property of this value. Further properties narrow it down.
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(name.into(), Some(value.into()));
        self
    }

    /// Selects models with a property of this name, whatever its value.
    pub fn has_property(mut self, name: impl Into<String>) -> Self {
        self.properties.insert(name.into(), None);
        self
    }

    /// Selects only the latest version of each name.
    pub fn latest_only(mut self) -> Self {
        self.latest_only = true;
        self
    }

    /// Sets the number of models on a page; by default the service chooses.
    pub fn page_size(mut self, models: u32) -> Self {
        self.page_size = Some(models);
        self
    }

    fn parameters(&self) -> Result<Vec<(&'static str, String)>, Error> {
        let mut findings = Findings::default();
        let mut found = vec![("orderBy", "CreatedAtDesc".to_owned())];
        let mut say = |name, value: Option<String>| found.extend(value.map(|value| (name, value)));
        say("name", self.name.clone());
        say("framework", self.framework.clone());
        say("description", self.description.clone());
        say("runId", self.run_id.clone());
        say("datasetId", self.dataset_id.clone());
        say("tags", pairs("tags", &self.tags, &mut findings));
        let properties = pairs("properties", &self.properties, &mut findings);
        say("properties", properties);
        say(
            "latestVersionOnly",
            self.latest_only.then(|| "true".to_owned()),
        );
        say("count", self.page_size.map(|size| size.to_string()));
        findings.finish("list of models")?;
        Ok(found)
    }
}

/// Writes `key,key=value`, as the description has it. It has no way to escape a comma, or the sign in a key: those
/// would ask another question, and are refused.
pub(crate) fn pairs(
    path: &'static str,
    pairs: &BTreeMap<String, Option<String>>,
    findings: &mut Findings,
) -> Option<String> {
    for (name, value) in pairs {
        let value = value.as_deref().unwrap_or_default();
        if name.is_empty() || name.contains([',', '=']) || value.contains(',') {
            findings.refuse(
                rules::QUERY_PAIR,
                format!("{path}/{name}"),
                Some(value).filter(|value| !value.is_empty()),
                "the request has no way to write this: commas divide its filters, and `=` ends a name",
                "leave out this filter, and check the names and values of what is listed",
            );
        }
    }
    let texts = pairs.iter().map(|(name, value)| match value {
        Some(value) => format!("{name}={value}"),
        None => name.clone(),
    });
    let texts: Vec<String> = texts.collect();
    (!texts.is_empty()).then(|| texts.join(","))
}

pub(super) fn list(workspace: Workspace, query: ModelQuery) -> List<Model> {
    let owner = workspace.clone();
    let begin = move || {
        let (workspace, parameters) = (workspace.clone(), query.parameters());
        async move {
            let plane = workspace.data_plane().await?;
            let mut url = plane.model_management(&["models"]);
            url.query_pairs_mut().extend_pairs(parameters?);
            Ok((plane.client().clone(), url))
        }
    };
    own_pages_of::<ModelResource, _>(begin)
        .convert(move |resource| Model::found(owner.clone(), resource?))
}

/// Returns the newest version of a name, if there is one.
pub(super) async fn newest(
    workspace: &Workspace,
    name: &ModelName,
) -> Result<Option<ModelResource>, Error> {
    let plane = workspace.data_plane().await?;
    let mut url = plane.model_management(&["models"]);
    url.query_pairs_mut()
        .append_pair("name", name.as_str())
        .append_pair("orderBy", "CreatedAtDesc")
        .append_pair("latestVersionOnly", "true");
    let found: Vec<ModelResource> = own_pages(plane.client().clone(), url)
        // A name is all that is asked for, and one version of it shown; a service that shows all of them
        // is read as far as one page.
        .take(100)
        .try_collect()
        .await?;
    Ok(found
        .into_iter()
        .filter(|model| model.name == name.as_str())
        .max_by_key(|model| model.version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_written_as_the_description_has_them() {
        let query = ModelQuery::new()
            .name("m")
            .tag("a", "b")
            .has_tag("c")
            .property("p", "q")
            .latest_only()
            .page_size(7);
        assert_eq!(
            query.parameters().unwrap(),
            [
                ("orderBy", "CreatedAtDesc"),
                ("name", "m"),
                ("tags", "a=b,c"),
                ("properties", "p=q"),
                ("latestVersionOnly", "true"),
                ("count", "7"),
            ]
            .map(|(name, value)| (name, value.to_owned()))
        );
    }

    #[test]
    fn filters_that_cannot_be_written_are_refused_together() {
        let query = ModelQuery::new()
            .tag("a", "b=c")
            .tag("one", "x,y")
            .has_tag("two,three")
            .property("=", "x")
            .has_property("");
        let error = query.parameters().unwrap_err();
        let places: Vec<&str> = error
            .findings()
            .iter()
            .map(|found| found.path.as_str())
            .collect();
        assert_eq!(
            places,
            ["tags/one", "tags/two,three", "properties/", "properties/="]
        );
    }
}
