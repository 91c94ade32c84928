//! Compute targets: handles, and the verbs that the service has for them.

mod aks;
mod fleet;
mod kind;
mod prepare;
mod remove;
mod resume;
mod start;
mod update;

pub use fleet::{Waitable, wait_all};
pub use kind::{Aks, AttachWith, CreateWith, Kind};
pub use resume::Resumed;

use crate::error::{Error, ErrorKind, Finding, ServiceError};
use crate::names::ComputeName;
use crate::operation::{Driver, Event, Machine, StatusClass, Turn, Wait, WaitOptions};
use crate::token::ResumeToken;
use crate::transport::{Answer, HttpRequest, Limit, Sending};
use crate::wire::ComputeResource;
use crate::workspace::Workspace;
use futures::{Stream, stream};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

/// A compute target of a workspace: a cheap handle with what was last read of it.
///
/// `K` is the kind; [`AksCompute`] is the one of AKS clusters.
///
/// # Design
///
/// What every kind can do is written once. [`create`](Self::create) and [`attach`](Self::attach)
/// take the kind from the configuration, as Python's `ComputeTarget.create` does.
pub struct ComputeTarget<K> {
    workspace: Workspace,
    name: ComputeName,
    resource: Arc<ComputeResource>,
    /// What is being waited for, from the verb that began it or from a state that is not final.
    pending: Option<Box<Driver>>,
    /// What was asked for at the create, to be held against what came: JSON as text, which is a
    /// fraction of its tree.
    requested: Option<Arc<str>>,
    deviations: Vec<Finding>,
    kind: PhantomData<fn() -> K>,
}

/// An AKS cluster as a compute target.
pub type AksCompute = ComputeTarget<Aks>;

/// Reading.
impl<K: Kind> ComputeTarget<K> {
    /// Reads a compute.
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
    pub async fn get(workspace: &Workspace, name: &str) -> Result<Self, Error> {
        let name = existing(name)?;
        let resource = read(workspace, &name).await.and_then(Found::or_refusal);
        let resource = resource.map_err(|error| error.with_context(|| reading(&name)))?;
        Self::found(workspace.clone(), name, resource)
    }

    /// Reads a compute, or says that there is none.
    ///
    /// `None` means exactly that: a missing workspace or resource group, and a credential that may
    /// not look, are errors.
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
    pub async fn get_opt(workspace: &Workspace, name: &str) -> Result<Option<Self>, Error> {
        let name = existing(name)?;
        let found = read(workspace, &name).await;
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

    /// Makes a handle of what was read already, such as an item of
    /// [`Workspace::computes`]. No I/O.
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
        let resource = read(&self.workspace, &self.name)
            .await
            .and_then(Found::or_refusal);
        let resource: ComputeResource =
            resource.map_err(|error| error.with_context(|| reading(&self.name)))?;
        check_kind::<K>(&self.name, &resource.properties.compute_type)?;
        self.resource = Arc::new(resource);
        // What is over is over: from here on the compute itself has the word.
        if self
            .pending
            .as_ref()
            .is_some_and(|pending| pending.is_over())
        {
            self.pending = None;
        }
        Ok(())
    }

    /// Waits until the compute is ready.
    ///
    /// After `create` and `attach` it follows that operation. On a handle that was only read it
    /// follows the provisioning state, and returns at once if that is final. The service's
    /// documentation says 10 to 20 minutes for a create and 5 for an attach; the default deadline
    /// is [`WaitOptions::DEFAULT_DEADLINE`].
    ///
    /// Sends: GETs of the operation's status or of the compute, and at last one of the compute.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::OperationFailed`] and [`ErrorKind::OperationCanceled`] with the service's
    /// reason; [`ErrorKind::OperationStatusLost`] and [`ErrorKind::DeadlineExceeded`] with a resume
    /// token: then the operation may still run, and this can be called again. A single read of the
    /// status that fails is no error.
    ///
    /// # Cancel safety
    ///
    /// Safe: dropped at any point, the next call goes on where this one stopped. The service's work
    /// goes on in any case.
    pub async fn wait_for_completion(&mut self, options: WaitOptions) -> Result<(), Error> {
        let Some(driver) = self.begin_wait()? else {
            return Ok(());
        };
        let result = driver.run(&options).await;
        self.end_wait(result)
    }

