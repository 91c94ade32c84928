//! Breaks every rule about services at least once, for the check that no rule is dead.

use super::rules::Seen;
use crate::names::{ModelName, ServiceName};
use crate::webservice::settings::{CodeChange, CurrentService};
use crate::*;
use std::time::Duration;

pub(super) fn see(seen: &mut Seen) {
    let build = |builder: DeployConfigurationBuilder| Ok(builder.build()?.warnings().to_vec());
    let new = DeployConfiguration::builder;
    seen.examples("model.name.", |text| {
        ModelName::new(text).map(|_| Vec::new())
    });
    seen.examples("service_name.", |text| {
        ServiceName::new(text).map(|_| Vec::new())
    });
    seen.examples("namespace.", |text| build(new().namespace(text)));
    seen.examples("deploy.resources.amount", |text| {
        build(new().cpu_cores(text.parse().unwrap()))
    });
    seen.examples("deploy.replicas.utilization", |text| {
        let scale = AutoScale::new().target_utilization(text.parse().unwrap());
        build(new().replicas(scale))
    });
    seen.examples("deploy.keys.empty", |text| {
        build(new().primary_key(text.to_owned()))
    });
    seen.examples("deploy.metadata.name", |text| build(new().tag(text, "x")));
    let read = DeployConfiguration::builder_from_text;
    let aks = |members: &str| read(&format!(r#"{{ "computeType": "aks", {members} }}"#));
    for rule in [
        "deploy_file.type",
        "deploy_file.auth",
        "deploy_file.replicas",
        "deploy_file.unknown_key",
    ] {
        seen.examples(rule, |members| build(aks(members)?));
    }
    seen.examples("deploy_file.compute_type", |members| {
        build(read(&format!("{{ {members} }}"))?)
    });
    seen.examples("deploy_file.strict", |members| {
        build(aks(members)?.strict(true))
    });
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
        new().cpu_cores(2.0).cpu_cores_limit(1.0),
        new().fpga_devices(1),
        new().replicas(scale.min_replicas(2).max_replicas(1)),
        new().scoring_timeout(Duration::from_secs(301)),
        new().property(" ", "x"),
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
    let read = DeployConfiguration::builder_from_text;
    seen.error(DeployConfiguration::builder_from_file(
        "does/not/exist.json",
    ));
    seen.error(read(""));
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
