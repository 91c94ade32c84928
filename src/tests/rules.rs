//! Every rule that a builder checks is broken at least once through the public builders, so that no
//! rule is dead and no id is only documented. The examples of the registry are tried wherever a check
//! takes a text. What no builder checks is broken by the tests of the verbs, and has to be named there.

use crate::compute::aks::certificate::fixtures::{self, Authority, days_later, now};
use crate::error::{Error, Finding, Severity};
use crate::extension::ClusterFacts;
use crate::names::{ComputeName, WorkspaceId};
use crate::rules;
use crate::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const NAME: &str = "scoring.example.com";

/// The result of a check: the error, or the findings that do not refuse.
pub(super) type Found = Result<Vec<Finding>, Error>;

#[derive(Default)]
pub(super) struct Seen {
    rules: BTreeSet<&'static str>,
    /// Examples that break another rule than their own, or none.
    harmless: Vec<String>,
}

impl Seen {
    /// Notes the rules of a result.
    fn found(&mut self, found: &Found) {
        let (findings, refused) = match found {
            Ok(findings) => (findings.as_slice(), false),
            Err(error) => (error.findings(), true),
        };
        for finding in findings {
            let rule = rules::all().find(|rule| rule.id == finding.rule);
            assert_eq!(finding.severity, rule.unwrap().severity, "{finding:?}");
            assert_eq!(finding.severity == Severity::Error, refused, "{finding:?}");
            assert!(!finding.path.is_empty(), "{finding:?}");
            for text in [&finding.message, &finding.remedy] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{finding:?}");
                // Some warnings begin with GPU.
                assert!(
                    !refused || !text.starts_with(char::is_uppercase),
                    "{finding:?}"
                );
            }
            self.rules.insert(finding.rule);
        }
    }

    pub(super) fn error<T: std::fmt::Debug>(&mut self, result: Result<T, Error>) {
        self.found(&Err(result.unwrap_err()));
    }

    pub(super) fn warnings(&mut self, warnings: &[Finding]) {
        assert!(!warnings.is_empty());
        self.found(&Ok(warnings.to_vec()));
    }

    /// Tries the examples in backticks of every rule whose id begins with `prefix`: each has to break
    /// the rule that it belongs to.
    pub(super) fn examples(&mut self, prefix: &str, check: impl Fn(&str) -> Found) {
        let mut tried = 0;
        for rule in rules::all().filter(|rule| rule.id.starts_with(prefix)) {
            for text in rule.broken_by.split('`').skip(1).step_by(2) {
                let found = check(if text == "\"\"" { "" } else { text });
                let findings = match &found {
                    Ok(findings) => findings,
                    Err(error) => error.findings(),
                };
                if !findings.iter().any(|finding| finding.rule == rule.id) {
                    let id = rule.id;
                    self.harmless
                        .push(format!("{text} does not break {id}: {found:?}"));
                }
                self.found(&found);
                tried += 1;
            }
        }
        assert!(tried > 0, "no rule {prefix} has an example in backticks");
    }

    fn create(&mut self, builder: ProvisioningConfigurationBuilder) {
        self.create_at(builder, now());
    }

    fn create_at(&mut self, builder: ProvisioningConfigurationBuilder, now: SystemTime) {
        let found = create(builder, now);
        assert!(!matches!(&found, Ok(findings) if findings.is_empty()));
        self.found(&found);
    }

    fn own_certificate(&mut self, cname: &str, pems: &(String, String), now: SystemTime) {
        let tls = Tls::certificate(cname, Pem::text(&pems.0), Pem::text(&pems.1));
        self.create_at(ProvisioningConfiguration::builder().tls(tls), now);
    }
}

fn create(builder: ProvisioningConfigurationBuilder, now: SystemTime) -> Found {
    Ok(builder.build_at(now)?.warnings().to_vec())
}

