//! `send_recording`: what is in the store, and when.

use super::count;
use crate::support::fixture::{self, GROUP, attached, created};
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, ExistingCluster, Fault};
use azureml_aks::error::BoxError;
use azureml_aks::{
    AksCompute, ClusterRef, ComputeTarget, ErrorKind, LoadBalancer, Operation, ResumeToken,
    Resumed, TokenStore, UpdateConfiguration, Verb, WaitOptions, async_trait, models::Event,
    wait_all,
};
use futures::TryStreamExt;
use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A store in memory that remembers what the service had seen when it was called.
struct Store {
    emulator: Emulator,
    records: Mutex<BTreeMap<String, String>>,
    /// The calls: what was done, and how many requests there were before it.
    calls: Mutex<Vec<(&'static str, usize)>>,
    refuses_put: AtomicBool,
    refuses_remove: AtomicBool,
}

impl Store {
    fn of(emulator: &Emulator) -> Arc<Self> {
        Arc::new(Self {
            emulator: emulator.clone(),
            records: Mutex::default(),
            calls: Mutex::default(),
            refuses_put: AtomicBool::new(false),
            refuses_remove: AtomicBool::new(false),
        })
    }

    fn called(&self, what: &'static str) {
        let requests = self.emulator.journal().len();
        self.calls.lock().unwrap().push((what, requests));
    }

    fn calls(&self) -> Vec<(&'static str, usize)> {
        self.calls.lock().unwrap().clone()
    }

    fn is_empty(&self) -> bool {
        self.records.lock().unwrap().is_empty()
    }

    /// The only record.
    #[track_caller]
    fn token(&self) -> ResumeToken {
        let records = self.records.lock().unwrap();
        assert_eq!(records.len(), 1, "{:?}", records.keys());
        let (id, text) = records.first_key_value().unwrap();
        let token = ResumeToken::parse(text).unwrap();
        assert_eq!(token.id(), id);
        token
    }
}

#[async_trait]
impl TokenStore for Store {
    async fn put(&self, token: &ResumeToken) -> Result<(), BoxError> {
        self.called("put");
        // A store takes its time.
        tokio::time::sleep(Duration::from_millis(20)).await;
        if self.refuses_put.load(Ordering::SeqCst) {
            return Err("the disk is full".into());
        }
        let mut records = self.records.lock().unwrap();
        records.insert(token.id().to_owned(), token.expose());
        Ok(())
    }

    async fn remove(&self, id: &str) -> Result<(), BoxError> {
        self.called("remove");
        tokio::time::sleep(Duration::from_millis(20)).await;
        if self.refuses_remove.load(Ordering::SeqCst) {
            return Err("the disk is read-only".into());
        }
        self.records.lock().unwrap().remove(id);
        Ok(())
    }
}

fn config() -> azureml_aks::ProvisioningConfiguration {
    AksCompute::provisioning_configuration().build().unwrap()
}

fn change() -> UpdateConfiguration {
    let change = UpdateConfiguration::builder().load_balancer(LoadBalancer::internal());
    change.build().unwrap()
}

/// A create that is recorded and accepted.
async fn begun(emulator: &Emulator, store: &Arc<Store>, name: &str) -> AksCompute {
    let workspace = fixture::workspace(emulator);
    let create = ComputeTarget::create(&workspace, name, config());
    let prepared = create.prepare().unwrap();
    prepared.send_recording(store.clone()).await.unwrap()
}

fn short() -> WaitOptions {
    WaitOptions::new().deadline(Duration::from_secs(30))
}

#[tokio::test(start_paused = true)]
async fn store_has_the_token_before_the_first_request_and_then_the_accepted_one() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let store = Store::of(&emulator);
    let create = ComputeTarget::create(&workspace, "myaks", config());
    let prepared = create.prepare().unwrap();
    let first = prepared.token().clone();
    assert!(store.is_empty(), "preparing stores nothing");

    let mut send = Box::pin(prepared.send_recording(store.clone()));
    // While the store is busy with it, nothing is on the wire.
    let busy = tokio::time::timeout(Duration::from_millis(10), &mut send);
    assert!(busy.await.is_err());
    assert_eq!(store.calls(), [("put", 0)]);
    assert!(emulator.journal().is_empty());
    let mut aks = send.await.unwrap();

