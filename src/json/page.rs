//! One page of a list.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(crate) struct Page<T> {
    #[serde(default = "Vec::new", deserialize_with = "null_as_default")]
    pub(crate) value: Vec<T>,
    #[serde(rename = "nextLink", default)]
    pub(crate) next_link: Option<String>,
    /// In place of a link, from the artifact service.
    #[cfg(feature = "services")]
    #[serde(rename = "continuationToken", default)]
    pub(crate) continuation_token: Option<String>,
}

/// An item of a list.
pub(crate) trait Item: DeserializeOwned {
    /// Reads the item with which a text begins, and how long it is.
    fn leading(text: &str) -> Option<(Self, usize)> {
        leading(text)
    }
}

/// Returns the value with which a text begins, and where it ends.
pub(crate) fn leading<'t, T: Deserialize<'t>>(text: &'t str) -> Option<(T, usize)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter();
    let value = values.next()?.ok()?;
    Some((value, values.byte_offset()))
}

impl<T: Item> Page<T> {
    /// Reads a page in one pass, although each item keeps its own text: serde by itself gives either the
    /// text of a value or what it means. `None` for a page with anything odd in it, which serde can
    /// explain.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let mut rest = Rest(std::str::from_utf8(body).ok()?);
        let mut value = None;
        let mut next_link = None;
        #[cfg(feature = "services")]
        let mut continuation_token = None;
        rest.pass('{')?;
        let mut empty = rest.pass('}').is_some();
        while !empty {
            let name: String = rest.value()?;
            rest.pass(':')?;
            match name.as_str() {
                "value" if value.is_none() => value = Some(rest.items()?),
                "nextLink" if next_link.is_none() => next_link = rest.value()?,
                #[cfg(feature = "services")]
                "continuationToken" if continuation_token.is_none() => {
                    continuation_token = rest.value()?;
                }
                "value" | "nextLink" | "continuationToken" => return None,
                _ => {
                    rest.value::<IgnoredAny>()?;
                }
            }
            if rest.pass(',').is_none() {
                rest.pass('}')?;
                empty = true;
            }
        }
        rest.0.trim_ascii_start().is_empty().then(|| Self {
            value: value.unwrap_or_default(),
            next_link,
            #[cfg(feature = "services")]
            continuation_token,
        })
    }
}

/// The rest of a body.
struct Rest<'t>(&'t str);

impl<'t> Rest<'t> {
    /// Passes a mark, if it comes next.
    fn pass(&mut self, mark: char) -> Option<()> {
        self.0 = self.0.trim_ascii_start().strip_prefix(mark)?;
        Some(())
    }

    fn value<T: Deserialize<'t>>(&mut self) -> Option<T> {
        let (value, length) = leading(self.0)?;
        self.0 = &self.0[length..];
        Some(value)
    }

    /// A list, or `null`.
    fn items<T: Item>(&mut self) -> Option<Vec<T>> {
        if self.pass('[').is_none() {
            return self.value::<()>().map(|()| Vec::new());
        }
        let mut items = Vec::new();
        if self.pass(']').is_some() {
            return Some(items);
        }
        loop {
            self.0 = self.0.trim_ascii_start();
            let (item, length) = T::leading(self.0)?;
            self.0 = &self.0[length..];
            items.push(item);
            if self.pass(',').is_none() {
                return self.pass(']').map(|()| items);
            }
        }
    }
}

/// Reads `null` as the default, because the service writes it for a member that is not set. Any other
/// value of the wrong type is an error: a list that cannot be read must not pass for an empty one.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Item for u8 {}

    #[test]
    fn pages_are_read_as_serde_reads_them() {
        for text in [
            r#"{"value":[1,2],"nextLink":"x"}"#,
            " { \"new\" : [{}, 1] , \"nextLink\" : null , \"value\" : [ 1 , 2 ] }\n",
            r#"{"value":[]}"#,
            r#"{"value":null,"nextLink":""}"#,
            r#"{"\u0076alue":[7]}"#,
            "{}",
        ] {
            let own = Page::<u8>::read(text.as_bytes()).unwrap();
            let by_serde: Page<u8> = serde_json::from_str(text).unwrap();
            assert_eq!(own.value, by_serde.value, "{text}");
            assert_eq!(own.next_link, by_serde.next_link, "{text}");
        }
    }

    #[test]
    fn odd_pages_are_left_to_serde() {
        for text in [
            "",
            "[]",
            "null",
            r#"{"value":{}}"#,
            r#"{"value":[1,]}"#,
            r#"{"value":[1 2]}"#,
            r#"{"value":[1}"#,
            r#"{"value":[256]}"#,
            r#"{"value":[1]"#,
            r#"{"value":[1]}x"#,
            r#"{"value":[1],}"#,
            r#"{"value":[1],"value":[2]}"#,
            r#"{"value":[],"nextLink":1}"#,
            r#"{"value" [1]}"#,
        ] {
            assert!(Page::<u8>::read(text.as_bytes()).is_none(), "{text}");
        }
        assert!(Page::<u8>::read(b"{\"a\":\"\xff\"}").is_none());
    }
}
