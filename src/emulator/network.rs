//! Virtual networks and their subnets, and the service tags of a region.
//!
//! Every resource group has one network, `myvnet`, with two subnets: `default`, and `aks-subnet`, in which
//! Azure Machine Learning looks for the address of an internal load balancer.

use ipnet::Ipv4Net;
use serde_json::{Value, json};

use super::call::Call;
use super::error::ArmError;
use super::groups::Group;
use super::http::Answer;
use super::names::region;
use super::routes::Reply;
use super::state::State;

const NETWORK: &str = "myvnet";
const SPACE: &str = "10.224.0.0/12";
const SUBNETS: &[(&str, [u8; 4])] = &[
    ("default", [10, 224, 0, 0]),
    ("aks-subnet", [10, 225, 0, 0]),
];
const BITS: u8 = 16;

/// The tag of the state of a network, which never changes.
const ETAG: &str = "W/\"00000000-0000-0000-0000-0000000000e1\"";
const GUID: &str = "00000000-0000-0000-0000-0000000000e2";

/// A subnet of a network.
#[derive(Clone, Debug)]
pub(crate) struct Subnet {
    name: &'static str,
    pub(crate) range: Ipv4Net,
}

fn subnets() -> impl Iterator<Item = Subnet> {
    SUBNETS.iter().filter_map(|(name, first)| {
        let range = Ipv4Net::new((*first).into(), BITS).ok()?;
        Some(Subnet { name, range })
    })
}

fn subnet(name: &str) -> Option<Subnet> {
    subnets().find(|subnet| subnet.name.eq_ignore_ascii_case(name))
}

impl State {
    /// The subnet at this place.
    pub(crate) fn subnet(
        &self,
        subscription: &str,
        group: &str,
        network: &str,
        name: &str,
    ) -> Option<Subnet> {
        self.group(subscription, group)?;
        subnet(name).filter(|_| network.eq_ignore_ascii_case(NETWORK))
    }
}

fn network_id(group: &Group) -> String {
    format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/virtualNetworks/{NETWORK}",
        group.subscription, group.name
    )
}

fn network_document(group: &Group) -> Value {
    let subnets = subnets().map(|subnet| subnet_document(group, &subnet));
    json!({
        "name": NETWORK,
        "id": network_id(group),
        "etag": ETAG,
        "type": "Microsoft.Network/virtualNetworks",
        "location": group.location,
        "properties": {
            "provisioningState": "Succeeded",
            "resourceGuid": GUID,
            "addressSpace": { "addressPrefixes": [SPACE] },
            "subnets": subnets.collect::<Vec<Value>>(),
            "virtualNetworkPeerings": [],
            "enableDdosProtection": false,
        },
    })
}

fn subnet_document(group: &Group, subnet: &Subnet) -> Value {
    json!({
        "name": subnet.name,
        "id": format!("{}/subnets/{}", network_id(group), subnet.name),
        "etag": ETAG,
        "properties": {
            "provisioningState": "Succeeded",
            "addressPrefix": subnet.range.to_string(),
            "ipamPoolPrefixAllocations": [],
            "delegations": [],
            "privateEndpointNetworkPolicies": "Disabled",
            "privateLinkServiceNetworkPolicies": "Enabled",
        },
        "type": "Microsoft.Network/virtualNetworks/subnets",
    })
}

/// How the service of networks answers.
fn answer(body: &Value) -> Answer {
    let server = "Microsoft-HTTPAPI/2.0, Microsoft-HTTPAPI/2.0";
    Answer::json(200, body).with("Server", server)
}

/// The group whose network the path names.
fn find<'c>(call: &'c Call<'_>) -> Result<&'c Group, ArmError> {
    call.check_place()?;
    let (group, network) = (call.name("in"), call.name("network"));
    let found = call.state.group(call.name("of"), group);
    found
        .filter(|_| network.eq_ignore_ascii_case(NETWORK))
        .ok_or_else(|| {
            let what = format!("Microsoft.Network/virtualNetworks/{network}");
            ArmError::not_found(&what, group)
        })
}

pub(crate) fn get(call: Call<'_>) -> Reply {
    Ok(answer(&network_document(find(&call)?)).with("ETag", ETAG))
}

/// The networks of a subscription, or of one of its groups.
pub(crate) fn list(call: Call<'_>) -> Reply {
    call.check_place()?;
    let (of, only) = (call.name("of"), call.name("in"));
    let groups = call.state.groups.iter();
    let listed = groups.filter(|group| {
        group.subscription.eq_ignore_ascii_case(of)
            && (only.is_empty() || group.name.eq_ignore_ascii_case(only))
    });
    call.listed(listed, "$skiptoken", None, network_document)
}

pub(crate) fn get_subnet(call: Call<'_>) -> Reply {
    let group = find(&call)?;
    let name = call.name("subnet");
    let subnet = subnet(name).ok_or_else(|| {
        let message = format!("Resource {}/subnets/{name} not found.", network_id(group));
        ArmError::new(404, "NotFound", message)
    })?;
    Ok(answer(&subnet_document(group, &subnet)).with("ETag", ETAG))
}

pub(crate) fn list_subnets(call: Call<'_>) -> Reply {
    let group = find(&call)?;
    call.listed(subnets(), "$skiptoken", None, |subnet| {
        subnet_document(group, &subnet)
    })
}

/// A few of the tags, with addresses that are reserved for documentation. That of Azure Machine Learning has
/// no regional twin.
const TAGS: &[(&str, &str, &[&str])] = &[
    ("AzureActiveDirectory", "AzureAD", &["203.0.113.0/28"]),
    (
        "AzureContainerRegistry",
        "AzureContainerRegistry",
        &["203.0.113.16/28"],
    ),
    (
        "AzureMachineLearning",
        "AzureMachineLearning",
        &["203.0.113.32/28", "2001:db8:1::/48"],
    ),
    (
        "AzureResourceManager",
        "AzureResourceManager",
        &["203.0.113.48/28"],
    ),
    (
        "MicrosoftContainerRegistry",
        "MicrosoftContainerRegistry",
        &["203.0.113.64/28"],
    ),
    (
        "Storage",
        "AzureStorage",
        &["203.0.113.80/28", "2001:db8:2::/48"],
    ),
];

const CHANGE: &str = "104";

pub(crate) fn service_tags(call: Call<'_>) -> Reply {
    call.check_region("serviceTags")?;
    let here = region(call.name("location"));
    let tag = |name: String, region: &str, service: &str, prefixes: &[&str]| {
        json!({
            "name": name,
            "id": name,
            "serviceTagChangeNumber": CHANGE,
            "properties": {
                "changeNumber": CHANGE,
                "region": region,
                "state": "GA",
                "networkFeatures": ["API", "NSG", "UDR", "FW"],
                "systemService": service,
                "addressPrefixes": prefixes,
            },
        })
    };
    let mut values: Vec<Value> = Vec::new();
    for (name, service, prefixes) in TAGS {
        values.push(tag((*name).to_owned(), "", service, prefixes));
    }
    let storage = format!("Storage.{here}");
    values.push(tag(storage, &here, "AzureStorage", &["203.0.113.80/28"]));
    let subscription = &call.config.subscription;
    Ok(answer(&json!({
        "name": "Public",
        "id": format!("/subscriptions/{subscription}/providers/Microsoft.Network/serviceTags/Public"),
        "type": "Microsoft.Network/serviceTags",
        "changeNumber": CHANGE,
        "cloud": "Public",
        "values": values,
        // Empty, not absent: it is the last page.
        "nextLink": "",
    })))
}
