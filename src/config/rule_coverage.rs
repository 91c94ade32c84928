//! Every rule of the registry is broken at least once through the public builders, so that no rule
//! is dead and no id is only documented.

use super::certificate::fixtures::{self, Authority, days_later, now};
use super::*;
use crate::error::{Error, Finding, Severity};
use crate::names::{ComputeName, WorkspaceId};
use crate::rules::ALL;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

const NAME: &str = "scoring.example.com";

/// Rules that need the feature `tls_checks` to be broken.
const NEEDS_TLS_CHECKS: &[&str] = &[
    "tls.certificate_syntax",
    "tls.chain_expired",
    "tls.chain_incomplete",
    "tls.cname.not_covered",
    "tls.expired",
    "tls.expires_soon",
    "tls.key_mismatch",
    "tls.key_syntax",
    "tls.not_yet_valid",
    "tls.self_signed",
];

/// Rules that need the feature `services` to be broken.
fn needs_services(id: &str) -> bool {
    let area = id.split('.').next().unwrap();
    NEEDS_SERVICES.contains(&area)
}

/// The areas of those rules.
const NEEDS_SERVICES: &[&str] = &[
    "conda",
    "deploy",
    "deploy_file",
    "deployment",
    "dockerfile",
    "entry_script",
    "environment",
    "inference_file",
    "load",
    "model",
    "namespace",
    "service_name",
    "service_update",
    "source_directory",
];

/// Rules of verbs, which `tests/models.rs`, `tests/services.rs` and `tests/verbs.rs` break.
const OF_VERBS: &[&str] = &[
    "compute.deviates",
    "deployment.checked",
    "deployment.models",
    "deployment.no_code",
    "deployment.not_checked",
    "deployment.workspace",
    "model.framework_missing",
    "model.property",
    "model.resource_needs.positive",
    "model.run_output",
    "model.update_nothing",
    "model.version",
];

#[derive(Default)]
pub(super) struct Seen(BTreeSet<&'static str>);

impl Seen {
    pub(super) fn error<T: std::fmt::Debug>(&mut self, result: Result<T, Error>) {
        for finding in result.unwrap_err().findings() {
            assert_eq!(finding.severity, Severity::Error, "{finding:?}");
            assert!(!finding.path.is_empty(), "{finding:?}");
            for text in [&finding.message, &finding.remedy] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{finding:?}");
                assert!(!text.starts_with(char::is_uppercase), "{finding:?}");
            }
            self.0.insert(finding.rule);
        }
    }

    pub(super) fn warnings(&mut self, warnings: &[Finding]) {
        assert!(!warnings.is_empty());
        let refuses = |found: &Finding| found.severity == Severity::Error;
        assert!(!warnings.iter().any(refuses), "{warnings:?}");
        self.0.extend(warnings.iter().map(|warning| warning.rule));
    }

    fn create(&mut self, builder: ProvisioningConfigurationBuilder) {
        self.create_at(builder, now());
    }

    fn create_at(&mut self, builder: ProvisioningConfigurationBuilder, now: SystemTime) {
        match builder.build_at(now) {
            Ok(config) => self.warnings(config.warnings()),
            Err(error) => self.error::<()>(Err(error)),
        }
    }

    fn own_certificate(&mut self, cname: &str, pems: &(String, String), now: SystemTime) {
        let tls = Tls::certificate(cname, Pem::text(&pems.0), Pem::text(&pems.1));
        self.create_at(ProvisioningConfiguration::builder().tls(tls), now);
    }
}

