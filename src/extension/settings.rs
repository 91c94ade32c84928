//! The settings of the extension: what a caller gives, and what follows from it.

use super::relay::ExtensionRelay;
use super::tls::ExtensionTls;
use crate::error::{Hidden, redact};
use crate::facts::arm::ROUTER_NODES;
use crate::facts::secrets::is_secret;
use crate::names::kubernetes::{is_label, is_qualified};
use crate::rules::{self, Findings};
use azure_core::credentials::Secret;
use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

pub(super) const ENABLE_TRAINING: &str = "enableTraining";
pub(super) const ENABLE_INFERENCE: &str = "enableInference";
pub(super) const SERVICE_TYPE: &str = "inferenceRouterServiceType";
pub(super) const HIGH_AVAILABILITY: &str = "inferenceRouterHA";
pub(super) const INSECURE: &str = "allowInsecureConnections";
pub(super) const INTERNAL_PROVIDER: &str = "internalLoadBalancerProvider";
pub(super) const NVIDIA: &str = "installNvidiaDevicePlugin";
pub(super) const PROMETHEUS: &str = "installPromOp";
pub(super) const VOLCANO: &str = "installVolcano";
pub(super) const DCGM: &str = "installDcgmExporter";
pub(super) const TAKE_OVER: &str = "scoringFe.enableUpgrade";
pub(super) const SSL_CNAME: &str = "sslCname";
pub(super) const SSL_SECRET: &str = "sslSecret";
pub(super) const ROUTER_SSL_SECRET: &str = "scoringFe.sslSecret";
pub(super) const ROUTER_SSL_CERT: &str = "scoringFe.sslCert";
pub(super) const ROUTER_SSL_KEY: &str = "scoringFe.sslKey";
pub(super) const RELAY_ENABLED: &str = "relayserver.enabled";
pub(super) const RELAY_CONNECTION: &str = "relayServerConnectionString";
pub(super) const RELAY_CHART_CONNECTION: &str = "relayserver.relayConnectionString";
pub(super) const RELAY_ID: &str = "relayserver.hybridConnectionResourceID";
pub(super) const RELAY_NAME: &str = "relayserver.hybridConnectionName";

const ROUTER_NODE_PORT: &str = "scoringFe.serviceType.nodePort";
const ROUTER_INTERNAL: &str = "scoringFe.serviceType.internalLoadBalancer";
const ROUTER_NAMESPACE: &str = "scoringFe.namespace";
const CLUSTER_PURPOSE: &str = "clusterPurpose";
const CLUSTER_NAME: &str = "cluster_name";
const MIGRATION: &str = "isAKSMigration";
const NODE_SELECTOR: &str = "nodeSelector.";

/// The names whose spelling is known. The Helm chart of the extension ignores other spellings: `InferenceRouterHA` would
/// have no effect.
const KNOWN: [&str; 33] = [
    ENABLE_TRAINING,
    ENABLE_INFERENCE,
    SERVICE_TYPE,
    HIGH_AVAILABILITY,
    INSECURE,
    INTERNAL_PROVIDER,
    NVIDIA,
    PROMETHEUS,
    VOLCANO,
    DCGM,
    TAKE_OVER,
    SSL_CNAME,
    SSL_SECRET,
    ROUTER_SSL_SECRET,
    ROUTER_SSL_CERT,
    ROUTER_SSL_KEY,
    RELAY_ENABLED,
    RELAY_CONNECTION,
    RELAY_CHART_CONNECTION,
    RELAY_ID,
    RELAY_NAME,
    ROUTER_NODE_PORT,
    ROUTER_INTERNAL,
    ROUTER_NAMESPACE,
    CLUSTER_PURPOSE,
    CLUSTER_NAME,
    MIGRATION,
    "clusterId",
    "cluster_name_friendly",
    "domain",
    "location",
    "jobSchedulerLocation",
    "openshift",
];

/// The settings of `az k8s-extension` that name files. The service does not know them.
const PEM_FILES: [&str; 2] = ["sslCertPemFile", "sslKeyPemFile"];

/// The service types of the router.
const SERVICE_TYPES: [&str; 3] = ["LoadBalancer", "NodePort", "ClusterIP"];

/// Settings by name.
pub(super) type Open = BTreeMap<String, String>;

/// The settings that a caller gives, in a builder.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Given {
    open: Open,
    protected: BTreeMap<String, Secret>,
    pub(super) tls: Option<ExtensionTls>,
    pub(super) relay: Option<ExtensionRelay>,
    pub(super) release_train: Option<String>,
    pub(super) version: Option<String>,
    pub(super) auto_upgrade: Option<bool>,
}

