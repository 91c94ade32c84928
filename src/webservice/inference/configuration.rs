//! The inference configuration: valid settings.

use super::file;
use crate::environment::{Environment, EnvironmentRef};
use crate::error::{Error, Finding};
use crate::json::file::Reading;
use crate::package::Script;
use crate::package::{self, Package};
use crate::rules::{self, Findings};
use std::path::{Path, PathBuf};

/// The content of a service, valid: the entry script, the sources beside it and the environment.
///
/// Made by [`builder`](Self::builder), or read from an `inferenceconfig.json` by
/// [`builder_from_file`](Self::builder_from_file). Sources are read when the service is deployed, not
/// before.
///
/// # What is uploaded
///
/// The entry script, or, with a source directory, everything below that: hidden files too, as one
/// `tar.gz` that is the same for the same sources. Files that an ignore file names are left out: in a folder
/// with `.amlignore`, and in all folders below it, `.amlignore` counts; everywhere else `.gitignore`
/// does. Ignore files above the source directory and those of the user do not count.
///
/// A link stays a link where it leads to something that is packed too. A link that leads out of the
/// source directory, or nowhere, is not followed but left out with a warning, as are sockets and
/// other special files. A folder that changes while it is packed is an error.
///
/// # Design
///
/// Microsoft's pages contradict one another on ignore files, and its client packs everything in spite
/// of them; explicit ignore files are honoured here so that data and secrets stay where they are.
#[must_use = "a configuration does nothing until a service is deployed with it"]
#[derive(Debug, Clone, PartialEq)]
pub struct InferenceConfiguration {
    given: InferenceConfigurationBuilder,
    script: Script,
    warnings: Vec<Finding>,
}

/// The environment of a service: its definition, or a reference to one that the service knows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EnvironmentSource {
    /// A definition that is sent along.
    Definition(Box<Environment>),
    /// A registered or curated environment, which is read when the service is deployed.
    Registered(EnvironmentRef),
}

impl From<Environment> for EnvironmentSource {
    fn from(environment: Environment) -> Self {
        Self::Definition(Box::new(environment))
    }
}

impl From<EnvironmentRef> for EnvironmentSource {
    fn from(reference: EnvironmentRef) -> Self {
        Self::Registered(reference)
    }
}

impl InferenceConfiguration {
    /// Starts a configuration in which nothing is set.
    ///
    /// # Examples
    ///
    /// ```
    /// use azureml_aks::{EnvironmentRef, InferenceConfiguration};
    ///
    /// let config = InferenceConfiguration::builder()
    ///     .entry_script("score.py")
    ///     .source_directory("src")
    ///     .environment(EnvironmentRef::latest("AzureML-Minimal"))
    ///     .build()?;
    /// assert!(config.warnings().is_empty());
    ///
    /// let error = InferenceConfiguration::builder()
    ///     .entry_script("../score.py")
    ///     .source_directory("src")
    ///     .build()
    ///     .unwrap_err();
    /// assert_eq!(error.findings()[0].rule, "entry_script.outside");
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn builder() -> InferenceConfigurationBuilder {
        InferenceConfigurationBuilder::default()
    }

