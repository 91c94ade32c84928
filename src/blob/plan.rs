//! How a blob is cut into blocks, and what they are called. No I/O.

pub(super) use crate::transport::limits::blobs::{BLOCK, MEMORY};
use std::num::NonZero;

/// The most blocks that Azure allows for a blob (learn.microsoft.com, "Scalability targets for Blob storage").
const MOST_BLOCKS: u64 = 50_000;
/// The largest blob that can be sent within [`MEMORY`]: 1.5 TiB.
pub(crate) const LARGEST: u64 = MEMORY * MOST_BLOCKS;

/// A size, cut into blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    size: u64,
    block: u64,
}

/// A part of a source. All but the last are of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) offset: u64,
    /// At most [`MEMORY`].
    pub(super) length: usize,
}

impl Plan {
    /// `None` for what is larger than [`LARGEST`].
    ///
    /// The size of a block depends on nothing but the size of the whole: the next try must find the blocks
    /// of this one, also if it may send more of them at once.
    pub(super) fn of(size: u64) -> Option<Self> {
        let needed = size.div_ceil(MOST_BLOCKS).next_multiple_of(1 << 20);
        let block = BLOCK.max(needed);
        (block <= MEMORY).then_some(Self { size, block })
    }

    pub(super) fn blocks(self) -> impl Iterator<Item = Block> + Send {
        let count = self.size.div_ceil(self.block);
        (0..count).map(move |index| {
            let offset = index * self.block;
            Block {
                offset,
                length: (self.size - offset).min(self.block) as usize,
            }
        })
    }

    /// The most blocks that are under way at once.
    pub(super) fn parallelism(self, wish: NonZero<usize>) -> usize {
        wish.get().min((MEMORY / self.block) as usize).max(1)
    }

    /// The name of a block with this content.
    ///
    /// Of one length for all blocks of all blobs, as Azure demands, and below its 64 bytes. Readable, because
    /// a list of blocks is all that is left of a broken upload.
    ///
    /// # Design
    ///
    /// A changed source is always detected by its size, and otherwise by the checksum of each
    /// block: one chance in four thousand million for each block that has changed. That is for accidents.
    /// Whoever can forge a checksum in the source can as well put into it what they like.
    pub(super) fn id(self, block: Block, checksum: u32) -> Vec<u8> {
        format!(
            "{:012x}-{:08x}-{:012x}-{checksum:08x}",
            block.offset, self.block, self.size
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const SIZES: [u64; 9] = [
        1,
        BLOCK - 1,
        BLOCK,
        BLOCK + 1,
        5_000_000_000,
        BLOCK * MOST_BLOCKS,
        BLOCK * MOST_BLOCKS + 1,
        1 << 40,
        LARGEST,
    ];

    #[test]
    fn blocks_cover_the_whole_in_order_and_are_not_too_many() {
        for size in SIZES {
            let plan = Plan::of(size).unwrap();
            let mut end = 0;
            let mut count = 0;
            for block in plan.blocks() {
                assert_eq!(block.offset, end);
                assert!(block.length > 0);
                end += block.length as u64;
                count += 1;
            }
            assert_eq!(end, size);
            assert!(count <= MOST_BLOCKS, "{count} blocks of {size}");
        }
    }

    #[test]
    fn memory_is_bounded_whatever_the_size_and_the_wish() {
        for size in SIZES {
            let plan = Plan::of(size).unwrap();
            for wish in [1, 2, 8, 1000] {
                let at_once = plan.parallelism(NonZero::new(wish).unwrap());
                assert!((1..=wish).contains(&at_once));
                let largest = plan.blocks().map(|block| block.length).max().unwrap();
                assert!(at_once as u64 * largest as u64 <= MEMORY, "{size}, {wish}");
            }
        }
        assert_eq!(Plan::of(LARGEST + 1), None);
    }

    #[test]
    fn blocks_grow_only_where_they_would_be_too_many() {
        assert_eq!(Plan::of(BLOCK * MOST_BLOCKS).unwrap().block, BLOCK);
        assert_eq!(Plan::of(BLOCK * MOST_BLOCKS + 1).unwrap().block, 5 << 20);
    }

    #[test]
    fn ids_are_of_one_length_and_tell_place_sizes_and_content_apart() {
        let mut ids = HashSet::new();
        for size in [BLOCK * 3, BLOCK * 3 + 1, LARGEST] {
            let plan = Plan::of(size).unwrap();
            for block in plan.blocks() {
                for checksum in [0, 1, u32::MAX] {
                    assert!(ids.insert(plan.id(block, checksum)));
                }
            }
        }
        let lengths: HashSet<usize> = ids.iter().map(Vec::len).collect();
        assert_eq!(lengths, HashSet::from([43]));
    }

    #[test]
    fn id_is_the_same_in_every_version_of_this_library() {
        // Otherwise an upload that one version began would be begun anew by the next.
        let plan = Plan::of(BLOCK + 1).unwrap();
        let last = plan.blocks().last().unwrap();
        assert_eq!(
            plan.id(last, 0xcafe),
            b"000000400000-00400000-000000400001-0000cafe"
        );
    }
}
