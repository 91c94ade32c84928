//! `create` and `attach`: a new name in the workspace.

use super::kind::{AttachWith, CreateWith};
use super::prepare;
use super::{ComputeTarget, Found, Kind, read};
use crate::error::{Error, ErrorKind};
use crate::names::{ComputeName, WorkspaceId};
use crate::operation::{Driver, Machine, Prepared, is_deleting};
use crate::token::{HttpVerb, ResumeToken, Verb};
use crate::wire::ComputeResource;
use crate::workspace::Workspace;
use azure_core::http::Method;
use futures::FutureExt;
use serde_json::Value;
use std::sync::Arc;

/// Beginning.
impl<K: Kind> ComputeTarget<K> {
    /// Creates a compute with a cluster of its own, and returns with the creation going on.
    ///
    /// It never overwrites: the name is read first, and an existing one is refused. The service
    /// offers no way to close the window between that read and the PUT; what came of a race shows
    /// in [`deviations`](Self::deviations).
    ///
    /// The service's documentation says 10 minutes on one page and 20 on another; give
    /// [`wait_for_completion`](Self::wait_for_completion) two hours, which is its default.
    ///
    /// Sends: GET of the compute, GET of the workspace (once per workspace), PUT of the compute.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for a name that breaks the rules, and nothing is sent;
    /// [`ErrorKind::AlreadyExists`]; [`ErrorKind::Service`] with the service's reason. Where it is
    /// not known whether the PUT arrived, the error carries a
    /// [`resume_token`](Error::resume_token).
    ///
    /// # Cancel safety
    ///
    /// Not safe: dropped after the PUT was sent, the compute comes into being without a handle. Use
    /// [`prepare_create`](Self::prepare_create) and store its token first.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// use azureml_aks::{AksCompute, ClusterPurpose, ComputeTarget, WaitOptions};
    ///
    /// let config = AksCompute::provisioning_configuration()
    ///     .cluster_purpose(ClusterPurpose::DevTest)
    ///     .build()?;
    /// let mut aks = ComputeTarget::create(&workspace, "myaks", config.clone()).await?;
    /// aks.wait_for_completion(WaitOptions::new()).await?;
    /// assert_eq!(aks.status(), Some("Succeeded"));
    ///
    /// let again = ComputeTarget::create(&workspace, "myaks", config).await;
    /// assert!(again.unwrap_err().is_already_exists());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub async fn create<C>(
        workspace: &Workspace,
        name: &str,
        configuration: C,
    ) -> Result<Self, Error>
    where
        C: CreateWith<Kind = K>,
    {
        Self::prepare_create(workspace, name, configuration)?
            .send()
            .await
    }

    /// [`create`](Self::create), with the resume token in hand before anything is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for a name that breaks the rules.
    pub fn prepare_create<C>(
        workspace: &Workspace,
        name: &str,
        configuration: C,
    ) -> Result<Prepared<Self>, Error>
    where
        C: CreateWith<Kind = K>,
    {
        prepare_put(
            workspace,
            name,
            Verb::Create,
            Existing::Refused,
            move |id, location| configuration.body(id, location),
        )
    }

    /// [`create`](Self::create), or the compute that has the name already.
    ///
    /// An existing compute is taken as it is, whatever its parameters and state: compare
    /// [`resource`](Self::resource), and wait with
    /// [`wait_for_completion`](Self::wait_for_completion), which says so if it had failed. Right
    /// after this call [`resume_token`](Self::resume_token) is there only if the compute is new. One
    /// that is being deleted is refused.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create), but not [`ErrorKind::AlreadyExists`];
    /// [`ErrorKind::Refused`] if the existing compute is of another kind.
    ///
    /// # Cancel safety
    ///
    /// As for [`create`](Self::create); calling it again finds what the first call began.
    pub async fn create_or_get<C>(
        workspace: &Workspace,
        name: &str,
        configuration: C,
    ) -> Result<Self, Error>
    where
        C: CreateWith<Kind = K>,
    {
        Self::prepare_create_or_get(workspace, name, configuration)?
            .send()
            .await
    }

    /// [`create_or_get`](Self::create_or_get), with the resume token in hand before anything is
    /// sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for a name that breaks the rules.
    pub fn prepare_create_or_get<C>(
        workspace: &Workspace,
        name: &str,
        configuration: C,
    ) -> Result<Prepared<Self>, Error>
    where
        C: CreateWith<Kind = K>,
    {
        prepare_put(
            workspace,
            name,
            Verb::Create,
            Existing::Taken,
            move |id, location| configuration.body(id, location),
        )
    }

    /// Attaches a cluster that exists, and returns with the attachment going on.
    ///
    /// One cluster must not be attached twice: the second attachment breaks the first.
    ///
    /// The service's documentation says 5 minutes; more than 100 were reported. Give
    /// [`wait_for_completion`](Self::wait_for_completion) two hours, which is its default.
    ///
    /// Sends: GET of the compute, GET of the workspace (once per workspace), PUT of the compute.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create).
    ///
    /// # Cancel safety
    ///
    /// As for [`create`](Self::create); use [`prepare_attach`](Self::prepare_attach).
    pub async fn attach<C>(
        workspace: &Workspace,
        name: &str,
        configuration: C,
    ) -> Result<Self, Error>
    where
        C: AttachWith<Kind = K>,
    {
        Self::prepare_attach(workspace, name, configuration)?
            .send()
            .await
    }

    /// [`attach`](Self::attach), with the resume token in hand before anything is sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for a name that breaks the rules.
    pub fn prepare_attach<C>(
        workspace: &Workspace,
        name: &str,
        configuration: C,
    ) -> Result<Prepared<Self>, Error>
    where
        C: AttachWith<Kind = K>,
    {
        prepare_put(
            workspace,
            name,
            Verb::Attach,
            Existing::Refused,
            move |id, location| configuration.body(id, location),
        )
    }

    /// [`attach`](Self::attach), or the compute that has the name already, whatever it is attached
    /// to; see [`create_or_get`](Self::create_or_get).
    ///
    /// # Errors
    ///
    /// As for [`create_or_get`](Self::create_or_get).
    ///
    /// # Cancel safety
    ///
    /// As for [`create_or_get`](Self::create_or_get).
    pub async fn attach_or_get<C>(
        workspace: &Workspace,
        name: &str,
        configuration: C,
    ) -> Result<Self, Error>
    where
        C: AttachWith<Kind = K>,
    {
        Self::prepare_attach_or_get(workspace, name, configuration)?
            .send()
            .await
    }

    /// [`attach_or_get`](Self::attach_or_get), with the resume token in hand before anything is
    /// sent.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for a name that breaks the rules.
    pub fn prepare_attach_or_get<C>(
        workspace: &Workspace,
        name: &str,
        configuration: C,
    ) -> Result<Prepared<Self>, Error>
    where
        C: AttachWith<Kind = K>,
    {
        prepare_put(
            workspace,
            name,
            Verb::Attach,
            Existing::Taken,
            move |id, location| configuration.body(id, location),
        )
    }
}

