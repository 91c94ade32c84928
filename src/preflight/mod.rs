//! Findings before the first write: what a subscription, a region or a moment decides.
//!
//! A request becomes a plan (`plan.rs`), what the plan needs is read at once (`gather.rs`, `azure.rs`), and the rules
//! are judged by what is known, without I/O (`judge/`).

mod azure;
mod gather;
mod judge;
mod kubernetes;
mod plan;
mod report;

pub use report::{PreflightFinding, PreflightReport};

use crate::cluster::{CreateAndAttach, CreateCluster, ManagedClusterConfiguration};
#[cfg(feature = "services")]
use crate::compute::AksCompute;
use crate::compute::{
    Aks, AttachCompute, AttachConfiguration, CreateCompute, Kubernetes,
    KubernetesAttachConfiguration, KubernetesClusterRef, ProvisioningConfiguration, is_managed,
};
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::{Error, Severity};
use crate::extension::{ExtensionConfiguration, InstallExtension};
use crate::names::ComputeName;
use crate::operation::request::{CheckBefore, awaitable};
#[cfg(feature = "services")]
use crate::webservice::{DeployConfiguration, DeployService};
use crate::workspace::Workspace;
use futures::FutureExt;
use plan::Plan;
use std::sync::Arc;

/// The treatment of a preflight's result by a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Preflight {
    /// Logs each finding by `tracing`, and goes on: errors and warnings at the level `WARN`, the rest at `INFO`.
    Report,
    /// As `Report`, and ends the request before anything is changed if a finding is an error.
    Refuse,
}

impl Preflight {
    /// Checks a plan, and returns whether the request goes on.
    async fn check(self, workspace: &Workspace, plan: &Plan) -> Result<(), Error> {
        let report = run(workspace, plan).await;
        for found in &report.findings {
            let (finding, severity) = (&found.finding, found.finding.severity);
            match severity {
                Severity::Error | Severity::Warning => {
                    tracing::warn!(target: "azureml_aks::preflight", %severity, rule = finding.rule, "{finding}");
                }
                _ => {
                    tracing::info!(target: "azureml_aks::preflight", %severity, rule = finding.rule, "{finding}")
                }
            }
        }
        match self {
            Self::Report => Ok(()),
            Self::Refuse => report.into_result().map(|_| ()),
        }
    }
}

async fn run(workspace: &Workspace, plan: &Plan) -> PreflightReport {
    let facts = gather::gather(workspace, plan).await;
    judge::judge(plan, &facts)
}

/// A preflight by itself, which the `preflight` of a configuration returns. `.await` runs it, and changes nothing.
///
/// Sends GETs alone, and a POST that asks which policies would deny a public address. They go out at the same time.
/// Sizes, versions and ranges are kept for an hour; quota, policies and permissions for a minute.
///
/// # Errors
///
/// [`ErrorKind::Validation`] for a name that breaks the rules, and for settings of an extension that contradict the kind
/// of the cluster, such as a missing relay on an Arc-connected cluster. What cannot be read is a finding with the severity
/// [`Severity::Unknown`], never an error.
///
/// # Cancel safety
///
/// Safe: it only reads.
#[must_use = "a preflight reads nothing before it is awaited"]
#[derive(Debug, Clone)]
pub struct PreflightRequest {
    workspace: Workspace,
    plan: Plan,
}

impl PreflightRequest {
    /// Checks the name of the compute, too: it may be in use.
    pub fn name(mut self, name: impl AsRef<str>) -> Self {
        self.plan.name = Some(name.as_ref().to_owned());
        self
    }

    /// Searches the other workspaces of the subscription for an attachment of the cluster. By default only the
    /// workspace itself is searched.
    pub fn other_workspaces(mut self) -> Self {
        self.plan.elsewhere = true;
        self
    }

    async fn report(self) -> Result<PreflightReport, Error> {
        let Self { workspace, plan } = self;
        if let Some(name) = &plan.name {
            let parsed = ComputeName::parse_for(workspace.api_version(), "name", name);
            parsed.map_err(|found| Error::validation("compute name", found))?;
        }
        if let (Some(extension), Some(cluster)) = (&plan.extension, &plan.cluster_id) {
            let is_managed = is_managed(cluster);
            extension.configuration.check(is_managed, None)?;
        }
        Ok(run(&workspace, &plan).await)
    }
}

awaitable!([] PreflightRequest => PreflightReport, 'static, |request| request.report().boxed());

impl ProvisioningConfiguration {
    /// Checks before a create whether the subscription and the region allow it: see [`PreflightRequest`].
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// use azureml_aks::AksCompute;
    ///
    /// let config = AksCompute::provisioning_configuration().vm_size("Standard_D99_v2").build()?;
    /// let report = config.preflight(&workspace).name("myaks").await?;
    /// println!("{report}");
    /// assert!(report.has_errors());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn preflight(&self, workspace: &Workspace) -> PreflightRequest {
        PreflightRequest {
            workspace: workspace.clone(),
            plan: Plan::create(self, workspace.id()),
        }
    }
}

impl AttachConfiguration {
    /// Checks before an attach whether the cluster can be attached: see [`PreflightRequest`].
    pub fn preflight(&self, workspace: &Workspace) -> PreflightRequest {
        PreflightRequest {
            workspace: workspace.clone(),
            plan: Plan::attach(self, workspace.id()),
        }
    }
}

