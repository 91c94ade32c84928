//! Compute targets: handles, and the verbs that the service offers for them.

pub(crate) mod aks;
mod kind;
mod kubernetes;
mod prepare;
mod read;
mod remove;
mod resource;
mod start;
mod state;
#[cfg(test)]
mod toy;
mod update;
mod wait;

pub(crate) use aks::capacity;
pub use aks::{
    Aks, AksCompute, AksCredentials, AksNetworking, AksProperties, AttachConfiguration,
    AttachConfigurationBuilder, ClusterPurpose, ClusterRef, LeafDomain, LoadBalancer, Network,
    OwnCertificate, Pem, ProvisioningConfiguration, ProvisioningConfigurationBuilder, SslSettings,
    Subnet, SystemService, Tls, TlsUpdate, UpdateConfiguration, UpdateConfigurationBuilder,
    VirtualNetwork,
};
pub use kind::{AnyKind, AttachWith, CreateWith, Kind, UpdateWith};
pub use kubernetes::{
    InstanceType, Kubernetes, KubernetesAttachConfiguration, KubernetesAttachConfigurationBuilder,
    KubernetesClusterRef, KubernetesCompute, KubernetesIdentity, KubernetesProperties,
    KubernetesUpdateConfiguration, KubernetesUpdateConfigurationBuilder,
};
pub use remove::RemoveCompute;
pub use resource::{ComputeProperties, ComputeResource};
pub(crate) use start::PlannedAttach;
pub use start::{AttachCompute, CreateCompute};
pub use state::ComputeState;
pub use update::UpdateCompute;

use crate::error::{Error, ErrorKind, Finding, Hidden, ServiceError};
use crate::names::ComputeName;
use crate::operation::{Driver, Machine, StatusClass, Step, Subject, Ticket};
use crate::token::{ResumeToken, Verb};
use crate::workspace::Workspace;
pub(crate) use aks::overlap;
use azure_core::credentials::Secret;
pub(crate) use kubernetes::is_managed;
pub(crate) use prepare::named;
use read::COMPUTES;
pub(crate) use read::{Found, existence, find, read};
use serde_json::Value;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// A compute target of a workspace: a cheap handle with the compute as it was last read.
///
/// `K` is the kind: [`AksCompute`] is a handle of an AKS cluster, [`AnyCompute`] of any compute.
///
/// # Verbs
///
/// [`create`](Self::create), [`attach`](Self::attach), [`update`](Self::update),
/// [`detach`](Self::detach) and [`delete`](Self::delete) return a request value. `.await` sends it.
/// `.prepare()?` gives its resume token before anything is sent. Dropping it sends nothing.
///
/// `create` and `attach` take the kind from the configuration, as Python's `ComputeTarget.create` does.
///
/// # Waiting
///
/// An operation that is begun through a handle is pending on it, and
/// [`wait_for_completion`](Self::wait_for_completion) waits for it: it does not return `Ok` while the operation
/// still runs. A clone carries the operation that was pending when it was made. One compute has one operation at a
/// time: the newest one that the service accepted is the one that is pending.
pub struct ComputeTarget<K: Kind> {
    workspace: Workspace,
    name: ComputeName,
    resource: Arc<ComputeResource>,
    /// The kind's own part, decoded from the resource when it is first asked for.
    properties: OnceLock<Arc<K::Properties>>,
    /// The pending operation.
    pending: Option<Box<Driver>>,
    /// `true` if the resource was read after the pending operation began.
    read_since: bool,
    /// The failure that the end of an operation reported since the compute was last read.
    failure: Option<Arc<Failure>>,
    /// The body of the create, to compare with the finished compute: JSON as text, which takes a fraction
    /// of the memory of its tree.
    requested: Option<Arc<str>>,
    deviations: Vec<Finding>,
    /// The notes of the attach.
    notes: Vec<Finding>,
    /// The secrets in the requests of this handle: no text of the service shows them.
    hidden: Hidden,
}

/// A compute target of any kind.
///
/// It has the verbs that work for all kinds: reading, listing, waiting, detaching and deleting. A handle of
/// one kind converts into it with `into()`, and back with `try_into()`.
pub type AnyCompute = ComputeTarget<AnyKind>;

/// The subject of operations on computes.
pub(crate) const SUBJECT: Subject = Subject {
    noun: "compute",
    collection: Some("computes"),
    remains: "the compute stays and keeps its name: delete or detach it before the next try",
};

/// The failure of an operation on a compute.
#[derive(Debug)]
struct Failure {
    state: ComputeState,
    errors: Vec<ServiceError>,
}

/// Accessors for the compute as last read, and for the pending operation.
impl<K: Kind> ComputeTarget<K> {
    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &ComputeName {
        &self.name
    }

