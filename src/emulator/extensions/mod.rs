//! The Azure Machine Learning extension of clusters: GET, list and DELETE. PUT and PATCH are in `put.rs`.

pub(crate) mod operations;
pub(crate) mod put;
mod rules;
mod schema;

use serde_json::{Value, json};

use crate::facts::arm::{
    self, EXTENSION_TYPE as TYPE, KUBERNETES_CONFIGURATION_PROVIDER as PROVIDER,
};

use self::operations::Verb;
use super::call::Call;
use super::clusters::{Cluster, Site, nodes_of};
use super::connected::Connected;
use super::error::ArmError;
use super::http::Answer;
use super::names::is_cluster_id;
use super::operations::Outcome;
use super::routes::Reply;
use super::state::{State, TENANT};

/// The version of an extension for which none was given. It is the one that was recorded.
const CURRENT_VERSION: &str = "1.1.61";

/// An extension of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct Extension {
    /// The id of its cluster.
    cluster: String,
    name: String,
    /// As a GET shows it. Protected settings are not in it.
    document: Value,
    /// The operation that runs on it.
    operation: Option<String>,
}

impl Extension {
    /// An extension that was installed on this cluster earlier, and is ready.
    pub(crate) fn ready(state: &mut State, host: &Host, name: &str) -> Self {
        let now = state.time.stamp(state.time.now());
        let given = json!({
            "identity": { "type": "SystemAssigned" },
            "properties": {
                "extensionType": TYPE,
                "autoUpgradeMinorVersion": true,
                "releaseTrain": "stable",
                "scope": { "cluster": { "releaseNamespace": "azureml" } },
                "configurationSettings": { "enableTraining": "True" },
            },
        });
        let mut extension = Self {
            cluster: host.id.clone(),
            name: name.to_owned(),
            document: put::document(state, host, name, &given, &now),
            operation: None,
        };
        let principal = state.uuid();
        extension.become_ready(principal);
        extension
    }

    fn is_on(&self, cluster: &str) -> bool {
        self.cluster.eq_ignore_ascii_case(cluster)
    }

    fn is(&self, cluster: &str, name: &str) -> bool {
        self.is_on(cluster) && self.name.eq_ignore_ascii_case(name)
    }

    fn state(&self) -> &str {
        let state = &self.document["properties"]["provisioningState"];
        state.as_str().unwrap_or_default()
    }

    fn set_state(&mut self, state: &str) {
        self.document["properties"]["provisioningState"] = json!(state);
    }

    /// Applies the end of a successful install or update. `principal` is for the identity that AKS assigns.
    fn become_ready(&mut self, principal: String) {
        self.set_state("Succeeded");
        let properties = &mut self.document["properties"];
        properties["statuses"] = json!([]);
        if properties["currentVersion"].is_null() {
            properties["currentVersion"] = json!(CURRENT_VERSION);
        }
        if is_cluster_id(&self.cluster) && properties["aksAssignedIdentity"].is_null() {
            properties["aksAssignedIdentity"] =
                json!({ "principalId": principal, "tenantId": TENANT });
        }
    }

    fn fail(&mut self, message: &str) {
        self.set_state("Failed");
        self.document["properties"]["statuses"] = json!([{
            "code": "InstallationFailed", "displayStatus": null, "level": null, "message": message, "time": null,
        }]);
    }

    /// The principal of its identity.
    pub(crate) fn principal(&self) -> &Value {
        match &self.document["properties"]["aksAssignedIdentity"]["principalId"] {
            Value::Null => &self.document["identity"]["principalId"],
            principal => principal,
        }
    }

    pub(crate) fn release_train(&self) -> &Value {
        &self.document["properties"]["releaseTrain"]
    }
}

impl State {
    fn extension(&self, cluster: &str, name: &str) -> Option<&Extension> {
        let mut extensions = self.extensions.iter();
        extensions.find(|extension| extension.is(cluster, name))
    }

    fn extension_mut(&mut self, cluster: &str, name: &str) -> Option<&mut Extension> {
        let mut extensions = self.extensions.iter_mut();
        extensions.find(|extension| extension.is(cluster, name))
    }

    /// The extension of a cluster, or the reason why a compute cannot be attached through it.
    pub(crate) fn ready_extension(&self, cluster: &str) -> Result<&Extension, String> {
        let mut extensions = self.extensions.iter();
        match extensions.find(|extension| extension.is_on(cluster)) {
            None => Err(format!(
                "The Azure Machine Learning extension is not installed on the cluster '{cluster}'."
            )),
            Some(extension) if extension.state() == "Succeeded" => Ok(extension),
            Some(extension) => Err(format!(
                "The Azure Machine Learning extension '{}' of the cluster '{cluster}' is not ready. \
                 Provisioning state: {}",
                extension.name,
                extension.state()
            )),
        }
    }

    fn has_extension(&self, cluster: &str) -> bool {
        let mut extensions = self.extensions.iter();
        extensions.any(|extension| extension.is_on(cluster))
    }

