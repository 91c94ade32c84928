//! A cluster, as the service gives it.

use super::pool::{NodePool, PowerState};
use crate::json::lenient::{Object, object, or_default};
use crate::json::{Document, Item, kept, twin};
use serde::de::MapAccess;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

twin! {
    ClusterMembers reads
    /// An AKS cluster.
    ///
    /// Read leniently: a member of another type than here counts as absent.
    ///
    /// The whole document is kept as the service wrote it, without secret members, and `Serialize` writes it,
    /// as it does for a [`ComputeResource`](crate::models::ComputeResource). `Deserialize` reads JSON only. `Debug`
    /// shows the fields without `identity`.
    #[derive(Clone, PartialEq, Default)]
    #[non_exhaustive]
    pub struct ClusterResource {
        /// The ARM id, in the service's spelling.
        // Not lenient: without a readable id, one cluster cannot be distinguished from another.
        pub id: String,
        /// The name in the resource group.
        #[serde(deserialize_with = "or_default")]
        pub name: String,
        /// The region.
        #[serde(deserialize_with = "or_default")]
        pub location: Option<String>,
        /// Tags; those without a text value are left out.
        #[serde(deserialize_with = "or_default")]
        pub tags: BTreeMap<String, String>,
        /// `Base` or `Automatic`: an open set.
        #[serde(deserialize_with = "or_default")]
        pub kind: Option<String>,
        /// The offer.
        #[serde(deserialize_with = "or_default")]
        pub sku: ClusterSku,
        /// The managed identity, as the service wrote it; `None` where a service principal is used.
        pub identity: Option<Value>,
        /// The properties of the cluster.
        #[serde(deserialize_with = "or_default")]
        pub properties: ClusterProperties,
        #[serde(skip)]
        document: Document,
    }
}

/// The offer of a cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ClusterSku {
    /// `Base` (before 2023 `Basic`) or `Automatic`: an open set.
    #[serde(deserialize_with = "or_default")]
    pub name: Option<String>,
    /// `Free`, `Standard` or `Premium`: an open set.
    #[serde(deserialize_with = "or_default")]
    pub tier: Option<String>,
}

/// The properties of a cluster, as far as they are known here; the rest is in the document of the cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ClusterProperties {
    /// `Succeeded`, `Creating`, `Updating`, `Upgrading`, `Failed`, …: an open set.
    #[serde(deserialize_with = "or_default")]
    pub provisioning_state: Option<String>,
    /// Whether the cluster runs.
    #[serde(deserialize_with = "or_default")]
    pub power_state: PowerState,
    /// The version of Kubernetes that was asked for, perhaps without its last number.
    #[serde(deserialize_with = "or_default")]
    pub kubernetes_version: Option<String>,
    /// The version that the cluster has.
    #[serde(deserialize_with = "or_default")]
    pub current_kubernetes_version: Option<String>,
    /// The beginning of its host names, as the create gave it; it never changes.
    #[serde(deserialize_with = "or_default")]
    pub dns_prefix: Option<String>,
    /// The host name of the Kubernetes API.
    #[serde(deserialize_with = "or_default")]
    pub fqdn: Option<String>,
    /// The host name of the Kubernetes API in the network of a private cluster.
    #[serde(rename = "privateFQDN", deserialize_with = "or_default")]
    pub private_fqdn: Option<String>,
    /// The node pools.
    #[serde(deserialize_with = "or_default")]
    pub agent_pool_profiles: Vec<NodePool>,
    /// The most node pools that the cluster can have.
    #[serde(deserialize_with = "or_default")]
    pub max_agent_pools: Option<u32>,
    /// The resource group of the nodes.
    #[serde(deserialize_with = "or_default")]
    pub node_resource_group: Option<String>,
    /// Whether Kubernetes checks what its callers may do.
    #[serde(rename = "enableRBAC", deserialize_with = "or_default")]
    pub enable_rbac: Option<bool>,
    /// Whether there are no accounts but those of Microsoft Entra.
    #[serde(deserialize_with = "or_default")]
    pub disable_local_accounts: Option<bool>,
    /// `KubernetesOfficial` or `AKSLongTermSupport`: an open set.
    #[serde(deserialize_with = "or_default")]
    pub support_plan: Option<String>,
    /// The network.
    #[serde(deserialize_with = "or_default")]
    pub network_profile: NetworkProfile,
    /// Access to the Kubernetes API.
    #[serde(deserialize_with = "or_default")]
    pub api_server_access_profile: ApiServerAccess,
    /// `Enabled` or `Disabled`.
    #[serde(deserialize_with = "or_default")]
    pub public_network_access: Option<String>,
    /// The service principal; its id is `msi` where there is none.
    #[serde(deserialize_with = "or_default")]
    pub service_principal_profile: ServicePrincipal,
    /// Identities of parts of the cluster; `kubeletidentity` pulls the images.
    #[serde(deserialize_with = "or_default")]
    pub identity_profile: BTreeMap<String, AssignedIdentity>,
    /// The use of Microsoft Entra.
    #[serde(deserialize_with = "or_default")]
    pub aad_profile: EntraProfile,
}

