//! The versions of Kubernetes that every region offers, in today's list and in that of the articles.

use serde_json::{Map, Value, json};

use super::call::Call;
use super::clusters::answer;
use super::routes::Reply;

/// A minor version on offer.
#[derive(Clone, Debug)]
struct Minor {
    version: String,
    /// Oldest first.
    patches: Vec<String>,
    preview: bool,
}

/// The versions on offer, oldest first; the real list differs by region and by week.
#[derive(Clone, Debug)]
pub(crate) struct Kubernetes {
    minors: Vec<Minor>,
    /// The minor version that new clusters have.
    default: String,
}

impl Default for Kubernetes {
    fn default() -> Self {
        let known = [
            "1.33.2",
            "1.33.5",
            "1.34.1",
            "1.34.3",
            "1.35.0",
            "1.36.0(preview)",
        ];
        Self::of(known.map(str::to_owned), "1.34".to_owned())
    }
}

impl Kubernetes {
    /// Reads versions as the articles' table writes them, in any order: `1.18.6(preview)`, `1.17.9`.
    pub(crate) fn of(versions: impl IntoIterator<Item = String>, default: String) -> Self {
        let mut versions: Vec<String> = versions.into_iter().collect();
        versions.sort_by_key(|version| numbers(version));
        let mut minors: Vec<Minor> = Vec::new();
        for written in versions {
            let patch = written.strip_suffix("(preview)").unwrap_or(&written);
            let version = minor_of(patch);
            if minors.last().is_none_or(|last| last.version != version) {
                let (patches, preview) = (Vec::new(), false);
                minors.push(Minor {
                    version,
                    patches,
                    preview,
                });
            }
            if let Some(minor) = minors.last_mut() {
                minor.preview |= patch != written;
                minor.patches.push(patch.to_owned());
            }
        }
        Self { minors, default }
    }

    /// The version that new clusters have: the newest patch of the default, or else of all.
    pub(crate) fn default_patch(&self) -> &str {
        let default = self.minors.iter().find(|minor| self.is_default(minor));
        let patch = default
            .or(self.minors.last())
            .and_then(|minor| minor.patches.last());
        patch.map_or("", String::as_str)
    }

    /// The version with its patch that a new cluster gets: the default of an empty text, the newest patch of a
    /// minor version; `None` when it is not on offer.
    pub(crate) fn resolve(&self, wanted: &str) -> Option<&str> {
        if wanted.is_empty() {
            return Some(self.default_patch());
        }
        let mut patches = self.minors.iter().flat_map(|minor| &minor.patches);
        let exact = patches.find(|patch| *patch == wanted);
        let minor = self.minors.iter().find(|minor| minor.version == wanted);
        let newest = || minor.and_then(|minor| minor.patches.last());
        exact.or_else(newest).map(String::as_str)
    }

    /// Whether attaching a cluster of this version is accepted: its minor is on offer, be it a preview.
    pub(crate) fn attachable(&self, version: &str) -> bool {
        let minor = minor_of(version);
        self.minors.iter().any(|known| known.version == minor)
    }

    /// The versions that [`attachable`](Self::attachable) accepts, as the service's refusal lists them.
    pub(crate) fn attachable_list(&self) -> String {
        let minors = self.minors.iter().map(|known| known.version.as_str());
        minors.collect::<Vec<_>>().join(", ")
    }

    fn is_default(&self, minor: &Minor) -> bool {
        minor.version == self.default
    }

    /// To a later patch of the same minor, or to any of the next one, with whether that is a preview.
    fn upgrades(&self, patch: &str) -> Vec<(&str, bool)> {
        let all = self.minors.iter().enumerate().flat_map(|(index, minor)| {
            let patches = minor.patches.iter();
            patches.map(move |patch| (index, patch.as_str(), minor.preview))
        });
        let mut from = all.skip_while(|(_, known, _)| *known != patch);
        let Some((here, ..)) = from.next() else {
            return Vec::new();
        };
        let within = from.take_while(|(index, ..)| *index <= here + 1);
        within.map(|(_, patch, preview)| (patch, preview)).collect()
    }

    fn today(&self, minor: &Minor) -> Value {
        let patches = minor.patches.iter().map(|patch| {
            let upgrades: Vec<&str> = self.upgrades(patch).into_iter().map(|to| to.0).collect();
            (patch.clone(), json!({ "upgrades": upgrades }))
        });
        let mut shown = json!({
            "version": minor.version,
            "capabilities": { "supportPlan": ["KubernetesOfficial"] },
            "patchVersions": patches.collect::<Map<_, _>>(),
        });
        flag(&mut shown, "isDefault", self.is_default(minor));
        flag(&mut shown, "isPreview", minor.preview);
        shown
    }

    fn orchestrator(&self, patch: &str, preview: bool) -> Value {
        let upgrades = self.upgrades(patch).into_iter().map(|(to, preview)| {
            let mut to = json!({ "orchestratorType": "Kubernetes", "orchestratorVersion": to });
            flag(&mut to, "isPreview", preview);
            to
        });
        let upgrades: Vec<Value> = upgrades.collect();
        let mut shown = json!({ "orchestratorType": "Kubernetes", "orchestratorVersion": patch });
        // The newest has no such key.
        if !upgrades.is_empty() {
            shown["upgrades"] = json!(upgrades);
        }
        let is_default = minor_of(patch) == self.default && patch == self.default_patch();
        flag(&mut shown, "default", is_default);
        flag(&mut shown, "isPreview", preview);
        shown
    }
}

/// Flags are there only when they are true.
fn flag(of: &mut Value, key: &str, holds: bool) {
    if holds {
        of[key] = json!(true);
    }
}

pub(crate) fn minor_of(version: &str) -> String {
    let parts: Vec<&str> = version.split('.').take(2).collect();
    parts.join(".")
}

fn numbers(version: &str) -> Vec<u32> {
    let version = version.strip_suffix("(preview)").unwrap_or(version);
    let parts = version.split('.');
    parts.map(|part| part.parse().unwrap_or(0)).collect()
}

/// The key is `values`, and there is no paging.
pub(crate) fn versions(call: Call<'_>) -> Reply {
    call.check_region("kubernetesVersions")?;
    let offer = &call.config.kubernetes;
    let values = offer.minors.iter().map(|minor| offer.today(minor));
    let values: Vec<Value> = values.collect();
    Ok(answer(&json!({ "values": values })))
}

pub(crate) fn orchestrators(call: Call<'_>) -> Reply {
    call.check_region("orchestrators")?;
    let (subscription, location) = (call.name("subscription"), call.name("location"));
    let offer = &call.config.kubernetes;
    let orchestrators = offer.minors.iter().flat_map(|minor| {
        let patches = minor.patches.iter();
        patches.map(|patch| offer.orchestrator(patch, minor.preview))
    });
    let orchestrators: Vec<Value> = orchestrators.collect();
    Ok(answer(&json!({
        "id": format!(
            "/subscriptions/{subscription}/providers/Microsoft.ContainerService/locations/\
             {location}/orchestrators"
        ),
        "name": "default",
        "type": "Microsoft.ContainerService/locations/orchestrators",
        "properties": { "orchestrators": orchestrators },
    })))
}
