//! The configuration of an attachment.

use super::capacity;
use super::cluster::ClusterRef;
use super::common::{Common, getters, setters};
use super::load_balancer::LoadBalancer;
use super::purpose::ClusterPurpose;
use super::tls::{CheckedTls, Tls};
use crate::error::{Error, Finding};
use crate::names::WorkspaceId;
use crate::rules::Findings;
use serde_json::{Map, Value};
use std::time::SystemTime;

/// The valid configuration of an attachment: the cluster, and how it is used.
///
/// Made by [`builder`](Self::builder). A setting that was not given is not sent, and the service applies its own
/// default. Microsoft's Python client always sends a load balancer type here; this crate does so
/// only where one was given.
#[must_use = "a configuration does nothing until a cluster is attached with it"]
#[derive(Debug, Clone, PartialEq)]
pub struct AttachConfiguration {
    given: AttachConfigurationBuilder,
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
            common: Common::default(),
        }
    }

    getters!();

    /// Returns the cluster to attach.
    #[must_use]
    pub fn cluster(&self) -> &ClusterRef {
        &self.given.cluster
    }

    /// Returns the size and number of the cluster's nodes, if they were given.
    #[must_use]
    pub fn nodes(&self) -> Option<(&str, u32)> {
        let (vm_size, count) = self.given.nodes.as_ref()?;
        Some((vm_size, *count))
    }

    /// Returns the resource id of the cluster; names are taken in the subscription of the workspace.
    pub(crate) fn resource_id(&self, workspace: &WorkspaceId) -> String {
        self.given.cluster.resource_id(workspace)
    }

    /// Returns the body of the request. `location` is that of the workspace; the result may hold a private
    /// key in clear.
    pub(crate) fn body(&self, workspace: &WorkspaceId, location: &str) -> Value {
        let resource = self.resource_id(workspace).into();
        let properties = Map::from_iter([("resourceId".to_owned(), resource)]);
        let tls = self.tls.as_ref();
        self.given
            .common
            .body(tls, location, properties, Map::new())
    }
}

/// The builder of an [`AttachConfiguration`].
///
/// Setters take the value as it is; [`build`](Self::build) checks all of them together.
#[must_use = "a builder does nothing until `build()`"]
#[derive(Debug, Clone, PartialEq)]
pub struct AttachConfigurationBuilder {
    cluster: ClusterRef,
    nodes: Option<(String, u32)>,
    common: Common,
}

impl AttachConfigurationBuilder {
    setters! {
        AttachConfiguration,
        purpose
        /// Sets the purpose of the cluster. The documented default is [`ClusterPurpose::FastProd`], which asks
        /// for a cluster of at least 12 vCPUs.
        ///
        /// [`ClusterPurpose::DevTest`] is not for production: it is slower and has no fault tolerance.
        tls
        /// Sets TLS of the scoring endpoint. By default there is none: a cluster that had TLS in an earlier
        /// attachment needs its certificate and key again.
    }

    /// Sets the size of the cluster's nodes, for example `Standard_D4s_v5`, and their number. They are not
    /// sent, because the service reads them itself; if they are set, a cluster that is too small for its purpose is
    /// refused before anything is sent.
    pub fn nodes(mut self, vm_size: impl Into<String>, count: u32) -> Self {
        self.nodes = Some((vm_size.into(), count));
        self
    }

    pub(crate) fn build_at(mut self, now: SystemTime) -> Result<AttachConfiguration, Error> {
        let mut findings = Findings::default();
        self.cluster.check(&mut findings);
        self.common.check_purpose(&mut findings);
        if let Some((vm_size, count)) = &self.nodes {
            let purpose = self.common.purpose.as_ref();
            capacity::check(purpose, Some(vm_size), Some(*count), &mut findings);
        }
        let tls = self.common.check(now, &mut findings);
        let warnings = findings.finish("attach configuration")?;
        Ok(AttachConfiguration {
            given: self,
            tls,
            warnings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "/subscriptions/other/resourceGroups/G/providers/Microsoft.ContainerService/managedClusters/c";

    fn workspace() -> WorkspaceId {
        WorkspaceId::parse("s", "g", "w").unwrap()
    }

    #[test]
    fn id_is_sent_as_it_is_given_but_for_quotation_marks() {
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
    fn invalid_cluster_is_refused() {
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
