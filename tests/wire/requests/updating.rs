//! Updating.

use super::*;

/// A compute with everything that the service may say of one, and two things that nobody knows.
fn current(ssl: Value) -> Value {
    json!({
        "id": "/subscriptions/sub/x", "name": "myaks", "type": "t",
        "systemData": { "createdBy": "me" },
        "location": "westeurope", "tags": { "team": "vision" },
        "identity": { "type": "SystemAssigned" }, "sku": null,
        "properties": {
            "computeType": "AKS", "computeLocation": "northeurope", "description": null,
            "resourceId": CLUSTER, "disableLocalAuth": false,
            "provisioningState": "Succeeded", "provisioningErrors": null,
            "createdOn": "2026-01-01T00:00:00Z", "modifiedOn": "2026-01-02T00:00:00Z",
            "isAttachedCompute": true, "somethingNew": { "a": [1, null] },
            "properties": {
                "agentCount": 4, "agentVmSize": "Standard_D3_v2", "clusterFqdn": "f.example.com",
                "clusterPurpose": "FastProd", "somethingElse": 1.5,
                "systemServices": [{ "systemServiceType": "ScoringFrontEnd" }],
                "aksNetworkingConfiguration": null,
                "sslConfiguration": ssl,
                "loadBalancerType": "PublicIp", "loadBalancerSubnet": null,
            },
        },
    })
}

/// The part of [`current`] that is sent back, with a change.
fn sent_back(change: Value) -> String {
    let mut inner = json!({
        "agentCount": 4, "agentVmSize": "Standard_D3_v2", "clusterFqdn": "f.example.com",
        "clusterPurpose": "FastProd", "somethingElse": 1.5, "aksNetworkingConfiguration": null,
    });
    for (name, value) in change.as_object().unwrap() {
        inner[name] = value.clone();
    }
    let body = json!({
        "location": "westeurope", "tags": { "team": "vision" },
        "identity": { "type": "SystemAssigned" }, "sku": null,
        "properties": {
            "computeType": "AKS", "computeLocation": "northeurope", "description": null,
            "resourceId": CLUSTER, "disableLocalAuth": false, "somethingNew": { "a": [1, null] },
            "properties": inner,
        },
    });
    body.to_string()
}

#[tokio::test]
async fn update_sends_back_what_it_read_without_what_is_read_only() {
    let change = || UpdateConfiguration::builder();
    let leaf = json!({ "status": "Auto", "leafDomainLabel": "l", "cname": "l.example.com" });
    let own = json!({ "status": "Enabled", "cname": "scoring.example.com", "cert": null });
    let cases = [
        (
            "tls on",
            Value::Null,
            change().tls(TlsUpdate::Enable(Tls::leaf_domain("mylabel"))),
            json!({ "sslConfiguration": { "status": "Auto", "leafDomainLabel": "mylabel" } }),
        ),
        (
            "tls off",
            leaf.clone(),
            change().tls(TlsUpdate::Disable),
            json!({ "sslConfiguration": { "status": "Disabled" } }),
        ),
        (
            "renewal",
            leaf,
            change().tls(TlsUpdate::Renew),
            json!({ "sslConfiguration": {
                "status": "Auto", "leafDomainLabel": "l",
                "overwriteExistingDomain": true, "renew": true,
            } }),
        ),
        (
            "load balancer, beside a certificate that stays",
            own.clone(),
            change().load_balancer(LoadBalancer::internal_in("inner")),
            json!({ "loadBalancerType": "InternalLoadBalancer", "loadBalancerSubnet": "inner" }),
        ),
        (
            "both",
            own,
            change()
                .tls(TlsUpdate::Disable)
                .load_balancer(LoadBalancer::PublicIp),
            json!({ "sslConfiguration": { "status": "Disabled" }, "loadBalancerType": "PublicIp" }),
        ),
    ];
    for (name, ssl, change, expected) in cases {
        let body = body_of_update(&current(ssl), change).await;
        assert_eq!(body, sent_back(expected), "{name}");
    }
}

#[tokio::test]
async fn update_that_does_not_fit_the_cluster_puts_nothing() {
    let mut service = Service::start().await;
    service
        .on_get(Reply::json(200, &current(Value::Null)))
        .await;
    let mut handle = AksCompute::get(&service.workspace(), "myaks")
        .await
        .unwrap();
    let renew = UpdateConfiguration::builder().tls(TlsUpdate::Renew);
    let error = handle.update(renew.build().unwrap()).await.unwrap_err();
    assert_eq!(error.findings()[0].rule, "update.renew_without_leaf_domain");
    assert!(
        service.seen().iter().all(|request| request.method == "GET"),
        "{:?}",
        service.lines()
    );
}
