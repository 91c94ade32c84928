//! The Python packages of an environment, as conda writes them down.

use crate::error::{Error, Finding};
use crate::json::{text_file, yaml};
use crate::rules::{self, Findings};
use serde_json::{Map, Value, json};
use std::fmt;
use std::path::Path;

/// The Python packages of an [`Environment`](super::Environment): conda packages, pip packages, the
/// version of Python and the channels.
///
/// Made in code ([`new`](Self::new)) or from a conda environment file
/// ([`builder_from_file`](Self::builder_from_file)); what came from a file can be added to. Nothing
/// is added that was not given: no package, no version of Python, no package index.
///
/// # Design
///
/// Microsoft's client adds `azureml-defaults`, a version of Python and its own package index by
/// itself. Here the first two are warnings of the environment when they are missing, because a
/// container without `azureml-defaults` has no server.
///
/// # Examples
///
/// ```
/// use azureml_aks::{CondaDependencies, Environment};
///
/// let packages = CondaDependencies::new()
///     .python_version("3.10")
///     .conda_package("scikit-learn=1.1")
///     .pip_package("azureml-defaults");
/// let environment = Environment::builder().name("myenv").conda_dependencies(packages).build()?;
/// assert!(environment.warnings().is_empty());
///
/// let packages = CondaDependencies::builder_from_yaml("dependencies:\n- python=3.10\n- numpy\n")?.build()?;
/// let environment = Environment::builder().conda_dependencies(packages).build()?;
/// assert_eq!(environment.warnings()[0].rule, "conda.server_missing");
/// # Ok::<(), azureml_aks::Error>(())
/// ```
#[must_use = "dependencies do nothing until an environment is made with them"]
#[derive(Clone, PartialEq, Default)]
pub struct CondaDependencies {
    /// Has the shape that [`check_shape`] asks for.
    document: Map<String, Value>,
}

impl CondaDependencies {
    /// Returns dependencies in which nothing is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a conda environment file and gives a builder. Blocks while it reads.
    ///
    /// Keys that conda does not know are kept and sent, and the environment warns of them;
    /// [`strict`](CondaDependenciesBuilder::strict) refuses them.
    ///
    /// # Errors
    ///
    /// Refuses a file that cannot be read, is empty, larger than 1 MiB, not valid YAML, or that has a key twice,
    /// and names every place of the file that has another shape than conda's.
    pub fn builder_from_file(path: impl AsRef<Path>) -> Result<CondaDependenciesBuilder, Error> {
        let path = path.as_ref();
        let read = Self::read(path, FIELD).map_err(|found| Error::validation(WHAT, found));
        let read = read.map_err(|error| error.with_context(|| path.display().to_string()))?;
        Ok(CondaDependenciesBuilder {
            read,
            strict: false,
        })
    }

    /// Reads the text of a conda environment file; see
    /// [`builder_from_file`](Self::builder_from_file).
    ///
    /// # Errors
    ///
    /// As for [`builder_from_file`](Self::builder_from_file).
    pub fn builder_from_yaml(text: &str) -> Result<CondaDependenciesBuilder, Error> {
        let read =
            Self::parse(text, FIELD, None).map_err(|found| Error::validation(WHAT, found))?;
        Ok(CondaDependenciesBuilder {
            read,
            strict: false,
        })
    }

    /// Adds a conda package, for example `numpy` or `scikit-learn=1.1`.
    pub fn conda_package(self, package: impl Into<String>) -> Self {
        self.change("dependencies", |entries| {
            entries.push(Value::String(package.into()))
        })
    }

    /// Adds a pip package, for example `azureml-defaults` or `pandas>=1.5`.
    pub fn pip_package(self, package: impl Into<String>) -> Self {
        let package = Value::String(package.into());
        self.change("dependencies", |entries| {
            let pip = entries
                .iter_mut()
                .find_map(|entry| entry.get_mut("pip")?.as_array_mut());
            match pip {
                Some(pip) => pip.push(package),
                None => entries.push(json!({ "pip": [package] })),
            }
        })
    }

    /// Sets the version of Python, for example `3.10`. It replaces one that was set before.
    pub fn python_version(self, version: impl AsRef<str>) -> Self {
        let python = Value::String(format!("python={}", version.as_ref()));
        self.change("dependencies", |entries| {
            entries.retain(|entry| !is_python(entry));
            entries.insert(0, python);
        })
    }

    /// Adds a channel, for example `conda-forge`. The first one has precedence.
    pub fn channel(self, channel: impl Into<String>) -> Self {
        self.change("channels", |entries| {
            entries.push(Value::String(channel.into()))
        })
    }

