//! `computetarget attach kubernetes` and `update kubernetes`: clusters as computes of kind Kubernetes.

use crate::args::{Waiting, pair};
use crate::connect::Session;
use crate::failure::{Failure, Result};
use azureml_aks::{
    ComputeTarget, KubernetesAttachConfiguration, KubernetesClusterRef, KubernetesCompute,
    KubernetesIdentity, KubernetesUpdateConfiguration, Workspace,
};
use clap::Args;
use std::path::PathBuf;

/// An identity, as `az ml compute` takes it.
#[derive(Debug, Args)]
pub(crate) struct Identity {
    /// Managed identity of the compute: SystemAssigned, UserAssigned or None.
    #[arg(long, ignore_case = true, value_parser = ["SystemAssigned", "UserAssigned", "None"], value_name = "TYPE")]
    identity_type: Option<String>,
    /// Id of the user-assigned identity.
    #[arg(
        long,
        visible_alias = "user-assigned-identity",
        requires = "identity_type",
        value_name = "ID"
    )]
    user_assigned_identities: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Attach {
    /// Name of the compute [default: the name in the file].
    #[arg(long, short, required_unless_present = "file")]
    pub(crate) name: Option<String>,
    /// YAML file of `az ml compute attach`, of the type `kubernetes`. Options replace its members.
    #[arg(long, short)]
    file: Option<PathBuf>,
    /// Id of the AKS cluster or Arc-connected cluster.
    #[arg(
        long,
        short = 'i',
        visible_alias = "resource-id",
        required_unless_present = "file",
        conflicts_with = "file",
        value_name = "ID"
    )]
    compute_resource_id: Option<String>,
    /// Namespace of the cluster; it must exist [default: default].
    #[arg(long)]
    namespace: Option<String>,
    #[command(flatten)]
    identity: Identity,
    /// Instance type of jobs and deployments that name none.
    #[arg(long, value_name = "NAME")]
    default_instance_type: Option<String>,
    /// Description of the compute.
    #[arg(long)]
    description: Option<String>,
    /// Tags of the compute.
    #[arg(long, num_args = 1.., value_parser = pair, value_name = "KEY=VALUE")]
    tags: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    #[command(flatten)]
    pub(crate) named: crate::args::Named,
    #[command(flatten)]
    identity: Identity,
    /// Instance type of jobs and deployments that name none.
    #[arg(long, value_name = "NAME")]
    default_instance_type: Option<String>,
    /// Instance types to remove.
    #[arg(long, num_args = 1.., value_name = "NAME")]
    remove_instance_type: Vec<String>,
    /// Description of the compute.
    #[arg(long)]
    description: Option<String>,
    /// Tags to add or change.
    #[arg(long, num_args = 1.., value_parser = pair, value_name = "KEY=VALUE")]
    tags: Vec<(String, String)>,
    /// Tags to remove.
    #[arg(long, num_args = 1.., value_name = "KEY")]
    remove_tag: Vec<String>,
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// Passes the options that an attach and an update share to a builder. It is a macro because the two builders share no trait.
macro_rules! described {
    ($builder:expr, $options:expr) => {{
        let mut builder = $builder;
        if let Some(identity) = $options.identity.of()? {
            builder = builder.identity(identity);
        }
        if let Some(name) = &$options.default_instance_type {
            builder = builder.default_instance_type(name);
        }
        if let Some(description) = &$options.description {
            builder = builder.description(description);
        }
        for (name, value) in &$options.tags {
            builder = builder.tag(name, value);
        }
        builder
    }};
}

impl Identity {
    fn of(&self) -> Result<Option<KubernetesIdentity>> {
        let assigned = self.user_assigned_identities.as_deref();
        Ok(match (self.identity_type.as_deref(), assigned) {
            (None, _) => None,
            (Some("SystemAssigned"), None) => Some(KubernetesIdentity::SystemAssigned),
            (Some("None"), None) => Some(KubernetesIdentity::None),
            (Some("UserAssigned"), Some(id)) => Some(KubernetesIdentity::user_assigned(id)),
            (Some(_), None) => {
                let why = "--identity-type UserAssigned needs --user-assigned-identities";
                return Err(Failure::usage(why));
            }
            (Some(_), Some(_)) => {
                let why = "--user-assigned-identities needs --identity-type UserAssigned";
                return Err(Failure::usage(why));
            }
        })
    }
}

impl Attach {
    /// Returns the name and the configuration, for the attach and for preflight.
    pub(crate) fn configuration(&self) -> Result<(String, KubernetesAttachConfiguration)> {
        let mut builder = match &self.file {
            Some(file) => KubernetesAttachConfiguration::builder_from_file(file)?,
            None => {
                let id = self.compute_resource_id.as_deref().unwrap_or_default();
                KubernetesAttachConfiguration::builder(KubernetesClusterRef::id(id))
            }
        };
        if let Some(namespace) = &self.namespace {
            builder = builder.namespace(namespace);
        }
        let configuration = described!(builder, self).build()?;
        let name = self.name.as_deref().or(configuration.name());
        let name = name.ok_or_else(|| {
            Failure::usage(
                "the file has no `name`; the following arguments are required: --name/-n",
            )
        })?;
        Ok((name.to_owned(), configuration))
    }

    /// Sends the attach.
    pub(crate) async fn send(
        &self,
        session: &Session,
        workspace: &Workspace,
    ) -> Result<KubernetesCompute> {
        let (name, configuration) = self.configuration()?;
        session.warn_of(configuration.warnings());
        let request = ComputeTarget::attach(workspace, &name, configuration);
        session.warn_of(&request.warnings());
        session.send(request.prepare()?).await
    }
}

impl Update {
    /// Sends the change.
    pub(crate) async fn send(
        &self,
        session: &Session,
        workspace: &Workspace,
    ) -> Result<KubernetesCompute> {
        let mut builder = described!(KubernetesUpdateConfiguration::builder(), self);
        for name in &self.remove_instance_type {
            builder = builder.remove_instance_type(name);
        }
        for name in &self.remove_tag {
            builder = builder.remove_tag(name);
        }
        let change = builder.build()?;
        session.warn_of(change.warnings());
        let compute = KubernetesCompute::get(workspace, &self.named.name);
        let mut compute = session.unless_interrupted(None, compute).await?;
        session.send(compute.update(change).prepare()?).await?;
        Ok(compute)
    }
}
