//! The state of the emulator.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::artifacts::Artifacts;
use super::artifacts::blob_store::Blobs;
use super::assets::Assets;
use super::clock::Time;
use super::clusters::Cluster;
use super::clusters::operations::ClusterOperation;
use super::computes::Compute;
use super::computes::operations::Operation;
use super::connected::Connected;
use super::environments::Environments;
use super::extensions::Extension;
use super::extensions::operations::ExtensionOperation;
use super::faults::{Faults, Kind};
use super::groups::Group;
use super::http::Incoming;
use super::journal::Journal;
use super::kubernetes::Kubernetes;
use super::models::Models;
use super::services::{Services, Settings};
use super::sizes::VmSize;

/// The tenant of every identity.
pub(crate) const TENANT: &str = "00000000-0000-4000-8000-000000000001";

/// The settings with which the emulator was built.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) subscription: String,
    pub(crate) resource_group: String,
    pub(crate) workspace: String,
    pub(crate) location: String,
    pub(crate) workspace_id: String,
    pub(crate) create: Duration,
    pub(crate) attach: Duration,
    pub(crate) update: Duration,
    pub(crate) delete: Duration,
    pub(crate) detach: Duration,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) signed_polling_urls: bool,
    pub(crate) front_end_refusals: bool,
    pub(crate) absent_without_body: bool,
    pub(crate) page_size: usize,
    pub(crate) tolerate_second_attachment: bool,
    /// The permissions of the caller: actions, and those that are excluded from them.
    pub(crate) permissions: (Vec<String>, Vec<String>),
    pub(crate) deny_public_addresses: bool,
    /// The resource providers that are not registered.
    pub(crate) unregistered: Vec<String>,
    pub(crate) v1_legacy_mode: bool,
    pub(crate) sizes: Vec<VmSize>,
    pub(crate) kubernetes: Kubernetes,
    pub(crate) services: Settings,
    /// How long a signed URL of a blob is valid.
    pub(crate) sas: Duration,
}

impl Config {
    pub(crate) fn workspace_path(&self) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}/providers/{}/workspaces/{}",
            self.subscription,
            self.resource_group,
            crate::facts::arm::ML_PROVIDER,
            self.workspace
        )
    }

    pub(crate) fn size(&self, name: &str) -> Option<&VmSize> {
        self.sizes
            .iter()
            .find(|size| size.name.eq_ignore_ascii_case(name))
    }
}

/// The state of the data plane: each part knows nothing of the others.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) artifacts: Artifacts,
    pub(crate) blobs: Blobs,
    pub(crate) assets: Assets,
    pub(crate) models: Models,
    pub(crate) environments: Environments,
}

/// Everything that changes.
pub(crate) struct State {
    pub(crate) time: Time,
    /// In the order in which they were made, as lists show them.
    pub(crate) computes: Vec<Compute>,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) connected: Vec<Connected>,
    /// Those of all clusters.
    pub(crate) extensions: Vec<Extension>,
    pub(crate) groups: Vec<Group>,
    /// Those on computes.
    pub(crate) operations: BTreeMap<String, Operation>,
    pub(crate) cluster_operations: BTreeMap<String, ClusterOperation>,
    pub(crate) extension_operations: BTreeMap<String, ExtensionOperation>,
    /// Artifacts, blobs, assets, models, environments.
    pub(crate) store: Store,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    pub(crate) services: Services,
    /// The URL of the last listener for HTTPS, and the authority that signed its certificate.
    pub(crate) https: Option<(String, String)>,
    random: u64,
}

impl State {
    pub(crate) fn new(time: Time, blob_capacity: u64) -> Self {
        Self {
            time,
            computes: Vec::new(),
            clusters: Vec::new(),
            connected: Vec::new(),
            extensions: Vec::new(),
            groups: Vec::new(),
            operations: BTreeMap::new(),
            cluster_operations: BTreeMap::new(),
            extension_operations: BTreeMap::new(),
            store: Store {
                artifacts: Artifacts::default(),
                blobs: Blobs::new(blob_capacity),
                assets: Assets::default(),
                models: Models::default(),
                environments: Environments::default(),
            },
            faults: Faults::default(),
            journal: Journal::default(),
            services: Services::default(),
            https: None,
            random: 0,
        }
    }

    pub(crate) fn compute(&self, name: &str) -> Option<&Compute> {
        self.computes
            .iter()
            .find(|compute| compute.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn compute_mut(&mut self, name: &str) -> Option<&mut Compute> {
        self.computes
            .iter_mut()
            .find(|compute| compute.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn cluster(&self, id: &str) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.is(id))
    }

    pub(crate) fn cluster_mut(&mut self, id: &str) -> Option<&mut Cluster> {
        self.clusters.iter_mut().find(|cluster| cluster.is(id))
    }

    /// A fault of the service's own that concerns this request.
    pub(crate) fn fault(
        &mut self,
        request: &Incoming,
        wanted: impl Fn(&Kind) -> bool,
    ) -> Option<Kind> {
        self.faults.take(&request.method, &request.path, wanted)
    }

    /// The next number of a fixed sequence (splitmix64): runs of a test are alike.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Six letters and digits, as the service appends to a leaf domain label.
    pub(crate) fn six_characters(&mut self) -> String {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let bits = self.next_random();
        (0..6u32)
            .map(|index| char::from(ALPHABET[usize::from((bits >> (index * 5)) as u8 & 31)]))
            .collect()
    }

    pub(crate) fn uuid(&mut self) -> String {
        let (a, b) = (self.next_random(), self.next_random());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }
}

/// Shared by every handle and every way in.
pub(crate) struct Shared {
    pub(crate) config: Config,
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn new(config: Config, state: State) -> Self {
        Self {
            config,
            state: Mutex::new(state),
        }
    }

    /// The state as it is now: operations whose time has come are settled. A panic elsewhere must
    /// not take the emulator down, so poisoning is passed over.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.settle(&self.config);
        state
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("workspace", &self.config.workspace)
            .finish_non_exhaustive()
    }
}
