//! Answers of the emulator about services and their operations, checked against Microsoft's published
//! description of model management.

use crate::support::specs::allowed::{Allowed, KnownRoute, verdict};
use crate::support::specs::{Direction, Exchange, Kind, Report, Specs};
use azure_core::http::{Method, Request, Url};
use azureml_aks::emulator::{Clock, Emulator, Fault};
use serde_json::{Value, json};

/// Members that the emulator shows or the client sends, and the description does not know.
const ALLOWED: &[Allowed] = &[
    UNKNOWN,
    Allowed {
        id: "the limit of the memory",
        pointer: "*/memoryInGBLimit",
        ..UNKNOWN
    },
    Allowed {
        id: "the request for the image",
        source: "azureml-core 1.61 reads the environment there",
        pointer: "*/environmentImageRequest",
        ..UNKNOWN
    },
    Allowed {
        id: "who registered the model of a service",
        source: "azureml-core 1.61 insists on it (wire.md §5)",
        pointer: "*/models/*/createdBy",
        ..UNKNOWN
    },
    Allowed {
        id: "what the model of a service needs",
        source: "azureml-core 1.61 sends it with the model",
        pointer: "*/models/*/resourceRequirements",
        ..UNKNOWN
    },
    Allowed {
        id: "sample data of the model of a service",
        source: "azureml-core 1.61: its type of a model has it",
        pointer: "*/models/*/sample*Data",
        ..UNKNOWN
    },
    Allowed {
        id: "the members of a model that azureml-core insists on",
        source: "azureml-core 1.61 (wire.md §5): they must be there, if only as null",
        pointer: "*/models/*",
        ..NULL
    },
    NULL,
    Allowed {
        id: "no address yet",
        source: "azureml-core 1.61 (wire.md §5): the key must be there, if only as null",
        pointer: "*/scoringUri",
        ..NULL
    },
    Allowed {
        id: "no password",
        source: "azureml-core 1.61: its type of a registry has it",
        pointer: "*/baseImageRegistry/password",
        ..NULL
    },
    Allowed {
        id: "a service that cannot be placed",
        source: "article on deploying: states of a service (seed-facts.md §5)",
        pointer: "/state",
        kind: Kind::NotListed,
        value: Some("Unschedulable"),
        ..UNKNOWN
    },
    Allowed {
        id: "the log of an operation",
        source: "azureml-core 1.61 reads it (wire.md §1)",
        route: "GET */operations/{id}",
        pointer: "/streamingOperationLog",
        ..UNKNOWN
    },
    Allowed {
        id: "correlation of a refusal",
        source: "azureml-core 1.61 reads it beside code, statusCode, message and details",
        route: "* */workspaces/{workspace}/*",
        pointer: "/correlation",
        ..UNKNOWN
    },
    Allowed {
        id: "the service after a patch that is done at once",
        source: "azureml-core 1.61 reads the body of a 200 as JSON",
        route: "PATCH */services/{id}",
        pointer: "body",
        ..UNKNOWN
    },
    Allowed {
        id: "keyType is a string",
        source: "azureml-core 1.61, recorded; the description says int32 with two words to choose",
        route: "POST */services/{id}/regenerateKeys",
        pointer: "/keyType",
        kind: Kind::WrongType,
        direction: Direction::Request,
        value: None,
    },
    Allowed {
        id: "the value of a patch is whatever is replaced",
        source: "azureml-core 1.61, recorded; RFC 6902; the description says object",
        route: "PATCH */services/{id}",
        pointer: "/*/value",
        kind: Kind::WrongType,
        direction: Direction::Request,
        value: None,
    },
];

const UNKNOWN: Allowed = Allowed {
    id: "the limit of the processors",
    source: "azureml-core 1.61 sends it, and insists on it in answers (wire.md §5)",
    route: "* */services*",
    pointer: "*/cpuLimit",
    kind: Kind::Unknown,
    direction: Direction::Response,
    value: None,
};

const NULL: Allowed = Allowed {
    id: "no description",
    source: "azureml-core 1.61 (wire.md §5): the key must be there, if only as null",
    pointer: "*/description",
    kind: Kind::Null,
    ..UNKNOWN
};

const ROUTES: &[KnownRoute] = &[];

