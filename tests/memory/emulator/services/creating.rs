//! Deployments.

use super::*;

#[tokio::test(start_paused = true)]
async fn deployment_is_filled_with_the_documented_defaults() {
    let emulator = with_compute(manual()).await;
    deploy(&emulator, no_code("myservice")).await;
    let service = read_service(&emulator, "myservice").await;
    assert_eq!(service.status, 200);
    let service = service.body;
    for (key, value) in [
        ("name", json!("myservice")),
        ("computeType", json!("AKS")),
        ("computeName", json!("myaks")),
        ("state", json!("Healthy")),
        ("description", Value::Null),
        ("kvTags", json!({})),
        ("properties", json!({})),
        ("numReplicas", json!(1)),
        (
            "autoScaler",
            json!({
                "autoscaleEnabled": true, "minReplicas": 1, "maxReplicas": 10,
                "targetUtilization": 70, "refreshPeriodInSeconds": 1,
            }),
        ),
        (
            "containerResourceRequirements",
            json!({
                "cpu": 0.1, "cpuLimit": null, "memoryInGB": 0.5, "memoryInGBLimit": null, "gpu": 0,
            }),
        ),
        (
            "livenessProbeRequirements",
            json!({
                "initialDelaySeconds": 310, "periodSeconds": 10, "timeoutSeconds": 2,
                "successThreshold": 1, "failureThreshold": 3,
            }),
        ),
        (
            "dataCollection",
            json!({ "storageEnabled": false, "eventHubEnabled": false }),
        ),
        ("appInsightsEnabled", json!(false)),
        ("authEnabled", json!(true)),
        ("aadAuthEnabled", json!(false)),
        ("maxConcurrentRequestsPerContainer", json!(1)),
        ("maxQueueWaitMs", json!(500)),
        ("scoringTimeoutMs", json!(60_000)),
        ("namespace", json!("azureml-emulator-workspace")),
        (
            "scoringUri",
            json!("https://management.azure.com/api/v1/service/myservice/score"),
        ),
        (
            "swaggerUri",
            json!("https://management.azure.com/api/v1/service/myservice/swagger.json"),
        ),
        (
            "deploymentStatus",
            json!({ "desiredReplicas": 1, "updatedReplicas": 1, "availableReplicas": 1 }),
        ),
    ] {
        assert_eq!(service[key], value, "{key}");
    }
    assert!(service["createdTime"].is_string() && service["operationId"].is_string());
    assert!(service.get("imageDetails").is_none() && service.get("error").is_none());
    assert!(service.get("keys").is_none() && service.get("overwrite").is_none());
    assert_eq!(service["models"][0]["id"], "mymodel:1");
    assert_eq!(service["models"][0]["version"], 1);
}

#[tokio::test(start_paused = true)]
async fn only_an_expanded_read_shows_models_and_environment_and_none_a_password() {
    let emulator = with_compute(manual()).await;
    let image = json!({
        "driverProgram": "driver",
        "assets": [
            { "id": "driver", "mimeType": "application/x-python", "url": format!("{CODE}/d.py") },
            { "id": "score", "mimeType": "application/octet-stream", "url": format!("{CODE}/s.py"), "unpack": false },
        ],
        "modelIds": [],
        "environment": {
            "name": "myenv", "version": "1", "python": { "userManagedDependencies": false },
            "docker": {
                "baseImage": "private.example/image", "enabled": true,
                "baseImageRegistry": { "address": "private.example", "username": "me", "password": "canary" },
            },
        },
    });
    let body = no_code_with("myservice", &json!({ "environmentImageRequest": image }));
    deploy(&emulator, body).await;
    let plain = call(&emulator, Method::Get, "/services/myservice", None)
        .await
        .body;
    assert!(plain.get("models").is_none() && plain.get("environmentImageRequest").is_none());
    let full = read_service(&emulator, "myservice").await.body;
    assert_eq!(full["environment"]["name"], "myenv");
    let registry = &full["environmentImageRequest"]["environment"]["docker"]["baseImageRegistry"];
    assert_eq!(registry["username"], "me");
    assert!(!full.to_string().contains("canary"), "{full}");
    assert!(
        !emulator
            .service("myservice")
            .unwrap()
            .to_string()
            .contains("canary")
    );
}

