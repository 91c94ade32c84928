//! Signed URLs, keys, tokens and passwords stay secret through the whole life of models and services: in
//! everything that can be formatted, and in everything that is logged, by whatever crate.

use crate::support::alone::is_alone;
use crate::support::fixture;
use crate::support::log::Log;
use azure_core::credentials::Secret;
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{
    AksWebservice, Auth, CondaDependencies, ContainerRegistry, DeployConfiguration, Environment,
    InferenceConfiguration, KeyName, Model, ServiceUpdate, WaitOptions,
};
use serde_json::{Value, json};
use std::fmt::{Debug, Write};

/// In the keys and the password of this test.
const CANARY: &str = "CANARY";

#[tokio::test(start_paused = true)]
async fn secrets_leave_by_no_text() {
    if !is_alone(module_path!(), "secrets_leave_by_no_text") {
        return;
    }
    let log = Log::of_the_process(|_| true);
    let mut out = String::new();
    let mut show = |what: &dyn Debug| writeln!(out, "{what:?}\n{what:#?}").unwrap();

    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let aks = fixture::created(&workspace, "myaks").await;

    // A model of blocks and of one piece, with a store that stumbles.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("large"), vec![1; 9_000_000]).unwrap();
    std::fs::write(path.join("small"), "x").unwrap();
    for fault in [
        Fault::connection_dropped(),
        Fault::response_lost(),
        Fault::server_error(503),
        Fault::server_error(403),
        Fault::html_error(),
    ] {
        emulator.inject(fault.on(Method::Put, "/large").times(3));
        let registration = Model::register(&workspace, "m", &path);
        show(&registration);
        if let Err(error) = registration.await {
            show(&error);
            show(&error.service_error());
        }
        emulator.clear_faults();
    }
    let model = Model::register(&workspace, "m", &path).await.unwrap();
    show(&model);
    show(model.resource());
    for fault in [Fault::truncated_body(), Fault::server_error(403)] {
        emulator.inject(fault.on(Method::Get, "/large").times(9));
        let download = model.download(folder.path().join("out")).overwrite(true);
        show(&download);
        show(&download.await);
        emulator.clear_faults();
    }

    // A service with keys of its own and a registry with a password.
    let script = folder.path().join("score.py");
    std::fs::write(&script, "def init(): pass\ndef run(data): return data\n").unwrap();
    let registry = ContainerRegistry::new("r.azurecr.io").credentials("me", "CANARY-password");
    let environment = Environment::builder()
        .name("e")
        .base_image("r.azurecr.io/i:1")
        .base_image_registry(registry)
        .conda_dependencies(CondaDependencies::new().pip_package("azureml-defaults"));
    let environment = environment.build().unwrap();
    let inference = InferenceConfiguration::builder()
        .entry_script(&script)
        .environment(environment)
        .build()
        .unwrap();
    let config = DeployConfiguration::builder()
        .primary_key("CANARY-one")
        .secondary_key("CANARY-two")
        .build()
        .unwrap();
    show(&inference);
    show(&config);
    let deploy = || {
        Model::deploy(
            &workspace,
            "s-1",
            [&model],
            inference.clone(),
            config.clone(),
            &aks,
        )
    };
    show(&deploy());
    let echo =
        json!({ "error": { "code": "Bad", "message": "CANARY-one, CANARY-two, CANARY-password" } });
    emulator.inject(
        Fault::response_override(500, &[], echo.to_string())
            .on(Method::Post, "/services")
            .after(3)
            .times(1),
    );
    show(&deploy().await);
    let mut service = deploy().await.unwrap();
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    show(&service);
    show(service.resource());
    show(&service.keys().await);
    let given = Secret::new("CANARY-three".to_owned());
    show(&service.regenerate_key(KeyName::Primary).value(given).await);
    let client = service.scoring_client().await.unwrap();
    let _: Value = client.run(&1).await.unwrap();
    show(&client);
    // What a change has to hide is the password alone.
    let quoted = json!({ "error": { "code": "Bad", "message": "CANARY-password" } });
    emulator.inject(
        Fault::response_override(400, &[], quoted.to_string()).on(Method::Patch, "/services/s-1"),
    );
    show(&service.update_inference(inference.clone()).await);
    emulator.clear_faults();
    let tokens = ServiceUpdate::builder().auth(Auth::Token).build().unwrap();
    service.update(tokens).await.unwrap();
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    let token = service.token().await.unwrap();
    show(&token);
    let client = service.scoring_client().await.unwrap();
    let _: Value = client.run(&1).await.unwrap();
    show(&client);
    show(&AksWebservice::get(&workspace, "s-1").await);
    show(&service.delete().await.unwrap().await);

    let logged = log.text();
    assert!(logged.contains("upload a model"), "the check listens");
    let token = token.access_token.secret();
    for (which, text) in [("shown", &out), ("logged", &logged)] {
        let line = text.lines().find(|line| {
            let signed = line.split("sig=").skip(1).any(|value| {
                let value = value
                    .trim_start_matches("REDACTED")
                    .trim_start_matches("[redacted]");
                value.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '%')
            });
            signed || line.contains(CANARY) || line.contains(token)
        });
        assert_eq!(line, None, "{which}");
    }
}
