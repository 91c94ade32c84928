//! Deleting services.

use super::{at_service, begins, fast, operation, refusal, with_service};
use crate::support::plane::{self, MODELS, header_names, models, only};
use crate::support::redirect::Reply;
use azureml_aks::ErrorKind;

fn path() -> String {
    models("/services/s-1")
}

#[tokio::test]
async fn service_is_deleted_at_once_or_by_an_operation() {
    for (reply, polled) in [
        (Reply::empty(200), false),
        (Reply::empty(204), false),
        (Reply::json(404, &refusal("NotFound", 404)), false),
        (begins(202, "op%201"), true),
    ] {
        let (mut service, mut handle) = with_service("Healthy").await;
        service
            .on("DELETE", &path(), reply)
            .await
            .on(
                "GET",
                &models("/operations/op%201"),
                Reply::json(200, &operation("Succeeded")),
            )
            .await;
        let mut removal = handle.delete().await.unwrap();
        removal.wait(fast()).await.unwrap();
        let seen = only(&service, "DELETE", &path());
        assert!(seen.body.is_empty());
        assert_eq!(
            header_names(&seen),
            [
                "accept",
                "authorization",
                "host",
                "user-agent",
                "x-ms-client-request-id"
            ]
        );
        let mut expected = vec![
            format!("GET {MODELS} {}", at_service()),
            format!("DELETE {MODELS} {}", path()),
        ];
        if polled {
            expected.push(format!("GET {MODELS} {}", models("/operations/op%201")));
        }
        assert_eq!(plane::lines(&service), expected);
    }
}

#[tokio::test]
async fn service_deleted_without_an_operation_is_read_until_it_is_gone() {
    let (mut service, mut handle) = with_service("Healthy").await;
    let accepted = Reply::empty(202).header("retry-after-ms", "1");
    service
        .on("DELETE", &path(), accepted)
        .await
        .on("GET", &at_service(), Reply::empty(404))
        .await;
    let mut removal = handle.delete().await.unwrap();
    removal.wait(fast()).await.unwrap();
    assert_eq!(
        plane::lines(&service).last(),
        Some(&format!("GET {MODELS} {}", at_service()))
    );
}

#[tokio::test]
async fn refusals_of_a_removal_are_reported() {
    for (reply, may_run) in [
        (Reply::json(409, &refusal("Conflict", 409)), false),
        (Reply::json(403, &refusal("No", 403)), false),
        (Reply::empty(500), true),
        (Reply::new(200, "x").breaks_off(), true),
    ] {
        let (mut service, mut handle) = with_service("Healthy").await;
        service.on("DELETE", &path(), reply).await;
        let error = handle.delete().await.unwrap_err();
        assert_eq!(error.may_still_run(), may_run, "{error}");
        assert_eq!(error.resume_token().is_some(), may_run);
        assert!(error.to_string().contains("service \"s-1\""), "{error}");
    }
    let (mut service, mut handle) = with_service("Healthy").await;
    let mut failed = operation("Failed");
    failed["error"] = refusal("Stuck", 500);
    service
        .on("DELETE", &path(), begins(202, "op%201"))
        .await
        .on(
            "GET",
            &models("/operations/op%201"),
            Reply::json(200, &failed),
        )
        .await;
    let error = handle
        .delete()
        .await
        .unwrap()
        .wait(fast())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OperationFailed);
    assert_eq!(error.code(), Some("Detail"));
}