/// A workspace of the emulator and what was exchanged with it.
struct Recorder {
    emulator: Emulator,
    workspace: String,
    seen: Vec<Exchange>,
}

impl Recorder {
    async fn send(&mut self, method: Method, target: &str, body: Option<Value>) -> Option<Value> {
        let (exchange, answered) = exchange(&self.emulator, method, target, body).await;
        self.seen.push(exchange);
        answered
    }

    /// Sends a request below model management.
    async fn call(&mut self, method: Method, rest: &str, body: Option<Value>) -> Option<Value> {
        let target = format!("/modelmanagement/v1.0{}{rest}", self.workspace);
        self.send(method, &target, body).await
    }

    /// Reads the last operation of a service, and the service.
    async fn look(&mut self, name: &str) {
        let service = self
            .call(Method::Get, &format!("/services/{name}?expand=true"), None)
            .await;
        let operation = service.unwrap()["operationId"].as_str().unwrap().to_owned();
        self.call(Method::Get, &format!("/operations/{operation}"), None)
            .await;
    }
}

/// Sends a request and returns it with its answer.
async fn exchange(
    emulator: &Emulator,
    method: Method,
    target: &str,
    body: Option<Value>,
) -> (Exchange, Option<Value>) {
    let url = format!("https://models.example{target}");
    let mut request = Request::new(Url::parse(&url).unwrap(), method);
    request.insert_header("authorization", "Bearer t");
    if let Some(body) = &body {
        let kind = if method == Method::Patch {
            "application/json-patch+json"
        } else {
            "application/json"
        };
        request.insert_header("content-type", kind);
        request.set_body(body.to_string().into_bytes());
    }
    let answer = emulator
        .http_client()
        .execute_request(&request)
        .await
        .unwrap();
    let (status, headers, answered) = answer.deconstruct();
    let answered = answered.collect().await.unwrap();
    let answered: Option<Value> =
        (!answered.is_empty()).then(|| serde_json::from_slice(&answered).unwrap());
    let names = headers.iter().map(|(name, _)| name.as_str().to_owned());
    let exchange = Exchange::new(method.as_ref(), target)
        .answered(u16::from(status), answered.clone())
        .with_headers(names);
    let exchange = match body {
        Some(body) => exchange.sending(body),
        None => exchange,
    };
    (exchange, answered)
}

