//! Waits that are resumed from tokens, in the same process and in another one.

use super::{Scene, plain};
use crate::support::resealed::resealed;
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{
    AksCompute, AksWebservice, ComputeTarget, Error, ErrorKind, KeyName, ResumeToken, Resumed,
    ServiceUpdate, Verb, WaitOptions,
    models::{ServiceState, TokenResource},
    wait_all,
};
use serde_json::{Value, json};

/// The result of a resume in another process, which has only the text of the token.
async fn resumed(scene: &Scene, token: &ResumeToken) -> Resumed {
    let token = ResumeToken::parse(&token.expose()).unwrap();
    scene.workspace.resume(&token).await.unwrap()
}

async fn healthy(resumed: Resumed) {
    let Resumed::Service(mut service) = resumed else {
        panic!("{resumed:?}");
    };
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(service.state(), Some(ServiceState::Healthy));
}

fn not_started(resumed: &Resumed, expected: Verb) {
    let Resumed::NotStarted {
        verb,
        resource,
        name,
    } = resumed
    else {
        panic!("{resumed:?}");
    };
    let found = (*verb, resource, name.as_str());
    assert_eq!(found, (expected, &TokenResource::Service, "s-1"));
}

fn small() -> ServiceUpdate {
    ServiceUpdate::builder().cpu_cores(0.2).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn deployment_is_found_again_at_every_point() {
    let scene = Scene::new().await;
    // Before anything was sent.
    let prepared = scene.deployment("s-1", plain()).prepare().await.unwrap();
    let token = prepared.token().clone();
    assert_eq!((token.verb(), token.target()), (Verb::Deploy, "s-1"));
    assert_eq!(token.resource(), &TokenResource::Service);
    assert_eq!(token.workspace(), scene.workspace.id());
    not_started(&resumed(&scene, &token).await, Verb::Deploy);
    // Sent, and the answer never stored.
    let service = prepared.send().await.unwrap();
    healthy(resumed(&scene, &token).await).await;
    // Sent, with the answer.
    let accepted = service.resume_token().unwrap().clone();
    healthy(resumed(&scene, &accepted).await).await;
    // Done.
    healthy(resumed(&scene, &token).await).await;
}

#[tokio::test(start_paused = true)]
async fn deployment_whose_answer_is_lost_is_found_by_its_token() {
    let scene = Scene::new().await;
    scene.emulator.inject(
        Fault::response_lost()
            .on(Method::Post, "/services")
            .after(3)
            .times(1),
    );
    let error = scene.deployment("s-1", plain()).await.unwrap_err();
    assert!(error.may_still_run(), "{error}");
    healthy(resumed(&scene, error.resume_token().unwrap()).await).await;
}

#[tokio::test(start_paused = true)]
async fn update_is_resumed_as_its_service_with_the_update_pending() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    let prepared = service.update(small()).prepare().await.unwrap();
    let token = prepared.token().clone();
    assert_eq!((token.verb(), token.target()), (Verb::Update, "s-1"));
    not_started(&resumed(&scene, &token).await, Verb::Update);
    prepared.send().await.unwrap();
    let accepted = service.resume_token().unwrap().clone();
    assert_eq!(accepted.id(), token.id());
    // Both of them while it runs, before either is waited for.
    let both = [
        resumed(&scene, &token).await,
        resumed(&scene, &accepted).await,
    ];
    for found in both {
        assert_eq!(found.verb(), Some(Verb::Update));
        assert_eq!(found.name(), "s-1");
        assert_eq!(found.resume_token().unwrap().id(), token.id());
        let Resumed::Service(service) = &found else {
            panic!("{found:?}");
        };
        assert!(!service.is_ready(), "{service:?}");
        healthy(found).await;
    }
    let read = AksWebservice::get(&scene.workspace, "s-1").await.unwrap();
    let container = read.resource().container_resource_requirements.as_ref();
    assert_eq!(container.unwrap().cpu, Some(0.2));
    // A service at rest does not show whose change was the last.
    not_started(&resumed(&scene, &token).await, Verb::Update);
}

