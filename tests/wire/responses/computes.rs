//! Computes: what is read of one, and what is not one.

use super::*;

#[tokio::test]
async fn compute_with_all_that_microsofts_client_insists_on_is_read_in_whole() {
    let body = json!({
        "id": "/subscriptions/sub/x", "name": "myaks", "location": "westeurope",
        "tags": { "team": "vision", "odd": null },
        "properties": {
            "computeType": "AKS", "description": "text", "computeLocation": "northeurope",
            "resourceId": "/subscriptions/sub/c", "provisioningState": "Succeeded",
            "provisioningErrors": [{ "error": { "code": "C", "message": "M" } }],
            "isAttachedCompute": true, "createdOn": "2020-01-01T00:00:00.0000000+00:00",
            "modifiedOn": "2020-01-02T00:00:00.0000000+00:00", "disableLocalAuth": false,
            "properties": {
                "agentVmSize": "Standard_D3_v2", "agentCount": 3, "clusterPurpose": "FastProd",
                "clusterFqdn": "f.example.com", "loadBalancerType": "InternalLoadBalancer",
                "loadBalancerSubnet": "inner",
                "systemServices": [{
                    "systemServiceType": "ScoringFrontEnd", "version": "1", "publicIpAddress": "10.0.0.9",
                }],
                "sslConfiguration": {
                    "status": "Auto", "cname": "l.example.com", "leafDomainLabel": "l",
                    "overwriteExistingDomain": false, "cert": "CANARY", "key": "CANARY",
                },
                "aksNetworkingConfiguration": {
                    "subnetId": "/subscriptions/sub/s", "serviceCidr": "10.0.0.0/16",
                    "dnsServiceIP": "10.0.0.10", "dockerBridgeCidr": "172.17.0.1/16",
                },
            },
        },
    });
    let handle = get(Reply::json(200, &body)).await.unwrap();
    assert_eq!(handle.status(), Some("Succeeded"));
    assert_eq!(handle.is_attached(), Some(true));
    assert_eq!(handle.cluster_resource_id(), Some("/subscriptions/sub/c"));
    assert_eq!(handle.provisioning_errors()[0].code.as_deref(), Some("C"));
    let resource = handle.resource();
    assert_eq!(resource.location.as_deref(), Some("westeurope"));
    assert_eq!(
        Vec::from_iter(&resource.tags),
        [(&"team".to_owned(), &"vision".to_owned())]
    );
    let common = &resource.properties;
    assert_eq!(common.compute_location.as_deref(), Some("northeurope"));
    assert_eq!(common.description.as_deref(), Some("text"));
    assert_eq!(common.disable_local_auth, Some(false));
    assert!(
        common
            .created_on
            .as_deref()
            .unwrap()
            .starts_with("2020-01-01")
    );
    assert!(
        common
            .modified_on
            .as_deref()
            .unwrap()
            .starts_with("2020-01-02")
    );

    let cluster = handle.properties();
    assert_eq!(cluster.agent_vm_size.as_deref(), Some("Standard_D3_v2"));
    assert_eq!(cluster.agent_count, Some(3));
    assert_eq!(cluster.cluster_purpose.as_deref(), Some("FastProd"));
    assert_eq!(cluster.cluster_fqdn.as_deref(), Some("f.example.com"));
    assert_eq!(
        cluster.load_balancer_type.as_deref(),
        Some("InternalLoadBalancer")
    );
    assert_eq!(cluster.load_balancer_subnet.as_deref(), Some("inner"));
    let router = &cluster.system_services[0];
    assert_eq!(
        router.system_service_type.as_deref(),
        Some("ScoringFrontEnd")
    );
    assert_eq!(router.public_ip_address.as_deref(), Some("10.0.0.9"));
    assert_eq!(router.version.as_deref(), Some("1"));
    let ssl = cluster.ssl_configuration.as_ref().unwrap();
    assert_eq!(ssl.status.as_deref(), Some("Auto"));
    assert_eq!(ssl.cname.as_deref(), Some("l.example.com"));
    assert_eq!(ssl.leaf_domain_label.as_deref(), Some("l"));
    assert_eq!(ssl.overwrite_existing_domain, Some(false));
    let network = cluster.aks_networking_configuration.as_ref().unwrap();
    assert_eq!(network.subnet_id.as_deref(), Some("/subscriptions/sub/s"));
    assert_eq!(network.service_cidr.as_deref(), Some("10.0.0.0/16"));
    assert_eq!(network.dns_service_ip.as_deref(), Some("10.0.0.10"));
    assert_eq!(network.docker_bridge_cidr.as_deref(), Some("172.17.0.1/16"));
    assert!(!format!("{handle:?} {:?}", handle.resource()).contains("CANARY"));
}

