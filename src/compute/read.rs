//! Reading computes, one or a list.

use super::prepare::named;
use super::{AnyCompute, ComputeResource, ComputeTarget, Kind, check_kind, existing};
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::{Error, Hidden};
use crate::names::ComputeName;
use crate::transport::{Answer, HttpRequest, Limit, List, Sending, pages};
use crate::workspace::Workspace;
use serde::de::DeserializeOwned;

/// Reads and lists of computes.
impl<K: Kind> ComputeTarget<K> {
    /// Reads a compute. `name` is a text or a [`ComputeName`].
    ///
    /// Sends: GET of the compute.
    ///
    /// # Errors
    ///
    /// [`Error::is_not_found`] if no compute has that name; [`ErrorKind::Refused`] if it is of
    /// another kind.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn get(workspace: &Workspace, name: impl AsRef<str>) -> Result<Self, Error> {
        let name = existing(name.as_ref())?;
        let none = Hidden::default();
        let resource = read(workspace, &name, &none).await;
        let resource = resource.and_then(Found::or_refusal);
        let resource = resource.map_err(|error| error.with_context(|| reading(&name)))?;
        Self::found(workspace.clone(), name, resource)
    }

    /// Reads a compute; `None` if no compute has that name.
    ///
    /// A missing workspace or resource group is an error, and so is a credential that lacks the right to
    /// read.
    ///
    /// Sends: GET of the compute; if it does not exist, GET of the workspace (once per workspace).
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a compute that does not exist is not an error.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn get_opt(
        workspace: &Workspace,
        name: impl AsRef<str>,
    ) -> Result<Option<Self>, Error> {
        let name = existing(name.as_ref())?;
        let found = read(workspace, &name, &Hidden::default()).await;
        match found.map_err(|error| error.with_context(|| reading(&name)))? {
            Found::Resource(resource) => Self::found(workspace.clone(), name, *resource).map(Some),
            Found::Nothing(_) => {
                // Services differ in what they call a missing workspace; only the workspace itself
                // can tell. Asked once per workspace.
                workspace.confirm().await?;
                Ok(None)
            }
        }
    }

    /// Lists the computes of this kind in a workspace; [`AnyCompute::list`](Self::list) and
    /// [`Workspace::computes`] list those of every kind.
    ///
    /// The service has no filter by kind: all computes are read, and those of other kinds are
    /// skipped. A compute that cannot be read is an error item, and the list continues; an error of a page
    /// ends it.
    ///
    /// Sends: GETs of the list's pages, each when the one before is used up.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{ComputeTarget, Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # let config = azureml_aks::AksCompute::provisioning_configuration().build()?;
    /// # ComputeTarget::create(&workspace, "myaks", config).await?;
    /// use azureml_aks::AksCompute;
    /// use futures::TryStreamExt;
    ///
    /// let mut computes = AksCompute::list(&workspace);
    /// while let Some(aks) = computes.try_next().await? {
    ///     println!("{}: {:?} nodes", aks.name(), aks.properties().agent_count);
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn list(workspace: &Workspace) -> List<Self> {
        let computes =
            pages::<ComputeResource>(workspace.client().clone(), workspace.url_of(&["computes"]));
        let workspace = workspace.clone();
        computes.filter_convert(move |resource| match resource {
            Ok(resource) if !K::accepts(&resource.properties.compute_type) => None,
            Ok(resource) => Some(Self::from_resource(&workspace, resource)),
            Err(error) => Some(Err(error)),
        })
    }

    /// Returns a handle of a resource that was read before, for example from a store. No I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] if the compute is of another kind; [`ErrorKind::Validation`] if it has
    /// no name.
    pub fn from_resource(workspace: &Workspace, resource: ComputeResource) -> Result<Self, Error> {
        Self::found(workspace.clone(), existing(&resource.name)?, resource)
    }

    /// Reads the compute again.
    ///
    /// Sends: GET of the compute.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get). The handle then keeps the compute as last read.
    ///
    /// # Cancel safety
    ///
    /// Safe: the handle changes only once the answer is complete.
    pub async fn refresh_state(&mut self) -> Result<(), Error> {
        let resource = read(&self.workspace, &self.name, &self.hidden)
            .await
            .and_then(Found::or_refusal);
        let resource: ComputeResource =
            resource.map_err(|error| error.with_context(|| reading(&self.name)))?;
        check_kind::<K>(&self.name, &resource.properties.compute_type)?;
        self.show(resource);
        // What has ended is forgotten: from here on the compute itself says how it is.
        self.pending.take_if(|pending| pending.is_over());
        Ok(())
    }
}

