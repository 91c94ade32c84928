//! Instance types: which nodes a job or a deployment may run on, and what it gets there.

use crate::facts::names::{KUBERNETES_NAME_MAX, LABEL_MAX};
use crate::json::lenient::{Object, object, or_default};
use crate::names::kubernetes::{is_label, is_qualified, is_subdomain};
use crate::rules::{self, Findings};
use serde::de::MapAccess;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// An instance type of a compute of kind Kubernetes: labels that nodes must have, and the resources that are requested and
/// at most given, as Kubernetes writes quantities.
///
/// ```
/// use azureml_aks::{InstanceType, KubernetesAttachConfiguration, KubernetesClusterRef};
///
/// let gpu = InstanceType::new()
///     .node_label("agentpool", "gpupool")
///     .request("cpu", "1500m")
///     .request("memory", "4Gi")
///     .limit("memory", "8Gi")
///     .limit("nvidia.com/gpu", "1");
/// let cluster = KubernetesClusterRef::managed("myresourcegroup", "mycluster");
/// KubernetesAttachConfiguration::builder(cluster).instance_type("gpu", gpu).build()?;
/// # Ok::<(), azureml_aks::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct InstanceType {
    /// The labels that a node must have.
    pub node_selector: BTreeMap<String, String>,
    /// The requests by resource.
    pub requests: BTreeMap<String, String>,
    /// The limits by resource.
    pub limits: BTreeMap<String, String>,
}

impl InstanceType {
    /// Returns an instance type that fits every node and asks for nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for nodes with this label.
    #[must_use]
    pub fn node_label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.node_selector.insert(name.into(), value.into());
        self
    }

    /// Requests an amount of a resource, for example `cpu` and `100m`.
    #[must_use]
    pub fn request(mut self, resource: impl Into<String>, quantity: impl Into<String>) -> Self {
        self.requests.insert(resource.into(), quantity.into());
        self
    }

    /// Limits a resource, for example `memory` to `2Gi` or `nvidia.com/gpu` to `1`.
    #[must_use]
    pub fn limit(mut self, resource: impl Into<String>, quantity: impl Into<String>) -> Self {
        self.limits.insert(resource.into(), quantity.into());
        self
    }

    fn check(&self, path: &str, findings: &mut Findings) {
        for (name, value) in &self.node_selector {
            let wrong = match (is_qualified(name), value.is_empty() || is_label(value)) {
                (false, _) => name,
                (true, false) => value,
                (true, true) => continue,
            };
            findings.refuse(
                rules::INSTANCE_TYPE_NODE_SELECTOR,
                format!("{path}.node_selector"),
                Some(wrong),
                format!(
                    "the names and values of labels have up to {LABEL_MAX} letters, digits, `-`, `_` and `.`, with a letter or digit at both ends"
                ),
                "give what `kubectl get nodes --show-labels` shows",
            );
        }
        for (member, amounts) in [("requests", &self.requests), ("limits", &self.limits)] {
            for (resource, quantity) in amounts {
                let path = format!("{path}.{member}.{resource}");
                if !is_resource(resource) {
                    findings.refuse(
                        rules::INSTANCE_TYPE_RESOURCE,
                        path.clone(),
                        Some(resource),
                        "containers cannot ask for a resource of this name",
                        "write `cpu`, `memory` or `ephemeral-storage`; a GPU is `nvidia.com/gpu`",
                    );
                }
                if amount(quantity).is_none() {
                    findings.refuse(
                        rules::INSTANCE_TYPE_QUANTITY,
                        path,
                        Some(quantity),
                        "a quantity has digits, perhaps a decimal point, and perhaps a suffix: `m`, `k`, `M`, `G`, `Ki`, `Mi`, `Gi` and so on",
                        "write `100m`, `1.5`, `512Mi` or `2Gi`",
                    );
                }
            }
        }
        self.check_pairs(path, findings);
    }

    /// Checks requests and limits of the same resource.
    fn check_pairs(&self, path: &str, findings: &mut Findings) {
        let of = |amounts: &BTreeMap<String, String>, name: &str| amount(amounts.get(name)?);
        let new = |name: &&String| !self.requests.contains_key(*name);
        for name in self.requests.keys().chain(self.limits.keys().filter(new)) {
            let (request, limit) = (of(&self.requests, name), of(&self.limits, name));
            let shown = self.limits.get(name).or_else(|| self.requests.get(name));
            // Products of a number and a suffix are not exact.
            let above = |one: f64, other: f64| one > other * (1.0 + 1e-9);
            if name.contains('/') {
                let whole = limit.is_some_and(|limit| limit.fract() == 0.0);
                let same = request.is_none() || request == limit;
                // An invalid quantity was reported before.
                let readable = self.requests.contains_key(name) == request.is_some()
                    && self.limits.contains_key(name) == limit.is_some();
                if readable && !(whole && same) {
                    findings.refuse(
                        rules::INSTANCE_TYPE_EXTENDED,
                        format!("{path}.limits.{name}"),
                        shown.map(String::as_str),
                        "a resource with a domain has a limit that is a whole number, and a request of the same amount or none",
                        "set the limit to a whole number, and leave the request out",
                    );
                }
            } else if let (Some(request), Some(limit)) = (request, limit)
                && above(request, limit)
            {
                findings.refuse(
                    rules::INSTANCE_TYPE_LIMIT,
                    format!("{path}.limits.{name}"),
                    shown.map(String::as_str),
                    "the limit is below the amount that is requested",
                    "raise the limit, request less, or leave the limit out",
                );
            }
        }
    }

    /// Returns it as the service reads it: what is not set is left out.
    pub(super) fn value(&self) -> Value {
        let mut resources = Map::new();
        for (key, amounts) in [("requests", &self.requests), ("limits", &self.limits)] {
            if !amounts.is_empty() {
                resources.insert(key.to_owned(), json!(amounts));
            }
        }
        let mut value = json!({});
        if !self.node_selector.is_empty() {
            value["nodeSelector"] = json!(self.node_selector);
        }
        if !resources.is_empty() {
            value["resources"] = resources.into();
        }
        value
    }
}

