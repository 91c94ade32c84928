//! A compute, as the service gives it.

use super::state::ComputeState;
use crate::error::ServiceError;
use crate::json::lenient::{Fits, Object, object_or_null, or_default};
use crate::json::{Document, Item, kept, leading};
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// A compute of a workspace, of any kind.
///
/// The fields are those of every compute. The properties of its kind are read on request:
/// [`kind_properties`](Self::kind_properties).
///
/// The whole document is kept as the service wrote it, and `Serialize` writes it: every member, also
/// those that this version of the crate does not know, in the order in which they came. Four things are
/// not kept. White space and the spelling of strings and numbers (`\u00e9` and `é`, `1E2` and `100.0`);
/// digits that neither a 64-bit integer nor a double holds, while a number beyond a double's range
/// becomes a string; members that are secret, for example `adminUserPassword` or
/// `sslConfiguration.key`, unless they are `null`; and changes that you make to the fields. The order is
/// lost where the target has none, as a [`Value`] without serde_json's `preserve_order`.
///
/// `Deserialize` reads JSON only, through `serde_json`. A document nested deeper than 127 levels is
/// refused.
///
/// `Debug` shows the fields without `identity` and `system_data`, and the names of the members that the
/// kind adds.
///
/// ```
/// use azureml_aks::models::{AksProperties, ComputeResource};
///
/// let text = r#"{"name":"scoring","properties":{"computeType":"AKS","new":1.5,"properties":{"agentCount":3}}}"#;
/// let compute: ComputeResource = serde_json::from_str(text)?;
/// assert_eq!(compute.properties.compute_type, "AKS");
/// assert_eq!(compute.kind_properties::<AksProperties>().agent_count, Some(3));
/// assert_eq!(serde_json::to_string(&compute)?, text);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct ComputeResource {
    /// The ARM id.
    pub id: Option<String>,
    /// The name in the workspace.
    pub name: String,
    /// The ARM type, `Microsoft.MachineLearningServices/workspaces/computes`.
    pub resource_type: Option<String>,
    /// The region of the workspace; the compute's own is
    /// [`compute_location`](ComputeProperties::compute_location).
    pub location: Option<String>,
    /// Tags; those without a text value are left out.
    pub tags: BTreeMap<String, String>,
    /// The managed identity, as the service wrote it: `type`, `principalId`, `tenantId`, …
    pub identity: Option<Value>,
    /// The creator and last editor of the resource, as the service wrote them.
    pub system_data: Option<Value>,
    /// The properties of every compute.
    pub properties: ComputeProperties,
    document: Document,
    /// The range of the kind's own properties in the document.
    kind: Option<Range<usize>>,
}

/// The properties of every compute.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ComputeProperties {
    /// The kind, as the service spells it: `AKS`, `AmlCompute`, `Kubernetes`, …
    pub compute_type: String,
    /// The region of the cluster.
    pub compute_location: Option<String>,
    /// `Creating`, `Updating`, `Deleting`, `Succeeded`, `Failed`, `Canceled` or `Unknown`: an open
    /// set. [`ComputeResource::state`] reads it.
    pub provisioning_state: Option<String>,
    /// The errors with which provisioning failed.
    pub provisioning_errors: Vec<ServiceError>,
    /// The warnings of provisioning. The service writes a list, or an object for at most one warning.
    pub provisioning_warnings: Vec<ServiceError>,
    /// Free text.
    pub description: Option<String>,
    /// The ARM id of the underlying resource, for AKS the managed cluster.
    pub resource_id: Option<String>,
    /// `true` if the underlying resource was attached, not created by the service.
    pub is_attached_compute: Option<bool>,
    /// The time at which the compute was created, as the service wrote it.
    pub created_on: Option<String>,
    /// The time at which the compute was last changed, as the service wrote it.
    pub modified_on: Option<String>,
    /// `true` if local authentication is disabled.
    pub disable_local_auth: Option<bool>,
}

impl ComputeResource {
    /// Returns the known part of a compute that was not read yet.
    pub(crate) fn named(name: &str, compute_type: Option<&str>) -> Self {
        let mut document = json!({ "name": name });
        if let Some(kind) = compute_type {
            document["properties"] = json!({ "computeType": kind });
        }
        Self {
            name: name.to_owned(),
            properties: ComputeProperties {
                compute_type: compute_type.unwrap_or_default().to_owned(),
                ..ComputeProperties::default()
            },
            document: Document::made_here(&document),
            ..Self::default()
        }
    }