    /// What [`wait_for_completion`](Self::wait_for_completion) does, as a stream: the progress before
    /// each pause, and [`Event::Done`] as the last item.
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
    /// use azureml_aks::{ComputeTarget, Event, WaitOptions};
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
        enum State<'a, K> {
            Begins(&'a mut ComputeTarget<K>, WaitOptions),
            Goes(&'a mut ComputeTarget<K>, Wait),
            Over,
        }
        stream::unfold(State::Begins(self, options), |state| async move {
            let (compute, mut wait) = match state {
                State::Begins(compute, options) => match compute.begin_wait() {
                    Ok(Some(driver)) => {
                        let wait = driver.wait(&options);
                        (compute, wait)
                    }
                    Ok(None) => return Some((Ok(Event::Done(())), State::Over)),
                    Err(error) => return Some((Err(error), State::Over)),
                },
                State::Goes(compute, wait) => (compute, wait),
                State::Over => return None,
            };
            // A wait that goes on has something to wait for.
            let driver = compute.pending.as_mut()?;
            match driver.next(&mut wait).await {
                Ok(Turn::Progress(progress)) => {
                    Some((Ok(Event::Progress(progress)), State::Goes(compute, wait)))
                }
                Ok(Turn::Done) => {
                    let result = driver.end(&mut wait);
                    Some((compute.end_wait(result).map(Event::Done), State::Over))
                }
                Err(error) => {
                    compute.learn(&error);
                    Some((Err(error), State::Over))
                }
            }
        })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &ComputeName {
        &self.name
    }

    /// The workspace.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// What was last read of the compute.
    #[must_use]
    pub fn resource(&self) -> &ComputeResource {
        &self.resource
    }

    /// The provisioning state as it was last read, as the service spelled it: `Creating`,
    /// `Succeeded`, `Failed`, … [`refresh_state`](Self::refresh_state) reads it again, and so does
    /// a wait that ends. On a handle that was resumed and not read yet it is the last status of the
    /// operation.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        self.provisioning_state()
            .or_else(|| self.pending.as_ref().and_then(|pending| pending.status()))
    }

    /// Why provisioning failed, as it was last read.
    #[must_use]
    pub fn provisioning_errors(&self) -> &[ServiceError] {
        &self.resource.properties.provisioning_errors
    }

    /// Whether the underlying cluster was attached, and so stays when the compute goes.
    #[must_use]
    pub fn is_attached(&self) -> Option<bool> {
        self.resource.properties.is_attached_compute
    }

