//! The Azure side, for tests and for trying things out.
//!
//! An [`Emulator`] is one workspace with its computes, models and environments, the AKS clusters and those of Azure Arc
//! beside it with their extensions, and the blob store of its artifacts. There are two ways in, with one state behind both: [`Emulator::transport`] without a socket, so that a test
//! runs under `tokio`'s paused clock and ten minutes of provisioning take none; and
//! [`Emulator::serve`] on loopback, for clients in other languages.
//!
//! It is an independent judge. It shares no code with the rest of this crate, so that a key that
//! is misspelt on one side is seen, and what it does not support it refuses with an error that
//! names it. `docs/emulator.md` lists what it does, what it assumes and what it leaves out.
//!
//! ```
//! use azureml_aks::emulator::{Emulator, ExistingCluster, Fault};
//!
//! let emulator = Emulator::builder()
//!     .workspace("myworkspace")
//!     .cluster(ExistingCluster::new("myresourcegroup", "myexistingcluster"))
//!     .build();
//! emulator.inject(Fault::quota_exceeded().times(1));
//! assert_eq!(emulator.workspace(), "myworkspace");
//! ```

mod access;
mod admin;
mod artifacts;
mod assets;
mod builder;
mod call;
mod clock;
mod clusters;
mod computes;
mod connected;
mod credential;
mod environments;
mod error;
mod extensions;
mod faults;
mod groups;
mod http;
mod in_process;
mod journal;
mod kubernetes;
mod locations;
mod members;
mod models;
mod names;
mod network;
mod operations;
mod patch;
mod providers;
mod regions;
mod routes;
mod server;
mod services;
mod sizes;
mod state;
mod tls;
mod versions;
mod workspace;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use azure_core::http::{HttpClient, Transport};
use serde_json::Value;

pub use self::builder::EmulatorBuilder;
pub use self::clock::Clock;
pub use self::clusters::ExistingCluster;
pub use self::connected::ConnectedCluster;
pub use self::faults::Fault;
pub use self::journal::JournalEntry;
pub use self::server::{ServeOptions, Server};
pub use self::services::{ScoringRequest, ScoringResponse};

use self::artifacts::Place;
use self::artifacts::blob_store as blobs;
use self::clusters::{Cluster, Site};
use self::connected::Connected;
use self::extensions::{Extension, Host};
use self::groups::Group;
use self::state::{Shared, State};

/// A handle to an emulated workspace. Clones share its state.
#[derive(Clone, Debug)]
pub struct Emulator {
    shared: Arc<Shared>,
}

impl Default for Emulator {
    fn default() -> Self {
        Self::new()
    }
}

impl Emulator {
    /// An emulator with every default.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Begins an emulator of which something is to be decided.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }

    /// The subscription of the workspace.
    #[must_use]
    pub fn subscription(&self) -> &str {
        &self.shared.config.subscription
    }

    /// The resource group of the workspace.
    #[must_use]
    pub fn resource_group(&self) -> &str {
        &self.shared.config.resource_group
    }

    /// The name of the workspace.
    #[must_use]
    pub fn workspace(&self) -> &str {
        &self.shared.config.workspace
    }

