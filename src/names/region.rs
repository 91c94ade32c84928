//! Names of regions.

use crate::error::Error;
use crate::rules;
use std::fmt;

/// A region of Azure, as requests name it: `westus`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region(String);

impl Region {
    /// Reads the name of a region, as requests have it or as the portal shows it (`West US`). Which regions there
    /// are is for the service to say.
    pub(crate) fn parse(name: &str) -> Result<Self, Error> {
        let plain: String = plain(name).collect();
        if !plain.is_empty() && plain.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Ok(Self(plain));
        }
        Err(Self::refused(
            name,
            "the name of a region has letters and digits only",
        ))
    }

    pub(crate) fn refused(name: &str, message: &str) -> Error {
        let remedy = "give the name of a region, for example westeurope; `az account list-locations` \
                      lists them";
        let finding = rules::REGION_NAME.finding("region", Some(name), message, remedy);
        Error::validation("name of the region", vec![finding])
    }

    /// Returns whether this is the region of that name: the service itself writes `westus`, `WestUS` and `West US`.
    pub(crate) fn is(&self, name: &str) -> bool {
        plain(name).eq(self.0.chars())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the letters of a name, in which neither case nor spaces count.
pub(crate) fn plain(name: &str) -> impl Iterator<Item = char> {
    let kept = name.chars().filter(|c| !c.is_whitespace());
    kept.map(|c| c.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_named_as_requests_or_the_portal_name_them() {
        for name in ["westus2", "West US 2", " WestUS2 ", "WESTUS2"] {
            let region = Region::parse(name).unwrap();
            assert_eq!(region.as_str(), "westus2", "{name}");
            assert!(region.is("WestUS2") && region.is("West US 2") && !region.is("westus"));
        }
        for name in ["", " ", "west-europe", "westus'", "a/b", "..", "wéstus"] {
            let error = Region::parse(name).unwrap_err();
            assert_eq!(error.findings()[0].rule, "region.name", "{name}");
        }
    }
}
