//! The number of replicas of a service.

use super::numbers::{self, Unit};
use crate::rules::{self, Findings};
use serde_json::Value;
use std::time::Duration;

/// The number of replicas of a service: always the same number, or as many as the load requires.
///
/// # Examples
///
/// ```
/// use azureml_aks::{AutoScale, DeployConfiguration, Replicas};
///
/// let fixed = DeployConfiguration::builder().replicas(3).build()?;
/// assert_eq!(fixed.replicas(), Some(&Replicas::Fixed(3)));
///
/// DeployConfiguration::builder()
///     .replicas(AutoScale::new().min_replicas(1).max_replicas(3).target_utilization(70))
///     .build()?;
///
/// let error = DeployConfiguration::builder()
///     .replicas(AutoScale::new().min_replicas(4).max_replicas(3))
///     .build()
///     .unwrap_err();
/// assert_eq!(error.findings()[0].rule, "deploy.replicas.range");
/// # Ok::<(), azureml_aks::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Replicas {
    /// A fixed number; autoscaling is off.
    Fixed(u32),
    /// As many as the load requires, within bounds.
    Auto(AutoScale),
}

/// Autoscaling by the scoring router of the cluster.
///
/// Settings that are not set stay at the service's default. The router (`azureml-fe`) adds and removes
/// replicas, never nodes, and a Kubernetes autoscaler (HPA) must not be added beside it. It decides to
/// add replicas within about a second, to remove them within about a minute. On a cluster for
/// development and tests it does not scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use = "a part does nothing until it is given to a builder"]
pub struct AutoScale {
    pub(super) min_replicas: Option<u32>,
    pub(super) max_replicas: Option<u32>,
    pub(super) target_utilization: Option<u32>,
    pub(super) refresh_period: Option<Duration>,
}

impl AutoScale {
    /// Returns autoscaling with the service's defaults, documented as 1 to 10 replicas at 70 percent.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the smallest number of replicas. The documented default is 1.
    pub fn min_replicas(mut self, replicas: u32) -> Self {
        self.min_replicas = Some(replicas);
        self
    }

    /// Sets the largest number of replicas. The documented default is 10.
    pub fn max_replicas(mut self, replicas: u32) -> Self {
        self.max_replicas = Some(replicas);
        self
    }

    /// Sets the target percentage of busy replicas, 1 to 100. The documented default is 70.
    ///
    /// The rest is there for spikes. A lower target does not scale faster, only earlier.
    pub fn target_utilization(mut self, percent: u32) -> Self {
        self.target_utilization = Some(percent);
        self
    }

    /// Sets the interval at which the router decides about scaling, in whole seconds. The documented default is
    /// one second.
    pub fn refresh_period(mut self, period: Duration) -> Self {
        self.refresh_period = Some(period);
        self
    }

    /// Returns the bounds that were given: the smallest and the largest number of replicas.
    pub(super) fn bounds(&self) -> (Option<u32>, Option<u32>) {
        (self.min_replicas, self.max_replicas)
    }
}

impl From<u32> for Replicas {
    fn from(replicas: u32) -> Self {
        Self::Fixed(replicas)
    }
}

impl From<AutoScale> for Replicas {
    fn from(scale: AutoScale) -> Self {
        Self::Auto(scale)
    }
}

impl Replicas {
    pub(super) fn check(&self, findings: &mut Findings) {
        let scale = match self {
            Self::Fixed(replicas) => {
                return numbers::check_count("replicas", Some(*replicas), findings);
            }
            Self::Auto(scale) => scale,
        };
        let (min, max) = scale.bounds();
        numbers::check_count("replicas.min_replicas", min, findings);
        numbers::check_count("replicas.max_replicas", max, findings);
        if let (Some(min), Some(max)) = (min, max)
            && max > 0
            && min > max
        {
            findings.refuse(
                rules::DEPLOY_REPLICAS_RANGE,
                "replicas.min_replicas",
                Some(&min.to_string()),
                format!("the smallest number of replicas is above the largest, {max}"),
                "swap the two, or raise the largest",
            );
        }
        if let Some(percent) = scale.target_utilization
            && !(1..=100).contains(&percent)
        {
            findings.refuse(
                rules::DEPLOY_UTILIZATION,
                "replicas.target_utilization",
                Some(&percent.to_string()),
                "the target utilisation is a percentage of busy replicas",
                "give 1 to 100, for example 70",
            );
        }
        numbers::check_duration(
            "replicas.refresh_period",
            scale.refresh_period,
            Unit::Seconds,
            findings,
        );
    }

