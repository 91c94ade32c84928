//! How many cores a subscription uses in a region, and how many it may use.

use super::{provider_url, region_of};
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::facts::arm::{COMPUTE_PROVIDER, USAGES_API_VERSION};
use crate::json::Item;
use crate::json::lenient::{object, or_default};
use crate::names::plain;
use crate::transport::pages;
use crate::workspace::Workspace;
use futures::TryStreamExt;
use serde::de::MapAccess;
use serde::{Deserialize, Serialize};

/// The usage of a subscription's quota of `Microsoft.Compute` in a region. The nodes of AKS draw on it.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct Quota {
    /// All usages, of cores and others, as the service lists them.
    pub usages: Vec<QuotaUsage>,
}

/// One usage, for example that of the cores of a family.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct QuotaUsage {
    /// The name of what is counted.
    #[serde(deserialize_with = "or_default")]
    pub name: UsageName,
    /// The amount in use.
    #[serde(deserialize_with = "or_default")]
    pub current_value: Option<u64>,
    /// The limit; `None` where there is none.
    #[serde(deserialize_with = "or_default")]
    pub limit: Option<u64>,
    /// `Count`.
    #[serde(deserialize_with = "or_default")]
    pub unit: Option<String>,
}

/// The name of a usage.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct UsageName {
    /// `cores` for all cores of the region, `lowPriorityCores`, or the name of a family.
    #[serde(deserialize_with = "or_default")]
    pub value: String,
    /// The same in words, for example `Total Regional vCPUs`.
    #[serde(deserialize_with = "or_default")]
    pub localized_value: Option<String>,
}

object!(QuotaUsage, UsageName);

impl Item for QuotaUsage {}

impl Quota {
    /// Returns the usage of all cores of the region.
    #[must_use]
    pub fn regional(&self) -> Option<&QuotaUsage> {
        self.of_family("cores")
    }

    /// Returns the usage of the cores of a family, as [`VmSize::family`](super::VmSize::family) names it. Case and
    /// spaces do not count: the service is not consistent in them.
    #[must_use]
    pub fn of_family(&self, family: &str) -> Option<&QuotaUsage> {
        let mut usages = self.usages.iter();
        usages.find(|usage| plain(&usage.name.value).eq(plain(family)))
    }
}

impl QuotaUsage {
    /// Returns how much is left; `None` where there is no limit.
    #[must_use]
    pub fn left(&self) -> Option<u64> {
        let used = self.current_value.unwrap_or(0);
        self.limit.map(|limit| limit.saturating_sub(used))
    }
}

impl Workspace {
    /// Reads how many cores the subscription uses in a region, and how many it may use, in all and by family.
    ///
    /// `region` is a name (`westus`, `West US`), or `None` for the region of the workspace.
    ///
    /// Sends: GETs of the pages of `Microsoft.Compute/locations/{region}/usages`; without a region, GET of the
    /// workspace before it, once per workspace.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for a text that is not the name of a region; [`ErrorKind::Service`] with the
    /// service's reason, for example for a region that it does not know.
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
    /// let quota = workspace.quota(Some("westus")).await?;
    /// let left = quota.of_family("standardDv2Family").and_then(|family| family.left());
    /// println!("{left:?} cores of the family are left");
    /// # assert_eq!(left, Some(350));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub async fn quota(&self, region: Option<&str>) -> Result<Quota, Error> {
        let region = region_of(self, region).await?;
        let path = [COMPUTE_PROVIDER, "locations", region.as_str(), "usages"];
        let url = provider_url(self, &path, USAGES_API_VERSION);
        let usages = pages(self.client().clone(), url).try_collect().await;
        match usages {
            Ok(usages) => Ok(Quota { usages }),
            Err(error) => Err(error.with_context(|| format!("read the quota of {region}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usages_are_found_by_family_without_regard_to_case_and_spaces() {
        let usages = r#"[{"name":{"value":"cores"},"currentValue":25,"limit":100},
            {"name":{"value":"Standard NCASv3_T4 Family","localizedValue":"x"},"currentValue":9,"limit":4},
            {"name":{"value":"free"},"limit":-1},{"name":7,"currentValue":"8"}]"#;
        let quota = Quota {
            usages: serde_json::from_str(usages).unwrap(),
        };
        assert_eq!(quota.regional().unwrap().left(), Some(75));
        let family = quota.of_family("standardNCASv3_T4Family").unwrap();
        assert_eq!(family.left(), Some(0));
        assert_eq!(quota.of_family("free").unwrap().left(), None);
        assert_eq!(quota.of_family("standardDv2Family"), None);
        assert_eq!(quota.usages[3], QuotaUsage::default());
    }
}
