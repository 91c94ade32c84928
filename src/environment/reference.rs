//! A reference to an environment that the service knows.

use crate::names;
use crate::rules::Findings;

/// An environment that is registered in the workspace, or a curated one, by its name.
///
/// # Examples
///
/// ```
/// use azureml_aks::EnvironmentRef;
///
/// let newest = EnvironmentRef::latest("AzureML-Minimal");
/// assert_eq!(newest.name(), "AzureML-Minimal");
/// let third = EnvironmentRef::version("myenv", "3");
/// let labelled = EnvironmentRef::label("myenv", "production");
/// # let _ = (third, labelled);
/// ```
///
/// # Design
///
/// It has a version or a label, not both: the service takes one of the two.
#[must_use = "a reference does nothing until a service is deployed with it"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentRef {
    name: String,
    which: Which,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Which {
    Latest,
    Version(String),
    Label(String),
}

impl EnvironmentRef {
    /// Refers to the latest version of an environment.
    pub fn latest(name: impl AsRef<str>) -> Self {
        Self {
            name: name.as_ref().to_owned(),
            which: Which::Latest,
        }
    }

    /// Refers to one version of an environment, for example `3`.
    pub fn version(name: impl AsRef<str>, version: impl Into<String>) -> Self {
        Self {
            name: name.as_ref().to_owned(),
            which: Which::Version(version.into()),
        }
    }

    /// Refers to the version of an environment that has a label.
    pub fn label(name: impl AsRef<str>, label: impl Into<String>) -> Self {
        Self {
            name: name.as_ref().to_owned(),
            which: Which::Label(label.into()),
        }
    }

    /// Returns the name of the environment.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the end of the path under which the environment is read, below
    /// `environment/v1.0{workspace}/`, segment by segment. Nothing in it can change the path once
    /// the reference was checked; encode each segment.
    pub(crate) fn segments(&self) -> Vec<&str> {
        let mut segments = vec!["environments", self.name.as_str()];
        match &self.which {
            Which::Latest => {}
            Which::Version(version) => segments.extend(["versions", version]),
            Which::Label(label) => segments.extend(["labels", label]),
        }
        segments
    }

    pub(crate) fn check(&self, findings: &mut Findings) {
        findings.extend(names::segment("environment.name", &self.name));
        let which = match &self.which {
            Which::Latest => None,
            Which::Version(version) => names::segment("environment.version", version),
            Which::Label(label) => names::segment("environment.label", label),
        };
        findings.extend(which);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reference_has_the_path_that_the_python_sdk_reads() {
        assert_eq!(
            EnvironmentRef::latest("e").segments(),
            ["environments", "e"]
        );
        assert_eq!(
            EnvironmentRef::version("e", "3").segments(),
            ["environments", "e", "versions", "3"]
        );
        assert_eq!(
            EnvironmentRef::label("e", "prod").segments(),
            ["environments", "e", "labels", "prod"]
        );
    }

    #[test]
    fn reference_cannot_change_the_path_of_a_request() {
        for (reference, paths) in [
            (EnvironmentRef::latest(""), vec!["environment.name"]),
            (
                EnvironmentRef::version("a/b", ".."),
                vec!["environment.name", "environment.version"],
            ),
            (EnvironmentRef::label("a", "b?c"), vec!["environment.label"]),
            (EnvironmentRef::latest("AzureML-Minimal"), vec![]),
        ] {
            let mut findings = Findings::default();
            reference.check(&mut findings);
            let found = findings.into_refusals();
            let found: Vec<&str> = found.iter().map(|v| v.path.as_str()).collect();
            assert_eq!(found, paths);
        }
    }
}
