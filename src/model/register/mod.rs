//! Registering: upload what is to be uploaded, make the asset, make the model.

mod body;
mod check;
mod steps;

use super::Model;
use super::resource::{Samples, dataset_url};
use crate::blob::TransferProgress;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::model::ResourceNeeds;
use crate::operation::request::{CallOptions, awaitable, call_options};
use crate::workspace::Workspace;
use futures::FutureExt;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

type Callback = Arc<dyn Fn(TransferProgress) + Send + Sync>;

/// An output of a run, to be registered as a model.
///
/// ```
/// use azureml_aks::RunOutput;
///
/// let output = RunOutput::new("myexperiment", "myexperiment_1572_8a1", "outputs/model.pkl");
/// # let _ = output;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct RunOutput {
    experiment: String,
    run_id: String,
    path: String,
    container: Option<String>,
}

impl RunOutput {
    /// # Arguments
    ///
    /// * `experiment` - the name of the experiment.
    /// * `run_id` - the id of the run.
    /// * `path` - a file or folder among the run's outputs, for example `outputs/model.pkl`: no path of
    ///   this machine.
    pub fn new(
        experiment: impl AsRef<str>,
        run_id: impl Into<String>,
        path: impl Into<String>,
    ) -> Self {
        Self {
            experiment: experiment.as_ref().to_owned(),
            run_id: run_id.into(),
            path: path.into(),
            container: None,
        }
    }

    /// Sets the id of the run's data container; `dcid.{run id}` by default, as the service names it. The
    /// run's own document has it as `dataContainerId`.
    pub fn container(mut self, container: impl Into<String>) -> Self {
        self.container = Some(container.into());
        self
    }

    /// `ExperimentRun/{container}/{path}`.
    fn prefix(&self) -> String {
        let container = match &self.container {
            Some(container) => container.clone(),
            None => format!("dcid.{}", self.run_id),
        };
        let path = self.path.trim_matches('/');
        let path = path.strip_prefix("./").unwrap_or(path);
        format!("ExperimentRun/{container}/{path}")
    }
}

#[derive(Debug, Clone)]
enum Origin {
    Path(PathBuf),
    Run(RunOutput),
}

/// A request to register a model: what [`Model::register`] and [`Model::register_from_run`] return. `.await`
/// sends it. It has no resume token: running it again is how it is resumed.
///
/// Sends: GET of the newest version and, if it was given the same metadata, of its asset; if it is the
/// same, that is all. For files: POSTs that announce them, up to 50 at a time; GET of a URL for each
/// that is there already; their content to the blob store, in blocks and several files at a time; the
/// GETs of the newest version once more. For the outputs of a run: GET of what is there. Then: POST of
/// the asset, POST of the model, and the GETs of the newest version again if its answer is lost. With
/// [`always_new`](Self::always_new) the newest version is never asked for.
///
/// Files are read twice, once for the name of their container. Memory does not grow with their size
/// or number: 32 MiB for blocks in all.
///
/// # Errors
///
/// - [`ErrorKind::Validation`] for a name that breaks the rules, and whatever else is wrong with it;
/// - [`ErrorKind::File`]: nothing there, unreadable, or changed while it was uploaded;
/// - [`ErrorKind::Service`] with the service's or the store's reason.
///
/// The error says whether a version may have been made; to run it again is safe, except with
/// [`always_new`](Self::always_new).
///
/// # Cancel safety
///
/// Safe: what is registered is one POST, and running it again finds out whether it arrived.
///
/// # Running it again
///
/// A registration that broke off is run again as it was, in this process or another: of large files
/// only what is missing is sent, and it ends in one version: the container of an upload is named
/// by the files' names and contents, and where the latest version of the name has the same files and
/// was given the same metadata, that version is the result. [`always_new`](Self::always_new) makes
/// a version all the same.
///
/// Two that run at the same time upload the same content to the same place, which does no harm; but
/// each may make a version, because the service cannot make a version on the condition that none exists.
#[must_use = "a request sends nothing before it is awaited"]
#[derive(Clone)]
pub struct RegisterModel {
    workspace: Workspace,
    name: String,
    origin: Origin,
    description: Option<String>,
    tags: BTreeMap<String, String>,
    properties: BTreeMap<String, String>,
    framework: Option<String>,
    framework_version: Option<String>,
    needs: Option<ResourceNeeds>,
    samples: Samples,
    always_new: bool,
    progress: Option<Callback>,
    options: CallOptions,
}

impl RegisterModel {
    pub(super) fn of_path(workspace: Workspace, name: String, path: PathBuf) -> Self {
        Self::of(workspace, name, Origin::Path(path))
    }

    pub(super) fn of_run(workspace: Workspace, name: String, output: RunOutput) -> Self {
        Self::of(workspace, name, Origin::Run(output))
    }

    fn of(workspace: Workspace, name: String, origin: Origin) -> Self {
        Self {
            workspace,
            name,
            origin,
            description: None,
            tags: BTreeMap::new(),
            properties: BTreeMap::new(),
            framework: None,
            framework_version: None,
            needs: None,
            samples: Samples::default(),
            always_new: false,
            progress: None,
            options: CallOptions::default(),
        }
    }

    call_options!();

    /// Sets the description, which is free text.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Adds a tag; tags may be changed later.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }

    /// Adds a property; properties stay as they are.
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(name.into(), value.into());
        self
    }

    /// Sets the framework: `Onnx`, `ScikitLearn`, `TensorFlow` and `Multi` can be deployed without code,
    /// `Custom` and others not. An open set.
    pub fn framework(mut self, framework: impl Into<String>) -> Self {
        self.framework = Some(framework.into());
        self
    }

    /// Sets the version of the framework, which needs one.
    pub fn framework_version(mut self, version: impl Into<String>) -> Self {
        self.framework_version = Some(version.into());
        self
    }

    /// Sets the resources that a deployment without code needs.
    pub fn resource_needs(mut self, needs: ResourceNeeds) -> Self {
        self.needs = Some(needs);
        self
    }

    /// Names a registered dataset, by its id, as a sample of what the model takes.
    pub fn sample_input_dataset(mut self, id: impl AsRef<str>) -> Self {
        self.samples.input = Some(dataset_url(id.as_ref()));
        self
    }

    /// Names a registered dataset, by its id, as a sample of what the model returns.
    pub fn sample_output_dataset(mut self, id: impl AsRef<str>) -> Self {
        self.samples.output = Some(dataset_url(id.as_ref()));
        self
    }

    /// Makes a version even if the latest one is the same.
    pub fn always_new(mut self) -> Self {
        self.always_new = true;
        self
    }

    /// Reports how far each file is.
    pub fn on_progress(
        mut self,
        progress: impl Fn(TransferProgress) + Send + Sync + 'static,
    ) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }
}

awaitable!([] RegisterModel => Model, 'static, |request| {
    async move {
        let name = request.name.clone();
        let options = request.options.clone();
        let done = options.run(request.run()).await;
        done.map_err(|error| error.with_context(|| format!("register model {name:?}")))
    }
    .boxed()
});

impl fmt::Debug for RegisterModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisterModel")
            .field("name", &self.name)
            .field("origin", &self.origin)
            .field("framework", &self.framework)
            .field("tags", &self.tags)
            .field("properties", &self.properties)
            .finish_non_exhaustive()
    }
}