#[tokio::test(start_paused = true)]
async fn deletion_is_resumed_as_a_removal_while_it_runs_and_once_it_is_done() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    let prepared = service.delete().prepare().await.unwrap();
    let token = prepared.token().clone();
    not_started(&resumed(&scene, &token).await, Verb::Delete);
    let operation = prepared.send().await.unwrap();
    let accepted = operation.resume_token().unwrap().clone();
    let found = resumed(&scene, &accepted).await;
    assert_eq!((found.verb(), found.name()), (Some(Verb::Delete), "s-1"));
    let Resumed::Removal(removal) = found else {
        panic!("{found:?}");
    };
    removal.await.unwrap();
    operation.await.unwrap();
    // Gone: either token tells so.
    for token in [&token, &accepted] {
        let found = resumed(&scene, token).await;
        let Resumed::Removal(removal) = found else {
            panic!("{found:?}");
        };
        removal.await.unwrap();
    }
    let read = AksWebservice::get_opt(&scene.workspace, "s-1").await;
    assert!(read.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn new_key_is_resumed_as_not_started_before_and_after_it_was_accepted() {
    let scene = Scene::new().await;
    let service = scene.deployed("s-1", plain()).await;
    let request = service.regenerate_key(KeyName::Primary);
    let prepared = request.prepare().await.unwrap();
    let token = prepared.token().clone();
    assert_eq!(token.verb(), Verb::RegenerateKey);
    not_started(&resumed(&scene, &token).await, Verb::RegenerateKey);
    scene
        .emulator
        .inject(Fault::never_ending_operation().on(Method::Post, "/regenerateKeys"));
    let error = prepared.send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "{error}");
    let accepted = error.resume_token().unwrap();
    let members: Value = serde_json::from_str(&accepted.expose()).unwrap();
    assert_eq!(members["accepted"], true);
    not_started(&resumed(&scene, accepted).await, Verb::RegenerateKey);
    let error = wait_all([&mut resumed(&scene, accepted).await], WaitOptions::new())
        .await
        .remove(0)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotStarted);
    assert!(
        error.to_string().contains("regenerate-key service \"s-1\""),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn token_of_either_kind_is_resumed_by_the_workspace_and_by_no_other_one() {
    let scene = Scene::new().await;
    let service = scene.deployment("s-1", plain()).await.unwrap();
    let of_service = service.resume_token().unwrap();
    let mut compute = scene.aks.clone();
    let prepared = compute.detach().prepare().unwrap();
    let other = Scene::on(Emulator::builder().workspace("another").build()).await;
    for token in [of_service, prepared.token()] {
        scene.workspace.resume(token).await.unwrap();
        let error = other.workspace.resume(token).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResumeToken);
        assert!(error.to_string().contains("another workspace"), "{error}");
    }
    let requests = other.requests();
    assert!(
        !requests.iter().any(|line| line.contains("s-1")),
        "{requests:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn token_that_contradicts_itself_is_refused_before_anything_is_asked() {
    let scene = Scene::new().await;
    let service = scene.deployment("s-1", plain()).await.unwrap();
    let good = service.resume_token().unwrap().expose();
    let parsed: Value = serde_json::from_str(&good).unwrap();
    let uri = parsed["initialUri"].as_str().unwrap().to_owned();
    let (origin, _) = uri.split_at(uri["https://".len()..].find('/').unwrap() + 8);
    let elsewhere = uri.replace(origin, "https://evil.example");
    scene.emulator.clear_journal();
    for (members, why) in [
        (json!({ "resource": "compute/AKS" }), ""),
        (json!({ "target": "s-2" }), "name contradicts"),
        (json!({ "op": "delete" }), "verb contradicts"),
        (json!({ "op": "update" }), "verb contradicts"),
        (json!({ "op": "create" }), "verb contradicts"),
        (json!({ "method": "PUT" }), "verb contradicts"),
        (json!({ "endpoint": "https://evil.example" }), "endpoint"),
        (
            json!({ "initialUri": elsewhere, "endpoint": "https://evil.example" }),
            "another endpoint",
        ),
        (json!({ "initialUri": "no URL" }), "URL is malformed"),
    ] {
        let mut token = parsed.clone();
        for (name, value) in members.as_object().unwrap() {
            token[name] = value.clone();
        }
        // Damaged, as long as nobody computes its checksum.
        let error = ResumeToken::parse(&token.to_string()).unwrap_err();
        assert!(error.to_string().contains("checksum"), "{error}");
        let token = ResumeToken::parse(&resealed(&token.to_string())).unwrap();
        let error = scene.workspace.resume(&token).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ResumeToken, "{members}: {error}");
        assert!(error.to_string().contains(why), "{members}: {error}");
    }
    assert!(scene.requests().is_empty(), "{:#?}", scene.requests());
    let whole = ResumeToken::parse(&resealed(&good)).unwrap();
    scene.workspace.resume(&whole).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn deletions_of_many_services_are_waited_for_at_once() {
    let scene = Scene::new().await;
    let mut removals = Vec::new();
    for name in ["s-1", "s-2", "s-3"] {
        let mut service = scene.deployed(name, plain()).await;
        removals.push(service.delete().await.unwrap());
    }
    for result in wait_all(&mut removals, WaitOptions::new()).await {
        result.unwrap();
    }
    assert!(
        AksWebservice::get_opt(&scene.workspace, "s-2")
            .await
            .unwrap()
            .is_none()
    );
}

/// How the results of a wait ended, in their order.
fn ends<T>(results: &[Result<T, Error>]) -> Vec<Option<ErrorKind>> {
    let kind = |result: &Result<T, Error>| result.as_ref().err().map(Error::kind);
    results.iter().map(kind).collect()
}

/// The failure of a deployment tells what a wait for it alone tells.
fn same_failure(one: &Error, other: &Error) {
    assert_eq!(one.code(), Some("DeploymentFailed"), "{one}");
    assert_eq!(one.code(), other.code());
    assert!(one.remedy().is_some(), "{one}");
    assert_eq!(one.remedy(), other.remedy());
    let reason = |error: &Error| format!("{:?}", error.service_error().unwrap());
    assert_eq!(reason(one), reason(other));
    let logs = one.container_logs().unwrap();
    assert_eq!(
        format!("{logs:?}"),
        format!("{:?}", other.container_logs().unwrap())
    );
    assert!(logs.main.is_some(), "{logs:?}");
}

#[tokio::test(start_paused = true)]
async fn services_are_waited_for_together_with_a_result_for_each_in_order() {
    let scene = Scene::new().await;
    let mut services = Vec::new();
    for name in ["s-1", "failing", "s-3"] {
        services.push(scene.deployment(name, plain()).await.unwrap());
    }
    // Nothing is pending on these.
    services.push(scene.deployed("s-4", plain()).await);
    services.push(AksWebservice::get(&scene.workspace, "s-4").await.unwrap());
    let mut gone = scene.deployed("s-5", plain()).await;
    services.push(gone.clone());
    gone.delete().await.unwrap().await.unwrap();
    services.push(gone);
    let mut alone = services[1].clone();

    let results = wait_all(&mut services, WaitOptions::new()).await;
    let failed = Some(ErrorKind::OperationFailed);
    let missing = Some(ErrorKind::Service);
    assert_eq!(
        ends(&results),
        [None, failed, None, None, None, missing, None]
    );
    assert!(results[5].as_ref().unwrap_err().is_not_found());
    for at in [0, 2, 3, 4] {
        assert!(services[at].is_ready(), "{:?}", services[at]);
    }
    assert!(services[1].is_failed());
    let own = alone.wait_for_deployment(WaitOptions::new()).await;
    same_failure(results[1].as_ref().unwrap_err(), &own.unwrap_err());
}

#[tokio::test(start_paused = true)]
async fn tokens_of_computes_and_services_are_resumed_and_waited_for_together() {
    let scene = Scene::new().await;
    let workspace = &scene.workspace;
    let config = AksCompute::provisioning_configuration().build().unwrap();
    let create = |name: &str| ComputeTarget::create(workspace, name, config.clone()).prepare();
    // These waits pass the time, in which everything else would end.
    let other = Scene::on(Emulator::builder().workspace("another").build()).await;
    let mut deleted = scene.deployed("s-3", plain()).await;
    let mut tokens = Vec::new();
    // In turns, so that an order by kinds would show.
    let unsent = scene.deployment("s-0", plain()).prepare().await.unwrap();
    tokens.push(unsent.token().clone());
    let sent = create("aks-a").unwrap();
    tokens.push(sent.token().clone());
    let mut accepted_compute = sent.send().await.unwrap();
    let sent = scene
        .deployment("failing", plain())
        .prepare()
        .await
        .unwrap();
    tokens.push(sent.token().clone());
    let mut failing = sent.send().await.unwrap();
    tokens.push(create("aks-b").unwrap().token().clone());
    let _removal = deleted.delete().await.unwrap();
    tokens.push(deleted.resume_token().unwrap().clone());
    let deployed = scene.deployment("s-4", plain()).await.unwrap();
    tokens.push(deployed.resume_token().unwrap().clone());
    let sent = create("aks-c").unwrap();
    tokens.push(sent.token().clone());
    sent.send().await.unwrap();
    // Of another workspace: its error stands in its place, and ends nothing.
    let foreign = other.deployment("s-1", plain()).prepare().await.unwrap();
    tokens.push(foreign.token().clone());

    let mut found = workspace.resume_all(&tokens).await;
    let error = found.pop().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResumeToken);
    let mut found: Vec<Resumed> = found.into_iter().map(Result::unwrap).collect();
    let kinds: Vec<(&str, &str)> = found
        .iter()
        .map(|resumed| {
            let kind = match resumed {
                Resumed::Compute(_) => "compute",
                Resumed::Service(_) => "service",
                Resumed::Removal(_) => "removal",
                _ => "not started",
            };
            (kind, resumed.name())
        })
        .collect();
    assert_eq!(
        kinds,
        [
            ("not started", "s-0"),
            ("compute", "aks-a"),
            ("service", "failing"),
            ("not started", "aks-b"),
            ("removal", "s-3"),
            ("service", "s-4"),
            ("compute", "aks-c"),
        ]
    );
    let results = wait_all(&mut found, WaitOptions::new()).await;
    let (unsent, failed) = (
        Some(ErrorKind::NotStarted),
        Some(ErrorKind::OperationFailed),
    );
    assert_eq!(
        ends(&results),
        [unsent, None, failed, unsent, None, None, None]
    );
    let own = failing.wait_for_deployment(WaitOptions::new()).await;
    same_failure(results[2].as_ref().unwrap_err(), &own.unwrap_err());
    accepted_compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    for (name, there) in [("s-3", false), ("s-4", true), ("s-0", false)] {
        let read = AksWebservice::get_opt(workspace, name).await.unwrap();
        assert_eq!(read.is_some(), there, "{name}");
    }
}
