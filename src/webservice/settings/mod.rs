//! The settings of a deployed service: resources, replicas, authentication, probes.
//!
//! [`shared`] holds what a deployment and an update have in common: how it is checked, and where
//! it stands in the service's document. A create nests these members, an update replaces them one by
//! one, so the two cannot drift apart.

mod auth;
mod body;
mod builder;
mod configuration;
#[cfg(test)]
mod described;
mod file;
mod load;
mod numbers;
mod patch;
mod probe;
#[cfg(test)]
mod properties;
mod replicas;
mod resources;
mod shared;
mod update;

pub use auth::Auth;
pub use builder::DeployConfigurationBuilder;
pub use configuration::DeployConfiguration;
pub use load::{ServiceLoad, replicas_for_load};
pub(crate) use patch::CurrentService;
pub use probe::LivenessProbe;
pub use replicas::{AutoScale, Replicas};
pub(crate) use update::CodeChange;
pub use update::{ServiceUpdate, ServiceUpdateBuilder};