impl ExtensionConfiguration {
    /// Checks before an install whether the cluster is ready for the extension: see [`PreflightRequest`].
    ///
    /// # Arguments
    ///
    /// * `workspace` - whose credential is used, and whose computes of kind AKS on this cluster are found
    /// * `cluster` - an AKS cluster or an Arc-connected one
    /// * `name` - the name of the extension on the cluster
    pub fn preflight(
        &self,
        workspace: &Workspace,
        cluster: impl Into<KubernetesClusterRef>,
        name: impl AsRef<str>,
    ) -> PreflightRequest {
        PreflightRequest {
            workspace: workspace.clone(),
            plan: Plan::extension(self, &cluster.into(), name.as_ref(), workspace.id()),
        }
    }
}

impl InstallExtension {
    /// Checks before anything is changed whether the install can succeed. By default nothing is checked.
    ///
    /// Sends what a [`PreflightRequest`] sends, after the name was read. With [`Preflight::Refuse`] the error is of the
    /// kind [`ErrorKind::Validation`] and has all [`findings`](Error::findings).
    pub fn preflight(self, preflight: Preflight) -> Self {
        let (cluster, name, configuration) = self.parts();
        let workspace = self.workspace().clone();
        let plan = Plan::extension(configuration, cluster, name, workspace.id());
        self.checked_by(check(preflight, workspace, plan))
    }
}

impl KubernetesAttachConfiguration {
    /// Checks before an attach whether the cluster, its extension and the workspace are ready for it: see
    /// [`PreflightRequest`].
    ///
    /// Whether the namespace exists cannot be read from outside the cluster; the report has a note about it.
    pub fn preflight(&self, workspace: &Workspace) -> PreflightRequest {
        PreflightRequest {
            workspace: workspace.clone(),
            plan: Plan::attach_kubernetes(self, workspace.id()),
        }
    }
}

/// Adds the preflight to a request that makes a compute.
macro_rules! request {
    ($request:ident<$kind:ident>, $configuration:ty, $what:literal, $plan:path) => {
        impl $request<$kind> {
            #[doc = concat!("Checks before anything is changed whether the ", $what, " can succeed. By default nothing is checked.")]
            ///
            /// Sends what a [`PreflightRequest`] sends, after the name was read. With [`Preflight::Refuse`] the
            /// error is of the kind [`ErrorKind::Validation`] and has all [`findings`](Error::findings).
            pub fn preflight(self, preflight: Preflight) -> Self {
                let Some(own) = self.configuration::<$configuration>() else {
                    return self;
                };
                let workspace = self.workspace().clone();
                let plan = Plan {
                    name: Some(self.name().to_owned()),
                    ..$plan(own, workspace.id())
                };
                self.checked_by(check(preflight, workspace, plan))
            }
        }
    };
}
request!(
    CreateCompute<Aks>,
    ProvisioningConfiguration,
    "create",
    Plan::create
);
request!(
    AttachCompute<Aks>,
    AttachConfiguration,
    "attach",
    Plan::attach
);
request!(
    AttachCompute<Kubernetes>,
    KubernetesAttachConfiguration,
    "attach",
    Plan::attach_kubernetes
);

fn check(preflight: Preflight, workspace: Workspace, plan: Plan) -> CheckBefore {
    Arc::new(move || {
        let (workspace, plan) = (workspace.clone(), plan.clone());
        async move { preflight.check(&workspace, &plan).await }.boxed()
    })
}

impl ManagedClusterConfiguration {
    /// Checks before a create whether the subscription and the region allow the cluster: see [`PreflightRequest`]. With a
    /// [`name`](PreflightRequest::name) it checks the attach as a production cluster, too.
    pub fn preflight(&self, workspace: &Workspace) -> PreflightRequest {
        PreflightRequest {
            workspace: workspace.clone(),
            plan: Plan::cluster(self, workspace.id()),
        }
    }
}

impl CreateCluster {
    /// Checks before anything is changed whether the create can succeed. By default nothing is checked.
    ///
    /// Sends what a [`PreflightRequest`] sends, after the name was read. With [`Preflight::Refuse`] the error is of the
    /// kind [`ErrorKind::Validation`] and has all [`findings`](Error::findings).
    pub fn preflight(self, preflight: Preflight) -> Self {
        let workspace = self.workspace().clone();
        let plan = Plan::cluster(self.configuration(), workspace.id());
        self.checked_by(check(preflight, workspace, plan))
    }
}

impl CreateAndAttach {
    /// Checks before anything is changed whether create and attach can succeed. By default nothing is checked.
    ///
    /// Sends what a [`PreflightRequest`] sends, once the name of the cluster was read. With [`Preflight::Refuse`] the
    /// error is of the kind [`ErrorKind::Validation`] and has all [`findings`](Error::findings).
    pub fn preflight(self, preflight: Preflight) -> Self {
        let (create, attach, name) = self.parts();
        let workspace = create.workspace().clone();
        let plan = Plan::cluster(create.configuration(), workspace.id()).then_attach(attach, name);
        self.checked_by(check(preflight, workspace, plan))
    }
}

#[cfg(feature = "services")]
impl DeployService {
    /// Checks before anything is uploaded whether the cluster is there and has room. By default nothing is checked.
    ///
    /// Sends what a [`PreflightRequest`] sends. With [`Preflight::Refuse`] the error is of the kind
    /// [`ErrorKind::Validation`] and has all [`findings`](Error::findings).
    pub fn preflight(self, preflight: Preflight) -> Self {
        let workspace = self.workspace().clone();
        let plan = Plan::deploy(self.configuration(), self.target().name().as_str());
        self.checked_by(check(preflight, workspace, plan))
    }
}

#[cfg(feature = "services")]
impl DeployConfiguration {
    /// Checks before a deployment whether the cluster behind a compute target is there and has room: see
    /// [`PreflightRequest`].
    pub fn preflight(&self, target: &AksCompute) -> PreflightRequest {
        PreflightRequest {
            workspace: target.workspace().clone(),
            plan: Plan::deploy(self, target.name().as_str()),
        }
    }
}
