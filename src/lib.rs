//! Create, attach and manage the AKS clusters of an Azure Machine Learning workspace; register models,
//! deploy them there and call them.
//!
//! This is for computes of kind AKS, as Microsoft's Python SDK v1 (`azureml-core`) manages them. Support of that SDK ended
//! on 2026-06-30, and the service may refuse to *create* such clusters. For computes of kind Kubernetes, those of Azure ML v2,
//! there are [`KubernetesCompute`] and [`Extension`], without models and services:
//! [who should use this, and what to know first](_documentation::before_you_start).
//!
//! # A first program
//!
//! It runs on the [`emulator`] in place of Azure, with `features = ["emulator"]`:
#![cfg_attr(feature = "emulator", doc = "```")]
#![cfg_attr(not(feature = "emulator"), doc = "```ignore")]
//! use azureml_aks::emulator::{Clock, Emulator, ExistingCluster};
//! use azureml_aks::{AksCompute, ClusterRef, ComputeTarget, WaitOptions, Workspace};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> azureml_aks::Result<()> {
//!     let emulator = Emulator::builder()
//!         .cluster(ExistingCluster::new("myresourcegroup", "myexistingcluster"))
//!         .clock(Clock::Automatic { speed: 1000.0 })
//!         .build();
//!     let workspace = Workspace::builder(
//!         emulator.subscription(),
//!         emulator.resource_group(),
//!         emulator.workspace(),
//!     )
//!     .credential(emulator.credential())
//!     .transport(emulator.transport())
//!     .build()?;
//!
//!     let cluster = ClusterRef::named("myresourcegroup", "myexistingcluster");
//!     let config = AksCompute::attach_configuration(cluster).build()?;
//!     let mut aks = ComputeTarget::attach(&workspace, "myaks", config).await?;
//!     aks.wait_for_completion(WaitOptions::new()).await?;
//!     assert!(aks.is_ready());
//!     Ok(())
//! }
//! ```
//!
//! For Azure, `Workspace::builder_from_config(".")?.default_credential()?.build()?` is the workspace. The README has the
//! same with a model and a web service, and all ways to a credential.
//!
//! # From task to item
//!
//! | to | use |
//! | --- | --- |
//! | name a workspace and its credential | [`Workspace::builder`], [`Workspace::builder_from_config`], [`Workspace::builder_from_env`]; [`WorkspaceBuilder::credential`], [`WorkspaceBuilder::default_credential`] |
//! | create a cluster | [`AksCompute::provisioning_configuration`], [`ComputeTarget::create`] |
//! | know first what would fail | `preflight` of each configuration, for example [`AttachConfiguration::preflight`] and [`ExtensionConfiguration::preflight`]; with the request [`Preflight`] |
//! | attach one that exists | [`AksCompute::attach_configuration`], [`ClusterRef`], [`ComputeTarget::attach`] |
//! | attach one for v2 tools, or an Arc-connected one | [`KubernetesCompute`], [`KubernetesClusterRef`] |
//! | install Azure Machine Learning's extension on a cluster | [`ExtensionConfiguration::builder`], [`Extension::install`], [`ExtensionUpdateConfiguration`] |
//! | create a cluster of your own, then attach it | [`ManagedClusterConfiguration::builder`], [`ManagedCluster::create`], [`then_attach`](models::CreateCluster::then_attach) |
//! | change how many nodes there are | [`AksCompute::scale`](ComputeTarget::scale), [`ManagedCluster::scale`], [`ManagedCluster::autoscale`] |
//! | wait | [`ComputeTarget::wait_for_completion`], [`WaitOptions`]; for many [`wait_all`]; as a stream [`ComputeTarget::events`] |
//! | find clusters | [`AksCompute::get`](ComputeTarget::get), [`AksCompute::get_opt`](ComputeTarget::get_opt), [`AksCompute::list`](ComputeTarget::list); of any kind [`Workspace::computes`] |
//! | change TLS or the load balancer | [`UpdateConfiguration::builder`], [`ComputeTarget::update`] |
//! | read the kubeconfigs | [`AksCompute::credentials`](ComputeTarget::credentials) |
//! | take a cluster away | [`ComputeTarget::detach`] keeps the cluster, [`ComputeTarget::delete`] deletes it; one of your own by [`ManagedCluster::delete`] |
//! | register a model | [`Model::register`], [`Model::register_from_run`] |
//! | find, change, download models | [`Model::get`], [`Model::list`], [`Model::update`], [`Model::download`] |
//! | say what runs in a service | [`InferenceConfiguration::builder`], [`Environment::builder`], [`EnvironmentRef`] |
//! | say what a service may use | [`AksWebservice::deploy_configuration`], [`Auth`], [`AutoScale`] |
//! | take the files of `az ml` | [`InferenceConfiguration::builder_from_file`], [`DeployConfiguration::builder_from_file`] |
//! | deploy, and wait | [`Model::deploy`], [`AksWebservice::wait_for_deployment`] |
//! | call a service | [`AksWebservice::scoring_client`], [`ScoringClient::run`] |
//! | keys and tokens of a service | [`AksWebservice::keys`], [`AksWebservice::regenerate_key`], [`AksWebservice::token`] |
//! | read its logs | [`AksWebservice::logs`]; after a failure [`Error::container_logs`] |
//! | change or delete a service | [`AksWebservice::update`], [`AksWebservice::update_inference`], [`AksWebservice::delete`] |
//! | survive the end of the process | [`Prepared`], [`TokenStore`], [`ResumeToken`], [`Workspace::resume`], [`Workspace::resume_all`] |
//! | decide after an error | [`Error::kind`], [`Error::is_transient`], [`Error::may_still_run`], [`Error::findings`], [`Error::remedy`] |
//! | test without Azure | [`emulator`] |
//!
//! The root has what a program names. [`models`] has what is mostly read: what the service answers, the progress of a
//! wait, and the request values that verbs return. [`mod@error`] has the parts of an [`Error`].
//!
//! # Features
//!
//! | feature | default | brings |
//! | --- | --- | --- |
//! | `rustls` | yes | the default HTTP client, with rustls |
//! | `native_tls` | no | the default HTTP client, with the platform's TLS |
//! | `identity` | yes | [`WorkspaceBuilder::default_credential`], the re-export of `azure_identity` |
//! | `services` | yes | [`Model`], [`AksWebservice`], [`ScoringClient`], [`InferenceConfiguration`], [`Environment`] and what belongs to them |
//! | `tls_checks` | yes | checks of certificate and key by the builders that take [`Tls`] |
//! | `emulator` | no | the module [`emulator`] |
//! | `cli` | no | nothing of the library: the program `azureml-aks`, a command line for the same jobs ([its page](_documentation::cli)) |
//!
//! Without any of them there are clusters, and a workspace needs a [`transport`](WorkspaceBuilder::transport).
//!
//! # Pages
//!
//! [`_documentation`] has the guides: [before you start](_documentation::before_you_start),
//! [coming from Python](_documentation::from_python), [cookbook](_documentation::cookbook),
//! [troubleshooting](_documentation::troubleshooting), [operations](_documentation::operations),
//! [validation](_documentation::validation), [the emulator](_documentation::emulator),
//! [security](_documentation::security), [logging](_documentation::logging), [the command line](_documentation::cli).
//!
// What a feature brings is a link only where the feature is on.
#![cfg_attr(not(feature = "emulator"), doc = "[`emulator`]: #features")]
#![cfg_attr(
    not(feature = "identity"),
    doc = "[`WorkspaceBuilder::default_credential`]: #features"
)]
#![cfg_attr(
    not(feature = "services"),
    doc = "[`Auth`]: #features
