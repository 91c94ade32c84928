//! Checks what this library sends and what the emulator answers against Microsoft's published
//! descriptions.

use crate::support::fixture;
use crate::support::recorder::{Recorded, Recorder};
use crate::support::specs::allowed::{
    EXTENSIONS, EXTENSIONS_ROUTES, LIBRARY, LIBRARY_ROUTES, OWN_CLUSTERS, OWN_CLUSTERS_ROUTES,
    verdict,
};
use crate::support::specs::{Exchange, Report, Specs};
use azureml_aks::emulator::{ConnectedCluster, Emulator, ExistingCluster};
use azureml_aks::{
    AksCompute, AnyCompute, ClusterPurpose, ClusterRef, ComputeTarget, Extension,
    ExtensionConfiguration, ExtensionTls, ExtensionUpdateConfiguration, InstanceType,
    KubernetesClusterRef, KubernetesCompute, KubernetesIdentity, KubernetesUpdateConfiguration,
    LoadBalancer, ManagedCluster, ManagedClusterConfiguration, Network, OutboundType, Pem,
    RouterServiceType, Subnet, Tls, TlsUpdate, UpdateConfiguration, VirtualNetwork, WaitOptions,
    Workspace,
};
use futures::TryStreamExt;
use serde_json::Value;

#[tokio::test(start_paused = true)]
async fn every_request_and_answer_is_as_described() {
    let Some(specs) = Specs::load() else { return };
    let reports: Vec<Report> = everything()
        .await
        .iter()
        .map(|seen| check(specs, seen))
        .collect();
    if let Err(wrong) = verdict(&reports, LIBRARY, LIBRARY_ROUTES) {
        panic!("{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn misspelt_key_in_what_is_sent_or_answered_would_be_seen() {
    let Some(specs) = Specs::load() else { return };
    let seen = everything().await;
    let changed = |seen: &Recorded, body: &[u8]| {
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("computeType"), "{} {}", seen.method, seen.url);
        text.replace("\"location\"", "\"loaction\"").into_bytes()
    };
    for put in seen.iter().filter(|seen| seen.method == "PUT") {
        let request = Recorded {
            body: changed(put, &put.body).into(),
            ..put.clone()
        };
        assert!(!check(specs, &request).deviations.is_empty());
        let answer = Recorded {
            answer: changed(put, &put.answer).into(),
            ..put.clone()
        };
        assert!(!check(specs, &answer).deviations.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn every_request_about_a_cluster_of_your_own_is_as_described() {
    let Some(specs) = Specs::load() else { return };
    let seen = own_clusters().await;
    let reports: Vec<Report> = seen.iter().map(|seen| check(specs, seen)).collect();
    if let Err(wrong) = verdict(&reports, OWN_CLUSTERS, OWN_CLUSTERS_ROUTES) {
        panic!("{wrong}");
    }
    let count = |method: &str| seen.iter().filter(|seen| seen.method == method).count();
    assert_eq!((count("PUT"), count("DELETE")), (7, 2));
    for put in seen.iter().filter(|seen| seen.method == "PUT") {
        let text = String::from_utf8(put.body.to_vec()).unwrap();
        assert!(text.contains("\"count\""), "{} {}", put.method, put.url);
        let changed = Recorded {
            body: text.replace("\"count\"", "\"cuont\"").into(),
            ..put.clone()
        };
        assert!(!check(specs, &changed).deviations.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn every_exchange_about_an_extension_is_as_described() {
    let Some(specs) = Specs::of_extensions() else {
        return;
    };
    let seen = extensions().await;
    let reports: Vec<Report> = seen.iter().map(|seen| check(&specs, seen)).collect();
    if let Err(wrong) = verdict(&reports, EXTENSIONS, EXTENSIONS_ROUTES) {
        panic!("{wrong}");
    }
    let count = |method: &str| seen.iter().filter(|seen| seen.method == method).count();
    assert_eq!((count("PUT"), count("PATCH"), count("DELETE")), (2, 2, 2));
    for put in seen.iter().filter(|seen| seen.method == "PUT") {
        let misspelt = |body: &[u8]| {
            let text = String::from_utf8(body.to_vec()).unwrap();
            assert!(text.contains("\"releaseTrain\""), "{text}");
            text.replace("\"releaseTrain\"", "\"relaeseTrain\"")
        };
        let request = Recorded {
            body: misspelt(&put.body).into(),
            ..put.clone()
        };
        assert!(!check(&specs, &request).deviations.is_empty());
        let answer = Recorded {
            answer: misspelt(&put.answer).into(),
            ..put.clone()
        };
        assert!(!check(&specs, &answer).deviations.is_empty());
    }
}

fn check(specs: &Specs, seen: &Recorded) -> Report {
    let json = |body: &[u8]| -> Option<Value> {
        (!body.is_empty()).then(|| serde_json::from_slice(body).unwrap())
    };
    let mut exchange = Exchange::new(&seen.method, &seen.url)
        .answered(seen.status, json(&seen.answer))
        .with_headers(seen.header_names.iter().cloned());
    if let Some(body) = json(&seen.body) {
        exchange = exchange.sending(body);
    }
    specs.check(&exchange)
}

/// A compute of kind Kubernetes with every setting, attached and changed.
async fn kubernetes(emulator: &Emulator, workspace: &Workspace) {
    let cluster = ExistingCluster::new("mygroup", "kube").extension("azureml");
    let cluster = emulator.add_cluster(cluster);
    let identity = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";
    let gpu = InstanceType::new()
        .node_label("agentpool", "gpu")
        .request("cpu", "100m")
        .limit("nvidia.com/gpu", "1");
    let config = KubernetesCompute::attach_configuration(KubernetesClusterRef::id(cluster))
        .namespace("scoring")
        .identity(KubernetesIdentity::user_assigned(identity))
        .default_instance_type("gpu")
        .instance_type("gpu", gpu)
        .description("all of it")
        .tag("team", "forecast")
        .build()
        .unwrap();
    let mut compute = ComputeTarget::attach(workspace, "kube", config)
        .await
        .unwrap();
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    let change = KubernetesUpdateConfiguration::builder()
        .identity(KubernetesIdentity::SystemAssigned)
        .instance_type("cpu", InstanceType::new().limit("cpu", "2"))
        .build()
        .unwrap();
    compute.update(change).await.unwrap();
    compute
        .wait_for_completion(WaitOptions::new())
        .await
        .unwrap();
    let both = [("leaf", "AKS"), ("kube", "Kubernetes")];
    for (name, kind) in both {
        let compute = AnyCompute::get(workspace, name).await.unwrap();
        assert_eq!(compute.compute_type(), kind);
    }
}

/// Every verb with every configuration, once.
async fn everything() -> Vec<Recorded> {
    let emulator = Emulator::builder().page_size(2).build();
    let recorder = Recorder::around(emulator.http_client());
    let workspace = fixture::builder(&emulator)
        .transport(recorder.transport())
        .build()
        .unwrap();

    let made = rcgen::generate_simple_self_signed(vec!["scoring.example.com".to_owned()]).unwrap();
    let own_certificate = || {
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        Tls::certificate(
            "scoring.example.com",
            Pem::text(certificate),
            Pem::text(key),
        )
    };
    let six_fields = VirtualNetwork::new("mygroup", "mynetwork", "default")
        .service_cidr("10.0.0.0/16")
        .dns_service_ip("10.0.0.10")
        .docker_bridge_cidr("172.17.0.1/16");
    let subnet = Network::Subnet(
        Subnet::new("/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/x")
            .service_cidr("10.0.0.0/16")
            .dns_service_ip("10.0.0.10")
            .docker_bridge_cidr("172.17.0.1/16"),
    );
    let new = AksCompute::provisioning_configuration;
    let configurations = [
        ("plain", new()),
        (
            "devtest",
            new()
                .cluster_purpose(ClusterPurpose::DevTest)
                .agent_count(1),
        ),
        (
            "large",
            new()
                .cluster_purpose(ClusterPurpose::DenseProd)
                .vm_size("Standard_D4_v2")
                .agent_count(4)
                .location("westus2")
                .description("all of it")
                .tag("team", "forecast")
                .virtual_network(six_fields)
                .load_balancer(LoadBalancer::internal_in("inner")),
        ),
        (
            "subnet",
            new()
                .virtual_network(subnet)
                .load_balancer(LoadBalancer::internal()),
        ),
        (
            "leaf",
            new().tls(Tls::leaf_domain("mylabel").overwrite_existing_domain(true)),
        ),
        (
            "owncert",
            new()
                .tls(own_certificate())
                .load_balancer(LoadBalancer::PublicIp),
        ),
    ];
    for (name, builder) in configurations {
        let mut aks = ComputeTarget::create(&workspace, name, builder.build().unwrap())
            .await
            .unwrap();
        aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    }
    for (name, cluster) in [
        (
            "by-id",
            ClusterRef::id(emulator.add_cluster(ExistingCluster::new("mygroup", "one"))),
        ),
        ("by-name", ClusterRef::named("mygroup", "two")),
    ] {
        emulator.add_cluster(ExistingCluster::new("mygroup", "two"));
        let config = AksCompute::attach_configuration(cluster)
            .cluster_purpose(ClusterPurpose::DevTest)
            .tls(Tls::leaf_domain("attached"))
            .build()
            .unwrap();
        let mut aks = ComputeTarget::attach(&workspace, name, config)
            .await
            .unwrap();
        aks.wait_for_completion(WaitOptions::new()).await.unwrap();
    }
    kubernetes(&emulator, &workspace).await;
    let listed: Vec<_> = workspace.computes().try_collect().await.unwrap();
    assert_eq!(listed.len(), 9);

    let mut leaf = AksCompute::get(&workspace, "leaf").await.unwrap();
    let tls = |tls| UpdateConfiguration::builder().tls(tls).build().unwrap();
    let internal = UpdateConfiguration::builder().load_balancer(LoadBalancer::internal());
    for change in [
        tls(TlsUpdate::Renew),
        tls(TlsUpdate::Disable),
        tls(TlsUpdate::Enable(own_certificate())),
        internal.build().unwrap(),
    ] {
        leaf.update(change).await.unwrap();
        leaf.wait_for_completion(WaitOptions::new()).await.unwrap();
    }
    leaf.credentials().await.unwrap();
    leaf.delete().await.unwrap().await.unwrap();
    let mut attached = AksCompute::get(&workspace, "by-id").await.unwrap();
    attached.detach().await.unwrap().await.unwrap();
    assert!(
        AksCompute::get_opt(&workspace, "absent")
            .await
            .unwrap()
            .is_none()
    );
    recorder.seen()
}

/// Every verb on the extension of an AKS cluster and of an Arc-connected one.
async fn extensions() -> Vec<Recorded> {
    let emulator = Emulator::new();
    let recorder = Recorder::around(emulator.http_client());
    let workspace = fixture::builder(&emulator)
        .transport(recorder.transport())
        .build()
        .unwrap();
    let managed = emulator.add_cluster(ExistingCluster::new("mygroup", "c"));
    let connected = emulator.add_connected_cluster(ConnectedCluster::new("mygroup", "edge"));
    for id in [managed, connected] {
        let cluster = || KubernetesClusterRef::id(&id);
        let config = ExtensionConfiguration::builder()
            .training(true)
            .inference(true)
            .router_service_type(RouterServiceType::LoadBalancer)
            .tls(ExtensionTls::secret("scoring.example.com", "certificate"))
            .setting("relayserver.enabled", "false")
            .protected_setting("own", "secret")
            .build()
            .unwrap();
        let install = Extension::install(&workspace, cluster(), "azureml", config);
        let extension = install.await.unwrap().await.unwrap();
        let change = ExtensionUpdateConfiguration::builder()
            .training(false)
            .release_train("preview")
            .build()
            .unwrap();
        let extension = extension.update(change).await.unwrap().await.unwrap();
        let list = Extension::list(&workspace, cluster()).unwrap();
        assert_eq!(list.try_collect::<Vec<_>>().await.unwrap().len(), 1);
        extension.delete().await.unwrap().await.unwrap();
    }
    let seen = recorder.seen().into_iter();
    seen.filter(|seen| seen.url.contains("/Microsoft.KubernetesConfiguration/"))
        .collect()
}

/// Every verb on clusters and node pools, with every setting.
async fn own_clusters() -> Vec<Recorded> {
    let emulator = Emulator::new();
    let recorder = Recorder::around(emulator.http_client());
    let workspace = fixture::builder(&emulator)
        .transport(recorder.transport())
        .build()
        .unwrap();
    let group = emulator.resource_group();
    let new = |name: &str| ManagedClusterConfiguration::builder(group, name);
    let subnet = format!(
        "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/myvnet/subnets/default",
        emulator.subscription()
    );
    let identity = format!(
        "/subscriptions/{}/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i",
        emulator.subscription()
    );
    let network = Subnet::new(subnet)
        .service_cidr("10.3.0.0/16")
        .dns_service_ip("10.3.0.10");
    for config in [
        new("plain"),
        new("private")
            .private_cluster()
            .outbound_type(OutboundType::UserDefinedRouting)
            .network_plugin("azure")
            .virtual_network(network),
        new("all")
            .location("westus2")
            .vm_size("Standard_D3_v2")
            .autoscaler(1..=5)
            .authorized_ip_ranges(["203.0.113.0/24"])
            .user_assigned_identity(identity)
            .tier("Standard")
            .local_accounts(false)
            .tag("a", "1"),
    ] {
        let create = ManagedCluster::create(&workspace, config.build().unwrap());
        create.await.unwrap().await.unwrap();
    }
    let config = new("attached").kubernetes_version("1.34").build().unwrap();
    let attach = AksCompute::attach_configuration(config.to_ref())
        .build()
        .unwrap();
    let create = ManagedCluster::create(&workspace, config);
    let creating = create.then_attach(&workspace, "myaks", attach);
    let aks = creating.await.unwrap().await.unwrap();
    aks.scale(4).await.unwrap().await.unwrap();
    aks.autoscale(2..=6).await.unwrap().await.unwrap();
    aks.autoscale_off().await.unwrap().await.unwrap();
    for name in ["plain", "private"] {
        let named = ClusterRef::named(group, name);
        let cluster = ManagedCluster::get(&workspace, &named).await.unwrap();
        cluster.delete(name).await.unwrap().await.unwrap();
    }
    let seen = recorder.seen().into_iter();
    // The rest is that of the other test.
    seen.filter(|seen| seen.url.contains("/Microsoft.ContainerService/"))
        .collect()
}
