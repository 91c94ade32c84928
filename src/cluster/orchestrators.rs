//! The list of versions in the form that it had until 2023, as articles and scripts of that time expect it.

use super::version::KubernetesVersion;
use super::versions::{KubernetesRelease, KubernetesVersions};
use serde::Serialize;
use std::fmt;

/// The versions of a region in the form that the service and `az aks get-versions` had until 2023: every entry
/// is of the kind `Kubernetes`.
///
/// Made by [`KubernetesVersions::orchestrators`]. `Serialize` gives the JSON to which queries of that time apply,
/// such as ``orchestrators[?default == `true`].orchestratorVersion``; `Display` gives the table.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct Orchestrators {
    /// The versions, the oldest one first.
    pub orchestrators: Vec<Orchestrator>,
}

/// A version that a cluster can have.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Orchestrator {
    /// `Kubernetes`.
    pub orchestrator_type: String,
    /// The version.
    pub orchestrator_version: KubernetesVersion,
    /// Whether it is the default: the newest patch of the minor version that is the default today.
    #[serde(skip_serializing_if = "is_false")]
    pub default: bool,
    /// Whether it is a preview.
    #[serde(skip_serializing_if = "is_false")]
    pub is_preview: bool,
    /// The versions that a cluster can be upgraded to, the oldest one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub upgrades: Vec<OrchestratorUpgrade>,
}

/// A version that a cluster can be upgraded to.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OrchestratorUpgrade {
    /// Empty, as the service wrote it.
    pub orchestrator_type: String,
    /// The version.
    pub orchestrator_version: KubernetesVersion,
    /// Whether it is a preview.
    pub is_preview: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Orchestrators {
    pub(super) fn of(versions: &KubernetesVersions) -> Self {
        let default = versions.default_release();
        let default = default.and_then(|release| release.patches.first());
        let is_preview = |version: &KubernetesVersion| {
            let release = versions.release_of(version.as_str());
            release.is_some_and(|release| release.is_preview)
        };
        let upgrade = |version: &KubernetesVersion| OrchestratorUpgrade {
            orchestrator_type: String::new(),
            orchestrator_version: version.clone(),
            is_preview: is_preview(version),
        };
        let of_release = |release: &KubernetesRelease| {
            let patches = release.patches.iter().rev();
            let entries = patches.map(|patch| Orchestrator {
                orchestrator_type: "Kubernetes".to_owned(),
                orchestrator_version: patch.version.clone(),
                default: default == Some(patch),
                is_preview: release.is_preview,
                upgrades: patch.upgrades.iter().map(upgrade).collect(),
            });
            entries.collect::<Vec<_>>()
        };
        Self {
            orchestrators: versions
                .releases()
                .iter()
                .rev()
                .flat_map(of_release)
                .collect(),
        }
    }
}

impl fmt::Display for Orchestrators {
    /// Writes the table of `az aks get-versions`, the newest version first, with a line break at its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEADERS: [&str; 2] = ["KubernetesVersion", "Upgrades"];
        let rows = self.orchestrators.iter().rev().map(|entry| {
            let upgrades = entry.upgrades.iter();
            let upgrades = upgrades.map(|to| shown(&to.orchestrator_version, to.is_preview));
            let upgrades = upgrades.collect::<Vec<_>>().join(", ");
            let upgrades = if upgrades.is_empty() {
                "None available".to_owned()
            } else {
                upgrades
            };
            [
                shown(&entry.orchestrator_version, entry.is_preview),
                upgrades,
            ]
        });
        let rows: Vec<[String; 2]> = rows.collect();
        // As `az` does it: wider than a header by two at least.
        let [first, second] = [0, 1].map(|column: usize| {
            let cells = rows.iter().map(|row| row[column].len());
            cells.max().unwrap_or(0).max(HEADERS[column].len() + 2)
        });
        writeln!(f, "{:first$}  {}", HEADERS[0], HEADERS[1])?;
        writeln!(f, "{:-<first$}  {:-<second$}", "", "")?;
        rows.iter()
            .try_for_each(|[version, upgrades]| writeln!(f, "{version:first$}  {upgrades}"))
    }
}

fn shown(version: &KubernetesVersion, is_preview: bool) -> String {
    let mark = if is_preview { "(preview)" } else { "" };
    format!("{version}{mark}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The list of the article, in today's form and in no order.
    fn of_the_article() -> Orchestrators {
        let list = json!({ "values": [
            { "version": "1.16", "isDefault": true, "patchVersions": {
                "1.16.13": { "upgrades": ["1.17.9", "1.17.7"] },
                "1.16.10": { "upgrades": ["1.17.7", "1.17.9", "1.16.13"] } } },
            { "version": "1.18", "isPreview": true, "patchVersions": {
                "1.18.4": { "upgrades": ["1.18.6"] }, "1.18.6": { "upgrades": [] } } },
            { "version": "1.15", "patchVersions": {
                "1.15.11": { "upgrades": ["1.15.12", "1.16.10", "1.16.13"] },
                "1.15.12": { "upgrades": ["1.16.10", "1.16.13"] } } },
            { "version": "1.17", "patchVersions": {
                "1.17.7": { "upgrades": ["1.17.9", "1.18.6", "1.18.4"] },
                "1.17.9": { "upgrades": ["1.18.4", "1.18.6"] } } },
        ] });
        let versions: KubernetesVersions = serde_json::from_value(list).unwrap();
        versions.orchestrators()
    }

    #[test]
    fn table_is_that_of_the_article() {
        let expected = "\
KubernetesVersion    Upgrades
-------------------  ----------------------------------------
1.18.6(preview)      None available
1.18.4(preview)      1.18.6(preview)
1.17.9               1.18.4(preview), 1.18.6(preview)
1.17.7               1.17.9, 1.18.4(preview), 1.18.6(preview)
1.16.13              1.17.7, 1.17.9
1.16.10              1.16.13, 1.17.7, 1.17.9
1.15.12              1.16.10, 1.16.13
1.15.11              1.15.12, 1.16.10, 1.16.13
";
        assert_eq!(of_the_article().to_string(), expected);
    }

    #[test]
    fn json_is_what_the_queries_of_the_article_expect() {
        let list = serde_json::to_value(of_the_article()).unwrap();
        let entries = list["orchestrators"].as_array().unwrap();
        let defaults: Vec<_> = entries
            .iter()
            .filter(|entry| entry["default"] == true)
            .collect();
        let upgrade = |version| json!({ "orchestratorType": "", "orchestratorVersion": version, "isPreview": false });
        assert_eq!(
            defaults,
            [&json!({
                "orchestratorType": "Kubernetes",
                "orchestratorVersion": "1.16.13",
                "default": true,
                "upgrades": [upgrade("1.17.7"), upgrade("1.17.9")],
            })]
        );
        assert_eq!(entries[0]["orchestratorVersion"], "1.15.11");
        let newest = json!({
            "orchestratorType": "Kubernetes", "orchestratorVersion": "1.18.6", "isPreview": true,
        });
        assert_eq!(entries.last(), Some(&newest));
    }

    #[test]
    fn table_without_versions_has_its_headers() {
        let table = Orchestrators::default().to_string();
        assert_eq!(
            table.lines().nth(1),
            Some("-------------------  ----------")
        );
    }
}
