//! A compute, as the service gives it.

use crate::error::ServiceError;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// A compute of a workspace, of any kind.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ComputeResource {
    /// The ARM id.
    #[serde(default)]
    pub id: Option<String>,
    /// The name in the workspace.
    #[serde(default)]
    pub name: String,
    /// The region of the workspace; the compute's own is
    /// [`compute_location`](ComputeProperties::compute_location).
    #[serde(default)]
    pub location: Option<String>,
    /// Tags; those without a text value are left out.
    #[serde(default, deserialize_with = "tags")]
    pub tags: BTreeMap<String, String>,
    /// What the compute is.
    #[serde(default)]
    pub properties: ComputeProperties,
}

/// What every compute has, and what its kind adds.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ComputeProperties {
    /// The kind, as the service spells it: `AKS`, `AmlCompute`, `Kubernetes`, …
    pub compute_type: String,
    /// The region of the cluster.
    pub compute_location: Option<String>,
    /// `Creating`, `Updating`, `Deleting`, `Succeeded`, `Failed`, `Canceled` or `Unknown`: an open
    /// set.
    pub provisioning_state: Option<String>,
    /// Why provisioning failed.
    pub provisioning_errors: Vec<ServiceError>,
    /// Free text.
    pub description: Option<String>,
    /// The ARM id of the underlying resource, for AKS the managed cluster.
    pub resource_id: Option<String>,
    /// Whether the underlying resource was attached, not created by the service.
    pub is_attached_compute: Option<bool>,
    /// When the compute was created, as the service wrote it.
    pub created_on: Option<String>,
    /// When the compute was last changed, as the service wrote it.
    pub modified_on: Option<String>,
    /// Whether local authentication is off.
    pub disable_local_auth: Option<bool>,
    /// What the kind adds.
    pub kind: KindProperties,
}

/// What the kind of a compute adds.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum KindProperties {
    /// Nothing was said.
    #[default]
    None,
    /// An AKS cluster.
    Aks(Box<AksProperties>),
    /// Any other kind: its properties as they came.
    Other(serde_json::Value),
}

/// What an AKS compute adds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AksProperties {
    /// The cluster's host name.
    pub cluster_fqdn: Option<String>,
    /// What the service runs in the cluster; `null` counts as nothing.
    #[serde(deserialize_with = "null_as_default")]
    pub system_services: Vec<SystemService>,
    /// The number of nodes.
    pub agent_count: Option<u32>,
    /// The size of the nodes.
    // The description of 2019-11-01 spells it with a capital M.
    #[serde(alias = "agentVMSize")]
    pub agent_vm_size: Option<String>,
    /// What the cluster is for.
    pub cluster_purpose: Option<String>,
    /// How scoring is protected on the wire.
    pub ssl_configuration: Option<SslSettings>,
    /// The cluster's network.
    pub aks_networking_configuration: Option<AksNetworking>,
    /// `PublicIp` or `InternalLoadBalancer`.
    pub load_balancer_type: Option<String>,
    /// The subnet of the internal load balancer.
    pub load_balancer_subnet: Option<String>,
}

/// A part of Azure Machine Learning that runs in the cluster.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SystemService {
    /// What it is, for example `ScoringFrontEnd`.
    pub system_service_type: Option<String>,
    /// Where it listens.
    pub public_ip_address: Option<String>,
    /// Its version.
    pub version: Option<String>,
}

/// How scoring is protected on the wire. Certificate and key are never kept, even if the service
/// were to send them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SslSettings {
    /// `Disabled`, `Enabled` (own certificate) or `Auto` (Microsoft's certificate).
    pub status: Option<String>,
    /// The host name of the scoring endpoint.
    pub cname: Option<String>,
    /// The leaf domain label, where Microsoft's certificate is used.
    pub leaf_domain_label: Option<String>,
    /// Whether an existing domain may be overwritten.
    pub overwrite_existing_domain: Option<bool>,
}

/// The network of an AKS compute.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AksNetworking {
    /// The ARM id of the subnet.
    pub subnet_id: Option<String>,
    /// The range of Kubernetes services.
    pub service_cidr: Option<String>,
    /// The address of the cluster's DNS, in the range of services.
    #[serde(rename = "dnsServiceIP")]
    pub dns_service_ip: Option<String>,
    /// The range of the Docker bridge.
    pub docker_bridge_cidr: Option<String>,
}

impl ComputeProperties {
    /// What an AKS compute adds, where this is one.
    #[must_use]
    pub fn aks(&self) -> Option<&AksProperties> {
        match &self.kind {
            KindProperties::Aks(properties) => Some(properties),
            _ => None,
        }
    }
}