    /// What takes the wait up again in another process; `None` where nothing that was asked for is
    /// still going on.
    #[must_use]
    pub fn resume_token(&self) -> Option<&ResumeToken> {
        self.pending.as_ref()?.token()
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

    fn found(
        workspace: Workspace,
        name: ComputeName,
        resource: ComputeResource,
    ) -> Result<Self, Error> {
        check_kind::<K>(&name, &resource.properties.compute_type)?;
        Ok(Self {
            workspace,
            name,
            resource: Arc::new(resource),
            pending: None,
            requested: None,
            deviations: Vec::new(),
            kind: PhantomData,
        })
    }

    /// What is to be waited for; `None` if the compute is ready.
    fn begin_wait(&mut self) -> Result<Option<&mut Driver>, Error> {
        if self.pending.is_none() {
            let state = self.provisioning_state();
            match state.map_or(StatusClass::Succeeded, StatusClass::of) {
                StatusClass::Succeeded => return Ok(None),
                StatusClass::InProgress => self.follow(None),
                class => return Err(self.failure(class)),
            }
        }
        Ok(self.pending.as_deref_mut())
    }

    fn end_wait(&mut self, result: Result<Option<Value>, Error>) -> Result<(), Error> {
        let result = result.inspect_err(|error| self.learn(error))?;
        if let Some(result) = result {
            let resource = match decode(result) {
                Ok(resource) => resource,
                Err(error) => {
                    // The next wait reads the compute anew.
                    self.follow(None);
                    return Err(error);
                }
            };
            // An answer that says nothing of the kind contradicts nothing.
            if !resource.properties.compute_type.is_empty() {
                check_kind::<K>(&self.name, &resource.properties.compute_type)?;
            }
            self.resource = Arc::new(resource);
        }
        self.pending = None;
        self.find_deviations();
        Ok(())
    }

    /// What the end of an operation says about the compute, without another read of it.
    fn learn(&mut self, error: &Error) {
        let state = match error.kind() {
            ErrorKind::OperationFailed => "Failed",
            ErrorKind::OperationCanceled => "Canceled",
            _ => return,
        };
        let properties = &mut Arc::make_mut(&mut self.resource).properties;
        properties.provisioning_state = Some(state.to_owned());
        properties.provisioning_errors = error.service_error().cloned().into_iter().collect();
    }

    fn provisioning_state(&self) -> Option<&str> {
        self.resource.properties.provisioning_state.as_deref()
    }

    /// Follows the resource itself; with the token of what was asked for, where that is known.
    fn follow(&mut self, token: Option<ResumeToken>) {
        let url = self.workspace.compute_url(&self.name);
        let id = match &token {
            Some(token) => token.parts().client_request_id.clone(),
            None => azure_core::Uuid::new_v4().into(),
        };
        let begun = Machine::watch(
            &url,
            &id,
            self.workspace.api_version(),
            self.workspace.client().origins(),
            self.provisioning_state(),
        );
        let driver = Driver::new(
            self.workspace.client().clone(),
            self.name.to_string(),
            token,
            begun,
        );
        self.pending = Some(Box::new(driver));
    }

    /// A handle that was read and is not what it should be.
    fn failure(&self, class: StatusClass) -> Error {
        let kind = if class == StatusClass::Canceled {
            ErrorKind::OperationCanceled
        } else {
            ErrorKind::OperationFailed
        };
        let error = self.provisioning_errors().first().cloned();
        let facts = crate::error::ResponseFacts {
            error,
            ..Default::default()
        };
        Error::of_response(kind, facts).with_context(|| format!("compute {:?}", self.name.as_str()))
    }

    fn find_deviations(&mut self) {
        let Some(requested) = self.requested.take() else {
            return;
        };
        let requested: Value = serde_json::from_str(&requested).unwrap_or_default();
        self.deviations = K::deviations(&requested, &self.resource);
        for deviation in &self.deviations {
            tracing::warn!(compute = %self.name, %deviation, "the compute is not what was asked for");
        }
    }
}

impl<K> Clone for ComputeTarget<K> {
    fn clone(&self) -> Self {
        Self {
            workspace: self.workspace.clone(),
            name: self.name.clone(),
            resource: self.resource.clone(),
            pending: self.pending.clone(),
            requested: self.requested.clone(),
            deviations: self.deviations.clone(),
            kind: PhantomData,
        }
    }
}

impl<K> fmt::Debug for ComputeTarget<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComputeTarget")
            .field("workspace", &self.workspace.id().name())
            .field("name", &self.name.as_str())
            .field("kind", &self.resource.properties.compute_type)
            .field("state", &self.resource.properties.provisioning_state)
            .field(
                "pending",
                &self
                    .pending
                    .as_ref()
                    .is_some_and(|pending| !pending.is_over()),
            )
            .finish_non_exhaustive()
    }
}

/// What a read of a compute found: the compute as `T`.
enum Found<T> {
    Resource(Box<T>),
    /// No compute of that name: the refusal, for those who need one.
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

async fn read<T: DeserializeOwned>(
    workspace: &Workspace,
    name: &ComputeName,
) -> Result<Found<T>, Error> {
    let request = HttpRequest::get(workspace.compute_url(name));
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

/// The compute with which an operation ended.
fn decode(result: serde_json::Value) -> Result<ComputeResource, Error> {
    // serde's message would quote values.
    serde_json::from_value(result).map_err(|_| {
        Error::new(
            ErrorKind::ResultUnavailable,
            "the operation succeeded, and the compute has an unexpected shape",
        )
    })
}

fn check_kind<K: Kind>(name: &ComputeName, kind: &str) -> Result<(), Error> {
    if kind.eq_ignore_ascii_case(K::COMPUTE_TYPE) {
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

fn existing(name: &str) -> Result<ComputeName, Error> {
    ComputeName::existing("name", name).map_err(|found| Error::validation("compute name", found))
}

fn reading(name: &ComputeName) -> String {
    format!("read compute {:?}", name.as_str())
}
