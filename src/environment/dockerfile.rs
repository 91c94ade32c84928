//! The text of a Dockerfile.

use crate::error::{Error, Finding};
use crate::json::text_file;
use crate::rules;
use std::fmt;
use std::path::Path;

/// The text of a Dockerfile, on which the image of an environment is built.
///
/// A text becomes one as it is; a file is read by [`from_file`](Self::from_file). Only the text is
/// sent, so it cannot copy local files. `Debug` does not show it, because Dockerfiles often hold
/// tokens.
///
/// # Examples
///
/// ```
/// use azureml_aks::{Dockerfile, Environment};
///
/// let text = "FROM mcr.microsoft.com/azureml/base:latest\nRUN apt-get update\n";
/// Environment::builder().base_dockerfile(text).build()?;
///
/// let error = Dockerfile::from_file("does/not/exist").unwrap_err();
/// assert_eq!(error.findings()[0].rule, "dockerfile.file");
/// # Ok::<(), azureml_aks::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Dockerfile(String);

impl Dockerfile {
    /// Reads a Dockerfile. Blocks while it reads.
    ///
    /// # Errors
    ///
    /// Refuses a file that cannot be read, is empty, larger than 1 MiB or not a text.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let read = Self::read(path.as_ref(), "base_dockerfile");
        read.map_err(|found| Error::validation("Dockerfile", vec![found]))
    }

    /// Reads a file for the field at `field`.
    pub(crate) fn read(path: &Path, field: &str) -> Result<Self, Finding> {
        let why = match text_file::read(path) {
            Ok(text) if text.trim().is_empty() => "it is empty".to_owned(),
            Ok(text) => return Ok(Self(text)),
            Err(why) => why,
        };
        let (shown, remedy) = (path.display().to_string(), "give the path of a Dockerfile");
        Err(rules::DOCKERFILE_FILE.finding(field, Some(&shown), why, remedy))
    }

    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl From<String> for Dockerfile {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Dockerfile {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Dockerfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dockerfile({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_is_read_as_it_is_and_an_empty_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Dockerfile");
        std::fs::write(&path, "FROM a\r\n").unwrap();
        assert_eq!(Dockerfile::from_file(&path).unwrap().text(), "FROM a\r\n");
        std::fs::write(&path, " \n").unwrap();
        let error = Dockerfile::from_file(&path).unwrap_err();
        assert_eq!(error.findings()[0].rule, "dockerfile.file");
    }
}
