//! The text of a resource, as the service wrote it.

use crate::error::Hidden;
use crate::facts::secrets::{ENVIRONMENT_VARIABLES, SECRET_MEMBERS, is_secret};
use memchr::{memchr, memchr_iter, memchr2, memchr2_iter};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The deepest nesting of a document: that which `serde_json` reads in a [`Value`].
const MAX_DEPTH: usize = 127;

/// The JSON text of a resource, without the members that are secret.
///
/// Only [`read`](Self::read) makes one, so the text is well formed, its depth is bounded, and it holds no
/// secret member: writing it cannot fail.
#[derive(Clone, Default)]
pub(crate) struct Document(Option<Arc<str>>);

impl Document {
    /// Keeps a text that was found to be one JSON value, without its secret members.
    pub(crate) fn read(text: &str) -> serde_json::Result<Self> {
        let clean = match needs_a_walk(text) {
            true => without_secrets(text)?,
            false => None,
        };
        Ok(Self(Some(clean.as_deref().unwrap_or(text).into())))
    }

    /// Returns the document of a resource that the service has not described yet.
    pub(crate) fn made_here(value: &Value) -> Self {
        Self(Some(value.to_string().into()))
    }

    pub(crate) fn text(&self) -> &str {
        self.0.as_deref().unwrap_or("{}")
    }

    /// Returns the text without these secrets in errors and variables; `None` if it shows none of
    /// them there.
    ///
    /// Elsewhere a value that is secret in one request may be an ordinary word, such as that of a tag.
    pub(crate) fn hiding(&self, hidden: &Hidden) -> Option<String> {
        if let Cow::Borrowed(_) = hidden.text(self.text()) {
            return None;
        }
        let mut document = self.to_value();
        hide_in_errors(&mut document, false, hidden).then(|| document.to_string())
    }

    pub(crate) fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Returns the range of a part of the text; `None` if it lies outside the text.
    pub(crate) fn range_of(text: &str, part: &str) -> Option<Range<usize>> {
        let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
        let range = start..start + part.len();
        (range.end <= text.len()).then_some(range)
    }
}

/// Hides secrets in the texts of errors and warnings, and in variables of environments. Returns whether there were any.
fn hide_in_errors(value: &mut Value, within: bool, hidden: &Hidden) -> bool {
    match value {
        Value::String(text) if within => match hidden.text(text) {
            Cow::Borrowed(_) => false,
            Cow::Owned(shown) => {
                *text = shown;
                true
            }
        },
        // Not `any`, which would leave what comes after the first secret as it is.
        Value::Array(items) => {
            let mut any = false;
            for item in items {
                any |= hide_in_errors(item, within, hidden);
            }
            any
        }
        Value::Object(members) => {
            let mut any = false;
            for (name, value) in members {
                let name = name.to_ascii_lowercase();
                let within = within
                    || name.contains("error")
                    || name.contains("warning")
                    || name == "statuses"
                    || name.eq_ignore_ascii_case(ENVIRONMENT_VARIABLES);
                any |= hide_in_errors(value, within, hidden);
            }
            any
        }
        _ => false,
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Place::start(self.text()).serialize(serializer)
    }
}

