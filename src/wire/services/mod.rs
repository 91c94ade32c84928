//! Documents of the model management and artifact services.

mod artifact;
mod keys;
mod model;
mod service;

pub(crate) use artifact::{ArtifactBatch, ContentInformation};
pub use keys::{ServiceKeys, ServiceToken};
pub(crate) use model::{AssetArtifact, AssetResource};
pub use model::{ModelResource, ResourceNeeds};
pub use service::{
    AutoScalerSettings, ContainerResources, ProbeSettings, ReplicaStatus, ServiceResource,
};

use std::fmt;

/// The names of what a document holds beside the members that are known: their values may be secret.
struct Names<'a>(&'a std::collections::BTreeMap<String, serde_json::Value>);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
