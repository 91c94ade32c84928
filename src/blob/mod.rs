//! Blobs behind URLs that are signed already: uploads that go on where they stopped, and downloads.
//!
//! # Design
//!
//! **A block is known by its content.** The id of a block says where it lies, how large blocks are, how
//! large the whole is, and the checksum of what is in it ([`plan`]). An upload first asks which
//! blocks the store has, reads the source, and sends only those whose id and size it does not find. So
//! a broken upload goes on where it stopped, in this process or another, without anything written down
//! here; a source that has changed in between brings other ids, and no mixture of two versions
//! can be committed. Modification times are not asked: a checkout gives old content a new time, and
//! tools can give new content an old one. The price is that going on reads the source from the
//! start, which is far cheaper than to send it.
//!
//! **Overwriting is meant.** Neither a whole blob nor a list of blocks is sent with `If-None-Match: *`.
//! The container belongs to one registration, so nobody else's blob can be hit; and with the condition an
//! upload whose last answer was lost could never be run again, as it is with Microsoft's client. Run
//! again, the same upload ends well: a small blob is sent anew, of a large one every block is found,
//! and the same list is committed.
//!
//! **Memory is bounded by construction.** A block is read only when there is room for it, and all transfers
//! of a store, however many go side by side, share room for 32 MiB ([`buffers`]).

mod buffers;
mod download;
mod patience;
mod plan;
mod progress;
mod refusal;
mod sas;
mod source;
#[cfg(test)]
mod tests;
mod upload;

pub(crate) use download::is_there;
pub(crate) use plan::LARGEST;
pub use progress::TransferProgress;
pub(crate) use sas::SasUrl;
pub(crate) use source::Source;

use crate::transport::BoundedRetry;
use crate::transport::limits::blobs;
use azure_core::http::ClientOptions;
use azure_storage_blob::clients::{BlockBlobClient, BlockBlobClientOptions};
use buffers::Buffers;
use patience::TryLimit;
use std::num::NonZero;
use std::sync::Arc;

/// The progress of a transfer.
pub(crate) type OnProgress<'a> = &'a (dyn Fn(TransferProgress) + Send + Sync);

/// Sends blobs to signed URLs and fetches them. It has no credential of its own: what a URL allows is
/// all that it may do.
#[derive(Debug, Clone)]
pub(crate) struct BlobStore {
    options: Arc<ClientOptions>,
    own_retry: bool,
    /// Shared by all that this store and its clones transfer.
    buffers: Arc<Buffers>,
    parallelism: NonZero<usize>,
}

impl BlobStore {
    /// # Arguments
    ///
    /// * `options` - with a transport in it. Policies that add a credential do not belong here: a signed
    ///   URL is one.
    /// * `own_retry` - whether `options.retry` was set by the caller, and is kept. Otherwise a request goes
    ///   out [`blobs::SENDS`] times at most, whatever the store asks for.
    /// * `parallelism` - how many blocks of one blob are under way at once, at most. Fewer where they, or
    ///   those of all blobs together, would take more than 32 MiB.
    pub(crate) fn new(
        mut options: ClientOptions,
        own_retry: bool,
        parallelism: NonZero<usize>,
    ) -> Self {
        options.per_try_policies.push(Arc::new(TryLimit));
        Self {
            options: Arc::new(options),
            own_retry,
            buffers: Arc::default(),
            parallelism,
        }
    }

    /// Returns the options of a client that sends each request at most `sends` times.
    fn options(&self, sends: u32) -> ClientOptions {
        let mut options = (*self.options).clone();
        if !self.own_retry {
            options.retry = BoundedRetry::options(sends, blobs::FIRST_PAUSE);
        }
        options
    }

    fn block_blob(&self, sas: &SasUrl, sends: u32) -> azure_core::Result<BlockBlobClient> {
        let options = BlockBlobClientOptions {
            client_options: self.options(sends),
            ..Default::default()
        };
        BlockBlobClient::new(sas.url().clone(), None, Some(options))
    }
}
