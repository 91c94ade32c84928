//! The configuration of a new service.

use super::auth::Auth;
use super::builder::DeployConfigurationBuilder;
use super::file;
use super::probe::LivenessProbe;
use super::replicas::Replicas;
use crate::error::{Error, Finding};
use crate::names::tags::Tags;
use std::path::Path;
use std::time::Duration;

/// The valid configuration of a new web service on AKS.
///
/// Made by [`builder`](Self::builder), or read from a `deploymentconfig.json`. A setting that was not set is
/// not sent, and the service takes its own default; the setters name the documented ones.
#[must_use = "a configuration does nothing until a service is deployed with it"]
#[derive(Debug, Clone, PartialEq)]
pub struct DeployConfiguration {
    pub(super) given: DeployConfigurationBuilder,
    pub(super) warnings: Vec<Finding>,
}

impl DeployConfiguration {
    /// Starts a configuration in which nothing is set.
    ///
    /// # Examples
    ///
    /// ```
    /// use azureml_aks::{Auth, DeployConfiguration};
    /// use std::time::Duration;
    ///
    /// let config = DeployConfiguration::builder()
    ///     .cpu_cores(1.0)
    ///     .memory_gb(1.0)
    ///     .auth(Auth::Token)
    ///     .scoring_timeout(Duration::from_secs(120))
    ///     .tag("team", "vision")
    ///     .build()?;
    /// assert!(config.warnings().is_empty());
    ///
    /// let error = DeployConfiguration::builder()
    ///     .cpu_cores(0.0)
    ///     .scoring_timeout(Duration::from_secs(301))
    ///     .build()
    ///     .unwrap_err();
    /// let rules: Vec<_> = error.findings().iter().map(|found| found.rule).collect();
    /// assert_eq!(rules, ["deploy.resources.amount", "deploy.scoring_timeout.maximum"]);
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn builder() -> DeployConfigurationBuilder {
        DeployConfigurationBuilder::default()
    }

    /// Reads a `deploymentconfig.json` or `.yml`, the file of `az ml model deploy --dc`, and returns a builder,
    /// so that more can be set.
    ///
    /// The file is YAML or JSON. Its keys are not those of the service: `tokenAuthEnabled` turns tokens on,
    /// `gpuCores` is at the top, `computeTargetName` names the cluster. `computeType` is required and has to be
    /// `aks`, in any case. `null` and an empty text count as absent. Keys that nothing reads become
    /// warnings of the built configuration, or are refused by
    /// [`strict`](DeployConfigurationBuilder::strict). Tags, properties and description are in no
    /// such file; give them to the builder.
    ///
    /// Reads the file, and nothing else.
    ///
    /// # Errors
    ///
    /// Refuses a file that is missing, larger than 1 MiB, neither YAML nor JSON, or that has a key twice. Everything
    /// else that is wrong with it comes at once from [`build`](DeployConfigurationBuilder::build), each with its path
    /// in the file (`autoScaler.minReplicas`): wrong types, contradictions, values out of bounds, another kind of
    /// compute.
    pub fn builder_from_file(path: impl AsRef<Path>) -> Result<DeployConfigurationBuilder, Error> {
        file::from_file(path.as_ref())
    }

    /// Reads the text of a `deploymentconfig.json` or `.yml`; see
    /// [`builder_from_file`](Self::builder_from_file).
    ///
    /// # Errors
    ///
    /// As for [`builder_from_file`](Self::builder_from_file).
    ///
    /// # Examples
    ///
    /// ```
    /// use azureml_aks::{Auth, DeployConfiguration};
    ///
    /// let text = "
    ///     computeType: aks
    ///     tokenAuthEnabled: yes
    ///     autoScaler: { autoscaleEnabled: true, minReplicas: 1, maxReplicas: 3 }
    ///     containerResourceRequirements: { cpu: 0.5, memoryInGB: 1 }
    ///     sslEnabled: true
    /// ";
    /// let config = DeployConfiguration::builder_from_text(text)?.tag("team", "vision").build()?;
    /// assert_eq!(config.auth(), Some(Auth::Token));
    /// assert_eq!(config.warnings()[0].path, "sslEnabled");
    ///
    /// let text = r#"{ "computeType": "aks", "numReplicas": 0, "gpuCores": "one" }"#;
    /// let error = DeployConfiguration::builder_from_text(text)?.build().unwrap_err();
    /// assert_eq!(error.findings()[0].path, "gpuCores");
    /// assert_eq!(error.findings()[1].path, "numReplicas");
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn builder_from_text(text: &str) -> Result<DeployConfigurationBuilder, Error> {
        file::from_text(text)
    }

    /// Returns the findings that do not refuse the configuration: settings that are allowed but probably not meant
    /// ([`Warning`](crate::error::Severity::Warning)), and checks that could not be made
    /// ([`Unknown`](crate::error::Severity::Unknown)).
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// Returns the authentication of callers, if it was set.
    #[must_use]
    pub fn auth(&self) -> Option<Auth> {
        self.given.settings.auth
    }

    /// Returns the number of replicas or their scaling, if it was set.
    #[must_use]
    pub fn replicas(&self) -> Option<&Replicas> {
        self.given.settings.replicas.as_ref()
    }

    /// Returns the smallest and the largest number of replicas, the documented defaults where they were not given.
    pub(crate) fn replica_bounds(&self) -> (u32, u32) {
        match self.replicas() {
            Some(Replicas::Fixed(count)) => (*count, *count),
            Some(Replicas::Auto(scale)) => {
                let (least, most) = scale.bounds();
                let least = least.unwrap_or(1);
                (least, most.unwrap_or(10).max(least))
            }
            None => (1, 1),
        }
    }

