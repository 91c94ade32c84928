//! The documents of services, decoded.

use super::{at_service, described, refusal, with_service};
use crate::support::plane;
use crate::support::redirect::Reply;
use azureml_aks::{AksWebservice, Error, ErrorKind};
use serde_json::{Value, json};

async fn read(reply: Reply) -> Result<AksWebservice, Error> {
    let mut service = plane::start().await;
    service.on("GET", &at_service(), reply).await;
    AksWebservice::get(&plane::workspace(&service), "s-1").await
}

#[tokio::test]
async fn described_service_is_read_to_its_last_member() {
    let (_service, handle) = with_service("Healthy").await;
    let one = handle.resource();
    assert_eq!(one.name, "s-1");
    assert_eq!(one.description.as_deref(), Some("d"));
    assert_eq!(one.tags["team"], "vision");
    assert_eq!(one.properties["origin"], "ci");
    assert_eq!(one.state.as_deref(), Some("Healthy"));
    assert_eq!(one.error, None);
    assert_eq!(one.created_time.as_deref(), Some("2026-01-01T00:00:00Z"));
    assert_eq!(one.updated_time.as_deref(), Some("2026-01-02T00:00:00Z"));
    assert_eq!(one.compute_type.as_deref(), Some("AKS"));
    assert_eq!(one.compute_name.as_deref(), Some("myaks"));
    assert_eq!(one.namespace.as_deref(), Some("scoring"));
    assert_eq!(
        (one.auth_enabled, one.token_auth_enabled),
        (Some(true), Some(false))
    );
    assert_eq!(one.app_insights_enabled, Some(true));
    assert_eq!(one.num_replicas, Some(2));
    assert_eq!(one.scoring_timeout_ms, Some(60_000));
    assert_eq!(one.max_concurrent_requests_per_container, Some(1));
    assert_eq!(one.max_queue_wait_ms, Some(500));
    assert_eq!(handle.scoring_uri(), Some("https://cluster.example/score"));
    assert_eq!(
        one.swagger_uri.as_deref(),
        Some("https://cluster.example/swagger.json")
    );
    let scale = one.auto_scaler.as_ref().unwrap();
    assert_eq!(scale.autoscale_enabled, Some(true));
    assert_eq!((scale.min_replicas, scale.max_replicas), (Some(1), Some(3)));
    assert_eq!(scale.target_utilization, Some(70));
    assert_eq!(scale.refresh_period_in_seconds, Some(1));
    let has = one.container_resource_requirements.as_ref().unwrap();
    assert_eq!((has.cpu, has.cpu_limit), (Some(0.5), Some(1.0)));
    assert_eq!((has.memory_gb, has.memory_gb_limit), (Some(1.0), Some(2.0)));
    assert_eq!((has.gpu, has.fpga), (Some(1), Some(0)));
    let probe = one.liveness_probe_requirements.as_ref().unwrap();
    assert_eq!(
        (probe.failure_threshold, probe.success_threshold),
        (Some(3), Some(1))
    );
    assert_eq!(
        (probe.timeout_seconds, probe.period_seconds),
        (Some(2), Some(10))
    );
    assert_eq!(probe.initial_delay_seconds, Some(310));
    let replicas = handle.replicas().unwrap();
    assert_eq!(replicas.desired_replicas, Some(3));
    assert_eq!(replicas.updated_replicas, Some(2));
    assert_eq!(replicas.available_replicas, Some(1));
    assert!(format!("{:?}", replicas.error).contains("Pulling"));
    assert_eq!(one.models[0].id.as_deref(), Some("mymodel:3"));
    let mut unknown: Vec<&str> = one.other.keys().map(String::as_str).collect();
    unknown.sort_unstable();
    assert_eq!(
        unknown,
        [
            "dataCollection",
            "deploymentType",
            "environmentImageRequest",
            "id",
            "isDefault",
            "modelConfigMap",
            "trafficPercentile",
            "type",
        ]
    );
}

