//! The options of one call: its timeout, and its client request id.

use super::count;
use crate::support::fixture::{self, GROUP, created};
use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, Transport};
use azureml_aks::emulator::{Emulator, ExistingCluster};
use azureml_aks::{
    AksCompute, ClusterRef, ComputeTarget, Error, ErrorKind, LoadBalancer, Resumed,
    UpdateConfiguration, WaitOptions, Workspace,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const ID: &str = "deployment-of-2026-11-27/cluster-1";

fn config() -> azureml_aks::ProvisioningConfiguration {
    AksCompute::provisioning_configuration().build().unwrap()
}

fn change() -> UpdateConfiguration {
    let change = UpdateConfiguration::builder().load_balancer(LoadBalancer::internal());
    change.build().unwrap()
}

fn attachment() -> azureml_aks::AttachConfiguration {
    let cluster = ClusterRef::named(GROUP, "mine");
    AksCompute::attach_configuration(cluster).build().unwrap()
}

/// The write, and all that follows it, has this id.
#[track_caller]
fn assert_identified(emulator: &Emulator, method: &str, id: &str) {
    let journal = emulator.journal();
    let write = journal.iter().position(|entry| entry.method == method);
    let (before, after) = journal.split_at(write.unwrap());
    assert!(after.len() > 2, "it was polled");
    for entry in after {
        assert_eq!(entry.headers["x-ms-client-request-id"], id, "{entry:?}");
    }
    let reads = before
        .iter()
        .map(|entry| &entry.headers["x-ms-client-request-id"]);
    assert!(reads.into_iter().all(|read| read != id), "it is unique");
}

#[tokio::test(start_paused = true)]
async fn client_request_id_is_on_the_write_and_its_polls_and_names_the_token() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    emulator.add_cluster(ExistingCluster::new(GROUP, "mine"));

    let create = ComputeTarget::create(&workspace, "myaks", config()).client_request_id(ID);
    let prepared = create.prepare().unwrap();
    assert_eq!(prepared.token().id(), ID);
    let mut aks = prepared.send().await.unwrap();
    assert_eq!(aks.resume_token().unwrap().id(), ID);
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert_identified(&emulator, "PUT", ID);

    emulator.clear_journal();
    let attach = ComputeTarget::attach(&workspace, "other", attachment());
    let mut other = attach.client_request_id("attach-1").await.unwrap();
    assert_eq!(other.resume_token().unwrap().id(), "attach-1");
    other.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert_identified(&emulator, "PUT", "attach-1");

    emulator.clear_journal();
    aks.update(change())
        .client_request_id("update-1".to_owned())
        .await
        .unwrap();
    assert_eq!(aks.resume_token().unwrap().id(), "update-1");
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert_identified(&emulator, "PUT", "update-1");

    emulator.clear_journal();
    let operation = other.detach().client_request_id("detach-1").await.unwrap();
    assert_eq!(operation.resume_token().unwrap().id(), "detach-1");
    operation.await.unwrap();
    assert_identified(&emulator, "DELETE", "detach-1");

    emulator.clear_journal();
    let operation = aks.delete().client_request_id("delete-1").await.unwrap();
    assert_eq!(operation.resume_token().unwrap().id(), "delete-1");
    // Another process sends it, too.
    let token = operation.resume_token().unwrap().clone();
    let resumed = fixture::workspace(&emulator).resume(&token).await;
    let Resumed::Removal(resumed) = resumed.unwrap() else {
        panic!("a removal");
    };
    resumed.await.unwrap();
    assert_identified(&emulator, "DELETE", "delete-1");
}

#[tokio::test(start_paused = true)]
async fn client_request_id_is_new_for_every_call_by_default() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let id = || {
        let create = ComputeTarget::create(&workspace, "myaks", config());
        create.prepare().unwrap().token().id().to_owned()
    };
    let (one, other) = (id(), id());
    assert_ne!(one, other);
    assert_eq!(one.len(), 36, "{one}");
}

#[tokio::test(start_paused = true)]
async fn client_request_id_that_cannot_be_sent_is_refused_before_anything_is_sent() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    emulator.clear_journal();
    let long = "x".repeat(129);
    for id in [
        "",
        " ",
        "a b",
        "a\tb",
        "a\nb",
        "a\r\nx-evil: 1",
        "é",
        "\u{0}",
        &long,
    ] {
        let create = ComputeTarget::create(&workspace, "other", config()).client_request_id(id);
        let attach = ComputeTarget::attach(&workspace, "other", attachment()).client_request_id(id);
        let errors = [
            create.prepare().map(drop).unwrap_err(),
            attach.await.map(drop).unwrap_err(),
            aks.update(change())
                .client_request_id(id)
                .await
                .unwrap_err(),
            aks.detach()
                .client_request_id(id)
                .await
                .map(drop)
                .unwrap_err(),
            aks.delete()
                .client_request_id(id)
                .prepare()
                .map(drop)
                .unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Configuration, "{id:?}");
            assert!(error.resume_token().is_none());
            assert!(
                id.is_empty() || id == " " || !error.to_string().contains(id),
                "{error}"
            );
        }
    }
    assert!(emulator.journal().is_empty());
    assert_eq!(aks.resume_token(), None);
    let longest = "x".repeat(128);
    let create = ComputeTarget::create(&workspace, "other", config()).client_request_id(&*longest);
    assert_eq!(create.await.unwrap().resume_token().unwrap().id(), longest);
}

