//! `model`: models, and their deployment.

use crate::args::{Named, Sure, Waiting, condition, pair};
use crate::connect::Session;
use crate::deployment::{AtFirst, Inference, Models, Settings, document};
use crate::failure::{Failure, Result};
use crate::foreign::{Foreign, OfDeploy};
use crate::output::{Columns, Shown};
use crate::service;
use crate::wait::wait_for;
use azureml_aks::{
    AksCompute, DeployConfiguration, Model, ModelQuery, ResourceNeeds, RunOutput, Workspace,
};
use clap::{Args, Subcommand};
use futures::TryStreamExt;
use futures::future::ready;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Registers a file or folder, or an output of a run.
    #[command(
        after_help = "Examples:\n  azureml-aks model register -n mymodel -p sklearn_regression_model.pkl\n  \
        azureml-aks model register -n mymodel --asset-path outputs/model.pkl -f runoutput.json -t registeredmodel.json"
    )]
    Register(Box<Register>),
    /// Lists models.
    #[command(after_help = "Example:\n  azureml-aks model list -n mymodel --latest -o table")]
    List(List),
    /// Shows a model.
    #[command(after_help = "Example:\n  azureml-aks model show -i mymodel:1")]
    Show(Show),
    /// Downloads the files of a model.
    #[command(after_help = "Example:\n  azureml-aks model download -i mymodel:1 -t .")]
    Download(Download),
    /// Changes tags, properties, the description, the resource needs or the sample datasets of a model.
    #[command(
        after_help = "Example:\n  azureml-aks model update -i mymodel:1 --add-tag stage=test"
    )]
    Update(Update),
    /// Deletes a model.
    #[command(after_help = "Example:\n  azureml-aks model delete -i mymodel:1 --yes")]
    Delete(Delete),
    /// Deploys models as a web service on AKS.
    #[command(
        after_help = "Examples:\n  azureml-aks model deploy --ct myaks -m mymodel:1 -n myservice --ic inferenceconfig.json --dc deploymentconfig.json\n  \
        azureml-aks model deploy -ct myaks -m mymodel:1 -n myservice -ic inferenceconfig.json -dc deploymentconfig.json"
    )]
    Deploy(Box<Deploy>),
}

#[derive(Debug, Args)]
pub(crate) struct Id {
    /// Model, as NAME:VERSION.
    #[arg(long = "model-id", short = 'i', value_name = "ID")]
    id: String,
}

/// The arguments of a deployment without code.
#[derive(Debug, Args)]
pub(crate) struct Needs {
    /// Cores.
    #[arg(long, visible_alias = "cc")]
    cpu_cores: Option<f64>,
    /// Memory in gigabytes.
    #[arg(long, visible_alias = "gb")]
    memory_gb: Option<f64>,
    /// GPUs.
    #[arg(long, visible_alias = "gc")]
    gpu_cores: Option<u32>,
}

impl Needs {
    fn of(&self) -> Option<ResourceNeeds> {
        let mut needs = ResourceNeeds::new();
        (needs.cpu, needs.memory_gb, needs.gpu) = (self.cpu_cores, self.memory_gb, self.gpu_cores);
        (needs != ResourceNeeds::new()).then_some(needs)
    }
}

