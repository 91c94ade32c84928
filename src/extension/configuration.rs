//! The configuration of an install.

use super::relay::ExtensionRelay;
use super::settings::{
    self, ClusterFacts, Given, ROUTER_SSL_CERT, ROUTER_SSL_SECRET, Settings, check_together,
    setting_setters,
};
use super::tls::ExtensionTls;
use crate::error::{Error, Finding, Hidden};
use crate::facts::arm::EXTENSION_TYPE;
use crate::names::plain;
use crate::rules::Findings;
use azure_core::credentials::Secret;
use serde_json::{Map, Value, json};
use std::fmt;

/// The namespace of the extension in the cluster. `az k8s-extension` takes no other.
const NAMESPACE: &str = "azureml";

/// The release train that `az k8s-extension create` sends where none is given.
const RELEASE_TRAIN: &str = "stable";

/// How clients reach the router of inference (`azureml-fe`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RouterServiceType {
    /// On an address inside the cluster; for clients outside, add a load balancer or an ingress of your own.
    ClusterIp,
    /// Through a load balancer; the cluster must support one.
    LoadBalancer,
    /// On a port of each node.
    NodePort,
}

impl RouterServiceType {
    /// Returns the type as the setting `inferenceRouterServiceType` has it: `ClusterIP`, `LoadBalancer` or `NodePort`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClusterIp => "ClusterIP",
            Self::LoadBalancer => "LoadBalancer",
            Self::NodePort => "NodePort",
        }
    }
}

impl fmt::Display for RouterServiceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The valid configuration of an install of Azure Machine Learning's extension (`microsoft.azureml.kubernetes`).
///
/// Made by [`builder`](Self::builder). It does not depend on the cluster, so that one configuration can be used for many.
/// The settings that `az k8s-extension create` derives from the cluster are added when the extension is
/// [installed](crate::Extension::install). `docs/internals/wire.md` lists them.
#[must_use = "a configuration does nothing until an extension is installed with it"]
#[derive(Debug, Clone, PartialEq)]
pub struct ExtensionConfiguration {
    settings: Settings,
    location: Option<String>,
    warnings: Vec<Finding>,
}

impl ExtensionConfiguration {
    /// Starts a configuration.
    ///
    /// ```
    /// use azureml_aks::{ExtensionConfiguration, RouterServiceType};
    ///
    /// let config = ExtensionConfiguration::builder()
    ///     .training(true)
    ///     .inference(true)
    ///     .router_service_type(RouterServiceType::LoadBalancer)
    ///     .allow_insecure_connections(true)
    ///     .high_availability(false)
    ///     .setting("logAnalyticsWS", "false")
    ///     .build()?;
    /// assert!(config.settings().any(|setting| setting == ("enableInference", "True")));
    ///
    /// let error = ExtensionConfiguration::builder()
    ///     .inference(true)
    ///     .router_service_type(RouterServiceType::NodePort)
    ///     .internal_load_balancer()
    ///     .build()
    ///     .unwrap_err();
    /// assert_eq!(error.findings().len(), 2, "no TLS, and a node port that is internal: {error}");
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn builder() -> ExtensionConfigurationBuilder {
        ExtensionConfigurationBuilder::default()
    }

    /// Returns the findings that do not make the configuration invalid: settings that are allowed but probably not meant.
    #[must_use]
    pub fn warnings(&self) -> &[Finding] {
        &self.warnings
    }

    /// Returns the given settings by the names that are sent, sorted, without the protected ones.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str)> {
        let open = self.settings.open.iter();
        open.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the names of the protected settings, sorted.
    pub fn protected_settings(&self) -> impl Iterator<Item = &str> {
        self.settings.protected.keys().map(String::as_str)
    }

    /// Returns the release train: the given one, or `stable`.
    #[must_use]
    pub fn release_train(&self) -> &str {
        let given = self.settings.release_train.as_deref();
        given.unwrap_or(RELEASE_TRAIN)
    }

