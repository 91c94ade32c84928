//! Names of the service: parsed once, trusted after.

#[cfg(feature = "services")]
mod model;
#[cfg(feature = "services")]
mod service;

#[cfg(feature = "services")]
pub use model::ModelName;
#[cfg(feature = "services")]
pub use service::{Namespace, ServiceName};

use crate::error::{Error, Finding};
use crate::facts::arm::ML_PROVIDER;
use crate::facts::names::{COMPUTE_MAX, COMPUTE_MIN, RESERVED_COMPUTES};
use crate::rules;
use std::{fmt, str::FromStr};

/// The name of a compute in a workspace.
///
/// # Design
///
/// Documentation, the pattern of today's API and the error texts of earlier years disagree about the
/// rule, so a new name has to pass all of them: 3 to 24 ASCII letters, digits and `-`, a letter
/// first, a letter or digit last, no `-` and digits at the end (`aks-01`), and none of the reserved
/// words `amlcompute`, `local` and `containerinstance`, in any case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComputeName(String);

impl ComputeName {
    /// Checks the name of a new compute.
    ///
    /// # Errors
    ///
    /// Gives every rule that the name breaks.
    ///
    /// # Examples
    ///
    /// ```
    /// use azureml_aks::ComputeName;
    ///
    /// assert_eq!(ComputeName::new("myaks")?.as_str(), "myaks");
    ///
    /// let error = ComputeName::new("my-aks-01").unwrap_err();
    /// assert_eq!(error.findings()[0].rule, "name.ends_in_dash_digits");
    /// assert!(error.findings()[0].remedy.contains("my-aks01"));
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn new(name: &str) -> Result<Self, Error> {
        Self::parse("name", name).map_err(|found| Error::validation("compute name", found))
    }

    /// Checks the name of a new compute at `path` and returns every broken rule.
    pub(crate) fn parse(path: &str, name: &str) -> Result<Self, Vec<Finding>> {
        let mut found = Vec::new();
        let remedy = || match suggestion(name) {
            Some(better) => format!("for example, call it {better:?}"),
            None => "choose another name, for example \"myaks\"".to_owned(),
        };
        let mut refuse = |rule: rules::Refusal, message: &str| {
            found.push(rule.finding(path, Some(name), message, remedy()));
        };

        if !(COMPUTE_MIN..=COMPUTE_MAX).contains(&name.chars().count()) {
            refuse(
                rules::NAME_LENGTH,
                &format!("a compute name has {COMPUTE_MIN} to {COMPUTE_MAX} characters"),
            );
        }
        if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            refuse(
                rules::NAME_CHARACTERS,
                "a compute name has only the letters a to z and A to Z, digits and hyphens",
            );
        }
        if name.starts_with(|c: char| !c.is_alphabetic()) {
            refuse(rules::NAME_START, "a compute name starts with a letter");
        }
        if name.ends_with('-') {
            refuse(
                rules::NAME_END,
                "a compute name ends with a letter or a digit",
            );
        }
        if ends_in_dash_digits(name) {
            refuse(
                rules::NAME_ENDS_IN_DASH_DIGITS,
                "a compute name must not end with a hyphen and digits",
            );
        }
        if is_reserved(name) {
            refuse(
                rules::NAME_RESERVED,
                "the name is reserved for a built-in compute target",
            );
        }

        if found.is_empty() {
            Ok(Self(name.to_owned()))
        } else {
            Err(found)
        }
    }

    /// Checks the name of a compute that may exist already: only that it cannot change the path of
    /// a request. Computes made under the rules of another year stay reachable this way.
    pub(crate) fn existing(path: &str, name: &str) -> Result<Self, Vec<Finding>> {
        match segment(path, name) {
            None => Ok(Self(name.to_owned())),
            Some(finding) => Err(vec![finding]),
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ComputeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for ComputeName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for ComputeName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::new(name)
    }
}

/// The coordinates of a workspace: subscription, resource group and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkspaceId {
    subscription: String,
    resource_group: String,
    name: String,
}

