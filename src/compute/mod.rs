//! Compute targets: handles, and the verbs that the service has for them.

mod aks;
mod kind;
mod prepare;
mod remove;
mod start;
#[cfg(test)]
mod toy;
mod update;

pub use aks::{Aks, AksCompute};
pub use kind::{AnyKind, AttachWith, CreateWith, Kind, UpdateWith};
pub use remove::RemoveCompute;
pub use start::{AttachCompute, CreateCompute};
pub use update::UpdateCompute;

use crate::error::{Error, ErrorKind, Finding, Hidden, ServiceError};
use crate::names::ComputeName;
use crate::operation::waitable::sealed::{How, Sealed};
use crate::operation::{
    Driver, Event, Machine, Settled, StatusClass, Step, Ticket, Turn, Wait, WaitOptions, Waitable,
};
use crate::token::{ResumeToken, Verb};
use crate::transport::{Answer, HttpRequest, Limit, List, Sending, pages};
use crate::wire::{ComputeResource, ComputeState};
use crate::workspace::Workspace;
use azure_core::credentials::Secret;
use futures::future::BoxFuture;
use futures::{FutureExt, Stream, stream};
pub(crate) use prepare::named;
pub(crate) use remove::removal;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A compute target of a workspace: a cheap handle with the compute as it was last read.
///
/// `K` is the kind: [`AksCompute`] is a handle of an AKS cluster, [`AnyCompute`] of any compute.
///
/// # Verbs
///
/// [`create`](Self::create), [`attach`](Self::attach), [`update`](Self::update),
/// [`detach`](Self::detach) and [`delete`](Self::delete) return a request value. `.await` sends it.
/// `.prepare()?` gives its resume token before anything is sent. Dropping it sends nothing.
///
/// `create` and `attach` take the kind from the configuration, as Python's `ComputeTarget.create` does.
///
/// # Waiting
///
/// What is begun through a handle is pending on it, and
/// [`wait_for_completion`](Self::wait_for_completion) waits for it: it does not return `Ok` while that
/// still runs. A clone carries what was pending when it was made. One compute has one operation at a
/// time: the newest one that the service accepted is the one that is pending.
pub struct ComputeTarget<K: Kind> {
    workspace: Workspace,
    name: ComputeName,
    resource: Arc<ComputeResource>,
    /// The kind's own part, decoded from the resource when it is first asked for.
    properties: OnceLock<Arc<K::Properties>>,
    /// What is being waited for.
    pending: Option<Box<Driver>>,
    /// Whether the resource was read after what is pending began.
    read_since: bool,
    /// What the end of an operation told of the compute since it was last read.
    failure: Option<Arc<Failure>>,
    /// The body of the create, to compare with the finished compute: JSON as text, which takes a fraction
    /// of the memory of its tree.
    requested: Option<Arc<str>>,
    deviations: Vec<Finding>,
    /// What was secret in the requests of this handle: no text of the service shows it.
    hidden: Hidden,
}

/// A compute target of any kind.
///
/// What works for all kinds works on it: reading, listing, waiting, detaching and deleting. A handle of
/// one kind converts into it with `into()`, and back with `try_into()`.
pub type AnyCompute = ComputeTarget<AnyKind>;

/// How an operation on a compute failed.
#[derive(Debug)]
struct Failure {
    state: ComputeState,
    errors: Vec<ServiceError>,
}

/// Reading.
impl<K: Kind> ComputeTarget<K> {
    /// Reads a compute. `name` is a text or a [`ComputeName`].
    ///
    /// Sends: GET of the compute.
    ///
    /// # Errors
    ///
    /// [`Error::is_not_found`] if there is none of that name; [`ErrorKind::Refused`] if it is of
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

