//! Memory for blocks: bounded, and used again and again.

use super::plan::{BLOCK, MEMORY};
use bytes::{Bytes, BytesMut};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The memory for the blocks of all transfers of one store.
///
/// # Design
///
/// **Bounded by construction.** Whoever wants a buffer needs [`Room`] first, and there is room for
/// [`MEMORY`] in all, however many transfers go side by side. A buffer that waits to be used again has the
/// size of one block, and is used before a new one is made: so there are never more of them than there was
/// room for. They make way for a block that is larger.
///
/// **Used again.** Without that an upload takes at least a sixth more processor time, and nearly twice the
/// memory: what is freed on one thread and had anew on another is not found again (`docs/internals/performance.md`).
#[derive(Debug)]
pub(super) struct Buffers {
    /// A permit for each [`BLOCK`].
    room: Arc<Semaphore>,
    free: Mutex<Vec<BytesMut>>,
}

/// Blocks of the usual size for which there is room.
const PLACES: u32 = (MEMORY / BLOCK) as u32;

impl Default for Buffers {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(PLACES as usize)),
            free: Mutex::default(),
        }
    }
}

impl Buffers {
    /// Waits for room for a block of this length. First come, first served.
    ///
    /// Whoever has room must not wait for more: all of it may be with those who wait.
    pub(super) async fn room(self: Arc<Self>, length: u64) -> Room {
        let places = u32::try_from(length.div_ceil(BLOCK)).unwrap_or(PLACES);
        // Nobody closes it.
        let permit = self
            .room
            .clone()
            .acquire_many_owned(places.clamp(1, PLACES));
        let permit = permit.await.ok();
        if places > 1 {
            self.free().clear();
        }
        Room {
            buffers: self,
            length: length as usize,
            _permit: permit,
        }
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<BytesMut>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to one buffer, until it is dropped.
#[derive(Debug)]
pub(super) struct Room {
    buffers: Arc<Buffers>,
    length: usize,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// A buffer of at least that length, with whatever is in it.
    pub(super) fn take(&self) -> BytesMut {
        let used = match self.length <= BLOCK as usize {
            true => self.buffers.free().pop(),
            false => None,
        };
        used.unwrap_or_else(|| BytesMut::with_capacity(self.length))
    }

    /// Gives it back, unless someone else still holds on to it: a transport, or the caller whose memory it
    /// is.
    pub(super) fn give_back(self, bytes: Bytes) {
        if let Ok(buffer) = bytes.try_into_mut()
            && buffer.capacity() == BLOCK as usize
        {
            self.buffers.free().push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[tokio::test]
    async fn memory_is_used_again_unless_someone_holds_on_to_it() {
        let buffers = Arc::new(Buffers::default());
        let room = buffers.clone().room(BLOCK).await;
        let mut buffer = room.take();
        buffer.resize(BLOCK as usize, 7);
        let place = buffer.as_ptr();
        room.give_back(buffer.freeze());
        // Also by a block that is shorter, and after one.
        for length in [BLOCK, 3, BLOCK] {
            let room = buffers.clone().room(length).await;
            let mut again = room.take();
            assert_eq!(again.as_ptr(), place, "{length}");
            again.resize(length as usize, 7);
            room.give_back(again.freeze());
        }
        let room = buffers.clone().room(BLOCK).await;
        let shared = room.take().freeze();
        room.give_back(shared.clone());
        assert!(buffers.free().is_empty());
        drop(shared);
    }

    #[tokio::test]
    async fn buffers_are_limited() {
        let buffers = Arc::new(Buffers::default());
        let mut rooms = Vec::new();
        for _ in 0..PLACES {
            rooms.push(buffers.clone().room(BLOCK).await);
        }
        assert!(buffers.clone().room(1).now_or_never().is_none());
        rooms.pop();
        assert!(buffers.clone().room(BLOCK + 1).now_or_never().is_none());
        assert!(buffers.clone().room(1).now_or_never().is_some());
        rooms.clear();
        // More than there is gets all that there is.
        let _all = buffers.clone().room(2 * MEMORY).await;
        assert!(buffers.clone().room(1).now_or_never().is_none());
    }

    #[tokio::test]
    async fn buffer_that_waits_for_reuse_makes_way_for_a_larger_one() {
        let buffers = Arc::new(Buffers::default());
        let room = buffers.clone().room(BLOCK).await;
        let buffer = room.take();
        room.give_back(buffer.freeze());
        drop(buffers.clone().room(BLOCK).await);
        assert_eq!(buffers.free().len(), 1);
        let room = buffers.clone().room(BLOCK + 1).await;
        assert!(buffers.free().is_empty());
        let mut large = room.take();
        large.resize(BLOCK as usize + 1, 0);
        room.give_back(large.freeze());
        assert!(buffers.free().is_empty());
    }
}
