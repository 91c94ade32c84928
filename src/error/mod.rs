//! The one error type.

mod violation;

pub use violation::{Violation, Warning};

/// Placeholder until the full type lands.
#[derive(Debug)]
pub struct Error {
    violations: Vec<Violation>,
}

impl Error {
    /// `what` names the configuration: "provisioning configuration", "compute name", …
    pub(crate) fn validation(what: &'static str, violations: Vec<Violation>) -> Self {
        let _ = what;
        Self { violations }
    }

    /// The broken rules.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for violation in &self.violations {
            writeln!(f, "{violation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
