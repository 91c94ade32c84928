//! Lists.

use super::*;

async fn names(emulator: &Emulator, query: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = Some(url(emulator, &format!("/services{query}")));
    while let Some(target) = next {
        let reply = read(emulator, &target).await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        let page = reply.body["value"].as_array().unwrap();
        assert!(page.len() <= 2, "a page has at most two");
        names.extend(page.iter().map(|s| s["name"].as_str().unwrap().to_owned()));
        next = reply
            .body
            .get("nextLink")
            .map(|link| link.as_str().unwrap().to_owned());
    }
    names
}

#[tokio::test(start_paused = true)]
async fn lists_are_filtered_ordered_and_paged() {
    let emulator = with_compute(manual().page_size(2)).await;
    for (name, model, tags) in [
        ("one", "mymodel:1", json!({ "k": "1", "a": "b" })),
        ("two", "mymodel:2", json!({ "k": "2" })),
        ("three", "other:1", json!({ "a": "b" })),
    ] {
        let members = json!({
            "kvTags": tags, "properties": { "p": name },
            "environmentImageRequest": { "modelIds": [model] },
        });
        deploy(&emulator, no_code_with(name, &members)).await;
        emulator.advance(std::time::Duration::from_secs(60));
    }
    assert_eq!(
        patch(&emulator, "one", replace("/description", json!("d")))
            .await
            .status,
        200
    );
    for (query, expected) in [
        ("", &["three", "two", "one"][..]),
        (
            "?orderby=CreatedAtAsc&expand=true",
            &["one", "two", "three"],
        ),
        ("?orderby=UpdatedAtDesc", &["one", "three", "two"]),
        ("?orderby=UpdatedAtAsc", &["two", "three", "one"]),
        ("?count=1", &["three", "two", "one"]),
        (
            "?computeType=aks&orderby=CreatedAtAsc",
            &["one", "two", "three"],
        ),
        ("?computeType=ACI", &[]),
        ("?modelName=mymodel", &["two", "one"]),
        ("?modelId=mymodel%3A1", &["one"]),
        ("?name=two", &["two"]),
        ("?tags=k,a%3Db", &["one"]),
        ("?tags=a%3Db", &["three", "one"]),
        ("?tags=k%3D2", &["two"]),
        ("?properties=p%3Dthree", &["three"]),
        ("?imageName=x", &[]),
        ("?imageId=x", &[]),
        ("?imageDigest=x", &[]),
    ] {
        assert_eq!(names(&emulator, query).await, expected, "{query}");
    }
    let first = call(&emulator, Method::Get, "/services?tags=a%3Db&count=1", None)
        .await
        .body;
    let link = first["nextLink"].as_str().unwrap();
    assert!(link.contains("tags=a%3Db&count=1&%24skipToken=1"), "{link}");
    for bad in [
        "?count=0",
        "?count=x",
        "?orderby=Name",
        "?computeType=VM",
        "?top=1",
        "?expand=1",
    ] {
        let reply = call(&emulator, Method::Get, &format!("/services{bad}"), None).await;
        assert_eq!(reply.status, 400, "{bad}");
    }
}
