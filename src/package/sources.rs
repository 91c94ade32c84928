//! The files of a source directory that are packed: every folder is read before and after the packing.

mod ignored;

use crate::error::Error;
use crate::files::{self, Stamp};
use crate::rules::{self, Findings};
use ignored::Ignored;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The content of a source directory, as it was read.
#[derive(Debug)]
pub(super) struct Sources {
    /// The folder, as the file system calls it.
    pub(super) root: PathBuf,
    /// The last part of that, which the folder has in the archive too.
    pub(super) base: String,
    pub(super) entries: Entries,
    /// The files that the ignore files leave out.
    ignored: Ignored,
}

/// The files and folders that are packed, by their paths below the source directory: folders before their content.
pub(super) type Entries = BTreeMap<PathBuf, Kind>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File(Stamp),
    /// A link; `target` is a path below the source directory, where it ends in the end.
    Link {
        target: PathBuf,
    },
}

impl Sources {
    /// Looks at everything below `directory`. What is left out becomes a warning.
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
            return Err(refuse("this is not a folder".to_owned()));
        }
        let base = match root.file_name().map(|name| name.to_str()) {
            Some(Some(base)) => base.to_owned(),
            Some(None) => return Err(refuse("the name of the folder is not Unicode".to_owned())),
            None => return Err(refuse("this folder has no name".to_owned())),
        };
        let (mut entries, ignored) = read_tree(&root, findings)?;
        drop_dead_links(&mut entries, findings);
        ignored.report(findings);
        if !entries.values().any(|kind| matches!(kind, Kind::File(_))) {
            let why = "the folder holds no file, or ignore files and links leave out every one";
            return Err(refuse(why.to_owned()));
        }
        Ok(Self {
            root,
            base,
            entries,
            ignored,
        })
    }

    /// Looks again, and refuses if anything that is packed is not as it was.
    pub(super) fn check_unchanged(&self) -> Result<(), Error> {
        let again = Self::find(&self.root, &mut Findings::default())?;
        let differs = |one: &Entries, other: &Entries| {
            let mut entries = one.iter();
            let first = entries.find(|(path, kind)| other.get(*path) != Some(*kind));
            first.map(|(path, _)| path.clone())
        };
        let then = differs(&self.entries, &again.entries);
        match then
            .into_iter()
            .chain(differs(&again.entries, &self.entries))
            .min()
        {
            Some(path) => Err(changed(&path)),
            None => Ok(()),
        }
    }

    /// Returns the line of an ignore file that leaves out `path`, by itself or with a folder that it is in.
    pub(super) fn dropped_by(&self, path: &Path) -> Option<&Path> {
        path.ancestors().find_map(|part| self.ignored.line_of(part))
    }

    /// Returns the line of an ignore file that leaves out a module of this dotted name, if Python would have found it in
    /// one of these folders and finds no other there.
    pub(super) fn module_dropped_by(&self, module: &str, folders: &[&Path]) -> Option<&Path> {
        let name: PathBuf = module.split('.').collect();
        let places = folders.iter().flat_map(|folder| {
            let package = folder.join(&name);
            [package.with_extension("py"), package]
        });
        match places.clone().any(|place| self.packs(&place)) {
            true => None,
            false => places.into_iter().find_map(|place| self.dropped_by(&place)),
        }
    }

    /// Returns whether something at `path` is in the archive, by itself or behind a link.
    pub(super) fn packs(&self, path: &Path) -> bool {
        let mut part = PathBuf::new();
        for name in path {
            part.push(name);
            match self.entries.get(&part) {
                None => return false,
                // The end of a link was checked already.
                Some(Kind::Link { .. }) => return true,
                Some(_) => {}
            }
        }
        true
    }
}

/// Something is not what it was when the packing began.
pub(crate) fn changed(path: &Path) -> Error {
    let finding = rules::SOURCE_CHANGED.finding(
        "source_directory",
        Some(&path.display().to_string()),
        "this changed while the sources were packed",
        "stop what writes there, or list it in an ignore file, and deploy again",
    );
    Error::validation(WHAT, vec![finding])
}

