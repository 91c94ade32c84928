//! Patches.

use super::*;

#[tokio::test(start_paused = true)]
async fn patch_of_what_describes_a_service_is_done_at_once() {
    let emulator = with_compute(manual()).await;
    let members = json!({ "kvTags": { "a": "b" }, "properties": { "p": "q" } });
    deploy(&emulator, no_code_with("myservice", &members)).await;
    let steps = json!([
        { "op": "replace", "path": "/kvTags", "value": { "c": "d" } },
        { "op": "add", "path": "/kvTags/e", "value": "f" },
        { "op": "remove", "path": "/kvTags/c" },
        { "op": "add", "path": "/properties/p", "value": "q" },
        { "op": "add", "path": "/properties/r", "value": "s" },
        { "op": "replace", "path": "/description", "value": "d" },
    ]);
    let reply = patch(&emulator, "myservice", steps).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    assert!(reply.header("operation-location").is_none());
    assert_eq!(reply.body["kvTags"], json!({ "e": "f" }));
    assert_eq!(reply.body["properties"], json!({ "p": "q", "r": "s" }));
    assert_eq!(reply.body["description"], "d");
    assert_eq!(reply.body["state"], "Healthy");
    assert!(reply.body["updatedTime"].is_string());
}

#[tokio::test(start_paused = true)]
async fn patch_of_anything_else_is_an_operation() {
    let emulator = with_compute(manual()).await;
    deploy(&emulator, no_code("myservice")).await;
    for (steps, pointer, expected) in [
        (
            replace("/autoScaler/maxReplicas", json!(3)),
            "/autoScaler/maxReplicas",
            json!(3),
        ),
        (
            replace("/scoringTimeoutMs", json!(1)),
            "/scoringTimeoutMs",
            json!(1),
        ),
        (
            replace("/containerResourceRequirements/cpu", json!(0.2)),
            "/containerResourceRequirements/cpu",
            json!(0.2),
        ),
        (
            replace(
                "/environmentImageRequest",
                json!({ "modelIds": ["mymodel:2"] }),
            ),
            "/environmentImageRequest/modelIds/0",
            json!("mymodel:2"),
        ),
        (
            replace("/autoScaler/autoscaleEnabled", json!(false)),
            "/numReplicas",
            json!(1),
        ),
        (replace("/numReplicas", json!(2)), "/numReplicas", json!(2)),
        (
            replace("/autoScaler/autoscaleEnabled", json!(true)),
            "/numReplicas",
            json!(1),
        ),
        (
            json!([
                { "op": "replace", "path": "/authEnabled", "value": false },
                { "op": "replace", "path": "/aadAuthEnabled", "value": true },
                { "op": "replace", "path": "/description", "value": "tokens" },
            ]),
            "/aadAuthEnabled",
            json!(true),
        ),
    ] {
        let before = emulator.service("myservice").unwrap();
        let reply = patch(&emulator, "myservice", steps.clone()).await;
        assert_eq!(reply.status, 202, "{steps}: {:?}", reply.body);
        let during = emulator.service("myservice").unwrap();
        assert_eq!(during["state"], "Transitioning");
        assert_eq!(during.pointer(pointer), before.pointer(pointer), "{steps}");
        emulator.finish_operations();
        let after = emulator.service("myservice").unwrap();
        assert_eq!(after.pointer(pointer), Some(&expected), "{steps}");
        assert_eq!(after["state"], "Healthy");
        let poll = read(&emulator, &operation_of(&reply)).await;
        assert_eq!(poll.body["state"], "Succeeded");
    }
    assert_eq!(
        emulator.service("myservice").unwrap()["description"],
        "tokens"
    );
}

