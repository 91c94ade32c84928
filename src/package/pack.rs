//! What is uploaded for a deployment, and the request for an image that names it.

use super::archive::{self, Archive};
use super::driver;
use super::script::{Script, with_slashes};
use super::sources::Sources;
use crate::error::{Error, ErrorKind, Finding};
use crate::facts::services::{ENTRY_SCRIPT_VARIABLE, SOURCE_DIRECTORY_VARIABLE};
use crate::rules::{self, Findings};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is uploaded for a deployment. It holds no file that has to be removed.
#[derive(Debug)]
pub(crate) struct Package {
    /// The driver program first, then the entry script or the archive of the sources.
    pub(crate) files: Vec<PackFile>,
    /// What does not stop the upload: links that were left out, for example.
    pub(crate) warnings: Vec<Finding>,
    /// What the environment has to know of the package.
    variables: Vec<(&'static str, String)>,
}

/// One file to upload.
#[derive(Debug)]
pub(crate) struct PackFile {
    /// The name below the container: one segment.
    pub(crate) name: String,
    pub(crate) content: PackContent,
    pub(crate) mime_type: &'static str,
    /// Whether the service unpacks it.
    pub(crate) unpack: bool,
}

#[derive(Debug)]
pub(crate) enum PackContent {
    Bytes(Bytes),
    /// An open file that stands at its beginning, and its length in bytes.
    File(File, u64),
}

/// Makes the package on a thread for blocking work.
pub(crate) async fn make(script: Script) -> Result<Package, Error> {
    let stop = StopOnDrop(Arc::default());
    let seen = Arc::clone(&stop.0);
    let made = tokio::task::spawn_blocking(move || make_now(&script, &seen)).await;
    made.unwrap_or_else(|error| {
        Err(Error::new(
            ErrorKind::Configuration,
            format!("the sources were not packed: {error}"),
        ))
    })
}

/// Tells the thread that nobody waits any more.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(crate) fn make_now(script: &Script, stop: &AtomicBool) -> Result<Package, Error> {
    match script {
        Script::Alone { path, name } => alone(path, name),
        Script::Inside { directory, path } => inside(directory, path, stop),
    }
}

fn alone(path: &Path, name: &str) -> Result<Package, Error> {
    let mut findings = Findings::default();
    let (file, size) = open_script(path, path, &mut findings)?;
    Ok(Package {
        files: vec![
            program(name, None, name),
            PackFile {
                name: name.to_owned(),
                content: PackContent::File(file, size),
                mime_type: OCTETS,
                unpack: false,
            },
        ],
        warnings: findings.finish(WHAT)?,
        variables: vec![(ENTRY_SCRIPT_VARIABLE, name.to_owned())],
    })
}

fn inside(directory: &Path, script: &Path, stop: &AtomicBool) -> Result<Package, Error> {
    let mut findings = Findings::default();
    let sources = Sources::find(directory, &mut findings)?;
    let found = sources.root.join(script);
    open_script(&found, script, &mut findings)?;
    if !sources.packs(script) {
        let why = "the entry script is not packed: an ignore file or a link leaves it out";
        return Err(refuse_script(script, why));
    }
    let Archive {
        file,
        size,
        checksum,
    } = archive::pack(&sources, stop)?;
    let location = format!("{}/{}", sources.base, with_slashes(script));
    let archive = PackFile {
        name: format!("{checksum:08x}.tar.gz"),
        content: PackContent::File(file, size),
        mime_type: OCTETS,
        unpack: true,
    };
    Ok(Package {
        files: vec![
            program(&location, Some(&sources.base), &sources.base),
            archive,
        ],
        warnings: findings.finish(WHAT)?,
        variables: vec![
            (ENTRY_SCRIPT_VARIABLE, location),
            (SOURCE_DIRECTORY_VARIABLE, sources.base),
        ],
    })
}

fn program(script: &str, source_directory: Option<&str>, beside: &str) -> PackFile {
    PackFile {
        name: driver::name_beside(beside).to_owned(),
        content: PackContent::Bytes(driver::program(script, source_directory).into()),
        mime_type: "application/x-python",
        unpack: false,
    }
}

