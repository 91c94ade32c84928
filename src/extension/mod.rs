//! Azure Machine Learning's extension of a cluster (`microsoft.azureml.kubernetes`). It is installed on an AKS cluster or an
//! Arc-connected one before the cluster is attached as a compute of kind Kubernetes.

mod address;
mod configuration;
mod install;
mod relay;
mod remove;
mod resource;
mod settings;
mod tls;
mod update;
mod verb;

pub use configuration::{ExtensionConfiguration, ExtensionConfigurationBuilder, RouterServiceType};
pub use install::InstallExtension;
pub use relay::ExtensionRelay;
pub use remove::DeleteExtension;
pub use resource::{ExtensionIdentity, ExtensionProperties, ExtensionResource, ExtensionStatus};
pub use tls::ExtensionTls;
pub use update::{
    ExtensionUpdateConfiguration, ExtensionUpdateConfigurationBuilder, UpdateExtension,
};

#[cfg(test)]
pub(crate) use address::ConnectedProperties;
pub(crate) use address::{ClusterAddress, Connected, ExtensionId};
#[cfg(test)]
pub(crate) use settings::ClusterFacts;
pub(crate) use verb::{EXTENSION, changing, watch};

use crate::compute::{Found, KubernetesClusterRef};
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::{Error, Hidden};
use crate::transport::{List, pages};
use crate::workspace::Workspace;
use std::fmt;
use std::sync::Arc;

/// An extension of a cluster: a cheap handle with the extension as it was last read.
///
/// Requests use the credential of the workspace; the cluster may be in any subscription of the same tenant. That
/// subscription must have registered the resource provider `Microsoft.KubernetesConfiguration`.
///
/// ```
/// # #[cfg(feature = "emulator")]
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), azureml_aks::Error> {
/// # use azureml_aks::{Workspace, emulator::{Emulator, ExistingCluster}};
/// # let emulator = Emulator::builder().cluster(ExistingCluster::new("mygroup", "mycluster")).build();
/// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
/// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
/// use azureml_aks::{
///     Extension, ExtensionConfiguration, ExtensionUpdateConfiguration, KubernetesClusterRef, RouterServiceType,
/// };
///
/// let cluster = KubernetesClusterRef::managed("mygroup", "mycluster");
/// let config = ExtensionConfiguration::builder()
///     .inference(true)
///     .router_service_type(RouterServiceType::LoadBalancer)
///     .allow_insecure_connections(true)
///     .build()?;
/// let installing = Extension::install(&workspace, cluster, "azureml", config).await?; // accepted
/// let extension = installing.await?; // installed, some minutes later
/// assert!(extension.is_healthy());
///
/// let change = ExtensionUpdateConfiguration::builder().training(true).build()?;
/// let extension = extension.update(change).await?.await?;
/// extension.delete().await?.await?;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "emulator"))]
/// # fn main() {}
/// ```
#[derive(Clone)]
pub struct Extension {
    workspace: Workspace,
    id: ExtensionId,
    resource: Arc<ExtensionResource>,
    /// The secrets in the requests of this handle.
    hidden: Hidden,
}

/// Reading.
impl Extension {
    /// Reads an extension.
    ///
    /// Sends: GET of the extension.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for an id or a name that is not valid; [`Error::is_not_found`] if the extension or the
    /// cluster does not exist.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn get(
        workspace: &Workspace,
        cluster: impl Into<KubernetesClusterRef>,
        name: impl AsRef<str>,
    ) -> Result<Self, Error> {
        let id = ExtensionId::of(workspace, &cluster.into(), name.as_ref())?;
        let none = Hidden::default();
        let resource = id.read(workspace, &none).await.and_then(Found::or_refusal);
        let resource = resource.map_err(|error| error.with_context(|| format!("read {id}")))?;
        Ok(Self::found(workspace, id, resource, &none))
    }

    /// Reads an extension; `None` if the cluster has no extension of that name.
    ///
    /// Sends: GET of the extension.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing extension is `None`. A missing cluster is an error.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn get_opt(
        workspace: &Workspace,
        cluster: impl Into<KubernetesClusterRef>,
        name: impl AsRef<str>,
    ) -> Result<Option<Self>, Error> {
        let id = ExtensionId::of(workspace, &cluster.into(), name.as_ref())?;
        let none = Hidden::default();
        let found = id.read(workspace, &none).await;
        match found.map_err(|error| error.with_context(|| format!("read {id}")))? {
            Found::Resource(resource) => Ok(Some(Self::found(workspace, id, *resource, &none))),
            Found::Nothing(_) => Ok(None),
        }
    }

    /// Lists the extensions of a cluster, of every type, because the service has no filter.
    /// [`is_machine_learning`](Self::is_machine_learning) tells whether one is Azure Machine Learning's.
    ///
    /// An extension whose document cannot be read is an error item, and the list goes on. A page that cannot be read ends it.
    ///
    /// Sends: a GET of each page of the list, when the page before is used up.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for an id or a name that is not valid. A missing cluster is an error item of the list.
    pub fn list(
        workspace: &Workspace,
        cluster: impl Into<KubernetesClusterRef>,
    ) -> Result<List<Self>, Error> {
        let cluster = ClusterAddress::of(workspace, &cluster.into())?;
        let url = cluster.extensions_url(workspace, &[]);
        let extensions = pages::<ExtensionResource>(workspace.client().clone(), url);
        let workspace = workspace.clone();
        Ok(extensions.convert(move |resource| {
            let resource = resource?;
            let id = ExtensionId::new(cluster.clone(), &resource.name)?;
            Ok(Self::found(&workspace, id, resource, &Hidden::default()))
        }))
    }

    /// Reads the extension again.
    ///
    /// Sends: GET of the extension.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get). After an error the handle keeps what was read before.
    ///
    /// # Cancel safety
    ///
    /// Safe: the handle changes only after the whole answer was read.
    pub async fn refresh(&mut self) -> Result<(), Error> {
        let resource = self.id.read(&self.workspace, &self.hidden).await;
        let resource = resource.and_then(Found::or_refusal);
        let resource =
            resource.map_err(|error| error.with_context(|| format!("read {}", self.id)))?;
        self.resource = Arc::new(resource.hiding(&self.hidden));
        Ok(())
    }

    fn found(
        workspace: &Workspace,
        id: ExtensionId,
        resource: ExtensionResource,
        hidden: &Hidden,
    ) -> Self {
        Self {
            workspace: workspace.clone(),
            id,
            resource: Arc::new(resource.hiding(hidden)),
            hidden: hidden.clone(),
        }
    }
}

