//! Breaks every rule about services at least once; the check over the whole registry collects them.

use super::*;
use crate::config::rule_coverage::Seen;
use crate::names::ServiceName;
use std::time::Duration;

pub(in crate::config) fn see(seen: &mut Seen) {
    for name in ["", "a_b", "1ab", "ab-"] {
        seen.error(ServiceName::new(name));
    }
    seen.error(DeployConfiguration::builder().namespace("-a").build());
    see_deployments(seen);
    see_files(seen);
    see_loads(seen);
    see_updates(seen);
}

fn see_deployments(seen: &mut Seen) {
    let new = DeployConfiguration::builder;
    let scale = AutoScale::new();
    for broken in [
        new().replicas(0),
        new().replicas(u32::MAX),
        new().max_queue_wait(Duration::from_nanos(1)),
        new().cpu_cores(0.0),
        new().cpu_cores(2.0).cpu_cores_limit(1.0),
        new().fpga_devices(1),
        new().replicas(scale.min_replicas(2).max_replicas(1)),
        new().replicas(scale.target_utilization(101)),
        new().scoring_timeout(Duration::from_secs(301)),
        new().primary_key(""),
        new().tag("", "x"),
        new().property(" ", "x"),
        new().namespace("a_b"),
        new().compute_target_name("a/b"),
    ] {
        seen.error(broken.build());
    }
    for odd in [
        new().replicas(scale.min_replicas(11)),
        new().liveness_probe(LivenessProbe::new().success_threshold(2)),
        new().max_concurrent_requests(2),
        new().auth(Auth::Token).primary_key("x"),
    ] {
        seen.warnings(odd.build().unwrap().warnings());
    }
}

fn see_files(seen: &mut Seen) {
    let read = DeployConfiguration::builder_from_json;
    seen.error(DeployConfiguration::builder_from_file(
        "does/not/exist.json",
    ));
    for broken in [
        "",
        "[]",
        r#"{ "computeType": "aci" }"#,
        r#"{ "computeType": "aks", "authEnabled": true, "tokenAuthEnabled": true }"#,
        r#"{ "computeType": "aks", "numReplicas": 1, "autoScaler": { "autoscaleEnabled": true } }"#,
    ] {
        seen.error(read(broken));
    }
    let unknown = read(r#"{ "computeType": "aks", "sslEnabled": true }"#).unwrap();
    seen.warnings(unknown.clone().build().unwrap().warnings());
    seen.error(unknown.strict(true).build());
}

fn see_loads(seen: &mut Seen) {
    for rate in [0.0, f64::MAX] {
        let load = ServiceLoad::new(rate, Duration::from_secs(1));
        seen.error(replicas_for_load(&load));
    }
}

fn see_updates(seen: &mut Seen) {
    let new = ServiceUpdate::builder;
    seen.error(new().build());
    let models = CodeChange::Models {
        count: 2,
        no_code: true,
    };
    seen.error(new().with_code(models).build());
    let current = CurrentService {
        properties: [("a".to_owned(), "1".to_owned())].into(),
        max_replicas: Some(3),
        ..CurrentService::default()
    };
    for broken in [
        new().property("a", "2"),
        new().replicas(AutoScale::new().min_replicas(4)),
    ] {
        seen.error(broken.build().unwrap().patch(&current, None));
    }
}
