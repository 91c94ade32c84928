//! Models deployed as web services.

mod checks;
mod credentials;
mod deploy;
mod detaching;
mod image;
pub(crate) mod inference;
mod keys;
mod logs;
mod query;
mod remove;
mod resource;
mod scoring;
pub(crate) mod settings;
mod state;
mod update;
mod wait;

pub use credentials::{ServiceKeys, ServiceToken};
pub use deploy::DeployService;
pub use detaching::DetachReport;
pub use inference::{EnvironmentSource, InferenceConfiguration, InferenceConfigurationBuilder};
pub use keys::{KeyName, RegenerateKey};
pub use logs::LogOptions;
pub use query::ServiceQuery;
pub use remove::DeleteService;
pub use resource::{
    AutoScalerSettings, ContainerResources, ProbeSettings, ReplicaStatus, ServiceResource,
};
pub use settings::{
    Auth, AutoScale, DeployConfiguration, DeployConfigurationBuilder, LivenessProbe, Replicas,
    ServiceLoad, ServiceUpdate, ServiceUpdateBuilder, replicas_for_load,
};
pub use state::ServiceState;
pub use update::UpdateService;

use crate::error::{Error, ErrorKind, Finding, Hidden, ServiceError, SharedHidden};
use crate::names::ServiceName;
use crate::operation::request::CallOptions;
use crate::operation::{Driver, Machine, Step, Subject, Ticket};
use crate::token::{FinalStateVia, HttpVerb, Preparation, ResumeToken, TokenResource, Verb};
use crate::transport::{Answer, HttpRequest, Limit, List, Sending};
use crate::workspace::{DataPlane, Workspace};
use azure_core::credentials::Secret;
use azure_core::http::Method;
use std::fmt;
use std::sync::Arc;
use url::Url;

/// A web service on an AKS cluster: a cheap handle with the service as it was last read.
///
/// [`Model::deploy`](crate::Model::deploy) makes one.
///
/// # Verbs
///
/// [`Model::deploy`](crate::Model::deploy), [`update`](Self::update),
/// [`regenerate_key`](Self::regenerate_key) and [`delete`](Self::delete) return a request value. `.await`
/// sends it. `.prepare().await?` returns its resume token before anything is sent that changes something.
/// Dropping it sends nothing. An operation that was started through a handle is pending on it, and
/// [`wait_for_deployment`](Self::wait_for_deployment) waits for it.
#[derive(Clone)]
pub struct AksWebservice {
    workspace: Workspace,
    name: ServiceName,
    resource: Arc<ServiceResource>,
    /// The operation that is pending.
    pending: Option<Box<Driver>>,
    /// The newer facts about the service since it was last read.
    known: Option<Arc<Known>>,
    warnings: Vec<Finding>,
    /// The secrets of this handle's requests: no text of the service shows them.
    hidden: SharedHidden,
}

/// The facts about a service that a request or the end of an operation tells.
#[derive(Debug)]
struct Known {
    state: ServiceState,
    error: Option<ServiceError>,
}

