//! The sources as one `tar.gz`, the same bytes for the same sources.

use super::sources::{Entry, Kind, Sources, Stamp, changed, unreadable};
use crate::error::{Error, ErrorKind};
use flate2::write::GzEncoder;
use flate2::{Compression, Crc};
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tar::{Builder, EntryType, Header};

/// An archive in a file that has no name on disk, and is gone when it is closed.
#[derive(Debug)]
pub(super) struct Archive {
    /// Stands at its beginning.
    pub(super) file: File,
    pub(super) size: u64,
    /// The CRC-32 of the bytes: the same for the same sources.
    pub(super) checksum: u32,
}

/// Packs the sources below a folder with their own name. `stop` ends the work early.
pub(super) fn pack(sources: &Sources, stop: &AtomicBool) -> Result<Archive, Error> {
    let sink = tempfile::tempfile().map_err(failed)?;
    let sink = Checksummed {
        inner: BufWriter::with_capacity(BUFFER, sink),
        checksum: Crc::new(),
    };
    let mut builder = Builder::new(GzEncoder::new(sink, Compression::default()));
    let base = Path::new(&sources.base);
    add_folder(&mut builder, base)?;
    for entry in &sources.entries {
        let name = base.join(&entry.path);
        match &entry.kind {
            Kind::Folder => add_folder(&mut builder, &name)?,
            Kind::Link { target } => {
                let mut header = header(EntryType::Symlink, 0, 0o777);
                let target = relative(&entry.path, target);
                builder
                    .append_link(&mut header, &name, target)
                    .map_err(failed)?;
            }
            Kind::File(stamp) => {
                add_file(&mut builder, &name, sources, entry, stamp, stop)?;
            }
        }
    }
    let sink = builder
        .into_inner()
        .and_then(GzEncoder::finish)
        .map_err(failed)?;
    let checksum = sink.checksum.sum();
    let mut file = sink
        .inner
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    let size = file.stream_position().map_err(failed)?;
    file.rewind().map_err(failed)?;
    sources.check_unchanged()?;
    Ok(Archive {
        file,
        size,
        checksum,
    })
}

type Tar = Builder<GzEncoder<Checksummed>>;

fn add_folder(builder: &mut Tar, name: &Path) -> Result<(), Error> {
    let mut header = header(EntryType::Directory, 0, 0o755);
    builder
        .append_data(&mut header, name, io::empty())
        .map_err(failed)
}

fn add_file(
    builder: &mut Tar,
    name: &Path,
    sources: &Sources,
    entry: &Entry,
    stamp: &Stamp,
    stop: &AtomicBool,
) -> Result<(), Error> {
    let opened = File::open(sources.root.join(&entry.path));
    let file = opened.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => changed(&entry.path),
        _ => unreadable(&entry.path, &error),
    })?;
    let metadata = file
        .metadata()
        .map_err(|error| unreadable(&entry.path, &error))?;
    // Also where a link to a file outside took its place.
    if Stamp::of(&metadata) != *stamp {
        return Err(changed(&entry.path));
    }
    let mode = if stamp.executable { 0o755 } else { 0o644 };
    let mut header = header(EntryType::Regular, stamp.size, mode);
    let mut content = Exactly {
        file,
        left: stamp.size,
        trouble: None,
        stop,
    };
    let written = builder.append_data(&mut header, name, &mut content);
    match (content.trouble, written) {
        (Some(Trouble::Changed), _) => Err(changed(&entry.path)),
        (Some(Trouble::Unreadable(error)), _) => Err(unreadable(&entry.path, &error)),
        (None, written) => written.map_err(failed),
    }
}

/// Nothing in a header depends on the moment, the machine or the user.
fn header(kind: EntryType, size: u64, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// From the folder of a link to its target, both below the same folder.
fn relative(link: &Path, target: &Path) -> PathBuf {
    let depth = link.components().count().saturating_sub(1);
    let mut path: PathBuf = std::iter::repeat_n("..", depth).collect();
    path.push(target);
    if path.as_os_str().is_empty() {
        path.push(".");
    }
    path
}

/// Reads a file that has to be as long as it was.
struct Exactly<'a> {
    file: File,
    left: u64,
    trouble: Option<Trouble>,
    stop: &'a AtomicBool,
}

enum Trouble {
    Changed,
    Unreadable(io::Error),
}

impl Read for Exactly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("nobody waits for the archive any more"));
        }
        let room = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        // At the end one byte more is asked for, which must not be there.
        let mut beyond = [0];
        let read = match self.left {
            0 => self.file.read(&mut beyond),
            _ => self.file.read(&mut buffer[..room]),
        };
        let trouble = match read {
            Ok(0) if self.left == 0 => return Ok(0),
            Ok(count) if self.left > 0 && count > 0 => {
                self.left -= count as u64;
                return Ok(count);
            }
            Ok(_) => Trouble::Changed,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => Trouble::Unreadable(error),
        };
        self.trouble = Some(trouble);
        Err(io::Error::other("the file cannot be packed"))
    }
}

struct Checksummed {
    inner: BufWriter<File>,
    checksum: Crc,
}

impl Write for Checksummed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.checksum.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn failed(error: io::Error) -> Error {
    Error::new(
        ErrorKind::Configuration,
        format!("the archive of the sources cannot be written: {error}"),
    )
    .with_remedy("make room in the folder for temporary files, or set TMPDIR")
    .with_source(error)
}

const BUFFER: usize = 64 * 1024;

#[cfg(test)]
mod tests;