    /// Returns the workspace.
    #[must_use]
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Returns the compute as it was last read. It serialises whole, as the service wrote it.
    ///
    /// Right after `create` and `attach` it is the answer to that request, which differs in details from
    /// the result of a read a moment later; the id of the underlying resource, which the answer to a create shows
    /// wrongly, is left out.
    #[must_use]
    pub fn resource(&self) -> &ComputeResource {
        &self.resource
    }

    /// Returns the kind's own properties of the compute, as last read; a member that the service did not write is
    /// the default. Decoded once per read of the compute, when it is first asked for.
    pub fn properties(&self) -> &K::Properties {
        self.properties
            .get_or_init(|| Arc::new(self.resource.kind_properties()))
    }

    /// Returns the kind of the compute, as the service spells it: `AKS`, `Kubernetes`, …
    #[must_use]
    pub fn compute_type(&self) -> &str {
        &self.resource.properties.compute_type
    }

    /// Returns the state of the compute. No I/O: [`refresh_state`](Self::refresh_state) reads it again,
    /// and so does a wait that ends.
    ///
    /// It is the provisioning state as last read, unless more is known: an operation that was begun through this
    /// handle since that read makes it `Creating`, `Updating` or `Deleting`, and an operation that failed
    /// since makes it `Failed` or `Canceled`. `None` where the service did not write it.
    #[must_use]
    pub fn state(&self) -> Option<ComputeState> {
        self.status().map(ComputeState::of)
    }

    /// Returns the [`state`](Self::state) as the service spells it: `Creating`, `Succeeded`, …
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        if let Some(failure) = &self.failure {
            return Some(failure.state.as_str());
        }
        let own = self.resource.properties.provisioning_state.as_deref();
        let rests =
            !self.read_since && own.is_none_or(|state| StatusClass::of(state).is_terminal());
        let pending = self.pending.as_ref().filter(|_| rests);
        match pending.and_then(|pending| Some((pending.verb()?, pending.is_over()))) {
            Some((Verb::Delete | Verb::Detach, _)) => Some("Deleting"),
            Some((Verb::Update, false)) => Some("Updating"),
            Some((Verb::Attach | Verb::Create, false)) => Some("Creating"),
            _ => own,
        }
    }

    /// Returns whether the compute can be used: its [`state`](Self::state) is `Succeeded`.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.state().is_some_and(|state| state.is_ready())
    }

    /// Returns whether the last operation on the compute failed or was cancelled.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.state().is_some_and(|state| state.is_failed())
    }

    /// Returns why provisioning failed, as it was last read or as the operation ended.
    #[must_use]
    pub fn provisioning_errors(&self) -> &[ServiceError] {
        match &self.failure {
            Some(failure) => &failure.errors,
            None => &self.resource.properties.provisioning_errors,
        }
    }

    /// Returns whether the underlying cluster was attached, and so stays when the compute is removed; `None`
    /// where the service did not write it.
    #[must_use]
    pub fn is_attached(&self) -> Option<bool> {
        self.resource.properties.is_attached_compute
    }

    /// Returns the token with which another process resumes the wait; `None` if no operation that was
    /// requested still runs.
    #[must_use]
    pub fn resume_token(&self) -> Option<&ResumeToken> {
        self.pending.as_ref()?.token()
    }

    /// Hides these secrets in every text of the service that this handle shows from now on: errors,
    /// [`provisioning_errors`](Self::provisioning_errors), progress.
    ///
    /// A handle knows the secrets in the requests that were sent through it, for example the
    /// private key of a certificate. A handle that was resumed, read or listed does not know them, because
    /// they are not stored.
    pub fn hide<'s>(&mut self, secrets: impl IntoIterator<Item = &'s Secret>) {
        let secrets = Hidden::of(secrets.into_iter().map(Secret::secret));
        self.hidden = self.hidden.and(&secrets);
        if let Some(pending) = &mut self.pending {
            pending.hide(&self.hidden);
        }
        if let Some(failure) = &mut self.failure {
            let errors = failure.errors.iter().cloned();
            let errors = errors.map(|error| error.hiding(&self.hidden)).collect();
            let state = failure.state.clone();
            *failure = Arc::new(Failure { state, errors });
        }
        self.resource = Arc::new(ComputeResource::clone(&self.resource).hiding(&self.hidden));
        self.properties = OnceLock::new();
    }

    /// Returns the differences between the finished compute and the request that created it: rule `compute.deviates`.
    ///
    /// The service has no way to close the window between the read that finds a name free and the
    /// PUT that takes it. If somebody else's request came in between, the differences are reported here: call this
    /// after [`wait_for_completion`](Self::wait_for_completion).
    #[must_use]
    pub fn deviations(&self) -> &[Finding] {
        &self.deviations
    }

    /// Returns what the attach through this handle found and did not refuse: rule `cluster.attached_again`, where the
    /// cluster of a Kubernetes compute is attached in this workspace under another name, too.
    #[must_use]
    pub fn notes(&self) -> &[Finding] {
        &self.notes
    }
}

