//! The common parts of the configurations of a new cluster and of an attachment.

use super::load_balancer::LoadBalancer;
use super::purpose::ClusterPurpose;
use super::tls::{self, CheckedTls, Tls};
use crate::facts::arm::COMPUTE_TYPE_AKS;
use crate::names::tags::{self, Tags};
use crate::rules::Findings;
use serde_json::{Map, Value, json};
use std::time::SystemTime;

/// The settings of both.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Common {
    pub(super) purpose: Option<ClusterPurpose>,
    pub(super) tls: Option<Tls>,
    pub(super) load_balancer: Option<LoadBalancer>,
    pub(super) description: Option<String>,
    pub(super) tags: Tags,
}

impl Common {
    pub(super) fn check_purpose(&mut self, findings: &mut Findings) {
        if let Some(purpose) = &mut self.purpose {
            // A known one may come as `UnknownValue` from outside.
            *purpose = ClusterPurpose::from(purpose.as_str());
            purpose.check("cluster_purpose", findings);
        }
    }

    /// Checks the rest, and returns the part of TLS that is sent.
    pub(super) fn check(&mut self, now: SystemTime, findings: &mut Findings) -> Option<CheckedTls> {
        let load_balancer = self.load_balancer.as_ref();
        if let Some(load_balancer) = load_balancer {
            load_balancer.check(findings);
        }
        let tls = self.tls.take().and_then(|tls| tls.check(now, findings));
        if tls.as_ref().is_some_and(CheckedTls::is_leaf_domain)
            && load_balancer.is_some_and(LoadBalancer::is_internal)
        {
            tls::refuse_leaf_domain_behind_internal(findings);
        }
        tags::check_tags(&self.tags, findings);
        tls
    }

    /// Returns the body of the request, with the members of only one configuration. `location` is that of the
    /// workspace; the result may hold a private key in clear.
    pub(super) fn body(
        &self,
        tls: Option<&CheckedTls>,
        location: &str,
        mut properties: Map<String, Value>,
        mut inner: Map<String, Value>,
    ) -> Value {
        if let Some(purpose) = &self.purpose {
            inner.insert("clusterPurpose".into(), purpose.as_str().into());
        }
        if let Some(tls) = tls {
            inner.insert("sslConfiguration".into(), tls.value());
        }
        if let Some(load_balancer) = &self.load_balancer {
            load_balancer.write(&mut inner);
        }
        properties.insert("computeType".into(), COMPUTE_TYPE_AKS.into());
        if let Some(description) = &self.description {
            properties.insert("description".into(), description.as_str().into());
        }
        if !inner.is_empty() {
            properties.insert("properties".into(), inner.into());
        }
        let mut body = json!({ "location": location, "properties": properties });
        if !self.tags.is_empty() {
            body["tags"] = tags::tags_value(&self.tags);
        }
        body
    }
}

/// The getters of both.
macro_rules! getters {
    () => {
        /// Returns the findings that do not make the configuration invalid: settings that are allowed but probably not
        /// meant ([`Warning`](crate::error::Severity::Warning)), and checks that could not be made
        /// ([`Unknown`](crate::error::Severity::Unknown)).
        #[must_use]
        pub fn warnings(&self) -> &[Finding] {
            &self.warnings
        }

        /// Returns the purpose, if one was given.
        #[must_use]
        pub fn cluster_purpose(&self) -> Option<&ClusterPurpose> {
            self.given.common.purpose.as_ref()
        }

        /// Returns whether TLS was set.
        #[must_use]
        pub fn has_tls(&self) -> bool {
            self.tls.is_some()
        }

        /// Returns the load balancer, if one was given.
        #[must_use]
        pub fn load_balancer(&self) -> Option<&LoadBalancer> {
            self.given.common.load_balancer.as_ref()
        }

        /// Returns the description, if one was given.
        #[must_use]
        pub fn description(&self) -> Option<&str> {
            self.given.common.description.as_deref()
        }

        /// Returns the tags, sorted by name.
        pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
            let tags = self.given.common.tags.iter();
            tags.map(|(name, value)| (name.as_str(), value.as_str()))
        }
    };
}
pub(super) use getters;

/// The setters of both.
macro_rules! setters {
    (
        $configuration:ty,
        purpose $(#[$purpose:meta])*
        tls $(#[$tls:meta])*
    ) => {
        $(#[$purpose])*
        pub fn cluster_purpose(mut self, purpose: ClusterPurpose) -> Self {
            self.common.purpose = Some(purpose);
            self
        }

        $(#[$tls])*
        pub fn tls(mut self, tls: Tls) -> Self {
            self.common.tls = Some(tls);
            self
        }

        /// Sets the load balancer. The documented default is a public one.
        pub fn load_balancer(mut self, load_balancer: LoadBalancer) -> Self {
            self.common.load_balancer = Some(load_balancer);
            self
        }

        /// Sets the description, a text for people.
        pub fn description(mut self, description: impl Into<String>) -> Self {
            self.common.description = Some(description.into());
            self
        }

        crate::names::tags::tag_setters!(common.tags);

        /// Checks everything together. Reads the PEM files, if there are any, and nothing else.
        ///
        /// # Errors
        ///
        /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) with all broken rules at once.
        pub fn build(self) -> Result<$configuration, Error> {
            self.build_at(SystemTime::now())
        }
    };
}
pub(super) use setters;
