//! The configuration of an attachment.

use super::cluster::KubernetesClusterRef;
use super::identity::KubernetesIdentity;
use super::instance_type::{self, InstanceType};
use crate::error::{Error, Finding};
use crate::facts::arm::COMPUTE_TYPE_KUBERNETES;
#[cfg(feature = "services")]
use crate::json::file::Reading;
use crate::names::tags::{self, Tags};
use crate::names::{WorkspaceId, namespace};
use crate::rules::Findings;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
#[cfg(feature = "services")]
use std::path::Path;

/// The namespace of an attachment for which none was given. Microsoft's client always sends one.
const DEFAULT_NAMESPACE: &str = "default";

/// The valid configuration of an attachment of kind Kubernetes: the cluster, and how it is used.
///
/// Made by [`builder`](Self::builder). A setting that was not given is not sent, and the service applies its own default;
/// only the namespace is always sent.
#[must_use = "a configuration does nothing until a cluster is attached with it"]
#[derive(Debug, Clone, PartialEq)]
pub struct KubernetesAttachConfiguration {
    given: KubernetesAttachConfigurationBuilder,
    warnings: Vec<Finding>,
}

impl KubernetesAttachConfiguration {
    /// Starts the configuration of an attachment of `cluster`: a [`KubernetesClusterRef`] or a
    /// [`ClusterRef`](crate::ClusterRef).
    ///
    /// ```
    /// use azureml_aks::{KubernetesAttachConfiguration, KubernetesClusterRef, KubernetesIdentity};
    ///
    /// let cluster = || KubernetesClusterRef::managed("myresourcegroup", "mycluster");
    /// let config = KubernetesAttachConfiguration::builder(cluster())
    ///     .namespace("scoring")
    ///     .identity(KubernetesIdentity::SystemAssigned)
    ///     .build()?;
    /// assert_eq!(config.namespace(), "scoring");
    ///
    /// let error = KubernetesAttachConfiguration::builder(cluster())
    ///     .namespace("Scoring")
    ///     .default_instance_type("GPU")
    ///     .build()
    ///     .unwrap_err();
    /// assert_eq!(error.findings().len(), 2);
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn builder(
        cluster: impl Into<KubernetesClusterRef>,
    ) -> KubernetesAttachConfigurationBuilder {
        KubernetesAttachConfigurationBuilder::new(cluster.into())
    }

    /// Starts from the file of `az ml compute attach -f`, as YAML or JSON, for a compute of the type `kubernetes`.
    ///
    /// Its keys are those of the documentation (`type`, `name`, `resource_id`, `namespace`, `description`, `identity`), and
    /// `properties` with `defaultInstanceType` and `instanceTypes`. `$schema` and `location` have no effect. An unknown key
    /// is a warning. Findings name the path in the file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) for a file that cannot be read or is not an object. Findings
    /// about its members are errors of [`build`](KubernetesAttachConfigurationBuilder::build), all at once.
    #[cfg(feature = "services")]
    pub fn builder_from_file(
        path: impl AsRef<Path>,
    ) -> Result<KubernetesAttachConfigurationBuilder, Error> {
        super::file::from_file(path.as_ref())
    }

