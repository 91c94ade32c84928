//! Processes that are killed. A child of this test sends a verb to the emulator that the test serves,
//! and dies before, within or after one of its requests; what it leaves is a token in a file. The test
//! resumes the verb from that, and nothing is lost, wherever the child died.
//!
//! The child stores its tokens in one of two ways: step by step, as `ResumeToken` documents it, or with
//! `Prepared::send_recording`.

use crate::support::resealed::resealed;
use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, Transport};
use azureml_aks::emulator::{Emulator, Fault, ServeOptions, Server};
use azureml_aks::error::BoxError;
use azureml_aks::{
    AksCompute, Cloud, ComputeTarget, Error, ErrorKind, Operation, Prepared,
    ProvisioningConfiguration, ResumeToken, Resumed, Tls, TlsUpdate, TokenStore,
    UpdateConfiguration, WaitOptions, Workspace,
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The task of the child, as JSON.
const ORDERS: &str = "AZUREML_AKS_TEST_ORDERS";
const CHILD: &str = "killed::process_that_is_killed";
const NAME: &str = "myaks";
/// In every body that is sent, and so in no token.
const LABEL: &str = "canarylabel";

/// Where in a request the child dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// Nothing of it was sent.
    Before,
    /// The service has done what it says, and no byte of the answer has arrived.
    Unanswered,
    /// The head of the answer has arrived, and nobody has seen it yet.
    Answered,
}

impl Moment {
    const ALL: [Self; 3] = [Self::Before, Self::Unanswered, Self::Answered];

    fn dies_before(self) -> bool {
        self == Self::Before
    }
}

// The child.

/// Carries requests to the emulator until its hour has come.
#[derive(Debug)]
struct Mortal {
    client: reqwest::Client,
    sent: AtomicUsize,
    last: Option<usize>,
    dies_before: bool,
}

#[async_trait]
impl HttpClient for Mortal {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let is_last = Some(self.sent.fetch_add(1, Ordering::SeqCst)) == self.last;
        if is_last && self.dies_before {
            std::process::abort();
        }
        let answer = self.client.execute_request(request).await;
        if is_last {
            std::process::abort();
        }
        answer
    }
}

#[tokio::test]
#[ignore = "the other tests run it, in processes of their own"]
async fn process_that_is_killed() {
    let Ok(orders) = std::env::var(ORDERS) else {
        return;
    };
    let orders: Value = serde_json::from_str(&orders).unwrap();
    let text = |name: &str| orders[name].as_str().unwrap();
    let transport = Transport::new(Arc::new(Mortal {
        client: client(text("authority")),
        sent: AtomicUsize::new(0),
        last: orders["last"].as_u64().map(|last| last as usize),
        dies_before: orders["diesBefore"].as_bool().unwrap(),
    }));
    let workspace = workspace(text("endpoint"), transport);
    let keeper = Keeper {
        file: text("file").into(),
        records: orders["records"].as_bool().unwrap(),
    };
    match text("verb") {
        "create" => {
            let create = ComputeTarget::create(&workspace, NAME, configuration());
            let mut compute = keeper.send(create.prepare().unwrap()).await;
            keeper.accepted(compute.resume_token());
            while let Err(error) = compute.wait_for_completion(a_while()).await {
                keeper.goes_on(&error);
            }
        }
        "update" => {
            let mut compute = AksCompute::get(&workspace, NAME).await.unwrap();
            let update = compute.update(change());
            keeper.send(update.prepare().unwrap()).await;
            keeper.accepted(compute.resume_token());
            while let Err(error) = compute.wait_for_completion(a_while()).await {
                keeper.goes_on(&error);
            }
        }
        verb => {
            let mut compute = AksCompute::get(&workspace, NAME).await.unwrap();
            let mut operation = keeper.send(prepare_removal(&mut compute, verb)).await;
            keeper.accepted(operation.resume_token());
            while let Err(error) = operation.wait(a_while()).await {
                keeper.goes_on(&error);
            }
        }
    }
    // Step by step, the process dies here at the latest, before it has removed the file.
}

