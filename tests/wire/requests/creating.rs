//! Creating and attaching.

use super::*;

#[tokio::test]
async fn create_without_settings_is_sent_in_these_very_bytes() {
    let body = body_of_create(AksCompute::provisioning_configuration().build().unwrap()).await;
    assert_eq!(
        body,
        r#"{"location":"westeurope","properties":{"computeType":"AKS"}}"#
    );
}

#[tokio::test]
async fn create_sends_what_was_given_and_nothing_else() {
    type Say = fn(ProvisioningConfigurationBuilder) -> ProvisioningConfigurationBuilder;
    let cases: [(&str, Say, Value); 13] = [
        (
            "purpose",
            |say| say.cluster_purpose(ClusterPurpose::DevTest),
            json!({ "clusterPurpose": "DevTest" }),
        ),
        (
            "size and count",
            |say| say.vm_size("Standard_D13_v2").agent_count(6),
            json!({ "agentCount": 6, "agentVmSize": "Standard_D13_v2" }),
        ),
        (
            "network by six fields",
            |say| say.virtual_network(network()),
            json!({ "aksNetworkingConfiguration": {
                "subnetId": "/subscriptions/sub/resourceGroups/mygroup/providers/Microsoft.Network/virtualNetworks/mynetwork/subnets/default",
                "serviceCidr": "10.0.0.0/16", "dnsServiceIP": "10.0.0.10",
                "dockerBridgeCidr": "172.17.0.1/16",
            } }),
        ),
        (
            "network by the id of a subnet elsewhere",
            |say| {
                let network = "/subscriptions/Other/resourcegroups/G/providers/Microsoft.Network/virtualNetworks/v";
                say.virtual_network(
                    Subnet::new(format!("{network}/subnets/s"))
                        .service_cidr("10.1.0.0/16")
                        .dns_service_ip("10.1.0.10")
                        .docker_bridge_cidr("172.18.0.1/16"),
                )
            },
            json!({ "aksNetworkingConfiguration": {
                "subnetId": "/subscriptions/Other/resourcegroups/G/providers/Microsoft.Network/virtualNetworks/v/subnets/s",
                "serviceCidr": "10.1.0.0/16", "dnsServiceIP": "10.1.0.10",
                "dockerBridgeCidr": "172.18.0.1/16",
            } }),
        ),
        (
            "leaf domain",
            |say| say.tls(Tls::leaf_domain("mylabel")),
            json!({ "sslConfiguration": { "status": "Auto", "leafDomainLabel": "mylabel" } }),
        ),
        (
            "leaf domain that may overwrite",
            |say| say.tls(Tls::leaf_domain("mylabel").overwrite_existing_domain(true)),
            json!({ "sslConfiguration": {
                "status": "Auto", "leafDomainLabel": "mylabel", "overwriteExistingDomain": true,
            } }),
        ),
        (
            "leaf domain that may not overwrite",
            |say| say.tls(Tls::leaf_domain("mylabel").overwrite_existing_domain(false)),
            json!({ "sslConfiguration": {
                "status": "Auto", "leafDomainLabel": "mylabel", "overwriteExistingDomain": false,
            } }),
        ),
        (
            "public load balancer",
            |say| say.load_balancer(LoadBalancer::PublicIp),
            json!({ "loadBalancerType": "PublicIp" }),
        ),
        (
            "internal load balancer",
            |say| say.load_balancer(LoadBalancer::internal()),
            json!({ "loadBalancerType": "InternalLoadBalancer" }),
        ),
        (
            "internal load balancer in a subnet",
            |say| say.load_balancer(LoadBalancer::internal_in("inner")),
            json!({ "loadBalancerType": "InternalLoadBalancer", "loadBalancerSubnet": "inner" }),
        ),
        (
            "a size that nobody knows",
            |say| say.vm_size("Standard_Zz9_v77"),
            json!({ "agentVmSize": "Standard_Zz9_v77" }),
        ),
        (
            "a purpose that nobody knows",
            |say| say.cluster_purpose(ClusterPurpose::from("Holiday")),
            json!({ "clusterPurpose": "Holiday" }),
        ),
        (
            "one node",
            |say| say.agent_count(1).cluster_purpose(ClusterPurpose::DevTest),
            json!({ "agentCount": 1, "clusterPurpose": "DevTest" }),
        ),
    ];
    for (name, say, properties) in cases {
        let configuration = say(AksCompute::provisioning_configuration())
            .build()
            .unwrap();
        let expected = json!({
            "location": "westeurope",
            "properties": { "computeType": "AKS", "properties": properties },
        });
        assert_eq!(
            body_of_create(configuration).await,
            expected.to_string(),
            "{name}"
        );
    }
}

