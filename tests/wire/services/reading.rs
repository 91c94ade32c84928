//! Reading and listing services, and their logs.

use super::{at_service, described, with_service};
use crate::support::plane::{self, MODELS, models};
use crate::support::redirect::{Reply, at};
use azureml_aks::{AksWebservice, Error, ErrorKind, LogOptions, ServiceQuery};
use futures::{StreamExt, TryStreamExt};
use serde_json::json;

#[tokio::test]
async fn service_is_read_with_its_models() {
    let (service, handle) = with_service("Healthy").await;
    assert_eq!(
        plane::lines(&service),
        [format!("GET {MODELS} {}", at_service())]
    );
    assert!(plane::sent(&service)[0].body.is_empty());
    assert_eq!(handle.name().as_str(), "s-1");
    assert_eq!(handle.workspace().id().name(), "ws");
}

#[tokio::test]
async fn names_of_existing_services_are_taken_as_they_are_unless_they_change_the_path() {
    let mut service = plane::start().await;
    let target = models("/services/My_Old.Service?expand=true");
    let body = json!({ "name": "My_Old.Service" });
    service.on("GET", &target, Reply::json(200, &body)).await;
    let workspace = plane::workspace(&service);
    let handle = AksWebservice::get(&workspace, "My_Old.Service").await;
    assert_eq!(handle.unwrap().name().as_str(), "My_Old.Service");
    for name in ["", "..", "a/b", ".", "a b", "a%2Fb", "a?b"] {
        let error = AksWebservice::get(&workspace, name).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation, "{name:?}: {error}");
    }
    assert_eq!(plane::lines(&service), [format!("GET {MODELS} {target}")]);
}

#[tokio::test]
async fn list_has_its_filters_in_the_query() {
    let usual = "expand=true&computeType=AKS&orderby=CreatedAtDesc";
    let cases = [
        (ServiceQuery::new(), usual.to_owned()),
        (
            ServiceQuery::new()
                .model_name("my model")
                .model_id("mymodel:3")
                .image_id("i:1")
                .tag("a", "b")
                .has_tag("c")
                .property("p", "q&r")
                .has_property("s")
                .page_size(5),
            format!(
                "{usual}&modelName=my+model&modelId=mymodel%3A3&imageId=i%3A1&tags=a%3Db%2Cc\
                 &properties=p%3Dq%26r%2Cs&count=5"
            ),
        ),
    ];
    for (query, expected) in cases {
        let mut service = plane::start().await;
        let target = models(&format!("/services?{expected}"));
        let page = json!({ "value": [described("Healthy")] });
        service.on("GET", &target, Reply::json(200, &page)).await;
        let found: Vec<AksWebservice> = AksWebservice::list(&plane::workspace(&service), query)
            .try_collect()
            .await
            .unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(plane::lines(&service), [format!("GET {MODELS} {target}")]);
    }
}

#[tokio::test]
async fn pages_of_a_list_stay_at_their_own_host_and_one_odd_service_hides_no_other() {
    let mut service = plane::start().await;
    let first = models("/services?expand=true&computeType=AKS&orderby=CreatedAtDesc");
    let second = models("/services?$skipToken=x%2By&expand=true");
    let mut other = described("Healthy");
    other["computeType"] = json!("ACI");
    let page = json!({
        "value": [described("Healthy"), 7, { "name": "" }, other],
        "nextLink": "https://evil.example/y?$skipToken=x%2By&expand=true",
    });
    let last = json!({ "value": [described("Failed")], "nextLink": null });
    service
        .on("GET", &first, Reply::json(200, &page))
        .await
        .on("GET", &second, Reply::json(200, &last))
        .await;
    let list = AksWebservice::list(&plane::workspace(&service), ServiceQuery::new());
    let items: Vec<Result<AksWebservice, Error>> = list.collect().await;
    let kinds: Vec<Option<ErrorKind>> = items
        .iter()
        .map(|item| item.as_ref().err().map(Error::kind))
        .collect();
    let (garbled, other) = (Some(ErrorKind::Protocol), Some(ErrorKind::Refused));
    assert_eq!(kinds, [None, garbled, garbled, other, None]);
    assert_eq!(
        plane::lines(&service),
        [
            format!("GET {MODELS} {first}"),
            format!("GET {MODELS} {second}")
        ]
    );
}