/// The setters of both builders, for a builder with its settings in `given`.
macro_rules! setting_setters {
    () => {
        /// Sets whether the cluster runs training jobs (`enableTraining`). The documented default is `false`.
        pub fn training(mut self, enable: bool) -> Self {
            self.given.flag(settings::ENABLE_TRAINING, enable);
            self
        }

        /// Sets whether the cluster serves models (`enableInference`). The documented default is `false`.
        pub fn inference(mut self, enable: bool) -> Self {
            self.given.flag(settings::ENABLE_INFERENCE, enable);
            self
        }

        /// Sets how clients reach the router of inference (`inferenceRouterServiceType`). Inference requires it.
        pub fn router_service_type(mut self, service_type: RouterServiceType) -> Self {
            self.given
                .setting(settings::SERVICE_TYPE, service_type.as_str());
            self
        }

        /// Sets whether the router of inference has three replicas, which needs three nodes (`inferenceRouterHA`). The
        /// documented default is `true`; an install that reads a cluster with fewer nodes sends `false`.
        pub fn high_availability(mut self, enable: bool) -> Self {
            self.given.flag(settings::HIGH_AVAILABILITY, enable);
            self
        }

        /// Sets whether clients may call inference over plain HTTP (`allowInsecureConnections`), for development and tests. The
        /// documented default is `false`.
        pub fn allow_insecure_connections(mut self, allow: bool) -> Self {
            self.given.flag(settings::INSECURE, allow);
            self
        }

        /// Puts the router behind an internal load balancer of Azure (`internalLoadBalancerProvider`), which only AKS
        /// clusters have. By default the load balancer is public.
        pub fn internal_load_balancer(mut self) -> Self {
            self.given.setting(settings::INTERNAL_PROVIDER, "azure");
            self
        }

        /// Sets TLS of inference: the host name, and either a certificate with its key or the name of a secret.
        pub fn tls(mut self, tls: ExtensionTls) -> Self {
            self.given.tls = Some(tls);
            self
        }

        /// Keeps the extension and its workloads on nodes with this label (`nodeSelector.{name}`).
        pub fn node_label(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
            self.given.node_label(name.as_ref(), value.into());
            self
        }

        /// Sets whether NVIDIA's device plugin is installed (`installNvidiaDevicePlugin`). Without it pods get no GPU. The
        /// documented default is `false`.
        pub fn install_nvidia_device_plugin(mut self, install: bool) -> Self {
            self.given.flag(settings::NVIDIA, install);
            self
        }

        /// Sets whether the Prometheus operator is installed (`installPromOp`). The documented default is `true`; with `false`
        /// the extension uses the one that the cluster has.
        pub fn install_prometheus_operator(mut self, install: bool) -> Self {
            self.given.flag(settings::PROMETHEUS, install);
            self
        }

        /// Sets whether the Volcano scheduler is installed (`installVolcano`), which training needs. The documented default is
        /// `true`; with `false` the extension uses the one that the cluster has.
        pub fn install_volcano(mut self, install: bool) -> Self {
            self.given.flag(settings::VOLCANO, install);
            self
        }

        /// Sets whether the DCGM exporter of GPU metrics is installed (`installDcgmExporter`). The documented default is
        /// `false`.
        pub fn install_dcgm_exporter(mut self, install: bool) -> Self {
            self.given.flag(settings::DCGM, install);
            self
        }

        /// Sets whether the extension takes over the router `azureml-fe` of a compute of kind AKS
        /// (`scoringFe.enableUpgrade`), so that one router serves both.
        ///
        /// Annotate the router first: `kubectl annotate deployment azureml-fe azureml-fe-enable-upgrade=true`. Without the
        /// annotation and this setting, an install on such a cluster fails with E45004 or E45005.
        pub fn take_over_legacy_router(mut self, take_over: bool) -> Self {
            self.given.flag(settings::TAKE_OVER, take_over);
            self
        }

        /// Sets the Azure Relay. An Arc-connected cluster requires one.
        pub fn relay(mut self, relay: ExtensionRelay) -> Self {
            self.given.relay = Some(relay);
            self
        }

        /// Sets the release train, for example `stable` or `preview`. An install sends `stable` by default.
        pub fn release_train(mut self, train: impl Into<String>) -> Self {
            self.given.release_train = Some(train.into());
            self
        }

        /// Pins the version, for example `1.1.61`. Minor versions are then not upgraded automatically.
        pub fn version(mut self, version: impl Into<String>) -> Self {
            self.given.version = Some(version.into());
            self
        }

        /// Sets whether minor versions are upgraded automatically (`autoUpgradeMinorVersion`). An install sends `true` by
        /// default, and `false` with a pinned version.
        pub fn auto_upgrade(mut self, upgrade: bool) -> Self {
            self.given.auto_upgrade = Some(upgrade);
            self
        }

        /// Sets a setting by its name (`configurationSettings`). A later value replaces an earlier one, whichever setter
        /// gave it.
        ///
        /// A documented name may have any letter case; it is sent in the documented spelling. A value for a setting that
        /// this library derives, such as `domain`, replaces the derived value. A name that is not documented is sent
        /// as it is, without a warning: a misspelt one has no effect.
        pub fn setting(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
            self.given.setting(name.as_ref(), value);
            self
        }

        /// Sets several settings, as [`setting`](Self::setting) does.
        pub fn settings<K: AsRef<str>, V: Into<String>>(
            mut self,
            settings: impl IntoIterator<Item = (K, V)>,
        ) -> Self {
            for (name, value) in settings {
                self.given.setting(name.as_ref(), value);
            }
            self
        }

        /// Sets a protected setting by its name (`configurationProtectedSettings`). The service never returns it.
        pub fn protected_setting(
            mut self,
            name: impl AsRef<str>,
            value: impl Into<azure_core::credentials::Secret>,
        ) -> Self {
            self.given.protected_setting(name.as_ref(), value.into());
            self
        }
    };
}
pub(super) use setting_setters;

