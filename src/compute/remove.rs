//! `detach` and `delete`: the name becomes free.

use super::prepare::{self, named};
use super::{COMPUTES, ComputeTarget, Found, Kind, Kubernetes, check_kind, existence, read};
use crate::compute::ComputeResource;
use crate::error::{Error, ErrorKind};
use crate::operation::request::{CallOptions, awaitable, call_options};
use crate::operation::{self, Machine, Operation, Prepared, Step, Ticket};
use crate::token::{HttpVerb, Verb};
use azure_core::http::Method;
use futures::FutureExt;
use std::fmt;
use url::Url;

/// The verbs that remove a compute: detach and delete.
impl<K: Kind> ComputeTarget<K> {
    /// Removes the compute from the workspace; the cluster itself stays.
    ///
    /// Returns a request; the first `.await` sends it and gives an [`Operation`], the second one waits for
    /// that. The removal is pending on this handle, too:
    /// [`wait_for_completion`](Self::wait_for_completion) returns `Ok` once the compute is gone.
    ///
    /// The cluster goes on costing and keeps the parts that the service installed in it, and a certificate's key is
    /// lost to the workspace: it has to be given again at the next attach. `AksCompute::before_detach` (feature
    /// `services`) tells all of that for a compute, with the services that still run on it. A compute that is gone
    /// already is a success.
    ///
    /// The service gives no estimate; the default deadline of two hours is also the suggested one.
    ///
    /// Sends: DELETE of the compute with `underlyingResourceAction=Detach`.
    ///
    /// # Errors
    ///
    /// When it is awaited: [`ErrorKind::Service`] with the service's reason, for example while another
    /// operation runs ([`Error::is_conflict`]). Where it is not known whether the request arrived, the
    /// error carries a [`resume_token`](Error::resume_token).
    ///
    /// # Cancel safety
    ///
    /// If it is dropped after the request was sent, the compute may still be removed; sending it again is harmless.
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
    /// let removal = aks.detach().await?; // accepted
    /// removal.await?; // done
    /// assert!(AksCompute::get_opt(&workspace, "attached").await?.is_none());
    /// assert!(emulator.cluster_exists(&cluster));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn detach(&mut self) -> RemoveCompute<'_, K> {
        RemoveCompute::new(self, Verb::Detach)
    }

    /// Deletes the compute **and its cluster**.
    ///
    /// Returns a request; the first `.await` sends it and gives an [`Operation`], the second one waits for
    /// that. The removal is pending on this handle, too.
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
    /// When it is awaited: [`ErrorKind::Refused`] for an attached cluster, and nothing is deleted;
    /// otherwise as for [`detach`](Self::detach).
    ///
    /// # Cancel safety
    ///
    /// As for [`detach`](Self::detach).
    pub fn delete(&mut self) -> RemoveCompute<'_, K> {
        RemoveCompute::new(self, Verb::Delete)
    }
}

/// A request to detach or delete a compute, which [`ComputeTarget::detach`] and
/// [`ComputeTarget::delete`] return. `.await` sends it.
#[must_use = "a request sends nothing before it is awaited"]
pub struct RemoveCompute<'a, K: Kind> {
    compute: &'a mut ComputeTarget<K>,
    verb: Verb,
    options: CallOptions,
}

impl<'a, K: Kind> RemoveCompute<'a, K> {
    fn new(compute: &'a mut ComputeTarget<K>, verb: Verb) -> Self {
        Self {
            compute,
            verb,
            options: CallOptions::default(),
        }
    }

    call_options!();

    /// Returns the verb with its resume token, before anything is sent. No I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] for a client request id that cannot be sent.
    pub fn prepare(self) -> Result<Prepared<'a, Operation<()>>, Error> {
        let Self {
            compute,
            verb,
            options,
        } = self;
        // The published description spells them so; Microsoft's Python client sends lower case.
        let action = match verb {
            Verb::Delete => "Delete",
            _ => "Detach",
        };
        let mut url = compute.workspace.compute_url(&compute.name);
        url.query_pairs_mut()
            .append_pair("underlyingResourceAction", action);
        let token = prepare::token(
            &compute.workspace,
            (&compute.name, compute.compute_type()),
            (verb, HttpVerb::Delete),
            &url,
            &options,
        )?;
        let target = named(&compute.name);
        Ok(Prepared::new(
            target,
            token,
            options.timeout,
            move |ticket| run(compute, verb, url, ticket).boxed(),
        ))
    }
}

async fn run<K: Kind>(
    compute: &mut ComputeTarget<K>,
    verb: Verb,
    url: Url,
    ticket: Ticket,
) -> Result<Operation<()>, Error> {
    let exists = verb != Verb::Delete || may_delete(compute).await?;
    let begun = match exists {
        true => remove(compute, url, &ticket).await?,
        false => operation::done(compute.workspace.client(), &ticket.token)?,
    };
    let driver = compute.begin(ticket, begun);
    Ok(Operation::removal(driver.clone()))
}

/// Returns whether there is a compute to delete.
///
/// # Errors
///
/// The cluster is not the workspace's to delete.
async fn may_delete<K: Kind>(compute: &ComputeTarget<K>) -> Result<bool, Error> {
    let Found::<ComputeResource>::Resource(resource) =
        read(&compute.workspace, &compute.name, &compute.hidden).await?
    else {
        return Ok(false);
    };
    let properties = &resource.properties;
    check_kind::<K>(&compute.name, &properties.compute_type)?;
    match properties.is_attached_compute {
        // Computes of this kind are always attached, even if the service says otherwise.
        _ if Kubernetes::accepts(&properties.compute_type) => Err(attached()),
        Some(false) => Ok(true),
        Some(true) => Err(attached()),
        // A compute that failed early has no cluster that could be lost.
        None if properties.resource_id.is_none() => Ok(true),
        None => Err(unclear()),
    }
}

async fn remove<K: Kind>(
    compute: &ComputeTarget<K>,
    url: Url,
    ticket: &Ticket,
) -> Result<(Machine, Step), Error> {
    let (workspace, token) = (&compute.workspace, &ticket.token);
    let answer =
        prepare::write(workspace, Method::Delete, url, None, token, &compute.hidden).await?;
    if answer.status == 404 {
        existence(&answer, token.id(), COMPUTES)?;
        return operation::done(workspace.client(), token);
    }
    operation::begin(workspace.client(), token, &answer)
}

awaitable!(['a, K: Kind] RemoveCompute<'a, K> => Operation<()>, 'a, |request| {
    async move { request.prepare()?.send().await }.boxed()
});

impl<K: Kind> fmt::Debug for RemoveCompute<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoveCompute")
            .field("verb", &self.verb)
            .field("compute", &self.compute)
            .finish_non_exhaustive()
    }
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