/// The state as it was last read.
impl Extension {
    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.id.name
    }

    /// Returns the name of the cluster.
    #[must_use]
    pub fn cluster_name(&self) -> &str {
        self.id.cluster.name()
    }

    /// Returns a reference to the cluster, for example for a
    /// [`KubernetesAttachConfiguration`](crate::KubernetesAttachConfiguration).
    #[must_use]
    pub fn cluster(&self) -> KubernetesClusterRef {
        KubernetesClusterRef::id(self.id.cluster.resource_id())
    }

    /// Returns the workspace through which the extension is read.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Returns the extension as it was last read. `Serialize` writes its whole document, as the service wrote it.
    #[must_use]
    pub fn resource(&self) -> &ExtensionResource {
        &self.resource
    }

    /// Returns the state as the service spells it: `Creating`, `Pending`, `Succeeded`, …
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        self.resource.properties.provisioning_state.as_deref()
    }

    /// Whether it is Azure Machine Learning's extension, `microsoft.azureml.kubernetes`.
    #[must_use]
    pub fn is_machine_learning(&self) -> bool {
        self.resource.is_machine_learning()
    }

    /// Whether the extension is installed and reports no error; see [`ExtensionResource::is_healthy`].
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.resource.is_healthy()
    }
}

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extension")
            .field("cluster", &self.id.cluster.resource_id())
            .field("name", &self.name())
            .field("state", &self.status())
            .finish_non_exhaustive()
    }
}