    // The GET of the name and of the location, and the PUT.
    assert_eq!(store.calls(), [("put", 0), ("put", 3)]);
    assert_eq!(count(&emulator, "PUT"), 1);
    let accepted = store.token();
    assert_eq!(accepted.id(), first.id());
    assert_eq!(Some(&accepted), aks.resume_token());
    assert_ne!(accepted, first, "it names the monitor");
    let elsewhere = fixture::workspace(&emulator);
    let before = emulator.journal().len();
    let resumed = elsewhere.resume(&accepted).await.unwrap();
    assert_eq!(resumed.verb(), Some(Verb::Create));
    assert_eq!(emulator.journal().len(), before, "no read is needed");

    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert!(store.is_empty());
    let calls: Vec<_> = store.calls().iter().map(|call| call.0).collect();
    assert_eq!(calls, ["put", "put", "remove"]);
}

#[tokio::test(start_paused = true)]
async fn store_that_takes_no_token_stops_the_send() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let (mut aks, _) = attached(&emulator, &workspace, "attached").await;
    emulator.add_cluster(ExistingCluster::new(GROUP, "mine"));
    let store = Store::of(&emulator);
    store.refuses_put.store(true, Ordering::SeqCst);
    emulator.clear_journal();

    let create = ComputeTarget::create(&workspace, "myaks", config());
    let prepared = create.prepare().unwrap();
    let error = prepared.send_recording(store.clone()).await.unwrap_err();
    let mine = AksCompute::attach_configuration(ClusterRef::named(GROUP, "mine"));
    let attach = ComputeTarget::attach(&workspace, "myaks", mine.build().unwrap());
    let prepared = attach.prepare().unwrap();
    let attach = prepared.send_recording(store.clone()).await.unwrap_err();
    let prepared = aks.update(change()).prepare().unwrap();
    let update = prepared.send_recording(store.clone()).await.unwrap_err();
    let prepared = aks.detach().prepare().unwrap();
    let detach = prepared.send_recording(store.clone()).await.unwrap_err();
    for (verb, error) in [
        ("create compute \"myaks\"", error),
        ("attach compute \"myaks\"", attach),
        ("update compute \"attached\"", update),
        ("detach compute \"attached\"", detach),
    ] {
        assert_eq!(error.kind(), ErrorKind::TokenStore);
        assert!(error.to_string().contains(verb), "{error}");
        assert_eq!(error.source().unwrap().to_string(), "the disk is full");
        assert!(error.resume_token().is_none() && !error.may_still_run());
    }
    assert!(emulator.journal().is_empty());
    assert_eq!(
        (aks.status(), aks.resume_token()),
        (Some("Succeeded"), None)
    );
    assert_eq!(store.calls(), [("put", 0); 4]);
}

#[tokio::test(start_paused = true)]
async fn record_goes_after_the_end_of_a_create_an_update_and_a_removal() {
    let emulator = Emulator::new();
    let store = Store::of(&emulator);
    let mut aks = begun(&emulator, &store, "myaks").await;
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert!(store.is_empty());

    let prepared = aks.update(change()).prepare().unwrap();
    prepared.send_recording(store.clone()).await.unwrap();
    assert_eq!(store.token().verb(), Verb::Update);
    assert_eq!(Some(&store.token()), aks.resume_token());
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert!(store.is_empty());

    // Through the operation, awaited or waited for.
    let prepared = aks.detach().prepare().unwrap();
    let operation = prepared.send_recording(store.clone()).await.unwrap();
    assert_eq!(store.token().verb(), Verb::Detach);
    operation.await.unwrap();
    assert!(store.is_empty());
    // The handle has the same record: to remove it twice is harmless.
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert!(store.is_empty());

    // Through the handle.
    for verb in [Verb::Detach, Verb::Delete] {
        let mut aks = begun(&emulator, &store, "myaks").await;
        aks.wait_for_completion(WaitOptions::new()).await.unwrap();
        let removal = match verb {
            Verb::Delete => aks.delete(),
            _ => aks.detach(),
        };
        let prepared = removal.prepare().unwrap();
        drop(prepared.send_recording(store.clone()).await.unwrap());
        assert_eq!(store.token().verb(), verb);
        aks.wait_for_completion(WaitOptions::new()).await.unwrap();
        assert!(store.is_empty(), "{verb}");
    }
}

#[tokio::test(start_paused = true)]
async fn record_goes_after_the_last_event() {
    let emulator = Emulator::new();
    let store = Store::of(&emulator);
    let mut aks = begun(&emulator, &store, "myaks").await;
    let events: Vec<Event<()>> = aks
        .events(WaitOptions::new())
        .inspect_ok(|event| {
            let done = matches!(event, Event::Done(()));
            assert_eq!(store.is_empty(), done, "{event:?}");
        })
        .try_collect()
        .await
        .unwrap();
    assert!(events.len() > 2);

    let prepared = aks.delete().prepare().unwrap();
    let mut operation: Operation<()> = prepared.send_recording(store.clone()).await.unwrap();
    let events: Vec<Event<()>> = operation
        .events(WaitOptions::new())
        .inspect_ok(|event| {
            let done = matches!(event, Event::Done(()));
            assert_eq!(store.is_empty(), done, "{event:?}");
        })
        .try_collect()
        .await
        .unwrap();
    assert!(events.len() > 2);
}

