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
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A file by its path, as it is when it is opened; a symbolic link is followed.
    #[cfg(any(test, feature = "internals"))]
    Path(PathBuf),
    /// A file that was looked at before, and must be as it was then.
    Known {
        path: PathBuf,
        size: u64,
        /// When it was last written to, where the system knows it.
        modified: Option<SystemTime>,
    },
    /// An open file, and the size that it must have. Read from its start, and by nobody else.
    File(Arc<Mutex<File>>, u64),
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

impl Source {
    /// An open file, which must have this size.
    pub(crate) fn of_file(file: File, size: u64) -> Self {
        Self::File(Arc::new(Mutex::new(file)), size)
    }
}

impl Opened {
    /// # Errors
    ///
    /// [`ErrorKind::File`]: it is not there, is a folder, or cannot be read.
    pub(super) async fn open(source: Source) -> Result<Self, Error> {
        match source {
            Source::Bytes(bytes) => Ok(Self::Bytes(bytes)),
            #[cfg(any(test, feature = "internals"))]
            Source::Path(path) => open(path).await.map(Self::File),
            Source::Known {
                path,
                size,
                modified,
            } => {
                let opened = open(path).await?;
                opened.check(size, modified)?;
                Ok(Self::File(opened))
            }
            Source::File(file, size) => {
                let name = "the file".to_owned();
                let own = file.clone();
                let metadata = blocking(move || {
                    let file = own.lock().unwrap_or_else(PoisonError::into_inner);
                    let metadata = file.metadata()?;
                    check_kind(&metadata)?;
                    Ok(metadata)
                });
                let metadata = metadata.await.map_err(|error| unreadable(&name, error))?;
                let opened = OpenFile::of(name, file, &metadata);
                opened.check(size, opened.modified)?;
                Ok(Self::File(opened))
            }
        }
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
        OpenFile::of(opened.name.clone(), opened.file.clone(), &metadata)
            .check(opened.size, opened.modified)
    }
}

impl OpenFile {
    fn of(name: String, file: Arc<Mutex<File>>, metadata: &Metadata) -> Self {
        Self {
            name,
            file,
            size: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }

    /// Whether it is what it was.
    fn check(&self, size: u64, modified: Option<SystemTime>) -> Result<(), Error> {
        if self.size != size {
            let how = format!("it has {} bytes instead of {size}", self.size);
            return Err(changed(&self.name, &how));
        }
        if self.modified != modified {
            return Err(changed(&self.name, "it was written to"));
        }
        Ok(())
    }
}

async fn open(path: PathBuf) -> Result<OpenFile, Error> {
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
    Ok(OpenFile::of(name, Arc::new(Mutex::new(file)), &metadata))
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
