//! `computetarget`: clusters that are computes of the workspace.

use crate::args::{Named, Sure, Waiting, boolean};
use crate::connect::Session;
use crate::failure::{Failure, Result};
use crate::kubernetes;
use crate::output::{Columns, Shown};
use crate::wait::wait_for;
use azureml_aks::models::ComputeResource;
use azureml_aks::{
    AksCompute, AnyCompute, AttachConfiguration, ClusterPurpose, ClusterRef, ComputeTarget, Kind,
    LoadBalancer, Pem, ProvisioningConfiguration, Tls, TlsUpdate, UpdateConfiguration,
    VirtualNetwork,
};
use clap::{Args, Subcommand, ValueEnum};
use futures::TryStreamExt;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Creates a cluster as a compute of the workspace.
    #[command(subcommand)]
    Create(CreateKind),
    /// Attaches a cluster that exists.
    #[command(subcommand)]
    Attach(AttachKind),
    /// Shows a compute.
    #[command(after_help = "Example:\n  azureml-aks computetarget show -n myaks")]
    Show(Named),
    /// Lists the computes of the workspace.
    #[command(after_help = "Example:\n  azureml-aks computetarget list -o table")]
    List,
    /// Changes TLS or the load balancer of an AKS cluster, or settings of a compute of kind Kubernetes.
    #[command(subcommand)]
    Update(UpdateKind),
    /// Takes a cluster out of the workspace. The cluster itself stays.
    #[command(
        after_help = "Example:\n  azureml-aks computetarget detach -n myaks -g myresourcegroup -w myworkspace"
    )]
    Detach(Detach),
    /// Deletes a cluster that was created here.
    #[command(after_help = "Example:\n  azureml-aks computetarget delete -n myaks --yes")]
    Delete(Delete),
    /// Prints the kubeconfigs of a cluster. They are secret.
    #[command(
        after_help = "Example:\n  azureml-aks computetarget get-credentials -n myaks --query userKubeConfig -o tsv"
    )]
    GetCredentials(Named),
    /// Changes how many nodes the cluster has.
    #[command(after_help = "Example:\n  azureml-aks computetarget scale -n myaks -a 5")]
    Scale(Scale),
}

#[derive(Debug, Subcommand)]
pub(crate) enum CreateKind {
    /// A cluster of AKS.
    #[command(
        after_help = "Examples:\n  azureml-aks computetarget create aks -n myaks\n  \
        azureml-aks computetarget create aks -n myaks --load-balancer-type InternalLoadBalancer"
    )]
    Aks(Box<Create>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum AttachKind {
    /// A cluster of AKS.
    #[command(
        after_help = "Example:\n  azureml-aks computetarget attach aks -n myaks -g myresourcegroup -w myworkspace -i \
        $(azureml-aks aks show -n mycluster -g myresourcegroup --query id -o tsv)"
    )]
    Aks(Attach),
    /// A cluster with the extension, as a compute of kind Kubernetes.
    #[command(
        after_help = "Examples:\n  azureml-aks computetarget attach kubernetes -n kube -i ID --namespace scoring\n  \
        azureml-aks computetarget attach kubernetes -f compute.yml"
    )]
    Kubernetes(Box<kubernetes::Attach>),
}

