//! Errors, in every shape that the service gives them.

use super::*;

#[tokio::test]
async fn every_shape_of_an_error_gives_its_code_and_its_text() {
    let hidden = r#"Failed: {"error":{"code":"Deep","message":"the reason"}}"#;
    for (body, code, text) in [
        (
            json!({"error": {"code": "C", "message": "M"}}),
            Some("C"),
            "C: M",
        ),
        (
            json!({"error": {"error": {"code": "C", "message": "M"}}}),
            Some("C"),
            "C: M",
        ),
        (json!({"code": "C", "message": "M"}), Some("C"), "C: M"),
        (
            json!({"error": {"statusCode": 400, "message": "M"}}),
            None,
            "M",
        ),
        (
            json!({"error": {"code": 17, "message": "M"}}),
            Some("17"),
            "17: M",
        ),
        (
            json!({"error": {"code": "C", "message": "M", "details": null}}),
            Some("C"),
            "C: M",
        ),
        (
            json!({"error": {"code": "Outer", "message": "outer", "target": "t",
                "details": [{"code": "C", "message": "M", "details": []}]}}),
            Some("C"),
            "C: M (outer)",
        ),
        (
            json!({"error": {"code": "Outer", "message": "outer",
                "innererror": {"code": "C", "message": "M"}}}),
            Some("C"),
            "C: M (outer)",
        ),
        (
            json!({"error": {"code": "Outer", "message": hidden}}),
            Some("Outer"),
            "Outer: Deep: the reason",
        ),
        (json!({"error": "just text"}), None, "just text"),
        (json!({"message": "just text"}), None, "just text"),
        (
            json!({"code": "UserError", "statusCode": 400, "message": "M", "details": [],
                "correlation": {"operation": "o"}}),
            Some("UserError"),
            "UserError: M",
        ),
    ] {
        let error = refusal(400, &body).await;
        assert_eq!(error.kind(), ErrorKind::Service, "{body}");
        assert_eq!(error.http_status(), Some(400), "{body}");
        assert_eq!(error.code(), code, "{body}");
        let expected = format!("read compute \"myaks\": {text} [status 400]");
        assert_eq!(error.to_string(), expected, "{body}");
    }
}

#[tokio::test]
async fn answers_without_an_arm_error_are_shown_in_one_short_line() {
    let page = format!(
        "<html>\r\n <head><title>502</title></head>\n<body>Bad gateway{}</body></html>",
        " x".repeat(9000)
    );
    for (body, part) in [
        (
            page.into_bytes(),
            "<title>502</title></head> <body>Bad gateway",
        ),
        (b"upstream went away".to_vec(), "upstream went away"),
        (b"\xff\xfe\x00bad".to_vec(), "bad"),
        (b"[1, 2]".to_vec(), "[1, 2]"),
        (b"{\"Message\": \"An error\"}".to_vec(), "An error"),
        (Vec::new(), "answered 400 without a body"),
        (b" \r\n".to_vec(), "answered 400 without a body"),
    ] {
        let error = get(Reply::new(400, body)).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(part), "{text}");
        assert!(!text.contains(['\n', '\r']) && text.len() < 500, "{text}");
        assert_eq!((error.code(), error.http_status()), (None, Some(400)));
    }
}

#[tokio::test]
async fn byte_order_mark_hides_neither_a_resource_nor_an_error() {
    let body = format!("\u{feff}{}", aks("Succeeded"));
    let handle = get(Reply::new(200, body)).await.unwrap();
    assert_eq!(handle.status(), Some("Succeeded"));

    let body = "\u{feff}{\"error\":{\"code\":\"QuotaExceeded\",\"message\":\"M\"}}";
    let error = get(Reply::new(400, body)).await.unwrap_err();
    assert_eq!(error.code(), Some("QuotaExceeded"), "{error}");
}

