//! The configuration of an update.

use super::identity::{self, KubernetesIdentity};
use super::instance_type::{self, InstanceType};
use crate::compute::update::Current;
use crate::error::{Error, Finding};
use crate::names::tags::{self, Tags};
use crate::rules::{self, Findings};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The valid configuration of an update of a compute of kind Kubernetes.
///
/// Members that are not given stay as they are, also those that this library does not know.
#[must_use = "a configuration does nothing until a compute is updated with it"]
#[derive(Debug, Clone, PartialEq)]
pub struct KubernetesUpdateConfiguration {
    given: KubernetesUpdateConfigurationBuilder,
    warnings: Vec<Finding>,
}

impl KubernetesUpdateConfiguration {
    /// Starts an update that changes nothing.
    ///
    /// ```
    /// use azureml_aks::{InstanceType, KubernetesUpdateConfiguration};
    ///
    /// KubernetesUpdateConfiguration::builder()
    ///     .instance_type("large", InstanceType::new().limit("memory", "32Gi"))
    ///     .remove_instance_type("small")
    ///     .build()?;
    ///
    /// let error = KubernetesUpdateConfiguration::builder().build().unwrap_err();
    /// assert_eq!(error.findings()[0].rule, "update.nothing");
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn builder() -> KubernetesUpdateConfigurationBuilder {
        KubernetesUpdateConfigurationBuilder::default()
    }

    /// Returns the findings that do not make the configuration invalid: settings that are allowed but probably not meant.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// Returns the body of the request, made of the compute as the service describes it now.
    pub(super) fn apply(&self, current: Value) -> Result<Value, Error> {
        let given = &self.given;
        let mut current = Current::of(current, READ_ONLY)?;
        drop_nulls(&mut current.inner);

        let document = &mut current.document;
        let identity = match (&given.identity, document.remove("identity")) {
            (Some(identity), _) => Some(identity.value()),
            (None, Some(Value::Object(identity))) => Some(identity::writable(identity).into()),
            (None, _) => None,
        };
        document.extend(identity.map(|identity| ("identity".to_owned(), identity)));
        change(document, "tags", &given.tags, |value| value.as_str().into());
        if let Some(description) = &given.description {
            current
                .properties
                .insert("description".into(), description.as_str().into());
        }
        if let Some(default) = &given.default_instance_type {
            current
                .inner
                .insert("defaultInstanceType".into(), default.as_str().into());
        }
        let types = &given.instance_types;
        change(&mut current.inner, "instanceTypes", types, |value| {
            value.value()
        });
        Ok(current.into_body())
    }
}

/// Sets and removes members of the object `key`.
fn change<T>(
    parent: &mut Map<String, Value>,
    key: &str,
    changes: &BTreeMap<String, Option<T>>,
    value: impl Fn(&T) -> Value,
) {
    if changes.is_empty() {
        return;
    }
    let mut members = match parent.remove(key) {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    };
    for (name, change) in changes {
        match change {
            Some(change) => members.insert(name.clone(), value(change)),
            None => members.remove(name),
        };
    }
    parent.insert(key.to_owned(), members.into());
}

/// Removes members that are `null`, at every depth: the service writes them for what is absent, and does not take them
/// back everywhere.
fn drop_nulls(members: &mut Map<String, Value>) {
    members.retain(|_, value| !value.is_null());
    for value in members.values_mut() {
        if let Value::Object(members) = value {
            drop_nulls(members);
        }
    }
}

/// Members that only the service sets, though the type index (2026-05-01) does not mark it as read-only.
const READ_ONLY: &[&str] = &["extensionPrincipalId", "extensionInstanceReleaseTrain"];

/// The builder of a [`KubernetesUpdateConfiguration`].
#[must_use = "a builder does nothing until `build()`"]
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KubernetesUpdateConfigurationBuilder {
    description: Option<String>,
    identity: Option<KubernetesIdentity>,
    default_instance_type: Option<String>,
    /// `None` removes.
    instance_types: BTreeMap<String, Option<InstanceType>>,
    /// `None` removes.
    tags: BTreeMap<String, Option<String>>,
}

impl KubernetesUpdateConfigurationBuilder {
    /// Changes the description.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Changes the managed identity; [`KubernetesIdentity::None`] takes it away.
    pub fn identity(mut self, identity: KubernetesIdentity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Changes the default instance type.
    pub fn default_instance_type(mut self, name: impl Into<String>) -> Self {
        self.default_instance_type = Some(name.into());
        self
    }

    /// Adds an instance type, or replaces the one of that name. The others stay.
    pub fn instance_type(mut self, name: impl Into<String>, instance_type: InstanceType) -> Self {
        self.instance_types.insert(name.into(), Some(instance_type));
        self
    }

    /// Removes an instance type, if there is one of that name.
    pub fn remove_instance_type(mut self, name: impl Into<String>) -> Self {
        self.instance_types.insert(name.into(), None);
        self
    }

    /// Adds a tag, or replaces the tag of that name. The others stay.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), Some(value.into()));
        self
    }

    /// Removes a tag, if there is one of that name.
    pub fn remove_tag(mut self, name: impl Into<String>) -> Self {
        self.tags.insert(name.into(), None);
        self
    }

