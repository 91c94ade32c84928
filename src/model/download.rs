//! Downloads of a model's files.

use super::resource::AssetResource;
use super::{Model, artifacts};
use crate::blob::{SasUrl, TransferProgress, is_there};
use crate::error::{Error, ErrorKind};
use crate::operation::request::{CallOptions, awaitable, call_options};
use crate::transport::limits::{blobs, lists};
use crate::transport::{HttpRequest, Sending};
use crate::workspace::DataPlane;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use tokio::time::Instant;

type Callback = Arc<dyn Fn(TransferProgress) + Send + Sync>;

/// A request to download the files of a model: what [`Model::download`] returns. `.await` sends it and gives
/// the paths of the files, of which several are downloaded at a time. A model that was registered as a
/// folder comes as a folder of that name. An archive of an old model that says `unpack` is not
/// unpacked. Links to folders below the destination are followed.
///
/// A model of more than 100,000 files, and a file of more than 1.5 TiB, is refused. The size of all files together has
/// no limit but that of the disk; [`timeout`](Self::timeout) limits the time.
///
/// Sends: GET of the asset, GET of what is below its prefix, GETs of the blobs in parts; GET of a new
/// URL for a blob whose URL has expired meanwhile. Memory does not grow with the files: 32 MiB for
/// blocks in all.
///
/// # Errors
///
/// [`ErrorKind::File`] if a file is there already or cannot be written;
/// [`ErrorKind::Protocol`] if the service names a file outside the folder, one with control characters in its
/// name, or too many; otherwise the service's reason.
///
/// # Cancel safety
///
/// Safe: no file is there in part under its own name. Files that were whole stay.
#[must_use = "a request sends nothing before it is awaited"]
pub struct DownloadModel {
    model: Model,
    folder: PathBuf,
    overwrite: bool,
    progress: Option<Callback>,
    options: CallOptions,
}

impl DownloadModel {
    pub(super) fn new(model: Model, folder: PathBuf) -> Self {
        Self {
            model,
            folder,
            overwrite: false,
            progress: None,
            options: CallOptions::default(),
        }
    }

    /// Replaces files that are there. By default they are an error, and nothing is downloaded; one that appears
    /// during the download is an error too, and stays.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Reports how far each file is.
    pub fn on_progress(
        mut self,
        progress: impl Fn(TransferProgress) + Send + Sync + 'static,
    ) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    call_options!();

    async fn fetch(self) -> Result<Vec<PathBuf>, Error> {
        let plane = self.model.workspace.data_plane().await?;
        let since = Instant::now();
        let files = files_of(plane, self.model.resource.url.as_deref(), &self.options).await?;
        let mut wanted = Vec::new();
        let mut seen = BTreeSet::new();
        for file in files {
            let path = self.folder.join(safe(&file.path)?);
            if !seen.insert(key(&path)) {
                return Err(Error::new(
                    ErrorKind::Protocol,
                    format!("the service lists {path:?} twice"),
                ));
            }
            // Also a link to nowhere is something.
            if !self.overwrite && path.symlink_metadata().is_ok() {
                return Err(is_there(&path));
            }
            wanted.push((path, file));
        }
        let overwrite = self.overwrite;
        let store = artifacts::store(&self.model.workspace);
        let fetches: Vec<_> = wanted
            .into_iter()
            .map(|(path, remote)| {
                let (store, progress) = (&store, self.progress.clone());
                async move {
                    let parent = path.parent().unwrap_or(Path::new("")).to_owned();
                    tokio::fs::create_dir_all(&parent).await.map_err(|error| {
                        Error::new(
                            ErrorKind::File,
                            format!("the folder {parent:?} cannot be made: {error}"),
                        )
                        .with_source(error)
                    })?;
                    let file = path.display().to_string();
                    let tell = move |transfer: TransferProgress| {
                        if let Some(progress) = &progress {
                            progress(TransferProgress {
                                file: file.clone(),
                                ..transfer
                            });
                        }
                    };
                    let result = match store.download(&remote.url, &path, overwrite, &tell).await {
                        Err(error) if artifacts::may_have_expired(&error, since) => {
                            let (_, url) = artifacts::one(plane, &remote.artifact).await?;
                            store.download(&url, &path, overwrite, &tell).await
                        }
                        result => result,
                    };
                    result?;
                    Ok::<PathBuf, Error>(path)
                }
            })
            .collect();
        stream::iter(fetches)
            .buffered(blobs::FILES)
            .try_collect()
            .await
    }
}

