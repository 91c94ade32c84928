//! Web services on the wire: every request byte for byte, and every answer that is documented, or odd.

mod answers;
mod deploying;
mod keys;
mod reading;
mod removing;
mod resuming;
mod updating;
mod waiting;

use crate::support::plane::{self, models};
use crate::support::redirect::{Reply, Service};
use azureml_aks::{AksWebservice, WaitOptions};
use serde_json::{Value, json};
use std::time::Duration;

/// A service as the description has it, filled in as for AKS.
fn described(state: &str) -> Value {
    json!({
        "id": "s-1", "name": "s-1", "description": "d", "kvTags": { "team": "vision" },
        "properties": { "origin": "ci" }, "state": state,
        "createdTime": "2026-01-01T00:00:00Z", "updatedTime": "2026-01-02T00:00:00Z",
        "error": null, "computeType": "AKS", "deploymentType": "GRPCRealtimeEndpoint",
        "modelConfigMap": { "m": {} }, "computeName": "myaks", "namespace": "scoring",
        "numReplicas": 2, "isDefault": true, "trafficPercentile": 100.0, "type": "Control",
        "appInsightsEnabled": true, "authEnabled": true, "aadAuthEnabled": false,
        "scoringTimeoutMs": 60_000, "maxConcurrentRequestsPerContainer": 1, "maxQueueWaitMs": 500,
        "scoringUri": "https://cluster.example/score", "swaggerUri": "https://cluster.example/swagger.json",
        "autoScaler": { "autoscaleEnabled": true, "minReplicas": 1, "maxReplicas": 3,
            "targetUtilization": 70, "refreshPeriodInSeconds": 1 },
        "containerResourceRequirements": { "cpu": 0.5, "cpuLimit": 1.0, "memoryInGB": 1.0,
            "memoryInGBLimit": 2.0, "gpu": 1, "fpga": 0 },
        "livenessProbeRequirements": { "failureThreshold": 3, "successThreshold": 1,
            "timeoutSeconds": 2, "periodSeconds": 10, "initialDelaySeconds": 310 },
        "deploymentStatus": { "desiredReplicas": 3, "updatedReplicas": 2, "availableReplicas": 1,
            "error": { "code": "Pulling", "message": "images are pulled" } },
        "dataCollection": { "storageEnabled": true, "eventHubEnabled": false },
        "models": [{ "id": "mymodel:3", "name": "mymodel", "version": 3, "framework": "Onnx",
            "url": "aml://asset/a1", "kvTags": {} }],
        "environmentImageRequest": { "modelIds": ["mymodel:3"], "environment": { "name": "e" } },
    })
}

/// Where `s-1` is read.
fn at_service() -> String {
    models("/services/s-1?expand=true")
}

/// A refusal as model management writes them.
fn refusal(code: &str, status: u16) -> Value {
    json!({
        "code": code, "statusCode": status, "message": "not like this",
        "details": [{ "code": "Detail", "message": "because of it" }],
        "correlation": { "RequestId": "r-1" },
    })
}

/// An operation begins, on a host that is not asked.
fn begins(status: u16, operation: &str) -> Reply {
    Reply::empty(status)
        .header(
            "Operation-Location",
            &format!("https://evil.example/any/operations/{operation}?x=1"),
        )
        .header("retry-after-ms", "1")
}

/// The answer of an operation.
fn operation(state: &str) -> Value {
    json!({
        "id": "op 1", "operationType": "Service", "state": state,
        "createdTime": "2026-01-01T00:00:00Z", "endTime": null, "error": null,
        "resourceLocation": "https://evil.example/services/s-1",
        "operationLog": "https://evil.example/log?sig=s3cr3t",
        "operationDetails": { "subOperationType": "BuildEnvironment", "subOperationState": "Running" },
        "parentRequestId": "p-1",
    })
}

/// A mock with `s-1`, and its handle.
async fn with_service(state: &str) -> (Service, AksWebservice) {
    let mut service = plane::start().await;
    service
        .on("GET", &at_service(), Reply::json(200, &described(state)))
        .await;
    let handle = AksWebservice::get(&plane::workspace(&service), "s-1")
        .await
        .unwrap();
    (service, handle)
}

fn fast() -> WaitOptions {
    WaitOptions::new()
        .poll_floor(Duration::ZERO)
        .deadline(Duration::from_secs(20))
}