#[tokio::test(start_paused = true)]
async fn records_of_a_fleet_go_as_its_operations_end() {
    let emulator = Emulator::new();
    let store = Store::of(&emulator);
    let mut computes = Vec::new();
    for name in ["aks-a", "fail-b", "cancel-c"] {
        computes.push(begun(&emulator, &store, name).await);
    }
    let never = Fault::never_ending_operation().on(Method::Put, "/computes/");
    emulator.inject(never.times(1));
    computes.push(begun(&emulator, &store, "aks-d").await);
    assert_eq!(store.records.lock().unwrap().len(), 4);

    let hour = WaitOptions::new().deadline(Duration::from_secs(3600));
    let results = wait_all(&mut computes, hour).await;
    let kinds: Vec<_> = results
        .iter()
        .map(|result| result.as_ref().err().map(|error| error.kind()))
        .collect();
    assert_eq!(
        kinds,
        [
            None,
            Some(ErrorKind::OperationFailed),
            Some(ErrorKind::OperationCanceled),
            Some(ErrorKind::DeadlineExceeded),
        ]
    );
    // What may still run is what is in the store.
    assert_eq!(store.token().target(), "aks-d");

    let mut aks = computes.remove(0);
    let prepared = aks.detach().prepare().unwrap();
    let operation = prepared.send_recording(store.clone()).await.unwrap();
    assert_eq!(store.records.lock().unwrap().len(), 2);
    let mut targets = [Resumed::from(operation), Resumed::from(computes.remove(2))];
    let results = wait_all(&mut targets, short()).await;
    assert!(results.iter().all(Result::is_err), "{results:?}");
    assert_eq!(store.records.lock().unwrap().len(), 2);
    let results = wait_all(&mut targets[..1], WaitOptions::new()).await;
    assert!(results[0].is_ok(), "{results:?}");
    assert_eq!(store.token().target(), "aks-d");
}

#[tokio::test(start_paused = true)]
async fn record_stays_after_a_deadline_a_dropped_wait_and_a_lost_status() {
    let emulator = Emulator::new();
    let store = Store::of(&emulator);
    let mut aks = begun(&emulator, &store, "myaks").await;
    let error = aks.wait_for_completion(short()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(store.token().id(), aks.resume_token().unwrap().id());

    let wait = aks.wait_for_completion(WaitOptions::new());
    let dropped = tokio::time::timeout(Duration::from_secs(30), wait).await;
    assert!(dropped.is_err());
    assert_eq!(store.token().id(), aks.resume_token().unwrap().id());

    emulator.inject(Fault::response_override(401, &[], "").on_path("/computeOperationsStatus/"));
    let error = aks
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OperationStatusLost, "{error}");
    assert!(error.may_still_run());
    assert_eq!(store.token().id(), aks.resume_token().unwrap().id());
    emulator.clear_faults();

    // Another process finds what is in the store.
    let elsewhere = fixture::workspace(&emulator);
    let resumed = elsewhere.resume_all([&store.token()]).await;
    let resumed: Result<Vec<Resumed>, _> = resumed.into_iter().collect();
    let results = wait_all(&mut resumed.unwrap(), WaitOptions::new()).await;
    assert!(results[0].is_ok(), "{results:?}");
    assert!(!store.is_empty(), "that process removes it by itself");

    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert!(store.is_empty());
}

