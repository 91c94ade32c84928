//! The package that is uploaded for a deployment, and the request for an image that names it.

use super::archive;
use super::driver;
use super::script::{Script, is_identifier};
use super::sources::Sources;
use crate::blob::Source;
use crate::error::{Error, Finding};
use crate::facts::services::{ENTRY_SCRIPT_VARIABLE, SOURCE_DIRECTORY_VARIABLE};
use crate::files::{self, Fingerprint, Stamp, Wanted, blocking};
use crate::rules::{self, Findings};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

/// The package that is uploaded for a deployment. It holds no file that has to be removed.
#[derive(Debug)]
pub(crate) struct Package {
    /// The driver program first, then the entry script or the archive of the sources.
    pub(crate) files: Vec<PackFile>,
    /// The findings that do not stop the upload: links that were left out, for example.
    pub(crate) warnings: Vec<Finding>,
    /// The variables that the package adds to the environment.
    variables: Vec<(&'static str, String)>,
}

/// One file to upload.
#[derive(Debug)]
pub(crate) struct PackFile {
    /// The name below the container: one segment.
    pub(crate) name: String,
    pub(crate) content: Source,
    /// The fingerprint of its content.
    fingerprint: String,
    pub(crate) mime_type: &'static str,
    /// `true` if the service unpacks it.
    pub(crate) unpack: bool,
}

/// Makes the package on a thread for blocking work.
pub(crate) async fn make(script: Script) -> Result<Package, Error> {
    blocking(move |wanted| make_now(&script, wanted)).await
}

pub(crate) fn make_now(script: &Script, wanted: &Wanted) -> Result<Package, Error> {
    match script {
        Script::Alone { path, name } => alone(path, name),
        Script::Inside { directory, path } => inside(directory, path, wanted),
    }
}

fn alone(path: &Path, name: &str) -> Result<Package, Error> {
    let mut findings = Findings::default();
    let (mut file, stamp, _) = open_script(path, path, &mut findings)?;
    let fingerprint = fingerprint(&mut file)
        .map_err(|error| refuse_script(path, format!("it cannot be read: {error}")))?;
    Ok(Package {
        files: vec![
            program(name, None, name),
            PackFile {
                name: name.to_owned(),
                content: Source::Path(path.to_owned(), Some(stamp)),
                fingerprint,
                mime_type: OCTETS,
                unpack: false,
            },
        ],
        warnings: findings.finish(WHAT)?,
        variables: vec![(ENTRY_SCRIPT_VARIABLE, name.to_owned())],
    })
}

fn inside(directory: &Path, script: &Path, wanted: &Wanted) -> Result<Package, Error> {
    let mut findings = Findings::default();
    let sources = Sources::find(directory, &mut findings)?;
    let found = sources.root.join(script);
    let (_, _, text) = open_script(&found, script, &mut findings)?;
    if !sources.packs(script) {
        let why = match sources.dropped_by(script) {
            Some(line) => format!("it is not packed: {} leaves it out", line.display()),
            None => "it is not packed: it is behind a link that is left out".to_owned(),
        };
        return Err(refuse_script(script, why));
    }
    let folders = [Path::new(""), script.parent().unwrap_or(Path::new(""))];
    for module in imports(&text) {
        if let Some(line) = sources.module_dropped_by(&module, &folders) {
            let line = line.display();
            findings.advise(
                rules::ENTRY_SCRIPT_IMPORT,
                "entry_script",
                format!("the entry script imports {module}, which {line} leaves out"),
                "change the line, or the import",
            );
        }
    }
    let mut file = archive::pack(&sources, wanted)?;
    let fingerprint = fingerprint(&mut file).map_err(archive::failed)?;
    let stamp = Stamp::of(&file.metadata().map_err(archive::failed)?);
    // A valid path of an entry script is Unicode.
    let path = files::slashed(script).unwrap_or_default();
    let location = format!("{}/{path}", sources.base);
    let archive = PackFile {
        name: format!("{fingerprint:.8}.tar.gz"),
        content: Source::of_file(file, stamp),
        fingerprint,
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

/// Hashes a file from its beginning, and goes back to it.
fn fingerprint(file: &mut File) -> io::Result<String> {
    let mut print = Fingerprint::default();
    print.content(&mut *file)?;
    file.rewind()?;
    Ok(print.finish())
}

fn program(script: &str, source_directory: Option<&str>, beside: &str) -> PackFile {
    let text = driver::program(script, source_directory);
    let mut print = Fingerprint::default();
    print.part(text.as_bytes());
    PackFile {
        name: driver::name_beside(beside).to_owned(),
        content: Source::Bytes(text.into()),
        fingerprint: print.finish(),
        mime_type: "application/x-python",
        unpack: false,
    }
}

/// Opens an entry script that is a file and not empty, and returns the beginning of its text. Advises where
/// that names none of the functions.
fn open_script(
    path: &Path,
    shown: &Path,
    findings: &mut Findings,
) -> Result<(File, Stamp, String), Error> {
    let cannot = |error: io::Error| match error.kind() {
        io::ErrorKind::IsADirectory | io::ErrorKind::InvalidInput => {
            refuse_script(shown, error.to_string())
        }
        _ => refuse_script(shown, format!("it cannot be read: {error}")),
    };
    let (mut file, metadata) = files::open(path).map_err(cannot)?;
    let stamp = Stamp::of(&metadata);
    if stamp.size == 0 {
        return Err(refuse_script(shown, "it is empty"));
    }
    let mut text = Vec::new();
    (&mut file)
        .take(LOOK_BYTES)
        .read_to_end(&mut text)
        .and_then(|_| file.rewind())
        .map_err(cannot)?;
    let missing = missing_functions(&text);
    if !missing.is_empty() && stamp.size <= LOOK_BYTES {
        findings.advise(
            rules::ENTRY_SCRIPT_FUNCTIONS,
            "entry_script",
            format!("the entry script does not name {}", missing.join(" and ")),
            "define init() and run()",
        );
    }
    Ok((file, stamp, String::from_utf8_lossy(&text).into_owned()))
}

/// Returns the modules that a Python program imports, each once, as far as its lines tell. What is imported from a
/// module may be a module too.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let names = |list: &str| -> Vec<String> {
            list.split(',')
                .filter_map(|name| name.split_whitespace().next())
                .filter(|name| name.split('.').all(is_identifier))
                .map(str::to_owned)
                .collect()
        };
        if let Some(list) = line.strip_prefix("import ") {
            found.extend(names(list));
        } else if let Some((module, list)) = line
            .strip_prefix("from ")
            .and_then(|rest| rest.split_once(" import"))
        {
            let module = names(module);
            let list = names(list.trim_matches(['(', ')', ' ']));
            for module in module {
                found.extend(list.iter().map(|name| format!("{module}.{name}")));
                found.insert(module);
            }
        }
    }
    found
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
    /// Returns the name of the container for its files: the same files have the same name.
    pub(crate) fn container(&self) -> String {
        let mut print = Fingerprint::default();
        for file in &self.files {
            print.part(file.name.as_bytes());
            print.part(file.fingerprint.as_bytes());
        }
        print.finish()
    }

    /// Returns the part of a request that asks for the image of a service.
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
/// The most bytes of an entry script that are searched for its functions.
const LOOK_BYTES: u64 = 1024 * 1024;

#[cfg(test)]
mod tests;