    /// Reads an `inferenceconfig.json` or `.yml`, in either of its forms, and returns a builder, so that more can
    /// be set. Blocks while it reads.
    ///
    /// The file is YAML or JSON.
    ///
    /// - The form of 2020: `entryScript`, `sourceDirectory` and an `environment` as a whole document.
    ///   One with a `name` and at most a `version` is a reference.
    /// - The form of 2019, flat: `runtime`, `condaFile`, `extraDockerFileSteps` (or
    ///   `extraDockerfileSteps`), `enableGpu`, `cudaVersion`, `baseImage`, `baseImageRegistry`. They
    ///   become an environment that is named after the service. Beside `environment` they are
    ///   ignored, with a warning. Extra Docker steps become a Dockerfile that starts from
    ///   `baseImage`.
    ///
    /// A `description` is known in both forms and has no effect: a request for a service has no place
    /// for it. `null` and an empty text count as absent. Unknown keys become warnings of the built configuration,
    /// or are refused by [`strict`](InferenceConfigurationBuilder::strict).
    ///
    /// `sourceDirectory` is searched for beside the file, then in the working directory, as Microsoft's client does.
    /// So are `entryScript`, the conda file and the Docker steps, unless there is a `sourceDirectory`: then they are
    /// below that. [`builder_from_text`](Self::builder_from_text) takes another base.
    ///
    /// # Errors
    ///
    /// Refuses a file that cannot be read, is larger than 1 MiB, is neither YAML nor JSON, or has a key twice.
    /// Everything else that is wrong with it comes at once from [`build`](InferenceConfigurationBuilder::build), each
    /// with its path in the file: wrong types, values out of bounds, files that do not exist. A file without
    /// `entryScript` is not an error by itself: the entry script can still be set on the builder.
    ///
    /// # Examples
    ///
    /// ```
    /// use azureml_aks::InferenceConfiguration;
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # std::fs::write(folder.path().join("score.py"), "").unwrap();
    /// # let path = folder.path().join("inferenceconfig.json");
    /// std::fs::write(&path, r#"{ "entryScript": "score.py", "entryscript": "x.py" }"#).unwrap();
    /// let config = InferenceConfiguration::builder_from_file(&path)?.build()?;
    /// assert_eq!(config.warnings()[0].remedy, "did you mean `entryScript`?");
    /// let strict = InferenceConfiguration::builder_from_file(&path)?.strict(true).build();
    /// assert_eq!(strict.unwrap_err().findings()[0].path, "entryscript");
    ///
    /// std::fs::write(&path, r#"{ "entryScript": "score.py", "enableGpu": "often" }"#).unwrap();
    /// let error = InferenceConfiguration::builder_from_file(&path)?.build().unwrap_err();
    /// assert_eq!(error.findings()[0].path, "enableGpu");
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn builder_from_file(
        path: impl AsRef<Path>,
    ) -> Result<InferenceConfigurationBuilder, Error> {
        file::from_file(path.as_ref())
    }

    /// Reads the text of an `inferenceconfig.json` or `.yml`; see
    /// [`builder_from_file`](Self::builder_from_file). Its paths are relative to the folder `base`; an empty one is
    /// the working directory.
    ///
    /// Reads the conda file and the Docker steps that the text names. Blocks while it reads.
    ///
    /// # Errors
    ///
    /// As for [`builder_from_file`](Self::builder_from_file).
    ///
    /// # Examples
    ///
    /// ```
    /// use azureml_aks::InferenceConfiguration;
    ///
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let base = folder.path();
    /// std::fs::write(base.join("score.py"), "def init(): ...\ndef run(data): ...\n").unwrap();
    /// let text = "entryScript: score.py\nenvironment: { name: AzureML-Minimal, version: 3 }";
    /// let config = InferenceConfiguration::builder_from_text(text, base)?.strict(true).build()?;
    /// assert!(config.environment().is_some());
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn builder_from_text(
        text: &str,
        base: impl Into<PathBuf>,
    ) -> Result<InferenceConfigurationBuilder, Error> {
        file::from_text(text, base.into())
    }

    /// Returns the configuration as a builder, to change a setting of a file.
    ///
    /// # Examples
    ///
    /// ```
    /// use azureml_aks::{EnvironmentRef, InferenceConfiguration};
    ///
    /// let config = InferenceConfiguration::builder().entry_script("score.py").build()?;
    /// let config = config.into_builder().environment(EnvironmentRef::version("myenv", "3")).build()?;
    /// # let _ = config;
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn into_builder(self) -> InferenceConfigurationBuilder {
        self.given
    }

    /// Returns what is allowed but probably not meant, the warnings of the environment and of the file
    /// included.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// Returns the entry script as it was given.
    #[must_use]
    pub fn entry_script(&self) -> Option<&Path> {
        self.given.entry_script.as_deref()
    }

    /// Returns the source directory, if one was given.
    #[must_use]
    pub fn source_directory(&self) -> Option<&Path> {
        self.given.source_directory.as_deref()
    }

    /// Returns the environment, if one was given.
    #[must_use]
    pub fn environment(&self) -> Option<&EnvironmentSource> {
        self.given.environment.as_ref()
    }

    /// Reads the files and makes the package that is uploaded.
    ///
    /// Works on a thread for blocking work. Nothing is left behind: the archive is a file without a
    /// name, which ends with the package. When the future is dropped, the packing stops at the next
    /// read of a file.
    pub(crate) async fn package(&self) -> Result<Package, Error> {
        package::make(self.script.clone()).await
    }

