//! The kubeconfigs of a cluster.

use super::ManagedCluster;
use crate::error::{Error, ErrorKind};
use crate::transport::{HttpRequest, Limit, Sending};
use azure_core::base64;
use azure_core::credentials::Secret;
use azure_core::http::Method;
use serde::Deserialize;
use std::fmt;

/// A kubeconfig of a cluster. Its content is a secret.
///
/// `Debug` shows its name, never its content.
#[derive(Clone)]
#[non_exhaustive]
pub struct Kubeconfig {
    /// The purpose: `clusterUser` or `clusterAdmin`.
    pub name: String,
    /// The YAML text.
    pub content: Secret,
}

impl fmt::Debug for Kubeconfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubeconfig")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Answered {
    kubeconfigs: Vec<Encoded>,
}

#[derive(Deserialize)]
struct Encoded {
    #[serde(default)]
    name: String,
    value: Secret,
}

impl Encoded {
    fn decoded(self) -> Option<Kubeconfig> {
        let content = base64::decode(self.value.secret()).ok()?;
        Some(Kubeconfig {
            name: self.name,
            content: String::from_utf8(content).ok()?.into(),
        })
    }
}

/// Credentials.
impl ManagedCluster {
    /// Reads the kubeconfigs with which a user reaches the cluster.
    ///
    /// Where the cluster uses Microsoft Entra, they ask the user to sign in, and grant nothing by themselves.
    ///
    /// Sends: POST `listClusterUserCredential` of the cluster, once.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Service`] with the service's reason, for example [`Error::is_forbidden`]; an error shows
    /// nothing else of the answer. [`ErrorKind::Protocol`] for an answer that is not a list of kubeconfigs.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use azureml_aks::{Workspace, emulator::{Emulator, ExistingCluster}};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # emulator.add_cluster(ExistingCluster::new("mygroup", "mycluster"));
    /// # use azureml_aks::{ClusterRef, ManagedCluster};
    /// # let path = std::env::temp_dir().join(format!("azureml-aks-kubeconfig-{}", std::process::id()));
    /// # let cluster = ClusterRef::named("mygroup", "mycluster");
    /// # let cluster = ManagedCluster::get(&workspace, &cluster).await?;
    /// let kubeconfigs = cluster.user_kubeconfigs().await?;
    /// std::fs::write(&path, kubeconfigs[0].content.secret())?;
    /// # let written = std::fs::read_to_string(&path);
    /// # std::fs::remove_file(&path)?;
    /// # assert!(written?.starts_with("apiVersion: v1"));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub async fn user_kubeconfigs(&self) -> Result<Vec<Kubeconfig>, Error> {
        self.kubeconfigs("listClusterUserCredential").await
    }

    /// Reads the kubeconfigs of the cluster's administrator. A cluster without local accounts has none, and the
    /// service refuses.
    ///
    /// Sends: POST `listClusterAdminCredential` of the cluster, once.
    ///
    /// # Errors
    ///
    /// As for [`user_kubeconfigs`](Self::user_kubeconfigs).
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn admin_kubeconfigs(&self) -> Result<Vec<Kubeconfig>, Error> {
        self.kubeconfigs("listClusterAdminCredential").await
    }

    async fn kubeconfigs(&self, action: &str) -> Result<Vec<Kubeconfig>, Error> {
        let url = self.id.url(&self.workspace, &[action]);
        let request = HttpRequest::new(Method::Post, url);
        let id = request.client_request_id.as_str();
        let client = self.workspace.client();
        let answer = client.send(&request, Sending::Once, Limit::RESOURCE, None);
        let kubeconfigs = async {
            let answered: Answered = answer.await?.successful_secret(id)?.json(id)?;
            let decoded = answered.kubeconfigs.into_iter().map(Encoded::decoded);
            decoded.collect::<Option<Vec<_>>>().ok_or_else(|| {
                Error::new(ErrorKind::Protocol, "a kubeconfig is not text in base64")
            })
        };
        kubeconfigs
            .await
            .map_err(|error| error.with_context(|| format!("read the kubeconfigs of {}", self.id)))
    }
}
