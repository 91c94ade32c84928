//! The configuration of an attachment.

use super::capacity;
use super::cluster::ClusterRef;
use super::load_balancer::LoadBalancer;
use super::purpose::ClusterPurpose;
use super::tls::{self, CheckedTls, Tls};
use crate::error::{Error, Finding};
use crate::facts::arm::COMPUTE_TYPE_AKS;
use crate::names::WorkspaceId;
use crate::names::tags::{self as metadata, Tags};
use crate::rules::Findings;
use serde_json::{Map, Value, json};
use std::time::SystemTime;

/// The configuration of an attachment: which cluster, and how it is to be used; valid.
///
/// Made by [`builder`](Self::builder). What was not said is not sent, and the service takes its own
/// default. Microsoft's Python client always sends a load balancer type here; this crate does so
/// only where one was given.
#[must_use = "a configuration does nothing until a cluster is attached with it"]
#[derive(Debug, Clone, PartialEq)]
pub struct AttachConfiguration {
    said: AttachConfigurationBuilder,
    tls: Option<CheckedTls>,
    warnings: Vec<Finding>,
}

impl AttachConfiguration {
    /// Starts the configuration of an attachment of `cluster`.
    ///
    /// # Examples
    ///
    /// ```
    /// use azureml_aks::{AttachConfiguration, ClusterPurpose, ClusterRef};
    ///
    /// let config = AttachConfiguration::builder(ClusterRef::named("myresourcegroup", "mycluster"))
    ///     .cluster_purpose(ClusterPurpose::DevTest)
    ///     .build()?;
    /// assert_eq!(config.cluster_purpose(), Some(&ClusterPurpose::DevTest));
    ///
    /// let error = AttachConfiguration::builder(ClusterRef::id("mycluster")).build().unwrap_err();
    /// assert_eq!(error.findings()[0].rule, "resource_id.shape");
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn builder(cluster: ClusterRef) -> AttachConfigurationBuilder {
        AttachConfigurationBuilder {
            cluster,
            nodes: None,
            cluster_purpose: None,
            tls: None,
            load_balancer: None,
            description: None,
            tags: Tags::new(),
        }
    }

    /// Returns what does not stand in the way: what is allowed but probably not meant
    /// ([`Warning`](crate::error::Severity::Warning)), and checks that could not be made
    /// ([`Unknown`](crate::error::Severity::Unknown)).
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// The cluster to attach.
    #[must_use]
    pub fn cluster(&self) -> &ClusterRef {
        &self.said.cluster
    }

    /// The size and number of the cluster's nodes, if they were given.
    #[must_use]
    pub fn nodes(&self) -> Option<(&str, u32)> {
        let (vm_size, count) = self.said.nodes.as_ref()?;
        Some((vm_size, *count))
    }

    /// The purpose, if one was given.
    #[must_use]
    pub fn cluster_purpose(&self) -> Option<&ClusterPurpose> {
        self.said.cluster_purpose.as_ref()
    }

    /// Whether TLS was asked for.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// The load balancer, if one was given.
    #[must_use]
    pub fn load_balancer(&self) -> Option<&LoadBalancer> {
        self.said.load_balancer.as_ref()
    }

    /// The description, if one was given.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.said.description.as_deref()
    }

    /// The tags, sorted by name.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        self.said
            .tags
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The resource id of the cluster; names are taken in the subscription of the workspace.
    pub(crate) fn resource_id(&self, workspace: &WorkspaceId) -> String {
        self.said.cluster.resource_id(workspace)
    }

    /// The body of the request. `location` is that of the workspace; the result may hold a private
    /// key in clear.
    pub(crate) fn body(&self, workspace: &WorkspaceId, location: &str) -> Value {
        let said = &self.said;
        let mut inner = Map::new();
        if let Some(purpose) = &said.cluster_purpose {
            inner.insert("clusterPurpose".into(), purpose.as_str().into());
        }
        if let Some(tls) = &self.tls {
            inner.insert("sslConfiguration".into(), tls.value());
        }
        if let Some(load_balancer) = &said.load_balancer {
            load_balancer.write(&mut inner);
        }

        let mut properties = Map::new();
        properties.insert("computeType".into(), COMPUTE_TYPE_AKS.into());
        properties.insert("resourceId".into(), self.resource_id(workspace).into());
        if let Some(description) = &said.description {
            properties.insert("description".into(), description.as_str().into());
        }
        if !inner.is_empty() {
            properties.insert("properties".into(), inner.into());
        }

        let mut body = json!({ "location": location, "properties": properties });
        if !said.tags.is_empty() {
            body["tags"] = metadata::tags_value(&said.tags);
        }
        body
    }
}

