//! The files of the command line, read member by member: each finding has its path in the file.

use super::{text_file, yaml};
use crate::error::{Error, Finding, Severity};
use crate::rules::{Advice, Findings, Refusal};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, IgnoredAny, Unexpected};
use serde_json::{Map, Value};
use std::fmt;
use std::path::{Path, PathBuf};

/// A kind of file: the rules that it can break by its form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) what: &'static str,
    pub(crate) unreadable: Refusal,
    pub(crate) syntax: Refusal,
    pub(crate) wrong_type: Refusal,
    pub(crate) unknown_key: Advice,
}

/// The members of a file that are not taken yet, and the findings in the others.
///
/// A member is named by its path, `autoScaler.minReplicas`. One that is `null` counts as absent.
pub(crate) struct Members {
    kind: Kind,
    left: Value,
    /// The folders in which the paths of the file are looked for.
    pub(crate) folders: Vec<PathBuf>,
    reading: Reading,
}

/// The findings from the reading of a file. A builder keeps them until it is checked.
#[derive(Clone, Default)]
pub(crate) struct Reading {
    file: Option<String>,
    findings: Vec<Finding>,
    unknown: Vec<Finding>,
    /// The paths that were asked for, with the names of the settings in code; these may be empty.
    asked: Vec<(String, &'static str)>,
}

/// Names the kind of a value that is not an object.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "a list",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        _ => "a text",
    }
}

impl Members {
    /// Reads a file. Its paths are looked for beside it, then in the working directory.
    pub(crate) fn of_file(kind: Kind, path: &Path) -> Result<Self, Error> {
        let shown = path.display().to_string();
        let folders = vec![path.parent().unwrap_or(path).to_owned(), PathBuf::new()];
        let read = text_file::read(path).map_err(|why| {
            let remedy = "give the path of a YAML or JSON file that this program may read";
            let found = kind.unreadable.finding("$", Some(&shown), why, remedy);
            Error::validation(kind.what, vec![found])
        });
        let read = read.and_then(|text| Self::of_text(kind, &text, folders));
        let mut members = read.map_err(|error| error.with_context(|| format!("read {shown}")))?;
        members.reading.file = Some(shown);
        Ok(members)
    }

    /// Reads a text. Its paths are looked for in these folders.
    pub(crate) fn of_text(kind: Kind, text: &str, folders: Vec<PathBuf>) -> Result<Self, Error> {
        let why = match yaml::parse(text) {
            Ok(left) if left.is_object() => {
                return Ok(Self {
                    kind,
                    left,
                    folders,
                    reading: Reading::default(),
                });
            }
            Ok(Value::Null) => "the file is empty, and an object is expected".to_owned(),
            Ok(other) => format!("an object is expected, and {} was found", kind_of(&other)),
            Err(why) => why,
        };
        let remedy = "write an object with the members that are documented, each of them once";
        let found = kind.syntax.finding("$", None, why, remedy);
        Err(Error::validation(kind.what, vec![found]))
    }

    /// Returns a member that has a value, without taking it. An empty text counts as absent.
    pub(crate) fn get(&self, path: &str) -> Option<&Value> {
        let mut keys = path.split('.');
        let found = keys.try_fold(&self.left, |node, key| node.get(key));
        found.filter(|value| !is_absent(value))
    }

    /// Takes a member; `None` where it is absent, or of another type, which is noted. `code` is what checks call
    /// the setting.
    pub(crate) fn take<T: DeserializeOwned>(
        &mut self,
        path: &str,
        code: &'static str,
    ) -> Option<T> {
        self.calls(path, code);
        let mut node = &mut self.left;
        for (at, key) in path.split('.').enumerate() {
            if !node.is_object() {
                *node = Value::Null;
                let above: Vec<_> = path.split('.').take(at).collect();
                return self.refuse_type(above.join("."), "an object");
            }
            node = node.get_mut(key).filter(|value| !value.is_null())?;
        }
        let value = std::mem::take(node);
        let error = match serde_path_to_error::deserialize(value) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        let place = match error.path().to_string() {
            whole if whole == "." => path.to_owned(),
            entry if entry.starts_with('[') => format!("{path}{entry}"),
            member => format!("{path}.{member}"),
        };
        // What comes before quotes the value, which may be secret.
        let text = error.inner().to_string();
        let expected = match text.rsplit_once(", expected ") {
            Some((_, "f64")) => "a number",
            Some((_, "a sequence")) => "a list",
            Some((_, expected)) if expected == "a map" || expected.starts_with("struct ") => {
                "an object"
            }
            Some((_, expected)) => expected,
            None => "a value of the documented type",
        };
        self.refuse_type(place, expected)
    }

    fn refuse_type<T>(&mut self, place: String, expected: &str) -> Option<T> {
        let message = format!("this is not {expected}");
        let remedy = format!("give {expected}, or leave it out");
        self.note([(self.kind.wrong_type).finding(place, None, message, remedy)]);
        None
    }