/// The datasets that show what a model takes and returns.
#[derive(Debug, Args)]
pub(crate) struct Samples {
    /// Id of a registered dataset: a sample of what the model takes.
    #[arg(long, value_name = "ID")]
    sample_input_dataset_id: Option<String>,
    /// Id of a registered dataset: a sample of what the model returns.
    #[arg(long, value_name = "ID")]
    sample_output_dataset_id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Register {
    #[command(flatten)]
    named: Named,
    /// File or folder.
    #[arg(long, short = 'p', conflicts_with = "asset_path")]
    model_path: Option<PathBuf>,
    /// Path among the outputs of a run.
    #[arg(long)]
    asset_path: Option<String>,
    /// Id of the run.
    #[arg(long, short)]
    run_id: Option<String>,
    /// File of the run, with run_id and _experiment_name.
    #[arg(long, short = 'f', value_name = "FILE", conflicts_with_all = ["run_id"])]
    run_metadata_file: Option<PathBuf>,
    /// Experiment of the run.
    #[arg(long)]
    experiment_name: Option<String>,
    /// TensorFlow, ScikitLearn, Onnx, Multi or Custom.
    #[arg(long)]
    model_framework: Option<String>,
    /// Version of the framework.
    #[arg(long)]
    model_framework_version: Option<String>,
    /// Text about the model.
    #[arg(long, short)]
    description: Option<String>,
    /// Tag, as KEY=VALUE.
    #[arg(long, value_parser = pair, value_name = "KEY=VALUE")]
    tag: Vec<(String, String)>,
    /// Property, as KEY=VALUE.
    #[arg(long, value_parser = pair, value_name = "KEY=VALUE")]
    property: Vec<(String, String)>,
    #[command(flatten)]
    needs: Needs,
    #[command(flatten)]
    samples: Samples,
    /// Write a file with the id, which `model deploy -f` takes.
    #[arg(long, short = 't', value_name = "FILE")]
    output_metadata_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Name of the models.
    #[arg(long, short = 'n')]
    model_name: Option<String>,
    /// The newest version of each name alone.
    #[arg(long, short)]
    latest: bool,
    /// Tag, as KEY or KEY=VALUE.
    #[arg(long, value_parser = condition, value_name = "KEY[=VALUE]")]
    tag: Vec<(String, Option<String>)>,
    /// Property, as KEY or KEY=VALUE.
    #[arg(long, value_parser = condition, value_name = "KEY[=VALUE]")]
    property: Vec<(String, Option<String>)>,
    /// Run that made the models.
    #[arg(long)]
    run_id: Option<String>,
    /// Only models that refer to the dataset of this id.
    #[arg(long)]
    dataset_id: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Show {
    /// Model, as NAME:VERSION.
    #[arg(
        long = "model-id",
        short = 'i',
        value_name = "ID",
        conflicts_with = "name"
    )]
    id: Option<String>,
    /// Name of the model.
    #[arg(long = "model-name", short = 'n')]
    name: Option<String>,
    /// Its version [default: the latest].
    #[arg(long, requires = "name")]
    version: Option<u64>,
    /// Run that created the model; only versions of this run are considered.
    #[arg(long, requires = "name")]
    run_id: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Download {
    #[command(flatten)]
    id: Id,
    /// Folder for the files.
    #[arg(long, short, value_name = "FOLDER")]
    target_dir: PathBuf,
    /// Replace files that are there.
    #[arg(long)]
    overwrite: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    id: Id,
    /// Tag to set, as KEY=VALUE.
    #[arg(long, value_parser = pair, value_name = "KEY=VALUE")]
    add_tag: Vec<(String, String)>,
    /// Tag to remove.
    #[arg(long, value_name = "KEY")]
    remove_tag: Vec<String>,
    /// Property to add, as KEY=VALUE.
    #[arg(long, value_parser = pair, value_name = "KEY=VALUE")]
    add_property: Vec<(String, String)>,
    /// Text about the model.
    #[arg(long)]
    description: Option<String>,
    #[command(flatten)]
    needs: Needs,
    #[command(flatten)]
    samples: Samples,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    id: Id,
    #[command(flatten)]
    sure: Sure,
}

#[derive(Debug, Args)]
pub(crate) struct Deploy {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    models: Models,
    /// Update the service when the name is taken.
    #[arg(long)]
    overwrite: bool,
    /// Send the request even if the checks of the service find errors in it.
    #[arg(long)]
    despite_findings: bool,
    #[command(flatten)]
    pub(crate) first: AtFirst,
    #[command(flatten)]
    inference: Inference,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    waiting: Waiting,
    #[command(flatten)]
    _foreign: Foreign<OfDeploy>,
}

const MODEL: Columns = &[
    ("Name", "/name"),
    ("Version", "/version"),
    ("Framework", "/framework"),
    ("FrameworkVersion", "/frameworkVersion"),
    ("CreatedTime", "/createdTime"),
    ("Tags", "/tags"),
    ("Properties", "/properties"),
    ("ExperimentName", "/experimentName"),
    ("RunId", "/runId"),
];

pub(crate) async fn run(session: &Session, command: Command) -> Result<Shown> {
    let workspace = session.workspace().await?;
    match command {
        Command::Register(register) => self::register(session, &workspace, *register).await,
        Command::List(list) => {
            let models = Model::list(&workspace, list.query());
            let models: Vec<Model> = session
                .unless_interrupted(None, models.try_collect())
                .await?;
            let rows = models.iter().map(|model| {
                let whole = shape(session, model);
                if session.global.whole {
                    return whole;
                }
                const KEYS: [&str; 6] = [
                    "createdTime",
                    "framework",
                    "frameworkVersion",
                    "id",
                    "name",
                    "version",
                ];
                Value::Object(
                    KEYS.iter()
                        .map(|key| ((*key).to_owned(), whole[key].clone()))
                        .collect(),
                )
            });
            Ok(Shown::table(rows.collect(), &MODEL[..5]))
        }
        Command::Show(show) => {
            let model = show.find(session, &workspace).await?;
            Ok(Shown::table(shape(session, &model), MODEL))
        }
        Command::Download(download) => {
            let model = get(session, &workspace, &download.id.id).await?;
            let files = model
                .download(&download.target_dir)
                .overwrite(download.overwrite);
            let files = session
                .unless_interrupted(None, files.into_future())
                .await?;
            Ok(Shown::new(
                files
                    .iter()
                    .map(|file| file.display().to_string())
                    .collect(),
            ))
        }
        Command::Update(update) => {
            let mut model = get(session, &workspace, &update.id.id).await?;
            let mut request = model.update();
            if let Some(text) = update.description {
                request = request.description(text);
            }
            for (name, value) in update.add_tag {
                request = request.tag(name, value);
            }
            for name in update.remove_tag {
                request = request.remove_tag(name);
            }
            for (name, value) in update.add_property {
                request = request.property(name, value);
            }
            if let Some(needs) = update.needs.of() {
                request = request.resource_needs(needs);
            }
            if let Some(id) = update.samples.sample_input_dataset_id {
                request = request.sample_input_dataset(id);
            }
            if let Some(id) = update.samples.sample_output_dataset_id {
                request = request.sample_output_dataset(id);
            }
            session
                .unless_interrupted(None, request.into_future())
                .await?;
            Ok(Shown::table(shape(session, &model), MODEL))
        }
        Command::Delete(delete) => {
            session.confirm(
                delete.sure.yes,
                &format!("The model {} is deleted.", delete.id.id),
            )?;
            let model = get(session, &workspace, &delete.id.id).await?;
            session
                .unless_interrupted(None, model.delete().into_future())
                .await?;
            Ok(Shown::new(json!({ "id": model.id() })))
        }
        Command::Deploy(deploy) => self::deploy(session, &workspace, *deploy).await,
    }
}

async fn get(session: &Session, workspace: &Workspace, id: &str) -> Result<Model> {
    session
        .unless_interrupted(None, Model::get(workspace, id))
        .await
}

impl Show {
    async fn find(&self, session: &Session, workspace: &Workspace) -> Result<Model> {
        let name = match (&self.id, &self.name) {
            (Some(id), _) => return get(session, workspace, id).await,
            (None, Some(name)) => name,
            (None, None) => {
                return Err(Failure::usage("--model-id/-i or --model-name/-n is needed"));
            }
        };
        let Some(run) = &self.run_id else {
            return match self.version {
                Some(version) => get(session, workspace, &format!("{name}:{version}")).await,
                None => {
                    session
                        .unless_interrupted(None, Model::latest(workspace, name))
                        .await
                }
            };
        };
        // The newest comes first.
        let models = Model::list(workspace, ModelQuery::new().name(name).run_id(run));
        let version = self.version;
        let mut models =
            models.try_filter(move |model| ready(version.is_none() || model.version() == version));
        let found = session.unless_interrupted(None, models.try_next()).await?;
        found.ok_or_else(|| {
            let version = version.map(|version| format!(" {version}"));
            let version = version.unwrap_or_default();
            Failure::not_found(format!(
                "run {run:?} made no version{version} of model {name:?}"
            ))
        })
    }
}

impl List {
    fn query(self) -> ModelQuery {
        let mut query = ModelQuery::new();
        if let Some(name) = self.model_name {
            query = query.name(name);
        }
        if self.latest {
            query = query.latest_only();
        }
        if let Some(id) = self.run_id {
            query = query.run_id(id);
        }
        if let Some(id) = self.dataset_id {
            query = query.dataset_id(id);
        }
        for (name, value) in self.tag {
            query = match value {
                Some(value) => query.tag(name, value),
                None => query.has_tag(name),
            };
        }
        for (name, value) in self.property {
            query = match value {
                Some(value) => query.property(name, value),
                None => query.has_property(name),
            };
        }
        query
    }
}

async fn register(session: &Session, workspace: &Workspace, register: Register) -> Result<Shown> {
    let name = &register.named.name;
    let mut request = match (&register.model_path, &register.asset_path) {
        (Some(path), _) => Model::register(workspace, name, path),
        (None, Some(path)) => {
            let (experiment, run) = register.run()?;
            Model::register_from_run(workspace, name, RunOutput::new(experiment, run, path))
        }
        (None, None) => return Err(Failure::usage("--model-path/-p or --asset-path is needed")),
    };
    macro_rules! set {
        ($($field:ident => $setter:ident),*) => { $(if let Some(value) = &register.$field { request = request.$setter(value); })* };
    }
    set!(model_framework => framework, model_framework_version => framework_version, description => description);
    for (name, value) in &register.tag {
        request = request.tag(name, value);
    }
    for (name, value) in &register.property {
        request = request.property(name, value);
    }
    if let Some(needs) = register.needs.of() {
        request = request.resource_needs(needs);
    }
    if let Some(id) = &register.samples.sample_input_dataset_id {
        request = request.sample_input_dataset(id);
    }
    if let Some(id) = &register.samples.sample_output_dataset_id {
        request = request.sample_output_dataset(id);
    }
    let model = session
        .unless_interrupted(None, request.into_future())
        .await?;
    session.warn_of(model.warnings());
    if let Some(file) = &register.output_metadata_file {
        model.write_metadata(file)?;
    }
    Ok(Shown::table(shape(session, &model), MODEL))
}

impl Register {
    /// The experiment and the id of the run.
    fn run(&self) -> Result<(String, String)> {
        let file = self
            .run_metadata_file
            .as_ref()
            .map(|file| document(file))
            .transpose()?;
        let of_file = |key: &str| Some(file.as_ref()?.get(key)?.as_str()?.to_owned());
        let run = self.run_id.clone().or_else(|| of_file("run_id"));
        let experiment = self
            .experiment_name
            .clone()
            .or_else(|| of_file("_experiment_name"));
        match (experiment, run) {
            (Some(experiment), Some(run)) => Ok((experiment, run)),
            _ => Err(Failure::usage(
                "--asset-path needs the run: --experiment-name and --run-id/-r, or --run-metadata-file/-f",
            )),
        }
    }
}

impl Deploy {
    /// The compute and the configuration, which preflight takes too.
    pub(crate) async fn target(
        &self,
        session: &Session,
        workspace: &Workspace,
    ) -> Result<(AksCompute, DeployConfiguration)> {
        let configuration = self.settings.configuration(&self.first)?;
        session.warn_of(configuration.warnings());
        let name = self
            .first
            .compute_target
            .as_deref()
            .or(configuration.compute_target_name());
        let name = name.ok_or_else(|| {
            Failure::usage("--compute-target (--ct), or computeTargetName in the deployment configuration, is needed")
        })?;
        let target = session
            .unless_interrupted(None, AksCompute::get(workspace, name))
            .await?;
        Ok((target, configuration))
    }
}

async fn deploy(session: &Session, workspace: &Workspace, deploy: Deploy) -> Result<Shown> {
    if deploy.models.is_empty() {
        return Err(Failure::usage(
            "--model/-m or --model-metadata-file/-f is needed",
        ));
    }
    // Files first: what is wrong with them is known before anything is asked.
    let inference = deploy.inference.configuration()?;
    let (target, configuration) = deploy.target(session, workspace).await?;
    let models = deploy.models.read(session, workspace).await?;
    let name = &deploy.named.name;
    let request = match (inference, models.as_slice()) {
        (Some(inference), models) => {
            session.warn_of(inference.warnings());
            Model::deploy(workspace, name, models, inference, configuration, &target)
        }
        (None, [model]) => model.deploy_without_code(name, configuration, &target),
        (None, _) => {
            return Err(Failure::usage(
                "without an inference configuration (--ic) there must be exactly one model",
            ));
        }
    };
    let mut request = request.overwrite(deploy.overwrite);
    if deploy.despite_findings {
        request = request.despite_findings();
    }
    let prepared = session.unless_interrupted(None, request.prepare()).await?;
    let mut service = session.send(prepared).await?;
    session.warn_of(service.warnings());
    if wait_for!(
        session,
        deploy.waiting.no_wait,
        service,
        wait_for_deployment
    )
    .is_none()
    {
        return Ok(Shown::nothing());
    }
    Ok(service::shown(session, service.resource()))
}

/// The main members of a model as the original shows them, or all with `-v`.
fn shape(session: &Session, model: &Model) -> Value {
    let resource = model.resource();
    if session.global.whole {
        return resource.to_value();
    }
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let map = |map: &std::collections::BTreeMap<String, String>| {
        if map.is_empty() {
            json!("")
        } else {
            json!(map)
        }
    };
    let dataset = |key: &str| {
        let url = resource.other.get(key).and_then(Value::as_str);
        url.map_or("", |url| url.strip_prefix("aml://dataset/").unwrap_or(url))
    };
    let needs = resource.resource_requirements.unwrap_or_default();
    let number = |number: Option<Value>| number.unwrap_or_else(|| json!(""));
    json!({
        "cpu": number(needs.cpu.map(Value::from)),
        "createdTime": text(&resource.created_time),
        "description": text(&resource.description),
        "experimentName": text(&resource.experiment_name),
        "framework": text(&resource.framework),
        "frameworkVersion": resource.framework_version,
        "gpu": number(needs.gpu.map(Value::from)),
        "id": model.id(),
        "memoryInGB": number(needs.memory_gb.map(Value::from)),
        "name": model.name(),
        "properties": map(&resource.properties),
        "runId": text(&resource.run_id),
        "sampleInputDatasetId": dataset("sampleInputData"),
        "sampleOutputDatasetId": dataset("sampleOutputData"),
        "tags": map(&resource.tags),
        "version": model.version(),
    })
}
