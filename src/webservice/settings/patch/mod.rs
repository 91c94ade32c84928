//! The request that an update becomes.

use super::replicas::Replicas;
use super::update::{self, ServiceUpdate};
use crate::error::Error;
use crate::names::tags::{self, Tags};
use crate::rules::{self, Findings};
use serde_json::{Value, json};

/// The facts about the service as it is now that an update needs. Nothing is checked against absent
/// ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct CurrentService {
    pub(crate) tags: Tags,
    pub(crate) properties: Tags,
    pub(crate) min_replicas: Option<u32>,
    pub(crate) max_replicas: Option<u32>,
    pub(crate) cpu_cores: Option<f64>,
    pub(crate) cpu_cores_limit: Option<f64>,
    pub(crate) memory_gb: Option<f64>,
    pub(crate) memory_gb_limit: Option<f64>,
}

impl ServiceUpdate {
    /// Returns the JSON Patch (RFC 6902) of the settings, in the order of `azureml-core` 1.61. It mentions
    /// nothing else.
    ///
    /// `environment_image_request` is the new models, code and environment, where they change. Tags
    /// are one member of the service, so a change of one tag sends all of them. Switches of
    /// authentication go together, and so do those of replicas: their state of now does not matter.
    ///
    /// # Errors
    ///
    /// Gives everything that contradicts what the service is now and keeps.
    pub(crate) fn patch(
        &self,
        current: &CurrentService,
        environment_image_request: Option<Value>,
    ) -> Result<Vec<Value>, Error> {
        let mut findings = Findings::default();
        self.check_replicas(current, &mut findings);
        self.check_limits(current, &mut findings);
        let added = self.added_properties(current, &mut findings);
        let mut patch = Vec::new();
        let mut replace = |path: &str, value: Value| {
            patch.push(json!({ "op": "replace", "path": path, "value": value }));
        };
        if let Some(request) = environment_image_request {
            replace("/environmentImageRequest", request);
        }
        for (path, value) in self.given.settings.leaves() {
            replace(path, value);
        }
        if let Some(tags) = self.given.tags.apply(&current.tags) {
            replace("/kvTags", tags::tags_value(&tags));
        }
        for (name, value) in added {
            let path = format!("/properties/{}", tags::pointer_token(name));
            patch.push(json!({ "op": "add", "path": path, "value": value }));
        }
        if let Some(description) = &self.given.settings.description {
            patch.push(json!({ "op": "replace", "path": "/description", "value": description }));
        }
        if patch.is_empty() && !findings.refused() {
            update::refuse_nothing(&mut findings);
        }
        findings.finish(update::WHAT)?;
        Ok(patch)
    }

    /// Returns the properties that the service does not have yet.
    fn added_properties<'a>(
        &'a self,
        current: &CurrentService,
        findings: &mut Findings,
    ) -> Vec<(&'a str, &'a str)> {
        let mut added = Vec::new();
        for (name, value) in &self.given.properties {
            match current.properties.get(name) {
                None => added.push((name.as_str(), value.as_str())),
                Some(now) if now == value => {}
                Some(now) => findings.refuse(
                    rules::SERVICE_UPDATE_PROPERTY,
                    format!("properties.{name}"),
                    Some(value),
                    format!("the service has this property already, with the value {now:?}"),
                    "choose another name for the property, or use a tag",
                ),
            }
        }
        added
    }

    /// A new bound has to fit the other one, which stays.
    fn check_replicas(&self, current: &CurrentService, findings: &mut Findings) {
        let Some(Replicas::Auto(scale)) = &self.given.settings.replicas else {
            return;
        };
        let (path, given, min, max) = match scale.bounds() {
            (Some(min), None) => (
                "replicas.min_replicas",
                min,
                Some(min),
                current.max_replicas,
            ),
            (None, Some(max)) => (
                "replicas.max_replicas",
                max,
                current.min_replicas,
                Some(max),
            ),
            _ => return,
        };
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            refuse_current(
                path,
                &given.to_string(),
                format!("the service would then have at least {min} and at most {max} replicas"),
                findings,
            );
        }
    }

    /// A new request has to fit the limit, or the reverse, where only one of the two changes.
    fn check_limits(&self, current: &CurrentService, findings: &mut Findings) {
        let now = [
            (current.cpu_cores_limit, current.cpu_cores),
            (current.memory_gb_limit, current.memory_gb),
        ];
        let given = self.given.settings.resources.limits();
        for ((path, limit, request), (limit_now, request_now)) in given.into_iter().zip(now) {
            if limit.is_some() == request.is_some() {
                continue;
            }
            if let (Some(then), Some(request)) = (limit.or(limit_now), request.or(request_now))
                && then < request
            {
                refuse_current(
                    path,
                    &then.to_string(),
                    format!("the limit would then be below the {request} that a replica asks for"),
                    findings,
                );
            }
        }
    }
}

fn refuse_current(path: &str, value: &str, message: String, findings: &mut Findings) {
    findings.refuse(
        rules::SERVICE_UPDATE_CURRENT,
        path,
        Some(value),
        message,
        "change both in one update",
    );
}

#[cfg(test)]
mod tests;