#[tokio::test]
async fn null_is_read_as_absent_wherever_the_service_may_leave_something_out() {
    let nulls = json!({
        "id": null, "name": "myaks", "location": null, "tags": null,
        "properties": {
            "computeType": "AKS", "description": null, "computeLocation": null, "resourceId": null,
            "provisioningState": null, "provisioningErrors": null, "isAttachedCompute": null,
            "createdOn": null, "modifiedOn": null, "disableLocalAuth": null,
            "properties": {
                "agentVmSize": null, "agentCount": null, "clusterPurpose": null,
                "clusterFqdn": null, "loadBalancerType": null, "loadBalancerSubnet": null,
                "systemServices": null, "sslConfiguration": null,
                "aksNetworkingConfiguration": null,
            },
        },
    });
    let bare = json!({ "name": "myaks", "properties": { "computeType": "AKS", "properties": {} } });
    let mut read = Vec::new();
    for body in [nulls, bare] {
        let handle = get(Reply::json(200, &body)).await.unwrap();
        assert_eq!(handle.status(), None);
        assert_eq!(handle.is_attached(), None);
        assert!(handle.provisioning_errors().is_empty());
        assert_eq!(handle.properties(), &AksProperties::default());
        // `Debug` names all fields, and last the members of the document as they came.
        let shown = format!("{:?}", handle.resource());
        let (fields, members) = shown.split_once("kind: {").unwrap();
        assert!(members.contains("}, .."), "{members}");
        read.push(fields.to_owned());
    }
    assert_eq!(read[0], read[1]);
}

#[tokio::test]
async fn compute_of_another_kind_is_refused_by_name() {
    let body = json!({ "name": "myaks", "properties": { "computeType": "AmlCompute" } });
    let error = get(Reply::json(200, &body)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("AmlCompute"), "{error}");
}

#[tokio::test]
async fn only_a_404_of_the_compute_itself_means_that_there_is_none() {
    for (status, body, there_is_none) in [
        (
            404,
            json!({"error": {"code": "ResourceNotFound", "message": "M"}}),
            true,
        ),
        (
            404,
            json!({"error": {"code": "ComputeNotFound", "message": "M"}}),
            true,
        ),
        (404, Value::Null, true),
        (
            404,
            json!({"error": {"code": "ResourceGroupNotFound", "message": "M"}}),
            false,
        ),
        (
            404,
            json!({"error": {"code": "SubscriptionNotFound", "message": "M"}}),
            false,
        ),
        (
            404,
            json!({"error": {"code": "WorkspaceNotFound", "message": "M"}}),
            false,
        ),
        (
            404,
            json!({"error": {"code": "ParentResourceNotFound", "message": "M"}}),
            false,
        ),
        (
            403,
            json!({"error": {"code": "AuthorizationFailed", "message": "M"}}),
            false,
        ),
        (
            400,
            json!({"error": {"code": "BadRequest", "message": "M"}}),
            false,
        ),
    ] {
        let mut service = Service::start().await;
        service.on_get(Reply::json(status, &body)).await;
        service
            .on("GET", &at(""), Reply::new(200, r#"{"location":"eastus"}"#))
            .await;
        let found = AksCompute::get_opt(&service.workspace(), "myaks").await;
        match found {
            Ok(None) => assert!(there_is_none, "{status} {body}"),
            Ok(Some(_)) => panic!("{status} {body}"),
            Err(error) => {
                assert!(!there_is_none, "{status} {body}");
                assert_eq!(error.http_status(), Some(status));
            }
        }
        let error = AksCompute::get(&service.workspace(), "myaks").await;
        assert_eq!(error.unwrap_err().is_not_found(), status == 404);
    }
}
