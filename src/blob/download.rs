//! Downloads.

use super::buffers::Room;
use super::patience::{again, unanswered};
use super::plan::{BLOCK, LARGEST, MEMORY};
use super::progress::Report;
use super::refusal::{DOWNLOAD, Refused};
use super::{BlobStore, OnProgress, SasUrl};
use crate::error::{Error, ErrorKind};
use crate::facts::arm::BLOB_API_VERSION;
use crate::files::blocking;
use crate::transport::limits::blobs::time_for;
use azure_core::error::CheckSuccessOptions;
use azure_core::http::headers::HeaderName;
use azure_core::http::{
    AsyncRawResponse, Context, Method, Pipeline, PipelineStreamOptions, Request,
};
use bytes::{Bytes, BytesMut};
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::pin;
use tempfile::NamedTempFile;
use tokio::sync::Mutex;

impl BlobStore {
    /// Writes the blob to a file, and returns its size in bytes.
    ///
    /// Sends: a `Get Blob` for each 4 MiB, all of the same version of the blob, and more where the store sends
    /// less than it is asked for. Each is tried again after what may pass.
    ///
    /// The bytes go to a file with a name of its own, which ends with `.part`, in the same folder. It gets
    /// the final name once it is whole and on the disk.
    ///
    /// # Arguments
    ///
    /// * `overwrite` - whether a file that is there when the download ends is replaced.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::File`]: the folder is not there, the destination is a folder, or a file that must not be
    ///   overwritten, or it cannot be written.
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
        overwrite: bool,
        progress: OnProgress<'_>,
    ) -> Result<u64, Error> {
        let name = sas.name();
        let context = || format!("download \"{name}\"");
        Box::pin(self.fetch(sas, destination, overwrite, progress))
            .await
            .map_err(|refused| refused.into_error(&DOWNLOAD).with_context(context))
    }

    /// Returns the size of the blob in bytes.
    ///
    /// Sends: a `Get Blob` of one byte.
    pub(crate) async fn size(&self, sas: &SasUrl) -> Result<u64, Error> {
        let room = self.buffers.clone().room(1).await;
        match self.range(sas, room, 0..1, None).await {
            Ok(Part {
                room, bytes, total, ..
            }) => {
                room.give_back(bytes);
                Ok(total)
            }
            Err(refused) => Err(refused.into_error(&DOWNLOAD)),
        }
    }

    async fn fetch(
        &self,
        sas: &SasUrl,
        destination: &Path,
        overwrite: bool,
        progress: OnProgress<'_>,
    ) -> Result<u64, Refused> {
        let mut partial = Partial::beside(destination).await?;
        let room = self.buffers.clone().room(BLOCK).await;
        let first = self.range(sas, room, 0..BLOCK, None).await?;
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
                let range = start..total.min(start + BLOCK);
                let room = self.buffers.clone().room(range.end - start);
                room.map(move |room| (range, room))
            })
            .map(|(range, room)| self.range(sas, room, range, etag.clone()))
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
            return Err(garbled("the number of bytes differs from the size of the blob").into());
        }
        partial.finish(overwrite).await?;
        Ok(total)
    }

    /// Reads a part of the blob: of a shorter blob as much as there is.
    async fn range(
        &self,
        sas: &SasUrl,
        room: Room,
        range: Range<u64>,
        mut etag: Option<String>,
    ) -> Result<Part, Refused> {
        let mut buffer = room.take();
        buffer.clear();
        let buffer = Mutex::new(buffer);
        let mut start = range.start;
        loop {
            let asked = start..range.end;
            let limit = time_for(asked.end - asked.start);
            let have = (start - range.start) as usize;
            let piece = again(|left, context| {
                let (buffer, asked, etag) = (&buffer, asked.clone(), etag.clone());
                async move {
                    let mut buffer = buffer.lock().await;
                    buffer.truncate(have);
                    let pipeline = self.pipeline(left);
                    let attempt = attempt(&pipeline, context, sas, asked, etag, &mut buffer);
                    match tokio::time::timeout(limit, attempt).await {
                        Ok(result) => result,
                        Err(_) => Err(unanswered(limit)),
                    }
                }
            });
            let piece = piece.await?.map_err(garbled)?;
            start = piece.end;
            // The rest must be of the same version.
            etag = etag.or(piece.etag);
            if start >= range.end.min(piece.total) {
                return Ok(Part {
                    room,
                    bytes: buffer.into_inner().freeze(),
                    total: piece.total,
                    etag,
                });
            }
        }
    }

    /// Past `azure_storage_blob`: where a store sends less than it is asked for, that takes zeros for the rest.
    fn pipeline(&self, sends: u32) -> Pipeline {
        Pipeline::new(
            option_env!("CARGO_PKG_NAME"),
            option_env!("CARGO_PKG_VERSION"),
            self.options(sends),
            Vec::new(),
            Vec::new(),
            None,
        )
    }
}

/// A part of a blob, as it came.
struct Part {
    room: Room,
    bytes: Bytes,
    /// The size of the whole blob.
    total: u64,
    etag: Option<String>,
}