    /// Checks everything together. No I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) with all broken rules at once; an update must change
    /// something.
    pub fn build(self) -> Result<KubernetesUpdateConfiguration, Error> {
        let mut findings = Findings::default();
        if self == Self::default() {
            findings.refuse(
                rules::UPDATE_NOTHING,
                "update",
                None,
                "the update changes nothing",
                "set or remove something",
            );
        }
        if let Some(identity) = &self.identity {
            identity.check(&mut findings);
        }
        let set = self.instance_types.iter();
        let set = set.filter_map(|(name, change)| Some((name, change.as_ref()?)));
        // The default may be one of those that are there already.
        instance_type::check(set, None, &mut findings);
        if let Some(default) = &self.default_instance_type {
            instance_type::check(std::iter::empty(), Some(default), &mut findings);
        }
        let tags = self.tags.iter();
        let tags = tags.filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        tags::check_tags(&tags.collect::<Tags>(), &mut findings);
        let warnings = findings.finish("update configuration")?;
        Ok(KubernetesUpdateConfiguration {
            given: self,
            warnings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const IDENTITY: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";

    fn current(identity: Value, inner: Value) -> Value {
        json!({
            "id": "/subscriptions/s/x", "name": "kube", "type": "t", "systemData": {},
            "location": "eastus", "tags": { "a": "1", "b": "2" }, "identity": identity, "new": 1,
            "properties": {
                "computeType": "Kubernetes", "computeLocation": "westeurope", "description": "text",
                "resourceId": "/subscriptions/s/c", "provisioningState": "Succeeded", "provisioningErrors": null,
                "createdOn": "x", "modifiedOn": "x", "isAttachedCompute": true, "somethingNew": 1,
                "properties": inner,
            },
        })
    }

    fn apply(builder: KubernetesUpdateConfigurationBuilder, current: Value) -> Value {
        builder.build().unwrap().apply(current).unwrap()
    }

    #[test]
    fn what_is_not_changed_goes_back_without_what_the_service_alone_knows() {
        let read = current(
            json!({ "type": "systemassigned, UserAssigned", "principalId": "p", "tenantId": "t",
                "userAssignedIdentities": { IDENTITY: { "principalId": "p", "clientId": "c" } } }),
            json!({
                "namespace": "scoring", "vcName": null, "extensionPrincipalId": "e",
                "extensionInstanceReleaseTrain": "stable", "somethingElse": { "x": [null] },
                "instanceTypes": { "gpu": { "nodeSelector": null,
                    "resources": { "requests": { "cpu": "1" }, "limits": { "nvidia.com/gpu": null } } } },
            }),
        );
        assert_eq!(
            apply(
                KubernetesUpdateConfiguration::builder().description("other"),
                read
            ),
            json!({
                "location": "eastus", "tags": { "a": "1", "b": "2" }, "new": 1,
                "identity": { "type": "SystemAssigned,UserAssigned", "userAssignedIdentities": { IDENTITY: {} } },
                "properties": {
                    "computeType": "Kubernetes", "computeLocation": "westeurope", "description": "other",
                    "resourceId": "/subscriptions/s/c", "somethingNew": 1,
                    "properties": {
                        "namespace": "scoring", "somethingElse": { "x": [null] },
                        "instanceTypes": { "gpu": { "resources": { "requests": { "cpu": "1" }, "limits": {} } } },
                    },
                },
            })
        );
    }

    #[test]
    fn changes_replace_what_they_name_and_nothing_else() {
        let inner = json!({ "instanceTypes": { "a": { "x": 1 }, "b": {}, "c": {} } });
        let change = KubernetesUpdateConfiguration::builder()
            .identity(KubernetesIdentity::user_assigned(IDENTITY))
            .default_instance_type("d")
            .instance_type("b", InstanceType::new().limit("cpu", "1"))
            .instance_type("d", InstanceType::new())
            .remove_instance_type("c")
            .remove_instance_type("absent")
            .tag("a", "3")
            .remove_tag("b");
        let body = apply(change, current(json!({ "type": "SystemAssigned" }), inner));
        let expected =
            json!({ "type": "UserAssigned", "userAssignedIdentities": { IDENTITY: {} } });
        assert_eq!(body["identity"], expected);
        assert_eq!(body["tags"], json!({ "a": "3" }));
        assert_eq!(
            body["properties"]["properties"],
            json!({ "defaultInstanceType": "d", "instanceTypes": {
                "a": { "x": 1 }, "b": { "resources": { "limits": { "cpu": "1" } } }, "d": {},
            } })
        );
    }

    #[test]
    fn document_with_nulls_or_without_parts_is_updated_all_the_same() {
        let change = || {
            KubernetesUpdateConfiguration::builder()
                .tag("a", "1")
                .instance_type("t", InstanceType::new())
        };
        for read in [
            json!({ "identity": null, "tags": null, "properties": { "properties": null } }),
            json!({ "properties": {} }),
            json!({ "properties": { "properties": { "instanceTypes": null } } }),
        ] {
            assert_eq!(
                apply(change(), read),
                json!({ "tags": { "a": "1" }, "properties": { "properties": { "instanceTypes": { "t": {} } } } })
            );
        }
        for broken in [
            Value::Null,
            json!({}),
            json!({ "properties": { "properties": 1 } }),
        ] {
            let error = change().build().unwrap().apply(broken).unwrap_err();
            assert_eq!(error.findings()[0].rule, "update.current_resource");
        }
    }

    #[test]
    fn invalid_update_is_refused_before_anything_is_read() {
        let error = KubernetesUpdateConfiguration::builder()
            .default_instance_type("A")
            .instance_type("b", InstanceType::new().limit("cpu", "one"))
            .identity(KubernetesIdentity::user_assigned("i"))
            .tag("", "")
            .build()
            .unwrap_err();
        let found: Vec<&str> = error
            .findings()
            .iter()
            .map(|finding| finding.rule)
            .collect();
        assert_eq!(
            found,
            [
                "resource_id.shape",
                "instance_type.quantity",
                "instance_type.name",
                "tags.name"
            ]
        );
    }
}
