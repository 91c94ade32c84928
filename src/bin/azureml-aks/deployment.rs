//! The common part of `model deploy` and `service update`: the two configuration files, and the flags that win over
//! their keys.

use crate::args::{boolean, pair};
use crate::connect::Session;
use crate::failure::{Failure, Result};
use crate::schema;
use azureml_aks::{
    DeployConfiguration, EnvironmentRef, InferenceConfiguration, Model, ServiceUpdate, Workspace,
};
use clap::Args;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// The models of a service.
#[derive(Debug, Args)]
pub(crate) struct Models {
    /// Registered model, as NAME:VERSION.
    #[arg(long = "model", short)]
    pub(crate) models: Vec<String>,
    /// File that `model register --output-metadata-file` wrote.
    #[arg(long = "model-metadata-file", short = 'f', value_name = "FILE")]
    pub(crate) metadata: Vec<PathBuf>,
}

/// The options for what runs in a service.
#[derive(Debug, Args)]
#[command(next_help_heading = "What runs")]
pub(crate) struct Inference {
    /// Inference configuration, JSON or YAML.
    #[arg(
        long = "inference-config-file",
        visible_alias = "ic",
        value_name = "FILE"
    )]
    inference_file: Option<PathBuf>,
    /// Script with init() and run(), relative to the source directory.
    #[arg(long, visible_alias = "es", value_name = "FILE")]
    entry_script: Option<PathBuf>,
    /// Folder that is uploaded.
    #[arg(long, visible_alias = "sd", value_name = "FOLDER")]
    source_directory: Option<PathBuf>,
    /// python, spark-py or python-slim.
    #[arg(long, visible_alias = "rt")]
    runtime: Option<String>,
    /// Conda file.
    #[arg(long, visible_alias = "cf", value_name = "FILE")]
    conda_file: Option<PathBuf>,
    /// File with further steps of the Dockerfile.
    #[arg(long, visible_alias = "ds", value_name = "FILE")]
    extra_docker_file_steps: Option<PathBuf>,
    /// Base image.
    #[arg(long, visible_alias = "bi", value_name = "IMAGE")]
    base_image: Option<String>,
    /// Registry of the base image.
    #[arg(long, visible_alias = "ir", value_name = "HOST")]
    base_image_registry: Option<String>,
    /// Take an image for GPUs.
    #[arg(long, visible_alias = "eg", value_parser = boolean, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    enable_gpu: Option<bool>,
    /// Version of CUDA.
    #[arg(long, visible_alias = "cv", value_name = "VERSION")]
    cuda_version: Option<String>,
    /// Registered environment; one in the file wins.
    #[arg(long, short, value_name = "NAME")]
    environment_name: Option<String>,
    /// Folder with azureml_environment.json, as `az ml environment scaffold` creates it. An environment in the file of the
    /// configuration takes precedence.
    #[arg(
        long,
        visible_alias = "ed",
        conflicts_with = "environment_name",
        value_name = "FOLDER"
    )]
    environment_directory: Option<PathBuf>,
    /// Its version [default: the latest].
    #[arg(
        long,
        visible_alias = "ev",
        requires = "environment_name",
        value_name = "VERSION"
    )]
    environment_version: Option<String>,
}

