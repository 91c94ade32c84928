//! PUT and DELETE of a cluster.

use serde_json::{Map, Value, json};

use super::operations::{Task, start};
use super::{Cluster, Site, answer_with, document, empty, nodes_of, rules, schema};
use crate::emulator::call::Call;
use crate::emulator::error::ArmError;
use crate::emulator::kubernetes::minor_of;
use crate::emulator::network::Subnet;
use crate::emulator::routes::Reply;
use crate::emulator::versions;

type Body = Map<String, Value>;

/// The VM size of a pool that names none: the service's own choice.
const DEFAULT_SIZE: &str = "Standard_D4ds_v5";

pub(crate) fn serve(mut call: Call<'_>) -> Reply {
    call.check_place()?;
    let place = Site::of(&call);
    let body = schema::cluster(&call)?;
    let id = Cluster::id(place.subscription, place.group, place.name);
    let there = call.state.cluster(&id).cloned();
    rules::check_location(&call, &place, &body, there.as_ref())?;
    call.denied(place.name)?;
    match there {
        Some(cluster) => update(&mut call, cluster, &body),
        None => create(&mut call, &place, &body),
    }
}

fn properties(body: &Body) -> Body {
    let properties = body.get("properties").and_then(Value::as_object);
    properties.cloned().unwrap_or_default()
}

fn text<'b>(body: &'b Body, key: &str) -> &'b str {
    body.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn create(call: &mut Call<'_>, place: &Site<'_>, body: &Body) -> Reply {
    rules::check_cluster_name(place.name)?;
    let config = call.config;
    let given = properties(body);
    let location = text(body, "location");
    let prefix = text(&given, "dnsPrefix");
    if prefix.is_empty() {
        return Err(rules::missing("dnsPrefix"));
    }
    let pools = schema::pools(&given)?.unwrap_or_default();
    if pools.is_empty() {
        return Err(rules::missing("agentPoolProfiles"));
    }
    let wanted = text(&given, "kubernetesVersion");
    let version = rules::version(config, wanted)?.to_owned();
    let shown = if wanted.is_empty() {
        minor_of(&version)
    } else {
        wanted.to_owned()
    };
    let mut made = Vec::new();
    for mut pool in pools {
        // Before there were modes, every pool was a system pool.
        if call.api_version().as_str() < versions::POOL_MODES_SINCE {
            pool.entry("mode").or_insert_with(|| json!("System"));
        }
        pool.entry("count").or_insert_with(|| json!(1));
        made.push(new_pool(
            call,
            text(&pool, "name").to_owned(),
            pool,
            location,
            &version,
            &shown,
        )?);
    }
    if !made.iter().any(|pool| pool["mode"] == "System") {
        let message = "Must define at least one system pool.";
        return Err(ArmError::new(400, "InvalidParameter", message));
    }
    let label = format!("{prefix}-{}", call.state.six_characters());
    let mut document = document::cluster(place, body, &version, &label);
    let subnets = subnets(call, &made)?;
    rules::check_network(&document["properties"], &given, &subnets)?;
    rules::check_quota(
        call,
        location,
        made.iter().map(|pool| (pool, nodes_of(pool))),
    )?;
    document["properties"]["agentPoolProfiles"] = json!(made);
    let cluster = Cluster {
        id: Cluster::id(place.subscription, place.group, place.name),
        group: place.group.to_owned(),
        name: place.name.to_owned(),
        document: document.clone(),
        trusted: false,
        operation: None,
    };
    let id = cluster.id.clone();
    call.state.clusters.push(cluster);
    let links = start(call, &id, None, Task::Create);
    Ok(links.on(answer_with(201, &document)))
}

/// A pool that is to be made, checked apart from its subnet and the quota.
pub(super) fn new_pool(
    call: &Call<'_>,
    name: String,
    mut given: Body,
    location: &str,
    of_cluster: &str,
    shown: &str,
) -> Result<Value, ArmError> {
    rules::check_pool_name(&name)?;
    given.insert("name".to_owned(), json!(name));
    if text(&given, "vmSize").is_empty() {
        given.insert("vmSize".to_owned(), json!(DEFAULT_SIZE));
    }
    rules::check_size(call.config, text(&given, "vmSize"), location)?;
    let wanted = text(&given, "orchestratorVersion").to_owned();
    let (version, shown) = match wanted.as_str() {
        "" => (of_cluster, shown),
        wanted if wanted == shown => (of_cluster, shown),
        wanted => (rules::version(call.config, wanted)?, wanted),
    };
    let pool = document::new_pool(given, version, shown);
    rules::check_pool(&pool)?;
    Ok(pool)
}

fn subnets(call: &Call<'_>, pools: &[Value]) -> Result<Vec<Subnet>, ArmError> {
    let mut found = Vec::new();
    for (index, pool) in pools.iter().enumerate() {
        found.extend(rules::subnet(
            call.state,
            pool,
            &format!("agentPoolProfiles[{index}]."),
        )?);
    }
    Ok(found)
}

