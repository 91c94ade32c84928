//! `create` and `attach`: a new name in the workspace.

use super::kind::{AttachWith, CreateWith};
use super::prepare::{self, named};
use super::{ComputeTarget, Found, Kind, read};
use crate::compute::ComputeResource;
use crate::error::{Error, ErrorKind, Hidden};
use crate::names::{ComputeName, WorkspaceId};
use crate::operation::request::{CallOptions, awaitable, call_options};
use crate::operation::{self, Prepared, Ticket, is_deleting};
use crate::token::{HttpVerb, Verb};
use crate::workspace::Workspace;
use azure_core::http::Method;
use futures::FutureExt;
use serde_json::Value;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// Beginning.
impl<K: Kind> ComputeTarget<K> {
    /// Creates a compute with a cluster of its own.
    ///
    /// Returns a request; `.await` sends it and returns a handle on which the create is pending:
    /// [`wait_for_completion`](Self::wait_for_completion) waits for it. `name` is a text or a
    /// [`ComputeName`].
    ///
    /// It never overwrites: the name is read first, and an existing one is refused, unless
    /// [`or_get`](CreateCompute::or_get) takes it. The service offers no way to close the window between
    /// that read and the PUT; the result of a race shows in [`deviations`](Self::deviations).
    ///
    /// The service's documentation says 10 minutes on one page and 20 on another; give
    /// [`wait_for_completion`](Self::wait_for_completion) two hours, which is its default.
    ///
    /// Sends: GET of the compute, GET of the workspace (once per workspace), PUT of the compute.
    ///
    /// # Errors
    ///
    /// When it is awaited or prepared: [`ErrorKind::Validation`] for a name that breaks the rules, and
    /// nothing is sent; [`ErrorKind::AlreadyExists`]; [`ErrorKind::Service`] with the service's reason.
    /// Where it is not known whether the PUT arrived, the error carries a
    /// [`resume_token`](Error::resume_token).
    ///
    /// # Cancel safety
    ///
    /// Not safe: dropped after the PUT was sent, the compute is created without a handle. Use
    /// [`prepare`](CreateCompute::prepare) and store its token first.
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
    /// assert!(aks.is_ready());
    ///
    /// let again = ComputeTarget::create(&workspace, "myaks", config.clone()).await;
    /// assert!(again.unwrap_err().is_already_exists());
    /// let same = ComputeTarget::create(&workspace, "myaks", config).or_get().await?;
    /// assert_eq!(same.resource().id, aks.resource().id);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn create<C>(
        workspace: &Workspace,
        name: impl AsRef<str>,
        configuration: C,
    ) -> CreateCompute<K>
    where
        C: CreateWith<Kind = K>,
    {
        CreateCompute(Put::new(
            workspace,
            name.as_ref(),
            Verb::Create,
            move |id, location| configuration.body(id, location),
        ))
    }

    /// Attaches a cluster that exists.
    ///
    /// Returns a request; `.await` sends it and returns a handle on which the attachment is pending.
    /// `name` is a text or a [`ComputeName`].
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
    /// As for [`create`](Self::create); use [`prepare`](AttachCompute::prepare).
    pub fn attach<C>(
        workspace: &Workspace,
        name: impl AsRef<str>,
        configuration: C,
    ) -> AttachCompute<K>
    where
        C: AttachWith<Kind = K>,
    {
        AttachCompute(Put::new(
            workspace,
            name.as_ref(),
            Verb::Attach,
            move |id, location| configuration.body(id, location),
        ))
    }
}

/// A request to create a compute: what [`ComputeTarget::create`] returns. `.await` sends it.
#[must_use = "a request sends nothing before it is awaited"]
pub struct CreateCompute<K: Kind>(Put<K>);

/// A request to attach a cluster: what [`ComputeTarget::attach`] returns. `.await` sends it.
#[must_use = "a request sends nothing before it is awaited"]
pub struct AttachCompute<K: Kind>(Put<K>);

