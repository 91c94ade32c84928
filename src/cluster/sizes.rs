//! The VM sizes that a region offers, and which of them the subscription may use.

use super::{provider_url, region_of};
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::facts::arm::{COMPUTE_PROVIDER, SKUS_API_VERSION};
use crate::json::lenient::{Lenient, object, or_default};
use crate::names::Region;
use crate::rules;
use crate::transport::limits::kept;
use crate::transport::{HttpRequest, Limit, Trail, follow};
use crate::workspace::Workspace;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

/// The VM sizes of a region.
#[derive(Debug, Clone, PartialEq)]
pub struct VmSizes {
    region: Region,
    sizes: Vec<VmSize>,
}

/// A VM size, as a region offers it.
///
/// What the service says of it beside its name and place are its [`capabilities`](Self::capabilities), an open
/// set. `Serialize` writes the fields.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VmSize {
    /// The name, for example `Standard_D3_v2`.
    pub name: String,
    /// The family, whose cores have a quota of their own: see [`Quota::of_family`](super::Quota::of_family).
    pub family: Option<String>,
    /// The availability zones of the region that have it; empty in a region without zones.
    pub zones: Vec<String>,
    /// Why the subscription may not use it, or not in every zone.
    pub restrictions: Vec<SizeRestriction>,
    /// Everything else: `vCPUs`, `MemoryGB`, `GPUs`, `CpuArchitectureType`, … by the names of the service.
    pub capabilities: BTreeMap<String, String>,
}

/// Why a subscription may not use a VM size.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SizeRestriction {
    /// The zones that it is about; empty for the whole region.
    pub zones: Vec<String>,
    /// `NotAvailableForSubscription`, or `QuotaId` where the kind of the subscription does not allow it: an open
    /// set.
    pub reason: String,
}

impl VmSizes {
    #[cfg(test)]
    pub(crate) fn new(region: &str, sizes: Vec<VmSize>) -> Self {
        let region = Region::parse(region).unwrap();
        Self { region, sizes }
    }

    /// Returns the region.
    #[must_use]
    pub fn region(&self) -> &str {
        self.region.as_str()
    }

    /// Returns the sizes, in the order of the service.
    #[must_use]
    pub fn as_slice(&self) -> &[VmSize] {
        &self.sizes
    }

    /// Returns the size of this name; `None` where the region does not offer it. Azure compares the names of
    /// sizes without regard to case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&VmSize> {
        let mut sizes = self.sizes.iter();
        sizes.find(|size| size.name.eq_ignore_ascii_case(name))
    }

    /// Returns the size of this name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] where the region does not offer it.
    pub fn named(&self, name: &str) -> Result<&VmSize, Error> {
        self.get(name).ok_or_else(|| {
            let full = self.get(&format!("Standard_{name}"));
            let remedy = full.map_or_else(
                || "give a name that `az vm list-skus` lists".to_owned(),
                |size| format!("write {:?}", size.name),
            );
            let message = format!("{} does not offer this VM size", self.region);
            let finding = rules::REGION_VM_SIZE.finding("vm_size", Some(name), message, remedy);
            Error::validation("VM size", vec![finding])
        })
    }
}

impl VmSize {
    /// Returns a capability by its name, in any case.
    #[must_use]
    pub fn capability(&self, name: &str) -> Option<&str> {
        let mut all = self.capabilities.iter();
        let found = all.find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the number of vCPUs.
    #[must_use]
    pub fn vcpus(&self) -> Option<u32> {
        self.capability("vCPUs")?.parse().ok()
    }

    /// Returns the memory in GB.
    #[must_use]
    pub fn memory_gb(&self) -> Option<f64> {
        self.capability("MemoryGB")?.parse().ok()
    }

    /// Returns the number of GPUs; `None` where the service names none, as for every size without.
    #[must_use]
    pub fn gpus(&self) -> Option<u32> {
        self.capability("GPUs")?.parse().ok()
    }

    /// Returns the number of FPGAs; `None` where the service names none.
    #[must_use]
    pub fn fpgas(&self) -> Option<u32> {
        self.capability("FPGAs")?.parse().ok()
    }

    /// Returns why the subscription may not use the size in this region; `None` where it may, if perhaps not in
    /// every zone.
    #[must_use]
    pub fn refusal(&self) -> Option<&SizeRestriction> {
        let mut all = self.restrictions.iter();
        all.find(|restriction| restriction.zones.is_empty())
    }

    /// Returns the zones in which the subscription may use the size.
    pub fn usable_zones(&self) -> impl Iterator<Item = &str> {
        let refused = |zone: &String| {
            let mut all = self.restrictions.iter();
            all.any(|restriction| restriction.zones.is_empty() || restriction.zones.contains(zone))
        };
        let zones = self.zones.iter().filter(move |zone| !refused(zone));
        zones.map(String::as_str)
    }
}

impl fmt::Display for SizeRestriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason.as_str() {
            "QuotaId" => f.write_str("subscriptions of this kind may not use it")?,
            _ => f.write_str("the subscription may not use it")?,
        }
        if !self.zones.is_empty() {
            write!(f, " in zone {}", self.zones.join(", "))?;
        }
        write!(f, " ({})", self.reason)
    }
}

