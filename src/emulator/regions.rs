//! The VM sizes and usages of a region, as `Microsoft.Compute` lists them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::Call;
use super::clusters::{Cluster, nodes_of};
use super::error::ArmError;
use super::http::Answer;
use super::locations::{has_zones, known};
use super::names::region;
use super::routes::Reply;
use super::sizes::VmSize;
use super::state::{Config, State};
use super::versions;

/// Sizes that the subscription may not use, in any region.
const NOT_AVAILABLE: &[&str] = &["Standard_NV6", "Standard_ND96isr_H100_v5"];

/// How many cores the subscription may use in a region, and of each family.
const CORES: u64 = 350;

impl Call<'_> {
    /// Refuses a region that there is not, as the front door does.
    pub(crate) fn check_region(&self, kind: &str) -> Result<(), ArmError> {
        let (given, known) = (self.name("location"), known(self.config));
        if known.contains(&region(given)) {
            return Ok(());
        }
        Err(ArmError::front_door(
            400,
            "NoRegisteredProviderFound",
            format!(
                "No registered resource provider found for location '{given}' and API version '{}' \
                 for type 'locations/{kind}'. The supported locations are '{}'.",
                self.api_version(),
                known.join(", ")
            ),
        ))
    }
}

/// How the service of virtual machines answers.
fn answer(rows: &[Value]) -> Reply {
    let answer = Answer::json(200, &json!({ "value": rows }));
    Ok(answer.with("Server", "Microsoft-HTTPAPI/2.0, Microsoft-HTTPAPI/2.0"))
}

/// The sizes of one region, or of all; one row for a size in a region, and no paging.
pub(crate) fn skus(call: Call<'_>) -> Reply {
    let mut regions = known(call.config);
    if let Some(filter) = call.request.parameter("$filter") {
        let wanted = filter
            .trim()
            .strip_prefix("location eq '")
            .and_then(|rest| rest.strip_suffix('\''))
            .map(region)
            .ok_or_else(|| {
                ArmError::unsupported(format!(
                    "The filter '{filter}' is not supported: only location eq '...' is."
                ))
            })?;
        regions.retain(|known| *known == wanted);
    }
    let with_info = call.api_version().as_str() >= versions::ZONES_SINCE;
    let sizes = &call.config.sizes;
    let rows = regions
        .iter()
        .flat_map(|region| sizes.iter().map(move |size| row(size, region, with_info)));
    answer(&rows.collect::<Vec<Value>>())
}

fn row(size: &VmSize, region: &str, with_info: bool) -> Value {
    let text = |holds: bool| if holds { "True" } else { "False" }.to_owned();
    let mut capabilities = vec![
        ("MaxResourceVolumeMB", "0".to_owned()),
        ("OSVhdSizeMB", "1047552".to_owned()),
        ("vCPUs", size.cores.to_string()),
        ("MemoryGB", size.memory_gb.to_string()),
        ("LowPriorityCapable", text(true)),
        ("PremiumIO", text(size.name.contains('s'))),
    ];
    if size.gpus > 0 {
        capabilities.push(("GPUs", size.gpus.to_string()));
    }
    let capabilities = capabilities
        .into_iter()
        .map(|(name, value)| json!({ "name": name, "value": value }));
    let mut restrictions = Vec::new();
    if !is_available(size) {
        let mut restriction = json!({
            "type": "Location",
            "values": [region],
            "reasonCode": "NotAvailableForSubscription",
        });
        if with_info {
            restriction["restrictionInfo"] = json!({ "locations": [region] });
        }
        restrictions.push(restriction);
    }
    let mut row = json!({
        "resourceType": "virtualMachines",
        "name": size.name,
        "tier": "Standard",
        "size": size.name.trim_start_matches("Standard_"),
        "family": size.family,
        "locations": [region],
        "capabilities": capabilities.collect::<Vec<Value>>(),
        "restrictions": restrictions,
    });
    if with_info {
        let zones: &[&str] = match has_zones(region) {
            true => &["1", "2", "3"],
            false => &[],
        };
        row["locationInfo"] = json!([{ "location": region, "zones": zones, "zoneDetails": [] }]);
    }
    row
}

