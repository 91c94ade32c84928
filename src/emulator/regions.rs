//! What `Microsoft.Compute` has for a region: VM sizes and usages.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::call::Call;
use super::clusters::Cluster;
use super::error::ArmError;
use super::http::Answer;
use super::names::region;
use super::routes::Reply;
use super::sizes::VmSize;
use super::state::Config;
use super::versions;

/// Regions with availability zones.
const ZONED: &[&str] = &[
    "australiaeast",
    "brazilsouth",
    "canadacentral",
    "centralindia",
    "centralus",
    "eastasia",
    "eastus",
    "eastus2",
    "francecentral",
    "germanywestcentral",
    "italynorth",
    "japaneast",
    "koreacentral",
    "northeurope",
    "norwayeast",
    "polandcentral",
    "qatarcentral",
    "southafricanorth",
    "southcentralus",
    "southeastasia",
    "spaincentral",
    "swedencentral",
    "switzerlandnorth",
    "uaenorth",
    "uksouth",
    "westeurope",
    "westus2",
    "westus3",
];

/// Regions without.
const OTHER: &[&str] = &[
    "australiasoutheast",
    "canadaeast",
    "koreasouth",
    "northcentralus",
    "southindia",
    "ukwest",
    "westcentralus",
    "westindia",
    "westus",
];

/// Sizes that the subscription may not use, in any region.
const NOT_AVAILABLE: &[&str] = &["Standard_NV6", "Standard_ND96isr_H100_v5"];

/// How many cores the subscription may use in a region, and of each family.
const CORES: u64 = 350;

/// All regions that there are: those of Azure, and that of the workspace, whatever its name.
fn known(config: &Config) -> Vec<String> {
    let own = region(&config.location);
    let names = ZONED.iter().chain(OTHER).map(|name| (*name).to_owned());
    let mut all: Vec<String> = names.filter(|name| *name != own).collect();
    all.push(own);
    all.sort();
    all
}

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
    if NOT_AVAILABLE.contains(&size.name.as_str()) {
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
        let zones: &[&str] = match ZONED.contains(&region) {
            true => &["1", "2", "3"],
            false => &[],
        };
        row["locationInfo"] = json!([{ "location": region, "zones": zones, "zoneDetails": [] }]);
    }
    row
}

/// Cores and nodes that the clusters of the region use, in all and by family.
pub(crate) fn usages(call: Call<'_>) -> Reply {
    call.check_region("usages")?;
    let (config, here) = (call.config, region(call.name("location")));
    let sizes = &config.sizes;
    let mut families: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for size in sizes {
        let limit = &mut families.entry(&size.family).or_default().1;
        if !NOT_AVAILABLE.contains(&size.name.as_str()) {
            *limit = CORES;
        }
    }
    let (mut cores, mut nodes) = (0, 0);
    let is_here = |cluster: &&Cluster| {
        cluster.is_of(&config.subscription) && region(&cluster.location) == here
    };
    for cluster in call.state.clusters.iter().filter(is_here) {
        nodes += cluster.nodes;
        if let Some(size) = config.size(&cluster.vm_size) {
            let used = cluster.nodes * u64::from(size.cores);
            cores += used;
            families.entry(&size.family).or_default().0 += used;
        }
    }
    let mut rows = vec![
        usage("cores", "Total Regional vCPUs", cores, CORES),
        usage("virtualMachines", "Virtual Machines", nodes, 25_000),
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
