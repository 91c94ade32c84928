//! A body that arrives in pieces, up to a limit.

use crate::error::{Error, ErrorKind};
use azure_core::Bytes;

/// Puts pieces together. Nearly every body comes in one piece, which is then not copied.
#[derive(Debug)]
pub(super) struct Collector {
    limit: usize,
    first: Option<Bytes>,
    whole: Vec<u8>,
}

impl Collector {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            first: None,
            whole: Vec::new(),
        }
    }

    /// Takes a piece, unless the whole would be larger than the limit.
    pub(super) fn push(&mut self, piece: Bytes) -> Result<(), Error> {
        let so_far = self.len();
        if so_far + piece.len() > self.limit {
            return Err(too_large(self.limit));
        }
        if so_far == 0 {
            self.first = Some(piece);
            return Ok(());
        }
        if let Some(first) = self.first.take() {
            self.whole.extend_from_slice(&first);
        }
        self.whole.extend_from_slice(&piece);
        Ok(())
    }

    /// Takes as much of a piece as the limit leaves room for. Whether there is room for more.
    #[cfg(feature = "services")]
    pub(super) fn push_start(&mut self, mut piece: Bytes) -> bool {
        piece.truncate(self.limit - self.len());
        // What was cut to fit fits.
        self.push(piece).is_ok() && self.len() < self.limit
    }

    pub(super) fn finish(self) -> Bytes {
        self.first.unwrap_or_else(|| self.whole.into())
    }

    fn len(&self) -> usize {
        self.first.as_ref().map_or(self.whole.len(), Bytes::len)
    }
}

pub(super) fn too_large(limit: usize) -> Error {
    Error::new(
        ErrorKind::Protocol,
        format!("the answer is larger than {limit} bytes"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(limit: usize, pieces: &[&'static [u8]]) -> Result<Bytes, Error> {
        let mut collector = Collector::new(limit);
        for piece in pieces {
            collector.push(Bytes::from_static(piece))?;
        }
        Ok(collector.finish())
    }

    #[test]
    fn pieces_become_one_and_a_single_one_is_not_copied() {
        assert_eq!(
            &collected(6, &[b"ab", b"", b"cd", b"ef"]).unwrap()[..],
            b"abcdef"
        );
        assert_eq!(&collected(6, &[b"", b"ab"]).unwrap()[..], b"ab");
        assert!(collected(6, &[]).unwrap().is_empty());
        const ONE: &[u8] = b"abcdef";
        assert_eq!(collected(6, &[ONE]).unwrap().as_ptr(), ONE.as_ptr());
    }

    #[test]
    fn one_byte_too_many_is_refused() {
        let error = collected(5, &[b"abc", b"def"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.to_string().contains("5 bytes"), "{error}");
    }

    #[cfg(feature = "services")]
    #[test]
    fn of_a_body_that_is_cut_the_start_is_kept() {
        let mut collector = Collector::new(5);
        assert!(collector.push_start(Bytes::from_static(b"abc")));
        assert!(!collector.push_start(Bytes::from_static(b"def")));
        assert!(!collector.push_start(Bytes::from_static(b"ghi")));
        assert_eq!(&collector.finish()[..], b"abcde");
    }
}