/// The settings that are sent, apart from those that depend on the cluster.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Settings {
    pub(super) open: Open,
    pub(super) protected: BTreeMap<String, Secret>,
    /// Secrets that [`protected`](Self::protected) holds in another form, such as base64.
    pub(super) texts: Vec<Secret>,
    pub(super) release_train: Option<String>,
    pub(super) version: Option<String>,
    pub(super) auto_upgrade: Option<bool>,
}

/// Returns the documented spelling of a name; an undocumented name as it is.
fn canonical(name: &str) -> &str {
    let mut known = KNOWN.iter().chain(&PEM_FILES);
    let known = known.find(|known| known.eq_ignore_ascii_case(name));
    known.copied().unwrap_or(name)
}

fn word(flag: bool) -> &'static str {
    if flag { "True" } else { "False" }
}

/// Returns whether a setting is set to true.
pub(super) fn is_true(open: &Open, name: &str) -> bool {
    let value = open.get(name).map(|value| value.trim());
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Returns whether a setting is set and not blank.
pub(super) fn is_set(open: &Open, name: &str) -> bool {
    open.get(name).is_some_and(|value| !value.trim().is_empty())
}

impl Given {
    pub(super) fn flag(&mut self, name: &str, flag: bool) {
        self.setting(name, word(flag));
    }

    pub(super) fn setting(&mut self, name: &str, value: impl Into<String>) {
        self.open.insert(canonical(name).to_owned(), value.into());
    }

    pub(super) fn node_label(&mut self, name: &str, value: String) {
        self.open.insert(format!("{NODE_SELECTOR}{name}"), value);
    }

    pub(super) fn protected_setting(&mut self, name: &str, value: Secret) {
        self.protected.insert(canonical(name).to_owned(), value);
    }

    /// Checks each setting, and returns all of them by the names that are sent.
    pub(super) fn resolve(&self, findings: &mut Findings) -> Settings {
        let mut settings = Settings {
            open: self.open.clone(),
            protected: self.protected.clone(),
            texts: Vec::new(),
            release_train: self.release_train.clone(),
            version: self.version.clone(),
            auto_upgrade: self.auto_upgrade,
        };
        self.check_names(findings);
        let mut more = Settings::default();
        if let Some(tls) = &self.tls {
            tls.resolve(SystemTime::now(), &mut more, findings);
        }
        if let Some(relay) = &self.relay {
            relay.resolve(&mut more, findings);
        }
        for (name, value) in &more.open {
            // Giving the same value twice is not a contradiction.
            if self.open.get(name).is_some_and(|given| given != value) {
                refuse_twice(name, findings);
            }
        }
        for (name, value) in &more.protected {
            if self.protected.get(name).is_some_and(|given| given != value) {
                refuse_twice(name, findings);
            }
        }
        settings.open.append(&mut more.open);
        settings.protected.append(&mut more.protected);
        settings.texts = more.texts;
        if self.version.is_some() {
            if self.auto_upgrade == Some(true) {
                findings.refuse(
                    rules::EXTENSION_VERSION,
                    "version",
                    self.version.as_deref(),
                    "a version is pinned, and automatic upgrades are on",
                    "remove the version, or turn automatic upgrades off",
                );
            }
            settings.auto_upgrade = Some(false);
        }
        settings
    }

    fn check_names(&self, findings: &mut Findings) {
        let open = self.open.keys().map(|name| ("settings", name));
        let protected = self
            .protected
            .keys()
            .map(|name| ("protected_settings", name));
        for (path, name) in open.chain(protected) {
            if PEM_FILES.contains(&canonical(name)) {
                findings.refuse(
                    rules::EXTENSION_PEM_FILE,
                    format!("{path}.{name}"),
                    None,
                    "this setting names a file, and only `az k8s-extension` reads it; the service ignores the setting",
                    "give the file by `ExtensionTls::certificate` and `Pem::file`",
                );
            }
            // The names of labels have a rule of their own.
            let is_blank = name.is_empty() || name.contains(char::is_whitespace);
            if is_blank && !name.starts_with(NODE_SELECTOR) {
                findings.refuse(
                    rules::EXTENSION_SETTING_NAME,
                    path,
                    Some(name),
                    "the name of a setting is empty or contains spaces",
                    "give the name as the documentation writes it",
                );
            }
        }
        for (name, value) in &self.open {
            if let Some(label) = name.strip_prefix(NODE_SELECTOR) {
                check_label(label, value, findings);
            }
            if is_secret("", name) || redact(value) != *value {
                findings.refuse(
                    rules::EXTENSION_SETTING_SECRET,
                    format!("settings.{name}"),
                    None,
                    "everybody who may read the extension can read this secret, because it is not a protected setting",
                    "give it by `protected_setting`",
                );
            }
            let same = |other: &&String| other.eq_ignore_ascii_case(name);
            if self.protected.keys().any(|other| same(&other)) {
                refuse_twice(name, findings);
            }
        }
    }
}

fn check_label(name: &str, value: &str, findings: &mut Findings) {
    let wrong = match (is_qualified(name), value.is_empty() || is_label(value)) {
        (false, _) => name,
        (true, false) => value,
        (true, true) => return,
    };
    findings.refuse(
        rules::EXTENSION_NODE_SELECTOR,
        "node_label",
        Some(wrong),
        "this is not valid as the name or the value of a Kubernetes label",
        "give what `kubectl get nodes --show-labels` shows",
    );
}

fn refuse_twice(name: &str, findings: &mut Findings) {
    findings.refuse(
        rules::EXTENSION_SETTING_TWICE,
        format!("settings.{name}"),
        None,
        "the setting is given twice: both as a setting and as a protected setting, or with two values",
        "remove one of the two",
    );
}

/// Checks all settings of an extension together. `keeps_tls` says that the extension may have a certificate that the
/// service does not show.
pub(super) fn check_together(
    open: &Open,
    protected: &BTreeMap<String, Secret>,
    keeps_tls: bool,
    findings: &mut Findings,
) {
    let inference = is_true(open, ENABLE_INFERENCE);
    if !inference && !is_true(open, ENABLE_TRAINING) {
        findings.refuse(
            rules::EXTENSION_FEATURES,
            "inference",
            None,
            "training and inference are both off",
            "turn on training, inference or both",
        );
    }
    let service_type = open.get(SERVICE_TYPE).map(|value| value.trim());
    let is_known = |word: &str| {
        let mut known = SERVICE_TYPES.iter();
        known.any(|known| known.eq_ignore_ascii_case(word))
    };
    match service_type {
        None if inference => findings.refuse(
            rules::EXTENSION_SERVICE_TYPE,
            "router_service_type",
            None,
            "inference is on, and the service type of its router is not set",
            "give LoadBalancer, NodePort or ClusterIP",
        ),
        Some(word) if !is_known(word) => findings.refuse(
            rules::EXTENSION_SERVICE_TYPE,
            "router_service_type",
            Some(word),
            "this is not a valid service type of the router",
            "give LoadBalancer, NodePort or ClusterIP",
        ),
        _ => {}
    }
    let is_node_port = service_type.is_some_and(|word| word.eq_ignore_ascii_case("NodePort"));
    if is_node_port && is_set(open, INTERNAL_PROVIDER) {
        findings.refuse(
            rules::EXTENSION_NODE_PORT_INTERNAL,
            "internal_load_balancer",
            None,
            "the service type NodePort has no load balancer, and an internal load balancer is set",
            "use the service type LoadBalancer, or remove the internal load balancer",
        );
    }
    check_tls(open, protected, (inference, keeps_tls), findings);
}

fn check_tls(
    open: &Open,
    protected: &BTreeMap<String, Secret>,
    (inference, keeps_tls): (bool, bool),
    findings: &mut Findings,
) {
    let has_secret = is_set(open, SSL_SECRET) || is_set(open, ROUTER_SSL_SECRET);
    let [certificate, key] =
        [ROUTER_SSL_CERT, ROUTER_SSL_KEY].map(|name| protected.contains_key(name));
    let has_tls = has_secret || (certificate && key) || keeps_tls;
    let insecure = is_true(open, INSECURE);
    if certificate != key {
        findings.refuse(
            rules::EXTENSION_TLS,
            "tls",
            None,
            "a certificate and its key must be given together, and one of them is missing",
            "give both",
        );
    } else if inference && !has_tls && !insecure {
        findings.refuse(
            rules::EXTENSION_TLS,
            "tls",
            None,
            "inference is on, and neither TLS nor insecure connections are set",
            "give TLS, or allow insecure connections for development and tests",
        );
    }
    if has_tls && !is_set(open, SSL_CNAME) {
        findings.refuse(
            rules::EXTENSION_TLS_NAME,
            "tls.cname",
            None,
            "the host name that clients call is not set, and TLS needs it",
            "give the host name that the certificate covers",
        );
    }
    if has_tls && !keeps_tls && insecure {
        findings.advise(
            rules::EXTENSION_TLS_AND_INSECURE,
            "tls",
            "insecure connections are allowed, although TLS is set",
            "remove one of the two",
        );
    }
}

/// The facts about a cluster on which settings depend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClusterFacts {
    /// The ARM id.
    pub(crate) id: String,
    pub(crate) name: String,
    /// Whether it is an AKS cluster, and not an Arc-connected one.
    pub(crate) is_managed: bool,
    /// The region, in lower case and without spaces.
    pub(crate) location: String,
    /// The number of nodes, where it is known.
    pub(crate) nodes: Option<u32>,
    pub(crate) is_openshift: bool,
}

