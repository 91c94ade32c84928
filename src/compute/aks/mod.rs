//! The kind of AKS clusters: its own members, and the builders that give valid configurations of it.
//!
//! A configuration can only be made by its builder's `build()`, which checks everything that can be
//! known without asking the service and reports **all** broken rules in one
//! [`Error`]. Parts, such as [`VirtualNetwork`] or [`Tls`], are passed as they are and
//! checked with the whole. What is allowed but probably not meant is listed by `warnings()`.
//!
//! A setting that is not given is absent in the request, so that the service applies its own defaults; the
//! setters name the documented ones. The rules, with their ids, are in `docs/validation.md`.

mod attach;
pub(crate) mod capacity;
pub(crate) mod certificate;
mod cluster;
mod common;
mod credentials;
mod load_balancer;
mod network;
mod properties;
mod provisioning;
mod purpose;
mod tls;
mod update;

pub use attach::{AttachConfiguration, AttachConfigurationBuilder};
pub use cluster::ClusterRef;
pub use credentials::AksCredentials;
pub use load_balancer::LoadBalancer;
pub(crate) use network::overlap;
pub use network::{Network, Subnet, VirtualNetwork};
pub use properties::{AksNetworking, AksProperties, SslSettings, SystemService};
pub use provisioning::{ProvisioningConfiguration, ProvisioningConfigurationBuilder};
pub use purpose::ClusterPurpose;
pub(crate) use tls::{CheckedTls, check_cname};
pub use tls::{LeafDomain, OwnCertificate, Pem, Tls};
pub use update::{TlsUpdate, UpdateConfiguration, UpdateConfigurationBuilder};

use super::ComputeTarget;
use super::kind::{AttachWith, CreateWith, Kind, UpdateWith, kind, sealed};
use crate::error::Error;
use crate::facts::arm::COMPUTE_TYPE_AKS;
use crate::names::WorkspaceId;
use crate::transport::{HttpRequest, Limit, Sending};
use azure_core::http::Method;
use serde_json::Value;

/// An AKS cluster as a compute target.
pub type AksCompute = ComputeTarget<Aks>;

/// The kind of AKS clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aks {}

kind!(Aks);

impl Kind for Aks {
    const COMPUTE_TYPE: &'static str = COMPUTE_TYPE_AKS;

    type Properties = AksProperties;

    const COMPARED: &'static [(&'static str, &'static str)] = &[
        ("cluster_purpose", "/properties/properties/clusterPurpose"),
        ("vm_size", "/properties/properties/agentVmSize"),
        ("agent_count", "/properties/properties/agentCount"),
        ("load_balancer", "/properties/properties/loadBalancerType"),
        (
            "load_balancer.subnet",
            "/properties/properties/loadBalancerSubnet",
        ),
    ];
}

impl sealed::Sealed for ProvisioningConfiguration {}

impl CreateWith for ProvisioningConfiguration {
    type Kind = Aks;

    fn body(&self, workspace: &WorkspaceId, location: &str) -> Value {
        Self::body(self, workspace, location)
    }
}

impl sealed::Sealed for AttachConfiguration {}

impl AttachWith for AttachConfiguration {
    type Kind = Aks;

    fn body(&self, workspace: &WorkspaceId, location: &str) -> Value {
        Self::body(self, workspace, location)
    }

    fn cluster_id(&self, workspace: &WorkspaceId) -> String {
        self.resource_id(workspace)
    }
}

impl sealed::Sealed for UpdateConfiguration {}

impl UpdateWith for UpdateConfiguration {
    type Kind = Aks;

    fn apply(&self, current: Value) -> Result<Value, Error> {
        Self::apply(self, current)
    }
}

impl ComputeTarget<Aks> {
    /// Begins the configuration of a new cluster; the same as
    /// [`ProvisioningConfiguration::builder`].
    pub fn provisioning_configuration() -> ProvisioningConfigurationBuilder {
        ProvisioningConfiguration::builder()
    }

    /// Begins the configuration that attaches a cluster; the same as
    /// [`AttachConfiguration::builder`].
    pub fn attach_configuration(cluster: ClusterRef) -> AttachConfigurationBuilder {
        AttachConfiguration::builder(cluster)
    }

    /// Returns the ARM id of the AKS cluster behind the compute, as it was last read.
    #[must_use]
    pub fn cluster_resource_id(&self) -> Option<&str> {
        self.resource.properties.resource_id.as_deref()
    }

    /// Reads the kubeconfigs of the cluster.
    ///
    /// Sends: POST `…/computes/{name}/listKeys`, once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Service`](crate::ErrorKind::Service) with the service's reason, for example
    /// [`Error::is_forbidden`]. If the service does not mark the answer as an error, only its codes are shown.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{AksCompute, ComputeTarget, WaitOptions, Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # let config = AksCompute::provisioning_configuration().build()?;
    /// # let mut aks = ComputeTarget::create(&workspace, "myaks", config).await?;
    /// # aks.wait_for_completion(WaitOptions::new()).await?;
    /// let credentials = aks.credentials().await?;
    /// let kubeconfig = credentials.admin_kube_config.as_ref().unwrap();
    /// assert!(!kubeconfig.secret().is_empty());
    /// assert!(!format!("{credentials:?}").contains(kubeconfig.secret()));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub async fn credentials(&self) -> Result<AksCredentials, Error> {
        let url = self
            .workspace
            .url_of(&["computes", self.name.as_str(), "listKeys"]);
        let request = HttpRequest::new(Method::Post, url).hiding(&self.hidden);
        let id = request.client_request_id.as_str();
        let answer = self
            .workspace
            .client()
            .send(&request, Sending::Once, Limit::RESOURCE, None);
        let credentials = async { answer.await?.successful_secret(id)?.json(id) }.await;
        credentials.map_err(|error: Error| {
            error.with_context(|| {
                format!("read the credentials of compute {:?}", self.name.as_str())
            })
        })
    }
}

const _: fn() = || {
    fn crosses_threads<T: Send + Sync + std::fmt::Debug>() {}
    crosses_threads::<AksCompute>();
};
