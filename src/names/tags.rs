//! Tags of a resource.

use crate::rules::{self, Findings};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The tags of a compute.
pub(crate) type Tags = BTreeMap<String, String>;

/// The setters of tags, for a builder with tags in this field.
macro_rules! tag_setters {
    ($($field:ident).+) => {
        /// Adds a tag, or replaces the tag of that name.
        pub fn tag(self, name: impl Into<String>, value: impl Into<String>) -> Self {
            self.tags([(name, value)])
        }

        /// Adds tags, each replacing the tag of its name.
        pub fn tags<K: Into<String>, V: Into<String>>(
            mut self,
            tags: impl IntoIterator<Item = (K, V)>,
        ) -> Self {
            let tags = tags.into_iter();
            let tags = tags.map(|(name, value)| (name.into(), value.into()));
            self.$($field).+.extend(tags);
            self
        }
    };
}
pub(crate) use tag_setters;

/// Checks the limits of Azure Resource Manager
/// (`azure-resource-manager/management/tag-resources`).
pub(crate) fn check_tags(tags: &Tags, findings: &mut Findings) {
    if tags.len() > MAX_TAGS {
        findings.refuse(
            rules::TAGS_COUNT,
            "tags",
            Some(&tags.len().to_string()),
            format!("a resource has at most {MAX_TAGS} tags"),
            "leave some out, or put several values into one tag",
        );
    }
    for (name, value) in tags {
        let length = name.chars().count();
        if length == 0 || length > MAX_NAME || name.contains(|c| FORBIDDEN.contains(c)) {
            findings.refuse(
                rules::TAGS_NAME,
                "tags",
                Some(name),
                format!("a tag name has 1 to {MAX_NAME} characters, and none of {FORBIDDEN}"),
                "choose another name for the tag",
            );
        }
        if value.chars().count() > MAX_VALUE {
            findings.refuse(
                rules::TAGS_VALUE,
                format!("tags.{name}"),
                Some(value),
                format!("a tag value has at most {MAX_VALUE} characters"),
                "shorten the value",
            );
        }
    }
}

/// Changes of tags, which are one member of what has them: a change of one sends all of them.
#[cfg(feature = "services")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TagChanges {
    /// All tags, where they are replaced.
    pub(crate) all: Option<Tags>,
    /// Changes of single tags, on top; `None` removes.
    pub(crate) single: BTreeMap<String, Option<String>>,
}

#[cfg(feature = "services")]
impl TagChanges {
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_none() && self.single.is_empty()
    }

    /// Returns every name that is given.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.all
            .iter()
            .flat_map(Tags::keys)
            .chain(self.single.keys())
    }

    /// Returns all tags after the change, if there is a change.
    pub(crate) fn apply(&self, now: &Tags) -> Option<Tags> {
        if self.is_empty() {
            return None;
        }
        let mut tags = self.all.as_ref().unwrap_or(now).clone();
        for (name, value) in &self.single {
            match value {
                Some(value) => tags.insert(name.clone(), value.clone()),
                None => tags.remove(name),
            };
        }
        Some(tags)
    }
}

/// Returns a name as a part of a JSON pointer (RFC 6901).
#[cfg(feature = "services")]
pub(crate) fn pointer_token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Returns the tags as the service reads them.
pub(crate) fn tags_value(tags: &Tags) -> Value {
    let members: Map<String, Value> = tags
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    members.into()
}

const MAX_TAGS: usize = 50;
const MAX_NAME: usize = 512;
const MAX_VALUE: usize = 256;
const FORBIDDEN: &str = "<>%&\\?/";

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(name: &str, value: &str) -> Vec<&'static str> {
        let mut findings = Findings::default();
        check_tags(
            &Tags::from([(name.to_owned(), value.to_owned())]),
            &mut findings,
        );
        findings
            .into_refusals()
            .iter()
            .map(|finding| finding.rule)
            .collect()
    }

    #[test]
    fn tags_up_to_the_limits_are_accepted_and_longer_ones_refused() {
        assert!(rules(&"é".repeat(512), &"é".repeat(256)).is_empty());
        assert_eq!(rules(&"a".repeat(513), ""), ["tags.name"]);
        assert_eq!(rules("a", &"b".repeat(257)), ["tags.value"]);
        for name in ["", "a<b", "a>b", "a%b", "a&b", "a\\b", "a?b", "a/b"] {
            assert_eq!(rules(name, ""), ["tags.name"], "{name}");
        }
    }
}
