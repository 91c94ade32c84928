//! Versions of Kubernetes.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;

/// A version of Kubernetes, for example `1.29` or `1.29.7`.
///
/// Versions compare by their numbers, not as texts. Any text is one: the service decides which it has.
///
/// ```
/// use azureml_aks::models::KubernetesVersion;
///
/// let [older, newer] = ["1.9.11", "1.29.7"].map(KubernetesVersion::new);
/// assert!(older < newer);
/// assert_eq!(newer.minor(), "1.29");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KubernetesVersion(String);

impl KubernetesVersion {
    /// Takes the text of a version.
    #[must_use]
    pub fn new(version: impl Into<String>) -> Self {
        Self(version.into())
    }

    /// Returns the version as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first two numbers, for example `1.29` of `1.29.7`.
    #[must_use]
    pub fn minor(&self) -> &str {
        let end = self.0.match_indices('.').nth(1).map(|(end, _)| end);
        &self.0[..end.unwrap_or(self.0.len())]
    }

    /// The parts between the dots: a number, and what else stands there.
    fn parts(&self) -> impl Iterator<Item = (u64, &str)> {
        self.0.split('.').map(|part| {
            let end = part.find(|c: char| !c.is_ascii_digit());
            let (number, rest) = part.split_at(end.unwrap_or(part.len()));
            (number.parse().unwrap_or(0), rest)
        })
    }
}

impl Ord for KubernetesVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_numbers = self.parts().cmp(other.parts());
        // `1.02` and `1.2` are different texts, and so different versions.
        by_numbers.then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for KubernetesVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for KubernetesVersion {
    fn from(version: &str) -> Self {
        Self::new(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        let ascending = [
            "", "1", "1.9", "1.9.11", "1.10", "1.10.2", "1.10.10", "1.29.7", "1.29.7-x", "1.30",
            "2", "x.1",
        ];
        let mut versions = ascending.map(KubernetesVersion::new);
        versions.reverse();
        versions.sort();
        let sorted: Vec<&str> = versions.iter().map(KubernetesVersion::as_str).collect();
        let mut expected = ascending.to_vec();
        // What begins with no number has the number 0.
        expected.insert(1, expected[11]);
        expected.pop();
        assert_eq!(sorted, expected);
    }

    #[test]
    fn minor_is_the_first_two_numbers() {
        for (version, minor) in [
            ("1.29.7", "1.29"),
            ("1.29", "1.29"),
            ("1", "1"),
            ("", ""),
            ("1.2.3.4", "1.2"),
        ] {
            assert_eq!(KubernetesVersion::new(version).minor(), minor);
        }
    }
}
