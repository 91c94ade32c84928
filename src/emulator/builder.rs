//! How an emulator is put together.

use std::sync::Arc;
use std::time::Duration;

use super::Emulator;
use super::clock::{Clock, Time};
use super::clusters::ExistingCluster;
use super::connected::ConnectedCluster;
use super::groups::Group;
use super::kubernetes::Kubernetes;
use super::services::Settings;
use super::sizes::{self, VmSize};
use super::state::{Config, Shared, State};

/// Builds an [`Emulator`]; every value has a default.
#[derive(Clone, Debug)]
#[must_use]
pub struct EmulatorBuilder {
    subscription: String,
    resource_group: String,
    workspace: String,
    location: String,
    clusters: Vec<ExistingCluster>,
    connected: Vec<ConnectedCluster>,
    clock: Clock,
    create: Duration,
    attach: Duration,
    update: Duration,
    delete: Duration,
    detach: Duration,
    retry_after: Option<Duration>,
    signed_polling_urls: bool,
    front_end_refusals: bool,
    absent_without_body: bool,
    page_size: usize,
    tolerate_second_attachment: bool,
    permissions: (Vec<String>, Vec<String>),
    deny_public_addresses: bool,
    unregistered: Vec<String>,
    v1_legacy_mode: bool,
    sizes: Vec<VmSize>,
    kubernetes: Kubernetes,
    pub(crate) services: Settings,
    sas: Duration,
    blob_capacity: u64,
    outputs: Vec<RunOutput>,
}

/// A file that a run left.
#[derive(Clone, Debug)]
struct RunOutput {
    experiment: String,
    run_id: String,
    path: String,
    content: Vec<u8>,
}

impl Default for EmulatorBuilder {
    fn default() -> Self {
        const MINUTE: Duration = Duration::from_secs(60);
        Self {
            subscription: "00000000-0000-0000-0000-000000000001".to_owned(),
            resource_group: "emulator-group".to_owned(),
            workspace: "emulator-workspace".to_owned(),
            location: "eastus".to_owned(),
            clusters: Vec::new(),
            connected: Vec::new(),
            clock: Clock::default(),
            // The articles' estimates: 10 minutes to create, 5 to attach.
            create: 10 * MINUTE,
            attach: 5 * MINUTE,
            update: 5 * MINUTE,
            delete: 5 * MINUTE,
            detach: MINUTE,
            retry_after: None,
            signed_polling_urls: true,
            front_end_refusals: false,
            absent_without_body: false,
            page_size: 10,
            tolerate_second_attachment: false,
            permissions: (vec!["*".to_owned()], Vec::new()),
            deny_public_addresses: false,
            unregistered: Vec::new(),
            v1_legacy_mode: false,
            sizes: sizes::known(),
            kubernetes: Kubernetes::default(),
            services: Settings::default(),
            sas: 24 * 60 * MINUTE,
            blob_capacity: 4 << 30,
            outputs: Vec::new(),
        }
    }
}

impl EmulatorBuilder {
    /// The subscription of the workspace.
    pub fn subscription(mut self, subscription: impl Into<String>) -> Self {
        self.subscription = subscription.into();
        self
    }

    /// The resource group of the workspace.
    pub fn resource_group(mut self, resource_group: impl Into<String>) -> Self {
        self.resource_group = resource_group.into();
        self
    }

    /// The name of the workspace.
    pub fn workspace(mut self, workspace: impl Into<String>) -> Self {
        self.workspace = workspace.into();
        self
    }

