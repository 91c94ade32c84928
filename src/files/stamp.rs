//! Opening a file, and finding out whether it has changed.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::SystemTime;

/// Opens a file for reading.
///
/// # Errors
///
/// [`ErrorKind::IsADirectory`] for a folder, and [`ErrorKind::InvalidInput`] for anything else that is not a
/// regular file. The open never waits: opening a named pipe would wait for a writer, and nothing could
/// end that.
pub(crate) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    // First, because opening a device may already do something.
    check_kind(&fs::metadata(path)?)?;
    let file = open_any(path)?;
    let metadata = file.metadata()?;
    check_kind(&metadata)?;
    Ok((file, metadata))
}

/// Opens whatever is at the path by now, without waiting.
fn open_any(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    // Regular files take no notice of the flag.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(
        &mut options,
        rustix::fs::OFlags::NONBLOCK.bits().cast_signed(),
    );
    options.read(true).open(path)
}

fn check_kind(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        Ok(())
    } else if metadata.is_dir() {
        Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder"))
    } else {
        Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is not a regular file",
        ))
    }
}

/// The metadata that tells two states of a file apart, without reading it. Two writes within one tick of the file
/// system's clock that leave the size as it is are not detected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    /// `None` if the system does not know it, as for the next field.
    modified: Option<SystemTime>,
    /// Device and number of the file.
    identity: Option<(u64, u64)>,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.len(),
            modified: metadata.modified().ok(),
            identity: identity(metadata),
        }
    }

    /// Says how a file with this stamp has changed, if it has.
    pub(crate) fn change(&self, now: &Self) -> Option<String> {
        if self.size != now.size {
            Some(format!(
                "it has {} bytes instead of {}",
                now.size, self.size
            ))
        } else {
            (self != now).then(|| "it was written to or replaced".to_owned())
        }
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamp_reports_only_what_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let now = || Stamp::of(&fs::metadata(&path).unwrap());
        let then = now();
        assert_eq!(then.change(&now()), None);
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(then.change(&now()).is_some());
        fs::write(&path, "longer").unwrap();
        let change = then.change(&now()).unwrap();
        assert_eq!(change, "it has 6 bytes instead of 3");
    }

    #[cfg(unix)]
    #[test]
    fn stamp_detects_a_replaced_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("a"), folder.path().join("b"));
        let stamp = || {
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
            Stamp::of(&fs::metadata(&path).unwrap())
        };
        fs::write(&path, "one").unwrap();
        let then = stamp();
        fs::write(&other, "two").unwrap();
        fs::rename(&other, &path).unwrap();
        assert!(then.change(&stamp()).is_some());
    }

    #[cfg(unix)]
    #[test]
    fn named_pipe_is_refused_and_never_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let mode = rustix::fs::Mode::from_bits_truncate(0o600);
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, mode).unwrap();
        let error = open(&path).unwrap_err();
        assert_eq!(error.to_string(), "it is not a regular file");
        // As it is opened where it takes the place of a file after its kind was asked for.
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || tell.send(open_any(&path).is_ok()));
        told.recv_timeout(std::time::Duration::from_secs(5))
            .unwrap();
    }
}