/// What an existing compute of that name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    Refused,
    Taken,
}

fn prepare_put<K: Kind>(
    workspace: &Workspace,
    name: &str,
    verb: Verb,
    existing: Existing,
    body: impl FnOnce(&WorkspaceId, &str) -> Value + Send + Sync + 'static,
) -> Result<Prepared<ComputeTarget<K>>, Error> {
    let name = ComputeName::parse("name", name)
        .map_err(|findings| Error::validation("compute name", findings))?;
    let url = workspace.compute_url(&name);
    let token = prepare::token(workspace, verb, HttpVerb::Put, &url);
    let (workspace, target) = (workspace.clone(), name.clone());
    Ok(Prepared::new(
        prepare::named(&target),
        token,
        move |token| {
            async move {
                if let Found::Resource(resource) = read(&workspace, &name).await? {
                    return found(workspace, name, *resource, existing);
                }
                let location = workspace.location().await?;
                let body = body(workspace.id(), location);
                put(workspace, name, body, token, existing).await
            }
            .boxed()
        },
    ))
}

fn found<K: Kind>(
    workspace: Workspace,
    name: ComputeName,
    resource: ComputeResource,
    existing: Existing,
) -> Result<ComputeTarget<K>, Error> {
    let state = resource
        .properties
        .provisioning_state
        .as_deref()
        .unwrap_or("unknown");
    if existing == Existing::Taken && is_deleting(state) {
        return Err(Error::new(
            ErrorKind::Refused,
            "the compute of that name is being deleted",
        )
        .with_remedy("wait until it is gone, then try again"));
    }
    if existing == Existing::Taken {
        return ComputeTarget::found(workspace, name, resource);
    }
    let kind = &resource.properties.compute_type;
    let error = Error::new(
        ErrorKind::AlreadyExists,
        format!("a compute of that name exists (kind {kind}, state {state})"),
    );
    Err(error.with_remedy(if state.eq_ignore_ascii_case("Failed") {
        "an earlier try failed and keeps the name: delete or detach that compute first"
    } else {
        "take another name, or use create_or_get or attach_or_get"
    }))
}

async fn put<K: Kind>(
    workspace: Workspace,
    name: ComputeName,
    body: Value,
    token: ResumeToken,
    existing: Existing,
) -> Result<ComputeTarget<K>, Error> {
    let url = workspace.compute_url(&name);
    let answer = prepare::write(&workspace, Method::Put, url.clone(), Some(&body), &token).await?;
    // Somebody was faster.
    if answer.status == 409
        && let Ok(Found::Resource(resource)) = read(&workspace, &name).await
    {
        return found(workspace, name, *resource, existing);
    }
    let id = token.parts().client_request_id.clone();
    let (machine, step) = Machine::start(
        HttpVerb::Put,
        &url,
        &id,
        workspace.api_version(),
        workspace.client().origins(),
        None,
        &answer,
    )?;
    // The answer describes the compute as it begins; one that does not is made up for by the name.
    let resource: ComputeResource = answer.json(&id).unwrap_or_default();
    let driver = Driver::new(
        workspace.client().clone(),
        name.to_string(),
        Some(token),
        // A name that was taken was refused.
        (machine.made_here(), step),
    );
    Ok(ComputeTarget {
        workspace,
        name,
        resource: Arc::new(resource),
        pending: Some(Box::new(driver)),
        requested: Some(requested(body)),
        deviations: Vec::new(),
        kind: std::marker::PhantomData,
    })
}

/// What is kept of the body to be held against the result: never certificate and key.
fn requested(mut body: Value) -> Arc<str> {
    if let Some(properties) = body
        .pointer_mut("/properties/properties")
        .and_then(Value::as_object_mut)
    {
        properties.remove("sslConfiguration");
    }
    body.to_string().into()
}