/// Reading web services.
impl AksWebservice {
    /// Reads a web service. `name` is a text or a [`ServiceName`].
    ///
    /// Sends: GET of the service.
    ///
    /// # Errors
    ///
    /// [`Error::is_not_found`] if no service has that name; [`ErrorKind::Refused`] if it does not run
    /// on AKS.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn get(workspace: &Workspace, name: impl AsRef<str>) -> Result<Self, Error> {
        let name = existing(name.as_ref())?;
        let resource = read(workspace, &name, &Hidden::default())
            .await
            .map_err(|error| error.with_context(|| format!("read service {:?}", name.as_str())))?;
        Self::of(workspace.clone(), name, resource)
    }

    /// Reads a web service; `None` if no service has that name.
    ///
    /// Sends: as [`get`](Self::get).
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except for a service that does not exist.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn get_opt(
        workspace: &Workspace,
        name: impl AsRef<str>,
    ) -> Result<Option<Self>, Error> {
        match Self::get(workspace, name).await {
            Ok(service) => Ok(Some(service)),
            // A workspace or a host that is missing answers 404, too; only they themselves can tell.
            Err(error) if error.is_not_found() => workspace.data_plane().await.map(|_| None),
            Err(error) => Err(error),
        }
    }

    /// Lists the web services on AKS that match the query.
    ///
    /// A service that cannot be read is an error item, and the list goes on; an error of a page ends it.
    /// The host of the services is looked up, if it is not known yet, when the first item is asked for.
    ///
    /// Sends: a GET of each page, when the services of the page before are used up.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// use azureml_aks::{AksWebservice, ServiceQuery};
    /// use futures::TryStreamExt;
    ///
    /// let mut services = AksWebservice::list(&workspace, ServiceQuery::new().tag("team", "vision"));
    /// while let Some(service) = services.try_next().await? {
    ///     println!("{} {:?}", service.name(), service.scoring_uri());
    /// }
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn list(workspace: &Workspace, query: ServiceQuery) -> List<Self> {
        query::list(workspace.clone(), query)
    }

    /// Reads the service again.
    ///
    /// Sends: GET of the service.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get). After an error the handle keeps the service as read before.
    ///
    /// # Cancel safety
    ///
    /// Safe: the handle changes only once the whole answer was read.
    pub async fn refresh_state(&mut self) -> Result<(), Error> {
        self.read_again()
            .await
            .map_err(|error| error.with_context(|| self.doing("read")))?;
        // An operation that has ended is dropped: from here on the state is that of the service itself.
        self.pending.take_if(|pending| pending.is_over());
        Ok(())
    }

    async fn read_again(&mut self) -> Result<(), Error> {
        let resource = read(&self.workspace, &self.name, &self.hidden.get()).await?;
        check_kind(&self.name, &resource)?;
        self.show(resource);
        Ok(())
    }

    /// Takes over the service as it was read.
    fn show(&mut self, resource: ServiceResource) {
        self.resource = Arc::new(resource.hiding(&self.hidden.get()));
        self.known = None;
    }
}

/// Accessors for the service as it was last read.
impl AksWebservice {
    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &ServiceName {
        &self.name
    }

    /// Returns the workspace.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Returns the service as it was last read. It serialises whole, as the service wrote it.
    #[must_use]
    pub fn resource(&self) -> &ServiceResource {
        &self.resource
    }

    /// Returns the state of the service. No I/O: [`refresh_state`](Self::refresh_state) reads it again,
    /// and so does a wait that ends.
    ///
    /// It is the state as it was last read, unless more is known: while something that was begun through
    /// this handle is pending it is not a final state, after a failed deployment it is `Failed`, and after
    /// a deletion it stays `Transitioning`. `None` where the service did not write it.
    #[must_use]
    pub fn state(&self) -> Option<ServiceState> {
        if let Some(known) = &self.known {
            return Some(known.state.clone());
        }
        let own = self.resource.state.as_deref().map(ServiceState::from);
        let pending = self.pending.as_ref();
        // After a deletion the state that was read before no longer holds.
        let runs = pending.is_some_and(|pending| match pending.verb() {
            Some(Verb::Delete) => true,
            verb => verb.is_some() && !pending.is_over(),
        });
        match runs && own.as_ref().is_none_or(ServiceState::is_final) {
            true => Some(ServiceState::Transitioning),
            false => own,
        }
    }

