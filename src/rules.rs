//! The registry of validation rules: the one place that knows their ids.
//!
//! Every finding is made through a rule of the registry, so an id can neither be misspelt nor be
//! missing from `docs/validation.md`: the tables of that page are generated from the registry. Each
//! severity has a type of its own, so a rule that refuses cannot be used to warn, nor the reverse.
//!
//! To add a rule, add a row to a file in `rules/`, use it in a check, and regenerate the page:
//!
//! ```sh
//! UPDATE_PAGES=1 cargo test --lib rules::page
//! ```

#![cfg_attr(
    not(all(feature = "services", feature = "tls_checks")),
    allow(dead_code, unused_imports, reason = "some checks need a feature")
)]

mod compute;
mod extension;
mod inference;
mod kubernetes;
#[cfg(test)]
mod page;
mod preflight;
mod request;
mod service;
mod tls;

pub(crate) use compute::*;
pub(crate) use extension::*;
pub(crate) use inference::*;
pub(crate) use kubernetes::*;
pub(crate) use preflight::*;
pub(crate) use request::*;
pub(crate) use service::*;
pub(crate) use tls::*;

use crate::error::{Error, Finding, Severity};

/// A rule whose breach refuses the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) &'static str);

/// A rule whose breach is allowed, but probably not what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Advice(pub(crate) &'static str);

/// A rule that is broken where a check cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unchecked(pub(crate) &'static str);

impl Refusal {
    const SEVERITY: Severity = Severity::Error;

    /// Returns a breach of this rule at `path`. Give no `value` that is secret.
    pub(crate) fn finding(
        self,
        path: impl Into<String>,
        value: Option<&str>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding::new(Self::SEVERITY, self.0, path, value, message, remedy)
    }

    /// Returns a breach of this rule that says what `finding` says of another one.
    #[cfg(feature = "services")]
    pub(crate) fn in_place_of(self, finding: Finding) -> Finding {
        Finding {
            rule: self.0,
            ..finding.with_severity(Self::SEVERITY)
        }
    }
}

impl Advice {
    const SEVERITY: Severity = Severity::Warning;

    /// Returns a breach of this rule at `path`.
    pub(crate) fn finding(
        self,
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding::new(Self::SEVERITY, self.0, path, None, message, remedy)
    }
}

impl Unchecked {
    const SEVERITY: Severity = Severity::Unknown;

    /// Returns what to say of a check at `path` that could not be made.
    pub(crate) fn finding(
        self,
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding::new(Self::SEVERITY, self.0, path, None, message, remedy)
    }
}

/// The findings of the checks of one thing. Errors refuse it; everything else does not.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    /// Notes a breach of `rule`. Give no `value` that is secret.
    pub(crate) fn refuse(
        &mut self,
        rule: Refusal,
        path: impl Into<String>,
        value: Option<&str>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(rule.finding(path, value, message, remedy));
    }

    /// Notes something that is allowed, but probably not what is wanted.
    pub(crate) fn advise(
        &mut self,
        rule: Advice,
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(rule.finding(path, message, remedy));
    }

    /// Notes a check that could not be made.
    pub(crate) fn unchecked(
        &mut self,
        rule: Unchecked,
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(rule.finding(path, message, remedy));
    }

    /// Takes over what another check found.
    pub(crate) fn extend(&mut self, found: impl IntoIterator<Item = Finding>) {
        self.0.extend(found);
    }

    /// Returns all of them, where they are carried on.
    #[cfg(feature = "services")]
    pub(crate) fn into_vec(self) -> Vec<Finding> {
        self.0
    }

    /// Returns the same findings with warnings in place of the errors, for a caller who goes on despite
    /// them.
    #[cfg(feature = "services")]
    pub(crate) fn despite_refusals(self) -> Self {
        let soften = |found: Finding| match refuses(&found) {
            true => found.with_severity(Severity::Warning),
            false => found,
        };
        Self(self.0.into_iter().map(soften).collect())
    }

    /// Returns whether there is an error so far.
    pub(crate) fn refused(&self) -> bool {
        self.0.iter().any(refuses)
    }

    /// Returns the errors alone, where no [`Error`] is made of them yet.
    pub(crate) fn into_refusals(self) -> Vec<Finding> {
        self.0.into_iter().filter(refuses).collect()
    }

    /// Returns the findings if none of them is an error, otherwise one [`Error`] with all errors of
    /// `what`.
    pub(crate) fn finish(self, what: &'static str) -> Result<Vec<Finding>, Error> {
        if self.refused() {
            Err(Error::validation(what, self.into_refusals()))
        } else {
            Ok(self.0)
        }
    }
}

