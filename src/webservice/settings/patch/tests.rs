use super::*;
use crate::webservice::settings::{
    Auth, AutoScale, CodeChange, LivenessProbe, ServiceUpdateBuilder,
};
use std::time::Duration;

fn tags(pairs: &[(&str, &str)]) -> Tags {
    let owned = |text: &str| text.to_owned();
    pairs.iter().map(|(a, b)| (owned(a), owned(b))).collect()
}

fn patch(builder: ServiceUpdateBuilder) -> Value {
    patch_of(builder, &CurrentService::default())
}

fn patch_of(builder: ServiceUpdateBuilder, current: &CurrentService) -> Value {
    builder
        .build()
        .unwrap()
        .patch(current, None)
        .unwrap()
        .into()
}

fn refused(builder: ServiceUpdateBuilder, current: &CurrentService) -> Vec<(String, &'static str)> {
    let error = builder.build().unwrap().patch(current, None).unwrap_err();
    let found = error.findings().iter();
    found
        .map(|found| (found.path.clone(), found.rule))
        .collect()
}

fn everything() -> ServiceUpdateBuilder {
    ServiceUpdate::builder()
        .description("new")
        .property("a/b~c", "1")
        .replace_tags([("team", "vision")])
        .namespace("scoring")
        .liveness_probe(
            LivenessProbe::new()
                .failure_threshold(3)
                .success_threshold(1)
                .timeout(Duration::from_secs(2))
                .initial_delay(Duration::from_secs(310))
                .period(Duration::from_secs(10)),
        )
        .max_queue_wait(Duration::from_millis(500))
        .max_concurrent_requests(1)
        .scoring_timeout(Duration::from_secs(60))
        .app_insights(true)
        .gpu_cores(1)
        .fpga_devices(2)
        .memory_gb_limit(2.0)
        .memory_gb(1.5)
        .cpu_cores_limit(1.0)
        .cpu_cores(0.5)
        .auth(Auth::Token)
        .collect_model_data(false)
        .replicas(
            AutoScale::new()
                .target_utilization(70)
                .refresh_period(Duration::from_secs(1))
                .max_replicas(10)
                .min_replicas(1),
        )
}

#[test]
fn everything_is_replaced_in_the_order_of_the_python_sdk() {
    let update = everything().build().unwrap();
    let request = json!({ "modelIds": ["m:2"] });
    let patch = update
        .patch(&CurrentService::default(), Some(request.clone()))
        .unwrap();
    let replace =
        |path: &str, value: Value| json!({ "op": "replace", "path": path, "value": value });
    assert_eq!(
        patch,
        [
            replace("/environmentImageRequest", request),
            replace("/autoScaler/autoscaleEnabled", true.into()),
            replace("/autoScaler/minReplicas", 1.into()),
            replace("/autoScaler/maxReplicas", 10.into()),
            replace("/autoScaler/refreshPeriodInSeconds", 1.into()),
            replace("/autoScaler/targetUtilization", 70.into()),
            replace("/dataCollection/storageEnabled", false.into()),
            replace("/authEnabled", false.into()),
            replace("/aadAuthEnabled", true.into()),
            replace("/containerResourceRequirements/cpu", 0.5.into()),
            replace("/containerResourceRequirements/cpuLimit", 1.0.into()),
            replace("/containerResourceRequirements/memoryInGB", 1.5.into()),
            replace("/containerResourceRequirements/memoryInGBLimit", 2.0.into()),
            replace("/containerResourceRequirements/gpu", 1.into()),
            replace("/containerResourceRequirements/fpga", 2.into()),
            replace("/appInsightsEnabled", true.into()),
            replace("/scoringTimeoutMs", 60_000.into()),
            replace("/maxConcurrentRequestsPerContainer", 1.into()),
            replace("/maxQueueWaitMs", 500.into()),
            replace("/livenessProbeRequirements/periodSeconds", 10.into()),
            replace("/livenessProbeRequirements/initialDelaySeconds", 310.into()),
            replace("/livenessProbeRequirements/timeoutSeconds", 2.into()),
            replace("/livenessProbeRequirements/successThreshold", 1.into()),
            replace("/livenessProbeRequirements/failureThreshold", 3.into()),
            replace("/namespace", "scoring".into()),
            replace("/kvTags", json!({ "team": "vision" })),
            json!({ "op": "add", "path": "/properties/a~1b~0c", "value": "1" }),
            replace("/description", "new".into()),
        ]
    );
}

#[test]
fn both_switches_of_authentication_go_together() {
    for (auth, keys, tokens) in [
        (Auth::Key, true, false),
        (Auth::Token, false, true),
        (Auth::Disabled, false, false),
    ] {
        assert_eq!(
            patch(ServiceUpdate::builder().auth(auth)),
            json!([
                { "op": "replace", "path": "/authEnabled", "value": keys },
                { "op": "replace", "path": "/aadAuthEnabled", "value": tokens },
            ])
        );
    }
}

