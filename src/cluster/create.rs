//! `create`: a cluster of your own, which may be attached as soon as it is there.

use super::ManagedCluster;
use super::configuration::ManagedClusterConfiguration;
use super::id::ClusterId;
use super::resource::ClusterResource;
use super::verb::{self, CLUSTER};
use crate::compute::{AksCompute, AttachConfiguration, Found, PlannedAttach, capacity};
use crate::error::{Error, ErrorKind, Finding};
use crate::operation::request::{CallOptions, CheckBefore, awaitable, call_options};
use crate::operation::{self, Driver, Machine, Operation, Prepared, Step, Ticket, is_deleting};
use crate::rules::Findings;
use crate::token::{HttpVerb, ResumeToken, TokenResource, Verb};
use crate::transport::HttpRequest;
use crate::workspace::Workspace;
use azure_core::http::Method;
use futures::FutureExt;
use serde_json::json;
use std::fmt;

/// The verb that makes a cluster.
impl ManagedCluster {
    /// Creates an AKS cluster beside the workspace, with what a cluster that Azure Machine Learning creates cannot
    /// have: a version of Kubernetes, the standard load balancer, a private API, ranges that may reach it, outbound
    /// traffic without a public address.
    ///
    /// Returns a request; the first `.await` sends it and gives an [`Operation`], the second one waits for that and
    /// gives the cluster. [`then_attach`](CreateCluster::then_attach) attaches it, too. The resource group has to
    /// exist. The cluster costs money until it is [deleted](Self::delete).
    ///
    /// It never overwrites: the name is read first, and an existing one is refused, unless
    /// [`or_get`](CreateCluster::or_get) takes it. Between that read and the PUT somebody else may take the name. AKS
    /// then refuses the PUT: the DNS prefix, which is another one for each create, cannot be changed.
    ///
    /// Sends: GET of the cluster, GET of the workspace (once per workspace, unless a region is given), PUT of the
    /// cluster.
    ///
    /// # Errors
    ///
    /// When it is awaited or prepared: [`ErrorKind::AlreadyExists`]; [`ErrorKind::Service`] with the service's reason:
    /// a quota, a policy, a version or a size that the region does not have. If it is not known whether the PUT
    /// arrived, the error carries a [`resume_token`](Error::resume_token).
    ///
    /// # Cancel safety
    ///
    /// Not safe: dropped after the PUT was sent, the cluster is created without a handle. Use
    /// [`prepare`](CreateCluster::prepare) and store its token first.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # let group = emulator.resource_group();
    /// use azureml_aks::{AksCompute, ClusterPurpose, ManagedCluster, ManagedClusterConfiguration};
    ///
    /// let config = ManagedClusterConfiguration::builder(group, "mycluster")
    ///     .vm_size("Standard_D3_v2")
    ///     .private_cluster()
    ///     .build()?;
    /// let attach = AksCompute::attach_configuration(config.to_ref())
    ///     .cluster_purpose(ClusterPurpose::FastProd)
    ///     .build()?;
    /// let creating = ManagedCluster::create(&workspace, config)
    ///     .then_attach(&workspace, "myaks", attach)
    ///     .await?; // the create is accepted
    /// let aks = creating.await?; // the cluster is created and attached
    /// assert!(aks.is_ready());
    ///
    /// let scaled = aks.scale(5).await?.await?;
    /// assert_eq!(scaled.properties.node_count(), Some(5));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn create(
        workspace: &Workspace,
        configuration: ManagedClusterConfiguration,
    ) -> CreateCluster {
        CreateCluster {
            workspace: workspace.clone(),
            // It was checked with the configuration.
            cluster: configuration.to_ref().resource_id(workspace.id()),
            configuration,
            taken: false,
            check: None,
            options: CallOptions::default(),
        }
    }
}

/// A request to create a cluster, which [`ManagedCluster::create`] returns. `.await` sends it.
#[must_use = "a request sends nothing before it is awaited"]
#[derive(Clone)]
pub struct CreateCluster {
    workspace: Workspace,
    /// The ARM id.
    cluster: String,
    configuration: ManagedClusterConfiguration,
    taken: bool,
    check: Option<CheckBefore>,
    options: CallOptions,
}

impl CreateCluster {
    call_options!();

    pub(crate) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    pub(crate) fn configuration(&self) -> &ManagedClusterConfiguration {
        &self.configuration
    }

    /// Has a check made before anything is changed.
    pub(crate) fn checked_by(mut self, check: CheckBefore) -> Self {
        self.check = Some(check);
        self
    }

    /// Takes the cluster that already has the name, if there is one, instead of an error: as it is, whatever its
    /// settings. One that is still being made is waited for; one that failed makes the wait fail; one that is being
    /// deleted is refused ([`ErrorKind::Refused`]).
    pub fn or_get(mut self) -> Self {
        self.taken = true;
        self
    }