#[tokio::test]
async fn error_knows_what_support_asks_for() {
    let reply = Reply::json(409, &json!({"error": {"code": "Conflict", "message": "M"}}))
        .header("x-ms-request-id", "r-1")
        .header("X-MS-Correlation-Request-ID", "c-1")
        .header("Retry-After", "7");
    let mut service = Service::start().await;
    service.on_get(reply).await;
    let error = AksCompute::get(&service.workspace(), "myaks").await;
    let error = error.unwrap_err();
    assert_eq!(error.request_id(), Some("r-1"));
    assert_eq!(error.correlation_id(), Some("c-1"));
    let id = service.last().request_id().to_owned();
    assert_eq!(error.client_request_id(), Some(id.as_str()));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(error.is_conflict());
    let text = error.to_string();
    assert!(text.contains("r-1") && text.contains("c-1"), "{text}");
}

#[tokio::test]
async fn code_may_stand_in_a_header_alone() {
    let reply = Reply::empty(403).header("x-ms-error-code", "AuthorizationFailed");
    let error = get(reply).await.unwrap_err();
    assert_eq!(error.code(), Some("AuthorizationFailed"));
    assert!(error.is_forbidden() && error.remedy().is_some());
}

#[tokio::test]
async fn refusals_that_are_known_come_with_what_to_do() {
    for (status, code, message, remedy) in [
        (409, "ComputeAlreadyExists", "", ".or_get()"),
        (
            400,
            "X",
            "Compute name 'a' is not available. Reason: AlreadyExists. It is already in use",
            "another name",
        ),
        (
            400,
            "AgentPoolK8sVersionNotSupported",
            "",
            "az aks get-versions",
        ),
        (
            400,
            "BadRequest",
            "Version 1.16.7 is not supported in this region",
            "az aks get-versions",
        ),
        (
            409,
            "OperationNotAllowed",
            "Another operation (Updating) is in progress",
            "wait_for_completion",
        ),
        (400, "QuotaExceeded", "", "vCPUs"),
        (
            409,
            "OperationNotAllowed",
            "exceeding approved cores quota",
            "vCPUs",
        ),
        (
            400,
            "BadArgument",
            "needs at least 12 cores for FastProd",
            "DevTest",
        ),
        (
            400,
            "BadArgument",
            "the cluster has to have at least 3 machines",
            "DevTest",
        ),
        (
            403,
            "RequestDisallowedByPolicy",
            "",
            "internal load balancer",
        ),
        (
            400,
            "X",
            "Load Balancers should not have public IPs",
            "internal load balancer",
        ),
        (400, "UnsupportedKubernetesVersion", "", "az aks upgrade"),
        (
            400,
            "X",
            "Version 1.9 is not supported. Supported versions: 1.30",
            "az aks upgrade",
        ),
        (400, "SkuNotAvailable", "", "az vm list-skus"),
        (
            400,
            "X",
            "The VM size of Agent is not allowed in your subscription",
            "az vm list-skus",
        ),
        (400, "ComputeResourceNotCreated", "", "delete or detach"),
        (403, "AuthorizationFailed", "", "Cluster Admin"),
        (403, "LinkedAuthorizationFailed", "", "Cluster Admin"),
        (400, "ExpiredAuthenticationToken", "", "sign in again"),
        (
            400,
            "InvalidAuthenticationTokenTenant",
            "",
            "another tenant",
        ),
        (
            409,
            "MissingSubscriptionRegistration",
            "",
            "az provider register",
        ),
        (400, "NoRegisteredProviderFound", "", "api_version"),
        (400, "InvalidApiVersionParameter", "", "api_version"),
        (409, "OperationPreempted", "", "newer operation"),
        (404, "SubscriptionNotFound", "", "check the subscription"),
    ] {
        let body =
            json!({"error": {"code": "Outer", "details": [{"code": code, "message": message}]}});
        let error = refusal(status, &body).await;
        let found = error.remedy().unwrap_or_default();
        assert!(found.contains(remedy), "{code} {message}: {found}");
        assert!(error.to_string().ends_with(found));
    }
    for code in ["Teapot", "OperationNotAllowed"] {
        let error = refusal(400, &json!({"code": code})).await;
        assert_eq!(error.remedy(), None, "{code}");
    }

    let retired = "Creating AksCompute is not supported any more, use KubernetesCompute";
    let error = refusal(
        400,
        &json!({"error": {"code": "BadRequest", "message": retired}}),
    )
    .await;
    assert!(
        error.is_path_retired() && error.remedy().is_some(),
        "{error}"
    );
}