[`AutoScale`]: #features
[`AksWebservice`]: #features
[`AksWebservice::delete`]: #features
[`AksWebservice::deploy_configuration`]: #features
[`AksWebservice::keys`]: #features
[`AksWebservice::logs`]: #features
[`AksWebservice::regenerate_key`]: #features
[`AksWebservice::scoring_client`]: #features
[`AksWebservice::token`]: #features
[`AksWebservice::update`]: #features
[`AksWebservice::update_inference`]: #features
[`AksWebservice::wait_for_deployment`]: #features
[`DeployConfiguration::builder_from_file`]: #features
[`Environment`]: #features
[`Environment::builder`]: #features
[`EnvironmentRef`]: #features
[`InferenceConfiguration`]: #features
[`InferenceConfiguration::builder`]: #features
[`InferenceConfiguration::builder_from_file`]: #features
[`Model`]: #features
[`Model::deploy`]: #features
[`Model::download`]: #features
[`Model::get`]: #features
[`Model::list`]: #features
[`Model::register`]: #features
[`Model::register_from_run`]: #features
[`Model::update`]: #features
[`ScoringClient`]: #features
[`ScoringClient::run`]: #features"
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(doc, doctest))]
pub mod _documentation;
#[cfg(feature = "services")]
mod blob;
mod cluster;
mod compute;
#[cfg(feature = "emulator")]
pub mod emulator;
#[cfg(feature = "services")]
mod environment;
pub mod error;
mod extension;
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
mod preflight;
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

