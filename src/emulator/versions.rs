//! API versions that are answered, and the Kubernetes versions that are on offer.

use crate::facts::arm;

use super::error::ArmError;

/// Which shape a request and its answer have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// What `azureml-core` speaks: in no published type index. It insists on keys that others
    /// omit, so they are sent as `null`, and it puts back what it has read.
    Python = 1,
    /// The OpenAPI description of 2019-11-01: `agentVMSize`, no purpose, no load balancer.
    Of2019 = 2,
    /// As before, but `agentVmSize`: what `azure-mgmt-machinelearningservices` 1.0.1 speaks.
    Of2020 = 4,
    /// `AKSSchemaProperties`, the same in every version since 2021-07-01.
    Current = 8,
}

/// The stable versions of the machine learning provider from 2021-07-01 on. Those between 2020
/// and then had other fields each and are refused rather than approximated.
const CURRENT: &[&str] = &[
    "2021-07-01",
    arm::PYTHON_WORKSPACE_API_VERSION,
    "2022-10-01",
    "2023-04-01",
    "2023-10-01",
    "2024-04-01",
    "2024-10-01",
    "2025-06-01",
    "2025-09-01",
    "2025-12-01",
    arm::DEFAULT_API_VERSION,
];

/// From here on the description gives names of computes a pattern that forbids `-<digits>` at the
/// end.
pub(crate) const NAME_PATTERN_SINCE: &str = "2025-12-01";

/// The container service versions answered: the published description of 2019-08-01
/// (`orchestrators`), of 2019-10-01 (`managedClusters`) and today's types.
pub(crate) const CONTAINER_SERVICE: &[&str] = &[
    "2019-08-01",
    "2019-10-01",
    "2023-10-01",
    "2024-05-01",
    "2024-09-01",
    "2025-05-01",
    "2025-10-01",
    "2026-05-01",
    "2026-08-01",
];

fn missing(kind: &str) -> ArmError {
    ArmError::new(
        400,
        "MissingApiVersionParameter",
        format!("The api-version query parameter (?api-version=) is required for '{kind}'."),
    )
}

fn refused(version: &str, kind: &str, supported: &[&str]) -> ArmError {
    ArmError::new(
        400,
        "NoRegisteredProviderFound",
        format!(
            "No registered resource provider found for type '{kind}' and API version \
             '{version}'. The versions that the emulator answers are '{}'.",
            supported.join(", ")
        ),
    )
}

/// The dialect of a machine learning version.
pub(crate) fn dialect(version: Option<&str>, kind: &str) -> Result<Dialect, ArmError> {
    match version.map(str::trim) {
        None | Some("") => Err(missing(kind)),
        Some(arm::PYTHON_COMPUTE_API_VERSION) => Ok(Dialect::Python),
        Some(arm::PUBLISHED_API_VERSION) => Ok(Dialect::Of2019),
        Some(arm::MGMT_CLIENT_API_VERSION) => Ok(Dialect::Of2020),
        Some(version) if CURRENT.contains(&version) => Ok(Dialect::Current),
        Some(version) => {
            let mut supported = vec![
                arm::PYTHON_COMPUTE_API_VERSION,
                arm::PUBLISHED_API_VERSION,
                arm::MGMT_CLIENT_API_VERSION,
            ];
            supported.extend(CURRENT);
            Err(refused(version, kind, &supported))
        }
    }
}

/// Whether a version of the container service is answered.
pub(crate) fn container_service(version: Option<&str>, kind: &str) -> Result<(), ArmError> {
    match version.map(str::trim) {
        None | Some("") => Err(missing(kind)),
        Some(version) if CONTAINER_SERVICE.contains(&version) => Ok(()),
        Some(version) => Err(refused(version, kind, CONTAINER_SERVICE)),
    }
}

/// A Kubernetes version on offer, with its patches, oldest first.
#[derive(Debug)]
pub(crate) struct Kubernetes {
    pub(crate) minor: &'static str,
    pub(crate) patches: &'static [&'static str],
    pub(crate) default: bool,
    pub(crate) preview: bool,
}

/// What this emulator offers; the real list differs by region and by week.
pub(crate) const KUBERNETES: &[Kubernetes] = &[
    Kubernetes {
        minor: "1.33",
        patches: &["1.33.2", "1.33.5"],
        default: false,
        preview: false,
    },
    Kubernetes {
        minor: "1.34",
        patches: &["1.34.1", "1.34.3"],
        default: true,
        preview: false,
    },
    Kubernetes {
        minor: "1.35",
        patches: &["1.35.0"],
        default: false,
        preview: false,
    },
    Kubernetes {
        minor: "1.36",
        patches: &["1.36.0"],
        default: false,
        preview: true,
    },
];

/// The version that new clusters have.
pub(crate) const DEFAULT_KUBERNETES: &str = "1.34.3";

/// Whether attaching a cluster of this version is accepted: its minor is on offer and no preview.
pub(crate) fn attachable(version: &str) -> bool {
    let minor: Vec<&str> = version.split('.').take(2).collect();
    KUBERNETES
        .iter()
        .any(|known| !known.preview && known.minor == minor.join("."))
}

/// The versions that [`attachable`] accepts, as the service's refusal lists them.
pub(crate) fn attachable_list() -> String {
    let minors: Vec<&str> = KUBERNETES
        .iter()
        .filter(|known| !known.preview)
        .map(|known| known.minor)
        .collect();
    minors.join(", ")
}
