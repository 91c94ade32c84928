//! The file of `az ml compute attach -f`, for a compute of the type `kubernetes`.

use super::attach::KubernetesAttachConfigurationBuilder;
use super::cluster::KubernetesClusterRef;
use super::identity::KubernetesIdentity;
use super::instance_type::InstanceType;
use crate::error::Error;
use crate::json::file::{Kind, Members, Text};
use crate::rules;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, Unexpected};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const KIND: Kind = Kind {
    what: "compute file",
    unreadable: rules::COMPUTE_FILE_UNREADABLE,
    syntax: rules::COMPUTE_FILE_SYNTAX,
    wrong_type: rules::COMPUTE_FILE_TYPE,
    unknown_key: rules::COMPUTE_FILE_UNKNOWN_KEY,
};

pub(super) fn from_file(path: &Path) -> Result<KubernetesAttachConfigurationBuilder, Error> {
    Ok(read(Members::of_file(KIND, path)?))
}

pub(super) fn from_text(text: &str) -> Result<KubernetesAttachConfigurationBuilder, Error> {
    Ok(read(Members::of_text(KIND, text, Vec::new())?))
}

fn read(mut members: Members) -> KubernetesAttachConfigurationBuilder {
    let file = &mut members;
    // Microsoft's client ignores the `location` of the file, and sends the region of the workspace.
    file.skip(&["$schema", "location"]);
    check_type(file);
    let id = file.text("resource_id", "cluster.id").unwrap_or_default();
    let mut builder = KubernetesAttachConfigurationBuilder::new(KubernetesClusterRef::Id(id));
    builder.name = file.text("name", "");
    builder.namespace = file.text("namespace", "namespace");
    builder.description = file.text("description", "description");
    builder.identity = read_identity(file);
    builder.default_instance_type = file.text(DEFAULT_TYPE, "default_instance_type");
    let types: Option<BTreeMap<String, Written>> = file.take(TYPES, "instance_types");
    let types = types.unwrap_or_default().into_iter();
    builder.instance_types = types.map(|(name, one)| (name, one.into())).collect();
    builder.file = members.finish();
    builder
}

const DEFAULT_TYPE: &str = "properties.defaultInstanceType";
const TYPES: &str = "properties.instanceTypes";

fn check_type(file: &mut Members) {
    let given = file.get("type").is_some();
    let found = file.text("type", "");
    let message = match &found {
        Some(kind) if kind.eq_ignore_ascii_case("kubernetes") => return,
        Some(kind) => {
            format!("the file is for a compute of the type {kind:?}, and `kubernetes` is expected")
        }
        // Not a text: reported already.
        None if given => return,
        None => "`type` is missing, and `kubernetes` is expected".to_owned(),
    };
    let remedy = "write `type: kubernetes` if the file describes such a compute";
    file.note([rules::COMPUTE_FILE_KIND.finding("type", found.as_deref(), message, remedy)]);
}

/// A user-assigned identity: an object, as the documentation writes it, or an id, which Microsoft's reader accepts too.
struct Assigned(String);

impl<'de> Deserialize<'de> for Assigned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let id = value.as_str().or_else(|| value["resource_id"].as_str());
        id.map(|id| Self(id.to_owned())).ok_or_else(|| {
            let expected = &"an id, or an object with `resource_id`";
            D::Error::invalid_type(Unexpected::Other("it"), expected)
        })
    }
}

