//! API versions that are answered.

use crate::facts::arm;

use super::error::ArmError;

/// Which shape a request and its answer have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// The dialect of `azureml-core`: in no published type index. It insists on keys that others
    /// omit, so they are sent as `null`, and it puts back what it has read.
    Python = 1,
    /// The OpenAPI description of 2019-11-01: `agentVMSize`, no purpose, no load balancer.
    Of2019 = 2,
    /// As before, but `agentVmSize`: the dialect of `azure-mgmt-machinelearningservices` 1.0.1.
    Of2020 = 4,
    /// `AKSSchemaProperties`, the same in every version since 2021-07-01.
    Current = 8,
}

/// The stable versions of the machine learning provider from 2021-07-01 on. Those between 2020
/// and then had other fields each, and are answered like that of 2020.
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
const CONTAINER_SERVICE: &[&str] = &[
    "2019-08-01",
    "2019-10-01",
    "2023-10-01",
    "2024-05-01",
    "2024-09-01",
    "2025-05-01",
    "2025-10-01",
    "2026-05-01",
    "2026-06-01",
    "2026-07-01",
    "2026-08-01",
];

/// Those of extensions: the stable ones of the published descriptions.
const KUBERNETES_CONFIGURATION: &[&str] = &[
    "2021-09-01",
    "2022-03-01",
    "2022-07-01",
    "2022-11-01",
    "2023-05-01",
    "2024-11-01",
    "2025-03-01",
];

/// Those of Arc-connected clusters.
const CONNECTED_CLUSTERS: &[&str] = &["2021-03-01", "2021-10-01", "2024-01-01"];

/// The version in the URLs of the container service's operations, whatever that of the request.
pub(crate) const CLUSTER_OPERATIONS: &str = "2025-03-01";

/// Since then a node pool is of the mode `System` or `User`; before, every pool is what a system pool is now.
pub(crate) const POOL_MODES_SINCE: &str = "2020-03-01";

/// The versions of the provider of virtual machines that clients are known to send.
const COMPUTE: &[&str] = &[
    "2017-03-30",
    "2019-04-01",
    arm::SKUS_API_VERSION,
    arm::USAGES_API_VERSION,
];

/// Those of the provider of networks.
const NETWORK: &[&str] = &[
    "2022-01-01",
    "2024-01-01",
    "2024-03-01",
    "2024-07-01",
    arm::NETWORK_API_VERSION,
    "2025-07-01",
];

/// Those of Resource Manager's own resources: groups and regions.
const RESOURCES: &[&str] = &["2021-04-01", "2022-12-01", "2024-11-01"];

/// Rows of VM sizes tell zones since then.
pub(crate) const ZONES_SINCE: &str = "2017-09-01";

/// Since then a compute has warnings beside its errors.
pub(crate) const WARNINGS_SINCE: &str = "2024-04-01";

const OLD: &[&str] = &[
    arm::PYTHON_COMPUTE_API_VERSION,
    arm::PUBLISHED_API_VERSION,
    arm::MGMT_CLIENT_API_VERSION,
];

/// `2026-05-01`, or the same with `-preview`.
fn is_dated(version: &str) -> bool {
    let date = version.strip_suffix("-preview").unwrap_or(version);
    date.len() == 10
        && date.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// Refuses what is not a version. `route` is the path that was asked for. A version that is not known
/// is taken, as clients are often newer, and the log names those that are known.
pub(crate) fn check(version: Option<&str>, route: &str) -> Result<(), ArmError> {
    let last = |word: &&str| !word.is_empty() && !word.starts_with('{');
    let kind = route.rsplit('/').find(last).unwrap_or("workspaces");
    let known = match route {
        _ if route.contains("Microsoft.Authorization") => vec![arm::PERMISSIONS_API_VERSION],
        _ if route.contains("Microsoft.PolicyInsights") => vec![arm::POLICY_API_VERSION],
        _ if route.contains(arm::KUBERNETES_CONFIGURATION_PROVIDER) => {
            KUBERNETES_CONFIGURATION.to_vec()
        }
        _ if route.contains(arm::CONNECTED_CLUSTERS) => CONNECTED_CLUSTERS.to_vec(),
        _ if route.contains(arm::AKS_PROVIDER) => CONTAINER_SERVICE.to_vec(),
        _ if route.contains(arm::COMPUTE_PROVIDER) => COMPUTE.to_vec(),
        _ if route.contains("Microsoft.Network") => NETWORK.to_vec(),
        _ if route.starts_with("/sub") && !route.contains("/providers/Microsoft") => {
            RESOURCES.to_vec()
        }
        _ => [OLD, CURRENT].concat(),
    };
    match version.map(str::trim) {
        None | Some("") => Err(ArmError::front_door(
            400,
            "MissingApiVersionParameter",
            format!("The api-version query parameter (?api-version=) is required for '{kind}'."),
        )),
        Some(version) if known.contains(&version) => Ok(()),
        Some(version) if is_dated(version) => {
            tracing::info!(
                version,
                kind,
                known = known.join(", "),
                "the emulator answers an API version that it does not know like one that it does"
            );
            Ok(())
        }
        Some(version) => Err(ArmError::front_door(
            400,
            "NoRegisteredProviderFound",
            format!(
                "No registered resource provider found for type '{kind}' and API version \
                 '{version}'. The versions that the emulator knows are '{}'.",
                known.join(", ")
            ),
        )),
    }
}

/// The dialect of a machine learning version: of one that is not known, that of the last before it.
pub(crate) fn dialect(version: &str) -> Dialect {
    match version {
        arm::PYTHON_COMPUTE_API_VERSION => Dialect::Python,
        _ if version < arm::MGMT_CLIENT_API_VERSION => Dialect::Of2019,
        _ if version < CURRENT[0] => Dialect::Of2020,
        _ => Dialect::Current,
    }
}
