//! Uploads.

use super::buffers::Buffers;
use super::patience::again;
use super::plan::{BLOCK, Block, LARGEST, Plan};
use super::progress::Report;
use super::refusal::{Refused, UPLOAD};
use super::source::{Opened, Source};
use super::{BlobStore, OnProgress, SasUrl};
use crate::error::{Error, ErrorKind};
use crate::transport::limits::blobs::SENDS;
use azure_core::http::ClientMethodOptions;
use azure_storage_blob::clients::BlockBlobClient;
use azure_storage_blob::models::{
    BlockBlobClientGetBlockListOptions, BlockBlobClientUploadOptions, BlockList, BlockListType,
    BlockLookupList,
};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::HashMap;
use std::num::NonZero;
use std::sync::Arc;

/// The result of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Uploaded {
    /// The size of the blob in bytes.
    pub(crate) size: u64,
    /// The number of them that were sent; the store had the others from an earlier try.
    pub(crate) sent: u64,
}

impl BlobStore {
    /// Makes the blob that `sas` names hold what `source` holds, whatever it held before.
    ///
    /// Sends: up to 4 MiB one `Put Blob`; above that a `Get Block List`, a `Put Block` for each block that
    /// the store does not have, and a `Put Block List`. Each is tried again after what may pass; all
    /// can be repeated.
    ///
    /// A source that changes while it is read is detected by its size and the time of its last write, before the
    /// blob is made of what was sent. What is written in the same tick of the file system's clock as the
    /// upload began, without a change of size, is not detected.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::File`]: the source is missing, a folder, unreadable, larger than 1.5 TiB, or
    ///   changed.
    /// - [`ErrorKind::Service`] with the store's status and code; 403 with a remedy where the URL has expired
    ///   or does not allow to write.
    /// - [`ErrorKind::Transport`]: no answer, after all tries.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the upload. Run again with the same source and the same blob, be it in
    /// another process and with another signature, it sends only what is missing. Azure keeps blocks that
    /// belong to no blob for a week.
    pub(crate) async fn upload(
        &self,
        sas: &SasUrl,
        source: Source,
        progress: OnProgress<'_>,
    ) -> Result<Uploaded, Error> {
        let name = sas.name();
        let context = || format!("upload \"{name}\"");
        // Boxed, because callers await many of these at once.
        Box::pin(self.send(sas, source, progress))
            .await
            .map_err(|refused| refused.into_error(&UPLOAD).with_context(context))
    }

    async fn send(
        &self,
        sas: &SasUrl,
        source: Source,
        progress: OnProgress<'_>,
    ) -> Result<Uploaded, Refused> {
        let client = self.block_blob(sas, SENDS)?;
        let source = Opened::open(source).await?;
        let size = source.size();
        let plan = Plan::of(size).ok_or_else(|| {
            Error::new(
                ErrorKind::File,
                format!("{size} bytes are more than the {LARGEST} that can be uploaded"),
            )
        })?;
        let mut report = Report::start(progress, sas.name(), size);
        if size <= BLOCK {
            return whole(&client, &source, self.buffers.clone(), &mut report).await;
        }
        let mut transfer = Transfer {
            client: &client,
            source: &source,
            plan,
            parallelism: plan.parallelism(self.parallelism),
            there: self.blocks_there(sas).await?,
            buffers: self.buffers.clone(),
        };
        let found = transfer.there.len();
        match transfer.run(&mut report).await {
            // A commit of someone else, or the week that they are kept, has taken away what was there.
            Err(refused) if found > 0 && refused.is(400, Some("InvalidBlockList")) => {
                tracing::debug!(found, "the blocks that were there are gone: sent anew");
                transfer.there.clear();
                report.restart();
                transfer.run(&mut report).await
            }
            result => result,
        }
    }