impl Workspace {
    /// Lists all computes of the workspace, of every kind; the same as
    /// [`AnyCompute::list`](ComputeTarget::list).
    ///
    /// Pages are read as they are needed. A compute of a kind that this library does not know is a handle
    /// like any other. One that cannot be read is an error item, and the list continues; an error of a page
    /// ends it.
    ///
    /// Sends: GETs of the list's pages, each when the one before is used up.
    pub fn computes(&self) -> List<AnyCompute> {
        AnyCompute::list(self)
    }
}

/// The result of a read of a resource that may not exist, the resource as `T`.
pub(crate) enum Found<T> {
    Resource(Box<T>),
    /// No resource of that name, with the refusal.
    Nothing(Error),
}

impl<T> Found<T> {
    pub(crate) fn or_refusal(self) -> Result<T, Error> {
        match self {
            Self::Resource(resource) => Ok(*resource),
            Self::Nothing(error) => Err(error),
        }
    }
}

pub(crate) async fn read<T: DeserializeOwned>(
    workspace: &Workspace,
    name: &ComputeName,
    hidden: &Hidden,
) -> Result<Found<T>, Error> {
    let request = HttpRequest::get(workspace.compute_url(name)).hiding(hidden);
    find(workspace, &request, COMPUTES).await
}

/// Sends the GET of a resource of the type `kind` that may not exist.
pub(crate) async fn find<T: DeserializeOwned>(
    workspace: &Workspace,
    request: &HttpRequest,
    kind: &str,
) -> Result<Found<T>, Error> {
    let id = request.client_request_id.as_str();
    let answer = workspace
        .client()
        .send(request, Sending::Retried, Limit::RESOURCE, None)
        .await?;
    match existence(&answer, id, kind)? {
        Some(refusal) => Ok(Found::Nothing(refusal)),
        None => answer
            .json(id)
            .map(|resource| Found::Resource(Box::new(resource))),
    }
}

/// The last type in the id of a compute.
pub(super) const COMPUTES: &str = "computes";

/// Returns the refusal of a resource that does not exist; an error for every other refusal.
///
/// A 404 for the workspace or the group, or for what they lie in, does not say that the resource is absent. ARM answers
/// for what is above the resource: with a code of its own, or with `ResourceNotFound`, a mark in a header and the type
/// of what is missing. The service itself answers for a compute: `UserError`, or no body at all. `kind` is the last
/// type in the id of the resource.
pub(crate) fn existence(
    answer: &Answer,
    client_request_id: &str,
    kind: &str,
) -> Result<Option<Error>, Error> {
    if answer.is_success() {
        return Ok(None);
    }
    let refusal = answer.refusal(client_request_id);
    let above = refusal.code().is_some_and(|code| {
        let code = code.to_ascii_lowercase();
        [
            "subscription",
            "resourcegroup",
            "parentresource",
            "workspace",
        ]
        .iter()
        .any(|start| code.starts_with(start))
    });
    let names_it = refusal
        .service_error()
        .and_then(|error| names(error.message.as_deref()?, kind));
    let gateway = answer.header("x-ms-failure-cause") == Some("gateway");
    let above = above || !names_it.unwrap_or(!gateway);
    // A page of a proxy in between does not say so either.
    let body = answer.text();
    let foreign =
        !body.is_empty() && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err();
    if answer.status == 404 && !above && !foreign {
        Ok(Some(refusal))
    } else {
        Err(refusal)
    }
}

/// Returns whether ARM says that a resource of this type is missing: `The Resource 'Microsoft.X/workspaces/w' under …`.
/// `None` if the text does not name a resource.
fn names(message: &str, kind: &str) -> Option<bool> {
    let named = message.split('\'').nth(1)?.to_ascii_lowercase();
    let is_type = named.starts_with("microsoft.") && named.contains('/');
    is_type.then(|| {
        named
            .split('/')
            .any(|segment| segment.eq_ignore_ascii_case(kind))
    })
}

fn reading(name: &ComputeName) -> String {
    format!("read {}", named(name))
}