#[tokio::test(start_paused = true)]
async fn bad_patches_are_refused_and_change_nothing() {
    let emulator = with_compute(manual()).await;
    let members = json!({ "kvTags": { "a": "b" }, "properties": { "p": "q" } });
    deploy(&emulator, no_code_with("myservice", &members)).await;
    let before = emulator.service("myservice").unwrap();
    for (steps, expected) in [
        (json!([]), "list of operations"),
        (json!({}), "list of operations"),
        (json!([1]), "JSON object"),
        (
            json!([{ "op": "replace", "path": "/description" }]),
            "has no 'value'",
        ),
        (
            json!([{ "op": "move", "from": "/a", "path": "/b" }]),
            "not supported",
        ),
        (
            json!([{ "op": "test", "path": "/description", "value": "" }]),
            "not supported",
        ),
        (json!([{ "op": "remove", "path": "description" }]), "slash"),
        (
            json!([{ "op": "remove", "path": "/properties/p" }]),
            "cannot be removed",
        ),
        (
            json!([{ "op": "remove", "path": "/kvTags/x" }]),
            "does not exist",
        ),
        (
            replace("/properties/p", json!("other")),
            "cannot be changed",
        ),
        (replace("/properties", json!({})), "cannot be replaced"),
        (replace("/imageId", json!("i")), "not supported"),
        (replace("/state", json!("Healthy")), "cannot be patched"),
        (replace("/name", json!("other")), "cannot be patched"),
        (
            replace("/autoScaler/surprise", json!(1)),
            "autoScaler.surprise",
        ),
        (replace("/autoScaler", json!({})), "cannot be patched"),
        (replace("/kvTags", json!("x")), "must be an object"),
        (replace("/kvTags/a", json!(1)), "strings to strings"),
        (replace("/scoringTimeoutMs", json!("1")), "whole number"),
        (
            replace("/numReplicas", json!(2)),
            "while the autoscaler is on",
        ),
        (replace("/aadAuthEnabled", json!(true)), "at once"),
        (
            replace("/environmentImageRequest", json!({ "modelIds": [] })),
            "exactly one model",
        ),
        (
            json!([
                { "op": "replace", "path": "/description", "value": "new" },
                { "op": "replace", "path": "/authEnabled", "value": 1 },
            ]),
            "true or false",
        ),
    ] {
        let reply = patch(&emulator, "myservice", steps.clone()).await;
        assert_eq!(reply.status, 400, "{steps}");
        assert!(
            message(&reply).contains(expected),
            "{steps}: {}",
            message(&reply)
        );
    }
    let target = Url::parse(&url(&emulator, "/services/myservice")).unwrap();
    let mut request = Request::new(target, Method::Patch);
    request.insert_header("authorization", "Bearer t");
    request.insert_header("content-type", "application/json");
    request.set_body(replace("/description", json!("d")).to_string());
    let reply = emulator
        .http_client()
        .execute_request(&request)
        .await
        .unwrap();
    assert_eq!(u16::from(reply.status()), 415);
    assert_eq!(emulator.service("myservice").unwrap(), before);
    let reply = patch(&emulator, "absent", replace("/description", json!("d"))).await;
    assert_eq!(
        (reply.status, service_code(&reply)),
        (404, "ServiceNotFound")
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_changed_while_an_operation_runs() {
    let emulator = with_compute(manual()).await;
    deploying(&emulator, no_code("myservice")).await;
    let reply = patch(&emulator, "myservice", replace("/description", json!("d"))).await;
    assert_eq!(reply.status, 409);
    let reply = call(&emulator, Method::Delete, "/services/myservice", None).await;
    assert_eq!(reply.status, 409);
    let body = json!({ "keyType": "Primary", "keyValue": null });
    let reply = post(&emulator, "/services/myservice/regenerateKeys", body).await;
    assert_eq!(reply.status, 409);
    let request = json!({
        "type": "Delete", "serviceName": "myservice", "createRequest": null, "updateRequest": null,
    });
    let reply = post(&emulator, "/services/validate", request).await;
    assert!(
        reply.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("in progress")
    );
}