/// How the child stores its tokens.
struct Keeper {
    file: PathBuf,
    /// With `send_recording`, rather than step by step.
    records: bool,
}

impl Keeper {
    /// The token of the prepared verb is stored before anything is sent.
    async fn send<T>(&self, prepared: Prepared<'_, T>) -> T {
        if self.records {
            let store = Arc::new(File(self.file.clone()));
            return prepared.send_recording(store).await.unwrap();
        }
        store(&self.file, Some(prepared.token()));
        prepared.send().await.unwrap()
    }

    /// Once the service has accepted the verb, a newer token takes the place of the first.
    fn accepted(&self, token: Option<&ResumeToken>) {
        if !self.records {
            store(&self.file, token);
        }
    }

    /// After a part of the wait the token of the error takes its place.
    fn goes_on(&self, error: &Error) {
        assert_eq!(error.kind(), ErrorKind::DeadlineExceeded, "{error}");
        if !self.records {
            store(&self.file, error.resume_token());
        }
    }
}

/// A store of one record.
struct File(PathBuf);

#[async_trait]
impl TokenStore for File {
    async fn put(&self, token: &ResumeToken) -> Result<(), BoxError> {
        store(&self.0, Some(token));
        Ok(())
    }

    async fn remove(&self, _: &str) -> Result<(), BoxError> {
        Ok(fs::remove_file(&self.0)?)
    }
}

/// A part of the wait, after which the token is stored anew.
fn a_while() -> WaitOptions {
    WaitOptions::new().deadline(Duration::from_millis(1500))
}

/// Stores a token as `docs/operations.md` tells callers to: whole, and for the owner alone.
fn store(file: &Path, token: Option<&ResumeToken>) {
    let newer = file.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut writer = options.open(&newer).unwrap();
    writer
        .write_all(token.unwrap().expose().as_bytes())
        .unwrap();
    fs::rename(&newer, file).unwrap();
}

// What both processes do.

fn client(authority: &str) -> reqwest::Client {
    let authority = reqwest::Certificate::from_pem(authority.as_bytes()).unwrap();
    let builder = reqwest::Client::builder().tls_certs_only([authority]);
    builder.no_proxy().build().unwrap()
}

fn workspace(endpoint: &str, transport: Transport) -> Workspace {
    // Every emulator has the same names.
    let any = Emulator::new();
    Workspace::builder(any.subscription(), any.resource_group(), any.workspace())
        .cloud(Cloud::custom(endpoint, "https://management.emulator").unwrap())
        .credential(any.credential())
        .transport(transport)
        .application_id("canaryapp")
        .build()
        .unwrap()
}

fn configuration() -> ProvisioningConfiguration {
    let builder = AksCompute::provisioning_configuration();
    builder.description(LABEL).build().unwrap()
}

fn change() -> UpdateConfiguration {
    let tls = TlsUpdate::Enable(Tls::leaf_domain(LABEL));
    UpdateConfiguration::builder().tls(tls).build().unwrap()
}

fn prepare_removal<'a>(compute: &'a mut AksCompute, verb: &str) -> Prepared<'a, Operation<()>> {
    let request = match verb {
        "delete" => compute.delete(),
        "detach" => compute.detach(),
        _ => panic!("unknown verb {verb}"),
    };
    request.prepare().unwrap()
}

// The process that goes on.

