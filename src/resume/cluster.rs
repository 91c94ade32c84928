//! Resuming operations on AKS clusters and their node pools.

use super::{Resumed, is_of, plain_path, refused, trusted_url};
use crate::cluster::{self, ClusterId, Scale};
use crate::compute::{ClusterRef, Found};
use crate::error::Error;
use crate::operation::{self, Driver, Machine, Operation, Step, Ticket, is_deleting};
use crate::token::{HttpVerb, ResumeToken, TokenResource, Verb};
use crate::workspace::Workspace;

/// The target of a token.
struct Target {
    id: ClusterId,
    /// The name of the node pool, where it is about one.
    pool: Option<String>,
}

impl Workspace {
    pub(super) async fn resume_cluster(&self, token: &ResumeToken) -> Result<Resumed, Error> {
        let target = target_of(self, token)?;
        if token.parts().accepted {
            let begun = Machine::resume(token.parts(), self.client().origins())?;
            return resumed(self, target.id, token, begun);
        }
        let looked = match &target.pool {
            Some(pool) => look_up_pool(self, &target.id, pool, token).await,
            None => look_up_cluster(self, &target.id, token).await,
        };
        let named = || format!("resume {} of {:?}", token.verb(), token.target());
        match looked.map_err(|error| error.with_context(named))? {
            Some(begun) => resumed(self, target.id, token, begun),
            None => Ok(Resumed::not_started(token)),
        }
    }
}

/// Returns the operation as its verb gives it.
fn resumed(
    workspace: &Workspace,
    id: ClusterId,
    token: &ResumeToken,
    begun: (Machine, Step),
) -> Result<Resumed, Error> {
    let ticket = Ticket::of(token.clone());
    Ok(match token.verb() {
        Verb::Scale => Resumed::NodePool(cluster::scaling(workspace, ticket, begun)),
        Verb::Delete => {
            let client = workspace.client().clone();
            let driver = Driver::of(client, &cluster::CLUSTER, ticket, begun);
            Resumed::Removal(Operation::removal(driver))
        }
        _ => match token.parts().plan.clone() {
            Some(plan) => {
                let plan = serde_json::from_value(plan)
                    .map_err(|_| refused("this version of azureml-aks cannot read what follows"))?;
                Resumed::Attachment(cluster::then_attach(workspace, plan, ticket, begun))
            }
            None => Resumed::Cluster(cluster::creating(workspace, id, ticket, begun)),
        },
    })
}

/// Finds out from the cluster whether a request arrived; `None` if it did not.
async fn look_up_cluster(
    workspace: &Workspace,
    id: &ClusterId,
    token: &ResumeToken,
) -> Result<Option<(Machine, Step)>, Error> {
    let removes = token.verb() == Verb::Delete;
    let resource = match id.read(workspace).await? {
        Found::Resource(resource) => resource,
        Found::Nothing(_) if removes => {
            return operation::done(workspace.client(), token).map(Some);
        }
        Found::Nothing(_) => return Ok(None),
    };
    let state = resource.properties.provisioning_state.as_deref();
    if removes {
        let mut parts = token.parts().clone();
        parts.last_status = state.map(str::to_owned);
        let begun = Machine::resume(&parts, workspace.client().origins());
        return state.is_some_and(is_deleting).then_some(begun).transpose();
    }
    let ticket = Ticket::of(token.clone());
    let watch = || cluster::watch(workspace, id, &ticket, state);
    Ok(cluster::is_made_by(&resource, token).then(watch))
}

/// Finds out from the node pool whether a request arrived: whether the pool is set as the request asked.
async fn look_up_pool(
    workspace: &Workspace,
    id: &ClusterId,
    pool: &str,
    token: &ResumeToken,
) -> Result<Option<(Machine, Step)>, Error> {
    let plan = token.parts().plan.clone().unwrap_or_default();
    let scale: Scale = serde_json::from_value(plan)
        .map_err(|_| refused("this version of azureml-aks cannot read what it asks for"))?;
    let Found::Resource(resource) = id.read_pool(workspace, pool).await? else {
        return Ok(None);
    };
    let ticket = Ticket::of(token.clone());
    let watch = || cluster::watch_pool(workspace, id, pool, &ticket, &resource);
    Ok(scale.is_set(&resource.properties).then(watch))
}

/// Returns the cluster or node pool that the token is about.
fn target_of(workspace: &Workspace, token: &ResumeToken) -> Result<Target, Error> {
    let url = trusted_url(token, workspace.client().origins())?;
    if !is_of(token, workspace) {
        return Err(refused("it belongs to another workspace"));
    }
    let plain = plain_path(&url)?;
    let path = plain.as_str();
    let is_pool = *token.resource() == TokenResource::NodePool;
    let (path, pool) = match path.rsplit_once("/agentPools/") {
        Some((path, pool)) if is_pool => (path, Some(pool.to_owned())),
        _ => (path, None),
    };
    let id = ClusterId::of(workspace, &ClusterRef::id(path));
    let id = id.map_err(|_| refused("its URL is not that of a cluster"))?;
    let target = match &pool {
        Some(pool) => format!("{}/{pool}", id.name),
        None => id.name.clone(),
    };
    if is_pool != pool.is_some() || target != token.target() {
        return Err(refused("its name contradicts its request"));
    }
    let parts = token.parts();
    let fits = match parts.op {
        Verb::Create => !is_pool && parts.method == HttpVerb::Put,
        Verb::Delete => !is_pool && parts.method == HttpVerb::Delete,
        Verb::Scale => is_pool && parts.method == HttpVerb::Put,
        _ => false,
    };
    match fits {
        true => Ok(Target { id, pool }),
        false => Err(refused("its verb contradicts its request")),
    }
}
