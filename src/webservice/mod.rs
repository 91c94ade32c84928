//! Models deployed as web services.

mod checks;
mod deploy;
mod image;
mod keys;
mod logs;
mod query;
mod remove;
mod resume;
mod scoring;
mod state;
mod update;

pub use deploy::Deployment;
pub use keys::KeyName;
pub use logs::LogOptions;
pub use query::ServiceQuery;
pub use resume::ResumedService;
pub use state::ServiceState;
pub use update::ServiceChange;

use crate::error::{Error, ErrorKind, ResponseFacts, ServiceError, Warning};
use crate::names::ServiceName;
use crate::operation::{Driver, Event, Family, Machine, StatusClass, Turn, Wait, WaitOptions};
use crate::token::{HttpVerb, ResumeToken, Verb};
use crate::transport::{Answer, HttpRequest, Limit, Sending};
use crate::wire::{ReplicaStatus, ServiceResource};
use crate::workspace::{DataPlane, Workspace};
use azure_core::Uuid;
use azure_core::credentials::Secret;
use azure_core::http::Method;
use futures::{Stream, stream};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use url::Url;

/// A web service on an AKS cluster: a cheap handle with what was last read of it.
///
/// [`Model::deploy`](crate::Model::deploy) makes one.
#[derive(Clone)]
pub struct AksWebservice {
    workspace: Workspace,
    name: ServiceName,
    resource: Arc<ServiceResource>,
    /// What is being waited for, from the verb that began it or from a state that is not final.
    pending: Option<Box<Driver>>,
    warnings: Vec<Warning>,
}

/// Reading.
impl AksWebservice {
    /// Reads a web service.
    ///
    /// Sends: GET of the service.
    ///
    /// # Errors
    ///
    /// [`Error::is_not_found`] if there is none of that name; [`ErrorKind::Refused`] if it does not run
    /// on AKS.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn get(workspace: &Workspace, name: &str) -> Result<Self, Error> {
        let name = existing(name)?;
        let resource = read(workspace, &name)
            .await
            .map_err(|error| error.with_context(|| format!("read service {:?}", name.as_str())))?;
        Self::of(workspace.clone(), name, resource)
    }

    /// Reads a web service, or says that there is none.
    ///
    /// Sends: as [`get`](Self::get).
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), but not for a service that is not there.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn get_opt(workspace: &Workspace, name: &str) -> Result<Option<Self>, Error> {
        match Self::get(workspace, name).await {
            Ok(service) => Ok(Some(service)),
            // A workspace or a host that is missing answers 404, too; only they themselves can tell.
            Err(error) if error.is_not_found() => workspace.data_plane().await.map(|_| None),
            Err(error) => Err(error),
        }
    }

    /// The web services on AKS that fit, read a page at a time as they are asked for.
    ///
    /// A service that cannot be read is an error item, and the stream goes on; an error of a page ends
    /// it.
    ///
    /// Sends: GETs of the list's pages, each when the one before is used up.
    pub fn list(
        workspace: &Workspace,
        query: ServiceQuery,
    ) -> impl Stream<Item = Result<Self, Error>> + Send + 'static {
        query::list(workspace.clone(), query)
    }

    /// Reads the service again.
    ///
    /// Sends: GET of the service.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get). What was read before stays.
    ///
    /// # Cancel safety
    ///
    /// Safe: the handle changes only once the answer was whole.
    pub async fn refresh_state(&mut self) -> Result<(), Error> {
        self.read_again()
            .await
            .map_err(|error| error.with_context(|| self.doing("read")))?;
        // What is over is over: from here on the service itself has the word.
        if self
            .pending
            .as_ref()
            .is_some_and(|pending| pending.is_over())
        {
            self.pending = None;
        }
        Ok(())
    }

    async fn read_again(&mut self) -> Result<(), Error> {
        let resource = read(&self.workspace, &self.name).await?;
        check_kind(&self.name, &resource)?;
        self.resource = Arc::new(resource);
        Ok(())
    }
}

/// Waiting.
impl AksWebservice {
    /// Waits until the service is healthy.
    ///
    /// After a deployment or an update it follows that operation, then the service's own state. On a
    /// handle that was only read it follows the state, and returns at once if that is final. The
    /// service itself gives up after about 20 minutes; the default deadline is
    /// [`WaitOptions::DEFAULT_DEADLINE`]. What the service logs meanwhile is in
    /// [`Progress::log`](crate::Progress::log), and shown by `show_output`.
    ///
    /// Sends: GETs of the operation's status and of the service; after a failure GETs of the service and
    /// its logs.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::OperationFailed`] and [`ErrorKind::OperationCanceled`] with the service's reason
    ///   and its details, the ends of the containers' logs
    ///   ([`container_logs`](Error::container_logs)), and what the cluster lacks where it has no room
    ///   ([`missing_resources`](Error::missing_resources)). A service that took too long may become
    ///   healthy all the same: read it again, and wait again.
    /// - [`ErrorKind::OperationStatusLost`] and [`ErrorKind::DeadlineExceeded`] with a resume token:
    ///   then the operation may still run, and this can be called again.
    ///
    /// # Cancel safety
    ///
    /// Safe: dropped at any point, the next call goes on where this one stopped. The service's work
    /// goes on in any case.
    pub async fn wait_for_deployment(&mut self, options: WaitOptions) -> Result<(), Error> {
        let result = match self.begin_wait() {
            Ok(None) => return Ok(()),
            Ok(Some(driver)) => driver.run(&options).await,
            Err(error) => Err(error),
        };
        Box::pin(self.end_wait(result)).await
    }

