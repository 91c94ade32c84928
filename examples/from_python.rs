//! The snippets of `docs/from-python.md`, run against the embedded emulator.
//!
//! ```text
//! cargo run --example from_python --features emulator
//! ```
//!
//! A test holds every block of the page to stand here, word for word.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example shows what it does"
)]

use azureml_aks::emulator::{Clock, Emulator, ExistingCluster};
use azureml_aks::{
    AksCompute, AksWebservice, Auth, AutoScale, ClusterPurpose, ClusterRef, ComputeTarget,
    CondaDependencies, DeployConfiguration, Environment, EnvironmentRef, Error,
    InferenceConfiguration, KeyName, LoadBalancer, LogOptions, Model, ModelQuery, Pem, ResumeToken,
    Resumed, ScoringClient, ServiceUpdate, Tls, TlsUpdate, UpdateConfiguration, VirtualNetwork,
    WaitOptions, Workspace,
};
use futures::TryStreamExt;
use serde_json::{Value, json};
use std::path::Path;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::builder()
        .cluster(ExistingCluster::new("myresourcegroup", "myexistingcluster"))
        .clock(Clock::Automatic { speed: 1000.0 })
        .build();
    let ws = Workspace::builder(
        emulator.subscription(),
        emulator.resource_group(),
        emulator.workspace(),
    )
    .credential(emulator.credential())
    .transport(emulator.transport())
    .build()?;

    workspace()?;
    let prod_config = provisioning()?;
    drop(prod_config);
    tls()?;
    create(&ws).await?;
    attach(&ws).await?;
    idiom(&ws).await?;
    read(&ws).await?;
    update(&ws).await?;
    resume(&ws).await?;
    errors(&ws).await;

    let folder = tempfile::tempdir()?;
    files(folder.path())?;
    std::env::set_current_dir(folder.path())?;
    let model = register(&ws).await?;
    models(&ws).await?;
    let service = deploy(&ws, &model).await?;
    operate(service).await?;
    score(&ws).await?;
    change(&ws).await?;
    from_files(&ws).await?;
    failed(&ws, &model).await?;
    remove_service(&ws).await?;

    remove(&ws).await?;
    println!("every snippet of docs/from-python.md ran");
    Ok(())
}

fn workspace() -> Result<(), Error> {
    let ws = Workspace::builder_from_config("examples")?
        .default_credential()?
        .build()?;
    drop(ws);
    Ok(())
}

fn provisioning() -> Result<azureml_aks::ProvisioningConfiguration, Error> {
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
    Ok(prov_config)
}

fn tls() -> Result<(), Error> {
    let config = AksCompute::provisioning_configuration()
        .tls(Tls::leaf_domain("contoso").overwrite_existing_domain(true))
        .build()?;
    drop(config);
    let missing = AksCompute::provisioning_configuration()
        .tls(Tls::certificate(
            "www.contoso.com",
            Pem::file("cert.pem"),
            Pem::file("key.pem"),
        ))
        .build();
    assert!(missing.is_err(), "there are no such files here");
    Ok(())
}

async fn create(ws: &Workspace) -> Result<(), Error> {
    let prov_config = AksCompute::provisioning_configuration()
        .cluster_purpose(ClusterPurpose::DevTest)
        .build()?;
    let mut aks_target = ComputeTarget::create(ws, "myaks", prov_config).await?;
    aks_target
        .wait_for_completion(WaitOptions::new().show_output(true))
        .await?;
    println!(
        "{:?} {:?}",
        aks_target.status(),
        aks_target.provisioning_errors()
    );
    Ok(())
}

async fn attach(ws: &Workspace) -> Result<(), Error> {
    let attach_config =
        AksCompute::attach_configuration(ClusterRef::named("myresourcegroup", "myexistingcluster"))
            .cluster_purpose(ClusterPurpose::DevTest)
            .build()?;
    let mut aks_target = ComputeTarget::attach(ws, "attached", attach_config).await?;
    aks_target
        .wait_for_completion(WaitOptions::new().show_output(true))
        .await?;
    Ok(())
}

