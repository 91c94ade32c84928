//! Resume tokens that were changed by somebody who can compute their checksum.

#![allow(clippy::unwrap_used)]

use serde_json::{Map, Value};

/// The token with the checksum that its changed members should have. Written apart from the library, so
/// that a stored token stays readable.
pub(crate) fn resealed(token: &str) -> String {
    let mut members: Map<String, Value> = serde_json::from_str(token).unwrap();
    members.remove("checksum").unwrap();
    let mut lines: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
    lines.sort_unstable();
    let checksum = crc32fast::hash(lines.concat().as_bytes());
    members.insert("checksum".to_owned(), format!("{checksum:08x}").into());
    Value::Object(members).to_string()
}