    /// What [`wait_for_deployment`](Self::wait_for_deployment) does, as a stream: the progress before
    /// each pause, and [`Event::Done`] as the last item.
    ///
    /// The stream ends after that or after the first error, which is one of `wait_for_deployment`'s.
    /// Dropping it stops nothing: another stream, or a wait, goes on where it stopped.
    pub fn events(
        &mut self,
        options: WaitOptions,
    ) -> impl Stream<Item = Result<Event<()>, Error>> + Send + '_ {
        enum State<'a> {
            Begins(&'a mut AksWebservice, WaitOptions),
            Goes(&'a mut AksWebservice, Wait),
            Over,
        }
        stream::unfold(State::Begins(self, options), |state| async move {
            let (service, mut wait) = match state {
                State::Begins(service, options) => match service.begin_wait() {
                    Ok(Some(driver)) => {
                        let wait = driver.wait(&options);
                        (service, wait)
                    }
                    Ok(None) => return Some((Ok(Event::Done(())), State::Over)),
                    Err(error) => {
                        let ended = Box::pin(service.end_wait(Err(error))).await;
                        return Some((ended.map(Event::Done), State::Over));
                    }
                },
                State::Goes(service, wait) => (service, wait),
                State::Over => return None,
            };
            // A wait that goes on has something to wait for.
            let driver = service.pending.as_mut()?;
            let result = match driver.next(&mut wait).await {
                Ok(Turn::Progress(progress)) => {
                    return Some((Ok(Event::Progress(progress)), State::Goes(service, wait)));
                }
                Ok(Turn::Done) => driver.end(&mut wait),
                Err(error) => Err(error),
            };
            let ended = Box::pin(service.end_wait(result)).await;
            Some((ended.map(Event::Done), State::Over))
        })
    }

    /// What is to be waited for; `None` if the service is healthy.
    fn begin_wait(&mut self) -> Result<Option<&mut Driver>, Error> {
        if self.pending.is_none() {
            let state = self.resource.state.as_deref().unwrap_or_default();
            match Family::Service.class(state) {
                StatusClass::Succeeded => return Ok(None),
                StatusClass::InProgress => self.follow(None)?,
                _ => return Err(self.failure()),
            }
        }
        Ok(self.pending.as_deref_mut())
    }

    async fn end_wait(&mut self, result: Result<Option<Value>, Error>) -> Result<(), Error> {
        match result {
            Ok(result) => {
                self.pending = None;
                if let Some(result) = result {
                    let resource = decode(result)?;
                    check_kind(&self.name, &resource)?;
                    self.resource = Arc::new(resource);
                }
                Ok(())
            }
            Err(error) if error.is_operation_failure() => {
                // What is told is the failure, whatever comes of these.
                let mut read = self.clone();
                let (refreshed, logs) = futures::join!(read.read_again(), self.last_logs());
                // Not before: dropped meanwhile, the next wait must tell the failure all the same. The
                // service itself may be healthy, with what it had before an update.
                self.pending = None;
                match refreshed {
                    Ok(()) => self.resource = read.resource,
                    Err(_) => self.learn(&error),
                }
                Err(error.with_logs(logs))
            }
            Err(error) => Err(error),
        }
    }

    /// What the end of an operation says about the service, where it cannot be read.
    fn learn(&mut self, error: &Error) {
        let resource = Arc::make_mut(&mut self.resource);
        resource.state = Some(ServiceState::Failed.as_str().to_owned());
        resource.error = error.service_error().cloned();
    }

    /// Follows the service itself; with the token of what was asked for, where that is known.
    fn follow(&mut self, token: Option<ResumeToken>) -> Result<(), Error> {
        let Some(plane) = self.workspace.known_data_plane() else {
            return Err(Error::new(
                ErrorKind::Configuration,
                "the services of the workspace were not found yet",
            ));
        };
        let id = match &token {
            Some(token) => token.parts().client_request_id.clone(),
            None => Uuid::new_v4().into(),
        };
        let state = self.resource.state.as_deref();
        let begun = Machine::watch_service(&self.url(plane), &id, plane.client().origins(), state);
        let driver = Driver::new(plane.client().clone(), self.name.to_string(), token, begun);
        self.pending = Some(Box::new(driver));
        Ok(())
    }

