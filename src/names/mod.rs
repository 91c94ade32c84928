//! Names of the service: parsed once, trusted after.

/// Implements the traits of every name of the service: conversions to and from text.
macro_rules! name_traits {
    ($name:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::Error;

            /// Checks the text as the name of something new, as `new` does.
            fn from_str(name: &str) -> Result<Self, crate::Error> {
                Self::new(name)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = crate::Error;

            /// Checks the text as the name of something new, as `new` does.
            fn try_from(name: &str) -> Result<Self, crate::Error> {
                Self::new(name)
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::Error;

            /// Checks the text as the name of something new, as `new` does.
            fn try_from(name: String) -> Result<Self, crate::Error> {
                Self::new(name)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            /// Takes every name that can be part of a path, also one that breaks the rules for new
            /// names: what was stored is the name of something that exists.
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = String::deserialize(deserializer)?;
                Self::existing("name", &name).map_err(|found| {
                    serde::de::Error::custom(crate::Error::validation("name", found))
                })
            }
        }
    };
}

pub(crate) mod kubernetes;
#[cfg(feature = "services")]
mod model;
mod namespace;
mod region;
pub(crate) mod resource_id;
#[cfg(feature = "services")]
mod service;
pub(crate) mod tags;
mod words;

#[cfg(feature = "services")]
pub(crate) use model::ModelName;
pub(crate) use namespace::namespace;
pub(crate) use region::{Region, plain};
#[cfg(feature = "services")]
pub use service::ServiceName;
pub(crate) use words::open_words;

use crate::error::{Error, Finding, Severity};
use crate::facts::arm::{COMPUTE_PATTERN_SINCE, DEFAULT_API_VERSION, ML_PROVIDER};
use crate::facts::names::{COMPUTE_MAX, COMPUTE_MIN, RESERVED_COMPUTES};
use crate::rules;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// The name of a compute in a workspace.
///
/// # Design
///
/// Documentation, the pattern of today's API and the error texts of earlier years disagree about the
/// rule, so a new name has to pass all of them: 3 to 24 ASCII letters, digits and `-`, a letter
/// first, a letter or digit last, no `-` and digits at the end (`aks-01`), and none of the reserved
/// words `amlcompute`, `local` and `containerinstance`, in any case. Only API versions from 2025-12-01 on have the rule
/// about `-` and digits: `create` and `attach` of a workspace with an earlier version take such a name as text, and
/// warn.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComputeName(String);

impl ComputeName {
    /// Checks the name of a new compute.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) with every rule that the name breaks.
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
    pub fn new(name: impl AsRef<str>) -> Result<Self, Error> {
        Self::parse("name", name.as_ref()).map_err(|found| Error::validation("compute name", found))
    }

    /// Checks the name of a new compute at `path` and returns every broken rule.
    pub(crate) fn parse(path: &str, name: &str) -> Result<Self, Vec<Finding>> {
        Self::parse_for(DEFAULT_API_VERSION, path, name).map(|(name, _)| name)
    }

    /// Checks the name of a new compute at `path` by the rules of an API version, and returns every broken rule; or
    /// what only later versions refuse.
    pub(crate) fn parse_for(
        api_version: &str,
        path: &str,
        name: &str,
    ) -> Result<(Self, Vec<Finding>), Vec<Finding>> {
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

        if api_version < COMPUTE_PATTERN_SINCE {
            for finding in &mut found {
                if finding.rule == rules::NAME_ENDS_IN_DASH_DIGITS.0 {
                    finding.severity = Severity::Warning;
                }
            }
        }
        if found.iter().any(|found| found.severity == Severity::Error) {
            found.retain(|found| found.severity == Severity::Error);
            Err(found)
        } else {
            Ok((Self(name.to_owned()), found))
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

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

name_traits!(ComputeName);

/// The coordinates of a workspace: subscription, resource group and name.
///
/// As text, in JSON too, it is the ARM id. Reading it, the fixed segments may be in any case:
///
/// ```
/// use azureml_aks::WorkspaceId;
///
/// let id: WorkspaceId = "/subscriptions/s/resourcegroups/g/providers/\
///     microsoft.machinelearningservices/workspaces/w"
///     .parse()?;
/// assert_eq!(id, WorkspaceId::new("s", "g", "w")?);
/// assert_eq!(
///     id.to_string(),
///     "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
/// );
/// # Ok::<(), azureml_aks::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
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
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) with every part that is empty or unsafe.
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
    pub fn new(
        subscription: impl AsRef<str>,
        resource_group: impl AsRef<str>,
        name: impl AsRef<str>,
    ) -> Result<Self, Error> {
        Self::parse(
            subscription.as_ref(),
            resource_group.as_ref(),
            name.as_ref(),
        )
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

    /// Returns the segments of its resource id.
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

    /// Returns the id of the subscription.
    #[must_use]
    pub fn subscription(&self) -> &str {
        &self.subscription
    }

    /// Returns the name of the resource group.
    #[must_use]
    pub fn resource_group(&self) -> &str {
        &self.resource_group
    }

    /// Returns the name of the workspace.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for WorkspaceId {
    /// Writes the ARM id: `/subscriptions/…/workspaces/{name}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.segments()
            .iter()
            .try_for_each(|segment| write!(f, "/{segment}"))
    }
}

impl FromStr for WorkspaceId {
    type Err = Error;

    /// Reads the ARM id; its fixed segments may be in any case, and it may be in quotation marks.
    fn from_str(id: &str) -> Result<Self, Error> {
        let refuse = |rule: rules::Refusal, message: &str| {
            let remedy = format!(
                "give the full id: /subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{ML_PROVIDER}/workspaces/{{name}}"
            );
            let violation = rule.finding("workspace_id", Some(id), message, remedy);
            Error::validation("workspace id", vec![violation])
        };
        let parts: Vec<&str> = resource_id::unquoted(id).split('/').collect();
        let is = |part: &str, word: &str| part.eq_ignore_ascii_case(word);
        match parts[..] {
            [
                "",
                subscriptions,
                subscription,
                groups,
                group,
                providers,
                provider,
                kind,
                name,
            ] if is(subscriptions, "subscriptions")
                && is(groups, "resourceGroups")
                && is(providers, "providers") =>
            {
                if is(provider, ML_PROVIDER) && is(kind, "workspaces") {
                    return Self::new(subscription, group, name);
                }
                Err(refuse(
                    rules::RESOURCE_ID_TYPE,
                    "this is the id of another kind of resource, not of a workspace",
                ))
            }
            _ => Err(refuse(
                rules::RESOURCE_ID_SHAPE,
                "this is not the resource id of a workspace",
            )),
        }
    }
}

impl Serialize for WorkspaceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WorkspaceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        id.parse().map_err(serde::de::Error::custom)
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
            "a name in a resource id is not `.` or `..`, and has no white space, slash, backslash, control character, `?`, `#` or `%`",
            "give the name alone, without these characters",
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

/// Returns a name close to `name` that keeps all rules, if there is one.
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
    fn rule_of_a_later_api_version_is_a_warning_before() {
        for (version, refuses) in [
            ("2018-11-19", false),
            ("2025-10-01-preview", false),
            ("2025-12-01", true),
            ("2026-05-01", true),
        ] {
            let found = ComputeName::parse_for(version, "name", "aks-01");
            assert_eq!(found.is_err(), refuses, "{version}");
            let found = found.map_or_else(|found| found, |(_, found)| found);
            assert_eq!(found[0].rule, "name.ends_in_dash_digits");
            assert_eq!(found[0].severity == Severity::Warning, !refuses);
            // The rules of the documentation hold in every version.
            let found = ComputeName::parse_for(version, "name", "local_-1").unwrap_err();
            assert_eq!(found[0].rule, "name.characters");
            assert_eq!(found.len(), 1 + usize::from(refuses), "{version}");
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
    fn compute_of_another_year_stays_reachable_by_its_name() {
        assert!(ComputeName::existing("name", "a-1").is_ok());
        assert!(ComputeName::existing("name", "local").is_ok());
        for name in ["", "..", "a/b", "a?b", "a%2fb", "a b"] {
            assert!(ComputeName::existing("name", name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn names_are_texts_in_json_and_in_every_conversion() {
        let name = ComputeName::new(String::from("myaks")).unwrap();
        assert_eq!(ComputeName::new(&name).unwrap(), name);
        assert_eq!("myaks".parse::<ComputeName>().unwrap(), name);
        assert_eq!(ComputeName::try_from("myaks").unwrap(), name);
        assert_eq!(ComputeName::try_from("myaks".to_owned()).unwrap(), name);
        assert_eq!(String::from(name.clone()), "myaks");
        assert_eq!(serde_json::to_string(&name).unwrap(), r#""myaks""#);

        // A new name may not be "a-1"; a compute of that name may exist.
        assert!(ComputeName::try_from("a-1").is_err());
        let stored: ComputeName = serde_json::from_str(r#""a-1""#).unwrap();
        assert_eq!(stored.as_str(), "a-1");
        for text in [r#""a/b""#, r#""""#, r#""..""#] {
            let error = serde_json::from_str::<ComputeName>(text).unwrap_err();
            assert!(error.to_string().contains("segment."), "{error}");
        }
    }

    #[test]
    fn workspace_id_is_its_arm_id_as_text() {
        let id = WorkspaceId::new("s", "g", "w").unwrap();
        let text = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w";
        assert_eq!(id.to_string(), text);
        for text in [text.to_owned(), format!("{text:?}\n")] {
            assert_eq!(text.parse::<WorkspaceId>().unwrap(), id);
        }
        let upper = text.to_uppercase();
        let other: WorkspaceId = upper.parse().unwrap();
        assert_eq!((other.subscription(), other.name()), ("S", "W"));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("{text:?}"));
        assert_eq!(serde_json::from_str::<WorkspaceId>(&json).unwrap(), id);
        assert!(id < WorkspaceId::new("s", "g", "x").unwrap());
    }

    #[test]
    fn workspace_id_is_refused_where_its_text_is_not_one() {
        let good = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w";
        for (text, rule) in [
            (String::new(), "resource_id.shape"),
            ("w".to_owned(), "resource_id.shape"),
            (good[1..].to_owned(), "resource_id.shape"),
            (format!("{good}/"), "resource_id.shape"),
            (format!("{good}/computes/c"), "resource_id.shape"),
            (good.replace("Groups", "Group"), "resource_id.shape"),
            (good.replace("workspaces", "registries"), "resource_id.type"),
            (
                good.replace("MachineLearning", "Network"),
                "resource_id.type",
            ),
            (good.replace("/s/", "//"), "segment.empty"),
            (format!("{good}?x"), "segment.characters"),
        ] {
            let error = text.parse::<WorkspaceId>().unwrap_err();
            assert_eq!(error.findings()[0].rule, rule, "{text}");
            let json = serde_json::to_string(&text).unwrap();
            assert!(
                serde_json::from_str::<WorkspaceId>(&json).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn workspace_reports_all_unsafe_parts_at_once() {
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
