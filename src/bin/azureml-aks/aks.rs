//! `aks`: clusters themselves, as `az aks` has them.

use crate::args::{Named, Waiting, pair};
use crate::connect::Session;
use crate::defaults;
use crate::failure::{Failure, Result};
use crate::kubeconfig;
use crate::output::{Columns, Shown};
use crate::wait::wait_for;
use azureml_aks::{
    ClusterRef, ManagedCluster, ManagedClusterConfiguration, OutboundType, Subnet, Workspace,
};
use clap::{Args, Subcommand};
use futures::TryStreamExt;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows a cluster.
    #[command(
        after_help = "Example:\n  azureml-aks aks show -n mycluster -g myresourcegroup --query id"
    )]
    Show(Named),
    /// Lists the clusters of the subscription, or of the resource group.
    #[command(after_help = "Example:\n  azureml-aks aks list -o table")]
    List,
    /// Lists the versions of Kubernetes that a region offers.
    #[command(
        after_help = "Examples:\n  azureml-aks aks get-versions -l westus -o table\n  \
        azureml-aks aks get-versions -l westus --query 'orchestrators[?default == `true`].orchestratorVersion' -o table"
    )]
    GetVersions {
        /// Region, as `westus` or as the portal shows it.
        #[arg(long, short)]
        location: Option<String>,
    },
    /// Writes the credentials of a cluster into a kubeconfig. They are secret.
    #[command(
        after_help = "Example:\n  azureml-aks aks get-credentials -n mycluster -g myresourcegroup -f -"
    )]
    GetCredentials(Credentials),
    /// Creates a cluster outside the workspace, which can be attached afterwards.
    #[command(
        after_help = "Example:\n  azureml-aks aks create -n mycluster -g myresourcegroup -l westus -c 3 -s Standard_D3_v2"
    )]
    Create(Box<Create>),
    /// Changes how many nodes a pool has.
    #[command(
        after_help = "Example:\n  azureml-aks aks scale -n mycluster -g myresourcegroup -c 5"
    )]
    Scale(Scale),
}

