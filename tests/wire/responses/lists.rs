//! Lists, their pages and their continuations.

use super::*;

#[tokio::test]
async fn list_keeps_unknown_kinds_and_an_unreadable_item_takes_no_other_with_it() {
    let page = json!({ "value": [
        { "name": "a", "properties": { "computeType": "Quantum", "properties": { "qubits": [1] } } },
        { "name": "b", "properties": { "computeType": "AKS", "properties": { "agentCount": "three" } } },
        "no object",
        { "name": "c", "properties": { "computeType": "AKS", "properties": { "agentCount": 3 } } },
        { "name": "d" },
        { "name": "e", "properties": null, "extra": {} },
    ] });
    let mut service = Service::start().await;
    service
        .on("GET", &at("/computes"), Reply::json(200, &page))
        .await;
    let items: Vec<_> = service.workspace().computes().collect().await;
    assert_eq!(items.len(), 6);
    let names: Vec<_> = items
        .iter()
        .flatten()
        .map(|item| item.name().as_str())
        .collect();
    // A member with a wrong type is passed over. An item that is not a compute is an error in its place.
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    let quantum = items[0].as_ref().unwrap();
    assert_eq!(quantum.compute_type(), "Quantum");
    assert_eq!(quantum.properties()["qubits"][0], 1);
    let odd = AksCompute::try_from(items[1].as_ref().unwrap().clone()).unwrap();
    assert_eq!(odd.properties().agent_count, None);
    let even = AksCompute::try_from(items[3].as_ref().unwrap().clone()).unwrap();
    assert_eq!(even.properties().agent_count, Some(3));
    let error = items[2].as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn list_ends_at_a_blank_next_link() {
    for body in [
        r#"{"value":[{"name":"a"}]}"#,
        r#"{"value":[{"name":"a"}],"nextLink":null}"#,
        r#"{"value":[{"name":"a"}],"nextLink":""}"#,
        r#"{"value":[{"name":"a"}],"nextLink":" "}"#,
    ] {
        let mut service = Service::start().await;
        service
            .on("GET", &at("/computes"), Reply::new(200, body))
            .await;
        let items: Vec<_> = service.workspace().computes().collect().await;
        assert!(items.len() == 1 && items[0].is_ok(), "{body}");
    }
    for body in ["{}", r#"{"value":[]}"#, r#"{"value":null}"#] {
        let mut service = Service::start().await;
        service
            .on("GET", &at("/computes"), Reply::new(200, body))
            .await;
        let items: Vec<_> = service.workspace().computes().collect().await;
        assert!(items.is_empty(), "{body}: {items:?}");
    }
}

#[tokio::test]
async fn link_that_cannot_be_followed_costs_nothing_that_was_read() {
    for (link, kind) in [
        ("nextLink".to_owned(), ErrorKind::Protocol),
        (format!("{ARM}{}", at("/computes")), ErrorKind::Protocol),
        (
            "https://evil.example/computes".to_owned(),
            ErrorKind::UntrustedUrl,
        ),
        (
            "http://management.azure.com/computes".to_owned(),
            ErrorKind::UntrustedUrl,
        ),
    ] {
        let mut service = Service::start().await;
        let page = json!({"value": [{"name": "a"}, {"name": "b"}], "nextLink": link});
        service
            .on("GET", &at("/computes"), Reply::json(200, &page))
            .await;
        let items: Vec<_> = service.workspace().computes().collect().await;
        assert_eq!(items.len(), 3, "{link}");
        assert!(items[0].is_ok() && items[1].is_ok(), "{link}: {items:?}");
        assert_eq!(items[2].as_ref().unwrap_err().kind(), kind, "{link}");
        assert_eq!(service.seen().len(), 1, "{link}");
    }
}

/// Serves a list of three pages, and returns their targets. The pages have `a` and `b`; `c` and an item
/// that is not a compute; `d`.
async fn three_pages() -> (Service, [String; 3]) {
    let second = format!("{}&%24skiptoken=a%2Fb+c%3d", at("/Computes"));
    let third = "/elsewhere?x=1&$skiptoken=2".to_owned();
    let targets = [at("/computes"), second, third];
    let values = [
        json!([{ "name": "a" }, { "name": "b" }]),
        json!([{ "name": "c" }, "no object"]),
        json!([{ "name": "d" }]),
    ];
    let links = [
        json!(format!("{ARM}{}", targets[1])),
        json!(targets[2]),
        Value::Null,
    ];
    let mut service = Service::start().await;
    for ((target, value), link) in targets.iter().zip(values).zip(links) {
        let page = json!({ "value": value, "nextLink": link });
        service.on("GET", target, Reply::json(200, &page)).await;
    }
    (service, targets)
}

/// The names of the items of a page; `None` for one that cannot be read.
fn names(page: &Page<AnyCompute>) -> Vec<Option<&str>> {
    let items = page.items.iter().map(|item| item.as_ref().ok());
    items
        .map(|item| item.map(|item| item.name().as_str()))
        .collect()
}

#[tokio::test]
async fn pages_have_their_items_and_the_link_to_the_next_one() {
    let (service, targets) = three_pages().await;
    let mut pages = service.workspace().computes().into_pages();
    assert!(service.seen().is_empty(), "nothing is sent at first");
    let first = pages.next().await.unwrap().unwrap();
    assert_eq!(
        service.seen().len(),
        1,
        "a page is read when it is asked for"
    );
    let rest: Vec<_> = pages.by_ref().try_collect().await.unwrap();
    assert!(pages.next().await.is_none(), "the end stays the end");
    let [second, third] = &rest[..] else {
        panic!("{rest:?}");
    };
    let (a, b, c, d) = (Some("a"), Some("b"), Some("c"), Some("d"));
    assert_eq!(names(&first), [a, b]);
    assert_eq!(names(second), [c, None]);
    assert_eq!(names(third), [d]);
    let links = [&first, second, third].map(|page| page.continuation.clone());
    let links = links.map(|link| link.map(|link| link.to_string()));
    let expected = [&targets[1], &targets[2]].map(|target| Some(format!("{ARM}{target}")));
    assert_eq!(links[..2], expected);
    assert_eq!(links[2], None);
    let sent = service.seen().into_iter().map(|seen| seen.target);
    assert_eq!(sent.collect::<Vec<_>>(), targets);
}

#[tokio::test]
async fn list_goes_on_at_a_stored_continuation_byte_for_byte() {
    let (service, targets) = three_pages().await;
    let first = service.workspace().computes().into_pages().next().await;
    let stored = first.unwrap().unwrap().continuation.unwrap();
    let read: Continuation = stored.to_string().parse().unwrap();
    assert_eq!((&read, read.as_str()), (&stored, stored.as_str()));

    let before = service.seen().len();
    let list = service.workspace().computes().continue_from(&read);
    let items: Vec<_> = list.collect().await;
    let found: Vec<_> = items
        .iter()
        .flatten()
        .map(|item| item.name().as_str())
        .collect();
    assert_eq!((items.len(), found), (3, vec!["c", "d"]));
    let sent = service.seen().into_iter().skip(before);
    let sent: Vec<_> = sent.map(|seen| seen.target).collect();
    assert_eq!(sent, targets[1..]);
}

#[tokio::test]
async fn list_that_was_begun_gives_its_rest_as_the_first_page() {
    let (service, targets) = three_pages().await;
    let mut list = service.workspace().computes();
    assert_eq!(list.try_next().await.unwrap().unwrap().name().as_str(), "a");
    let pages: Vec<_> = list.into_pages().try_collect().await.unwrap();
    let found: Vec<_> = pages.iter().map(names).collect();
    let (b, c, d) = (Some("b"), Some("c"), Some("d"));
    assert_eq!(found, [vec![b], vec![c, None], vec![d]]);
    let next = pages[0].continuation.as_ref().unwrap().clone();
    assert_eq!(next.as_str(), format!("{ARM}{}", targets[1]));
    assert_eq!(service.seen().len(), 3, "no page is read twice");

    // A page that is used up gives no empty one.
    let mut list = service.workspace().computes();
    for _ in 0..2 {
        list.try_next().await.unwrap().unwrap();
    }
    let first = list.into_pages().next().await.unwrap().unwrap();
    assert_eq!(names(&first), [c, None]);

    // What was begun is dropped when the list goes on elsewhere.
    let mut list = service.workspace().computes();
    list.try_next().await.unwrap().unwrap();
    let last = pages[1].continuation.as_ref().unwrap();
    let mut list = list.continue_from(last);
    assert_eq!(list.try_next().await.unwrap().unwrap().name().as_str(), "d");
}

#[tokio::test]
async fn continuation_that_leads_outside_is_refused_and_nothing_is_sent() {
    for url in [
        "https://evil.example/computes?$skiptoken=CANARY",
        "http://management.azure.com/computes?$skiptoken=CANARY",
        "https://management.azure.com:444/computes?$skiptoken=CANARY",
        "https://CANARY:CANARY@management.azure.com/computes",
        "data:CANARY",
    ] {
        let (service, _) = three_pages().await;
        let continuation: Continuation = url.parse().unwrap();
        let mut list = service.workspace().computes().continue_from(&continuation);
        let error = list.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UntrustedUrl, "{url}");
        let shown = format!("{error} {error:?} {list:?} {continuation:?}");
        let opaque = url.starts_with("data:");
        assert!(opaque || !shown.contains("CANARY"), "{shown}");
        assert!(list.next().await.is_none(), "{url}");
        let mut pages = service.workspace().computes();
        pages = pages.continue_from(&continuation);
        assert!(pages.into_pages().next().await.unwrap().is_err(), "{url}");
        assert!(service.seen().is_empty(), "{url}");
    }
    for text in ["", "CANARY", "/computes?$skiptoken=CANARY", "https://"] {
        let error = text.parse::<Continuation>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation, "{text}");
        assert!(
            !format!("{error} {error:?}").contains("CANARY"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn continuations_show_no_query() {
    let text = "https://management.azure.com/computes?api-version=1&$skiptoken=secret#end";
    let continuation: Continuation = text.parse().unwrap();
    let shown = format!("{continuation:?}");
    assert_eq!(
        shown,
        r#"Continuation("https://management.azure.com/computes")"#
    );
}

#[tokio::test]
async fn error_of_a_page_ends_items_and_pages() {
    let mut service = Service::start().await;
    let page = json!({"value": [{"name": "a"}], "nextLink": format!("{ARM}/next")});
    service
        .on("GET", &at("/computes"), Reply::json(200, &page))
        .await
        .on("GET", "/next", Reply::empty(403))
        .await;
    let mut list = service.workspace().computes();
    assert!(list.next().await.unwrap().is_ok());
    let error = list.next().await.unwrap().unwrap_err();
    assert_eq!(error.http_status(), Some(403));
    let mut pages = service.workspace().computes().into_pages();
    assert!(pages.next().await.unwrap().is_ok());
    let error = pages.next().await.unwrap().unwrap_err();
    assert_eq!(error.http_status(), Some(403));
    let sent = service.seen().len();
    for _ in 0..2 {
        assert!(list.next().await.is_none());
        assert!(pages.next().await.is_none());
    }
    assert_eq!(service.seen().len(), sent);
}

#[tokio::test]
async fn page_whose_link_cannot_be_followed_is_given_before_the_error() {
    let mut service = Service::start().await;
    let page = json!({"value": [{"name": "a"}], "nextLink": "https://evil.example/computes"});
    service
        .on("GET", &at("/computes"), Reply::json(200, &page))
        .await;
    let mut pages = service.workspace().computes().into_pages();
    let page = pages.next().await.unwrap().unwrap();
    assert_eq!(names(&page), [Some("a")]);
    assert_eq!(page.continuation, None);
    let error = pages.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UntrustedUrl);
    assert!(pages.next().await.is_none());
}
