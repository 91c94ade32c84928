//! Secrets of models and services stay secret: in everything that can be formatted, and in everything
//! that is logged.

use crate::support::alone::is_alone;
use crate::support::log::Log;
use crate::support::plane::{
    self, DISCOVERY, EXPERIMENTS, HISTORY, MODELS, STORE, artifacts, environments, models,
};
use crate::support::redirect::{ARM, Redirect, Reply, Service, TOKEN, at};
use async_trait::async_trait;
use azure_core::credentials::Secret;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, RetryOptions, Transport};
use azureml_aks::{
    AksCompute, AksWebservice, Auth, ContainerRegistry, DeployConfiguration, Environment, Error,
    InferenceConfiguration, KeyName, LogOptions, Model, ServiceQuery, ServiceUpdate, WaitOptions,
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::error::Error as _;
use std::fmt::{Debug, Write};
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Secrets that must not stand in any text that comes out of the library.
const CANARY: &str = "CANARY";
const SIGNATURE: &str = "?sv=1&se=2&sig=CANARY";
const SCRIPT: &str = "def init(): pass\ndef run(data): return data\n";

/// All that was shown.
#[derive(Default)]
struct Shown(String);

impl Shown {
    fn show(&mut self, what: &dyn Debug) {
        writeln!(self.0, "{what:?}\n{what:#?}").unwrap();
    }

    /// An error in all its texts.
    fn error(&mut self, error: &Error) {
        self.show(error);
        self.show(&error.to_string());
        self.show(&error.service_error());
        self.show(&error.remedy());
        self.show(&error.findings());
        self.show(&error.resume_token());
        let mut source = error.source();
        while let Some(cause) = source {
            self.show(&cause.to_string());
            source = cause.source();
        }
    }
}

/// The mock, but for the store: there the connection breaks with a text that quotes the URL, as
/// `reqwest`'s errors do.
#[derive(Debug)]
struct Torn(Redirect);

#[async_trait]
impl HttpClient for Torn {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        if request.url().host_str() != Some(STORE) {
            return self.0.execute_request(request).await;
        }
        let inner = std::io::Error::other(format!("error sending request for {}", request.url()));
        Err(azure_core::Error::with_error(
            azure_core::error::ErrorKind::Io,
            inner,
            "failed to execute `reqwest` request",
        ))
    }
}

/// A refusal that repeats what was sent.
fn echo(status: u16) -> Value {
    json!({
        "code": "Bad", "statusCode": status, "target": "Bearer CANARY",
        "message": "cannot use {\"keys\":{\"primaryKey\":\"CANARY\",\"secondaryKey\":\"CANARY\"}}, \
                    password: CANARY, https://store.blob.example/c/b?sv=1&sig=CANARY",
        "details": [{ "code": "C", "message": "keyValue=CANARY&accessToken=CANARY" }],
        "correlation": { "Authorization": "Bearer CANARY" },
    })
}

/// A service whose document holds what its deployment was told.
fn service(state: &str) -> Value {
    json!({
        "name": "s-1", "state": state, "computeType": "AKS", "authEnabled": true,
        "scoringUri": "https://cluster.example/score",
        "error": { "code": "Bad", "message": "primaryKey: CANARY" },
        "deploymentStatus": { "error": { "code": "Bad", "message": "Bearer CANARY" } },
        "keys": { "primaryKey": "CANARY" },
        "models": [{ "id": "m:1", "name": "m", "version": 1, "sampleInputData": "CANARY" }],
        "environmentImageRequest": { "environment": {
            "environmentVariables": { "TOKEN": "CANARY" },
            "docker": { "baseImageRegistry": { "password": "CANARY" } },
        } },
    })
}

/// The answers of a workspace that takes everything.
async fn start() -> Service {
    let mut mock = Service::start().await;
    let mut document = plane::workspace_document();
    document["properties"]["discoveryUrl"] = json!(format!("https://{DISCOVERY}/d{SIGNATURE}"));
    let compute = json!({ "name": "myaks", "properties": {
        "computeType": "AKS", "provisioningState": "Succeeded",
    } });
    mock.on("GET", &at(""), Reply::json(200, &document))
        .await
        .on(
            "GET",
            &format!("/d{SIGNATURE}"),
            Reply::json(200, &plane::hosts()),
        )
        .await
        .on("GET", &at("/computes/myaks"), Reply::json(200, &compute))
        .await;
    mock
}