    /// Reads the properties of the compute's kind, for example as [`AksProperties`](super::AksProperties) or as a
    /// [`serde_json::Value`].
    ///
    /// Returns the default if the service wrote no properties, or wrote some that `P` cannot
    /// hold. Each call reads the text again: keep the result if you need it more than once.
    #[must_use]
    pub fn kind_properties<P: DeserializeOwned + Default>(&self) -> P {
        let text = self.kind_text();
        let read = text.and_then(|text| serde_json::from_str(text).ok());
        read.unwrap_or_default()
    }

    /// Returns the same resource without the id of the underlying resource.
    pub(crate) fn without_resource_id(self) -> Self {
        if self.properties.resource_id.is_none() {
            return self;
        }
        let mut document = self.to_value();
        if let Some(Value::Object(properties)) = document.get_mut("properties") {
            properties.remove("resourceId");
        }
        Self::read(&document.to_string()).unwrap_or(self)
    }

    /// Returns the whole document, as `Serialize` writes it.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.document.to_value()
    }

    /// Returns the state of the compute, or `None` if the service gave none.
    #[must_use]
    pub fn state(&self) -> Option<ComputeState> {
        let word = self.properties.provisioning_state.as_deref()?.trim();
        (!word.is_empty()).then(|| ComputeState::of(word))
    }

    fn kind_text(&self) -> Option<&str> {
        self.document.text().get(self.kind.clone()?)
    }

    fn read(text: &str) -> serde_json::Result<Self> {
        let document = Document::read(text)?;
        let Object(members) = serde_json::from_str(document.text())?;
        Ok(Self::of(members, document.text(), document.clone()))
    }

    /// `text` is where the members were read.
    fn of(members: Members<'_>, text: &str, document: Document) -> Self {
        let properties = members.properties;
        let kind = properties.properties.map(RawValue::get);
        Self {
            id: members.id,
            name: members.name,
            resource_type: members.resource_type,
            location: members.location,
            tags: members.tags,
            identity: members.identity,
            system_data: members.system_data,
            kind: kind.and_then(|part| Document::range_of(text, part)),
            properties: ComputeProperties {
                compute_type: properties.compute_type,
                compute_location: properties.compute_location,
                provisioning_state: properties.provisioning_state,
                provisioning_errors: properties.provisioning_errors,
                provisioning_warnings: properties.provisioning_warnings.0,
                description: properties.description,
                resource_id: properties.resource_id,
                is_attached_compute: properties.is_attached_compute,
                created_on: properties.created_on,
                modified_on: properties.modified_on,
                disable_local_auth: properties.disable_local_auth,
            },
            document,
        }
    }
}

kept!(ComputeResource);

impl Item for ComputeResource {
    /// One pass: the members are read first, and tell where the text ends that is to be kept.
    fn leading(text: &str) -> Option<(Self, usize)> {
        let (Object(members), length) = leading::<Object<Members<'_>>>(text)?;
        let text = &text[..length];
        let document = Document::read(text).ok()?;
        // Without its secret members a text is shorter.
        let resource = match document.text().len() == length {
            true => Self::of(members, text, document),
            false => Self::read(document.text()).ok()?,
        };
        Some((resource, length))
    }
}

/// A compute as it is read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Members<'t> {
    #[serde(deserialize_with = "or_default")]
    id: Option<String>,
    // Not lenient: without a readable name, one compute cannot be distinguished from another.
    name: String,
    #[serde(rename = "type", deserialize_with = "or_default")]
    resource_type: Option<String>,
    #[serde(deserialize_with = "or_default")]
    location: Option<String>,
    #[serde(deserialize_with = "or_default")]
    tags: BTreeMap<String, String>,
    identity: Option<Value>,
    system_data: Option<Value>,
    #[serde(borrow, deserialize_with = "object_or_null")]
    properties: PropertyMembers<'t>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PropertyMembers<'t> {
    #[serde(deserialize_with = "or_default")]
    compute_type: String,
    #[serde(deserialize_with = "or_default")]
    compute_location: Option<String>,
    #[serde(deserialize_with = "or_default")]
    provisioning_state: Option<String>,
    #[serde(deserialize_with = "or_default")]
    provisioning_errors: Vec<ServiceError>,
    #[serde(deserialize_with = "or_default")]
    provisioning_warnings: Warnings,
    #[serde(deserialize_with = "or_default")]
    description: Option<String>,
    #[serde(deserialize_with = "or_default")]
    resource_id: Option<String>,
    #[serde(deserialize_with = "or_default")]
    is_attached_compute: Option<bool>,
    #[serde(deserialize_with = "or_default")]
    created_on: Option<String>,
    #[serde(deserialize_with = "or_default")]
    modified_on: Option<String>,
    #[serde(deserialize_with = "or_default")]
    disable_local_auth: Option<bool>,
    #[serde(borrow)]
    properties: Option<&'t RawValue>,
}