/// The limits of a service. Each flag wins over the same key of the file.
#[derive(Debug, Args)]
#[command(next_help_heading = "What it may use")]
pub(crate) struct Settings {
    /// Deployment configuration, JSON or YAML.
    #[arg(long = "deploy-config-file", visible_alias = "dc", value_name = "FILE")]
    settings_file: Option<PathBuf>,
    /// Cores.
    #[arg(long, visible_alias = "cc")]
    cpu_cores: Option<f64>,
    /// Most cores.
    #[arg(long, visible_alias = "ccl")]
    cpu_cores_limit: Option<f64>,
    /// Memory in gigabytes.
    #[arg(long, visible_alias = "gb")]
    memory_gb: Option<f64>,
    /// Most memory in gigabytes.
    #[arg(long, visible_alias = "gbl")]
    memory_gb_limit: Option<f64>,
    /// GPUs.
    #[arg(long, visible_alias = "gc")]
    gpu_cores: Option<u32>,
    /// A fixed number of replicas.
    #[arg(long, visible_alias = "nr")]
    num_replicas: Option<u32>,
    /// Let the number of replicas follow the load.
    #[arg(long, visible_alias = "as", value_parser = boolean, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    autoscale_enabled: Option<bool>,
    /// The fewest replicas.
    #[arg(long, visible_alias = "mi")]
    autoscale_min_replicas: Option<u32>,
    /// The most replicas.
    #[arg(long, visible_alias = "ma")]
    autoscale_max_replicas: Option<u32>,
    /// Seconds between two decisions.
    #[arg(long, visible_alias = "ar")]
    autoscale_refresh_seconds: Option<u32>,
    /// Percentage of busy replicas that is aimed at.
    #[arg(long, visible_alias = "at")]
    autoscale_target_utilization: Option<u32>,
    /// Ask callers for a key.
    #[arg(long, visible_alias = "ae", value_parser = boolean, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    auth_enabled: Option<bool>,
    /// Ask callers for a token.
    #[arg(long, value_parser = boolean, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    token_auth_enabled: Option<bool>,
    /// Application Insights.
    #[arg(long, visible_alias = "ai", value_parser = boolean, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    enable_app_insights: Option<bool>,
    /// Collect inputs and outputs of the model.
    #[arg(long, visible_alias = "md", value_parser = boolean, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    collect_model_data: Option<bool>,
    /// Milliseconds until a request to score ends.
    #[arg(long, visible_alias = "tm")]
    scoring_timeout_ms: Option<u32>,
    /// Requests that a replica serves at once.
    #[arg(long, visible_alias = "rm")]
    replica_max_concurrent_requests: Option<u32>,
    /// Milliseconds that a request waits for a replica; then the answer is 503.
    #[arg(long, visible_alias = "mr")]
    max_request_wait_time: Option<u32>,
    /// Seconds between two probes of a replica.
    #[arg(long, visible_alias = "ps")]
    period_seconds: Option<u32>,
    /// Seconds until the first probe.
    #[arg(long, visible_alias = "id")]
    initial_delay_seconds: Option<u32>,
    /// Seconds until a probe counts as failed.
    #[arg(long, visible_alias = "ts")]
    timeout_seconds: Option<u32>,
    /// Probes in a row until a replica is ready.
    #[arg(long, visible_alias = "st")]
    success_threshold: Option<u32>,
    /// Failed probes in a row until a replica is replaced.
    #[arg(long, visible_alias = "ft")]
    failure_threshold: Option<u32>,
}

/// The options that only a new service takes.
#[derive(Debug, Args)]
pub(crate) struct AtFirst {
    /// Compute to deploy to.
    #[arg(long, visible_alias = "ct", value_name = "NAME")]
    pub(crate) compute_target: Option<String>,
    /// Kind of compute; without it the deployment configuration has to say `AKS`.
    #[arg(long, visible_alias = "cp", value_name = "KIND")]
    compute_type: Option<String>,
    /// Own primary key. Other users of this machine can see it in the list of processes.
    #[arg(long, visible_alias = "kp", value_name = "KEY")]
    primary_key: Option<String>,
    /// Own secondary key.
    #[arg(long, visible_alias = "ks", value_name = "KEY")]
    secondary_key: Option<String>,
    /// Namespace of Kubernetes.
    #[arg(long)]
    namespace: Option<String>,
    /// File of a profile, with cpu and memoryInGB. They win over all else.
    #[arg(long, visible_alias = "pi", value_name = "FILE")]
    profile_input: Option<PathBuf>,
    /// Text about the service.
    #[arg(long)]
    description: Option<String>,
    /// Tag, as KEY=VALUE.
    #[arg(long, value_parser = pair, value_name = "KEY=VALUE")]
    tag: Vec<(String, String)>,
    /// Property, as KEY=VALUE.
    #[arg(long, value_parser = pair, value_name = "KEY=VALUE")]
    property: Vec<(String, String)>,
}

impl Models {
    pub(crate) fn is_empty(&self) -> bool {
        self.models.is_empty() && self.metadata.is_empty()
    }