#[tokio::test]
async fn reason_of_an_unhealthy_service_is_read() {
    let mut body = described("Unschedulable");
    body["error"] = json!({
        "code": "KubernetesDeploymentFailed", "statusCode": 400, "message": "no room",
        "details": [{ "code": "Unschedulable", "message": "0/3 nodes are available: 3 Insufficient cpu." }],
    });
    let handle = read(Reply::json(200, &body)).await.unwrap();
    let error = format!("{:?}", handle.error().unwrap());
    for part in ["KubernetesDeploymentFailed", "no room", "Insufficient cpu"] {
        assert!(error.contains(part), "{error}");
    }
    assert!(!handle.state().unwrap().is_final());
}

#[tokio::test]
async fn members_of_any_type_and_none_leave_the_service_usable() {
    let all = described("Healthy");
    for key in all.as_object().unwrap().keys().filter(|key| *key != "name") {
        for odd in [
            json!(null),
            json!(7),
            json!("x"),
            json!([]),
            json!({}),
            json!(true),
            json!(-1.5),
        ] {
            let mut body = all.clone();
            body[key] = odd.clone();
            let read = read(Reply::json(200, &body)).await;
            // An unknown kind is not an unexpected shape.
            if key == "computeType" && odd == json!("x") {
                assert_eq!(read.unwrap_err().kind(), ErrorKind::Refused);
                continue;
            }
            let handle = read.unwrap_or_else(|error| panic!("{key} {odd}: {error}"));
            assert_eq!(handle.name().as_str(), "s-1");
            assert!(!format!("{handle:?} {:?}", handle.resource()).is_empty());
        }
        let mut body = all.clone();
        body.as_object_mut().unwrap().remove(key);
        read(Reply::json(200, &body)).await.unwrap();
    }
}

#[tokio::test]
async fn answer_that_is_not_a_service_is_an_error_that_names_it() {
    for body in [
        "",
        "null",
        "[]",
        "7",
        "{}",
        "{\"name\":null}",
        "{\"name\":7}",
        "<html>sign in</html>",
        "{\"name\":\"s-1\"",
        "\u{0}",
    ] {
        match read(Reply::new(200, body)).await {
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Protocol, "{body:?}: {error}");
                assert!(error.to_string().contains("service \"s-1\""), "{error}");
            }
            Ok(handle) => panic!("{body:?}: {handle:?}"),
        }
    }
    let huge = json!({ "name": "s-1", "x": "y".repeat(5 << 20) });
    let error = read(Reply::json(200, &huge)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    let other = json!({ "name": "s-1", "computeType": "ACI" });
    let error = read(Reply::json(200, &other)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("ACI"), "{error}");
}

#[tokio::test]
async fn every_form_of_a_refusal_is_read() {
    let forms: [(Value, &str); 6] = [
        (refusal("Outer", 403), "Detail"),
        (
            json!({ "code": "Flat", "statusCode": 403, "message": "m" }),
            "Flat",
        ),
        (
            json!({ "error": { "code": "Nested", "message": "m" } }),
            "Nested",
        ),
        (
            json!({ "error": { "error": { "code": "Twice", "message": "m" } } }),
            "Twice",
        ),
        (
            json!({ "error": { "code": "Outer", "message": "m", "innerError": { "code": "Inner" } } }),
            "Inner",
        ),
        (
            json!({ "code": "NullDetails", "message": "m", "details": null }),
            "NullDetails",
        ),
    ];
    for (body, code) in forms {
        let error = read(Reply::json(403, &body)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Service);
        assert!(error.is_forbidden());
        let found = error.code().unwrap_or_default().to_owned();
        let text = error.to_string();
        assert!(
            found == code || text.contains(code),
            "{body}: {found} {text}"
        );
    }
    for odd in [
        "",
        "<html>proxy</html>",
        "[]",
        "{\"code\":7}",
        "{\"details\":[[]]}",
        "{",
    ] {
        let error = read(Reply::new(400, odd)).await.unwrap_err();
        assert_eq!(error.http_status(), Some(400), "{odd}: {error}");
    }
}