#[test]
fn fixed_number_turns_autoscaling_off_and_the_reverse() {
    assert_eq!(
        patch(ServiceUpdate::builder().replicas(4)),
        json!([
            { "op": "replace", "path": "/autoScaler/autoscaleEnabled", "value": false },
            { "op": "replace", "path": "/numReplicas", "value": 4 },
        ])
    );
    assert_eq!(
        patch(ServiceUpdate::builder().replicas(AutoScale::new())),
        json!([{ "op": "replace", "path": "/autoScaler/autoscaleEnabled", "value": true }])
    );
}

#[test]
fn single_tags_are_merged_and_all_tags_are_replaced() {
    let current = CurrentService {
        tags: tags(&[("a", "1"), ("b", "2")]),
        ..CurrentService::default()
    };
    let merged = ServiceUpdate::builder()
        .tag("c", "3")
        .tag("a", "9")
        .remove_tag("b");
    assert_eq!(
        patch_of(merged, &current),
        json!([{ "op": "replace", "path": "/kvTags", "value": { "a": "9", "c": "3" } }])
    );
    let replaced = ServiceUpdate::builder()
        .tag("c", "3")
        .replace_tags([("d", "4"), ("e", "5")])
        .remove_tag("e");
    assert_eq!(
        patch_of(replaced, &current),
        json!([{ "op": "replace", "path": "/kvTags", "value": { "c": "3", "d": "4" } }])
    );
    let none: [(&str, &str); 0] = [];
    assert_eq!(
        patch_of(ServiceUpdate::builder().replace_tags(none), &current),
        json!([{ "op": "replace", "path": "/kvTags", "value": {} }])
    );
}

#[test]
fn properties_are_only_added() {
    let current = CurrentService {
        properties: tags(&[("a", "1"), ("b", "2")]),
        ..CurrentService::default()
    };
    let update = || ServiceUpdate::builder().property("a", "1");
    assert_eq!(
        patch_of(update().property("c", "3"), &current),
        json!([{ "op": "add", "path": "/properties/c", "value": "3" }])
    );
    assert_eq!(
        refused(update().property("b", "9"), &current),
        [("properties.b".to_owned(), "service_update.property")]
    );
    assert_eq!(
        refused(update(), &current),
        [("update".to_owned(), "service_update.nothing")]
    );
}

#[test]
fn update_has_to_fit_the_settings_that_stay() {
    let current = CurrentService {
        min_replicas: Some(2),
        max_replicas: Some(5),
        cpu_cores: Some(0.5),
        cpu_cores_limit: Some(1.0),
        memory_gb: Some(1.0),
        ..CurrentService::default()
    };
    let scale = |scale: AutoScale| ServiceUpdate::builder().replicas(scale);
    let refusal = |path: &str| vec![(path.to_owned(), "service_update.current")];
    let new = AutoScale::new;
    assert_eq!(
        refused(scale(new().min_replicas(6)), &current),
        refusal("replicas.min_replicas")
    );
    assert_eq!(
        refused(scale(new().max_replicas(1)), &current),
        refusal("replicas.max_replicas")
    );
    for fits in [
        scale(new().min_replicas(5)),
        scale(new().max_replicas(2)),
        scale(new().min_replicas(6).max_replicas(7)),
        ServiceUpdate::builder().replicas(9),
        ServiceUpdate::builder().cpu_cores(1.0),
        ServiceUpdate::builder().cpu_cores_limit(0.5),
        ServiceUpdate::builder().cpu_cores(3.0).cpu_cores_limit(4.0),
        ServiceUpdate::builder().memory_gb(64.0),
    ] {
        assert!(fits.build().unwrap().patch(&current, None).is_ok());
    }
    // What the service has is not judged where it stays.
    let odd = CurrentService {
        cpu_cores: Some(2.0),
        cpu_cores_limit: Some(1.0),
        min_replicas: Some(3),
        max_replicas: Some(2),
        ..CurrentService::default()
    };
    for elsewhere in [
        ServiceUpdate::builder().description("x"),
        scale(new().target_utilization(50)),
    ] {
        assert!(elsewhere.build().unwrap().patch(&odd, None).is_ok());
    }

    let both = ServiceUpdate::builder().cpu_cores(1.5).memory_gb_limit(0.5);
    let found = refused(both, &current);
    assert_eq!(
        found,
        [refusal("cpu_cores_limit"), refusal("memory_gb_limit")].concat()
    );
}

#[test]
fn code_alone_is_an_update_and_an_empty_one_is_refused() {
    let error = ServiceUpdate::builder().build().unwrap_err();
    assert_eq!(error.findings()[0].rule, "service_update.nothing");
    let update = ServiceUpdate::builder()
        .with_code(CodeChange::Inference)
        .build()
        .unwrap();
    let request = json!({ "modelIds": ["m:2"] });
    let patch = update.patch(&CurrentService::default(), Some(request.clone()));
    assert_eq!(
        patch.unwrap(),
        [json!({ "op": "replace", "path": "/environmentImageRequest", "value": request })]
    );
    assert!(update.patch(&CurrentService::default(), None).is_err());
}
