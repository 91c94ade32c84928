//! Reads of Azure for the preflight alone: networks, service tags, pairs of regions, policies, permissions.

use super::gather::all;
use crate::error::{Error, ErrorKind};
use crate::facts::arm::{
    LOCATIONS_API_VERSION, NETWORK_API_VERSION, NETWORK_PROVIDER, PERMISSIONS_API_VERSION,
    POLICY_API_VERSION,
};
use crate::json::Item;
use crate::names::WorkspaceId;
use crate::transport::{HttpRequest, Limit, Sending, Trail, follow, pages};
use crate::workspace::Workspace;
use azure_core::http::Method;
use ipnet::IpNet;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

pub(super) async fn read(
    workspace: &Workspace,
    request: &HttpRequest,
    limit: Limit,
) -> Result<Value, Error> {
    let id = request.client_request_id.as_str();
    let sending = match request.method {
        Method::Get => Sending::Retried,
        _ => Sending::Once,
    };
    let answer = workspace
        .client()
        .send(request, sending, limit, None)
        .await?;
    answer.successful(id)?.json(id)
}

/// Returns the error of an answer that lacks the fact that was asked for, which is not the same as "no".
pub(super) fn unsaid(what: &str) -> Error {
    Error::new(
        ErrorKind::Protocol,
        format!("the answer does not say {what}"),
    )
}

/// Returns the URL of the resource with this ARM id, or of what is below it.
pub(super) fn url_of(workspace: &Workspace, id: &str, below: &[&str], api_version: &str) -> Url {
    let own: Vec<&str> = id.split('/').filter(|part| !part.is_empty()).collect();
    workspace.arm_url(&[&own, below].concat(), api_version)
}

pub(super) fn subscription_of(workspace: &WorkspaceId) -> String {
    format!("/subscriptions/{}", workspace.subscription())
}

/// Returns the texts at a path, be it one text or a list.
pub(super) fn texts<'v>(value: &'v Value, names: &[&str]) -> Vec<&'v str> {
    let found = names.iter().map(|name| &value[*name]);
    let all = found.flat_map(|value| match value {
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    });
    all.filter_map(Value::as_str).collect()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A virtual network, as seen from the subnet of the nodes.
