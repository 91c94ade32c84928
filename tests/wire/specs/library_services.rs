//! Requests of this library about models and services, checked against Microsoft's published descriptions.

use crate::support::fixture;
use crate::support::recorder::{Recorded, Recorder};
use crate::support::specs::allowed::{Allowed, KnownRoute, verdict};
use crate::support::specs::{Direction, Exchange, Kind, Report, Specs};
use azure_core::credentials::Secret;
use azureml_aks::emulator::Emulator;
use azureml_aks::{
    AksCompute, AksWebservice, Auth, AutoScale, CondaDependencies, ContainerRegistry,
    DeployConfiguration, DeployConfigurationBuilder, Environment, EnvironmentRef,
    EnvironmentSource, InferenceConfiguration, KeyName, LivenessProbe, LogOptions, Model,
    ModelQuery, ResourceNeeds, RunOutput, ServiceQuery, ServiceUpdate, WaitOptions, Workspace,
};
use futures::TryStreamExt;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// Members that this library sends, and the descriptions do not know.
const ALLOWED: &[Allowed] = &[
    UNKNOWN,
    Allowed {
        id: "the limit of the memory",
        pointer: "/containerResourceRequirements/memoryInGBLimit",
        ..UNKNOWN
    },
    Allowed {
        id: "no blobfuse",
        source: "azureml-core 1.61, recorded (wire.md §4): blobfuse_enabled, the other way round",
        pointer: "/storageInitEnabled",
        ..UNKNOWN
    },
    Allowed {
        id: "a service that may be replaced",
        source: "azureml-core 1.61, recorded (wire.md §4)",
        pointer: "/overwrite",
        ..UNKNOWN
    },
    Allowed {
        id: "what a model needs to run",
        source: "azureml-core 1.61, recorded (wire.md §1): Model.register",
        route: "POST */models",
        pointer: "/resourceRequirements",
        ..UNKNOWN
    },
    Allowed {
        id: "the sample datasets of a model",
        source: "azureml-core 1.61, Model.register(sample_input_dataset=…), read in its source",
        route: "POST */models",
        pointer: "/sample*",
        ..UNKNOWN
    },
    Allowed {
        id: "of each name the latest version",
        source: "azureml-core 1.61, recorded (wire.md §1): Model.list",
        route: "GET */models",
        pointer: "query:latestVersionOnly",
        ..UNKNOWN
    },
    Allowed {
        id: "from where on the log is read",
        source: "azureml-core 1.61, recorded (wire.md §1): wait_for_deployment(show_output=True)",
        route: "GET */operations/{id}",
        pointer: "query:offset",
        ..UNKNOWN
    },
    Allowed {
        id: "a POST to services/validate",
        source: "azureml-core 1.61, recorded; the descriptions take \"validate\" for a service's name",
        route: "POST */services/{id}",
        pointer: "",
        kind: Kind::Method,
        ..UNKNOWN
    },
    Allowed {
        id: "keyType is a word",
        source: "azureml-core 1.61, recorded; the description says int32 with two words to choose",
        route: "POST */services/{id}/regenerateKeys",
        pointer: "/keyType",
        kind: Kind::WrongType,
        ..UNKNOWN
    },
    Allowed {
        id: "the value of a patch is whatever is replaced",
        source: "azureml-core 1.61, recorded; RFC 6902; the description says object",
        route: "PATCH */{id}",
        pointer: "/*/value",
        kind: Kind::WrongType,
        ..UNKNOWN
    },
];

const UNKNOWN: Allowed = Allowed {
    id: "the limit of the processors",
    source: "azureml-core 1.61, recorded (wire.md §4)",
    route: "POST */services",
    direction: Direction::Request,
    pointer: "/containerResourceRequirements/cpuLimit",
    kind: Kind::Unknown,
    value: None,
};

/// Requests of this library that no description covers.
const ROUTES: &[KnownRoute] = &[
    KnownRoute {
        method: "GET",
        path: "/discovery",
        reason: "the workspace's discoveryUrl; its answer is a map of hosts",
    },
    KnownRoute {
        method: "POST",
        path: "/modelmanagement/v1.0/*/services/validate/name/*",
        reason: "azureml-core 1.61 asks before it deploys; published nowhere",
    },
    KnownRoute {
        method: "POST",
        path: "/modelmanagement/v1.0/*/services/validate/resource",
        reason: "azureml-core 1.61 asks before it deploys; published nowhere",
    },
    KnownRoute {
        method: "GET",
        path: "/modelmanagement/v1.0/*/services/*/logs",
        reason: "azureml-core 1.61; left out of the published 2019-09-30 description",
    },
    KnownRoute {
        method: "GET",
        path: "/environment/v1.0/*/environments/AzureML-Minimal",
        reason: "azureml-core 1.61 reads environments there; published nowhere",
    },
    KnownRoute {
        method: "GET",
        path: "/environment/v1.0/*/environments/AzureML-Minimal/versions/2",
        reason: "azureml-core 1.61 reads environments there; published nowhere",
    },
    KnownRoute {
        method: "GET",
        path: "/environment/v1.0/*/environments/AzureML-Minimal/labels/latest",
        reason: "azureml-core 1.61 reads environments there; published nowhere",
    },
];

