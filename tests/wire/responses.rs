//! What the service may answer, and what becomes of it.
//!
//! The published examples are read at run time from the folder that `AZURE_API_SPECS` names.

use crate::support::redirect::{ARM, Reply, Service, at};
use azureml_aks::{
    AksCompute, AnyCompute, ComputeTarget, Continuation, Error, ErrorKind, LoadBalancer,
    UpdateConfiguration, WaitOptions, Workspace,
    models::{AksProperties, Page},
};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

fn fast() -> WaitOptions {
    WaitOptions::new()
        .poll_floor(Duration::ZERO)
        .deadline(Duration::from_secs(20))
}

fn aks(state: &str) -> Value {
    json!({ "name": "myaks", "properties": { "computeType": "AKS", "provisioningState": state } })
}

async fn get(reply: Reply) -> Result<AksCompute, Error> {
    let mut service = Service::start().await;
    service.on_get(reply).await;
    AksCompute::get(&service.workspace(), "myaks").await
}

/// The refusal of a read with this answer.
async fn refusal(status: u16, body: &Value) -> Error {
    get(Reply::json(status, body)).await.unwrap_err()
}

#[tokio::test]
async fn compute_with_all_that_microsofts_client_insists_on_is_read_in_whole() {
    let body = json!({
        "id": "/subscriptions/sub/x", "name": "myaks", "location": "westeurope",
        "tags": { "team": "vision", "odd": null },
        "properties": {
            "computeType": "AKS", "description": "text", "computeLocation": "northeurope",
            "resourceId": "/subscriptions/sub/c", "provisioningState": "Succeeded",
            "provisioningErrors": [{ "error": { "code": "C", "message": "M" } }],
            "isAttachedCompute": true, "createdOn": "2020-01-01T00:00:00.0000000+00:00",
            "modifiedOn": "2020-01-02T00:00:00.0000000+00:00", "disableLocalAuth": false,
            "properties": {
                "agentVmSize": "Standard_D3_v2", "agentCount": 3, "clusterPurpose": "FastProd",
                "clusterFqdn": "f.example.com", "loadBalancerType": "InternalLoadBalancer",
                "loadBalancerSubnet": "inner",
                "systemServices": [{
                    "systemServiceType": "ScoringFrontEnd", "version": "1", "publicIpAddress": "10.0.0.9",
                }],
                "sslConfiguration": {
                    "status": "Auto", "cname": "l.example.com", "leafDomainLabel": "l",
                    "overwriteExistingDomain": false, "cert": "CANARY", "key": "CANARY",
                },
                "aksNetworkingConfiguration": {
                    "subnetId": "/subscriptions/sub/s", "serviceCidr": "10.0.0.0/16",
                    "dnsServiceIP": "10.0.0.10", "dockerBridgeCidr": "172.17.0.1/16",
                },
            },
        },
    });
    let handle = get(Reply::json(200, &body)).await.unwrap();
    assert_eq!(handle.status(), Some("Succeeded"));
    assert_eq!(handle.is_attached(), Some(true));
    assert_eq!(handle.cluster_resource_id(), Some("/subscriptions/sub/c"));
    assert_eq!(handle.provisioning_errors()[0].code.as_deref(), Some("C"));
    let resource = handle.resource();
    assert_eq!(resource.location.as_deref(), Some("westeurope"));
    assert_eq!(
        Vec::from_iter(&resource.tags),
        [(&"team".to_owned(), &"vision".to_owned())]
    );
    let common = &resource.properties;
    assert_eq!(common.compute_location.as_deref(), Some("northeurope"));
    assert_eq!(common.description.as_deref(), Some("text"));
    assert_eq!(common.disable_local_auth, Some(false));
    assert!(
        common
            .created_on
            .as_deref()
            .unwrap()
            .starts_with("2020-01-01")
    );
    assert!(
        common
            .modified_on
            .as_deref()
            .unwrap()
            .starts_with("2020-01-02")
    );

    let cluster = handle.properties();
    assert_eq!(cluster.agent_vm_size.as_deref(), Some("Standard_D3_v2"));
    assert_eq!(cluster.agent_count, Some(3));
    assert_eq!(cluster.cluster_purpose.as_deref(), Some("FastProd"));
    assert_eq!(cluster.cluster_fqdn.as_deref(), Some("f.example.com"));
    assert_eq!(
        cluster.load_balancer_type.as_deref(),
        Some("InternalLoadBalancer")
    );
    assert_eq!(cluster.load_balancer_subnet.as_deref(), Some("inner"));
    let router = &cluster.system_services[0];
    assert_eq!(
        router.system_service_type.as_deref(),
        Some("ScoringFrontEnd")
    );
    assert_eq!(router.public_ip_address.as_deref(), Some("10.0.0.9"));
    assert_eq!(router.version.as_deref(), Some("1"));
    let ssl = cluster.ssl_configuration.as_ref().unwrap();
    assert_eq!(ssl.status.as_deref(), Some("Auto"));
    assert_eq!(ssl.cname.as_deref(), Some("l.example.com"));
    assert_eq!(ssl.leaf_domain_label.as_deref(), Some("l"));
    assert_eq!(ssl.overwrite_existing_domain, Some(false));
    let network = cluster.aks_networking_configuration.as_ref().unwrap();
    assert_eq!(network.subnet_id.as_deref(), Some("/subscriptions/sub/s"));
    assert_eq!(network.service_cidr.as_deref(), Some("10.0.0.0/16"));
    assert_eq!(network.dns_service_ip.as_deref(), Some("10.0.0.10"));
    assert_eq!(network.docker_bridge_cidr.as_deref(), Some("172.17.0.1/16"));
    assert!(!format!("{handle:?} {:?}", handle.resource()).contains("CANARY"));
}

