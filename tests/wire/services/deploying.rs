//! Deployments: the checks, the uploads and the request that makes the service.

use super::{at_service, begins, described, refusal};
use crate::support::plane::{
    self, EXPERIMENTS, HISTORY, MODELS, STORE, artifacts, environments, header_names, models, only,
};
use crate::support::redirect::{Reply, Service, at};
use azureml_aks::{
    AksCompute, AksWebservice, Auth, EnvironmentRef, Error, ErrorKind, InferenceConfiguration,
    Model, Workspace, models::DeployService,
};
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

const SIGNED: &str = "?sv=1&sig=s3cr3t";
const SCRIPT: &str = "def init(): pass\ndef run(data): return data\n";

fn validate(rest: &str) -> String {
    models(&format!("/services/validate{rest}"))
}

/// The compute, the model and the services of a workspace that takes everything.
async fn start() -> (Service, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("score.py"), SCRIPT).unwrap();
    let mut service = plane::start().await;
    let compute = json!({ "name": "myaks", "properties": {
        "computeType": "AKS", "provisioningState": "Succeeded",
    } });
    let model = json!({ "id": "mymodel:3", "name": "mymodel", "version": 3, "framework": "Onnx" });
    service
        .on("GET", &at("/computes/myaks"), Reply::json(200, &compute))
        .await
        .on(
            "GET",
            &models("/models/mymodel%3A3"),
            Reply::json(200, &model),
        )
        .await;
    let content = |name: &str| json!({ "contentUri": format!("https://{STORE}/c/{name}{SIGNED}") });
    let announced = json!({ "artifactContentInformation": {
        "azureml_aks_driver.py": content("driver"), "score.py": content("script"),
    } });
    service
        .on_like(
            "POST",
            &format!(
                "^{}[0-9a-f]{{32}}$",
                artifacts("/batch/metadata/LocalUpload/")
            ),
            Reply::json(200, &announced),
        )
        .await
        .on("PUT", &format!("/c/driver{SIGNED}"), Reply::empty(201))
        .await
        .on("PUT", &format!("/c/script{SIGNED}"), Reply::empty(201))
        .await;
    (service, folder)
}

/// Answers the checks, the POST and the GET of the service.
async fn on_deployment(service: &mut Service, made: Reply) {
    service
        .on("POST", &validate("/name/s-1"), Reply::new(200, "{}"))
        .await
        .on("POST", &validate(""), Reply::new(200, "{}"))
        .await
        .on("POST", &validate("/resource"), Reply::new(200, "{}"))
        .await
        .on("POST", &models("/services"), made)
        .await
        .on(
            "GET",
            &at_service(),
            Reply::json(200, &described("Transitioning")),
        )
        .await;
}

struct Parts {
    workspace: Workspace,
    aks: AksCompute,
    model: Model,
}

/// The parts of a deployment, read before.
async fn parts(service: &Service) -> Parts {
    let workspace = plane::workspace(service);
    let aks = AksCompute::get(&workspace, "myaks").await.unwrap();
    let model = Model::get(&workspace, "mymodel:3").await.unwrap();
    Parts {
        workspace,
        aks,
        model,
    }
}

fn inference(folder: &TempDir, environment: Option<EnvironmentRef>) -> InferenceConfiguration {
    let builder = InferenceConfiguration::builder().entry_script(folder.path().join("score.py"));
    match environment {
        Some(environment) => builder.environment(environment),
        None => builder,
    }
    .build()
    .unwrap()
}

impl Parts {
    fn deployment(&self, folder: &TempDir, environment: Option<EnvironmentRef>) -> DeployService {
        let config = AksWebservice::deploy_configuration().build().unwrap();
        let inference = inference(folder, environment);
        Model::deploy(
            &self.workspace,
            "s-1",
            [&self.model],
            inference,
            config,
            &self.aks,
        )
    }

    fn without_code(&self) -> DeployService {
        let config = AksWebservice::deploy_configuration().build().unwrap();
        self.model.deploy_without_code("s-1", config, &self.aks)
    }
}