    /// Forgets the extensions of a cluster that is gone.
    pub(crate) fn forget_extensions(&mut self, cluster: &str) {
        self.extensions
            .retain(|extension| !extension.is_on(cluster));
    }
}

/// The cluster that an extension is of.
pub(crate) struct Host {
    pub(crate) id: String,
    location: String,
    state: String,
    nodes: u64,
}

impl Host {
    pub(crate) fn managed(cluster: &Cluster) -> Self {
        Self {
            id: cluster.id.clone(),
            location: cluster.location().to_owned(),
            state: cluster.state().to_owned(),
            nodes: cluster.pools().iter().map(nodes_of).sum(),
        }
    }

    pub(crate) fn connected(cluster: &Connected) -> Self {
        Self {
            id: cluster.id.clone(),
            location: cluster.location().to_owned(),
            state: "Succeeded".to_owned(),
            nodes: cluster.nodes(),
        }
    }

    fn is_managed(&self) -> bool {
        is_cluster_id(&self.id)
    }

    /// The id of an extension with this name.
    fn extension_id(&self, name: &str) -> String {
        format!("{}/providers/{PROVIDER}/extensions/{name}", self.id)
    }
}

/// The cluster that the path names.
fn host(call: &Call<'_>) -> Result<Host, ArmError> {
    call.check_place()?;
    let (provider, kind) = (call.name("provider"), call.name("type"));
    let place = Site::of(call);
    let is =
        |of: &str, what: &str| provider.eq_ignore_ascii_case(of) && kind.eq_ignore_ascii_case(what);
    let found = if is(arm::AKS_PROVIDER, arm::MANAGED_CLUSTERS) {
        let id = Cluster::id(place.subscription, place.group, place.name);
        call.state.cluster(&id).map(Host::managed)
    } else if is(arm::ARC_PROVIDER, arm::CONNECTED_CLUSTERS) {
        let cluster = call.state.connected_cluster(&Connected::id(&place));
        cluster.map(Host::connected)
    } else {
        return Err(ArmError::unsupported(format!(
            "The emulator serves extensions of managed and of connected clusters, not of '{provider}/{kind}'."
        )));
    };
    found.ok_or_else(|| {
        ArmError::not_found(&format!("{provider}/{kind}/{}", place.name), place.group)
    })
}

/// The provider names in each answer the API version that it speaks.
fn answer(call: &Call<'_>, status: u16, body: &Value) -> Answer {
    Answer::json(status, body).with("api-supported-versions", call.api_version())
}

pub(crate) fn get(call: Call<'_>) -> Reply {
    let host = host(&call)?;
    let name = call.name("extension");
    let extension = call.state.extension(&host.id, name);
    let extension = extension.ok_or_else(|| absent(&host, name))?;
    Ok(answer(&call, 200, &extension.document))
}

fn absent(host: &Host, name: &str) -> ArmError {
    let message = format!("The extension '{}' was not found.", host.extension_id(name));
    ArmError::new(404, "ResourceNotFound", message)
}

pub(crate) fn list(call: Call<'_>) -> Reply {
    let host = host(&call)?;
    let extensions = call.state.extensions.iter();
    let of_host = extensions.filter(|extension| extension.is_on(&host.id));
    let value: Vec<&Value> = of_host.map(|extension| &extension.document).collect();
    // Other providers leave `nextLink` out on the last page; this one sends null.
    let page = json!({ "value": value, "nextLink": null });
    Ok(answer(&call, 200, &page))
}

pub(crate) fn delete(mut call: Call<'_>) -> Reply {
    let host = host(&call)?;
    let name = call.name("extension");
    let forced = call.flag("forceDelete")?;
    let Some(extension) = call.state.extension(&host.id, name) else {
        return Ok(Answer::empty(204));
    };
    if forced {
        let extensions = &mut call.state.extensions;
        extensions.retain(|extension| !extension.is(&host.id, name));
        return Ok(answer(&call, 200, &serialised_response()));
    }
    busy(extension)?;
    let takes = call.config.delete;
    // The prefixes of names do not count here: an extension that failed must be removable.
    let links = operations::start(
        &mut call,
        &host,
        name,
        Verb::Delete,
        takes,
        Outcome::Succeeds,
    );
    if let Some(extension) = call.state.extension_mut(&host.id, name) {
        extension.set_state("Deleting");
    }
    Ok(links.on(Answer::empty(202)))
}

/// The body of the answer to a forced delete: the service serialises a response object of its own.
fn serialised_response() -> Value {
    json!({
        "version": "1.1",
        "content": { "headers": [] },
        "statusCode": 200,
        "reasonPhrase": "OK",
        "headers": [],
        "trailingHeaders": [],
        "requestMessage": null,
        "isSuccessStatusCode": true,
    })
}

/// Refuses a write while an operation runs on the extension.
fn busy(extension: &Extension) -> Result<(), ArmError> {
    match &extension.operation {
        Some(_) => Err(ArmError::conflict(format!(
            "An operation is in progress on the extension '{}' (state {}). Try again when it ended.",
            extension.name,
            extension.state()
        ))),
        None => Ok(()),
    }
}