    /// Takes a text. Numbers and booleans are read as texts, and an empty one counts as absent.
    pub(crate) fn text(&mut self, path: &str, code: &'static str) -> Option<String> {
        let Text(text) = self.take(path, code)?;
        (!text.is_empty()).then_some(text)
    }

    /// Takes a whole number, zero or more; `2.0` is one.
    pub(crate) fn count(&mut self, path: &str, code: &'static str) -> Option<u32> {
        self.take(path, code).map(|Count(count)| count)
    }

    /// Takes members that are known, and of no effect here.
    pub(crate) fn skip(&mut self, paths: &[&str]) {
        for path in paths {
            let _: Option<IgnoredAny> = self.take(path, "");
        }
    }

    /// Looks for the file or folder that the member at `key` names. Notes where it was looked for in vain;
    /// without a folder to search it notes nothing.
    pub(crate) fn find(&mut self, rule: Refusal, key: &str, path: &str) -> Option<PathBuf> {
        let folders = self.folders.iter();
        let mut places: Vec<_> = folders.map(|folder| folder.join(path)).collect();
        places.dedup();
        let found = places.iter().find(|place| place.exists());
        if found.is_none() && !places.is_empty() {
            let places = places.iter().map(|place| format!("`{}`", place.display()));
            let places = places.collect::<Vec<_>>().join(" and ");
            let message = format!("it does not exist; looked for {places}");
            let remedy = "correct the path, or create it";
            self.note([rule.finding(key, Some(path), message, remedy)]);
        }
        found.cloned()
    }

    /// Notes what checks call the setting at `path`.
    pub(crate) fn calls(&mut self, path: &str, code: &'static str) {
        self.reading.asked.push((path.to_owned(), code));
    }

    /// Gives what another reader made, or takes over why it made nothing.
    pub(crate) fn accept<T>(
        &mut self,
        made: Result<T, impl IntoIterator<Item = Finding>>,
    ) -> Option<T> {
        made.map_err(|found| self.note(found)).ok()
    }

    /// Takes over what a check found, under the names of the file.
    pub(crate) fn note(&mut self, found: impl IntoIterator<Item = Finding>) {
        for finding in found {
            let respelled = self.reading.respelled(finding);
            self.reading.findings.push(respelled);
        }
    }

    /// Ends the reading: what is left is unknown.
    pub(crate) fn finish(mut self) -> Reading {
        if let Value::Object(left) = std::mem::take(&mut self.left) {
            self.note_unknown(&left, "");
        }
        self.reading
    }

    /// Notes every key below `parent` that has a value. `parent` is empty or ends with a dot.
    fn note_unknown(&mut self, left: &Map<String, Value>, parent: &str) {
        for (key, value) in left.iter().filter(|(_, value)| !is_absent(value)) {
            let known = self.reading.asked.iter();
            let known = known.filter_map(|(path, _)| path.strip_prefix(parent)?.split('.').next());
            let near = known.map(|known| (distance(key, known), known)).min();
            let remedy = match (near, value) {
                (Some((_, known)), Value::Object(inner)) if known == key => {
                    self.note_unknown(inner, &format!("{parent}{key}."));
                    continue;
                }
                (Some((far, known)), _) if 3 * far < key.len() => {
                    format!("did you mean `{known}`?")
                }
                _ => "correct its spelling, or leave it out".to_owned(),
            };
            let message = "nothing reads this key of the file";
            let (rule, path) = (self.kind.unknown_key, format!("{parent}{key}"));
            self.reading
                .unknown
                .push(rule.finding(path, message, remedy));
        }
    }
}

impl Reading {
    /// Returns the finding with its path in the file, if the file has the setting.
    fn respelled(&self, mut finding: Finding) -> Finding {
        let named = self.asked.iter().filter_map(|(path, code)| {
            let rest = finding.path.strip_prefix(code)?;
            let whole = rest.is_empty() || rest.starts_with(['.', '[']);
            (whole && !code.is_empty()).then_some((code.len(), path, rest))
        });
        if let Some((_, path, rest)) = named.max() {
            finding.path = format!("{path}{rest}");
        }
        finding
    }

