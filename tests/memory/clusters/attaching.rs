//! Clusters of your own on the emulator: created, attached, scaled and deleted; and create and attach by processes that
//! end at any request.

use crate::support::fixture::{self, count};
use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request, Transport};
use azureml_aks::emulator::{Emulator, ExistingCluster, Fault};
use azureml_aks::error::BoxError;
use azureml_aks::models::{CreateAndAttach, Event};
use azureml_aks::{
    AksCompute, ClusterPurpose, ClusterRef, ComputeTarget, Error, ErrorKind, ManagedCluster,
    ManagedClusterConfiguration, ManagedClusterConfigurationBuilder, ResumeToken, Resumed,
    TokenStore, Verb, WaitOptions, Workspace, wait_all,
};
use futures::TryStreamExt;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

const CLUSTER: &str = "/managedClusters/mycluster";
const COMPUTE: &str = "/computes/myaks";

fn config(emulator: &Emulator) -> ManagedClusterConfigurationBuilder {
    let group = emulator.resource_group();
    ManagedClusterConfiguration::builder(group, "mycluster").vm_size("Standard_D3_v2")
}

fn create_and_attach(emulator: &Emulator, workspace: &Workspace) -> CreateAndAttach {
    let config = config(emulator).build().unwrap();
    let attach = AksCompute::attach_configuration(config.to_ref())
        .cluster_purpose(ClusterPurpose::DevTest)
        .tag("team", "vision")
        .build()
        .unwrap();
    ManagedCluster::create(workspace, config).then_attach(workspace, "myaks", attach)
}

/// A store of tokens in memory.
#[derive(Debug, Default)]
struct Table(Mutex<HashMap<String, String>>);

#[async_trait]
impl TokenStore for Table {
    async fn put(&self, token: &ResumeToken) -> Result<(), BoxError> {
        let mut records = self.0.lock().unwrap();
        records.insert(token.id().to_owned(), token.expose());
        Ok(())
    }

    async fn remove(&self, id: &str) -> Result<(), BoxError> {
        self.0.lock().unwrap().remove(id);
        Ok(())
    }
}

impl Table {
    /// The only token, as another process reads it.
    fn token(&self) -> Option<ResumeToken> {
        let records = self.0.lock().unwrap();
        assert!(records.len() < 2, "{} records", records.len());
        let text = records.values().next()?;
        Some(text.parse().unwrap())
    }
}

/// Carries requests until one of them, which never ends.
#[derive(Debug)]
struct Mortal {
    inner: Arc<dyn HttpClient>,
    sent: AtomicUsize,
    last: usize,
    before: bool,
    died: Arc<Notify>,
}

#[async_trait]
impl HttpClient for Mortal {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let is_last = self.sent.fetch_add(1, Ordering::SeqCst) == self.last;
        if !(is_last && self.before) {
            let answer = self.inner.execute_request(request).await;
            if !is_last {
                return answer;
            }
        }
        self.died.notify_one();
        std::future::pending().await
    }
}

/// Goes on from a token, as another process does.
async fn go_on(emulator: &Emulator, token: &ResumeToken) -> Result<AksCompute, Error> {
    let workspace = fixture::workspace(emulator);
    match workspace.resume(token).await? {
        Resumed::Attachment(attaching) => attaching.await,
        Resumed::Compute(mut compute) => {
            compute.wait_for_completion(WaitOptions::new()).await?;
            compute.try_into()
        }
        Resumed::NotStarted { verb, .. } => {
            assert_eq!(verb, Verb::Create);
            assert_eq!(count(emulator, "PUT", CLUSTER), 0);
            create_and_attach(emulator, &workspace).await?.await
        }
        other => panic!("{other:?}"),
    }
}

fn assert_made_once(emulator: &Emulator, aks: &AksCompute, label: &str) {
    assert_eq!(count(emulator, "PUT", CLUSTER), 1, "{label}");
    assert_eq!(count(emulator, "PUT", COMPUTE), 1, "{label}");
    assert!(aks.is_ready() && aks.is_attached() == Some(true), "{label}");
    let id = aks.cluster_resource_id().unwrap().to_lowercase();
    assert!(id.ends_with("/managedclusters/mycluster"), "{label} {id}");
}

