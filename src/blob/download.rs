//! Downloads.

use super::buffers::Room;
use super::patience::{again, unanswered};
use super::plan::{BLOCK, MEMORY};
use super::progress::Report;
use super::refusal::Refused;
use super::source::blocking;
use super::{BlobStore, OnProgress, SasUrl};
use crate::error::{Error, ErrorKind};
use crate::transport::limits::blobs::time_for;
use azure_core::http::headers::Headers;
use azure_core::http::{ClientMethodOptions, Context, Etag};
use azure_storage_blob::clients::BlobClient;
use azure_storage_blob::models::BlobClientDownloadOptions;
use bytes::Bytes;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use std::io::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::pin::pin;
use tempfile::NamedTempFile;

impl BlobStore {
    /// Writes the blob to a file, and gives its size in bytes. A file that is there is replaced.
    ///
    /// Sends: a `Get Blob` for each 4 MiB, all of the same version of the blob. Each is tried again after what
    /// may pass.
    ///
    /// The bytes go to a file with a name of its own, which ends with `.part`, in the same folder. It gets
    /// the final name once it is whole and on the disk.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::File`]: the folder is not there, the destination is a folder, or it cannot be written.
    /// - [`ErrorKind::Service`] with the store's status and code; 412 if the blob was replaced meanwhile.
    /// - [`ErrorKind::Protocol`]: the store sent other bytes than it was asked for.
    /// - [`ErrorKind::Transport`]: no answer, after all tries.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the download and removes the part; run again, it begins anew. A process that
    /// is killed leaves the part behind.
    pub(crate) async fn download(
        &self,
        sas: &SasUrl,
        destination: &Path,
        progress: OnProgress<'_>,
    ) -> Result<u64, Error> {
        let name = sas.name();
        let context = || format!("download \"{name}\"");
        Box::pin(self.fetch(sas, destination, progress))
            .await
            .map_err(|refused| Error::from(refused).with_context(context))
    }

    async fn fetch(
        &self,
        sas: &SasUrl,
        destination: &Path,
        progress: OnProgress<'_>,
    ) -> Result<u64, Refused> {
        let mut partial = Partial::beside(destination).await?;
        let room = self.buffers.clone().room(BLOCK).await;
        let first = self.range(sas, room, 0, BLOCK, None).await?;
        let total = first.total;
        let mut report = Report::start(progress, sas.name(), total);
        let mut written = first.bytes.len() as u64;
        let etag = first.etag.clone();
        partial = partial.write(first, &mut report).await?;

        let parallelism = self.parallelism.get().min((MEMORY / BLOCK) as usize);
        let starts = (0..total.saturating_sub(written).div_ceil(BLOCK))
            .map(move |index| written + index * BLOCK);
        let parts = stream::iter(starts)
            .then(|start| {
                // One after the other: the part that is written next must not be waiting for room that
                // those behind it have.
                let length = BLOCK.min(total - start);
                let room = self.buffers.clone().room(length);
                room.map(move |room| (start, length, room))
            })
            .map(|(start, length, room)| self.range(sas, room, start, length, etag.clone()))
            .buffered(parallelism);
        let mut parts = pin!(parts);
        while let Some(part) = parts.try_next().await? {
            if part.total != total {
                return Err(garbled("the blob changed its size").into());
            }
            written += part.bytes.len() as u64;
            partial = partial.write(part, &mut report).await?;
        }
        if written != total {
            return Err(garbled("the bytes are not as many as the blob has").into());
        }
        partial.finish().await?;
        Ok(total)
    }

    async fn range(
        &self,
        sas: &SasUrl,
        room: Room,
        start: u64,
        length: u64,
        etag: Option<Etag>,
    ) -> Result<Part, Refused> {
        let limit = time_for(length);
        let part = again(|left, context| {
            let (room, etag) = (&room, etag.clone());
            async move {
                let client = self.blob(sas, left)?;
                let attempt = attempt(client, context, room, start, length, etag);
                match tokio::time::timeout(limit, attempt).await {
                    Ok(result) => result,
                    Err(_) => Err(unanswered(limit)),
                }
            }
        });
        let Some((bytes, total, etag)) = part.await? else {
            return Err(garbled("the store sent more than it was asked for").into());
        };
        let rest = total.checked_sub(start).map(|rest| rest.min(length));
        if rest != Some(bytes.len() as u64) {
            return Err(garbled("the store sent other bytes than it was asked for").into());
        }
        Ok(Part {
            room,
            bytes,
            total,
            etag,
        })
    }
}