async fn on_uploads(mock: &mut Service, stored: Reply) {
    let content = |name: &str| {
        let uri = format!("https://{STORE}/c/{name}{SIGNATURE}");
        json!({ "contentUri": uri, "path": name })
    };
    let names = ["azureml_aks_driver.py", "score.py", "m.bin"];
    let announced: Value = names
        .map(|name| (name.to_owned(), content(name)))
        .into_iter()
        .collect();
    let announced = json!({ "artifactContentInformation": announced });
    let announce = format!("^{}", artifacts("/batch/metadata/LocalUpload/"));
    mock.on_like("POST", &announce, Reply::json(200, &announced))
        .await;
    for name in names {
        mock.on("PUT", &format!("/c/{name}{SIGNATURE}"), stored.clone())
            .await;
    }
}

/// The question for the newest version of the model.
fn newest() -> String {
    models("/models?name=m&orderBy=CreatedAtDesc&latestVersionOnly=true")
}

/// There is no model yet: a registration goes on.
async fn on_no_model(mock: &mut Service) {
    let none = Reply::json(200, &json!({ "value": [] }));
    mock.on("GET", &newest(), none).await;
}

/// A blob store that refuses, and quotes the URL.
fn refusing() -> Reply {
    Reply::new(
        403,
        format!(
            "<Error><Code>AuthenticationFailed</Code><Message>no to https://{STORE}/c/m.bin{}</Message>\
             <AuthenticationErrorDetail>sig=CANARY</AuthenticationErrorDetail></Error>",
            SIGNATURE.replace('&', "&amp;")
        ),
    )
    .header("x-ms-error-code", "AuthenticationFailed")
}

fn inference(folder: &Path, shown: &mut Shown) -> InferenceConfiguration {
    let registry = ContainerRegistry::new("r.example").credentials("me", "CANARY".to_owned());
    shown.show(&registry);
    let environment = Environment::builder()
        .base_image("i:1")
        .base_image_registry(registry)
        .environment_variable("TOKEN", "CANARY")
        .docker_argument("--env=TOKEN=CANARY");
    shown.show(&environment);
    let environment = environment.build().unwrap();
    shown.show(&environment);
    let inference = InferenceConfiguration::builder()
        .entry_script(folder.join("score.py"))
        .environment(environment);
    shown.show(&inference);
    let inference = inference.build().unwrap();
    shown.show(&inference);
    shown.show(&inference.environment());
    inference
}

fn keyed(shown: &mut Shown) -> DeployConfiguration {
    let config = DeployConfiguration::builder()
        .auth(Auth::Key)
        .primary_key("CANARY-1")
        .secondary_key("CANARY-2");
    shown.show(&config);
    let config = config.build().unwrap();
    shown.show(&config);
    // Refused together with what is wrong with it.
    let wrong = DeployConfiguration::builder()
        .auth(Auth::Token)
        .primary_key("CANARY")
        .secondary_key(" ")
        .cpu_cores(-1.0);
    shown.error(&wrong.build().unwrap_err());
    config
}

fn fast() -> WaitOptions {
    WaitOptions::new()
        .poll_floor(Duration::ZERO)
        .deadline(Duration::from_secs(20))
}

#[tokio::test]
async fn secrets_of_models_and_services_stand_in_no_text_that_leaves_the_library() {
    if !is_alone(
        module_path!(),
        "secrets_of_models_and_services_stand_in_no_text_that_leaves_the_library",
    ) {
        return;
    }
    let log = Log::of_the_process(|_| true);
    assert!(TOKEN.contains(CANARY));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("score.py"), SCRIPT).unwrap();
    fs::write(folder.path().join("m.bin"), "weights").unwrap();
    let mut shown = Shown::default();

    registering(folder.path(), &mut shown).await;
    downloading(folder.path(), &mut shown).await;
    deploying(folder.path(), &mut shown).await;
    operating(&mut shown).await;
    keys(&mut shown).await;
    finding(&mut shown).await;

    let log = log.text();
    assert!(log.contains(MODELS), "the log holds the requests: {log}");
    assert!(log.contains(STORE), "also those to the store: {log}");
    for (name, text) in [("the log", &log), ("a text", &shown.0)] {
        let found: Vec<&str> = text.lines().filter(|line| line.contains(CANARY)).collect();
        assert!(found.is_empty(), "{name} holds {found:#?}");
    }
}

