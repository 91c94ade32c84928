//! The part of the container service that attaching needs: clusters and versions.

use serde_json::{Map, Value, json};

use crate::emulator::error::ArmError;
use crate::emulator::http::{Answer, Incoming};
use crate::emulator::routes::{Reply, get_only};
use crate::emulator::state::State;
use crate::emulator::versions::{self, KUBERNETES};

pub(crate) fn cluster(state: &State, request: &Incoming, names: &[String]) -> Reply {
    get_only(request)?;
    let version = request.parameter("api-version");
    versions::container_service(version.as_deref(), "managedClusters")?;
    let id = format!("/{}", names.join("/"));
    let cluster = state.cluster(&id).ok_or_else(|| ArmError::not_found(&id))?;
    Ok(Answer::json(200, &cluster.document()))
}

pub(crate) fn versions(
    request: &Incoming,
    subscription: &str,
    location: &str,
    list: &str,
) -> Reply {
    get_only(request)?;
    let version = request.parameter("api-version");
    versions::container_service(version.as_deref(), list)?;
    if list == "kubernetesversions" {
        let values: Vec<Value> = KUBERNETES.iter().map(minor).collect();
        // The key is `values`, and there is no paging.
        return Ok(Answer::json(200, &json!({ "values": values })));
    }
    let patches = all_patches();
    let orchestrators: Vec<Value> = patches
        .iter()
        .map(|&(patch, default, preview)| {
            let mut entry = json!({
                "orchestratorType": "Kubernetes",
                "orchestratorVersion": patch,
                "upgrades": upgrades(patch).into_iter().map(|upgrade| {
                    let preview = patches.iter().any(|known| known.0 == upgrade && known.2);
                    json!({
                        "orchestratorType": "",
                        "orchestratorVersion": upgrade,
                        "isPreview": preview,
                    })
                }).collect::<Vec<_>>(),
            });
            if default {
                entry["default"] = json!(true);
            }
            if preview {
                entry["isPreview"] = json!(true);
            }
            entry
        })
        .collect();
    Ok(Answer::json(
        200,
        &json!({
            "id": format!(
                "/subscriptions/{subscription}/providers/Microsoft.ContainerService/locations/\
                 {location}/orchestrators"
            ),
            "name": "default",
            "type": "Microsoft.ContainerService/locations/orchestrators",
            "properties": { "orchestrators": orchestrators },
        }),
    ))
}

fn minor(known: &versions::Kubernetes) -> Value {
    let patches: Map<String, Value> = known
        .patches
        .iter()
        .map(|patch| ((*patch).to_owned(), json!({ "upgrades": upgrades(patch) })))
        .collect();
    json!({
        "version": known.minor,
        "isDefault": known.default,
        "isPreview": known.preview,
        "capabilities": { "supportPlan": ["KubernetesOfficial"] },
        "patchVersions": patches,
    })
}

/// Every patch, oldest first, with whether it is the default and whether a preview. The newest
/// patch of the default minor is the default.
fn all_patches() -> Vec<(&'static str, bool, bool)> {
    KUBERNETES
        .iter()
        .flat_map(|known| {
            known.patches.iter().map(|patch| {
                (
                    *patch,
                    known.default && known.patches.last() == Some(patch),
                    known.preview,
                )
            })
        })
        .collect()
}

/// To a later patch of the same minor, or to any of the next one.
fn upgrades(patch: &str) -> Vec<&'static str> {
    let Some(index) = KUBERNETES
        .iter()
        .position(|known| known.patches.contains(&patch))
    else {
        return Vec::new();
    };
    let here = KUBERNETES[index]
        .patches
        .iter()
        .skip_while(|p| **p != patch)
        .skip(1);
    let next = KUBERNETES
        .get(index + 1)
        .map_or(&[][..], |next| next.patches);
    here.chain(next).copied().collect()
}
