//! What only AKS computes have.

use super::kind::Aks;
use super::{AksCompute, ComputeTarget};
use crate::config::{
    AttachConfiguration, AttachConfigurationBuilder, ClusterRef, ProvisioningConfiguration,
    ProvisioningConfigurationBuilder,
};
use crate::error::Error;
use crate::transport::{HttpRequest, Limit, Sending};
use crate::wire::{AksCredentials, AksProperties};
use azure_core::http::Method;

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

    /// What was last read of the cluster; empty where the service said nothing.
    #[must_use]
    pub fn properties(&self) -> AksProperties {
        self.resource.kind_properties()
    }

    /// The ARM id of the AKS cluster behind the compute.
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
    /// [`Error::is_forbidden`]. Nothing else of an answer stands in an error.
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
        let request = HttpRequest::new(Method::Post, url);
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
