//! A list of services: filters, order, pages.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::error::ArmError;
use super::super::http::{Answer, Incoming};
use super::super::services::Service;
use super::services::{Call, flag, number};
use super::{Reply, only_parameters};

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
    "$skipToken",
    "tags",
    "properties",
    "expand",
    "orderby",
];

const COMPUTE_TYPES: [&str; 6] = ["ACI", "AKS", "AMLCOMPUTE", "IOT", "AKSENDPOINT", "UNKNOWN"];

pub(super) fn list(call: &Call<'_>) -> Reply {
    let request = call.request;
    only_parameters(request, &KNOWN)?;
    let filter = Filter::read(request)?;
    let expand = flag(request, "expand")?;
    let skip = number(request, "$skipToken")?.unwrap_or(0);
    let most = call.config.page_size;
    let size = match number(request, "count")? {
        Some(0) => return Err(ArmError::bad_request("'count' must be above 0.")),
        Some(count) => count.min(most),
        None => most,
    };
    let mut found: Vec<&Service> = call
        .state
        .services
        .all()
        .iter()
        .filter(|service| filter.takes(service))
        .collect();
    order(&mut found, request.parameter("orderby").as_deref())?;

    let page = found.iter().skip(skip).take(size);
    let value: Vec<Value> = page.map(|service| call.show(service, expand)).collect();
    let mut body = json!({ "value": value });
    let next = skip.saturating_add(size);
    if next < found.len() {
        // Absent, not `null`, on the last page: `azureml-core` would request the null as a URL.
        body["nextLink"] = json!(next_link(request, next));
    }
    Ok(Answer::json(200, &body))
}

fn next_link(request: &Incoming, next: usize) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in request.parameters() {
        if !key.eq_ignore_ascii_case("$skipToken") {
            query.append_pair(&key, &value);
        }
    }
    query.append_pair("$skipToken", &next.to_string());
    format!("{}{}?{}", request.origin, request.path, query.finish())
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
    tags: Vec<(String, Option<String>)>,
    properties: Vec<(String, Option<String>)>,
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
            tags: pairs(request.parameter("tags")),
            properties: pairs(request.parameter("properties")),
        })
    }

    fn takes(&self, service: &Service) -> bool {
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == value)
        };
        let has = |wanted: &[(String, Option<String>)], map: &Value| {
            wanted.iter().all(|(key, value)| match value {
                Some(value) => map[key] == json!(value),
                None => map.get(key).is_some(),
            })
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
            && has(&self.tags, &service.document["kvTags"])
            && has(&self.properties, &service.document["properties"])
    }
}

/// `k,a=b`: a key, and a key with its value.
fn pairs(text: Option<String>) -> Vec<(String, Option<String>)> {
    text.unwrap_or_default()
        .split(',')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
            None => (pair.to_owned(), None),
        })
        .collect()
}