    /// The region of the workspace.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.shared.config.location
    }

    /// A transport without a socket. Whatever host a request names, the emulator answers, and the
    /// URLs that it hands out are of that host.
    #[must_use]
    pub fn transport(&self) -> Transport {
        Transport::new(self.http_client())
    }

    /// The client that [`Emulator::transport`] wraps.
    #[must_use]
    pub fn http_client(&self) -> Arc<dyn HttpClient> {
        Arc::new(in_process::InProcess(Arc::clone(&self.shared)))
    }

    /// A credential that gives one fixed token, valid for an hour.
    #[must_use]
    pub fn credential(&self) -> Arc<dyn TokenCredential> {
        Arc::new(credential::TestCredential)
    }

    /// Listens on loopback until the [`Server`] is dropped.
    ///
    /// # Errors
    ///
    /// When no address is given, one is not a loopback address, or listening there fails.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes what had been opened.
    pub async fn serve(&self, options: ServeOptions) -> io::Result<Server> {
        Server::start(Arc::clone(&self.shared), options).await
    }

    /// Adds an AKS cluster that exists beside the workspace, or replaces it, and returns its id.
    #[expect(
        clippy::must_use_candidate,
        reason = "often only the cluster is wanted"
    )]
    pub fn add_cluster(&self, cluster: ExistingCluster) -> String {
        let config = &self.shared.config;
        let subscription = cluster.subscription.as_deref();
        let place = Site {
            subscription: subscription.unwrap_or(&config.subscription),
            group: &cluster.resource_group,
            name: &cluster.name,
        };
        let version = cluster.version.as_deref();
        let mut made = Cluster::ready(
            &place,
            cluster.location.as_deref().unwrap_or(&config.location),
            version.unwrap_or_else(|| config.kubernetes.default_patch()),
            &cluster.vm_size,
            cluster.node_count.into(),
            None,
        );
        made.trusted = cluster.trusted_access;
        made.document["properties"]["disableLocalAccounts"] = (!cluster.local_accounts).into();
        let id = made.id.clone();
        let mut state = self.shared.state();
        state.add_group(Group {
            subscription: place.subscription.to_owned(),
            name: place.group.to_owned(),
            location: config.location.clone(),
        });
        let host = Host::managed(&made);
        state.remove_cluster(&id);
        state.clusters.push(made);
        add_extension(&mut state, &host, cluster.extension.as_deref());
        id
    }

    /// Adds an Arc-connected cluster, or replaces it, and returns its id.
    #[expect(
        clippy::must_use_candidate,
        reason = "often only the cluster is wanted"
    )]
    pub fn add_connected_cluster(&self, cluster: ConnectedCluster) -> String {
        let config = &self.shared.config;
        let subscription = cluster.subscription.as_ref();
        let mut state = self.shared.state();
        state.add_group(Group {
            subscription: subscription.unwrap_or(&config.subscription).clone(),
            name: cluster.resource_group.clone(),
            location: config.location.clone(),
        });
        let made = Connected::new(&mut state, config, &cluster);
        let (id, host) = (made.id.clone(), Host::connected(&made));
        state.connected.retain(|known| !known.is(&id));
        state.forget_extensions(&id);
        state.connected.push(made);
        add_extension(&mut state, &host, cluster.extension.as_deref());
        id
    }

    /// Adds a file that a run of an experiment left, or replaces it, and returns the id of the
    /// artifact: `ExperimentRun/dcid.{run_id}/{path}`.
    pub fn add_run_output(
        &self,
        experiment: &str,
        run_id: &str,
        path: &str,
        content: impl Into<Vec<u8>>,
    ) -> String {
        let place = Place::new("ExperimentRun", &format!("dcid.{run_id}"), path);
        let id = place.id();
        let mut state = self.shared.state();
        let now = state.time.now();
        let stamp = state.time.stamp(now);
        let store = &mut state.store;
        store.artifacts.add_run(run_id, experiment);
        store.artifacts.create(place, stamp);
        let content: Vec<u8> = content.into();
        store
            .blobs
            .put(&id, content.into(), blobs::Content::default(), now);
        id
    }

    /// Returns the content of an artifact, by its id (`{origin}/{container}/{path}`) or by the URL that a service
    /// or an asset names it with (`aml://artifact/{id}`). `None` when nothing was uploaded to it.
    #[must_use]
    pub fn artifact(&self, id: &str) -> Option<Vec<u8>> {
        let id = id.strip_prefix(artifacts::URL).unwrap_or(id);
        let state = self.shared.state();
        state.store.blobs.get(id).map(blobs::Blob::all)
    }

    /// The stored document of a model, by its id (`name:version`), with every key and `null` where
    /// there is nothing.
    #[must_use]
    pub fn model(&self, id: &str) -> Option<Value> {
        self.shared.state().store.models.get(id).cloned()
    }

    /// Whether an AKS cluster with this id exists.
    #[must_use]
    pub fn cluster_exists(&self, resource_id: &str) -> bool {
        self.shared.state().cluster(resource_id).is_some()
    }

    /// Makes something go wrong.
    pub fn inject(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// Makes nothing go wrong any more. Operations that are doomed stay so.
    pub fn clear_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// The requests seen, in order. Of more than 10,000 requests or 64 MiB, only the last are kept; see
    /// [`journal_dropped`](Self::journal_dropped).
    #[must_use]
    pub fn journal(&self) -> Vec<JournalEntry> {
        self.shared.state().journal.entries().cloned().collect()
    }

    /// Returns the number of requests that were dropped from the [`journal`](Self::journal), which is bounded,
    /// since it was last cleared.
    #[must_use]
    pub fn journal_dropped(&self) -> usize {
        self.shared.state().journal.dropped()
    }

    /// Forgets the requests seen.
    pub fn clear_journal(&self) {
        self.shared.state().journal.clear();
    }

    /// Moves the clock on, also an automatic one.
    pub fn advance(&self, by: Duration) {
        let mut state = self.shared.state();
        state.time.advance(by);
        state.settle(&self.shared.config);
    }

    /// Ends every operation that is in progress and has an end.
    pub fn finish_operations(&self) {
        self.shared.state().finish(&self.shared.config);
    }

    /// The stored document of a compute, with every key and `null` where there is nothing.
    /// Certificates and keys are not in it.
    #[must_use]
    pub fn compute(&self, name: &str) -> Option<Value> {
        self.shared
            .state()
            .compute(name)
            .map(|compute| compute.document.clone())
    }
}

/// Adds the extension that a cluster had before.
fn add_extension(state: &mut State, host: &Host, name: Option<&str>) {
    if let Some(name) = name {
        let extension = Extension::ready(state, host, name);
        state.extensions.push(extension);
    }
}