#[derive(Debug, Subcommand)]
pub(crate) enum UpdateKind {
    /// A cluster of AKS.
    #[command(
        after_help = "Example:\n  azureml-aks computetarget update aks -n myaks --ssl-leaf-domain-label myapp --ssl-overwrite-domain"
    )]
    Aks(Update),
    /// A compute of kind Kubernetes.
    #[command(
        after_help = "Example:\n  azureml-aks computetarget update kubernetes -n kube --description scoring"
    )]
    Kubernetes(kubernetes::Update),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub(crate) enum Purpose {
    /// For production; needs 12 cores.
    FastProd,
    /// For development and tests.
    DevTest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub(crate) enum Balancer {
    /// With a public address.
    PublicIp,
    /// Within the virtual network.
    InternalLoadBalancer,
}

#[derive(Debug, Args)]
pub(crate) struct Balancing {
    /// Which load balancer [default: the service's, PublicIp].
    #[arg(long, ignore_case = true, value_enum)]
    load_balancer_type: Option<Balancer>,
    /// Subnet of the internal load balancer [default: the service's, aks-subnet].
    #[arg(long, value_name = "SUBNET")]
    load_balancer_subnet: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Certificates {
    /// Domain of your own certificate.
    #[arg(
        long,
        requires = "ssl_cert_file",
        requires = "ssl_key_file",
        conflicts_with = "ssl_leaf_domain_label"
    )]
    ssl_cname: Option<String>,
    /// File with the whole chain of certificates, in PEM.
    #[arg(long, requires = "ssl_cname", value_name = "FILE")]
    ssl_cert_file: Option<PathBuf>,
    /// File with the key, in PEM.
    #[arg(long, requires = "ssl_cname", value_name = "FILE")]
    ssl_key_file: Option<PathBuf>,
    /// Label of a certificate of Microsoft's.
    #[arg(long, value_name = "LABEL")]
    ssl_leaf_domain_label: Option<String>,
    /// Take the domain over where the label is in use already.
    #[arg(long, requires = "ssl_leaf_domain_label", num_args = 0..=1, default_missing_value = "true",
        value_parser = boolean, value_name = "BOOL")]
    ssl_overwrite_domain: Option<bool>,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) named: Named,
    /// How many nodes [default: 3, or 1 for DevTest].
    #[arg(long, short)]
    agent_count: Option<u32>,
    /// Size of the nodes [default: Standard_D3_v2].
    #[arg(long, short = 's')]
    vm_size: Option<String>,
    /// Region, as `westus` or as the portal shows it [default: that of the workspace].
    #[arg(long, short)]
    location: Option<String>,
    /// The purpose of the cluster.
    #[arg(long, ignore_case = true, value_enum)]
    cluster_purpose: Option<Purpose>,
    #[command(flatten)]
    balancing: Balancing,
    /// Virtual network of the nodes.
    #[arg(long, requires = "subnet_name")]
    vnet_name: Option<String>,
    /// Its resource group [default: that of the workspace].
    #[arg(long, requires = "vnet_name", value_name = "GROUP")]
    vnet_resourcegroup_name: Option<String>,
    /// Its subnet for the nodes.
    #[arg(long, requires = "vnet_name")]
    subnet_name: Option<String>,
    /// Range of the services.
    #[arg(long, requires = "vnet_name")]
    service_cidr: Option<String>,
    /// Address of the DNS service, in the range of the services.
    #[arg(long, requires = "vnet_name")]
    dns_service_ip: Option<String>,
    /// Range of the Docker bridge.
    #[arg(long, requires = "vnet_name")]
    docker_bridge_cidr: Option<String>,
    #[command(flatten)]
    certificates: Certificates,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

#[derive(Debug, Args)]
pub(crate) struct Attach {
    #[command(flatten)]
    pub(crate) named: Named,
    /// Id of the cluster.
    #[arg(long, short = 'i', value_name = "ID")]
    compute_resource_id: String,
    /// The purpose of the cluster.
    #[arg(long, ignore_case = true, value_enum)]
    cluster_purpose: Option<Purpose>,
    #[command(flatten)]
    balancing: Balancing,
    #[command(flatten)]
    certificates: Certificates,
    /// Attach the cluster even if it is attached to the workspace under another name. That attachment may stop working.
    #[arg(long)]
    ignore_other_attachments: bool,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    certificates: Certificates,
    /// Renew a certificate of Microsoft's.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = boolean, value_name = "BOOL")]
    ssl_renew: Option<bool>,
    /// Switch TLS off.
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_parser = boolean, value_name = "BOOL",
        conflicts_with_all = ["ssl_renew", "ssl_cname", "ssl_leaf_domain_label"])]
    ssl_disable: Option<bool>,
    #[command(flatten)]
    balancing: Balancing,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
