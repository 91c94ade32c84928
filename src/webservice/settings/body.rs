//! The request that makes a service.

use super::configuration::DeployConfiguration;
use super::shared::STORAGE;
use crate::facts::arm::COMPUTE_TYPE_AKS;
use crate::names::ServiceName;
use crate::names::tags as metadata;
use serde_json::{Map, Value, json};

impl DeployConfiguration {
    /// Returns the body of the request that makes the service, and of the checks that the service makes
    /// about it before. It may hold keys in clear.
    ///
    /// `location` is that of the workspace. `compute_name` is the target that was passed to the verb;
    /// it wins over the name in the configuration.
    pub(crate) fn create_body(
        &self,
        name: &ServiceName,
        location: &str,
        compute_name: Option<&str>,
        environment_image_request: Value,
        overwrite: bool,
    ) -> Value {
        let given = &self.given;
        let mut body = Map::new();
        body.insert("name".into(), name.as_str().into());
        body.insert("location".into(), location.into());
        body.insert("computeType".into(), COMPUTE_TYPE_AKS.into());
        if let Some(target) = compute_name.or(given.compute_target_name.as_deref()) {
            body.insert("computeName".into(), target.into());
        }
        body.insert("environmentImageRequest".into(), environment_image_request);
        for (path, value) in given.settings.leaves() {
            put(&mut body, path, value);
            if path == STORAGE {
                // The Python SDK always says both; nothing here turns the event hub on.
                put(&mut body, "/dataCollection/eventHubEnabled", false.into());
            }
        }
        if let Some(keys) = given.keys.value() {
            body.insert("keys".into(), keys);
        }
        if let Some(blobfuse) = given.blobfuse {
            body.insert("storageInitEnabled".into(), (!blobfuse).into());
        }
        if !given.tags.is_empty() {
            body.insert("kvTags".into(), metadata::tags_value(&given.tags));
        }
        if !given.properties.is_empty() {
            body.insert("properties".into(), metadata::tags_value(&given.properties));
        }
        if let Some(description) = &given.settings.description {
            body.insert("description".into(), description.as_str().into());
        }
        if overwrite {
            body.insert("overwrite".into(), true.into());
        }
        body.into()
    }
}

