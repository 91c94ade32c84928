//! Names of Kubernetes: of objects, and of labels.

use crate::facts::names::{KUBERNETES_NAME_MAX, LABEL_MAX};

/// Returns whether a text is a subdomain of RFC 1123.
pub(crate) fn is_subdomain(text: &str) -> bool {
    let inside = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    text.len() <= KUBERNETES_NAME_MAX
        && text.split('.').all(|part| {
            !part.is_empty()
                && part.bytes().all(inside)
                && !part.starts_with('-')
                && !part.ends_with('-')
        })
}

/// Returns whether a text can be the value of a label, or its name without a prefix.
pub(crate) fn is_label(text: &str) -> bool {
    let edge = |c: Option<u8>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= LABEL_MAX
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
        && edge(text.bytes().next())
        && edge(text.bytes().last())
}

/// Returns whether a text is a name that may have a domain before a slash.
pub(crate) fn is_qualified(name: &str) -> bool {
    match name.split_once('/') {
        Some((domain, name)) => is_subdomain(domain) && is_label(name),
        None => is_label(name),
    }
}