/// By hand: `#[serde(tag = …)]` would buffer every compute before reading it, which costs over
/// half as much again as a plain struct (`docs/performance.md`). Here the kind's part is read in
/// place when the kind is known by then, and kept as raw text until it is known otherwise.
impl<'de> Deserialize<'de> for ComputeProperties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Properties;

        impl<'de> Visitor<'de> for Properties {
            type Value = ComputeProperties;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the properties of a compute")
            }

            fn visit_unit<E>(self) -> Result<ComputeProperties, E> {
                Ok(ComputeProperties::default())
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<ComputeProperties, A::Error> {
                use serde::de::Error;
                let mut read = ComputeProperties::default();
                let mut early: Option<Box<RawValue>> = None;
                while let Some(field) = map.next_key()? {
                    match field {
                        Field::ComputeType => {
                            read.compute_type = map.next_value::<Option<_>>()?.unwrap_or_default();
                        }
                        Field::ComputeLocation => read.compute_location = map.next_value()?,
                        Field::ProvisioningState => read.provisioning_state = map.next_value()?,
                        Field::ProvisioningErrors => {
                            read.provisioning_errors =
                                map.next_value::<Option<_>>()?.unwrap_or_default();
                        }
                        Field::Description => read.description = map.next_value()?,
                        Field::ResourceId => read.resource_id = map.next_value()?,
                        Field::IsAttachedCompute => read.is_attached_compute = map.next_value()?,
                        Field::CreatedOn => read.created_on = map.next_value()?,
                        Field::ModifiedOn => read.modified_on = map.next_value()?,
                        Field::DisableLocalAuth => read.disable_local_auth = map.next_value()?,
                        Field::Properties => match read.compute_type.as_str() {
                            "" => early = Some(map.next_value()?),
                            kind if is_aks(kind) => {
                                read.kind = aks_or_none(map.next_value()?);
                            }
                            _ => read.kind = other_or_none(map.next_value()?),
                        },
                        Field::Other => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                if let Some(raw) = early {
                    read.kind = if is_aks(&read.compute_type) {
                        aks_or_none(serde_json::from_str(raw.get()).map_err(A::Error::custom)?)
                    } else {
                        other_or_none(serde_json::from_str(raw.get()).map_err(A::Error::custom)?)
                    };
                }
                Ok(read)
            }
        }

        deserializer.deserialize_any(Properties)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Field {
    ComputeType,
    ComputeLocation,
    ProvisioningState,
    ProvisioningErrors,
    Description,
    ResourceId,
    IsAttachedCompute,
    CreatedOn,
    ModifiedOn,
    DisableLocalAuth,
    Properties,
    #[serde(other)]
    Other,
}

fn is_aks(kind: &str) -> bool {
    kind.eq_ignore_ascii_case(crate::facts::arm::COMPUTE_TYPE_AKS)
}

fn aks_or_none(properties: Option<Box<AksProperties>>) -> KindProperties {
    properties.map_or(KindProperties::None, KindProperties::Aks)
}

fn other_or_none(properties: Option<serde_json::Value>) -> KindProperties {
    properties.map_or(KindProperties::None, KindProperties::Other)
}

/// The service writes `null` where it could write nothing.
pub(super) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// In one go: by way of a map with `null`s in it every tag would be put in order twice.
fn tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    struct Tags;

    impl<'de> Visitor<'de> for Tags {
        type Value = BTreeMap<String, String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("tags")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(BTreeMap::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut tags = BTreeMap::new();
            while let Some((name, value)) = map.next_entry::<String, Option<String>>()? {
                if let Some(value) = value {
                    tags.insert(name, value);
                }
            }
            Ok(tags)
        }
    }

    deserializer.deserialize_any(Tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ComputeResource {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_kind_is_read_wherever_it_stands() {
        for text in [
            r#"{"properties":{"computeType":"AKS","properties":{"agentCount":4}}}"#,
            r#"{"properties":{"properties":{"agentCount":4},"computeType":"AKS"}}"#,
            r#"{"properties":{"properties":{"agentCount":4},"computeType":"aks"}}"#,
        ] {
            assert_eq!(
                read(text).properties.aks().unwrap().agent_count,
                Some(4),
                "{text}"
            );
        }
    }

    #[test]
    fn unknown_kinds_and_fields_survive() {
        for text in [
            r#"{"new":1,"properties":{"computeType":"Quantum","properties":{"agentCount":"many"}}}"#,
            r#"{"properties":{"properties":{"agentCount":"many"},"computeType":"Quantum","x":[]}}"#,
        ] {
            let compute = read(text);
            assert_eq!(compute.properties.compute_type, "Quantum");
            let KindProperties::Other(other) = compute.properties.kind else {
                panic!("{text}")
            };
            assert_eq!(other["agentCount"], "many");
        }
    }

    #[test]
    fn nulls_and_absent_members_are_the_same() {
        let compute = read(
            r#"{"name":"a","tags":null,"properties":{"computeType":"AKS","provisioningErrors":null,
                "description":null,"properties":{"systemServices":null,"sslConfiguration":null}}}"#,
        );
        assert!(compute.tags.is_empty());
        assert!(compute.properties.aks().unwrap().system_services.is_empty());
        assert!(matches!(
            read(r#"{"properties":null}"#).properties.kind,
            KindProperties::None
        ));
        assert!(matches!(
            read(r#"{"properties":{"computeType":"AKS","properties":null}}"#)
                .properties
                .kind,
            KindProperties::None
        ));
    }

    #[test]
    fn tags_without_a_value_are_left_out() {
        let compute = read(r#"{"tags":{"b":"2","none":null,"a":"1"}}"#);
        let tags: Vec<(&str, &str)> = compute
            .tags
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(tags, [("a", "1"), ("b", "2")]);
        assert!(serde_json::from_str::<ComputeResource>(r#"{"tags":{"a":1}}"#).is_err());
        assert!(serde_json::from_str::<ComputeResource>(r#"{"tags":[]}"#).is_err());
    }

    #[test]
    fn keys_that_the_service_should_not_send_are_not_kept() {
        let compute = read(
            r#"{"properties":{"computeType":"AKS","properties":{"sslConfiguration":
                {"status":"Enabled","cname":"a.b","cert":"s3cr3t","key":"s3cr3t"}}}}"#,
        );
        assert!(!format!("{compute:?}").contains("s3cr3t"));
    }
}