    /// Starts from the text of such a file: see [`builder_from_file`](Self::builder_from_file).
    ///
    /// ```
    /// use azureml_aks::KubernetesAttachConfiguration;
    ///
    /// let config = KubernetesAttachConfiguration::builder_from_text(
    ///     "type: kubernetes
    /// name: kube
    /// resource_id: /subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c
    /// namespace: scoring",
    /// )?
    /// .build()?;
    /// assert_eq!((config.name(), config.namespace()), (Some("kube"), "scoring"));
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) for a text that is not an object in YAML or JSON.
    #[cfg(feature = "services")]
    pub fn builder_from_text(text: &str) -> Result<KubernetesAttachConfigurationBuilder, Error> {
        super::file::from_text(text)
    }

    /// Returns the name of the compute, if the configuration was read from a file with a name.
    #[cfg(feature = "services")]
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.given.name.as_deref()
    }

    /// Returns the findings that do not make the configuration invalid: settings that are allowed but probably not meant.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// Returns the cluster to attach.
    #[must_use]
    pub fn cluster(&self) -> &KubernetesClusterRef {
        &self.given.cluster
    }

    /// Returns the namespace: the given one, or `default`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.given.namespace.as_deref().unwrap_or(DEFAULT_NAMESPACE)
    }

    /// Returns the managed identity, if one was given.
    #[must_use]
    pub fn identity(&self) -> Option<&KubernetesIdentity> {
        self.given.identity.as_ref()
    }

    /// Returns the default instance type, if one was given.
    #[must_use]
    pub fn default_instance_type(&self) -> Option<&str> {
        self.given.default_instance_type.as_deref()
    }

    /// Returns the instance types, sorted by name.
    pub fn instance_types(&self) -> impl Iterator<Item = (&str, &InstanceType)> {
        let types = self.given.instance_types.iter();
        types.map(|(name, instance_type)| (name.as_str(), instance_type))
    }

    /// Returns the description, if one was given.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.given.description.as_deref()
    }

    /// Returns the tags, sorted by name.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        let tags = self.given.tags.iter();
        tags.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the body of the request. `location` is that of the workspace.
    pub(super) fn body(&self, workspace: &WorkspaceId, location: &str) -> Value {
        let given = &self.given;
        let mut inner = Map::new();
        inner.insert("namespace".into(), self.namespace().into());
        if let Some(default) = &given.default_instance_type {
            inner.insert("defaultInstanceType".into(), default.as_str().into());
        }
        if !given.instance_types.is_empty() {
            let types = given.instance_types.iter();
            let types = types.map(|(name, one)| (name.clone(), one.value()));
            inner.insert("instanceTypes".into(), types.collect::<Map<_, _>>().into());
        }
        let mut properties = json!({
            "computeType": COMPUTE_TYPE_KUBERNETES,
            "resourceId": given.cluster.resource_id(workspace),
            "properties": inner,
        });
        if let Some(description) = &given.description {
            properties["description"] = description.as_str().into();
        }
        let mut body = json!({ "location": location, "properties": properties });
        if let Some(identity) = &given.identity {
            body["identity"] = identity.value();
        }
        if !given.tags.is_empty() {
            body["tags"] = tags::tags_value(&given.tags);
        }
        body
    }
}

/// The builder of a [`KubernetesAttachConfiguration`].
///
/// Setters take the value as it is; [`build`](Self::build) checks all of them together.
#[must_use = "a builder does nothing until `build()`"]
#[derive(Debug, Clone, PartialEq)]
pub struct KubernetesAttachConfigurationBuilder {
    pub(super) cluster: KubernetesClusterRef,
    pub(super) namespace: Option<String>,
    pub(super) identity: Option<KubernetesIdentity>,
    pub(super) default_instance_type: Option<String>,
    pub(super) instance_types: BTreeMap<String, InstanceType>,
    pub(super) description: Option<String>,
    tags: Tags,
    /// The name that a file gives.
    #[cfg(feature = "services")]
    pub(super) name: Option<String>,
    /// The findings about the file that was read.
    #[cfg(feature = "services")]
    pub(super) file: Reading,
}

impl KubernetesAttachConfigurationBuilder {
    pub(super) fn new(cluster: KubernetesClusterRef) -> Self {
        Self {
            cluster,
            namespace: None,
            identity: None,
            default_instance_type: None,
            instance_types: BTreeMap::new(),
            description: None,
            tags: Tags::new(),
            #[cfg(feature = "services")]
            name: None,
            #[cfg(feature = "services")]
            file: Reading::default(),
        }
    }