impl Settings {
    /// Returns the secrets, in the forms in which the service may repeat them.
    pub(super) fn hidden(&self) -> Hidden {
        let all = self.protected.values().chain(&self.texts);
        Hidden::of(all.map(Secret::secret))
    }

    /// Returns whether a setting is given as true.
    pub(super) fn is_on(&self, name: &str) -> bool {
        is_true(&self.open, name)
    }

    /// Checks the settings against the cluster.
    pub(super) fn check_cluster(
        &self,
        is_managed: bool,
        nodes: Option<u32>,
        findings: &mut Findings,
    ) {
        let open = &self.open;
        self.check_internal(is_managed, findings);
        if let Some(nodes) = nodes.filter(|nodes| *nodes < ROUTER_NODES)
            && is_true(open, HIGH_AVAILABILITY)
        {
            findings.refuse(
                rules::EXTENSION_HIGH_AVAILABILITY,
                "high_availability",
                Some(&nodes.to_string()),
                format!(
                    "high availability needs {ROUTER_NODES} nodes, and the cluster has {nodes}"
                ),
                "turn high availability off, or add nodes",
            );
        }
        if has_relay(open, is_managed) && !self.has_relay_connection() {
            findings.refuse(
                rules::EXTENSION_RELAY,
                "relay",
                None,
                "an Arc-connected cluster needs an Azure Relay, and none is given",
                "give the hybrid connection of an Azure Relay, or set `relayserver.enabled` to `false`",
            );
        }
    }