    /// Returns the CPU cores that each replica asks for, if they were given.
    #[must_use]
    pub fn cpu_cores(&self) -> Option<f64> {
        self.given.settings.resources.cpu_cores
    }

    /// Returns the CPU cores that a replica may use at most, if they were given.
    #[must_use]
    pub fn cpu_cores_limit(&self) -> Option<f64> {
        self.given.settings.resources.cpu_cores_limit
    }

    /// Returns the memory that each replica asks for, in GB, if it was given.
    #[must_use]
    pub fn memory_gb(&self) -> Option<f64> {
        self.given.settings.resources.memory_gb
    }

    /// Returns the memory that a replica may use at most, in GB, if it was given.
    #[must_use]
    pub fn memory_gb_limit(&self) -> Option<f64> {
        self.given.settings.resources.memory_gb_limit
    }

    /// Returns the GPUs of each replica, if they were given.
    #[must_use]
    pub fn gpu_cores(&self) -> Option<u32> {
        self.given.settings.resources.gpu_cores
    }

    /// Returns the FPGA devices of each replica, if they were given.
    #[must_use]
    pub fn fpga_devices(&self) -> Option<u32> {
        self.given.settings.resources.fpga_devices
    }

    /// Returns the liveness probe, if one was given.
    #[must_use]
    pub fn liveness_probe(&self) -> Option<&LivenessProbe> {
        self.given.settings.liveness_probe.as_ref()
    }

    /// Returns whether Application Insights is on, if it was set.
    #[must_use]
    pub fn app_insights(&self) -> Option<bool> {
        self.given.settings.app_insights
    }

    /// Returns whether data is collected, if it was set.
    #[must_use]
    pub fn collect_model_data(&self) -> Option<bool> {
        self.given.settings.collect_model_data
    }

    /// Returns the scoring timeout, if one was given.
    #[must_use]
    pub fn scoring_timeout(&self) -> Option<Duration> {
        self.given.settings.scoring_timeout
    }

    /// Returns the number of requests that a replica works on at the same time, if it was set.
    #[must_use]
    pub fn max_concurrent_requests(&self) -> Option<u32> {
        self.given.settings.max_concurrent_requests
    }

    /// Returns the longest time that a request may wait for a free replica, if it was set.
    #[must_use]
    pub fn max_queue_wait(&self) -> Option<Duration> {
        self.given.settings.max_queue_wait
    }

    /// Returns whether blobfuse mounts the models into the containers, if it was set.
    #[must_use]
    pub fn blobfuse(&self) -> Option<bool> {
        self.given.blobfuse
    }

    /// Returns the Kubernetes namespace, if one was given.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.given.settings.namespace.as_deref()
    }

    /// Returns the name of the compute target, if one was given here.
    #[must_use]
    pub fn compute_target_name(&self) -> Option<&str> {
        self.given.compute_target_name.as_deref()
    }

    /// Returns the description, if one was given.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.given.settings.description.as_deref()
    }

    /// Returns the tags, sorted by name.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(&self.given.tags)
    }

    /// Returns the properties, sorted by name.
    pub fn properties(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(&self.given.properties)
    }
}

fn pairs(map: &Tags) -> impl Iterator<Item = (&str, &str)> {
    map.iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_can_be_read_back() {
        let config = DeployConfiguration::builder()
            .cpu_cores(0.5)
            .cpu_cores_limit(1.0)
            .memory_gb(2.0)
            .memory_gb_limit(3.0)
            .gpu_cores(1)
            .fpga_devices(2)
            .liveness_probe(LivenessProbe::new())
            .app_insights(true)
            .collect_model_data(false)
            .scoring_timeout(Duration::from_secs(1))
            .max_concurrent_requests(1)
            .max_queue_wait(Duration::from_secs(2))
            .blobfuse(false)
            .namespace("scoring")
            .compute_target_name("myaks")
            .description("text")
            .tag("b", "2")
            .tags([("a", "1"), ("b", "3")])
            .property("c", "4")
            .build()
            .unwrap();
        let amounts = [
            config.cpu_cores(),
            config.cpu_cores_limit(),
            config.memory_gb(),
            config.memory_gb_limit(),
        ];
        assert_eq!(amounts, [0.5, 1.0, 2.0, 3.0].map(Some));
        assert_eq!(
            (config.gpu_cores(), config.fpga_devices()),
            (Some(1), Some(2))
        );
        assert_eq!(config.liveness_probe(), Some(&LivenessProbe::new()));
        assert_eq!(config.app_insights(), Some(true));
        assert_eq!(config.collect_model_data(), Some(false));
        assert_eq!(config.scoring_timeout(), Some(Duration::from_secs(1)));
        assert_eq!(config.max_concurrent_requests(), Some(1));
        assert_eq!(config.max_queue_wait(), Some(Duration::from_secs(2)));
        assert_eq!(config.blobfuse(), Some(false));
        assert_eq!(config.namespace(), Some("scoring"));
        assert_eq!(config.compute_target_name(), Some("myaks"));
        assert_eq!(config.description(), Some("text"));
        assert!(config.tags().eq([("a", "1"), ("b", "3")]));
        assert!(config.properties().eq([("c", "4")]));
        assert_eq!((config.auth(), config.replicas()), (None, None));
    }
}