pub(crate) struct Detach {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    sure: Sure,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
pub(crate) struct Scale {
    #[command(flatten)]
    named: Named,
    /// How many nodes.
    #[arg(long, short)]
    agent_count: u32,
    /// Name of the pool; needed where there are several.
    #[arg(long)]
    nodepool_name: Option<String>,
    #[command(flatten)]
    waiting: Waiting,
}

const COMPUTE: Columns = &[
    ("Name", "/name"),
    ("ProvisioningState", "/provisioningState"),
    ("Location", "/location"),
];

impl Purpose {
    fn of(self) -> ClusterPurpose {
        match self {
            Self::FastProd => ClusterPurpose::FastProd,
            Self::DevTest => ClusterPurpose::DevTest,
        }
    }
}

impl Balancing {
    fn of(&self) -> Result<Option<LoadBalancer>> {
        Ok(
            match (self.load_balancer_type, &self.load_balancer_subnet) {
                (None, None) => None,
                (Some(Balancer::InternalLoadBalancer), None) => Some(LoadBalancer::internal()),
                (Some(Balancer::InternalLoadBalancer), Some(subnet)) => {
                    Some(LoadBalancer::internal_in(subnet))
                }
                (Some(Balancer::PublicIp), None) => Some(LoadBalancer::PublicIp),
                (_, Some(_)) => {
                    let why =
                        "--load-balancer-subnet needs --load-balancer-type InternalLoadBalancer";
                    return Err(Failure::usage(why));
                }
            },
        )
    }
}

impl Certificates {
    fn of(&self) -> Option<Tls> {
        if let (Some(cname), Some(certificate), Some(key)) =
            (&self.ssl_cname, &self.ssl_cert_file, &self.ssl_key_file)
        {
            return Some(Tls::certificate(
                cname,
                Pem::file(certificate),
                Pem::file(key),
            ));
        }
        let tls = Tls::leaf_domain(self.ssl_leaf_domain_label.as_ref()?);
        Some(match self.ssl_overwrite_domain {
            Some(overwrite) => tls.overwrite_existing_domain(overwrite),
            None => tls,
        })
    }
}

impl Create {
    /// The configuration, of which preflight makes use too.
    pub(crate) fn configuration(&self, group: &str) -> Result<ProvisioningConfiguration> {
        let mut builder = AksCompute::provisioning_configuration();
        if let Some(count) = self.agent_count {
            builder = builder.agent_count(count);
        }
        if let Some(size) = &self.vm_size {
            builder = builder.vm_size(size);
        }
        if let Some(location) = &self.location {
            builder = builder.location(location);
        }
        if let Some(purpose) = self.cluster_purpose {
            builder = builder.cluster_purpose(purpose.of());
        }
        if let Some(balancer) = self.balancing.of()? {
            builder = builder.load_balancer(balancer);
        }
        if let (Some(network), Some(subnet)) = (&self.vnet_name, &self.subnet_name) {
            let group = self.vnet_resourcegroup_name.as_deref().unwrap_or(group);
            let mut network = VirtualNetwork::new(group, network, subnet);
            if let Some(range) = &self.service_cidr {
                network = network.service_cidr(range);
            }
            if let Some(address) = &self.dns_service_ip {
                network = network.dns_service_ip(address);
            }
            if let Some(range) = &self.docker_bridge_cidr {
                network = network.docker_bridge_cidr(range);
            }
            builder = builder.virtual_network(network);
        }
        if let Some(tls) = self.certificates.of() {
            builder = builder.tls(tls);
        }
        Ok(builder.build()?)
    }
}

impl Attach {
    /// The configuration, of which preflight makes use too.
    pub(crate) fn configuration(&self) -> Result<AttachConfiguration> {
        let mut builder =
            AksCompute::attach_configuration(ClusterRef::id(&self.compute_resource_id));
        if let Some(purpose) = self.cluster_purpose {
            builder = builder.cluster_purpose(purpose.of());
        }
        if let Some(balancer) = self.balancing.of()? {
            builder = builder.load_balancer(balancer);
        }
        if let Some(tls) = self.certificates.of() {
            builder = builder.tls(tls);
        }
        Ok(builder.build()?)
    }
}

pub(crate) async fn run(session: &Session, command: Command) -> Result<Shown> {
    let workspace = session.workspace().await?;
    let get = async |name: &str| {
        session
            .unless_interrupted(None, AksCompute::get(&workspace, name))
            .await
    };
    match command {
        Command::Create(CreateKind::Aks(create)) => {
            let configuration = create.configuration(workspace.id().resource_group())?;
            session.warn_of(configuration.warnings());
            let request = ComputeTarget::create(&workspace, &create.named.name, configuration);
            session.warn_of(&request.warnings());
            started(
                session,
                session.send(request.prepare()?).await?,
                create.waiting.no_wait,
            )
            .await
        }
        Command::Attach(AttachKind::Aks(attach)) => {
            let configuration = attach.configuration()?;
            session.warn_of(configuration.warnings());
            let mut request = ComputeTarget::attach(&workspace, &attach.named.name, configuration);
            if attach.ignore_other_attachments {
                request = request.ignore_other_attachments();
            }
            session.warn_of(&request.warnings());
            started(
                session,
                session.send(request.prepare()?).await?,
                attach.waiting.no_wait,
            )
            .await
        }
        Command::Attach(AttachKind::Kubernetes(attach)) => {
            let compute = attach.send(session, &workspace).await?;
            started(session, compute, attach.waiting.no_wait).await
        }
        Command::Update(UpdateKind::Kubernetes(update)) => {
            let compute = update.send(session, &workspace).await?;
            started(session, compute, update.waiting.no_wait).await
        }
        Command::Show(named) => {
            // Other kinds have a name and a state too.
            let compute = AnyCompute::get(&workspace, &named.name);
            let compute = session.unless_interrupted(None, compute).await?;
            Ok(Shown::table(shape(session, compute.resource()), COMPUTE))
        }
        Command::List => {
            let computes: Vec<AnyCompute> = session
                .unless_interrupted(None, workspace.computes().try_collect())
                .await?;
            let computes = computes
                .iter()
                .map(|compute| shape(session, compute.resource()));
            Ok(Shown::table(computes.collect(), &COMPUTE[..2]))
        }
        Command::Update(UpdateKind::Aks(update)) => {
            let mut compute = get(&update.named.name).await?;
            let mut builder = UpdateConfiguration::builder();
            if let Some(balancer) = update.balancing.of()? {
                builder = builder.load_balancer(balancer);
            }
            if update.ssl_disable == Some(true) {
                builder = builder.tls(TlsUpdate::Disable);
            } else if update.ssl_renew == Some(true) {
                builder = builder.tls(TlsUpdate::Renew);
            } else if let Some(tls) = update.certificates.of() {
                builder = builder.tls(tls);
            }
            let change = builder.build()?;
            session.warn_of(change.warnings());
            session.send(compute.update(change).prepare()?).await?;
            started(session, compute, update.waiting.no_wait).await
        }
        Command::Detach(Detach { named, waiting }) => {
            // Any kind.
            let compute = AnyCompute::get(&workspace, &named.name);
            let mut compute = session.unless_interrupted(None, compute).await?;
            let prepared = compute.detach().prepare()?;
            let operation = session.send(prepared).await?;
            removed(session, operation, named, waiting).await
        }
        Command::Delete(remove) => {
            let what = format!(
                "The cluster of {:?} is deleted, with all that runs on it.",
                remove.named.name
            );
            session.confirm(remove.sure.yes, &what)?;
            // Any kind. The library refuses to delete a cluster that the workspace did not create.
            let compute = AnyCompute::get(&workspace, &remove.named.name);
            let mut compute = session.unless_interrupted(None, compute).await?;
            let prepared = compute.delete().prepare()?;
            let operation = session.send(prepared).await?;
            removed(session, operation, remove.named, remove.waiting).await
        }
        Command::GetCredentials(named) => {
            let compute = get(&named.name).await?;
            let credentials = session
                .unless_interrupted(None, compute.credentials())
                .await?;
            Ok(Shown::new(json!({
                "adminKubeConfig": credentials.admin_kube_config.as_ref().map(|secret| secret.secret()),
                "imagePullSecretName": credentials.image_pull_secret_name,
                "userKubeConfig": credentials.user_kube_config.as_ref().map(|secret| secret.secret()),
            })))
        }
        Command::Scale(scale) => {
            let mut compute = get(&scale.named.name).await?;
            let mut request = compute.scale(scale.agent_count);
            if let Some(name) = scale.nodepool_name {
                request = request.node_pool(name);
            }
            let prepared = session.unless_interrupted(None, request.prepare()).await?;
            let mut operation = session.send(prepared).await?;
            if wait_for!(session, scale.waiting.no_wait, operation, wait).is_none() {
                return Ok(Shown::nothing());
            }
            session
                .unless_interrupted(None, compute.refresh_state())
                .await?;
            Ok(Shown::table(shape(session, compute.resource()), COMPUTE))
        }
    }
}

async fn started<K: Kind>(
    session: &Session,
    mut compute: ComputeTarget<K>,
    no_wait: bool,
) -> Result<Shown> {
    if wait_for!(session, no_wait, compute, wait_for_completion).is_none() {
        return Ok(Shown::nothing());
    }
    Ok(Shown::table(shape(session, compute.resource()), COMPUTE))
}

async fn removed(
    session: &Session,
    mut operation: azureml_aks::Operation<()>,
    named: Named,
    waiting: Waiting,
) -> Result<Shown> {
    if wait_for!(session, waiting.no_wait, operation, wait).is_none() {
        return Ok(Shown::nothing());
    }
    Ok(Shown::table(json!({ "name": named.name }), &COMPUTE[..1]))
}

/// The main members of a compute, or all with `-v`.
fn shape(session: &Session, compute: &ComputeResource) -> Value {
    let mut whole = compute.to_value();
    let properties = whole["properties"].take();
    // Where the compute is, when the resource itself is where the workspace is.
    let location = compute
        .properties
        .compute_location
        .as_ref()
        .or(compute.location.as_ref());
    let errors = &properties["provisioningErrors"];
    let none = errors.as_array().is_some_and(Vec::is_empty);
    let main = json!({
        "computeType": compute.properties.compute_type,
        "id": compute.id,
        "location": location,
        "name": compute.name,
        "provisioningErrors": if none { Value::Null } else { errors.clone() },
        "provisioningState": compute.properties.provisioning_state,
        "tags": compute.tags,
    });
    if !session.global.whole {
        return main;
    }
    whole["properties"] = properties;
    if let (Some(whole), Value::Object(main)) = (whole.as_object_mut(), main) {
        for (key, value) in main {
            whole.entry(key).or_insert(value);
        }
    }
    whole
}
