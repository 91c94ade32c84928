//! `extension`: Azure Machine Learning's extension of a cluster. A compute of kind Kubernetes cannot be attached without it.

use crate::aks::place;
use crate::args::{Named, Sure, Waiting, boolean, pair};
use crate::connect::Session;
use crate::failure::{Failure, Result};
use crate::output::{Columns, Shown};
use crate::wait::wait_for;
use azureml_aks::{
    Extension, ExtensionConfiguration, ExtensionTls, ExtensionUpdateConfiguration,
    KubernetesClusterRef, Operation, Pem, Workspace,
};
use clap::{Args, Subcommand, ValueEnum};
use futures::TryStreamExt;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Installs the extension.
    #[command(
        alias = "create",
        after_help = "Examples:\n  \
        azureml-aks extension install -n azureml -c mycluster -g myresourcegroup --config enableTraining=True \
        enableInference=True inferenceRouterServiceType=LoadBalancer allowInsecureConnections=True\n  \
        azureml-aks extension install -n azureml --cluster-id ID --config enableInference=True \
        inferenceRouterServiceType=LoadBalancer sslCname=scoring.example.com --config-protected \
        sslCertPemFile=cert.pem sslKeyPemFile=key.pem"
    )]
    Install(Box<Install>),
    /// Shows an extension.
    #[command(
        after_help = "Example:\n  azureml-aks extension show -n azureml -c mycluster -g myresourcegroup"
    )]
    Show(Located),
    /// Lists the extensions of a cluster; of every type, not only Azure Machine Learning's.
    #[command(
        after_help = "Example:\n  azureml-aks extension list -c mycluster -g myresourcegroup -o table"
    )]
    List(Cluster),
    /// Changes settings of the extension.
    #[command(
        after_help = "Example:\n  azureml-aks extension update -n azureml -c mycluster -g myresourcegroup \
        --config inferenceRouterHA=False"
    )]
    Update(Box<Update>),
    /// Deletes the extension. Computes of kind Kubernetes that use it stop working.
    #[command(
        after_help = "Example:\n  azureml-aks extension delete -n azureml -c mycluster -g myresourcegroup --yes"
    )]
    Delete(Delete),
}

/// The kind of a cluster, as `az k8s-extension` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "camelCase")]
pub(crate) enum ClusterType {
    /// An AKS cluster.
    ManagedClusters,
    /// An Arc-connected cluster.
    ConnectedClusters,
}

/// The cluster: by its names, or by its id.
#[derive(Debug, Args)]
pub(crate) struct Cluster {
    /// Name of the cluster; its resource group is `-g`.
    #[arg(
        long,
        short = 'c',
        required_unless_present = "cluster_id",
        value_name = "NAME"
    )]
    cluster_name: Option<String>,
    /// Type of the cluster.
    #[arg(long, short = 't', ignore_case = true, value_enum, default_value_t = ClusterType::ManagedClusters,
        value_name = "TYPE")]
    cluster_type: ClusterType,
    /// Id of the cluster, in place of its names.
    #[arg(long, conflicts_with = "cluster_name", value_name = "ID")]
    cluster_id: Option<String>,
}

/// An extension of a cluster.
#[derive(Debug, Args)]
pub(crate) struct Located {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    cluster: Cluster,
}

/// The settings of an extension.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Settings, by their documented names.
    #[arg(long, visible_alias = "configuration-settings", num_args = 1.., value_parser = pair, value_name = "KEY=VALUE")]
    config: Vec<(String, String)>,
    /// Protected settings, which the service never shows. `sslCertPemFile` and `sslKeyPemFile` name files.
    #[arg(long, visible_alias = "configuration-protected-settings", num_args = 1.., value_name = "KEY=VALUE")]
    // Split later: a parser's error shows the value.
    config_protected: Vec<String>,
    /// Release train [default: stable].
    #[arg(long, value_name = "TRAIN")]
    release_train: Option<String>,
    /// Version to pin.
    #[arg(long)]
    version: Option<String>,
    /// Upgrade minor versions automatically [default: true, or false with --version].
    #[arg(long, visible_alias = "auto-upgrade", num_args = 0..=1, default_missing_value = "true",
        value_parser = boolean, value_name = "BOOL")]
    auto_upgrade_minor_version: Option<bool>,
}

