//! Refusals of the container service, in its words where they are known.

use ipnet::Ipv4Net;
use serde_json::{Map, Value};

use super::{Cluster, Site, nodes_of};
use crate::emulator::call::Call;
use crate::emulator::error::ArmError;
use crate::emulator::network::Subnet;
use crate::emulator::regions::{self, Used};
use crate::emulator::state::{Config, State};
use crate::emulator::{locations, names};

/// The most nodes of a pool.
const MOST: u64 = 1000;

/// A value outside of what it may be.
fn invalid(member: &str) -> ArmError {
    let message = format!(
        "The value of parameter {member} is invalid. Please see https://aka.ms/aks-naming-rules for more \
         details."
    );
    ArmError::new(400, "InvalidParameter", message).about(member)
}

/// A value that has to be given.
pub(super) fn missing(member: &str) -> ArmError {
    let message = format!("Required parameter {member} is missing (null).");
    ArmError::new(400, "InvalidParameter", message).about(member)
}

/// A value that cannot be changed.
pub(super) fn fixed(member: &str) -> ArmError {
    let message = format!("Changing property '{member}' is not allowed.");
    ArmError::new(400, "PropertyChangeNotAllowed", message).about(member)
}

/// Refuses what is begun while another operation runs on the cluster or on one of its pools.
pub(super) fn busy(state: &State, cluster: &Cluster) -> Result<(), ArmError> {
    let Some(running) = state.cluster_operation(cluster) else {
        return Ok(());
    };
    let of_pool = running.pool.as_deref().and_then(|pool| {
        let state = cluster.pool(pool)?["provisioningState"].as_str()?;
        Some(format!("Another agentpool operation ({pool} - {state})"))
    });
    let what = of_pool.unwrap_or_else(|| format!("Another operation ({})", cluster.state()));
    Err(ArmError::new(
        409,
        "OperationNotAllowed",
        format!(
            "Operation is not allowed: {what} is in progress, please wait for it to finish before starting \
             a new operation. See https://aka.ms/aks-pending-operation for more details"
        ),
    ))
}

pub(super) fn check_cluster_name(name: &str) -> Result<(), ArmError> {
    let ends = |c: char| c.is_ascii_alphanumeric();
    let fits = (1..=63).contains(&name.len())
        && name.starts_with(ends)
        && name.ends_with(ends)
        && name.chars().all(|c| ends(c) || matches!(c, '-' | '_'));
    if fits { Ok(()) } else { Err(invalid("name")) }
}

/// The name of a pool of Linux nodes.
pub(super) fn check_pool_name(name: &str) -> Result<(), ArmError> {
    let fits = (1..=12).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if fits {
        Ok(())
    } else {
        Err(invalid("agentPoolProfile.name"))
    }
}

/// Checks a pool as it is to be, apart from its place and its size.
pub(super) fn check_pool(pool: &Value) -> Result<(), ArmError> {
    if pool["type"] != "VirtualMachineScaleSets" {
        return Err(ArmError::unsupported(
            "The emulator serves node pools of type VirtualMachineScaleSets only.",
        ));
    }
    let least = if pool["mode"] == "System" { 1 } else { 0 };
    let count = nodes_of(pool);
    if !(least..=MOST).contains(&count) {
        let message = format!(
            "agentPoolProfile.count was {count}. It must be greater or equal to minCount:{least} and less \
             than or equal to maxCount:{MOST}."
        );
        let refused = ArmError::new(400, "InvalidParameter", message);
        return Err(refused.about("agentPoolProfile.count"));
    }
    if pool["enableAutoScaling"] == true {
        let bound = |key: &str| {
            let given = pool[key].as_u64();
            given.ok_or_else(|| missing(&format!("agentPoolProfile.{key}")))
        };
        let (low, high) = (bound("minCount")?, bound("maxCount")?);
        if !(least..=MOST).contains(&low) {
            return Err(invalid("agentPoolProfile.minCount"));
        }
        if !(low.max(1)..=MOST).contains(&high) {
            return Err(invalid("agentPoolProfile.maxCount"));
        }
    }
    Ok(())
}

/// Checks that the subscription may use the VM size of a pool in this region.
pub(super) fn check_size(config: &Config, size: &str, location: &str) -> Result<(), ArmError> {
    if config.size(size).is_some_and(regions::is_available) {
        return Ok(());
    }
    let sizes = config
        .sizes
        .iter()
        .filter(|size| regions::is_available(size));
    let sizes: Vec<String> = sizes.map(|size| size.name.to_ascii_lowercase()).collect();
    Err(ArmError::bad_request(format!(
        "The VM size of {size} is not allowed in your subscription in location '{}'. The available VM sizes \
         are '{}'. For more details, please visit https://aka.ms/aks/quotas-skus-regions",
        names::region(location),
        sizes.join(",")
    )))
}

/// Checks that there are cores left for what pools have more than before.
pub(super) fn check_quota<'p>(
    call: &Call<'_>,
    location: &str,
    more: impl IntoIterator<Item = (&'p Value, u64)>,
) -> Result<(), ArmError> {
    let mut wanted = Used::default();
    for (pool, nodes) in more {
        let size = pool["vmSize"].as_str().unwrap_or_default();
        wanted.add(call.config.size(size), nodes);
    }
    let used = regions::used(call.config, call.state, call.name("of"), location);
    regions::check_quota(&used, &wanted, location)
}

