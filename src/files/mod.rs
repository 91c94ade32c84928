//! Files of this machine, as models and packages are made of them: going through a folder, opening what
//! may be opened, reading it as long as someone waits, and telling whether it is still as it was.

mod content;
mod stamp;
mod work;

pub(crate) use content::{Content, Fingerprint};
pub(crate) use stamp::{Stamp, open};
pub(crate) use work::{Wanted, blocking};

use std::path::Path;
use walkdir::WalkDir;

/// Goes through what is below a folder, by name, and each folder before what it holds.
pub(crate) fn walk(root: &Path, follow_links: bool) -> walkdir::IntoIter {
    WalkDir::new(root)
        .min_depth(1)
        .follow_links(follow_links)
        .sort_by_file_name()
        .into_iter()
}

/// Returns the parts of a path with slashes in between, on every system. `None` where a name is not Unicode.
pub(crate) fn slashed(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path
        .components()
        .map(|part| part.as_os_str().to_str())
        .collect();
    Some(parts?.join("/"))
}
