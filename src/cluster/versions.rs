//! The versions of Kubernetes that a region has.

use super::orchestrators::Orchestrators;
use super::version::KubernetesVersion;
use super::{provider_url, region_of};
use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::facts::arm::{AKS_API_VERSION, AKS_PROVIDER};
use crate::json::lenient::{Lenient, Object, object, or_default};
use crate::json::{Document, kept};
use crate::transport::{HttpRequest, Limit, Sending};
use crate::workspace::Workspace;
use serde::Deserialize;
use serde::de::MapAccess;
use std::collections::BTreeMap;

/// The versions of Kubernetes that AKS has in a region.
///
/// The whole document is kept as the service wrote it, and `Serialize` writes it, as it does for a
/// [`ComputeResource`](crate::models::ComputeResource). `Deserialize` reads JSON only.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KubernetesVersions {
    /// The newest one first.
    releases: Vec<KubernetesRelease>,
    document: Document,
}

/// A minor version of Kubernetes, for example `1.29`, with its patches.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct KubernetesRelease {
    /// The minor version.
    pub version: KubernetesVersion,
    /// Whether a cluster that asks for no version gets this one.
    pub is_default: bool,
    /// Whether it is a preview, which is not supported for production.
    pub is_preview: bool,
    /// The support plans: `KubernetesOfficial`, `AKSLongTermSupport`, an open set.
    pub support_plans: Vec<String>,
    /// The patches, the newest one first.
    pub patches: Vec<KubernetesPatch>,
}

/// A version that a cluster can have, for example `1.29.7`.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct KubernetesPatch {
    /// The version.
    pub version: KubernetesVersion,
    /// The versions that a cluster of this one can be upgraded to, the oldest one first.
    pub upgrades: Vec<KubernetesVersion>,
}

impl KubernetesVersions {
    /// Returns the minor versions, the newest one first.
    #[must_use]
    pub fn releases(&self) -> &[KubernetesRelease] {
        &self.releases
    }

    /// Returns all versions that a cluster can have, the newest one first.
    pub fn patches(&self) -> impl Iterator<Item = &KubernetesPatch> {
        self.releases.iter().flat_map(|release| &release.patches)
    }

    /// Returns the minor version that a cluster gets which asks for none; `None` where the service names none.
    #[must_use]
    pub fn default_release(&self) -> Option<&KubernetesRelease> {
        self.releases.iter().find(|release| release.is_default)
    }

    /// Returns the minor version to which a version belongs, which may itself be a minor version; `None` where
    /// the region has no such version.
    #[must_use]
    pub fn release_of(&self, version: &str) -> Option<&KubernetesRelease> {
        self.releases.iter().find(|release| {
            let mut patches = release.patches.iter();
            release.version.as_str() == version
                || patches.any(|patch| patch.version.as_str() == version)
        })
    }

    /// Returns the versions that a cluster of this one can be upgraded to, the oldest one first; `None` where the
    /// region does not have it.
    #[must_use]
    pub fn upgrades_from(&self, version: &str) -> Option<&[KubernetesVersion]> {
        let patch = self
            .patches()
            .find(|patch| patch.version.as_str() == version);
        patch.map(|patch| patch.upgrades.as_slice())
    }

    /// Converts the list to the form that the service and `az aks get-versions` had until 2023.
    #[must_use]
    pub fn orchestrators(&self) -> Orchestrators {
        Orchestrators::of(self)
    }

    fn read(text: &str) -> serde_json::Result<Self> {
        let document = Document::read(text)?;
        let Object(List { values }) = serde_json::from_str(document.text())?;
        let releases = values.into_iter().filter_map(|Lenient(item)| item);
        let mut releases: Vec<_> = releases.filter_map(Release::named).collect();
        releases.sort_by(|one, other| other.version.cmp(&one.version));
        Ok(Self { releases, document })
    }
}

kept!(KubernetesVersions);

