//! `AnyCompute`: one handle for computes of every kind.

use super::requests;
use crate::support::fixture::{self, attached, created};
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{
    AksCompute, AnyCompute, ComputeTarget, ErrorKind, LoadBalancer, UpdateConfiguration, Verb,
    WaitOptions, Workspace, wait_all,
};
use futures::TryStreamExt;
use serde_json::json;

/// The list of the workspace shows a compute of another kind, too: the emulator has none.
async fn with_another_kind(emulator: &Emulator, workspace: &Workspace) {
    created(workspace, "first").await;
    created(workspace, "second").await;
    let gpu = json!({
        "name": "gpu",
        "properties": {
            "computeType": "AmlCompute",
            "provisioningState": "Succeeded",
            "properties": { "vmSize": "STANDARD_NC6" },
        },
    });
    let rows = json!([emulator.compute("first"), gpu, emulator.compute("second")]);
    let page = json!({ "value": rows }).to_string();
    emulator.inject(Fault::response_override(200, &[], page).on(Method::Get, "/computes"));
}

#[tokio::test(start_paused = true)]
async fn list_of_any_kind_has_all_computes_and_that_of_a_kind_only_its_own() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    with_another_kind(&emulator, &workspace).await;
    emulator.clear_journal();

    let any: Vec<AnyCompute> = workspace.computes().try_collect().await.unwrap();
    let shown: Vec<_> = any
        .iter()
        .map(|compute| (compute.name().as_str(), compute.compute_type()))
        .collect();
    assert_eq!(
        shown,
        [("first", "AKS"), ("gpu", "AmlCompute"), ("second", "AKS")]
    );
    assert_eq!(any[1].properties()["vmSize"], "STANDARD_NC6");
    let same: Vec<AnyCompute> = AnyCompute::list(&workspace).try_collect().await.unwrap();
    assert_eq!(same.len(), 3);

    let aks: Vec<AksCompute> = AksCompute::list(&workspace).try_collect().await.unwrap();
    let names: Vec<_> = aks.iter().map(|aks| aks.name().as_str()).collect();
    assert_eq!(names, ["first", "second"]);
    assert_eq!(aks[0].properties().agent_count, Some(3));
    assert_eq!(requests(&emulator), ["GET computes"; 3]);
}

#[tokio::test(start_paused = true)]
async fn handle_of_any_kind_becomes_one_of_its_own_kind_only() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    with_another_kind(&emulator, &workspace).await;
    emulator.clear_journal();
    let any: Vec<AnyCompute> = workspace.computes().try_collect().await.unwrap();
    for compute in any {
        let (name, kind) = (compute.name().clone(), compute.compute_type().to_owned());
        let result: Result<AksCompute, _> = compute.try_into();
        match result {
            Ok(aks) => assert_eq!((aks.name(), &*kind), (&name, "AKS")),
            Err(error) => {
                assert_eq!((name.as_str(), error.kind()), ("gpu", ErrorKind::Refused));
                assert!(error.to_string().contains("AmlCompute"), "{error}");
            }
        }
    }
    assert_eq!(requests(&emulator), ["GET computes"], "it sends nothing");
}

#[tokio::test(start_paused = true)]
async fn handle_that_changes_its_kind_keeps_what_is_pending() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    let change = UpdateConfiguration::builder().load_balancer(LoadBalancer::internal());
    aks.update(change.build().unwrap()).await.unwrap();
    let token = aks.resume_token().unwrap().clone();
    let mut any = AnyCompute::from(aks);
    assert_eq!(
        (any.status(), any.resume_token()),
        (Some("Updating"), Some(&token))
    );
    let any_copy = any.clone();
    any.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert_eq!(any.properties()["loadBalancerType"], "InternalLoadBalancer");
    let mut aks: AksCompute = any_copy.try_into().unwrap();
    assert_eq!(aks.resume_token(), Some(&token));
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    let shown = aks.properties().load_balancer_type.as_deref();
    assert_eq!(shown, Some("InternalLoadBalancer"));
}

#[tokio::test(start_paused = true)]
async fn handle_of_any_kind_waits_detaches_and_deletes() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let (_, cluster) = attached(&emulator, &workspace, "attached").await;
    let config = AksCompute::provisioning_configuration().build().unwrap();
    let create = ComputeTarget::create(&workspace, "created", config).await;
    drop(create.unwrap());

    let mut created = AnyCompute::get(&workspace, "created").await.unwrap();
    assert_eq!(created.status(), Some("Creating"));
    created
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    assert!(created.is_ready());
    let own_cluster = created.resource().properties.resource_id.clone().unwrap();

    let mut attached = AnyCompute::get(&workspace, "attached").await.unwrap();
    let error = attached.delete().await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Refused,
        "it is not the workspace's"
    );
    let detach = attached.detach().await.unwrap();
    let delete = created.delete().await.unwrap();
    for (operation, verb) in [(&detach, Verb::Detach), (&delete, Verb::Delete)] {
        let token = operation.resume_token().unwrap();
        assert_eq!(token.resource().to_string(), "compute/AKS");
        assert_eq!(token.verb(), verb);
    }
    drop((detach, delete));
    let mut all = [attached, created];
    let results = wait_all(&mut all, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert!(emulator.compute("attached").is_none() && emulator.compute("created").is_none());
    assert!(emulator.cluster_exists(&cluster) && !emulator.cluster_exists(&own_cluster));
}
