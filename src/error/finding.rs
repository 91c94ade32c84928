//! The findings of checks, in a form that a program can read and a person can act on.

use super::redact;
use serde::{Serialize, Serializer};
use std::fmt;

/// The finding of one rule: in a configuration, in a request that the service checked, or in a compute
/// that differs from the request.
///
/// A configuration reports all broken rules together, by
/// [`Error::findings`](crate::Error::findings); `warnings()` of a built configuration lists the rest.
/// Rule ids are stable; `docs/validation.md` lists them all.
///
/// `Display` gives one line without the severity: `path = "value": message [rule]; remedy`.
/// `Serialize` gives the fields under their names.
///
/// # Examples
///
/// ```
/// use azureml_aks::{AksCompute, error::Severity};
///
/// let config = AksCompute::provisioning_configuration()
///     .vm_size("Standard_D4_v2")
///     .agent_count(2)
///     .build()?;
/// let finding = &config.warnings()[0];
/// assert_eq!(finding.severity, Severity::Warning);
/// assert_eq!(finding.rule, "capacity.production_nodes");
/// println!("{}: {finding}", finding.severity);
/// # Ok::<(), azureml_aks::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The severity of the finding.
    pub severity: Severity,
    /// The stable id of the rule, for example `network.dns_ip.outside_service_cidr`.
    pub rule: &'static str,
    /// Where: the path of the field in the configuration, for example
    /// `virtual_network.dns_service_ip`, or the name of the check.
    pub path: String,
    /// The offending value, or `None` where the value is absent, secret or part of the message.
    pub value: Option<String>,
    /// The problem, as one lowercase sentence without a full stop.
    pub message: String,
    /// The remedy, as one lowercase sentence without a full stop.
    pub remedy: String,
}

impl Finding {
    pub(crate) fn new(
        severity: Severity,
        rule: &'static str,
        path: impl Into<String>,
        value: Option<&str>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            rule,
            path: path.into(),
            value: value.map(|value| shorten(&redact(value))),
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// Returns the same finding with another severity.
    #[cfg(feature = "services")]
    #[must_use]
    pub(crate) fn with_severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if let Some(value) = &self.value {
            write!(f, " = {value:?}")?;
        }
        write!(f, ": {} [{}]; {}", self.message, self.rule, self.remedy)
    }
}

/// The severity of a [`Finding`].
///
/// The order is that of a report: errors first, then warnings, notes, and the checks that could not be
/// made. `Unknown` stands last because it says nothing about the thing itself, not because it is
/// harmless. `Display` and `Serialize` give the word in lower case.
///
/// ```
/// use azureml_aks::error::Severity;
///
/// let mut found = [Severity::Unknown, Severity::Warning, Severity::Error, Severity::Note];
/// found.sort();
/// assert_eq!(found.map(Severity::as_str), ["error", "warning", "note", "unknown"]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// A contradiction or a refusal: the request cannot succeed like this.
    Error,
    /// Allowed, but probably not what is wanted.
    Warning,
    /// Worth knowing; nothing needs to be done.
    Note,
    /// The check could not be made, so nothing is known either way.
    Unknown,
}

impl Severity {
    /// Returns the severity as a word: `error`, `warning`, `note` or `unknown`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Severity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Values are quoted in messages; a pasted file must not flood them.
fn shorten(value: &str) -> String {
    const MAX: usize = 200;
    match value.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn finding(value: Option<&str>) -> Finding {
        Finding::new(
            Severity::Error,
            "area.rule",
            "path",
            value,
            "wrong",
            "mend it",
        )
    }

    #[test]
    fn long_values_are_cut_on_a_character_boundary() {
        let value = finding(Some(&"é".repeat(500))).value;
        assert_eq!(value.unwrap().chars().count(), 201);
    }

    #[test]
    fn secret_in_the_wrong_place_is_not_quoted() {
        for value in [
            "Endpoint=sb://n/;SharedAccessKey=c4n4ry",
            "-----BEGIN PRIVATE KEY-----\nc4n4ry\n-----END PRIVATE KEY-----",
            "https://user:c4n4ry@registry.example.com",
        ] {
            let shown = finding(Some(value)).to_string();
            assert!(!shown.contains("c4n4ry"), "{shown}");
        }
    }

    #[test]
    fn finding_is_shown_on_one_line_without_its_severity() {
        for (value, shown) in [
            (Some("x"), "path = \"x\": wrong [area.rule]; mend it"),
            (None, "path: wrong [area.rule]; mend it"),
        ] {
            assert_eq!(finding(value).to_string(), shown);
        }
    }

    #[test]
    fn finding_is_serialised_with_its_severity_in_lower_case() {
        for (severity, word) in [
            (Severity::Error, "error"),
            (Severity::Warning, "warning"),
            (Severity::Note, "note"),
            (Severity::Unknown, "unknown"),
        ] {
            assert_eq!(severity.to_string(), word);
            let found = Finding {
                severity,
                ..finding(None)
            };
            assert_eq!(
                serde_json::to_value(found).unwrap(),
                json!({
                    "severity": word, "rule": "area.rule", "path": "path", "value": null,
                    "message": "wrong", "remedy": "mend it",
                })
            );
        }
    }
}
