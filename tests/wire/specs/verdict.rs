//! The lists of what is known, and how they are held to. Also the cases of the converter that
//! today's descriptions happen not to have, on descriptions made here.

use crate::support::specs::{
    Deviation,
    Direction::{Request, Response},
    Exchange, Kind, Report, Specs, Undescribed,
    allowed::{Allowed, KnownRoute, PYTHON, PYTHON_ROUTES, verdict},
    fixture::{TODAY, WORKSPACE, put, set},
};
use serde_json::{Value, json};

const KNOWN: Allowed = Allowed {
    id: "renew",
    source: "a recording",
    route: "PUT */Computes/*",
    direction: Request,
    pointer: "/properties/*/renew",
    kind: Kind::Unknown,
    value: None,
};
const ROUTE: KnownRoute = KnownRoute {
    method: "GET",
    path: "/rp/*",
    reason: "regional",
};

#[test]
fn run_passes_when_lists_and_deviations_are_the_same() {
    assert_eq!(verdict(&[Report::default()], &[], &[]), Ok(()));
    assert_eq!(
        verdict(&[departing(), undescribed()], &[KNOWN], &[ROUTE]),
        Ok(())
    );
}

#[test]
fn unlisted_deviation_fails() {
    refuse(
        &[departing()],
        &[],
        &[],
        "not allowed: PUT /a/computes/b: Request",
    );
    for other in [
        Allowed {
            route: "PUT */computes",
            ..KNOWN
        },
        Allowed {
            route: "GET */computes/*",
            ..KNOWN
        },
        Allowed {
            direction: Response,
            ..KNOWN
        },
        Allowed {
            pointer: "/properties/renew",
            ..KNOWN
        },
        Allowed {
            kind: Kind::ReadOnly,
            ..KNOWN
        },
        Allowed {
            value: Some("another"),
            ..KNOWN
        },
    ] {
        refuse(&[departing()], &[other], &[], "not allowed: PUT");
    }
}

#[test]
fn listed_deviation_that_does_not_occur_fails() {
    refuse(
        &[Report::default()],
        &[KNOWN],
        &[],
        "listed, but does not occur: renew",
    );
    refuse(
        &[departing()],
        &[
            KNOWN,
            Allowed {
                id: "b",
                pointer: "/b",
                ..KNOWN
            },
        ],
        &[],
        "occur: b",
    );
}

#[test]
fn undescribed_routes_are_held_to_their_list_in_both_directions() {
    let both = [undescribed(), Report::default()];
    refuse(&both, &[], &[], "not listed: GET /rp/a");
    refuse(
        &both,
        &[],
        &[KnownRoute {
            method: "PUT",
            ..ROUTE
        }],
        "not listed: GET /rp/a",
    );
    refuse(
        &[Report::default()],
        &[],
        &[ROUTE],
        "does not occur: GET /rp/*",
    );
}

#[test]
fn run_without_a_single_comparison_fails() {
    refuse(&[], &[], &[], "no exchange");
    refuse(&[undescribed()], &[], &[ROUTE], "no exchange");
}

#[test]
fn recorded_python_client_departs_exactly_where_it_is_listed() {
    let Some(specs) = Specs::load() else { return };
    let reports: Vec<_> = python_client()
        .iter()
        .map(|exchange| specs.check(exchange))
        .collect();
    assert_eq!(verdict(&reports, PYTHON, PYTHON_ROUTES), Ok(()));
}

#[test]
fn reference_that_leads_nowhere_is_reported_not_skipped() {
    let specs = made();
    let exchange = Exchange::new("POST", "/providers/My.Provider/outside?api-version=1");
    let report = specs.check(&exchange.sending(json!({ "kind": "far" })));
    let places: Vec<_> = report
        .deviations
        .iter()
        .map(|found| (found.kind, &*found.value))
        .collect();
    let file = "../../common-types/types.json#/definitions/Far";
    assert_eq!(places, [(Kind::Reference, file)]);
}

