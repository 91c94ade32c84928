//! Well-known refusals of the service, and what a person can do about them.
//!
//! Sources: the issue threads and pages listed in `docs/internals/wire.md`, "Refusals". The texts of the
//! service were seen in reports, never live: a refusal is recognised by its code where it has one of
//! its own, and otherwise by words that all stand in its message.

pub(crate) const SIGN_IN: &str =
    "sign in again (for example `az login`) with an account of the workspace's tenant and cloud";

/// One refusal, and how it is recognised: by one of the codes, or by one of the sets of words.
struct Known {
    codes: &'static [&'static str],
    words: &'static [&'static [&'static str]],
    remedy: &'static str,
}

const PATH_RETIRED_WORDS: &[&[&str]] = &[
    &["aks", "no longer supported"],
    &["akscompute", "not supported", "kubernetes"],
];

const BUSY_WORDS: &[&[&str]] = &[
    &["another", "operation", "in progress"],
    &["operation is not allowed", "in progress"],
];

/// A code of the health check that the extension of a cluster runs before it is installed, changed or removed. Code and
/// name are words in the text of its report.
struct Health {
    code: &'static str,
    name: &'static str,
    remedy: &'static str,
}

/// Source: `how-to-troubleshoot-kubernetes-extension`, "Error Code of HealthCheck"; the take-over of a router
/// AML-Kubernetes, `docs/attach-compute-on-aks-v1-cluster.md`.
const HEALTH: &[Health] = &[
    Health {
        code: "E40001",
        name: "LOAD_BALANCER_NOT_SUPPORT",
        remedy: "the cluster supports no load balancer: configure one, or use the service type NodePort or ClusterIP",
    },
    Health {
        code: "E40002",
        name: "INSUFFICIENT_NODE",
        remedy: "high availability needs three nodes: add nodes, or turn high availability off",
    },
    Health {
        code: "E40003",
        name: "INTERNAL_LOAD_BALANCER_NOT_SUPPORT",
        remedy: "only AKS clusters support an internal load balancer, with the provider `azure`: remove the setting",
    },
    Health {
        code: "E40007",
        name: "INVALID_SSL_SETTING",
        remedy: "the certificate or its key is not valid, or the certificate does not cover the host name (`sslCname`): give a valid pair for that name",
    },
    Health {
        code: "E45002",
        name: "PROMETHEUS_CONFLICT",
        remedy: "the cluster already has a Prometheus operator: set `installPromOp` to `false` to use it",
    },
    Health {
        code: "E45003",
        name: "BAD_NETWORK_CONNECTIVITY",
        remedy: "the cluster cannot reach Azure Machine Learning: in its firewall or proxy, allow the hosts that \
                 `how-to-access-azureml-behind-firewall` lists for Kubernetes computes",
    },
    Health {
        code: "E45004",
        name: "AZUREML_FE_ROLE_CONFLICT",
        remedy: LEGACY_ROUTER,
    },
    Health {
        code: "E45005",
        name: "AZUREML_FE_DEPLOYMENT_CONFLICT",
        remedy: LEGACY_ROUTER,
    },
];

const LEGACY_ROUTER: &str = "the cluster has the router `azureml-fe` of a compute of kind AKS. Take it over: `kubectl \
     annotate deployment azureml-fe azureml-fe-enable-upgrade=true`, and set `scoringFe.enableUpgrade` to `true`; or \
     delete the router, which stops the web services of that compute";

/// The remedy for an attach of a Kubernetes cluster that fails inside the service (`how-to-attach-kubernetes-to-workspace`).
/// The service's text does not name the reason.
pub(crate) const KUBERNETES_ATTACH_INTERNAL: &str = "give the managed identity of the workspace the role Azure Kubernetes \
     Service Cluster Admin on the cluster, then try again: an attach without that role fails with this error";

