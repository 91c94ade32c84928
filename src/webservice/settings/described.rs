//! The requests against Microsoft's published description of the service, where that is there.

#[allow(dead_code, reason = "the integration tests use the rest of it")]
#[path = "../../../tests/support/specs/mod.rs"]
mod specs;

use super::*;
use crate::names::ServiceName;
use serde_json::{Value, json};
use specs::{Exchange, Kind, Report, Specs};
use std::time::Duration;

const SERVICES: &str = "/modelmanagement/v1.0/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/services";

/// Returns builders with every setting, and so with every member that a request can have.
fn everything() -> [DeployConfigurationBuilder; 2] {
    let second = Duration::from_secs(1);
    let all = DeployConfiguration::builder()
        .auth(Auth::Token)
        .primary_key("first")
        .secondary_key("second")
        .replicas(
            AutoScale::new()
                .min_replicas(1)
                .max_replicas(3)
                .target_utilization(70)
                .refresh_period(second),
        )
        .cpu_cores(1.0)
        .cpu_cores_limit(1.0)
        .memory_gb(1.0)
        .memory_gb_limit(1.0)
        .gpu_cores(1)
        .fpga_devices(2)
        .liveness_probe(
            LivenessProbe::new()
                .period(second)
                .initial_delay(second)
                .timeout(second)
                .success_threshold(1)
                .failure_threshold(1),
        )
        .app_insights(true)
        .collect_model_data(true)
        .scoring_timeout(second)
        .max_concurrent_requests(1)
        .max_queue_wait(second)
        .blobfuse(true)
        .namespace("scoring")
        .tag("a", "b")
        .property("a", "b")
        .description("text");
    [all.clone(), all.replicas(3)]
}

fn body(builder: DeployConfigurationBuilder) -> Value {
    let name = ServiceName::new("myservice").unwrap();
    let request = json!({ "modelIds": ["m:1"] });
    let config = builder.build().unwrap();
    config.create_body(&name, "eastus", Some("myaks"), request, true)
}

fn check(specs: &Specs, body: Value) -> Report {
    let exchange = Exchange::new("POST", SERVICES)
        .sending(body)
        .answered(202, None);
    specs.check(&exchange)
}

#[test]
fn new_service_is_asked_for_as_described() {
    let Some(specs) = Specs::load() else { return };
    for builder in everything() {
        let report = check(specs, body(builder));
        assert!(report.undescribed.is_none(), "{report:?}");
        let seen: Vec<_> = report
            .deviations
            .iter()
            .map(|found| (found.json_pointer.as_str(), found.kind))
            .collect();
        // What `azureml-core` 1.61 sends and the description does not know, as it was recorded.
        let known = [
            "/containerResourceRequirements/cpuLimit",
            "/containerResourceRequirements/memoryInGBLimit",
            "/overwrite",
            "/storageInitEnabled",
        ]
        .map(|pointer| (pointer, Kind::Unknown));
        assert_eq!(seen, known);
    }
}

#[test]
fn misspelt_member_would_be_seen() {
    let Some(specs) = Specs::load() else { return };
    let text = body(DeployConfiguration::builder().gpu_cores(1)).to_string();
    let wrong = text.replace("\"gpu\"", "\"gpus\"");
    assert_ne!(text, wrong);
    let report = check(specs, serde_json::from_str(&wrong).unwrap());
    let pointers = report.deviations.iter().map(|found| &found.json_pointer);
    assert!(
        pointers
            .into_iter()
            .any(|pointer| pointer == "/containerResourceRequirements/gpus")
    );
}
