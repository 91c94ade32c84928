//! The snippets of `docs/from-python.md`, run against the embedded emulator.
//!
//! ```text
//! cargo run --example from_python --features emulator
//! ```
//!
//! A test checks that every block of the page stands here word for word, in the same order, and that the lines
//! between them define nothing: so the page compiles as a whole.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example shows what it does"
)]

use azureml_aks::{
    AksCompute, AksWebservice, Auth, AutoScale, ClusterPurpose, ClusterRef, ComputeTarget,
    CondaDependencies, DeployConfiguration, Environment, EnvironmentRef, InferenceConfiguration,
    KeyName, LoadBalancer, LogOptions, Model, ModelQuery, Pem, ResumeToken, Resumed, ScoringClient,
    ServiceUpdate, Tls, UpdateConfiguration, VirtualNetwork, WaitOptions, Workspace,
};
use futures::TryStreamExt;
use serde_json::{Value, json};

use azureml_aks::emulator::{Clock, Emulator, ExistingCluster};
use std::path::Path;

type Error = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let emulator = Emulator::builder()
        .cluster(ExistingCluster::new("myresourcegroup", "myexistingcluster"))
        .clock(Clock::Automatic { speed: 1000.0 })
        .build();
    let folder = tempfile::tempdir()?;
    files(folder.path())?;
    page(&emulator, folder.path()).await?;
    println!("every snippet of docs/from-python.md ran");
    Ok(())
}

