//! What is uploaded: read in parts, and watched for changes.

use super::buffers::Room;
use super::plan::Block;
use crate::error::{Error, ErrorKind};
use bytes::Bytes;
use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

const QUIET: &str = "upload it again once nothing writes to it";

/// What is to be uploaded. May be empty: a file of a model's folder may.
#[derive(Debug)]
pub(crate) enum Source {
    /// A file by its path; a symbolic link is followed.
    Path(PathBuf),
    /// An open file, and the size that it must have. Read from its start.
    File(File, u64),
    /// From memory.
    Bytes(Bytes),
}

/// A source whose size is known.
pub(super) enum Opened {
    File(OpenFile),
    Bytes(Bytes),
}

pub(super) struct OpenFile {
    /// For errors.
    name: String,
    file: Arc<Mutex<File>>,
    size: u64,
    /// Where the system knows it.
    modified: Option<SystemTime>,
}

impl Opened {
    /// # Errors
    ///
    /// [`ErrorKind::File`]: it is not there, is a folder, or cannot be read.
    pub(super) async fn open(source: Source) -> Result<Self, Error> {
        match source {
            Source::Bytes(bytes) => Ok(Self::Bytes(bytes)),
            Source::Path(path) => {
                let name = format!("\"{}\"", path.display());
                let opened = blocking(move || {
                    // Before it is opened: to open a pipe would wait for whoever writes to it.
                    check_kind(&std::fs::metadata(&path)?)?;
                    let file = File::open(&path)?;
                    let metadata = file.metadata()?;
                    check_kind(&metadata)?;
                    Ok((file, metadata))
                });
                let (file, metadata) = opened.await.map_err(|error| unreadable(&name, error))?;
                Ok(Self::of(name, file, &metadata))
            }
            Source::File(file, size) => {
                let name = "the file".to_owned();
                let opened = blocking(move || {
                    let metadata = file.metadata()?;
                    check_kind(&metadata)?;
                    Ok((file, metadata))
                });
                let (file, metadata) = opened.await.map_err(|error| unreadable(&name, error))?;
                if metadata.len() != size {
                    return Err(changed(
                        &name,
                        &format!("it has {} bytes instead of {size}", metadata.len()),
                    ));
                }
                Ok(Self::of(name, file, &metadata))
            }
        }
    }

    fn of(name: String, file: File, metadata: &Metadata) -> Self {
        Self::File(OpenFile {
            name,
            file: Arc::new(Mutex::new(file)),
            size: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }

    pub(super) fn size(&self) -> u64 {
        match self {
            Self::File(file) => file.size,
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
                blocking(move || {
                    let checksum = checksum(&part);
                    Ok((part, checksum))
                })
                .await
                .map_err(|error| unreadable("the content", error))
            }
            Self::File(OpenFile { name, file, .. }) => {
                let file = file.clone();
                let mut buffer = room.take();
                let part = blocking(move || {
                    buffer.resize(length, 0);
                    {
                        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                        file.seek(SeekFrom::Start(offset))?;
                        file.read_exact(&mut buffer)?;
                    }
                    let part = buffer.freeze();
                    let checksum = checksum(&part);
                    Ok((part, checksum))
                });
                part.await.map_err(|error| match error.kind() {
                    std::io::ErrorKind::UnexpectedEof => changed(name, "it has become shorter"),
                    _ => unreadable(name, error),
                })
            }
        }
    }

    /// Whether it still is what it was when it was opened, as far as size and time of the last write tell.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::File`] if not.
    pub(super) async fn unchanged(&self) -> Result<(), Error> {
        let Self::File(opened) = self else {
            return Ok(());
        };
        let file = opened.file.clone();
        let metadata = blocking(move || {
            let file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.metadata()
        });
        let metadata = metadata
            .await
            .map_err(|error| unreadable(&opened.name, error))?;
        if metadata.len() != opened.size {
            return Err(changed(
                &opened.name,
                &format!("it has {} bytes instead of {}", metadata.len(), opened.size),
            ));
        }
        if metadata.modified().ok() != opened.modified {
            return Err(changed(&opened.name, "it was written to"));
        }
        Ok(())
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    let mut checksum = flate2::Crc::new();
    checksum.update(bytes);
    checksum.sum()
}

fn check_kind(metadata: &Metadata) -> std::io::Result<()> {
    if metadata.is_file() {
        Ok(())
    } else if metadata.is_dir() {
        Err(std::io::Error::other("it is a folder"))
    } else {
        Err(std::io::Error::other("it is no regular file"))
    }
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

/// Runs what may wait for a disk, where it holds up nothing else.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
}
