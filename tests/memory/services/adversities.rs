//! Services, answers and moments of bad will.

use super::{Scene, plain};
use azure_core::credentials::Secret;
use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request, Transport};
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{
    AksCompute, AksWebservice, Error, ErrorKind, KeyName, Model, Resumed, ServiceQuery,
    ServiceUpdate, WaitOptions, Workspace,
    models::{Event, ServiceState},
};
use futures::{FutureExt, StreamExt};
use serde_json::json;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// A line that takes its time, so that there is something to await at every request.
#[derive(Debug)]
struct Slow(Arc<dyn HttpClient>);

#[async_trait::async_trait]
impl HttpClient for Slow {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let answer = self.0.execute_request(request).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
        answer
    }
}

/// The workspace of the scene, over such a line.
pub(crate) fn slow(emulator: &Emulator) -> Workspace {
    let transport = Transport::new(Arc::new(Slow(emulator.http_client())));
    let builder = Workspace::builder(
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace(),
    );
    builder
        .credential(emulator.credential())
        .transport(transport)
        .build()
        .unwrap()
}

/// Drops the future when it is woken for the `wakes`-th time; `None` then.
async fn dropped<F: Future>(future: F, wakes: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = wakes;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

fn shown(error: &Error) -> String {
    format!(
        "{error} {error:?} {:?} {:?}",
        error.service_error(),
        error.remedy()
    )
}

#[tokio::test(start_paused = true)]
async fn failed_update_of_a_healthy_service_is_reported_wherever_the_wait_was_dropped() {
    let mut wakes = 1;
    loop {
        let scene = Scene::new().await;
        scene.deployed("s-1", plain()).await;
        let workspace = slow(&scene.emulator);
        let mut service = AksWebservice::get(&workspace, "s-1").await.unwrap();
        // The service goes on with what it had.
        let failed =
            json!({ "state": "Failed", "error": { "code": "UpdateFailed", "message": "no" } });
        scene.emulator.inject(
            Fault::response_override(200, &[], failed.to_string()).on(Method::Get, "/operations/"),
        );
        let update = ServiceUpdate::builder().cpu_cores(0.2).build().unwrap();
        service.update(update).await.unwrap();
        scene.emulator.finish_operations();
        let first = dropped(service.wait_for_deployment(WaitOptions::new()), wakes).await;
        let whole = first.is_some();
        let ended = match first {
            Some(result) => result,
            None => service.wait_for_deployment(WaitOptions::new()).await,
        };
        let error = ended.expect_err(&format!("a failure, after {wakes} wakes"));
        assert_eq!(error.code(), Some("UpdateFailed"), "{wakes}: {error}");
        // Told once, it is over: the service itself is as it was before.
        if whole {
            assert_eq!(service.state(), Some(ServiceState::Healthy));
            service
                .wait_for_deployment(WaitOptions::new())
                .await
                .unwrap();
            break;
        }
        wakes += 1;
    }
    assert!(wakes >= 8, "{wakes}");
}

#[tokio::test(start_paused = true)]
async fn key_that_cannot_be_made_is_not_explained_by_an_older_failure() {
    let scene = Scene::new().await;
    let mut service = scene.deployment("failing", plain()).await.unwrap();
    let failed = service.wait_for_deployment(WaitOptions::new()).await;
    assert_eq!(failed.unwrap_err().code(), Some("DeploymentFailed"));
    scene.emulator.inject(
        Fault::operation_fails("KeyNotMade", "try later").on(Method::Post, "/regenerateKeys"),
    );
    let error = service.regenerate_key(KeyName::Primary).await.unwrap_err();
    assert_eq!(error.code(), Some("KeyNotMade"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn change_made_at_once_does_not_forget_a_deployment_that_goes_on() {
    let scene = Scene::new().await;
    let mut service = scene.deployment("s-1", plain()).await.unwrap();
    scene
        .emulator
        .inject(Fault::response_override(200, &[], "{}").on(Method::Patch, "/services/s-1"));
    let update = ServiceUpdate::builder().tag("a", "1").build().unwrap();
    service.update(update).despite_findings().await.unwrap();
    assert!(service.resume_token().is_some());
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(service.state(), Some(ServiceState::Healthy));
}

#[tokio::test(start_paused = true)]
async fn key_that_the_service_repeats_is_not_shown() {
    let scene = Scene::new().await;
    let service = scene.deployed("s-1", plain()).await;
    let given = || Secret::new("c4n4ry\"one".to_owned());
    let texts = [
        json!({ "error": { "code": "Bad", "message": "the value c4n4ry\"one is in use" } }),
        json!({ "error": { "code": "Bad", "message": "x", "details": [{ "message": "c4n4ry\"one" }] } }),
        json!({ "said": "c4n4ry\"one" }),
        json!("c4n4ry\"one"),
        json!({ "primaryKey": "c4n4ry\"one" }),
    ];
    for (status, text) in [400, 409, 500, 503, 202]
        .iter()
        .flat_map(|status| texts.iter().map(move |text| (*status, text)))
    {
        for text in [
            text.to_string(),
            format!("<p>{text}</p>"),
            "c4n4ry\"one".to_owned(),
        ] {
            scene.emulator.inject(
                Fault::response_override(status, &[], &*text).on(Method::Post, "/regenerateKeys"),
            );
            let error = service
                .regenerate_key(KeyName::Primary)
                .value(given())
                .await;
            let shown = shown(&error.unwrap_err());
            assert!(!shown.contains("c4n4ry"), "{status} {text}: {shown}");
            scene.emulator.clear_faults();
        }
    }
    // What was read of secrets and is odd.
    for (path, text) in [
        ("/listkeys", json!({ "primaryKey": { "x": "c4n4ry" } })),
        ("/listkeys", json!([["c4n4ry"]])),
        ("/token", json!({ "accessToken": ["c4n4ry"] })),
        (
            "/token",
            json!({ "accessToken": "c4n4ry", "expiryOn": "c4n4ry" }),
        ),
    ] {
        scene
            .emulator
            .inject(Fault::response_override(200, &[], text.to_string()).on(Method::Post, path));
        let error = match path {
            "/listkeys" => service.keys().await.map(|_| ()),
            _ => service.token().await.map(|_| ()),
        };
        let shown = shown(&error.unwrap_err());
        assert!(!shown.contains("c4n4ry"), "{path} {text}: {shown}");
        scene.emulator.clear_faults();
    }
}

#[tokio::test(start_paused = true)]
async fn keys_of_a_deployment_that_the_service_repeats_are_not_shown() {
    let scene = Scene::new().await;
    let text = json!({ "error": { "code": "Bad", "message": "neither c4n4ry-one nor 'c4n4ry-two' will do" } });
    for (path, skip) in [
        ("/services", 3),
        ("/services/validate", 1),
        ("/services/validate", 2),
    ] {
        for status in [200, 400, 409, 500] {
            scene.emulator.inject(
                Fault::response_override(status, &[], text.to_string())
                    .on(Method::Post, path)
                    .after(skip),
            );
            let config = plain()
                .primary_key("c4n4ry-one")
                .secondary_key("c4n4ry-two");
            let deployment = scene.deployment("s-1", config);
            assert!(!format!("{deployment:?}").contains("c4n4ry"));
            match deployment.await {
                Ok(mut service) => {
                    let shown = format!("{service:?} {:?}", service.warnings());
                    assert!(!shown.contains("c4n4ry"), "{path} {status}: {shown}");
                    scene.emulator.clear_faults();
                    scene.emulator.finish_operations();
                    service.delete().await.unwrap().await.unwrap();
                }
                Err(error) => {
                    let shown = format!("{} {:?}", shown(&error), error.findings());
                    assert!(!shown.contains("c4n4ry"), "{path} {status}: {shown}");
                }
            }
            scene.emulator.clear_faults();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn signed_url_in_the_log_of_an_operation_is_not_shown() {
    let scene = Scene::new().await;
    let mut service = scene.deployment("s-1", plain()).await.unwrap();
    let log =
        "20200101000000|see https://a.blob.core.windows.net/l/build.txt?sv=1&sig=c4n4ry for more#";
    scene.emulator.inject(
        Fault::response_override(
            200,
            &[],
            json!({ "state": "Running", "streamingOperationLog": log }).to_string(),
        )
        .on(Method::Get, "/operations/")
        .times(1),
    );
    let mut lines = Vec::new();
    let mut events = pin!(service.events(WaitOptions::new()));
    while let Some(event) = events.next().await {
        if let Event::Progress(progress) = event.unwrap() {
            assert!(!format!("{progress:?}").contains("c4n4ry"), "{progress:?}");
            lines.extend(progress.log);
        }
    }
    assert!(
        lines.iter().any(|line| line.contains("build.txt")),
        "{lines:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn logs_of_any_size_are_reported_by_their_end() {
    let scene = Scene::new().await;
    let mut service = scene.deployment("failing", plain()).await.unwrap();
    // One line without an end, then lines without number, and the last ones.
    let bomb = format!(
        "{}\n{}\nthe end",
        "token".repeat(200_000),
        "key=1 ".repeat(1_000_000)
    );
    scene.emulator.inject(
        Fault::response_override(200, &[], json!({ "content": bomb }).to_string())
            .on(Method::Get, "/logs"),
    );
    let error = service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap_err();
    let logs = error.container_logs().unwrap();
    let main = logs.main.as_deref().unwrap();
    assert!(main.ends_with("the end"));
    assert!(main.len() <= 300_000, "{}", main.len());
}

#[tokio::test(start_paused = true)]
async fn deployment_that_was_accepted_without_an_operation_has_a_token() {
    let scene = Scene::new().await;
    scene.emulator.inject(
        Fault::response_override(202, &[], "{}")
            .on(Method::Post, "/services")
            .after(3)
            .times(1),
    );
    let error = scene.deployment("s-1", plain()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.resume_token().is_some(), "{error}");

    let mut service = scene.deployed("s-2", plain()).await;
    scene
        .emulator
        .inject(Fault::response_override(202, &[], "{}").on(Method::Patch, "/services/s-2"));
    let update = ServiceUpdate::builder().cpu_cores(0.2).build().unwrap();
    let error = service.update(update).await.unwrap_err();
    assert!(error.resume_token().is_some(), "{error}");
}

#[tokio::test(start_paused = true)]
async fn service_that_vanishes_ends_the_wait() {
    /// The URL that the wait follows, and how often it reads the service before that is gone.
    #[derive(Clone, Copy)]
    enum Follows {
        Operation,
        Service(u32),
    }
    for mut wait in [Follows::Operation, Follows::Service(0), Follows::Service(1)].map(|follows| {
        async move {
            let scene = Scene::new().await;
            let mut service = scene.deployment("s-1", plain()).await.unwrap();
            if let Follows::Service(reads) = follows {
                service = AksWebservice::get(&scene.workspace, "s-1").await.unwrap();
                scene.emulator.inject(
                    Fault::response_override(404, &[], r#"{"code":"NotFound"}"#)
                        .on(Method::Get, "/services/s-1")
                        .after(reads),
                );
            }
            scene.emulator.inject(
                Fault::response_override(404, &[], r#"{"code":"NotFound"}"#)
                    .on(Method::Get, "/operations/"),
            );
            let wait = service.wait_for_deployment(WaitOptions::new()).await;
            (follows, wait)
        }
        .boxed_local()
    }) {
        let (follows, ended) = (&mut wait).await;
        match follows {
            // The operation is gone and the service tells.
            Follows::Operation => ended.unwrap(),
            // Nothing was begun, and the first read finds nothing.
            Follows::Service(0) => {
                let error = ended.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Service, "{error}");
                assert!(error.is_not_found(), "{error}");
            }
            Follows::Service(_) => {
                let error = ended.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::OperationStatusLost, "{error}");
            }
        }
    }
}

/// How often the service was asked to make one.
fn creations(scene: &Scene) -> usize {
    let journal = scene.emulator.journal();
    journal
        .iter()
        .filter(|entry| entry.method == "POST" && entry.path.ends_with("/services"))
        .count()
}

#[tokio::test(start_paused = true)]
async fn deployment_dropped_anywhere_is_found_by_its_token_or_never_began() {
    let mut wakes = 1;
    loop {
        let scene = Scene::new().await;
        let workspace = slow(&scene.emulator);
        let model = Model::get(&workspace, "mymodel:1").await.unwrap();
        let aks = AksCompute::get(&workspace, "myaks").await.unwrap();
        let prepare = || {
            let config = plain().build().unwrap();
            Model::deploy(&workspace, "s-1", [&model], scene.inference(), config, &aks).prepare()
        };
        let prepared = prepare().await.unwrap();
        let token = prepared.token().clone();
        let first = dropped(prepared.send(), wakes).await;
        let began = creations(&scene);
        match workspace.resume(&token).await.unwrap() {
            Resumed::Service(mut service) => {
                assert_eq!(began, 1, "{wakes}");
                service
                    .wait_for_deployment(WaitOptions::new())
                    .await
                    .unwrap();
                assert_eq!(service.state(), Some(ServiceState::Healthy));
            }
            Resumed::NotStarted { .. } => {
                assert_eq!(began, 0, "{wakes}");
                let mut service = prepare().await.unwrap().send().await.unwrap();
                service
                    .wait_for_deployment(WaitOptions::new())
                    .await
                    .unwrap();
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(creations(&scene), 1, "{wakes}");
        if let Some(first) = first {
            first.unwrap();
            break;
        }
        wakes += 1;
    }
    assert!(wakes > 15, "{wakes}");
}

#[tokio::test(start_paused = true)]
async fn wait_after_an_update_that_was_dropped_does_not_end_before_the_update() {
    let mut wakes = 1;
    loop {
        let scene = Scene::new().await;
        scene.deployed("s-1", plain()).await;
        let workspace = slow(&scene.emulator);
        let mut service = AksWebservice::get(&workspace, "s-1").await.unwrap();
        let update = ServiceUpdate::builder().cpu_cores(0.2).build().unwrap();
        let first = dropped(service.update(update).into_future(), wakes).await;
        if scene.count("PATCH", "/services/s-1") == 1 {
            assert_eq!(
                service.state(),
                Some(ServiceState::Transitioning),
                "{wakes}"
            );
            assert!(!service.is_ready() && !service.is_failed() && service.error().is_none());
        }
        service
            .wait_for_deployment(WaitOptions::new())
            .await
            .unwrap();
        let patched = scene.count("PATCH", "/services/s-1");
        let read = AksWebservice::get(&scene.workspace, "s-1").await.unwrap();
        let cpu = read.resource().container_resource_requirements.as_ref();
        assert_eq!(read.state(), Some(ServiceState::Healthy), "{wakes}");
        assert_eq!(cpu.unwrap().cpu == Some(0.2), patched == 1, "{wakes}");
        if first.is_some() {
            assert_eq!(patched, 1);
            break;
        }
        wakes += 1;
    }
    assert!(wakes > 6, "{wakes}");
}

#[tokio::test(start_paused = true)]
async fn update_that_is_refused_leaves_the_handle_as_it_was() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    scene
        .emulator
        .inject(Fault::response_override(409, &[], "{}").on(Method::Patch, "/services/s-1"));
    let update = ServiceUpdate::builder().cpu_cores(0.2).build().unwrap();
    let error = service.update(update).await.unwrap_err();
    assert!(error.is_conflict(), "{error}");
    assert_eq!(service.state(), Some(ServiceState::Healthy));
}

#[tokio::test(start_paused = true)]
async fn deletion_and_new_key_dropped_anywhere_can_be_asked_for_again() {
    for what in ["delete", "key"] {
        let mut wakes = 1;
        loop {
            let scene = Scene::new().await;
            let before = scene.deployed("s-1", plain()).await.keys().await.unwrap();
            let before = before.primary_key.unwrap().secret().to_owned();
            let workspace = slow(&scene.emulator);
            let mut service = AksWebservice::get(&workspace, "s-1").await.unwrap();
            let work = async {
                match what {
                    "delete" => service.delete().await.unwrap().await.unwrap(),
                    _ => {
                        service.regenerate_key(KeyName::Primary).await.unwrap();
                    }
                }
            };
            let done = dropped(work, wakes).await.is_some();
            scene.emulator.finish_operations();
            match what {
                "delete" => {
                    service.delete().await.unwrap().await.unwrap();
                    let gone = AksWebservice::get_opt(&workspace, "s-1").await.unwrap();
                    assert!(gone.is_none(), "{wakes}");
                }
                _ => {
                    let keys = service.regenerate_key(KeyName::Primary).await.unwrap();
                    assert_ne!(keys.primary_key.unwrap().secret(), before, "{wakes}");
                }
            }
            if done {
                break;
            }
            wakes += 1;
        }
        assert!(wakes > 4, "{what} {wakes}");
    }
}

#[tokio::test(start_paused = true)]
async fn client_timeout_is_longer_than_that_of_its_service() {
    let scene = Scene::new().await;
    for (name, timeout, expected) in [("s-1", 300, "340s"), ("s-2", 30, "100s")] {
        let config = plain().scoring_timeout(Duration::from_secs(timeout));
        let service = scene.deployed(name, config).await;
        let client = service.scoring_client().await.unwrap();
        let shown = format!("{client:?}");
        assert!(shown.contains(&format!("timeout: {expected}")), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn deletion_whose_operation_vanishes_ends() {
    for (answer, gone) in [
        (r#"{"state":"Running"}"#, false),
        ("", false),
        ("not found", true),
    ] {
        let scene = Scene::new().await;
        let mut service = scene.deployed("s-1", plain()).await;
        let removal = service.delete().await.unwrap();
        let status = if gone { 404 } else { 200 };
        scene.emulator.inject(
            Fault::response_override(status, &[], answer)
                .on(Method::Get, "/operations/")
                .times(3),
        );
        removal.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn services_that_cannot_be_read_do_not_hide_the_others() {
    let scene = Scene::new().await;
    let page = json!({ "value": [
        { "name": "a-1", "computeType": "AKS", "state": "Healthy" },
        { "name": "a-2", "computeType": "ACI" },
        { "name": ["x"] },
        { "computeType": "AKS" },
        7,
        { "name": "a-3", "numReplicas": -1, "deploymentStatus": "odd", "error": [1], "models": {} },
    ] });
    let text = page.to_string().replace(":-1", ":1e400");
    assert!(text.contains("1e400"));
    for text in [page.to_string(), text] {
        scene
            .emulator
            .inject(Fault::response_override(200, &[], text).on(Method::Get, "/services"));
        let found: Vec<_> = AksWebservice::list(&scene.workspace, ServiceQuery::new())
            .collect()
            .await;
        let names: Vec<_> = found
            .iter()
            .flatten()
            .map(|service| service.name().to_string())
            .collect();
        assert!(names.contains(&"a-1".to_owned()), "{found:?}");
        assert!(found.iter().filter(|item| item.is_err()).count() >= 3);
        scene.emulator.clear_faults();
    }
}
