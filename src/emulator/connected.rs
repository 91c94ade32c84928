//! The Arc-connected clusters that exist beside the workspace. They can only be read.

use serde_json::{Value, json};

use crate::facts::arm;

use super::call::Call;
use super::clusters::Site;
use super::error::ArmError;
use super::http::Answer;
use super::kubernetes::minor_of;
use super::routes::Reply;
use super::state::{Config, State, TENANT};

/// An Arc-connected cluster, which can be attached as a compute of kind Kubernetes.
#[derive(Clone, Debug)]
#[must_use]
pub struct ConnectedCluster {
    pub(crate) resource_group: String,
    pub(crate) name: String,
    pub(crate) node_count: u32,
    pub(crate) location: Option<String>,
    pub(crate) subscription: Option<String>,
    pub(crate) extension: Option<String>,
}

impl ConnectedCluster {
    /// A cluster of three nodes without the Azure Machine Learning extension, in the workspace's subscription and
    /// region.
    pub fn new(resource_group: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            resource_group: resource_group.into(),
            name: name.into(),
            node_count: 3,
            location: None,
            subscription: None,
            extension: None,
        }
    }

    /// The number of its nodes.
    pub fn node_count(mut self, nodes: u32) -> Self {
        self.node_count = nodes;
        self
    }

    /// The region of its resource.
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// The subscription that its resource is in.
    pub fn subscription(mut self, subscription: impl Into<String>) -> Self {
        self.subscription = Some(subscription.into());
        self
    }

    /// Adds the Azure Machine Learning extension under this name, installed and ready.
    pub fn extension(mut self, name: impl Into<String>) -> Self {
        self.extension = Some(name.into());
        self
    }
}

/// A connected cluster as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Connected {
    pub(crate) id: String,
    document: Value,
}

impl Connected {
    pub(crate) fn id(place: &Site<'_>) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/{}/{}/{}",
            place.subscription,
            place.group,
            arm::ARC_PROVIDER,
            arm::CONNECTED_CLUSTERS,
            place.name
        )
    }

    pub(crate) fn new(state: &mut State, config: &Config, cluster: &ConnectedCluster) -> Self {
        let place = Site {
            subscription: (cluster.subscription.as_deref()).unwrap_or(&config.subscription),
            group: &cluster.resource_group,
            name: &cluster.name,
        };
        let id = Self::id(&place);
        let document = json!({
            "id": id,
            "name": cluster.name,
            "type": format!("{}/{}", arm::ARC_PROVIDER, arm::CONNECTED_CLUSTERS),
            "location": cluster.location.as_deref().unwrap_or(&config.location),
            "tags": {},
            "identity": {
                "type": "SystemAssigned",
                "principalId": state.uuid(),
                "tenantId": TENANT,
            },
            "properties": {
                "provisioningState": "Succeeded",
                "connectivityStatus": "Connected",
                "kubernetesVersion": minor_of(config.kubernetes.default_patch()),
                "totalNodeCount": cluster.node_count,
                "distribution": "generic",
                "infrastructure": "generic",
            },
        });
        Self { id, document }
    }

    pub(crate) fn is(&self, id: &str) -> bool {
        self.id.eq_ignore_ascii_case(id)
    }

    pub(crate) fn location(&self) -> &str {
        self.document["location"].as_str().unwrap_or_default()
    }

    pub(crate) fn nodes(&self) -> u64 {
        let nodes = &self.document["properties"]["totalNodeCount"];
        nodes.as_u64().unwrap_or_default()
    }
}

impl State {
    pub(crate) fn connected_cluster(&self, id: &str) -> Option<&Connected> {
        self.connected.iter().find(|cluster| cluster.is(id))
    }
}

pub(crate) fn get(call: Call<'_>) -> Reply {
    call.check_place()?;
    let place = Site::of(&call);
    let cluster = call.state.connected_cluster(&Connected::id(&place));
    let cluster = cluster.ok_or_else(|| {
        let (provider, kind) = (arm::ARC_PROVIDER, arm::CONNECTED_CLUSTERS);
        ArmError::not_found(&format!("{provider}/{kind}/{}", place.name), place.group)
    })?;
    Ok(Answer::json(200, &cluster.document))
}
