//! Why a command failed, and its exit code.

use crate::output::printable;
use azureml_aks::Error;

/// The service, the network, or a rule of ours said no.
const FAILED: u8 = 1;
/// The command line cannot be carried out as it is.
const USAGE: u8 = 2;
/// The exit code of a resource that does not exist.
const NOT_FOUND: u8 = 3;

/// A text for standard error, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    /// Empty where all is said.
    pub(crate) text: String,
}

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            code: FAILED,
            text: text.into(),
        }
    }

    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self {
            code: USAGE,
            text: text.into(),
        }
    }

    pub(crate) fn not_found(text: impl Into<String>) -> Self {
        Self {
            code: NOT_FOUND,
            text: text.into(),
        }
    }

    /// A failure that was reported before.
    pub(crate) fn reported() -> Self {
        Self::new("")
    }

    pub(crate) fn file(path: &std::path::Path, error: impl std::fmt::Display) -> Self {
        Self::new(format!("{}: {error}", path.display()))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            code: if error.is_not_found() {
                NOT_FOUND
            } else {
                FAILED
            },
            text: of_this_program(&error.to_string()),
        }
    }
}

/// Names of items in the texts of the library, and what this program writes in their place.
const WORDS: &[(&str, &str)] = &[
    (
        ", or add .or_get() to take the existing cluster",
        "; `azureml-aks aks show` shows the existing one",
    ),
    (
        ", or add .or_get() to take the existing compute",
        "; `azureml-aks computetarget show` shows the existing one",
    ),
    (
        "add .or_get() to take the existing compute, or",
        "`azureml-aks computetarget show` shows the existing one;",
    ),
    (
        ".or_get() takes the existing compute",
        "`azureml-aks computetarget show` shows the existing one",
    ),
    (
        ", or the existing compute with `or_get()`",
        "; `azureml-aks computetarget show` shows the existing one",
    ),
    (
        "add .or_get() to take the existing extension, or change its settings by an update",
        "`azureml-aks extension show` shows the existing one, and `azureml-aks extension update` changes it",
    ),
    (
        "give the file by `ExtensionTls::certificate` and `Pem::file`",
        "give it by --config-protected",
    ),
    (
        "give it by `protected_setting`",
        "give it by --config-protected",
    ),
    (
        "give the region by `cluster_location`",
        "use the library, which takes the region from its caller",
    ),
    (
        "send the request with `despite_findings`",
        "add --despite-findings; where the name is taken, --overwrite updates that service",
    ),
    (
        "call ignore_other_attachments()",
        "add --ignore-other-attachments",
    ),
    ("call private_cluster()", "add --enable-private-cluster"),
    ("virtual_network(..)", "--vnet-subnet-id"),
    ("node_pool(..)", "--nodepool-name"),
    ("`ClusterPurpose::DevTest`", "--cluster-purpose DevTest"),
    (
        "use `LoadBalancer::internal()`",
        "leave out --load-balancer-subnet",
    ),
    (
        "`TlsUpdate::Enable`: a leaf domain label, or your own",
        "--ssl-leaf-domain-label, or with your own",
    ),
    ("EnvironmentRef", "--environment-name"),
    (
        "user_managed_dependencies(true)",
        "userManagedDependencies to true in the environment",
    ),
    (
        "(wait_for_completion)",
        "(`azureml-aks operation list` shows those that were started here)",
    ),
    (
        "wait for it with wait_for_completion",
        "wait until it has ended (`azureml-aks operation resume`, if it was started here)",
    ),
    (
        "wait for it with wait_for_deployment",
        "wait until it has ended (`azureml-aks operation resume`, if it was started here)",
    ),
    (
        "set one that the message lists with WorkspaceBuilder::api_version",
        "use the library, which can send another one",
    ),
    (
        "autoscale_min_replicas, autoscale_max_replicas",
        "--autoscale-min-replicas, --autoscale-max-replicas",
    ),
    (
        "autoscale_target_utilization",
        "--autoscale-target-utilization",
    ),
    ("scoring_timeout (", "--scoring-timeout-ms ("),
    (
        "to `proxy`, or call without the proxy",
        "in HTTPS_PROXY, or unset it",
    ),
    ("`Auth::Key`", "--auth-enabled true"),
    ("Auth::Token", "--token-auth-enabled true"),
    ("or allow to overwrite", "or add --overwrite"),
    ("; allow to overwrite", "; add --overwrite for"),
    ("and allow to overwrite", "and add --overwrite for"),
    ("deploy with overwrite", "deploy with --overwrite"),
    (
        "build a new client with `scoring_client`",
        "run the command again",
    ),
    (
        "or use Workspace::builder",
        "or write it with `azureml-aks folder attach`",
    ),
    (
        "call `trusted_domain` of the builder of the workspace",
        "use the library: this program cannot be told to trust it",
    ),
];

/// A text of the library, with this program's options and commands in place of the library's items.
pub(crate) fn of_this_program(text: &str) -> String {
    let text = printable(text).into_owned();
    WORDS
        .iter()
        .fold(text, |text, (word, here)| text.replace(word, here))
}

#[cfg(test)]
pub(crate) fn words() -> impl Iterator<Item = &'static str> {
    WORDS.iter().map(|(word, _)| *word)
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;