    /// Returns the pinned version, if one was given.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.settings.version.as_deref()
    }

    /// Returns whether the settings ask for a router that needs three nodes.
    pub(crate) fn is_highly_available(&self) -> bool {
        self.settings.is_on(settings::HIGH_AVAILABILITY)
    }

    /// Returns whether the extension takes over the router of a compute of kind AKS.
    pub(crate) fn takes_over(&self) -> bool {
        self.settings.is_on(settings::TAKE_OVER)
    }

    /// Returns the region of the cluster, if it was given.
    pub(super) fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    pub(super) fn hidden(&self) -> Hidden {
        self.settings.hidden()
    }

    /// Checks the rules that depend on the kind of cluster and on the number of its nodes.
    pub(crate) fn check(&self, is_managed: bool, nodes: Option<u32>) -> Result<(), Error> {
        let mut findings = Findings::default();
        self.settings
            .check_cluster(is_managed, nodes, &mut findings);
        findings.finish("extension configuration").map(drop)
    }

    /// Returns the body of the install, with the protected settings in clear.
    pub(crate) fn body(&self, cluster: &ClusterFacts) -> Result<Value, Error> {
        self.check(cluster.is_managed, cluster.nodes)?;
        let settings = &self.settings;
        let protected = settings.protected.iter();
        let mut properties = json!({
            "extensionType": EXTENSION_TYPE,
            "autoUpgradeMinorVersion": settings.auto_upgrade.unwrap_or(true),
            "releaseTrain": self.release_train(),
            "scope": { "cluster": { "releaseNamespace": NAMESPACE } },
            "configurationSettings": settings.complete(cluster),
            "configurationProtectedSettings": clear(protected),
        });
        if let Some(version) = &settings.version {
            properties["version"] = version.as_str().into();
        }
        Ok(json!({ "identity": { "type": "SystemAssigned" }, "properties": properties }))
    }
}

/// Returns protected settings in clear, as they are sent.
pub(super) fn clear<'a>(
    protected: impl Iterator<Item = (&'a String, &'a Secret)>,
) -> Map<String, Value> {
    protected
        .map(|(name, value)| (name.clone(), value.secret().into()))
        .collect()
}

/// The builder of an [`ExtensionConfiguration`].
///
/// Setters take the value as it is; [`build`](Self::build) checks all of them together.
#[must_use = "a builder does nothing until `build()`"]
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExtensionConfigurationBuilder {
    given: Given,
    location: Option<String>,
}

impl ExtensionConfigurationBuilder {
    setting_setters!();

    /// Sets the region of the cluster, for example `westeurope`, from which settings are derived. Without it the cluster is
    /// read; with it the cluster is not read, and rules about the number of nodes are not checked.
    pub fn cluster_location(mut self, location: impl AsRef<str>) -> Self {
        self.location = Some(plain(location.as_ref()).collect());
        self
    }

