//! Names of web services.

use crate::error::{Error, Finding};
use crate::facts::names::{SERVICE_MAX, SERVICE_MIN};
use crate::rules;

/// The name of a web service in a workspace.
///
/// 3 to 32 lowercase ASCII letters, digits and `-`, a letter first, a letter or digit last. The rule
/// is that of `azureml-core` 1.61, the last client that made such services.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceName(String);

impl ServiceName {
    /// Checks the name of a new service.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) with every rule that the name breaks.
    ///
    /// # Examples
    ///
    /// ```
    /// use azureml_aks::ServiceName;
    ///
    /// assert_eq!(ServiceName::new("myservice")?.as_str(), "myservice");
    ///
    /// let error = ServiceName::new("My_Service").unwrap_err();
    /// assert_eq!(error.findings()[0].rule, "service_name.characters");
    /// assert!(error.findings()[0].remedy.contains("my-service"));
    /// # Ok::<(), azureml_aks::Error>(())
    /// ```
    pub fn new(name: impl AsRef<str>) -> Result<Self, Error> {
        Self::parse("name", name.as_ref()).map_err(|found| Error::validation("service name", found))
    }

    /// Checks the name of a new service at `path` and returns every broken rule.
    pub(crate) fn parse(path: &str, name: &str) -> Result<Self, Vec<Finding>> {
        let mut found = Vec::new();
        let remedy = || match suggestion(name) {
            Some(better) => format!("for example, call it {better:?}"),
            None => "choose another name, for example \"myservice\"".to_owned(),
        };
        let mut refuse = |rule: rules::Refusal, message: &str| {
            found.push(rule.finding(path, Some(name), message, remedy()));
        };

        if !(SERVICE_MIN..=SERVICE_MAX).contains(&name.chars().count()) {
            refuse(
                rules::SERVICE_NAME_LENGTH,
                &format!("a service name has {SERVICE_MIN} to {SERVICE_MAX} characters"),
            );
        }
        if !name.chars().all(is_plain) {
            refuse(
                rules::SERVICE_NAME_CHARACTERS,
                "a service name has only the letters a to z, digits and hyphens",
            );
        }
        if name.starts_with(|c: char| !c.is_alphabetic()) {
            refuse(
                rules::SERVICE_NAME_START,
                "a service name starts with a letter",
            );
        }
        if name.ends_with('-') {
            refuse(
                rules::SERVICE_NAME_END,
                "a service name ends with a letter or a digit",
            );
        }

        if found.is_empty() {
            Ok(Self(name.to_owned()))
        } else {
            Err(found)
        }
    }

    /// Checks the name of a service that may exist already: only that it cannot change the path of
    /// a request.
    pub(crate) fn existing(path: &str, name: &str) -> Result<Self, Vec<Finding>> {
        match super::segment(path, name) {
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

name_traits!(ServiceName);

fn is_plain(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

/// Returns a service name close to `name` that keeps all rules, if there is one.
fn suggestion(name: &str) -> Option<String> {
    let mut better: String = name
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .map(|c| if is_plain(c) { c } else { '-' })
        .skip_while(|c| !c.is_ascii_lowercase())
        .take(SERVICE_MAX)
        .collect();
    better.truncate(better.trim_end_matches('-').len());
    if better.is_empty() {
        return None;
    }
    if better.len() < SERVICE_MIN {
        better.push_str("-service");
    }
    Some(better)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(name: &str) -> Vec<&'static str> {
        match ServiceName::parse("name", name) {
            Ok(parsed) => {
                assert_eq!(parsed.as_str(), name);
                Vec::new()
            }
            Err(found) => found.iter().map(|finding| finding.rule).collect(),
        }
    }

    #[test]
    fn each_rule_of_a_service_name_is_reported_by_its_id() {
        for (name, rules) in [
            ("abc", vec![]),
            ("my-service-01", vec![]),
            ("a--", vec!["service_name.end"]),
            (&"a".repeat(32), vec![]),
            (&"a".repeat(33), vec!["service_name.length"]),
            ("", vec!["service_name.length"]),
            ("ab", vec!["service_name.length"]),
            ("MyService", vec!["service_name.characters"]),
            ("my_service", vec!["service_name.characters"]),
            ("my.service", vec!["service_name.characters"]),
            ("dienst-ä", vec!["service_name.characters"]),
            ("abc\n", vec!["service_name.characters"]),
            ("1abc", vec!["service_name.start"]),
            (
                "1/",
                vec![
                    "service_name.length",
                    "service_name.characters",
                    "service_name.start",
                ],
            ),
        ] {
            assert_eq!(broken(name), rules, "{name:?}");
        }
    }

    #[test]
    fn every_suggestion_keeps_the_rules() {
        for (name, expected) in [
            ("My_Service", Some("my-service")),
            ("1abc", Some("abc")),
            ("ab", Some("ab-service")),
            ("a--", Some("a-service")),
            ("123", None),
            ("", None),
            (
                "a-name-that-is-longer-than-a-service-may-have",
                Some("a-name-that-is-longer-than-a-ser"),
            ),
        ] {
            assert_eq!(suggestion(name).as_deref(), expected, "{name:?}");
            if let Some(better) = expected {
                assert!(broken(better).is_empty(), "{better}");
            }
        }
    }

    #[test]
    fn service_of_another_year_stays_reachable_by_its_name() {
        assert!(ServiceName::existing("name", "My_Service").is_ok());
        let stored: ServiceName = serde_json::from_str(r#""My_Service""#).unwrap();
        assert_eq!(stored.as_str(), "My_Service");
        assert!(ServiceName::try_from("My_Service").is_err());
        assert!(serde_json::from_str::<ServiceName>(r#""a/b""#).is_err());
        for name in ["", "..", "a/b", "a?b", "a%2fb"] {
            assert!(ServiceName::existing("name", name).is_err(), "{name:?}");
        }
    }
}
