//! The settings that a deployment and an update have in common.

use super::auth::Auth;
use super::numbers::{self, Unit};
use super::probe::LivenessProbe;
use super::replicas::Replicas;
use super::resources::Resources;
use crate::names;
use crate::rules::{self, Findings};
use serde_json::Value;
use std::time::Duration;

/// The settings of a service; `None` for those that were not set.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Settings {
    pub(super) auth: Option<Auth>,
    pub(super) replicas: Option<Replicas>,
    pub(super) resources: Resources,
    pub(super) liveness_probe: Option<LivenessProbe>,
    pub(super) app_insights: Option<bool>,
    pub(super) collect_model_data: Option<bool>,
    pub(super) scoring_timeout: Option<Duration>,
    pub(super) max_concurrent_requests: Option<u32>,
    pub(super) max_queue_wait: Option<Duration>,
    pub(super) namespace: Option<String>,
    pub(super) description: Option<String>,
}

impl Settings {
    pub(super) fn check(&self, findings: &mut Findings) {
        self.resources.check(findings);
        if let Some(replicas) = &self.replicas {
            replicas.check(findings);
        }
        if let Some(probe) = &self.liveness_probe {
            probe.check(findings);
        }
        self.check_requests(findings);
        if let Some(namespace) = &self.namespace {
            findings.extend(names::namespace("namespace", namespace));
        }
    }

    fn check_requests(&self, findings: &mut Findings) {
        numbers::check_duration(
            "scoring_timeout",
            self.scoring_timeout,
            Unit::Milliseconds,
            findings,
        );
        if let Some(timeout) = self.scoring_timeout
            && timeout > MAX_SCORING_TIMEOUT
        {
            findings.refuse(
                rules::DEPLOY_SCORING_TIMEOUT,
                "scoring_timeout",
                Some(&format!("{timeout:?}")),
                format!(
                    "a request may take {} seconds at most",
                    MAX_SCORING_TIMEOUT.as_secs()
                ),
                "give a shorter time; split work that takes longer",
            );
        }
        numbers::check_duration(
            "max_queue_wait",
            self.max_queue_wait,
            Unit::Milliseconds,
            findings,
        );
        numbers::check_count(
            "max_concurrent_requests",
            self.max_concurrent_requests,
            findings,
        );
        if let Some(requests) = self.max_concurrent_requests
            && requests > 1
        {
            findings.advise(
                rules::DEPLOY_CONCURRENCY,
                "max_concurrent_requests",
                format!("{requests} requests at a time are asked for in one replica"),
                "leave it at 1 unless Microsoft's support says otherwise, and add replicas instead",
            );
        }
    }

    /// Returns every member that was set, with its place in the service's document as a JSON pointer, in
    /// the order in which `azureml-core` 1.61 replaces them. The description is not among them: it
    /// comes after tags and properties.
    pub(super) fn leaves(&self) -> Vec<(&'static str, Value)> {
        let milliseconds = |duration: Option<Duration>| {
            duration.map(|duration| numbers::duration_value(duration, Unit::Milliseconds))
        };
        let mut leaves = Vec::new();
        if let Some(replicas) = &self.replicas {
            leaves.extend(replicas.scaler_leaves());
        }
        let switches = self.auth.map(Auth::switches);
        leaves.extend(given([
            (STORAGE, self.collect_model_data.map(Value::from)),
            ("/authEnabled", switches.map(|(keys, _)| keys.into())),
            ("/aadAuthEnabled", switches.map(|(_, tokens)| tokens.into())),
        ]));
        leaves.extend(self.resources.leaves());
        leaves.extend(given([
            ("/appInsightsEnabled", self.app_insights.map(Value::from)),
            ("/scoringTimeoutMs", milliseconds(self.scoring_timeout)),
            (
                "/maxConcurrentRequestsPerContainer",
                self.max_concurrent_requests.map(Value::from),
            ),
            ("/maxQueueWaitMs", milliseconds(self.max_queue_wait)),
            (
                "/numReplicas",
                self.replicas
                    .and_then(|replicas| replicas.fixed())
                    .map(Value::from),
            ),
        ]));
        if let Some(probe) = &self.liveness_probe {
            leaves.extend(probe.leaves());
        }
        leaves.extend(given([(
            "/namespace",
            self.namespace.as_deref().map(Value::from),
        )]));
        leaves
    }
}

