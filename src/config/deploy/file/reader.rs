//! Typed reading of a JSON file that people write: every wrong type is noted with its path, and so
//! is every key that nobody asked for.

use crate::error::Violation;
use crate::rules::{self, Findings};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The path of the whole file.
const ROOT: &str = "$";

/// The limit keeps a mistaken path (a device, a model) from being read to its end.
const MAX_BYTES: u64 = 1024 * 1024;

/// One object of the file. Absent, `null` and wrongly typed objects have no members.
#[derive(Debug)]
pub(super) struct Section<'a> {
    path: String,
    members: Option<&'a Map<String, Value>>,
    asked: BTreeSet<&'static str>,
}

/// The text of a file.
pub(super) fn text(path: &Path) -> Result<String, Violation> {
    read(path).map_err(|error| {
        rules::DEPLOY_FILE_UNREADABLE.violation(
            ROOT,
            Some(&path.to_string_lossy()),
            format!("the file cannot be read: {error}"),
            "give the path of a JSON file that this program may read",
        )
    })
}

/// The value that a text holds.
pub(super) fn value(text: &str) -> Result<Value, Violation> {
    // Editors on Windows begin the file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|error| {
        rules::DEPLOY_FILE_SYNTAX.violation(
            ROOT,
            None,
            format!("the file is no JSON: {error}"),
            "correct it; comments and trailing commas are no JSON",
        )
    })
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))
}

impl<'a> Section<'a> {
    /// The file as a whole.
    pub(super) fn root(value: &'a Value, findings: &mut Findings) -> Self {
        if !value.is_object() {
            wrong(ROOT, "an object", value, findings);
        }
        Self {
            path: String::new(),
            members: value.as_object(),
            asked: BTreeSet::new(),
        }
    }

    /// The object `key`.
    pub(super) fn section(&mut self, key: &'static str, findings: &mut Findings) -> Self {
        let members = self.typed(key, "an object", findings, Value::as_object);
        Self {
            path: self.path_of(key),
            members,
            asked: BTreeSet::new(),
        }
    }

    /// The text `key`.
    pub(super) fn text(&mut self, key: &'static str, findings: &mut Findings) -> Option<&'a str> {
        self.typed(key, "text", findings, Value::as_str)
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str, findings: &mut Findings) -> Option<bool> {
        self.typed(key, "true or false", findings, Value::as_bool)
    }

    /// A number.
    pub(super) fn number(&mut self, key: &'static str, findings: &mut Findings) -> Option<f64> {
        self.typed(key, "a number", findings, Value::as_f64)
    }

    /// A whole number, zero or more; `2.0` is one.
    pub(super) fn count(&mut self, key: &'static str, findings: &mut Findings) -> Option<u32> {
        let expected = "a whole number from 0 to 2147483647";
        self.typed(key, expected, findings, |value| {
            let number = value.as_f64()?;
            let is_count = number.fract() == 0.0 && (0.0..=f64::from(i32::MAX)).contains(&number);
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a whole number between 0 and i32::MAX"
            )]
            is_count.then_some(number as u32)
        })
    }

    /// Whether the member is there and not `null`, whatever its type.
    pub(super) fn holds(&self, key: &str) -> bool {
        self.members
            .and_then(|members| members.get(key))
            .is_some_and(|value| !value.is_null())
    }

    /// The path of a member in the file.
    pub(super) fn path_of(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }

    /// The paths of the keys that nobody asked for.
    pub(super) fn unknown(&self) -> Vec<String> {
        self.members
            .into_iter()
            .flat_map(Map::keys)
            .filter(|key| !self.asked.contains(key.as_str()))
            .map(|key| self.path_of(key))
            .collect()
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        findings: &mut Findings,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        self.asked.insert(key);
        let value = self.members?.get(key).filter(|value| !value.is_null())?;
        let found = read(value);
        if found.is_none() {
            wrong(&self.path_of(key), expected, value, findings);
        }
        found
    }
}

/// Notes a wrong type. A text is not quoted: it may be a key.
fn wrong(path: &str, expected: &str, value: &Value, findings: &mut Findings) {
    let (kind, shown) = match value {
        Value::Null => ("null", None),
        Value::Bool(_) => ("true or false", Some(value.to_string())),
        Value::Number(_) if path.starts_with("keys.") => ("a number", None),
        Value::Number(_) => ("a number", Some(value.to_string())),
        Value::String(_) => ("text", None),
        Value::Array(_) => ("a list", None),
        Value::Object(_) => ("an object", None),
    };
    let message = match value {
        Value::Number(_) if expected.contains("number") => format!("this is not {expected}"),
        _ => format!("this is {kind}, not {expected}"),
    };
    findings.refuse(
        rules::DEPLOY_FILE_TYPE,
        path,
        shown.as_deref(),
        message,
        format!("write {expected}, or leave it out"),
    );
}
