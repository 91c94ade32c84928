//! The Spark part of an environment.

use super::refuse_empty;
use crate::rules::Findings;
use serde_json::{Map, Value, json};

/// The Spark part of an environment: repositories, Maven packages and whether the packages are
/// fetched while the image is built.
#[must_use = "settings do nothing until an environment is made with them"]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SparkSettings {
    pub(super) repositories: Vec<String>,
    pub(super) packages: Vec<[String; 3]>,
    pub(super) precache_packages: Option<bool>,
}

impl SparkSettings {
    /// Returns settings in which nothing is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a repository, by its URL.
    pub fn repository(mut self, url: impl Into<String>) -> Self {
        self.repositories.push(url.into());
        self
    }

    /// Adds a Maven package, for example `com.microsoft.ml.spark`, `mmlspark_2.11`, `0.12`.
    pub fn package(
        mut self,
        group: impl Into<String>,
        artifact: impl Into<String>,
        version: impl Into<String>,
    ) -> Self {
        self.packages
            .push([group.into(), artifact.into(), version.into()]);
        self
    }

    /// Sets whether the packages are fetched while the image is built. By default the service decides.
    pub fn precache_packages(mut self, precache: bool) -> Self {
        self.precache_packages = Some(precache);
        self
    }

    pub(super) fn check(&self, findings: &mut Findings) {
        for (at, url) in self.repositories.iter().enumerate() {
            if url.trim().is_empty() {
                refuse_empty(findings, format!("spark.repositories[{at}]"));
            }
        }
        for (at, package) in self.packages.iter().enumerate() {
            for (part, text) in PARTS.iter().zip(package) {
                if text.trim().is_empty() {
                    refuse_empty(findings, format!("spark.packages[{at}].{part}"));
                }
            }
        }
    }

    pub(super) fn value(&self) -> Value {
        let mut value = Map::new();
        if !self.repositories.is_empty() {
            value.insert("repositories".into(), json!(self.repositories));
        }
        if !self.packages.is_empty() {
            let packages: Vec<Value> = self
                .packages
                .iter()
                .map(|[group, artifact, version]| {
                    json!({ "group": group, "artifact": artifact, "version": version })
                })
                .collect();
            value.insert("packages".into(), packages.into());
        }
        if let Some(precache) = self.precache_packages {
            value.insert("precachePackages".into(), precache.into());
        }
        value.into()
    }
}

pub(super) const PARTS: [&str; 3] = ["group", "artifact", "version"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_sent_and_no_more() {
        assert_eq!(SparkSettings::new().value(), json!({}));
        let spark = SparkSettings::new()
            .repository("https://repo.example.com")
            .package("g", "a", "1")
            .precache_packages(false);
        assert_eq!(
            spark.value(),
            json!({
                "repositories": ["https://repo.example.com"],
                "packages": [{ "group": "g", "artifact": "a", "version": "1" }],
                "precachePackages": false,
            })
        );
    }

    #[test]
    fn empty_text_is_refused_at_its_place() {
        let mut findings = Findings::default();
        SparkSettings::new()
            .repository("")
            .package("g", " ", "1")
            .check(&mut findings);
        let found = findings.into_refusals();
        let paths: Vec<&str> = found.iter().map(|v| v.path.as_str()).collect();
        assert_eq!(
            paths,
            ["spark.repositories[0]", "spark.packages[0].artifact"]
        );
    }
}