async fn registering(folder: &Path, shown: &mut Shown) {
    let path = folder.join("m.bin");
    // The store refuses and quotes; the list and the announcement do; the connection to the store breaks.
    let mut mock = start().await;
    on_no_model(&mut mock).await;
    on_uploads(&mut mock, refusing()).await;
    let workspace = plane::workspace(&mock);
    let registration = Model::register(&workspace, "m", &path).on_progress(|_| {});
    shown.show(&registration);
    let error = registration.await.unwrap_err();
    assert_eq!(error.code(), Some("AuthenticationFailed"));
    shown.error(&error);
    let put = mock
        .seen()
        .iter()
        .any(|seen| seen.target.contains(SIGNATURE) && seen.host == STORE);
    assert!(put, "the secrets are really on the wire");

    let mut mock = start().await;
    mock.on("GET", &newest(), Reply::json(403, &echo(403)))
        .await;
    on_no_model(&mut mock).await;
    let announce = format!("^{}", artifacts("/batch/metadata/"));
    let refused = json!({ "errors": { "m.bin": { "error": echo(400) } } });
    mock.on_like("POST", &announce, Reply::json(200, &refused))
        .await
        .on_like("POST", &announce, Reply::json(403, &echo(403)))
        .await
        .on_like(
            "POST",
            &announce,
            Reply::new(
                200,
                "{\"artifactContentInformation\":{\"m.bin\":{\"contentUri\":\"CANARY",
            ),
        )
        .await;
    let workspace = plane::workspace(&mock);
    for _ in 0..4 {
        shown.error(&Model::register(&workspace, "m", &path).await.unwrap_err());
    }
    let sent = plane::sent(&mock);
    let announced = sent.iter().filter(|seen| seen.host == HISTORY).count();
    assert_eq!(announced, 3, "the list was refused once: {sent:#?}");

    let mut mock = start().await;
    on_no_model(&mut mock).await;
    on_uploads(&mut mock, Reply::empty(201)).await;
    let origins = [DISCOVERY, MODELS, HISTORY, EXPERIMENTS].map(|host| format!("https://{host}"));
    let mut origins: Vec<&str> = origins.iter().map(String::as_str).collect();
    origins.push(ARM);
    let torn = Torn(Redirect::new(&origins, mock.url()));
    let workspace = plane::builder(&mock)
        .transport(Transport::new(Arc::new(torn)))
        .retry(RetryOptions::none())
        .build()
        .unwrap();
    let error = Model::register(&workspace, "m", &path).await.unwrap_err();
    assert!(error.to_string().contains("upload \"m.bin\""), "{error}");
    shown.error(&error);
}

async fn downloading(folder: &Path, shown: &mut Shown) {
    let mut mock = start().await;
    let model = json!({ "id": "m:1", "name": "m", "version": 1, "url": "aml://asset/a1",
        "sampleInputData": "CANARY", "datasets": ["CANARY"] });
    let asset = json!({ "artifacts": [{ "prefix": "LocalUpload/c/m.bin" }] });
    let content = json!({ "value": [
        { "path": "m.bin", "contentUri": format!("https://{STORE}/c/m.bin{SIGNATURE}") },
    ] });
    mock.on("GET", &models("/models/m%3A1"), Reply::json(200, &model))
        .await
        .on("GET", &models("/assets/a1"), Reply::json(200, &asset))
        .await
        .on(
            "GET",
            &artifacts("/prefix/contentinfo/LocalUpload/c/m.bin"),
            Reply::json(200, &content),
        )
        .await
        .on("GET", &format!("/c/m.bin{SIGNATURE}"), refusing())
        .await;
    let model = Model::get(&plane::workspace(&mock), "m:1").await.unwrap();
    shown.show(&model);
    shown.show(model.resource());
    let download = model.download(folder.join("out"));
    shown.show(&download);
    shown.error(&download.await.unwrap_err());
}

