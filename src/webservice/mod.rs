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
mod wait;

pub use deploy::Deployment;
pub use keys::KeyName;
pub use logs::LogOptions;
pub use query::ServiceQuery;
pub use resume::ResumedService;
pub use state::ServiceState;
pub use update::ServiceChange;

use crate::error::{Error, ErrorKind, ServiceError, Warning};
use crate::names::ServiceName;
use crate::operation::Driver;
use crate::token::{HttpVerb, ResumeToken, Verb};
use crate::transport::{Answer, HttpRequest, Limit, Sending};
use crate::wire::{ReplicaStatus, ServiceResource};
use crate::workspace::{DataPlane, Workspace};
use azure_core::Uuid;
use azure_core::credentials::Secret;
use azure_core::http::Method;
use futures::Stream;
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
        self.resource.state.as_deref().map(ServiceState::from)
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
    plane.client().decoded(&request, Sending::Retried).await
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