fn see_examples(seen: &mut Seen) {
    let new = ProvisioningConfiguration::builder;
    let attach = |cluster| {
        Ok(AttachConfiguration::builder(cluster)
            .build()?
            .warnings()
            .to_vec())
    };
    let network = VirtualNetwork::new("g", "v", "n")
        .service_cidr("10.0.0.0/16")
        .dns_service_ip("10.0.0.10")
        .docker_bridge_cidr("172.17.0.1/16");
    let network = &network;
    let within = |network| create(new().virtual_network(network), now());

    seen.examples("name.", |text| ComputeName::new(text).map(|_| Vec::new()));
    seen.examples("segment.", |text| {
        WorkspaceId::new(text, "g", "w").map(|_| Vec::new())
    });
    seen.examples("cluster.name", |text| attach(ClusterRef::named("g", text)));
    seen.examples("resource_id.shape", |text| attach(ClusterRef::id(text)));
    seen.examples("purpose.", |text| {
        create(new().cluster_purpose(text.into()), now())
    });
    seen.examples("vm_size.", |text| create(new().vm_size(text), now()));
    seen.examples("location.", |text| create(new().location(text), now()));
    seen.examples("agent_count.", |text| {
        create(new().agent_count(text.parse().unwrap()), now())
    });
    seen.examples("network.service_cidr.", |text| {
        // A DNS address outside the range would be an error, which hides the warnings.
        let start: Vec<&str> = text.split('.').take(2).collect();
        let dns = format!("{}.0.10", start.join("."));
        within(network.clone().service_cidr(text).dns_service_ip(dns))
    });
    seen.examples("network.dns_ip.", |text| {
        within(network.clone().dns_service_ip(text))
    });
    seen.examples("network.bridge_cidr.", |text| {
        within(network.clone().docker_bridge_cidr(text))
    });
    seen.examples("load_balancer.", |text| {
        create(new().load_balancer(LoadBalancer::internal_in(text)), now())
    });
    let own =
        |builder: ManagedClusterConfigurationBuilder| Ok(builder.build()?.warnings().to_vec());
    let cluster = || ManagedClusterConfiguration::builder("g", "c");
    seen.examples("cluster.empty", |text| {
        own(cluster().kubernetes_version(text))
    });
    seen.examples("cluster.outbound_needs_subnet", |text| {
        own(cluster().outbound_type(text))
    });
    seen.examples("cluster.authorized_ranges.syntax", |text| {
        own(cluster().authorized_ip_ranges([text]))
    });
    seen.examples("cluster.docker_bridge", |text| {
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n";
        // The second example is the name of the type.
        let range = if text.starts_with('1') { text } else { "172.17.0.1/16" };
        own(cluster().virtual_network(Subnet::new(id).docker_bridge_cidr(range)))
    });
    seen.examples("pool.name", |text| own(cluster().system_pool(text)));
    seen.examples("pool.nodes", |text| {
        own(cluster().node_count(text.parse().unwrap()))
    });
    seen.examples("pool.system_nodes", |text| {
        own(cluster().node_count(text.parse().unwrap()))
    });
    see_kubernetes_examples(seen);
    seen.examples("tags.name", |text| create(new().tag(text, ""), now()));
    seen.examples("tls.leaf_domain_label", |text| {
        create(new().tls(Tls::leaf_domain(text)), now())
    });
    seen.examples("tls.cname.syntax", |text| {
        let tls = Tls::certificate(text, Pem::text(""), Pem::text(""));
        create(new().tls(tls), now())
    });
}

fn see_kubernetes_examples(seen: &mut Seen) {
    let kubernetes =
        || KubernetesCompute::attach_configuration(KubernetesClusterRef::managed("g", "c"));
    let attach =
        |builder: KubernetesAttachConfigurationBuilder| Ok(builder.build()?.warnings().to_vec());
    let with = |instance_type| attach(kubernetes().instance_type("t", instance_type));
    let new = InstanceType::new;

    seen.examples("namespace.", |text| attach(kubernetes().namespace(text)));
    seen.examples("instance_type.name", |text| {
        attach(kubernetes().instance_type(text, new()))
    });
    seen.examples("instance_type.node_selector", |text| {
        with(new().node_label(text, "value"))
    });
    seen.examples("instance_type.resource", |text| {
        with(new().limit(text, "1"))
    });
    seen.examples("instance_type.quantity", |text| {
        with(new().request("cpu", text))
    });
    seen.examples("instance_type.extended_resource", |text| {
        with(new().limit("nvidia.com/gpu", text))
    });
    seen.found(&with(new().request("memory", "2Gi").limit("memory", "1Gi")));
    #[cfg(feature = "services")]
    see_compute_files(seen);
    let other = kubernetes().instance_type("gpu", new());
    seen.found(&attach(other.default_instance_type("cpu")));
}

#[cfg(feature = "services")]
fn see_compute_files(seen: &mut Seen) {
    const CLUSTER: &str = "resource_id: /subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c";
    let read = KubernetesAttachConfiguration::builder_from_text;
    let build = |text: String| read(&text)?.build().map(|built| built.warnings().to_vec());
    for rule in [
        "compute_file.type",
        "compute_file.identity",
        "compute_file.unknown_key",
    ] {
        seen.examples(rule, |member| {
            build(format!("type: kubernetes\n{CLUSTER}\n{member}"))
        });
    }
    seen.examples("compute_file.kind", |member| {
        build(format!("{CLUSTER}\n{member}"))
    });
    seen.error(read("[]"));
    seen.error(KubernetesAttachConfiguration::builder_from_file(
        "does/not/exist",
    ));
}