async fn idiom(ws: &Workspace) -> Result<(), Error> {
    let prov_config = AksCompute::provisioning_configuration().build()?;
    let aks_target = ComputeTarget::create_or_get(ws, "myaks", prov_config).await?;
    drop(aks_target);
    Ok(())
}

async fn read(ws: &Workspace) -> Result<(), Error> {
    let mut aks_target = AksCompute::get(ws, "myaks").await?;
    aks_target.refresh_state().await?;
    println!("{:?}", aks_target.properties().agent_count);

    let mut computes = ws.computes();
    while let Some(compute) = computes.try_next().await? {
        println!("{} {}", compute.name, compute.properties.compute_type);
    }

    let credentials = aks_target.credentials().await?;
    println!("{credentials:?}"); // no key is shown; `.secret()` gives one
    Ok(())
}

async fn update(ws: &Workspace) -> Result<(), Error> {
    let aks_target = AksCompute::get(ws, "myaks").await?;
    let config = UpdateConfiguration::builder()
        .tls(Tls::leaf_domain("contoso"))
        .build()?;
    let aks_target = aks_target.update(config).await?.await?;
    println!("{:?}", aks_target.properties().ssl_configuration);
    let config = UpdateConfiguration::builder()
        .tls(TlsUpdate::Disable)
        .build()?;
    aks_target.update(config).await?.await?;
    Ok(())
}

async fn resume(ws: &Workspace) -> Result<(), Error> {
    let config = AksCompute::provisioning_configuration().build()?;
    let prepared = AksCompute::prepare_create(ws, "resumed", config)?;
    let text = prepared.token().expose(); // store this where only its owner can read it
    let aks_target = prepared.send().await?;
    drop(aks_target); // the process ends here

    let token = ResumeToken::parse(&text)?;
    if let Resumed::Compute(mut aks_target) = ws.resume(&token).await? {
        aks_target.wait_for_completion(WaitOptions::new()).await?;
    }
    Ok(())
}

async fn errors(ws: &Workspace) {
    match AksCompute::get(ws, "absent").await {
        Ok(aks_target) => println!("{:?}", aks_target.status()),
        Err(error) if error.is_not_found() => println!("there is none of that name"),
        Err(error) => println!("{error} (request id {:?})", error.request_id()),
    }
}