pub use cluster::{
    ManagedCluster, ManagedClusterConfiguration, ManagedClusterConfigurationBuilder, OutboundType,
};
pub use compute::{
    Aks, AksCompute, AnyCompute, AnyKind, AttachConfiguration, AttachConfigurationBuilder,
    AttachWith, ClusterPurpose, ClusterRef, ComputeTarget, CreateWith, InstanceType, Kind,
    Kubernetes, KubernetesAttachConfiguration, KubernetesAttachConfigurationBuilder,
    KubernetesClusterRef, KubernetesCompute, KubernetesIdentity, KubernetesUpdateConfiguration,
    KubernetesUpdateConfigurationBuilder, LeafDomain, LoadBalancer, Network, OwnCertificate, Pem,
    ProvisioningConfiguration, ProvisioningConfigurationBuilder, Subnet, Tls, TlsUpdate,
    UpdateConfiguration, UpdateConfigurationBuilder, UpdateWith, VirtualNetwork,
};
#[cfg(feature = "services")]
pub use environment::{
    CondaDependencies, CondaDependenciesBuilder, ContainerRegistry, Dockerfile, Environment,
    EnvironmentBuilder, EnvironmentRef, SparkSettings,
};
pub use error::{Error, ErrorKind};
pub use extension::{
    Extension, ExtensionConfiguration, ExtensionConfigurationBuilder, ExtensionRelay, ExtensionTls,
    ExtensionUpdateConfiguration, ExtensionUpdateConfigurationBuilder, RouterServiceType,
};
#[cfg(feature = "services")]
pub use model::{Model, ModelQuery, ResourceNeeds, RunOutput};
#[cfg(feature = "services")]
pub use names::ServiceName;
pub use names::{ComputeName, WorkspaceId};
pub use operation::{Operation, Prepared, TokenStore, WaitOptions, Waitable, wait_all};
pub use preflight::Preflight;
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
    //! The answers of the service, the reports of a wait, and the request values that verbs return.

    #[cfg(feature = "services")]
    pub use crate::blob::TransferProgress;
    pub use crate::cluster::{
        ApiServerAccess, AssignedIdentity, ClusterProperties, ClusterResource, ClusterSku,
        CreateAndAttach, CreateCluster, DeleteCluster, EntraProfile, Kubeconfig, KubernetesPatch,
        KubernetesRelease, KubernetesVersion, KubernetesVersions, NetworkProfile, NodePool,
        NodePoolResource, NodesOfSize, Orchestrator, OrchestratorUpgrade, Orchestrators,
        PowerState, Quota, QuotaUsage, ScaleNodePool, ServicePrincipal, SizeRestriction, UsageName,
        VirtualMachinesProfile, VirtualMachinesScale, VmSize, VmSizes,
    };
    pub use crate::compute::{
        AksCredentials, AksNetworking, AksProperties, AttachCompute, ComputeProperties,
        ComputeResource, ComputeState, CreateCompute, KubernetesProperties, RemoveCompute,
        SslSettings, SystemService, UpdateCompute,
    };
    pub use crate::extension::{
        DeleteExtension, ExtensionIdentity, ExtensionProperties, ExtensionResource,
        ExtensionStatus, InstallExtension, UpdateExtension,
    };
    #[cfg(feature = "services")]
    pub use crate::model::{DeleteModel, DownloadModel, ModelResource, RegisterModel, UpdateModel};
    pub use crate::operation::{Event, Progress, StatusClass};
    pub use crate::preflight::{PreflightFinding, PreflightReport, PreflightRequest};
    #[cfg(feature = "services")]
    pub use crate::scoring::ScoringAnswer;
    pub use crate::token::TokenResource;
    pub use crate::transport::{Page, Pages};
    #[cfg(feature = "services")]
    pub use crate::webservice::{
        AutoScalerSettings, ContainerResources, DeleteService, DeployService, DetachReport,
        ProbeSettings, RegenerateKey, ReplicaStatus, ServiceKeys, ServiceResource, ServiceState,
        ServiceToken, UpdateService,
    };
}

/// The README's programs, which `cargo test` compiles and runs.
#[cfg(all(
    doctest,
    feature = "emulator",
    feature = "identity",
    feature = "services"
))]
#[doc = include_str!("../README.md")]
mod readme {}
