//! Resuming operations on extensions of clusters.

use super::{Resumed, SKEW, is_of, moment, plain_path, refused, trusted_url};
use crate::compute::{Found, KubernetesClusterRef};
use crate::error::{Error, Hidden};
use crate::extension::{self, EXTENSION, ExtensionId};
use crate::facts::arm::{EXTENSIONS, KUBERNETES_CONFIGURATION_PROVIDER};
use crate::operation::{self, Driver, Machine, Operation, StatusClass, Step, Ticket, is_deleting};
use crate::token::{HttpVerb, ResumeToken, Verb};
use crate::workspace::Workspace;
use azure_core::time::OffsetDateTime;

impl Workspace {
    pub(super) async fn resume_extension(&self, token: &ResumeToken) -> Result<Resumed, Error> {
        let id = target_of(self, token)?;
        if token.parts().accepted {
            let begun = Machine::resume(token.parts(), self.client().origins())?;
            return Ok(resumed(self, id, token, begun));
        }
        let looked = look_up(self, &id, token).await;
        let named = || format!("resume {} of {:?}", token.verb(), token.target());
        Ok(match looked.map_err(|error| error.with_context(named))? {
            Some(begun) => resumed(self, id, token, begun),
            None => Resumed::not_started(token),
        })
    }
}

/// Returns the operation as its verb gives it.
fn resumed(
    workspace: &Workspace,
    id: ExtensionId,
    token: &ResumeToken,
    begun: (Machine, Step),
) -> Resumed {
    let ticket = Ticket::of(token.clone());
    match token.verb() {
        Verb::Delete => {
            let client = workspace.client().clone();
            let driver = Driver::of(client, &EXTENSION, ticket, begun);
            Resumed::Removal(Operation::removal(driver))
        }
        _ => {
            let none = Hidden::default();
            Resumed::Extension(extension::changing(workspace, id, none, ticket, begun))
        }
    }
}

/// Finds out from the extension whether a request arrived; `None` if it did not, as far as the extension shows.
async fn look_up(
    workspace: &Workspace,
    id: &ExtensionId,
    token: &ResumeToken,
) -> Result<Option<(Machine, Step)>, Error> {
    let verb = token.verb();
    let resource = match id.read(workspace, &Hidden::default()).await? {
        Found::Resource(resource) => resource,
        Found::Nothing(_) if verb == Verb::Delete => {
            return operation::done(workspace.client(), token).map(Some);
        }
        Found::Nothing(_) => return Ok(None),
    };
    let state = resource.properties.provisioning_state.as_deref();
    let started = OffsetDateTime::from(token.started_at());
    let is_since = |name: &str| {
        let moment = moment(resource.moment(name).as_deref());
        moment.is_some_and(|moment| moment > started - SKEW)
    };
    let is_running = state.is_some_and(|state| !StatusClass::of(state).is_terminal());
    Ok(match verb {
        // An older extension of that name is why the install was refused, or would be.
        Verb::Install if is_since("createdAt") => {
            let ticket = Ticket::of(token.clone());
            Some(extension::watch(workspace, id, &ticket, state))
        }
        // In a final state it does not show whose update was the last.
        Verb::Update if is_running && is_since("lastModifiedAt") => begun(workspace, token, state)?,
        Verb::Delete if state.is_some_and(is_deleting) => begun(workspace, token, state)?,
        _ => None,
    })
}

/// Returns the operation of a request that has arrived and whose monitor is not known.
fn begun(
    workspace: &Workspace,
    token: &ResumeToken,
    state: Option<&str>,
) -> Result<Option<(Machine, Step)>, Error> {
    let mut parts = token.parts().clone();
    parts.last_status = state.map(str::to_owned);
    Machine::resume(&parts, workspace.client().origins()).map(Some)
}

/// Returns the extension that the token is about.
fn target_of(workspace: &Workspace, token: &ResumeToken) -> Result<ExtensionId, Error> {
    let url = trusted_url(token, workspace.client().origins())?;
    if !is_of(token, workspace) {
        return Err(refused("it belongs to another workspace"));
    }
    let below = format!("/providers/{KUBERNETES_CONFIGURATION_PROVIDER}/{EXTENSIONS}/");
    let path = plain_path(&url)?;
    let id = path.split_once(&below).and_then(|(cluster, name)| {
        let cluster = KubernetesClusterRef::id(cluster);
        ExtensionId::of(workspace, &cluster, name).ok()
    });
    let id = id.filter(|id| id.url(workspace).path() == url.path());
    let id = id.ok_or_else(|| refused("its URL is not that of an extension"))?;
    if id.target() != token.target() {
        return Err(refused("its name contradicts its request"));
    }
    let expected = match token.verb() {
        Verb::Install => HttpVerb::Put,
        Verb::Update => HttpVerb::Patch,
        Verb::Delete => HttpVerb::Delete,
        _ => return Err(refused("its verb contradicts its request")),
    };
    match token.parts().method == expected {
        true => Ok(id),
        false => Err(refused("its verb contradicts its request")),
    }
}
