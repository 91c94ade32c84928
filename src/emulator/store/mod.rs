//! What the data plane keeps beside computes: artifacts and their blobs, assets, models,
//! environments.

pub(super) mod artifacts;
pub(super) mod blobs;
pub(super) mod environments;
pub(super) mod models;

use self::artifacts::Artifacts;
use self::blobs::Blobs;
use self::environments::Environments;
use self::models::{Assets, Models};

/// Each part knows nothing of the others; what joins them is in the routes.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) artifacts: Artifacts,
    pub(super) blobs: Blobs,
    pub(super) assets: Assets,
    pub(super) models: Models,
    pub(super) environments: Environments,
}

/// Where a page begins and how long it is, and where the next one begins if there is one.
pub(super) fn page<T>(
    items: impl IntoIterator<Item = T>,
    start: usize,
    size: usize,
) -> (Vec<T>, Option<usize>) {
    let mut rest = items.into_iter().skip(start);
    let page: Vec<T> = rest.by_ref().take(size).collect();
    let next = rest.next().map(|_| start + page.len());
    (page, next)
}
