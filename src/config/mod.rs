//! What a cluster shall be: builders that give valid configurations, and nothing else.
//!
//! A configuration can only be made by its builder's `build()`, which checks everything that can be
//! known without asking the service and reports **all** broken rules in one
//! [`Error`](crate::Error). Parts, such as [`VirtualNetwork`] or [`Tls`], are passed as they are and
//! checked with the whole. What is allowed but probably not meant is listed by `warnings()`.
//!
//! What is not said stays unsaid on the wire, so that the service applies its own defaults; the
//! setters name the documented ones. The rules, with their ids, are in `docs/validation.md`.

mod attach;
mod capacity;
mod certificate;
mod cluster;
#[cfg(feature = "services")]
mod deploy;
#[cfg(feature = "services")]
mod inference;
#[cfg(feature = "services")]
mod json_object;
mod load_balancer;
mod metadata;
mod network;
mod provisioning;
mod purpose;
mod resource_id;
#[cfg(test)]
mod rule_coverage;
#[cfg(feature = "services")]
mod text_file;
mod tls;
mod update;

pub use attach::{AttachConfiguration, AttachConfigurationBuilder};
pub use cluster::ClusterRef;
#[cfg(feature = "services")]
pub use deploy::{
    Auth, AutoScale, DeployConfiguration, DeployConfigurationBuilder, LivenessProbe, Replicas,
    ServiceLoad, ServiceUpdate, ServiceUpdateBuilder, replicas_for_load,
};
#[cfg(feature = "services")]
pub(crate) use deploy::{CodeChange, CurrentService};
#[cfg(feature = "services")]
pub(crate) use inference::PackContent;
#[cfg(feature = "services")]
pub use inference::{
    CondaDependencies, CondaDependenciesBuilder, ContainerRegistry, Dockerfile, Environment,
    EnvironmentBuilder, EnvironmentRef, EnvironmentSource, InferenceConfiguration,
    InferenceConfigurationBuilder, SparkSettings,
};
pub use load_balancer::LoadBalancer;
#[cfg(feature = "services")]
pub(crate) use metadata::{TagChanges, Tags, pointer_token, tags_value};
pub use network::{Network, Subnet, VirtualNetwork};
pub use provisioning::{ProvisioningConfiguration, ProvisioningConfigurationBuilder};
pub use purpose::ClusterPurpose;
pub use tls::{LeafDomain, OwnCertificate, Pem, Tls};
pub use update::{TlsUpdate, UpdateConfiguration, UpdateConfigurationBuilder};