#[test]
fn required_read_only_write_only_and_null_follow_the_direction() {
    let specs = made();
    for version in ["1", "2"] {
        let target = format!("/providers/My.Provider/things/n?api-version={version}");
        let exchange = Exchange::new("PUT", &target)
            .sending(json!({ "size": 1, "secret": "s" }))
            .answered(200, Some(json!({ "name": "n", "etag": "e", "size": 1 })));
        assert_eq!(specs.check(&exchange).facts(), [], "{version}");
        let exchange = exchange
            .sending(json!({ "size": 9, "etag": "e" }))
            .answered(200, Some(json!({ "name": "n", "size": 1, "secret": "s" })));
        let expected = [
            (Request, "/etag", Kind::ReadOnly),
            (Request, "/secret", Kind::Missing),
            (Request, "/size", Kind::Limit),
            (Response, "/etag", Kind::Missing),
            (Response, "/secret", Kind::WriteOnly),
        ];
        assert_eq!(specs.check(&exchange).facts(), expected, "{version}");
    }
    let nullable = json!({ "size": 1, "secret": "s", "note": null });
    let exchange = Exchange::new("PUT", "/providers/My.Provider/things/n?api-version=1")
        .sending(nullable)
        .answered(200, Some(json!({ "name": "n", "etag": "e", "size": 1 })));
    assert_eq!(specs.check(&exchange).facts(), []);
}

#[test]
fn nearest_leaf_of_a_discriminator_is_found_through_a_base_between() {
    let specs = made();
    let exchange = Exchange::new("POST", "/providers/My.Provider/shapes?api-version=1");
    let facts = |body: Value| {
        let report = specs.check(&exchange.clone().sending(body));
        report
            .facts()
            .into_iter()
            .map(|(_, at, kind)| (at.to_owned(), kind))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        facts(json!({ "kind": "round", "colour": "red", "radius": 1 })),
        []
    );
    let wrong = json!({ "kind": "round", "side": 1, "radius": 1.5 });
    let expected = [
        ("/radius".into(), Kind::WrongType),
        ("/side".into(), Kind::Unknown),
    ];
    assert_eq!(facts(wrong), expected);
    // Nobody may send the base between as a kind.
    assert_eq!(
        facts(json!({ "kind": "Filled" })),
        [("/kind".into(), Kind::NotListed)]
    );
    assert_eq!(facts(json!({})), [("/kind".into(), Kind::Missing)]);
}

/// Requests of `azureml-core`, as they were recorded; answers only where they have a description.
fn python_client() -> Vec<Exchange> {
    let compute = format!("{WORKSPACE}/computes/myaks?api-version=2020-02-02");
    let services = format!("/modelmanagement/v1.0{WORKSPACE}/services");
    let answer = put(TODAY).response_body;
    let get = |path: &str| Exchange::new("GET", path);
    let create = |body: Value| {
        Exchange::new("PUT", &compute)
            .sending(body)
            .answered(201, answer.clone())
    };
    let mut update = answer.clone().expect("the PUT has an answer");
    let tls = json!({ "status": "Auto", "leafDomainLabel": "l", "renew": true });
    set(
        &mut update,
        "/properties/properties/sslConfiguration",
        Some(tls),
    );
    let remove = |action: &str| {
        let target = format!("{compute}&underlyingResourceAction={action}");
        Exchange::new("DELETE", &target).answered(202, None)
    };
    let keys = json!({ "keyType": "Primary", "keyValue": null });
    let patch = json!([{ "op": "replace", "path": "/numReplicas", "value": 3 }]);
    vec![
        create(json!({ "location": "eastus", "properties": { "computeType": "AKS" } })),
        create(json!({ "location": "eastus", "properties": {
            "computeType": "AKS",
            "resourceId": "/subscriptions/s/resourcegroups/g/providers/p/managedClusters/c",
            "properties": { "loadBalancerType": "PublicIp", "loadBalancerSubnet": null },
        } })),
        create(update),
        remove("delete"),
        remove("detach"),
        Exchange::new("POST", &compute.replace('?', "/listKeys?")).answered(
            200,
            Some(json!({ "computeType": "AKS", "userKubeConfig": "u" })),
        ),
        Exchange::new("POST", &format!("{services}/s/regenerateKeys"))
            .sending(keys)
            .answered(202, None),
        Exchange::new("PATCH", &format!("{services}/s"))
            .sending(patch)
            .answered(202, None),
        Exchange::new("POST", &format!("{services}/validate")),
        Exchange::new("POST", &format!("{services}/validate/resource")),
        get(&format!("{services}/s/logs?tail=5000&init=False")),
        get(&format!(
            "/rp/workspaces{WORKSPACE}/computes/myaks?api-version=2020-02-02"
        )),
        get("https://eastus.experiments.azureml.net/discovery"),
        get(
            "/subscriptions/s/providers/Microsoft.MachineLearningServices/locations/eastus\
             /computeOperationsStatus/1?api-version=2020-02-02&service=new",
        ),
    ]
}

