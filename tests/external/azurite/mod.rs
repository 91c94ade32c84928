//! Uploads and downloads against a real store: Azurite, Microsoft's own emulator of it.
//!
//! `tests/azurite/setup.sh` installs it in the folder that `AZUREML_AKS_AZURITE` names (default
//! `target/azurite`). Where it is absent these tests say so and pass, unless `REQUIRE_AZURITE` is set.

mod server;

use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request, Transport};
use azure_core::time::Duration;
use azureml_aks::internals::Blobs;
use azureml_aks::{Error, ErrorKind};
use server::{Azurite, client, installed};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Of which the library makes its blocks.
const BLOCK: usize = 4 << 20;
const MIB: usize = 1 << 20;

/// The task of a child, and its input.
const TASK: &str = "AZUREML_AKS_TEST_TASK";
const SAS: &str = "AZUREML_AKS_TEST_SAS";
const FILE: &str = "AZUREML_AKS_TEST_FILE";

/// Counts the blocks that pass, and ends the process once so many were answered.
#[derive(Debug)]
struct Counting {
    client: reqwest::Client,
    blocks: AtomicUsize,
    last: Option<usize>,
}

impl Counting {
    fn new(last: Option<usize>) -> Arc<Self> {
        Arc::new(Self {
            client: client(),
            blocks: AtomicUsize::new(0),
            last,
        })
    }

    fn blobs(self: &Arc<Self>) -> Blobs {
        Blobs::over(Transport::new(self.clone()))
    }
}

#[async_trait]
impl HttpClient for Counting {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let answer = self.client.execute_request(request).await;
        let mut query = request.url().query_pairs();
        let is_block = query.any(|(name, value)| name == "comp" && value == "block");
        if is_block && request.method() == Method::Put {
            let number = self.blocks.fetch_add(1, Ordering::SeqCst) + 1;
            if Some(number) == self.last {
                std::process::abort();
            }
        }
        answer
    }
}

/// A MiB of bytes that belong to its place: each 4 kB begin with a number of their own.
fn mebibyte(index: usize) -> Vec<u8> {
    let mut bytes = vec![0; MIB];
    for (page, bytes) in bytes.chunks_exact_mut(4096).enumerate() {
        let number = (index * MIB / 4096 + page) as u64;
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        bytes[8..].fill(number as u8);
    }
    bytes
}

fn make(path: &Path, mebibytes: usize) {
    let mut file = File::create(path).unwrap();
    for index in 0..mebibytes {
        file.write_all(&mebibyte(index)).unwrap();
    }
}

fn check(path: &Path, mebibytes: usize) {
    assert_eq!(path.metadata().unwrap().len(), (mebibytes * MIB) as u64);
    let mut file = File::open(path).unwrap();
    let mut read = vec![0; MIB];
    for index in 0..mebibytes {
        file.read_exact(&mut read).unwrap();
        assert!(read == mebibyte(index), "MiB {index} differs");
    }
}

struct Case {
    azurite: Azurite,
    folder: tempfile::TempDir,
}

impl Case {
    /// `None` where there is no Azurite.
    async fn start() -> Option<Self> {
        let azurite = Azurite::start(&installed()?).await;
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Some(Self { azurite, folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A process of its own that does a task.
    fn child(&self, task: &str, sas: &str, file: &Path) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([CHILD, "--exact", "--ignored", "--nocapture"])
            .env(TASK, task)
            .env(SAS, sas)
            .env(FILE, file)
            // If the system keeps cores, they go with the folder.
            .current_dir(self.folder.path());
        command
    }
}

const CHILD: &str = "azurite::this_is_a_process_of_its_own";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the other tests run it, in processes of their own"]
async fn this_is_a_process_of_its_own() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let sas = std::env::var(SAS).unwrap();
    let file = PathBuf::from(std::env::var_os(FILE).unwrap());
    let grown = |before: u64| eprintln!("grown by {} kB", peak() - before);
    match &*task {
        "upload" => {
            let blobs = Counting::new(None).blobs();
            let before = peak();
            let (size, sent) = blobs.upload(&sas, &file, &|_| {}).await.unwrap();
            assert_eq!(size, sent);
            grown(before);
        }
        "download" => {
            let blobs = Counting::new(None).blobs();
            let before = peak();
            blobs.download(&sas, &file, &|_| {}).await.unwrap();
            grown(before);
        }
        die_after => {
            let counting = Counting::new(Some(die_after.parse().unwrap()));
            let _ = counting.blobs().upload(&sas, &file, &|_| {}).await;
        }
    }
}

/// The largest resident set of this process so far, in kB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let words = line.unwrap().split_whitespace();
    words.clone().nth(1).unwrap().parse().unwrap()
}

