//! The files of a model on this machine.

use super::LOCAL_UPLOAD;
use crate::blob::{LARGEST, Source};
use crate::error::{Error, ErrorKind, Finding};
use crate::files::{self, Content, Fingerprint, Stamp, Wanted};
use crate::rules::{self, Findings};
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

/// A file that is to be uploaded.
#[derive(Debug, Clone)]
pub(super) struct LocalFile {
    /// The path of the file on this machine.
    pub(super) path: PathBuf,
    /// Its path in the container: `{folder}/{below}`, with slashes.
    pub(super) name: String,
    stamp: Stamp,
}

/// The files that are registered.
#[derive(Debug)]
pub(super) struct LocalFiles {
    /// The name of the file or folder: the prefix of all artifacts.
    pub(super) base: String,
    /// Sorted by name.
    pub(super) files: Vec<LocalFile>,
    /// The fingerprint of their content: the same files have the same.
    pub(super) fingerprint: String,
    /// Links that are not what they seem.
    pub(super) warnings: Vec<Finding>,
}

impl LocalFiles {
    /// Looks at all files and reads them once. May take long: not for a thread of the runtime.
    ///
    /// Links are followed, also out of a folder, with a warning: the model is what the caller sees. A link to
    /// a folder that it is in itself is left out.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::File`]: nothing there, no file in it, a file that cannot be read, a name that
    /// cannot be one everywhere, or its caller no longer waits for it.
    pub(super) fn read(root: &Path, wanted: &Wanted) -> Result<Self, Error> {
        // As Python does it: a model is called by its own name, also where the path is `.`.
        let full = fs::canonicalize(root).map_err(|error| unreadable(root, error))?;
        let named = root.file_name().or_else(|| full.file_name());
        let Some(base) = named else {
            return Err(refuse(root, "is the root of a file system"));
        };
        let base = text(Path::new(base))?;
        let mut findings = Findings::default();
        let mut files = Vec::new();
        if full.is_dir() {
            let mut walk = files::walk(root, true);
            while let Some(entry) = walk.next() {
                let entry = match entry {
                    Ok(entry) => entry,
                    Err(error) => match (error.loop_ancestor(), error.path()) {
                        (Some(_), Some(link)) => {
                            findings.extend([round(link)]);
                            continue;
                        }
                        (_, path) => {
                            let path = path.unwrap_or(root).to_owned();
                            return Err(unreadable(&path, error.into()));
                        }
                    },
                };
                let path = entry.path();
                if entry.path_is_symlink() {
                    let end = fs::canonicalize(path).map_err(|error| unreadable(path, error))?;
                    if full.starts_with(&end) {
                        findings.extend([round(path)]);
                        walk.skip_current_dir();
                        continue;
                    }
                    if !end.starts_with(&full) {
                        findings.extend([outward(path, &end)]);
                    }
                }
                if entry.file_type().is_dir() {
                    continue;
                }
                let metadata = entry
                    .metadata()
                    .map_err(|error| unreadable(path, error.into()))?;
                let below = path.strip_prefix(root).unwrap_or(path);
                let name = format!("{base}/{}", text(below)?);
                files.push(LocalFile::of(path.to_owned(), name, &metadata)?);
            }
        } else {
            let metadata = fs::metadata(root).map_err(|error| unreadable(root, error))?;
            files.push(LocalFile::of(root.to_owned(), base.clone(), &metadata)?);
        }
        if files.is_empty() {
            return Err(refuse(root, "is a folder without files"));
        }
        files.sort_by(|one, other| one.name.cmp(&other.name));
        let fingerprint = fingerprint(&files, wanted)?;
        Ok(Self {
            base,
            files,
            fingerprint,
            warnings: findings.finish("files of a model")?,
        })
    }

    /// Returns the prefix of the files in the artifact store.
    pub(super) fn prefix(&self) -> String {
        format!("{LOCAL_UPLOAD}/{}/{}", self.fingerprint, self.base)
    }

    pub(super) fn size(&self) -> u64 {
        self.files.iter().map(|file| file.stamp.size).sum()
    }

    /// Returns whether the files are unchanged, as far as their stamps tell.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::File`] if not.
    pub(super) fn unchanged(&self) -> Result<(), Error> {
        for LocalFile { path, stamp, .. } in &self.files {
            let metadata = fs::metadata(path).map_err(|error| unreadable(path, error))?;
            if let Some(how) = stamp.change(&Stamp::of(&metadata)) {
                return Err(
                    refuse(path, &format!("changed while it was uploaded: {how}"))
                        .with_remedy("register it again once nothing writes to it"),
                );
            }
        }
        Ok(())
    }
}

impl LocalFile {
    /// Exactly that content: bytes that were written to it since it was checked are not uploaded.
    pub(super) fn source(&self) -> Source {
        Source::Path(self.path.clone(), Some(self.stamp.clone()))
    }