/// More specific entries stand first.
const KNOWN: &[Known] = &[
    Known {
        codes: &[],
        words: PATH_RETIRED_WORDS,
        remedy: "this path is retired on the service's side: attach a cluster of your own, or use \
                 compute of kind Kubernetes",
    },
    Known {
        codes: &["ComputeAlreadyExists"],
        words: &[],
        remedy: "to create, take another name; to attach, detach the compute of that name first; .or_get() takes \
                 the existing compute",
    },
    Known {
        codes: &["ExtensionNotFound"],
        words: &[
            &["extension", "not installed"],
            &["extension", "isn't installed"],
        ],
        remedy: "install the extension `microsoft.azureml.kubernetes` on the cluster first. If it is there, give the \
                 managed identity of the workspace the role Kubernetes Extension Contributor on the cluster: without \
                 it the service does not see the extension",
    },
    Known {
        codes: &[],
        words: &[&["pod healthcheck failed"]],
        remedy: "the health check of the extension failed: `kubectl describe configmap -n azureml \
                 arcml-healthcheck` shows codes such as E40001, which docs/troubleshooting.md explains",
    },
    Known {
        codes: &[],
        words: &[
            &["name that is still in use"],
            &["another operation (install/upgrade/rollback) is in progress"],
            &["operation for the helm chart is still in progress"],
        ],
        remedy: "an earlier install or delete has not ended in the cluster: wait about an hour, then try again. \
                 If another Helm chart has the name (`helm list -Aa`), use another name",
    },
    Known {
        codes: &[],
        words: &[&["create new content in namespace", "terminated"]],
        remedy: "the extension is still being deleted: wait until that has ended, then install it again",
    },
    Known {
        codes: &[],
        words: &[&["chart path not found"]],
        remedy: "the extension has no such version: give another version, or none to install the newest",
    },
    Known {
        codes: &[],
        words: &[&["invalid ownership metadata"]],
        remedy: "the cluster already has a resource that the extension installs, such as Volcano or the Prometheus \
                 operator: turn that part off (`installVolcano`, `installPromOp`) to use the existing one",
    },
    Known {
        codes: &["Unschedulable", "PodUnschedulable"],
        words: &[
            &["couldn't schedule", "available resources"],
            &["nodes are available", "insufficient"],
        ],
        remedy: "the cluster has no room for it: ask for less CPU, memory or GPUs, or add nodes of a \
                 size that has them",
    },
    Known {
        codes: &["DeploymentTimedOut"],
        words: &[],
        remedy: "it may become healthy all the same: read the service and wait for it again; if it \
                 does not, its logs tell why",
    },
    Known {
        codes: &[
            "CrashLoopBackOff",
            "DeploymentCrashLoopBackOff",
            "KubernetesCrashLoopBackOff",
        ],
        words: &[&["crashloopbackoff"]],
        remedy: "the container ends as soon as it starts, mostly in init() of the entry script: its log \
                 tells why",
    },
    Known {
        codes: &["ImagePullBackOff", "ErrImagePull", "ImagePullLoopBackOff"],
        words: &[&["imagepullbackoff"], &["errimagepull"]],
        remedy: "the image cannot be pulled: the cluster's identity needs AcrPull on the registry of \
                 the workspace, or the private registry its credentials",
    },
    Known {
        codes: &[],
        words: &[&["compute name", "not available", "already in use"]],
        remedy: "the name is taken, perhaps by another workspace of the region: take another name",
    },
    Known {
        codes: &[],
        words: BUSY_WORDS,
        remedy: "wait until the operation that runs has ended (wait_for_completion), then try again",
    },
    Known {
        codes: &["ClusterMinNodesExceedCoreQuota"],
        words: &[&["vcpu quota of", "managed compute nodes"]],
        remedy: "ask for more vCPUs of Azure Machine Learning's own quota, which is apart from that of \
                 Microsoft.Compute (the page that the message names tells how), or choose another family or \
                 fewer nodes",
    },
    Known {
        // `OperationNotAllowed` has other reasons too, for example an operation that runs.
        codes: &["QuotaExceeded", "InsufficientVCPUQuota"],
        words: &[
            &["quota", "cores"],
            &["quota", "exceed"],
            &["insufficient vcpu quota"],
        ],
        remedy: "ask for more regional and family vCPUs of Microsoft.Compute (AKS draws on that \
                 quota, not on the one of Azure Machine Learning), or choose a smaller size or count",
    },
    Known {
        codes: &[],
        words: &[
            &["at least 12 cores"],
            &["at least 12", "vcpu"],
            &["at least 3 machines"],
        ],
        remedy: "use at least three nodes and 12 vCPUs in all for production, or purpose DevTest",
    },
    Known {
        codes: &["RequestDisallowedByPolicy"],
        words: &[
            &["load balancers should not have public ips"],
            &["disallowed by policy"],
        ],
        remedy: "a policy of the subscription forbids this. Where it is about public addresses: a cluster that the \
                 workspace creates needs one for its outbound traffic. Ask for an exemption, or create a cluster of \
                 your own whose outbound traffic goes through a firewall (outbound type userDefinedRouting) and \
                 attach it. An internal load balancer changes only where the services are called",
    },
    Known {
        codes: &[
            "UnsupportedKubernetesVersion",
            "K8sVersionNotSupported",
            "AgentPoolK8sVersionNotSupported",
        ],
        words: &[
            &["version", "not supported", "supported versions"],
            &["version", "not supported in this region"],
            &["kubernetes version", "supported"],
        ],
        remedy: "upgrade the cluster (`az aks upgrade`) to a version that the message or \
                 `az aks get-versions` lists",
    },
    Known {
        codes: &["SkuNotAvailable"],
        words: &[&["not available in location"], &["vm size", "not allowed"]],
        remedy: "choose a VM size that the subscription may use in this region (`az vm list-skus`)",
    },
    Known {
        codes: &["ComputeResourceNotCreated"],
        words: &[&["computeresourcenotcreated"]],
        remedy: "an earlier try failed and keeps the name: delete or detach that compute first",
    },
    Known {
        codes: &[
            "AuthorizationFailed",
            "LinkedAuthorizationFailed",
            "Forbidden",
        ],
        words: &[],
        remedy: "the credential needs Contributor on the workspace's resource group; to attach, also \
                 Azure Kubernetes Service Cluster Admin on the cluster",
    },
    Known {
        codes: &[
            "ExpiredAuthenticationToken",
            "InvalidAuthenticationToken",
            "AuthenticationFailed",
        ],
        words: &[],
        remedy: SIGN_IN,
    },
    Known {
        codes: &["InvalidAuthenticationTokenTenant", "InvalidTokenTenant"],
        words: &[],
        remedy: "the token is of another tenant: sign in to the tenant of the subscription",
    },
    Known {
        codes: &[
            "MissingSubscriptionRegistration",
            "SubscriptionNotRegistered",
        ],
        words: &[],
        remedy: "register the resource provider that the message names (`az provider register`)",
    },
    Known {
        codes: &["InvalidApiVersionParameter", "NoRegisteredProviderFound"],
        words: &[],
        remedy: "this cloud does not offer the API version: set one that the message lists with \
                 WorkspaceBuilder::api_version",
    },
    Known {
        codes: &["OperationPreempted"],
        words: &[],
        remedy: "a newer operation on the same compute took over: read the compute to see its state",
    },
    Known {
        codes: &["SubscriptionNotFound", "ResourceGroupNotFound"],
        words: &[],
        remedy: "check the subscription and resource group, and that the credential's tenant and \
                 cloud are theirs",
    },
];