#[tokio::test(start_paused = true)]
async fn process_that_ends_at_any_request_is_replaced_and_nothing_is_made_twice() {
    let mut ends = 0;
    for before in [true, false] {
        for last in 0.. {
            let label = format!("request {last}, before it was sent: {before}");
            let emulator = Emulator::new();
            let died = Arc::new(Notify::new());
            let transport = Transport::new(Arc::new(Mortal {
                inner: emulator.http_client(),
                sent: AtomicUsize::new(0),
                last,
                before,
                died: died.clone(),
            }));
            let workspace = fixture::builder(&emulator)
                .transport(transport)
                .build()
                .unwrap();
            let table = Arc::new(Table::default());
            let process = async {
                let prepared = create_and_attach(&emulator, &workspace).prepare().unwrap();
                prepared
                    .send_recording(table.clone())
                    .await
                    .unwrap()
                    .await
                    .unwrap()
            };
            let lived = tokio::select! {
                aks = process => Some(aks),
                () = died.notified() => None,
            };
            if let Some(aks) = lived {
                assert_made_once(&emulator, &aks, &label);
                assert!(table.token().is_none(), "{label}");
                break;
            }
            ends += 1;
            let token = table.token().expect(&label);
            let arrived = count(&emulator, "PUT", CLUSTER) == 1;
            let aks = go_on(&emulator, &token).await.expect(&label);
            assert_made_once(&emulator, &aks, &label);
            if arrived {
                // The token is as good as before: who resumes it again finds what is there.
                let aks = go_on(&emulator, &token).await.expect(&label);
                assert_made_once(&emulator, &aks, &label);
            }
        }
    }
    assert!(ends > 20, "{ends}");
}

#[tokio::test(start_paused = true)]
async fn wait_that_is_dropped_at_any_time_goes_on_in_this_process_and_in_another() {
    for step in [1, 7, 31] {
        let step = Duration::from_secs(step);
        let emulator = Emulator::new();
        let workspace = fixture::workspace(&emulator);
        let mut here = create_and_attach(&emulator, &workspace).await.unwrap();
        let first = here.resume_token().unwrap().clone();
        let aks = loop {
            if let Ok(aks) = tokio::time::timeout(step, here.wait(WaitOptions::new())).await {
                break aks.unwrap();
            }
            assert!(here.resume_token().is_some());
        };
        assert_made_once(&emulator, &aks, "here");
        assert!(here.resume_token().is_none());
        // The first token still resumes to the end, whatever happened since.
        let aks = go_on(&emulator, &first).await.unwrap();
        assert_made_once(&emulator, &aks, "the first token");

        let emulator = Emulator::new();
        let workspace = fixture::workspace(&emulator);
        let token = create_and_attach(&emulator, &workspace).await.unwrap();
        let token = token.resume_token().unwrap().expose().parse().unwrap();
        let aks = loop {
            if let Ok(aks) = tokio::time::timeout(step, go_on(&emulator, &token)).await {
                break aks.unwrap();
            }
        };
        assert_made_once(&emulator, &aks, "elsewhere");
    }
}