    fn of(path: PathBuf, name: String, metadata: &Metadata) -> Result<Self, Error> {
        if !metadata.is_file() {
            return Err(refuse(&path, "is not a regular file"));
        }
        let stamp = Stamp::of(metadata);
        // Before it is read for minutes.
        if stamp.size > LARGEST {
            let what = format!("has {} bytes, which are more than {LARGEST}", stamp.size);
            return Err(refuse(&path, &what));
        }
        Ok(Self { path, name, stamp })
    }
}

/// A hash of names, sizes and contents.
fn fingerprint(files: &[LocalFile], wanted: &Wanted) -> Result<String, Error> {
    let mut print = Fingerprint::default();
    for LocalFile { path, name, stamp } in files {
        print.part(name.as_bytes());
        print.part(&stamp.size.to_le_bytes());
        // What was appended meanwhile is noticed later.
        files::open(path)
            .and_then(|(file, _)| print.content(Content::new(file, stamp.size, wanted)))
            .map_err(|error| unreadable(path, error))?;
    }
    Ok(print.finish())
}

fn round(link: &Path) -> Finding {
    rules::MODEL_LINK.finding(
        link.display().to_string(),
        "the link leads to a folder that it is in itself, and is left out",
        "remove the link",
    )
}

fn outward(link: &Path, end: &Path) -> Finding {
    rules::MODEL_LINK.finding(
        link.display().to_string(),
        format!("the link leads out of the folder, and {end:?} is registered with it"),
        "copy into the folder what belongs to the model, and remove other links",
    )
}

/// Returns a path as the store names it.
fn text(path: &Path) -> Result<String, Error> {
    let text = files::slashed(path).filter(|text| !text.contains(char::is_control));
    let text = text.ok_or_else(|| refuse(path, "has a name that is not plain Unicode"))?;
    // A name on Unix, a folder for the store and on Windows.
    if text.contains('\\') {
        return Err(refuse(path, "has a backslash in its name")
            .with_remedy("rename it: elsewhere a backslash divides folders"));
    }
    Ok(text)
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
    use std::fs::File;
    use std::time::SystemTime;

    fn read(root: &Path) -> Result<LocalFiles, Error> {
        LocalFiles::read(root, &Wanted::default())
    }

    #[test]
    fn files_are_not_read_once_the_caller_is_gone() {
        let folder = folder();
        let error = LocalFiles::read(folder.path(), &Wanted::no_more()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File, "{error}");
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
    fn folder_is_its_files_below_its_name_and_a_file_is_itself() {
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
    fn fingerprint_is_of_names_and_contents_and_nothing_else() {
        let folder = folder();
        let root = folder.path().join("model");
        let read = || super::tests::read(&root).unwrap().fingerprint;
        let first = read();
        assert_eq!(first.len(), Fingerprint::LENGTH);
        let file = File::options().write(true).open(root.join("b")).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(
            read(),
            first,
            "the time of the last write is not part of the content"
        );
        fs::write(root.join("b"), "bc").unwrap();
        let other = read();
        assert_ne!(other, first);
        fs::rename(root.join("b"), root.join("c")).unwrap();
        assert_ne!(read(), other);
    }

    #[test]
    fn path_that_cannot_be_a_model_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("bare/sub")).unwrap();
        let large = File::create(path("large")).unwrap();
        large.set_len(LARGEST + 1).unwrap();
        for (name, why) in [
            ("missing", "cannot be read"),
            ("bare", "without files"),
            ("large", "more than"),
        ] {
            let error = read(&path(name)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::File, "{name}");
            let text = error.to_string();
            assert!(text.contains(why) && text.contains(name), "{text}");
        }
    }

    #[test]
    fn file_that_changes_after_it_was_read_is_noticed() {
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

    #[test]
    fn empty_file_and_folder_of_empty_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("empty"), "").unwrap();
        for path in [folder.path(), &folder.path().join("empty")] {
            let files = read(path).unwrap();
            assert_eq!((files.files.len(), files.size()), (1, 0));
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_told_where_they_lead_out_or_round() {
        use std::os::unix::fs::symlink;

        let folder = folder();
        let root = folder.path().join("model");
        fs::create_dir(folder.path().join("beside")).unwrap();
        fs::write(folder.path().join("beside/x"), "xxx").unwrap();
        symlink(root.join("b"), root.join("link")).unwrap();
        assert_eq!(read(&root).unwrap().warnings, []);
        for (target, link) in [
            ("..", "sub/circle"),
            ("../..", "sub/above"),
            ("../beside", "out"),
            ("../../beside/x", "sub/x"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        let files = read(&root).unwrap();
        let names: Vec<&str> = files.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "model/.hidden",
                "model/b",
                "model/link",
                "model/out/x",
                "model/sub/a",
                "model/sub/x"
            ]
        );
        let warned: Vec<(String, bool)> = files
            .warnings
            .iter()
            .map(|found| {
                assert_eq!(found.rule, "model.link");
                (found.path.clone(), found.message.contains("left out"))
            })
            .collect();
        let at = |link: &str| root.join(link).display().to_string();
        assert_eq!(
            warned,
            [
                (at("out"), false),
                (at("sub/above"), true),
                (at("sub/circle"), true),
                (at("sub/x"), false)
            ]
        );
    }
}
