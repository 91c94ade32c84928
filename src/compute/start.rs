//! `create` and `attach`: a new name in the workspace.

mod planned;

pub(crate) use planned::PlannedAttach;

use super::kind::{AttachWith, CreateWith};
use super::prepare::{self, named};
use super::{ComputeTarget, Found, Kind, read};
use crate::compute::ComputeResource;
use crate::error::{Error, ErrorKind, Finding, Hidden};
use crate::names::{ComputeName, WorkspaceId, resource_id};
use crate::operation::request::{CallOptions, CheckBefore, awaitable, call_options};
use crate::operation::{self, Prepared, Ticket, is_deleting};
use crate::rules;
use crate::token::{HttpVerb, Verb};
use crate::workspace::Workspace;
use azure_core::http::Method;
use futures::{FutureExt, TryStreamExt};
use serde_json::Value;
use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// The verbs that add a compute: create and attach.
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
    /// If it is not known whether the PUT arrived, the error carries a
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
        let configuration = Arc::new(configuration);
        let body = configuration.clone();
        CreateCompute(Put {
            configuration: Some(configuration),
            ..Put::new(workspace, name.as_ref(), None, move |id, location| {
                body.body(id, location)
            })
        })
    }

    /// Attaches a cluster that exists.
    ///
    /// Returns a request; `.await` sends it and returns a handle on which the attachment is pending.
    /// `name` is a text or a [`ComputeName`].
    ///
    /// One cluster must not be attached twice as a compute of kind AKS: the second attachment breaks the first, and the
    /// service does not say so. A cluster that is attached in this workspace under another name is refused, unless
    /// [`ignore_other_attachments`](AttachCompute::ignore_other_attachments) is called. As computes of kind Kubernetes one
    /// cluster may be attached several times: [`notes`](Self::notes) tells of the others. Attachments in other workspaces
    /// are not looked for; [`PreflightRequest::other_workspaces`](crate::models::PreflightRequest::other_workspaces) does.
    ///
    /// The service's documentation says 5 minutes; more than 100 were reported. Give
    /// [`wait_for_completion`](Self::wait_for_completion) two hours, which is its default.
    ///
    /// Sends: GET of the compute, GETs of the list of computes, GET of the workspace (once per workspace), PUT of the
    /// compute.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create); and [`ErrorKind::Refused`] for a cluster that is attached under another
    /// name, and nothing is changed.
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
        let cluster = configuration.cluster_id(workspace.id());
        let configuration = Arc::new(configuration);
        let body = configuration.clone();
        AttachCompute(Put {
            configuration: Some(configuration),
            ..Put::new(
                workspace,
                name.as_ref(),
                Some(cluster),
                move |id, location| body.body(id, location),
            )
        })
    }
}

/// A request to create a compute, which [`ComputeTarget::create`] returns. `.await` sends it.
#[must_use = "a request sends nothing before it is awaited"]
pub struct CreateCompute<K: Kind>(Put<K>);

/// A request to attach a cluster, which [`ComputeTarget::attach`] returns. `.await` sends it.
#[must_use = "a request sends nothing before it is awaited"]
pub struct AttachCompute<K: Kind>(Put<K>);

/// The common methods of the two requests.
macro_rules! put_request {
    ($request:ident) => {
        impl<K: Kind> $request<K> {
            /// Returns the compute that already has the name, if there is one, instead of an error.
            ///
            /// It is taken as it is, whatever its parameters and state: compare
            /// [`resource`](ComputeTarget::resource), and wait with
            /// [`wait_for_completion`](ComputeTarget::wait_for_completion), which fails if the compute
            /// has. Right after this call [`resume_token`](ComputeTarget::resume_token) is `Some` only
            /// if the compute is new. A compute that is being deleted is refused, and so is one of
            /// another kind, and one that is not of the cluster to attach ([`ErrorKind::Refused`]).
            pub fn or_get(mut self) -> Self {
                self.0.existing.taken = true;
                self
            }

            /// Returns the warnings about the request, which is allowed but probably not meant: a name that only the
            /// workspace's API version accepts. No I/O; errors are those of [`prepare`](Self::prepare).
            #[must_use]
            pub fn warnings(&self) -> Vec<Finding> {
                let api_version = self.0.workspace.api_version();
                let name = ComputeName::parse_for(api_version, "name", &self.0.name);
                name.map_or_else(|_| Vec::new(), |(_, warnings)| warnings)
            }

            /// Returns the verb with its resume token, before anything is sent. No I/O.
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

            pub(crate) fn workspace(&self) -> &Workspace {
                &self.0.workspace
            }

            pub(crate) fn name(&self) -> &str {
                &self.0.name
            }

            /// Returns the configuration, if it is of this type.
            pub(crate) fn configuration<C: 'static>(&self) -> Option<&C> {
                self.0.configuration.as_ref()?.downcast_ref()
            }

            /// Has a check made before anything is changed.
            pub(crate) fn checked_by(mut self, check: CheckBefore) -> Self {
                self.0.check = Some(check);
                self
            }
        }

        awaitable!([K: Kind] $request<K> => ComputeTarget<K>, 'static, |request| {
            async move { request.prepare()?.send().await }.boxed()
        });

        impl<K: Kind> fmt::Debug for $request<K> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($request))
                    .field("name", &self.0.name)
                    .field("or_get", &self.0.existing.taken)
                    .finish_non_exhaustive()
            }
        }
    };
}
put_request!(CreateCompute);
put_request!(AttachCompute);