    /// Reads a compute; `None` if there is none of that name.
    ///
    /// A missing workspace or resource group is an error, and so is a credential that lacks the right to
    /// read.
    ///
    /// Sends: GET of the compute; where there is none, GET of the workspace (once per workspace).
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), but not for a compute that is not there.
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
    /// The service has no filter by kind: all computes are read, and those of other kinds are passed
    /// over. A compute that cannot be read is an error item, and the list goes on; an error of a page
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

    /// Makes a handle of a resource that was read before, for example from a store. No I/O.
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
    /// As for [`get`](Self::get). What was read before stays.
    ///
    /// # Cancel safety
    ///
    /// Safe: the handle changes only once the answer was whole.
    pub async fn refresh_state(&mut self) -> Result<(), Error> {
        let resource = read(&self.workspace, &self.name, &self.hidden)
            .await
            .and_then(Found::or_refusal);
        let resource: ComputeResource =
            resource.map_err(|error| error.with_context(|| reading(&self.name)))?;
        check_kind::<K>(&self.name, &resource.properties.compute_type)?;
        self.show(resource);
        // What has ended is forgotten: from here on the compute itself says how it is.
        if self
            .pending
            .as_ref()
            .is_some_and(|pending| pending.is_over())
        {
            self.pending = None;
        }
        Ok(())
    }

    /// Waits until what was begun through this handle has ended, and the compute is ready.
    ///
    /// After `create`, `attach` and `update` it follows that operation. After `detach` and `delete` it
    /// returns `Ok` once the compute is gone. With nothing pending it reads the compute once: one that is
    /// ready is `Ok`, one that is at work is waited for, one that failed is an error. The service's
    /// documentation says 10 to 20 minutes for a create and 5 for an attach; the default deadline is
    /// [`WaitOptions::DEFAULT_DEADLINE`].
    ///
    /// Sends: GETs of the operation's status or of the compute, and at last one of the compute.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OperationFailed`] and [`ErrorKind::OperationCanceled`] with the service's
    /// reason; [`ErrorKind::OperationStatusLost`] and [`ErrorKind::DeadlineExceeded`] with a resume
    /// token: then the operation may still run, and this can be called again. [`Error::is_not_found`] if
    /// nothing is pending and the compute does not exist. A single read of the status that fails is not an
    /// error.
    ///
    /// # Cancel safety
    ///
    /// Safe: dropped at any point, the next call goes on where this one stopped. The service's work
    /// goes on in any case.
    pub async fn wait_for_completion(&mut self, options: WaitOptions) -> Result<(), Error> {
        let result = self.begin_wait().run(&options).await;
        self.end_wait(result)
    }

    /// Returns a stream of what [`wait_for_completion`](Self::wait_for_completion) does: the progress
    /// before each pause, and [`Event::Done`] as the last item.
    ///
    /// The stream ends after that or after the first error, which is one of `wait_for_completion`'s.
    /// Dropping it stops nothing: another stream, or a wait, goes on where it stopped.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # let config = azureml_aks::AksCompute::provisioning_configuration().build()?;
    /// use azureml_aks::{ComputeTarget, WaitOptions, models::Event};
    /// use futures::TryStreamExt;
    ///
    /// let mut aks = ComputeTarget::create(&workspace, "myaks", config).await?;
    /// let mut events = std::pin::pin!(aks.events(WaitOptions::new()));
    /// while let Some(event) = events.try_next().await? {
    ///     match event {
    ///         Event::Progress(progress) => println!("{:?}, again in {:?}", progress.status, progress.next_delay),
    ///         Event::Done(()) => println!("done"),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn events(
        &mut self,
        options: WaitOptions,
    ) -> impl Stream<Item = Result<Event<()>, Error>> + Send + '_ {
        let wait = self.begin_wait().wait(&options);
        stream::unfold(Some((self, wait)), |state| async move {
            let (compute, mut wait): (&mut Self, Wait) = state?;
            // A wait that goes on has something to wait for.
            let driver = compute.pending.as_mut()?;
            match driver.next(&mut wait).await {
                Ok(Turn::Progress(progress)) => {
                    Some((Ok(Event::Progress(progress)), Some((compute, wait))))
                }
                Ok(Turn::Done) => {
                    driver.close_record().await;
                    let result = driver.end(&mut wait);
                    Some((compute.end_wait(result).map(Event::Done), None))
                }
                Err(error) => {
                    compute.learn(&error);
                    Some((Err(error), None))
                }
            }
        })
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &ComputeName {
        &self.name
    }

    /// Returns the workspace.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Returns the compute as it was last read. It serialises whole, as the service wrote it.
    ///
    /// Right after `create` and `attach` it is the answer to that request, which differs in details from
    /// what a read shows a moment later.
    #[must_use]
    pub fn resource(&self) -> &ComputeResource {
        &self.resource
    }

    /// Returns what the kind adds to the compute, as it was last read; what the service did not write is
    /// the default. Decoded once per read of the compute, when it is first asked for.
    pub fn properties(&self) -> &K::Properties {
        self.properties
            .get_or_init(|| Arc::new(self.resource.kind_properties()))
    }

    /// Returns the kind of the compute, as the service spells it: `AKS`, `Kubernetes`, …
    #[must_use]
    pub fn compute_type(&self) -> &str {
        &self.resource.properties.compute_type
    }

    /// Returns the state of the compute. No I/O: [`refresh_state`](Self::refresh_state) reads it again,
    /// and so does a wait that ends.
    ///
    /// It is the provisioning state as it was last read, unless more is known: what was begun through this
    /// handle since that read makes it `Creating`, `Updating` or `Deleting`, and an operation that failed
    /// since makes it `Failed` or `Canceled`. `None` where the service did not write it.
    #[must_use]
    pub fn state(&self) -> Option<ComputeState> {
        self.status().map(ComputeState::of)
    }

    /// Returns the [`state`](Self::state) as the service spells it: `Creating`, `Succeeded`, …
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        if let Some(failure) = &self.failure {
            return Some(failure.state.as_str());
        }
        let own = self.resource.properties.provisioning_state.as_deref();
        let rests =
            !self.read_since && own.is_none_or(|state| StatusClass::of(state).is_terminal());
        let pending = self.pending.as_ref().filter(|_| rests);
        match pending.and_then(|pending| Some((pending.verb()?, pending.is_over()))) {
            Some((Verb::Delete | Verb::Detach, _)) => Some("Deleting"),
            Some((Verb::Update, false)) => Some("Updating"),
            Some((Verb::Attach | Verb::Create, false)) => Some("Creating"),
            _ => own,
        }
    }

    /// Returns whether the compute can be used: its [`state`](Self::state) is `Succeeded`.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.state().is_some_and(|state| state.is_ready())
    }

    /// Returns whether the last operation on the compute failed or was cancelled.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.state().is_some_and(|state| state.is_failed())
    }

    /// Returns why provisioning failed, as it was last read or as the operation ended.
    #[must_use]
    pub fn provisioning_errors(&self) -> &[ServiceError] {
        match &self.failure {
            Some(failure) => &failure.errors,
            None => &self.resource.properties.provisioning_errors,
        }
    }

    /// Returns whether the underlying cluster was attached, and so stays when the compute goes; `None`
    /// where the service did not write it.
    #[must_use]
    pub fn is_attached(&self) -> Option<bool> {
        self.resource.properties.is_attached_compute
    }

    /// Returns the token with which another process resumes the wait; `None` where nothing that was
    /// requested still runs.
    #[must_use]
    pub fn resume_token(&self) -> Option<&ResumeToken> {
        self.pending.as_ref()?.token()
    }

    /// Hides these secrets in every text of the service that this handle shows from now on: errors,
    /// [`provisioning_errors`](Self::provisioning_errors), progress.
    ///
    /// A handle knows by itself what was secret in the requests that were sent through it, for example the
    /// private key of a certificate. A handle that was resumed, read or listed knows none of that, because
    /// it is stored nowhere.
    pub fn hide<'s>(&mut self, secrets: impl IntoIterator<Item = &'s Secret>) {
        let secrets = Hidden::of(secrets.into_iter().map(Secret::secret));
        self.hidden = self.hidden.and(&secrets);
        if let Some(pending) = &mut self.pending {
            pending.hide(&self.hidden);
        }
        if let Some(failure) = &mut self.failure {
            let errors = failure.errors.iter().cloned();
            let errors = errors.map(|error| error.hiding(&self.hidden)).collect();
            let state = failure.state.clone();
            *failure = Arc::new(Failure { state, errors });
        }
        self.resource = Arc::new(ComputeResource::clone(&self.resource).hiding(&self.hidden));
        self.properties = OnceLock::new();
    }

    /// Returns where the finished compute differs from what was asked for: rule `compute.deviates`.
    ///
    /// The service has no way to close the window between the read that finds a name free and the
    /// PUT that takes it. If somebody else's request came in between, this is where it shows: see
    /// after [`wait_for_completion`](Self::wait_for_completion).
    #[must_use]
    pub fn deviations(&self) -> &[Finding] {
        &self.deviations
    }
}