/// Puts a value where a pointer of one or two names says.
fn put(body: &mut Map<String, Value>, pointer: &str, value: Value) {
    let path = pointer.trim_start_matches('/');
    match path.split_once('/') {
        None => {
            body.insert(path.to_owned(), value);
        }
        Some((outer, inner)) => {
            let place = body.entry(outer).or_insert_with(|| json!({}));
            place[inner] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webservice::settings::{Auth, AutoScale, DeployConfigurationBuilder, LivenessProbe};
    use std::time::Duration;

    fn body(builder: DeployConfigurationBuilder) -> Value {
        let name = ServiceName::new("myservice").unwrap();
        let request = json!({ "modelIds": ["m:1"] });
        let config = builder.build().unwrap();
        config.create_body(&name, "eastus", Some("myaks"), request, false)
    }

    /// Returns the members that are always there, and `more`.
    fn with(more: Value) -> Value {
        let mut expected = json!({
            "name": "myservice", "location": "eastus", "computeType": "AKS", "computeName": "myaks",
            "environmentImageRequest": { "modelIds": ["m:1"] },
        });
        for (key, value) in more.as_object().unwrap() {
            expected[key] = value.clone();
        }
        expected
    }

    fn new() -> DeployConfigurationBuilder {
        DeployConfiguration::builder()
    }

    #[test]
    fn unset_members_are_not_sent() {
        assert_eq!(body(new()), with(json!({})));
        assert_eq!(
            body(new().liveness_probe(LivenessProbe::new())),
            with(json!({}))
        );
    }

    #[test]
    fn everything_stands_where_the_service_reads_it() {
        let all = new()
            .auth(Auth::Key)
            .primary_key("first")
            .secondary_key("second")
            .replicas(
                AutoScale::new()
                    .min_replicas(1)
                    .max_replicas(3)
                    .target_utilization(70)
                    .refresh_period(Duration::from_secs(1)),
            )
            .cpu_cores(0.5)
            .cpu_cores_limit(1.0)
            .memory_gb(1.0)
            .memory_gb_limit(2.0)
            .gpu_cores(1)
            .fpga_devices(2)
            .liveness_probe(
                LivenessProbe::new()
                    .period(Duration::from_secs(10))
                    .initial_delay(Duration::from_secs(310))
                    .timeout(Duration::from_secs(2))
                    .success_threshold(1)
                    .failure_threshold(3),
            )
            .app_insights(true)
            .collect_model_data(true)
            .scoring_timeout(Duration::from_secs(300))
            .max_concurrent_requests(1)
            .max_queue_wait(Duration::from_millis(500))
            .blobfuse(false)
            .namespace("scoring")
            .tags([("team", "vision")])
            .properties([("origin", "ci")])
            .description("all of it");
        assert_eq!(
            body(all),
            with(json!({
                "authEnabled": true, "aadAuthEnabled": false,
                "keys": { "primaryKey": "first", "secondaryKey": "second" },
                "autoScaler": {
                    "autoscaleEnabled": true, "minReplicas": 1, "maxReplicas": 3,
                    "targetUtilization": 70, "refreshPeriodInSeconds": 1,
                },
                "containerResourceRequirements": {
                    "cpu": 0.5, "cpuLimit": 1.0, "memoryInGB": 1.0, "memoryInGBLimit": 2.0,
                    "gpu": 1, "fpga": 2,
                },
                "livenessProbeRequirements": {
                    "periodSeconds": 10, "initialDelaySeconds": 310, "timeoutSeconds": 2,
                    "successThreshold": 1, "failureThreshold": 3,
                },
                "appInsightsEnabled": true,
                "dataCollection": { "storageEnabled": true, "eventHubEnabled": false },
                "scoringTimeoutMs": 300_000, "maxConcurrentRequestsPerContainer": 1,
                "maxQueueWaitMs": 500, "storageInitEnabled": true, "namespace": "scoring",
                "kvTags": { "team": "vision" }, "properties": { "origin": "ci" },
                "description": "all of it",
            }))
        );
    }

    #[test]
    fn both_switches_of_authentication_are_sent_together() {
        for (auth, keys, tokens) in [
            (Auth::Key, true, false),
            (Auth::Token, false, true),
            (Auth::Disabled, false, false),
        ] {
            assert_eq!(
                body(new().auth(auth)),
                with(json!({ "authEnabled": keys, "aadAuthEnabled": tokens }))
            );
        }
    }

    #[test]
    fn fixed_number_of_replicas_turns_autoscaling_off() {
        assert_eq!(
            body(new().replicas(3)),
            with(json!({ "autoScaler": { "autoscaleEnabled": false }, "numReplicas": 3 }))
        );
    }

    #[test]
    fn false_is_sent_where_it_was_given() {
        assert_eq!(
            body(
                new()
                    .app_insights(false)
                    .collect_model_data(false)
                    .blobfuse(true)
                    .gpu_cores(0)
            ),
            with(json!({
                "appInsightsEnabled": false,
                "dataCollection": { "storageEnabled": false, "eventHubEnabled": false },
                "storageInitEnabled": false,
                "containerResourceRequirements": { "gpu": 0 },
            }))
        );
    }

    #[test]
    fn target_of_the_verb_wins_over_that_of_the_configuration() {
        let name = ServiceName::new("myservice").unwrap();
        let config = new().compute_target_name("fromfile").build().unwrap();
        let body =
            |target, overwrite| config.create_body(&name, "eastus", target, json!({}), overwrite);
        assert_eq!(body(Some("myaks"), false)["computeName"], "myaks");
        assert_eq!(body(None, false)["computeName"], "fromfile");
        assert_eq!(body(None, false).get("overwrite"), None);
        assert_eq!(body(None, true)["overwrite"], true);
        let silent = new().build().unwrap();
        let body = silent.create_body(&name, "eastus", None, json!({}), false);
        assert_eq!(body.get("computeName"), None);
    }

    #[test]
    fn keys_show_nowhere_but_in_the_request() {
        let builder = new().primary_key("CANARY-1").secondary_key("CANARY-2");
        let config = builder.clone().build().unwrap();
        assert!(!format!("{builder:?}{config:?}").contains("CANARY"));
        let broken = builder.cpu_cores(0.0).build().unwrap_err();
        assert!(!format!("{broken:?}{broken}").contains("CANARY"));
    }
}