    pub(crate) async fn read(
        &self,
        session: &Session,
        workspace: &Workspace,
    ) -> Result<Vec<Model>> {
        let mut models = Vec::new();
        for id in &self.models {
            models.push(
                session
                    .unless_interrupted(None, Model::get(workspace, id))
                    .await?,
            );
        }
        for file in &self.metadata {
            models.push(
                session
                    .unless_interrupted(None, Model::from_metadata(workspace, file))
                    .await?,
            );
        }
        Ok(models)
    }
}

impl Inference {
    /// The configuration, or nothing where neither a file nor a flag says anything.
    pub(crate) fn configuration(&self) -> Result<Option<InferenceConfiguration>> {
        let mut flat = self.flat();
        if let Some(folder) = &self.environment_directory {
            flat.insert("environment".to_owned(), environment(folder)?);
        }
        let mut builder = match (&self.inference_file, flat.is_empty()) {
            (Some(file), true) => InferenceConfiguration::builder_from_file(file)?,
            (None, true) => InferenceConfiguration::builder(),
            (file, false) => {
                let mut document = match file {
                    Some(file) => {
                        // Errors in the text are reported later, as without flags.
                        let _ = InferenceConfiguration::builder_from_file(file)?;
                        configuration(file, schema::INFERENCE)?
                    }
                    None => Map::new(),
                };
                // An environment in the file takes the place of all of these.
                if document.get("environment").is_none_or(Value::is_null) {
                    document.extend(flat);
                }
                let base = file
                    .as_ref()
                    .and_then(|file| file.parent())
                    .unwrap_or(Path::new(""));
                InferenceConfiguration::builder_from_text(
                    &Value::Object(document).to_string(),
                    base,
                )?
            }
        };
        let in_file = match &self.inference_file {
            Some(file) if self.environment_name.is_some() => document(file)?
                .get("environment")
                .is_some_and(|it| !it.is_null()),
            _ => false,
        };
        if let (Some(name), false) = (&self.environment_name, in_file) {
            builder = builder.environment(match &self.environment_version {
                Some(version) => EnvironmentRef::version(name, version),
                None => EnvironmentRef::latest(name),
            });
        }
        if let Some(script) = &self.entry_script {
            builder = builder.entry_script(script);
        }
        if let Some(folder) = &self.source_directory {
            builder = builder.source_directory(folder);
        }
        let nothing = self.inference_file.is_none()
            && self.flat().is_empty()
            && self.environment_directory.is_none()
            && self.environment_name.is_none()
            && self.entry_script.is_none()
            && self.source_directory.is_none();
        if nothing {
            return Ok(None);
        }
        Ok(Some(builder.build()?))
    }

    /// The flags that are keys of the file's form of 2019. Their files are looked for from the working directory.
    fn flat(&self) -> Map<String, Value> {
        let file = |path: &Option<PathBuf>| {
            let path = std::path::absolute(path.as_ref()?).ok()?;
            Some(Value::from(path.display().to_string()))
        };
        let members = [
            ("runtime", self.runtime.clone().map(Value::from)),
            ("condaFile", file(&self.conda_file)),
            ("extraDockerfileSteps", file(&self.extra_docker_file_steps)),
            ("baseImage", self.base_image.clone().map(Value::from)),
            (
                "baseImageRegistry",
                self.base_image_registry
                    .as_ref()
                    .map(|address| json!({ "address": address })),
            ),
            ("enableGpu", self.enable_gpu.map(Value::from)),
            ("cudaVersion", self.cuda_version.clone().map(Value::from)),
        ];
        members
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect()
    }
}

