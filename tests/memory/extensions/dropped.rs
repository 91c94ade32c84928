//! Verbs that are dropped before or after any of their requests: the token resumes them, and nothing is sent twice.

use super::*;
use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, Context, HttpClient, Request};
use azureml_aks::emulator::{Emulator, ExistingCluster};
use azureml_aks::{
    Error, ExtensionUpdateConfiguration, Operation, Prepared, ResumeToken, Resumed, WaitOptions,
};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

/// Carries requests to the emulator, until the caller is gone.
#[derive(Debug)]
struct Mortal {
    inner: Transport,
    sent: AtomicUsize,
    last: usize,
    dies_before: bool,
    dead: Notify,
}

impl Mortal {
    async fn dies(&self, request: usize, before: bool) {
        if request == self.last && before == self.dies_before {
            self.dead.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

#[async_trait]
impl HttpClient for Mortal {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let number = self.sent.fetch_add(1, Ordering::SeqCst);
        self.dies(number, true).await;
        let answer = self.inner.send(&Context::new(), &mut request.clone()).await;
        self.dies(number, false).await;
        answer
    }
}

fn in_place_of_azure(emulator: &Emulator, transport: Transport) -> Workspace {
    let (subscription, group) = (emulator.subscription(), emulator.resource_group());
    Workspace::builder(subscription, group, emulator.workspace())
        .credential(emulator.credential())
        .transport(transport)
        .build()
        .unwrap()
}

type Kept = Mutex<Option<ResumeToken>>;

/// Sends a verb and waits for its end, with its newest token in `kept`.
async fn all_of<T: Send + 'static>(
    prepared: Prepared<'_, Operation<T>>,
    kept: &Kept,
) -> Result<(), Error> {
    *kept.lock().unwrap() = Some(prepared.token().clone());
    let mut operation = prepared.send().await?;
    if let Some(token) = operation.resume_token() {
        *kept.lock().unwrap() = Some(token.clone());
    }
    operation.wait(WaitOptions::new()).await.map(drop)
}

fn training() -> ExtensionUpdateConfiguration {
    let change = ExtensionUpdateConfiguration::builder().training(true);
    change.build().unwrap()
}

async fn sends(verb: &str, workspace: &Workspace, kept: &Kept) -> Result<(), Error> {
    if verb == "install" {
        let config = inference().build().unwrap();
        let install = Extension::install(workspace, managed(), "azureml", config);
        return all_of(install.prepare()?, kept).await;
    }
    let own = Extension::get(workspace, managed(), "azureml").await?;
    match verb {
        "update" => all_of(own.update(training()).prepare()?, kept).await,
        _ => all_of(own.delete().prepare()?, kept).await,
    }
}

/// Whether the verb has done its work.
async fn is_done(verb: &str, workspace: &Workspace) -> bool {
    let found = Extension::get_opt(workspace, managed(), "azureml").await;
    match (verb, found.unwrap()) {
        ("delete", found) => found.is_none(),
        ("install", found) => found.is_some_and(|own| own.is_healthy()),
        (_, found) => found.is_some_and(|own| {
            let settings = &own.resource().properties.configuration_settings;
            own.is_healthy() && settings["enableTraining"] == "True"
        }),
    }
}

/// Drops the verb at a request, and goes on from the token. Returns whether it had that many requests.
async fn dropped_at(verb: &str, last: usize, dies_before: bool) -> bool {
    let cluster = ExistingCluster::new("g", "c").node_count(3);
    let emulator = Emulator::builder().cluster(cluster).build();
    let other = in_place_of_azure(&emulator, emulator.transport());
    if verb != "install" {
        sends("install", &other, &Kept::default()).await.unwrap();
    }
    emulator.clear_journal();
    let mortal = Arc::new(Mortal {
        inner: emulator.transport(),
        sent: AtomicUsize::new(0),
        last,
        dies_before,
        dead: Notify::new(),
    });
    let workspace = in_place_of_azure(&emulator, Transport::new(mortal.clone()));
    let kept = Kept::default();
    tokio::select! {
        biased;
        () = mortal.dead.notified() => {}
        ended = sends(verb, &workspace, &kept) => {
            ended.unwrap();
            return false;
        }
    }
    let writes = || {
        emulator
            .journal()
            .iter()
            .filter(|entry| entry.method != "GET")
            .count()
    };
    let token = kept.lock().unwrap().take();
    let resumed = match &token {
        Some(token) => {
            let token = ResumeToken::parse(&token.expose()).unwrap();
            Some(other.resume(&token).await.unwrap())
        }
        None => None,
    };
    match resumed {
        None | Some(Resumed::NotStarted { .. }) => {
            assert_eq!(writes(), 0, "{verb} {last} {dies_before}: it was sent");
            sends(verb, &other, &kept).await.unwrap();
        }
        Some(mut resumed) => {
            let all = std::slice::from_mut(&mut resumed);
            for ended in azureml_aks::wait_all(all, WaitOptions::new()).await {
                ended.unwrap();
            }
        }
    }
    assert_eq!(writes(), 1, "{verb} {last} {dies_before}");
    assert!(is_done(verb, &other).await, "{verb} {last} {dies_before}");
    true
}

#[tokio::test(start_paused = true)]
async fn verb_that_is_dropped_at_any_request_is_resumed_and_sent_once() {
    for verb in ["install", "update", "delete"] {
        for dies_before in [true, false] {
            let mut requests = 0;
            // The polls after the first few are alike.
            while requests < 8 && dropped_at(verb, requests, dies_before).await {
                requests += 1;
            }
            assert!(requests > 3, "{verb}: {requests}");
        }
    }
}
