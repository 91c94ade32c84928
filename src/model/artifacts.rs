//! The artifact store: announcing what is uploaded, uploading it, and finding what is there.

use super::content::{ArtifactBatch, ContentInformation};
use crate::blob::{BlobStore, SasUrl, Source, TransferProgress};
use crate::error::{Error, ErrorKind, Hidden, ResponseFacts, ServiceError};
use crate::transport::limits::blobs;
use crate::transport::{HttpRequest, List, Sending, own_pages};
use crate::workspace::{DataPlane, Workspace};
use azure_core::http::Method;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::time::Instant;

/// The origin of uploads from a machine.
pub(crate) const LOCAL_UPLOAD: &str = "LocalUpload";

/// Uploads to one container of the artifact store.
#[derive(Debug)]
pub(crate) struct Uploads<'a> {
    plane: &'a DataPlane,
    store: BlobStore,
    container: &'a str,
}

impl<'a> Uploads<'a> {
    /// # Arguments
    ///
    /// * `container` - a name for these uploads, which follows from their contents: what is there already is
    ///   not sent again.
    pub(crate) fn new(workspace: &Workspace, plane: &'a DataPlane, container: &'a str) -> Self {
        Self {
            plane,
            store: store(workspace),
            container,
        }
    }

    /// Uploads each of the files, several at a time, and ends with the first that fails.
    ///
    /// URLs are fetched shortly before they are used, because they expire, and again after they have expired.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped, it stops; with the same container and files it goes on where it stopped.
    pub(crate) async fn send(
        &self,
        files: Vec<(String, Source)>,
        progress: &(dyn Fn(TransferProgress) + Send + Sync),
    ) -> Result<(), Error> {
        let mut files = files.into_iter();
        loop {
            let batch: Vec<(String, Source)> = files.by_ref().take(blobs::PATHS).collect();
            if batch.is_empty() {
                return Ok(());
            }
            let names: Vec<&str> = batch.iter().map(|(name, _)| name.as_str()).collect();
            let mut urls = self.announce(&names).await?;
            let since = Instant::now();
            let uploads: Vec<_> = batch
                .into_iter()
                .map(|(name, source)| {
                    let url = urls.remove(&name);
                    self.upload(name, source, url.map(|url| (url, since)), progress)
                })
                .collect();
            stream::iter(uploads)
                .buffer_unordered(blobs::FILES)
                .try_collect::<()>()
                .await?;
        }
    }

    async fn upload(
        &self,
        name: String,
        source: Source,
        url: Option<(SasUrl, Instant)>,
        progress: &(dyn Fn(TransferProgress) + Send + Sync),
    ) -> Result<(), Error> {
        let (mut url, mut since) = match url {
            Some(given) => given,
            None if self.has(&name, &source).await => {
                let size = source.size().unwrap_or_default();
                progress(TransferProgress {
                    file: name,
                    bytes: size,
                    total: size,
                });
                return Ok(());
            }
            None => (self.writable(&name).await?, Instant::now()),
        };
        let arrived = AtomicU64::new(0);
        let tell = |transfer: TransferProgress| {
            arrived.fetch_max(transfer.bytes, Ordering::Relaxed);
            progress(TransferProgress {
                file: name.clone(),
                ..transfer
            });
        };
        // The bytes that had arrived when the URL was last fetched: without progress it is not fetched again.
        let mut last = None;
        loop {
            match self.store.upload(&url, source.clone(), &tell).await {
                // With another one it goes on where it stopped.
                Err(error)
                    if may_have_expired(&error, since)
                        && last.is_none_or(|last| arrived.load(Ordering::Relaxed) > last) =>
                {
                    last = Some(arrived.load(Ordering::Relaxed));
                    tracing::debug!(name, "the signed URL is refused: a new one is asked for");
                    (url, since) = (self.writable(&name).await?, Instant::now());
                }
                result => return result.map(|_| ()),
            }
        }
    }

    /// Makes the artifacts, and gives the URLs of their content; not of those that exist already.
    async fn announce(&self, names: &[&str]) -> Result<BTreeMap<String, SasUrl>, Error> {
        let segments = ["batch", "metadata", LOCAL_UPLOAD, self.container];
        let paths: Vec<_> = names.iter().map(|name| json!({ "path": name })).collect();
        let request = HttpRequest::new(Method::Post, self.plane.artifacts(&segments))
            .json(&json!({ "paths": paths }));
        let id = &request.client_request_id;
        // A leftover of an interrupted attempt is recognized below, so that it may be sent again.
        let batch: ArtifactBatch = self
            .plane
            .client()
            .decoded(&request, Sending::Retried)
            .await?;
        for (name, error) in batch.errors.unwrap_or_default() {
            let error = ServiceError::find(&json!({ "error": error }), &Hidden::default())
                .unwrap_or_default();
            if !error.any(says_exists) {
                return Err(Error::service(ResponseFacts {
                    error: Some(error),
                    client_request_id: Some(id.clone()),
                    ..ResponseFacts::default()
                })
                .with_context(|| format!("announce {name:?} to the artifact store")));
            }
        }
        let mut urls = BTreeMap::new();
        for (name, content) in batch.artifact_content_information.unwrap_or_default() {
            urls.insert(name, url_of(self.plane.local_stores(), &content)?);
        }
        Ok(urls)
    }

