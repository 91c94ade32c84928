//! Registering: upload what is to be uploaded, make the asset, make the model.

use super::download::asset_of;
use super::files::LocalFiles;
use super::{Model, Uploads, artifacts, query};
use crate::blob::TransferProgress;
use crate::error::{Error, ErrorKind, Violation};
use crate::names::ModelName;
use crate::rules;
use crate::transport::{HttpRequest, Limit, Sending};
use crate::wire::{AssetResource, ModelResource, ResourceNeeds};
use crate::workspace::{DataPlane, Workspace};
use azure_core::http::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

type Callback = Arc<dyn Fn(TransferProgress) + Send + Sync>;

/// What a run has left among its outputs.
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
        experiment: impl Into<String>,
        run_id: impl Into<String>,
        path: impl Into<String>,
    ) -> Self {
        Self {
            experiment: experiment.into(),
            run_id: run_id.into(),
            path: path.into(),
            container: None,
        }
    }

    /// The id of the run's data container; `dcid.{run id}` by default, as the service calls it. The
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

/// A registration that begins when it is awaited: [`Model::register`], [`Model::register_from_run`].
///
/// # Running it again
///
/// A registration that broke off is run again as it was, in this process or another: of large files
/// only what is missing is sent, and it ends in one version. For the container of an upload is named
/// by the files' names and contents; and where the latest version of the name has the same files and
/// was given the same metadata, that version is the result. [`always_new`](Self::always_new) makes
/// a version all the same.
///
/// Two that run at the same time upload the same content to the same place, and do each other no harm; but
/// each may make a version, for the service has no way to make one only if there is none.
#[must_use = "nothing is sent before it is awaited"]
#[derive(Clone)]
pub struct ModelRegistration {
    workspace: Workspace,
    name: String,
    origin: Origin,
    description: Option<String>,
    tags: BTreeMap<String, String>,
    properties: BTreeMap<String, String>,
    framework: Option<String>,
    framework_version: Option<String>,
    needs: Option<ResourceNeeds>,
    always_new: bool,
    progress: Option<Callback>,
}

