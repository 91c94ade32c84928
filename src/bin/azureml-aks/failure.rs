//! Why a command failed, and its exit code.

use crate::output::printable;
use azureml_aks::Error;

/// The service, the network, or a rule of ours said no.
const FAILED: u8 = 1;
/// The command line cannot be carried out as it is.
const USAGE: u8 = 2;
/// What was asked for does not exist.
const NOT_FOUND: u8 = 3;

/// What goes to standard error, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    /// Empty where all is said.
    pub(crate) text: String,
}

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self {
            code: FAILED,
            text: text.into(),
        }
    }

    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self {
            code: USAGE,
            text: text.into(),
        }
    }

    /// A failure that was reported before.
    pub(crate) fn reported() -> Self {
        Self::new("")
    }

    pub(crate) fn file(path: &std::path::Path, error: impl std::fmt::Display) -> Self {
        Self::new(format!("{}: {error}", path.display()))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            code: if error.is_not_found() {
                NOT_FOUND
            } else {
                FAILED
            },
            text: printable(&error.to_string()).into_owned(),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;
