//! A running Azurite, and URLs that its well-known key signs.

use aws_lc_rs::hmac;
use azure_core::base64;
use azure_core::time::{Duration, OffsetDateTime, to_rfc3339};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use url::Url;
use url::form_urlencoded::byte_serialize;

const ACCOUNT: &str = "devstoreaccount1";
/// The same for everyone: <https://learn.microsoft.com/azure/storage/common/storage-use-azurite>.
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
const VERSION: &str = "2021-12-02";
const CONTAINER: &str = "registration";

/// Where Azurite is; `None` where it is not, and need not be.
pub(crate) fn installed() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var_os("AZUREML_AKS_AZURITE")
        .map_or_else(|| root.join("target/azurite"), PathBuf::from);
    let program = folder.join("node_modules/.bin/azurite-blob");
    if program.exists() {
        return Some(program);
    }
    assert!(
        std::env::var_os("REQUIRE_AZURITE").is_none(),
        "REQUIRE_AZURITE is set and {} does not exist: run tests/azurite/setup.sh",
        program.display()
    );
    eprintln!(
        "skipped: {} does not exist (tests/azurite/setup.sh makes it)",
        program.display()
    );
    None
}

/// Ends with this value, and what it stored with it.
pub(crate) struct Azurite {
    child: Child,
    origin: String,
    _folder: TempDir,
}

impl Azurite {
    /// On a free port, with one container.
    pub(crate) async fn start(program: &Path) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let mut child = Command::new(program)
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0"])
            // The storage client speaks a newer version than it knows.
            .args(["--skipApiVersionCheck", "--disableTelemetry", "--silent"])
            .arg("--location")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let origin = lines
            .by_ref()
            .find_map(|line| {
                let line = line.unwrap();
                line.split_once("listens on ")
                    .map(|(_, origin)| origin.to_owned())
            })
            .expect("Azurite starts");
        // Nothing more is said with `--silent`, but it must not meet a closed pipe either.
        std::thread::spawn(move || lines.for_each(drop));
        let azurite = Self {
            child,
            origin,
            _folder: folder,
        };
        let create = azurite.account_url(&format!("{CONTAINER}?restype=container"));
        let answer = client().put(create).header("content-length", "0").send();
        assert_eq!(answer.await.unwrap().status(), 201);
        azurite
    }

    /// A URL for one blob that allows this for an hour.
    pub(crate) fn sas(&self, blob: &str, permissions: &str) -> String {
        self.sas_until(blob, permissions, Duration::hours(1))
    }

    pub(crate) fn sas_until(&self, blob: &str, permissions: &str, from_now: Duration) -> String {
        let expiry = expiry(from_now);
        let resource = format!("/blob/{ACCOUNT}/{CONTAINER}/{blob}");
        // The fields of a service SAS in their order, of which most are empty.
        let signed = [
            permissions,
            "",
            &expiry,
            &resource,
            "",
            "",
            "",
            VERSION,
            "b",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
        ];
        let mut url = Url::parse(&self.origin).unwrap();
        url.path_segments_mut()
            .unwrap()
            .push(ACCOUNT)
            .push(CONTAINER)
            .extend(blob.split('/'));
        url.query_pairs_mut()
            .append_pair("sv", VERSION)
            .append_pair("se", &expiry)
            .append_pair("sr", "b")
            .append_pair("sp", permissions)
            .append_pair("sig", &sign(&signed.join("\n")));
        url.into()
    }

    fn account_url(&self, path: &str) -> String {
        let expiry = expiry(Duration::hours(1));
        // The fields of an account SAS in their order; it ends with a line's end.
        let signed = [
            ACCOUNT, "rwc", "b", "c", "", &expiry, "", "", VERSION, "", "",
        ];
        let signature = sign(&signed.join("\n"));
        let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        format!(
            "{}/{ACCOUNT}/{path}&sv={VERSION}&ss=b&srt=c&sp=rwc&se={}&sig={}",
            self.origin,
            encode(&expiry),
            encode(&signature),
        )
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn expiry(from_now: Duration) -> String {
    let at = OffsetDateTime::now_utc() + from_now;
    to_rfc3339(&at.replace_nanosecond(0).unwrap())
}

fn sign(text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &base64::decode(KEY).unwrap());
    base64::encode(hmac::sign(&key, text.as_bytes()))
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}
