//! What the data plane keeps beside computes: artifacts and their blobs, assets, models,
//! environments.

use super::artifacts::blob_store::Blobs;
use super::artifacts::store::Artifacts;
use super::environment_store::Environments;
use super::models::store::{Assets, Models};

/// Each part knows nothing of the others; what joins them is in the routes.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) artifacts: Artifacts,
    pub(crate) blobs: Blobs,
    pub(crate) assets: Assets,
    pub(crate) models: Models,
    pub(crate) environments: Environments,
}

/// Where a page begins and how long it is, and where the next one begins if there is one.
pub(crate) fn page<T>(
    items: impl IntoIterator<Item = T>,
    start: usize,
    size: usize,
) -> (Vec<T>, Option<usize>) {
    let mut rest = items.into_iter().skip(start);
    let page: Vec<T> = rest.by_ref().take(size).collect();
    let next = rest.next().map(|_| start + page.len());
    (page, next)
}