    /// Returns whether an artifact that exists has its content already: the container lists it, and it is there
    /// as a whole or not at all. Where that is unknown, it is uploaded.
    async fn has(&self, name: &str, source: &Source) -> bool {
        let id = format!("{LOCAL_UPLOAD}/{}/{name}", self.container);
        let size = async {
            let (_, url) = one(self.plane, &id).await?;
            self.store.size(&url).await
        };
        match size.await {
            Ok(size) => Some(size) == source.size(),
            Err(error) => {
                tracing::debug!(name, %error, "an artifact is uploaded: its content is not there");
                false
            }
        }
    }

    /// Returns the URL of an artifact that exists: an earlier try made it.
    async fn writable(&self, name: &str) -> Result<SasUrl, Error> {
        let mut segments = vec!["write", LOCAL_UPLOAD, self.container];
        segments.extend(name.split('/'));
        let request = HttpRequest::get(self.plane.artifacts(&segments));
        let content: ContentInformation = self
            .plane
            .client()
            .decoded(&request, Sending::Retried)
            .await?;
        url_of(self.plane.local_stores(), &content)
    }
}

/// The service has no code of its own for it; what is published calls it a conflict.
fn says_exists(code: Option<&str>, message: Option<&str>) -> bool {
    let holds = |text: Option<&str>, words: &[&str]| {
        let text = text.unwrap_or_default().to_ascii_lowercase();
        words.iter().any(|word| text.contains(word))
    };
    holds(code, &["conflict", "alreadyexists"]) || holds(message, &["already exist", "conflict"])
}

fn url_of(local: bool, content: &ContentInformation) -> Result<SasUrl, Error> {
    let uri = content.content_uri.as_ref().ok_or_else(|| {
        Error::new(
            ErrorKind::Protocol,
            "the artifact store gave no URL for the content",
        )
    })?;
    SasUrl::parse(uri.secret(), local)
}

/// Returns whether the store refuses a URL because it was given some time ago.
pub(super) fn may_have_expired(error: &Error, since: Instant) -> bool {
    error.http_status() == Some(403) && since.elapsed() >= blobs::FRESH_URL
}

/// Returns a store for the blobs of a workspace.
pub(super) fn store(workspace: &Workspace) -> BlobStore {
    let settings = workspace.settings();
    BlobStore::new(
        settings.options.clone(),
        settings.own_retry,
        blobs::PARALLELISM,
    )
}

/// Returns whether anything exists below a prefix `{origin}/{container}/{path}`.
pub(super) async fn any_below(plane: &DataPlane, prefix: &str) -> Result<bool, Error> {
    let first = below(plane, prefix)?.try_next().await?;
    Ok(first.is_some())
}

/// Lists the artifacts below a prefix `{origin}/{container}/{path}`, with URLs to read them: the artifact of that
/// path, or those in the folder of that path.
pub(super) fn below(plane: &DataPlane, prefix: &str) -> Result<List<(String, SasUrl)>, Error> {
    let own = prefix.trim_matches('/').splitn(3, '/').nth(2);
    let own = own.unwrap_or_default().to_owned();
    let mut segments = vec!["prefix", "contentinfo"];
    segments.extend(checked(prefix.trim_matches('/'))?.split('/'));
    let found = own_pages::<ContentInformation>(plane.client().clone(), plane.artifacts(&segments));
    let local = plane.local_stores();
    let located = move |content: ContentInformation| {
        let url = url_of(local, &content)?;
        let path = content.path.ok_or_else(|| {
            Error::new(
                ErrorKind::Protocol,
                "the artifact store gave a content without a path",
            )
        })?;
        Ok((path, url))
    };
    Ok(
        found.filter_convert(move |content| match content.and_then(located) {
            Ok((path, _)) if !is_below(&path, &own) => None,
            content => Some(content),
        }),
    )
}

/// Returns an id that the service gave, after a check that none of its parts changes the path of a request.
pub(super) fn checked(id: &str) -> Result<&str, Error> {
    if id.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(Error::new(
            ErrorKind::Protocol,
            format!("the service gave an id that would change the path of a request: {id:?}"),
        ));
    }
    Ok(id)
}

/// The store compares texts: `model.pkl.bak` begins like `model.pkl`.
fn is_below(path: &str, own: &str) -> bool {
    let rest = path.strip_prefix(own);
    own.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// One artifact `{origin}/{container}/{path}`, with a URL to read it.
pub(super) async fn one(plane: &DataPlane, id: &str) -> Result<(String, SasUrl), Error> {
    let mut segments = vec!["contentinfo"];
    segments.extend(checked(id)?.split('/'));
    let request = HttpRequest::get(plane.artifacts(&segments));
    let content: ContentInformation = plane.client().decoded(&request, Sending::Retried).await?;
    let url = url_of(plane.local_stores(), &content)?;
    let path = id.splitn(3, '/').nth(2).unwrap_or(id);
    Ok((path.to_owned(), url))
}