/// The name of the container that was uploaded to.
fn container(service: &Service) -> String {
    let seen = plane::sent(service);
    let announced = seen
        .iter()
        .find(|seen| seen.target.contains("/batch/metadata/"));
    let target = &announced.unwrap().target;
    target.rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn deployment_is_these_very_requests_in_this_order() {
    let (mut service, folder) = start().await;
    on_deployment(&mut service, begins(202, "op")).await;
    let parts = parts(&service).await;
    let handle = parts.deployment(&folder, None).await.unwrap();
    assert_eq!(handle.state().unwrap().as_str(), "Transitioning");
    assert!(handle.warnings().is_empty());

    let container = container(&service);
    let mut lines = plane::lines(&service).split_off(2);
    // The files, and two of the checks, go side by side.
    lines[3..5].sort();
    lines[5..7].sort();
    assert_eq!(
        lines,
        [
            format!("GET management.azure.com {}", at("/computes/myaks")),
            format!("POST {MODELS} {}", validate("/name/s-1")),
            format!(
                "POST {HISTORY} {}",
                artifacts(&format!("/batch/metadata/LocalUpload/{container}"))
            ),
            format!("PUT {STORE} /c/driver{SIGNED}"),
            format!("PUT {STORE} /c/script{SIGNED}"),
            format!("POST {MODELS} {}", validate("")),
            format!("POST {MODELS} {}", validate("/resource")),
            format!("POST {MODELS} {}", models("/services")),
            format!("GET {MODELS} {}", at_service()),
        ]
    );
    let body = json!({
        "name": "s-1", "location": "westeurope", "computeType": "AKS", "computeName": "myaks",
        "environmentImageRequest": {
            "driverProgram": "azureml_aks_driver.py",
            "assets": [
                { "id": "azureml_aks_driver.py", "mimeType": "application/x-python",
                  "url": format!("aml://artifact/LocalUpload/{container}/azureml_aks_driver.py") },
                { "id": "score.py", "mimeType": "application/octet-stream",
                  "url": format!("aml://artifact/LocalUpload/{container}/score.py") },
            ],
            "modelIds": ["mymodel:3"],
        },
    });
    let text = |method, target: &str| only(&service, method, target).text().to_owned();
    assert_eq!(text("POST", &validate("/name/s-1")), "{}");
    assert_eq!(
        text("POST", &validate("")),
        json!({ "type": "Create", "serviceName": "s-1", "createRequest": body, "updateRequest": null })
            .to_string()
    );
    assert_eq!(text("POST", &validate("/resource")), body.to_string());
    assert_eq!(text("POST", &models("/services")), body.to_string());
    assert_eq!(text("PUT", &format!("/c/script{SIGNED}")), SCRIPT);
    assert!(text("PUT", &format!("/c/driver{SIGNED}")).contains("score.py"));
}

#[tokio::test]
async fn requests_of_a_deployment_carry_these_headers() {
    let (mut service, folder) = start().await;
    on_deployment(&mut service, begins(202, "op")).await;
    let parts = parts(&service).await;
    let prepared = parts.deployment(&folder, None).prepare().await.unwrap();
    let token: Value = serde_json::from_str(&prepared.token().expose()).unwrap();
    prepared.send().await.unwrap();
    for seen in plane::sent(&service).split_off(2) {
        let authorized = seen.headers.get("authorization").map(String::as_str);
        match seen.host.as_str() {
            "management.azure.com" => assert_eq!(authorized, Some("Bearer CANARY-token-1")),
            STORE => {
                assert_eq!(authorized, None);
                continue;
            }
            _ => assert_eq!(authorized, Some("Bearer CANARY-token-2")),
        }
        let body: &[&str] = match seen.method.as_str() {
            "POST" => &["content-length", "content-type"],
            _ => &[],
        };
        let (first, last) = (
            ["accept", "authorization"],
            ["host", "user-agent", "x-ms-client-request-id"],
        );
        assert_eq!(
            header_names(&seen),
            [&first, body, &last].concat(),
            "{}",
            seen.line()
        );
        assert_eq!(seen.headers["accept"], "application/json");
        if !body.is_empty() {
            assert_eq!(seen.headers["content-type"], "application/json");
        }
    }
    let made = only(&service, "POST", &models("/services"));
    assert_eq!(made.request_id(), token["clientRequestId"]);
    assert_eq!(
        token["initialUri"],
        format!("https://{MODELS}{}", at_service())
    );
}

#[tokio::test]
async fn settings_of_a_service_are_sent_once_and_checked_twice() {
    let (mut service, _folder) = start().await;
    on_deployment(&mut service, begins(201, "op")).await;
    let parts = parts(&service).await;
    let config = AksWebservice::deploy_configuration()
        .auth(Auth::Key)
        .primary_key("first")
        .secondary_key("second")
        .cpu_cores(0.5)
        .cpu_cores_limit(1.0)
        .memory_gb_limit(2.0)
        .replicas(3)
        .blobfuse(false)
        .tag("größe", "1")
        .build()
        .unwrap();
    parts
        .model
        .deploy_without_code("s-1", config, &parts.aks)
        .await
        .unwrap();
    let body = json!({
        "name": "s-1", "location": "westeurope", "computeType": "AKS", "computeName": "myaks",
        "environmentImageRequest": { "modelIds": ["mymodel:3"] },
        "authEnabled": true, "aadAuthEnabled": false,
        "keys": { "primaryKey": "first", "secondaryKey": "second" },
        "containerResourceRequirements": { "cpu": 0.5, "cpuLimit": 1.0, "memoryInGBLimit": 2.0 },
        "autoScaler": { "autoscaleEnabled": false }, "numReplicas": 3,
        "storageInitEnabled": true, "kvTags": { "größe": "1" },
    });
    assert_eq!(
        only(&service, "POST", &models("/services")).text(),
        body.to_string()
    );
    assert_eq!(
        only(&service, "POST", &validate("/resource")).text(),
        body.to_string()
    );
}

#[tokio::test]
async fn service_that_may_be_overwritten_is_checked_once_and_is_reported() {
    let (mut service, _folder) = start().await;
    on_deployment(&mut service, begins(202, "op")).await;
    let parts = parts(&service).await;
    parts.without_code().overwrite(true).await.unwrap();
    let body: Value =
        serde_json::from_slice(&only(&service, "POST", &models("/services")).body).unwrap();
    assert_eq!(body["overwrite"], true);
    let checks: Vec<String> = plane::lines(&service)
        .into_iter()
        .filter(|line| line.contains("/validate"))
        .collect();
    assert_eq!(checks, [format!("POST {MODELS} {}", validate(""))]);
}

#[tokio::test]
async fn registered_environments_are_read_by_name_version_and_label() {
    for (reference, path) in [
        (
            EnvironmentRef::latest("AzureML-Minimal"),
            "/AzureML-Minimal",
        ),
        (
            EnvironmentRef::version("my-env", "3.1"),
            "/my-env/versions/3.1",
        ),
        (
            EnvironmentRef::label("e", "production"),
            "/e/labels/production",
        ),
    ] {
        let (mut service, folder) = start().await;
        on_deployment(&mut service, begins(202, "op")).await;
        let document = json!({
            "Name": "e", "Version": "3", "EnvironmentVariables": { "A": "b" }, "R": null,
            "Docker": { "BaseImage": "i" }, "InferencingStackVersion": "latest",
        });
        service
            .on("GET", &environments(path), Reply::json(200, &document))
            .await;
        let parts = parts(&service).await;
        parts.deployment(&folder, Some(reference)).await.unwrap();
        let lines = plane::lines(&service);
        let line = format!("GET {EXPERIMENTS} {}", environments(path));
        assert_eq!(lines[4], line, "before anything is uploaded");
        let body: Value =
            serde_json::from_slice(&only(&service, "POST", &models("/services")).body).unwrap();
        assert_eq!(
            body["environmentImageRequest"]["environment"],
            json!({
                "name": "e", "version": "3", "docker": { "baseImage": "i" },
                "environmentVariables": { "A": "b", "AZUREML_ENTRY_SCRIPT": "score.py" },
                "inferencingStackVersion": "latest",
            })
        );
    }
}

#[tokio::test]
async fn environment_that_cannot_be_read_ends_it_before_any_upload() {
    for (reply, kind) in [
        (
            Reply::json(404, &refusal("NotFound", 404)),
            ErrorKind::Service,
        ),
        (Reply::new(200, "[]"), ErrorKind::Protocol),
        (Reply::new(200, "null"), ErrorKind::Protocol),
        (Reply::new(200, "<html>"), ErrorKind::Protocol),
        (Reply::empty(204), ErrorKind::Protocol),
    ] {
        let (mut service, folder) = start().await;
        on_deployment(&mut service, begins(202, "op")).await;
        service.on("GET", &environments("/e"), reply).await;
        let parts = parts(&service).await;
        let error = parts
            .deployment(&folder, Some(EnvironmentRef::latest("e")))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains("environment \"e\""), "{error}");
        let uploaded = plane::sent(&service)
            .iter()
            .any(|seen| seen.host == STORE || seen.target.contains("/batch/"));
        assert!(!uploaded, "{:#?}", plane::lines(&service));
    }
}