/// Members that a PUT over a cluster cannot change.
const FIXED: &[&str] = &[
    "/dnsPrefix",
    "/nodeResourceGroup",
    "/networkProfile/loadBalancerSku",
    "/networkProfile/serviceCidr",
    "/networkProfile/dnsServiceIP",
];

fn update(call: &mut Call<'_>, mut cluster: Cluster, body: &Body) -> Reply {
    rules::busy(call.state, &cluster)?;
    let given = json!(properties(body));
    let there = &cluster.document["properties"];
    for path in FIXED {
        let value = |of: &Value| {
            of.pointer(path)
                .and_then(Value::as_str)
                .map(str::to_lowercase)
        };
        let new = value(&given).filter(|new| !new.is_empty());
        if new.is_some() && new != value(there) {
            return Err(rules::fixed(&path[1..].replace('/', ".")));
        }
    }
    let version = given["kubernetesVersion"].as_str().unwrap_or_default();
    let own = [
        there["kubernetesVersion"].as_str(),
        Some(cluster.version()),
        Some(""),
    ];
    if !own.contains(&Some(version)) {
        return Err(ArmError::unsupported(
            "The emulator does not serve upgrades of Kubernetes.",
        ));
    }
    let given = properties(body);
    let before = cluster.pools().to_vec();
    for pool in schema::pools(&given)?.unwrap_or_default() {
        let name = text(&pool, "name").to_owned();
        let Some(there) = cluster.pool_mut(&name) else {
            return Err(ArmError::bad_request(
                "A new agent pool was introduced. Adding agent pools to an existing cluster is not allowed \
                 through managed cluster operations. For agent pool specific change, please use per agent \
                 pool operations: https://aka.ms/agent-pool-rest-api",
            ));
        };
        change_pool(there, pool, "agentPoolProfile")?;
    }
    document::merge(&mut cluster.document, body);
    let subnets = subnets(call, cluster.pools())?;
    rules::check_network(&cluster.document["properties"], &given, &subnets)?;
    let more = cluster.pools().iter().zip(&before);
    let more = more.map(|(pool, before)| (pool, nodes_of(pool).saturating_sub(nodes_of(before))));
    rules::check_quota(call, cluster.location(), more)?;
    cluster.set_states("Updating");
    Ok(begun(call, cluster, None, Task::Update, 200, |cluster| {
        cluster.document.clone()
    }))
}

/// Changes a pool, if what is given may be changed; `of` begins the names of what may not.
pub(super) fn change_pool(there: &mut Value, given: Body, of: &str) -> Result<(), ArmError> {
    for key in ["vmSize", "osType", "type", "vnetSubnetID"] {
        let new = text(&given, key);
        let own = there[key].as_str().unwrap_or_default();
        if !new.is_empty() && !new.eq_ignore_ascii_case(own) {
            return Err(rules::fixed(&format!("{of}.{key}")));
        }
    }
    let version = text(&given, "orchestratorVersion");
    let own = [
        &there["orchestratorVersion"],
        &there["currentOrchestratorVersion"],
    ];
    if !version.is_empty() && !own.iter().any(|own| *own == version) {
        return Err(ArmError::unsupported(
            "The emulator does not serve upgrades of Kubernetes.",
        ));
    }
    // Kept in the known casing, whatever casing was sent.
    let kept = ["name", "vmSize", "vnetSubnetID"];
    let given = given
        .into_iter()
        .filter(|(key, _)| !kept.contains(&key.as_str()));
    document::change_pool(there, given.collect());
    rules::check_pool(there)
}

/// Keeps a cluster as it now is, begins the operation, and answers with what `show` makes of it.
pub(super) fn begun(
    call: &mut Call<'_>,
    cluster: Cluster,
    pool: Option<&str>,
    task: Task,
    status: u16,
    show: impl FnOnce(&Cluster) -> Value,
) -> crate::emulator::http::Answer {
    let (id, shown) = (cluster.id.clone(), show(&cluster));
    if let Some(there) = call.state.cluster_mut(&id) {
        *there = cluster;
    }
    let links = start(call, &id, pool, task);
    match task {
        Task::Delete => links.on(empty(status)),
        _ => links.on(answer_with(status, &shown)),
    }
}

pub(crate) fn delete(mut call: Call<'_>) -> Reply {
    call.check_place()?;
    let place = Site::of(&call);
    let id = Cluster::id(place.subscription, place.group, place.name);
    let Some(mut cluster) = call.state.cluster(&id).cloned() else {
        return Ok(empty(204));
    };
    rules::busy(call.state, &cluster)?;
    cluster.set_states("Deleting");
    Ok(begun(&mut call, cluster, None, Task::Delete, 202, |_| {
        Value::Null
    }))
}
