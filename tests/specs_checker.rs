//! The checker itself: a body that is right passes, and each way of being wrong is found.

#[path = "support/specs/mod.rs"]
mod specs;

use std::path::Path;

use serde_json::{Value, json};
use specs::{
    Direction::{self, Request, Response},
    Exchange,
    Kind::{
        self, AddressOnly, ApiVersion, Limit, Method, Missing, NotListed, Null, Pattern, ReadOnly,
        Status, Unknown, WrongType,
    },
    Report, Specs,
};

const WORKSPACE: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g\
                         /providers/Microsoft.MachineLearningServices/workspaces/w";
const TODAY: &str = "2026-05-01";
const PUBLISHED: &str = "2019-11-01";

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
fn a_missing_property_is_found_under_both_versions() {
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
fn another_kind_of_compute_is_held_against_its_own_leaf() {
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

#[test]
fn the_address_is_held_to_the_description() {
    let target = |name: &str| format!("{WORKSPACE}/computes/{name}?api-version={TODAY}");
    let named = |name: &str| Exchange {
        path: target(name).split('?').next().unwrap().into(),
        ..put(TODAY)
    };
    expect(&named("myaks"), &[]);
    // The pattern of a compute's name looks ahead: no trailing "-<digits>".
    for name in [
        "my-aks-1",
        "ab",
        "9aks",
        "my_aks",
        "a-name-with-25-characters-",
    ] {
        expect(&named(name), &[(Request, "path:computeName", Pattern)]);
    }
    let mut body = put(TODAY);
    set(
        body.request_body.as_mut().unwrap(),
        "/name",
        Some(json!("myaks")),
    );
    expect(&body, &[(Request, "/name", AddressOnly)]);
    let mut lower = put(TODAY);
    lower.path = lower.path.to_ascii_lowercase();
    expect(&lower, &[]);
    let mut versionless = put(PUBLISHED);
    versionless.query.clear();
    let Some(specs) = Specs::load() else { return };
    assert!(
        specs
            .check(&versionless)
            .facts()
            .contains(&(Request, "query:api-version", Missing))
    );
    let unlisted = Exchange {
        query: vec![("api-version".into(), "2020-02-02".into())],
        ..put(TODAY)
    };
    expect(&unlisted, &[(Request, "query:api-version", ApiVersion)]);
}

#[test]
fn removal_is_held_to_its_query_status_and_headers() {
    let both = ["azure-asyncoperation".to_owned(), "Location".to_owned()];
    let delete = |query: &str| {
        let target = format!("{WORKSPACE}/computes/myaks?api-version={TODAY}{query}");
        Exchange::new("DELETE", &target)
            .answered(202, None)
            .with_headers(both.clone())
    };
    let right = delete("&underlyingResourceAction=Detach");
    expect(&right, &[]);
    expect(
        &delete(""),
        &[(Request, "query:underlyingResourceAction", Missing)],
    );
    let at = "query:underlyingResourceAction";
    expect(
        &delete("&underlyingResourceAction=detach"),
        &[(Request, at, NotListed)],
    );
    expect(
        &delete("&underlyingResourceAction=Delete&force=1"),
        &[(Request, "query:force", Unknown)],
    );
    expect(
        &right.clone().answered(204, None),
        &[(Response, "status", Status)],
    );
    expect(
        &right.clone().answered(202, Some(json!({}))),
        &[(Response, "body", Unknown)],
    );
    expect(
        &right.clone().sending(json!({})),
        &[(Request, "body", Unknown)],
    );
    let bare = right.with_headers([]);
    expect(
        &bare,
        &[
            (Response, "header:Azure-AsyncOperation", Missing),
            (Response, "header:Location", Missing),
        ],
    );
}

#[test]
fn keys_lists_and_errors_are_held_to_their_shapes() {
    for version in [TODAY, PUBLISHED] {
        let keys = Exchange::new(
            "POST",
            &format!("{WORKSPACE}/computes/a/listKeys?api-version={version}"),
        );
        let body = json!({ "computeType": "AKS", "userKubeConfig": "u", "adminKubeConfig": "a",
            "imagePullSecretName": "s" });
        expect(&keys.clone().answered(200, Some(body.clone())), &[]);
        for (pointer, kind) in [("/surprise", Unknown), ("/userKubeConfig", WrongType)] {
            let mut body = body.clone();
            set(&mut body, pointer, Some(json!(1)));
            expect(
                &keys.clone().answered(200, Some(body)),
                &[(Response, pointer, kind)],
            );
        }
        let mut kind = body.clone();
        set(&mut kind, "/computeType", Some(json!("AmlCompute")));
        expect(
            &keys.clone().answered(200, Some(kind)),
            &[(Response, "/computeType", NotListed)],
        );

        let list = Exchange::new(
            "GET",
            &format!("{WORKSPACE}/computes?api-version={version}"),
        );
        let item = put(version).response_body.unwrap();
        let page = |item: Value| json!({ "value": [item], "nextLink": "https://management.azure.com/next" });
        expect(&list.clone().answered(200, Some(page(item.clone()))), &[]);
        let mut wrong = page(item);
        set(&mut wrong, "/nextLink", Some(Value::Null));
        set(&mut wrong, "/count", Some(json!(1)));
        set(
            &mut wrong,
            "/value/0/properties/properties/surprise",
            Some(json!(1)),
        );
        expect(
            &list.clone().answered(200, Some(wrong)),
            &[
                (Response, "/count", Unknown),
                (Response, "/nextLink", Null),
                (Response, "/value/0/properties/properties/surprise", Unknown),
            ],
        );
        let error = |inner: Value| list.clone().answered(404, Some(json!({ "error": inner })));
        expect(&error(json!({ "code": "NotFound", "message": "no" })), &[]);
        expect(
            &error(json!({ "code": "NotFound", "hint": "" })),
            &[(Response, "/error/hint", Unknown)],
        );
    }
}

#[test]
fn routes_and_methods_without_a_description_are_told_apart() {
    let Some(specs) = Specs::load() else { return };
    let target = format!("/rp/workspaces{WORKSPACE}/computes/a?api-version=2020-02-02");
    let report = specs.check(&Exchange::new("get", &target));
    let route = report.undescribed.expect("no description has /rp/");
    assert_eq!(route.method, "GET");
    assert!(route.path.starts_with("/rp/"), "{}", route.path);
    let put = Exchange::new("PUT", &format!("{WORKSPACE}/computes?api-version={TODAY}"));
    expect(&put, &[(Request, "", Method)]);
}

#[test]
fn absent_descriptions_are_skipped_unless_they_are_required() {
    let nowhere = Path::new("no/such/folder");
    assert!(Specs::load_from(nowhere, false).unwrap().is_none());
    let message = Specs::load_from(nowhere, true).unwrap_err();
    assert!(
        message.contains("REQUIRE_SPECS") && message.contains("no/such/folder"),
        "{message}"
    );
    // A folder that holds something else is never "absent".
    assert!(Specs::load_from(Path::new(env!("CARGO_MANIFEST_DIR")), false).is_err());
}

/// A PUT of an AKS compute with every part that a caller may send, and its answer.
fn put(version: &str) -> Exchange {
    let mut aks = json!({
        "agentCount": 3,
        "agentVmSize": "Standard_D3_v2",
        "clusterPurpose": "DevTest",
        "loadBalancerType": "InternalLoadBalancer",
        "loadBalancerSubnet": "default",
        "sslConfiguration": { "status": "Enabled", "cname": "a.b.c", "cert": "C", "key": "K" },
        "aksNetworkingConfiguration": {
            "subnetId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/d",
            "serviceCidr": "10.0.0.0/16",
            "dnsServiceIP": "10.0.0.10",
            "dockerBridgeCidr": "172.17.0.1/16",
        },
    });
    if version == PUBLISHED {
        let aks = aks.as_object_mut().unwrap();
        for later in ["clusterPurpose", "loadBalancerType", "loadBalancerSubnet"] {
            aks.remove(later);
        }
        // The spelling of that version only.
        let size = aks.remove("agentVmSize").unwrap();
        aks.insert("agentVMSize".into(), size);
    }
    let sent = json!({
        "location": "eastus",
        "tags": { "team": "blue" },
        "properties": {
            "computeType": "AKS",
            "computeLocation": "westus",
            "description": "d",
            "resourceId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c",
            "properties": aks,
        },
    });
    let mut answer = sent.clone();
    let services =
        json!([{ "systemServiceType": "Scoring", "publicIpAddress": "1.2.3.4", "version": "1" }]);
    let errors = json!([{ "error": { "code": "c", "message": "m", "details": [{ "code": "c", "message": "m" }] } }]);
    for (pointer, value) in [
        ("/id", json!(format!("{WORKSPACE}/computes/myaks"))),
        ("/name", json!("myaks")),
        (
            "/type",
            json!("Microsoft.MachineLearningServices/workspaces/computes"),
        ),
        ("/properties/provisioningState", json!("Failed")),
        (
            "/properties/createdOn",
            json!("2026-01-01T00:00:00.1234567+00:00"),
        ),
        ("/properties/modifiedOn", json!("2026-01-01T00:00:00Z")),
        ("/properties/isAttachedCompute", json!(false)),
        ("/properties/provisioningErrors", errors),
        ("/properties/properties/systemServices", services),
        ("/properties/properties/clusterFqdn", json!("a.b.c")),
    ] {
        set(&mut answer, pointer, Some(value));
    }
    Exchange::new(
        "PUT",
        &format!("{WORKSPACE}/computes/myaks?api-version={version}"),
    )
    .sending(sent)
    .answered(201, Some(answer))
    .with_headers(["Azure-AsyncOperation".to_owned()])
}

fn without(mut exchange: Exchange, direction: Direction, pointer: &str) -> Exchange {
    let body = match direction {
        Request => &mut exchange.request_body,
        Response => &mut exchange.response_body,
    };
    set(body.as_mut().unwrap(), pointer, None);
    exchange
}

/// Puts `value` at `pointer`, or takes away what is there.
fn set(body: &mut Value, pointer: &str, value: Option<Value>) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => drop(parent.insert(key.to_owned(), value)),
        None => drop(
            parent
                .remove(key)
                .expect("only what is there can be taken away"),
        ),
    }
}

/// The exchange departs in exactly these places.
fn expect(exchange: &Exchange, facts: &[(Direction, &str, Kind)]) {
    let Some(specs) = Specs::load() else { return };
    let report: Report = specs.check(exchange);
    assert_eq!(
        report.undescribed, None,
        "{} {}",
        exchange.method, exchange.path
    );
    assert_eq!(
        report.facts(),
        facts,
        "{} {:?}: {report:#?}",
        exchange.path,
        exchange.query
    );
}