impl Settings {
    /// The keys of the file that the flags are, with their values.
    fn keys(&self) -> Vec<(&'static str, Value)> {
        macro_rules! keys {
            ($($field:ident => $key:literal),* $(,)?) => {
                [$(($key, self.$field.map(Value::from))),*]
            };
        }
        let keys = keys!(
            cpu_cores => "containerResourceRequirements.cpu",
            cpu_cores_limit => "containerResourceRequirements.cpuLimit",
            memory_gb => "containerResourceRequirements.memoryInGB",
            memory_gb_limit => "containerResourceRequirements.memoryInGBLimit",
            gpu_cores => "gpuCores",
            num_replicas => "numReplicas",
            autoscale_enabled => "autoScaler.autoscaleEnabled",
            autoscale_min_replicas => "autoScaler.minReplicas",
            autoscale_max_replicas => "autoScaler.maxReplicas",
            autoscale_refresh_seconds => "autoScaler.refreshPeriodInSeconds",
            autoscale_target_utilization => "autoScaler.targetUtilization",
            auth_enabled => "authEnabled",
            token_auth_enabled => "tokenAuthEnabled",
            enable_app_insights => "appInsightsEnabled",
            collect_model_data => "dataCollection.storageEnabled",
            scoring_timeout_ms => "scoringTimeoutMs",
            replica_max_concurrent_requests => "maxConcurrentRequestsPerContainer",
            max_request_wait_time => "maxQueueWaitMs",
            period_seconds => "livenessProbeRequirements.periodSeconds",
            initial_delay_seconds => "livenessProbeRequirements.initialDelaySeconds",
            timeout_seconds => "livenessProbeRequirements.timeoutSeconds",
            success_threshold => "livenessProbeRequirements.successThreshold",
            failure_threshold => "livenessProbeRequirements.failureThreshold",
        );
        let mut keys: Vec<_> = keys
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect();
        let scaled = keys.iter().any(|(key, _)| key.starts_with("autoScaler."));
        // As the original: the autoscaler is on as soon as one of its flags is given.
        if scaled && self.autoscale_enabled.is_none() {
            keys.push(("autoScaler.autoscaleEnabled", true.into()));
        }
        keys
    }

    /// The configuration of a new service.
    pub(crate) fn configuration(&self, first: &AtFirst) -> Result<DeployConfiguration> {
        let kind = first.compute_type.as_deref();
        if let Some(kind) = kind.filter(|kind| !kind.eq_ignore_ascii_case("aks")) {
            return Err(Failure::usage(format!(
                "--compute-type {kind}: this program deploys to AKS alone"
            )));
        }
        if self.settings_file.is_none() && kind.is_none() {
            return Err(Failure::usage(
                "--deploy-config-file (--dc) or --compute-type (--cp) is needed",
            ));
        }
        let mut keys = self.keys();
        let texts = [
            ("keys.primaryKey", &first.primary_key),
            ("keys.secondaryKey", &first.secondary_key),
            ("namespace", &first.namespace),
        ];
        keys.extend(
            texts
                .into_iter()
                .filter_map(|(key, value)| Some((key, Value::from(value.clone()?)))),
        );
        if let Some(file) = &first.profile_input {
            let profile = document(file)?;
            for (from, to) in [
                ("cpu", "containerResourceRequirements.cpu"),
                ("memoryInGB", "containerResourceRequirements.memoryInGB"),
            ] {
                if let Some(value) = profile.get(from).filter(|value| !value.is_null()) {
                    keys.push((to, value.clone()));
                }
            }
        }
        let mut builder = self
            .builder(keys, kind.is_some())?
            .tags(first.tag.clone())
            .properties(first.property.clone());
        if let Some(text) = &first.description {
            builder = builder.description(text);
        }
        Ok(builder.build()?)
    }

    fn builder(
        &self,
        keys: Vec<(&str, Value)>,
        kind_given: bool,
    ) -> Result<azureml_aks::DeployConfigurationBuilder> {
        let mut document = match (&self.settings_file, keys.is_empty()) {
            (Some(file), true) if !kind_given => {
                return Ok(DeployConfiguration::builder_from_file(file)?);
            }
            (Some(file), _) => {
                // Errors in the text are reported later, as without flags.
                let _ = DeployConfiguration::builder_from_file(file)?;
                configuration(file, schema::DEPLOYMENT)?
            }
            (None, _) => Map::new(),
        };
        if kind_given || self.settings_file.is_none() {
            document.insert("computeType".to_owned(), "AKS".into());
        }
        for (path, value) in keys {
            set(&mut document, path, value);
        }
        Ok(DeployConfiguration::builder_from_text(
            &Value::Object(document).to_string(),
        )?)
    }

