//! The source of an upload: read in parts, and watched for changes.

use super::buffers::Room;
use super::plan::Block;
use crate::error::{Error, ErrorKind};
use crate::files::{self, Stamp, blocking};
use bytes::Bytes;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const QUIET: &str = "upload it again once nothing writes to it";

/// The content of an upload. May be empty, as a file of a model's folder may.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A file by its path; a symbolic link is followed. It must be as it was when it was looked at, if it
    /// was, and otherwise it is taken as it is when it is opened.
    Path(PathBuf, Option<Stamp>),
    /// An open file, which must be as it was then. Read from its start, and by nobody else.
    File(Arc<Mutex<File>>, Stamp),
    /// From memory.
    Bytes(Bytes),
}

/// A source whose size is known.
pub(super) enum Opened {
    File(OpenFile),
    Bytes(Bytes),
}

#[derive(Clone)]
pub(super) struct OpenFile {
    /// For errors.
    name: String,
    file: Arc<Mutex<File>>,
    stamp: Stamp,
}

impl Source {
    pub(crate) fn of_file(file: File, stamp: Stamp) -> Self {
        Self::File(Arc::new(Mutex::new(file)), stamp)
    }

    /// The size, if it is known before it is opened.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::Path(_, then) => then.as_ref().map(|then| then.size),
            Self::File(_, then) => Some(then.size),
            Self::Bytes(bytes) => Some(bytes.len() as u64),
        }
    }
}

impl Opened {
    /// # Errors
    ///
    /// [`ErrorKind::File`]: it is not there, is a folder, cannot be read, or has changed.
    pub(super) async fn open(source: Source) -> Result<Self, Error> {
        blocking(|_| Self::open_now(source)).await
    }

    fn open_now(source: Source) -> Result<Self, Error> {
        let (name, file, then) = match source {
            Source::Bytes(bytes) => return Ok(Self::Bytes(bytes)),
            Source::File(file, then) => ("the file".to_owned(), file, Some(then)),
            Source::Path(path, then) => {
                let name = format!("\"{}\"", path.display());
                let (file, _) = files::open(&path).map_err(|error| unreadable(&name, error))?;
                (name, Arc::new(Mutex::new(file)), then)
            }
        };
        let stamp = stamp(&file).map_err(|error| unreadable(&name, error))?;
        if let Some(how) = then.and_then(|then| then.change(&stamp)) {
            return Err(changed(&name, &how));
        }
        Ok(Self::File(OpenFile { name, file, stamp }))
    }

    pub(super) fn size(&self) -> u64 {
        match self {
            Self::File(file) => file.stamp.size,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Reads a part, and its checksum.
    ///
    /// # Arguments
    ///
    /// * `room` - for it, unless it is in memory already.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::File`]: it cannot be read, or has become shorter.
    pub(super) async fn read(&self, block: Block, room: &Room) -> Result<(Bytes, u32), Error> {
        let Block { offset, length } = block;
        match self {
            Self::Bytes(bytes) => {
                let start = offset as usize;
                let part = bytes.slice(start..start + length);
                blocking(move |_| {
                    let checksum = checksum(&part);
                    Ok((part, checksum))
                })
                .await
            }
            Self::File(OpenFile { name, file, .. }) => {
                let (name, file) = (name.clone(), file.clone());
                let mut buffer = room.take();
                blocking(move |_| {
                    buffer.resize(length, 0);
                    let read = {
                        let mut file = lock(&file);
                        file.seek(SeekFrom::Start(offset))
                            .and_then(|_| file.read_exact(&mut buffer))
                    };
                    read.map_err(|error| match error.kind() {
                        std::io::ErrorKind::UnexpectedEof => {
                            changed(&name, "it has become shorter")
                        }
                        _ => unreadable(&name, error),
                    })?;
                    let part = buffer.freeze();
                    let checksum = checksum(&part);
                    Ok((part, checksum))
                })
                .await
            }
        }
    }

    /// Whether it still is what it was when it was opened.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::File`] if not.
    pub(super) async fn unchanged(&self) -> Result<(), Error> {
        let Self::File(opened) = self else {
            return Ok(());
        };
        let then = opened.clone();
        blocking(move |_| {
            let now = stamp(&then.file).map_err(|error| unreadable(&then.name, error))?;
            match then.stamp.change(&now) {
                Some(how) => Err(changed(&then.name, &how)),
                None => Ok(()),
            }
        })
        .await
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut checksum = flate2::Crc::new();
    checksum.update(bytes);
    checksum.sum()
}

fn lock(file: &Mutex<File>) -> MutexGuard<'_, File> {
    file.lock().unwrap_or_else(PoisonError::into_inner)
}

fn stamp(file: &Mutex<File>) -> std::io::Result<Stamp> {
    Ok(Stamp::of(&lock(file).metadata()?))
}

fn unreadable(name: &str, error: std::io::Error) -> Error {
    Error::new(
        ErrorKind::File,
        format!("{name} cannot be uploaded: {error}"),
    )
    .with_source(error)
}

fn changed(name: &str, how: &str) -> Error {
    Error::new(
        ErrorKind::File,
        format!("{name} changed while it was uploaded: {how}"),
    )
    .with_remedy(QUIET)
}
