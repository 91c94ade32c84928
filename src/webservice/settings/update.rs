//! The changes of an update of a service.

use super::shared::{self, Settings};
use crate::error::{Error, Finding};
use crate::names::tags::{TagChanges, Tags};
use crate::rules::{self, Findings};

/// The changes of an update of a service; valid, and at least one.
///
/// Only members that were set are sent, one by one; everything else stays as it is. Keys are not
/// changed by an update, but regenerated. Only one operation on a service runs at a time.
#[must_use = "an update does nothing until a service is updated with it"]
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceUpdate {
    pub(super) given: ServiceUpdateBuilder,
    warnings: Vec<Finding>,
}

impl ServiceUpdate {
    /// Starts an update that changes nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use azureml_aks::{Auth, AutoScale, ServiceUpdate};
    ///
    /// ServiceUpdate::builder()
    ///     .auth(Auth::Token)
    ///     .replicas(AutoScale::new().max_replicas(20))
    ///     .tag("team", "vision")
    ///     .build()?;
    ///
    /// let error = ServiceUpdate::builder().build().unwrap_err();
    /// assert_eq!(error.findings()[0].rule, "service_update.nothing");
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn builder() -> ServiceUpdateBuilder {
        ServiceUpdateBuilder::default()
    }

    /// Returns the update as a builder, to change something else, too.
    pub fn into_builder(self) -> ServiceUpdateBuilder {
        self.given
    }

    /// Returns the findings that do not refuse the update: changes that are allowed but probably not meant
    /// ([`Warning`](crate::error::Severity::Warning)), and checks that could not be made
    /// ([`Unknown`](crate::error::Severity::Unknown)).
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }
}

/// The changes of models, code and environment, as far as the rules of an update need them. Their new
/// values are made elsewhere, and come with the patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeChange {
    /// A new inference configuration, with new models or with those that the service has.
    Inference,
    /// New models alone.
    Models {
        count: usize,
        /// Set if their frameworks need no inference configuration.
        no_code: bool,
    },
}

/// A builder of a [`ServiceUpdate`].
#[must_use = "a builder does nothing until `build()`"]
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServiceUpdateBuilder {
    pub(super) settings: Settings,
    pub(super) tags: TagChanges,
    pub(super) properties: Tags,
    code: Option<CodeChange>,
}

shared::setters!(ServiceUpdateBuilder);

impl ServiceUpdateBuilder {
    /// Adds a tag, or replaces the tag of that name. The other tags stay.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.single.insert(name.into(), Some(value.into()));
        self
    }

    /// Removes the tag of that name, if it exists. The other tags stay.
    pub fn remove_tag(mut self, name: impl Into<String>) -> Self {
        self.tags.single.insert(name.into(), None);
        self
    }

    /// Replaces all tags by these. Tags that are added or removed one by one are applied afterwards.
    pub fn replace_tags<K: Into<String>, V: Into<String>>(
        mut self,
        tags: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.tags.all = Some(
            tags.into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        );
        self
    }

    /// Adds a property. An existing property of the service keeps its value: adding it with another value
    /// is refused when the update is sent.
    pub fn property(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(name.into(), value.into());
        self
    }

    /// Sets that models, code or environment change too.
    pub(crate) fn with_code(mut self, code: CodeChange) -> Self {
        self.code = Some(code);
        self
    }

    /// Checks everything together.
    ///
    /// Rules that depend on the service as it is now are checked when the update is sent.
    ///
    /// # Errors
    ///
    /// Gives all broken rules at once; to change nothing is one.
    pub fn build(self) -> Result<ServiceUpdate, Error> {
        let mut findings = Findings::default();
        if self.is_empty() {
            refuse_nothing(&mut findings);
        }
        if let Some(CodeChange::Models { count, no_code }) = self.code
            && !(count == 1 && no_code)
        {
            findings.refuse(
                rules::SERVICE_UPDATE_MODELS,
                "models",
                Some(&count.to_string()),
                "new models come without an inference configuration",
                "give the inference configuration too; only one model of a framework that needs no code can come alone",
            );
        }
        self.settings.check(&mut findings);
        shared::check_metadata("tags", self.tags.names(), &mut findings);
        shared::check_metadata("properties", self.properties.keys(), &mut findings);
        let warnings = findings.finish(WHAT)?;
        Ok(ServiceUpdate {
            given: self,
            warnings,
        })
    }

    fn is_empty(&self) -> bool {
        self.code.is_none()
            && self.settings == Settings::default()
            && self.tags.is_empty()
            && self.properties.is_empty()
    }
}

pub(super) const WHAT: &str = "service update";

pub(super) fn refuse_nothing(findings: &mut Findings) {
    findings.refuse(
        rules::SERVICE_UPDATE_NOTHING,
        "update",
        None,
        "the update changes nothing",
        "set what should change",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_come_with_an_inference_configuration_or_are_one_that_needs_none() {
        for (code, fits) in [
            (CodeChange::Inference, true),
            (
                CodeChange::Models {
                    count: 1,
                    no_code: true,
                },
                true,
            ),
            (
                CodeChange::Models {
                    count: 1,
                    no_code: false,
                },
                false,
            ),
            (
                CodeChange::Models {
                    count: 2,
                    no_code: true,
                },
                false,
            ),
            (
                CodeChange::Models {
                    count: 0,
                    no_code: true,
                },
                false,
            ),
        ] {
            let built = ServiceUpdate::builder().with_code(code).build();
            match built {
                Ok(_) => assert!(fits, "{code:?}"),
                Err(error) => {
                    assert!(!fits, "{code:?}");
                    assert_eq!(error.findings()[0].rule, "service_update.models_alone");
                }
            }
        }
    }

    #[test]
    fn update_warns_of_odd_settings_and_reports_all_wrong_ones_at_once() {
        let update = ServiceUpdate::builder().max_concurrent_requests(2).build();
        let update = update.unwrap();
        assert_eq!(update.warnings()[0].rule, "deploy.concurrency.above_one");
        // What the service has as its largest number is not known here.
        let scale = crate::webservice::settings::AutoScale::new().min_replicas(50);
        let update = ServiceUpdate::builder().replicas(scale).build().unwrap();
        assert_eq!(update.warnings(), []);

        let error = ServiceUpdate::builder()
            .cpu_cores(-1.0)
            .tag("", "x")
            .property("", "x")
            .replace_tags([(" ", "x")])
            .build()
            .unwrap_err();
        let found = error.findings().iter();
        let found: Vec<_> = found
            .map(|found| (found.path.as_str(), found.rule))
            .collect();
        assert_eq!(
            found,
            [
                ("cpu_cores", "deploy.resources.amount"),
                ("tags", "deploy.metadata.name"),
                ("properties", "deploy.metadata.name"),
            ]
        );
    }
}
