//! Reading, listing and deleting models.

use super::described;
use super::on_newest;
use crate::support::plane::{self, HISTORY, MODELS, models};
use crate::support::redirect::{Reply, at};
use azureml_aks::{
    AksWebservice, Continuation, Error, ErrorKind, Model, ModelQuery, ResourceNeeds, ServiceQuery,
};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};

/// The path of `mymodel:3`.
fn third() -> String {
    models("/models/mymodel%3A3")
}

/// A read of `mymodel:3` that is answered so.
async fn read(reply: Reply) -> Result<Model, Error> {
    let mut service = plane::start().await;
    service.on("GET", &third(), reply).await;
    Model::get(&plane::workspace(&service), "mymodel:3").await
}

#[tokio::test]
async fn version_is_read_with_its_colon_escaped() {
    let mut service = plane::start().await;
    service
        .on("GET", &third(), Reply::json(200, &described(3)))
        .await;
    let model = Model::get(&plane::workspace(&service), "mymodel:3")
        .await
        .unwrap();
    assert_eq!(
        plane::lines(&service),
        [format!("GET {MODELS} {}", third())]
    );
    let seen = &plane::sent(&service)[0];
    assert!(seen.body.is_empty());
    assert!(!seen.headers.contains_key("content-type"));

    let resource = model.resource();
    assert_eq!(
        (model.id(), model.name(), model.version()),
        ("mymodel:3", "mymodel", Some(3))
    );
    assert_eq!(resource.framework.as_deref(), Some("ScikitLearn"));
    assert_eq!(resource.framework_version.as_deref(), Some("0.22"));
    assert_eq!(resource.tags["area"], "digits");
    assert_eq!(resource.properties["origin"], "here");
    assert_eq!(resource.url.as_deref(), Some("aml://asset/a1"));
    assert_eq!(resource.mime_type.as_deref(), Some("application/json"));
    assert_eq!(resource.description.as_deref(), Some("d"));
    assert_eq!(
        resource.created_time.as_deref(),
        Some("2026-01-01T00:00:00Z")
    );
    assert_eq!(
        resource.modified_time.as_deref(),
        Some("2026-01-02T00:00:00Z")
    );
    assert_eq!(resource.unpack, Some(false));
    assert_eq!(resource.run_id.as_deref(), Some("e_1"));
    assert_eq!(resource.experiment_name.as_deref(), Some("e"));
    let needs = ResourceNeeds::new().cpu(0.5).memory_gb(1.0);
    assert_eq!(resource.resource_requirements, Some(needs));
    assert_eq!(resource.other["datasets"][0]["name"], "training");
}

#[tokio::test]
async fn latest_version_is_the_highest_of_that_name_whatever_the_order() {
    let mut service = plane::start().await;
    let mut other = described(99);
    other["name"] = json!("mymodel2");
    on_newest(
        &mut service,
        "mymodel",
        json!([described(2), other, described(10), described(9)]),
    )
    .await;
    let workspace = plane::workspace(&service);
    assert_eq!(
        Model::latest(&workspace, "mymodel")
            .await
            .unwrap()
            .version(),
        Some(10)
    );
    assert_eq!(
        Model::get(&workspace, "mymodel").await.unwrap().version(),
        Some(10)
    );
    let newest = models("/models?name=mymodel&orderBy=CreatedAtDesc&latestVersionOnly=true");
    let line = format!("GET {MODELS} {newest}");
    assert_eq!(plane::lines(&service), [line.clone(), line]);
}

#[tokio::test]
async fn name_without_a_version_is_not_found() {
    for there in [json!([]), json!(null)] {
        let mut service = plane::start().await;
        on_newest(&mut service, "mymodel", there).await;
        let workspace = plane::workspace(&service);
        let error = Model::latest(&workspace, "mymodel").await.unwrap_err();
        assert!(error.is_not_found(), "{error}");
        assert!(
            Model::get_opt(&workspace, "mymodel")
                .await
                .unwrap()
                .is_none()
        );
    }
}