/// Collects what is said about an attachment.
///
/// Setters take the value as it is; [`build`](Self::build) checks all of them together.
#[must_use = "a builder does nothing until `build()`"]
#[derive(Debug, Clone, PartialEq)]
pub struct AttachConfigurationBuilder {
    cluster: ClusterRef,
    nodes: Option<(String, u32)>,
    cluster_purpose: Option<ClusterPurpose>,
    tls: Option<Tls>,
    load_balancer: Option<LoadBalancer>,
    description: Option<String>,
    tags: Tags,
}

impl AttachConfigurationBuilder {
    /// What the cluster is for. The documented default is [`ClusterPurpose::FastProd`], which asks
    /// for a cluster of at least 12 vCPUs.
    ///
    /// [`ClusterPurpose::DevTest`] is not for production: it is slower and has no fault tolerance.
    pub fn cluster_purpose(mut self, purpose: ClusterPurpose) -> Self {
        self.cluster_purpose = Some(purpose);
        self
    }

    /// What the cluster consists of: the size of its nodes, for example `Standard_D4s_v5`, and their number. It is not
    /// sent, because the service looks for itself; given here, a cluster that is too small for its purpose is refused
    /// before anything is sent.
    pub fn nodes(mut self, vm_size: impl Into<String>, count: u32) -> Self {
        self.nodes = Some((vm_size.into(), count));
        self
    }

    /// TLS of the scoring endpoint. By default there is none: a cluster that had TLS in an earlier
    /// attachment needs its certificate and key again.
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The load balancer. The documented default is a public one.
    pub fn load_balancer(mut self, load_balancer: LoadBalancer) -> Self {
        self.load_balancer = Some(load_balancer);
        self
    }

    /// A text for people.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Adds a tag, or replaces the tag of that name.
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

    /// Checks everything together. Reads the PEM files, if there are any, and nothing else.
    ///
    /// # Errors
    ///
    /// Gives all broken rules at once.
    pub fn build(self) -> Result<AttachConfiguration, Error> {
        self.build_at(SystemTime::now())
    }

