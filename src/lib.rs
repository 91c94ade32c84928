//! Create, attach and manage the AKS clusters of an Azure Machine Learning workspace; register models,
//! deploy them there and call them.
//!
//! - The root has what a program names: [`Workspace`], the handles ([`ComputeTarget`], [`AksCompute`] and, with
//!   the feature `services`, `Model` and `AksWebservice`), configurations and their builders, [`WaitOptions`],
//!   [`ResumeToken`], [`Error`].
//! - [`models`] has what is mostly read: what the service answers, the progress of a wait, and the request values
//!   that verbs return.
//! - [`mod@error`] has the parts of an [`Error`]: findings, the service's own errors, logs of containers.
#![cfg_attr(
    all(feature = "emulator", feature = "identity", feature = "services"),
    doc = "\n",
    doc = include_str!("../README.md")
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "services")]
mod blob;
mod compute;
#[cfg(feature = "emulator")]
pub mod emulator;
#[cfg(feature = "services")]
mod environment;
pub mod error;
mod facts;
#[cfg(feature = "services")]
mod files;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
mod json;
#[cfg(feature = "services")]
mod model;
mod names;
mod operation;
#[cfg(feature = "services")]
mod package;
mod resume;
mod rules;
#[cfg(feature = "services")]
mod scoring;
#[cfg(test)]
mod tests;
mod token;
mod transport;
#[cfg(feature = "services")]
mod webservice;
mod workspace;

pub use async_trait::async_trait;
pub use azure_core;
#[cfg(feature = "identity")]
pub use azure_identity;

pub use compute::{
    Aks, AksCompute, AnyCompute, AnyKind, AttachConfiguration, AttachConfigurationBuilder,
    AttachWith, ClusterPurpose, ClusterRef, ComputeTarget, CreateWith, Kind, LeafDomain,
    LoadBalancer, Network, OwnCertificate, Pem, ProvisioningConfiguration,
    ProvisioningConfigurationBuilder, Subnet, Tls, TlsUpdate, UpdateConfiguration,
    UpdateConfigurationBuilder, UpdateWith, VirtualNetwork,
};
#[cfg(feature = "services")]
pub use environment::{
    CondaDependencies, CondaDependenciesBuilder, ContainerRegistry, Dockerfile, Environment,
    EnvironmentBuilder, EnvironmentRef, SparkSettings,
};
pub use error::{Error, ErrorKind};
#[cfg(feature = "services")]
pub use model::{Model, ModelQuery, ResourceNeeds, RunOutput};
#[cfg(feature = "services")]
pub use names::ServiceName;
pub use names::{ComputeName, WorkspaceId};
pub use operation::{Operation, Prepared, TokenStore, WaitOptions, Waitable, wait_all};
pub use resume::Resumed;
#[cfg(feature = "services")]
pub use scoring::{ScoringClient, ScoringClientBuilder, ScoringRequest, ScoringRetry};
pub use token::{ResumeToken, Verb};
pub use transport::{Cloud, Continuation, List};
#[cfg(feature = "services")]
pub use webservice::{
    AksWebservice, Auth, AutoScale, DeployConfiguration, DeployConfigurationBuilder,
    EnvironmentSource, InferenceConfiguration, InferenceConfigurationBuilder, KeyName,
    LivenessProbe, LogOptions, Replicas, ServiceLoad, ServiceQuery, ServiceUpdate,
    ServiceUpdateBuilder, replicas_for_load,
};
pub use workspace::{Workspace, WorkspaceBuilder};

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

pub mod models {
    //! What the service answers, what a wait reports, and the request values that verbs return.

    #[cfg(feature = "services")]
    pub use crate::blob::TransferProgress;
    pub use crate::compute::{
        AksCredentials, AksNetworking, AksProperties, AttachCompute, ComputeProperties,
        ComputeResource, ComputeState, CreateCompute, RemoveCompute, SslSettings, SystemService,
        UpdateCompute,
    };
    #[cfg(feature = "services")]
    pub use crate::model::{DeleteModel, DownloadModel, ModelResource, RegisterModel, UpdateModel};
    pub use crate::operation::{Event, Progress, StatusClass};
    #[cfg(feature = "services")]
    pub use crate::scoring::ScoringAnswer;
    pub use crate::token::TokenResource;
    pub use crate::transport::{Page, Pages};
    #[cfg(feature = "services")]
    pub use crate::webservice::{
        AutoScalerSettings, ContainerResources, DeleteService, DeployService, ProbeSettings,
        RegenerateKey, ReplicaStatus, ServiceKeys, ServiceResource, ServiceState, ServiceToken,
        UpdateService,
    };
}