impl WorkspaceId {
    /// Checks the three parts.
    ///
    /// They are only refused where they are empty or would change the path of a request: the rules
    /// for them are Azure's, and have changed over the years.
    ///
    /// # Errors
    ///
    /// Gives every part that is empty or unsafe.
    ///
    /// # Examples
    ///
    /// ```
    /// use azureml_aks::WorkspaceId;
    ///
    /// let id = WorkspaceId::new("11111111-2222-3333-4444-555555555555", "mygroup", "myworkspace")?;
    /// assert!(id.to_string().ends_with("/workspaces/myworkspace"));
    ///
    /// let error = WorkspaceId::new("", "mygroup/..", "myworkspace").unwrap_err();
    /// assert_eq!(error.findings().len(), 2);
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn new(subscription: &str, resource_group: &str, name: &str) -> Result<Self, Error> {
        Self::parse(subscription, resource_group, name)
            .map_err(|found| Error::validation("workspace", found))
    }

    /// Checks the three parts and returns every broken rule, at the paths `subscription_id`,
    /// `resource_group` and `workspace_name`.
    pub(crate) fn parse(
        subscription: &str,
        resource_group: &str,
        name: &str,
    ) -> Result<Self, Vec<Finding>> {
        let found: Vec<_> = [
            segment("subscription_id", subscription),
            segment("resource_group", resource_group),
            segment("workspace_name", name),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !found.is_empty() {
            return Err(found);
        }
        Ok(Self {
            subscription: subscription.to_owned(),
            resource_group: resource_group.to_owned(),
            name: name.to_owned(),
        })
    }

    /// The segments of its resource id.
    pub(crate) fn segments(&self) -> [&str; 8] {
        [
            "subscriptions",
            &self.subscription,
            "resourceGroups",
            &self.resource_group,
            "providers",
            ML_PROVIDER,
            "workspaces",
            &self.name,
        ]
    }

    /// The id of the subscription.
    #[must_use]
    pub fn subscription(&self) -> &str {
        &self.subscription
    }

    /// The name of the resource group.
    #[must_use]
    pub fn resource_group(&self) -> &str {
        &self.resource_group
    }

    /// The name of the workspace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for WorkspaceId {
    /// The ARM id: `/subscriptions/…/workspaces/{name}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "/subscriptions/{}/resourceGroups/{}/providers/{}/workspaces/{}",
            self.subscription,
            self.resource_group,
            crate::facts::arm::ML_PROVIDER,
            self.name
        )
    }
}

/// Checks a name that becomes one segment of a path: it must be there, and must not end the segment,
/// step out of it or be rewritten on its way.
pub(crate) fn segment(path: &str, value: &str) -> Option<Finding> {
    if value.is_empty() {
        return Some(rules::SEGMENT_EMPTY.finding(
            path,
            None,
            "the name is empty",
            "give the name of the resource",
        ));
    }
    let unsafe_character =
        |c: char| matches!(c, '/' | '\\' | '?' | '#' | '%') || c.is_control() || c.is_whitespace();
    if value.contains(unsafe_character) || value == "." || value == ".." {
        return Some(rules::SEGMENT_CHARACTERS.finding(
            path,
            Some(value),
            "the name holds characters that would change the path of a request",
            "give the plain name, without spaces, slashes, `?`, `#` and `%`",
        ));
    }
    None
}

fn ends_in_dash_digits(name: &str) -> bool {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    stem.len() < name.len() && stem.ends_with('-')
}

fn is_reserved(name: &str) -> bool {
    RESERVED_COMPUTES
        .iter()
        .any(|reserved| reserved.eq_ignore_ascii_case(name))
}

