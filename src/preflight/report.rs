//! The result of a preflight.

use crate::error::{Error, Finding, Severity};
use crate::rules::Check;
use serde::Serialize;
use std::fmt;

/// The result of a preflight: each rule that was broken, that could not be checked, or that holds.
///
/// `Display` gives a table: errors first, then warnings, notes and what could not be checked. `Serialize` gives
/// `findings` and `passed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PreflightReport {
    /// The findings, errors first.
    pub findings: Vec<PreflightFinding>,
    /// The ids of the rules that were checked and hold.
    pub passed: Vec<&'static str>,
}

/// A finding of a preflight, with the rule that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PreflightFinding {
    /// The finding: place, message and remedy.
    #[serde(flatten)]
    pub finding: Finding,
    /// The condition that must hold, in one sentence.
    pub expected: &'static str,
    /// The source of the rule: statements of the articles by their ids (`A1.25`; `docs/articles.md` lists them),
    /// or another source.
    pub source: &'static str,
}

impl PreflightReport {
    /// Returns the findings of this severity.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &PreflightFinding> {
        let all = self.findings.iter();
        all.filter(move |found| found.finding.severity == severity)
    }

    /// Whether a finding is an error: the request cannot succeed like this.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.of(Severity::Error).next().is_some()
    }

    /// Returns the errors as one error, or the report if there is none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Validation`](crate::ErrorKind::Validation) with all errors of the report as its
    /// [`findings`](Error::findings).
    pub fn into_result(self) -> Result<Self, Error> {
        let errors = self.of(Severity::Error);
        let errors: Vec<Finding> = errors.map(|found| found.finding.clone()).collect();
        match errors.is_empty() {
            true => Ok(self),
            false => Err(Error::validation("preflight", errors)),
        }
    }
}

/// The severity, the rule, what was found and what to do: a line each for the two texts.
impl fmt::Display for PreflightReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.findings.iter().map(|found| found.finding.rule.len());
        let width = rules.max().unwrap_or_default().max("rule".len());
        if !self.findings.is_empty() {
            writeln!(f, "{:<8} {:<width$} finding", "severity", "rule")?;
        }
        for PreflightFinding { finding, .. } in &self.findings {
            let Finding {
                severity,
                rule,
                path,
                message,
                remedy,
                ..
            } = finding;
            let value = match &finding.value {
                Some(value) => format!(" = {value:?}"),
                None => String::new(),
            };
            writeln!(f, "{severity:<8} {rule:<width$} {path}{value}: {message}")?;
            writeln!(f, "{:<8} {:<width$} -> {remedy}", "", "")?;
        }
        let count = |severity, word: &str| match self.of(severity).count() {
            1 => format!("1 {word}"),
            many => format!("{many} {word}s"),
        };
        write!(
            f,
            "{}, {}, {}, {} not checked, {} passed",
            count(Severity::Error, "error"),
            count(Severity::Warning, "warning"),
            count(Severity::Note, "note"),
            self.of(Severity::Unknown).count(),
            self.passed.len(),
        )
    }
}

/// A fact of Azure: `None` where the request does not need it, an error's text where it could not be read.
pub(super) type Fact<T> = Option<Result<T, String>>;

/// Collects findings while rules are checked.
#[derive(Debug, Default)]
pub(super) struct Findings {
    found: Vec<PreflightFinding>,
    checked: Vec<&'static str>,
}

impl Findings {
    /// Returns the fact, and notes that the rules are checked by it; for a fact that could not be read, notes for each
    /// rule that it was not checked.
    pub(super) fn known<'f, T>(
        &mut self,
        rules: &[Check],
        path: &str,
        fact: &'f Fact<T>,
    ) -> Option<&'f T> {
        match fact.as_ref()? {
            Ok(value) => {
                self.checked.extend(rules.iter().map(|rule| rule.id));
                Some(value)
            }
            Err(reason) => {
                for rule in rules {
                    self.cannot_tell(*rule, path, reason);
                }
                None
            }
        }
    }

    /// Notes that a rule is checked without a fact of Azure.
    pub(super) fn checked(&mut self, rule: Check) {
        self.checked.push(rule.id);
    }

    /// Notes a breach of a rule. Give no `value` that is secret.
    pub(super) fn broken(
        &mut self,
        rule: Check,
        path: &str,
        value: Option<&str>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.push(rule, rule.finding(path, value, message, remedy));
    }

    /// Notes that a rule could not be checked.
    pub(super) fn cannot_tell(&mut self, rule: Check, path: &str, reason: &str) {
        let unknown = Check {
            severity: Severity::Unknown,
            ..rule
        };
        let message = format!("not checked: {reason}");
        let remedy =
            "check it by hand; if the read was refused, have a role assigned that allows it";
        self.push(rule, unknown.finding(path, None, message, remedy));
    }

    fn push(&mut self, rule: Check, finding: Finding) {
        let Check {
            expected, source, ..
        } = rule;
        self.found.push(PreflightFinding {
            finding,
            expected,
            source,
        });
    }

    pub(super) fn finish(self) -> PreflightReport {
        let Self { mut found, checked } = self;
        found.sort_by_key(|found| found.finding.severity);
        let broken = |id: &&str| found.iter().any(|found| found.finding.rule == *id);
        let mut passed: Vec<&str> = checked.into_iter().filter(|id| !broken(id)).collect();
        passed.sort_unstable();
        passed.dedup();
        PreflightReport {
            findings: found,
            passed,
        }
    }
}