fn given<const N: usize>(
    members: [(&'static str, Option<Value>); N],
) -> impl Iterator<Item = (&'static str, Value)> {
    members
        .into_iter()
        .filter_map(|(path, value)| Some((path, value?)))
}

/// The JSON pointer to the switch of data collection.
pub(super) const STORAGE: &str = "/dataCollection/storageEnabled";

/// The longest scoring timeout that the service takes (Azure/MachineLearningNotebooks issue 1624).
const MAX_SCORING_TIMEOUT: Duration = Duration::from_secs(300);

/// The setters of a builder that keeps [`Settings`] in its field `settings`: one text for a
/// deployment and an update.
macro_rules! setters {
    ($builder:ident) => {
        impl $builder {
            /// Sets the authentication of callers. The documented default is keys.
            ///
            /// In an update, turning one way on turns the other one off in the same request, as the
            /// service demands.
            pub fn auth(mut self, auth: $crate::webservice::settings::Auth) -> Self {
                self.settings.auth = Some(auth);
                self
            }

            /// Sets the number of replicas: a fixed number, or an
            /// [`AutoScale`](crate::AutoScale).
            ///
            /// The service scales by itself where nothing is set (documented).
            pub fn replicas(
                mut self,
                replicas: impl Into<$crate::webservice::settings::Replicas>,
            ) -> Self {
                self.settings.replicas = Some(replicas.into());
                self
            }

            /// Sets the CPU cores that each replica requests; fractions are allowed. The documented
            /// default is 0.1.
            pub fn cpu_cores(mut self, cores: f64) -> Self {
                self.settings.resources.cpu_cores = Some(cores);
                self
            }

            /// Sets the CPU cores that a replica may use at most, not below its request.
            ///
            /// No published description of the service has this member; `azureml-core` 1.61 sends it.
            pub fn cpu_cores_limit(mut self, cores: f64) -> Self {
                self.settings.resources.cpu_cores_limit = Some(cores);
                self
            }

            /// Sets the memory that each replica requests, in GB; fractions are allowed. The documented
            /// default is 0.5.
            pub fn memory_gb(mut self, gigabytes: f64) -> Self {
                self.settings.resources.memory_gb = Some(gigabytes);
                self
            }

            /// Sets the memory that a replica may use at most, in GB, not below its request.
            ///
            /// No published description of the service has this member; `azureml-core` 1.61 sends it.
            pub fn memory_gb_limit(mut self, gigabytes: f64) -> Self {
                self.settings.resources.memory_gb_limit = Some(gigabytes);
                self
            }

            /// Sets the GPUs of each replica. The sources disagree about the default: 1 in the
            /// documentation of the file, 0 in `azureml-core` 1.61.
            ///
            /// The size of the cluster's nodes has to have them; it is chosen at create.
            pub fn gpu_cores(mut self, gpus: u32) -> Self {
                self.settings.resources.gpu_cores = Some(gpus);
                self
            }

            /// Sets the FPGA devices of each replica, a multiple of 2 (`modelManagement` 2019-09-30).
            ///
            /// Neither Python nor `deploymentconfig.json` offers it, and it needs an approved quota.
            pub fn fpga_devices(mut self, devices: u32) -> Self {
                self.settings.resources.fpga_devices = Some(devices);
                self
            }

            /// Sets the liveness probe, which decides when a replica counts as dead.
            pub fn liveness_probe(
                mut self,
                probe: $crate::webservice::settings::LivenessProbe,
            ) -> Self {
                self.settings.liveness_probe = Some(probe);
                self
            }

            /// Sets whether requests, answers, rates, times and failures go to Application Insights. The
            /// documented default is `false`.
            ///
            /// Payloads are logged up to 64 kB (`how-to-enable-app-insights`).
            pub fn app_insights(mut self, enabled: bool) -> Self {
                self.settings.app_insights = Some(enabled);
                self
            }

            /// Sets whether the inputs and predictions that the entry script gives to its collector are
            /// kept. The documented default is `false`.
            ///
            /// They land in the blob store of the workspace, at
            /// `/modeldata/{subscription}/{group}/{workspace}/{service}/{model}/{version}/{designation}/{yyyy}/{mm}/{dd}/data.csv`
            /// (`how-to-enable-data-collection`). Without a collector in the entry script there is
            /// nothing to keep.
            pub fn collect_model_data(mut self, enabled: bool) -> Self {
                self.settings.collect_model_data = Some(enabled);
                self
            }

            /// Sets the time that the service works on a request before it answers 504, in whole milliseconds,
            /// 300 seconds at most. The documented default is 60 seconds.
            ///
            /// The web server in the container ends a request after 300 seconds on its own.
            pub fn scoring_timeout(mut self, timeout: std::time::Duration) -> Self {
                self.settings.scoring_timeout = Some(timeout);
                self
            }

            /// Sets the number of requests that a replica works on at the same time. The documented default is 1;
            /// `azureml-core` 1.61 says to leave it unless Microsoft's support says otherwise.
            pub fn max_concurrent_requests(mut self, requests: u32) -> Self {
                self.settings.max_concurrent_requests = Some(requests);
                self
            }

            /// Sets the longest time that a request may wait for a free replica before it is answered 503, in whole
            /// milliseconds. The documented default is 500.
            pub fn max_queue_wait(mut self, wait: std::time::Duration) -> Self {
                self.settings.max_queue_wait = Some(wait);
                self
            }

            /// Sets the Kubernetes namespace, up to 63 of `a` to `z`, digits and hyphens, with no hyphen
            /// at either end. The service chooses one where none is given.
            pub fn namespace(mut self, namespace: impl AsRef<str>) -> Self {
                self.settings.namespace = Some(namespace.as_ref().to_owned());
                self
            }

            /// Sets the description.
            pub fn description(mut self, description: impl Into<String>) -> Self {
                self.settings.description = Some(description.into());
                self
            }
        }
    };
}

pub(super) use setters;

/// Checks the names of tags or properties, for which no other limit is documented.
pub(super) fn check_metadata<'a>(
    path: &str,
    names: impl IntoIterator<Item = &'a String>,
    findings: &mut Findings,
) {
    if names.into_iter().any(|name| name.trim().is_empty()) {
        findings.refuse(
            rules::DEPLOY_METADATA_NAME,
            path,
            Some(""),
            "a name is empty",
            "give it a name",
        );
    }
}