#[tokio::test(start_paused = true)]
async fn given_members_are_kept() {
    let emulator = with_compute(manual()).await;
    let members = json!({
        "description": "d", "kvTags": { "a": "b" }, "properties": { "p": "q" }, "numReplicas": 3,
        "autoScaler": null, "keys": { "primaryKey": "first", "secondaryKey": "second" },
        "containerResourceRequirements": { "cpu": 0.5, "cpuLimit": 1.0, "memoryInGB": 1, "gpu": null },
        "livenessProbeRequirements": { "periodSeconds": 20 },
        "dataCollection": { "storageEnabled": true, "eventHubEnabled": false },
        "appInsightsEnabled": true, "scoringTimeoutMs": 300_000, "namespace": "mine",
        "maxConcurrentRequestsPerContainer": 2, "maxQueueWaitMs": 100, "storageInitEnabled": true,
    });
    deploy(&emulator, no_code_with("myservice", &members)).await;
    let service = read_service(&emulator, "myservice").await.body;
    for key in [
        "description",
        "kvTags",
        "properties",
        "numReplicas",
        "dataCollection",
        "appInsightsEnabled",
        "scoringTimeoutMs",
        "namespace",
        "maxConcurrentRequestsPerContainer",
        "maxQueueWaitMs",
    ] {
        assert_eq!(service[key], members[key], "{key}");
    }
    assert_eq!(service["autoScaler"]["autoscaleEnabled"], false);
    assert_eq!(service["containerResourceRequirements"]["cpuLimit"], 1.0);
    assert_eq!(service["livenessProbeRequirements"]["periodSeconds"], 20);
    assert_eq!(service["livenessProbeRequirements"]["timeoutSeconds"], 2);
    let keys = call(
        &emulator,
        Method::Post,
        "/services/myservice/listkeys",
        None,
    )
    .await;
    assert_eq!(
        keys.body,
        json!({ "primaryKey": "first", "secondaryKey": "second" })
    );
}

#[tokio::test(start_paused = true)]
async fn asking_for_tokens_means_no_keys() {
    let emulator = with_compute(manual()).await;
    let body = no_code_with("myservice", &json!({ "aadAuthEnabled": true }));
    deploy(&emulator, body).await;
    let service = read_service(&emulator, "myservice").await.body;
    assert_eq!(service["authEnabled"], false);
    assert_eq!(service["aadAuthEnabled"], true);
}

#[tokio::test(start_paused = true)]
async fn bad_requests_are_refused_with_the_reason_and_leave_nothing() {
    let emulator = with_compute(manual()).await;
    register(&emulator, "custom", "Custom").await;
    put(&emulator, "young", &create_body(json!({}))).await;
    let image = |image: Value| json!({ "environmentImageRequest": image });
    let asset = json!({ "id": "a", "mimeType": "m", "url": format!("{CODE}/d.py") });
    let cases = [
        (json!({ "surprise": 1 }), "surprise"),
        (json!({ "name": "No" }), "is invalid"),
        (json!({ "name": null }), "'name' is required"),
        (json!({ "computeType": "ACI" }), "not supported"),
        (json!({ "computeName": null }), "'computeName' is required"),
        (json!({ "computeName": "absent" }), "was not found"),
        (json!({ "computeName": "young" }), "in the state Creating"),
        (json!({ "location": "westus" }), "not the workspace's"),
        (json!({ "namespace": "-a" }), "hyphen"),
        (json!({ "imageId": "i" }), "not supported"),
        (json!({ "environmentImageRequest": null }), "empty"),
        (image(json!({})), "empty"),
        (image(json!({ "modelIds": [] })), "exactly one model"),
        (image(json!({ "modelIds": ["custom:1"] })), "without code"),
        (
            image(json!({ "modelIds": ["a:1", "b:1"] })),
            "exactly one model",
        ),
        (image(json!({ "modelIds": ["nonsense"] })), "does not exist"),
        (image(json!({ "modelIds": 1 })), "list of strings"),
        (
            image(json!({ "driverProgram": "a", "assets": [asset] })),
            "environment",
        ),
        (
            image(json!({ "driverProgram": "b", "assets": [asset], "environment": {} })),
            "not among the assets",
        ),
        (
            image(json!({ "driverProgram": "a", "environment": {},
                "assets": [{ "id": "a", "mimeType": "m", "url": "https://elsewhere" }] })),
            "Nothing was uploaded",
        ),
        (
            image(json!({ "modelIds": ["a:1"], "environment": { "surprise": 1 } })),
            "environment.surprise",
        ),
        (json!({ "numReplicas": 0 }), "above 0"),
        (json!({ "numReplicas": -1 }), "whole number"),
        (json!({ "numReplicas": 1.5 }), "whole number"),
        (
            json!({ "numReplicas": 1, "autoScaler": { "autoscaleEnabled": true } }),
            "while the autoscaler is on",
        ),
        (
            json!({ "autoScaler": { "autoscaleEnabled": false } }),
            "is required when",
        ),
        (
            json!({ "autoScaler": { "minReplicas": 3, "maxReplicas": 2 } }),
            "is above",
        ),
        (json!({ "autoScaler": { "minReplicas": 11 } }), "is above"),
        (
            json!({ "autoScaler": { "targetUtilization": 101 } }),
            "percentage",
        ),
        (
            json!({ "autoScaler": { "refreshPeriodInSeconds": 0 } }),
            "above 0",
        ),
        (
            json!({ "containerResourceRequirements": { "cpu": 0 } }),
            "above 0",
        ),
        (
            json!({ "containerResourceRequirements": { "cpu": 1, "cpuLimit": 0.5 } }),
            "is below",
        ),
        (
            json!({ "containerResourceRequirements": { "fpga": 1 } }),
            "multiple of 2",
        ),
        (
            json!({ "livenessProbeRequirements": { "periodSeconds": 0 } }),
            "above 0",
        ),
        (json!({ "scoringTimeoutMs": 300_001 }), "at most 300000"),
        (
            json!({ "authEnabled": true, "aadAuthEnabled": true }),
            "at once",
        ),
        (json!({ "authEnabled": "true" }), "true or false"),
        (
            json!({ "keys": { "primaryKey": " " } }),
            "key must not be empty",
        ),
        (json!({ "kvTags": { "a": 1 } }), "strings to strings"),
    ];
    for (members, expected) in cases {
        let reply = post(&emulator, "/services", no_code_with("myservice", &members)).await;
        assert_eq!(reply.status, 400, "{members}");
        assert!(
            message(&reply).contains(expected),
            "{members}: {}",
            message(&reply)
        );
        // Model management says errors without an envelope, and the client reads the status here.
        assert_eq!(reply.body["statusCode"], 400);
        assert_eq!(reply.body["details"][0]["code"], reply.body["code"]);
        assert!(reply.body["correlation"]["RequestId"].is_string());
    }
    assert!(emulator.service("myservice").is_none());
    assert_eq!(post(&emulator, "/services", json!([])).await.status, 400);
    let reply = post(&emulator, "/services?force=1", no_code("myservice")).await;
    assert_eq!(
        (reply.status, service_code(&reply)),
        (400, "UnsupportedByEmulator")
    );
}

