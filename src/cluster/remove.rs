//! `delete` of a cluster.

use super::ManagedCluster;
use super::verb::{self, CLUSTER};
use crate::compute::existence;
use crate::error::{Error, ErrorKind};
use crate::facts::arm::MANAGED_CLUSTERS;
use crate::operation::request::{CallOptions, awaitable, call_options};
use crate::operation::{self, Driver, Operation, Prepared};
use crate::token::{HttpVerb, TokenResource, Verb};
use crate::transport::HttpRequest;
use azure_core::http::Method;
use futures::FutureExt;
use std::fmt;

/// The verb that removes a cluster.
impl ManagedCluster {
    /// Deletes the cluster, with everything that runs on it. `name` is the name of the cluster once more: another one
    /// is refused, and nothing is sent.
    ///
    /// Returns a request; the first `.await` sends it and gives an [`Operation`], the second one waits for that. Detach
    /// it first from every workspace: a compute whose cluster is gone cannot be used any more. A cluster that is gone
    /// already is a success.
    ///
    /// Sends: DELETE of the cluster.
    ///
    /// # Errors
    ///
    /// When it is awaited or prepared: [`ErrorKind::Refused`] for another name; [`ErrorKind::Service`] with the
    /// service's reason, for example while another operation runs ([`Error::is_busy`]). Where it is not known whether
    /// the request arrived, the error carries a [`resume_token`](Error::resume_token).
    ///
    /// # Cancel safety
    ///
    /// If it is dropped after the request was sent, the cluster may still be deleted; sending it again is harmless.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{Workspace, emulator::{Emulator, ExistingCluster}};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # emulator.add_cluster(ExistingCluster::new("mygroup", "mycluster"));
    /// use azureml_aks::{ClusterRef, ManagedCluster};
    ///
    /// let named = ClusterRef::named("mygroup", "mycluster");
    /// let cluster = ManagedCluster::get(&workspace, &named).await?;
    /// assert!(cluster.delete("another").await.is_err());
    /// cluster.delete("mycluster").await?.await?;
    /// assert!(ManagedCluster::get_opt(&workspace, &named).await?.is_none());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn delete(&self, name: impl Into<String>) -> DeleteCluster {
        DeleteCluster {
            cluster: self.clone(),
            name: name.into(),
            options: CallOptions::default(),
        }
    }
}

/// A request to delete a cluster, which [`ManagedCluster::delete`] returns. `.await` sends it.
#[must_use = "a request sends nothing before it is awaited"]
#[derive(Clone)]
pub struct DeleteCluster {
    cluster: ManagedCluster,
    name: String,
    options: CallOptions,
}

impl DeleteCluster {
    call_options!();

    /// Returns the verb with its resume token, before anything is sent. No I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] for the name of another cluster; [`ErrorKind::Configuration`] for a client request id that
    /// cannot be sent.
    pub fn prepare(self) -> Result<Prepared<'static, Operation<()>>, Error> {
        let ManagedCluster { workspace, id, .. } = self.cluster;
        if self.name != id.name {
            let why = format!(
                "the cluster to delete is {:?}, and the name given is {:?}",
                id.name, self.name
            );
            return Err(Error::new(ErrorKind::Refused, why)
                .with_remedy("give the name of the cluster that is to be deleted"));
        }
        let url = id.url(&workspace, &[]);
        let token = verb::token(
            &workspace,
            (TokenResource::Cluster, id.name.clone()),
            (Verb::Delete, HttpVerb::Delete),
            &url,
            &self.options,
        )?;
        let named = format!("cluster {:?}", id.name);
        Ok(Prepared::new(
            named,
            token,
            self.options.timeout,
            |ticket| {
                async move {
                    let (client, token) = (workspace.client(), &ticket.token);
                    let request = HttpRequest::new(Method::Delete, url);
                    let answer = operation::write(client, request, token).await?;
                    let begun = match answer.status {
                        404 => {
                            existence(&answer, token.id(), MANAGED_CLUSTERS)?;
                            operation::done(client, token)?
                        }
                        _ => operation::begin(client, token, &answer)?,
                    };
                    let driver = Driver::of(client.clone(), &CLUSTER, ticket, begun);
                    Ok(Operation::removal(driver))
                }
                .boxed()
            },
        ))
    }
}

awaitable!([] DeleteCluster => Operation<()>, 'static, |request| {
    async move { request.prepare()?.send().await }.boxed()
});

impl fmt::Debug for DeleteCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteCluster")
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}
