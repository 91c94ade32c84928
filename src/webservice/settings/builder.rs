//! The builder of the configuration of a new service.

use super::auth::Keys;
use super::configuration::DeployConfiguration;
use super::shared::{self, Settings};
use crate::error::Error;
use crate::json::file::Reading;
use crate::names::ComputeName;
use crate::names::tags::Tags;
use crate::rules::{self, Findings};
use azure_core::credentials::Secret;

/// A builder of a [`DeployConfiguration`].
#[must_use = "a builder does nothing until `build()`"]
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeployConfigurationBuilder {
    pub(super) settings: Settings,
    pub(super) keys: Keys,
    pub(super) blobfuse: Option<bool>,
    pub(super) compute_target_name: Option<String>,
    pub(super) tags: Tags,
    pub(super) properties: Tags,
    /// The findings about the file that was read.
    pub(super) file: Reading,
    pub(super) strict: bool,
}

shared::setters!(DeployConfigurationBuilder);

impl DeployConfigurationBuilder {
    /// Sets the primary key of a service with key authentication. The service makes one where none is
    /// given.
    pub fn primary_key(mut self, key: impl Into<Secret>) -> Self {
        self.keys.primary = Some(key.into());
        self
    }

    /// Sets the secondary key of a service with key authentication. The service makes one where none is
    /// given.
    pub fn secondary_key(mut self, key: impl Into<Secret>) -> Self {
        self.keys.secondary = Some(key.into());
        self
    }

    /// Sets whether blobfuse mounts the models into the containers. The documented default is `true`.
    ///
    /// No published description of the service has this member; `azureml-core` 1.61 sends its negation,
    /// `storageInitEnabled`.
    pub fn blobfuse(mut self, enabled: bool) -> Self {
        self.blobfuse = Some(enabled);
        self
    }

    /// Sets the name of the compute target to deploy to, as `computeTargetName` of a
    /// `deploymentconfig.json` gives it. A target that is passed to the verb wins.
    pub fn compute_target_name(mut self, name: impl AsRef<str>) -> Self {
        self.compute_target_name = Some(name.as_ref().to_owned());
        self
    }

    /// Adds a tag, or replaces the tag of that name. Tags can be changed later.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }

    /// Adds tags, each replacing the tag of its name.
    pub fn tags<K: Into<String>, V: Into<String>>(
        mut self,
        tags: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.tags.extend(
            tags.into_iter()
                .map(|(name, value)| (name.into(), value.into())),
        );
        self
    }

    /// Adds a property, or replaces the property of that name. The properties of a service cannot be
    /// changed once it is made; more can be added.
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(name.into(), value.into());
        self
    }

    /// Adds properties, each replacing the property of its name.
    pub fn properties<K: Into<String>, V: Into<String>>(
        mut self,
        properties: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.properties.extend(
            properties
                .into_iter()
                .map(|(name, value)| (name.into(), value.into())),
        );
        self
    }

    /// Sets whether `build()` refuses a file with keys that are not read, instead of warning about them.
    /// The default is `false`: Python ignores such keys.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Checks everything together.
    ///
    /// # Errors
    ///
    /// Reports all broken rules at once, including those that a file breaks. A builder that was read from a file names
    /// each setting by its path there, even one that was set later.
    pub fn build(self) -> Result<DeployConfiguration, Error> {
        let mut findings = Findings::default();
        self.check(&mut findings);
        let strict = self.strict.then_some(rules::DEPLOY_FILE_STRICT);
        let what = "deployment configuration";
        let ((), warnings) = self.file.finish(Some(()), findings, strict, what)?;
        Ok(DeployConfiguration {
            given: self,
            warnings,
        })
    }

    fn check(&self, findings: &mut Findings) {
        self.settings.check(findings);
        if let Some(replicas) = &self.settings.replicas {
            replicas.advise_new(findings);
        }
        self.keys.check(self.settings.auth, findings);
        if let Some(name) = &self.compute_target_name
            && let Err(found) = ComputeName::existing("compute_target_name", name)
        {
            findings.extend(found);
        }
        shared::check_metadata("tags", self.tags.keys(), findings);
        shared::check_metadata("properties", self.properties.keys(), findings);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webservice::settings::{Auth, AutoScale, LivenessProbe};
    use std::time::Duration;

    fn warned(builder: DeployConfigurationBuilder) -> Vec<(String, &'static str)> {
        let config = builder.build().unwrap();
        let warnings = config.warnings().iter();
        warnings
            .map(|warning| (warning.path.clone(), warning.rule))
            .collect()
    }

    #[test]
    fn read_is_requested_only_where_one_is_due() {
        let new = DeployConfiguration::builder;
        let probe = |successes| LivenessProbe::new().success_threshold(successes);
        for plain in [
            new(),
            new().max_concurrent_requests(1),
            new().liveness_probe(probe(1)),
            new().primary_key("x"),
            new().auth(Auth::Key).secondary_key("x"),
            new().auth(Auth::Disabled),
            new().replicas(20),
        ] {
            assert_eq!(warned(plain), []);
        }
        for (odd, path, rule) in [
            (
                new().max_concurrent_requests(2),
                "max_concurrent_requests",
                "deploy.concurrency.above_one",
            ),
            (
                new().liveness_probe(probe(2)),
                "liveness_probe.success_threshold",
                "deploy.probe.success_threshold",
            ),
            (
                new().auth(Auth::Token).secondary_key("x"),
                "secondary_key",
                "deploy.keys.unused",
            ),
            (
                new().auth(Auth::Disabled).primary_key("x"),
                "primary_key",
                "deploy.keys.unused",
            ),
            (
                new().replicas(AutoScale::new().min_replicas(11)),
                "replicas.max_replicas",
                "deploy.replicas.default_maximum",
            ),
        ] {
            assert_eq!(warned(odd), [(path.to_owned(), rule)]);
        }
    }

    #[test]
    fn all_violations_are_reported_at_once_and_no_key_is_shown() {
        let error = DeployConfiguration::builder()
            .compute_target_name("a/b")
            .memory_gb(f64::NAN)
            .scoring_timeout(Duration::from_millis(300_001))
            .namespace("-")
            .primary_key("CANARY")
            .secondary_key("")
            .tag("", "x")
            .property("", "x")
            .build()
            .unwrap_err();
        let found = error.findings().iter();
        let found: Vec<_> = found
            .map(|found| (found.path.as_str(), found.rule))
            .collect();
        assert_eq!(
            found,
            [
                ("memory_gb", "deploy.resources.amount"),
                ("scoring_timeout", "deploy.scoring_timeout.maximum"),
                ("namespace", "namespace.syntax"),
                ("secondary_key", "deploy.keys.empty"),
                ("compute_target_name", "segment.characters"),
                ("tags", "deploy.metadata.name"),
                ("properties", "deploy.metadata.name"),
            ]
        );
        assert!(!format!("{error:?}").contains("CANARY"));
    }
}
