//! Names of Kubernetes namespaces.

use crate::error::Finding;
use crate::facts::names::NAMESPACE_MAX;
use crate::rules;

/// Checks the name of the Kubernetes namespace that a service or a compute runs in: 1 to 63 lowercase ASCII
/// letters, digits and `-`, with a letter or digit at both ends.
pub(crate) fn namespace(path: &str, name: &str) -> Option<Finding> {
    let is_label = (1..=NAMESPACE_MAX).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if is_label {
        return None;
    }
    Some(rules::NAMESPACE_SYNTAX.finding(
        path,
        Some(name),
        format!(
            "a namespace has 1 to {NAMESPACE_MAX} lowercase letters, digits and hyphens, with no hyphen at either end"
        ),
        "give the name that `kubectl get namespaces` shows",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespace_is_one_lowercase_label() {
        for name in ["a", "0", "azureml-scoring", &"a".repeat(63)] {
            assert_eq!(namespace("namespace", name), None, "{name:?}");
        }
        for name in ["", "-", "-a", "a-", "A", "a.b", "a_b", "ä", &"a".repeat(64)] {
            let violation = namespace("namespace", name).unwrap();
            assert_eq!(violation.rule, "namespace.syntax", "{name:?}");
        }
    }
}
