//! A JSON object that is read key by key, so that every finding has its JSON path.

use crate::rules::{Findings, Refusal};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What was found so far in a file.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) findings: Findings,
    /// Keys that mean nothing. What that is worth depends on the file.
    pub(crate) unknown: Vec<UnknownKey>,
    /// The rule that a value of a wrong type breaks.
    wrong_type: Refusal,
}

/// A key that nobody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownKey {
    /// Its JSON path.
    pub(crate) place: String,
    /// The key that was meant, where one differs in case only.
    pub(crate) meant: Option<&'static str>,
}

/// One object of the file. A key that is `null` counts as absent.
#[derive(Debug)]
pub(crate) struct Object {
    members: Map<String, Value>,
    path: String,
    asked: BTreeSet<&'static str>,
}

impl Object {
    pub(crate) fn new(members: Map<String, Value>, path: impl Into<String>) -> Self {
        Self {
            members,
            path: path.into(),
            asked: BTreeSet::new(),
        }
    }

    /// The JSON path of a member.
    pub(crate) fn place(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// Whether a member has a value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.members.get(key).is_some_and(|value| !value.is_null())
    }

    /// The keys that have a value.
    pub(crate) fn keys(&self) -> Vec<&str> {
        let members = self.members.iter().filter(|(_, value)| !value.is_null());
        members.map(|(key, _)| key.as_str()).collect()
    }

    pub(crate) fn text(&mut self, key: &'static str, reading: &mut Reading) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text),
            other => reading.refuse(self.place(key), &other, "a text"),
        }
    }

    pub(crate) fn flag(&mut self, key: &'static str, reading: &mut Reading) -> Option<bool> {
        match self.take(key)? {
            Value::Bool(flag) => Some(flag),
            other => reading.refuse(self.place(key), &other, "true or false"),
        }
    }

    pub(crate) fn number(&mut self, key: &'static str, reading: &mut Reading) -> Option<f64> {
        self.typed(key, "a number", reading, Value::as_f64)
    }

    /// A whole number, zero or more; `2.0` is one.
    pub(crate) fn count(&mut self, key: &'static str, reading: &mut Reading) -> Option<u32> {
        let expected = "a whole number from 0 to 2147483647";
        self.typed(key, expected, reading, |value| {
            let number = value.as_f64()?;
            let is_count = number.fract() == 0.0 && (0.0..=f64::from(i32::MAX)).contains(&number);
            is_count.then_some(number as u32)
        })
    }

    /// An object, without members where there is none.
    pub(crate) fn section(&mut self, key: &'static str, reading: &mut Reading) -> Self {
        let section = self.object(key, reading);
        section.unwrap_or_else(|| Self::new(Map::new(), self.place(key)))
    }

    pub(crate) fn object(&mut self, key: &'static str, reading: &mut Reading) -> Option<Self> {
        match self.take(key)? {
            Value::Object(members) => Some(Self::new(members, self.place(key))),
            other => reading.refuse(self.place(key), &other, "an object"),
        }
    }

    pub(crate) fn list(&mut self, key: &'static str, reading: &mut Reading) -> Option<Vec<Value>> {
        match self.take(key)? {
            Value::Array(entries) => Some(entries),
            other => reading.refuse(self.place(key), &other, "a list"),
        }
    }

    pub(crate) fn texts(
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

    pub(crate) fn text_map(
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
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Value> {
        self.asked.insert(key);
        // A copy: files are small, and what was there may be asked for again.
        self.members
            .get(key)
            .cloned()
            .filter(|value| !value.is_null())
    }

    /// Notes every key that has a value and that nobody asked for.
    pub(crate) fn finish(self, reading: &mut Reading) {
        let unknown = self.keys().into_iter();
        for key in unknown.filter(|key| !self.asked.contains(key)) {
            let mut asked = self.asked.iter();
            let meant = asked.find(|asked| asked.eq_ignore_ascii_case(key));
            reading.unknown.push(UnknownKey {
                place: self.place(key),
                meant: meant.copied(),
            });
        }
    }

    fn typed<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        reading: &mut Reading,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.take(key)?;
        let found = read(&value);
        if found.is_none() {
            reading.refuse::<T>(self.place(key), &value, expected);
        }
        found
    }
}

impl Reading {
    pub(crate) fn new(wrong_type: Refusal) -> Self {
        Self {
            findings: Findings::default(),
            unknown: Vec::new(),
            wrong_type,
        }
    }

    /// Notes a value of a wrong type. The value is not shown: it may be a password.
    pub(crate) fn refuse<T>(&mut self, place: String, found: &Value, expected: &str) -> Option<T> {
        self.findings.refuse(
            self.wrong_type,
            place,
            None,
            format!("{} stands where {expected} is expected", kind(found)),
            format!("give {expected}, or leave the key out"),
        );
        None
    }
}

/// What a value is, in words.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
