//! Operations whose tokens are stored for as long as they may run.

use super::{Scene, plain};
use azure_core::http::Method;
use azureml_aks::emulator::{Emulator, Fault};
use azureml_aks::{
    ErrorKind, KeyName, ResumeToken, Resumed, ServiceUpdate, TokenStore, WaitOptions,
    error::BoxError,
};
use futures::FutureExt;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A store that notes what the service had been asked to change when it was first given a token.
#[derive(Debug)]
struct Store {
    emulator: Emulator,
    records: Mutex<BTreeMap<String, String>>,
    changes_before: Mutex<Option<usize>>,
    is_full: bool,
}

impl Store {
    /// An empty one, for what is sent from here on.
    fn new(scene: &Scene) -> Arc<Self> {
        scene.emulator.clear_journal();
        Arc::new(Self {
            emulator: scene.emulator.clone(),
            records: Mutex::default(),
            changes_before: Mutex::default(),
            is_full: false,
        })
    }

    /// The only record.
    fn only(&self) -> ResumeToken {
        let records = self.records.lock().unwrap();
        let [(id, text)] = records.iter().collect::<Vec<_>>()[..] else {
            panic!("{} records", records.len());
        };
        let token: ResumeToken = text.parse().unwrap();
        assert_eq!(token.id(), id);
        token
    }

    fn is_empty(&self) -> bool {
        self.records.lock().unwrap().is_empty()
    }

    /// Whether the record was there before the first request that changes something.
    fn came_first(&self) -> bool {
        *self.changes_before.lock().unwrap() == Some(0)
    }
}

/// Counts the requests so far, without reads.
fn changes(emulator: &Emulator) -> usize {
    let journal = emulator.journal();
    journal.iter().filter(|entry| entry.method != "GET").count()
}

#[azureml_aks::async_trait]
impl TokenStore for Store {
    async fn put(&self, token: &ResumeToken) -> Result<(), BoxError> {
        if self.is_full {
            return Err("no room".into());
        }
        let changes = changes(&self.emulator);
        self.changes_before.lock().unwrap().get_or_insert(changes);
        let mut records = self.records.lock().unwrap();
        records.insert(token.id().to_owned(), token.expose());
        Ok(())
    }

    async fn remove(&self, id: &str) -> Result<(), BoxError> {
        self.records.lock().unwrap().remove(id);
        Ok(())
    }
}

fn is_accepted(token: &ResumeToken) -> bool {
    let members: Value = serde_json::from_str(&token.expose()).unwrap();
    members["accepted"] == true
}

fn small() -> ServiceUpdate {
    ServiceUpdate::builder().cpu_cores(0.2).build().unwrap()
}

fn early() -> WaitOptions {
    WaitOptions::new().deadline(Duration::from_secs(1))
}

