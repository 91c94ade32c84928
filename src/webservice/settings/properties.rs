//! Properties that hold for all settings that a caller can give.

use super::*;
use crate::names::ServiceName;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// One setter with a value; it may be nonsense.
#[derive(Debug, Clone)]
enum Given {
    Auth(Auth),
    Fixed(u32),
    Auto(AutoScale),
    Cpu(f64, f64),
    Memory(f64, f64),
    Devices(u32),
    Probe(Duration, u32),
    Flags(bool),
    Timeout(Duration),
    Queue(Duration),
    Concurrency(u32),
    Namespace(String),
    Description(String),
    Tag(String),
    Property(String),
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(0.0),
        -10.0..10.0f64,
        any::<f64>()
    ]
}

fn any_count() -> impl Strategy<Value = u32> {
    prop_oneof![0..12u32, Just(i32::MAX.unsigned_abs()), any::<u32>()]
}

fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::ZERO),
        Just(Duration::MAX),
        (0..400u64).prop_map(Duration::from_secs),
        (0..400_000u64).prop_map(Duration::from_millis),
        any::<u64>().prop_map(Duration::from_nanos),
    ]
}

fn any_scale() -> impl Strategy<Value = AutoScale> {
    let maybe = || proptest::option::of(any_count());
    (
        maybe(),
        maybe(),
        maybe(),
        proptest::option::of(any_duration()),
    )
        .prop_map(|(min, max, target, period)| {
            let mut scale = AutoScale::new();
            if let Some(min) = min {
                scale = scale.min_replicas(min);
            }
            if let Some(max) = max {
                scale = scale.max_replicas(max);
            }
            if let Some(target) = target {
                scale = scale.target_utilization(target);
            }
            if let Some(period) = period {
                scale = scale.refresh_period(period);
            }
            scale
        })
}

fn any_given() -> impl Strategy<Value = Given> {
    let name = || proptest::sample::select(vec!["", "a", "a/b~c", "A-", "ä\n"]);
    let auth = proptest::sample::select(vec![Auth::Key, Auth::Token, Auth::Disabled]);
    prop_oneof![
        auth.prop_map(Given::Auth),
        any_count().prop_map(Given::Fixed),
        any_scale().prop_map(Given::Auto),
        (any_number(), any_number()).prop_map(|(a, b)| Given::Cpu(a, b)),
        (any_number(), any_number()).prop_map(|(a, b)| Given::Memory(a, b)),
        any_count().prop_map(Given::Devices),
        (any_duration(), any_count()).prop_map(|(a, b)| Given::Probe(a, b)),
        any::<bool>().prop_map(Given::Flags),
        any_duration().prop_map(Given::Timeout),
        any_duration().prop_map(Given::Queue),
        any_count().prop_map(Given::Concurrency),
        name().prop_map(|text| Given::Namespace(text.into())),
        name().prop_map(|text| Given::Description(text.into())),
        name().prop_map(|text| Given::Tag(text.into())),
        name().prop_map(|text| Given::Property(text.into())),
    ]
}

macro_rules! give {
    ($builder:expr, $given:expr) => {
        match $given.clone() {
            Given::Auth(auth) => $builder.auth(auth),
            Given::Fixed(replicas) => $builder.replicas(replicas),
            Given::Auto(scale) => $builder.replicas(scale),
            Given::Cpu(request, limit) => $builder.cpu_cores(request).cpu_cores_limit(limit),
            Given::Memory(request, limit) => $builder.memory_gb(request).memory_gb_limit(limit),
            Given::Devices(devices) => $builder.gpu_cores(devices).fpga_devices(devices),
            Given::Probe(time, count) => $builder.liveness_probe(
                LivenessProbe::new()
                    .period(time)
                    .initial_delay(time)
                    .timeout(time)
                    .success_threshold(count)
                    .failure_threshold(count),
            ),
            Given::Flags(on) => $builder.app_insights(on).collect_model_data(on),
            Given::Timeout(time) => $builder.scoring_timeout(time),
            Given::Queue(time) => $builder.max_queue_wait(time),
            Given::Concurrency(requests) => $builder.max_concurrent_requests(requests),
            Given::Namespace(name) => $builder.namespace(name),
            Given::Description(text) => $builder.description(text),
            Given::Tag(name) => $builder.tag(name, "x"),
            Given::Property(name) => $builder.property(name, "x"),
        }
    };
}

/// Returns the first parts of the paths that a patch may have because of the settings.
fn may_be_named(given: &[Given]) -> BTreeSet<&'static str> {
    given
        .iter()
        .flat_map(|given| match given {
            Given::Auth(_) => vec!["authEnabled", "aadAuthEnabled"],
            Given::Fixed(_) | Given::Auto(_) => vec!["autoScaler", "numReplicas"],
            Given::Cpu(..) | Given::Memory(..) | Given::Devices(_) => {
                vec!["containerResourceRequirements"]
            }
            Given::Probe(..) => vec!["livenessProbeRequirements"],
            Given::Flags(_) => vec!["appInsightsEnabled", "dataCollection"],
            Given::Timeout(_) => vec!["scoringTimeoutMs"],
            Given::Queue(_) => vec!["maxQueueWaitMs"],
            Given::Concurrency(_) => vec!["maxConcurrentRequestsPerContainer"],
            Given::Namespace(_) => vec!["namespace"],
            Given::Description(_) => vec!["description"],
            Given::Tag(_) => vec!["kvTags"],
            Given::Property(_) => vec!["properties"],
        })
        .collect()
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(holds_null),
        Value::Object(members) => members.values().any(holds_null),
        _ => false,
    }
}

proptest! {
    #[test]
    fn settings_build_or_give_a_finding(given in proptest::collection::vec(any_given(), 0..6)) {
        let mut builder = DeployConfiguration::builder();
        for given in &given {
            builder = give!(builder, given);
        }
        match builder.build() {
            Err(error) => prop_assert!(!error.findings().is_empty()),
            Ok(config) => {
                let name = ServiceName::new("myservice").unwrap();
                let body = config.create_body(&name, "eastus", None, json!({}), false);
                prop_assert!(!holds_null(&body), "{body}");
                let always = ["name", "location", "computeType", "environmentImageRequest"];
                let allowed = may_be_named(&given);
                for key in body.as_object().unwrap().keys() {
                    prop_assert!(
                        always.contains(&key.as_str()) || allowed.contains(key.as_str()),
                        "{key} was not given"
                    );
                }
            }
        }
    }

    #[test]
    fn a_patch_names_only_what_was_given(given in proptest::collection::vec(any_given(), 0..6)) {
        let mut builder = ServiceUpdate::builder();
        for given in &given {
            builder = give!(builder, given);
        }
        match builder.build() {
            Err(error) => prop_assert!(!error.findings().is_empty()),
            Ok(update) => {
                let patch = update.patch(&CurrentService::default(), None).unwrap();
                prop_assert!(!patch.is_empty());
                let allowed = may_be_named(&given);
                let mut paths = BTreeSet::new();
                for operation in &patch {
                    prop_assert!(!holds_null(operation), "{operation}");
                    let path = operation["path"].as_str().unwrap();
                    prop_assert!(paths.insert(path), "{path} twice");
                    let first = path.split('/').nth(1).unwrap();
                    prop_assert!(allowed.contains(first), "{path} was not given");
                }
            }
        }
    }

    #[test]
    fn no_text_makes_the_reading_of_a_file_panic(text in ".*") {
        let _ = DeployConfiguration::builder_from_text(&text);
    }
}