fn see_extension(seen: &mut Seen) {
    let built = |builder: ExtensionConfigurationBuilder| Ok(builder.build()?.warnings().to_vec());
    let training = || ExtensionConfiguration::builder().training(true);
    let inference = || {
        training()
            .inference(true)
            .router_service_type(RouterServiceType::LoadBalancer)
    };
    let insecure = || inference().allow_insecure_connections(true);
    let name = "a.example.com";

    seen.examples("extension.service_type", |text| {
        built(insecure().setting("inferenceRouterServiceType", text))
    });
    seen.examples("extension.tls_secret", |text| {
        built(inference().tls(ExtensionTls::secret(name, text)))
    });
    seen.examples("extension.node_selector", |text| {
        built(training().node_label(text, "x"))
    });
    seen.examples("extension.setting_name", |text| {
        built(training().setting(text, "x"))
    });
    seen.examples("extension.pem_file", |text| {
        built(training().protected_setting(text, "/a.pem".to_owned()))
    });
    seen.examples("extension.setting_secret", |text| {
        built(training().setting(text, "x"))
    });
    seen.found(&built(ExtensionConfiguration::builder()));
    seen.found(&built(inference()));
    seen.found(&built(training().setting("sslSecret", "s")));
    seen.found(&built(insecure().tls(ExtensionTls::secret(name, "s"))));
    let node_port = insecure().router_service_type(RouterServiceType::NodePort);
    seen.found(&built(node_port.internal_load_balancer()));
    seen.found(&built(
        training().setting("a", "x").protected_setting("A", "x"),
    ));
    seen.found(&built(training().version("1").auto_upgrade(true)));
    seen.error(ExtensionUpdateConfiguration::builder().build());

    let cluster = |is_managed| ClusterFacts {
        id: "/i".to_owned(),
        name: "c".to_owned(),
        is_managed,
        location: "eastus".to_owned(),
        nodes: Some(2),
        is_openshift: false,
    };
    let on = |builder: ExtensionConfigurationBuilder, is_managed| {
        builder.build().unwrap().body(&cluster(is_managed))
    };
    seen.error(on(insecure().internal_load_balancer(), false));
    seen.error(on(insecure().high_availability(true), true));
    let change = ExtensionUpdateConfiguration::builder().protected_setting("a", "x");
    let current =
        json!({ "properties": { "configurationSettings": { "enableTraining": "True" } } });
    let current = serde_json::from_value(current).unwrap();
    seen.error(change.build().unwrap().body(false, &current));
}

#[test]
fn every_rule_can_be_broken() {
    let mut seen = Seen::default();
    see_extension(&mut seen);
    let builder = ProvisioningConfiguration::builder;

    see_examples(&mut seen);

    // A cluster that is an agent pool.
    let id =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters";
    let cluster = ClusterRef::id(format!("{id}/a/agentPools/b"));
    seen.error(AttachConfiguration::builder(cluster).build());

    seen.create(builder().agent_count(2));
    seen.create(builder().agent_count(2).vm_size("Standard_D4_v2"));
    seen.create(builder().vm_size("Standard_D99_v2"));
    seen.create(
        builder()
            .cluster_purpose(ClusterPurpose::DevTest)
            .vm_size("Standard_D1_v2"),
    );

    let own = || ManagedClusterConfiguration::builder("g", "c");
    seen.error(
        own()
            .autoscaler(std::ops::RangeInclusive::new(5, 1))
            .build(),
    );
    let basic = own().load_balancer_sku("basic");
    seen.warnings(basic.clone().build().unwrap().warnings());
    seen.error(basic.authorized_ip_ranges(["203.0.113.0/24"]).build());
    let public = own().private_cluster_with_public_fqdn().build().unwrap();
    seen.warnings(public.warnings());
    seen.warnings(own().local_accounts(false).build().unwrap().warnings());

    seen.create(builder().virtual_network(Subnet::new("x")));

    seen.create(
        builder()
            .tag("a", "x".repeat(257))
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
        super::deploy_rules::see(&mut seen);
        super::inference_rules::see(&mut seen);
    }

    assert!(seen.harmless.is_empty(), "{:#?}", seen.harmless);
    let built = |feature: &&str| match *feature {
        "services" => cfg!(feature = "services"),
        "tls_checks" => cfg!(feature = "tls_checks"),
        other => panic!("{other} is a feature that this test does not know"),
    };
    let of_requests: BTreeSet<_> = rules::of_requests().map(|rule| rule.id).collect();
    let of_builders: BTreeSet<_> = rules::sections()
        .filter(|section| section.needs.iter().all(built))
        .flat_map(|section| section.rules)
        .map(|rule| rule.id)
        .filter(|id| !of_requests.contains(id))
        .collect();
    let unbroken: Vec<_> = of_builders.difference(&seen.rules).collect();
    let unexpected: Vec<_> = seen.rules.difference(&of_builders).collect();
    assert!(
        unbroken.is_empty() && unexpected.is_empty(),
        "never broken {unbroken:?}, broken against the registry {unexpected:?}"
    );
}

/// The tests of the verbs run on the emulator; an id in quotation marks is one that they expect.
#[test]
fn every_rule_of_a_request_is_named_by_a_test_of_a_verb() {
    fn read(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, text);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut tests = String::new();
    read(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"),
        &mut tests,
    );
    // The rules of the preflight have tests of their own, which are held to the registry.
    let unnamed: Vec<_> = rules::of_requests()
        .filter(|rule| !rule.id.starts_with("preflight."))
        .filter(|rule| !tests.contains(&format!("{:?}", rule.id)))
        .map(|rule| rule.id)
        .collect();
    assert!(unnamed.is_empty(), "no test names {unnamed:?}");
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
