//! The common parts of the verbs on a cluster and on its node pools.

use super::AGENT_POOLS;
use super::id::ClusterId;
use super::pool::NodePoolResource;
use crate::compute::{Found, find};
use crate::error::Error;
use crate::facts::arm::AKS_API_VERSION;
use crate::operation::Subject;
use crate::operation::request::CallOptions;
use crate::token::{HttpVerb, ResumeToken, TokenResource, Verb};
use crate::transport::HttpRequest;
use crate::workspace::Workspace;
use url::Url;

/// The subject of operations on clusters.
pub(crate) const CLUSTER: Subject = Subject {
    noun: "cluster",
    collection: None,
    remains: "the cluster stays, costs money and keeps its name: delete it before the next try",
};

/// The subject of operations on node pools.
pub(crate) const POOL: Subject = Subject {
    noun: "node pool",
    collection: None,
    remains: "the node pool stays: read it before the next try",
};

/// Returns the token of a verb on a cluster or a node pool.
pub(super) fn token(
    workspace: &Workspace,
    of: (TokenResource, String),
    verb: (Verb, HttpVerb),
    url: &Url,
    options: &CallOptions,
) -> Result<ResumeToken, Error> {
    options.token(workspace.id(), of, verb, url, AKS_API_VERSION)
}

impl ClusterId {
    /// Returns the URL of a node pool.
    pub(crate) fn pool_url(&self, workspace: &Workspace, pool: &str) -> Url {
        self.url(workspace, &[AGENT_POOLS, pool])
    }

    /// Reads a node pool that may not exist.
    pub(crate) async fn read_pool(
        &self,
        workspace: &Workspace,
        pool: &str,
    ) -> Result<Found<NodePoolResource>, Error> {
        let request = HttpRequest::get(self.pool_url(workspace, pool));
        find(workspace, &request, AGENT_POOLS).await
    }
}