#[tokio::test]
async fn list_has_its_filters_in_the_query() {
    let cases = [
        (ModelQuery::new(), "orderBy=CreatedAtDesc"),
        (
            ModelQuery::new()
                .name("my model")
                .framework("Scikit+Learn")
                .description("a&b=c")
                .run_id("e_1")
                .dataset_id("d/1")
                .tag("a", "b c")
                .has_tag("d")
                .property("p", "q/r")
                .has_property("s")
                .latest_only()
                .page_size(7),
            "orderBy=CreatedAtDesc&name=my+model&framework=Scikit%2BLearn&description=a%26b%3Dc\
             &runId=e_1&datasetId=d%2F1&tags=a%3Db+c%2Cd&properties=p%3Dq%2Fr%2Cs&latestVersionOnly=true&count=7",
        ),
    ];
    for (query, expected) in cases {
        let mut service = plane::start().await;
        let target = models(&format!("/models?{expected}"));
        service
            .on(
                "GET",
                &target,
                Reply::json(200, &json!({ "value": [described(1)] })),
            )
            .await;
        let found: Vec<Model> = Model::list(&plane::workspace(&service), query)
            .try_collect()
            .await
            .unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(plane::lines(&service), [format!("GET {MODELS} {target}")]);
    }
}

#[tokio::test]
async fn pages_are_followed_at_the_own_host_whatever_host_a_link_names() {
    let mut service = plane::start().await;
    let first = models("/models?orderBy=CreatedAtDesc");
    let links = [
        json!("https://evil.example/elsewhere?$skipToken=a%2Fb&orderBy=CreatedAtDesc#x"),
        json!("http://user:pw@models.example/x?$skipToken=2"),
        json!("?$skipToken=3"),
        json!(null),
    ];
    let targets = [
        first,
        models("/models?$skipToken=a%2Fb&orderBy=CreatedAtDesc"),
        models("/models?$skipToken=2"),
        models("/models?$skipToken=3"),
    ];
    for (version, (target, link)) in targets.iter().zip(links).enumerate() {
        let page = json!({ "value": [described(version as u64 + 1)], "nextLink": link });
        service.on("GET", target, Reply::json(200, &page)).await;
    }
    let found: Vec<Model> = Model::list(&plane::workspace(&service), ModelQuery::new())
        .try_collect()
        .await
        .unwrap();
    let versions: Vec<_> = found.iter().filter_map(Model::version).collect();
    assert_eq!(versions, [1, 2, 3, 4]);
    let expected = targets.map(|target| format!("GET {MODELS} {target}"));
    assert_eq!(plane::lines(&service), expected);
    let ids: std::collections::BTreeSet<String> = plane::sent(&service)
        .iter()
        .map(|seen| seen.request_id().to_owned())
        .collect();
    assert_eq!(ids.len(), 1, "one id for the whole list");
}

#[tokio::test]
async fn continuation_stays_at_the_own_host_and_with_its_own_list() {
    let mut service = plane::start().await;
    let first = models("/models?orderBy=CreatedAtDesc");
    let second = models("/models?$skipToken=a%2Fb");
    let page = json!({
        "value": [described(1), { "name": "" }], "nextLink": "https://evil.example/x?$skipToken=a%2Fb",
    });
    let last = json!({ "value": [described(2)] });
    service
        .on("GET", &first, Reply::json(200, &page))
        .await
        .on("GET", &second, Reply::json(200, &last))
        .await;
    let list = || Model::list(&plane::workspace(&service), ModelQuery::new());
    let mut pages = list().into_pages();
    let page = pages.try_next().await.unwrap().unwrap();
    let shape: Vec<bool> = page.items.iter().map(Result::is_ok).collect();
    assert_eq!(shape, [true, false]);
    let next = page.continuation.unwrap();
    assert_eq!(next.as_str(), format!("https://{MODELS}{second}"));

    let before = plane::sent(&service).len();
    let next: Continuation = next.as_str().parse().unwrap();
    let found: Vec<Model> = list().continue_from(&next).try_collect().await.unwrap();
    assert_eq!(found[0].version(), Some(2));
    let sent = plane::lines(&service).split_off(before);
    assert_eq!(sent, [format!("GET {MODELS} {second}")]);

    // Where the continuation of a list of models is not to be used.
    let before = plane::sent(&service).len();
    let services = AksWebservice::list(&plane::workspace(&service), ServiceQuery::new());
    let error = services.continue_from(&next).try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation, "{error}");
    for (url, kind) in [
        (
            format!("https://evil.example{second}"),
            ErrorKind::UntrustedUrl,
        ),
        (format!("https://{HISTORY}{second}"), ErrorKind::Validation),
        (
            format!("https://{MODELS}/x?$skipToken=1"),
            ErrorKind::Validation,
        ),
    ] {
        let next: Continuation = url.parse().unwrap();
        let mut list = list().continue_from(&next);
        let error = list.try_next().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{url}: {error}");
        assert!(list.next().await.is_none(), "{url}");
    }
    assert_eq!(plane::sent(&service).len(), before, "nothing was sent");
}