    /// Checks that an internal load balancer is set only for an AKS cluster.
    pub(super) fn check_internal(&self, is_managed: bool, findings: &mut Findings) {
        if !is_managed && is_set(&self.open, INTERNAL_PROVIDER) {
            findings.refuse(
                rules::EXTENSION_INTERNAL_LOAD_BALANCER,
                "internal_load_balancer",
                None,
                "only an AKS cluster has an internal load balancer of Azure, and this one is Arc-connected",
                "remove the internal load balancer",
            );
        }
    }

    pub(super) fn has_relay_connection(&self) -> bool {
        let names = [RELAY_CONNECTION, RELAY_CHART_CONNECTION];
        names.iter().any(|name| self.protected.contains_key(*name))
    }

    /// Adds the settings that follow from those of the router, as `az k8s-extension` does for an install and an update.
    pub(super) fn derive_router(&mut self) {
        if let Some(service_type) = self.open.get(SERVICE_TYPE) {
            let node_port = service_type.trim().eq_ignore_ascii_case("NodePort");
            self.derive(ROUTER_NODE_PORT, word(node_port));
        }
        if let Some(provider) = self.open.get(INTERNAL_PROVIDER) {
            let internal = provider.trim().eq_ignore_ascii_case("azure");
            self.derive(ROUTER_INTERNAL, word(internal));
        }
        if let Some(secret) = self.open.get(SSL_SECRET).cloned() {
            self.derive(ROUTER_SSL_SECRET, secret);
        }
    }