async fn deploying(folder: &Path, shown: &mut Shown) {
    let inference = inference(folder, shown);
    let config = keyed(shown);
    // The check, the request and the environment are refused, and repeat what was sent.
    let checked = json!({ "error": echo(400) });
    for (check, made) in [
        (Reply::json(200, &checked), Reply::empty(202)),
        (Reply::json(400, &checked), Reply::json(400, &echo(400))),
        (Reply::new(200, "{}"), Reply::json(500, &echo(500))),
        (
            Reply::new(200, "{\"error\":\"CANARY"),
            Reply::json(409, &echo(409)),
        ),
        (Reply::new(200, "{}"), Reply::json(202, &echo(400))),
    ] {
        let mut mock = start().await;
        on_uploads(&mut mock, Reply::empty(201)).await;
        for path in ["/name/s-1", "", "/resource"] {
            mock.on(
                "POST",
                &models(&format!("/services/validate{path}")),
                check.clone(),
            )
            .await;
        }
        mock.on("POST", &models("/services"), made).await;
        let workspace = plane::workspace(&mock);
        let aks = AksCompute::get(&workspace, "myaks").await.unwrap();
        let deployment = Model::deploy(
            &workspace,
            "s-1",
            [],
            inference.clone(),
            config.clone(),
            &aks,
        );
        shown.show(&deployment);
        let prepared = deployment.prepare().await.unwrap();
        shown.show(&prepared);
        shown.show(prepared.token());
        assert!(!prepared.token().expose().contains(CANARY));
        shown.error(&prepared.send().await.unwrap_err());
    }

    // One that is made, and fails.
    let mut mock = start().await;
    on_uploads(&mut mock, Reply::empty(201)).await;
    for path in ["/name/s-1", "", "/resource"] {
        mock.on(
            "POST",
            &models(&format!("/services/validate{path}")),
            Reply::new(200, "{}"),
        )
        .await;
    }
    let begun = Reply::empty(202)
        .header(
            "operation-location",
            "https://u:CANARY@evil.example/operations/op?sig=CANARY",
        )
        .header("set-cookie", "session=CANARY")
        .header("x-ms-secret", "CANARY");
    let mut failed = json!({ "state": "Failed", "operationLog": "https://h/l?sig=CANARY" });
    failed["error"] = echo(400);
    mock.on("POST", &models("/services"), begun)
        .await
        .on(
            "GET",
            &models("/services/s-1?expand=true"),
            Reply::json(200, &service("Failed")),
        )
        .await
        .on("GET", &models("/operations/op"), Reply::json(200, &failed))
        .await;
    let workspace = plane::workspace(&mock);
    let aks = AksCompute::get(&workspace, "myaks").await.unwrap();
    let deployment = Model::deploy(&workspace, "s-1", [], inference, config, &aks);
    let mut handle = deployment.await.unwrap();
    let sent = plane::only(&mock, "POST", &models("/services"));
    for secret in [
        "CANARY-1",
        "CANARY-2",
        "\"password\":\"CANARY\"",
        "\"TOKEN\":\"CANARY\"",
    ] {
        assert!(sent.text().contains(secret), "{}", sent.text());
    }
    shown.show(&handle);
    let token = handle.resume_token().unwrap().clone();
    shown.show(&token);
    assert!(!token.expose().contains(CANARY), "{}", token.expose());
    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = told.clone();
    let options = fast().on_progress(move |progress| seen.lock().unwrap().push(progress.clone()));
    shown.error(&handle.wait_for_deployment(options).await.unwrap_err());
    shown.show(&told.lock().unwrap());
    let resumed = workspace.resume(&token).await.unwrap();
    shown.show(&resumed);
}

async fn operating(shown: &mut Shown) {
    let mut mock = start().await;
    let path = models("/services/s-1");
    mock.on(
        "GET",
        &models("/services/s-1?expand=true"),
        Reply::json(200, &service("Healthy")),
    )
    .await
    .on("POST", &models("/services/validate"), Reply::new(200, "{}"))
    .await
    .on("PATCH", &path, Reply::json(400, &echo(400)))
    .await
    .on("DELETE", &path, Reply::json(409, &echo(409)))
    .await
    .on(
        "GET",
        &models("/services/s-1/logs?tail=5000&init=false"),
        Reply::json(401, &echo(401)),
    )
    .await;
    let workspace = plane::workspace(&mock);
    let mut handle = AksWebservice::get(&workspace, "s-1").await.unwrap();
    shown.show(&handle);
    shown.show(handle.resource());
    shown.show(&handle.error());
    shown.show(&handle.replicas());
    let update = ServiceUpdate::builder().cpu_cores(0.2).build().unwrap();
    let change = handle.update(update);
    shown.show(&change);
    shown.error(&change.await.unwrap_err());
    shown.error(&handle.delete().await.unwrap_err());
    shown.error(&handle.logs(LogOptions::new()).await.unwrap_err());
    let client = handle.scoring_client_builder().await.unwrap();
    shown.show(&client);
    let client = client.key("CANARY".to_owned());
    shown.show(&client);
    shown.show(&client.build().unwrap());

    let list = models("/services?expand=true&computeType=AKS&orderby=CreatedAtDesc");
    let odd = json!({ "value": [
        { "name": 7, "keys": "CANARY" }, "CANARY", { "name": "s-2", "computeType": "ACI" },
    ], "nextLink": "https://u:CANARY@evil.example/CANARY" });
    mock.on("GET", &list, Reply::json(200, &odd)).await;
    let items = AksWebservice::list(&workspace, ServiceQuery::new());
    let items: Vec<Result<AksWebservice, Error>> = items.collect().await;
    assert_eq!(items.len(), 4);
    for item in items {
        shown.error(&item.unwrap_err());
    }
}