/// A description with the cases that the published ones lack: version 1 in OpenAPI, 2 in bicep.
fn made() -> Specs {
    let body = |name: &str| {
        json!({ "in": "body", "name": "b", "required": true,
            "schema": { "$ref": format!("#/definitions/{name}") } })
    };
    let version =
        json!({ "in": "query", "name": "api-version", "required": true, "type": "string" });
    let operation = |name: &str, answer: Value| json!({ "parameters": [version, body(name)], "responses": { "200": answer } });
    let thing = json!({ "schema": { "$ref": "#/definitions/Thing" } });
    let openapi = json!({
        "swagger": "2.0",
        "info": { "version": "1" },
        "paths": {
            "/providers/My.Provider/things/{name}": { "put": operation("Thing", thing) },
            "/providers/My.Provider/outside": { "post": operation("Near", json!({})) },
            "/providers/My.Provider/shapes": { "post": operation("Shape", json!({})) },
        },
        "definitions": {
            "Thing": {
                "required": ["etag", "size", "secret"],
                "properties": {
                    "name": { "type": "string", "readOnly": true },
                    "etag": { "type": "string", "readOnly": true },
                    "size": { "type": "integer", "format": "int32", "maximum": 5 },
                    "secret": { "type": "string", "x-ms-mutability": ["create", "update"] },
                    "note": { "type": "string", "x-nullable": true },
                },
            },
            "Near": { "properties": {
                "kind": { "$ref": "../../common-types/types.json#/definitions/Far" },
            } },
            "Shape": { "discriminator": "kind", "properties": { "kind": { "type": "string" } } },
            "Filled": { "allOf": [
                { "$ref": "#/definitions/Shape" },
                { "properties": { "colour": { "type": "string" } } },
            ] },
            "Circle": {
                "x-ms-discriminator-value": "round",
                "allOf": [
                    { "$ref": "#/definitions/Filled" },
                    { "properties": { "radius": { "type": "integer" } } },
                ],
            },
        },
    });
    let property =
        |index: u8, flags: u8| json!({ "type": { "$ref": format!("#/{index}") }, "flags": flags });
    let bicep = json!([
        { "$type": "StringType" },
        { "$type": "IntegerType", "maxValue": 5 },
        { "$type": "ObjectType", "name": "My.Provider/things", "properties": {
            "name": property(0, 9), "apiVersion": property(0, 10), "etag": property(0, 3),
            "size": property(1, 1), "secret": property(0, 5),
        } },
        { "$type": "ResourceType", "name": "My.Provider/things@2", "body": { "$ref": "#/2" } },
    ]);
    Specs::from_values(openapi, bicep).unwrap()
}

fn departing() -> Report {
    let deviation = Deviation {
        route: "PUT /a/computes/b".into(),
        direction: Request,
        json_pointer: "/properties/tls/renew".into(),
        kind: Kind::Unknown,
        what: "unknown".into(),
        value: "one".into(),
    };
    Report {
        deviations: vec![deviation],
        ..Report::default()
    }
}

fn undescribed() -> Report {
    let route = Undescribed {
        method: "GET".into(),
        path: "/rp/a".into(),
    };
    Report {
        undescribed: Some(route),
        ..Report::default()
    }
}

fn refuse(reports: &[Report], allowed: &[Allowed], routes: &[KnownRoute], text: &str) {
    let wrong = verdict(reports, allowed, routes).unwrap_err();
    assert!(wrong.contains(text), "{wrong}");
}
