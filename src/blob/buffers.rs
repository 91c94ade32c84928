//! Memory for blocks, used again and again.

use bytes::{Bytes, BytesMut};
use std::sync::{Mutex, PoisonError};

/// The buffers of one transfer that are not under way.
///
/// # Design
///
/// Without them an upload takes at least a sixth more processor time, and nearly twice the memory: what is freed
/// on one thread and had anew on another is not found again (`docs/performance.md`).
#[derive(Debug, Default)]
pub(super) struct Buffers(Mutex<Vec<BytesMut>>);

impl Buffers {
    /// One, with whatever is in it.
    pub(super) fn take(&self) -> BytesMut {
        let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.pop().unwrap_or_default()
    }

    /// Gives one back, unless someone else still holds on to it: a transport, or the caller whose memory it
    /// is.
    pub(super) fn give_back(&self, bytes: Bytes) {
        if let Ok(buffer) = bytes.try_into_mut() {
            let mut buffers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            buffers.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_unless_someone_holds_on_to_it() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take();
        buffer.resize(4096, 7);
        let place = buffer.as_ptr();
        buffers.give_back(buffer.freeze());
        let again = buffers.take();
        assert_eq!((again.as_ptr(), again.len()), (place, 4096));

        let shared = again.freeze();
        buffers.give_back(shared.clone());
        assert_eq!(buffers.take().capacity(), 0);
        assert_eq!(shared[0], 7);
    }
}
