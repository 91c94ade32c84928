//! The node pools of a cluster.

use serde_json::{Value, json};

use super::operations::Task;
use super::put::{begun, change_pool, new_pool};
use super::{Cluster, answer, document, empty, find, nodes_of, rules, schema};
use crate::emulator::call::Call;
use crate::emulator::error::ArmError;
use crate::emulator::routes::Reply;
use crate::facts::arm;

fn absent(call: &Call<'_>, cluster: &Cluster) -> ArmError {
    let what = format!(
        "{}/{}/{}/agentPools/{}",
        arm::AKS_PROVIDER,
        arm::MANAGED_CLUSTERS,
        cluster.name,
        call.name("pool")
    );
    ArmError::not_found(&what, call.name("in"))
}

pub(crate) fn get(call: Call<'_>) -> Reply {
    let cluster = find(&call)?;
    let pool = cluster.pool(call.name("pool"));
    let pool = pool.ok_or_else(|| absent(&call, cluster))?;
    Ok(answer(&document::pool_resource(cluster, pool)))
}

pub(crate) fn list(call: Call<'_>) -> Reply {
    let cluster = find(&call)?;
    call.listed(cluster.pools(), "$skiptoken", None, |pool| {
        document::pool_resource(cluster, pool)
    })
}

pub(crate) fn put(mut call: Call<'_>) -> Reply {
    let name = call.name("pool");
    let mut cluster = find(&call)?.clone();
    let given = schema::pool(&call)?;
    call.denied(name)?;
    rules::busy(call.state, &cluster)?;
    let location = cluster.location().to_owned();
    let (task, status, before) = match cluster.pool_mut(name) {
        Some(pool) => {
            let before = nodes_of(pool);
            change_pool(pool, given, "properties")?;
            let scales = nodes_of(pool) != before;
            pool["provisioningState"] = json!(if scales { "Scaling" } else { "Updating" });
            (Task::Update, 200, before)
        }
        None => {
            if !given.contains_key("count") {
                return Err(rules::missing("properties.count"));
            }
            let (of_cluster, shown) = (cluster.version(), cluster.text("kubernetesVersion"));
            let shown = shown.unwrap_or_default();
            let pool = new_pool(&call, name.to_owned(), given, &location, of_cluster, shown)?;
            let subnet = rules::subnet(call.state, &pool, "")?;
            rules::check_network(
                &cluster.document["properties"],
                &Default::default(),
                subnet.as_slice(),
            )?;
            if let Some(pools) = cluster.pools_mut() {
                pools.push(pool);
            }
            (Task::Create, 201, 0)
        }
    };
    let pool = cluster.pool(name);
    let more = pool.map(|pool| (pool, nodes_of(pool).saturating_sub(before)));
    rules::check_quota(&call, &location, more)?;
    cluster.set_state("Updating");
    let show = |cluster: &Cluster| {
        let pool = cluster.pool(name);
        pool.map_or(Value::Null, |pool| document::pool_resource(cluster, pool))
    };
    Ok(begun(&mut call, cluster, Some(name), task, status, show))
}

pub(crate) fn delete(mut call: Call<'_>) -> Reply {
    let name = call.name("pool");
    let mut cluster = find(&call)?.clone();
    if cluster.pool(name).is_none() {
        return Ok(empty(204));
    }
    rules::busy(call.state, &cluster)?;
    let others = || {
        cluster
            .pools()
            .iter()
            .filter(|pool| !super::is_named(pool, name))
    };
    let refused = match others().next() {
        None => Some("There has to be at least one agent pool."),
        Some(_) if others().all(|pool| pool["mode"] != "System") => {
            Some("There has to be at least one system agent pool.")
        }
        Some(_) => None,
    };
    if let Some(message) = refused {
        return Err(ArmError::new(409, "OperationNotAllowed", message));
    }
    if let Some(pool) = cluster.pool_mut(name) {
        pool["provisioningState"] = json!("Deleting");
    }
    cluster.set_state("Updating");
    Ok(begun(
        &mut call,
        cluster,
        Some(name),
        Task::Delete,
        202,
        |_| Value::Null,
    ))
}