/// `null`, `{}` or a list.
#[derive(Default)]
struct Warnings(Vec<ServiceError>);

impl<'de> Fits<'de> for Warnings {
    fn of_list<A: SeqAccess<'de>>(list: A) -> Result<Option<Self>, A::Error> {
        Ok(Vec::of_list(list)?.map(Self))
    }

    fn of_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        Ok(ServiceError::of_map(map)?.map(|warning| Self(vec![warning])))
    }
}

impl fmt::Debug for ComputeResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComputeResource")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("resource_type", &self.resource_type)
            .field("location", &self.location)
            .field("tags", &self.tags)
            .field("properties", &self.properties)
            .field("kind", &Names(self.kind_text()))
            .finish_non_exhaustive()
    }
}

/// The names of a part's members: their values may be secret, whatever they are called.
struct Names<'a>(Option<&'a str>);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self
            .0
            .map(serde_json::from_str::<BTreeMap<String, IgnoredAny>>);
        match members {
            None => f.write_str("None"),
            Some(Ok(members)) => f.debug_set().entries(members.keys()).finish(),
            Some(Err(_)) => f.write_str("…"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::AksProperties;

    fn read(text: &str) -> ComputeResource {
        serde_json::from_str(text).unwrap()
    }

    fn aks(compute: &ComputeResource) -> AksProperties {
        compute.kind_properties()
    }

    #[test]
    fn kind_is_read_wherever_it_stands() {
        for text in [
            r#"{"properties":{"computeType":"AKS","properties":{"agentCount":4}}}"#,
            r#"{"properties":{"properties":{"agentCount":4},"computeType":"AKS"}}"#,
            r#"{"properties":{"properties":{"agentCount":4},"computeType":"aks"}}"#,
        ] {
            assert_eq!(aks(&read(text)).agent_count, Some(4), "{text}");
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
            assert_eq!(compute.kind_properties::<Value>()["agentCount"], "many");
            assert_eq!(serde_json::to_string(&compute).unwrap(), text);
        }
    }

    #[test]
    fn nulls_and_absent_members_are_the_same() {
        let compute = read(
            r#"{"name":"a","tags":null,"properties":{"computeType":"AKS","provisioningErrors":null,
                "description":null,"properties":{"systemServices":null,"sslConfiguration":null}}}"#,
        );
        assert!(compute.tags.is_empty());
        assert!(aks(&compute).system_services.is_empty());
        for text in [
            r#"{"properties":null}"#,
            r#"{"properties":{"computeType":"AKS","properties":null}}"#,
        ] {
            let compute = read(text);
            assert_eq!(compute.kind_properties::<Value>(), Value::Null);
            assert_eq!(aks(&compute), AksProperties::default());
        }
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
                    let aks = aks(&compute);
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
        );
        assert_eq!(compute.properties.is_attached_compute, None);
        assert_eq!(compute.properties.provisioning_errors.len(), 1);
        let aks = aks(&compute);
        assert_eq!(aks.agent_count, Some(3));
        assert_eq!(aks.system_services.len(), 1);
        assert_eq!(
            aks.system_services[0].system_service_type.as_deref(),
            Some("T")
        );
        for odd in ["\"odd\"", "1", "[\"odd\"]", "[]", "true"] {
            let text = format!(r#"{{"properties":{{"computeType":"AKS","properties":{odd}}}}}"#);
            let properties: AksProperties = read(&text).kind_properties();
            assert_eq!(properties, AksProperties::default(), "{text}");
        }
    }

    #[test]
    fn document_that_is_not_a_compute_is_an_error() {
        for text in [
            "1",
            "[]",
            "null",
            "",
            r#"{"name":"a"}x"#,
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
                {"databricksAccessToken":null,"workspaceUrl":"s3cr3t","account":{"password":"s3cr3t"}}}}"#,
        );
        let shown = format!("{compute:?} {compute:#?}");
        assert!(!shown.contains("s3cr3t"), "{shown}");
        for name in ["databricksAccessToken", "workspaceUrl", "account"] {
            assert!(shown.contains(name), "{shown}");
        }
        let compute = read(r#"{"properties":{"properties":["s3cr3t"]}}"#);
        assert!(format!("{compute:?}").contains("kind: …"), "{compute:?}");
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