/// An emulator on loopback, and a folder for the file of the child.
struct Stage {
    verb: &'static str,
    records: bool,
    emulator: Emulator,
    server: Server,
    folder: PathBuf,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Stage {
    async fn new(verb: &'static str, records: bool) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let emulator = Emulator::builder()
            .retry_after(Some(Duration::from_secs(1)))
            .build();
        let any_port = ([127, 0, 0, 1], 0).into();
        let server = emulator.serve(ServeOptions::new().https(any_port)).await;
        let unique = COUNT.fetch_add(1, Ordering::SeqCst);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("killed-{}-{unique}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let stage = Self {
            verb,
            records,
            emulator,
            server: server.unwrap(),
            folder,
        };
        if verb != "create" {
            let workspace = stage.workspace();
            let created = ComputeTarget::create(&workspace, NAME, configuration()).await;
            let mut compute = created.unwrap();
            stage.emulator.finish_operations();
            compute
                .wait_for_completion(WaitOptions::new())
                .await
                .unwrap();
            stage.emulator.clear_journal();
        }
        stage
    }

    fn endpoint(&self) -> String {
        self.server.https_url().unwrap().to_string()
    }

    /// As another process would have it.
    fn workspace(&self) -> Workspace {
        let client = client(self.server.ca_pem());
        workspace(&self.endpoint(), Transport::new(Arc::new(client)))
    }

    fn file(&self) -> PathBuf {
        self.folder.join("token")
    }

    fn count(&self, is_wanted: impl Fn(&str, &str) -> bool) -> usize {
        let journal = self.emulator.journal();
        let wanted = journal
            .iter()
            .filter(|entry| is_wanted(&entry.method, &entry.path));
        wanted.count()
    }

    /// The requests that change something.
    fn writes(&self) -> usize {
        self.count(|method, _| method != "GET")
    }

    fn reads_of_the_status(&self) -> usize {
        self.count(|_, path| path.contains("/computeOperationsStatus/"))
    }

    /// Runs the child to its end. What it began ends when its status was read twice.
    async fn run(&self, end: Option<(usize, Moment)>) {
        if let Some((request, Moment::Unanswered)) = end {
            let skip = u32::try_from(request).unwrap();
            let fault = Fault::response_lost().after(skip).times(1);
            self.emulator.inject(fault);
        }
        let orders = json!({
            "verb": self.verb,
            "records": self.records,
            "endpoint": self.endpoint(),
            "authority": self.server.ca_pem(),
            "file": self.file(),
            "last": end.map(|(request, _)| request),
            "diesBefore": end.is_some_and(|(_, moment)| moment.dies_before()),
        });
        let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
        command
            .args([CHILD, "--exact", "--ignored", "--nocapture"])
            .env(ORDERS, orders.to_string())
            // If the system keeps cores, they go with the folder.
            .current_dir(&self.folder)
            .kill_on_drop(true);
        let output = command.output();
        tokio::pin!(output);
        let output = loop {
            tokio::select! {
                output = &mut output => break output.unwrap(),
                () = tokio::time::sleep(Duration::from_millis(10)) => {
                    if self.reads_of_the_status() >= 2 {
                        self.emulator.finish_operations();
                    }
                }
            }
        };
        let said =
            String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        match end {
            None => {
                assert!(output.status.success(), "{said}");
                assert!(said.contains("1 passed"), "{said}");
            }
            Some(_) => {
                #[cfg(unix)]
                {
                    use std::os::unix::process::ExitStatusExt;
                    let signal = output.status.signal();
                    assert!(signal.is_some(), "{end:?}: it was not killed\n{said}");
                }
                assert!(!output.status.success(), "{end:?}: it lives\n{said}");
            }
        }
        self.emulator.clear_faults();
    }

    /// The token that the child left, if there is one.
    fn token(&self) -> Option<ResumeToken> {
        let text = fs::read_to_string(self.file()).ok()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(self.file()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        for secret in [
            "emulator-token",
            "Bearer",
            "uthorization",
            "canary",
            "computeType",
            "CERTIFICATE",
        ] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        Some(ResumeToken::parse(&text).unwrap())
    }

    /// Sends the verb anew, as one does where it was not started.
    async fn send(&self, workspace: &Workspace) {
        if self.verb == "create" {
            let create = ComputeTarget::create(workspace, NAME, configuration());
            let mut compute = create.await.unwrap();
            self.emulator.finish_operations();
            return compute
                .wait_for_completion(WaitOptions::new())
                .await
                .unwrap();
        }
        let mut compute = AksCompute::get(workspace, NAME).await.unwrap();
        if self.verb == "update" {
            compute.update(change()).await.unwrap();
        } else {
            let removal = prepare_removal(&mut compute, self.verb).send().await;
            // It is pending on the handle, too.
            drop(removal.unwrap());
        }
        self.emulator.finish_operations();
        let waited = compute.wait_for_completion(WaitOptions::new()).await;
        waited.unwrap();
    }

    /// Waits for what was found, to its end.
    async fn follow(&self, found: Resumed) {
        self.emulator.finish_operations();
        match found {
            Resumed::Compute(mut compute) => {
                let waited = compute.wait_for_completion(WaitOptions::new()).await;
                waited.unwrap();
                assert_eq!(compute.status(), Some("Succeeded"));
                assert!(compute.resume_token().is_none());
            }
            Resumed::Removal(mut operation) => {
                operation.wait(WaitOptions::new()).await.unwrap();
                assert!(operation.resume_token().is_none());
            }
            other => panic!("nothing to wait for: {other:?}"),
        }
    }

    /// The world is as the verb wants it.
    fn assert_done(&self) {
        let compute = self.emulator.compute(NAME);
        match self.verb {
            "create" => {
                let properties = &compute.unwrap()["properties"];
                assert_eq!(properties["provisioningState"], "Succeeded");
                assert_eq!(properties["description"], LABEL);
            }
            "update" => {
                let properties = &compute.unwrap()["properties"];
                assert_eq!(properties["provisioningState"], "Succeeded");
                let ssl = &properties["properties"]["sslConfiguration"];
                assert_eq!(ssl["leafDomainLabel"], LABEL);
            }
            _ => assert_eq!(compute, None),
        }
        assert_eq!(self.writes(), 1, "the verb was sent once");
    }
}

/// The result of a resume.
#[derive(Debug, Default)]
struct Tally {
    no_token: usize,
    not_started: usize,
    running: usize,
    done: usize,
}

/// Lets the child die at every request, and resumes what it leaves.
async fn wherever_it_dies(verb: &'static str, records: bool) -> Tally {
    let whole = Stage::new(verb, records).await;
    whole.run(None).await;
    let requests = whole.emulator.journal().len();
    let write = whole
        .emulator
        .journal()
        .iter()
        .position(|entry| entry.method != "GET")
        .unwrap();
    assert!(whole.reads_of_the_status() > 2, "it waits for a while");
    whole.assert_done();
    match whole.token() {
        None => assert!(records, "step by step, the token is still there"),
        Some(token) => {
            assert!(!records, "the record goes after the end");
            let found = whole.workspace().resume(&token).await;
            whole.follow(found.unwrap()).await;
            whole.assert_done();
        }
    }

    let ends = (0..requests).flat_map(|request| Moment::ALL.map(|moment| (request, moment)));
    let found = stream::iter(ends)
        .map(|(request, moment)| async move {
            let mut found = Tally::default();
            let stage = Stage::new(verb, records).await;
            stage.run(Some((request, moment))).await;
            let sent = stage.writes() == 1;
            let is_sent_by_then = request > write || request == write && !moment.dies_before();
            assert_eq!(sent, is_sent_by_then, "{request} {moment:?}");
            let workspace = stage.workspace();
            let Some(token) = stage.token() else {
                assert!(!sent, "{request} {moment:?}: no token, and it was sent");
                stage.send(&workspace).await;
                stage.assert_done();
                found.no_token += 1;
                return found;
            };

            match workspace.resume(&token).await.unwrap() {
                Resumed::NotStarted {
                    verb: asked,
                    resource,
                    name,
                    ..
                } => {
                    assert!(!sent, "{request} {moment:?}: it was sent, and is not found");
                    assert_eq!((asked.as_str(), name.as_str()), (verb, NAME));
                    assert_eq!(resource.to_string(), "compute/AKS");
                    found.not_started += 1;
                    stage.send(&workspace).await;
                }
                running => {
                    assert!(sent, "{request} {moment:?}: found {running:?}");
                    found.running += 1;
                    stage.follow(running).await;
                }
            }
            stage.assert_done();

            // It may die again, after the end and before it has removed the file.
            match workspace.resume(&token).await.unwrap() {
                // In a final state the compute does not show whose update was the last.
                Resumed::NotStarted { .. } if verb == "update" => assert!(request <= write),
                done => {
                    found.done += 1;
                    stage.follow(done).await;
                }
            }
            stage.assert_done();
            found
        })
        // They mostly wait.
        .buffer_unordered(32)
        .collect::<Vec<Tally>>()
        .await;
    found.into_iter().fold(Tally::default(), |sum, one| Tally {
        no_token: sum.no_token + one.no_token,
        not_started: sum.not_started + one.not_started,
        running: sum.running + one.running,
        done: sum.done + one.done,
    })
}

async fn create_is_found(records: bool) {
    let found = wherever_it_dies("create", records).await;
    assert_eq!(found.no_token, 0, "the token is there before any request");
    // Two reads come before the PUT: is the name free, and where is the workspace?
    assert_eq!(found.not_started, 7);
    assert!(found.running >= 14, "{found:?}");
    assert_eq!(found.done, found.not_started + found.running);
}

async fn update_is_found(records: bool) {
    let found = wherever_it_dies("update", records).await;
    assert_eq!(found.no_token, 3, "while the handle is read");
    assert_eq!(found.not_started, 4);
    assert!(found.running >= 14, "{found:?}");
    assert_eq!(found.done, found.running - 2);
}

async fn detach_is_found(records: bool) {
    let found = wherever_it_dies("detach", records).await;
    assert_eq!(found.no_token, 3, "while the handle is read");
    assert_eq!(found.not_started, 1);
    assert!(found.running >= 11, "{found:?}");
    assert_eq!(found.done, found.not_started + found.running);
}

#[tokio::test]
async fn create_is_found_wherever_its_process_dies() {
    create_is_found(false).await;
}

#[tokio::test]
async fn update_is_found_wherever_its_process_dies() {
    update_is_found(false).await;
}

#[tokio::test]
async fn delete_is_found_wherever_its_process_dies() {
    let found = wherever_it_dies("delete", false).await;
    assert_eq!(found.no_token, 3, "while the handle is read");
    assert_eq!(found.not_started, 4);
    assert!(found.running >= 11, "{found:?}");
    assert_eq!(found.done, found.not_started + found.running);
}

#[tokio::test]
async fn detach_is_found_wherever_its_process_dies() {
    detach_is_found(false).await;
}

#[tokio::test]
async fn recorded_create_is_found_wherever_its_process_dies() {
    create_is_found(true).await;
}

#[tokio::test]
async fn recorded_update_is_found_wherever_its_process_dies() {
    update_is_found(true).await;
}

#[tokio::test]
async fn recorded_detach_is_found_wherever_its_process_dies() {
    detach_is_found(true).await;
}

#[tokio::test]
async fn token_of_a_dead_process_fits_its_own_endpoint_alone() {
    let stage = Stage::new("create", false).await;
    stage.run(Some((3, Moment::Before))).await;
    let token = stage.token().unwrap();
    let sent = stage.emulator.journal().len();

    // The same machine, the same names, another port.
    let other = Stage::new("create", false).await;
    let error = other.workspace().resume(&token).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResumeToken, "{error}");
    assert!(other.emulator.journal().is_empty());

    for (from, to) in [
        ("\"v\":2", "\"v\":3"),
        ("\"compute/AKS\"", "\"endpoint/online\""),
    ] {
        let text = token.expose();
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        for changed in [resealed(&changed), changed] {
            let error = ResumeToken::parse(&changed).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ResumeToken, "{to}");
        }
    }
    // One that contradicts what it says of its first request: damage, or a forgery.
    let changed = token.expose().replace("\"create\"", "\"delete\"");
    let error = ResumeToken::parse(&changed).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResumeToken, "{error}");
    let changed = ResumeToken::parse(&resealed(&changed)).unwrap();
    let error = stage.workspace().resume(&changed).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ResumeToken, "{error}");
    assert_eq!(stage.emulator.journal().len(), sent, "nothing was sent");
}