/// A part of a blob, as it came.
struct Part {
    room: Room,
    bytes: Bytes,
    /// The size of the whole blob.
    total: u64,
    etag: Option<Etag>,
}

/// The bytes, the size of the whole blob, and which version it is. `None` for a body that is larger than asked for.
async fn attempt(
    client: BlobClient,
    context: Context<'static>,
    room: &Room,
    start: u64,
    length: u64,
    etag: Option<Etag>,
) -> azure_core::Result<Option<(Bytes, u64, Option<Etag>)>> {
    let options = BlobClientDownloadOptions {
        range: Some((start..start + length).into()),
        // The range itself, so that the client makes one request of it. It asks without a range where
        // this one is refused, because an empty blob has none.
        partition_size: NonZero::new(length as usize),
        parallel: NonZero::new(1),
        if_match: etag,
        method_options: ClientMethodOptions { context },
        ..Default::default()
    };
    let answer = client.download(Some(options)).await?;
    let total = total(&answer.headers);
    let etag = answer.properties.etag;
    let mut body = answer.body;
    let mut bytes = room.take();
    bytes.clear();
    while let Some(piece) = body.try_next().await? {
        if (bytes.len() + piece.len()) as u64 > length {
            return Ok(None);
        }
        bytes.extend_from_slice(&piece);
    }
    let bytes = bytes.freeze();
    let total = total.unwrap_or(bytes.len() as u64);
    Ok(Some((bytes, total, etag)))
}

/// What follows the stroke of `Content-Range: bytes 0-4/5`. Only a whole blob is sent without.
fn total(headers: &Headers) -> Option<u64> {
    let (_, total) = headers
        .iter()
        .find(|(name, _)| name.as_str().eq_ignore_ascii_case("content-range"))
        .and_then(|(_, value)| value.as_str().split_once('/'))?;
    total.trim().parse().ok()
}

fn garbled(what: &str) -> Error {
    Error::new(ErrorKind::Protocol, what)
}

/// A file that is not whole yet. It is gone when this is.
struct Partial {
    file: NamedTempFile,
    destination: PathBuf,
}

impl Partial {
    async fn beside(destination: &Path) -> Result<Self, Error> {
        let path = destination.to_owned();
        let file = blocking(move || {
            let Some(name) = path.file_name() else {
                return Err(std::io::Error::other("the path names no file"));
            };
            if path.is_dir() {
                return Err(std::io::Error::other("it is a folder"));
            }
            let folder = match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            if !folder.is_dir() {
                return Err(std::io::Error::other("its folder does not exist"));
            }
            // Of a long name only the start: with what follows it would be too long for the file system.
            let start: String = name.to_string_lossy().chars().take(40).collect();
            let prefix = format!("{start}.");
            let mut builder = tempfile::Builder::new();
            builder.prefix(&prefix).suffix(".part");
            // As any other file that is made, and not for the owner alone as files that are to vanish.
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
            builder.tempfile_in(folder)
        });
        Ok(Self {
            file: file.await.map_err(|error| unwritable(destination, error))?,
            destination: destination.to_owned(),
        })
    }

    async fn write(self, part: Part, report: &mut Report<'_>) -> Result<Self, Error> {
        let Part { room, bytes, .. } = part;
        let Self {
            mut file,
            destination,
        } = self;
        let length = bytes.len() as u64;
        let written = blocking(move || {
            file.write_all(&bytes)?;
            Ok((file, bytes))
        });
        let (file, bytes) = written
            .await
            .map_err(|error| unwritable(&destination, error))?;
        room.give_back(bytes);
        if length > 0 {
            report.more(length);
        }
        Ok(Self { file, destination })
    }

    async fn finish(self) -> Result<(), Error> {
        let Self { file, destination } = self;
        let path = destination.clone();
        let finished = blocking(move || {
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            Ok(())
        });
        finished
            .await
            .map_err(|error| unwritable(&destination, error))
    }
}

fn unwritable(destination: &Path, error: std::io::Error) -> Error {
    Error::new(
        ErrorKind::File,
        format!("\"{}\" cannot be written: {error}", destination.display()),
    )
    .with_source(error)
}
