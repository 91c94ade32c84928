//! Scaling: how many nodes a node pool has, and who decides it.

use super::ManagedCluster;
use super::id::ClusterId;
use super::pool::{NodePool, NodePoolResource};
use super::verb::{self, POOL};
use crate::compute::{self, AksCompute, ClusterRef, ComputeResource, Found};
use crate::error::{Error, ErrorKind, Hidden};
use crate::names::{ComputeName, segment};
use crate::operation::request::{CallOptions, awaitable, call_options};
use crate::operation::{self, Driver, Machine, Operation, Prepared, Step, Ticket};
use crate::rules::{self, Findings};
use crate::token::{HttpVerb, TokenResource, Verb};
use crate::transport::HttpRequest;
use crate::workspace::Workspace;
use azure_core::http::Method;
use futures::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;
use std::ops::RangeInclusive;

/// The verbs that scale a node pool of a cluster.
impl ManagedCluster {
    /// Sets the number of nodes of a node pool.
    ///
    /// Returns a request; the first `.await` sends it and gives an [`Operation`], the second one waits for that. Of a
    /// cluster with one node pool it is that one; of several, name one with
    /// [`node_pool`](ScaleNodePool::node_pool). All other settings of the pool stay, also those that this library does
    /// not know. A pool that has so many nodes already is not changed: no PUT is sent.
    ///
    /// The **VM size** of a node pool cannot be changed, neither here nor elsewhere: make another node pool, or another
    /// cluster.
    ///
    /// Sends: GET of the cluster unless a node pool is named, GET of the node pool, PUT of the node pool.
    ///
    /// # Errors
    ///
    /// When it is awaited or prepared: [`ErrorKind::Validation`] for more than 1,000 nodes, none at all in a system
    /// pool, or a name that no pool has; [`ErrorKind::Refused`] if the cluster has several node pools and none is
    /// named, if the autoscaler decides how many nodes there are, and for a pool of several VM sizes;
    /// [`Error::is_not_found`] if there is no such pool; [`Error::is_busy`] while another operation runs on the pool or
    /// its cluster; otherwise [`ErrorKind::Service`] with the service's reason, for example a quota. If it is not known
    /// whether the PUT arrived, the error carries a [`resume_token`](Error::resume_token).
    ///
    /// # Cancel safety
    ///
    /// If it is dropped after the PUT was sent, the pool may still be scaled; sending it again is harmless.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{Workspace, emulator::{Emulator, ExistingCluster}};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # emulator.add_cluster(ExistingCluster::new("mygroup", "mycluster"));
    /// use azureml_aks::{ClusterRef, ManagedCluster};
    ///
    /// let cluster = ManagedCluster::get(&workspace, &ClusterRef::named("mygroup", "mycluster")).await?;
    /// let scaling = cluster.scale(5).await?; // accepted
    /// let pool = scaling.await?; // done
    /// assert_eq!(pool.properties.node_count(), Some(5));
    ///
    /// let pool = cluster.autoscale(3..=10).await?.await?;
    /// assert_eq!(pool.properties.max_count, Some(10));
    /// let refused = cluster.scale(4).await.unwrap_err();
    /// assert!(refused.to_string().contains("autoscaler"));
    /// cluster.autoscale_off().await?.await?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn scale(&self, nodes: u32) -> ScaleNodePool {
        self.scaling(Scale::Nodes(nodes))
    }

    /// Lets the autoscaler decide how many nodes a node pool has, between these bounds; changes the bounds where it
    /// does already.
    ///
    /// Otherwise as [`scale`](Self::scale). The number of nodes may lie outside the bounds for a while.
    ///
    /// Sends: as [`scale`](Self::scale).
    ///
    /// # Errors
    ///
    /// As for [`scale`](Self::scale); [`ErrorKind::Validation`] for bounds in the wrong order.
    ///
    /// # Cancel safety
    ///
    /// As for [`scale`](Self::scale).
    pub fn autoscale(&self, nodes: RangeInclusive<u32>) -> ScaleNodePool {
        self.scaling(Scale::between(&nodes))
    }

    /// Turns the autoscaler of a node pool off. The number of nodes stays as it is then.
    ///
    /// Otherwise as [`scale`](Self::scale).
    ///
    /// Sends: as [`scale`](Self::scale).
    ///
    /// # Errors
    ///
    /// As for [`scale`](Self::scale).
    ///
    /// # Cancel safety
    ///
    /// As for [`scale`](Self::scale).
    pub fn autoscale_off(&self) -> ScaleNodePool {
        self.scaling(Scale::Fixed)
    }

    fn scaling(&self, scale: Scale) -> ScaleNodePool {
        ScaleNodePool::new(&self.workspace, Whose::Cluster(self.id.clone()), scale)
    }
}

