//! The purpose of a cluster.

use crate::facts::purposes::{DENSE_PROD, DEV_TEST, FAST_PROD};
use crate::rules::{self, Findings};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// The purpose of a cluster.
///
/// The purpose decides how the service sets up scoring on the cluster. The service takes
/// [`FastProd`](Self::FastProd) if none is given. Known purposes are recognised in any letter case, and
/// one that this crate does not know is passed through as it is.
///
/// # Examples
///
/// ```
/// use azureml_aks::ClusterPurpose;
///
/// assert_eq!(ClusterPurpose::from("devtest"), ClusterPurpose::DevTest);
/// assert_eq!(ClusterPurpose::from("EdgeProd").as_str(), "EdgeProd");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClusterPurpose {
    /// For production: low latency for many small requests. The documented default.
    FastProd,
    /// For production: larger models and fewer requests.
    DenseProd,
    /// For development and tests, **not for production**: scoring is slower, there is no fault
    /// tolerance, and the router does not scale the replicas of a service. In return a single small
    /// node is enough.
    DevTest,
    /// A purpose that this crate does not know, kept as it is.
    UnknownValue(String),
}

impl ClusterPurpose {
    /// Returns the purpose as the service spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::FastProd => FAST_PROD,
            Self::DenseProd => DENSE_PROD,
            Self::DevTest => DEV_TEST,
            Self::UnknownValue(value) => value,
        }
    }

    pub(crate) fn check(&self, path: &str, findings: &mut Findings) {
        if self.as_str().trim().is_empty() {
            findings.refuse(
                rules::PURPOSE_EMPTY,
                path,
                Some(self.as_str()),
                "the cluster purpose is empty",
                "name a purpose, or leave it out: the service then takes `FastProd`",
            );
        }
    }
}

impl From<&str> for ClusterPurpose {
    fn from(value: &str) -> Self {
        Self::from(value.to_owned())
    }
}

impl From<String> for ClusterPurpose {
    fn from(value: String) -> Self {
        [Self::FastProd, Self::DenseProd, Self::DevTest]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(&value))
            .unwrap_or(Self::UnknownValue(value))
    }
}

impl FromStr for ClusterPurpose {
    type Err = Infallible;

    fn from_str(value: &str) -> Result<Self, Infallible> {
        Ok(Self::from(value))
    }
}

impl fmt::Display for ClusterPurpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for ClusterPurpose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ClusterPurpose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_purposes_are_recognised_in_any_case_and_unknown_ones_are_kept() {
        for (text, expected) in [
            ("FastProd", ClusterPurpose::FastProd),
            ("fastprod", ClusterPurpose::FastProd),
            ("DENSEPROD", ClusterPurpose::DenseProd),
            ("devTest", ClusterPurpose::DevTest),
            (
                "fast_prod",
                ClusterPurpose::UnknownValue("fast_prod".into()),
            ),
        ] {
            assert_eq!(ClusterPurpose::from(text), expected);
            assert_eq!(text.parse(), Ok(expected));
        }
    }

    #[test]
    fn purpose_is_a_string_in_json() {
        for json in ["\"DevTest\"", "\"EdgeProd\""] {
            let purpose: ClusterPurpose = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&purpose).unwrap(), json);
        }
    }
}