/// The network of a cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct NetworkProfile {
    /// `azure`, `kubenet` or `none`.
    #[serde(deserialize_with = "or_default")]
    pub network_plugin: Option<String>,
    /// `overlay`.
    #[serde(deserialize_with = "or_default")]
    pub network_plugin_mode: Option<String>,
    /// `standard` or `basic`, in any case: see [`ClusterResource::has_standard_load_balancer`].
    #[serde(deserialize_with = "or_default")]
    pub load_balancer_sku: Option<String>,
    /// `loadBalancer`, `userDefinedRouting`, `managedNATGateway`, `none`, …: an open set.
    #[serde(deserialize_with = "or_default")]
    pub outbound_type: Option<String>,
    /// The range of pods.
    #[serde(deserialize_with = "or_default")]
    pub pod_cidr: Option<String>,
    /// The range of Kubernetes services.
    #[serde(deserialize_with = "or_default")]
    pub service_cidr: Option<String>,
    /// The address of the cluster's DNS, in the range of services.
    #[serde(rename = "dnsServiceIP", deserialize_with = "or_default")]
    pub dns_service_ip: Option<String>,
}

/// Access to the Kubernetes API of a cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ApiServerAccess {
    /// The ranges that may reach it; empty for everybody.
    #[serde(rename = "authorizedIPRanges", deserialize_with = "or_default")]
    pub authorized_ip_ranges: Vec<String>,
    /// Whether it is in a private network.
    #[serde(deserialize_with = "or_default")]
    pub enable_private_cluster: Option<bool>,
    /// Whether the host name of a private cluster is public all the same.
    #[serde(
        rename = "enablePrivateClusterPublicFQDN",
        deserialize_with = "or_default"
    )]
    pub enable_private_cluster_public_fqdn: Option<bool>,
    /// The DNS zone of a private cluster: `system`, `none` or the ARM id of a zone.
    #[serde(rename = "privateDNSZone", deserialize_with = "or_default")]
    pub private_dns_zone: Option<String>,
    /// Whether it is in the cluster's own network.
    #[serde(deserialize_with = "or_default")]
    pub enable_vnet_integration: Option<bool>,
    /// The ARM id of its subnet there.
    #[serde(deserialize_with = "or_default")]
    pub subnet_id: Option<String>,
    /// Whether nobody may run commands in the cluster through ARM.
    #[serde(deserialize_with = "or_default")]
    pub disable_run_command: Option<bool>,
}

/// The service principal of a cluster. Its secret is never kept.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ServicePrincipal {
    /// The client id; `msi` where a managed identity is used.
    #[serde(deserialize_with = "or_default")]
    pub client_id: Option<String>,
}

/// A managed identity that is assigned to a part of a cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AssignedIdentity {
    /// Its ARM id.
    #[serde(deserialize_with = "or_default")]
    pub resource_id: Option<String>,
    /// Its client id.
    #[serde(deserialize_with = "or_default")]
    pub client_id: Option<String>,
    /// Its object id, to which roles are assigned.
    #[serde(deserialize_with = "or_default")]
    pub object_id: Option<String>,
}

/// The use of Microsoft Entra by a cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct EntraProfile {
    /// Whether AKS manages it.
    #[serde(deserialize_with = "or_default")]
    pub managed: Option<bool>,
    /// Whether roles of Azure decide what a caller may do in Kubernetes.
    #[serde(rename = "enableAzureRBAC", deserialize_with = "or_default")]
    pub enable_azure_rbac: Option<bool>,
}

object!(
    ClusterSku,
    ClusterProperties,
    NetworkProfile,
    ApiServerAccess,
    ServicePrincipal,
    AssignedIdentity,
    EntraProfile
);

