//! One page of a list.

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

/// The service writes `null` where it could write nothing. Anything else that is no list is an
/// error: a list that cannot be read must not pass for an empty one.
fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
