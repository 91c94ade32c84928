//! What of a source directory is packed: a look at every folder, before and after the packing.

mod ignored;

use crate::error::Error;
use crate::rules::{self, Findings};
use ignored::Ignored;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What was found below a source directory, sorted by path, folders before what they hold.
#[derive(Debug)]
pub(super) struct Sources {
    /// The folder, as the file system calls it.
    pub(super) root: PathBuf,
    /// The last part of that, which the folder has in the archive too.
    pub(super) base: String,
    pub(super) entries: Vec<Entry>,
}

/// One thing to be packed, by its path below the source directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File(Stamp),
    /// A link; `target` is a path below the source directory, where it ends in the end.
    Link {
        target: PathBuf,
    },
}

/// What tells two states of a file apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) size: u64,
    pub(super) executable: bool,
    modified: Option<SystemTime>,
    identity: Option<(u64, u64)>,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.len(),
            executable: is_executable(metadata),
            modified: metadata.modified().ok(),
            identity: identity(metadata),
        }
    }
}

impl Sources {
    /// Looks at everything below `directory`. What is left out, but not by an ignore file, becomes
    /// a warning.
    pub(super) fn find(directory: &Path, findings: &mut Findings) -> Result<Self, Error> {
        let shown = directory.display().to_string();
        let refuse = |why: String| {
            let remedy = "give the path of the folder that holds the entry script";
            let rule = rules::SOURCE_DIRECTORY;
            let finding = rule.finding("source_directory", Some(&shown), why, remedy);
            Error::validation(WHAT, vec![finding])
        };
        let root = fs::canonicalize(directory)
            .map_err(|error| refuse(format!("the folder cannot be read: {error}")))?;
        if !root.is_dir() {
            return Err(refuse("this is no folder".to_owned()));
        }
        let base = match root.file_name().map(|name| name.to_str()) {
            Some(Some(base)) => base.to_owned(),
            Some(None) => return Err(refuse("the name of the folder is no text".to_owned())),
            None => return Err(refuse("this folder has no name".to_owned())),
        };
        let mut walk = Walk {
            root: &root,
            ignored: Ignored::default(),
            entries: Vec::new(),
            findings,
        };
        walk.folder(Path::new(""))?;
        walk.drop_dead_links();
        let entries = walk.entries;
        if !entries
            .iter()
            .any(|entry| matches!(entry.kind, Kind::File(_)))
        {
            return Err(refuse(
                "the folder holds no file that is to be packed".to_owned(),
            ));
        }
        Ok(Self {
            root,
            base,
            entries,
        })
    }

    /// Looks again, and refuses if anything that is packed is not as it was.
    pub(super) fn check_unchanged(&self) -> Result<(), Error> {
        let again = Self::find(&self.root, &mut Findings::default())?;
        let mut then = self.entries.iter();
        let mut now = again.entries.iter();
        loop {
            match (then.next(), now.next()) {
                (None, None) => return Ok(()),
                (Some(then), Some(now)) if then == now => {}
                (Some(then), Some(now)) => return Err(changed((&then.path).min(&now.path))),
                (Some(entry), None) | (None, Some(entry)) => return Err(changed(&entry.path)),
            }
        }
    }

    /// Whether something at `path` is in the archive, by itself or behind a link.
    pub(super) fn packs(&self, path: &Path) -> bool {
        let mut part = PathBuf::new();
        for name in path.components() {
            part.push(name);
            match find(&self.entries, &part) {
                None => return false,
                // Where a link ends was looked at already.
                Some(Kind::Link { .. }) => return true,
                Some(_) => {}
            }
        }
        true
    }
}

/// Something is not as it was when the packing began.
pub(crate) fn changed(path: &Path) -> Error {
    let finding = rules::SOURCE_CHANGED.finding(
        "source_directory",
        Some(&path.display().to_string()),
        "this changed while the sources were packed",
        "stop what writes there, or list it in an ignore file, and deploy again",
    );
    Error::validation(WHAT, vec![finding])
}

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let finding = rules::SOURCE_UNREADABLE.finding(
        "source_directory",
        Some(&path.display().to_string()),
        format!("this cannot be read: {error}"),
        "give the permission to read it, or list it in an ignore file",
    );
    Error::validation(WHAT, vec![finding])
}