impl Workspace {
    /// Reads which VM sizes a region offers, and which of them the subscription may use.
    ///
    /// `region` is a name (`westus`, `West US`), or `None` for the region of the workspace. What was read is used
    /// again for an hour, by all clones of this workspace: [`refresh_vm_sizes`](Self::refresh_vm_sizes) reads it
    /// anew. The list is decoded while it arrives: that of all regions, which a service sends that ignores the
    /// filter, takes 60 MB.
    ///
    /// Sends: GET `Microsoft.Compute/skus` with a filter for the region, page by page; without a region, GET of
    /// the workspace before it, once per workspace.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for a text that is not the name of a region, and for a region that offers no size
    /// at all; [`ErrorKind::Service`] with the service's reason.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// let sizes = workspace.vm_sizes(Some("westus")).await?;
    /// let size = sizes.named("Standard_D3_v2")?;
    /// match size.refusal() {
    ///     Some(why) => println!("{}: {why}", size.name),
    ///     None => println!("{}: {:?} vCPUs, {:?} GB", size.name, size.vcpus(), size.memory_gb()),
    /// }
    /// # assert_eq!((size.refusal(), size.vcpus(), size.memory_gb()), (None, Some(4), Some(14.0)));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub async fn vm_sizes(&self, region: Option<&str>) -> Result<Arc<VmSizes>, Error> {
        self.sizes_younger_than(kept::SIZES, region).await
    }

    /// Reads the VM sizes of a region anew: [`vm_sizes`](Self::vm_sizes) without what was read before.
    ///
    /// Sends: as `vm_sizes` does the first time.
    ///
    /// # Errors
    ///
    /// As for [`vm_sizes`](Self::vm_sizes). What was read before stays.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn refresh_vm_sizes(&self, region: Option<&str>) -> Result<Arc<VmSizes>, Error> {
        self.sizes_younger_than(Duration::ZERO, region).await
    }

    async fn sizes_younger_than(
        &self,
        age: Duration,
        region: Option<&str>,
    ) -> Result<Arc<VmSizes>, Error> {
        let region = region_of(self, region).await?;
        let read = read(self, &region);
        let sizes = self.kept().get(region.as_str(), age, read).await;
        sizes.map_err(|error| error.with_context(|| format!("read the VM sizes of {region}")))
    }
}

async fn read(workspace: &Workspace, region: &Region) -> Result<VmSizes, Error> {
    let client = workspace.client();
    let mut first = provider_url(workspace, &[COMPUTE_PROVIDER, "skus"], SKUS_API_VERSION);
    first
        .query_pairs_mut()
        .append_pair("$filter", &format!("location eq '{region}'"));
    // One id for the whole list, as Microsoft's client does.
    let mut request = HttpRequest::get(first);
    let mut trail = Trail::default();
    let mut sizes = Vec::new();
    loop {
        trail.step(&request.url)?;
        let own = region.clone();
        let decode = move |body| SizesPage::read(body, &own);
        let page = client.decode(&request, Limit::SIZES, decode).await?;
        sizes.extend(page.sizes);
        match follow(client, &request.url, page.next_link.as_deref())? {
            Some(next) => request.url = next,
            None => break,
        }
    }
    if sizes.is_empty() {
        let message = "the service offers no VM size in a region of this name";
        return Err(Region::refused(region.as_str(), message));
    }
    Ok(VmSizes {
        region: region.clone(),
        sizes,
    })
}

