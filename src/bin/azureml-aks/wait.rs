//! Starting, waiting, and being interrupted: the record of what still runs.

use crate::connect::Session;
use crate::defaults;
use crate::failure::{Failure, Result};
use crate::output::say;
use azureml_aks::error::BoxError;
use azureml_aks::{Error, Prepared, ResumeToken, TokenStore, WaitOptions, async_trait};
use std::fs;
use std::future::Future;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder with a file for each operation. A file is there as long as nobody has seen the end of its operation.
#[derive(Debug, Clone)]
pub(crate) struct Operations(PathBuf);

impl Operations {
    pub(crate) fn open() -> Result<Self> {
        let state = std::env::var_os("XDG_STATE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute());
        let state = state.or_else(|| Some(defaults::home()?.join(".local/state")));
        let state = state.ok_or_else(|| {
            Failure::new(
                "neither XDG_STATE_HOME nor HOME is set: there is no place for resume tokens",
            )
        })?;
        Ok(Self(state.join("azureml-aks/operations")))
    }

    fn file(&self, id: &str) -> PathBuf {
        self.0.join(format!("{id}.json"))
    }

    /// The token of this id.
    pub(crate) fn read(&self, id: &str) -> Result<ResumeToken> {
        let plain = !id.is_empty()
            && id
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        let unknown = || {
            Failure::not_found(format!(
                "there is no operation {id:?}; `azureml-aks operation list` shows those that there are"
            ))
        };
        if !plain {
            return Err(unknown());
        }
        let file = self.file(id);
        match fs::read_to_string(&file) {
            Ok(text) => Ok(ResumeToken::parse(text.trim())?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(unknown()),
            Err(error) => Err(Failure::file(&file, error)),
        }
    }

    /// The ids of all operations that may still run.
    pub(crate) fn ids(&self) -> Result<Vec<String>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Failure::file(&self.0, error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            ids.extend(
                name.to_str()
                    .and_then(|name| name.strip_suffix(".json"))
                    .map(str::to_owned),
            );
        }
        ids.sort();
        Ok(ids)
    }

    pub(crate) fn forget(&self, id: &str) -> std::io::Result<()> {
        match fs::remove_file(self.file(id)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl TokenStore for Operations {
    async fn put(&self, token: &ResumeToken) -> std::result::Result<(), BoxError> {
        make_folder(&self.0)?;
        // The file is replaced at once, so that it always holds one whole token.
        let mut newer = tempfile::Builder::new()
            .prefix(".new")
            .tempfile_in(&self.0)?;
        newer.write_all(token.expose().as_bytes())?;
        newer.as_file().sync_all()?;
        newer.persist(self.file(token.id()))?;
        Ok(())
    }

    async fn remove(&self, id: &str) -> std::result::Result<(), BoxError> {
        Ok(self.forget(id)?)
    }
}

/// The folder is its owner's alone; so is each file in it.
fn make_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

impl Session {
    /// Sends a request whose token is stored first.
    pub(crate) async fn send<T>(&self, prepared: Prepared<'_, T>) -> Result<T> {
        let store = Operations::open()?;
        let id = prepared.token().id().to_owned();
        self.unless_interrupted(Some(&id), prepared.send_recording(Arc::new(store)))
            .await
    }

    /// How to wait: with a live line where somebody looks.
    pub(crate) fn wait_options(&self) -> WaitOptions {
        let seen = std::io::stderr().is_terminal() && !self.global.only_show_errors;
        WaitOptions::new().show_output(seen)
    }

    /// Waits for a future of the library. Ctrl-C stops the wait, and nothing else.
    pub(crate) async fn unless_interrupted<T>(
        &self,
        id: Option<&str>,
        future: impl Future<Output = std::result::Result<T, Error>>,
    ) -> Result<T> {
        let done = tokio::select! {
            done = future => done,
            signal = tokio::signal::ctrl_c() => {
                signal?;
                return Err(Failure::new(match id {
                    Some(id) => format!("The wait was cancelled; the operation goes on. To wait for it again:\n  {}", self.resume_line(id)),
                    None => "cancelled".to_owned(),
                }));
            }
        };
        done.map_err(|error| {
            let may_still_run = error.may_still_run();
            let mut failure = Failure::from(error);
            if let (true, Some(id)) = (may_still_run, id) {
                failure.text += &format!(
                    "\nThe operation may still run. To wait for it:\n  {}",
                    self.resume_line(id)
                );
            }
            failure
        })
    }

    /// Says how to wait later.
    pub(crate) fn not_waiting(&self, token: Option<&ResumeToken>) {
        if let (Some(token), false) = (token, self.global.only_show_errors) {
            let line = self.resume_line(token.id());
            say(format_args!(
                "The operation goes on. To wait for it:\n  {line}"
            ));
        }
    }

    fn resume_line(&self, id: &str) -> String {
        let mut line = format!("azureml-aks operation resume {id}");
        if let Some(url) = &self.global.emulator {
            line += &format!(" --emulator {url}");
        }
        if let Some(file) = &self.global.emulator_ca {
            line += &format!(" --emulator-ca {}", file.display());
        }
        line
    }

    /// Asks before something is destroyed, where there is somebody to ask.
    pub(crate) fn confirm(&self, yes: bool, what: &str) -> Result<()> {
        if yes || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return Ok(());
        }
        write!(std::io::stderr(), "{what} Are you sure? (y/n): ")?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::new("Operation cancelled.")),
        }
    }
}

/// Waits for what was started, unless `--no-wait` was given, and returns whether it waited.
///
/// A macro, because each handle has a wait of its own name, and borrows itself meanwhile.
macro_rules! wait_for {
    ($session:expr, $no_wait:expr, $handle:expr, $wait:ident) => {{
        let id = $handle.resume_token().map(|token| token.id().to_owned());
        if $no_wait {
            $session.not_waiting($handle.resume_token());
            None
        } else {
            let options = $session.wait_options();
            Some(
                $session
                    .unless_interrupted(id.as_deref(), $handle.$wait(options))
                    .await?,
            )
        }
    }};
}
pub(crate) use wait_for;