impl ModelRegistration {
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
            always_new: false,
            progress: None,
        }
    }

    /// Free text.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// A tag; tags may be changed later.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }

    /// A property; properties stay as they are.
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(name.into(), value.into());
        self
    }

    /// The framework: `Onnx`, `ScikitLearn`, `TensorFlow` and `Multi` can be deployed without code,
    /// `Custom` and others not. An open set.
    pub fn framework(mut self, framework: impl Into<String>) -> Self {
        self.framework = Some(framework.into());
        self
    }

    /// The version of the framework, which needs one.
    pub fn framework_version(mut self, version: impl Into<String>) -> Self {
        self.framework_version = Some(version.into());
        self
    }

    /// What a deployment without code needs.
    pub fn resource_needs(mut self, needs: ResourceNeeds) -> Self {
        self.needs = Some(needs);
        self
    }

    /// Makes a version even if the latest one is the same.
    pub fn always_new(mut self) -> Self {
        self.always_new = true;
        self
    }

    /// Tells how far each file is.
    pub fn on_progress(
        mut self,
        progress: impl Fn(TransferProgress) + Send + Sync + 'static,
    ) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// Registers the model.
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
    /// - [`ErrorKind::File`]: nothing there, empty, unreadable, or changed while it was uploaded;
    /// - [`ErrorKind::Service`] with the service's or the store's reason.
    ///
    /// The error says whether a version may have been made; to run it again is safe, except with
    /// [`always_new`](Self::always_new).
    ///
    /// # Cancel safety
    ///
    /// Safe: what is registered is one POST, and running it again finds out whether it arrived.
    pub async fn send(self) -> Result<Model, Error> {
        let name = self.name.clone();
        Box::pin(self.run())
            .await
            .map_err(|error| error.with_context(|| format!("register model {name:?}")))
    }

    async fn run(self) -> Result<Model, Error> {
        let name = self.check()?;
        // First what needs no service.
        let local = match &self.origin {
            Origin::Path(path) => {
                let path = path.clone();
                // Gone when this future is.
                let waiting = Arc::new(());
                let wanted = Arc::downgrade(&waiting);
                let files = blocking(move || LocalFiles::read(&path, &wanted)).await?;
                Some(Arc::new(files))
            }
            Origin::Run(_) => None,
        };
        let plane = self.workspace.data_plane().await?;
        let prefix = match (&self.origin, &local) {
            (_, Some(files)) => files.prefix(),
            (Origin::Run(output), None) => output.prefix(),
            (Origin::Path(_), None) => unreachable!("files are read above"),
        };
        // Before the upload: what is registered is whole, and stays as it is while others read it.
        if let Some(model) = self.found(plane, &name, &prefix).await? {
            return Ok(model);
        }
        match (&self.origin, local) {
            (_, Some(files)) => {
                self.upload(plane, files).await?;
                // And after it, for it may have taken hours.
                if let Some(model) = self.found(plane, &name, &prefix).await? {
                    return Ok(model);
                }
            }
            (Origin::Run(output), None) => {
                if !artifacts::any_below(plane, &prefix).await? {
                    return Err(Error::new(
                        ErrorKind::File,
                        format!("run {:?} has no output {:?}", output.run_id, output.path),
                    )
                    .with_remedy(
                        "give a path among the run's outputs, such as outputs/model.pkl",
                    ));
                }
            }
            (Origin::Path(_), None) => {}
        }
        let asset = self
            .make_asset(plane, &prefix)
            .await
            .map_err(nothing_is_registered)?;
        match self.make_model(plane, &asset).await {
            // Whether it arrived is seen in the list.
            Err(error) if is_uncertain(&error) && !self.always_new => {
                match self.same(plane, &name, &prefix).await {
                    Ok(Some(model)) => Ok(model),
                    _ => Err(error.with_remedy(
                        "the version may have been made; run the registration again, which finds it",
                    )),
                }
            }
            Err(error) if is_uncertain(&error) => Err(error.with_remedy(
                "the version may have been made: look at the latest one before you run it again, which \
                 always makes a new one",
            )),
            result => result.map_err(nothing_is_registered),
        }
    }

    /// The version that need not be made.
    async fn found(
        &self,
        plane: &DataPlane,
        name: &ModelName,
        prefix: &str,
    ) -> Result<Option<Model>, Error> {
        if self.always_new {
            return Ok(None);
        }
        let found = self.same(plane, name, prefix).await?;
        if let Some(model) = &found {
            tracing::debug!(model = model.id, "the latest version is the same");
        }
        Ok(found)
    }

    async fn upload(&self, plane: &DataPlane, local: Arc<LocalFiles>) -> Result<(), Error> {
        let container = &local.fingerprint;
        let files = local
            .files
            .iter()
            .map(|file| (file.name.clone(), file.source()));
        tracing::debug!(
            files = local.files.len(),
            bytes = local.size(),
            container,
            "upload a model"
        );
        let progress = self.progress.clone();
        let tell = move |transfer: TransferProgress| {
            if let Some(progress) = &progress {
                progress(transfer);
            }
        };
        Uploads::new(&self.workspace, plane, container)
            .send(files.collect(), &tell)
            .await
            .map_err(nothing_is_registered)?;
        blocking(move || local.unchanged()).await
    }

    /// The latest version, if it has the same files and was given the same metadata.
    async fn same(
        &self,
        plane: &DataPlane,
        name: &ModelName,
        prefix: &str,
    ) -> Result<Option<Model>, Error> {
        let Some(found) = query::newest(&self.workspace, name).await? else {
            return Ok(None);
        };
        if !self.describes(&found) {
            return Ok(None);
        }
        let asset = match asset_of(plane, found.url.as_deref()).await {
            Ok(asset) => asset,
            // Of another origin, or gone: not the same.
            Err(error) if error.is_not_found() || error.kind() == ErrorKind::Protocol => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let same = |artifact: &crate::wire::AssetArtifact| {
            artifact.prefix.as_deref().map(|own| own.trim_matches('/')) == Some(prefix)
        };
        match asset.artifacts.as_slice() {
            [one] if same(one) => Model::found(self.workspace.clone(), found).map(Some),
            _ => Ok(None),
        }
    }

    /// Whether a version has what this registration would give it. The service may add properties.
    fn describes(&self, found: &ModelResource) -> bool {
        let said = |own: &Option<String>, other: &Option<String>| {
            own.is_none() || own.as_deref() == other.as_deref()
        };
        let has = |own: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
            own.iter()
                .all(|(name, value)| other.get(name) == Some(value))
        };
        let (experiment, run) = self.run_of();
        said(&self.description, &found.description)
            && said(&self.framework, &found.framework)
            && said(&self.framework_version, &found.framework_version)
            && said(&experiment, &found.experiment_name)
            && said(&run, &found.run_id)
            && has(&self.tags, &found.tags)
            && has(&self.properties, &found.properties)
            && (self.needs.is_none() || self.needs == found.resource_requirements)
    }

    fn run_of(&self) -> (Option<String>, Option<String>) {
        match &self.origin {
            Origin::Path(_) => (None, None),
            Origin::Run(output) => (Some(output.experiment.clone()), Some(output.run_id.clone())),
        }
    }

    async fn make_asset(&self, plane: &DataPlane, prefix: &str) -> Result<String, Error> {
        let url = plane.model_management(&["assets"]);
        let body = asset_body(&self.name, prefix, self.run_of().1.as_deref());
        let request = HttpRequest::new(Method::Post, url).json(&body);
        let id = &request.client_request_id;
        // Made twice it does no harm: an asset is a note of where files are.
        let asset: AssetResource = plane
            .client()
            .send(&request, Sending::Retried, Limit::RESOURCE, None)
            .await?
            .successful(id)?
            .json(id)?;
        asset.id.filter(|id| !id.is_empty()).ok_or_else(|| {
            Error::new(
                ErrorKind::Protocol,
                "the service gave the asset of the model no id",
            )
        })
    }

    async fn make_model(&self, plane: &DataPlane, asset: &str) -> Result<Model, Error> {
        let url = plane.model_management(&["models"]);
        let request = HttpRequest::new(Method::Post, url).json(&self.model_body(asset));
        let id = &request.client_request_id;
        let resource: ModelResource = plane
            .client()
            .send(&request, Sending::Once, Limit::RESOURCE, None)
            .await?
            .successful(id)?
            .json(id)?;
        Model::found(self.workspace.clone(), resource)
    }

    fn model_body(&self, asset: &str) -> Value {
        let mut body = json!({
            "name": self.name,
            "mimeType": "application/json",
            "url": format!("aml://asset/{asset}"),
            "unpack": false,
        });
        let (experiment, run) = self.run_of();
        let text = |value: &Option<String>| value.clone().map(Value::String);
        let pairs = |pairs: &BTreeMap<String, String>| (!pairs.is_empty()).then(|| json!(pairs));
        for (key, value) in [
            ("description", text(&self.description)),
            ("kvTags", pairs(&self.tags)),
            ("properties", pairs(&self.properties)),
            ("framework", text(&self.framework)),
            ("frameworkVersion", text(&self.framework_version)),
            ("experimentName", text(&experiment)),
            ("runId", text(&run)),
            ("resourceRequirements", self.needs.map(needs_body)),
        ] {
            if let Some(value) = value {
                body[key] = value;
            }
        }
        body
    }

    fn check(&self) -> Result<ModelName, Error> {
        let mut found: Vec<Violation> = Vec::new();
        let name = ModelName::parse("name", &self.name)
            .map_err(|violations| found.extend(violations))
            .ok();
        if self.framework.is_none() && self.framework_version.is_some() {
            found.push(rules::MODEL_FRAMEWORK_MISSING.violation(
                "framework_version",
                self.framework_version.as_deref(),
                "the version of a framework is given without the framework",
                "name the framework, too",
            ));
        }
        if let Some(needs) = &self.needs {
            for (field, value) in [("cpu", needs.cpu), ("memory_gb", needs.memory_gb)] {
                if let Some(value) = value
                    && !(value.is_finite() && value > 0.0)
                {
                    found.push(rules::MODEL_NEEDS_POSITIVE.violation(
                        format!("resource_needs.{field}"),
                        Some(&value.to_string()),
                        "what a model needs is more than nothing",
                        "give a number above 0, or leave it out",
                    ));
                }
            }
        }
        if let Origin::Run(output) = &self.origin {
            for (field, value) in [
                ("experiment", Some(&output.experiment)),
                ("run_id", Some(&output.run_id)),
                ("path", Some(&output.path)),
                ("container", output.container.as_ref()),
            ] {
                let Some(value) = value else { continue };
                let value = value.trim_matches('/');
                // A URL loses a part that is a dot.
                let parts = match field {
                    "path" => value.strip_prefix("./").unwrap_or(value),
                    _ => value,
                };
                let parts = parts.split('/');
                let unsafe_part =
                    |part: &str| matches!(part, "" | "." | "..") || part.contains(char::is_control);
                let one = field == "path" || !value.contains('/');
                if !one || parts.clone().any(unsafe_part) {
                    found.push(rules::MODEL_RUN_OUTPUT.violation(
                        format!("output.{field}"),
                        Some(value),
                        "the text does not name an output of a run",
                        "give the experiment, the run and a path among its outputs",
                    ));
                }
            }
        }
        match name {
            Some(name) if found.is_empty() => Ok(name),
            _ => Err(Error::validation("model registration", found)),
        }
    }
}