#[tokio::test]
async fn null_is_read_as_absent_wherever_the_service_may_leave_something_out() {
    let nulls = json!({
        "id": null, "name": "myaks", "location": null, "tags": null,
        "properties": {
            "computeType": "AKS", "description": null, "computeLocation": null, "resourceId": null,
            "provisioningState": null, "provisioningErrors": null, "isAttachedCompute": null,
            "createdOn": null, "modifiedOn": null, "disableLocalAuth": null,
            "properties": {
                "agentVmSize": null, "agentCount": null, "clusterPurpose": null,
                "clusterFqdn": null, "loadBalancerType": null, "loadBalancerSubnet": null,
                "systemServices": null, "sslConfiguration": null,
                "aksNetworkingConfiguration": null,
            },
        },
    });
    let bare = json!({ "name": "myaks", "properties": { "computeType": "AKS", "properties": {} } });
    let mut read = Vec::new();
    for body in [nulls, bare] {
        let handle = get(Reply::json(200, &body)).await.unwrap();
        assert_eq!(handle.status(), None);
        assert_eq!(handle.is_attached(), None);
        assert!(handle.provisioning_errors().is_empty());
        assert_eq!(handle.properties(), &AksProperties::default());
        // `Debug` names all fields, and last the members of the document as they came.
        let shown = format!("{:?}", handle.resource());
        let (fields, members) = shown.split_once("kind: {").unwrap();
        assert!(members.contains("}, .."), "{members}");
        read.push(fields.to_owned());
    }
    assert_eq!(read[0], read[1]);
}

#[tokio::test]
async fn a_compute_of_another_kind_is_refused_by_name() {
    let body = json!({ "name": "myaks", "properties": { "computeType": "AmlCompute" } });
    let error = get(Reply::json(200, &body)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("AmlCompute"), "{error}");
}

