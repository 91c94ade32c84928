//! What the library sends: method, path, query, headers and body bytes of every request.
//!
//! The facts behind these goldens are in `docs/wire.md`.

use crate::support::redirect::{ARM, Reply, Service, TOKEN, VERSION, WORKSPACE, at};
use crate::support::resealed::resealed;
use azureml_aks::{
    AksCompute, AttachConfiguration, Cloud, ClusterPurpose, ClusterRef, ComputeTarget, ErrorKind,
    LoadBalancer, Pem, ProvisioningConfiguration, ProvisioningConfigurationBuilder, ResumeToken,
    Resumed, Subnet, Tls, TlsUpdate, UpdateConfiguration, UpdateConfigurationBuilder,
    VirtualNetwork, WaitOptions, Workspace,
};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use std::time::Duration;

const CLUSTER: &str =
    "/subscriptions/Other/resourceGroups/G/providers/microsoft.containerservice/managedclusters/c";

const MONITOR: &str = "/subscriptions/sub/providers/Microsoft.MachineLearningServices/locations/westeurope/computeOperationsStatus/0b2f";

fn aks() -> Value {
    json!({
        "name": "myaks",
        "properties": {
            "computeType": "AKS", "provisioningState": "Succeeded", "isAttachedCompute": false,
        },
    })
}