#[tokio::test]
async fn logs_are_asked_for_by_lines_and_container() {
    let (mut service, handle) = with_service("Healthy").await;
    for (options, query) in [
        (LogOptions::new(), "tail=5000&init=false"),
        (LogOptions::new().tail(7).init(), "tail=7&init=true"),
    ] {
        let target = models(&format!("/services/s-1/logs?{query}"));
        let content = json!({ "content": "größer\nzwei\n" });
        service.on("GET", &target, Reply::json(200, &content)).await;
        assert_eq!(handle.logs(options).await.unwrap(), "größer\nzwei\n");
        let line = format!("GET {MODELS} {target}");
        assert_eq!(plane::lines(&service).last(), Some(&line));
    }
}

#[tokio::test]
async fn logs_that_are_not_there_are_empty_and_odd_ones_are_errors() {
    let target = models("/services/s-1/logs?tail=5000&init=false");
    for (reply, expected) in [
        (Reply::new(200, "{}"), None),
        (Reply::new(200, "{\"content\":null}"), None),
        (
            Reply::new(200, "{\"content\":[]}"),
            Some(ErrorKind::Protocol),
        ),
        (Reply::new(200, "text"), Some(ErrorKind::Protocol)),
        (Reply::new(200, "[]"), Some(ErrorKind::Protocol)),
        (Reply::empty(204), Some(ErrorKind::Protocol)),
        (Reply::empty(404), Some(ErrorKind::Service)),
    ] {
        let (mut service, handle) = with_service("Healthy").await;
        service.on("GET", &target, reply).await;
        let result = handle.logs(LogOptions::new()).await;
        match (result, expected) {
            (Ok(text), None) => assert_eq!(text, ""),
            (Err(error), Some(kind)) => {
                assert_eq!(error.kind(), kind, "{error}");
                assert!(
                    error.to_string().contains("logs of service \"s-1\""),
                    "{error}"
                );
            }
            (other, _) => panic!("{other:?}"),
        }
    }
    // Logs may be long, longer than any document.
    let (mut service, handle) = with_service("Healthy").await;
    let long = "x".repeat(5 << 20);
    service
        .on(
            "GET",
            &target,
            Reply::json(200, &json!({ "content": long })),
        )
        .await;
    assert_eq!(handle.logs(LogOptions::new()).await.unwrap().len(), 5 << 20);
}

#[tokio::test]
async fn service_that_is_not_there_is_distinguished_from_a_workspace_that_is_not() {
    let mut service = plane::start().await;
    service.on("GET", &at_service(), Reply::empty(404)).await;
    let workspace = plane::workspace(&service);
    assert!(
        AksWebservice::get_opt(&workspace, "s-1")
            .await
            .unwrap()
            .is_none()
    );
    let error = AksWebservice::get(&workspace, "s-1").await.unwrap_err();
    assert!(error.is_not_found());
    let asked = service
        .seen()
        .iter()
        .filter(|seen| seen.target == at(""))
        .count();
    assert_eq!(asked, 1);
}

#[tokio::test]
async fn refresh_that_fails_keeps_what_was_read_before() {
    let (mut service, mut handle) = with_service("Healthy").await;
    service.on("GET", &at_service(), Reply::empty(500)).await;
    let refused = handle.refresh_state().await.unwrap_err();
    assert_eq!(refused.http_status(), Some(500));
    assert_eq!(handle.state().unwrap().as_str(), "Healthy");
    service
        .on("GET", &at_service(), Reply::json(200, &described("Failed")))
        .await;
    handle.refresh_state().await.unwrap();
    assert_eq!(handle.state().unwrap().as_str(), "Failed");
}
