//! From a file to a service that answers: register, deploy, wait, score, update, read the logs, delete;
//! and what a deployment that fails has to say.
//!
//! ```text
//! cargo run --example deploy --features emulator
//! ```
//!
//! It runs against the embedded emulator, at 1000 times the speed, with a closure in place of the entry
//! script. Against Azure only `emulated()` would differ: see `examples/quickstart.rs`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example shows what it does"
)]

use azureml_aks::emulator::{Clock, Emulator, ExistingCluster, Fault, ScoringResponse};
use azureml_aks::{
    AksCompute, AksWebservice, AutoScale, ClusterRef, ComputeTarget, CondaDependencies,
    DeployConfiguration, Environment, InferenceConfiguration, LogOptions, Model, ServiceUpdate,
    WaitOptions, Workspace,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// The input of the service of this example. The entry script defines input and output.
#[derive(Serialize)]
struct Rows {
    data: Vec<[f64; 2]>,
}

#[derive(Deserialize)]
struct Scores {
    scores: Vec<f64>,
}

const ENTRY_SCRIPT: &str = r#"
import json, os, pickle

def init():
    global model
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.pkl"), "rb") as file:
        model = pickle.load(file)

def run(data):
    return {"scores": [model.predict(row) for row in json.loads(data)["data"]]}
"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("model.pkl"), "weights")?;
    std::fs::write(folder.path().join("score.py"), ENTRY_SCRIPT)?;
    let (emulator, workspace) = emulated()?;
    let aks = cluster(&workspace).await?;

    let model = Model::register(&workspace, "mymodel", folder.path().join("model.pkl"))
        .tag("area", "digits")
        .await?;
    println!("registered {}", model.id());

    let inference = inference(folder.path())?;
    let deploy = deployment()?;
    let mut service = Model::deploy(
        &workspace,
        "myservice",
        [&model],
        inference.clone(),
        deploy.clone(),
        &aks,
    )
    .await?;
    service
        .wait_for_deployment(WaitOptions::new().show_output(true))
        .await?;

    let client = service.scoring_client().await?;
    // In process the emulator answers for every host; its path is that of Azure.
    let path = client.scoring_uri().path();
    println!("{} answers at {path}", service.name());
    let rows = Rows {
        data: vec![[1.0, 2.0], [10.0, 9.0]],
    };
    let answer: Scores = client.run(&rows).await?;
    println!("scores: {:?}", answer.scores);
    // For others, who need nothing of Azure but the address and a key.
    println!("its keys, not shown: {:?}", service.keys().await?);

    let update = ServiceUpdate::builder()
        .replicas(AutoScale::new().min_replicas(2).max_replicas(4))
        .tag("team", "vision")
        .build()?;
    service.update(update).await?;
    service
        .wait_for_deployment(WaitOptions::new().show_output(true))
        .await?;
    println!("tags now: {:?}", service.resource().tags);

    println!("the last lines of its log:");
    for line in service.logs(LogOptions::new().tail(2)).await?.lines() {
        println!("  {line}");
    }

    // A model that does not load: the wait's error brings the reason and the container's last lines.
    emulator.inject(Fault::crash_loop().on_path("/services/broken"));
    let mut broken = Model::deploy(&workspace, "broken", [&model], inference, deploy, &aks).await?;
    if let Err(error) = broken.wait_for_deployment(WaitOptions::new()).await {
        println!("as expected: {error}");
    }
    broken.delete().await?.await?;

    let deletion = service.delete().await?;
    deletion.await?;
    println!("deleted {}; model and cluster stay", service.name());
    Ok(())
}

/// Returns the content of the service.
fn inference(folder: &Path) -> azureml_aks::Result<InferenceConfiguration> {
    let packages = CondaDependencies::new()
        .python_version("3.10")
        .pip_package("azureml-defaults")
        .pip_package("scikit-learn");
    let environment = Environment::builder()
        .name("myenv")
        .conda_dependencies(packages)
        .build()?;
    InferenceConfiguration::builder()
        .entry_script(folder.join("score.py"))
        .environment(environment)
        .build()
}

/// Returns the settings of the service. The service chooses those that are not set here.
fn deployment() -> azureml_aks::Result<DeployConfiguration> {
    AksWebservice::deploy_configuration()
        .cpu_cores(0.5)
        .memory_gb(1.0)
        .replicas(2)
        .tag("area", "digits")
        .build()
}

async fn cluster(workspace: &Workspace) -> azureml_aks::Result<AksCompute> {
    let cluster = ClusterRef::named("myresourcegroup", "myexistingcluster");
    let config = AksCompute::attach_configuration(cluster).build()?;
    let mut aks = ComputeTarget::attach(workspace, "myaks", config).await?;
    aks.wait_for_completion(WaitOptions::new().show_output(true))
        .await?;
    Ok(aks)
}

fn emulated() -> azureml_aks::Result<(Emulator, Workspace)> {
    println!("using the embedded emulator, at 1000 times the speed");
    let emulator = Emulator::builder()
        .cluster(ExistingCluster::new("myresourcegroup", "myexistingcluster"))
        .clock(Clock::Automatic { speed: 1000.0 })
        .score(|request| {
            let body = request.json().unwrap_or_default();
            let rows = body["data"].as_array().map_or(&[][..], Vec::as_slice);
            let sum = |row: &serde_json::Value| -> f64 {
                let row = row.as_array().into_iter().flatten();
                row.filter_map(serde_json::Value::as_f64).sum()
            };
            let scores: Vec<f64> = rows.iter().map(sum).collect();
            ScoringResponse::json(&json!({ "scores": scores }))
        })
        .build();
    let workspace = Workspace::builder(
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace(),
    )
    .credential(emulator.credential())
    .transport(emulator.transport())
    .build()?;
    Ok((emulator, workspace))
}