#[test]
fn every_rule_can_be_broken() {
    let mut seen = Seen::default();
    let builder = ProvisioningConfiguration::builder;

    for name in ["", "a_b", "1ab", "ab-", "ab-1", "local"] {
        seen.error(ComputeName::new(name));
    }
    seen.error(WorkspaceId::new("", "a/b", "c"));

    let id =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters";
    for cluster in [
        ClusterRef::id("x"),
        ClusterRef::id(format!("{id}/a/agentPools/b")),
        ClusterRef::named("g", "-a"),
    ] {
        seen.error(AttachConfiguration::builder(cluster).build());
    }

    seen.create(
        builder()
            .cluster_purpose("".into())
            .vm_size("")
            .location(" "),
    );
    seen.create(builder().agent_count(0));
    seen.create(builder().agent_count(2));
    seen.create(builder().agent_count(2).vm_size("Standard_D4_v2"));
    seen.create(
        builder()
            .cluster_purpose(ClusterPurpose::DevTest)
            .vm_size("Standard_D1_v2"),
    );

    for (service, dns, bridge) in [
        ("x", "y", "z"),
        ("10.0.0.0/16", "10.0.0.1", "10.0.0.1/16"),
        ("10.0.0.0/16", "11.0.0.1", "172.17.0.1/16"),
        ("172.30.0.1/8", "172.0.0.10", "10.0.0.1/16"),
    ] {
        let network = VirtualNetwork::new("g", "v", "n")
            .service_cidr(service)
            .dns_service_ip(dns)
            .docker_bridge_cidr(bridge);
        seen.create(builder().virtual_network(network));
    }
    seen.create(builder().virtual_network(Subnet::new("x")));

    seen.create(builder().load_balancer(LoadBalancer::internal_in("")));
    seen.create(
        builder()
            .tag("a<b", "x".repeat(257))
            .tags((0..50).map(|i| (i.to_string(), ""))),
    );

    seen.create(
        builder()
            .tls(Tls::leaf_domain("a.b"))
            .load_balancer(LoadBalancer::internal()),
    );
    seen.create(
        builder().tls(
            Tls::certificate("a/b", Pem::text(""), Pem::file("does/not/exist"))
                .overwrite_existing_domain(true),
        ),
    );
    see_certificates(&mut seen);

    seen.error(UpdateConfiguration::builder().build());
    let renew = UpdateConfiguration::builder()
        .tls(TlsUpdate::Renew)
        .build()
        .unwrap();
    seen.error(renew.apply(json!({ "properties": {} })));
    seen.error(renew.apply(Value::Null));

    #[cfg(feature = "services")]
    {
        deploy::rule_coverage::see(&mut seen);
        let (errors, warnings) = inference::coverage::breaches();
        for error in errors {
            seen.error::<()>(Err(error));
        }
        seen.warnings(&warnings);
        seen.error(crate::names::ModelName::new(""));
        seen.error(crate::names::ModelName::new("_a:b"));
    }

    let registered: BTreeSet<_> = ALL
        .iter()
        .map(|(id, ..)| *id)
        .filter(|id| cfg!(feature = "tls_checks") || !NEEDS_TLS_CHECKS.contains(id))
        .filter(|id| cfg!(feature = "services") || !needs_services(id))
        .filter(|id| !OF_VERBS.contains(id))
        .collect();
    let unbroken: Vec<_> = registered.difference(&seen.0).collect();
    let unknown: Vec<_> = seen.0.difference(&registered).collect();
    assert!(
        unbroken.is_empty() && unknown.is_empty(),
        "never broken {unbroken:?}, not registered {unknown:?}"
    );
}

fn see_certificates(seen: &mut Seen) {
    let authority = Authority::new();
    let good = authority.chain(&[NAME]);
    let with = |certificate: &str, key: &str| (certificate.to_owned(), key.to_owned());

    seen.own_certificate(NAME, &with("", ""), now());
    seen.own_certificate(
        NAME,
        &with(&good.0, &good.1.replace("PRIVATE", "ENCRYPTED PRIVATE")),
        now(),
    );
    // PKCS #8 of an algorithm that nobody has registered.
    let der = [
        0x30, 0x0c, 0x02, 0x01, 0x00, 0x30, 0x04, 0x06, 0x02, 0x2a, 0x03, 0x04, 0x01, 0x00,
    ];
    seen.own_certificate(
        NAME,
        &with(&good.0, &fixtures::pem("PRIVATE KEY", &der)),
        now(),
    );

    if cfg!(feature = "tls_checks") {
        seen.own_certificate("other.example.com", &good, now());
        seen.own_certificate(NAME, &good, UNIX_EPOCH);
        seen.own_certificate(NAME, &good, days_later(200));
        seen.own_certificate(NAME, &good, days_later(300));
        seen.own_certificate(NAME, &with(&good.0, &authority.intermediate_key_pem), now());
        seen.own_certificate(NAME, &fixtures::self_signed(&[NAME]), now());
        let broken = (
            fixtures::pem("CERTIFICATE", b"x"),
            fixtures::pem("PRIVATE KEY", b"x"),
        );
        seen.own_certificate(NAME, &broken, now());
        let leaf = authority.leaf(&[NAME], &rcgen::KeyPair::generate().unwrap());
        seen.own_certificate(NAME, &leaf, now());
        seen.own_certificate(NAME, &authority.long_lived(&[NAME]), days_later(600));
    }
}

