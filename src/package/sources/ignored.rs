//! The files that the ignore files of a source directory leave out.

use crate::error::Error;
use crate::json::text_file;
use crate::rules::{self, Findings};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The ignore files from the source directory down to the folder that is read, and the files that they left out.
///
/// In a folder with `.amlignore`, and in all folders below it, only files of that name count;
/// elsewhere `.gitignore` does. So an `.amlignore` at the top, even an empty one, switches every
/// `.gitignore` off.
#[derive(Debug, Default)]
pub(super) struct Ignored {
    levels: Vec<Level>,
    /// By file and line.
    dropped: BTreeMap<PathBuf, Dropped>,
}

#[derive(Debug)]
struct Level {
    patterns: Gitignore,
    /// `true` if `.amlignore` counts from here on.
    aml: bool,
}

#[derive(Debug)]
struct Dropped {
    pattern: String,
    paths: Vec<PathBuf>,
}

impl Ignored {
    /// Reads the ignore file of a folder, if it has one.
    pub(super) fn enter(
        &mut self,
        folder: &Path,
        shown: &Path,
        findings: &mut Findings,
    ) -> Result<(), Error> {
        let aml =
            self.levels.last().is_some_and(|level| level.aml) || folder.join(AML_IGNORE).is_file();
        let name = if aml { AML_IGNORE } else { GIT_IGNORE };
        let file = folder.join(name);
        let patterns = if file.is_file() {
            let text = text_file::read(&file)
                .map_err(|why| super::unreadable(&shown.join(name), &std::io::Error::other(why)))?;
            parse(folder, &text, &shown.join(name), findings)
        } else {
            Gitignore::empty()
        };
        self.levels.push(Level { patterns, aml });
        Ok(())
    }

    /// Returns whether something is left out. The nearest ignore file with a matching line decides.
    ///
    /// # Arguments
    ///
    /// * `depth` - how many folders it is in, and that were entered: folders before what they hold.
    /// * `shown` - its path below the source directory.
    pub(super) fn covers(
        &mut self,
        depth: usize,
        path: &Path,
        shown: &Path,
        is_folder: bool,
    ) -> bool {
        self.levels.truncate(depth);
        for level in self.levels.iter().rev() {
            match level.patterns.matched(path, is_folder) {
                Match::Ignore(glob) => {
                    let line = glob.from().unwrap_or(Path::new("")).to_owned();
                    let dropped = self.dropped.entry(line).or_insert_with(|| Dropped {
                        pattern: glob.original().to_owned(),
                        paths: Vec::new(),
                    });
                    dropped.paths.push(shown.to_owned());
                    return true;
                }
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        false
    }

    /// Returns the line that left out this very path.
    pub(super) fn line_of(&self, path: &Path) -> Option<&Path> {
        let mut lines = self.dropped.iter();
        let (line, _) = lines.find(|(_, dropped)| dropped.paths.iter().any(|own| own == path))?;
        Some(line)
    }

    /// Says what is left out, and by which lines.
    pub(super) fn report(&self, findings: &mut Findings) {
        for (line, Dropped { pattern, paths }) in &self.dropped {
            let first = paths
                .iter()
                .take(FIRST)
                .map(|path| path.display().to_string());
            let names = first.collect::<Vec<_>>().join(", ");
            let more = match paths.len() {
                0..=FIRST => "",
                _ => ", …",
            };
            findings.advise(
                rules::SOURCE_IGNORED,
                super::place(line),
                format!("{pattern:?} leaves out {}: {names}{more}", paths.len()),
                "correct the line if the service needs any of them",
            );
        }
    }
}

fn parse(folder: &Path, text: &str, shown: &Path, findings: &mut Findings) -> Gitignore {
    let mut builder = GitignoreBuilder::new(folder);
    let mut advise = |place: &Path, why: String| {
        findings.advise(
            rules::SOURCE_IGNORE_LINE,
            super::place(place),
            format!("this is not a valid pattern and has no effect: {why}"),
            "correct the pattern",
        );
    };
    for (at, line) in (1..).zip(text.lines()) {
        let place = PathBuf::from(format!("{}:{at}", shown.display()));
        if let Err(error) = builder.add_line(Some(place.clone()), line) {
            advise(&place, error.to_string());
        }
    }
    builder.build().unwrap_or_else(|error| {
        advise(shown, error.to_string());
        Gitignore::empty()
    })
}

/// The number of names that are reported for each line that leaves them out.
const FIRST: usize = 3;
const AML_IGNORE: &str = ".amlignore";
const GIT_IGNORE: &str = ".gitignore";
