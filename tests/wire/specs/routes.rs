//! The checker's view of what surrounds a body: address, query, status, headers, routes.

use std::path::Path;

use crate::support::specs::{
    Direction::{Request, Response},
    Exchange,
    Kind::{
        AddressOnly, ApiVersion, Method, Missing, NotListed, Null, Pattern, Status, Unknown,
        WrongType,
    },
    Specs,
    fixture::{PUBLISHED, TODAY, WORKSPACE, expect, put, set},
};
use serde_json::{Value, json};

#[test]
fn address_is_held_to_the_description() {
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
fn web_service_is_held_to_the_data_plane_whose_version_is_in_its_path() {
    let target = format!("/modelmanagement/v1.0{WORKSPACE}/services");
    let create = |body: Value| {
        Exchange::new("POST", &target)
            .sending(body)
            .answered(202, None)
    };
    // The leaf for AKS is two steps below the base, over one that stands for no kind.
    let mut body = json!({
        "name": "s",
        "computeType": "AKS",
        "computeName": "myaks",
        "numReplicas": 1,
        "autoScaler": { "autoscaleEnabled": true, "minReplicas": 1, "maxReplicas": 3 },
        "environmentImageRequest": { "modelIds": ["m:1"] },
    });
    expect(&create(body.clone()), &[]);
    set(&mut body, "/autoScaler/surprise", Some(json!(1)));
    set(&mut body, "/numReplicas", Some(json!("1")));
    let expected = [
        (Request, "/autoScaler/surprise", Unknown),
        (Request, "/numReplicas", WrongType),
    ];
    expect(&create(body), &expected);
    let expand = |value: &str| {
        let body = json!({ "name": "s", "computeType": "AKS" });
        Exchange::new("GET", &format!("{target}/s?expand={value}")).answered(200, Some(body))
    };
    expect(&expand("true"), &[]);
    // Python's spelling of a boolean.
    expect(&expand("True"), &[(Request, "query:expand", WrongType)]);
}

#[test]
fn routes_and_methods_without_a_description_are_distinguished() {
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