#[tokio::test]
async fn list_finds_its_host_when_it_is_first_read() {
    let mut service = plane::start().await;
    let target = models("/models?orderBy=CreatedAtDesc");
    let page = json!({ "value": [described(1)] });
    service.on("GET", &target, Reply::json(200, &page)).await;
    let mut list = Model::list(&plane::workspace(&service), ModelQuery::new());
    assert!(service.seen().is_empty());
    assert!(list.try_next().await.unwrap().is_some());
    assert_eq!(
        service.seen().len(),
        3,
        "the workspace, its hosts, the list"
    );

    service.on("GET", &at(""), Reply::empty(403)).await;
    let mut list = Model::list(&plane::workspace(&service), ModelQuery::new());
    let error = list.next().await.unwrap().unwrap_err();
    assert_eq!(error.http_status(), Some(403));
    assert!(list.next().await.is_none());
}

#[tokio::test]
async fn lists_that_go_round_or_lead_nowhere_end_with_an_error() {
    for (link, why) in [
        ("https://models.example/x", "does not say which page"),
        ("https://models.example/x?", "does not say which page"),
        ("nonsense", "does not say which page"),
        ("/models?orderBy=CreatedAtDesc", "pages of the list repeat"),
    ] {
        let mut service = plane::start().await;
        let target = models("/models?orderBy=CreatedAtDesc");
        let page = json!({ "value": [described(1)], "nextLink": link });
        service.on("GET", &target, Reply::json(200, &page)).await;
        let list = Model::list(&plane::workspace(&service), ModelQuery::new());
        let items: Vec<Result<Model, Error>> = list.collect().await;
        assert_eq!(items.len(), 2, "{link}");
        assert!(items[0].is_ok(), "what was read before is given");
        let error = items[1].as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.to_string().contains(why), "{link}: {error}");
    }
}

#[tokio::test]
async fn model_that_cannot_be_read_does_not_hide_the_others() {
    let mut service = plane::start().await;
    let target = models("/models?orderBy=CreatedAtDesc");
    let odd = json!([described(1), 7, { "name": 7 }, { "name": "x" }, null, described(2)]);
    service
        .on("GET", &target, Reply::json(200, &json!({ "value": odd })))
        .await;
    let list = Model::list(&plane::workspace(&service), ModelQuery::new());
    let items: Vec<Result<Model, Error>> = list.collect().await;
    let shape: Vec<Option<u64>> = items
        .iter()
        .map(|item| item.as_ref().ok().and_then(Model::version))
        .collect();
    assert_eq!(shape, [Some(1), None, None, None, None, Some(2)]);
    for error in items.iter().filter_map(|item| item.as_ref().err()) {
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    }
}

#[tokio::test]
async fn refusal_says_all_that_the_service_said() {
    let refusal = json!({
        "code": "NotFound", "statusCode": 404, "message": "no such model",
        "details": [{ "code": "ModelGone", "message": "it was deleted" }],
        "correlation": { "RequestId": "r-1" },
    });
    let reply = Reply::json(404, &refusal).header("x-ms-request-id", "r-2");
    let error = read(reply).await.unwrap_err();
    assert!(error.is_not_found());
    assert_eq!(error.kind(), ErrorKind::Service);
    assert_eq!(error.code(), Some("ModelGone"));
    assert_eq!(error.request_id(), Some("r-2"));
    let text = error.to_string();
    for part in [
        "read model \"mymodel:3\"",
        "no such model",
        "it was deleted",
    ] {
        assert!(text.contains(part), "{text}");
    }
    for (status, check) in [
        (401, Error::http_status as fn(&Error) -> Option<u16>),
        (403, Error::http_status),
        (429, Error::http_status),
        (500, Error::http_status),
    ] {
        let error = read(Reply::json(status, &refusal)).await.unwrap_err();
        assert_eq!(check(&error), Some(status), "{error}");
    }
}

