//! Environments, each version a document of its own.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// One version of an environment.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) version: String,
    pub(crate) document: Value,
    pub(crate) labels: Vec<String>,
}

/// Every environment by its name, its versions in the order in which they were made.
#[derive(Debug)]
pub(crate) struct Environments {
    named: BTreeMap<String, Vec<Version>>,
}

impl Default for Environments {
    /// A few of those that the service curates, with little in them.
    fn default() -> Self {
        let mut environments = Self {
            named: BTreeMap::new(),
        };
        for (name, versions, packages) in [
            ("AzureML-Minimal", 3, &["azureml-defaults"][..]),
            (
                "AzureML-Scikit-learn-0.20.3",
                1,
                &["azureml-defaults", "scikit-learn==0.20.3"],
            ),
            (
                "AzureML-TensorFlow-2.2-CPU",
                1,
                &["azureml-defaults", "tensorflow==2.2"],
            ),
        ] {
            for version in 1..=versions {
                environments.add(name, &version.to_string(), curated(packages));
            }
        }
        environments
    }
}

fn curated(packages: &[&str]) -> Value {
    json!({
        "environmentVariables": { "EXAMPLE_ENV_VAR": "EXAMPLE_VALUE" },
        "python": {
            "interpreterPath": "python",
            "userManagedDependencies": false,
            "condaDependencies": {
                "name": "azureml_emulated",
                "channels": ["conda-forge"],
                "dependencies": ["python=3.8", { "pip": packages }],
            },
        },
        "docker": {
            "enabled": false,
            "baseImage": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04",
            "sharedVolumes": true,
            "arguments": [],
        },
        "spark": { "repositories": [], "packages": [], "precachePackages": true },
    })
}

impl Environments {
    pub(crate) fn versions(&self, name: &str) -> &[Version] {
        self.named.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn version(&self, name: &str, version: &str) -> Option<&Version> {
        self.versions(name).iter().find(|v| v.version == version)
    }

    /// The one that was made last.
    pub(crate) fn latest(&self, name: &str) -> Option<&Version> {
        self.versions(name).last()
    }

    pub(crate) fn labelled(&self, name: &str, label: &str) -> Option<&Version> {
        self.versions(name)
            .iter()
            .find(|version| version.labels.iter().any(|known| known == label))
    }

    /// The last version of each, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Version> {
        self.named.values().filter_map(|versions| versions.last())
    }

    /// The number after the largest that is a number.
    pub(crate) fn next_version(&self, name: &str) -> String {
        let largest = self
            .versions(name)
            .iter()
            .filter_map(|version| version.version.parse::<u64>().ok())
            .max();
        largest.unwrap_or_default().saturating_add(1).to_string()
    }

    pub(crate) fn add(&mut self, name: &str, version: &str, mut document: Value) {
        document["name"] = json!(name);
        document["version"] = json!(version);
        self.named
            .entry(name.to_owned())
            .or_default()
            .push(Version {
                version: version.to_owned(),
                document,
                labels: Vec::new(),
            });
    }

    /// Gives these labels to a version, and takes them from the others. False without it.
    pub(crate) fn label(&mut self, name: &str, version: &str, labels: &[String]) -> bool {
        if self.version(name, version).is_none() {
            return false;
        }
        for known in self.named.get_mut(name).into_iter().flatten() {
            if known.version == version {
                known.labels = labels.to_vec();
            } else {
                known.labels.retain(|label| !labels.contains(label));
            }
        }
        true
    }
}