struct Walk<'a> {
    root: &'a Path,
    ignored: Ignored,
    entries: Vec<Entry>,
    findings: &'a mut Findings,
}

impl Walk<'_> {
    /// Notes what is in the folder at `path`, below the root, and in the folders below it.
    fn folder(&mut self, path: &Path) -> Result<(), Error> {
        let here = self.root.join(path);
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => changed(path),
            _ => unreadable(path, &error),
        };
        let mut names: Vec<OsString> = fs::read_dir(&here)
            .and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect())
            .map_err(failed)?;
        names.sort();
        self.ignored.enter(&here, path, self.findings)?;
        for name in names {
            let path = path.join(name);
            let metadata = match fs::symlink_metadata(self.root.join(&path)) {
                Ok(metadata) => metadata,
                // A temporary file of somebody's that is gone already.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(unreadable(&path, &error)),
            };
            if !self
                .ignored
                .covers(&self.root.join(&path), metadata.is_dir())
            {
                self.entry(path, &metadata)?;
            }
        }
        self.ignored.leave();
        Ok(())
    }

    fn entry(&mut self, path: PathBuf, metadata: &Metadata) -> Result<(), Error> {
        let kind = if metadata.is_symlink() {
            match self.end_of_link(&path) {
                Some(target) => Kind::Link { target },
                None => return Ok(()),
            }
        } else if metadata.is_dir() {
            if path.file_name().is_some_and(|name| name == ".git") {
                self.findings.advise(
                    rules::SOURCE_GIT_FOLDER,
                    place(&path),
                    "the history of the sources is packed with them",
                    "list .git/ in .amlignore or .gitignore",
                );
            }
            self.entries.push(Entry {
                path: path.clone(),
                kind: Kind::Folder,
            });
            return self.folder(&path);
        } else if metadata.is_file() {
            Kind::File(Stamp::of(metadata))
        } else {
            self.findings.advise(
                rules::SOURCE_SPECIAL_FILE,
                place(&path),
                "this is neither file nor folder nor link, and is left out",
                "list it in an ignore file",
            );
            return Ok(());
        };
        self.entries.push(Entry { path, kind });
        Ok(())
    }

    /// Where a link ends, if that is below the root.
    fn end_of_link(&mut self, path: &Path) -> Option<PathBuf> {
        let why = match fs::canonicalize(self.root.join(path)) {
            Err(error) => format!("the link leads nowhere and is left out: {error}"),
            Ok(end) => match end.strip_prefix(self.root) {
                Ok(inside) => return Some(inside.to_owned()),
                Err(_) => "the link leads out of the source directory and is left out".to_owned(),
            },
        };
        self.advise_link(path, why);
        None
    }

    /// Leaves out links to what an ignore file leaves out.
    fn drop_dead_links(&mut self) {
        let (kept, dead): (Vec<Entry>, Vec<Entry>) =
            self.entries
                .iter()
                .cloned()
                .partition(|entry| match &entry.kind {
                    Kind::Link { target } => {
                        target.as_os_str().is_empty() || find(&self.entries, target).is_some()
                    }
                    _ => true,
                });
        for entry in dead {
            let why = "the link leads to something that is not packed, and is left out";
            self.advise_link(&entry.path, why.to_owned());
        }
        self.entries = kept;
    }

    fn advise_link(&mut self, path: &Path, why: String) {
        self.findings.advise(
            rules::SOURCE_LINK,
            place(path),
            why,
            "put what it leads to into the source directory",
        );
    }
}

fn place(path: &Path) -> String {
    format!("source_directory/{}", path.display())
}

/// Entries are sorted: each folder by name, and a folder before what it holds.
fn find<'a>(entries: &'a [Entry], path: &Path) -> Option<&'a Kind> {
    let at = entries.binary_search_by(|entry| entry.path.as_path().cmp(path));
    Some(&entries[at.ok()?].kind)
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

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Option<(u64, u64)> {
    None
}

const WHAT: &str = "source directory";

#[cfg(test)]
mod tests;
