//! Block blobs in memory.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use hyper::body::Bytes;

use crate::emulator::error::{ArmError, UNSUPPORTED};

pub(crate) fn not_found() -> ArmError {
    ArmError::new(404, "BlobNotFound", "The specified blob does not exist.")
}

/// A block as it was staged: its id is kept as it was sent, in base64.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) id: String,
    pub(crate) bytes: Bytes,
}

/// The overhead of a block beside its bytes.
const OF_A_BLOCK: u64 = 256;

impl Block {
    fn size(&self) -> u64 {
        OF_A_BLOCK + self.bytes.len() as u64
    }
}

/// Which list a block is taken from when a list is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Committed,
    Uncommitted,
    Latest,
}

/// The properties of the content that the client sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pub(crate) kind: Option<String>,
    pub(crate) md5: Option<String>,
}

/// A blob that exists.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    /// One without an id when it was written as a whole.
    pub(crate) blocks: Vec<Block>,
    pub(crate) content: Content,
    pub(crate) etag: String,
    pub(crate) created: Duration,
    pub(crate) modified: Duration,
}

impl Blob {
    pub(crate) fn length(&self) -> usize {
        self.blocks.iter().map(|block| block.bytes.len()).sum()
    }

    pub(crate) fn read(&self, range: Range<usize>) -> Vec<u8> {
        let mut read = Vec::with_capacity(range.len());
        let mut begin = 0;
        for block in &self.blocks {
            let end = begin + block.bytes.len();
            let (from, to) = (range.start.max(begin), range.end.min(end));
            if from < to {
                read.extend_from_slice(&block.bytes[from - begin..to - begin]);
            }
            begin = end;
        }
        read
    }

    pub(crate) fn all(&self) -> Vec<u8> {
        self.read(0..self.length())
    }
}

/// A place for a blob: what is committed, and the blocks that wait to be.
#[derive(Debug, Default)]
struct Slot {
    blob: Option<Blob>,
    staged: Vec<Block>,
}

impl Slot {
    fn size(&self) -> u64 {
        let committed = self.blob.iter().flat_map(|blob| &blob.blocks);
        committed.chain(&self.staged).map(Block::size).sum()
    }
}

/// Every blob, by its path within the container.
#[derive(Debug)]
pub(crate) struct Blobs {
    slots: BTreeMap<String, Slot>,
    etags: u64,
    /// The sum of the sizes of all slots.
    used: u64,
    /// The most that this may be.
    capacity: u64,
}

impl Blobs {
    pub(crate) fn new(capacity: u64) -> Self {
        Self {
            slots: BTreeMap::new(),
            etags: 0,
            used: 0,
            capacity,
        }
    }

    /// Refuses a blob of so many bytes, in place of what is at this path, where there is no room for it.
    pub(crate) fn check_room(&self, path: &str, bytes: usize) -> Result<(), ArmError> {
        let before = self.slots.get(path).map_or(0, Slot::size);
        self.check_change(before, OF_A_BLOCK + bytes as u64)
    }

    /// Refuses what would make of `before` bytes so many that there is no room for them.
    fn check_change(&self, before: u64, after: u64) -> Result<(), ArmError> {
        let used = (self.used - before).saturating_add(after);
        if used <= self.capacity {
            return Ok(());
        }
        Err(ArmError::new(
            413,
            UNSUPPORTED,
            format!(
                "The emulator keeps {} bytes of blobs and blocks at most: raise `blob_capacity` of its \
                 builder, or upload less.",
                self.capacity
            ),
        ))
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Blob> {
        self.slots.get(path)?.blob.as_ref()
    }

    /// Blocks that are staged; `None` when nothing is known of the blob.
    pub(crate) fn staged(&self, path: &str) -> Option<&[Block]> {
        self.slots.get(path).map(|slot| slot.staged.as_slice())
    }

    /// Writes a blob as a whole. Blocks that were staged are gone.
    pub(crate) fn put(
        &mut self,
        path: &str,
        bytes: Bytes,
        content: Content,
        now: Duration,
    ) -> &Blob {
        let block = Block {
            id: String::new(),
            bytes,
        };
        self.replace(path, vec![block], content, now)
    }

    fn replace(
        &mut self,
        path: &str,
        blocks: Vec<Block>,
        content: Content,
        now: Duration,
    ) -> &Blob {
        self.etags += 1;
        let slot = self.slots.entry(path.to_owned()).or_default();
        self.used -= slot.size();
        self.used += blocks.iter().map(Block::size).sum::<u64>();
        slot.staged.clear();
        let created = slot.blob.as_ref().map_or(now, |blob| blob.created);
        slot.blob.insert(Blob {
            blocks,
            content,
            etag: format!("\"0x8DE{:012X}\"", self.etags),
            created,
            modified: now,
        })
    }

    /// Stages a block, or replaces the staged one with its id.
    pub(crate) fn stage(&mut self, path: &str, block: Block) -> Result<(), ArmError> {
        let slot = self.slots.get(path);
        let known = slot
            .iter()
            .flat_map(|slot| slot.blob.iter().flat_map(|blob| &blob.blocks));
        let staged = slot.map_or(&[][..], |slot| &slot.staged);
        if known
            .chain(staged)
            .any(|known| !known.id.is_empty() && known.id.len() != block.id.len())
        {
            return Err(ArmError::new(
                400,
                "InvalidBlobOrBlock",
                "The specified blob or block content is invalid: the ids of a blob's blocks must \
                 have one length.",
            ));
        }
        let before = staged.iter().find(|staged| staged.id == block.id);
        let (before, after) = (before.map_or(0, Block::size), block.size());
        self.check_change(before, after)?;
        self.used = self.used - before + after;
        let staged = &mut self.slots.entry(path.to_owned()).or_default().staged;
        match staged.iter_mut().find(|staged| staged.id == block.id) {
            Some(staged) => *staged = block,
            None => staged.push(block),
        }
        Ok(())
    }

    /// Makes the blob of these blocks, in this order. Staged blocks that are not among them are
    /// gone.
    pub(crate) fn commit(
        &mut self,
        path: &str,
        list: &[(Taken, String)],
        content: Content,
        now: Duration,
    ) -> Result<&Blob, ArmError> {
        let slot = self.slots.get(path);
        let staged = slot.map(|slot| slot.staged.as_slice()).unwrap_or_default();
        let committed = slot
            .and_then(|slot| slot.blob.as_ref())
            .map(|blob| blob.blocks.as_slice())
            .unwrap_or_default();
        let find = |blocks: &[Block], id: &str| blocks.iter().find(|b| b.id == id).cloned();
        let blocks = list
            .iter()
            .map(|(from, id)| match from {
                Taken::Committed => find(committed, id),
                Taken::Uncommitted => find(staged, id),
                Taken::Latest => find(staged, id).or_else(|| find(committed, id)),
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| {
                ArmError::new(
                    400,
                    "InvalidBlockList",
                    "The specified block list is invalid.",
                )
            })?;
        // A block counts as often as it is named: a read gives as many bytes.
        let size = blocks.iter().map(Block::size).sum();
        self.check_change(slot.map_or(0, Slot::size), size)?;
        Ok(self.replace(path, blocks, content, now))
    }
}