/// The address of an artifact as the description has it. The service has two spellings: what it does
/// comes first in the one that Microsoft's client and this library use (wire.md §1), and after origin and
/// container in the one that is published.
fn as_published(url: &str) -> String {
    let Some((base, rest)) = url.split_once("/artifacts/") else {
        return url.to_owned();
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let verbs = [
        "batch/metadata",
        "prefix/contentinfo",
        "contentinfo",
        "write",
    ];
    let found = verbs.iter().find_map(|verb| {
        let artifact = rest.strip_prefix(verb)?.strip_prefix('/')?;
        Some((*verb, artifact.splitn(3, '/').collect::<Vec<_>>()))
    });
    let Some((verb, artifact)) = found else {
        return url.to_owned();
    };
    let address = format!(
        "{base}/artifacts/{}/{}/{verb}?{query}",
        artifact[0], artifact[1]
    );
    match artifact.get(2) {
        Some(path) => format!("{address}&path={path}"),
        None => address,
    }
}

/// The requests to check against the descriptions. Those to the blob store have none, and the
/// waits for computes are checked elsewhere.
fn requests(seen: &[Recorded]) -> Vec<&Recorded> {
    let foreign =
        |one: &&Recorded| one.url.contains("sig=") || one.url.contains("computeOperationsStatus");
    seen.iter().filter(|one| !foreign(one)).collect()
}

/// Checks the request alone: the answers are the emulator's, and are checked elsewhere.
fn check(specs: &Specs, seen: &Recorded) -> Report {
    let mut exchange =
        Exchange::new(&seen.method, &as_published(&seen.url)).answered(seen.status, None);
    if !seen.body.is_empty() {
        exchange = exchange.sending(serde_json::from_slice(&seen.body).unwrap());
    }
    let mut report = specs.check(&exchange);
    report
        .deviations
        .retain(|deviation| deviation.direction == Direction::Request);
    report
}

#[tokio::test(start_paused = true)]
async fn every_request_is_as_described() {
    let Some(specs) = Specs::load() else { return };
    let seen = everything().await;
    let reports: Vec<Report> = requests(&seen)
        .into_iter()
        .map(|seen| check(specs, seen))
        .collect();
    if let Err(wrong) = verdict(&reports, ALLOWED, ROUTES) {
        panic!("{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn misspelt_key_or_parameter_would_be_seen() {
    let Some(specs) = Specs::load() else { return };
    let seen = everything().await;
    let (mut keys, mut parameters) = (0, 0);
    for one in requests(&seen) {
        let before = check(specs, one);
        if before.undescribed.is_some() || one.url.contains("/validate") {
            continue;
        }
        let noticed = |odd: Recorded| {
            let found = check(specs, &odd).deviations;
            let noticed = found.iter().any(|one| one.json_pointer.contains("mispelt"));
            assert!(noticed, "{} {} {:?}", odd.method, odd.url, odd.body);
        };
        // Bodies: a key of the outermost object, or of each change of a patch.
        let text = String::from_utf8(one.body.to_vec()).unwrap();
        for (method, key) in [
            ("POST", "\"name\":"),
            ("POST", "\"keyType\":"),
            ("POST", "\"paths\":"),
            ("PATCH", "\"op\":"),
        ] {
            if one.method != method || !text.contains(key) {
                continue;
            }
            let body = text.replace(key, "\"mispelt\":").into_bytes().into();
            noticed(Recorded {
                body,
                ..one.clone()
            });
            keys += 1;
        }
        let separator = if one.url.contains('?') { '&' } else { '?' };
        let url = format!("{}{separator}mispelt=1", one.url);
        noticed(Recorded { url, ..one.clone() });
        parameters += 1;
    }
    assert!(keys > 15 && parameters > 40, "{keys} {parameters}");
}

/// An emulator, and files to send to it.
struct Scene {
    emulator: Emulator,
    workspace: Workspace,
    aks: AksCompute,
    folder: TempDir,
}

impl Scene {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn inference(&self, environment: impl Into<EnvironmentSource>) -> InferenceConfiguration {
        InferenceConfiguration::builder()
            .entry_script("score.py")
            .source_directory(self.path("src"))
            .environment(environment)
            .build()
            .unwrap()
    }

    async fn deployed(
        &self,
        name: &str,
        model: &Model,
        environment: impl Into<EnvironmentSource>,
        config: DeployConfigurationBuilder,
    ) -> AksWebservice {
        let (inference, config) = (self.inference(environment), config.build().unwrap());
        let mut service =
            Model::deploy(&self.workspace, name, [model], inference, config, &self.aks)
                .await
                .unwrap();
        healthy(&mut service).await;
        service
    }
}

async fn healthy(service: &mut AksWebservice) {
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
}

/// Every verb on models and services with every configuration, once.
async fn everything() -> Vec<Recorded> {
    let emulator = Emulator::builder()
        .page_size(2)
        .run_output("exp", "run-1", "outputs/model.pkl", "weights")
        .build();
    let recorder = Recorder::around(emulator.http_client());
    let workspace = fixture::builder(&emulator)
        .transport(recorder.transport())
        .build()
        .unwrap();
    let aks = fixture::created(&workspace, "myaks").await;
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("src")).unwrap();
    fs::create_dir_all(folder.path().join("model/sub")).unwrap();
    let script = "def init(): pass\ndef run(data): return data\n";
    fs::write(folder.path().join("src/score.py"), script).unwrap();
    fs::write(folder.path().join("model/a b.bin"), "weights").unwrap();
    fs::write(folder.path().join("model/sub/größe.txt"), "text").unwrap();
    let scene = Scene {
        emulator,
        workspace,
        aks,
        folder,
    };
    let model = models(&scene).await;
    services(&scene, &model).await;
    operations(&scene, &model).await;
    assert!(scene.emulator.journal().len() > 100);
    recorder.seen()
}

async fn models(scene: &Scene) -> Model {
    let workspace = &scene.workspace;
    let register = || {
        Model::register(workspace, "mymodel", scene.path("model"))
            .description("d")
            .tag("area", "digits")
            .property("origin", "here")
            .framework("ScikitLearn")
            .framework_version("0.22")
            .resource_needs(ResourceNeeds::new().cpu(0.5).memory_gb(1.0))
            .sample_input_dataset("d1")
            .sample_output_dataset("d2")
    };
    let mut model = register().await.unwrap();
    assert_eq!(register().await.unwrap().id(), model.id());
    register().always_new().await.unwrap();
    let change = model.update().resource_needs(ResourceNeeds::new().cpu(1.0));
    let change = change
        .sample_input_dataset("d3")
        .sample_output_dataset("d4");
    change.await.unwrap();
    let output = RunOutput::new("exp", "run-1", "outputs/model.pkl");
    let of_run = Model::register_from_run(workspace, "other", output)
        .await
        .unwrap();
    for query in [
        ModelQuery::new(),
        ModelQuery::new()
            .name("mymodel")
            .framework("ScikitLearn")
            .description("d")
            .tag("area", "digits")
            .has_tag("area")
            .property("origin", "here")
            .has_property("origin")
            .latest_only()
            .page_size(1),
        ModelQuery::new().run_id("run-1"),
    ] {
        let found: Vec<Model> = Model::list(workspace, query).try_collect().await.unwrap();
        assert!(!found.is_empty());
    }
    Model::get(workspace, "mymodel").await.unwrap();
    Model::get_opt(workspace, "mymodel:9").await.unwrap();
    of_run.download(scene.path("run")).await.unwrap();
    of_run.delete().await.unwrap();
    let read = Model::get(workspace, "mymodel:1").await.unwrap();
    read.download(scene.path("out")).await.unwrap();
    model
}

fn all() -> DeployConfigurationBuilder {
    DeployConfiguration::builder()
        .auth(Auth::Key)
        .primary_key("first")
        .secondary_key("second")
        .replicas(
            AutoScale::new()
                .min_replicas(1)
                .max_replicas(3)
                .target_utilization(70)
                .refresh_period(Duration::from_secs(1)),
        )
        .cpu_cores(0.5)
        .cpu_cores_limit(1.0)
        .memory_gb(1.0)
        .memory_gb_limit(2.0)
        .liveness_probe(
            LivenessProbe::new()
                .period(Duration::from_secs(10))
                .initial_delay(Duration::from_secs(310))
                .timeout(Duration::from_secs(2))
                .success_threshold(1)
                .failure_threshold(3),
        )
        .app_insights(true)
        .collect_model_data(true)
        .scoring_timeout(Duration::from_secs(60))
        .max_concurrent_requests(1)
        .max_queue_wait(Duration::from_millis(500))
        .blobfuse(false)
        .namespace("scoring")
        .tag("team", "vision")
        .property("origin", "ci")
        .description("all of it")
}

fn plain() -> DeployConfigurationBuilder {
    DeployConfiguration::builder()
}

async fn services(scene: &Scene, model: &Model) {
    let packages = CondaDependencies::new()
        .python_version("3.10")
        .pip_package("azureml-defaults");
    let environment = Environment::builder()
        .conda_dependencies(packages)
        .environment_variable("A", "b")
        .build()
        .unwrap();
    let registry = ContainerRegistry::new("r.example").credentials("me", "secret".to_owned());
    let own_image = Environment::builder()
        .base_image("i:1")
        .base_image_registry(registry)
        .build()
        .unwrap();
    scene.deployed("full", model, environment, all()).await;
    scene
        .deployed("image", model, own_image, plain().replicas(2))
        .await;
    let named = EnvironmentRef::version("AzureML-Minimal", "2");
    scene
        .deployed("tokens", model, named, plain().auth(Auth::Token))
        .await;
    let newest = || EnvironmentRef::latest("AzureML-Minimal");
    scene
        .deployed("free", model, newest(), plain().auth(Auth::Disabled))
        .await;
    let labelled = EnvironmentRef::label("AzureML-Minimal", "latest");
    scene.deployed("label", model, labelled, plain()).await;
    // Replaced, and without code.
    let config = plain().build().unwrap();
    let again = model.deploy_without_code("image", config.clone(), &scene.aks);
    healthy(&mut again.overwrite(true).await.unwrap()).await;
    let failing = model.deploy_without_code("failing", config, &scene.aks);
    let mut failing = failing.await.unwrap();
    failing
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap_err();
}

async fn operations(scene: &Scene, model: &Model) {
    let workspace = &scene.workspace;
    let mut service = AksWebservice::get(workspace, "full").await.unwrap();
    let settings = ServiceUpdate::builder()
        .auth(Auth::Token)
        .replicas(AutoScale::new().min_replicas(2).max_replicas(4))
        .cpu_cores(0.4)
        .cpu_cores_limit(0.8)
        .memory_gb(0.9)
        .memory_gb_limit(1.8)
        .liveness_probe(LivenessProbe::new().period(Duration::from_secs(20)))
        .app_insights(false)
        .collect_model_data(false)
        .scoring_timeout(Duration::from_secs(30))
        .max_concurrent_requests(1)
        .max_queue_wait(Duration::from_millis(400))
        .tag("more", "1")
        .property("more", "1")
        .description("new");
    service.update(settings.build().unwrap()).await.unwrap();
    let token = service.resume_token().unwrap().clone();
    workspace.resume(&token).await.unwrap();
    healthy(&mut service).await;
    let tags = ServiceUpdate::builder().tag("at", "once").build().unwrap();
    service.update(tags).await.unwrap();
    let inference = scene.inference(EnvironmentRef::latest("AzureML-Minimal"));
    service
        .update_inference(inference)
        .models([model])
        .await
        .unwrap();
    healthy(&mut service).await;
    service.token().await.unwrap();
    service.logs(LogOptions::new()).await.unwrap();
    service.logs(LogOptions::new().init()).await.unwrap();

    let mut keyed = AksWebservice::get(workspace, "image").await.unwrap();
    keyed.keys().await.unwrap();
    keyed.regenerate_key(KeyName::Primary).await.unwrap();
    let given = Secret::new("given".to_owned());
    keyed
        .regenerate_key(KeyName::Secondary)
        .value(given)
        .await
        .unwrap();
    keyed.update_models([model]).await.unwrap();
    healthy(&mut keyed).await;
    for query in [
        ServiceQuery::new().page_size(1),
        ServiceQuery::new()
            .model_name("mymodel")
            .model_id("mymodel:1")
            .tag("at", "once")
            .has_tag("team")
            .property("origin", "ci")
            .has_property("more"),
        ServiceQuery::new().image_id("i:1"),
    ] {
        let _found: Vec<AksWebservice> = AksWebservice::list(workspace, query)
            .try_collect()
            .await
            .unwrap();
    }
    let removal = keyed.delete().prepare().await.unwrap();
    removal.send().await.unwrap().await.unwrap();
    keyed.delete().await.unwrap().await.unwrap();
    AksWebservice::get_opt(workspace, "image").await.unwrap();
}