fn refuses(found: &Finding) -> bool {
    found.severity == Severity::Error
}

/// A row of the registry, as tests and the page see it.
#[cfg(test)]
pub(crate) struct Rule {
    pub(crate) id: &'static str,
    pub(crate) severity: Severity,
    /// The condition that must hold, in one sentence.
    pub(crate) holds: &'static str,
    /// Examples. A test tries those in backticks wherever a check takes a text.
    pub(crate) broken_by: &'static str,
    pub(crate) remedy: &'static str,
    pub(crate) source: &'static str,
}

/// The rules that the page shows in one table.
#[cfg(test)]
pub(crate) struct Section {
    title: &'static str,
    /// The features without which this crate does not make the checks.
    pub(crate) needs: &'static [&'static str],
    pub(crate) rules: &'static [Rule],
}

/// Makes a constant of each row, and for tests the sections with everything that the rows say.
macro_rules! registry {
    ($(section $title:literal $(needs $feature:literal)* {
        $($kind:ident $name:ident = $id:literal: $holds:literal,
            broken by $broken_by:literal,
            remedy $remedy:literal,
            source $source:literal;)*
    })*) => {
        $($(
            #[doc = $holds]
            pub(crate) const $name: $kind = $kind($id);
        )*)*

        #[cfg(test)]
        pub(super) const SECTIONS: &[super::Section] = &[$(super::Section {
            title: $title,
            needs: &[$($feature),*],
            rules: &[$(super::Rule {
                id: $id,
                severity: $kind::SEVERITY,
                holds: $holds,
                broken_by: $broken_by,
                remedy: $remedy,
                source: $source,
            }),*],
        }),*];
    };
}
use registry;

/// Returns every section of the registry, in the order of the page.
#[cfg(test)]
pub(crate) fn sections() -> impl Iterator<Item = &'static Section> {
    [
        compute::SECTIONS,
        kubernetes::SECTIONS,
        extension::SECTIONS,
        tls::SECTIONS,
        service::SECTIONS,
        inference::SECTIONS,
        request::SECTIONS,
        preflight::SECTIONS,
    ]
    .into_iter()
    .flatten()
}

/// Returns the rules that no builder checks.
#[cfg(test)]
pub(crate) fn of_requests() -> impl Iterator<Item = &'static Rule> {
    let sections = request::SECTIONS.iter().chain(preflight::SECTIONS);
    sections.flat_map(|section| section.rules)
}

/// Returns every rule of the registry.
#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = &'static Rule> {
    sections().flat_map(|section| section.rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_lowercase_with_one_area_in_front() {
        let ids: BTreeSet<_> = all().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), all().count());
        for id in ids {
            assert!(id.contains('.'), "{id}");
            assert!(
                id.chars()
                    .all(|c| c.is_ascii_lowercase() || "._".contains(c)),
                "{id}"
            );
        }
    }

    #[test]
    fn only_errors_refuse_and_only_errors_are_in_the_error() {
        let mut findings = Findings::default();
        findings.advise(CAPACITY_PRODUCTION_NODES, "a", "m", "r");
        findings.unchecked(TLS_NOT_CHECKED, "b", "m", "r");
        assert!(!findings.refused());
        findings.refuse(NAME_END, "c", None, "m", "r");
        assert!(findings.refused());
        let error = findings.finish("thing").unwrap_err();
        assert_eq!(error.to_string().lines().count(), 2, "{error}");
        assert_eq!(error.findings(), [NAME_END.finding("c", None, "m", "r")]);

        let mut findings = Findings::default();
        findings.advise(CAPACITY_PRODUCTION_NODES, "a", "m", "r");
        findings.unchecked(TLS_NOT_CHECKED, "b", "m", "r");
        let found = findings.finish("thing").unwrap();
        let severities: Vec<_> = found.iter().map(|found| found.severity).collect();
        assert_eq!(severities, [Severity::Warning, Severity::Unknown]);
    }
}