/// A certificate for `scoring.example.com` and its key, as PEM text.
fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["scoring.example.com".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

fn network() -> VirtualNetwork {
    VirtualNetwork::new("mygroup", "mynetwork", "default")
        .service_cidr("10.0.0.0/16")
        .dns_service_ip("10.0.0.10")
        .docker_bridge_cidr("172.17.0.1/16")
}

fn fast(deadline: u64) -> WaitOptions {
    WaitOptions::new()
        .poll_floor(Duration::ZERO)
        .deadline(Duration::from_secs(deadline))
}

async fn body_of_create(configuration: ProvisioningConfiguration) -> String {
    let mut service = Service::start().await;
    service.on_get(Reply::empty(404)).await;
    service.on_put(Reply::json(200, &aks())).await;
    let created = ComputeTarget::create(&service.workspace(), "myaks", configuration).await;
    created.unwrap();
    service.last().text().to_owned()
}

async fn body_of_attach(configuration: AttachConfiguration) -> String {
    let mut service = Service::start().await;
    service.on_get(Reply::empty(404)).await;
    service.on_put(Reply::json(200, &aks())).await;
    let attached = ComputeTarget::attach(&service.workspace(), "myaks", configuration).await;
    attached.unwrap();
    service.last().text().to_owned()
}

async fn body_of_update(current: &Value, change: UpdateConfigurationBuilder) -> String {
    let mut service = Service::start().await;
    service.on_get(Reply::json(200, current)).await;
    service.on_put(Reply::json(200, &aks())).await;
    let mut handle = AksCompute::get(&service.workspace(), "myaks")
        .await
        .unwrap();
    handle.update(change.build().unwrap()).await.unwrap();
    let lines = service.lines();
    let (get, put) = (
        format!("GET {}", at("/computes/myaks")),
        format!("PUT {}", at("/computes/myaks")),
    );
    assert_eq!(lines, [get.clone(), get, put]);
    service.last().text().to_owned()
}

#[tokio::test]
async fn a_create_with_nothing_said_is_sent_in_these_very_bytes() {
    let body = body_of_create(AksCompute::provisioning_configuration().build().unwrap()).await;
    assert_eq!(
        body,
        r#"{"location":"westeurope","properties":{"computeType":"AKS"}}"#
    );
}

#[tokio::test]
async fn a_create_sends_what_was_said_and_nothing_else() {
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
async fn an_own_certificate_is_sent_character_by_character() {
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
async fn an_attachment_sends_the_cluster_and_no_load_balancer_unless_one_was_said() {
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

/// What of [`current`] goes back, with a change.
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
async fn an_update_sends_back_what_it_read_without_what_is_read_only() {
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

#[tokio::test]
async fn two_creates_read_each_name_first_and_the_workspace_once() {
    let mut service = Service::start().await;
    service
        .on(
            "GET",
            &at(""),
            Reply::json(200, &json!({"location": "eastus"})),
        )
        .await;
    for name in ["one", "two"] {
        let target = at(&format!("/computes/{name}"));
        service.on("GET", &target, Reply::empty(404)).await;
        service.on("PUT", &target, Reply::json(200, &aks())).await;
    }
    let workspace = Workspace::builder("sub", "grp", "ws")
        .credential(service.token.clone())
        .transport(service.transport(ARM))
        .build()
        .unwrap();
    let configuration = AksCompute::provisioning_configuration().build().unwrap();
    for name in ["one", "two"] {
        let created = ComputeTarget::create(&workspace, name, configuration.clone()).await;
        created.unwrap();
        assert!(service.last().text().contains(r#""location":"eastus""#));
    }
    assert_eq!(
        service.lines(),
        [
            format!("GET {}", at("/computes/one")),
            format!("GET {}", at("")),
            format!("PUT {}", at("/computes/one")),
            format!("GET {}", at("/computes/two")),
            format!("PUT {}", at("/computes/two")),
        ]
    );
    assert_eq!(
        service.token.asked(),
        ["https://management.azure.com/.default"]
    );
}

#[tokio::test]
async fn prepared_verb_sends_nothing_and_existing_name_is_never_written() {
    let mut service = Service::start().await;
    service.on_get(Reply::json(200, &aks())).await;
    let workspace = service.workspace();
    let configuration = || AksCompute::provisioning_configuration().build().unwrap();

    drop(ComputeTarget::create(&workspace, "myaks", configuration()));
    let prepared = ComputeTarget::create(&workspace, "myaks", configuration()).prepare();
    drop(prepared.unwrap());
    assert!(service.seen().is_empty());

    let error = ComputeTarget::create(&workspace, "myaks", configuration()).await;
    assert!(error.unwrap_err().is_already_exists());
    ComputeTarget::create(&workspace, "myaks", configuration())
        .or_get()
        .await
        .unwrap();
    let attach = AksCompute::attach_configuration(ClusterRef::id(CLUSTER))
        .build()
        .unwrap();
    ComputeTarget::attach(&workspace, "myaks", attach)
        .or_get()
        .await
        .unwrap();
    let get = format!("GET {}", at("/computes/myaks"));
    assert_eq!(service.lines(), [get.clone(), get.clone(), get]);
}

#[tokio::test]
async fn requests_carry_these_headers_and_no_others() {
    let mut service = Service::start().await;
    service.on_get(Reply::empty(404)).await;
    service.on_get(Reply::json(200, &aks())).await;
    service.on_put(Reply::json(200, &aks())).await;
    service
        .on(
            "POST",
            &at("/computes/myaks/listKeys"),
            Reply::new(200, "{}"),
        )
        .await;
    let delete = format!("{}&underlyingResourceAction=Delete", at("/computes/myaks"));
    service.on("DELETE", &delete, Reply::empty(200)).await;

    let workspace = service.workspace();
    let configuration = AksCompute::provisioning_configuration().build().unwrap();
    let mut handle = ComputeTarget::create(&workspace, "myaks", configuration)
        .await
        .unwrap();
    handle.credentials().await.unwrap();
    handle.delete().await.unwrap().await.unwrap();

    let seen = service.seen();
    let methods: Vec<_> = seen.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, ["GET", "PUT", "POST", "GET", "DELETE"]);
    for request in &seen {
        let names: Vec<_> = request.headers.keys().map(String::as_str).collect();
        let usual = ["accept", "authorization"];
        let rest = ["host", "user-agent", "x-ms-client-request-id"];
        let body: &[&str] = match request.method.as_str() {
            "PUT" => &["content-length", "content-type"],
            // Some gateways refuse a POST without a length (411).
            "POST" => &["content-length"],
            _ => &[],
        };
        assert_eq!(names, [&usual, body, &rest].concat(), "{}", request.line());

        assert_eq!(request.headers["accept"], "application/json");
        assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
        let id = request.request_id();
        assert!(azure_core::Uuid::parse_str(id).is_ok(), "{id}");
        let agent = &request.headers["user-agent"];
        let start = concat!("azsdk-rust-azureml-aks/", env!("CARGO_PKG_VERSION"), " (");
        assert!(agent.starts_with(start) && agent.ends_with(')'), "{agent}");
        match request.method.as_str() {
            "PUT" => {
                assert_eq!(request.headers["content-type"], "application/json");
                let length = request.body.len().to_string();
                assert_eq!(request.headers["content-length"], length);
            }
            "POST" => assert_eq!(request.headers["content-length"], "0"),
            _ => assert!(request.body.is_empty()),
        }
    }
    let mut ids: Vec<_> = seen.iter().map(|request| request.request_id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5, "every call has an id of its own");
}

#[tokio::test]
async fn the_application_id_stands_before_the_library_in_the_user_agent() {
    let mut service = Service::start().await;
    service.on_get(Reply::json(200, &aks())).await;
    let workspace = service.builder().application_id("fleet-7").build().unwrap();
    AksCompute::get(&workspace, "myaks").await.unwrap();
    let agent = service.last().headers["user-agent"].clone();
    assert!(
        agent.starts_with("fleet-7 azsdk-rust-azureml-aks/"),
        "{agent}"
    );
}

#[tokio::test]
async fn an_application_id_that_a_user_agent_cannot_hold_is_refused() {
    let service = Service::start().await;
    for id in ["", "my app", "fleet/7", "größe", "a\r\nb", &"x".repeat(25)] {
        let error = service.builder().application_id(id).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{id}");
        assert!(error.to_string().contains("application id"), "{error}");
    }
    for id in ["fleet-7", "a!#$%&'*+-.^_`|~9", &"x".repeat(24)] {
        service.builder().application_id(id).build().unwrap();
    }
}

#[tokio::test]
async fn request_id_of_a_prepared_verb_is_in_its_token_and_on_every_poll() {
    let mut service = Service::start().await;
    let monitor = format!("{MONITOR}?{VERSION}&service=new");
    service.on_get(Reply::empty(404)).await;
    service
        .on_put(
            Reply::json(201, &aks())
                .header("Azure-AsyncOperation", &format!("{ARM}{monitor}"))
                .header("retry-after-ms", "1"),
        )
        .await;
    let running = Reply::json(200, &json!({"status": "InProgress"})).header("retry-after-ms", "1");
    service.on("GET", &monitor, running).await;
    service
        .on(
            "GET",
            &monitor,
            Reply::json(200, &json!({"status": "Succeeded"})),
        )
        .await;
    service.on_get(Reply::json(200, &aks())).await;

    let configuration = AksCompute::provisioning_configuration().build().unwrap();
    let prepared = ComputeTarget::create(&service.workspace(), "myaks", configuration).prepare();
    let prepared = prepared.unwrap();
    let token: Value = serde_json::from_str(&prepared.token().expose()).unwrap();
    let mut handle = prepared.send().await.unwrap();
    handle.wait_for_completion(fast(20)).await.unwrap();

    let get = format!("GET {}", at("/computes/myaks"));
    let poll = format!("GET {monitor}");
    assert_eq!(
        service.lines(),
        [
            get.clone(),
            format!("PUT {}", at("/computes/myaks")),
            poll.clone(),
            poll,
            get,
        ]
    );
    for request in &service.seen()[1..] {
        assert_eq!(
            request.request_id(),
            token["clientRequestId"],
            "{}",
            request.line()
        );
    }
}

/// Reads the status at `named` once, from a resume token, and gives the line of that request.
async fn poll_of(named: &str, expected: &str) -> String {
    let mut service = Service::start().await;
    let failed = json!({"status": "Failed", "error": {"code": "C", "message": "M"}});
    service.on("GET", expected, Reply::json(200, &failed)).await;
    let workspace = service.workspace();
    let configuration = AksCompute::provisioning_configuration().build().unwrap();
    let prepared = ComputeTarget::create(&workspace, "myaks", configuration).prepare();
    let mut token: Value = serde_json::from_str(&prepared.unwrap().token().expose()).unwrap();
    token["accepted"] = true.into();
    token["monitor"] = "azureAsyncOperation".into();
    token["nextRequestUri"] = format!("{ARM}{named}").into();
    let token = ResumeToken::parse(&resealed(&token.to_string())).unwrap();
    let Resumed::Compute(mut handle) = workspace.resume(&token).await.unwrap() else {
        panic!("not a create");
    };
    let error = handle.wait_for_completion(fast(20)).await.unwrap_err();
    assert_eq!(error.code(), Some("C"), "{error} {:?}", service.lines());
    service.last().target
}

#[tokio::test]
async fn polling_urls_are_followed_byte_for_byte() {
    for target in [
        format!("{MONITOR}?api-version=2019-11-01&service=new"),
        format!("{MONITOR}?service=new&API-Version=2019-11-01&t=1&c=MII%2BA%3D%3D&s=a-b_c~&h="),
        "/a/East%20US%202/b%2Fc/%E2%82%AC?x=%20+%2B&x=&x&api-version=1".to_owned(),
    ] {
        assert_eq!(poll_of(&target, &target).await, target);
    }
}

#[tokio::test]
async fn monitor_keeps_the_version_that_the_service_names_and_else_gets_ours() {
    // One wait each, side by side: the first pause is a second.
    let cases = [
        (
            format!("{MONITOR}?api-version=2019-11-01&service=new"),
            format!("{MONITOR}?api-version=2019-11-01&service=new"),
        ),
        (
            format!("{MONITOR}?service=new&c=a%2Fb"),
            format!("{MONITOR}?service=new&c=a%2Fb&{VERSION}"),
        ),
        (MONITOR.to_owned(), format!("{MONITOR}?{VERSION}")),
        (
            format!("{MONITOR}?x-api-version=1"),
            format!("{MONITOR}?x-api-version=1&{VERSION}"),
        ),
    ];
    let waits = cases.map(|(named, asked)| async move {
        let mut service = Service::start().await;
        let delete = format!("{}&underlyingResourceAction=Detach", at("/computes/myaks"));
        service.on_get(Reply::json(200, &aks())).await;
        service
            .on(
                "DELETE",
                &delete,
                Reply::empty(202).header("azure-asyncoperation", &format!("{ARM}{named}")),
            )
            .await;
        service
            .on(
                "GET",
                &asked,
                Reply::json(200, &json!({"status": "Succeeded"})),
            )
            .await;
        let mut handle = AksCompute::get(&service.workspace(), "myaks")
            .await
            .unwrap();
        let mut operation = handle.detach().await.unwrap();
        operation.wait(fast(20)).await.unwrap();
        assert_eq!(service.last().target, asked);
    });
    futures::future::join_all(waits).await;
}

#[tokio::test]
async fn list_follows_next_link_byte_for_byte_with_one_request_id() {
    let mut service = Service::start().await;
    let second = format!("{WORKSPACE}/computes?%24skipToken=a%2Bb%3D%3D&api-version=2020-01-01");
    let third = "/elsewhere/East%20US?x=+&x=%20".to_owned();
    let page = |name: &str, next: Value| {
        Reply::json(
            200,
            &json!({"value": [{"name": name, "properties": {"computeType": "AKS"}}], "nextLink": next}),
        )
    };
    service
        .on(
            "GET",
            &at("/computes"),
            page("a", format!("{ARM}{second}").into()),
        )
        .await;
    service
        .on("GET", &second, page("b", format!("{ARM}{third}").into()))
        .await;
    service.on("GET", &third, page("c", Value::Null)).await;

    let computes = service.workspace().computes();
    let names: Vec<String> = computes
        .map_ok(|compute| compute.name().to_string())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(names, ["a", "b", "c"]);
    let targets: Vec<_> = service.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, [at("/computes"), second, third]);
    let seen = service.seen();
    assert!(seen.iter().all(|s| s.request_id() == seen[0].request_id()));
}

#[tokio::test]
async fn a_list_asks_for_a_page_only_when_the_one_before_is_used_up() {
    let mut service = Service::start().await;
    let page = json!({"value": [{"name": "a"}, {"name": "b"}], "nextLink": format!("{ARM}/next")});
    service
        .on("GET", &at("/computes"), Reply::json(200, &page))
        .await;
    let mut computes = service.workspace().computes();
    assert!(service.seen().is_empty());
    for _ in 0..2 {
        computes.next().await.unwrap().unwrap();
    }
    assert_eq!(service.lines(), [format!("GET {}", at("/computes"))]);
}

#[tokio::test]
async fn list_keys_is_a_post_without_a_body() {
    let mut service = Service::start().await;
    service.on_get(Reply::json(200, &aks())).await;
    service
        .on(
            "POST",
            &at("/computes/myaks/listKeys"),
            Reply::new(200, "{}"),
        )
        .await;
    let handle = AksCompute::get(&service.workspace(), "myaks")
        .await
        .unwrap();
    handle.credentials().await.unwrap();
    let request = service.last();
    assert_eq!(
        request.line(),
        format!("POST {}", at("/computes/myaks/listKeys"))
    );
    assert!(request.body.is_empty());
    assert_eq!(request.headers["content-length"], "0");
}

#[tokio::test]
async fn detach_and_delete_are_in_the_query_as_the_description_spells_them() {
    let mut service = Service::start().await;
    service.on_get(Reply::json(200, &aks())).await;
    let mut handle = AksCompute::get(&service.workspace(), "myaks")
        .await
        .unwrap();
    for action in ["Detach", "Delete"] {
        let target = format!(
            "{}&underlyingResourceAction={action}",
            at("/computes/myaks")
        );
        service.on("DELETE", &target, Reply::empty(204)).await;
    }
    handle.detach().await.unwrap().await.unwrap();
    handle.delete().await.unwrap().await.unwrap();
    assert_eq!(
        service.lines()[1..],
        [
            format!(
                "DELETE {}&underlyingResourceAction=Detach",
                at("/computes/myaks")
            ),
            // The cluster could be somebody's own: it is looked at first.
            format!("GET {}", at("/computes/myaks")),
            format!(
                "DELETE {}&underlyingResourceAction=Delete",
                at("/computes/myaks")
            ),
        ]
    );
}

#[tokio::test]
async fn attached_cluster_and_one_of_unknown_origin_are_never_deleted() {
    for attached in [json!(true), Value::Null] {
        let mut service = Service::start().await;
        let mut resource = aks();
        resource["properties"]["isAttachedCompute"] = attached;
        service.on_get(Reply::json(200, &resource)).await;
        let mut handle = AksCompute::get(&service.workspace(), "myaks")
            .await
            .unwrap();
        handle.delete().await.unwrap_err();
        assert!(service.seen().iter().all(|seen| seen.method == "GET"));
    }
}

#[tokio::test]
async fn api_version_of_the_builder_is_asked_for_everywhere() {
    let mut service = Service::start().await;
    let at = |path: &str| format!("{WORKSPACE}{path}?api-version=2020-02-02");
    let of_workspace = json!({"location": "eastus"});
    service
        .on("GET", &at(""), Reply::json(200, &of_workspace))
        .await;
    let compute = at("/computes/myaks");
    service.on("GET", &compute, Reply::empty(404)).await;
    service.on("GET", &compute, Reply::json(200, &aks())).await;
    service.on("PUT", &compute, Reply::json(200, &aks())).await;
    service
        .on(
            "POST",
            &at("/computes/myaks/listKeys"),
            Reply::new(200, "{}"),
        )
        .await;
    service
        .on("GET", &at("/computes"), Reply::new(200, r#"{"value":[]}"#))
        .await;
    let delete = format!("{compute}&underlyingResourceAction=Delete");
    service.on("DELETE", &delete, Reply::empty(200)).await;

    let workspace = Workspace::builder("sub", "grp", "ws")
        .credential(service.token.clone())
        .transport(service.transport(ARM))
        .api_version("2020-02-02")
        .build()
        .unwrap();
    let configuration = AksCompute::provisioning_configuration().build().unwrap();
    let mut handle = ComputeTarget::create(&workspace, "myaks", configuration)
        .await
        .unwrap();
    handle.credentials().await.unwrap();
    assert_eq!(workspace.computes().count().await, 0);
    let change = UpdateConfiguration::builder().tls(TlsUpdate::Disable);
    handle.update(change.build().unwrap()).await.unwrap();
    handle.delete().await.unwrap().await.unwrap();
    assert_eq!(service.seen().len(), 9);
    for line in service.lines() {
        assert!(line.contains("?api-version=2020-02-02"), "{line}");
        assert_eq!(line.matches("api-version").count(), 1, "{line}");
    }
}

#[tokio::test]
async fn another_cloud_has_another_host_and_another_audience() {
    for (cloud, origin, scope) in [
        (
            Cloud::us_government(),
            "https://management.usgovcloudapi.net",
            "https://management.usgovcloudapi.net/.default",
        ),
        (
            Cloud::china(),
            "https://management.chinacloudapi.cn",
            "https://management.chinacloudapi.cn/.default",
        ),
        (
            Cloud::custom("https://arm.example:8443", "https://audience.example").unwrap(),
            "https://arm.example:8443",
            "https://audience.example/.default",
        ),
    ] {
        let mut service = Service::start().await;
        service.on_get(Reply::json(200, &aks())).await;
        // The redirect refuses any other origin.
        let workspace = service
            .builder()
            .cloud(cloud)
            .transport(service.transport(origin))
            .build()
            .unwrap();
        AksCompute::get(&workspace, "myaks").await.unwrap();
        assert_eq!(service.token.asked(), [scope]);
    }
}

#[tokio::test]
async fn names_that_a_url_cannot_hold_are_escaped() {
    let mut service = Service::start().await;
    let target = "/subscriptions/sub/resourceGroups/gr%C3%BCppe_(1)/providers/Microsoft.MachineLearningServices/workspaces/ws/computes/myaks?api-version=2026-05-01";
    service.on("GET", target, Reply::json(200, &aks())).await;
    let workspace = Workspace::builder("sub", "grüppe_(1)", "ws")
        .credential(service.token.clone())
        .transport(service.transport(ARM))
        .build()
        .unwrap();
    AksCompute::get(&workspace, "myaks").await.unwrap();
    assert_eq!(service.last().target, target);
}
