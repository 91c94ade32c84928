//! The registry of validation rules: the one place that knows their ids.
//!
//! Every finding is made through a rule of this table, so that an id can neither be misspelt nor be
//! missing from `docs/validation.md`, which a test compares with it. The kinds of rules are types of
//! their own: a rule that refuses cannot be used to warn, nor the reverse.

use crate::error::{Error, Finding, Severity};

/// A rule whose breach refuses the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) &'static str);

/// A rule whose breach is allowed, but probably not what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Advice(pub(crate) &'static str);

/// A rule that is broken where a check cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unchecked(pub(crate) &'static str);

impl Refusal {
    /// Returns a breach of this rule at `path`. Give no `value` that is secret.
    pub(crate) fn finding(
        self,
        path: impl Into<String>,
        value: Option<&str>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding::new(Severity::Error, self.0, path, value, message, remedy)
    }
}

impl Advice {
    /// Returns a breach of this rule at `path`.
    pub(crate) fn finding(
        self,
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding::new(Severity::Warning, self.0, path, None, message, remedy)
    }
}

impl Unchecked {
    /// Returns what to say of a check at `path` that could not be made.
    pub(crate) fn finding(
        self,
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding::new(Severity::Unknown, self.0, path, None, message, remedy)
    }
}

/// What the checks of one thing found. Errors refuse it; everything else does not.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    /// Notes a breach of `rule`. Give no `value` that is secret.
    pub(crate) fn refuse(
        &mut self,
        rule: Refusal,
        path: impl Into<String>,
        value: Option<&str>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(rule.finding(path, value, message, remedy));
    }

    /// Notes something that is allowed, but probably not what is wanted.
    pub(crate) fn advise(
        &mut self,
        rule: Advice,
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(rule.finding(path, message, remedy));
    }

    /// Notes a check that could not be made.
    pub(crate) fn unchecked(
        &mut self,
        rule: Unchecked,
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(rule.finding(path, message, remedy));
    }

    /// Takes over what another check found.
    pub(crate) fn extend(&mut self, found: impl IntoIterator<Item = Finding>) {
        self.0.extend(found);
    }

    /// Returns the errors and the rest, where both are carried on.
    #[cfg(feature = "services")]
    pub(crate) fn into_parts(self) -> (Vec<Finding>, Vec<Finding>) {
        self.0.into_iter().partition(refuses)
    }

    /// Returns the same findings with warnings in place of the errors, for a caller who goes on despite
    /// them.
    #[cfg(feature = "services")]
    pub(crate) fn despite_refusals(self) -> Self {
        let soften = |found: Finding| match refuses(&found) {
            true => found.with_severity(Severity::Warning),
            false => found,
        };
        Self(self.0.into_iter().map(soften).collect())
    }

    /// Whether there is an error so far.
    pub(crate) fn refused(&self) -> bool {
        self.0.iter().any(refuses)
    }

    /// Returns the errors alone, where no [`Error`] is made of them yet.
    pub(crate) fn into_refusals(self) -> Vec<Finding> {
        self.0.into_iter().filter(refuses).collect()
    }

    /// Returns the findings if none of them is an error, otherwise one [`Error`] with all errors of
    /// `what`.
    pub(crate) fn finish(self, what: &'static str) -> Result<Vec<Finding>, Error> {
        if self.refused() {
            Err(Error::validation(what, self.into_refusals()))
        } else {
            Ok(self.0)
        }
    }
}

fn refuses(found: &Finding) -> bool {
    found.severity == Severity::Error
}

macro_rules! registry {
    ($($kind:ident $name:ident = $id:literal: $summary:literal;)*) => {
        $(
            #[doc = $summary]
            #[cfg_attr(
                not(all(feature = "services", feature = "tls_checks")),
                allow(dead_code, reason = "some need a feature")
            )]
            pub(crate) const $name: $kind = $kind($id);
        )*

        /// Every rule: id, kind and what it says.
        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str, &str)] = &[$(($id, stringify!($kind), $summary)),*];
    };
}

