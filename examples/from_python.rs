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
    AksCompute, ClusterPurpose, ClusterRef, ComputeTarget, Error, LoadBalancer, Pem, ResumeToken,
    Resumed, Tls, TlsUpdate, UpdateConfiguration, VirtualNetwork, WaitOptions, Workspace,
};
use futures::TryStreamExt;

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
    remove(&ws).await?;
    println!("every snippet of docs/from-python.md ran");
    Ok(())
}

fn workspace() -> Result<(), Error> {
    let ws = Workspace::from_config("examples")?
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
        .virtual_network(VirtualNetwork {
            resource_group: "mygroup".into(),
            network: "mynetwork".into(),
            subnet: "default".into(),
            service_cidr: "10.0.0.0/16".into(),
            dns_service_ip: "10.0.0.10".into(),
            docker_bridge_cidr: "172.17.0.1/16".into(),
        })
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

    let mut computes = std::pin::pin!(ws.computes());
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
        .tls(TlsUpdate::Enable(Tls::leaf_domain("contoso")))
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
