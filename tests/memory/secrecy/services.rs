//! Keys, passwords and variables of web services.

use super::{Quoted, Shown, spellings};
use crate::support::fixture;
use azure_core::credentials::Secret;
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{
    AksCompute, AksWebservice, Auth, ComputeTarget, ContainerRegistry, DeployConfiguration,
    Environment, InferenceConfiguration, KeyName, LogOptions, Model, Resumed, ServiceUpdate,
    WaitOptions, Workspace,
    models::{DeployService, Progress},
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const PASSWORD: &str = "hunter2;two words&\"CANARY\"";
const PRIMARY: &str = "PrimaryCANARYkey+/==";
const SECONDARY: &str = "second-CANARY-key";
const VARIABLE: &str = "postgres://me@host CANARY/db";
const PATCHED: &str = "variable-of-the-UPDATE";
const NEW: &str = "brand new KEY";

/// All but the last two are in the first request.
fn forms() -> Vec<Quoted> {
    let known = [
        ("password", PASSWORD),
        ("primary key", PRIMARY),
        ("secondary key", SECONDARY),
        ("variable", VARIABLE),
    ];
    known
        .iter()
        .flat_map(|(form, secret)| spellings(form, secret))
        .collect()
}

struct Scene {
    emulator: Emulator,
    workspace: Workspace,
    aks: AksCompute,
    folder: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let emulator = Emulator::new();
        let workspace = fixture::workspace(&emulator);
        let config = AksCompute::provisioning_configuration().build().unwrap();
        let created = ComputeTarget::create(&workspace, "myaks", config).await;
        let mut aks: AksCompute = created.unwrap();
        aks.wait_for_completion(WaitOptions::new()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let script = "def init(): pass\ndef run(data): return data\n";
        std::fs::write(folder.path().join("score.py"), script).unwrap();
        Self {
            emulator,
            workspace,
            aks,
            folder,
        }
    }

    fn inference(&self, variable: &str) -> InferenceConfiguration {
        let registry = ContainerRegistry::new("r.example").credentials("me", PASSWORD.to_owned());
        let environment = Environment::builder()
            .base_image("i:1")
            .base_image_registry(registry)
            .environment_variable("DATABASE", variable);
        InferenceConfiguration::builder()
            .entry_script(self.folder.path().join("score.py"))
            .environment(environment.build().unwrap())
            .build()
            .unwrap()
    }

    fn deploy(&self) -> DeployService {
        let config = DeployConfiguration::builder()
            .auth(Auth::Key)
            .primary_key(PRIMARY.to_owned())
            .secondary_key(SECONDARY.to_owned());
        let (inference, config) = (self.inference(VARIABLE), config.build().unwrap());
        Model::deploy(&self.workspace, "s-1", [], inference, config, &self.aks)
    }

    /// Answers the requests for a path with a status and a body until the next call.
    fn says(&self, answers: &[(Method, &str, u16, &Value)]) {
        self.emulator.clear_faults();
        // It is asked before anything secret is sent.
        let name = Fault::response_override(200, &[], "{}");
        self.emulator
            .inject(name.on_path("/services/validate/name").times(1_000));
        for (method, path, status, body) in answers {
            let fault = Fault::response_override(*status, &[], body.to_string());
            self.emulator.inject(fault.on(*method, *path).times(1_000));
        }
    }
}

/// Waits to the end, which is a failure, and shows all that is told meanwhile.
async fn wait(shown: &mut Shown, place: &'static str, service: &mut AksWebservice) {
    let seen = Arc::new(Mutex::new(Vec::<Progress>::new()));
    let told = seen.clone();
    let options = WaitOptions::new().on_progress(move |now| told.lock().unwrap().push(now.clone()));
    let error = service.wait_for_deployment(options).await.unwrap_err();
    shown.error(place, &error);
    shown.json(place, &*seen.lock().unwrap());
    show(shown, place, service);
}

fn show(shown: &mut Shown, place: &'static str, service: &AksWebservice) {
    shown.show(place, service);
    shown.show(place, service.resource());
    shown.show(place, &service.error());
    shown.show(place, &service.warnings());
    shown.json(place, service.resource());
    shown.json(place, service.error());
}

/// A service that has failed, and says why.
fn document(state: &str, secret: &Quoted) -> Value {
    json!({
        "name": "s-1", "state": state, "computeType": "AKS", "error": secret.refusal()["error"],
        "deploymentStatus": { "error": secret.refusal()["error"] },
        "environmentImageRequest": { "environment": {
            "environmentVariables": { "DATABASE": VARIABLE },
            "docker": { "baseImageRegistry": { "password": PASSWORD } },
        } },
        "keys": { "primaryKey": PRIMARY, "secondaryKey": SECONDARY },
    })
}

async fn everywhere(secret: &Quoted) -> Shown {
    use Method::{Delete, Get, Patch, Post};
    let mut shown = Shown::default();
    let refusal = secret.refusal();
    let logs = json!({ "content": format!("loading\n{}\nend", secret.sentence()) });
    let scene = Scene::new().await;

    scene.says(&[(Post, "/services/validate", 200, &refusal)]);
    let error = scene.deploy().await.unwrap_err();
    assert!(!error.findings().is_empty(), "{error}");
    shown.error("checks as errors", &error);
    for status in [400, 409, 500] {
        scene.says(&[
            (Post, "/services/validate", 400, &refusal),
            (Post, "/services", status, &refusal),
        ]);
        let error = scene.deploy().despite_findings().await.unwrap_err();
        assert_eq!(error.http_status(), Some(status), "{error}");
        shown.error("refused POST", &error);
    }

    // Deployed in spite of the checks, and it fails.
    let failed = {
        let mut body = json!({ "state": "Failed", "error": refusal["error"] });
        body["streamingOperationLog"] = json!(format!(
            "20201012000000|{}#20201012000001|end#",
            secret.sentence()
        ));
        body
    };
    let running = {
        let mut body = failed.clone();
        body["state"] = json!("Running");
        body
    };
    let unread = json!({ "error": { "code": "Busy", "message": "later" } });
    scene.says(&[(Post, "/services/validate", 200, &refusal)]);
    let mut service = scene.deploy().despite_findings().await.unwrap();
    assert!(!service.warnings().is_empty());
    show(&mut shown, "checks as warnings", &service);
    let token = service.resume_token().unwrap().clone();
    let fault = Fault::response_override(200, &[], running.to_string());
    scene.says(&[
        (Get, "/services/s-1/logs", 200, &logs),
        (Get, "/services/s-1", 404, &unread),
    ]);
    scene.emulator.inject(fault.on(Get, "/operations/"));
    let fault = Fault::response_override(200, &[], failed.to_string());
    scene
        .emulator
        .inject(fault.on(Get, "/operations/").times(1_000));
    let mut unread_clone = service.clone();
    wait(&mut shown, "failed operation", &mut unread_clone).await;

    scene.says(&[
        (Get, "/services/s-1/logs", 200, &logs),
        (Get, "/services/s-1", 200, &document("Failed", secret)),
        (Get, "/operations/", 200, &failed),
    ]);
    let mut clone = service.clone();
    wait(&mut shown, "failed operation with logs", &mut service).await;
    shown.show("logs", &service.logs(LogOptions::new()).await.unwrap());
    service.refresh_state().await.unwrap();
    show(&mut shown, "refreshed handle", &service);
    wait(&mut shown, "wait with nothing pending", &mut service).await;
    wait(&mut shown, "clone", &mut clone).await;

    // Later requests that do not carry the secret.
    scene.says(&[
        (Get, "/services/s-1/logs", 403, &refusal),
        (Get, "/services/s-1", 200, &document("Healthy", secret)),
        (Post, "/services/validate", 200, &refusal),
        (Patch, "/services/s-1", 400, &refusal),
        (Delete, "/services/s-1", 409, &refusal),
    ]);
    let error = service.logs(LogOptions::new()).await.unwrap_err();
    shown.error("refused read of logs", &error);
    let update = || ServiceUpdate::builder().cpu_cores(0.2).build().unwrap();
    let error = service.update(update()).await.unwrap_err();
    shown.error("checks of a later PATCH", &error);
    let error = service
        .update(update())
        .despite_findings()
        .await
        .unwrap_err();
    shown.error("refused later PATCH", &error);
    shown.error("refused DELETE", &service.delete().await.unwrap_err());
    show(&mut shown, "handle after refusals", &service);
    scene.says(&[(Get, "/services/s-1", 403, &refusal)]);
    let error = service.refresh_state().await.unwrap_err();
    shown.error("refused read", &error);

    // Another process knows nothing, until it is told.
    scene.says(&[
        (Get, "/services/s-1/logs", 200, &logs),
        (Get, "/services/s-1", 200, &document("Failed", secret)),
        (Get, "/operations/", 200, &failed),
    ]);
    let workspace = fixture::workspace(&scene.emulator);
    let Resumed::Service(mut resumed) = workspace.resume(&token).await.unwrap() else {
        unreachable!("the token is that of a deployment");
    };
    let unknown = resumed.wait_for_deployment(WaitOptions::new()).await;
    let mut before = Shown::default();
    before.error("before it was told", &unknown.unwrap_err());
    show(&mut before, "before it was told", &resumed);
    assert!(
        !before.leaks(secret).is_empty(),
        "{} was not quoted",
        secret.form
    );
    let secrets = [PASSWORD, PRIMARY, SECONDARY, VARIABLE, PATCHED, NEW];
    let secrets = secrets.map(|secret| Secret::new(secret.to_owned()));
    resumed.hide(&secrets);
    show(&mut shown, "resumed handle that was told late", &resumed);
    wait(
        &mut shown,
        "resumed handle that was told late",
        &mut resumed,
    )
    .await;
    shown
}

#[tokio::test(start_paused = true)]
async fn secrets_of_a_deployment_are_hidden_wherever_a_service_repeats_them() {
    let mut leaks = Vec::new();
    for secret in forms() {
        let places = everywhere(&secret).await.leaks(&secret);
        leaks.extend(
            places
                .iter()
                .map(|place| format!("{place}: {}", secret.form)),
        );
    }
    assert!(leaks.is_empty(), "{leaks:#?}");
}

#[tokio::test(start_paused = true)]
async fn secrets_of_later_requests_are_hidden_on_the_same_handle_and_its_clones() {
    use Method::{Get, Patch, Post};
    let scene = Scene::new().await;
    let mut service = scene.deploy().await.unwrap();
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    let clone = service.clone();
    for secret in spellings("new key", NEW)
        .into_iter()
        .chain(spellings("variable", PATCHED))
    {
        let mut shown = Shown::default();
        let refusal = secret.refusal();
        let logs = json!({ "content": secret.sentence() });
        scene.says(&[
            (Get, "/services/s-1/logs", 200, &logs),
            (Post, "/regenerateKeys", 400, &refusal),
            (Patch, "/services/s-1", 400, &refusal),
        ]);
        let new = service.regenerate_key(KeyName::Primary).value(NEW);
        shown.error("refused new key", &new.await.unwrap_err());
        let update = service.update_inference(scene.inference(PATCHED)).await;
        shown.error("refused PATCH", &update.unwrap_err());
        shown.show("logs", &service.logs(LogOptions::new()).await.unwrap());
        shown.show(
            "logs of a clone",
            &clone.logs(LogOptions::new()).await.unwrap(),
        );
        assert_eq!(shown.leaks(&secret), [""; 0], "{}", secret.form);
    }
}

#[tokio::test(start_paused = true)]
async fn short_values_of_variables_are_words_and_are_not_hidden() {
    let scene = Scene::new().await;
    let refusal = json!({ "error": { "code": "Bad", "message": "the mode is CANARY1" } });
    scene.says(&[(Method::Post, "/services", 400, &refusal)]);
    let inference = scene.inference("CANARY1");
    let config = DeployConfiguration::builder().build().unwrap();
    let deploy = Model::deploy(&scene.workspace, "s-1", [], inference, config, &scene.aks);
    let error = deploy.despite_findings().await.unwrap_err();
    assert!(error.to_string().contains("the mode is CANARY1"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn password_is_hidden_whole_where_a_guess_would_take_a_part_of_it() {
    let scene = Scene::new().await;
    let said = format!("docker login --password={PASSWORD} failed");
    let refusal = json!({ "error": { "code": "Bad", "message": said } });
    scene.says(&[(Method::Post, "/services", 400, &refusal)]);
    let error = scene.deploy().despite_findings().await.unwrap_err();
    assert!(!error.to_string().contains("words"), "{error}");
}