fn hides_signature(error: &Error, sas: &str) {
    let signature = sas.split_once("sig=").unwrap().1;
    assert!(!format!("{error} {error:?}").contains(&signature[..20]));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_folder_arrive_whatever_their_size() {
    let Some(case) = Case::start().await else {
        return;
    };
    // Through the transport that a workspace has by default.
    let blobs = Blobs::new().unwrap();
    for (name, length) in [
        ("model.pkl", 10_000),
        ("folder/empty", 0),
        ("folder/sub folder/wéights+1&2=3%.bin", BLOCK),
        ("folder/large.bin", 2 * BLOCK + 1),
    ] {
        let sas = case.azurite.sas(name, "rcw");
        let (file, back) = (case.path("file"), case.path("back"));
        let bytes = [mebibyte(1).as_slice(); 9].concat();
        std::fs::write(&file, &bytes[..length]).unwrap();
        let size = length as u64;
        let uploaded = blobs.upload(&sas, &file, &|_| {}).await.unwrap();
        assert_eq!(uploaded, (size, size), "{name}");
        let downloaded = blobs.download(&sas, &back, &|_| {}).await.unwrap();
        assert_eq!(downloaded, size, "{name}");
        assert!(std::fs::read(&back).unwrap() == bytes[..length], "{name}");

        // Once more, from elsewhere: it ends well, and what is in blocks is there already.
        let open = File::open(&file).unwrap();
        let bytes = azure_core::Bytes::copy_from_slice(&bytes[..length]);
        for again in [
            blobs.upload_open(&sas, open, size, &|_| {}).await,
            blobs.upload_bytes(&sas, bytes, &|_| {}).await,
        ] {
            let sent = if length > BLOCK { 0 } else { size };
            assert_eq!(again.unwrap(), (size, sent), "{name}");
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn gibibyte_goes_up_and_comes_down_in_64_mib_of_memory() {
    const MEBIBYTES: usize = 1024;
    let Some(case) = Case::start().await else {
        return;
    };
    let (file, back) = (case.path("model.bin"), case.path("back.bin"));
    make(&file, MEBIBYTES);
    let sas = case.azurite.sas("model.bin", "rcw");
    for (task, file) in [("upload", &file), ("download", &back)] {
        let output = case.child(task, &sas, file).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let grown = said.lines().find_map(|line| {
            let number = line.strip_prefix("grown by ")?.strip_suffix(" kB")?;
            number.parse::<u64>().ok()
        });
        let grown = grown.unwrap();
        eprintln!("{task} of 1 GiB: {grown} kB");
        assert!(grown < 64 << 10, "{task}: {grown} kB");
    }
    check(&back, MEBIBYTES);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn upload_that_is_killed_goes_on_where_it_stopped() {
    const MEBIBYTES: usize = 90;
    const BLOCKS: usize = (MEBIBYTES * MIB).div_ceil(BLOCK);
    const ANSWERED: usize = 12;
    let Some(case) = Case::start().await else {
        return;
    };
    let (file, back) = (case.path("model.bin"), case.path("back.bin"));
    make(&file, MEBIBYTES);
    let sas = case.azurite.sas("model.bin", "rcw");
    let died = case.child(&ANSWERED.to_string(), &sas, &file).status();
    let signal = std::os::unix::process::ExitStatusExt::signal(&died.unwrap());
    assert!(signal.is_some(), "the child was to be killed");

    // Another signature for the same blob, as a registration that is run again gets it.
    let sas = case
        .azurite
        .sas_until("model.bin", "rcw", Duration::minutes(30));
    let counting = Counting::new(None);
    let blobs = counting.blobs();
    let (size, sent) = blobs.upload(&sas, &file, &|_| {}).await.unwrap();
    let again = counting.blocks.load(Ordering::SeqCst);
    assert_eq!(size, (MEBIBYTES * MIB) as u64);
    // Those that were under way when it died may have arrived or not.
    assert!(again <= BLOCKS - ANSWERED, "{again} blocks sent again");
    assert!(again >= BLOCKS - ANSWERED - 8, "only {again} blocks sent");
    assert_eq!(sent.div_ceil(BLOCK as u64), again as u64);
    blobs.download(&sas, &back, &|_| {}).await.unwrap();
    check(&back, MEBIBYTES);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_of_a_signed_url_is_reported_without_the_url() {
    let Some(case) = Case::start().await else {
        return;
    };
    let blobs = Counting::new(None).blobs();
    let file = case.path("file");
    make(&file, 5);
    for (sas, code) in [
        (
            case.azurite.sas_until("b", "rcw", -Duration::minutes(1)),
            "AuthorizationFailure",
        ),
        (
            case.azurite.sas("b", "r"),
            "AuthorizationPermissionMismatch",
        ),
        (
            case.azurite.sas("b", "rcw").replace("b?", "other?"),
            "AuthorizationFailure",
        ),
    ] {
        let error = blobs.upload(&sas, &file, &|_| {}).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Service, "{error}");
        assert_eq!(error.http_status(), Some(403), "{error}");
        assert_eq!(error.code(), Some(code), "{error}");
        assert!(error.remedy().is_some());
        hides_signature(&error, &sas);
    }

    // Without the right to read, an upload works all the same.
    let write_only = case.azurite.sas("b", "cw");
    blobs.upload(&write_only, &file, &|_| {}).await.unwrap();
    let error = blobs
        .download(&write_only, &case.path("back"), &|_| {})
        .await;
    let error = error.unwrap_err();
    assert!(error.is_forbidden(), "{error}");
    hides_signature(&error, &write_only);
}