#[derive(Debug, Args)]
pub(crate) struct Install {
    #[command(flatten)]
    located: Located,
    #[command(flatten)]
    settings: Settings,
    /// Type of the extension; only one is valid.
    #[arg(long, value_parser = own_type, hide = true)]
    extension_type: Option<String>,
    /// Scope of the extension; only one is valid.
    #[arg(long, value_parser = ["cluster"], hide = true)]
    scope: Option<String>,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    located: Located,
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    sure: Sure,
    #[command(flatten)]
    waiting: Waiting,
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    #[command(flatten)]
    located: Located,
    /// Delete the resource even if the cluster cannot be reached. Software in the cluster may stay installed.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    sure: Sure,
    #[command(flatten)]
    waiting: Waiting,
}

const EXTENSION: Columns = &[
    ("Name", "/name"),
    ("ExtensionType", "/extensionType"),
    ("Version", "/currentVersion"),
    ("ProvisioningState", "/provisioningState"),
    ("LastModifiedAt", "/systemData/lastModifiedAt"),
    ("IsHealthy", "/isHealthy"),
];

/// The type that this program installs.
const TYPE: &str = "microsoft.azureml.kubernetes";

fn own_type(text: &str) -> std::result::Result<String, String> {
    match text.eq_ignore_ascii_case(TYPE) {
        true => Ok(text.to_owned()),
        false => Err(format!("this program installs only `{TYPE}`")),
    }
}

impl Cluster {
    async fn find(&self, session: &Session) -> Result<(Workspace, KubernetesClusterRef)> {
        if let Some(id) = &self.cluster_id {
            let (workspace, _) = session.subscription().await?;
            return Ok((workspace, KubernetesClusterRef::id(id)));
        }
        let (workspace, group) = place(session).await?;
        let name = self.cluster_name.as_deref().unwrap_or_default();
        let cluster = match self.cluster_type {
            ClusterType::ManagedClusters => KubernetesClusterRef::managed(group, name),
            ClusterType::ConnectedClusters => KubernetesClusterRef::connected(group, name),
        };
        Ok((workspace, cluster))
    }
}

/// Passes the settings to a builder. It is a macro because the two builders have the same setters and share no trait.
macro_rules! configured {
    ($builder:expr, $settings:expr) => {{
        let settings = $settings;
        let (tls, open, protected) = settings.split()?;
        let mut builder = $builder.settings(open);
        for (name, value) in protected {
            builder = builder.protected_setting(name, value.to_owned());
        }
        if let Some(tls) = tls {
            builder = builder.tls(tls);
        }
        if let Some(train) = &settings.release_train {
            builder = builder.release_train(train);
        }
        if let Some(version) = &settings.version {
            builder = builder.version(version);
        }
        if let Some(upgrade) = settings.auto_upgrade_minor_version {
            builder = builder.auto_upgrade(upgrade);
        }
        builder
    }};
}

type Pairs<'s> = Vec<(&'s str, &'s str)>;

impl Settings {
    /// Returns the certificate from files, the settings, and the protected settings.
    fn split(&self) -> Result<(Option<ExtensionTls>, Pairs<'_>, Pairs<'_>)> {
        let mut open: Pairs<'_> = borrowed(&self.config);
        let pairs = self.config_protected.iter();
        let pairs: Option<Pairs<'_>> = pairs.map(|text| text.split_once('=')).collect();
        let mut protected =
            pairs.ok_or_else(|| Failure::usage("--config-protected: each must be KEY=VALUE"))?;
        let certificate = taken(&mut protected, "sslCertPemFile");
        let key = taken(&mut protected, "sslKeyPemFile");
        let (certificate, key) = match (certificate, key) {
            (None, None) => return Ok((None, open, protected)),
            (Some(certificate), Some(key)) => (certificate, key),
            _ => {
                return Err(Failure::usage(
                    "sslCertPemFile and sslKeyPemFile must be given together",
                ));
            }
        };
        let cname = taken(&mut open, "sslCname").ok_or_else(|| {
            Failure::usage(
                "a certificate needs the host name that clients call: --config sslCname=NAME",
            )
        })?;
        let tls = ExtensionTls::certificate(cname, Pem::file(certificate), Pem::file(key));
        Ok((Some(tls), open, protected))
    }
}