/// A page of the list: the VM sizes of one region.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct SizesPage {
    pub(crate) sizes: Vec<VmSize>,
    next_link: Option<String>,
}

impl SizesPage {
    /// Reads a page row by row, and keeps what the region offers.
    pub(crate) fn read(body: impl Read, region: &Region) -> serde_json::Result<Self> {
        let mut deserializer = serde_json::Deserializer::from_reader(body);
        let mut page = Self::default();
        Rows {
            region,
            page: &mut page,
            inside: false,
        }
        .deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(page)
    }

    /// Adds a row. Some versions of the API have one row for a size, others one for each of its regions.
    fn add(&mut self, row: Row, region: &Region) {
        let here = row.locations.iter().any(|location| region.is(location));
        if here && row.resource_type.eq_ignore_ascii_case("virtualMachines") && !row.name.is_empty()
        {
            self.sizes.push(row.in_region(region));
        }
    }
}

/// Reads a page, or (`inside`) the list in it, row by row.
struct Rows<'p> {
    region: &'p Region,
    page: &'p mut SizesPage,
    inside: bool,
}

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.inside {
            false => deserializer.deserialize_map(self),
            true => deserializer.deserialize_seq(self),
        }
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of VM sizes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "value" => map.next_value_seed(Rows {
                    region: self.region,
                    page: &mut *self.page,
                    inside: true,
                })?,
                "nextLink" => self.page.next_link = map.next_value::<Lenient<_>>()?.or_default(),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(Lenient(row)) = list.next_element()? {
            if let Some(row) = row {
                self.page.add(row, self.region);
            }
        }
        Ok(())
    }
}

