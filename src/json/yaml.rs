//! YAML and JSON texts of users, as a tree.

use super::Document;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// No configuration needs more. The time in which YAML is read grows with the square of the nesting.
const MAX_BRACKETS: usize = 4096;

/// Reads a text as YAML, or else as JSON: the order of Microsoft's client.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    // Editors on Windows begin the file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.matches(['[', '{']).count() > MAX_BRACKETS {
        return Err(format!("it has more than {MAX_BRACKETS} opening brackets"));
    }
    let yaml = yaml_serde::Deserializer::from_str(text);
    Node(text).deserialize(yaml).or_else(|error| {
        let mut json = serde_json::Deserializer::from_str(text);
        let value = Node(text).deserialize(&mut json);
        let whole = value.and_then(|value| json.end().map(|()| value));
        whole.map_err(|_| format!("it is not valid YAML or JSON: {}", why(&error)))
    })
}

/// Says why a text is not valid. Quotes no value, which may be secret.
fn why(error: &yaml_serde::Error) -> String {
    let text = error.to_string();
    if !text.contains("invalid type") && !text.contains("invalid value") {
        return text;
    }
    let line = error.location().map_or(0, |place| place.line());
    format!("a value does not fit its tag at line {line}")
}

/// Reads any value of a text. Refuses a key that is there twice.
#[derive(Clone, Copy)]
struct Node<'t>(&'t str);

impl<'de> DeserializeSeed<'de> for Node<'de> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! scalars {
    ($($visit:ident: $type:ty,)*) => {
        $(fn $visit<E>(self, value: $type) -> Result<Value, E> {
            Ok(value.into())
        })*
    };
}

impl<'de> Visitor<'de> for Node<'de> {
    type Value = Value;

    scalars! { visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_str: &str, }

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value);
        Ok(number
            .ok_or_else(|| E::custom("a number is not finite"))?
            .into())
    }

    /// Microsoft's client reads YAML 1.1, where `yes` is a boolean, unless it is quoted or has a tag.
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value, E> {
        let plain = || {
            let range = Document::range_of(self.0, text)?;
            let before = &self.0[..range.start];
            let word = before.trim_end().rsplit(char::is_whitespace).next()?;
            Some(!before.ends_with(['"', '\'']) && !word.starts_with('!'))
        };
        Ok(match text {
            "yes" | "Yes" | "YES" | "on" | "On" | "ON" if plain() == Some(true) => true.into(),
            "no" | "No" | "NO" | "off" | "Off" | "OFF" if plain() == Some(true) => false.into(),
            _ => text.into(),
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element_seed(self)? {
            list.push(entry);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key == "<<" {
                return Err(A::Error::custom("the merge key << is not supported"));
            }
            let value = entries.next_value_seed(self)?;
            if members.insert(key.clone(), value).is_some() {
                return Err(A::Error::custom(format!("the key {key:?} occurs twice")));
            }
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_for_booleans_are_booleans_unless_they_are_quoted() {
        let text =
            "{a: yes, b: 'yes', c: \"no\", d: Off, e: [on,no], f: yesterday, g: !!str yes, on: NO}";
        assert_eq!(
            parse(text).unwrap(),
            json!({
                "a": true, "b": "yes", "c": "no", "d": false, "e": [true, false], "f": "yesterday",
                "g": "yes", "on": false,
            })
        );
        assert_eq!(
            parse("a: &x yes\nb: *x\nc: |\n  yes\n").unwrap(),
            json!({ "a": true, "b": true, "c": "yes\n" })
        );
        assert_eq!(parse(r#"{"a":"yes"}"#).unwrap(), json!({ "a": "yes" }));
    }

    #[test]
    fn numbers_are_read_as_yaml_and_json_write_them() {
        let text = "[1, -2, 1.5, 6e4, 0x10, 18446744073709551615]";
        assert_eq!(parse(text).unwrap(), json!([1, -2, 1.5, 6e4, 16, u64::MAX]));
        assert!(
            parse("a: .nan")
                .unwrap_err()
                .contains("a number is not finite")
        );
    }
}