    /// Returns the settings of an install, with those that `az k8s-extension create` derives. A value that the caller gave
    /// is kept.
    ///
    /// Source: `AzureMLKubernetes.py` of `k8s-extension`, in its newest revision.
    pub(super) fn complete(&self, cluster: &ClusterFacts) -> Open {
        let mut all = self.clone();
        for flag in [ENABLE_TRAINING, ENABLE_INFERENCE] {
            all.derive(flag, word(false));
        }
        if is_true(&all.open, ENABLE_INFERENCE) {
            all.derive_router();
            // An install sends these flags only where they are true.
            for name in [ROUTER_NODE_PORT, ROUTER_INTERNAL] {
                let is_derived = !self.open.contains_key(name);
                all.open.retain(|own, value| {
                    own != name || !is_derived || value.as_str() == word(true)
                });
            }
            if is_true(&all.open, MIGRATION) {
                all.derive(ROUTER_NAMESPACE, "default");
            }
        }
        if cluster.nodes.is_some_and(|nodes| nodes < ROUTER_NODES) {
            all.derive(CLUSTER_PURPOSE, "DevTest");
            all.derive(HIGH_AVAILABILITY, "false");
        }
        if cluster.is_openshift {
            all.derive("openshift", "true");
        }
        all.derive(CLUSTER_NAME, &cluster.id);
        let named = all.open[CLUSTER_NAME].clone();
        all.derive("clusterId", &named);
        all.derive(
            "prometheus.prometheusSpec.externalLabels.cluster_name",
            named,
        );
        all.derive("cluster_name_friendly", &cluster.name);
        all.derive("domain", format!("{}.cloudapp.azure.com", cluster.location));
        all.derive("location", &cluster.location);
        all.derive("jobSchedulerLocation", &cluster.location);
        all.derive("servicebus.enabled", "false");
        let arc = |on: bool| if on { "true" } else { "false" };
        all.derive(RELAY_ENABLED, arc(!cluster.is_managed));
        all.derive("nginxIngress.enabled", arc(cluster.is_managed));
        all.open
    }

    fn derive(&mut self, name: &str, value: impl Into<String>) {
        self.open
            .entry(name.to_owned())
            .or_insert_with(|| value.into());
    }
}

/// Returns whether an extension uses an Azure Relay. By default only an Arc-connected cluster does.
pub(super) fn has_relay(open: &Open, is_managed: bool) -> bool {
    match open.get(RELAY_ENABLED) {
        Some(value) => !value.trim().eq_ignore_ascii_case("false"),
        None => !is_managed,
    }
}

/// Shows the settings without secrets, and the names of the protected settings.
impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("open", &Shown(&self.open))
            .field("protected", &Names(&self.protected))
            .field("tls", &self.tls)
            .field("relay", &self.relay)
            .field("release_train", &self.release_train)
            .field("version", &self.version)
            .field("auto_upgrade", &self.auto_upgrade)
            .finish()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("open", &Shown(&self.open))
            .field("protected", &Names(&self.protected))
            .field("release_train", &self.release_train)
            .field("version", &self.version)
            .field("auto_upgrade", &self.auto_upgrade)
            .finish_non_exhaustive()
    }
}

struct Shown<'a>(&'a Open);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self
            .0
            .iter()
            .map(|(name, value)| match is_secret("", name) {
                true => (name, "[hidden]".to_owned()),
                false => (name, redact(value)),
            });
        f.debug_map().entries(shown).finish()
    }
}

struct Names<'a>(&'a BTreeMap<String, Secret>);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