async fn keys(shown: &mut Shown) {
    let keys = json!({ "primaryKey": "CANARY", "secondaryKey": "CANARY" });
    let token = json!({ "accessToken": "CANARY", "tokenType": "Bearer" });
    let mut failed = json!({ "state": "Failed" });
    failed["error"] = json!({ "code": "Bad", "message": "it is CANARY" });
    let mut mock = start().await;
    mock.on(
        "GET",
        &models("/services/s-1?expand=true"),
        Reply::json(200, &service("Healthy")),
    )
    .await;
    let workspace = plane::workspace(&mock);
    let handle = AksWebservice::get(&workspace, "s-1").await.unwrap();
    let at = |verb: &str| models(&format!("/services/s-1/{verb}"));
    mock.on("POST", &at("listkeys"), Reply::json(200, &keys))
        .await
        .on("POST", &at("token"), Reply::json(201, &token))
        .await
        .on("POST", &at("regenerateKeys"), Reply::json(200, &keys))
        .await;
    shown.show(&handle.keys().await.unwrap());
    shown.show(&handle.token().await.unwrap());
    shown.show(&handle.regenerate_key(KeyName::Primary).await.unwrap());
    // Words that no rule would hide: what is about keys shows none at all.
    let mut plain = echo(400);
    plain["message"] = json!("it is CANARY");
    plain["details"][0]["message"] = json!("CANARY it is");
    for reply in [
        Reply::json(400, &plain),
        Reply::json(500, &plain),
        Reply::json(408, &plain),
        Reply::new(403, "<html>CANARY</html>"),
        Reply::new(
            200,
            "{\"primaryKey\":[\"CANARY\"],\"accessToken\":[\"CANARY\"]}",
        ),
        Reply::new(200, "CANARY"),
    ] {
        for verb in ["listkeys", "token", "regenerateKeys"] {
            mock.on("POST", &at(verb), reply.clone()).await;
        }
        shown.error(&handle.keys().await.unwrap_err());
        let client = handle.scoring_client().await.unwrap();
        let called: Result<Value, Error> = client.run(&json!({ "data": "CANARY" })).await;
        shown.error(&called.unwrap_err());
        shown.show(&client);
        shown.error(&handle.token().await.unwrap_err());
        let value = Secret::new("CANARY".to_owned());
        match handle.regenerate_key(KeyName::Secondary).value(value).await {
            Ok(keys) => shown.show(&keys),
            Err(error) => shown.error(&error),
        }
    }
    let begun = Reply::empty(202)
        .header("operation-location", "https://h/operations/op")
        .header("retry-after-ms", "1");
    mock.on("POST", &at("regenerateKeys"), begun)
        .await
        .on("GET", &models("/operations/op"), Reply::json(200, &failed))
        .await;
    let value = Secret::new("CANARY".to_owned());
    let failed = handle.regenerate_key(KeyName::Primary).value(value).await;
    shown.error(&failed.unwrap_err());
}

async fn finding(shown: &mut Shown) {
    let mut document = plane::hosts();
    document["history"] = json!("https://u:CANARY@history.example/x?sig=CANARY");
    for reply in [
        Reply::json(200, &document),
        Reply::json(404, &echo(404)),
        Reply::new(200, "{\"history\":\"CANARY"),
        Reply::new(403, "<html>sig=CANARY</html>"),
    ] {
        let mut mock = Service::start().await;
        let mut workspace = plane::workspace_document();
        workspace["properties"]["discoveryUrl"] =
            json!(format!("https://{DISCOVERY}/d{SIGNATURE}"));
        mock.on("GET", &at(""), Reply::json(200, &workspace))
            .await
            .on("GET", &format!("/d{SIGNATURE}"), reply)
            .await;
        let workspace = plane::workspace(&mock);
        shown.error(&Model::get(&workspace, "m:1").await.unwrap_err());
        shown.show(&workspace);
    }
    let mut mock = start().await;
    mock.on("GET", &environments("/e"), Reply::json(401, &echo(401)))
        .await
        .on(
            "GET",
            &models("/models/m%3A1"),
            Reply::json(401, &echo(401)),
        )
        .await;
    shown.error(
        &Model::get(&plane::workspace(&mock), "m:1")
            .await
            .unwrap_err(),
    );
}
