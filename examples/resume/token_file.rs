//! A store for one resume token: a file that only its owner can read.

use crate::Error;
use azureml_aks::error::BoxError;
use azureml_aks::{ResumeToken, TokenStore, async_trait};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

pub(crate) struct TokenFile(PathBuf);

/// A program with many operations has a row of a table, or a file, for each [`ResumeToken::id`].
#[async_trait]
impl TokenStore for TokenFile {
    /// Writes a newer token of the same operation in the place of the old one. Whatever happens in
    /// between, the file holds one token or the other, and all of it.
    async fn put(&self, token: &ResumeToken) -> Result<(), BoxError> {
        match self.read()? {
            // To replace it would lose an operation.
            Some(other) if other.id() != token.id() => {
                return Err(format!("{self} holds the token of another operation").into());
            }
            _ => {}
        }
        let newer = self.0.with_extension("new");
        // Left behind by a process that was killed here.
        let _ = fs::remove_file(&newer);
        write_new(&newer, token)
            .and_then(|()| fs::rename(&newer, &self.0))
            .map_err(|error| self.error(&error))
    }

    async fn remove(&self, id: &str) -> Result<(), BoxError> {
        match self.read()? {
            Some(token) if token.id() == id => {
                fs::remove_file(&self.0).map_err(|error| self.error(&error))
            }
            _ => Ok(()),
        }
    }
}

impl TokenFile {
    pub(crate) fn within(folder: &Path) -> Result<Self, Error> {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder.join("token")))
    }

    pub(crate) fn exists(&self) -> bool {
        self.0.exists()
    }

    pub(crate) fn read(&self) -> Result<Option<ResumeToken>, Error> {
        match fs::read_to_string(&self.0) {
            Ok(text) => match text.parse() {
                Ok(token) => Ok(Some(token)),
                Err(error) => Err(format!(
                    "{self}: {error}; look what the workspace has, then remove the file"
                )
                .into()),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.error(&error)),
        }
    }

    fn error(&self, error: &std::io::Error) -> Error {
        format!("{self}: {error}").into()
    }
}

/// The file belongs to its owner alone from the first moment on, not only after a `chmod`.
fn write_new(path: &Path, token: &ResumeToken) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(path)?;
    file.write_all(token.expose().as_bytes())?;
    file.sync_all()
}

impl fmt::Display for TokenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}