#[test]
fn configurations_can_be_kept_shared_and_moved() {
    fn holds<T: Clone + std::fmt::Debug + Send + Sync + 'static>() {}
    holds::<ProvisioningConfiguration>();
    holds::<ProvisioningConfigurationBuilder>();
    holds::<AttachConfiguration>();
    holds::<AttachConfigurationBuilder>();
    holds::<UpdateConfiguration>();
    holds::<UpdateConfigurationBuilder>();
}

#[test]
fn no_configuration_shows_its_key_or_certificate() {
    let (certificate, key) = Authority::new().chain(&[NAME]);
    let secrets = [
        certificate.lines().nth(1).unwrap().to_owned(),
        key.lines().nth(1).unwrap().to_owned(),
    ];
    let tls = Tls::certificate(NAME, Pem::text(&certificate), Pem::text(&key));

    let create = ProvisioningConfiguration::builder().tls(tls.clone());
    let attach = AttachConfiguration::builder(ClusterRef::named("g", "c")).tls(tls.clone());
    let update = UpdateConfiguration::builder().tls(TlsUpdate::Enable(tls));
    let workspace = WorkspaceId::parse("s", "g", "w").unwrap();
    for text in [
        format!("{create:?}{:?}", create.clone().build_at(now()).unwrap()),
        format!("{attach:?}{:?}", attach.clone().build_at(now()).unwrap()),
        format!("{update:?}{:?}", update.clone().build_at(now()).unwrap()),
    ] {
        assert!(secrets.iter().all(|secret| !text.contains(secret)));
    }
    let body = create.build_at(now()).unwrap().body(&workspace, "eastus");
    assert_eq!(
        body["properties"]["properties"]["sslConfiguration"],
        json!({ "status": "Enabled", "cname": NAME, "cert": certificate, "key": key })
    );
}

#[test]
fn files_are_sent_as_they_are_and_read_only_once() {
    let (certificate, key) = Authority::new().chain(&[NAME]);
    let folder = std::env::temp_dir().join(format!("azureml-aks-pem-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("cert.pem"), &certificate).unwrap();
    std::fs::write(folder.join("key.pem"), &key).unwrap();
    let tls = Tls::certificate(
        NAME,
        Pem::file(folder.join("cert.pem")),
        Pem::file(folder.join("key.pem")),
    );
    let config = AttachConfiguration::builder(ClusterRef::named("g", "c"))
        .tls(tls)
        .build_at(now());
    std::fs::remove_dir_all(&folder).unwrap();
    let body = config
        .unwrap()
        .body(&WorkspaceId::parse("s", "g", "w").unwrap(), "eastus");
    let ssl = &body["properties"]["properties"]["sslConfiguration"];
    assert_eq!(
        (ssl["cert"].as_str(), ssl["key"].as_str()),
        (Some(certificate.as_str()), Some(key.as_str()))
    );
}

#[test]
fn no_text_makes_a_check_panic() {
    let long = "é".repeat(10_000);
    for text in [
        "",
        " ",
        "\0",
        "-",
        "/",
        "//",
        "..",
        "é",
        "0",
        "1/",
        "1.1.1.1/-1",
        "*.",
        &long,
    ] {
        let _ = ComputeName::new(text);
        let _ = WorkspaceId::new(text, text, text);
        let tls = Tls::certificate(text, Pem::text(text), Pem::text(text));
        let network = VirtualNetwork::new(text, text, text)
            .service_cidr(text)
            .dns_service_ip(text)
            .docker_bridge_cidr(text);
        let create = ProvisioningConfiguration::builder()
            .cluster_purpose(text.into())
            .vm_size(text)
            .agent_count(u32::MAX)
            .location(text)
            .virtual_network(network)
            .tls(tls.clone())
            .load_balancer(LoadBalancer::internal_in(text))
            .tag(text, text);
        assert!(create.build().is_err());
        for cluster in [ClusterRef::id(text), ClusterRef::named(text, text)] {
            let _ = AttachConfiguration::builder(cluster)
                .tls(Tls::leaf_domain(text))
                .build();
        }
        let pem = Pem::file(text);
        let tls = TlsUpdate::Enable(Tls::certificate(text, pem.clone(), pem));
        assert!(UpdateConfiguration::builder().tls(tls).build().is_err());
    }
}