    /// Returns whether the service can be called: its [`state`](Self::state) is `Healthy`.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.state() == Some(ServiceState::Healthy)
    }

    /// Returns whether the service could not be deployed: its [`state`](Self::state) is `Failed`.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.state() == Some(ServiceState::Failed)
    }

    /// Returns why the service is not healthy, as it was last read or as the operation ended.
    #[must_use]
    pub fn error(&self) -> Option<&ServiceError> {
        match &self.known {
            Some(known) => known.error.as_ref(),
            None => self.resource.error.as_ref(),
        }
    }

    /// Returns how many replicas are wanted, updated and available, as it was last read.
    #[must_use]
    pub fn replicas(&self) -> Option<&ReplicaStatus> {
        self.resource.deployment_status.as_ref()
    }

    /// Returns the URL at which the service is called, once it has one.
    #[must_use]
    pub fn scoring_uri(&self) -> Option<&str> {
        self.resource.scoring_uri.as_deref()
    }

    /// Returns the findings about the request that made or changed the service which did not refuse it:
    /// sources that were left out ([`Warning`](crate::error::Severity::Warning)), checks that the service did
    /// not make ([`Unknown`](crate::error::Severity::Unknown)), and with `despite_findings` the problems
    /// that its checks reported (a warning then).
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// Returns the token with which another process resumes the wait; `None` where nothing that was
    /// requested still runs.
    #[must_use]
    pub fn resume_token(&self) -> Option<&ResumeToken> {
        self.pending.as_ref()?.token()
    }

    pub(crate) fn found(workspace: Workspace, resource: ServiceResource) -> Result<Self, Error> {
        let name = ServiceName::existing("name", &resource.name).map_err(|_| nameless())?;
        Self::of(workspace, name, resource)
    }

    fn of(
        workspace: Workspace,
        name: ServiceName,
        resource: ServiceResource,
    ) -> Result<Self, Error> {
        check_kind(&name, &resource)?;
        Ok(Self {
            workspace,
            name,
            resource: Arc::new(resource),
            pending: None,
            known: None,
            warnings: Vec::new(),
            hidden: SharedHidden::default(),
        })
    }

    /// Makes a handle of a service that was not read.
    pub(crate) fn unread(workspace: Workspace, name: ServiceName) -> Self {
        Self {
            workspace,
            resource: Arc::new(ServiceResource::named(name.as_str())),
            name,
            pending: None,
            known: None,
            warnings: Vec::new(),
            hidden: SharedHidden::default(),
        }
    }

    /// Takes over an operation that was begun through the handle, or is resumed on it.
    pub(crate) fn begin(
        &mut self,
        plane: &DataPlane,
        ticket: Ticket,
        begun: (Machine, Step),
    ) -> &Driver {
        self.pend(plane, Some(ticket), begun)
    }

    fn pend(
        &mut self,
        plane: &DataPlane,
        ticket: Option<Ticket>,
        (machine, step): (Machine, Step),
    ) -> &mut Driver {
        let machine = machine.hiding(&self.hidden.get());
        self.hidden.add(machine.hidden());
        let begun = (machine, step);
        let client = plane.client().clone();
        // A wait that only reads knows no more than before, until it ends.
        if ticket.is_some() {
            self.known = None;
        }
        let target = (&SUBJECT, self.name.to_string());
        let driver = Driver::new(client, target, ticket, begun);
        self.pending.insert(Box::new(driver))
    }

    /// Hides these secrets in every text of the service that this handle shows from now on: errors, logs,
    /// [`error`](Self::error), progress.
    ///
    /// A handle knows by itself what was secret in the requests that were sent through it: keys, the
    /// password of a registry, and values of environment variables of 8 characters and more. A handle that
    /// was resumed, read or listed does not know these secrets, because they are stored nowhere. Clones share
    /// all secrets that are added from then on.
    pub fn hide<'s>(&mut self, secrets: impl IntoIterator<Item = &'s Secret>) {
        let secrets = Hidden::of(secrets.into_iter().map(Secret::secret));
        self.hides(&secrets);
    }

    /// Takes over the secrets of a request.
    fn hides(&mut self, secrets: &Hidden) {
        self.hidden.add(secrets);
        let hidden = self.hidden.get();
        if let Some(pending) = &mut self.pending {
            pending.hide(&hidden);
        }
        if let Some(known) = &mut self.known {
            let error = known.error.clone().map(|error| error.hiding(&hidden));
            let state = known.state.clone();
            *known = Arc::new(Known { state, error });
        }
        for warning in &mut self.warnings {
            warning.message = hidden.text(&warning.message).into_owned();
        }
        self.resource = Arc::new(ServiceResource::clone(&self.resource).hiding(&hidden));
    }

    fn url(&self, plane: &DataPlane) -> Url {
        service_url(plane, &self.name)
    }

    fn token_of(
        &self,
        plane: &DataPlane,
        of: (Verb, HttpVerb),
        result: bool,
        options: &CallOptions,
    ) -> Result<ResumeToken, Error> {
        token(&self.workspace, plane, &self.name, of, result, options)
    }

    fn doing(&self, what: &str) -> String {
        format!("{what} service {:?}", self.name.as_str())
    }
}