/// Every route of services, good and bad ends, and a list with more than one page.
async fn everything() -> Vec<Exchange> {
    let emulator = Emulator::builder()
        .clock(Clock::Manual)
        .page_size(1)
        .run_output("exp", "run-1", "model.pkl", "a model")
        .run_output("exp", "run-1", "score.py", "code")
        .build();
    let workspace = format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.MachineLearningServices/workspaces/{}",
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace()
    );
    let mut recorder = Recorder {
        emulator,
        workspace,
        seen: Vec::new(),
    };
    prepare(&mut recorder).await;
    recorder.seen.clear();

    let code = json!({
        "driverProgram": "score", "modelIds": ["m:1"],
        "assets": [{ "id": "score", "mimeType": "application/x-python", "unpack": false,
            "url": "aml://artifact/ExperimentRun/dcid.run-1/score.py" }],
        "environment": {
            "name": "e", "version": "1", "environmentVariables": { "A": "b" },
            "python": { "userManagedDependencies": true, "interpreterPath": "python" },
            "docker": { "baseImage": "i", "enabled": true, "arguments": [],
                "baseImageRegistry": { "address": "a", "username": "u", "password": "p" } },
            "inferencingStackVersion": "latest",
        },
    });
    let full = json!({
        "name": "full", "computeType": "AKS", "computeName": "myaks", "description": "d",
        "kvTags": { "a": "b" }, "properties": { "p": "q" }, "location": "eastus",
        "keys": { "primaryKey": "one", "secondaryKey": "two" },
        "environmentImageRequest": code,
        "numReplicas": 2, "appInsightsEnabled": true, "authEnabled": true, "aadAuthEnabled": false,
        "dataCollection": { "storageEnabled": true, "eventHubEnabled": false },
        "autoScaler": { "autoscaleEnabled": false, "minReplicas": 1, "maxReplicas": 2,
            "targetUtilization": 70, "refreshPeriodInSeconds": 1 },
        "containerResourceRequirements": { "cpu": 0.5, "memoryInGB": 1.0, "gpu": 0, "fpga": 0 },
        "livenessProbeRequirements": { "periodSeconds": 10, "initialDelaySeconds": 310,
            "timeoutSeconds": 2, "successThreshold": 1, "failureThreshold": 3 },
        "maxConcurrentRequestsPerContainer": 1, "maxQueueWaitMs": 500, "scoringTimeoutMs": 60_000,
        "namespace": "mine",
    });
    let short = |name: &str| {
        json!({ "name": name, "computeType": "AKS", "computeName": "myaks",
            "environmentImageRequest": { "modelIds": ["m:1"] } })
    };
    let tokens = {
        let mut tokens = short("tokens");
        tokens["aadAuthEnabled"] = json!(true);
        tokens
    };
    for body in [
        full,
        tokens,
        short("failing"),
        json!({ "name": "no", "computeType": "AKS" }),
    ] {
        recorder.call(Method::Post, "/services", Some(body)).await;
    }
    recorder.look("full").await;
    recorder.emulator.finish_operations();
    recorder
        .emulator
        .inject(Fault::unschedulable("cpu").times(1));
    recorder
        .call(Method::Post, "/services", Some(short("large")))
        .await;
    recorder.emulator.finish_operations();
    recorder
        .emulator
        .inject(Fault::deployment_timed_out().times(1));
    recorder
        .call(Method::Post, "/services", Some(short("slow")))
        .await;
    recorder.emulator.finish_operations();
    for name in ["full", "tokens", "failing", "large", "slow"] {
        recorder.look(name).await;
    }
    let replace =
        |path: &str, value: Value| json!([{ "op": "replace", "path": path, "value": value }]);
    for (method, rest, body) in [
        (Method::Get, "/services", None),
        (
            Method::Get,
            "/services?computeType=AKS&expand=true&count=1&orderby=CreatedAtAsc&tags=a&properties=p",
            None,
        ),
        (
            Method::Get,
            "/services?modelName=m&modelId=m%3A1&name=full&imageId=i&imageName=n",
            None,
        ),
        (Method::Get, "/services/absent", None),
        (Method::Get, "/operations/absent", None),
        (Method::Post, "/services/full/listkeys", None),
        (Method::Post, "/services/tokens/token", None),
        (Method::Post, "/services/tokens/listkeys", None),
        (
            Method::Post,
            "/services/full/regenerateKeys",
            Some(json!({ "keyType": "Primary", "keyValue": "k" })),
        ),
        (
            Method::Patch,
            "/services/tokens",
            Some(replace("/kvTags", json!({ "c": "d" }))),
        ),
        (
            Method::Patch,
            "/services/tokens",
            Some(replace("/autoScaler/maxReplicas", json!(3))),
        ),
        (Method::Delete, "/services/failing", None),
        (Method::Delete, "/services/absent", None),
    ] {
        recorder.call(method, rest, body).await;
    }
    for name in ["full", "tokens"] {
        recorder.look(name).await;
    }
    recorder.seen
}

/// A compute that is ready, and a model.
async fn prepare(recorder: &mut Recorder) {
    let target = format!(
        "{}/computes/myaks?api-version=2026-05-01",
        recorder.workspace
    );
    let compute = json!({ "location": "eastus", "properties": { "computeType": "AKS" } });
    recorder.send(Method::Put, &target, Some(compute)).await;
    recorder.emulator.finish_operations();
    let artifacts = json!([{ "prefix": "ExperimentRun/dcid.run-1/model.pkl" }]);
    let asset = json!({ "name": "m", "artifacts": artifacts });
    let asset = recorder.call(Method::Post, "/assets", Some(asset)).await;
    let url = format!("aml://asset/{}", asset.unwrap()["id"].as_str().unwrap());
    let model = json!({ "name": "m", "mimeType": "application/json", "url": url,
        "framework": "ScikitLearn" });
    recorder.call(Method::Post, "/models", Some(model)).await;
}

#[tokio::test]
async fn every_answer_about_services_is_as_described() {
    let Some(specs) = Specs::load() else { return };
    let seen = everything().await;
    let reports: Vec<Report> = seen.iter().map(|seen| specs.check(seen)).collect();
    if let Err(wrong) = verdict(&reports, ALLOWED, ROUTES) {
        panic!("{wrong}");
    }
}