    /// Returns the change of a service, if there is one.
    pub(crate) fn update(&self, session: &Session) -> Result<Option<ServiceUpdate>> {
        let keys = self.keys();
        if keys.is_empty() && self.settings_file.is_none() {
            return Ok(None);
        }
        let given = self.builder(keys, false)?.build()?;
        let mut update = ServiceUpdate::builder();
        macro_rules! take {
            ($($field:ident),*) => { $(if let Some(value) = given.$field() { update = update.$field(value.clone()); })* };
        }
        take!(
            app_insights,
            auth,
            collect_model_data,
            cpu_cores,
            cpu_cores_limit,
            gpu_cores,
            fpga_devices,
            liveness_probe,
            max_concurrent_requests,
            max_queue_wait,
            memory_gb,
            memory_gb_limit,
            replicas,
            scoring_timeout
        );
        if let Some(namespace) = given.namespace() {
            update = update.namespace(namespace);
        }
        let update = update.build()?;
        // The caller prints those of the update.
        let own: Vec<String> = update.warnings().iter().map(ToString::to_string).collect();
        let of_file = given.warnings().iter();
        session.warn_of(of_file.filter(|finding| !own.contains(&finding.to_string())));
        if let Some(file) = &self.settings_file
            && document(file)?
                .get("keys")
                .is_some_and(|keys| !keys.is_null())
        {
            session.warn(format!(
                "{}: the keys are left out, because an update does not change keys; `azureml-aks service regen-key \
                 --set-key VALUE` does",
                file.display()
            ));
        }
        Ok(Some(update))
    }
}

/// The environment of a folder, as `azureml-core`'s `Environment.load_from_directory` reads it: the files beside the
/// definition win over its members.
fn environment(folder: &Path) -> Result<Value> {
    let mut members = document(&folder.join("azureml_environment.json"))?;
    let conda = folder.join("conda_dependencies.yml");
    if conda.is_file() {
        let conda = document(&conda)?;
        set(&mut members, "python.condaDependencies", conda.into());
    }
    let steps = folder.join("BaseDockerfile");
    if steps.is_file() {
        let text = std::fs::read_to_string(&steps).map_err(|error| Failure::file(&steps, error))?;
        set(&mut members, "docker.baseDockerfile", text.into());
    }
    Ok(members.into())
}

/// The members of a file, YAML or JSON.
pub(crate) fn document(file: &Path) -> Result<Map<String, Value>> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::file(file, error))?;
    let text = text.trim_start_matches('\u{feff}');
    let read = yaml_serde::from_str(text).or_else(|_| serde_json::from_str(text));
    match read {
        Ok(Value::Object(members)) => Ok(members),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(Failure::file(file, "it must have keys and values")),
        Err(error) => Err(Failure::file(
            file,
            format!("is neither valid YAML nor valid JSON: {error}"),
        )),
    }
}

/// The members of a configuration file. Where the schema has a boolean, a word of YAML 1.1 is one, as for the library.
pub(crate) fn configuration(file: &Path, schema: &str) -> Result<Map<String, Value>> {
    let mut members = document(file)?;
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    booleans(&mut members, &schema);
    Ok(members)
}

fn booleans(members: &mut Map<String, Value>, schema: &Value) {
    for (key, value) in members {
        let schema = &schema["properties"][key.as_str()];
        match value {
            Value::Object(inner) => booleans(inner, schema),
            Value::String(word) if schema["type"] == "boolean" => {
                match word.to_ascii_lowercase().as_str() {
                    "yes" | "on" => *value = true.into(),
                    "no" | "off" => *value = false.into(),
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

/// Sets `a.b` of a document.
fn set(document: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            document.insert(path.to_owned(), value);
        }
        Some((key, rest)) => {
            let inner = document.entry(key).or_insert(Value::Null);
            if !inner.is_object() {
                *inner = json!({});
            }
            if let Some(inner) = inner.as_object_mut() {
                set(inner, rest, value);
            }
        }
    }
}