#[tokio::test(start_paused = true)]
async fn token_of_azure_is_needed_and_paths_are_compared_without_case() {
    let emulator = with_compute(manual()).await;
    let target = url(&emulator, "/services");
    let reply = try_send(&emulator, Method::Get, &target, None, None)
        .await
        .unwrap();
    assert_eq!(
        (reply.status, reply.body["statusCode"].clone()),
        (401, json!(401))
    );
    let reply = read(&emulator, &target.to_lowercase()).await;
    assert_eq!((reply.status, reply.body), (200, json!({ "value": [] })));
    let other = target.replace(emulator.workspace(), "another");
    assert_eq!(read(&emulator, &other).await.status, 404);
    let reply = call(&emulator, Method::Put, "/services/a", Some(json!({}))).await;
    assert_eq!(reply.status, 405);
    let reply = call(&emulator, Method::Get, "/images", None).await;
    assert_eq!(
        (reply.status, service_code(&reply)),
        (404, "UnsupportedByEmulator")
    );
    emulator.inject(Fault::server_error(503).times(1));
    let reply = read(&emulator, &target).await;
    assert_eq!(
        (reply.status, service_code(&reply)),
        (503, "ServiceUnavailable")
    );
}

#[tokio::test(start_paused = true)]
async fn prechecks_report_errors_with_200() {
    let emulator = with_compute(manual()).await;
    deploy(&emulator, no_code("taken")).await;
    let complaint = async |rest: &str, body: Value| {
        let reply = post(&emulator, rest, body).await;
        assert_eq!(reply.status, 200, "{:?}", reply.body);
        match reply.body.get("error") {
            Some(error) => error["message"].as_str().unwrap().to_owned(),
            None => {
                assert_eq!(reply.body, json!({}));
                String::new()
            }
        }
    };
    let name = "/services/validate/name";
    assert_eq!(complaint(&format!("{name}/fine"), json!({})).await, "");
    assert!(
        complaint(&format!("{name}/Bad"), json!({}))
            .await
            .contains("is invalid")
    );
    assert!(
        complaint(&format!("{name}/taken"), json!({}))
            .await
            .contains("already exists")
    );

    let request = |kind: &str, name: &str, create: Value, update: Value| json!({ "type": kind, "serviceName": name, "createRequest": create, "updateRequest": update });
    let all = "/services/validate";
    let fine = request("Create", "fine", no_code("fine"), Value::Null);
    assert_eq!(complaint(all, fine).await, "");
    let empty = request("Create", "fine", Value::Null, Value::Null);
    assert!(complaint(all, empty).await.contains("empty"));
    let taken = request("Create", "taken", no_code("taken"), Value::Null);
    assert!(complaint(all, taken).await.contains("already exists"));
    let over = no_code_with("taken", &json!({ "overwrite": true }));
    assert_eq!(
        complaint(all, request("Create", "taken", over, Value::Null)).await,
        ""
    );
    let update = request(
        "Update",
        "taken",
        Value::Null,
        replace("/description", json!("d")),
    );
    assert_eq!(complaint(all, update).await, "");
    let update = request(
        "Update",
        "taken",
        Value::Null,
        replace("/aadAuthEnabled", json!(true)),
    );
    assert!(complaint(all, update).await.contains("at once"));
    let update = request(
        "Update",
        "fine",
        Value::Null,
        replace("/description", json!("d")),
    );
    assert!(complaint(all, update).await.contains("was not found"));
    let delete = request("Delete", "taken", Value::Null, Value::Null);
    assert_eq!(complaint(all, delete).await, "");
    assert_eq!(
        emulator.service("taken").unwrap()["description"],
        Value::Null,
        "only asked"
    );

    let resource = "/services/validate/resource";
    assert_eq!(complaint(resource, no_code("fine")).await, "");
    let gpu = json!({ "containerResourceRequirements": { "gpu": 1 } });
    assert_eq!(
        complaint(resource, no_code_with("fine", &gpu)).await,
        "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
    );
    let large = json!({ "containerResourceRequirements": { "cpu": 5 } });
    assert!(
        complaint(resource, no_code_with("fine", &large))
            .await
            .contains("Insufficient cpu")
    );
    // Four cores a node: two replicas of two cores on each of three, but not seven.
    let many = |replicas: u32| json!({ "numReplicas": replicas, "containerResourceRequirements": { "cpu": 2 } });
    assert_eq!(
        complaint(resource, no_code_with("fine", &many(6))).await,
        ""
    );
    assert!(
        complaint(resource, no_code_with("fine", &many(7)))
            .await
            .contains("cpu")
    );
    // A pool that was scaled by itself counts.
    let compute = get(&emulator, "myaks").await.body;
    let id = compute["properties"]["resourceId"].as_str().unwrap();
    let pool = format!("https://management.azure.com{id}/agentPools/agentpool?api-version={TODAY}");
    let body = json!({ "properties": { "count": 4 } });
    let scaled = send(&emulator, Method::Put, &pool, Some(&body)).await;
    assert_eq!(scaled.status, 200, "{}", scaled.message());
    let after = complaint(resource, no_code_with("fine", &many(7))).await;
    assert_eq!(after, "");

    assert_eq!(
        post(
            &emulator,
            all,
            json!({ "type": "Move", "serviceName": "a" })
        )
        .await
        .status,
        400
    );
    assert_eq!(
        post(&emulator, all, json!({ "kind": "Create" }))
            .await
            .status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn name_is_taken_until_it_is_overwritten() {
    let emulator = with_compute(manual()).await;
    deploying(&emulator, no_code("myservice")).await;
    let reply = post(&emulator, "/services", no_code("myservice")).await;
    assert_eq!(reply.status, 409);
    let over = no_code_with(
        "myservice",
        &json!({ "overwrite": true, "description": "new" }),
    );
    let reply = post(&emulator, "/services", over.clone()).await;
    assert_eq!(reply.status, 409);
    assert!(
        message(&reply).contains("in progress"),
        "{}",
        message(&reply)
    );
    emulator.finish_operations();
    let reply = post(&emulator, "/services", no_code("myservice")).await;
    assert_eq!(
        (reply.status, service_code(&reply)),
        (409, "ServiceAlreadyExists")
    );
    let keys = async || {
        let keys = call(
            &emulator,
            Method::Post,
            "/services/myservice/listkeys",
            None,
        )
        .await;
        keys.body
    };
    let before = keys().await;
    deploy(&emulator, over).await;
    let service = emulator.service("myservice").unwrap();
    assert_eq!(
        (&service["description"], &service["state"]),
        (&json!("new"), &json!("Healthy"))
    );
    assert_eq!(keys().await, before);
}