fn borrowed(pairs: &[(String, String)]) -> Pairs<'_> {
    pairs
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect()
}

/// Removes a setting, in any letter case, and returns its value.
fn taken<'s>(pairs: &mut Pairs<'s>, name: &str) -> Option<&'s str> {
    let at = pairs
        .iter()
        .position(|(own, _)| own.eq_ignore_ascii_case(name))?;
    Some(pairs.remove(at).1)
}

impl Install {
    /// Returns the parts of the install, for the install and for preflight.
    pub(crate) async fn request(
        &self,
        session: &Session,
    ) -> Result<(
        Workspace,
        KubernetesClusterRef,
        &str,
        ExtensionConfiguration,
    )> {
        let (workspace, cluster) = self.located.cluster.find(session).await?;
        let configuration =
            configured!(ExtensionConfiguration::builder(), &self.settings).build()?;
        Ok((workspace, cluster, &self.located.named.name, configuration))
    }
}

pub(crate) async fn run(session: &Session, command: Command) -> Result<Shown> {
    match command {
        Command::Install(install) => {
            let (workspace, cluster, name, configuration) = install.request(session).await?;
            let request = Extension::install(&workspace, cluster, name, configuration);
            session.warn_of(request.warnings());
            let operation = session.send(request.prepare()?).await?;
            ended(session, operation, install.waiting.no_wait).await
        }
        Command::Show(located) => Ok(shown(&get(session, &located).await?)),
        Command::List(cluster) => {
            let (workspace, cluster) = cluster.find(session).await?;
            let extensions = Extension::list(&workspace, cluster)?;
            let extensions: Vec<Extension> = session
                .unless_interrupted(None, extensions.try_collect())
                .await?;
            Ok(Shown::table(
                extensions.iter().map(shape).collect(),
                EXTENSION,
            ))
        }
        Command::Update(update) => {
            let change = configured!(ExtensionUpdateConfiguration::builder(), &update.settings);
            let change = change.build()?;
            session.warn_of(change.warnings());
            let extension = get(session, &update.located).await?;
            let what =
                "The change of the extension may interrupt jobs and endpoints of the cluster.";
            session.confirm(update.sure.yes, what)?;
            let prepared = extension.update(change).prepare()?;
            let operation = session.send(prepared).await?;
            ended(session, operation, update.waiting.no_wait).await
        }
        Command::Delete(delete) => {
            let name = &delete.located.named.name;
            let what = format!(
                "The extension {name:?} is deleted, and computes of kind Kubernetes that use it stop working."
            );
            session.confirm(delete.sure.yes, &what)?;
            let extension = get(session, &delete.located).await?;
            let mut request = extension.delete();
            if delete.force {
                request = request.force();
            }
            let mut operation = session.send(request.prepare()?).await?;
            if wait_for!(session, delete.waiting.no_wait, operation, wait).is_none() {
                return Ok(Shown::nothing());
            }
            Ok(Shown::table(json!({ "name": name }), &EXTENSION[..1]))
        }
    }
}

async fn get(session: &Session, located: &Located) -> Result<Extension> {
    let (workspace, cluster) = located.cluster.find(session).await?;
    let extension = Extension::get(&workspace, cluster, &located.named.name);
    session.unless_interrupted(None, extension).await
}

async fn ended(
    session: &Session,
    mut operation: Operation<Extension>,
    no_wait: bool,
) -> Result<Shown> {
    Ok(match wait_for!(session, no_wait, operation, wait) {
        Some(extension) => shown(&extension),
        None => Shown::nothing(),
    })
}

fn shown(extension: &Extension) -> Shown {
    Shown::table(shape(extension), EXTENSION)
}

/// Returns the document with its properties at the top level, as `az k8s-extension` shows it, and whether it is healthy.
fn shape(extension: &Extension) -> Value {
    let mut shown = extension.resource().to_value();
    let properties = shown["properties"].take();
    if let (Value::Object(shown), Value::Object(properties)) = (&mut shown, properties) {
        shown.remove("properties");
        shown.extend(properties);
        shown.insert("isHealthy".to_owned(), extension.is_healthy().into());
    }
    shown
}
