//! The liveness probe of a replica.

use super::numbers::{self, Unit};
use crate::rules::{self, Findings};
use serde_json::Value;
use std::time::Duration;

/// The liveness probe, which decides when a replica counts as dead and is started again. Settings that
/// are not set stay at the service's default.
///
/// # Examples
///
/// ```
/// use azureml_aks::{DeployConfiguration, LivenessProbe};
/// use std::time::Duration;
///
/// // A model that takes ten minutes to load.
/// DeployConfiguration::builder()
///     .liveness_probe(LivenessProbe::new().initial_delay(Duration::from_secs(600)))
///     .build()?;
/// # Ok::<(), azureml_aks::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use = "a part does nothing until it is given to a builder"]
pub struct LivenessProbe {
    pub(super) period: Option<Duration>,
    pub(super) initial_delay: Option<Duration>,
    pub(super) timeout: Option<Duration>,
    pub(super) success_threshold: Option<u32>,
    pub(super) failure_threshold: Option<u32>,
}

impl LivenessProbe {
    /// Returns a probe with the service's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time between two probes, in whole seconds, at least one. The documented default is 10.
    pub fn period(mut self, period: Duration) -> Self {
        self.period = Some(period);
        self
    }

    /// Sets the time from the start of the container to the first probe, in whole seconds, at least one.
    /// The documented default is 310.
    ///
    /// It has to be longer than the entry script's `init()` takes.
    pub fn initial_delay(mut self, delay: Duration) -> Self {
        self.initial_delay = Some(delay);
        self
    }

    /// Sets the time that a probe may take, in whole seconds, at least one. The documented default is 2.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the number of probes in a row that have to succeed after a failed one, at least one. The documented
    /// default is 1, and Kubernetes takes no other number for this kind of probe.
    pub fn success_threshold(mut self, probes: u32) -> Self {
        self.success_threshold = Some(probes);
        self
    }

    /// Sets the number of probes in a row that have to fail until the replica counts as dead, at least one. The
    /// documented default is 3.
    pub fn failure_threshold(mut self, probes: u32) -> Self {
        self.failure_threshold = Some(probes);
        self
    }

    pub(super) fn check(&self, findings: &mut Findings) {
        for (path, duration) in [
            ("liveness_probe.period", self.period),
            ("liveness_probe.initial_delay", self.initial_delay),
            ("liveness_probe.timeout", self.timeout),
        ] {
            numbers::check_duration(path, duration, Unit::Seconds, findings);
        }
        for (path, count) in [
            ("liveness_probe.success_threshold", self.success_threshold),
            ("liveness_probe.failure_threshold", self.failure_threshold),
        ] {
            numbers::check_count(path, count, findings);
        }
        if let Some(probes) = self.success_threshold
            && probes > 1
        {
            findings.advise(
                rules::DEPLOY_PROBE_SUCCESSES,
                "liveness_probe.success_threshold",
                format!("{probes} successes in a row are asked for, and Kubernetes takes only 1"),
                "leave it out",
            );
        }
    }

    /// Returns the members of the service's `livenessProbeRequirements`.
    pub(super) fn leaves(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let seconds = |duration: Option<Duration>| {
            duration.map(|duration| numbers::duration_value(duration, Unit::Seconds))
        };
        [
            (
                "/livenessProbeRequirements/periodSeconds",
                seconds(self.period),
            ),
            (
                "/livenessProbeRequirements/initialDelaySeconds",
                seconds(self.initial_delay),
            ),
            (
                "/livenessProbeRequirements/timeoutSeconds",
                seconds(self.timeout),
            ),
            (
                "/livenessProbeRequirements/successThreshold",
                self.success_threshold.map(Value::from),
            ),
            (
                "/livenessProbeRequirements/failureThreshold",
                self.failure_threshold.map(Value::from),
            ),
        ]
        .into_iter()
        .filter_map(|(path, value)| Some((path, value?)))
    }
}