/// The cluster behind a compute, and the verbs that scale it.
impl AksCompute {
    /// Reads the cluster behind the compute, whether it was created or attached.
    ///
    /// Sends: GET of the compute if its cluster is not known yet, GET of the cluster.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] if the service does not say which cluster it is; those of the reads, among them
    /// [`Error::is_not_found`] for a cluster that was deleted.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{AksCompute, ComputeTarget, WaitOptions, Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # let config = AksCompute::provisioning_configuration().build()?;
    /// # let mut aks = ComputeTarget::create(&workspace, "myaks", config).await?;
    /// # aks.wait_for_completion(WaitOptions::new()).await?;
    /// let cluster = aks.cluster().await?;
    /// assert!(cluster.resource().is_ready());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub async fn cluster(&self) -> Result<ManagedCluster, Error> {
        let id = self.whose().cluster(self.workspace()).await?;
        ManagedCluster::read(self.workspace(), id).await
    }

    /// Sets the number of nodes of the cluster behind the compute, whether it was created or attached.
    ///
    /// It is [`ManagedCluster::scale`] for that cluster: the first `.await` sends it and gives an [`Operation`], the
    /// second one waits for that. The compute itself does not change; its
    /// [`agent_count`](crate::models::AksProperties::agent_count) may still show the old number for a while. Azure
    /// Machine Learning needs 12 vCPUs for production: this is not checked here.
    ///
    /// Sends: GET of the compute if its cluster is not known yet; then as [`ManagedCluster::scale`].
    ///
    /// # Errors
    ///
    /// As for [`ManagedCluster::scale`]; [`ErrorKind::Refused`] if the service does not say which cluster it is.
    ///
    /// # Cancel safety
    ///
    /// As for [`ManagedCluster::scale`].
    ///
    /// ```
    /// # #[cfg(feature = "emulator")]
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), azureml_aks::Error> {
    /// # use azureml_aks::{AksCompute, ComputeTarget, WaitOptions, Workspace, emulator::Emulator};
    /// # let emulator = Emulator::new();
    /// # let workspace = Workspace::builder(emulator.subscription(), emulator.resource_group(), emulator.workspace())
    /// #     .credential(emulator.credential()).transport(emulator.transport()).build()?;
    /// # let config = AksCompute::provisioning_configuration().build()?;
    /// # let mut aks = ComputeTarget::create(&workspace, "myaks", config).await?;
    /// # aks.wait_for_completion(WaitOptions::new()).await?;
    /// let pool = aks.scale(5).await?.await?;
    /// assert_eq!(pool.properties.node_count(), Some(5));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "emulator"))]
    /// # fn main() {}
    /// ```
    pub fn scale(&self, nodes: u32) -> ScaleNodePool {
        self.scaling(Scale::Nodes(nodes))
    }

    /// Lets the autoscaler decide how many nodes the cluster behind the compute has: see
    /// [`ManagedCluster::autoscale`].
    ///
    /// Sends: as [`scale`](Self::scale).
    ///
    /// # Errors
    ///
    /// As for [`scale`](Self::scale) and [`ManagedCluster::autoscale`].
    ///
    /// # Cancel safety
    ///
    /// As for [`ManagedCluster::scale`].
    pub fn autoscale(&self, nodes: RangeInclusive<u32>) -> ScaleNodePool {
        self.scaling(Scale::between(&nodes))
    }

    /// Turns the autoscaler of the cluster behind the compute off: see [`ManagedCluster::autoscale_off`].
    ///
    /// Sends: as [`scale`](Self::scale).
    ///
    /// # Errors
    ///
    /// As for [`scale`](Self::scale).
    ///
    /// # Cancel safety
    ///
    /// As for [`ManagedCluster::scale`].
    pub fn autoscale_off(&self) -> ScaleNodePool {
        self.scaling(Scale::Fixed)
    }

    fn scaling(&self, scale: Scale) -> ScaleNodePool {
        ScaleNodePool::new(self.workspace(), self.whose(), scale)
    }

    fn whose(&self) -> Whose {
        let cluster = self.cluster_resource_id().map(str::to_owned);
        Whose::Compute(self.name().clone(), cluster)
    }
}

