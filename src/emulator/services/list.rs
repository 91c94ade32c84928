//! A list of services: filters, order, pages.

use super::Service;
use crate::emulator::call::{Call, ordered};
use crate::emulator::error::{ArmError, require};
use crate::emulator::http::Incoming;
use crate::emulator::models::has_all;
use crate::emulator::routes::Reply;

/// Where the next page begins.
const TOKEN: &str = "$skipToken";

pub(crate) const FILTERS: &[&str] = &[
    "imageId",
    "imageName",
    // Not in the description; `azureml-core` can send it.
    "imageDigest",
    "modelId",
    "modelName",
    "name",
    "count",
    "computeType",
    TOKEN,
    "tags",
    "properties",
    "expand",
    "orderby",
];

const COMPUTE_TYPES: [&str; 6] = ["ACI", "AKS", "AMLCOMPUTE", "IOT", "AKSENDPOINT", "UNKNOWN"];

pub(crate) fn list(call: Call<'_>) -> Reply {
    let filter = Filter::read(call.request)?;
    let expand = call.flag("expand")?;
    let all = call.state.services.all().iter();
    let found = all.filter(|service| filter.takes(service)).collect();
    let by = call.request.parameter("orderby");
    let found = ordered(found, by.as_deref(), |service: &&Service| {
        service.updated.unwrap_or(service.created)
    })?;
    call.listed(found, TOKEN, call.number("count")?, |service| {
        call.show(service, expand)
    })
}

/// The conditions of the query; all must hold.
struct Filter {
    compute_type: Option<String>,
    name: Option<String>,
    model_name: Option<String>,
    model_id: Option<String>,
    by_image: bool,
    tags: String,
    properties: String,
}

impl Filter {
    fn read(request: &Incoming) -> Result<Self, ArmError> {
        let compute_type = request.parameter("computeType");
        if let Some(kind) = &compute_type {
            let mut known = COMPUTE_TYPES.iter();
            require(
                known.any(|known| known.eq_ignore_ascii_case(kind)),
                format!("There is no compute type '{kind}'."),
            )?;
        }
        Ok(Self {
            compute_type,
            name: request.parameter("name"),
            model_name: request.parameter("modelName"),
            model_id: request.parameter("modelId"),
            by_image: ["imageId", "imageName", "imageDigest"]
                .iter()
                .any(|key| request.parameter(key).is_some()),
            tags: request.parameter("tags").unwrap_or_default(),
            properties: request.parameter("properties").unwrap_or_default(),
        })
    }

    fn takes(&self, service: &Service) -> bool {
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == value)
        };
        let a_model = |wanted: &Option<String>, of: fn(&str) -> &str| {
            wanted
                .as_deref()
                .is_none_or(|wanted| service.model_ids().any(|id| of(id) == wanted))
        };
        // Services are made without images here, so that no image leads to one.
        !self.by_image
            && self
                .compute_type
                .as_deref()
                .is_none_or(|kind| kind.eq_ignore_ascii_case("AKS"))
            && is(&self.name, &service.name)
            && a_model(&self.model_id, |id| id)
            && a_model(&self.model_name, |id| {
                id.rsplit_once(':').map_or(id, |(name, _)| name)
            })
            && has_all(&service.document["kvTags"], &self.tags)
            && has_all(&service.document["properties"], &self.properties)
    }
}