    /// Returns the warnings of the configuration.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        self.configuration.warnings()
    }

    /// Attaches the cluster to a workspace as soon as it is there.
    ///
    /// One [`Operation`] covers create and attach, and so does one resume token: whenever the process ends,
    /// [`Workspace::resume`] continues from there, and neither cluster nor compute is created twice. An error of the
    /// attach leaves the cluster, which costs money: [`wait`](Operation::wait) again, or resume, tries the attach
    /// again; [`ManagedCluster::delete`] deletes the cluster. A compute of that name with this cluster is taken.
    ///
    /// The token holds the settings of the attachment. A certificate and its key cannot be among them: they are
    /// refused. Attach without, and enable TLS by an update afterwards.
    ///
    /// # Arguments
    ///
    /// * `workspace` - the workspace to attach to. All requests are sent with its credential.
    /// * `name` - the name of the compute.
    /// * `configuration` - how the cluster is used; made with [`to_ref`](ManagedClusterConfiguration::to_ref) of the
    ///   configuration of the cluster.
    pub fn then_attach(
        mut self,
        workspace: &Workspace,
        name: impl AsRef<str>,
        configuration: AttachConfiguration,
    ) -> CreateAndAttach {
        self.workspace = workspace.clone();
        CreateAndAttach {
            create: self,
            name: name.as_ref().to_owned(),
            attach: configuration,
        }
    }

    /// Returns the verb with its resume token, before anything is sent. No I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`] for a client request id that cannot be sent.
    pub fn prepare(self) -> Result<Prepared<'static, Operation<ManagedCluster>>, Error> {
        let (id, token) = self.token()?;
        let (named, timeout) = (format!("cluster {:?}", id.name), self.options.timeout);
        Ok(Prepared::new(named, token, timeout, move |ticket| {
            async move {
                let begun = self.begin(&id, &ticket).await?;
                Ok(creating(&self.workspace, id, ticket, begun))
            }
            .boxed()
        }))
    }

    fn token(&self) -> Result<(ClusterId, ResumeToken), Error> {
        let id = ClusterId::of_resource(&self.cluster);
        let url = id.url(&self.workspace, &[]);
        let of = (TokenResource::Cluster, id.name.clone());
        let verb = (Verb::Create, HttpVerb::Put);
        let token = verb::token(&self.workspace, of, verb, &url, &self.options)?;
        Ok((id, token))
    }

    async fn begin(&self, id: &ClusterId, ticket: &Ticket) -> Result<(Machine, Step), Error> {
        let (workspace, token) = (&self.workspace, &ticket.token);
        if let Found::Resource(existing) = id.read(workspace).await? {
            return self.found(id, &existing, ticket);
        }
        if let Some(check) = &self.check {
            check().await?;
        }
        let location = match self.configuration.location() {
            Some(location) => location,
            None => workspace.location().await?,
        };
        let prefix = dns_prefix(token);
        let body = self.configuration.body(workspace.id(), location, &prefix);
        let request = HttpRequest::new(Method::Put, id.url(workspace, &[])).json(&body);
        let answer = operation::write(workspace.client(), request, token).await?;
        // Another request was faster.
        if answer.status == 409
            && let Ok(Found::Resource(existing)) = id.read(workspace).await
        {
            return self.found(id, &existing, ticket);
        }
        operation::begin(workspace.client(), token, &answer)
    }

    fn found(
        &self,
        id: &ClusterId,
        existing: &ClusterResource,
        ticket: &Ticket,
    ) -> Result<(Machine, Step), Error> {
        let state = existing.properties.provisioning_state.as_deref();
        let shown = state.unwrap_or("unknown");
        if self.taken && !is_deleting(shown) {
            return Ok(watch(&self.workspace, id, ticket, state));
        }
        let is_failed = shown.eq_ignore_ascii_case("Failed");
        let (kind, remedy) = match self.taken {
            true => (ErrorKind::Refused, "wait until it is gone, then try again"),
            false if is_failed => (
                ErrorKind::AlreadyExists,
                "an earlier try failed and keeps the name: delete that cluster first",
            ),
            false => (
                ErrorKind::AlreadyExists,
                "take another name, or add .or_get() to take the existing cluster",
            ),
        };
        let why = format!("a cluster of that name exists (state {shown})");
        Err(Error::new(kind, why).with_remedy(remedy))
    }
}

awaitable!([] CreateCluster => Operation<ManagedCluster>, 'static, |request| {
    async move { request.prepare()?.send().await }.boxed()
});

impl fmt::Debug for CreateCluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateCluster")
            .field("cluster", &self.cluster)
            .field("or_get", &self.taken)
            .finish_non_exhaustive()
    }
}

