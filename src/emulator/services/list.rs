//! A list of services: filters, order, pages.

use std::time::Duration;

use serde_json::Value;

use super::verbs::flag;
use crate::emulator::call::{Call, listed};
use crate::emulator::error::ArmError;
use crate::emulator::http::Incoming;
use crate::emulator::models::store::has_all;
use crate::emulator::routes::Reply;
use crate::emulator::services::Service;

/// Where the next page begins.
const TOKEN: &str = "$skipToken";

const KNOWN: [&str; 13] = [
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

pub(crate) fn list(call: &Call<'_>) -> Reply {
    let request = call.request;
    call.only_parameters(&KNOWN)?;
    let filter = Filter::read(request)?;
    let expand = flag(request, "expand")?;
    let count = call.number("count")?;
    let mut found: Vec<&Service> = call
        .state
        .services
        .all()
        .iter()
        .filter(|service| filter.takes(service))
        .collect();
    order(&mut found, request.parameter("orderby").as_deref())?;

    let (page, next) = call.page(found, TOKEN, count)?;
    let value: Vec<Value> = page
        .iter()
        .map(|service| call.show(service, expand))
        .collect();
    // Absent, not `null`, on the last page: `azureml-core` would request the null as a URL.
    Ok(listed(value, next.map(|next| call.next_link(TOKEN, &next))))
}

/// Newest first, unless told otherwise.
fn order(services: &mut [&Service], by: Option<&str>) -> Result<(), ArmError> {
    let updated = |service: &Service| service.updated.unwrap_or(service.created);
    let (key, newest_first): (&dyn Fn(&Service) -> Duration, bool) = match by {
        None | Some("CreatedAtDesc") => (&|service| service.created, true),
        Some("CreatedAtAsc") => (&|service| service.created, false),
        Some("UpdatedAtDesc") => (&updated, true),
        Some("UpdatedAtAsc") => (&updated, false),
        Some(other) => {
            return Err(ArmError::bad_request(format!(
                "There is no order '{other}'."
            )));
        }
    };
    // Sorting keeps the order of what is equal: that in which the services were made.
    services.sort_by_key(|service| key(service));
    if newest_first {
        services.reverse();
    }
    Ok(())
}

/// What the query asks for; everything must hold.
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
        if let Some(kind) = &compute_type
            && !COMPUTE_TYPES
                .iter()
                .any(|known| known.eq_ignore_ascii_case(kind))
        {
            return Err(ArmError::bad_request(format!(
                "There is no compute type '{kind}'."
            )));
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