#[tokio::test(start_paused = true)]
async fn create_and_attach_are_waited_for_as_events_within_one_deadline_and_with_others() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut only = create_and_attach(&emulator, &workspace).await.unwrap();
    let mut verbs = Vec::new();
    let mut events = std::pin::pin!(only.events(WaitOptions::new()));
    let mut done = None;
    while let Some(event) = events.try_next().await.unwrap() {
        match event {
            Event::Progress(progress) => verbs.push(progress.verb.unwrap()),
            Event::Done(aks) => done = Some(aks),
            _ => {}
        }
    }
    assert_made_once(&emulator, &done.unwrap(), "events");
    verbs.dedup();
    assert_eq!(verbs, [Verb::Create, Verb::Attach]);

    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let own = create_and_attach(&emulator, &workspace).await.unwrap();
    let provisioning = AksCompute::provisioning_configuration().build().unwrap();
    let created = ComputeTarget::create(&workspace, "created", provisioning)
        .await
        .unwrap();
    let token = own.resume_token().unwrap().clone();
    drop(own);
    let mut both = [workspace.resume(&token).await.unwrap(), created.into()];
    let short = WaitOptions::new().deadline(Duration::from_secs(20));
    let results = wait_all(&mut both, short).await;
    for result in &results {
        let error = result.as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
        assert!(error.resume_token().is_some());
    }
    let results = wait_all(&mut both, WaitOptions::new()).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(count(&emulator, "PUT", COMPUTE), 1);
    assert_eq!(both[0].name(), "myaks");

    // One deadline for both stages, although the first one ends within it.
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let begun = tokio::time::Instant::now();
    let mut first = ManagedCluster::create(&workspace, config(&emulator).build().unwrap())
        .await
        .unwrap();
    first.wait(WaitOptions::new()).await.unwrap();
    let create_takes = begun.elapsed();
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let mut late = create_and_attach(&emulator, &workspace).await.unwrap();
    let limit = create_takes + Duration::from_secs(10);
    let begun = tokio::time::Instant::now();
    let error = late
        .wait(WaitOptions::new().deadline(limit))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert!(
        begun.elapsed() < limit + Duration::from_secs(40),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(late.verb(), Some(Verb::Attach));
    assert_made_once(&emulator, &late.await.unwrap(), "late");
}

#[tokio::test(start_paused = true)]
async fn attach_that_fails_leaves_the_cluster_and_a_token_only_where_trying_again_may_help() {
    for (fault, again) in [
        (
            Fault::server_error(503).on(Method::Get, COMPUTE).times(10),
            true,
        ),
        (
            Fault::policy_denied().on(Method::Put, COMPUTE).times(1),
            false,
        ),
    ] {
        let emulator = Emulator::new();
        let workspace = fixture::workspace(&emulator);
        emulator.inject(fault);
        let table = Arc::new(Table::default());
        let prepared = create_and_attach(&emulator, &workspace).prepare().unwrap();
        let mut own = prepared.send_recording(table.clone()).await.unwrap();
        let error = own.wait(WaitOptions::new()).await.unwrap_err();
        assert_eq!(error.resume_token().is_some(), again, "{error}");
        assert_eq!(table.token().is_some(), again, "{error}");
        assert!(error.to_string().contains("attach"), "{error}");
        emulator.clear_faults();
        if again {
            let aks = go_on(&emulator, &table.token().unwrap()).await.unwrap();
            assert_made_once(&emulator, &aks, "again");
        }
        let cluster = ClusterRef::named(emulator.resource_group(), "mycluster");
        let cluster = ManagedCluster::get(&workspace, &cluster).await.unwrap();
        assert!(cluster.resource().is_ready());
        // Waited for again, the attach is tried again.
        assert!(own.wait(WaitOptions::new()).await.unwrap().is_ready());
    }
}

#[tokio::test(start_paused = true)]
async fn create_that_fails_is_told_and_its_token_is_not_kept() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let table = Arc::new(Table::default());
    emulator.inject(Fault::operation_fails("QuotaExceeded", "no cores").on(Method::Put, CLUSTER));
    let prepared = create_and_attach(&emulator, &workspace).prepare().unwrap();
    let own = prepared.send_recording(table.clone()).await.unwrap();
    let error = own.await.unwrap_err();
    assert!(error.is_operation_failure(), "{error}");
    assert_eq!(error.code(), Some("QuotaExceeded"));
    assert!(table.token().is_none());
    assert_eq!(count(&emulator, "PUT", COMPUTE), 0);
    // The half-made cluster keeps the name.
    let error = create_and_attach(&emulator, &workspace).await.unwrap_err();
    assert!(
        error.is_already_exists() && error.remedy().unwrap().contains("delete"),
        "{error}"
    );
    let named = ClusterRef::named(emulator.resource_group(), "mycluster");
    let cluster = ManagedCluster::get(&workspace, &named).await.unwrap();
    cluster.delete("mycluster").await.unwrap().await.unwrap();
    assert!(
        ManagedCluster::get_opt(&workspace, &named)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test(start_paused = true)]