/// The owner of the node pool.
#[derive(Debug, Clone)]
enum Whose {
    Cluster(ClusterId),
    /// The compute, and the id of its cluster, where that was read.
    Compute(ComputeName, Option<String>),
}

/// A request to scale a node pool, which [`ManagedCluster::scale`] and [`AksCompute::scale`](crate::AksCompute::scale)
/// return. `.await` sends it.
#[must_use = "a request sends nothing before it is awaited"]
#[derive(Clone)]
pub struct ScaleNodePool {
    workspace: Workspace,
    whose: Whose,
    pool: Option<String>,
    scale: Scale,
    options: CallOptions,
}

impl ScaleNodePool {
    fn new(workspace: &Workspace, whose: Whose, scale: Scale) -> Self {
        Self {
            workspace: workspace.clone(),
            whose,
            pool: None,
            scale,
            options: CallOptions::default(),
        }
    }

    call_options!();

    /// Names the node pool. By default it is the only one of the cluster.
    pub fn node_pool(mut self, name: impl Into<String>) -> Self {
        self.pool = Some(name.into());
        self
    }

    /// Returns the verb with its resume token, before anything is sent that changes something.
    ///
    /// Sends: GET of the compute if its cluster is not known, GET of the cluster unless a node pool is named.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`] for numbers of nodes that no pool has, and for a name that no pool has;
    /// [`ErrorKind::Refused`] if the cluster has several node pools and none is named; those of the reads;
    /// [`ErrorKind::Configuration`] for a client request id that cannot be sent.
    ///
    /// # Cancel safety
    ///
    /// Safe: it only reads.
    pub async fn prepare(self) -> Result<Prepared<'static, Operation<NodePoolResource>>, Error> {
        let Self {
            workspace,
            whose,
            pool,
            scale,
            options,
        } = self;
        let mut findings = Findings::default();
        scale.check("nodes", &mut findings);
        findings.extend(pool.as_deref().and_then(|name| segment("node_pool", name)));
        findings.finish("scaling of the node pool")?;
        let id = whose.cluster(&workspace).await?;
        let pool = match pool {
            Some(name) => name,
            None => only_pool(&workspace, &id).await?,
        };
        let target = format!("{}/{pool}", id.name);
        let url = id.pool_url(&workspace, &pool);
        let of = (TokenResource::NodePool, target.clone());
        let token = verb::token(&workspace, of, (Verb::Scale, HttpVerb::Put), &url, &options)?;
        let token = token.with_plan(json!(scale));
        let named = format!("node pool {target:?}");
        Ok(Prepared::new(
            named,
            token,
            options.timeout,
            move |ticket| run(workspace, id, pool, scale, ticket).boxed(),
        ))
    }
}

awaitable!([] ScaleNodePool => Operation<NodePoolResource>, 'static, |request| {
    async move { operation::prepare_and_send(request.options.clone(), request.prepare()).await }.boxed()
});

impl fmt::Debug for ScaleNodePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScaleNodePool")
            .field("whose", &self.whose)
            .field("node_pool", &self.pool)
            .field("scale", &self.scale)
            .finish_non_exhaustive()
    }
}

impl Whose {
    async fn cluster(self, workspace: &Workspace) -> Result<ClusterId, Error> {
        let (name, known) = match self {
            Self::Cluster(id) => return Ok(id),
            Self::Compute(name, known) => (name, known),
        };
        let id = match known {
            Some(id) => Some(id),
            None => {
                let compute = compute::read(workspace, &name, &Hidden::default()).await?;
                let compute: ComputeResource = compute.or_refusal()?;
                compute.properties.resource_id
            }
        };
        let Some(id) = id else {
            let named = compute::named(&name);
            let why = format!("the service does not say which cluster {named} has");
            return Err(Error::new(ErrorKind::Refused, why).with_remedy(
                "wait until the compute is ready; a compute that failed has perhaps no cluster",
            ));
        };
        ClusterId::of(workspace, &ClusterRef::id(id))
    }
}