/// A struct and a private twin, which serde reads in its place: so the struct has a `Deserialize` of its own,
/// and no way around it (`remote = "Self"` would give it a public function of that name).
macro_rules! twin {
    (
        $twin:ident reads
        $(#[$outer:meta])*
        pub struct $name:ident {
            $($(#[doc = $doc:literal])* $(#[serde($($serde:tt)*)])? $vis:vis $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$outer])*
        pub struct $name {
            $($(#[doc = $doc])* $vis $field: $type,)*
        }

        #[derive(Default, serde::Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct $twin {
            $($(#[serde($($serde)*)])? $field: $type,)*
        }

        impl From<$twin> for $name {
            fn from(read: $twin) -> Self {
                Self { $($field: read.$field,)* }
            }
        }
    };
}
pub(crate) use twin;

/// `Serialize` and `Deserialize` of a resource with a `document` and a `read`.
macro_rules! kept {
    ($name:ident) => {
        impl $name {
            /// Returns the same, without these secrets in errors and variables.
            #[allow(dead_code, reason = "nothing waits for a model")]
            pub(crate) fn hiding(self, hidden: &crate::error::Hidden) -> Self {
                let shown = self.document.hiding(hidden);
                shown
                    .and_then(|text| Self::read(&text).ok())
                    .unwrap_or(self)
            }
        }

        impl serde::Serialize for $name {
            /// Writes the document as the service wrote it; see the type.
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.document.serialize(serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            /// Reads JSON only: the text itself is kept.
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let raw = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
                Self::read(raw.get()).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use kept;

/// Returns whether a text may hold a secret member or be nested too deep. Never `false` for one that does.
///
/// Every list pays for this, and nearly no document needs more.
fn needs_a_walk(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_secret = |colon: usize| {
        let before = bytes[..colon].trim_ascii_end();
        before.strip_suffix(b"\"").is_some_and(ends_like_a_secret)
    };
    // A name may be written with escapes.
    memchr(b'\\', bytes).is_some()
        || memchr_iter(b':', bytes).any(is_secret)
        || memchr2_iter(b'{', b'[', bytes).nth(MAX_DEPTH).is_some()
}

/// Returns whether the name that ends here may be that of a secret member.
fn ends_like_a_secret(before: &[u8]) -> bool {
    /// For each of the last three bytes of a name, the last one first: which secret members have this
    /// byte there, one bit for each. Three lookups rule out nearly every name, where a comparison with
    /// each member would take as long as reading the document.
    const ENDINGS: [[u64; 256]; 3] = {
        let mut endings = [[0; 256]; 3];
        let mut member = 0;
        while member < SECRET_MEMBERS.len() {
            let name = SECRET_MEMBERS[member].name.as_bytes();
            let mut place = 0;
            while place < endings.len() {
                let byte = name[name.len() - 1 - place];
                endings[place][byte.to_ascii_lowercase() as usize] |= 1 << member;
                endings[place][byte.to_ascii_uppercase() as usize] |= 1 << member;
                place += 1;
            }
            member += 1;
        }
        endings
    };
    let [.., third, second, last] = before else {
        return false;
    };
    let [lasts, seconds, thirds] = &ENDINGS;
    let candidates =
        lasts[usize::from(*last)] & seconds[usize::from(*second)] & thirds[usize::from(*third)];
    candidates != 0
        && SECRET_MEMBERS.iter().any(|member| {
            let start = before.len().checked_sub(member.name.len());
            start.is_some_and(|start| before[start..].eq_ignore_ascii_case(member.name.as_bytes()))
        })
}

/// Returns the text without its secret members, or `None` if it has none.
fn without_secrets(text: &str) -> serde_json::Result<Option<String>> {
    let mut clean = String::with_capacity(text.len());
    let removed = Place::start(text).copy("", 0, &mut clean)?;
    Ok(removed.then_some(clean))
}

/// A place in a well-formed JSON text. Moves on as it is read, also while it is written.
struct Place<'t> {
    text: &'t str,
    at: Cell<usize>,
}

impl<'t> Place<'t> {
    fn start(text: &'t str) -> Self {
        Self {
            text,
            at: Cell::new(0),
        }
    }

    /// Returns the next byte that is not a space; 0 at the end.
    fn peek(&self) -> u8 {
        let rest = &self.text.as_bytes()[self.at.get()..];
        let spaces = rest.len() - rest.trim_ascii_start().len();
        self.at.set(self.at.get() + spaces);
        rest.get(spaces).copied().unwrap_or(0)
    }

    /// Returns whether the next value is `null` or an empty object: there is nothing secret then.
    fn at_nothing(&self) -> bool {
        let is_empty = |inside: &str| inside.trim_ascii_start().starts_with('}');
        match self.peek() {
            b'{' => is_empty(&self.text[self.at.get() + 1..]),
            byte => byte == b'n',
        }
    }

    /// Passes the byte that was peeked at.
    fn pass(&self) {
        self.at.set(self.at.get() + 1);
    }

    /// Returns whether there is one more element; passes the comma before it, or the bracket after the last.
    fn more(&self) -> bool {
        match self.peek() {
            b'}' | b']' => {
                self.pass();
                false
            }
            b',' => {
                self.pass();
                true
            }
            byte => byte != 0,
        }
    }

    /// Returns the next string, number or literal, as it is written.
    fn token(&self) -> &'t str {
        self.peek();
        let rest = &self.text[self.at.get()..];
        let end = match rest.strip_prefix('"') {
            Some(inner) => 1 + end_of_string(inner),
            None => rest
                .find(|c: char| matches!(c, ',' | ':' | '}' | ']') || c.is_ascii_whitespace())
                .unwrap_or(rest.len()),
        };
        self.at.set(self.at.get() + end);
        &rest[..end]
    }

    /// Returns the name of the next member, as it is written; passes the colon behind it.
    fn name(&self) -> &'t str {
        let name = self.token();
        self.peek();
        self.pass();
        name
    }

    /// Copies the next value without its secret members. Says whether there were any.
    fn copy(&self, parent: &str, depth: usize, to: &mut String) -> serde_json::Result<bool> {
        let open = self.peek();
        if !matches!(open, b'{' | b'[') {
            to.push_str(self.token());
            return Ok(false);
        }
        if depth == MAX_DEPTH {
            return Err(serde_json::Error::custom("recursion limit exceeded"));
        }
        self.pass();
        to.push(char::from(open));
        let first = to.len();
        let mut removed = false;
        while self.more() {
            let before = to.len();
            if before > first {
                to.push(',');
            }
            if open == b'[' {
                removed |= self.copy(parent, depth + 1, to)?;
                continue;
            }
            let written = self.name();
            let name = decoded(written);
            let secret = is_secret(parent, &name) && !self.at_nothing();
            to.push_str(written);
            to.push(':');
            removed |= self.copy(&name, depth + 1, to)? || secret;
            if secret {
                to.truncate(before);
            }
        }
        to.push(if open == b'{' { '}' } else { ']' });
        Ok(removed)
    }
}

impl Serialize for Place<'_> {
    /// Writes the next value.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.peek() {
            b'{' => {
                self.pass();
                let mut map = serializer.serialize_map(None)?;
                while self.more() {
                    let name = decoded(self.name());
                    map.serialize_entry(&name, self)?;
                }
                map.end()
            }
            b'[' => {
                self.pass();
                let mut list = serializer.serialize_seq(None)?;
                while self.more() {
                    list.serialize_element(self)?;
                }
                list.end()
            }
            b'"' => serializer.serialize_str(&decoded(self.token())),
            b'n' => {
                self.token();
                serializer.serialize_unit()
            }
            b't' | b'f' => serializer.serialize_bool(self.token() == "true"),
            _ => number(self.token(), serializer),
        }
    }
}

/// Returns the length of a string up to and with its closing quote.
fn end_of_string(inner: &str) -> usize {
    let bytes = inner.as_bytes();
    let mut at = 0;
    while let Some(found) = memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    inner.len()
}

/// Returns the text of a string. An escape that stands for no character (one half of a surrogate pair) stays as it
/// is written: whoever reads only the rest must not lose it.
fn decoded(token: &str) -> Cow<'_, str> {
    let inner = token.trim_start_matches('"');
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    if memchr(b'\\', inner.as_bytes()).is_none() {
        return inner.into();
    }
    serde_json::from_str::<String>(token).map_or(inner.into(), Cow::Owned)
}

fn number<S: Serializer>(token: &str, serializer: S) -> Result<S::Ok, S::Error> {
    if let Ok(number) = token.parse::<u64>() {
        return serializer.serialize_u64(number);
    }
    // `-0` is a float.
    if let Some(number) = token.parse::<i64>().ok().filter(|number| *number != 0) {
        return serializer.serialize_i64(number);
    }
    // Of the standard library: exact, which serde_json's own reading of floats is not by default.
    match token.parse::<f64>() {
        Ok(number) if number.is_finite() => serializer.serialize_f64(number),
        Ok(_) => serializer.serialize_str(token),
        Err(_) => Err(S::Error::custom("the document is not valid JSON")),
    }
}
