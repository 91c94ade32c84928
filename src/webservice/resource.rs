//! A web service, as the service gives it.

use crate::error::ServiceError;
use crate::json::lenient::{object, or_default};
use crate::json::{Document, Item, Names, kept, twin};
use crate::model::ModelResource;
use serde::de::MapAccess;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;

twin! {
    ServiceMembers reads
    /// A web service of a workspace, of any kind.
    ///
    /// Read leniently: a member of another type than here counts as absent. Members that are not known are
    /// kept in [`other`](Self::other); `Debug` shows only their names, for environments may hold secrets.
    ///
    /// The whole document is kept as the service wrote it, without secret members, and `Serialize` writes it,
    /// as it does for a [`ComputeResource`](crate::models::ComputeResource). What an environment holds is part of it,
    /// except passwords. `Deserialize` reads JSON only.
    #[derive(Clone, PartialEq, Default)]
    #[non_exhaustive]
    pub struct ServiceResource {
        /// The name in the workspace.
        // Not lenient: without a readable name, one service cannot be distinguished from another.
        pub name: String,
        /// Free text.
        #[serde(deserialize_with = "or_default")]
        pub description: Option<String>,
        /// Tags, which may change.
        #[serde(rename = "kvTags", deserialize_with = "or_default")]
        pub tags: BTreeMap<String, String>,
        /// Properties, which stay; new ones may be added.
        #[serde(deserialize_with = "or_default")]
        pub properties: BTreeMap<String, String>,
        /// `Transitioning`, `Healthy`, `Unhealthy`, `Unschedulable`, `Failed`: an open set.
        #[serde(deserialize_with = "or_default")]
        pub state: Option<String>,
        /// The reason why the service is not healthy, where it gives one.
        #[serde(deserialize_with = "some_error")]
        pub error: Option<ServiceError>,
        /// The time at which the service was made, as the service wrote it.
        #[serde(deserialize_with = "or_default")]
        pub created_time: Option<String>,
        /// The time of the last change, as the service wrote it.
        #[serde(deserialize_with = "or_default")]
        pub updated_time: Option<String>,
        /// The kind, as the service spells it: `AKS`, `ACI`, …
        #[serde(deserialize_with = "or_default")]
        pub compute_type: Option<String>,
        /// The compute target that it runs on.
        #[serde(deserialize_with = "or_default")]
        pub compute_name: Option<String>,
        /// The Kubernetes namespace.
        #[serde(deserialize_with = "or_default")]
        pub namespace: Option<String>,
        /// `true` if calls require a key.
        #[serde(deserialize_with = "or_default")]
        pub auth_enabled: Option<bool>,
        /// `true` if calls require a token.
        #[serde(rename = "aadAuthEnabled", deserialize_with = "or_default")]
        pub token_auth_enabled: Option<bool>,
        /// `true` if Application Insights is on.
        #[serde(deserialize_with = "or_default")]
        pub app_insights_enabled: Option<bool>,
        /// The URL at which the service is called.
        #[serde(deserialize_with = "or_default")]
        pub scoring_uri: Option<String>,
        /// The URL of its description (Swagger), if its entry script declares a schema.
        #[serde(deserialize_with = "or_default")]
        pub swagger_uri: Option<String>,
        /// The number of replicas, where they are not scaled automatically.
        #[serde(deserialize_with = "or_default")]
        pub num_replicas: Option<u32>,
        /// The longest time that a call may take, in milliseconds.
        #[serde(deserialize_with = "or_default")]
        pub scoring_timeout_ms: Option<u64>,
        /// The number of calls that a replica serves at once.
        #[serde(deserialize_with = "or_default")]
        pub max_concurrent_requests_per_container: Option<u32>,
        /// The longest time that a call waits for a replica, in milliseconds.
        #[serde(deserialize_with = "or_default")]
        pub max_queue_wait_ms: Option<u64>,
        /// The scaling of the replicas.
        #[serde(deserialize_with = "or_default")]
        pub auto_scaler: Option<AutoScalerSettings>,
        /// The resources of each replica.
        #[serde(deserialize_with = "or_default")]
        pub container_resource_requirements: Option<ContainerResources>,
        /// The liveness probe of the replicas.
        #[serde(deserialize_with = "or_default")]
        pub liveness_probe_requirements: Option<ProbeSettings>,
        /// The numbers of replicas that are wanted, updated and available.
        #[serde(deserialize_with = "or_default")]
        pub deployment_status: Option<ReplicaStatus>,
        /// The models that it serves, where they were asked for.
        #[serde(deserialize_with = "models")]
        pub models: Vec<ModelResource>,
        /// All other members, unknown to this crate.
        #[serde(flatten)]
        pub other: BTreeMap<String, Value>,
        #[serde(skip)]
        document: Document,
    }
}

impl ServiceResource {
    /// Returns the resource of a service that was not read yet.
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            document: Document::made_here(&json!({ "name": name })),
            ..Self::default()
        }
    }

    fn read(text: &str) -> serde_json::Result<Self> {
        let document = Document::read(text)?;
        let read: ServiceMembers = serde_json::from_str(document.text())?;
        Ok(Self {
            document,
            ..read.into()
        })
    }

    /// Returns the whole document, as `Serialize` writes it.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.document.to_value()
    }
}

kept!(ServiceResource);

impl Item for ServiceResource {}