impl ClusterResource {
    /// Returns the whole document, as `Serialize` writes it.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.document.to_value()
    }

    /// Returns the version of Kubernetes that the cluster has, or that was asked for where the service says no more.
    #[must_use]
    pub fn kubernetes_version(&self) -> Option<&str> {
        let own = &self.properties;
        let version = own.current_kubernetes_version.as_deref();
        version.or(own.kubernetes_version.as_deref())
    }

    /// Whether the cluster is made and runs.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        is(&self.properties.provisioning_state, "Succeeded")
            && is(&self.properties.power_state.code, "Running")
    }

    /// Whether the Kubernetes API is in a private network.
    #[must_use]
    pub fn is_private(&self) -> bool {
        let access = &self.properties.api_server_access_profile;
        access.enable_private_cluster == Some(true)
    }

    /// Whether the load balancer is the standard one: the basic one is retired, and has no authorised ranges.
    #[must_use]
    pub fn has_standard_load_balancer(&self) -> bool {
        is(
            &self.properties.network_profile.load_balancer_sku,
            "standard",
        )
    }

    /// Whether the cluster has a managed identity, not a service principal.
    #[must_use]
    pub fn has_managed_identity(&self) -> bool {
        let identity = self
            .identity
            .as_ref()
            .and_then(|identity| identity["type"].as_str());
        identity.is_some_and(|kind| !kind.is_empty() && !kind.eq_ignore_ascii_case("None"))
    }

    pub(crate) fn read(text: &str) -> serde_json::Result<Self> {
        let document = Document::read(text)?;
        let Object(read) = serde_json::from_str::<Object<ClusterMembers>>(document.text())?;
        match read.id.is_empty() {
            true => Err(serde::de::Error::missing_field("id")),
            false => Ok(Self {
                document,
                ..read.into()
            }),
        }
    }
}

fn is(word: &Option<String>, expected: &str) -> bool {
    word.as_deref()
        .is_some_and(|word| word.eq_ignore_ascii_case(expected))
}

kept!(ClusterResource);

impl Item for ClusterResource {}

impl fmt::Debug for ClusterResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterResource")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("location", &self.location)
            .field("tags", &self.tags)
            .field("kind", &self.kind)
            .field("sku", &self.sku)
            .field("properties", &self.properties)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ClusterResource {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn cluster_is_written_as_it_came_without_its_secrets() {
        let text = r#"{"id":"/i","new":[1.5,null],"properties":{"powerState":{"code":"Running"},"other":{"a":{}}}}"#;
        assert_eq!(serde_json::to_string(&read(text)).unwrap(), text);
        let cluster = read(
            r#"{"id":"/i","properties":{"windowsProfile":{"adminUsername":"u","adminPassword":"c4n4ry"},
                "servicePrincipalProfile":{"clientId":"c","secret":"c4n4ry"},"aadProfile":{"serverAppSecret":"c4n4ry"}}}"#,
        );
        let shown = format!("{cluster:?} {}", serde_json::to_string(&cluster).unwrap());
        assert!(!shown.contains("c4n4ry"), "{shown}");
        assert!(shown.contains("adminUsername"), "{shown}");
        let principal = &cluster.properties.service_principal_profile;
        assert_eq!(principal.client_id.as_deref(), Some("c"));
    }

    #[test]
    fn words_of_the_service_are_compared_in_any_case() {
        for (sku, standard) in [
            ("Standard", true),
            ("standard", true),
            ("Basic", false),
            ("", false),
        ] {
            let text = format!(
                r#"{{"id":"/i","properties":{{"networkProfile":{{"loadBalancerSku":"{sku}"}}}}}}"#
            );
            assert_eq!(read(&text).has_standard_load_balancer(), standard, "{sku}");
        }
        let cluster = read(
            r#"{"id":"/i","identity":{"type":"SystemAssigned"},"properties":{"provisioningState":"succeeded",
                "powerState":{"code":"running"},"kubernetesVersion":"1.29",
                "apiServerAccessProfile":{"enablePrivateCluster":true}}}"#,
        );
        assert!(cluster.is_ready() && cluster.is_private() && cluster.has_managed_identity());
        assert_eq!(cluster.kubernetes_version(), Some("1.29"));
        let cluster = read(
            r#"{"id":"/i","identity":null,"properties":{"provisioningState":"Succeeded",
                "powerState":{"code":"Stopped"}}}"#,
        );
        assert!(!cluster.is_ready() && !cluster.is_private() && !cluster.has_managed_identity());
    }

    #[test]
    fn odd_members_do_not_make_a_cluster_unusable_and_what_has_no_id_is_an_error() {
        for odd in ["null", "[]", "7", "\"x\"", "true", "{}"] {
            for member in [
                "name",
                "location",
                "tags",
                "kind",
                "sku",
                "identity",
                "properties",
            ] {
                let cluster = read(&format!(r#"{{"{member}":{odd},"id":"/i"}}"#));
                assert_eq!(cluster.id, "/i", "{member} {odd}");
            }
            for member in [
                "agentPoolProfiles",
                "networkProfile",
                "identityProfile",
                "powerState",
                "enableRBAC",
            ] {
                let cluster = read(&format!(
                    r#"{{"id":"/i","properties":{{"{member}":{odd},"fqdn":"f"}}}}"#
                ));
                assert_eq!(
                    cluster.properties.fqdn.as_deref(),
                    Some("f"),
                    "{member} {odd}"
                );
            }
        }
        for text in [
            "{}",
            "[]",
            "null",
            r#"{"id":7}"#,
            r#"{"id":""}"#,
            r#"{"name":"n"}"#,
        ] {
            assert!(
                serde_json::from_str::<ClusterResource>(text).is_err(),
                "{text}"
            );
        }
    }
}
