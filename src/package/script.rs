//! The path of an entry script: the checks that need no file.

use crate::rules::{self, Findings};
use std::path::{Component, Path, PathBuf};

/// The path of the entry script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Script {
    /// A file by itself.
    Alone { path: PathBuf, name: String },
    /// A file in the source directory, by its path below it.
    Inside { directory: PathBuf, path: PathBuf },
}

impl Script {
    /// Checks the two paths; `None` where something was refused.
    pub(crate) fn parse(
        script: Option<&Path>,
        directory: Option<&Path>,
        findings: &mut Findings,
    ) -> Option<Self> {
        let directory = directory.and_then(|directory| {
            if directory.as_os_str().is_empty() {
                findings.refuse(
                    rules::SOURCE_DIRECTORY,
                    "source_directory",
                    None,
                    "the path is empty",
                    "give the folder of the sources, `.` for this one, or leave it out",
                );
                return None;
            }
            Some(directory)
        });
        let Some(script) = script.filter(|script| !script.as_os_str().is_empty()) else {
            findings.refuse(
                rules::ENTRY_SCRIPT_MISSING,
                "entry_script",
                None,
                "no entry script is named",
                "name the Python file with the functions init and run",
            );
            return None;
        };
        let shown = script.display().to_string();
        let name = script.file_name().and_then(|name| name.to_str());
        if !name.is_some_and(is_module) {
            findings.refuse(
                rules::ENTRY_SCRIPT_NAME,
                "entry_script",
                Some(&shown),
                "the entry script cannot be loaded as a Python module",
                "call it score.py, for example: letters, digits and _, and the ending .py",
            );
        }
        let Some(directory) = directory else {
            return Some(Self::Alone {
                path: script.to_owned(),
                name: name?.to_owned(),
            });
        };
        let Some(inside) = below(script) else {
            findings.refuse(
                rules::ENTRY_SCRIPT_OUTSIDE,
                "entry_script",
                Some(&shown),
                "the path of the entry script leads out of the source directory",
                "give its path relative to the source directory",
            );
            return None;
        };
        if inside.to_str().is_none() {
            findings.refuse(
                rules::ENTRY_SCRIPT_NAME,
                "entry_script",
                Some(&shown),
                "the path of the entry script is not Unicode",
                "rename its folders in UTF-8",
            );
            return None;
        }
        Some(Self::Inside {
            directory: directory.to_owned(),
            path: inside,
        })
    }
}

/// Returns the path without `.` and `..`, or `None` where it leaves the folder that it starts in.
fn below(path: &Path) -> Option<PathBuf> {
    let mut inside = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => inside.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !inside.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!inside.as_os_str().is_empty()).then_some(inside)
}

/// Returns whether Python can import a file of this name.
fn is_module(name: &str) -> bool {
    name.strip_suffix(".py").is_some_and(is_identifier)
}

/// Returns whether this is an identifier of Python.
pub(super) fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|c| c.is_alphanumeric() || c == '_')
        && !KEYWORDS.contains(&text)
}

/// The words that Python keeps for itself (Python 3 language reference, "Keywords").
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(script: &str, directory: Option<&str>) -> Result<Script, Vec<&'static str>> {
        let mut findings = Findings::default();
        let script = Script::parse(
            Some(Path::new(script)),
            directory.map(Path::new),
            &mut findings,
        );
        let found = findings.into_refusals();
        if found.is_empty() {
            Ok(script.unwrap())
        } else {
            Err(found.iter().map(|finding| finding.rule).collect())
        }
    }

    #[test]
    fn script_by_itself_may_be_anywhere() {
        for path in [
            "score.py",
            "./a/score.py",
            "../score.py",
            "/home/me/score.py",
        ] {
            assert_eq!(
                parse(path, None),
                Ok(Script::Alone {
                    path: path.into(),
                    name: "score.py".into()
                })
            );
        }
    }

    #[test]
    fn script_of_a_source_directory_lies_inside() {
        for (path, inside) in [
            ("score.py", "score.py"),
            ("./a/./score.py", "a/score.py"),
            ("a/../score.py", "score.py"),
        ] {
            assert_eq!(
                parse(path, Some("src")),
                Ok(Script::Inside {
                    directory: "src".into(),
                    path: inside.into()
                })
            );
        }
        for path in ["../score.py", "a/../../score.py", "/src/score.py"] {
            assert_eq!(
                parse(path, Some("src")),
                Err(vec!["entry_script.outside"]),
                "{path}"
            );
        }
    }

    #[test]
    fn script_has_the_name_of_a_module() {
        for name in ["s.py", "_a1.py", "größe.py", "match.py"] {
            assert!(parse(name, None).is_ok(), "{name}");
        }
        for name in [
            "score",
            "score.txt",
            ".py",
            "1a.py",
            "my-score.py",
            "my score.py",
            "a.b.py",
            "class.py",
            "score.PY",
            "..",
            "a/",
        ] {
            assert_eq!(parse(name, None), Err(vec!["entry_script.name"]), "{name}");
        }
    }

    #[test]
    fn missing_scripts_and_folders_are_reported_together() {
        assert_eq!(
            parse("", Some("")),
            Err(vec!["source_directory.folder", "entry_script.missing"])
        );
        assert_eq!(
            parse("../my-score.py", Some("src")),
            Err(vec!["entry_script.name", "entry_script.outside"])
        );
    }
}