/// Checks instance types, and a default that may be one of them.
pub(super) fn check<'a>(
    types: impl Iterator<Item = (&'a String, &'a InstanceType)> + Clone,
    default: Option<&str>,
    findings: &mut Findings,
) {
    for (name, instance_type) in types.clone() {
        check_name("instance_types", name, findings);
        instance_type.check(&format!("instance_types.{name}"), findings);
    }
    let Some(default) = default else { return };
    check_name("default_instance_type", default, findings);
    let (mut names, listed) = (types.clone(), types.count() > 0);
    if listed && !names.any(|(name, _)| name == default) {
        findings.advise(
            rules::INSTANCE_TYPE_DEFAULT,
            "default_instance_type",
            format!("the default instance type {default:?} is not one of those that are given"),
            "add the instance type, or make sure that the cluster has it",
        );
    }
}

fn check_name(path: &str, name: &str, findings: &mut Findings) {
    if is_subdomain(name) {
        return;
    }
    findings.refuse(
        rules::INSTANCE_TYPE_NAME,
        path,
        Some(name),
        format!(
            "the name of an instance type has 1 to {KUBERNETES_NAME_MAX} lowercase letters, digits, hyphens and dots, with a letter or digit at both ends of each part"
        ),
        "give the name that `kubectl get instancetype` shows, or choose one such as `gpu-large`",
    );
}

/// Returns whether a container can ask for a resource of this name.
fn is_resource(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage")
        || name
            .strip_prefix("hugepages-")
            .is_some_and(|size| amount(size).is_some())
        || name.contains('/') && is_qualified(name)
}

/// Returns the number that a quantity of Kubernetes stands for; `None` if it is not one, or is below zero.
fn amount(text: &str) -> Option<f64> {
    let text = text.strip_prefix('+').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, suffix) = text.split_at(end.unwrap_or(text.len()));
    let number: f64 = number.parse().ok()?;
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024_f64,
        "Mi" => 1024_f64.powi(2),
        "Gi" => 1024_f64.powi(3),
        "Ti" => 1024_f64.powi(4),
        "Pi" => 1024_f64.powi(5),
        "Ei" => 1024_f64.powi(6),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            10_f64.powi(exponent.parse::<i8>().ok()?.into())
        }
    };
    Some(number * factor)
}

/// An instance type as the service writes it.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Members {
    #[serde(deserialize_with = "or_default")]
    node_selector: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    resources: Resources,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resources {
    #[serde(deserialize_with = "or_default")]
    requests: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    limits: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for InstanceType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Object(members) = Object::<Members>::deserialize(deserializer)?;
        Ok(Self {
            node_selector: members.node_selector,
            requests: members.resources.requests,
            limits: members.resources.limits,
        })
    }
}

/// As the service writes it.
impl Serialize for InstanceType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

