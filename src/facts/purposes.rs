//! The purposes of a cluster, and the size that each requires.

/// The default purpose: for production, many small requests.
pub(crate) const FAST_PROD: &str = "FastProd";
/// For production, larger models and fewer requests.
pub(crate) const DENSE_PROD: &str = "DenseProd";
/// For development and tests.
pub(crate) const DEV_TEST: &str = "DevTest";

/// The fewest vCPUs, over all nodes, of a production cluster (the articles of 2019-09 and 2020-10:
/// number of nodes times vCPUs of the size must be 12 or more).
pub(crate) const PRODUCTION_VCPUS: u64 = 12;

/// The fewest nodes of a production cluster (`v1/how-to-create-attach-kubernetes`, 2022-04; earlier
/// pages do not ask for it).
pub(crate) const PRODUCTION_NODES: u32 = 3;

/// The vCPUs that the documentation recommends for a cluster for development and tests.
pub(crate) const DEV_TEST_VCPUS: u64 = 2;

/// The documented number of nodes when none is given (`azureml-core` 1.61): production.
pub(crate) const DEFAULT_PRODUCTION_NODES: u32 = 3;

/// The documented number of nodes when none is given (`azureml-core` 1.61): development and tests.
pub(crate) const DEFAULT_DEV_TEST_NODES: u32 = 1;
