//! The regions of the subscription.

use serde_json::{Value, json};

use super::call::Call;
use super::http::Answer;
use super::names::region;
use super::routes::Reply;
use super::state::Config;

/// A region: its display name, geography, group of geographies, the region that it is paired with, and whether
/// it has availability zones.
type Row = (&'static str, &'static str, &'static str, &'static str, bool);

#[rustfmt::skip]
const REGIONS: &[Row] = &[
    ("Australia East", "Australia", "Asia Pacific", "australiasoutheast", true),
    ("Australia Southeast", "Australia", "Asia Pacific", "australiaeast", false),
    ("Brazil South", "Brazil", "South America", "southcentralus", true),
    ("Canada Central", "Canada", "Canada", "canadaeast", true),
    ("Canada East", "Canada", "Canada", "canadacentral", false),
    ("Central India", "India", "Asia Pacific", "southindia", true),
    ("Central US", "United States", "US", "eastus2", true),
    ("East Asia", "Asia Pacific", "Asia Pacific", "southeastasia", true),
    ("East US", "United States", "US", "westus", true),
    ("East US 2", "United States", "US", "centralus", true),
    ("France Central", "France", "Europe", "francesouth", true),
    ("Germany West Central", "Germany", "Europe", "germanynorth", true),
    ("Italy North", "Italy", "Europe", "", true),
    ("Japan East", "Japan", "Asia Pacific", "japanwest", true),
    ("Korea Central", "Korea", "Asia Pacific", "koreasouth", true),
    ("Korea South", "Korea", "Asia Pacific", "koreacentral", false),
    ("North Central US", "United States", "US", "southcentralus", true),
    ("North Europe", "Europe", "Europe", "westeurope", true),
    ("Norway East", "Norway", "Europe", "norwaywest", true),
    ("Poland Central", "Poland", "Europe", "", true),
    ("Qatar Central", "Qatar", "Middle East", "", true),
    ("South Africa North", "South Africa", "Africa", "southafricawest", true),
    ("South Central US", "United States", "US", "northcentralus", true),
    ("South India", "India", "Asia Pacific", "centralindia", false),
    ("Southeast Asia", "Asia Pacific", "Asia Pacific", "eastasia", true),
    ("Spain Central", "Spain", "Europe", "", true),
    ("Sweden Central", "Sweden", "Europe", "swedensouth", true),
    ("Switzerland North", "Switzerland", "Europe", "switzerlandwest", true),
    ("UAE North", "UAE", "Middle East", "uaecentral", true),
    ("UK South", "United Kingdom", "Europe", "ukwest", true),
    ("UK West", "United Kingdom", "Europe", "uksouth", false),
    ("West Central US", "United States", "US", "westus2", false),
    ("West Europe", "Europe", "Europe", "northeurope", true),
    ("West India", "India", "Asia Pacific", "southindia", false),
    ("West US", "United States", "US", "eastus", false),
    ("West US 2", "United States", "US", "westcentralus", true),
    ("West US 3", "United States", "US", "eastus", true),
];

fn row(name: &str) -> Option<&'static Row> {
    REGIONS.iter().find(|row| region(row.0) == name)
}

/// Whether a region has availability zones.
pub(crate) fn has_zones(name: &str) -> bool {
    row(name).is_some_and(|row| row.4)
}

/// The names of all regions: those of Azure, and that of the workspace.
pub(crate) fn known(config: &Config) -> Vec<String> {
    let mut all: Vec<String> = REGIONS.iter().map(|row| region(row.0)).collect();
    all.push(region(&config.location));
    all.sort();
    all.dedup();
    all
}

pub(crate) fn list(call: Call<'_>) -> Reply {
    let scope = format!("/subscriptions/{}/locations", call.config.subscription);
    let own = (call.config.location.as_str(), "", "", "", false);
    let shown = |name: &String| {
        let (display, geography, group, pair, zoned) = row(name).copied().unwrap_or(own);
        let pair = Some(pair).filter(|pair| !pair.is_empty());
        let pair = pair.map(|pair| json!({ "name": pair, "id": format!("{scope}/{pair}") }));
        let mut shown = json!({
            "id": format!("{scope}/{name}"),
            "name": name,
            "type": "Region",
            "displayName": display,
            "regionalDisplayName": format!("({group}) {display}"),
            "metadata": {
                "regionType": "Physical",
                "regionCategory": "Recommended",
                "geography": geography,
                "geographyGroup": group,
                "pairedRegion": pair.into_iter().collect::<Vec<Value>>(),
            },
        });
        if zoned {
            let zone = |zone: u8| json!({ "logicalZone": zone.to_string(), "physicalZone": format!("{name}-az{zone}") });
            shown["availabilityZoneMappings"] = json!([zone(1), zone(2), zone(3)]);
        }
        shown
    };
    let rows: Vec<Value> = known(call.config).iter().map(shown).collect();
    Ok(Answer::json(200, &json!({ "value": rows })))
}