/// A deployment without code whose checks answer so.
async fn checked(target: &str, reply: Reply) -> (Service, Result<AksWebservice, Error>) {
    let (mut service, _folder) = start().await;
    service.on("POST", target, reply).await;
    // Answers to the same target come one after the other: this one is never asked for.
    on_deployment(&mut service, begins(202, "op")).await;
    let parts = parts(&service).await;
    let result = parts.without_code().await;
    (service, result)
}

#[tokio::test]
async fn checks_end_a_deployment_and_unmade_ones_are_warnings() {
    let error = json!({ "error": refusal("Taken", 400) });
    for target in [validate("/name/s-1"), validate(""), validate("/resource")] {
        let (service, result) = checked(&target, Reply::json(200, &error)).await;
        let refused = result.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Validation, "{target}");
        assert_eq!(refused.findings().len(), 1);
        assert_eq!(refused.findings()[0].rule, "deployment.checked");
        assert!(refused.to_string().contains("not like this"), "{refused}");
        let made = plane::lines(&service);
        let made = made
            .iter()
            .filter(|line| line.ends_with("/services"))
            .count();
        assert_eq!(made, 0);

        for reply in [
            Reply::json(400, &error),
            Reply::empty(404),
            Reply::empty(500),
            Reply::new(200, "<html>"),
            Reply::empty(204),
        ] {
            let (_service, result) = checked(&target, reply).await;
            let warnings = result.unwrap().warnings().to_vec();
            assert_eq!(warnings.len(), 1, "{target}");
            assert_eq!(warnings[0].rule, "deployment.not_checked");
        }
        for fine in ["{}", "{\"error\":null}", "null", "{\"other\":1}"] {
            let (_service, result) = checked(&target, Reply::new(200, fine)).await;
            assert!(result.unwrap().warnings().is_empty(), "{target} {fine}");
        }
    }
}