/// An emulator that does at once what it is asked for, and takes its time to say so.
#[derive(Debug)]
struct Slow {
    inner: Arc<dyn HttpClient>,
    /// For a read, and for a write.
    pauses: (Duration, Duration),
}

#[async_trait]
impl HttpClient for Slow {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let answer = self.inner.execute_request(request).await;
        let is_read = request.method() == azure_core::http::Method::Get;
        tokio::time::sleep(if is_read {
            self.pauses.0
        } else {
            self.pauses.1
        })
        .await;
        answer
    }
}

fn slow(emulator: &Emulator, read: u64, write: u64) -> Workspace {
    let transport = Transport::new(Arc::new(Slow {
        inner: emulator.http_client(),
        pauses: (Duration::from_secs(read), Duration::from_secs(write)),
    }));
    let builder = fixture::builder(emulator).transport(transport);
    builder.build().unwrap()
}

#[track_caller]
fn assert_timed_out(error: &Error, begun: Instant, timeout: Duration) {
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert!(error.is_timeout() && error.may_still_run(), "{error:?}");
    assert!(error.to_string().contains("myaks"), "{error}");
    assert!(error.resume_token().is_some());
    assert_eq!(begun.elapsed(), timeout);
}

#[tokio::test(start_paused = true)]
async fn timeout_of_a_call_ends_it_with_a_token() {
    let emulator = Emulator::new();
    // Of the write the answer is missing, and all that came before it.
    let workspace = slow(&emulator, 2, 60);
    let timeout = Duration::from_secs(20);
    let begun = Instant::now();
    let create = ComputeTarget::create(&workspace, "myaks", config());
    let error = create.timeout(timeout).await.unwrap_err();
    assert_timed_out(&error, begun, timeout);
    assert_eq!(count(&emulator, "PUT"), 1);
    let resumed = workspace.resume(error.resume_token().unwrap()).await;
    let Resumed::Compute(mut compute) = resumed.unwrap() else {
        panic!("it runs");
    };
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();

    let mut aks = AksCompute::get(&workspace, "myaks").await.unwrap();
    let begun = Instant::now();
    let error = aks.update(change()).timeout(timeout).await.unwrap_err();
    assert_timed_out(&error, begun, timeout);
    assert_eq!(aks.resume_token(), None, "whether it runs is not known");
    let resumed = workspace.resume(error.resume_token().unwrap()).await;
    let Resumed::Compute(mut compute) = resumed.unwrap() else {
        panic!("it runs");
    };
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();

    let begun = Instant::now();
    let error = aks.delete().timeout(timeout).await.unwrap_err();
    assert_timed_out(&error, begun, timeout);
    let resumed = workspace.resume(error.resume_token().unwrap()).await;
    let Resumed::Removal(operation) = resumed.unwrap() else {
        panic!("it runs");
    };
    operation.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn timeout_of_a_call_counts_all_of_its_requests() {
    let emulator = Emulator::new();
    let workspace = slow(&emulator, 15, 0);
    let timeout = Duration::from_secs(20);
    let begun = Instant::now();
    // The name is read, and then the location, for which there is not enough time.
    let create = ComputeTarget::create(&workspace, "myaks", config()).timeout(timeout);
    let error = create.await.unwrap_err();
    assert_timed_out(&error, begun, timeout);
    assert_eq!(count(&emulator, "PUT"), 0);
    let resumed = workspace.resume(error.resume_token().unwrap()).await;
    assert!(
        matches!(resumed, Ok(Resumed::NotStarted { .. })),
        "{resumed:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn timeout_of_a_call_is_not_that_of_the_wait() {
    let emulator = Emulator::new();
    let workspace = slow(&emulator, 2, 2);
    let create = ComputeTarget::create(&workspace, "myaks", config());
    let mut aks = create.timeout(Duration::from_secs(10)).await.unwrap();
    let begun = Instant::now();
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert!(begun.elapsed() > Duration::from_secs(500));
    let removal = aks.detach().timeout(Duration::from_secs(10));
    removal.await.unwrap().await.unwrap();
}