/// The range of bytes that an answer declares.
struct Piece {
    /// The place in the blob behind them.
    end: u64,
    total: u64,
    etag: Option<String>,
}

/// Appends the bytes of one answer to the buffer. The inner error says what is wrong with the answer.
async fn attempt(
    pipeline: &Pipeline,
    context: Context<'static>,
    sas: &SasUrl,
    asked: Range<u64>,
    etag: Option<String>,
    buffer: &mut BytesMut,
) -> azure_core::Result<Result<Piece, &'static str>> {
    let range = format!("bytes={}-{}", asked.start, asked.end - 1);
    let answer = match send(pipeline, &context, sas, Some(range), etag.as_deref()).await {
        // No range fits an empty blob.
        Err(error) if asked.start == 0 && error.http_status().map(u16::from) == Some(416) => {
            send(pipeline, &context, sas, None, None).await?
        }
        result => result?,
    };
    let (status, headers, mut body) = answer.deconstruct();
    let header = |name| headers.get_optional_string(&HeaderName::from_static(name));
    let told = match u16::from(status) {
        206 => match header("content-range").as_deref().and_then(content_range) {
            Some((range, total))
                if range.start == asked.start && range.end <= asked.end && total <= LARGEST =>
            {
                Some((range.end, total))
            }
            _ => return Ok(Err("the store sent other bytes than it was asked for")),
        },
        // The whole blob, whose size is seen at its end.
        _ if asked.start == 0 => None,
        _ => return Ok(Err("the store sent other bytes than it was asked for")),
    };
    let mut end = asked.start;
    let most = told.map_or(asked.end, |(end, _)| end);
    while let Some(bytes) = body.try_next().await? {
        end += bytes.len() as u64;
        if end > most {
            return Ok(Err("the store sent more than it was asked for"));
        }
        buffer.extend_from_slice(&bytes);
    }
    let (told, total) = told.unwrap_or((end, end));
    if end != told {
        return Ok(Err("the store sent fewer bytes than it announced"));
    }
    Ok(Ok(Piece {
        end,
        total,
        etag: header("etag"),
    }))
}

async fn send(
    pipeline: &Pipeline,
    context: &Context<'static>,
    sas: &SasUrl,
    range: Option<String>,
    etag: Option<&str>,
) -> azure_core::Result<AsyncRawResponse> {
    let mut request = Request::new(sas.url().clone(), Method::Get);
    request.insert_header("x-ms-version", BLOB_API_VERSION);
    if let Some(range) = range {
        request.insert_header("range", range);
    }
    if let Some(etag) = etag {
        request.insert_header("if-match", etag.to_owned());
    }
    let options = PipelineStreamOptions {
        check_success: CheckSuccessOptions {
            success_codes: &[200, 206],
        },
        ..PipelineStreamOptions::default()
    };
    pipeline.stream(context, &mut request, Some(options)).await
}

/// Range and size of `bytes 0-4/5`, if both can be.
fn content_range(text: &str) -> Option<(Range<u64>, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    let total = total.trim().parse().ok()?;
    (first <= last && last < total).then(|| (first..last + 1, total))
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
        let destination = destination.to_owned();
        blocking(|_| match Self::make(&destination) {
            Ok(file) => Ok(Self { file, destination }),
            Err(error) => Err(unwritable(&destination, error)),
        })
        .await
    }

    fn make(path: &Path) -> std::io::Result<NamedTempFile> {
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
    }

    async fn write(mut self, part: Part, report: &mut Report<'_>) -> Result<Self, Error> {
        let Part { room, bytes, .. } = part;
        let length = bytes.len() as u64;
        let (partial, bytes) = blocking(move |_| match self.file.write_all(&bytes) {
            Ok(()) => Ok((self, bytes)),
            Err(error) => Err(unwritable(&self.destination, error)),
        })
        .await?;
        room.give_back(bytes);
        if length > 0 {
            report.more(length);
        }
        Ok(partial)
    }

    async fn finish(self, overwrite: bool) -> Result<(), Error> {
        let Self { file, destination } = self;
        blocking(move |_| {
            let persisted = file.as_file().sync_all().and_then(|()| {
                let persisted = match overwrite {
                    true => file.persist(&destination),
                    false => file.persist_noclobber(&destination),
                };
                persisted.map_err(|error| error.error)
            });
            match persisted {
                Ok(_) => Ok(()),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    Err(is_there(&destination))
                }
                Err(error) => Err(unwritable(&destination, error)),
            }
        })
        .await
    }
}

/// Says that a file must not be overwritten.
pub(crate) fn is_there(path: &Path) -> Error {
    Error::new(ErrorKind::File, format!("{path:?} already exists"))
        .with_remedy("choose another folder, or allow to overwrite")
}

fn unwritable(destination: &Path, error: std::io::Error) -> Error {
    Error::new(
        ErrorKind::File,
        format!("\"{}\" cannot be written: {error}", destination.display()),
    )
    .with_source(error)
}
