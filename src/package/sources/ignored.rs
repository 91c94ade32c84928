//! Which files the ignore files of a source directory leave out.

use crate::error::Error;
use crate::json::text_file;
use crate::rules::{self, Findings};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::path::Path;

/// The ignore files from the source directory down to the folder that is looked at.
///
/// In a folder with `.amlignore`, and in all folders below it, only files of that name count;
/// elsewhere `.gitignore` does. So an `.amlignore` at the top, even an empty one, switches every
/// `.gitignore` off.
#[derive(Default)]
pub(super) struct Ignored {
    levels: Vec<Level>,
}

struct Level {
    patterns: Gitignore,
    /// Whether `.amlignore` counts from here on.
    aml: bool,
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

    pub(super) fn leave(&mut self) {
        self.levels.pop();
    }

    /// Whether something in the folder that was entered last is left out. The nearest ignore file
    /// that says anything about it has the word.
    pub(super) fn covers(&self, path: &Path, is_folder: bool) -> bool {
        for level in self.levels.iter().rev() {
            match level.patterns.matched(path, is_folder) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
        }
        false
    }
}

fn parse(folder: &Path, text: &str, shown: &Path, findings: &mut Findings) -> Gitignore {
    let mut builder = GitignoreBuilder::new(folder);
    let mut advise = |at: Option<usize>, why: String| {
        let line = at.map_or_else(String::new, |at| format!(":{}", at + 1));
        findings.advise(
            rules::SOURCE_IGNORE_LINE,
            format!("source_directory/{}{line}", shown.display()),
            format!("this is no pattern and counts for nothing: {why}"),
            "correct the pattern",
        );
    };
    for (at, line) in text.lines().enumerate() {
        if let Err(error) = builder.add_line(None, line) {
            advise(Some(at), error.to_string());
        }
    }
    builder.build().unwrap_or_else(|error| {
        advise(None, error.to_string());
        Gitignore::empty()
    })
}

const AML_IGNORE: &str = ".amlignore";
const GIT_IGNORE: &str = ".gitignore";
