//! The checker itself: a body that is right passes, and each way of being wrong is found.

use crate::support::specs::{
    Direction::{Request, Response},
    Kind::{self, Limit, Missing, NotListed, Null, Pattern, ReadOnly, Unknown, WrongType},
    Specs,
    fixture::{PUBLISHED, TODAY, expect, put, set, without},
};
use serde_json::{Value, json};

#[test]
fn whole_bodies_pass_under_both_versions() {
    let Some(specs) = Specs::load() else { return };
    for version in [TODAY, PUBLISHED] {
        let report = specs.check(&put(version));
        assert!(report.is_clean(), "{version}: {report:#?}");
    }
    assert_eq!(specs.check(&put(TODAY)).held_against, "bicep 2026-05-01");
    assert_eq!(
        specs.check(&put(PUBLISHED)).held_against,
        "OpenAPI 2019-11-01"
    );
}

#[test]
fn mutated_requests_are_found_under_both_versions() {
    let tls = "/properties/properties/sslConfiguration";
    let network = "/properties/properties/aksNetworkingConfiguration";
    let aks = "/properties/properties";
    let cases: &[(String, Value, Kind)] = &[
        ("/surprise".into(), json!(1), Unknown),
        ("/properties/surprise".into(), json!(1), Unknown),
        (format!("{aks}/surprise"), json!(1), Unknown),
        (format!("{tls}/renew"), json!(true), Unknown),
        (format!("{network}/surprise"), json!(1), Unknown),
        (format!("{tls}/status"), json!("enabled"), NotListed),
        ("/properties/computeType".into(), json!("aks"), NotListed),
        ("/location".into(), json!(7), WrongType),
        ("/tags/team".into(), json!(7), WrongType),
        ("/properties".into(), json!([]), WrongType),
        (format!("{aks}/agentCount"), json!("3"), WrongType),
        (format!("{aks}/agentCount"), json!(1.5), WrongType),
        (format!("{aks}/agentCount"), json!(-1), Limit),
        (
            format!("{network}/serviceCidr"),
            json!("10.0.0.0/33"),
            Pattern,
        ),
        (
            format!("{network}/dnsServiceIP"),
            json!("10.0.0.256"),
            Pattern,
        ),
        (
            format!("{network}/dockerBridgeCidr"),
            json!("bridge"),
            Pattern,
        ),
        ("/properties/description".into(), Value::Null, Null),
        (format!("{tls}/cert"), Value::Null, Null),
        (format!("{tls}/status"), Value::Null, Null),
        ("/id".into(), json!("x"), ReadOnly),
        (
            "/properties/provisioningState".into(),
            json!("Succeeded"),
            ReadOnly,
        ),
        (
            "/properties/createdOn".into(),
            json!("2026-01-01T00:00:00Z"),
            ReadOnly,
        ),
        (
            "/properties/isAttachedCompute".into(),
            json!(true),
            ReadOnly,
        ),
        (format!("{aks}/systemServices"), json!([]), ReadOnly),
    ];
    for version in [TODAY, PUBLISHED] {
        for (pointer, value, kind) in cases {
            let mut exchange = put(version);
            set(
                exchange.request_body.as_mut().unwrap(),
                pointer,
                Some(value.clone()),
            );
            expect(&exchange, &[(Request, pointer, *kind)]);
        }
    }
}

#[test]
fn mutated_answers_are_found_under_both_versions() {
    let services = "/properties/properties/systemServices/0";
    let cases: &[(String, Value, Kind)] = &[
        ("/surprise".into(), json!(1), Unknown),
        ("/properties/surprise".into(), json!(1), Unknown),
        (format!("{services}/surprise"), json!(1), Unknown),
        // A misspelling that azureml-core's `serialize` makes.
        (format!("{services}/serviceType"), json!("Scoring"), Unknown),
        (
            "/properties/provisioningState".into(),
            json!("succeeded"),
            NotListed,
        ),
        (format!("{services}/version"), json!(1), WrongType),
        (
            "/properties/isAttachedCompute".into(),
            json!("false"),
            WrongType,
        ),
        (
            "/properties/provisioningErrors/0/error/surprise".into(),
            json!(1),
            Unknown,
        ),
        (
            "/properties/provisioningErrors/0/error/details/0/message".into(),
            json!(1),
            WrongType,
        ),
        ("/tags".into(), Value::Null, Null),
        ("/properties/properties".into(), Value::Null, Null),
    ];
    for version in [TODAY, PUBLISHED] {
        for (pointer, value, kind) in cases {
            let mut exchange = put(version);
            set(
                exchange.response_body.as_mut().unwrap(),
                pointer,
                Some(value.clone()),
            );
            expect(&exchange, &[(Response, pointer, *kind)]);
        }
    }
}

#[test]
fn missing_property_is_found_under_both_versions() {
    for version in [TODAY, PUBLISHED] {
        for direction in [Request, Response] {
            let at = "/properties/computeType";
            expect(
                &without(put(version), direction, at),
                &[(direction, at, Missing)],
            );
        }
    }
    // Each version has its own required parts beside the discriminator.
    let at = "/name";
    expect(
        &without(put(TODAY), Response, at),
        &[(Response, at, Missing)],
    );
    let at = "/properties/provisioningErrors/0/error/details/0/code";
    expect(
        &without(put(PUBLISHED), Response, at),
        &[(Response, at, Missing)],
    );
    let mut sized = put(TODAY);
    set(
        sized.request_body.as_mut().unwrap(),
        "/sku",
        Some(json!({ "tier": "Basic" })),
    );
    expect(&sized, &[(Request, "/sku/name", Missing)]);
}

#[test]
fn another_kind_of_compute_is_checked_by_its_own_leaf() {
    for version in [TODAY, PUBLISHED] {
        let mut exchange = put(version);
        set(
            exchange.request_body.as_mut().unwrap(),
            "/properties/computeType",
            Some(json!("AmlCompute")),
        );
        let Some(specs) = Specs::load() else { return };
        let report = specs.check(&exchange);
        let unknown = (Request, "/properties/properties/agentCount", Unknown);
        assert!(report.facts().contains(&unknown), "{version}: {report:#?}");
        assert!(
            report.facts().iter().all(|(_, _, kind)| *kind == Unknown),
            "{report:#?}"
        );
    }
}

#[test]
fn each_version_knows_its_own_spelling() {
    let mut exchange = put(PUBLISHED);
    exchange.query[0].1 = TODAY.into();
    expect(
        &exchange,
        &[
            (Request, "/properties/properties/agentVMSize", Unknown),
            (Response, "/properties/properties/agentVMSize", Unknown),
        ],
    );
    let mut exchange = put(TODAY);
    exchange.query[0].1 = PUBLISHED.into();
    let Some(specs) = Specs::load() else { return };
    let report = specs.check(&exchange);
    for name in ["agentVmSize", "clusterPurpose", "loadBalancerType"] {
        let at = format!("/properties/properties/{name}");
        assert!(
            report.facts().contains(&(Request, &at, Unknown)),
            "{name}: {report:#?}"
        );
    }
}