async fn page(emulator: &Emulator, folder: &Path) -> Result<(), Error> {
    let ws = Workspace::builder_from_config("examples")?
        .default_credential()?
        .build()?;
    drop(ws);
    let ws = emulated(emulator)?;
    std::env::set_current_dir(folder)?;

    let prov_config = AksCompute::provisioning_configuration()
        .cluster_purpose(ClusterPurpose::DevTest)
        .build()?;
    let mut aks_target = ComputeTarget::create(&ws, "myaks", prov_config).await?;
    aks_target
        .wait_for_completion(WaitOptions::new().show_output(true))
        .await?;
    println!(
        "{:?} {:?}",
        aks_target.status(),
        aks_target.provisioning_errors()
    );

    let prov_config = AksCompute::provisioning_configuration()
        .vm_size("Standard_D3_v2")
        .agent_count(3)
        .location("eastus2")
        .virtual_network(
            VirtualNetwork::new("mygroup", "mynetwork", "default")
                .service_cidr("10.0.0.0/16")
                .dns_service_ip("10.0.0.10")
                .docker_bridge_cidr("172.17.0.1/16"),
        )
        .load_balancer(LoadBalancer::internal_in("mysubnet"))
        .build()?;
    drop(prov_config);

    let label = Tls::leaf_domain("contoso").overwrite_existing_domain(true);
    let certificate = Tls::certificate(
        "www.contoso.com",
        Pem::file("cert.pem"),
        Pem::file("key.pem"),
    );
    let prov_config = AksCompute::provisioning_configuration()
        .tls(label)
        .build()?; // or certificate
    drop((certificate, prov_config));

    let attach_config =
        AksCompute::attach_configuration(ClusterRef::named("myresourcegroup", "myexistingcluster"))
            .cluster_purpose(ClusterPurpose::DevTest)
            .build()?;
    let mut aks_target = ComputeTarget::attach(&ws, "attached", attach_config).await?;
    aks_target
        .wait_for_completion(WaitOptions::new().show_output(true))
        .await?;

    let prov_config = AksCompute::provisioning_configuration().build()?;
    let aks_target = ComputeTarget::create(&ws, "myaks", prov_config)
        .or_get()
        .await?;
    drop(aks_target);

    let mut aks_target = AksCompute::get(&ws, "myaks").await?;
    aks_target.refresh_state().await?;

    let mut computes = ws.computes();
    while let Some(compute) = computes.try_next().await? {
        println!("{} {}", compute.name(), compute.compute_type());
    }

    let credentials = aks_target.credentials().await?;
    println!("{credentials:?}"); // no key is shown; `.secret()` gives one

    let config = UpdateConfiguration::builder()
        .tls(Tls::leaf_domain("contoso"))
        .build()?;
    aks_target.update(config).await?;
    aks_target.wait_for_completion(WaitOptions::new()).await?;

    let model = Model::register(&ws, "mymodel", "model.pkl")
        .tag("area", "digits")
        .description("Recognises digits")
        .await?;
    println!("{} {:?}", model.name(), model.version());

    let mut model = Model::get(&ws, "mymodel").await?; // or "mymodel:1"
    model.update().tag("stage", "production").await?;

    let mut models = Model::list(&ws, ModelQuery::new().latest_only());
    while let Some(model) = models.try_next().await? {
        println!("{} {:?}", model.name(), model.version());
    }
    let files = model.download("downloaded").await?;
    println!("{files:?}");

    let environment = Environment::builder()
        .name("myenv")
        .conda_dependencies(
            CondaDependencies::new()
                .python_version("3.10")
                .conda_package("scikit-learn")
                .pip_package("azureml-defaults"),
        )
        .environment_variable("LOG_LEVEL", "debug")
        .build()?;
    drop(environment);

    let environment = EnvironmentRef::version("AzureML-Minimal", "1");
    let inference_config = InferenceConfiguration::builder()
        .entry_script("score.py")
        .source_directory("src")
        .environment(environment)
        .build()?;

    let deployment_config = AksWebservice::deploy_configuration()
        .cpu_cores(1.0)
        .memory_gb(1.0)
        .build()?;
    let mut service = Model::deploy(
        &ws,
        "myservice",
        [&model],
        inference_config,
        deployment_config,
        &aks_target,
    )
    .await?;
    service
        .wait_for_deployment(WaitOptions::new().show_output(true))
        .await?;
    println!("{:?} {:?}", service.state(), service.scoring_uri());

    let autoscaled = AksWebservice::deploy_configuration()
        .replicas(
            AutoScale::new()
                .min_replicas(1)
                .max_replicas(3)
                .target_utilization(70),
        )
        .auth(Auth::Token)
        .app_insights(true)
        .build()?;
    drop(autoscaled);

    if let Err(error) = service.wait_for_deployment(WaitOptions::new()).await {
        println!("{error}"); // the reason, and the last lines of the containers
        println!("{:?} {:?}", service.state(), error.code());
    }
    failing(&ws, &model, &aks_target).await?;

    println!("{}", service.logs(LogOptions::new()).await?);

    println!("{:?}", service.keys().await?); // which ones there are; `.secret()` gives one
    let keys = service.regenerate_key(KeyName::Primary).await?;

    let mut service = AksWebservice::get(&ws, "myservice").await?;
    let client = service.scoring_client().await?;
    let output: Value = client.run(&json!({ "data": [[1, 2], [10, 9]] })).await?;
    println!("{output}");

    if let (Some(scoring_uri), Some(key)) = (service.scoring_uri(), keys.primary_key) {
        let client = ScoringClient::builder(scoring_uri).key(key).build()?;
        println!("calls go to {}", client.scoring_uri());
    }

    let update = ServiceUpdate::builder()
        .auth(Auth::Token)
        .replicas(AutoScale::new().max_replicas(3))
        .tag("team", "vision")
        .build()?;
    service.update(update).await?;
    service.wait_for_deployment(WaitOptions::new()).await?;

    let token = service.token().await?;
    println!("{:?} {:?}", token.refresh_after(), token.expires_on());

    let model = Model::get(&ws, "mymodel:1").await?;
    let inference_config =
        InferenceConfiguration::builder_from_file("inferenceconfig.json")?.build()?;
    let deployment_config =
        DeployConfiguration::builder_from_file("deploymentconfig.json")?.build()?;
    for warning in inference_config
        .warnings()
        .iter()
        .chain(deployment_config.warnings())
    {
        eprintln!("{warning}");
    }
    let aks_target = AksCompute::get(&ws, "myaks").await?;
    let mut service = Model::deploy(
        &ws,
        "fromfiles",
        [&model],
        inference_config,
        deployment_config,
        &aks_target,
    )
    .await?;
    service.wait_for_deployment(WaitOptions::new()).await?;

    model.write_metadata("modelinfo.json")?;
    let model = Model::from_metadata(&ws, "modelinfo.json").await?;
    let inference_config =
        InferenceConfiguration::builder_from_file("inferenceconfig.json")?.build()?;
    service
        .update_inference(inference_config)
        .models([&model])
        .await?;
    service.wait_for_deployment(WaitOptions::new()).await?;
    // The service still has the model.
    service.delete().await?.await?;

    let mut service = AksWebservice::get(&ws, "myservice").await?;
    let deletion = service.delete().await?; // the service has accepted it
    deletion.await?; // it is gone
    model.delete().await?;

    let mut aks_target = AksCompute::get(&ws, "attached").await?;
    aks_target.detach().await?.await?;
    let mut aks_target = AksCompute::get(&ws, "myaks").await?;
    let mut deletion = aks_target.delete().await?;
    deletion.wait(WaitOptions::new().show_output(true)).await?;

    let config = AksCompute::provisioning_configuration().build()?;
    let prepared = ComputeTarget::create(&ws, "resumed", config).prepare()?;
    let text = prepared.token().expose(); // store this where only its owner can read it
    let aks_target = prepared.send().await?;
    drop(aks_target); // the process ends here

    let token: ResumeToken = text.parse()?;
    if let Resumed::Compute(mut compute) = ws.resume(&token).await? {
        compute.wait_for_completion(WaitOptions::new()).await?;
        let aks_target = AksCompute::try_from(compute)?;
        println!("{:?}", aks_target.status());
    }

    match AksCompute::get(&ws, "absent").await {
        Ok(aks_target) => println!("{:?}", aks_target.status()),
        Err(error) if error.is_not_found() => println!("no compute has that name"),
        Err(error) => println!("{error} (request id {:?})", error.request_id()),
    }
    Ok(())
}