#[tokio::test]
async fn odd_answers_are_read_or_are_errors_that_say_so() {
    let fine: [Value; 4] = [
        json!({ "name": "mymodel", "version": 3 }),
        json!({ "name": "mymodel", "id": "mymodel:3", "version": "3", "kvTags": null }),
        json!({ "name": "mymodel", "id": "", "version": 3, "kvTags": [], "properties": "x" }),
        json!({ "name": "mymodel", "id": 7, "version": 3, "unpack": "no", "framework": {} }),
    ];
    for body in fine {
        let model = read(Reply::json(200, &body)).await.unwrap();
        assert_eq!(model.id(), "mymodel:3", "{body}");
    }
    let marked = [
        b"\xEF\xBB\xBF".as_slice(),
        described(3).to_string().as_bytes(),
    ]
    .concat();
    assert!(read(Reply::new(200, marked)).await.is_ok());
    for body in [
        "",
        "null",
        "[]",
        "7",
        "\"x\"",
        "{}",
        "<html><body>login</body></html>",
        "{\"name\":\"mymodel\"",
        "{\"name\":null}",
        "{\"name\":\"mymodel\"}",
        "{\"version\":3}",
        "{\"name\":\"mymodel\",\"version\":-1}",
        "\u{0}",
    ] {
        let error = read(Reply::new(200, body)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{body:?}: {error}");
        assert!(error.to_string().contains("mymodel:3"), "{error}");
    }
    let html = read(Reply::new(502, "<html>Bad Gateway</html>"))
        .await
        .unwrap_err();
    assert_eq!(html.kind(), ErrorKind::Service);
    assert!(html.to_string().contains("Bad Gateway"), "{html}");
    let huge = format!("{{\"name\":\"{}\"}}", "x".repeat(5 << 20));
    let error = read(Reply::new(200, huge)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn body_that_breaks_off_is_read_again_and_then_is_no_answer() {
    let mut service = plane::start().await;
    service
        .on(
            "GET",
            &third(),
            Reply::new(200, "{\"name\":\"my").breaks_off(),
        )
        .await
        .on("GET", &third(), Reply::json(200, &described(3)))
        .await;
    let workspace = plane::patient(&service).build().unwrap();
    assert_eq!(
        Model::get(&workspace, "mymodel:3").await.unwrap().id(),
        "mymodel:3"
    );
    assert_eq!(plane::lines(&service).len(), 2);

    let error = read(Reply::new(200, "{\"name\":\"my").breaks_off())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
}

#[tokio::test]
async fn version_is_deleted_and_one_that_is_gone_is_a_success() {
    for (reply, expected) in [
        (Reply::empty(200), None),
        (Reply::empty(204), None),
        (
            Reply::json(404, &json!({ "code": "NotFound", "statusCode": 404 })),
            None,
        ),
        (
            Reply::json(
                409,
                &json!({ "code": "Conflict", "message": "a service uses it" }),
            ),
            Some(409),
        ),
        (Reply::empty(500), Some(500)),
    ] {
        let mut service = plane::start().await;
        service
            .on("GET", &third(), Reply::json(200, &described(3)))
            .await
            .on("DELETE", &third(), reply)
            .await;
        let model = Model::get(&plane::workspace(&service), "mymodel:3")
            .await
            .unwrap();
        let result = model.delete().await;
        assert_eq!(result.err().and_then(|error| error.http_status()), expected);
        let line = format!("DELETE {MODELS} {}", third());
        assert_eq!(plane::lines(&service)[1..], [line]);
        let seen = plane::sent(&service).pop().unwrap();
        assert!(seen.body.is_empty() && !seen.headers.contains_key("content-type"));
    }
}

#[tokio::test]
async fn model_that_is_not_there_is_distinguished_from_a_workspace_that_is_not() {
    let mut service = plane::start().await;
    service.on("GET", &third(), Reply::empty(404)).await;
    let workspace = plane::workspace(&service);
    assert!(
        Model::get_opt(&workspace, "mymodel:3")
            .await
            .unwrap()
            .is_none()
    );
    // Found before, and not asked for again.
    let asked = service
        .seen()
        .iter()
        .filter(|seen| seen.target == at(""))
        .count();
    assert_eq!(asked, 1);
}