/// Internal constructors and changes of the handle.
impl<K: Kind> ComputeTarget<K> {
    /// Returns a handle of a resource that was read; it must be of this kind.
    pub(crate) fn found(
        workspace: Workspace,
        name: ComputeName,
        resource: ComputeResource,
    ) -> Result<Self, Error> {
        check_kind::<K>(&name, &resource.properties.compute_type)?;
        Ok(Self {
            workspace,
            name,
            resource: Arc::new(resource),
            properties: OnceLock::new(),
            pending: None,
            read_since: false,
            failure: None,
            requested: None,
            deviations: Vec::new(),
            notes: Vec::new(),
            hidden: Hidden::default(),
        })
    }

    /// Returns the same handle as one of every kind.
    pub(crate) fn widen(self) -> AnyCompute {
        self.into_kind()
    }

    /// Returns the same handle as one of kind `T`, if the compute is of that kind.
    fn narrow<T: Kind>(self) -> Result<ComputeTarget<T>, Error> {
        check_kind::<T>(&self.name, &self.resource.properties.compute_type)?;
        Ok(self.into_kind())
    }

    fn into_kind<T: Kind>(self) -> ComputeTarget<T> {
        ComputeTarget {
            workspace: self.workspace,
            name: self.name,
            resource: self.resource,
            properties: OnceLock::new(),
            pending: self.pending,
            read_since: self.read_since,
            failure: self.failure,
            requested: self.requested,
            deviations: self.deviations,
            notes: self.notes,
            hidden: self.hidden,
        }
    }

    /// Takes over a compute that was read.
    fn show(&mut self, resource: ComputeResource) {
        self.resource = Arc::new(resource.hiding(&self.hidden));
        self.properties = OnceLock::new();
        self.read_since = true;
        self.failure = None;
    }

    /// Makes an operation pending that was begun through the handle, or is resumed on it.
    pub(crate) fn begin(&mut self, ticket: Ticket, begun: (Machine, Step)) -> &Driver {
        self.pend(Some(ticket), begun)
    }

    fn pend(&mut self, ticket: Option<Ticket>, begun: (Machine, Step)) -> &mut Driver {
        let (machine, step) = begun;
        let machine = machine.hiding(&self.hidden);
        self.hidden = machine.hidden().clone();
        let begun = (machine, step);
        let client = self.workspace.client().clone();
        let target = (&SUBJECT, self.name.to_string());
        let driver = Driver::new(client, target, ticket, begun);
        self.read_since = false;
        self.failure = None;
        self.pending.insert(Box::new(driver))
    }

    fn find_deviations(&mut self) {
        let Some(requested) = self.requested.take() else {
            return;
        };
        let requested: Value = serde_json::from_str(&requested).unwrap_or_default();
        self.deviations = kind::deviations::<K>(&requested, &self.resource);
        for deviation in &self.deviations {
            tracing::warn!(compute = %self.name, %deviation, "the compute is not what was asked for");
        }
    }
}

/// By hand: a derived one would ask for `K: Clone`.
impl<K: Kind> Clone for ComputeTarget<K> {
    fn clone(&self) -> Self {
        Self {
            workspace: self.workspace.clone(),
            name: self.name.clone(),
            resource: self.resource.clone(),
            properties: self.properties.clone(),
            pending: self.pending.clone(),
            read_since: self.read_since,
            failure: self.failure.clone(),
            requested: self.requested.clone(),
            deviations: self.deviations.clone(),
            notes: self.notes.clone(),
            hidden: self.hidden.clone(),
        }
    }
}

impl<K: Kind> fmt::Debug for ComputeTarget<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pending = self.pending.as_ref();
        f.debug_struct("ComputeTarget")
            .field("workspace", &self.workspace.id().name())
            .field("name", &self.name.as_str())
            .field("kind", &self.compute_type())
            .field("state", &self.state())
            .field(
                "pending",
                &pending.is_some_and(|pending| !pending.is_over()),
            )
            .finish_non_exhaustive()
    }
}

fn check_kind<K: Kind>(name: &ComputeName, kind: &str) -> Result<(), Error> {
    if K::accepts(kind) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Refused,
        format!(
            "compute {:?} is of kind {kind:?}, not {:?}",
            name.as_str(),
            K::COMPUTE_TYPE
        ),
    ))
}

pub(crate) fn existing(name: &str) -> Result<ComputeName, Error> {
    ComputeName::existing("name", name).map_err(|found| Error::validation("compute name", found))
}