    #[cfg(test)]
    pub(crate) fn script(&self) -> &Script {
        &self.script
    }
}

/// A builder of an [`InferenceConfiguration`].
///
/// Setters take the value as it is; [`build`](Self::build) checks all of them together.
#[must_use = "a builder does nothing until `build()`"]
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InferenceConfigurationBuilder {
    pub(super) entry_script: Option<PathBuf>,
    pub(super) source_directory: Option<PathBuf>,
    pub(super) environment: Option<EnvironmentSource>,
    /// The findings about the file that was read.
    pub(super) file: Reading,
    pub(super) strict: bool,
}

impl InferenceConfigurationBuilder {
    /// Sets the Python file with the functions `init` and `run`: its path below the source directory
    /// where there is one, otherwise the path of the file. Required.
    pub fn entry_script(mut self, path: impl Into<PathBuf>) -> Self {
        self.entry_script = Some(path.into());
        self
    }

    /// Sets the folder that is packed and uploaded as a whole. By default only the entry script is.
    pub fn source_directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.source_directory = Some(path.into());
        self
    }

    /// Sets the environment: an [`Environment`], or an [`EnvironmentRef`] to one that the service knows.
    ///
    /// Without one the request asks for an image with nothing but script and models, as Microsoft's
    /// client does; how the service handles that is up to the service. Most services
    /// need one.
    pub fn environment(mut self, environment: impl Into<EnvironmentSource>) -> Self {
        self.environment = Some(environment.into());
        self
    }

    /// Sets whether `build()` refuses a file with keys that are not known, instead of warning about
    /// them. The default is `false`.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Checks everything together. Reads nothing: files are read when the service is deployed.
    ///
    /// # Errors
    ///
    /// Reports all broken rules at once, including those that a file breaks. A builder that was read from a file names
    /// each setting by its path there, even one that was set later.
    pub fn build(self) -> Result<InferenceConfiguration, Error> {
        let mut findings = Findings::default();
        let script = Script::parse(
            self.entry_script.as_deref(),
            self.source_directory.as_deref(),
            &mut findings,
        );
        match &self.environment {
            None => {}
            Some(EnvironmentSource::Registered(reference)) => reference.check(&mut findings),
            Some(EnvironmentSource::Definition(environment)) => {
                let warnings = environment.warnings().iter().cloned();
                findings.extend(warnings.map(|mut warning| {
                    warning.path.insert_str(0, "environment.");
                    warning
                }));
            }
        }
        let strict = self.strict.then_some(rules::INFERENCE_FILE_STRICT);
        let (script, warnings) = self.file.finish(script, findings, strict, WHAT)?;
        Ok(InferenceConfiguration {
            given: self,
            script,
            warnings,
        })
    }
}

pub(super) const WHAT: &str = "inference configuration";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_reported_at_once() {
        let error = InferenceConfiguration::builder()
            .source_directory("")
            .environment(EnvironmentRef::version("a/b", ""))
            .build()
            .unwrap_err();
        let rules: Vec<_> = error.findings().iter().map(|v| v.rule).collect();
        assert_eq!(
            rules,
            [
                "source_directory.folder",
                "entry_script.missing",
                "segment.characters",
                "segment.empty",
            ]
        );
    }

    #[test]
    fn warnings_of_the_environment_are_those_of_the_configuration_too() {
        let environment = Environment::builder().enable_gpu(true).build().unwrap();
        let config = InferenceConfiguration::builder()
            .entry_script("score.py")
            .environment(environment)
            .build()
            .unwrap();
        let warning = &config.warnings()[0];
        assert_eq!(
            (warning.path.as_str(), warning.rule),
            ("environment.enable_gpu", "environment.gpu_image")
        );
        // Built again they are there once.
        let again = config.into_builder().build().unwrap();
        assert_eq!(again.warnings().len(), 1);
    }

    #[test]
    fn building_reads_no_file() {
        let config = InferenceConfiguration::builder()
            .entry_script("no/such/score.py")
            .source_directory("no/such/folder")
            .build()
            .unwrap();
        assert_eq!(config.entry_script(), Some(Path::new("no/such/score.py")));
        assert_eq!(config.source_directory(), Some(Path::new("no/such/folder")));
        assert!(config.environment().is_none());
    }
}