fn read_identity(file: &mut Members) -> Option<KubernetesIdentity> {
    let types = file.text("identity.type", "");
    let given = file.get(ASSIGNED).is_some();
    let assigned: Option<Vec<Assigned>> = file.take(ASSIGNED, "identity.user_assigned");
    if given && assigned.is_none() {
        // Of another type, which is noted.
        return None;
    }
    let assigned = assigned.into_iter().flatten();
    let assigned: Vec<String> = assigned.map(|Assigned(id)| id).collect();
    let plain = types
        .as_deref()
        .map(|types| types.replace(['_', ' '], "").to_ascii_lowercase());
    let message = match (plain.as_deref(), &assigned[..]) {
        (None, []) => return None,
        (Some("none"), []) => return Some(KubernetesIdentity::None),
        (Some("systemassigned"), []) => return Some(KubernetesIdentity::SystemAssigned),
        (Some("userassigned"), [id]) => return Some(KubernetesIdentity::user_assigned(id)),
        (Some("userassigned"), []) => {
            "the type is `user_assigned`, and `user_assigned_identities` is empty"
        }
        (Some("userassigned"), _) => {
            "several identities are given, and the service uses only the first"
        }
        (_, []) => "this is not a valid type: `system_assigned`, `user_assigned` and `none` are",
        (_, _) => "`user_assigned_identities` is given, and the type is not `user_assigned`",
    };
    let remedy = "write `type: system_assigned`, or `type: user_assigned` with one identity in \
                  `user_assigned_identities`";
    let found = types.as_deref();
    file.note([rules::COMPUTE_FILE_IDENTITY.finding("identity", found, message, remedy)]);
    None
}

const ASSIGNED: &str = "identity.user_assigned_identities";

/// An instance type. Quantities may be numbers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    #[serde(default)]
    node_selector: Option<BTreeMap<String, Text>>,
    #[serde(default)]
    resources: Option<Resources>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Resources {
    #[serde(default)]
    requests: Option<BTreeMap<String, Option<Text>>>,
    #[serde(default)]
    limits: Option<BTreeMap<String, Option<Text>>>,
}