/// The scaling of the replicas.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AutoScalerSettings {
    /// `true` if the number of replicas is scaled automatically.
    #[serde(deserialize_with = "or_default")]
    pub autoscale_enabled: Option<bool>,
    /// The fewest replicas.
    #[serde(deserialize_with = "or_default")]
    pub min_replicas: Option<u32>,
    /// The most replicas.
    #[serde(deserialize_with = "or_default")]
    pub max_replicas: Option<u32>,
    /// The share of replicas, in percent, that shall be busy.
    #[serde(deserialize_with = "or_default")]
    pub target_utilization: Option<u32>,
    /// The interval between decisions about scaling, in seconds.
    #[serde(deserialize_with = "or_default")]
    pub refresh_period_in_seconds: Option<u32>,
}

/// The resources of each replica.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ContainerResources {
    /// CPU cores that are reserved.
    #[serde(deserialize_with = "or_default")]
    pub cpu: Option<f64>,
    /// CPU cores at most.
    #[serde(deserialize_with = "or_default")]
    pub cpu_limit: Option<f64>,
    /// Memory in GB that is reserved.
    #[serde(rename = "memoryInGB", deserialize_with = "or_default")]
    pub memory_gb: Option<f64>,
    /// Memory in GB at most.
    #[serde(rename = "memoryInGBLimit", deserialize_with = "or_default")]
    pub memory_gb_limit: Option<f64>,
    /// GPUs.
    #[serde(deserialize_with = "or_default")]
    pub gpu: Option<u32>,
    /// FPGA devices.
    #[serde(deserialize_with = "or_default")]
    pub fpga: Option<u32>,
}

/// The liveness probe of the replicas.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ProbeSettings {
    /// Failures until a replica counts as dead.
    #[serde(deserialize_with = "or_default")]
    pub failure_threshold: Option<u32>,
    /// Successes until it counts as alive again.
    #[serde(deserialize_with = "or_default")]
    pub success_threshold: Option<u32>,
    /// The longest time that an answer may take, in seconds.
    #[serde(deserialize_with = "or_default")]
    pub timeout_seconds: Option<u32>,
    /// The interval between two probes, in seconds.
    #[serde(deserialize_with = "or_default")]
    pub period_seconds: Option<u32>,
    /// The time from the start of the replica to the first probe, in seconds.
    #[serde(deserialize_with = "or_default")]
    pub initial_delay_seconds: Option<u32>,
}

/// The numbers of replicas.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ReplicaStatus {
    /// The number that is wanted.
    #[serde(deserialize_with = "or_default")]
    pub desired_replicas: Option<u32>,
    /// The number that run the last version.
    #[serde(deserialize_with = "or_default")]
    pub updated_replicas: Option<u32>,
    /// The number that can be called.
    #[serde(deserialize_with = "or_default")]
    pub available_replicas: Option<u32>,
    /// The reason why some are missing, where the service gives one.
    #[serde(deserialize_with = "some_error")]
    pub error: Option<ServiceError>,
}

/// Reads an error; `null` and `{}` count as absent.
fn some_error<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ServiceError>, D::Error> {
    let error: Option<ServiceError> = Option::deserialize(deserializer)?;
    Ok(error.filter(|error| *error != ServiceError::default()))
}

/// Models that cannot be read are left out: the service stays usable.
fn models<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ModelResource>, D::Error> {
    let list = Box::<RawValue>::deserialize(deserializer)?;
    let models: Vec<&RawValue> = serde_json::from_str(list.get()).unwrap_or_default();
    let model = |raw: &RawValue| ModelResource::read(raw.get()).ok();
    Ok(models.into_iter().filter_map(model).collect())
}

impl fmt::Debug for ServiceResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceResource")
            .field("name", &self.name)
            .field("state", &self.state)
            .field("error", &self.error)
            .field("tags", &self.tags)
            .field("properties", &self.properties)
            .field("compute_type", &self.compute_type)
            .field("compute_name", &self.compute_name)
            .field("auth_enabled", &self.auth_enabled)
            .field("token_auth_enabled", &self.token_auth_enabled)
            .field("scoring_uri", &self.scoring_uri)
            .field("num_replicas", &self.num_replicas)
            .field("auto_scaler", &self.auto_scaler)
            .field("deployment_status", &self.deployment_status)
            .field("models", &self.models)
            .field("other", &Names(&self.other))
            .finish_non_exhaustive()
    }
}

object!(
    AutoScalerSettings,
    ContainerResources,
    ProbeSettings,
    ReplicaStatus
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_with_odd_members_is_read_and_shows_no_environment() {
        let service: ServiceResource = serde_json::from_value(serde_json::json!({
            "name": "s", "state": "Healthy", "error": {}, "numReplicas": "3",
            "scoringTimeoutMs": 60_000, "autoScaler": {"autoscaleEnabled": true, "maxReplicas": []},
            "models": [{"name": "m", "version": 2}, 7],
            "environmentImageRequest": {"environment": {"environmentVariables": {"K": "s3cr3t"}}},
        }))
        .unwrap();
        assert_eq!(service.error, None);
        assert_eq!(service.num_replicas, None);
        assert_eq!(service.scoring_timeout_ms, Some(60_000));
        assert_eq!(service.auto_scaler.as_ref().unwrap().max_replicas, None);
        assert_eq!(service.models.len(), 1);
        let shown = format!("{service:?}");
        assert!(shown.contains("environmentImageRequest"), "{shown}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
    }
}