awaitable!([] DownloadModel => Vec<PathBuf>, 'static, |request| {
    async move {
        let id = request.model.id.clone();
        let options = request.options.clone();
        let done = options.run(request.fetch()).await;
        done.map_err(|error| error.with_context(|| format!("download model {id:?}")))
    }
    .boxed()
});

impl fmt::Debug for DownloadModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DownloadModel")
            .field("model", &self.model.id)
            .field("folder", &self.folder)
            .field("overwrite", &self.overwrite)
            .finish_non_exhaustive()
    }
}

/// A file of the model in the store.
struct Remote {
    /// Below the folder.
    path: PathBuf,
    /// `{origin}/{container}/{path}`.
    artifact: String,
    url: SasUrl,
}

async fn files_of(
    plane: &DataPlane,
    url: Option<&str>,
    options: &CallOptions,
) -> Result<Vec<Remote>, Error> {
    let asset = asset_of(plane, url, options.request_id()?).await?;
    let mut found = Vec::new();
    let mut add = |remote| {
        if found.len() as u64 >= lists::FILES {
            let most = lists::FILES;
            let what = format!(
                "the service names more than {most} files of the model, and nothing was written"
            );
            return Err(Error::new(ErrorKind::Protocol, what));
        }
        found.push(remote);
        Ok(())
    };
    for artifact in asset.artifacts {
        match (artifact.id, artifact.prefix) {
            (Some(id), _) => {
                let (path, url) = artifacts::one(plane, &id).await?;
                let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
                add(Remote {
                    path: PathBuf::from(name),
                    artifact: id,
                    url,
                })?;
            }
            (None, Some(prefix)) => {
                // What is below the prefix keeps the last part of the prefix: the model's own name.
                let mut parts = prefix.trim_matches('/').splitn(3, '/');
                let (origin, container) = (parts.next(), parts.next());
                let folder = [origin, container].map(Option::unwrap_or_default).join("/");
                let path = parts.next().unwrap_or_default();
                let above = path.rsplit_once('/').map_or("", |(above, _)| above);
                let mut files = artifacts::below(plane, &prefix)?;
                while let Some((name, url)) = files.try_next().await? {
                    let below = name.strip_prefix(above).unwrap_or(&name);
                    add(Remote {
                        path: PathBuf::from(below.trim_start_matches('/')),
                        artifact: format!("{folder}/{name}"),
                        url,
                    })?;
                }
            }
            (None, None) => {}
        }
    }
    if found.is_empty() {
        return Err(Error::new(
            ErrorKind::Protocol,
            "the service names no file of the model",
        ));
    }
    Ok(found)
}

/// Returns the asset that a model's URL names.
pub(super) async fn asset_of(
    plane: &DataPlane,
    url: Option<&str>,
    client_request_id: String,
) -> Result<AssetResource, Error> {
    let id = url.and_then(|url| url.strip_prefix("aml://asset/"));
    let Some(id) = id.filter(|id| !id.is_empty()) else {
        // No more than its scheme is quoted: URLs may be signed.
        let scheme = url.and_then(|url| Some(url.split_once("://")?.0));
        let why = match scheme {
            None | Some("aml") => "the service does not say where the model's files are".to_owned(),
            Some(scheme) => format!(
                "the model's files are not an asset of this workspace, but at a URL of scheme {scheme:?}"
            ),
        };
        return Err(Error::new(ErrorKind::Protocol, why));
    };
    let id = artifacts::checked(id)?;
    let request = HttpRequest::get(plane.model_management(&["assets", id]))
        .request_id(Some(client_request_id));
    plane.client().decoded(&request, Sending::Retried).await
}