object!(InstanceType, Resources);

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(instance_type: InstanceType) -> Vec<&'static str> {
        let mut findings = Findings::default();
        instance_type.check("t", &mut findings);
        let found = findings.into_refusals();
        found.iter().map(|finding| finding.rule).collect()
    }

    #[test]
    fn quantity_is_read_as_kubernetes_reads_it() {
        for (text, expected) in [
            ("0", 0.0),
            ("2", 2.0),
            ("+1", 1.0),
            ("1.5", 1.5),
            ("1.", 1.0),
            (".5", 0.5),
            ("100m", 0.1),
            ("2k", 2000.0),
            ("2Gi", 2_147_483_648.0),
            ("1E", 1e18),
            ("1E3", 1000.0),
            ("12e-1", 1.2),
        ] {
            let found = amount(text).unwrap();
            assert!((found - expected).abs() <= expected * 1e-9, "{text}");
        }
        for text in [
            "", "-1", "+", ".", "1..2", "1 Gi", " 1", "2GB", "1K", "1gi", "e3", "Gi", "1e",
            "1e1.5", "0x1", "inf", "NaN", "1m1", "１",
        ] {
            assert_eq!(amount(text), None, "{text:?}");
        }
    }

    #[test]
    fn request_and_limit_of_a_resource_fit_each_other() {
        let both = |name: &str, request: &str, limit: &str| {
            rules(
                InstanceType::new()
                    .request(name, request)
                    .limit(name, limit),
            )
        };
        assert!(both("cpu", "100m", "0.1").is_empty());
        assert!(both("memory", "1Gi", "1073741824").is_empty());
        assert_eq!(
            both("memory", "2Gi", "2G"),
            ["instance_type.limit_below_request"]
        );
        assert!(both("nvidia.com/gpu", "1", "1").is_empty());
        for (request, limit) in [("1", "2"), ("0.5", "0.5"), ("2", "1")] {
            let found = both("nvidia.com/gpu", request, limit);
            assert_eq!(found, ["instance_type.extended_resource"]);
        }
        let alone = InstanceType::new().request("nvidia.com/gpu", "1");
        assert_eq!(rules(alone), ["instance_type.extended_resource"]);
        let broken = InstanceType::new().limit("nvidia.com/gpu", "one");
        assert_eq!(rules(broken), ["instance_type.quantity"]);
    }

    #[test]
    fn names_of_resources_and_labels_are_those_of_kubernetes() {
        for name in ["cpu", "memory", "ephemeral-storage", "hugepages-2Mi"] {
            assert!(
                rules(InstanceType::new().request(name, "1")).is_empty(),
                "{name}"
            );
        }
        for name in [
            "",
            "gpu",
            "Memory",
            "nvidia.com/",
            "/gpu",
            "hugepages-",
            "-.com/gpu",
        ] {
            let found = rules(InstanceType::new().limit(name, "1"));
            assert_eq!(found, ["instance_type.resource"], "{name:?}");
        }
        let long = "a".repeat(63);
        for (name, value) in [("agentpool", ""), ("a.b/c_d", "E-f"), (&*long, &*long)] {
            assert!(
                rules(InstanceType::new().node_label(name, value)).is_empty(),
                "{name}"
            );
        }
        let longer = "a".repeat(64);
        for (name, value) in [
            ("", "a"),
            ("a/b/c", "a"),
            ("a", "-b"),
            ("a", "b c"),
            ("a", &*longer),
            ("A.B/c", "d"),
        ] {
            let found = rules(InstanceType::new().node_label(name, value));
            assert_eq!(found, ["instance_type.node_selector"], "{name} {value}");
        }
    }

    #[test]
    fn name_is_a_subdomain() {
        for name in ["a", "gpu-large", "a.b", "0", &"a".repeat(253)] {
            assert!(is_subdomain(name), "{name}");
        }
        for name in [
            "",
            "GPU",
            "a_b",
            "-a",
            "a-",
            "a..b",
            ".a",
            "a.-b",
            &"a".repeat(254),
        ] {
            assert!(!is_subdomain(name), "{name:?}");
        }
    }

    #[test]
    fn nulls_in_what_the_service_writes_count_as_absent() {
        for (text, expected) in [
            (
                r#"{"nodeSelector":null,"resources":null}"#,
                InstanceType::new(),
            ),
            (
                r#"{"resources":{"requests":null,"limits":{"nvidia.com/gpu":null,"cpu":"2"}}}"#,
                InstanceType::new().limit("cpu", "2"),
            ),
        ] {
            let read: InstanceType = serde_json::from_str(text).unwrap();
            assert_eq!(read, expected);
        }
        let given = InstanceType::new()
            .node_label("a", "b")
            .request("cpu", "1")
            .limit("cpu", "2");
        assert_eq!(
            serde_json::from_value::<InstanceType>(given.value()).unwrap(),
            given
        );
    }
}