impl<K: Kind> AttachCompute<K> {
    /// Attaches the cluster although it is attached in this workspace under another name. The list of computes is
    /// not read.
    ///
    /// The other attachment of kind AKS will stop working: use this where it is to be replaced, or is broken already.
    pub fn ignore_other_attachments(mut self) -> Self {
        self.0.looks = false;
        self
    }
}

/// The treatment of an existing compute of that name.
struct Existing {
    taken: bool,
    /// The cluster that it must have, where one is to be attached.
    cluster: Option<String>,
}

type MakeBody = Box<dyn FnOnce(&WorkspaceId, &str) -> Value + Send + Sync>;

struct Put<K> {
    workspace: Workspace,
    name: String,
    body: MakeBody,
    /// The configuration, for a preflight.
    configuration: Option<Arc<dyn Any + Send + Sync>>,
    check: Option<CheckBefore>,
    existing: Existing,
    /// `true` if the list is searched for another attachment of the cluster.
    looks: bool,
    /// `true` if an existing compute is waited for with the token of this request.
    follows: bool,
    options: CallOptions,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Put<K> {
    fn new(
        workspace: &Workspace,
        name: &str,
        cluster: Option<String>,
        body: impl FnOnce(&WorkspaceId, &str) -> Value + Send + Sync + 'static,
    ) -> Self {
        Self {
            workspace: workspace.clone(),
            name: name.to_owned(),
            body: Box::new(body),
            configuration: None,
            check: None,
            existing: Existing {
                taken: false,
                cluster,
            },
            looks: true,
            follows: false,
            options: CallOptions::default(),
            kind: PhantomData,
        }
    }

    fn prepare(self) -> Result<Prepared<'static, ComputeTarget<K>>, Error> {
        let name = ComputeName::parse_for(self.workspace.api_version(), "name", &self.name);
        let (name, warnings) = name.map_err(|found| Error::validation("compute name", found))?;
        for warning in warnings {
            tracing::warn!(compute = %name, %warning, "the name may be refused by a later API version");
        }
        let url = self.workspace.compute_url(&name);
        let token = prepare::token(
            &self.workspace,
            (&name, K::COMPUTE_TYPE),
            (self.existing.verb(), HttpVerb::Put),
            &url,
            &self.options,
        )?;
        let timeout = self.options.timeout;
        Ok(Prepared::new(named(&name), token, timeout, move |ticket| {
            self.run(name, ticket).boxed()
        }))
    }

    async fn run(self, name: ComputeName, ticket: Ticket) -> Result<ComputeTarget<K>, Error> {
        let follows = self.follows.then(|| ticket.clone());
        let mut compute = self.begin(name, ticket).await?;
        if compute.pending.is_none()
            && let Some(ticket) = follows
        {
            compute.follow(Some(ticket));
        }
        Ok(compute)
    }

    async fn begin(self, name: ComputeName, ticket: Ticket) -> Result<ComputeTarget<K>, Error> {
        let workspace = self.workspace;
        if let Found::Resource(resource) = read(&workspace, &name, &Hidden::default()).await? {
            return found(workspace, name, *resource, &self.existing);
        }
        if let Some(check) = self.check {
            check().await?;
        }
        let note = match &self.existing.cluster {
            Some(cluster) if self.looks => look_for_others::<K>(&workspace, cluster).await?,
            _ => None,
        };
        let location = workspace.location().await?;
        let body = (self.body)(workspace.id(), location);
        let mut compute = put(workspace, name, body, ticket, &self.existing).await?;
        compute.notes.extend(note);
        Ok(compute)
    }
}