    fn change(mut self, key: &str, change: impl FnOnce(&mut Vec<Value>)) -> Self {
        let mut entries = match self.document.remove(key) {
            Some(Value::Array(entries)) => entries,
            _ => Vec::new(),
        };
        change(&mut entries);
        self.document.insert(key.to_owned(), Value::Array(entries));
        self
    }

    /// Reads a file for the field at `field`.
    pub(crate) fn read(path: &Path, field: &str) -> Result<Self, Vec<Finding>> {
        let shown = path.display().to_string();
        let text = text_file::read(path).map_err(|why| not_conda(field, Some(&shown), why))?;
        Self::parse(&text, field, Some(&shown))
    }

    fn parse(text: &str, field: &str, file: Option<&str>) -> Result<Self, Vec<Finding>> {
        match yaml::parse(text).map_err(|why| not_conda(field, file, why))? {
            Value::Null => Err(not_conda(field, file, "it is empty")),
            document => Self::from_value(document, field),
        }
    }

    /// Takes a document that stands inline in another file.
    pub(crate) fn from_value(document: Value, field: &str) -> Result<Self, Vec<Finding>> {
        let Value::Object(mut document) = document else {
            return Err(not_conda(
                field,
                None,
                "it is not a mapping of keys to values",
            ));
        };
        document.retain(|_, value| !value.is_null());
        let findings = check_shape(&document, field).into_vec();
        if findings.is_empty() {
            Ok(Self { document })
        } else {
            Err(findings)
        }
    }

    /// Notes what is empty, or missing, or will not work.
    pub(super) fn check(&self, field: &str, findings: &mut Findings) {
        for (place, text) in self.texts(field) {
            if text.trim().is_empty() {
                super::refuse_empty(findings, place);
            }
        }
        for key in self.unknown_keys() {
            findings.advise(
                rules::CONDA_UNKNOWN_KEY,
                format!("{field}.{key}"),
                UNKNOWN_KEY,
                CORRECT_KEY,
            );
        }
        if !self.entries().any(is_python) {
            findings.advise(
                rules::CONDA_PYTHON_UNSAID,
                format!("{field}.dependencies"),
                "no version of Python is set, so the service chooses one",
                "add a version, for example python=3.10",
            );
        }
        self.check_server(field, findings);
        if self.pip().any(is_requirements_file) {
            findings.advise(
                rules::CONDA_REQUIREMENTS_FILE,
                format!("{field}.dependencies"),
                "a requirements file is named, but only the conda dependencies are sent",
                "list the packages themselves",
            );
        }
    }

    fn check_server(&self, field: &str, findings: &mut Findings) {
        let Some(server) = self.pip().find(|package| package_name(package) == SERVER) else {
            findings.advise(
                rules::CONDA_SERVER_MISSING,
                format!("{field}.dependencies"),
                format!(
                    "the pip package {SERVER} is missing, without which the container has no server"
                ),
                format!("add the pip package {SERVER}"),
            );
            return;
        };
        if pinned_version(server).is_some_and(|version| version < SERVER_MINIMUM.to_vec()) {
            findings.advise(
                rules::CONDA_SERVER_OLD,
                format!("{field}.dependencies"),
                format!("{server} is older than 1.0.45, the first with the server"),
                "raise the version, or leave it out",
            );
        }
    }

    /// Returns the document as the service reads it.
    pub(super) fn value(&self) -> Value {
        Value::Object(self.document.clone())
    }

    fn unknown_keys(&self) -> impl Iterator<Item = &str> {
        let keys = self.document.keys().map(String::as_str);
        keys.filter(|key| !KNOWN_KEYS.contains(key))
    }

    fn entries(&self) -> impl Iterator<Item = &Value> {
        let entries = self.document.get("dependencies").and_then(Value::as_array);
        entries.into_iter().flatten()
    }

    fn pip(&self) -> impl Iterator<Item = &str> {
        self.entries()
            .filter_map(|entry| entry.get("pip")?.as_array())
            .flatten()
            .filter_map(Value::as_str)
    }

    /// Returns every text with its place.
    fn texts(&self, field: &str) -> Vec<(String, &str)> {
        let mut texts = Vec::new();
        for key in ["channels", "dependencies"] {
            let entries = self.document.get(key).and_then(Value::as_array);
            for (at, entry) in entries.into_iter().flatten().enumerate() {
                let place = format!("{field}.{key}[{at}]");
                match entry {
                    Value::String(text) => texts.push((place, text.as_str())),
                    other => {
                        let pip = other.get("pip").and_then(Value::as_array);
                        for (inner, text) in pip.into_iter().flatten().enumerate() {
                            let text = text.as_str().unwrap_or_default();
                            texts.push((format!("{place}.pip[{inner}]"), text));
                        }
                    }
                }
            }
        }
        texts
    }
}