/// Returns the name of the only node pool of a cluster.
async fn only_pool(workspace: &Workspace, id: &ClusterId) -> Result<String, Error> {
    let cluster = id.read(workspace).await.and_then(Found::or_refusal);
    let cluster = cluster.map_err(|error| error.with_context(|| format!("read {id}")))?;
    match &*cluster.properties.agent_pool_profiles {
        [pool] => Ok(pool.name.clone()),
        pools => Err(Error::new(
            ErrorKind::Refused,
            format!("the {id} has {}, and none is named", listed(pools)),
        )
        .with_remedy("name the node pool with node_pool(..)")),
    }
}

/// Returns how many node pools there are, and their names.
fn listed(pools: &[NodePool]) -> String {
    let names: Vec<&str> = pools.iter().map(|pool| pool.name.as_str()).collect();
    match names.len() {
        0 => "no node pool".to_owned(),
        1 => format!("one node pool ({})", names[0]),
        count => format!("{count} node pools ({})", names.join(", ")),
    }
}

async fn run(
    workspace: Workspace,
    id: ClusterId,
    pool: String,
    scale: Scale,
    ticket: Ticket,
) -> Result<Operation<NodePoolResource>, Error> {
    let resource = match id.read_pool(&workspace, &pool).await? {
        Found::Resource(resource) => *resource,
        Found::Nothing(refusal) => return Err(missing(&workspace, &id, refusal).await),
    };
    let begun = match scale.body(&resource)? {
        Some(body) => {
            let url = id.pool_url(&workspace, &pool);
            let request = HttpRequest::new(Method::Put, url).json(&body);
            let answer = operation::write(workspace.client(), request, &ticket.token).await?;
            operation::begin(workspace.client(), &ticket.token, &answer)?
        }
        None => watch_pool(&workspace, &id, &pool, &ticket, &resource),
    };
    Ok(scaling(&workspace, ticket, begun))
}

/// Returns the refusal of a node pool that does not exist, with the names of those that do.
async fn missing(workspace: &Workspace, id: &ClusterId, refusal: Error) -> Error {
    match id.read(workspace).await {
        Ok(Found::Resource(cluster)) => {
            let pools = listed(&cluster.properties.agent_pool_profiles);
            let error = Error::new(
                refusal.kind(),
                format!("the {id} has no such node pool; it has {pools}"),
            );
            error.with_response(refusal.response().cloned().unwrap_or_default())
        }
        _ => refusal,
    }
}

/// Waits for a node pool in its present state.
pub(crate) fn watch_pool(
    workspace: &Workspace,
    id: &ClusterId,
    pool: &str,
    ticket: &Ticket,
    resource: &NodePoolResource,
) -> (Machine, Step) {
    let state = resource.properties.provisioning_state.as_deref();
    ticket.watch(workspace.client(), &id.pool_url(workspace, pool), state)
}

/// Returns the scaling that has begun.
pub(crate) fn scaling(
    workspace: &Workspace,
    ticket: Ticket,
    begun: (Machine, Step),
) -> Operation<NodePoolResource> {
    let driver = Driver::of(workspace.client().clone(), &POOL, ticket, begun);
    Operation::new(driver, |settled| operation::result(settled, POOL.noun))
}

/// Members of a pool that a GET gives and a PUT must not have.
const READ_ONLY: [&str; 3] = ["provisioningState", "currentOrchestratorVersion", "eTag"];

/// The scaling of a pool: by the caller or by the autoscaler. Its JSON is part of resume tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Scale {
    /// There are to be so many.
    Nodes(u32),
    /// The autoscaler decides, between these.
    Between(u32, u32),
    /// The autoscaler is off, and the number of nodes stays.
    Fixed,
}

/// The most nodes of a pool.
const MOST: u32 = 1000;

impl Scale {
    pub(super) fn between(bounds: &RangeInclusive<u32>) -> Self {
        Self::Between(*bounds.start(), *bounds.end())
    }

    /// Checks what needs no pool.
    pub(super) fn check(self, path: &str, findings: &mut Findings) {
        match self {
            Self::Nodes(nodes) if nodes > MOST => findings.refuse(
                rules::POOL_NODES,
                path,
                Some(&nodes.to_string()),
                format!("a node pool has at most {MOST} nodes"),
                "give fewer, or add a node pool",
            ),
            Self::Between(min, max) if min > max || max > MOST || max == 0 => findings.refuse(
                rules::POOL_BOUNDS,
                path,
                Some(&format!("{min}..={max}")),
                format!("the bounds of the autoscaler are from 1 to {MOST}, the lower one first"),
                "give bounds such as 3..=10",
            ),
            _ => {}
        }
    }