/// Whether the subscription may use a size.
pub(crate) fn is_available(size: &VmSize) -> bool {
    !NOT_AVAILABLE.contains(&size.name.as_str())
}

/// Returns the cores that the clusters of a region use.
#[derive(Debug, Default)]
pub(crate) struct Used {
    nodes: u64,
    cores: u64,
    families: BTreeMap<String, u64>,
}

impl Used {
    /// Counts so many nodes of a size; of one that is not known only the nodes.
    pub(crate) fn add(&mut self, size: Option<&VmSize>, nodes: u64) {
        self.nodes += nodes;
        if let Some(size) = size {
            let cores = nodes * u64::from(size.cores);
            self.cores += cores;
            *self.families.entry(size.family.clone()).or_default() += cores;
        }
    }
}

/// The usage in a region of a subscription.
pub(crate) fn used(config: &Config, state: &State, subscription: &str, place: &str) -> Used {
    let place = region(place);
    let is_here =
        |cluster: &&Cluster| cluster.is_of(subscription) && region(cluster.location()) == place;
    let mut used = Used::default();
    for cluster in state.clusters.iter().filter(is_here) {
        for pool in cluster.pools() {
            let size = pool["vmSize"].as_str().unwrap_or_default();
            used.add(config.size(size), nodes_of(pool));
        }
    }
    used
}

/// Refuses what does not fit beside what is in use, in the words of the container service.
pub(crate) fn check_quota(used: &Used, wanted: &Used, place: &str) -> Result<(), ArmError> {
    let refuse =
        |message: String| Err(ArmError::new(400, "ErrCode_InsufficientVCPUQuota", message));
    let place = region(place);
    let left = CORES.saturating_sub(used.cores);
    let requested = wanted.cores;
    if requested > left {
        return refuse(format!(
            "Insufficient regional vcpu quota left for location {place}. left regional vcpu quota {left}, \
             requested quota {requested}."
        ));
    }
    for (family, requested) in &wanted.families {
        let taken = used.families.get(family).copied().unwrap_or_default();
        let left = CORES.saturating_sub(taken);
        if *requested > left {
            return refuse(format!(
                "Insufficient vcpu quota requested {requested}, remaining {left} for family {family} for \
                 region {place}."
            ));
        }
    }
    Ok(())
}

/// Cores and nodes that the clusters of the region use, in all and by family.
pub(crate) fn usages(call: Call<'_>) -> Reply {
    call.check_region("usages")?;
    let (config, here) = (call.config, region(call.name("location")));
    let mut families: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for size in &config.sizes {
        let limit = &mut families.entry(&size.family).or_default().1;
        if is_available(size) {
            *limit = CORES;
        }
    }
    let used = used(config, call.state, &config.subscription, &here);
    for (family, cores) in &used.families {
        if let Some((of_family, _)) = families.get_mut(family.as_str()) {
            *of_family = *cores;
        }
    }
    let mut rows = vec![
        usage("cores", "Total Regional vCPUs", used.cores, CORES),
        usage("virtualMachines", "Virtual Machines", used.nodes, 25_000),
        usage(
            "lowPriorityCores",
            "Total Regional Low-priority vCPUs",
            0,
            CORES,
        ),
    ];
    rows.extend(families.iter().map(|(family, (used, limit))| {
        let short = family.trim_end_matches("Family");
        let short = short.get("standard".len()..).unwrap_or(short);
        let words = format!("Standard {short} Family vCPUs");
        usage(family, &words, *used, *limit)
    }));
    answer(&rows)
}

fn usage(value: &str, words: &str, used: u64, limit: u64) -> Value {
    json!({
        "limit": limit,
        "unit": "Count",
        "currentValue": used,
        "name": { "value": value, "localizedValue": words },
    })
}