#[derive(Debug, Args)]
pub(crate) struct Credentials {
    #[command(flatten)]
    named: Named,
    /// File to merge into; `-` prints the kubeconfig [default: ~/.kube/config].
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Take the administrator's credentials.
    #[arg(long, short)]
    admin: bool,
    /// Name of the context in the file.
    #[arg(long)]
    context: Option<String>,
    /// Replace entries of the same name.
    #[arg(long)]
    overwrite_existing: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    named: Named,
    /// Region [default: that of the workspace].
    #[arg(long, short)]
    location: Option<String>,
    /// How many nodes.
    #[arg(long, short = 'c', default_value_t = 3)]
    node_count: u32,
    /// Size of the nodes [default: the service's].
    #[arg(long, short = 's')]
    node_vm_size: Option<String>,
    /// Name of the pool.
    #[arg(long)]
    nodepool_name: Option<String>,
    /// Version of Kubernetes [default: the service's].
    #[arg(long, short)]
    kubernetes_version: Option<String>,
    /// Let the number of nodes follow the load.
    #[arg(long, requires = "min_count", requires = "max_count")]
    enable_cluster_autoscaler: bool,
    /// The fewest nodes of the autoscaler.
    #[arg(long, requires = "enable_cluster_autoscaler")]
    min_count: Option<u32>,
    /// The most nodes of the autoscaler.
    #[arg(long, requires = "enable_cluster_autoscaler")]
    max_count: Option<u32>,
    /// Give the API server a private address alone.
    #[arg(long)]
    enable_private_cluster: bool,
    /// Ranges that may reach the API server.
    #[arg(long, value_delimiter = ',', value_name = "RANGES")]
    api_server_authorized_ip_ranges: Vec<String>,
    /// How traffic leaves: loadBalancer, userDefinedRouting, managedNATGateway, …
    #[arg(long)]
    outbound_type: Option<String>,
    /// Id of the subnet of the nodes.
    #[arg(long)]
    vnet_subnet_id: Option<String>,
    /// Range of the services.
    #[arg(long, requires = "vnet_subnet_id")]
    service_cidr: Option<String>,
    /// Address of the DNS service, in the range of the services.
    #[arg(long, requires = "vnet_subnet_id")]
    dns_service_ip: Option<String>,
    /// azure, kubenet, none.
    #[arg(long)]
    network_plugin: Option<String>,
    /// standard, basic.
    #[arg(long)]
    load_balancer_sku: Option<String>,
    /// free, standard, premium.
    #[arg(long)]
    tier: Option<String>,
    /// Take no accounts but those of Entra ID.
    #[arg(long)]
    disable_local_accounts: bool,
    /// Accepted and without effect: no key for SSH is ever sent.
    #[arg(long)]
    no_ssh_key: bool,
    /// Tags, as KEY=VALUE.
    #[arg(long, num_args = 1.., value_parser = pair, value_name = "KEY=VALUE")]
    tags: Vec<(String, String)>,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
pub(crate) struct Scale {
    #[command(flatten)]
    named: Named,
    /// How many nodes.
    #[arg(long, short = 'c')]
    node_count: u32,
    /// Name of the pool; needed where there are several.
    #[arg(long)]
    nodepool_name: Option<String>,
    #[command(flatten)]
    waiting: Waiting,
}

const CLUSTER: Columns = &[
    ("Name", "/name"),
    ("Location", "/location"),
    ("ResourceGroup", "/resourceGroup"),
    ("KubernetesVersion", "/kubernetesVersion"),
    ("CurrentKubernetesVersion", "/currentKubernetesVersion"),
    ("ProvisioningState", "/provisioningState"),
    ("Fqdn", "/fqdn"),
];

pub(crate) async fn run(session: &Session, command: Command) -> Result<Shown> {
    match command {
        Command::Show(named) => {
            let cluster = get(session, &named.name).await?;
            Ok(shown(&cluster))
        }
        Command::List => {
            let (workspace, group) = session.subscription().await?;
            let clusters = match group {
                Some(group) => ManagedCluster::list_in(&workspace, &group)?,
                None => ManagedCluster::list(&workspace),
            };
            let clusters: Vec<ManagedCluster> = session
                .unless_interrupted(None, clusters.try_collect())
                .await?;
            let mut shown = Shown::table(clusters.iter().map(shape).collect(), CLUSTER);
            shown.rows = Some(
                clusters
                    .iter()
                    .map(|cluster| with_host(shape(cluster)))
                    .collect(),
            );
            Ok(shown)
        }
        Command::GetVersions { location } => versions(session, location).await,
        Command::GetCredentials(credentials) => get_credentials(session, credentials).await,
        Command::Create(create) => self::create(session, *create).await,
        Command::Scale(scale) => self::scale(session, scale).await,
    }
}

/// Returns a way to the clusters of a subscription, and the resource group, which is required.
pub(crate) async fn place(session: &Session) -> Result<(Workspace, String)> {
    let (workspace, group) = session.subscription().await?;
    let group = group.ok_or_else(|| {
        Failure::usage("the following arguments are required: --resource-group/-g")
    })?;
    Ok((workspace, group))
}

async fn get(session: &Session, name: &str) -> Result<ManagedCluster> {
    let (workspace, group) = place(session).await?;
    let cluster = ClusterRef::named(group, name);
    session
        .unless_interrupted(None, ManagedCluster::get(&workspace, &cluster))
        .await
}

async fn versions(session: &Session, location: Option<String>) -> Result<Shown> {
    let (workspace, _) = session.subscription().await?;
    let location = location.or_else(|| defaults::default("location"));
    let location = location
        .ok_or_else(|| Failure::usage("the following arguments are required: --location/-l"))?;
    let versions = workspace.kubernetes_versions(Some(&location));
    let list = session
        .unless_interrupted(None, versions)
        .await?
        .orchestrators();
    let value = serde_json::to_value(&list).map_err(|error| Failure::new(error.to_string()))?;
    Ok(Shown {
        own_table: Some(list.to_string()),
        ..Shown::new(value)
    })
}

async fn get_credentials(session: &Session, credentials: Credentials) -> Result<Shown> {
    let cluster = get(session, &credentials.named.name).await?;
    let configs = match credentials.admin {
        true => {
            session
                .unless_interrupted(None, cluster.admin_kubeconfigs())
                .await?
        }
        false => {
            session
                .unless_interrupted(None, cluster.user_kubeconfigs())
                .await?
        }
    };
    let config = configs
        .first()
        .ok_or_else(|| Failure::new("the service returned no kubeconfig"))?;
    let text = config.content.secret();
    if credentials.file.as_deref() == Some(Path::new("-")) {
        return Ok(Shown::text(text.to_owned()));
    }
    let own = || Some(defaults::home()?.join(".kube/config"));
    let file = credentials
        .file
        .or_else(own)
        .ok_or_else(|| Failure::usage("--file is needed: HOME is not set"))?;
    let context = kubeconfig::merge(
        &file,
        text,
        credentials.context.as_deref(),
        credentials.overwrite_existing,
    )?;
    session.warn(format!(
        "Merged {context:?} as current context in {}",
        file.display()
    ));
    Ok(Shown::nothing())
}

/// The configuration of a cluster, and where it goes.
fn configuration(create: &Create, group: &str) -> Result<ManagedClusterConfiguration> {
    let mut builder = ManagedClusterConfiguration::builder(group, &create.named.name)
        .node_count(create.node_count);
    if let (Some(min), Some(max)) = (create.min_count, create.max_count) {
        builder = builder.autoscaler(min..=max);
    }
    macro_rules! set {
        ($($field:ident => $setter:ident),*) => {
            $(if let Some(value) = &create.$field { builder = builder.$setter(value.clone()); })*
        };
    }
    set!(
        location => location, node_vm_size => vm_size, nodepool_name => system_pool,
        kubernetes_version => kubernetes_version, network_plugin => network_plugin,
        load_balancer_sku => load_balancer_sku, tier => tier
    );
    if create.enable_private_cluster {
        builder = builder.private_cluster();
    }
    if !create.api_server_authorized_ip_ranges.is_empty() {
        builder = builder.authorized_ip_ranges(create.api_server_authorized_ip_ranges.clone());
    }
    if create.disable_local_accounts {
        builder = builder.local_accounts(false);
    }
    if let Some(outbound) = &create.outbound_type {
        builder = builder.outbound_type(OutboundType::from(outbound.as_str()));
    }
    if let Some(id) = &create.vnet_subnet_id {
        let mut subnet = Subnet::new(id.clone());
        if let Some(range) = &create.service_cidr {
            subnet = subnet.service_cidr(range.clone());
        }
        if let Some(address) = &create.dns_service_ip {
            subnet = subnet.dns_service_ip(address.clone());
        }
        builder = builder.virtual_network(subnet);
    }
    Ok(builder.tags(create.tags.clone()).build()?)
}

async fn create(session: &Session, create: Create) -> Result<Shown> {
    let (workspace, group) = place(session).await?;
    if create.location.is_none() && !session.has_workspace(&workspace) {
        return Err(Failure::usage(
            "--location/-l is needed where no workspace is given",
        ));
    }
    let configuration = configuration(&create, &group)?;
    session.warn_of(configuration.warnings());
    let prepared = ManagedCluster::create(&workspace, configuration).prepare()?;
    let mut operation = session.send(prepared).await?;
    Ok(
        match wait_for!(session, create.waiting.no_wait, operation, wait) {
            Some(cluster) => shown(&cluster),
            None => Shown::nothing(),
        },
    )
}

async fn scale(session: &Session, scale: Scale) -> Result<Shown> {
    let mut cluster = get(session, &scale.named.name).await?;
    let mut request = cluster.scale(scale.node_count);
    if let Some(name) = scale.nodepool_name {
        request = request.node_pool(name);
    }
    let prepared = session.unless_interrupted(None, request.prepare()).await?;
    let mut operation = session.send(prepared).await?;
    if wait_for!(session, scale.waiting.no_wait, operation, wait).is_none() {
        return Ok(Shown::nothing());
    }
    session.unless_interrupted(None, cluster.refresh()).await?;
    Ok(shown(&cluster))
}

/// Returns the name of a member as `az` spells it: of adjacent capitals only the first is kept, and hyphens are dropped.
pub(crate) fn spelt(key: &str) -> String {
    let letters: Vec<char> = key.replace("IPv6", "Ipv6").chars().collect();
    let mut name = String::with_capacity(letters.len());
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let capital = |letter: Option<char>| letter.is_some_and(char::is_uppercase);
        let starts_word = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        match letter {
            '-' => {}
            _ if before == Some('-') => name.extend(letter.to_uppercase()),
            _ if letter.is_uppercase() && capital(before) && !starts_word => {
                name.extend(letter.to_lowercase());
            }
            _ => name.push(*letter),
        }
    }
    name
}