    /// Sets the namespace of the cluster in which jobs and deployments run. The default is `default`. It must be there:
    /// nobody creates it, and the attach does not check it.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Sets the managed identity. By default there is none.
    pub fn identity(mut self, identity: KubernetesIdentity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Sets the instance type of jobs and deployments that name none. The documented default is `defaultinstancetype`.
    pub fn default_instance_type(mut self, name: impl Into<String>) -> Self {
        self.default_instance_type = Some(name.into());
        self
    }

    /// Adds an instance type, or replaces the one of that name.
    pub fn instance_type(mut self, name: impl Into<String>, instance_type: InstanceType) -> Self {
        self.instance_types.insert(name.into(), instance_type);
        self
    }

    /// Sets the description, a text for people.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    tags::tag_setters!(tags);

    /// Checks everything together. No I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) with all broken rules at once.
    pub fn build(self) -> Result<KubernetesAttachConfiguration, Error> {
        let mut findings = Findings::default();
        self.cluster.check(&mut findings);
        if let Some(name) = &self.namespace {
            findings.extend(namespace("namespace", name));
        }
        if let Some(identity) = &self.identity {
            identity.check(&mut findings);
        }
        let default = self.default_instance_type.as_deref();
        instance_type::check(self.instance_types.iter(), default, &mut findings);
        tags::check_tags(&self.tags, &mut findings);
        let what = "attach configuration";
        #[cfg(feature = "services")]
        let ((), warnings) = self.file.finish(Some(()), findings, None, what)?;
        #[cfg(not(feature = "services"))]
        let warnings = findings.finish(what)?;
        Ok(KubernetesAttachConfiguration {
            given: self,
            warnings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::ClusterRef;

    const MANAGED: &str =
        "/subscriptions/s/resourceGroups/G/providers/Microsoft.ContainerService/managedClusters/c";
    const CONNECTED: &str =
        "/subscriptions/s/resourceGroups/G/providers/Microsoft.Kubernetes/connectedClusters/c.d";
    const IDENTITY: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";

    fn body(builder: KubernetesAttachConfigurationBuilder) -> Value {
        let workspace = WorkspaceId::parse("s", "g", "w").unwrap();
        builder.build().unwrap().body(&workspace, "eastus")
    }

    fn of(cluster: impl Into<KubernetesClusterRef>) -> KubernetesAttachConfigurationBuilder {
        KubernetesAttachConfiguration::builder(cluster)
    }

    #[test]
    fn plain_body_is_that_of_microsofts_client_without_a_location_of_the_cluster() {
        assert_eq!(
            body(of(KubernetesClusterRef::id(MANAGED))),
            json!({ "location": "eastus", "properties": {
                "computeType": "Kubernetes", "resourceId": MANAGED, "properties": { "namespace": "default" },
            } })
        );
    }

    #[test]
    fn body_has_every_setting_where_the_service_reads_it() {
        let gpu = InstanceType::new()
            .node_label("agentpool", "gpu")
            .request("cpu", "100m")
            .limit("nvidia.com/gpu", "1");
        let all = of(KubernetesClusterRef::connected("grp", "edge"))
            .namespace("scoring")
            .identity(KubernetesIdentity::user_assigned(format!("{IDENTITY:?}")))
            .default_instance_type("gpu")
            .instance_type("gpu", gpu)
            .instance_type("plain", InstanceType::new())
            .description("text")
            .tag("a", "1");
        assert_eq!(
            body(all),
            json!({
                "location": "eastus",
                "identity": { "type": "UserAssigned", "userAssignedIdentities": { IDENTITY: {} } },
                "tags": { "a": "1" },
                "properties": {
                    "computeType": "Kubernetes",
                    "resourceId": "/subscriptions/s/resourceGroups/grp/providers/Microsoft.Kubernetes/connectedClusters/edge",
                    "description": "text",
                    "properties": {
                        "namespace": "scoring",
                        "defaultInstanceType": "gpu",
                        "instanceTypes": {
                            "gpu": {
                                "nodeSelector": { "agentpool": "gpu" },
                                "resources": { "requests": { "cpu": "100m" }, "limits": { "nvidia.com/gpu": "1" } },
                            },
                            "plain": {},
                        },
                    },
                },
            })
        );
        for (identity, expected) in [
            (KubernetesIdentity::None, "None"),
            (KubernetesIdentity::SystemAssigned, "SystemAssigned"),
        ] {
            let body = body(of(KubernetesClusterRef::id(CONNECTED)).identity(identity));
            assert_eq!(body["identity"], json!({ "type": expected }));
        }
    }

    #[test]
    fn cluster_of_aks_is_referred_to_as_for_kind_aks() {
        let named = || ClusterRef::named("grp", "clu");
        assert_eq!(
            body(of(named())),
            body(of(KubernetesClusterRef::managed("grp", "clu")))
        );
        assert_eq!(
            body(of(ClusterRef::id(MANAGED))),
            body(of(KubernetesClusterRef::id(MANAGED)))
        );
    }

    #[test]
    fn every_broken_rule_comes_at_once() {
        let subnet = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n";
        let error = of(KubernetesClusterRef::id(subnet))
            .namespace("-")
            .identity(KubernetesIdentity::user_assigned(MANAGED))
            .default_instance_type("Large")
            .instance_type("Small", InstanceType::new().request("gpu", "x"))
            .tag("", "")
            .build()
            .unwrap_err();
        let found: Vec<(&str, &str)> = error
            .findings()
            .iter()
            .map(|finding| (finding.rule, finding.path.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("resource_id.type", "cluster.id"),
                ("namespace.syntax", "namespace"),
                ("resource_id.type", "identity.user_assigned"),
                ("instance_type.name", "instance_types"),
                (
                    "instance_type.resource",
                    "instance_types.Small.requests.gpu"
                ),
                (
                    "instance_type.quantity",
                    "instance_types.Small.requests.gpu"
                ),
                ("instance_type.name", "default_instance_type"),
                ("tags.name", "tags"),
            ]
        );
        assert!(error.findings()[0].remedy.contains("connectedClusters"));
    }

    #[test]
    fn invalid_cluster_is_refused() {
        for id in [MANAGED, CONNECTED] {
            let lower = id.to_lowercase();
            assert!(of(KubernetesClusterRef::id(lower)).build().is_ok());
        }
        for (cluster, rule) in [
            (KubernetesClusterRef::id(""), "resource_id.shape"),
            (
                KubernetesClusterRef::id(format!("{MANAGED}/agentPools/p")),
                "resource_id.type",
            ),
            (
                KubernetesClusterRef::id(format!("{MANAGED}.x")),
                "cluster.name",
            ),
            (KubernetesClusterRef::managed("g", "-c"), "cluster.name"),
            (
                KubernetesClusterRef::connected("g/..", "c"),
                "segment.characters",
            ),
            (KubernetesClusterRef::connected("g", ""), "segment.empty"),
        ] {
            let error = of(cluster.clone()).build().unwrap_err();
            assert_eq!(error.findings()[0].rule, rule, "{cluster:?}");
            assert_eq!(error.findings().len(), 1, "{cluster:?}");
        }
    }

    #[test]
    fn default_that_is_not_listed_is_a_warning() {
        let with = |default: &str| {
            of(KubernetesClusterRef::id(MANAGED))
                .default_instance_type(default)
                .instance_type("gpu", InstanceType::new())
                .build()
                .unwrap()
        };
        assert!(with("gpu").warnings().is_empty());
        let rule = "instance_type.default_not_listed";
        assert_eq!(with("cpu").warnings()[0].rule, rule);
        let alone = of(KubernetesClusterRef::id(MANAGED)).default_instance_type("cpu");
        assert!(alone.build().unwrap().warnings().is_empty());
    }
}