#[tokio::test]
async fn refusals_and_odd_answers_of_the_request_are_reported() {
    for (reply, kind, may_run) in [
        (
            Reply::json(400, &refusal("Bad", 400)),
            ErrorKind::Service,
            false,
        ),
        (
            Reply::json(409, &refusal("Taken", 409)),
            ErrorKind::Service,
            false,
        ),
        (
            Reply::json(429, &refusal("Many", 429)),
            ErrorKind::Service,
            false,
        ),
        (
            Reply::empty(302).header("location", "https://evil.example"),
            ErrorKind::Service,
            false,
        ),
        (Reply::empty(500), ErrorKind::Service, true),
        (Reply::empty(408), ErrorKind::Service, true),
        // Accepted, and nobody knows as what.
        (Reply::empty(202), ErrorKind::Protocol, true),
        (
            Reply::empty(202).header("Operation-Location", "https://models.example/.."),
            ErrorKind::Protocol,
            true,
        ),
        (
            Reply::new(202, "x").breaks_off(),
            ErrorKind::Transport,
            true,
        ),
    ] {
        let (mut service, _folder) = start().await;
        on_deployment(&mut service, reply.clone()).await;
        let parts = parts(&service).await;
        let error = parts.without_code().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{reply:?}: {error}");
        assert_eq!(error.may_still_run(), may_run, "{reply:?}: {error}");
        let token = error.resume_token();
        assert_eq!(token.is_some(), may_run, "{reply:?}: {error}");
        assert!(
            error.to_string().contains("deploy service \"s-1\""),
            "{error}"
        );
        only(&service, "POST", &models("/services"));
        if error.http_status() == Some(409) {
            assert!(error.is_conflict());
            assert!(error.remedy().is_some(), "{error}");
        }
        if error.http_status() == Some(400) {
            assert_eq!(error.code(), Some("Detail"));
            assert!(error.to_string().contains("not like this"), "{error}");
        }
    }
}

#[tokio::test]
async fn service_that_cannot_be_read_yet_is_made_all_the_same() {
    for reply in [
        Reply::empty(404),
        Reply::new(200, "<html>"),
        Reply::empty(500),
    ] {
        let (mut service, _folder) = start().await;
        service.on("GET", &at_service(), reply).await;
        on_deployment(&mut service, begins(202, "op")).await;
        let parts = parts(&service).await;
        let handle = parts.without_code().await.unwrap();
        assert_eq!(handle.name().as_str(), "s-1");
        // It was begun here, and nothing else is known of it.
        assert_eq!(handle.state().unwrap().as_str(), "Transitioning");
        assert_eq!(handle.resource().state, None);
        assert!(handle.resume_token().is_some());
    }
}