    /// Checks what every system pool must have.
    pub(super) fn check_system(self, path: &str, findings: &mut Findings) {
        if let Self::Nodes(0) | Self::Between(0, _) = self {
            findings.refuse(
                rules::POOL_SYSTEM,
                path,
                Some("0"),
                "a system pool has at least one node",
                "give 1 or more; only a user pool can be scaled to no node",
            );
        }
    }

    /// Returns whether a pool is set so already.
    pub(crate) fn is_set(self, pool: &NodePool) -> bool {
        let is_auto = pool.enable_auto_scaling == Some(true);
        match self {
            Self::Nodes(count) => !is_auto && pool.node_count() == Some(count),
            Self::Between(min, max) => {
                is_auto && (pool.min_count, pool.max_count) == (Some(min), Some(max))
            }
            Self::Fixed => !is_auto,
        }
    }

    /// Returns the body of the PUT that changes a pool as it was last read; `None` where there is nothing to change. A
    /// pool whose last operation failed is written all the same.
    ///
    /// All members go back as the GET gave them, also those that are not known here: the service takes one that is
    /// absent for one that is to be unset.
    fn body(self, pool: &NodePoolResource) -> Result<Option<Value>, Error> {
        let own = &pool.properties;
        let word = |word: &Option<String>, is: &str| {
            word.as_deref()
                .is_some_and(|word| word.eq_ignore_ascii_case(is))
        };
        if word(&own.mode, "System") {
            let mut findings = Findings::default();
            self.check_system("nodes", &mut findings);
            findings.finish("scaling of the node pool")?;
        }
        let several = word(&own.pool_type, "VirtualMachines");
        match self {
            Self::Nodes(_) if own.enable_auto_scaling == Some(true) => {
                return Err(
                    refused(pool, "the autoscaler decides how many nodes it has")
                        .with_remedy("change the bounds of the autoscaler, or turn it off"),
                );
            }
            _ if several && own.virtual_machines_profile.scale.manual.len() != 1 => {
                let why = "it is of the type VirtualMachines and has not exactly one size";
                return Err(refused(pool, why)
                    .with_remedy("scale it by `az aks nodepool manual-scale update`"));
            }
            Self::Between(..) if several => {
                let why =
                    "it is of the type VirtualMachines, whose autoscaler is set for each size";
                return Err(refused(pool, why));
            }
            _ if self.is_set(own) && !word(&own.provisioning_state, "Failed") => return Ok(None),
            _ => {}
        }
        let mut properties = pool.to_value()["properties"].take();
        let Some(members) = properties.as_object_mut() else {
            return Err(Error::new(
                ErrorKind::Protocol,
                "the service gave the node pool no properties",
            ));
        };
        members.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
        match self {
            Self::Nodes(count) if several => {
                properties["virtualMachinesProfile"]["scale"]["manual"][0]["count"] = json!(count);
            }
            Self::Nodes(count) => properties["count"] = json!(count),
            Self::Between(min, max) => {
                properties["enableAutoScaling"] = json!(true);
                properties["minCount"] = json!(min);
                properties["maxCount"] = json!(max);
            }
            Self::Fixed => {
                members.retain(|name, _| name != "minCount" && name != "maxCount");
                properties["enableAutoScaling"] = json!(false);
            }
        }
        Ok(Some(json!({ "properties": properties })))
    }
}