fn emulated(emulator: &Emulator) -> azureml_aks::Result<Workspace> {
    Workspace::builder(
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace(),
    )
    .credential(emulator.credential())
    .transport(emulator.transport())
    .build()
}

/// A deployment that fails, because its name asks the emulator to fail it.
async fn failing(
    ws: &Workspace,
    model: &Model,
    aks_target: &AksCompute,
) -> azureml_aks::Result<()> {
    let inference_config =
        InferenceConfiguration::builder_from_file("inferenceconfig.json")?.build()?;
    let deployment_config = AksWebservice::deploy_configuration().build()?;
    let mut service = Model::deploy(
        ws,
        "failing",
        [model],
        inference_config,
        deployment_config,
        aks_target,
    )
    .await?;
    if let Err(error) = service.wait_for_deployment(WaitOptions::new()).await {
        println!("{error}");
    }
    service.delete().await?.await
}

fn files(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir(folder.join("src"))?;
    for (file, text) in [
        ("model.pkl", "weights"),
        (
            "src/score.py",
            "def init(): pass\ndef run(data): return data\n",
        ),
        (
            "inferenceconfig.json",
            r#"{ "entryScript": "score.py", "sourceDirectory": "src",
                 "environment": { "name": "AzureML-Minimal" } }"#,
        ),
        (
            "deploymentconfig.json",
            r#"{ "computeType": "AKS", "computeTargetName": "myaks", "tokenAuthEnabled": true,
                 "containerResourceRequirements": { "cpu": 0.5, "memoryInGB": 1.0 } }"#,
        ),
    ] {
        std::fs::write(folder.join(file), text)?;
    }
    Ok(())
}
