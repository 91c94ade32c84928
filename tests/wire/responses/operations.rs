//! Answers that accept, and what follows them.

use super::*;

/// How a PUT may be answered, what is read after it, and how it ends.
#[tokio::test]
async fn every_answer_that_accepts_a_create_is_followed_to_its_end() {
    let monitor = "/operations/1?api-version=2019-11-01";
    let named = |reply: Reply| {
        reply
            .header("Azure-AsyncOperation", &format!("{ARM}{monitor}"))
            .header("Retry-After", "1")
    };
    let poll = format!("GET {monitor}");
    let read = format!("GET {}", at("/computes/myaks"));
    let cases = [
        ("200, ready", Reply::json(200, &aks("Succeeded")), vec![]),
        (
            "200, says nothing of its state",
            Reply::json(
                200,
                &json!({"name": "myaks", "properties": {"computeType": "AKS"}}),
            ),
            vec![],
        ),
        ("200, empty", Reply::empty(200), vec![&read]),
        ("204", Reply::empty(204), vec![&read]),
        (
            "200, at work",
            Reply::json(200, &aks("Creating")),
            vec![&read],
        ),
        (
            "201, at work",
            Reply::json(201, &aks("Creating")),
            vec![&read],
        ),
        ("201, empty", Reply::empty(201), vec![&read]),
        ("202, empty", Reply::empty(202), vec![&read]),
        (
            "200, monitor",
            named(Reply::json(200, &aks("Creating"))),
            vec![&poll, &read],
        ),
        (
            "201, monitor",
            named(Reply::json(201, &aks("Creating"))),
            vec![&poll, &read],
        ),
        ("202, monitor", named(Reply::empty(202)), vec![&poll, &read]),
        (
            "201, monitor, and ready by its own word",
            named(Reply::json(201, &aks("Succeeded"))),
            vec![&poll, &read],
        ),
    ];
    // Side by side: where there is no hint, the first pause is a second.
    let waits = cases.map(|(name, reply, expected)| async move {
        let mut service = Service::start().await;
        service.on_get(Reply::empty(404)).await;
        service.on_get(Reply::json(200, &aks("Succeeded"))).await;
        service.on_put(reply).await;
        service
            .on(
                "GET",
                monitor,
                Reply::json(200, &json!({"status": "Succeeded"})),
            )
            .await;
        let configuration = AksCompute::provisioning_configuration().build().unwrap();
        let mut handle = ComputeTarget::create(&service.workspace(), "myaks", configuration)
            .await
            .unwrap();
        handle.wait_for_completion(fast()).await.unwrap();
        let expected: Vec<_> = expected.into_iter().cloned().collect();
        assert_eq!(service.lines()[2..], expected, "{name}");
        assert!(handle.resume_token().is_none(), "{name}");
        assert_eq!(handle.resource().name, "myaks", "{name}");
    });
    futures::future::join_all(waits).await;
}

#[tokio::test]
async fn removals_are_followed_to_their_end_after_every_answer() {
    let monitor = "/operations/1?api-version=2019-11-01";
    let named = |reply: Reply| reply.header("Azure-AsyncOperation", &format!("{ARM}{monitor}"));
    let poll = format!("GET {monitor}");
    let read = format!("GET {}", at("/computes/myaks"));
    let gone = json!({"error": {"code": "ResourceNotFound", "message": "M"}});
    let cases = [
        ("200", Reply::empty(200), vec![]),
        ("204", Reply::empty(204), vec![]),
        ("404", Reply::json(404, &gone), vec![]),
        ("202", Reply::empty(202), vec![&read]),
        ("202, monitor", named(Reply::empty(202)), vec![&poll]),
    ];
    let waits = cases.map(|(name, reply, expected)| async move {
        let mut service = Service::start().await;
        service.on_get(Reply::json(200, &aks("Succeeded"))).await;
        service.on_get(Reply::empty(404)).await;
        let delete = format!("{}&underlyingResourceAction=Detach", at("/computes/myaks"));
        service.on("DELETE", &delete, reply).await;
        service
            .on(
                "GET",
                monitor,
                Reply::json(200, &json!({"status": "Succeeded"})),
            )
            .await;
        let mut handle = AksCompute::get(&service.workspace(), "myaks")
            .await
            .unwrap();
        let mut operation = handle.detach().await.unwrap();
        operation.wait(fast()).await.unwrap();
        let expected: Vec<_> = expected.into_iter().cloned().collect();
        assert_eq!(service.lines()[2..], expected, "{name}");
    });
    futures::future::join_all(waits).await;
}

#[tokio::test]
async fn operation_that_fails_reports_the_reason_wherever_the_service_put_the_reason() {
    let reasons = [
        json!({"status": "Failed", "error": {"code": "QuotaExceeded", "message": "M"}}),
        json!({"status": "Failed", "error": {"error": {"code": "QuotaExceeded", "message": "M"}}}),
        json!({"status": "Failed"}),
        json!({"status": "failed", "error": null}),
    ];
    let waits = reasons.map(|status| async move {
        let mut service = Service::start().await;
        let mut failed = aks("Failed");
        failed["properties"]["provisioningErrors"] =
            json!([{"error": {"code": "QuotaExceeded", "message": "M"}}]);
        service.on_get(Reply::empty(404)).await;
        service.on_get(Reply::json(200, &failed)).await;
        service
            .on_put(
                Reply::json(201, &aks("Creating"))
                    .header("Azure-AsyncOperation", &format!("{ARM}/o?api-version=1")),
            )
            .await;
        service
            .on("GET", "/o?api-version=1", Reply::json(200, &status))
            .await;
        let configuration = AksCompute::provisioning_configuration().build().unwrap();
        let mut handle = ComputeTarget::create(&service.workspace(), "myaks", configuration)
            .await
            .unwrap();
        let error = handle.wait_for_completion(fast()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OperationFailed, "{status}");
        assert_eq!(error.code(), Some("QuotaExceeded"), "{status}");
        assert!(error.remedy().is_some(), "{error}");
        assert!(error.resume_token().is_none());
    });
    futures::future::join_all(waits).await;
}
