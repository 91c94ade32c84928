//! Removals, and what a service keeps.

use super::*;

#[tokio::test(start_paused = true)]
async fn removal_runs_its_time_and_then_the_service_is_gone() {
    let emulator = with_compute(manual()).await;
    deploy(&emulator, no_code("myservice")).await;
    let reply = call(&emulator, Method::Delete, "/services/myservice", None).await;
    assert_eq!(reply.status, 202);
    let operation = operation_of(&reply);
    assert_eq!(service_state(&emulator, "myservice"), "Transitioning");
    emulator.finish_operations();
    let poll = read(&emulator, &operation).await;
    assert_eq!(poll.body["state"], "Succeeded");
    assert!(poll.body.get("resourceLocation").is_none());
    let reply = read_service(&emulator, "myservice").await;
    assert_eq!(
        (reply.status, reply.body["statusCode"].clone()),
        (404, json!(404))
    );
    let reply = call(&emulator, Method::Delete, "/services/myservice", None).await;
    assert_eq!(reply.status, 204);
}

#[tokio::test(start_paused = true)]
async fn removal_that_fails_leaves_the_service_as_it_was() {
    let emulator = with_compute(manual()).await;
    deploy(&emulator, no_code("myservice")).await;
    emulator
        .inject(Fault::operation_fails("Stuck", "It is stuck.").on(Method::Delete, "/services/"));
    let reply = call(&emulator, Method::Delete, "/services/myservice", None).await;
    emulator.finish_operations();
    let poll = read(&emulator, &operation_of(&reply)).await.body;
    assert_eq!(
        (&poll["state"], &poll["error"]["code"]),
        (&json!("Failed"), &json!("Stuck"))
    );
    assert_eq!(service_state(&emulator, "myservice"), "Healthy");
}

#[tokio::test(start_paused = true)]
async fn service_keeps_a_model_that_is_deleted_and_shows_one_that_is_changed() {
    let emulator = with_compute(manual()).await;
    deploy(&emulator, no_code("myservice")).await;
    let steps = replace("/description", json!("changed"));
    call(&emulator, Method::Patch, "/models/mymodel:1", Some(steps)).await;
    let model = read_service(&emulator, "myservice").await.body["models"][0].clone();
    assert_eq!(model["description"], "changed");
    let reply = call(&emulator, Method::Delete, "/models/mymodel:1", None).await;
    assert_eq!(reply.status, 200);
    let model = read_service(&emulator, "myservice").await.body["models"][0].clone();
    assert_eq!(model["id"], "mymodel:1");
    // What does not touch the models does not look for them.
    let reply = patch(&emulator, "myservice", replace("/maxQueueWaitMs", json!(1))).await;
    assert_eq!(reply.status, 202);
    emulator.finish_operations();
    let steps = replace(
        "/environmentImageRequest",
        json!({ "modelIds": ["mymodel:1"] }),
    );
    let reply = patch(&emulator, "myservice", steps).await;
    assert_eq!((reply.status, service_code(&reply)), (400, "ModelNotFound"));
}

#[tokio::test(start_paused = true)]
async fn odd_bodies_are_refused_by_every_route() {
    let emulator = with_compute(manual()).await;
    deploy(&emulator, no_code("myservice")).await;
    let before = emulator.service("myservice").unwrap();
    let odd = [
        json!(null),
        json!(1),
        json!("text"),
        json!([null]),
        json!([[]]),
        json!({ "": {} }),
        json!([{ "op": "add", "path": "", "value": 1 }]),
        json!([{ "op": "add", "path": "/", "value": 1 }]),
        json!([{ "op": "add", "path": "/kvTags/a/b", "value": "1" }]),
        json!([{ "op": "add", "path": "/properties/a/b", "value": "1" }]),
        json!([{ "op": "add", "path": "/properties/a", "value": {} }]),
        json!([{ "op": "replace", "path": "/autoScaler/minReplicas", "value": {} }]),
        json!([{ "op": "remove", "path": "/environmentImageRequest" }]),
        json!([{ "op": 1, "path": [], "value": 1 }]),
        json!({ "type": "Create", "serviceName": {}, "createRequest": [], "updateRequest": 1 }),
        json!({ "keyType": ["Primary"], "keyValue": {} }),
        json!({ "name": {}, "computeType": [], "environmentImageRequest": [[]] }),
    ];
    for body in odd {
        for (method, rest) in [
            (Method::Post, "/services"),
            (Method::Post, "/services/validate"),
            (Method::Post, "/services/myservice/regenerateKeys"),
            (Method::Patch, "/services/myservice"),
        ] {
            let reply = call(&emulator, method, rest, Some(body.clone())).await;
            assert_eq!(reply.status, 400, "{rest} {body}: {:?}", reply.body);
        }
        let reply = post(&emulator, "/services/validate/resource", body.clone()).await;
        let complains = reply.status == 400 || reply.body["error"]["message"].is_string();
        assert!(complains, "{body}: {:?}", reply.body);
    }
    for rest in [
        "/services",
        "/services/validate",
        "/services/myservice/regenerateKeys",
    ] {
        let reply = call(&emulator, Method::Post, rest, None).await;
        assert_eq!(reply.status, 400, "{rest} without a body");
    }
    for rest in ["listkeys", "token"] {
        let reply = post(
            &emulator,
            &format!("/services/myservice/{rest}"),
            json!({ "a": 1 }),
        )
        .await;
        assert_eq!(reply.status, 400, "{rest} has no body");
    }
    assert_eq!(emulator.service("myservice").unwrap(), before);
}
