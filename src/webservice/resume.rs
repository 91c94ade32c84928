//! Taking a wait up again from its token.

use super::remove::removal;
use super::{AksWebservice, existing, service_url};
use crate::error::{Error, ErrorKind};
use crate::names::ServiceName;
use crate::operation::{Driver, Machine, Operation};
use crate::token::{HttpVerb, ResumeToken, TokenParts, Verb};
use crate::wire::ServiceResource;
use crate::workspace::{DataPlane, Workspace};
use azure_core::time::{Duration, OffsetDateTime};
use std::sync::Arc;
use url::Url;

/// What became of a verb on a web service.
#[derive(Debug)]
#[non_exhaustive]
#[allow(
    clippy::large_enum_variant,
    reason = "there are few of them, and none is kept where it is not wanted"
)]
pub enum ResumedService {
    /// A deployment or an update: wait with
    /// [`wait_for_deployment`](AksWebservice::wait_for_deployment), which returns at once if the
    /// service is healthy.
    Service(AksWebservice),
    /// A deletion that goes on, or is done.
    Removal(Operation<()>),
    /// The request never arrived, or left nothing that could be told from what was there before: begin
    /// again. Of an update and a new key this is also the answer where the service is at rest.
    NotStarted {
        /// What was to be done.
        verb: Verb,
        /// The name of the service.
        name: String,
    },
}

/// Clocks of the service and of this machine may differ by this much.
const SKEW: Duration = Duration::minutes(5);

impl AksWebservice {
    /// Takes up the wait for an operation on a service from its token, in this process or another.
    ///
    /// Sends: GET of the workspace and of its hosts (once per workspace); GET of the service, where the
    /// answer to the first request was not seen before the token was stored.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ResumeToken`] if the token belongs to a compute, another endpoint or another
    /// workspace; otherwise those of reading the service.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn resume(
        workspace: &Workspace,
        token: &ResumeToken,
    ) -> Result<ResumedService, Error> {
        let plane = workspace.data_plane().await?;
        let name = owner_of(plane, token.parts())?;
        if token.parts().accepted {
            return accepted(workspace, plane, token, name);
        }
        Box::pin(look_up(workspace, plane, token, name)).await
    }
}

fn accepted(
    workspace: &Workspace,
    plane: &DataPlane,
    token: &ResumeToken,
    name: ServiceName,
) -> Result<ResumedService, Error> {
    let begun = Machine::resume(token.parts(), plane.client().origins())?;
    Ok(match token.verb() {
        Verb::Deploy | Verb::Update => {
            let client = plane.client().clone();
            let driver = Driver::new(client, name.to_string(), Some(token.clone()), begun);
            ResumedService::Service(AksWebservice {
                resource: Arc::new(ServiceResource::named(name.as_str())),
                workspace: workspace.clone(),
                name,
                pending: Some(Box::new(driver)),
                warnings: Vec::new(),
            })
        }
        Verb::Delete => {
            ResumedService::Removal(removal(plane, name.as_str(), token.clone(), begun))
        }
        verb => ResumedService::NotStarted {
            verb,
            name: name.to_string(),
        },
    })
}

/// Finds out from the service whether a request arrived.
async fn look_up(
    workspace: &Workspace,
    plane: &DataPlane,
    token: &ResumeToken,
    name: ServiceName,
) -> Result<ResumedService, Error> {
    let verb = token.verb();
    let not_started = ResumedService::NotStarted {
        verb,
        name: name.to_string(),
    };
    let found = AksWebservice::get_opt(workspace, name.as_str()).await?;
    let Some(mut service) = found else {
        return Ok(match verb {
            Verb::Delete => {
                let url = service_url(plane, &name);
                let id = &token.parts().client_request_id;
                let origins = plane.client().origins();
                let begun = Machine::done_service(HttpVerb::Delete, &url, id, origins, None);
                ResumedService::Removal(removal(plane, name.as_str(), token.clone(), begun))
            }
            _ => not_started,
        });
    };
    let moment =
        |text: Option<&str>| text.and_then(|text| azure_core::time::parse_rfc3339(text).ok());
    let since = OffsetDateTime::from(token.started_at()) - SKEW;
    let resource = &service.resource;
    let created = moment(resource.created_time.as_deref());
    let updated = moment(resource.updated_time.as_deref());
    let newer = |moment: Option<OffsetDateTime>| moment.is_some_and(|moment| moment > since);
    let running = !service.state().is_some_and(|state| state.is_final());
    let ours = match verb {
        // One that was overwritten keeps the time of its making.
        Verb::Deploy => newer(created) || newer(updated),
        Verb::Update => running && newer(updated),
        _ => false,
    };
    if !ours {
        return Ok(not_started);
    }
    if running {
        service.follow(Some(token.clone()))?;
    }
    Ok(ResumedService::Service(service))
}

/// The service that the token is about, if it is one of this workspace.
fn owner_of(plane: &DataPlane, token: &TokenParts) -> Result<ServiceName, Error> {
    let refuse = |why: &str| Error::new(ErrorKind::ResumeToken, why);
    if !token.is_service() {
        return Err(refuse("the token belongs to a compute")
            .with_remedy("resume it with Workspace::resume"));
    }
    let url =
        Url::parse(&token.initial_uri).map_err(|_| refuse("the token holds a URL that is none"))?;
    plane
        .client()
        .origins()
        .check(&url)
        .map_err(|_| refuse("the token belongs to another endpoint"))?;
    if token.endpoint != url.origin().ascii_serialization() {
        return Err(refuse("the token contradicts itself about its endpoint"));
    }
    let method = match token.op {
        Verb::Deploy | Verb::RegenerateKey => HttpVerb::Post,
        Verb::Update => HttpVerb::Patch,
        _ => HttpVerb::Delete,
    };
    if token.method != method {
        return Err(refuse("the token contradicts itself about its verb"));
    }
    let own = plane.model_management(&["services"]);
    let (folder, name) = url
        .path()
        .rsplit_once('/')
        .ok_or_else(|| refuse("the token names no service"))?;
    if !folder.eq_ignore_ascii_case(own.path()) {
        return Err(refuse("the token belongs to another workspace"));
    }
    existing(name).map_err(|_| refuse("the token names no service"))
}