    /// The region of the workspace.
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = location.into();
        self
    }

    /// Adds an AKS cluster that exists beside the workspace.
    pub fn cluster(mut self, cluster: ExistingCluster) -> Self {
        self.clusters.push(cluster);
        self
    }

    /// Adds an Arc-connected cluster.
    pub fn connected_cluster(mut self, cluster: ConnectedCluster) -> Self {
        self.connected.push(cluster);
        self
    }

    /// Sets the clock. Default: [`Clock::Automatic`] at the speed of `tokio`'s clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// How long a create takes. Default: 10 minutes.
    pub fn create_duration(mut self, duration: Duration) -> Self {
        self.create = duration;
        self
    }

    /// How long an attach takes. Default: 5 minutes.
    pub fn attach_duration(mut self, duration: Duration) -> Self {
        self.attach = duration;
        self
    }

    /// How long an update takes. Default: 5 minutes.
    pub fn update_duration(mut self, duration: Duration) -> Self {
        self.update = duration;
        self
    }

    /// How long a delete takes. Default: 5 minutes.
    pub fn delete_duration(mut self, duration: Duration) -> Self {
        self.delete = duration;
        self
    }

    /// How long a detach takes. Default: 1 minute.
    pub fn detach_duration(mut self, duration: Duration) -> Self {
        self.detach = duration;
        self
    }

    /// `Retry-After` beside the URL of an operation and on its status while it runs, in whole
    /// seconds, rounded up. Default: no such header, as the service sends none.
    pub fn retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    /// Whether the URL of an operation ends with a certificate and a signature, as Resource Manager
    /// has signed it since 2023: 3,200 characters, which must come back as they were. Default: yes.
    pub fn signed_polling_urls(mut self, signed: bool) -> Self {
        self.signed_polling_urls = signed;
        self
    }

    /// Whether what a compute cannot do is refused in the form of the service's front end, with
    /// `additionalInfo`, rather than in that of the service behind it, with `innerError`. Default: no.
    pub fn front_end_refusals(mut self, by_front_end: bool) -> Self {
        self.front_end_refusals = by_front_end;
        self
    }

    /// Whether 404 for a compute that is not there has no body. Both were seen. Default: no.
    pub fn absent_without_body(mut self, without_body: bool) -> Self {
        self.absent_without_body = without_body;
        self
    }

    /// How many computes a page of a list has, at least 1. Default: 10.
    pub fn page_size(mut self, page_size: usize) -> Self {
        self.page_size = page_size.max(1);
        self
    }

    /// Whether attaching a cluster a second time leaves the first attachment alone. Default: no,
    /// as the articles say that it breaks.
    pub fn tolerate_second_attachment(mut self, tolerate: bool) -> Self {
        self.tolerate_second_attachment = tolerate;
        self
    }

    /// Sets the permissions of the caller at every scope, as `Microsoft.Authorization/permissions` lists them: the actions that a role allows, and
    /// those that it excludes, both with `*`. By default everything is allowed. The emulator does not enforce it.
    pub fn permissions<A: Into<String>>(
        mut self,
        actions: impl IntoIterator<Item = A>,
        not_actions: impl IntoIterator<Item = A>,
    ) -> Self {
        let texts = |list: Vec<A>| list.into_iter().map(Into::into).collect();
        self.permissions = (
            texts(actions.into_iter().collect()),
            texts(not_actions.into_iter().collect()),
        );
        self
    }

    /// Sets whether a policy denies public addresses: `checkPolicyRestrictions` reports it, and every create of a compute is
    /// refused with `RequestDisallowedByPolicy`.
    pub fn deny_public_addresses(mut self, deny: bool) -> Self {
        self.deny_public_addresses = deny;
        self
    }

    /// Names a resource provider that no subscription has registered. By default all are registered. The emulator refuses
    /// only the PUT of an extension for it, with `MissingSubscriptionRegistration`.
    pub fn unregistered_provider(mut self, namespace: impl Into<String>) -> Self {
        self.unregistered.push(namespace.into());
        self
    }

    /// Sets whether the workspace is in v1 legacy mode. The emulator reports it, and refuses nothing.
    pub fn v1_legacy_mode(mut self, legacy: bool) -> Self {
        self.v1_legacy_mode = legacy;
        self
    }

    /// Adds a VM size to those that are known, or replaces it.
    pub fn vm_size(mut self, name: impl Into<String>, cores: u32, memory_gb: f64) -> Self {
        let name = name.into();
        self.sizes
            .retain(|size| !size.name.eq_ignore_ascii_case(&name));
        self.sizes.push(VmSize {
            name,
            family: "standardEmulatedFamily".to_owned(),
            cores,
            memory_gb,
            gpus: 0,
        });
        self
    }

    /// The versions of Kubernetes that every region offers, in place of those that are known, in any order.
    /// One that ends with `(preview)` makes its minor version a preview. New clusters have the newest patch of
    /// the minor version `default`; where no version is of it, none is the default, and they have the newest.
    ///
    /// ```
    /// use azureml_aks::emulator::Emulator;
    ///
    /// let versions = ["1.18.6(preview)", "1.17.9", "1.17.7"];
    /// let emulator = Emulator::builder().kubernetes_versions(versions, "1.17").build();
    /// ```
    pub fn kubernetes_versions<V: Into<String>>(
        mut self,
        versions: impl IntoIterator<Item = V>,
        default: impl Into<String>,
    ) -> Self {
        let versions = versions.into_iter().map(Into::into);
        self.kubernetes = Kubernetes::of(versions, default.into());
        self
    }

    /// How long a signed URL of a blob is valid, by the emulator's clock. Default: 24 hours.
    pub fn sas_duration(mut self, duration: Duration) -> Self {
        self.sas = duration;
        self
    }

    /// How many bytes of blobs and of blocks that are not committed yet are kept, in memory. What does not
    /// fit is refused with 413. Default: 4 GiB, which is room for models and small enough for a machine on
    /// which tests run.
    pub fn blob_capacity(mut self, bytes: u64) -> Self {
        self.blob_capacity = bytes;
        self
    }

    /// Adds a file that a run of an experiment left, as
    /// [`Emulator::add_run_output`] does.
    pub fn run_output(
        mut self,
        experiment: impl Into<String>,
        run_id: impl Into<String>,
        path: impl Into<String>,
        content: impl Into<Vec<u8>>,
    ) -> Self {
        self.outputs.push(RunOutput {
            experiment: experiment.into(),
            run_id: run_id.into(),
            path: path.into(),
            content: content.into(),
        });
        self
    }

    /// Makes the emulator. Its clock starts now.
    #[must_use]
    pub fn build(self) -> Emulator {
        let mut state = State::new(Time::start(self.clock), self.blob_capacity);
        state.services.scorer = self.services.scorer.clone();
        let config = Config {
            workspace_id: state.uuid(),
            subscription: self.subscription,
            resource_group: self.resource_group,
            workspace: self.workspace,
            location: self.location,
            create: self.create,
            attach: self.attach,
            update: self.update,
            delete: self.delete,
            detach: self.detach,
            retry_after: self.retry_after.map(|hint| self.clock.real(hint)),
            signed_polling_urls: self.signed_polling_urls,
            front_end_refusals: self.front_end_refusals,
            absent_without_body: self.absent_without_body,
            page_size: self.page_size,
            tolerate_second_attachment: self.tolerate_second_attachment,
            permissions: self.permissions,
            deny_public_addresses: self.deny_public_addresses,
            unregistered: self.unregistered,
            v1_legacy_mode: self.v1_legacy_mode,
            sizes: self.sizes,
            kubernetes: self.kubernetes,
            services: self.services,
            sas: self.sas,
        };
        state.add_group(Group {
            subscription: config.subscription.clone(),
            name: config.resource_group.clone(),
            location: config.location.clone(),
        });
        let emulator = Emulator {
            shared: Arc::new(Shared::new(config, state)),
        };
        for cluster in self.clusters {
            emulator.add_cluster(cluster);
        }
        for cluster in self.connected {
            emulator.add_connected_cluster(cluster);
        }
        for output in self.outputs {
            emulator.add_run_output(
                &output.experiment,
                &output.run_id,
                &output.path,
                output.content,
            );
        }
        emulator
    }
}
