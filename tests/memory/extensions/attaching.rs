//! The two errors of an attach that do not name their reason: a missing extension or role.

use super::*;
use azureml_aks::{
    AksCompute, ClusterRef, ComputeTarget, Error, ErrorKind, KubernetesCompute, WaitOptions,
};

const COMPUTE: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes/kube";

fn compute(kind: &str) -> Value {
    json!({ "id": COMPUTE, "name": "kube", "properties": {
        "computeType": kind, "provisioningState": "Creating", "isAttachedCompute": true, "resourceId": CLUSTER,
    } })
}

/// The end of an attach of this kind that fails so.
async fn failed(kind: &str, error: &Value) -> Error {
    let script = Script::new();
    let monitor = format!("{ARM}/subscriptions/s/operations/1?api-version=1");
    script.expect([
        reply(404),
        reply(200).json(&json!({ "value": [] })),
        reply(201)
            .header("Azure-AsyncOperation", &monitor)
            .json(&compute(kind)),
        reply(200).json(&json!({ "status": "Failed", "error": error })),
    ]);
    let workspace = workspace(&script);
    let wait = WaitOptions::new();
    if kind == "AKS" {
        let config = AksCompute::attach_configuration(ClusterRef::named("g", "c"));
        let attach = ComputeTarget::attach(&workspace, "kube", config.build().unwrap());
        let mut compute = attach.await.unwrap();
        return compute.wait_for_completion(wait).await.unwrap_err();
    }
    let config = KubernetesCompute::attach_configuration(managed());
    let attach = ComputeTarget::attach(&workspace, "kube", config.build().unwrap());
    let mut compute = attach.await.unwrap();
    compute.wait_for_completion(wait).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn attach_without_the_extension_names_the_role_too() {
    for error in [
        json!({ "code": "ExtensionNotFound", "message": "m" }),
        json!({ "code": "BadRequest", "message": "The AzureML extension is not installed on the cluster" }),
    ] {
        let error = failed("Kubernetes", &error).await;
        assert_eq!(error.kind(), ErrorKind::OperationFailed);
        let remedy = error.remedy().unwrap();
        assert!(remedy.contains("microsoft.azureml.kubernetes"), "{error}");
        assert!(
            remedy.contains("Kubernetes Extension Contributor"),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn internal_error_of_an_attach_names_the_role_only_for_kind_kubernetes() {
    for error in [
        json!({ "code": "InternalServerError", "message": "m" }),
        json!({ "code": "UserError", "message": "m", "details": [{ "message": "Internal server error" }] }),
    ] {
        let shown = failed("Kubernetes", &error).await;
        assert!(shown.remedy().unwrap().contains("Cluster Admin"), "{shown}");
        let shown = failed("AKS", &error).await;
        assert!(
            !shown.remedy().unwrap().contains("Cluster Admin"),
            "{shown}"
        );
    }
    let other = json!({ "code": "UserError", "message": "m" });
    let shown = failed("Kubernetes", &other).await;
    assert!(
        shown.remedy().unwrap().contains("the compute stays"),
        "{shown}"
    );
}