/// A row of the list, of whatever kind.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Row {
    #[serde(deserialize_with = "or_default")]
    resource_type: String,
    #[serde(deserialize_with = "or_default")]
    name: String,
    #[serde(deserialize_with = "or_default")]
    family: Option<String>,
    #[serde(deserialize_with = "or_default")]
    locations: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    location_info: Vec<LocationInfo>,
    #[serde(deserialize_with = "or_default")]
    capabilities: Vec<Capability>,
    #[serde(deserialize_with = "or_default")]
    restrictions: Vec<Restriction>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LocationInfo {
    #[serde(deserialize_with = "or_default")]
    location: String,
    #[serde(deserialize_with = "or_default")]
    zones: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Capability {
    #[serde(deserialize_with = "or_default")]
    name: String,
    #[serde(deserialize_with = "or_default")]
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Restriction {
    #[serde(rename = "type", deserialize_with = "or_default")]
    about: String,
    #[serde(deserialize_with = "or_default")]
    values: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    restriction_info: RestrictionInfo,
    #[serde(deserialize_with = "or_default")]
    reason_code: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RestrictionInfo {
    #[serde(deserialize_with = "or_default")]
    locations: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    zones: Vec<String>,
}

object!(Row, LocationInfo, Capability, Restriction, RestrictionInfo);

impl Row {
    fn in_region(self, region: &Region) -> VmSize {
        let mut places = self.location_info.into_iter();
        let place = places.find(|place| region.is(&place.location));
        let capabilities = self.capabilities.into_iter();
        let restrictions = self.restrictions.into_iter();
        VmSize {
            name: self.name,
            family: self.family,
            zones: place.unwrap_or_default().zones,
            restrictions: restrictions
                .filter_map(|one| one.in_region(region))
                .collect(),
            capabilities: capabilities.map(|one| (one.name, one.value)).collect(),
        }
    }
}

impl Restriction {
    fn in_region(self, region: &Region) -> Option<SizeRestriction> {
        let RestrictionInfo { locations, zones } = self.restriction_info;
        let mut named = locations.iter().chain(&self.values).peekable();
        // One that names no region is about each.
        let applies = named.peek().is_none() || named.any(|name| region.is(name));
        let of_zones = self.about.eq_ignore_ascii_case("Zone");
        applies.then(|| SizeRestriction {
            zones: if of_zones { zones } else { Vec::new() },
            reason: self.reason_code,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> SizesPage {
        SizesPage::read(text.as_bytes(), &Region::parse("West US").unwrap()).unwrap()
    }

    #[test]
    fn sizes_of_the_region_are_kept_and_all_other_rows_are_passed_over() {
        let page = read(
            r#"{"value":[
                {"resourceType":"disks","name":"P10","locations":["westus"]},
                {"resourceType":"virtualMachines","name":"Elsewhere","locations":["eastus","westus2"]},
                null, 7, {"resourceType":"virtualMachines","locations":["westus"]},
                {"resourceType":"VirtualMachines","name":"Standard_NC6","family":"standardNCFamily",
                 "locations":["WestUS"],
                 "locationInfo":[{"location":"eastus","zones":["9"]},{"location":"WestUS","zones":["1","2","3"]}],
                 "capabilities":[{"name":"vCPUs","value":"6"},{"name":"MemoryGB","value":"1.75"},
                                 {"name":"GPUs","value":"1"},{"name":"PremiumIO","value":"True"},{"odd":1}],
                 "restrictions":[{"type":"Zone","values":["westus"],"reasonCode":"NotAvailableForSubscription",
                                  "restrictionInfo":{"locations":["westus"],"zones":["3"]}},
                                 {"type":"Location","values":["eastus"],"reasonCode":"QuotaId"}]}],
                "new":{"value":[]},"nextLink":"https://management.azure.com/next"}"#,
        );
        assert_eq!(
            page.next_link.as_deref(),
            Some("https://management.azure.com/next")
        );
        let [size] = &page.sizes[..] else {
            panic!("{page:?}")
        };
        assert_eq!(
            (size.name.as_str(), size.family.as_deref()),
            ("Standard_NC6", Some("standardNCFamily"))
        );
        assert_eq!(
            (size.vcpus(), size.memory_gb(), size.gpus()),
            (Some(6), Some(1.75), Some(1))
        );
        assert_eq!(size.fpgas(), None);
        assert_eq!(size.capability("premiumio"), Some("True"));
        assert_eq!(size.refusal(), None);
        assert_eq!(size.usable_zones().collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(
            size.restrictions[0].to_string(),
            "the subscription may not use it in zone 3 (NotAvailableForSubscription)"
        );
    }

    #[test]
    fn size_that_is_restricted_in_the_whole_region_is_refused_in_every_zone() {
        for (values, refused) in [
            (r#"["WESTUS"]"#, true),
            ("[]", true),
            (r#"["eastus"]"#, false),
        ] {
            let page = read(&format!(
                r#"{{"value":[{{"resourceType":"virtualMachines","name":"A","locations":["westus"],
                    "locationInfo":[{{"location":"westus","zones":["1"]}}],"restrictions":
                    [{{"type":"Location","values":{values},"reasonCode":"QuotaId"}}]}}],"nextLink":""}}"#
            ));
            let size = &page.sizes[0];
            assert_eq!(size.refusal().is_some(), refused, "{values}");
            assert_eq!(
                size.usable_zones().count(),
                usize::from(!refused),
                "{values}"
            );
        }
    }

    #[test]
    fn answer_that_is_not_a_page_is_an_error() {
        let region = Region::parse("westus").unwrap();
        for text in [
            "",
            "[]",
            "null",
            "1",
            r#"{"value":{}}"#,
            r#"{"value":[}"#,
            r#"{"value":[]}x"#,
            r#"{"value":[{"#,
        ] {
            assert!(SizesPage::read(text.as_bytes(), &region).is_err(), "{text}");
        }
    }

    #[test]
    fn size_that_the_region_does_not_offer_is_an_error_with_a_remedy() {
        let region = Region::parse("westus").unwrap();
        let size = VmSize {
            name: "Standard_D3_v2".to_owned(),
            ..VmSize::default()
        };
        let sizes = VmSizes {
            region,
            sizes: vec![size],
        };
        assert_eq!(
            sizes.named("standard_d3_V2").unwrap().name,
            "Standard_D3_v2"
        );
        let error = sizes.named("D3_v2").unwrap_err();
        assert_eq!(error.findings()[0].rule, "region.vm_size");
        assert_eq!(error.findings()[0].remedy, r#"write "Standard_D3_v2""#);
        assert!(sizes.named("Standard_D9").is_err());
    }
}
