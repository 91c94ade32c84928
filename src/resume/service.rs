//! Resuming operations on web services.

use super::{Resumed, SKEW, moment, own_url, refused};
use crate::error::Error;
use crate::names::ServiceName;
use crate::operation::{self, Driver, Machine, Operation, Step, Ticket};
use crate::token::{HttpVerb, ResumeToken, Verb};
use crate::webservice::{self, AksWebservice};
use crate::workspace::{DataPlane, Workspace};
use azure_core::time::OffsetDateTime;

impl Workspace {
    pub(super) async fn resume_service(&self, token: &ResumeToken) -> Result<Resumed, Error> {
        let plane = self.data_plane().await?;
        let name = service_of(self, plane, token)?;
        match token.parts().accepted {
            true => accepted(self, plane, token, name),
            false => look_up(self, plane, token, name).await,
        }
    }
}

fn accepted(
    workspace: &Workspace,
    plane: &DataPlane,
    token: &ResumeToken,
    name: ServiceName,
) -> Result<Resumed, Error> {
    let begun = Machine::resume(token.parts(), plane.client().origins())?;
    let ticket = Ticket::of(token.clone());
    Ok(match token.verb() {
        Verb::Deploy | Verb::Update => {
            let mut service = AksWebservice::unread(workspace.clone(), name);
            service.begin(plane, ticket, begun);
            Resumed::Service(service)
        }
        Verb::Delete => removal(plane, ticket, begun),
        _ => Resumed::not_started(token),
    })
}

/// Finds out from the service whether a request arrived.
async fn look_up(
    workspace: &Workspace,
    plane: &DataPlane,
    token: &ResumeToken,
    name: ServiceName,
) -> Result<Resumed, Error> {
    let verb = token.verb();
    let not_started = Resumed::not_started(token);
    let ticket = Ticket::of(token.clone());
    let found = AksWebservice::get_opt(workspace, &name).await?;
    let Some(mut service) = found else {
        return Ok(match verb {
            Verb::Delete => {
                let done = operation::done(plane.client(), token)?;
                removal(plane, ticket, done)
            }
            _ => not_started,
        });
    };
    let since = OffsetDateTime::from(token.started_at()) - SKEW;
    let resource = service.resource();
    let created = moment(resource.created_time.as_deref());
    let updated = moment(resource.updated_time.as_deref());
    let newer = |moment: Option<OffsetDateTime>| moment.is_some_and(|moment| moment > since);
    let running = !service.state().is_some_and(|state| state.is_final());
    let ours = match verb {
        // One that was overwritten keeps the time of its creation.
        Verb::Deploy => newer(created) || newer(updated),
        Verb::Update => running && newer(updated),
        _ => false,
    };
    if !ours {
        return Ok(not_started);
    }
    if running {
        service.follow(Some(ticket))?;
    }
    Ok(Resumed::Service(service))
}

fn removal(plane: &DataPlane, ticket: Ticket, begun: (Machine, Step)) -> Resumed {
    let client = plane.client().clone();
    let driver = Driver::of(client, &webservice::SUBJECT, ticket, begun);
    Resumed::Removal(Operation::removal(driver))
}

/// The service that the token is about, if it is one of this workspace.
fn service_of(
    workspace: &Workspace,
    plane: &DataPlane,
    token: &ResumeToken,
) -> Result<ServiceName, Error> {
    own_url(
        token,
        workspace,
        plane.client().origins(),
        &plane.model_management(&["services"]),
    )?;
    let method = match token.verb() {
        Verb::Deploy | Verb::RegenerateKey => HttpVerb::Post,
        Verb::Update => HttpVerb::Patch,
        _ => HttpVerb::Delete,
    };
    if token.parts().method != method {
        return Err(refused("its verb contradicts its request"));
    }
    webservice::existing(token.target()).map_err(|_| refused("its name is not valid"))
}