impl fmt::Debug for CondaDependencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = self.texts("");
        let shown = texts.iter().map(|(place, text)| {
            let text = if text.contains("://") { "a URL" } else { text };
            (place.trim_start_matches('.'), text)
        });
        f.debug_map().entries(shown).finish()
    }
}

/// Conda dependencies that were read from a file or a text, before they are accepted.
#[must_use = "a builder does nothing until `build()`"]
#[derive(Debug, Clone, PartialEq)]
pub struct CondaDependenciesBuilder {
    read: CondaDependencies,
    strict: bool,
}

impl CondaDependenciesBuilder {
    /// Sets whether `build()` refuses keys that conda does not know. The default is `false`: the
    /// environment warns of them.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Gives the dependencies, which can be added to.
    ///
    /// # Errors
    ///
    /// In strict mode, names every key that conda does not know.
    pub fn build(self) -> Result<CondaDependencies, Error> {
        let mut findings = Findings::default();
        if self.strict {
            for key in self.read.unknown_keys() {
                let place = format!("{FIELD}.{key}");
                findings.refuse(rules::CONDA_STRICT, place, None, UNKNOWN_KEY, CORRECT_KEY);
            }
        }
        findings.finish(WHAT)?;
        Ok(self.read)
    }
}

const WHAT: &str = "conda dependencies";
/// The first part of the paths of findings in a file that is read by itself.
const FIELD: &str = "conda_file";
const UNKNOWN_KEY: &str = "conda does not know this key";
const CORRECT_KEY: &str = "correct it, or leave it out";

/// Notes every place of the parts that this library reads that has another shape than conda's.
fn check_shape(document: &Map<String, Value>, field: &str) -> Findings {
    let mut findings = Findings::default();
    let mut refuse = |place: String, expected: &str| {
        let remedy = "write it as conda documents it; quote a text that looks like a number";
        let message = format!("this is not {expected}");
        findings.refuse(rules::CONDA_SHAPE, place, None, message, remedy);
    };
    for key in ["channels", "dependencies"] {
        let entries = match document.get(key) {
            None => continue,
            Some(Value::Array(entries)) => entries,
            Some(_) => {
                refuse(format!("{field}.{key}"), "a list");
                continue;
            }
        };
        for (at, entry) in entries.iter().enumerate() {
            let place = format!("{field}.{key}[{at}]");
            match entry {
                Value::String(_) => {}
                Value::Object(inner) if key == "dependencies" => {
                    for (name, packages) in inner {
                        let place = format!("{place}.{name}");
                        let Value::Array(packages) = packages else {
                            refuse(place, "a list of packages");
                            continue;
                        };
                        for (inner, package) in packages.iter().enumerate() {
                            if !package.is_string() {
                                refuse(format!("{place}[{inner}]"), "a text");
                            }
                        }
                    }
                }
                _ => refuse(place, "a text"),
            }
        }
    }
    findings
}

fn not_conda(field: &str, file: Option<&str>, why: impl Into<String>) -> Vec<Finding> {
    let remedy = "give a conda environment file: YAML with channels and dependencies";
    vec![rules::CONDA_FILE.finding(field, file, why, remedy)]
}

fn is_python(entry: &Value) -> bool {
    entry.as_str().is_some_and(|text| {
        // A channel may stand in front: `conda-forge::python=3.10`.
        let text = text.rsplit("::").next().unwrap_or(text);
        package_name(text) == "python"
    })
}

fn is_requirements_file(package: &str) -> bool {
    let package = package.trim_start();
    package.starts_with("-r") || package.starts_with("--requirement")
}

/// Returns the name of a requirement in the form in which names are compared (PEP 503).
fn package_name(requirement: &str) -> String {
    let requirement = requirement.trim();
    let end = requirement
        .find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_' | '.'))
        .unwrap_or(requirement.len());
    requirement[..end]
        .to_ascii_lowercase()
        .replace(['_', '.'], "-")
}

/// Returns the version of a requirement that allows one version only.
fn pinned_version(requirement: &str) -> Option<Vec<u64>> {
    let (_, version) = requirement.split_once("==")?;
    version
        .trim()
        .split('.')
        .map(|part| part.parse().ok())
        .collect()
}

const SERVER: &str = "azureml-defaults";
const SERVER_MINIMUM: [u64; 3] = [1, 0, 45];
const KNOWN_KEYS: [&str; 5] = ["channels", "dependencies", "name", "prefix", "variables"];

#[cfg(test)]
mod tests;