impl fmt::Debug for AksWebservice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AksWebservice")
            .field("workspace", &self.workspace.id().name())
            .field("name", &self.name.as_str())
            .field("state", &self.state())
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

/// The subject of operations on web services.
pub(crate) const SUBJECT: Subject = Subject {
    noun: "service",
    collection: None,
    remains: "the service stays and keeps its name: delete it, or deploy with overwrite",
};

/// Returns the URL at which the service is read, with its models.
pub(crate) fn service_url(plane: &DataPlane, name: &ServiceName) -> Url {
    let mut url = plane.model_management(&["services", name.as_str()]);
    url.query_pairs_mut().append_pair("expand", "true");
    url
}

/// Returns the token of a verb on a service; `result` tells whether the verb returns the service. Its URL is
/// that of the service, also where the request goes to another one.
fn token(
    workspace: &Workspace,
    plane: &DataPlane,
    name: &ServiceName,
    (op, method): (Verb, HttpVerb),
    result: bool,
    options: &CallOptions,
) -> Result<ResumeToken, Error> {
    let url = service_url(plane, name);
    Ok(ResumeToken::prepared(Preparation {
        resource: TokenResource::Service,
        target: name.to_string(),
        workspace: workspace.id().clone(),
        op,
        method,
        endpoint: url.origin().ascii_serialization(),
        initial_uri: url.to_string(),
        final_state_via: result.then_some(FinalStateVia::OriginalUri),
        api_version: String::new(),
        client_request_id: options.request_id()?,
    }))
}

async fn read(
    workspace: &Workspace,
    name: &ServiceName,
    hidden: &Hidden,
) -> Result<ServiceResource, Error> {
    let plane = workspace.data_plane().await?;
    let request = HttpRequest::get(service_url(plane, name)).hiding(hidden);
    plane.client().decoded(&request, Sending::Retried).await
}

/// Sends a POST that changes nothing and whose answer is secret; returns the answer with its request id.
async fn post(workspace: &Workspace, path: &[&str]) -> Result<(Answer, String), Error> {
    let plane = workspace.data_plane().await?;
    let request = HttpRequest::new(Method::Post, plane.model_management(path));
    let answer = plane
        .client()
        .send(&request, Sending::Once, Limit::RESOURCE, None)
        .await?;
    Ok((answer, request.client_request_id))
}

/// Checks that this is a service on AKS. A service without a kind passes.
fn check_kind(name: &ServiceName, resource: &ServiceResource) -> Result<(), Error> {
    if resource.name.is_empty() {
        return Err(nameless().with_context(|| format!("read service {:?}", name.as_str())));
    }
    match resource.compute_type.as_deref() {
        Some(kind) if !kind.eq_ignore_ascii_case("AKS") => Err(Error::new(
            ErrorKind::Refused,
            format!(
                "service {:?} is of kind {kind:?}, not \"AKS\"",
                name.as_str()
            ),
        )),
        _ => Ok(()),
    }
}

fn nameless() -> Error {
    Error::new(
        ErrorKind::Protocol,
        "the web service in the answer has no valid name",
    )
}

pub(crate) fn existing(name: &str) -> Result<ServiceName, Error> {
    ServiceName::existing("name", name).map_err(|found| Error::validation("service name", found))
}
