//! The files of a model on this machine.

use super::LOCAL_UPLOAD;
use crate::blob::Source;
use crate::error::{Error, ErrorKind};
use ignore::WalkBuilder;
use sha2::{Digest, Sha256};
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::time::SystemTime;

/// A file that is to be uploaded.
#[derive(Debug, Clone)]
pub(super) struct LocalFile {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its path in the container: `{folder}/{below}`, with slashes.
    pub(super) name: String,
    pub(super) size: u64,
    modified: Option<SystemTime>,
}

/// What is to be registered.
#[derive(Debug)]
pub(super) struct LocalFiles {
    /// The name of the file or folder: the prefix of all artifacts.
    pub(super) base: String,
    /// Sorted by name.
    pub(super) files: Vec<LocalFile>,
    /// What is in them, in few characters: the same files have the same.
    pub(super) fingerprint: String,
}

/// Characters of a fingerprint: 128 bits.
const FINGERPRINT: usize = 32;

impl LocalFiles {
    /// Looks at all files and reads them once. May take long: not for a thread of the runtime.
    ///
    /// Links are followed, also out of a folder: the model is what the caller sees.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::File`]: nothing there, nothing in it, a file that cannot be read, a name that
    /// cannot be one everywhere, or nobody waits for it any more.
    ///
    /// # Arguments
    ///
    /// * `wanted` - dropped by whoever waits: a process that wants to end must not read on for minutes.
    pub(super) fn read(root: &Path, wanted: &Weak<()>) -> Result<Self, Error> {
        // As Python does it: a model is called by its own name, also where the path is `.`.
        let full = std::fs::canonicalize(root).map_err(|error| unreadable(root, error))?;
        let named = root.file_name().or_else(|| full.file_name());
        let Some(base) = named else {
            return Err(refuse(root, "is the root of a file system"));
        };
        let base = text(Path::new(base))?;
        let metadata = std::fs::metadata(root).map_err(|error| unreadable(root, error))?;
        let mut files = Vec::new();
        if metadata.is_dir() {
            let walk = WalkBuilder::new(root)
                .standard_filters(false)
                .follow_links(true)
                .build();
            for entry in walk {
                let entry = entry.map_err(|error| {
                    Error::new(
                        ErrorKind::File,
                        format!("the folder {root:?} cannot be read: {error}"),
                    )
                    .with_source(error)
                })?;
                let path = entry.path();
                let metadata = entry.metadata().map_err(|error| {
                    Error::new(ErrorKind::File, format!("{path:?} cannot be read: {error}"))
                        .with_source(error)
                })?;
                if metadata.is_dir() {
                    continue;
                }
                let below = path.strip_prefix(root).unwrap_or(path);
                let name = format!("{base}/{}", slashed(below)?);
                files.push(LocalFile::of(path.to_owned(), name, &metadata)?);
            }
        } else {
            files.push(LocalFile::of(root.to_owned(), base.clone(), &metadata)?);
        }
        if files.is_empty() {
            return Err(refuse(root, "is a folder without files"));
        }
        if files.iter().all(|file| file.size == 0) {
            return Err(refuse(root, "is empty"));
        }
        files.sort_by(|one, other| one.name.cmp(&other.name));
        let fingerprint = fingerprint(&files, wanted)?;
        Ok(Self {
            base,
            files,
            fingerprint,
        })
    }

    /// Where the files stand in the artifact store.
    pub(super) fn prefix(&self) -> String {
        format!("{LOCAL_UPLOAD}/{}/{}", self.fingerprint, self.base)
    }

