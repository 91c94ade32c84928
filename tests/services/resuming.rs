//! Waits that are taken up again from tokens.

use crate::{Scene, plain};
use azure_core::http::Method;
use azureml_aks::emulator::Fault;
use azureml_aks::{
    AksWebservice, ErrorKind, ResumeToken, Resumed, ServiceUpdate, Verb, WaitOptions,
    models::ServiceState, wait_all,
};

async fn resumed(scene: &Scene, token: &ResumeToken) -> ResumedService {
    let token = ResumeToken::parse(&token.expose()).unwrap();
    AksWebservice::resume(&scene.workspace, &token)
        .await
        .unwrap()
}

async fn healthy(resumed: ResumedService) {
    let ResumedService::Service(mut service) = resumed else {
        panic!("{resumed:?}");
    };
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    assert_eq!(service.state(), Some(ServiceState::Healthy));
}

#[tokio::test(start_paused = true)]
async fn a_deployment_is_found_again_at_every_point() {
    let scene = Scene::new().await;
    // Before anything was sent.
    let prepared = scene.deployment("s-1", plain()).prepare().await.unwrap();
    let token = prepared.token().clone();
    assert_eq!(
        (token.verb(), token.target().as_deref()),
        (Verb::Deploy, Some("s-1"))
    );
    let found = resumed(&scene, &token).await;
    assert!(
        matches!(found, ResumedService::NotStarted { .. }),
        "{found:?}"
    );
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
async fn a_deployment_whose_answer_is_lost_is_found_by_its_token() {
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
async fn an_update_and_a_deletion_are_taken_up_again() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    let update = ServiceUpdate::builder().cpu_cores(0.2).build().unwrap();
    service.update(update).await.unwrap();
    healthy(resumed(&scene, service.resume_token().unwrap()).await).await;

    let prepared = service.prepare_delete().await.unwrap();
    let token = prepared.token().clone();
    let found = resumed(&scene, &token).await;
    assert!(matches!(
        found,
        ResumedService::NotStarted {
            verb: Verb::Delete,
            ..
        }
    ));
    let operation = prepared.send().await.unwrap();
    let accepted = operation.resume_token().unwrap().clone();
    for token in [accepted, token] {
        let ResumedService::Removal(removal) = resumed(&scene, &token).await else {
            continue;
        };
        removal.await.unwrap();
    }
    operation.await.unwrap();
    let ResumedService::Removal(removal) =
        resumed(&scene, service_gone(&scene).await.token()).await
    else {
        panic!("a service that is gone is removed");
    };
    removal.await.unwrap();
}

async fn service_gone(scene: &Scene) -> azureml_aks::Prepared<azureml_aks::Operation<()>> {
    assert!(
        AksWebservice::get_opt(&scene.workspace, "s-1")
            .await
            .unwrap()
            .is_none()
    );
    let service = scene.deployed("s-2", plain()).await;
    let prepared = service.prepare_delete().await.unwrap();
    service.delete().await.unwrap().await.unwrap();
    prepared
}

#[tokio::test(start_paused = true)]
async fn tokens_of_services_and_computes_are_not_mixed_up() {
    let scene = Scene::new().await;
    let service = scene.deployment("s-1", plain()).await.unwrap();
    let of_service = service.resume_token().unwrap();
    let error = scene.workspace.resume(of_service).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResumeToken);
    assert!(error.remedy().unwrap().contains("AksWebservice"));
    let prepared = scene.aks.prepare_detach();
    let error = AksWebservice::resume(&scene.workspace, prepared.token())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResumeToken);
    let other = Scene::on(
        azureml_aks::emulator::Emulator::builder()
            .workspace("another")
            .build(),
    )
    .await;
    let error = AksWebservice::resume(&other.workspace, of_service)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("another workspace"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn deletions_of_many_services_are_waited_for_at_once() {
    let scene = Scene::new().await;
    let mut removals = Vec::new();
    for name in ["s-1", "s-2", "s-3"] {
        let service = scene.deployed(name, plain()).await;
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