impl IntoFuture for ModelRegistration {
    type Output = Result<Model, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    /// See [`send`](Self::send).
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for ModelRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelRegistration")
            .field("name", &self.name)
            .field("origin", &self.origin)
            .field("framework", &self.framework)
            .field("tags", &self.tags)
            .field("properties", &self.properties)
            .finish_non_exhaustive()
    }
}

fn asset_body(name: &str, prefix: &str, run: Option<&str>) -> Value {
    let mut body = json!({ "name": name, "artifacts": [{ "prefix": prefix }] });
    if let Some(run) = run {
        // So spelled in the description of the service.
        body["runid"] = json!(run);
    }
    body
}

fn needs_body(needs: ResourceNeeds) -> Value {
    let mut body = Map::new();
    for (key, value) in [
        ("cpu", needs.cpu.map(|value| json!(value))),
        ("memoryInGB", needs.memory_gb.map(|value| json!(value))),
        ("gpu", needs.gpu.map(|value| json!(value))),
    ] {
        body.extend(value.map(|value| (key.to_owned(), value)));
    }
    Value::Object(body)
}

/// Says so, unless there is more to say.
fn nothing_is_registered(error: Error) -> Error {
    match error.remedy() {
        Some(_) => error,
        None => error
            .with_remedy("nothing is registered; run it again, and only what is missing is sent"),
    }
}

/// Whether a request may have arrived although no good answer came.
fn is_uncertain(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Transport | ErrorKind::Timeout | ErrorKind::Protocol => true,
        ErrorKind::Service => error
            .http_status()
            .is_some_and(|status| status == 408 || status >= 500),
        _ => false,
    }
}

/// Runs what may wait for a disk, where it holds up nothing else.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(Error::new(
                ErrorKind::File,
                format!("the files could not be read: {error}"),
            ))
        })
}