    /// Checks everything together. It reads the PEM files of [`ExtensionTls`], and nothing else.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) with all broken rules at once. What depends on the
    /// cluster, such as three nodes for high availability, is checked when the extension is installed.
    pub fn build(self) -> Result<ExtensionConfiguration, Error> {
        let mut findings = Findings::default();
        let settings = self.given.resolve(&mut findings);
        // A certificate whose file cannot be read is reported already, and counts as given.
        let (open, protected) = (&settings.open, &settings.protected);
        let is_read =
            protected.contains_key(ROUTER_SSL_CERT) || open.contains_key(ROUTER_SSL_SECRET);
        let is_unread = self.given.tls.is_some() && !is_read;
        check_together(open, protected, is_unread, &mut findings);
        let warnings = findings.finish("extension configuration")?;
        Ok(ExtensionConfiguration {
            settings,
            location: self.location,
            warnings,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::Pem;
    use crate::compute::aks::certificate::fixtures;

    const AKS: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c";
    const ARC: &str =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Kubernetes/connectedClusters/c";
    const RELAY: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Relay/namespaces/n/hybridConnections/edge";

    fn cluster(id: &str, nodes: Option<u32>) -> ClusterFacts {
        ClusterFacts {
            id: id.to_owned(),
            name: "c".to_owned(),
            is_managed: id == AKS,
            location: "westeurope".to_owned(),
            nodes,
            is_openshift: false,
        }
    }

    fn inference() -> ExtensionConfigurationBuilder {
        ExtensionConfiguration::builder()
            .inference(true)
            .router_service_type(RouterServiceType::LoadBalancer)
    }

    fn rules(builder: ExtensionConfigurationBuilder) -> Vec<&'static str> {
        let findings = match builder.build() {
            Ok(config) => config.warnings().to_vec(),
            Err(error) => error.findings().to_vec(),
        };
        findings.iter().map(|finding| finding.rule).collect()
    }

    fn settings(builder: ExtensionConfigurationBuilder, cluster: &ClusterFacts) -> Value {
        let mut body = builder.build().unwrap().body(cluster).unwrap();
        body["properties"]["configurationSettings"].take()
    }

    #[test]
    fn body_on_aks_has_what_the_command_line_derives() {
        let body = inference().allow_insecure_connections(true).build();
        assert_eq!(
            body.unwrap().body(&cluster(AKS, Some(3))).unwrap(),
            json!({
                "identity": { "type": "SystemAssigned" },
                "properties": {
                    "extensionType": "microsoft.azureml.kubernetes",
                    "autoUpgradeMinorVersion": true,
                    "releaseTrain": "stable",
                    "scope": { "cluster": { "releaseNamespace": "azureml" } },
                    "configurationProtectedSettings": {},
                    "configurationSettings": {
                        "enableTraining": "False", "enableInference": "True",
                        "inferenceRouterServiceType": "LoadBalancer", "allowInsecureConnections": "True",
                        "cluster_name": AKS, "clusterId": AKS,
                        "prometheus.prometheusSpec.externalLabels.cluster_name": AKS,
                        "cluster_name_friendly": "c", "domain": "westeurope.cloudapp.azure.com",
                        "location": "westeurope", "jobSchedulerLocation": "westeurope",
                        "servicebus.enabled": "false", "relayserver.enabled": "false", "nginxIngress.enabled": "true",
                    },
                },
            })
        );
    }

    #[test]
    fn settings_on_arc_have_the_relay_and_no_ingress() {
        let relay = ExtensionRelay::new(RELAY, "Endpoint=sb://n/;SharedAccessKey=s3cr3t");
        let builder = ExtensionConfiguration::builder()
            .training(true)
            .relay(relay)
            .node_label("agentpool", "gpu")
            .version("1.1.61");
        let facts = ClusterFacts {
            is_openshift: true,
            ..cluster(ARC, None)
        };
        let body = builder.build().unwrap().body(&facts).unwrap();
        let properties = &body["properties"];
        let settings = &properties["configurationSettings"];
        for (name, expected) in [
            ("relayserver.enabled", "true"),
            ("nginxIngress.enabled", "false"),
            ("relayserver.hybridConnectionResourceID", RELAY),
            ("relayserver.hybridConnectionName", "edge"),
            ("openshift", "true"),
            ("nodeSelector.agentpool", "gpu"),
            ("clusterId", ARC),
        ] {
            assert_eq!(settings[name], expected, "{name}");
        }
        let secret = "Endpoint=sb://n/;SharedAccessKey=s3cr3t";
        let protected = json!({
            "relayServerConnectionString": secret, "relayserver.relayConnectionString": secret,
        });
        assert_eq!(properties["configurationProtectedSettings"], protected);
        assert_eq!(properties["version"], "1.1.61");
        assert_eq!(properties["autoUpgradeMinorVersion"], false);
    }

    #[test]
    fn router_flags_are_sent_only_where_they_are_true() {
        let insecure = || inference().allow_insecure_connections(true);
        let of = |builder| settings(builder, &cluster(AKS, Some(3)));
        let (node_port, internal) = (
            "scoringFe.serviceType.nodePort",
            "scoringFe.serviceType.internalLoadBalancer",
        );
        let found = of(insecure().router_service_type(RouterServiceType::NodePort));
        assert_eq!(
            (&found[node_port], &found[internal]),
            (&json!("True"), &Value::Null)
        );
        let found = of(insecure().internal_load_balancer());
        assert_eq!(found["internalLoadBalancerProvider"], "azure");
        assert_eq!(
            (&found[node_port], &found[internal]),
            (&Value::Null, &json!("True"))
        );
        let moved = of(insecure().setting("isAKSMigration", "true"));
        assert_eq!(moved["scoringFe.namespace"], "default");
    }

    #[test]
    fn small_cluster_gets_one_router_unless_high_availability_is_asked_for() {
        let insecure = || inference().allow_insecure_connections(true);
        let small = settings(insecure(), &cluster(AKS, Some(2)));
        assert_eq!(small["inferenceRouterHA"], "false");
        assert_eq!(small["clusterPurpose"], "DevTest");
        let chosen = settings(insecure().high_availability(false), &cluster(AKS, Some(2)));
        assert_eq!(chosen["inferenceRouterHA"], "False");
        for nodes in [Some(3), None] {
            let large = settings(insecure(), &cluster(AKS, nodes));
            assert_eq!(large["inferenceRouterHA"], Value::Null);
            assert_eq!(large["clusterPurpose"], Value::Null);
        }
        let high = insecure().high_availability(true).build().unwrap();
        let error = high.body(&cluster(AKS, Some(2))).unwrap_err();
        assert_eq!(error.findings()[0].rule, "extension.high_availability");
        assert!(high.body(&cluster(AKS, None)).is_ok(), "it is not known");
    }

    #[test]
    fn given_setting_replaces_the_derived_one_in_the_documented_spelling() {
        let builder = inference()
            .setting("ALLOWinsecureConnections", "True")
            .setting("inferencerouterha", "false")
            .setting("cluster_name", "mine")
            .setting("Domain", "example.com")
            .setting("relayserver.enabled", "True")
            .setting("unknownToUs", "x")
            .protected_setting("relayServerConnectionString", "secret");
        let found = settings(builder, &cluster(AKS, Some(1)));
        for (name, expected) in [
            ("allowInsecureConnections", "True"),
            ("inferenceRouterHA", "false"),
            ("cluster_name", "mine"),
            ("clusterId", "mine"),
            ("domain", "example.com"),
            ("relayserver.enabled", "True"),
            ("unknownToUs", "x"),
        ] {
            assert_eq!(found[name], expected, "{name}");
        }
        assert_eq!(found["Domain"], Value::Null);
    }

    #[test]
    fn certificate_and_key_are_protected_settings_in_base64() {
        let (certificate, key) = fixtures::self_signed(&["scoring.example.com"]);
        let tls = ExtensionTls::certificate(
            "scoring.example.com",
            Pem::text(&certificate),
            Pem::text(&key),
        );
        let config = inference().tls(tls).build().unwrap();
        let body = config.body(&cluster(AKS, Some(3))).unwrap();
        let properties = &body["properties"];
        assert_eq!(
            properties["configurationProtectedSettings"],
            json!({
                "scoringFe.sslCert": azure_core::base64::encode(&certificate),
                "scoringFe.sslKey": azure_core::base64::encode(&key),
            })
        );
        assert_eq!(
            properties["configurationSettings"]["sslCname"],
            "scoring.example.com"
        );
        // A service may repeat the text or what was sent.
        let line = key.lines().nth(1).unwrap();
        for text in [line, &azure_core::base64::encode(&key)] {
            assert_eq!(config.hidden().text(text), "[redacted]", "{text}");
        }
        let secret = inference().tls(ExtensionTls::secret("a.example.com", "my-secret"));
        let found = settings(secret, &cluster(AKS, Some(3)));
        assert_eq!(found["sslSecret"], "my-secret");
        assert_eq!(found["scoringFe.sslSecret"], "my-secret");
    }

    #[test]
    fn contradictions_are_reported_together() {
        assert_eq!(
            rules(ExtensionConfiguration::builder()),
            ["extension.features"]
        );
        let all = ExtensionConfiguration::builder()
            .inference(true)
            .setting("key", "x")
            .setting("scoringFe.sslKey", "s3cr3t")
            .setting("my setting", "x")
            .protected_setting("KEY", "y")
            .node_label("my label", "x")
            .version("1")
            .auto_upgrade(true);
        let mut found = rules(all);
        found.sort_unstable();
        assert_eq!(
            found,
            [
                "extension.node_selector",
                "extension.service_type",
                "extension.setting_name",
                "extension.setting_secret",
                "extension.setting_twice",
                "extension.tls",
                "extension.version",
            ]
        );
    }

    #[test]
    fn rules_apply_to_settings_by_name_and_by_setter() {
        let named = |name: &str, value: &str| inference().setting(name, value);
        for (builder, expected) in [
            (
                named("ENABLEINFERENCE", "false"),
                &["extension.features"][..],
            ),
            (
                named("InferenceRouterServiceType", "Ingress").allow_insecure_connections(true),
                &["extension.service_type"],
            ),
            (named("sslSecret", "s"), &["extension.tls_name"]),
            (named("sslCname", "a.example.com"), &["extension.tls"]),
            (
                named("sslCname", "other.b").tls(ExtensionTls::secret("a.b", "s")),
                &["extension.setting_twice"],
            ),
            (
                named("sslCname", "a.b").tls(ExtensionTls::secret("a.b", "s")),
                &[],
            ),
            (
                inference()
                    .allow_insecure_connections(true)
                    .protected_setting("sslkeypemfile", "/key.pem"),
                &["extension.pem_file"],
            ),
            (
                inference().protected_setting("scoringFe.sslCert", "x"),
                &["extension.tls"],
            ),
            (
                named("inferenceRouterServiceType", "nodePort")
                    .internal_load_balancer()
                    .allow_insecure_connections(true),
                &["extension.node_port_internal"],
            ),
            (
                inference()
                    .tls(ExtensionTls::secret("a.example.com", "s"))
                    .allow_insecure_connections(true),
                &["extension.tls_and_insecure"],
            ),
            (
                inference().tls(ExtensionTls::secret("", "My_Secret")),
                &[
                    "tls.cname.syntax",
                    "extension.tls_secret",
                    "extension.tls_name",
                ],
            ),
        ] {
            assert_eq!(rules(builder), expected);
        }
    }

    #[test]
    fn unreadable_file_is_reported_once() {
        let tls = ExtensionTls::certificate(
            "a.example.com",
            Pem::file("does/not/exist"),
            Pem::file("neither"),
        );
        assert_eq!(
            rules(inference().tls(tls)),
            ["tls.file_unreadable", "tls.file_unreadable"]
        );
    }

    #[test]
    fn connected_cluster_needs_a_relay_and_has_no_internal_load_balancer() {
        let config = inference()
            .allow_insecure_connections(true)
            .internal_load_balancer()
            .build()
            .unwrap();
        let error = config.body(&cluster(ARC, None)).unwrap_err();
        let found: Vec<&str> = error.findings().iter().map(|one| one.rule).collect();
        assert_eq!(
            found,
            ["extension.internal_load_balancer", "extension.relay"]
        );
        let off = ExtensionConfiguration::builder()
            .training(true)
            .setting("relayserver.enabled", "False");
        assert!(off.build().unwrap().body(&cluster(ARC, None)).is_ok());
        let empty = ExtensionConfiguration::builder()
            .training(true)
            .relay(ExtensionRelay::new(AKS, ""));
        assert_eq!(rules(empty), ["resource_id.type", "extension.relay"]);
    }

    #[test]
    fn secret_in_the_place_of_another_text_is_neither_sent_nor_shown() {
        let connection = "Endpoint=sb://n.servicebus.windows.net/;SharedAccessKey=c4n4ry";
        let training = || ExtensionConfiguration::builder().training(true);
        let key = "-----BEGIN PRIVATE KEY-----\nc4n4ry\n-----END PRIVATE KEY-----";
        for (builder, rule) in [
            (
                training().relay(ExtensionRelay::new(connection, RELAY)),
                "resource_id.shape",
            ),
            (
                training().setting("mine", connection),
                "extension.setting_secret",
            ),
            (training().setting("mine", key), "extension.setting_secret"),
            (
                training().tls(ExtensionTls::certificate(
                    "a.example.com",
                    Pem::file(key),
                    Pem::file(key),
                )),
                "tls.file_unreadable",
            ),
        ] {
            let shown = format!("{builder:?}");
            let error = builder.build().unwrap_err();
            assert_eq!(error.findings()[0].rule, rule);
            let shown = format!("{shown} {error} {error:?}");
            assert!(!shown.contains("c4n4ry"), "{shown}");
        }
    }

    #[test]
    fn protected_values_are_shown_nowhere() {
        let (certificate, key) = fixtures::self_signed(&["a.example.com"]);
        let tls =
            ExtensionTls::certificate("a.example.com", Pem::text(certificate), Pem::text(&key));
        let builder = inference()
            .tls(tls)
            .relay(ExtensionRelay::new(RELAY, "c4n4ry"))
            .protected_setting("own", "c4n4ry");
        let wrong = builder.clone().setting("scoringFe.sslKey", "c4n4ry");
        let config = builder.clone().build().unwrap();
        let shown = format!(
            "{builder:?} {wrong:?} {:?} {config:?}",
            wrong.clone().build()
        );
        assert!(!shown.contains("c4n4ry"), "{shown}");
        assert!(!shown.contains(key.lines().nth(1).unwrap()), "{shown}");
        assert!(shown.contains("\"own\""), "{shown}");
    }
}