fn refused(pool: &NodePoolResource, why: &str) -> Error {
    let message = format!("node pool {:?} cannot be scaled so: {why}", pool.name);
    Error::new(ErrorKind::Refused, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(properties: &Value) -> NodePoolResource {
        let document = json!({ "id": "/i", "name": "nodepool1", "properties": properties });
        serde_json::from_value(document).unwrap()
    }

    fn body(scale: Scale, properties: &Value) -> Option<Value> {
        scale.body(&pool(properties)).unwrap()
    }

    #[test]
    fn all_members_go_back_but_those_that_only_the_service_writes() {
        let given = json!({ "count": 1, "vmSize": "Standard_DS2_v2", "enableAutoScaling": false, "new": [1],
            "provisioningState": "Succeeded", "currentOrchestratorVersion": "1.25.6", "eTag": "e",
            "nodeImageVersion": "n", "powerState": { "code": "Running" } });
        assert_eq!(
            body(Scale::Nodes(3), &given),
            Some(
                json!({ "properties": { "count": 3, "vmSize": "Standard_DS2_v2", "enableAutoScaling": false,
                "new": [1], "nodeImageVersion": "n", "powerState": { "code": "Running" } } })
            )
        );
    }

    #[test]
    fn autoscaler_is_turned_on_with_bounds_and_off_without() {
        let off = json!({ "count": 2, "enableAutoScaling": false });
        let on = json!({ "count": 2, "enableAutoScaling": true, "minCount": 1, "maxCount": 5 });
        let properties = |body: Option<Value>| body.map(|mut body| body["properties"].take());
        assert_eq!(
            properties(body(Scale::Between(1, 5), &off)),
            Some(on.clone())
        );
        assert_eq!(properties(body(Scale::Fixed, &on)), Some(off));
        let wider = properties(body(Scale::Between(1, 9), &on)).unwrap();
        assert_eq!(
            (&wider["maxCount"], &wider["count"]),
            (&json!(9), &json!(2))
        );
    }

    #[test]
    fn pool_that_is_set_so_already_has_no_body() {
        let off = json!({ "count": 2 });
        let on = json!({ "count": 2, "enableAutoScaling": true, "minCount": 1, "maxCount": 5 });
        assert_eq!(body(Scale::Nodes(2), &off), None);
        assert_eq!(body(Scale::Fixed, &off), None);
        assert_eq!(body(Scale::Between(1, 5), &on), None);
        let failed = json!({ "count": 2, "provisioningState": "Failed" });
        let again = body(Scale::Nodes(2), &failed).unwrap();
        assert_eq!(again, json!({ "properties": { "count": 2 } }));
    }

    #[test]
    fn system_pool_keeps_a_node_and_a_user_pool_need_not() {
        let of = |mode: &str| json!({ "count": 2, "mode": mode });
        for scale in [Scale::Nodes(0), Scale::Between(0, 3)] {
            let error = scale.body(&pool(&of("system"))).unwrap_err();
            assert_eq!(error.findings()[0].rule, "pool.system_nodes");
            assert!(body(scale, &of("User")).is_some());
        }
    }

    #[test]
    fn numbers_that_no_pool_has_are_refused() {
        let rules = |scale: Scale| -> Vec<&str> {
            let mut findings = Findings::default();
            scale.check("nodes", &mut findings);
            findings
                .into_refusals()
                .iter()
                .map(|found| found.rule)
                .collect()
        };
        for scale in [
            Scale::Nodes(0),
            Scale::Nodes(1000),
            Scale::Between(1, 1000),
            Scale::Fixed,
        ] {
            assert!(rules(scale).is_empty(), "{scale:?}");
        }
        assert_eq!(rules(Scale::Nodes(1001)), ["pool.nodes"]);
        for scale in [
            Scale::Between(5, 1),
            Scale::Between(1, 1001),
            Scale::Between(0, 0),
        ] {
            assert_eq!(rules(scale), ["pool.bounds"], "{scale:?}");
        }
    }

    #[test]
    fn unscalable_pool_is_refused_with_the_reason() {
        let of_sizes = |manual: Value| json!({ "type": "VirtualMachines", "vmSize": "", "virtualMachinesProfile": { "scale": { "manual": manual } } });
        let one = of_sizes(json!([{ "size": "A", "count": 1 }]));
        for (scale, properties, why) in [
            (
                Scale::Nodes(3),
                json!({ "enableAutoScaling": true }),
                "autoscaler decides",
            ),
            (
                Scale::Nodes(3),
                of_sizes(json!([{ "size": "A" }, { "size": "B" }])),
                "exactly one size",
            ),
            (Scale::Nodes(3), of_sizes(json!([])), "exactly one size"),
            (Scale::Between(1, 3), one.clone(), "for each size"),
        ] {
            let error = scale.body(&pool(&properties)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused);
            assert!(
                error.to_string().contains(why) && error.to_string().contains("nodepool1"),
                "{error}"
            );
        }
        let scaled = body(Scale::Nodes(3), &one).unwrap();
        let manual = &scaled["properties"]["virtualMachinesProfile"]["scale"]["manual"];
        assert_eq!(*manual, json!([{ "size": "A", "count": 3 }]));
    }
}