    /// Gives what was made of the settings with all warnings, or everything that is wrong: with the file, with the
    /// settings by what `checked` found, and the unknown keys. These are refused if there is a rule `strict`.
    pub(crate) fn finish<T>(
        &self,
        made: Option<T>,
        checked: Findings,
        strict: Option<Refusal>,
        what: &'static str,
    ) -> Result<(T, Vec<Finding>), Error> {
        let refuses = |finding: &Finding| finding.severity == Severity::Error;
        let mut all = self.findings.clone();
        for finding in checked.into_vec() {
            let finding = self.respelled(finding);
            let mut refused = self.findings.iter().filter(|read| refuses(read));
            // A value that could not be read is not missing too.
            if !refused.any(|read| read.path == finding.path) {
                all.push(finding);
            }
        }
        let unknown = self.unknown.iter().cloned();
        let unknown = unknown.map(|key| strict.map_or(key.clone(), |rule| rule.in_place_of(key)));
        let mut unknown: Vec<_> = unknown.collect();
        if let Some(made) = made
            && !all.iter().chain(&unknown).any(refuses)
        {
            all.append(&mut unknown);
            return Ok((made, all));
        }
        all.retain(refuses);
        // A misspelt key may be the reason for the rest.
        all.append(&mut unknown);
        let error = Error::validation(what, all);
        Err(match &self.file {
            Some(file) => error.with_context(|| format!("read {file}")),
            None => error,
        })
    }
}

/// Without findings, what a file says is equal to what code says.
impl PartialEq for Reading {
    fn eq(&self, other: &Self) -> bool {
        (&self.findings, &self.unknown) == (&other.findings, &other.unknown)
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(&self.findings)
            .entries(&self.unknown)
            .finish()
    }
}

fn is_absent(value: &Value) -> bool {
    value.is_null() || value == ""
}

/// In how many letters two keys differ, however they are written.
fn distance(key: &str, other: &str) -> usize {
    let letters = |key: &str| key.replace(['_', '-'], "").to_ascii_lowercase();
    strsim::osa_distance(&letters(key), &letters(other))
}

/// A text, or a scalar in its place, as the service reads it.
#[derive(Default)]
pub(crate) struct Text(pub(crate) String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            scalar @ (Value::Bool(_) | Value::Number(_)) => Ok(Self(scalar.to_string())),
            _ => Err(D::Error::invalid_type(Unexpected::Other("it"), &"a text")),
        }
    }
}

struct Count(u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = Value::deserialize(deserializer)?.as_f64();
        match number.filter(|number| number.fract() == 0.0) {
            Some(number @ 0.0..=2_147_483_647.0) => Ok(Self(number as u32)),
            _ => {
                let expected = &"a whole number from 0 to 2147483647";
                Err(D::Error::invalid_type(Unexpected::Other("it"), expected))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    const KIND: Kind = Kind {
        what: "file",
        unreadable: rules::DEPLOY_FILE_UNREADABLE,
        syntax: rules::DEPLOY_FILE_SYNTAX,
        wrong_type: rules::DEPLOY_FILE_TYPE,
        unknown_key: rules::DEPLOY_FILE_UNKNOWN_KEY,
    };

    fn members(text: &str) -> Members {
        Members::of_text(KIND, text, Vec::new()).unwrap()
    }

    #[test]
    fn misspelt_key_is_distinguished_from_a_key_of_its_own() {
        let text =
            "{RESOURCES: 1, resources: {gpu: 1, cpus: 1, CPU: 1, memory_in_gb: 1, x: '', y: }}";
        let mut file = members(text);
        for path in ["resources.cpu", "resources.memoryInGB"] {
            file.skip(&[path]);
        }
        let reading = file.finish();
        let found = reading.unknown.iter();
        let found: Vec<_> = found
            .map(|it| (it.path.as_str(), it.remedy.as_str()))
            .collect();
        let other = "correct its spelling, or leave it out";
        assert_eq!(
            found,
            [
                ("RESOURCES", "did you mean `resources`?"),
                ("resources.CPU", "did you mean `cpu`?"),
                ("resources.cpus", "did you mean `cpu`?"),
                ("resources.gpu", other),
                ("resources.memory_in_gb", "did you mean `memoryInGB`?"),
            ]
        );
    }

    #[test]
    fn finding_gets_the_path_of_the_longest_name_in_code() {
        let mut file = members("{}");
        for (path, code) in [
            ("numReplicas", "replicas"),
            ("auto.min", "replicas.min"),
            ("x", ""),
        ] {
            file.calls(path, code);
        }
        let reading = file.finish();
        for (code, expected) in [
            ("replicas", "numReplicas"),
            ("replicas.min", "auto.min"),
            ("replicas.max", "numReplicas.max"),
            ("replicas[0]", "numReplicas[0]"),
            ("replicas_limit", "replicas_limit"),
        ] {
            let finding = rules::DEPLOY_COUNT_ZERO.finding(code, None, "", "");
            assert_eq!(reading.respelled(finding).path, expected);
        }
    }

    #[test]
    fn section_of_another_type_is_noted_once() {
        let mut file = members("{a: {b: [1]}}");
        assert_eq!(file.count("a.b.c", ""), None);
        assert_eq!(file.text("a.b.d", ""), None);
        let reading = file.finish();
        let found: Vec<_> = reading
            .findings
            .iter()
            .map(|it| (&*it.path, &*it.message))
            .collect();
        assert_eq!(found, [("a.b", "this is not an object")]);
        assert_eq!(reading.unknown, []);
    }
}