/// A name close to `name` that keeps all rules, if there is one.
fn suggestion(name: &str) -> Option<String> {
    let mut better: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .skip_while(|c| !c.is_ascii_alphabetic())
        .take(COMPUTE_MAX)
        .collect();
    better.truncate(better.trim_end_matches('-').len());
    while ends_in_dash_digits(&better) {
        let dash = better.rfind('-')?;
        better.remove(dash);
    }
    if better.is_empty() {
        return None;
    }
    if better.len() < COMPUTE_MIN || is_reserved(&better) {
        better.push_str("-aks");
    }
    keeps_all_rules(&better).then_some(better)
}

fn keeps_all_rules(name: &str) -> bool {
    (COMPUTE_MIN..=COMPUTE_MAX).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.ends_with('-')
        && !ends_in_dash_digits(name)
        && !is_reserved(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(name: &str) -> Vec<&'static str> {
        match ComputeName::parse("name", name) {
            Ok(parsed) => {
                assert_eq!(parsed.as_str(), name);
                Vec::new()
            }
            Err(found) => found.iter().map(|finding| finding.rule).collect(),
        }
    }

    #[test]
    fn names_that_every_source_allows_are_kept_as_they_are() {
        for name in [
            "abc",
            "myaks",
            "MyAks2",
            "my-aks",
            "a-1b",
            "aks-01x",
            "a--b",
            "abcdefghijklmnopqrstuvwx",
        ] {
            assert_eq!(broken(name), Vec::<&str>::new(), "{name}");
        }
    }

    #[test]
    fn each_rule_is_reported_by_its_id() {
        for (name, rules) in [
            ("", vec!["name.length"]),
            ("ab", vec!["name.length"]),
            ("abcdefghijklmnopqrstuvwxy", vec!["name.length"]),
            ("my_aks", vec!["name.characters"]),
            ("my aks", vec!["name.characters"]),
            ("äks", vec!["name.characters"]),
            ("aks\n", vec!["name.characters"]),
            ("1aks", vec!["name.start"]),
            ("-aks", vec!["name.start"]),
            ("aks-", vec!["name.end"]),
            ("aks-01", vec!["name.ends_in_dash_digits"]),
            ("a-1-2", vec!["name.ends_in_dash_digits"]),
            ("local", vec!["name.reserved"]),
            ("AmlCompute", vec!["name.reserved"]),
            ("containerinstance", vec!["name.reserved"]),
            ("1/", vec!["name.length", "name.characters", "name.start"]),
        ] {
            assert_eq!(broken(name), rules, "{name:?}");
        }
    }

    #[test]
    fn every_suggestion_keeps_the_rules() {
        for (name, expected) in [
            ("my-aks-01", Some("my-aks01")),
            ("a-1-2", Some("a12")),
            ("1aks", Some("aks")),
            ("my_aks", Some("my-aks")),
            ("local", Some("local-aks")),
            ("ab", Some("ab-aks")),
            ("aks--", Some("aks")),
            ("123", None),
            ("", None),
            (
                "a-very-long-name-for-a-compute",
                Some("a-very-long-name-for-a-c"),
            ),
        ] {
            assert_eq!(suggestion(name).as_deref(), expected, "{name:?}");
            if let Some(better) = expected {
                assert!(broken(better).is_empty(), "{better}");
            }
        }
    }

    #[test]
    fn a_compute_of_another_year_stays_reachable_by_its_name() {
        assert!(ComputeName::existing("name", "a-1").is_ok());
        assert!(ComputeName::existing("name", "local").is_ok());
        for name in ["", "..", "a/b", "a?b", "a%2fb", "a b"] {
            assert!(ComputeName::existing("name", name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_workspace_reports_all_unsafe_parts_at_once() {
        let found = WorkspaceId::parse("", "group/../x", "ws?y").unwrap_err();
        let seen: Vec<_> = found.iter().map(|v| (v.path.as_str(), v.rule)).collect();
        assert_eq!(
            seen,
            [
                ("subscription_id", "segment.empty"),
                ("resource_group", "segment.characters"),
                ("workspace_name", "segment.characters"),
            ]
        );
        assert!(WorkspaceId::parse("s", "Gruppe-ä_(1).x", "ws").is_ok());
    }
}
