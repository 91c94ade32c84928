//! Reading files: to the length that they had, and as a few characters that stand for all of it.

use super::Wanted;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::fs::File;
use std::io::{self, ErrorKind, Read};

/// Reads a file to the length that it had, as long as someone waits for it. What is behind that length is not
/// read: the file's stamp tells that it grew.
#[derive(Debug)]
pub(crate) struct Content<'a> {
    file: File,
    left: u64,
    wanted: &'a Wanted,
    /// `true` if this read failed, to tell it from a failure of its reader.
    pub(crate) failed: bool,
}

impl<'a> Content<'a> {
    pub(crate) fn new(file: File, size: u64, wanted: &'a Wanted) -> Self {
        Self {
            file,
            left: size,
            wanted,
            failed: false,
        }
    }

    fn next(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wanted.check()?;
        let room = usize::try_from(self.left).unwrap_or(usize::MAX);
        let room = room.min(buffer.len());
        match self.file.read(&mut buffer[..room])? {
            0 if room > 0 => Err(io::Error::new(
                ErrorKind::UnexpectedEof,
                "it has become shorter",
            )),
            count => {
                self.left -= count as u64;
                Ok(count)
            }
        }
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.next(buffer);
        self.failed = matches!(&read, Err(error) if error.kind() != ErrorKind::Interrupted);
        read
    }
}

/// The fingerprint of the content of files: the same content has the same fingerprint.
#[derive(Debug, Default)]
pub(crate) struct Fingerprint {
    sum: Sha256,
    buffer: Vec<u8>,
}

impl Fingerprint {
    /// Characters of a fingerprint: 128 bits.
    pub(crate) const LENGTH: usize = 32;

    /// Adds something short, such that it is not taken for a part of what comes before or behind it.
    pub(crate) fn part(&mut self, part: &[u8]) {
        self.sum.update((part.len() as u64).to_le_bytes());
        self.sum.update(part);
    }

    /// Adds all there is to read. Its length belongs before it, as a [`part`](Self::part).
    pub(crate) fn content(&mut self, mut content: impl Read) -> io::Result<()> {
        self.buffer.resize(1 << 20, 0);
        loop {
            match content.read(&mut self.buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.sum.update(&self.buffer[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn finish(self) -> String {
        let mut text = String::new();
        for byte in &self.sum.finalize()[..Self::LENGTH / 2] {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_read_to_the_length_that_it_had() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "12345").unwrap();
        let wanted = Wanted::default();
        let read = |length| {
            let mut content = Content::new(File::open(&path).unwrap(), length, &wanted);
            let mut text = String::new();
            let read = content.read_to_string(&mut text);
            assert_eq!(content.failed, read.is_err());
            read.map(|_| text).map_err(|error| error.kind())
        };
        assert_eq!(read(5), Ok("12345".to_owned()));
        assert_eq!(read(4), Ok("1234".to_owned()));
        assert_eq!(read(0), Ok(String::new()));
        assert_eq!(read(6), Err(ErrorKind::UnexpectedEof));
    }

    #[test]
    fn content_that_nobody_waits_for_is_not_read() {
        let file = tempfile::tempfile().unwrap();
        let gone = Wanted::no_more();
        let mut content = Content::new(file, 0, &gone);
        content.read(&mut [0]).unwrap_err();
        assert!(content.failed);
    }

    #[test]
    fn fingerprint_distinguishes_parts() {
        let of = |parts: &[&str], content: &str| {
            let mut print = Fingerprint::default();
            for part in parts {
                print.part(part.as_bytes());
            }
            print.content(content.as_bytes()).unwrap();
            print.finish()
        };
        let first = of(&["ab", "c"], "x");
        assert_eq!(first.len(), Fingerprint::LENGTH);
        assert_eq!(first, of(&["ab", "c"], "x"));
        for other in [
            of(&["a", "bc"], "x"),
            of(&["ab", "c"], "y"),
            of(&["abc"], "x"),
        ] {
            assert_ne!(first, other);
        }
    }
}
