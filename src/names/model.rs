//! Names of models.

use crate::error::{Error, Finding};
use crate::rules;
use std::fmt;

/// The name of a model, which all its versions have in common: 1 to 255 ASCII letters, digits, `-`,
/// `_` and `.`, a letter or digit first (the rule of `azureml-core` 1.61).
#[derive(Debug)]
pub(crate) struct ModelName(String);

impl ModelName {
    /// Checks the name and gives an error with every rule that it breaks.
    pub(crate) fn new(name: &str) -> Result<Self, Error> {
        Self::parse("name", name).map_err(|found| Error::validation("model name", found))
    }

    /// Checks the name at `path` and returns every broken rule.
    pub(crate) fn parse(path: &str, name: &str) -> Result<Self, Vec<Finding>> {
        const MAX: usize = 255;
        let mut found = Vec::new();
        let mut refuse = |rule: rules::Refusal, message: &str, remedy: &str| {
            found.push(rule.finding(path, Some(name), message, remedy));
        };
        if !(1..=MAX).contains(&name.chars().count()) {
            refuse(
                rules::MODEL_NAME_LENGTH,
                "a model name has 1 to 255 characters",
                "choose another name, for example \"mymodel\"",
            );
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !name.chars().all(allowed) {
            refuse(
                rules::MODEL_NAME_CHARACTERS,
                "a model name has only the letters a to z and A to Z, digits, hyphens, underscores and full stops",
                "leave the other characters out",
            );
        }
        if name.starts_with(|c: char| !c.is_alphanumeric()) {
            refuse(
                rules::MODEL_NAME_START,
                "a model name starts with a letter or a digit",
                "begin with a letter or a digit",
            );
        }
        if found.is_empty() {
            Ok(Self(name.to_owned()))
        } else {
            Err(found)
        }
    }

    /// Returns the name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_models_are_those_that_the_python_sdk_takes() {
        for name in ["m", "0", "sklearn_mnist", "a.b-c", &"x".repeat(255)] {
            assert!(ModelName::new(name).is_ok(), "{name}");
        }
        for (name, rules) in [
            ("", &["model.name.length"][..]),
            (&"x".repeat(256), &["model.name.length"]),
            ("-a", &["model.name.start"]),
            (".a", &["model.name.start"]),
            ("a b", &["model.name.characters"]),
            ("a/b", &["model.name.characters"]),
            ("mod\u{e9}le", &["model.name.characters"]),
            ("_:", &["model.name.characters", "model.name.start"]),
        ] {
            let error = ModelName::new(name).unwrap_err();
            let found: Vec<_> = error.findings().iter().map(|found| found.rule).collect();
            assert_eq!(found, rules, "{name:?}");
        }
    }
}
