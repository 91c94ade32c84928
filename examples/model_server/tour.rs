//! The way from a model file to an answer, to a failure, and to its reason in the log.

use super::Error;
use super::container::Container;
use super::server::{self, Server};
use azureml_aks::emulator::{Clock, Emulator};
use azureml_aks::{
    AksCompute, AksWebservice, ClusterPurpose, ComputeTarget, CondaDependencies, Environment,
    InferenceConfiguration, LogOptions, Model, WaitOptions, Workspace,
};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::path::Path;

const SERVICE: &str = "linear-service";

/// The input of the entry script.
#[derive(Serialize)]
struct Input {
    data: Vec<Vec<f64>>,
}

/// The output of the entry script.
#[derive(Debug, Deserialize)]
struct Output {
    result: Vec<f64>,
}

/// The results of the tour.
pub(crate) struct Seen {
    pub(crate) result: Vec<f64>,
    /// The description (Swagger) that the server makes of the entry script.
    pub(crate) swagger: Option<Value>,
    /// Of an input on which `run()` raises.
    pub(crate) failure: azureml_aks::Error,
    pub(crate) log: String,
    /// The version of the model server.
    pub(crate) version: String,
    pub(crate) address: Url,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.log.lines().find(|line| line.starts_with("ValueError"));
        writeln!(f, "scored by {}: {:?}", self.version, self.result)?;
        if let Some(swagger) = &self.swagger {
            writeln!(f, "Swagger document of {}", swagger["info"]["title"])?;
        }
        writeln!(f, "refused: {}", self.failure)?;
        writeln!(f, "the log says: {}", reason.unwrap_or(&self.log))?;
        write!(f, "what listened on {} has ended", self.address)
    }
}

pub(crate) async fn run(venv: &Path, source: &Path) -> Result<Seen, Error> {
    // Before ten seconds of deployment.
    let python = server::interpreter(venv)?;
    // Removed after the server has ended, because it is dropped after it.
    let folder = tempfile::tempdir()?;

    // It creates in a second what takes ten minutes there.
    let emulator = Emulator::builder()
        .clock(Clock::Automatic { speed: 600.0 })
        .build();
    let workspace = Workspace::builder(
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace(),
    )
    .credential(emulator.credential())
    .transport(emulator.transport())
    .build()?;
    let mut service = deploy(&workspace, source).await?;

    let container = Container::unpack(&emulator, &workspace, SERVICE, folder.path()).await?;
    let server = Server::start(&python, &container).await?;
    emulator.on_score_async(server.scorer());
    emulator.set_swagger(SERVICE, server.swagger().await?);
    let (version, address) = (server.version().to_owned(), server.address().clone());
    println!("{version} listens on {address}");

    // From here on it is all as with the real service.
    let client = service.scoring_client().await?;
    let input = Input {
        data: vec![vec![1.0, 2.0, 4.0], vec![10.0, 0.0, 0.0]],
    };
    let Output { result } = client.run(&input).await?;
    let swagger = client.swagger().await?;
    let short = Input {
        data: vec![vec![1.0, 2.0]],
    };
    let failure = match client.run::<_, Output>(&short).await {
        Err(error) if error.is_scoring_code_failure() => error,
        Err(error) => return Err(error.into()),
        Ok(output) => return Err(format!("a row that is too short was scored: {output:?}").into()),
    };

    emulator.set_log(SERVICE, server.log()?);
    let log = service.logs(LogOptions::new()).await?;
    service.delete().await?.await?;
    Ok(Seen {
        result,
        swagger,
        failure,
        log,
        version,
        address,
    })
}

/// From a model file and a folder with Python to a healthy service.
async fn deploy(workspace: &Workspace, source: &Path) -> Result<AksWebservice, Error> {
    let config = AksCompute::provisioning_configuration()
        .cluster_purpose(ClusterPurpose::DevTest)
        .build()?;
    let mut aks = ComputeTarget::create(workspace, "myaks", config).await?;
    aks.wait_for_completion(WaitOptions::new()).await?;

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/model_server/linear.json");
    let model = Model::register(workspace, "linear", file).await?;
    println!("registered {}", model.id());

    let packages = CondaDependencies::new()
        .python_version("3.11")
        .pip_package("azureml-defaults");
    let inference = InferenceConfiguration::builder()
        .source_directory(source)
        .entry_script("score.py")
        .environment(
            Environment::builder()
                .conda_dependencies(packages)
                .build()?,
        )
        .build()?;
    let config = AksWebservice::deploy_configuration()
        .cpu_cores(0.5)
        .memory_gb(0.5)
        .build()?;
    let mut service = Model::deploy(workspace, SERVICE, [&model], inference, config, &aks).await?;
    service
        .wait_for_deployment(WaitOptions::new().show_output(true))
        .await?;
    Ok(service)
}
