//! Deployments: what is sent, in which order, and what is refused before.

use super::{Scene, plain};
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{
    AksCompute, AksWebservice, Auth, AutoScale, CondaDependencies, Environment, EnvironmentRef,
    Error, ErrorKind, InferenceConfiguration, Model, WaitOptions, error::Severity,
    models::ServiceState,
};
use serde_json::{Value, json};
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

fn created(scene: &Scene) -> Value {
    let journal = scene.emulator.journal();
    let create = journal
        .iter()
        .find(|entry| entry.method == "POST" && entry.path.ends_with("/services"));
    create.unwrap().body.clone()
}

#[tokio::test(start_paused = true)]
async fn deployment_is_checked_uploaded_made_and_waited_for() {
    let scene = Scene::new().await;
    let config = plain()
        .cpu_cores(1.0)
        .memory_gb(1.0)
        .auth(Auth::Key)
        .replicas(AutoScale::new().min_replicas(1).max_replicas(3))
        .tag("team", "vision")
        .description("d");
    let mut service = scene.deployment("myservice", config).await.unwrap();
    assert_eq!(service.state(), Some(ServiceState::Transitioning));
    assert_eq!(service.scoring_uri(), None);
    assert!(service.warnings().is_empty(), "{:?}", service.warnings());

    let requests = scene.requests();
    let ordered = [
        "GET /computes/myaks",
        "POST /services/validate/name/myservice",
        "POST /artifacts/batch/metadata",
        "PUT ",
        "POST /services/validate",
        "POST /services",
        "GET /services/myservice",
    ];
    let mut at = 0;
    for wanted in ordered {
        let found = requests[at..]
            .iter()
            .position(|request| request.starts_with(wanted));
        at += found.unwrap_or_else(|| panic!("{wanted} in {requests:#?}")) + 1;
    }
    assert_eq!(
        scene.count("PUT", ""),
        2,
        "driver and script: {requests:#?}"
    );
    assert_eq!(scene.count("POST", "/validate/resource"), 1);

    let told = Arc::new(Mutex::new(Vec::new()));
    let seen = told.clone();
    let options = WaitOptions::new().on_progress(move |progress| {
        seen.lock().unwrap().extend(progress.log.iter().cloned());
    });
    service.wait_for_deployment(options).await.unwrap();
    assert_eq!(service.state(), Some(ServiceState::Healthy));
    assert!(
        service
            .scoring_uri()
            .unwrap()
            .ends_with("/service/myservice/score")
    );
    assert_eq!(service.replicas().unwrap().available_replicas, Some(1));
    assert!(
        !told.lock().unwrap().is_empty(),
        "the service logs while it deploys"
    );
    assert_eq!(service.resource().tags["team"], "vision");
    assert_eq!(
        service.resource().models[0].id.as_deref(),
        Some("mymodel:1")
    );
    assert!(service.resume_token().is_none());

    let body = created(&scene);
    assert_eq!(body["computeName"], "myaks");
    assert_eq!(body["location"], scene.emulator.location());
    assert_eq!(
        body["environmentImageRequest"]["modelIds"],
        json!(["mymodel:1"])
    );
    assert_eq!(body.get("overwrite"), None);
    // What nobody said is not said.
    assert_eq!(body.get("namespace"), None);
    assert_eq!(body.get("aadAuthEnabled"), Some(&json!(false)));
}

#[tokio::test(start_paused = true)]
async fn request_names_what_was_uploaded() {
    let scene = Scene::new().await;
    let sources = scene.folder.path().join("src");
    fs::create_dir(&sources).unwrap();
    fs::write(sources.join("score.py"), super::SCRIPT).unwrap();
    let environment = Environment::builder()
        .conda_dependencies(
            CondaDependencies::new()
                .python_version("3.10")
                .pip_package("azureml-defaults"),
        )
        .build()
        .unwrap();
    let inference = InferenceConfiguration::builder()
        .source_directory(&sources)
        .entry_script("score.py")
        .environment(environment)
        .build()
        .unwrap();
    let config = plain().build().unwrap();
    Model::deploy(
        &scene.workspace,
        "s-1",
        [&scene.model],
        inference,
        config,
        &scene.aks,
    )
    .await
    .unwrap();
    let image = created(&scene)["environmentImageRequest"].clone();
    let assets = image["assets"].as_array().unwrap();
    assert_eq!(image["driverProgram"], assets[0]["id"]);
    assert_eq!(assets[1]["unpack"], true);
    for asset in assets {
        let url = asset["url"].as_str().unwrap();
        let id = url.strip_prefix("aml://artifact/").unwrap();
        assert!(
            scene
                .emulator
                .artifact(id)
                .is_some_and(|content| !content.is_empty()),
            "{url}"
        );
    }
    let environment = &image["environment"];
    assert_eq!(environment["name"], "s-1-env");
    assert_eq!(
        environment["environmentVariables"]["AZUREML_ENTRY_SCRIPT"],
        "src/score.py"
    );
}

