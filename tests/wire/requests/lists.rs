//! Lists.

use super::*;

#[tokio::test]
async fn list_follows_next_link_byte_for_byte_with_one_request_id() {
    let mut service = Service::start().await;
    let second = format!("{WORKSPACE}/computes?%24skipToken=a%2Bb%3D%3D&api-version=2020-01-01");
    let third = "/elsewhere/East%20US?x=+&x=%20".to_owned();
    let page = |name: &str, next: Value| {
        Reply::json(
            200,
            &json!({"value": [{"name": name, "properties": {"computeType": "AKS"}}], "nextLink": next}),
        )
    };
    service
        .on(
            "GET",
            &at("/computes"),
            page("a", format!("{ARM}{second}").into()),
        )
        .await;
    service
        .on("GET", &second, page("b", format!("{ARM}{third}").into()))
        .await;
    service.on("GET", &third, page("c", Value::Null)).await;

    let computes = service.workspace().computes();
    let names: Vec<String> = computes
        .map_ok(|compute| compute.name().to_string())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(names, ["a", "b", "c"]);
    let targets: Vec<_> = service.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, [at("/computes"), second, third]);
    let seen = service.seen();
    assert!(seen.iter().all(|s| s.request_id() == seen[0].request_id()));
}

#[tokio::test]
async fn list_asks_for_a_page_only_when_the_one_before_is_used_up() {
    let mut service = Service::start().await;
    let page = json!({"value": [{"name": "a"}, {"name": "b"}], "nextLink": format!("{ARM}/next")});
    service
        .on("GET", &at("/computes"), Reply::json(200, &page))
        .await;
    let mut computes = service.workspace().computes();
    assert!(service.seen().is_empty());
    for _ in 0..2 {
        computes.next().await.unwrap().unwrap();
    }
    assert_eq!(service.lines(), [format!("GET {}", at("/computes"))]);
}
