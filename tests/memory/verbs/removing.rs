use super::count;
use crate::support::fixture::{self, attached, created};
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{AksCompute, ErrorKind, WaitOptions};

#[tokio::test(start_paused = true)]
async fn detach_leaves_the_cluster_and_delete_takes_it_along() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let (mut aks, cluster) = attached(&emulator, &workspace, "attached").await;
    aks.detach().await.unwrap().await.unwrap();
    assert!(emulator.cluster_exists(&cluster));
    assert!(
        AksCompute::get_opt(&workspace, "attached")
            .await
            .unwrap()
            .is_none()
    );

    let mut aks = created(&workspace, "created").await;
    let cluster = aks.cluster_resource_id().unwrap().to_owned();
    aks.delete()
        .await
        .unwrap()
        .wait(WaitOptions::new())
        .await
        .unwrap();
    assert!(!emulator.cluster_exists(&cluster));
    assert!(
        AksCompute::get_opt(&workspace, "created")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test(start_paused = true)]
async fn delete_of_an_attached_compute_is_refused_before_anything_is_sent() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let (mut aks, cluster) = attached(&emulator, &workspace, "attached").await;
    let error = aks.delete().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("detach"), "{error}");
    assert_eq!(count(&emulator, "DELETE"), 0);
    assert!(emulator.cluster_exists(&cluster));
}

#[tokio::test(start_paused = true)]
async fn removal_of_what_is_gone_already_is_a_success() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    aks.delete().await.unwrap().await.unwrap();
    aks.delete().await.unwrap().await.unwrap();
    aks.detach().await.unwrap().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn removal_can_be_waited_for_twice_and_dropped_in_between() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    let mut operation = aks.delete().await.unwrap();
    let short = tokio::time::Duration::from_secs(3);
    assert!(
        tokio::time::timeout(short, operation.wait(WaitOptions::new()))
            .await
            .is_err()
    );
    operation.wait(WaitOptions::new()).await.unwrap();
    let before = emulator.journal().len();
    operation.wait(WaitOptions::new()).await.unwrap();
    assert_eq!(emulator.journal().len(), before);
    assert!(operation.resume_token().is_none());
}

#[tokio::test(start_paused = true)]
async fn write_that_may_have_arrived_hands_out_its_token_and_is_not_repeated() {
    for fault in [
        Fault::response_lost(),
        Fault::connection_dropped(),
        Fault::server_error(502),
    ] {
        let emulator = Emulator::new();
        let workspace = fixture::workspace(&emulator);
        let mut aks = created(&workspace, "myaks").await;
        emulator.inject(fault.on(Method::Delete, "/computes/myaks").times(1));
        let error = aks.delete().await.unwrap_err();
        assert_eq!(count(&emulator, "DELETE"), 1);
        assert!(
            error.resume_token().is_some() && error.may_still_run(),
            "{error}"
        );
    }
}