registry! {
    Refusal NAME_LENGTH = "name.length": "a compute name has 3 to 24 characters";
    Refusal NAME_CHARACTERS = "name.characters": "a compute name has ASCII letters, digits and `-` only";
    Refusal NAME_START = "name.start": "a compute name starts with a letter";
    Refusal NAME_END = "name.end": "a compute name ends with a letter or a digit";
    Refusal NAME_ENDS_IN_DASH_DIGITS = "name.ends_in_dash_digits": "a compute name does not end with `-` and digits";
    Refusal NAME_RESERVED = "name.reserved": "a compute name is not one of the reserved words";
    Refusal SEGMENT_EMPTY = "segment.empty": "a name that becomes part of a resource id is not empty";
    Refusal SEGMENT_CHARACTERS = "segment.characters": "a name that becomes part of a resource id cannot change the path";
    Refusal CLUSTER_NAME = "cluster.name": "the name of an AKS cluster has 1 to 63 letters, digits, `-` and `_`, with a letter or digit at both ends";
    Refusal RESOURCE_ID_SHAPE = "resource_id.shape": "a resource id names subscription, resource group, provider and resource, and no more";
    Refusal RESOURCE_ID_TYPE = "resource_id.type": "a resource id is of the type that the field asks for";
    Refusal PURPOSE_EMPTY = "purpose.empty": "a cluster purpose is not empty";
    Refusal VM_SIZE_EMPTY = "vm_size.empty": "a virtual machine size is not empty";
    Refusal LOCATION_EMPTY = "location.empty": "a location is not empty";
    Refusal AGENT_COUNT_ZERO = "agent_count.zero": "a cluster has at least one node";
    Refusal CAPACITY_PRODUCTION_MINIMUM = "capacity.production_minimum": "a production cluster of a known size has at least 12 vCPUs over all nodes";
    Advice CAPACITY_PRODUCTION_NODES = "capacity.production_nodes": "a production cluster has at least three nodes";
    Advice CAPACITY_DEV_TEST_MINIMUM = "capacity.dev_test_minimum": "a cluster for development and tests has at least 2 vCPUs";
    Refusal NETWORK_RANGE_MISSING = "network.range_missing": "a network comes with the service range, the DNS address and the Docker bridge range";
    Refusal NETWORK_SERVICE_CIDR_SYNTAX = "network.service_cidr.syntax": "the service range is an IPv4 range in CIDR notation";
    Advice NETWORK_SERVICE_CIDR_HOST_BITS = "network.service_cidr.host_bits": "the service range is written with its first address";
    Advice NETWORK_SERVICE_CIDR_SIZE = "network.service_cidr.size": "the service range is smaller than /12";
    Advice NETWORK_SERVICE_CIDR_RESERVED = "network.service_cidr.reserved": "the service range is none of those that AKS keeps for itself";
    Refusal NETWORK_DNS_IP_SYNTAX = "network.dns_ip.syntax": "the DNS address is an IPv4 address";
    Refusal NETWORK_DNS_IP_OUTSIDE_SERVICE_CIDR = "network.dns_ip.outside_service_cidr": "the DNS address lies inside the service range";
    Refusal NETWORK_DNS_IP_FIRST_ADDRESS = "network.dns_ip.first_address": "the DNS address is not the first address of the service range";
    Refusal NETWORK_BRIDGE_CIDR_SYNTAX = "network.bridge_cidr.syntax": "the Docker bridge range is an IPv4 range in CIDR notation";
    Refusal NETWORK_BRIDGE_CIDR_OVERLAP = "network.bridge_cidr.overlaps_service_cidr": "the Docker bridge range lies apart from the service range";
    Refusal LOAD_BALANCER_SUBNET_EMPTY = "load_balancer.subnet_empty": "the subnet of an internal load balancer is not empty";
    Refusal TAGS_NAME = "tags.name": "a tag name has 1 to 512 characters and none of those that Azure refuses";
    Refusal TAGS_VALUE = "tags.value": "a tag value has at most 256 characters";
    Refusal TAGS_COUNT = "tags.count": "a resource has at most 50 tags";
    Refusal TLS_LEAF_DOMAIN_LABEL = "tls.leaf_domain_label": "a leaf domain label is one DNS label with room for the suffix that the service appends";
    Refusal TLS_LEAF_DOMAIN_INTERNAL = "tls.leaf_domain_with_internal_load_balancer": "a leaf domain label needs a public load balancer";
    Refusal TLS_OVERWRITE_WITHOUT_LABEL = "tls.overwrite_without_leaf_domain": "overwriting an existing domain belongs to a leaf domain label";
    Refusal TLS_CNAME_SYNTAX = "tls.cname.syntax": "a CNAME is a host name";
    Refusal TLS_CNAME_NOT_COVERED = "tls.cname.not_covered": "the certificate covers the CNAME";
    Refusal TLS_FILE_UNREADABLE = "tls.file_unreadable": "a PEM file can be read as text";
    Refusal TLS_CERTIFICATE_MISSING = "tls.certificate_missing": "the certificate text holds a certificate";
    Refusal TLS_CERTIFICATE_SYNTAX = "tls.certificate_syntax": "every certificate can be decoded";
    Refusal TLS_KEY_MISSING = "tls.key_missing": "the key text holds a private key";
    Refusal TLS_KEY_SYNTAX = "tls.key_syntax": "the private key can be decoded";
    Refusal TLS_KEY_ENCRYPTED = "tls.key_encrypted": "the private key has no pass-phrase";
    Refusal TLS_KEY_MISMATCH = "tls.key_mismatch": "the private key belongs to the first certificate";
    Refusal TLS_EXPIRED = "tls.expired": "the certificate has not expired";
    Refusal TLS_NOT_YET_VALID = "tls.not_yet_valid": "the certificate is valid already";
    Advice TLS_EXPIRES_SOON = "tls.expires_soon": "the certificate is valid for 30 days more";
    Advice TLS_SELF_SIGNED = "tls.self_signed": "the certificate is signed by an authority";
    Advice TLS_CHAIN_INCOMPLETE = "tls.chain_incomplete": "the certificate comes with its chain, in order";
    Advice TLS_CHAIN_EXPIRED = "tls.chain_expired": "every certificate of the chain is valid now";
    Unchecked TLS_NOT_CHECKED = "tls.not_checked": "certificate and key could be checked";
    Refusal MODEL_NAME_LENGTH = "model.name.length": "a model name has 1 to 255 characters";
    Refusal MODEL_NAME_CHARACTERS = "model.name.characters": "a model name has ASCII letters, digits, `-`, `_` and `.` only";
    Refusal MODEL_NAME_START = "model.name.start": "a model name starts with a letter or a digit";
    Refusal MODEL_VERSION = "model.version": "the version in a model id is a whole number";
    Refusal MODEL_FRAMEWORK_MISSING = "model.framework_missing": "the version of a framework comes with the framework";
    Refusal MODEL_NEEDS_POSITIVE = "model.resource_needs.positive": "what a model needs is more than nothing";
    Refusal MODEL_PROPERTY = "model.property": "a property of a model keeps its value";
    Refusal MODEL_UPDATE_NOTHING = "model.update_nothing": "an update of a model changes something";
    Refusal MODEL_RUN_OUTPUT = "model.run_output": "an output of a run is named by experiment, run and a path among the outputs";
    Advice COMPUTE_DEVIATES = "compute.deviates": "a finished compute is what was asked for";
    Refusal UPDATE_NOTHING = "update.nothing": "an update changes something";
    Refusal UPDATE_RENEW_WITHOUT_LABEL = "update.renew_without_leaf_domain": "renewal needs a leaf domain label now";
    Refusal UPDATE_CURRENT = "update.current_resource": "an update starts from a compute as the service describes it";
    Refusal DEPLOYMENT_MODELS = "deployment.models": "a deployment has 1,000 models at most";
    Refusal DEPLOYMENT_WORKSPACE = "deployment.workspace": "models and compute target belong to the workspace of the service";
    Refusal DEPLOYMENT_NO_CODE = "deployment.no_code": "a deployment without code has a model of a framework that needs none";
    Refusal DEPLOYMENT_CHECKED = "deployment.checked": "the service's own checks have nothing against a request";
    Unchecked DEPLOYMENT_NOT_CHECKED = "deployment.not_checked": "the service checks a request in advance";
    Refusal SERVICE_NAME_LENGTH = "service_name.length": "a service name has 3 to 32 characters";
    Refusal SERVICE_NAME_CHARACTERS = "service_name.characters": "a service name has lowercase ASCII letters, digits and `-` only";
    Refusal SERVICE_NAME_START = "service_name.start": "a service name starts with a letter";
    Refusal SERVICE_NAME_END = "service_name.end": "a service name ends with a letter or a digit";
    Refusal NAMESPACE_SYNTAX = "namespace.syntax": "a namespace has 1 to 63 lowercase ASCII letters, digits and `-`, with a letter or digit at both ends";
    Refusal DEPLOY_COUNT_ZERO = "deploy.count.zero": "a count or a duration is at least one of its unit";
    Refusal DEPLOY_COUNT_TOO_LARGE = "deploy.count.too_large": "a count or a duration fits into the 32 bits that the service has for it";
    Refusal DEPLOY_DURATION_UNIT = "deploy.duration.unit": "a duration is a whole number of the unit that the service counts in";
    Refusal DEPLOY_AMOUNT = "deploy.resources.amount": "an amount of CPU or memory is a finite number above zero";
    Refusal DEPLOY_LIMIT_BELOW_REQUEST = "deploy.resources.limit": "a limit is not below what is asked for";
    Refusal DEPLOY_FPGA_PAIRS = "deploy.resources.fpga": "FPGA devices come in pairs";
    Refusal DEPLOY_REPLICAS_RANGE = "deploy.replicas.range": "the smallest number of replicas is not above the largest";
    Advice DEPLOY_REPLICAS_DEFAULT_MAXIMUM = "deploy.replicas.default_maximum": "a smallest number of replicas above 10 comes with a largest one";
    Refusal DEPLOY_UTILIZATION = "deploy.replicas.utilization": "the target utilisation is 1 to 100 percent";
    Advice DEPLOY_PROBE_SUCCESSES = "deploy.probe.success_threshold": "a liveness probe asks for one success";
    Refusal DEPLOY_SCORING_TIMEOUT = "deploy.scoring_timeout.maximum": "the scoring timeout is at most 300 seconds";
    Advice DEPLOY_CONCURRENCY = "deploy.concurrency.above_one": "a replica takes one request at a time";
    Refusal DEPLOY_KEY_EMPTY = "deploy.keys.empty": "a key is not empty";
    Advice DEPLOY_KEYS_UNUSED = "deploy.keys.unused": "keys come with key authentication";
    Refusal DEPLOY_METADATA_NAME = "deploy.metadata.name": "the name of a tag or a property is not empty";
    Refusal DEPLOY_FILE_UNREADABLE = "deploy_file.unreadable": "the file can be read, as text and not without end";
    Refusal DEPLOY_FILE_SYNTAX = "deploy_file.syntax": "the file holds JSON";
    Refusal DEPLOY_FILE_TYPE = "deploy_file.type": "a member of the file has the type that is documented";
    Refusal DEPLOY_FILE_COMPUTE_TYPE = "deploy_file.compute_type": "the file says that it is for AKS";
    Refusal DEPLOY_FILE_AUTH = "deploy_file.auth": "the file does not turn keys and tokens on together";
    Refusal DEPLOY_FILE_REPLICAS = "deploy_file.replicas": "the file asks either for a number of replicas or for autoscaling";
    Advice DEPLOY_FILE_UNKNOWN_KEY = "deploy_file.unknown_key": "every key of the file is one that is read";
    Refusal DEPLOY_FILE_STRICT = "deploy_file.strict": "in strict mode, every key of the file is one that is read";
    Refusal LOAD_AMOUNT = "load.amount": "a load has requests, and they take time";
    Refusal LOAD_TOO_LARGE = "load.too_large": "a load needs fewer replicas than the service can count";
    Refusal SERVICE_UPDATE_NOTHING = "service_update.nothing": "an update of a service changes something";
    Refusal SERVICE_UPDATE_MODELS = "service_update.models_alone": "new models come with an inference configuration, or are one that needs none";
    Refusal SERVICE_UPDATE_PROPERTY = "service_update.property": "a property keeps its value";
    Refusal SERVICE_UPDATE_CURRENT = "service_update.current": "an update of a service fits what it leaves as it is";
    Refusal ENTRY_SCRIPT_MISSING = "entry_script.missing": "an inference configuration names its entry script";
    Refusal ENTRY_SCRIPT_NAME = "entry_script.name": "an entry script is a Python file whose name is a Python identifier";
    Refusal ENTRY_SCRIPT_OUTSIDE = "entry_script.outside": "an entry script lies inside the source directory, relative to it";
    Refusal ENTRY_SCRIPT_FILE = "entry_script.file": "an entry script is a file that is packed, can be read and is not empty";
    Advice ENTRY_SCRIPT_FUNCTIONS = "entry_script.functions": "an entry script names the functions `init` and `run`";
    Refusal SOURCE_DIRECTORY = "source_directory.folder": "a source directory is a folder with a name, and not empty";
    Refusal SOURCE_UNREADABLE = "source_directory.unreadable": "everything that is to be packed can be read";
    Refusal SOURCE_CHANGED = "source_directory.changed": "a source directory stays as it is while it is packed";
    Advice SOURCE_IGNORE_LINE = "source_directory.ignore_line": "every line of an ignore file is a pattern";
    Advice SOURCE_LINK = "source_directory.link": "a link in a source directory leads to something that is packed with it";
    Advice SOURCE_SPECIAL_FILE = "source_directory.special_file": "a source directory holds files, folders and links only";
    Advice SOURCE_GIT_FOLDER = "source_directory.git_folder": "a source directory is packed without the history of its sources";
    Refusal ENVIRONMENT_EMPTY = "environment.empty": "a text of an environment is not empty";
    Refusal ENVIRONMENT_NAME_RESERVED = "environment.name_reserved": "the name of an environment of your own does not begin with `Microsoft` or `AzureML`";
    Refusal ENVIRONMENT_IMAGE_AND_DOCKERFILE = "environment.image_and_dockerfile": "an environment has a base image or a base Dockerfile, not both";
    Refusal ENVIRONMENT_REGISTRY = "environment.registry": "a private registry has an address, and a user name with its password or neither";
    Advice ENVIRONMENT_REGISTRY_UNUSED = "environment.registry_unused": "a private registry comes with the base image or the Dockerfile that it is for";
    Refusal ENVIRONMENT_VARIABLE_NAME = "environment.variable_name": "the name of an environment variable is not empty and has neither `=` nor a zero character";
    Advice ENVIRONMENT_VARIABLE_OVERWRITTEN = "environment.variable_overwritten": "an environment leaves the variables of the entry script to the deployment";
    Refusal ENVIRONMENT_SHM_SIZE = "environment.shm_size": "a size of shared memory is a number with the unit b, k, m or g";
    Advice ENVIRONMENT_GPU_IMAGE = "environment.gpu_image": "an environment with GPU support names a base image or a Dockerfile with CUDA";
    Advice ENVIRONMENT_INTERPRETER_UNUSED = "environment.interpreter_unused": "an interpreter path belongs to dependencies that the user manages";
    Advice ENVIRONMENT_CONDA_UNUSED = "environment.conda_unused": "conda dependencies are not given where the user manages the dependencies";
    Refusal CONDA_FILE = "conda.file": "a conda file can be read, is not empty, and is a YAML mapping";
    Refusal CONDA_SHAPE = "conda.shape": "channels are texts, and dependencies are texts and lists of pip packages";
    Refusal CONDA_STRICT = "conda.strict": "in strict mode, a conda file has only the keys that conda knows";
    Advice CONDA_UNKNOWN_KEY = "conda.unknown_key": "a conda file has the keys that conda knows";
    Advice CONDA_SERVER_MISSING = "conda.server_missing": "conda dependencies have the pip package `azureml-defaults`";
    Advice CONDA_SERVER_OLD = "conda.server_old": "`azureml-defaults` is 1.0.45 or later";
    Advice CONDA_PYTHON_UNSAID = "conda.python_unsaid": "conda dependencies name the version of Python";
    Advice CONDA_REQUIREMENTS_FILE = "conda.requirements_file": "pip packages stand in the conda dependencies themselves";
    Refusal DOCKERFILE_FILE = "dockerfile.file": "a Dockerfile can be read as text and is not empty";
    Refusal INFERENCE_FILE_UNREADABLE = "inference_file.unreadable": "an `inferenceconfig.json` can be read";
    Refusal INFERENCE_FILE_SYNTAX = "inference_file.syntax": "an `inferenceconfig.json` is a JSON object";
    Refusal INFERENCE_FILE_TYPE = "inference_file.type": "every known key of an `inferenceconfig.json` has a value of its type";
    Advice INFERENCE_FILE_UNKNOWN_KEY = "inference_file.unknown_key": "every key of an `inferenceconfig.json` is known";
    Refusal INFERENCE_FILE_STRICT = "inference_file.strict": "every key of an `inferenceconfig.json` is known, in strict mode";
    Advice INFERENCE_FILE_IGNORED_KEY = "inference_file.ignored_key": "the flat keys of 2019 stand without `environment`";
    Refusal INFERENCE_FILE_RUNTIME = "inference_file.runtime": "a `runtime` is `python`";
    Refusal INFERENCE_FILE_CUDA_VERSION = "inference_file.cuda_version": "a `cudaVersion` is 9.0, 9.1 or 10.0";
    Advice INFERENCE_FILE_CUDA_UNUSED = "inference_file.cuda_unused": "the version of CUDA comes with the base image";
    Refusal INFERENCE_FILE_DOCKER_STEPS = "inference_file.docker_steps": "extra Docker steps come with the base image that they build on";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_lowercase_with_one_area_in_front() {
        let ids: BTreeSet<_> = ALL.iter().map(|(id, ..)| id).collect();
        assert_eq!(ids.len(), ALL.len());
        for id in ids {
            assert!(id.contains('.'), "{id}");
            assert!(
                id.chars()
                    .all(|c| c.is_ascii_lowercase() || "._".contains(c)),
                "{id}"
            );
        }
    }

    #[test]
    fn only_errors_refuse_and_only_errors_are_in_the_error() {
        let mut findings = Findings::default();
        findings.advise(CAPACITY_PRODUCTION_NODES, "a", "m", "r");
        findings.unchecked(TLS_NOT_CHECKED, "b", "m", "r");
        assert!(!findings.refused());
        findings.refuse(NAME_END, "c", None, "m", "r");
        assert!(findings.refused());
        let error = findings.finish("thing").unwrap_err();
        assert_eq!(error.to_string().lines().count(), 2, "{error}");
        assert_eq!(error.findings(), [NAME_END.finding("c", None, "m", "r")]);

        let mut findings = Findings::default();
        findings.advise(CAPACITY_PRODUCTION_NODES, "a", "m", "r");
        findings.unchecked(TLS_NOT_CHECKED, "b", "m", "r");
        let found = findings.finish("thing").unwrap();
        let severities: Vec<_> = found.iter().map(|found| found.severity).collect();
        assert_eq!(severities, [Severity::Warning, Severity::Unknown]);
    }

    #[test]
    fn the_page_of_rules_lists_exactly_the_registry() {
        let page = include_str!("../docs/validation.md");
        let listed: BTreeSet<(String, String, String)> = page
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| {
                let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
                assert_eq!(cells.len(), 6, "six cells in {line}");
                assert!(
                    cells.iter().all(|cell| !cell.is_empty()),
                    "an empty cell in {line}"
                );
                (
                    cells[0].trim_matches('`').to_owned(),
                    cells[1].to_owned(),
                    cells[2].to_owned(),
                )
            })
            .collect();
        let registered: BTreeSet<_> = ALL
            .iter()
            .map(|(id, kind, summary)| {
                let severity = match *kind {
                    "Refusal" => Severity::Error,
                    "Advice" => Severity::Warning,
                    _ => Severity::Unknown,
                };
                (
                    (*id).to_owned(),
                    severity.to_string(),
                    (*summary).to_owned(),
                )
            })
            .collect();
        let missing: Vec<_> = registered.difference(&listed).collect();
        let extra: Vec<_> = listed.difference(&registered).collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "missing {missing:#?}, extra {extra:#?}"
        );
    }
}
