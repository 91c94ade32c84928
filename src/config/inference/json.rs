//! A JSON object that is read key by key, so that every finding has its JSON path.

use crate::rules::{self, Findings};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What was found so far, and how strict to be.
pub(super) struct Reading {
    pub(super) findings: Findings,
    pub(super) strict: bool,
}

/// One object of the file. A key that is `null` counts as absent.
pub(super) struct Object {
    members: Map<String, Value>,
    path: String,
    asked: BTreeSet<&'static str>,
}

impl Object {
    pub(super) fn new(members: Map<String, Value>, path: impl Into<String>) -> Self {
        Self {
            members,
            path: path.into(),
            asked: BTreeSet::new(),
        }
    }

    /// The JSON path of a member.
    pub(super) fn place(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// Whether a member has a value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.members.get(key).is_some_and(|value| !value.is_null())
    }

    /// The keys that have a value.
    pub(super) fn keys(&self) -> Vec<&str> {
        let members = self.members.iter().filter(|(_, value)| !value.is_null());
        members.map(|(key, _)| key.as_str()).collect()
    }

    pub(super) fn text(&mut self, key: &'static str, reading: &mut Reading) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text),
            other => reading.refuse(self.place(key), &other, "a text"),
        }
    }

    pub(super) fn flag(&mut self, key: &'static str, reading: &mut Reading) -> Option<bool> {
        match self.take(key)? {
            Value::Bool(flag) => Some(flag),
            other => reading.refuse(self.place(key), &other, "true or false"),
        }
    }

    pub(super) fn object(&mut self, key: &'static str, reading: &mut Reading) -> Option<Self> {
        match self.take(key)? {
            Value::Object(members) => Some(Self::new(members, self.place(key))),
            other => reading.refuse(self.place(key), &other, "an object"),
        }
    }

    pub(super) fn list(&mut self, key: &'static str, reading: &mut Reading) -> Option<Vec<Value>> {
        match self.take(key)? {
            Value::Array(entries) => Some(entries),
            other => reading.refuse(self.place(key), &other, "a list"),
        }
    }

    pub(super) fn texts(
        &mut self,
        key: &'static str,
        reading: &mut Reading,
    ) -> Option<Vec<String>> {
        let entries = self.list(key, reading)?;
        let mut texts = Vec::new();
        for (at, entry) in entries.into_iter().enumerate() {
            match entry {
                Value::String(text) => texts.push(text),
                other => {
                    reading.refuse::<()>(format!("{}[{at}]", self.place(key)), &other, "a text");
                }
            }
        }
        Some(texts)
    }

    pub(super) fn text_map(
        &mut self,
        key: &'static str,
        reading: &mut Reading,
    ) -> Option<BTreeMap<String, String>> {
        let inner = self.object(key, reading)?;
        let mut texts = BTreeMap::new();
        for (name, value) in inner.members {
            match value {
                Value::String(text) => {
                    texts.insert(name, text);
                }
                Value::Null => {}
                other => {
                    reading.refuse::<()>(format!("{}.{name}", inner.path), &other, "a text");
                }
            }
        }
        Some(texts)
    }

    /// A member of any type.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Value> {
        self.asked.insert(key);
        self.members.remove(key).filter(|value| !value.is_null())
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(self, reading: &mut Reading) {
        for key in self.keys() {
            let like = self
                .asked
                .iter()
                .find(|asked| asked.eq_ignore_ascii_case(key));
            let remedy = match like {
                Some(like) => format!("write {like}"),
                None => "correct the key, or leave it out".to_owned(),
            };
            let message = "this key is not known and means nothing";
            if reading.strict {
                let rule = rules::INFERENCE_FILE_STRICT;
                let findings = &mut reading.findings;
                findings.refuse(rule, self.place(key), None, message, remedy);
            } else {
                let rule = rules::INFERENCE_FILE_UNKNOWN_KEY;
                reading
                    .findings
                    .advise(rule, self.place(key), message, remedy);
            }
        }
    }
}

impl Reading {
    /// Notes a value of a wrong type. The value is not shown: it may be a password.
    pub(super) fn refuse<T>(&mut self, place: String, found: &Value, expected: &str) -> Option<T> {
        self.findings.refuse(
            rules::INFERENCE_FILE_TYPE,
            place,
            None,
            format!("{} stands where {expected} is expected", kind(found)),
            format!("give {expected}, or leave the key out"),
        );
        None
    }
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