/// The version with its patch that is meant.
pub(super) fn version<'c>(config: &'c Config, wanted: &str) -> Result<&'c str, ArmError> {
    config.kubernetes.resolve(wanted).ok_or_else(|| {
        ArmError::new(
            400,
            "AgentPoolK8sVersionNotSupported",
            format!(
                "Version {wanted} is not supported in this region. Please use [az aks get-versions] command \
                 to get the supported version list in this region. For more information, please check \
                 https://aka.ms/supported-version-list"
            ),
        )
    })
}

/// The subnet of a pool, if it names one; `at` is its place in the body.
pub(super) fn subnet(state: &State, pool: &Value, at: &str) -> Result<Option<Subnet>, ArmError> {
    let Some(id) = pool["vnetSubnetID"].as_str() else {
        return Ok(None);
    };
    let Some(place) = names::subnet(id) else {
        return Err(ArmError::front_door(
            400,
            "LinkedInvalidPropertyId",
            format!(
                "Property id '{id}' at path 'properties.{at}vnetSubnetID' is invalid. Expect fully qualified \
                 resource Id that start with '/subscriptions/{{subscriptionId}}' or \
                 '/providers/{{resourceProviderNamespace}}/'."
            ),
        ));
    };
    let [subscription, group, network, name] = place;
    let found = state.subnet(subscription, group, network, name);
    found.map(Some).ok_or_else(|| {
        ArmError::new(
            400,
            "SubnetNotFound",
            format!(
                "Could not find subnet {name} in vnet {network} from resource group {group} of subscription \
                 {subscription}."
            ),
        )
    })
}

/// Checks the network of a cluster as it is to be.
pub(super) fn check_network(
    properties: &Value,
    given: &Map<String, Value>,
    subnets: &[Subnet],
) -> Result<(), ArmError> {
    let network = &properties["networkProfile"];
    let is_basic = network["loadBalancerSku"]
        .as_str()
        .is_some_and(|sku| sku.eq_ignore_ascii_case("basic"));
    let ranges = properties["apiServerAccessProfile"]["authorizedIPRanges"].as_array();
    let ranges: Vec<&str> = ranges
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if is_basic && !ranges.is_empty() {
        return Err(ArmError::bad_request(format!(
            "Setting apiServerAuthorizedIPRanges [{}] is not allowed with basic load balancer. Please \
             recreate cluster with standard load balancer. Refer to https://aka.ms/aks/whitelist for more \
             details",
            ranges.join(" ")
        )));
    }
    if network["outboundType"] == "userDefinedRouting" {
        if subnets.is_empty() {
            let message = "The input subnet is an empty string.";
            return Err(ArmError::new(400, "EmptySubnetError", message));
        }
        let given = given.get("networkProfile");
        if given.is_some_and(|network| network["loadBalancerProfile"].is_object()) {
            return Err(ArmError::new(
                400,
                "InvalidUserDefinedRoutingWithLoadBalancerProfile",
                "UserDefinedRouting and load balancer profile are mutually exclusive. Please refer to \
                 http://aka.ms/aks/outboundtype for more details",
            ));
        }
    }
    let services = network["serviceCidr"].as_str().unwrap_or_default();
    let range = services.parse::<Ipv4Net>();
    let range = range.map_err(|_| {
        let refused = ArmError::new(400, "CidrStringParseError", "Cidr is invalid");
        refused.about("networkProfile.serviceCIDR")
    })?;
    for subnet in subnets {
        if range.contains(&subnet.range) || subnet.range.contains(&range) {
            let message = format!(
                "The specified service CIDR {services} is conflicted with an existing subnet CIDR {}",
                subnet.range
            );
            let refused = ArmError::new(400, "ServiceCidrOverlapExistingSubnetsCidr", message);
            return Err(refused.about("networkProfile.serviceCIDR"));
        }
    }
    Ok(())
}

/// Checks the region of a new cluster, and that a cluster stays where it is, as the front door does.
pub(super) fn check_location<'b>(
    call: &Call<'_>,
    place: &Site<'_>,
    body: &'b Map<String, Value>,
    there: Option<&Cluster>,
) -> Result<&'b str, ArmError> {
    let Some(location) = body.get("location").and_then(Value::as_str) else {
        return Err(ArmError::front_door(
            400,
            "LocationRequired",
            "The location property is required for this definition.",
        ));
    };
    let known = locations::known(call.config);
    if !known.contains(&names::region(location)) {
        return Err(ArmError::front_door(
            400,
            "LocationNotAvailableForResourceType",
            format!(
                "The provided location '{location}' is not available for resource type \
                 'Microsoft.ContainerService/managedClusters'. List of available regions for the resource \
                 type is '{}'.",
                known.join(",")
            ),
        ));
    }
    match there.map(Cluster::location) {
        Some(own) if names::region(own) != names::region(location) => Err(ArmError::front_door(
            409,
            "InvalidResourceLocation",
            format!(
                "The resource '{}' already exists in location '{own}' in resource group '{}'. A resource \
                 with the same name cannot be created in location '{location}'. Please select a new \
                 resource name.",
                place.name, place.group
            ),
        )),
        _ => Ok(location),
    }
}
