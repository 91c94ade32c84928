//! A resume token in a file that only its owner can read.

use crate::Error;
use azureml_aks::ResumeToken;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

pub(crate) struct TokenFile(PathBuf);

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
            Ok(text) => match ResumeToken::parse(&text) {
                Ok(token) => Ok(Some(token)),
                // Cut off while it was first written, before anything was sent; or worse.
                Err(error) => Err(format!(
                    "{self}: {error}; look what the workspace has, then remove the file"
                )
                .into()),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.error(&error)),
        }
    }

    /// Writes the first token, and never over another one: that would be lost.
    pub(crate) fn create(&self, token: &ResumeToken) -> Result<(), Error> {
        write_new(&self.0, token).map_err(|error| self.error(&error))
    }

    /// Writes a newer token in the place of the old one; without one, removes the file.
    ///
    /// Whatever happens in between, the file holds one token or the other, and all of it.
    pub(crate) fn keep(&self, token: Option<&ResumeToken>) -> Result<(), Error> {
        let kept = match token {
            Some(token) => {
                let newer = self.0.with_extension("new");
                // Left behind by a process that was killed here.
                let _ = fs::remove_file(&newer);
                write_new(&newer, token).and_then(|()| fs::rename(&newer, &self.0))
            }
            None => fs::remove_file(&self.0),
        };
        kept.map_err(|error| self.error(&error))
    }

    fn error(&self, error: &std::io::Error) -> Error {
        format!("{self}: {error}").into()
    }
}

/// The file is its owner's alone from the first moment on, not only after a `chmod`.
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