/// Inside.
impl<K: Kind> ComputeTarget<K> {
    /// A handle of a resource that was read; it must be of this kind.
    pub(crate) fn found(
        workspace: Workspace,
        name: ComputeName,
        resource: ComputeResource,
    ) -> Result<Self, Error> {
        check_kind::<K>(&name, &resource.properties.compute_type)?;
        Ok(Self {
            workspace,
            name,
            resource: Arc::new(resource),
            properties: OnceLock::new(),
            pending: None,
            read_since: false,
            failure: None,
            requested: None,
            deviations: Vec::new(),
            hidden: Hidden::default(),
        })
    }

    /// The same handle of every kind.
    pub(crate) fn widen(self) -> AnyCompute {
        self.into_kind()
    }

    /// The same handle of one kind, if the compute is of it.
    fn narrow<T: Kind>(self) -> Result<ComputeTarget<T>, Error> {
        check_kind::<T>(&self.name, &self.resource.properties.compute_type)?;
        Ok(self.into_kind())
    }

    fn into_kind<T: Kind>(self) -> ComputeTarget<T> {
        ComputeTarget {
            workspace: self.workspace,
            name: self.name,
            resource: self.resource,
            properties: OnceLock::new(),
            pending: self.pending,
            read_since: self.read_since,
            failure: self.failure,
            requested: self.requested,
            deviations: self.deviations,
            hidden: self.hidden,
        }
    }