/// The answer of the service. Not lenient: what has no list must not pass for an empty one.
#[derive(Deserialize)]
struct List {
    values: Vec<Lenient<Release>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Release {
    #[serde(deserialize_with = "or_default")]
    version: String,
    // Both are there only where they are true.
    #[serde(deserialize_with = "or_default")]
    is_default: bool,
    #[serde(deserialize_with = "or_default")]
    is_preview: bool,
    #[serde(deserialize_with = "or_default")]
    capabilities: Capabilities,
    #[serde(deserialize_with = "or_default")]
    patch_versions: BTreeMap<String, Patch>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Capabilities {
    #[serde(deserialize_with = "or_default")]
    support_plan: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Patch {
    #[serde(deserialize_with = "or_default")]
    upgrades: Vec<String>,
}

object!(Release, Capabilities, Patch);

impl Release {
    /// A release that has a version; what else there may be in the list is only in the document.
    fn named(self) -> Option<KubernetesRelease> {
        let patch = |(version, Patch { upgrades }): (String, Patch)| {
            let mut upgrades: Vec<_> = upgrades.into_iter().map(KubernetesVersion::new).collect();
            upgrades.sort();
            KubernetesPatch {
                version: KubernetesVersion::new(version),
                upgrades,
            }
        };
        let mut patches: Vec<_> = self.patch_versions.into_iter().map(patch).collect();
        patches.sort_by(|one, other| other.version.cmp(&one.version));
        (!self.version.is_empty()).then(|| KubernetesRelease {
            version: KubernetesVersion::new(self.version),
            is_default: self.is_default,
            is_preview: self.is_preview,
            support_plans: self.capabilities.support_plan,
            patches,
        })
    }
}

impl Workspace {
    /// Reads which versions of Kubernetes AKS has in a region.
    ///
    /// `region` is a name (`westus`, `West US`), or `None` for the region of the workspace.
    ///
    /// Sends: GET `…/locations/{region}/kubernetesVersions`; without a region, GET of the workspace before it,
    /// once per workspace.
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
    /// let versions = workspace.kubernetes_versions(None).await?;
    /// let default = versions.default_release().expect("a region has a default");
    /// let newest = &default.patches[0].version;
    /// println!("{} is the default, {newest} its newest patch", default.version);
    /// assert!(versions.upgrades_from(newest.as_str()).is_some());
    /// print!("{}", versions.orchestrators()); // the table of `az aks get-versions`
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub async fn kubernetes_versions(
        &self,
        region: Option<&str>,
    ) -> Result<KubernetesVersions, Error> {
        let region = region_of(self, region).await?;
        let path = [
            AKS_PROVIDER,
            "locations",
            region.as_str(),
            "kubernetesVersions",
        ];
        let request = HttpRequest::get(provider_url(self, &path, AKS_API_VERSION));
        let id = &request.client_request_id;
        let answer = self
            .client()
            .send(&request, Sending::Retried, Limit::RESOURCE, None);
        let versions = async { answer.await?.successful(id)?.json(id) }.await;
        versions.map_err(|error: Error| {
            error.with_context(|| format!("read the Kubernetes versions of {region}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> KubernetesVersions {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn versions_are_ordered_by_number_and_flags_are_read_where_they_stand() {
        let text = r#"{"values":[
            {"version":"1.9","patchVersions":{"1.9.11":{"upgrades":["1.10.10","1.10.2"]},"1.9.2":{"upgrades":[]}}},
            {"version":"1.11","isPreview":true,"patchVersions":{"1.11.0":{"upgrades":[]}}},
            {"version":"1.10","isDefault":true,"capabilities":{"supportPlan":["KubernetesOfficial"]},
             "patchVersions":{"1.10.10":{"upgrades":[]},"1.10.2":{"upgrades":["1.10.10"]}}}],"new":1}"#;
        let versions = read(text);
        let patches: Vec<&str> = versions
            .patches()
            .map(|patch| patch.version.as_str())
            .collect();
        assert_eq!(patches, ["1.11.0", "1.10.10", "1.10.2", "1.9.11", "1.9.2"]);
        let default = versions.default_release().unwrap();
        assert_eq!(default.version.as_str(), "1.10");
        assert_eq!(default.support_plans, ["KubernetesOfficial"]);
        assert!(versions.release_of("1.11.0").unwrap().is_preview);
        assert_eq!(versions.release_of("1.9").unwrap().patches.len(), 2);
        assert_eq!(versions.release_of("1.9.3"), None);
        let upgrades = versions.upgrades_from("1.9.11").unwrap();
        assert_eq!(upgrades, ["1.10.2", "1.10.10"].map(KubernetesVersion::new));
        assert_eq!(versions.upgrades_from("1.9"), None);
        let compact = text.split_whitespace().collect::<String>();
        assert_eq!(serde_json::to_string(&versions).unwrap(), compact);
    }

    #[test]
    fn odd_entries_are_passed_over_and_what_is_not_a_list_is_an_error() {
        let versions = read(
            r#"{"values":[null,1,{},{"version":7},{"version":"1.30","isDefault":"yes","capabilities":[],
                "patchVersions":{"1.30.0":null,"1.30.1":{"upgrades":{}},"1.30.2":{"upgrades":[1,"1.31.0"]}}},
                {"version":"1.31","patchVersions":null}]}"#,
        );
        assert_eq!(versions.releases().len(), 2);
        assert_eq!(versions.default_release(), None);
        let patches: Vec<_> = versions.patches().collect();
        assert_eq!(patches.len(), 2, "{patches:?}");
        assert_eq!(patches[0].upgrades, [KubernetesVersion::new("1.31.0")]);
        for text in [
            "{}",
            "[]",
            "null",
            r#"{"values":null}"#,
            r#"{"values":{}}"#,
            r#"{"value":[]}"#,
        ] {
            assert!(
                serde_json::from_str::<KubernetesVersions>(text).is_err(),
                "{text}"
            );
        }
    }
}