/// Returns the remedy for a refusal with this code and message, where it is a known one.
pub(crate) fn remedy(code: Option<&str>, message: Option<&str>) -> Option<&'static str> {
    if let Some(health) = code.into_iter().chain(message).find_map(health) {
        return Some(health.remedy);
    }
    let message = message.map(str::to_lowercase);
    KNOWN
        .iter()
        .find(|known| {
            code.is_some_and(|code| known.codes.iter().any(|own| own.eq_ignore_ascii_case(code)))
                || message
                    .as_deref()
                    .is_some_and(|message| stands_in(message, known.words))
        })
        .map(|known| known.remedy)
}

/// Returns the code of the health check that is a word of the text. A part of a word does not count, because ids contain
/// such letters and digits too.
fn health(text: &str) -> Option<&'static Health> {
    let is_inside = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut words = text.split(|c| !is_inside(c));
    words.find_map(|word| {
        let mut all = HEALTH.iter();
        all.find(|health| health.code == word || health.name == word)
    })
}

/// Returns whether the service reports an internal error and no reason.
pub(crate) fn says_internal(code: Option<&str>, message: Option<&str>) -> bool {
    let code = code.is_some_and(|code| code.eq_ignore_ascii_case("InternalServerError"));
    code || message.is_some_and(|message| message.to_lowercase().contains("internal server"))
}

/// Returns whether the service says that it no longer supports computes of kind AKS.
pub(crate) fn says_path_retired(_code: Option<&str>, message: Option<&str>) -> bool {
    message.is_some_and(|message| stands_in(&message.to_lowercase(), PATH_RETIRED_WORDS))
}

/// Returns whether the service says that another operation runs.
pub(crate) fn says_busy(_code: Option<&str>, message: Option<&str>) -> bool {
    message.is_some_and(|message| stands_in(&message.to_lowercase(), BUSY_WORDS))
}

fn stands_in(message: &str, sets: &[&[&str]]) -> bool {
    sets.iter()
        .any(|words| words.iter().all(|word| message.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_refusal_is_reached_by_each_of_its_marks() {
        for known in KNOWN {
            for code in known.codes {
                assert_eq!(remedy(Some(code), None), Some(known.remedy), "{code}");
            }
            for words in known.words {
                let message = words.join(" ").to_uppercase();
                assert_eq!(
                    remedy(None, Some(&message)),
                    Some(known.remedy),
                    "{message}"
                );
            }
        }
    }

    #[test]
    fn health_code_is_found_as_a_word() {
        for health in HEALTH {
            let Health {
                code,
                name,
                remedy: own,
            } = health;
            for text in [
                format!("ErrorCode: {code} ErrorMessage: x"),
                format!("[{name}]"),
                format!("failed ({code}), x"),
            ] {
                assert_eq!(remedy(None, Some(&text)), Some(*own), "{text}");
                assert_eq!(remedy(Some(code), Some("x")), Some(*own));
            }
            for text in [
                format!("id 00000000-0000-{code}-8000-x"),
                format!("A{code}"),
                format!("{name}_X"),
            ] {
                assert_eq!(remedy(None, Some(&text)), None, "{text}");
            }
        }
    }

    #[test]
    fn unknown_refusal_has_no_remedy() {
        assert_eq!(remedy(Some("Teapot"), Some("short and stout")), None);
    }

    #[test]
    fn retired_path_is_distinguished_from_other_refusals() {
        assert!(says_path_retired(
            None,
            Some("AksCompute creation is no longer supported, use KubernetesCompute")
        ));
        assert!(!says_path_retired(
            None,
            Some("The VM size is no longer supported")
        ));
    }
}