    pub(super) fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Whether the files are still what they were, as far as size and time of the last write tell.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::File`] if not.
    pub(super) fn unchanged(&self) -> Result<(), Error> {
        for file in &self.files {
            let metadata =
                std::fs::metadata(&file.path).map_err(|error| unreadable(&file.path, error))?;
            if metadata.len() != file.size || metadata.modified().ok() != file.modified {
                return Err(refuse(&file.path, "changed while it was uploaded")
                    .with_remedy("register it again once nothing writes to it"));
            }
        }
        Ok(())
    }
}

impl LocalFile {
    /// It and nothing else: what was written to it since it was looked at is not uploaded.
    pub(super) fn source(&self) -> Source {
        Source::Known {
            path: self.path.clone(),
            size: self.size,
            modified: self.modified,
        }
    }

    fn of(path: PathBuf, name: String, metadata: &Metadata) -> Result<Self, Error> {
        if !metadata.is_file() {
            return Err(refuse(&path, "is no regular file"));
        }
        Ok(Self {
            path,
            name,
            size: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }
}

/// Of names, sizes and contents.
fn fingerprint(files: &[LocalFile], wanted: &Weak<()>) -> Result<String, Error> {
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    for file in files {
        for part in [file.name.as_bytes(), &file.size.to_le_bytes()] {
            sum.update((part.len() as u64).to_le_bytes());
            sum.update(part);
        }
        let mut content = File::open(&file.path).map_err(|error| unreadable(&file.path, error))?;
        let mut left = file.size;
        while left > 0 {
            if wanted.strong_count() == 0 {
                return Err(refuse(&file.path, "is not waited for any more"));
            }
            let length = match content.read(&mut buffer) {
                Ok(0) => return Err(refuse(&file.path, "changed while it was read")),
                Ok(length) => length,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unreadable(&file.path, error)),
            };
            // What was appended meanwhile is noticed later.
            let length = length.min(usize::try_from(left).unwrap_or(usize::MAX));
            sum.update(&buffer[..length]);
            left -= length as u64;
        }
    }
    let text: String = sum
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(text[..FINGERPRINT].to_owned())
}

fn slashed(path: &Path) -> Result<String, Error> {
    let parts: Result<Vec<String>, Error> = path
        .components()
        .map(|part| text(Path::new(part.as_os_str())))
        .collect();
    Ok(parts?.join("/"))
}

fn text(path: &Path) -> Result<String, Error> {
    let text = path
        .to_str()
        .filter(|text| !text.contains(char::is_control));
    let text = text.ok_or_else(|| refuse(path, "has a name that is not plain Unicode"))?;
    // A name on Unix, a folder for the store and on Windows.
    if text.contains('\\') {
        return Err(refuse(path, "has a backslash in its name")
            .with_remedy("rename it: elsewhere a backslash divides folders"));
    }
    Ok(text.to_owned())
}

fn refuse(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::File, format!("{path:?} {what}"))
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::File, format!("{path:?} cannot be read: {error}")).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::sync::Arc;

    fn read(root: &Path) -> Result<LocalFiles, Error> {
        let waiting = Arc::new(());
        LocalFiles::read(root, &Arc::downgrade(&waiting))
    }

    #[test]
    fn what_nobody_waits_for_is_not_read() {
        let folder = folder();
        let error = LocalFiles::read(folder.path(), &Weak::new()).unwrap_err();
        assert!(error.to_string().contains("not waited for"), "{error}");
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("model/sub")).unwrap();
        fs::write(folder.path().join("model/b"), "bb").unwrap();
        fs::write(folder.path().join("model/sub/a"), "").unwrap();
        fs::write(folder.path().join("model/.hidden"), "h").unwrap();
        folder
    }

    #[test]
    fn a_folder_is_its_files_below_its_name_and_a_file_is_itself() {
        let folder = folder();
        let files = read(&folder.path().join("model")).unwrap();
        assert_eq!(files.base, "model");
        let names: Vec<&str> = files.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["model/.hidden", "model/b", "model/sub/a"]);
        assert_eq!(files.size(), 3);
        let dotted = read(&folder.path().join("model/.")).unwrap();
        assert_eq!(dotted.base, "model");
        let one = read(&folder.path().join("model/b")).unwrap();
        assert_eq!((one.base.as_str(), one.files.len()), ("b", 1));
        assert_eq!(one.files[0].name, "b");
    }

    #[test]
    fn the_fingerprint_is_of_names_and_contents_and_nothing_else() {
        let folder = folder();
        let root = folder.path().join("model");
        let read = || super::tests::read(&root).unwrap().fingerprint;
        let first = read();
        assert_eq!(first.len(), FINGERPRINT);
        let file = File::options().write(true).open(root.join("b")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(read(), first, "a time of the last write is no content");
        fs::write(root.join("b"), "bc").unwrap();
        let other = read();
        assert_ne!(other, first);
        fs::rename(root.join("b"), root.join("c")).unwrap();
        assert_ne!(read(), other);
    }

    #[test]
    fn what_cannot_be_a_model_is_refused_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("empty"), "").unwrap();
        fs::create_dir(path("bare")).unwrap();
        fs::create_dir(path("hollow")).unwrap();
        fs::write(path("hollow/x"), "").unwrap();
        for (name, why) in [
            ("missing", "cannot be read"),
            ("empty", "is empty"),
            ("bare", "without files"),
            ("hollow", "is empty"),
        ] {
            let error = read(&path(name)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::File, "{name}");
            let text = error.to_string();
            assert!(text.contains(why) && text.contains(name), "{text}");
        }
    }

    #[test]
    fn a_file_that_changes_after_it_was_read_is_noticed() {
        let folder = folder();
        let root = folder.path().join("model");
        let files = read(&root).unwrap();
        files.unchanged().unwrap();
        fs::write(root.join("b"), "longer").unwrap();
        assert!(
            files
                .unchanged()
                .unwrap_err()
                .to_string()
                .contains("changed")
        );
        fs::remove_file(root.join("b")).unwrap();
        assert_eq!(files.unchanged().unwrap_err().kind(), ErrorKind::File);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_circles_are_noticed() {
        let folder = folder();
        let root = folder.path().join("model");
        std::os::unix::fs::symlink(root.join("b"), root.join("link")).unwrap();
        let files = read(&root).unwrap();
        let link = files.files.iter().find(|file| file.name == "model/link");
        assert_eq!(link.unwrap().size, 2);
        std::os::unix::fs::symlink(&root, root.join("sub/circle")).unwrap();
        let error = read(&root).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File);
    }
}
