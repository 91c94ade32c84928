//! Uploads and downloads of blobs.

use crate::blob::{BlobStore, SasUrl, Source, TransferProgress};
use crate::error::{Error, ErrorKind};
use crate::files::Stamp;
use crate::transport::{DefaultClient, default_transport};
use azure_core::http::{ClientOptions, Transport};
use bytes::Bytes;
use std::fs::File;
use std::path::Path;

/// A client that sends blobs to signed URLs and fetches them.
#[derive(Debug, Clone)]
pub struct Blobs(BlobStore);

impl Blobs {
    /// With the transport that a workspace has if none is given.
    ///
    /// # Errors
    ///
    /// If this build has none.
    pub fn new() -> Result<Self, Error> {
        Ok(Self::over(default_transport(&DefaultClient::default())?))
    }

    /// With a transport.
    #[must_use]
    pub fn over(transport: Transport) -> Self {
        let options = ClientOptions {
            transport: Some(transport),
            ..ClientOptions::default()
        };
        Self(BlobStore::new(
            options,
            false,
            crate::transport::limits::blobs::PARALLELISM,
        ))
    }

    /// Uploads a file; gives its size, and how many bytes of it were sent.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub async fn upload(
        &self,
        sas: &str,
        file: &Path,
        progress: &(dyn Fn(TransferProgress) + Send + Sync),
    ) -> Result<(u64, u64), Error> {
        let source = Source::Path(file.to_owned(), None);
        self.upload_source(sas, source, progress).await
    }

    /// [`upload`](Self::upload) of an open file of this size.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub async fn upload_open(
        &self,
        sas: &str,
        file: File,
        size: u64,
        progress: &(dyn Fn(TransferProgress) + Send + Sync),
    ) -> Result<(u64, u64), Error> {
        let metadata = file.metadata().map_err(|error| {
            Error::new(ErrorKind::File, format!("the file cannot be read: {error}"))
        })?;
        let mut stamp = Stamp::of(&metadata);
        stamp.size = size;
        let source = Source::of_file(file, stamp);
        self.upload_source(sas, source, progress).await
    }

    /// [`upload`](Self::upload) from memory.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub async fn upload_bytes(
        &self,
        sas: &str,
        bytes: Bytes,
        progress: &(dyn Fn(TransferProgress) + Send + Sync),
    ) -> Result<(u64, u64), Error> {
        let source = Source::Bytes(bytes);
        self.upload_source(sas, source, progress).await
    }

    async fn upload_source(
        &self,
        sas: &str,
        source: Source,
        progress: &(dyn Fn(TransferProgress) + Send + Sync),
    ) -> Result<(u64, u64), Error> {
        let sas = SasUrl::parse(sas, true)?;
        let uploaded = self.0.upload(&sas, source, progress).await?;
        Ok((uploaded.size, uploaded.sent))
    }

    /// Downloads to a file; gives its size.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub async fn download(
        &self,
        sas: &str,
        file: &Path,
        progress: &(dyn Fn(TransferProgress) + Send + Sync),
    ) -> Result<u64, Error> {
        let sas = SasUrl::parse(sas, true)?;
        self.0.download(&sas, file, true, progress).await
    }
}