/// Members whose own members have names chosen by users.
const MAPS: [&str; 5] = [
    "addonProfiles",
    "identityProfile",
    "nodeLabels",
    "tags",
    "userAssignedIdentities",
];

/// The members of a cluster that `az` prints even if the service does not send them: those of the API version 2026-06-01
/// in azure-mgmt-containerservice.
const OF_CLUSTER: &str = "aadProfile addonProfiles agentPoolProfiles aiToolchainOperatorProfile apiServerAccessProfile \
    autoScalerProfile autoUpgradeProfile azureMonitorProfile azurePortalFqdn bootstrapProfile currentKubernetesVersion \
    disableLocalAccounts diskEncryptionSetId dnsPrefix eTag enableRbac extendedLocation fqdn fqdnSubdomain \
    hostedSystemProfile httpProxyConfig id identity identityProfile ingressProfile kind kubernetesVersion linuxProfile \
    location maxAgentPools metricsProfile name networkProfile nodeProvisioningProfile nodeResourceGroup \
    nodeResourceGroupProfile oidcIssuerProfile podIdentityProfile powerState privateFqdn privateLinkResources \
    provisioningState publicNetworkAccess resourceUid schedulerProfile securityProfile serviceMeshProfile \
    servicePrincipalProfile sku status storageProfile supportPlan systemData tags type upgradeSettings windowsProfile workloadAutoScalerProfile";

