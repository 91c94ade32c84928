//! Web services: what is remembered of them, what changes them, and how they score.

mod credentials;
mod document;
mod lifecycle;
pub(crate) mod list;
mod patch;
mod resources;
mod rules;
mod schema;
mod scorer;
pub(crate) mod scoring;
mod settings;
mod sources;
pub(crate) mod status;
mod trouble;
pub(crate) mod verbs;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use self::credentials::Token;
use self::document::Wanted;
use self::lifecycle::{ServiceOperation, Task};
use self::trouble::Trouble;
use super::state::State;

pub use self::scorer::{ScoringRequest, ScoringResponse};

pub(crate) use self::scorer::Scorer;
pub(crate) use self::settings::Settings;

/// A service.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) name: String,
    /// Its settings, with `null` where there is nothing.
    pub(crate) document: Value,
    pub(crate) state: &'static str,
    pub(crate) error: Option<Value>,
    pub(crate) created: Duration,
    pub(crate) updated: Option<Duration>,
    /// The operation that runs on it.
    pub(crate) operation: Option<String>,
    /// The operation that ran on it last.
    pub(crate) latest: Option<String>,
    /// Whether it ever was healthy: only then it has an address.
    deployed: bool,
    trouble: Option<Trouble>,
    /// When it becomes healthy by itself.
    recovers: Option<Duration>,
    pub(crate) primary: String,
    pub(crate) secondary: String,
    tokens: Vec<Token>,
    /// The models that it was given, as they were then.
    pub(crate) models: Vec<Value>,
}

impl Service {
    /// A service that is about to be deployed.
    pub(crate) fn new(wanted: &Wanted, primary: String, secondary: String, now: Duration) -> Self {
        Self {
            name: wanted.document["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            document: wanted.document.clone(),
            state: "Transitioning",
            error: None,
            created: now,
            updated: None,
            operation: None,
            latest: None,
            deployed: false,
            trouble: None,
            recovers: None,
            primary,
            secondary,
            tokens: Vec::new(),
            models: Vec::new(),
        }
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        self.document[key] == json!(true)
    }

    pub(crate) fn scoring_timeout(&self) -> Duration {
        let milliseconds = self.document["scoringTimeoutMs"].as_u64();
        Duration::from_millis(milliseconds.unwrap_or(60_000))
    }

    /// The document that a read shows, with URLs that begin with `origin`.
    pub(crate) fn show(&self, state: &State, origin: &str, workspace: &str, expand: bool) -> Value {
        let mut shown = document::shown(&self.document, expand);
        let now = state.time.now();
        shown["id"] = json!(format!("{workspace}/services/{}", self.name));
        shown["state"] = json!(self.state_at(state, now));
        shown["createdTime"] = json!(state.time.stamp(self.created));
        if let Some(updated) = self.updated {
            shown["updatedTime"] = json!(state.time.stamp(updated));
        }
        if let Some(operation) = &self.latest {
            shown["operationId"] = json!(operation);
        }
        if let Some(error) = &self.error {
            shown["error"] = error.clone();
        }
        // `azureml-core` wants the key, also while there is no address.
        let base = format!("{origin}/api/v1/service/{}", self.name);
        let address = |last: &str| self.deployed.then(|| format!("{base}/{last}"));
        shown["scoringUri"] = json!(address("score"));
        if let Some(swagger) = address("swagger.json") {
            shown["swaggerUri"] = json!(swagger);
        }
        shown["deploymentStatus"] = self.replica_status();
        if expand {
            // As they are now; as they were, where they have been deleted meanwhile.
            let known = |id: &str| self.models.iter().find(|model| model["id"] == id);
            shown["models"] = self
                .model_ids()
                .filter_map(|id| state.store.models.get(id).or_else(|| known(id)).cloned())
                .collect();
        }
        shown
    }

    /// The log that a container writes here.
    fn stand_in_log(&self, init: bool) -> &'static str {
        match (&self.trouble, init) {
            (Some(trouble), init) => trouble.log(init),
            (None, _) if !self.deployed => "",
            (None, true) => trouble::INIT_LOG,
            (None, false) => trouble::READY_LOG,
        }
    }

    /// The models that it was given.
    pub(crate) fn model_ids(&self) -> impl Iterator<Item = &str> {
        self.document["environmentImageRequest"]["modelIds"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }
}

/// All services and what belongs to them.
#[derive(Default)]
pub(crate) struct Services {
    /// In the order in which they were made.
    list: Vec<Service>,
    pub(crate) operations: BTreeMap<String, ServiceOperation>,
    pub(crate) scorer: Scorer,
    /// By the name of the service, which need not exist yet.
    pub(crate) swagger: BTreeMap<String, Value>,
    /// The logs of main containers by the name of their service, which need not exist yet.
    pub(crate) logs: BTreeMap<String, String>,
}

impl Services {
    pub(crate) fn all(&self) -> &[Service] {
        &self.list
    }

    fn all_mut(&mut self) -> &mut [Service] {
        &mut self.list
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Service> {
        self.list
            .iter()
            .find(|service| service.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Service> {
        self.list
            .iter_mut()
            .find(|service| service.name.eq_ignore_ascii_case(name))
    }

    /// Returns the log of a container of the service: the one that was set, or a default.
    pub(crate) fn log<'a>(&'a self, service: &'a Service, init: bool) -> &'a str {
        let given = self.logs.get(&service.name.to_ascii_lowercase());
        given
            .filter(|_| !init)
            .map_or_else(|| service.stand_in_log(init), String::as_str)
    }

    /// Adds a service, or puts it in the place of the one of its name.
    pub(crate) fn put(&mut self, service: Service) {
        match self.get_mut(&service.name) {
            Some(known) => *known = service,
            None => self.list.push(service),
        }
    }

    fn remove(&mut self, name: &str) {
        self.list
            .retain(|service| !service.name.eq_ignore_ascii_case(name));
    }
}