#[tokio::test(start_paused = true)]
async fn registered_environment_is_read_and_sent_as_a_request_has_it() {
    let scene = Scene::new().await;
    for (name, reference, version) in [
        ("one", EnvironmentRef::latest("AzureML-Minimal"), "3"),
        ("two", EnvironmentRef::version("AzureML-Minimal", "2"), "2"),
    ] {
        let inference = InferenceConfiguration::builder()
            .entry_script(scene.script())
            .environment(reference)
            .build()
            .unwrap();
        let config = plain().build().unwrap();
        scene.emulator.clear_journal();
        Model::deploy(
            &scene.workspace,
            name,
            [&scene.model],
            inference,
            config,
            &scene.aks,
        )
        .await
        .unwrap();
        let environment = created(&scene)["environmentImageRequest"]["environment"].clone();
        assert_eq!(environment["name"], "AzureML-Minimal", "{environment}");
        assert_eq!(environment["version"], version);
        assert!(environment["environmentVariables"]["AZUREML_ENTRY_SCRIPT"].is_string());
        let keys = environment.as_object().unwrap().keys();
        let capital = keys
            .filter(|key| key.starts_with(char::is_uppercase))
            .count();
        assert_eq!(capital, 0, "{environment}");
    }
    let missing = InferenceConfiguration::builder()
        .entry_script(scene.script())
        .environment(EnvironmentRef::latest("nobody"))
        .build()
        .unwrap();
    let config = plain().build().unwrap();
    scene.emulator.clear_journal();
    let error = Model::deploy(&scene.workspace, "three", [], missing, config, &scene.aks)
        .await
        .unwrap_err();
    assert!(
        error.is_not_found() && error.to_string().contains("nobody"),
        "{error}"
    );
    assert_eq!(scene.count("PUT", ""), 0, "nothing was uploaded");
}

#[tokio::test(start_paused = true)]
async fn model_of_a_known_framework_needs_no_code() {
    let scene = Scene::new().await;
    let config = plain().build().unwrap();
    let mut service = scene
        .model
        .deploy_without_code("myservice", config.clone(), &scene.aks)
        .await
        .unwrap();
    assert_eq!(
        created(&scene)["environmentImageRequest"],
        json!({ "modelIds": ["mymodel:1"] })
    );
    assert_eq!(scene.count("PUT", ""), 0);
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();

    let other = Model::register(
        &scene.workspace,
        "other",
        scene.folder.path().join("model.pkl"),
    )
    .framework("Custom")
    .await
    .unwrap();
    let refused = other.deploy_without_code("s-2", config, &scene.aks).await;
    assert_eq!(
        refused.unwrap_err().findings()[0].rule,
        "deployment.no_code"
    );
}

#[tokio::test(start_paused = true)]
async fn target_that_cannot_take_it_is_refused_before_any_upload() {
    let scene = Scene::new().await;
    let refused = |result: Result<AksWebservice, Error>, why: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert!(error.to_string().contains(why), "{error}");
        assert!(error.remedy().is_some());
        let uploads = scene.count("PUT", "blob") + scene.count("POST", "/artifacts");
        assert_eq!(uploads, 0, "{:#?}", scene.requests());
    };
    // Still being created.
    let config = AksCompute::provisioning_configuration().build().unwrap();
    let young = azureml_aks::ComputeTarget::create(&scene.workspace, "young", config.clone())
        .await
        .unwrap();
    let deploy = |target: &AksCompute| {
        let config = plain().build().unwrap();
        let models = [&scene.model];
        Model::deploy(
            &scene.workspace,
            "s-1",
            models,
            scene.inference(),
            config,
            target,
        )
        .into_future()
    };
    refused(deploy(&young).await, "Creating");
    // Failed.
    let mut failed = azureml_aks::ComputeTarget::create(&scene.workspace, "failing", config)
        .await
        .unwrap();
    failed
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    refused(deploy(&failed).await, "failed");
    // Gone, although the handle says otherwise.
    scene.aks.clone().delete().await.unwrap().await.unwrap();
    refused(deploy(&scene.aks).await, "detached");
}