#[tokio::test]
async fn location_description_and_tags_stand_outside_the_properties_of_the_cluster() {
    let configuration = AksCompute::provisioning_configuration()
        .location("northeurope")
        .description("for \"scoring\" — größer")
        .tags([("team", "vision"), ("cost", "7")])
        .build()
        .unwrap();
    let expected = json!({
        "location": "westeurope",
        "tags": { "cost": "7", "team": "vision" },
        "properties": {
            "computeType": "AKS",
            "computeLocation": "northeurope",
            "description": "for \"scoring\" — größer",
        },
    });
    assert_eq!(body_of_create(configuration).await, expected.to_string());
}

#[tokio::test]
async fn own_certificate_is_sent_character_by_character() {
    let (certificate, key) = certificate();
    let tls = || {
        Tls::certificate(
            "scoring.example.com",
            Pem::text(certificate.clone()),
            Pem::text(key.clone()),
        )
    };
    let ssl = json!({ "sslConfiguration": {
        "status": "Enabled", "cname": "scoring.example.com", "cert": certificate, "key": key,
    } });

    let create = AksCompute::provisioning_configuration()
        .tls(tls())
        .build()
        .unwrap();
    let expected = json!({
        "location": "westeurope",
        "properties": { "computeType": "AKS", "properties": ssl },
    });
    assert_eq!(body_of_create(create).await, expected.to_string());

    let attach = AksCompute::attach_configuration(ClusterRef::id(CLUSTER))
        .tls(tls())
        .build()
        .unwrap();
    let expected = json!({
        "location": "westeurope",
        "properties": { "computeType": "AKS", "resourceId": CLUSTER, "properties": ssl },
    });
    assert_eq!(body_of_attach(attach).await, expected.to_string());

    let change = UpdateConfiguration::builder().tls(TlsUpdate::Enable(tls()));
    let expected = json!({
        "name": "myaks",
        "properties": { "computeType": "AKS", "properties": ssl },
    });
    let mut sent: Value = serde_json::from_str(&body_of_update(&aks(), change).await).unwrap();
    sent["name"] = "myaks".into();
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn attachment_sends_the_cluster_and_no_load_balancer_unless_one_was_given() {
    let named = "/subscriptions/sub/resourcegroups/grp2/providers/Microsoft.ContainerService/managedClusters/clu";
    let by_id = || AksCompute::attach_configuration(ClusterRef::id(CLUSTER));
    let cases = [
        (
            by_id(),
            json!({ "computeType": "AKS", "resourceId": CLUSTER }),
        ),
        (
            AksCompute::attach_configuration(ClusterRef::named("grp2", "clu")),
            json!({ "computeType": "AKS", "resourceId": named }),
        ),
        (
            by_id().cluster_purpose(ClusterPurpose::DevTest),
            json!({ "computeType": "AKS", "resourceId": CLUSTER,
                "properties": { "clusterPurpose": "DevTest" } }),
        ),
        (
            by_id().tls(Tls::leaf_domain("mylabel").overwrite_existing_domain(true)),
            json!({ "computeType": "AKS", "resourceId": CLUSTER,
                "properties": { "sslConfiguration": {
                    "status": "Auto", "leafDomainLabel": "mylabel", "overwriteExistingDomain": true,
                } } }),
        ),
        (
            by_id().load_balancer(LoadBalancer::internal_in("inner")),
            json!({ "computeType": "AKS", "resourceId": CLUSTER,
                "properties": {
                    "loadBalancerType": "InternalLoadBalancer", "loadBalancerSubnet": "inner",
                } }),
        ),
        (
            by_id()
                .load_balancer(LoadBalancer::PublicIp)
                .description("text"),
            json!({ "computeType": "AKS", "resourceId": CLUSTER, "description": "text",
                "properties": { "loadBalancerType": "PublicIp" } }),
        ),
    ];
    for (configuration, properties) in cases {
        let expected = json!({ "location": "westeurope", "properties": properties });
        let body = body_of_attach(configuration.build().unwrap()).await;
        assert_eq!(body, expected.to_string());
    }
}
