//! What is wrong with a configuration, in a form that a program can read and a person can act on.

use std::fmt;

/// One broken rule in a configuration.
///
/// All violations of a configuration are reported together, by
/// [`Error::violations`](crate::Error::violations). Rule ids are stable; `docs/validation.md` lists
/// them all.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Where: the path of the field in the configuration, for example
    /// `virtual_network.dns_service_ip`.
    pub path: String,
    /// The offending value, or `None` where the value is absent or secret.
    pub value: Option<String>,
    /// The stable id of the broken rule, for example `network.dns_ip_outside_service_cidr`.
    pub rule: &'static str,
    /// What is wrong, as one lowercase sentence without a full stop.
    pub message: String,
    /// What to do about it, as one lowercase sentence without a full stop.
    pub remedy: String,
}

impl Violation {
    pub(crate) fn new(
        rule: &'static str,
        path: impl Into<String>,
        value: Option<&str>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            value: value.map(shorten),
            rule,
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

#[cfg(feature = "services")]
impl Violation {
    /// The same, where it does not stand in the way.
    pub(crate) fn into_warning(self) -> Warning {
        Warning {
            path: self.path,
            rule: self.rule,
            message: self.message,
            remedy: self.remedy,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if let Some(value) = &self.value {
            write!(f, " = {value:?}")?;
        }
        write!(f, ": {} [{}]; {}", self.message, self.rule, self.remedy)
    }
}

/// Something in a configuration that is allowed but deserves a look.
///
/// Found by `warnings()` of a built configuration. It never stops a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// Where: the path of the field in the configuration.
    pub path: String,
    /// The stable id of the rule, for example `tls.self_signed`.
    pub rule: &'static str,
    /// What was seen, as one lowercase sentence without a full stop.
    pub message: String,
    /// What to do about it, as one lowercase sentence without a full stop.
    pub remedy: String,
}

impl Warning {
    pub(crate) fn new(
        rule: &'static str,
        path: impl Into<String>,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            rule,
            message: message.into(),
            remedy: remedy.into(),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} [{}]; {}",
            self.path, self.message, self.rule, self.remedy
        )
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

    #[test]
    fn long_values_are_cut_on_a_character_boundary() {
        let violation = Violation::new("r", "p", Some(&"é".repeat(500)), "m", "x");
        assert_eq!(violation.value.unwrap().chars().count(), 201);
    }
}
