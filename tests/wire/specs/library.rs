//! Checks what this library sends and what the emulator answers against Microsoft's published
//! descriptions.

use crate::support::fixture;
use crate::support::recorder::{Recorded, Recorder};
use crate::support::specs::allowed::{LIBRARY, LIBRARY_ROUTES, verdict};
use crate::support::specs::{Exchange, Report, Specs};
use azureml_aks::emulator::{Emulator, ExistingCluster};
use azureml_aks::{
    AksCompute, ClusterPurpose, ClusterRef, ComputeTarget, LoadBalancer, Network, Pem, Subnet, Tls,
    TlsUpdate, UpdateConfiguration, VirtualNetwork, WaitOptions,
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
    let listed: Vec<_> = workspace.computes().try_collect().await.unwrap();
    assert_eq!(listed.len(), 8);

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