async fn remove(ws: &Workspace) -> Result<(), Error> {
    let aks_target = AksCompute::get(ws, "attached").await?;
    aks_target.detach().await?.await?;
    let aks_target = AksCompute::get(ws, "myaks").await?;
    aks_target
        .delete()
        .await?
        .wait(WaitOptions::new().show_output(true))
        .await?;
    Ok(())
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

async fn register(ws: &Workspace) -> Result<Model, Error> {
    let model = Model::register(ws, "mymodel", "model.pkl")
        .tag("area", "digits")
        .description("Recognises digits")
        .await?;
    println!("{} {:?}", model.name(), model.version());
    Ok(model)
}

async fn models(ws: &Workspace) -> Result<(), Error> {
    let mut model = Model::get(ws, "mymodel").await?; // or "mymodel:1"
    model.update().tag("stage", "production").await?;

    let mut models = Model::list(ws, ModelQuery::new().latest_only());
    while let Some(model) = models.try_next().await? {
        println!("{} {:?}", model.name(), model.version());
    }
    let files = model.download("downloaded").await?;
    println!("{files:?}");
    Ok(())
}

fn environments() -> Result<Environment, Error> {
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
    Ok(environment)
}

async fn deploy(ws: &Workspace, model: &Model) -> Result<AksWebservice, Error> {
    drop(environments()?);
    let environment = EnvironmentRef::version("AzureML-Minimal", "1");
    let inference_config = InferenceConfiguration::builder()
        .entry_script("score.py")
        .source_directory("src")
        .environment(environment)
        .build()?;

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

    let aks_target = AksCompute::get(ws, "myaks").await?;
    let deployment_config = AksWebservice::deploy_configuration()
        .cpu_cores(1.0)
        .memory_gb(1.0)
        .build()?;
    let mut service = Model::deploy(
        ws,
        "myservice",
        [model],
        inference_config,
        deployment_config,
        &aks_target,
    )
    .await?;
    service
        .wait_for_deployment(WaitOptions::new().show_output(true))
        .await?;
    println!("{:?} {:?}", service.state(), service.scoring_uri());
    Ok(service)
}

async fn operate(service: AksWebservice) -> Result<(), Error> {
    println!("{}", service.logs(LogOptions::new()).await?);

    let keys = service.keys().await?;
    let keys_after = service.regenerate_key(KeyName::Primary, None).await?;
    println!("{keys:?}"); // which ones there are; `.secret()` gives one
    drop(keys_after);

    let scoring_uri = service.scoring_uri().unwrap_or_default();
    if let Some(key) = keys.secondary_key {
        let client = ScoringClient::builder(scoring_uri).key(key).build()?;
        drop(client); // in process there is nobody at this address
    }
    Ok(())
}

async fn score(ws: &Workspace) -> Result<(), Error> {
    let service = AksWebservice::get(ws, "myservice").await?;
    let client = service.scoring_client().await?;
    let output: Value = client.run(&json!({ "data": [[1, 2], [10, 9]] })).await?;
    println!("{output}");
    Ok(())
}

async fn change(ws: &Workspace) -> Result<(), Error> {
    let mut service = AksWebservice::get(ws, "myservice").await?;
    let update = ServiceUpdate::builder()
        .auth(Auth::Token)
        .replicas(AutoScale::new().max_replicas(3))
        .tag("team", "vision")
        .build()?;
    service.update(update).await?;
    service.wait_for_deployment(WaitOptions::new()).await?;

    let token = service.token().await?;
    println!("{:?} {:?}", token.refresh_after(), token.expires_on());
    Ok(())
}

async fn from_files(ws: &Workspace) -> Result<(), Error> {
    let model = Model::get(ws, "mymodel:1").await?;
    let inference_config =
        InferenceConfiguration::builder_from_file("inferenceconfig.json")?.build()?;
    let deployment_config =
        DeployConfiguration::builder_from_file("deploymentconfig.json")?.build()?;
    let aks_target = AksCompute::get(ws, "myaks").await?;
    let mut service = Model::deploy(
        ws,
        "fromfiles",
        [&model],
        inference_config,
        deployment_config,
        &aks_target,
    )
    .await?;
    service.wait_for_deployment(WaitOptions::new()).await?;

    model.write_metadata("modelinfo.json")?;
    let model = Model::from_metadata(ws, "modelinfo.json").await?;
    let inference_config =
        InferenceConfiguration::builder_from_file("inferenceconfig.json")?.build()?;
    service
        .update_inference(inference_config)
        .models([&model])
        .await?;
    service.wait_for_deployment(WaitOptions::new()).await?;
    service.delete().await?.await
}

async fn failed(ws: &Workspace, model: &Model) -> Result<(), Error> {
    let inference_config =
        InferenceConfiguration::builder_from_file("inferenceconfig.json")?.build()?;
    let deployment_config = AksWebservice::deploy_configuration().build()?;
    let aks_target = AksCompute::get(ws, "myaks").await?;
    // Its name asks the emulator to fail.
    let mut service = Model::deploy(
        ws,
        "failing",
        [model],
        inference_config,
        deployment_config,
        &aks_target,
    )
    .await?;
    if let Err(error) = service.wait_for_deployment(WaitOptions::new()).await {
        println!("{error}"); // the reason, and the last lines of the containers
        println!("{:?} {:?}", service.state(), error.code());
    }
    service.delete().await?.await
}

async fn remove_service(ws: &Workspace) -> Result<(), Error> {
    let service = AksWebservice::get(ws, "myservice").await?;
    service.delete().await?.await?;
    Model::get(ws, "mymodel:1").await?.delete().await?;
    Ok(())
}