    /// Warns where a new service would begin with bounds that the documentation contradicts.
    pub(super) fn advise_new(&self, findings: &mut Findings) {
        if let Self::Auto(scale) = self
            && let (Some(min), None) = scale.bounds()
            && min > DEFAULT_MAX
        {
            findings.advise(
                rules::DEPLOY_REPLICAS_DEFAULT_MAXIMUM,
                "replicas.max_replicas",
                format!(
                    "at least {min} replicas are asked for, and the documented default of the largest number is {DEFAULT_MAX}"
                ),
                "give the largest number too",
            );
        }
    }

    /// Returns the members of the service's `autoScaler`.
    pub(super) fn scaler_leaves(&self) -> impl Iterator<Item = (&'static str, Value)> {
        let (enabled, scale) = match self {
            Self::Fixed(_) => (false, AutoScale::default()),
            Self::Auto(scale) => (true, *scale),
        };
        [
            ("/autoScaler/autoscaleEnabled", Some(Value::from(enabled))),
            (
                "/autoScaler/minReplicas",
                scale.min_replicas.map(Value::from),
            ),
            (
                "/autoScaler/maxReplicas",
                scale.max_replicas.map(Value::from),
            ),
            (
                "/autoScaler/refreshPeriodInSeconds",
                scale
                    .refresh_period
                    .map(|period| numbers::duration_value(period, Unit::Seconds)),
            ),
            (
                "/autoScaler/targetUtilization",
                scale.target_utilization.map(Value::from),
            ),
        ]
        .into_iter()
        .filter_map(|(path, value)| Some((path, value?)))
    }

    /// Returns the fixed number, which stands apart from the scaler.
    pub(super) fn fixed(&self) -> Option<u32> {
        match self {
            Self::Fixed(replicas) => Some(*replicas),
            Self::Auto(_) => None,
        }
    }
}

/// The largest number of replicas where none is given (`machine-learning-service-aks-deploy-config`,
/// 2020-03).
const DEFAULT_MAX: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(replicas: impl Into<Replicas>) -> Vec<(String, &'static str)> {
        let mut findings = Findings::default();
        replicas.into().check(&mut findings);
        let found = findings.into_refusals();
        found
            .into_iter()
            .map(|found| (found.path, found.rule))
            .collect()
    }

    #[test]
    fn bounds_are_in_order_and_every_number_is_checked() {
        assert!(broken(AutoScale::new()).is_empty());
        assert!(broken(AutoScale::new().min_replicas(3).max_replicas(3)).is_empty());
        assert_eq!(broken(0), [("replicas".to_owned(), "deploy.count.zero")]);
        assert_eq!(
            broken(AutoScale::new().min_replicas(5).max_replicas(0)),
            [("replicas.max_replicas".to_owned(), "deploy.count.zero")]
        );
        let found = broken(
            AutoScale::new()
                .min_replicas(0)
                .max_replicas(0)
                .target_utilization(101)
                .refresh_period(Duration::from_millis(1)),
        );
        let found: Vec<_> = found
            .iter()
            .map(|(path, rule)| (path.as_str(), *rule))
            .collect();
        assert_eq!(
            found,
            [
                ("replicas.min_replicas", "deploy.count.zero"),
                ("replicas.max_replicas", "deploy.count.zero"),
                ("replicas.target_utilization", "deploy.replicas.utilization"),
                ("replicas.refresh_period", "deploy.duration.unit"),
            ]
        );
    }

    #[test]
    fn target_is_a_percentage() {
        for (percent, fits) in [(0, false), (1, true), (100, true), (101, false)] {
            let scale = AutoScale::new().target_utilization(percent);
            assert_eq!(broken(scale).is_empty(), fits, "{percent}");
        }
    }

    #[test]
    fn minimum_above_the_default_maximum_is_noticed() {
        for (scale, noticed) in [
            (AutoScale::new().min_replicas(10), false),
            (AutoScale::new().min_replicas(11), true),
            (AutoScale::new().min_replicas(11).max_replicas(20), false),
        ] {
            let mut findings = Findings::default();
            Replicas::from(scale).advise_new(&mut findings);
            let warnings = findings.finish("test").unwrap();
            assert_eq!(warnings.len(), usize::from(noticed), "{scale:?}");
        }
    }
}