    /// The compute was read.
    fn show(&mut self, resource: ComputeResource) {
        self.resource = Arc::new(resource.hiding(&self.hidden));
        self.properties = OnceLock::new();
        self.read_since = true;
        self.failure = None;
    }

    /// An operation was begun through the handle, or is resumed on it.
    pub(crate) fn begin(&mut self, ticket: Ticket, begun: (Machine, Step)) -> &Driver {
        self.pend(Some(ticket), begun)
    }

    fn pend(&mut self, ticket: Option<Ticket>, begun: (Machine, Step)) -> &mut Driver {
        let (machine, step) = begun;
        let machine = machine.hiding(&self.hidden);
        self.hidden = machine.hidden().clone();
        let begun = (machine, step);
        let client = self.workspace.client().clone();
        let driver = Driver::new(client, self.name.to_string(), ticket, begun);
        self.read_since = false;
        self.failure = None;
        self.pending.insert(Box::new(driver))
    }

    /// What is to be waited for: what is pending, or a read of the compute.
    fn begin_wait(&mut self) -> &mut Driver {
        match self.pending {
            Some(ref mut pending) => pending,
            None => self.follow(None),
        }
    }

    fn end_wait(&mut self, result: Result<Settled, Error>) -> Result<(), Error> {
        let result = result.inspect_err(|error| {
            self.learn(error);
            self.forget_what_was_only_read();
        })?;
        if self.removes() {
            // It stays pending: every further wait ends like this one.
            return Ok(());
        }
        if let Some(result) = result {
            // serde's message would quote values.
            let Ok(resource) = serde_json::from_str::<ComputeResource>(result.get()) else {
                // The next wait reads the compute anew.
                self.pending = None;
                return Err(Error::new(
                    ErrorKind::ResultUnavailable,
                    "the operation succeeded, and the compute has an unexpected shape",
                ));
            };
            // An answer that does not name the kind contradicts nothing.
            if !resource.properties.compute_type.is_empty() {
                check_kind::<K>(&self.name, &resource.properties.compute_type)?;
            }
            self.show(resource);
        }
        self.pending = None;
        self.find_deviations();
        Ok(())
    }

    /// Where nothing was begun, an end is how the compute stood when it was read: the next wait reads it
    /// anew.
    fn forget_what_was_only_read(&mut self) {
        let over = |pending: &Driver| pending.verb().is_none() && pending.is_over();
        if self.pending.as_deref().is_some_and(over) {
            self.pending = None;
        }
    }

    /// Whether the compute is being removed through this handle.
    fn removes(&self) -> bool {
        let verb = self.pending.as_ref().and_then(|pending| pending.verb());
        matches!(verb, Some(Verb::Delete | Verb::Detach))
    }

    /// Keeps what the end of an operation tells about the compute, without another read of it.
    fn learn(&mut self, error: &Error) {
        let state = match error.kind() {
            ErrorKind::OperationFailed => ComputeState::Failed,
            ErrorKind::OperationCanceled => ComputeState::Canceled,
            _ => return,
        };
        self.failure = Some(Arc::new(Failure {
            state,
            errors: error.service_error().cloned().into_iter().collect(),
        }));
    }

    /// Follows the resource itself; with the ticket of what was requested, where that is known.
    pub(crate) fn follow(&mut self, ticket: Option<Ticket>) -> &mut Driver {
        let id = match &ticket {
            Some(ticket) => ticket.token.id().to_owned(),
            None => azure_core::Uuid::new_v4().into(),
        };
        let begun = Machine::watch(
            &self.workspace.compute_url(&self.name),
            &id,
            self.workspace.api_version(),
            self.workspace.client().origins(),
            self.resource.properties.provisioning_state.as_deref(),
        );
        self.pend(ticket, begun)
    }