#[tokio::test]
async fn only_a_404_of_the_compute_itself_means_that_there_is_none() {
    for (status, body, there_is_none) in [
        (
            404,
            json!({"error": {"code": "ResourceNotFound", "message": "M"}}),
            true,
        ),
        (
            404,
            json!({"error": {"code": "ComputeNotFound", "message": "M"}}),
            true,
        ),
        (404, Value::Null, true),
        (
            404,
            json!({"error": {"code": "ResourceGroupNotFound", "message": "M"}}),
            false,
        ),
        (
            404,
            json!({"error": {"code": "SubscriptionNotFound", "message": "M"}}),
            false,
        ),
        (
            404,
            json!({"error": {"code": "WorkspaceNotFound", "message": "M"}}),
            false,
        ),
        (
            404,
            json!({"error": {"code": "ParentResourceNotFound", "message": "M"}}),
            false,
        ),
        (
            403,
            json!({"error": {"code": "AuthorizationFailed", "message": "M"}}),
            false,
        ),
        (
            400,
            json!({"error": {"code": "BadRequest", "message": "M"}}),
            false,
        ),
    ] {
        let mut service = Service::start().await;
        service.on_get(Reply::json(status, &body)).await;
        service
            .on("GET", &at(""), Reply::new(200, r#"{"location":"eastus"}"#))
            .await;
        let found = AksCompute::get_opt(&service.workspace(), "myaks").await;
        match found {
            Ok(None) => assert!(there_is_none, "{status} {body}"),
            Ok(Some(_)) => panic!("{status} {body}"),
            Err(error) => {
                assert!(!there_is_none, "{status} {body}");
                assert_eq!(error.http_status(), Some(status));
            }
        }
        let error = AksCompute::get(&service.workspace(), "myaks").await;
        assert_eq!(error.unwrap_err().is_not_found(), status == 404);
    }
}

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
async fn answers_that_are_no_error_of_arm_are_shown_in_one_short_line() {
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
async fn a_byte_order_mark_hides_neither_a_resource_nor_an_error() {
    let body = format!("\u{feff}{}", aks("Succeeded"));
    let handle = get(Reply::new(200, body)).await.unwrap();
    assert_eq!(handle.status(), Some("Succeeded"));

    let body = "\u{feff}{\"error\":{\"code\":\"QuotaExceeded\",\"message\":\"M\"}}";
    let error = get(Reply::new(400, body)).await.unwrap_err();
    assert_eq!(error.code(), Some("QuotaExceeded"), "{error}");
}

#[tokio::test]
async fn an_error_knows_what_support_asks_for() {
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
async fn a_code_may_stand_in_a_header_alone() {
    let reply = Reply::empty(403).header("x-ms-error-code", "AuthorizationFailed");
    let error = get(reply).await.unwrap_err();
    assert_eq!(error.code(), Some("AuthorizationFailed"));
    assert!(error.is_forbidden() && error.remedy().is_some());
}

#[tokio::test]
async fn every_known_refusal_comes_with_what_to_do() {
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
    assert!(error.is_path_retired() && error.remedy().unwrap().contains("retired"));
}

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
async fn an_operation_that_fails_says_why_wherever_the_service_put_the_reason() {
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
        assert!(error.remedy().unwrap().contains("vCPUs"));
        assert!(error.resume_token().is_none());
    });
    futures::future::join_all(waits).await;
}

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
    // An odd member of a compute is passed over; what is no compute is an error of its own.
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
async fn a_list_ends_where_next_link_says_nothing() {
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
async fn a_link_that_cannot_be_followed_costs_nothing_that_was_read() {
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

/// A list of three pages: `a` and `b`, `c` and what is no compute, `d`. With the targets of the pages.
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
async fn a_continuation_that_leads_outside_is_refused_and_nothing_is_sent() {
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
async fn an_error_of_a_page_ends_items_and_pages() {
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
async fn a_page_whose_link_cannot_be_followed_is_given_before_the_error() {
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

#[tokio::test]
async fn kubeconfigs_are_given_and_never_shown() {
    let body = json!({
        "computeType": "AKS", "userKubeConfig": "CANARY-user", "adminKubeConfig": "CANARY-admin",
        "imagePullSecretName": "azuremlsecret",
    });
    let mut service = Service::start().await;
    service.on_get(Reply::json(200, &aks("Succeeded"))).await;
    service
        .on(
            "POST",
            &at("/computes/myaks/listKeys"),
            Reply::json(200, &body),
        )
        .await;
    let handle = AksCompute::get(&service.workspace(), "myaks")
        .await
        .unwrap();
    let keys = handle.credentials().await.unwrap();
    assert_eq!(
        keys.user_kube_config.as_ref().unwrap().secret(),
        "CANARY-user"
    );
    assert_eq!(
        keys.admin_kube_config.as_ref().unwrap().secret(),
        "CANARY-admin"
    );
    assert_eq!(
        keys.image_pull_secret_name.as_deref(),
        Some("azuremlsecret")
    );
    assert!(!format!("{keys:?} {keys:#?}").contains("CANARY"));
}

#[tokio::test]
async fn kubeconfigs_that_are_not_there_are_none() {
    for body in [
        "{}",
        r#"{"computeType":"AKS","userKubeConfig":null,"adminKubeConfig":null,"imagePullSecretName":null}"#,
    ] {
        let mut service = Service::start().await;
        service.on_get(Reply::json(200, &aks("Succeeded"))).await;
        service
            .on(
                "POST",
                &at("/computes/myaks/listKeys"),
                Reply::new(200, body),
            )
            .await;
        let handle = AksCompute::get(&service.workspace(), "myaks")
            .await
            .unwrap();
        let keys = handle.credentials().await.unwrap();
        assert!(keys.user_kube_config.is_none() && keys.admin_kube_config.is_none());
        assert!(keys.image_pull_secret_name.is_none());
    }
}

#[tokio::test]
async fn a_resource_is_read_up_to_four_mebibytes_and_no_further() {
    const LIMIT: usize = 4 << 20;
    let start = r#"{"name":"myaks","properties":{"computeType":"AKS"},"padding":""#;
    for (size, fits) in [(LIMIT, true), (LIMIT + 1, false)] {
        let padding = "x".repeat(size - start.len() - 2);
        let body = format!("{start}{padding}\"}}");
        assert_eq!(body.len(), size);
        let mut service = Service::start().await;
        service.on_get(Reply::new(200, body)).await;
        let read = AksCompute::get(&service.workspace(), "myaks").await;
        match read {
            Ok(handle) => assert!(fits, "{handle:?}"),
            Err(error) => {
                assert!(!fits, "{error}");
                assert_eq!(error.kind(), ErrorKind::Protocol);
                assert!(error.to_string().contains("larger than 4194304"), "{error}");
            }
        }
        assert_eq!(service.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_workspace_without_a_location_is_an_error_of_its_own() {
    for body in ["{}", r#"{"location":null}"#, r#"{"location":""}"#] {
        let mut service = Service::start().await;
        service.on("GET", &at(""), Reply::new(200, body)).await;
        let workspace = Workspace::builder("sub", "grp", "ws")
            .credential(service.token.clone())
            .transport(service.transport(ARM))
            .build()
            .unwrap();
        let error = workspace.location().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.to_string().contains("\"ws\""), "{error}");
        // Not remembered: the next call asks again.
        service
            .on(
                "GET",
                &at(""),
                Reply::json(200, &json!({"location": "eastus"})),
            )
            .await;
        assert_eq!(workspace.location().await.unwrap(), "eastus");
    }
}

// --- the published examples ---------------------------------------------------------------------

/// An example of the published description, or `None` where there are none on this machine.
fn example(name: &str) -> Option<Example> {
    let root = std::env::var_os("AZURE_API_SPECS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/specs"),
        PathBuf::from,
    );
    let file = root
        .join("arm/machinelearningservices-2019-11-01/examples")
        .join(format!("{name}.json"));
    match std::fs::read(&file) {
        Ok(text) => Some(Example(serde_json::from_slice(&text).unwrap())),
        Err(error) => {
            assert!(
                std::env::var_os("REQUIRE_SPECS").is_none(),
                "{}: {error}",
                file.display()
            );
            eprintln!("skipped: {}: {error}", file.display());
            None
        }
    }
}

struct Example(Value);

impl Example {
    fn parameter(&self, name: &str) -> &str {
        self.0["parameters"][name].as_str().unwrap()
    }

    fn reply(&self, status: u16) -> Reply {
        let response = &self.0["responses"][status.to_string()];
        let mut reply = match response.get("body") {
            Some(body) => Reply::json(status, body),
            None => Reply::empty(status),
        };
        for (name, value) in response["headers"].as_object().into_iter().flatten() {
            reply = reply.header(name, value.as_str().unwrap());
        }
        reply
    }

    fn body(&self, status: u16) -> &Value {
        &self.0["responses"][status.to_string()]["body"]
    }

    fn name(&self) -> &str {
        self.parameter("computeName")
    }

    /// The path of the description, filled in.
    fn workspace_path(&self) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.MachineLearningServices/workspaces/{}",
            self.parameter("subscriptionId"),
            self.parameter("resourceGroupName"),
            self.parameter("workspaceName"),
        )
    }

    fn target(&self, path: &str) -> String {
        format!("{}{path}?api-version=2019-11-01", self.workspace_path())
    }

    fn compute(&self) -> String {
        self.target(&format!("/computes/{}", self.name()))
    }

    fn workspace(&self, service: &Service) -> Workspace {
        Workspace::builder(
            self.parameter("subscriptionId"),
            self.parameter("resourceGroupName"),
            self.parameter("workspaceName"),
        )
        .credential(service.token.clone())
        .transport(service.transport(ARM))
        .api_version(self.parameter("api-version"))
        .location("eastus")
        .build()
        .unwrap()
    }
}

#[tokio::test]
async fn the_published_example_of_a_read_is_decoded() {
    let Some(example) = example("getAKSCompute") else {
        return;
    };
    let mut service = Service::start().await;
    service
        .on("GET", &example.compute(), example.reply(200))
        .await;
    let handle = AksCompute::get(&example.workspace(&service), example.name())
        .await
        .unwrap();
    let body = example.body(200);
    assert_eq!(handle.resource().name, example.name());
    assert_eq!(handle.resource().id.as_deref(), body["id"].as_str());
    assert_eq!(
        handle.cluster_resource_id(),
        body["properties"]["resourceId"].as_str()
    );
    assert_eq!(handle.status(), Some("Succeeded"));
}

#[tokio::test]
async fn the_published_example_of_a_create_is_sent_and_both_its_answers_are_followed() {
    let Some(example) = example("createBasicAKSCompute") else {
        return;
    };
    let finished = json!({"name": example.name(), "properties": {
        "computeType": "AKS", "provisioningState": "Succeeded",
    }});
    let waits = [(200, false), (201, true)].map(|(status, monitored)| {
        let (example, finished) = (&example, &finished);
        async move {
            let mut service = Service::start().await;
            let compute = example.compute();
            service.on("GET", &compute, Reply::empty(404)).await;
            service.on("PUT", &compute, example.reply(status)).await;
            // The path in the header of the example, with the version that it lacks.
            let monitor = "/subscriptions/...pathToOperationStatus...?api-version=2019-11-01";
            service
                .on(
                    "GET",
                    monitor,
                    Reply::json(200, &json!({"status": "Succeeded"})),
                )
                .await;
            service
                .on("GET", &compute, Reply::json(200, finished))
                .await;

            let configuration = AksCompute::provisioning_configuration().build().unwrap();
            let workspace = example.workspace(&service);
            let mut handle = ComputeTarget::create(&workspace, example.name(), configuration)
                .await
                .unwrap();
            let sent: Value = serde_json::from_slice(&service.last().body).unwrap();
            assert_eq!(sent, example.0["parameters"]["parameters"]);
            assert_eq!(handle.status(), Some("Creating"));
            handle.wait_for_completion(fast()).await.unwrap();
            assert_eq!(handle.status(), Some("Succeeded"));
            let polled = service.lines().contains(&format!("GET {monitor}"));
            assert_eq!(polled, monitored, "{status}");
        }
    });
    futures::future::join_all(waits).await;
}

#[tokio::test]
async fn published_answers_to_an_update_are_followed() {
    let (Some(example), Some(before)) = (example("updateAKSCompute"), example("getAKSCompute"))
    else {
        return;
    };
    let waits = [200, 201].map(|status| {
        let (example, before) = (&example, &before);
        async move {
            let mut service = Service::start().await;
            let compute = example.compute();
            service.on("PUT", &compute, example.reply(status)).await;
            let monitor = "/subscriptions/...pathToOperationStatus...?api-version=2019-11-01";
            service
                .on(
                    "GET",
                    monitor,
                    Reply::json(200, &json!({"status": "Succeeded"})),
                )
                .await;
            service.on("GET", &compute, before.reply(200)).await;
            let mut handle = AksCompute::get(&example.workspace(&service), example.name())
                .await
                .unwrap();
            let change = UpdateConfiguration::builder().load_balancer(LoadBalancer::PublicIp);
            handle.update(change.build().unwrap()).await.unwrap();
            assert_eq!(handle.status(), Some("Updating"));
            handle.wait_for_completion(fast()).await.unwrap();
            assert_eq!(handle.status(), Some("Succeeded"));
        }
    });
    futures::future::join_all(waits).await;
}

#[tokio::test]
async fn published_example_of_a_list_is_decoded_to_its_last_item() {
    let Some(example) = example("getComputes") else {
        return;
    };
    let mut service = Service::start().await;
    service
        .on("GET", &example.target("/computes"), example.reply(200))
        .await;
    let items: Vec<_> = example.workspace(&service).computes().collect().await;
    let published = example.body(200)["value"].as_array().unwrap();
    assert_eq!(items.len(), published.len() + 1);
    for (item, published) in items.iter().zip(published) {
        let item = item.as_ref().unwrap();
        assert_eq!(published["name"], item.name().as_str());
        assert_eq!(item.compute_type(), "AKS");
    }
    // Its link is a placeholder, and no URL.
    assert_eq!(
        items.last().unwrap().as_ref().unwrap_err().kind(),
        ErrorKind::Protocol
    );
}

#[tokio::test]
async fn published_answers_to_a_delete_are_both_followed() {
    let (Some(example), Some(before)) = (example("deleteCompute"), example("getAKSCompute")) else {
        return;
    };
    let mut resource = before.body(200).clone();
    resource["properties"]["isAttachedCompute"] = false.into();
    let waits = [200, 202].map(|status| {
        let (example, resource) = (&example, &resource);
        async move {
            let mut service = Service::start().await;
            let compute = example.compute();
            service
                .on("GET", &compute, Reply::json(200, resource))
                .await;
            let target = format!(
                "{compute}&underlyingResourceAction={}",
                example.parameter("underlyingResourceAction")
            );
            service.on("DELETE", &target, example.reply(status)).await;
            let monitor = "/subscriptions/...pathToOperationStatus...?api-version=2019-11-01";
            service
                .on(
                    "GET",
                    monitor,
                    Reply::json(200, &json!({"status": "Succeeded"})),
                )
                .await;
            let mut handle = AksCompute::get(&example.workspace(&service), example.name())
                .await
                .unwrap();
            let mut operation = handle.delete().await.unwrap();
            operation.wait(fast()).await.unwrap();
            let polled = service.lines().contains(&format!("GET {monitor}"));
            assert_eq!(polled, status == 202);
        }
    });
    futures::future::join_all(waits).await;
}

#[tokio::test]
async fn the_published_example_of_the_keys_is_decoded() {
    let (Some(example), Some(before)) = (example("listKeysAKSCompute"), example("getAKSCompute"))
    else {
        return;
    };
    let mut service = Service::start().await;
    service
        .on("GET", &example.compute(), before.reply(200))
        .await;
    let target = example.target(&format!("/computes/{}/listKeys", example.name()));
    service.on("POST", &target, example.reply(200)).await;
    let handle = AksCompute::get(&example.workspace(&service), example.name())
        .await
        .unwrap();
    let keys = handle.credentials().await.unwrap();
    let body = example.body(200);
    let secret =
        |secret: Option<azure_core::credentials::Secret>| secret.unwrap().secret().to_owned();
    assert_eq!(body["userKubeConfig"], secret(keys.user_kube_config));
    assert_eq!(body["adminKubeConfig"], secret(keys.admin_kube_config));
    assert_eq!(
        body["imagePullSecretName"].as_str(),
        keys.image_pull_secret_name.as_deref()
    );
}

#[tokio::test]
async fn the_published_example_of_a_workspace_gives_its_location() {
    let Some(example) = example("getWorkspace") else {
        return;
    };
    let mut service = Service::start().await;
    service
        .on("GET", &example.target(""), example.reply(200))
        .await;
    let workspace = Workspace::builder(
        example.parameter("subscriptionId"),
        example.parameter("resourceGroupName"),
        example.parameter("workspaceName"),
    )
    .credential(service.token.clone())
    .transport(service.transport(ARM))
    .api_version("2019-11-01")
    .build()
    .unwrap();
    let location = workspace.location().await.unwrap();
    assert_eq!(example.body(200)["location"], location);
}