fn found<K: Kind>(
    workspace: Workspace,
    name: ComputeName,
    resource: ComputeResource,
    existing: &Existing,
) -> Result<ComputeTarget<K>, Error> {
    let state = resource
        .properties
        .provisioning_state
        .as_deref()
        .unwrap_or("unknown");
    let own = resource.properties.resource_id.as_deref();
    let other = own.filter(|own| !existing.may_be(own));
    if existing.taken && is_deleting(state) {
        return Err(Error::new(
            ErrorKind::Refused,
            "the compute of that name is being deleted",
        )
        .with_remedy("wait until it is gone, then try again"));
    }
    if existing.taken {
        return match other {
            None => ComputeTarget::found(workspace, name, resource),
            Some(other) => Err(Error::new(
                ErrorKind::Refused,
                format!("the compute of that name is attached to another cluster, {other}"),
            )
            .with_remedy(ANOTHER_CLUSTER)),
        };
    }
    let kind = &resource.properties.compute_type;
    let error = Error::new(
        ErrorKind::AlreadyExists,
        format!("a compute of that name exists (kind {kind}, state {state})"),
    );
    Err(error.with_remedy(match &existing.cluster {
        _ if state.eq_ignore_ascii_case("Failed") => {
            "an earlier try failed and keeps the name: delete or detach that compute first"
        }
        None => "take another name, or add .or_get() to take the existing compute",
        Some(_) if other.is_some() => ANOTHER_CLUSTER,
        // Another name would attach the cluster twice.
        Some(_) => "add .or_get() to take the existing compute, or detach it first to attach the cluster anew",
    }))
}

const ANOTHER_CLUSTER: &str =
    "detach that compute first, or take another name if its cluster is to stay attached";

impl Existing {
    fn verb(&self) -> Verb {
        match self.cluster {
            Some(_) => Verb::Attach,
            None => Verb::Create,
        }
    }

    /// Returns whether a compute with this cluster may be the wanted one.
    fn may_be(&self, cluster: &str) -> bool {
        let own = self.cluster.as_deref();
        own.is_none_or(|own| resource_id::same(own, cluster))
    }
}

/// Looks for another compute of the kind and the cluster. It is refused, or noted where the kind shares clusters.
async fn look_for_others<K: Kind>(
    workspace: &Workspace,
    cluster: &str,
) -> Result<Option<Finding>, Error> {
    let other = match attachment::<K>(workspace, cluster).await {
        // A note is not worth an attach.
        Err(error) if K::SHARES_CLUSTERS => {
            tracing::warn!(%error, "other attachments of the cluster could not be looked for");
            return Ok(None);
        }
        other => other?,
    };
    let Some(other) = other else { return Ok(None) };
    let other = named(other.name());
    if K::SHARES_CLUSTERS {
        let note = rules::CLUSTER_ATTACHED_AGAIN.finding(
            "cluster",
            format!("the cluster is attached already, as {other}, and stays attached there"),
            "nothing is to be done if this is intended; else detach one of the two",
        );
        return Ok(Some(note));
    }
    Err(Error::new(
        ErrorKind::Refused,
        format!(
            "the cluster is attached already, as {other}, and a second attachment breaks the first"
        ),
    )
    .with_remedy(
        "use that compute; or detach it first; or call ignore_other_attachments() if it need not work any \
         more",
    ))
}

/// Returns the first compute of the workspace that is of this kind and has this cluster.
async fn attachment<K: Kind>(
    workspace: &Workspace,
    cluster: &str,
) -> Result<Option<ComputeTarget<K>>, Error> {
    let mut pages = ComputeTarget::<K>::list(workspace).into_pages();
    while let Some(page) = pages.try_next().await? {
        // A row that cannot be read is passed over.
        let other = page.items.into_iter().flatten().find(|compute| {
            let own = compute.resource().properties.resource_id.as_deref();
            own.is_some_and(|own| resource_id::same(own, cluster))
        });
        if other.is_some() {
            return Ok(other);
        }
    }
    Ok(None)
}

async fn put<K: Kind>(
    workspace: Workspace,
    name: ComputeName,
    body: Value,
    ticket: Ticket,
    existing: &Existing,
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
    let mut resource = resource.hiding(&answer.hidden);
    if existing.verb() == Verb::Create {
        // The answer shows ids of the inside, which no read shows again.
        resource = resource.without_resource_id();
    }
    let mut compute = ComputeTarget::found(workspace, name, resource)?;
    compute.requested = Some(requested(body));
    // A name that was taken was refused: every row of a list is of this operation's making.
    compute.begin(ticket, (machine.made_here(), step));
    Ok(compute)
}

/// Returns the part of the body that is kept to compare with the result: never certificate and key.
fn requested(mut body: Value) -> Arc<str> {
    if let Some(properties) = body
        .pointer_mut("/properties/properties")
        .and_then(Value::as_object_mut)
    {
        properties.remove("sslConfiguration");
    }
    body.to_string().into()
}
