//! `detach` and `delete`: the name becomes free.

use super::prepare;
use super::{ComputeTarget, Found, Kind, check_kind, read};
use crate::error::{Error, ErrorKind};
use crate::names::ComputeName;
use crate::operation::{Driver, Machine, Operation, Prepared, Step};
use crate::token::{HttpVerb, ResumeToken, Verb};
use crate::wire::ComputeResource;
use crate::workspace::Workspace;
use azure_core::http::Method;
use futures::FutureExt;
use std::sync::Arc;
use url::Url;

/// Ending.
impl<K: Kind> ComputeTarget<K> {
    /// Takes the compute out of the workspace; the cluster itself stays.
    ///
    /// The cluster keeps what the service installed in it, and a certificate's key is lost to the
    /// workspace: it has to be given again at the next attach. A compute that is gone already is a
    /// success.
    ///
    /// The service gives no estimate; the default deadline of two hours is also the suggested one.
    ///
    /// Sends: DELETE of the compute with `underlyingResourceAction=Detach`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Service`] with the service's reason, for example while another operation runs
    /// ([`Error::is_conflict`]). Where it is not known whether the request arrived, the error
    /// carries a [`resume_token`](Error::resume_token).
    ///
    /// # Cancel safety
    ///
    /// Dropped after the request was sent, the compute may go all the same; calling it again is
    /// harmless.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{Workspace, emulator::{Emulator, ExistingCluster}};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # let cluster = emulator.add_cluster(ExistingCluster::new("mygroup", "mycluster"));
    /// use azureml_aks::{AksCompute, ClusterRef, ComputeTarget, WaitOptions};
    ///
    /// let config = AksCompute::attach_configuration(ClusterRef::named("mygroup", "mycluster")).build()?;
    /// let mut aks = ComputeTarget::attach(&workspace, "attached", config).await?;
    /// aks.wait_for_completion(WaitOptions::new()).await?;
    ///
    /// assert!(aks.delete().await.is_err(), "the cluster is not the workspace's to delete");
    /// aks.detach().await?.await?;
    /// assert!(AksCompute::get_opt(&workspace, "attached").await?.is_none());
    /// assert!(emulator.cluster_exists(&cluster));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub async fn detach(&self) -> Result<Operation<()>, Error> {
        self.prepare_detach().send().await
    }

    /// [`detach`](Self::detach), with the resume token in hand before anything is sent.
    pub fn prepare_detach(&self) -> Prepared<Operation<()>> {
        let (url, token) = self.removal(Verb::Detach);
        let workspace = self.workspace.clone();
        let name = self.name.clone();
        Prepared::new(prepare::named(&name), token, move |token| {
            async move { remove(&workspace, &name, url, token).await }.boxed()
        })
    }

    /// Deletes the compute **and its cluster**.
    ///
    /// Refused for an attached cluster, which is not the workspace's to delete: use
    /// [`detach`](Self::detach). A compute that is gone already is a success.
    ///
    /// The service gives no estimate; the default deadline of two hours is also the suggested one.
    ///
    /// Sends: GET of the compute, DELETE of the compute with `underlyingResourceAction=Delete`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] for an attached cluster, and nothing is deleted; otherwise as for
    /// [`detach`](Self::detach).
    ///
    /// # Cancel safety
    ///
    /// As for [`detach`](Self::detach).
    pub async fn delete(&self) -> Result<Operation<()>, Error> {
        self.prepare_delete().send().await
    }

    /// [`delete`](Self::delete), with the resume token in hand before anything is sent.
    pub fn prepare_delete(&self) -> Prepared<Operation<()>> {
        let (url, token) = self.removal(Verb::Delete);
        let workspace = self.workspace.clone();
        let name = self.name.clone();
        Prepared::new(prepare::named(&name), token, move |token| {
            async move {
                match read(&workspace, &name).await? {
                    Found::<ComputeResource>::Resource(resource) => {
                        check_kind::<K>(&name, &resource.properties.compute_type)?;
                        let properties = &resource.properties;
                        match properties.is_attached_compute {
                            Some(false) => {}
                            Some(true) => return Err(attached()),
                            // A compute that failed early has no cluster that could be lost.
                            None if properties.resource_id.is_none() => {}
                            None => return Err(unclear()),
                        }
                        remove(&workspace, &name, url, token).await
                    }
                    Found::Nothing(_) => Ok(gone(&workspace, &name, &url, token)),
                }
            }
            .boxed()
        })
    }

    fn removal(&self, verb: Verb) -> (Url, ResumeToken) {
        // The published description spells them so; Microsoft's Python client sends lower case.
        let action = if verb == Verb::Delete {
            "Delete"
        } else {
            "Detach"
        };
        let mut url = self.workspace.compute_url(&self.name);
        url.query_pairs_mut()
            .append_pair("underlyingResourceAction", action);
        let token = prepare::token(&self.workspace, verb, HttpVerb::Delete, &url);
        (url, token)
    }
}

async fn remove(
    workspace: &Workspace,
    name: &ComputeName,
    url: Url,
    token: ResumeToken,
) -> Result<Operation<()>, Error> {
    let answer = prepare::write(workspace, Method::Delete, url.clone(), None, &token).await?;
    if answer.status == 404 {
        super::existence(&answer, &token.parts().client_request_id)?;
        return Ok(gone(workspace, name, &url, token));
    }
    let begun = Machine::start(
        HttpVerb::Delete,
        &url,
        &token.parts().client_request_id,
        workspace.api_version(),
        workspace.client().origins(),
        None,
        &answer,
    )?;
    Ok(operation(workspace, name, token, begun))
}

pub(super) fn operation(
    workspace: &Workspace,
    name: &ComputeName,
    token: ResumeToken,
    begun: (Machine, Step),
) -> Operation<()> {
    let driver = Driver::new(
        workspace.client().clone(),
        name.to_string(),
        Some(token),
        begun,
    );
    Operation::new(driver, Arc::new(|_| Ok(())))
}

/// An operation that has nothing to do.
pub(super) fn gone(
    workspace: &Workspace,
    name: &ComputeName,
    url: &Url,
    token: ResumeToken,
) -> Operation<()> {
    let begun = Machine::gone(
        url,
        &token.parts().client_request_id,
        workspace.api_version(),
        workspace.client().origins(),
    );
    operation(workspace, name, token, begun)
}

fn attached() -> Error {
    Error::new(
        ErrorKind::Refused,
        "the cluster was attached, not created by the workspace, and delete would destroy it",
    )
    .with_remedy("use detach: the compute goes, and the cluster stays")
}

fn unclear() -> Error {
    Error::new(
        ErrorKind::Refused,
        "the service does not say whether the cluster was attached, and delete could destroy \
         somebody's own",
    )
    .with_remedy("use detach, and delete the cluster itself if it is yours")
}
