//! Finding web services.

use super::AksWebservice;
use super::ServiceResource;
use crate::error::Error;
use crate::model::pairs;
use crate::rules::Findings;
use crate::transport::{List, own_pages_of};
use crate::workspace::Workspace;
use std::collections::BTreeMap;

/// The filter of a list of web services; by default all that run on AKS, newest first.
///
/// ```
/// use azureml_aks::ServiceQuery;
///
/// let query = ServiceQuery::new().model_name("mymodel").tag("team", "vision");
/// # let _ = query;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct ServiceQuery {
    model_name: Option<String>,
    model_id: Option<String>,
    image_id: Option<String>,
    tags: BTreeMap<String, Option<String>>,
    properties: BTreeMap<String, Option<String>>,
    page_size: Option<u32>,
}

impl ServiceQuery {
    /// Selects all web services on AKS.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects services with a model of this name, whatever its version.
    pub fn model_name(mut self, name: impl Into<String>) -> Self {
        self.model_name = Some(name.into());
        self
    }

    /// Selects services with this model: `name:version`.
    pub fn model_id(mut self, id: impl Into<String>) -> Self {
        self.model_id = Some(id.into());
        self
    }

    /// Selects services with this image: `name:version`.
    pub fn image_id(mut self, id: impl Into<String>) -> Self {
        self.image_id = Some(id.into());
        self
    }

    /// Selects services with a tag of this value. Further tags narrow it down.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), Some(value.into()));
        self
    }

    /// Selects services with a tag of this name, whatever its value.
    pub fn has_tag(mut self, name: impl Into<String>) -> Self {
        self.tags.insert(name.into(), None);
        self
    }

    /// Selects services with a property of this value. Further properties narrow it down.
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(name.into(), Some(value.into()));
        self
    }

    /// Selects services with a property of this name, whatever its value.
    pub fn has_property(mut self, name: impl Into<String>) -> Self {
        self.properties.insert(name.into(), None);
        self
    }

    /// Sets the number of services on a page; by default the service chooses.
    pub fn page_size(mut self, services: u32) -> Self {
        self.page_size = Some(services);
        self
    }

    fn parameters(&self) -> Result<Vec<(&'static str, String)>, Error> {
        let mut findings = Findings::default();
        let mut found = vec![
            ("expand", "true".to_owned()),
            ("computeType", "AKS".to_owned()),
            ("orderby", "CreatedAtDesc".to_owned()),
        ];
        let mut say = |name, value: Option<String>| found.extend(value.map(|value| (name, value)));
        say("modelName", self.model_name.clone());
        say("modelId", self.model_id.clone());
        say("imageId", self.image_id.clone());
        say("tags", pairs("tags", &self.tags, &mut findings));
        let properties = pairs("properties", &self.properties, &mut findings);
        say("properties", properties);
        say("count", self.page_size.map(|size| size.to_string()));
        findings.finish("list of web services")?;
        Ok(found)
    }
}

pub(super) fn list(workspace: Workspace, query: ServiceQuery) -> List<AksWebservice> {
    let owner = workspace.clone();
    let begin = move || {
        let (workspace, parameters) = (workspace.clone(), query.parameters());
        async move {
            let plane = workspace.data_plane().await?;
            let mut url = plane.model_management(&["services"]);
            url.query_pairs_mut().extend_pairs(parameters?);
            Ok((plane.client().clone(), url))
        }
    };
    own_pages_of::<ServiceResource, _>(begin)
        .convert(move |resource| AksWebservice::found(owner.clone(), resource?))
}
