//! Rules for the extension of a cluster.

use super::{Advice, Refusal, registry};

registry! {
    section "The extension of a cluster" {
        Refusal EXTENSION_FEATURES = "extension.features": "an extension serves training, inference or both",
            broken by "neither of them",
            remedy "turn on training, inference or both",
            source "`how-to-deploy-kubernetes-extension`; `az k8s-extension create` refuses it";
        Refusal EXTENSION_SERVICE_TYPE = "extension.service_type": "with inference, the router has a service type: `LoadBalancer`, `NodePort` or `ClusterIP`",
            broken by "inference without a type, `Ingress`",
            remedy "give one of the three types",
            source "`how-to-deploy-kubernetes-extension`: `inferenceRouterServiceType` is required with `enableInference`";
        Refusal EXTENSION_TLS = "extension.tls": "inference has a certificate with its key, a secret of the cluster that holds both, or allows insecure connections",
            broken by "inference alone, a certificate without its key",
            remedy "give TLS, or allow insecure connections for development and tests",
            source "`how-to-deploy-kubernetes-extension`; `az k8s-extension create` refuses it";
        Refusal EXTENSION_TLS_NAME = "extension.tls_name": "with TLS there is the host name that clients call",
            broken by "`sslSecret` without `sslCname`",
            remedy "give the name that stands in the certificate",
            source "`how-to-deploy-kubernetes-extension`: `sslCname` is required without insecure connections";
        Refusal EXTENSION_TLS_SECRET = "extension.tls_secret": "a secret of the cluster has a name of Kubernetes: 1 to 253 lowercase ASCII letters, digits, `-` and `.`",
            broken by "`My_Secret`",
            remedy "give the name that `kubectl get secrets -n azureml` shows",
            source "Kubernetes documentation, object names: RFC 1123 subdomain";
        Refusal EXTENSION_PEM_FILE = "extension.pem_file": "a certificate is given itself, not by a setting that names its file",
            broken by "`sslCertPemFile`, `sslKeyPemFile`",
            remedy "give the file by `ExtensionTls::certificate` and `Pem::file`",
            source "`az k8s-extension` reads the files that these settings name, and sends their content";
        Advice EXTENSION_TLS_AND_INSECURE = "extension.tls_and_insecure": "an extension has TLS or insecure connections, not both",
            broken by "a certificate, and insecure connections",
            remedy "leave one of them out",
            source "`az k8s-extension create` sends no certificate where insecure connections are allowed";
        Refusal EXTENSION_NODE_PORT_INTERNAL = "extension.node_port_internal": "an internal load balancer is not combined with the service type NodePort",
            broken by "NodePort with an internal load balancer",
            remedy "use LoadBalancer, or leave the internal load balancer out",
            source "`az k8s-extension create` refuses it";
        Refusal EXTENSION_INTERNAL_LOAD_BALANCER = "extension.internal_load_balancer": "an internal load balancer is one of an AKS cluster",
            broken by "an internal load balancer on a cluster that Azure Arc connects",
            remedy "leave it out",
            source "`how-to-troubleshoot-kubernetes-extension`, E40003";
        Refusal EXTENSION_HIGH_AVAILABILITY = "extension.high_availability": "high availability of the router has at least three nodes",
            broken by "high availability on a cluster of two nodes",
            remedy "turn it off, or add nodes",
            source "`how-to-troubleshoot-kubernetes-extension`, E40002; the nodes are counted where the cluster is read";
        Refusal EXTENSION_NODE_SELECTOR = "extension.node_selector": "a node selector has the names and values that Kubernetes takes for labels",
            broken by "`my label`, `/name`",
            remedy "give what `kubectl get nodes --show-labels` shows",
            source "Kubernetes documentation, labels and selectors";
        Refusal EXTENSION_SETTING_NAME = "extension.setting_name": "a setting has a name without spaces",
            broken by "`my setting`, an empty name",
            remedy "give the name as the documentation writes it",
            source "the names are those of the values of a Helm chart";
        Refusal EXTENSION_SETTING_TWICE = "extension.setting_twice": "a setting is given once",
            broken by "one name among the settings and among the protected settings",
            remedy "leave one of them out",
            source "`az k8s-extension create` refuses it";
        Refusal EXTENSION_SETTING_SECRET = "extension.setting_secret": "a key or a connection string is a protected setting",
            broken by "`scoringFe.sslKey` among the settings",
            remedy "give it as a protected setting",
            source "settings are read back by everybody who may read the cluster's extensions, protected settings are not";
        Refusal EXTENSION_RELAY = "extension.relay": "an extension with a relay has the connection string of an Azure Relay",
            broken by "a cluster that Azure Arc connects, without a relay",
            remedy "give the hybrid connection of an Azure Relay, or set `relayserver.enabled` to `false`",
            source "`az k8s-extension create` makes the relay on such clusters; this library makes none";
        Refusal EXTENSION_VERSION = "extension.version": "an extension that stays at a version is not upgraded automatically",
            broken by "a version, and automatic upgrades",
            remedy "leave one of them out",
            source "bicep-types: to use `version`, `autoUpgradeMinorVersion` must be `false`";
        Refusal EXTENSION_UPDATE_NOTHING = "extension.update_nothing": "an update of an extension changes something",
            broken by "an update without a change",
            remedy "give a change",
            source "this crate: a request that changes nothing looks like a mistake";
        Refusal EXTENSION_PROTECTED_REPLACED = "extension.protected_replaced": "an update with a protected setting gives all of them",
            broken by "a new connection string for an extension that has a certificate",
            remedy "give the certificate with its key, and the relay, again",
            source "`az k8s-extension update`: protected settings that are not given again count as obsolete and are deleted";
    }
}