#[tokio::test(start_paused = true)]
async fn record_of_a_deployment_is_there_before_it_and_gone_after_it() {
    let scene = Scene::new().await;
    let store = Store::new(&scene);
    let prepared = scene.deployment("s-1", plain()).prepare().await.unwrap();
    assert_eq!(changes(&scene.emulator), 0, "{:#?}", scene.requests());
    let mut service = prepared.send_recording(store.clone()).await.unwrap();
    assert!(store.came_first());
    assert!(changes(&scene.emulator) > 1);
    assert_eq!(Some(&store.only()), service.resume_token());
    // A deadline ends a wait, and not the deployment.
    let error = service.wait_for_deployment(early()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(error.resume_token().unwrap().id(), store.only().id());
    // Another process gets by with what is stored.
    let found = scene.workspace.resume(&store.only()).await.unwrap();
    let Resumed::Service(mut other) = found else {
        panic!("{found:?}");
    };
    other.wait_for_deployment(WaitOptions::new()).await.unwrap();
    assert!(!store.is_empty(), "that process was given no store");
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    assert!(store.is_empty());
}

#[tokio::test(start_paused = true)]
async fn record_of_a_deployment_that_fails_is_gone_after_its_end() {
    let scene = Scene::new().await;
    for drop_wait in [false, true] {
        let store = Store::new(&scene);
        let deployment = scene.deployment("failing", plain()).overwrite(true);
        let prepared = deployment.prepare().await.unwrap();
        let mut service = prepared.send_recording(store.clone()).await.unwrap();
        if drop_wait {
            let wait = service.wait_for_deployment(WaitOptions::new());
            assert!(wait.now_or_never().is_none());
            assert!(!store.is_empty());
        }
        let ended = service.wait_for_deployment(WaitOptions::new()).await;
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::OperationFailed);
        assert!(store.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn record_of_an_update_is_there_before_it_and_gone_after_it() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    let store = Store::new(&scene);
    let prepared = service.update(small()).prepare().await.unwrap();
    assert_eq!(changes(&scene.emulator), 0, "{:#?}", scene.requests());
    prepared.send_recording(store.clone()).await.unwrap();
    assert!(store.came_first());
    assert_eq!(Some(&store.only()), service.resume_token());
    assert!(is_accepted(&store.only()));
    service.wait_for_deployment(early()).await.unwrap_err();
    assert!(!store.is_empty());
    service
        .wait_for_deployment(WaitOptions::new())
        .await
        .unwrap();
    assert!(store.is_empty());
    // Made at once: nothing is left to wait for.
    let store = Store::new(&scene);
    let tag = ServiceUpdate::builder().tag("a", "1").build().unwrap();
    let prepared = service.update(tag).prepare().await.unwrap();
    prepared.send_recording(store.clone()).await.unwrap();
    assert!(store.came_first() && store.is_empty());
}

#[tokio::test(start_paused = true)]
async fn record_of_a_deletion_is_gone_whoever_waits_for_it() {
    let scene = Scene::new().await;
    for by_handle in [true, false] {
        let mut service = scene.deployed("s-1", plain()).await;
        let store = Store::new(&scene);
        let prepared = service.delete().prepare().await.unwrap();
        assert_eq!(changes(&scene.emulator), 0, "{:#?}", scene.requests());
        let sent = prepared.send_recording(store.clone()).await;
        let mut operation = sent.unwrap();
        assert!(store.came_first());
        assert_eq!(Some(&store.only()), operation.resume_token());
        operation.wait(early()).await.unwrap_err();
        assert!(!store.is_empty());
        match by_handle {
            true => service.wait_for_deployment(WaitOptions::new()).await,
            false => operation.await,
        }
        .unwrap();
        assert!(store.is_empty());
    }
    // Of one that is gone already nothing is left.
    let mut service = scene.deployed("s-1", plain()).await;
    service.clone().delete().await.unwrap().await.unwrap();
    let store = Store::new(&scene);
    let prepared = service.delete().prepare().await.unwrap();
    let _operation = prepared.send_recording(store.clone()).await.unwrap();
    assert!(store.came_first() && store.is_empty());
}

#[tokio::test(start_paused = true)]
async fn record_of_a_new_key_is_gone_once_the_key_is_there_and_stays_after_a_deadline() {
    let scene = Scene::new().await;
    let service = scene.deployed("s-1", plain()).await;
    let store = Store::new(&scene);
    let request = || service.regenerate_key(KeyName::Primary);
    let prepared = request().prepare().await.unwrap();
    assert_eq!(changes(&scene.emulator), 0, "{:#?}", scene.requests());
    let keys = prepared.send_recording(store.clone()).await.unwrap();
    assert!(keys.primary_key.is_some());
    assert!(store.came_first() && store.is_empty());
    assert!(changes(&scene.emulator) > 0);

    scene
        .emulator
        .inject(Fault::operation_fails("KeyNotMade", "no").on(Method::Post, "/regenerateKeys"));
    let store = Store::new(&scene);
    let prepared = request().prepare().await.unwrap();
    let error = prepared.send_recording(store.clone()).await.unwrap_err();
    assert_eq!(error.code(), Some("KeyNotMade"));
    assert!(store.came_first() && store.is_empty());

    scene
        .emulator
        .inject(Fault::never_ending_operation().on(Method::Post, "/regenerateKeys"));
    let store = Store::new(&scene);
    let prepared = request().prepare().await.unwrap();
    let error = prepared.send_recording(store.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "{error}");
    assert_eq!(error.resume_token(), Some(&store.only()));
    assert!(is_accepted(&store.only()));
}

#[tokio::test(start_paused = true)]
async fn record_stays_where_nobody_knows_whether_the_request_arrived() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    for (verb, method, path) in [
        ("update", Method::Patch, "/services/s-1"),
        ("delete", Method::Delete, "/services/s-1"),
        ("key", Method::Post, "/regenerateKeys"),
    ] {
        for (fault, kept) in [
            (Fault::response_lost(), true),
            (Fault::server_error(500), true),
            (Fault::server_error(409), false),
        ] {
            scene.emulator.clear_faults();
            scene.emulator.finish_operations();
            scene.emulator.inject(fault.on(method, path).times(1));
            let store = Store::new(&scene);
            let error = match verb {
                "update" => {
                    let prepared = service.update(small()).prepare().await.unwrap();
                    prepared.send_recording(store.clone()).await.err()
                }
                "delete" => {
                    let prepared = service.delete().prepare().await.unwrap();
                    let sent = prepared.send_recording(store.clone()).await;
                    sent.map(|_| ()).err()
                }
                _ => {
                    let prepared = service.regenerate_key(KeyName::Primary).prepare();
                    let sent = prepared.await.unwrap().send_recording(store.clone());
                    sent.await.map(|_| ()).err()
                }
            };
            let error = error.unwrap();
            assert_eq!(error.resume_token().is_some(), kept, "{verb}: {error}");
            assert_eq!(!store.is_empty(), kept, "{verb}: {error}");
            assert!(store.came_first(), "{verb}");
            if kept && verb == "delete" {
                // It may have arrived.
                scene.emulator.finish_operations();
                scene
                    .deployment("s-1", plain())
                    .overwrite(true)
                    .await
                    .unwrap();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn store_that_takes_no_token_ends_the_call_before_anything_is_sent() {
    let scene = Scene::new().await;
    let mut service = scene.deployed("s-1", plain()).await;
    let full = || {
        let mut store = Arc::into_inner(Store::new(&scene)).unwrap();
        store.is_full = true;
        Arc::new(store)
    };
    let deploy = scene.deployment("s-2", plain()).prepare().await.unwrap();
    let mut errors = vec![deploy.send_recording(full()).await.map(|_| ()).unwrap_err()];
    let update = service.update(small()).prepare().await.unwrap();
    errors.push(update.send_recording(full()).await.unwrap_err());
    let delete = service.delete().prepare().await.unwrap();
    errors.push(delete.send_recording(full()).await.map(|_| ()).unwrap_err());
    let key = service.regenerate_key(KeyName::Primary).prepare().await;
    let sent = key.unwrap().send_recording(full()).await;
    errors.push(sent.map(|_| ()).unwrap_err());
    for (error, doing) in errors.iter().zip([
        "deploy service \"s-2\"",
        "update service \"s-1\"",
        "delete service \"s-1\"",
        "service \"s-1\"",
    ]) {
        assert_eq!(error.kind(), ErrorKind::TokenStore, "{error}");
        assert!(error.to_string().contains(doing), "{error}");
        assert!(error.resume_token().is_none());
    }
    assert!(scene.requests().is_empty(), "{:#?}", scene.requests());
    assert!(service.is_ready());
}