/// Opens an entry script that is a file and not empty, and looks whether it names its functions.
fn open_script(path: &Path, shown: &Path, findings: &mut Findings) -> Result<(File, u64), Error> {
    let cannot =
        |error: std::io::Error| refuse_script(shown, format!("it cannot be read: {error}"));
    // A named pipe would wait for a writer when it is opened.
    let metadata = std::fs::metadata(path).map_err(cannot)?;
    if metadata.is_dir() {
        return Err(refuse_script(shown, "it is a folder"));
    }
    if !metadata.is_file() {
        return Err(refuse_script(shown, "it is no regular file"));
    }
    let mut file = File::open(path).map_err(cannot)?;
    let size = file.metadata().map_err(cannot)?.len();
    if size == 0 {
        return Err(refuse_script(shown, "it is empty"));
    }
    let mut text = Vec::new();
    (&mut file)
        .take(LOOK_BYTES)
        .read_to_end(&mut text)
        .and_then(|_| file.rewind())
        .map_err(cannot)?;
    let missing = missing_functions(&text);
    if !missing.is_empty() && size <= LOOK_BYTES {
        findings.advise(
            rules::ENTRY_SCRIPT_FUNCTIONS,
            "entry_script",
            format!("the entry script does not name {}", missing.join(" and ")),
            "define init() and run()",
        );
    }
    Ok((file, size))
}

fn missing_functions(text: &[u8]) -> Vec<&'static str> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    ["init", "run"]
        .into_iter()
        .filter(|name| {
            !text
                .split(|byte| !is_part(byte))
                .any(|word| word == name.as_bytes())
        })
        .collect()
}

fn refuse_script(path: &Path, why: impl Into<String>) -> Error {
    let finding = rules::ENTRY_SCRIPT_FILE.finding(
        "entry_script",
        Some(&path.display().to_string()),
        why,
        "give the path of the Python file, below the source directory where there is one",
    );
    Error::validation(WHAT, vec![finding])
}

impl Package {
    /// The part of a request that asks for the image of a service.
    ///
    /// # Arguments
    ///
    /// * `urls` - where each file of the package was uploaded to, in order (`aml://artifact/…`)
    /// * `model_ids` - the models, as `name:version`
    /// * `environment` - the definition, or what the service knows under the reference; it gains the
    ///   variables that name entry script and source directory. `None` leaves it out
    pub(crate) fn environment_image_request(
        &self,
        urls: &[String],
        model_ids: &[String],
        environment: Option<Value>,
    ) -> Value {
        let assets: Vec<Value> = self
            .files
            .iter()
            .zip(urls)
            .map(|(file, url)| {
                let mut asset = json!({
                    "id": file.name, "mimeType": file.mime_type, "url": url,
                });
                if file.unpack {
                    asset["unpack"] = true.into();
                }
                asset
            })
            .collect();
        let driver = self.files.first().map(|file| file.name.as_str());
        let mut request = json!({
            "driverProgram": driver, "assets": assets, "modelIds": model_ids,
        });
        if let Some(mut environment) = environment {
            self.add_variables(&mut environment);
            request["environment"] = environment;
        }
        request
    }

    fn add_variables(&self, environment: &mut Value) {
        let Value::Object(members) = environment else {
            return;
        };
        // The environment service has its own spelling of some keys.
        let key = members
            .keys()
            .find(|key| key.eq_ignore_ascii_case(VARIABLES))
            .map_or(VARIABLES, String::as_str)
            .to_owned();
        let variables = members.entry(key).or_insert(Value::Null);
        if !variables.is_object() {
            *variables = Map::new().into();
        }
        for (name, value) in &self.variables {
            variables[*name] = value.as_str().into();
        }
    }
}

const WHAT: &str = "package of a deployment";
const VARIABLES: &str = "environmentVariables";
const OCTETS: &str = "application/octet-stream";
/// Enough of an entry script to look for its functions.
const LOOK_BYTES: u64 = 1024 * 1024;

#[cfg(test)]
mod tests;
