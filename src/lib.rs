//! Create, attach and manage the AKS clusters of an Azure Machine Learning workspace; register models,
//! deploy them there and call them.
#![cfg_attr(
    all(feature = "emulator", feature = "identity", feature = "services"),
    doc = "\n",
    doc = include_str!("../README.md")
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "services")]
mod blob;
mod compute;
mod config;
#[cfg(feature = "emulator")]
pub mod emulator;
mod error;
mod facts;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;
#[cfg(feature = "services")]
mod model;
mod names;
mod operation;
mod rules;
#[cfg(feature = "services")]
mod scoring;
mod token;
mod transport;
#[cfg(feature = "services")]
mod webservice;
mod wire;
mod workspace;

#[cfg(feature = "services")]
pub use blob::TransferProgress;
pub use compute::{
    Aks, AksCompute, AttachWith, ComputeTarget, CreateWith, Kind, Resumed, Waitable, wait_all,
};
pub use config::{
    AttachConfiguration, AttachConfigurationBuilder, ClusterPurpose, ClusterRef, LeafDomain,
    LoadBalancer, Network, OwnCertificate, Pem, ProvisioningConfiguration,
    ProvisioningConfigurationBuilder, Subnet, Tls, TlsUpdate, UpdateConfiguration,
    UpdateConfigurationBuilder, VirtualNetwork,
};
#[cfg(feature = "services")]
pub use config::{
    Auth, AutoScale, CondaDependencies, ContainerRegistry, DeployConfiguration,
    DeployConfigurationBuilder, Dockerfile, Environment, EnvironmentBuilder, EnvironmentRef,
    EnvironmentSource, InferenceConfiguration, InferenceConfigurationBuilder, LivenessProbe,
    Replicas, ServiceLoad, ServiceUpdate, ServiceUpdateBuilder, SparkSettings, replicas_for_load,
};
pub use error::{ContainerLogs, Error, ErrorKind, ServiceError, Violation, Warning};
#[cfg(feature = "services")]
pub use model::{Model, ModelChange, ModelDownload, ModelQuery, ModelRegistration, RunOutput};
pub use names::{ComputeName, WorkspaceId};
#[cfg(feature = "services")]
pub use names::{ModelName, Namespace, ServiceName};
pub use operation::{Event, Operation, Prepared, Progress, StatusClass, WaitOptions};
#[cfg(feature = "services")]
pub use scoring::{
    ScoringAnswer, ScoringClient, ScoringClientBuilder, ScoringRequest, ScoringRetry,
};
pub use token::{ResumeToken, Verb};
pub use transport::Cloud;
#[cfg(feature = "services")]
pub use webservice::{
    AksWebservice, Deployment, KeyName, LogOptions, ResumedService, ServiceChange, ServiceQuery,
    ServiceState,
};
pub use wire::{
    AksCredentials, AksNetworking, AksProperties, ComputeProperties, ComputeResource, ComputeState,
    SslSettings, SystemService,
};
#[cfg(feature = "services")]
pub use wire::{
    AutoScalerSettings, ContainerResources, ModelResource, ProbeSettings, ReplicaStatus,
    ResourceNeeds, ServiceKeys, ServiceResource, ServiceToken,
};
pub use workspace::{Workspace, WorkspaceBuilder};

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
