//! The domains of Azure Machine Learning: where the hosts are that the discovery of a workspace names.

/// The public cloud. Recorded 2021 to 2025: `{region}.api.azureml.ms`, `{region}.experiments.azureml.net`,
/// `{region}.modelmanagement.azureml.net` and `{region}.aether.ms`. With a private link, hosts are below
/// `api.azureml.ms` too (`how-to-custom-dns`).
pub(crate) const PUBLIC: &[&str] = &["azureml.ms", "azureml.net", "aether.ms"];

/// The US government: `{region}.api.ml.azure.us` (`reference-machine-learning-cloud-parity`,
/// `how-to-custom-dns`); never recorded.
pub(crate) const US_GOVERNMENT: &[&str] = &["ml.azure.us"];

/// China: `{region}.api.ml.azure.cn` (`how-to-custom-dns`); never recorded.
pub(crate) const CHINA: &[&str] = &["ml.azure.cn"];

/// Parts of a domain below which customers run code of their own: the compute instances of a workspace
/// (`{name}.{region}.instances.azureml.ms`) and online endpoints (`{name}.{region}.inference.ml.azure.us`), by
/// `how-to-custom-dns`. Customers receive what is sent there.
#[cfg(feature = "services")]
pub(crate) const OF_CUSTOMERS: [&str; 2] = ["instances", "inference"];
