//! A compute, as the service gives it.

use super::lenient::{Lenient, object, or_default};
use crate::error::ServiceError;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt;

/// A compute of a workspace, of any kind.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ComputeResource {
    /// The ARM id.
    #[serde(default, deserialize_with = "or_default")]
    pub id: Option<String>,
    /// The name in the workspace.
    // Not lenient: what has no readable name cannot be told from another compute.
    #[serde(default)]
    pub name: String,
    /// The region of the workspace; the compute's own is
    /// [`compute_location`](ComputeProperties::compute_location).
    #[serde(default, deserialize_with = "or_default")]
    pub location: Option<String>,
    /// Tags; those without a text value are left out.
    #[serde(default, deserialize_with = "or_default")]
    pub tags: BTreeMap<String, String>,
    /// What the compute is.
    #[serde(default)]
    pub properties: ComputeProperties,
}

/// What every compute has, and what its kind adds.
#[derive(Debug, Clone, PartialEq, Default)]
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
///
/// `Debug` shows of other kinds only the names of their members: some hold passwords and tokens.
#[derive(Clone, PartialEq, Default)]
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
///
/// Read leniently, as all of a compute: a member of another type than here counts as absent, for a
/// compute must stay usable when the service writes one of them in a new way.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AksProperties {
    /// The cluster's host name.
    #[serde(deserialize_with = "or_default")]
    pub cluster_fqdn: Option<String>,
    /// What the service runs in the cluster.
    #[serde(deserialize_with = "or_default")]
    pub system_services: Vec<SystemService>,
    /// The number of nodes.
    #[serde(deserialize_with = "or_default")]
    pub agent_count: Option<u32>,
    /// The size of the nodes.
    // The description of 2019-11-01 spells it with a capital M.
    #[serde(alias = "agentVMSize", deserialize_with = "or_default")]
    pub agent_vm_size: Option<String>,
    /// What the cluster is for.
    #[serde(deserialize_with = "or_default")]
    pub cluster_purpose: Option<String>,
    /// How scoring is protected on the wire.
    #[serde(deserialize_with = "or_default")]
    pub ssl_configuration: Option<SslSettings>,
    /// The cluster's network.
    #[serde(deserialize_with = "or_default")]
    pub aks_networking_configuration: Option<AksNetworking>,
    /// `PublicIp` or `InternalLoadBalancer`.
    #[serde(deserialize_with = "or_default")]
    pub load_balancer_type: Option<String>,
    /// The subnet of the internal load balancer.
    #[serde(deserialize_with = "or_default")]
    pub load_balancer_subnet: Option<String>,
}

/// A part of Azure Machine Learning that runs in the cluster.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SystemService {
    /// What it is, for example `ScoringFrontEnd`.
    #[serde(deserialize_with = "or_default")]
    pub system_service_type: Option<String>,
    /// Where it listens.
    #[serde(deserialize_with = "or_default")]
    pub public_ip_address: Option<String>,
    /// Its version.
    #[serde(deserialize_with = "or_default")]
    pub version: Option<String>,
}

/// How scoring is protected on the wire. Certificate and key are never kept, even if the service
/// were to send them.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SslSettings {
    /// `Disabled`, `Enabled` (own certificate) or `Auto` (Microsoft's certificate).
    #[serde(deserialize_with = "or_default")]
    pub status: Option<String>,
    /// The host name of the scoring endpoint.
    #[serde(deserialize_with = "or_default")]
    pub cname: Option<String>,
    /// The leaf domain label, where Microsoft's certificate is used.
    #[serde(deserialize_with = "or_default")]
    pub leaf_domain_label: Option<String>,
    /// Whether an existing domain may be overwritten.
    #[serde(deserialize_with = "or_default")]
    pub overwrite_existing_domain: Option<bool>,
}

/// The network of an AKS compute.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AksNetworking {
    /// The ARM id of the subnet.
    #[serde(deserialize_with = "or_default")]
    pub subnet_id: Option<String>,
    /// The range of Kubernetes services.
    #[serde(deserialize_with = "or_default")]
    pub service_cidr: Option<String>,
    /// The address of the cluster's DNS, in the range of services.
    #[serde(rename = "dnsServiceIP", deserialize_with = "or_default")]
    pub dns_service_ip: Option<String>,
    /// The range of the Docker bridge.
    #[serde(deserialize_with = "or_default")]
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
                            read.compute_type = map.next_value::<Lenient<_>>()?.or_default();
                        }
                        Field::ComputeLocation => {
                            read.compute_location = map.next_value::<Lenient<_>>()?.0;
                        }
                        Field::ProvisioningState => {
                            read.provisioning_state = map.next_value::<Lenient<_>>()?.0;
                        }
                        Field::ProvisioningErrors => {
                            read.provisioning_errors = map.next_value::<Lenient<_>>()?.or_default();
                        }
                        Field::Description => {
                            read.description = map.next_value::<Lenient<_>>()?.0;
                        }
                        Field::ResourceId => {
                            read.resource_id = map.next_value::<Lenient<_>>()?.0;
                        }
                        Field::IsAttachedCompute => {
                            read.is_attached_compute = map.next_value::<Lenient<_>>()?.0;
                        }
                        Field::CreatedOn => read.created_on = map.next_value::<Lenient<_>>()?.0,
                        Field::ModifiedOn => read.modified_on = map.next_value::<Lenient<_>>()?.0,
                        Field::DisableLocalAuth => {
                            read.disable_local_auth = map.next_value::<Lenient<_>>()?.0;
                        }
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