/// A request to create a cluster and to attach it, which [`CreateCluster::then_attach`] returns. `.await` sends it.
#[must_use = "a request sends nothing before it is awaited"]
#[derive(Clone)]
pub struct CreateAndAttach {
    create: CreateCluster,
    name: String,
    attach: AttachConfiguration,
}

impl CreateAndAttach {
    call_options!(.create);

    /// Returns the two configurations, and the name of the compute.
    pub(crate) fn parts(&self) -> (&CreateCluster, &AttachConfiguration, &str) {
        (&self.create, &self.attach, &self.name)
    }

    /// Has a check made before anything is changed.
    pub(crate) fn checked_by(mut self, check: CheckBefore) -> Self {
        self.create = self.create.checked_by(check);
        self
    }

    /// Returns the verb with its resume token, which covers create and attach, before anything is sent. No
    /// I/O.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for a name that breaks the rules, and for nodes that are too few for the purpose of the
    /// cluster; [`ErrorKind::Refused`] for the configuration of another cluster, or one with a certificate;
    /// [`ErrorKind::Configuration`] for a client request id that cannot be sent.
    pub fn prepare(self) -> Result<Prepared<'static, Operation<AksCompute>>, Error> {
        let Self {
            create,
            name,
            attach,
        } = self;
        let plan = PlannedAttach::new(&create.workspace, &name, &attach, &create.cluster)?;
        check_nodes(&create.configuration, &attach)?;
        let (id, token) = create.token()?;
        let token = token.with_plan(json!(plan));
        let (named, timeout) = (format!("cluster {:?}", id.name), create.options.timeout);
        Ok(Prepared::new(named, token, timeout, move |ticket| {
            async move {
                let begun = create.begin(&id, &ticket).await?;
                Ok(then_attach(&create.workspace, plan, ticket, begun))
            }
            .boxed()
        }))
    }
}

awaitable!([] CreateAndAttach => Operation<AksCompute>, 'static, |request| {
    async move { request.prepare()?.send().await }.boxed()
});

impl fmt::Debug for CreateAndAttach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateAndAttach")
            .field("create", &self.create)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Refuses nodes that are too few for the purpose with which they are to be attached, as far as their size is known.
fn check_nodes(
    configuration: &ManagedClusterConfiguration,
    attach: &AttachConfiguration,
) -> Result<(), Error> {
    let (size @ Some(_), count) = configuration.nodes() else {
        return Ok(());
    };
    let mut findings = Findings::default();
    capacity::check(attach.cluster_purpose(), size, Some(count), &mut findings);
    findings.finish("cluster to attach").map(drop)
}

/// Returns the create that has begun.
pub(crate) fn creating(
    workspace: &Workspace,
    id: ClusterId,
    ticket: Ticket,
    begun: (Machine, Step),
) -> Operation<ManagedCluster> {
    let driver = Driver::of(workspace.client().clone(), &CLUSTER, ticket, begun);
    let workspace = workspace.clone();
    Operation::new(driver, move |settled| {
        let resource = operation::result(settled, CLUSTER.noun)?;
        Ok(ManagedCluster::found(&workspace, id.clone(), resource))
    })
}

/// Returns the create that has begun, and is followed by an attach.
pub(crate) fn then_attach(
    workspace: &Workspace,
    plan: PlannedAttach,
    ticket: Ticket,
    begun: (Machine, Step),
) -> Operation<AksCompute> {
    let client = workspace.client().clone();
    let mut created = ticket.clone();
    // From then on a resume reads the cluster, and attaches it.
    created.token.parts_mut().accepted = true;
    let driver = Driver::of(client, &CLUSTER, ticket, begun);
    let workspace = workspace.clone();
    Operation::followed(driver, move |_| {
        plan.clone().begin(workspace.clone(), created.clone())
    })
}

/// Waits for a cluster in its present state.
pub(crate) fn watch(
    workspace: &Workspace,
    id: &ClusterId,
    ticket: &Ticket,
    state: Option<&str>,
) -> (Machine, Step) {
    ticket.watch(workspace.client(), &id.url(workspace, &[]), state)
}

/// Returns whether a cluster is that of the create with this token. AKS gives a cluster no time of creation; its DNS
/// prefix is that of the create, and cannot be changed.
pub(crate) fn is_made_by(cluster: &ClusterResource, token: &ResumeToken) -> bool {
    let own = cluster.properties.dns_prefix.as_deref();
    own.is_some_and(|own| own.eq_ignore_ascii_case(&dns_prefix(token)))
}

/// Returns the DNS prefix of the cluster that a create makes: another one for each create, which tells its cluster from
/// that of another. It has at most 54 letters, digits and hyphens.
fn dns_prefix(token: &ResumeToken) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = token.target().chars().take(45).map(plain).collect();
    format!("{name}-{:08x}", crc32fast::hash(token.id().as_bytes()))
}