    /// Reads the blocks of the blob, committed or not, with their sizes. Those that are committed are there after an
    /// upload whose last answer was lost.
    ///
    /// A signature that allows to write need not allow to read the list: then everything is sent.
    async fn blocks_there(&self, sas: &SasUrl) -> Result<HashMap<Vec<u8>, u64>, Refused> {
        let list = again(|left, context| async move {
            let options = BlockBlobClientGetBlockListOptions {
                method_options: ClientMethodOptions { context },
                ..Default::default()
            };
            let client = self.block_blob(sas, left)?;
            let list = client.get_block_list(BlockListType::All, Some(options));
            list.await?.into_model()
        });
        let BlockList {
            committed_blocks,
            uncommitted_blocks,
            ..
        } = match list.await.map_err(Refused::from) {
            Ok(list) => list,
            Err(refused)
                if refused.is(404, None)
                    || refused.is(403, Some("AuthorizationPermissionMismatch")) =>
            {
                return Ok(HashMap::new());
            }
            Err(refused) => return Err(refused),
        };
        let all = committed_blocks.into_iter().chain(uncommitted_blocks);
        Ok(all
            .flatten()
            .filter_map(|block| Some((block.name?, u64::try_from(block.size?).ok()?)))
            .collect())
    }
}

/// Sends what fits into one request.
async fn whole(
    client: &BlockBlobClient,
    source: &Opened,
    buffers: Arc<Buffers>,
    report: &mut Report<'_>,
) -> Result<Uploaded, Refused> {
    let size = source.size();
    let room = buffers.room(size).await;
    let all = Block {
        offset: 0,
        length: size as usize,
    };
    let (bytes, _) = source.read(all, &room).await?;
    source.unchanged().await?;
    let options = BlockBlobClientUploadOptions {
        // Never less than what is sent: then the client sends it as one.
        partition_size: NonZero::new(BLOCK),
        ..Default::default()
    };
    client.upload(bytes.clone().into(), Some(options)).await?;
    room.give_back(bytes);
    if size > 0 {
        report.more(size);
    }
    Ok(Uploaded { size, sent: size })
}

/// An upload in blocks.
struct Transfer<'a> {
    client: &'a BlockBlobClient,
    source: &'a Opened,
    plan: Plan,
    parallelism: usize,
    there: HashMap<Vec<u8>, u64>,
    buffers: Arc<Buffers>,
}

/// A block that the store has.
struct Done {
    index: usize,
    id: Vec<u8>,
    length: u64,
    was_there: bool,
}

impl Transfer<'_> {
    async fn run(&self, report: &mut Report<'_>) -> Result<Uploaded, Refused> {
        let mut ids: Vec<Vec<u8>> = vec![Vec::new(); self.plan.blocks().count()];
        let mut sent = 0;
        let mut blocks = stream::iter(self.plan.blocks().enumerate())
            .map(|(index, block)| self.block(index, block))
            .buffer_unordered(self.parallelism);
        while let Some(done) = blocks.try_next().await? {
            ids[done.index] = done.id;
            if !done.was_there {
                sent += done.length;
            }
            report.more(done.length);
        }
        self.source.unchanged().await?;
        let list = BlockLookupList {
            latest: Some(ids),
            ..Default::default()
        };
        self.client
            .commit_block_list(list.try_into()?, None)
            .await?;
        Ok(Uploaded {
            size: self.source.size(),
            sent,
        })
    }

    async fn block(&self, index: usize, block: Block) -> Result<Done, Refused> {
        let room = self.buffers.clone().room(block.length as u64).await;
        let (bytes, checksum) = self.source.read(block, &room).await?;
        let id = self.plan.id(block, checksum);
        let length = block.length as u64;
        let was_there = self.there.get(&id) == Some(&length);
        if !was_there {
            self.client
                .stage_block(&id, length, bytes.clone().into(), None)
                .await?;
        }
        room.give_back(bytes);
        Ok(Done {
            index,
            id,
            length,
            was_there,
        })
    }
}