#[tokio::test(start_paused = true)]
async fn violations_of_a_registration_are_reported_at_once_and_nothing_is_sent() {
    let scene = Scene::new().await;
    let other = Scene::on(Emulator::builder().workspace("another").build()).await;
    let config = plain().build().unwrap();
    let error = Model::deploy(
        &scene.workspace,
        "My_Service",
        std::iter::repeat_n(&other.model, 1).chain(std::iter::repeat_n(&scene.model, 1000)),
        scene.inference(),
        config,
        &other.aks,
    )
    .await
    .unwrap_err();
    let rules: Vec<&str> = error.findings().iter().map(|found| found.rule).collect();
    assert!(rules.contains(&"service_name.characters"), "{rules:?}");
    assert!(rules.contains(&"deployment.models"), "{rules:?}");
    let foreign = rules
        .iter()
        .filter(|rule| **rule == "deployment.workspace")
        .count();
    assert_eq!(foreign, 2, "{rules:?}");
    assert!(scene.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn checks_of_the_service_end_a_deployment_by_default() {
    let scene = Scene::new().await;
    scene.deployed("taken", plain()).await;
    scene.emulator.clear_journal();
    let error = scene.deployment("taken", plain()).await.unwrap_err();
    assert_eq!(error.findings()[0].rule, "deployment.checked");
    assert_eq!(error.findings()[0].path, "name");
    assert_eq!(scene.count("POST", "/artifacts"), 0, "before any upload");

    // More than the nodes have.
    let greedy = || plain().cpu_cores(1000.0);
    let error = scene.deployment("greedy", greedy()).await.unwrap_err();
    assert_eq!(error.findings()[0].path, "resources", "{error}");
    assert_eq!(
        scene.count("POST", "/services"),
        scene.count("POST", "/services/validate")
    );
    let service = scene
        .deployment("greedy", greedy())
        .despite_findings()
        .await
        .unwrap();
    let found = &service.warnings()[0];
    assert_eq!(
        (found.severity, found.rule),
        (Severity::Warning, "deployment.checked")
    );
}

#[tokio::test(start_paused = true)]
async fn checks_that_fail_or_hang_do_not_block_the_deployment() {
    let scene = Scene::new().await;
    scene
        .emulator
        .inject(Fault::server_error(500).on(Method::Post, "/services/validate"));
    let service = scene.deployment("s-1", plain()).await.unwrap();
    let rules: Vec<_> = service
        .warnings()
        .iter()
        .map(|found| (found.severity, found.rule, found.path.as_str()))
        .collect();
    assert_eq!(
        rules,
        ["name", "request", "resources"].map(|path| (
            Severity::Unknown,
            "deployment.not_checked",
            path
        ))
    );
}

#[tokio::test(start_paused = true)]
async fn service_of_the_name_is_replaced_only_on_request() {
    let scene = Scene::new().await;
    scene
        .deployed("myservice", plain().description("one"))
        .await;
    scene.emulator.clear_journal();
    let mut again = scene
        .deployment("myservice", plain().description("two"))
        .overwrite(true)
        .await
        .unwrap();
    assert_eq!(scene.count("POST", "/validate/name"), 0);
    assert_eq!(created(&scene)["overwrite"], true);
    again.wait_for_deployment(WaitOptions::new()).await.unwrap();
    assert_eq!(again.resource().description.as_deref(), Some("two"));
}

#[tokio::test(start_paused = true)]
async fn entry_script_that_is_not_there_ends_it_before_any_upload() {
    let scene = Scene::new().await;
    fs::remove_file(scene.script()).unwrap();
    let error = scene.deployment("s-1", plain()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Validation);
    assert_eq!(scene.count("POST", "/artifacts"), 0);
    assert!(
        AksWebservice::get_opt(&scene.workspace, "s-1")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test(start_paused = true)]
async fn wait_for_a_deployment_has_a_deadline_and_goes_on() {
    let scene = Scene::new().await;
    let mut service = scene.deployment("s-1", plain()).await.unwrap();
    let short = WaitOptions::new().deadline(Duration::from_secs(60));
    let error = service.wait_for_deployment(short).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert!(
        error.to_string().contains("deploy service \"s-1\""),
        "{error}"
    );
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(service.state(), Some(ServiceState::Healthy));
}

#[tokio::test(start_paused = true)]
async fn same_sources_are_uploaded_once() {
    let scene = Scene::new().await;
    let sources = scene.folder.path().join("sources");
    fs::create_dir(&sources).unwrap();
    fs::write(sources.join("score.py"), super::SCRIPT).unwrap();
    fs::write(sources.join("helper.py"), "x = 1\n").unwrap();
    let inference = || {
        InferenceConfiguration::builder()
            .entry_script("score.py")
            .source_directory(&sources)
            .environment(EnvironmentRef::latest("AzureML-Minimal"))
            .build()
            .unwrap()
    };
    let scene = &scene;
    let deploy = async |name: &str| {
        scene.emulator.clear_journal();
        let config = plain().build().unwrap();
        let models = [&scene.model];
        let deployment = Model::deploy(
            &scene.workspace,
            name,
            models,
            inference(),
            config,
            &scene.aks,
        );
        let deployed = deployment.await;
        (deployed.map(|_| ()), scene.count("PUT", "/azureml/"))
    };
    let assets = || created(scene)["environmentImageRequest"]["assets"].clone();

    // Announced, and nothing of it arrives.
    scene.emulator.inject(
        Fault::server_error(400)
            .on(Method::Put, "/azureml/")
            .times(2),
    );
    let (refused, _) = deploy("none").await;
    refused.unwrap_err();
    scene.emulator.clear_faults();

    let (deployed, uploads) = deploy("one").await;
    deployed.unwrap();
    assert_eq!(uploads, 2, "the driver program and the archive");
    let first = assets();
    let (deployed, uploads) = deploy("two").await;
    deployed.unwrap();
    assert_eq!((uploads, assets()), (0, first.clone()));

    fs::write(sources.join("helper.py"), "x = 2\n").unwrap();
    let (deployed, uploads) = deploy("three").await;
    deployed.unwrap();
    assert_eq!(uploads, 2);
    assert_ne!(assets(), first);
}