    pub(crate) fn build_at(self, now: SystemTime) -> Result<AttachConfiguration, Error> {
        let mut findings = Findings::default();
        self.cluster.check(&mut findings);
        // A known purpose may come as `UnknownValue` from outside.
        let purpose = self
            .cluster_purpose
            .as_ref()
            .map(|p| ClusterPurpose::from(p.as_str()));
        if let Some(purpose) = &purpose {
            purpose.check("cluster_purpose", &mut findings);
        }
        if let Some((vm_size, count)) = &self.nodes {
            capacity::check(purpose.as_ref(), Some(vm_size), Some(*count), &mut findings);
        }
        if let Some(load_balancer) = &self.load_balancer {
            load_balancer.check(&mut findings);
        }
        let tls = self
            .tls
            .as_ref()
            .and_then(|tls| tls.check(now, &mut findings));
        if tls.as_ref().is_some_and(CheckedTls::is_leaf_domain)
            && self
                .load_balancer
                .as_ref()
                .is_some_and(LoadBalancer::is_internal)
        {
            tls::refuse_leaf_domain_behind_internal(&mut findings);
        }
        metadata::check_tags(&self.tags, &mut findings);

        let warnings = findings.finish("attach configuration")?;
        let said = Self {
            cluster_purpose: purpose,
            tls: None,
            ..self
        };
        Ok(AttachConfiguration {
            said,
            tls,
            warnings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "/subscriptions/other/resourceGroups/G/providers/Microsoft.ContainerService/managedClusters/c";

    fn workspace() -> WorkspaceId {
        WorkspaceId::parse("s", "g", "w").unwrap()
    }

    #[test]
    fn an_id_is_sent_as_it_is_given_but_for_quotation_marks() {
        for id in [ID.to_owned(), format!("{ID:?}\n")] {
            let config = AttachConfiguration::builder(ClusterRef::id(id)).build();
            assert_eq!(
                config.unwrap().body(&workspace(), "eastus"),
                json!({ "location": "eastus", "properties": { "computeType": "AKS", "resourceId": ID } })
            );
        }
    }

    #[test]
    fn names_are_taken_in_the_subscription_of_the_workspace() {
        let config = AttachConfiguration::builder(ClusterRef::named("grp", "clu"))
            .cluster_purpose(ClusterPurpose::DevTest)
            .load_balancer(LoadBalancer::internal_in("inner"))
            .description("text")
            .tag("a", "1")
            .build()
            .unwrap();
        assert_eq!(
            config.body(&workspace(), "eastus"),
            json!({
                "location": "eastus",
                "tags": { "a": "1" },
                "properties": {
                    "computeType": "AKS",
                    "resourceId": "/subscriptions/s/resourcegroups/grp/providers/Microsoft.ContainerService/managedClusters/clu",
                    "description": "text",
                    "properties": {
                        "clusterPurpose": "DevTest",
                        "loadBalancerType": "InternalLoadBalancer",
                        "loadBalancerSubnet": "inner",
                    },
                },
            })
        );
    }

    #[test]
    fn attachment_of_a_small_cluster_is_refused_where_its_nodes_are_given() {
        let config = || AttachConfiguration::builder(ClusterRef::id(ID));
        let error = config().nodes("Standard_D2s_v5", 3).build().unwrap_err();
        assert_eq!(error.findings()[0].rule, "capacity.production_minimum");
        let dev_test = config().cluster_purpose(ClusterPurpose::DevTest);
        let small = dev_test.nodes("Standard_D2s_v5", 1).build().unwrap();
        assert_eq!(small.nodes(), Some(("Standard_D2s_v5", 1)));
        let large = config().nodes("Standard_D4s_v5", 3).build().unwrap();
        assert!(large.warnings().is_empty());
        let body = large.body(&workspace(), "eastus");
        assert_eq!(body, config().build().unwrap().body(&workspace(), "eastus"));
        let unknown = config().nodes("Standard_Z4", 3).build().unwrap();
        assert_eq!(unknown.warnings()[0].rule, "capacity.not_checked");
    }

    #[test]
    fn a_cluster_that_cannot_be_one_is_refused() {
        let lower = ID.to_lowercase();
        assert!(
            AttachConfiguration::builder(ClusterRef::id(lower))
                .build()
                .is_ok()
        );
        for (cluster, paths) in [
            (
                ClusterRef::id(ID.replace("managedClusters", "openShift")),
                vec!["cluster.id"],
            ),
            (
                ClusterRef::id(format!("{ID}/agentPools/p")),
                vec!["cluster.id"],
            ),
            (ClusterRef::id(""), vec!["cluster.id"]),
            (ClusterRef::id(format!("{ID}.x")), vec!["cluster.id"]),
            (
                ClusterRef::named("", ""),
                vec!["cluster.resource_group", "cluster.name"],
            ),
            (
                ClusterRef::named("g/..", "-c"),
                vec!["cluster.resource_group", "cluster.name"],
            ),
        ] {
            let error = AttachConfiguration::builder(cluster).build().unwrap_err();
            let found: Vec<_> = error.findings().iter().map(|v| v.path.as_str()).collect();
            assert_eq!(found, paths);
        }
    }
}