impl From<Written> for InstanceType {
    fn from(written: Written) -> Self {
        // Documents of the service have nulls here for resources without a limit.
        let amounts = |given: Option<BTreeMap<String, Option<Text>>>| {
            let given = given.into_iter().flatten();
            given
                .filter_map(|(name, amount)| Some((name, amount?.0)))
                .collect()
        };
        let labels = written.node_selector.into_iter().flatten();
        let resources = written.resources.unwrap_or_default();
        Self {
            node_selector: labels.map(|(name, Text(value))| (name, value)).collect(),
            requests: amounts(resources.requests),
            limits: amounts(resources.limits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::attach::KubernetesAttachConfiguration;
    use super::*;

    const CLUSTER: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c";
    const IDENTITY: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";

    fn built(text: &str) -> Result<KubernetesAttachConfiguration, Error> {
        from_text(text).and_then(KubernetesAttachConfigurationBuilder::build)
    }

    fn broken(text: &str) -> Vec<(&'static str, String)> {
        let error = built(text).unwrap_err();
        let findings = error.findings().iter();
        findings
            .map(|found| (found.rule, found.path.clone()))
            .collect()
    }

    #[test]
    fn file_has_the_settings_of_the_builder() {
        let text = format!(
            "$schema: https://azuremlschemas.azureedge.net/latest/kubernetesCompute.schema.json
name: kube
type: kubernetes
location: westus
resource_id: {CLUSTER}
namespace: scoring
description: text
identity:
  type: user_assigned
  user_assigned_identities:
    - resource_id: {IDENTITY}
properties:
  defaultInstanceType: gpu
  instanceTypes:
    gpu:
      nodeSelector: {{agentpool: gpu, spot: true}}
      resources:
        requests: {{cpu: 2, memory: 2Gi}}
        limits: {{cpu: 2.5, nvidia.com/gpu: 1, memory: null}}
"
        );
        let from_file = built(&text).unwrap();
        assert!(from_file.warnings().is_empty());
        assert_eq!(from_file.name(), Some("kube"));
        let gpu = InstanceType::new()
            .node_label("agentpool", "gpu")
            .node_label("spot", "true")
            .request("cpu", "2")
            .request("memory", "2Gi")
            .limit("cpu", "2.5")
            .limit("nvidia.com/gpu", "1");
        let by_hand = KubernetesAttachConfiguration::builder(KubernetesClusterRef::id(CLUSTER))
            .namespace("scoring")
            .description("text")
            .identity(KubernetesIdentity::user_assigned(IDENTITY))
            .default_instance_type("gpu")
            .instance_type("gpu", gpu)
            .build()
            .unwrap();
        let workspace = crate::names::WorkspaceId::parse("s", "g", "w").unwrap();
        let body = |config: &KubernetesAttachConfiguration| config.body(&workspace, "eastus");
        assert_eq!(body(&from_file), body(&by_hand));
    }

    #[test]
    fn identity_is_read_in_every_spelling() {
        let with = |identity: &str| {
            let text = format!("type: Kubernetes\nresource_id: {CLUSTER}\nidentity: {identity}");
            built(&text).map(|config| config.identity().cloned())
        };
        for (identity, expected) in [
            (
                "{type: system_assigned}",
                Some(KubernetesIdentity::SystemAssigned),
            ),
            (
                "{type: SystemAssigned}",
                Some(KubernetesIdentity::SystemAssigned),
            ),
            ("{type: none}", Some(KubernetesIdentity::None)),
            ("{}", None),
        ] {
            assert_eq!(with(identity).unwrap(), expected, "{identity}");
        }
        let ids = |ids: &str| format!("{{type: user_assigned, user_assigned_identities: [{ids}]}}");
        let one = Some(KubernetesIdentity::user_assigned(IDENTITY));
        assert_eq!(with(&ids(&format!("{IDENTITY:?}"))).unwrap(), one);
        for identity in [
            "{type: system_assigned,user_assigned_identities: [x]}".to_owned(),
            "{type: both}".to_owned(),
            "{user_assigned_identities: [x]}".to_owned(),
            ids(""),
            ids("x, y"),
        ] {
            let error = with(&identity).unwrap_err();
            assert_eq!(
                error.findings()[0].rule,
                "compute_file.identity",
                "{identity}"
            );
        }
    }

    #[test]
    fn value_of_another_type_is_reported_once_and_in_plain_words() {
        for (member, path, expected) in [
            (
                "properties: {instanceTypes: {a: null}}",
                "properties.instanceTypes.a",
                "an object",
            ),
            (
                "properties: {instanceTypes: [a]}",
                "properties.instanceTypes",
                "an object",
            ),
            (
                "identity: {type: user_assigned, user_assigned_identities: x}",
                "identity.user_assigned_identities",
                "a list",
            ),
            (
                "identity: {type: user_assigned, user_assigned_identities: [{client_id: x}]}",
                "identity.user_assigned_identities[0]",
                "an id, or an object with `resource_id`",
            ),
        ] {
            let error = built(&format!(
                "type: kubernetes\nresource_id: {CLUSTER}\n{member}"
            ));
            let error = error.unwrap_err();
            let [finding] = error.findings() else {
                panic!("{error}")
            };
            assert_eq!(finding.path, path);
            assert_eq!(finding.message, format!("this is not {expected}"));
        }
    }

    #[test]
    fn broken_file_is_reported_by_its_own_keys() {
        assert_eq!(broken("[]"), [("compute_file.syntax", "$".to_owned())]);
        assert_eq!(
            broken(
                "type: amlcompute\nresource_id: c\nnamespace: A\nsize: x\nproperties: {instanceTypes: {a: {resources: {request: {}}}}}"
            ),
            [
                ("compute_file.kind", "type".to_owned()),
                (
                    "compute_file.type",
                    "properties.instanceTypes.a.resources.request".to_owned()
                ),
                ("resource_id.shape", "resource_id".to_owned()),
                ("namespace.syntax", "namespace".to_owned()),
                ("compute_file.unknown_key", "size".to_owned()),
            ]
        );
        assert_eq!(
            broken("type: kubernetes"),
            [("resource_id.shape", "resource_id".to_owned())]
        );
        let folder = tempfile::tempdir().unwrap();
        let error = from_file(folder.path()).unwrap_err();
        assert_eq!(error.findings()[0].rule, "compute_file.unreadable");
        let warned = format!("type: kubernetes\nresource_id: {CLUSTER}\nnamspace: x");
        let warned = built(&warned).unwrap();
        assert_eq!(warned.warnings()[0].remedy, "did you mean `namespace`?");
    }
}