#[derive(Debug, Clone, Default)]
pub(super) struct VirtualNetwork {
    pub(super) region: String,
    /// The subnets with their ranges.
    pub(super) subnets: Vec<(String, Vec<IpNet>)>,
    /// The subnet of the nodes, if it exists.
    pub(super) subnet: Option<Subnet>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Subnet {
    pub(super) ranges: Vec<IpNet>,
    pub(super) used: u64,
    /// The ARM id of its network security group.
    pub(super) security_group: Option<String>,
}

impl VirtualNetwork {
    /// Reads the network of a subnet; `None` if there is no such network.
    pub(super) async fn read(
        workspace: &Workspace,
        subnet_id: &str,
    ) -> Result<Option<Self>, Error> {
        let (network, subnet) = subnet_id
            .rsplit_once("/subnets/")
            .unwrap_or((subnet_id, ""));
        let request = HttpRequest::get(url_of(workspace, network, &[], NETWORK_API_VERSION));
        match read(workspace, &request, Limit::RESOURCE).await {
            Ok(document) => Ok(Some(Self::of(&document, subnet))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn of(document: &Value, subnet: &str) -> Self {
        let ranges_of = |subnet: &Value| -> Vec<IpNet> {
            let texts = texts(&subnet["properties"], &["addressPrefix", "addressPrefixes"]);
            texts.iter().filter_map(|text| text.parse().ok()).collect()
        };
        let all = || items(&document["properties"]["subnets"]);
        let name_of = |subnet: &Value| subnet["name"].as_str().unwrap_or_default().to_owned();
        let own = all().find(|found| name_of(found).eq_ignore_ascii_case(subnet));
        Self {
            region: document["location"].as_str().unwrap_or_default().to_owned(),
            subnets: all()
                .map(|subnet| (name_of(subnet), ranges_of(subnet)))
                .collect(),
            subnet: own.map(|own| {
                let group = &own["properties"]["networkSecurityGroup"]["id"];
                Subnet {
                    ranges: ranges_of(own),
                    used: items(&own["properties"]["ipConfigurations"]).count() as u64,
                    security_group: group.as_str().map(str::to_owned),
                }
            }),
        }
    }
}

/// Reads whether a network security group has a rule that lets requests to port 80 or 443 in.
pub(super) async fn lets_scoring_in(workspace: &Workspace, group: &str) -> Result<bool, Error> {
    let request = HttpRequest::get(url_of(workspace, group, &[], NETWORK_API_VERSION));
    let document = read(workspace, &request, Limit::RESOURCE).await?;
    let is = |rule: &Value, name: &str, word: &str| {
        let value = rule[name].as_str();
        value.is_some_and(|value| value.eq_ignore_ascii_case(word))
    };
    Ok(items(&document["properties"]["securityRules"]).any(|rule| {
        let rule = &rule["properties"];
        let ports = texts(rule, &["destinationPortRange", "destinationPortRanges"]);
        is(rule, "direction", "Inbound")
            && is(rule, "access", "Allow")
            && ports.iter().any(|ports| covers_scoring(ports))
    }))
}

/// Returns whether ports as a rule writes them (`*`, `443`, `80-90`) include one of scoring.
fn covers_scoring(ports: &str) -> bool {
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    match (first.trim().parse::<u16>(), last.trim().parse::<u16>()) {
        (Ok(first), Ok(last)) => [80, 443].iter().any(|port| (first..=last).contains(port)),
        _ => ports.trim() == "*",
    }
}

/// The ranges of Azure Machine Learning by the name of their service tag.
#[derive(Debug, Clone, Default)]
pub(super) struct ServiceTags(Vec<(String, Vec<IpNet>)>);

impl ServiceTags {
    pub(super) async fn read(workspace: &Workspace, region: &str) -> Result<Self, Error> {
        // The whole list takes some megabytes: what is not ours is passed over.
        #[derive(Deserialize)]
        struct Page {
            #[serde(default)]
            values: Vec<Tag>,
            #[serde(rename = "nextLink", default)]
            next_link: Option<String>,
        }
        #[derive(Deserialize)]
        struct Tag {
            #[serde(default)]
            name: String,
            #[serde(default)]
            properties: Value,
        }
        let id = subscription_of(workspace.id());
        let below = [
            "providers",
            NETWORK_PROVIDER,
            "locations",
            region,
            "serviceTags",
        ];
        let mut request = HttpRequest::get(url_of(workspace, &id, &below, NETWORK_API_VERSION));
        let client = workspace.client();
        let mut trail = Trail::default();
        let mut all = Vec::new();
        loop {
            trail.step(&request.url)?;
            let id = request.client_request_id.as_str();
            let answer = client
                .send(&request, Sending::Retried, Limit::PAGE, None)
                .await?;
            let page: Page = answer.successful(id)?.json(id)?;
            all.extend(page.values);
            match follow(client, &request.url, page.next_link.as_deref())? {
                Some(next) => request.url = next,
                None => break,
            }
        }
        let own = |tag: &Tag| {
            let family = tag.name.split('.').next().unwrap_or_default();
            family.eq_ignore_ascii_case(TAG)
        };
        let ranges = |tag: Tag| {
            let texts = texts(&tag.properties, &["addressPrefixes"]);
            let ranges = texts.iter().filter_map(|text| text.parse().ok()).collect();
            (tag.name, ranges)
        };
        Ok(Self(all.into_iter().filter(own).map(ranges).collect()))
    }

    /// Returns the ranges of Azure Machine Learning in a region; those of the whole tag where the region has none of
    /// its own.
    pub(super) fn of_region(&self, region: &str) -> &[IpNet] {
        let named = |name: &str| {
            let mut all = self.0.iter();
            let found = all.find(|(own, _)| own.eq_ignore_ascii_case(name));
            found.map(|(_, ranges)| ranges.as_slice())
        };
        let own = named(&format!("{TAG}.{region}"));
        own.or_else(|| named(TAG)).unwrap_or_default()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[cfg(test)]
    pub(super) fn new(tags: &[(&str, &[&str])]) -> Self {
        let parse = |range: &&str| range.parse().unwrap();
        let tag = |(name, ranges): &(&str, &[&str])| {
            (name.to_string(), ranges.iter().map(parse).collect())
        };
        Self(tags.iter().map(tag).collect())
    }
}

const TAG: &str = "AzureMachineLearning";

/// Reads the region that is paired with this one; `None` where a region has no pair.
pub(super) async fn paired_region(
    workspace: &Workspace,
    region: &str,
) -> Result<Option<String>, Error> {
    let id = subscription_of(workspace.id());
    let request = HttpRequest::get(url_of(
        workspace,
        &id,
        &["locations"],
        LOCATIONS_API_VERSION,
    ));
    let document = read(workspace, &request, Limit::RESOURCE).await?;
    let is = |found: &&Value| {
        let name = found["name"].as_str();
        name.is_some_and(|name| name.eq_ignore_ascii_case(region))
    };
    let own = items(&document["value"]).find(is);
    let pair = own.and_then(|own| items(&own["metadata"]["pairedRegion"]).next());
    Ok(pair.and_then(|pair| Some(pair["name"].as_str()?.to_owned())))
}

/// Reads the ids of the policy assignments that would deny a public address in the region.
///
/// The service evaluates its policies for a resource that is not made. Policies of a management group were reported
/// to be left out (Azure Developer CLI), so that an empty list is not a proof.
pub(super) async fn denied_public_addresses(
    workspace: &Workspace,
    region: &str,
) -> Result<Vec<String>, Error> {
    let below = [
        "providers",
        "Microsoft.PolicyInsights",
        "checkPolicyRestrictions",
    ];
    let id = subscription_of(workspace.id());
    let url = url_of(workspace, &id, &below, POLICY_API_VERSION);
    let request = HttpRequest::new(Method::Post, url).json(&json!({
        "resourceDetails": {
            "apiVersion": NETWORK_API_VERSION,
            "resourceContent": {
                "type": "Microsoft.Network/publicIPAddresses",
                "location": region,
                "sku": { "name": "Standard" },
                "properties": { "publicIPAllocationMethod": "Static" },
            },
        },
    }));
    let document = read(workspace, &request, Limit::RESOURCE).await?;
    let evaluations = items(&document["contentEvaluationResult"]["policyEvaluations"]);
    let denies = |found: &&Value| {
        let effect = found["effectDetails"]["policyEffect"].as_str();
        let broken = found["evaluationResult"].as_str() == Some("NonCompliant");
        broken && effect.is_none_or(|effect| effect.eq_ignore_ascii_case("Deny"))
    };
    let assignment = |found: &Value| {
        let id = found["policyInfo"]["policyAssignmentId"].as_str();
        id.unwrap_or("unnamed").to_owned()
    };
    Ok(evaluations.filter(denies).map(assignment).collect())
}

/// The permissions of one role of the caller.
#[derive(Deserialize)]
struct Role(Value);

impl Item for Role {}

/// The permissions of the caller at a scope.
#[derive(Debug, Clone, Default)]
pub(super) struct Permissions(Vec<(Vec<String>, Vec<String>)>);

impl Permissions {
    pub(super) async fn read(workspace: &Workspace, scope: &str) -> Result<Self, Error> {
        let below = ["providers", "Microsoft.Authorization", "permissions"];
        let url = url_of(workspace, scope, &below, PERMISSIONS_API_VERSION);
        let roles: Vec<Role> = all(pages(workspace.client().clone(), url)).await?;
        if roles.is_empty() {
            // Nobody without a role gets an answer.
            return Err(unsaid("what the caller may do"));
        }
        let list = |found: &Value, name: &str| -> Vec<String> {
            texts(found, &[name])
                .into_iter()
                .map(str::to_owned)
                .collect()
        };
        let both = |Role(found): &Role| (list(found, "actions"), list(found, "notActions"));
        Ok(Self(roles.iter().map(both).collect()))
    }

    #[cfg(test)]
    pub(super) fn new(all: &[(&[&str], &[&str])]) -> Self {
        let list = |texts: &[&str]| texts.iter().map(|text| text.to_string()).collect();
        Self(
            all.iter()
                .map(|(actions, not)| (list(actions), list(not)))
                .collect(),
        )
    }

    /// Returns whether a role of the caller allows the action. Another role may allow an action that one role excludes.
    pub(super) fn allow(&self, action: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, action));
        self.0
            .iter()
            .any(|(actions, not)| any(actions) && !any(not))
    }
}

/// Returns whether a pattern with `*` matches an action. Neither case nor the number of segments counts.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = action.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    match last {
        // What follows the last `*` stands at the end.
        Some(last) => last.is_empty() || action.ends_with(last),
        None => rest.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_match_patterns_with_stars_in_any_case() {
        const WRITE: &str = "Microsoft.MachineLearningServices/workspaces/computes/write";
        for (pattern, expected) in [
            ("*", true),
            (WRITE, true),
            ("microsoft.machinelearningservices/*", true),
            ("Microsoft.MachineLearningServices/workspaces/*/write", true),
            ("*/write", true),
            ("*/read", false),
            (
                "Microsoft.MachineLearningServices/workspaces/computes",
                false,
            ),
            (
                "Microsoft.MachineLearningServices/workspaces/computes/writer",
                false,
            ),
            ("Microsoft.Compute/*", false),
            ("", false),
        ] {
            assert_eq!(matches(pattern, WRITE), expected, "{pattern}");
        }
    }

    #[test]
    fn permission_of_one_role_is_not_taken_away_by_another() {
        let action = "a/b/write";
        let owner: (&[&str], &[&str]) = (&["*"], &[]);
        let contributor: (&[&str], &[&str]) = (&["*"], &["a/*/write"]);
        assert!(!Permissions::new(&[contributor]).allow(action));
        assert!(Permissions::new(&[contributor, owner]).allow(action));
        assert!(!Permissions::default().allow(action));
    }

    #[test]
    fn ports_of_scoring_are_found_in_ranges() {
        for (ports, expected) in [
            ("*", true),
            ("443", true),
            ("80-90", true),
            ("81-442", false),
            ("x", false),
        ] {
            assert_eq!(covers_scoring(ports), expected, "{ports}");
        }
    }

    #[test]
    fn network_is_read_with_its_subnets_and_addresses() {
        let network = VirtualNetwork::of(
            &json!({
                "location": "westus",
                "properties": { "subnets": [
                    { "name": "Default", "properties": {
                        "addressPrefix": "10.0.0.0/24",
                        "ipConfigurations": [{ "id": "a" }, { "id": "b" }],
                        "networkSecurityGroup": { "id": "/g" },
                    } },
                    { "name": "other", "properties": { "addressPrefixes": ["10.1.0.0/16", "fd00::/64"] } },
                    { "name": 7 },
                ] },
            }),
            "default",
        );
        let own = network.subnet.unwrap();
        assert_eq!((own.used, own.security_group.as_deref()), (2, Some("/g")));
        assert_eq!(network.subnets.len(), 3);
        assert_eq!(network.subnets[1].1.len(), 2);
        assert_eq!(VirtualNetwork::of(&json!({}), "default").subnets.len(), 0);
    }
}