/// Returns a key that is the same for two paths of one file: equal paths, and on Windows and macOS also paths that
/// differ only in case, because most file systems there ignore it.
fn key(path: &Path) -> PathBuf {
    match cfg!(any(windows, target_os = "macos")) {
        true => path.to_string_lossy().to_lowercase().into(),
        false => path.to_owned(),
    }
}

/// Returns the path after a check that it stays within its folder.
fn safe(path: &Path) -> Result<&Path, Error> {
    let stays = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let text = path.as_os_str().to_string_lossy();
    let what = if !stays || text.contains('\\') || path.components().next().is_none() {
        "outside the folder"
    } else if text.chars().any(misleads) {
        "with a control character in its name"
    } else if cfg!(windows) && text.split('/').any(is_special_on_windows) {
        "whose name Windows takes for something else"
    } else {
        return Ok(path);
    };
    Err(Error::new(
        ErrorKind::Protocol,
        format!("the service names a file {what}, and nothing was written: {path:?}"),
    ))
}

/// Returns whether a character in a name may change what a terminal or a reader sees: control characters, and
/// those that change the direction of the text (Unicode, UAX 9).
fn misleads(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns whether Windows writes somewhere else than to a file of this name: to a device or a stream, or to the
/// name without its end (learn.microsoft.com, "Naming files, paths, and namespaces").
fn is_special_on_windows(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let stem = name.split('.').next().unwrap_or_default();
    let stem = stem.trim_end().to_lowercase();
    let number = stem.strip_prefix("com").or(stem.strip_prefix("lpt"));
    let is_port = number.is_some_and(|n| {
        let mut digits = n.chars();
        digits
            .next()
            .is_some_and(|c| "123456789\u{b9}\u{b2}\u{b3}".contains(c))
            && digits.next().is_none()
    });
    DEVICES.contains(&stem.as_str())
        || is_port
        || name.ends_with(['.', ' '])
        || name.contains(['<', '>', ':', '"', '|', '?', '*'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stay_in_their_folder() {
        for path in ["a", "a/b.c", "model/.hidden"] {
            assert!(safe(Path::new(path)).is_ok(), "{path}");
        }
        for path in ["", "/etc/x", "../x", "a/../../x", "./a", "..\\x", "a\0"] {
            assert!(safe(Path::new(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn names_that_mislead_a_reader_are_refused_and_not_printed() {
        for path in [
            "m/\u{1b}[2Ja",
            "m/a\nb",
            "m/\u{202e}exe.a",
            "m\t/a",
            "m/\u{2066}a",
            "m/\u{9b}a",
        ] {
            let error = safe(Path::new(path)).unwrap_err();
            assert!(!error.to_string().chars().any(misleads), "{error:?}");
        }
        for path in [
            "m/a b",
            "m/\u{e4}",
            "m/\u{645}\u{646}\u{200f}",
            "m/con",
            "m/\u{1f600}",
        ] {
            assert!(cfg!(windows) || safe(Path::new(path)).is_ok(), "{path}");
        }
    }

    #[test]
    fn names_that_windows_takes_for_something_else_are_known() {
        for name in [
            "CON",
            "nul.txt",
            "Aux .b",
            "com1",
            "LPT9.x",
            "com\u{b2}",
            "conin$",
            "x.",
            "x ",
            "C:x",
            "a?",
            "a\"b",
        ] {
            assert!(is_special_on_windows(name), "{name}");
        }
        for name in [
            "console", "com", "com10", "com0", "lpt", "a.con", "x.y", ".hidden", "nulls",
        ] {
            assert!(!is_special_on_windows(name), "{name}");
        }
    }
}