async fn attached_and_created_clusters_are_scaled_alike() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let (attached, _) = fixture::attached(&emulator, &workspace, "attached").await;
    let created = fixture::created(&workspace, "created").await;
    let elsewhere = ExistingCluster::new("their", "own").subscription("another-subscription");
    let id = emulator.add_cluster(elsewhere);
    let attach = AksCompute::attach_configuration(ClusterRef::id(id))
        .build()
        .unwrap();
    let mut other = ComputeTarget::attach(&workspace, "other", attach)
        .await
        .unwrap();
    other.wait_for_completion(WaitOptions::new()).await.unwrap();
    for aks in [&attached, &created, &other] {
        let pool = aks.scale(5).await.unwrap().await.unwrap();
        assert_eq!(pool.properties.node_count(), Some(5));
        let puts = count(&emulator, "PUT", "/agentPools/");
        aks.scale(5).await.unwrap().await.unwrap();
        assert_eq!(count(&emulator, "PUT", "/agentPools/"), puts);
        let pool = aks.autoscale(2..=6).await.unwrap().await.unwrap();
        assert_eq!(
            (pool.properties.min_count, pool.properties.max_count),
            (Some(2), Some(6))
        );
        let error = aks.scale(4).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        let pool = aks.autoscale_off().await.unwrap().await.unwrap();
        assert_eq!(pool.properties.min_count, None);
    }
    // While one operation runs, another one is refused, and told apart.
    let running = attached.scale(4).await.unwrap();
    let error = attached.scale(6).await.unwrap_err();
    assert!(error.is_busy(), "{error}");
    running.await.unwrap();
    attached.scale(6).await.unwrap().await.unwrap();
    let error = attached.scale(3).node_pool("gpu").await.unwrap_err();
    assert!(
        error.is_not_found() && error.to_string().contains("agentpool"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn existing_cluster_that_is_taken_is_attached_by_one_token_too() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let made = ManagedCluster::create(&workspace, config(&emulator).build().unwrap());
    made.await.unwrap().await.unwrap();
    let taken = || {
        let config = config(&emulator).build().unwrap();
        let attach = AksCompute::attach_configuration(config.to_ref())
            .build()
            .unwrap();
        let create = ManagedCluster::create(&workspace, config).or_get();
        create.then_attach(&workspace, "myaks", attach)
    };
    // What was not sent is begun again.
    let prepared = taken().prepare().unwrap();
    let resumed = workspace.resume(prepared.token()).await.unwrap();
    assert!(matches!(resumed, Resumed::NotStarted { .. }), "{resumed:?}");
    emulator.inject(Fault::server_error(503).on(Method::Get, COMPUTE).times(10));
    let mut attaching = prepared.send().await.unwrap();
    let error = attaching.wait(WaitOptions::new()).await.unwrap_err();
    emulator.clear_faults();
    let aks = go_on(&emulator, error.resume_token().unwrap())
        .await
        .unwrap();
    assert_made_once(&emulator, &aks, "taken");
    // And a compute of that name, with this cluster, is taken as well.
    assert!(taken().await.unwrap().await.unwrap().is_ready());
    assert_made_once(&emulator, &aks, "taken again");
}

#[tokio::test(start_paused = true)]
async fn attach_whose_answer_is_lost_is_followed_with_a_token() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let lost = Fault::response_lost().on(Method::Put, COMPUTE).times(1);
    emulator.inject(lost);
    let table = Arc::new(Table::default());
    let prepared = create_and_attach(&emulator, &workspace).prepare().unwrap();
    let mut attaching = prepared.send_recording(table.clone()).await.unwrap();
    let error = attaching.wait(WaitOptions::new()).await.unwrap_err();
    assert!(error.may_still_run(), "{error}");
    // Waited for again, the compute is found, and its record is kept until the end.
    let short = WaitOptions::new().deadline(Duration::from_secs(5));
    let error = attaching.wait(short).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(error.resume_token().unwrap().verb(), Verb::Attach);
    assert!(table.token().is_some());
    let aks = attaching.await.unwrap();
    assert_made_once(&emulator, &aks, "lost");
    assert!(table.token().is_none());
}