fn aks_or_none(properties: Lenient<Box<AksProperties>>) -> KindProperties {
    properties
        .0
        .map_or(KindProperties::None, KindProperties::Aks)
}

fn other_or_none(properties: Option<serde_json::Value>) -> KindProperties {
    properties.map_or(KindProperties::None, KindProperties::Other)
}

impl fmt::Debug for KindProperties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Aks(properties) => f.debug_tuple("Aks").field(properties).finish(),
            Self::Other(value) => f.debug_tuple("Other").field(&Names(value)).finish(),
        }
    }
}

/// The names of a value's members, or nothing of a value that has none.
struct Names<'a>(&'a serde_json::Value);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            serde_json::Value::Object(members) => f.debug_set().entries(members.keys()).finish(),
            _ => f.write_str("…"),
        }
    }
}

object!(AksProperties, SystemService, SslSettings, AksNetworking);

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
        let compute = read(r#"{"tags":{"a":1,"b":"2","c":{"d":["e"]},"f":[["g"]]},"name":"n"}"#);
        assert_eq!(compute.tags, BTreeMap::from([("b".into(), "2".into())]));
        assert_eq!(compute.name, "n");
        for odd in ["[]", "[1]", "\"x\"", "1", "true"] {
            let compute = read(&format!(r#"{{"tags":{odd},"name":"n"}}"#));
            assert!(compute.tags.is_empty() && compute.name == "n", "{odd}");
        }
    }

    #[test]
    fn one_odd_member_does_not_make_a_compute_unusable() {
        let odd = [
            "{}", "[]", "[null]", "[[1]]", "-1", "1e99", "1.5", "\"x\"", "true", "null",
        ];
        for member in [
            "agentCount",
            "agentVmSize",
            "clusterFqdn",
            "systemServices",
            "sslConfiguration",
            "aksNetworkingConfiguration",
            "loadBalancerType",
        ] {
            for odd in odd {
                for text in [
                    format!(
                        r#"{{"name":"n","properties":{{"computeType":"AKS","properties":
                            {{"{member}":{odd},"clusterPurpose":"DevTest"}},"createdOn":"c"}}}}"#
                    ),
                    format!(
                        r#"{{"name":"n","properties":{{"createdOn":"c","properties":
                            {{"clusterPurpose":"DevTest","{member}":{odd}}},"computeType":"AKS"}}}}"#
                    ),
                ] {
                    let compute = read(&text);
                    let aks = compute.properties.aks().unwrap();
                    assert_eq!(aks.cluster_purpose.as_deref(), Some("DevTest"), "{text}");
                    assert_eq!(
                        compute.properties.created_on.as_deref(),
                        Some("c"),
                        "{text}"
                    );
                    assert_eq!(aks.agent_count, None, "{text}");
                }
            }
        }
        for member in [
            "computeLocation",
            "description",
            "disableLocalAuth",
            "isAttachedCompute",
            "modifiedOn",
            "provisioningErrors",
            "provisioningState",
            "resourceId",
        ] {
            for odd in odd {
                let text = format!(
                    r#"{{"id":{odd},"location":{odd},"properties":
                        {{"{member}":{odd},"computeType":"AKS","createdOn":"c"}},"name":"n"}}"#
                );
                let compute = read(&text);
                assert_eq!(compute.name, "n", "{text}");
                assert_eq!(compute.properties.compute_type, "AKS", "{text}");
                assert_eq!(
                    compute.properties.created_on.as_deref(),
                    Some("c"),
                    "{text}"
                );
            }
        }
        let compute = read(
            r#"{"properties":{"computeType":"AKS","isAttachedCompute":"true","provisioningErrors":
                [null,{"code":"C"}],"properties":{"agentCount":3.0,"systemServices":
                [null,1,{"version":2,"systemServiceType":"T"}]}}}"#,
        )
        .properties;
        assert_eq!(compute.is_attached_compute, None);
        assert_eq!(compute.provisioning_errors.len(), 1);
        let aks = compute.aks().unwrap();
        assert_eq!(aks.agent_count, Some(3));
        assert_eq!(aks.system_services.len(), 1);
        assert_eq!(
            aks.system_services[0].system_service_type.as_deref(),
            Some("T")
        );
        assert_eq!(
            read(r#"{"properties":{"computeType":"AKS","properties":"odd"}}"#)
                .properties
                .kind,
            KindProperties::None
        );
    }

    #[test]
    fn what_is_no_compute_at_all_is_still_an_error() {
        for text in [
            "1",
            r#"{"name":7}"#,
            r#"{"properties":[]}"#,
            r#"{"properties":{"x":}}"#,
        ] {
            assert!(
                serde_json::from_str::<ComputeResource>(text).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn debug_shows_of_other_kinds_only_the_names_of_members() {
        let compute = read(
            r#"{"properties":{"computeType":"Databricks","properties":
                {"databricksAccessToken":"s3cr3t","account":{"password":"s3cr3t"}}}}"#,
        );
        let shown = format!("{compute:?} {compute:#?}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
        assert!(shown.contains("databricksAccessToken"), "{shown}");
        let kind = KindProperties::Other(serde_json::json!(["s3cr3t"]));
        assert_eq!(format!("{kind:?}"), "Other(…)");
    }

    #[test]
    fn computes_can_be_compared() {
        let text =
            r#"{"name":"a","properties":{"computeType":"AKS","properties":{"agentCount":4}}}"#;
        assert_eq!(read(text), read(text));
        assert_ne!(read(text), read(&text.replace('4', "5")));
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
