//! The change of a node pool: how many nodes it has, and who decides it.

#![cfg_attr(not(test), allow(dead_code, reason = "the verb that scales sends it"))]

use super::pool::NodePoolResource;
use crate::error::{Error, ErrorKind};
use serde_json::{Value, json};

/// Members of a pool that a GET gives and a PUT must not have.
const READ_ONLY: [&str; 3] = ["provisioningState", "currentOrchestratorVersion", "eTag"];

/// Who decides how many nodes a pool has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// There are to be so many.
    Nodes(u32),
    /// The autoscaler decides, between these.
    Between(u32, u32),
    /// The autoscaler is off, and the number of nodes stays.
    Fixed,
}

impl Scale {
    /// Returns the body of the PUT that changes a pool as it was last read; `None` where there is nothing to change.
    ///
    /// All members go back as the GET gave them, also those that are not known here: the service takes one that is
    /// absent for one that is to be unset.
    pub(super) fn body(self, pool: &NodePoolResource) -> Result<Option<Value>, Error> {
        let own = &pool.properties;
        let is_auto = own.enable_auto_scaling == Some(true);
        let several = own
            .pool_type
            .as_deref()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("VirtualMachines"));
        let done = match self {
            Self::Nodes(_) if is_auto => {
                return Err(
                    refused(pool, "the autoscaler decides how many nodes it has")
                        .with_remedy("change the bounds of the autoscaler, or turn it off"),
                );
            }
            Self::Between(min, max) if min > max => {
                let why =
                    format!("the autoscaler cannot leave {min} nodes where {max} are the most");
                return Err(refused(pool, &why).with_remedy("give the lower bound first"));
            }
            _ if several && own.virtual_machines_profile.scale.manual.len() != 1 => {
                return Err(refused(
                    pool,
                    "it is of the type VirtualMachines and has not exactly one size",
                )
                .with_remedy("scale it by `az aks nodepool manual-scale update`"));
            }
            Self::Between(..) if several => {
                return Err(refused(
                    pool,
                    "it is of the type VirtualMachines, whose autoscaler is set for each size",
                ));
            }
            Self::Nodes(count) => own.node_count() == Some(count),
            Self::Between(min, max) => {
                is_auto && (own.min_count, own.max_count) == (Some(min), Some(max))
            }
            Self::Fixed => !is_auto,
        };
        if done {
            return Ok(None);
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
    fn tag_that_is_set_already_sends_nothing() {
        let off = json!({ "count": 2 });
        let on = json!({ "count": 2, "enableAutoScaling": true, "minCount": 1, "maxCount": 5 });
        assert_eq!(body(Scale::Nodes(2), &off), None);
        assert_eq!(body(Scale::Fixed, &off), None);
        assert_eq!(body(Scale::Between(1, 5), &on), None);
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
            (Scale::Between(5, 1), json!({}), "cannot leave 5"),
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
