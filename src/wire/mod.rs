//! Serde mirrors of the service's JSON: no behaviour, and nothing in them is required that some
//! version of the service leaves out. Unknown fields and unknown kinds survive.

mod compute;
mod credentials;
mod document;
mod lenient;
mod page;
#[cfg(feature = "services")]
mod services;
mod state;
mod status;
#[cfg(test)]
mod tests;
mod workspace;

pub use compute::{
    AksNetworking, AksProperties, ComputeProperties, ComputeResource, SslSettings, SystemService,
};
pub use credentials::AksCredentials;
pub(crate) use page::{Item, Page};
#[cfg(feature = "services")]
pub(crate) use services::{ArtifactBatch, AssetArtifact, AssetResource, ContentInformation};
#[cfg(feature = "services")]
pub use services::{
    AutoScalerSettings, ContainerResources, ModelResource, ProbeSettings, ReplicaStatus,
    ResourceNeeds, ServiceKeys, ServiceResource, ServiceToken,
};
pub use state::ComputeState;
pub(crate) use status::{Row, RowPage, StatusDocument};
pub(crate) use workspace::WorkspaceResource;
