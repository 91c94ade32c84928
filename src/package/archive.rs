//! The sources as one `tar.gz`, the same bytes for the same sources.

use super::sources::{Kind, Sources, changed, unreadable};
use crate::error::{Error, ErrorKind};
use crate::files::{self, Content, Stamp, Wanted};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Seek};
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, Header};

/// Packs the sources below a folder with their own name, into a file that has no name on disk and is gone
/// when it is closed. It stands at its beginning.
pub(super) fn pack(sources: &Sources, wanted: &Wanted) -> Result<File, Error> {
    let sink = tempfile::tempfile().map_err(failed)?;
    let sink = BufWriter::with_capacity(BUFFER, sink);
    let mut builder = Builder::new(GzEncoder::new(sink, Compression::default()));
    let base = Path::new(&sources.base);
    add_folder(&mut builder, base)?;
    for (path, kind) in &sources.entries {
        let name = base.join(path);
        match kind {
            Kind::Folder => add_folder(&mut builder, &name)?,
            Kind::Link { target } => {
                let mut header = header(EntryType::Symlink, 0, 0o777);
                let target = relative(path, target);
                builder
                    .append_link(&mut header, &name, target)
                    .map_err(failed)?;
            }
            Kind::File(stamp) => {
                add_file(&mut builder, &name, sources, path, stamp, wanted)?;
            }
        }
    }
    let sink = builder
        .into_inner()
        .and_then(GzEncoder::finish)
        .map_err(failed)?;
    let mut file = sink
        .into_inner()
        .map_err(|error| failed(error.into_error()))?;
    file.rewind().map_err(failed)?;
    sources.check_unchanged()?;
    Ok(file)
}

type Tar = Builder<GzEncoder<BufWriter<File>>>;

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
    path: &Path,
    stamp: &Stamp,
    wanted: &Wanted,
) -> Result<(), Error> {
    let cannot = |error: io::Error| unreadable(path, &error);
    let (file, metadata) = files::open(&sources.root.join(path)).map_err(cannot)?;
    // Also where a link to a file outside took its place.
    if Stamp::of(&metadata) != *stamp {
        return Err(changed(path));
    }
    let mode = if is_executable(&metadata) {
        0o755
    } else {
        0o644
    };
    let mut header = header(EntryType::Regular, stamp.size, mode);
    let mut content = Content::new(file, stamp.size, wanted);
    match builder.append_data(&mut header, name, &mut content) {
        Err(error) if content.failed => Err(cannot(error)),
        written => written.map_err(failed),
    }
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &Metadata) -> bool {
    false
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

pub(super) fn failed(error: io::Error) -> Error {
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