    /// A handle that was read and is not what it should be.
    fn failure(&self) -> Error {
        let facts = ResponseFacts {
            error: self.resource.error.clone(),
            ..ResponseFacts::default()
        };
        Error::of_response(ErrorKind::OperationFailed, facts)
            .with_context(|| format!("service {:?}", self.name.as_str()))
    }
}

/// What was last read.
impl AksWebservice {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &ServiceName {
        &self.name
    }

    /// The workspace.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// What was last read of the service.
    #[must_use]
    pub fn resource(&self) -> &ServiceResource {
        &self.resource
    }

    /// The state as it was last read; [`refresh_state`](Self::refresh_state) reads it again, and so
    /// does a wait that ends.
    #[must_use]
    pub fn state(&self) -> Option<ServiceState> {
        self.resource.state.as_deref().map(ServiceState::of)
    }

    /// Why the service is not healthy, as it was last read.
    #[must_use]
    pub fn error(&self) -> Option<&ServiceError> {
        self.resource.error.as_ref()
    }

    /// How many replicas are wanted, updated and there, as it was last read.
    #[must_use]
    pub fn replicas(&self) -> Option<&ReplicaStatus> {
        self.resource.deployment_status.as_ref()
    }

    /// Where the service is called, once it has an address.
    #[must_use]
    pub fn scoring_uri(&self) -> Option<&str> {
        self.resource.scoring_uri.as_deref()
    }

    /// What deserves a look in the request that made or changed the service: sources that were left
    /// out, checks that the service did not make or that were passed over.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What takes the wait up again in another process; `None` where nothing that was asked for is
    /// still going on.
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
            warnings: Vec::new(),
        })
    }

    fn url(&self, plane: &DataPlane) -> Url {
        service_url(plane, &self.name)
    }

    fn token_of(
        &self,
        plane: &DataPlane,
        verb: Verb,
        method: HttpVerb,
        result: bool,
    ) -> ResumeToken {
        token(plane, &self.name, verb, method, result)
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
            .field("state", &self.resource.state)
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

/// Where the service is read, with its models.
fn service_url(plane: &DataPlane, name: &ServiceName) -> Url {
    let mut url = plane.model_management(&["services", name.as_str()]);
    url.query_pairs_mut().append_pair("expand", "true");
    url
}

/// The token of a verb on a service. Its URL is that of the service, also where another one is sent to.
fn token(
    plane: &DataPlane,
    name: &ServiceName,
    verb: Verb,
    method: HttpVerb,
    result: bool,
) -> ResumeToken {
    let url = service_url(plane, name);
    ResumeToken::prepared(
        verb,
        method,
        url.origin().ascii_serialization(),
        url.to_string(),
        String::new(),
        Uuid::new_v4().into(),
    )
    .for_service(result)
}

async fn read(workspace: &Workspace, name: &ServiceName) -> Result<ServiceResource, Error> {
    let plane = workspace.data_plane().await?;
    let request = HttpRequest::get(service_url(plane, name));
    let id = &request.client_request_id;
    plane
        .client()
        .send(&request, Sending::Retried, Limit::RESOURCE, None)
        .await?
        .successful(id)?
        .json(id)
}

/// A POST that changes nothing and whose answer is secret; with its request id.
async fn post(workspace: &Workspace, path: &[&str]) -> Result<(Answer, String), Error> {
    let plane = workspace.data_plane().await?;
    let request = HttpRequest::new(Method::Post, plane.model_management(path));
    let answer = plane
        .client()
        .send(&request, Sending::Once, Limit::RESOURCE, None)
        .await?;
    Ok((answer, request.client_request_id))
}

/// The secrets that a request holds, which the service may repeat in what it says of the request.
fn secrets_in(body: &Value) -> Vec<Secret> {
    match body {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match (name.as_str(), value) {
                ("primaryKey" | "secondaryKey" | "keyValue" | "password", Value::String(text)) => {
                    vec![Secret::new(text.clone())]
                }
                _ => secrets_in(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(secrets_in).collect(),
        _ => Vec::new(),
    }
}

/// The service with which an operation ended.
fn decode(result: Value) -> Result<ServiceResource, Error> {
    // serde's message would quote values.
    serde_json::from_value(result).map_err(|_| {
        Error::new(
            ErrorKind::ResultUnavailable,
            "the operation succeeded, and the service has an unexpected shape",
        )
    })
}

/// Whether this is a service on AKS. One that says nothing of its kind contradicts nothing.
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
        "the service gave a web service without a usable name",
    )
}

fn existing(name: &str) -> Result<ServiceName, Error> {
    ServiceName::existing("name", name).map_err(|found| Error::validation("service name", found))
}