/// Something that was found cannot be read, or is something else by now.
pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    use std::io::ErrorKind::{InvalidInput, IsADirectory, NotFound, UnexpectedEof};
    if let NotFound | IsADirectory | InvalidInput | UnexpectedEof = error.kind() {
        return changed(path);
    }
    let finding = rules::SOURCE_UNREADABLE.finding(
        "source_directory",
        Some(&path.display().to_string()),
        format!("this cannot be read: {error}"),
        "give the permission to read it, or list it in an ignore file",
    );
    Error::validation(WHAT, vec![finding])
}

/// Reads everything below the root except the files that ignore files leave out, and returns those too.
fn read_tree(root: &Path, findings: &mut Findings) -> Result<(Entries, Ignored), Error> {
    let mut entries = Entries::new();
    let mut ignored = Ignored::default();
    ignored.enter(root, Path::new(""), findings)?;
    let mut walk = files::walk(root, false);
    while let Some(found) = walk.next() {
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                let path = below(root, error.path().unwrap_or(root));
                return Err(unreadable(&path, &error.into()));
            }
        };
        let path = below(root, found.path());
        let (is_folder, is_link) = (found.file_type().is_dir(), found.path_is_symlink());
        if ignored.covers(found.depth(), found.path(), &path, is_folder) {
            if is_folder {
                walk.skip_current_dir();
            }
            continue;
        }
        let kind = if is_link {
            match end_of_link(root, found.path()) {
                Ok(target) => Kind::Link { target },
                Err(why) => {
                    advise_link(&path, why, findings);
                    continue;
                }
            }
        } else if is_folder {
            if found.file_name() == ".git" {
                findings.advise(
                    rules::SOURCE_GIT_FOLDER,
                    place(&path),
                    "the history of the sources is packed with them",
                    "list .git/ in .amlignore or .gitignore",
                );
            }
            ignored.enter(found.path(), &path, findings)?;
            Kind::Folder
        } else if found.file_type().is_file() {
            match found.metadata().map_err(std::io::Error::from) {
                Ok(metadata) => Kind::File(Stamp::of(&metadata)),
                // A temporary file of somebody's that is gone already.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(unreadable(&path, &error)),
            }
        } else {
            findings.advise(
                rules::SOURCE_SPECIAL_FILE,
                place(&path),
                "this is neither file nor folder nor link, and is left out",
                "list it in an ignore file",
            );
            continue;
        };
        entries.insert(path, kind);
    }
    Ok((entries, ignored))
}

fn below(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_owned()
}

/// Returns the path at which a link ends, if that is below the root, or the reason why not.
fn end_of_link(root: &Path, path: &Path) -> Result<PathBuf, String> {
    let end = fs::canonicalize(path)
        .map_err(|error| format!("the link leads nowhere and is left out: {error}"))?;
    match end.strip_prefix(root) {
        Ok(inside) => Ok(inside.to_owned()),
        Err(_) => Err("the link leads out of the source directory and is left out".to_owned()),
    }
}

/// Leaves out links to what an ignore file leaves out.
fn drop_dead_links(entries: &mut Entries, findings: &mut Findings) {
    let is_dead = |kind: &Kind| match kind {
        Kind::Link { target } => !target.as_os_str().is_empty() && !entries.contains_key(target),
        _ => false,
    };
    let dead: Vec<PathBuf> = entries
        .iter()
        .filter(|(_, kind)| is_dead(kind))
        .map(|(path, _)| path.clone())
        .collect();
    for path in dead {
        let why = "the link leads to something that is not packed, and is left out";
        advise_link(&path, why.to_owned(), findings);
        entries.remove(&path);
    }
}

fn advise_link(path: &Path, why: String, findings: &mut Findings) {
    findings.advise(
        rules::SOURCE_LINK,
        place(path),
        why,
        "put what it leads to into the source directory",
    );
}

fn place(path: &Path) -> String {
    format!("source_directory/{}", path.display())
}

const WHAT: &str = "source directory";

#[cfg(test)]
mod tests;