/// What the two requests have in common.
macro_rules! put_request {
    ($request:ident) => {
        impl<K: Kind> $request<K> {
            /// Takes the compute that has the name already, if there is one.
            ///
            /// It is taken as it is, whatever its parameters and state: compare
            /// [`resource`](ComputeTarget::resource), and wait with
            /// [`wait_for_completion`](ComputeTarget::wait_for_completion), which fails if the compute
            /// has. Right after this call [`resume_token`](ComputeTarget::resume_token) is `Some` only
            /// if the compute is new. A compute that is being deleted is refused, and so is one of
            /// another kind ([`ErrorKind::Refused`]).
            pub fn or_get(mut self) -> Self {
                self.0.existing = Existing::Taken;
                self
            }

            /// Gives the resume token before anything is sent. No I/O.
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Validation`] for a name that breaks the rules; [`ErrorKind::Configuration`]
            /// for a client request id that cannot be sent.
            pub fn prepare(self) -> Result<Prepared<'static, ComputeTarget<K>>, Error> {
                self.0.prepare()
            }
        }

        impl<K: Kind> $request<K> {
            call_options!(.0);
        }

        awaitable!([K: Kind] $request<K> => ComputeTarget<K>, 'static, |request| {
            async move { request.prepare()?.send().await }.boxed()
        });

        impl<K: Kind> fmt::Debug for $request<K> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($request))
                    .field("name", &self.0.name)
                    .field("or_get", &(self.0.existing == Existing::Taken))
                    .finish_non_exhaustive()
            }
        }
    };
}
put_request!(CreateCompute);
put_request!(AttachCompute);

/// What to do with an existing compute of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    Refused,
    Taken,
}

type MakeBody = Box<dyn FnOnce(&WorkspaceId, &str) -> Value + Send + Sync>;

struct Put<K> {
    workspace: Workspace,
    name: String,
    verb: Verb,
    body: MakeBody,
    existing: Existing,
    options: CallOptions,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Put<K> {
    fn new(
        workspace: &Workspace,
        name: &str,
        verb: Verb,
        body: impl FnOnce(&WorkspaceId, &str) -> Value + Send + Sync + 'static,
    ) -> Self {
        Self {
            workspace: workspace.clone(),
            name: name.to_owned(),
            verb,
            body: Box::new(body),
            existing: Existing::Refused,
            options: CallOptions::default(),
            kind: PhantomData,
        }
    }

    fn prepare(self) -> Result<Prepared<'static, ComputeTarget<K>>, Error> {
        let name = ComputeName::parse("name", &self.name)
            .map_err(|found| Error::validation("compute name", found))?;
        let url = self.workspace.compute_url(&name);
        let token = prepare::token(
            &self.workspace,
            (&name, K::COMPUTE_TYPE),
            (self.verb, HttpVerb::Put),
            &url,
            &self.options,
        )?;
        let timeout = self.options.timeout;
        Ok(Prepared::new(named(&name), token, timeout, move |ticket| {
            self.run(name, ticket).boxed()
        }))
    }

    async fn run(self, name: ComputeName, ticket: Ticket) -> Result<ComputeTarget<K>, Error> {
        let workspace = self.workspace;
        if let Found::Resource(resource) = read(&workspace, &name, &Hidden::default()).await? {
            return found(workspace, name, *resource, self.existing);
        }
        let location = workspace.location().await?;
        let body = (self.body)(workspace.id(), location);
        put(workspace, name, body, ticket, self.existing).await
    }
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
        "take another name, or add .or_get() to take the existing compute"
    }))
}

async fn put<K: Kind>(
    workspace: Workspace,
    name: ComputeName,
    body: Value,
    ticket: Ticket,
    existing: Existing,
) -> Result<ComputeTarget<K>, Error> {
    let url = workspace.compute_url(&name);
    let token = &ticket.token;
    let answer = prepare::write(
        &workspace,
        Method::Put,
        url,
        Some(&body),
        token,
        &Hidden::default(),
    )
    .await?;
    // Another request was faster.
    if answer.status == 409
        && let Ok(Found::Resource(resource)) = read(&workspace, &name, &answer.hidden).await
    {
        return found(workspace, name, *resource, existing);
    }
    let (machine, step) = operation::begin(workspace.client(), token, &answer)?;
    // An answer that does not describe the compute is made up for by what is known of it.
    let resource: ComputeResource = answer
        .json(token.id())
        .ok()
        .filter(|resource: &ComputeResource| K::accepts(&resource.properties.compute_type))
        .unwrap_or_else(|| ComputeResource::named(name.as_str(), Some(K::COMPUTE_TYPE)));
    let resource = resource.hiding(&answer.hidden);
    let mut compute = ComputeTarget::found(workspace, name, resource)?;
    compute.requested = Some(requested(body));
    // A name that was taken was refused: every row of a list is of this operation's making.
    compute.begin(ticket, (machine.made_here(), step));
    Ok(compute)
}

/// What is kept of the body to compare with the result: never certificate and key.
fn requested(mut body: Value) -> Arc<str> {
    if let Some(properties) = body
        .pointer_mut("/properties/properties")
        .and_then(Value::as_object_mut)
    {
        properties.remove("sslConfiguration");
    }
    body.to_string().into()
}
