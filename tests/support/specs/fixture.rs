//! A compute with every part, to be mutated; written from what Microsoft's clients send.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not see as such"
)]

use serde_json::{Value, json};

use super::{
    Direction::{self, Request, Response},
    Exchange, Kind, Specs,
};

pub(crate) const WORKSPACE: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g\
                         /providers/Microsoft.MachineLearningServices/workspaces/w";
pub(crate) const TODAY: &str = "2026-05-01";
pub(crate) const PUBLISHED: &str = "2019-11-01";

/// A PUT of an AKS compute with every part that a caller may send, and its answer.
pub(crate) fn put(version: &str) -> Exchange {
    let mut aks = json!({
        "agentCount": 3,
        "agentVmSize": "Standard_D3_v2",
        "clusterPurpose": "DevTest",
        "loadBalancerType": "InternalLoadBalancer",
        "loadBalancerSubnet": "default",
        "sslConfiguration": { "status": "Enabled", "cname": "a.b.c", "cert": "C", "key": "K" },
        "aksNetworkingConfiguration": {
            "subnetId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/d",
            "serviceCidr": "10.0.0.0/16",
            "dnsServiceIP": "10.0.0.10",
            "dockerBridgeCidr": "172.17.0.1/16",
        },
    });
    if version == PUBLISHED {
        let aks = aks.as_object_mut().unwrap();
        for later in ["clusterPurpose", "loadBalancerType", "loadBalancerSubnet"] {
            aks.remove(later);
        }
        // The spelling of that version only.
        let size = aks.remove("agentVmSize").unwrap();
        aks.insert("agentVMSize".into(), size);
    }
    let sent = json!({
        "location": "eastus",
        "tags": { "team": "blue" },
        "properties": {
            "computeType": "AKS",
            "computeLocation": "westus",
            "description": "d",
            "resourceId": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c",
            "properties": aks,
        },
    });
    let mut answer = sent.clone();
    let services =
        json!([{ "systemServiceType": "Scoring", "publicIpAddress": "1.2.3.4", "version": "1" }]);
    let errors = json!([{ "error": { "code": "c", "message": "m", "details": [{ "code": "c", "message": "m" }] } }]);
    for (pointer, value) in [
        ("/id", json!(format!("{WORKSPACE}/computes/myaks"))),
        ("/name", json!("myaks")),
        (
            "/type",
            json!("Microsoft.MachineLearningServices/workspaces/computes"),
        ),
        ("/properties/provisioningState", json!("Failed")),
        (
            "/properties/createdOn",
            json!("2026-01-01T00:00:00.1234567+00:00"),
        ),
        ("/properties/modifiedOn", json!("2026-01-01T00:00:00Z")),
        ("/properties/isAttachedCompute", json!(false)),
        ("/properties/provisioningErrors", errors),
        ("/properties/properties/systemServices", services),
        ("/properties/properties/clusterFqdn", json!("a.b.c")),
    ] {
        set(&mut answer, pointer, Some(value));
    }
    Exchange::new(
        "PUT",
        &format!("{WORKSPACE}/computes/myaks?api-version={version}"),
    )
    .sending(sent)
    .answered(201, Some(answer))
    .with_headers(["Azure-AsyncOperation".to_owned()])
}

pub(crate) fn without(mut exchange: Exchange, direction: Direction, pointer: &str) -> Exchange {
    let body = match direction {
        Request => &mut exchange.request_body,
        Response => &mut exchange.response_body,
    };
    set(body.as_mut().unwrap(), pointer, None);
    exchange
}

/// Puts `value` at `pointer`, or takes away what is there.
pub(crate) fn set(body: &mut Value, pointer: &str, value: Option<Value>) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => drop(parent.insert(key.to_owned(), value)),
        None => drop(
            parent
                .remove(key)
                .expect("only what is there can be taken away"),
        ),
    }
}

/// The exchange departs in exactly these places.
pub(crate) fn expect(exchange: &Exchange, facts: &[(Direction, &str, Kind)]) {
    let Some(specs) = Specs::load() else { return };
    let report = specs.check(exchange);
    assert_eq!(
        report.undescribed, None,
        "{} {}",
        exchange.method, exchange.path
    );
    assert_eq!(
        report.facts(),
        facts,
        "{} {:?}: {report:#?}",
        exchange.path,
        exchange.query
    );
}