/// Those of a node pool.
pub(crate) const OF_POOL: &str = "artifactStreamingProfile availabilityZones capacityReservationGroupId count creationData \
    currentOrchestratorVersion eTag enableAutoScaling enableEncryptionAtHost enableFips enableNodePublicIp \
    enableUltraSsd gatewayProfile gpuInstanceProfile gpuProfile hostGroupId kubeletConfig kubeletDiskType \
    linuxOsConfig localDnsProfile maxCount maxPods messageOfTheDay minCount mode name networkProfile nodeImageVersion \
    nodeLabels nodePublicIpPrefixId nodeTaints orchestratorVersion osDiskSizeGb osDiskType osSku osType podIpAllocationMode \
    podSubnetId powerState provisioningState proximityPlacementGroupId scaleDownMode scaleSetEvictionPolicy \
    scaleSetPriority securityProfile spotMaxPrice status tags type upgradeSettings virtualMachineNodesStatus \
    virtualMachinesProfile vmSize vnetSubnetId windowsProfile workloadRuntime";

/// Adds the members that are absent, as `null`.
fn filled(object: &mut Map<String, Value>, members: &str) {
    for member in members.split_whitespace() {
        object.entry(member).or_insert(Value::Null);
    }
}

/// Returns a cluster as `az` shows it: without the level `properties`, with its resource group, and with `null` for absent
/// members.
fn shape(cluster: &ManagedCluster) -> Value {
    let mut document = renamed(cluster.resource().to_value());
    if let Some(object) = document.as_object_mut() {
        if let Some(Value::Object(properties)) = object.remove("properties") {
            for (key, value) in properties {
                object.entry(key).or_insert(value);
            }
        }
        object.insert("resourceGroup".to_owned(), cluster.resource_group().into());
        filled(object, OF_CLUSTER);
        let pools = object
            .get_mut("agentPoolProfiles")
            .and_then(Value::as_array_mut);
        for pool in pools.into_iter().flatten().filter_map(Value::as_object_mut) {
            filled(pool, OF_POOL);
        }
    }
    document
}

fn shown(cluster: &ManagedCluster) -> Shown {
    let mut shown = Shown::table(shape(cluster), CLUSTER);
    shown.rows = Some(with_host(shape(cluster)));
    shown
}

fn renamed(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let members = object.into_iter().map(|(key, value)| {
                let value = match MAPS.contains(&key.as_str()) {
                    true => value,
                    false => renamed(value),
                };
                (spelt(&key), value)
            });
            let mut members: Map<String, Value> = members.collect();
            if let Some(group) = members.get("id").and_then(group_of) {
                members.entry("resourceGroup").or_insert(group);
            }
            Value::Object(members)
        }
        Value::Array(items) => items.into_iter().map(renamed).collect(),
        other => other,
    }
}

/// The resource group in an id, which `az` shows beside it.
fn group_of(id: &Value) -> Option<Value> {
    let mut parts = id.as_str()?.split('/');
    parts.find(|part| part.eq_ignore_ascii_case("resourceGroups"))?;
    parts.next().map(Value::from)
}

/// The table shows the private host name of a cluster that has no other.
fn with_host(mut cluster: Value) -> Value {
    if cluster["fqdn"].as_str().is_none_or(str::is_empty) {
        cluster["fqdn"] = cluster["privateFqdn"].clone();
    }
    cluster
}