#[tokio::test(start_paused = true)]
async fn record_goes_after_a_refusal_and_where_nothing_was_begun() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let store = Store::of(&emulator);
    let mut aks = created(&workspace, "myaks").await;
    let send = async |name: &str, or_get: bool| {
        let create = ComputeTarget::create(&workspace, name, config());
        let create = if or_get { create.or_get() } else { create };
        let prepared = create.prepare().unwrap();
        prepared.send_recording(store.clone()).await
    };
    // Refused by this library, and by the service.
    assert!(send("myaks", false).await.unwrap_err().is_already_exists());
    assert!(store.is_empty());
    emulator.inject(Fault::policy_denied().times(1));
    let error = send("other", false).await.unwrap_err();
    assert_eq!(
        (error.http_status(), error.resume_token()),
        (Some(403), None)
    );
    assert!(store.is_empty());
    let unavailable = Fault::throttled(Duration::from_secs(1)).on(Method::Delete, "/computes/");
    emulator.inject(unavailable.times(1));
    let prepared = aks.detach().prepare().unwrap();
    let error = prepared.send_recording(store.clone()).await.unwrap_err();
    assert!(error.is_throttled() && error.resume_token().is_none());
    assert!(store.is_empty());
    tokio::time::sleep(Duration::from_secs(5)).await;

    // An existing compute is taken: there is nothing to resume.
    let taken = send("myaks", true).await.unwrap();
    assert_eq!(taken.resume_token(), None);
    assert!(store.is_empty());

    // What is gone already.
    aks.clone().detach().await.unwrap().await.unwrap();
    let prepared = aks.delete().prepare().unwrap();
    let operation = prepared.send_recording(store.clone()).await.unwrap();
    assert!(store.is_empty());
    operation.await.unwrap();
    let removes = store
        .calls()
        .iter()
        .filter(|call| call.0 == "remove")
        .count();
    assert!(removes >= 5, "{:?}", store.calls());
}

#[tokio::test(start_paused = true)]
async fn record_stays_after_a_lost_answer_and_resumes_what_runs() {
    for (fault, arrives) in [
        (Fault::response_lost(), true),
        (Fault::truncated_body(), true),
        (Fault::connection_dropped(), false),
        (Fault::server_error(502), false),
    ] {
        let emulator = Emulator::new();
        let workspace = fixture::workspace(&emulator);
        let store = Store::of(&emulator);
        emulator.inject(fault.on(Method::Put, "/computes/myaks").times(1));
        let create = ComputeTarget::create(&workspace, "myaks", config());
        let prepared = create.prepare().unwrap();
        let error = prepared.send_recording(store.clone()).await.unwrap_err();
        let token = store.token();
        assert_eq!(error.resume_token(), Some(&token), "{error}");
        match fixture::workspace(&emulator).resume(&token).await.unwrap() {
            Resumed::Compute(mut compute) => {
                assert!(arrives, "{error}");
                compute
                    .wait_for_completion(WaitOptions::new())
                    .await
                    .unwrap();
            }
            Resumed::NotStarted { verb, .. } => {
                assert!(!arrives && verb == Verb::Create, "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn send_that_is_dropped_leaves_its_record() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let store = Store::of(&emulator);
    let create = ComputeTarget::create(&workspace, "myaks", config());
    let prepared = create.prepare().unwrap();
    let id = prepared.token().id().to_owned();
    // The store needs twenty milliseconds for the first token, and again for the second.
    let send = prepared.send_recording(store.clone());
    let dropped = tokio::time::timeout(Duration::from_millis(30), send).await;
    assert!(dropped.is_err());
    assert_eq!(count(&emulator, "PUT"), 1, "it was accepted");
    assert_eq!(store.token().id(), id);
    let Resumed::Compute(mut compute) = workspace.resume(&store.token()).await.unwrap() else {
        panic!("it runs");
    };
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn store_that_fails_after_the_request_was_accepted_ends_neither_call_nor_wait() {
    let emulator = Emulator::new();
    let workspace = fixture::workspace(&emulator);
    let store = Store::of(&emulator);
    store.refuses_remove.store(true, Ordering::SeqCst);
    let mut aks = begun(&emulator, &store, "myaks").await;
    aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert!(aks.is_ready() && aks.resume_token().is_none());
    assert_eq!(store.calls().last().unwrap().0, "remove");
    // The record that was left resumes what is done.
    let resumed = workspace.resume(&store.token()).await.unwrap();
    let results = wait_all(&mut [resumed], WaitOptions::new()).await;
    assert!(results[0].is_ok(), "{results:?}");
    let prepared = aks.detach().prepare().unwrap();
    let operation = prepared.send_recording(store.clone()).await.unwrap();
    operation.await.unwrap();

    // The second token does not get in.
    let store = Store::of(&emulator);
    let create = ComputeTarget::create(&workspace, "other", config());
    let prepared = create.prepare().unwrap();
    let first = prepared.token().clone();
    let full = async {
        // Between the two, which take twenty milliseconds each.
        tokio::time::sleep(Duration::from_millis(30)).await;
        store.refuses_put.store(true, Ordering::SeqCst);
    };
    let (sent, ()) = futures::join!(prepared.send_recording(store.clone()), full);
    let mut other = sent.unwrap();
    assert_eq!(store.token(), first);
    other.wait_for_completion(WaitOptions::new()).await.unwrap();
    assert!(store.is_empty());
}
