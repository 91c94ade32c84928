//! The rules for names, as data.

/// The shortest name of a compute (documentation; pattern of the ARM type since 2025-12-01).
pub(crate) const COMPUTE_MIN: usize = 3;

/// The longest name of a compute (same sources).
pub(crate) const COMPUTE_MAX: usize = 24;

/// Names that `azureml-core` 1.61 refuses for a new compute because they mean something else there.
/// It compares them exactly; we compare them without regard to case.
pub(crate) const RESERVED_COMPUTES: &[&str] = &["amlcompute", "local", "containerinstance"];

/// The longest name of an AKS cluster (`Microsoft.ContainerService` 2019-10-01, `resourceName`).
pub(crate) const CLUSTER_MAX: usize = 63;

/// The longest label of a host name, and the longest host name (RFC 1035, section 2.3.4; without
/// the trailing dot).
pub(crate) const DNS_LABEL_MAX: usize = 63;
/// See [`DNS_LABEL_MAX`].
pub(crate) const HOST_NAME_MAX: usize = 253;

/// The random characters that the service appends to a leaf domain label
/// (`how-to-secure-web-service`, 2021-03).
pub(crate) const LEAF_DOMAIN_SUFFIX: usize = 6;

/// The shortest name of a web service (`azureml-core` 1.61).
#[cfg(feature = "services")]
pub(crate) const SERVICE_MIN: usize = 3;

/// The longest name of a web service (`azureml-core` 1.61).
#[cfg(feature = "services")]
pub(crate) const SERVICE_MAX: usize = 32;

/// The longest name of a Kubernetes namespace (`azureml-core` 1.61; RFC 1123 label).
pub(crate) const NAMESPACE_MAX: usize = 63;

/// The longest name of a Kubernetes object (RFC 1123 subdomain).
pub(crate) const KUBERNETES_NAME_MAX: usize = 253;

/// The longest name and the longest value of a Kubernetes label, without the prefix of the name.
pub(crate) const LABEL_MAX: usize = 63;
