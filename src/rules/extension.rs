//! Rules for the extension of a cluster.

use super::{Advice, Refusal, registry};

registry! {
    section "The extension of a cluster" {
        Refusal EXTENSION_FEATURES = "extension.features": "an extension serves training, inference or both",
            broken by "neither of them",
            remedy "turn on training, inference or both",
            source "`how-to-deploy-kubernetes-extension`; `az k8s-extension create` refuses it";
        Refusal EXTENSION_SERVICE_TYPE = "extension.service_type": "with inference, the service type of the router is set to `LoadBalancer`, `NodePort` or `ClusterIP`",
            broken by "inference without a service type, `Ingress`",
            remedy "set one of the three types",
            source "`how-to-deploy-kubernetes-extension`: `inferenceRouterServiceType` is required with `enableInference`";
        Refusal EXTENSION_TLS = "extension.tls": "inference has a certificate and its key, has a secret of the cluster that holds both, or allows insecure connections",
            broken by "inference without TLS and without insecure connections, a certificate without its key",
            remedy "set TLS, or allow insecure connections for development and tests",
            source "`how-to-deploy-kubernetes-extension`; `az k8s-extension create` refuses it";
        Refusal EXTENSION_TLS_NAME = "extension.tls_name": "with TLS, the host name that clients call is set",
            broken by "`sslSecret` without `sslCname`",
            remedy "give the host name that the certificate covers",
            source "`how-to-deploy-kubernetes-extension`: `sslCname` is required without insecure connections";
        Refusal EXTENSION_TLS_SECRET = "extension.tls_secret": "the name of a secret is valid in Kubernetes: 1 to 253 lowercase ASCII letters, digits, `-` and `.`",
            broken by "`My_Secret`",
            remedy "give the name that `kubectl get secrets -n azureml` shows",
            source "Kubernetes documentation, object names: RFC 1123 subdomain";
        Refusal EXTENSION_PEM_FILE = "extension.pem_file": "no setting names the file of a certificate or a key",
            broken by "`sslCertPemFile`, `sslKeyPemFile`",
            remedy "give the files by `ExtensionTls::certificate` and `Pem::file`",
            source "`az k8s-extension` reads the files that these settings name, and sends their content";
        Advice EXTENSION_TLS_AND_INSECURE = "extension.tls_and_insecure": "an extension has TLS or allows insecure connections, not both",
            broken by "a certificate and insecure connections",
            remedy "remove one of the two",
            source "`az k8s-extension create` sends no certificate if insecure connections are allowed";
        Refusal EXTENSION_NODE_PORT_INTERNAL = "extension.node_port_internal": "an internal load balancer is not combined with the service type NodePort",
            broken by "NodePort with an internal load balancer",
            remedy "use the service type LoadBalancer, or remove the internal load balancer",
            source "`az k8s-extension create` refuses it";
        Refusal EXTENSION_INTERNAL_LOAD_BALANCER = "extension.internal_load_balancer": "only an AKS cluster has an internal load balancer",
            broken by "an internal load balancer on an Arc-connected cluster",
            remedy "remove the internal load balancer",
            source "`how-to-troubleshoot-kubernetes-extension`, E40003";
        Refusal EXTENSION_HIGH_AVAILABILITY = "extension.high_availability": "a highly available router has at least three nodes",
            broken by "high availability on a cluster of two nodes",
            remedy "turn high availability off, or add nodes",
            source "`how-to-troubleshoot-kubernetes-extension`, E40002; checked only if the cluster is read";
        Refusal EXTENSION_NODE_SELECTOR = "extension.node_selector": "the names and values of a node selector are valid for Kubernetes labels",
            broken by "`my label`, `/name`",
            remedy "give what `kubectl get nodes --show-labels` shows",
            source "Kubernetes documentation, labels and selectors";
        Refusal EXTENSION_SETTING_NAME = "extension.setting_name": "a setting has a name without spaces",
            broken by "`my setting`, an empty name",
            remedy "give the name as the documentation writes it",
            source "the names are those of the values of a Helm chart";
        Refusal EXTENSION_SETTING_TWICE = "extension.setting_twice": "a setting is given once",
            broken by "one name both as a setting and as a protected setting",
            remedy "remove one of the two",
            source "`az k8s-extension create` refuses it";
        Refusal EXTENSION_SETTING_SECRET = "extension.setting_secret": "a key or a connection string is a protected setting",
            broken by "`scoringFe.sslKey` among the settings",
            remedy "give it as a protected setting",
            source "everybody who may read the extension can read its settings, but not its protected settings";
        Refusal EXTENSION_RELAY = "extension.relay": "an extension that uses a relay has the connection string of an Azure Relay",
            broken by "an Arc-connected cluster without a relay",
            remedy "give the hybrid connection of an Azure Relay, or set `relayserver.enabled` to `false`",
            source "`az k8s-extension create` creates a relay for such clusters; this library does not";
        Refusal EXTENSION_VERSION = "extension.version": "an extension with a pinned version is not upgraded automatically",
            broken by "a version and automatic upgrades",
            remedy "remove the version, or turn automatic upgrades off",
            source "bicep-types: to use `version`, `autoUpgradeMinorVersion` must be `false`";
        Refusal EXTENSION_UPDATE_NOTHING = "extension.update_nothing": "an update of an extension changes something",
            broken by "an update without a change",
            remedy "set at least one setting",
            source "this crate: a request that changes nothing looks like a mistake";
        Refusal EXTENSION_PROTECTED_REPLACED = "extension.protected_replaced": "an update with protected settings gives all of them",
            broken by "a new connection string for an extension that has a certificate",
            remedy "give all protected settings again: the certificate with its key, and the relay",
            source "`az k8s-extension update`: protected settings that are not given again are deleted";
    }
}