    fn find_deviations(&mut self) {
        let Some(requested) = self.requested.take() else {
            return;
        };
        let requested: Value = serde_json::from_str(&requested).unwrap_or_default();
        self.deviations = kind::deviations::<K>(&requested, &self.resource);
        for deviation in &self.deviations {
            tracing::warn!(compute = %self.name, %deviation, "the compute is not what was asked for");
        }
    }
}

#[allow(private_interfaces, reason = "nobody outside can name the trait")]
impl<K: Kind> Sealed for ComputeTarget<K> {
    fn driver(&mut self) -> Option<&mut Driver> {
        Some(self.begin_wait())
    }
}

impl<K: Kind> Waitable for ComputeTarget<K> {
    type Output = ();

    fn end(&mut self, how: How) -> BoxFuture<'_, Result<(), Error>> {
        // A handle always has something to wait for.
        let result = self.end_wait(how.0.unwrap_or(Ok(None)));
        async move { result }.boxed()
    }
}

/// By hand: a derived one would ask for `K: Clone`.
impl<K: Kind> Clone for ComputeTarget<K> {
    fn clone(&self) -> Self {
        Self {
            workspace: self.workspace.clone(),
            name: self.name.clone(),
            resource: self.resource.clone(),
            properties: self.properties.clone(),
            pending: self.pending.clone(),
            read_since: self.read_since,
            failure: self.failure.clone(),
            requested: self.requested.clone(),
            deviations: self.deviations.clone(),
            hidden: self.hidden.clone(),
        }
    }
}

impl<K: Kind> fmt::Debug for ComputeTarget<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pending = self.pending.as_ref();
        f.debug_struct("ComputeTarget")
            .field("workspace", &self.workspace.id().name())
            .field("name", &self.name.as_str())
            .field("kind", &self.compute_type())
            .field("state", &self.state())
            .field(
                "pending",
                &pending.is_some_and(|pending| !pending.is_over()),
            )
            .finish_non_exhaustive()
    }
}

impl Workspace {
    /// Lists all computes of the workspace, of every kind; the same as
    /// [`AnyCompute::list`](ComputeTarget::list).
    ///
    /// Pages are read as they are needed. A compute of a kind that this library does not know is a handle
    /// like any other. One that cannot be read is an error item, and the list goes on; an error of a page
    /// ends it.
    ///
    /// Sends: GETs of the list's pages, each when the one before is used up.
    pub fn computes(&self) -> List<AnyCompute> {
        AnyCompute::list(self)
    }
}

/// What a read of a compute found, the compute as `T`.
pub(crate) enum Found<T> {
    Resource(Box<T>),
    /// No compute of that name, with the refusal.
    Nothing(Error),
}

impl<T> Found<T> {
    fn or_refusal(self) -> Result<T, Error> {
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
    let id = request.client_request_id.as_str();
    let answer = workspace
        .client()
        .send(&request, Sending::Retried, Limit::RESOURCE, None)
        .await?;
    match existence(&answer, id)? {
        Some(refusal) => Ok(Found::Nothing(refusal)),
        None => answer
            .json(id)
            .map(|resource| Found::Resource(Box::new(resource))),
    }
}

/// The refusal of a compute that does not exist; an error for every other refusal.
///
/// A 404 for what stands above the compute is no answer to the question.
fn existence(answer: &Answer, client_request_id: &str) -> Result<Option<Error>, Error> {
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
    // A page of some proxy in between is no answer either.
    let body = answer.text();
    let foreign =
        !body.is_empty() && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_err();
    if answer.status == 404 && !above && !foreign {
        Ok(Some(refusal))
    } else {
        Err(refusal)
    }
}

fn check_kind<K: Kind>(name: &ComputeName, kind: &str) -> Result<(), Error> {
    if K::accepts(kind) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Refused,
        format!(
            "compute {:?} is of kind {kind:?}, not {:?}",
            name.as_str(),
            K::COMPUTE_TYPE
        ),
    ))
}

pub(crate) fn existing(name: &str) -> Result<ComputeName, Error> {
    ComputeName::existing("name", name).map_err(|found| Error::validation("compute name", found))
}

fn reading(name: &ComputeName) -> String {
    format!("read {}", named(name))
}
